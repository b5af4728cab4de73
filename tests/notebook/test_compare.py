"""``compare``: variants on the same requests, what they come to, and what differs from the first."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import lambdasim as ls
from lambdasim.api import simulate_scenario
from lambdasim.engine.base import Interrupt
from lambdasim.notebook import compare as module
from lambdasim.scenario.schema import Scenario
from lambdasim.workload import memory
from tests.builders import trace
from tests.notebook.house import COST, COST_OF_THREE, house
from tests.report.runs import texts_of

TWO = {"two": {}, "three": {"region.concurrency_quota": 3}}


@pytest.fixture(scope="module")
def compared() -> ls.Comparison:
    """The house on a quota of 2 and of 3."""
    return ls.compare(TWO, scenario=house())


def test_rows_hold_the_figures_of_each_variant(compared: ls.Comparison) -> None:
    """With a third unit nobody is refused, at the price of a third cold start."""
    two, three = compared.rows
    figures = ("variant", "requests", "completed", "throttled", "throttles", "cold_starts", "peak_concurrency")
    assert [two[name] for name in figures] == ["two", 4, 3, 1, 1, 2, 2]
    assert [three[name] for name in figures] == ["three", 4, 4, 0, 0, 3, 3]
    # [1, 1.5, 1.5] and [1, 1.5, 1.5, 1.5]: the second smallest of either, and the last
    assert (two["latency_p50_s"], two["latency_p99_s"]) == (1.5, 1.5)
    assert (three["latency_p50_s"], three["latency_p99_s"]) == (1.5, 1.5)
    assert two["cost_usd"] == pytest.approx(COST)
    assert three["cost_usd"] == pytest.approx(COST_OF_THREE)


def test_results_are_kept_by_name(compared: ls.Comparison) -> None:
    """In the order in which they were asked for."""
    assert list(compared.results) == ["two", "three"]
    assert [result.scenario.region.concurrency_quota for result in compared.results.values()] == [2, 3]
    assert repr(compared) == "<Comparison two, three>"


def test_a_frame_has_variants_as_rows_and_units_in_its_columns(compared: ls.Comparison) -> None:
    """Without queues there is no column of dead letters."""
    frame = compared.to_frame()
    assert list(frame.index) == ["two", "three"]
    assert frame.index.name == "variant"
    assert frame["throttled"].tolist() == [1, 0]
    assert {"latency_p99_s", "cost_usd", "peak_concurrency"} <= set(frame.columns)
    assert "dead_lettered" not in frame.columns


def test_the_table_shows_differences_to_the_first(compared: ls.Comparison) -> None:
    """Of counts how many, of money the share: 5.5 GB-s and 4 requests are 37.5 % more than 4 GB-s and 3."""
    lines = str(compared).splitlines()
    assert lines[0] == "2 variants, the same 4 requests for each (seed 3)"
    assert lines[2].split("  ")[-1].strip() == "cost"
    cells = [cell for cell in lines[4].split("  ") if cell]
    assert [cell.strip() for cell in cells] == [
        "three",
        "4 (+1)",
        "0 (−1)",
        "3 (+1)",
        "1.5s (same)",
        "1.5s (same)",
        "3 (+1)",
        "$0.0000925 (+37.5%)",
    ]
    assert lines[3].split()[:4] == ["two", "3", "1", "2"]  # the first is compared with nothing


def test_the_table_of_a_notebook_says_the_same(compared: ls.Comparison) -> None:
    """Plain HTML: names, values, differences; nothing is fetched."""
    html = compared._repr_html_()
    assert "<p>2 variants, the same 4 requests for each (seed 3)</p><table>" in html
    assert "<small" in html
    assert ">+37.5%<" in html
    assert html.count("<tr>") == 3
    assert "http" not in html
    assert html.startswith('<div class="mathjax_ignore')  # two prices are no formula


def test_a_notebook_is_told_which_pictures_there_are(compared: ls.Comparison) -> None:
    """With the one that says most first."""
    html = compared._repr_html_()
    sentence = 'Pictures: .plot("throttles"), which is what .plot() shows here; .plot("latency"), .plot("concurrency")'
    assert sentence.replace('"', "&quot;") in html
    assert "Pictures" not in str(compared)


def test_names_are_escaped() -> None:
    """A name may hold what HTML reads as its own."""
    html = ls.compare({"<b>&": {}}, scenario=house())._repr_html_()
    assert "&lt;b&gt;&amp;" in html
    assert "<b>&" not in html


def test_figures_that_nobody_has_are_left_out(compared: ls.Comparison) -> None:
    """No failure, no drop; refused attempts that are no other than the throttled requests."""
    heading = str(compared).splitlines()[2]
    for name in ("failed", "dropped", "refused attempts", "environments", "requests"):
        assert name not in heading


def test_a_difference_that_does_not_show_is_none() -> None:
    """A p50 of 1 s and 400 us reads 1s, as 1 s does; 4 ms more read 1s as well, 6 ms make 1.01s."""
    at_once = house(functions={"f": {"duration": "1s", "init": "0s"}}, region={"concurrency_quota": 10})
    longer = {"a": {}} | {time: {"functions.f.duration": time} for time in ("1000.4ms", "1004ms", "1006ms")}
    cells = [line.split("  ") for line in str(ls.compare(longer, scenario=at_once)).splitlines()[4:]]
    assert all("1s (same)" in [cell.strip() for cell in row] for row in cells[:2])
    assert "1.01s (+6ms)" in [cell.strip() for cell in cells[2]]


@pytest.mark.parametrize(
    ("longer", "shown"), [("50.04s", "50s (same)"), ("50.2s", "50.2s"), ("50.3s", "50.3s (+300ms)")]
)
def test_of_times_less_than_half_a_percent_is_left_out(longer: str, shown: str) -> None:
    """Half a percent of 50 s is 250 ms."""
    at_once = house(functions={"f": {"duration": "50s", "init": "0s"}}, region={"concurrency_quota": 10})
    compared = ls.compare({"a": {}, "b": {"functions.f.duration": longer}}, scenario=at_once)
    assert shown in [cell.strip() for cell in str(compared).splitlines()[-1].split("  ")]


def test_without_data_there_is_no_difference() -> None:
    """Nobody is answered on a quota of 0, so no latency is the first one's plus something."""
    stopped = {"functions.f.reserved_concurrency": 0}
    first, second, third = str(ls.compare({"a": {}, "b": stopped, "c": stopped}, scenario=house())).splitlines()[-3:]
    assert "1.5s" in first
    assert "– (–)" in second
    assert "– (–)" in third
    assert "– (same)" in str(ls.compare({"a": stopped, "b": stopped}, scenario=house()))


@pytest.mark.filterwarnings("ignore::lambdasim.ScenarioWarning")  # AWS advises more receives
def test_dead_letters_are_shown_where_there_are_queues() -> None:
    """Five messages to a function that is stopped, in a queue that gives up after the second receive."""
    queued = house(
        functions={"f": {"duration": "1s", "timeout": "3s", "reserved_concurrency": 0}},
        queues={
            "q": {"max_receive_count": 2, "dead_letter": "dead", "event_source_mapping": {"function": "f"}},
            "dead": {},
        },
        traffic={"t": {"invoke": "sqs", "queue": "q", "trace": trace([0, 0, 0, 0, 0])}},
    )
    compared = ls.compare({"a": {}}, scenario=queued)
    assert compared.rows[0]["dead_lettered"] == 5
    assert "dead-lettered" in str(compared)
    assert compared.to_frame()["dead_lettered"].tolist() == [5]


class TestReasons:
    """Refused attempts, by what refused them."""

    both = house(
        functions={"f": {"duration": "1s", "init": "500ms"}, "g": {"duration": "1s", "reserved_concurrency": 1}},
        traffic={
            "t": {"function": "f", "trace": trace([0, 0, 0])},
            "u": {"function": "g", "trace": trace([0, 0])},
        },
        region={"concurrency_quota": 3},
    )

    def test_several(self) -> None:
        """Of three on the two units that a reservation leaves, one is refused; of two on the reserved unit, one."""
        compared = ls.compare({"a": {}, "b": {"functions.g.reserved_concurrency": 2}}, scenario=self.both)
        a, b = compared.rows
        assert (a["throttled"], a["throttles_account_concurrency"], a["throttles_reserved_concurrency"]) == (2, 1, 1)
        assert (b["throttled"], b["throttles_account_concurrency"], b["throttles_reserved_concurrency"]) == (2, 2, 0)
        head, _, second = str(compared).splitlines()[2:]
        assert "throttled  refused: account concurrency  refused: reserved concurrency  cold" in head
        assert re.search(r"2 \(same\) +2 \(\+1\) +0 \(−1\)", second)
        assert ">refused: reserved concurrency</th>" in compared._repr_html_()

    def test_with_retries(self) -> None:
        """Of f the second comes again after 2 s, of g the third as well: the parts stand in place of all attempts."""
        traffic = {
            name: {"function": function, "trace": trace(rows), "client": {"retry": {"delays": ["2s"]}}}
            for name, function, rows in (("t", "f", [0, 0, 0]), ("u", "g", [0, 0]))
        }
        compared = ls.compare({"a": {}}, scenario=self.both.replace({"traffic": traffic}))
        (row,) = compared.rows
        assert (row["throttled"], row["throttles"]) == (0, 2)
        head, values = str(compared).splitlines()[2:]
        assert "refused attempts" not in head
        assert "throttled  refused: account concurrency  refused: reserved concurrency  cold" in head
        assert values.split()[1:5] == ["5", "0", "1", "1"]

    def test_one(self, compared: ls.Comparison) -> None:
        """It says no more than throttled, but is data all the same; no other reason is."""
        assert "refused:" not in str(compared)
        assert compared.to_frame()["throttles_account_concurrency"].tolist() == [1, 0]
        assert [name for name in compared.rows[0] if name.startswith("throttles_")] == ["throttles_account_concurrency"]


def test_retries_make_refused_attempts_a_figure_of_their_own() -> None:
    """The third request asks again after 2 s and is served: one refused attempt, no throttled request."""
    patient = house(client={"retry": {"delays": ["2s"]}})
    compared = ls.compare({"a": {}}, scenario=patient)
    (row,) = compared.rows
    assert (row["throttled"], row["throttles"], row["retries"]) == (0, 1, 1)
    assert "refused attempts" in str(compared)


def test_without_a_seed_all_variants_get_the_same_new_one() -> None:
    """Poisson arrivals would differ otherwise."""
    source = {
        "duration": "20s",
        "functions": {"f": {"duration": "1s", "init": "0s"}},
        "traffic": {"t": {"function": "f", "rate": "5/s"}},
    }
    for compared in (
        ls.compare({"a": {}, "b": {"functions.f.duration": "2s"}}, scenario=source),
        ls.compare({"a": source, "b": source}),
    ):
        a, b = compared.results.values()
        assert a.seed == b.seed
        assert np.array_equal(a.log.requests.arrival_ns, b.log.requests.arrival_ns)
        assert compared.has_same_requests


def test_a_seed_of_the_caller_wins() -> None:
    """Over that of the scenario."""
    assert [result.seed for result in ls.compare(TWO, scenario=house(), seed=9).results.values()] == [9, 9]
    assert [result.seed for result in ls.compare({"a": house()}, seed=9).results.values()] == [9]


def test_scenarios_of_their_own_share_the_seed_that_one_has() -> None:
    """So that two files of the same traffic see the same requests."""
    compared = ls.compare({"a": house(seed=None), "b": house(seed=6)})
    assert [result.seed for result in compared.results.values()] == [6, 6]
    compared = ls.compare({"a": house(seed=5), "b": house(seed=6)}, seed=7)
    assert [result.seed for result in compared.results.values()] == [7, 7]


def test_a_result_decides_the_seed_wherever_it_stands() -> None:
    """It ran already, so that what is still to run follows it."""
    ran = ls.simulate(house(seed=5))
    compared = ls.compare({"b": house(seed=None), "a": ran})
    assert [result.seed for result in compared.results.values()] == [5, 5]
    assert compared.has_same_requests


@pytest.mark.parametrize(
    ("variants", "scenario", "finding"),
    [
        ({"a": {}, "b": {"seed": 99}}, house(), "b sets seed, but all share one; give compare(..., seed=3)"),
        ({"a": house(seed=5), "b": house(seed=6)}, None, "b has seed 6, but all share one; give compare(..., seed=5)"),
        (
            {"b": house(seed=42), "a": ls.simulate(house(seed=5))},
            None,
            "b has seed 42, but all share one; give compare(..., seed=5)",
        ),
    ],
)
def test_a_variant_has_no_seed_of_its_own(variants: Any, scenario: Scenario | None, finding: str) -> None:
    """It would be ignored."""
    with pytest.raises(ls.UsageError) as raised:
        ls.compare(variants, scenario=scenario)
    assert str(raised.value) == f"variants: {finding}, or, to compare seeds, results of simulate"


def test_results_are_taken_as_they_are() -> None:
    """Nothing runs again; where the requests differ, the heading says so."""
    first, other = ls.simulate(house()), ls.simulate(house(rows=[0, 1], seed=4))
    compared = ls.compare({"first": first, "other": other})
    assert compared.results["first"] is first
    assert compared.heading == "2 variants, the requests differ (seed 3, 4)"
    assert "requests" in str(compared).splitlines()[2]


def test_a_partial_result_is_named() -> None:
    """It is no fair comparison, so that heading and pictures say which one it is."""
    interrupt = Interrupt()
    interrupt.request()
    partial = simulate_scenario(house(), interrupt=interrupt)
    assert partial.log.is_partial
    compared = ls.compare({"a": partial, "b": ls.simulate(house())})
    assert list(compared.results) == ["a", "b"]
    assert compared.heading.endswith("(seed 3); not a whole run: a")
    assert compared.heading in texts_of(compared.plot("concurrency"))


def two_sources(first: str, second: str, swapped: bool) -> ls.Result:
    """A request of either source at the same times, in one order or the other."""
    times = ([1], [0]) if swapped else ([0], [1])
    traffic = {name: {"function": "f", "trace": trace(rows)} for name, rows in zip((first, second), times, strict=True)}
    return ls.simulate(house(traffic=traffic))


def test_the_same_times_of_other_sources_are_other_requests() -> None:
    """Whose request comes first is part of it, and what the sources are called."""
    one = two_sources("x", "y", swapped=False)
    assert ls.compare({"a": one, "b": two_sources("x", "y", swapped=False)}).has_same_requests
    assert not ls.compare({"a": one, "b": two_sources("x", "y", swapped=True)}).has_same_requests
    assert not ls.compare({"a": one, "b": two_sources("x", "z", swapped=False)}).has_same_requests


def test_a_comparison_of_nothing() -> None:
    """What is there where the first variant was interrupted: every part of it can be asked for."""
    nothing = ls.Comparison(results={}, is_partial=True)
    assert nothing.has_same_requests
    assert nothing.rows == ()
    assert str(nothing) == nothing.heading == "Interrupted before the first variant had come to its end."
    assert nothing.heading in nothing._repr_html_()
    with pytest.raises(ls.UsageError, match=r"^plot: there is no run to show$"):
        nothing.plot()


def test_names_may_be_numbers() -> None:
    """A sweep over values names them by themselves."""
    compared = ls.compare({quota: {"region.concurrency_quota": quota} for quota in (1, 2)}, scenario=house())
    assert [row["throttled"] for row in compared.rows] == [2, 1]
    assert list(compared.results) == ["1", "2"]


@pytest.mark.parametrize(
    ("variants", "scenario", "message"),
    [
        ({}, house(), "variants: must be a mapping with at least one variant, such as {'today': {}}"),
        (["today"], house(), "variants: must be a mapping with at least one variant, such as {'today': {}}"),
        ({"a": 500}, house(), "variants: a must be a mapping of settings of the scenario, got int"),
        (
            {"today": {}},
            None,
            "variants: today has no functions, so it is no scenario of its own; name the one that it changes:"
            " compare(..., scenario='spike.yaml')",
        ),
        ({1: {}, "1": {}}, house(), "variants: 1 and '1' read the same; give each variant a name of its own"),
        ({"a\nb": {}}, house(), "variants: a name must be one line of text and not empty, got 'a\\nb'"),
        ({" ": {}}, house(), "variants: a name must be one line of text and not empty, got ' '"),
    ],
)
def test_wrong_arguments(variants: Any, scenario: Scenario | None, message: str) -> None:
    """One sentence each."""
    with pytest.raises(ls.UsageError) as raised:
        ls.compare(variants, scenario=scenario)
    assert str(raised.value) == message


def test_a_wrong_setting_names_its_variant_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first variant is right, and does not run either."""
    monkeypatch.setattr(module, "simulate_scenario", lambda *_, **__: pytest.fail("nothing may run"))
    with pytest.raises(ls.ScenarioError, match=r"^variant bad: .*region\.concurrency_quota") as raised:
        ls.compare({"good": {}, "bad": {"region.concurrency_quota": -1}}, scenario=house())
    assert len(raised.value.problems) == 1


def test_a_problem_without_a_place_follows_the_name_of_its_variant() -> None:
    """A mapping has no file and no line."""
    wrong = {"duration": "20s", "functions": {"f": {"duration": "-1s", "init": "0s"}}, "traffic": {}}
    with pytest.raises(ls.ScenarioError, match=r"^variant bad functions\.f\.duration"):
        ls.compare({"bad": wrong})


def test_all_runs_have_to_fit_in_memory_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """250 bytes for each request: four of them twice are 2,000, and nothing runs where there are fewer."""
    monkeypatch.setattr(memory, "available_bytes", lambda: 1_999)
    monkeypatch.setattr(module, "simulate_scenario", lambda *_, **__: pytest.fail("nothing may run"))
    with pytest.raises(ls.ScenarioError, match=r"^2 variants together: traffic: must fit in memory; about 8 requests"):
        ls.compare(TWO, scenario=house())
    monkeypatch.undo()
    monkeypatch.setattr(memory, "available_bytes", lambda: 2_000)
    assert len(ls.compare(TWO, scenario=house()).results) == 2


def test_an_interrupted_run_ends_the_comparison(monkeypatch: pytest.MonkeyPatch) -> None:
    """What came to its end is kept; the interrupted variant is no fair comparison."""

    def simulate(scenario: Scenario, **_: Any) -> ls.Result:
        interrupt = Interrupt()
        if scenario.region.concurrency_quota == 3:
            interrupt.request()
        return simulate_scenario(scenario, interrupt=interrupt)

    monkeypatch.setattr(module, "simulate_scenario", simulate)
    with pytest.raises(ls.RunInterrupted, match=r"^Interrupted after 1 of 2 variants"):
        ls.compare(TWO, scenario=house())
    compared = ls.last_interrupted()
    assert isinstance(compared, ls.Comparison)
    assert list(compared.results) == ["two"]
    assert compared.heading == "1 variant, 4 requests (seed 3); interrupted, the rest is missing"
    with pytest.raises(ls.RunInterrupted, match=r"^Interrupted after 0 of 1 variant"):
        ls.compare({"three": TWO["three"]}, scenario=house())
    nothing = ls.last_interrupted()
    assert isinstance(nothing, ls.Comparison)
    assert "<p>Interrupted before the first variant had come to its end.</p>" in nothing._repr_html_()
    assert "Interrupted" in str(nothing)
