"""How each delivery of a message ended. Knows nothing of matplotlib."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import NOT_YET, EventLog, MessageOutcome
from lambdasim.metrics.batches import NO_BATCH, BatchRows
from lambdasim.metrics.message_history import deliveries_of
from lambdasim.metrics.outcomes import is_error
from lambdasim.report.pictures.batch_times import NEVER_NS, BatchTimes

IntArray = npt.NDArray[np.int64]


class DeliveryEnd(IntEnum):
    """How a delivery ended."""

    DONE = 0  # the message was deleted
    FAILED = 1  # function error, crash or timeout, or a partial response names the message
    IN_VAIN = 2  # it succeeded, but by then the message had been received again, or had left the queue
    WITHOUT_EXECUTION = 3  # its batch was given up at the visibility timeout
    OPEN = 4  # the run ended first


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries:
    """One row for each delivery from one queue, in the order of receiving. Shape (n_deliveries,)."""

    message: IntArray
    batch: IntArray
    received_ns: IntArray
    end_ns: IntArray  # NOT_YET of OPEN ones
    ended: IntArray  # ``DeliveryEnd``


def deliveries(log: EventLog, rows: BatchRows, times: BatchTimes, queue: int) -> Deliveries:
    """The deliveries from one queue."""
    taken = deliveries_of(log, queue)
    message, batch = (column[taken].astype(np.int64) for column in (log.deliveries.message, log.deliveries.batch))
    received = log.deliveries.received_ns[taken]
    order = np.argsort(message, kind="stable")
    again = np.full(len(taken), NEVER_NS)
    follows = message[order[1:]] == message[order[:-1]]
    again[order[:-1][follows]] = received[order[1:][follows]]

    end, invocation = times.over_ns[batch], rows.invocation[batch]
    accepted = invocation != NO_BATCH
    succeeded = np.zeros(len(taken), dtype=np.bool_)
    succeeded[accepted] = ~is_error(log.invocations.result[invocation[accepted]])
    settled = log.messages.settled_ns[message]
    is_deleted = (log.messages.outcome[message] == MessageOutcome.DELETED) & (settled == end)
    had_left = (settled != NOT_YET) & (settled <= end)
    ended = np.select(
        (end == NEVER_NS, ~accepted, succeeded & is_deleted, succeeded & (had_left | (again <= end))),
        (DeliveryEnd.OPEN, DeliveryEnd.WITHOUT_EXECUTION, DeliveryEnd.DONE, DeliveryEnd.IN_VAIN),
        DeliveryEnd.FAILED,
    )
    end = np.where(end == NEVER_NS, NOT_YET, end)
    return Deliveries(message=message, batch=batch, received_ns=received, end_ns=end, ended=ended)
