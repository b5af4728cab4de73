"""What became of each request, derived from its attempts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import NOT_YET, EventLog, MessageOutcome, Result
from lambdasim.metrics.batches import NO_BATCH, BatchRows, batch_rows

IntArray = npt.NDArray[np.int64]

# In ``RequestOutcomes``: there is no such row or reason.
NONE = -1


class Outcome(IntEnum):
    """The fate of a request is the fate of its last attempt. The order is that of summary.json."""

    COMPLETED = 0
    FAILED = 1  # function error, crash or timeout
    THROTTLED = 2  # refused, and no attempt left
    TIMED_OUT_CLIENT = 3  # the caller stopped waiting, and no attempt left
    DROPPED = 4  # an event or message that its queue gave up
    IN_FLIGHT = 5  # the simulation ended first

    @property
    def key(self) -> str:
        """The name in files: ``timed_out_client``."""
        return self.name.lower()


_OUTCOME_OF_RESULT = np.array(
    [Outcome.COMPLETED, Outcome.FAILED, Outcome.FAILED, Outcome.FAILED, Outcome.IN_FLIGHT], dtype=np.int8
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestOutcomes:
    """One row for each request, shape (n_requests,)."""

    outcome: npt.NDArray[np.int8]
    attempts: npt.NDArray[np.int32]
    throttles: npt.NDArray[np.int32]
    first_throttle_reason: npt.NDArray[np.int8]  # or NONE
    last_invocation: npt.NDArray[np.int32]  # row of the last accepted attempt, or NONE
    settled_ns: IntArray  # or NOT_YET


def request_outcomes(log: EventLog) -> RequestOutcomes:
    """Outcome, counts and time of settlement of each request."""
    invocations, throttles, abandonments = log.invocations, log.throttles, log.abandonments
    count = len(log.requests)
    rows = batch_rows(log)
    # What pollers try with a batch is no attempt of the request's own.
    own_invocation, own_throttle = rows.of_invocations == NO_BATCH, rows.of_throttles == NO_BATCH
    throttled = np.bincount(throttles.request[own_throttle], minlength=count).astype(np.int32)
    attempts = throttled + np.bincount(invocations.request[own_invocation], minlength=count).astype(np.int32)
    outcome = np.full(count, Outcome.IN_FLIGHT, dtype=np.int8)
    settled_ns = np.full(count, NOT_YET, dtype=np.int64)

    is_last = own_invocation & (invocations.attempt == attempts[invocations.request])
    last = invocations.request[is_last]
    outcome[last] = _OUTCOME_OF_RESULT[invocations.result[is_last]]
    settled_ns[last] = invocations.end_ns[is_last]
    for given_up, fate in ((throttles, Outcome.THROTTLED), (abandonments, Outcome.TIMED_OUT_CLIENT)):
        is_last = given_up.attempt == attempts[given_up.request]
        outcome[given_up.request[is_last]] = fate
        settled_ns[given_up.request[is_last]] = given_up.time_ns[is_last]
    outcome[log.drops.request] = Outcome.DROPPED
    settled_ns[log.drops.request] = log.drops.time_ns
    outcome[log.requests.is_pending] = Outcome.IN_FLIGHT
    settled_ns[log.requests.is_pending] = NOT_YET

    first_reason = np.full(count, NONE, dtype=np.int8)
    # Rows are sorted by (request, attempt): written backwards, the first one of each request stays.
    refused = np.flatnonzero(own_throttle)[::-1]
    first_reason[throttles.request[refused]] = throttles.reason[refused]
    last_invocation = np.full(count, NONE, dtype=np.int32)
    accepted = np.flatnonzero(own_invocation)
    last_invocation[invocations.request[accepted]] = accepted  # written forwards, the last one stays
    outcomes = RequestOutcomes(
        outcome=outcome,
        attempts=attempts,
        throttles=throttled,
        first_throttle_reason=first_reason,
        last_invocation=last_invocation,
        settled_ns=settled_ns,
    )
    if len(log.messages):
        _fill_in_messages(log, rows, outcomes)
    return outcomes


_OUTCOME_OF_MESSAGE = np.full(len(MessageOutcome), Outcome.IN_FLIGHT, dtype=np.int8)
_OUTCOME_OF_MESSAGE[[MessageOutcome.DELETED, MessageOutcome.PROCESSED]] = Outcome.COMPLETED
_OUTCOME_OF_MESSAGE[
    [MessageOutcome.DEAD_LETTERED, MessageOutcome.EXPIRED, MessageOutcome.STOPPED, MessageOutcome.DISCARDED]
] = Outcome.DROPPED


def is_in_own_queue(log: EventLog) -> npt.NDArray[np.bool_]:
    """Whether each message is in the queue or stream that its source sends to, not in one where it went later."""
    own = np.array(log.source_queues, dtype=np.int64)[log.requests.source[log.messages.request]]
    return np.asarray(own == log.messages.queue)


def _fill_in_messages(log: EventLog, rows: BatchRows, outcomes: RequestOutcomes) -> None:
    """The requests that are messages or records: what became of them where they were sent to."""
    messages, batches = log.messages, log.batches
    own = is_in_own_queue(log)
    request = messages.request[own]
    outcomes.outcome[request] = _OUTCOME_OF_MESSAGE[messages.outcome[own]]
    outcomes.settled_ns[request] = messages.settled_ns[own]

    taken = own[log.deliveries.message]
    request, batch = messages.request[log.deliveries.message[taken]], log.deliveries.batch[taken]
    accepted = rows.invocation[batch] != NO_BATCH
    np.add.at(outcomes.attempts, request, batches.attempts[batch])
    np.add.at(outcomes.throttles, request, batches.attempts[batch] - accepted)
    # Deliveries are in the order of receiving, and so in that of the attempts of each message.
    outcomes.last_invocation[request[accepted]] = rows.invocation[batch[accepted]]
    refused = np.flatnonzero(rows.first_throttle[batch] != NO_BATCH)[::-1]
    reason = log.throttles.reason[rows.first_throttle[batch[refused]]]
    outcomes.first_throttle_reason[request[refused]] = reason


def abandoned_rows(log: EventLog) -> npt.NDArray[np.intp]:
    """Row of the invocation behind each abandonment, shape (n_abandonments,): nobody waits for its answer."""
    invocations, abandonments = log.invocations, log.abandonments
    # Both tables are sorted by (request, attempt), and only what was accepted can be abandoned.
    width = int(invocations.attempt.max(initial=0)) + 1
    return np.searchsorted(
        invocations.request * width + invocations.attempt, abandonments.request * width + abandonments.attempt
    )


def is_error(result: npt.NDArray[np.int8]) -> npt.NDArray[np.bool_]:
    """Whether CloudWatch counts an invocation under Errors: function errors, crashes and timeouts."""
    return np.isin(result, (Result.ERROR, Result.CRASH, Result.TIMEOUT))
