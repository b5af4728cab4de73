"""The frontier of cost and latency: rows by hand, the same requests at each level, the best one, table and picture."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import lambdasim as ls
from lambdasim.api import Result, simulate_scenario
from lambdasim.errors import ScenarioError, UsageError
from lambdasim.level_runs import frontier_of, other_changes
from lambdasim.metrics.frontier import (
    Best,
    FrontierRow,
    FrontierTable,
    choose,
    is_dominated,
    knee,
    undominated,
)
from lambdasim.report.frontier import COLUMNS, best_sentence, frontier_json, frontier_lines
from lambdasim.report.pictures.frontier import frontier as draw
from lambdasim.report.pictures.style import png
from lambdasim.scenario.schema import Scenario
from tests.builders import scenario
from tests.report.runs import labelled, texts_of

# A request every four seconds, ten in all, each a second of work after two of init, with 1 GB; the environment is gone
# half a second later. So every one is cold without provisioned concurrency, and none with it.
HOUSE: dict[str, Any] = {
    "functions": {"f": {"duration": "1s", "init": "2s", "idle_timeout": "500ms", "memory": "1024MB"}},
    "traffic": {"web": {"function": "f", "rate": "15/min", "arrivals": "uniform"}},
    "duration": "40s",
    "seed": 1,
}

# Prices of us-east-1 (2026): a request; a GB-second on demand, of provisioned duration, of provisioned capacity.
REQUEST, ON_DEMAND, BUSY, CAPACITY = (
    Decimal(price) for price in ("0.0000002", "0.0000166667", "0.0000097222", "0.0000041667")
)
MONTHS = 730 * 3_600 // 40  # of 730 hours, in runs of 40 s: 65,700


def house(**parts: Any) -> Scenario:
    """The scenario of HOUSE, with other parts."""
    return scenario(**{**HOUSE, **parts})


def row(level: int, price: float, p99: float | None, *missed: str, cold: float = 0.0) -> FrontierRow:
    """A made-up row."""
    return FrontierRow(
        level=level,
        requests=100,
        cost_usd=price / 1_000,
        cost_per_million_usd=price * 10,
        cost_per_month_usd=price,
        cold_start_ratio=cold,
        spillover_ratio=None,
        utilization=None,
        throttled_ratio=0.0,
        latency_p50_s=p99,
        latency_p99_s=p99,
        slo_missed=missed,
    )


def table(*rows: FrontierRow, **parts: Any) -> FrontierTable:
    """Rows as the table of a scenario."""
    return FrontierTable(scenario=house(**parts), function="f", seed=1, rows=rows, notes=(), is_partial=False)


def panels(ax: Axes) -> list[Axes]:
    """The panels of a picture, from the top."""
    return [panel for panel in ax.child_axes if isinstance(panel, Axes)]


def points(ax: Axes, label: str) -> list[tuple[float, float]]:
    """(x, y) of the points of a line."""
    line = labelled(ax, label)
    return list(zip(line.get_xdata(), line.get_ydata(), strict=True))


class TestRows:
    """Figures of a tiny scenario, by hand."""

    def test_cost_and_latency(self) -> None:
        """Without units 10 x (2 + 1) s on demand; with n units 40 s x n of capacity and 10 x 1 s of duration."""
        found = ls.frontier(house(), levels=[2, 0, 1, 1])
        assert [one.level for one in found.rows] == [0, 1, 2]
        costs = [30 * ON_DEMAND, 40 * CAPACITY + 10 * BUSY, 80 * CAPACITY + 10 * BUSY]
        for one, gb_seconds in zip(found.rows, costs, strict=True):
            cost = float(gb_seconds + 10 * REQUEST)
            assert one.cost_usd == pytest.approx(cost, abs=1e-9)
            assert one.cost_per_million_usd == pytest.approx(cost * 100_000, abs=1e-3)
            assert one.cost_per_month_usd == pytest.approx(cost * MONTHS, abs=1e-4)
        assert [one.latency_p50_s for one in found.rows] == [3, 1, 1]
        assert [one.latency_p99_s for one in found.rows] == [3, 1, 1]
        assert [one.cold_start_ratio for one in found.rows] == [1, 0, 0]
        assert [one.spillover_ratio for one in found.rows] == [None, 0, 0]
        assert [one.utilization for one in found.rows] == [None, 10 / 40, 10 / 80]
        assert [one.throttled_ratio for one in found.rows] == [0, 0, 0]

    def test_spillover_and_throttles(self) -> None:
        """Two at once every four seconds: one on the unit, the other spills over, or is refused by a reservation."""
        traffic = {name: {"function": "f", "rate": "15/min", "arrivals": "uniform"} for name in ("a", "b")}
        (one,) = ls.frontier(house(traffic=traffic), levels=[1]).rows
        assert (one.spillover_ratio, one.cold_start_ratio, one.throttled_ratio) == (0.5, 0.5, 0)
        function = {**HOUSE["functions"]["f"], "reserved_concurrency": 1}
        (one,) = ls.frontier(house(traffic=traffic, functions={"f": function}), levels=[1]).rows
        assert (one.spillover_ratio, one.cold_start_ratio, one.throttled_ratio) == (0, 0, 0.5)

    def test_figures_are_the_function_s_and_targets_the_scenario_s(self) -> None:
        """Another function's 5 s miss a p99 of 2 s at each level."""
        other = {"duration": "5s", "memory": "1024MB"}
        traffic = {**HOUSE["traffic"], "o": {"function": "o", "rate": "15/min", "arrivals": "uniform"}}
        made = house(functions={**HOUSE["functions"], "o": other}, traffic=traffic, slo={"p99": "2s"})
        (one,) = ls.frontier(made, function="f", levels=[1]).rows
        assert (one.latency_p99_s, one.requests, one.slo_missed) == (1, 10, ("p99",))
        assert one.cost_usd == pytest.approx(float(40 * CAPACITY + 10 * BUSY + 10 * REQUEST), abs=1e-9)

    def test_the_same_requests_at_each_level(self) -> None:
        """Random arrivals, durations and failures: all as they were."""
        web = {"function": "f", "rate": "5/s", "client": {"retry": {"max_attempts": 3, "base": "1s"}}}
        function = {"duration": {"exponential": {"mean": "1s"}}, "init": "3s", "errors": {"poison": "10%"}}
        made = house(functions={"f": function}, traffic={"web": web}, region={"concurrency_quota": 8}, seed=None)
        seen = []

        def simulate(one: Scenario, level: int) -> Result:
            result = simulate_scenario(one)
            assert (one.functions["f"].provisioned_concurrency or 0) == level
            requests = result.requests
            seen.append((one.seed, requests["arrival_s"].tolist(), (requests["outcome"] == "failed").sum()))
            return result

        found = frontier_of(made, levels=[0, 2, 4], simulate=simulate)
        assert len({one.throttled_ratio for one in found.rows}) > 1
        assert seen[0][0] == found.seed
        assert seen[0][:2] == seen[1][:2] == seen[2][:2]
        assert len({one.requests for one in found.rows}) == 1

    def test_an_interrupted_run_is_left_out(self) -> None:
        """And the levels after it."""

        def simulate(one: Scenario, level: int) -> Result:
            result = simulate_scenario(one)
            return replace(result, log=replace(result.log, is_partial=level == 1))

        found = frontier_of(house(), levels=[0, 1, 2], simulate=simulate)
        assert ([one.level for one in found.rows], found.is_partial) == ([0], True)
        assert "interrupted, the rest is missing" in frontier_lines(found)[0]


class TestLevels:
    """Which levels there are, and what they take the place of."""

    def test_by_concurrency(self) -> None:
        """8 a second of one second each are 8 at once: 25 %, 50 %, 75 %, 100 % and 110 % of 8, inits apart."""
        traffic = {"web": {"function": "f", "rate": "8/s", "arrivals": "uniform"}}
        found = ls.frontier(house(traffic=traffic, duration="10s"))
        assert [one.level for one in found.rows] == [0, 2, 4, 6, 8, 9]
        assert [one.spillover_ratio for one in found.rows][-2:] == [0, 0]

    def test_by_the_request_rate(self) -> None:
        """200 a second of 1 ms each need 20 units of 10 a second, though hardly one is ever at work."""
        traffic = {"web": {"function": "f", "rate": "200/s", "arrivals": "uniform"}}
        functions = {"f": {"duration": "1ms"}}
        region = {"requests_per_concurrency": 10}
        found = ls.frontier(house(traffic=traffic, functions=functions, region=region, duration="10s"))
        assert [one.level for one in found.rows] == [0, 5, 10, 15, 20, 22]
        # Of 2,000 ten units take 100 at once, and 999 more in the 9.995 s from the first to the last.
        assert found.rows[2].spillover_ratio == 901 / 2_000
        assert found.rows[4].spillover_ratio == 0

    def test_events_need_no_request_rate(self) -> None:
        """The same as asynchronous events: 1 unit is enough for what is at work, and 110 % of it is 2."""
        traffic = {"web": {"function": "f", "invoke": "async", "rate": "200/s", "arrivals": "uniform"}}
        functions = {"f": {"duration": "1ms", "async": {"dispatch_delay": "0s"}}}
        region = {"requests_per_concurrency": 10}
        found = ls.frontier(house(traffic=traffic, functions=functions, region=region, duration="2s"))
        assert [one.level for one in found.rows] == [0, 1, 2]

    def test_nothing_is_needed(self) -> None:
        """Without any request, level 0 alone."""
        traffic = {"web": {"function": "f", "rate": "1/min", "arrivals": "uniform"}}
        found = ls.frontier(house(traffic=traffic, duration="1s"))
        assert [one.level for one in found.rows] == [0]
        assert "no latency to show" in texts_of(found.plot())[-1]

    def test_up_to_what_aws_takes(self) -> None:
        """8 would do, but of a quota of 12 five stay unreserved: 7 at most, said in AWS's words."""
        traffic = {"web": {"function": "f", "rate": "8/s", "arrivals": "uniform"}}
        region = {"concurrency_quota": 12, "min_unreserved": 5}
        found = ls.frontier(house(traffic=traffic, region=region, duration="10s"))
        assert [one.level for one in found.rows] == [0, 2, 4, 6, 7]
        (note,) = found.notes
        assert note.startswith("Above 7 AWS refuses: Specified ConcurrentExecutions for function decreases account's")

    def test_a_level_that_aws_refuses(self) -> None:
        """Is said before anything is run."""
        with pytest.raises(ScenarioError) as caught:
            frontier_of(house(), levels=[1, 1_001], simulate=lambda *_: pytest.fail("something was run"))
        assert str(caught.value).startswith("f with 1001 provisioned: Specified ConcurrentExecutions for function")

    def test_a_function_that_may_have_none(self) -> None:
        """A rule of ours is told with the key that it is about."""
        function = {"duration": "1s", "runtime": "java21", "snapstart": True}
        found = ls.frontier(house(functions={"f": function}))
        assert [one.level for one in found.rows] == [0]
        refusal = "functions.f.snapstart must not stand beside provisioned_concurrency: SnapStart does not support"
        assert found.notes[0].startswith(f"Above 0 AWS refuses: {refusal}")
        with pytest.raises(ScenarioError, match=f"f with 2 provisioned: {refusal}"):
            ls.frontier(house(functions={"f": function}), levels=[2])

    def test_the_free_tier(self) -> None:
        """10 requests of 1 s are free in the run, 657,000 of them in the month are not: 10 x 65,700 - 400,000 GB-s."""
        found = ls.frontier(house(pricing={"free_tier": True, "unused_init": "free"}), levels=[0])
        (one,) = found.rows
        assert one.cost_usd == 0
        # Each of the 657,000 is cold: 3 GB-s of work and init; the requests are fewer than the free million.
        assert one.cost_per_month_usd == pytest.approx(float((657_000 * 3 - 400_000) * ON_DEMAND))
        assert found.notes == (
            "The free tier is taken off each run as if nothing else came in its month, and off the month once: compare"
            " by the month.",
        )

    def test_autoscaling_is_replaced(self) -> None:
        """It would scale down to 1; the level stays."""
        scaled = {"min_capacity": 1, "max_capacity": 9, "scheduled_actions": [{"at": "10s", "max_capacity": 1}]}
        made = ls.load(
            {
                "duration": "40s",
                "functions": {"f": {"duration": "1s", "init": "2s", "memory": "1024MB", "autoscaling": scaled}},
                "traffic": HOUSE["traffic"],
            },
            seed=1,
        )
        (one,) = ls.frontier(made, levels=[2]).rows
        assert one.utilization == 10 / 80
        assert ls.frontier(made, levels=[2]).notes == ("Each level is constant: autoscaling of f is left out.",)

    def test_changes_of_it_are_replaced_and_others_stay(self) -> None:
        """Its reservation still changes, and other functions keep their changes."""
        changes = [
            {"at": "5s", "functions": {"f": {"provisioned_concurrency": 3}}},
            {"at": "6s", "functions": {"f": {"provisioned_concurrency": "none", "reserved_concurrency": 9}}},
            {"at": "7s", "functions": {"f": {"provisioned_concurrency": 1}, "g": {"provisioned_concurrency": 4}}},
            {"at": "8s", "deploy": "f", "functions": {"f": {"provisioned_concurrency": 1}}},
        ]
        made = house(functions={**HOUSE["functions"], "g": {}}, changes=changes, region={"concurrency_quota": 100})
        assert [{key: value for key, value in one.items() if key != "at"} for one in other_changes(made, "f")] == [
            {"functions": {"f": {"reserved_concurrency": 9}}},
            {"functions": {"g": {"provisioned_concurrency": 4}}},
            {"deploy": "f"},
        ]
        found = frontier_of(made, function="f", levels=[2])
        assert found.rows[0].utilization == 10 / 80
        assert found.notes == ("Each level is constant: changes of the provisioned concurrency of f are left out.",)

    @pytest.mark.parametrize(
        ("levels", "message"),
        [
            ([], "levels: must hold at least one level, got none"),
            ([-1], "levels: must be whole numbers from 0 to 10,000,000, got -1"),
            ([1.5], "levels: must be whole numbers from 0 to 10,000,000, got 1.5"),
            ([True], "levels: must be whole numbers from 0 to 10,000,000, got True"),
        ],
    )
    def test_bad_levels(self, levels: list[Any], message: str) -> None:
        """One sentence each."""
        with pytest.raises(UsageError, match=message):
            ls.frontier(house(), levels=levels)

    def test_which_function(self) -> None:
        """The only one, or the only one with provisioned concurrency; else it must be named."""
        one_of_two = house(functions={"f": HOUSE["functions"]["f"], "g": {"provisioned_concurrency": 1}})
        assert frontier_of(house(), levels=[0]).function == "f"
        assert frontier_of(one_of_two, levels=[0]).function == "g"
        with pytest.raises(UsageError, match=r"function: must be named where there are several \(f, g\)"):
            frontier_of(house(functions={"f": {}, "g": {}}), levels=[0])
        with pytest.raises(UsageError, match=r"function: must be a function of the scenario \(f\), got g"):
            ls.frontier(house(), function="g", levels=[0])


class TestBest:
    """Which level is the one to look at, on made-up figures."""

    def test_dominated(self) -> None:
        """Another is as cheap and faster, or as fast and cheaper; equals do not dominate each other."""
        rows = [row(0, 10, 3), row(1, 12, 1), row(2, 12, 2), row(3, 13, 1), row(4, 12, 1), row(5, 11, None)]
        assert [is_dominated(one, rows) for one in rows] == [False, False, True, True, False, True]
        assert [one.level for one in undominated(rows)] == [0, 1, 4]

    @pytest.mark.parametrize(
        ("cheaper", "dearer", "dominated"),
        [
            (1.0, 0.999999, True),  # a microsecond
            (1.02, 1.0, True),  # 2 % of 1 s is 20 ms: just as fast
            (1.021, 1.0, False),  # 21 ms
            (0.102, 0.1, True),  # 2 % of 100 ms is 2 ms
            (0.1021, 0.1, False),
            (1.0, 1.5, True),
            (1.0, None, True),
            (None, 1.0, False),
        ],
    )
    def test_hardly_slower(self, cheaper: float | None, dearer: float | None, dominated: bool) -> None:
        """A cheaper level whose p99 is at most 2 % higher is as good; the cheapest is dominated by none."""
        rows = [row(1, 12, dearer), row(0, 10, cheaper)]
        assert [is_dominated(one, rows) for one in rows] == [dominated, False]

    def test_at_one_price_the_fastest_stays(self) -> None:
        """However little faster it is: it costs nothing."""
        rows = [row(0, 10, 1.0), row(1, 10, 0.99), row(2, 10, 1.5)]
        assert [one.level for one in undominated(rows)] == [1]

    def test_small_steps_that_buy_much_together(self) -> None:
        """Each is 1.5 % faster than the one before, and so within 2 % of it; level 2 is 3 % faster than level 0.

        0.985 x 1.02 = 1.0047 and 0.955 x 1.02 = 0.9741, but 0.97 x 1.02 = 0.9894: levels 1 and 3 are as fast as the
        one before, level 2 is over 2 % faster than level 0, which is the one that stays.
        """
        rows = [row(0, 10, 1.0), row(1, 11, 0.985), row(2, 12, 0.97), row(3, 13, 0.955)]
        assert [one.level for one in undominated(rows)] == [0, 2]

    @given(st.lists(st.tuples(st.integers(1, 6), st.one_of(st.none(), st.integers(95, 105))), min_size=1, max_size=8))
    def test_what_stays_stands_for_the_rest(self, figures: list[tuple[int, int | None]]) -> None:
        """Of what stays the dearer is over 2 % faster; what is left out is at most 2 % faster than one no dearer."""
        rows = [row(level, price, p99) for level, (price, p99) in enumerate(figures)]
        front = undominated(rows)
        for one, other in pairwise(front):
            if (one.price, one.slowness_s) != (other.price, other.slowness_s):
                assert one.price < other.price
                assert one.slowness_s > 1.02 * other.slowness_s
        for one in rows:
            stands = any(kept.price <= one.price and kept.slowness_s <= 1.02 * one.slowness_s for kept in front)
            assert one in front or (stands and is_dominated(one, rows))

    def test_knee(self) -> None:
        """Scales from 0 to 1: level 1 lies 1 - 1/20 - 0.6/8.6 = 0.88 below the line, level 2 lies 0.49 below it."""
        rows = [row(0, 10, 10), row(1, 11, 2), row(2, 20, 1.5), row(3, 30, 1.4), row(4, 40, 1.4)]
        found = knee(rows)
        assert found is not None
        assert found.level == 1
        assert choose(rows, has_slo=False) == choose(list(reversed(rows)), has_slo=False)

    def test_no_knee(self) -> None:
        """On a straight line or above it, between two levels, or where the p99 of the third hardly differs."""
        assert knee([row(0, 10, 3), row(1, 20, 2), row(2, 30, 1)]) is None
        assert knee([row(0, 10, 3), row(1, 20, 2.5), row(2, 30, 1)]) is None
        assert knee([row(0, 10, 3), row(1, 20, 2)]) is None
        assert knee([row(0, 10, 1.005), row(1, 11, 1.001), row(2, 30, 1)]) is None
        assert knee([row(0, 10, 3), row(1, 11, 1), row(2, 30, 0.999)]) is None
        assert knee([row(level, 10, 1) for level in range(3)]) is None

    @pytest.mark.parametrize(
        ("rows", "level", "why"),
        [
            ([row(0, 10, 3, "p99"), row(1, 14, 1), row(2, 12, 2), row(3, 20, 1)], 2, Best.KEEPS_SLO),
            ([row(0, 10, 3, "p99", "cold"), row(1, 14, 1, "cold"), row(2, 12, 2, "p99")], 2, Best.CLOSEST_TO_SLO),
        ],
    )
    def test_by_targets(self, rows: list[FrontierRow], level: int, why: Best) -> None:
        """The cheapest that keeps all; else the cheapest of those that miss the fewest."""
        choice = choose(rows, has_slo=True)
        assert choice is not None
        assert (choice.row.level, choice.why) == (level, why)

    def test_the_cheapest_is_the_fastest(self) -> None:
        """Or two are left, of which one cannot choose."""
        choice = choose([row(0, 10, 3), row(1, 9, 1), row(2, 12, 0.999)], has_slo=False)
        assert choice is not None
        assert (choice.row.level, choice.why) == (1, Best.CHEAPEST)
        assert choose([row(0, 10, 3), row(1, 12, 1)], has_slo=False) is None
        assert choose([row(0, 10, 3), row(1, 12, 1), row(2, 30, 0.999)], has_slo=False) is None
        assert choose([], has_slo=True) is None


class TestWords:
    """The sentence and the table."""

    def test_sentences(self) -> None:
        """One for each kind of choice."""
        slo = {"p99": "2s", "cold": "1%"}
        kept = table(row(0, 10, 3, "p99"), row(5, 12, 1), slo=slo)
        assert best_sentence(kept) == (
            "The cheapest level that keeps what was promised (p99 2s, cold 1.0%): 5 units, $12.00 a month. The next"
            " cheaper one, 0 units at $10.00 a month, misses p99."
        )
        assert best_sentence(table(row(1, 10, 1), slo=slo)).endswith("1 unit, $10.00 a month. No other is cheaper.")
        missed = table(row(0, 10, 3, "p99", "cold"), row(5, 12, 1, "cold"), slo=slo)
        assert best_sentence(missed) == (
            "No level keeps all that was promised (p99 2s, cold 1.0%); 5 units, $12.00 a month, misses the fewest:"
            " cold."
        )
        bent = table(row(0, 10, 10), row(1, 11, 2), row(2, 30, 1))
        assert best_sentence(bent).startswith("The knee: 1 unit, $11.00 a month with a p99 of 2s;")
        two = table(row(0, 10, 3), row(5, 12, 1))
        assert best_sentence(two) == (
            "0 units cost the least, $10.00 a month with a p99 of 3s; 5 units are the fastest, $12.00 a month with 1s."
        )
        single = table(row(0, 14, 3), row(1, 10, 3), row(2, 12, 1), row(3, 13, 0.999))
        assert best_sentence(single) == (
            "1 unit costs the least, $10.00 a month with a p99 of 3s; 2 units are the fastest, or nearly, $12.00 a"
            " month with 1s."
        )
        assert "; 1 unit is the fastest, $12.00 a month" in best_sentence(table(row(0, 10, 3), row(1, 12, 1)))
        flat = table(row(0, 10, 1, cold=0.02), row(5, 12, 1, cold=0.001))
        assert best_sentence(flat) == (
            "The cheapest is also the fastest, or nearly: 0 units, $10.00 a month with a p99 of 1s. Cold starts are"
            " 2.0% of the invocations with 0 units, 0.1% with 5 units."
        )

    def test_nothing_to_compare(self) -> None:
        """One level, or a function without a request."""
        assert best_sentence(table(row(5, 12, 1))) == (
            "There is one level only, 5 units, $12.00 a month with a p99 of 1s: nothing to compare."
        )
        silent = replace(row(0, 0, None), requests=0)
        assert best_sentence(table(silent)) == "Nobody sent a request to f: there is nothing to compare."

    def test_lines(self) -> None:
        """Heading, one line for each level, the sentence, what was left out."""
        found = ls.frontier(house(slo={"p99": "2s"}), levels=[0, 1])
        lines = frontier_lines(found)
        assert lines[0] == "test: provisioned concurrency of f, 2 levels, the same 10 requests for each (seed 1)"
        # 0.000502001 and 0.00026589 dollars for the run, 65,700 runs a month
        cells = [" ".join(line.split()) for line in lines]
        assert cells[3] == "0 $32.98 $50.20 $0.000502 100% – – 0% 3s 3s misses p99"
        assert cells[4] == "1 $17.47 $26.59 $0.000266 0% 0% 25.0% 0% 1s 1s keeps slo"
        assert lines[6] == found.sentence
        assert found.sentence.endswith("(p99 2s): 1 unit, $17.47 a month. No other is cheaper.")

    def test_remarks_on_dominated_levels(self) -> None:
        """Slower or as fast, or faster by 1 ms of a second, for more money."""
        lines = frontier_lines(table(row(0, 10, 3), row(1, 12, 1), row(2, 13, 1), row(3, 14, 0.999), row(4, 15, 2)))
        remarks = [line.partition("dearer, ")[2] for line in lines[3:8]]
        assert remarks == ["", "", "not faster", "hardly faster", "not faster"]

    def test_virtual_users_send_by_the_answers(self) -> None:
        """So the requests are not the same, and the heading says so."""
        people = {"function": "f", "virtual_users": 2, "think_time": "1s"}
        found = ls.frontier(house(traffic={"people": people}), levels=[0, 1])
        assert found.rows[0].requests != found.rows[1].requests
        assert "virtual users send by the answers" in frontier_lines(found)[0]

    def test_csv_json_html_and_frame(self, tmp_path: Path) -> None:
        """The same rows in each."""
        found = ls.frontier(house(slo={"p99": "2s"}), levels=[0, 1])
        found.save(tmp_path / "r")
        assert {path.name for path in (tmp_path / "r").iterdir()} == {"frontier.csv", "frontier.png"}
        header, first, second = (tmp_path / "r/frontier.csv").read_text("utf-8").splitlines()
        assert header.split(",") == list(COLUMNS) == list(found.records()[0])
        cells = dict(zip(header.split(","), first.split(","), strict=True))
        assert (cells["level"], cells["utilization"], cells["slo_met"], cells["is_dominated"]) == (
            "0",
            "",
            "false",
            "true",
        )
        assert second.split(",")[-2:] == ["true", "false"]
        made = frontier_json(found)
        assert made["levels"] == found.records()
        assert made["best"] == {"level": 1, "why": "keeps_slo"}
        assert found._repr_html_().count("<tr>") == 3
        assert "keeps slo" in found._repr_html_()
        assert repr(found) == "<Frontier test: f with 0, 1 provisioned>"
        pytest.importorskip("pandas")
        assert found.to_frame()["cost_usd"].tolist() == [one.cost_usd for one in found.rows]


class TestPicture:
    """Cost against p99, cold starts below."""

    def test_points(self) -> None:
        """Levels for which a cheaper one does as well are hollow; the best has a ring; labels name the levels."""
        rows = (row(0, 10, 10, cold=0.04), row(1, 11, 2, cold=0.02), row(2, 30, 1), row(3, 40, 0.999_999))
        axes = table(*rows)
        upper, lower = panels(draw(axes))
        assert points(upper, "levels") == [(10, 10), (11, 2), (30, 1)]
        assert points(upper, "dominated") == [(40, 0.999_999)]
        assert points(upper, "path") == [(10, 10), (11, 2), (30, 1), (40, 0.999_999)]
        assert points(upper, "front") == [(10, 10), (11, 2), (30, 1)]
        assert points(upper, "best") == [(11, 2)]
        assert points(lower, "cold") == [(10, 4), (11, 2), (30, 0), (40, 0)]
        assert {"0: all on demand", "1", "2", "3"} <= set(texts_of(upper))
        words = " ".join(" ".join(texts_of(upper)).split())
        assert "over 2 % faster than any cheaper filled one" in words
        assert "no cheaper than a filled one, and at most 2 % faster" in words
        assert upper.get_ylim()[0] == 0
        assert upper.get_xlim() == lower.get_xlim()

    def test_what_was_set_stands_in_place_of_the_description(self) -> None:
        """The description may contradict it."""
        made = house(description="An init of 2 s")
        changed = ls.load(made, set={"functions.f.init": "1s"})
        of = replace(table(row(0, 10, 10)), scenario=made)
        assert "An init of 2 s" in texts_of(draw(of))
        shown = texts_of(draw(replace(of, scenario=changed)))
        assert "changed: functions.f.init = 1s" in shown
        assert "An init of 2 s" not in shown

    def test_promised_p99(self) -> None:
        """A line where it is near, else words."""
        near = panels(draw(table(row(0, 10, 3, "p99"), row(1, 12, 1), slo={"p99": "2s"})))[0]
        assert labelled(near, "promised p99").get_ydata() == [2, 2]
        far = panels(draw(table(row(0, 10, 3), row(1, 12, 1), slo={"p99": "60s"})))[0]
        assert "↑ promised: p99 at most 1 min, far above" in texts_of(far)

    def test_throttles_have_a_line_where_there_are_any(self) -> None:
        """In percent of the requests."""
        some = (replace(row(0, 10, 3), throttled_ratio=0.25), row(1, 12, 1))
        lower = panels(draw(table(*some)))[1]
        assert points(lower, "throttled") == [(10, 25), (12, 0)]
        assert lower.get_ylabel() == "share"
        assert panels(draw(table(row(0, 10, 3))))[1].get_ylabel() == "cold starts"

    def test_header(self) -> None:
        """The sentence and the seed."""
        texts = texts_of(draw(table(row(0, 10, 3), row(5, 12, 1))))
        assert texts[0] == "test: what provisioned concurrency of f costs and buys"
        assert any("5 units are the fastest" in text for text in texts)
        assert any("seed 1" in text for text in texts)

    @pytest.mark.parametrize(
        "rows",
        [
            [row(0, 10, 3)],
            [row(0, 10, 3), row(1, 10, 3), row(2, 10, 3)],
            [row(0, 0, 0)],
            [row(0, 1e-9, 1e-9), row(1, 2e-9, 2e-9)],
            [row(number, 10 + number / 100, 3) for number in range(30)],
            [row(0, 10, None), row(1, 12, 1)],
        ],
    )
    def test_every_table_has_its_picture(self, rows: list[FrontierRow], tmp_path: Path) -> None:
        """Edges; the same bytes every time; on axes of the caller's."""
        made = table(*rows)
        first, second = (png(draw(made).figure) for _ in range(2))  # type: ignore[arg-type]
        assert first == second
        assert int.from_bytes(first[16:20], "big") == 1_000
        figure = Figure(figsize=(14, 8), layout="constrained")
        given = figure.subplots(2, 2)[0, 1]
        assert draw(made, given) is given
        figure.canvas.draw()
