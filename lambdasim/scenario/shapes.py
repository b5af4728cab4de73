"""How the rate of a traffic source changes over time: stages, in k6's words, and named shapes.

What a shape means is its ``course``: a line of the rate over time. Shapes that come again and again (diurnal, burst,
cron) are made for as long as the run lasts, the others have a length of their own.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Annotated, ClassVar

import numpy as np
from pydantic import AfterValidator, Field, model_validator

from lambdasim.errors import RuleViolation
from lambdasim.scenario import cron
from lambdasim.scenario.fields import Duration, Model, PositiveCount, PositiveDuration, PositiveRate, Rate, Ratio
from lambdasim.scenario.rate_course import IntArray, RateCourse, pulses, through_stages
from lambdasim.scenario.week import DAY_NS, FIRST_WEEKEND_DAY, LengthOfDay, TimeOfDay, WeekTime
from lambdasim.units import NS_PER_S

# As in ``units.parse_rate``.
HIGHEST_RATE = 1e9

# Bursts, instants or points within a run; more of them would be a slip of units, and take long to prepare.
MOST_PARTS = 1_000_000

# MODEL: a day's wave is drawn with straight lines between so many points, every 5 minutes of the day.
POINTS_PER_DAY = 288


class Stage(Model):
    """A linear change of the rate to ``target`` over ``duration``; ``0s`` is a jump."""

    duration: Duration
    target: Rate
    name: str | None = None


class ShapeForm(Model):
    """What all shapes have in common."""

    parts: ClassVar[str] = "stages"  # what a shape that comes again and again is made of

    @abstractmethod
    def course(self, duration_ns: int) -> RateCourse:
        """The rate over [0, duration)."""

    @property
    def length_ns(self) -> int | None:
        """When the shape comes to its end; None where it goes on for ever."""
        return None

    def count_parts(self, duration_ns: int) -> int:
        """How many parts it has within the duration; above MOST_PARTS, no more than that there are too many."""
        return 1


class _OnceOnly(ShapeForm):
    """A shape that is a list of stages."""

    @abstractmethod
    def _stages(self) -> list[tuple[int, float]]:
        """(duration in ns, rate at its end), one after the other."""

    @property
    @abstractmethod
    def _first_rate(self) -> float:
        """The rate at 0."""

    def course(self, duration_ns: int) -> RateCourse:
        return through_stages(self._first_rate, self._stages())

    @property
    def length_ns(self) -> int | None:
        return sum(duration for duration, _ in self._stages())


class Spike(_OnceOnly):
    """Baseline, then from ``at`` a ramp up to the peak, a hold, and a ramp down of the same length."""

    baseline: Rate = 0.0
    peak: PositiveRate
    at: Duration
    ramp: Duration = 0
    hold: Duration

    def _stages(self) -> list[tuple[int, float]]:
        return [(self.at, self.baseline), (self.ramp, self.peak), (self.hold, self.peak), (self.ramp, self.baseline)]

    @property
    def _first_rate(self) -> float:
        return self.baseline


class Ramp(_OnceOnly):
    """Baseline, then from ``at`` a straight line to the target, where the rate stays."""

    baseline: Rate = 0.0
    target: Rate
    at: Duration = 0
    ramp: Duration

    def _stages(self) -> list[tuple[int, float]]:
        return [(self.at, self.baseline), (self.ramp, self.target)]

    @property
    def _first_rate(self) -> float:
        return self.baseline


class Steps(_OnceOnly):
    """A staircase: the first rate, then so many steps up, each level held for ``every``; the last one stays."""

    start: Rate
    step: PositiveRate
    steps: Annotated[int, Field(ge=1, le=10_000, strict=True)]
    every: PositiveDuration

    @model_validator(mode="after")
    def _not_too_high(self) -> Steps:
        if self.start + self.steps * self.step > HIGHEST_RATE:
            raise RuleViolation("must have a last step of at most 1e9/s", "")
        return self

    def _stages(self) -> list[tuple[int, float]]:
        levels = [self.start + number * self.step for number in range(self.steps + 1)]
        return [stage for level in levels for stage in ((0, level), (self.every, level))]

    @property
    def _first_rate(self) -> float:
        return self.start


class Diurnal(ShapeForm):
    """A wave with the length of a day between trough and peak, lower at the weekend.

    A cosine with its top at ``peak_at``. Times of day are those of a clock of 24 hours, whatever ``day`` lasts.
    """

    parts: ClassVar[str] = "points"

    trough: Rate
    peak: PositiveRate
    peak_at: TimeOfDay = 15 * 3_600 * NS_PER_S
    weekend: Ratio = 1.0
    starts: WeekTime = 0
    day: LengthOfDay = DAY_NS

    @model_validator(mode="after")
    def _trough_below_peak(self) -> Diurnal:
        if self.trough > self.peak:
            raise RuleViolation("must have a trough of at most its peak", "swap the two")
        return self

    def course(self, duration_ns: int) -> RateCourse:
        start_ns = self.starts * self.day // DAY_NS  # of the run, since Monday 00:00
        days = np.arange(start_ns // self.day, (start_ns + duration_ns) // self.day + 1)
        points = np.arange(POINTS_PER_DAY + 1)
        phase = 2 * np.pi * (points / POINTS_PER_DAY - self.peak_at / DAY_NS)
        wave = self.trough + (self.peak - self.trough) * (1 + np.cos(phase)) / 2
        # Midnight is the last point of one day and the first of the next: a jump where the weekend begins or ends.
        factor = np.where(days % 7 >= FIRST_WEEKEND_DAY, self.weekend, 1.0)
        time_ns = (days * self.day - start_ns)[:, None] + points * self.day // POINTS_PER_DAY
        return RateCourse(time_ns=time_ns.ravel(), rate=(factor[:, None] * wave).ravel())

    def count_parts(self, duration_ns: int) -> int:
        return duration_ns * POINTS_PER_DAY // self.day


class Burst(ShapeForm):
    """A baseline, and a burst at the peak again and again."""

    parts: ClassVar[str] = "bursts"

    baseline: Rate = 0.0
    peak: PositiveRate
    every: PositiveDuration
    length: PositiveDuration
    at: Duration = 0

    @model_validator(mode="after")
    def _bursts_do_not_overlap(self) -> Burst:
        if self.length > self.every:
            raise RuleViolation("must have a length of at most every", "bursts do not overlap")
        return self

    def course(self, duration_ns: int) -> RateCourse:
        start_ns = self.at + np.arange(self.count_parts(duration_ns), dtype=np.int64) * self.every
        return pulses(self.baseline, start_ns, self.length, self.peak - self.baseline)

    def count_parts(self, duration_ns: int) -> int:
        return max(-(-(duration_ns - self.at) // self.every), 0)


class Cron(ShapeForm):
    """So many requests each time that a schedule fires, spread over a time; where spreads overlap, they add up."""

    parts: ClassVar[str] = "instants"

    schedule: Annotated[str, AfterValidator(cron.check_schedule)]
    requests: PositiveCount
    over: PositiveDuration = NS_PER_S
    starts: WeekTime = 0

    @model_validator(mode="after")
    def _what_a_period_leaves_out(self) -> Cron:
        if "starts" in self.model_fields_set and cron.period_ns(self.schedule) is not None:
            raise RuleViolation("must not have starts beside rate( )", "a period begins with the run")
        if self._rate > HIGHEST_RATE:
            raise RuleViolation("must spread its requests at 1e9/s or less", "write a longer over")
        return self

    @property
    def _rate(self) -> float:
        return self.requests / (self.over / NS_PER_S)

    def course(self, duration_ns: int) -> RateCourse:
        return pulses(0.0, self._fires_ns(duration_ns), self.over, self._rate)

    def count_parts(self, duration_ns: int) -> int:
        return len(self._fires_ns(duration_ns))

    def _fires_ns(self, duration_ns: int) -> IntArray:
        return cron.instants_ns(self.schedule, self.starts, duration_ns, MOST_PARTS + 1)


class Shape(Model):
    """One named shape."""

    spike: Spike | None = None
    ramp: Ramp | None = None
    steps: Steps | None = None
    diurnal: Diurnal | None = None
    burst: Burst | None = None
    cron: Cron | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Shape:
        named = list(self._forms())
        if len(named) != 1:
            got = f"it names {' and '.join(name for name, _ in named)}" if named else "it names none"
            raise RuleViolation(f"must name exactly one shape; {got}", f"one of {', '.join(SHAPES)}")
        return self

    def _forms(self) -> Iterator[tuple[str, ShapeForm]]:
        for name in SHAPES:
            form = getattr(self, name)
            if form is not None:
                yield name, form

    @property
    def name(self) -> str:
        """Which shape it is."""
        return next(self._forms())[0]

    @property
    def form(self) -> ShapeForm:
        """The shape itself."""
        return next(self._forms())[1]


SHAPES = tuple(Shape.model_fields)
