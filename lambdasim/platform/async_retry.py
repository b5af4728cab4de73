"""When Lambda tries an asynchronous event again, and when it gives it up. Times in ns.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html (read 2026): a throttled event
returns to the queue and is tried again with a delay that grows from 1 s to 5 min, until its maximum age; an event whose
function failed is tried again after 1 min and after 2 more.
"""

from __future__ import annotations

from enum import IntEnum

from lambdasim.platform.retry import backoff_ns
from lambdasim.units import NS_PER_S

_FIRST_THROTTLE_DELAY_NS = NS_PER_S
_MOST_THROTTLE_DELAY_NS = 300 * NS_PER_S
_ERROR_DELAYS_NS = (60 * NS_PER_S, 120 * NS_PER_S)


class DropReason(IntEnum):
    """Why an event was given up. The numbers are stored in the log: never renumber, only append."""

    EVENT_AGE_EXCEEDED = 0  # older than the maximum age, or its next try would be
    RETRIES_EXHAUSTED = 1  # the function failed, and no retry was left
    ZERO_RESERVED_CONCURRENCY = 2  # the function is stopped by a reservation of 0

    @property
    def key(self) -> str:
        """The name in files: ``event_age_exceeded``."""
        return self.name.lower()


def throttle_delay_ns(throttles: int) -> int:
    """Greatest delay after the n-th throttle in a row: 1 s, 2 s, 4 s ... 5 min."""
    return backoff_ns(_FIRST_THROTTLE_DELAY_NS, _MOST_THROTTLE_DELAY_NS, throttles)


def error_delay_ns(error: int) -> int:
    """Delay from the end of the e-th failed invocation to the next try."""
    return _ERROR_DELAYS_NS[error - 1]


def is_too_old(arrival_ns: int, time_ns: int, maximum_age_ns: int) -> bool:
    """Whether an event is past its maximum age; one of exactly that age is not."""
    return time_ns - arrival_ns > maximum_age_ns
