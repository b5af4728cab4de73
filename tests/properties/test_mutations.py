"""The comparison with the second simulator can fail: each fault that is put into the engine on purpose is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, find, settings
from hypothesis.strategies import just

from lambdasim.engine.ordering import EventKind, arrival_rank, priority
from lambdasim.engine.reference import async_queue, clients, simulation, virtual_users
from lambdasim.engine.reference.async_queue import AsyncQueue, QueuedEvent, Reader
from lambdasim.engine.reference.clients import Call, Clients
from lambdasim.engine.reference.function import ACCEPTED, FunctionState
from lambdasim.engine.reference.limits import Pool
from lambdasim.engine.reference.sdk_client import QuotaLeft
from lambdasim.engine.reference.simulation import _Simulation
from lambdasim.eventlog.log import Result
from lambdasim.platform import callers, region
from lambdasim.platform.async_retry import throttle_delay_ns
from lambdasim.platform.callers import client_spec
from lambdasim.platform.token_bucket import debt_after_token
from lambdasim.workload.virtual_users import UserActivity, ordinal
from tests.properties.brute_force import columns
from tests.properties.engine_runs import run_on_engine
from tests.properties.plans import Plan
from tests.properties.test_brute_force import BETWEEN_TWO_OF_THE_OTHER_QUEUE, OLDER_THAN_THE_READER_EXPECTED, rows_of
from tests.strategies import crowded_queues, event_plans, modern_plans, returned_reservations

FRONT_ENDS = modern_plans(has_sdks=False, has_changes=False, has_users=False)
SDKS = modern_plans(has_changes=False, has_users=False)
CHANGES = modern_plans(has_front_ends=False, has_sdks=False, has_users=False) | returned_reservations()
USERS = modern_plans(has_front_ends=False, has_sdks=False, has_changes=False)

EVENTS = event_plans()
EVENTS_BESIDE_REQUEST_RATES = EVENTS.map(lambda plan: replace(plan, ramp=(1, 1)))
READERS = crowded_queues()

Patch = pytest.MonkeyPatch


def gateways_never_give_up_first(patch: Patch) -> None:
    """Only the caller's own timeout ends the wait."""
    patch.setattr(callers, "gives_up_first", lambda front_end, client: False)


def errors_behind_front_ends_are_final(patch: Patch) -> None:
    """As if every caller called Lambda's API."""
    patch.setattr(region, "client_spec", lambda source: replace(client_spec(source), is_error_seen=False))


def errors_of_direct_calls_are_tried_again(patch: Patch) -> None:
    """As if every caller stood behind a front end."""
    patch.setattr(region, "client_spec", lambda source: replace(client_spec(source), is_error_seen=True))


def the_gateways_bucket_never_refills(patch: Patch) -> None:
    """The burst is all that there is."""
    patch.setattr(clients, "debt_after_token", lambda debt, elapsed, limits: debt_after_token(debt, 0, limits))


def lambdas_refusals_take_no_gateway_token(patch: Patch) -> None:
    """The gateway gives its token back."""
    offer = Clients._offer

    def generous(self: Clients, *attempt: Any) -> int:
        bucket = self._api_gateway
        before = (bucket.debt, bucket.last_ns) if bucket else None
        reason = offer(self, *attempt)
        if bucket and reason != ACCEPTED:
            bucket.debt, bucket.last_ns = before
        return reason

    patch.setattr(Clients, "_offer", generous)


def each_source_has_a_gateway_of_its_own(patch: Patch) -> None:
    """A bucket for each source."""
    make = Clients.__init__

    def alone(self: Clients, *positional: Any, api_gateway: Any, **named: Any) -> None:
        make(self, *positional, api_gateway=type(api_gateway)(api_gateway.limits), **named)

    patch.setattr(Clients, "__init__", alone)


def every_success_gives_1_back(patch: Patch) -> None:
    """A success after a retry as well."""
    succeeded = QuotaLeft.succeeded
    patch.setattr(QuotaLeft, "succeeded", lambda self, paid: succeeded(self, 0))


def every_retry_costs_what_a_throttle_costs(patch: Patch) -> None:
    """Whatever the failure."""
    pay = QuotaLeft.pay
    patch.setattr(QuotaLeft, "pay", lambda self, failure: pay(self, 0))


def one_client_sends_everything(patch: Patch) -> None:
    """All but one quota stay full."""
    patch.setattr(Clients, "_call", lambda self, request, turn: Call(self._clock, self, request, 0))


def a_change_of_size_leaves_the_request_rate(patch: Patch) -> None:
    """Only the concurrency of a pool follows."""
    patch.setattr(Pool, "become", lambda self, spec, now_ns: setattr(self, "limit", spec.limit))


def a_second_reservation_forgets_the_first(patch: Patch) -> None:
    """What the first one admitted counts nowhere."""
    reserve = _Simulation._reserve

    def forgetful(self: _Simulation, index: int, *spec: Any) -> None:
        self._own_pools.pop(index, None)
        reserve(self, index, *spec)

    patch.setattr(_Simulation, "_reserve", forgetful)


def busy_environments_survive_a_deployment(patch: Patch) -> None:
    """Only idle ones go."""
    deploy = FunctionState.deploy

    def lenient(self: FunctionState, now_ns: int) -> None:
        deploy(self, now_ns)
        self._obsolete_before_ns = 0

    patch.setattr(FunctionState, "deploy", lenient)


def changes_come_after_arrivals(patch: Patch) -> None:
    """At one instant."""

    def late(kind: EventKind, index: int) -> int:
        return priority(EventKind.RUN_END, 0) - 10 + index if kind == EventKind.CHANGE else priority(kind, index)

    patch.setattr(simulation, "priority", late)


def users_share_their_draws(patch: Patch) -> None:
    """Keyed by the round alone."""
    patch.setattr(virtual_users, "ordinal", lambda user, round_: ordinal(0, round_))


def the_last_user_comes_first(patch: Patch) -> None:
    """At one instant."""
    patch.setattr(virtual_users, "arrival_rank", lambda source, user: arrival_rank(source, 1_000 - user))


def users_come_before_traces(patch: Patch) -> None:
    """At one instant, whatever the order in the file."""
    patch.setattr(virtual_users, "arrival_rank", lambda source, user: arrival_rank(0, user))


def users_stay_for_ever(patch: Patch) -> None:
    """Whoever has come sends on, whatever the stages say."""
    next_ns = UserActivity.next_ns

    def tireless(self: UserActivity, user: int, from_ns: int) -> int | None:
        return next_ns(self, user, 0) if from_ns == 0 else from_ns if from_ns < self.end_ns else None

    patch.setattr(UserActivity, "next_ns", tireless)


def throttles_use_up_error_retries(patch: Patch) -> None:
    """As if a refusal was a failure."""
    again = AsyncQueue._try_again

    def strict(self: AsyncQueue, now_ns: int, event: QueuedEvent, delay_ns: int) -> None:
        event.errors += event.throttles > 0
        again(self, now_ns, event, delay_ns)

    patch.setattr(AsyncQueue, "_try_again", strict)


def the_delay_after_an_error_counts_from_the_start(patch: Patch) -> None:
    """A minute from the admission of the invocation that failed, not from its end."""
    admit, again = FunctionState.admit_event, AsyncQueue._try_again

    def noted(self: FunctionState, now_ns: int, attempt: int, request: Any, call: Any) -> int:
        call.tried_ns = now_ns
        return admit(self, now_ns, attempt, request, call)

    def early(self: AsyncQueue, now_ns: int, event: Any, delay_ns: int) -> None:
        again(self, now_ns, event, max(0, delay_ns - (now_ns - event.tried_ns)))

    patch.setattr(FunctionState, "admit_event", noted)
    patch.setattr(AsyncQueue, "_try_again", early)


def a_retry_after_an_error_waits_a_minute(patch: Patch) -> None:
    """The second one as well."""
    patch.setattr(async_queue, "error_delay_ns", lambda error: 60 * 10**9)


def the_age_is_not_checked(patch: Patch) -> None:
    """Events are kept for ever."""
    patch.setattr(async_queue, "is_too_old", lambda arrival_ns, time_ns, maximum_ns: False)


def an_event_of_its_maximum_age_is_too_old(patch: Patch) -> None:
    """To the nanosecond."""
    patch.setattr(async_queue, "is_too_old", lambda arrival_ns, time_ns, age_ns: time_ns - arrival_ns >= age_ns)


def an_event_that_will_be_too_old_waits(patch: Patch) -> None:
    """It is given up when it is due, not before."""
    patch.setattr(AsyncQueue, "_try_again", lambda self, now_ns, event, delay_ns: self._try_after(event, delay_ns))


def request_rates_limit_events(patch: Patch) -> None:
    """As if a caller sent them."""
    patch.setattr(FunctionState, "admit_event", FunctionState.admit)


def a_stop_throttles_events(patch: Patch) -> None:
    """As if the reservation was merely in use."""
    patch.setattr(FunctionState, "is_stopped", False)


def a_row_of_throttles_goes_on_after_an_invocation(patch: Patch) -> None:
    """The delay never begins anew."""
    ended = AsyncQueue.ended

    def remembering(self: AsyncQueue, event: QueuedEvent, result: int) -> None:
        throttles = event.throttles
        ended(self, event, result)
        event.throttles = throttles

    patch.setattr(AsyncQueue, "ended", remembering)


def the_delay_after_a_throttle_grows_by_a_second(patch: Patch) -> None:
    """1, 2, 3 s ... instead of 1, 2, 4."""
    patch.setattr(async_queue, "throttle_delay_ns", lambda throttles: throttles * throttle_delay_ns(1))


def an_event_keeps_its_fate(patch: Patch) -> None:
    """Whatever failed once fails again."""
    patch.setattr(AsyncQueue, "_redrawn", lambda self, event: event.request)


def a_crash_is_no_error_of_an_event(patch: Patch) -> None:
    """Only handled errors and timeouts are tried again."""
    ended = AsyncQueue.ended
    patch.setattr(
        AsyncQueue, "ended", lambda self, event, result: ended(self, event, 0 if result == Result.CRASH else result)
    )


def a_timeout_is_no_error_of_an_event(patch: Patch) -> None:
    """Only handled errors and crashes are tried again."""
    ended = AsyncQueue.ended
    patch.setattr(
        AsyncQueue, "ended", lambda self, event, result: ended(self, event, 0 if result == Result.TIMEOUT else result)
    )


def the_queue_comes_after_retries(patch: Patch) -> None:
    """At one instant, but before arrivals."""
    patch.setattr(async_queue, "priority", lambda kind, index: priority(EventKind.ARRIVAL, 0) - 1_000 + index)


def the_queue_comes_after_arrivals(patch: Patch) -> None:
    """At one instant."""
    patch.setattr(async_queue, "priority", lambda kind, index: priority(EventKind.RUN_END, 0) - 1_000 + index)


def the_last_event_comes_first(patch: Patch) -> None:
    """At one instant."""
    patch.setattr(async_queue, "priority", lambda kind, index: priority(kind, 1_000 - index))


def the_run_does_not_wait_for_the_queue(patch: Patch) -> None:
    """It ends with the last invocation."""
    end_if_done = _Simulation._end_if_done

    def hasty(self: _Simulation) -> None:
        queues, self._queues = self._queues, []
        end_if_done(self)
        self._queues = queues

    patch.setattr(_Simulation, "_end_if_done", hasty)


def every_throttle_slows_the_reader_down(patch: Patch) -> None:
    """However many in one second."""
    patch.setattr(async_queue, "_BETWEEN_CUTS_NS", 0)


def a_reader_stays_slow(patch: Patch) -> None:
    """An empty queue does not end it."""
    patch.setattr(Reader, "emptied", lambda self: None)


def a_reader_never_slows_down(patch: Patch) -> None:
    """It tries whatever is due."""
    patch.setattr(Reader, "throttled", lambda self, now_ns, under_way: None)


def a_reader_takes_the_youngest_first(patch: Patch) -> None:
    """Last in, first out."""
    patch.setattr(async_queue, "heappop", lambda ready: ready.pop(ready.index(max(ready))))


def a_reader_takes_all_it_may_at_once(patch: Patch) -> None:
    """Not one by one, in turn with the events of other functions."""
    look = AsyncQueue._look

    def greedy(self: AsyncQueue, key: tuple[int, int]) -> None:
        if key == self._next_look:
            look(self, key)
            while self._ready and self._next_look and self._next_look[0] == key[0]:
                look(self, self._next_look)

    patch.setattr(AsyncQueue, "_look", greedy)


def a_reader_that_looks_at_an_instant_looks_no_earlier_in_it(patch: Patch) -> None:
    """Though an older event has become due since."""
    look_at = AsyncQueue._look_at

    def once(self: AsyncQueue, now_ns: int, due_ns: int) -> None:
        if self._next_look is None or self._next_look[0] > due_ns:
            look_at(self, now_ns, due_ns)

    patch.setattr(AsyncQueue, "_look_at", once)


FAULTS = [
    (gateways_never_give_up_first, FRONT_ENDS),
    (errors_behind_front_ends_are_final, FRONT_ENDS),
    (errors_of_direct_calls_are_tried_again, FRONT_ENDS),
    (the_gateways_bucket_never_refills, FRONT_ENDS),
    (lambdas_refusals_take_no_gateway_token, FRONT_ENDS),
    (each_source_has_a_gateway_of_its_own, FRONT_ENDS),
    (every_success_gives_1_back, SDKS),
    (every_retry_costs_what_a_throttle_costs, SDKS),
    (one_client_sends_everything, SDKS),
    (a_change_of_size_leaves_the_request_rate, CHANGES),
    (a_second_reservation_forgets_the_first, CHANGES),
    (busy_environments_survive_a_deployment, CHANGES),
    (changes_come_after_arrivals, CHANGES),
    (users_share_their_draws, USERS),
    (the_last_user_comes_first, USERS),
    (users_come_before_traces, USERS),
    (users_stay_for_ever, USERS),
    (throttles_use_up_error_retries, EVENTS),
    (the_delay_after_an_error_counts_from_the_start, EVENTS),
    (a_retry_after_an_error_waits_a_minute, EVENTS),
    (the_age_is_not_checked, EVENTS),
    (an_event_of_its_maximum_age_is_too_old, EVENTS),
    (an_event_that_will_be_too_old_waits, EVENTS),
    (request_rates_limit_events, EVENTS_BESIDE_REQUEST_RATES),
    (a_stop_throttles_events, EVENTS),
    (a_row_of_throttles_goes_on_after_an_invocation, EVENTS),
    (the_delay_after_a_throttle_grows_by_a_second, EVENTS),
    (an_event_keeps_its_fate, EVENTS),
    (a_crash_is_no_error_of_an_event, EVENTS),
    (a_timeout_is_no_error_of_an_event, EVENTS),
    (the_queue_comes_after_retries, EVENTS),
    (the_queue_comes_after_arrivals, EVENTS),
    (the_last_event_comes_first, EVENTS),
    (the_run_does_not_wait_for_the_queue, EVENTS),
    (every_throttle_slows_the_reader_down, READERS),
    (a_reader_stays_slow, READERS),
    (a_reader_never_slows_down, READERS),
    (a_reader_takes_the_youngest_first, READERS),
    (a_reader_takes_all_it_may_at_once, just(BETWEEN_TWO_OF_THE_OTHER_QUEUE)),
    (a_reader_that_looks_at_an_instant_looks_no_earlier_in_it, just(OLDER_THAN_THE_READER_EXPECTED)),
]


def disagrees(plan: Plan) -> bool:
    """Whether the logs of the engine and of the second simulator differ."""
    made = run_on_engine(plan)
    return rows_of(made.log) != columns(plan, made.workload)


@pytest.mark.parametrize(("fault", "plans"), FAULTS, ids=[fault.__name__ for fault, _ in FAULTS])
def test_a_fault_of_the_engine_is_found(fault: Callable[[Patch], None], plans: Any, monkeypatch: Patch) -> None:
    """Within some hundreds of examples; most within twenty."""
    fault(monkeypatch)
    within = settings(max_examples=400, phases=[Phase.generate], database=None)
    assert disagrees(find(plans, disagrees, settings=within, random=Random(2)))
