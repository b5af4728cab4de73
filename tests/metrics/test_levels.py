"""How many at a time: at one instant ends come before starts."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lambdasim.eventlog.log import NOT_YET
from lambdasim.metrics.levels import (
    integral_at,
    level_at,
    levels_after_starts,
    peak,
    step_function,
    time_integral,
)

START = np.array([0, 2, 2, 5])
END = np.array([2, 4, NOT_YET, 6])

SPANS = st.lists(st.tuples(st.integers(0, 9), st.one_of(st.none(), st.integers(1, 9))), max_size=12)


def columns(spans: list[tuple[int, int | None]]) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends of (start, length) pairs; a length of None has not ended."""
    start = np.array([begin for begin, _ in spans], dtype=np.int64)
    end = np.array([NOT_YET if length is None else begin + length for begin, length in spans], dtype=np.int64)
    return start, end


def under_way(spans: list[tuple[int, int | None]], instant: int) -> int:
    """How many hold this instant, ends excluded."""
    return sum(begin <= instant and (length is None or instant < begin + length) for begin, length in spans)


class TestByHand:
    """Four spans, one without an end."""

    def test_after_starts_and_peak(self) -> None:
        """What ends at 2 makes room for what starts at 2."""
        starts, levels = levels_after_starts(START, END)
        assert (starts.tolist(), levels.tolist()) == ([0, 2, 2, 5], [1, 1, 2, 2])
        assert peak(START, END) == 2
        assert peak(START[:0], END[:0]) == 0

    def test_level_at(self) -> None:
        """Just before the starts of an instant, and after its ends."""
        assert level_at(np.array([0, 1, 2, 3, 4, 5, 6]), START, END).tolist() == [0, 1, 0, 2, 1, 1, 1]

    def test_step_function_has_no_dip_at_a_hand_over(self) -> None:
        """At 2 one ends and two start: one change."""
        instants, level = step_function(START, END)
        assert (instants.tolist(), level.tolist()) == ([0, 2, 4, 5, 6], [1, 2, 1, 2, 1])

    def test_time_integral(self) -> None:
        """2 + 2 + 8 + 1 over [0, 10); cut at 3: 2 + 1 + 1."""
        assert time_integral(START, END, 10) == 13
        assert time_integral(START, END, 3) == 4


class TestAgainstCounting:
    """The same by counting at every instant."""

    @given(SPANS)
    def test_peak(self, spans: list[tuple[int, int | None]]) -> None:
        """The peak is the most of all instants."""
        assert peak(*columns(spans)) == max((under_way(spans, instant) for instant in range(20)), default=0)

    @given(SPANS, st.integers(0, 20))
    def test_integral(self, spans: list[tuple[int, int | None]], until: int) -> None:
        """The integral is the sum over all instants before the end."""
        assert time_integral(*columns(spans), until) == sum(under_way(spans, instant) for instant in range(until))


def test_integral_of_a_level_by_hand() -> None:
    """3 from 2 on and 1 from 4 on: 0 until 2, 3 at 3, 6 at 4, 8 at 6."""
    found = integral_at(np.array([0, 2, 3, 4, 6]), np.array([2, 4]), np.array([3, 1]))
    assert found.tolist() == [0, 0, 3, 6, 8]


@given(SPANS, st.lists(st.integers(0, 20), max_size=5))
def test_integral_is_that_of_what_is_under_way(spans: list[tuple[int, int | None]], times: list[int]) -> None:
    """Of the step function of any spans, until any time."""
    start, end = columns(spans)
    at = np.array(times, dtype=np.int64)
    found = integral_at(at, *step_function(start, end))
    assert found.tolist() == [time_integral(start, end, until) for until in times]


def test_differences_of_integrals_are_exact_beyond_64_bits() -> None:
    """Ten million units for ten years are 3e24 ns; the last minute of it is what it is."""
    year, minute = 365 * 86_400 * 10**9, 60 * 10**9
    before, after = integral_at(np.array([10 * year - minute, 10 * year]), np.array([0, 1]), np.array([1, 10**7]))
    assert after - before == 10**7 * minute
