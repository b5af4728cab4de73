"""CloudWatch's metrics of queues and event source mappings, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lambdasim.metrics.cloudwatch import cloudwatch_metrics
from lambdasim.metrics.cloudwatch_queues import all_metrics, oldest, sample_times
from lambdasim.metrics.run import Run
from tests.metrics.queues import queue_run, stream_run, three_messages
from tests.metrics.runs import run_of

S = 10**9


def figures(run: Run, period_s: int, queue: str, function: str = "") -> dict[tuple[str, int], tuple[int, float]]:
    """(samples, sum) by metric and period, of the rows of one queue and function."""
    return {
        (row.metric, row.period_start_ns // S): (row.sample_count, row.sum)
        for row in all_metrics(run.log, period_s * S, run.scenario)
        if (row.queue, row.function) == (queue, function)
    }


class TestQueues:
    """Namespace AWS/SQS."""

    def test_every_figure_by_hand(self) -> None:
        """``three_messages`` in periods of 5 s: at 5 s messages 1 and 2 are hidden and the older one is 3.5 s old."""
        assert figures(three_messages(), 5, "o") == {
            ("NumberOfMessagesSent", 0): (3, 3.0),
            ("NumberOfMessagesReceived", 0): (3, 3.0),
            ("NumberOfMessagesDeleted", 0): (1, 1.0),
            ("ApproximateNumberOfMessagesVisible", 0): (1, 0.0),
            ("ApproximateNumberOfMessagesNotVisible", 0): (1, 2.0),
            ("ApproximateAgeOfOldestMessage", 0): (1, 3.5),
            ("ApproximateNumberOfMessagesVisible", 5): (1, 0.0),
        }

    def test_dead_lettered_messages_are_not_sent(self) -> None:
        """AWS: what the redrive policy moves is not in NumberOfMessagesSent. Its age starts again: 3.5 s at 10 s."""
        assert figures(three_messages(), 5, "x") == {
            ("ApproximateNumberOfMessagesVisible", 5): (1, 2.0),
            ("ApproximateAgeOfOldestMessage", 5): (1, 3.5),
        }

    def test_deleted_messages_hide_no_longer(self) -> None:
        """Deleted at 1 s, though the visibility timeout would be over at 5 s only; at 3 s nothing is there."""
        found = figures(queue_run([0], duration="4s", drain="0s"), 3, "o")
        assert found["ApproximateNumberOfMessagesVisible", 0] == (1, 0.0)
        assert ("ApproximateNumberOfMessagesNotVisible", 0) not in found

    def test_what_comes_as_a_period_ends_belongs_to_the_next(self) -> None:
        """One place, taken from 0 to 4 s; message 1 comes at 3 s and waits: not in the sample at 3 s."""
        one_place = {"scaling": {"start": 1, "rate": 1, "per": "24h", "max": 1}}
        run = queue_run([0, 3], mapping=one_place, function={"duration": "4s"}, duration="4s", drain="0s")
        found = figures(run, 3, "o")
        assert found["ApproximateNumberOfMessagesVisible", 0] == (1, 0.0)
        assert found["NumberOfMessagesSent", 3] == (1, 1.0)

    def test_what_happens_as_the_run_ends(self) -> None:
        """Message 1 of ``three_messages`` comes into ``x`` at 6.5 s, when this run ends: the last sample has it."""
        run = queue_run(
            [0, 1.5],
            queue={"max_receive_count": 1, "dead_letter": "x"},
            function={"duration": "4s", "reserved_concurrency": 1},
            others={"x": {}},
            duration="6500ms",
            drain="0s",
        )
        assert run.summary["queues"]["x"]["messages"]["visible"] == 1
        assert figures(run, 60, "x") == {("ApproximateNumberOfMessagesVisible", 0): (1, 1.0)}

    def test_messages_moved_back_are_sent(self) -> None:
        """From ``x`` back to ``o`` at 8 s: they are new messages there."""
        run = queue_run(
            [0],
            queue={"max_receive_count": 1, "dead_letter": "x"},
            function={"errors": {"rate": "100%"}},
            others={"x": {}},
            changes=[{"at": "8s", "redrive": "x"}],
            duration="10s",
            drain="0s",
        )
        assert figures(run, 60, "o")["NumberOfMessagesSent", 0] == (2, 2.0)
        assert ("NumberOfMessagesSent", 0) not in figures(run, 60, "x")

    def test_delayed(self) -> None:
        """Sent at 0 and 1 s with 4 s of delay: at 3 s both are delayed, at 6 s both are gone or being received."""
        run = queue_run([0, 1], queue={"delay": "4s"})
        found = figures(run, 3, "o")
        assert found["ApproximateNumberOfMessagesDelayed", 0] == (1, 2.0)
        assert ("ApproximateNumberOfMessagesDelayed", 3) not in found
        assert found["ApproximateNumberOfMessagesVisible", 0] == (1, 0.0)
        assert found["ApproximateAgeOfOldestMessage", 0] == (1, 3.0)

    @pytest.mark.parametrize(("fifo", "age"), [(None, 4.0), ({"message_groups": 1}, 16.0)])
    def test_a_message_received_three_times_is_no_longer_the_oldest(self, fifo: Any, age: float) -> None:
        """Message 0 fails at 0, 5 and 10 s, visible again at 15 s; message 1 comes at 12 s. At 16 s they are 16 and
        4 s old. In a FIFO queue the order, and so the oldest, stays.
        """
        run = queue_run(
            [0, 12],
            queue={"fifo": fifo} if fifo else {},
            function={"errors": {"rate": "100%"}},
            duration="16s",
            drain="0s",
        )
        assert figures(run, 16, "o")["ApproximateAgeOfOldestMessage", 0] == (1, age)

    @pytest.mark.parametrize("seed", range(4))
    def test_the_last_sample_is_what_the_summary_says(self, seed: int) -> None:
        """Visible, hidden and delayed: here from the times, there from the engine's own states."""
        run = run_of(
            functions={"f": {"timeout": "5s", "duration": "2s", "reserved_concurrency": 2, "errors": {"rate": "30%"}}},
            queues={
                "o": {
                    "visibility_timeout": "6s",
                    "delay": "3s",
                    "max_receive_count": 2,
                    "dead_letter": "x",
                    "event_source_mapping": {"function": "f", "batch_size": 3, "maximum_concurrency": 4},
                },
                "x": {"delay": "1s"},
            },
            traffic={"t": {"invoke": "sqs", "queue": "o", "rate": "6/s"}},
            duration="37s",
            drain="0s",
            seed=seed,
        )
        for name in ("o", "x"):
            found, states = figures(run, 60, name), run.summary["queues"][name]["messages"]
            gauges = [
                found.get((f"ApproximateNumberOfMessages{state}", 0), (0, 0.0))[1]
                for state in ("Visible", "NotVisible", "Delayed")
            ]
            assert gauges == [states["visible"], states["in_flight"], states["delayed"]]
        assert run.summary["queues"]["o"]["in_flight"] > 10


class TestMappings:
    """Event source mapping metrics of AWS/Lambda."""

    def test_every_figure_by_hand(self) -> None:
        """``three_messages``: tried at 0, 1.5, 2, 2.5, 3 and 4.5 s, of which four were throttled; then at 5 s."""
        assert figures(three_messages(), 5, "o", "f") == {
            ("PolledEventCount", 0): (3, 3.0),
            ("InvokedEventCount", 0): (6, 6.0),
            ("FailedInvokeEventCount", 0): (4, 4.0),
            ("DeletedEventCount", 0): (1, 1.0),
            ("InvokedEventCount", 5): (1, 1.0),
            ("FailedInvokeEventCount", 5): (1, 1.0),
        }

    def test_events_are_counted_not_batches(self) -> None:
        """One batch of two that fails at its end, in the next period."""
        run = queue_run(
            [0.5, 0.5],
            mapping={"batch_size": 2, "batch_window": "1s"},
            function={"errors": {"rate": "100%"}},
            duration="4s",
            drain="0s",
        )
        assert figures(run, 1, "o", "f") == {
            ("PolledEventCount", 0): (2, 2.0),
            ("InvokedEventCount", 0): (1, 2.0),
            ("FailedInvokeEventCount", 1): (1, 2.0),
        }

    @pytest.mark.parametrize("seed", range(3))
    def test_partial_failures(self, seed: int) -> None:
        """Named messages are those that were polled, and neither deleted nor under way: their visibility is long."""
        run = run_of(
            functions={"f": {"timeout": "5s", "errors": {"rate": "30%"}}},
            queues={
                "o": {
                    "visibility_timeout": "1h",
                    "event_source_mapping": {"function": "f", "batch_size": 5, "partial_batch_failures": True},
                }
            },
            traffic={"t": {"invoke": "sqs", "queue": "o", "rate": "10/s"}},
            duration="30s",
            drain="10s",
            seed=seed,
        )
        found = figures(run, 3_600, "o", "f")
        polled, deleted = found["PolledEventCount", 0][1], found["DeletedEventCount", 0][1]
        assert found["FailedInvokeEventCount", 0][1] == polled - deleted > 0

    def test_streams(self) -> None:
        """Batches of 2 and 1 records; IteratorAge belongs to the function, in ms."""
        run = stream_run([0.2, 0.4, 0.6])
        assert figures(run, 60, "k", "f") == {("PolledEventCount", 0): (3, 3.0), ("InvokedEventCount", 0): (2, 3.0)}
        assert figures(run, 60, "", "f")["IteratorAge", 0] == (2, pytest.approx(2_000.0))
        assert not figures(run, 60, "k")

    @pytest.mark.parametrize(
        ("destination", "metric"),
        [(None, "DroppedEventCount"), ("n", "OnFailureDestinationDeliveredEventCount")],
    )
    def test_discarded_records(self, destination: str | None, metric: str) -> None:
        """Two records whose one try fails at 2 s: dropped, or delivered in one note, which is sent to its queue."""
        run = stream_run(
            [0.2, 0.4],
            mapping={"maximum_retry_attempts": 0, "on_failure": destination},
            function={"errors": {"rate": "100%"}},
            queues={"n": {}},
        )
        found = figures(run, 60, "k", "f")
        assert found.pop((metric, 0)) == (2, 2.0)
        assert {key for key, _ in found} == {"PolledEventCount", "InvokedEventCount", "FailedInvokeEventCount"}
        sent = figures(run, 60, "n").get(("NumberOfMessagesSent", 0))
        assert sent == (None if destination is None else (1, 1.0))


class TestOrder:
    """Of the rows."""

    def test_queues_come_after_functions_in_each_period(self) -> None:
        """Region, functions, queues; Lambda's own rows are those of ``cloudwatch_metrics``."""
        run = three_messages()
        rows = all_metrics(run.log, 5 * S, run.scenario)
        places = [(row.period_start_ns, bool(row.queue), row.queue, bool(row.function)) for row in rows]
        assert [place[:3] for place in places] == sorted(place[:3] for place in places)
        own = [row for row in rows if not row.queue]
        assert own == cloudwatch_metrics(run.log, 5 * S, run.scenario.limits_in_force())

    def test_without_queues_nothing_changes(self) -> None:
        """The same rows."""
        run = run_of(rows=[0, 1])
        expected = cloudwatch_metrics(run.log, S, run.scenario.limits_in_force())
        assert all_metrics(run.log, S, run.scenario) == expected


class TestSamples:
    """When gauges are sampled, and what the oldest message is then."""

    @pytest.mark.parametrize(
        ("end", "first", "expected"),
        [(25, 0, [10, 20, 25]), (30, 0, [10, 20, 30]), (25, 12, [20, 25]), (25, 20, [25]), (30, 30, [30]), (0, 0, [1])],
    )
    def test_times(self, end: int, first: int, expected: list[int]) -> None:
        """Ends of periods of 10 from the first message on, and the end of the run."""
        assert sample_times(end, 10, first).tolist() == expected

    def test_oldest(self) -> None:
        """Messages [0, 5), [2, 9), [3, 4) and [20, 30): at 4 the first, at 6 the second, at 9 none, at 25 the last."""
        sent, until = np.array([0, 2, 3, 20]), np.array([5, 9, 4, 30])
        at, age = oldest(np.array([4, 6, 9, 20, 25, 30]), sent, until)
        assert (at.tolist(), age.tolist()) == ([4, 6, 25], [4, 4, 5])
