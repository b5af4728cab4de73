"""How much provisioned concurrency a run would have used: the figures from which the report sizes it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import NOT_YET, EventLog
from lambdasim.metrics.async_events import is_event
from lambdasim.metrics.levels import levels_after_starts
from lambdasim.metrics.provisioned import Capacity, Increase, capacity_of
from lambdasim.metrics.utilisation import utilisation_points
from lambdasim.platform.provisioned import CapacityCause, SpilloverReason
from lambdasim.scenario.provisioned import POINT_NS, Autoscaling
from lambdasim.units import NS_PER_S

IntArray = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What one function wanted while it asked for provisioned concurrency, wherever it ran."""

    most_in_flight: int
    most_at_work: int  # that would have been in flight if none of them had waited for an init
    most_in_a_second: int  # invocations that began in one whole second, without those that no request rate limits
    late_spillovers: int  # that more units, already asked for, were not ready for


def demand_for(log: EventLog, function: int) -> Demand:
    """The demand of a function that has provisioned concurrency."""
    capacity, invocations = capacity_of(log, function), log.invocations
    mine = invocations.function == function
    admitted, handler, end = invocations.admitted_ns[mine], invocations.handler_ns[mine], invocations.end_ns[mine]
    without_wait = np.where(end == NOT_YET, NOT_YET, admitted + end - handler)
    begun = invocations.admitted_ns[mine & ~_is_event_of(log, function)]
    begun = begun[capacity.requested_at(begun) > 0]
    return Demand(
        most_in_flight=_most(capacity, admitted, end),
        most_at_work=_most(capacity, admitted, without_wait),
        most_in_a_second=int(np.unique(begun // NS_PER_S, return_counts=True)[1].max(initial=0)),
        late_spillovers=int(np.count_nonzero(is_late(log) & (log.spillovers.function == function))),
    )


def _most(capacity: Capacity, start_ns: IntArray, end_ns: IntArray) -> int:
    """The most at once, just after those starts at which any capacity was asked for."""
    starts, levels = levels_after_starts(start_ns, end_ns)
    return int(levels[capacity.requested_at(starts) > 0].max(initial=0))


def _is_event_of(log: EventLog, function: int) -> Flags:
    """Whether each invocation is one of an asynchronous event: of the function that its caller had invoked."""
    request = log.invocations.request
    return np.asarray(is_event(log)[request] & (log.requests.function[request] == function), dtype=np.bool_)


def is_late(log: EventLog) -> Flags:
    """Whether each spillover came for want of units that had been asked for, and were not ready yet."""
    spillovers = log.spillovers
    late = np.zeros(len(spillovers), dtype=np.bool_)
    for function in np.unique(spillovers.function).tolist():
        rows = spillovers.function == function
        capacity = capacity_of(log, function)
        at_ns = spillovers.time_ns[rows]
        late[rows] = capacity.requested_at(at_ns) > capacity.allocated_at(at_ns)
    return np.asarray(late & (spillovers.reason != SpilloverReason.REQUEST_RATE), dtype=np.bool_)


def minutes_above_target(log: EventLog, function: int, scaled: Autoscaling) -> frozenset[int]:
    """The minutes, from 0, in which the utilisation that target tracking looks at was above its target."""
    if scaled.target is None:
        return frozenset()
    points = utilisation_points(log, function, POINT_NS)
    values = points.maximum if scaled.statistic == "maximum" else points.average
    return frozenset((points.start_ns[values > scaled.target] // POINT_NS).tolist())


def above_target_since_ns(above: frozenset[int], one: Increase, scaled: Autoscaling) -> int | None:
    """Since when utilisation had been above the target, minute after minute, when target tracking asked for more."""
    minute = (one.asked_ns - scaled.metric_delay) // POINT_NS - 1
    if one.cause != CapacityCause.TARGET_TRACKING or minute not in above:
        return None
    while minute - 1 in above:
        minute -= 1
    return minute * POINT_NS


def spilled_between(log: EventLog, function: int, from_ns: int, until_ns: int) -> int:
    """How many invocations of a function spilled over in [from, until)."""
    spillovers = log.spillovers
    inside = (spillovers.time_ns >= from_ns) & (spillovers.time_ns < until_ns)
    return int(np.count_nonzero(inside & (spillovers.function == function)))
