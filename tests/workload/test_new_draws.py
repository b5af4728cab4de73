"""Draws of runtimes, sandboxes, restores and of processor time: by keys of their own, which move no other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lambdasim.scenario.schema import Scenario
from tests.builders import log_of, scenario, trace, workload_of

RANDOM = {
    "duration": {"exponential": {"mean": "300ms"}},
    "init": {"uniform": ["100ms", "2s"]},
    "idle_timeout": {"uniform": ["1s", "9s"]},
    "max_age": {"uniform": ["5s", "60s"]},
    "errors": {"rate": "5%", "poison": "2%", "crash": "3%"},
}
WORK = {"cpu": {"exponential": {"mean": "40ms"}}, "io": {"exponential": {"mean": "200ms"}}}


def made(function: dict[str, Any], **top: Any) -> Scenario:
    """A function with random parts, another one beside it, and traffic to both."""
    traffic = {name: {"function": name, "rate": "20/s"} for name in ("api", "other")}
    return scenario(functions={"api": {**RANDOM, **function}, "other": RANDOM}, traffic=traffic, duration="30s", **top)


def columns(of: Scenario) -> dict[str, np.ndarray]:
    """The columns of a whole workload."""
    chunks = list(workload_of(of).chunks())
    return {name: np.concatenate([getattr(chunk, name) for chunk in chunks]) for name in chunks[0].__slots__}


def environment_draws(of: Scenario, function: str) -> dict[str, list[int]]:
    """What the first environments of a function draw."""
    draws = workload_of(of).draws
    return {name: getattr(draws, name)(function, 0).tolist() for name in ("inits", "max_ages", "unused_idle_timeouts")}


@pytest.mark.parametrize(
    "change",
    [
        {"init": None, "runtime": "python3.13"},
        {"sandbox": {"uniform": ["1s", "2s"]}},
        {"runtime": "java21", "snapstart": True},
        {"memory": "1769MB", "architecture": "arm64", "package": "image"},
    ],
)
def test_no_other_draw_moves(change: dict[str, Any]) -> None:
    """Requests are the same; so are the ages of the environments, and all of the other function."""
    before, after = made({}), made(change)
    for name, column in columns(before).items():
        np.testing.assert_array_equal(columns(after)[name], column, err_msg=name)
    assert environment_draws(after, "other") == environment_draws(before, "other")
    here, there = environment_draws(after, "api"), environment_draws(before, "api")
    assert (here["max_ages"], here["unused_idle_timeouts"]) == (there["max_ages"], there["unused_idle_timeouts"])
    assert (here["inits"] == there["inits"]) == ("sandbox" in change or "memory" in change)


def test_a_sandbox_of_0_leaves_a_run_as_it_was() -> None:
    """Row by row."""
    before, after = log_of(made({})), log_of(made({"sandbox": "0s"}))
    for table in ("invocations", "environments", "throttles"):
        for name in getattr(before, table).__slots__:
            np.testing.assert_array_equal(getattr(getattr(after, table), name), getattr(getattr(before, table), name))


class TestProcessorTime:
    """A duration of cpu and io."""

    def test_memory_sees_the_same_requests(self) -> None:
        """At 1,769 MB the duration is cpu + io, at 128 MB 13.8 x cpu + io: both parts follow, and are positive."""
        large, small = (columns(made({"duration": WORK, "memory": memory})) for memory in ("1769MB", "128MB"))
        api = large["function"] == 0
        assert api.sum() > 400
        cpu_ns = (small["duration_ns"][api] - large["duration_ns"][api]) / (1_769 / 128 - 1)
        io_ns = large["duration_ns"][api] - cpu_ns
        assert cpu_ns.min() > 0
        assert io_ns.min() > 0
        assert cpu_ns.mean() == pytest.approx(40e6, rel=0.2)  # 600 exponential times: 4 % are one standard error
        assert io_ns.mean() == pytest.approx(200e6, rel=0.2)
        assert abs(np.corrcoef(cpu_ns, io_ns)[0, 1]) < 0.2  # drawn apart; one standard error is 0.04
        for name in large:
            if name != "duration_ns":
                np.testing.assert_array_equal(large[name], small[name], err_msg=name)
        np.testing.assert_array_equal(large["duration_ns"][~api], small["duration_ns"][~api])

    def test_cpu_alone_is_the_duration_at_one_vcpu(self) -> None:
        """The same draws as of a duration that is written without cpu."""
        plain = columns(made({"duration": WORK["cpu"]}))
        np.testing.assert_array_equal(
            columns(made({"duration": {"cpu": WORK["cpu"]}, "memory": "1769MB"}))["duration_ns"], plain["duration_ns"]
        )

    def test_by_hand(self) -> None:
        """128 MB: 100 ms of processor time take 1,382.03125 ms; with 50 ms of waiting, 1,432.03125 ms."""
        for duration, expected_ns in (
            ({"cpu": "100ms"}, 1_382_031_250),
            ({"cpu": "100ms", "io": "50ms"}, 1_432_031_250),
        ):
            log = log_of(scenario(functions={"f": {"duration": duration}}, rows=[0]))
            assert log.invocations.end_ns.tolist() == [expected_ns]

    def test_a_change_scales_with_memory_too(self) -> None:
        """From 5 s on 100 ms of processor time, at 512 MB: 345.507812 ms."""
        changes = [{"at": "5s", "functions": {"f": {"duration": {"cpu": "100ms"}}}}]
        log = log_of(scenario(functions={"f": {"memory": "512MB"}}, rows=[0, 5], changes=changes))
        assert (log.invocations.end_ns - log.invocations.handler_ns).tolist() == [10**9, 345_507_812]

    def test_a_trace_states_durations_as_they_were(self) -> None:
        """Whatever the memory; a row without one has the function's."""
        log = log_of(scenario(functions={"f": {"duration": {"cpu": "100ms"}}}, rows=[(0, 2), 10]))
        assert (log.invocations.end_ns - log.invocations.handler_ns).tolist() == [2 * 10**9, 1_382_031_250]

    def test_every_way_to_invoke_draws_it(self) -> None:
        """Virtual users, events and messages of a queue."""
        function = {"f": {"duration": {"cpu": "100ms", "io": "50ms"}, "timeout": "5s"}}
        users = {"function": "f", "virtual_users": 1, "think_time": "1s"}
        events = {"function": "f", "invoke": "async", "trace": trace([0])}
        messages = {"invoke": "sqs", "queue": "q", "function": "f", "rate": "1/s", "arrivals": "uniform"}
        for source, top in (
            (users, {}),
            (events, {}),
            (messages, {"queues": {"q": {"event_source_mapping": {"function": "f"}}}}),
        ):
            log = log_of(scenario(functions=function, traffic={"t": source}, duration="3s", **top))
            ended = log.invocations.end_ns >= 0
            assert ended.any()
            took_ns = (log.invocations.end_ns - log.invocations.handler_ns)[ended]
            assert set(took_ns.tolist()) == {1_432_031_250}

    def test_work_that_takes_no_time_takes_a_nanosecond(self) -> None:
        """As any duration does."""
        duration = {"cpu": {"uniform": ["0s", "1ns"]}}
        log = log_of(scenario(functions={"f": {"duration": duration, "memory": "10240MB"}}, rows=[0, 1, 2, 3]))
        assert (log.invocations.end_ns - log.invocations.handler_ns).tolist() == [1, 1, 1, 1]
