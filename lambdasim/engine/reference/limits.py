"""The limits of a region while it runs: pools of concurrency, token buckets, the request-rate ramp."""

from __future__ import annotations

from lambdasim.platform.region import PoolSpec
from lambdasim.platform.request_rate_ramp import allowed_after_quiet, next_allowed_per_s
from lambdasim.platform.token_bucket import BucketLimits, debt_after_change, per_second_bucket
from lambdasim.units import NS_PER_S


class Bucket:
    """State of one token bucket; full at the start. The rule is ``token_bucket.debt_after_token``."""

    __slots__ = ("debt", "last_ns", "limits")

    def __init__(self, limits: BucketLimits) -> None:
        self.limits = limits
        self.debt = 0
        self.last_ns = 0

    def settle(self, now_ns: int) -> None:
        """Count what has come back until now."""
        self.debt = max(0, self.debt - min(now_ns - self.last_ns, self.limits.fill_ns) * self.limits.speed)
        self.last_ns = now_ns

    def become(self, limits: BucketLimits) -> None:
        """Other limits from now on, just after ``settle``: the level stays, clamped to the new depth."""
        self.debt = debt_after_change(self.debt, self.limits, limits)
        self.limits = limits


class Pool:
    """Concurrency that functions share, or that one function has reserved, with the request rate that goes with it.

    ``limit`` is what it has for invocations on demand: its size without what provisioned concurrency claims of it.
    """

    __slots__ = ("concurrency_reason", "in_flight", "limit", "rate", "rate_reason", "size")

    def __init__(self, spec: PoolSpec) -> None:
        self.size = self.limit = spec.limit
        self.in_flight = 0
        self.rate = Bucket(spec.rate)
        self.concurrency_reason = spec.concurrency_reason
        self.rate_reason = spec.rate_reason

    def become(self, spec: PoolSpec, now_ns: int) -> None:
        """Another size from now on. What is in flight stays, even where it is more than the new limit."""
        self.size = self.limit = spec.limit
        self.rate.settle(now_ns)
        self.rate.become(spec.rate)


class RequestRateRamp(Bucket):
    """State of one function's request-rate ramp: a bucket whose size follows the rate of the last whole second."""

    __slots__ = ("accepted", "allowed_per_s", "second_end_ns", "start_per_s", "step_per_s")

    def __init__(self, start_per_s: int, step_per_s: int) -> None:
        super().__init__(per_second_bucket(start_per_s))
        self.start_per_s = start_per_s
        self.step_per_s = step_per_s
        self.allowed_per_s = start_per_s
        self.second_end_ns = NS_PER_S
        self.accepted = 0  # attempts accepted in the second that ends at second_end_ns

    def advance(self, now_ns: int) -> None:
        """Close the seconds that ended at or before ``now_ns``; does nothing within a second."""
        if now_ns < self.second_end_ns:
            return
        self.settle(self.second_end_ns)
        self._allow(next_allowed_per_s(self.allowed_per_s, self.accepted, self.start_per_s, self.step_per_s))
        self.accepted = 0
        quiet_seconds = (now_ns - self.second_end_ns) // NS_PER_S
        if quiet_seconds:
            self.second_end_ns += quiet_seconds * NS_PER_S
            self.settle(self.second_end_ns)
            self._allow(allowed_after_quiet(self.allowed_per_s, quiet_seconds, self.start_per_s, self.step_per_s))
        self.second_end_ns += NS_PER_S

    def _allow(self, allowed_per_s: int) -> None:
        if allowed_per_s != self.allowed_per_s:
            self.become(per_second_bucket(allowed_per_s))
            self.allowed_per_s = allowed_per_s
