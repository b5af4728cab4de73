"""What CloudWatch would show of queues and event source mappings: names, units and rules of AWS.

Sources, read 2026-08: the SQS guide's page on available CloudWatch metrics (what each counts, when it is reported, that
a message received three times or more no longer counts in ApproximateAgeOfOldestMessage of a standard queue, and that
the age starts again in a dead-letter queue); its page on dead-letter queues, section "The NumberOfMessagesSent and
NumberOfMessagesReceived for a dead-letter queue don't match" (a message that the redrive policy moves there is not in
NumberOfMessagesSent); Lambda's page on types of metrics (event source mapping metrics: throttled and failed tries count
again in InvokedEventCount, FailedInvokeEventCount has the time of the end, DroppedEventCount leaves out what expires in
the stream and what goes to an on-failure destination; IteratorAge is that of the last record of the event).

MODEL: gauges of a queue are sampled once a period, at its end, and at the end of the run; AWS says only that they are
approximate. From its first message on a queue counts as active. Messages that are moved back out of a dead-letter queue
are counted in NumberOfMessagesSent, as AWS calls them new messages.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import NOT_YET, EventLog, MessageOutcome
from lambdasim.metrics.batches import NO_BATCH, BatchRows, batch_rows
from lambdasim.metrics.cloudwatch import cloudwatch_metrics
from lambdasim.metrics.message_history import (
    deliveries_of,
    hidden_until_ns,
    iterator_ages_ns,
    nth_received_ns,
    previous_outcomes,
)
from lambdasim.metrics.metric_rows import MetricRow, Unit, statistics
from lambdasim.metrics.outcomes import is_error
from lambdasim.platform.event_sources import QueueMappingSpec, QueueSpec, StreamSpec, queue_specs, stream_specs
from lambdasim.scenario.schema import Scenario
from lambdasim.units import NS_PER_S

IntArray = npt.NDArray[np.int64]

# A message that was received so often does not count in the age of the oldest.
_TOO_OFTEN = 3


def all_metrics(log: EventLog, period_ns: int, scenario: Scenario) -> list[MetricRow]:
    """``cloudwatch_metrics``, and in each period after the functions the queues and streams, in file order.

    A row of a mapping has the names of both its function and its queue; one of a queue itself has no function.
    """
    rows = cloudwatch_metrics(log, period_ns, scenario.limits_in_force())
    if not log.queue_names:
        return rows
    joined, previous = batch_rows(log), previous_outcomes(log)
    ages = list(_iterator_ages(log, joined, period_ns, scenario))
    of_functions = {name: position for position, name in enumerate(("", *log.function_names))}
    placed = [(row.period_start_ns, of_functions[row.function], row) for row in (*rows, *ages)]
    found: list[tuple[int, MetricRow]] = []
    for queue, spec in enumerate(queue_specs(scenario)):
        found += [(queue, row) for row in _queue_rows(log, period_ns, queue, spec, previous)]
        if spec.mapping is not None:
            found += [(queue, row) for row in _mapping_rows(log, joined, period_ns, queue, spec.mapping)]
    for queue, stream in enumerate(stream_specs(scenario), len(scenario.queues)):
        found += [(queue, row) for row in _mapping_rows(log, joined, period_ns, queue, stream)]
    placed += [(row.period_start_ns, len(of_functions) + queue, row) for queue, row in found]
    return [row for _, _, row in sorted(placed, key=lambda item: item[:2])]


def _rows(
    metric: str,
    unit: Unit,
    period_ns: int,
    times_ns: IntArray,
    values: npt.NDArray[np.float64] | None = None,
    *,
    of: tuple[str, str],
) -> Iterator[MetricRow]:
    """Statistics of values by their times, ``of`` a function and a queue; without values, each counts 1."""
    each = np.ones(len(times_ns)) if values is None else values
    return statistics(metric, unit, of[0], period_ns, times_ns // period_ns, each, of[1])


def _queue_rows(
    log: EventLog, period_ns: int, queue: int, spec: QueueSpec, previous: npt.NDArray[np.int8]
) -> Iterator[MetricRow]:
    """Metrics of SQS itself."""
    of = ("", spec.name)
    stays = np.flatnonzero(log.messages.queue == queue)
    sent, settled = log.messages.sent_ns[stays], log.messages.settled_ns[stays]
    deliveries = deliveries_of(log, queue)
    received = log.deliveries.received_ns[deliveries]
    by_sender = previous[stays] != MessageOutcome.DEAD_LETTERED
    yield from _rows("NumberOfMessagesSent", "Count", period_ns, sent[by_sender], of=of)
    yield from _rows("NumberOfMessagesReceived", "Count", period_ns, received, of=of)
    is_deleted = log.messages.outcome[stays] == MessageOutcome.DELETED
    yield from _rows("NumberOfMessagesDeleted", "Count", period_ns, settled[is_deleted], of=of)
    if not len(stays):
        return
    times = sample_times(log.end_ns, period_ns, int(sent[0]))
    hidden = _levels(log, times, received, hidden_until_ns(log, deliveries, spec.visibility_ns))
    delayed_until = sent + spec.delay_ns
    delayed_until = np.where(settled == NOT_YET, delayed_until, np.minimum(settled, delayed_until))
    delayed = _levels(log, times, sent, delayed_until)
    visible = _levels(log, times, sent, settled) - hidden - delayed
    # A sample at the end of a period belongs to it.
    shown = np.ones(len(times), dtype=np.bool_)
    for name, levels, some in (
        ("Visible", visible, shown),
        ("NotVisible", hidden, hidden > 0),
        ("Delayed", delayed, delayed > 0),
    ):
        metric, values = f"ApproximateNumberOfMessages{name}", levels[some].astype(np.float64)
        yield from _rows(metric, "Count", period_ns, times[some] - 1, values, of=of)
    counts_until = np.where(settled == NOT_YET, np.iinfo(np.int64).max, settled)
    if spec.message_groups is None:
        received_often = nth_received_ns(log, deliveries, _TOO_OFTEN)[stays]
        back_ns = received_often + spec.visibility_ns
        counts_until = np.where(received_often == NOT_YET, counts_until, np.minimum(counts_until, back_ns))
    at, age_ns = oldest(times, sent, counts_until)
    metric = "ApproximateAgeOfOldestMessage"
    yield from _rows(metric, "Seconds", period_ns, at - 1, age_ns / NS_PER_S, of=of)


def sample_times(end_ns: int, period_ns: int, first_ns: int) -> IntArray:
    """The ends of all periods from the one of ``first_ns`` on, and that of the run."""
    first = (first_ns // period_ns + 1) * period_ns
    times = np.arange(first, end_ns + 1, period_ns, dtype=np.int64)
    return times if len(times) and times[-1] == end_ns else np.append(times, max(end_ns, 1))


def _levels(log: EventLog, times: IntArray, start_ns: IntArray, end_ns: IntArray) -> IntArray:
    """How many are under way at each time: what starts at it counts in the next period, but at the end of the run."""
    lasts = (end_ns == NOT_YET) | (end_ns > start_ns)  # without delay nothing is ever delayed
    start_ns, end_ns = start_ns[lasts], end_ns[lasts]
    ends = np.sort(end_ns[end_ns != NOT_YET])
    begun = np.searchsorted(np.sort(start_ns), np.where(times >= log.end_ns, times + 1, times), side="left")
    return np.asarray(begun - np.searchsorted(ends, times, side="right"), dtype=np.int64)


def oldest(times: IntArray, sent_ns: IntArray, until_ns: IntArray) -> tuple[IntArray, IntArray]:
    """(time, age of the oldest message that counts then) at those times at which there is one; in order of sending."""
    # The first message that lasts beyond a time is where the latest end so far does.
    position = np.searchsorted(np.maximum.accumulate(until_ns), times, side="right")
    found = position < len(sent_ns)
    at, sent = times[found], sent_ns[position[found]]
    return at[sent < at], (at - sent)[sent < at]


def _mapping_rows(
    log: EventLog, rows: BatchRows, period_ns: int, queue: int, spec: QueueMappingSpec | StreamSpec
) -> Iterator[MetricRow]:
    """Metrics of an event source mapping: what it read, invoked with, failed to invoke with, and what came of it."""
    of = (log.function_names[spec.function], log.queue_names[queue])
    stays = log.messages.queue == queue
    if isinstance(spec, StreamSpec):
        # A batch that is tried again is not read again.
        polled = log.messages.first_receive_ns[stays]
        polled = polled[polled != NOT_YET]
    else:
        polled = log.deliveries.received_ns[deliveries_of(log, queue)]
    yield from _rows("PolledEventCount", "Count", period_ns, polled, of=of)
    yield from _try_rows(log, rows, period_ns, queue, of, spec.are_failures_partial)
    outcome, settled = log.messages.outcome[stays], log.messages.settled_ns[stays]
    if not isinstance(spec, StreamSpec):
        metric, counted = "DeletedEventCount", MessageOutcome.DELETED
    elif spec.on_failure is None:
        metric, counted = "DroppedEventCount", MessageOutcome.DISCARDED
    else:
        metric, counted = "OnFailureDestinationDeliveredEventCount", MessageOutcome.DISCARDED
    yield from _rows(metric, "Count", period_ns, settled[outcome == counted], of=of)


def _try_rows(
    log: EventLog, rows: BatchRows, period_ns: int, queue: int, of: tuple[str, str], are_failures_partial: bool
) -> Iterator[MetricRow]:
    """Events with which the mapping tried to invoke the function, and those with which it failed."""
    size = np.bincount(log.deliveries.batch, minlength=len(log.batches)).astype(np.float64)
    accepted, batch = _attempts_of(log, rows.of_invocations, queue)
    throttled, refused = _attempts_of(log, rows.of_throttles, queue)
    throttled_ns = log.throttles.time_ns[throttled]
    tried_ns = np.concatenate((log.invocations.admitted_ns[accepted], throttled_ns))
    sizes = np.concatenate((size[batch], size[refused]))
    yield from _rows("InvokedEventCount", "Count", period_ns, tried_ns, sizes, of=of)
    is_failure = is_error(log.invocations.result[accepted])
    named_ns = _named_failures(log, rows, queue) if are_failures_partial else np.empty(0, dtype=np.int64)
    failed_ns = np.concatenate((log.invocations.end_ns[accepted[is_failure]], throttled_ns, named_ns))
    sizes = np.concatenate((size[batch[is_failure]], size[refused], np.ones(len(named_ns))))
    yield from _rows("FailedInvokeEventCount", "Count", period_ns, failed_ns, sizes, of=of)


def _attempts_of(log: EventLog, batch: IntArray, queue: int) -> tuple[npt.NDArray[np.intp], IntArray]:
    """(row, batch) of each attempt, of which ``batch`` says with which one it was made, for one queue."""
    with_batch = np.flatnonzero(batch != NO_BATCH)
    taken = with_batch[log.batches.queue[batch[with_batch]] == queue]
    return taken, batch[taken]


def _named_failures(log: EventLog, rows: BatchRows, queue: int) -> IntArray:
    """When partial responses named messages as failed: the invocation succeeded, and they are there still.

    Not those that had been received again by then: the older receipt deletes nothing.
    """
    deliveries = deliveries_of(log, queue)
    message, invocation = log.deliveries.message[deliveries], rows.invocation[log.deliveries.batch[deliveries]]
    order = np.argsort(message, kind="stable")
    again_ns = np.full(len(deliveries), np.iinfo(np.int64).max)
    is_next = message[order[1:]] == message[order[:-1]]
    again_ns[order[:-1][is_next]] = log.deliveries.received_ns[deliveries[order[1:][is_next]]]
    ended = np.full(len(deliveries), NOT_YET, dtype=np.int64)
    accepted = invocation != NO_BATCH
    succeeded = ~is_error(log.invocations.result[invocation[accepted]])
    ended[accepted] = np.where(succeeded, log.invocations.end_ns[invocation[accepted]], NOT_YET)
    settled = log.messages.settled_ns[message]
    is_left = (ended != NOT_YET) & ((settled == NOT_YET) | (settled > ended)) & (again_ns > ended)
    return np.asarray(ended[is_left])


def _iterator_ages(log: EventLog, rows: BatchRows, period_ns: int, scenario: Scenario) -> Iterator[MetricRow]:
    """IteratorAge of each function that streams invoke, over all of its streams."""
    specs = list(stream_specs(scenario))
    for number, name in enumerate(log.function_names):
        ages = [
            iterator_ages_ns(log, rows, len(scenario.queues) + index)
            for index, spec in enumerate(specs)
            if spec.function == number
        ]
        if ages:
            admitted, age_ns = (np.concatenate(parts) for parts in zip(*ages, strict=True))
            yield from _rows("IteratorAge", "Milliseconds", period_ns, admitted, age_ns / 1e6, of=(name, ""))
