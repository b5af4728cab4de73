"""Little's law and the request rate that a concurrency can carry."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdasim.theory import arrival_rate_for, max_request_rate, mean_in_system

positive = st.floats(1e-6, 1e6)


class TestLittle:
    def test_by_hand(self) -> None:
        """20 requests per second that stay 3 s are 60 at a time."""
        assert mean_in_system(20, 3) == 60
        assert arrival_rate_for(60, 3) == 20

    @given(rate=positive, time_s=positive)
    def test_inverse_is_inverse(self, rate: float, time_s: float) -> None:
        """From rate to number and back."""
        assert arrival_rate_for(mean_in_system(rate, time_s), time_s) == pytest.approx(rate, rel=1e-12)

    @pytest.mark.parametrize(("rate", "time_s"), [(-1, 1), (1, -1), (math.nan, 1), (1, math.nan), (math.inf, 0)])
    def test_mean_in_system_rejects_impossible_values(self, rate: float, time_s: float) -> None:
        """Both must be finite and not negative."""
        with pytest.raises(ValueError, match=r"must be a finite number >= 0, got "):
            mean_in_system(rate, time_s)

    def test_no_rate_follows_from_no_time(self) -> None:
        """With time 0 every rate gives 0 in the system."""
        with pytest.raises(ValueError, match=r"mean_time_in_system_s must be a finite number > 0, got 0"):
            arrival_rate_for(0, 0)


class TestMaxRequestRate:
    @pytest.mark.parametrize(
        ("concurrency", "duration_s", "expected"),
        [
            (1000, 1.0, 1_000),  # concurrency binds
            (1000, 0.2, 5_000),
            (1000, 0.1, 10_000),  # both bind
            (1000, 0.05, 10_000),  # the request rate binds: concurrency alone would allow 20,000
            (1000, 0.001, 10_000),
            (0, 0.5, 0),
        ],
    )
    def test_request_rate_binds_under_100_ms(self, concurrency: int, duration_s: float, expected: float) -> None:
        """With the 10 requests per second and unit of concurrency of AWS."""
        assert max_request_rate(concurrency, duration_s, 10) == pytest.approx(expected, rel=1e-12)

    def test_without_a_request_rate_limit_only_concurrency_binds(self) -> None:
        """``inf`` stands for `unlimited`; a function switched off still carries nothing."""
        assert max_request_rate(1000, 0.05, math.inf) == pytest.approx(20_000)
        assert max_request_rate(0, 0.05, math.inf) == 0

    @pytest.mark.parametrize(
        ("concurrency", "duration_s", "per_concurrency", "culprit"),
        [
            (-1, 1, 10, "concurrency"),
            (1.5, 1, 10, "concurrency"),
            (10, 0, 10, "mean_duration_s"),
            (10, math.nan, 10, "mean_duration_s"),
            (10, 1, 0, "requests_per_concurrency"),
            (10, 1, math.nan, "requests_per_concurrency"),
        ],
    )
    def test_rejects_impossible_values(
        self, concurrency: float, duration_s: float, per_concurrency: float, culprit: str
    ) -> None:
        """The sentence starts with the culprit."""
        with pytest.raises(ValueError, match=rf"^{culprit} must be "):
            max_request_rate(concurrency, duration_s, per_concurrency)  # type: ignore[arg-type]
