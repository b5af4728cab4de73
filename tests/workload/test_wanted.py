"""How many requests would be in flight if none were refused: E[N(t) - N(t - D)], by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from lambdasim.scenario.schema import Scenario
from lambdasim.workload.wanted import flows_of, telling_times
from tests.builders import scenario, trace


def made(**parts: Any) -> Scenario:
    """10 requests a second for 100 s to a function that takes 1 s, or with other parts."""
    usual: dict[str, Any] = {"traffic": {"t": {"function": "f", "rate": "10/s"}}, "duration": "100s"}
    return scenario(**(usual | parts))


def wanted(asked: Scenario, *times_s: float, function: str = "f") -> list[float]:
    """In flight in a function at these times."""
    times_ns = np.array([round(time_s * 1e9) for time_s in times_s])
    flows = [flow for flow in flows_of(asked, 1) if flow.function == function]
    return [float(each) for each in sum(flow.came(times_ns) - flow.gone(times_ns) for flow in flows)]  # type: ignore[union-attr]


class TestRates:
    """Requests that come at a rate."""

    def test_it_builds_up_within_a_duration_and_drains_within_one(self) -> None:
        """10 a second for 2 s each: 5 after half a second, 20 from 2 s on, 5 when the run has been over for 1.5 s."""
        asked = made(functions={"f": {"duration": "2s"}})
        assert wanted(asked, 0, 0.5, 2, 50, 100, 101.5, 102) == pytest.approx([0, 5, 20, 20, 20, 5, 0])

    def test_a_rise_is_followed_half_a_duration_later(self) -> None:
        """From 0 to 100 a second in 100 s, a second each: at 50 s those of the last second, 49.5 on average."""
        source = {"function": "f", "stages": [{"duration": "100s", "target": "100/s"}]}
        assert wanted(made(traffic={"t": source}), 50) == pytest.approx([49.5])

    @pytest.mark.parametrize(("at_s", "share"), [(1, 1 - math.exp(-1)), (3, 1 - math.exp(-3)), (30, 1)])
    def test_exponential_durations(self, at_s: float, share: float) -> None:
        """Rate x mean x (1 - e^-t): 32 durations stand for the law, good to 2 %, and exact once it is steady."""
        asked = made(functions={"f": {"duration": {"exponential": {"mean": "1s"}}}})
        assert wanted(asked, at_s) == pytest.approx([10 * share], rel=1e-6 if share == 1 else 0.02)

    @pytest.mark.parametrize(
        "law",
        [{"lognormal": {"p50": "100ms", "p99": "10s"}}, {"gamma": {"mean": "1s", "cv": 3.0}}],
        ids=["lognormal", "gamma"],
    )
    def test_a_steady_rate_times_the_mean_up_to_the_timeout(self, law: Any) -> None:
        """Whatever was drawn: the mean is that of the law."""
        from lambdasim.workload.means import mean_ns

        asked = made(functions={"f": {"duration": law, "timeout": "1s"}})
        limited = mean_ns(asked.functions["f"].duration, 1e9) / 1e9  # type: ignore[arg-type]
        assert wanted(asked, 50) == pytest.approx([10 * limited], rel=1e-6)

    def test_a_deployment_that_makes_it_slower(self) -> None:
        """10 in flight; from 50 s on requests take 5 s: 20 more after 2 s, less the 10 that were there; then 50."""
        asked = made(
            changes=[{"at": "50s", "functions": {"f": {"duration": "5s"}}}], functions={"f": {"timeout": "9s"}}
        )
        assert wanted(asked, 49, 50.5, 52, 55, 90) == pytest.approx([10, 10, 20, 50, 50])

    def test_a_source_that_is_off(self) -> None:
        """From 20 to 40 s, and the second after it."""
        switched = [{"at": "20s", "traffic": {"t": "off"}}, {"at": "40s", "traffic": {"t": "on"}}]
        assert wanted(made(changes=switched), 19, 20.5, 30, 40.5, 50) == pytest.approx([10, 5, 0, 5, 10])

    def test_a_modulated_rate_is_that_of_the_run(self) -> None:
        """Ten times as many while it is busy: the highest and the lowest rate of this seed, a second each."""
        law = {"mmpp": {"ratio": 10, "busy": "10s", "quiet": "10s"}}
        asked = made(traffic={"t": {"function": "f", "rate": "11/s", "arrivals": law}})
        levels = wanted(asked, *np.arange(1, 100, 0.5).tolist())
        assert (min(levels), max(levels)) == pytest.approx((2, 20))

    def test_processor_time_and_memory(self) -> None:
        """Half a vCPU makes 2 s of a second."""
        work = {"memory": "885MB", "duration": {"cpu": "1s"}}
        assert wanted(made(functions={"f": work}), 50) == pytest.approx([10 * 1769 / 885])


class TestKnownTimes:
    """Requests of a trace, and pings."""

    def test_a_trace_with_durations(self) -> None:
        """Two at 1 s, of which one takes 5 s and one is cut off by the timeout of 3 s; the third has the law's 1 s."""
        rows = trace([(1, 5), (1, 1), 2])
        asked = made(functions={"f": {"timeout": "3s"}}, traffic={"t": {"function": "f", "trace": rows}})
        assert wanted(asked, 0.9, 1, 1.9, 2, 2.9, 3, 4) == [0, 2, 2, 2, 2, 1, 0]

    def test_a_trace_that_names_functions(self) -> None:
        """One row goes to g, which takes 5 s, the other to the source's own."""
        rows = trace([(1, None, None, "g"), 1])
        asked = made(functions={"f": {}, "g": {"duration": "5s"}}, traffic={"t": {"function": "f", "trace": rows}})
        assert wanted(asked, 1.5, 2.5) == [1, 0]
        assert wanted(asked, 1.5, 2.5, function="g") == [1, 1]

    def test_rows_behind_the_end_or_while_the_source_is_off_do_not_come(self) -> None:
        """Of four rows the second and the fourth."""
        rows = trace([1, 10, 20, 200])
        asked = made(
            traffic={"t": {"function": "f", "trace": rows}},
            changes=[{"at": "5s", "traffic": {"t": "off"}}, {"at": "15s", "traffic": {"t": "on"}}],
        )
        assert wanted(asked, 1, 10, 20, 200) == [1, 0, 1, 0]

    def test_pings_return_early(self) -> None:
        """Five every 10 s, 50 ms each, although the function takes 1 s."""
        warmer = {"every": "10s", "concurrency": 5}
        asked = made(traffic={"w": {"function": "f", "warmer": warmer}})
        assert wanted(asked, 0, 0.04, 0.05, 10, 10.1) == [5, 5, 0, 5, 0]


class TestTellingTimes:
    """Where one looks."""

    def times_s(self, asked: Scenario) -> set[float]:
        """The times, in seconds."""
        return set((telling_times(flows_of(asked, 1), asked) / 1e9).tolist())

    def test_a_short_spike_is_not_missed(self) -> None:
        """A second in ten minutes: both ends, and when the concurrency has followed."""
        stages = [("300.5s", "10/s"), ("0s", "2000/s"), ("1s", "2000/s"), ("0s", "10/s")]
        source = {"function": "f", "start_rate": "10/s", "stages": [{"duration": d, "target": t} for d, t in stages]}
        asked = made(traffic={"t": source}, duration="10m", functions={"f": {"duration": "200ms"}})
        assert {300.5, 300.7, 301.5, 301.7} <= self.times_s(asked)

    def test_both_sides_of_a_change(self) -> None:
        """A nanosecond before it the limits are the old ones."""
        asked = made(changes=[{"at": "33.3s", "region": {"concurrency_quota": 2_000}}])
        assert {33.299999999, 33.3} <= self.times_s(asked)

    def test_until_the_last_request_is_done(self) -> None:
        """7 s after the end; no longer than the run drains."""
        assert max(self.times_s(made(functions={"f": {"duration": "7s", "timeout": "9s"}}))) == 107
        assert max(self.times_s(made(functions={"f": {"duration": "7s", "timeout": "9s"}}, drain="2s"))) == 102

    def test_many_bursts_are_all_looked_at(self) -> None:
        """One every 10 s for an hour."""
        burst = {"burst": {"peak": "50/s", "every": "10s", "length": "1s"}}
        asked = made(traffic={"t": {"function": "f", "shape": burst}}, duration="1h")
        assert {float(at) for at in range(0, 3_600, 10)} <= self.times_s(asked)
