"""When in the week a run begins, and times of day: ``monday 08:30``, ``15h``.

A scenario has a weekday and a time of day but no date, and no time zone, so that every day has 24 hours.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from lambdasim import units
from lambdasim.errors import RuleViolation
from lambdasim.units import NS_PER_S

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FIRST_WEEKEND_DAY = WEEKDAYS.index("saturday")

MINUTE_NS = 60 * NS_PER_S
DAY_NS = 24 * 60 * MINUTE_NS

_WEEK_TIME = re.compile(r"([a-z]+)(?: +([0-9]{1,2}):([0-9]{2}))?")


def parse_week_time(value: object) -> int:
    """Nanoseconds since Monday 00:00 of ``monday 08:30``, ``mon 8:30`` or ``monday``. Raises RuleViolation."""
    hint = "for example monday 08:30"
    match = _WEEK_TIME.fullmatch(value.strip().lower()) if isinstance(value, str) else None
    if match is None:
        raise RuleViolation("must be a day of the week and a time", hint)
    name, hours, minutes = match.group(1), int(match.group(2) or 0), int(match.group(3) or 0)
    day = next((number for number, day in enumerate(WEEKDAYS) if name in (day, day[:3])), None)
    if day is None:
        raise RuleViolation("must begin with a day of the week", f"one of {', '.join(WEEKDAYS)}")
    if hours > 23 or minutes > 59:
        raise RuleViolation("must have a time between 00:00 and 23:59", hint)
    return day * DAY_NS + (60 * hours + minutes) * MINUTE_NS


def format_week_time(time_ns: int) -> str:
    """Text that ``parse_week_time`` reads back: ``monday 08:30``."""
    day, minutes = divmod(time_ns // MINUTE_NS, 24 * 60)
    return f"{WEEKDAYS[day]} {minutes // 60:02d}:{minutes % 60:02d}"


def _time_of_day(value: Any) -> int:
    time_ns = units.parse_duration(value)
    if time_ns > DAY_NS:
        raise RuleViolation("must be a time of day, at most 24h", "for example 15h or 9h30m")
    return time_ns


def _length_of_day(value: Any) -> int:
    length_ns = units.parse_duration(value)
    if not NS_PER_S <= length_ns <= DAY_NS:
        raise RuleViolation("must be between 1s and 24h", "a shorter day shows a week in minutes")
    return length_ns


# Nanoseconds since Monday 00:00.
WeekTime = Annotated[int, BeforeValidator(parse_week_time), PlainSerializer(format_week_time, return_type=str)]
# Nanoseconds since midnight.
TimeOfDay = Annotated[int, BeforeValidator(_time_of_day), PlainSerializer(units.format_duration, return_type=str)]
# Nanoseconds that a day of the simulation takes.
LengthOfDay = Annotated[int, BeforeValidator(_length_of_day), PlainSerializer(units.format_duration, return_type=str)]
