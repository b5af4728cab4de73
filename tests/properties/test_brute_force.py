"""The engine against a second simulator that was written from the model, not from the engine."""

from __future__ import annotations

from hypothesis import example, given, settings

from lambdasim.eventlog.log import EventLog
from tests.properties.brute_force import columns
from tests.properties.engine_runs import run_on_engine
from tests.properties.plans import EventsPlan, FunctionPlan, Plan, Row, SourcePlan, UsersPlan
from tests.strategies import crowded_plans, crowded_queues, event_plans, modern_plans, plans, returned_reservations


def rows_of(log: EventLog) -> dict[str, list[tuple[object, ...]]]:
    """The rows of an event log, table by table."""

    def rows(table: object, *names: str) -> list[tuple[object, ...]]:
        return list(zip(*(getattr(table, name).tolist() for name in names), strict=True))

    return {
        "end": [(log.end_ns,)],
        "requests": rows(log.requests, "arrival_ns", "source", "function", "is_pending"),
        "invocations": rows(
            log.invocations,
            *("request", "attempt", "admitted_ns", "handler_ns", "end_ns", "environment", "result", "is_cold"),
        ),
        "throttles": rows(log.throttles, "request", "attempt", "time_ns", "reason"),
        "abandonments": rows(log.abandonments, "request", "attempt", "time_ns"),
        "drops": rows(log.drops, "request", "attempt", "time_ns", "reason"),
        "source_invokes": [(invoke,) for invoke in log.source_invokes],
        "environments": rows(log.environments, "function", "created_ns", "init_ns", "reaped_ns"),
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
