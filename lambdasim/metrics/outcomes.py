"""What became of each request, derived from its attempts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import NOT_YET, EventLog, Result

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
    throttled = np.bincount(throttles.request, minlength=count).astype(np.int32)
    attempts = throttled + np.bincount(invocations.request, minlength=count).astype(np.int32)
    outcome = np.full(count, Outcome.IN_FLIGHT, dtype=np.int8)
    settled_ns = np.full(count, NOT_YET, dtype=np.int64)

    is_last = invocations.attempt == attempts[invocations.request]
    last = invocations.request[is_last]
    outcome[last] = _OUTCOME_OF_RESULT[invocations.result[is_last]]
    settled_ns[last] = invocations.end_ns[is_last]
    for rows, fate in ((throttles, Outcome.THROTTLED), (abandonments, Outcome.TIMED_OUT_CLIENT)):
        is_last = rows.attempt == attempts[rows.request]
        outcome[rows.request[is_last]] = fate
        settled_ns[rows.request[is_last]] = rows.time_ns[is_last]
    outcome[log.drops.request] = Outcome.DROPPED
    settled_ns[log.drops.request] = log.drops.time_ns
    outcome[log.requests.is_pending] = Outcome.IN_FLIGHT
    settled_ns[log.requests.is_pending] = NOT_YET

    return RequestOutcomes(
        outcome=outcome,
        attempts=attempts,
        throttles=throttled,
        first_throttle_reason=_first_reason(log, count),
        last_invocation=_last_row(invocations.request, count),
        settled_ns=settled_ns,
    )


def _first_reason(log: EventLog, count: int) -> npt.NDArray[np.int8]:
    reasons = np.full(count, NONE, dtype=np.int8)
    # Rows are sorted by (request, attempt): written backwards, the first one of each request stays.
    reasons[log.throttles.request[::-1]] = log.throttles.reason[::-1]
    return reasons


def _last_row(request: IntArray, count: int) -> npt.NDArray[np.int32]:
    rows = np.full(count, NONE, dtype=np.int32)
    if len(request):
        ends = np.flatnonzero(np.append(np.diff(request) != 0, True))
        rows[request[ends]] = ends
    return rows


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
