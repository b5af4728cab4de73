"""What stands between a caller and a function: a function URL, API Gateway, a load balancer. Which answers it gives.

The caller of a front end sees HTTP status codes. A function that fails answers a direct call with 200 and
``FunctionError``; behind a front end the same failure is a 502.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from lambdasim.errors import RuleViolation
from lambdasim.scenario.fields import UNLIMITED, DurationLimit, Model
from lambdasim.units import NS_PER_S, format_duration

FrontEndName = Literal["function-url", "api-gateway-rest", "api-gateway-http", "alb"]

OK_STATUS = 200
ACCEPTED_STATUS = 202  # of an asynchronous event
TOO_MANY_REQUESTS = 429


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The status codes of one front end, how long it waits, and who says so."""

    throttle: int  # Lambda refused the invocation
    error: int  # the function failed or timed out
    timeout: int  # the front end stopped waiting
    timeout_ns: int | None  # None: it waits as long as the function may run
    longest_timeout_ns: int | None
    is_api_gateway: bool  # shares the account's request-rate bucket
    source: str
    read: str


_GATEWAY_PAGES = (
    "https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway-errors.html;"
    " https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html"
)

ANSWERS: dict[str, Answers] = {
    "function-url": Answers(
        throttle=TOO_MANY_REQUESTS,
        error=502,  # MODEL: taken over from API Gateway; the page on function URLs has the 429 only
        timeout=504,
        timeout_ns=None,
        longest_timeout_ns=None,
        is_api_gateway=False,
        source="https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html",
        read="2026",
    ),
    "api-gateway-rest": Answers(
        throttle=500,
        error=502,
        timeout=504,
        timeout_ns=29 * NS_PER_S,
        longest_timeout_ns=None,  # Regional and private APIs: raised on request since mid-2024
        is_api_gateway=True,
        source=_GATEWAY_PAGES,
        read="2026",
    ),
    "api-gateway-http": Answers(
        throttle=500,  # MODEL: the general page says 500; some users report 503
        error=502,
        timeout=503,
        timeout_ns=30 * NS_PER_S,
        longest_timeout_ns=30 * NS_PER_S,
        is_api_gateway=True,
        source=_GATEWAY_PAGES + "; 503 after 30 s: https://github.com/serverless/serverless/issues/11222",
        read="2026",
    ),
    "alb": Answers(
        throttle=502,
        error=502,
        timeout=504,
        timeout_ns=None,  # MODEL: whether the idle timeout of 60 s applies to a Lambda target is not published
        longest_timeout_ns=None,
        is_api_gateway=False,
        source="ELB user guide, Troubleshoot your Application Load Balancers, HTTP 502 and 504",
        read="2026",
    ),
}


class FrontEnd(Model):
    """A front end, where its own timeout or its answer to a throttle is not the usual one."""

    front_end: FrontEndName
    timeout: DurationLimit | None = None
    throttle_status: Annotated[int, Field(ge=400, le=599, strict=True)] | None = None

    @model_validator(mode="after")
    def _not_longer_than_it_can(self) -> FrontEnd:
        longest_ns = self.usual.longest_timeout_ns
        if longest_ns is not None and (self.timeout_ns is None or self.timeout_ns > longest_ns):
            rule = f"must have a timeout of at most {format_duration(longest_ns)} for {self.front_end}"
            raise RuleViolation(rule, "AWS allows no more")
        return self

    @property
    def usual(self) -> Answers:
        """What the front end does unless told otherwise."""
        return ANSWERS[self.front_end]

    @property
    def timeout_ns(self) -> int | None:
        """How long it waits for the function; None: as long as that may run."""
        if self.timeout is None:
            return self.usual.timeout_ns
        return None if self.timeout == UNLIMITED else int(self.timeout)

    @property
    def status_of_throttle(self) -> int:
        """What the caller sees where Lambda refused the invocation."""
        return self.usual.throttle if self.throttle_status is None else self.throttle_status


def _as_front_end(value: Any) -> Any:
    """A bare name is a front end as it usually is."""
    if not isinstance(value, str | dict | Model):
        raise RuleViolation("must be the name of a front end or a mapping", f"one of {', '.join(ANSWERS)}")
    return {"front_end": value} if isinstance(value, str) else value


FrontEndOrName = Annotated[FrontEnd, BeforeValidator(_as_front_end)]
