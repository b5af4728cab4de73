"""What-ifs during the run: a limit raised or lowered, a deployment, an incident, traffic switched on or off.

A change takes effect at its instant, after everything that ends there and before everything that begins there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from lambdasim.errors import RuleViolation
from lambdasim.scenario.distributions import Distribution
from lambdasim.scenario.failure import Errors
from lambdasim.scenario.fields import ConcurrencyQuota, Duration, Model, Rate, text_or_value
from lambdasim.scenario.queues import MOST_REDRIVE_PER_S


def _redrive_rate(value: float) -> float:
    if value <= 0:
        raise RuleViolation("must be above 0/s", "")
    if value > MOST_REDRIVE_PER_S:
        raise RuleViolation(f"must be at most {MOST_REDRIVE_PER_S}/s, as AWS demands", "")
    return value


class RegionChange(Model):
    """Another quota of the account in the region."""

    concurrency_quota: ConcurrencyQuota


class FunctionChange(Model):
    """Another reservation (``none`` gives it back), or other code for the requests that come from then on."""

    reserved_concurrency: (
        Annotated[
            Annotated[Literal["none"], Tag("text")]
            | Annotated[int, Field(ge=0, le=10_000_000, strict=True), Tag("value")],
            Discriminator(text_or_value),
        ]
        | None
    ) = None
    duration: Distribution | None = None
    errors: Errors | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> FunctionChange:
        if self.reserved_concurrency is None and "reserved_concurrency" in self.model_fields_set:
            raise RuleViolation("must have a reserved_concurrency", "write none to give the reservation back")
        if self.reserved_concurrency is None and self.duration is None and self.errors is None:
            raise RuleViolation("must change something: reserved_concurrency, duration or errors", "")
        return self


class Redrive(Model):
    """The messages of a dead-letter queue go back to the queues that they came from, so many a second.

    Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html (read
    2026): at most 500 a second. MODEL: what AWS calls system-optimised, without a rate, is that.
    """

    queue: str
    rate: Annotated[Rate, AfterValidator(_redrive_rate)] = float(MOST_REDRIVE_PER_S)


def _of_queue(value: Any) -> Any:
    return {"queue": value} if isinstance(value, str) else value


class Change(Model):
    """One instant at which something changes."""

    at: Duration
    redrive: Annotated[Redrive, BeforeValidator(_of_queue)] | None = None
    region: RegionChange | None = None
    deploy: str | None = None
    functions: dict[str, FunctionChange] | None = None
    traffic: dict[str, Literal["on", "off"]] | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> Change:
        if not (self.region or self.deploy is not None or self.redrive or self.functions or self.traffic):
            raise RuleViolation("must change something: region, deploy, redrive, functions or traffic", "")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsInForce:
    """Quota and reservations from ``at_ns`` on, until the next of them."""

    at_ns: int
    change: int | None  # number of the change in the file that led here; None at the start
    quota: int
    reserved: Mapping[str, int]  # functions with reserved concurrency only


def in_time_order(changes: Sequence[Change]) -> list[tuple[int, Change]]:
    """(number in the file, change), by time; those of one instant in file order."""
    return sorted(enumerate(changes), key=lambda numbered: numbered[1].at)


def limits_over_time(quota: int, reserved: Mapping[str, int], changes: Sequence[Change]) -> list[LimitsInForce]:
    """Every state of the limits that the changes lead through, the one at the start first."""
    states = [LimitsInForce(at_ns=0, change=None, quota=quota, reserved=dict(reserved))]
    for number, change in in_time_order(changes):
        now_reserved = dict(states[-1].reserved)
        for name, function in (change.functions or {}).items():
            if function.reserved_concurrency == "none":
                now_reserved.pop(name, None)
            elif function.reserved_concurrency is not None:
                now_reserved[name] = function.reserved_concurrency
        now_quota = states[-1].quota if change.region is None else change.region.concurrency_quota
        if now_quota != states[-1].quota or now_reserved != states[-1].reserved:
            states.append(LimitsInForce(at_ns=change.at, change=number, quota=now_quota, reserved=now_reserved))
    return states
