"""What CloudWatch would show: AWS's metric names, units and statistics in periods of a minute or another length.

Rules from the Lambda page on metric types (read 2026): counts emit 1 for each event and are summed; invocation metrics
carry the time at which the invocation started; Duration excludes init but includes a suppressed one; a throttled
attempt is no Invocation. MODEL: AWS does not publish how often ConcurrentExecutions is sampled; here it is sampled at
every admission and, while anything is in flight, at the start of each period, so that its maximum is exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import NOT_YET, EventLog
from lambdasim.metrics.async_events import event_ages_ns, is_event
from lambdasim.metrics.cloudwatch_provisioned import provisioned_rows
from lambdasim.metrics.metric_rows import MetricRow, concurrency_samples, count_rows, statistics
from lambdasim.metrics.outcomes import is_error
from lambdasim.metrics.provisioned import provisioned_functions
from lambdasim.metrics.shared_pool import claimed_rows, is_unreserved
from lambdasim.platform.concurrency import ThrottleReason
from lambdasim.scenario.changes import LimitsInForce


def cloudwatch_metrics(log: EventLog, period_ns: int, limits: Sequence[LimitsInForce]) -> list[MetricRow]:
    """Rows by period, then region before functions in file order, then metric; periods with data only.

    ``limits`` says which functions have reserved concurrency when: UnreservedConcurrentExecutions leaves out what
    was admitted by a reservation, or runs on provisioned concurrency.
    """
    rows: list[tuple[int, int, MetricRow]] = []
    has_provisioned = set(provisioned_functions(log))
    for position, (name, inside) in enumerate(_groups(log)):
        found = list(_rows(log, period_ns, name, inside))
        if inside is None:
            found += _account_rows(log, period_ns, limits)
        elif inside in has_provisioned:
            found += provisioned_rows(log, period_ns, name, inside)
        rows += [(row.period_start_ns, position, row) for row in found]
    return [row for _, _, row in sorted(rows, key=lambda item: item[:2])]


def _account_rows(log: EventLog, period_ns: int, limits: Sequence[LimitsInForce]) -> Iterator[MetricRow]:
    """What the functions use and claim of the account's quota, all together."""
    samples = concurrency_samples(log, period_ns, is_unreserved(log, limits))
    yield from statistics("UnreservedConcurrentExecutions", "Count", "", period_ns, *samples)
    yield from claimed_rows(log, period_ns, limits)


def region_metrics(log: EventLog, period_ns: int) -> dict[str, list[MetricRow]]:
    """ConcurrentExecutions, Invocations and Throttles of the whole region by period, as in ``cloudwatch_metrics``."""
    everything = np.ones(len(log.invocations), dtype=np.bool_)
    samples = concurrency_samples(log, period_ns, everything)
    return {
        "ConcurrentExecutions": list(statistics("ConcurrentExecutions", "Count", "", period_ns, *samples)),
        "Invocations": list(count_rows("Invocations", "", period_ns, log.invocations.admitted_ns)),
        "Throttles": list(count_rows("Throttles", "", period_ns, log.throttles.time_ns[_reached_lambda(log)])),
    }


def _reached_lambda(log: EventLog) -> npt.NDArray[np.bool_]:
    """Whether each refused attempt was refused by Lambda; what a gateway refuses is in none of Lambda's metrics."""
    return np.not_equal(log.throttles.reason, ThrottleReason.API_GATEWAY_RATE)


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
    yield from count_rows("Invocations", name, period_ns, started)
    yield from count_rows("Errors", name, period_ns, started[is_error(invocations.result[invoked])])
    yield from count_rows("Throttles", name, period_ns, throttles.time_ns[refused & _reached_lambda(log)])
    yield from _event_rows(log, period_ns, name, function)
    ended = invoked & (invocations.end_ns != NOT_YET)
    duration_ms = (invocations.end_ns[ended] - invocations.handler_ns[ended]) / 1e6
    periods = invocations.admitted_ns[ended] // period_ns
    yield from statistics("Duration", "Milliseconds", name, period_ns, periods, duration_ms)
    samples = concurrency_samples(log, period_ns, invoked)
    yield from statistics("ConcurrentExecutions", "Count", name, period_ns, *samples)


def _event_rows(log: EventLog, period_ns: int, name: str, function: int | None) -> Iterator[MetricRow]:
    """Metrics of asynchronous events: received and dropped when they were, their age whenever one is invoked."""
    included = is_event(log)
    if function is not None:
        included = included & (log.requests.function == function)
    yield from count_rows("AsyncEventsReceived", name, period_ns, log.requests.arrival_ns[included])
    invoked_ns, age_ns = event_ages_ns(log, included)
    yield from statistics("AsyncEventAge", "Milliseconds", name, period_ns, invoked_ns // period_ns, age_ns / 1e6)
    yield from count_rows("AsyncEventsDropped", name, period_ns, log.drops.time_ns[included[log.drops.request]])
    lost = included[log.delivery_failures.request]
    yield from count_rows("DestinationDeliveryFailures", name, period_ns, log.delivery_failures.time_ns[lost])
