"""The figures that people ask for first, by hand."""

from __future__ import annotations

from lambdasim.metrics.highlights import (
    Minute,
    busiest_second,
    first_throttle,
    in_flight_at,
    last_throttle_ns,
    latency_rows,
    mean_handler_ns,
    mean_wait_ns,
    minutes,
    waited_without_cold_start,
    worst_minute,
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
        }

    def test_without_data(self) -> None:
        """Rows are there, with nothing in them."""
        found = run_of(rows=[])
        assert [(row.count, row.p50_ns) for row in latency_rows(found.log, found.outcomes)] == [(0, None)] * 4


class TestTimes:
    """Busiest second, worst minute, first and last refusal."""

    def test_busiest_second(self) -> None:
        """The first of several with equally many."""
        assert busiest_second(run(rows=[0, 3.1, 3.9, 7, 7.5])) == (3, 2)
        assert busiest_second(run(rows=[])) is None

    def test_minutes(self) -> None:
        """Attempts of each minute by when they were sent; a cold start where it was admitted."""
        log = run(rows=[0, 0.5, 59, 61, 130], region={"concurrency_quota": 1}, duration="150s")
        assert minutes(log) == [
            Minute(start_ns=0, attempts=3, throttles=1, cold_starts=1),
            Minute(start_ns=60 * S, attempts=1, throttles=0, cold_starts=0),
            Minute(start_ns=120 * S, attempts=1, throttles=0, cold_starts=0),
        ]

    def test_worst_minute_is_the_one_with_the_most_throttles(self) -> None:
        """Cold starts decide only among minutes without refusals."""
        busy = run(rows=[0, 70, 70.1, 70.2], region={"concurrency_quota": 1})
        assert worst_minute(busy) == Minute(start_ns=60 * S, attempts=3, throttles=2, cold_starts=0)
        calm = run(rows=[0, 70, 70])
        assert worst_minute(calm) == Minute(start_ns=0, attempts=1, throttles=0, cold_starts=1)
        assert worst_minute(run(rows=[])) is None

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
