"""M/G/infinity: how many requests are in service at once when none is ever blocked.

Belongs here: the concurrency a workload asks for, before any limit. Not here: limits (``erlang``). Stands beside the
flow: used by tests, reports and planning, imports none of them.

All of it rests on one fact: with Poisson arrivals the stationary number in service is Poisson with mean
``offered_load``, for any law of the service time. Source: Takacs, Introduction to the Theory of Queues (1962).
"""

from __future__ import annotations

import math

import numpy as np

from lambdasim.theory._arguments import require_between_0_and_1, require_count, require_not_negative

# Above this the arrays of `concurrency_percentile` would no longer be small (1.6 million numbers here).
_LARGEST_LOAD = 1e9


def mean_concurrency(arrival_rate: float, mean_service_s: float) -> float:
    """Offered load in erlangs, which is the mean and also the variance of the number in service.

    ``arrival_rate`` is per second, ``mean_service_s`` the mean of init + duration. Raises ValueError if either is
    negative, nan or infinite.
    """
    require_not_negative("arrival_rate", arrival_rate)
    require_not_negative("mean_service_s", mean_service_s)
    return arrival_rate * mean_service_s


def concurrency_pmf(offered_load: float, concurrency: int) -> float:
    """Share of time during which exactly ``concurrency`` requests are in service: the Poisson probability.

    Relative error under 1e-11 near the mean, for loads of 1e6 and more. Raises ValueError if either is negative, nan or
    infinite, or if ``concurrency`` is not whole.
    Source of the form used: Loader, Fast and accurate computation of binomial probabilities (2000), saddle point.
    """
    require_not_negative("offered_load", offered_load)
    require_count("concurrency", concurrency)
    if offered_load == 0:
        return 1.0 if concurrency == 0 else 0.0
    if concurrency < 16:  # the series below is exact to 1e-14 from here on
        return math.exp(concurrency * math.log(offered_load) - offered_load - math.lgamma(concurrency + 1))
    k = float(concurrency)
    excess = (offered_load - k) / k
    # k log(a) - a - log(k!) would subtract numbers of 1e7 at a load of 1e6; this form subtracts small ones.
    log_ratio = math.log1p(excess) if abs(excess) < 0.5 else math.log(offered_load / k)
    r = 1.0 / k**2
    stirling_error = (1 / 12 - (1 / 360 - (1 / 1260 - r / 1680) * r) * r) / k
    return math.exp(-k * (excess - log_ratio) - stirling_error) / math.sqrt(2 * math.pi * k)


def concurrency_percentile(offered_load: float, q: float) -> int:
    """Least k such that at most k requests are in service during a share ``q`` of the time; ``q=0.99`` is the p99.

    Exact up to rounding, also deep in both tails: Poisson weights are walked outwards from the most likely value, then
    added from the nearer tail. O(sqrt(offered_load)) time and memory.

    Raises ValueError if the load is negative, nan or over 1e9, or if ``q`` is not strictly between 0 and 1.
    """
    require_not_negative("offered_load", offered_load)
    if offered_load > _LARGEST_LOAD:
        raise ValueError(f"offered_load must be at most {_LARGEST_LOAD:g} erlangs here, got {offered_load!r}")
    require_between_0_and_1("q", q)
    if offered_load == 0:
        return 0
    mode = math.floor(offered_load)
    deviation = math.sqrt(offered_load)
    # Chernoff bounds: what is cut off below has mass under exp(-800), less than any q; above under exp(-60), less than
    # any 1 - q that a float can hold.
    first = max(0, mode - math.ceil(40 * deviation))
    last = mode + math.ceil(12 * deviation) + 60
    above = np.cumprod(offered_load / np.arange(mode + 1, last + 1))
    below = np.cumprod(np.arange(mode, first, -1) / offered_load)[::-1]
    weights = np.concatenate((below, [1.0], above))  # of first..last, relative to the mode
    total = float(weights.sum())
    if q < 0.5:
        at_most = np.cumsum(weights)
        return first + int(np.searchsorted(at_most, q * total))
    more_than = np.append(np.cumsum(weights[:0:-1])[::-1], 0.0)  # more_than[i]: weight of everything over first + i
    return first + int(np.argmax(more_than <= (1.0 - q) * total))
