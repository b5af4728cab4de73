"""The engine against a second simulator that was written from the model, not from the engine."""

from __future__ import annotations

from hypothesis import given, settings

from lambdasim.engine.reference import SimpyEngine
from lambdasim.eventlog.log import EventLog
from lambdasim.platform.region import build_platform
from lambdasim.workload.workload import build_workload
from tests.properties.brute_force import columns
from tests.properties.plans import TICK_MS, Plan, build
from tests.strategies import crowded_plans, plans


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
        "environments": rows(log.environments, "function", "created_ns", "init_ns", "reaped_ns"),
    }


def assert_engine_agrees(plan: Plan) -> None:
    """All tables of the log are equal, row by row."""
    made = build(plan)
    workload = build_workload(made, seed=1)
    actual = rows_of(SimpyEngine().run(workload, build_platform(made)))
    assert actual == columns(plan, workload, TICK_MS * 10**6)


@settings(max_examples=300)
@given(plans())
def test_the_engine_returns_the_rows_of_the_brute_force_simulator(plan: Plan) -> None:
    """All limits, both assignments, both reuse orders, idle timeouts, resets, retries and client timeouts at once."""
    assert_engine_agrees(plan)


@settings(max_examples=300)
@given(crowded_plans())
def test_the_engine_agrees_where_environments_overtake_each_other(plan: Plan) -> None:
    """One function, mostly eager, with many ties between ends of inits and of invocations."""
    assert_engine_agrees(plan)
