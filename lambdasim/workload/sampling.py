"""How each distribution of a scenario is sampled, in whole blocks. Times are rounded half-even to nanoseconds."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from lambdasim.scenario.distributions import (
    Constant,
    Distribution,
    Empirical,
    Exponential,
    Gamma,
    Lognormal,
    LognormalParameters,
    Mixture,
    Quantiles,
    Uniform,
)
from lambdasim.units import MAX_TIME_NS

# The 99th percentile of the standard normal distribution.
_Z99 = 2.3263478740408408


def sample(distribution: Distribution, generator: np.random.Generator, size: int) -> npt.NDArray[np.int64]:
    """``size`` times in ns, shape (size,), clipped to [0, ten years] so that sums of them fit int64."""
    times = np.rint(_sample(distribution, generator, size))
    return np.clip(times, 0, MAX_TIME_NS).astype(np.int64)


def _sample(distribution: Distribution, generator: np.random.Generator, size: int) -> npt.NDArray[np.float64]:
    match distribution:
        case Constant(constant=value):
            return np.full(size, float(value))
        case Exponential(exponential=parameters):
            return generator.standard_exponential(size) * parameters.mean
        case Lognormal(lognormal=parameters):
            mu, sigma = lognormal_parameters(parameters)
            return np.exp(mu + sigma * generator.standard_normal(size))
        case Gamma(gamma=parameters):
            shape = parameters.cv**-2
            return generator.standard_gamma(shape, size) * (parameters.mean / shape)
        case Uniform(uniform=(low, high)):
            return low + generator.random(size) * (high - low)
        case Empirical():
            samples = np.asarray(distribution.samples_ns, dtype=np.float64)
            return np.take(samples, generator.integers(0, len(samples), size))
        case Quantiles():
            return _interpolated(distribution.points, generator.random(size))
        case Mixture(mixture=parts):
            weights = np.array([part.weight for part in parts])
            choice = np.searchsorted(np.cumsum(weights / weights.sum()), generator.random(size), side="right")
            columns = [_sample(part.distribution, generator, size) for part in parts]
            return np.choose(np.minimum(choice, len(parts) - 1), columns)


def lognormal_parameters(parameters: LognormalParameters) -> tuple[float, float]:
    """Mean and standard deviation of the logarithm of the time in ns."""
    if parameters.p50 is not None:
        mu = math.log(parameters.p50)
        if parameters.p99 is not None:
            return mu, (math.log(parameters.p99) - mu) / _Z99
        return mu, parameters.sigma or 0.0
    sigma = parameters.sigma or 0.0
    return math.log(parameters.mean or 1) - sigma**2 / 2, sigma


def _interpolated(
    points: tuple[tuple[float, int], ...], probability: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Quantile function through ``points``: linear in log time, and plainly linear in a segment that starts at 0."""
    at = np.array([point[0] for point in points])
    times = np.array([float(point[1]) for point in points])
    segment = np.clip(np.searchsorted(at, probability, side="right") - 1, 0, len(at) - 2)
    low, high = times[segment], times[segment + 1]
    fraction = (probability - at[segment]) / (at[segment + 1] - at[segment])
    from_zero = low == 0
    safe_low = np.where(from_zero, 1.0, low)
    safe_high = np.where(from_zero, 1.0, high)
    times_ns: npt.NDArray[np.float64] = np.where(
        from_zero, high * fraction, safe_low * (safe_high / safe_low) ** fraction
    )
    return times_ns
