"""The shipped scenarios about capacity bought in advance, warmers, SnapStart, memory, and what all of it costs.

As in ``test_scenarios``: what a number should be comes from theory, from the rules or from the price list; the quoted
figures are those of the file's own seed. US dollars are for us-east-1, x86_64.
"""

from __future__ import annotations

from math import ceil

import numpy as np
import numpy.typing as npt
import pytest

from lambdasim.api import Result
from lambdasim.platform.provisioned import CapacityCause
from lambdasim.theory import erlang_b
from tests.test_scenarios import assert_quoted, proposed_runs, run, within_4_standard_errors

SEEDS = range(1, 6)

# Prices of AWS (lambda/pricing, read 2026), each for a GB-second.
ON_DEMAND, ON_PROVISIONED, CAPACITY = 0.0000166667, 0.0000097222, 0.0000041667
SNAPSHOT_CACHE, SNAPSHOT_RESTORE = 0.0000015046, 0.0001397998  # the second one for a GB
REQUEST = 0.0000002

# A unit that is busy for this share u of the time costs as much as on demand: capacity + u x its price = u x the price.
BREAK_EVEN = CAPACITY / (ON_DEMAND - ON_PROVISIONED)


def usd(result: Result, part: str = "total", function: str | None = None) -> float:
    """What a run cost, or one function in it, or a part of that."""
    block = result.summary if function is None else result.summary["functions"][function]
    return float(block["cost_usd"][part])


def cold_starts(result: Result, source: str | None = None) -> int:
    """Cold starts of a run, or of the requests of one source."""
    block = result.summary["invocations"] if source is None else result.summary["sources"][source]
    return int(block["cold_starts"])


def on_provisioned(result: Result) -> npt.NDArray[np.bool_]:
    """Whether each invocation had a provisioned environment, of a run in which each had one in the end."""
    flags: npt.NDArray[np.bool_] = result.log.environments.is_provisioned[result.log.invocations.environment]
    return flags


def busy_units(result: Result, times_s: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Provisioned environments at work just before each instant, of a run with one function."""
    log = result.log
    served = on_provisioned(result)
    starts, ends = np.sort(log.invocations.admitted_ns[served]), np.sort(log.invocations.end_ns[served])
    at_ns = np.rint(times_s * 1e9)
    busy: npt.NDArray[np.int64] = np.searchsorted(starts, at_ns, "left") - np.searchsorted(ends, at_ns, "right")
    return busy


def asked_and_ready(result: Result) -> list[tuple[float, int, int]]:
    """(second, units asked for, units ready) at each change of either, of a run with one function."""
    capacity = result.log.capacity
    rows = zip(capacity.time_ns.tolist(), capacity.requested.tolist(), capacity.allocated.tolist(), strict=True)
    return [(time_ns / 1e9, requested, allocated) for time_ns, requested, allocated in rows]


def ready_at(result: Result, time_s: float) -> int:
    """Units that are ready at an instant."""
    return [ready for at_s, _, ready in asked_and_ready(result) if at_s <= time_s][-1]


def ready_s(result: Result, units: int) -> float:
    """When so many units were ready for the first time."""
    return min(at_s for at_s, _, ready in asked_and_ready(result) if ready >= units)


class TestProvisionedSpillover:
    @pytest.mark.parametrize("law", ["{exponential: {mean: 1s}}", "1s"])
    def test_the_share_is_erlang_b_whatever_the_law(self, law: str) -> None:
        """9 Erlang on 10 units; one unit more would be told apart."""
        changes = (f"functions.checkout.duration={law}", "duration=20m")
        runs = [run("provisioned-spillover", *changes, seed=seed) for seed in range(1, 13)]
        shares = [result.summary["provisioned"]["spillover_ratio"] for result in runs]
        assert within_4_standard_errors(shares, erlang_b(10, 9))
        assert not within_4_standard_errors(shares, erlang_b(11, 9))

    def test_what_spills_over_finds_all_ten_busy(self) -> None:
        """And what does not finds a free one."""
        result = run("provisioned-spillover")
        on_demand = ~on_provisioned(result)
        admitted_s = result.log.invocations.admitted_ns / 1e9
        assert (busy_units(result, admitted_s[on_demand]) == 10).all()
        assert (busy_units(result, admitted_s[~on_demand]) < 10).all()

    def test_few_of_them_are_cold(self) -> None:
        """One for each environment on demand, of which there are as many as were ever in flight beyond the ten."""
        for seed in SEEDS:
            result = run("provisioned-spillover", seed=seed)
            assert 0 < cold_starts(result) < 0.005 * result.summary["provisioned"]["spillovers"]

    def test_units_that_are_busy_enough_save_money(self) -> None:
        """Against the same work on demand, by price list: 60 % busy is where it turns."""
        none, enough = (
            run("provisioned-spillover", f"functions.checkout.provisioned_concurrency={units}") for units in (0, 26)
        )
        assert usd(run("provisioned-spillover")) < usd(none) < usd(enough)
        assert run("provisioned-spillover").summary["provisioned"]["utilization"] > BREAK_EVEN
        assert enough.summary["provisioned"]["utilization"] < BREAK_EVEN

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result = run("provisioned-spillover")
        enough, none = proposed_runs("provisioned-spillover")
        provisioned = result.summary["provisioned"]
        peak = result.summary["concurrency"]["peak"]
        lesson = {
            "17.3 %": 100 * provisioned["spillover_ratio"],
            ", 5,601 requests": provisioned["spillovers"],
            ". 9 is": 9,
            "more than 10": 10,
            "23 at the peak": peak,
            "load of 9": 9,
            "on 10 units": provisioned["initial"],
            "16.8 %": 100 * erlang_b(10, 9),
            "advises 10 %": 10,
            "Only 7": provisioned["spillover_cold_starts"],
            "of the 5,601": provisioned["spillovers"],
        }
        then = {
            "23 +": peak,
            "+ 10 %": 10,
            "are 26 units": ceil(1.1 * peak),
            "there are 0": enough.summary["provisioned"]["spillovers"],
            "$0.71": usd(enough),
            "the 10 units": provisioned["initial"],
            "cost $0.51": usd(result),
            "$0.55": usd(none),
            "16 cold": cold_starts(none),
            "60 %": 100 * BREAK_EVEN,
            "the 10 are": provisioned["initial"],
            "75 %": 100 * provisioned["utilization"],
            "the 26 for": enough.summary["provisioned"]["initial"],
            "35 %": 100 * enough.summary["provisioned"]["utilization"],
        }
        assert cold_starts(enough) == 0
        assert_quoted("provisioned-spillover", "Lesson", lesson)
        assert_quoted("provisioned-spillover", "Then", then)


class TestProvisioned28Percent:
    def test_ten_units_let_in_a_hundred_per_second(self) -> None:
        """100 tokens at the start and 100/s: at no time more than that, and no less in the end."""
        result = run("provisioned-28-percent")
        admitted_s = result.log.invocations.admitted_ns[on_provisioned(result)] / 1e9
        assert (np.arange(1, len(admitted_s) + 1) <= 100 + 100 * admitted_s).all()
        assert len(admitted_s) == pytest.approx(100 + 100 * 300, abs=2)

    def test_most_units_are_idle_whenever_a_request_spills_over(self) -> None:
        """At 100/s and 28 ms 2.8 are busy, and never more than 5 of 10."""
        result = run("provisioned-28-percent")
        log = result.log
        assert busy_units(result, log.spillovers.time_ns / 1e9).max() <= 4
        assert result.summary["provisioned"]["peak_busy"] == ceil(150 * 0.028)
        by_reason = result.summary["provisioned"]["spillovers_by_reason"]
        assert by_reason == {"concurrency": 0, "request_rate": len(log.spillovers), "not_ready": 0}

    def test_the_rule_of_thumb_is_sharp(self) -> None:
        """15 units let in 150/s, 14 do not; with 100 ms the two limits meet, and 15 units are busy all the time."""
        change = "functions.lookup.provisioned_concurrency"
        assert run("provisioned-28-percent", f"{change}=15").summary["provisioned"]["spillovers"] == 0
        assert run("provisioned-28-percent", f"{change}=14").summary["provisioned"]["spillovers"] > 2_500
        longer = run("provisioned-28-percent", f"{change}=15", "functions.lookup.duration=100ms").summary
        assert longer["provisioned"]["spillovers"] == 0
        assert longer["provisioned"]["utilization"] == pytest.approx(1, abs=0.001)

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result = run("provisioned-28-percent")
        (enough,) = proposed_runs("provisioned-28-percent")
        provisioned = result.summary["provisioned"]
        spilled_s = result.log.spillovers.time_ns / 1e9
        lesson = {
            "for 28 % of": 100 * provisioned["utilization"],
            "33 %": 100 * provisioned["spillover_ratio"],
            "lets in 10 requests": 10,
            "So 10 units": provisioned["initial"],
            "let in 100/s": 10 * 10,
            "and 100/s": 100,
            "x 28 ms": 28,
            "= 2.8": provisioned["mean_busy"],
            "other 50/s": 150 - 100,
            "after 2 s": spilled_s[0],
            "(100)": 100,
            "those 7 start": provisioned["spillover_cold_starts"],
            "Below 100 ms": 1_000 / 10,
            "150/s /": 150,
            "/ 10 =": 10,
            "15 units": 150 / 10,
            "for 4.2 in": 150 * 0.028,
        }
        then = {
            "are 0": enough.summary["provisioned"]["spillovers"],
            "The 15": enough.summary["provisioned"]["initial"],
            "28 %": 100 * enough.summary["provisioned"]["utilization"],
        }
        assert_quoted("provisioned-28-percent", "Predict", {"the 10": provisioned["initial"]})
        assert_quoted("provisioned-28-percent", "Lesson", lesson)
        assert_quoted("provisioned-28-percent", "Then", then)


class TestAutoscalingTooLate:
    def test_the_first_step_comes_four_minutes_late_and_is_small(self) -> None:
        """Minutes 10, 11 and 12 are above 70 %; the last figure is there at 14:00; preparing takes 1 to 2 minutes.

        10 busy of 10 are 100 %: ceil(10 x 1 / 0.7) = 15. Each environment takes 10 ms more than the preparation.
        """
        for seed in SEEDS:
            (start_s, *start), (asked_s, *asked), *_ = asked_and_ready(run("autoscaling-too-late", seed=seed))
            assert (start_s, start) == (0, [10, 10])
            assert (asked_s, asked) == (840, [15, 10])
            assert 900 < ready_s(run("autoscaling-too-late", seed=seed), 15) <= 960.05

    def test_no_step_is_larger_than_the_target_allows(self) -> None:
        """At most ready / 0.7, rounded up: 10, 15, 22, 32. The third cannot be there at 20:00.

        Even with the shortest preparation 15 are ready at 15:00, so that minute 15 shows them at 17:00, 22 are ready at
        18:00, and minute 18 shows those at 20:00.
        """
        for seed in SEEDS:
            result = run("autoscaling-too-late", seed=seed)
            ready = 10
            for _, requested, allocated in asked_and_ready(result):
                assert requested <= max(ceil(ready / 0.7), allocated, ready)
                ready = max(ready, allocated)
            assert 15 <= ready_at(result, 1_200) <= 22
            assert set(result.log.capacity.cause) <= {
                CapacityCause.CONFIGURED,
                CapacityCause.TARGET_TRACKING,
                CapacityCause.ALLOCATED,
            }

    @pytest.mark.parametrize("change", [(), ("functions.shop.autoscaling.max_capacity=10",)])
    def test_the_cold_wave_is_the_same_with_it_and_without(self, change: tuple[str, ...]) -> None:
        """(50/s - 10/s) x (3 s + 1 s) = 160, all within 4 s: what spills over stays with its environment."""
        for seed in SEEDS:
            requests = run("autoscaling-too-late", *change, seed=seed).requests
            cold_s = requests["arrival_s"][requests["cold"]]
            assert len(cold_s) == 160
            assert 600 < cold_s.min() < cold_s.max() < 604

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result = run("autoscaling-too-late")
        without, always = proposed_runs("autoscaling-too-late")
        requests = result.requests
        steps = sorted({ready for at_s, _, ready in asked_and_ready(result) if at_s <= 1_200 and ready != 18})
        assert steps == [10, 15, 22]
        lesson = {
            "15:33": ready_s(result, 15),
            "; 22;": ready_at(result, 1_200),
            "and 0. AWS": cold_starts(without) - cold_starts(result),
            "10:00": 600,
            "13:00": 600 + 3 * 60,
            "14:00": asked_and_ready(result)[1][0],
            "takes 1 to": 1,
            "to 2 minutes": 2,
            "only 5 of": 15 - 10,
            "all 10 units": 10,
            "is 100 %": 100,
            "and 10 /": 10,
            "/ 0.7 =": 0.7,
            "= 15, rounded": ceil(10 / 0.7),
            "most 43 %": 100 / 0.7 - 100,
            "(1 /": 1,
            "/ 0.7) to": 0.7,
            ": 10,": 10,
            ", 15,": ceil(10 / 0.7),
            " 22. (": ceil(15 / 0.7),
            "The 18 between": asked_and_ready(result)[3][1],
            "the 15 came": 15,
            "40/s": 50 - 10,
            "after 3 s": 3,
            "+ 1 s": 1,
            "makes 160": cold_starts(result),
            "10:04": requests["arrival_s"][requests["cold"]].max(),
            "the 160 are": cold_starts(result),
            "$0.65": usd(result),
        }
        then = {
            "there are 160": cold_starts(without),
            "$0.61": usd(without),
            "leaves 0": cold_starts(always),
            "$0.82": usd(always),
        }
        assert_quoted("autoscaling-too-late", "Predict", {"20:00": 1_200})
        assert_quoted("autoscaling-too-late", "Lesson", lesson)
        assert_quoted("autoscaling-too-late", "Then", then)


class TestScheduledScaling:
    def test_the_traffic_is_that_of_autoscaling_too_late(self) -> None:
        """Request by request, so that the two files can be compared."""
        ours, theirs = (run(name).requests["arrival_s"] for name in ("scheduled-scaling", "autoscaling-too-late"))
        np.testing.assert_array_equal(ours, theirs)

    def test_three_minutes_ahead_are_enough_whatever_the_preparation(self) -> None:
        """1 to 2 minutes, and 55 x 10 ms: ready by 9:00.55 at the latest."""
        for seed in SEEDS:
            result = run("scheduled-scaling", seed=seed)
            assert 420 + 60 + 0.55 <= ready_s(result, 55) <= 420 + 120 + 0.55
            assert cold_starts(result) == result.summary["provisioned"]["spillovers"] == 0

    def test_half_a_minute_ahead_saves_nobody(self) -> None:
        """Nothing of the 55 serves before all of it is ready, a minute after the wave: cold are as many as without."""
        for seed in SEEDS:
            late = run("scheduled-scaling", "functions.shop.autoscaling.scheduled_actions.0.at=9m30s", seed=seed)
            assert cold_starts(late) == (50 - 10) * (3 + 1)
            ready_from_s = ready_s(late, 55)
            spilled_s = late.log.spillovers.time_ns / 1e9
            assert 570 + 60 + 0.55 <= ready_from_s <= 570 + 120 + 0.55
            assert 600 < spilled_s.min() < spilled_s.max() < ready_from_s
            assert len(spilled_s) == pytest.approx(40 * (ready_from_s - 600), abs=45)

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result, tracked = run("scheduled-scaling"), run("autoscaling-too-late")
        (late,) = proposed_runs("scheduled-scaling")
        predict = {"the 55": 55, "the 160": cold_starts(tracked), "$0.65": usd(tracked)}
        lesson = {
            "8:33": ready_s(result, 55),
            "takes 1 to": 1,
            "to 2 minutes": 2,
            "10 ms": 60_000 / 6_000,
            "are 0 cold": cold_starts(result),
            "and 0 requests": result.summary["provisioned"]["spillovers"],
            "$0.59": usd(result),
            "rush 50": result.summary["provisioned"]["peak_busy"],
            "the 55": 55,
            "60 %": 100 * BREAK_EVEN,
        }
        then = {
            "the 55": 55,
            "11:03": ready_s(late, 55),
            "So 160": cold_starts(late),
            "2,552": late.summary["provisioned"]["spillovers"],
        }
        assert_quoted("scheduled-scaling", "Predict", predict)
        assert_quoted("scheduled-scaling", "Lesson", lesson)
        assert_quoted("scheduled-scaling", "Then", then)


class TestWarmerVersusProvisioned:
    @pytest.mark.parametrize("pings", [3, 8])
    def test_pings_at_once_keep_as_many_environments_warm(self, pings: int) -> None:
        """6 bursts of 8, of which as many find a warm environment as are pinged at once. The first pings start cold."""
        for seed in SEEDS:
            result = run("warmer-versus-provisioned", f"traffic.pings.warmer.concurrency={pings}", seed=seed)
            assert cold_starts(result, "to-plain") == 6 * 8
            assert cold_starts(result, "to-warmed") == 6 * (8 - pings)
            assert cold_starts(result, "pings") == pings
            assert cold_starts(result, "to-provisioned") == 0

    def test_a_shorter_life_makes_pings_useless(self) -> None:
        """A burst comes 4.5 minutes after a ping. Only the 6 pings 30 s after a burst find what the burst has left."""
        result = run("warmer-versus-provisioned", "functions.warmed.idle_timeout=4m")
        assert cold_starts(result, "to-warmed") == 6 * 8
        assert cold_starts(result, "pings") == 3 * (12 - 6)

    def test_costs_by_hand(self) -> None:
        """GB-seconds and requests by price list, of one hour; a month has 730."""
        result = run("warmer-versus-provisioned")
        plain = 48 * ((4 + 3) * ON_DEMAND + REQUEST)
        warmed = 48 * (4 * ON_DEMAND + REQUEST) + 36 * (0.05 * ON_DEMAND + REQUEST) + (30 + 3) * 3 * ON_DEMAND
        provisioned = 8 * 3_600 * CAPACITY + 48 * (4 * ON_PROVISIONED + REQUEST)
        for name, by_hand in (("plain", plain), ("warmed", warmed), ("provisioned", provisioned)):
            assert usd(result, "total", name) == pytest.approx(by_hand, rel=1e-4)
            assert usd(result, "per_month", name) == pytest.approx(730 * by_hand, rel=1e-4)
        assert warmed < plain < provisioned / 20

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result = run("warmer-versus-provisioned")
        all_eight, shorter = proposed_runs("warmer-versus-provisioned")
        provisioned = result.summary["functions"]["provisioned"]["provisioned"]
        lesson = {
            "has 48": cold_starts(result, "to-plain"),
            "$4.10": usd(result, "per_month", "plain"),
            "has 30": cold_starts(result, "to-warmed"),
            "62.5 %": 100 * result.summary["sources"]["to-warmed"]["cold_start_ratio"],
            "$3.57": usd(result, "per_month", "warmed"),
            "3 pings": 3,
            "keep 3 environments": 3,
            "other 5": 8 - 3,
            "has 0": cold_starts(result, "to-provisioned"),
            "$88.97": usd(result, "per_month", "provisioned"),
            "8 GB": provisioned["peak_allocated"],
            "0.67 %": 100 * provisioned["utilization"],
        }
        then = {
            "all 8": 8,
            ": 0 start": cold_starts(all_eight, "to-warmed"),
            "$2.71": usd(all_eight, "per_month", "warmed"),
            "4 minutes": 4,
            "all 48": cold_starts(shorter, "to-warmed"),
            "$4.78": usd(shorter, "per_month", "warmed"),
        }
        predict = {"the 48": result.summary["sources"]["to-plain"]["requests"]["total"]}
        assert_quoted("warmer-versus-provisioned", "Predict", predict)
        assert_quoted("warmer-versus-provisioned", "Lesson", lesson)
        assert_quoted("warmer-versus-provisioned", "Then", then)


class TestSnapstartJava:
    def test_each_wave_is_as_long_as_the_start(self) -> None:
        """Until the first environment is free each request starts one: 20/s x (6 s + 0.2 s) = 124, twice."""
        for seed in SEEDS:
            functions = run("snapstart-java", seed=seed).summary["functions"]
            assert functions["plain"]["invocations"]["cold_starts"] == 2 * 124
            assert functions["plain"]["latency_s"]["max"] == pytest.approx(6.2)
            # Restores are between 0.4 s and 0.9 s (three sigmas of 0.12 around 0.62 s).
            assert 2 * 20 * (0.4 + 0.2) < functions["snapstart"]["invocations"]["cold_starts"] < 2 * 20 * (0.9 + 0.2)
            assert 0.62 + 0.2 < functions["snapstart"]["latency_s"]["max"] < 0.62 * 1.7 + 0.2

    def test_the_two_get_the_same_requests(self) -> None:
        """So that they can be compared."""
        requests = run("snapstart-java").requests
        arrivals = (requests["arrival_s"][requests["function"] == name] for name in ("plain", "snapstart"))
        np.testing.assert_array_equal(*arrivals)

    def test_costs_by_hand(self) -> None:
        """All inits are billed; of restores 45 % of about 0.62 s; SnapStart for Python per GB restored and kept."""
        result = run("snapstart-java")
        (python,) = proposed_runs("snapstart-java")
        assert usd(result, "init", "plain") == pytest.approx(248 * 6 * ON_DEMAND, abs=1e-8)
        restores = cold_starts(result, "to-snapstart")
        assert usd(result, "init", "snapstart") == pytest.approx(restores * 0.45 * 0.62 * ON_DEMAND, rel=0.1)
        assert usd(result, "snapstart", "snapstart") == 0
        by_hand = 120 * SNAPSHOT_CACHE + restores * SNAPSHOT_RESTORE
        assert usd(python, "snapstart", "snapstart") == pytest.approx(by_hand, abs=1e-8)

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result = run("snapstart-java")
        (python,) = proposed_runs("snapstart-java")
        plain, snapstart = (result.summary["functions"][name] for name in ("plain", "snapstart"))
        restores = snapstart["invocations"]["cold_starts"]
        lesson = {
            "has 248": plain["invocations"]["cold_starts"],
            "(10.3 %": 100 * plain["invocations"]["cold_start_ratio"],
            "2,400": plain["requests"]["total"],
            "of 6.2 s": plain["latency_s"]["p99"],
            "another: 20/s": 20,
            "(6 s": 6,
            "+ 200 ms": 200,
            "124": plain["invocations"]["cold_starts"] / 2,
            "0:00": 0,
            "1:00": 60,
            "takes 0.63 s": snapstart["init_s"]["p50"],
            "median: 20/s": 20,
            "(0.63 s": 0.63,
            "0.2 s)": 0.2,
            "= 17": 20 * (0.63 + 0.2),
            "has 35": restores,
            "(1.5 %": 100 * snapstart["invocations"]["cold_start_ratio"],
            "0.79 s": snapstart["latency_s"]["p99"],
            "2025": 2025,
            ": 248 x": plain["invocations"]["cold_starts"],
            "x 6 s": plain["init_s"]["max"],
            "x 1 GB": 1,
            "$0.0248": usd(result, "init", "plain"),
            "$0.0333": usd(result, "total", "plain"),
            "$0.0086": usd(result, "total", "snapstart"),
        }
        then = {
            "$0.0051": usd(python) - usd(result),
            "$0.0002": 120 * SNAPSHOT_CACHE,
            "2 minutes": 120 / 60,
            "of 1 GB": 1,
            "$0.0049": restores * SNAPSHOT_RESTORE,
            "35 restores": restores,
        }
        assert_quoted("snapstart-java", "Lesson", lesson)
        assert_quoted("snapstart-java", "Then", then)


class TestCostOfRetries:
    def test_gb_seconds_by_hand(self) -> None:
        """10 GB-s a second for ten minutes, 180 for five: 60,000, of which 54,000 are for nobody and 36,000 retries."""
        result = run("cost-of-retries")
        assert usd(result, "compute") == pytest.approx((600 * 10 + 300 * 180) * ON_DEMAND, rel=0.001)
        assert usd(result, "timeouts") == pytest.approx(54_000 * ON_DEMAND, rel=0.01)
        assert usd(result, "retries") == pytest.approx(36_000 * ON_DEMAND, rel=0.01)

    def test_each_caller_of_the_five_minutes_tries_three_times_in_vain(self) -> None:
        """And no other."""
        requests = run("cost-of-retries").requests
        slow = (requests["arrival_s"] >= 300) & (requests["arrival_s"] < 600)
        # The last callers' later tries may meet a database that is fast again.
        late = requests["arrival_s"] > 600 - 8
        assert set(requests["outcome"][slow & ~late]) == {"timed_out_client"}
        assert set(requests["attempts"][slow & ~late]) == {3}
        assert set(requests["outcome"][~slow]) == {"completed"}
        assert set(requests["attempts"][~slow]) == {1}

    def test_what_helps_by_hand(self) -> None:
        """Once 3 s instead of three times, answered or not; or once 2 s."""
        patient, once, stopped = proposed_runs("cost-of-retries")
        assert usd(patient, "compute") == usd(once, "compute")
        assert usd(patient, "compute") == pytest.approx((600 * 10 + 300 * 20 * 3) * ON_DEMAND, rel=0.001)
        assert usd(stopped, "compute") == pytest.approx((600 * 10 + 300 * 20 * 2) * ON_DEMAND, rel=0.005)
        assert usd(patient, "timeouts") == usd(patient, "retries") == 0
        assert stopped.summary["requests"]["failed"] == once.summary["requests"]["timed_out_client"] == 6_000

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result = run("cost-of-retries")
        patient, once, stopped = proposed_runs("cost-of-retries")
        lesson = {
            "90 %": 100 * usd(result, "timeouts") / usd(result),
            "$0.91": usd(result, "timeouts"),
            "$1.01": usd(result),
            "good day 20/s": 20,
            "x 0.5 s": 0.5,
            "x 1 GB": 1,
            "= 10 GB-s": 20 * 0.5,
            "it is 20/s": 20,
            "x 3 tries": 3,
            "x 3 s": 3,
            "= 180": 20 * 3 * 3,
            "18 times": 180 / 10,
            "in 300 s": 300,
            "54,000": 300 * 180,
            "$0.0000166667": ON_DEMAND,
            "$0.60": usd(result, "retries"),
            "6,000": result.summary["requests"]["timed_out_client"],
        }
        then = {
            "bill is $0.40": usd(patient),
            "it is $0.40": usd(once),
            "6,000": once.summary["requests"]["timed_out_client"],
            "$0.30": usd(stopped),
        }
        assert patient.summary["requests"]["completed"] == patient.summary["requests"]["total"]
        assert_quoted("cost-of-retries", "Predict", {"15 minutes": 15})
        assert_quoted("cost-of-retries", "Lesson", lesson)
        assert_quoted("cost-of-retries", "Then", then)


class TestMemoryAndCpu:
    @pytest.mark.parametrize("memory_mb", [128, 1_024, 1_769, 3_538])
    def test_time_and_money_by_hand(self, memory_mb: int) -> None:
        """400 ms / (memory / 1,769), one thread, + 50 ms; billed in whole ms, and the init of each environment."""
        result = run("memory-and-cpu")
        block = result.summary["functions"][f"mb-{memory_mb}"]
        handler_s = 0.4 * 1_769 / min(memory_mb, 1_769) + 0.05
        assert block["latency_s"]["p50"] == pytest.approx(handler_s, abs=1e-6)
        billed_s = 3_000 * ceil(handler_s * 1_000) / 1_000 + 0.5 * block["environments"]["created"]
        by_hand = 3_000 * REQUEST + billed_s * memory_mb / 1_024 * ON_DEMAND
        assert usd(result, "total", f"mb-{memory_mb}") == pytest.approx(by_hand, rel=0.001)

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result = run("memory-and-cpu")
        (impatient,) = proposed_runs("memory-and-cpu")
        blocks = [result.summary["functions"][f"mb-{memory_mb}"] for memory_mb in (128, 1024, 1769, 3538)]
        time_s = [block["latency_s"]["p50"] for block in blocks]
        price = [block["cost_usd"]["per_million_requests"] for block in blocks]
        lesson = {
            "128 MB": 128,
            "5.58 s": time_s[0],
            "$11.83": price[0],
            "1,024 MB": 1_024,
            "0.74 s": time_s[1],
            "$12.59": price[1],
            "6 %": 100 * (price[1] / price[0] - 1),
            "7.5 times": time_s[0] / time_s[1],
            "3.7 are": 5 * time_s[1],
            "27.9": 5 * time_s[0],
            "1,769 MB": 1_769,
            "MB take 0.45 s, for": time_s[2],
            "$13.19": price[2],
            "3,538 MB": 3_538,
            "take 0.45 s too": time_s[3],
            "$26.18": price[3],
        }
        small = impatient.summary["functions"]["mb-128"]
        then = {
            "is 3 s": 3,
            "0 of": small["requests"]["completed"],
            "its 3,000": small["requests"]["total"],
            "from 128 MB": 128,
            "$0.019": small["cost_usd"]["total"],
        }
        assert_quoted("memory-and-cpu", "Lesson", lesson)
        assert_quoted("memory-and-cpu", "Then", then)
