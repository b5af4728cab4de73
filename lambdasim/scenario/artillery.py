"""The phases of a test script of the load tester Artillery, pasted as they are.

Keys and units are Artillery's: bare numbers, rates per second, durations in seconds or as text.
Source: https://www.artillery.io/docs/reference/test-script#phases---load-phases (read 2026-11).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Field, PlainSerializer, Tag, model_validator

from lambdasim import units
from lambdasim.errors import RuleViolation
from lambdasim.scenario.fields import Model
from lambdasim.scenario.k6 import WithoutEffect
from lambdasim.scenario.rate_course import RateCourse, through_stages
from lambdasim.units import NS_PER_S

_WAYS = ("arrivalRate", "arrivalCount", "pause")


def _artillery_duration(value: Any) -> int:
    """Nanoseconds of a bare number of seconds, or of text such as ``60s`` or ``5m``; above 0."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number or (isinstance(value, str) and value.strip().replace(".", "", 1).isdecimal()):
        value = f"{value}s" if value else 0
    duration_ns = units.parse_duration(value)
    if duration_ns < 1:
        raise RuleViolation("must be above 0")
    return duration_ns


# Nanoseconds, 1 or more.
ArtilleryDuration = Annotated[
    int, BeforeValidator(_artillery_duration), PlainSerializer(units.format_duration, return_type=str)
]
_PerSecond = Annotated[float, Field(ge=0, le=1e9, strict=True)]


class Phase(Model):
    """One phase: a rate for a time, a rate that rises or falls, so many arrivals in a time, or a pause."""

    duration: ArtilleryDuration | None = None
    arrivalRate: _PerSecond | None = None
    rampTo: _PerSecond | None = None
    arrivalCount: Annotated[int, Field(ge=0, le=1_000_000_000, strict=True)] | None = None
    pause: ArtilleryDuration | None = None
    name: str | None = None
    maxVusers: WithoutEffect = None

    @model_validator(mode="after")
    def _one_kind_of_phase(self) -> Phase:
        ways = [key for key in _WAYS if getattr(self, key) is not None]
        if len(ways) != 1:
            got = f"has {' and '.join(ways)}" if ways else "has none of them"
            hint = "write arrivalRate: 0" if self.rampTo is not None and not ways else ""
            raise RuleViolation(f"must have exactly one of arrivalRate, arrivalCount and pause; it {got}", hint)
        if self.rampTo is not None and ways != ["arrivalRate"]:
            raise RuleViolation("must not have rampTo without arrivalRate", "")
        if (self.duration is None) != (ways == ["pause"]):
            rule = "must not have a duration beside a pause" if self.duration else "must have a duration"
            raise RuleViolation(rule, "" if self.duration else "for example duration: 60")
        if self.arrivalCount is not None and self.moves[0][1] > 1e9:
            raise RuleViolation("must have at most 1e9 arrivals per second", "")
        return self

    @property
    def length_ns(self) -> int:
        """How long the phase lasts."""
        return self.duration or self.pause or 0

    @property
    def moves(self) -> list[tuple[int, float]]:
        """A jump to the first rate, and a line to the last one: (duration in ns, rate at its end).

        MODEL: Artillery itself changes the rate of a ramp once a second, in whole requests.
        """
        first = self.arrivalRate or 0.0
        if self.arrivalCount is not None:
            first = self.arrivalCount / (self.length_ns / NS_PER_S)
        return [(0, first), (self.length_ns, first if self.rampTo is None else self.rampTo)]


_Phases = Annotated[tuple[Phase, ...], Field(min_length=1)]


class Artillery(Model):
    """The ``config`` of a test script, with its load phases."""

    phases: _Phases


def _as_phases(value: Any) -> Any:
    if isinstance(value, dict) and "config" in value:
        raise RuleViolation("must be the phases alone", "paste what is below config, or the list below config.phases")
    if isinstance(value, dict | list | tuple | Model):
        return value
    raise RuleViolation("must be a list of phases", "for example [{duration: 60, arrivalRate: 5}]")


# The phases under their key, or the bare list of them.
ArtilleryPhases = Annotated[
    Annotated[Artillery, Tag("under-phases")] | Annotated[_Phases, Tag("bare-list")],
    Discriminator(lambda value: "bare-list" if isinstance(value, list | tuple) else "under-phases"),
    BeforeValidator(_as_phases),
]


def phases_of(value: Artillery | tuple[Phase, ...]) -> tuple[Phase, ...]:
    """The phases, however they were written."""
    return value.phases if isinstance(value, Artillery) else value


def course_of(phases: Sequence[Phase]) -> RateCourse:
    """The rate of the phases one after the other, and 0 after the last one."""
    return through_stages(0.0, [*(stage for phase in phases for stage in phase.moves), (0, 0.0)])
