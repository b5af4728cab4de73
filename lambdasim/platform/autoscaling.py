"""Application Auto Scaling of provisioned concurrency: when target tracking acts, and what it asks for.

Sources: Lambda's provisioned-concurrency page and the target tracking page of Application Auto Scaling (read 2026).
Shares are whole thousandths, so that points compare exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingSpec:
    """Target tracking of one function, in integers."""

    target: int  # utilisation in thousandths
    uses_maximum: bool  # the highest utilisation of the minute; else the average
    out_points: int
    in_points: int
    in_below: int  # utilisation in thousandths of thousandths: the target times the threshold
    in_step: int  # most that one step takes away, in thousandths of what is there
    delay_ns: int  # of the metric
    out_cooldown_ns: int
    in_cooldown_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Utilisation in one minute, as ``busy`` / ``capacity``, and the load: ``load`` / ``per`` busy environments."""

    busy: int
    capacity: int
    load: int
    per: int


def should_scale_out(points: Sequence[Point | None], spec: TrackingSpec) -> bool:
    """Whether the last points, the oldest first, are all there and above the target.

    AWS: three consecutive points of a minute above the target (provisioned-concurrency page, read 2026).
    """
    recent = points[-spec.out_points :]
    return len(recent) == spec.out_points and all(
        point is not None and point.busy * 1_000 > spec.target * point.capacity for point in recent
    )


def should_scale_in(points: Sequence[Point | None], spec: TrackingSpec) -> bool:
    """Whether the last points are all there and below 90 % of the target; no data means no scaling in.

    Source of the 90 %: 0.63 for a target of 0.7 (provisioned-concurrency page, read 2026).
    """
    recent = points[-spec.in_points :]
    return len(recent) == spec.in_points and all(
        point is not None and point.busy * 1_000_000 < spec.in_below * point.capacity for point in recent
    )


def wanted(point: Point, spec: TrackingSpec) -> int:
    """Units with which the load of a point would be at the target, rounded up.

    MODEL: AWS says "proportional to the metric"; here the load is that of the capacity with which it was measured, so
    that what is under preparation already is not asked for twice.
    """
    return -(-point.load * 1_000 // (point.per * spec.target))


def scaled_in(requested: int, want: int, low: int, spec: TrackingSpec) -> int:
    """Units after one step down: what is wanted, but no more than a share of what is there at once, and at least one.

    MODEL: AWS speaks of smaller periodic steps; the size of a step is a parameter.
    """
    least = requested - max(1, requested * spec.in_step // 1_000)
    return min(requested, max(want, least, low))
