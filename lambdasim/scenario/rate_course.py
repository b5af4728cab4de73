"""The rate over time as a line through points: what a constant rate, stages, shapes and pasted load tests become.

Here: the line itself, and how stages and pulses make one. Not here: what users write (``shapes``, ``k6``,
``artillery``), and what is done with the line (``workload.rate``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lambdasim.units import MAX_TIME_NS

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RateCourse:
    """Requests per second: straight between points, jumping where two have one time, constant after the last one.

    Arrays have shape (n_points,); times never fall, and the first one is at most 0.
    """

    time_ns: IntArray
    rate: FloatArray

    @property
    def is_silent(self) -> bool:
        """Whether the rate is 0 at every point, and so all the time."""
        return not self.rate.any()


def constant(rate: float) -> RateCourse:
    """The same rate all the time."""
    return RateCourse(time_ns=np.zeros(1, dtype=np.int64), rate=np.array([rate], dtype=np.float64))


def through_stages(start: float, stages: Iterable[tuple[int, float]]) -> RateCourse:
    """From ``start`` at 0 through stages of (duration in ns, rate at its end), one after the other."""
    times, rates = [0], [start]
    for duration_ns, target in stages:
        times.append(times[-1] + duration_ns)
        rates.append(target)
        if times[-1] > MAX_TIME_NS:  # no run lasts that long, and the sum of more would not fit int64
            break
    return RateCourse(time_ns=np.array(times, dtype=np.int64), rate=np.array(rates, dtype=np.float64))


def pulses(baseline: float, start_ns: IntArray, length_ns: int, height: float) -> RateCourse:
    """``baseline``, and ``height`` more for ``length_ns`` from each start; pulses that overlap add up."""
    edges = np.concatenate(([0], start_ns, start_ns + length_ns))
    rise = np.concatenate(([0], np.ones(len(start_ns), dtype=np.int64), -np.ones(len(start_ns), dtype=np.int64)))
    order = np.argsort(edges, kind="stable")
    # Pulses are counted in whole numbers, so that the rate after the last one is the baseline to the bit.
    after = baseline + height * np.cumsum(rise[order])
    before = np.concatenate(([baseline], after[:-1]))
    return RateCourse(
        time_ns=np.repeat(edges[order], 2).astype(np.int64), rate=np.stack((before, after), axis=1).ravel()
    )
