"""Which attempts were made with a batch of messages, and which messages took part in which attempt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import EventLog, InvocationColumns, ThrottleColumns

IntArray = npt.NDArray[np.int64]

NO_BATCH = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRows:
    """How batches and attempts go together, by row."""

    of_invocations: IntArray  # batch of each invocation, or NO_BATCH; shape (n_invocations,)
    of_throttles: IntArray  # batch of each throttle, or NO_BATCH; shape (n_throttles,)
    invocation: IntArray  # row of the invocation of each batch, or NO_BATCH; shape (n_batches,)
    first_throttle: IntArray  # row of the first throttle of each batch, or NO_BATCH; shape (n_batches,)


def batch_rows(log: EventLog) -> BatchRows:
    """Match attempts to batches: a batch has the numbers of its attempts among those of its first message."""
    invocations, throttles = _batch_of(log, log.invocations), _batch_of(log, log.throttles)
    invocation, first_throttle = (np.full(len(log.batches), NO_BATCH, dtype=np.int64) for _ in range(2))
    rows = np.flatnonzero(invocations != NO_BATCH)
    invocation[invocations[rows]] = rows
    rows = np.flatnonzero(throttles != NO_BATCH)[::-1]
    # Rows are sorted by (request, attempt): written backwards, the first one of each batch stays.
    first_throttle[throttles[rows]] = rows
    return BatchRows(
        of_invocations=invocations, of_throttles=throttles, invocation=invocation, first_throttle=first_throttle
    )


def _batch_of(log: EventLog, attempts: InvocationColumns | ThrottleColumns) -> IntArray:
    batches = log.batches
    found = np.full(len(attempts), NO_BATCH, dtype=np.int64)
    tried = np.flatnonzero(batches.attempts > 0)
    if not len(tried) or not len(attempts):
        return found
    last_number = batches.first_attempt[tried].astype(np.int64) + batches.attempts[tried] - 1
    width = int(max(last_number.max(), attempts.attempt.max())) + 1
    order = tried[np.argsort(batches.request[tried] * width + batches.first_attempt[tried], kind="stable")]
    first = batches.request[order] * width + batches.first_attempt[order]
    key = attempts.request * width + attempts.attempt
    position = np.searchsorted(first, key, side="right") - 1
    is_within = position >= 0
    candidate = order[np.maximum(position, 0)]
    is_within &= (
        key < batches.request[candidate] * width + batches.first_attempt[candidate] + batches.attempts[candidate]
    )
    found[is_within] = candidate[is_within]
    return found
