"""What CloudWatch would show: AWS's metric names, units and statistics in periods of a minute or another length.

Rules from the Lambda page on metric types (read 2026): counts emit 1 for each event and are summed; invocation metrics
carry the time at which the invocation started; Duration excludes init but includes a suppressed one; a throttled
attempt is no Invocation. MODEL: AWS does not publish how often ConcurrentExecutions is sampled; here it is sampled at
every admission and, while anything is in flight, at the start of each period, so that its maximum is exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import NOT_YET, EventLog
from lambdasim.metrics.async_events import event_ages_ns, is_event
from lambdasim.metrics.levels import level_at, levels_after_starts
from lambdasim.metrics.outcomes import is_error
from lambdasim.platform.concurrency import ThrottleReason
from lambdasim.scenario.changes import LimitsInForce

Unit = Literal["Count", "Milliseconds", "Seconds"]


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


def cloudwatch_metrics(log: EventLog, period_ns: int, limits: Sequence[LimitsInForce]) -> list[MetricRow]:
    """Rows by period, then region before functions in file order, then metric; periods with data only.

    ``limits`` says which functions have reserved concurrency when: UnreservedConcurrentExecutions leaves out what
    was admitted by a reservation.
    """
    rows: list[tuple[int, int, MetricRow]] = []
    for position, (name, inside) in enumerate(_groups(log)):
        rows += [(row.period_start_ns, position, row) for row in _rows(log, period_ns, name, inside)]
        if not name:
            samples = _concurrency_samples(log, period_ns, _is_unreserved(log, limits))
            unreserved = statistics("UnreservedConcurrentExecutions", "Count", name, period_ns, *samples)
            rows += [(row.period_start_ns, position, row) for row in unreserved]
    return [row for _, _, row in sorted(rows, key=lambda item: item[:2])]


def region_metrics(log: EventLog, period_ns: int) -> dict[str, list[MetricRow]]:
    """ConcurrentExecutions, Invocations and Throttles of the whole region by period, as in ``cloudwatch_metrics``."""
    everything = np.ones(len(log.invocations), dtype=np.bool_)
    samples = _concurrency_samples(log, period_ns, everything)
    return {
        "ConcurrentExecutions": list(statistics("ConcurrentExecutions", "Count", "", period_ns, *samples)),
        "Invocations": list(_counts("Invocations", "", period_ns, log.invocations.admitted_ns)),
        "Throttles": list(_counts("Throttles", "", period_ns, log.throttles.time_ns[_reached_lambda(log)])),
    }


def _reached_lambda(log: EventLog) -> npt.NDArray[np.bool_]:
    """Whether each refused attempt was refused by Lambda; what a gateway refuses is in none of Lambda's metrics."""
    return np.not_equal(log.throttles.reason, ThrottleReason.API_GATEWAY_RATE)


def _is_unreserved(log: EventLog, limits: Sequence[LimitsInForce]) -> npt.NDArray[np.bool_]:
    """Whether each invocation was admitted by the pool that functions share."""
    from_ns = np.array([state.at_ns for state in limits])
    state = np.searchsorted(from_ns, log.invocations.admitted_ns, side="right") - 1
    has_reserved = np.array([[name in one.reserved for name in log.function_names] for one in limits])
    return ~has_reserved[state, log.invocations.function]


def _groups(log: EventLog) -> Iterator[tuple[str, int | None]]:
    yield "", None
    for number, name in enumerate(log.function_names):
        yield name, number


def _rows(log: EventLog, period_ns: int, name: str, function: int | None) -> Iterator[MetricRow]:
    invocations, throttles = log.invocations, log.throttles
    if function is None:
        invoked, refused = np.ones(len(invocations), dtype=np.bool_), np.ones(len(throttles), dtype=np.bool_)
    else:
        invoked = invocations.function == function
        refused = throttles.function == function
    started = invocations.admitted_ns[invoked]
    yield from _counts("Invocations", name, period_ns, started)
    yield from _counts("Errors", name, period_ns, started[is_error(invocations.result[invoked])])
    yield from _counts("Throttles", name, period_ns, throttles.time_ns[refused & _reached_lambda(log)])
    yield from _event_rows(log, period_ns, name, function)
    ended = invoked & (invocations.end_ns != NOT_YET)
    duration_ms = (invocations.end_ns[ended] - invocations.handler_ns[ended]) / 1e6
    periods = invocations.admitted_ns[ended] // period_ns
    yield from statistics("Duration", "Milliseconds", name, period_ns, periods, duration_ms)
    samples = _concurrency_samples(log, period_ns, invoked)
    yield from statistics("ConcurrentExecutions", "Count", name, period_ns, *samples)


def _event_rows(log: EventLog, period_ns: int, name: str, function: int | None) -> Iterator[MetricRow]:
    """Metrics of asynchronous events: received and dropped when they were, their age whenever one is invoked."""
    included = is_event(log)
    if function is not None:
        included = included & (log.requests.function == function)
    yield from _counts("AsyncEventsReceived", name, period_ns, log.requests.arrival_ns[included])
    invoked_ns, age_ns = event_ages_ns(log, included)
    yield from statistics("AsyncEventAge", "Milliseconds", name, period_ns, invoked_ns // period_ns, age_ns / 1e6)
    yield from _counts("AsyncEventsDropped", name, period_ns, log.drops.time_ns[included[log.drops.request]])
    lost = included[log.delivery_failures.request]
    yield from _counts("DestinationDeliveryFailures", name, period_ns, log.delivery_failures.time_ns[lost])


def _concurrency_samples(
    log: EventLog, period_ns: int, included: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Period and value of each sample of the number in flight."""
    admitted, end = log.invocations.admitted_ns[included], log.invocations.end_ns[included]
    starts, levels = levels_after_starts(admitted, end)
    boundaries = np.arange(period_ns, log.end_ns + 1, period_ns)
    carried = level_at(boundaries, admitted, end)
    periods = np.concatenate((starts // period_ns, boundaries[carried > 0] // period_ns))
    return periods, np.concatenate((levels, carried[carried > 0])).astype(np.float64)


def _counts(metric: str, name: str, period_ns: int, times_ns: npt.NDArray[np.int64]) -> Iterator[MetricRow]:
    return statistics(metric, "Count", name, period_ns, times_ns // period_ns, np.ones(len(times_ns)))


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
