"""What moves no draw (MODEL.md section 5): limits, additions, a longer duration, another window size."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdasim.engine.reference import SimpyEngine
from lambdasim.platform.region import build_platform
from lambdasim.scenario.schema import Scenario
from lambdasim.workload.workload import Workload
from tests.builders import log_of, scenario, workload_of
from tests.properties.plans import Plan, build
from tests.properties.test_brute_force import rows_of
from tests.strategies import event_plans, plans

COLUMNS = ("arrival_ns", "source", "ordinal", "function", "duration_ns", "fate", "idle_timeout_ns", "init_ns")

RANDOM_FUNCTION = {
    "duration": {"exponential": {"mean": "300ms"}},
    "init": {"uniform": ["100ms", "2s"]},
    "idle_timeout": {"uniform": ["1s", "9s"]},
    "max_age": {"uniform": ["5s", "60s"]},
    "errors": {"rate": "5%", "poison": "2%", "crash": "3%"},
    "timeout": "1s",
}
TRAFFIC = {
    "web": {
        "function": "api",
        "start_rate": "5/s",
        "stages": [{"duration": "20s", "target": "40/s"}, {"duration": "0s", "target": "10/s"}],
        "client": {"timeout": "900ms", "retry": {"max_attempts": 3, "base": "200ms"}},
    },
    "jobs": {"function": "batch", "rate": "7/s", "arrivals": "uniform"},
}


def random_scenario(**parts: Any) -> Scenario:
    """Two functions with random durations, errors and retries; ``parts`` replace the parts of it."""
    given_parts = {
        "functions": {"api": RANDOM_FUNCTION, "batch": RANDOM_FUNCTION},
        "traffic": TRAFFIC,
        "region": {"concurrency_quota": 6},
        "duration": "60s",
        **parts,
    }
    return scenario(**given_parts)


def columns_of(workload: Workload, sources: list[str] | None = None) -> dict[str, np.ndarray]:
    """The columns of a whole workload, of all sources or of some."""
    chunks = list(workload.chunks())
    columns = {name: np.concatenate([getattr(chunk, name) for chunk in chunks]) for name in COLUMNS}
    if sources is None:
        return columns
    names = np.array(workload.source_names)[columns["source"]]
    functions = np.array(workload.function_names)[columns["function"]]
    keep = np.isin(names, sources)
    named = {**columns, "source": names, "function": functions}
    return {name: column[keep] for name, column in named.items()}


def assert_equal(actual: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    """All columns are equal, and there are some rows."""
    assert len(expected["arrival_ns"]) > 100
    for name in COLUMNS:
        np.testing.assert_array_equal(actual[name], expected[name], err_msg=name)


@pytest.mark.parametrize(
    "region",
    [
        {"concurrency_quota": 60},
        {"concurrency_quota": 6, "scaling": {"burst": 1, "rate": 1, "per": "10s"}},
        {"concurrency_quota": 6, "requests_per_concurrency": 1},
    ],
)
def test_a_limit_moves_no_draw(region: dict[str, Any]) -> None:
    """Two scenarios that differ in a limit see the same requests."""
    assert_equal(columns_of(workload_of(random_scenario(region=region))), columns_of(workload_of(random_scenario())))


def test_an_added_source_and_function_move_no_draw() -> None:
    """Whether they stand before or behind the others in the file."""
    added = random_scenario(
        functions={"new": RANDOM_FUNCTION, "api": RANDOM_FUNCTION, "batch": RANDOM_FUNCTION, "last": RANDOM_FUNCTION},
        traffic={"first": {"function": "new", "rate": "9/s"}, **TRAFFIC, "end": {"function": "last", "rate": "9/s"}},
    )
    expected = columns_of(workload_of(random_scenario()), ["web", "jobs"])
    assert_equal(columns_of(workload_of(added), ["web", "jobs"]), expected)


def test_a_longer_duration_moves_no_draw() -> None:
    """The requests of the shorter run come first, in the same order."""
    short = columns_of(workload_of(random_scenario()))
    long = columns_of(workload_of(random_scenario(duration="90s")))
    assert len(long["arrival_ns"]) > len(short["arrival_ns"])
    assert_equal({name: column[: len(short[name])] for name, column in long.items()}, short)


@pytest.mark.parametrize("requests_per_window", [1, 7, 100_000])
def test_the_size_of_a_window_moves_no_draw(requests_per_window: int) -> None:
    """Windows are only a way to walk through the requests."""
    workload = workload_of(random_scenario())
    cut_otherwise = replace(workload, requests_per_window=requests_per_window)
    assert_equal(columns_of(cut_otherwise), columns_of(workload))


@given(plans() | event_plans(has_slow_downs=True), st.integers(1, 4))
def test_the_size_of_a_window_changes_no_log(plan: Plan, requests_per_window: int) -> None:
    """Traces too: simultaneous requests of several sources keep their order."""
    made = build(plan)
    cut_otherwise = replace(workload_of(made), requests_per_window=requests_per_window)
    assert rows_of(SimpyEngine().run(cut_otherwise, build_platform(made))) == rows_of(log_of(made))


def test_a_workload_can_be_walked_through_again() -> None:
    """A second pass over the chunks gives the same requests."""
    workload = workload_of(random_scenario())
    assert_equal(columns_of(workload), columns_of(workload))


def test_the_same_seed_gives_the_same_log() -> None:
    """Two runs from scratch, with random errors, retries and environments."""
    first, second = rows_of(log_of(random_scenario(), seed=5)), rows_of(log_of(random_scenario(), seed=5))
    assert first == second
    assert len(first["throttles"]) > 10
    assert len(first["abandonments"]) > 10


def test_another_seed_gives_another_log() -> None:
    """Arrivals and durations both move."""
    first, second = (columns_of(workload_of(random_scenario(), seed)) for seed in (5, 6))
    size = min(len(first["arrival_ns"]), len(second["arrival_ns"]))
    assert (first["arrival_ns"][:size] != second["arrival_ns"][:size]).any()
    assert (first["duration_ns"][:size] != second["duration_ns"][:size]).any()


def test_a_request_that_is_throttled_keeps_its_duration_and_fate() -> None:
    """The first accepted invocation has the fate drawn for it, whichever attempt it is."""
    tight = random_scenario(region={"concurrency_quota": 2})
    columns, log = columns_of(workload_of(tight)), log_of(tight)
    first_accepted = np.flatnonzero(np.diff(log.invocations.request, prepend=-1))
    first_accepted = first_accepted[log.invocations.result[first_accepted] <= 2]  # neither timed out nor running
    request = log.invocations.request[first_accepted]
    assert (log.invocations.attempt[first_accepted] > 1).sum() > 10
    np.testing.assert_array_equal(log.invocations.result[first_accepted], columns["fate"][request])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_slow_motion_of_random_traffic_leaves_all_counts_as_they_are(seed: int) -> None:
    """Times ten times as long, rates a tenth, Poisson arrivals and exponential durations."""

    def counts(factor: int) -> tuple[int, ...]:
        made = scenario(
            functions={
                "f": {
                    "duration": {"exponential": {"mean": f"{300 * factor}ms"}},
                    "init": f"{100 * factor}ms",
                    "idle_timeout": f"{150 * factor}ms",
                }
            },
            traffic={
                "t": {
                    "function": "f",
                    "rate": f"{600 // factor}/min",
                    "client": {"retry": {"max_attempts": 3, "base": f"{factor}s"}},
                }
            },
            region={"concurrency_quota": 3, "scaling": {"burst": 3, "rate": 1, "per": f"{factor}s"}},
            duration=f"{60 * factor}s",
        )
        log = log_of(made, seed)
        cold = int(log.invocations.is_cold.sum())
        return len(log.requests), len(log.invocations), len(log.throttles), len(log.environments), cold

    quick = counts(1)
    assert counts(10) == quick
    assert min(quick) > 10
