"""Application Auto Scaling in the second simulator: what was measured in each minute, and what is asked for then.

Written from the rules of the model, not from the engine. Everything that ever happened is kept, and every minute is
measured anew from it whenever it is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil

from tests.properties.brute_parts import CHANGE, MINUTE
from tests.properties.brute_provisioned import SCHEDULED, TARGET_TRACKING, Capacity
from tests.properties.plans import AutoscalingPlan, ScheduledPlan


@dataclass(frozen=True)
class Point:
    """What one minute says: utilisation, and the load that was measured with it."""

    value: Fraction
    load: Fraction


@dataclass(eq=False)
class Autoscaling:
    """The scalable target of one function."""

    capacity: Capacity
    plan: AutoscalingPlan
    spans: list[tuple[int, int, int, int]] = field(default_factory=list)  # from, to, busy, allocated
    admissions: list[tuple[int, int, int]] = field(default_factory=list)  # when, busy with it, allocated
    scaled_out: int | None = None
    scaled: int | None = None

    def __post_init__(self) -> None:
        self.least, self.most = self.plan.least, self.plan.most
        region, function = self.capacity.region, self.capacity.function
        after_the_file = len(region.plan.changes)
        for at in {action.at for action in self.plan.actions}:
            together = [action for action in self.plan.actions if action.at == at]

            def act(together: list[ScheduledPlan] = together) -> None:
                self._act(together)

            region.later(at * region.tick, CHANGE, (after_the_file, function, 0), act)
        if self.plan.target is not None:
            self._plan_evaluation(0)

    @property
    def begins_with(self) -> int:
        """Units at the start of the run."""
        stated = self.capacity.plan.provisioned
        return self.least if stated is None else min(max(stated, self.least), self.most)

    # What is measured.

    def pass_time(self, now: int, then: int) -> None:
        """Nothing happens from ``now`` to ``then``."""
        if then > now:
            self.spans.append((now, then, self.capacity.busy, self.capacity.allocated))

    def admitted(self) -> None:
        """An invocation was, onto a provisioned environment or over it."""
        self.admissions.append((self.capacity.region.now, self.capacity.busy, self.capacity.allocated))

    def _point(self, minute: int) -> Point | None:
        if minute < 0:
            return None
        start, end = minute * MINUTE, (minute + 1) * MINUTE
        # An invocation that came while nothing was allocated makes no point.
        admissions = [(busy, units) for time, busy, units in self.admissions if start <= time < end and units]
        parts = [
            (min(then, end) - max(now, start), busy, units)
            for now, then, busy, units in self.spans
            if now < end and then > start
        ]
        busy_time = sum(length * busy for length, busy, _ in parts)
        unit_time = sum(length * units for length, _, units in parts)
        if not admissions:
            return None
        if self.plan.is_maximum:
            value = max(Fraction(busy, units) for busy, units in admissions)
            return Point(value, Fraction(max(busy for busy, _ in admissions)))
        return Point(Fraction(busy_time, unit_time), Fraction(busy_time, MINUTE))

    # What is done.

    def _plan_evaluation(self, minute: int) -> None:
        region, index = self.capacity.region, (len(self.capacity.region.plan.changes), self.capacity.function, 1)
        time = (minute + 1) * MINUTE + self.plan.delay * region.tick
        if time <= (region.plan.duration + region.plan.drain) * region.tick:
            region.later(time, CHANGE, index, lambda: self._evaluate(minute))

    def _evaluate(self, minute: int) -> None:
        self._plan_evaluation(minute + 1)
        assert self.plan.target is not None
        now, tick, plan = self.capacity.region.now, self.capacity.region.tick, self.plan
        target = Fraction(self.plan.target, 100)
        last = self._point(minute)
        out = [self._point(one) for one in range(minute - plan.out_points + 1, minute + 1)]
        in_ = [self._point(one) for one in range(minute - plan.in_points + 1, minute + 1)]
        if last is None:
            return
        requested = self.capacity.requested
        if all(one is not None and one.value > target for one in out):
            desired = min(max(ceil(last.load / target), self.least), self.most)
            may = self.scaled_out is None or now - self.scaled_out >= plan.out_cooldown * tick
            if desired > requested and may:
                self.scaled_out = self.scaled = now
                self.capacity.request(desired, TARGET_TRACKING)
        elif all(one is not None and one.value < target * Fraction(plan.in_percent, 100) for one in in_):
            step = max(1, requested * plan.step_percent // 100)
            desired = max(ceil(last.load / target), requested - step, self.least)
            may = self.scaled is None or now - self.scaled >= plan.in_cooldown * tick
            if desired < requested and may:
                self.scaled = now
                self.capacity.request(desired, TARGET_TRACKING)

    def _act(self, together: list[ScheduledPlan]) -> None:
        """Actions of one instant set what each says before anything is asked for."""
        for action in together:
            self.least = self.least if action.least is None else action.least
            self.most = self.most if action.most is None else action.most
        if self.capacity.requested < self.least:
            self.capacity.request(self.least, SCHEDULED)
        elif self.capacity.requested > self.most:
            self.capacity.request(self.most, SCHEDULED)
