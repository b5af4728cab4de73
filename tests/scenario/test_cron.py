"""When schedules fire: by hand, in the words of Unix cron and of AWS."""

from __future__ import annotations

import pytest

from lambdasim.errors import RuleViolation
from lambdasim.scenario.cron import check_schedule, instants_ns, period_ns, unix_fields
from lambdasim.scenario.week import DAY_NS, parse_week_time

MINUTE = 60 * 10**9


def fires(schedule: str, starts: str = "monday 00:00", days: int = 7) -> list[str]:
    """Day (0 is Monday) and time of each instant of a run of some days, read as day*24h + time since that Monday."""
    begin = parse_week_time(starts)
    found = instants_ns(check_schedule(schedule), begin, days * DAY_NS, 10_000)
    minutes = [(begin + int(time_ns)) // MINUTE for time_ns in found]
    return [f"{minute // 1_440 % 7} {minute % 1_440 // 60:02d}:{minute % 60:02d}" for minute in minutes]


def test_every_five_minutes() -> None:
    """288 times a day, the first one at the start of the run."""
    found = fires("*/5 * * * *", days=1)
    assert found[:3] == ["0 00:00", "0 00:05", "0 00:10"]
    assert (len(found), found[-1]) == (288, "0 23:55")


def test_from_the_middle_of_an_hour() -> None:
    """The first instant at or after the start; one at the very end is none of the run any more."""
    assert fires("0 * * * *", starts="monday 08:30", days=1)[0] == "0 09:00"
    assert fires("30 8 * * *", starts="monday 08:30", days=1) == ["0 08:30"]


@pytest.mark.parametrize(
    "schedule",
    ["0 10 * * 1-5", "0 10 * * MON-FRI", "0 10 ? * mon-fri", "cron(0 10 ? * MON-FRI *)", "cron(0 10 ? * 2-6 *)"],
)
def test_ten_o_clock_on_weekdays(schedule: str) -> None:
    """AWS numbers Monday to Friday 2-6, Unix 1-5."""
    assert fires(schedule) == [f"{day} 10:00" for day in range(5)]


@pytest.mark.parametrize(
    ("schedule", "days"),
    [
        ("cron(0 0 ? * SUN *)", [6]),
        ("cron(0 0 ? * 1 *)", [6]),
        ("cron(0 0 ? * 7 *)", [5]),
        ("cron(0 0 ? * SAT,SUN *)", [5, 6]),
        ("cron(0 0 ? * 2,4 *)", [0, 2]),
        ("cron(0 0 ? * 2/2 *)", [0, 2, 4]),  # Monday and every second day up to Saturday
        ("cron(0 0 ? * */3 *)", [2, 5, 6]),  # 1, 4, 7: Sunday, Wednesday, Saturday
        ("cron(0 0 ? * 2-6/2 *)", [0, 2, 4]),
        ("cron(0 0 ? * * *)", [0, 1, 2, 3, 4, 5, 6]),
        ("cron(0 0 * * ? *)", [0, 1, 2, 3, 4, 5, 6]),
        ("0 0 * * 0", [6]),
        ("0 0 * * 7", [6]),
        ("0 0 * * 6", [5]),
    ],
)
def test_weekdays(schedule: str, days: list[int]) -> None:
    """Numbers, names, lists, ranges and steps."""
    assert fires(schedule) == [f"{day} 00:00" for day in days]


def test_lists_and_steps_of_the_clock() -> None:
    """EventBridge's own example: 1/10 is the 11th, 21st, 31st ... minute counted from 0, so 1, 11, 21."""
    assert fires("cron(1/10 8 ? * MON *)") == [f"0 08:{minute:02d}" for minute in (1, 11, 21, 31, 41, 51)]
    assert fires("15,45 6-8/2 * * WED") == ["2 06:15", "2 06:45", "2 08:15", "2 08:45"]


@pytest.mark.parametrize(
    ("schedule", "minutes"),
    [("rate(1 minute)", 1), ("rate(5 minutes)", 5), ("rate(2 hours)", 120), ("Rate(1 day)", 1440)],
)
def test_a_period_begins_with_the_run(schedule: str, minutes: int) -> None:
    """Whenever that is; it needs no clock."""
    assert period_ns(schedule) == minutes * MINUTE
    found = instants_ns(schedule, parse_week_time("friday 03:07"), 3 * minutes * MINUTE, 100)
    assert found.tolist() == [0, minutes * MINUTE, 2 * minutes * MINUTE]


def test_no_more_than_asked_for() -> None:
    """So that an absurd schedule cannot take long."""
    assert len(instants_ns("* * * * *", 0, 3_000 * DAY_NS, 50)) == 50
    assert len(instants_ns("rate(1 minute)", 0, 3_000 * DAY_NS, 50)) == 50


@pytest.mark.parametrize(
    ("schedule", "rule"),
    [
        ("", "must have 5 fields in Unix cron; it has 0"),
        ("0 10 * *", "must have 5 fields in Unix cron; it has 4"),
        ("cron(0 10 * * *)", "must have 6 fields in cron( ); it has 5"),
        ("0 10 1 * *", "must have * or ? as its day of the month; a run has a weekday and a time, but no date"),
        ("0 10 */2 * *", "must have * or ? as its day of the month; a run has a weekday and a time, but no date"),
        ("0 10 * 6 *", "must have * or ? as its month; a run has a weekday and a time, but no date"),
        ("cron(0 10 ? * MON 2026)", "must have * or ? as its year; a run has a weekday and a time, but no date"),
        ("0 10 * * MON#2", "must not count weekdays within a month; a run has no date"),
        ("cron(0 10 ? * 6L *)", "must not count weekdays within a month; a run has no date"),
        ("0 24 * * *", "must be a schedule; its hour is wrong"),
        ("a 0 * * *", "must be a schedule; its minute is wrong"),
        ("0 0 * * 8", "must be a schedule; its weekday is wrong"),
        ("cron(0 10 * * * *)", "must have ? as the day of the month or as the weekday, but not as both"),
        ("cron(0 10 ? * ? *)", "must have ? as the day of the month or as the weekday, but not as both"),
        ("cron(0 10 ? * 0 *)", "must have weekdays from 1 (SUN) to 7 (SAT); 0 is none"),
        ("cron(0 10 ? * MON, *)", "must have weekdays from 1 (SUN) to 7 (SAT); an empty one is none"),
        ("cron(0 10 ? * FRI-MON *)", "must not have weekdays that run backwards"),
        ("cron(0 10 ? * 2/0 *)", "must have a number after the slash of its weekdays"),
        ("rate(5 minute)", "must have a singular unit for 1 and a plural one else, as AWS demands"),
        ("rate(1 hours)", "must have a singular unit for 1 and a plural one else, as AWS demands"),
        ("rate(0 minutes)", "must be a number of minutes, hours or days in rate( )"),
        ("rate(5 seconds)", "must be a number of minutes, hours or days in rate( )"),
        ("rate 5 minutes", "must be a number of minutes, hours or days in rate( )"),
    ],
)
def test_what_is_no_schedule(schedule: str, rule: str) -> None:
    """Refused with a sentence on what is wrong."""
    with pytest.raises(RuleViolation) as caught:
        check_schedule(schedule)
    assert caught.value.rule.startswith(rule)


def test_fields_in_unix_words() -> None:
    """What an AWS schedule becomes."""
    assert unix_fields("cron(0/15 9-17 ? * MON-FRI *)") == "0/15 9-17 * * 1,2,3,4,5"
