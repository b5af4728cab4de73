"""``compare``: variants on the same requests, what they come to, and what differs from the first."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes

import lambdasim as ls
from lambdasim.api import simulate_scenario
from lambdasim.engine.base import Interrupt
from lambdasim.notebook import compare as module
from lambdasim.scenario.schema import Scenario
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
    assert html.startswith("<p>2 variants, the same 4 requests for each (seed 3)</p><table>")
    assert "<small" in html
    assert ">+37.5%<" in html
    assert html.count("<tr>") == 3
    assert "http" not in html


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


def test_scenarios_of_their_own_take_the_seed_of_the_first() -> None:
    """So that two files of the same traffic see the same requests."""
    compared = ls.compare({"a": house(seed=5), "b": house(seed=6)})
    assert [result.seed for result in compared.results.values()] == [5, 5]


def test_results_are_taken_as_they_are() -> None:
    """Nothing runs again; where the requests differ, the heading says so."""
    first, other = ls.simulate(house()), ls.simulate(house(rows=[0, 1], seed=4))
    compared = ls.compare({"first": first, "other": other})
    assert compared.results["first"] is first
    assert compared.heading == "2 variants, the requests differ (seed 3, 4)"
    assert "requests" in str(compared).splitlines()[2]


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


def test_an_interrupted_run_ends_the_comparison(monkeypatch: pytest.MonkeyPatch) -> None:
    """What came to its end is kept; the interrupted variant is no fair comparison."""

    def simulate(scenario: Scenario, **_: Any) -> ls.Result:
        interrupt = Interrupt()
        if scenario.region.concurrency_quota == 3:
            interrupt.request()
        return simulate_scenario(scenario, interrupt=interrupt)

    monkeypatch.setattr(module, "simulate_scenario", simulate)
    compared = ls.compare(TWO, scenario=house())
    assert list(compared.results) == ["two"]
    assert compared.heading == "1 variant, 4 requests (seed 3); interrupted, the rest is missing"
    nothing = ls.compare({"three": TWO["three"]}, scenario=house())
    assert nothing._repr_html_() == "<p>Interrupted before the first variant had come to its end.</p>"
    assert "Interrupted" in str(nothing)


def lines_of(ax: Axes) -> Mapping[str, Any]:
    """Lines of a picture by the name of their variant."""
    return {str(line.get_label()): line for line in ax.get_lines()}


def test_picture_of_concurrency(compared: ls.Comparison) -> None:
    """Two at once on the quota of 2, three on that of 3, until 1.5 s; one from 10 to 11 s. Both quotas are drawn."""
    ax = compared.plot("concurrency")
    for name, most in (("two", 2), ("three", 3)):
        line = lines_of(ax)[name]
        assert list(zip(line.get_xdata(), line.get_ydata(), strict=True))[:4] == [(0, most), (1.5, 0), (10, 1), (11, 0)]
    assert sorted(max(line.get_ydata()) for line in ax.get_lines() if line.get_label() == "quota") == [2, 3]
    assert "two\npeak 2" in texts_of(ax)
    assert "2 variants, the same 4 requests for each (seed 3)" in texts_of(ax)


def test_picture_of_latency(compared: ls.Comparison) -> None:
    """A third of the completed took 1 s and the rest 1.5 s; a quarter with one more at 1.5 s."""
    ax = compared.plot()
    two = lines_of(ax)["two"]
    assert two.get_ydata()[1:4] == pytest.approx([1 / 3, 2 / 3, 1])
    assert two.get_xdata()[1:4].tolist() == [1e9, 1.5e9, 1.5e9]
    assert lines_of(ax)["three"].get_ydata()[1] == 0.25
    assert "three\n4 completed\np50 1.5 s, p99 1.5 s" in texts_of(ax)


def test_picture_of_throttles(compared: ls.Comparison) -> None:
    """One refusal at 0: in bins of 0.2 s, 120 of which would do, that is 5 per second in the first."""
    ax = compared.plot("throttles")
    stairs = {patch.get_label(): patch.get_data() for patch in ax.patches}
    edges = stairs["two"].edges
    assert edges[1] == pytest.approx(0.2)
    assert stairs["two"].values[0] == pytest.approx(5)
    assert stairs["two"].values[1:].sum() == stairs["three"].values.sum() == 0


def test_pictures_draw_on_axes_that_are_brought(compared: ls.Comparison) -> None:
    """And return them."""
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    assert compared.plot("latency", ax) is ax


def test_pictures_without_data_say_so() -> None:
    """A stopped function answers nobody, and without traffic nobody is refused."""
    stopped = ls.compare({"a": house(functions={"f": {"reserved_concurrency": 0}})})
    assert "No request completed, so there is no latency to show." in texts_of(stopped.plot("latency"))
    assert "No request was accepted." in texts_of(stopped.plot("concurrency"))
    idle = ls.compare({"a": {}}, scenario=house(rows=[]))
    assert "No attempt was refused." in texts_of(idle.plot("throttles"))
    assert idle._repr_html_().count("–") >= 2  # no latency


def test_an_unknown_picture_is_named(compared: ls.Comparison) -> None:
    """With those that there are."""
    with pytest.raises(ls.UsageError, match=r"^picture: must be one of latency, concurrency, throttles, got 'lat'$"):
        compared.plot("lat")


def test_a_busy_run_is_thinned_to_its_highest() -> None:
    """With more changes than pixels the line shows the peak of each pixel: no spike is lost."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        busy = house(
            rows=[i / 1000 for i in range(4000)],
            functions={"f": {"duration": "5ms"}},
            region={"concurrency_quota": 100},
        )
        compared = ls.compare({"a": busy})
    line = lines_of(compared.plot("concurrency"))["a"]
    assert len(line.get_xdata()) < 1000
    # A request each millisecond that takes five: five at once
    assert max(line.get_ydata()) == compared.rows[0]["peak_concurrency"] == 5
