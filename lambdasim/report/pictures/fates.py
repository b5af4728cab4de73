"""What a request counts as in the pictures: its outcome, with completed requests split by how they got there."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from lambdasim.metrics.outcomes import Outcome
from lambdasim.metrics.run import Run
from lambdasim.report.pictures.style import Colour


class Fate(IntEnum):
    """Fates in the order in which they are stacked, from the bottom."""

    WARM = 0
    COLD = 1
    RETRIED = 2
    FAILED = 3
    TIMED_OUT_CLIENT = 4
    THROTTLED = 5
    DROPPED = 6
    IN_FLIGHT = 7

    @property
    def colour(self) -> str:
        """Its colour, the same in all pictures."""
        return Colour[self.name]

    @property
    def label(self) -> str:
        """Its name for people."""
        return _LABELS[self]


_LABELS = {
    Fate.WARM: "completed, warm",
    Fate.COLD: "completed, cold start",
    Fate.RETRIED: "completed after retries",
    Fate.FAILED: "failed",
    Fate.TIMED_OUT_CLIENT: "gave up waiting\n(caller or gateway)",
    Fate.THROTTLED: "throttled, gave up",
    Fate.DROPPED: "dropped",
    Fate.IN_FLIGHT: "in flight at the end",
}

_FATE_OF_OUTCOME = np.array([Fate.WARM if outcome is Outcome.COMPLETED else Fate[outcome.name] for outcome in Outcome])


def request_fates(run: Run) -> npt.NDArray[np.int64]:
    """The ``Fate`` of each request. Retried: completed in its second attempt or later, cold or not."""
    outcomes, invocations = run.outcomes, run.log.invocations
    fates = _FATE_OF_OUTCOME[outcomes.outcome]
    completed = np.flatnonzero(outcomes.outcome == Outcome.COMPLETED)
    fates[completed[invocations.is_cold[outcomes.last_invocation[completed]]]] = Fate.COLD
    fates[completed[outcomes.attempts[completed] > 1]] = Fate.RETRIED
    return fates
