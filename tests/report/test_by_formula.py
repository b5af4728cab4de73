"""What formulas say before a run: by hand, and beside what is simulated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lambdasim.report.by_formula import ByFormula, by_formula
from lambdasim.theory import erlang_b
from tests.builders import log_of, scenario, trace

# Erlang B of ten servers and a load of ten, as in any table of it.
B_10_10 = 0.2146

TEN = {"concurrency_quota": 10, "min_unreserved": 0}


def formula(**parts: Any) -> ByFormula:
    """The curves of a scenario that has them."""
    made = by_formula(scenario(**{"duration": "100s"} | parts), 1)
    assert isinstance(made, ByFormula)
    return made


def refused(**parts: Any) -> float:
    """The share that is refused by formula."""
    share = formula(**parts).refused_share
    assert share is not None
    return share


def steady(rate: str, **more: Any) -> dict[str, Any]:
    """One source at a rate."""
    return {"t": {"function": "f", "rate": rate, **more}}


def at(made: ByFormula, time_s: float) -> tuple[float, float]:
    """What is wanted and carried at a time."""
    assert made.carried is not None
    (number,) = np.flatnonzero(np.abs(made.times_s - time_s) < 1e-10)
    return float(made.wanted[number]), float(made.carried[number])


def simulated(**parts: Any) -> float:
    """The share of attempts that are refused, of three seeds."""
    logs = [log_of(scenario(**{"duration": "100s"} | parts), seed) for seed in (1, 2, 3)]
    attempts = sum(len(log.invocations) + len(log.throttles) for log in logs)
    return sum(len(log.throttles) for log in logs) / attempts


class TestWanted:
    """Little's law over time; more of it in tests/workload/test_wanted.py."""

    def test_littles_law(self) -> None:
        """10 a second for 2 s each are 20 in flight from the second second on, and a quota of 1,000 refuses none."""
        made = formula(traffic=steady("10/s"), functions={"f": {"duration": "2s"}})
        assert at(made, 0) == (0, 0)
        assert set(made.wanted[(made.times_s >= 2) & (made.times_s <= 100)].round(9).tolist()) == {20}
        assert made.most_wanted == pytest.approx(20)
        assert made.refused_share == 0
        assert made.carried is not None
        assert made.carried.tolist() == made.wanted.tolist()

    def test_functions_add_up(self) -> None:
        """10 a second for 1 s in f, 2 a second for 3 s in g."""
        traffic = {**steady("10/s"), "u": {"function": "g", "rate": "2/s"}}
        made = formula(functions={"f": {}, "g": {"duration": "3s"}}, traffic=traffic)
        assert at(made, 50) == pytest.approx((16, 16))

    def test_a_modulated_rate_is_that_of_the_run(self) -> None:
        """Ten times as many while it is busy; another seed has other times."""
        law = {"mmpp": {"ratio": 10, "busy": "10s", "quiet": "10s"}}
        made = [by_formula(scenario(traffic=steady("11/s", arrivals=law), duration="100s"), seed) for seed in (1, 2)]
        first, second = (each for each in made if isinstance(each, ByFormula))
        assert first.most_wanted == pytest.approx(20)
        assert len(first.times_s) != len(second.times_s) or first.wanted.tolist() != second.wanted.tolist()


class TestLimits:
    """Erlang B with the limits of each time."""

    def test_erlang_b(self) -> None:
        """A load of 10 on a quota of 10; a little less of a run of 100 s, which begins with an empty function."""
        made = formula(traffic=steady("10/s"), region=TEN)
        assert at(made, 50) == pytest.approx((10, 10 * (1 - B_10_10)), abs=1e-3)
        assert made.refused_share == pytest.approx(B_10_10 * 0.99 + 0.01 * 0.03, abs=1e-3)

    def test_wide_ranges_of_the_load_are_exact(self) -> None:
        """From 0 to 400 a second on a quota of 10: each point of the curve is Erlang B of its load."""
        source = {"function": "f", "stages": [{"duration": "100s", "target": "400/s"}]}
        made = formula(traffic={"t": source}, region=TEN)
        assert made.carried is not None
        expected = [load * (1 - erlang_b(10, load)) for load in made.wanted.tolist()]
        assert made.carried.tolist() == pytest.approx(expected, rel=1e-9)

    def test_a_second_in_ten_minutes_counts(self) -> None:
        """2,000 a second instead of 10, for one second, with durations of 10 ms, on 10 units: half are refused.

        A load of 20 on 10 units refuses 0.538; of 7,990 requests 2,000 come in that second.
        """
        stages = [("300.5s", "10/s"), ("0s", "2000/s"), ("1s", "2000/s"), ("0s", "10/s")]
        source = {"function": "f", "start_rate": "10/s", "stages": [{"duration": d, "target": t} for d, t in stages]}
        parts: dict[str, Any] = {"traffic": {"t": source}, "duration": "10m", "region": TEN}
        parts |= {"functions": {"f": {"duration": "10ms"}}}
        assert refused(**parts) == pytest.approx(erlang_b(10, 20) * 2_000 / 7_990, rel=0.01)

    def test_a_timeout_makes_long_requests_short(self) -> None:
        """Exponential, 1 s on average, cut off at 1 s: 0.632 s, of which 10 a second are 6.32 in flight."""
        law = {"duration": {"exponential": {"mean": "1s"}}, "timeout": "1s"}
        made = formula(functions={"f": law}, traffic=steady("10/s"), region=TEN)
        assert at(made, 50) == pytest.approx((6.321, 6.321 * (1 - erlang_b(10, 6.321))), abs=1e-3)

    def test_reservations_are_pools_of_their_own(self) -> None:
        """A load of 1 on one reserved unit: half is refused. g has 9 of 10 left for a load of 9: 0.2243."""
        traffic = {**steady("1/s"), "u": {"function": "g", "rate": "9/s"}}
        made = formula(functions={"f": {"reserved_concurrency": 1}, "g": {}}, traffic=traffic, region=TEN)
        assert at(made, 50)[1] == pytest.approx(0.5 + 9 * (1 - erlang_b(9, 9)))

    def test_functions_of_one_pool_are_refused_alike(self) -> None:
        """4 + 6 in flight of a quota of 10."""
        traffic = {**steady("4/s"), "u": {"function": "g", "rate": "6/s"}}
        made = formula(functions={"f": {}, "g": {}}, traffic=traffic, region=TEN)
        assert at(made, 50)[1] == pytest.approx(10 * (1 - B_10_10), abs=1e-3)

    def test_provisioned_units_leave_the_pool(self) -> None:
        """f uses 1 of its 90 units; of 100 there are 10 left for a load of 20 of g, of which Erlang B refuses 0.538."""
        traffic = {**steady("1/s"), "u": {"function": "g", "rate": "20/s"}}
        made = formula(
            functions={"f": {"provisioned_concurrency": 90}, "g": {}},
            traffic=traffic,
            region={"concurrency_quota": 100, "min_unreserved": 0},
        )
        assert at(made, 50) == pytest.approx((21, 1 + 20 * (1 - erlang_b(10, 20))))

    @pytest.mark.parametrize(
        "function", [{"provisioned_concurrency": 4}, {"provisioned_concurrency": 4, "reserved_concurrency": 10}]
    )
    def test_of_a_function_alone_provisioned_units_are_as_good_as_others(self, function: dict[str, Any]) -> None:
        """4 provisioned and 6 others are 10, whether the 10 are reserved or all of the quota."""
        made = formula(functions={"f": function}, traffic=steady("10/s"), region=TEN)
        assert at(made, 50)[1] == pytest.approx(10 * (1 - B_10_10), abs=1e-3)

    def test_what_spills_over_comes_to_the_pool(self) -> None:
        """0.4 x 2 of f spill over from one unit, (2/3) of 2; g has 3. Together 4.33 on the 4 that are left."""
        traffic = {**steady("2/s"), "u": {"function": "g", "rate": "3/s"}}
        made = formula(
            functions={"f": {"provisioned_concurrency": 1}, "g": {}},
            traffic=traffic,
            region={"concurrency_quota": 5, "min_unreserved": 0},
        )
        spilled = 2 * 2 / 3
        assert at(made, 50)[1] == pytest.approx(2 - spilled + (spilled + 3) * (1 - erlang_b(4, spilled + 3)))

    def test_requests_per_unit_and_second(self) -> None:
        """100 units take 1,000 requests a second; of 2,000 half is refused, although 20 are in flight on average."""
        parts: dict[str, Any] = {"functions": {"f": {"duration": "10ms"}}, "traffic": steady("2000/s")}
        made = formula(**parts, region={"concurrency_quota": 100, "requests_per_concurrency": 10})
        assert at(made, 50) == pytest.approx((20, 10))
        assert made.refused_share == pytest.approx(0.5, abs=0.005)

    def test_the_rate_goes_by_the_whole_quota(self) -> None:
        """50 of 100 units are reserved for another function, and f still has the account's 1,000 a second."""
        parts: dict[str, Any] = {"functions": {"f": {"duration": "10ms"}, "g": {"reserved_concurrency": 50}}}
        region = {"concurrency_quota": 100, "requests_per_concurrency": 10}
        assert refused(**parts, traffic=steady("990/s"), region=region) < 1e-4

    def test_a_change_of_the_quota_changes_what_is_carried(self) -> None:
        """1 a second for 1 s: of a quota of 1 half is refused, until at 50 s there are 100."""
        made = formula(
            traffic=steady("1/s"),
            region={"concurrency_quota": 1, "min_unreserved": 0},
            changes=[{"at": "50s", "region": {"concurrency_quota": 100}}],
        )
        assert at(made, 49.999999999)[1] == pytest.approx(0.5)
        assert at(made, 50)[1] == pytest.approx(1)
        assert made.refused_share == pytest.approx(0.25, abs=0.003)

    def test_no_concurrency_at_all(self) -> None:
        """A reservation of 0 refuses everything."""
        assert refused(functions={"f": {"reserved_concurrency": 0}, "g": {}}, traffic=steady("1/s")) == 1


class TestWhereItDoesNotHold:
    """A reason in place of a curve."""

    @pytest.mark.parametrize(
        ("traffic", "reason"),
        [
            ({"t": {"function": "f", "virtual_users": 5, "think_time": "1s"}}, "virtual users send by the answers"),
            (steady("1/s", invoke="async"), "events wait in a queue"),
            ({"t": {"rate": "1/s", "invoke": "sqs", "queue": "q"}}, "messages wait in a queue"),
            ({"t": {"rate": "1/s", "invoke": "stream", "stream": "s"}}, "records wait in a stream"),
        ],
        ids=["users", "async", "sqs", "stream"],
    )
    def test_nothing_can_be_said(self, traffic: dict[str, Any], reason: str) -> None:
        """One sentence."""
        mapping = {"event_source_mapping": {"function": "f"}}
        kind = traffic["t"].get("invoke")
        parts = {"sqs": {"queues": {"q": mapping}}, "stream": {"streams": {"s": {"shards": 1, **mapping}}}}
        said = by_formula(scenario(traffic=traffic, **parts.get(kind, {})), 1)
        assert isinstance(said, str)
        assert reason in said

    @pytest.mark.parametrize(
        ("source", "reason"),
        [
            ({"rate": "10/s", "arrivals": "uniform"}, "the requests of t come evenly spaced"),
            ({"rate": "10/s", "arrivals": {"gamma": {"cv": 0.5}}}, "come more evenly, not at random"),
            ({"rate": "10/s", "arrivals": {"gamma": {"cv": 3.0}}}, "come in clusters"),
            ({"trace": trace(np.arange(0, 100, 0.1).tolist())}, "come as they were recorded"),
            ({"warmer": {"every": "1s", "concurrency": 10, "duration": "1s"}}, "come as pings at fixed times"),
        ],
        ids=["uniform", "gamma-0.5", "gamma-3", "trace", "warmer"],
    )
    def test_erlang_b_needs_requests_that_come_at_random(self, source: dict[str, Any], reason: str) -> None:
        """10 in flight are wanted, whatever the law; how many are refused of a quota of 10 is not said."""
        made = formula(traffic={"t": {"function": "f", **source}}, region=TEN)
        assert np.median(made.wanted) == pytest.approx(10)
        assert (made.carried, made.refused_share) == (None, None)
        assert reason in made.unknown

    @pytest.mark.parametrize("law", ["uniform", {"gamma": {"cv": 0.5}}, {"gamma": {"cv": 1.0}}])
    def test_far_from_the_limits_none_is_refused_anyhow(self, law: Any) -> None:
        """10 in flight of 1,000."""
        made = formula(traffic=steady("10/s", arrivals=law))
        assert (made.unknown, made.refused_share) == ("", 0)

    def test_the_limit_per_second_holds_for_even_spacing_too(self) -> None:
        """Half of 2,000 a second are refused by 100 units; 20 in flight are far below 100."""
        made = formula(
            functions={"f": {"duration": "10ms"}},
            traffic=steady("2000/s", arrivals="uniform"),
            region={"concurrency_quota": 100, "requests_per_concurrency": 10},
        )
        assert (made.unknown, made.refused_share) == ("", pytest.approx(0.5, abs=0.005))

    def test_api_gateway_refuses_before_lambda(self) -> None:
        """100 a second for 100 s are 5,000 more than 50 a second: too many for a burst of 4,000, not of 6,000."""
        traffic = steady("100/s", via="api-gateway-http")
        small, large = (
            formula(traffic=traffic, region={"api_gateway": {"rate": "50/s", "burst": burst}})
            for burst in (4_000, 6_000)
        )
        assert "API Gateway lets 50 requests a second through" in small.unknown
        assert large.unknown == ""
        assert formula(traffic=steady("100/s"), region={"api_gateway": {"rate": "50/s", "burst": 1}}).unknown == ""

    def test_api_gateway_refuses_what_comes_at_the_very_start(self) -> None:
        """Ten requests at 0, and a burst of 5."""
        source = {"function": "f", "trace": trace([0] * 10), "via": "api-gateway-http"}
        made = formula(traffic={"t": source}, region={"api_gateway": {"rate": "50/s", "burst": 5}})
        assert "API Gateway" in made.unknown

    def test_requests_at_the_very_start_count(self) -> None:
        """Three at 0 on a quota of 2: they are all that there is."""
        made = formula(traffic={"t": {"function": "f", "trace": trace([0] * 3)}}, region={"concurrency_quota": 2})
        assert "as they were recorded" in made.unknown

    def test_the_ramp_of_the_request_rate(self) -> None:
        """2,000 a second where 1,000 are let in at once."""
        ramp = {"request_rate_ramp": {"start": "1000/s", "step": "100/s"}}
        parts: dict[str, Any] = {"functions": {"f": {"duration": "5ms"}}, "duration": "3s", "region": ramp}
        assert "the request-rate ramp refuses some" in formula(traffic=steady("2000/s"), **parts).unknown
        assert formula(traffic=steady("900/s"), **parts).unknown == ""

    def test_provisioned_concurrency_that_is_scaled(self) -> None:
        """Between 1 and 8 of 10 units, with a load of 10; with a quota of 1,000 it does not matter."""
        scaled = {"min_capacity": 1, "max_capacity": 8, "target": "70%"}
        parts: dict[str, Any] = {"functions": {"f": {"autoscaling": scaled}}, "traffic": steady("10/s")}
        assert "the provisioned concurrency of f is scaled" in formula(**parts, region=TEN).unknown
        assert formula(**parts).unknown == ""

    def test_units_that_may_not_be_there_yet_are_not_counted_on(self) -> None:
        """Up to 900 for a load of 300; the pool, which does without them, has 100."""
        scaled = {"min_capacity": 1, "max_capacity": 900, "target": "70%"}
        made = formula(functions={"f": {"autoscaling": scaled}}, traffic=steady("300/s"))
        assert "the provisioned concurrency of f is scaled" in made.unknown


class TestBesideTheSimulation:
    """The share that is refused: with an init of 0 and no scaling rate the formulas leave hardly anything out."""

    @pytest.mark.parametrize(
        "parts",
        [
            {"traffic": steady("10/s"), "region": TEN},
            {
                "traffic": steady("15/s"),
                "region": TEN,
                "functions": {"f": {"duration": {"gamma": {"mean": "1s", "cv": 2.0}}, "timeout": "1s"}},
            },
            {
                "traffic": {**steady("1/s"), "u": {"function": "g", "rate": "20/s"}},
                "functions": {"f": {"provisioned_concurrency": 90}, "g": {}},
                "region": {"concurrency_quota": 100, "min_unreserved": 0},
            },
            {
                "traffic": steady("15/s"),
                "functions": {"f": {"provisioned_concurrency": 10, "reserved_concurrency": 20}},
            },
            {
                "traffic": steady("10/s"),
                "functions": {"f": {"timeout": "9s"}},
                "changes": [{"at": "500s", "functions": {"f": {"duration": "5s"}}}],
                "region": {"concurrency_quota": 12, "min_unreserved": 0},
            },
            {
                # 50 provisioned units take 500 a second, the reservation of 100 then 1,000: of 1,800 300 are refused.
                "traffic": steady("1800/s"),
                "functions": {
                    "f": {"duration": "10ms", "provisioned_concurrency": 50, "reserved_concurrency": 100},
                    "g": {},
                },
                "region": {"requests_per_concurrency": 10},
                "duration": "60s",
            },
        ],
        ids=["erlang", "timeout", "provisioned", "spillover", "deployment", "rates"],
    )
    def test_what_is_refused(self, parts: dict[str, Any]) -> None:
        """A run of 1,000 s, three seeds, within 0.01."""
        parts = {"duration": "1000s", **parts}
        assert refused(**parts) == pytest.approx(simulated(**parts), abs=0.01)
        assert refused(**parts) > 0.03

    def test_just_after_a_jump_the_formula_says_too_little(self) -> None:
        """Bursts of 5 s, of requests of 1 s: for most of the first second Erlang B does not see what is coming."""
        burst = {"burst": {"peak": "50/s", "every": "20s", "length": "5s"}}
        parts: dict[str, Any] = {"traffic": {"t": {"function": "f", "shape": burst}}, "duration": "1000s"}
        parts |= {"region": {"concurrency_quota": 40, "min_unreserved": 0}}
        assert 0.01 < simulated(**parts) - refused(**parts) < 0.03
