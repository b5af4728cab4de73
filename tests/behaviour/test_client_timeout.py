"""Callers who stop waiting: the client timeout of each attempt (MODEL.md sections 3 and 6)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lambdasim.eventlog.log import EventLog
from tests.behaviour.timeline import (
    COLD,
    OK,
    abandonments,
    attempt_times,
    end_s,
    environments,
    invocations,
    spans,
    throttles,
)
from tests.builders import run, trace


def impatient(rows: list[Any], *delays: str, timeout: str = "2s", **parts: Any) -> EventLog:
    """A run whose callers wait for 2 s and try again after ``delays``."""
    client: dict[str, Any] = {"timeout": timeout}
    if delays:
        client["retry"] = {"delays": list(delays)}
    return run(rows=rows, client=client, **parts)


def test_an_attempt_without_an_answer_is_given_up_at_the_client_timeout() -> None:
    """5 s of work, the caller waits for 2 s from 1."""
    log = impatient([(1, 5)])
    assert abandonments(log) == [(0, 1, 3)]


def test_an_abandoned_invocation_goes_on() -> None:
    """It ends at 5, and well."""
    log = impatient([(0, 5)])
    assert invocations(log) == [(0, 1, 0, 0, 5, 0, OK, COLD)]


def test_an_abandoned_invocation_keeps_its_concurrency() -> None:
    """Quota 1: refused at 3 and at 4, although nobody waits for the invocation that runs until 5."""
    log = impatient([(0, 5), 3, 4, 5], region={"concurrency_quota": 1})
    assert [(row.request, row.time) for row in throttles(log)] == [(1, 3), (2, 4)]
    assert spans(log) == [(0, 0, 5), (0, 5, 6)]


def test_an_abandoned_request_that_waits_for_an_init_keeps_its_concurrency() -> None:
    """Quota 1, init 5 s: given up at 2, its handler still runs in [5, 6]; refused at 4 and 5, accepted at 6."""
    log = impatient([0, 4, 5, 6], functions={"f": {"init": "5s"}}, region={"concurrency_quota": 1})
    assert spans(log) == [(0, 5, 6), (0, 6, 7)]
    assert [row.time for row in throttles(log)] == [4, 5]
    assert abandonments(log) == [(0, 1, 2)]


def test_the_client_timeout_counts_from_the_sending_and_includes_the_wait_for_an_environment() -> None:
    """Init 2 s, work 1 s: given up at 2, with the handler just started."""
    log = impatient([0], functions={"f": {"init": "2s"}})
    assert abandonments(log) == [(0, 1, 2)]
    assert spans(log) == [(0, 2, 3)]


def test_a_caller_who_is_answered_in_time_gives_up_nothing() -> None:
    """Answers at 1 and 6, patience until 2 and 7."""
    log = impatient([0, 5], "1s")
    assert abandonments(log) == []
    assert [row.attempt for row in invocations(log)] == [1, 1]


def test_the_client_timeout_is_for_each_attempt() -> None:
    """Given up at 2; sent again at 5, given up at 7; sent again at 7, given up at 9."""
    log = impatient([(0, 50)], "3s", "0s")
    assert attempt_times(log) == [0, 5, 7]
    assert abandonments(log) == [(0, 1, 2), (0, 2, 7), (0, 3, 9)]


def test_each_attempt_that_is_tried_again_is_an_invocation_of_its_own() -> None:
    """Two invocations of 5 s run at once, in two environments."""
    log = impatient([(0, 5)], "1s")
    assert invocations(log) == [(0, 1, 0, 0, 5, 0, OK, COLD), (0, 2, 3, 3, 8, 1, OK, COLD)]
    assert len(environments(log)) == 2


def test_a_late_answer_does_not_stop_the_next_attempt() -> None:
    """Given up at 2; the answer comes at 3; the retry at 4 is sent all the same."""
    log = impatient([(0, 3)], "2s")
    assert attempt_times(log) == [0, 4]


def test_a_late_answer_does_not_settle_the_attempt_that_is_under_way() -> None:
    """Attempt 1 ends at 3, while attempt 2, sent at 2, is waited for until 4 and given up as well."""
    log = impatient([(0, 3)], "0s")
    assert abandonments(log) == [(0, 1, 2), (0, 2, 4)]


def test_a_late_answer_does_not_stop_the_retries_after_a_refusal() -> None:
    """Quota 1: given up at 2, refused at 2 and 3; the answer comes at 4, where the next attempt is sent."""
    log = impatient([(0, 4)], "0s", "1s", "1s", region={"concurrency_quota": 1})
    assert attempt_times(log) == [0, 2, 3, 4]
    assert [(row.attempt, row.time) for row in throttles(log)] == [(2, 2), (3, 3)]


def test_a_refused_attempt_has_no_client_timeout() -> None:
    """Its answer is the refusal, at once."""
    log = impatient([(0, 9), 1], region={"concurrency_quota": 1})
    assert [(row.request, row.time) for row in throttles(log)] == [(1, 1)]
    assert abandonments(log) == [(0, 1, 2)]


def test_a_refused_attempt_does_not_keep_the_timeout_of_an_earlier_one() -> None:
    """Sent at 0, given up at 2, refused at 3 (quota 1), accepted at 6: given up at 8 and not before."""
    log = impatient([(0, 6)], "1s", "3s", region={"concurrency_quota": 1})
    assert attempt_times(log) == [0, 3, 6]
    assert abandonments(log) == [(0, 1, 2), (0, 3, 8)]


def test_many_callers_are_given_up_each_in_time() -> None:
    """Sent at 0, 1, 1, 2 with answers after 9, 1, 9 and 9 s: given up at 2, 3 and 4."""
    log = impatient([(0, 9), (1, 1), (1, 9), (2, 9)])
    assert abandonments(log) == [(0, 1, 2), (2, 1, 3), (3, 1, 4)]


def test_a_caller_after_a_pause_is_given_up_in_time() -> None:
    """All earlier attempts are long answered when the request at 100 is sent."""
    log = impatient([0, (1, 9), (100, 9)])
    assert abandonments(log) == [(1, 1, 3), (2, 1, 102)]


def test_each_source_has_a_patience_of_its_own() -> None:
    """One waits for 2 s, one for 3 s, one for ever."""
    log = run(
        traffic={
            "long": {"function": "f", "trace": trace([(0, 9)]), "client": {"timeout": "3s"}},
            "short": {"function": "f", "trace": trace([(0, 9)]), "client": {"timeout": "2s"}},
            "patient": {"function": "f", "trace": trace([(0, 9)])},
        }
    )
    assert abandonments(log) == [(0, 1, 3), (1, 1, 2)]


def test_an_unlimited_client_timeout_never_gives_up() -> None:
    """900 s are waited for."""
    log = impatient([(0, 900)], "1s", timeout="unlimited")
    assert abandonments(log) == []
    assert attempt_times(log) == [0]


def test_an_attempt_is_given_up_although_its_function_fails_later() -> None:
    """The error at 5 comes too late; the caller has tried again at 3, for a client timeout and not for the error."""
    log = impatient([(0, 5)], "1s", functions={"f": {"errors": {"rate": "100%"}}})
    assert attempt_times(log) == [0, 3]


def test_a_client_timeout_during_the_drain_is_written_down() -> None:
    """Arrival at 9, end of the traffic at 10, given up at 11, end of the work and of the run at 14."""
    log = impatient([(9, 5)], duration="10s")
    assert abandonments(log) == [(0, 1, 11)]
    assert end_s(log) == 14


def test_deadlines_of_answered_attempts_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """However soon they are let go, the log is the same: 300 requests, a third of them too slow for their callers.

    Retries come in between, so that the next deadline is often one of those that were let go.
    """
    rows = [(0.1 * number, (0.05, 0.3, 5.0)[number % 3]) for number in range(300)]
    logs = []
    for kept in (0, 10**9):
        monkeypatch.setattr("lambdasim.engine.reference.clients._DEADLINES_KEPT", kept)
        logs.append(impatient(rows, "1s", "100ms", timeout="2s", region={"concurrency_quota": 60}))
    for table in ("invocations", "throttles", "abandonments"):
        first, second = (getattr(log, table) for log in logs)
        for column in first.__slots__:
            np.testing.assert_array_equal(getattr(first, column), getattr(second, column))
    assert len(logs[0].abandonments) == 300
