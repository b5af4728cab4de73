"""The things of the second simulator: buckets, requests, invocations and environments, and the names of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.properties.brute_queues import Batch

SECOND = 10**9
MINUTE = 60 * SECOND
INIT_LIMIT = 10 * SECOND
BLOCK = 256  # rare draws come in blocks of this size

END, INIT_END, CLIENT_TIMEOUT, CHANGE, EXPIRY, QUEUED, RETRY, ARRIVAL = range(1, 9)
OK, ERROR, CRASH, TIMEOUT, RUNNING = range(5)
(
    ACCOUNT_CONCURRENCY,
    ACCOUNT_RATE,
    RESERVED_CONCURRENCY,
    RESERVED_RATE,
    SCALING_REQUEST_RATE,
    SCALING_RATE,
    API_GATEWAY_RATE,
) = range(7)

SHARED = -1  # the pool of all functions without a reservation


@dataclass(eq=False)
class Tokens:
    """A token bucket in fractions."""

    depth: Fraction
    per_ns: Fraction
    level: Fraction
    at: int = 0

    def settle(self, now: int) -> Fraction:
        """The level at ``now``."""
        self.level = min(self.depth, self.level + (now - self.at) * self.per_ns)
        self.at = now
        return self.level

    def resize(self, now: int, tokens: int, per_ns: Fraction) -> None:
        """Another size from now on: the level stays, clamped to the new depth."""
        self.settle(now)
        self.depth, self.per_ns = Fraction(tokens), per_ns
        self.level = min(self.level, self.depth)


def full(tokens: int, per_ns: Fraction, now: int = 0) -> Tokens:
    """A full bucket."""
    return Tokens(Fraction(tokens), per_ns, Fraction(tokens), now)


@dataclass(eq=False)
class Ramp:
    """The request-rate ramp of one function, second by second."""

    start: int
    step: int
    allowed: int
    bucket: Tokens
    second: int = 0  # the whole second that is counted now
    accepted: int = 0

    def advance(self, now: int) -> None:
        """Close every second that is over at ``now``."""
        while (self.second + 1) * SECOND <= now:
            self.second += 1
            if Fraction(self.accepted) > Fraction(9, 10) * self.allowed:
                self.allowed += self.step
            else:
                self.allowed = max(self.start, self.allowed - self.step)
            self.bucket.resize(self.second * SECOND, self.allowed, Fraction(self.allowed, SECOND))
            self.accepted = 0


@dataclass(eq=False)
class Request:
    """One request and what its caller knows."""

    arrival: int
    source: int
    ordinal: int
    function: int
    duration: int
    init: int | None = None
    user: int = -1  # of virtual users: who, and the how-maniest request of this user, from 0
    round: int = -1
    index: int = -1  # from its arrival on
    attempts: int = 0
    accepted: int = 0
    paid: int = 0  # for its last retry
    is_waiting: bool = False  # for an answer
    is_pending: bool = False  # another attempt is to come
    throttles: int = 0  # of an event: in a row
    errors: int = 0  # of an event

    @property
    def turn(self) -> int:
        """Which client object sends it: they take turns, and a virtual user keeps its own."""
        return self.ordinal if self.user < 0 else self.user


@dataclass(eq=False)
class Invocation:
    """One accepted attempt."""

    request: Request
    attempt: int
    admitted: int
    function: int
    duration: int
    init: int | None  # of the environment that it starts; None: that environment's own
    fate: int
    idle_timeout: int  # of its environment afterwards
    batch: Batch | None = None  # of messages
    pool: int = SHARED  # that admitted it: its function's own, or SHARED
    is_provisioned: bool = False  # its environment is, and it counts in no pool
    handler: int = -1
    end: int = -1
    work: int = 0  # what it would take without a timeout
    environment: int = -1
    result: int = RUNNING
    is_cold: bool = False

    @property
    def is_in_flight(self) -> bool:
        """Ended at this instant counts as ended once the end was handled: the result says so."""
        return self.result == RUNNING


@dataclass(eq=False)
class Sandbox:
    """One execution environment."""

    birth: int
    number: int  # among those of its function, on demand or provisioned
    function: int
    created: int
    init: int
    max_age: int
    sandbox: int = 0  # before the init
    reaped: int = -1
    bound: Invocation | None = None
    must_redo_init: bool = False
    is_obsolete: bool = False  # its code is
    idle_periods: int = 0
    is_provisioned: bool = False
    is_in_service: bool = False  # of those that are provisioned: it has been allocated
    logged_init: int = 0  # the length of its init phase during the run

    @property
    def init_end(self) -> int:
        """When its init is over, or has taken as long as it may."""
        return self.created + self.sandbox + self.logged_init
