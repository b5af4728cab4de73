"""What became of messages in SQS queues and of records in streams, queue by queue and stream by stream.

Ages count from when a message came into the queue: in a dead-letter queue from when it was moved there, as CloudWatch
has it (SQS guide, available CloudWatch metrics, read 2026). A message that went through two queues counts in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import NOT_YET, EventLog, MessageOutcome
from lambdasim.metrics.batches import BatchRows, batch_rows
from lambdasim.metrics.levels import peak
from lambdasim.metrics.message_history import ages_ns, deliveries_of, invocations_of, iterator_ages_ns
from lambdasim.metrics.percentile import percentiles
from lambdasim.metrics.shared_pool import limits_over_run, most_concurrency
from lambdasim.platform.event_sources import QueueSpec, StreamSpec, queue_specs, stream_specs
from lambdasim.scenario.changes import LimitsInForce
from lambdasim.scenario.schema import Scenario
from lambdasim.units import NS_PER_S

IntArray = npt.NDArray[np.int64]
Block = dict[str, Any]

_GIVEN_UP_BY_QUEUE = (MessageOutcome.DEAD_LETTERED, MessageOutcome.EXPIRED, MessageOutcome.STOPPED)
_GIVEN_UP_BY_STREAM = (MessageOutcome.DISCARDED, MessageOutcome.EXPIRED)
_NOT_SETTLED = (MessageOutcome.DELAYED, MessageOutcome.VISIBLE, MessageOutcome.IN_FLIGHT)
_ENDS_IN_A_QUEUE = (MessageOutcome.DELETED, *_GIVEN_UP_BY_QUEUE, MessageOutcome.REDRIVEN, *_NOT_SETTLED)
_AGES = {"p50": 500, "p90": 900, "p99": 990, "max": 1_000}


def queue_blocks(log: EventLog, scenario: Scenario) -> Block:
    """The block ``queues`` of summary.json: by name, in the order of the file. Times in seconds, None without data."""
    rows, limits = batch_rows(log), limits_over_run(log, scenario.limits_in_force())
    return {spec.name: _queue(log, rows, limits, index, spec) for index, spec in enumerate(queue_specs(scenario))}


def stream_blocks(log: EventLog, scenario: Scenario) -> Block:
    """The block ``streams`` of summary.json, likewise."""
    rows, limits = batch_rows(log), limits_over_run(log, scenario.limits_in_force())
    first = len(scenario.queues)
    return {
        spec.name: _stream(log, rows, limits, first + index, spec) for index, spec in enumerate(stream_specs(scenario))
    }


def _queue(log: EventLog, rows: BatchRows, limits: Sequence[LimitsInForce], queue: int, spec: QueueSpec) -> Block:
    stays = log.messages.queue == queue
    outcome = log.messages.outcome[stays]
    counts = np.bincount(outcome, minlength=len(MessageOutcome))
    unexecuted = (outcome == MessageOutcome.DEAD_LETTERED) & ~log.messages.is_executed[stays]
    most = None if spec.mapping is None else _most_batches(spec)
    function = "" if spec.mapping is None else log.function_names[spec.mapping.function]
    return {
        "received": len(outcome),
        "completed": int(counts[MessageOutcome.DELETED]),
        "dropped": int(counts[list(_GIVEN_UP_BY_QUEUE)].sum()),
        "in_flight": int(counts[list(_NOT_SETTLED)].sum()),
        "dropped_by_reason": {reason.key: int(counts[reason]) for reason in _GIVEN_UP_BY_QUEUE},
        "dead_lettered_without_execution": int(unexecuted.sum()),
        "messages": {"sent": len(outcome)} | {end.key: int(counts[end]) for end in _ENDS_IN_A_QUEUE},
        "receives": len(deliveries_of(log, queue)),
        **_load(log, queue),
        "age_s": _ages(ages_ns(log, rows, queue)),
        **_drain(log, rows, limits, queue, function, most),
    }


def _most_batches(spec: QueueSpec) -> int:
    """Batches that a queue may have with its function at once; in a FIFO queue no more than it has groups."""
    assert spec.mapping is not None, "a queue without mapping has no batches"
    most = spec.mapping.pollers.most
    return most if spec.message_groups is None else min(most, spec.message_groups)


def _stream(log: EventLog, rows: BatchRows, limits: Sequence[LimitsInForce], queue: int, spec: StreamSpec) -> Block:
    outcome = log.messages.outcome[log.messages.queue == queue]
    counts = np.bincount(outcome, minlength=len(MessageOutcome))
    most = spec.shards * spec.lanes
    if spec.partition_keys is not None:
        most = min(most, spec.partition_keys)  # records of one key are in order, and so never in two batches at once
    return {
        "received": len(outcome),
        "completed": int(counts[MessageOutcome.PROCESSED]),
        "dropped": int(counts[list(_GIVEN_UP_BY_STREAM)].sum()),
        "in_flight": int(counts[list(_NOT_SETTLED)].sum()),
        "dropped_by_reason": {reason.key: int(counts[reason]) for reason in _GIVEN_UP_BY_STREAM},
        **_load(log, queue),
        "age_s": _ages(iterator_ages_ns(log, rows, queue)[1]),
        **_drain(log, rows, limits, queue, log.function_names[spec.function], most),
    }


def _load(log: EventLog, queue: int) -> Block:
    stays = log.messages.queue == queue
    return {
        "batches": int((log.batches.queue == queue).sum()),
        "most_waiting": peak(log.messages.sent_ns[stays], log.messages.settled_ns[stays]),
    }


def _ages(values_ns: IntArray) -> Block:
    if not len(values_ns):
        return dict.fromkeys(_AGES)
    values = percentiles(values_ns, list(_AGES.values()))
    return {name: value / NS_PER_S for name, value in zip(_AGES, values, strict=True)}


def _drain(
    log: EventLog,
    rows: BatchRows,
    limits: Sequence[LimitsInForce],
    queue: int,
    function: str,
    most_batches: int | None,
) -> Block:
    """How long messages were there; how long it took, and takes at least, until none was left after the last came.

    The floor is the work that was done from then on / the concurrency that may work on it; None without a mapping.
    """
    stays = log.messages.queue == queue
    sent, settled = log.messages.sent_ns[stays], log.messages.settled_ns[stays]
    if not len(sent):
        return dict.fromkeys(("oldest_age_s", "drain_s", "drain_floor_s"))
    is_open = settled == NOT_YET
    until, last_ns = np.where(is_open, log.end_ns, settled), int(sent.max())
    empty_ns = int(until.max())
    return {
        "oldest_age_s": int((until - sent).max()) / NS_PER_S,
        "drain_s": None if is_open.any() else max(0, empty_ns - last_ns) / NS_PER_S,
        "drain_floor_s": None
        if most_batches is None
        else _floor_s(
            log, rows, queue, (last_ns, empty_ns), min(most_batches, most_concurrency(limits, function, last_ns))
        ),
    }


def _floor_s(log: EventLog, rows: BatchRows, queue: int, between_ns: tuple[int, int], limit: int) -> float | None:
    """Not longer than the queue took: work that goes on with a message that was given up does not count."""
    if not limit:
        return None
    taken = invocations_of(log, rows, queue)
    start = np.maximum(log.invocations.admitted_ns[taken], between_ns[0])
    end = np.minimum(log.clipped_end_ns[taken], between_ns[1])
    return int(np.maximum(end - start, 0).sum()) / NS_PER_S / limit
