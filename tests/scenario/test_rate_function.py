"""A Python function as a rate: sampled at load, checked at every time, hashed by its samples."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import lambdasim as ls
from lambdasim.scenario.load import as_written, fingerprint, load
from lambdasim.scenario.rate_function import RateFunction, grid_ns
from lambdasim.scenario.schema import Scenario
from lambdasim.workload.rate import rate_profile
from tests.builders import scenario

DATA: dict[str, Any] = {"duration": "100s", "functions": {"api": {"duration": "1s", "init": 0}}, "seed": 1}


def wave(t_s: float) -> float:
    """20 requests per second, give or take 10, once a minute."""
    return 20 + 10 * math.sin(2 * math.pi * t_s / 60)


def loaded(rate: Any, **more: Any) -> Scenario:
    """A scenario with this rate."""
    return load({**DATA, "traffic": {"web": {"function": "api", "rate": rate}}, **more})


def rate_of(made: Scenario) -> RateFunction:
    """Its function."""
    rate = made.traffic["web"].rate
    assert isinstance(rate, RateFunction)
    return rate


def message(rate: Callable[[float], Any], **more: Any) -> str:
    """The error for a function, and for whatever else is wrong."""
    with pytest.raises(ls.ScenarioError) as caught:
        loaded(rate, **more)
    return str(caught.value)


class TestSamples:
    """On a grid, with straight lines between."""

    @pytest.mark.parametrize(
        ("duration_s", "steps"),
        [(10, 1_000), (999, 1_000), (1_000, 1_000), (3_600, 3_600), (86_400, 86_400), (10**6, 100_000), (1e-7, 100)],
    )
    def test_one_a_second_within_bounds(self, duration_s: float, steps: int) -> None:
        """At least 1,000 steps and at most 100,000; of nearly equal length, from 0 to the end."""
        grid = grid_ns(round(duration_s * 1e9))
        assert (len(grid), grid[0], grid[-1]) == (steps + 1, 0, round(duration_s * 1e9))
        assert np.ptp(np.diff(grid)) <= 1
        assert np.diff(grid).min() > 0

    def test_the_rate_is_the_function(self) -> None:
        """At the points of the grid, and nearly between them."""
        profile = rate_profile(loaded(wave).traffic["web"], 100 * 10**9)
        times_s = np.array([0, 0.1, 15, 15.05, 45, 99.9])
        expected = [wave(time) for time in times_s]
        assert profile.rate_at((times_s * 1e9).astype(np.int64)) == pytest.approx(expected, abs=1e-3)
        assert profile.expected_requests == pytest.approx(2_000 + 10 * 60 / (2 * math.pi) * 1.5, rel=1e-4)

    def test_it_is_asked_for_times_before_the_end_only(self) -> None:
        """From 0 to just below the duration, so that a list by second needs no entry more."""
        by_second = list(range(100))
        asked: list[float] = []

        def look_up(t_s: float) -> int:
            asked.append(t_s)
            return by_second[int(t_s)]

        loaded(look_up)
        assert min(asked) == 0
        assert 99.9 < max(asked) < 100

    @pytest.mark.parametrize("value", [3, 3.0, np.float32(3), np.int64(3), Fraction(3)])
    def test_any_real_number(self, value: Any) -> None:
        """Of Python or numpy."""
        assert rate_of(loaded(lambda t_s: value)).rates.tolist() == [3.0] * 1_001

    def test_requests_come_at_the_rate(self) -> None:
        """Through simulate, from a mapping and as a changed value; the second half has none."""

        def only_first_half(t_s: float) -> float:
            return 10 if t_s < 50 else 0

        data = {**DATA, "traffic": {"web": {"function": "api", "rate": "1/s"}}}
        changed = ls.simulate(data, set={"traffic.web.rate": only_first_half})
        written = ls.simulate({**data, "traffic": {"web": {"function": "api", "rate": only_first_half}}})
        assert 400 < len(written.requests) < 600
        assert written.requests["arrival_s"].max() < 50.1
        assert written.summary["scenario"]["sha256"] == changed.summary["scenario"]["sha256"]
        np.testing.assert_array_equal(written.requests["arrival_s"], changed.requests["arrival_s"])

    def test_a_model_can_be_made_without_the_loader(self) -> None:
        """As tests do."""
        made = scenario(traffic={"web": {"function": "f", "rate": wave}}, duration="100s")
        assert len(rate_of(made).rates) == 1_001

    def test_nothing_all_the_time_is_warned_about(self) -> None:
        """As for a written rate."""
        with pytest.warns(ls.ScenarioWarning, match="sends nothing; its rate is 0/s all the time"):
            loaded(lambda t_s: 0)


class TestErrors:
    """A time at which there is no rate."""

    PLACE = "traffic.web.rate: must give a rate at all times; at t = "

    def test_raised(self) -> None:
        """The first time on the grid at which it did, and what."""

        def fails(t_s: float) -> float:
            if t_s >= 30.05:
                raise KeyError("monday")
            return 1.0

        assert message(fails) == f"{self.PLACE}30.1 s it raised KeyError: 'monday'"

    @pytest.mark.parametrize(
        ("value", "said"),
        [
            (-0.5, "returned -0.5 (requests per second, from 0 to 1e9)"),
            (math.nan, "returned nan (requests per second, from 0 to 1e9)"),
            (math.inf, "returned inf (requests per second, from 0 to 1e9)"),
            (2e9, "returned 2e+09 (requests per second, from 0 to 1e9)"),
            ("5/s", "returned '5/s' (a number of requests per second)"),
            (None, "returned None (a number of requests per second)"),
            (True, "returned True (a number of requests per second)"),
            (1j, "returned 1j (a number of requests per second)"),
            (np.array([1.0]), "returned array([1.]) (a number of requests per second)"),
        ],
    )
    def test_returned(self, value: Any, said: str) -> None:
        """What is no rate, from 50 s on."""
        assert message(lambda t_s: 1 if t_s < 50 else value) == f"{self.PLACE}50 s it {said}"

    def test_something_that_takes_no_time(self) -> None:
        """A function of no arguments."""
        assert f"{self.PLACE}0 s it raised TypeError" in message(lambda: 5)  # type: ignore[misc,arg-type]

    def test_together_with_the_others(self) -> None:
        """All problems come at once."""
        told = message(lambda t_s: -1, region={"concurrency_quota": 0}, slo={"p98": "1s"}).split("\n")
        assert [line.partition(":")[0] for line in told] == ["region.concurrency_quota", "traffic.web.rate", "slo.p98"]

    def test_not_without_a_duration(self) -> None:
        """Nobody knows then for which times to ask."""
        assert message(lambda t_s: -1, duration="long").startswith("duration: must be a time")
        assert "\n" not in message(lambda t_s: -1, duration="long")

    def test_as_a_changed_value(self) -> None:
        """The setting is named."""
        with pytest.raises(ls.ScenarioError) as caught:
            ls.load(loaded(wave), set={"traffic.web.rate": lambda t_s: -1})
        assert str(caught.value).startswith("set traffic.web.rate: must give a rate at all times; at t = 0 s it")

    @pytest.mark.parametrize(("key", "path"), [("duration", "duration"), ("slo", "slo"), ("seed", "seed")])
    def test_nowhere_else(self, key: str, path: str) -> None:
        """A function is no value of another key."""
        assert f"{path}: must be text, a number, a list or a mapping, got function" in message(wave, **{key: wave})


class TestScenario:
    """The scenario goes on as any other."""

    def test_loads_again(self) -> None:
        """As an equal one, without asking the function again."""
        calls: Iterator[int] = iter(range(1_001))
        made = loaded(lambda t_s: next(calls))
        assert load(made) == made
        assert rate_of(load(as_written(made))) is rate_of(made)

    def test_replace_keeps_the_function(self) -> None:
        """And samples it anew only where the duration changes."""
        made = loaded(wave)
        assert rate_of(made.replace({"region.concurrency_quota": 5, "region.min_unreserved": 0})) is rate_of(made)
        longer = rate_of(made.replace({"duration": "2h"}))
        assert (longer.function, len(longer.rates)) == (wave, 7_201)

    def test_replace_takes_a_function(self) -> None:
        """In place of a number, and a number in place of it."""
        made = loaded("5/s").replace({"traffic.web.rate": wave})
        assert rate_of(made) == rate_of(loaded(wave))
        assert made.replace({"traffic.web.rate": "7/s"}).traffic["web"].rate == 7

    def test_fingerprint_is_of_the_samples(self) -> None:
        """Another function with the same rates is the same scenario; another rate is another one."""
        assert fingerprint(loaded(wave)) == fingerprint(loaded(lambda t_s: wave(t_s)))
        assert fingerprint(loaded(wave)) != fingerprint(loaded(lambda t_s: wave(t_s) + 1e-9))
        assert fingerprint(loaded(wave)) != fingerprint(loaded(wave, duration="101s"))

    def test_written_down_it_is_named(self) -> None:
        """For people; it cannot be read from a file."""
        assert loaded(wave).model_dump(mode="json")["traffic"]["web"]["rate"] == "the Python function wave"
        with pytest.raises(ls.ScenarioError, match=r"traffic\.web\.rate: must be a rate such as"):
            loaded("the Python function wave")
