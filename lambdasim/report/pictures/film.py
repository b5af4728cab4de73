"""What a film of a run shows at each of its frames, as numbers. ``scene`` draws them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import NOT_YET
from lambdasim.metrics.instants import State, Waiting, so_far, states_at, waiting_at
from lambdasim.metrics.outcomes import is_error
from lambdasim.metrics.run import Run
from lambdasim.report.pictures.lifelines import Rows, shared_rows
from lambdasim.scenario.changes import LimitsInForce

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Film:
    """From when to when of a run, and in how many frames for how long. Each frame shows one instant."""

    start_ns: int
    end_ns: int
    frames: int
    seconds: float

    @cached_property
    def times_ns(self) -> IntArray:
        """The instant of each frame, the first at the start and the last at the end."""
        return np.linspace(self.start_ns, self.end_ns, self.frames).astype(np.int64)

    @property
    def ns_per_film_s(self) -> float:
        """How much of the run a second of film shows."""
        return (self.end_ns - self.start_ns) / self.seconds


@dataclass(frozen=True)
class FilmedRun:
    """A run at the instants of a film."""

    run: Run
    film: Film

    @cached_property
    def rows(self) -> Rows:
        """The place of each environment among the boxes."""
        return shared_rows(self.run.log)

    @cached_property
    def states(self) -> npt.NDArray[np.uint8]:
        """The state in each place at each frame. Shape (frames, places)."""
        return states_at(self.run.log, self.rows.row, self.rows.total, self.film.times_ns)

    @cached_property
    def waiting(self) -> Waiting:
        """Who waits at each frame."""
        return waiting_at(self.run.log, self.run.outcomes, self.film.times_ns)

    @cached_property
    def refused(self) -> IntArray:
        """How many attempts have been refused until each frame."""
        return so_far(self.run.log.throttles.time_ns, self.film.times_ns)

    @cached_property
    def failed(self) -> IntArray:
        """How many invocations have failed until each frame: errors, crashes and timeouts of the function."""
        invocations = self.run.log.invocations
        return so_far(invocations.end_ns[is_error(invocations.result)], self.film.times_ns)

    @cached_property
    def gave_up(self) -> IntArray:
        """How many attempts their callers, or the front end, have stopped waiting for until each frame."""
        return so_far(self.run.log.abandonments.time_ns, self.film.times_ns)

    @cached_property
    def in_flight(self) -> IntArray:
        """The concurrency of each function at each frame. Shape (functions, frames)."""
        invocations, times_ns = self.run.log.invocations, self.film.times_ns
        ended = invocations.end_ns != NOT_YET
        levels = []
        for function in range(len(self.run.log.function_names)):
            mine = invocations.function == function
            begun = so_far(invocations.admitted_ns[mine], times_ns)
            levels.append(begun - so_far(invocations.end_ns[mine & ended], times_ns))
        return np.array(levels)

    @cached_property
    def limits(self) -> list[LimitsInForce]:
        """Quota and reservations at each frame."""
        states = self.run.limits
        since = np.searchsorted([state.at_ns for state in states], self.film.times_ns, side="right") - 1
        return [states[number] for number in since]

    @property
    def poster(self) -> int:
        """The frame in which most happens: the one to show before anybody presses play."""
        refused = np.diff(self.refused, prepend=self.refused[:1])
        at_work = np.isin(self.states, (State.INITIALISING, State.BUSY)).sum(axis=1)
        initialising = (self.states == State.INITIALISING).sum(axis=1)
        score = at_work + 2 * initialising + self.waiting.environment
        if refused.max(initial=0):
            score = score + score.max(initial=0) * refused / refused.max()
        return int(np.argmax(score))
