"""Erlang B: the loss system M/G/c/c, and its inverses in servers and in load.

Belongs here: blocked requests are lost. Not here: blocked requests that come back (``retrial``) and systems that
never block (``infinite_server``). Stands beside the flow: used by tests, reports and planning, imports none of them.

Two readings of one formula:

- *Reserved pools*: pools that share no servers are independent loss systems. The blocking of pool i is
  ``erlang_b(servers_i, offered_load_i)``, that of all requests together the mean of these, weighted by arrival rate.
  Splitting servers never lowers the blocking of the whole (Smith and Whitt 1981, Bell System Technical Journal 60)
  when the pools have the same mean service time.
- *First choice with overflow* (provisioned concurrency with spillover): the share that overflows a first group of
  ``servers`` is ``erlang_b(servers, offered_load)``, whatever becomes of it afterwards.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from lambdasim.theory._arguments import require_between_0_and_1, require_count, require_not_negative

# Relative width at which the bisection stops: far below what any simulation can tell apart.
_LOAD_TOLERANCE = 1e-12

# A load so many standard deviations below the number of servers has a blocking under 1e-15.
_NEGLIGIBLE_BELOW = 8.0


def erlang_b(servers: int, offered_load: float) -> float:
    """Blocking probability of M/G/c/c: the throttle ratio of an idealised synchronous function.

    ``servers`` is the concurrency limit, ``offered_load`` = arrival rate x mean (init + duration), in erlangs. Holds
    for any law of the service time; needs Poisson arrivals, no retries, no limit on the rate of scaling. With 0 servers
    every request is blocked, also at load 0. Stable recursion, O(servers).

    Raises ValueError if either is negative, nan or infinite, or if ``servers`` is not whole.
    Source: Erlang loss formula (Kleinrock, Queueing Systems vol. 1, 1975, section 3.6, m-server loss system).
    """
    require_count("servers", servers)
    require_not_negative("offered_load", offered_load)
    blocking = 1.0
    for n in range(1, int(servers) + 1):
        blocking = _with_one_more_server(n, offered_load, blocking)
    return blocking


def erlang_b_by_load(servers: int, offered_loads: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """``erlang_b`` at many loads at once, of the shape of ``offered_loads``; what is under 1e-15 may be 0.

    1 / B(c, a) = 1 + c/a + c (c - 1)/a^2 + ... + c!/a^c, the formula's definition turned upside down. All terms are
    positive, so that nothing cancels, and only O(sqrt(servers)) of them count, where the recursion takes a step for
    each server. Same assumptions as ``erlang_b``.

    Raises ValueError if a load is negative, nan or infinite, or if ``servers`` is negative or not whole.
    """
    require_count("servers", servers)
    for extreme in (offered_loads.min(initial=0.0), offered_loads.max(initial=0.0)):
        require_not_negative("offered_load", float(extreme))
    if not servers:
        return np.ones(offered_loads.shape)
    matters = (offered_loads > 0) & (offered_loads > servers - _NEGLIGIBLE_BELOW * math.sqrt(servers))
    load = offered_loads[matters]
    term, total = np.ones(len(load)), np.ones(len(load))
    with np.errstate(over="ignore"):  # of a tiny load the sum is infinite, and its blocking 0
        for left in range(int(servers), 0, -1):
            term *= left / load
            total += term
            # The terms fall from here on wherever they are this small.
            if left % 16 == 0 and (term <= 1e-17 * total).all():
                break
    blocking = np.zeros(offered_loads.shape)
    blocking[matters] = 1 / total
    return blocking


def servers_for_blocking(offered_load: float, target_blocking: float) -> int:
    """Least number of servers whose Erlang B blocking is at most ``target_blocking``; at least 1.

    O(result), which is near ``offered_load`` or, for a loose target, near ``offered_load * (1 - target_blocking)``.
    Same assumptions as ``erlang_b``.

    Raises ValueError if the load is negative, nan or infinite, or the target is not strictly between 0 and 1.
    """
    require_not_negative("offered_load", offered_load)
    require_between_0_and_1("target_blocking", target_blocking)
    servers, blocking = 0, 1.0
    while blocking > target_blocking:
        servers += 1
        blocking = _with_one_more_server(servers, offered_load, blocking)
    return servers


def offered_load_for_blocking(servers: int, target_blocking: float) -> float:
    """Greatest offered load, in erlangs, whose Erlang B blocking on ``servers`` is at most ``target_blocking``.

    Bisection to a relative width of 1e-12, rounded down, so that the target is kept. Same assumptions as ``erlang_b``.

    Raises ValueError if ``servers`` is less than 1 or not whole (0 servers block at every load), or if the target is
    not strictly between 0 and 1.
    """
    require_count("servers", servers, at_least=1)
    require_between_0_and_1("target_blocking", target_blocking)
    # The carried load a * (1 - B) is less than the number of servers, so blocking at `high` is over the target.
    low, high = 0.0, servers / (1.0 - target_blocking)
    while high - low > _LOAD_TOLERANCE * high:
        middle = low + (high - low) / 2
        if middle in (low, high):  # neighbouring floats: only for targets near the smallest float
            break
        if erlang_b(servers, middle) <= target_blocking:
            low = middle
        else:
            high = middle
    return low


def _with_one_more_server(servers: int, offered_load: float, blocking: float) -> float:
    """Blocking with ``servers``, given that of one server less."""
    return offered_load * blocking / (servers + offered_load * blocking)
