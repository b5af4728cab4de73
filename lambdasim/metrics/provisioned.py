"""What provisioned concurrency was and did: the block ``provisioned`` of summary.json.

Everything comes from the log: capacity over time, the environments of its invocations, and the spillovers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import NOT_YET, EventLog
from lambdasim.metrics.levels import peak
from lambdasim.platform.provisioned import CapacityCause, SpilloverReason
from lambdasim.units import NS_PER_S

IntArray = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Block = dict[str, Any]


def has_provisioned(log: EventLog) -> bool:
    """Whether any function ever asked for provisioned concurrency."""
    return len(log.capacity) > 0


def provisioned_functions(log: EventLog) -> list[int]:
    """Numbers of the functions that ever asked for some, in file order."""
    return [int(number) for number in np.unique(log.capacity.function)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """Provisioned concurrency over time: units asked for and units ready, from each instant on; none before."""

    at_ns: IntArray  # rising
    requested: IntArray
    allocated: IntArray

    def requested_at(self, times_ns: IntArray) -> IntArray:
        """Units asked for just after each instant. Shape of ``times_ns``."""
        return self._at(self.requested, times_ns)

    def allocated_at(self, times_ns: IntArray) -> IntArray:
        """Units ready just after each instant. Shape of ``times_ns``."""
        return self._at(self.allocated, times_ns)

    def _at(self, units: IntArray, times_ns: IntArray) -> IntArray:
        return np.asarray(np.append(0, units)[np.searchsorted(self.at_ns, times_ns, side="right")], dtype=np.int64)


def capacity_of(log: EventLog, function: int | None) -> Capacity:
    """Provisioned concurrency of one function, or of all together, as it stands when each instant is over."""
    rows = slice(None) if function is None else log.capacity.function == function
    number = log.capacity.function[rows]
    order = np.argsort(number, kind="stable")  # by function, then as they came
    is_first = np.diff(number[order], prepend=-1) != 0
    at_ns, position = np.unique(log.capacity.time_ns[rows][order], return_inverse=True)

    def summed(units: npt.NDArray[np.int32]) -> IntArray:
        of_function = units[rows][order].astype(np.int64)
        change = np.where(is_first, of_function, np.diff(of_function, prepend=0))
        return np.cumsum(np.bincount(position, weights=change, minlength=len(at_ns))).astype(np.int64)

    capacity = log.capacity
    return Capacity(at_ns=at_ns, requested=summed(capacity.requested), allocated=summed(capacity.allocated))


def provisioned_block(log: EventLog, function: int | None, until_ns: int) -> Block:
    """The block of one function, or of all together. Means are time averages over [0, until)."""
    capacity = capacity_of(log, function)
    served = log.is_on_provisioned
    reasons, cold = log.spillovers.reason, is_cold_spillover(log)
    if function is not None:
        served &= log.invocations.function == function
        rows = log.spillovers.function == function
        reasons, cold = reasons[rows], cold[rows]
    admitted, end = log.invocations.admitted_ns[served], log.invocations.end_ns[served]
    busy = _mean_under_way(admitted, end, until_ns)
    allocated = _mean_units(capacity.at_ns, capacity.allocated, until_ns)
    invocations, spilled = len(admitted), len(reasons)
    by_reason = np.bincount(reasons, minlength=len(SpilloverReason))
    functions = provisioned_functions(log) if function is None else [function]
    waits = [one.wait_ns for number in functions for one in increases(log, number) if one.ready_ns is not None]
    return {
        "initial": _initial_units(log, functions),
        "peak_requested": int(capacity.requested.max(initial=0)),
        "peak_allocated": int(capacity.allocated.max(initial=0)),
        "mean_allocated": allocated,
        "peak_busy": peak(admitted, end),
        "mean_busy": busy,
        "utilization": busy / allocated if busy is not None and allocated else None,
        "invocations": invocations,
        "spillovers": spilled,
        "spillover_ratio": spilled / (invocations + spilled) if invocations + spilled else None,
        "spillovers_by_reason": {reason.key: int(by_reason[reason]) for reason in SpilloverReason},
        "spillover_cold_starts": int(np.count_nonzero(cold)),
        "longest_wait_for_ready_s": max(waits) / NS_PER_S if waits else None,
    }


def _initial_units(log: EventLog, functions: list[int]) -> int:
    """Units that some functions had when the run began; what a change asks for at 0 s comes later."""
    configured = log.capacity.cause == CapacityCause.CONFIGURED
    return int(log.capacity.requested[configured & np.isin(log.capacity.function, functions)].sum())


def spilled_rows(log: EventLog, invoked: slice = slice(None), spilled: slice = slice(None)) -> npt.NDArray[np.intp]:
    """Row of the invocation of each spillover, of some rows of either. Both are sorted by (request, attempt)."""
    request, attempt = log.invocations.request[invoked], log.invocations.attempt[invoked]
    scale = int(attempt.max(initial=0)) + 1
    wanted = log.spillovers.request[spilled] * scale + log.spillovers.attempt[spilled]
    return np.searchsorted(request * scale + attempt, wanted)


def is_cold_spillover(log: EventLog) -> Flags:
    """Whether each spillover was a cold start. Shape (n_spillovers,)."""
    return np.asarray(log.invocations.is_cold[spilled_rows(log)], dtype=np.bool_)


def first_spillover(log: EventLog) -> tuple[int, str] | None:
    """(time in ns, function) of the first spillover of the run."""
    if not len(log.spillovers):
        return None
    row = int(np.lexsort((log.spillovers.request, log.spillovers.time_ns))[0])
    return int(log.spillovers.time_ns[row]), log.function_names[log.spillovers.function[row]]


@dataclass(slots=True, kw_only=True)
class Increase:
    """One request for more units, and what came of it."""

    asked_ns: int
    before: int  # units asked for until then
    units: int  # asked for from then on, and that still are
    cause: CapacityCause
    ready_ns: int | None = None  # when so many were ready at last
    has_failed: bool = False

    @property
    def wait_ns(self) -> int:
        """From the request until all of it was ready."""
        assert self.ready_ns is not None, "only once it is ready"
        return self.ready_ns - self.asked_ns


def increases(log: EventLog, function: int) -> list[Increase]:
    """Every request of a function for more during the run, in order; what it began with apart.

    One that is given up in part asks for less from then on; one that is given up as a whole is left out.
    """
    rows = np.flatnonzero(log.capacity.function == function)
    found: list[Increase] = []
    open_ones: list[Increase] = []
    before = 0
    for row in rows.tolist():
        at_ns, cause = int(log.capacity.time_ns[row]), CapacityCause(int(log.capacity.cause[row]))
        requested, allocated = int(log.capacity.requested[row]), int(log.capacity.allocated[row])
        if requested > before and cause != CapacityCause.CONFIGURED:
            open_ones.append(Increase(asked_ns=at_ns, before=before, units=requested, cause=cause))
            found.append(open_ones[-1])
        elif cause == CapacityCause.INIT_FAILED:
            _fail(open_ones, before - requested)
        elif requested < before:
            for one in open_ones:
                one.units = min(one.units, requested)
            given_up = [one for one in open_ones if one.units <= one.before]
            open_ones = [one for one in open_ones if one.units > one.before]
            found = [one for one in found if all(one is not other for other in given_up)]
        for one in open_ones:
            if allocated >= one.units:
                one.ready_ns = at_ns
        open_ones = [one for one in open_ones if one.ready_ns is None and not one.has_failed]
        before = requested
    return found


def _fail(open_ones: list[Increase], units: int) -> None:
    """The request for so many more has failed: those after it are on top of less."""
    failed = next((n for n, one in enumerate(open_ones) if one.units - one.before == units), len(open_ones) - 1)
    for number, one in enumerate(open_ones):
        one.has_failed = one.has_failed or number == failed
        if number > failed:
            one.before -= units
            one.units -= units


def _mean_under_way(start_ns: IntArray, end_ns: IntArray, until_ns: int) -> float | None:
    if not until_ns:
        return None
    end = np.where(end_ns == NOT_YET, until_ns, np.minimum(end_ns, until_ns))
    # Thousands of units over weeks are more nanoseconds than 64 bits hold.
    return float(np.sum(end - np.minimum(start_ns, until_ns), dtype=np.float64)) / until_ns


def _mean_units(at_ns: IntArray, units: IntArray, until_ns: int) -> float | None:
    if not until_ns:
        return None
    width = np.diff(np.append(np.minimum(at_ns, until_ns), until_ns))
    return float(np.dot(units.astype(np.float64), width.astype(np.float64))) / until_ns
