"""Erlang C: the waiting system M/M/c, in which a request that finds every server busy waits for its turn.

Belongs here: waiting requests are lost neither to a limit nor to impatience. Not here: loss systems (``erlang``).
Stands beside the flow: used by tests, reports and planning, imports none of them.

The reading for Lambda: a queue in front of a function whose mapping has ``servers`` batches of one message at once.
"""

from __future__ import annotations

from lambdasim.theory._arguments import require_count, require_not_negative
from lambdasim.theory.erlang import erlang_b


def erlang_c(servers: int, offered_load: float) -> float:
    """Probability that a request has to wait in M/M/c; 1 where the load is that of all servers or more.

    ``servers`` is the number of batches at once, ``offered_load`` = arrival rate x mean service time, in erlangs. Needs
    Poisson arrivals and exponential service times.

    Raises ValueError if ``servers`` is less than 1 or not whole, or the load is negative, nan or infinite.
    Source: Erlang delay formula (Kleinrock, Queueing Systems vol. 1, 1975, section 3.5).
    """
    require_count("servers", servers, at_least=1)
    require_not_negative("offered_load", offered_load)
    if offered_load >= servers:
        return 1.0
    blocking = erlang_b(servers, offered_load)
    return servers * blocking / (servers - offered_load * (1.0 - blocking))


def mean_wait_s(servers: int, offered_load: float, mean_service_s: float) -> float:
    """Mean time that a request waits in M/M/c, in seconds, over all requests; infinite where servers do not suffice.

    Same assumptions and errors as ``erlang_c``; holds for any order of service that does not look at service times.
    Source: as ``erlang_c``.
    """
    require_not_negative("mean_service_s", mean_service_s)
    waits = erlang_c(servers, offered_load)
    if offered_load >= servers:
        return float("inf")
    return waits * mean_service_s / (servers - offered_load)


def drain_time_s(backlog: float, servers: int, arrival_rate_per_s: float, mean_service_s: float) -> float:
    """How long a large backlog takes to go away, in seconds: backlog over spare capacity; infinite without any.

    A fluid limit: exact to the first order where the backlog is much larger than ``servers``.
    Raises ValueError if an argument is negative, nan or infinite, ``servers`` is not whole, or service takes no time.
    """
    require_not_negative("backlog", backlog)
    require_count("servers", servers, at_least=1)
    require_not_negative("arrival_rate_per_s", arrival_rate_per_s)
    require_not_negative("mean_service_s", mean_service_s)
    if mean_service_s == 0:
        raise ValueError("mean_service_s must be above 0")
    spare_per_s = servers / mean_service_s - arrival_rate_per_s
    return backlog / spare_per_s if spare_per_s > 0 else float("inf")
