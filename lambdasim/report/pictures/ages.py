"""The age of the oldest of what waits, over time, and the least value of intervals. Knows nothing of matplotlib."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import NOT_YET
from lambdasim.report.pictures.stack import PIXELS, changes_of

IntArray = npt.NDArray[np.int64]

_NEVER_NS = 2**62


def even_times(end_ns: int) -> IntArray:
    """Both ends of the run and the borders of its pixels."""
    return np.linspace(0, end_ns, PIXELS + 1).astype(np.int64)


def age_of_oldest(origin_ns: IntArray, start_ns: IntArray, stop_ns: IntArray, end_ns: int) -> tuple[IntArray, IntArray]:
    """Times and ages in ns, a line to draw: the age, since its origin, of the oldest that is there at each time.

    Each is there from its start until its stop, which may be NOT_YET. With few of them the line is exact; with many it
    holds the highest age of each pixel.
    """
    stays = stop_ns != start_ns
    origin_ns, start_ns, stop_ns = origin_ns[stays], start_ns[stays], stop_ns[stays]
    stop_ns = np.where(stop_ns == NOT_YET, end_ns, stop_ns)
    exact = changes_of([(start_ns, stop_ns)], end_ns)
    times_ns = even_times(end_ns) if exact is None else exact
    cells = len(times_ns) - 1
    first = np.searchsorted(times_ns, start_ns, side="right") - 1
    last = np.searchsorted(times_ns, stop_ns, side="right") - 1
    oldest_ns = least_between(origin_ns, first, last, cells=cells, missing=_NEVER_NS)
    is_empty = oldest_ns == _NEVER_NS
    at_end = np.where(is_empty, 0, times_ns[1:] - oldest_ns)
    at_start = np.where(is_empty, 0, times_ns[:-1] - oldest_ns)
    if exact is None:
        np.maximum.at(at_end, np.minimum(last, cells - 1), stop_ns - origin_ns)
        at_start = at_end
    line_times = np.column_stack((times_ns[:-1], times_ns[1:])).ravel()
    return line_times, np.column_stack((at_start, at_end)).ravel()


def least_between(
    values: IntArray, first: IntArray, last: IntArray, *, cells: int, missing: int
) -> npt.NDArray[np.int64]:
    """The least value of all intervals of cells [first, last) that cover a cell. Shape (cells,), ``missing`` in none.

    An interval is two overlapping blocks of a power of two of cells. So each is written once into the table of its
    block length, and the tables are handed down from the longest blocks to single cells.
    """
    covers = last > first
    values, first, last = values[covers], first[covers], last[covers]
    power = np.frexp((last - first).astype(np.float64))[1] - 1
    levels = int(power.max(initial=0)) + 1
    table = np.full((levels, cells), missing, dtype=np.int64)
    np.minimum.at(table, (power, first), values)
    np.minimum.at(table, (power, last - (1 << power)), values)
    for level in range(levels - 1, 0, -1):
        half = 1 << (level - 1)
        np.minimum(table[level - 1], table[level], out=table[level - 1])
        np.minimum(table[level - 1, half:], table[level, :-half], out=table[level - 1, half:])
    return np.asarray(table[0])
