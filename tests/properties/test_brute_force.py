"""The engine against a second simulator that was written from the model, not from the engine."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given, settings

from lambdasim.eventlog.log import EventLog
from tests.properties.brute_force import columns
from tests.properties.engine_runs import run_on_engine
from tests.properties.plans import (
    ChangePlan,
    EventsPlan,
    FunctionPlan,
    MappingPlan,
    Plan,
    PollingPlan,
    QueuePlan,
    Row,
    SourcePlan,
    UsersPlan,
)
from tests.strategies import (
    autoscaling_plans,
    busy_plans,
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
def test_the_engine_agrees_on_queues_of_records_and_through_changes(plan: Plan) -> None:
    """Standard and FIFO queues, destinations of events, redrives, and other limits and code on the way."""
    assert_engine_agrees(plan)


@settings(max_examples=150)
@given(provisioned(plans() | crowded_plans(), has_changes=False))
def test_the_engine_agrees_on_provisioned_concurrency(plan: Plan) -> None:
    """Who gets a provisioned environment and who spills over and why, beside reservations, resets and old age."""
    assert_engine_agrees(plan)


@settings(max_examples=300)
@given(provisioned(busy_plans() | plans()))
def test_the_engine_agrees_on_changes_of_provisioned_concurrency(plan: Plan) -> None:
    """More and less of it, new code, other quotas and reservations, while batches of it are under way."""
    assert_engine_agrees(plan)


@settings(max_examples=150)
@given(slow_init_plans())
def test_the_engine_agrees_on_inits_that_are_too_long(plan: Plan) -> None:
    """Batches that fail, beside others that do not."""
    assert_engine_agrees(plan)


@given(provisioned(modern_plans(has_changes=False)))
def test_the_engine_agrees_on_provisioned_concurrency_behind_all_of_it(plan: Plan) -> None:
    """Front ends, SDKs and virtual users."""
    assert_engine_agrees(plan)


@given(provisioned(event_plans()))
def test_the_engine_agrees_on_events_on_provisioned_concurrency(plan: Plan) -> None:
    """They take no token, and no request rate makes them spill over."""
    assert_engine_agrees(plan)


@given(provisioned(queue_plans(has_changes=False)))
def test_the_engine_agrees_on_queues_and_provisioned_concurrency(plan: Plan) -> None:
    """Batches of messages are synchronous."""
    assert_engine_agrees(plan)


@settings(max_examples=300)
@given(autoscaling_plans())
def test_the_engine_agrees_on_autoscaling(plan: Plan) -> None:
    """Target tracking by both statistics and scheduled actions, minute by minute."""
    assert_engine_agrees(plan)
