"""The rate over time: stages, jumps, the integral and its inverse; and the windows that follow from it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdasim.scenario.traffic import TrafficSource
from lambdasim.workload.offered import total_profile
from lambdasim.workload.rate import RateProfile, distinct, rate_profile
from lambdasim.workload.windows import window_ends

SECOND = 10**9


def profile(duration_s: int, **source: Any) -> RateProfile:
    """Rate of a source over some seconds."""
    return rate_profile(TrafficSource.model_validate({"function": "f", **source}), duration_s * SECOND)


def at(made: RateProfile, *times_s: float) -> list[float]:
    """Rate at each time."""
    return made.rate_at((np.array(times_s) * SECOND).astype(np.int64)).tolist()


def expected_until(made: RateProfile, *times_s: float) -> list[float]:
    """Integral up to each time."""
    return made.integral((np.array(times_s) * SECOND).astype(np.int64)).tolist()


class TestRate:
    """Requests per second over time."""

    def test_a_constant_rate(self) -> None:
        """The same from 0 on; 0 outside the run."""
        made = profile(10, rate="4/s")
        assert at(made, 0, 5, 9.999, 10, 11) == [4, 4, 4, 0, 0]
        assert expected_until(made, 0, 2.5, 10, 20) == [0, 10, 40, 40]

    def test_a_linear_stage_and_the_last_target_after_it(self) -> None:
        """0 to 10 in 5 s, then 10: the area is a triangle of 25 and a rectangle."""
        made = profile(8, start_rate="0/s", stages=[{"duration": "5s", "target": "10/s"}])
        assert at(made, 0, 2.5, 5, 7) == [0, 5, 10, 10]
        assert expected_until(made, 2.5, 5, 8) == [6.25, 25, 55]

    def test_a_jump_shows_the_rate_after_it(self) -> None:
        """A stage of 0 s."""
        made = profile(
            2, start_rate="1/s", stages=[{"duration": "1s", "target": "1/s"}, {"duration": "0s", "target": "9/s"}]
        )
        assert at(made, 0.5, 1.0, 1.5) == [1, 9, 9]
        assert made.expected_requests == 10

    def test_stages_longer_than_the_run_are_cut(self) -> None:
        """Half of a ramp from 0 to 10 within the first 5 of its 10 s."""
        made = profile(5, start_rate="0/s", stages=[{"duration": "10s", "target": "10/s"}])
        assert at(made, 2.5, 4) == [2.5, 4]
        assert made.expected_requests == 12.5

    def test_a_spike_is_a_baseline_a_ramp_a_hold_and_a_ramp(self) -> None:
        """Baseline 2, peak 10 from 12 s to 15 s, ramps of 2 s."""
        shape = {"spike": {"baseline": "2/s", "peak": "10/s", "at": "10s", "ramp": "2s", "hold": "3s"}}
        made = profile(30, shape=shape)
        assert at(made, 0, 10, 11, 12, 14.9, 15, 16, 17, 29) == [2, 2, 6, 10, 10, 10, 6, 2, 2]
        assert made.expected_requests == 2 * 30 + 8 * 5


@st.composite
def profiles(draw: st.DrawFn) -> RateProfile:
    """Up to five stages with pauses and jumps."""
    stages = draw(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 50)), min_size=1, max_size=5))
    return profile(
        draw(st.integers(1, 20)),
        start_rate=f"{draw(st.integers(0, 50))}/s",
        stages=[{"duration": f"{duration}s", "target": f"{target}/s"} for duration, target in stages],
    )


class TestParted:
    """The same rate in other segments, and rates that are combined."""

    @given(profiles(), st.lists(st.integers(0, 20), max_size=8))
    def test_split_changes_no_rate(self, made: RateProfile, times_s: list[int]) -> None:
        """Only the number of segments; times outside do not matter."""
        parted = made.split(np.array(times_s, dtype=np.int64) * SECOND)
        edges = np.arange(21) * SECOND
        assert parted.integral(edges) == pytest.approx(made.integral(edges), rel=1e-12, abs=1e-9)
        inside = {time * SECOND for time in times_s if 0 < time * SECOND < made.end_ns[-1]}
        assert set(parted.start_ns.tolist()) == set(made.start_ns.tolist()) | inside
        np.testing.assert_array_equal(parted.end_ns[:-1], parted.start_ns[1:])

    def test_scaled(self) -> None:
        """Twice the ramp at first, nothing from 4 s to 8 s, then half."""
        made = profile(10, start_rate="0/s", stages=[{"duration": "10s", "target": "10/s"}])
        scaled = made.scaled(np.array([0, 4, 8]) * SECOND, np.array([2.0, 0.0, 0.5]))
        assert at(scaled, 0, 2, 3.5, 4, 7.9, 8, 9) == pytest.approx([0, 4, 7, 0, 0, 4, 4.5])
        assert scaled.expected_requests == pytest.approx(2 * 8 + 0.5 * 18)

    def test_total(self) -> None:
        """A ramp and a jump together."""
        ramp = profile(10, start_rate="0/s", stages=[{"duration": "10s", "target": "10/s"}])
        jump = profile(
            10, start_rate="1/s", stages=[{"duration": "4s", "target": "1/s"}, {"duration": "0s", "target": "5/s"}]
        )
        total = total_profile([ramp, jump])
        assert at(total, 0, 3, 4, 9) == pytest.approx([1, 4, 9, 14])
        assert total.expected_requests == pytest.approx(50 + 34)

    def test_mean_and_peak(self) -> None:
        """The peak is told with the first time at which it is reached; a jump reaches it at once."""
        made = profile(
            10, start_rate="0/s", stages=[{"duration": "4s", "target": "8/s"}, {"duration": "0s", "target": "2/s"}]
        )
        assert (made.mean, made.peak()) == ((16 + 12) / 10, (8.0, 4 * SECOND))
        steps = profile(
            10, start_rate="1/s", stages=[{"duration": "3s", "target": "1/s"}, {"duration": "0s", "target": "7/s"}]
        )
        assert steps.peak() == (7.0, 3 * SECOND)

    @given(st.lists(st.integers(-5, 5), min_size=1))
    def test_distinct(self, times: list[int]) -> None:
        """As np.unique."""
        np.testing.assert_array_equal(distinct(np.array(times, dtype=np.int64)), np.unique(times))


@given(profiles(), st.lists(st.floats(0.001, 1), min_size=1, max_size=20))
def test_the_inverse_is_the_first_time_at_which_the_integral_is_reached(made: RateProfile, shares: list[float]) -> None:
    """To the nanosecond: one more than two earlier and the integral is still below."""
    targets = np.array(sorted(shares)) * made.expected_requests
    targets = targets[targets > 0]
    times = made.inverse_integral(targets)
    assert (np.diff(times) >= 0).all()
    slack = 1e-9 * made.expected_requests + 1e-7
    assert (made.integral(times) >= targets - slack).all()
    assert (made.integral(np.maximum(times - 2, 0)) <= targets + slack).all()


@given(profiles(), st.integers(1, 40), st.lists(st.integers(0, 20), max_size=30))
def test_windows_cover_the_run_and_hold_few_requests(made: RateProfile, size: int, trace_s: list[int]) -> None:
    """They rise to the end of the run, and hold about so many requests unless these come at one instant."""
    duration_ns = int(made.end_ns[-1])
    times = np.array(sorted(time for time in trace_s if time * SECOND < duration_ns), dtype=np.int64) * SECOND
    ends = window_ends([made], [times], duration_ns, size)
    assert ends[-1] == duration_ns
    assert (np.diff([0, *ends]) > 0).all()
    edges = np.array([0, *ends])
    expected = np.diff(made.integral(edges) + np.searchsorted(times, edges))
    at_one_instant = max(np.unique(times, return_counts=True)[1], default=0)
    assert (expected <= 2 * size + at_one_instant + 1).all()


@pytest.mark.parametrize("rate", ["1/min", "0.5/s", "100000/s"])
def test_windows_of_a_constant_rate_hold_what_they_should(rate: str) -> None:
    """At most as many requests as asked for, and not many fewer."""
    made = profile(100, rate=rate)
    ends = window_ends([made], [], 100 * SECOND, 1_000)
    assert len(ends) <= max(1.0, 1.05 * made.expected_requests / 1_000)
    assert np.diff(made.integral(np.array([0, *ends]))).max() <= 1_000 + 1e-6
