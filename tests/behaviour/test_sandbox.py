"""The sandbox before an init: felt by the caller, counted as concurrency, no part of the init and not paid again."""

from __future__ import annotations

import pytest

from tests.behaviour.timeline import COLD, CRASH, OK, WARM, cold, environments, invocations, refusals, spans
from tests.builders import run


@pytest.mark.parametrize("assignment", ["eager", "bound"])
def test_an_environment_is_ready_after_sandbox_and_init(assignment: str) -> None:
    """Created at 0, sandbox 3 s, init 2 s: ready at 5, when the handler starts. A cold start with an init of 2 s."""
    log = run(functions={"f": {"sandbox": "3s", "init": "2s", "assignment": assignment}}, rows=[0])
    assert invocations(log) == [(0, 1, 0, 5, 6, 0, OK, COLD)]
    assert environments(log) == [("f", 0, 5, None)]
    assert log.environments.sandbox_ns.tolist() == [3 * 10**9]
    assert log.environments.init_ns.tolist() == [2 * 10**9]


def test_a_sandbox_alone_makes_a_cold_start() -> None:
    """No init at all: ready at 3."""
    log = run(functions={"f": {"sandbox": "3s"}}, rows=[0, 10])
    assert spans(log) == [(0, 3, 4), (0, 10, 11)]
    assert cold(log) == [COLD, WARM]


def test_it_comes_on_top_of_the_init_of_a_trace() -> None:
    """Sandbox 3 s, then the 4 s of the row."""
    assert spans(run(functions={"f": {"sandbox": "3s"}}, rows=[(0, 1, 4)])) == [(0, 7, 8)]


def test_it_counts_as_concurrency() -> None:
    """Quota 1: request 1 comes within the sandbox of request 0, and request 2 when that has ended, at 6."""
    log = run(functions={"f": {"sandbox": "3s", "init": "2s"}}, region={"concurrency_quota": 1}, rows=[0, 2, 6])
    assert refusals(log) == [(2, "account_concurrency")]
    assert spans(log) == [(0, 5, 6), (0, 6, 7)]


def test_a_freed_environment_takes_who_waits_for_a_sandbox() -> None:
    """Environment 0 is ready at 5 and free at 6; request 1 (at 4, its own would be ready at 9) starts there.

    Environment 1 falls idle at 9 and serves request 2 at 10: the last to have fallen idle.
    """
    log = run(functions={"f": {"sandbox": "3s", "init": "2s"}}, rows=[0, 4, 10])
    assert spans(log) == [(0, 5, 6), (0, 6, 7), (1, 10, 11)]
    assert cold(log) == [COLD, WARM, WARM]


def test_a_reset_environment_pays_its_init_again_and_no_sandbox() -> None:
    """Sandbox 3 s, init 2 s: crashed at 6; the next invocation takes 2 + 1 s."""
    log = run(functions={"f": {"sandbox": "3s", "init": "2s", "errors": {"crash": "100%"}}}, rows=[0, 10])
    assert invocations(log) == [(0, 1, 0, 5, 6, 0, CRASH, COLD), (1, 1, 10, 10, 13, 0, CRASH, WARM)]


def test_the_limit_of_the_init_begins_with_the_init() -> None:
    """Sandbox 3 s, init of exactly 10 s: no failed init, the handler takes its own second."""
    log = run(functions={"f": {"sandbox": "3s", "init": "10s"}}, rows=[0])
    assert spans(log) == [(0, 13, 14)]


def test_a_failed_init_after_a_sandbox() -> None:
    """Sandbox 3 s, init 12 s: it fails at 13, and the handler takes 12 + 1 s."""
    log = run(functions={"f": {"sandbox": "3s", "init": "12s"}}, rows=[0])
    assert spans(log) == [(0, 13, 26)]
    assert log.environments.init_ns.tolist() == [10 * 10**9]


def test_age_begins_with_the_sandbox() -> None:
    """Max age 4 s: at 6 the environment is 6 s old, and is retired."""
    log = run(functions={"f": {"sandbox": "3s", "init": "2s", "max_age": "4s"}}, rows=[0])
    assert environments(log) == [("f", 0, 5, 6)]


def test_each_environment_draws_its_own() -> None:
    """Three environments at once, and those of another seed."""
    function = {"sandbox": {"uniform": ["1s", "2s"]}, "assignment": "bound"}
    first, again, other = (run(seed, functions={"f": function}, rows=[0, 0, 0]) for seed in (1, 1, 2))
    sandboxes = first.environments.sandbox_ns.tolist()
    assert len(set(sandboxes)) == 3
    assert all(10**9 <= sandbox_ns <= 2 * 10**9 for sandbox_ns in sandboxes)
    assert sandboxes == again.environments.sandbox_ns.tolist()
    assert sandboxes != other.environments.sandbox_ns.tolist()
    assert first.invocations.handler_ns.tolist() == sandboxes
