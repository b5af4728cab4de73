"""What the printed summary says of provisioned concurrency, in runs whose figures can be computed by hand."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from lambdasim.metrics.run import Run
from lambdasim.report.wording import change_text
from tests.behaviour.capacity_timeline import ONE_A_SECOND, to
from tests.builders import log_of, scenario, trace
from tests.metrics.runs import run_of
from tests.metrics.test_text_summary import text_of

HEADING = "Provisioned concurrency "
ONE_EACH = {"requests_per_concurrency": 1}


def section(run: Run) -> str:
    """The section on provisioned concurrency, on one line."""
    text = text_of(run)
    assert HEADING in text
    return text.partition(HEADING)[2].partition("Latency as the caller")[0]


def advice(run: Run) -> str:
    """What to look at next."""
    return text_of(run).partition("What to look at next")[2]


def with_settings(run: Run, text: str) -> Run:
    """The run again, with everything that a text says to set."""
    found = [quoted or plain.rstrip(".)") for quoted, plain in re.findall(r"--set (?:'([^']*)'|(\S+))", text)]
    assert found
    settings = {key: yaml.safe_load(value) for key, value in (one.split("=", 1) for one in found)}
    made = run.scenario.replace(settings)
    return Run(scenario=made, seed=1, engine="simpy", log=log_of(made), wall_s=1.0)


def steady(rate: str, **parts: Any) -> Run:
    """A run of one minute with evenly spaced requests."""
    function = parts.pop("function", {})
    traffic = {"t": {"function": "f", "rate": rate, "arrivals": "uniform"}}
    return run_of(**{"functions": {"f": function}, "traffic": traffic, "duration": "60s", **parts})


class TestHowMuch:
    """Units, how busy they were, and what they take from the quota."""

    def test_all_on_provisioned(self) -> None:
        """Two requests of 10 s each on 4 units in 20 s: 20 of 80."""
        run = run_of(
            functions={"f": {"duration": "10s", "provisioned_concurrency": 4}},
            rows=[0, 5],
            duration="20s",
            region={"concurrency_quota": 50},
        )
        assert section(run).strip() == (
            "f: 4 provisioned environments, ready from the start. On average 25.0% of them were busy, at most 2 at"
            " once. All 2 invocations ran on them."
            " Busy or idle, provisioned concurrency takes 4 units of the quota of 50: that leaves 46 for everything"
            " that runs on demand."
        )

    def test_spillover_with_one_reason(self) -> None:
        """One unit, two at once: the second is cold."""
        run = run_of(functions={"f": {"provisioned_concurrency": 1}}, rows=[0, 0], duration="4s")
        assert (
            "1 invocation ran on them (50.0%); 1 spilled over to environments on demand (50.0%), 1 of these with a cold"
            " start. They found every ready one busy: up to 2 invocations were in flight at once."
        ) in section(run)

    def test_several_functions_and_those_without(self) -> None:
        """Each by its name; g, which has none, is not there. Reservations are named beside."""
        run = run_of(
            functions={
                "a": {"provisioned_concurrency": 2},
                "b": {"provisioned_concurrency": 3},
                "g": {"reserved_concurrency": 5},
            },
            traffic={"t": {"function": "g", "trace": trace([0])}},
            region={"concurrency_quota": 50},
        )
        text = section(run)
        assert "a: 2 provisioned" in text
        assert "b: 3 provisioned" in text
        assert "g:" not in text
        assert "Nothing was invoked while it had some." in text
        assert "takes 5 units of the quota of 50, and reservations take 5: that leaves 40" in text

    def test_without_there_is_no_section(self) -> None:
        """Nor a column in the table of the functions."""
        text = text_of(run_of(functions={"f": {}, "g": {}}, rows=[0]))
        assert HEADING not in text
        assert "provisioned" not in text

    def test_the_table_of_functions_has_a_column(self) -> None:
        """How much was asked for."""
        run = run_of(functions={"f": {"provisioned_concurrency": 2}, "g": {}}, rows=[0], changes=[to(5, 4)])
        table = text_of(run).partition("Function by function")[2]
        assert "reserved provisioned f 1 0% 0% 1s 1 – 2 to 4 g 0 – – – 0 – –" in table

    def test_long_lists_end(self) -> None:
        """Of seven functions five are shown, those that spilled over most."""
        functions = {f"f{n}": {"provisioned_concurrency": 1} for n in range(7)}
        rows = [(0, None, None, "f6")] * 3 + [(0, None, None, "f5")] * 2
        run = run_of(functions=functions, traffic={"t": {"function": "f0", "trace": trace(rows)}})
        text = section(run)
        assert "and 2 functions more in summary.json" in text
        assert text.index("f6: ") < text.index("f5: ") < text.index("f0: ")


class TestWhy:
    """Each reason in words for somebody who never heard of it."""

    def test_request_rate(self) -> None:
        """One request a second and unit: 2 units let in 2/s. Four at once: two spill over, though both units were idle.

        1 ms of work each, so that the first is long over when the third comes.
        """
        run = run_of(
            functions={"f": {"duration": "1ms", "provisioned_concurrency": 2}},
            rows=[0, 0.01, 0.02, 0.03],
            region=ONE_EACH,
        )
        assert (
            "They came too fast, although some were idle: each lets in 1 request a second, however short they are, so 2"
            " let in 2/s. In the busiest second 4 invocations began."
        ) in section(run)
        assert "f spills over by its request rate, not for want of free environments: 4 let in 4/s" in advice(run)

    def test_the_28_percent_case(self) -> None:
        """130/s of 20 ms: 2.6 busy on average, but 10 units let in 100/s, which leaves 30/s.

        Of 7,800 requests 100 find a full bucket and 100/s x 60 s its refill; the others spill over.
        """
        run = steady("130/s", function={"duration": "20ms", "provisioned_concurrency": 10}, region=_TEN_EACH)
        block = run.summary["provisioned"]
        assert block["spillovers_by_reason"]["request_rate"] == block["spillovers"] == pytest.approx(1_700, abs=5)
        text = section(run)
        assert "each lets in 10 requests a second, however short they are, so 10 let in 100/s." in text
        assert "In the busiest second 130 invocations began." in text
        step = advice(run)
        assert "Try --set functions.f.provisioned_concurrency=13, or put several items into one request." in step
        assert with_settings(run, step.partition(", or put")[0]).summary["provisioned"]["spillovers"] == 0

    def test_several_reasons(self) -> None:
        """Three by a busy unit, one before any was ready: the more frequent first, each with its number."""
        function = {"duration": "10s", "provisioned_allocation": ONE_A_SECOND}
        run = run_of(functions={"f": function}, rows=[2, 20, 21, 22, 23], changes=[to(1, 1)], duration="60s")
        text = section(run)
        assert "3 found every ready one busy: up to 4 invocations were in flight at once. 1 came before any" in text

    def test_busy_while_more_is_on_its_way(self) -> None:
        """A second unit is asked for at 1 and ready at 7: of the spillovers at 2 and 10 one is for want of it."""
        function = {"duration": "20s", "provisioned_concurrency": 1, "provisioned_allocation": ONE_A_SECOND}
        run = run_of(functions={"f": function}, rows=[0, 2, 8, 10], changes=[to(1, 2)], duration="60s")
        assert "4 invocations were in flight at once; 1 of these while more were asked for, but not ready." in section(
            run
        )

    def test_reservation_that_leaves_some(self) -> None:
        """3 reserved, 2 provisioned."""
        function = {"reserved_concurrency": 3, "provisioned_concurrency": 2}
        text = section(run_of(functions={"f": function}, rows=[0]))
        assert "f has 3 reserved and 2 of these provisioned, which leaves 1 for what spills over." in text
        assert "of the quota" not in text

    def test_t24_as_much_provisioned_as_reserved(self) -> None:
        """AWS: everything runs on provisioned concurrency. Of three at once the third is refused."""
        function = {"reserved_concurrency": 2, "provisioned_concurrency": 2}
        run = run_of(functions={"f": function}, rows=[0, 0, 0], duration="4s")
        assert (
            "With all 2 reserved units of f provisioned, nothing may run on demand: what finds none free, or none"
            " ready, is refused instead of spilling over (1 attempt was refused as reserved_concurrency)."
        ) in section(run)
        step = advice(run)
        assert "f has all of its reserved units provisioned" in step
        assert "functions.f.reserved_concurrency=4." in step
        assert with_settings(run, step.partition("Callers")[0]).summary["attempts"]["throttles"] == 0

    def test_that_only_from_a_change_on(self) -> None:
        """From 10 on: the refusal at 5 has another reason, that of 11 is of a run in which none is ready before 17."""
        function = {"reserved_concurrency": 2, "provisioned_allocation": ONE_A_SECOND}
        run = run_of(functions={"f": function}, rows=[5, 5, 5, 11], changes=[to(10, 2)], duration="60s")
        text = section(run)
        assert "provisioned (from 0:10 on), nothing may run on demand" in text
        assert "(1 attempt was refused as reserved_concurrency)" in text


_TEN_EACH = {"requests_per_concurrency": 10}


class TestChanges:
    """When it was asked for, when it was ready, and when it went."""

    def test_a_change(self) -> None:
        """3 more at 10: ready at 18. Back to 1 at 30. What changed is named by the section on changes as well."""
        function = {"provisioned_concurrency": 2, "provisioned_allocation": ONE_A_SECOND}
        run = run_of(functions={"f": function}, rows=[0], changes=[to(10, 5), to(30, 1)], duration="60s")
        text = section(run)
        assert "2 provisioned environments at the start, at most 5 ready at once, 2.1 on average." in text
        assert "0:10 a change asked for 5 instead of 2; ready at 0:18, 8s later." in text
        assert "0:30 a change went down from 5 to 1." in text
        assert "takes up to 5 units" in text
        assert "0:10 f: provisioned 5 0:30 f: provisioned 1" in text_of(run).partition("changed on the way")[2]

    def test_times_agree_with_the_clock(self) -> None:
        """20 more at 0.9 s: ready at 25.9 s, which is 0:25, 25 s after 0:00 as one reads it; short waits are exact."""
        run = run_of(
            functions={"f": {"provisioned_allocation": ONE_A_SECOND}}, rows=[], changes=[to(0.9, 20)], duration="60s"
        )
        assert "ready at 0:25, 25s later" in section(run)
        run = run_of(
            functions={"f": {"provisioned_allocation": {**ONE_A_SECOND, "prepare": "500ms"}}},
            rows=[],
            changes=[to(10.2, 2)],
            duration="60s",
        )
        assert "ready at 0:12, 2.5s later" in section(run)

    def test_what_spilled_over_meanwhile(self) -> None:
        """None at the start: the requests at 11 and 12 come before 10 + 5 + 1."""
        run = run_of(
            functions={"f": {"provisioned_allocation": ONE_A_SECOND}}, rows=[1, 11, 12, 20], changes=[to(10, 1)]
        )
        text = section(run)
        assert "f: none at the start, at most 1 ready at once" in text
        assert "ready at 0:16, 6s later; 2 invocations spilled over meanwhile." in text

    def test_never_ready(self) -> None:
        """The run ends at 12; or the init takes longer than it may."""
        late = run_of(
            functions={"f": {"provisioned_allocation": ONE_A_SECOND}}, rows=[], changes=[to(10, 3)], duration="12s"
        )
        assert "f: none at the start, 3 asked for, none ever ready." in section(late)
        assert "asked for 3 instead of 0; not ready when the run ended." in section(late)
        function = {"provisioned_allocation": ONE_A_SECOND, "init": "140s", "timeout": "1s"}
        failed = run_of(functions={"f": function}, rows=[], changes=[to(10, 3)])
        assert "; an init took longer than it may, so none of them came." in section(failed)

    def test_scheduled_actions(self) -> None:
        """Up at 100, down at 200 and 300."""
        actions = [
            {"at": "100s", "min_capacity": 4},
            {"at": "200s", "min_capacity": 1, "max_capacity": 3},
            {"at": "300s", "max_capacity": 1},
        ]
        scaled = {"min_capacity": 1, "max_capacity": 9, "scheduled_actions": actions}
        run = run_of(functions={"f": {"autoscaling": scaled, "provisioned_allocation": ONE_A_SECOND}}, rows=[0])
        text = section(run)
        assert "1:40 a scheduled action asked for 4 instead of 1; ready at 1:48, 8s later." in text
        assert "3:20 to 5:00 a scheduled action went down from 4 to 1, in 2 steps." in text

    def test_target_tracking(self) -> None:
        """4 units of a second each; 1/s for 5 minutes, then 5/s: all 4 busy, and one of five spills over.

        Minutes 5, 6 and 7 are above 70 %; their metric is there at 9:00: 4 busy / 0.7 = 5.7, so 6. Ready 7 s later.
        """
        run = tracked()
        text = section(run)
        assert (
            "9:00 target tracking asked for 6 instead of 4, as utilisation had been above 70% since 5:00; ready at"
            " 9:07, 4m07s after 5:00;"
        ) in text
        count = int(((run.log.spillovers.time_ns >= 300 * 10**9) & (run.log.spillovers.time_ns < 547 * 10**9)).sum())
        assert 200 < count < 260
        assert f"{count} invocations spilled over meanwhile." in text
        step = advice(run)
        assert (
            "Target tracking comes after the load: f asked 4m after the rise, and had its first step ready 4m07s after"
            " it. A step adds at most 43%"
        ) in step
        assert "scheduled_actions=[{at: 4m, min_capacity: 8, max_capacity: 50}]'" in step
        assert with_settings(run, step).summary["provisioned"]["spillovers"] == 0

    def test_long_lists_end(self) -> None:
        """Eight changes up, each ready before the next."""
        run = run_of(
            functions={"f": {"provisioned_allocation": ONE_A_SECOND}},
            rows=[],
            changes=[to(20 * n, n) for n in range(1, 9)],
        )
        assert "and 2 more changes in provisioned.csv" in section(run)

    @pytest.mark.parametrize("units", [3, 0, "none"])
    def test_words_of_a_change(self, units: int | str) -> None:
        """As of a reservation."""
        (change,) = scenario(changes=[to(5, units)]).changes
        assert change_text(change) == f"f: provisioned {units}"


def tracked(**scaled: Any) -> Run:
    """1/s, and 5/s from 5:00 on, of a second each, on 4 units that target tracking follows."""
    autoscaling = {"min_capacity": 4, "max_capacity": 50, "target": "70%", **scaled}
    stages = [
        {"duration": "5m", "target": "1/s"},
        {"duration": "0s", "target": "5/s"},
        {"duration": "15m", "target": "5/s"},
    ]
    return run_of(
        functions={"f": {"autoscaling": autoscaling, "provisioned_allocation": ONE_A_SECOND}},
        traffic={"t": {"function": "f", "start_rate": "1/s", "stages": stages, "arrivals": "uniform"}},
        duration="20m",
    )


class TestLimits:
    """Which limit bound first."""

    def test_claimed_and_spilled_over(self) -> None:
        """1 unit and 1 on demand of 4, at 2: 2 claimed."""
        run = run_of(
            functions={"f": {"provisioned_concurrency": 1}}, rows=[2, 2], region={"concurrency_quota": 4}, duration="9s"
        )
        assert (
            "Nothing was refused. At most 2 of the quota of 4 were claimed (50.0%), idle provisioned concurrency"
            " included; 2 were in flight. Provisioned concurrency spilled over first at 0:02, for f (see below)."
        ) in text_of(run)

    def test_a_refusal_and_a_spillover(self) -> None:
        """Quota 2 with 1 unit: the third at once is refused."""
        run = run_of(functions={"f": {"provisioned_concurrency": 1}}, rows=[0, 0, 0], region={"concurrency_quota": 2})
        assert "the quota allows. Provisioned concurrency spilled over first at 0:00, for f (see below)." in text_of(
            run
        )


class TestAdvice:
    """More, earlier, or less. What is advised can be loaded, and does what it says."""

    def test_t26_the_peak_and_ten_percent(self) -> None:
        """AWS: 220 for a peak of 200."""
        run = run_of(functions={"f": {"provisioned_concurrency": 100}}, rows=[0] * 200, duration="4s")
        step = advice(run)
        assert "f had up to 200 in flight. AWS advises the usual peak and 10 % more" in step
        assert "--set functions.f.provisioned_concurrency=220." in step
        assert "cold start" not in step

    def test_the_command_that_compares_levels(self) -> None:
        """Where something spills over; of several functions the one with the most of it is named."""
        command = "What each level would cost and buy, with these requests: python -m lambdasim frontier SCENARIO.yaml"
        one = {"f": {"provisioned_concurrency": 1}}
        assert f"{command}." in advice(run_of(functions=one, rows=[0, 0], duration="4s"))
        more = run_of(functions={**one, "g": {"provisioned_concurrency": 1}}, rows=[0, 0], duration="4s")
        assert f"{command} --function f." in advice(more)
        assert command not in advice(run_of(functions=one, rows=[0], duration="4s"))

    def test_those_that_wait_for_an_init_are_not_part_of_the_peak(self) -> None:
        """Two at 0 and two at 2 on one unit: the second of each waits for an init of 10 s, so 3 are in flight at 2.

        Were all initialised, it would be 2 each time: 2 x 1.1 = 2.2, so 3 units.
        """
        run = run_of(functions={"f": {"provisioned_concurrency": 1, "init": "10s"}}, rows=[0, 0, 2, 2], duration="30s")
        assert "up to 3 invocations were in flight at once (2 if none had waited for an init)." in section(run)
        step = advice(run)
        assert "f had up to 3 in flight, 2 if none had waited for an init. AWS advises" in step
        assert "--set functions.f.provisioned_concurrency=3." in step

    def test_it_says_when_spillover_does_no_harm(self) -> None:
        """4 a second of a second each on 3 units: one in four spills over, to the one environment that is warm."""
        run = steady("4/s", function={"provisioned_concurrency": 3})
        assert run.summary["provisioned"]["spillover_cold_starts"] == 1
        count = run.summary["provisioned"]["spillovers"]
        assert count > 50
        assert f"But only 1 of the {count} that spilled over had a cold start" not in advice(run)  # 1 of 60 is much
        warm = steady("4/s", function={"provisioned_concurrency": 3}, duration="200s")
        count = warm.summary["provisioned"]["spillovers"]
        assert f"But only 1 of the {count} that spilled over had a cold start" in advice(warm)

    def test_more_within_a_reservation_and_a_quota(self) -> None:
        """4 in flight: 5 units, but 4 are reserved and the quota of 104 has 4 to give."""
        run = steady(
            "4/s",
            function={"provisioned_concurrency": 3, "reserved_concurrency": 4},
            region={"concurrency_quota": 104, "min_unreserved": 100},
        )
        step = advice(run)
        assert (
            "--set functions.f.provisioned_concurrency=5 --set functions.f.reserved_concurrency=5 --set"
            " region.concurrency_quota=105"
        ) in step
        assert with_settings(run, step).summary["provisioned"]["spillovers"] == 0

    def test_more_where_changes_set_the_limits(self) -> None:
        """4 in flight: 5 units, but the change at 30 s reserves only 4 and leaves a quota of 4."""
        run = steady(
            "4/s",
            function={"provisioned_concurrency": 3, "reserved_concurrency": 5},
            region={"concurrency_quota": 5},
            changes=[
                {"at": "30s", "region": {"concurrency_quota": 4}, "functions": {"f": {"reserved_concurrency": 4}}}
            ],
        )
        step = advice(run)
        assert (
            "--set functions.f.provisioned_concurrency=5 --set changes.0.functions.f.reserved_concurrency=5 --set"
            " changes.0.region.concurrency_quota=5."
        ) in step
        assert with_settings(run, step).summary["provisioned"]["spillovers"] == 0

    def test_more_by_a_change(self) -> None:
        """What a change has set is set there: 3 units from 20 on, 4 in flight."""
        run = steady("4/s", function={"provisioned_allocation": ONE_A_SECOND}, changes=[to(20, 3)], duration="200s")
        assert "--set changes.0.functions.f.provisioned_concurrency=5." in advice(run)

    def test_more_for_target_tracking_does_not_cure_the_rate(self) -> None:
        """2/s are let in by 2 units, of which hardly any is busy: target tracking will not ask for more."""
        scaled = {"min_capacity": 2, "max_capacity": 3, "target": "70%"}
        run = steady("5/s", function={"duration": "1ms", "autoscaling": scaled}, region=ONE_EACH)
        step = advice(run)
        assert "--set functions.f.autoscaling.min_capacity=5 --set functions.f.autoscaling.max_capacity=5" in step
        assert "Target tracking does not see it: it counts busy environments" in step

    def test_ask_earlier(self) -> None:
        """Asked for at 100, ready 8 s later; the load comes at 101. Asked for 8 s earlier it is there."""
        run = run_of(
            functions={"f": {"provisioned_allocation": ONE_A_SECOND, "init": "1s"}},
            traffic={"t": {"function": "f", "shape": {"spike": _SPIKE}, "arrivals": "uniform"}},
            changes=[to(100, 3)],
            duration="120s",
        )
        step = advice(run)
        assert (
            "spilled over while what was asked for at 1:40 was not ready, 8s later: ask for it so much earlier" in step
        )
        assert "(--set changes.0.at=92s)" in step
        assert with_settings(run, step.partition(")")[0]).summary["provisioned"]["spillovers"] == 0

    def test_from_the_start(self) -> None:
        """Asked for at 5, ready at 13: 8 s earlier there is no run yet."""
        run = run_of(
            functions={"f": {"provisioned_allocation": ONE_A_SECOND, "init": "1s"}}, rows=[6], changes=[to(5, 3)]
        )
        assert "Have it from the start: --set functions.f.provisioned_concurrency=3." in advice(run)

    def test_never_ready(self) -> None:
        """Given up at 12 what was to be ready at 16; or the run ends before."""
        for changes, duration in (([to(10, 1), to(12, 0)], "60s"), ([to(10, 1)], "14s")):
            run = run_of(
                functions={"f": {"provisioned_allocation": ONE_A_SECOND, "init": "1s"}},
                rows=[11],
                changes=changes,
                duration=duration,
            )
            assert "f spilled over while what was asked for was not ready, nor ever was." in advice(run)

    def test_a_scheduled_action_that_comes_too_late(self) -> None:
        """Its own time is the key."""
        scaled = {"min_capacity": 0, "max_capacity": 9, "scheduled_actions": [{"at": "100s", "min_capacity": 3}]}
        run = run_of(functions={"f": {"provisioned_allocation": ONE_A_SECOND, "autoscaling": scaled}}, rows=[101, 200])
        assert "(--set functions.f.autoscaling.scheduled_actions.0.at=92s)" in advice(run)

    def test_less(self) -> None:
        """At most 2 of 10 are busy: 3 would do, and nothing spills over with them."""
        run = steady("2/s", function={"provisioned_concurrency": 10})
        step = advice(run)
        assert "At most 2 of 10 provisioned environments of f were ever busy at once" in step
        assert "3 would do (--set functions.f.provisioned_concurrency=3)." in step
        assert with_settings(run, step).summary["provisioned"]["spillovers"] == 0

    def test_less_is_not_less_than_the_rate_needs(self) -> None:
        """At most 1 of 10 is busy, but 9/s need 9 units at one request each: nothing worth saving."""
        run = steady("9/s", function={"duration": "1ms", "provisioned_concurrency": 10}, region=ONE_EACH)
        assert run.summary["provisioned"]["spillovers"] == 0
        assert "would do" not in advice(run)

    def test_nothing_to_do(self) -> None:
        """8 in flight on 10 units: compare with none."""
        run = steady("8/s", function={"provisioned_concurrency": 10})
        step = advice(run)
        assert "Compare with the same load without provisioned concurrency: --set" in step
        assert "provisioned" not in with_settings(run, step).summary

    def test_without_it_under_autoscaling(self) -> None:
        """Its section goes, and what it begins with."""
        scaled = {"min_capacity": 10, "max_capacity": 11, "target": "90%"}
        run = steady("8/s", function={"provisioned_concurrency": 10, "autoscaling": scaled})
        step = advice(run)
        assert "--set functions.f.autoscaling=null --set functions.f.provisioned_concurrency=0." in step
        assert "provisioned" not in with_settings(run, step).summary

    def test_idle_units_that_others_lack(self) -> None:
        """Quota 10: 5 units of f are idle when the sixth of g is refused."""
        run = run_of(
            functions={"f": {"provisioned_concurrency": 5}, "g": {}},
            traffic={"t": {"function": "g", "trace": trace([0] * 6)}},
            region={"concurrency_quota": 10},
        )
        assert "At the first refusal 5 of 5 provisioned units were idle (f)" in advice(run)

    def test_busy_units_are_not_lacking(self) -> None:
        """The same with all of them at work."""
        run = run_of(
            functions={"f": {"provisioned_concurrency": 5}, "g": {}},
            traffic={"t": {"function": "g", "trace": trace([(0, None, None, "f")] * 5 + [(0, None, None, "g")] * 6)}},
            region={"concurrency_quota": 10},
        )
        assert run.summary["attempts"]["throttles"] == 1
        assert "provisioned units were idle" not in advice(run)


_SPIKE = {"baseline": "0/s", "peak": "2/s", "at": "101s", "ramp": "0s", "hold": "10s"}
