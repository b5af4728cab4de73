"""The comparison with the second simulator can fail: each fault that is put into the engine on purpose is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, find, settings
from hypothesis.strategies import just

from lambdasim.engine.ordering import EventKind, arrival_rank, priority, queued_rank
from lambdasim.engine.reference import async_queue, clients, queue_poller, simulation, sqs_queue, virtual_users
from lambdasim.engine.reference.async_queue import AsyncQueue, QueuedEvent, Reader
from lambdasim.engine.reference.clients import Call, Clients
from lambdasim.engine.reference.event_sources import EventSources
from lambdasim.engine.reference.function import ACCEPTED, FunctionState
from lambdasim.engine.reference.limits import Pool
from lambdasim.engine.reference.message_order import GroupOrder, StandardOrder
from lambdasim.engine.reference.messages import Messages
from lambdasim.engine.reference.queue_poller import Batch, Places, QueuePoller
from lambdasim.engine.reference.sdk_client import QuotaLeft
from lambdasim.engine.reference.simulation import _Simulation
from lambdasim.engine.reference.sqs_queue import Receipt, SqsQueue
from lambdasim.eventlog.log import Result
from lambdasim.platform import callers, event_sources, region
from lambdasim.platform.async_retry import throttle_delay_ns
from lambdasim.platform.callers import client_spec
from lambdasim.platform.event_sources import QueueSpec, queue_specs
from lambdasim.platform.polling import scaled_in
from lambdasim.platform.token_bucket import debt_after_token
from lambdasim.workload.virtual_users import UserActivity, ordinal
from tests.properties.brute_force import columns
from tests.properties.engine_runs import run_on_engine
from tests.properties.plans import Plan
from tests.properties.test_brute_force import (
    AFTER_QUIET_MINUTES,
    BETWEEN_TWO_OF_THE_OTHER_QUEUE,
    CRASHES_BESIDE_PARTIAL_RESPONSES,
    OLDER_THAN_THE_READER_EXPECTED,
    TEN_LARGE_MESSAGES,
    rows_of,
)
from tests.strategies import crowded_queues, event_plans, modern_plans, queue_plans, returned_reservations

FRONT_ENDS = modern_plans(has_sdks=False, has_changes=False, has_users=False)
SDKS = modern_plans(has_changes=False, has_users=False)
CHANGES = modern_plans(has_front_ends=False, has_sdks=False, has_users=False) | returned_reservations()
USERS = modern_plans(has_front_ends=False, has_sdks=False, has_changes=False)

EVENTS = event_plans()
EVENTS_BESIDE_REQUEST_RATES = EVENTS.map(lambda plan: replace(plan, ramp=(1, 1)))
READERS = crowded_queues()

STANDARD = queue_plans(has_fifo=False, has_changes=False, has_events=False)
QUEUES = queue_plans()

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
    patch.setattr(AsyncQueue, "_redrawn", lambda self, now_ns, event: event.request)


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
    patch.setattr(async_queue, "queued_rank", lambda index, step: priority(EventKind.ARRIVAL, 0) - 1_000 + index)


def the_queue_comes_after_arrivals(patch: Patch) -> None:
    """At one instant."""
    patch.setattr(async_queue, "queued_rank", lambda index, step: priority(EventKind.RUN_END, 0) - 1_000 + index)


def the_last_event_comes_first(patch: Patch) -> None:
    """At one instant."""
    patch.setattr(async_queue, "queued_rank", lambda index, step: queued_rank(1_000 - index, step))


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


def queues_are_made_with(patch: Patch, change: Callable[[QueueSpec], QueueSpec]) -> None:
    """Every queue of the engine is another one than the plan says."""
    patch.setattr(region, "queue_specs", lambda scenario: map(change, queue_specs(scenario)))


def mappings_are_made_with(patch: Patch, **changes: Any) -> None:
    """Every mapping of the engine is another one than the plan says."""

    def changed(spec: QueueSpec) -> QueueSpec:
        return spec if spec.mapping is None else replace(spec, mapping=replace(spec.mapping, **changes))

    queues_are_made_with(patch, changed)


def an_old_receipt_deletes(patch: Patch) -> None:
    """Though the message was received again since."""
    delete = SqsQueue.delete

    def lenient(self: SqsQueue, now_ns: int, receipt: Receipt, *rest: Any) -> None:
        receipt.numbers = [self._messages.receives[row] for row in receipt.rows]
        delete(self, now_ns, receipt, *rest)

    patch.setattr(SqsQueue, "delete", lenient)


def messages_are_hidden_a_second_longer(patch: Patch) -> None:
    """Than the visibility timeout."""
    queues_are_made_with(patch, lambda spec: replace(spec, visibility_ns=spec.visibility_ns + 10**9))


def a_message_is_received_once_more(patch: Patch) -> None:
    """Than the maximum receive count."""

    def lenient(spec: QueueSpec) -> QueueSpec:
        return spec if spec.most_receives is None else replace(spec, most_receives=spec.most_receives + 1)

    queues_are_made_with(patch, lenient)


def messages_that_come_back_are_next(patch: Patch) -> None:
    """In a standard queue they go to its end."""
    patch.setattr(StandardOrder, "show", lambda self, rows: self._visible.extendleft(rows[::-1]))


def a_mapping_never_backs_off(patch: Patch) -> None:
    """Whatever fails or is refused."""
    patch.setattr(Places, "errors_or_throttled", lambda self, now_ns: None)


def partial_responses_back_off_too(patch: Patch) -> None:
    """A crash or a timeout with them."""
    ended = QueuePoller.ended

    def strict(self: QueuePoller, batch: Batch, result: int) -> None:
        if result != Result.OK and self._spec.are_failures_partial:
            self._places.settle(self._clock.now_ns)
            self._places.errors_or_throttled(self._clock.now_ns)
        ended(self, batch, result)

    patch.setattr(QueuePoller, "ended", strict)


def places_grow_without_need(patch: Patch) -> None:
    """All the time."""
    grow = Places._grow

    def eager(self: Places, until_ns: int) -> None:
        is_short, self.is_short = self.is_short, True
        grow(self, until_ns)
        self.is_short = is_short

    patch.setattr(Places, "_grow", eager)


def places_never_grow(patch: Patch) -> None:
    """The start is all that there is."""
    patch.setattr(queue_poller, "grown", lambda level, elapsed_ns, limits: level)


def places_shrink_below_the_start(patch: Patch) -> None:
    """Without 15 quiet minutes."""
    patch.setattr(queue_poller, "scaled_in", lambda level, used, least, limits: scaled_in(level, used, 0, limits))


def places_stay_while_it_is_quiet(patch: Patch) -> None:
    """For however long."""
    patch.setattr(queue_poller, "IDLE_AFTER_NS", 10**18)


def groups_are_not_blocked(patch: Patch) -> None:
    """Messages of a group are received while others of it are hidden."""
    patch.setattr(GroupOrder, "hide", lambda self, rows: setattr(self, "_latest", None))
    patch.setattr(GroupOrder, "_unhide", lambda self, group: None)


def a_receive_goes_by_age_alone(patch: Patch) -> None:
    """Not on with the group that it has messages of."""
    pop = GroupOrder.pop

    def fair(self: GroupOrder) -> int | None:
        row = pop(self)
        self._latest = None
        return row

    patch.setattr(GroupOrder, "pop", fair)


def a_throttled_batch_is_not_tried_again(patch: Patch) -> None:
    """It waits for its messages to be visible."""
    patch.setattr(QueuePoller, "_on_retry", lambda self, retry: None)


def a_batch_without_time_for_a_try_gives_its_place_up(patch: Patch) -> None:
    """At once, not when its messages are visible."""
    invoke = QueuePoller._invoke

    def hasty(self: QueuePoller, now_ns: int, batch: Batch) -> None:
        invoke(self, now_ns, batch)
        if not batch.is_accepted and not batch.is_over and batch.receipts[0].expires_ns - now_ns <= 10**9:
            self.expired(batch)

    patch.setattr(QueuePoller, "_invoke", hasty)


def retention_counts_from_the_move(patch: Patch) -> None:
    """In the dead-letter queue of a standard queue too."""
    patch.setattr(Messages, "kept_from_ns", lambda self, row: self.sent_ns[row])


def there_is_no_window(patch: Patch) -> None:
    """Every batch goes at once."""
    mappings_are_made_with(patch, window_ns=0)


def a_window_is_a_second_longer(patch: Patch) -> None:
    """Than it should be."""

    def longer(spec: QueueSpec) -> QueueSpec:
        mapping = spec.mapping
        if mapping is None or not mapping.window_ns:
            return spec
        return replace(spec, mapping=replace(mapping, window_ns=mapping.window_ns + 10**9))

    queues_are_made_with(patch, longer)


def partial_responses_delete_everything(patch: Patch) -> None:
    """What they name as well."""
    fate = QueuePoller._fate

    def forgetful(self: QueuePoller, now_ns: int, batch: Batch) -> int:
        worst = fate(self, now_ns, batch)
        batch.failed = frozenset()
        return worst

    patch.setattr(QueuePoller, "_fate", forgetful)


def a_batch_works_as_long_as_its_first_message(patch: Patch) -> None:
    """Also where durations add up."""
    mappings_are_made_with(patch, adds_up=False)


def batches_have_no_size_in_bytes(patch: Patch) -> None:
    """Only a number of messages."""
    patch.setattr(event_sources, "_fitting", lambda batch_size, size: batch_size)


def a_message_takes_its_duration_along(patch: Patch) -> None:
    """To another function."""

    def kept(self: Messages, request: tuple[int, ...], function: int, hops: int) -> tuple[int, ...]:
        return (*request[:4], function, *request[5:8], -1)

    patch.setattr(Messages, "_for_function", kept)


def only_the_first_message_counts_attempts(patch: Patch) -> None:
    """The others of a batch do not."""
    patch.setattr(QueuePoller, "_count_attempts", lambda self, batch: None)


def a_record_counts_its_attempts_anew(patch: Patch) -> None:
    """Whatever the event had."""
    add_event = Messages.add_event

    def anew(self: Messages, *message: Any, attempts: int, **rest: Any) -> int:
        return add_event(self, *message, attempts=0, **rest)

    patch.setattr(Messages, "add_event", anew)


def a_redrive_moves_everything_at_once(patch: Patch) -> None:
    """At no rate."""
    redriven = region._redriven
    patch.setattr(region, "_redriven", lambda redrive, queues: (redriven(redrive, queues)[0], 0))


def a_message_goes_around_once_more(patch: Patch) -> None:
    """Before a loop is stopped."""
    patch.setattr(sqs_queue, "MOST_HOPS", 17)


def the_run_does_not_wait_for_messages(patch: Patch) -> None:
    """It ends with the last invocation."""
    patch.setattr(EventSources, "is_waiting", False)


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
    (an_old_receipt_deletes, QUEUES),
    (messages_are_hidden_a_second_longer, QUEUES),
    (a_message_is_received_once_more, QUEUES),
    (messages_that_come_back_are_next, STANDARD),
    (a_mapping_never_backs_off, QUEUES),
    (partial_responses_back_off_too, just(CRASHES_BESIDE_PARTIAL_RESPONSES)),
    (places_grow_without_need, QUEUES),
    (places_never_grow, QUEUES),
    (places_shrink_below_the_start, QUEUES),
    (places_stay_while_it_is_quiet, just(AFTER_QUIET_MINUTES)),
    (groups_are_not_blocked, QUEUES),
    (a_receive_goes_by_age_alone, QUEUES),
    (a_throttled_batch_is_not_tried_again, QUEUES),
    (a_batch_without_time_for_a_try_gives_its_place_up, QUEUES),
    (retention_counts_from_the_move, QUEUES),
    (there_is_no_window, STANDARD),
    (a_window_is_a_second_longer, STANDARD),
    (partial_responses_delete_everything, QUEUES),
    (a_batch_works_as_long_as_its_first_message, QUEUES),
    (batches_have_no_size_in_bytes, just(TEN_LARGE_MESSAGES)),
    (a_message_takes_its_duration_along, QUEUES),
    (only_the_first_message_counts_attempts, QUEUES),
    (a_record_counts_its_attempts_anew, QUEUES),
    (a_redrive_moves_everything_at_once, QUEUES),
    (a_message_goes_around_once_more, QUEUES),
    (the_run_does_not_wait_for_messages, QUEUES),
]


def disagrees(plan: Plan) -> bool:
    """Whether the logs of the engine and of the second simulator differ."""
    made = run_on_engine(plan)
    return rows_of(made.log) != columns(plan, made.workload)


def assert_is_found(plans: Any) -> None:
    """The engine is wrong, and some hundreds of examples show it; mostly twenty do."""
    within = settings(max_examples=400, phases=[Phase.generate], database=None)
    assert disagrees(find(plans, disagrees, settings=within, random=Random(2)))


@pytest.mark.parametrize(("fault", "plans"), FAULTS, ids=[fault.__name__ for fault, _ in FAULTS])
def test_a_fault_of_the_engine_is_found(fault: Callable[[Patch], None], plans: Any, monkeypatch: Patch) -> None:
    """Each of them alone."""
    fault(monkeypatch)
    assert_is_found(plans)
