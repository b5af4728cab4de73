"""What runs first when several things happen at one instant: the table of MODEL.md section 3."""

from __future__ import annotations

import pytest

from tests.behaviour.timeline import (
    COLD,
    OK,
    WARM,
    abandonments,
    accepted,
    attempt_times,
    cold,
    environments,
    invocations,
    refusals,
    spans,
    throttles,
    used,
)
from tests.builders import run, trace

ONE_AT_A_TIME = {"concurrency_quota": 1}

# Environment 0 serves [0, 1] and [1, 2], environment 1 serves [0, 2]: both end at 2, and the end of environment 1 has
# been known for longer.
BOTH_END_AT_2 = [(0, 1), (0, 2), (1, 1)]

# Environment 0 serves [0, 3] and then the request that started environment 1, until 5; at 5 the init of 1 ends unused.
END_AND_UNUSED_INIT_AT_5 = [(0, 3, 0), (1, 2, 4)]


def test_a_slot_released_at_t_is_usable_by_an_arrival_at_t() -> None:
    """The end of an invocation comes before a new arrival of the same instant."""
    log = run(region=ONE_AT_A_TIME, rows=[0, 1, 2])
    assert invocations(log) == [
        (0, 1, 0, 0, 1, 0, OK, COLD),
        (1, 1, 1, 1, 2, 0, OK, WARM),
        (2, 1, 2, 2, 3, 0, OK, WARM),
    ]


def test_a_slot_is_not_released_a_nanosecond_early() -> None:
    """An arrival 1 ns before the end of the only invocation is refused."""
    log = run(region=ONE_AT_A_TIME, rows=[0, 0.999999999])
    assert throttles(log) == [(1, 1, 0.999999999, "account_concurrency")]


def test_a_slot_released_at_t_is_usable_by_a_retry_at_t() -> None:
    """The end of an invocation comes before a retry that is due at the same instant."""
    log = run(region=ONE_AT_A_TIME, rows=[(0, 2), 1], client={"retry": {"delays": ["1s"]}})
    assert attempt_times(log, 1) == [1, 2]
    assert spans(log) == [(0, 0, 2), (0, 2, 3)]


def test_retries_come_before_new_arrivals() -> None:
    """At 2 one slot is free: the retry of request 1 takes it, request 2 arrives at the same instant and is refused."""
    log = run(region=ONE_AT_A_TIME, rows=[(0, 2), 1, 2], client={"retry": {"delays": ["1s"]}})
    assert spans(log) == [(0, 0, 2), (0, 2, 3), (0, 3, 4)]
    assert [(row.request, row.time) for row in throttles(log)] == [(1, 1), (2, 2)]


def test_retries_of_one_instant_go_by_request_index() -> None:
    """At 2 request 1 goes before request 2, although the retry of request 2 has been due for longer."""
    log = run(
        region=ONE_AT_A_TIME,
        traffic={
            "twice": {"function": "f", "trace": trace([(0, 2), 0]), "client": {"retry": {"delays": ["1s", "1s"]}}},
            "once": {"function": "f", "trace": trace([0]), "client": {"retry": {"delays": ["2s"]}}},
        },
    )
    assert [row[:3] for row in invocations(log)] == [(0, 1, 0), (1, 3, 2)]
    assert [(row.request, row.time) for row in throttles(log)] == [(1, 0), (1, 1), (2, 0), (2, 2)]


def test_arrivals_of_one_instant_go_by_the_order_of_their_sources_in_the_file() -> None:
    """Of two requests that arrive at 0 the one of the source that stands first has index 0, whatever its name."""
    log = run(
        region=ONE_AT_A_TIME,
        traffic={
            "z": {"function": "f", "trace": trace([(0, 3)])},
            "a": {"function": "f", "trace": trace([(0, 1)])},
        },
    )
    assert log.requests.source.tolist() == [0, 1]
    assert spans(log) == [(0, 0, 3)]
    assert [row.request for row in throttles(log)] == [1]


def test_an_earlier_arrival_has_the_lower_index_whatever_its_source() -> None:
    """Requests are numbered by arrival time first, and only then by source."""
    log = run(
        traffic={
            "first": {"function": "f", "trace": trace([2, 4])},
            "second": {"function": "f", "trace": trace([1, 4])},
        }
    )
    assert log.requests.source.tolist() == [1, 0, 0, 1]
    assert (log.requests.arrival_ns // 10**9).tolist() == [1, 2, 4, 4]


def test_rows_of_one_instant_keep_the_order_of_the_trace() -> None:
    """Of the rows at 0 the first takes the only slot."""
    log = run(region=ONE_AT_A_TIME, rows=[(0, 3), (0, 1), (0, 2)])
    assert spans(log) == [(0, 0, 3)]
    assert [row.request for row in throttles(log)] == [1, 2]


def test_an_answer_at_the_instant_of_the_client_timeout_wins() -> None:
    """The end of an invocation comes before the client timeout of the same instant."""
    log = run(rows=[(0, 2)], client={"timeout": "2s", "retry": {"delays": ["1s"]}})
    assert abandonments(log) == []
    assert attempt_times(log) == [0]


def test_an_answer_a_nanosecond_after_the_client_timeout_is_too_late() -> None:
    """A client timeout 1 ns before the end of the invocation abandons it."""
    log = run(rows=[(0, 2.000000001)], client={"timeout": "2s"})
    assert abandonments(log) == [(0, 1, 2)]


def test_a_retry_of_no_delay_after_a_client_timeout_comes_before_an_arrival() -> None:
    """At 2 request 0 is given up and tried again at once, which takes the last slot before request 1 arrives."""
    log = run(
        region={"concurrency_quota": 2},
        rows=[(0, 5), (2, 1)],
        client={"timeout": "2s", "retry": {"delays": ["0s"]}},
    )
    assert [row[:3] for row in invocations(log)] == [(0, 1, 0), (0, 2, 2)]
    assert throttles(log) == [
        (1, 1, 2, "account_concurrency"),
        (1, 2, 2, "account_concurrency"),
    ]


def test_a_client_timeout_comes_before_a_retry() -> None:
    """At 2 one unit is free: request 0 is given up and tried again at once, before the retry of request 2."""
    log = run(
        region={"concurrency_quota": 2},
        traffic={
            "impatient": {
                "function": "f",
                "trace": trace([(0, 5)]),
                "client": {"timeout": "2s", "retry": {"delays": ["0s"]}},
            },
            "patient": {
                "function": "f",
                "trace": trace([(0, 2), (1, 1)]),
                "client": {"retry": {"delays": ["1s"]}},
            },
        },
    )
    assert [row[:3] for row in invocations(log)] == [(0, 1, 0), (0, 2, 2), (1, 1, 0)]
    assert [(row.request, row.time) for row in throttles(log)] == [(2, 1), (2, 2)]


def test_client_timeouts_of_one_instant_go_by_request_index_across_sources() -> None:
    """At 3 requests 0, 1 and 2 are all given up and tried again at once; the two free slots go to 0 and 1."""
    patience = {"timeout": "3s", "retry": {"delays": ["0s"]}}
    log = run(
        region={"concurrency_quota": 5},
        traffic={
            "a": {"function": "f", "trace": trace([(0, 9)]), "client": patience},
            "b": {"function": "f", "trace": trace([(0, 9)]), "client": patience},
            "c": {"function": "f", "trace": trace([(0, 9)]), "client": patience},
        },
    )
    assert [row for row in abandonments(log) if row.time == 3] == [(0, 1, 3), (1, 1, 3), (2, 1, 3)]
    assert [row[:3] for row in invocations(log) if row.attempt == 2] == [(0, 2, 3), (1, 2, 3)]
    assert throttles(log) == [(2, 2, 3, "account_concurrency")]


def test_a_retry_of_no_delay_happens_at_the_same_instant() -> None:
    """Attempts without a delay between them all stand at the time of the first."""
    log = run(region=ONE_AT_A_TIME, rows=[(0, 5), 1, 1], client={"retry": {"delays": ["0s", "0s"]}})
    assert attempt_times(log, 1) == [1, 1, 1]
    assert attempt_times(log, 2) == [1, 1, 1]
    assert accepted(log) == [0]


def test_an_init_of_0_lets_the_handler_start_at_once() -> None:
    """What is created at t for t happens at t: the end of an init of 0."""
    log = run(functions={"f": {"init": "0s"}}, rows=[3])
    assert invocations(log) == [(0, 1, 3, 3, 4, 0, OK, COLD)]


def test_an_idle_environment_is_gone_for_an_arrival_at_the_end_of_its_idle_timeout() -> None:
    """Idle from 1 for 2 s: an arrival at 3 finds nothing and starts another environment."""
    log = run(functions={"f": {"idle_timeout": "2s"}}, rows=[0, 3])
    assert used(log) == [0, 1]
    assert environments(log)[0].reaped == 3


def test_an_idle_environment_is_there_until_a_nanosecond_before_the_end_of_its_idle_timeout() -> None:
    """Idle from 1 for 2 s: an arrival 1 ns before 3 reuses it."""
    log = run(functions={"f": {"idle_timeout": "2s"}}, rows=[0, 2.999999999])
    assert used(log) == [0, 0]


def test_an_idle_environment_is_gone_for_a_retry_at_the_end_of_its_idle_timeout() -> None:
    """Expiry comes before a retry of the same instant."""
    log = run(
        functions={"f": {"idle_timeout": "2s"}},
        region=ONE_AT_A_TIME,
        rows=[0, 0],
        client={"retry": {"delays": ["3s"]}},
    )
    assert spans(log) == [(0, 0, 1), (1, 3, 4)]


def test_an_end_of_invocation_comes_before_an_end_of_init() -> None:
    """At 5 one request waits: environment 0, whose invocation ends, takes it before environment 1, whose init ends."""
    log = run(rows=[(0, 5, 0), (1, 1, 4)])
    assert invocations(log) == [(0, 1, 0, 0, 5, 0, OK, COLD), (1, 1, 1, 5, 6, 0, OK, WARM)]
    assert environments(log)[1] == ("f", 1, 5, None)


def test_an_end_of_invocation_takes_the_head_of_the_queue_and_the_end_of_init_the_next() -> None:
    """At 5 requests 1 and 2 wait: the freed environment takes 1, the new one takes 2, which is its cold start."""
    log = run(rows=[(0, 5, 0), (1, 1, 9), (2, 1, 3)])
    assert spans(log) == [(0, 0, 5), (0, 5, 6), (2, 5, 6)]
    assert cold(log) == [COLD, WARM, COLD]


@pytest.mark.parametrize(("reuse", "expected"), [("mru", 1), ("lru", 0)])
def test_environments_that_fall_idle_together_do_so_by_birth(reuse: str, expected: int) -> None:
    """Two invocations end at 2: environment 1 falls idle last, however long each end has been known."""
    log = run(functions={"f": {"reuse": reuse}}, rows=[*BOTH_END_AT_2, 3])
    assert used(log) == [0, 1, 0, expected]


@pytest.mark.parametrize(("reuse", "expected"), [("mru", 1), ("lru", 0)])
def test_environments_that_fall_idle_at_t_serve_an_arrival_at_t_in_that_order(reuse: str, expected: int) -> None:
    """Both ends at 2 come before the arrival at 2, so it chooses between both."""
    log = run(functions={"f": {"reuse": reuse}}, rows=[*BOTH_END_AT_2, 2])
    assert used(log) == [0, 1, 0, expected]


def test_environments_that_are_freed_together_take_waiting_requests_by_birth() -> None:
    """Two invocations end at 2 and two requests wait: environment 0 takes the head."""
    log = run(rows=[*BOTH_END_AT_2, (1.5, 1, 9), (1.5, 1, 9)])
    assert spans(log)[3:] == [(0, 2, 3), (1, 2, 3)]


def test_inits_that_end_together_take_waiting_requests_by_birth() -> None:
    """Two inits end at 5: environment 0 takes the request that came first."""
    log = run(rows=[(0, 1, 5), (1, 2, 4)])
    assert spans(log) == [(0, 5, 6), (1, 5, 7)]


@pytest.mark.parametrize(("reuse", "expected"), [("mru", 1), ("lru", 0)])
def test_an_environment_whose_init_ends_falls_idle_after_one_whose_invocation_ends(reuse: str, expected: int) -> None:
    """At 5 environment 0 falls idle after its invocation, then environment 1 after an init that nobody used."""
    log = run(functions={"f": {"reuse": reuse}}, rows=[*END_AND_UNUSED_INIT_AT_5, 6])
    assert used(log) == [0, 0, expected]


def test_an_environment_whose_init_ends_at_t_is_usable_by_an_arrival_at_t() -> None:
    """Environment 1 becomes ready at 5 with nobody waiting; two arrivals at 5 need no environment of their own."""
    log = run(rows=[*END_AND_UNUSED_INIT_AT_5, 5, 5])
    assert used(log) == [0, 0, 1, 0]
    assert len(environments(log)) == 2


def test_a_refusal_is_written_down_at_its_instant() -> None:
    """A patient caller's refusals carry the time of arrival and the reason."""
    log = run(region=ONE_AT_A_TIME, rows=[(0, 3), 1, 2])
    assert refusals(log) == [(1, "account_concurrency"), (2, "account_concurrency")]
