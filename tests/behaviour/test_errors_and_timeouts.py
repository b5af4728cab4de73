"""How invocations end when they do not end well (MODEL.md section 4)."""

from __future__ import annotations

from tests.behaviour.timeline import (
    COLD,
    CRASH,
    ERROR,
    OK,
    TIMEOUT,
    WARM,
    attempt_times,
    invocations,
    spans,
)
from tests.builders import run


def test_a_handled_error_takes_the_full_duration() -> None:
    """2 s of work, then the error; the environment stays warm."""
    log = run(functions={"f": {"duration": "2s", "errors": {"rate": "100%"}}}, rows=[0, 2])
    assert invocations(log) == [(0, 1, 0, 0, 2, 0, ERROR, COLD), (1, 1, 2, 2, 4, 0, ERROR, WARM)]


def test_a_crash_takes_the_full_duration() -> None:
    """2 s of work, then the crash."""
    log = run(functions={"f": {"duration": "2s", "errors": {"crash": "100%"}}}, rows=[0])
    assert invocations(log) == [(0, 1, 0, 0, 2, 0, CRASH, COLD)]


def test_a_poison_request_fails_with_a_handled_error() -> None:
    """It keeps the environment warm, as its init of 2 s shows: it is paid once."""
    log = run(functions={"f": {"init": "2s", "errors": {"poison": "100%"}}}, rows=[0, 10])
    assert invocations(log) == [(0, 1, 0, 2, 3, 0, ERROR, COLD), (1, 1, 10, 10, 11, 0, ERROR, WARM)]


def test_a_poison_request_fails_at_every_attempt() -> None:
    """Given up at 1 and 2 and tried again: three invocations, three errors."""
    log = run(
        functions={"f": {"duration": "5s", "errors": {"poison": "100%"}}},
        rows=[0],
        client={"timeout": "1s", "retry": {"delays": ["0s", "0s"]}},
    )
    assert [(row.attempt, row.result) for row in invocations(log)] == [(1, ERROR), (2, ERROR), (3, ERROR)]


def test_the_same_requests_are_poison_whatever_the_attempt() -> None:
    """Half of 40 requests are poison: each fails at both of its invocations or at neither."""
    log = run(
        functions={"f": {"duration": "5s", "errors": {"poison": "50%"}}},
        rows=list(range(40)),
        client={"timeout": "1s", "retry": {"delays": ["0s"]}},
    )
    results = [[row.result for row in invocations(log) if row.request == number] for number in range(40)]
    assert {tuple(pair) for pair in results} == {(OK, OK), (ERROR, ERROR)}


def test_a_poison_request_fails_whatever_else_may_happen() -> None:
    """With crashes at 50% beside poison at 100%, none of 40 requests ends well."""
    log = run(functions={"f": {"errors": {"poison": "100%", "crash": "50%"}}}, rows=list(range(40)))
    assert OK not in {row.result for row in invocations(log)}


def test_an_error_of_chance_is_drawn_for_each_invocation() -> None:
    """With errors at 50%, some of 40 requests fail at one of two invocations and not at the other."""
    log = run(
        functions={"f": {"duration": "5s", "errors": {"rate": "50%"}}},
        rows=list(range(40)),
        client={"timeout": "1s", "retry": {"delays": ["0s"]}},
    )
    results = [[row.result for row in invocations(log) if row.request == number] for number in range(40)]
    assert {tuple(pair) for pair in results} == {(OK, OK), (OK, ERROR), (ERROR, OK), (ERROR, ERROR)}


def test_rate_0_never_fails() -> None:
    """The default: everything ends well."""
    log = run(rows=list(range(50)))
    assert {row.result for row in invocations(log)} == {OK}


def test_work_over_the_timeout_is_stopped_at_the_timeout() -> None:
    """5 s of work, timeout 3 s: ends at 3 as a timeout."""
    log = run(functions={"f": {"timeout": "3s"}}, rows=[(0, 5)])
    assert invocations(log) == [(0, 1, 0, 0, 3, 0, TIMEOUT, COLD)]


def test_work_of_exactly_the_timeout_is_no_timeout() -> None:
    """3 s of work, timeout 3 s."""
    log = run(functions={"f": {"timeout": "3s"}}, rows=[(0, 3)])
    assert invocations(log) == [(0, 1, 0, 0, 3, 0, OK, COLD)]


def test_work_a_nanosecond_over_the_timeout_is_a_timeout() -> None:
    """It ends at 3 all the same."""
    log = run(functions={"f": {"timeout": "3s"}}, rows=[(0, 3.000000001)])
    assert invocations(log) == [(0, 1, 0, 0, 3, 0, TIMEOUT, COLD)]


def test_a_timeout_takes_precedence_over_an_error() -> None:
    """The handler would have failed at 5, but is stopped at 3, and its environment is reset: init of 2 s again."""
    log = run(functions={"f": {"init": "2s", "timeout": "3s", "errors": {"rate": "100%"}}}, rows=[(0, 5), (10, 1)])
    assert invocations(log) == [(0, 1, 0, 2, 5, 0, TIMEOUT, COLD), (1, 1, 10, 10, 13, 0, ERROR, WARM)]


def test_a_timeout_takes_precedence_over_a_crash() -> None:
    """The same for a crash."""
    log = run(functions={"f": {"timeout": "3s", "errors": {"crash": "100%"}}}, rows=[(0, 5)])
    assert invocations(log) == [(0, 1, 0, 0, 3, 0, TIMEOUT, COLD)]


def test_an_error_at_the_instant_of_the_timeout_is_an_error() -> None:
    """Equal is not over."""
    log = run(functions={"f": {"timeout": "3s", "errors": {"rate": "100%"}}}, rows=[(0, 3)])
    assert invocations(log) == [(0, 1, 0, 0, 3, 0, ERROR, COLD)]


def test_the_time_spent_waiting_for_an_environment_does_not_count_for_the_timeout() -> None:
    """Waits from 1 to 9 for a freed environment, works for 3 s under a timeout of 3 s."""
    log = run(functions={"f": {"timeout": "9s"}}, rows=[(0, 9, 0), (1, 9, 10)])
    assert [(row.end, row.result) for row in invocations(log)] == [(9, OK), (18, OK)]


def test_a_timeout_frees_its_slot_at_that_instant() -> None:
    """Quota 1: stopped at 3, so the request at 3 is accepted."""
    log = run(functions={"f": {"timeout": "3s"}}, region={"concurrency_quota": 1}, rows=[(0, 60), 2, 3])
    assert spans(log) == [(0, 0, 3), (0, 3, 4)]


def test_function_errors_are_not_tried_again() -> None:
    """A retry follows a throttle or a client timeout, never a function error, crash or function timeout."""
    patient = {"retry": {"delays": ["1s", "1s"]}}
    for function in (
        {"errors": {"rate": "100%"}},
        {"errors": {"poison": "100%"}},
        {"errors": {"crash": "100%"}},
        {"timeout": "1s", "duration": "2s"},
    ):
        log = run(functions={"f": function}, rows=[0], client=patient)
        assert attempt_times(log) == [0]


def test_function_errors_within_the_client_timeout_are_not_tried_again() -> None:
    """The error comes at 1, the client would have waited for 5 s: it has its answer."""
    log = run(
        functions={"f": {"errors": {"rate": "100%"}}},
        rows=[0],
        client={"timeout": "5s", "retry": {"delays": ["1s"]}},
    )
    assert attempt_times(log) == [0]
