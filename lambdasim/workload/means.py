"""The mean of each distribution of a scenario in closed form, also of what a timeout leaves of it."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from lambdasim.platform.compute import work_ns
from lambdasim.rng import Purpose, stream
from lambdasim.scenario.distributions import (
    Constant,
    Distribution,
    Empirical,
    Exponential,
    Gamma,
    Lognormal,
    Mixture,
    Quantiles,
    Uniform,
)
from lambdasim.scenario.schema import Function
from lambdasim.scenario.work import Work
from lambdasim.units import NS_PER_S
from lambdasim.workload.sampling import lognormal_parameters, sample

# Where the sum of two random times meets a timeout, the shorter one is taken at so many points of its distribution.
_DRAWS, _POINTS = 4_096, 128
# Relative error at which the series of the gamma distribution ends.
_PRECISION = 1e-15


def mean_ns(distribution: Distribution, at_most_ns: float = math.inf) -> float:
    """The mean of min(time, ``at_most_ns``) in ns, of a time of the distribution."""
    match distribution:
        case Constant(constant=value):
            return min(float(value), at_most_ns)
        case Exponential(exponential=parameters):
            return -parameters.mean * math.expm1(-at_most_ns / parameters.mean)
        case Lognormal(lognormal=parameters):
            return _lognormal_ns(*lognormal_parameters(parameters), at_most_ns)
        case Gamma(gamma=parameters):
            return _gamma_ns(parameters.mean, parameters.cv**-2, at_most_ns)
        case Uniform(uniform=(low, high)):
            return _stretch_ns((0.0, low), (1.0, high), at_most_ns, is_logarithmic=False)
        case Empirical():
            return float(np.minimum(distribution.samples_ns, at_most_ns).mean())
        case Quantiles():
            return sum(_stretch_ns(*ends, at_most_ns, is_logarithmic=True) for ends in pairwise(distribution.points))
        case Mixture(mixture=parts):
            weight = sum(part.weight for part in parts)
            return sum(part.weight * mean_ns(part.distribution, at_most_ns) for part in parts) / weight


def _lognormal_ns(mu: float, sigma: float, at_most_ns: float) -> float:
    """The mean of a time up to the limit, and the limit for those that are longer."""
    if sigma == 0:
        return min(math.exp(mu), at_most_ns)
    mean = math.exp(mu + sigma**2 / 2)
    if math.isinf(at_most_ns) or at_most_ns <= 0:
        return max(min(mean, at_most_ns), 0.0)
    z = (math.log(at_most_ns) - mu) / sigma
    return mean * _normal_below(z - sigma) + at_most_ns * _normal_below(-z)


def _normal_below(z: float) -> float:
    """The share of the standard normal distribution that lies below z."""
    return math.erfc(-z / math.sqrt(2)) / 2


def _gamma_ns(mean: float, shape: float, at_most_ns: float) -> float:
    """As for the lognormal: times up to the limit have the distribution of one more stage of the shape."""
    if math.isinf(at_most_ns):
        return float(mean)
    if at_most_ns <= 0:
        return 0.0
    x = at_most_ns * shape / mean
    below = _gamma_below(shape, x)
    one_more = below - math.exp(shape * math.log(x) - x - math.lgamma(shape + 1))
    return max(mean * one_more, 0.0) + at_most_ns * (1 - below)


def _gamma_below(shape: float, x: float) -> float:
    """The share of the gamma distribution of scale 1 that lies below x > 0.

    Source: Abramowitz and Stegun, Handbook of Mathematical Functions (1964), 6.5.29 and, for the other tail, the
    continued fraction 6.5.31.
    """
    weight = math.exp(shape * math.log(x) - x - math.lgamma(shape))
    if x < shape + 1:
        term = total = 1 / shape
        n = shape
        while term > _PRECISION * total:
            n += 1
            term *= x / n
            total += term
        return weight * total
    # By Lentz's way, from the front: the next approximation is the one before times a factor that goes to 1.
    b = x + 1 - shape
    c, d = math.inf, 1 / b
    tail, factor, n = d, 0.0, 0
    while abs(factor - 1) > _PRECISION and n < 100_000:
        n += 1
        a = n * (shape - n)
        b += 2
        d = 1 / (a * d + b)
        c = b + a / c
        factor = c * d
        tail *= factor
    return 1 - weight * tail


def _stretch_ns(
    low: tuple[float, float], high: tuple[float, float], at_most_ns: float, *, is_logarithmic: bool
) -> float:
    """What a stretch between two (share, time) adds to the mean: linear in time or in its logarithm; 0 has none."""
    (from_share, least), (to_share, most) = low, high
    share = to_share - from_share
    if at_most_ns <= least or least == most:
        return share * min(least, at_most_ns)
    is_straight = least == 0 or not is_logarithmic
    if at_most_ns < most:
        of_it = (at_most_ns - least) / (most - least)
        if not is_straight:
            of_it = math.log(at_most_ns / least) / math.log(most / least)
        until = (from_share + of_it * share, at_most_ns)
        return _stretch_ns(low, until, math.inf, is_logarithmic=is_logarithmic) + (1 - of_it) * share * at_most_ns
    return share * ((least + most) / 2 if is_straight else (most - least) / math.log(most / least))


def mean_duration_ns(function: Function) -> float:
    """The mean time that a handler works on a request, in ns, at most the function's timeout each time."""
    if isinstance(function.duration, Work):
        return _mean_work_ns(function.duration, function.memory, function.timeout)
    return mean_ns(function.duration, function.timeout)


def _mean_work_ns(work: Work, memory_mb: int, timeout_ns: int) -> float:
    """The mean of min(cpu + io, timeout): the sum of the means, without the mean of what the timeout cuts off."""
    second = np.array([NS_PER_S])
    slower = float(work_ns(second, second * 0, memory_mb, work.threads)[0]) / NS_PER_S
    cpu_ns, io_ns = mean_ns(work.cpu), mean_ns(work.io)
    if isinstance(work.io, Constant):  # the one that is spread out can be the one in closed form
        return slower * mean_ns(work.cpu, max(timeout_ns - io_ns, 0) / slower) + min(io_ns, timeout_ns)
    busy_ns = slower * _points_ns(work.cpu)
    cut = sum(
        io_ns - mean_ns(work.io, timeout_ns - busy) if busy < timeout_ns else busy + io_ns - timeout_ns
        for busy in busy_ns.tolist()
    )
    return slower * cpu_ns + io_ns - cut / len(busy_ns)


def _points_ns(distribution: Distribution) -> npt.NDArray[np.float64]:
    """Times that stand for a distribution, each as likely as the others: means of equal parts of many draws."""
    if isinstance(distribution, Constant):
        return np.array([float(distribution.constant)])
    drawn = sample(distribution, stream(0, Purpose.DURATION, "", 0, 0), _DRAWS)
    return np.asarray(np.sort(drawn).reshape(_POINTS, -1).mean(axis=1))
