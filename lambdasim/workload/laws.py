"""Which durations and errors apply when: a function's behaviour from the start, and after each change to it.

MODEL: a request behaves by the code that was in force when it arrived, over all its attempts. Work that waits (events,
messages, records) fails by the error rate and crashes in force when it is tried, so that a fix helps what is still in a
queue; what it carries, its duration and whether it is poison, stays as it was at its arrival.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lambdasim.scenario.changes import in_time_order
from lambdasim.scenario.schema import Function, Scenario

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Laws:
    """Versions of one function's behaviour, each in force from its instant on."""

    from_ns: IntArray
    versions: tuple[Function, ...]

    def version_at(self, times_ns: IntArray) -> npt.NDArray[np.intp]:
        """Number of the version in force at each time; a change at t holds for what arrives at t."""
        return np.searchsorted(self.from_ns, times_ns, side="right") - 1

    def version_of(self, time_ns: int) -> int:
        """Number of the version in force at one time."""
        return 0 if len(self.versions) == 1 else int(np.searchsorted(self.from_ns, time_ns, side="right")) - 1


def laws_of(scenario: Scenario) -> dict[str, Laws]:
    """The laws of each function."""
    return {name: _laws(name, function, scenario) for name, function in scenario.functions.items()}


def _laws(name: str, function: Function, scenario: Scenario) -> Laws:
    from_ns, versions = [0], [function]
    for _, change in in_time_order(scenario.changes):
        changed = (change.functions or {}).get(name)
        update: dict[str, Any] = {}
        if changed is not None and changed.duration is not None:
            update["duration"] = changed.duration
        if changed is not None and changed.errors is not None:
            update["errors"] = changed.errors
        if update:
            from_ns.append(change.at)
            versions.append(versions[-1].model_copy(update=update))
    return Laws(from_ns=np.array(from_ns, dtype=np.int64), versions=tuple(versions))


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """When a traffic source is on: from the start until its first change to off, and so on."""

    at_ns: IntArray
    is_on: npt.NDArray[np.bool_]

    def on_at(self, times_ns: IntArray) -> npt.NDArray[np.bool_]:
        """Whether the source sends at each time; a change at t holds for what would arrive at t."""
        return np.take(self.is_on, np.searchsorted(self.at_ns, times_ns, side="right") - 1)

    def next_on_ns(self, time_ns: int) -> int | None:
        """The first instant from ``time_ns`` on at which the source is on, or None if it never is again."""
        number = int(np.searchsorted(self.at_ns, time_ns, side="right")) - 1
        if self.is_on[number]:
            return time_ns
        later = np.flatnonzero(self.is_on[number + 1 :])
        return int(self.at_ns[number + 1 + later[0]]) if len(later) else None


ALWAYS_ON = Switch(at_ns=np.array([0], dtype=np.int64), is_on=np.array([True]))


def switches_of(scenario: Scenario) -> dict[str, Switch]:
    """The switch of each source that is ever switched."""
    switched: dict[str, list[tuple[int, str]]] = {}
    for _, change in in_time_order(scenario.changes):
        for name, word in (change.traffic or {}).items():
            switched.setdefault(name, []).append((change.at, word))
    return {name: _switch(changes) for name, changes in switched.items()}


def _switch(changes: Sequence[tuple[int, str]]) -> Switch:
    return Switch(
        at_ns=np.array([0, *(at for at, _ in changes)], dtype=np.int64),
        is_on=np.array([True, *(word == "on" for _, word in changes)]),
    )
