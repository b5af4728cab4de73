"""How many at a time: concurrency and live environments over time, from starts and ends.

At one instant ends come before starts: what is released at t is usable at t.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import NOT_YET

IntArray = npt.NDArray[np.int64]


def levels_after_starts(start_ns: IntArray, end_ns: IntArray) -> tuple[IntArray, IntArray]:
    """Sorted starts, and how many are under way just after each. Shape (n,) each; an end may be NOT_YET."""
    starts = np.sort(start_ns)
    ends = np.sort(end_ns[end_ns != NOT_YET])
    return starts, np.arange(1, len(starts) + 1) - np.searchsorted(ends, starts, side="right")


def peak(start_ns: IntArray, end_ns: IntArray) -> int:
    """The most that were ever under way at once."""
    _, levels = levels_after_starts(start_ns, end_ns)
    return int(levels.max(initial=0))


def level_at(times_ns: IntArray, start_ns: IntArray, end_ns: IntArray) -> IntArray:
    """How many are under way just before the starts of each instant, and after its ends. Shape of ``times_ns``."""
    ends = np.sort(end_ns[end_ns != NOT_YET])
    begun = np.searchsorted(np.sort(start_ns), times_ns, side="left")
    return np.asarray(begun - np.searchsorted(ends, times_ns, side="right"), dtype=np.int64)


def step_function(start_ns: IntArray, end_ns: IntArray) -> tuple[IntArray, IntArray]:
    """Instants at which the number under way changes, rising, and the number from each instant on.

    What falls at one instant is one change, so that a slot handed on at once leaves no dip.
    """
    ends = end_ns[end_ns != NOT_YET]
    times = np.concatenate((start_ns, ends))
    change = np.concatenate((np.ones(len(start_ns), dtype=np.int64), -np.ones(len(ends), dtype=np.int64)))
    instants, position = np.unique(times, return_inverse=True)
    level = np.cumsum(np.bincount(position, weights=change, minlength=len(instants))).astype(np.int64)
    return instants, level


def time_integral(start_ns: IntArray, end_ns: IntArray, until_ns: int) -> int:
    """Integral over [0, until) of the number under way, in ns; an end that is NOT_YET lies after it."""
    end = np.where(end_ns == NOT_YET, until_ns, np.minimum(end_ns, until_ns))
    return int(np.sum(end - np.minimum(start_ns, until_ns)))


def integral_at(times_ns: IntArray, instants_ns: IntArray, level: IntArray) -> IntArray:
    """Integral in ns from 0 until each time of a level that is ``level`` from each rising instant on, and 0 before.

    Modulo 2**64, so that the difference of two is exact however long the run is.
    """
    edges, levels = np.append(0, instants_ns), np.append(0, level)
    before = np.append(0, np.cumsum(levels[:-1] * np.diff(edges)))
    row = np.searchsorted(instants_ns, times_ns, side="right")
    return np.asarray(before[row] + levels[row] * (times_ns - edges[row]), dtype=np.int64)
