"""The field types of the scenario models: text with a unit outside, plain numbers inside.

Times are integer nanoseconds, rates floats per second, sizes integer MB, ratios floats in [0, 1]. Each type writes
itself back as the text it is read from, so that a dumped scenario can be loaded again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, PlainSerializer, Tag

from lambdasim import units
from lambdasim.errors import RuleViolation
from lambdasim.scenario.profiles import NEW_ACCOUNT_QUOTA

UNLIMITED: Literal["unlimited"] = "unlimited"


class Model(BaseModel):
    """Base of everything that a user writes in a scenario: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=False)


def _at_least_1ns(value: object) -> int:
    duration_ns = units.parse_duration(value)
    if duration_ns < 1:
        raise RuleViolation("must be at least 1ns", "")
    return duration_ns


def _at_least_1mb(value: object) -> int:
    size_mb = units.parse_size_mb(value)
    if size_mb < 1:
        raise RuleViolation("must be at least 1MB", "")
    return size_mb


def positive_rate(value: object) -> float:
    """Requests per second of a rate above 0. Raises RuleViolation."""
    rate = units.parse_rate(value)
    if rate <= 0:
        raise RuleViolation("must be above 0/s", "leave the traffic source out if it sends nothing")
    return rate


def _whole_rate(value: object) -> int:
    rate = units.parse_rate(value)
    if rate != int(rate) or rate < 1:
        raise RuleViolation("must be a whole number of requests per second, at least 1/s", "")
    return int(rate)


def between(low: int, high: int, *, unit: Literal["time", "B"] = "time") -> Callable[[int], int]:
    """A check that a time in ns, or a size in bytes, is within AWS's range."""
    write = units.format_duration if unit == "time" else units.format_bytes

    def check(value: int) -> int:
        if not low <= value <= high:
            raise RuleViolation(f"must be between {write(low)} and {write(high)}, as AWS demands", "")
        return value

    return check


def share_left(value: float) -> float:
    """A share that something leaves over: neither nothing nor all of it. Raises RuleViolation."""
    if not 0 < value < 1:
        raise RuleViolation("must be above 0% and below 100%", "")
    return value


def _unlimited_or(parse: Callable[[object], Any]) -> Callable[[object], Any]:
    return lambda value: UNLIMITED if value == UNLIMITED else parse(value)


def _duration_text(value: Any) -> str:
    return UNLIMITED if value == UNLIMITED else units.format_duration(value)


_WRITE_DURATION = PlainSerializer(_duration_text, return_type=str)
_WRITE_RATE = PlainSerializer(units.format_rate, return_type=str)

# Integer nanoseconds, 0 or more.
Duration = Annotated[int, BeforeValidator(units.parse_duration), _WRITE_DURATION]
# Integer nanoseconds, 1 or more.
PositiveDuration = Annotated[int, BeforeValidator(_at_least_1ns), _WRITE_DURATION]
# Integer nanoseconds, 1 or more, or the text "unlimited".
DurationLimit = Annotated[int | Literal["unlimited"], BeforeValidator(_unlimited_or(_at_least_1ns)), _WRITE_DURATION]
# Requests per second, 0 or more.
Rate = Annotated[float, BeforeValidator(units.parse_rate), _WRITE_RATE]
# Requests per second, above 0.
PositiveRate = Annotated[float, BeforeValidator(positive_rate), _WRITE_RATE]
# Whole requests per second, 1 or more: the request-rate ramp counts whole tokens.
WholeRate = Annotated[int, BeforeValidator(_whole_rate), PlainSerializer(lambda rate: f"{rate}/s", return_type=str)]
# Megabytes.
SizeMb = Annotated[
    int, BeforeValidator(units.parse_size_mb), PlainSerializer(lambda size: f"{size}MB", return_type=str)
]
# Bytes.
SizeBytes = Annotated[int, BeforeValidator(units.parse_bytes), PlainSerializer(units.format_bytes, return_type=str)]
# Megabytes, 1 or more, or the text "unlimited".
SizeLimit = Annotated[
    int | Literal["unlimited"],
    BeforeValidator(_unlimited_or(_at_least_1mb)),
    PlainSerializer(lambda size: size if size == UNLIMITED else f"{size}MB", return_type=str),
]
# Ratio in [0, 1].
Ratio = Annotated[float, BeforeValidator(units.parse_ratio), PlainSerializer(units.format_ratio, return_type=str)]


def text_or_value(value: Any) -> str:
    """Tag of a union of one literal text and something else, so that an error speaks of the branch that was meant."""
    return "text" if isinstance(value, str) else "value"


_CountTag = Annotated[int, Field(ge=1, le=10_000_000, strict=True), Tag("value")]
_UnlimitedTag = Annotated[Literal["unlimited"], Tag("text")]

# A whole number of at least 1.
PositiveCount = Annotated[int, Field(ge=1, le=10_000_000, strict=True)]
# A whole number of at least 1, or the text "unlimited".
CountLimit = Annotated[_CountTag | _UnlimitedTag, Discriminator(text_or_value)]


def _quota(value: Any) -> Any:
    return NEW_ACCOUNT_QUOTA if value == "new-account" else value


# Concurrent executions of an account in a region; "new-account" is what a new one often starts with.
ConcurrencyQuota = Annotated[PositiveCount, BeforeValidator(_quota)]
