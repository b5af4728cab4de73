"""What every engine is: a pure function from workload and platform to event log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from lambdasim.eventlog.log import EventLog
from lambdasim.platform.region import Platform
from lambdasim.workload.workload import Workload

# Called now and then with the simulated time in ns and the number of requests that have arrived.
OnProgress = Callable[[int, int], None]


class Interrupt:
    """A request to stop early. The run ends with the current instant, so that what it leaves is consistent."""

    def __init__(self) -> None:
        self._stop: Callable[[], None] | None = None
        self.requested = False

    def on_request(self, stop: Callable[[], None]) -> None:
        """Called by the engine: how to stop it."""
        self._stop = stop
        if self.requested:
            stop()

    def request(self) -> None:
        """Ask the engine to stop; safe to call from a signal handler."""
        self.requested = True
        if self._stop is not None:
            self._stop()


class Engine(Protocol):
    """Turns a workload into an event log. Deterministic: same input, equal arrays."""

    name: str

    def run(
        self,
        workload: Workload,
        platform: Platform,
        *,
        on_progress: OnProgress | None = None,
        interrupt: Interrupt | None = None,
    ) -> EventLog:
        """The log of one run."""
        ...
