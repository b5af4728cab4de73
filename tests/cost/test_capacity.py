"""Units x time of provisioned concurrency, by hand. Times in minutes."""

from __future__ import annotations

import pytest

from lambdasim.cost.capacity import requested_units_ns

MINUTE = 60 * 10**9


def units_minutes(course: list[tuple[int, int]], until: int) -> tuple[float, float]:
    """(asked for, added by rounding) in units x minutes, of (minute, units) from then on."""
    times, units = [minute * MINUTE for minute, _ in course], [number for _, number in course]
    total, rounded_up = requested_units_ns(times, units, until * MINUTE)
    return total / MINUTE, rounded_up / MINUTE


@pytest.mark.parametrize(
    ("course", "until", "expected"),
    [
        ([], 60, (0, 0)),
        # on for the whole run: nothing is over, so nothing is rounded
        ([(0, 10)], 7, (70, 0)),
        # 7 minutes become 10: three minutes of 10 units on top
        ([(0, 10), (7, 0)], 60, (70, 30)),
        ([(0, 10), (10, 0)], 60, (100, 0)),
        ([(2, 10), (3, 0)], 60, (10, 40)),
        # 4 x 10 + 3 x 20; the period of 7 minutes goes on with its last level
        ([(0, 10), (4, 20), (7, 0)], 60, (100, 60)),
        # two periods, of 1 and of 6 minutes, each rounded by itself
        ([(0, 10), (1, 0), (20, 1), (26, 0)], 60, (16, 40 + 4)),
        # a change of anything else repeats the level
        ([(0, 10), (3, 10), (7, 0)], 60, (70, 30)),
        # a request that failed: nothing was asked for any more
        ([(0, 0), (1, 5), (3, 0)], 60, (10, 15)),
        # what comes at or after the end of the interval is not of it
        ([(0, 10), (7, 0)], 7, (70, 0)),
        ([(0, 10), (7, 0)], 6, (60, 0)),
        ([(9, 10)], 7, (0, 0)),
    ],
)
def test_levels_over_time(course: list[tuple[int, int]], until: int, expected: tuple[float, float]) -> None:
    """The integral, and the rounding of each period that is over."""
    assert units_minutes(course, until) == expected


def test_eight_hours_of_a_hundred_units() -> None:
    """As in AWS's example: 100 x 28,800 s, and 8 hours need no rounding."""
    assert units_minutes([(0, 100), (480, 0)], 600) == (48_000, 0)


def test_weeks_of_thousands_of_units_are_exact() -> None:
    """More nanoseconds than 64 bits hold."""
    month = 30 * 24 * 60
    assert requested_units_ns([0], [10_000], month * MINUTE) == (10_000 * month * MINUTE, 0)
