"""Provisioned concurrency over time, and what ran on it: what the picture of it draws, as numbers. No matplotlib."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import EventLog
from lambdasim.metrics.levels import integral_at
from lambdasim.platform.provisioned import CapacityCause, SpilloverReason
from lambdasim.report.pictures.time_axis import step_s
from lambdasim.units import NS_PER_S

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
Spans = tuple[IntArray, IntArray]

_MAX_BINS = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityMark:
    """When autoscaling asked for another number of units, or when an allocation failed."""

    at_ns: int
    units: int  # asked for, from then on
    cause: CapacityCause


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationBins:
    """Invocations of one function by the time of their admission, in equal bins. Shape (n_bins,) each."""

    width_ns: int
    provisioned: IntArray
    spilled: dict[SpilloverReason, IntArray]  # those that occur
    on_demand: IntArray  # while no units were asked for
    highest: IntArray  # most of all in any one second of the bin

    @property
    def edges_s(self) -> FloatArray:
        """Edges of the bins, shape (n_bins + 1,)."""
        return np.asarray(np.arange(len(self.highest) + 1) * (self.width_ns / 1e9))

    @property
    def total(self) -> IntArray:
        """All invocations of each bin."""
        return np.asarray(self.provisioned + self.on_demand + sum(self.spilled.values()))


def capacity_marks(log: EventLog, function: int) -> list[CapacityMark]:
    """What autoscaling asked for, and what failed. What the scenario itself sets is no mark."""
    rows = np.flatnonzero(log.capacity.function == function)
    marked = (CapacityCause.SCHEDULED, CapacityCause.TARGET_TRACKING, CapacityCause.INIT_FAILED)
    return [
        CapacityMark(at_ns=at_ns, units=units, cause=CapacityCause(cause))
        for at_ns, units, cause in zip(
            log.capacity.time_ns[rows].tolist(),
            log.capacity.requested[rows].tolist(),
            log.capacity.cause[rows].tolist(),
            strict=True,
        )
        if cause in marked
    ]


def mean_units(at_ns: IntArray, units: IntArray, times_ns: IntArray) -> FloatArray:
    """Units on average from each time until the next; the last mean again at the end. Shape of ``times_ns``.

    ``units`` holds from each instant of ``at_ns`` on, and none before.
    """
    integral = np.diff(integral_at(times_ns, at_ns, units))
    mean = integral / np.maximum(np.diff(times_ns), 1)
    return np.append(mean, mean[-1])


def busy_spans(log: EventLog, function: int) -> tuple[Spans, Spans]:
    """Start and end of the invocations of a function: on provisioned environments, and on demand."""
    mine, provisioned = log.invocations.function == function, log.is_on_provisioned
    start_ns, end_ns = log.invocations.admitted_ns, log.invocations.end_ns
    return (
        (start_ns[mine & provisioned], end_ns[mine & provisioned]),
        (start_ns[mine & ~provisioned], end_ns[mine & ~provisioned]),
    )


def invocation_bins(log: EventLog, function: int) -> InvocationBins:
    """At most 150 bins, of a width that people count in, and of at least a second: the unit of the rate limit."""
    width_ns = max(round(step_s(max(log.end_ns, 1) / 1e9, _MAX_BINS)), 1) * NS_PER_S
    bins = max(-(-log.end_ns // width_ns), 1)
    mine = log.invocations.function == function
    admitted_ns, is_provisioned = log.invocations.admitted_ns[mine], log.is_on_provisioned[mine]

    def counted(times_ns: IntArray) -> IntArray:
        return np.bincount(np.minimum(times_ns // width_ns, bins - 1), minlength=bins)

    ours = log.spillovers.function == function
    times_ns, reasons = log.spillovers.time_ns[ours], log.spillovers.reason[ours]
    spilled = {reason: counted(times_ns[reasons == reason]) for reason in SpilloverReason if (reasons == reason).any()}
    provisioned = counted(admitted_ns[is_provisioned])
    seconds, per_second = np.unique(admitted_ns // NS_PER_S, return_counts=True)
    highest = np.zeros(bins, dtype=np.int64)
    np.maximum.at(highest, np.minimum(seconds * NS_PER_S // width_ns, bins - 1), per_second)
    return InvocationBins(
        width_ns=width_ns,
        provisioned=provisioned,
        spilled=spilled,
        on_demand=counted(admitted_ns) - provisioned - counted(times_ns),
        highest=highest,
    )
