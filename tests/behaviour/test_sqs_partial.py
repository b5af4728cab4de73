"""SQS queues: partial batch responses, in which the function names the messages that failed."""

from __future__ import annotations

from typing import Any

import pytest

from lambdasim.eventlog.log import EventLog, Result
from lambdasim.scenario.schema import Scenario
from tests.behaviour.queue_timeline import (
    ONE_PLACE,
    always,
    batches,
    check_conservation,
    failing,
    fates,
    in_flight,
    queued,
    seed_where,
    with_queues,
)
from tests.builders import log_of, workload_of

TEN = {"batch_size": 10, "batch_window": "1s"}
TWICE = {"max_receive_count": 2, "dead_letter": "dlq"}
SOME = {"errors": {"poison": "30%"}}


def some_fail(**mapping: Any) -> tuple[EventLog, list[int], list[int]]:
    """Ten messages at 0, some of them poison: the log, those that are poison, and the others."""
    made = with_queues([0] * 10, queue=TWICE, function=SOME, mapping={**TEN, **mapping})
    seed = seed_where(made, lambda workload: 2 <= sum(failing(workload, 10)) <= 4)
    log = log_of(made, seed)
    check_conservation(log)
    fails = failing(workload_of(made, seed), 10)
    return log, [i for i in range(10) if fails[i]], [i for i in range(10) if not fails[i]]


class TestStandardQueue:
    """Messages that succeeded are deleted, the others come back."""

    def test_only_what_failed_comes_back(self) -> None:
        """T66: one invocation of all ten, without an error; at 30 one of those that are poison; dead-lettered at 60."""
        log, bad, good = some_fail(partial_batch_failures=True)
        assert [(batch.requests, batch.tried, batch.result) for batch in batches(log)] == [
            (list(range(10)), [0], Result.OK),
            (bad, [31], Result.OK),
        ]
        assert sorted(fates(log)) == sorted([(i, "deleted", 1) for i in good] + [(i, "dead_lettered", 60) for i in bad])

    def test_without_it_all_come_back(self) -> None:
        """One poison pill spoils the batch: all ten are received twice and dead-lettered."""
        log, _, _ = some_fail()
        assert [(batch.requests, batch.tried, batch.result) for batch in batches(log)] == [
            (list(range(10)), [0], Result.ERROR),
            (list(range(10)), [30], Result.ERROR),
        ]
        assert fates(log) == [(i, "dead_lettered", 60) for i in range(10)]

    @pytest.mark.parametrize(
        ("function", "row", "result"),
        [({"errors": {"crash": "100%"}}, (0, 1), Result.CRASH), ({"timeout": "2s"}, (0, 5), Result.TIMEOUT)],
    )
    def test_crashes_and_timeouts_name_nobody(
        self, function: dict[str, Any], row: tuple[float, float], result: Result
    ) -> None:
        """The whole batch comes back."""
        log = queued([row] * 10, queue=TWICE, function=function, mapping={**TEN, "partial_batch_failures": True})
        assert [(batch.tried, batch.result) for batch in batches(log)] == [([0], result), ([30], result)]
        assert fates(log) == [(i, "dead_lettered", 60) for i in range(10)]

    def test_one_crash_is_that_of_the_batch(self) -> None:
        """One message of three crashes the code, so that the two others come back as well."""
        made = with_queues(
            [0] * 3,
            function={"errors": {"crash": "30%"}},
            mapping={"batch_size": 3, "batch_window": "1s", "partial_batch_failures": True},
        )
        log = log_of(made, seed_where(made, lambda workload: failing(workload, 3) == [False, True, False]))
        assert (batches(log)[0].result, batches(log)[0].end) == (Result.CRASH, 1)
        assert [row for row in fates(log) if row[2] == 1] == []

    def test_the_receive_count_is_each_message_s_own(self) -> None:
        """Errors at random, one in two: each is tried until it works, or was received five times."""
        log = queued(
            [0] * 30,
            queue={"max_receive_count": 5, "dead_letter": "dlq"},
            function={"errors": {"rate": "50%"}},
            mapping={"batch_size": 30, "batch_window": "1s", "partial_batch_failures": True},
        )
        receives = log.messages.receives[:30]
        assert len(batches(log)) == receives.max()
        for number, batch in enumerate(batches(log), start=1):
            assert batch.requests == [i for i in range(30) if receives[i] >= number]
            assert batch.result is Result.OK

    def test_no_back_off(self) -> None:
        """T67: every message fails, and ten batches of 2 s at once go on; without partial responses 7 are left at 2."""
        for partial, expected in ((True, 10), (False, 7)):
            mapping = {
                **always(10),
                "partial_batch_failures": partial,
                "back_off": {},
            }
            log = queued(
                [(0, 2)] * 100,
                queue={"visibility_timeout": "10m"},
                function={"errors": {"poison": "100%"}},
                mapping=mapping,
                duration="10s",
                drain="0s",
            )
            assert [in_flight(log, time) for time in (0, 2)] == [10, expected]

    def test_throttles_back_off_all_the_same(self) -> None:
        """Ten places, two units: seven are tried."""
        mapping = {
            **always(10),
            "partial_batch_failures": True,
            "back_off": {},
        }
        log = queued([(0, 9)] * 20, function={"reserved_concurrency": 2}, mapping=mapping, duration="0.5s", drain="0s")
        assert len(batches(log)) == 7


class TestFifoQueue:
    """The function stops at the first message that fails, so that the order is kept."""

    @staticmethod
    def made() -> Scenario:
        """Message 0 has the only group from 0 to 5; 1 to 6 come meanwhile, and are one batch then."""
        return with_queues(
            [(0, 5), 1, 1, 1, 2, 2, 2],
            queue={"fifo": {"message_groups": 1}, "max_receive_count": 2, "dead_letter": "dlq"},
            queues={"dlq": {"fifo": {"message_groups": 1}}},
            function={"errors": {"poison": "40%"}},
            mapping={"batch_size": 10, "partial_batch_failures": True},
        )

    def test_from_the_first_one_that_failed_on(self) -> None:
        """3 and 5 are poison: 1 and 2 are deleted at 6, 3 to 6 come back at 35, fail together, and have been received
        twice at 65.
        """
        pattern = [False, False, False, True, False, True, False]
        log = log_of(self.made(), seed_where(self.made(), lambda workload: failing(workload, 7) == pattern))
        check_conservation(log)
        assert [(batch.requests, batch.tried, batch.result) for batch in batches(log)] == [
            ([0], [0], Result.OK),
            ([1, 2, 3, 4, 5, 6], [5], Result.OK),
            ([3, 4, 5, 6], [35], Result.OK),
        ]
        assert fates(log) == [
            (0, "deleted", 5),
            (1, "deleted", 6),
            (2, "deleted", 6),
            *[(i, "dead_lettered", 65) for i in (3, 4, 5, 6)],
        ]
        assert [row[0] for row in fates(log, "dlq")] == [3, 4, 5, 6]

    def test_the_last_one_alone(self) -> None:
        """Only 6 is poison: it comes back alone."""
        pattern = [False] * 6 + [True]
        log = log_of(self.made(), seed_where(self.made(), lambda workload: failing(workload, 7) == pattern))
        assert [batch.requests for batch in batches(log)] == [[0], [1, 2, 3, 4, 5, 6], [6]]
        assert fates(log)[-1] == (6, "dead_lettered", 65)

    def test_other_groups_come_back_as_well(self) -> None:
        """The batch of 5 s has messages of several groups: what is behind 5 in it comes back, of any group."""
        groups, size = 4, 10
        rows = [(0, 5), *[1] * 9]
        made = with_queues(
            rows,
            queue={"fifo": {"message_groups": groups}, "max_receive_count": 1, "dead_letter": "dlq"},
            queues={"dlq": {"fifo": {"message_groups": groups}}},
            function={"errors": {"poison": "15%"}},
            mapping={"batch_size": size, "partial_batch_failures": True, **ONE_PLACE},
        )
        pattern = [False] * 5 + [True] + [False] * 4
        log = log_of(made, seed_where(made, lambda workload: failing(workload, 10) == pattern))
        check_conservation(log)
        order = batches(log)[1].requests
        assert sorted(order) == list(range(1, 10))
        done = order[: order.index(5)]
        assert sorted(fates(log)) == [
            (i, "deleted", 5) if i == 0 else (i, "deleted", 6) if i in done else (i, "dead_lettered", 35)
            for i in range(10)
        ]
