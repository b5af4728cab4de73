"""FIFO queues: the order of messages within a group, and who waits for whom."""

from __future__ import annotations

from typing import Any

import pytest

from tests.behaviour.queue_timeline import (
    ONE_PLACE,
    batches,
    check_conservation,
    failing,
    fates,
    groups_of,
    messages,
    outcomes,
    queued,
    seed_where,
    starts,
    with_queues,
    worked_on,
)
from tests.behaviour.timeline import refusals
from tests.builders import log_of, trace

FREE = {"scaling": "unlimited"}
TWICE = {"max_receive_count": 2, "dead_letter": "dlq"}
POISON = {"errors": {"poison": "100%"}}


def fifo(groups: int = 1, **more: Any) -> dict[str, Any]:
    """A FIFO queue with so many message groups."""
    return {"fifo": {"message_groups": groups}, **more}


def dead_letters(groups: int = 1, **more: Any) -> dict[str, Any]:
    """The dead-letter queue, which is a FIFO queue as well."""
    return {"dlq": fifo(groups, **more)}


def by_group(waiting: list[int], groups: list[int], size: int) -> list[list[int]]:
    """The batches of one place: the oldest message and what its group has, then what the next oldest one's has."""
    left, found = list(waiting), []
    while left:
        batch: list[int] = []
        while left and len(batch) < size:
            taken = [i for i in left if groups[i] == groups[left[0]]][: size - len(batch)]
            batch += taken
            left = [i for i in left if i not in taken]
        found.append(batch)
    return found


class TestOneGroup:
    """A strict order."""

    def test_one_after_the_other(self) -> None:
        """Five messages of 1 s at 0, with as many places as one likes."""
        log = queued([0] * 5, queue=fifo(), mapping=FREE)
        assert worked_on(log) == [([i], [i]) for i in range(5)]

    def test_what_comes_meanwhile_is_one_batch(self) -> None:
        """The first is worked on until 10; the next two go together then."""
        log = queued([(0, 10), 1, 2, (10.5, 1)], queue=fifo(), mapping={**FREE, "batch_size": 10})
        assert worked_on(log) == [([0], [0]), ([1, 2], [10]), ([3], [11])]

    def test_a_batch_of_at_most_batch_size(self) -> None:
        """Seven wait at 10: three, three and one."""
        log = queued([(0, 10), *[1] * 7], queue=fifo(), mapping={**FREE, "batch_size": 3})
        assert [batch.requests for batch in batches(log)] == [[0], [1, 2, 3], [4, 5, 6], [7]]
        assert starts(log) == [0, 10, 11, 12]

    def test_delayed_messages(self) -> None:
        """Sent together, visible together, in their order."""
        log = queued([0, 0, 0], queue=fifo(delay="5s"), mapping=FREE)
        assert worked_on(log) == [([0], [5]), ([1], [6]), ([2], [7])]

    def test_a_free_place_is_not_used(self) -> None:
        """The second message waits for the first to be deleted, not for a place: sent at 1, invoked at 4."""
        assert starts(queued([(0, 4), 1], queue=fifo(), mapping={**FREE, "maximum_concurrency": 2})) == [0, 4]

    def test_a_failed_message_blocks_its_group(self) -> None:
        """0 is tried at 0 and 30 and dead-lettered at 60; only then 1, sent at 1, which goes the same way."""
        log = queued([0, 1], queue=fifo(**TWICE), queues=dead_letters(), function=POISON, mapping=FREE)
        assert worked_on(log) == [([0], [0]), ([0], [30]), ([1], [60]), ([1], [90])]
        assert fates(log) == [(0, "dead_lettered", 60), (1, "dead_lettered", 120)]
        assert messages(log, "dlq") == [(0, "dlq", 60, 0, "visible", None), (1, "dlq", 120, 0, "visible", None)]

    def test_a_failed_message_is_first_again(self) -> None:
        """0 is back at 30, before those that were sent at 1 and 2; all three are dead-lettered at their third time.

        0 is dead-lettered at 60, and 1 and 2 are received for the second time then.
        """
        log = queued(
            [0, 1, 2], queue=fifo(**TWICE), queues=dead_letters(), function=POISON, mapping={**FREE, "batch_size": 10}
        )
        assert worked_on(log) == [([0], [0]), ([0, 1, 2], [30]), ([1, 2], [60])]
        assert fates(log) == [(0, "dead_lettered", 60), (1, "dead_lettered", 90), (2, "dead_lettered", 90)]

    def test_a_whole_batch_that_fails_keeps_its_order(self) -> None:
        """1, 2 and 3 fail at 6 with one of them, 2; they are back at 35, before 4, and in the order of sending."""
        made = with_queues(
            [(0, 5), 1, 1, 1, 7],
            queue=fifo(**TWICE),
            queues=dead_letters(),
            function={"errors": {"poison": "30%"}},
            mapping={**FREE, "batch_size": 3},
        )
        pattern = [False, False, True, False, False]
        log = log_of(made, seed_where(made, lambda workload: failing(workload, 5) == pattern))
        check_conservation(log)
        assert worked_on(log) == [([0], [0]), ([1, 2, 3], [5]), ([1, 2, 3], [35]), ([4], [65])]
        assert fates(log) == [
            (0, "deleted", 5),
            *[(i, "dead_lettered", 65) for i in (1, 2, 3)],
            (4, "deleted", 66),
        ]

    def test_a_throttled_batch_blocks_its_group(self) -> None:
        """One unit, which a request has until 10: 1 is tried at 1, 2, 4, 8 and 16, and 2 is received at 17."""
        log = queued(
            [1, 2],
            queue=fifo(),
            mapping=FREE,
            traffic={"hold": {"function": "f", "trace": trace([(0, 10)])}},
            region={"concurrency_quota": 1},
        )
        assert worked_on(log) == [([1], [1, 2, 4, 8, 16]), ([2], [17])]

    def test_a_batch_that_is_given_up(self) -> None:
        """Visibility 10 s, stopped: 0 is received at 0 and at 10, dead-lettered at 20, and 1 is received then."""
        log = queued(
            [0, 1],
            queue=fifo(visibility_timeout="10s", **TWICE),
            queues=dead_letters(),
            function={"reserved_concurrency": 0},
            mapping=FREE,
        )
        assert [(batch.requests, batch.received) for batch in batches(log)] == [
            ([0], [0]),
            ([0], [10]),
            ([1], [20]),
            ([1], [30]),
        ]
        assert fates(log) == [(0, "dead_lettered", 20), (1, "dead_lettered", 40)]
        assert len(refusals(log)) == 16

    def test_an_invocation_that_outlives_its_visibility(self) -> None:
        """Init 9 s, visibility 5 s: 0 is received at 0, 5 and 10, and deleted at 12 by the last of the three.

        1, of the same group, waits for that.
        """
        log = queued([0, 1], queue=fifo(visibility_timeout="5s"), function={"init": "9s"}, mapping=FREE)
        assert [(batch.requests, batch.received, batch.end) for batch in batches(log)] == [
            ([0], [0], 10),
            ([0], [5], 11),
            ([0], [10], 12),
            ([1], [12], 13),
        ]

    def test_deleted_while_it_is_visible(self) -> None:
        """One place: 0 is visible at 10 and cannot be received; its invocation, from 0 to 15, deletes it. Then 1."""
        log = queued([(0, 15), 1], queue=fifo(visibility_timeout="10s"), function={"timeout": "15m"}, mapping=ONE_PLACE)
        assert worked_on(log) == [([0], [0]), ([1], [15])]
        assert fates(log) == [(0, "deleted", 15), (1, "deleted", 16)]

    def test_an_expired_message_blocks_nobody(self) -> None:
        """0 fails at 58 and is back at 87, older than the retention of 60 s: gone, and 1, sent at 57, is received."""
        repair = {"at": "56.5s", "functions": {"f": {"errors": {"poison": "0%"}}}}
        log = queued(
            [0, (57, 2)],
            queue=fifo(delay="57s", retention="60s"),
            function=POISON,
            mapping=FREE,
            changes=[repair],
        )
        assert fates(log) == [(0, "expired", 87), (1, "deleted", 116)]


class TestGroups:
    """Groups go on beside each other."""

    def test_each_group_in_its_order(self) -> None:
        """30 messages of 1 s at 0 in 5 groups: the k-th of its group starts at k."""
        groups = groups_of(with_queues([0] * 30), 30, 5)
        log = queued([0] * 30, queue=fifo(5), mapping=FREE)
        before = [groups[:i].count(groups[i]) for i in range(30)]
        assert {batch.requests[0]: batch.tried for batch in batches(log)} == {i: [before[i]] for i in range(30)}
        assert outcomes(log) == [("completed", position + 1, 1) for position in before]

    @pytest.mark.parametrize(("count", "size"), [(2, 3), (4, 5), (4, 10), (40, 10)])
    def test_a_batch_is_of_one_group_as_far_as_it_goes(self, count: int, size: int) -> None:
        """One place, taken until 5: of 30 messages it gets the oldest with what its group has, then the next oldest."""
        rows: list[Any] = [(0, 5), *[1] * 30]
        groups = groups_of(with_queues(rows), 31, count)
        log = queued(rows, queue=fifo(count), mapping={**ONE_PLACE, "batch_size": size})
        expected = [[0], *by_group(list(range(1, 31)), groups, size)]
        assert [batch.requests for batch in batches(log)] == expected
        assert starts(log) == [0, *range(5, 4 + len(expected))]

    def test_as_many_at_once_as_groups(self) -> None:
        """200 messages in 7 groups, places without limit: never more than 7, and 7 at 0."""
        log = queued([0] * 200, queue=fifo(7), mapping=FREE)
        assert len([time for time in starts(log) if time == 0]) == 7
        assert max(starts(log).count(second) for second in range(200)) == 7

    def test_a_failed_message_blocks_its_own_group_only(self) -> None:
        """Ten messages in three groups, poison in one: the others are done as if nothing were wrong."""
        made = with_queues(
            [0] * 10,
            queue=fifo(3, **TWICE),
            queues=dead_letters(3),
            function={"errors": {"poison": "20%"}},
            mapping=FREE,
        )
        seed = seed_where(made, lambda workload: sum(failing(workload, 10)) == 1 and failing(workload, 6)[1])
        log = log_of(made, seed)
        check_conservation(log)
        groups = groups_of(made, 10, 3, seed)
        expected = {}
        free_at = [0, 0, 0]
        for i in range(10):
            if i == 1:
                # Tried twice, and dead-lettered with the second expiry.
                free_at[groups[i]] += 60
                expected[i] = ("dead_lettered", free_at[groups[i]])
            else:
                free_at[groups[i]] += 1
                expected[i] = ("deleted", free_at[groups[i]])
        assert {request: (fate, time) for request, fate, time in fates(log)} == expected

    def test_the_order_within_groups_survives_errors(self) -> None:
        """Half of the invocations fail: in each group the messages are done in the order of sending."""
        groups = groups_of(with_queues([0] * 60), 60, 6)
        log = queued([0] * 60, queue=fifo(6), function={"errors": {"rate": "50%"}}, mapping={"batch_size": 4})
        done = {request: time or 0 for request, fate, time in fates(log) if fate == "deleted"}
        assert len(done) == 60
        for group in range(6):
            times = [done[i] for i in range(60) if groups[i] == group]
            assert times == sorted(times)

    def test_no_group_is_in_two_batches_at_once(self) -> None:
        """The same; a batch begins when no message of its groups is hidden: 30 s after one that failed, or its end."""
        groups = groups_of(with_queues([0] * 60), 60, 6)
        log = queued([0] * 60, queue=fifo(6), function={"errors": {"rate": "50%"}}, mapping={"batch_size": 4})
        free_at = dict.fromkeys(range(6), 0.0)
        for batch in batches(log):
            for group in {groups[i] for i in batch.requests}:
                assert batch.received[0] >= free_at[group]
                free_at[group] = (batch.end or 0) if batch.result == 0 else batch.received[0] + 30
