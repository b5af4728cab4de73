"""Callers who try again (MODEL.md section 6, ``client.retry``)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from lambdasim.eventlog.log import EventLog
from tests.behaviour.timeline import (
    abandonments,
    attempt_times,
    end_s,
    invocations,
    refusals,
    spans,
    throttles,
)
from tests.builders import run, trace


def refused(retry: Any, until: float = 900, at: float = 0) -> EventLog:
    """A run in which request 1, at ``at``, finds the only unit of concurrency in use until ``until``."""
    return run(
        region={"concurrency_quota": 1},
        rows=[(0, until), at],
        client={"retry": retry},
    )


def test_without_a_policy_a_refused_request_is_not_tried_again() -> None:
    """The default is none."""
    log = run(region={"concurrency_quota": 1}, rows=[(0, 9), 0])
    assert attempt_times(log, 1) == [0]


def test_none_is_no_retry() -> None:
    """The word in the file."""
    assert attempt_times(refused("none"), 1) == [0]


def test_fixed_delays_are_used_one_after_the_other() -> None:
    """Delays 1, 5 and 2 s: attempts at 0, 1, 6 and 8, then the caller gives up."""
    log = refused({"delays": ["1s", "5s", "2s"]})
    assert attempt_times(log, 1) == [0, 1, 6, 8]
    assert [row.attempt for row in throttles(log)] == [1, 2, 3, 4]


def test_an_empty_list_of_delays_is_no_retry() -> None:
    """Exactly these, then give up."""
    assert attempt_times(refused({"delays": []}), 1) == [0]


def test_delays_count_from_the_refusal() -> None:
    """First sent at 3: attempts at 3, 4 and 9."""
    assert attempt_times(refused({"delays": ["1s", "5s"]}, at=3), 1) == [3, 4, 9]


def test_retries_end_with_the_first_accepted_attempt() -> None:
    """The unit is free at 6: the attempt at 6 is accepted, and there is no other."""
    log = refused({"delays": ["1s", "5s", "2s"]}, until=6)
    assert attempt_times(log, 1) == [0, 1, 6]
    assert [row[:3] for row in invocations(log)] == [(0, 1, 0), (1, 3, 6)]


def test_backoff_doubles_up_to_its_cap() -> None:
    """min(5, 1 x 2^(k-1)) = 1, 2, 4, 5, 5: attempts at 0, 1, 3, 7, 12 and 17."""
    log = refused({"max_attempts": 6, "base": "1s", "cap": "5s", "jitter": "none"})
    assert attempt_times(log, 1) == [0, 1, 3, 7, 12, 17]


def test_backoff_may_have_no_cap() -> None:
    """1, 2, 4, 8, 16, 32: attempts at 0, 1, 3, 7, 15, 31 and 63."""
    log = refused({"max_attempts": 7, "base": "1s", "jitter": "none"})
    assert attempt_times(log, 1) == [0, 1, 3, 7, 15, 31, 63]


def test_a_cap_below_the_base_is_the_delay() -> None:
    """min(2, 5) = 2 each time."""
    log = refused({"max_attempts": 4, "base": "5s", "cap": "2s", "jitter": "none"})
    assert attempt_times(log, 1) == [0, 2, 4, 6]


def test_max_attempts_counts_the_first_attempt() -> None:
    """One attempt in all is no retry."""
    log = refused({"max_attempts": 1, "base": "1s", "jitter": "none"})
    assert attempt_times(log, 1) == [0]


@pytest.mark.parametrize(("jitter", "least"), [("full", 0), ("equal", 0.5)])
def test_jitter_takes_a_share_of_the_delay(jitter: str, least: float) -> None:
    """Full: anything up to it; equal: half of it and up to the other half. 100 requests come near both ends."""
    log = run(
        region={"concurrency_quota": 1},
        rows=[(0, 900), *[0] * 100],
        client={"retry": {"max_attempts": 3, "base": "4s", "cap": "6s", "jitter": jitter}},
    )
    times = [attempt_times(log, request) for request in range(1, 101)]
    for number, ceiling in ((1, 4), (2, 6)):
        shares = [(sent[number] - sent[number - 1]) / ceiling for sent in times]
        assert least <= min(shares) < least + 0.05
        assert 0.95 < max(shares) <= 1


def test_a_constant_delay() -> None:
    """max_attempts 3 with a delay of 2 s: attempts at 0, 2 and 4."""
    assert attempt_times(refused({"max_attempts": 3, "delay": "2s"}), 1) == [0, 2, 4]


def test_a_drawn_delay() -> None:
    """Each delay comes from the distribution, and they differ."""
    times = attempt_times(refused({"max_attempts": 4, "delay": {"uniform": ["2s", "3s"]}}), 1)
    delays = [later - earlier for earlier, later in pairwise(times)]
    assert len(set(delays)) == 3
    assert all(2 <= delay <= 3 for delay in delays)


def test_unlimited_attempts_go_on_until_one_is_accepted() -> None:
    """One a second from 0; the unit is free at 50: the 51st attempt is accepted."""
    log = refused({"max_attempts": "unlimited", "delay": "1s"}, until=50)
    assert attempt_times(log, 1) == list(range(51))
    assert [row[:3] for row in invocations(log)] == [(0, 1, 0), (1, 51, 50)]


def test_unlimited_backoff_stays_at_its_cap() -> None:
    """1, 2, 4, 4, 4 ...: attempts at 0, 1, 3, 7, 11, 15 and so on."""
    log = refused({"max_attempts": "unlimited", "base": "1s", "cap": "4s", "jitter": "none"}, until=20)
    assert attempt_times(log, 1) == [0, 1, 3, 7, 11, 15, 19, 23]


def test_a_retry_follows_a_client_timeout_too() -> None:
    """Given up at 2, sent again at 3."""
    log = run(rows=[(0, 5)], client={"timeout": "2s", "retry": {"delays": ["1s"]}})
    assert attempt_times(log) == [0, 3]
    assert refusals(log) == []


def test_throttles_and_client_timeouts_share_the_attempts() -> None:
    """Quota 2. Request 2: refused at 0, accepted at 1 and given up at 3, refused at 4; no delay is left.

    Request 0 works in [0, 1], request 1 in [0, 2], and request 3 has the second unit from 2 on.
    """
    log = run(
        region={"concurrency_quota": 2},
        rows=[(0, 1), (0, 2), (0, 90), (2, 90)],
        client={"timeout": "2s", "retry": {"delays": ["1s", "1s"]}},
    )
    assert attempt_times(log, 2) == [0, 1, 4]
    assert [(row.attempt, row.time) for row in throttles(log) if row.request == 2] == [(1, 0), (3, 4)]
    assert [row for row in abandonments(log) if row.request == 2] == [(2, 2, 3)]


def test_a_backoff_counts_every_retry_whatever_its_cause() -> None:
    """Accepted at 0, given up at 2; retry 1 after 1 s at 3 is refused; retry 2 after 2 s comes at 5."""
    log = run(
        region={"concurrency_quota": 1},
        rows=[(0, 9)],
        client={"timeout": "2s", "retry": {"max_attempts": 3, "base": "1s", "jitter": "none"}},
    )
    assert attempt_times(log) == [0, 3, 5]


def test_a_request_keeps_its_duration_over_its_attempts() -> None:
    """Drawn once: three invocations of one request take the same time, other requests take other times."""
    log = run(
        functions={"f": {"duration": {"uniform": ["3s", "9s"]}}},
        rows=[0, 0],
        client={"timeout": "1s", "retry": {"delays": ["0s", "0s"]}},
    )
    assert [row.request for row in invocations(log)] == [0, 0, 0, 1, 1, 1]
    lengths_ns = (log.invocations.end_ns - log.invocations.handler_ns).tolist()
    assert lengths_ns == [lengths_ns[0]] * 3 + [lengths_ns[3]] * 3
    assert lengths_ns[0] != lengths_ns[3]


def test_a_traced_duration_holds_for_every_attempt() -> None:
    """4 s at the first attempt and at the second, where the function's own would be 1 s."""
    log = run(rows=[(0, 4)], client={"timeout": "1s", "retry": {"delays": ["0s"]}})
    assert spans(log) == [(0, 0, 4), (1, 1, 5)]


def test_each_source_has_its_own_policy() -> None:
    """Delays of 2 and 2 s in one source, of 3 s in the other, none in the third."""
    log = run(
        region={"concurrency_quota": 1},
        traffic={
            "busy": {"function": "f", "trace": trace([(0, 90)])},
            "twice": {"function": "f", "trace": trace([1]), "client": {"retry": {"delays": ["2s", "2s"]}}},
            "once": {"function": "f", "trace": trace([1]), "client": {"retry": {"delays": ["3s"]}}},
        },
    )
    assert attempt_times(log, 1) == [1, 3, 5]
    assert attempt_times(log, 2) == [1, 4]


def test_retries_go_on_after_the_end_of_the_traffic() -> None:
    """Duration 2 s: attempts at 0, 3, 6 and 9, accepted at 9, and the run ends at 10."""
    log = run(
        region={"concurrency_quota": 1},
        rows=[(0, 8), 0],
        client={"retry": {"max_attempts": 9, "delay": "3s"}},
        duration="2s",
    )
    assert attempt_times(log, 1) == [0, 3, 6, 9]
    assert end_s(log) == 10
