"""Windows of time that hold about equally many requests, so that memory is bounded however uneven the traffic."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lambdasim.workload.rate import FloatArray, IntArray, RateProfile, distinct


def window_ends(
    profiles: Sequence[RateProfile], known: Sequence[IntArray], duration_ns: int, requests_per_window: int
) -> list[int]:
    """Ends (ns, rising, the last one is the duration) of windows that start where the one before ended.

    ``known`` are the arrivals of the sources that have no rate. No window is expected to hold many more than
    ``requests_per_window`` requests, except that requests of one instant are never parted.
    """
    marks = [profile.end_ns for profile in profiles] + [times[::requests_per_window] for times in known]
    cuts = distinct(np.concatenate([[0, duration_ns], *marks]).astype(np.int64))
    cuts = cuts[(cuts >= 0) & (cuts <= duration_ns)]
    parts = np.maximum(np.ceil(np.diff(_expected(profiles, known, cuts)) / requests_per_window), 1).astype(int)
    fine = distinct(_split(cuts, parts))
    expected = _expected(profiles, known, fine)
    ends: list[int] = []
    index = 0
    while True:
        # The last time up to which the window holds no more than it should, but at least the next one.
        fits = int(np.searchsorted(expected, expected[index] + requests_per_window, side="right")) - 1
        index = max(fits, index + 1)
        if index >= len(fine) - 1:
            return [*ends, duration_ns]
        ends.append(int(fine[index]))


def _split(cuts: IntArray, parts: npt.NDArray[np.int_]) -> IntArray:
    """Times that cut each interval between neighbouring cuts into so many equal parts, and the last cut."""
    interval = np.repeat(np.arange(len(parts)), parts)
    number = np.arange(len(interval)) - np.repeat(np.cumsum(parts) - parts, parts)
    width = np.diff(cuts) / parts
    return np.append(cuts[interval] + (width[interval] * number).astype(np.int64), cuts[-1])


def _expected(profiles: Sequence[RateProfile], known: Sequence[IntArray], times_ns: IntArray) -> FloatArray:
    """Expected number of requests in [0, t) for each t, over all sources."""
    total = np.zeros(len(times_ns))
    for profile in profiles:
        total += profile.integral(times_ns)
    for times in known:
        total += np.searchsorted(times, times_ns, side="left")
    return total
