"""How requests come at a given rate: at random, evenly spaced, bunched. How that is drawn stands in ``workload``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from lambdasim.errors import RuleViolation
from lambdasim.scenario.fields import Model, PositiveDuration

# Changes of state within a run; more of them would be a slip of units, and would not fit in memory with ease.
MOST_SWITCHES = 10_000_000

_FORMS = "poisson, uniform, {gamma: {cv: 2}} or {mmpp: {ratio: 10, quiet: 50s, busy: 10s}}"
_EXAMPLES = {"gamma": "{gamma: {cv: 2}}", "mmpp": "{mmpp: {ratio: 10, quiet: 50s, busy: 10s}}"}


class GammaGaps(Model):
    """How uneven the gaps between requests are: 1 is Poisson, less is more even, more is more bunched."""

    cv: Annotated[float, Field(gt=0, le=100, strict=True)]


class GammaArrivals(Model):
    """A stationary renewal process with gamma gaps, stretched and squeezed so that it follows the rate."""

    gamma: GammaGaps


class Modulation(Model):
    """Two states that last for exponential times, and how many times the rate of the quiet one the busy one has."""

    ratio: Annotated[float, Field(gt=1, le=1_000_000, strict=True)]
    quiet: PositiveDuration
    busy: PositiveDuration

    @property
    def busy_share(self) -> float:
        """Share of the time that is busy, in the long run."""
        return self.busy / (self.quiet + self.busy)

    @property
    def factors(self) -> tuple[float, float]:
        """By what the stated rate is multiplied while quiet and while busy; 1 on average in the long run."""
        quiet = 1 / (1 + (self.ratio - 1) * self.busy_share)
        return quiet, self.ratio * quiet

    def expected_switches(self, duration_ns: int) -> float:
        """Mean number of changes of state within a duration: two in every round of quiet and busy."""
        return 2 * duration_ns / (self.quiet + self.busy)


class MmppArrivals(Model):
    """A Markov-modulated Poisson process: Poisson at a rate that jumps between two levels at random."""

    mmpp: Modulation


def _as_law(value: Any) -> Any:
    if isinstance(value, str):
        if value in _EXAMPLES:
            raise RuleViolation(f"must be a mapping where it is {value}", f"for example {_EXAMPLES[value]}")
        return value
    if isinstance(value, Model):
        return value
    if not isinstance(value, dict) or len(value) != 1 or next(iter(value)) not in _EXAMPLES:
        raise RuleViolation("must be a known kind of arrivals", _FORMS)
    return value


def _law_tag(value: Any) -> str:
    """The tag of a law. No tag equals a key, so that the place of an error can be told from its tags."""
    if isinstance(value, str):
        return "text"
    keys = type(value).model_fields if isinstance(value, Model) else value
    return "gamma-law" if "gamma" in keys else "mmpp-law"


ArrivalLaw = Annotated[
    Annotated[Literal["poisson", "uniform"], Tag("text")]
    | Annotated[GammaArrivals, Tag("gamma-law")]
    | Annotated[MmppArrivals, Tag("mmpp-law")],
    Discriminator(_law_tag),
    BeforeValidator(_as_law),
]
