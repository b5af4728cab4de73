"""Functions beside each other: what they share and what they do not (MODEL.md sections 3 and 4)."""

from __future__ import annotations

from typing import Any

from tests.behaviour.timeline import COLD, OK, WARM, accepted, environments, invocations, refusals, spans, used
from tests.builders import run, trace

TWO: dict[str, Any] = {"f": {}, "g": {}}


def of(function: str, *rows: Any) -> list[tuple[Any, ...]]:
    """Rows of a trace for one function: a time, or (time, duration, init)."""
    full = [row if isinstance(row, tuple) else (row,) for row in rows]
    return [(*row, *[None] * (3 - len(row)), function) for row in full]


def test_an_environment_serves_its_own_function_only() -> None:
    """f leaves an idle environment at 1; g starts one of its own at 2."""
    log = run(functions=TWO, rows=[0, *of("g", 2)])
    assert invocations(log)[1] == (1, 1, 2, 2, 3, 1, OK, COLD)
    assert [row.function for row in environments(log)] == ["f", "g"]


def test_a_waiting_request_is_not_taken_by_an_environment_of_another_function() -> None:
    """f is free at 3, but the request for g waits for its own init until 6."""
    log = run(functions=TWO, rows=[(0, 3, 0), *of("g", (1, 1, 5))])
    assert spans(log) == [(0, 0, 3), (1, 6, 7)]


def test_functions_share_the_quota() -> None:
    """Quota 2: one of f, one of g, and the next is refused, whichever it is for."""
    log = run(functions=TWO, region={"concurrency_quota": 2}, rows=[(0, 5), *of("g", (0, 5), 1), 2])
    assert accepted(log) == [0, 1]
    assert refusals(log) == [(1, "account_concurrency"), (2, "account_concurrency")]


def test_a_unit_that_one_function_releases_is_usable_by_another_at_that_instant() -> None:
    """Quota 1: f ends at 1, g is accepted at 1; g ends at 2, f is accepted at 2."""
    log = run(functions=TWO, region={"concurrency_quota": 1}, rows=[0, *of("g", 1), 2])
    assert [row.admitted for row in invocations(log)] == [0, 1, 2]


def test_a_crowd_at_one_function_starves_the_others() -> None:
    """Quota 3: f takes all of it at 0, so g is refused, until reserved concurrency protects it."""
    rows = [(0, 9), (0, 9), (0, 9), *of("g", 1)]
    starved = run(functions=TWO, region={"concurrency_quota": 3}, rows=rows)
    protected = run(functions={"f": {}, "g": {"reserved_concurrency": 1}}, region={"concurrency_quota": 3}, rows=rows)
    assert accepted(starved) == [0, 1, 2]
    assert accepted(protected) == [0, 1, 3]


def test_a_function_that_shares_no_limit_does_not_influence_another() -> None:
    """What f does is the same with and without a busy g, as long as no quota is reached."""
    drawn = {
        "duration": {"uniform": ["1s", "3s"]},
        "init": {"uniform": ["1s", "2s"]},
        "max_age": {"uniform": ["2s", "9s"]},
    }
    rows = [0, 0, 1, 4, 5, 5, 9]

    def of_f(traffic: dict[str, Any], functions: dict[str, Any]) -> list[tuple[Any, ...]]:
        log = run(functions=functions, traffic=traffic)
        source = log.source_names.index("t")
        return [row[1:5] + row[6:] for row in invocations(log) if log.requests.source[row.request] == source]

    alone = of_f({"t": {"function": "f", "trace": trace(rows)}}, {"f": drawn})
    beside = of_f(
        {
            "other": {"function": "g", "trace": trace([0, 1, 2, 4, 5, 8])},
            "t": {"function": "f", "trace": trace(rows)},
        },
        {"g": drawn, "f": drawn},
    )
    assert alone == beside
    assert len(alone) == 7


def test_each_function_has_its_own_times() -> None:
    """f: init 1 s, work 2 s; g: init 3 s, work 4 s."""
    log = run(
        functions={"f": {"init": "1s", "duration": "2s"}, "g": {"init": "3s", "duration": "4s"}},
        rows=[0, *of("g", 0)],
    )
    assert spans(log) == [(0, 1, 3), (1, 3, 7)]


def test_each_function_has_its_own_rules() -> None:
    """f is eager with mru, g bound with lru; f times out after 1 s, g after 3 s."""
    log = run(
        functions={
            "f": {"timeout": "1s", "reuse": "mru"},
            "g": {"timeout": "3s", "assignment": "bound", "reuse": "lru"},
        },
        rows=[(0, 5), (0, 5), *of("g", (0, 5), (0, 5)), (4, 1), *of("g", (4, 1))],
    )
    assert [row.end for row in invocations(log)] == [1, 1, 3, 3, 5, 5]
    assert used(log)[4:] == [1, 2]


def test_a_function_without_traffic_changes_nothing() -> None:
    """h stands in the file and is never called."""
    rows = [0, *of("g", 0), 1]
    without = run(functions=TWO, rows=rows)
    beside = run(functions={"h": {}, **TWO}, rows=rows)
    assert invocations(without) == invocations(beside)


def test_two_sources_of_one_function_share_its_environments() -> None:
    """The second source finds the environment that the first left."""
    log = run(
        traffic={
            "a": {"function": "f", "trace": trace([0])},
            "b": {"function": "f", "trace": trace([1])},
        }
    )
    assert invocations(log) == [(0, 1, 0, 0, 1, 0, OK, COLD), (1, 1, 1, 1, 2, 0, OK, WARM)]
