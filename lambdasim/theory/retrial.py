"""The M/M/1 retrial queue: one server, and blocked requests that come back until they are served.

Belongs here: closed forms for unlimited retries at limit 1. Not here: requests that give up at once (``erlang``), and
several servers or limited retries, which need numerical methods. Stands beside the flow: used by tests.

The model: Poisson arrivals; exponential service with mean ``mean_service_s``; a request that finds the server busy
joins the *orbit* and tries again after exponential delays with mean ``mean_retry_delay_s``, independently of all
others, as often as needed. With s and d for these means, lambda the arrival rate and rho = lambda s, the source gives

    E[orbit] = rho (lambda + rho theta) / ((1 - rho) theta) = lambda rho (s + d) / (1 - rho),   theta = 1 / d,

and the rest follows by Little's law. For d -> 0 it is the queue of M/M/1, rho^2 / (1 - rho).

Every function raises ValueError if the arrival rate is negative, a mean is not positive, one of them is nan or
infinite, or the system is unstable (rho >= 1).
Source: Falin and Templeton, Retrial Queues (1997), chapter 1; Artalejo and Falin, Standard and retrial queueing
systems: a comparative analysis, Revista Matematica Complutense 15 (2002). Checked against the truncated Markov chain in
``tests/theory/test_retrial.py``.
"""

from __future__ import annotations

from lambdasim.theory._arguments import require_not_negative, require_positive


def first_attempt_blocking(arrival_rate: float, mean_service_s: float) -> float:
    """Probability that the first attempt of a request is blocked: the utilisation rho, by PASTA.

    Retries lose no work, so the server is busy for the share rho of the time, whatever the retry delay.
    """
    return _utilisation(arrival_rate, mean_service_s)


def attempt_blocking(arrival_rate: float, mean_service_s: float, mean_retry_delay_s: float) -> float:
    """Share of all attempts, first ones and retries, that are blocked: rho (s + d) / (rho s + d).

    This is the throttle ratio of a log. Over ``first_attempt_blocking``, because retries cluster in the busy times that
    caused them. Each request has exactly one attempt that is not blocked, so the share is 1 - 1 / attempts.
    """
    rho = _utilisation(arrival_rate, mean_service_s)
    require_positive("mean_retry_delay_s", mean_retry_delay_s)
    return rho * (mean_service_s + mean_retry_delay_s) / (rho * mean_service_s + mean_retry_delay_s)


def mean_attempts(arrival_rate: float, mean_service_s: float, mean_retry_delay_s: float) -> float:
    """Mean number of attempts of a request, at least 1: (1 + rho s / d) / (1 - rho).

    A request in orbit retries at rate 1 / d, so this is 1 + (mean time in orbit) / d.
    """
    return 1.0 + mean_time_in_orbit_s(arrival_rate, mean_service_s, mean_retry_delay_s) / mean_retry_delay_s


def mean_in_orbit(arrival_rate: float, mean_service_s: float, mean_retry_delay_s: float) -> float:
    """Mean number of requests that wait for their next retry: lambda rho (s + d) / (1 - rho)."""
    return arrival_rate * mean_time_in_orbit_s(arrival_rate, mean_service_s, mean_retry_delay_s)


def mean_time_in_orbit_s(arrival_rate: float, mean_service_s: float, mean_retry_delay_s: float) -> float:
    """Mean time from first attempt to start of service, over all requests: rho (s + d) / (1 - rho), by Little's law."""
    rho = _utilisation(arrival_rate, mean_service_s)
    require_positive("mean_retry_delay_s", mean_retry_delay_s)
    return rho * (mean_service_s + mean_retry_delay_s) / (1.0 - rho)


def _utilisation(arrival_rate: float, mean_service_s: float) -> float:
    """The share of time the server is busy, after checking that it is less than 1."""
    require_not_negative("arrival_rate", arrival_rate)
    require_positive("mean_service_s", mean_service_s)
    rho = arrival_rate * mean_service_s
    if rho >= 1:
        raise ValueError(f"arrival_rate * mean_service_s must be under 1, or the orbit grows for ever, got {rho:g}")
    return rho
