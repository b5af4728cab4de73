"""Steps of concurrency over time, by plain sweeps over an event log: nothing here comes from ``lambdasim.metrics``."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from itertools import accumulate

import numpy as np

from lambdasim.eventlog.log import NOT_YET, EventLog

Interval = tuple[int, int]


class Steps:
    """A number that changes at instants: how many intervals [start, end) hold each instant."""

    def __init__(self, intervals: Iterable[Interval]) -> None:
        changes: Counter[int] = Counter()
        for start, end in intervals:
            changes[start] += 1
            changes[end] -= 1
        self.times = sorted(changes)
        self.levels = list(accumulate(changes[time] for time in self.times))

    @property
    def peak(self) -> int:
        """The greatest level; at one instant, ends count before starts."""
        return max(self.levels, default=0)

    @property
    def integral(self) -> int:
        """The area under the steps."""
        lengths = (later - earlier for earlier, later in zip(self.times[:-1], self.times[1:], strict=True))
        return sum(level * length for level, length in zip(self.levels[:-1], lengths, strict=True))

    def at(self, time: int) -> int:
        """The level from ``time`` on, up to the next change."""
        position = bisect_right(self.times, time)
        return self.levels[position - 1] if position else 0

    def peak_within(self, after: int, until: int) -> int:
        """The greatest level in (after, until]."""
        inside = self.levels[bisect_right(self.times, after) : bisect_right(self.times, until)]
        return max([self.at(after), *inside])


def in_flight(log: EventLog, functions: Iterable[int] | None = None) -> list[Interval]:
    """[admitted, end) of every invocation, of some functions or of all; what runs at the end is cut there."""
    chosen = range(len(log.function_names)) if functions is None else functions
    mask = np.isin(log.requests.function[log.invocations.request], list(chosen))
    admitted = log.invocations.admitted_ns[mask].tolist()
    return list(zip(admitted, log.clipped_end_ns[mask].tolist(), strict=True))


def alive(log: EventLog, function: int) -> list[Interval]:
    """[created, reaped) of every environment of a function; what lives at the end of the run lives on."""
    mine = log.environments.function == function
    reaped = np.where(log.environments.reaped_ns == NOT_YET, log.end_ns + 1, log.environments.reaped_ns)
    return list(zip(log.environments.created_ns[mine].tolist(), reaped[mine].tolist(), strict=True))
