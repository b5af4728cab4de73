"""Percentile p of n values is the ceil(p n)-th smallest, which is one of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdasim.metrics.percentile import percentiles


@pytest.mark.parametrize(
    ("values", "permille", "expected"),
    [
        ([7], [0, 1, 500, 999, 1_000], [7, 7, 7, 7, 7]),
        ([2, 1], [500, 501, 1_000], [1, 2, 2]),
        ([3, 1, 2], [333, 334, 500, 667], [1, 2, 2, 3]),
        (list(range(100, 0, -1)), [10, 500, 900, 950, 990, 999, 1_000], [1, 50, 90, 95, 99, 100, 100]),
        (list(range(1, 1_001)), [999, 1_000], [999, 1_000]),
        ([5, 5, 5, 9], [750, 751], [5, 9]),
    ],
)
def test_by_hand(values: list[int], permille: list[int], expected: list[int]) -> None:
    """No interpolation: a percentile is a value that did occur."""
    assert percentiles(np.array(values), permille) == expected


@given(st.lists(st.integers(0, 20), min_size=1), st.integers(1, 1_000))
def test_against_the_definition(values: list[int], permille: int) -> None:
    """The ceil(p n)-th of the sorted values."""
    expected = sorted(values)[math.ceil(permille * len(values) / 1_000) - 1]
    assert percentiles(np.array(values), [permille]) == [expected]


def test_exact_where_floats_are_not() -> None:
    """0.07 x 100 is 7.000000000000001 in floats; the 7th smallest is meant, not the 8th."""
    assert percentiles(np.arange(1, 101), [70]) == [7]
