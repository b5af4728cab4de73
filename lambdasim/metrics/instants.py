"""How things stand at given instants: what each execution environment does, who waits, who has been refused.

For pictures that show a run as a sequence of instants. At one instant ends come before starts: what is released at t is
free at t, and what begins at t has begun.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import NOT_YET, EventLog
from lambdasim.metrics.outcomes import RequestOutcomes, abandoned_rows

IntArray = npt.NDArray[np.int64]


class State(IntEnum):
    """What an execution environment does."""

    NONE = 0  # there has not been one in this place yet
    GONE = 1
    IDLE = 2
    INITIALISING = 3
    BUSY = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How many wait at each of some instants, by what they wait for. Shape (n_times,) each."""

    environment: IntArray  # accepted, but the handler has not begun: an environment initialises for them
    retry: IntArray  # callers between two attempts
    event_queue: IntArray  # asynchronous events that no environment works on
    messages: IntArray  # messages and records that are still in their queue or stream, those at work included


def states_at(log: EventLog, place: IntArray, places: int, times_ns: IntArray) -> npt.NDArray[np.uint8]:
    """The state of the environment in each place. Shape (n_times, places).

    ``place`` tells where each environment is, shape (n_environments,); of two in one place one must be gone before the
    other is created. ``times_ns`` must rise.
    """
    environments, invocations = log.environments, log.invocations
    gone_ns = np.where(environments.reaped_ns == NOT_YET, log.end_ns + 1, environments.reaped_ns)
    ready_ns = np.where(log.ready_ns == NOT_YET, gone_ns, np.minimum(log.ready_ns, gone_ns))
    worked = invocations.handler_ns != NOT_YET
    end_ns = np.where(invocations.end_ns == NOT_YET, log.end_ns + 1, invocations.end_ns)[worked]
    never_ns = np.full(len(place), np.iinfo(np.int64).max)

    def is_under_way(where: IntArray, start_ns: IntArray, until_ns: IntArray) -> npt.NDArray[np.bool_]:
        change = np.zeros((len(times_ns) + 1, places), dtype=np.int32)
        np.add.at(change, (np.searchsorted(times_ns, start_ns, side="left"), where), 1)
        np.add.at(change, (np.searchsorted(times_ns, until_ns, side="left"), where), -1)
        return np.asarray(np.cumsum(change, axis=0)[:-1] > 0)

    states = np.full((len(times_ns), places), State.NONE, dtype=np.uint8)
    states[is_under_way(place, environments.created_ns, never_ns)] = State.GONE
    states[is_under_way(place, environments.created_ns, gone_ns)] = State.IDLE
    states[is_under_way(place, environments.created_ns, ready_ns)] = State.INITIALISING
    busy = place[invocations.environment[worked]]
    states[is_under_way(busy, invocations.handler_ns[worked], end_ns)] = State.BUSY
    return states


def counts_at(log: EventLog, times_ns: IntArray) -> dict[State, IntArray]:
    """How many environments are idle, initialising and busy at each time, and how many are gone. Shape (n_times,) each.

    As many as ``states_at`` has of each, but for those that are gone: they all count, whoever came into their place.
    The work is that of sorting the log, however many times and environments there are.
    """
    environments, invocations = log.environments, log.invocations
    created = so_far(environments.created_ns, times_ns)
    gone = so_far(environments.reaped_ns[environments.reaped_ns != NOT_YET], times_ns)
    # An environment that is gone before its init has ended initialised until then.
    until_ns = np.where(environments.reaped_ns == NOT_YET, log.end_ns + 1, environments.reaped_ns)
    ready_ns = np.minimum(np.where(log.ready_ns == NOT_YET, log.end_ns + 1, log.ready_ns), until_ns)
    initialising = created - so_far(ready_ns, times_ns)
    worked = invocations.handler_ns != NOT_YET
    busy = _under_way(invocations.handler_ns[worked], invocations.end_ns[worked], times_ns)
    return {
        State.GONE: gone,
        State.IDLE: created - gone - initialising - busy,
        State.INITIALISING: initialising,
        State.BUSY: busy,
    }


def waiting_at(log: EventLog, outcomes: RequestOutcomes, times_ns: IntArray) -> Waiting:
    """Who waits at each time."""
    invocations, requests = log.invocations, log.requests
    # A caller who has given up is no longer at this attempt, although the invocation goes on.
    answered_ns = invocations.end_ns.copy()
    answered_ns[abandoned_rows(log)] = log.abandonments.time_ns
    invokes = np.array(log.source_invokes)

    def between_attempts(kind: str) -> IntArray:
        """Arrived and not settled, and not at an attempt."""
        mine = (invokes == kind)[requests.source]
        tried = mine[invocations.request]
        under_way = _under_way(requests.arrival_ns[mine], outcomes.settled_ns[mine], times_ns)
        return under_way - _under_way(invocations.admitted_ns[tried], answered_ns[tried], times_ns)

    return Waiting(
        environment=_under_way(invocations.admitted_ns, invocations.handler_ns, times_ns),
        retry=between_attempts("sync"),
        event_queue=between_attempts("async"),
        messages=_under_way(log.messages.sent_ns, log.messages.settled_ns, times_ns),
    )


def _under_way(start_ns: IntArray, end_ns: IntArray, times_ns: IntArray) -> IntArray:
    return so_far(start_ns, times_ns) - so_far(end_ns[end_ns != NOT_YET], times_ns)


def so_far(moments_ns: IntArray, times_ns: IntArray) -> IntArray:
    """How many of some moments have come at each time. Shape of ``times_ns``."""
    return np.searchsorted(np.sort(moments_ns), times_ns, side="right").astype(np.int64)
