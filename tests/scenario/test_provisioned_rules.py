"""What of provisioned concurrency and of its autoscaling is refused at load: the place, the rule, the value got."""

from __future__ import annotations

import re
from typing import Any

import pytest

from lambdasim.errors import ScenarioError, ScenarioWarning
from lambdasim.scenario.load import as_written, load
from lambdasim.scenario.profiles import PROFILE_NAMES
from lambdasim.scenario.schema import Scenario

FUNCTION = {"duration": "1s", "init": 0}
BOUNDS = {"min_capacity": 1, "max_capacity": 10, "target": "70%"}

# Two sentences of AWS's own: of capacity beyond the reservation, and beyond what must stay unreserved.
BEYOND_THE_RESERVATION = "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution"
BEYOND_THE_POOL = "decreases account's UnreservedConcurrentExecution below its minimum value of [{least}]"


def scenario(*functions: dict[str, Any], quota: int | str = 1000, **top: Any) -> dict[str, Any]:
    """Functions f0, f1, ... with traffic for each."""
    named = {f"f{number}": {**FUNCTION, **function} for number, function in enumerate(functions)}
    traffic = {name: {"function": name, "rate": "1/s"} for name in named}
    return {
        "duration": "10m",
        "region": {"concurrency_quota": quota},
        "functions": named,
        "traffic": traffic,
        **top,
    }


def units(number: Any, **more: Any) -> dict[str, Any]:
    """A function with so much provisioned concurrency."""
    return {"provisioned_concurrency": number, **more}


def scaled(low: int, high: int, **more: Any) -> dict[str, Any]:
    """A function that is scaled within bounds."""
    return {"autoscaling": {"min_capacity": low, "max_capacity": high, "target": "70%", **more}}


def change(at: str, name: str = "f0", **function: Any) -> dict[str, Any]:
    """A change of one function."""
    return {"at": at, "functions": {name: function}}


def problems(data: Any) -> list[str]:
    """Every problem of a scenario that is wrong."""
    with pytest.raises(ScenarioError) as caught:
        load(data)
    return [str(problem) for problem in caught.value.problems]


def the_problem(data: Any) -> str:
    """The only one."""
    found = problems(data)
    assert len(found) == 1, found
    return found[0]


def place(problem: str) -> str:
    """Its path."""
    return problem.split(": ")[0]


def numbers(problem: str) -> set[int]:
    """The whole numbers in what is said, its place left out."""
    return {int(text) for text in re.findall(r"\b[0-9]+\b", problem.split(": ", 1)[1])}


class TestReservation:
    """Not more provisioned than reserved."""

    @pytest.mark.parametrize(("reserved", "provisioned"), [(5, 5), (5, 4), (0, 0), (900, 900)])
    def test_allowed(self, reserved: int, provisioned: int) -> None:
        """All of the reserved units, or fewer."""
        loaded = load(scenario(units(provisioned, reserved_concurrency=reserved), {}))
        assert loaded.functions["f0"].provisioned_concurrency == provisioned

    @pytest.mark.parametrize(("reserved", "provisioned"), [(5, 6), (0, 1), (100, 900)])
    def test_refused(self, reserved: int, provisioned: int) -> None:
        """AWS's sentence, with both numbers."""
        problem = the_problem(scenario({}, units(provisioned, reserved_concurrency=reserved)))
        assert place(problem) == "functions.f1.provisioned_concurrency"
        assert BEYOND_THE_RESERVATION in problem
        assert {reserved, provisioned} <= numbers(problem)

    def test_the_most_that_is_scaled_to(self) -> None:
        """max_capacity stands for the number."""
        assert load(scenario({**scaled(1, 5), "reserved_concurrency": 5}, {}))
        problem = the_problem(scenario({**scaled(1, 6), "reserved_concurrency": 5}, {}))
        assert place(problem).startswith("functions.f0.autoscaling")
        assert BEYOND_THE_RESERVATION in problem
        assert {5, 6} <= numbers(problem)


class TestPool:
    """At least 100 of the quota stay unreserved, provisioned units of functions without a reservation counted too."""

    @pytest.mark.parametrize(
        ("functions", "quota"),
        [
            ([units(900), {}], 1000),
            ([units(500), units(400), {}], 1000),
            ([units(400, reserved_concurrency=500), units(400), {}], 1000),  # 500 and 400
            ([units(1900), {}], 2000),
            ([units(0), {}], 10),
            ([scaled(1, 900), {}], 1000),
        ],
    )
    def test_allowed(self, functions: list[dict[str, Any]], quota: int) -> None:
        """Exactly what is left."""
        assert isinstance(load(scenario(*functions, quota=quota)), Scenario)

    def test_more_than_autoscaling_allows(self) -> None:
        """950 would not fit, but the function begins with the 900 that autoscaling allows; that is said."""
        begins = "is 950, but autoscaling keeps it between 1 and 900: the function begins with 900"
        with pytest.warns(ScenarioWarning, match=begins):
            load(scenario(units(950, **scaled(1, 900)), {}))

    @pytest.mark.parametrize(
        ("functions", "quota", "least", "where", "got"),
        [
            ([units(901), {}], 1000, 100, "functions.f0.provisioned_concurrency", {901, 900}),
            ([{}, units(500), units(401)], 1000, 100, "functions.f2.provisioned_concurrency", {901, 900}),
            (
                [{"reserved_concurrency": 500}, units(401)],
                1000, 100, "functions.f1.provisioned_concurrency", {500, 401, 900},
            ),
            (
                [units(100, reserved_concurrency=500), units(401)],
                1000, 100, "functions.f1.provisioned_concurrency", {500, 401, 900},
            ),
            (
                [units(500), {"reserved_concurrency": 401}],
                1000, 100, "functions.f", {500, 401, 900},  # at either of the two
            ),
            ([units(1), {}], "new-account", 10, "functions.f0.provisioned_concurrency", {1, 0}),
            ([scaled(1, 901), {}], 1000, 100, "functions.f0.autoscaling", {901, 900}),
            ([units(2, **scaled(1, 501)), units(400)], 1000, 100, "functions.f1.provisioned_concurrency", {901, 900}),
        ],
    )  # fmt: skip
    def test_refused(
        self, functions: list[dict[str, Any]], quota: int | str, least: int, where: str, got: set[int]
    ) -> None:
        """AWS's sentence, the sum, and what is left, at the function at which it first goes over."""
        problem = the_problem(scenario(*functions, quota=quota))
        assert place(problem).startswith(where)
        assert BEYOND_THE_POOL.format(least=least) in problem
        assert got <= numbers(problem)

    def test_a_smaller_minimum(self) -> None:
        """min_unreserved: 0, for teaching on small quotas."""
        data = scenario(units(10), {}, quota=10)
        data["region"]["min_unreserved"] = 0
        assert isinstance(load(data), Scenario)
        data["functions"]["f0"]["provisioned_concurrency"] = 11
        assert place(the_problem(data)) == "functions.f0.provisioned_concurrency"


class TestChanges:
    """Every state that the changes lead to is one that AWS would accept."""

    @pytest.mark.parametrize(
        ("functions", "changes"),
        [
            ([units(10), {}], [change("1m", provisioned_concurrency=900)]),
            ([units(10), {}], [change("1m", provisioned_concurrency="none")]),
            ([units(10), {}], [change("1m", provisioned_concurrency=5, reserved_concurrency=5)]),
            ([units(5, reserved_concurrency=5), {}], [change("1m", reserved_concurrency="none"),
                                                      change("2m", provisioned_concurrency=900)]),
            ([units(500), units(400)], [change("1m", provisioned_concurrency=0),
                                        change("2m", "f1", provisioned_concurrency=900)]),
            ([units(500), {}], [{"at": "1m", "region": {"concurrency_quota": 600}}]),
        ],
    )  # fmt: skip
    def test_allowed(self, functions: list[dict[str, Any]], changes: list[dict[str, Any]]) -> None:
        """Exactly what is left."""
        assert len(load(scenario(*functions, changes=changes)).changes) == len(changes)

    @pytest.mark.parametrize(
        ("functions", "changes", "words", "got", "number"),
        [
            ([units(10), {}], [change("1m", provisioned_concurrency=901)], BEYOND_THE_POOL, {901, 900}, 0),
            ([units(10), units(500)], [change("1m", provisioned_concurrency=401)], BEYOND_THE_POOL, {901, 900}, 0),
            (
                [units(10), units(500)],
                [change("2m", provisioned_concurrency=401), change("1m", "f1", provisioned_concurrency=501)],
                BEYOND_THE_POOL, {902, 900}, 0,
            ),
            (
                [units(10), units(500)],
                [change("1m", "f1", provisioned_concurrency="none"), change("2m", provisioned_concurrency=901)],
                BEYOND_THE_POOL, {901, 900}, 1,
            ),
            ([units(500), {}], [{"at": "1m", "region": {"concurrency_quota": 599}}], BEYOND_THE_POOL, {500, 499}, 0),
            ([units(500), {}], [change("1m", "f1", reserved_concurrency=401)], BEYOND_THE_POOL, {500, 401, 900}, 0),
            (
                [units(5, reserved_concurrency=5), {}], [change("1m", provisioned_concurrency=6)],
                BEYOND_THE_RESERVATION, {6, 5}, 0,
            ),
            (
                [units(5, reserved_concurrency=9), {}], [change("1m", reserved_concurrency=4)],
                BEYOND_THE_RESERVATION, {5, 4}, 0,
            ),
            ([units(5), {}], [change("1m", reserved_concurrency=4)], BEYOND_THE_RESERVATION, {5, 4}, 0),
            ([scaled(1, 6), {}], [change("1m", reserved_concurrency=5)], BEYOND_THE_RESERVATION, {6, 5}, 0),
            (
                [scaled(1, 500), {}], [{"at": "1m", "region": {"concurrency_quota": 599}}],
                BEYOND_THE_POOL, {500, 499}, 0,
            ),
        ],
    )  # fmt: skip
    def test_refused(
        self,
        functions: list[dict[str, Any]],
        changes: list[dict[str, Any]],
        words: str,
        got: set[int],
        number: int,
    ) -> None:
        """At the change that leads there, with the sentence and the numbers."""
        problem = the_problem(scenario(*functions, changes=changes))
        assert place(problem).startswith(f"changes[{number}]") or place(problem).startswith(f"changes.{number}")
        assert words.format(least=100) in problem
        assert got <= numbers(problem)

    def test_a_scheduled_maximum_counts(self) -> None:
        """800 at first, 901 after a scheduled action."""
        problem = the_problem(scenario(scaled(1, 800, scheduled_actions=[{"at": "5m", "max_capacity": 901}]), {}))
        assert place(problem).startswith("functions.f0.autoscaling")
        assert {901, 900} <= numbers(problem)

    def test_a_function_with_autoscaling_is_scaled_by_that_alone(self) -> None:
        """A change of its capacity contradicts it."""
        problem = the_problem(scenario(scaled(1, 10), {}, changes=[change("1m", provisioned_concurrency=5)]))
        assert place(problem).startswith(("changes[0]", "changes.0"))
        assert "autoscaling" in problem
        assert isinstance(load(scenario(scaled(1, 10), {}, changes=[change("1m", duration="2s")])), Scenario)

    @pytest.mark.parametrize("value", [-1, 1.5, "many", True, "5"])
    def test_what_is_no_number_of_units(self, value: Any) -> None:
        """A whole number of at least 0, or none."""
        problem = the_problem(scenario(units(1), {}, changes=[change("1m", provisioned_concurrency=value)]))
        assert "provisioned_concurrency" in place(problem)

    def test_what_else_may_stand_there_is_told(self) -> None:
        """As for a reservation."""
        problem = the_problem(scenario(units(1), {}, changes=[change("1m", provisioned_concurrency="many")]))
        assert "must be none or a whole number, got many" in problem

    def test_null_is_not_the_word(self) -> None:
        """none is."""
        assert "none" in the_problem(scenario(units(1), {}, changes=[change("1m", provisioned_concurrency=None)]))


class TestValues:
    """Single keys."""

    @pytest.mark.parametrize("value", [-1, 1.5, "many", True, "5", [1]])
    def test_provisioned_concurrency(self, value: Any) -> None:
        """A whole number of at least 0."""
        problem = the_problem(scenario(units(value), {}))
        assert place(problem) == "functions.f0.provisioned_concurrency"

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("prepare", -1), ("prepare", 60), ("prepare", "-1s"), ("rate", 0), ("rate", -5), ("rate", 1.5),
            ("per", "0s"), ("per", 60), ("speed", 1),
        ],
    )  # fmt: skip
    def test_allocation(self, key: str, value: Any) -> None:
        """A time with its unit, a whole number above 0, a period above 0."""
        problem = the_problem(
            scenario(units(1, provisioned_allocation={"prepare": "1s", "rate": 1, "per": "1s", key: value}), {})
        )
        assert place(problem) == f"functions.f0.provisioned_allocation.{key}"

    def test_allocation_is_a_mapping_or_unlimited(self) -> None:
        """And no other word."""
        assert isinstance(load(scenario({**scaled(1, 10), "provisioned_allocation": "unlimited"}, {})), Scenario)
        problem = the_problem(scenario(units(1, provisioned_allocation="at once"), {}))
        assert place(problem) == "functions.f0.provisioned_allocation"

    @pytest.mark.parametrize("stated", [{"prepare": "5s"}, {"rate": 10}, {"per": "1s"}, {"rate": 10, "per": "1s"}, {}])
    @pytest.mark.parametrize("profile", PROFILE_NAMES)
    def test_what_an_allocation_leaves_out_keeps_its_default(self, stated: dict[str, Any], profile: str) -> None:
        """As if all three keys had been written."""
        default = {"prepare": {"uniform": ["1m", "2m"]}, "rate": 6_000, "per": "1m"}
        made = load(scenario({**scaled(1, 10), "provisioned_allocation": stated}, profile=profile))
        whole = load(scenario({**scaled(1, 10), "provisioned_allocation": {**default, **stated}}, profile=profile))
        assert made.functions["f0"].provisioned_allocation == whole.functions["f0"].provisioned_allocation
        assert load(made) == made

    def test_a_part_of_an_allocation_is_kept_as_it_was_written(self) -> None:
        """What the profile gave is not written, so that other parts can be set later."""
        made = load(scenario({**scaled(1, 10), "provisioned_allocation": {"rate": 10}}))
        assert as_written(made)["functions"]["f0"]["provisioned_allocation"] == {"rate": 10}
        changed = made.replace({"functions.f0.provisioned_allocation.per": "1s"})
        assert as_written(changed)["functions"]["f0"]["provisioned_allocation"] == {"rate": 10, "per": "1s"}
        same = made.replace({"functions.f0.provisioned_allocation.rate": 6_000})
        assert "provisioned_allocation" not in as_written(same)["functions"]["f0"]

    @pytest.mark.parametrize("target", ["10%", "70%", "90%", "72.5%"])
    def test_targets(self, target: str) -> None:
        """As AWS demands, both ends allowed."""
        assert isinstance(load(scenario(scaled(1, 10, target=target), {})), Scenario)

    @pytest.mark.parametrize("target", ["9.9%", "90.1%", "0%", "100%", "120%", 0.7, 70])
    def test_targets_that_are_refused(self, target: Any) -> None:
        """Outside 10 % and 90 %, or without a unit."""
        problem = the_problem(scenario(scaled(1, 10, target=target), {}))
        assert place(problem) == "functions.f0.autoscaling.target"

    def test_the_range_of_targets_is_told(self) -> None:
        """With what was written."""
        problem = the_problem(scenario(scaled(1, 10, target="95%"), {}))
        assert all(text in problem for text in ("10%", "90%", "95%"))

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("min_capacity", -1), ("min_capacity", 1.5), ("max_capacity", -1), ("max_capacity", "10"),
            ("statistic", "median"), ("metric_delay", 60), ("metric_delay", "-1s"), ("scale_out_points", 0),
            ("scale_out_points", -1), ("scale_in_points", 0), ("scale_in_step", "-1%"), ("scale_in_threshold", "-1%"),
            ("scale_out_cooldown", "-1s"), ("scale_in_cooldown", 60), ("targte", "70%"),
        ],
    )  # fmt: skip
    def test_autoscaling(self, key: str, value: Any) -> None:
        """Each at its own place."""
        problem = the_problem(scenario({"autoscaling": {**BOUNDS, key: value}}, {}))
        assert place(problem) == f"functions.f0.autoscaling.{key}"

    @pytest.mark.parametrize("key", ["min_capacity", "max_capacity"])
    def test_both_bounds_are_required(self, key: str) -> None:
        """As AWS demands."""
        left = {name: value for name, value in BOUNDS.items() if name != key}
        assert key in the_problem(scenario({"autoscaling": left}, {}))

    def test_min_above_max(self) -> None:
        """The two names; equal is allowed."""
        problem = the_problem(scenario(scaled(11, 10), {}))
        assert place(problem).startswith("functions.f0.autoscaling")
        assert "min_capacity" in problem
        assert "max_capacity" in problem
        assert isinstance(load(scenario(scaled(10, 10), {})), Scenario)


class TestAllocationWithoutEffect:
    """It says how fast units come that are asked for during the run."""

    @pytest.mark.parametrize("allocation", ["unlimited", {"rate": 10}, {"prepare": {"uniform": ["1m", "2m"]}}])
    @pytest.mark.parametrize(
        ("function", "changes", "why"),
        [
            ({}, [], "f0 has no provisioned concurrency"),
            (units(0), [], "f0 has no provisioned concurrency"),
            ({}, [change("1m", "f1", provisioned_concurrency=5)], "f0 has no provisioned concurrency"),
            (units(5), [], "the provisioned concurrency of f0 is ready when the run starts, and nothing asks for more"),
            (units(5), [change("1m", provisioned_concurrency=3)], "f0 is ready when the run starts, and nothing asks"),
            (units(5), [change("1m", provisioned_concurrency="none")], "f0 is ready when the run starts, and nothing"),
        ],
    )
    def test_nothing_asks_for_more(
        self, function: dict[str, Any], changes: list[dict[str, Any]], why: str, allocation: Any
    ) -> None:
        """None at all, none but from the start, or fewer later: a warning at the key says why."""
        data = scenario({**function, "provisioned_allocation": allocation}, {}, changes=changes)
        with pytest.warns(ScenarioWarning, match=re.escape(why)) as caught:
            load(data)
        assert [str(one.message).partition(": has")[0] for one in caught] == ["functions.f0.provisioned_allocation"]

    @pytest.mark.parametrize(
        ("function", "changes"),
        [
            (scaled(1, 10), []),
            ({}, [change("1m", provisioned_concurrency=5)]),
            (units(5), [change("1m", provisioned_concurrency=6)]),
            (units(5), [change("1m", provisioned_concurrency=2), change("2m", provisioned_concurrency=3)]),
            (units(5), [change("2m", provisioned_concurrency=5), change("1m", provisioned_concurrency="none")]),
        ],
    )
    def test_something_asks_for_more(self, function: dict[str, Any], changes: list[dict[str, Any]]) -> None:
        """Autoscaling, or a change, in the order of their times: no warning."""
        assert warnings_of(scenario({**function, "provisioned_allocation": {"rate": 10}}, changes=changes)) == []

    def test_without_it_nothing_is_said(self) -> None:
        """What the profile gives is no key of the scenario."""
        assert warnings_of(scenario({}, units(5))) == []


def warnings_of(data: dict[str, Any]) -> list[str]:
    """What loading warns of."""
    warnings: list[str] = []
    load(data, on_warning=warnings.append)
    return warnings


class TestScheduledActions:
    """When, and what."""

    @pytest.mark.parametrize(
        "action",
        [
            {"at": "5m", "min_capacity": 2},
            {"at": "5m", "max_capacity": 20},
            {"schedule": "rate(5 minutes)", "min_capacity": 2},
            {"schedule": "cron(5 0 ? * MON-FRI *)", "min_capacity": 2, "max_capacity": 30},
        ],
    )
    def test_allowed(self, action: dict[str, Any]) -> None:
        """One bound or both, at a time or on a schedule, with or without a target."""
        assert isinstance(load(scenario(scaled(1, 10, scheduled_actions=[action]), {})), Scenario)
        without = {"min_capacity": 1, "max_capacity": 10, "scheduled_actions": [action]}
        assert isinstance(load(scenario({"autoscaling": without}, {})), Scenario)

    @pytest.mark.parametrize(
        "action",
        [
            {"at": "5m"},
            {"min_capacity": 2},
            {"at": "5m", "schedule": "rate(5 minutes)", "min_capacity": 2},
            {"at": "5m", "min_capacity": -2},
            {"at": "5m", "min_capacity": 9, "max_capacity": 8},
            {"at": "-5m", "min_capacity": 2},
            {"at": 5, "min_capacity": 2},
            {"schedule": "every day", "min_capacity": 2},
            {"schedule": "rate(0 minutes)", "min_capacity": 2},
            {"at": "5m", "min_capacity": 11},  # above the maximum of 10
        ],
    )
    def test_refused(self, action: dict[str, Any]) -> None:
        """At the action."""
        problem = the_problem(scenario(scaled(1, 10, scheduled_actions=[action]), {}))
        assert place(problem).startswith("functions.f0.autoscaling")

    @pytest.mark.parametrize(
        ("when", "message"),
        [
            ({"at": "10m"}, "comes when nothing arrives any more; it may have no effect"),
            ({"schedule": "cron(50 8 ? * MON-FRI *)"}, "does not fire within the duration, which begins on monday"),
            ({"schedule": "50 8 * * 1-5", "starts": "sunday 08:45"}, "which begins on sunday 08:45 .starts says when."),
        ],
    )
    def test_too_late(self, when: dict[str, str], message: str) -> None:
        """Ten minutes from 00:00 or 08:45 on, on a Sunday: it has no effect, and why is said."""
        with pytest.warns(ScenarioWarning, match=message):
            load(scenario(scaled(1, 10, scheduled_actions=[{**when, "min_capacity": 5}])))

    def test_an_action_that_leads_below_the_minimum_of_another(self) -> None:
        """min 8 from 2m on, then max 5 at 4m; written in the other order, it is the order of time that counts."""
        actions = [{"at": "4m", "max_capacity": 5}, {"at": "2m", "min_capacity": 8}]
        assert place(the_problem(scenario(scaled(1, 10, scheduled_actions=actions), {}))).startswith(
            "functions.f0.autoscaling"
        )
        earlier = [{"at": "4m", "min_capacity": 1, "max_capacity": 5}, {"at": "2m", "min_capacity": 8}]
        assert isinstance(load(scenario(scaled(1, 10, scheduled_actions=earlier), {})), Scenario)


def test_snapstart_and_provisioned_concurrency_exclude_each_other() -> None:
    """On the same function, as AWS says; on two of them both are fine."""
    java = {"snapstart": True, "runtime": "java21", "duration": "1s"}
    for function in (units(1, **java), {**scaled(1, 10), **java}):
        found = problems(scenario(function, {}))
        assert any("SnapStart" in problem and place(problem).startswith("functions.f0") for problem in found)


def test_all_problems_come_at_once() -> None:
    """A wrong number, a wrong target and too much capacity, each at its place."""
    found = problems(scenario(units(-1), scaled(1, 10, target="95%"), units(901)))
    assert [place(problem) for problem in found] == [
        "functions.f0.provisioned_concurrency",
        "functions.f1.autoscaling.target",
        "functions.f2.provisioned_concurrency",
    ]
