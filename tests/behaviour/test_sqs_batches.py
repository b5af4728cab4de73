"""SQS queues: when a message is received, with which others, and how long their invocation takes."""

from __future__ import annotations

import pytest

from lambdasim.eventlog.log import Result
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
from tests.behaviour.timeline import end_s, invocations, refusals
from tests.builders import trace

THREE = {"batch_size": 3, "batch_window": "5s"}


class TestOneMessage:
    """From its sending to its deletion."""

    def test_it_is_received_at_once_and_deleted_at_the_end(self) -> None:
        """Sent at 3, 1 s of work: deleted at 4, and that is when the request is completed, after one attempt."""
        log = queued([3])
        assert worked_on(log) == [([0], [3])]
        assert messages(log) == [(0, "q", 3, 1, "deleted", 4)]
        assert outcomes(log) == [("completed", 4, 1)]

    def test_the_init_is_part_of_it(self) -> None:
        """2 s of init and 1 s of work."""
        assert fates(queued([(0, 1, 2)])) == [(0, "deleted", 3)]

    def test_a_delayed_message(self) -> None:
        """Sent at 1, hidden for 5 s, deleted at 7."""
        log = queued([1], queue={"delay": "5s"})
        assert worked_on(log) == [([0], [6])]
        assert messages(log) == [(0, "q", 1, 1, "deleted", 7)]

    def test_delayed_messages_keep_their_distance(self) -> None:
        """Sent at 0, 0.5 and 2: visible at 5, 5.5 and 7."""
        assert starts(queued([0, 0.5, 2], queue={"delay": "5s"})) == [5, 5.5, 7]

    def test_a_delayed_message_at_the_end_of_the_run(self) -> None:
        """The run ends at 4 s, duration 2 s and drain 2 s: the message is still delayed."""
        log = queued([0], queue={"delay": "5s"}, duration="2s", drain="2s")
        assert fates(log) == [(0, "delayed", None)]
        assert outcomes(log) == [("in_flight", None, 0)]


class TestBatches:
    """How many messages one invocation gets."""

    def test_as_many_as_are_visible_when_a_place_is_free(self) -> None:
        """One place, batches of up to 3. The first message holds it until 5; then 3 of the 5 others, then the rest."""
        log = queued([(0, 5), 1, 2, 3, 4, 4], mapping={"batch_size": 3, **ONE_PLACE})
        assert worked_on(log) == [([0], [0]), ([1, 2, 3], [5]), ([4, 5], [6])]
        assert end_s(log) == 1000
        assert [row.settled for row in messages(log)] == [5, 6, 6, 6, 7, 7]

    def test_a_batch_is_one_invocation_and_one_attempt_of_each_message(self) -> None:
        """The second batch is one row of the log, for the message that leads it; both of its requests had 1 attempt."""
        log = queued([(0, 5), 1, 2], mapping={"batch_size": 3, **ONE_PLACE})
        assert [(row.request, row.attempt) for row in invocations(log)] == [(0, 1), (1, 1)]
        assert outcomes(log) == [("completed", 5, 1), ("completed", 6, 1), ("completed", 6, 1)]

    def test_two_places_take_what_there_is(self) -> None:
        """Places are free at 5 and at 6: three messages, then the one that is left."""
        log = queued(
            [(0, 5), (1, 5), 2, 3, 4, 4.5], mapping={"batch_size": 3, "scaling": "unlimited", "maximum_concurrency": 2}
        )
        assert worked_on(log) == [([0], [0]), ([1], [1]), ([2, 3, 4], [5]), ([5], [6])]

    def test_the_invocation_takes_as_long_as_its_first_message(self) -> None:
        """duration_per: batch. 2 s, though the second message alone would take 3."""
        log = queued([(0, 2), (0, 3)], mapping={"batch_size": 2, "batch_window": "1s"})
        assert [(batch.requests, batch.end) for batch in batches(log)] == [([0, 1], 2)]

    def test_the_invocation_takes_as_long_as_its_messages_together(self) -> None:
        """duration_per: message. 2 + 3 = 5 s."""
        mapping = {"batch_size": 2, "batch_window": "1s", "duration_per": "message"}
        log = queued([(0, 2), (0, 3)], mapping=mapping)
        assert [(batch.requests, batch.end) for batch in batches(log)] == [([0, 1], 5)]

    def test_the_sum_may_be_more_than_the_timeout(self) -> None:
        """Each message alone is done in time, 2 + 3 s are not in 4 s; both come back at 30 and again."""
        mapping = {"batch_size": 2, "batch_window": "1s", "duration_per": "message"}
        queue = {"max_receive_count": 2, "dead_letter": "dlq"}
        log = queued([(0, 2), (0, 3)], mapping=mapping, queue=queue, function={"timeout": "4s"})
        assert [(batch.tried, batch.end, batch.result) for batch in batches(log)] == [
            ([0], 4, Result.TIMEOUT),
            ([30], 34, Result.TIMEOUT),
        ]
        assert fates(log) == [(0, "dead_lettered", 60), (1, "dead_lettered", 60)]

    @pytest.mark.parametrize(("size", "fitting"), [("1MB", 6), ("256KB", 24), ("1KB", 100), ("1000000B", 6)])
    def test_a_batch_fits_into_the_payload(self, size: str, fitting: int) -> None:
        """6 MB hold 6 messages of 1 MB and 24 of 256 KB; 1 KB would leave room for 6,144, so batch_size decides."""
        log = queued([0] * 101, queue={"message_size": size}, mapping={"batch_size": 100, "batch_window": "5s"})
        sizes = [len(batch.requests) for batch in batches(log)]
        assert sizes == [fitting] * (101 // fitting) + [101 % fitting] * (101 % fitting > 0)

    def test_a_large_batch(self) -> None:
        """2,500 messages over 2.5 s, batches of 10,000 and a window of 3 s: one invocation at 3 s."""
        rows = [i / 1000 for i in range(2500)]
        log = queued(rows, mapping={"batch_size": 10_000, "batch_window": "3s"})
        assert worked_on(log) == [(list(range(2500)), [3])]


class TestBatchWindow:
    """A batch that is not full waits for more."""

    def test_it_is_over_after_the_window(self) -> None:
        """Messages at 0 and 2, invoked at 5."""
        log = queued([0, 2], mapping=THREE)
        assert worked_on(log) == [([0, 1], [5])]
        assert batches(log)[0].received == [0, 2]

    def test_it_is_over_when_the_batch_is_full(self) -> None:
        """The third message comes at 4."""
        assert worked_on(queued([0, 2, 4], mapping=THREE)) == [([0, 1, 2], [4])]

    def test_three_at_one_instant(self) -> None:
        """Full at once."""
        assert worked_on(queued([1, 1, 1], mapping=THREE)) == [([0, 1, 2], [1])]

    def test_the_next_message_begins_another_window(self) -> None:
        """The fourth at 4 waits until 9."""
        log = queued([0, 2, 4, 4], mapping=THREE)
        assert worked_on(log) == [([0, 1, 2], [4]), ([3], [9])]

    def test_a_message_at_its_end_is_too_late(self) -> None:
        """The window closes at 5, and arrivals come last at an instant."""
        assert worked_on(queued([0, 5], mapping=THREE)) == [([0], [5]), ([1], [10])]

    def test_it_begins_with_the_receiving_not_with_the_sending(self) -> None:
        """Sent at 0, visible at 2, invoked at 7."""
        assert worked_on(queued([0], queue={"delay": "2s"}, mapping=THREE)) == [([0], [7])]

    def test_a_batch_that_is_gathered_has_a_place(self) -> None:
        """One place. Gathered from 0, invoked at 5 until 9; the message of 6 is received at 9 and waits until 14."""
        log = queued([(0, 4), 6], mapping={**THREE, **ONE_PLACE})
        assert worked_on(log) == [([0], [5]), ([1], [14])]
        assert [batch.received for batch in batches(log)] == [[0], [9]]

    def test_a_full_batch_does_not_wait(self) -> None:
        """One place, taken until 9; three messages wait for it and are invoked at 9, without a window."""
        log = queued([(0, 4), 6, 6, 6], mapping={**THREE, **ONE_PLACE})
        assert worked_on(log) == [([0], [5]), ([1, 2, 3], [9])]

    def test_the_next_batch_is_gathered_while_others_are_invoked(self) -> None:
        """Messages of 20 s each second from 0 to 8: full at 2, at 5 and at 8."""
        log = queued([(i, 20) for i in range(9)], mapping=THREE)
        assert worked_on(log) == [([0, 1, 2], [2]), ([3, 4, 5], [5]), ([6, 7, 8], [8])]


class TestOrder:
    """Who is first at one instant."""

    def test_queues_compete_by_request_index(self) -> None:
        """Quota 1. Source a sends request 0 to the second queue, b request 1 to the first: 0 gets the unit at 2 s."""
        mapping = {"function": "f", "batch_size": 1, **EXACT}
        log = queued(
            queue={"delay": "2s"},
            queues={"p": {"delay": "2s", "event_source_mapping": mapping}},
            traffic={
                "a": {"invoke": "sqs", "queue": "p", "trace": trace([0])},
                "b": {"invoke": "sqs", "queue": "q", "trace": trace([0])},
            },
            region={"concurrency_quota": 1},
        )
        assert [row.request for row in invocations(log) if row.admitted == 2] == [0]
        assert refusals(log) == [(2, "account_concurrency")]
        assert [row.admitted for row in invocations(log)] == [2, 3]

    def test_queued_work_comes_before_arrivals(self) -> None:
        """Quota 1: the message that is visible at 2 s gets the unit before the request that arrives then."""
        log = queued(
            [0],
            queue={"delay": "2s"},
            traffic={"web": {"function": "f", "trace": trace([2])}},
            region={"concurrency_quota": 1},
        )
        assert [row.request for row in invocations(log)] == [0]
        assert outcomes(log) == [("completed", 3, 1), ("throttled", 2, 1)]

    def test_an_end_comes_before_the_next_batch(self) -> None:
        """Quota 1: the request ends at 2, so that the message that is visible at 2 finds the unit free."""
        log = queued(
            [0],
            queue={"delay": "2s"},
            traffic={"web": {"function": "f", "trace": trace([(0, 2)])}},
            region={"concurrency_quota": 1},
        )
        assert refusals(log) == []
        assert starts(log) == [0, 2]

    def test_messages_in_the_order_of_sending(self) -> None:
        """One place: as they came."""
        log = queued([(0, 2), 1, 1, 1], mapping=ONE_PLACE)
        assert worked_on(log) == [([0], [0]), ([1], [2]), ([2], [3]), ([3], [4])]


class TestEndOfRun:
    """The run waits for messages that somebody polls."""

    def test_a_delayed_message(self) -> None:
        """Duration 5 s; visible at 10, deleted at 11."""
        assert end_s(queued([0], queue={"delay": "10s"}, duration="5s")) == 11

    def test_a_message_that_fails_once_more(self) -> None:
        """Duration 5 s; tried at 0 and at 30, and in the dead-letter queue at 60, which nobody polls."""
        log = queued(
            [0],
            queue={"max_receive_count": 2, "dead_letter": "dlq"},
            function={"errors": {"poison": "100%"}},
            duration="5s",
        )
        assert end_s(log) == 60
        assert fates(log, "dlq") == [(0, "visible", None)]

    def test_a_queue_that_nobody_polls_is_not_waited_for(self) -> None:
        """A message at 1 s stays where it is, and the run ends with its duration."""
        log = queued(
            queues={"p": {}}, traffic={"u": {"invoke": "sqs", "queue": "p", "trace": trace([1])}}, duration="5s"
        )
        assert end_s(log) == 5
        assert messages(log) == [(0, "p", 1, 0, "visible", None)]
        assert outcomes(log) == [("in_flight", None, 0)]

    def test_a_message_that_never_gets_through(self) -> None:
        """A reservation of 0 for ever: the run ends after 5 s and 100 s of drain."""
        log = queued([0], function={"reserved_concurrency": 0}, duration="5s", drain="100s")
        assert end_s(log) == 105
        assert fates(log) == [(0, "in_flight", None)]

    def test_a_run_that_ends_in_the_middle_of_an_invocation(self) -> None:
        """Ends at 2 s: the message is hidden, the invocation at work."""
        log = queued([(0, 20)], duration="1s", drain="1s")
        assert fates(log) == [(0, "in_flight", None)]
        assert batches(log)[0].result is Result.RUNNING
