"""Streams: when a record is read and with which others, and what blocks its shard. One shard unless a test says more.

Functions work for 1 s unless a row says otherwise; Kinesis is polled at 1, 2, 3 ... s.
"""

from __future__ import annotations

from typing import Any

import pytest

from lambdasim.eventlog.log import EventLog, Result
from lambdasim.metrics.cloudwatch_queues import all_metrics
from tests.behaviour.queue_timeline import (
    batches,
    failing,
    in_flight,
    messages,
    most_in_flight,
    outcomes,
    seed_where,
    starts,
)
from tests.behaviour.stream_timeline import (
    ALWAYS_FAILING,
    EVERY_SECOND,
    iterator_ages,
    places,
    records,
    streamed,
    with_stream,
    worked_on,
)
from tests.behaviour.timeline import end_s, invocations, refusals
from tests.builders import log_of, trace

DAY = 86_400

BISECT = {"bisect_on_error": True, "maximum_retry_attempts": 0, "on_failure": "lost"}
PARTIAL = {"partial_batch_failures": True, "maximum_retry_attempts": 1, "on_failure": "lost", **EVERY_SECOND}
QUOTA_1 = {"concurrency_quota": 1}


def poisoned(bad: list[int], count: int, rows: Any = None, **parts: Any) -> EventLog:
    """Records at 0.5 s, of which exactly ``bad`` are poison."""
    parts["function"] = {"errors": {"poison": "30%"}, **parts.get("function", {})}
    rows = [0.5] * count if rows is None else rows
    wanted = [number in bad for number in range(count)]
    seed = seed_where(with_stream(rows, **parts), lambda workload: failing(workload, count) == wanted)
    return streamed(rows, seed=seed, **parts)


def metric(log: EventLog, made: Any, name: str) -> list[Any]:
    """Rows of a CloudWatch metric, one period of a minute after the other."""
    return [row for row in all_metrics(log, 60 * 10**9, made) if row.metric == name]


class TestOneRecord:
    """From its sending to its end."""

    def test_it_is_read_by_the_next_poll(self) -> None:
        """Sent at 0.2, read at 1, done at 2 after 1 s of work: one attempt."""
        log = streamed([0.2])
        assert worked_on(log) == [([0], [1])]
        assert batches(log)[0].received == [1]
        assert messages(log) == [(0, "s", 0.2, 1, "processed", 2)]
        assert outcomes(log) == [("completed", 2, 1)]

    @pytest.mark.parametrize(
        ("stream", "interval", "sent", "read"),
        [
            ("kinesis", None, 0, 1),
            ("kinesis", None, 0.999, 1),
            ("kinesis", None, 1, 2),
            ("kinesis", None, 7.5, 8),
            ("dynamodb", None, 0, 0.25),
            ("dynamodb", None, 0.1, 0.25),
            ("dynamodb", None, 0.25, 0.5),
            ("dynamodb", None, 3.3, 3.5),
            ("kinesis", "3s", 2.9, 3),
            ("kinesis", "3s", 3, 6),
            ("dynamodb", "2s", 0.3, 2),
            ("kinesis", "200ms", 0.3, 0.4),
        ],
    )
    def test_polls_are_at_whole_multiples(self, stream: str, interval: str | None, sent: float, read: float) -> None:
        """A record that comes at the very instant of a poll is read by the next one."""
        log = streamed([sent], stream={"kind": stream}, mapping={"poll_interval": interval})
        assert starts(log) == [read]

    def test_the_init_is_part_of_it(self) -> None:
        """Read at 1, 2 s of init and 1 s of work."""
        assert records(streamed([(0.5, 1, 2)])) == [(0, "processed", 4)]

    def test_a_quiet_hour_in_between(self) -> None:
        """Sent at 0.5 and 3600.5: read at 1 and 3601."""
        assert starts(streamed([0.5, 3600.5], duration="2h")) == [1, 3601]


class TestBatches:
    """What one read takes, and when the next one is."""

    def test_one_read_takes_what_is_there(self) -> None:
        """Three records since the last poll are one batch, as long as its first record."""
        log = streamed([(0.2, 2), (0.5, 9), (0.9, 1)])
        assert worked_on(log) == [([0, 1, 2], [1])]
        assert records(log) == [(0, "processed", 3), (1, "processed", 3), (2, "processed", 3)]
        assert outcomes(log) == [("completed", 3, 1)] * 3

    def test_a_lane_at_work_reads_nothing(self) -> None:
        """At work from 1 to 2.5; the read of 1 left nothing behind, so that the next one is at 3."""
        log = streamed([(0.5, 1.5), 1.2, 2.2])
        assert worked_on(log) == [([0], [1]), ([1, 2], [3])]

    def test_an_end_at_the_instant_of_a_poll(self) -> None:
        """At work from 1 to 2, and read again at 2; the record that comes at 2 is read at 3."""
        log = streamed([0.5, 1.2, 2])
        assert worked_on(log) == [([0], [1]), ([1], [2]), ([2], [3])]

    def test_what_was_left_behind_is_read_at_once(self) -> None:
        """The read of 1 left a record behind, so the next is at 2.5, which left none, so the next is at 4."""
        log = streamed([(0.5, 1.5), 0.5, (0.5, 1.2), 3.6], mapping={"batch_size": 2})
        assert worked_on(log) == [([0, 1], [1]), ([2], [2.5]), ([3], [4])]

    def test_with_what_came_since(self) -> None:
        """At 2.5 three records are there, of which two fit; at 4 the third."""
        log = streamed([(0.5, 1.5), 0.5, (0.5, 1.5), 1.2, 1.3], mapping={"batch_size": 2})
        assert worked_on(log) == [([0, 1], [1]), ([2, 3], [2.5]), ([4], [4])]

    def test_not_with_what_comes_then(self) -> None:
        """The record of 2.5 comes after the read of 2.5. That one ends at 3.7, and left nothing behind: 4."""
        log = streamed([(0.5, 1.5), 0.5, (0.5, 1.2), 2.5], mapping={"batch_size": 2})
        assert worked_on(log) == [([0, 1], [1]), ([2], [2.5]), ([3], [4])]

    def test_a_full_batch_that_left_nothing_behind(self) -> None:
        """Two of two at 1. The record of 1.2 came later: it waits from 2.5 for the poll of 3."""
        log = streamed([(0.5, 1.5), 0.5, 1.2], mapping={"batch_size": 2})
        assert worked_on(log) == [([0, 1], [1]), ([2], [3])]

    def test_a_long_backlog(self) -> None:
        """Seven records by twos, each batch for 0.3 s: at 1, 1.3, 1.6 and 1.9."""
        log = streamed([(0.5, 0.3)] * 7, mapping={"batch_size": 2})
        assert worked_on(log) == [([0, 1], [1]), ([2, 3], [1.3]), ([4, 5], [1.6]), ([6], [1.9])]

    def test_a_hundred_by_default(self) -> None:
        """101 records: 100 and 1."""
        assert [len(batch.requests) for batch in batches(streamed([0.5] * 101))] == [100, 1]

    @pytest.mark.parametrize(
        ("size", "fitting"), [("10MB", 1), ("7MB", 1), ("3MB", 2), ("1MB", 6), ("256KB", 24), ("1KB", 30)]
    )
    def test_a_batch_fits_into_the_payload(self, size: str, fitting: int) -> None:
        """6 MB hold 6 records of 1 MB; one of 10 MB is a batch all the same; of 1 KB batch_size decides."""
        log = streamed([0.5] * 31, stream={"record_size": size}, mapping={"batch_size": 30})
        sizes = [len(batch.requests) for batch in batches(log)]
        assert sizes == [fitting] * (31 // fitting) + [31 % fitting] * (31 % fitting > 0)

    def test_the_records_together(self) -> None:
        """duration_per: record. 2 + 3 + 0.5 = 5.5 s from 1 on."""
        log = streamed([(0.5, 2), (0.5, 3), (0.5, 0.5)], mapping={"duration_per": "record"})
        assert [(batch.requests, batch.end) for batch in batches(log)] == [([0, 1, 2], 6.5)]

    def test_the_records_together_are_too_long(self) -> None:
        """2 + 3 s are over 4 s: timed out at 5, and again from 6 to 10, which was the only retry."""
        mapping = {"duration_per": "record", "maximum_retry_attempts": 1}
        log = streamed([(0.5, 2), (0.5, 3)], mapping=mapping, function={"timeout": "4s"})
        assert worked_on(log) == [([0, 1], [1]), ([0, 1], [6])]
        assert records(log) == [(0, "discarded", 10), (1, "discarded", 10)]


class TestBatchWindow:
    """A batch that is not full waits, and polls go on."""

    def test_it_is_over_after_the_window(self) -> None:
        """Read at 1 and 3, invoked at 1 + 5 = 6."""
        log = streamed([0.5, 2.2], mapping={"batch_window": "5s"})
        assert worked_on(log) == [([0, 1], [6])]
        assert log.messages.first_receive_ns.tolist() == [10**9, 3 * 10**9]

    def test_deliveries_have_the_times_of_the_reads(self) -> None:
        """The same: a delivery of a first try was received when its record was read."""
        log = streamed([0.5, 2.2], mapping={"batch_window": "5s"})
        assert batches(log)[0].received == [1, 3]

    def test_nothing_is_read_between_two_polls(self) -> None:
        """Read at 1, invoked at 3.5. What is sent at 3.2 is read at 5, after the end at 4.5, and waits until 7.5."""
        log = streamed([0.5, 3.2], mapping={"batch_window": "2500ms"})
        assert worked_on(log) == [([0], [3.5]), ([1], [7.5])]

    def test_it_counts_from_the_first_read(self) -> None:
        """Read at 3, 4 and 5, invoked at 5.5; what is sent at 5.8 is read at 7, after the end at 6.5: 9.5."""
        log = streamed([2.2, 3.2, 4.2, 5.8], mapping={"batch_window": "2500ms"})
        assert worked_on(log) == [([0, 1, 2], [5.5]), ([3], [9.5])]

    def test_it_is_over_when_the_batch_is_full(self) -> None:
        """The third of three is read at 3."""
        log = streamed([0.5, 1.5, 2.5], mapping={"batch_window": "30s", "batch_size": 3})
        assert worked_on(log) == [([0, 1, 2], [3])]

    def test_a_full_read_does_not_wait(self) -> None:
        """Two of two at 1; the third is read at 2, since it was left behind, and waits until 12."""
        log = streamed([0.5] * 3, mapping={"batch_window": "10s", "batch_size": 2})
        assert worked_on(log) == [([0, 1], [1]), ([2], [12])]

    def test_a_read_fills_the_batch_and_leaves_some_behind(self) -> None:
        """One at 1, two of three more at 2, at work until 3.5. There the last is read, which waits until 8.5."""
        log = streamed([(0.5, 1.5), 1.5, 1.5, 1.5], mapping={"batch_window": "5s", "batch_size": 3})
        assert worked_on(log) == [([0, 1, 2], [2]), ([3], [8.5])]

    def test_a_retry_waits_for_no_window(self) -> None:
        """Invoked at 6, failed at 7, again after 1 s; what came meanwhile is not in it, but read at 9."""
        log = streamed(
            [0.5, 6.5],
            mapping={"batch_window": "5s"},
            function=ALWAYS_FAILING,
            changes=[{"at": "7500ms", "functions": {"f": {"errors": {}}}}],
        )
        assert worked_on(log) == [([0], [6]), ([0], [8]), ([1], [14])]


class TestThrottles:
    """A refused batch is tried again, and its lane waits."""

    def test_the_delays_double_up_to_a_minute(self) -> None:
        """At 1, then after 1, 2, 4 ... 32, 60 and 60 s: refused until 150, so accepted at 184. One batch, one row."""
        log = streamed(
            [0.5],
            function={"reserved_concurrency": 0},
            changes=[{"at": "150s", "functions": {"f": {"reserved_concurrency": 1}}}],
        )
        assert worked_on(log) == [([0], [1, 2, 4, 8, 16, 32, 64, 124, 184])]
        assert records(log) == [(0, "processed", 185)]
        assert len(refusals(log)) == 8

    def test_the_delays_may_be_others(self) -> None:
        """2, 4, then no more than 5 s."""
        log = streamed(
            [0.5],
            mapping={"retry": {"base": "2s", "cap": "5s"}},
            function={"reserved_concurrency": 0},
            changes=[{"at": "15s", "functions": {"f": {"reserved_concurrency": 1}}}],
        )
        assert worked_on(log) == [([0], [1, 3, 7, 12, 17])]

    def test_they_use_up_no_retry(self) -> None:
        """No retry is allowed; refused at 1, 2 and 4, and done at 9."""
        log = streamed(
            [0.5],
            mapping={"maximum_retry_attempts": 0},
            function={"reserved_concurrency": 0},
            changes=[{"at": "5s", "functions": {"f": {"reserved_concurrency": 1}}}],
        )
        assert worked_on(log) == [([0], [1, 2, 4, 8])]
        assert records(log) == [(0, "processed", 9)]

    def test_an_error_after_throttles_waits_on(self) -> None:
        """Refused at 1 and 2, failed from 4 to 5: the third in a row, so 4 s. Retry 1 fails from 9 to 10."""
        log = streamed(
            [0.5],
            mapping={"maximum_retry_attempts": 1},
            function={**ALWAYS_FAILING, "reserved_concurrency": 0},
            changes=[{"at": "3s", "functions": {"f": {"reserved_concurrency": 1}}}],
        )
        assert worked_on(log) == [([0], [1, 2, 4]), ([0], [9])]
        assert records(log) == [(0, "discarded", 10)]

    def test_a_throttle_after_an_error_waits_on(self) -> None:
        """Failed from 1 to 2, refused at 3 (1 s), so again 2 s later at 5, and 4 s later at 9; allowed from 6 on."""
        log = streamed(
            [0.5],
            mapping={"maximum_retry_attempts": 1},
            function={**ALWAYS_FAILING, "reserved_concurrency": 1},
            changes=[
                {"at": "2500ms", "functions": {"f": {"reserved_concurrency": 0}}},
                {"at": "6s", "functions": {"f": {"reserved_concurrency": 1}}},
            ],
        )
        assert worked_on(log) == [([0], [1]), ([0], [3, 5, 9])]
        assert records(log) == [(0, "discarded", 10)]

    def test_the_lane_waits(self) -> None:
        """Refused until 8, done at 9; then the record of 1.2 is read, and its own row of throttles would begin anew."""
        log = streamed(
            [0.5, 1.2],
            function={"reserved_concurrency": 0},
            changes=[
                {"at": "5s", "functions": {"f": {"reserved_concurrency": 1}}},
                {"at": "8500ms", "functions": {"f": {"reserved_concurrency": 0}}},
                {"at": "9500ms", "functions": {"f": {"reserved_concurrency": 1}}},
            ],
        )
        assert worked_on(log) == [([0], [1, 2, 4, 8]), ([1], [9, 10])]

    def test_the_age_counts(self) -> None:
        """Tried 1, 2 ... 32 s after it was sent; before the next try, at 64 s, it is older than 60 s."""
        log = streamed(
            [0],
            mapping={"maximum_record_age": "60s", "on_failure": "lost"},
            function={"reserved_concurrency": 0},
        )
        assert worked_on(log) == [([0], [1, 2, 4, 8, 16, 32])]
        assert [row[:2] for row in records(log)] == [(0, "discarded")]
        assert not log.messages.is_executed[0]
        assert [row.request for row in messages(log, "lost")] == [0]


class TestErrors:
    """A batch that failed is tried again, and nothing behind it is read."""

    def test_three_attempts(self) -> None:
        """T73: two retries. 1 to 2, 1 s later 3 to 4, 2 s later 6 to 7: discarded, a note is sent, the next is read."""
        mapping = {"maximum_retry_attempts": 2, "on_failure": "lost"}
        log = streamed([0.2, 0.4, 2.5], mapping=mapping, function=ALWAYS_FAILING)
        assert worked_on(log) == [([0, 1], [1]), ([0, 1], [3]), ([0, 1], [6]), ([2], [7]), ([2], [9]), ([2], [12])]
        assert records(log) == [(0, "discarded", 7), (1, "discarded", 7), (2, "discarded", 13)]
        assert messages(log, "lost") == [(0, "lost", 7, 0, "visible", None), (2, "lost", 13, 0, "visible", None)]
        assert [row.result for row in batches(log)] == [Result.ERROR] * 6

    def test_no_retry(self) -> None:
        """One attempt."""
        log = streamed([0.5, 0.5], mapping={"maximum_retry_attempts": 0}, function=ALWAYS_FAILING)
        assert worked_on(log) == [([0, 1], [1])]
        assert records(log) == [(0, "discarded", 2), (1, "discarded", 2)]

    def test_a_crash(self) -> None:
        """As an error, in a new environment each time: 1 s of init each. 1 to 3, 4 to 6, 8 to 10."""
        log = streamed(
            [0.5], mapping={"maximum_retry_attempts": 2}, function={"errors": {"crash": "100%"}, "init": "1s"}
        )
        assert [(row.tried, row.end, row.result) for row in batches(log)] == [
            ([1], 3, Result.CRASH),
            ([4], 6, Result.CRASH),
            ([8], 10, Result.CRASH),
        ]
        assert records(log) == [(0, "discarded", 10)]

    def test_a_timeout(self) -> None:
        """5 s of work, cut after 2: 1 to 3, 4 to 6, 8 to 10."""
        log = streamed([(0.5, 5)], mapping={"maximum_retry_attempts": 2}, function={"timeout": "2s"})
        assert [(row.tried, row.end, row.result) for row in batches(log)] == [
            ([1], 3, Result.TIMEOUT),
            ([4], 6, Result.TIMEOUT),
            ([8], 10, Result.TIMEOUT),
        ]
        assert records(log) == [(0, "discarded", 10)]

    def test_until_it_succeeds(self) -> None:
        """Fixed at 5: fails from 1 to 2 and 3 to 4, done from 6 to 7."""
        log = streamed([0.5], function=ALWAYS_FAILING, changes=[{"at": "5s", "functions": {"f": {"errors": {}}}}])
        assert worked_on(log) == [([0], [1]), ([0], [3]), ([0], [6])]
        assert records(log) == [(0, "processed", 7)]
        assert outcomes(log) == [("completed", 7, 3)]

    def test_what_runs_during_the_fix_fails(self) -> None:
        """Fixed at 3.5, while the second try runs."""
        log = streamed([0.5], function=ALWAYS_FAILING, changes=[{"at": "3500ms", "functions": {"f": {"errors": {}}}}])
        assert worked_on(log) == [([0], [1]), ([0], [3]), ([0], [6])]

    def test_without_limit(self) -> None:
        """1 s of work and 1, 2, 4 ... 32, 60, 60 s: at 1, 3, 6, 11, 20, 37, 70, 131, 192, fixed at 150."""
        log = streamed(
            [0.5, 60.5], function=ALWAYS_FAILING, changes=[{"at": "150s", "functions": {"f": {"errors": {}}}}]
        )
        tries = [1, 3, 6, 11, 20, 37, 70, 131, 192]
        assert worked_on(log) == [*(([0], [time]) for time in tries), ([1], [193])]

    def test_a_success_ends_the_row(self) -> None:
        """Failed at 1 and 3, done from 6 to 7; broken again, so the next batch fails from 7 to 8 and waits for 1 s."""
        log = streamed(
            [0.5, 2.5],
            function=ALWAYS_FAILING,
            changes=[
                {"at": "5s", "functions": {"f": {"errors": {}}}},
                {"at": "6500ms", "functions": {"f": {"errors": {"rate": "100%"}}}},
                {"at": "8500ms", "functions": {"f": {"errors": {}}}},
            ],
        )
        assert worked_on(log) == [([0], [1]), ([0], [3]), ([0], [6]), ([1], [7]), ([1], [9])]

    def test_what_was_left_behind_is_read_at_once_after_a_discard(self) -> None:
        """Batches of one, 0.3 s each: 1 to 1.3 fails, and the second is read there."""
        log = streamed(
            [(0.5, 0.3), (0.5, 0.3)],
            mapping={"batch_size": 1, "maximum_retry_attempts": 0},
            function=ALWAYS_FAILING,
        )
        assert worked_on(log) == [([0], [1]), ([1], [1.3])]

    def test_what_was_left_behind_is_read_at_once_after_retries(self) -> None:
        """Batches of one: 1 to 1.3 and 2.3 to 2.6, where the second is read."""
        log = streamed(
            [(0.5, 0.3), (0.5, 0.3)],
            mapping={"batch_size": 1, "maximum_retry_attempts": 1},
            function=ALWAYS_FAILING,
        )
        assert [row.tried[0] for row in batches(log)] == pytest.approx([1, 2.3, 2.6, 3.9])

    def test_what_came_since_the_read_waits_for_a_poll(self) -> None:
        """As before, but the second came after the read: at 3."""
        log = streamed(
            [(0.5, 0.3), (1.2, 0.3)],
            mapping={"batch_size": 1, "maximum_retry_attempts": 1},
            function=ALWAYS_FAILING,
        )
        assert [row.tried[0] for row in batches(log)] == pytest.approx([1, 2.3, 3, 4.3])


class TestGivingUp:
    """Age, retention, and where the note goes."""

    def test_a_record_of_its_maximum_age_is_not_too_old(self) -> None:
        """Sent at 0, tried at 1; failed at 2, again 58 s later at its age of 60 s; at 119 s it would be older."""
        log = streamed(
            [0],
            mapping={"maximum_record_age": "60s", "retry": {"base": "58s", "cap": "58s"}},
            function=ALWAYS_FAILING,
        )
        assert worked_on(log) == [([0], [1]), ([0], [60])]
        assert [row[:2] for row in records(log)] == [(0, "discarded")]

    def test_a_record_beyond_its_maximum_age_is_too_old(self) -> None:
        """Sent at 0, and a millisecond later than before: 60.001 s."""
        log = streamed(
            [0],
            mapping={"maximum_record_age": "60s", "retry": {"base": "58001ms", "cap": "60s"}},
            function=ALWAYS_FAILING,
        )
        assert worked_on(log) == [([0], [1])]
        assert [row[:2] for row in records(log)] == [(0, "discarded")]

    def test_one_that_waits_too_long_behind_another(self) -> None:
        """The first works from 1 to 71. The second, sent at 2, is 69 s old then, and never in an invocation."""
        log = streamed([(0.5, 70), 2, 70.5], mapping={"maximum_record_age": "60s"})
        assert [row[:2] for row in records(log)] == [(0, "processed"), (1, "discarded"), (2, "processed")]
        assert [row.request for row in invocations(log)] == [0, 2]
        assert starts(log) == [1, 71]

    def test_a_record_expires(self) -> None:
        """Sent at 0.5: tries at 1 and, 10 h later, at 36002 and 72003; gone a day after 0.5 s.

        Nothing was left behind by the read of 1 s, so that the second record is read by the poll after that.
        """
        log = streamed(
            [0.5, 500.5],
            mapping={"retry": {"base": "10h", "cap": "10h"}},
            function=ALWAYS_FAILING,
            duration="1h",
            drain="48h",
            changes=[{"at": "22h", "functions": {"f": {"errors": {}}}}],
        )
        assert worked_on(log) == [([0], [1]), ([0], [36_002]), ([0], [72_003]), ([1], [DAY + 1])]
        assert records(log) == [(0, "expired", DAY + 0.5), (1, "processed", DAY + 2)]
        assert end_s(log) == DAY + 2

    def test_records_that_were_not_read_expire(self) -> None:
        """The function is stopped, and the second is behind the first for as long as that is there."""
        log = streamed([0.5, 10], function={"reserved_concurrency": 0}, duration="1h", drain="48h")
        assert records(log) == [(0, "expired", DAY + 0.5), (1, "expired", DAY + 10)]
        assert not log.messages.is_executed.any()

    def test_the_run_ends_when_the_last_record_expires(self) -> None:
        """The same: nothing is left to wait for then."""
        log = streamed([0.5, 10], function={"reserved_concurrency": 0}, duration="1h", drain="48h")
        assert end_s(log) == DAY + 10

    def test_no_note_of_what_expires(self) -> None:
        """The stream forgets it; Lambda gives nothing up."""
        log = streamed(
            [0.5],
            mapping={"on_failure": "lost", "retry": {"base": "10h", "cap": "10h"}},
            function=ALWAYS_FAILING,
            duration="1h",
            drain="48h",
        )
        assert records(log) == [(0, "expired", DAY + 0.5)]
        assert messages(log, "lost") == []

    def test_a_retention_of_two_days(self) -> None:
        """Stopped until 40 h: with a day it would be gone."""
        log = streamed(
            [0.5],
            stream={"retention": "48h"},
            function={"reserved_concurrency": 0},
            duration="1h",
            drain="72h",
        )
        assert records(log) == [(0, "expired", 2 * DAY + 0.5)]

    def test_the_note_invokes_another_function(self) -> None:
        """Given up at 2, and g works on the note from then on; the request is dropped all the same."""
        log = streamed(
            [0.5, 0.5],
            mapping={"maximum_retry_attempts": 0, "on_failure": "lost"},
            function=ALWAYS_FAILING,
            functions={"g": {"duration": "3s", "timeout": "30s"}},
            queues={"lost": {"event_source_mapping": {"function": "g"}}},
        )
        assert [(row.queue, row.requests, row.tried, row.end) for row in batches(log)] == [
            ("s", [0, 1], [1], 2),
            ("lost", [0], [2], 5),
        ]
        assert messages(log, "lost") == [(0, "lost", 2, 1, "deleted", 5)]
        assert records(log) == [(0, "discarded", 2), (1, "discarded", 2)]

    def test_a_note_for_each_group(self) -> None:
        """Two batches of two: two notes, each with the request of its first record."""
        log = streamed(
            [0.5] * 4,
            mapping={"batch_size": 2, "maximum_retry_attempts": 0, "on_failure": "lost"},
            function=ALWAYS_FAILING,
        )
        assert [(row.request, row.sent) for row in messages(log, "lost")] == [(0, 2), (2, 3)]


class TestBisect:
    """A batch that fails is halved, until what fails is alone."""

    def test_four_with_the_third_bad(self) -> None:
        """T74. 4 from 1 to 2; after 1 s 2 from 3 to 4, 2 more from 4 to 5; after 1 s the bad one from 6 to 7, and 1."""
        log = poisoned([2], 4, mapping=BISECT)
        assert worked_on(log) == [([0, 1, 2, 3], [1]), ([0, 1], [3]), ([2, 3], [4]), ([2], [6]), ([3], [7])]
        assert records(log) == [
            (0, "processed", 4),
            (1, "processed", 4),
            (2, "discarded", 7),
            (3, "processed", 8),
        ]
        assert [(row.request, row.sent) for row in messages(log, "lost")] == [(2, 7)]

    def test_four_with_the_first_bad(self) -> None:
        """4 from 1 to 2, 2 from 3 to 4, the bad one from 5 to 6, 1 from 6 to 7, and the other 2 from 7 to 8."""
        log = poisoned([0], 4, mapping={**BISECT, **EVERY_SECOND})
        assert worked_on(log) == [([0, 1, 2, 3], [1]), ([0, 1], [3]), ([0], [5]), ([1], [6]), ([2, 3], [7])]
        assert [row[1:] for row in records(log)] == [
            ("discarded", 6),
            ("processed", 7),
            ("processed", 8),
            ("processed", 8),
        ]

    def test_each_half_waits_for_its_own_errors(self) -> None:
        """As before with delays that double: each half is a batch of its own, so that its first error waits for 1 s."""
        log = poisoned([0], 4, mapping=BISECT)
        assert worked_on(log) == [([0, 1, 2, 3], [1]), ([0, 1], [3]), ([0], [5]), ([1], [6]), ([2, 3], [7])]

    def test_the_first_half_is_the_larger_one(self) -> None:
        """5: 3 from 3 to 4, 2 from 4 to 5 fail, 1 from 6 to 7, the bad one from 7 to 8."""
        log = poisoned([4], 5, mapping=BISECT)
        assert worked_on(log) == [([0, 1, 2, 3, 4], [1]), ([0, 1, 2], [3]), ([3, 4], [4]), ([3], [6]), ([4], [7])]
        assert records(log)[-1] == (4, "discarded", 8)

    def test_a_split_uses_up_no_retry(self) -> None:
        """One retry: 2 from 1 to 2, the bad one from 3 to 4 and from 5 to 6, the good one from 6 to 7."""
        log = poisoned([0], 2, mapping={**BISECT, **EVERY_SECOND, "maximum_retry_attempts": 1})
        assert worked_on(log) == [([0, 1], [1]), ([0], [3]), ([0], [5]), ([1], [6])]
        assert records(log) == [(0, "discarded", 6), (1, "processed", 7)]

    def test_both_bad(self) -> None:
        """2 from 1 to 2, 1 from 3 to 4, and the other at once, from 4 to 5: two notes."""
        log = streamed([0.5, 0.5], mapping=BISECT, function=ALWAYS_FAILING)
        assert worked_on(log) == [([0, 1], [1]), ([0], [3]), ([1], [4])]
        assert [(row.request, row.sent) for row in messages(log, "lost")] == [(0, 4), (1, 5)]

    def test_the_second_half_waits_while_the_first_is_tried_again(self) -> None:
        """The first of 2 until it is fixed at 4.5: from 3 to 4, from 5 to 6, then the second."""
        log = streamed(
            [0.5, 0.5],
            mapping={"bisect_on_error": True, **EVERY_SECOND},
            function=ALWAYS_FAILING,
            changes=[{"at": "4500ms", "functions": {"f": {"errors": {}}}}],
        )
        assert worked_on(log) == [([0, 1], [1]), ([0], [3]), ([0], [5]), ([1], [6])]

    def test_nothing_is_read_between_the_halves(self) -> None:
        """The record of 1.5 waits for both: 2 from 1 to 2, 1 from 3 to 4, 1 from 4 to 5, and it is read at 5."""
        log = streamed([0.5, 0.5, 1.5], mapping=BISECT, function=ALWAYS_FAILING)
        assert worked_on(log) == [([0, 1], [1]), ([0], [3]), ([1], [4]), ([2], [5])]

    def test_a_timeout_is_halved_too(self) -> None:
        """duration_per: record. 3 + 3 s are over 4 s: 1 to 5, then 6 to 9 and 9 to 12, both done."""
        mapping = {**BISECT, "duration_per": "record"}
        log = streamed([(0.5, 3), (0.5, 3)], mapping=mapping, function={"timeout": "4s"})
        assert worked_on(log) == [([0, 1], [1]), ([0], [6]), ([1], [9])]
        assert records(log) == [(0, "processed", 9), (1, "processed", 12)]

    def test_a_throttle_does_not_halve(self) -> None:
        """Refused at 1 and 2, done at 5, all at once."""
        log = streamed(
            [0.5, 0.5],
            mapping=BISECT,
            function={"reserved_concurrency": 0},
            changes=[{"at": "3s", "functions": {"f": {"reserved_concurrency": 1}}}],
        )
        assert worked_on(log) == [([0, 1], [1, 2, 4])]

    def test_a_throttled_half(self) -> None:
        """2 fail from 1 to 2. The first is refused at 3, again after 1 s or 2 s, but done before the second begins."""
        log = streamed(
            [0.5, 0.5],
            mapping={"bisect_on_error": True, **EVERY_SECOND},
            function={**ALWAYS_FAILING, "reserved_concurrency": 1},
            changes=[
                {"at": "2500ms", "functions": {"f": {"reserved_concurrency": 0, "errors": {}}}},
                {"at": "3500ms", "functions": {"f": {"reserved_concurrency": 1}}},
            ],
        )
        assert worked_on(log) == [([0, 1], [1]), ([0], [3, 4]), ([1], [5])]


class TestPartialFailures:
    """The function names the first record that failed."""

    def test_what_is_before_the_failed_one_is_done(self) -> None:
        """1 to 2: two records are done. The rest again from 3 to 4, which was the only retry: given up, one note."""
        log = poisoned([2], 4, mapping=PARTIAL)
        assert worked_on(log) == [([0, 1, 2, 3], [1]), ([2, 3], [3])]
        assert records(log) == [(0, "processed", 2), (1, "processed", 2), (2, "discarded", 4), (3, "discarded", 4)]
        assert [(row.request, row.sent) for row in messages(log, "lost")] == [(2, 4)]

    def test_the_first_failed(self) -> None:
        """All of it again."""
        log = poisoned([0, 2], 3, mapping=PARTIAL)
        assert worked_on(log) == [([0, 1, 2], [1]), ([0, 1, 2], [3])]
        assert {row[1] for row in records(log)} == {"discarded"}

    def test_nothing_failed(self) -> None:
        """One attempt."""
        log = poisoned([], 3, mapping=PARTIAL)
        assert worked_on(log) == [([0, 1, 2], [1])]
        assert {row[1:] for row in records(log)} == {("processed", 2)}

    def test_retries_are_counted_for_the_first_of_the_rest(self) -> None:
        """One retry. The first record fails from 1 to 2, the second from 3 to 4, and is done from 5 to 6."""
        parts = {"mapping": PARTIAL, "function": {"errors": {"rate": "50%"}}}

        def first_then_second(workload: Any) -> bool:
            tries = [failing(workload, 2, invocation) for invocation in (1, 2, 3)]
            return tries[0][0] and tries[1] == [False, True] and not tries[2][1]

        seed = seed_where(with_stream([0.5, 0.5], **parts), first_then_second)
        log = streamed([0.5, 0.5], seed=seed, **parts)
        assert worked_on(log) == [([0, 1], [1]), ([0, 1], [3]), ([1], [5])]
        assert records(log) == [(0, "processed", 4), (1, "processed", 6)]

    def test_a_timeout_names_nothing(self) -> None:
        """3 + 3 s are over 4 s: 1 to 5 and 6 to 10, all of it each time."""
        mapping = {**PARTIAL, "duration_per": "record"}
        log = streamed([(0.5, 3), (0.5, 3)], mapping=mapping, function={"timeout": "4s"})
        assert worked_on(log) == [([0, 1], [1]), ([0, 1], [6])]
        assert records(log) == [(0, "discarded", 10), (1, "discarded", 10)]

    def test_a_crash_names_nothing(self) -> None:
        """From 1 to 2 and, fixed, from 3 to 4."""
        log = streamed(
            [0.5, 0.5],
            mapping=PARTIAL,
            function={"errors": {"crash": "100%"}},
            changes=[{"at": "2500ms", "functions": {"f": {"errors": {}}}}],
        )
        assert worked_on(log) == [([0, 1], [1]), ([0, 1], [3])]
        assert {row[1:] for row in records(log)} == {("processed", 4)}

    def test_nothing_new_joins_the_rest(self) -> None:
        """The record of 1.5 waits until the rest is given up at 4."""
        rows = [0.5, 0.5, 1.5]
        log = poisoned([1], 3, rows, mapping=PARTIAL)
        assert worked_on(log) == [([0, 1], [1]), ([1], [3]), ([2], [4])]
        assert records(log) == [(0, "processed", 2), (1, "discarded", 4), (2, "processed", 5)]


class TestLanes:
    """Shards and the batches of a shard go on beside each other."""

    def test_two_hundred_at_once(self) -> None:
        """T69: 100 shards and a factor of 2. With 4,000 records every lane has some; 20 s of work."""
        made = with_stream([(0.5, 20)] * 4_000, stream={"shards": 100}, mapping={"parallelization_factor": 2})
        log = log_of(made)
        assert len(set(places(made, 4_000))) == 200
        assert in_flight(log, 1) == most_in_flight(log) == 200

    def test_not_more_though_all_of_them_wait(self) -> None:
        """Batches of 1 of 7 s: six lanes, one batch at once each."""
        made = with_stream(
            [(0.5, 7)] * 200, stream={"shards": 3}, mapping={"parallelization_factor": 2, "batch_size": 1}
        )
        assert most_in_flight(log_of(made)) == 6

    def test_records_go_where_their_keys_are(self) -> None:
        """Each batch holds the records of one place, in the order of sending."""
        made = with_stream(
            [0.5] * 40, stream={"shards": 3, "partition_keys": 20}, mapping={"parallelization_factor": 2}
        )
        where = places(made, 40)
        together: dict[tuple[int, int], list[int]] = {}
        for number, place in enumerate(where):
            together.setdefault(place, []).append(number)
        assert sorted(batch.requests for batch in batches(log_of(made))) == sorted(together.values())

    def test_one_key_has_one_lane(self) -> None:
        """Ten shards do not help."""
        log = streamed([0.5] * 5, stream={"shards": 10, "partition_keys": 1}, mapping={"parallelization_factor": 10})
        assert worked_on(log) == [([0, 1, 2, 3, 4], [1])]

    @pytest.mark.parametrize("apart", [{"stream": {"shards": 2}}, {"mapping": {"parallelization_factor": 2}}])
    def test_a_blocked_lane_blocks_no_other(self, apart: dict[str, Any]) -> None:
        """The first record fails for ever; the second, in another lane, comes at 0.5, the third at 1.5."""
        parts: dict[str, Any] = {**apart, "function": {"errors": {"poison": "30%"}}, "duration": "5s", "drain": "50s"}
        rows = [0.5, 0.5, 1.5]

        def fits(workload: Any) -> bool:
            made = [workload.draws.partition("t", ordinal) >= 0.5 for ordinal in range(3)]
            return made in ([False, True, True], [True, False, False]) and failing(workload, 3) == [True, False, False]

        seed = seed_where(with_stream(rows, **parts), fits)
        log = streamed(rows, seed=seed, **parts)
        tried = [(row.requests, row.tried) for row in batches(log) if row.requests != [0]]
        assert tried == [([1], [1]), ([2], [2])]
        assert [row[1:] for row in records(log)] == [("in_flight", None), ("processed", 2), ("processed", 3)]


class TestOneInstant:
    """Ends, changes, queued work by request index, arrivals."""

    def test_an_end_comes_first(self) -> None:
        """The request of 0 ends at 1, and the record read then finds the unit free."""
        log = streamed([0.5], traffic={"web": {"function": "f", "trace": trace([0])}}, region=QUOTA_1)
        assert refusals(log) == []
        assert starts(log) == [0, 1]

    def test_a_change_comes_before_a_read(self) -> None:
        """Stopped at 1: the read of 1 is refused."""
        log = streamed(
            [0.5],
            function={"reserved_concurrency": 1},
            changes=[
                {"at": "1s", "functions": {"f": {"reserved_concurrency": 0}}},
                {"at": "2s", "functions": {"f": {"reserved_concurrency": 1}}},
            ],
        )
        assert worked_on(log) == [([0], [1, 2])]

    def test_an_arrival_comes_after_a_read(self) -> None:
        """The caller of 1 is refused."""
        log = streamed([0.5], traffic={"web": {"function": "f", "trace": trace([1])}}, region=QUOTA_1)
        assert [row.request for row in invocations(log)] == [0]
        assert outcomes(log) == [("completed", 2, 1), ("throttled", 1, 1)]

    @pytest.mark.parametrize("order", [("s", "p"), ("p", "s")])
    def test_streams_compete_by_request_index(self, order: tuple[str, str]) -> None:
        """Request 0 is of the first source, whatever stream it sends to: it gets the unit at 1, the other at 2."""
        made = with_stream(
            streams={"p": {"event_source_mapping": {"function": "f"}}},
            traffic={
                "a": {"invoke": "stream", "stream": order[0], "trace": trace([0.2])},
                "b": {"invoke": "stream", "stream": order[1], "trace": trace([0.2])},
            },
            region=QUOTA_1,
        )
        log = log_of(made)
        assert [(row.queue, row.requests, row.tried) for row in batches(log)] == [
            (order[0], [0], [1]),
            (order[1], [1], [1, 2]),
        ]

    def test_lanes_compete_by_request_index(self) -> None:
        """Quota 1, four shards with a record each: the first gets the unit; the others double their delays.

        1: 0 runs. 2 (after 1 s): 1 runs. 4 (after 2 s): 2 runs. 8 (after 4 s): 3 runs.
        """
        parts: dict[str, Any] = {"stream": {"shards": 4}, "region": QUOTA_1}
        rows = [0.5] * 4
        wanted = [0, 1, 2, 3]
        seed = seed_where(
            with_stream(rows, **parts),
            lambda workload: sorted(int(4 * workload.draws.partition("t", n)) for n in range(4)) == wanted,
        )
        log = streamed(rows, seed=seed, **parts)
        assert worked_on(log) == [([0], [1]), ([1], [1, 2]), ([2], [1, 2, 4]), ([3], [1, 2, 4, 8])]

    def test_queue_and_stream_compete_by_request_index(self) -> None:
        """A message that is visible at 1 and a record that is read at 1."""
        log = streamed(
            [0.5],
            function={"timeout": "30s"},
            queues={"q": {"delay": "500ms", "event_source_mapping": {"function": "f", "batch_size": 1}}},
            traffic={"u": {"invoke": "sqs", "queue": "q", "trace": trace([0.5])}},
            region=QUOTA_1,
        )
        assert [row.request for row in invocations(log) if row.admitted == 1] == [0]
        assert [(time, reason) for time, reason in refusals(log) if time == 1] == [(1, "account_concurrency")]


class TestEndOfRun:
    """The run waits until every record is settled, or for as long as the drain."""

    def test_a_record_that_waits_for_its_poll(self) -> None:
        """Duration 5 s, sent at 4.5, polled every 20 s: done at 21."""
        log = streamed([4.5], mapping={"poll_interval": "20s"}, duration="5s")
        assert end_s(log) == 21

    def test_a_window(self) -> None:
        """Duration 2 s; read at 1, invoked at 61, done at 62."""
        assert end_s(streamed([0.5], mapping={"batch_window": "60s"}, duration="2s")) == 62

    def test_retries(self) -> None:
        """Duration 2 s, given up at 7; a note that nobody polls is not waited for."""
        mapping = {"maximum_retry_attempts": 2, "on_failure": "lost"}
        assert end_s(streamed([0.5], mapping=mapping, function=ALWAYS_FAILING, duration="2s")) == 7

    def test_a_note_that_invokes_another_function(self) -> None:
        """Duration 1 s; given up at 2, and g works on the note until 5."""
        log = streamed(
            [0.5],
            mapping={"maximum_retry_attempts": 0, "on_failure": "lost"},
            function=ALWAYS_FAILING,
            functions={"g": {"duration": "3s", "timeout": "30s"}},
            queues={"lost": {"event_source_mapping": {"function": "g"}}},
            duration="1s",
        )
        assert messages(log, "lost") == [(0, "lost", 2, 1, "deleted", 5)]
        assert end_s(log) == 5

    def test_a_note_on_what_is_too_old(self) -> None:
        """The same at a give-up without an invocation: refused until it is too old, and g works on the note."""
        log = streamed(
            [0.5],
            mapping={"maximum_record_age": "60s", "on_failure": "lost"},
            function={"reserved_concurrency": 0},
            functions={"g": {"duration": "3s", "timeout": "30s"}},
            queues={"lost": {"event_source_mapping": {"function": "g"}}},
            duration="1s",
        )
        assert [row.outcome for row in messages(log, "lost")] == ["deleted"]
        assert end_s(log) == messages(log, "lost")[0].settled

    def test_a_record_that_never_gets_through(self) -> None:
        """Ends at 5 + 100 s: one is in its batch, the other was not read."""
        log = streamed([0.5, 2.5], function=ALWAYS_FAILING, duration="5s", drain="100s")
        assert end_s(log) == 105
        assert records(log) == [(0, "in_flight", None), (1, "visible", None)]
        assert [row[0] for row in outcomes(log)] == ["in_flight", "in_flight"]

    def test_in_the_middle_of_an_invocation(self) -> None:
        """Ends at 2."""
        log = streamed([(0.5, 20)], duration="1s", drain="1s")
        assert records(log) == [(0, "in_flight", None)]
        assert batches(log)[0].result is Result.RUNNING

    def test_before_the_first_poll(self) -> None:
        """Ends at 0.9."""
        log = streamed([0.5], duration="600ms", drain="300ms")
        assert records(log) == [(0, "visible", None)]
        assert batches(log) == []


class TestIteratorAge:
    """Age of the last record of a batch, when the function is invoked with it."""

    def test_of_the_last_record(self) -> None:
        """Sent at 0.25 and 0.75, invoked at 1: 250 ms, not 750."""
        made = with_stream([0.25, 0.75])
        log = log_of(made)
        assert iterator_ages(log) == [(1, 0.25)]
        assert [(row.function, row.maximum, row.minimum) for row in metric(log, made, "IteratorAge")] == [
            ("f", 250, 250)
        ]

    def test_again_with_each_try(self) -> None:
        """Failed at 1 and 3, given up after 6: 0.5, 2.5 and 5.5 s; the record after it, sent at 2.5, at 7: 4.5 s."""
        mapping = {"maximum_retry_attempts": 2}
        log = streamed([0.5, 2.5], mapping=mapping, function=ALWAYS_FAILING, duration="8s", drain="0s")
        assert iterator_ages(log) == [(1, 0.5), (3, 2.5), (6, 5.5), (7, 4.5)]

    def test_a_refused_batch_has_none(self) -> None:
        """Refused at 1 and 2, accepted at 4: 3.5 s."""
        log = streamed(
            [0.5],
            function={"reserved_concurrency": 0},
            changes=[{"at": "3s", "functions": {"f": {"reserved_concurrency": 1}}}],
        )
        assert iterator_ages(log) == [(4, 3.5)]
