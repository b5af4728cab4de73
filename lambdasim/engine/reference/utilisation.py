"""Utilisation of a function's provisioned concurrency, minute by minute: what target tracking looks at."""

from __future__ import annotations

from collections import deque

from lambdasim.platform.autoscaling import Point, TrackingSpec
from lambdasim.scenario.provisioned import POINT_NS


class UtilisationMeter:
    """Counts busy environments and capacity over time, and closes a point at the end of every minute.

    A minute has a point if an invocation of the function was admitted in it while some capacity was allocated: AWS has
    the metric only when there are invocations (provisioned-concurrency page, read 2026).
    MODEL: the average is over the time of the minute, as bursts of a few seconds do not move it, which AWS says too.
    """

    def __init__(self, spec: TrackingSpec) -> None:
        self._uses_maximum = spec.uses_maximum
        self._unknown = spec.delay_ns // POINT_NS  # minutes that ended while the metric of an earlier one was late
        self._points: deque[Point | None] = deque(maxlen=max(spec.out_points, spec.in_points) + self._unknown)
        self._busy = self._capacity = 0  # from now on
        self._last_ns = 0
        self._end_ns = POINT_NS
        self._clear()

    def _clear(self) -> None:
        self._busy_ns = self._capacity_ns = 0
        self._is_invoked = False
        self._highest = (0, 0)  # busy and capacity at the admission with the highest utilisation
        self._most_busy = 0

    def becomes(self, now_ns: int, busy: int, capacity: int) -> None:
        """So many are busy of so many from now on."""
        self.advance(now_ns)
        self._count(now_ns)
        self._busy, self._capacity = busy, capacity

    def admitted(self, now_ns: int) -> None:
        """An invocation of the function was admitted, and is counted if it is on provisioned concurrency."""
        self.advance(now_ns)
        if not self._capacity:
            return
        self._is_invoked = True
        busy, capacity = self._highest
        if not capacity or self._busy * capacity > busy * self._capacity:
            self._highest = (self._busy, self._capacity)
        self._most_busy = max(self._most_busy, self._busy)

    def known_points(self) -> list[Point | None]:
        """The points whose metric is there when one comes in, the oldest first; None where there is no data."""
        return list(self._points)[: len(self._points) - self._unknown]

    def advance(self, now_ns: int) -> None:
        """Close the minutes that ended at or before ``now_ns``."""
        while now_ns >= self._end_ns:
            self._count(self._end_ns)
            self._points.append(self._point() if self._is_invoked else None)
            self._clear()
            self._end_ns += POINT_NS

    def _point(self) -> Point:
        if self._uses_maximum:
            busy, capacity = self._highest
            return Point(busy=busy, capacity=capacity, load=self._most_busy, per=1)
        return Point(busy=self._busy_ns, capacity=self._capacity_ns, load=self._busy_ns, per=POINT_NS)

    def _count(self, now_ns: int) -> None:
        self._busy_ns += self._busy * (now_ns - self._last_ns)
        self._capacity_ns += self._capacity * (now_ns - self._last_ns)
        self._last_ns = now_ns
