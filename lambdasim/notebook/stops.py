"""The stops of a slider from low to high: of numbers, or of texts with a unit. Round ones between the two ends."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

from lambdasim.errors import RuleViolation, UsageError
from lambdasim.units import (
    format_duration,
    format_rate,
    parse_bytes,
    parse_duration,
    parse_rate,
    parse_ratio,
    parse_size_mb,
)

_STEPS = 40  # of a slider without a step of its own, about
_MOST_EVEN_STEPS = 100  # of a slider whose steps meet all that they should
_MOST_STEPS = 1_000
_NOTHING = 1e-9  # of a step: two stops that are closer are one
_WITH_UNIT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([%/A-Za-zµ]+)\s*")
# The kinds of text with a unit. A kilobyte is of the last one only.
_KINDS: tuple[Callable[[object], float], ...] = (parse_duration, parse_rate, parse_ratio, parse_size_mb, parse_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One value of a slider, and how it reads."""

    value: Any
    label: str


def plain_number(value: Any) -> int | float | None:
    """A number as Python has it, also where numpy made it; None for anything else, and for what is not finite."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    number = value.item() if hasattr(value, "item") else value
    try:
        is_finite = math.isfinite(number)
    except OverflowError:
        return None
    return number if is_finite and isinstance(number, int | float) else None


def size_of(text: object) -> tuple[int, float] | None:
    """(number of its kind, size) of a text with a unit, comparable with those of its kind; None where it has none."""
    if not isinstance(text, str):
        return None
    for number, parse in enumerate(_KINDS):
        try:
            return number, float(parse(text))
        except RuleViolation:
            continue
    return None


def number_stops(name: str, values: Sequence[Any], present: Any) -> list[int | float]:
    """Numbers from low to high, with what the scenario has in its place. Raises UsageError where they lead nowhere."""
    numbers = [number for value in values if (number := plain_number(value)) is not None]
    if len(numbers) < len(values):
        raise UsageError(f"controls {name}: must have finite numbers, or texts with a unit, got {tuple(values)!r:.60}")
    stops = _from_low_to_high(name, values, numbers)
    own = plain_number(present)
    if len(values) == 2 and (even := _even_stops(stops, own)):
        return even
    if own is not None and all(abs(own - stop) > _NOTHING * abs(own) for stop in stops):
        stops = sorted([*stops, own])
    return stops


def _even_stops(stops: Sequence[int | float], own: int | float | None) -> list[int | float]:
    """Whole numbers in even steps that meet both ends and what the scenario has, if there are not too many of them."""
    ends = [stops[0], stops[-1], *([] if own is None else [own])]
    if not all(isinstance(number, int) for number in ends):
        return []
    low, high = int(min(ends)), int(max(ends))
    step = math.gcd(*(int(number) - low for number in ends), int(nice_step(low, high)))
    return list(range(low, high + 1, step)) if (high - low) // step <= _MOST_EVEN_STEPS else []


def text_stops(name: str, values: Sequence[str], present: Any) -> list[Stop]:
    """Texts from low to high in the unit of the step, or of low: ``("100ms", "2s")``. The ends read as they were typed.

    What the scenario has is among them, in its place, where it is of the same kind.
    """
    parse = _kind_of(values)
    if parse is None:
        what = "numbers with units of one kind" if all(map(size_of, values)) else "a number with a unit at both ends"
        raise UsageError(f"controls {name}: must have {what}, got {tuple(values)!r:.60}")
    # Of the step, else of low, unless that is 0, which needs none, or 1m30s, which has two.
    units = [match.group(2) for value in (*values[2:], *values[:2]) if (match := _WITH_UNIT.fullmatch(value))]
    unit = units[0] if units else "s"
    unit_size = float(parse(f"1{unit}"))
    stops = _from_low_to_high(name, values, [float(parse(value)) / unit_size for value in values])
    texts = [_in_unit(stop, unit) for stop in stops]
    texts[0], texts[-1] = values[0], values[1]
    found = [(float(parse(text)), Stop(value=text, label=text)) for text in texts]
    if isinstance(present, str) and _kind_of([present, *values]) is parse:
        size = float(parse(present))
        # The text of the slider where it has this size, else that of the scenario.
        if all(abs(size - other) > _NOTHING * size for other, _ in found):
            found.append((size, Stop(value=present, label=readable(present))))
    return [stop for _, stop in sorted(found, key=lambda each: each[0])]


def _kind_of(values: Sequence[str]) -> Callable[[object], float] | None:
    """What reads all of these texts."""
    for parse in _KINDS:
        try:
            for value in values:
                parse(value)
        except RuleViolation:
            continue
        return parse
    return None


def _from_low_to_high(name: str, values: Sequence[Any], numbers: Sequence[int | float]) -> list[int | float]:
    """Both ends, and what lies between them: steps from low on, or multiples of a round step where none is given."""
    low, high, *own = numbers
    step = own[0] if own else nice_step(low, high) if low < high else 0
    if not (low < high and step > 0 and (high - low) / step <= _MOST_STEPS):
        raise UsageError(
            f"controls {name}: must go from low to high in at most {_MOST_STEPS:,} steps, got {tuple(values)!r:.60}"
        )
    first = low if own else math.floor(low / step + _NOTHING) * step
    inner = [first + number * step for number in range(1, math.ceil((high - first) / step - _NOTHING))]
    if not all(isinstance(number, int) for number in (low, high, step)):
        inner = [float(f"{stop:.12g}") for stop in inner]  # 0.3 and not 0.30000000000000004
    return [low, *inner, high]


def nice_step(low: float, high: float) -> int | float:
    """1, 2 or 5 times a power of ten, for about forty steps; whole where both ends are."""
    needed = max((high - low) / _STEPS, 1e-12)
    power = 10.0 ** math.floor(math.log10(needed))
    step = next(power * digit for digit in (1, 2, 5, 10) if power * digit >= needed * (1 - _NOTHING))
    if isinstance(low, int) and isinstance(high, int):
        return max(round(step), 1)
    return step


def _in_unit(number: float, unit: str) -> str:
    """A number with a unit; in another unit where this one makes it large or tiny: 1.1s, not 1100ms."""
    text = f"{round(number, 6):.10g}{unit}"
    return text if 0.001 <= number < 1_000 else readable(text)


def readable(text: str) -> str:
    """A time or a rate as people write it: ``62.5ms`` for ``62500us``, ``5/min`` for ``0.08333333333333333/s``."""
    return readable_list([text])[0]


def readable_list(texts: Sequence[str]) -> list[str]:
    """Texts of one kind as people write them; rates all per second, or all per minute or hour where that is rounder."""
    sizes = [size_of(text) or (None, 0.0) for text in texts]
    if all(kind == 0 for kind, _ in sizes):
        return [_readable_time(round(size)) for _, size in sizes]
    if all(kind == 1 for kind, _ in sizes):
        return _readable_rates([size for _, size in sizes])
    return list(texts)


def _readable_time(time_ns: int) -> str:
    shortest = format_duration(time_ns)
    if time_ns >= 120_000_000_000 and shortest.endswith("s") and time_ns % 1_000_000_000 == 0:
        minutes, seconds = divmod(time_ns // 1_000_000_000, 60)
        return f"{minutes}m{seconds:02d}s"
    for unit, length_ns in (("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000)):
        text = f"{time_ns / length_ns:.6g}{unit}"
        if time_ns >= length_ns and parse_duration(text) == time_ns:
            return min((text, shortest), key=len)
    return shortest


def _readable_rates(per_s: Sequence[float]) -> list[str]:
    for unit, length_s in (("s", 1), ("min", 60), ("h", 3_600)):
        numbers = [rate * length_s for rate in per_s]
        if all(number >= 0.1 and abs(number - round(number, 3)) < 1e-9 * number for number in numbers):
            return [f"{round(number, 3):.10g}/{unit}" for number in numbers]
    return [f"{rate:.3g}/s" if rate < 1_000 else format_rate(round(rate)) for rate in per_s]
