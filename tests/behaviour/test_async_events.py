"""Asynchronous events: the queue, its retries after throttles and after errors, and what is given up."""

from __future__ import annotations

from itertools import pairwise
from math import log as log_of
from typing import Any

import pytest

from lambdasim.engine.reference.async_queue import Reader
from lambdasim.eventlog.log import EventLog
from lambdasim.metrics.outcomes import Outcome, request_outcomes
from lambdasim.platform.async_retry import DropReason
from tests.behaviour.timeline import attempt_times, end_s, invocations, refusals, throttles
from tests.builders import run, trace

S = 10**9
# The textbook: exact delays, no slow-down, tried at once.
TEXTBOOK = {"jitter": "none", "slow_down": "none", "dispatch_delay": "0s"}
STOPPED, FREE = {"reserved_concurrency": 0}, {"reserved_concurrency": 5}


def events(rows: list[Any], function: dict[str, Any] | None = None, **parts: Any) -> EventLog:
    """A run whose requests are events of one function, in the textbook's way unless told otherwise."""
    own = dict(function or {})
    own["async"] = {**TEXTBOOK, **own.get("async", {})}
    source = {"function": "f", "invoke": "async", "trace": trace(rows)}
    return run(functions={"f": own}, traffic={"t": source, **parts.pop("traffic", {})}, **parts)


def drops(log: EventLog) -> list[tuple[int, float, str]]:
    """(request, time, reason) of each event that was given up."""
    columns = log.drops
    reasons = [DropReason(code).key for code in columns.reason.tolist()]
    return list(zip(columns.request.tolist(), (columns.time_ns / S).tolist(), reasons, strict=True))


def held(until: float = 1e6) -> dict[str, Any]:
    """Another function's request that holds the only unit of a quota of 1."""
    return {"hold": {"function": "f", "trace": trace([(0, until)])}}


class TestQueue:
    """From the arrival to the first try."""

    def test_an_event_is_tried_after_the_dispatch_delay(self) -> None:
        """2 s in the queue, then 1 s of work."""
        log = events([0, 5], {"async": {"dispatch_delay": "2s"}})
        assert [(row.admitted, row.end) for row in invocations(log)] == [(2, 3), (7, 8)]

    def test_a_delay_of_0_is_at_once(self) -> None:
        """Tried at its arrival."""
        assert attempt_times(events([3])) == [3]

    def test_queued_work_comes_before_arrivals(self) -> None:
        """Quota 1: the event that is due at 2 s gets the unit before the request that arrives then."""
        log = events(
            [0],
            {"async": {"dispatch_delay": "2s"}},
            traffic={"web": {"function": "f", "trace": trace([2])}},
            region={"concurrency_quota": 1},
        )
        assert [row.request for row in invocations(log)] == [0]
        assert [row.request for row in throttles(log)] == [1]

    def test_no_request_rate_limit_applies(self) -> None:
        """10 requests per second and unit would refuse the second of two at one instant; events pass."""
        region = {"requests_per_concurrency": 1, "request_rate_ramp": {"start": "1/s", "step": "1/s"}}
        log = events([(0, 0.1), (0.5, 0.1)], region={**region, "concurrency_quota": 1})
        assert len(invocations(log)) == 2

    def test_the_scaling_rate_applies(self) -> None:
        """A burst of 1: the second of two at one instant is throttled, and tried again after 1 s."""
        log = events([0, 0], {"duration": "9s"}, region={"scaling": {"burst": 1, "rate": 1, "per": "1s"}})
        assert refusals(log) == [(0, "scaling_rate")]
        assert attempt_times(log, 1) == [0, 1]

    def test_the_run_waits_for_the_queue(self) -> None:
        """Duration 10 s, tried at 12 s: the run ends with it."""
        assert end_s(events([2], {"async": {"dispatch_delay": "10s"}}, duration="10s")) == 13


class TestThrottles:
    """A refused event goes back to the queue."""

    def test_delays_double(self) -> None:
        """1, 2, 4, 8 s: tried at 0, 1, 3, 7; the unit is free at 10, so that it is accepted at 15."""
        log = events([1e-9], traffic=held(10), region={"concurrency_quota": 1})
        assert [round(time) for time in attempt_times(log, 1)] == [0, 1, 3, 7, 15]
        assert [row.request for row in invocations(log)] == [0, 1]

    def test_throttled_for_ever_the_textbook_way(self) -> None:
        """1 + 2 + ... + 256 = 511 s, then 300 s each: 79 retries in 6 h, the last at 21,511 s, and given up there.

        The first request has the only environment that may ever start; it is gone when the others come.
        """
        only_one = {"scaling": {"burst": 1, "rate": 1, "per": "3650d"}}
        log = events([0, 10], {"idle_timeout": "1ns"}, region=only_one, drain="9h", duration="11s")
        times = [time - 10 for time in attempt_times(log, 1)]
        assert len(times) == 1 + 79
        assert times[-1] == 21_511
        assert [round(later - earlier) for earlier, later in pairwise(times)][:10] == [2**n for n in range(9)] + [300]
        assert [(request, round(time), reason) for request, time, reason in drops(log)] == [
            (1, 21_521, "event_age_exceeded")
        ]

    def test_a_shorter_maximum_age(self) -> None:
        """60 s: tried at 0, 1, 3, 7, 15, 31; the next one at 63 s would be too late."""
        log = events([1e-9], {"async": {"maximum_event_age": "60s"}}, traffic=held(), region={"concurrency_quota": 1})
        assert [round(time) for time in attempt_times(log, 1)] == [0, 1, 3, 7, 15, 31]
        assert [(round(time), reason) for _, time, reason in drops(log)] == [(31, "event_age_exceeded")]

    def test_a_try_of_exactly_the_maximum_age_is_made(self) -> None:
        """Enqueued at 0, due after 60 s of dispatch delay, maximum age 60 s; 1 ns more is too old, without a try."""
        for delay, attempts in (("60s", 1), ("60000000001ns", 0)):
            log = events([0], {"async": {"maximum_event_age": "60s", "dispatch_delay": delay}})
            assert len(invocations(log)) == attempts
            assert len(drops(log)) == 1 - attempts

    @pytest.mark.parametrize(("jitter", "least"), [("equal", 0.5), ("full", 0.0)])
    def test_jitter(self, jitter: str, least: float) -> None:
        """The first delay of 60 events lies between half of a second, or 0, and a second, and fills that."""
        log = events(
            [1e-9] * 60,
            {"async": {"jitter": jitter, "maximum_event_age": "60s"}},
            traffic=held(),
            region={"concurrency_quota": 1},
        )
        first = [attempt_times(log, request)[1] - 1e-9 for request in range(1, 61)]
        assert least - 1e-6 <= min(first) < least + 0.1
        assert 0.9 < max(first) <= 1

    def test_a_reservation_of_0_drops_at_once(self) -> None:
        """No attempt, no throttle."""
        log = events([3], STOPPED)
        assert drops(log) == [(0, 3, "zero_reserved_concurrency")]
        assert (len(throttles(log)), len(invocations(log))) == (0, 0)

    def test_a_function_that_is_stopped_while_events_wait(self) -> None:
        """In the queue until 6 s, stopped at 5 s: dropped at 6 s."""
        change = {"at": "5s", "functions": {"f": STOPPED}}
        log = events([4], {"async": {"dispatch_delay": "2s"}}, changes=[change])
        assert drops(log) == [(0, 6, "zero_reserved_concurrency")]


class TestErrors:
    """Function errors and timeouts."""

    def test_two_retries_after_one_and_two_minutes(self) -> None:
        """From the end of each failed invocation: 0 to 1, 61 to 62, 182 to 183 s, and given up."""
        log = events([0], {"errors": {"rate": "100%"}})
        assert [(row.admitted, row.end) for row in invocations(log)] == [(0, 1), (61, 62), (182, 183)]
        assert drops(log) == [(0, 183, "retries_exhausted")]

    @pytest.mark.parametrize(("retries", "times"), [(0, [0]), (1, [0, 61])])
    def test_fewer_retries(self, retries: int, times: list[float]) -> None:
        """maximum_retry_attempts."""
        log = events([0], {"errors": {"rate": "100%"}, "async": {"maximum_retry_attempts": retries}})
        assert attempt_times(log) == times

    def test_a_timeout_is_an_error(self) -> None:
        """2 s of 5 s of work: tried again at 62 s; the environment was reset, but its init takes no time."""
        log = events([(0, 5)], {"timeout": "2s"})
        assert [row.admitted for row in invocations(log)] == [0, 62, 184]

    def test_throttles_do_not_use_up_retries(self) -> None:
        """Failed at 1 s, throttled at 61 and 62 s, accepted at 64 s, failed at 65 s, tried again 120 s later."""
        busy = {"hold": {"function": "f", "trace": trace([(60.5, 3)])}}
        log = events([0], {"errors": {"poison": "100%"}}, traffic=busy, region={"concurrency_quota": 1})
        assert attempt_times(log, 0) == [0, 61, 62, 64, 185]
        assert drops(log) == [(0, 186, "retries_exhausted")]

    def test_a_row_of_throttles_begins_anew_after_an_invocation(self) -> None:
        """Throttled twice at first (1 and 2 s of delay), accepted, failed; the next throttle waits for 1 s again."""
        busy = {"hold": {"function": "f", "trace": trace([(0, 2), (63.5, 1)])}}
        log = events([1e-9], {"errors": {"poison": "100%"}}, traffic=busy, region={"concurrency_quota": 1})
        assert [round(time, 6) for time in attempt_times(log, 1)][:5] == [0, 1, 3, 64, 65]

    def test_a_retry_that_would_be_too_late_is_not_waited_for(self) -> None:
        """Maximum age 60 s: a retry 60 s after the end at 1 s would be at 61 s, so it is given up at 1 s."""
        log = events([0], {"errors": {"rate": "100%"}, "async": {"maximum_event_age": "60s"}})
        assert drops(log) == [(0, 1, "event_age_exceeded")]

    def test_a_success_after_an_error(self) -> None:
        """Completed at the end of the second invocation; 40 events with half of the invocations failing."""
        log = events([0] * 40, {"errors": {"rate": "50%"}})
        outcomes = request_outcomes(log)
        assert set(outcomes.outcome.tolist()) == {Outcome.COMPLETED, Outcome.DROPPED}
        again = (outcomes.attempts == 2) & (outcomes.outcome == Outcome.COMPLETED)
        assert set((outcomes.settled_ns[again] / S).tolist()) == {62.0}


class TestReader:
    """The slow-down after throttles, with half left and a growth of 100 % per second."""

    def test_a_throttle_halves_what_is_under_way(self) -> None:
        """Of 8 under way 4 are left; after a second 8 may be read again, so that the ninth waits a little longer."""
        reader = Reader((0.5, 1.0))
        assert reader.may_read(0, 10**6)
        reader.throttled(5 * S, 8)
        assert [reader.may_read(5 * S, under_way) for under_way in (3, 4)] == [True, False]
        assert reader.reads_after_ns(5 * S, 7) == pytest.approx(S, abs=2)
        assert reader.may_read(6 * S + 2, 7)
        assert not reader.may_read(6 * S + 2, 8)

    def test_once_a_second(self) -> None:
        """A second throttle within the second changes nothing; one a second later halves again."""
        reader = Reader((0.5, 1.0))
        reader.throttled(0, 8)
        reader.throttled(S - 1, 8)
        assert reader.may_read(S + 2, 7)
        reader.throttled(S, 8)
        assert [reader.may_read(S, under_way) for under_way in (3, 4)] == [True, False]

    def test_what_is_under_way_counts_not_what_was_allowed(self) -> None:
        """A minute of growth without a throttle allows 2^60 times as many; the next one halves the 8 all the same."""
        reader = Reader((0.5, 1.0))
        reader.throttled(0, 8)
        reader.throttled(60 * S, 8)
        assert [reader.may_read(60 * S, under_way) for under_way in (3, 4)] == [True, False]

    def test_one_event_is_always_read(self) -> None:
        """The reader never stops."""
        reader = Reader((0.5, 1.0))
        for second in range(10):
            reader.throttled(second * S, 1)
        assert reader.may_read(10 * S, 0)

    def test_an_empty_queue_ends_it(self) -> None:
        """From then on it reads as much as it likes."""
        reader = Reader((0.5, 1.0))
        reader.throttled(0, 8)
        reader.emptied()
        assert reader.may_read(0, 10**6)

    def test_events_wait_for_the_reader_without_an_attempt(self) -> None:
        """Quota 2, four events of 10 s at 0: two run, one throttle; the slowed-down reader does not try the fourth.

        It may work on half of 2 = 1 event and grows by 1 % per second, so it reads again when one of the two ends.
        """
        slow = {"async": {"slow_down": {"share": "50%", "recovery": "1%"}}, "duration": "10s"}
        log = events([0, 0, 0, 0], slow, region={"concurrency_quota": 2})
        assert len(attempt_times(log, 2)) > 1
        assert attempt_times(log, 3)[0] >= 10
        assert len(invocations(log)) == 4

    def test_the_oldest_is_read_first(self) -> None:
        """Quota 1, events of 1 s at 0, 0 and 0: the second is refused and due again at 1 s, the third is not read.

        At 1 s the first ends, and both wait: the older gets the unit, though the other has waited for the reader. The
        reader, which takes 1 and grows by 90 % a second, takes 2 after ln 2 / ln 1.9 = 1.08 s.
        """
        slow = {"async": {"slow_down": {"share": "50%", "recovery": "90%"}}, "duration": "1s"}
        log = events([0, 0, 0], slow, region={"concurrency_quota": 1})
        assert attempt_times(log, 1) == [0, 1]
        assert [row.admitted for row in invocations(log) if row.request == 1] == [1]
        assert attempt_times(log, 2)[0] == pytest.approx(log_of(2) / log_of(1.9))

    def test_functions_take_turns_by_the_age_of_their_events(self) -> None:
        """Quota 3: events 0 to 4 and 6 are f's, and 5 is g's. At 0 event 3 is refused; 4 and 6 wait to be read.

        At 1 s the first three end. f's reader may work on 3 x 0.6 x 1.9 = 3.4 by then, so it reads 3, 4 and 6 at that
        instant, and 5 is due. They have their turns in the order of their arrival, so 6 is the one that is refused.
        """
        slow = {**TEXTBOOK, "slow_down": {"share": "60%", "recovery": "90%"}}
        sources = {
            name: {"function": function, "invoke": "async", "trace": trace([0] * count)}
            for name, function, count in (("a", "f", 5), ("b", "g", 1), ("c", "f", 1))
        }
        log = run(
            functions={"f": {"async": slow}, "g": {"async": {**slow, "dispatch_delay": "1s"}}},
            traffic=sources,
            region={"concurrency_quota": 3},
        )
        assert [row.request for row in invocations(log) if row.admitted == 1] == [3, 4, 5]
        assert [row.request for row in throttles(log) if row.time == 1] == [6]

    def test_without_a_slow_down_all_are_tried(self) -> None:
        """The fourth is refused at 0 as well."""
        log = events([0, 0, 0, 0], {"duration": "10s"}, region={"concurrency_quota": 2})
        assert attempt_times(log, 3)[0] == 0


class TestInput:
    """What a scenario may not say."""

    @pytest.mark.parametrize(
        ("block", "match"),
        [
            ({"maximum_event_age": "59s"}, "between"),
            ({"maximum_event_age": "7h"}, "between"),
            ({"maximum_retry_attempts": 3}, "less than or equal to 2"),
            ({"jitter": "some"}, "jitter"),
            ({"slow_down": {"share": "100%"}}, "below 100%"),
            ({"slow_down": {"recovery": "0%"}}, "above 0%"),
        ],
    )
    def test_ranges(self, block: dict[str, Any], match: str) -> None:
        """As AWS has them, or as makes sense."""
        with pytest.raises(ValueError, match=match):
            events([0], {"async": block})

    @pytest.mark.parametrize(
        "more",
        [
            {"client": {"retry": "boto3-standard"}},
            {"client": {"timeout": "3s"}},
            {"via": "alb"},
        ],
    )
    def test_the_caller_of_an_event_does_not_wait(self, more: dict[str, Any]) -> None:
        """So it has neither patience nor retries, and nothing stands in between."""
        source = {"function": "f", "invoke": "async", "trace": trace([0]), **more}
        with pytest.raises(ValueError, match="beside invoke: async"):
            run(traffic={"t": source})
