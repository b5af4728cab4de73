"""When the batches of one queue or stream were made, tried and over, and what their attempts came to.

Knows nothing of matplotlib.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import NOT_YET, EventLog
from lambdasim.metrics.batches import NO_BATCH, BatchRows
from lambdasim.metrics.message_history import invocations_of
from lambdasim.report.pictures.event_waits import ENDED, Ended

IntArray = npt.NDArray[np.int64]

# Later than any time of a run, and still to be added to one.
NEVER_NS = 2**62
# The visibility timeout of records: they are not shown again, but tried again.
NO_TIMEOUT_NS = NEVER_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchTimes:
    """One row for each batch of the log; those of other queues have NEVER_NS everywhere. Shape (n_batches,)."""

    start_ns: IntArray  # its first message was received
    tried_ns: IntArray  # first attempt
    accepted_ns: IntArray
    over_ns: IntArray  # its invocation ended, or it was given up

    @property
    def rows(self) -> npt.NDArray[np.intp]:
        """The batches that this queue has."""
        return np.flatnonzero(self.start_ns != NEVER_NS)


def batch_times(log: EventLog, rows: BatchRows, queue: int, visibility_ns: int) -> BatchTimes:
    """The batches of one queue. One that is not accepted is given up at the visibility timeout of its first message."""
    mine = np.flatnonzero(log.batches.queue == queue)
    start, tried, accepted, over = (np.full(len(log.batches), NEVER_NS) for _ in range(4))
    first = np.full(len(log.batches), NOT_YET, dtype=np.int64)
    # Deliveries are in the order of receiving: written backwards, the first one of each batch stays.
    first[log.deliveries.batch[::-1]] = np.arange(len(log.deliveries))[::-1]
    start[mine] = log.deliveries.received_ns[first[mine]]

    invocation, throttle = rows.invocation[mine], rows.first_throttle[mine]
    is_accepted, is_refused = invocation != NO_BATCH, throttle != NO_BATCH
    accepted[mine[is_accepted]] = log.invocations.admitted_ns[invocation[is_accepted]]
    end = log.invocations.end_ns[invocation[is_accepted]]
    over[mine[is_accepted]] = np.where(end == NOT_YET, NEVER_NS, end)
    tried[mine] = accepted[mine]
    tried[mine[is_refused]] = log.throttles.time_ns[throttle[is_refused]]
    given_up = mine[is_refused & ~is_accepted]
    # A batch that was gathered for longer than that is given up when its first try is refused.
    over[given_up] = np.maximum(np.minimum(start[given_up] + visibility_ns, NEVER_NS), tried[given_up])
    over[over > log.end_ns] = NEVER_NS
    return BatchTimes(start_ns=start, tried_ns=tried, accepted_ns=accepted, over_ns=over)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """One row for each attempt with batches of one queue. Shape (n_tries,)."""

    batch: IntArray
    time_ns: IntArray  # accepted or refused
    end_ns: IntArray  # of a refusal the same; NOT_YET where it was under way when the run ended
    ended: IntArray  # ``Ended``


def batch_tries(log: EventLog, rows: BatchRows, queue: int) -> Tries:
    """All attempts with the batches of one queue or stream: accepted ones, then refused ones."""
    accepted = invocations_of(log, rows, queue)
    refused = np.flatnonzero(rows.of_throttles != NO_BATCH)
    refused = refused[log.batches.queue[rows.of_throttles[refused]] == queue]
    times = log.throttles.time_ns[refused]
    return Tries(
        batch=np.concatenate((rows.of_invocations[accepted], rows.of_throttles[refused])),
        time_ns=np.concatenate((log.invocations.admitted_ns[accepted], times)),
        end_ns=np.concatenate((log.invocations.end_ns[accepted], times)),
        ended=np.concatenate((ENDED[log.invocations.result[accepted]], np.full(len(times), Ended.THROTTLED))),
    )
