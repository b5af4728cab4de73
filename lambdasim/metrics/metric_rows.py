"""Rows of metrics.csv: statistics of samples by period, as CloudWatch has them, and how levels are sampled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import EventLog
from lambdasim.metrics.levels import level_at, levels_after_starts

# CloudWatch's words; a share has the unit None.
Unit = Literal["Count", "Milliseconds", "Seconds", "None"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRow:
    """Statistics of one metric in one period; an empty function means the whole region, or the queue that is named."""

    period_start_ns: int
    function: str
    metric: str
    unit: Unit
    sample_count: int
    sum: float
    average: float
    minimum: float
    maximum: float
    p50: float
    p99: float
    queue: str = ""  # queue or stream; for metrics of a mapping beside the function that it invokes


def statistics(
    metric: str,
    unit: Unit,
    name: str,
    period_ns: int,
    periods: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    queue: str = "",
) -> Iterator[MetricRow]:
    """Statistics of the values in each period that has any; percentile p is the ceil(p n)-th smallest."""
    order = np.lexsort((values, periods))
    periods, values = periods[order], values[order]
    present, first = np.unique(periods, return_index=True)
    for period, part in zip(present.tolist(), np.split(values, first[1:]), strict=False):
        count, total = len(part), float(part.sum())
        yield MetricRow(
            period_start_ns=period * period_ns,
            function=name,
            metric=metric,
            unit=unit,
            sample_count=count,
            sum=total,
            average=total / count,
            minimum=float(part[0]),
            maximum=float(part[-1]),
            p50=float(part[-(-count // 2) - 1]),
            p99=float(part[-(-count * 99 // 100) - 1]),
            queue=queue,
        )


def count_rows(metric: str, name: str, period_ns: int, times_ns: npt.NDArray[np.int64]) -> Iterator[MetricRow]:
    """A metric that emits 1 for each event, by its time."""
    return statistics(metric, "Count", name, period_ns, times_ns // period_ns, np.ones(len(times_ns)))


def concurrency_samples(
    log: EventLog, period_ns: int, included: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Period and value of each sample of the number of these invocations in flight."""
    admitted, end = log.invocations.admitted_ns[included], log.invocations.end_ns[included]
    starts, levels = levels_after_starts(admitted, end)
    boundaries = np.arange(period_ns, log.end_ns + 1, period_ns)
    carried = level_at(boundaries, admitted, end)
    periods = np.concatenate((starts // period_ns, boundaries[carried > 0] // period_ns))
    return periods, np.concatenate((levels, carried[carried > 0])).astype(np.float64)
