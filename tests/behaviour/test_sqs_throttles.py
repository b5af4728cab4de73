"""SQS queues: batches that Lambda refuses, their tries, and what becomes of their messages."""

from __future__ import annotations

from typing import Any

import pytest

from tests.behaviour.queue_timeline import ONE_PLACE, batches, fates, messages, outcomes, queued, starts, worked_on
from tests.behaviour.timeline import refusals, throttles
from tests.builders import trace

ONE_UNIT = {"concurrency_quota": 1}
STOPPED = {"reserved_concurrency": 0}


def held(until: float) -> dict[str, Any]:
    """A request of the same function that has the only unit of a quota of 1 from 0 on."""
    return {"hold": {"function": "f", "trace": trace([(0, until)])}}


class TestTries:
    """A refused batch keeps its messages and is tried again."""

    def test_delays_double(self) -> None:
        """1, 2, 4, 8 s: tried at 1, 2, 4, 8 and 16, when the unit has been free for 6 s."""
        log = queued([1], traffic=held(10), function={"timeout": "30s"}, region=ONE_UNIT)
        assert worked_on(log) == [([1], [1, 2, 4, 8, 16])]
        assert messages(log) == [(1, "q", 1, 1, "deleted", 17)]
        assert outcomes(log)[1] == ("completed", 17, 5)
        assert [row.reason for row in throttles(log)] == ["account_concurrency"] * 4

    def test_the_cap(self) -> None:
        """1 s, then 2 s each: at 1, 2, 4, 6, 8 and 10, at which instant the unit was freed before."""
        retry = {"base": "1s", "cap": "2s", "jitter": "none"}
        log = queued([1], traffic=held(10), mapping={"throttle_retry": retry}, region=ONE_UNIT)
        assert worked_on(log) == [([1], [1, 2, 4, 6, 8, 10])]

    def test_a_base(self) -> None:
        """3, 6, 12 s: at 1, 4, 10."""
        retry = {"base": "3s", "jitter": "none"}
        log = queued([1], traffic=held(10), mapping={"throttle_retry": retry}, region=ONE_UNIT)
        assert worked_on(log) == [([1], [1, 4, 10])]

    def test_the_cap_is_20_s_by_default(self) -> None:
        """1, 2, 4, 8, 16, 20, 20 s, in an hour of visibility."""
        log = queued(
            [0],
            queue={"visibility_timeout": "1h"},
            function={**STOPPED, "timeout": "15m"},
            mapping={"throttle_retry": {"jitter": "none"}},
            duration="80s",
            drain="0s",
        )
        assert worked_on(log) == [([0], [0, 1, 3, 7, 15, 31, 51, 71])]

    @pytest.mark.parametrize(("jitter", "least"), [("equal", 0.5), ("full", 0.0)])
    def test_jitter(self, jitter: str, least: float) -> None:
        """The first delay of 60 messages lies between half of a second, or 0, and a second, and fills that."""
        log = queued(
            [0] * 60,
            function=STOPPED,
            mapping={"throttle_retry": {"jitter": jitter}, "scaling": "unlimited"},
            duration="10s",
            drain="0s",
        )
        first = [batch.tried[1] for batch in batches(log)]
        assert least <= min(first) < least + 0.1
        assert 0.9 < max(first) <= 1

    def test_a_batch_is_refused_as_one(self) -> None:
        """Two messages, one throttle; each of them has had two attempts in the end."""
        log = queued([1, 1], traffic=held(2), mapping={"batch_size": 2, "batch_window": "1s"}, region=ONE_UNIT)
        assert worked_on(log) == [([1, 2], [1, 2])]
        assert [(row.request, row.attempt, row.time) for row in throttles(log)] == [(1, 1, 1)]
        assert outcomes(log)[1:] == [("completed", 3, 2), ("completed", 3, 2)]

    def test_it_keeps_its_place(self) -> None:
        """One place: the message of 2 is not received before the first is done at 17."""
        log = queued([1, 2], traffic=held(10), mapping=ONE_PLACE, region=ONE_UNIT)
        assert worked_on(log) == [([1], [1, 2, 4, 8, 16]), ([2], [17])]

    def test_it_is_queued_work(self) -> None:
        """At 2 s the unit is free, the batch is tried again and a request arrives: the batch is first."""
        log = queued(
            [1],
            traffic={**held(2), "web": {"function": "f", "trace": trace([2])}},
            region=ONE_UNIT,
        )
        assert worked_on(log) == [([1], [1, 2])]
        assert outcomes(log)[2] == ("throttled", 2, 1)


class TestLimits:
    """A batch is invoked synchronously, so every limit of synchronous invocations applies."""

    def test_reserved_concurrency(self) -> None:
        """A reservation of 1: of two at once the second waits for a second."""
        log = queued([0, 0], function={"reserved_concurrency": 1})
        assert refusals(log) == [(0, "reserved_concurrency")]
        assert worked_on(log) == [([0], [0]), ([1], [0, 1])]

    def test_the_pool_is_shared_with_other_functions(self) -> None:
        """g has the only unit until 1.5 s; f's batch is tried at 1, 2."""
        log = queued(
            [1],
            functions={"g": {}},
            traffic={"other": {"function": "g", "trace": trace([(0, 1.5)])}},
            region=ONE_UNIT,
        )
        assert worked_on(log) == [([1], [1, 2])]

    def test_the_scaling_rate(self) -> None:
        """A burst of 1: the second of two at one instant is refused, and tried again after 1 s."""
        log = queued([(0, 9), (0, 9)], region={"scaling": {"burst": 1, "rate": 1, "per": "1s"}})
        assert refusals(log) == [(0, "scaling_rate")]
        assert worked_on(log) == [([0], [0]), ([1], [0, 1])]

    def test_the_request_rate(self) -> None:
        """1 request per second and unit, 1 unit: of two, half a second apart, the second is refused and back at 1.5."""
        log = queued([(0, 0.1), (0.5, 0.1)], region={**ONE_UNIT, "requests_per_concurrency": 1})
        assert refusals(log) == [(0.5, "account_rate")]
        assert worked_on(log) == [([0], [0]), ([1], [0.5, 1.5])]

    def test_the_request_rate_ramp(self) -> None:
        """1 request per second: the same."""
        log = queued([(0, 0.1), (0.5, 0.1)], region={"request_rate_ramp": {"start": "1/s", "step": "1/s"}})
        assert refusals(log) == [(0.5, "scaling_request_rate")]

    def test_a_batch_is_one_request(self) -> None:
        """1 request per second and unit, 1 unit: ten messages at once pass in one batch."""
        region = {**ONE_UNIT, "requests_per_concurrency": 1}
        log = queued([0] * 10, mapping={"batch_size": 10, "batch_window": "1s"}, region=region)
        assert refusals(log) == []
        assert len(starts(log)) == 1


class TestGivingUp:
    """No longer than the messages are hidden."""

    def test_a_try_at_the_very_expiry_is_not_made(self) -> None:
        """Visibility 7 s: received at 1, tried at 1, 2 and 4; the next would be at 8, when it is visible again.

        Received at 8 by a new batch, which begins with 1 s anew: tried at 8, 9 and 11, after the unit was freed at 10.
        """
        log = queued(
            [1], queue={"visibility_timeout": "7s"}, traffic=held(10), function={"timeout": "20s"}, region=ONE_UNIT
        )
        assert [(batch.received, batch.tried) for batch in batches(log)] == [([1], [1, 2, 4]), ([8], [8, 9, 11])]
        assert messages(log) == [(1, "q", 1, 2, "deleted", 12)]
        assert outcomes(log)[1] == ("completed", 12, 6)

    def test_1_ns_before_the_expiry_it_is_made(self) -> None:
        """Visibility 7 s and 1 ns: tried at 8, when the unit is free; received again 1 ns later, which is too short."""
        log = queued(
            [1],
            queue={"visibility_timeout": "7000000001ns"},
            traffic=held(8),
            function={"timeout": "20s"},
            region=ONE_UNIT,
        )
        assert (batches(log)[0].tried, batches(log)[0].end) == ([1, 2, 4, 8], 9)

    def test_dead_lettered_without_execution(self) -> None:
        """A reservation of 0, visibility 10 s: tried at 0, 1, 3, 7 and at 10, 11, 13, 17; dead-lettered at 20."""
        log = queued(
            [0],
            queue={"visibility_timeout": "10s", "max_receive_count": 2, "dead_letter": "dlq"},
            function=STOPPED,
        )
        assert worked_on(log) == [([0], [0, 1, 3, 7]), ([0], [10, 11, 13, 17])]
        assert messages(log) == [(0, "q", 0, 2, "dead_lettered", 20), (0, "dlq", 20, 0, "visible", None)]
        assert log.messages.is_executed.tolist() == [False, False]
        assert outcomes(log) == [("dropped", 20, 8)]
        assert {reason for _, reason in refusals(log)} == {"reserved_concurrency"}

    def test_dead_lettered_because_of_another_invocation(self) -> None:
        """A reservation of 1, and a request has it until 25: tried at 1, 2, 4, 8, dead-lettered at 11."""
        log = queued(
            [1],
            queue={"visibility_timeout": "10s", "max_receive_count": 1, "dead_letter": "dlq"},
            function={"reserved_concurrency": 1, "timeout": "30s"},
            traffic=held(25),
        )
        assert worked_on(log) == [([1], [1, 2, 4, 8])]
        assert fates(log) == [(1, "dead_lettered", 11)]
        assert not log.messages.is_executed.any()

    def test_the_place_is_free_then(self) -> None:
        """One place, visibility 10 s, received once at most: 0 has it until 10, 1 until 20, 2 until 30."""
        log = queued(
            [0, 1, 2],
            queue={"visibility_timeout": "10s", "max_receive_count": 1, "dead_letter": "dlq"},
            function=STOPPED,
            mapping=ONE_PLACE,
        )
        assert [(batch.requests, batch.received) for batch in batches(log)] == [([0], [0]), ([1], [10]), ([2], [20])]
        # Who is dead-lettered when: each once a place is free, in the order in which they became visible.
        assert [row.receives for row in messages(log, "q")] == [1, 1, 1]
        assert {row.outcome for row in messages(log, "q")} == {"dead_lettered"}

    def test_a_batch_goes_with_its_oldest_message(self) -> None:
        """Received at 0 and 3, refused from 3 on; visible again at 10 and at 13, and received then, as one batch.

        Tried at 3, 4 and 6; the next would be at 10. From 10 on the second batch gathers until 13.
        """
        log = queued(
            [0, 3],
            queue={"visibility_timeout": "10s", "max_receive_count": 2, "dead_letter": "dlq"},
            function=STOPPED,
            mapping={"batch_size": 2, "batch_window": "5s"},
        )
        assert [(batch.received, batch.tried) for batch in batches(log)] == [
            ([0, 3], [3, 4, 6]),
            ([10, 13], [13, 14, 16]),
        ]
        assert fates(log) == [(0, "dead_lettered", 20), (1, "dead_lettered", 23)]

    def test_a_batch_that_was_gathered_for_too_long(self) -> None:
        """Window 10 s, visibility 6 s, a reservation of 0 until 15 s: every message is in one place all the time."""
        start = {"at": "15s", "functions": {"f": {"reserved_concurrency": "none"}}}
        log = queued(
            [0, 8],
            queue={"visibility_timeout": "6s"},
            function=STOPPED,
            mapping={"batch_size": 5, "batch_window": "10s"},
            changes=[start],
            duration="16s",
            drain="100s",
        )
        assert {row.outcome for row in messages(log)} == {"deleted"}
