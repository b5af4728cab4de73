"""Engset: a fixed number of callers on few servers, where blocked callers think again before the next attempt.

Belongs here: the closed model without retries, whose callers wait for an answer before they send again. Not here: so
many callers that those in service do not matter (``erlang``). Stands beside the flow: used by tests, reports and
planning, imports none of them.

Each of ``callers`` thinks for a mean of ``mean_think_s``, then makes one attempt. On one of ``servers`` it is served
for a mean of ``mean_service_s``; if all are busy it is blocked. Either way it thinks again afterwards. Everything here
holds for any law of the service time and of the time to think, because it is insensitive to both (Cohen 1957, The
generalized Engset formulae, Philips Telecommunication Review 18). It needs independent callers, no retries and no
limit on the rate of scaling.

Two shares of blocking differ, unlike in Erlang's model: who attempts is not in service, so an attempt sees the system
as the *other* callers alone would have it. Fewer attempts are blocked than the share of time suggests.
"""

from __future__ import annotations

from lambdasim.theory._arguments import require_count, require_not_negative, require_positive


def engset_time_congestion(callers: int, servers: int, *, mean_think_s: float, mean_service_s: float) -> float:
    """Share of time during which all servers are busy; 0 with fewer callers than servers, 1 without servers.

    Stable recursion, O(servers): E(0) = 1, E(n) = x / (n + x) with x = (callers - n + 1) b E(n - 1) and
    b = mean service / mean think.

    Raises ValueError if ``callers`` or ``servers`` is not whole or is negative, if the time to think is not above 0, or
    if the service time is negative; neither may be nan or infinite.
    Source: Engset formula (Kleinrock, Queueing Systems vol. 1, 1975, section 3.9: finite population, m servers, no
    room to wait; recursion: Iversen, Teletraffic Engineering Handbook, ITU-D, chapter on Engset's loss system).
    """
    require_count("callers", callers)
    require_count("servers", servers)
    return _time_congestion(int(callers), int(servers), _load(mean_think_s, mean_service_s))


def engset_call_congestion(callers: int, servers: int, *, mean_think_s: float, mean_service_s: float) -> float:
    """Share of the attempts that are blocked: the throttle ratio of virtual users on a concurrency limit.

    The time congestion of one caller less (arrival theorem), so 0 with no more callers than servers. O(servers).

    Raises ValueError as ``engset_time_congestion`` does, and without callers, because nobody attempts anything then.
    Source: as ``engset_time_congestion``.
    """
    require_count("callers", callers, at_least=1)
    require_count("servers", servers)
    return _time_congestion(int(callers) - 1, int(servers), _load(mean_think_s, mean_service_s))


def engset_concurrency(callers: int, servers: int, *, mean_think_s: float, mean_service_s: float) -> float:
    """Mean number in service, in erlangs: callers x c / (1 + c), c = b x (1 - call congestion), b = service / think.

    A caller goes round: thinking, then perhaps service; c is the mean service time of one round / its time to think.
    O(servers). Raises ValueError as ``engset_call_congestion`` does.
    Source: carried traffic of Engset's loss system (Iversen, as above).
    """
    carried = _carried_load_per_thinker(callers, servers, mean_think_s, mean_service_s)
    return callers * carried / (1.0 + carried)


def engset_attempt_rate(callers: int, servers: int, *, mean_think_s: float, mean_service_s: float) -> float:
    """Attempts per second, blocked ones included: one in each mean time to think of those who are not in service.

    O(servers). Raises ValueError as ``engset_call_congestion`` does. Source: as ``engset_concurrency``.
    """
    carried = _carried_load_per_thinker(callers, servers, mean_think_s, mean_service_s)
    return callers / (1.0 + carried) / mean_think_s


def _load(mean_think_s: float, mean_service_s: float) -> float:
    """Offered load of one thinking caller, in erlangs."""
    require_positive("mean_think_s", mean_think_s)
    require_not_negative("mean_service_s", mean_service_s)
    return mean_service_s / mean_think_s


def _time_congestion(callers: int, servers: int, load: float) -> float:
    if servers > callers:
        return 0.0
    congestion = 1.0
    for n in range(1, servers + 1):
        arriving = (callers - n + 1) * load * congestion
        congestion = arriving / (n + arriving)
    return congestion


def _carried_load_per_thinker(callers: int, servers: int, mean_think_s: float, mean_service_s: float) -> float:
    load = _load(mean_think_s, mean_service_s)
    blocked = engset_call_congestion(callers, servers, mean_think_s=mean_think_s, mean_service_s=mean_service_s)
    return load * (1.0 - blocked)
