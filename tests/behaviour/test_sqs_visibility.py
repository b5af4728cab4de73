"""SQS queues: messages that come back after errors, timeouts and a visibility timeout that is too short."""

from __future__ import annotations

from typing import Any

import pytest

from lambdasim.eventlog.log import Result
from tests.behaviour.queue_timeline import (
    ONE_PLACE,
    batches,
    check_conservation,
    failing,
    fates,
    messages,
    outcomes,
    queued,
    seed_where,
    starts,
    with_queues,
)
from tests.behaviour.timeline import end_s, invocations
from tests.builders import log_of

WINDOW = {"batch_size": 2, "batch_window": "5s"}
TWICE = {"max_receive_count": 2, "dead_letter": "dlq"}
POISON = {"errors": {"poison": "100%"}}


class TestFailures:
    """Visible again at the time of receiving + visibility timeout, however early the invocation failed."""

    @pytest.mark.parametrize(
        ("function", "row", "result", "end"),
        [
            (POISON, (0, 5), Result.ERROR, 5),
            ({"errors": {"rate": "100%"}}, (0, 5), Result.ERROR, 5),
            ({"errors": {"crash": "100%"}}, (0, 5), Result.CRASH, 5),
            ({"timeout": "3s"}, (0, 5), Result.TIMEOUT, 3),
        ],
    )
    def test_three_receives_and_then_the_dead_letter_queue(
        self, function: dict[str, Any], row: tuple[float, float], result: Result, end: float
    ) -> None:
        """T72: received at 0, 30 and 60, each time tried once; at 90 it would be the fourth time."""
        log = queued([row], queue={"max_receive_count": 3, "dead_letter": "dlq"}, function=function)
        assert [(batch.received, batch.tried, batch.end, batch.result) for batch in batches(log)] == [
            ([time], [time], time + end, result) for time in (0, 30, 60)
        ]
        assert messages(log) == [(0, "q", 0, 3, "dead_lettered", 90), (0, "dlq", 90, 0, "visible", None)]
        assert outcomes(log) == [("dropped", 90, 3)]

    def test_attempts_are_numbered_through(self) -> None:
        """1 and 2, one for each receive."""
        log = queued([0], queue=TWICE, function=POISON)
        assert [(row.request, row.attempt) for row in invocations(log)] == [(0, 1), (0, 2)]

    def test_it_counts_from_receiving(self) -> None:
        """Received at 0, invoked at the end of the window at 4, back at 30, received then, invoked at 34."""
        log = queued([0], queue=TWICE, function=POISON, mapping={"batch_size": 2, "batch_window": "4s"})
        assert [(batch.received, batch.tried) for batch in batches(log)] == [([0], [4]), ([30], [34])]
        assert fates(log) == [(0, "dead_lettered", 60)]

    def test_messages_of_one_batch_each_come_back_at_their_own_time(self) -> None:
        """Received at 0 and 2, invoked together at 2; back at 30 and 32, and invoked together once more."""
        log = queued([0, 2], queue=TWICE, function=POISON, mapping={"batch_size": 2, "batch_window": "10s"})
        assert [(batch.received, batch.tried) for batch in batches(log)] == [([0, 2], [2]), ([30, 32], [32])]
        assert fates(log) == [(0, "dead_lettered", 60), (1, "dead_lettered", 62)]

    def test_one_message_that_fails_fails_the_batch(self) -> None:
        """Messages 0 and 1 of two are together; the first is all right alone, the second is poison."""
        made = with_queues(
            [0, 0],
            queue=TWICE,
            function={"errors": {"poison": "50%"}},
            mapping={"batch_size": 2, "batch_window": "1s"},
        )
        log = log_of(made, seed_where(made, lambda workload: failing(workload, 2) == [False, True]))
        check_conservation(log)
        assert [(batch.tried, batch.result) for batch in batches(log)] == [([0], Result.ERROR), ([30], Result.ERROR)]
        assert fates(log) == [(0, "dead_lettered", 60), (1, "dead_lettered", 60)]

    def test_tried_until_it_works(self) -> None:
        """Half of the invocations fail: a message that was received k times was deleted at 30 (k - 1) + 1."""
        log = queued([0] * 40, function={"errors": {"rate": "50%"}}, mapping={"scaling": "unlimited"})
        found = messages(log)
        assert [row.settled for row in found] == [30 * (row.receives - 1) + 1 for row in found]
        assert {row.outcome for row in found} == {"deleted"}
        assert {1, 2, 3} <= {row.receives for row in found}
        assert [attempts for _, _, attempts in outcomes(log)] == [row.receives for row in found]

    def test_a_receive_count_of_1(self) -> None:
        """One try."""
        log = queued([0], queue={"max_receive_count": 1, "dead_letter": "dlq"}, function=POISON)
        assert messages(log) == [(0, "q", 0, 1, "dead_lettered", 30), (0, "dlq", 30, 0, "visible", None)]

    def test_it_goes_to_the_dead_letter_queue_when_it_would_be_received(self) -> None:
        """One place. 0 fails at 1 and is back at 30; the place is taken from 20 to 48 by 1: 0 goes at 48, not at 30.

        1 succeeds, for at 15 s the code is repaired, for messages from then on.
        """
        repair = {"at": "15s", "functions": {"f": {"errors": {"poison": "0%"}}}}
        log = queued(
            [0, (20, 28)],
            queue={"max_receive_count": 1, "dead_letter": "dlq"},
            function=POISON,
            mapping=ONE_PLACE,
            changes=[repair],
        )
        assert fates(log) == [(0, "dead_lettered", 48), (1, "deleted", 48)]

    def test_what_came_back_is_behind_what_has_been_visible_for_longer(self) -> None:
        """One place. 0 fails at 29 and is back at 30; 1 and 2, visible since 10 and 11, are worked on at 29 and 34."""
        repair = {"at": "5s", "functions": {"f": {"errors": {"poison": "0%"}}}}
        log = queued(
            [(0, 29), (10, 5), (11, 5)],
            queue={"max_receive_count": 1, "dead_letter": "dlq"},
            function=POISON,
            mapping=ONE_PLACE,
            changes=[repair],
        )
        assert starts(log) == [0, 29, 34]
        assert fates(log) == [(0, "dead_lettered", 39), (1, "deleted", 34), (2, "deleted", 39)]


class TestTooShort:
    """An invocation that still runs when its messages are visible again."""

    def test_an_end_at_the_very_expiry_deletes(self) -> None:
        """Received at 0, invoked at 5, ends at 30: ends come first."""
        log = queued([(0, 25)], mapping=WINDOW)
        assert messages(log) == [(0, "q", 0, 1, "deleted", 30)]

    def test_1_ns_later_it_has_been_received_again(self) -> None:
        """Twice at once, both succeed, neither deletes: at 60 it goes to the dead-letter queue, received twice."""
        log = queued([(0, 25.000000001)], queue=TWICE, mapping=WINDOW)
        assert [(batch.received, batch.tried, batch.result) for batch in batches(log)] == [
            ([0], [5], Result.OK),
            ([30], [35], Result.OK),
        ]
        assert messages(log, "q") == [(0, "q", 0, 2, "dead_lettered", 60)]

    def test_visible_but_not_received_again(self) -> None:
        """One place, so that nobody receives it at 30; the invocation from 5 to 35 deletes it."""
        log = queued([(0, 30)], function={"timeout": "60s"}, mapping={**WINDOW, **ONE_PLACE})
        assert messages(log) == [(0, "q", 0, 1, "deleted", 35)]
        assert starts(log) == [5]

    def test_deleted_while_it_is_visible_others_go_on(self) -> None:
        """As before; the message of 31 is received at 35, alone."""
        log = queued([(0, 30), 31], function={"timeout": "60s"}, mapping={**WINDOW, **ONE_PLACE})
        assert [(batch.requests, batch.received) for batch in batches(log)] == [([0], [0]), ([1], [35])]
        assert fates(log) == [(0, "deleted", 35), (1, "deleted", 41)]

    def test_a_long_init_and_environments_that_serve_whoever_waits(self) -> None:
        """Init 9 s, visibility 5 s, 1 s of work: received at 0, 5 and 10, each time with a new environment.

        The first is ready at 9 and serves all three, until 10, 11 and 12. Only the last receipt counts: deleted at 12.
        """
        log = queued([0], queue={"visibility_timeout": "5s"}, function={"init": "9s"})
        assert [(batch.received, batch.end) for batch in batches(log)] == [([0], 10), ([5], 11), ([10], 12)]
        assert messages(log) == [(0, "q", 0, 3, "deleted", 12)]
        assert outcomes(log) == [("completed", 12, 3)]

    def test_a_long_init_and_environments_of_their_own(self) -> None:
        """Bound to its environment each ends 10 s after its receiving, 5 s too late: dead-lettered at 10."""
        log = queued([0], queue={"visibility_timeout": "5s", **TWICE}, function={"init": "9s", "assignment": "bound"})
        assert [(batch.received, batch.end, batch.result) for batch in batches(log)] == [
            ([0], 10, Result.OK),
            ([5], 15, Result.OK),
        ]
        assert messages(log, "q") == [(0, "q", 0, 2, "dead_lettered", 10)]

    def test_the_run_waits_for_an_invocation_without_a_message(self) -> None:
        """The same with a duration of 5 s: the message has gone at 10, the second invocation ends at 15."""
        log = queued(
            [0],
            queue={"visibility_timeout": "5s", **TWICE},
            function={"init": "9s", "assignment": "bound"},
            duration="5s",
        )
        assert end_s(log) == 15

    def test_the_rest_of_a_batch_is_deleted_by_a_stale_invocation(self) -> None:
        """Received at 0 and at 4, invoked at 4 until 32: 0 was received again at 30, 1 is hidden until 34 and goes.

        At 30 message 0 waits alone until 35, and is done at 63, after its second visibility timeout at 60: 2 receives
        and no third.
        """
        log = queued([(0, 28), (4, 28)], queue=TWICE, mapping=WINDOW)
        assert [(batch.requests, batch.tried) for batch in batches(log)] == [([0, 1], [4]), ([0], [35])]
        assert fates(log) == [(0, "dead_lettered", 60), (1, "deleted", 32)]
