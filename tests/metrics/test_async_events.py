"""The block on asynchronous events in the summary, and CloudWatch's metrics of them, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from lambdasim.metrics.cloudwatch import cloudwatch_metrics
from lambdasim.metrics.run import Run
from tests.builders import trace
from tests.metrics.runs import run_of

TEXTBOOK = {"jitter": "none", "slow_down": "none", "dispatch_delay": "0s"}


def events(rows: list[Any], function: dict[str, Any] | None = None, **parts: Any) -> Run:
    """A run whose requests are events of one function, tried at once."""
    own = dict(function or {})
    own["async"] = {**TEXTBOOK, **own.get("async", {})}
    traffic = {"t": {"function": "f", "invoke": "async", "trace": trace(rows)}, **parts.pop("traffic", {})}
    return run_of(functions={"f": own, **parts.pop("others", {})}, traffic=traffic, **parts)


class TestSummary:
    """The block ``async``."""

    def test_every_figure_by_hand(self) -> None:
        """Quota 1, work of 2 s: event 0 runs in [0, 2]; event 1 is throttled at 0, 1 and 3 s, and runs in [7, 9].

        Event 2 comes at 2 s and runs in [2, 4]. Ages when invoked: 0, 7 and 0 s. At the last arrival 2 events are
        left, each takes 2 s, one at a time: at least 4 s; it took 7 s.
        """
        run = events([0, 0, 2], {"duration": "2s"}, region={"concurrency_quota": 1})
        assert run.summary["async"] == {
            "received": 3,
            "completed": 3,
            "dropped": 0,
            "in_flight": 0,
            "delivery_failures": 0,
            "dropped_by_reason": {
                "event_age_exceeded": 0,
                "retries_exhausted": 0,
                "zero_reserved_concurrency": 0,
            },
            "age_s": {"p50": 0.0, "p90": 7.0, "p99": 7.0, "max": 7.0},
            "oldest_age_s": 9.0,
            "drain_s": 7.0,
            "drain_floor_s": 4.0,
        }
        assert run.summary["functions"]["f"]["async"] == run.summary["async"]

    def test_dropped_by_reason(self) -> None:
        """One function is stopped, one always fails and has no retries."""
        run = events(
            [0, 1],
            {"reserved_concurrency": 0},
            others={"g": {"errors": {"rate": "100%"}, "async": {**TEXTBOOK, "maximum_retry_attempts": 0}}},
            traffic={"u": {"function": "g", "invoke": "async", "trace": trace([0])}},
            region={"concurrency_quota": 10},
        )
        block = run.summary["async"]
        assert block["dropped_by_reason"] == {
            "event_age_exceeded": 0,
            "retries_exhausted": 1,
            "zero_reserved_concurrency": 2,
        }
        assert (block["received"], block["dropped"], run.summary["requests"]["dropped"]) == (3, 3, 3)
        assert [run.summary["functions"][name]["async"]["dropped"] for name in "fg"] == [2, 1]
        assert run.summary["functions"]["f"]["async"]["age_s"]["max"] is None

    def test_what_is_left_at_the_end(self) -> None:
        """Refused at 0; the run ends at 5 s, before the try at 7 s."""
        run = events(
            [1e-9],
            traffic={"hold": {"function": "f", "trace": trace([(0, 90)])}},
            region={"concurrency_quota": 1},
            duration="5s",
            drain="0s",
        )
        block = run.summary["async"]
        assert (block["in_flight"], block["drain_s"], block["oldest_age_s"]) == (1, None, pytest.approx(5))

    def test_runs_without_events_have_no_such_block(self) -> None:
        """Their summary stays as it was."""
        assert "async" not in run_of(rows=[0]).summary

    def test_callers_have_their_202(self) -> None:
        """Whatever became of the events."""
        run = events([0, 1], {"reserved_concurrency": 0})
        assert run.summary["responses"] == {"202": 2, "none": 0}

    def test_tables_say_how(self) -> None:
        """The column ``invoke``."""
        run = events([0], traffic={"web": {"function": "f", "trace": trace([5])}})
        from lambdasim.metrics.tables import requests_table, structured

        rows = structured(requests_table(run.log, run.outcomes, 0, 2))
        assert rows["invoke"].tolist() == ["async", "sync"]


class TestCloudWatch:
    """AWS's names."""

    def test_received_age_and_dropped(self) -> None:
        """Received at 0 and 50 s; invoked at 0, 50, and after errors 60 s after their ends; dropped at 62 and 112 s.

        With one retry: 0 to 1 and 61 to 62 s, 50 to 51 and 111 to 112 s; ages 0, 61 s and 0, 61 s.
        """
        run = events([0, 50], {"errors": {"rate": "100%"}, "async": {"maximum_retry_attempts": 1}})
        rows = cloudwatch_metrics(run.log, 60 * 10**9, run.scenario.limits_in_force())
        found = {
            (row.metric, row.period_start_ns // 10**9): (row.sample_count, row.sum)
            for row in rows
            if not row.function and row.metric.startswith("Async")
        }
        assert found == {
            ("AsyncEventsReceived", 0): (2, 2.0),
            ("AsyncEventAge", 0): (2, 0.0),
            ("AsyncEventAge", 60): (2, 122_000.0),
            ("AsyncEventsDropped", 60): (2, 2.0),
        }

    def test_records_that_a_destination_does_not_take(self) -> None:
        """Two events end at 1 and 71 s; their records cannot go to a FIFO queue."""
        run = run_of(
            functions={"f": {"async": {"dispatch_delay": "0s", "on_success": "q"}}},
            queues={"q": {"fifo": {"message_groups": 1}}},
            traffic={"t": {"function": "f", "invoke": "async", "trace": trace([0, 70])}},
        )
        rows = cloudwatch_metrics(run.log, 60 * 10**9, run.scenario.limits_in_force())
        found = [
            (row.function, row.period_start_ns // 10**9, row.sum)
            for row in rows
            if row.metric == "DestinationDeliveryFailures"
        ]
        assert found == [("", 0, 1.0), ("f", 0, 1.0), ("", 60, 1.0), ("f", 60, 1.0)]
        assert run.summary["async"]["delivery_failures"] == 2

    def test_synchronous_requests_have_none(self) -> None:
        """No rows."""
        run = run_of(rows=[0])
        rows = cloudwatch_metrics(run.log, 60 * 10**9, run.scenario.limits_in_force())
        assert not [row for row in rows if row.metric.startswith("Async")]
