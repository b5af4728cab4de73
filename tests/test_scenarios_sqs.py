"""The shipped scenarios about SQS queues: the ramp of the pollers, throttles, the visibility timeout, a redrive.

As in ``test_scenarios``: what a number should be comes from theory or from the rules; the quoted figures are those of
the file's own seed.
"""

from __future__ import annotations

from heapq import heappush, heapreplace
from math import sqrt

import numpy as np
import numpy.typing as npt
import pytest

from lambdasim.api import Result
from lambdasim.eventlog.log import MessageOutcome
from lambdasim.metrics.batches import NO_BATCH, batch_rows
from tests.test_scenarios import assert_quoted, proposed_runs, run

# Three of the scenarios do on purpose what AWS advises against.
pytestmark = pytest.mark.filterwarnings("ignore::lambdasim.errors.ScenarioWarning")

SEEDS = range(1, 7)


def of_queue(result: Result, queue: str, outcome: str | None = None) -> npt.NDArray[np.void]:
    """Stays of messages in one queue, or those that ended in one way."""
    messages = result.messages
    chosen = messages["queue"] == queue
    if outcome is not None:
        chosen &= messages["outcome"] == outcome
    rows: npt.NDArray[np.void] = messages[chosen]
    return rows


def drain_s(result: Result, queue: str = "rows") -> float:
    """From the last message until none was left."""
    return float(result.summary["queues"][queue]["drain_s"])


def emptied_s(result: Result) -> float:
    """From the first message, at 10 s, until none was left."""
    return float(result.messages["settled_s"].max() - 10)


def emptied_by_hand_s(batches: int, places: int, more_per_s: float, most: float = float("inf")) -> float:
    """When so many batches of 10 s are done: each goes to the place that is free next, and places are added steadily.

    No init counts.
    """
    free_s: list[float] = []
    for _ in range(batches):
        added = len(free_s)
        next_place_s = max(0.0, (added + 1 - places) / more_per_s) if added < most else float("inf")
        if not free_s or next_place_s <= free_s[0]:
            heappush(free_s, next_place_s + 10)
        else:
            heapreplace(free_s, free_s[0] + 10)
    return max(free_s)


class TestSqsBacklog:
    @pytest.mark.parametrize("messages", [5_000, 20_000, 50_000])
    def test_the_ramp_decides(self, messages: int) -> None:
        """A model of the places on paper, for backlogs of any size; an init of 1 s adds about as much, or less."""
        backlog = f"traffic.export.shape.spike.peak={messages}/s"
        by_hand_s = emptied_by_hand_s(messages // 10, 5, 5)
        assert emptied_s(run("sqs-backlog", backlog, "functions.import.init=0s")) == pytest.approx(by_hand_s, abs=0.05)
        result = run("sqs-backlog", backlog)
        assert result.summary["queues"]["rows"]["received"] == messages
        assert by_hand_s <= emptied_s(result) <= by_hand_s + 1.5

    def test_time_goes_with_the_root_of_the_backlog(self) -> None:
        """A ramp from almost nothing: four times the messages take twice as long, but for the last batch."""
        small, large = (run("sqs-backlog", f"traffic.export.shape.spike.peak={count}/s") for count in (12_500, 50_000))
        assert (drain_s(large) - 5) / (drain_s(small) - 5) == pytest.approx(2, rel=0.03)

    def test_the_quota_is_not_what_binds(self) -> None:
        """As many batches as the ramp allows at that second, and no change with ten times the quota."""
        result = run("sqs-backlog")
        times_s = np.linspace(12, 145, 50)
        starts_s = np.sort(result.attempts["time_s"])
        under_way = np.searchsorted(starts_s, times_s) - np.searchsorted(np.sort(result.attempts["end_s"]), times_s)
        np.testing.assert_allclose(under_way, 5 + 5 * (times_s - 10), atol=6)
        assert drain_s(run("sqs-backlog", "region.concurrency_quota=10000")) == drain_s(result)

    def test_other_ramps(self) -> None:
        """One place more per second, as until 2023; or 1,000 at once, with no more to come."""
        legacy, ready = proposed_runs("sqs-backlog")
        for result, by_hand_s in (
            (legacy, emptied_by_hand_s(5_000, 5, 1)),
            (ready, emptied_by_hand_s(5_000, 1_000, 1, most=1_000)),
        ):
            assert by_hand_s <= emptied_s(result) <= by_hand_s + 1.5

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result = run("sqs-backlog")
        legacy, ready = proposed_runs("sqs-backlog")
        mapping = result.scenario.queues["rows"].event_source_mapping
        assert mapping is not None
        scaling = mapping.scaling
        assert not isinstance(scaling, str)
        older = legacy.scenario.queues["rows"].event_source_mapping
        assert older is not None
        assert not isinstance(older.scaling, str)
        lesson = {
            "145 s": drain_s(result),
            "50 s that": 50_000 / 1_000,
            "50,000 messages take": result.summary["queues"]["rows"]["received"],
            "1,000 per second": result.scenario.region.concurrency_quota * 10 / 10,
            "with 5 batches": scaling.start,
            "300 a minute": scaling.rate / (scaling.per / 60e9),
            "5 every second": scaling.rate / (scaling.per / 1e9),
            "does 5 messages": 5 * 10 / 10,
            "then 10,": 2 * 5,
            "15: in": 3 * 5,
            "2.5 x": 5 / 2,
            "is 50,000": 2.5 * 141 * 141,
            "n = 141": sqrt(50_000 / 2.5),
            "their 10 s": 10,
            "683 batches": result.summary["concurrency"]["peak"],
        }
        then = {
            "2023 Lambda": 2023,
            "60 a minute": older.scaling.rate / (older.scaling.per / 60e9),
            "1 every second": older.scaling.rate / (older.scaling.per / 1e9),
            "317 s": drain_s(legacy),
            "it is 50 s": drain_s(ready),
            "100 pollers": 100,
            "1,000 batches": ready.summary["concurrency"]["peak"],
        }
        assert_quoted("sqs-backlog", "Lesson", lesson)
        assert_quoted("sqs-backlog", "Then", then)


class TestSqsPoisonByThrottle:
    def test_what_two_units_print_in_three_receives_is_all_that_is_printed(self) -> None:
        """3 x 6 min from the first receive of each batch, the last of which comes less than a minute late."""
        for seed in SEEDS:
            result = run("sqs-poison-by-throttle", seed=seed)
            labels = result.summary["queues"]["labels"]
            late_s = of_queue(result, "labels")["first_receive_s"].max() - 10
            assert late_s < 60
            assert 2 * 1_080 / 30 <= result.summary["invocations"]["total"] <= 2 * ((1_080 + late_s) / 30 + 1)
            assert labels["dead_lettered_without_execution"] == pytest.approx(480, rel=0.06)

    def test_every_lost_message_was_received_three_times_and_no_code_failed(self) -> None:
        """A good message is given up after its three receives of 6 min, never before."""
        for seed in SEEDS:
            result = run("sqs-poison-by-throttle", seed=seed)
            lost = of_queue(result, "labels", "dead_lettered")
            assert len(lost) == len(of_queue(result, "failed-labels", "visible"))
            assert set(lost["receives"]) == {3}
            assert (lost["settled_s"] - lost["first_receive_s"]).min() >= 3 * 360 - 1e-6
            assert set(result.attempts["result"]) == {"throttled", "ok"}

    def test_seen_and_lost_are_those_whose_batch_outlasted_the_receive(self) -> None:
        """Message by message: printed within the 6 min of the last receive is done, printed too late is not."""
        log = run("sqs-poison-by-throttle").log
        invocation = batch_rows(log).invocation[log.deliveries.batch]
        # Deliveries are in order of time: written forwards, the last one of each message stays.
        last = np.full(len(log.messages), -1)
        last[log.deliveries.message] = np.arange(len(invocation))
        is_last = last[log.deliveries.message] == np.arange(len(invocation))
        is_in_time = log.clipped_end_ns[invocation] <= log.deliveries.received_ns + 360 * 10**9
        is_in_time &= invocation != NO_BATCH
        outcome = log.messages.outcome[log.deliveries.message]
        np.testing.assert_array_equal(is_in_time, is_last & (outcome == MessageOutcome.DELETED))

    def test_what_waits_in_the_queue_is_not_lost(self) -> None:
        """With as many batches as units no attempt is refused: 60 rounds of 30 s."""
        for seed in (None, 5):
            change = "queues.labels.event_source_mapping.maximum_concurrency=2"
            result = run("sqs-poison-by-throttle", change, seed=seed)
            assert result.summary["attempts"]["throttles"] == 0
            assert result.summary["requests"]["completed"] == 1_200
            assert drain_s(result, "labels") == pytest.approx(1_200 / 10 / 2 * 30, abs=31)

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result = run("sqs-poison-by-throttle")
        waiting, five = proposed_runs("sqs-poison-by-throttle")
        queue = result.summary["queues"]["labels"]
        lost, unseen = queue["messages"]["dead_lettered"], queue["dead_lettered_without_execution"]
        reserved = result.scenario.functions["print"].reserved_concurrency
        assert reserved is not None
        lesson = {
            "550, and": lost,
            "and 0 errors": result.summary["requests"]["failed"],
            "120 batches": 1_200 / 10,
            "2 of these": reserved,
            "the 6 min are over; that": 6,
            "has 3 x": result.scenario.queues["labels"].max_receive_count or 0,
            "x 6 =": result.scenario.queues["labels"].visibility_timeout / 60e9,
            "18 min": 3 * 6,
            "the 2 units": reserved,
            "72 batches": 2 * 18 * 60 / 30,
            "480 messages": unseen,
            "other 70": lost - unseen,
            "the 6 min were": 6,
        }
        then = {
            "0 in": waiting.summary["requests"]["dropped"],
            "30:41": waiting.messages["settled_s"].max(),
            "still 100": five.summary["requests"]["dropped"],
            "5 x": five.scenario.queues["labels"].max_receive_count or 0,
            "x 6 =": 6,
            "30 min": 5 * 6,
        }
        assert unseen == 1_200 - 10 * 72
        assert_quoted("sqs-poison-by-throttle", "Lesson", lesson)
        assert_quoted("sqs-poison-by-throttle", "Then", then)


class TestSqsVisibilityTooShort:
    def test_a_quarter_once_a_quarter_twice_and_half_never(self) -> None:
        """By the quarter of the window in which a reading comes: the last is in time, and the second one round later.

        30 s are 1.5 windows of 20 s, so that a reading at x comes back at x + 10 in another window.
        """
        for seed in SEEDS:
            result = run("sqs-visibility-too-short", seed=seed)
            done, lost = (of_queue(result, "readings", outcome) for outcome in ("deleted", "dead_lettered"))
            shares = [np.mean(done["receives"] == receives) * len(done) for receives in (1, 2)] + [len(lost)]
            np.testing.assert_allclose(np.array(shares) / (len(done) + len(lost)), [0.25, 0.25, 0.5], atol=0.02)
            assert set(lost["receives"]) == {5}

    def test_quarter_by_quarter(self) -> None:
        """Reading by reading, by when it came in its window; but for half a second at each border, and for the end.

        The window after one begins with the next reading, not at once.
        """
        result = run("sqs-visibility-too-short")
        readings = of_queue(result, "readings")
        readings = readings[readings["sent_s"] < 1_200 - 200]
        starts_s = np.sort(result.attempts["time_s"])
        before_end_s = starts_s[np.searchsorted(starts_s, readings["first_receive_s"])] - readings["first_receive_s"]
        quarter, in_quarter_s = np.divmod(20 - before_end_s, 5)
        is_clear = (in_quarter_s > 0.5) & (in_quarter_s < 4.5)
        assert is_clear.mean() == pytest.approx(0.8, abs=0.02)
        expected = [(5, "dead_lettered"), (2, "deleted"), (5, "dead_lettered"), (1, "deleted")]
        for number, ending in enumerate(expected):
            chosen = readings[is_clear & (quarter == number)]
            assert set(zip(chosen["receives"].tolist(), chosen["outcome"].tolist(), strict=True)) == {ending}

    def test_done_is_who_was_done_within_the_timeout_of_its_last_receive(self) -> None:
        """Receives are 30 s apart, and the work takes 25 s: each reading is deleted 25 s to 30 s after its last one."""
        for seed in SEEDS:
            done = of_queue(run("sqs-visibility-too-short", seed=seed), "readings", "deleted")
            since_receive_s = done["settled_s"] - done["first_receive_s"] - 30 * (done["receives"] - 1)
            assert since_receive_s.min() >= 25 - 1e-6
            assert since_receive_s.max() <= 30 + 1e-6

    def test_every_invocation_succeeds(self) -> None:
        """Half of the readings are given up, and no attempt was refused or has failed."""
        result = run("sqs-visibility-too-short")
        assert set(result.attempts["result"]) == {"ok"}
        assert not of_queue(result, "readings")["without_execution"].any()

    def test_the_advised_timeout_covers_window_and_work(self) -> None:
        """20 s + 25 s are below 200 s, and below 46 s too."""
        (advised,) = proposed_runs("sqs-visibility-too-short")
        just_enough = run("sqs-visibility-too-short", "queues.readings.visibility_timeout=46s")
        for result in (advised, just_enough):
            assert set(result.messages["receives"]) == {1}
            assert set(result.messages["outcome"]) == {"deleted"}

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result = run("sqs-visibility-too-short")
        (advised,) = proposed_runs("sqs-visibility-too-short")
        done, lost = (of_queue(result, "readings", outcome) for outcome in ("deleted", "dead_lettered"))
        queue, function = result.scenario.queues["readings"], result.scenario.functions["save"]
        mapping = queue.event_source_mapping
        assert mapping is not None
        back = int((of_queue(result, "readings")["receives"] > 1).sum())
        lesson = {
            "3,089 once": int((done["receives"] == 1).sum()),
            "3,047 twice": int((done["receives"] == 2).sum()),
            "5,903 are": len(lost),
            "5 times": lost["receives"].max(),
            "The 30 s count": queue.visibility_timeout / 1e9,
            "takes 25 s": 25,
            "wait 5 s": 30 - 25,
            "9,069": back,
            "1.5 windows": queue.visibility_timeout / mapping.batch_window,
            "119": int((done["receives"] > 2).sum()),
        }
        then = {
            "6 x": 6,
            "200 s": (6 * function.timeout + mapping.batch_window) / 1e9,
            "are 0": int((advised.messages["receives"] > 1).sum()),
        }
        assert_quoted("sqs-visibility-too-short", "Predict", {"12,158": result.summary["requests"]["total"]})
        assert_quoted("sqs-visibility-too-short", "Lesson", lesson)
        assert_quoted("sqs-visibility-too-short", "Then", then)


class TestDlqRedrive:
    def test_lost_by_the_fix_are_the_orders_of_the_outage_but_its_last_150_s(self) -> None:
        """Order by order: five receives of 30 s, each of which may wait a little for a place."""
        for seed in SEEDS:
            result = run("dlq-redrive", seed=seed)
            lost = of_queue(result, "orders", "dead_lettered")
            stay_s = lost["settled_s"] - lost["sent_s"]
            assert stay_s.min() >= 5 * 30 - 1e-6
            assert stay_s.max() < 5 * 30 + 10
            arrival_s = result.requests["arrival_s"]
            by_the_fix = int((lost["settled_s"] < 720).sum())
            surely, perhaps = (
                int(((arrival_s >= since_s) & (arrival_s < until_s)).sum())
                for since_s, until_s in ((120, 720 - 160), (118, 720 - 150))
            )
            assert surely <= by_the_fix <= perhaps

    def test_the_redrive_takes_a_second_for_each_and_loses_none(self) -> None:
        """What is in the dead-letter queue goes back evenly, is done at once, and nothing is left anywhere."""
        for seed in SEEDS:
            result = run("dlq-redrive", seed=seed)
            moved = of_queue(result, "failed-orders", "redriven")
            assert len(moved) == len(of_queue(result, "failed-orders"))
            np.testing.assert_allclose(np.sort(moved["settled_s"]), 900 + np.arange(len(moved)), atol=1e-6)
            assert 2 <= redriven_done_s(result) - moved["settled_s"].max() <= 3
            assert result.summary["requests"]["completed"] == result.summary["requests"]["total"]

    def test_before_the_fix_all_come_back_to_the_dead_letter_queue(self) -> None:
        """150 s later, and a little more; then they are there for good, with those that came since."""
        for seed in SEEDS:
            result = run("dlq-redrive", "changes.2.at=7m", seed=seed)
            moved, there = (of_queue(result, "failed-orders", outcome) for outcome in ("redriven", "visible"))
            at_first = dict(zip(moved["message"].tolist(), moved["settled_s"].tolist(), strict=True))
            again = {row["message"]: row["sent_s"] for row in there if row["message"] in at_first}
            assert again.keys() == at_first.keys()
            stay_s = [again[message] - moved_s for message, moved_s in at_first.items()]
            assert min(stay_s) >= 5 * 30 - 1e-6
            assert max(stay_s) < 5 * 30 + 10
            assert result.summary["requests"]["dropped"] == len(there)

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result = run("dlq-redrive")
        (too_early,) = proposed_runs("dlq-redrive")
        lost = of_queue(result, "orders", "dead_lettered")
        by_the_fix = int((lost["settled_s"] < 720).sum())
        moved_early = of_queue(too_early, "failed-orders", "redriven")
        left = of_queue(too_early, "failed-orders", "visible")
        queue = result.scenario.queues["orders"]
        lesson = {
            "223, and": by_the_fix,
            "18:51": redriven_done_s(result),
            "Every 30 s": queue.visibility_timeout / 1e9,
            "after 5 receives": queue.max_receive_count or 0,
            "receives, 150 s": 5 * 30,
            "0.5/s": 0.5,
            "600 s": 720 - 120,
            "- 150 s": 150,
            "= 225": 0.5 * (600 - 150),
            "last 150 s": 150,
            "but 7": len(lost) - by_the_fix,
            "moves 230": len(of_queue(result, "failed-orders", "redriven")),
            "takes 230 s": len(lost),
            "593 orders": result.summary["requests"]["completed"],
        }
        then = {
            "the 71 that": len(moved_early),
            "After 150 s": 150,
            "the 71 are": len(set(left["message"]) & set(moved_early["message"])),
            "227": len(left),
        }
        assert result.summary["requests"]["completed"] == result.summary["requests"]["total"]
        assert_quoted("dlq-redrive", "Predict", {"12:00": 720})
        assert_quoted("dlq-redrive", "Lesson", lesson)
        assert_quoted("dlq-redrive", "Then", then)


def redriven_done_s(result: Result) -> float:
    """When the last message that was moved back was done."""
    moved = of_queue(result, "failed-orders", "redriven")["message"]
    done = of_queue(result, "orders", "deleted")
    return float(done["settled_s"][np.isin(done["message"], moved)].max())
