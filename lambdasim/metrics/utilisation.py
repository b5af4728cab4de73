"""Utilisation of provisioned concurrency, point by point: what CloudWatch shows, and target tracking looks at.

A point needs an invocation of the function while some capacity is ready: AWS emits ProvisionedConcurrencyUtilization
only when there are invocations (monitoring-concurrency page, read 2026). It is ``busy / allocated``. MODEL: the average
of a point is over the time of the point, its maximum the highest at any admission, as in the alarms of the autoscaler.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import EventLog
from lambdasim.metrics.levels import integral_at, level_at, levels_after_starts, step_function
from lambdasim.metrics.provisioned import capacity_of

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class UtilisationPoints:
    """One entry for each point with data, by time. Shape (n_points,) each."""

    start_ns: IntArray
    average: FloatArray
    maximum: FloatArray


def utilisation_points(log: EventLog, function: int, point_ns: int) -> UtilisationPoints:
    """Points of so many ns each, from 0 on; the last one ends with the run."""
    capacity, invocations = capacity_of(log, function), log.invocations
    mine = invocations.function == function
    served = mine & log.is_on_provisioned
    admitted, end = invocations.admitted_ns[served], invocations.end_ns[served]
    starts, busy = levels_after_starts(admitted, end)
    others = invocations.admitted_ns[mine & ~served]
    times = np.concatenate((starts, others))
    busy = np.concatenate((busy, level_at(others, admitted, end)))
    allocated = capacity.allocated_at(times)
    # A point of no length, where the run ends with an admission, has no average.
    counts = (allocated > 0) & (times < log.end_ns)
    number, position = np.unique(times[counts] // point_ns, return_inverse=True)
    maximum = np.zeros(len(number))
    np.maximum.at(maximum, position, busy[counts] / allocated[counts])
    edges = number * point_ns, np.minimum((number + 1) * point_ns, log.end_ns)
    busy_ns = np.subtract(*(integral_at(at_ns, *step_function(admitted, end)) for at_ns in edges[::-1]))
    ready_ns = np.subtract(*(integral_at(at_ns, capacity.at_ns, capacity.allocated) for at_ns in edges[::-1]))
    return UtilisationPoints(start_ns=edges[0], average=busy_ns / ready_ns, maximum=maximum)
