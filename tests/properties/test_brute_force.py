"""The engine against a second simulator that was written from the model, not from the engine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import example, given, settings

from lambdasim.eventlog.log import EventLog
from tests.properties.brute_force import columns
from tests.properties.engine_runs import run_on_engine
from tests.properties.plans import (
    AllocationPlan,
    AutoscalingPlan,
    ChangePlan,
    EventsPlan,
    FunctionPlan,
    MappingPlan,
    Plan,
    PollingPlan,
    QueuePlan,
    Row,
    ScheduledPlan,
    SourcePlan,
    UsersPlan,
)
from tests.strategies import (
    autoscaling_plans,
    busy_plans,
    capacity_plans,
    crowded_plans,
    crowded_queues,
    event_plans,
    modern_plans,
    plans,
    provisioned,
    queue_plans,
    returned_reservations,
    slow_init_plans,
)


def rows_of(log: EventLog) -> dict[str, list[tuple[object, ...]]]:
    """The rows of an event log, table by table."""

    def rows(table: object, *names: str) -> list[tuple[Any, ...]]:
        return list(zip(*(getattr(table, name).tolist() for name in names), strict=True))

    return {
        "end": [(log.end_ns,)],
        "requests": rows(log.requests, "arrival_ns", "source", "function", "is_pending"),
        "invocations": rows(
            log.invocations,
            *(
                "request",
                "function",
                "attempt",
                "admitted_ns",
                "handler_ns",
                "end_ns",
                "environment",
                "result",
                "is_cold",
            ),
        ),
        "throttles": rows(log.throttles, "request", "function", "attempt", "time_ns", "reason"),
        "abandonments": rows(log.abandonments, "request", "attempt", "time_ns"),
        "drops": rows(log.drops, "request", "attempt", "time_ns", "reason"),
        "messages": rows(
            log.messages,
            *("request", "queue", "sent_ns", "receives", "first_receive_ns", "outcome", "settled_ns", "is_executed"),
        ),
        "batches": rows(log.batches, "queue", "request", "first_attempt", "attempts", "is_accepted"),
        "deliveries": rows(log.deliveries, "message", "batch", "received_ns"),
        "source_invokes": [(invoke,) for invoke in log.source_invokes],
        "environments": rows(
            log.environments, "function", "created_ns", "sandbox_ns", "init_ns", "reaped_ns", "is_provisioned"
        ),
        "spillovers": rows(log.spillovers, "request", "function", "attempt", "time_ns", "reason"),
        "capacity": rows(log.capacity, "time_ns", "function", "requested", "allocated", "status", "cause"),
    }


# The one user of the first source would come at the very end: that must not end the run for the second one's.
LATE_USERS = Plan(
    functions=(FunctionPlan(duration=1, init=1),),
    sources=(
        SourcePlan(function=0, rows=(), users=UsersPlan(start=0, stages=((1, 1),), think=(1,))),
        SourcePlan(function=0, rows=(), users=UsersPlan(start=1, stages=(), think=(1,))),
    ),
    duration=1,
)


def two_queues(rows: tuple[Row, ...], *, shared: int, recovery: int, dispatch: int) -> Plan:
    """Events of two functions, the second of which are in the queue for a while first."""
    first = FunctionPlan(duration=1, events=EventsPlan(slow_down=(50, recovery)))
    second = FunctionPlan(duration=1, events=EventsPlan(slow_down=(50, recovery), dispatch=dispatch))
    sources = (SourcePlan(function=0, rows=rows, is_async=True),)
    return Plan(functions=(first, second), sources=sources, shared=shared, tick_ms=1_000)


# One unit is free at 1 s. Event 1, due then, is before 2 of the other queue, though its own reader looked for event 3.
OLDER_THAN_THE_READER_EXPECTED = two_queues(
    (Row(0), Row(0), Row(0, function=1), Row(0)), shared=1, recovery=90, dispatch=1
)

# Two units are free at 2 s: for event 2 and 3 of the other queue, not for 2 and 4, which the reader may take at once.
BETWEEN_TWO_OF_THE_OTHER_QUEUE = two_queues(
    (Row(0, duration=2), Row(0, duration=2), Row(0), Row(0, function=1), Row(0)), shared=2, recovery=60, dispatch=2
)


def queues(
    function: FunctionPlan, rows: tuple[Row, ...], *made: QueuePlan, duration: int, changes: tuple[ChangePlan, ...] = ()
) -> Plan:
    """One function and messages to the first of some queues."""
    return Plan(
        functions=(function,),
        sources=(SourcePlan(function=0, rows=rows, queue=0),),
        queues=made,
        shared=10,
        duration=duration,
        drain=200,
        changes=changes,
        tick_ms=1_000,
    )


ALWAYS_FAILS = FunctionPlan(duration=1, poison_percent=100)
POLLED = MappingPlan(function=0)

# The last message of a queue is dead-lettered after the duration: the run waits for the other queue.
DEAD_LETTERED_LAST = queues(
    ALWAYS_FAILS,
    (Row(0),),
    QueuePlan(visibility=30, most_receives=1, dead_letter=1, mapping=POLLED),
    QueuePlan(visibility=30, retention=90, mapping=POLLED),
    duration=25,
)

# All is done at 2 s; the redrive at 24 s brings a message back, for which the run waits.
REDRIVEN_WHEN_ALL_WAS_DONE = queues(
    ALWAYS_FAILS,
    (Row(0),),
    QueuePlan(visibility=2, most_receives=1, dead_letter=1, mapping=POLLED),
    QueuePlan(),
    duration=25,
    changes=(ChangePlan(at=24, redrive=(1, 1)),),
)

# One place, taken for 200 s, and 100 s until there is another one. The second message expires at 60 s; from then on
# nothing is left, and the level stays at 1.6 until the third one comes, which has its place 40 s later, at 150 s.
EXPIRED_WHILE_ALL_ARE_BUSY = queues(
    FunctionPlan(duration=200),
    (Row(0), Row(0), Row(110)),
    QueuePlan(
        visibility=300,
        retention=60,
        mapping=MappingPlan(function=0, batch_size=1, scaling=PollingPlan(start=1, rate=1, per=100, most=3)),
    ),
    duration=120,
)

# The first message of a group is too old when it is back at 60 s: the second one is received at that instant.
GROUP_FREED_BY_AN_EXPIRY = queues(
    ALWAYS_FAILS,
    (Row(0), Row(2)),
    QueuePlan(visibility=60, retention=60, groups=1, mapping=MappingPlan(function=0, batch_size=1)),
    duration=25,
)

# A message starts an environment in each of two queues of one function: its own init is that of the first.
OWN_INIT_IN_THE_FIRST_QUEUE = queues(
    FunctionPlan(duration=1, init=3, idle_timeout=1, poison_percent=100),
    (Row(0, init=0),),
    QueuePlan(visibility=5, most_receives=1, dead_letter=1, mapping=POLLED),
    QueuePlan(visibility=5, retention=60, mapping=POLLED),
    duration=14,
)


# After 15 minutes without a batch two places are left of four, until they grow again.
AFTER_QUIET_MINUTES = queues(
    FunctionPlan(duration=30),
    (Row(0), Row(1_000), Row(1_000), Row(1_000), Row(1_000)),
    QueuePlan(
        visibility=100,
        mapping=MappingPlan(function=0, batch_size=1, scaling=PollingPlan(start=4, rate=1, per=60, most=4)),
    ),
    duration=1_001,
)

# A crash where responses are partial: four places stay four.
CRASHES_BESIDE_PARTIAL_RESPONSES = queues(
    FunctionPlan(duration=1, crash_percent=100),
    (Row(0), Row(2), Row(2), Row(2), Row(2)),
    QueuePlan(
        visibility=10,
        retention=60,
        mapping=MappingPlan(
            function=0, batch_size=1, is_partial=True, scaling=PollingPlan(start=4, rate=1, per=60, most=4)
        ),
    ),
    duration=25,
)

# Of ten messages of 1 MB six fit into one invocation; the others come within the window of the next batch.
TEN_LARGE_MESSAGES = queues(
    FunctionPlan(duration=1),
    (Row(0),) * 10,
    QueuePlan(visibility=10, message_kb=1_024, mapping=MappingPlan(function=0, window=2)),
    duration=25,
)


# Errors end at 1 s, between two tries of the same batch: the second one is accepted, and its message is deleted.
ERRORS_END_BETWEEN_TWO_TRIES = Plan(
    functions=(FunctionPlan(duration=1, error_percent=100),),
    sources=(
        SourcePlan(function=0, rows=(Row(0),)),
        SourcePlan(function=0, rows=(Row(0),), queue=0),
    ),
    queues=(QueuePlan(visibility=10, mapping=MappingPlan(function=0, batch_size=1, is_partial=True, retry=(1, 1))),),
    shared=1,
    changes=(ChangePlan(at=1, error_percents=((0, 0),)),),
    duration=25,
    tick_ms=1_000,
)


def capacity(function: FunctionPlan, rows: tuple[Row, ...], *changes: ChangePlan) -> Plan:
    """One function with provisioned concurrency and room for all of it."""
    sources = (SourcePlan(function=0, rows=rows),)
    return Plan(functions=(function,), sources=sources, shared=9, changes=changes, duration=25, tick_ms=1_000)


# One unit a second after a second. Two units asked for at 0 are due at 2 and 3 s, one asked for at 1 s at 3 s as well:
# the earlier request is ready first.
TWO_BATCHES_AT_ONE_INSTANT = capacity(
    FunctionPlan(duration=1, provisioned=0, allocation=AllocationPlan(prepare=1, rate=1, per=1)),
    (Row(0),),
    ChangePlan(at=0, provisioned=((0, 2),)),
    ChangePlan(at=1, provisioned=((0, 3),)),
)

# Two units asked for at 0 are due at 6 and 7 s, two asked for at 2 s at 8 and 9 s. One is given up: the very last.
ONE_OF_TWO_BATCHES_SHRINKS = capacity(
    FunctionPlan(duration=1, provisioned=0, allocation=AllocationPlan(prepare=5, rate=1, per=1)),
    (Row(0),),
    ChangePlan(at=0, provisioned=((0, 2),)),
    ChangePlan(at=2, provisioned=((0, 4),)),
    ChangePlan(at=3, provisioned=((0, 3),)),
)

# Of two environments one is busy with old code, one idle with new code. One unit is left: the idle one is reaped at
# once, and the busy one has its successor when its invocation ends.
FEWER_UNITS_WHILE_OLD_CODE_IS_BUSY = capacity(
    FunctionPlan(duration=9, provisioned=2),
    (Row(0), Row(12)),
    ChangePlan(at=1, deploy=0),
    ChangePlan(at=2, provisioned=((0, 1),)),
)

# Two units are busy and not asked for any more: with a reservation of two nothing else is let in before they end.
UNITS_THAT_ARE_BUSY_STILL = capacity(
    FunctionPlan(duration=9, reserved=2, provisioned=2),
    (Row(0), Row(0), Row(2), Row(9)),
    ChangePlan(at=1, provisioned=((0, 0),)),
)

# One invocation is on a unit and one on demand, which is the whole reservation: the second unit, ready at 1 s, is not
# used before they end.
UNITS_BESIDE_A_FULL_RESERVATION = capacity(
    FunctionPlan(duration=9, reserved=2, provisioned=1),
    (Row(0), Row(0), Row(2), Row(9)),
    ChangePlan(at=1, provisioned=((0, 2),)),
)

# Of the 2 requests a second of a reservation of two, those on demand take both at 0 and 250 ms. At 500 ms half a token
# is back: the provisioned environment is free, and everything is refused.
RESERVED_RATE_BEFORE_FREE_UNITS = Plan(
    functions=(FunctionPlan(duration=1, reserved=2, provisioned=1),),
    sources=(SourcePlan(function=0, rows=(Row(0), Row(0), Row(1), Row(1), Row(2), Row(2))),),
    requests_per_concurrency=1,
    duration=25,
)


# The first of two batches fails at 140 s. That the units which are left are asked for again changes nothing.
ASKED_FOR_AGAIN_AFTER_A_FAILURE = replace(
    capacity(
        FunctionPlan(init=14, timeout=4, provisioned=0, allocation=AllocationPlan(prepare=0, rate=1, per=1)),
        (),
        ChangePlan(at=1, provisioned=((0, 1),)),
        ChangePlan(at=2, provisioned=((0, 2),)),
        ChangePlan(at=14, provisioned=((0, 1),)),
    ),
    tick_ms=10_000,
)


def not_ready_in_the_minute(*, is_maximum: bool) -> Plan:
    """A request spills over at 20 s, two units are ready at 50 s: nothing was allocated at its admission, so no point.

    The scheduled minimum is 2 from 10 to 20 s only, but without points nothing is taken away.
    """
    scaled = AutoscalingPlan(
        least=0,
        most=4,
        target=50,
        is_maximum=is_maximum,
        out_points=1,
        in_points=1,
        actions=(ScheduledPlan(1, least=2), ScheduledPlan(2, least=0)),
    )
    allocation = AllocationPlan(prepare=2, rate=1, per=1)
    plan = capacity(FunctionPlan(duration=1, allocation=allocation, autoscaling=scaled), (Row(2),))
    return replace(plan, tick_ms=10_000)


def assert_engine_agrees(plan: Plan) -> None:
    """All tables of the log are equal, row by row."""
    made = run_on_engine(plan)
    assert rows_of(made.log) == columns(plan, made.workload)


@settings(max_examples=150)
@given(plans())
def test_the_engine_returns_the_rows_of_the_brute_force_simulator(plan: Plan) -> None:
    """All limits, both assignments, both reuse orders, idle timeouts, resets, retries and client timeouts at once."""
    assert_engine_agrees(plan)


@settings(max_examples=150)
@given(crowded_plans())
def test_the_engine_agrees_where_environments_overtake_each_other(plan: Plan) -> None:
    """One function, mostly eager, with many ties between ends of inits and of invocations."""
    assert_engine_agrees(plan)


@given(modern_plans(has_sdks=False, has_changes=False, has_users=False))
def test_the_engine_agrees_behind_front_ends(plan: Plan) -> None:
    """Gateway timeouts, errors that are tried again, and the bucket that all API Gateways share."""
    assert_engine_agrees(plan)


@given(modern_plans(has_changes=False, has_users=False))
def test_the_engine_agrees_on_retry_quotas(plan: Plan) -> None:
    """Prices by kind of failure, refunds, several client objects, with and without front ends."""
    assert_engine_agrees(plan)


@settings(max_examples=150)
@given(modern_plans(has_front_ends=False, has_sdks=False, has_users=False) | returned_reservations())
def test_the_engine_agrees_on_changes(plan: Plan) -> None:
    """Quota and reservations up, down and given back, deployments, other durations and errors, traffic off and on."""
    assert_engine_agrees(plan)


@given(modern_plans(has_front_ends=False, has_sdks=False, has_changes=False))
@example(LATE_USERS)
def test_the_engine_agrees_on_virtual_users(plan: Plan) -> None:
    """Users in stages beside traces: who comes when, in which order, and with which draws."""
    assert_engine_agrees(plan)


@given(modern_plans())
def test_the_engine_agrees_on_all_of_it(plan: Plan) -> None:
    """Everything at once."""
    assert_engine_agrees(plan)


@settings(max_examples=150)
@given(event_plans())
def test_the_engine_agrees_on_events(plan: Plan) -> None:
    """Retries after throttles and errors, ages, stops, jitter, beside callers who wait, through changes."""
    assert_engine_agrees(plan)


@given(event_plans(has_slow_downs=True))
def test_the_engine_agrees_on_readers_that_slow_down(plan: Plan) -> None:
    """The same, and what is due waits for a reader that works on fewer events at once after a throttle."""
    assert_engine_agrees(plan)


@given(crowded_queues())
@example(OLDER_THAN_THE_READER_EXPECTED)
@example(BETWEEN_TWO_OF_THE_OTHER_QUEUE)
def test_the_engine_agrees_on_two_queues_that_want_the_same_units(plan: Plan) -> None:
    """At one instant the least event is next, whichever queue it is in."""
    assert_engine_agrees(plan)


@settings(max_examples=150)
@given(queue_plans(has_fifo=False, has_changes=False, has_events=False))
def test_the_engine_agrees_on_queues(plan: Plan) -> None:
    """Places, windows, throttles, errors, receipts, retention and dead-letter queues of standard queues."""
    assert_engine_agrees(plan)


@settings(max_examples=150)
@given(queue_plans(has_changes=False, has_events=False))
def test_the_engine_agrees_on_fifo_queues(plan: Plan) -> None:
    """The same, and message groups."""
    assert_engine_agrees(plan)


@settings(max_examples=200)
@given(queue_plans())
@example(DEAD_LETTERED_LAST)
@example(REDRIVEN_WHEN_ALL_WAS_DONE)
@example(EXPIRED_WHILE_ALL_ARE_BUSY)
@example(GROUP_FREED_BY_AN_EXPIRY)
@example(OWN_INIT_IN_THE_FIRST_QUEUE)
@example(AFTER_QUIET_MINUTES)
@example(CRASHES_BESIDE_PARTIAL_RESPONSES)
@example(TEN_LARGE_MESSAGES)
@example(ERRORS_END_BETWEEN_TWO_TRIES)
def test_the_engine_agrees_on_queues_of_records_and_through_changes(plan: Plan) -> None:
    """Standard and FIFO queues, destinations of events, redrives, and other limits and code on the way."""
    assert_engine_agrees(plan)


@settings(max_examples=250)
@given(capacity_plans())
@example(TWO_BATCHES_AT_ONE_INSTANT)
@example(ONE_OF_TWO_BATCHES_SHRINKS)
@example(FEWER_UNITS_WHILE_OLD_CODE_IS_BUSY)
@example(UNITS_THAT_ARE_BUSY_STILL)
@example(UNITS_BESIDE_A_FULL_RESERVATION)
@example(RESERVED_RATE_BEFORE_FREE_UNITS)
def test_the_engine_agrees_on_provisioned_concurrency(plan: Plan) -> None:
    """Who gets a provisioned environment, who spills over and why, while units come and go and code is replaced."""
    assert_engine_agrees(plan)


@given(provisioned(plans() | crowded_plans() | busy_plans()))
def test_the_engine_agrees_on_provisioned_concurrency_beside_all_limits(plan: Plan) -> None:
    """Reservations that change, scaling rates, long inits on demand, client timeouts and retries."""
    assert_engine_agrees(plan)


@given(slow_init_plans())
@example(ASKED_FOR_AGAIN_AFTER_A_FAILURE)
def test_the_engine_agrees_on_inits_that_are_too_long_for_provisioned_concurrency(plan: Plan) -> None:
    """Batches that fail, beside others that do not."""
    assert_engine_agrees(plan)


@settings(max_examples=50)
@given(provisioned(modern_plans(has_changes=False)))
def test_the_engine_agrees_on_provisioned_concurrency_behind_front_ends(plan: Plan) -> None:
    """Also with SDKs and virtual users."""
    assert_engine_agrees(plan)


@settings(max_examples=50)
@given(provisioned(event_plans()))
def test_the_engine_agrees_on_events_on_provisioned_concurrency(plan: Plan) -> None:
    """They take no token, and no request rate makes them spill over."""
    assert_engine_agrees(plan)


@settings(max_examples=50)
@given(provisioned(queue_plans(has_changes=False)))
def test_the_engine_agrees_on_messages_on_provisioned_concurrency(plan: Plan) -> None:
    """Pollers call synchronously."""
    assert_engine_agrees(plan)


@settings(max_examples=250)
@given(autoscaling_plans())
@example(not_ready_in_the_minute(is_maximum=False))
@example(not_ready_in_the_minute(is_maximum=True))
def test_the_engine_agrees_on_autoscaling(plan: Plan) -> None:
    """Target tracking by both statistics and scheduled actions, minute by minute."""
    assert_engine_agrees(plan)
