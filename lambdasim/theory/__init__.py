"""Closed forms of queueing theory: what a simulation must agree with where theory has an answer.

Belongs here: formulas with their assumptions and sources, in queueing words. Not here: anything that simulates.
Imports nothing else of lambdasim (an oracle that shares code with what it checks checks nothing); used by tests,
reports and planning.

The bridge to the words of AWS: servers = concurrency limit, blocking = throttle ratio, service time = init + duration,
offered load (erlangs) = arrival rate x mean service time = the concurrency wanted on average.
"""

from __future__ import annotations

from lambdasim.theory.arrival_counts import (
    erlang_2_count_variance,
    mmpp_count_mean,
    mmpp_count_variance,
    renewal_count_variance_in_the_long_run,
)
from lambdasim.theory.engset import (
    engset_attempt_rate,
    engset_call_congestion,
    engset_concurrency,
    engset_time_congestion,
)
from lambdasim.theory.erlang import erlang_b, erlang_b_by_load, offered_load_for_blocking, servers_for_blocking
from lambdasim.theory.infinite_server import concurrency_percentile, concurrency_pmf, mean_concurrency
from lambdasim.theory.little import arrival_rate_for, max_request_rate, mean_in_system
from lambdasim.theory.retrial import (
    attempt_blocking,
    first_attempt_blocking,
    mean_attempts,
    mean_in_orbit,
    mean_time_in_orbit_s,
)
from lambdasim.theory.waiting import drain_time_s, erlang_c, mean_wait_s

__all__ = [
    "arrival_rate_for",
    "attempt_blocking",
    "concurrency_percentile",
    "concurrency_pmf",
    "drain_time_s",
    "engset_attempt_rate",
    "engset_call_congestion",
    "engset_concurrency",
    "engset_time_congestion",
    "erlang_2_count_variance",
    "erlang_b",
    "erlang_b_by_load",
    "erlang_c",
    "first_attempt_blocking",
    "max_request_rate",
    "mean_attempts",
    "mean_concurrency",
    "mean_in_orbit",
    "mean_in_system",
    "mean_time_in_orbit_s",
    "mean_wait_s",
    "mmpp_count_mean",
    "mmpp_count_variance",
    "offered_load_for_blocking",
    "renewal_count_variance_in_the_long_run",
    "servers_for_blocking",
]
