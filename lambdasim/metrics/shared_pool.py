"""What reservations and provisioned concurrency claim of the quota over a run, and what is left for all the others.

A function with both claims its reservation only (monitoring-concurrency page, read 2026).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import EventLog
from lambdasim.metrics.levels import level_at, levels_after_starts
from lambdasim.metrics.metric_rows import MetricRow, statistics
from lambdasim.metrics.provisioned import capacity_of, provisioned_functions
from lambdasim.platform.concurrency import shared_pool_limit
from lambdasim.scenario.changes import LimitsInForce

IntArray = npt.NDArray[np.int64]


def limits_over_run(log: EventLog, states: Sequence[LimitsInForce]) -> list[LimitsInForce]:
    """The limits of a scenario, with the provisioned concurrency that was in fact asked for at each time.

    So scaled functions have what they had, where the scenario alone only says how much they may have.
    """
    if not len(log.capacity):
        return [replace(state, provisioned={}) for state in states]
    capacity = log.capacity
    found: list[LimitsInForce] = []
    requested: dict[str, int] = {}
    number = row = 0
    for at_ns in sorted({state.at_ns for state in states} | set(capacity.time_ns.tolist())):
        while number < len(states) and states[number].at_ns <= at_ns:
            number += 1
        while row < len(capacity) and capacity.time_ns[row] <= at_ns:
            requested[log.function_names[capacity.function[row]]] = int(capacity.requested[row])
            row += 1
        in_use = {name: units for name, units in requested.items() if units}
        found.append(replace(states[number - 1], at_ns=at_ns, provisioned=in_use))
    return found


def shared_pool(state: LimitsInForce) -> int:
    """Concurrency for what runs on demand in functions without a reservation."""
    return shared_pool_limit(state.quota, state.reserved.values(), provisioned_of_pool(state).values())


def provisioned_of_pool(state: LimitsInForce) -> dict[str, int]:
    """Provisioned concurrency that is taken from the shared pool: of functions without a reservation."""
    return {name: units for name, units in state.provisioned.items() if name not in state.reserved}


def most_concurrency(states: Sequence[LimitsInForce], function: str, from_ns: int) -> int:
    """The most concurrency that a function may have at any time from ``from_ns`` on.

    That is what it has reserved; or the shared pool, and what it has provisioned.
    """
    until = [state.at_ns for state in states[1:]] + [None]
    return max(
        state.reserved.get(function, shared_pool(state) + state.provisioned.get(function, 0))
        for state, end_ns in zip(states, until, strict=True)
        if end_ns is None or end_ns > from_ns
    )


def is_unreserved(log: EventLog, limits: Sequence[LimitsInForce]) -> npt.NDArray[np.bool_]:
    """Whether each invocation was admitted by the pool that functions share: no reservation, and on demand."""
    from_ns = np.array([state.at_ns for state in limits])
    state = np.searchsorted(from_ns, log.invocations.admitted_ns, side="right") - 1
    has_reserved = np.array([[name in one.reserved for name in log.function_names] for one in limits])
    return ~has_reserved[state, log.invocations.function] & ~log.is_on_provisioned


def claimed_samples(log: EventLog, period_ns: int, limits: Sequence[LimitsInForce]) -> tuple[IntArray, IntArray]:
    """(time, units of the quota that are claimed) at every admission by the shared pool, and whenever it changes size.

    Also at the start of each period, if anything is claimed. A sample is what is claimed just after its instant.
    """
    of_pool = is_unreserved(log, limits)
    admitted, end = log.invocations.admitted_ns[of_pool], log.invocations.end_ns[of_pool]
    starts, levels = levels_after_starts(admitted, end)
    states = limits_over_run(log, limits)
    from_ns = np.array([state.at_ns for state in states])
    kept = np.array([state.quota - shared_pool(state) for state in states])
    others = np.union1d(np.arange(0, log.end_ns + 1, period_ns), from_ns[from_ns <= log.end_ns])
    times = np.concatenate((starts, others))
    units = np.concatenate((levels, level_at(others, admitted, end)))
    units += kept[np.searchsorted(from_ns, times, side="right") - 1] + _outliving(log, limits, times)
    return times[units > 0], units[units > 0]


def _outliving(log: EventLog, limits: Sequence[LimitsInForce], times_ns: IntArray) -> IntArray:
    """Units that the pool lacks at each time though nobody asks for them any more: they work still."""
    from_ns = np.array([state.at_ns for state in limits])
    state = np.searchsorted(from_ns, times_ns, side="right") - 1
    served, units = log.is_on_provisioned, np.zeros(len(times_ns), dtype=np.int64)
    for function in provisioned_functions(log):
        capacity = capacity_of(log, function)
        if not (np.diff(capacity.requested) < 0).any():
            continue
        rows = served & (log.invocations.function == function)
        busy = level_at(times_ns, log.invocations.admitted_ns[rows], log.invocations.end_ns[rows])
        is_of_pool = np.array([log.function_names[function] not in one.reserved for one in limits])
        units += np.maximum(busy - capacity.requested_at(times_ns), 0) * is_of_pool[state]
    return units


def claimed_rows(log: EventLog, period_ns: int, limits: Sequence[LimitsInForce]) -> Iterator[MetricRow]:
    """ClaimedAccountConcurrency: UnreservedConcurrentExecutions and what is reserved or provisioned, used or not.

    MODEL: a change of provisioned concurrency counts from the request on, as it does for the pool; units that are given
    up while they work count until they are free.
    """
    times_ns, units = claimed_samples(log, period_ns, limits)
    metric = "ClaimedAccountConcurrency"
    yield from statistics(metric, "Count", "", period_ns, times_ns // period_ns, units.astype(np.float64))


def peak_claimed(log: EventLog, limits: Sequence[LimitsInForce]) -> tuple[int, int]:
    """The most units of the quota that were ever claimed at once, and the quota that was in force then."""
    times_ns, units = claimed_samples(log, log.end_ns + 1, limits)
    return int(units.max(initial=0)), _quota_at_most(times_ns, units, limits)


def quota_at_peak(log: EventLog, limits: Sequence[LimitsInForce]) -> int:
    """The quota that was in force when most requests were in flight."""
    return _quota_at_most(*levels_after_starts(log.invocations.admitted_ns, log.invocations.end_ns), limits)


def _quota_at_most(times_ns: IntArray, levels: IntArray, limits: Sequence[LimitsInForce]) -> int:
    """The quota in force at the first of the times with the highest level; that at the start where there is no time."""
    at_ns = int(times_ns[levels == levels.max()].min()) if len(levels) else 0
    return [state.quota for state in limits if state.at_ns <= at_ns][-1]
