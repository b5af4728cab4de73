"""The shipped scenarios about asynchronous events, schedules, FIFO queues and streams: what waits, and for whom.

As in ``test_scenarios``: what a number should be comes from theory or from the rules; the quoted figures are those of
the file's own seed.
"""

from __future__ import annotations

from math import log

import numpy as np
import numpy.typing as npt
import pytest

from lambdasim.api import Result
from lambdasim.workload.draws import Draws
from tests.test_scenarios import assert_quoted, client_retry, comment, proposed_runs, reasons, run

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def of_source(result: Result, source: str) -> np.ndarray:
    """The requests of one source, in the order in which they came."""
    requests = result.requests
    chosen: np.ndarray = requests[requests["source"] == source]
    return chosen


def tries(result: Result, source: str) -> np.ndarray:
    """The accepted attempts for the requests of one source."""
    attempts = result.attempts
    accepted = attempts["result"] != "throttled"
    chosen: np.ndarray = attempts[accepted & (result.requests["source"][attempts["request"]] == source)]
    return chosen


def throttles(result: Result, source: str) -> int:
    """Refused attempts for the requests of one source."""
    return int(of_source(result, source)["throttles"].sum())


def slowest_s(result: Result, source: str) -> float:
    """The longest time that a completed request took."""
    requests = of_source(result, source)
    return float(requests["latency_s"][requests["outcome"] == "completed"].max())


def busy_at(result: Result, source: str, times_s: FloatArray) -> IntArray:
    """How many requests of a source were worked on at these times."""
    attempts = tries(result, source)
    starts_s, ends_s = np.sort(attempts["time_s"]), np.sort(attempts["end_s"])
    level: IntArray = np.searchsorted(starts_s, times_s, "right") - np.searchsorted(ends_s, times_s, "right")
    return level


def draws_of(result: Result) -> Draws:
    """The random values of a run: its message groups and partition keys among them."""
    return Draws(result.scenario, result.summary["scenario"]["seed"])


class TestAsyncVersusSync:
    SEEDS = (1, 2, 3)

    @pytest.mark.parametrize("seed", SEEDS)
    def test_callers_lose_what_the_units_cannot_do_while_they_try(self, seed: int) -> None:
        """20 units do 20/s in the 30 s, and in the 1 s + 2 s over which the last callers try again, and 20 at last."""
        result = run("async-versus-sync", seed=seed)
        calls = of_source(result, "calls")
        served = int((calls["outcome"] == "completed").sum())
        assert 20 * 30 <= served <= 20 * 30 + 20 * 3 + 20
        assert (calls["outcome"] == "throttled").sum() == 3_000 - served
        assert (calls["attempts"][calls["outcome"] == "throttled"] == 3).all()
        assert slowest_s(result, "calls") <= 1 + 2 + 0.2 + 1

    @pytest.mark.parametrize("seed", SEEDS)
    def test_events_are_late_because_their_reader_swings(self, seed: int) -> None:
        """From 10 events to the 21st, which is refused, are ln 2.1 / ln 1.05 = 15.2 s; 14.3 are busy on average."""
        result = run("async-versus-sync", seed=seed)
        cycle_s = log(2.1) / log(1.05)
        busy = 10 + sum(cycle_s - log(n / 10) / log(1.05) for n in range(11, 21)) / cycle_s
        assert (of_source(result, "events")["outcome"] == "completed").all()
        assert busy_at(result, "events", np.linspace(20, 190, 1_000)).mean() == pytest.approx(busy, rel=0.04)
        assert of_source(result, "events")["end_s"].max() == pytest.approx(3_000 / busy, rel=0.04)

    @pytest.mark.parametrize("seed", SEEDS)
    def test_the_queue_keeps_all_units_busy(self, seed: int) -> None:
        """Places for 5 batches, and 5 more a second: 15 + 10 + 5 messages fewer in the first 3 s, then always 20."""
        result = run("async-versus-sync", seed=seed)
        messages = of_source(result, "messages")
        assert (messages["outcome"] == "completed").all()
        assert throttles(result, "messages") == 0
        assert (busy_at(result, "messages", np.linspace(4.05, 149.05, 1_000)) == 20).all()
        assert messages["end_s"].max() == pytest.approx(3_000 / 20 + (15 + 10 + 5) / 20, abs=0.5)

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result = run("async-versus-sync")
        unlimited, more_units = proposed_runs("async-versus-sync")
        calls = of_source(result, "calls")
        mapping = result.scenario.queues["orders"].event_source_mapping
        assert mapping is not None
        assert mapping.maximum_concurrency is not None
        assert client_retry(result, "calls").max_attempts == 3
        total_s = of_source(result, "events")["end_s"].max()
        lesson = {
            "lose 2,355": (calls["outcome"] == "throttled").sum(),
            "20/s x": 20,
            "30 s =": 30,
            "600 get": 20 * 30,
            "45 more": (calls["outcome"] == "completed").sum() - 20 * 30,
            "3 times": calls["attempts"].max(),
            "3.8 s": slowest_s(result, "calls"),
            "events lose 0": result.summary["async"]["dropped"],
            "177 s": slowest_s(result, "events"),
            "14.5 of": 3_000 / total_s,
            "the 20 units": 20,
            "3,000 orders": len(of_source(result, "events")),
            "at 14.5/s": 3_000 / total_s,
            "207 s": total_s,
            "queue loses 0": result.summary["queues"]["orders"]["dropped"],
            "122 s": slowest_s(result, "messages"),
            "maximum_concurrency of 20": mapping.maximum_concurrency,
            "0 attempts": throttles(result, "messages"),
            "20 units are busy from": busy_at(result, "messages", np.array([100.0]))[0],
            "3,000 at": len(of_source(result, "messages")),
            "at 20/s are": 20,
            "150 s": 3_000 / 20,
        }
        then = {
            "4,456": throttles(unlimited, "messages"),
            "159 s": slowest_s(unlimited, "messages"),
            "lose 0": (of_source(more_units, "calls")["outcome"] == "throttled").sum(),
        }
        assert_quoted("async-versus-sync", "Lesson", lesson)
        assert_quoted("async-versus-sync", "Then", then)


def first_report_ready_s(result: Result) -> float:
    """When the first report was ready."""
    return float(of_source(result, "schedules")["end_s"].min())


def office_refused(result: Result) -> int:
    """Requests of people that were refused."""
    return int((of_source(result, "people")["outcome"] == "throttled").sum())


class TestCronStampede:
    @pytest.mark.parametrize("seed", [1, 2, 3])
    def test_people_keep_the_units_they_had(self, seed: int) -> None:
        """10 units of 500 ms serve 20/s of 100/s from 1:05 until reports end; before and after nobody is refused."""
        result = run("cron-stampede", seed=seed)
        people = of_source(result, "people")
        ready_s = first_report_ready_s(result)
        assert 60 + 20.5 < ready_s < 60 + 20.5 + 0.2
        assert office_refused(result) == pytest.approx((100 - 20) * (ready_s - 65), abs=4)
        refused_s = people["arrival_s"][people["outcome"] == "throttled"]
        assert 65 <= refused_s.min() < refused_s.max() < ready_s + 0.1
        assert (busy_at(result, "people", np.linspace(62, 80, 500)) == 20 * 0.5).all()
        assert (busy_at(result, "schedules", np.linspace(62, 80, 500)) == 1_000 - 20 * 0.5).all()

    @pytest.mark.parametrize("seed", [1, 2, 3])
    def test_reports_run_in_two_waves_and_none_is_lost(self, seed: int) -> None:
        """The second wave begins while the first one ends, within the second over which that began; 20 s more, warm."""
        result = run("cron-stampede", seed=seed)
        reports = of_source(result, "schedules")
        assert (reports["outcome"] == "completed").all()
        assert len(reports) == 1_500
        waits = reports["start_s"] > 70
        assert waits.sum() == 1_500 - 990
        assert first_report_ready_s(result) < reports["start_s"][waits].min()
        assert reports["start_s"][waits].max() < first_report_ready_s(result) + 1
        assert set(reasons(result)) == {"account_concurrency"}

    def test_spread_or_fenced_in_they_disturb_nobody(self) -> None:
        """By Little's law 5/s x 20 s, in either case far below the quota; but the fence makes a queue."""
        spread, fenced = proposed_runs("cron-stampede")
        assert office_refused(spread) == office_refused(fenced) == 0
        assert busy_at(spread, "schedules", np.linspace(90, 355, 500)).mean() == pytest.approx(5 * 20, rel=0.02)
        assert busy_at(fenced, "schedules", np.linspace(62, 300, 500)).max() == 100
        assert slowest_s(fenced, "schedules") > 1_500 * 20 / 100 > 10 * slowest_s(spread, "schedules")

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result = run("cron-stampede")
        spread, fenced = proposed_runs("cron-stampede")
        people, reports = of_source(result, "people"), of_source(result, "schedules")
        blocked = (people["arrival_s"] > 65) & (people["arrival_s"] < first_report_ready_s(result))
        lesson = {
            "80 %": 100 * (people["outcome"][blocked] == "throttled").mean(),
            "15.5 s": first_report_ready_s(result) - 65,
            "1,241": office_refused(result),
            "990 reports": (reports["start_s"] < 61.2).sum(),
            "the 10 that": busy_at(result, "people", np.array([61.0]))[0],
            "20/s x": 20,
            "500 ms)": 500,
            "10 units do": 10,
            "do 20/s": 10 / 0.5,
            "80/s are": 100 - 20,
            "after 20 s": 20,
            "510 wait": (reports["start_s"] > 70).sum(),
            "41 s": slowest_s(result, "schedules"),
        }
        then = {
            "5/s": 1_500 / 300,
            "20 s =": 20,
            "100 units,": 5 * 20,
            "0 requests": office_refused(spread),
            "21 s": slowest_s(spread, "schedules"),
            "again 0": office_refused(fenced),
            "364 s": slowest_s(fenced, "schedules"),
            "1,500": len(reports),
            "20 s /": 20,
            "100 units =": 100,
            "300 s": 1_500 * 20 / 100,
        }
        assert_quoted("cron-stampede", "Lesson", lesson)
        assert_quoted("cron-stampede", "Then", then)


GROUPS = {"shops": 4, "customers": 40}
QUEUES = {"shops": "by-shop", "customers": "by-customer"}


def groups_of(result: Result, source: str) -> IntArray:
    """The message group of each message of a source."""
    draws, count = draws_of(result), len(of_source(result, source))
    return np.array([draws.message_group(source, ordinal, GROUPS[source]) for ordinal in range(count)])


def bad_order(result: Result, source: str) -> int:
    """Which message of a source always fails: the only one that comes while the function's errors are on."""
    arrivals_s = of_source(result, source)["arrival_s"]
    (ordinal,) = np.flatnonzero((arrivals_s >= 10) & (arrivals_s < 10.05))
    return int(ordinal)


def dead_lettered(result: Result, source: str) -> np.ndarray:
    """The rows of messages of a queue that went to its dead-letter queue."""
    messages = result.messages
    chosen: np.ndarray = messages[(messages["queue"] == QUEUES[source]) & (messages["outcome"] == "dead_lettered")]
    return chosen


def empty_s(result: Result, source: str) -> float:
    """When a queue was empty."""
    messages = result.messages
    return float(messages["settled_s"][messages["queue"] == QUEUES[source]].max())


def behind_the_bad_order(result: Result, source: str) -> int:
    """How many messages of its group wait when the bad order goes to the dead-letter queue."""
    groups, bad = groups_of(result, source), bad_order(result, source)
    (row,) = dead_lettered(result, source)
    ends_s = of_source(result, source)["end_s"]
    return int(((groups == groups[bad]) & (ends_s > row["settled_s"])).sum())


class TestFifo:
    @pytest.mark.parametrize("source", GROUPS)
    @pytest.mark.parametrize("seed", [None, 1, 2])
    def test_one_order_of_a_group_at_a_time_and_in_order(self, source: str, seed: int | None) -> None:
        """Within a group each invocation begins when the one before has ended, also the five with the bad order."""
        result = run("fifo", seed=seed)
        attempts, groups = tries(result, source), groups_of(result, source)
        ordinals = np.cumsum(result.requests["source"] == source)[attempts["request"]] - 1
        for group in range(GROUPS[source]):
            chosen = np.argsort(attempts["time_s"] + np.where(groups[ordinals] == group, 0, np.inf), kind="stable")
            chosen = chosen[: (groups[ordinals] == group).sum()]
            assert (np.diff(ordinals[chosen]) >= 0).all()
            assert (attempts["time_s"][chosen][1:] >= attempts["end_s"][chosen][:-1] - 1e-9).all()
        assert busy_at(result, source, np.linspace(0, 500, 5_000)).max() <= GROUPS[source]

    @pytest.mark.parametrize("source", GROUPS)
    @pytest.mark.parametrize("seed", [None, 1, 2, 3])
    def test_the_bad_order_blocks_its_group_for_five_timeouts(self, source: str, seed: int | None) -> None:
        """Received every 30 s, 5 times, then moved. A second more at most, until the mapping has a place again."""
        result = run("fifo", seed=seed)
        (row,) = dead_lettered(result, source)
        attempts = tries(result, source)
        times_s = attempts["time_s"][attempts["request"] == row["message"]]
        assert len(times_s) == 5
        assert (np.diff(times_s) >= 30 - 1e-6).all()
        assert 150 <= row["settled_s"] - row["first_receive_s"] < 151

    @pytest.mark.parametrize("seed", [None, 1, 2, 3])
    def test_a_shop_takes_a_second_for_each_order_and_150_for_the_bad_one(self, seed: int | None) -> None:
        """All shops have work from the start: each is done after as many seconds as it has orders, within the start."""
        result = run("fifo", seed=seed)
        groups, ends_s = groups_of(result, "shops"), of_source(result, "shops")["end_s"]
        blocked = groups[bad_order(result, "shops")]
        for group in range(4):
            work_s = (groups == group).sum() + (150 - 1) * (group == blocked)
            assert 0 <= ends_s[groups == group].max() - work_s < 3

    @pytest.mark.parametrize("seed", [None, 1, 2, 3])
    def test_forty_customers_keep_up_and_only_one_waits(self, seed: int | None) -> None:
        """The others are done soon after the last order; the blocked one 150 s later plus a second for each behind."""
        result = run("fifo", seed=seed)
        groups, ends_s = groups_of(result, "customers"), of_source(result, "customers")["end_s"]
        blocked = groups[bad_order(result, "customers")]
        (row,) = dead_lettered(result, "customers")
        assert ends_s[groups != blocked].max() < 60 + 10
        behind = behind_the_bad_order(result, "customers")
        assert ends_s.max() == pytest.approx(row["settled_s"] + behind, abs=1)
        assert abs(behind - 50 / 2) < 4 * 5 + 10 / 2

    def test_a_batch_takes_good_orders_with_it(self) -> None:
        """The whole batch of the bad order is received 5 times; the others of it would have succeeded."""
        (batches,) = proposed_runs("fifo")
        lost = dead_lettered(batches, "shops")
        assert 1 < len(lost) <= 10
        assert (lost["receives"] == 5).all()
        assert len(set(groups_of(batches, "shops")[np.searchsorted(ids(batches, "shops"), lost["message"])])) == 1

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result = run("fifo")
        (batches,) = proposed_runs("fifo")
        lost = len(dead_lettered(batches, "shops"))
        (row,) = dead_lettered(result, "customers")
        lesson = {
            "by-customer at 3:05": empty_s(result, "customers"),
            "7:27": empty_s(result, "shops"),
            "4 shops": GROUPS["shops"],
            "4 units": busy_at(result, "shops", np.linspace(2, 40, 500)).max(),
            "1,200 orders": len(of_source(result, "shops")),
            "at 4/s": 4,
            "are 300 s.": 1_200 / 4,
            "40 customers": GROUPS["customers"],
            "with 20/s": 1_200 / 60,
            "received 5": row["receives"],
            "for 30 s": 30,
            "for 5 x": 5,
            "x 30 s =": 30,
            "= 150 s": 5 * 30,
            "300 s +": 300,
            "150 s are": 150,
            "7:30": 300 + 150,
            "1 customer": 1,
            "of 40 waits": 40,
            "25 orders": behind_the_bad_order(result, "customers"),
            "0.5/s": 20 / 40,
            "1:00": 60,
            "0:10": 10,
            "+ 150 s + ": 150,
            "25 s are": 25,
            "are 3:05": 10 + 150 + 25,
        }
        then = {
            "10 orders": 10,
            "1 s.": 1,
            "3:06": empty_s(batches, "shops"),
            "8 orders": lost,
            "7 of": lost - 1,
        }
        assert_quoted("fifo", "Lesson", lesson)
        assert_quoted("fifo", "Then", then)


def ids(result: Result, source: str) -> IntArray:
    """The numbers of the requests of a source."""
    return np.flatnonzero(result.requests["source"] == source)


STREAMS = {"clicks": "as-it-comes", "same-clicks": "with-care"}


def records(result: Result, source: str) -> np.ndarray:
    """The rows of messages of a stream, in the order in which the records came."""
    chosen: np.ndarray = result.messages[result.messages["queue"] == STREAMS[source]]
    return chosen


def shards_of(result: Result, source: str) -> IntArray:
    """The shard of each record of a stream: every record has a key of its own, and shards are equal parts."""
    draws, count = draws_of(result), len(records(result, source))
    return np.array([int(draws.partition(source, ordinal) * 4) for ordinal in range(count)])


def bad_record(result: Result, source: str) -> int:
    """Which record of a stream always fails: the only one that comes while the function's errors are on."""
    sent_s = records(result, source)["sent_s"]
    (ordinal,) = np.flatnonzero((sent_s >= 3_600) & (sent_s < 3_603))
    return int(ordinal)


def stay_s(result: Result, source: str) -> FloatArray:
    """How long each record was in its stream until it was processed or lost."""
    rows = records(result, source)
    seconds: FloatArray = rows["settled_s"] - rows["sent_s"]
    return seconds


def failures(result: Result, source: str) -> np.ndarray:
    """The invocations with records of a stream that failed."""
    attempts = tries(result, source)
    chosen: np.ndarray = attempts[attempts["result"] == "error"]
    return chosen


def late(result: Result, source: str) -> npt.NDArray[np.bool_]:
    """Records that were processed, more than two minutes after they came."""
    chosen: npt.NDArray[np.bool_] = (records(result, source)["outcome"] == "processed") & (stay_s(result, source) > 120)
    return chosen


def lost(result: Result, source: str) -> npt.NDArray[np.int64]:
    """Records that were never processed."""
    return np.flatnonzero(records(result, source)["outcome"] != "processed")


class TestStreamBlockedShard:
    SEEDS = (None, 1, 2)
    DAY_S = 86_400

    @pytest.mark.parametrize("seed", SEEDS)
    def test_one_shard_stands_still_for_a_day_and_the_others_go_on(self, seed: int | None) -> None:
        """A quarter of a day's 28,800 records is late, within 4 standard errors; all of one shard, a day at most."""
        result = run("stream-blocked-shard", seed=seed)
        shards, stays_s, is_late = shards_of(result, "clicks"), stay_s(result, "clicks"), late(result, "clicks")
        blocked = shards[bad_record(result, "clicks")]
        assert (shards[is_late] == blocked).all()
        assert abs(is_late.sum() - 28_800 / 4) < 4 * np.sqrt(28_800 * 0.25 * 0.75)
        assert stays_s[shards != blocked].max() < 60 + 2
        assert self.DAY_S - 120 < stays_s[is_late].max() < stays_s.max() == self.DAY_S
        assert {*shards[lost(result, "clicks")]} == {blocked}
        assert bad_record(result, "clicks") in lost(result, "clicks")

    @pytest.mark.parametrize("seed", SEEDS)
    def test_the_batch_is_tried_once_a_minute_until_it_is_forgotten(self, seed: int | None) -> None:
        """After 1, 2, 4 ... 32 s, then every 60 s, and 200 ms of work each: as many as fit before the bad one goes."""
        result = run("stream-blocked-shard", seed=seed)
        times_s = failures(result, "clicks")["time_s"]
        waits_s = np.diff(times_s) - 0.2
        np.testing.assert_allclose(waits_s[:6], [1, 2, 4, 8, 16, 32], atol=1e-6)
        np.testing.assert_allclose(waits_s[6:], 60, atol=0.5)  # the init of a new environment now and then
        gone_s = records(result, "clicks")["sent_s"][bad_record(result, "clicks")] + self.DAY_S
        assert times_s[-1] < gone_s <= times_s[-1] + 60.2 + 0.5

    @pytest.mark.parametrize("seed", SEEDS)
    def test_with_care_only_the_bad_record_is_lost(self, seed: int | None) -> None:
        """A minute for the batch, which is halved up to 4 times; then 4 tries of the record alone."""
        result = run("stream-blocked-shard", seed=seed)
        bad = bad_record(result, "same-clicks")
        assert lost(result, "same-clicks").tolist() == [bad]
        assert stay_s(result, "same-clicks").max() < 60 + (1 + 2 + 4 + 8 + 16 + 32 + 60) + 8 * 0.7
        number = records(result, "same-clicks")["message"][bad]
        assert number in failures(result, "same-clicks")["request"][-4:]
        assert (failures(result, "same-clicks")["request"][-4:] == number).all()
        assert result.summary["queues"]["notes"]["received"] == 1

    @pytest.mark.parametrize("seed", SEEDS)
    def test_a_limit_alone_throws_the_batch_away(self, seed: int | None) -> None:
        """4 tries, then all that was in the batch is gone, unexplained; nothing else is late."""
        change = "streams.as-it-comes.event_source_mapping.maximum_retry_attempts=3"
        assert change in comment("stream-blocked-shard")["Then"]
        result = run("stream-blocked-shard", change, seed=seed)
        assert len(failures(result, "clicks")) == 4
        assert bad_record(result, "clicks") in lost(result, "clicks")
        assert len(lost(result, "clicks")) > 1
        assert np.ptp(records(result, "clicks")["sent_s"][lost(result, "clicks")]) < 61
        assert not late(result, "clicks").any()

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result = run("stream-blocked-shard")
        (limited,) = proposed_runs("stream-blocked-shard")
        shards = shards_of(result, "clicks")
        failed = failures(result, "same-clicks")
        mapping = result.scenario.streams["with-care"].event_source_mapping
        assert isinstance(mapping.maximum_retry_attempts, int)
        lesson = {
            "24 hours": stay_s(result, "clicks").max() / 3_600,
            "1,440 times": len(failures(result, "clicks")),
            "by 1 s": 1,
            "7,196 good": late(result, "clicks").sum(),
            "5 per minute": 20 / 4,
            "x 1,440 minutes": 24 * 60,
            "= 7,200": 5 * 24 * 60,
            "and 5 that": len(lost(result, "clicks")) - 1,
            "other 3 shards": 3,
            "61 s": stay_s(result, "clicks")[shards != shards[bad_record(result, "clicks")]].max(),
            "10 s": failed["end_s"].max() - failed["end_s"].min(),
            "4 times": 1 + mapping.maximum_retry_attempts,
            "0 good": len(lost(result, "same-clicks")) - 1,
            "1 note": result.summary["queues"]["notes"]["received"],
            "71 s": stay_s(result, "same-clicks").max(),
            "60 s are": mapping.batch_window / 1e9,
        }
        then = {
            "68 s": stay_s(limited, "clicks").max(),
            "5 good": len(lost(limited, "clicks")) - 1,
        }
        assert_quoted("stream-blocked-shard", "Lesson", lesson)
        assert_quoted("stream-blocked-shard", "Then", then)
