"""Provisioned concurrency of a function: how it is allocated, and how it follows the load or a schedule.

Words are AWS's: those of Lambda's provisioned concurrency page and of Application Auto Scaling. Sources:
https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html and
https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html (read 2026).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from lambdasim.errors import RuleViolation
from lambdasim.scenario import cron
from lambdasim.scenario.distributions import Distribution
from lambdasim.scenario.fields import Duration, Model, PositiveCount, PositiveDuration, Ratio, share_left
from lambdasim.scenario.week import WeekTime
from lambdasim.units import NS_PER_S

# Units of concurrency: of a reservation, of provisioned concurrency.
Units = Annotated[int, Field(ge=0, le=10_000_000, strict=True)]

# As often as a schedule may fire within a run.
MOST_ACTIONS = 10_000


def _tracked(value: float) -> float:
    if not 0.1 <= value <= 0.9:
        raise RuleViolation("must be between 10% and 90%, as AWS demands", "AWS's own example is 70%")
    return _in_permille(value)


def _in_permille(value: float) -> float:
    """So that points are compared with it exactly."""
    if abs(value * 1_000 - round(value * 1_000)) > 1e-9:
        raise RuleViolation("must have at most one decimal", "for example 72.5%")
    return value


class ProvisionedAllocation(Model):
    """How fast provisioned environments come: some preparation, then ``rate`` of them in every ``per``.

    Nothing of a request serves before all of it is ready.
    """

    prepare: Distribution
    rate: PositiveCount
    per: PositiveDuration


class ScheduledAction(Model):
    """At an instant of the run, or whenever a schedule fires, other bounds for the capacity."""

    at: Duration | None = None
    schedule: Annotated[str, AfterValidator(cron.check_schedule)] | None = None
    starts: WeekTime = 0
    min_capacity: Units | None = None
    max_capacity: Units | None = None

    @model_validator(mode="after")
    def _at_some_time(self) -> ScheduledAction:
        if (self.at is None) == (self.schedule is None):
            raise RuleViolation("must have either at or schedule", "for example at: 10m, or schedule: rate(1 hour)")
        is_by_the_clock = self.schedule is not None and cron.period_ns(self.schedule) is None
        if "starts" in self.model_fields_set and not is_by_the_clock:
            raise RuleViolation("must have starts only beside a schedule by the clock", "")
        return self

    @model_validator(mode="after")
    def _sets_something(self) -> ScheduledAction:
        if self.min_capacity is None and self.max_capacity is None:
            raise RuleViolation("must have min_capacity or max_capacity", "")
        return self

    def instants_ns(self, duration_ns: int) -> list[int]:
        """When it takes place within a run."""
        if self.schedule is None:
            return [self.at or 0]
        return [int(at) for at in cron.instants_ns(self.schedule, self.starts, duration_ns, MOST_ACTIONS + 1)]


class Autoscaling(Model):
    """Application Auto Scaling of a function's provisioned concurrency: target tracking, scheduled actions, or both."""

    min_capacity: Units
    max_capacity: PositiveCount
    target: Annotated[Ratio, AfterValidator(_tracked)] | None = None
    statistic: Literal["average", "maximum"] = "average"
    scheduled_actions: tuple[ScheduledAction, ...] = ()
    metric_delay: Duration
    scale_out_points: Annotated[int, Field(ge=1, le=60, strict=True)]
    scale_in_points: Annotated[int, Field(ge=1, le=60, strict=True)]
    scale_in_threshold: Annotated[Ratio, AfterValidator(_in_permille)]
    scale_in_step: Annotated[Ratio, AfterValidator(share_left)]
    scale_out_cooldown: Duration
    scale_in_cooldown: Duration

    @model_validator(mode="after")
    def _min_below_max(self) -> Autoscaling:
        if self.min_capacity > self.max_capacity:
            both = f"{self.min_capacity} and {self.max_capacity}"
            raise RuleViolation(f"must have min_capacity at most max_capacity; they are {both}", "swap the two")
        return self

    @model_validator(mode="after")
    def _does_something(self) -> Autoscaling:
        if self.target is None and not self.scheduled_actions:
            raise RuleViolation("must have a target or scheduled_actions", "for example target: 70%")
        return self

    def bounds_over_time(self, duration_ns: int) -> list[tuple[int, int, int]]:
        """(time, min, max) at the start and after each scheduled action, by time, then order in the file."""
        actions = sorted(
            ((at_ns, action) for action in self.scheduled_actions for at_ns in action.instants_ns(duration_ns)),
            key=lambda timed: timed[0],
        )
        bounds = [(0, self.min_capacity, self.max_capacity)]
        for at_ns, action in actions:
            _, low, high = bounds[-1]
            low = low if action.min_capacity is None else action.min_capacity
            high = high if action.max_capacity is None else action.max_capacity
            bounds.append((at_ns, low, high))
        return bounds

    def initial(self, stated: int | None) -> int:
        """Units at the start of the run: what is stated, within the bounds."""
        return max(self.min_capacity, min(stated or 0, self.max_capacity))


# Of the metric: one point a minute (monitoring-concurrency page, read 2026).
POINT_NS = 60 * NS_PER_S
