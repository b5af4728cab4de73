"""Dead-letter queues, how long messages are kept, moving them back, and loops of queues."""

from __future__ import annotations

from typing import Any

import pytest

from tests.behaviour.queue_timeline import (
    EXACT,
    ONE_PLACE,
    batches,
    fates,
    messages,
    outcomes,
    queued,
    starts,
    worked_on,
)
from tests.behaviour.timeline import end_s, invocations
from tests.builders import trace

ONCE = {"max_receive_count": 1, "dead_letter": "dlq"}
TWICE = {"max_receive_count": 2, "dead_letter": "dlq"}
POISON = {"errors": {"poison": "100%"}}


def polled(function: str = "g", **more: Any) -> dict[str, Any]:
    """A queue with a mapping."""
    return {"event_source_mapping": {"function": function, "batch_size": 1, **EXACT}, **more}


class TestPolled:
    """A dead-letter queue that feeds another function."""

    def test_the_other_function_gets_the_message(self) -> None:
        """Two failures of f, then g from 60 to 63, whose duration is its own; attempts are numbered through."""
        log = queued(
            [(0, 7)], queue=TWICE, function=POISON, queues={"dlq": polled()}, functions={"g": {"duration": "3s"}}
        )
        assert [(row.request, row.attempt, row.admitted, row.end) for row in invocations(log)] == [
            (0, 1, 0, 7),
            (0, 2, 30, 37),
            (0, 3, 60, 63),
        ]
        assert [log.function_names[number] for number in log.invocations.function.tolist()] == ["f", "f", "g"]
        assert messages(log) == [(0, "q", 0, 2, "dead_lettered", 60), (0, "dlq", 60, 1, "deleted", 63)]

    def test_the_request_was_dropped_all_the_same(self) -> None:
        """At 60, after the two attempts of its own queue."""
        log = queued([0], queue=TWICE, function=POISON, queues={"dlq": polled()}, functions={"g": {}})
        assert outcomes(log) == [("dropped", 60, 2)]

    def test_the_run_waits_for_it(self) -> None:
        """Duration 5 s: it ends at 61."""
        log = queued([0], queue=TWICE, function=POISON, queues={"dlq": polled()}, functions={"g": {}}, duration="5s")
        assert end_s(log) == 61

    def test_a_dead_letter_queue_of_a_dead_letter_queue(self) -> None:
        """f fails at 0, g at 30 with another visibility timeout of 10 s, and h gets it at 40."""
        fails = {"errors": {"rate": "100%"}}
        log = queued(
            [0],
            queue=ONCE,
            function=fails,
            queues={
                "dlq": polled("g", visibility_timeout="10s", max_receive_count=1, dead_letter="last"),
                "last": polled("h"),
            },
            functions={"g": fails, "h": {}},
        )
        assert messages(log) == [
            (0, "q", 0, 1, "dead_lettered", 30),
            (0, "dlq", 30, 1, "dead_lettered", 40),
            (0, "last", 40, 1, "deleted", 41),
        ]

    def test_the_same_function_again(self) -> None:
        """Its code fails for this message, there as well."""
        log = queued(
            [0], queue=ONCE, function=POISON, queues={"dlq": polled("f", max_receive_count=1, dead_letter="last")}
        )
        assert [row[1:] for row in fates(log, "dlq")] == [("dead_lettered", 60)]

    def test_a_delay_of_the_dead_letter_queue(self) -> None:
        """In it at 30, visible at 40."""
        log = queued([0], queue=ONCE, function=POISON, queues={"dlq": polled(delay="10s")}, functions={"g": {}})
        assert starts(log) == [0, 40]

    def test_messages_come_in_one_by_one(self) -> None:
        """Ten of a batch are dead-lettered together at 60, and g gets them in their order."""
        log = queued(
            [0] * 10,
            queue=TWICE,
            function=POISON,
            mapping={"batch_size": 10, "batch_window": "1s"},
            queues={"dlq": polled()},
            functions={"g": {}},
        )
        assert [row[0] for row in fates(log, "dlq")] == list(range(10))
        assert [row.request for row in sorted(invocations(log), key=lambda row: (row.admitted, row.request))][
            2:
        ] == list(range(10))
        assert fates(log) == [(i, "dead_lettered", 60) for i in range(10)]


class TestRetention:
    """A message is kept for so long, from its sending."""

    def test_one_that_waits(self) -> None:
        """One place, taken for 80 s: the message of 1 is gone at 61, exactly."""
        log = queued(
            [(0, 80), 1], queue={"retention": "60s", "visibility_timeout": "90s"}, mapping=ONE_PLACE, duration="10s"
        )
        assert messages(log) == [(0, "q", 0, 1, "deleted", 80), (1, "q", 1, 0, "expired", 61)]
        assert outcomes(log)[1] == ("dropped", 61, 0)

    def test_a_place_that_is_free_at_that_instant_is_too_late(self) -> None:
        """The place is free at 61, when the message is gone; 1 ns earlier it is received."""
        queue = {"retention": "60s", "visibility_timeout": "90s"}
        assert fates(queued([(0, 61), 1], queue=queue, mapping=ONE_PLACE))[1] == (1, "expired", 61)
        in_time = fates(queued([(0, 60.999999999), 1], queue=queue, mapping=ONE_PLACE))[1]
        assert in_time == (1, "deleted", 61.999999999)

    def test_one_that_is_delayed(self) -> None:
        """Delayed for 15 min, kept for 1: gone at 60, never received."""
        log = queued([0], queue={"retention": "60s", "delay": "15m"}, duration="10s")
        assert messages(log) == [(0, "q", 0, 0, "expired", 60)]
        assert end_s(log) == 60

    def test_one_that_is_worked_on(self) -> None:
        """Received at 50, at work until 70: deleted, though 60 s are over."""
        log = queued([(0, 20)], queue={"retention": "60s", "delay": "50s"})
        assert fates(log) == [(0, "deleted", 70)]

    def test_one_that_comes_back_too_late(self) -> None:
        """Received at 50, failed at 51, visible at 80: gone then."""
        log = queued([0], queue={"retention": "60s", "delay": "50s"}, function=POISON, duration="10s")
        assert messages(log) == [(0, "q", 0, 1, "expired", 80)]
        assert end_s(log) == 80

    def test_one_that_comes_back_too_late_while_all_places_are_taken(self) -> None:
        """The same; from 61 to 90 another message has the only place, and nobody could receive this one at 80."""
        repair = {"at": "1s", "functions": {"f": {"errors": {"poison": "0%"}}}}
        log = queued(
            [0, (2, 10), (3, 29)],
            queue={"retention": "60s", "delay": "50s"},
            function=POISON,
            mapping=ONE_PLACE,
            changes=[repair],
        )
        assert worked_on(log) == [([0], [50]), ([1], [52]), ([2], [62])]
        assert fates(log) == [(0, "expired", 80), (1, "deleted", 62), (2, "deleted", 91)]

    def test_in_a_standard_dead_letter_queue_it_goes_on(self) -> None:
        """Sent at 0, dead-lettered at 30, kept there for 100 s from 0 on."""
        log = queued([0], queue=ONCE, function=POISON, queues={"dlq": {"retention": "100s"}})
        assert messages(log) == [(0, "q", 0, 1, "dead_lettered", 30), (0, "dlq", 30, 0, "expired", 100)]

    def test_in_a_fifo_dead_letter_queue_it_starts_again(self) -> None:
        """Kept there for 100 s from 30 on."""
        fifo = {"fifo": {"message_groups": 1}}
        log = queued([0], queue={**ONCE, **fifo}, function=POISON, queues={"dlq": {"retention": "100s", **fifo}})
        assert messages(log) == [(0, "q", 0, 1, "dead_lettered", 30), (0, "dlq", 30, 0, "expired", 130)]

    def test_too_old_for_the_dead_letter_queue(self) -> None:
        """Dead-lettered at 90, kept there for 60 s from 0 on: gone at once, and g never gets it."""
        log = queued(
            [0],
            queue={**TWICE, "max_receive_count": 3},
            function=POISON,
            queues={"dlq": polled(retention="60s")},
            functions={"g": {}},
        )
        assert messages(log) == [(0, "q", 0, 3, "dead_lettered", 90), (0, "dlq", 90, 0, "expired", 90)]

    def test_expired_rather_than_dead_lettered(self) -> None:
        """Retention 60 s: at 60 it would be received for the third time, and is gone."""
        log = queued([0], queue={**TWICE, "retention": "60s"}, function=POISON)
        assert messages(log) == [(0, "q", 0, 2, "expired", 60)]


class TestRedrive:
    """Messages go back from a dead-letter queue to where they came from."""

    def test_one_by_one_and_as_new(self) -> None:
        """Three are dead-lettered at 60. Moved at 100, 101 and 102, each tried twice again, and back after 60 s."""
        log = queued(
            [0] * 3, queue=TWICE, function=POISON, changes=[{"at": "100s", "redrive": {"queue": "dlq", "rate": "1/s"}}]
        )
        assert [(row.sent, row.receives, row.outcome, row.settled) for row in messages(log, "q")] == [
            *[(0, 2, "dead_lettered", 60)] * 3,
            *[(100 + i, 2, "dead_lettered", 160 + i) for i in range(3)],
        ]
        assert [(row.sent, row.receives, row.outcome, row.settled) for row in messages(log, "dlq")] == [
            *[(60, 0, "redriven", 100 + i) for i in range(3)],
            *[(160 + i, 0, "visible", None) for i in range(3)],
        ]
        assert [row.attempt for row in invocations(log)] == [1, 2, 3, 4] * 3

    def test_500_a_second_by_default(self) -> None:
        """At 100, 100.002 and 100.004."""
        log = queued([0] * 3, queue=TWICE, function=POISON, changes=[{"at": "100s", "redrive": "dlq"}])
        assert [row.settled for row in messages(log, "dlq")[:3]] == [100, 100.002, 100.004]

    def test_repaired_meanwhile(self) -> None:
        """Stopped until 50 s, dead-lettered at 30 without an execution, moved at 100 and deleted at 101."""
        log = queued(
            [0],
            queue=ONCE,
            function={"reserved_concurrency": 0},
            changes=[
                {"at": "50s", "functions": {"f": {"reserved_concurrency": "none"}}},
                {"at": "100s", "redrive": "dlq"},
            ],
        )
        assert messages(log) == [
            (0, "q", 0, 1, "dead_lettered", 30),
            (0, "dlq", 30, 0, "redriven", 100),
            (0, "q", 100, 1, "deleted", 101),
        ]
        # Tried at 0, 1, 3, 7 and 15, and at 100: the request was completed in its own queue after all.
        assert outcomes(log) == [("completed", 101, 6)]

    def test_only_what_is_there_then(self) -> None:
        """0 and 1 are there at 40, 2 comes at 42: at 40 and 45 the two are moved, and 2 stays."""
        log = queued(
            [0, 0, 12],
            queue=ONCE,
            function=POISON,
            changes=[{"at": "40s", "redrive": {"queue": "dlq", "rate": "0.2/s"}}],
            duration="50s",
            drain="0s",
        )
        assert fates(log, "dlq") == [(0, "redriven", 40), (1, "redriven", 45), (2, "visible", None)]

    @pytest.mark.parametrize("rate", ["0.05/s", "0.1/s"])
    def test_what_has_expired_meanwhile_is_left_out(self, rate: str) -> None:
        """Sent at 0 and 5, in a queue that keeps them until 100 and 105: at 95 the first, and the second never.

        Its turn is 20 s later, at 115, or 10 s later, at the very instant at which it is gone.
        """
        log = queued(
            [0, 5],
            queue=ONCE,
            function=POISON,
            queues={"dlq": {"retention": "100s"}},
            changes=[{"at": "95s", "redrive": {"queue": "dlq", "rate": rate}}],
        )
        assert fates(log, "dlq")[:2] == [(0, "redriven", 95), (1, "expired", 105)]

    def test_they_are_kept_from_then_on(self) -> None:
        """q keeps them for 70 s, from 100 on after the move: dead-lettered at 160, not expired at 100."""
        log = queued(
            [0], queue={**TWICE, "retention": "70s"}, function=POISON, changes=[{"at": "100s", "redrive": "dlq"}]
        )
        assert fates(log) == [(0, "dead_lettered", 60), (0, "dead_lettered", 160)]

    def test_twice(self) -> None:
        """Dead-lettered at 30, moved at 100, dead-lettered at 130, moved at 200, dead-lettered at 230."""
        changes = [{"at": "100s", "redrive": "dlq"}, {"at": "200s", "redrive": "dlq"}]
        log = queued([0], queue=ONCE, function=POISON, changes=changes)
        assert [(row.queue, row.outcome, row.settled) for row in messages(log)] == [
            ("q", "dead_lettered", 30),
            ("dlq", "redriven", 100),
            ("q", "dead_lettered", 130),
            ("dlq", "redriven", 200),
            ("q", "dead_lettered", 230),
            ("dlq", "visible", None),
        ]

    def test_an_empty_queue(self) -> None:
        """Nothing happens."""
        log = queued([0], queue=ONCE, changes=[{"at": "100s", "redrive": "dlq"}])
        assert messages(log) == [(0, "q", 0, 1, "deleted", 1)]

    def test_each_to_where_it_came_from(self) -> None:
        """Two queues with one dead-letter queue."""
        log = queued(
            [0],
            queue=ONCE,
            function=POISON,
            queues={"p": polled("f", **ONCE)},
            traffic={"u": {"invoke": "sqs", "queue": "p", "trace": trace([1])}},
            changes=[{"at": "100s", "redrive": "dlq"}],
        )
        assert [(row.request, row.queue, row.sent) for row in messages(log) if row.sent in (100, 100.002)] == [
            (0, "q", 100),
            (1, "p", 100.002),
        ]

    def test_the_delay_of_the_queue(self) -> None:
        """Moved at 100 to a queue with a delay of 5 s: received at 105."""
        log = queued([0], queue={**ONCE, "delay": "5s"}, function=POISON, changes=[{"at": "100s", "redrive": "dlq"}])
        assert starts(log) == [5, 105]

    def test_the_run_waits_for_it(self) -> None:
        """Duration 101 s, moved at 100, 110 and 120, and the last is back in the dead-letter queue at 150."""
        log = queued(
            [0] * 3,
            queue=ONCE,
            function=POISON,
            changes=[{"at": "100s", "redrive": {"queue": "dlq", "rate": "0.1/s"}}],
            duration="101s",
        )
        assert end_s(log) == 150

    def test_the_run_does_not_wait_for_a_move_that_is_not_made(self) -> None:
        """Duration 46 s. A message of 50 s has the only place of the dead-letter queue, where 0 and 1 wait at 45.

        0 is moved at 45, fails at 46, is dead-lettered at 75 and done by g at 76. 1 is g's from 50 to 60, so that it
        cannot be moved at 145. Nothing else is left then, or earlier.
        """
        log = queued(
            [0, 0],
            queue=ONCE,
            function=POISON,
            queues={
                "dlq": {
                    "visibility_timeout": "60s",
                    "event_source_mapping": {"function": "g", "batch_size": 1, **EXACT, **ONE_PLACE},
                }
            },
            functions={"g": {"duration": "10s", "timeout": "60s"}},
            traffic={"u": {"invoke": "sqs", "queue": "dlq", "trace": trace([(0, 50)])}},
            changes=[{"at": "45s", "redrive": {"queue": "dlq", "rate": "0.01/s"}}],
            duration="46s",
            drain="10000s",
        )
        assert [(row.outcome, row.settled) for row in messages(log, "dlq")] == [
            ("deleted", 50),
            ("redriven", 45),
            ("deleted", 60),
            ("deleted", 85),
        ]
        assert end_s(log) <= 145

    def test_in_a_fifo_queue_they_keep_their_order(self) -> None:
        """Five in one group are dead-lettered one after the other, moved at 1,000, and done in their order."""
        fifo = {"fifo": {"message_groups": 1}}
        log = queued(
            [0] * 5,
            queue={**ONCE, **fifo},
            function={"reserved_concurrency": 0},
            queues={"dlq": fifo},
            changes=[
                {"at": "999s", "functions": {"f": {"reserved_concurrency": "none"}}},
                {"at": "1000s", "redrive": "dlq"},
            ],
            duration="1010s",
        )
        assert fates(log)[5:] == [(i, "deleted", 1001 + i) for i in range(5)]


class TestLoops:
    """Queues that are each other's dead-letter queue."""

    def test_16_invocations(self) -> None:
        """One every 10 s; the message is stopped where it would move on after the 16th, as AWS stops a loop."""
        log = queued(
            [0],
            queue={"max_receive_count": 1, "dead_letter": "p", "visibility_timeout": "10s"},
            function=POISON,
            queues={"p": polled("f", max_receive_count=1, dead_letter="q", visibility_timeout="10s")},
        )
        found = messages(log)
        assert len(invocations(log)) == 16
        assert [row.queue for row in found] == ["q", "p"] * 8
        assert [row.outcome for row in found] == ["dead_lettered"] * 15 + ["stopped"]
        assert [row.settled for row in found] == [10 * (number + 1) for number in range(16)]
        assert end_s(log) == 1000

    def test_it_ends_whatever_the_hops(self) -> None:
        """The message is stopped in the end, once, and every stay but the last was dead-lettered."""
        log = queued(
            [0],
            queue={"max_receive_count": 1, "dead_letter": "p", "visibility_timeout": "10s"},
            function=POISON,
            queues={"p": polled("f", max_receive_count=1, dead_letter="q", visibility_timeout="10s")},
        )
        found = [row.outcome for row in messages(log)]
        assert found == ["dead_lettered"] * (len(found) - 1) + ["stopped"]
        assert outcomes(log)[0][0] == "dropped"

    def test_a_success_ends_it(self) -> None:
        """g of the other queue succeeds: one hop."""
        log = queued(
            [0],
            queue={"max_receive_count": 1, "dead_letter": "p"},
            function=POISON,
            queues={"p": polled("g", max_receive_count=1, dead_letter="q")},
            functions={"g": {}},
        )
        assert fates(log, "p") == [(0, "deleted", 31)]

    @pytest.mark.parametrize("batch_size", [1, 5])
    def test_many_messages(self, batch_size: int) -> None:
        """Each of 20 is stopped once."""
        mapped = {"function": "f", "batch_size": batch_size, **EXACT}
        log = queued(
            [0] * 20,
            queue={"max_receive_count": 1, "dead_letter": "p", "visibility_timeout": "10s"},
            function=POISON,
            mapping={"batch_size": batch_size},
            queues={
                "p": {
                    "max_receive_count": 1,
                    "dead_letter": "q",
                    "visibility_timeout": "10s",
                    "event_source_mapping": mapped,
                }
            },
        )
        stopped = [row.request for row in messages(log) if row.outcome == "stopped"]
        assert sorted(stopped) == list(range(20))
        assert {batch.queue for batch in batches(log)} == {"q", "p"}
