"""When the requests of one source come at its rate: Poisson, gamma renewals, evenly spaced. In order, by blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from lambdasim.rng import Purpose, stream
from lambdasim.scenario.arrival_laws import ArrivalLaw, GammaArrivals
from lambdasim.workload.draws import REQUEST_BLOCK
from lambdasim.workload.rate import FloatArray, IntArray, RateProfile


def poisson_arrivals(seed: int, source: str, profile: RateProfile) -> Iterator[IntArray]:
    """Blocks of arrival times of a non-homogeneous Poisson process, non-decreasing.

    Exact, by time change: where a Poisson process of rate 1 has its k-th point, this one has its k-th arrival at the
    time at which the integral of the rate reaches it (Çinlar, Introduction to Stochastic Processes, 1975, ch. 4.7).
    """

    def gaps(block: int) -> FloatArray:
        return stream(seed, Purpose.ARRIVALS, source, 0, block).standard_exponential(REQUEST_BLOCK)

    return _renewals(profile, gaps)


def gamma_arrivals(seed: int, source: str, profile: RateProfile, cv: float) -> Iterator[IntArray]:
    """Blocks of arrival times of a stationary renewal process with gamma gaps, non-decreasing.

    In the time in which the rate is 1, gaps have mean 1 and the coefficient of variation ``cv``. The first one is
    what is left of a gap that was under way, uniform x gamma(k + 1) with k = 1 / cv^2, so that the mean number of
    requests is exactly the integral of the rate (Cox, Renewal Theory, 1962, chapter 5).
    """
    shape = cv**-2

    def gaps(block: int) -> FloatArray:
        drawn = stream(seed, Purpose.ARRIVALS, source, 0, block).standard_gamma(shape, REQUEST_BLOCK)
        if block == 0:
            first = stream(seed, Purpose.ARRIVALS, source, 1, 0)
            drawn[0] = (1 - first.random()) * first.standard_gamma(shape + 1)  # never 0
        return drawn / shape

    return _renewals(profile, gaps)


def _renewals(profile: RateProfile, gaps: Callable[[int], FloatArray]) -> Iterator[IntArray]:
    """Arrivals at the points of a process of rate 1, whose gaps come by number of the block."""
    total = profile.expected_requests
    reached = 0.0
    block = 0
    while reached < total:
        points = reached + np.cumsum(gaps(block))
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


def arrivals(law: ArrivalLaw, seed: int, source: str, profile: RateProfile) -> Iterator[IntArray]:
    """Blocks of the arrival times of a source that has a rate. A modulated source is Poisson at its realised rate."""
    if isinstance(law, GammaArrivals):
        return gamma_arrivals(seed, source, profile, law.gamma.cv)
    return uniform_arrivals(profile) if law == "uniform" else poisson_arrivals(seed, source, profile)


def _before_the_end(profile: RateProfile, points: FloatArray) -> IntArray:
    """Arrival times of points of the unit process; what rounds to the end of the run is not offered."""
    times = profile.inverse_integral(points)
    return np.extract(times < profile.end_ns[-1], times)
