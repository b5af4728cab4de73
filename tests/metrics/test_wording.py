"""How numbers read."""

from __future__ import annotations

from typing import Any

import pytest

from lambdasim.platform.concurrency import ThrottleReason
from lambdasim.report.wording import (
    MEANING,
    change_text,
    clock_text,
    count_text,
    counted,
    limit_text,
    seconds_value,
    share_text,
    status_meanings,
    time_text,
    were,
)
from lambdasim.scenario.changes import Change
from lambdasim.scenario.traffic import TrafficSource
from tests.builders import scenario

S = 1_000_000_000


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [
        (None, "–"),
        (0, "0s"),
        (1_000_000, "1ms"),
        (3_210_000, "3.2ms"),
        (9_499_999, "9.5ms"),
        (9_500_000, "10ms"),
        (180_000_000, "180ms"),
        (999_400_000, "999ms"),
        (999_600_000, "1s"),
        (1_250_000_000, "1.25s"),
        (9_994_000_000, "9.99s"),
        (9_996_000_000, "10s"),
        (99_940_000_000, "99.9s"),
        (100 * S, "1m40s"),
        (119_600_000_000, "2m"),
        (125 * S, "2m05s"),
        (5_999 * S, "99m59s"),
        (6_000 * S, "1h40m"),
        (5_400 * S, "90m"),
        (7_200 * S, "2h"),
        (36_000 * S + 59 * 60 * S, "10h59m"),
    ],
)
def test_time(time_ns: float | None, text: str) -> None:
    """The unit that reads best, and never 60 of anything."""
    assert time_text(time_ns) == text


@pytest.mark.parametrize(("seconds", "text"), [(None, "–"), (0.25, "250ms"), (0.0, "0s"), (61.0, "61s")])
def test_seconds(seconds: float | None, text: str) -> None:
    """The same from seconds."""
    assert seconds_value(seconds) == text


@pytest.mark.parametrize(
    ("time_s", "text"),
    [(0, "0:00"), (59.999, "0:59"), (60, "1:00"), (125, "2:05"), (3_599, "59:59"), (3_725, "1:02:05")],
)
def test_clock(time_s: float, text: str) -> None:
    """A point in time: minutes and seconds, hours where there are any; cut, not rounded."""
    assert clock_text(int(time_s * S)) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 0, "–"),
        (1, 0, "–"),
        (0, 7, "0%"),
        (7, 7, "100%"),
        (1, 3, "33.3%"),
        (1, 200, "0.5%"),
        (1, 100, "1.0%"),
        (1, 1_000_000, "<0.01%"),
        (1, 20_000, "<0.01%"),
        (999_999, 1_000_000, ">99.9%"),
        (1, 9_000, "0.011%"),
        (9_995, 10_000, ">99.9%"),
        (9_984, 10_000, "99.8%"),
        (3, 1, "300%"),
        (1.9995, 1, "200%"),
        (1_603, 100, "1,603%"),
    ],
)
def test_share(part: float, whole: float, text: str) -> None:
    """A share never reads 0 % or 100 % when it is not; more than the whole is more than 100 %."""
    assert share_text(part, whole) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0"),
        (7.0, "7"),
        (1_234_567, "1,234,567"),
        (12.34, "12.3"),
        (1_234.56, "1,234.6"),
        (0.5, "0.5"),
        (3.14159, "3.14"),
    ],
)
def test_count(value: float | None, text: str) -> None:
    """Thousands separators, and no more digits than needed."""
    assert count_text(value) == text


def test_every_reason_has_a_meaning() -> None:
    """In plain words, each its own."""
    assert set(MEANING) == set(ThrottleReason)
    assert len(set(MEANING.values())) == len(MEANING)


@pytest.mark.parametrize(
    ("function", "changes", "text"),
    [
        ({}, [], "a quota of 1,000"),
        ({}, [{"at": "5s", "region": {"concurrency_quota": 3_000}}], "a quota of 1,000, then 3,000"),
        ({}, [{"at": "9s", "region": {"concurrency_quota": 3_000}}], "a quota of 1,000"),
        ({"reserved_concurrency": 10}, [], "10 reserved"),
        ({"reserved_concurrency": 0}, [], "0 reserved"),
        (
            {"reserved_concurrency": 10},
            [{"at": "5s", "functions": {"f": {"reserved_concurrency": 2_000}}, "region": {"concurrency_quota": 3_000}}],
            "10, then 2,000 reserved",
        ),
        ({}, [{"at": "5s", "functions": {"f": {"reserved_concurrency": 10}}}], "a quota of 1,000"),
    ],
)
def test_limit(function: dict[str, Any], changes: list[dict[str, Any]], text: str) -> None:
    """What bounds concurrency until 8 s: a reservation where it is there all the time."""
    made = scenario(functions={"f": function}, changes=changes)
    assert limit_text(made, 8 * S) == text


def test_limit_of_several_functions() -> None:
    """They share the quota, whatever one of them has reserved."""
    assert limit_text(scenario(functions={"f": {"reserved_concurrency": 1}, "g": {}}), S) == "a quota of 1,000"


def test_one_and_several() -> None:
    """The noun and its verb follow the number."""
    assert [counted(count, "cold start") for count in (0, 1, 1_200)] == [
        "0 cold starts",
        "1 cold start",
        "1,200 cold starts",
    ]
    assert [were(count, "call") for count in (1, 2)] == ["1 call was", "2 calls were"]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"region": {"concurrency_quota": 3_000}, "deploy": "api"}, "quota 3,000; deploy api"),
        ({"functions": {"a": {"reserved_concurrency": 0}}}, "a: reserved 0"),
        ({"functions": {"a": {"duration": "1s"}, "b": {"duration": "2s"}}}, "a, b: other duration"),
        (
            {"functions": {"a": {"duration": "1s", "reserved_concurrency": 5}, "b": {"duration": "2s"}}},
            "a: reserved 5 and other duration; b: other duration",
        ),
        ({"traffic": {"web": "off", "batch": "on", "mail": "off"}}, "web, mail off; batch on"),
    ],
)
def test_changes_of_one_kind_stand_together(change: dict[str, object], text: str) -> None:
    """Functions and sources to which the same happens are named once, side by side."""
    assert change_text(Change.model_validate({"at": "1s", **change})) == text


@pytest.mark.parametrize(
    ("sources", "status", "meaning"),
    [
        ([{}], "200", "answered, or of a direct call, the function failed"),
        ([{"via": "alb"}], "200", "answered"),
        ([{"via": "alb"}], "502", "refused by Lambda, or the function failed or timed out"),
        ([{"via": "api-gateway-rest"}], "429", "refused by API Gateway, before Lambda"),
        ([{"via": "api-gateway-rest"}, {}], "429", "refused by API Gateway, before Lambda, or refused by Lambda"),
        ([{"via": "api-gateway-http"}], "503", "the function took too long for the front end"),
        (
            [{"via": {"front_end": "api-gateway-http", "throttle_status": 503}}],
            "503",
            "refused by Lambda, or the function took too long for the front end",
        ),
        ([{"via": {"front_end": "alb", "throttle_status": 500}}], "500", "refused by Lambda"),
        ([{"invoke": "async"}], "202", "queued, whatever came after"),
        ([{}], "none", "no answer: the caller stopped waiting"),
    ],
)
def test_a_status_means_what_can_be_behind_it(sources: list[dict[str, Any]], status: str, meaning: str) -> None:
    """By what stands between the callers of this run and the function, not by the number alone."""
    made = [TrafficSource.model_validate({"function": "f", "rate": "1/s", **source}) for source in sources]
    assert status_meanings(made)[status] == meaning
