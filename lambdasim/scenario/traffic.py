"""Who sends requests, how often, and what a caller does about a throttle. Words are those of k6 where it has one."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from lambdasim.errors import RuleViolation
from lambdasim.scenario.data_files import Trace, read_trace
from lambdasim.scenario.distributions import Distribution, greatest_ns
from lambdasim.scenario.fields import UNLIMITED, CountLimit, Duration, DurationLimit, Model, PositiveRate, Rate


class Stage(Model):
    """A linear change of the rate to ``target`` over ``duration``; ``0s`` is a jump."""

    duration: Duration
    target: Rate
    name: str | None = None


class Spike(Model):
    """Baseline, then from ``at`` a ramp up to the peak, a hold, and a ramp down of the same length."""

    baseline: Rate = 0.0
    peak: PositiveRate
    at: Duration
    ramp: Duration = 0
    hold: Duration

    def stages(self) -> tuple[Stage, ...]:
        """The spike as plain stages that start at the baseline."""
        steps = ((self.at, self.baseline), (self.ramp, self.peak), (self.hold, self.peak), (self.ramp, self.baseline))
        return tuple(Stage.model_construct(duration=duration, target=target) for duration, target in steps)


class Shape(Model):
    """A named shape; it expands to stages."""

    spike: Spike


class NoRetry(Model):
    """The caller gives up after its first attempt."""

    retry: Literal["none"] = "none"


class Backoff(Model):
    """Exponential back-off: retry k waits for a share of min(cap, base x 2^(k-1)) that depends on the jitter."""

    max_attempts: CountLimit
    base: Duration
    cap: DurationLimit = UNLIMITED
    jitter: Literal["full", "equal", "none"] = "full"

    @model_validator(mode="after")
    def _unlimited_needs_a_delay(self) -> Backoff:
        if self.max_attempts == UNLIMITED and self.base == 0:
            raise RuleViolation("must have a base above 0s when max_attempts is unlimited", "")
        return self


class FixedDelays(Model):
    """Exactly these delays, one before each retry; then the caller gives up."""

    delays: tuple[Duration, ...]


class RandomDelays(Model):
    """Each retry waits for a time drawn from a distribution."""

    max_attempts: CountLimit
    delay: Distribution

    @model_validator(mode="after")
    def _unlimited_needs_a_delay(self) -> RandomDelays:
        if self.max_attempts == UNLIMITED and greatest_ns(self.delay) == 0:
            raise RuleViolation("must have a delay above 0s when max_attempts is unlimited", "")
        return self


RETRY_PRESETS = ("boto3-legacy", "boto3-standard", "boto3-adaptive", "js-v3")


def _as_retry_form(value: Any) -> Any:
    if value == "none":
        return {"retry": "none"}
    if isinstance(value, str) and value in RETRY_PRESETS:
        raise RuleViolation(f"retry preset {value} is not supported yet", "write max_attempts, base, cap and jitter")
    if isinstance(value, Model):
        return value
    if not isinstance(value, dict):
        raise RuleViolation(
            "must be none or a mapping", "for example {max_attempts: 3, base: 1s, cap: 20s, jitter: full}"
        )
    return value


def _retry_form(value: Any) -> str:
    """The tag of a retry policy. No tag equals a key, so that the place of an error can be told from its tags."""
    keys = type(value).model_fields if isinstance(value, Model) else value
    for key, form in (("retry", "no-retry"), ("delays", "fixed-delays"), ("delay", "random-delays")):
        if key in keys:
            return form
    return "backoff"


Retry = Annotated[
    Annotated[NoRetry, Tag("no-retry")]
    | Annotated[FixedDelays, Tag("fixed-delays")]
    | Annotated[RandomDelays, Tag("random-delays")]
    | Annotated[Backoff, Tag("backoff")],
    Discriminator(_retry_form),
    BeforeValidator(_as_retry_form),
]


class Client(Model):
    """What a synchronous caller does: how long it waits for one attempt, and what it does about a throttle."""

    timeout: DurationLimit = UNLIMITED
    retry: Retry = NoRetry()


class TrafficSource(Model):
    """One stream of requests to one function: a constant rate, stages, a shape, or a recorded trace."""

    function: str
    invoke: Literal["sync"] = "sync"
    rate: PositiveRate | None = None
    start_rate: Rate | None = None
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)] | None = None
    shape: Shape | None = None
    trace: Annotated[Trace, BeforeValidator(read_trace)] | None = None
    arrivals: Literal["poisson", "uniform"] = "poisson"
    client: Client = Client()

    @model_validator(mode="after")
    def _one_way_to_say_when(self) -> TrafficSource:
        ways = [key for key in ("rate", "stages", "shape", "trace") if getattr(self, key) is not None]
        if len(ways) != 1:
            got = f"has {' and '.join(ways)}" if ways else "has none of them"
            raise RuleViolation(f"must have exactly one of rate, stages, shape or trace; it {got}", "")
        if self.start_rate is not None and ways != ["stages"]:
            raise RuleViolation("must not have start_rate without stages", "write stages, or drop start_rate")
        if ways == ["trace"] and "arrivals" in self.model_fields_set:
            raise RuleViolation("must not have arrivals beside a trace", "the trace says when each request comes")
        return self

    def rate_stages(self) -> tuple[float, tuple[Stage, ...]]:
        """Rate at time 0 (requests per second) and the stages after it; a trace has none and starts at 0."""
        if self.rate is not None:
            return self.rate, ()
        if self.shape is not None:
            return self.shape.spike.baseline, self.shape.spike.stages()
        return self.start_rate or 0.0, self.stages or ()
