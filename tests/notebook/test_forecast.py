"""How long a run will take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import lambdasim as ls
from lambdasim.notebook.forecast import Forecast, forecast, may_retry
from lambdasim.report.by_formula import by_formula
from tests.builders import log_of, scenario

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def forecast_of(asked: ls.Scenario) -> Forecast:
    """With its formula."""
    return forecast(asked, by_formula(asked, 1))


def burst(**parts: Any) -> ls.Scenario:
    """1,000 requests at one instant, 10 s each, on a quota of 100; who is refused tries again after a second."""
    client = {"retry": {"max_attempts": "unlimited", "delay": "1s"}}
    usual: dict[str, Any] = {"rows": [0] * 1_000, "functions": {"f": {"duration": "10s", "timeout": "1m"}}}
    return scenario(**(usual | {"client": client, "region": {"concurrency_quota": 100}, "duration": "10s"} | parts))


def test_who_does_not_retry_tries_once() -> None:
    """As many attempts as requests, however many are refused; 100,000 take a second."""
    asked = burst(client=None)
    assert not may_retry(asked)
    assert forecast_of(asked) == Forecast(requests=1_000, attempts=1_000)
    assert forecast_of(asked).seconds == 0.01


def test_who_waits_tries_again_and_again() -> None:
    """Ten rounds of 100, 10 s each: callers wait for 900 + 800 + … + 100 times 10 s, and try once a second."""
    asked = burst()
    log = log_of(asked)
    assert len(log.throttles) == pytest.approx(45_000, rel=0.01)
    assert forecast_of(asked).attempts == pytest.approx(1_000 + 45_000, rel=0.01)


def test_no_more_often_than_callers_try() -> None:
    """Three times, of which the second and the third come only after a refusal."""
    asked = burst(client={"retry": {"max_attempts": 3, "delay": "1s"}})
    assert forecast_of(asked).attempts == 3_000


def test_where_nothing_waits() -> None:
    """A quota of 1,000 takes them all."""
    assert forecast_of(burst(region={"concurrency_quota": 1_000})).attempts == pytest.approx(1_000)


@pytest.mark.parametrize(
    "retry",
    [
        {"max_attempts": "unlimited", "base": "1s", "cap": "2s", "jitter": "none"},
        {"max_attempts": "unlimited", "base": "1s", "cap": "4s", "jitter": "full"},
        {"delays": ["2s"] * 1_000},
        {"max_attempts": "unlimited", "delay": {"uniform": ["1s", "3s"]}},
    ],
    ids=["cap", "jitter", "delays", "random"],
)
def test_the_mean_delay(retry: dict[str, Any]) -> None:
    """2 s in the long run, so half of the attempts that there are with 1 s."""
    assert forecast_of(burst(client={"retry": retry})).attempts == pytest.approx(1_000 + 22_500, rel=0.01)


def test_delays_that_double_for_ever() -> None:
    """After some refusals 16 s, as who waits that long has tried for a minute."""
    retry = {"max_attempts": "unlimited", "base": "1s", "jitter": "none"}
    assert forecast_of(burst(client={"retry": retry})).attempts == pytest.approx(1_000 + 45_000 / 16, rel=0.01)


def test_presets_of_sdks() -> None:
    """boto3 tries three times at most."""
    assert forecast_of(burst(client={"retry": {"preset": "boto3-standard"}})).attempts == 3_000


def test_without_a_formula_nobody_waits() -> None:
    """Virtual users."""
    users = {"t": {"function": "f", "virtual_users": 5, "think_time": "1s"}}
    asked = scenario(traffic=users, duration="100s")
    made = forecast_of(asked)
    assert made.attempts == made.requests == pytest.approx(250, rel=0.05)


@pytest.mark.parametrize(("name", "quota"), [("burst-today", 1_000), ("throttle-and-retry", 500)])
def test_scenarios_that_take_long(name: str, quota: int) -> None:
    """Within a fifth of what is simulated: 606,592 and 163,000 attempts of 5,000 and 18,000 requests."""
    asked = ls.load(SCENARIOS / f"{name}.yaml", set={"region.concurrency_quota": quota})
    log = ls.simulate(asked).log
    assert forecast_of(asked).attempts == pytest.approx(len(log.throttles) + len(log.invocations), rel=0.2)
