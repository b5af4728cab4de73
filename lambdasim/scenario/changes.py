"""What-ifs during the run: a limit raised or lowered, a deployment, an incident, traffic switched on or off.

A change takes effect at its instant, after everything that ends there and before everything that begins there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Tag, model_validator

from lambdasim.errors import RuleViolation
from lambdasim.scenario.failure import Errors
from lambdasim.scenario.fields import ConcurrencyQuota, Duration, Model, Rate, text_or_value
from lambdasim.scenario.provisioned import Units
from lambdasim.scenario.queues import MOST_REDRIVE_PER_S
from lambdasim.scenario.work import HandlerDuration


def _redrive_rate(value: float) -> float:
    if value <= 0:
        raise RuleViolation("must be above 0/s", "")
    if value > MOST_REDRIVE_PER_S:
        raise RuleViolation(f"must be at most {MOST_REDRIVE_PER_S}/s, as AWS demands", "")
    return value


class RegionChange(Model):
    """Another quota of the account in the region."""

    concurrency_quota: ConcurrencyQuota


# So many units of concurrency, or none any more.
_UnitsOrNone = Annotated[
    Annotated[Literal["none"], Tag("text")] | Annotated[Units, Tag("value")], Discriminator(text_or_value)
]


class FunctionChange(Model):
    """Other units of concurrency (``none`` gives them back), or other code for the requests from then on."""

    reserved_concurrency: _UnitsOrNone | None = None
    provisioned_concurrency: _UnitsOrNone | None = None
    duration: HandlerDuration | None = None
    errors: Errors | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> FunctionChange:
        for key in ("reserved_concurrency", "provisioned_concurrency"):
            if getattr(self, key) is None and key in self.model_fields_set:
                raise RuleViolation(f"must have a {key}", "write none to give the units back")
        if all(getattr(self, key) is None for key in type(self).model_fields):
            keys = "reserved_concurrency, provisioned_concurrency, duration or errors"
            raise RuleViolation(f"must change something: {keys}", "")
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
    """Quota, reservations and configured provisioned concurrency from ``at_ns`` on, until the next of them."""

    at_ns: int
    change: int | None  # number of the change in the file that led here; None at the start
    quota: int
    reserved: Mapping[str, int]  # functions with reserved concurrency only
    provisioned: Mapping[str, int]  # functions with provisioned concurrency only; at most, where it is scaled


def in_time_order(changes: Sequence[Change]) -> list[tuple[int, Change]]:
    """(number in the file, change), by time; those of one instant in file order."""
    return sorted(enumerate(changes), key=lambda numbered: numbered[1].at)


def limits_over_time(
    quota: int, reserved: Mapping[str, int], provisioned: Mapping[str, int], changes: Sequence[Change]
) -> list[LimitsInForce]:
    """Every state of the limits that the changes lead through, the one at the start first."""
    states = [LimitsInForce(at_ns=0, change=None, quota=quota, reserved=dict(reserved), provisioned=dict(provisioned))]
    for number, change in in_time_order(changes):
        before = states[-1]
        after = LimitsInForce(
            at_ns=change.at,
            change=number,
            quota=before.quota if change.region is None else change.region.concurrency_quota,
            reserved=_changed(before.reserved, change, "reserved_concurrency"),
            provisioned=_changed(before.provisioned, change, "provisioned_concurrency"),
        )
        if (after.quota, after.reserved, after.provisioned) != (before.quota, before.reserved, before.provisioned):
            states.append(after)
    return states


def _changed(units: Mapping[str, int], change: Change, key: str) -> dict[str, int]:
    """The units of each function that has any, after a change."""
    now = dict(units)
    for name, function in (change.functions or {}).items():
        changed = getattr(function, key)
        if changed == "none":
            now.pop(name, None)
        elif changed is not None:
            now[name] = changed
    return now
