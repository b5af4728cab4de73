"""The blocks on queues and streams in the summary, and the table of messages, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lambdasim.metrics.batches import batch_rows
from lambdasim.metrics.message_history import NO_STAY, is_back_while_running, previous_outcomes
from lambdasim.metrics.shared_pool import most_concurrency
from lambdasim.metrics.tables import messages_table, structured
from tests.builders import scenario, trace
from tests.metrics.queues import queue_run, stream_run, three_messages
from tests.metrics.runs import run_of

NOTHING = dict.fromkeys(("p50", "p90", "p99", "max"))


class TestQueues:
    """The block ``queues``."""

    def test_every_figure_by_hand(self) -> None:
        """``three_messages``: ages when accepted 0 and 3 s; from 2 s on 2 s of message 0 are left and, until the queue
        is empty at 7 s, 2.5 s of message 1, for one unit of concurrency.
        """
        run = three_messages()
        assert run.log.end_ns == 10 * 10**9
        assert run.summary["queues"] == {
            "o": {
                "received": 3,
                "completed": 1,
                "dropped": 2,
                "in_flight": 0,
                "dropped_by_reason": {"dead_lettered": 2, "expired": 0, "stopped": 0},
                "dead_lettered_without_execution": 1,
                "messages": {
                    "sent": 3,
                    "deleted": 1,
                    "dead_lettered": 2,
                    "expired": 0,
                    "stopped": 0,
                    "redriven": 0,
                    "delayed": 0,
                    "visible": 0,
                    "in_flight": 0,
                },
                "receives": 3,
                "batches": 3,
                "most_waiting": 3,
                "age_s": {"p50": 0.0, "p90": 3.0, "p99": 3.0, "max": 3.0},
                "oldest_age_s": 5.0,
                "drain_s": 5.0,
                "drain_floor_s": 4.5,
            },
            "x": {
                "received": 2,
                "completed": 0,
                "dropped": 0,
                "in_flight": 2,
                "dropped_by_reason": {"dead_lettered": 0, "expired": 0, "stopped": 0},
                "dead_lettered_without_execution": 0,
                "messages": {
                    "sent": 2,
                    "deleted": 0,
                    "dead_lettered": 0,
                    "expired": 0,
                    "stopped": 0,
                    "redriven": 0,
                    "delayed": 0,
                    "visible": 2,
                    "in_flight": 0,
                },
                "receives": 0,
                "batches": 0,
                "most_waiting": 2,
                "age_s": NOTHING,
                "oldest_age_s": 3.5,
                "drain_s": None,
                "drain_floor_s": None,
            },
        }

    def test_they_stand_before_the_functions(self) -> None:
        """As the other blocks on the whole do; and only where there are any."""
        keys = list(three_messages().summary)
        assert keys.index("responses") < keys.index("queues") < keys.index("cost_usd") < keys.index("functions")
        assert not {"queues", "streams"} & set(run_of(rows=[0]).summary)

    def test_batches_are_not_messages(self) -> None:
        """Two messages at 0 and one at 1 s in batches of two: 2 batches, 3 receives; the one at 1 s waits 1 s."""
        run = queue_run(
            [0, 0, 1],
            mapping={"batch_size": 2, "batch_window": "1s"},
            function={"duration": "1s"},
        )
        block = run.summary["queues"]["o"]
        assert (block["batches"], block["receives"], block["most_waiting"]) == (2, 3, 2)
        assert block["age_s"]["max"] == 1.0

    def test_what_is_delayed_hidden_or_visible_at_the_end(self) -> None:
        """At 3 s: message 0 runs since 1 s, message 1 waits for it, as there is one place, message 2 is delayed yet."""
        run = queue_run(
            [0, 1, 2.5],
            queue={"delay": "1s"},
            mapping={"scaling": {"start": 1, "rate": 1, "per": "24h", "max": 1}},
            function={"duration": "4s"},
            duration="3s",
            drain="0s",
        )
        block = run.summary["queues"]["o"]
        assert {key: block["messages"][key] for key in ("sent", "in_flight", "visible", "delayed")} == {
            "sent": 3,
            "in_flight": 1,
            "visible": 1,
            "delayed": 1,
        }
        assert (block["in_flight"], block["drain_s"], block["oldest_age_s"]) == (3, None, 3.0)

    def test_expired(self) -> None:
        """A function that is stopped, and a minute of retention; the visibility timeout ends with it."""
        run = queue_run(
            [0], queue={"retention": "60s", "visibility_timeout": "30s"}, function={"reserved_concurrency": 0}
        )
        block = run.summary["queues"]["o"]
        assert block["dropped_by_reason"] == {"dead_lettered": 0, "expired": 1, "stopped": 0}
        assert (block["oldest_age_s"], block["drain_floor_s"], block["age_s"]) == (60.0, None, NOTHING)

    def test_concurrency_of_the_mapping_is_a_limit_as_well(self) -> None:
        """Four messages of 1 s at once and a maximum concurrency of 2: at least 2 s, and so it was."""
        block = queue_run([0, 0, 0, 0], mapping={"maximum_concurrency": 2}).summary["queues"]["o"]
        assert (block["drain_s"], block["drain_floor_s"]) == (2.0, 2.0)

    def test_message_groups_are_a_limit_as_well(self) -> None:
        """Three messages of 1 s in the one group of a FIFO queue: one after the other."""
        block = queue_run([0, 0, 0], queue={"fifo": {"message_groups": 1}}).summary["queues"]["o"]
        assert (block["drain_s"], block["drain_floor_s"]) == (3.0, 3.0)

    def test_redriven(self) -> None:
        """Message 0 fails at 1 s, is dead-lettered at 5 s, moved back at 8 s, and fails again."""
        run = queue_run(
            [0],
            queue={"max_receive_count": 1, "dead_letter": "x"},
            function={"errors": {"rate": "100%"}},
            others={"x": {}},
            changes=[{"at": "8s", "redrive": "x"}],
            duration="20s",
            drain="0s",
        )
        queues = run.summary["queues"]
        assert queues["o"]["messages"]["sent"] == queues["o"]["messages"]["dead_lettered"] == 2
        assert (queues["x"]["messages"]["redriven"], queues["x"]["messages"]["visible"]) == (1, 1)
        assert queues["o"]["dead_lettered_without_execution"] == 0
        assert (queues["x"]["completed"], queues["x"]["dropped"], queues["x"]["in_flight"]) == (0, 0, 1)

    @pytest.mark.parametrize("seed", range(3))
    def test_sums_add_up(self, seed: int) -> None:
        """Sent is the sum of the other states; the floor is no longer than it took. Many messages, some errors."""
        run = run_of(
            functions={"f": {"timeout": "5s", "reserved_concurrency": 2, "errors": {"rate": "30%"}}},
            queues={
                "o": {
                    "visibility_timeout": "6s",
                    "max_receive_count": 2,
                    "dead_letter": "x",
                    "event_source_mapping": {"function": "f", "batch_size": 3},
                },
                "x": {"event_source_mapping": {"function": "f"}},
            },
            traffic={"t": {"invoke": "sqs", "queue": "o", "rate": "6/s"}},
            duration="60s",
            drain="30s",
            seed=seed,
        )
        for block in run.summary["queues"].values():
            states = dict(block["messages"])
            assert states.pop("sent") == block["received"] == sum(states.values())
            assert block["received"] == block["completed"] + block["dropped"] + block["in_flight"] + states["redriven"]
            if block["drain_s"] is not None:
                assert block["drain_floor_s"] <= block["drain_s"]
        assert run.summary["queues"]["x"]["received"] == run.summary["queues"]["o"]["dropped"] > 0


class TestStreams:
    """The block ``streams``."""

    def test_every_figure_by_hand(self) -> None:
        """Read at 1 s: records of 0.2 and 0.4 s, which run to 2 s; then that of 0.6 s, which runs to 3 s.

        The last records of the batches are 0.6 and 1.4 s old when they are invoked with. At 0.6 s two batches of 1 s
        are left, for one shard.
        """
        run = stream_run([0.2, 0.4, 0.6])
        assert run.summary["streams"] == {
            "k": {
                "received": 3,
                "completed": 3,
                "dropped": 0,
                "in_flight": 0,
                "dropped_by_reason": {"discarded": 0, "expired": 0},
                "batches": 2,
                "most_waiting": 3,
                "age_s": {"p50": 0.6, "p90": 1.4, "p99": 1.4, "max": 1.4},
                "oldest_age_s": 2.4,
                "drain_s": 2.4,
                "drain_floor_s": 2.0,
            }
        }

    def test_discarded(self) -> None:
        """The one try of both records fails at 2 s."""
        run = stream_run([0.2, 0.4], mapping={"maximum_retry_attempts": 0}, function={"errors": {"rate": "100%"}})
        block = run.summary["streams"]["k"]
        assert (block["dropped"], block["dropped_by_reason"]) == (2, {"discarded": 2, "expired": 0})
        assert block["oldest_age_s"] == pytest.approx(1.8)

    def test_one_key_is_read_in_order(self) -> None:
        """Four shards help nothing: two batches of 1 s, one after the other, are left at 0.6 s."""
        run = run_of(
            streams={
                "k": {"shards": 4, "partition_keys": 1, "event_source_mapping": {"function": "f", "batch_size": 2}}
            },
            traffic={"t": {"invoke": "stream", "stream": "k", "trace": trace([0.2, 0.4, 0.6])}},
        )
        block = run.summary["streams"]["k"]
        assert (block["drain_s"], block["drain_floor_s"]) == (2.4, 2.0)

    def test_left_at_the_end(self) -> None:
        """At 1.5 s one batch runs, one record waits."""
        block = stream_run([0.2, 0.4, 0.6], duration="1500ms", drain="0s").summary["streams"]["k"]
        assert (block["in_flight"], block["drain_s"], block["batches"]) == (3, None, 1)


class TestTable:
    """``result.messages`` and messages.csv."""

    def test_one_row_for_each_stay(self) -> None:
        """``three_messages``, in the order in which they came."""
        run = three_messages()
        rows = structured(messages_table(run.log, 0, 5))
        nothing = float("nan")
        assert rows.dtype.names == (
            "message",
            "queue",
            "sent_s",
            "receives",
            "first_receive_s",
            "outcome",
            "settled_s",
            "without_execution",
        )
        expected: list[tuple[Any, ...]] = [
            (0, "o", 0.0, 1, 0.0, "deleted", 4.0, False),
            (1, "o", 1.5, 1, 1.5, "dead_lettered", 6.5, False),
            (2, "o", 2.0, 1, 2.0, "dead_lettered", 7.0, True),
            (1, "x", 6.5, 0, nothing, "visible", nothing, False),
            (2, "x", 7.0, 0, nothing, "visible", nothing, False),
        ]
        assert len(rows) == len(expected)
        for row, wanted in zip(rows.tolist(), expected, strict=True):
            assert [str(cell) for cell in row] == [str(cell) for cell in wanted]

    def test_records_too_old_for_a_stopped_function(self) -> None:
        """Discarded without execution; a record that ran and failed is not."""
        stopped = stream_run([0.2], mapping={"maximum_record_age": "60s"}, function={"reserved_concurrency": 0})
        failed = stream_run([0.2], mapping={"maximum_retry_attempts": 0}, function={"errors": {"rate": "100%"}})
        for run, expected in ((stopped, True), (failed, False)):
            rows = structured(messages_table(run.log, 0, 1))
            assert (rows["outcome"].tolist(), rows["without_execution"].tolist()) == (["discarded"], [expected])

    def test_events_in_a_destination_have_rows_as_well(self) -> None:
        """The record of an event that succeeded at 1 s."""
        run = run_of(
            functions={"f": {"async": {"on_success": "n", "dispatch_delay": "0s"}}},
            queues={"n": {}},
            traffic={"t": {"function": "f", "invoke": "async", "trace": trace([0])}},
        )
        rows = structured(messages_table(run.log, 0, 9))
        assert rows[["message", "queue", "sent_s", "outcome"]].tolist() == [(0, "n", 1.0, "visible")]


class TestHistory:
    """How a message came into a queue, and back into view."""

    def test_the_stay_before(self) -> None:
        """None for messages of a source; dead-lettered for those in ``x``."""
        previous = previous_outcomes(three_messages().log).tolist()
        assert previous == [NO_STAY, NO_STAY, NO_STAY, 1, 1]

    def test_dead_lettered_while_it_runs(self) -> None:
        """Message 1 of ``three_messages``, from 6.5 to 8.5 s."""
        log = three_messages().log
        assert is_back_while_running(log, batch_rows(log)).tolist() == [False, True, False, False, False]

    def test_received_again_while_it_runs(self) -> None:
        """The same without a dead-letter queue: message 1 is received again at 6.5 s; message 2, at 7 s, never ran."""
        run = queue_run([0, 1.5, 2], function={"duration": "4s", "reserved_concurrency": 1}, duration="8s", drain="0s")
        assert is_back_while_running(run.log, batch_rows(run.log)).tolist() == [False, True, False]

    def test_received_again_after_it_failed(self) -> None:
        """From 0 to 1 s, and again from 5 s: not at once."""
        run = queue_run([0], function={"errors": {"rate": "100%"}}, duration="8s", drain="0s")
        assert len(run.log.invocations) == 2
        assert not np.any(is_back_while_running(run.log, batch_rows(run.log)))


def test_the_most_concurrency_from_a_time_on() -> None:
    """Reserved 2, then 5 from 10 s and 3 from 20 s on; without a reservation what others leave of the quota."""
    made = scenario(
        functions={"f": {"reserved_concurrency": 2}, "g": {}},
        region={"concurrency_quota": 100},
        traffic={"t": {"function": "f", "trace": trace([0])}},
        changes=[
            {"at": "10s", "functions": {"f": {"reserved_concurrency": 5}}},
            {"at": "20s", "functions": {"f": {"reserved_concurrency": 3}}},
        ],
    )
    found = [most_concurrency(made.limits_in_force(), "f", at_s * 10**9) for at_s in (0, 15, 20, 30)]
    assert found == [5, 5, 3, 3]
    assert [most_concurrency(made.limits_in_force(), "g", at_s * 10**9) for at_s in (0, 15, 20)] == [98, 97, 97]
