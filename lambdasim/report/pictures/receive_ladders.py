"""Some messages that were not done at once, receive by receive. Knows nothing of matplotlib."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import NOT_YET, EventLog, MessageOutcome
from lambdasim.metrics.batches import NO_BATCH, BatchRows
from lambdasim.platform.event_sources import QueueSpec
from lambdasim.report.pictures.batch_times import NEVER_NS, batch_times
from lambdasim.report.pictures.deliveries import Deliveries, DeliveryEnd, deliveries
from lambdasim.report.pictures.message_phases import Phase, message_phases
from lambdasim.report.pictures.retry_ladder import evenly_picked

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveLadders:
    """Messages of one queue, by the time of sending; times in s since each was received first."""

    messages: IntArray  # rows in ``MessageColumns``, shape (n_rows,)
    phases: dict[Phase, FloatArray]  # (row, from, to) from the first receive on, shape (n, 3)
    work: FloatArray  # (row, from, to) of each invocation, also of those that went on after the message had left
    ended: dict[DeliveryEnd, FloatArray]  # (row, time), shape (n, 2)
    throttled: FloatArray  # (row, time) of each refused try
    dead_lettered: dict[bool, FloatArray]  # (row, time), by whether an invocation with it was accepted
    still_open: FloatArray  # (row, time of the end of the run)


def troubled(log: EventLog, rows: BatchRows, made: Deliveries) -> IntArray:
    """Messages that were throttled, failed, received in vain or more than once, by the time of sending."""
    is_bad = ~np.isin(made.ended, (DeliveryEnd.DONE, DeliveryEnd.OPEN)) | (rows.first_throttle[made.batch] != NO_BATCH)
    bad = np.unique(made.message[is_bad])
    again = np.unique(made.message[log.messages.receives[made.message] > 1])
    return np.union1d(bad, again)


def receive_ladders(
    log: EventLog, rows: BatchRows, queue: int, spec: QueueSpec, most: int
) -> tuple[ReceiveLadders, int]:
    """The ladders of at most so many messages of a queue, evenly picked, and of how many they were picked."""
    times = batch_times(log, rows, queue, spec.visibility_ns)
    made = deliveries(log, rows, times, queue)
    candidates = troubled(log, rows, made)
    picked = evenly_picked(candidates, most)
    first_ns = log.messages.first_receive_ns[picked]

    def at(row: IntArray, *times_ns: IntArray) -> FloatArray:
        ends = (np.where((one == NOT_YET) | (one > log.end_ns), log.end_ns, one) for one in times_ns)
        return np.column_stack((row, *((one - first_ns[row]) / 1e9 for one in ends)))

    phases = message_phases(log, times, queue, visibility_ns=spec.visibility_ns, delay_ns=spec.delay_ns, only=picked)
    row = np.searchsorted(picked, phases.message)
    later = phases.start_ns >= first_ns[row]
    mine = np.flatnonzero(np.isin(made.message, picked))
    of, batch, ended = np.searchsorted(picked, made.message[mine]), made.batch[mine], made.ended[mine]
    worked = times.accepted_ns[batch] != NEVER_NS

    refused = np.flatnonzero(np.isin(rows.of_throttles, batch))
    tried, which = _pairs(batch, rows.of_throttles[refused])
    settled, is_executed = log.messages.settled_ns[picked], log.messages.is_executed[picked]
    is_dead = log.messages.outcome[picked] == MessageOutcome.DEAD_LETTERED
    dead = {executed: np.flatnonzero(is_dead & (is_executed == executed)) for executed in (False, True)}
    left = np.flatnonzero(settled == NOT_YET)
    ladders = ReceiveLadders(
        messages=picked,
        phases={
            kind: at(row[some], phases.start_ns[some], phases.end_ns[some])
            for kind in Phase
            for some in [later & (phases.kind == kind)]
        },
        work=at(of[worked], times.accepted_ns[batch[worked]], times.over_ns[batch[worked]]),
        ended={end: at(of[ended == end], made.end_ns[mine[ended == end]]) for end in DeliveryEnd},
        throttled=at(of[tried], log.throttles.time_ns[refused[which]]),
        dead_lettered={executed: at(some, settled[some]) for executed, some in dead.items()},
        still_open=at(left, np.full(len(left), log.end_ns)),
    )
    return ladders, len(candidates)


def _pairs(left: IntArray, right: IntArray) -> tuple[IntArray, IntArray]:
    """Positions of all pairs of equal numbers, (in ``left``, in ``right``)."""
    order = np.argsort(right, kind="stable")
    low = np.searchsorted(right[order], left, side="left")
    count = np.searchsorted(right[order], left, side="right") - low
    first = np.repeat(np.arange(len(left)), count)
    offset = np.arange(len(first)) - np.repeat(np.cumsum(count) - count, count)
    return first, order[np.repeat(low, count) + offset]
