"""The offered rate over time as a piecewise-linear function, with its integral and the exact inverse of that."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from lambdasim.scenario.rate_course import RateCourse
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

    @property
    def mean(self) -> float:
        """The mean rate over the whole profile."""
        return self.expected_requests / (int(self.end_ns[-1]) / NS_PER_S)

    def peak(self) -> tuple[float, int]:
        """The highest rate, and the first time (ns) at which it is reached."""
        rates = np.stack((self.start_rate, self.end_rate), axis=1).ravel()
        first = int(np.argmax(rates))
        segment, is_end = divmod(first, 2)
        return float(rates[first]), int((self.end_ns if is_end else self.start_ns)[segment])

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
        slope = self.slope(segment)
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
        root = np.sqrt(np.maximum(rate**2 + 2 * self.slope(segment) * excess, 0.0))
        offset_s = 2 * excess / (rate + root)
        offset_ns = np.rint(offset_s * NS_PER_S).astype(np.int64)
        reached: IntArray = np.minimum(self.start_ns[segment] + offset_ns, self.end_ns[segment])
        return reached

    def split(self, times_ns: IntArray) -> RateProfile:
        """The same rate, with the segments parted at these times too."""
        start_ns = distinct(np.concatenate((self.start_ns, times_ns[(times_ns > 0) & (times_ns < self.end_ns[-1])])))
        end_ns = np.append(start_ns[1:], self.end_ns[-1])
        segment = np.searchsorted(self.start_ns, start_ns, side="right") - 1
        slope, rate = self.slope(segment), self.start_rate[segment]
        return RateProfile(
            start_ns=start_ns,
            end_ns=end_ns,
            start_rate=rate + slope * ((start_ns - self.start_ns[segment]) / NS_PER_S),
            end_rate=rate + slope * ((end_ns - self.start_ns[segment]) / NS_PER_S),
        )

    def scaled(self, from_ns: IntArray, factors: FloatArray) -> RateProfile:
        """The rate times a factor, each in force from its time on (non-decreasing, the first one at most 0)."""
        parted = self.split(from_ns)
        factor = factors[np.searchsorted(from_ns, parted.start_ns, side="right") - 1]
        return replace(parted, start_rate=parted.start_rate * factor, end_rate=parted.end_rate * factor)

    def slope(self, segment: npt.NDArray[np.intp]) -> FloatArray:
        """Change of the rate in each of these segments, per second squared."""
        length_s = (self.end_ns[segment] - self.start_ns[segment]) / NS_PER_S
        return np.asarray((self.end_rate[segment] - self.start_rate[segment]) / length_s)


def distinct(times_ns: IntArray) -> IntArray:
    """The times in order, each once. As np.unique, which hashes millions of times for seconds."""
    ordered = np.sort(times_ns, kind="stable")  # the parts are sorted mostly, which this kind makes use of
    return ordered[np.diff(ordered, prepend=ordered[0] - 1) > 0]


def rate_profile(source: TrafficSource, duration_ns: int) -> RateProfile:
    """Rate of one source over [0, duration)."""
    return profile_of(source.rate_course(duration_ns), duration_ns)


def profile_of(course: RateCourse, duration_ns: int) -> RateProfile:
    """What a course has within [0, duration); after its last point the rate stays."""
    time_ns = np.append(course.time_ns, max(course.time_ns[-1], duration_ns))
    rate = np.append(course.rate, course.rate[-1])
    inside = (np.diff(time_ns) > 0) & (time_ns[1:] > 0) & (time_ns[:-1] < duration_ns)
    from_ns, to_ns = time_ns[:-1][inside], time_ns[1:][inside]
    start_ns, end_ns = np.maximum(from_ns, 0), np.minimum(to_ns, duration_ns)
    from_rate = rate[:-1][inside]
    rise, length_ns = rate[1:][inside] - from_rate, to_ns - from_ns
    return RateProfile(
        start_ns=start_ns,
        end_ns=end_ns,
        start_rate=from_rate + rise * (start_ns - from_ns) / length_ns,
        # A fall to 0 must not end below it by a rounding.
        end_rate=np.maximum(from_rate + rise * (end_ns - from_ns) / length_ns, 0.0),
    )
