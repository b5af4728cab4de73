"""The offered rate over time as a piecewise-linear function, with its integral and the exact inverse of that."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from lambdasim.scenario.traffic import TrafficSource
from lambdasim.units import NS_PER_S

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class RateProfile:
    """Requests per second over [0, duration), linear within each segment; jumps lie between segments.

    Arrays have shape (n_segments,) and the segments follow each other without gaps.
    """

    start_ns: IntArray
    end_ns: IntArray
    start_rate: FloatArray
    end_rate: FloatArray
    expected_before: FloatArray = field(init=False)  # the integral of the rate up to each segment's start
    expected_after: FloatArray = field(init=False)  # and up to its end

    def __post_init__(self) -> None:
        length_s = (self.end_ns - self.start_ns) / NS_PER_S
        after = np.cumsum((self.start_rate + self.end_rate) / 2 * length_s)
        object.__setattr__(self, "expected_after", after)
        object.__setattr__(self, "expected_before", np.concatenate(([0.0], after[:-1])))

    @property
    def expected_requests(self) -> float:
        """The integral of the rate over the whole profile."""
        return float(self.expected_after[-1])

    def rate_at(self, times_ns: IntArray) -> FloatArray:
        """Requests per second at each time; at a jump, the rate after it; 0 outside the profile."""
        segment = np.searchsorted(self.end_ns, times_ns, side="right")
        inside = (segment < len(self.end_ns)) & (times_ns >= 0)
        segment = np.minimum(segment, len(self.end_ns) - 1)
        fraction = (times_ns - self.start_ns[segment]) / (self.end_ns[segment] - self.start_ns[segment])
        rate = self.start_rate[segment] + fraction * (self.end_rate[segment] - self.start_rate[segment])
        return np.where(inside, rate, 0.0)

    def integral(self, times_ns: IntArray) -> FloatArray:
        """Expected number of requests in [0, t) for each t."""
        clipped = np.clip(times_ns, 0, self.end_ns[-1])
        segment = np.minimum(np.searchsorted(self.end_ns, clipped, side="left"), len(self.end_ns) - 1)
        offset_s = (clipped - self.start_ns[segment]) / NS_PER_S
        slope = self._slope()[segment]
        partial = self.start_rate[segment] * offset_s + slope * offset_s**2 / 2
        return np.asarray(self.expected_before[segment] + partial, dtype=np.float64)

    def inverse_integral(self, expected: FloatArray) -> IntArray:
        """First time (ns, rounded half-even) at which the integral reaches each value; values lie in (0, total].

        Within a segment it solves r t + s t^2 / 2 = d for t in the form 2 d / (r + sqrt(r^2 + 2 s d)), which
        neither cancels nor divides by a slope of zero.
        """
        segment = np.minimum(np.searchsorted(self.expected_after, expected, side="left"), len(self.end_ns) - 1)
        excess = expected - self.expected_before[segment]
        rate = self.start_rate[segment]
        root = np.sqrt(np.maximum(rate**2 + 2 * self._slope()[segment] * excess, 0.0))
        offset_s = 2 * excess / (rate + root)
        offset_ns = np.rint(offset_s * NS_PER_S).astype(np.int64)
        reached: IntArray = np.minimum(self.start_ns[segment] + offset_ns, self.end_ns[segment])
        return reached

    def _slope(self) -> FloatArray:
        return np.asarray((self.end_rate - self.start_rate) / ((self.end_ns - self.start_ns) / NS_PER_S))


def rate_profile(source: TrafficSource, duration_ns: int) -> RateProfile:
    """Rate of one source over [0, duration): its stages one after the other, cut at the end, then the last target."""
    rate, stages = source.rate_stages()
    segments: list[tuple[int, int, float, float]] = []
    now = 0
    for stage in stages:
        end = min(now + stage.duration, duration_ns)
        if end > now:
            reached = rate + (stage.target - rate) * (end - now) / stage.duration
            segments.append((now, end, rate, reached))
        now = end
        rate = stage.target
    if now < duration_ns:
        segments.append((now, duration_ns, rate, rate))
    start_ns, end_ns, start_rate, end_rate = zip(*segments, strict=True)
    return RateProfile(
        start_ns=np.array(start_ns, dtype=np.int64),
        end_ns=np.array(end_ns, dtype=np.int64),
        start_rate=np.array(start_rate, dtype=np.float64),
        end_rate=np.array(end_rate, dtype=np.float64),
    )
