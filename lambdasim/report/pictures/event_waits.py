"""Attempts of asynchronous events, and what the events wait for in between. Knows nothing of matplotlib."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import Result
from lambdasim.metrics.async_events import is_event
from lambdasim.metrics.run import Run

IntArray = npt.NDArray[np.int64]


class Ended(IntEnum):
    """How an attempt of an event ended."""

    OK = 0
    FAILED = 1  # function error, crash or timeout
    THROTTLED = 2
    RUNNING = 3  # the run ended first


class WaitFor(IntEnum):
    """What an event waits for in the queue; in the order in which the waits are stacked, from the bottom."""

    RETRY_AFTER_ERROR = 0
    RETRY_AFTER_THROTTLE = 1
    FIRST_TRY = 2


ENDED = np.array([Ended.OK, Ended.FAILED, Ended.FAILED, Ended.FAILED, Ended.RUNNING])
_WAIT_AFTER = np.array([-1, WaitFor.RETRY_AFTER_ERROR, WaitFor.RETRY_AFTER_THROTTLE, -1])
assert len(ENDED) == len(Result)
assert len(_WAIT_AFTER) == len(Ended)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """One row for each attempt of an event, by (request, attempt). Shape (n_attempts,)."""

    request: IntArray
    time_ns: IntArray  # accepted or refused
    end_ns: IntArray  # of a refusal the same; NOT_YET where it was under way when the run ended
    ended: IntArray  # ``Ended``

    def __len__(self) -> int:
        return len(self.request)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """One row for each stay of an event in the queue. Shape (n_waits,)."""

    request: IntArray
    start_ns: IntArray
    end_ns: IntArray  # the attempt that ended it, or the drop; NOT_YET where it still waited at the end of the run
    kind: IntArray  # ``WaitFor``
    is_before_attempt: npt.NDArray[np.bool_]  # it ended with an attempt, neither with a drop nor with the run

    def __len__(self) -> int:
        return len(self.request)

    def where(self, rows: npt.NDArray[np.bool_]) -> Waits:
        """Those rows only."""
        return Waits(
            request=self.request[rows],
            start_ns=self.start_ns[rows],
            end_ns=self.end_ns[rows],
            kind=self.kind[rows],
            is_before_attempt=self.is_before_attempt[rows],
        )


def event_attempts(run: Run) -> Attempts:
    """All attempts of all events of a run."""
    log, included = run.log, is_event(run.log)
    accepted, refused = included[log.invocations.request], included[log.throttles.request]
    request = np.concatenate((log.invocations.request[accepted], log.throttles.request[refused]))
    attempt = np.concatenate((log.invocations.attempt[accepted], log.throttles.attempt[refused]))
    times = log.throttles.time_ns[refused]
    order = np.argsort(request * (int(attempt.max(initial=0)) + 1) + attempt, kind="stable")
    ended = np.concatenate((ENDED[log.invocations.result[accepted]], np.full(len(times), Ended.THROTTLED)))
    return Attempts(
        request=request[order],
        time_ns=np.concatenate((log.invocations.admitted_ns[accepted], times))[order],
        end_ns=np.concatenate((log.invocations.end_ns[accepted], times))[order],
        ended=ended[order],
    )


def event_waits(run: Run, attempts: Attempts) -> Waits:
    """Every stay in the queue: from the arrival to the first attempt, then between attempts, or until a drop."""
    log, settled_ns = run.log, run.outcomes.settled_ns
    events = np.flatnonzero(is_event(log))
    first = np.searchsorted(attempts.request, events)
    tried = first < len(attempts)
    tried[tried] = attempts.request[first[tried]] == events[tried]
    first_end = settled_ns[events]
    first_end[tried] = attempts.time_ns[first[tried]]

    goes_on = np.flatnonzero(_WAIT_AFTER[attempts.ended] >= 0)
    is_followed = (np.diff(attempts.request, append=-1) == 0)[goes_on]
    later_end = settled_ns[attempts.request[goes_on]]
    later_end[is_followed] = attempts.time_ns[goes_on[is_followed] + 1]
    is_stay = is_followed | (later_end != attempts.end_ns[goes_on])  # else it was given up at once
    goes_on, is_followed, later_end = goes_on[is_stay], is_followed[is_stay], later_end[is_stay]
    return Waits(
        request=np.concatenate((events, attempts.request[goes_on])),
        start_ns=np.concatenate((log.requests.arrival_ns[events], attempts.end_ns[goes_on])),
        end_ns=np.concatenate((first_end, later_end)),
        kind=np.concatenate((np.full(len(events), WaitFor.FIRST_TRY), _WAIT_AFTER[attempts.ended[goes_on]])),
        is_before_attempt=np.concatenate((tried, is_followed)),
    )
