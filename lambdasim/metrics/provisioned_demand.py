"""How much provisioned concurrency a run would have used: the figures from which it is sized."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import NOT_YET, EventLog
from lambdasim.metrics.async_events import is_event
from lambdasim.metrics.levels import levels_after_starts
from lambdasim.metrics.provisioned import Capacity, Increase, capacity_of, provisioned_functions
from lambdasim.metrics.utilisation import utilisation_points
from lambdasim.platform.provisioned import CapacityCause, SpilloverReason
from lambdasim.scenario.fields import UNLIMITED
from lambdasim.scenario.provisioned import POINT_NS, Autoscaling
from lambdasim.scenario.schema import Scenario
from lambdasim.units import NS_PER_S

IntArray = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What one function wanted while it asked for provisioned concurrency, wherever it ran.

    Of a function that never asked for any it is what it wanted during the whole run.
    """

    most_in_flight: int
    most_at_work: int  # that would have been in flight if none of them had waited for an init
    most_in_a_second: int  # invocations that began in one whole second, without those that no request rate limits
    late_spillovers: int  # that more units, already asked for, were not ready for
    first_late_spillover_ns: int | None
    minutes_above_target: frozenset[int]  # from 0; by the utilisation that target tracking looks at

    def units_for_rate(self, per_unit: int | str) -> int:
        """Units that let in the busiest second, each ``per_unit`` requests a second; 0 where that is unlimited."""
        return 0 if per_unit == UNLIMITED else -(-self.most_in_a_second // int(per_unit))

    def units_needed(self, per_unit: int | str) -> int:
        """Units with which hardly anything would have spilled over: by concurrency, and by the request rate."""
        return max(self.most_at_work, self.units_for_rate(per_unit))


def demands(log: EventLog, scenario: Scenario) -> dict[str, Demand]:
    """The demand of each function that ever asked for provisioned concurrency, in file order."""
    names = {number: log.function_names[number] for number in provisioned_functions(log)}
    return {name: demand_for(log, number, scenario.functions[name].autoscaling) for number, name in names.items()}


def demand_for(log: EventLog, function: int, scaled: Autoscaling | None = None) -> Demand:
    """The demand of one function, which ``scaled`` scales."""
    capacity, invocations = capacity_of(log, function), log.invocations
    mine = invocations.function == function
    admitted, handler, end = invocations.admitted_ns[mine], invocations.handler_ns[mine], invocations.end_ns[mine]
    without_wait = np.where(end == NOT_YET, NOT_YET, admitted + end - handler)
    begun = invocations.admitted_ns[mine & ~_is_event_of(log, function)]
    begun = begun[_counts(capacity, begun)]
    late_ns = _late_spillovers_ns(log, function, capacity)
    return Demand(
        most_in_flight=_most(capacity, admitted, end),
        most_at_work=_most(capacity, admitted, without_wait),
        most_in_a_second=int(np.unique(begun // NS_PER_S, return_counts=True)[1].max(initial=0)),
        late_spillovers=len(late_ns),
        first_late_spillover_ns=int(late_ns.min()) if len(late_ns) else None,
        minutes_above_target=frozenset() if scaled is None else _minutes_above_target(log, function, scaled),
    )


def _counts(capacity: Capacity, times_ns: IntArray) -> Flags:
    """Whether any capacity was asked for just after each instant; if it never was, each of them counts."""
    if not len(capacity.at_ns):
        return np.ones(len(times_ns), dtype=np.bool_)
    return np.asarray(capacity.requested_at(times_ns) > 0, dtype=np.bool_)


def _most(capacity: Capacity, start_ns: IntArray, end_ns: IntArray) -> int:
    """The most at once, just after those starts that count."""
    starts, levels = levels_after_starts(start_ns, end_ns)
    return int(levels[_counts(capacity, starts)].max(initial=0))


def _is_event_of(log: EventLog, function: int) -> Flags:
    """Whether each invocation is one of an asynchronous event: of the function that its caller had invoked."""
    request = log.invocations.request
    return np.asarray(is_event(log)[request] & (log.requests.function[request] == function), dtype=np.bool_)


def _late_spillovers_ns(log: EventLog, function: int, capacity: Capacity) -> IntArray:
    """When it spilled over for want of units that had been asked for, and were not ready yet."""
    spillovers = log.spillovers
    rows = (spillovers.function == function) & (spillovers.reason != SpilloverReason.REQUEST_RATE)
    at_ns = spillovers.time_ns[rows]
    is_late = capacity.requested_at(at_ns) > capacity.allocated_at(at_ns)
    return np.asarray(at_ns[is_late], dtype=np.int64)


def _minutes_above_target(log: EventLog, function: int, scaled: Autoscaling) -> frozenset[int]:
    """The minutes, from 0, in which the utilisation that target tracking looks at was above its target."""
    if scaled.target is None:
        return frozenset()
    points = utilisation_points(log, function, POINT_NS)
    values = points.maximum if scaled.statistic == "maximum" else points.average
    return frozenset((points.start_ns[values > scaled.target] // POINT_NS).tolist())


def above_target_since_ns(demand: Demand, one: Increase, scaled: Autoscaling) -> int | None:
    """Since when utilisation had been above the target, minute after minute, when target tracking asked for more."""
    above, minute = demand.minutes_above_target, (one.asked_ns - scaled.metric_delay) // POINT_NS - 1
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
