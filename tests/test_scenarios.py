"""The shipped scenarios: each lesson as assertions, and every number that a file quotes, against a run of that file.

What a number should be comes from theory or from the rules of Lambda; that the quoted figure is the one of this seed
is checked by ``assert_quoted``, which also refuses a number that nothing checks.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from functools import cache
from math import exp, log, sqrt
from pathlib import Path
from statistics import NormalDist, mean, stdev
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pytest
import yaml

from lambdasim.api import Result, simulate
from lambdasim.errors import ScenarioWarning
from lambdasim.scenario.clients import SdkPreset
from lambdasim.scenario.schema import RegionScaling
from lambdasim.scenario.sdk_retries import SdkRetry
from lambdasim.theory import (
    concurrency_percentile,
    engset_attempt_rate,
    engset_call_congestion,
    engset_concurrency,
    erlang_b,
)

SCENARIOS = Path(__file__).parent.parent / "scenarios"
NAMES = [
    "async-errors",
    "async-throttled",
    "async-versus-sync",
    "autoscaling-too-late",
    "burst-2019",
    "burst-today",
    "cost-of-retries",
    "cron-stampede",
    "deployment",
    "diurnal",
    "dlq-redrive",
    "duplicate-execution",
    "fifo",
    "first-invocations",
    "gateway-timeout",
    "idle-timeout",
    "incident",
    "littles-law",
    "memory-and-cpu",
    "new-account",
    "open-versus-closed",
    "provisioned-28-percent",
    "provisioned-spillover",
    "quota-increase",
    "reserved",
    "retry-storm",
    "scheduled-scaling",
    "shared-quota",
    "short-function",
    "snapstart-java",
    "spike",
    "sqs-backlog",
    "sqs-poison-by-throttle",
    "sqs-visibility-too-short",
    "steady",
    "stream-blocked-shard",
    "throttle-and-retry",
    "warmer-versus-provisioned",
]

LABEL = re.compile(r"(Predict|Run|Lesson|Then): ")
NUMBER = re.compile(r"(?<!\w)(?:\d+:\d\d|\d+(?:,\d{3})*(?:\.\d+)?)")
SET = re.compile(r"--set ('[^']+'|[^\s,)]+)")
FILE_NAME = re.compile(r"[a-z0-9-]+\.(?:yaml|csv)")


def source_text(name: str) -> str:
    """The file of a scenario."""
    return (SCENARIOS / f"{name}.yaml").read_text(encoding="utf-8")


@cache
def simulated(name: str, seed: int | None, changes: tuple[str, ...]) -> Result:
    """A run, with the ``--set`` arguments of the command line. A lesson may do what AWS advises against."""
    values = dict(change.split("=", 1) for change in changes)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*; AWS advises", ScenarioWarning)
        return simulate(
            SCENARIOS / f"{name}.yaml", seed=seed, set={path: yaml.safe_load(value) for path, value in values.items()}
        )


def run(name: str, *changes: str, seed: int | None = None) -> Result:
    """A run of a scenario, remembered for the other tests."""
    return simulated(name, seed, changes)


def comment(name: str) -> dict[str, str]:
    """The comment at the top of a file, by label (Predict, Run, Lesson, Then), each on one line."""
    lines = source_text(name).split("\nname:")[0].splitlines()
    parts = LABEL.split(" ".join(line.removeprefix("#").strip() for line in lines))
    return dict(zip(parts[1::2], map(str.strip, parts[2::2]), strict=True))


def proposed_runs(name: str) -> list[Result]:
    """Runs of the ``--set`` arguments that a file proposes under Then, one by one."""
    return [run(name, change.strip("'")) for change in SET.findall(comment(name)["Then"])]


def value_of(text: str) -> tuple[float, float]:
    """The value of a quoted number and how far the figure may be from it: half of its last digit.

    Of a whole number with zeros at its end, half of the last digit before them, but never more than 3 %.
    """
    if ":" in text:
        minutes, seconds = text.split(":")
        return int(minutes) * 60 + int(seconds), 1
    digits = text.replace(",", "")
    value = float(digits)
    decimals = len(digits.partition(".")[2])
    if decimals:
        return value, 0.5 * 10.0**-decimals * 1.001  # half of the last digit, and what a float adds
    zeros = len(digits) - len(digits.rstrip("0"))
    return value, max(0.5, min(0.5 * 10.0**zeros, 0.03 * value))


def assert_quoted(name: str, label: str, figures: Mapping[str, float]) -> None:
    """Each phrase stands in the comment and its one number is the figure; no number of the comment is left over."""
    text = FILE_NAME.sub("", SET.sub("", comment(name)[label]))
    unchecked = {found.span() for found in NUMBER.finditer(text)}
    for phrase, figure in figures.items():
        start = text.find(phrase)
        assert start >= 0, f"{name} does not say {phrase!r}"
        (number,) = NUMBER.finditer(text, start, start + len(phrase))
        value, tolerance = value_of(number.group())
        assert figure == pytest.approx(value, abs=tolerance), f"{name} says {phrase!r}"
        unchecked.discard(number.span())
    assert not unchecked, f"{name}: nothing checks {[text[slice(*span)] for span in sorted(unchecked)]} in {text!r}"


def throttle_times_s(result: Result) -> npt.NDArray[np.float64]:
    """When attempts were refused."""
    times: npt.NDArray[np.float64] = result.attempts["time_s"][result.attempts["result"] == "throttled"]
    return times


def refused_share(result: Result, function: str, since_s: float = 0, until_s: float = float("inf")) -> float:
    """Share of the requests of a function that arrived in an interval and were refused at their first attempt."""
    requests = result.requests
    arrival_s = requests["arrival_s"]
    chosen = (requests["function"] == function) & (arrival_s >= since_s) & (arrival_s < until_s)
    return float((requests["throttles"][chosen] > 0).mean())


def in_flight(result: Result, times_s: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Concurrency at each instant, in a run without retries."""
    requests = result.requests
    accepted = requests["outcome"] != "throttled"
    starts, ends = np.sort(requests["start_s"][accepted]), np.sort(requests["end_s"][accepted])
    level: npt.NDArray[np.int64] = np.searchsorted(starts, times_s, "right") - np.searchsorted(ends, times_s, "right")
    return level


def started_until(result: Result, time_s: float) -> int:
    """Environments that were created up to an instant."""
    return int((result.environments["created_s"] <= time_s).sum())


def reasons(result: Result) -> dict[str, int]:
    """Throttled attempts by reason, those that occurred."""
    by_reason: dict[str, int] = result.summary["attempts"]["throttles_by_reason"]
    return {reason: count for reason, count in by_reason.items() if count}


def within_4_standard_errors(samples: list[float], expected: float) -> bool:
    """Whether the mean of replications is compatible with theory."""
    return abs(mean(samples) - expected) < 4 * stdev(samples) / sqrt(len(samples))


class TestFiles:
    def test_every_scenario_has_its_tests(self) -> None:
        """A new file needs a class here."""
        assert sorted(path.stem for path in SCENARIOS.glob("*.yaml")) == NAMES

    @pytest.mark.parametrize("name", NAMES)
    def test_is_short_and_opens_with_a_question_and_its_lesson(self, name: str) -> None:
        """Under 40 lines of at most 120 characters, with Predict asking and Lesson answering, in that order."""
        lines = source_text(name).splitlines()
        assert len(lines) < 40
        assert max(map(len, lines)) <= 120
        labels = comment(name)
        assert list(labels) == [label for label in ("Predict", "Run", "Lesson", "Then") if label in labels]
        assert labels["Predict"].endswith("?")
        assert labels["Lesson"].endswith(".")

    @pytest.mark.parametrize("name", NAMES)
    def test_names_itself_and_has_a_seed_and_a_title(self, name: str) -> None:
        """The name is that of the file; the description is one sentence that fits above a picture."""
        content = yaml.safe_load(source_text(name))
        assert content["name"] == name
        assert isinstance(content["seed"], int)
        assert 20 < len(content["description"]) <= 105
        assert not content["description"].endswith(".")

    @pytest.mark.parametrize("name", NAMES)
    def test_is_small_enough_for_a_workshop(self, name: str) -> None:
        """At most 60,000 attempts, so that a run with its files and pictures takes seconds."""
        assert run(name).summary["attempts"]["total"] <= 60_000
        assert run(name).summary["requests"]["in_flight"] == 0


class TestFirstInvocations:
    def test_every_request_by_hand(self) -> None:
        """Arrival, start of the handler, end, environment: as one would draw it on paper."""
        requests = run("first-invocations").requests
        handler_s = requests["start_s"] + requests["wait_s"]
        rows = zip(requests["arrival_s"], handler_s, requests["end_s"], requests["environment"], strict=True)
        assert list(rows) == [
            (0, 1, 3, 0),  # cold: init 0-1, handler 1-3
            (10, 10, 12, 0),
            (10, 11, 13, 1),  # cold: environment 0 is busy
            (20, 20, 22, 1),  # environment 1 fell idle last
            (25, 25, 27, 1),
            (30, 30, 32, 1),
            (30, 30, 32, 0),
        ]

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        summary = run("first-invocations").summary
        figures = {
            "2. The": summary["invocations"]["cold_starts"],
            "takes 3 s": summary["latency_s"]["max"],
            "1 s of init": summary["init_s"]["max"],
            "2 s of handler": 2,
            "at 10 s": run("first-invocations").requests["arrival_s"][2],
            "need 2 environments": summary["environments"]["created"],
            "other 5": summary["invocations"]["total"] - summary["invocations"]["cold_starts"],
            "take 2 s": summary["latency_s"]["p50"],
        }
        assert_quoted("first-invocations", "Lesson", figures)
        assert_quoted("first-invocations", "Predict", {"of the 7": summary["requests"]["total"]})


class TestLittlesLaw:
    @pytest.mark.parametrize(("varied", "mean_square_s2"), [(False, 0.5**2), (True, 2 * 0.5**2)])
    def test_mean_is_rate_times_duration(self, varied: bool, mean_square_s2: float) -> None:
        """M/G/inf: within 4 standard errors of 50, whether the duration is constant or exponential.

        The time average of the number in service over T has the variance arrival_rate x E[S^2] / T for long T.
        """
        result = proposed_runs("littles-law")[0] if varied else run("littles-law")
        standard_error = sqrt(100 * mean_square_s2 / 300)
        assert abs(result.summary["concurrency"]["mean"] - 50) < 4 * standard_error < 0.05 * 50

    def test_peak_is_what_chance_makes_of_the_mean(self) -> None:
        """Poisson with mean 50: five minutes reach its far tail, and not beyond."""
        peak = run("littles-law").summary["concurrency"]["peak"]
        assert concurrency_percentile(50, 0.999) < peak < concurrency_percentile(50, 1 - 1e-10)

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        concurrency = run("littles-law").summary["concurrency"]
        (varied,) = proposed_runs("littles-law")
        lesson = {"100/s": 100, "500 ms": 500, "= 50 on average": concurrency["mean"], "is 78": concurrency["peak"]}
        assert_quoted("littles-law", "Lesson", lesson | {"limit of 50": 50})
        assert_quoted("littles-law", "Then", {"is 50 again": varied.summary["concurrency"]["mean"]})


class TestSpike:
    @pytest.mark.parametrize("seed", [None, 1])
    def test_the_cold_wave_breaks_what_the_steady_rate_respects(self, seed: int | None) -> None:
        """Refusals come within the first inits after the jump only; by Little's law 800/s of 1 s would fit."""
        result = run("spike", seed=seed)
        times_s = throttle_times_s(result)
        assert set(reasons(result)) == {"account_concurrency", "scaling_rate"}
        assert result.summary["concurrency"]["peak"] == 1_000
        assert 30 < times_s.min() < times_s.max() < 35
        mean_handler_s = 0.8 * exp((log(4 / 0.8) / NormalDist().inv_cdf(0.99)) ** 2 / 2)
        assert 800 * mean_handler_s + 4 * sqrt(800 * mean_handler_s) < 1_000

    def test_environments_start_no_faster_than_the_scaling_rate(self) -> None:
        """1,000 at once and 100 per second: the rule, over every interval that begins with the jump."""
        created_s = np.sort(run("spike").environments["created_s"])
        created_s = created_s[created_s >= 30]
        assert (np.arange(1, len(created_s) + 1) <= 1_000 + 100 * (created_s - 30) + 1e-6).all()

    def test_a_larger_quota_only_changes_the_reason(self) -> None:
        """Without the quota in the way the scaling rate refuses; with a short init nothing does."""
        larger, short_init = proposed_runs("spike")
        assert set(reasons(larger)) == {"scaling_rate"}
        assert larger.summary["requests"]["throttled"] > 0.9 * run("spike").summary["requests"]["throttled"]
        assert reasons(short_init) == {}

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result = run("spike")
        times_s, by_reason = throttle_times_s(result), reasons(result)
        region = result.scenario.region
        assert isinstance(region.scaling, RegionScaling)
        starts_s = result.requests["start_s"]
        after_wave = in_flight(result, starts_s[starts_s > times_s.max() + 2]).max()
        lesson = {
            "1,103, all": result.summary["requests"]["throttled"],
            "within 2 seconds": times_s.max() - times_s.min(),
            "init of 2 s": 2,
            "800/s x": 800,
            "x 3 s": 2 + 1,
            "2,400 in flight": 800 * 3,
            "quota of 1,000": region.concurrency_quota,
            "refuses 767": by_reason["account_concurrency"],
            "starts 1,000": region.scaling.burst,
            "100 more per second": region.scaling.rate / (region.scaling.per / 1e9),
            "refuses 336": by_reason["scaling_rate"],
            "same 800/s": 800,
            "908 at most": after_wave,
        }
        larger, short_init = proposed_runs("spike")
        then = {
            "1,088 are refused": larger.summary["requests"]["throttled"],
            "0 are refused": short_init.summary["requests"]["throttled"],
        }
        assert_quoted("spike", "Lesson", lesson)
        assert_quoted("spike", "Then", then)
        assert_quoted("spike", "Predict", {"32,459": result.summary["requests"]["total"]})


class TestSteady:
    def test_cold_starts_are_rare_and_early(self) -> None:
        """AWS: typically under 1 % of production invocations. No new level is reached later without an environment."""
        result = run("steady")
        assert result.summary["invocations"]["cold_start_ratio"] < 0.01
        assert result.requests["arrival_s"][result.requests["cold"]].max() < 60
        assert result.summary["attempts"]["throttles"] == 0

    def test_concurrency_follows_littles_law(self) -> None:
        """50/s of a lognormal duration, within 4 standard errors of M/G/inf."""
        sigma = log(0.8 / 0.16) / NormalDist().inv_cdf(0.99)
        mean_s, mean_square_s2 = 0.16 * exp(sigma**2 / 2), 0.16**2 * exp(2 * sigma**2)
        assert mean_s == pytest.approx(0.2, rel=0.02)
        standard_error = sqrt(50 * mean_square_s2 / 600)
        assert abs(run("steady").summary["concurrency"]["mean"] - 50 * mean_s) < 4 * standard_error

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result = run("steady")
        cold_s = result.requests["arrival_s"][result.requests["cold"]]
        lesson = {
            "21, less": result.summary["invocations"]["cold_starts"],
            "811 ms": 1e3 * result.summary["latency_s"]["p99"],
        }
        text = comment("steady")["Lesson"]
        assert "less than 0.1 %" in text
        assert result.summary["invocations"]["cold_start_ratio"] < 0.001
        assert "all of them in the first second" in text
        assert cold_s.max() < 1
        assert "with them and without" in text
        without = run("steady", "functions.api.init=0s").summary["latency_s"]["p99"]
        assert without == pytest.approx(result.summary["latency_s"]["p99"], rel=0.002)
        assert_quoted("steady", "Lesson", lesson | {"less than 0.1 %": 0.1})
        assert_quoted("steady", "Predict", {"30,000": result.summary["requests"]["total"]})


class TestSharedQuota:
    def test_the_small_function_loses_as_much_as_the_large_one(self) -> None:
        """Arrivals see time averages: both are refused with the Erlang B probability of their common load."""
        seeds = range(1, 7)
        for function in ("api", "import"):
            shares = [refused_share(run("shared-quota", seed=seed), function, 50, 120) for seed in seeds]
            assert within_4_standard_errors(shares, erlang_b(1_000, 10 + 1_500))

    def test_nothing_is_refused_without_the_import(self) -> None:
        """The quota is ample for api alone."""
        times_s = throttle_times_s(run("shared-quota"))
        assert reasons(run("shared-quota")).keys() == {"account_concurrency"}
        assert 30 < times_s.min() < times_s.max() < 120 + 5

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result = run("shared-quota")
        share = 100 * refused_share(result, "api", 30, 120)
        outside = refused_share(result, "api", 0, 30) + refused_share(result, "api", 120)
        assert 100 * refused_share(result, "import", 30, 120) == pytest.approx(share, abs=1)
        lesson = {
            "30 %": share,
            "1,000 are in flight": result.scenario.region.concurrency_quota,
            "0 are refused": outside,
        }
        assert_quoted("shared-quota", "Lesson", lesson)
        assert_quoted("shared-quota", "Predict", {"needs 10": 100 * 0.1, "of the 1,000": 1_000})


class TestReserved:
    def test_the_requests_are_those_of_shared_quota(self) -> None:
        """So the two files differ in the reservation alone."""
        ours, theirs = run("reserved"), run("shared-quota")
        np.testing.assert_array_equal(ours.requests["arrival_s"], theirs.requests["arrival_s"])
        assert ours.scenario.functions["import"] == theirs.scenario.functions["import"]

    def test_the_victim_is_cured_and_the_import_pays(self) -> None:
        """No throttle of api; the import never has more than quota - reserved, and loses Erlang B of that pool."""
        functions = run("reserved").summary["functions"]
        assert functions["api"]["attempts"]["throttles"] == 0
        assert functions["import"]["concurrency"]["peak"] == 900
        shares = [refused_share(run("reserved", seed=seed), "import", 50, 120) for seed in range(1, 7)]
        assert within_4_standard_errors(shares, erlang_b(900, 1_500))

    def test_a_reservation_is_also_a_ceiling(self) -> None:
        """A demand of 200 meets 100 units, also while nobody else is there; without the reservation it fits."""
        (slow,) = proposed_runs("reserved")
        api = slow.summary["functions"]["api"]
        assert api["concurrency"]["peak"] == 100
        assert api["attempts"]["throttles_by_reason"]["reserved_concurrency"] == api["attempts"]["throttles"]
        assert refused_share(slow, "api", 5, 30) == pytest.approx(erlang_b(100, 200), abs=0.05)
        assert refused_share(run("shared-quota", "functions.api.duration=2s"), "api", 0, 30) == 0

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result, before = run("reserved"), run("shared-quota")
        (slow,) = proposed_runs("reserved")
        functions = result.summary["functions"]
        lesson = {
            "0. The": functions["api"]["requests"]["throttled"],
            "the 100 units": result.scenario.functions["api"].reserved_concurrency or 0,
            "uses 10": functions["api"]["concurrency"]["mean"],
            "has 900": functions["import"]["concurrency"]["peak"],
            "36 %": 100 * refused_share(result, "import", 30, 120),
            "30 %": 100 * refused_share(before, "import", 30, 120),
        }
        idle = 1_000 - in_flight(slow, np.linspace(0, 30, 301)).max()
        then = {
            "need 200": 100 * 2,
            "50 %": 100 * refused_share(slow, "api"),
            "first 30 seconds": 30,
            "900 units": idle,
        }
        assert refused_share(slow, "api", 0, 30) > 0.4
        assert_quoted("reserved", "Lesson", lesson)
        assert_quoted("reserved", "Then", then)


class TestThrottleAndRetry:
    @pytest.mark.parametrize("seed", [None, 9])
    def test_the_rush_is_delayed_until_concurrency_falls(self, seed: int | None) -> None:
        """Nobody is lost; the quota is reached and never exceeded; the backlog drains at the spare service rate."""
        result = run("throttle-and-retry", seed=seed)
        summary = result.summary
        assert summary["requests"]["completed"] == summary["requests"]["total"]
        assert summary["concurrency"]["peak"] == 1_000
        assert reasons(result).keys() == {"account_concurrency"}
        spare_per_s = 1_000 / 5 - 100
        assert throttle_times_s(result).max() == pytest.approx(60 + waiting(result, 60) / spare_per_s, abs=8)

    def test_backlog_is_what_the_fluid_says(self) -> None:
        """In flight rises from 500 towards 1,500 and meets 1,000 after 5 s x ln 2; then 100/s too many come."""
        overloaded_s = 30 - 5 * log(2)
        excess = 100 * overloaded_s
        # Arrivals of the rush and services are random: their difference has about this standard deviation.
        deviation = sqrt(300 * overloaded_s + 200 * overloaded_s)
        assert abs(waiting(run("throttle-and-retry"), 60) - excess) < 4 * deviation

    def test_a_few_quick_tries_save_hardly_anybody(self) -> None:
        """Three attempts end while the rush still lasts."""
        three, none = proposed_runs("throttle-and-retry")
        assert 0.9 < three.summary["requests"]["throttled"] / none.summary["requests"]["throttled"] < 1

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result = run("throttle-and-retry")
        requests = result.requests
        retried = requests["attempts"] > 1
        three, none = proposed_runs("throttle-and-retry")
        lesson = {
            "0 are lost": result.summary["requests"]["total"] - result.summary["requests"]["completed"],
            "1:24": throttle_times_s(result).max(),
            "300/s come": 300,
            "1,000 environments": result.summary["concurrency"]["peak"],
            "serve 200/s": 1_000 / 5,
            "about 2,500 requests": waiting(result, 60),
            "100/s come": 100,
            "the 2,500 need": waiting(result, 60),
            "25 s to drain": waiting(result, 60) / (200 - 100),
            "7,500 requests": int(retried.sum()),
            "9 s late": float((requests["start_s"] - requests["arrival_s"])[retried].mean()),
            "29,000 refused": result.summary["attempts"]["throttles"],
        }
        then = {
            "2,337 requests": three.summary["requests"]["throttled"],
            "2,482": none.summary["requests"]["throttled"],
        }
        assert_quoted("throttle-and-retry", "Lesson", lesson)
        assert_quoted("throttle-and-retry", "Then", then)
        assert_quoted("throttle-and-retry", "Predict", {"1:00": 60})


def waiting(result: Result, time_s: float) -> int:
    """Requests that have come but are not accepted yet."""
    return int(((result.requests["arrival_s"] < time_s) & (result.requests["start_s"] > time_s)).sum())


class TestBursts:
    def test_the_demand_is_the_same(self) -> None:
        """The two files differ in profile, name and description, and in the request nothing."""
        old, new = (yaml.safe_load(source_text(name)) for name in ("burst-2019", "burst-today"))
        assert {key for key in old if old[key] != new[key]} == {"name", "description", "profile"}
        assert (old["profile"], new["profile"]) == ("legacy-2023", "2026")

    @pytest.mark.parametrize("time_s", [2, 10, 20, 30, 60, 120, 180, 230])
    def test_2019_starts_3000_and_then_500_per_minute(self, time_s: float) -> None:
        """The legacy law, as long as enough attempts come."""
        assert started_until(run("burst-2019"), time_s) == pytest.approx(3_000 + 500 * time_s / 60, rel=0.01)

    @pytest.mark.parametrize("time_s", [2, 10, 20, 30, 35])
    def test_today_starts_1000_and_then_100_per_second(self, time_s: float) -> None:
        """The current law, as long as enough attempts come."""
        assert started_until(run("burst-today"), time_s) == pytest.approx(1_000 + 100 * time_s, rel=0.01)

    @pytest.mark.parametrize("name", ["burst-2019", "burst-today"])
    def test_all_jobs_run_in_environments_of_their_own(self, name: str) -> None:
        """Nothing is lost or reused, and the scaling rate is the only limit that is met."""
        summary = run(name).summary
        assert summary["requests"]["completed"] == summary["environments"]["created"] == 5_000
        assert reasons(run(name)).keys() == {"scaling_rate"}

    def test_quoted_numbers(self) -> None:
        """What the files say. The laws cross where 3,000 + 500/60 t = 1,000 + 100 t."""
        old, new = run("burst-2019"), run("burst-today")
        last_old_s, last_new_s = (float(result.environments["created_s"].max()) for result in (old, new))
        crossing_s = 2_000 / (100 - 500 / 60)
        lesson_of_old = {
            "3,083 after": started_until(old, 10),
            "after 10 s": 10,
            "all 5,000": old.summary["environments"]["created"],
            "4 minutes": last_old_s / 60,
            "missing 2,000": 5_000 - 3_000,
            "500 per minute": (started_until(old, 180) - started_until(old, 60)) / 2,
            "10,000 is never": old.scenario.region.concurrency_quota,
            "48,000 attempts": old.summary["attempts"]["throttles"],
        }
        lesson_of_new = {
            "2,000 after": started_until(new, 10),
            "after 10 s": 10,
            "the 3,083": started_until(old, 10),
            "all 5,000": new.summary["environments"]["created"],
            "44 s": last_new_s,
            "4 minutes": last_old_s / 60,
            "missing 4,000": 5_000 - 1_000,
            "100 per second": (started_until(new, 30) - started_until(new, 10)) / 20,
            "takes 40 s": 4_000 / 100,
            "after 22 s": crossing_s,
            "at 3,200": started_until(new, crossing_s),
        }
        assert started_until(new, crossing_s) == pytest.approx(started_until(old, crossing_s), rel=0.01)
        assert old.summary["concurrency"]["peak"] < 10_000
        assert_quoted("burst-2019", "Lesson", lesson_of_old)
        assert_quoted("burst-today", "Lesson", lesson_of_new)
        for name in ("burst-2019", "burst-today"):
            assert_quoted(name, "Predict", {"after 10 s": 10})


class TestShortFunction:
    def test_accepts_ten_times_the_quota_per_second(self) -> None:
        """A bucket of 1,000 requests, refilled at 1,000/s: the rule, over every interval from the start."""
        result = run("short-function")
        assert reasons(result).keys() == {"account_rate"}
        admitted_s = np.sort(result.attempts["time_s"][result.attempts["result"] == "ok"])
        assert (np.arange(1, len(admitted_s) + 1) <= 1_000 + 1_000 * admitted_s + 1e-6).all()
        late = admitted_s[admitted_s >= 20]
        assert len(late) / 10 == pytest.approx(1_000, rel=0.002)

    def test_a_fifth_of_the_quota_is_in_flight(self) -> None:
        """1,000/s x 20 ms = 20 of 100 while requests are refused; 24 just before."""
        result = run("short-function")
        late = in_flight(result, np.linspace(20, 29.9, 400)).mean()
        assert late == pytest.approx(20, abs=0.5)
        assert result.summary["concurrency"]["peak"] <= 0.25 * result.scenario.region.concurrency_quota

    def test_the_first_refusal_comes_when_the_bucket_is_empty(self) -> None:
        """The rate passes 1,000/s at 10 s / 1.2 and takes 1,000 tokens more than come back: 167 while it rises."""
        passed_s = 10 / 1.2
        while_rising = (10 - passed_s) * 200 / 2
        expected_s = 10 + (1_000 - while_rising) / 200
        assert throttle_times_s(run("short-function")).min() == pytest.approx(expected_s, abs=0.02)

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result = run("short-function")
        (larger,) = proposed_runs("short-function")
        lesson = {
            "1 in": 1,
            "in 6": 1 / refused_share(result, "lookup", 20, 30),
            "than 24": result.summary["concurrency"]["peak"],
            "of 100 in flight": result.scenario.region.concurrency_quota,
            "10 x the": result.scenario.region.requests_per_concurrency,
            "1,000/s": 10 * 100,
            "only 20 in flight": in_flight(result, np.linspace(20, 29.9, 400)).mean(),
            "0:14": throttle_times_s(result).min(),
            "Below 100 ms": 1_000 / 10,
        }
        then = {
            "1,200/s": 1_200,
            "quota of 120": larger.scenario.region.concurrency_quota,
            "0 refusals": larger.summary["attempts"]["throttles"],
        }
        assert_quoted("short-function", "Lesson", lesson)
        assert_quoted("short-function", "Then", then)


class TestNewAccount:
    def test_loses_what_erlang_b_says(self) -> None:
        """Ten replications agree with Erlang B of 6 on 10, and with nothing near it: a quota of 11 is told apart."""
        shares = [refused_share(run("new-account", seed=seed), "api") for seed in range(1, 11)]
        assert within_4_standard_errors(shares, erlang_b(10, 6))
        assert not within_4_standard_errors(shares, erlang_b(11, 6))

    def test_peak_is_the_quota(self) -> None:
        """new-account means 10."""
        summary = run("new-account").summary
        assert summary["concurrency"]["quota"] == summary["concurrency"]["peak"] == 10
        assert reasons(run("new-account")).keys() == {"account_concurrency"}

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result = run("new-account")
        (larger,) = proposed_runs("new-account")
        lesson = {
            "4.5 %": 100 * refused_share(result, "api"),
            "The 6 are": 20 * 0.3,
            "finds 10": result.summary["concurrency"]["peak"],
            "4.3 %": 100 * erlang_b(10, 6),
            "for 6 on": 20 * 0.3,
            "10 lines": 10,
        }
        peak = larger.summary["concurrency"]["peak"]
        then = {"0 refusals": larger.summary["attempts"]["throttles"], "peak is 18": peak}
        assert peak == pytest.approx(3 * 6, abs=1.5)
        assert_quoted("new-account", "Lesson", lesson)
        assert_quoted("new-account", "Then", then)
        assert_quoted("new-account", "Predict", {"6 fit": 20 * 0.3, "into 10": 10})


class TestIdleTimeout:
    def test_all_but_the_one_of_the_warmer_are_reaped(self) -> None:
        """Twice 19 are reaped; each 5 to 7 minutes after it fell idle, which is 2 s after its last handler started."""
        result = run("idle-timeout")
        environments, requests = result.environments, result.requests
        assert result.summary["environments"]["created"] == 20 + 19
        assert result.summary["environments"]["reaped"] == 2 * 19
        for number in np.flatnonzero(~np.isnan(environments["reaped_s"])):
            fell_idle_s = requests["end_s"][requests["environment"] == number].max()
            assert 300 <= environments["reaped_s"][number] - fell_idle_s <= 420

    def test_the_warmer_always_meets_the_same_environment(self) -> None:
        """Most recently used first: between two bursts its calls go to one environment."""
        requests = run("idle-timeout").requests
        calls = (requests["source"] == "warmer") & (requests["arrival_s"] > 250) & (requests["arrival_s"] < 720)
        assert calls.sum() == 8
        assert len(set(requests["environment"][calls])) == 1

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        requests = run("idle-timeout").requests
        cold = [int(requests["cold"][requests["source"] == burst].sum()) for burst in ("first", "second", "third")]
        lesson = {
            "20, ": cold[0],
            "0 and": cold[1],
            " 19.": cold[2],
            "After 4 minutes": 4,
            "all 20 environments": int((~requests["cold"][requests["source"] == "second"]).sum()),
            "After 8 minutes": 12 - 4,
            "all but 1:": int((~requests["cold"][requests["source"] == "third"]).sum()),
            "5 to": 300 / 60,
            "7 minutes": 420 / 60,
        }
        assert_quoted("idle-timeout", "Lesson", lesson)


class TestDeployment:
    @pytest.mark.parametrize("seed", [None, 1, 2])
    def test_every_request_is_cold_until_a_new_environment_is_idle(self, seed: int | None) -> None:
        """That is 2 s of init and 200 ms of handler after the first request; then environments are free as often as
        requests come, until 200 ms later the warm ones are free again as well. The difference of two Poisson counts
        of 100/s has a variance of 2 x 100/s x 200 ms, and asks for a few more."""
        result = run("deployment", seed=seed)
        arrival_s, cold = since_deployment(result)
        first = arrival_s < arrival_s[0] + 2 + 0.2
        assert cold[first].all()
        assert cold.sum() - first.sum() < 4 * sqrt(2 * 100 * 0.2)
        assert result.summary["attempts"]["throttles"] == 0

    def test_the_deployment_is_the_cause(self) -> None:
        """Without it the same requests find enough environments."""
        assert since_deployment(run("deployment", "changes=[]"))[1].sum() == 0

    def test_all_environments_are_replaced(self) -> None:
        """The idle ones at 1:00, the busy ones when they are done, at most 200 ms later; no new one."""
        environments = run("deployment").environments
        old = environments["created_s"] < 60
        reaped_s = environments["reaped_s"]
        assert reaped_s[old].min() == 60 < reaped_s[old].max() < 60.2
        assert not np.isnan(reaped_s[old]).any()
        assert np.isnan(reaped_s[~old]).all()

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result = run("deployment")
        (short_init,) = proposed_runs("deployment")
        arrival_s, cold = since_deployment(result)
        wave = int(cold.sum())
        lesson = {
            "237, the": wave,
            "after 2.3 s": arrival_s[cold].max() - 60,
            "100/s x": 100,
            "(2 s of init": result.summary["init_s"]["max"],
            "200 ms)": 200,
            "= 220 on average": 100 * (2 + 0.2),
            "needs 20": 100 * 0.2,
            "9 in": 10 * (1 - in_flight(result, np.linspace(65, 119, 541)).mean() / wave),
            "in 10 of": 10,
        }
        busy = in_flight(result, np.linspace(10, 59.9, 500)).mean()
        assert_quoted("deployment", "Lesson", lesson)
        assert_quoted("deployment", "Then", {"46 cold starts": since_deployment(short_init)[1].sum()})
        assert_quoted("deployment", "Predict", {"20 environments": busy})


def since_deployment(result: Result) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """The requests that came from 1:00 on: arrival, and whether it was a cold start."""
    requests = result.requests[result.requests["arrival_s"] >= 60]
    return requests["arrival_s"], requests["cold"]


class TestIncident:
    def test_loses_what_erlang_b_says(self) -> None:
        """Ten replications agree with Erlang B of 45 on 40; one unit more, or an incident of 800 ms, is told apart."""
        milder = "changes.0.functions.api.duration.exponential.mean=800ms"
        shares, of_milder = (
            [refused_share(run("incident", *changes, seed=seed), "api", 65, 180) for seed in range(1, 11)]
            for changes in ((), (milder,))
        )
        assert within_4_standard_errors(shares, erlang_b(40, 45))
        assert not within_4_standard_errors(shares, erlang_b(41, 45))
        assert not within_4_standard_errors(of_milder, erlang_b(40, 45))

    @pytest.mark.parametrize("seed", [None, 1, 2])
    def test_only_the_incident_breaks_the_reservation(self, seed: int | None) -> None:
        """15 fit into 40, and after 5 s (more than five times 900 ms) next to nothing of the incident is left."""
        result = run("incident", seed=seed)
        times_s = throttle_times_s(result)
        assert 60 < times_s.min() < times_s.max() < 180 + 5
        assert result.summary["concurrency"]["peak"] == 40
        assert reasons(result).keys() == {"reserved_concurrency"}

    def test_retries_use_every_free_unit_and_no_more(self) -> None:
        """40 units serve 40 / 900 ms of 50/s at most, so that 1 - 40/45 are lost; without retries it is Erlang B."""
        (retry,) = (change.strip("'") for change in SET.findall(comment("incident")["Then"]))
        shares = []
        for seed in range(1, 7):
            requests = run("incident", retry, seed=seed).requests
            chosen = (requests["arrival_s"] >= 65) & (requests["arrival_s"] < 180)
            shares.append(float((requests["outcome"][chosen] == "throttled").mean()))
        assert 1 - 40 / 45 < mean(shares) < erlang_b(40, 45)

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result = run("incident")
        (retried,) = proposed_runs("incident")
        predict = {
            "50/s x": 50,
            "300 ms": 300,
            "= 15 in flight": in_flight(result, np.linspace(5, 60, 551)).mean(),
            "40 are reserved": result.scenario.functions["api"].reserved_concurrency or 0,
        }
        lesson = {
            "19 %": 100 * refused_share(result, "api", 60, 180),
            "50/s x": 50,
            "900 ms": 900,
            "= 45 in flight": 50 * 0.9,
            "11 %": 100 * (1 - 40 / 45),
            "into 40": result.summary["concurrency"]["peak"],
            "18 %": 100 * erlang_b(40, 45),
            "3:00": 180,
            "0 are refused": refused_share(result, "api", 180),
        }
        then = {
            "800 requests": retried.summary["requests"]["throttled"],
            "1,157, but": result.summary["requests"]["throttled"],
            "58 %": 100 * refused_share(retried, "api", 60, 180),
            "9,773 attempts": retried.summary["attempts"]["throttles"],
        }
        assert_quoted("incident", "Predict", predict)
        assert_quoted("incident", "Lesson", lesson)
        assert_quoted("incident", "Then", then)


class TestQuotaIncrease:
    RAISED_TO_1200 = "changes.0.region.concurrency_quota=1200"

    def test_what_gets_in_is_the_quota_per_5_s(self) -> None:
        """1,000 / 5 s of 300/s until the raise, and 1,200 / 5 s after a raise to 1,200."""
        runs = [run("quota-increase", self.RAISED_TO_1200, seed=seed) for seed in range(1, 11)]
        before = [refused_share(result, "api", 10, 120) for result in runs]
        after = [refused_share(result, "api", 130, 180) for result in runs]
        assert within_4_standard_errors(before, 1 - 200 / 300)
        assert within_4_standard_errors(after, 1 - 240 / 300)
        assert not within_4_standard_errors(before, 1 - 205 / 300)
        assert not within_4_standard_errors(after, 1 - 200 / 300)

    def test_no_5_s_before_the_raise_admit_more_than_the_quota(self) -> None:
        """The rule: whoever comes 1,000 admissions later comes when the first has ended, which is 5 s later."""
        requests = run("quota-increase").requests
        admitted_s = np.sort(requests["start_s"][requests["outcome"] != "throttled"])
        earlier_s, later_s = admitted_s[:-1_000], admitted_s[1_000:]
        is_before = later_s < 120
        assert (later_s - earlier_s)[is_before].min() >= 5 - 1e-6
        assert (later_s - earlier_s)[~is_before].min() < 4

    @pytest.mark.parametrize("seed", [None, 1, 2])
    def test_nothing_is_refused_after_the_raise(self, seed: int | None) -> None:
        """The tokens of the scaling rate are back by then; if they were not, it would refuse what the quota lets in."""
        result = run("quota-increase", seed=seed)
        assert 0 < throttle_times_s(result).max() < 120
        assert reasons(result).keys() == {"account_concurrency"}
        slow = run("quota-increase", "functions.api.scaling={burst: 1000, rate: 1, per: 10s}", seed=seed)
        assert throttle_times_s(slow).max() > 120
        assert reasons(slow).keys() == {"account_concurrency", "scaling_rate"}

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result = run("quota-increase")
        (to_1200,) = proposed_runs("quota-increase")
        region = result.scenario.region
        assert isinstance(region.scaling, RegionScaling)
        wanted = in_flight(result, np.linspace(130, 179, 491)).mean()
        before = (result.requests["arrival_s"] >= 10) & (result.requests["arrival_s"] < 120)
        lesson = {
            "1 in": 1,
            "in 3": 1 / refused_share(result, "api", 0, 120),
            "1,000 /": region.concurrency_quota,
            "/ 5 s": 5,
            "= 200 per second": (result.requests["throttles"][before] == 0).sum() / 110,
            "300 come": before.sum() / 110,
            "2:00 on": 120,
            "0 are refused": refused_share(result, "api", 120),
            "starts 1,000": region.scaling.burst,
            "only 1,500": wanted,
            "- 1,000 =": region.concurrency_quota,
            "= 500 are": wanted - region.concurrency_quota,
        }
        then = {
            "to 1,200": max(state.quota for state in to_1200.scenario.limits_in_force()),
            "1 in": 1,
            "in 5": 1 / refused_share(to_1200, "api", 130),
        }
        assert_quoted("quota-increase", "Lesson", lesson)
        assert_quoted("quota-increase", "Then", then)


class TestRetryStorm:
    @pytest.mark.parametrize("seed", [None, 1, 2])
    def test_legacy_makes_the_attempts_of_five_failures(self, seed: int | None) -> None:
        """100/s come and 50/s get in, so that p^5 = 1/2 for an attempt; there are 1 + p + ... + p^4 of them."""
        p = 0.5**0.2
        by_hand = (1 - p**5) / (1 - p)
        assert attempts_each(run("retry-storm", seed=seed), "legacy", 40, 75) == pytest.approx(by_hand, rel=0.03)

    @pytest.mark.parametrize("seed", [None, 1, 2])
    def test_standard_makes_the_retries_that_successes_pay_for(self, seed: int | None) -> None:
        """A plain success gives 1 token; a retry takes 5, and brings them back if it succeeds."""
        retries_per_s = 0.0
        for _ in range(100):
            refused = 1 - 50 / (100 + retries_per_s)
            retries_per_s = 100 * (1 - refused) / (5 * refused)
        by_hand = 1 + retries_per_s / 100
        assert attempts_each(run("retry-storm", seed=seed), "standard", 40, 75) == pytest.approx(by_hand, rel=0.02)

    def test_with_many_clients_the_quota_does_not_bind(self) -> None:
        """p^3 = 1/2, and 1 + p + p^2 attempts."""
        (many,) = proposed_runs("retry-storm")
        p = 0.5 ** (1 / 3)
        assert attempts_each(many, "standard", 40, 75) == pytest.approx(1 + p + p**2, rel=0.03)

    @pytest.mark.parametrize("seed", [None, 1, 2])
    def test_retries_create_no_capacity(self, seed: int | None) -> None:
        """50/s for a minute, within 4 standard errors of a Poisson count, and no more with five attempts than three."""
        for function in ("legacy", "standard"):
            assert abs(let_in(run("retry-storm", seed=seed), function) - 3_000) < 4 * sqrt(3_000)

    @pytest.mark.parametrize("seed", [None, 1, 2])
    def test_after_the_overload(self, seed: int | None) -> None:
        """Legacy's delays are 1 + 2 + 4 + 8 s at most, standard's 1 + 2 s. Adaptive loses nobody, but is long late."""
        result = run("retry-storm", seed=seed)
        assert 90 < last_refusal_s(result, "legacy") <= 90 + 15
        assert last_refusal_s(result, "standard") <= 90 + 3
        adaptive = result.summary["functions"]["adaptive"]
        assert adaptive["requests"]["completed"] == adaptive["requests"]["total"]
        assert adaptive["attempts"]["total"] < 1.02 * adaptive["requests"]["total"]
        assert let_in(result, "adaptive") < 0.75 * let_in(result, "standard")
        assert wait_in_client_s(result) > 20

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result = run("retry-storm")
        (many,) = proposed_runs("retry-storm")
        sdk = {name: client_retry(result, name) for name in ("legacy", "standard")}
        lesson = {
            "3.8, ": attempts_each(result, "legacy"),
            "1.17 and": attempts_each(result, "standard"),
            "1.01 attempts": attempts_each(result, "adaptive"),
            "up to 5": sdk["legacy"].max_attempts,
            "fail 5 times": sdk["legacy"].max_attempts,
            "87 %": 100 * 0.5**0.2,
            "up to 3": sdk["standard"].max_attempts,
            "2,992 and": let_in(result, "legacy"),
            "3,006 get in": let_in(result, "standard"),
            "0 are lost": result.summary["functions"]["adaptive"]["requests"]["throttled"],
            "only 1,928": let_in(result, "adaptive"),
            "6 s more": last_refusal_s(result, "legacy") - 90,
            "3:00": 180,
            "waits 43 s": wait_in_client_s(result),
        }
        requests = result.requests[(result.requests["arrival_s"] >= 30) & (result.requests["arrival_s"] < 90)]
        legacy = requests[requests["function"] == "legacy"]
        assert (legacy["outcome"] == "throttled").mean() == pytest.approx(0.5, abs=0.05)
        not_full = run("retry-storm").attempts
        sent = not_full[(not_full["function"] == "adaptive") & (not_full["result"] == "ok")]
        assert ((sent["time_s"] < 180) & (sent["end_s"] > 180)).sum() < 50
        for_each = {
            function: (requests["function"] == function).sum() for function in ("legacy", "standard", "adaptive")
        }
        assert all(count == pytest.approx(6_000, rel=0.02) for count in for_each.values())
        assert_quoted("retry-storm", "Lesson", lesson)
        then = {"With 500": 500, "2.4 attempts": attempts_each(many, "standard")}
        assert_quoted("retry-storm", "Then", then)
        assert_quoted("retry-storm", "Predict", {"6,000": for_each["legacy"]})


def attempts_each(result: Result, function: str, since_s: float = 30, until_s: float = 90) -> float:
    """Attempts for each request of a function that arrived in an interval."""
    requests = result.requests
    arrival_s = requests["arrival_s"]
    chosen = (requests["function"] == function) & (arrival_s >= since_s) & (arrival_s < until_s)
    return float(requests["attempts"][chosen].mean())


def let_in(result: Result, function: str) -> int:
    """Attempts of a function that were accepted between 0:30 and 1:30."""
    attempts = result.attempts[result.attempts["function"] == function]
    accepted_s = attempts["time_s"][attempts["result"] != "throttled"]
    return int(((accepted_s >= 30) & (accepted_s < 90)).sum())


def last_refusal_s(result: Result, function: str) -> float:
    """When an attempt of a function was refused for the last time."""
    return float(throttle_times_s(result)[throttled_functions(result) == function].max())


def throttled_functions(result: Result) -> npt.NDArray[np.str_]:
    """The function of each refused attempt."""
    functions: npt.NDArray[np.str_] = result.attempts["function"][result.attempts["result"] == "throttled"]
    return functions


def wait_in_client_s(result: Result) -> float:
    """How long callers through the adaptive mode waited that came within a second of 3:00."""
    requests = result.requests
    chosen = (requests["function"] == "adaptive") & (abs(requests["arrival_s"] - 180) < 1)
    return float((requests["start_s"] - requests["arrival_s"])[chosen].mean())


def client_retry(result: Result, source: str) -> SdkRetry:
    """What the SDK of a traffic source does."""
    retry = result.scenario.traffic[source].client.retry
    assert isinstance(retry, SdkPreset)
    return retry.sdk


class TestGatewayTimeout:
    def test_loses_what_erlang_b_says(self) -> None:
        """98 on 100. Reports come one in 10 s on average, so a run knows little, and theory asks for many."""
        shares = [refused_share(run("gateway-timeout", seed=seed), "api", 200) for seed in range(1, 21)]
        assert within_4_standard_errors(shares, erlang_b(100, 98))
        without_the_work_for_nobody = erlang_b(100, 98 - 60)
        assert not within_4_standard_errors(shares, without_the_work_for_nobody)

    @pytest.mark.parametrize("seed", [None, 1])
    def test_who_waits_and_who_does_not(self, seed: int | None) -> None:
        """Whoever is let in for a second is answered; whoever is let in for a report is not, 29 s later."""
        requests, attempts = run("gateway-timeout", seed=seed).requests, run("gateway-timeout", seed=seed).attempts
        assert len(attempts) == len(requests)
        worked_s = attempts["end_s"] - attempts["handler_s"]
        is_report = worked_s > 2
        late = requests["outcome"] == "timed_out_client"
        np.testing.assert_array_equal(late, is_report)
        np.testing.assert_allclose(requests["latency_s"][late], 29)
        np.testing.assert_allclose(worked_s[is_report], 89)

    def test_the_work_for_nobody_is_little_of_the_rest(self) -> None:
        """60 s of every report that is let in: 10/s x 0.1 x 60 s, less those that are refused."""
        for_nobody = [in_flight_for_nobody(run("gateway-timeout", seed=seed)) for seed in range(1, 21)]
        assert within_4_standard_errors(for_nobody, 60 * (1 - erlang_b(100, 98)))

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result = run("gateway-timeout")
        stopped, http = proposed_runs("gateway-timeout")
        responses = result.summary["responses"]
        requests = result.requests
        lesson = {
            "5,037": responses["200"],
            "582 callers": responses["504"],
            "see 504": 504,
            "29 s": requests["latency_s"].max(),
            "406 callers": responses["500"],
            "see 500": 500,
            "request of 1 s": np.median(requests["latency_s"]),
            "for 60 s": 89 - 29,
            "10/s x": 10,
            "x 0.1 x": 0.1,
            "x 60 s =": 60,
            "= 60 of": 10 * 0.1 * (89 - 29),
            "the 98:": 10 * (0.9 * 1 + 0.1 * 89),
        }
        in_flight_s = stopped.attempts["end_s"] - stopped.attempts["time_s"]
        assert 10 * in_flight_s.mean() == pytest.approx(38, rel=0.05)
        then = {
            "38 are in flight": 10 * (0.9 * 1 + 0.1 * 29),
            "0 are refused": stopped.summary["attempts"]["throttles"],
            "608 callers": stopped.summary["responses"]["502"],
            "see 502": 502,
            "30 s": http.requests["latency_s"].max(),
            "582 callers": http.summary["responses"]["503"],
            "see 503": 503,
        }
        assert in_flight_for_nobody(result) > 0.5 * 98
        assert_quoted("gateway-timeout", "Lesson", lesson)
        assert_quoted("gateway-timeout", "Then", then)
        assert_quoted("gateway-timeout", "Predict", {"6,025": result.summary["requests"]["total"]})


def in_flight_for_nobody(result: Result) -> float:
    """Mean concurrency from 2:00 to 10:00 of invocations whose caller has seen 504 already."""
    attempts = result.attempts[result.attempts["result"] != "throttled"]
    return mean_in_flight(np.minimum(attempts["time_s"] + 29, attempts["end_s"]), attempts["end_s"], 120, 600)


def mean_in_flight(
    starts_s: npt.NDArray[np.float64], ends_s: npt.NDArray[np.float64], since_s: float, until_s: float
) -> float:
    """Time average of the number of intervals that hold an instant."""
    inside_s = np.clip(ends_s, since_s, until_s) - np.clip(starts_s, since_s, until_s)
    return float(inside_s.sum() / (until_s - since_s))


class TestDuplicateExecution:
    def test_concurrency_is_that_of_all_executions(self) -> None:
        """From 8:00 on, when the fifth execution of the first long invoice has ended: 168, or 48 with a longer wait."""
        (patient,) = (change.strip("'") for change in SET.findall(comment("duplicate-execution")["Then"]))
        for changes, expected in (((), 168), ((patient,), 48)):
            levels = []
            for seed in range(1, 21):
                attempts = run("duplicate-execution", *changes, seed=seed).attempts
                levels.append(mean_in_flight(attempts["time_s"], attempts["end_s"], 480, 900))
            assert within_4_standard_errors(levels, expected)
            assert not within_4_standard_errors(levels, 168 + 48 - expected)

    @pytest.mark.parametrize("seed", [None, 1])
    def test_each_long_invoice_is_executed_five_times(self, seed: int | None) -> None:
        """A new one 60 s and a delay of at most 1, 2, 4, 8 s after the last, and so no more than three at once."""
        result = run("duplicate-execution", seed=seed)
        requests, attempts = result.requests, result.attempts
        late = np.flatnonzero(requests["outcome"] == "timed_out_client")
        assert set(requests["attempts"][late]) == {5}
        assert (np.delete(requests["attempts"], late) == 1).all()
        for request in late:
            times_s = attempts["time_s"][attempts["request"] == request]
            delays_s = np.diff(times_s) - 60
            assert (delays_s > -1e-6).all()
            assert (delays_s < [1, 2, 4, 8]).all()

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result = run("duplicate-execution")
        (patient,) = proposed_runs("duplicate-execution")
        requests, attempts = result.requests, result.attempts
        is_late = requests["outcome"] == "timed_out_client"
        of_late = is_late[attempts["request"]]
        work_s = attempts["end_s"] - attempts["handler_s"]
        at_once = max(
            int(((attempts["time_s"] <= time_s) & (attempts["end_s"] > time_s))[attempts["request"] == request].sum())
            for request in np.flatnonzero(is_late)
            for time_s in attempts["time_s"][attempts["request"] == request]
        )
        arithmetic = {"2/s x": 2, "(0.9": 0.9, "x 10 s": 10, "+ 0.1": 0.1, "150 s)": 150}
        lesson = arithmetic | {
            "5 times": requests["attempts"].max(),
            "up to 3": at_once,
            "x 5 x": 5,
            "= 168 in flight": 2 * (0.9 * 10 + 0.1 * 5 * 150),
            "204 at the peak": result.summary["concurrency"]["peak"],
            "183 long": is_late.sum(),
            "915 times": of_late.sum(),
            "307 s": requests["latency_s"][is_late].mean(),
            "89 %": 100 * work_s[of_late].sum() / work_s.sum(),
        }
        assert patient.summary["requests"]["completed"] == patient.summary["invocations"]["total"]
        then = {"1,901 requests": patient.summary["requests"]["completed"]}
        assert_quoted("duplicate-execution", "Lesson", lesson)
        assert_quoted("duplicate-execution", "Then", then)
        assert_quoted("duplicate-execution", "Predict", arithmetic | {"= 48 in flight": 2 * (0.9 * 10 + 0.1 * 150)})


class TestOpenVersusClosed:
    TIMES: ClassVar = {"mean_think_s": 0.8, "mean_service_s": 1.0}

    def test_the_launch_loses_what_erlang_b_says(self) -> None:
        """50 on 40, in the slow minute after its first 5 s."""
        shares = [refused_share(run("open-versus-closed", seed=seed), "launched", 65, 120) for seed in range(1, 11)]
        assert within_4_standard_errors(shares, erlang_b(40, 50))
        assert not within_4_standard_errors(shares, erlang_b(40, 48))

    @pytest.mark.parametrize("users", [50, 90])
    def test_the_load_test_does_what_engset_says(self, users: int) -> None:
        """Refusals, attempts per second and concurrency of so many users on 40, in the slow minute after 5 s."""
        changes = () if users == 50 else (f"traffic.load-test.virtual_users.stages.0.target={users}",)
        runs = [run("open-versus-closed", *changes, seed=seed) for seed in range(1, 11)]
        sent = [sent_per_s(result, "load-test", 65, 120) for result in runs]
        assert within_4_standard_errors(sent, engset_attempt_rate(users, 40, **self.TIMES))
        busy = []
        for result in runs:
            tested = result.attempts[(result.attempts["function"] == "tested") & (result.attempts["result"] == "ok")]
            busy.append(mean_in_flight(tested["time_s"], tested["end_s"], 65, 120))
        assert within_4_standard_errors(busy, engset_concurrency(users, 40, **self.TIMES))
        shares = [refused_share(result, "tested", 65, 120) for result in runs]
        refused = engset_call_congestion(users, 40, **self.TIMES)
        assert mean(shares) < 0.001 if users == 50 else within_4_standard_errors(shares, refused)

    def test_before_the_slow_minute_both_are_alike(self) -> None:
        """50/s, and nobody is refused."""
        for seed in range(1, 4):
            result = run("open-versus-closed", seed=seed)
            for source in ("launch", "load-test"):
                assert abs(sent_per_s(result, source, 10, 60) - 50) < 4
            assert throttle_times_s(result).min() > 60

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result = run("open-versus-closed")
        (more,) = proposed_runs("open-versus-closed")
        slow_share = {name: refused_share(result, name, 60, 120) for name in ("launched", "tested")}
        lesson = {
            "25 % in the launch": 100 * slow_share["launched"],
            "0 in the test": slow_share["tested"],
            "50/s x": sent_per_s(result, "launch", 60, 120),
            "x 1 s": 1,
            "= 50 units": 50 * 1,
            "says 25 %": 100 * erlang_b(40, 50),
            "for 50": 50,
            "on 40.": result.scenario.functions["launched"].reserved_concurrency or 0,
            "50 users": 50,
            "(800 ms": 800,
            "+ 1 s)": 1,
            "= 28/s": 50 / (0.8 + 1),
            "keep 28": engset_concurrency(50, 40, **self.TIMES),
        }
        assert sent_per_s(result, "load-test", 65, 120) == pytest.approx(28, rel=0.06)
        then = {
            "90/s": sent_per_s(more, "load-test", 10, 60),
            "of 50/s": sent_per_s(result, "load-test", 10, 60),
            "39 %": 100 * refused_share(more, "tested", 60, 120),
        }
        assert_quoted("open-versus-closed", "Lesson", lesson)
        assert_quoted("open-versus-closed", "Then", then)


def sent_per_s(result: Result, source: str, since_s: float, until_s: float) -> float:
    """Requests per second of a traffic source in an interval."""
    arrival_s = result.requests["arrival_s"][result.requests["source"] == source]
    return float(((arrival_s >= since_s) & (arrival_s < until_s)).sum() / (until_s - since_s))


class TestDiurnal:
    def test_a_request_at_night_is_cold_if_the_last_one_is_too_long_ago(self) -> None:
        """No request within the 5 to 7 minutes that an environment idles; 7 to 9 minutes are told apart."""
        colds = []
        for seed in range(1, 13):
            result = run("diurnal", seed=seed)
            colds.append(float((result.requests["cold"] & is_between(result, 2, 4)).sum()))
        assert within_4_standard_errors(colds, colds_at_night(5, 7))
        assert not within_4_standard_errors(colds, colds_at_night(7, 9))

    @pytest.mark.parametrize("seed", [None, 1, 2])
    def test_the_worst_hour_is_not_the_busiest(self, seed: int | None) -> None:
        """More cold starts than in all of the day, with a small part of its requests."""
        result = run("diurnal", seed=seed)
        cold, night, day = result.requests["cold"], is_between(result, 0, 6), is_between(result, 6, 24)
        assert (cold & night).sum() > 3 * (cold & day).sum()
        assert night.sum() < 0.03 * len(cold)

    def test_the_requests_are_those_of_the_wave(self) -> None:
        """Within 4 standard errors of a Poisson count, for the week, its workdays, its weekend and its nights."""
        hours = np.linspace(0, 168, 168 * 60, endpoint=False) + 1 / 120
        requests = run("diurnal").requests
        for since, until in ((0, 168), (0, 120), (120, 168), (26, 28), (38, 40)):
            count = ((requests["arrival_s"] >= since * 3_600) & (requests["arrival_s"] < until * 3_600)).sum()
            expected = hourly_rate(hours[(hours >= since) & (hours < until)]).sum() / 60
            assert abs(count - expected) < 4 * sqrt(expected)

    def test_a_warmer_cures_the_night(self) -> None:
        """A call each minute keeps one environment, which is all that the night needs."""
        (warmed,) = proposed_runs("diurnal")
        of_users = warmed.requests["source"] == "web"
        assert (warmed.requests["cold"] & of_users & is_between(warmed, 0, 6)).sum() <= 2

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result = run("diurnal")
        (warmed,) = proposed_runs("diurnal")
        requests, of_users = result.requests, warmed.requests["source"] == "web"
        cold, night, deep, day = requests["cold"], *(is_between(result, *hours) for hours in ((0, 6), (2, 4), (12, 18)))
        lesson = {
            "85 of": (cold & night).sum(),
            "the 96": cold.sum(),
            "0:00 and": 0,
            "6:00, with": 6 * 60,
            "2.5 %": 100 * night.mean(),
            "2:00 to": 2 * 60,
            "to 4:00": 4 * 60,
            "48 %": 100 * cold[deep].mean(),
            "12:00 to": 12 * 60,
            "to 18:00": 18 * 60,
            "only 4 of": (cold & day).sum(),
            "19,147": day.sum(),
            "lives for 5": 5,
            "7 minutes": 7,
            "600 per hour the": 600,
            "after 6 s": 3_600 / 600,
            "2 per hour": 2,
            "0.24 %": 100 * cold.mean(),
            "1.6 s": result.summary["latency_s"]["p99"],
            "240 per hour": len(requests) / 168,
            "600 at the peak": 600,
        }
        then = {
            "8 users": (warmed.requests["cold"] & of_users).sum(),
            "instead of 96": cold.sum(),
            "10,080 calls": (~of_users).sum(),
        }
        assert result.summary["latency_s"]["p99"] < result.summary["init_s"]["p50"] == 2
        assert_quoted("diurnal", "Lesson", lesson)
        assert_quoted("diurnal", "Then", then)


def colds_at_night(shortest_min: float, longest_min: float) -> float:
    """Cold starts from 2:00 to 4:00 in the week of diurnal.yaml, if environments idle for so many minutes.

    A request is cold with the probability that none came in that time before it: exp(-requests expected in it).
    """
    per_h = 720
    hours = np.arange(168 * per_h) / per_h
    rate = hourly_rate(hours)
    expected = np.concatenate(([0.0], np.cumsum(rate) / per_h))
    lifetimes = np.linspace(shortest_min, longest_min, 41)
    cold = np.zeros(len(hours))
    for lifetime_min in lifetimes:
        steps = round(lifetime_min * per_h / 60)
        cold[steps:] += np.exp(expected[: -steps - 1] - expected[steps:-1]) / len(lifetimes)
    at_night = (hours % 24 >= 2) & (hours % 24 < 4)
    return float((cold * rate)[at_night].sum() / per_h)


def hourly_rate(hours: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Requests per hour of the wave in diurnal.yaml, from Monday 0:00: a cosine between 2 and 600, highest at 15:00."""
    wave = 2 + 598 * (1 + np.cos(2 * np.pi * (hours - 15) / 24)) / 2
    return np.where(hours >= 120, 0.3 * wave, wave)


def is_between(result: Result, since_h: float, until_h: float) -> npt.NDArray[np.bool_]:
    """Which requests came between two hours of the day."""
    hour = result.requests["arrival_s"] / 3_600 % 24
    chosen: npt.NDArray[np.bool_] = (hour >= since_h) & (hour < until_h)
    return chosen


class TestAsyncThrottled:
    def test_nothing_is_lost_and_the_reader_swings_between_half_and_all(self) -> None:
        """From 10 events to the 21st, which is refused, 5 % a second take ln 2.1 / ln 1.05 = 15.2 s.

        Unit n is busy from ln(n / 10) / ln 1.05 on: 14.3 on average, and a little more while the other 10 run out.
        """
        cycle_s = log(2.1) / log(1.05)
        busy = 10 + sum(cycle_s - log(n / 10) / log(1.05) for n in range(11, 21)) / cycle_s
        for seed in range(1, 6):
            result = run("async-throttled", seed=seed)
            assert result.summary["requests"]["dropped"] == 0
            assert busy_units(result, 95, 270) == pytest.approx(busy, rel=0.04)
            throttles = throttle_times_s(result)
            apart_s = np.diff(throttles[(throttles > 75) & (throttles < 270)])
            assert apart_s.mean() == pytest.approx(cycle_s, rel=0.05)

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result = run("async-throttled")
        (eager,) = proposed_runs("async-throttled")
        lesson = {
            "0 are lost": result.summary["requests"]["dropped"],
            "5:55": queue_empty_s(result),
            "2,400": (100 - 20) * 30,
            "1:30": 90,
            "15/s": 20 - 5,
            "160 s": (100 - 20) * 30 / (20 - 5),
            "4:10": 90 + (100 - 20) * 30 / (20 - 5),
            "5 % more": 5,
            "14.6 of": busy_units(result, 95, 320),
            "the 20 units": 20,
            "9.6/s": 14.6 - 5,
            "250 s": (100 - 20) * 30 / (14.6 - 5),
            "5:40": 90 + (100 - 20) * 30 / (14.6 - 5),
            "20 attempts": result.summary["attempts"]["throttles"],
            "202": 202,
            "175 s": result.summary["async"]["age_s"]["max"],
        }
        then = {
            "18,169": eager.summary["attempts"]["throttles"],
            "3:35": 215,
            "6 units": busy_units(eager, 205, 225),
            "835": events_waiting(eager, 215),
            "8:42": queue_empty_s(eager),
            "451 s": eager.summary["async"]["age_s"]["max"],
        }
        assert_quoted("async-throttled", "Lesson", lesson)
        assert_quoted("async-throttled", "Then", then)


def busy_units(result: Result, since_s: float, until_s: float) -> float:
    """Mean number in flight."""
    return float(in_flight(result, np.linspace(since_s, until_s, 600)).mean())


def queue_empty_s(result: Result) -> float:
    """When no event waited any more, for the first time after the spike of 1:00 to 1:30."""
    arrivals_s = np.sort(result.requests["arrival_s"])
    starts_s = np.sort(result.requests["start_s"])
    after_s = starts_s[starts_s > 90]
    waiting = np.searchsorted(arrivals_s, after_s, side="right") - np.searchsorted(starts_s, after_s, side="right")
    return float(after_s[np.argmax(waiting == 0)])


def events_waiting(result: Result, time_s: float) -> int:
    """Events that have come and were not accepted yet."""
    requests = result.requests
    return int(((requests["arrival_s"] < time_s) & ~(requests["start_s"] <= time_s)).sum())


class TestAsyncErrors:
    def test_lost_is_the_cube_of_the_error_rate(self) -> None:
        """Each try fails with 40 %, whatever came before: 0.4^3; one retry fewer would be 0.4^2."""
        shares = [lost_share(run("async-errors", seed=seed)) for seed in range(1, 13)]
        assert within_4_standard_errors(shares, 0.4**3)
        assert not within_4_standard_errors(shares, 0.4**2)

    def test_retries_come_one_and_two_minutes_after_the_end(self) -> None:
        """Attempt by attempt, to the nanosecond."""
        attempts = run("async-errors").attempts
        tried = attempts[attempts["result"] != "throttled"]
        for number, delay_s in ((2, 60), (3, 120)):
            again = np.flatnonzero(tried["attempt"] == number)
            np.testing.assert_allclose(tried["time_s"][again] - tried["end_s"][again - 1], delay_s, atol=1e-6)

    def test_quoted_numbers(self) -> None:
        """What the file says."""
        result = run("async-errors")
        once, poison = proposed_runs("async-errors")
        attempts = result.attempts
        waves = [np.median(attempts["time_s"][attempts["attempt"] == number]) for number in (1, 2, 3)]
        counts = [int((attempts["attempt"] == number).sum()) for number in (1, 2, 3)]
        lesson = {
            "at 0:10": 10 if 10 <= waves[0] < 11 else 0,
            "1:13": waves[1],
            "3:15": waves[2],
            "995 come": counts[0],
            "406 of": counts[1],
            "154 a": counts[2],
            "62 are": result.summary["async"]["dropped"],
            "lost: 40 %": 40,
            "of 40 % of": 40,
            "of 40 % is": 40,
            "6.4 %": 100 * 0.4**3,
            "the 995": counts[0],
            "3 times": attempts["attempt"].max(),
        }
        then = {
            "406 are": once.summary["async"]["dropped"],
            "386": poison.summary["async"]["dropped"],
            "3 tries": poison.attempts["attempt"].max(),
        }
        assert_quoted("async-errors", "Lesson", lesson)
        assert_quoted("async-errors", "Then", then)


def lost_share(result: Result) -> float:
    """Share of the events that were given up."""
    return float(result.summary["async"]["dropped"] / result.summary["async"]["received"])


def test_quoted_numbers_are_really_checked() -> None:
    """The checker refuses a wrong figure, a missing phrase and a number that nobody checks."""
    right = {"100/s": 100.0, "500 ms": 500.0, "= 50 on average": 50.0, "is 78": 78.0, "limit of 50": 50.0}
    assert_quoted("littles-law", "Lesson", right)
    wrong: list[dict[str, Any]] = [right | {"is 78": 80.0}, right | {"is 79": 79.0}, {"is 78": 78.0}]
    for figures in wrong:
        with pytest.raises(AssertionError):
            assert_quoted("littles-law", "Lesson", figures)
