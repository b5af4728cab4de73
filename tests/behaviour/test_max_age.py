"""Max age: an environment that is older is retired when it falls idle (MODEL.md section 4)."""

from __future__ import annotations

import pytest

from tests.behaviour.timeline import COLD, OK, WARM, cold, environments, invocations, spans, used
from tests.builders import run


def test_an_older_environment_is_retired_when_it_falls_idle() -> None:
    """Max age 5 s: the invocation that ends at 6 is its last, and the request at 7 starts another."""
    log = run(functions={"f": {"max_age": "5s"}}, rows=[0, (4, 2), 7])
    assert used(log) == [0, 0, 1]
    assert environments(log)[0] == ("f", 0, 0, 6)


def test_an_environment_of_exactly_the_max_age_stays() -> None:
    """Created at 0, max age 5 s, falls idle at 5: it is not older, and serves the request at 7."""
    log = run(functions={"f": {"max_age": "5s"}}, rows=[0, (4, 1), 7])
    assert used(log) == [0, 0, 0]


def test_an_environment_a_nanosecond_older_goes() -> None:
    """It falls idle at 5 s and 1 ns."""
    log = run(functions={"f": {"max_age": "5s"}}, rows=[0, (4, 1.000000001), 7])
    assert used(log) == [0, 0, 1]


def test_age_is_no_reason_to_go_while_idle() -> None:
    """Idle from 1, the environment turns 5 s old at 5 and still serves the request at 7; then it goes, at 8."""
    log = run(functions={"f": {"max_age": "5s"}}, rows=[0, 7, 9])
    assert used(log) == [0, 0, 1]
    assert [row.reaped for row in environments(log)] == [8, None]


def test_age_does_not_stop_an_invocation() -> None:
    """An invocation of 100 s goes on to its end."""
    log = run(functions={"f": {"max_age": "5s"}}, rows=[(0, 100)])
    assert spans(log) == [(0, 0, 100)]


def test_age_counts_from_the_creation_the_init_included() -> None:
    """Init 3 s and work 3 s: 6 s old when it falls idle at 6."""
    log = run(functions={"f": {"max_age": "5s"}}, rows=[(0, 3, 3), 7])
    assert environments(log)[0].reaped == 6
    assert used(log) == [0, 1]


def test_an_older_environment_is_retired_even_when_a_request_waits() -> None:
    """At 6 environment 0 is past its max age: request 1, waiting since 5, waits on for environment 1."""
    log = run(functions={"f": {"max_age": "5s"}}, rows=[(0, 6, 0), (5, 1, 4)])
    assert invocations(log)[1] == (1, 1, 5, 9, 10, 1, OK, COLD)
    assert environments(log)[0].reaped == 6


def test_an_environment_of_exactly_the_max_age_takes_a_waiting_request() -> None:
    """At 6 environment 0 is exactly 6 s old: it goes on with request 1."""
    log = run(functions={"f": {"max_age": "6s"}}, rows=[(0, 6, 0), (5, 1, 4)])
    assert invocations(log)[1] == (1, 1, 5, 6, 7, 0, OK, WARM)


@pytest.mark.parametrize("assignment", ["eager", "bound"])
def test_an_environment_whose_init_takes_longer_than_its_max_age_serves_who_waits(assignment: str) -> None:
    """Init 5 s, max age 2 s: its first invocation is its only one."""
    log = run(functions={"f": {"max_age": "2s", "assignment": assignment}}, rows=[(0, 1, 5), 7])
    assert spans(log) == [(0, 5, 6), (1, 7, 8)]
    assert [row.reaped for row in environments(log)] == [6, None]


def test_an_environment_that_is_too_old_after_an_init_that_nobody_used_is_retired() -> None:
    """Max age 4 s. Environment 1 (init 5 s from 1) is 5 s old at 6 with nobody waiting, and never serves.

    Environment 0 fell idle at 4, not older than 4 s, and serves the request at 7 as its last.
    """
    log = run(functions={"f": {"max_age": "4s"}}, rows=[(0, 3, 0), (1, 1, 5), 7])
    assert environments(log) == [("f", 0, 0, 8), ("f", 1, 6, 6)]
    assert used(log) == [0, 0, 0]


def test_an_environment_of_exactly_the_max_age_stays_after_an_init_that_nobody_used() -> None:
    """The same with a max age of 5 s: environment 1 serves the request at 7."""
    log = run(functions={"f": {"max_age": "5s"}}, rows=[(0, 3, 0), (1, 1, 5), 7])
    assert used(log) == [0, 0, 1]


def test_an_older_environment_is_retired_under_bound_assignment_too() -> None:
    """The rule knows no assignment."""
    log = run(functions={"f": {"max_age": "5s", "assignment": "bound"}}, rows=[0, (4, 2), 7])
    assert used(log) == [0, 0, 1]
    assert cold(log) == [COLD, WARM, COLD]


def test_max_age_unlimited_retires_nobody() -> None:
    """One environment for the whole run."""
    log = run(functions={"f": {"max_age": "unlimited"}}, rows=[0, 300, 600, 900])
    assert used(log) == [0, 0, 0, 0]


def test_a_retired_environment_gives_its_concurrency_back() -> None:
    """Quota 1: the end at 6 frees the unit for the arrival at 6, which needs a new environment."""
    log = run(functions={"f": {"max_age": "5s"}}, region={"concurrency_quota": 1}, rows=[(0, 6), 6])
    assert spans(log) == [(0, 0, 6), (1, 6, 7)]
