"""Concurrency of M/G/infinity against the Poisson law of scipy and hand values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lambdasim.theory import concurrency_percentile, concurrency_pmf, mean_concurrency

probabilities = st.floats(1e-12, 1 - 1e-12)


class TestMeanConcurrency:
    def test_is_rate_times_service(self) -> None:
        """100 requests per second of 250 ms keep 25 busy."""
        assert mean_concurrency(100, 0.25) == 25

    @pytest.mark.parametrize(("rate", "service_s"), [(-1, 1), (1, -1), (math.nan, 1), (1, math.inf)])
    def test_rejects_impossible_values(self, rate: float, service_s: float) -> None:
        """Both must be finite and not negative."""
        with pytest.raises(ValueError, match=r"must be a finite number >= 0, got "):
            mean_concurrency(rate, service_s)


class TestConcurrencyPmf:
    def test_small_values_by_hand(self) -> None:
        """a^k e^-a / k! with a = 2."""
        values = [concurrency_pmf(2.0, k) for k in range(4)]
        assert values == pytest.approx([math.exp(-2) * x for x in (1, 2, 2, 4 / 3)], rel=1e-14)

    def test_no_load_means_nobody_in_service(self) -> None:
        """At load 0 the number in service is 0."""
        assert [concurrency_pmf(0.0, k) for k in (0, 1, 20)] == [1.0, 0.0, 0.0]

    @pytest.mark.parametrize("load", [0.3, 5.0, 15.5, 16.0, 40.0, 1e3, 1e5])
    def test_moments_are_those_of_poisson(self, load: float) -> None:
        """The probabilities add up to 1, with mean and variance equal to the load."""
        spread = 12 * math.sqrt(load) + 30
        ks = np.arange(max(0, int(load - spread)), int(load + spread))
        pmf = np.array([concurrency_pmf(load, int(k)) for k in ks])
        assert pmf.sum() == pytest.approx(1, abs=1e-11)
        assert (pmf * ks).sum() == pytest.approx(load, rel=1e-11)
        assert (pmf * (ks - load) ** 2).sum() == pytest.approx(load, rel=1e-9)

    @given(load=st.floats(0.01, 2_000), ratio=st.floats(0, 3))
    def test_agrees_with_scipy(self, load: float, ratio: float) -> None:
        """Over the whole range, far tails included."""
        k = int(load * ratio)
        assert concurrency_pmf(load, k) == pytest.approx(float(stats.poisson.pmf(k, load)), rel=1e-9, abs=1e-300)

    @pytest.mark.parametrize(("load", "k"), [(15.0, 15), (15.0, 16), (15.0, 17), (1e6, 999_000), (1e6, 1_003_000)])
    def test_neighbours_stand_in_the_exact_ratio(self, load: float, k: int) -> None:
        """P(k + 1) / P(k) = a / (k + 1), also across the change of method at 16 and at a load of a million."""
        assert concurrency_pmf(load, k + 1) / concurrency_pmf(load, k) == pytest.approx(load / (k + 1), rel=1e-11)

    @pytest.mark.parametrize("concurrency", [-1, 0.5])
    def test_rejects_what_is_no_count(self, concurrency: float) -> None:
        """Concurrency is a whole number."""
        with pytest.raises(ValueError, match=r"concurrency must be a whole number >= 0, got "):
            concurrency_pmf(1.0, concurrency)  # type: ignore[arg-type]


class TestConcurrencyPercentile:
    @pytest.mark.parametrize(
        ("load", "q", "expected"),
        [
            (1.0, 0.36, 0),  # P(0) = 0.3679
            (1.0, 0.37, 1),
            (1.0, 0.735, 1),  # P(<= 1) = 0.7358
            (1.0, 0.736, 2),
            (1.0, 0.99, 4),  # P(<= 3) = 0.9810, P(<= 4) = 0.9963
            (10.0, 0.99, 18),  # printed Poisson table: P(<= 17) = 0.9857, P(<= 18) = 0.9928
            (0.0, 0.999, 0),
        ],
    )
    def test_table_values(self, load: float, q: float, expected: int) -> None:
        """Values of the printed Poisson table on both sides of a step."""
        assert concurrency_percentile(load, q) == expected

    @given(load=st.floats(1e-6, 5_000), q=probabilities)
    def test_is_the_least_k_that_covers_q(self, load: float, q: float) -> None:
        """By definition, checked with the tail nearer to q so that no digits are lost."""
        k = concurrency_percentile(load, q)
        law, slack = stats.poisson(load), 1e-9
        if q < 0.5:
            assert law.cdf(k) >= q * (1 - slack)
            assert law.cdf(k - 1) <= q * (1 + slack)
        else:
            assert law.sf(k) <= (1 - q) * (1 + slack)
            assert law.sf(k - 1) >= (1 - q) * (1 - slack)

    @pytest.mark.parametrize("load", [1e4, 123_456.7, 1e6])
    @pytest.mark.parametrize("q", [0.001, 0.5, 0.9, 0.99, 0.999999])
    def test_large_loads_agree_with_scipy(self, load: float, q: float) -> None:
        """Stable at a load of a million."""
        assert concurrency_percentile(load, q) == int(stats.poisson.ppf(q, load))

    @pytest.mark.parametrize(("load", "q"), [(1e-10, 1 - 1e-9), (1e-10, 1 - 2e-11), (1e4, 1e-200), (50.0, 1 - 2**-53)])
    def test_deep_tails(self, load: float, q: float) -> None:
        """The probability of more is at most 1 - q, the probability of less under q, out to the last float."""
        k = concurrency_percentile(load, q)
        law = stats.poisson(load)
        if q < 0.5:
            assert law.logcdf(k - 1) < math.log(q) <= law.logcdf(k)
        else:
            assert law.sf(k) <= 1 - q < law.sf(k - 1)

    @given(load=st.floats(0.01, 1_000), q=probabilities, p=probabilities)
    def test_grows_with_q(self, load: float, q: float, p: float) -> None:
        """No step back where the method changes from one tail to the other."""
        assert concurrency_percentile(load, min(p, q)) <= concurrency_percentile(load, max(p, q))

    @pytest.mark.parametrize("q", [0.0, 1.0, 99, math.nan])
    def test_q_must_lie_between_0_and_1(self, q: float) -> None:
        """The p100 of a Poisson law is infinite."""
        with pytest.raises(ValueError, match=r"q must lie strictly between 0 and 1, got "):
            concurrency_percentile(10.0, q)

    @pytest.mark.parametrize(("load", "rule"), [(-1.0, ">= 0"), (math.nan, ">= 0"), (2e9, "at most 1e.09")])
    def test_load_has_a_range(self, load: float, rule: str) -> None:
        """Over 1e9 the arrays would fill memory: said, not done."""
        with pytest.raises(ValueError, match=rf"offered_load must be .*{rule}"):
            concurrency_percentile(load, 0.5)
