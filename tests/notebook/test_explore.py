"""Sliders without a browser: values are set as a hand would, and what is redrawn is read."""

from __future__ import annotations

import io
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import pytest
from PIL import Image

import lambdasim as ls
from lambdasim.errors import OutputError, ScenarioError, UsageError
from lambdasim.notebook.controls import AS_WRITTEN, controls_of
from lambdasim.notebook.explorer import Explorer
from lambdasim.scenario.load import fingerprint
from tests.notebook.house import house

QUOTA = "region.concurrency_quota"
SPIKE = Path(__file__).parents[2] / "scenarios" / "spike.yaml"


def explorer_of(controls: dict[str, Any] | None = None, picture: str = "concurrency", **parts: Any) -> Explorer:
    """Three at once on a quota of 2, and a slider for the quota from 1 to 5."""
    return ls.explore(house(**parts), {QUOTA: (1, 5)} if controls is None else controls, picture)


def pictures_of(explorer: Explorer) -> list[bytes]:
    """Filled with every picture that the explorer shows from now on."""
    shown: list[bytes] = []
    explorer.image.observe(lambda change: shown.append(change["new"]), names="value")
    return shown


def ink(picture: bytes, colour: tuple[int, int, int]) -> int:
    """How many pixels have a colour."""
    return int((np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")) == colour).all(axis=2).sum())


class TestMoves:
    """A slider is moved."""

    def test_it_begins_with_the_scenario_as_it_is(self) -> None:
        """One of three is refused on a quota of 2."""
        explorer = explorer_of()
        assert explorer.controls[QUOTA].value == 2
        assert explorer.result is not None
        assert explorer.result.summary["requests"]["throttled"] == 1
        assert explorer.settings == {QUOTA: 2}

    def test_a_move_simulates_again_with_the_same_requests(self) -> None:
        """On a quota of 3 none is refused; the four requests come when they came."""
        explorer = explorer_of()
        before = explorer.result
        explorer.controls[QUOTA].value = 3
        assert before is not None
        assert explorer.result is not None
        assert explorer.result is not before
        assert explorer.result.summary["requests"]["throttled"] == 0
        assert explorer.result.log.requests.arrival_ns.tolist() == before.log.requests.arrival_ns.tolist()
        assert explorer.scenario.region.concurrency_quota == 3
        assert explorer.settings == {QUOTA: 3}

    def test_a_scenario_without_a_seed_gets_one_for_all_moves(self) -> None:
        """Else every move would have other requests."""
        parts: dict[str, Any] = {"traffic": {"t": {"function": "f", "rate": "5/s"}}, "rows": None, "seed": None}
        explorer = explorer_of(**parts)
        assert explorer.result is not None
        first = explorer.result.log.requests.arrival_ns
        explorer.controls[QUOTA].value = 4
        assert explorer.result.log.requests.arrival_ns.tolist() == first.tolist()

    def test_the_formula_is_shown_first_then_the_simulation(self) -> None:
        """Two pictures a move: the first without the filled area of what was simulated, the second with it."""
        explorer = explorer_of()
        shown = pictures_of(explorer)
        explorer.controls[QUOTA].value = 3
        by_formula, simulated = shown
        area = (0x9F, 0xC3, 0xDD)
        assert ink(by_formula, area) == 0
        assert ink(simulated, area) > 100
        assert "By formula" in explorer.status.value

    def test_where_no_formula_holds_it_is_said(self) -> None:
        """Virtual users; the simulation is shown all the same."""
        users = {"t": {"function": "f", "virtual_users": 3, "think_time": "1s"}}
        explorer = explorer_of(traffic=users, rows=None)
        shown = pictures_of(explorer)
        explorer.controls[QUOTA].value = 3
        assert "No formula here: virtual users" in explorer.status.value
        assert len(shown) == 2

    def test_the_table_tells_what_changed(self) -> None:
        """One refused less, one completed and one cold start more; as many requests."""
        explorer = explorer_of()
        assert "change" not in explorer.table.value
        explorer.controls[QUOTA].value = 3
        labels, now, change = (
            [cell.split(">")[-1] for cell in row.split("</td>")[:-1]] for row in explorer.table.value.split("<tr>")[1:]
        )
        rows = {label: [value, by] for label, value, by in zip(labels, now, change, strict=True)}
        assert rows["throttled"] == ["0", "−1"]
        assert rows["completed"] == ["4", "+1"]
        assert rows["cold starts"] == ["3", "+1"]
        assert rows["requests"] == ["4", "same"]

    def test_what_aws_refuses_is_said_and_the_last_picture_stays(self) -> None:
        """5 units cannot be reserved of a quota of 4; the next move runs again."""
        explorer = explorer_of(functions={"f": {"reserved_concurrency": 2}}, region={"concurrency_quota": 5})
        last, picture = explorer.result, explorer.image.value
        explorer.controls[QUOTA].value = 1
        assert "reserved" in explorer.status.value
        assert (explorer.result, explorer.image.value, explorer.settings) == (last, picture, {QUOTA: 5})
        explorer.controls[QUOTA].value = 4
        assert explorer.settings == {QUOTA: 4}

    def test_sliders_wait_until_they_are_let_go(self) -> None:
        """A run for every pixel of a move would never catch up."""
        explorer = explorer_of({QUOTA: (1, 5), "functions.f.init": ("100ms", "1s")})
        assert [slider.continuous_update for slider in explorer.controls.values()] == [False, False]

    def test_reset(self) -> None:
        """Back to the scenario, in one run."""
        explorer = explorer_of({QUOTA: (1, 5), "functions.f.init": ("100ms", "900ms", "100ms")})
        explorer.controls[QUOTA].value = 4
        explorer.controls["functions.f.init"].value = "900ms"
        shown = pictures_of(explorer)
        explorer.reset_button.click()
        assert explorer.settings == {QUOTA: 2, "functions.f.init": "500ms"}
        assert len(shown) == 2

    def test_other_pictures(self) -> None:
        """Any method of result.plot; it is drawn once a move, as it has no curve by formula."""
        explorer = explorer_of(picture="latency")
        shown = pictures_of(explorer)
        explorer.controls[QUOTA].value = 3
        assert len(shown) == 1
        assert Image.open(io.BytesIO(shown[0])).size[0] == 1_000

    def test_it_is_a_widget_among_others(self) -> None:
        """So that it can stand beside other widgets."""
        explorer = explorer_of()
        assert isinstance(explorer, ipywidgets.VBox)
        assert explorer in ipywidgets.HBox([explorer]).children


class TestControls:
    """What kind of control a path gets."""

    def kind(self, values: Any, path: str = QUOTA, **parts: Any) -> Any:
        """The widget of a path."""
        return explorer_of({path: values}, **parts).controls[path]

    def test_numbers(self) -> None:
        """A slider of whole numbers, or of others where one of them is not whole."""
        slider = self.kind((1, 9, 2))
        assert isinstance(slider, ipywidgets.IntSlider)
        assert (slider.min, slider.max, slider.step, slider.value) == (1, 9, 2, 2)
        law = {"duration": {"gamma": {"mean": "1s", "cv": 1.0}}}
        slider = self.kind((0.5, 2.5), "functions.f.duration.gamma.cv", functions={"f": law})
        assert isinstance(slider, ipywidgets.FloatSlider)
        assert slider.step == pytest.approx(0.05)

    def test_a_range_is_widened_to_what_the_scenario_has(self) -> None:
        """The quota is 2, the slider was to begin at 10: so the first picture is that of the scenario."""
        slider = self.kind((10, 50))
        assert (slider.min, slider.max, slider.value) == (2, 50, 2)

    def test_times_and_rates(self) -> None:
        """Texts with a unit; the init of 500 ms is among them, in the words of the slider."""
        slider = self.kind(("0.1s", "1s", "0.1s"), "functions.f.init")
        assert isinstance(slider, ipywidgets.SelectionSlider)
        values = [value for _, value in slider.options]
        assert values == ["0.1s", "0.2s", "0.3s", "0.4s", "0.5s", "0.6s", "0.7s", "0.8s", "0.9s", "1s"]
        assert slider.value == "0.5s"

    def test_what_the_scenario_has_between_two_steps_is_put_between_them(self) -> None:
        """500 ms between 400 and 600 ms."""
        slider = self.kind(("200ms", "800ms", "200ms"), "functions.f.init")
        assert [value for _, value in slider.options] == ["200ms", "400ms", "500ms", "600ms", "800ms"]

    def test_what_no_slider_can_show_is_left_as_written(self) -> None:
        """A distribution: the first stop of the slider keeps it, and sets nothing."""
        law = {"init": {"exponential": {"mean": "500ms"}}}
        explorer = explorer_of({"functions.f.init": ("100ms", "1s")}, functions={"f": law})
        assert explorer.controls["functions.f.init"].value == AS_WRITTEN
        assert explorer.settings == {}
        explorer.controls["functions.f.init"].value = "100ms"
        assert explorer.settings == {"functions.f.init": "100ms"}

    def test_choices(self) -> None:
        """A few are buttons, many a menu; None is a choice as well."""
        buttons = self.kind(["mru", "lru"], "functions.f.reuse")
        assert isinstance(buttons, ipywidgets.ToggleButtons)
        assert buttons.value == "mru"
        menu = self.kind([None, *range(6)], "functions.f.reserved_concurrency", region={"concurrency_quota": 300})
        assert isinstance(menu, ipywidgets.Dropdown)
        assert (menu.value, menu.options[0]) == (None, ("none", None))

    def test_paths_that_move_together(self) -> None:
        """Both stages of a rise to a rate and its hold."""
        stages = [{"duration": "5s", "target": "2/s"}, {"duration": "5s", "target": "2/s"}]
        paths = "traffic.t.stages.0.target, traffic.t.stages.1.target"
        explorer = explorer_of(
            {paths: ("1/s", "4/s")}, traffic={"t": {"function": "f", "stages": stages}}, rows=None, duration="10s"
        )
        explorer.controls[paths].value = "4/s"
        assert [stage.target for stage in explorer.scenario.traffic["t"].stages or ()] == [4, 4]

    @pytest.mark.parametrize(
        ("controls", "error", "message"),
        [
            ({}, UsageError, "must hold at least one path"),
            ({QUOTA: 5}, UsageError, f"controls {QUOTA}: must be (low, high), (low, high, step) or a list"),
            ({QUOTA: (5,)}, UsageError, "must be (low, high)"),
            ({QUOTA: (5, 1)}, UsageError, "must go from low to high"),
            ({QUOTA: (1, math.inf)}, UsageError, "must go from low to high"),
            ({QUOTA: (1, 10**7, 1)}, UsageError, "in at most 1,000 steps"),
            ({QUOTA: []}, UsageError, "must have at least one choice"),
            ({QUOTA: (1, "5")}, UsageError, "must have numbers, or texts with a unit"),
            ({"functions.f.init": ("a", "b")}, UsageError, "must have a number with a unit at both ends"),
            ({"functions.f.init": ("2s", "1s")}, UsageError, "must go from low to high"),
            ({"region.quota": (1, 5)}, ScenarioError, "region.quota: is not a known key"),
            ({"functions.f.init": (1, 5)}, ScenarioError, "must be a time with its unit"),
        ],
    )
    def test_what_cannot_be_gets_one_sentence(self, controls: Any, error: type[Exception], message: str) -> None:
        """At once, not at the first move."""
        with pytest.raises(error) as raised:
            ls.explore(house(), controls)
        assert message in str(raised.value)

    def test_an_unknown_picture(self) -> None:
        """The message lists those that there are."""
        with pytest.raises(UsageError, match=r"picture: must be one of lifelines, concurrency.*, got pie"):
            ls.explore(house(), picture="pie")


class TestSensibleControls:
    """Those that are chosen when none are given."""

    def test_quota_traffic_duration_and_init(self) -> None:
        """Of the busiest function: g has ten times the work of f."""
        made = house(
            functions={"f": {"duration": "1s"}, "g": {"duration": {"exponential": {"mean": "5s"}}, "init": "400ms"}},
            traffic={"a": {"function": "f", "rate": "2/s"}, "b": {"function": "g", "rate": "4/s"}},
            rows=None,
            region={"concurrency_quota": 1_000},
        )
        controls = controls_of(made, None)
        assert [control.name for control in controls] == [
            QUOTA,
            "traffic.b.rate",
            "functions.g.duration.exponential.mean",
            "functions.g.init",
        ]
        assert (controls[0].low, controls[0].high, controls[0].value) == (100, 3_000, 1_000)
        assert controls[1].options == ("1/s", "2/s", "3/s", "4/s", "6/s", "8/s", "12/s", "16/s")
        assert [control.value for control in controls[1:]] == ["4/s", "5s", "400ms"]

    def test_the_highest_stages_move_together(self) -> None:
        """The spike rises to 800 a second and stays there."""
        made = controls_of(ls.load(SPIKE), None)
        assert made[1].paths == ("traffic.web.stages.1.target", "traffic.web.stages.2.target")

    def test_what_is_bought_comes_first(self) -> None:
        """A function with provisioned and reserved concurrency."""
        function = {"provisioned_concurrency": 10, "reserved_concurrency": 20}
        made = controls_of(house(functions={"f": function}, region={"concurrency_quota": 1_000}), None)
        assert [control.name for control in made[:2]] == [
            "functions.f.provisioned_concurrency",
            "functions.f.reserved_concurrency",
        ]

    @pytest.mark.parametrize("file", sorted(SPIKE.parent.glob("*.yaml")), ids=lambda file: file.stem)
    @pytest.mark.filterwarnings("ignore::lambdasim.ScenarioWarning")
    def test_every_scenario_has_some_that_aws_accepts(self, file: Path) -> None:
        """At least two of up to four, and what the scenario has is where each begins."""
        made = ls.load(file)
        controls = controls_of(made, None)
        assert 2 <= len(controls) <= 4
        for control in controls:
            assert fingerprint(ls.load(made, set=control.settings(control.value))) == fingerprint(made)


class TestSaving:
    """What the sliders hold becomes a scenario file."""

    def test_it_loads_and_runs_as_it_does_here(self, tmp_path: Path) -> None:
        """The same scenario, and so the same log."""
        explorer = explorer_of(
            {QUOTA: (1, 5), "functions.f.init": ("100ms", "1s")},
            traffic={"t": {"function": "f", "rate": "5/s"}},
            rows=None,
        )
        explorer.controls[QUOTA].value = 4
        explorer.controls["functions.f.init"].value = "150ms"
        explorer.save(tmp_path / "mine.yaml")
        loaded = ls.load(tmp_path / "mine.yaml")
        assert fingerprint(loaded) == fingerprint(explorer.scenario)
        assert (loaded.region.concurrency_quota, loaded.seed) == (4, 3)
        assert explorer.result is not None
        assert ls.simulate(loaded).log.invocations.end_ns.tolist() == explorer.result.log.invocations.end_ns.tolist()
        assert f"#   {QUOTA} = 4" in (tmp_path / "mine.yaml").read_text("utf-8")

    @pytest.mark.parametrize("file", sorted(SPIKE.parent.glob("*.yaml")), ids=lambda file: file.stem)
    @pytest.mark.filterwarnings("ignore::lambdasim.ScenarioWarning")
    def test_every_scenario_can_be_saved(self, file: Path, tmp_path: Path) -> None:
        """And is the same when it is loaded again, from another folder."""
        from lambdasim.notebook.scenario_file import write_scenario

        made = ls.load(file)
        write_scenario(made, tmp_path / "mine.yaml", base=file.parent, settings={})
        assert fingerprint(ls.load(tmp_path / "mine.yaml")) == fingerprint(made)

    def test_data_files_are_found_from_the_new_place(self, tmp_path: Path) -> None:
        """The trace stays where it is."""
        (tmp_path / "old").mkdir()
        (tmp_path / "new").mkdir()
        (tmp_path / "old" / "requests.csv").write_text("time_s\n1\n2\n", "utf-8")
        (tmp_path / "old" / "it.yaml").write_text(
            "duration: 10s\nfunctions: {f: {duration: 1s, init: 1s}}\n"
            "traffic: {t: {function: f, trace: requests.csv}}\n",
            "utf-8",
        )
        explorer = ls.explore(tmp_path / "old" / "it.yaml", {QUOTA: (500, 1_500, 100)}, seed=1)
        explorer.save(tmp_path / "new" / "mine.yaml")
        assert "trace: ../old/requests.csv" in (tmp_path / "new" / "mine.yaml").read_text("utf-8")
        assert len(ls.simulate(tmp_path / "new" / "mine.yaml").log.requests) == 2

    def test_the_button(self, tmp_path: Path) -> None:
        """It says how to run the file, or in one sentence why there is none."""
        explorer = explorer_of()
        explorer.file_name.value = str(tmp_path / "mine.yaml")
        explorer.save_button.click()
        assert "python -m lambdasim" in explorer.status.value
        explorer.file_name.value = str(tmp_path / "nowhere" / "mine.yaml")
        explorer.save_button.click()
        assert "the scenario cannot be written here" in explorer.status.value
        assert [file.name for file in tmp_path.iterdir()] == ["mine.yaml"]

    def test_what_a_file_cannot_hold(self, tmp_path: Path) -> None:
        """A Python function, or a folder that is not there."""
        explorer = explorer_of(traffic={"t": {"function": "f", "rate": lambda t_s: 2.0}}, rows=None)
        with pytest.raises(UsageError, match=r"traffic\.t\.rate: a file cannot hold the Python function"):
            explorer.save(tmp_path / "mine.yaml")
        with pytest.raises(OutputError, match="the scenario cannot be written here"):
            explorer_of().save(tmp_path / "nowhere" / "mine.yaml")


class TestWithoutWidgets:
    """lambdasim without its extra for notebooks."""

    def test_one_sentence_says_what_is_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Only when it is needed."""
        monkeypatch.delitem(sys.modules, "lambdasim.notebook.explorer")
        monkeypatch.setitem(sys.modules, "ipywidgets", None)
        with pytest.raises(UsageError, match=r"explore needs ipywidgets: pip install 'lambdasim\[notebook\]'"):
            ls.explore(house())

    def test_importing_lambdasim_imports_no_widgets(self) -> None:
        """In a fresh interpreter."""
        code = "import sys, lambdasim; assert 'ipywidgets' not in sys.modules"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
