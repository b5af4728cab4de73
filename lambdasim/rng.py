"""Named random streams: the only place where a generator is made.

A stream is keyed by purpose, owner and block, never by when it is read, so that an added function, a changed limit or
another window size moves no other draw (common random numbers). What is drawn from a stream is decided in
``workload.draws``; the engine draws nothing.
"""

from __future__ import annotations

import hashlib
import secrets
from enum import IntEnum

import numpy as np

# Seeds fit JavaScript's safe integers, so that every reader of summary.json sees the same number.
MAX_SEED = 2**53 - 1


class Purpose(IntEnum):
    """What a stream is for. The numbers are part of the results: never renumber, only append."""

    ARRIVALS = 1
    DURATION = 2
    POISON = 3
    ERROR = 4
    IDLE_TIMEOUT = 5
    RETRY_DELAY = 6
    INIT = 7
    MAX_AGE = 8
    UNUSED_IDLE_TIMEOUT = 9
    MODULATION = 10
    THINK_TIME = 11
    DISPATCH_DELAY = 12
    EVENT_RETRY_DELAY = 13
    POLLER_RETRY_DELAY = 14
    MESSAGE_GROUP = 15
    PARTITION_KEY = 16
    SANDBOX = 17
    IO_DURATION = 18
    PREPARATION = 19


def stream(seed: int, purpose: Purpose, owner: str, part: int, block: int) -> np.random.Generator:
    """Independent generator for one block of draws.

    ``owner`` is the name of a traffic source or a function, ``part`` the number of the retry, of the accepted
    invocation or of the queues that a message has passed, where the purpose has one (else 0; 1 for the one draw with
    which a process of a source begins),
    ``block`` the number of the block. Every element of the key has a
    fixed width, so that no two keys run into each other.
    """
    digest = hashlib.blake2b(owner.encode(), digest_size=8).digest()
    name_high, name_low = int.from_bytes(digest[:4], "big"), int.from_bytes(digest[4:], "big")
    key = (int(purpose), name_high, name_low, part, block)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


def fresh_seed() -> int:
    """A seed for a scenario that has none; short enough to read out to a room."""
    return secrets.randbelow(1_000_000_000)
