"""How the code of a function fails."""

from __future__ import annotations

from pydantic import model_validator

from lambdasim.errors import RuleViolation
from lambdasim.scenario.fields import Model, Ratio


class Errors(Model):
    """How invocations fail. ``rate`` and ``poison`` are handled errors; a crash resets the environment."""

    rate: Ratio = 0.0
    poison: Ratio = 0.0
    crash: Ratio = 0.0

    @model_validator(mode="after")
    def _at_most_all(self) -> Errors:
        if self.rate + self.crash > 1:
            raise RuleViolation("must have rate and crash add up to at most 100%", "")
        return self
