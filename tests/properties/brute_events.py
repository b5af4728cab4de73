"""What the second simulator knows of events: AWS's delays, why an event is given up, and the reader of a queue.

Written from rules 7.3 to 7.7 of the facts and from what ``SlowDown`` promises, not from the engine's queue.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, log

from tests.properties.brute_parts import SECOND, Request
from tests.properties.plans import EventsPlan

TOO_OLD, NO_RETRY_LEFT, STOPPED = range(3)

ERROR_DELAYS = (60 * SECOND, 120 * SECOND)


def delay_after_throttle(throttles: int, share: float) -> int:
    """1, 2, 4 ... 256, 300, 300 ... seconds after the n-th throttle in a row, or the share of it that jitter leaves."""
    return round(min(300, 2 ** (throttles - 1)) * SECOND * Fraction(share))


@dataclass(eq=False)
class Queue:
    """The events of one function that are due but not tried, and their reader, who takes the oldest one first.

    A throttle leaves the reader a share of the events that it may work on at once, one at least, and no second cut is
    made within a second. What it may work on grows by the recovery in every second. An empty queue ends all that.
    """

    plan: EventsPlan
    due: list[Request] = field(default_factory=list)
    allowed: float | None = None  # None: as many as it likes
    since: int = -SECOND  # the last cut, an empty queue or not

    @property
    def oldest(self) -> Request | None:
        """The one that the reader takes first."""
        return min(self.due, key=lambda one: one.index, default=None)

    def may_read(self, now: int, under_way: int) -> bool:
        """Whether the reader takes one more."""
        return self.allowed is None or under_way + 1 <= self._allowed_at(now)

    def reads_at(self, now: int, under_way: int) -> int:
        """The first instant from ``now`` on at which it takes one more, if none that is under way ends."""
        if self.allowed is None or self.may_read(now, under_way):
            return now
        seconds = log((under_way + 1) / self.allowed) / log(self._growth)
        return max(now + 1, self.since + ceil(seconds * SECOND))

    def throttled(self, now: int, under_way: int) -> None:
        """One of its events was refused."""
        if self.plan.slow_down is None or now - self.since < SECOND:
            return
        self.allowed, self.since = max(1, under_way * self.plan.slow_down[0] / 100), now

    @property
    def _growth(self) -> float:
        assert self.plan.slow_down is not None
        return 1 + self.plan.slow_down[1] / 100

    def _allowed_at(self, now: int) -> float:
        assert self.allowed is not None
        return float(self.allowed * self._growth ** ((now - self.since) / SECOND))
