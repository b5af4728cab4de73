"""Asynchronous events whose records go to a queue, and what that queue does with them."""

from __future__ import annotations

from typing import Any

import pytest

from lambdasim.eventlog.log import EventLog
from tests.behaviour.queue_timeline import EXACT, check_conservation, messages, outcomes
from tests.behaviour.timeline import end_s, invocations, throttles
from tests.builders import run, trace

TEXTBOOK = {"jitter": "none", "slow_down": "none", "dispatch_delay": "0s"}
FAILS = {"errors": {"rate": "100%"}}


def events(
    rows: list[Any],
    block: dict[str, Any],
    *,
    function: dict[str, Any] | None = None,
    g: dict[str, Any] | None = None,
    queue: dict[str, Any] | None = None,
    polled: bool = True,
    traffic: dict[str, Any] | None = None,
    **parts: Any,
) -> EventLog:
    """Events of f, whose records go to queue ``d`` as the block says; g is invoked with them unless nobody polls."""
    destination = dict(queue or {})
    if polled:
        destination["event_source_mapping"] = {"function": "g", "batch_size": 1, **EXACT}
    log = run(
        functions={"f": {**(function or {}), "async": {**TEXTBOOK, **block}}, "g": {"timeout": "30s", **(g or {})}},
        queues={"d": destination, **parts.pop("queues", {})},
        traffic={"t": {"function": "f", "invoke": "async", "trace": trace(rows)}, **(traffic or {})},
        **parts,
    )
    check_conservation(log)
    return log


def attempts(log: EventLog) -> list[tuple[str, int, int, float, float | None]]:
    """(function, request, attempt, start, end) of each invocation."""
    names = [log.function_names[number] for number in log.invocations.function.tolist()]
    return [
        (name, row.request, row.attempt, row.admitted, row.end)
        for name, row in zip(names, invocations(log), strict=True)
    ]


class TestSuccess:
    """on_success."""

    def test_a_record_at_the_end(self) -> None:
        """f works from 3 to 5; the record is in the queue at 5, and g works on it for 1 s, as the second attempt."""
        log = events([(3, 2)], {"on_success": "d"})
        assert attempts(log) == [("f", 0, 1, 3, 5), ("g", 0, 2, 5, 6)]
        assert messages(log) == [(0, "d", 5, 1, "deleted", 6)]

    def test_the_request_was_completed_before(self) -> None:
        """At 5, after one attempt."""
        assert outcomes(events([(3, 2)], {"on_success": "d"})) == [("completed", 5, 1)]

    @pytest.mark.parametrize(("function", "key", "lost"), [({}, "on_success", 1), (FAILS, "on_failure", 183)])
    def test_a_fifo_queue_is_no_destination(self, function: dict[str, Any], key: str, lost: float) -> None:
        """The record is lost at the end: at 1, or when the third failure ends at 183; the event has its outcome."""
        log = events([0], {key: "d"}, function=function, queue={"fifo": {"message_groups": 1}})
        assert messages(log) == []
        failures = log.delivery_failures
        assert (failures.request.tolist(), (failures.time_ns / 1e9).tolist()) == ([0], [lost])
        assert outcomes(log)[0][0] == ("dropped" if function else "completed")
        standard = events([0], {key: "d"}, function=function)
        assert (len(standard.delivery_failures), len(messages(standard))) == (0, 1)

    def test_whatever_becomes_of_the_record(self) -> None:
        """g fails twice, and the record is dead-lettered at 61; the event is completed all the same."""
        log = events(
            [0], {"on_success": "d"}, g=FAILS, queue={"max_receive_count": 2, "dead_letter": "e"}, queues={"e": {}}
        )
        assert [row[2:4] for row in attempts(log)] == [(1, 0), (2, 1), (3, 31)]
        assert messages(log) == [(0, "d", 1, 2, "dead_lettered", 61), (0, "e", 61, 0, "visible", None)]
        assert outcomes(log) == [("completed", 1, 1)]

    def test_no_record_of_a_failure(self) -> None:
        """Dropped at 183 without one."""
        log = events([0], {"on_success": "d"}, function=FAILS)
        assert messages(log) == []
        assert outcomes(log) == [("dropped", 183, 3)]

    def test_the_queue_s_delay(self) -> None:
        """In the queue at 1, received at 11."""
        assert attempts(events([0], {"on_success": "d"}, queue={"delay": "10s"}))[1][3] == 11

    def test_the_work_of_the_other_function_is_its_own(self) -> None:
        """5 s, though the event's row says 2 s."""
        log = events([(0, 2)], {"on_success": "d"}, g={"duration": "5s"})
        assert attempts(log)[1] == ("g", 0, 2, 2, 7)

    def test_the_run_waits_for_whoever_polls(self) -> None:
        """Duration 1 s: until 2 s with g, and no longer than the event without."""
        assert end_s(events([0], {"on_success": "d"}, duration="1s")) == 2
        log = events([0], {"on_success": "d"}, duration="1s", polled=False)
        assert end_s(log) == 1
        assert messages(log) == [(0, "d", 1, 0, "visible", None)]

    def test_many(self) -> None:
        """20 events of 1 s at 0: 20 records, five at once and more by 0.2 s; each event has one attempt of its own."""
        log = events([0] * 20, {"on_success": "d"})
        assert [row.request for row in messages(log)] == list(range(20))
        assert outcomes(log) == [("completed", 1, 1)] * 20
        assert sorted(row[3] for row in attempts(log) if row[0] == "g")[:7] == [1] * 5 + [1.2, 1.4]


class TestFailure:
    """on_failure, and the dead-letter queue of the function, which is the older way."""

    @pytest.mark.parametrize("key", ["on_failure", "dead_letter"])
    def test_retries_exhausted(self, key: str) -> None:
        """T80: tried at 0, 61 and 182, given up at 183; g is the fourth attempt."""
        log = events([0], {key: "d"}, function=FAILS)
        assert attempts(log) == [
            ("f", 0, 1, 0, 1),
            ("f", 0, 2, 61, 62),
            ("f", 0, 3, 182, 183),
            ("g", 0, 4, 183, 184),
        ]
        assert messages(log) == [(0, "d", 183, 1, "deleted", 184)]
        assert outcomes(log) == [("dropped", 183, 3)]

    def test_no_record_of_a_success(self) -> None:
        """Completed at 1 without one."""
        log = events([0], {"on_failure": "d"})
        assert messages(log) == []

    def test_a_reservation_of_0(self) -> None:
        """Dropped at once; g's attempt is the first."""
        log = events([3], {"on_failure": "d"}, function={"reserved_concurrency": 0})
        assert attempts(log) == [("g", 0, 1, 3, 4)]
        assert outcomes(log) == [("dropped", 3, 0)]

    def test_too_old(self) -> None:
        """Maximum age 60 s, and a request has the only unit until 40: tried at 1, 2, 4, 8, 16 and 32; given up at 32.

        g is refused at 32, 33, 35 and 39, and gets the unit at 47.
        """
        log = events(
            [1],
            {"on_failure": "d", "maximum_event_age": "60s"},
            traffic={"hold": {"function": "f", "trace": trace([(0, 40)])}},
            region={"concurrency_quota": 1},
        )
        assert [(row.attempt, row.time) for row in throttles(log)] == list(
            zip(range(1, 11), (1, 2, 4, 8, 16, 32, 32, 33, 35, 39), strict=True)
        )
        assert attempts(log)[-1] == ("g", 1, 11, 47, 48)
        assert outcomes(log)[1] == ("dropped", 32, 6)

    def test_both_destinations(self) -> None:
        """Half of the invocations fail and there is no retry: each event has its record in one of the two queues."""
        log = events(
            [0] * 40,
            {"on_success": "d", "on_failure": "e", "maximum_retry_attempts": 0},
            function={"errors": {"rate": "50%"}},
            queues={"e": {}},
        )
        found = {row.request: row.queue for row in messages(log)}
        assert len(messages(log)) == len(found) == 40
        assert found == {i: "d" if outcome == "completed" else "e" for i, (outcome, _, _) in enumerate(outcomes(log))}
        assert set(found.values()) == {"d", "e"}
        assert {row.sent for row in messages(log)} == {1}


class TestBoth:
    """Events and messages of one run."""

    def test_a_queue_with_messages_of_its_own(self) -> None:
        """d has a message of 0 s beside the record of 1 s: g gets both, and each is its own request."""
        log = events([0], {"on_success": "d"}, traffic={"u": {"invoke": "sqs", "queue": "d", "trace": trace([(0, 4)])}})
        assert [row.queue for row in messages(log)] == ["d", "d"]
        assert sorted(attempts(log)) == [("f", 0, 1, 0, 1), ("g", 0, 2, 1, 2), ("g", 1, 1, 0, 4)]
        assert outcomes(log) == [("completed", 1, 1), ("completed", 4, 1)]

    def test_a_record_that_makes_the_same_function_work(self) -> None:
        """d invokes f itself, synchronously: once more, and no second record."""
        log = run(
            functions={"f": {"timeout": "30s", "async": {**TEXTBOOK, "on_success": "d"}}},
            queues={"d": {"event_source_mapping": {"function": "f", "batch_size": 1, **EXACT}}},
            traffic={"t": {"function": "f", "invoke": "async", "trace": trace([0])}},
        )
        check_conservation(log)
        assert attempts(log) == [("f", 0, 1, 0, 1), ("f", 0, 2, 1, 2)]
        assert messages(log) == [(0, "d", 1, 1, "deleted", 2)]

    def test_records_of_a_batch(self) -> None:
        """Three events end at 1; their records are one batch of g."""
        log = run(
            functions={"f": {"async": {**TEXTBOOK, "on_success": "d"}}, "g": {"timeout": "30s"}},
            queues={"d": {"event_source_mapping": {"function": "g", "batch_size": 3, "batch_window": "5s", **EXACT}}},
            traffic={"t": {"function": "f", "invoke": "async", "trace": trace([0, 0, 0])}},
        )
        check_conservation(log)
        assert [row for row in attempts(log) if row[0] == "g"] == [("g", 0, 2, 1, 2)]
        assert outcomes(log) == [("completed", 1, 1)] * 3
