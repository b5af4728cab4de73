"""The form of every test here: independent replications against a closed form, and a mutant that must be told apart.

Each comparison is kept with words for people, so that ``docs/validation.md`` can show what the tests found.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from lambdasim.eventlog.log import EventLog
from lambdasim.scenario.schema import Scenario
from tests.builders import log_of
from tests.statistical.comparison import Comparison

# A right model is off by more than 4 standard errors once in 16,000 times; seeds are fixed, so that it never varies.
AGREES = 4.0
DIFFERS = 6.0

# The comparisons of the test that runs, in order; conftest empties it before each.
kept: list[Comparison] = []

Samples = Sequence[float] | np.ndarray


def z_score(samples: Samples, expected: float, what: str, *, part: str = "", unit: str = "", mutant: str = "") -> float:
    """Distance of the mean of the replications from theory, in standard errors; the comparison is kept.

    Infinite where the replications do not vary but differ from it. ``what`` is compared, with which ``part`` of it if
    there are several, and ``mutant`` if the simulator, or the formula, is wrong on purpose. Shares have the unit ``%``.
    """
    made = comparison(samples, expected, what, part=part, unit=unit, mutant=mutant)
    kept.append(made)
    return made.z


def distance(samples: Samples, expected: float) -> float:
    """The same without being kept: to look for the one of several that a mutant moves most."""
    return comparison(samples, expected, "").z


def comparison(
    samples: Samples, expected: float, what: str, *, part: str = "", unit: str = "", mutant: str = ""
) -> Comparison:
    """Mean and standard error of the replications beside the value by formula."""
    values = np.asarray(samples, dtype=np.float64)
    return Comparison(
        what=what,
        part=part,
        unit=unit,
        mutant=mutant,
        expected=float(expected),
        mean=float(values.mean()),
        standard_error=float(values.std(ddof=1)) / math.sqrt(len(values)),
        count=len(values),
    )


def replications(made: Scenario, measure: Callable[[EventLog], float | list[float]], count: int) -> np.ndarray:
    """What ``measure`` finds in the logs of the seeds 1 to ``count``, one row (or number) each."""
    return np.array([measure(log_of(made, seed)) for seed in range(1, count + 1)])
