"""What a synchronous caller does: how long it waits for an answer, and whether it tries again after a refusal."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Tag, model_validator

from lambdasim.errors import RuleViolation
from lambdasim.scenario.distributions import Distribution, greatest_ns
from lambdasim.scenario.fields import UNLIMITED, CountLimit, Duration, DurationLimit, Model, PositiveCount
from lambdasim.scenario.sdk_retries import SDK_RETRIES, SdkRetry


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


class SdkPreset(Model):
    """The retries of one of AWS's SDKs, its retry quota and, in the adaptive mode, its rate limiter included."""

    preset: Literal[
        "boto3-legacy",
        "boto3-standard",
        "boto3-adaptive",
        "js-v3",
        "boto3-standard-2026",
        "boto3-adaptive-2026",
        "js-v3-2026",
    ]
    max_attempts: PositiveCount | None = None

    @property
    def sdk(self) -> SdkRetry:
        """What the SDK does, with the attempts that the scenario allows it."""
        sdk = SDK_RETRIES[self.preset]
        return sdk if self.max_attempts is None else dataclasses.replace(sdk, max_attempts=self.max_attempts)


def _as_retry_form(value: Any) -> Any:
    if value == "none":
        return {"retry": "none"}
    if isinstance(value, str):
        return {"preset": value}
    if isinstance(value, Model):
        return value
    if not isinstance(value, dict):
        raise RuleViolation(
            "must be none, the name of an SDK or a mapping",
            "for example boto3-standard or {max_attempts: 3, base: 1s, cap: 20s, jitter: full}",
        )
    return value


def _retry_form(value: Any) -> str:
    """The tag of a retry policy. No tag equals a key, so that the place of an error can be told from its tags."""
    keys = type(value).model_fields if isinstance(value, Model) else value
    for key, form in (
        ("retry", "no-retry"),
        ("preset", "sdk-preset"),
        ("delays", "fixed-delays"),
        ("delay", "random-delays"),
    ):
        if key in keys:
            return form
    return "backoff"


Retry = Annotated[
    Annotated[NoRetry, Tag("no-retry")]
    | Annotated[SdkPreset, Tag("sdk-preset")]
    | Annotated[FixedDelays, Tag("fixed-delays")]
    | Annotated[RandomDelays, Tag("random-delays")]
    | Annotated[Backoff, Tag("backoff")],
    Discriminator(_retry_form),
    BeforeValidator(_as_retry_form),
]


class Client(Model):
    """What a synchronous caller does: how long it waits for one attempt, and what it does about a throttle.

    MODEL: the requests of a source are sent by ``count`` SDK clients in turn. Each has its own retry quota and rate
    limiter, as the SDKs keep them for each client object; how many objects a program has is its own affair.
    """

    timeout: DurationLimit = UNLIMITED
    retry: Retry = NoRetry()
    count: PositiveCount = 1

    @model_validator(mode="after")
    def _count_needs_a_quota(self) -> Client:
        if "count" in self.model_fields_set and not (isinstance(self.retry, SdkPreset) and self.retry.sdk.quota):
            rule = "must have count only beside an SDK preset that has a retry quota"
            raise RuleViolation(rule, "for example retry: boto3-standard")
        return self
