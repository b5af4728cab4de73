"""Application Auto Scaling while it runs: scheduled actions, and target tracking once a minute."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from lambdasim.engine.reference.provisioned_capacity import ProvisionedCapacity
from lambdasim.engine.reference.recurring import Callbacks, Clock, Recurring
from lambdasim.engine.reference.utilisation import UtilisationMeter
from lambdasim.platform.autoscaling import Point, scaled_in, should_scale_in, should_scale_out, wanted
from lambdasim.platform.provisioned import CapacityCause
from lambdasim.platform.region import AutoscalingSpec
from lambdasim.scenario.provisioned import POINT_NS


class Autoscaler:
    """Sets the provisioned concurrency of one function, within bounds that scheduled actions move."""

    def __init__(
        self,
        clock: Clock,
        *,
        spec: AutoscalingSpec,
        meter: UtilisationMeter | None,
        capacity: ProvisionedCapacity,
        ranks: tuple[int, int],
    ) -> None:
        """``ranks``: of scheduled actions and of target tracking among the events of one instant."""
        self._clock = clock
        self._moves = spec.bounds[1:]
        _, self._least, self._most = spec.bounds[0]
        self._tracking = spec.tracking
        self._meter = meter
        self._capacity = capacity
        self._action_rank, self._tracking_rank = ranks
        self._evaluation = Recurring(clock)
        self._evaluate_due: Callbacks = [self._on_evaluation]
        self._out_after_ns = self._in_after_ns = 0  # cooldowns

    def start(self) -> None:
        """Schedule everything that is known beforehand."""
        moves: dict[int, tuple[int, int]] = {}
        for at_ns, least, most in self._moves:
            moves[at_ns] = (least, most)  # of those of one instant, the last has all that they set
        for at_ns, (least, most) in moves.items():
            due = Recurring(self._clock)
            due.callbacks = [partial(self._on_action, least, most)]
            self._clock.schedule_in(due, self._action_rank, at_ns)
        if self._tracking is not None:
            self._evaluation.callbacks = self._evaluate_due
            self._clock.schedule_in(self._evaluation, self._tracking_rank, POINT_NS + self._tracking.delay_ns)

    def _on_action(self, least: int, most: int, _: Recurring) -> None:
        """New bounds: what lies outside moves inside, whatever the cooldowns say (AWS: scheduled scaling)."""
        self._least, self._most = least, most
        requested = self._capacity.requested
        inside = max(least, min(requested, most))
        if inside != requested:
            self._capacity.request(self._clock.now_ns, inside, CapacityCause.SCHEDULED)

    def _on_evaluation(self, event: Recurring) -> None:
        """Look at the points of the minutes whose metric is there by now."""
        spec, meter = self._tracking, self._meter
        assert spec is not None, "only target tracking is evaluated"
        assert meter is not None, "and it has a meter"
        now_ns = self._clock.now_ns
        event.callbacks = self._evaluate_due
        self._clock.schedule_in(event, self._tracking_rank, POINT_NS)
        meter.advance(now_ns)
        known = meter.known_points()
        requested = self._capacity.requested
        if should_scale_out(known, spec) and now_ns >= self._out_after_ns:
            units = max(self._least, min(wanted(_last(known), spec), self._most))
            if units > requested:
                self._out_after_ns = now_ns + spec.out_cooldown_ns
                self._in_after_ns = max(self._in_after_ns, now_ns + spec.in_cooldown_ns)
                self._capacity.request(now_ns, units, CapacityCause.TARGET_TRACKING)
        elif should_scale_in(known, spec) and now_ns >= self._in_after_ns:
            units = scaled_in(requested, wanted(_last(known), spec), self._least, spec)
            if units < requested:
                self._in_after_ns = now_ns + spec.in_cooldown_ns
                self._capacity.request(now_ns, units, CapacityCause.TARGET_TRACKING)


def _last(points: Sequence[Point | None]) -> Point:
    point = points[-1]
    assert point is not None, "an alarm needs all of its points"
    return point
