"""Text with units to plain numbers and back."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdasim import units
from lambdasim.errors import RuleViolation


@pytest.mark.parametrize(
    ("text", "expected_ns"),
    [
        ("250ms", 250_000_000),
        ("1.5h", 5_400_000_000_000),
        ("1m30s", 90_000_000_000),
        ("1h 2m 3s", 3_723_000_000_000),
        ("2min", 120_000_000_000),
        ("1d", 86_400_000_000_000),
        ("7µs", 7_000),
        ("7us", 7_000),
        (".5s", 500_000_000),
        ("1e3ms", 1_000_000_000),
        ("0.5ns", 0),
        ("1.5ns", 2),
        (" 5 s ", 5_000_000_000),
        ("0", 0),
        (0, 0),
        (0.0, 0),
    ],
)
def test_duration(text: object, expected_ns: int) -> None:
    """A time is a sum of numbers with units, rounded half-even to whole nanoseconds."""
    assert units.parse_duration(text) == expected_ns


@pytest.mark.parametrize(
    ("text", "expected"),
    [("5/s", 5.0), ("600/min", 10.0), ("3600/h", 1.0), ("86400/day", 1.0), ("0.5 / s", 0.5), (0, 0.0), ("0/s", 0.0)],
)
def test_rate(text: object, expected: float) -> None:
    """A rate is events in each unit of time, kept per second."""
    assert units.parse_rate(text) == expected


@pytest.mark.parametrize(("text", "expected"), [("512MB", 512), ("2GB", 2048), ("1.5GiB", 1536), ("1TB", 1_048_576)])
def test_size(text: str, expected: int) -> None:
    """Sizes are whole megabytes of 2**20 bytes, as AWS counts memory."""
    assert units.parse_size_mb(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("300B", 300), ("2KB", 2048), ("1.5KiB", 1536), ("1MB", 2**20), ("0.5MiB", 2**19), (" 7 B ", 7), ("0", 0), (0, 0)],
)
def test_bytes(text: object, expected: int) -> None:
    """Sizes of messages are whole bytes; a KB has 1,024 of them."""
    assert units.parse_bytes(text) == expected


@pytest.mark.parametrize(("text", "expected"), [("0.1%", 0.001), ("100%", 1.0), ("0%", 0.0), (0, 0.0), ("5 %", 0.05)])
def test_ratio(text: object, expected: float) -> None:
    """A percentage is a ratio between 0 and 1."""
    assert units.parse_ratio(text) == expected


NO_TIME = ("must be a time such as 90s, 250ms or 5m", "the units are ns, us, ms, s, m, h and d")


@pytest.mark.parametrize(
    ("parse", "value", "rule", "hint"),
    [
        (units.parse_duration, 90, "must be a time with its unit", "write 90s or 90ms"),
        (units.parse_duration, 1.5, "must be a time with its unit", "write 1.5s or 1.5ms"),
        (units.parse_duration, "1:30", "must be a time with its unit", "write 1m30s"),
        (units.parse_duration, "1:02:03", "must be a time with its unit", "write it with units, such as 1h2m3s"),
        (units.parse_duration, "5 weeks", *NO_TIME),
        (units.parse_duration, "5s later", *NO_TIME),
        (units.parse_duration, "-5s", "must be a time and not negative", "for example 90s, 250ms or 5m"),
        (units.parse_duration, -5, "must be a time and not negative", "for example 90s, 250ms or 5m"),
        (units.parse_duration, "", "must be a time", "for example 90s, 250ms or 5m"),
        (units.parse_duration, None, "must be a time", "for example 90s, 250ms or 5m"),
        (units.parse_duration, True, "must be a time", "for example 90s, 250ms or 5m"),
        (units.parse_duration, math.nan, "must be a time", "for example 90s, 250ms or 5m"),
        (units.parse_duration, math.inf, "must be a time", "for example 90s, 250ms or 5m"),
        (units.parse_duration, "3651d", "must be at most 3650d", ""),
        (units.parse_rate, 20, "must be a rate with its unit", "write 20/s or 20/min"),
        (units.parse_rate, "20", "must be a rate with its unit", "write 20/s or 20/min"),
        (units.parse_rate, "20rps", "must be a rate such as 20/s or 600/min", ""),
        (units.parse_rate, "20/week", "must be a rate such as 20/s or 600/min", "the units are /s, /min, /h and /d"),
        (units.parse_rate, "2e9/s", "must be at most 1e9/s", ""),
        (units.parse_size_mb, 512, "must be a size with its unit", "write 512MB"),
        (units.parse_size_mb, "512kB", "must be a size such as 512MB or 2GB", "the units are MB, GB and TB"),
        (units.parse_size_mb, "0.3MB", "must be a whole number of megabytes", ""),
        (units.parse_bytes, 300, "must be a size with its unit", "write 300B or 300KB"),
        (units.parse_bytes, "2GB", "must be a size such as 2KB or 300B", "the units are B, KB and MB"),
        (units.parse_bytes, "2kB", "must be a size such as 2KB or 300B", "the units are B, KB and MB"),
        (units.parse_bytes, "big", "must be a size such as 2KB or 300B", "the units are B, KB and MB"),
        (units.parse_bytes, "0.5B", "must be a whole number of bytes", ""),
        (units.parse_bytes, "-5B", "must be a size and not negative", "for example 2KB or 300B"),
        (units.parse_bytes, None, "must be a size", "for example 2KB or 300B"),
        (units.parse_bytes, True, "must be a size", "for example 2KB or 300B"),
        (units.parse_ratio, 0.1, "must be a percentage with its sign", "write 10% if you mean the ratio 0.1"),
        (units.parse_ratio, 5, "must be a percentage with its sign", "write 5%"),
        (units.parse_ratio, "101%", "must be between 0% and 100%", ""),
        (units.parse_ratio, "much", "must be a percentage such as 0.1%", ""),
    ],
)  # fmt: skip
def test_what_is_refused(parse: Any, value: object, rule: str, hint: str) -> None:
    """A value without unit, out of range or of another kind breaks a rule, with a hint on how to write it."""
    with pytest.raises(RuleViolation) as caught:
        parse(value)
    assert (caught.value.rule, caught.value.hint) == (rule, hint)


@given(st.integers(min_value=0, max_value=units.MAX_TIME_NS))
def test_duration_round_trip(duration_ns: int) -> None:
    """Every time that a scenario can hold is written as text that reads back exactly."""
    assert units.parse_duration(units.format_duration(duration_ns)) == duration_ns


@given(st.integers(min_value=0, max_value=2**24) | st.integers(min_value=0, max_value=100).map(lambda n: n * 2**20))
def test_bytes_round_trip(size: int) -> None:
    """Every size of a message is written as text that reads back exactly."""
    assert units.parse_bytes(units.format_bytes(size)) == size


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0B"), (1, "1B"), (1023, "1023B"), (1024, "1KB"), (1536, "1536B"), (2**20, "1MB")]
)
def test_format_bytes(size: int, text: str) -> None:
    """A size is written in the greatest unit of which it is a whole number."""
    assert units.format_bytes(size) == text


@given(st.floats(min_value=0, max_value=1e9, allow_subnormal=False))
def test_rate_round_trip(rate: float) -> None:
    """Every rate is written as text that reads back as the same float."""
    assert units.parse_rate(units.format_rate(rate)) == rate


@given(st.floats(min_value=0, max_value=1, allow_subnormal=False))
def test_ratio_round_trip(ratio: float) -> None:
    """Every ratio is written as a percentage that reads back as the same float."""
    assert units.parse_ratio(units.format_ratio(ratio)) == ratio


@pytest.mark.parametrize(("time_ns", "text"), [(0, "0s"), (300 * 10**9, "5m"), (1_500_000_000, "1500ms"), (1, "1ns")])
def test_format_duration(time_ns: int, text: str) -> None:
    """A time is written in the greatest unit of which it is a whole number."""
    assert units.format_duration(time_ns) == text


def test_seconds_text_is_exact() -> None:
    """Nine decimals are taken from the integer, where a float would lose some."""
    assert units.seconds_text(86_400_000_000_001) == "86400.000000001"
    assert units.to_seconds(1_500_000_000) == 1.5
