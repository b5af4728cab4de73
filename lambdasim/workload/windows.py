"""Windows of time that hold about equally many requests, so that memory is bounded however uneven the traffic."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lambdasim.workload.rate import FloatArray, IntArray, RateProfile


def window_ends(
    profiles: Sequence[RateProfile], traces: Sequence[IntArray], duration_ns: int, requests_per_window: int
) -> list[int]:
    """Ends (ns, rising, the last one is the duration) of windows that start where the one before ended.

    No window is expected to hold many more than ``requests_per_window`` requests, except that requests of one
    instant are never parted.
    """
    marks = [profile.end_ns for profile in profiles] + [times[::requests_per_window] for times in traces]
    cuts = np.unique(np.concatenate([[0, duration_ns], *marks]).astype(np.int64))
    cuts = cuts[(cuts >= 0) & (cuts <= duration_ns)]
    parts = np.maximum(np.ceil(np.diff(_expected(profiles, traces, cuts)) / requests_per_window), 1).astype(int)
    fine = np.unique(
        np.concatenate(
            [np.linspace(start, end, n + 1) for start, end, n in zip(cuts[:-1], cuts[1:], parts, strict=True)]
        ).astype(np.int64)
    )
    expected = _expected(profiles, traces, fine)
    ends: list[int] = []
    held = 0.0
    for index in range(1, len(fine) - 1):
        if expected[index + 1] - held > requests_per_window:
            ends.append(int(fine[index]))
            held = float(expected[index])
    return [*ends, duration_ns]


def _expected(profiles: Sequence[RateProfile], traces: Sequence[IntArray], times_ns: IntArray) -> FloatArray:
    """Expected number of requests in [0, t) for each t, over all sources."""
    total = np.zeros(len(times_ns))
    for profile in profiles:
        total += profile.integral(times_ns)
    for times in traces:
        total += np.searchsorted(times, times_ns, side="left")
    return total
