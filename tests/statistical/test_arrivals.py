"""Arrivals against their laws: Poisson with a rate that changes, and evenly spaced."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.builders import scenario, workload_of
from tests.statistical.z_score import AGREES, DIFFERS, z_score

BINS_S = np.arange(0, 101, 10)
REPLICATIONS = 300


def arrivals(seed: int = 1, duration: str = "100s", **source: Any) -> np.ndarray:
    """Arrival times in ns of one source. Shape (n_requests,)."""
    made = scenario(traffic={"t": {"function": "f", **source}}, duration=duration)
    chunks = [chunk.arrival_ns for chunk in workload_of(made, seed).chunks()]
    return np.concatenate(chunks)


def ramp(target: str, arrivals: str = "poisson") -> dict[str, Any]:
    """A rate that rises from 0 for 100 s."""
    return {"start_rate": "0/s", "stages": [{"duration": "100s", "target": target}], "arrivals": arrivals}


def counts(target: str) -> np.ndarray:
    """Requests in each bin of ten seconds. Shape (replications, bins)."""
    times = (arrivals(seed, **ramp(target)) for seed in range(1, REPLICATIONS + 1))
    return np.array([np.histogram(one / 1e9, BINS_S)[0] for one in times])


def test_counts_of_a_ramp_are_poisson_with_the_integral_of_the_rate() -> None:
    """0 to 20 requests/s in 100 s: bin k has mean and variance 10 (2 k + 1).

    Mutants: a target of 21/s; the average of three runs, which varies a third as much.
    """
    ideal, steeper = counts("20/s"), counts("21/s")
    expected = 10.0 * (2 * np.arange(10) + 1)
    means, variances = "requests in 10 s of a ramp to 20/s, mean", "requests in 10 s of a ramp to 20/s, variance"
    averages = ideal.reshape(-1, 3, 10).mean(axis=1)
    for k, mean in enumerate(expected):
        part = f"{10 * k} to {10 * k + 10} s"
        assert abs(z_score(ideal[:, k], mean, means, part=part)) < AGREES
        assert abs(z_score((ideal[:, k] - mean) ** 2, mean, variances, part=part)) < AGREES
        mutant = z_score((averages[:, k] - mean) ** 2, mean, variances, part=part, mutant="averages of three runs")
        assert mutant < -DIFFERS
    assert z_score(steeper.sum(axis=1), expected.sum(), means, part="all", mutant="a target of 21/s") > DIFFERS
    assert z_score(steeper[:, -1], expected[-1], means, part="90 to 100 s", mutant="a target of 21/s") > DIFFERS
    # The counts of evenly spaced arrivals are right on average but hardly vary: the variance tells them apart.
    even = np.histogram(arrivals(**ramp("20/s", "uniform")) / 1e9, BINS_S)[0]
    assert abs(even - expected).max() <= 1


def test_counts_of_two_bins_are_independent() -> None:
    """Products of deviations have mean 0. Mutant: of a bin with itself."""
    expected = 10.0 * (2 * np.arange(10) + 1)
    deviations = counts("20/s") - expected
    what = "requests in 10 s and in other 10 s, product of the deviations"
    for first, second in ((0, 1), (4, 5), (8, 9), (0, 9)):
        part = f"from {10 * first} s and {10 * second} s on"
        assert abs(z_score(deviations[:, first] * deviations[:, second], 0.0, what, part=part)) < AGREES
        assert z_score(deviations[:, first] ** 2, 0.0, what, part=part, mutant="the same 10 s") > DIFFERS


def unit_gaps(target: int) -> np.ndarray:
    """Gaps of the arrivals of a ramp to 2,000/s, or what it is told, after the change of time that makes it rate 1."""
    times_s = arrivals(**ramp(f"{target}/s")) / 1e9
    return np.diff(20 * times_s**2 / 2, prepend=0.0)


def test_gaps_after_the_change_of_time_are_exponential() -> None:
    """Kolmogorov-Smirnov against exp(1), 100,000 gaps. Mutant: a target of 2,100/s."""
    assert stats.kstest(unit_gaps(2000), stats.expon.cdf).pvalue > 1e-3
    assert stats.kstest(unit_gaps(2100), stats.expon.cdf).pvalue < 1e-9


def test_gaps_after_the_change_of_time_are_independent() -> None:
    """Lag-1 products of the deviations from 1, in batches of 1,000. Mutant: a moving average of the gaps."""
    deviations = unit_gaps(2000)[:99_001] - 1.0

    def lag_1(values: np.ndarray) -> np.ndarray:
        products = values[:-1] * values[1:]
        return products[: len(products) // 1000 * 1000].reshape(-1, 1000).mean(axis=1)

    what = "gaps after the change of time, product of the deviations of neighbours"
    assert abs(z_score(lag_1(deviations), 0.0, what)) < AGREES
    averages = deviations[1:] + 0.1 * deviations[:-1]
    assert z_score(lag_1(averages), 0.0, what, mutant="a moving average of the gaps") > DIFFERS


def test_arrivals_of_different_seeds_and_sources_are_independent() -> None:
    """No two of the streams share their first arrivals."""
    firsts = [tuple(arrivals(seed, rate="10/s")[:5].tolist()) for seed in range(1, 50)]
    assert len(set(firsts)) == len(firsts)


def test_even_arrivals_at_a_constant_rate() -> None:
    """The k-th (from 0) at (k + 1/2) / rate, exactly: at 4/s every 250 ms from 125 ms on."""
    expected = 125_000_000 + 250_000_000 * np.arange(400)
    np.testing.assert_array_equal(arrivals(rate="4/s", arrivals="uniform"), expected)


def test_even_arrivals_on_a_ramp_from_zero() -> None:
    """Rate t requests/s for 50 s: the integral t^2 / 2 reaches k + 1/2 at sqrt(2 k + 1) s, to the nanosecond."""
    source = {"start_rate": "0/s", "stages": [{"duration": "50s", "target": "50/s"}], "arrivals": "uniform"}
    with localcontext(prec=40):
        expected = [round(Decimal(2 * k + 1).sqrt() * 10**9) for k in range(1250)]
    np.testing.assert_array_equal(arrivals(duration="50s", **source), expected)


@pytest.mark.parametrize(
    ("stages", "expected_s"),
    [
        # Rate 2/s, a jump to 10/s at 1 s: 2 requests, then from the integral 2 on, one every 0.1 s from 1.05 s on.
        ([{"duration": "1s", "target": "2/s"}, {"duration": "0s", "target": "10/s"}], [0.25, 0.75, 1.05, 1.15, 1.25]),
        # A pause of 1 s between two bursts: the integral stands still at 2.
        (
            [
                {"duration": "1s", "target": "2/s"},
                {"duration": "0s", "target": "0/s"},
                {"duration": "1s", "target": "0/s"},
                {"duration": "0s", "target": "5/s"},
            ],
            [0.25, 0.75, 2.1, 2.3, 2.5],
        ),
    ],
)
def test_even_arrivals_across_jumps(stages: list[dict[str, str]], expected_s: list[float]) -> None:
    """The integral of the rate carries over from one stage to the next."""
    times = arrivals(duration="3s", start_rate="2/s", stages=stages, arrivals="uniform")
    np.testing.assert_array_equal(times[:5], np.round(np.array(expected_s) * 1e9).astype(np.int64))
