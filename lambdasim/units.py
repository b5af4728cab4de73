"""The only place where seconds, nanoseconds, rates, sizes and ratios are converted.

Inside lambdasim a time is an integer number of nanoseconds; at the edges it is text with a unit (``250ms``) or
seconds. Nothing here knows what a value is for: ranges are checked by the scenario models.
"""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_EVEN, Decimal

from lambdasim.errors import RuleViolation

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000

# Ten years. Sums of a few such times still fit int64, and nobody waits longer for a Lambda function.
MAX_TIME_NS = 3_650 * 86_400 * NS_PER_S

_NS_PER_UNIT = {
    "d": 86_400 * NS_PER_S,
    "h": 3_600 * NS_PER_S,
    "m": 60 * NS_PER_S,
    "min": 60 * NS_PER_S,
    "s": NS_PER_S,
    "ms": 1_000_000,
    "us": 1_000,
    "µs": 1_000,
    "ns": 1,
}
_CANONICAL_UNITS = ("h", "m", "s", "ms", "us", "ns")
_DAY_NS = _NS_PER_UNIT["d"]
_SECONDS_PER_RATE_UNIT = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3_600, "hour": 3_600, "d": 86_400, "day": 86_400}
_MB_PER_UNIT = {"MB": 1, "MiB": 1, "GB": 1_024, "GiB": 1_024, "TB": 1_048_576, "TiB": 1_048_576}

_BYTES_PER_UNIT = {"B": 1, "KB": 2**10, "KiB": 2**10, "MB": 2**20, "MiB": 2**20}

_NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?"
_DURATION_PART = re.compile(rf"({_NUMBER})\s*([a-zµ]+)")
_RATE = re.compile(rf"({_NUMBER})\s*/\s*([a-z]+)")
_SIZE = re.compile(rf"({_NUMBER})\s*([A-Za-z]+)")
_RATIO = re.compile(rf"({_NUMBER})\s*%")
_SEXAGESIMAL = re.compile(r"\d+(?::\d+)+(?:\.\d+)?")


def _text_of(value: object, what: str, example: str) -> str:
    """The text of a value that must carry a unit; a bare 0 is allowed and becomes the text "0"."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise RuleViolation(f"must be {what}", f"for example {example}")
    if isinstance(value, str):
        text = value.strip()
        if text.startswith("-"):
            raise RuleViolation(f"must be {what} and not negative", f"for example {example}")
        if not text:
            raise RuleViolation(f"must be {what}", f"for example {example}")
        return text
    if value == 0:
        return "0"
    if value < 0:
        raise RuleViolation(f"must be {what} and not negative", f"for example {example}")
    if not math.isfinite(value):
        raise RuleViolation(f"must be {what}", f"for example {example}")
    return str(value)  # a bare number: the caller's hint says how to write this one


def parse_duration(value: object) -> int:
    """Nanoseconds of ``"250ms"``, ``"1m30s"``, ``"1.5h"`` or 0, rounded half-even.

    Raises RuleViolation for a bare number, a negative or unknown unit, ``1:30`` or more than ten years.
    """
    text = _text_of(value, "a time", "90s, 250ms or 5m")
    if text == "0":
        return 0
    if _SEXAGESIMAL.fullmatch(text):
        minutes, _, seconds = text.partition(":")
        hint = f"write {int(minutes)}m{int(seconds)}s" if seconds.isdigit() else "write it with units, such as 1h2m3s"
        raise RuleViolation("must be a time with its unit", hint)
    total = Decimal(0)
    position = 0
    for match in _DURATION_PART.finditer(text):
        if match.start() != position or match.group(2) not in _NS_PER_UNIT:
            break
        total += Decimal(match.group(1)) * _NS_PER_UNIT[match.group(2)]
        position = match.end()
        while position < len(text) and text[position] == " ":
            position += 1
    if position != len(text):
        if re.fullmatch(_NUMBER, text):
            raise RuleViolation("must be a time with its unit", f"write {text}s or {text}ms")
        raise RuleViolation("must be a time such as 90s, 250ms or 5m", "the units are ns, us, ms, s, m, h and d")
    if total > MAX_TIME_NS:
        raise RuleViolation("must be at most 3650d", "")
    return int(total.to_integral_value(rounding=ROUND_HALF_EVEN))


def parse_rate(value: object) -> float:
    """Events per second of ``"5/s"``, ``"600/min"``, ``"1000/h"`` or 0."""
    text = _text_of(value, "a rate", "20/s or 600/min")
    if text == "0":
        return 0.0
    match = _RATE.fullmatch(text)
    if match is None:
        if re.fullmatch(_NUMBER, text):
            raise RuleViolation("must be a rate with its unit", f"write {text}/s or {text}/min")
        raise RuleViolation("must be a rate such as 20/s or 600/min", "")
    if match.group(2) not in _SECONDS_PER_RATE_UNIT:
        raise RuleViolation("must be a rate such as 20/s or 600/min", "the units are /s, /min, /h and /d")
    rate = Decimal(match.group(1)) / _SECONDS_PER_RATE_UNIT[match.group(2)]
    if rate > 1_000_000_000:
        raise RuleViolation("must be at most 1e9/s", "")
    return float(rate)


def parse_size_mb(value: object) -> int:
    """Megabytes (2**20 bytes, as AWS counts memory) of ``"512MB"`` or ``"2GB"``."""
    text = _text_of(value, "a size", "512MB or 2GB")
    if text == "0":
        return 0
    match = _SIZE.fullmatch(text)
    if match is None or match.group(2) not in _MB_PER_UNIT:
        if re.fullmatch(_NUMBER, text):
            raise RuleViolation("must be a size with its unit", f"write {text}MB")
        raise RuleViolation("must be a size such as 512MB or 2GB", "the units are MB, GB and TB")
    megabytes = Decimal(match.group(1)) * _MB_PER_UNIT[match.group(2)]
    if megabytes != megabytes.to_integral_value() or megabytes > 10**9:
        raise RuleViolation("must be a whole number of megabytes", "")
    return int(megabytes)


def parse_bytes(value: object) -> int:
    """Bytes (1KB is 2**10 of them) of ``"2KB"``, ``"300B"`` or ``"1MB"``."""
    text = _text_of(value, "a size", "2KB or 300B")
    if text == "0":
        return 0
    match = _SIZE.fullmatch(text)
    if match is None or match.group(2) not in _BYTES_PER_UNIT:
        if re.fullmatch(_NUMBER, text):
            raise RuleViolation("must be a size with its unit", f"write {text}B or {text}KB")
        raise RuleViolation("must be a size such as 2KB or 300B", "the units are B, KB and MB")
    size = Decimal(match.group(1)) * _BYTES_PER_UNIT[match.group(2)]
    if size != size.to_integral_value() or size > 10**12:
        raise RuleViolation("must be a whole number of bytes", "")
    return int(size)


def parse_ratio(value: object) -> float:
    """Ratio in [0, 1] of ``"0.1%"`` or 0."""
    text = _text_of(value, "a percentage", "0.1%")
    if text == "0":
        return 0.0
    match = _RATIO.fullmatch(text)
    if match is None:
        if re.fullmatch(_NUMBER, text):
            percent = (Decimal(text) * 100).normalize()
            meant = f"write {percent:f}% if you mean the ratio {text}" if percent <= 100 else f"write {text}%"
            raise RuleViolation("must be a percentage with its sign", meant)
        raise RuleViolation("must be a percentage such as 0.1%", "")
    percent = Decimal(match.group(1))
    if percent > 100:
        raise RuleViolation("must be between 0% and 100%", "")
    return float(percent / 100)


def format_duration(duration_ns: int) -> str:
    """Shortest text that ``parse_duration`` reads back exactly: ``"250ms"``, ``"5m"``, ``"1500ms"``."""
    if duration_ns == 0:
        return "0s"
    if duration_ns > _DAY_NS and duration_ns % _DAY_NS == 0:
        return f"{duration_ns // _DAY_NS}d"
    for unit in _CANONICAL_UNITS:
        if duration_ns % _NS_PER_UNIT[unit] == 0:
            return f"{duration_ns // _NS_PER_UNIT[unit]}{unit}"
    raise AssertionError("every integer is a whole number of nanoseconds")


def format_bytes(size: int) -> str:
    """Shortest text that ``parse_bytes`` reads back exactly: ``"2KB"``."""
    for unit in ("MB", "KB"):
        if size and size % _BYTES_PER_UNIT[unit] == 0:
            return f"{size // _BYTES_PER_UNIT[unit]}{unit}"
    return f"{size}B"


def format_rate(rate_per_s: float) -> str:
    """Text that ``parse_rate`` reads back: ``"20/s"``."""
    return f"{Decimal(repr(rate_per_s)).normalize():f}/s"


def format_ratio(ratio: float) -> str:
    """Text that ``parse_ratio`` reads back: ``"0.1%"``."""
    return f"{(Decimal(repr(ratio)) * 100).normalize():f}%"


def to_seconds(time_ns: int) -> float:
    """Seconds of an integer number of nanoseconds."""
    return time_ns / NS_PER_S


def seconds_text(time_ns: int) -> str:
    """Seconds with nine decimals, taken from the integer: ``"0.250000000"``. The time must not be negative."""
    return f"{time_ns // NS_PER_S}.{time_ns % NS_PER_S:09d}"
