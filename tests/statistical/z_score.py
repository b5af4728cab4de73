"""The form of every test here: independent replications against a closed form, and a mutant that must be told apart."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from lambdasim.eventlog.log import EventLog
from lambdasim.scenario.schema import Scenario
from tests.builders import log_of

# A right model is off by more than 4 standard errors once in 16,000 times; seeds are fixed, so that it never varies.
AGREES = 4.0
DIFFERS = 6.0


def z_score(samples: Sequence[float] | np.ndarray, expected: float) -> float:
    """Distance of the mean of the replications from theory, in standard errors.

    Infinite where the replications do not vary but differ from it.
    """
    values = np.asarray(samples, dtype=np.float64)
    distance = float(values.mean() - expected)
    standard_error = float(values.std(ddof=1)) / math.sqrt(len(values))
    if standard_error == 0:
        return math.copysign(math.inf, distance) if distance else 0.0
    return distance / standard_error


def replications(made: Scenario, measure: Callable[[EventLog], float | list[float]], count: int) -> np.ndarray:
    """What ``measure`` finds in the logs of the seeds 1 to ``count``, one row (or number) each."""
    return np.array([measure(log_of(made, seed)) for seed in range(1, count + 1)])
