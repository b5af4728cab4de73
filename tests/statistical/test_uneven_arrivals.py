"""Arrivals more or less even than Poisson against their laws: gamma renewals, and a modulated rate."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from lambdasim.scenario.arrival_laws import Modulation
from lambdasim.scenario.traffic import TrafficSource
from lambdasim.theory import (
    erlang_2_count_variance,
    mmpp_count_mean,
    mmpp_count_variance,
    renewal_count_variance_in_the_long_run,
)
from lambdasim.workload.arrivals import arrivals
from lambdasim.workload.modulation import realised_profile, switches
from lambdasim.workload.rate import rate_profile
from tests.statistical.z_score import AGREES, DIFFERS, z_score

REPLICATIONS = 2_000
SECOND = 10**9
MMPP = {"ratio": 10.0, "quiet": "50s", "busy": "10s"}


def times_of(law: Any, duration_s: float, seed: int = 1, **way: Any) -> np.ndarray:
    """Arrival times in seconds of one source."""
    source = TrafficSource.model_validate({"function": "f", "arrivals": law, **(way or {"rate": "1/s"})})
    stated = rate_profile(source, round(duration_s * SECOND))
    realised = realised_profile(source.arrival_law, seed, "t", stated)
    return np.concatenate([np.empty(0), *arrivals(source.arrival_law, seed, "t", realised)]) / 1e9


def counts_of(law: Any, duration_s: float, **way: Any) -> np.ndarray:
    """Number of arrivals in each of the replications. Shape (REPLICATIONS,)."""
    return np.array([len(times_of(law, duration_s, seed, **way)) for seed in range(1, REPLICATIONS + 1)])


class TestGamma:
    """Gaps of mean 1 and a given coefficient of variation, in equilibrium."""

    def test_counts_of_erlang_2(self) -> None:
        """In 10 s at 1/s: mean 10, variance 5 + 1/8. Mutants: 1.1/s, Poisson."""
        law = {"gamma": {"cv": math.sqrt(0.5)}}
        variance = erlang_2_count_variance(10)
        ideal, poisson = counts_of(law, 10), counts_of("poisson", 10)
        means, variances = (f"gamma with cv 0.71, requests in 10 s, {name}" for name in ("mean", "variance"))
        assert abs(z_score(ideal, 10, means)) < AGREES
        assert z_score(counts_of(law, 10, rate="1.1/s"), 10, means, mutant="a rate of 1.1/s") > DIFFERS
        assert abs(z_score((ideal - 10) ** 2, variance, variances)) < AGREES
        assert z_score((poisson - 10.0) ** 2, variance, variances, mutant="Poisson") > DIFFERS

    def test_counts_of_bunched_arrivals(self) -> None:
        """cv 2 in 1,000 s: mean 1,000, variance 4,000. Mutants: 1,050 s; a cv of 2.4, and one of 1.7."""
        variance = renewal_count_variance_in_the_long_run(2, 1_000)
        ideal, more, less = (counts_of({"gamma": {"cv": cv}}, 1_000) for cv in (2.0, 2.4, 1.7))
        means, variances = (f"gamma with cv 2, requests in 1,000 s, {name}" for name in ("mean", "variance"))
        assert abs(z_score(ideal, 1_000, means)) < AGREES
        assert z_score(counts_of({"gamma": {"cv": 2.0}}, 1_050), 1_000, means, mutant="those in 1,050 s") > DIFFERS
        assert abs(z_score((ideal - 1_000.0) ** 2, variance, variances)) < AGREES
        assert z_score((more - 1_000.0) ** 2, variance, variances, mutant="cv 2.4") > DIFFERS
        assert z_score((less - 1_000.0) ** 2, variance, variances, mutant="cv 1.7") < -DIFFERS

    def test_the_mean_is_right_from_the_start(self) -> None:
        """cv 2 in the first second: 1 request. Mutant: the second after a request, which has a whole gap ahead."""
        law = {"gamma": {"cv": 2.0}}
        times = [times_of(law, 8, seed) for seed in range(1, REPLICATIONS + 1)]
        what = "gamma with cv 2, requests in the first second, mean"
        assert abs(z_score([(one < 1).sum() for one in times], 1, what)) < AGREES
        after_one = [((one > one[0]) & (one < one[0] + 1)).sum() for one in times if len(one) and one[0] < 7]
        assert z_score(after_one, 1, what, mutant="the second after a request") > DIFFERS

    def test_the_first_gap_is_what_is_left_of_one(self) -> None:
        """Its density is 1 - F(x), so that its mean is (1 + cv^2) / 2 = 2.5. Mutant: the other gaps, of mean 1."""
        times = [times_of({"gamma": {"cv": 2.0}}, 400, seed) for seed in range(1, REPLICATIONS + 1)]
        what = "gamma with cv 2, first gap, mean"
        assert abs(z_score([one[0] for one in times], 2.5, what, unit="s")) < AGREES
        second = [one[1] - one[0] for one in times]
        assert z_score(second, 2.5, what, unit="s", mutant="the second gap") < -DIFFERS
        shape = 1 / 4

        def left_of_a_gap(x: np.ndarray) -> np.ndarray:
            # integral of 1 - F from 0 to x, for gamma with mean 1
            gap = stats.gamma(shape, scale=1 / shape)
            return x * gap.sf(x) + stats.gamma(shape + 1, scale=1 / shape).cdf(x)

        assert stats.kstest([one[0] for one in times], left_of_a_gap).pvalue > 1e-3
        assert stats.kstest(second, left_of_a_gap).pvalue < 1e-9

    def test_gaps_are_gamma_after_the_change_of_time(self) -> None:
        """On a ramp from 0 to 2,000/s, 100,000 gaps against gamma with cv 0.5. Mutant: cv 0.52."""
        ramp = {"start_rate": "0/s", "stages": [{"duration": "100s", "target": "2000/s"}]}
        times = times_of({"gamma": {"cv": 0.5}}, 100, **ramp)
        gaps = np.diff(20 * times**2 / 2)
        assert stats.kstest(gaps, stats.gamma(4, scale=1 / 4).cdf).pvalue > 1e-3
        assert stats.kstest(gaps, stats.gamma(0.52**-2, scale=0.52**2).cdf).pvalue < 1e-6

    def test_counts_on_a_ramp(self) -> None:
        """0 to 2/s in 10 s: the mean of the first and of the second half are 2.5 and 7.5. Mutant: halves swapped."""
        ramp = {"start_rate": "0/s", "stages": [{"duration": "10s", "target": "2/s"}]}
        times = [times_of({"gamma": {"cv": 2.0}}, 10, seed, **ramp) for seed in range(1, REPLICATIONS + 1)]
        first = np.array([(one < 5).sum() for one in times])
        second = np.array([(one >= 5).sum() for one in times])
        what = "gamma with cv 2 on a ramp, requests in the {} half, mean".format
        assert abs(z_score(first, 2.5, what("first"))) < AGREES
        assert z_score(second, 2.5, what("first"), mutant="the second half") > DIFFERS
        assert abs(z_score(second, 7.5, what("second"))) < AGREES
        assert z_score(first, 7.5, what("second"), mutant="the first half") < -DIFFERS


class TestModulated:
    """5/s on average: 2/s for 50 s, 20/s for 10 s, in turns at random."""

    LAW = ((2.0, 20.0), (50.0, 10.0))

    def test_rates(self) -> None:
        """The busy rate is ten times the quiet one, and the average is the stated one."""
        quiet, busy = Modulation.model_validate(MMPP).factors
        assert (5 * quiet, 5 * busy) == (2, 20)

    def test_counts(self) -> None:
        """In 20 s, from the start of the run. Mutants: Poisson, and runs that start quiet."""
        mean, variance = mmpp_count_mean(*self.LAW, 20), mmpp_count_variance(*self.LAW, 20)
        counts = counts_of({"mmpp": MMPP}, 20, rate="5/s")
        assert mean == pytest.approx(100)
        means, variances = (f"MMPP, requests in 20 s, {name}" for name in ("mean", "variance"))
        assert abs(z_score(counts, mean, means)) < AGREES
        assert abs(z_score((counts - mean) ** 2, variance, variances)) < AGREES
        poisson = counts_of("poisson", 20, rate="5/s")
        assert z_score((poisson - mean) ** 2, variance, variances, mutant="Poisson") < -DIFFERS
        modulation = Modulation.model_validate(MMPP)
        starts = range(1, REPLICATIONS + 1)
        starts_quiet = np.array([not switches(modulation, seed, "t", 20 * SECOND)[0] for seed in starts])
        assert z_score(counts[starts_quiet], mean, means, mutant="only runs that start quiet") < -DIFFERS

    def test_counts_of_later_intervals(self) -> None:
        """The second hundred seconds are as the first. Mutant: busy times twice as long, at the same two rates."""
        mean, variance = mmpp_count_mean(*self.LAW, 100), mmpp_count_variance(*self.LAW, 100)

        def later(law: dict[str, Any], rate: str) -> np.ndarray:
            times = (times_of({"mmpp": law}, 200, seed, rate=rate) for seed in range(1, REPLICATIONS + 1))
            return np.array([(one >= 100).sum() for one in times])

        means, variances = (f"MMPP, requests in the second 100 s, {name}" for name in ("mean", "variance"))
        counts = later(MMPP, "5/s")
        assert abs(z_score(counts, mean, means)) < AGREES
        assert abs(z_score((counts - mean) ** 2, variance, variances)) < AGREES
        # 2/s and 20/s with 50 s and 20 s are 50/7 per second on average.
        longer = later({**MMPP, "busy": "20s"}, f"{50 / 7}/s")
        assert z_score(longer, mean, means, mutant="busy for twice as long") > DIFFERS
        assert z_score((longer - mean) ** 2, variance, variances, mutant="busy for twice as long") > DIFFERS

    def test_sojourns_are_exponential(self) -> None:
        """Quiet ones of mean 50 s, busy ones of 10 s. Mutant: the two taken for each other."""
        duration_ns = 200_000 * SECOND
        starts_busy, found = switches(Modulation.model_validate(MMPP), 1, "t", duration_ns)
        sojourns = np.diff(found) / 1e9  # the first one follows on the first switch
        busy, quiet = (sojourns[1::2], sojourns[::2]) if starts_busy else (sojourns[::2], sojourns[1::2])
        for state, lengths, mean, other in (("busy", busy, 10, 50), ("quiet", quiet, 50, 10)):
            what = f"MMPP, length of the {state} times, mean"
            assert abs(z_score(lengths, mean, what, unit="s")) < AGREES
            assert stats.kstest(lengths, stats.expon(scale=mean).cdf).pvalue > 1e-3
            assert abs(z_score(lengths, other, what, unit="s", mutant="taken for the others")) > DIFFERS

    def test_the_chain_starts_in_equilibrium(self) -> None:
        """One run in six starts busy. Mutant: half of them."""
        modulation = Modulation.model_validate(MMPP)
        busy = [switches(modulation, seed, "t", SECOND)[0] for seed in range(1, REPLICATIONS + 1)]
        what = "MMPP, share of the runs that start busy"
        assert abs(z_score(busy, 1 / 6, what, unit="%")) < AGREES
        assert z_score(busy, 1 / 2, what, unit="%", mutant="half of them") < -DIFFERS

    def test_counts_on_a_ramp(self) -> None:
        """0 to 10/s in 20 s: 100 on average, as without modulation. Mutant: 120."""
        ramp = {"start_rate": "0/s", "stages": [{"duration": "20s", "target": "10/s"}]}
        counts = counts_of({"mmpp": MMPP}, 20, **ramp)
        what = "MMPP on a ramp, requests in 20 s, mean"
        assert abs(z_score(counts, 100, what)) < AGREES
        assert z_score(counts, 120, what, mutant="120 by formula") < -DIFFERS
