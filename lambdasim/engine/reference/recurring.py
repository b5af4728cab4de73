"""SimPy, as this engine uses it: an integer clock, and events that happen again and again at a rank of our choosing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from simpy import Environment
from simpy.events import Event

Callbacks = list[Callable[[Any], None]]


class Clock(Environment):
    """A SimPy environment that counts integer nanoseconds.

    ``schedule_in(event, rank, delay_ns)`` is SimPy's own ``schedule`` under the types that are meant here: the rank is
    a number from ``engine.ordering``, not one of SimPy's two priorities.
    """

    def __init__(self) -> None:
        super().__init__(initial_time=0)
        self.schedule_in = cast(Callable[[Event, int, int], None], self.schedule)

    @property
    def now_ns(self) -> int:
        """The simulated time; an integer, because every delay is one."""
        return cast(int, self._now)


class Recurring(Event):
    """A SimPy event that is scheduled again after it was processed.

    SimPy does not document this: an event whose ``callbacks`` are set again can be passed to ``schedule`` again. A
    test holds it to that, and the version is bounded. It saves one object for each event, and ``schedule`` (unlike
    Timeout) takes a rank. Set ``callbacks`` to a list that is not changed afterwards, then schedule.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._ok = True  # as of a Timeout: the value is known before the event is processed
        self._value = None
