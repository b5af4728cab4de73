"""What Lambda does with the asynchronous events of a function: how long it keeps them, and how often it tries.

Source of ranges and defaults: botocore's service model of Lambda (PutFunctionEventInvokeConfig, read 2026-08) and
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html (read 2026).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from lambdasim.errors import RuleViolation
from lambdasim.scenario.distributions import Distribution, Lognormal
from lambdasim.scenario.fields import Duration, Model, Ratio, between, share_left, text_or_value
from lambdasim.units import NS_PER_S

LEAST_EVENT_AGE_NS = 60 * NS_PER_S
MOST_EVENT_AGE_NS = 6 * 3_600 * NS_PER_S
MOST_RETRY_ATTEMPTS = 2


def _growth(value: float) -> float:
    if value <= 0:
        raise RuleViolation("must be above 0%", "")
    return value


class SlowDown(Model):
    """How the reader of the queue slows down: a throttle leaves it a share of the events that it works on at once.

    MODEL: AWS says that with many events in the queue the rate of reading falls, not how. Here a throttle leaves the
    reader ``share`` of what it had under way, at most once a second; then that grows by ``recovery`` every second, and
    an empty queue ends it.
    """

    share: Annotated[Ratio, AfterValidator(share_left)] = 0.5
    recovery: Annotated[Ratio, AfterValidator(_growth)] = 0.05


class AsyncInvocation(Model):
    """The event queue of a function, and what becomes of an event that is refused or fails.

    MODEL: AWS says that the delay after a throttle grows from 1 s to 5 min, not by how much it is jittered; and nothing
    about the time from enqueueing to the first try.
    """

    maximum_event_age: Annotated[Duration, AfterValidator(between(LEAST_EVENT_AGE_NS, MOST_EVENT_AGE_NS))] = (
        MOST_EVENT_AGE_NS
    )
    maximum_retry_attempts: Annotated[int, Field(ge=0, le=MOST_RETRY_ATTEMPTS, strict=True)] = MOST_RETRY_ATTEMPTS
    jitter: Literal["equal", "full", "none"] = "equal"
    slow_down: Annotated[
        Annotated[Literal["none"], Tag("text")] | Annotated[SlowDown, Tag("value")], Discriminator(text_or_value)
    ] = SlowDown()
    dispatch_delay: Distribution = Lognormal.model_validate({"lognormal": {"p50": "50ms", "p99": "500ms"}})
    on_success: str | None = None
    on_failure: str | None = None
    dead_letter: str | None = None

    @model_validator(mode="after")
    def _one_place_for_failures(self) -> AsyncInvocation:
        if self.on_failure is not None and self.dead_letter is not None:
            # MODEL: AWS delivers to both; here an event goes one way, so that every attempt has one number.
            rule = "must not have both on_failure and dead_letter"
            raise RuleViolation(rule, "AWS advises on_failure, which is the newer of the two")
        return self
