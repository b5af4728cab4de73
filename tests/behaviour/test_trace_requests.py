"""Requests of a recorded trace: time, and where stated function, duration and init (MODEL.md section 6)."""

from __future__ import annotations

from tests.behaviour.timeline import COLD, OK, TIMEOUT, WARM, accepted, cold, environments, invocations, spans, used
from tests.builders import run, trace


def test_requests_come_when_the_trace_says() -> None:
    """To the nanosecond."""
    log = run(rows=[0, 0.000000001, 2.5])
    assert log.requests.arrival_ns.tolist() == [0, 1, 2_500_000_000]


def test_a_row_without_a_duration_takes_the_functions_own() -> None:
    """Stated 3 s, own 1 s."""
    log = run(rows=[(0, 3), (5, None)])
    assert spans(log) == [(0, 0, 3), (0, 5, 6)]


def test_a_row_without_an_init_takes_the_functions_own() -> None:
    """Stated 4 s, own 2 s."""
    log = run(functions={"f": {"init": "2s"}}, rows=[(0, 1, 4), (0, 1, None)], region={"concurrency_quota": 5})
    assert [row.ready for row in environments(log)] == [4, 2]


def test_the_init_belongs_to_the_environment_that_the_request_starts() -> None:
    """Request 1 starts environment 1 with its 5 s, but request 2's environment is ready first and takes request 1."""
    log = run(rows=[(0, 20, 0), (1, 1, 5), (2, 1, 1)])
    assert [row.ready for row in environments(log)] == [0, 6, 3]
    assert spans(log)[1] == (2, 3, 4)


def test_the_init_of_a_request_that_starts_no_environment_is_not_used() -> None:
    """The request at 5 finds an idle environment, whatever init it brings."""
    log = run(rows=[(0, 1, 2), (5, 1, 9)])
    assert spans(log) == [(0, 2, 3), (0, 5, 6)]
    assert len(environments(log)) == 1


def test_an_init_of_0_may_be_stated() -> None:
    """0 is a value, not an absent one: the function's own would be 2 s."""
    log = run(functions={"f": {"init": "2s"}}, rows=[(0, 1, 0)])
    assert invocations(log) == [(0, 1, 0, 0, 1, 0, OK, COLD)]


def test_a_stated_init_does_not_move_the_draws_of_other_environments() -> None:
    """Inits are drawn by birth index: environment 1 has the same one whether environment 0 drew its own or not."""
    functions = {"f": {"init": {"uniform": ["1s", "9s"]}}}
    stated = run(functions=functions, rows=[(0, 1, 3), (0, 1)])
    drawn = run(functions=functions, rows=[(0, 1), (0, 1)])
    assert stated.environments.init_ns[0] == 3_000_000_000 != drawn.environments.init_ns[0]
    assert stated.environments.init_ns[1] == drawn.environments.init_ns[1]


def test_a_stated_duration_does_not_move_the_draws_of_other_requests() -> None:
    """Durations are drawn by ordinal: request 1 takes the same time in both runs."""
    functions = {"f": {"duration": {"uniform": ["1s", "9s"]}}}
    stated = run(functions=functions, rows=[(0, 2), 20])
    drawn = run(functions=functions, rows=[0, 20])
    assert stated.invocations.end_ns[1] == drawn.invocations.end_ns[1]
    assert stated.invocations.end_ns[0] == 2_000_000_000 != drawn.invocations.end_ns[0]


def test_a_row_may_name_its_function() -> None:
    """The column overrides the function of the source; where it is empty the source's own holds."""
    log = run(
        functions={"f": {"duration": "1s"}, "g": {"duration": "2s"}},
        rows=[(0, None, None, "g"), (0, None, None, None), (5, None, None, "f")],
    )
    assert log.requests.function.tolist() == [1, 0, 0]
    assert spans(log) == [(0, 0, 2), (1, 0, 1), (1, 5, 6)]


def test_a_stated_duration_over_the_timeout_is_a_timeout() -> None:
    """Recorded with another timeout, perhaps: 9 s under 3 s."""
    log = run(functions={"f": {"timeout": "3s"}}, rows=[(0, 9)])
    assert invocations(log) == [(0, 1, 0, 0, 3, 0, TIMEOUT, COLD)]


def test_a_stated_init_over_the_limit_fails_like_any_other() -> None:
    """11 s: the phase ends at 10, then 11 + 1 s."""
    log = run(rows=[(0, 1, 11)])
    assert spans(log) == [(0, 10, 22)]


def test_rows_at_or_after_the_duration_are_not_offered() -> None:
    """Duration 5 s: rows at 5 and 7 do not exist."""
    log = run(rows=[0, 4, 5, 7], duration="5s")
    assert accepted(log) == [0, 1]
    assert len(log.requests) == 2


def test_a_trace_without_rows_is_a_run_without_requests() -> None:
    """A header alone is valid."""
    log = run(rows=[])
    assert (len(log.requests), len(log.invocations), len(log.throttles), len(log.environments)) == (0, 0, 0, 0)


def test_equal_times_keep_the_order_of_the_file() -> None:
    """Three at 1: each takes the next environment in order of birth."""
    log = run(rows=[(1, 3), (1, 1), (1, 2)])
    assert spans(log) == [(0, 1, 4), (1, 1, 2), (2, 1, 3)]


def test_two_traces_are_merged_by_time() -> None:
    """Rows of both sources in one order, those of equal times by source."""
    log = run(
        traffic={
            "a": {"function": "f", "trace": trace([1, 3])},
            "b": {"function": "f", "trace": trace([0, 1, 2])},
        }
    )
    assert log.requests.source.tolist() == [1, 0, 1, 1, 0]
    assert used(log) == [0, 0, 1, 1, 1]


def test_a_trace_and_even_arrivals_can_be_mixed() -> None:
    """Even arrivals at 1/s come at 0.5, 1.5, 2.5 of 3 s; the trace adds one at 1.5, after, for it stands second."""
    log = run(
        traffic={
            "even": {"function": "f", "rate": "1/s", "arrivals": "uniform"},
            "replay": {"function": "f", "trace": trace([1.5])},
        },
        duration="3s",
    )
    assert log.requests.arrival_ns.tolist() == [500_000_000, 1_500_000_000, 1_500_000_000, 2_500_000_000]
    assert log.requests.source.tolist() == [0, 0, 1, 0]
    assert cold(log) == [COLD, WARM, COLD, WARM]
