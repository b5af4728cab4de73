"""What blocks the shards of a stream: batches that failed or were throttled, and are to be tried again.

Knows nothing of matplotlib. The log does not say in which shard a record is, but a shard, or one of the batches at once
that it may have, is blocked by one batch at a time.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import NOT_YET, EventLog
from lambdasim.metrics.message_history import deliveries_of
from lambdasim.report.pictures.batch_times import NEVER_NS, BatchTimes
from lambdasim.report.pictures.event_waits import WaitFor

IntArray = npt.NDArray[np.int64]
Spans = tuple[IntArray, IntArray]


def blocked_spans(log: EventLog, times: BatchTimes, queue: int) -> dict[WaitFor, Spans]:
    """Starts and ends of the waits of batches between their tries, after throttles and after errors.

    After an error it is the first record that is left for which the others wait.
    """
    deliveries = deliveries_of(log, queue)
    message, batch = log.deliveries.message[deliveries], log.deliveries.batch[deliveries]
    received = log.deliveries.received_ns[deliveries]
    settled = log.messages.settled_ns[message]
    until = np.where(settled == NOT_YET, NEVER_NS, settled)
    order = np.argsort(message, kind="stable")
    follows = message[order[1:]] == message[order[:-1]]
    until[order[:-1][follows]] = received[order[1:][follows]]

    over = times.over_ns[batch]
    is_left = np.flatnonzero((over != NEVER_NS) & (until > over) & (times.accepted_ns[batch] != NEVER_NS))
    _, first = np.unique(batch[is_left], return_index=True)
    failed = is_left[first]

    _, heads = np.unique(batch, return_index=True)
    heads = heads[times.tried_ns[batch[heads]] < times.accepted_ns[batch[heads]]]
    freed = np.minimum(times.accepted_ns[batch[heads]], until[heads])
    return {
        WaitFor.RETRY_AFTER_ERROR: _spans(over[failed], until[failed]),
        WaitFor.RETRY_AFTER_THROTTLE: _spans(times.tried_ns[batch[heads]], freed),
    }


def _spans(start_ns: IntArray, end_ns: IntArray) -> Spans:
    lasts = end_ns > start_ns
    return start_ns[lasts], np.where(end_ns == NEVER_NS, NOT_YET, end_ns)[lasts]
