"""Faults of provisioned concurrency and of its autoscaling that the second simulator finds in the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis.strategies import just

from lambdasim.engine.reference import autoscaling, provisioned_capacity
from lambdasim.engine.reference.autoscaling import Autoscaler
from lambdasim.engine.reference.limits import Bucket
from lambdasim.engine.reference.provisioned_capacity import SERVED, ProvisionedCapacity, ProvisionedEnvironment
from lambdasim.engine.reference.provisioned_function import ProvisionedFunction
from lambdasim.engine.reference.simulation import _Simulation
from lambdasim.engine.reference.utilisation import UtilisationMeter
from lambdasim.platform import region
from lambdasim.platform.autoscaling import Point, TrackingSpec, scaled_in, should_scale_in, should_scale_out
from lambdasim.platform.provisioned import SpilloverReason
from lambdasim.platform.token_bucket import NO_TOKEN, debt_after_token
from tests.properties.plans import AutoscalingPlan, EventsPlan, FunctionPlan, Plan
from tests.properties.test_brute_force import (
    ONE_OF_TWO_BATCHES_SHRINKS,
    RESERVED_RATE_BEFORE_FREE_UNITS,
    UNITS_BESIDE_A_FULL_RESERVATION,
)
from tests.properties.test_mutations import Patch, assert_is_found
from tests.strategies import autoscaling_plans, capacity_plans, slow_init_plans


def with_events(plan: Plan) -> Plan:
    """Nobody waits for an answer, and request rates are low."""
    functions = tuple(replace(one, events=EventsPlan(max_age=1_000)) for one in plan.functions)
    sources = tuple(replace(one, is_async=True, retry=None) for one in plan.sources)
    return replace(plan, functions=functions, sources=sources, requests_per_concurrency=1)


def on_the_minute(plan: Plan) -> Plan:
    """Scheduled actions come when target tracking looks at a minute."""

    def late(function: FunctionPlan) -> FunctionPlan:
        scaled = function.autoscaling
        assert isinstance(scaled, AutoscalingPlan)
        actions = tuple(replace(action, at=6 * (action.at // 6 + 1)) for action in scaled.actions)
        return replace(function, autoscaling=replace(scaled, actions=actions, delay=0))

    return replace(plan, functions=tuple(late(function) for function in plan.functions))


CAPACITY = capacity_plans()
RATED = CAPACITY.map(lambda plan: replace(plan, requests_per_concurrency=1))
RAMPED = CAPACITY.map(lambda plan: replace(plan, requests_per_concurrency=None, ramp=(2, 1)))
SLOW_INITS = slow_init_plans()
EVENTS = CAPACITY.map(with_events)
SCALED = autoscaling_plans()
ON_THE_MINUTE = SCALED.map(on_the_minute)


def with_units(patch: Patch, name: str, units: Callable[[ProvisionedCapacity], int]) -> None:
    """A method of the capacity sees another number of allocated units."""
    method = getattr(ProvisionedCapacity, name)

    def misled(self: ProvisionedCapacity, *rest: Any, **named: Any) -> Any:
        allocated, self.allocated = self.allocated, units(self)
        try:
            return method(self, *rest, **named)
        finally:
            self.allocated = allocated

    patch.setattr(ProvisionedCapacity, name, misled)


def when_served(patch: Patch, act: Callable[[ProvisionedFunction, int], None]) -> None:
    """Something happens whenever an attempt has got a provisioned environment."""
    serve = ProvisionedFunction._serve_provisioned

    def acting(self: ProvisionedFunction, now_ns: int, *attempt: Any, is_limited_by_rate: bool) -> int:
        spilled = serve(self, now_ns, *attempt, is_limited_by_rate=is_limited_by_rate)
        if spilled == SERVED:
            act(self, now_ns)
        return spilled

    patch.setattr(ProvisionedFunction, "_serve_provisioned", acting)


# Admission.


def one_unit_stays_free(patch: Patch) -> None:
    """As if one less were allocated."""
    with_units(patch, "spillover", lambda capacity: max(0, capacity.allocated - 1))


def nobody_says_not_ready(patch: Patch) -> None:
    """Where nothing is allocated all is busy."""
    patch.setattr(provisioned_capacity, "_NOT_READY", int(SpilloverReason.CONCURRENCY))


def a_refused_attempt_has_spilled_over(patch: Patch) -> None:
    """Though it is no invocation."""

    def eager(self: ProvisionedFunction, now_ns: int, attempt: int, request: Any, reason: int, admitted: int) -> int:
        if self.capacity.requested:
            self.capacity.spilled(now_ns, attempt, request, reason)
        return admitted

    patch.setattr(ProvisionedFunction, "_spilled", eager)


def whatever_is_on_demand_has_spilled_over(patch: Patch) -> None:
    """Also where nothing is provisioned any more."""
    spilled = ProvisionedFunction._spilled

    def always(self: ProvisionedFunction, *attempt: Any) -> int:
        requested, self.capacity.requested = self.capacity.requested, 1
        try:
            return spilled(self, *attempt)
        finally:
            self.capacity.requested = requested

    patch.setattr(ProvisionedFunction, "_spilled", always)


def provisioned_invocations_take_a_token_of_their_pool(patch: Patch) -> None:
    """That of the account or of the reservation."""

    def take(self: ProvisionedFunction, now_ns: int) -> None:
        rate = self.pool.rate
        debt = debt_after_token(rate.debt, now_ns - rate.last_ns, rate.limits)
        if debt != NO_TOKEN:
            rate.debt, rate.last_ns = debt, now_ns

    when_served(patch, take)


def provisioned_invocations_count_in_the_ramp(patch: Patch) -> None:
    """And make it rise."""

    def count(self: ProvisionedFunction, now_ns: int) -> None:
        if self._ramp is not None:
            if now_ns >= self._ramp.second_end_ns:
                self._ramp.advance(now_ns)
            self._ramp.accepted += 1

    when_served(patch, count)


def provisioned_invocations_count_in_the_pool(patch: Patch) -> None:
    """Beside the units that they have of it."""
    admit = ProvisionedFunction.admit

    def strict(self: ProvisionedFunction, *attempt: Any) -> int:
        pool, busy = self.pool, self.capacity.pool.in_flight
        pool.limit -= busy
        try:
            return admit(self, *attempt)
        finally:
            pool.limit += busy

    patch.setattr(ProvisionedFunction, "admit", strict)


def a_reservation_does_not_count_provisioned_invocations(patch: Patch) -> None:
    """Only those on demand."""
    refuses = ProvisionedFunction._reservation_refuses

    def lenient(self: ProvisionedFunction, now_ns: int, *, is_limited_by_rate: bool) -> int:
        counter = self.capacity.pool
        busy, counter.in_flight = counter.in_flight, 0
        try:
            return refuses(self, now_ns, is_limited_by_rate=is_limited_by_rate)
        finally:
            counter.in_flight = busy

    patch.setattr(ProvisionedFunction, "_reservation_refuses", lenient)


def a_used_up_reserved_rate_leaves_provisioned_units(patch: Patch) -> None:
    """As if it were asked for only on demand."""
    refuses = ProvisionedFunction._reservation_refuses
    patch.setattr(
        ProvisionedFunction,
        "_reservation_refuses",
        lambda self, now_ns, *, is_limited_by_rate: refuses(self, now_ns, is_limited_by_rate=False),
    )


def a_reservation_is_all_on_demand(patch: Patch) -> None:
    """R units beside the provisioned ones, not R - P."""
    claim = _Simulation._claim

    def generous(self: _Simulation) -> None:
        claim(self)
        for pool in self._own_pools.values():
            pool.limit = pool.size

    patch.setattr(_Simulation, "_claim", generous)


def only_what_is_ready_leaves_the_pool(patch: Patch) -> None:
    """Not what was asked for."""

    def late(self: _Simulation) -> None:
        for pool in self._pools:
            pool.limit = pool.size
        for function in self._provisioned.values():
            function.pool.limit -= function.capacity.allocated

    patch.setattr(_Simulation, "_claim", late)


def units_come_back_when_they_are_given_up(patch: Patch) -> None:
    """To the pool, though they are busy."""
    patch.setattr(ProvisionedCapacity, "claimed", property(lambda self: self.requested))


def a_rate_limits_events(patch: Patch) -> None:
    """On provisioned concurrency."""
    spillover = ProvisionedCapacity.spillover
    patch.setattr(
        ProvisionedCapacity,
        "spillover",
        lambda self, now_ns, *, is_limited_by_rate: spillover(self, now_ns, is_limited_by_rate=True),
    )


def provisioned_environments_take_who_waits_for_an_init(patch: Patch) -> None:
    """As those on demand do."""
    end = ProvisionedFunction._on_provisioned_end

    def helpful(self: ProvisionedFunction, environment: ProvisionedEnvironment) -> None:
        end(self, environment)
        if self._waiting and self.capacity._idle:
            attempt, admitted_ns, pool, request, call = self._waiting.popleft()
            helper = self.capacity.take()
            self.capacity.pool.in_flight += 1
            self._dispatch(helper, environment.ends_ns, attempt, admitted_ns, self.capacity.pool, request, call)
            pool.in_flight -= 1
            helper.callbacks = self._provisioned_ended

    patch.setattr(ProvisionedFunction, "_on_provisioned_end", helpful)


def the_one_that_fell_idle_last_is_used(patch: Patch) -> None:
    """Always."""
    make = ProvisionedCapacity.__init__
    patch.setattr(
        ProvisionedCapacity,
        "__init__",
        lambda self, clock, *, reuses_latest, **named: make(self, clock, reuses_latest=True, **named),
    )


# Environments.


def a_reset_is_forgotten(patch: Patch) -> None:
    """The next invocation pays for no init."""
    released = ProvisionedCapacity.released

    def forgetful(self: ProvisionedCapacity, environment: ProvisionedEnvironment, now_ns: int) -> None:
        environment.needs_init = False
        released(self, environment, now_ns)

    patch.setattr(ProvisionedCapacity, "released", forgetful)


def an_environment_is_recycled_at_its_maximum_age(patch: Patch) -> None:
    """Not only past it."""
    patch.setattr(
        provisioned_capacity, "is_past_max_age", lambda created_ns, now_ns, age_ns: now_ns - created_ns >= age_ns
    )


def a_recycled_environment_is_as_good_as_new(patch: Patch) -> None:
    """Born when it takes its place, not an init before."""

    def newborn(self: ProvisionedCapacity, now_ns: int) -> ProvisionedEnvironment:
        _, init_ns, max_age_ns = self._drawn()
        return self._born(now_ns, 0, 0, init_ns, max_age_ns)

    patch.setattr(ProvisionedCapacity, "_replacement", newborn)


def busy_ones_survive_a_deployment(patch: Patch) -> None:
    """Only idle ones are recycled."""
    deploy = ProvisionedCapacity.deploy

    def lenient(self: ProvisionedCapacity, now_ns: int) -> None:
        generation, alive = self._generation, self._alive
        deploy(self, now_ns)
        self._generation, self._alive = generation, alive
        for environment in self._idle:
            environment.generation = generation

    patch.setattr(ProvisionedCapacity, "deploy", lenient)


def the_order_turns_with_a_deployment(patch: Patch) -> None:
    """Of idle environments."""
    deploy = ProvisionedCapacity.deploy

    def turned(self: ProvisionedCapacity, now_ns: int) -> None:
        deploy(self, now_ns)
        self._idle.reverse()

    patch.setattr(ProvisionedCapacity, "deploy", turned)


# Allocation.


def a_batch_is_ready_with_its_first_environment(patch: Patch) -> None:
    """Not with its last, once all are created."""
    decisive = provisioned_capacity._decisive

    def hasty(planned: list[Any]) -> Any:
        last = decisive(planned)
        if not last.fails:
            all_exist_ns = 1 + max(one.created_ns for one in planned)
            last.over_ns = min(last.over_ns, max(all_exist_ns, min(one.over_ns for one in planned)))
        return last

    patch.setattr(provisioned_capacity, "_decisive", hasty)


def every_unit_is_a_batch(patch: Patch) -> None:
    """There is no all or nothing."""
    prepare = ProvisionedCapacity._prepare

    def single(self: ProvisionedCapacity, now_ns: int, count: int) -> None:
        batches, drawn = self._batches, self._batch_count
        for k in range(1, count + 1):
            self._batch_count, before = drawn, ready_after_ns
            with pytest.MonkeyPatch.context() as inner:
                inner.setattr(provisioned_capacity, "ready_after_ns", lambda _, *rest, k=k, rule=before: rule(k, *rest))
                prepare(self, now_ns, 1)
        assert len(batches) >= count

    ready_after_ns = provisioned_capacity.ready_after_ns
    patch.setattr(ProvisionedCapacity, "_prepare", single)


def the_first_unit_is_there_after_the_preparation(patch: Patch) -> None:
    """Units are counted from 0."""
    rule = provisioned_capacity.ready_after_ns
    patch.setattr(provisioned_capacity, "ready_after_ns", lambda number, *rest: rule(number - 1, *rest))


def an_init_begins_when_it_should_be_over(patch: Patch) -> None:
    """Not so that it is over when its environment is due."""
    make = provisioned_capacity._Planned.__init__

    def late(self: Any, due_ns: int, now_ns: int, init_ns: int, sandbox_ns: int, *rest: Any) -> None:
        make(self, due_ns + sandbox_ns + init_ns, now_ns, init_ns, sandbox_ns, *rest)

    patch.setattr(provisioned_capacity._Planned, "__init__", late)


def what_was_idle_last_goes_first(patch: Patch) -> None:
    """Where units are given up."""
    give_up = ProvisionedCapacity._give_up

    def turned(self: ProvisionedCapacity, now_ns: int, count: int) -> None:
        self._idle.reverse()
        give_up(self, now_ns, count)
        self._idle.reverse()

    patch.setattr(ProvisionedCapacity, "_give_up", turned)


def the_earliest_batch_is_given_up_first(patch: Patch) -> None:
    """Not the latest."""
    give_up = ProvisionedCapacity._give_up

    def turned(self: ProvisionedCapacity, now_ns: int, count: int) -> None:
        self._batches.reverse()
        give_up(self, now_ns, count)
        self._batches.reverse()

    patch.setattr(ProvisionedCapacity, "_give_up", turned)


def the_first_environments_of_a_batch_are_given_up(patch: Patch) -> None:
    """Not the last."""
    drop = ProvisionedCapacity._drop

    def turned(self: ProvisionedCapacity, now_ns: int, batch: Any, count: int) -> None:
        batch.planned.reverse()
        drop(self, now_ns, batch, count)
        batch.planned.reverse()

    patch.setattr(ProvisionedCapacity, "_drop", turned)


def busy_ones_stay_when_units_are_given_up(patch: Patch) -> None:
    """There are more environments than units from then on."""
    with_units(patch, "released", lambda capacity: max(capacity.allocated, capacity._alive))


def new_units_come_with_a_full_bucket(patch: Patch) -> None:
    """Also where there were some before."""
    allocate = ProvisionedCapacity._allocate

    def generous(self: ProvisionedCapacity, now_ns: int, units: int) -> None:
        allocate(self, now_ns, units)
        self.rate = Bucket(self._rate_limits(units))
        self.rate.last_ns = now_ns

    patch.setattr(ProvisionedCapacity, "_allocate", generous)


def a_failed_batch_is_still_asked_for(patch: Patch) -> None:
    """And paid for."""
    on_over = ProvisionedCapacity._on_over

    def stubborn(self: ProvisionedCapacity, batch: Any, event: Any) -> None:
        size = len(batch.planned)
        if any(one.fails for one in batch.planned) and batch in self._batches and event is batch.over:
            self.requested += size
        on_over(self, batch, event)

    patch.setattr(ProvisionedCapacity, "_on_over", stubborn)


def only_the_environment_whose_init_failed_is_lost(patch: Patch) -> None:
    """The rest of its batch serves."""
    on_over = ProvisionedCapacity._on_over

    def lenient(self: ProvisionedCapacity, batch: Any, event: Any) -> None:
        for one in batch.planned:
            one.fails = False
        on_over(self, batch, event)

    patch.setattr(ProvisionedCapacity, "_on_over", lenient)


def a_long_timeout_gives_no_longer_init(patch: Patch) -> None:
    """130 s for every function."""
    patch.setattr(region, "init_limit_ns", lambda timeout_ns: 130 * 10**9)


# Autoscaling.


def above_is_at_least(patch: Patch) -> None:
    """A point at the target is above it."""

    def lenient(points: Sequence[Point | None], spec: TrackingSpec) -> bool:
        return should_scale_out([one and replace(one, busy=1_000 * one.busy + 1) for one in points], thousandfold(spec))

    def thousandfold(spec: TrackingSpec) -> TrackingSpec:
        return replace(spec, target=1_000 * spec.target)

    patch.setattr(autoscaling, "should_scale_out", lenient)


def below_is_at_most(patch: Patch) -> None:
    """A point at the threshold is below it."""
    patch.setattr(
        autoscaling,
        "should_scale_in",
        lambda points, spec: should_scale_in(points, replace(spec, in_below=spec.in_below + 1)),
    )


def one_point_less_is_enough(patch: Patch) -> None:
    """Above the target."""

    def hasty(points: Sequence[Point | None], spec: TrackingSpec) -> bool:
        return should_scale_out(points, replace(spec, out_points=max(1, spec.out_points - 1)))

    patch.setattr(autoscaling, "should_scale_out", hasty)


def one_low_point_less_is_enough(patch: Patch) -> None:
    """Below the threshold."""

    def hasty(points: Sequence[Point | None], spec: TrackingSpec) -> bool:
        return should_scale_in(points, replace(spec, in_points=max(1, spec.in_points - 1)))

    patch.setattr(autoscaling, "should_scale_in", hasty)


def minutes_without_data_count_as_low(patch: Patch) -> None:
    """Where the last one has some."""

    def lenient(points: Sequence[Point | None], spec: TrackingSpec) -> bool:
        filled = [one or Point(busy=0, capacity=1, load=0, per=1) for one in points[:-1]]
        return should_scale_in([*filled, *points[-1:]], spec)

    patch.setattr(autoscaling, "should_scale_in", lenient)


def what_is_wanted_goes_by_what_was_asked_for(patch: Patch) -> None:
    """The utilisation of what was there, times what is asked for: an allocation under way is asked for twice."""
    on_evaluation, asked = Autoscaler._on_evaluation, [0]

    def noting(self: Autoscaler, event: Any) -> None:
        asked[0] = self._capacity.requested
        on_evaluation(self, event)

    def proportional(point: Point, spec: TrackingSpec) -> int:
        return -(-asked[0] * point.busy * 1_000 // (point.capacity * spec.target))

    patch.setattr(Autoscaler, "_on_evaluation", noting)
    patch.setattr(autoscaling, "wanted", proportional)


def a_step_down_has_no_limit(patch: Patch) -> None:
    """All that is not wanted goes at once."""
    patch.setattr(
        autoscaling,
        "scaled_in",
        lambda requested, want, low, spec: scaled_in(requested, want, low, replace(spec, in_step=1_000)),
    )


def there_are_no_cooldowns(patch: Patch) -> None:
    """Nothing is remembered."""
    on_evaluation = Autoscaler._on_evaluation

    def restless(self: Autoscaler, event: Any) -> None:
        self._out_after_ns = self._in_after_ns = 0
        on_evaluation(self, event)

    patch.setattr(Autoscaler, "_on_evaluation", restless)


def a_scale_out_delays_no_scale_in(patch: Patch) -> None:
    """Only one scale-in the next."""
    on_evaluation = Autoscaler._on_evaluation

    def hasty(self: Autoscaler, event: Any) -> None:
        out_after_ns, in_after_ns = self._out_after_ns, self._in_after_ns
        on_evaluation(self, event)
        if self._out_after_ns != out_after_ns:
            self._in_after_ns = in_after_ns

    patch.setattr(Autoscaler, "_on_evaluation", hasty)


def scheduled_actions_come_last(patch: Patch) -> None:
    """After target tracking, at one instant."""
    make = Autoscaler.__init__
    patch.setattr(
        Autoscaler, "__init__", lambda self, *rest, ranks, **named: make(self, *rest, ranks=ranks[::-1], **named)
    )


def the_metric_is_never_late(patch: Patch) -> None:
    """Every minute is known when it is over, whatever its delay in minutes."""
    patch.setattr(UtilisationMeter, "known_points", lambda self: list(self._points))


def an_admission_finds_itself_not_busy(patch: Patch) -> None:
    """The maximum is what others do."""

    def before(self: ProvisionedCapacity, now_ns: int) -> None:
        if self.meter is not None:
            self.meter.admitted(now_ns)
            self.meter.becomes(now_ns, self.pool.in_flight, self.allocated)

    patch.setattr(ProvisionedCapacity, "counted", before)


def what_spills_over_makes_no_point(patch: Patch) -> None:
    """Only what runs on provisioned concurrency does."""
    spilled = ProvisionedCapacity.spilled

    def silent(self: ProvisionedCapacity, *spillover: Any) -> None:
        meter, self.meter = self.meter, None
        spilled(self, *spillover)
        self.meter = meter

    patch.setattr(ProvisionedCapacity, "spilled", silent)


FAULTS = [
    (one_unit_stays_free, CAPACITY),
    (nobody_says_not_ready, CAPACITY),
    (a_refused_attempt_has_spilled_over, CAPACITY),
    (whatever_is_on_demand_has_spilled_over, CAPACITY),
    (provisioned_invocations_take_a_token_of_their_pool, RATED),
    (provisioned_invocations_count_in_the_ramp, RAMPED),
    (provisioned_invocations_count_in_the_pool, CAPACITY),
    (a_reservation_does_not_count_provisioned_invocations, just(UNITS_BESIDE_A_FULL_RESERVATION)),
    (a_used_up_reserved_rate_leaves_provisioned_units, just(RESERVED_RATE_BEFORE_FREE_UNITS)),
    (a_reservation_is_all_on_demand, CAPACITY),
    (only_what_is_ready_leaves_the_pool, CAPACITY),
    (units_come_back_when_they_are_given_up, CAPACITY),
    (a_rate_limits_events, EVENTS),
    (provisioned_environments_take_who_waits_for_an_init, CAPACITY),
    (the_one_that_fell_idle_last_is_used, CAPACITY),
    (a_reset_is_forgotten, CAPACITY),
    (an_environment_is_recycled_at_its_maximum_age, CAPACITY),
    (a_recycled_environment_is_as_good_as_new, CAPACITY),
    (busy_ones_survive_a_deployment, CAPACITY),
    (the_order_turns_with_a_deployment, CAPACITY),
    (a_batch_is_ready_with_its_first_environment, CAPACITY),
    (every_unit_is_a_batch, CAPACITY),
    (the_first_unit_is_there_after_the_preparation, CAPACITY),
    (an_init_begins_when_it_should_be_over, CAPACITY),
    (what_was_idle_last_goes_first, CAPACITY),
    (the_earliest_batch_is_given_up_first, just(ONE_OF_TWO_BATCHES_SHRINKS)),
    (the_first_environments_of_a_batch_are_given_up, CAPACITY),
    (busy_ones_stay_when_units_are_given_up, CAPACITY),
    (new_units_come_with_a_full_bucket, RATED),
    (a_failed_batch_is_still_asked_for, SLOW_INITS),
    (only_the_environment_whose_init_failed_is_lost, SLOW_INITS),
    (a_long_timeout_gives_no_longer_init, SLOW_INITS),
    (above_is_at_least, SCALED),
    (below_is_at_most, SCALED),
    (one_point_less_is_enough, SCALED),
    (one_low_point_less_is_enough, SCALED),
    (minutes_without_data_count_as_low, SCALED),
    (what_is_wanted_goes_by_what_was_asked_for, SCALED),
    (a_step_down_has_no_limit, SCALED),
    (there_are_no_cooldowns, SCALED),
    (a_scale_out_delays_no_scale_in, SCALED),
    (scheduled_actions_come_last, ON_THE_MINUTE),
    (the_metric_is_never_late, SCALED),
    (an_admission_finds_itself_not_busy, SCALED),
    (what_spills_over_makes_no_point, SCALED),
]


@pytest.mark.parametrize(("fault", "plans"), FAULTS, ids=[fault.__name__ for fault, _ in FAULTS])
def test_a_fault_of_provisioned_concurrency_is_found(
    fault: Callable[[Patch], None], plans: Any, monkeypatch: Patch
) -> None:
    """Each of them alone."""
    fault(monkeypatch)
    assert_is_found(plans)
