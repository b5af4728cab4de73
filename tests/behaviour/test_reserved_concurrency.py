"""Reserved concurrency: a limit and a guarantee in one, and what it leaves to the others (MODEL.md section 4)."""

from __future__ import annotations

from tests.behaviour.timeline import accepted, environments, refusals, throttles
from tests.builders import run


def of(function: str, *times: float) -> list[tuple[float, None, None, str]]:
    """Rows of a trace for one function."""
    return [(time, None, None, function) for time in times]


def test_the_third_request_at_reserved_concurrency_2_is_throttled() -> None:
    """In flight of f >= R refuses; the slot comes back at the end."""
    log = run(functions={"f": {"reserved_concurrency": 2}}, rows=[0, 0, 0, 1])
    assert accepted(log) == [0, 1, 3]
    assert throttles(log) == [(2, 1, 0, "reserved_concurrency")]


def test_reserved_concurrency_0_refuses_everything() -> None:
    """Reserving nothing switches a function off, and the reason is its reserved concurrency."""
    log = run(functions={"f": {"reserved_concurrency": 0}}, region={"requests_per_concurrency": 10}, rows=[0, 5, 10])
    assert refusals(log) == [(time, "reserved_concurrency") for time in (0, 5, 10)]
    assert environments(log) == []


def test_a_function_with_reserved_concurrency_never_uses_the_shared_pool() -> None:
    """The pool is empty of work, yet f is refused at its own limit."""
    log = run(functions={"f": {"reserved_concurrency": 1}, "g": {}}, region={"concurrency_quota": 100}, rows=[0, 0])
    assert refusals(log) == [(0, "reserved_concurrency")]


def test_a_function_with_reserved_concurrency_takes_nothing_from_the_shared_pool() -> None:
    """Quota 3 with 2 reserved for f: however busy f is, g has its one unit."""
    log = run(
        functions={"f": {"reserved_concurrency": 2}, "g": {}},
        region={"concurrency_quota": 3},
        rows=[0, 0, *of("g", 0, 0)],
    )
    assert accepted(log) == [0, 1, 2]
    assert refusals(log) == [(0, "account_concurrency")]


def test_a_full_shared_pool_does_not_hinder_reserved_concurrency() -> None:
    """g has filled the pool and is refused; the unit that is reserved for f is still there."""
    log = run(
        functions={"f": {"reserved_concurrency": 1}, "g": {}},
        region={"concurrency_quota": 3},
        rows=[*of("g", 0, 0, 0), 0],
    )
    assert accepted(log) == [0, 1, 3]
    assert refusals(log) == [(0, "account_concurrency")]


def test_reserved_units_leave_the_pool_even_while_nobody_uses_them() -> None:
    """Pool = quota - sum(reserved) = 10 - 4 - 3: the fourth request of h is refused though f and g never run."""
    log = run(
        functions={"f": {"reserved_concurrency": 4}, "g": {"reserved_concurrency": 3}, "h": {}},
        region={"concurrency_quota": 10},
        rows=of("h", 0, 0, 0, 0),
    )
    assert accepted(log) == [0, 1, 2]
    assert refusals(log) == [(0, "account_concurrency")]


def test_a_pool_of_nothing_refuses_by_its_concurrency() -> None:
    """The whole quota is reserved for f, so g can never run."""
    log = run(
        functions={"f": {"reserved_concurrency": 5}, "g": {}},
        region={"concurrency_quota": 5, "requests_per_concurrency": 10},
        rows=of("g", 0, 1),
    )
    assert refusals(log) == [(0, "account_concurrency"), (1, "account_concurrency")]


def test_each_function_has_its_own_reserved_units() -> None:
    """f and g reserve one unit each; each is refused at its second request."""
    log = run(
        functions={"f": {"reserved_concurrency": 1}, "g": {"reserved_concurrency": 1}},
        rows=[0, *of("g", 0), 0, *of("g", 0)],
    )
    assert accepted(log) == [0, 1]
    assert refusals(log) == [(0, "reserved_concurrency"), (0, "reserved_concurrency")]


def test_a_request_that_waits_for_an_init_is_in_flight_on_its_reserved_unit() -> None:
    """Concurrency counts from admission: during the init of 5 s nobody else gets the unit, nor during the second."""
    log = run(functions={"f": {"reserved_concurrency": 1, "init": "5s"}}, rows=[0, 4, 5, 6])
    assert accepted(log) == [0, 3]
    assert refusals(log) == [(4, "reserved_concurrency"), (5, "reserved_concurrency")]


def test_an_idle_environment_does_not_count_as_concurrency() -> None:
    """One reserved unit, one idle environment: the next request is not refused."""
    log = run(functions={"f": {"reserved_concurrency": 1}}, rows=[0, 2, 5])
    assert accepted(log) == [0, 1, 2]
