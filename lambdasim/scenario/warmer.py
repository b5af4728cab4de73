"""A warmer: pings that are to keep execution environments warm, sent again and again whatever the users do.

A ping is an invocation like any other: it needs an environment, counts in flight, and may start cold or be refused.
Only its handler is another one, that recognises the ping and returns early. What k pings at once do is keep k
environments warm: each holds one while the others come in.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pydantic import model_validator

from lambdasim.errors import RuleViolation
from lambdasim.scenario.distributions import Constant, Distribution
from lambdasim.scenario.fields import Duration, Model, PositiveCount, PositiveDuration

# More pings within the duration are a slip of units.
MOST_PINGS = 10_000_000


class Warmer(Model):
    """Pings to one function: so many at once, again and again.

    MODEL: the pings of a round come at one instant unless ``stagger`` parts them; the handler recognises a ping, takes
    50 ms for it and does not fail. 50 ms lies between what two widely used warmers make a ping wait so that the others
    meet it at work: 25 ms (README of serverless-plugin-warmup) and 75 ms (``delay`` in lambda-warmer's index.js), both
    read 2026-11.
    """

    every: PositiveDuration
    concurrency: PositiveCount = 1
    duration: Distribution = Constant.model_validate({"constant": "50ms"})
    starts: Duration = 0
    stagger: Duration = 0

    @model_validator(mode="after")
    def _a_round_ends_before_the_next(self) -> Warmer:
        if (self.concurrency - 1) * self.stagger >= self.every:
            rule = "must have (concurrency - 1) x stagger below every: a round of pings ends before the next one begins"
            raise RuleViolation(rule, "")
        return self

    def count_pings(self, duration_ns: int) -> int:
        """Pings of all rounds that begin in [0, duration), the cut end of the last one included."""
        return max(-(-(duration_ns - self.starts) // self.every), 0) * self.concurrency

    def pings_ns(self, duration_ns: int) -> npt.NDArray[np.int64]:
        """When each ping in [0, duration) is sent, in order."""
        rounds = self.count_pings(duration_ns) // self.concurrency
        start_ns = self.starts + np.arange(rounds, dtype=np.int64) * self.every
        times_ns = (start_ns[:, None] + np.arange(self.concurrency, dtype=np.int64) * self.stagger).ravel()
        return times_ns[: np.searchsorted(times_ns, duration_ns, side="left")]
