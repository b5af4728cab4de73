"""SQS queues: what holds in every run, whatever its queues, limits and errors are."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np
import pytest

from lambdasim.eventlog.log import NOT_YET, EventLog, MessageOutcome, Result
from lambdasim.scenario.schema import Scenario
from tests.behaviour.queue_timeline import S, check_conservation, messages
from tests.builders import log_of, scenario, workload_of

CASES = range(40)


def anything(case: int) -> Scenario:
    """Two queues and their dead-letter queue, a request source beside them, and limits that hurt."""
    pick = Random(case)
    is_fifo = pick.random() < 0.5

    def queue(function: str) -> dict[str, Any]:
        size = pick.choice([1, 3, 10])
        mapping: dict[str, Any] = {
            "function": function,
            "batch_size": size,
            "partial_batch_failures": pick.random() < 0.5,
            "duration_per": pick.choice(["batch", "message"]),
        }
        if not is_fifo and pick.random() < 0.5:
            mapping["batch_window"] = pick.choice(["1s", "5s"])
        if pick.random() < 0.3:
            mapping["maximum_concurrency"] = pick.choice([2, 7])
        if pick.random() < 0.3:
            mapping["back_off"] = "none"
        made: dict[str, Any] = {
            "visibility_timeout": pick.choice(["8s", "20s"]),
            "retention": pick.choice(["60s", "1h"]),
            "delay": pick.choice(["0s", "3s"]),
            "event_source_mapping": mapping,
        }
        if pick.random() < 0.8:
            made |= {"max_receive_count": pick.choice([1, 3]), "dead_letter": "dlq"}
        if is_fifo:
            made["fifo"] = {"message_groups": pick.choice([1, 5, 50])}
        return made

    queues = {"q": queue("f"), "p": queue("g"), "dlq": {"fifo": {"message_groups": 3}} if is_fifo else {}}
    if pick.random() < 0.3:
        queues["dlq"] = {
            key: value for key, value in queue("g").items() if key not in ("dead_letter", "max_receive_count")
        }
    errors = {"rate": pick.choice(["0%", "20%"]), "poison": pick.choice(["0%", "10%"]), "crash": "2%"}
    return scenario(
        functions={
            "f": {
                "duration": {"exponential": {"mean": "1s"}},
                "timeout": "8s",
                "init": "500ms",
                "errors": errors,
                "async": {"on_failure": "dlq", "maximum_retry_attempts": 0},
            },
            "g": {"duration": "700ms", "timeout": "8s", "errors": errors},
        },
        queues=queues,
        traffic={
            "t": {"invoke": "sqs", "queue": "q", "rate": pick.choice(["2/s", "8/s"])},
            "u": {"invoke": "sqs", "queue": "p", "rate": pick.choice(["1/s", "5/s"])},
            "web": {"function": "f", "rate": "1/s"},
            "events": {"function": "f", "invoke": "async", "rate": "1/s"},
        },
        region={"concurrency_quota": pick.choice([3, 10, 100])},
        changes=[{"at": "40s", "redrive": {"queue": "dlq", "rate": "5/s"}}] if pick.random() < 0.5 else [],
        duration="60s",
        drain="300s",
    )


@pytest.fixture(params=CASES, name="made", scope="module")
def _made(request: pytest.FixtureRequest) -> tuple[Scenario, EventLog]:
    made = anything(request.param)
    return made, log_of(made)


class Seen:
    """The log of messages by message and by batch."""

    def __init__(self, log: EventLog) -> None:
        self.received: dict[int, list[int]] = defaultdict(list)
        self.batch: dict[int, list[int]] = defaultdict(list)
        self.rows: dict[int, list[int]] = defaultdict(list)
        for message, batch, time_ns in zip(
            log.deliveries.message.tolist(),
            log.deliveries.batch.tolist(),
            log.deliveries.received_ns.tolist(),
            strict=True,
        ):
            self.received[message].append(time_ns)
            self.batch[message].append(batch)
            self.rows[batch].append(message)
        found = zip(log.invocations.request.tolist(), log.invocations.attempt.tolist(), strict=True)
        row_of = {key: row for row, key in enumerate(found)}
        columns = log.batches
        self.invocation = [
            row_of[columns.request[i], columns.first_attempt[i] + columns.attempts[i] - 1]
            if columns.is_accepted[i]
            else NOT_YET
            for i in range(len(columns))
        ]


class TestInvariants:
    """Forty runs of a minute with queues of all kinds."""

    def test_nothing_is_lost_or_doubled(self, made: tuple[Scenario, EventLog]) -> None:
        """Each message is somewhere, once, and each attempt of a request has a number of its own.

        Of each event that was given up there is a record, or, where the destination is a FIFO queue, a failed delivery.
        """
        plan, log = made
        check_conservation(log)
        dropped = log.drops.request.tolist()
        from_events = sorted(row.request for row in messages(log) if row.request in set(dropped))
        is_fifo = plan.queues["dlq"].fifo is not None
        assert log.delivery_failures.request.tolist() == (dropped if is_fifo else [])
        assert from_events == ([] if is_fifo else dropped)
        numbers = list(zip(log.invocations.request.tolist(), log.invocations.attempt.tolist(), strict=True))
        numbers += list(zip(log.throttles.request.tolist(), log.throttles.attempt.tolist(), strict=True))
        assert len(numbers) == len(set(numbers))

    def test_no_message_is_received_while_it_is_hidden(self, made: tuple[Scenario, EventLog]) -> None:
        """From one receiving to the next the visibility timeout passes, and the first is after the delay."""
        scenario_of, log = made
        specs = list(scenario_of.queues.values())
        for message, times in Seen(log).received.items():
            queue = specs[log.messages.queue[message]]
            assert times[0] == log.messages.first_receive_ns[message] >= log.messages.sent_ns[message] + queue.delay
            assert all(later - earlier >= queue.visibility_timeout for earlier, later in pairwise(times))
            if queue.max_receive_count is not None:
                assert len(times) <= queue.max_receive_count
            if log.messages.outcome[message] == MessageOutcome.DEAD_LETTERED:
                assert len(times) == queue.max_receive_count
                assert log.messages.settled_ns[message] >= times[-1] + queue.visibility_timeout
            assert times[-1] - log.messages.sent_ns[message] < queue.retention

    def test_what_is_deleted_was_worked_on(self, made: tuple[Scenario, EventLog]) -> None:
        """At that instant an invocation of a batch with it ended, successfully; and only then is it deleted."""
        _, log = made
        seen = Seen(log)
        for message in np.flatnonzero(log.messages.outcome == MessageOutcome.DELETED).tolist():
            row = seen.invocation[seen.batch[message][-1]]
            assert row != NOT_YET
            assert log.invocations.result[row] == Result.OK
            assert log.invocations.end_ns[row] == log.messages.settled_ns[message]

    def test_a_batch_is_of_one_queue_and_not_too_large(self, made: tuple[Scenario, EventLog]) -> None:
        """Nor empty."""
        scenario_of, log = made
        specs = list(scenario_of.queues.values())
        for batch, rows in Seen(log).rows.items():
            mapping = specs[log.batches.queue[batch]].event_source_mapping
            assert mapping is not None
            assert 1 <= len(rows) == len(set(rows)) <= mapping.batch_size
            assert {int(log.messages.queue[row]) for row in rows} == {int(log.batches.queue[batch])}
            assert log.messages.request[rows[0]] == log.batches.request[batch]

    def test_places(self, made: tuple[Scenario, EventLog]) -> None:
        """Never more invocations of a queue at once than its maximum concurrency, or its start and growth, allow."""
        scenario_of, log = made
        seen = Seen(log)
        for number, queue in enumerate(scenario_of.queues.values()):
            mapping = queue.event_source_mapping
            if mapping is None:
                continue
            steps = []
            for batch in np.flatnonzero(log.batches.queue == number).tolist():
                row = seen.invocation[batch]
                if row != NOT_YET:
                    steps += [(int(log.invocations.admitted_ns[row]), 1), (int(log.clipped_end_ns[row]), -1)]
            level = 0
            for time_ns, step in sorted(steps):
                level += step
                assert level <= min(mapping.maximum_concurrency or 1250, 5 + 5 * time_ns / S)

    def test_groups(self, made: tuple[Scenario, EventLog]) -> None:
        """In a FIFO queue the messages of a group are received in the order of sending, one batch after the other."""
        scenario_of, log = made
        draws = workload_of(scenario_of).draws
        ordinals = _ordinals(log)
        for number, queue in enumerate(scenario_of.queues.values()):
            if queue.fifo is None or queue.event_source_mapping is None:
                continue
            last_first: dict[int, int] = {}
            for message in np.flatnonzero(log.messages.queue == number).tolist():
                request = int(log.messages.request[message])
                name = log.source_names[log.requests.source[request]]
                group = draws.message_group(name, ordinals[request], queue.fifo.message_groups)
                first = int(log.messages.first_receive_ns[message])
                if first != NOT_YET:
                    assert last_first.get(group, 0) <= first
                    last_first[group] = first

    def test_the_same_again(self, made: tuple[Scenario, EventLog]) -> None:
        """A scenario and its seed say everything."""
        scenario_of, log = made
        again = log_of(scenario_of)
        for table in ("messages", "batches", "deliveries", "invocations", "throttles"):
            for name in getattr(log, table).__slots__:
                assert np.array_equal(getattr(getattr(log, table), name), getattr(getattr(again, table), name)), name


def _ordinals(log: EventLog) -> list[int]:
    """Number of each request within its source."""
    counts: dict[int, int] = defaultdict(int)
    found = []
    for source in log.requests.source.tolist():
        found.append(counts[source])
        counts[source] += 1
    return found
