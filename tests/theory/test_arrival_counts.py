"""Counts of arrivals of processes that are more or less even than Poisson."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from lambdasim.theory import (
    erlang_2_count_variance,
    mmpp_count_mean,
    mmpp_count_variance,
    renewal_count_variance_in_the_long_run,
)

positive = st.floats(0.01, 100)


class TestModulated:
    """A Poisson process whose rate jumps between two levels."""

    def test_by_hand(self) -> None:
        """Rates 0 and 2, sojourns of 1 s, in 1 s: p1 p2 = 1/4, difference squared 4, s = 2, so 2 x 1/4 x 4 / 2 = 1."""
        assert mmpp_count_mean((0, 2), (1, 1), 1) == 1
        assert mmpp_count_variance((0, 2), (1, 1), 1) == pytest.approx(1 + 1 - (1 - math.exp(-2)) / 2)

    @given(rate=positive, quiet=positive, busy=positive, time_s=positive)
    def test_equal_rates_are_poisson(self, rate: float, quiet: float, busy: float, time_s: float) -> None:
        """Variance = mean = rate x time."""
        assert mmpp_count_mean((rate, rate), (quiet, busy), time_s) == pytest.approx(rate * time_s)
        assert mmpp_count_variance((rate, rate), (quiet, busy), time_s) == pytest.approx(rate * time_s)

    @given(rates=st.tuples(positive, positive), sojourns=st.tuples(positive, positive), time_s=positive)
    def test_is_the_double_integral_of_the_autocovariance(
        self, rates: tuple[float, float], sojourns: tuple[float, float], time_s: float
    ) -> None:
        """mean + 2 x integral of (t - u) p1 p2 (r1 - r2)^2 exp(-s u), numerically."""
        share = sojourns[0] / sum(sojourns)
        speed = 1 / sojourns[0] + 1 / sojourns[1]
        covariance = share * (1 - share) * (rates[0] - rates[1]) ** 2
        area = integrate.quad(
            lambda u: (time_s - u) * covariance * math.exp(-speed * u), 0, time_s, points=[min(time_s, 5 / speed)]
        )[0]
        expected = mmpp_count_mean(rates, sojourns, time_s) + 2 * area
        assert mmpp_count_variance(rates, sojourns, time_s) == pytest.approx(expected, rel=1e-6)

    @pytest.mark.parametrize(
        ("rates", "sojourns", "time_s", "culprit"),
        [
            ((-1, 1), (1, 1), 1, "rates"),
            ((1, math.nan), (1, 1), 1, "rates"),
            ((1, 1), (0, 1), 1, "mean_sojourns_s"),
            ((1, 1), (1, 1), -1, "time_s"),
        ],
    )
    def test_rejects_impossible_values(
        self, rates: tuple[float, float], sojourns: tuple[float, float], time_s: float, culprit: str
    ) -> None:
        """The sentence starts with the culprit."""
        for count in (mmpp_count_mean, mmpp_count_variance):
            with pytest.raises(ValueError, match=rf"^{culprit} must be "):
                count(rates, sojourns, time_s)


class TestRenewal:
    """Gamma gaps of mean 1, in equilibrium."""

    @pytest.mark.parametrize("time", [0.1, 1.0, 3.0])
    def test_erlang_2_is_every_second_point_of_a_poisson_process(self, time: float) -> None:
        """Of rate 2, from a random parity on: (K + B) // 2 with K Poisson of mean 2 t and a fair B."""
        counts = np.arange(200)
        weights = stats.poisson.pmf(counts, 2 * time)
        halves = np.stack((counts // 2, (counts + 1) // 2))
        mean = float((weights * halves).sum() / 2)
        assert mean == pytest.approx(time)
        assert erlang_2_count_variance(time) == pytest.approx(float((weights * halves**2).sum() / 2) - mean**2)

    def test_in_the_long_run(self) -> None:
        """Erlang 2 has a squared cv of 1/2; 1 is Poisson."""
        assert renewal_count_variance_in_the_long_run(1, 7) == 7
        long_run = renewal_count_variance_in_the_long_run(math.sqrt(0.5), 10_000)
        assert erlang_2_count_variance(10_000) == pytest.approx(long_run, rel=1e-4)

    def test_rejects_impossible_values(self) -> None:
        """The sentence starts with the culprit."""
        with pytest.raises(ValueError, match=r"^time must be "):
            erlang_2_count_variance(-1)
        with pytest.raises(ValueError, match=r"^cv must be "):
            renewal_count_variance_in_the_long_run(0, 1)
