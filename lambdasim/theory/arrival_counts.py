"""How much the number of arrivals in an interval varies, for processes that are more or less even than Poisson.

Belongs here: means and variances of counts of stationary processes. Not here: what the arrivals meet (``erlang`` and
its neighbours). Stands beside the flow: used by tests, imports nothing else of lambdasim.

A Poisson process has variance = mean at any length; what these laws do to headroom shows in the ratio of the two, the
index of dispersion.
"""

from __future__ import annotations

import math

from lambdasim.theory._arguments import require_not_negative, require_positive


def mmpp_count_mean(rates: tuple[float, float], mean_sojourns_s: tuple[float, float], time_s: float) -> float:
    """Mean number of arrivals in an interval of a stationary Markov-modulated Poisson process with two states.

    ``rates`` are the arrivals per second in each state, ``mean_sojourns_s`` how long a visit to each lasts on average.
    Raises ValueError if a rate or the time is negative, or a sojourn not above 0.
    """
    share = _share_of_first(mean_sojourns_s)
    for rate in rates:
        require_not_negative("rates", rate)
    require_not_negative("time_s", time_s)
    return (share * rates[0] + (1 - share) * rates[1]) * time_s


def mmpp_count_variance(rates: tuple[float, float], mean_sojourns_s: tuple[float, float], time_s: float) -> float:
    """Variance of the same number: m t + 2 p1 p2 (r1 - r2)^2 / s x (t - (1 - exp(-s t)) / s), s = 1/S1 + 1/S2.

    The rate is a two-state chain with autocovariance p1 p2 (r1 - r2)^2 exp(-s |u|); the variance of its integral is
    added to the Poisson variance. Raises ValueError as ``mmpp_count_mean``.
    Source: Fischer and Meier-Hellstern, The Markov-modulated Poisson process cookbook, Performance Evaluation 18
    (1993), 149-171.
    """
    mean = mmpp_count_mean(rates, mean_sojourns_s, time_s)
    share = _share_of_first(mean_sojourns_s)
    speed = 1 / mean_sojourns_s[0] + 1 / mean_sojourns_s[1]
    lasting_s = time_s + math.expm1(-speed * time_s) / speed
    return mean + 2 * share * (1 - share) * (rates[0] - rates[1]) ** 2 / speed * lasting_s


def erlang_2_count_variance(time: float) -> float:
    """Variance of the number of renewals in an interval, stationary, gaps Erlang of order 2 with mean 1: cv^2 = 1/2.

    t / 2 + (1 - exp(-4 t)) / 8. Raises ValueError if the time is negative.
    Source: Cox, Renewal Theory (1962), chapter 4, the equilibrium process.
    """
    require_not_negative("time", time)
    return time / 2 - math.expm1(-4 * time) / 8


def renewal_count_variance_in_the_long_run(cv: float, time: float) -> float:
    """What the variance of the number of renewals grows like, for gaps of mean 1: cv^2 t.

    Leaves out a constant, so that it holds for intervals of many gaps. Raises ValueError if ``cv`` is not above 0.
    Source: Cox, Renewal Theory (1962), chapter 4.
    """
    require_positive("cv", cv)
    require_not_negative("time", time)
    return cv**2 * time


def _share_of_first(mean_sojourns_s: tuple[float, float]) -> float:
    """Share of the time that is spent in the first state."""
    for sojourn_s in mean_sojourns_s:
        require_positive("mean_sojourns_s", sojourn_s)
    return mean_sojourns_s[0] / sum(mean_sojourns_s)
