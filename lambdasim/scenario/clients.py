"""What a synchronous caller does: how long it waits for an answer, and whether it tries again after a refusal."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Tag, model_validator

from lambdasim.errors import RuleViolation
from lambdasim.scenario.distributions import Distribution, greatest_ns
from lambdasim.scenario.fields import UNLIMITED, CountLimit, Duration, DurationLimit, Model


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
