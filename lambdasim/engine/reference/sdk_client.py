"""One client object of an SDK while it runs: its retry quota, and the rate limiter of the adaptive mode."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from lambdasim.engine.ordering import EventKind, priority
from lambdasim.engine.reference.recurring import Clock, Recurring
from lambdasim.platform.client_rate import (
    MEASURING_NS,
    bounded,
    capacity,
    fill_rate,
    flat_after,
    measured_rate,
    rate_after_success,
    rate_after_throttle,
)
from lambdasim.scenario.sdk_retries import RetryQuota
from lambdasim.units import NS_PER_S

if TYPE_CHECKING:
    from lambdasim.engine.reference.clients import Call

# What a success without any retry gives back.
_PLAIN_SUCCESS = 1


class QuotaLeft:
    """What is left of the retry quota of one client object."""

    def __init__(self, quota: RetryQuota) -> None:
        self._quota = quota
        self._tokens = quota.tokens

    def pay(self, failure: int) -> int | None:
        """Take the price of a retry after a ``Failure``: what was taken, or None where the quota does not hold it."""
        cost = self._quota.costs[failure]
        if cost > self._tokens:
            return None
        self._tokens -= cost
        return cost

    def succeeded(self, paid: int) -> None:
        """Give back what the last retry of a successful call cost (0: it had none), up to a full quota."""
        self._tokens = min(self._quota.tokens, self._tokens + (paid or _PLAIN_SUCCESS))


class RateLimiter:
    """The adaptive mode's limiter: off until the first throttle, then a token bucket whose rate follows the answers."""

    def __init__(self) -> None:
        self._is_on = False
        self._rate_at_throttle = self._flat_after_s = 0.0
        self._throttled_ns = 0
        self._measured = 0.0
        self._answers = 0
        self._measured_ns = 0
        self._rate = fill_rate(1.0)
        self._capacity = capacity(1.0)
        self._tokens = 0.0
        self._filled_ns = 0

    def wait_ns(self, now_ns: int) -> int:
        """How long the next call has to wait for a token; 0: it may be sent."""
        if not self._is_on:
            return 0
        self._fill(now_ns)
        return 0 if self._tokens >= 1 else max(1, math.ceil((1 - self._tokens) / self._rate * NS_PER_S))

    def take(self) -> None:
        """Take the token that ``wait_ns`` found."""
        if self._is_on:
            self._tokens -= 1

    def answered(self, now_ns: int, *, is_throttle: bool) -> None:
        """An attempt was answered, or given up; every one changes the rate."""
        self._measure(now_ns)
        if is_throttle:
            throttled_at = min(self._measured, self._rate) if self._is_on else self._measured
            self._rate_at_throttle, self._throttled_ns, self._is_on = throttled_at, now_ns, True
            self._flat_after_s = flat_after(throttled_at)
            rate = rate_after_throttle(throttled_at)
        else:
            since_s = (now_ns - self._throttled_ns) / NS_PER_S
            rate = rate_after_success(self._rate_at_throttle, self._flat_after_s, since_s)
        self._fill(now_ns)
        rate = bounded(rate, self._measured)
        self._rate, self._capacity = fill_rate(rate), capacity(rate)
        self._tokens = min(self._tokens, self._capacity)

    def _measure(self, now_ns: int) -> None:
        stretch_ns = now_ns - now_ns % MEASURING_NS
        self._answers += 1
        if stretch_ns > self._measured_ns:
            span_s = (stretch_ns - self._measured_ns) / NS_PER_S
            self._measured = measured_rate(self._measured, self._answers, span_s)
            self._answers, self._measured_ns = 0, stretch_ns

    def _fill(self, now_ns: int) -> None:
        tokens = self._tokens + (now_ns - self._filled_ns) / NS_PER_S * self._rate
        self._tokens = tokens if tokens < self._capacity else self._capacity
        self._filled_ns = now_ns


class PacedCalls:
    """The calls of one client object, sent as its rate limiter lets them.

    MODEL: calls that wait for a token are sent in the order in which they came; threads of a program may not be.
    """

    def __init__(self, clock: Clock, send: Callable[[int, Call], None]) -> None:
        self._clock = clock
        self._send = send
        self._limiter = RateLimiter()
        self._waiting: deque[Call] = deque()
        self._look_ns: int | None = None  # when the first that waits is looked at next

    def submit(self, now_ns: int, call: Call) -> bool:
        """Send a call, or let it wait; whether it was sent."""
        if self._waiting:
            self._waiting.append(call)
            return False
        if self._limiter.wait_ns(now_ns):
            self._waiting.append(call)
            self._look_when_due(now_ns)
            return False
        self._limiter.take()
        self._send(now_ns, call)
        return True

    def answered(self, now_ns: int, *, is_throttle: bool) -> None:
        """An attempt was answered, or given up; the new rate may let the first that waits go earlier."""
        self._limiter.answered(now_ns, is_throttle=is_throttle)
        if self._waiting:
            self._look_when_due(now_ns)

    def _look_when_due(self, now_ns: int) -> None:
        due_ns = now_ns + self._limiter.wait_ns(now_ns)
        if self._look_ns is not None and self._look_ns <= due_ns:
            return  # that look comes in time, and finds out when to look again
        self._look_ns = due_ns
        look = Recurring(self._clock)
        look.callbacks = [lambda _: self._look(due_ns)]
        self._clock.schedule_in(look, priority(EventKind.RETRY, self._waiting[0].index), due_ns - now_ns)

    def _look(self, due_ns: int) -> None:
        if due_ns != self._look_ns:
            return  # an earlier one has taken its place
        self._look_ns = None
        if not self._limiter.wait_ns(due_ns):
            first = self._waiting.popleft()
            self._limiter.take()
            self._send(due_ns, first)
        if self._waiting:
            self._look_when_due(due_ns)
