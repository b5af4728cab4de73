"""When the requests of one source come: exact Poisson, evenly spaced, or recorded. In order, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from lambdasim.rng import Purpose, stream
from lambdasim.workload.draws import REQUEST_BLOCK
from lambdasim.workload.rate import FloatArray, IntArray, RateProfile


def poisson_arrivals(seed: int, source: str, profile: RateProfile) -> Iterator[IntArray]:
    """Blocks of arrival times of a non-homogeneous Poisson process, non-decreasing.

    Exact, by time change: where a Poisson process of rate 1 has its k-th point, this one has its k-th arrival at the
    time at which the integral of the rate reaches it (Çinlar, Introduction to Stochastic Processes, 1975, ch. 4.7).
    """
    total = profile.expected_requests
    reached = 0.0
    block = 0
    while reached < total:
        gaps = stream(seed, Purpose.ARRIVALS, source, 0, block).standard_exponential(REQUEST_BLOCK)
        points = reached + np.cumsum(gaps)
        reached = float(points[-1])
        block += 1
        yield _before_the_end(profile, points[points < total])


def uniform_arrivals(profile: RateProfile) -> Iterator[IntArray]:
    """Blocks of evenly spaced arrival times: the k-th (from 0) where the integral of the rate reaches k + 1/2."""
    total = profile.expected_requests
    first = 0
    while first + 0.5 <= total:
        points = np.arange(first, first + REQUEST_BLOCK, dtype=np.float64) + 0.5
        first += REQUEST_BLOCK
        yield _before_the_end(profile, points[points <= total])


def arrivals(law: Literal["poisson", "uniform"], seed: int, source: str, profile: RateProfile) -> Iterator[IntArray]:
    """Blocks of the arrival times of a source that has a rate."""
    return uniform_arrivals(profile) if law == "uniform" else poisson_arrivals(seed, source, profile)


def _before_the_end(profile: RateProfile, points: FloatArray) -> IntArray:
    """Arrival times of points of the unit process; what rounds to the end of the run is not offered."""
    times = profile.inverse_integral(points)
    return np.extract(times < profile.end_ns[-1], times)
