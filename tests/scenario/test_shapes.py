"""Shapes by hand: the rate at given instants, and how many requests come of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdasim.errors import RuleViolation
from lambdasim.scenario.traffic import TrafficSource
from lambdasim.scenario.week import format_week_time, parse_week_time
from lambdasim.units import parse_duration
from lambdasim.workload.rate import RateProfile, rate_profile

HOUR = 3_600
WEEK = {"trough": "20/s", "peak": "300/s", "weekend": "60%"}


def shaped(duration: str, **shape: Any) -> RateProfile:
    """The rate of a source with one shape over a run."""
    source = TrafficSource.model_validate({"function": "f", "shape": shape})
    return rate_profile(source, parse_duration(duration))


def at(made: RateProfile, *times_s: float) -> list[float]:
    """The rate at each time; at a jump, the one after it."""
    return made.rate_at((np.array(times_s) * 1e9).astype(np.int64)).tolist()


def expected(made: RateProfile, from_s: float, to_s: float) -> float:
    """Expected requests between two times."""
    first, last = made.integral((np.array([from_s, to_s]) * 1e9).astype(np.int64))
    return float(last - first)


class TestRamp:
    """A rise in a straight line, then the target."""

    def test_from_the_start(self) -> None:
        """0 to 500 in 10 s, then 500: a triangle of 2,500 and a rectangle of 5,000."""
        made = shaped("20s", ramp={"target": "500/s", "ramp": "10s"})
        assert at(made, 0, 2, 5, 10, 19) == [0, 100, 250, 500, 500]
        assert made.expected_requests == 7_500

    def test_from_a_baseline_later(self) -> None:
        """5/s for a minute, then up to 65/s in a minute."""
        made = shaped("3m", ramp={"baseline": "5/s", "target": "65/s", "at": "1m", "ramp": "1m"})
        assert at(made, 0, 59, 60, 90, 120, 179) == [5, 5, 5, 35, 65, 65]

    def test_a_jump(self) -> None:
        """A ramp of 0 s; downwards too."""
        made = shaped("4s", ramp={"baseline": "9/s", "target": "0/s", "at": "1s", "ramp": "0s"})
        assert at(made, 0, 0.5, 1, 3) == [9, 9, 0, 0]
        assert made.expected_requests == 9


class TestSteps:
    """A staircase."""

    def test_levels(self) -> None:
        """10/s, then three steps of 20/s every minute; the last level stays."""
        made = shaped("10m", steps={"start": "10/s", "step": "20/s", "steps": 3, "every": "1m"})
        assert at(made, 0, 59, 60, 119, 120, 180, 599) == [10, 10, 30, 30, 50, 70, 70]
        assert made.expected_requests == 60 * (10 + 30 + 50) + 7 * 60 * 70

    def test_nine_steps_of_a_minute_are_ten_levels(self) -> None:
        """With a duration of ten minutes each level is held for one: 60 x (10 + 20 + ... + 100)."""
        made = shaped("10m", steps={"start": "10/s", "step": "10/s", "steps": 9, "every": "1m"})
        assert made.expected_requests == 33_000


class TestDiurnal:
    """A wave with the length of a day."""

    def test_peak_trough_and_the_middle_between(self) -> None:
        """Peak at 15:00, trough twelve hours away, the mean of both at 9:00 and 21:00."""
        made = shaped("1d", diurnal={"trough": "20/s", "peak": "300/s"})
        assert at(made, 15 * HOUR, 3 * HOUR, 9 * HOUR, 21 * HOUR) == pytest.approx([300, 20, 160, 160])

    def test_the_peak_moves(self) -> None:
        """``peak_at`` is a time of day."""
        made = shaped("1d", diurnal={"trough": "20/s", "peak": "300/s", "peak_at": "9h30m"})
        assert at(made, 9.5 * HOUR, 21.5 * HOUR) == pytest.approx([300, 20])

    def test_straight_lines_between_points_five_minutes_apart(self) -> None:
        """Half-way between two points the rate is their mean, which is not the cosine."""
        made = shaped("1d", diurnal={"trough": "20/s", "peak": "300/s"})
        low, middle, high = at(made, 9 * HOUR, 9 * HOUR + 150, 9 * HOUR + 300)
        assert middle == pytest.approx((low + high) / 2)
        after_the_top = 300 - 280 * (1 - np.cos(2 * np.pi * 300 / 86_400)) / 2
        assert at(made, 15 * HOUR + 300) == pytest.approx([after_the_top], rel=1e-12)
        assert at(made, 15 * HOUR + 150) == pytest.approx([(300 + after_the_top) / 2], rel=1e-12)

    @pytest.mark.parametrize("starts", ["monday 00:00", "tuesday 13:07", "thursday 23:59"])
    def test_a_weekday_has_the_mean_of_trough_and_peak(self, starts: str) -> None:
        """Exactly: the integral over 24 hours is 86,400 x (20 + 300) / 2, wherever they begin."""
        made = shaped("1d", diurnal={**WEEK, "weekend": "100%", "starts": starts})
        assert made.expected_requests == pytest.approx(86_400 * 160, rel=1e-9)

    def test_the_weekend_is_lower(self) -> None:
        """Saturday and Sunday have 60 % of a weekday; the week has five weekdays and two of those."""
        made = shaped("7d", diurnal=WEEK)
        day = 86_400 * 160
        of_days = [expected(made, number * 86_400, (number + 1) * 86_400) for number in range(7)]
        assert of_days == pytest.approx([day] * 5 + [0.6 * day] * 2, rel=1e-9)
        assert at(made, 5 * 86_400 - 1e-6)[0] == pytest.approx(at(made, 4 * 86_400)[0])
        assert at(made, 5 * 86_400)[0] == pytest.approx(0.6 * at(made, 4 * 86_400)[0])

    def test_the_week_begins_when_it_is_said_to(self) -> None:
        """From Sunday 12:00 the weekend lasts 12 hours more."""
        made = shaped("2d", diurnal={**WEEK, "starts": "sunday 12:00"})
        assert at(made, 3 * HOUR) == pytest.approx([180])  # Sunday 15:00
        assert at(made, 27 * HOUR) == pytest.approx([300])  # Monday 15:00
        assert at(made, 15 * HOUR) == pytest.approx([20])  # Monday 3:00

    def test_a_week_in_seven_minutes(self) -> None:
        """A day of a minute: times of day keep the clock of 24 hours."""
        made = shaped("7m", diurnal={**WEEK, "day": "1m", "starts": "friday 12:00"})
        assert at(made, 7.5) == pytest.approx([300])  # Friday 15:00
        assert at(made, 67.5, 127.5) == pytest.approx([180, 180])  # Saturday and Sunday
        assert made.expected_requests == pytest.approx(60 * 160 * (5 + 2 * 0.6), rel=1e-9)


class TestBurst:
    """A burst every so often."""

    def test_bursts(self) -> None:
        """From 30 s on, every two minutes for 10 s; the last one is cut at the end."""
        made = shaped("275s", burst={"baseline": "1/s", "peak": "21/s", "every": "2m", "length": "10s", "at": "30s"})
        assert at(made, 0, 29, 30, 39, 40, 149, 150, 159, 160, 270, 274) == [1, 1, 21, 21, 1, 1, 21, 21, 1, 21, 21]
        assert made.expected_requests == 275 + 20 * (10 + 10 + 5)

    def test_bursts_that_touch(self) -> None:
        """As long as the distance between them: the peak all the time."""
        made = shaped("1m", burst={"peak": "7/s", "every": "10s", "length": "10s"})
        assert made.expected_requests == 420
        assert at(made, 0, 10, 35) == [7, 7, 7]

    def test_a_first_burst_after_the_end(self) -> None:
        """Then there is only the baseline."""
        made = shaped("1m", burst={"baseline": "2/s", "peak": "7/s", "every": "10s", "length": "1s", "at": "2m"})
        assert made.expected_requests == 120


class TestCron:
    """Requests on a schedule; ``test_cron`` has the instants."""

    def test_every_five_minutes(self) -> None:
        """500 requests in the minute after each instant: 0:00, 5:00 and 10:00."""
        made = shaped("12m", cron={"schedule": "*/5 * * * *", "requests": 500, "over": "50s"})
        assert at(made, 0, 49, 50, 299, 300, 650) == [10, 10, 0, 0, 10, 0]
        assert made.expected_requests == pytest.approx(1_500)

    def test_spread_over_a_second_by_default(self) -> None:
        """500 requests per second for a second."""
        assert at(shaped("2m", cron={"schedule": "* * * * *", "requests": 500}), 0.5, 1, 60.5) == [500, 0, 500]

    def test_spreads_that_overlap_add_up(self) -> None:
        """Every minute, spread over 150 s: at first one, then two, then two or three at a time; 0 after none."""
        made = shaped("10m", cron={"schedule": "* * * * *", "requests": 150, "over": "150s"})
        assert at(made, 30, 90, 149, 150, 179, 180) == [1, 2, 3, 2, 2, 3]

    def test_nothing_is_left_after_the_last_spread(self) -> None:
        """The rate is 0 to the bit, though seven spreads of 1/420 per second each were upon one another."""
        made = shaped("2h", cron={"schedule": "0-30 0 * * *", "requests": 1, "over": "7m"})
        assert at(made, 600) == pytest.approx([7 / 420])
        assert at(made, 5_000) == [0.0]


@given(st.integers(0, 7 * 24 * 60 - 1))
def test_times_of_the_week_can_be_read_back(minute: int) -> None:
    """Whatever minute of the week."""
    time_ns = minute * 60 * 10**9
    assert parse_week_time(format_week_time(time_ns)) == time_ns


@pytest.mark.parametrize(
    ("text", "hours"),
    [("monday", 0), ("Monday 00:00", 0), ("tue 8:30", 32.5), (" SUNDAY  23:00 ", 167)],
)
def test_times_of_the_week(text: str, hours: float) -> None:
    """A day in full or by three letters, and a time that may be left out."""
    assert parse_week_time(text) == hours * HOUR * 10**9


@pytest.mark.parametrize("text", ["", "8:30", "mo 8:30", "monday 24:00", "monday 8:60", "monday 830", 5, None])
def test_what_is_no_time_of_the_week(text: object) -> None:
    """Refused with a sentence."""
    with pytest.raises(RuleViolation) as caught:
        parse_week_time(text)
    assert caught.value.rule.startswith("must ")


def test_stages_that_last_for_centuries_fit() -> None:
    """Their sum would not fit 64 bits; what lies after the longest run does not matter."""
    stages = [{"duration": "3650d", "target": f"{number}/s"} for number in range(1, 60)]
    source = TrafficSource.model_validate({"function": "f", "stages": stages})
    made = rate_profile(source, parse_duration("3650d"))
    assert at(made, 1825 * 86_400) == [0.5]
    assert source.length_ns == 59 * 3_650 * 86_400 * 10**9
