"""The mean of each distribution of a scenario, in closed form; nothing is drawn."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from lambdasim.platform.compute import work_ns
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
from lambdasim.workload.sampling import lognormal_parameters


def mean_ns(distribution: Distribution) -> float:
    """The mean time of a distribution in ns."""
    match distribution:
        case Constant(constant=value):
            return float(value)
        case Exponential(exponential=parameters):
            return float(parameters.mean)
        case Lognormal(lognormal=parameters):
            mu, sigma = lognormal_parameters(parameters)
            return math.exp(mu + sigma**2 / 2)
        case Gamma(gamma=parameters):
            return float(parameters.mean)
        case Uniform(uniform=(low, high)):
            return (low + high) / 2
        case Empirical():
            return sum(distribution.samples_ns) / len(distribution.samples_ns)
        case Quantiles():
            return sum(_segment_ns(*ends) for ends in pairwise(distribution.points))
        case Mixture(mixture=parts):
            weight = sum(part.weight for part in parts)
            return sum(part.weight * mean_ns(part.distribution) for part in parts) / weight


def _segment_ns(low: tuple[float, int], high: tuple[float, int]) -> float:
    """What a stretch between two percentiles adds: linear in log time, plainly linear from 0."""
    (from_share, least), (to_share, most) = low, high
    if least == most or least == 0:
        return (to_share - from_share) * (least + most) / 2
    return (to_share - from_share) * (most - least) / math.log(most / least)


def mean_duration_ns(function: Function) -> float:
    """The mean time that a handler works on a request, in ns; the function's timeout where that is less."""
    if isinstance(function.duration, Work):
        cpu, io = (np.array([round(mean_ns(part))]) for part in (function.duration.cpu, function.duration.io))
        mean = float(work_ns(cpu, io, function.memory, function.duration.threads)[0])
    else:
        mean = mean_ns(function.duration)
    return min(mean, float(function.timeout))
