"""Small scenarios as plain integers: every time is a number of ticks, so that ties are common and time can be scaled.

A plan can be turned into a scenario (``build``), and the brute-force simulator reads it as it stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lambdasim.scenario.schema import Scenario
from tests.builders import scenario, trace

TICK_MS = 250


@dataclass(frozen=True)
class BucketPlan:
    """``burst`` environments at once, then ``rate`` more in every ``per`` ticks."""

    burst: int
    rate: int
    per: int


@dataclass(frozen=True)
class FunctionPlan:
    """One function; None stands for no limit, or for nothing of its own."""

    duration: int = 4
    init: int = 0
    idle_timeout: int | tuple[int, int] | None = None  # constant, uniform between two, or never
    max_age: int | None = None
    timeout: int | None = None
    reserved: int | None = None
    is_eager: bool = True
    is_mru: bool = True
    error_percent: int = 0
    crash_percent: int = 0
    scaling: BucketPlan | None = None


@dataclass(frozen=True)
class Delays:
    """Retry after exactly these delays, then give up."""

    delays: tuple[int, ...]

    @property
    def max_attempts(self) -> int | None:
        """The first attempt and one for each delay."""
        return 1 + len(self.delays)

    def delay(self, retry: int) -> int:
        """Ticks before retry k = 1, 2, ..."""
        return self.delays[retry - 1]


@dataclass(frozen=True)
class Doubling:
    """Exponential back-off without jitter."""

    max_attempts: int | None
    base: int
    cap: int | None

    def delay(self, retry: int) -> int:
        """Ticks before retry k = 1, 2, ..."""
        doubled: int = self.base * 2 ** (retry - 1)
        return doubled if self.cap is None else min(self.cap, doubled)


@dataclass(frozen=True)
class Always:
    """The same delay before every retry."""

    max_attempts: int | None
    ticks: int

    def delay(self, retry: int) -> int:
        """Ticks before retry k = 1, 2, ..."""
        return self.ticks


RetryPlan = Delays | Doubling | Always


@dataclass(frozen=True)
class Row:
    """One recorded request; None takes the function's or the source's own."""

    time: int
    duration: int | None = None
    init: int | None = None
    function: int | None = None


@dataclass(frozen=True)
class SourcePlan:
    """One trace and its callers."""

    function: int
    rows: tuple[Row, ...]
    timeout: int | None = None
    retry: RetryPlan | None = None


@dataclass(frozen=True)
class Plan:
    """A whole scenario in ticks. The quota is ``shared`` plus everything reserved."""

    functions: tuple[FunctionPlan, ...]
    sources: tuple[SourcePlan, ...]
    shared: int = 3
    scaling: BucketPlan | None = None
    is_scaling_region_wide: bool = False
    requests_per_concurrency: int | None = None
    ramp: tuple[int, int] | None = None  # start and step, requests per second
    duration: int = 40
    drain: int = 400

    @property
    def quota(self) -> int:
        """The region's concurrency quota."""
        return self.shared + sum(function.reserved or 0 for function in self.functions)


def function_name(index: int) -> str:
    """The name of a function of a plan."""
    return f"f{index}"


def build(plan: Plan, tick_ms: int = TICK_MS) -> Scenario:
    """The scenario of a plan; rates fall as ticks grow, so that a greater tick is the same scenario in slow motion."""

    def time(ticks: int | None) -> str:
        return "unlimited" if ticks is None else f"{ticks * tick_ms}ms"

    def bucket(limits: BucketPlan | None) -> Any:
        return "unlimited" if limits is None else {"burst": limits.burst, "rate": limits.rate, "per": time(limits.per)}

    def function(made: FunctionPlan) -> dict[str, Any]:
        idle = made.idle_timeout
        return {
            "duration": time(made.duration),
            "init": time(made.init),
            "idle_timeout": {"uniform": [time(idle[0]), time(idle[1])]} if isinstance(idle, tuple) else time(idle),
            "max_age": time(made.max_age),
            "assignment": "eager" if made.is_eager else "bound",
            "reuse": "mru" if made.is_mru else "lru",
            "errors": {"rate": f"{made.error_percent}%", "crash": f"{made.crash_percent}%"},
            **({} if made.timeout is None else {"timeout": time(made.timeout)}),
            **({} if made.reserved is None else {"reserved_concurrency": made.reserved}),
            **({} if made.scaling is None else {"scaling": bucket(made.scaling)}),
        }

    def retry(made: RetryPlan | None) -> Any:
        if made is None:
            return "none"
        if isinstance(made, Delays):
            return {"delays": [time(ticks) for ticks in made.delays]}
        attempts = "unlimited" if made.max_attempts is None else made.max_attempts
        if isinstance(made, Doubling):
            return {"max_attempts": attempts, "base": time(made.base), "cap": time(made.cap), "jitter": "none"}
        return {"max_attempts": attempts, "delay": time(made.ticks)}

    def seconds(ticks: int | None) -> float | None:
        return None if ticks is None else ticks * tick_ms / 1000

    def source(made: SourcePlan) -> dict[str, Any]:
        rows = [
            (
                seconds(row.time),
                seconds(row.duration),
                seconds(row.init),
                None if row.function is None else function_name(row.function),
            )
            for row in made.rows
        ]
        return {
            "function": function_name(made.function),
            "trace": trace(rows),
            "client": {"timeout": time(made.timeout), "retry": retry(made.retry)},
        }

    region: dict[str, Any] = {"concurrency_quota": plan.quota}
    if plan.scaling is not None:
        scope = "region" if plan.is_scaling_region_wide else "function"
        region["scaling"] = {**bucket(plan.scaling), "scope": scope}
    if plan.requests_per_concurrency is not None:
        region["requests_per_concurrency"] = plan.requests_per_concurrency
    if plan.ramp is not None:
        region["request_rate_ramp"] = {"start": f"{plan.ramp[0]}/s", "step": f"{plan.ramp[1]}/s"}
    return scenario(
        functions={function_name(index): function(made) for index, made in enumerate(plan.functions)},
        traffic={f"s{index}": source(made) for index, made in enumerate(plan.sources)},
        region=region,
        duration=time(plan.duration),
        drain=time(plan.drain),
    )
