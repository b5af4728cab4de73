"""The figures that people ask for first, by hand."""

from __future__ import annotations

import pytest

from lambdasim.metrics.highlights import (
    HOUR_NS,
    MINUTE_NS,
    Period,
    busiest_second,
    coldest,
    first_throttle,
    held_back_ns,
    in_flight_at,
    last_throttle_ns,
    latency_rows,
    mean_handler_ns,
    mean_wait_ns,
    most_throttled,
    periods,
    telling_period_ns,
    waited_without_cold_start,
    went_on_ns,
)
from lambdasim.platform.concurrency import ThrottleReason
from tests.builders import run
from tests.metrics.runs import by_hand, run_of

S = 10**9


class TestLatency:
    """Warm, cold and retried requests apart."""

    def test_rows(self) -> None:
        """A cold request of 2.5 s, a retried one of 3 s; a warm one that met the environment idle."""
        found = by_hand(rows=[0, 1, 2, 6])
        rows = {row.label: (row.count, row.p50_ns, row.max_ns) for row in latency_rows(found.log, found.outcomes)}
        assert rows == {
            "warm": (1, 2 * S, 2 * S),
            "cold": (1, 2_500_000_000, 2_500_000_000),
            "retried": (1, 3 * S, 3 * S),
            "all completed": (3, 2_500_000_000, 3 * S),
            "gave up waiting": (0, None, None),
        }

    def test_those_who_gave_up_have_a_row_of_their_own(self) -> None:
        """10 s of work for callers who wait for 3 s, and once more after 1 s: they give up after 7 s."""
        client = {"timeout": "3s", "retry": {"delays": ["1s"]}}
        found = run_of(rows=[0, (5, 2)], functions={"f": {"duration": "10s", "timeout": "20s"}}, client=client)
        rows = {row.label: (row.count, row.p50_ns, row.max_ns) for row in latency_rows(found.log, found.outcomes)}
        assert rows["gave up waiting"] == (1, 7 * S, 7 * S)
        assert rows["all completed"] == (1, 2 * S, 2 * S)

    def test_without_data(self) -> None:
        """Rows are there, with nothing in them."""
        found = run_of(rows=[])
        assert [(row.count, row.p50_ns) for row in latency_rows(found.log, found.outcomes)] == [(0, None)] * 5


class TestTimes:
    """Busiest second, worst period, first and last refusal."""

    def test_busiest_second(self) -> None:
        """The first of several with equally many."""
        assert busiest_second(run(rows=[0, 3.1, 3.9, 7, 7.5])) == (3, 2)
        assert busiest_second(run(rows=[])) is None

    def test_minutes(self) -> None:
        """Attempts of each minute by when they were sent; a cold start where it was admitted."""
        log = run(rows=[0, 0.5, 59, 61, 130], region={"concurrency_quota": 1}, duration="150s")
        assert periods(log, MINUTE_NS) == [
            Period(start_ns=0, attempts=3, throttles=1, cold_starts=1),
            Period(start_ns=60 * S, attempts=1, throttles=0, cold_starts=0),
            Period(start_ns=120 * S, attempts=1, throttles=0, cold_starts=0),
        ]
        assert periods(log, HOUR_NS) == [Period(start_ns=0, attempts=5, throttles=1, cold_starts=1)]

    def test_worst_periods(self) -> None:
        """The most refusals, the most cold starts; the first of equals."""
        busy = run(rows=[0, 70, 70.1, 70.2], region={"concurrency_quota": 1})
        assert most_throttled(busy, MINUTE_NS) == Period(start_ns=60 * S, attempts=3, throttles=2, cold_starts=0)
        assert coldest(busy, MINUTE_NS) == Period(start_ns=0, attempts=1, throttles=0, cold_starts=1)
        assert coldest(run(rows=[0, 70, 70, 70]), MINUTE_NS).cold_starts == 2
        assert coldest(run(rows=[]), MINUTE_NS).cold_starts == 0

    def test_the_period_suits_the_run(self) -> None:
        """A minute up to an hour, an hour beyond."""
        assert [telling_period_ns(length) for length in (S, HOUR_NS, HOUR_NS + 1)] == [MINUTE_NS, MINUTE_NS, HOUR_NS]

    def test_first_and_last_throttle(self) -> None:
        """By time, not by request: request 0 is refused at 5 s, after a client timeout, request 1 at 2 and 6 s."""
        log = by_hand(
            rows=[0, 2], functions={"f": {"duration": "9s"}}, client={"timeout": "1s", "retry": {"delays": ["4s"]}}
        ).log
        assert log.throttles.time_ns.tolist() == [5 * S, 2 * S, 6 * S]
        assert first_throttle(log) == (2 * S, ThrottleReason.ACCOUNT_CONCURRENCY, "f")
        assert last_throttle_ns(log) == 6 * S
        calm = run(rows=[0])
        assert (first_throttle(calm), last_throttle_ns(calm)) == (None, None)

    def test_first_throttle_at_one_instant_is_that_of_the_lowest_request(self) -> None:
        """As in the log: by request index."""
        log = run(
            rows=[(0, None, None, "f"), (1, None, None, "g"), (1, None, None, "f")],
            traffic=None,
            functions={"f": {"duration": "9s"}, "g": {"reserved_concurrency": 0}},
            region={"concurrency_quota": 1},
        )
        assert first_throttle(log) == (1 * S, ThrottleReason.RESERVED_CONCURRENCY, "g")


class TestMeans:
    """Means over what has ended or begun."""

    def test_handler_and_wait(self) -> None:
        """Two ended handlers of 2 s; waits of 0.5, 0 and 0.5 s."""
        log = by_hand().log
        assert mean_handler_ns(log) == 2 * S
        assert mean_wait_ns(log) == S / 3

    def test_without_data(self) -> None:
        """None, not nan."""
        log = run(rows=[])
        assert (mean_handler_ns(log), mean_wait_ns(log)) == (None, None)

    def test_waited_without_a_cold_start(self) -> None:
        """The second request waits for a new environment, and the first one's is free before that is ready."""
        log = run(rows=[0, 4.5], functions={"f": {"init": "4s"}})
        assert waited_without_cold_start(log) == 1
        assert waited_without_cold_start(run(rows=[0, 10])) == 0

    def test_in_flight_at_an_instant(self) -> None:
        """Three at 1 s, two of them before their handler; what ends then is out, what starts then is not yet in."""
        log = run(
            rows=[(0, 1, 0), (0, 3, 0), (0.5, 2, 2), (0.6, 2, 2), (1, 2, 2)], functions={"f": {"assignment": "bound"}}
        )
        assert in_flight_at(log, 1 * S) == (3, 2)


class TestInVain:
    """Work that nobody waits for, and calls that wait in their own client."""

    def test_work_after_the_caller_has_gone(self) -> None:
        """10 s of work at 0 and at 4, given up after 3 s: 7 s each, of which 2 and 0 in the first 5 s."""
        parts = {"functions": {"f": {"duration": "10s", "timeout": "20s"}}, "client": {"timeout": "3s"}}
        log = run(rows=[0, 4], **parts)
        assert [went_on_ns(log, until * S).tolist() for until in (20, 12, 5)] == [
            [7 * S, 7 * S],
            [7 * S, 5 * S],
            [2 * S, 0],
        ]

    def test_work_that_had_not_ended(self) -> None:
        """The run stops at 12 s, in the middle of the second invocation: it counts up to there."""
        parts = {"functions": {"f": {"duration": "10s", "timeout": "20s"}}, "client": {"timeout": "3s"}}
        log = run(rows=[0, 4], duration="12s", drain="0s", **parts)
        assert went_on_ns(log, 12 * S).tolist() == [7 * S, 5 * S]

    def test_calls_held_back_by_their_client(self) -> None:
        """As computed by hand in ``test_rate_limiter``: for 0.4 / 1.12 s and, from 0.96 s, until 1 / 0.784 s later."""
        client = {"retry": {"preset": "boto3-adaptive", "max_attempts": 1}}
        log = run(region={"concurrency_quota": 1}, rows=[(0, 900), 0.6, 0.6, 0.96], client=client)
        first = 0.4 / 1.12
        waits = pytest.approx([first, 0.6 + first + 1 / 0.784 - 0.96], abs=1e-8)
        assert sorted(held_back_ns(log, [True]) / S) == waits
        assert held_back_ns(log, [False]).tolist() == []

    def test_retries_are_not_held_back(self) -> None:
        """They come later by the caller's own back-off."""
        assert held_back_ns(by_hand().log, [True]).tolist() == []
