"""What runs first at one instant. The one place where that is said; nothing relies on the order of scheduling."""

from __future__ import annotations

from enum import IntEnum

# 40 bits for the index inside a kind: request indices to 10^12, or 12 bits of function and 28 of birth.
_INDEX_BITS = 40
_BIRTH_BITS = 28
_USER_BITS = 26


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


def priority(kind: EventKind, index: int) -> int:
    """Rank among the events of one instant; the least runs first."""
    return kind << _INDEX_BITS | index


def environment_index(function: int, birth: int) -> int:
    """Index inside the kinds 1 and 2: by function in file order, then by birth."""
    return function << _BIRTH_BITS | birth


def arrival_rank(source: int, user: int = 0) -> int:
    """Rank of the arrival of a source's next request, or of that of one of its virtual users.

    Requests of one instant get their index by source and number in the source, so that this is the order of indices,
    known before there is an index.
    """
    return priority(EventKind.ARRIVAL, source << _USER_BITS | user)
