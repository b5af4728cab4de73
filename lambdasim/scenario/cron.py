"""Schedules in the words of cron and of EventBridge, and the instants at which they fire within a run.

Read are the five fields of Unix cron, and ``rate(5 minutes)`` and ``cron(0 10 ? * MON-FRI *)`` of AWS.
Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html (read 2026-11).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice, takewhile

import numpy as np
from cronsim import CronSim, CronSimError

from lambdasim.errors import RuleViolation
from lambdasim.scenario.rate_course import IntArray
from lambdasim.scenario.week import DAY_NS, MINUTE_NS
from lambdasim.units import NS_PER_S

_AWS_CRON = re.compile(r"cron\((.*)\)", re.IGNORECASE)
_AWS_RATE = re.compile(r"rate\( *([0-9]{1,6}) +(minute|hour|day)(s?) *\)", re.IGNORECASE)
_NS_PER_UNIT = {"minute": MINUTE_NS, "hour": 60 * MINUTE_NS, "day": DAY_NS}
_AWS_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")  # numbered from 1
_EXAMPLES = '"*/5 * * * *", rate(5 minutes) or "cron(0 10 ? * MON-FRI *)"'

# Any Monday: only weekday and time of day matter.
_MONDAY = datetime(2024, 1, 1)


def period_ns(schedule: str) -> int | None:
    """The period of ``rate(...)``; None for a schedule by the clock. Raises RuleViolation for an odd one."""
    if not schedule.strip().lower().startswith("rate"):
        return None
    match = _AWS_RATE.fullmatch(schedule.strip())
    if match is None or int(match.group(1)) == 0:
        raise RuleViolation("must be a number of minutes, hours or days in rate( )", "for example rate(5 minutes)")
    number, unit = int(match.group(1)), match.group(2).lower()
    if bool(match.group(3)) != (number > 1):
        raise RuleViolation(
            "must have a singular unit for 1 and a plural one else, as AWS demands",
            f"write {unit}" if number == 1 else f"write {unit}s",
        )
    return number * _NS_PER_UNIT[unit]


def unix_fields(schedule: str) -> str:
    """The five fields of Unix cron that mean the same as a schedule by the clock. Raises RuleViolation."""
    match = _AWS_CRON.fullmatch(schedule.strip())
    fields = (match.group(1) if match else schedule).upper().split()
    expected = 6 if match else 5
    if len(fields) != expected:
        kind = "cron( )" if match else "Unix cron"
        raise RuleViolation(f"must have {expected} fields in {kind}; it has {len(fields)}", f"for example {_EXAMPLES}")
    minute, hour, day, month, weekday, *year = fields
    for name, field in (("day of the month", day), ("month", month), *(("year", field) for field in year)):
        if field not in ("*", "?"):
            raise RuleViolation(f"must have * or ? as its {name}; a run has a weekday and a time, but no date", "")
    if set(weekday) & {"L", "#"}:
        raise RuleViolation("must not count weekdays within a month; a run has no date", "")
    if match:
        if (day == "?") == (weekday == "?"):
            raise RuleViolation(
                "must have ? as the day of the month or as the weekday, but not as both, as AWS demands",
                "for example cron(0 10 ? * MON-FRI *)",
            )
        weekday = _from_aws_weekdays(weekday)
    for name, field, size in (("minute", minute, 60), ("hour", hour, 24)):
        if any(int(step) >= size for step in re.findall(r"/([0-9]+)", field)):
            raise RuleViolation(f"must have a step below {size} in its {name}; a longer one never comes round", "")
    return f"{minute} {hour} * * {weekday.replace('?', '*')}"


def _from_aws_weekdays(field: str) -> str:
    """AWS numbers weekdays 1-7 from Sunday, Unix 0-6."""
    if field in ("*", "?"):
        return field
    days: set[int] = set()
    for term in field.split(","):
        span, slash, step = term.partition("/")
        first, dash, last = span.partition("-")
        if slash and not (step.isascii() and step.isdigit() and int(step) > 0):
            raise RuleViolation("must have a number after the slash of its weekdays", "for example 2/2")
        start = 1 if first == "*" else _aws_weekday(first)
        end = _aws_weekday(last) if dash else 7 if slash or first == "*" else start
        if end < start:
            raise RuleViolation(
                "must not have weekdays that run backwards", "for example MON-FRI; a week begins with SUN"
            )
        days.update(range(start, end + 1, int(step) if slash else 1))
    return ",".join(str(day - 1) for day in sorted(days))


def _aws_weekday(text: str) -> int:
    if text in _AWS_WEEKDAYS:
        return _AWS_WEEKDAYS.index(text) + 1
    if text in tuple("1234567"):
        return int(text)
    raise RuleViolation(f"must have weekdays from 1 (SUN) to 7 (SAT); {text or 'an empty one'} is none", "")


def check_schedule(schedule: str) -> str:
    """The schedule itself. Raises RuleViolation, with a sentence on what is wrong with it."""
    if period_ns(schedule) is None:
        try:
            CronSim(unix_fields(schedule), _MONDAY)
        except CronSimError as error:
            place = str(error).lower().removeprefix("bad ").replace("day-of-week", "weekday")
            raise RuleViolation(f"must be a schedule; its {place} is wrong", f"for example {_EXAMPLES}") from None
    return schedule


@lru_cache(maxsize=64)
def instants_ns(schedule: str, starts_ns: int, duration_ns: int, at_most: int) -> IntArray:
    """When a checked schedule fires in [0, duration), the first ``at_most`` times; ``starts_ns`` is since Monday 00:00.

    MODEL: ``rate(...)`` fires first at the start of the run. AWS counts from when the rule is made.
    """
    every_ns = period_ns(schedule)
    if every_ns is not None:
        count = min(-(-duration_ns // every_ns), at_most)
        found = np.arange(count, dtype=np.int64) * every_ns
    else:
        begin = _MONDAY + timedelta(microseconds=starts_ns // 1_000)
        # The iterator gives what comes after its start; an instant at the very start of the run counts.
        fires = CronSim(unix_fields(schedule), begin - timedelta(seconds=1))
        seconds = (round((fire - begin).total_seconds()) for fire in fires)
        inside = takewhile(lambda second: second * NS_PER_S < duration_ns, seconds)
        found = np.fromiter(islice(inside, at_most), dtype=np.int64) * NS_PER_S
    found.flags.writeable = False
    return found
