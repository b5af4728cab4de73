"""Token buckets in integers: the form of every limit of AWS that speaks of a rate.

A bucket is kept as its *debt*, what is missing until it is full, so that an unused bucket needs no upkeep. Debt counts
in units: a token costs ``cost`` units and ``speed`` units come back every nanosecond. With these two the level is exact
for every rate, whole per second or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

from lambdasim.units import NS_PER_S

NO_TOKEN = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketLimits:
    """Size and speed of a token bucket, in units."""

    cost: int  # units a token
    speed: int  # units refilled each ns
    depth: int  # units when full
    fill_ns: int  # an empty bucket is full after this time; longer pauses change nothing


# A token that costs nothing is never refused.
UNLIMITED_BUCKET = BucketLimits(cost=0, speed=0, depth=0, fill_ns=0)


def bucket_limits(*, tokens: int, rate: int, per_ns: int) -> BucketLimits:
    """Bucket of ``tokens`` that gets ``rate`` tokens back in every ``per_ns``, continuously.

    AWS: "refilled continuously", and unused rate does not add up beyond the bucket (scaling-behavior page, read 2026).
    """
    common = gcd(rate, per_ns)
    cost, speed = per_ns // common, rate // common
    depth = tokens * cost
    return BucketLimits(cost=cost, speed=speed, depth=depth, fill_ns=-(-depth // speed))


def per_second_bucket(rate: int) -> BucketLimits:
    """Bucket of one second's worth of ``rate`` tokens a second. All share one cost, so one can become another."""
    return BucketLimits(cost=NS_PER_S, speed=rate, depth=rate * NS_PER_S, fill_ns=NS_PER_S)


def debt_after_token(debt: int, elapsed_ns: int, limits: BucketLimits) -> int:
    """Debt once one token is taken ``elapsed_ns`` after the debt was ``debt``, or NO_TOKEN if there is none to take."""
    if elapsed_ns < limits.fill_ns:
        debt -= elapsed_ns * limits.speed
        if debt < 0:
            debt = 0
    else:
        debt = 0
    debt += limits.cost
    return debt if debt <= limits.depth else NO_TOKEN


def debt_after_change(debt: int, before: BucketLimits, after: BucketLimits) -> int:
    """Debt after the limits changed: the level stays what it was, clamped to the new depth. Both share one cost."""
    return max(0, after.depth - (before.depth - debt))
