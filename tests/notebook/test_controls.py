"""What the sliders of ``explore`` move, and how each looks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import pytest

import lambdasim as ls
from lambdasim.errors import ScenarioError, UsageError
from lambdasim.notebook.control_widgets import held, widgets_of
from lambdasim.notebook.controls import AS_WRITTEN, NONE, Control, controls_of
from lambdasim.notebook.forecast import forecast
from lambdasim.notebook.sensible_controls import sensible_controls
from lambdasim.notebook.stops import Stop
from lambdasim.report.by_formula import by_formula
from lambdasim.scenario.load import fingerprint
from lambdasim.scenario.schema import Scenario
from tests.notebook.house import house

QUOTA = "region.concurrency_quota"
INIT = "functions.f.init"
SCENARIOS = Path(__file__).parents[2] / "scenarios"


def made(path: str, values: Any, **parts: Any) -> tuple[Control, Any]:
    """The control of a path, and its widget."""
    (control,) = controls_of(house(**parts), {path: values})
    return control, widgets_of([control])[path]


def labels(control: Control) -> list[str]:
    """How its stops read."""
    return [stop.label for stop in control.stops]


class TestWhereItBegins:
    """With what the scenario has."""

    def test_numbers(self) -> None:
        """The quota is 2."""
        control, _ = made(QUOTA, (1, 5))
        assert (control.value, [stop.value for stop in control.stops]) == (2, [1, 2, 3, 4, 5])

    def test_another_text_for_the_same_time(self) -> None:
        """500 ms are written 0.5s here."""
        control, _ = made(INIT, ("0.1s", "1s", "0.1s"))
        assert control.value == "0.5s"
        control, _ = made(INIT, ["0.5s", "1s"])
        assert control.value == "0.5s"

    def test_what_no_stop_says_is_left_as_written(self) -> None:
        """A law: the first stop keeps it, sets nothing, and says what it is."""
        law = {"init": {"lognormal": {"p50": "2s", "p99": "4s"}}}
        for values in (["200ms", "2s"], ("200ms", "2s")):
            control, _ = made(INIT, values, functions={"f": law})
            assert (control.value, control.settings(control.value)) == (AS_WRITTEN, {})
            assert labels(control)[:2] == ["as written (p50 2s)", "200ms"]
            assert control.settings("2s") == {INIT: "2s"}

    @pytest.mark.parametrize(
        ("law", "label"),
        [
            ({"exponential": {"mean": "1500ms"}}, "as written (mean 1.5s)"),
            ({"lognormal": {"mean": "1s", "sigma": 1.0}}, "as written (mean 1s)"),
            ({"uniform": ["1s", "2s"]}, "as written (uniform)"),
        ],
        ids=str,
    )
    def test_other_laws(self, law: Any, label: str) -> None:
        """In a few words."""
        control, _ = made(INIT, ["200ms"], functions={"f": {"init": law}})
        assert labels(control) == [label, "200ms"]

    def test_a_law_among_the_choices(self) -> None:
        """It is found again."""
        law = {"exponential": {"mean": "1s"}}
        control, widget = made(INIT, ["1s", {"exponential": {"mean": "1000ms"}}], functions={"f": {"init": law}})
        assert (control.begin, widget.index) == (1, 1)
        assert labels(control) == ["1s", "{exponential: {mean: 1000ms}}"]

    def test_a_key_that_the_scenario_leaves_out(self) -> None:
        """Nothing is said of what it may be."""
        control, _ = made("functions.f.reserved_concurrency", (0, 2))
        assert labels(control) == ["as written", "0", "1", "2"]

    def test_virtual_users(self) -> None:
        """A plain number of them."""
        users = {"t": {"function": "f", "virtual_users": 3, "think_time": "1s"}}
        control, _ = made("traffic.t.virtual_users", (1, 20), traffic=users, rows=None)
        assert control.value == 3

    def test_paths_that_move_together_from_different_values(self) -> None:
        """20 and 80 a second: the scenario is neither of these for both."""
        stages = [{"duration": "5s", "target": "20/s"}, {"duration": "5s", "target": "80/s"}]
        traffic = {"t": {"function": "f", "stages": stages}}
        paths = "traffic.t.stages.0.target, traffic.t.stages.1.target"
        control, _ = made(paths, ("10/s", "90/s"), traffic=traffic, rows=None)
        assert (control.value, labels(control)[0]) == (AS_WRITTEN, "as written (20/s, 80/s)")
        assert control.settings("40/s") == dict.fromkeys(control.paths, "40/s")

    def test_nothing_needs_no_unit(self) -> None:
        """0 is 0%."""
        assert made("functions.f.errors.rate", ("0", "10%"))[0].value == "0"

    def test_doubles_are_one(self) -> None:
        """And the same size in other words is the same."""
        assert labels(made(QUOTA, [100, 100, np.int64(200), 200.0])[0]) == ["as written (2)", "100", "200"]
        assert labels(made(INIT, ["1s", "1000ms"])[0]) == ["as written (500ms)", "1s"]


class TestWidgets:
    """A slider, buttons or a menu."""

    def test_evenly_spaced_numbers(self) -> None:
        """A slider of numbers, whole or not."""
        _, slider = made(QUOTA, (2, 10, 2))
        assert isinstance(slider, ipywidgets.IntSlider)
        assert (slider.min, slider.max, slider.step, slider.value) == (2, 10, 2, 2)
        law = {"duration": {"gamma": {"mean": "1s", "cv": 1.0}}}
        _, slider = made("functions.f.duration.gamma.cv", (0.5, 2.5), functions={"f": law})
        assert isinstance(slider, ipywidgets.FloatSlider)
        assert (slider.min, slider.max, slider.step, slider.value) == (0.5, 2.5, 0.05, 1.0)

    def test_other_numbers(self) -> None:
        """A slider over just these: those that were asked for, and the quota of 2."""
        _, slider = made(QUOTA, (10, 1_000, 330))
        assert isinstance(slider, ipywidgets.SelectionSlider)
        assert slider.options == (("2", 2), ("10", 10), ("340", 340), ("670", 670), ("1,000", 1_000))

    def test_texts(self) -> None:
        """A slider over texts; any text for the same time will do."""
        _, slider = made(INIT, ("100ms", "2s", "100ms"))
        assert isinstance(slider, ipywidgets.SelectionSlider)
        for value, stop in (("2s", "2s"), ("2000ms", "2s"), ("0.3s", "300ms")):
            slider.value = value
            assert slider.value == stop

    def test_sliders_wait_until_they_are_let_go(self) -> None:
        """A run for every pixel of a move would never catch up."""
        assert [made(QUOTA, values)[1].continuous_update for values in ((1, 5), (1, 9, 5))] == [False, False]

    @pytest.mark.parametrize(
        ("path", "values", "wrong", "named"),
        [
            (INIT, ("100ms", "2s", "100ms"), "250ms", "100ms, 200ms, 300ms, 400ms, 500ms, 600ms, …, 2s"),
            (QUOTA, (10, 1_000, 330), 11, "2, 10, 340, 670, 1,000"),
            ("functions.f.reuse", ["mru", "lru"], "fifo", "mru, lru"),
            (INIT, [f"{number}ms" for number in range(100, 1_000, 100)], 3, "100ms, 200ms, 300ms, 400ms, 500ms"),
        ],
        ids=["texts", "numbers", "buttons", "menu"],
    )
    def test_a_program_that_sets_something_else_is_told_what_there_is(
        self, path: str, values: Any, wrong: Any, named: str
    ) -> None:
        """One sentence, and the widget stays as it was."""
        control, widget = made(path, values)
        with pytest.raises(UsageError) as raised:
            widget.value = wrong
        assert str(raised.value).startswith(f"controls {path}: must be one of {named}")
        assert widget.value == control.value

    def test_choices(self) -> None:
        """Buttons where all fit in a line, else a menu."""
        _, buttons = made("functions.f.reuse", ["mru", "lru"])
        assert isinstance(buttons, ipywidgets.ToggleButtons)
        assert (buttons.value, buttons.index) == ("mru", 0)
        law = {"init": {"lognormal": {"p50": "2s", "p99": "4s"}}}
        _, buttons = made(INIT, ["200ms", "400ms", "1s", "2s"], functions={"f": law})
        assert isinstance(buttons, ipywidgets.ToggleButtons)
        _, menu = made(INIT, [f"{number}ms" for number in range(100, 1_000, 100)])
        assert isinstance(menu, ipywidgets.Dropdown)

    def test_none_is_a_choice(self) -> None:
        """A widget that holds None shows nothing as chosen: so it holds something else, whatever a program sets."""
        control, buttons = made("functions.f.reserved_concurrency", [None, 10], region={"concurrency_quota": 300})
        assert (buttons.index, buttons.label, held(control, buttons)) == (0, "none", NONE)
        assert control.settings(NONE) == {"functions.f.reserved_concurrency": None}
        for value in (10, "none", 10, None):
            buttons.value = value
            assert held(control, buttons) == (10 if value == 10 else NONE)

    def test_the_word_none(self) -> None:
        """Of a retry's jitter it is a value like the others."""
        retry = {"retry": {"max_attempts": 3, "base": "1s"}}
        traffic = {"t": {"function": "f", "rate": "1/s", "client": retry}}
        path = "traffic.t.client.retry.jitter"
        control, buttons = made(path, ["full", "equal", "none"], traffic=traffic, rows=None)
        buttons.value = "none"
        assert control.settings(held(control, buttons)) == {path: "none"}

    def test_labels_that_would_be_the_same(self) -> None:
        """Browsers tell choices apart by their labels: a text, and no value at all."""
        stops = (Stop(value="none", label="none"), Stop(value=NONE, label="none"))
        control = Control(name="x", paths=("x",), stops=stops, begin=1, is_choice=True)
        buttons = widgets_of([control])["x"]
        assert (buttons.index, len({label for label, _ in buttons.options})) == (1, 2)
        buttons.value = "none"
        assert buttons.index == 0

    def test_names(self) -> None:
        """Of a long path the end, of several how many; all of it as a tooltip."""
        long = f"functions.{'f' * 40}.init"
        _, slider = made(long, ("100ms", "1s"), functions={"f": {}, "f" * 40: {"init": "500ms"}})
        assert slider.description == "…" + long[-43:]
        assert slider.tooltip == long
        stages = [{"duration": "5s", "target": "2/s"}] * 2
        paths = "traffic.t.stages.0.target, traffic.t.stages.1.target"
        _, slider = made(paths, ("1/s", "4/s"), traffic={"t": {"function": "f", "stages": stages}}, rows=None)
        assert slider.description == "traffic.t.stages.0.target +1"


class TestWhatCannotBe:
    """One sentence, before anything is simulated."""

    @pytest.mark.parametrize(
        ("controls", "error", "message"),
        [
            ({}, UsageError, "controls: must hold at least one path, got none"),
            ([QUOTA], UsageError, "controls: must be a mapping of paths to values"),
            (QUOTA, UsageError, "controls: must be a mapping of paths to values"),
            ({5: (1, 2)}, UsageError, "controls: must have paths such as region.concurrency_quota, got 5"),
            ({"": (1, 2)}, UsageError, "controls: must have paths"),
            ({f"{QUOTA},": (1, 2)}, UsageError, "controls: must have paths"),
            ({QUOTA: 5}, UsageError, f"controls {QUOTA}: must be (low, high), (low, high, step) or a list"),
            ({QUOTA: (5,)}, UsageError, "must be (low, high)"),
            ({QUOTA: range(5)}, UsageError, "must be (low, high)"),
            ({QUOTA: []}, UsageError, "must have at least one choice"),
            ({QUOTA: (5, 1)}, UsageError, f"controls {QUOTA}: must go from low to high"),
            ({INIT: (1, 5)}, ScenarioError, f"controls {INIT}: must be a time with its unit"),
            ({INIT: ["as written", "2s"]}, ScenarioError, f"controls {INIT}: must be a time such as"),
            ({"region.quota": (1, 5)}, ScenarioError, "controls region.quota: is not a known key"),
            ({"functions.f.reuse": ["mru", "foo"]}, ScenarioError, "controls functions.f.reuse: must be mru or lru"),
            ({"functions.f.reuse": ["bar", "mru", "foo"]}, ScenarioError, "must be mru or lru, got bar"),
            ({"traffic.t.stages.0.target": ("1/s", "2/s")}, ScenarioError, "controls traffic.t.stages.0.target: must"),
            ({QUOTA: (1, 5), f" {QUOTA}": (1, 6)}, UsageError, f"must not set what {QUOTA} sets"),
            ({QUOTA: (1, 5), f"seed, {QUOTA}": (1, 6)}, UsageError, f"must not set what {QUOTA} sets"),
            ({INIT: ("1s", "2s"), f"{INIT}.constant": ("1s", "2s")}, UsageError, f"must not set what {INIT} sets"),
        ],
        ids=str,
    )
    def test_one_sentence(self, controls: Any, error: type[Exception], message: str) -> None:
        """With the control, the rule and what was got."""
        with pytest.raises(error) as raised:
            ls.explore(house(), controls)
        assert message in str(raised.value)
        assert "--set" not in str(raised.value)

    def test_one_end_that_aws_refuses_is_for_people_to_find_out(self) -> None:
        """2 units cannot be reserved of a quota of 1."""
        reserved = {"functions": {"f": {"reserved_concurrency": 2}}, "region": {"concurrency_quota": 5}}
        assert made(QUOTA, (1, 5), **reserved)[0].value == 5


class TestSensibleControls:
    """Those that are chosen when none are given."""

    def test_quota_traffic_duration_and_init(self) -> None:
        """Of the busiest function: g has ten times the work of f."""
        asked = house(
            functions={"f": {"duration": "1s"}, "g": {"duration": {"exponential": {"mean": "5s"}}, "init": "400ms"}},
            traffic={"a": {"function": "f", "rate": "2/s"}, "b": {"function": "g", "rate": "4/s"}},
            rows=None,
            region={"concurrency_quota": 1_000},
        )
        controls = sensible_controls(asked)
        assert [control.name for control in controls] == [
            QUOTA,
            "traffic.b.rate",
            "functions.g.duration.exponential.mean",
            "functions.g.init",
        ]
        assert [stop.value for stop in controls[0].stops] == list(range(100, 3_001, 100))
        assert labels(controls[1]) == ["1/s", "2/s", "3/s", "4/s", "6/s", "8/s", "12/s", "16/s"]
        assert [control.value for control in controls] == [1_000, "4/s", "5s", "400ms"]

    def test_the_highest_stages_move_together(self) -> None:
        """The spike rises to 800 a second and stays there; no more than 60,000 requests are asked for."""
        traffic = sensible_controls(ls.load(SCENARIOS / "spike.yaml"))[1]
        assert traffic.paths == ("traffic.web.stages.1.target", "traffic.web.stages.2.target")
        assert labels(traffic) == ["200/s", "400/s", "600/s", "800/s", "1200/s"]

    def test_what_is_bought_comes_first(self) -> None:
        """AWS refuses more provisioned than reserved units: at most 12, and from the 10 on that are provisioned."""
        function = {"provisioned_concurrency": 10, "reserved_concurrency": 12}
        first, second = sensible_controls(house(functions={"f": function}, region={"concurrency_quota": 1_000}))[:2]
        assert first.name == "functions.f.provisioned_concurrency"
        assert (first.stops[0].value, first.stops[-1].value, first.value) == (0, 12, 10)
        assert second.name == "functions.f.reserved_concurrency"
        assert (second.stops[0].value, second.stops[-1].value, second.value) == (10, 1_000, 12)

    def test_what_must_stay_unreserved(self) -> None:
        """100 units, beside the 500 that are reserved of a quota of 1,000."""
        region = {"concurrency_quota": 1_000, "min_unreserved": None}
        reserved, quota, *_ = sensible_controls(house(functions={"f": {"reserved_concurrency": 500}}, region=region))
        assert (reserved.name, reserved.stops[-1].value) == ("functions.f.reserved_concurrency", 900)
        assert (quota.name, quota.stops[0].value) == (QUOTA, 600)

    def test_a_quota_that_is_all_unreserved(self) -> None:
        """AWS demands nothing of a quota of 10 but that it is one."""
        asked = house(region={"concurrency_quota": 10, "min_unreserved": None})
        assert sensible_controls(asked)[0].stops[0].value == 1

    def test_a_median_stays_below_its_p99(self) -> None:
        """Of 400 ms with a p99 of 1 s: up to 800 ms, where 1.2 s would be the next."""
        law = {"duration": {"lognormal": {"p50": "400ms", "p99": "1s"}}}
        asked = house(functions={"f": law})
        (duration,) = (each for each in sensible_controls(asked) if "p50" in each.name)
        assert labels(duration)[-1] == "800ms"

    def test_work_of_a_processor(self) -> None:
        """The part that memory makes faster."""
        asked = house(functions={"f": {"duration": {"cpu": "200ms", "io": "1s"}}})
        assert "functions.f.duration.cpu" in [control.name for control in sensible_controls(asked)]

    def test_ends_at_which_callers_try_for_ever_are_left_out(self) -> None:
        """With a quota of 100 there would be nearly two million attempts of 18,077 requests, for half a minute."""
        asked = ls.load(SCENARIOS / "throttle-and-retry.yaml")
        quota, traffic, *_ = sensible_controls(asked)
        assert (quota.stops[0].value, quota.value) == (500, 1_000)
        assert labels(traffic)[-1] == "450/s"

    @pytest.mark.parametrize("file", sorted(SCENARIOS.glob("*.yaml")), ids=lambda file: file.stem)
    @pytest.mark.filterwarnings("ignore::lambdasim.ScenarioWarning")
    def test_every_scenario_has_some_that_aws_accepts(self, file: Path) -> None:
        """Two to four, which begin with what the scenario has, and end where a run is still quick."""
        asked = ls.load(file)
        controls = sensible_controls(asked)
        assert 2 <= len(controls) <= 4
        for control in controls:
            assert fingerprint(ls.load(asked, set=control.settings(control.value))) == fingerprint(asked)
            for stop in (control.stops[0], control.stops[-1]):
                assert seconds(ls.load(asked, set=control.settings(stop.value))) < 3


def seconds(asked: Scenario) -> float:
    """How long a run is forecast to take."""
    return forecast(asked, by_formula(asked, 1)).seconds
