"""Scenarios of k6 and phases of Artillery, in the form of the examples of their documentation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lambdasim.scenario.load import as_written, load
from lambdasim.scenario.traffic import TrafficSource
from lambdasim.scenario.yaml_reader import read_text
from lambdasim.units import parse_duration
from lambdasim.workload.rate import RateProfile, rate_profile

HEAD = "duration: 10m\nfunctions: {api: {duration: 1s, init: 0}}\n"


def source(**more: Any) -> TrafficSource:
    """A source of traffic."""
    return TrafficSource.model_validate({"function": "f", **more})


def k6(text: str, **more: Any) -> TrafficSource:
    """A source with a k6 scenario as it is pasted into YAML."""
    return source(k6=read_text(text, "").data, **more)


def artillery(text: str, **more: Any) -> TrafficSource:
    """A source with phases of Artillery as they are pasted into YAML."""
    return source(artillery=read_text(text, "").data, **more)


def over(made: TrafficSource, duration: str) -> RateProfile:
    """Its rate over a run."""
    return rate_profile(made, parse_duration(duration))


def at(made: TrafficSource, *times_s: float) -> list[float]:
    """Its rate at some times of a run of ten minutes."""
    return over(made, "10m").rate_at((np.array(times_s) * 1e9).astype(np.int64)).tolist()


def users(made: TrafficSource) -> tuple[int, list[tuple[float, int]]]:
    """Its virtual users: at the start, and the stages as (seconds, target)."""
    assert made.users is not None
    return made.users.start, [(stage.duration / 1e9, stage.target) for stage in made.users.stages]


class TestK6Rates:
    """The executors with a rate."""

    def test_constant_arrival_rate(self) -> None:
        """30 iterations a second for 30 s, then none."""
        made = k6("{ executor: 'constant-arrival-rate', duration: '30s', rate: 30, timeUnit: '1s', }")
        assert at(made, 0, 29.9, 30, 599) == [30, 30, 0, 0]
        assert over(made, "10m").expected_requests == 900

    def test_start_time_and_time_unit(self) -> None:
        """A bare duration is in milliseconds; 90 a minute are 1.5 a second, from 1m30s on."""
        made = k6("{executor: constant-arrival-rate, startTime: 1m30s, duration: 20000, rate: 90, timeUnit: 1m}")
        assert at(made, 0, 89.9, 90, 109.9, 110) == [0, 0, 1.5, 1.5, 0]

    def test_ramping_arrival_rate(self) -> None:
        """The example of the documentation: per minute, with a hold, a rise, a hold and a fall."""
        made = k6(
            """
            executor: ramping-arrival-rate
            startRate: 300
            timeUnit: '1m'
            preAllocatedVUs: 50
            stages:
              - { target: 300, duration: '1m' }
              - { target: 600, duration: '2m' }
              - { target: 600, duration: '4m' }
              - { target: 60, duration: '2m' }
            """
        )
        assert at(made, 0, 60, 120, 180, 419, 480, 539.999999999, 540) == pytest.approx([5, 5, 7.5, 10, 10, 5.5, 1, 0])
        assert over(made, "10m").expected_requests == pytest.approx(300 + 900 + 2_400 + 660)

    def test_a_duration_of_0_is_a_jump(self) -> None:
        """k6's instant load increase."""
        made = k6(
            "{executor: ramping-arrival-rate, stages: [{target: 50, duration: 30s}, {target: 500, duration: '0'},"
            " {target: 500, duration: 10m}]}"
        )
        assert at(made, 0, 15, 29.999999999, 30, 599) == pytest.approx([0, 25, 50, 500, 500])

    def test_evenly_spaced_unless_stated(self) -> None:
        """k6 starts iterations at even distances."""
        text = "{executor: constant-arrival-rate, rate: 1, duration: 1m}"
        assert k6(text).arrival_law == "uniform"
        assert k6(text, arrivals="poisson").arrival_law == "poisson"
        assert source(rate="1/s").arrival_law == "poisson"

    def test_rates_have_no_users(self) -> None:
        """Nor has what k6 does not say."""
        assert k6("{executor: constant-arrival-rate, rate: 1, duration: 1m}").users is None
        assert source(rate="1/s").users is None


class TestK6Users:
    """The executors with virtual users, and k6's shorthands, which mean them."""

    @pytest.mark.parametrize("executor", ["executor: constant-vus, ", ""])
    def test_constant(self, executor: str) -> None:
        """Ten users for 30 s, then none."""
        made = k6(f"{{{executor}vus: 10, duration: '30s'}}", think_time="1s")
        assert users(made) == (10, [(30, 10), (0, 0)])
        assert at(made, 0, 10) == [0, 0]

    def test_one_user_unless_stated(self) -> None:
        """k6's default."""
        assert users(k6("{duration: 30s}", think_time="1s")) == (1, [(30, 1), (0, 0)])

    def test_later(self) -> None:
        """Nobody before the start time."""
        made = k6("{executor: constant-vus, vus: 10, duration: 30s, startTime: 5s}", think_time="1s")
        assert users(made) == (0, [(5, 0), (0, 10), (30, 10), (0, 0)])

    def test_ramping(self) -> None:
        """0 to 10 in 20 s and down again; startVUs is 1 unless stated."""
        stages = "stages: [{ duration: '20s', target: 10 }, { duration: '10s', target: 0 }]"
        made = k6(f"{{executor: ramping-vus, startVUs: 0, {stages}, gracefulRampDown: '0s'}}", think_time="1s")
        assert users(made) == (0, [(20, 10), (10, 0), (0, 0)])
        assert users(k6(f"{{executor: ramping-vus, {stages}}}", think_time="1s"))[0] == 1

    def test_ramping_later(self) -> None:
        """The first users come at the start time."""
        text = "{executor: ramping-vus, startVUs: 3, startTime: 5s, stages: [{duration: 20s, target: 10}]}"
        assert users(k6(text, think_time="1s")) == (0, [(5, 0), (0, 3), (20, 10), (0, 0)])

    def test_stages_alone(self) -> None:
        """The shorthand of ramping-vus, with vus at the start."""
        text = "{stages: [{duration: 20s, target: 10}]}"
        assert users(k6(text, think_time="1s")) == (1, [(20, 10), (0, 0)])
        assert users(k6(text.replace("{stages", "{vus: 4, stages"), think_time="1s"))[0] == 4


class TestArtillery:
    """The load phases of a test script."""

    def test_phases_one_after_the_other(self) -> None:
        """A warm-up, a ramp, a hold; then nothing."""
        made = artillery(
            """
            phases:
              - duration: 60
                arrivalRate: 5
                name: Warm up
              - duration: 120
                arrivalRate: 5
                rampTo: 50
                name: Ramp up load
              - duration: 3m
                arrivalRate: 50
            """
        )
        assert at(made, 0, 59, 60, 120, 180, 359, 360) == [5, 5, 5, 27.5, 50, 50, 0]
        assert over(made, "10m").expected_requests == 300 + 3_300 + 9_000

    def test_pause_and_count(self) -> None:
        """20 arrivals in 10 s are 2/s; a pause is a rate of 0."""
        made = artillery("[{duration: 10, arrivalCount: 20}, {pause: 5}, {duration: '10', arrivalRate: 0.5}]")
        assert at(made, 0, 9.9, 10, 14.9, 15, 24.9, 25) == [2, 2, 0, 0, 0.5, 0.5, 0]

    def test_a_ramp_from_nothing_and_one_down(self) -> None:
        """Rates of 0 are allowed at either end."""
        made = artillery("[{duration: 10, arrivalRate: 0, rampTo: 10}, {duration: 10, arrivalRate: 10, rampTo: 0}]")
        assert at(made, 0, 5, 10, 15, 20) == [0, 5, 10, 5, 0]

    def test_evenly_spaced_unless_stated(self) -> None:
        """As Artillery's phases are."""
        assert artillery("[{duration: 1, arrivalRate: 1}]").arrival_law == "uniform"
        assert artillery("[{duration: 1, arrivalRate: 1}]", arrivals={"gamma": {"cv": 2}}).arrival_law != "uniform"

    def test_bare_list_and_mapping_are_the_same(self) -> None:
        """With or without the key phases."""
        bare = artillery("[{pause: 1}, {duration: 9, arrivalRate: 7}]")
        under = artillery("{phases: [{pause: 1}, {duration: 9, arrivalRate: 7}]}")
        assert at(bare, 0, 0.9, 1, 9.9, 10) == at(under, 0, 0.9, 1, 9.9, 10) == [0, 0, 7, 7, 0]
        assert bare.length_ns == under.length_ns == 10 * 10**9


class TestLoaded:
    """As part of a scenario file."""

    @pytest.mark.parametrize(
        ("part", "warnings"),
        [
            (
                "k6: {executor: constant-arrival-rate, rate: 5, duration: 1m, preAllocatedVUs: 5, tags: {a: b}}",
                ["traffic.t.k6: tags and preAllocatedVUs have no effect: only the load generator needs them"],
            ),
            (
                "k6: {vus: 5, duration: 1m, gracefulStop: 30s}, think_time: 1s",
                ["traffic.t.k6: gracefulStop has no effect: only the load generator needs it"],
            ),
            (
                "artillery: [{duration: 60, arrivalRate: 5, maxVusers: 5}]",
                ["traffic.t.artillery: maxVusers has no effect: only the load generator needs it"],
            ),
            ("artillery: [{duration: 60, arrivalRate: 5}]", []),
            (
                "artillery: [{duration: 5m, arrivalRate: 5}, {pause: 6m}]",
                ["traffic.t.artillery: lasts 11m, longer than the duration of 10m; the rest is cut"],
            ),
            (
                "k6: {stages: [{duration: 11m, target: 5}]}, think_time: 1s",
                ["traffic.t.k6: lasts 11m, longer than the duration of 10m; the rest is cut"],
            ),
        ],
    )
    def test_what_has_no_effect_is_said(self, part: str, warnings: list[str], tmp_path: Path) -> None:
        """Keys for the load generator are accepted with a warning; so is what is cut."""
        (tmp_path / "s.yaml").write_text(f"{HEAD}traffic: {{t: {{function: api, {part}}}}}\n")
        said: list[str] = []
        load(tmp_path / "s.yaml", on_warning=said.append)
        assert [text.partition(" ")[2] for text in said] == warnings

    @pytest.mark.parametrize(
        "part",
        [
            "k6: {executor: constant-arrival-rate, rate: 5, duration: 60000, startTime: 500, timeUnit: 1m}",
            "k6: {stages: [{duration: 20s, target: 10}]}, think_time: 1s",
            "artillery: [{duration: 60, arrivalRate: 5, rampTo: 7.5}, {pause: 1.5}]",
            "artillery: {phases: [{duration: 60, arrivalCount: 5}]}",
        ],
    )
    def test_can_be_loaded_again(self, part: str, tmp_path: Path) -> None:
        """A scenario that is written down and read again is the same."""
        (tmp_path / "s.yaml").write_text(f"{HEAD}traffic: {{t: {{function: api, {part}}}}}\n")
        made = load(tmp_path / "s.yaml", on_warning=lambda _: None)
        assert load(as_written(made), on_warning=lambda _: None) == made
