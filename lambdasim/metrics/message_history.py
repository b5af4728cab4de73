"""What happened to each message on its way: how it came into a queue, when it was hidden, when it was old.

A row of the log is one stay of a message in one queue. Nothing here asks which engine wrote it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import NOT_YET, EventLog, MessageOutcome
from lambdasim.metrics.batches import NO_BATCH, BatchRows

IntArray = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

# In ``previous_outcomes``: the first stay of its request.
NO_STAY = -1


def previous_outcomes(log: EventLog) -> npt.NDArray[np.int8]:
    """How the stay before each one ended, of the same request, or NO_STAY. Shape (n_messages,)."""
    request, outcome = log.messages.request, log.messages.outcome
    order = np.argsort(request, kind="stable")
    follows = np.zeros(len(order), dtype=np.bool_)
    follows[1:] = request[order[1:]] == request[order[:-1]]
    previous = np.full(len(order), NO_STAY, dtype=np.int8)
    previous[order[follows]] = outcome[order[np.flatnonzero(follows) - 1]]
    return previous


def is_without_execution(log: EventLog) -> Flags:
    """Whether each stay ended in giving the message up though no invocation with it was accepted in this queue."""
    given_up = (
        MessageOutcome.DEAD_LETTERED,
        MessageOutcome.EXPIRED,
        MessageOutcome.STOPPED,
        MessageOutcome.DISCARDED,
    )
    return np.isin(log.messages.outcome, given_up) & ~log.messages.is_executed


def deliveries_of(log: EventLog, queue: int) -> npt.NDArray[np.intp]:
    """Rows of the deliveries from one queue or stream."""
    return np.flatnonzero(log.messages.queue[log.deliveries.message] == queue)


def invocations_of(log: EventLog, rows: BatchRows, queue: int) -> npt.NDArray[np.intp]:
    """Rows of the invocations with batches of one queue or stream."""
    with_batch = np.flatnonzero(rows.of_invocations != NO_BATCH)
    return np.asarray(with_batch[log.batches.queue[rows.of_invocations[with_batch]] == queue])


def ages_ns(log: EventLog, rows: BatchRows, queue: int) -> IntArray:
    """Age of each message, since it came into this queue, whenever a batch with it was accepted."""
    taken = deliveries_of(log, queue)
    invocation = rows.invocation[log.deliveries.batch[taken]]
    message = log.deliveries.message[taken][invocation != NO_BATCH]
    return np.asarray(log.invocations.admitted_ns[invocation[invocation != NO_BATCH]] - log.messages.sent_ns[message])


def iterator_ages_ns(log: EventLog, rows: BatchRows, queue: int) -> tuple[IntArray, IntArray]:
    """(time of admission, age of its last record then) of each accepted batch of a stream."""
    last = np.full(len(log.batches), NOT_YET, dtype=np.int64)
    # Deliveries are in order: written forwards, the last record of each batch stays.
    last[log.deliveries.batch] = log.deliveries.message
    batch = np.flatnonzero((log.batches.queue == queue) & (rows.invocation != NO_BATCH) & (last != NOT_YET))
    admitted = log.invocations.admitted_ns[rows.invocation[batch]]
    return admitted, admitted - log.messages.sent_ns[last[batch]]


def is_back_while_running(log: EventLog, rows: BatchRows) -> Flags:
    """Whether each message was received again, or dead-lettered, while an invocation with it still ran.

    Shape (n_messages,).
    """
    message, batch, received = log.deliveries.message, log.deliveries.batch, log.deliveries.received_ns
    order = np.argsort(message, kind="stable")
    is_dead_lettered = log.messages.outcome[message[order]] == MessageOutcome.DEAD_LETTERED
    back_ns = np.where(is_dead_lettered, log.messages.settled_ns[message[order]], np.iinfo(np.int64).max)
    has_next = np.flatnonzero(message[order[:-1]] == message[order[1:]])
    back_ns[has_next] = received[order[has_next + 1]]
    invocation = rows.invocation[batch[order]]
    ran = np.flatnonzero(invocation != NO_BATCH)
    ran = ran[log.clipped_end_ns[invocation[ran]] > back_ns[ran]]
    found = np.zeros(len(log.messages), dtype=np.bool_)
    found[message[order[ran]]] = True
    return found


def hidden_until_ns(log: EventLog, deliveries: npt.NDArray[np.intp], visibility_ns: int) -> IntArray:
    """When each of these deliveries stopped hiding its message: visible again, or settled before that."""
    expires = log.deliveries.received_ns[deliveries] + visibility_ns
    settled = log.messages.settled_ns[log.deliveries.message[deliveries]]
    return np.where(settled == NOT_YET, expires, np.minimum(expires, settled))


def nth_received_ns(log: EventLog, deliveries: npt.NDArray[np.intp], number: int) -> IntArray:
    """When each message was received for the n-th time in these deliveries, from 1, or NOT_YET. Shape (n_messages,)."""
    message = log.deliveries.message[deliveries]
    order = np.argsort(message, kind="stable")
    grouped = message[order]
    rank = np.arange(len(grouped)) - np.searchsorted(grouped, grouped, side="left")
    found = np.full(len(log.messages), NOT_YET, dtype=np.int64)
    found[grouped[rank == number - 1]] = log.deliveries.received_ns[deliveries[order[rank == number - 1]]]
    return found
