"""The paragraphs on queues and streams, and what they make one try next."""

from __future__ import annotations

import re
from typing import Any

import pytest

import lambdasim as ls
from lambdasim.report.advice import next_steps
from lambdasim.report.text_waiting_work import waiting_work
from tests.metrics.queues import queue_run, stream_run, three_messages
from tests.metrics.runs import run_of
from tests.metrics.test_text_summary import text_of

# More comes than three units of concurrency can work on, and the visibility timeout is short.
THROTTLED: dict[str, Any] = {
    "duration": "20s",
    "drain": "10m",
    "seed": 1,
    "functions": {"w": {"duration": "2800ms", "init": "0s", "timeout": "3s", "reserved_concurrency": 3}},
    "queues": {
        "o": {
            "visibility_timeout": "4s",
            "max_receive_count": 3,
            "dead_letter": "x",
            "event_source_mapping": {"function": "w", "batch_size": 1},
        },
        "x": {},
    },
    "traffic": {"t": {"invoke": "sqs", "queue": "o", "rate": "4/s"}},
}


class TestParagraphs:
    """For a newcomer, with the figures of the summary."""

    def test_a_queue(self) -> None:
        """``three_messages``; one of two dead-lettered messages never ran."""
        text = text_of(three_messages())
        expected = [
            "Queue o 3 messages came; 1 deleted after success. 2 went to the dead-letter queue x, having been",
            "1 message reached the dead-letter queue WITHOUT your code ever running",
            "the batch was throttled until their visibility timeout (5s) was over",
            "Age when the function was invoked: 0s (median), 3s (p99), 3s at most.",
            "The oldest message was there for 5s.",
            "3 batches with 1 message on average; each message was received once. At most 3 were in the queue at once.",
            "It was empty 5s after the last message came; at full concurrency the rest of the work takes 4.5s.",
            "Queue x 2 messages came. Still there when the run ended: 2 waiting to be received; it has no event source",
        ]
        assert [words for words in expected if words not in text] == []

    def test_a_stream(self) -> None:
        """Two records are given up; their note waits in a queue."""
        run = stream_run(
            [0.2, 0.4],
            mapping={"maximum_retry_attempts": 0, "on_failure": "n"},
            function={"errors": {"rate": "100%"}},
            queues={"n": {}},
        )
        text = text_of(run)
        expected = [
            "Stream k 2 records came; 0 processed. 2 records were discarded by the mapping",
            "notes on them went to n.",
            "Iterator age when the function was invoked: 600ms (median)",
            "1 batch; at most 2 records waited or were under way at once.",
            "Queue n 1 message came.",
        ]
        assert [words for words in expected if words not in text] == []

    def test_nothing_about_what_got_nothing(self) -> None:
        """No paragraph for a dead-letter queue that stays empty, or without queues."""
        run = queue_run([0], queue={"max_receive_count": 1, "dead_letter": "x"}, others={"x": {}})
        assert [heading for heading, _ in waiting_work(run)] == ["Queue o"]
        assert list(waiting_work(run_of(rows=[0]))) == []

    def test_heading_of_the_latencies(self) -> None:
        """Nobody waits for an answer."""
        assert "From the message to its completion" in text_of(three_messages())


@pytest.mark.filterwarnings("ignore::lambdasim.ScenarioWarning")
class TestAdvice:
    """Sentences with keys that can be pasted, and that help."""

    def keys(self, step: str) -> dict[str, str]:
        """What a step sets."""
        return dict(re.findall(r"--set ([\w.]+)=(\w+)", step))

    def test_dead_lettered_without_execution(self) -> None:
        """First of all; as many batches at once as are reserved leaves none of them, and so says the run."""
        result = ls.simulate(THROTTLED)
        unread, back, *_ = next_steps(result, {})
        count = result.summary["queues"]["o"]["dead_lettered_without_execution"]
        assert unread.startswith(f"{count} messages were dead-lettered by o though the code never ran")
        assert self.keys(unread) == {
            "queues.o.event_source_mapping.maximum_concurrency": "3",
            "queues.o.max_receive_count": "6",
        }
        assert "of o came back while an invocation with them still ran" in back
        assert self.keys(back) == {"queues.o.visibility_timeout": "18s"}
        better = ls.simulate(THROTTLED, set={"queues.o.event_source_mapping.maximum_concurrency": 3})
        assert better.summary["queues"]["o"]["dropped"] == 0
        assert "dead-lettered" not in " ".join(next_steps(better, {}))

    def test_no_fewer_than_two(self) -> None:
        """AWS takes no maximum concurrency of 1: then more has to be reserved as well."""
        (step, *_) = next_steps(three_messages(), {})
        assert self.keys(step) == {
            "queues.o.event_source_mapping.maximum_concurrency": "2",
            "functions.f.reserved_concurrency": "2",
            "queues.o.max_receive_count": "5",
        }

    def test_queues_share_what_a_function_may_have(self) -> None:
        """Nine units for two queues: four batches at once for each."""
        mapped = THROTTLED["queues"]["o"]
        queues = {**THROTTLED["queues"], "p": {**mapped, "visibility_timeout": "3s"}}
        traffic = {name: {"invoke": "sqs", "queue": name, "rate": "10/s"} for name in ("o", "p")}
        result = ls.simulate(
            {**THROTTLED, "queues": queues, "traffic": traffic}, set={"functions.w.reserved_concurrency": 9}
        )
        steps = next_steps(result, {})
        for name, step in zip("op", steps, strict=False):
            assert self.keys(step)[f"queues.{name}.event_source_mapping.maximum_concurrency"] == "4"

    def test_nothing_where_all_is_well(self) -> None:
        """One message, at once."""
        assert "queues." not in " ".join(next_steps(queue_run([0]), {}))
