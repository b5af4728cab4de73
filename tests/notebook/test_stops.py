"""The stops of a slider: both ends, round values between them, and what the scenario has."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from lambdasim.errors import UsageError
from lambdasim.notebook.stops import number_stops, plain_number, readable, readable_list, text_stops


def texts(*values: str, present: Any = None) -> list[str]:
    """The texts of a slider."""
    return [stop.value for stop in text_stops("x", values, present)]


class TestNumbers:
    """From low to high."""

    @pytest.mark.parametrize(
        ("values", "present", "stops"),
        [
            ((1, 9, 2), None, [1, 3, 5, 7, 9]),
            ((1, 8, 2), None, [1, 3, 5, 7, 8]),  # the high end is there although the step does not lead to it
            ((100, 300), None, list(range(100, 301, 5))),
            ((1, 50), None, list(range(1, 51))),  # even steps that meet both ends
            ((50, 3_000), 1_000, list(range(50, 3_001, 50))),
            ((10, 50), 2, list(range(2, 51, 2))),
            ((7, 200), None, [7, *range(10, 201, 5)]),  # these would be too many: round ones
            ((100, 300), 147, [*range(100, 146, 5), 147, *range(150, 301, 5)]),
            ((10, 50, 10), 20, [10, 20, 30, 40, 50]),
            ((10, 50, 10), 47, [10, 20, 30, 40, 47, 50]),  # what the scenario has moves no other stop
            ((10, 50, 10), 2, [2, 10, 20, 30, 40, 50]),
            ((10, 50, 10), 90, [10, 20, 30, 40, 50, 90]),
            ((50, 200, 1_000), None, [50, 200]),
            ((0.1, 0.5, 0.1), None, [0.1, 0.2, 0.3, 0.4, 0.5]),
            ((0, 1), 0.3, [0, 0.3, 1]),  # whole numbers, and one that is not
        ],
        ids=str,
    )
    def test_stops(self, values: tuple[Any, ...], present: Any, stops: list[float]) -> None:
        """Both ends, and in whole numbers what is given in whole numbers."""
        found = number_stops("x", values, present)
        assert found == stops
        assert [type(stop) for stop in found] == [type(stop) for stop in stops]

    def test_numpy_numbers(self) -> None:
        """A notebook is full of them; what is set is a number of Python's."""
        stops = number_stops("x", (np.int64(50), np.float64(51.0), np.float32(0.5)), None)
        assert stops == [50, 50.5, 51.0]
        assert [type(stop) for stop in stops] == [int, float, float]

    @pytest.mark.parametrize(
        ("value", "number"),
        [(3, 3), (np.int8(3), 3), (0.5, 0.5), (True, None), ("3", None), (math.nan, None), (10**400, None), (1j, None)],
        ids=str,
    )
    def test_what_is_a_number(self, value: Any, number: float | None) -> None:
        """Finite, and no truth value."""
        assert plain_number(value) == number

    @pytest.mark.parametrize(
        ("values", "rule"),
        [
            ((5, 1), "must go from low to high"),
            ((5, 5), "must go from low to high"),
            ((1, 5, 0), "must go from low to high"),
            ((1, 10**7, 1), "in at most 1,000 steps"),
            ((1, math.inf), "must have finite numbers"),
            ((50, 200, math.inf), "must have finite numbers"),
            ((10**400, 10**401), "must have finite numbers"),
            ((1, "5"), "must have finite numbers, or texts with a unit"),
        ],
        ids=str,
    )
    def test_what_leads_nowhere(self, values: tuple[Any, ...], rule: str) -> None:
        """One sentence."""
        with pytest.raises(UsageError, match=f"controls x: .*{rule}"):
            number_stops("x", values, None)


class TestTexts:
    """Times, rates, sizes and shares."""

    def test_the_ends_read_as_typed_and_nothing_reads_like_1100ms(self) -> None:
        """From 100ms to 2s."""
        stops = texts("100ms", "2s", "100ms")
        assert (stops[0], stops[8], stops[9], stops[10], stops[-1]) == ("100ms", "900ms", "1s", "1.1s", "2s")
        assert len(stops) == 20

    @pytest.mark.parametrize(
        ("values", "stops"),
        [
            (("0.1s", "0.4s", "0.1s"), ["0.1s", "0.2s", "0.3s", "0.4s"]),
            (("10/s", "25/s", "10/s"), ["10/s", "20/s", "25/s"]),
            (("60/min", "180/min", "60/min"), ["60/min", "120/min", "180/min"]),
            (("100ms", "1s", "400ms"), ["100ms", "500ms", "900ms", "1s"]),
            (("128MB", "384MB", "128MB"), ["128MB", "256MB", "384MB"]),
            (("1KB", "3KB", "1KB"), ["1KB", "2KB", "3KB"]),
            (("1%", "2%", "0.5%"), ["1%", "1.5%", "2%"]),
            (("1m30s", "2m", "10s"), ["1m30s", "100s", "110s", "2m"]),
            (("1us", "2ms", "1ms"), ["1us", "1.001ms", "2ms"]),
            (("0", "2%", "1%"), ["0", "1%", "2%"]),
            (("0", "40ms"), ["0", *(f"{number}ms" for number in range(1, 41))]),
            (("1m30s", "1m32s"), ["1m30s", *(f"{90 + number / 20:.10g}s" for number in range(1, 40)), "1m32s"]),
        ],
        ids=str,
    )
    def test_in_the_unit_of_the_step(self, values: tuple[str, ...], stops: list[str]) -> None:
        """Both ends are there."""
        assert texts(*values) == stops

    def test_round_steps(self) -> None:
        """1, 2, 4, … 50 a second."""
        assert texts("1/s", "50/s") == ["1/s", *(f"{rate}/s" for rate in range(2, 51, 2))]

    def test_what_the_scenario_has(self) -> None:
        """In its place; in the words of the slider where it has this stop; left out where it is of another kind."""
        assert texts("200ms", "800ms", "200ms", present="500ms") == ["200ms", "400ms", "500ms", "600ms", "800ms"]
        assert texts("200ms", "800ms", "200ms", present="0.6s") == ["200ms", "400ms", "600ms", "800ms"]
        assert texts("200ms", "400ms", "200ms", present="3/s") == ["200ms", "400ms"]
        assert texts("200ms", "400ms", "200ms", present=None) == ["200ms", "400ms"]

    @pytest.mark.parametrize(
        ("values", "rule"),
        [
            (("a", "b"), "must have a number with a unit at both ends"),
            (("2s", "1s"), "must go from low to high"),
            (("1GB", "2s"), "must have numbers with units of one kind"),
            (("1s", "2s", "1/s"), "must have numbers with units of one kind"),
            (("1s", "1d", "1ms"), "must go from low to high in at most 1,000 steps"),
        ],
        ids=str,
    )
    def test_what_leads_nowhere(self, values: tuple[str, ...], rule: str) -> None:
        """One sentence."""
        with pytest.raises(UsageError, match=f"controls x: {rule}"):
            texts(*values)


class TestReadable:
    """As people write times and rates."""

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("62500us", "62.5ms"),
            ("6250ms", "6.25s"),
            ("2000ms", "2s"),
            ("90s", "90s"),
            ("450s", "7m30s"),
            ("300s", "5m"),
            ("3600s", "1h"),
            ("123456789ns", "123456789ns"),
            ("0s", "0s"),
            ("0.08333333333333333/s", "5/min"),
            ("37.5/s", "37.5/s"),
            ("0.0001/s", "0.36/h"),
            ("0.1234567/s", "0.123/s"),
            ("512MB", "512MB"),
            ("mru", "mru"),
        ],
    )
    def test_one(self, text: str, shown: str) -> None:
        """The same time, and a rate to three digits."""
        assert readable(text) == shown

    def test_rates_of_a_list_have_one_unit(self) -> None:
        """Of 5, 10 and 15 a minute none reads as 0.25 a second."""
        assert readable_list(["0.08333333333333333/s", "0.25/s"]) == ["5/min", "15/min"]
