"""What runs first at one instant. The one place where that is said; nothing relies on the order of scheduling."""

from __future__ import annotations

from enum import IntEnum

# 40 bits for the index inside a kind: request indices to 10^12 (of queued work to 10^11, with 3 bits for the step), or
# 12 bits of function and 28 of birth.
_INDEX_BITS = 40
_BIRTH_BITS = 28
_USER_BITS = 26
_STEP_BITS = 3


class EventKind(IntEnum):
    """Kinds of events in the order in which those of one instant run."""

    INVOCATION_END = 1  # by function, then birth index of the environment
    INIT_END = 2  # by function, then birth index
    CLIENT_TIMEOUT = 3  # by request index; an answer at the same instant has won already
    CHANGE = 4  # by order in the file
    EXPIRY = 5  # needs no event: an environment that expires at t is gone for every kind after this one
    QUEUED_WORK = 6  # by request index
    RETRY = 7  # by request index
    ARRIVAL = 8  # by request index, which goes by source and then by number in the source
    RUN_END = 9  # everything at the last instant is included


class QueuedStep(IntEnum):
    """What comes first of the queued work of one request at one instant."""

    DELAY_OVER = 0  # a message is visible for the first time
    RECEIPT_OVER = 1  # messages are visible again
    RETENTION_OVER = 2
    WINDOW_OVER = 3  # a batch waits for no more messages
    TRY = 4  # of an event, or of a batch
    REDRIVE = 5
    LOOK = 6  # at what could be received next


def priority(kind: EventKind, index: int) -> int:
    """Rank among the events of one instant; the least runs first."""
    return kind << _INDEX_BITS | index


def queued_rank(index: int, step: QueuedStep) -> int:
    """Rank of a step of queued work, among the events of one instant, by the index of its request."""
    return priority(EventKind.QUEUED_WORK, index << _STEP_BITS | step)


def environment_index(function: int, birth: int) -> int:
    """Index inside the kinds 1 and 2: by function in file order, then by birth."""
    return function << _BIRTH_BITS | birth


def arrival_rank(source: int, user: int = 0) -> int:
    """Rank of the arrival of a source's next request, or of that of one of its virtual users.

    Requests of one instant get their index by source and number in the source, so that this is the order of indices,
    known before there is an index.
    """
    return priority(EventKind.ARRIVAL, source << _USER_BITS | user)
