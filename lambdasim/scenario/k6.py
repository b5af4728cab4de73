"""A scenario of the load tester k6, pasted as it is: one object out of ``options.scenarios``, or k6's shorthands.

Keys, defaults and units are k6's: bare numbers, durations as text or in milliseconds.
Source: https://grafana.com/docs/k6/latest/using-k6/scenarios/executors/ (read 2026-11).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, PlainSerializer, Tag, model_validator

from lambdasim import units
from lambdasim.errors import RuleViolation
from lambdasim.scenario.fields import Model
from lambdasim.scenario.rate_course import RateCourse, constant, through_stages
from lambdasim.scenario.virtual_users import MOST_USERS, UserStage, VirtualUsers
from lambdasim.units import NS_PER_S

ARRIVAL_EXECUTORS = ("constant-arrival-rate", "ramping-arrival-rate")
_EXECUTORS = (*ARRIVAL_EXECUTORS, "constant-vus", "ramping-vus")


def _k6_duration(value: Any) -> int:
    """Nanoseconds of k6's ``1m30s``, or of a bare number of milliseconds."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number or (isinstance(value, str) and value.strip().replace(".", "", 1).isdecimal()):
        return units.parse_duration(f"{value}ms" if value else 0)
    return units.parse_duration(value)


def _at_least_1ns(value: Any) -> int:
    duration_ns = _k6_duration(value)
    if duration_ns < 1:
        raise RuleViolation("must be above 0")
    return duration_ns


_WRITE = PlainSerializer(units.format_duration, return_type=str)

# Nanoseconds, 0 or more.
K6Duration = Annotated[int, BeforeValidator(_k6_duration), _WRITE]
# Nanoseconds, 1 or more.
K6PositiveDuration = Annotated[int, BeforeValidator(_at_least_1ns), _WRITE]
_MARK = "without effect"
# What matters only to the load generator itself; anything is accepted, and a warning says that it has no effect.
WithoutEffect = Annotated[Any, _MARK]


def keys_without_effect(model: Model) -> list[str]:
    """Keys that are given and matter only to the load generator itself."""
    fields = type(model).model_fields.items()
    return [key for key, field in fields if key in model.model_fields_set and _MARK in field.metadata]


_Iterations = Annotated[int, Field(ge=0, le=1_000_000_000, strict=True)]
_PositiveIterations = Annotated[int, Field(ge=1, le=1_000_000_000, strict=True)]
_Users = Annotated[int, Field(ge=0, le=MOST_USERS, strict=True)]
_PositiveUsers = Annotated[int, Field(ge=1, le=MOST_USERS, strict=True)]


class K6Stage(Model):
    """A linear change of k6's iterations or virtual users to ``target``."""

    target: _Iterations
    duration: K6Duration


class K6Scenario(Model):
    """What all executors have in common."""

    startTime: K6Duration = 0
    gracefulStop: WithoutEffect = None
    exec: WithoutEffect = None
    env: WithoutEffect = None
    tags: WithoutEffect = None

    @property
    @abstractmethod
    def length_ns(self) -> int:
        """When the scenario is over; nothing is sent then."""

    @property
    def users(self) -> VirtualUsers | None:
        """The virtual users of an executor that has them."""
        return None

    def course(self) -> RateCourse:
        """The rate of an executor that has one."""
        return constant(0.0)


class K6ArrivalRate(K6Scenario):
    """An executor with a rate."""

    timeUnit: K6PositiveDuration = NS_PER_S
    preAllocatedVUs: WithoutEffect = None
    maxVUs: WithoutEffect = None

    def _course(self, start: int, stages: Sequence[K6Stage]) -> RateCourse:
        moves = [(stage.duration, self._per_s(stage.target)) for stage in stages]
        return through_stages(0.0, [(self.startTime, 0.0), (0, self._per_s(start)), *moves, (0, 0.0)])

    def _per_s(self, iterations: int) -> float:
        return iterations * NS_PER_S / self.timeUnit

    def _not_too_fast(self, most: int) -> None:
        if self._per_s(most) > 1e9:
            raise RuleViolation("must have at most 1e9 iterations per second", "is timeUnit right?")


class ConstantArrivalRate(K6ArrivalRate):
    """k6's executor constant-arrival-rate: so many iterations in each timeUnit."""

    executor: Literal["constant-arrival-rate"]
    rate: _PositiveIterations
    duration: K6PositiveDuration

    @model_validator(mode="after")
    def _rate_is_possible(self) -> ConstantArrivalRate:
        self._not_too_fast(self.rate)
        return self

    @property
    def length_ns(self) -> int:
        return self.startTime + self.duration

    def course(self) -> RateCourse:
        return self._course(self.rate, [K6Stage.model_construct(target=self.rate, duration=self.duration)])


class RampingArrivalRate(K6ArrivalRate):
    """k6's executor ramping-arrival-rate: linear changes of the iterations in each timeUnit."""

    executor: Literal["ramping-arrival-rate"]
    startRate: _Iterations = 0
    stages: Annotated[tuple[K6Stage, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _rates_are_possible(self) -> RampingArrivalRate:
        self._not_too_fast(max(self.startRate, *(stage.target for stage in self.stages)))
        return self

    @property
    def length_ns(self) -> int:
        return self.startTime + sum(stage.duration for stage in self.stages)

    def course(self) -> RateCourse:
        return self._course(self.startRate, self.stages)


def _virtual_users(start_ns: int, first: int, stages: Sequence[tuple[int, int]]) -> VirtualUsers:
    """So many users from a time on, then stages of (duration, target), then none."""
    moves = [(start_ns, 0), (0, first), *stages, (0, 0)] if start_ns else [*stages, (0, 0)]
    return VirtualUsers(
        start=0 if start_ns else first,
        stages=tuple(UserStage.model_construct(duration=duration, target=target) for duration, target in moves),
    )


class K6Users(K6Scenario):
    """k6's shorthand for constant-vus: so many virtual users, for a time."""

    vus: _PositiveUsers = 1
    duration: K6PositiveDuration

    @property
    def length_ns(self) -> int:
        return self.startTime + self.duration

    @property
    def users(self) -> VirtualUsers | None:
        return _virtual_users(self.startTime, self.vus, [(self.duration, self.vus)])


class ConstantVus(K6Users):
    """k6's executor constant-vus: so many virtual users, for a time."""

    executor: Literal["constant-vus"]


class K6UserRamp(K6Scenario):
    """Stages of virtual users."""

    stages: Annotated[tuple[K6Stage, ...], Field(min_length=1)]
    gracefulRampDown: WithoutEffect = None

    @property
    @abstractmethod
    def _first_users(self) -> int:
        """How many users there are at the start."""

    @model_validator(mode="after")
    def _some_users(self) -> K6UserRamp:
        targets = [stage.target for stage in self.stages]
        if max(targets) > MOST_USERS:
            raise RuleViolation(f"must have targets of at most {MOST_USERS:,} virtual users", "")
        if self._first_users == 0 and max(targets) == 0:
            raise RuleViolation("must have at least one virtual user at some time", "")
        return self

    @property
    def length_ns(self) -> int:
        return self.startTime + sum(stage.duration for stage in self.stages)

    @property
    def users(self) -> VirtualUsers | None:
        moves = [(stage.duration, stage.target) for stage in self.stages]
        return _virtual_users(self.startTime, self._first_users, moves)


class K6UserStages(K6UserRamp):
    """k6's shorthand for ramping-vus: stages of virtual users."""

    vus: _PositiveUsers = 1

    @property
    def _first_users(self) -> int:
        return self.vus


class RampingVus(K6UserRamp):
    """k6's executor ramping-vus: linear changes of the number of virtual users."""

    executor: Literal["ramping-vus"]
    startVUs: _Users = 1

    @property
    def _first_users(self) -> int:
        return self.startVUs


def _as_k6(value: Any) -> Any:
    if isinstance(value, K6Scenario):
        return value
    if not isinstance(value, dict):
        raise RuleViolation("must be a mapping", "one object out of k6's options.scenarios")
    if "scenarios" in value:
        raise RuleViolation("must be one scenario", "paste one of the objects below scenarios")
    if "executor" in value and value["executor"] not in _EXECUTORS:
        raise RuleViolation(
            f"must have an executor that lambdasim knows; {value['executor']!s:.40} is none",
            f"one of {', '.join(_EXECUTORS)}",
        )
    if "executor" not in value and not {"stages", "duration"} & set(value):
        raise RuleViolation("must have an executor, stages or a duration", "one object out of k6's options.scenarios")
    return value


def _k6_tag(value: Any) -> str:
    """The executor, or the shorthand; no tag equals a key."""
    given = dict(value) if isinstance(value, Model) else value
    return str(given.get("executor", "user-stages" if "stages" in given else "users"))


K6 = Annotated[
    Annotated[ConstantArrivalRate, Tag("constant-arrival-rate")]
    | Annotated[RampingArrivalRate, Tag("ramping-arrival-rate")]
    | Annotated[ConstantVus, Tag("constant-vus")]
    | Annotated[RampingVus, Tag("ramping-vus")]
    | Annotated[K6UserStages, Tag("user-stages")]
    | Annotated[K6Users, Tag("users")],
    Discriminator(_k6_tag),
    BeforeValidator(_as_k6),
]
