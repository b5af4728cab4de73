"""What provisioned concurrency is billed for being there: units x time, from the changes of what was asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lambdasim.eventlog.log import NOT_YET, EventLog
from lambdasim.platform.billing import billed_capacity_ns
from lambdasim.units import NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityUse:
    """Provisioned concurrency of one function in an interval, each in units x ns."""

    requested: int
    rounded_up: int  # billed beyond that, as periods are rounded up to 5 minutes
    busy: int  # spent on invocations

    @property
    def busy_of_requested(self) -> int:
        """As much of what was asked for as was busy: environments that outlive a reduction are busy beyond that."""
        return min(self.busy, self.requested)


def capacity_use(log: EventLog, function: int, until_ns: int) -> CapacityUse:
    """What a function's provisioned concurrency was and did in [0, until)."""
    rows = log.capacity.function == function
    if not rows.any():
        return CapacityUse(requested=0, rounded_up=0, busy=0)
    requested, rounded_up = requested_units_ns(
        log.capacity.time_ns[rows].tolist(), log.capacity.requested[rows].tolist(), until_ns
    )
    return CapacityUse(requested=requested, rounded_up=rounded_up, busy=_busy_ns(log, function, until_ns))


def requested_units_ns(times_ns: list[int], requested: list[int], until_ns: int) -> tuple[int, int]:
    """Units x time in [0, until), and what rounding up adds. ``requested[i]`` holds from ``times_ns[i]`` on.

    MODEL: AWS rounds the time from enabling to disabling, and does not say how levels in between count. Here the last
    level before disabling is what the rounded time goes on with. A period that is not over at ``until`` is not rounded.
    """
    total = rounded_up = 0
    level, since_ns, enabled_ns = 0, 0, 0
    for at_ns, units in zip(times_ns, requested, strict=True):
        if at_ns >= until_ns:
            break
        total += level * (at_ns - since_ns)
        if level and not units:
            period_ns = at_ns - enabled_ns
            rounded_up += level * (billed_capacity_ns(period_ns) - period_ns)
        elif units and not level:
            enabled_ns = at_ns
        level, since_ns = units, at_ns
    return total + level * (until_ns - since_ns), rounded_up


def _busy_ns(log: EventLog, function: int, until_ns: int) -> int:
    invocations = log.invocations
    mine = (invocations.function == function) & (invocations.handler_ns != NOT_YET)
    rows = np.flatnonzero(mine & log.is_on_provisioned)
    start = np.minimum(invocations.handler_ns[rows], until_ns)
    busy = np.minimum(log.clipped_end_ns[rows], until_ns) - start
    # Seconds and the rest apart: thousands of units over weeks are more nanoseconds than 64 bits hold.
    return int((busy // NS_PER_S).sum()) * NS_PER_S + int((busy % NS_PER_S).sum())
