"""Which invocations were for nothing: those that had to be repeated work, and those whose end nobody was there for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lambdasim.cost.usage import ThrownAway
from lambdasim.eventlog.log import EventLog, Result
from lambdasim.metrics.batches import NO_BATCH, batch_rows
from lambdasim.metrics.outcomes import abandoned_rows

Flags = npt.NDArray[np.bool_]


def thrown_away(log: EventLog) -> ThrownAway:
    """Retries, and invocations that ended in the function's timeout or whose caller had stopped waiting."""
    timed_out = log.invocations.result == Result.TIMEOUT
    timed_out[abandoned_rows(log)] = True
    return ThrownAway(retried=is_retry(log), timed_out=timed_out)


def is_retry(log: EventLog) -> Flags:
    """Whether the function of each invocation had been invoked with the same request before. Shape (n_invocations,).

    A batch counts where that is true of all its messages. What a destination or a dead-letter queue leads to is another
    function's first invocation, no retry.
    """
    invocations, rows = log.invocations, batch_rows(log)
    own = np.flatnonzero(rows.of_invocations == NO_BATCH)
    accepted = np.flatnonzero(rows.invocation[log.deliveries.batch] != NO_BATCH)
    # One row for each request of each invocation.
    invocation = np.concatenate((own, rows.invocation[log.deliveries.batch[accepted]]))
    request = np.concatenate((invocations.request[own], log.messages.request[log.deliveries.message[accepted]]))
    function = invocations.function[invocation]
    order = np.lexsort((invocation, invocations.admitted_ns[invocation], function, request))
    is_first = np.ones(len(order), dtype=np.bool_)
    is_first[1:] = (np.diff(request[order]) != 0) | (np.diff(function[order]) != 0)
    repeated = np.ones(len(invocations), dtype=np.bool_)
    repeated[invocation[order[is_first]]] = False
    return repeated
