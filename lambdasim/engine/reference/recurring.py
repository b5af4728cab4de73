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


class _Ring(Recurring):
    """One scheduled call of an alarm."""

    key: tuple[int, int]


class Alarm:
    """One call at the least (time, rank) that was asked for; what asks for later ones asks again when it is called."""

    __slots__ = ("_call", "_callbacks", "_clock", "_due", "_spare", "rank")

    def __init__(self, clock: Clock, call: Callable[[int], None]) -> None:
        self._clock = clock
        self._call = call
        self._callbacks: Callbacks = [self._on_ring]
        self._due: tuple[int, int] | None = None
        self.rank = 0  # of the latest call: what it was for may have changed since it was asked for
        self._spare: list[_Ring] = []

    def set(self, now_ns: int, due_ns: int, rank: int) -> None:
        """Call at ``due_ns``, in the order of ``rank``, unless a call is due before that."""
        key = due_ns, rank
        if self._due is not None and self._due <= key:
            return
        self._due = key
        ring = self._spare.pop() if self._spare else _Ring(self._clock)
        ring.key = key
        ring.callbacks = self._callbacks
        self._clock.schedule_in(ring, rank, due_ns - now_ns)

    def _on_ring(self, ring: _Ring) -> None:
        key = ring.key
        self._spare.append(ring)
        if key == self._due:  # else an earlier one has taken its place
            self._due = None
            self.rank = key[1]
            self._call(key[0])
