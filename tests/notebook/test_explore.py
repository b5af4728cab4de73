"""Sliders without a browser: values are set as a program would, and what is redrawn is read.

What moves of a hand do is in ``test_moves``, the controls in ``test_controls``.
"""

from __future__ import annotations

import io
import re
import signal
import subprocess
import sys
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import pytest
from PIL import Image

import lambdasim as ls
from lambdasim.errors import OutputError, RunInterrupted, ScenarioError, UsageError
from lambdasim.notebook import explorer as module
from lambdasim.notebook.explorer import Explorer
from lambdasim.scenario.load import fingerprint
from tests.notebook.house import house

Interrupted = Callable[[Callable[[], Any]], str]

QUOTA = "region.concurrency_quota"
SPIKE = Path(__file__).parents[2] / "scenarios" / "spike.yaml"

RESERVED: dict[str, Any] = {"functions": {"f": {"reserved_concurrency": 2}}, "region": {"concurrency_quota": 5}}
# In place of the trace, which is no file.
AT_A_RATE: dict[str, Any] = {"traffic": {"t": {"function": "f", "rate": "5/s"}}, "rows": None}


def explorer_of(controls: dict[str, Any] | None = None, picture: str = "concurrency", **parts: Any) -> Explorer:
    """Three at once on a quota of 2, and a slider for the quota from 1 to 5."""
    return ls.explore(house(**parts), {QUOTA: (1, 5)} if controls is None else controls, picture)


def changes_of(widget: Any) -> list[str]:
    """Filled with everything that a widget shows from now on."""
    shown: list[str] = []
    widget.observe(lambda change: shown.append(change["new"]), names="value")
    return shown


def image_of(html: str) -> Image.Image:
    """The picture in HTML."""
    (data,) = re.findall(r"base64,([^\"]+)", html)
    return Image.open(io.BytesIO(b64decode(data)))


def ink(html: str, colour: tuple[int, int, int]) -> int:
    """How many pixels have a colour."""
    return int((np.asarray(image_of(html).convert("RGB")) == colour).all(axis=2).sum())


def rows_of(explorer: Explorer) -> dict[str, dict[str, str]]:
    """The cells of the table, by row and column."""
    head, *rows = explorer.table.value.split("<tr>")[1:]
    columns = re.findall(r"<th[^>]*>(.*?)</th>", head)[1:]
    cells = [[re.sub("<[^>]*>", "", cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows]
    return {name: dict(zip(columns, rest, strict=True)) for name, *rest in cells}


def said(explorer: Explorer) -> str:
    """The sentence above the picture."""
    return re.sub("<[^>]*>", "", explorer.status.value)


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> Interrupted:
    """Calls a function whose runs somebody interrupts as soon as they go on, and returns what is raised."""
    simulate = module.simulate_scenario

    def simulate_interrupted(scenario: ls.Scenario, **how: Any) -> ls.Result:
        signal.raise_signal(signal.SIGINT)
        return simulate(scenario, **how)

    def call(function: Callable[[], Any]) -> str:
        with monkeypatch.context() as patch:
            patch.setattr(module, "simulate_scenario", simulate_interrupted)
            with pytest.raises(RunInterrupted) as raised:
                function()
        return str(raised.value)

    return call


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
        shown = changes_of(explorer.image)
        explorer.controls[QUOTA].value = 3
        by_formula, simulated = shown
        area = (0x9F, 0xC3, 0xDD)
        assert ink(by_formula, area) == 0
        assert ink(simulated, area) > 100
        assert "By formula" in said(explorer)

    def test_what_the_formula_says_and_leaves_out(self) -> None:
        """5 a second of 1 s each on a quota of 5: Erlang B refuses 0.285 of them."""
        explorer = explorer_of(traffic={"t": {"function": "f", "rate": "5/s"}}, rows=None, duration="100s")
        explorer.controls[QUOTA].value = 5
        sentence = "By formula, without inits, scaling rate and retries: 5 in flight at the busiest time, 28."
        assert sentence in said(explorer)

    def test_where_it_says_nothing_of_refusals_it_says_why(self) -> None:
        """A trace: three in flight, that is sure."""
        assert said(explorer_of()).endswith(
            "By formula, without inits: 3 in flight at the busiest time. What is refused has no formula here: the"
            " requests of t come as they were recorded, not at random."
        )

    def test_where_no_formula_holds_it_is_said(self) -> None:
        """Virtual users; the simulation is shown all the same, and no picture without a curve before it."""
        users = {"t": {"function": "f", "virtual_users": 3, "think_time": "1s"}}
        explorer = explorer_of(traffic=users, rows=None)
        shown = changes_of(explorer.image)
        explorer.controls[QUOTA].value = 3
        assert "No formula here: virtual users" in said(explorer)
        assert len(shown) == 1

    def test_other_pictures(self) -> None:
        """Any method of result.plot; it is drawn once a move, without a word of the formula."""
        explorer = explorer_of(picture="latency")
        shown = changes_of(explorer.image)
        explorer.controls[QUOTA].value = 3
        assert len(shown) == 1
        assert image_of(shown[0]).size[0] == 1_000
        assert "ormula" not in said(explorer)
        assert f'alt="latency of house, {QUOTA} = 3"' in shown[0]

    def test_reset(self) -> None:
        """Back to the scenario, in one run."""
        explorer = explorer_of({QUOTA: (1, 5), "functions.f.init": ("100ms", "900ms", "100ms")})
        explorer.controls[QUOTA].value = 4
        explorer.controls["functions.f.init"].value = "900ms"
        shown = changes_of(explorer.image)
        explorer.reset_button.click()
        assert explorer.settings == {QUOTA: 2, "functions.f.init": "500ms"}
        assert len(shown) == 2

    def test_it_is_a_widget_among_others(self) -> None:
        """So that it can stand beside other widgets."""
        explorer = explorer_of()
        assert isinstance(explorer, ipywidgets.VBox)
        assert explorer in ipywidgets.HBox([explorer]).children

    def test_work_that_goes_on_when_the_run_ends_is_on_the_picture(self) -> None:
        """5 s of work at first, and from 19 s on until the run of 20 s has drained for 30 s: 36 of the 50 s."""
        explorer = explorer_of(rows=[(0, 4.5), (19, 60)], drain="30s")
        area = (np.asarray(image_of(explorer.image.value).convert("RGB")) == (0x9F, 0xC3, 0xDD)).all(axis=2)
        left, right = 0.1 * 900, 0.765 * 900  # of the axes; beyond them the legend has the colour as well
        share = area[:, round(left) : round(right)].any(axis=0).mean()
        assert share == pytest.approx(36 / 50, abs=0.02)

    def test_a_quota_that_changes_is_in_the_words_of_the_picture(self) -> None:
        """Once, whatever else changes."""
        changes = [
            {"at": "5s", "functions": {"f": {"reserved_concurrency": 1}}},
            {"at": "9s", "region": {"concurrency_quota": 4}},
        ]
        assert "account quota 2, then 4." in explorer_of(changes=changes).image.value


class TestTable:
    """The figures below the picture."""

    def test_what_changed(self) -> None:
        """One refused less, one completed and one cold start more; as many requests."""
        explorer = explorer_of()
        assert list(rows_of(explorer)) == ["now"]
        explorer.controls[QUOTA].value = 3
        rows = rows_of(explorer)
        assert list(rows) == ["now", "against before, as written"]
        now, change = rows.values()
        assert (now["throttled"], change["throttled"]) == ("0", "−1")
        assert (now["completed"], change["completed"]) == ("4", "+1")
        assert (now["cold starts"], change["cold starts"]) == ("3", "+1")
        assert (now["requests"], change["requests"]) == ("4", "same")

    def test_against_what(self) -> None:
        """From 3 to 1 two more are refused, one more than as it is written."""
        explorer = explorer_of()
        explorer.controls[QUOTA].value = 3
        explorer.controls[QUOTA].value = 1
        rows = rows_of(explorer)
        assert list(rows) == ["now", "against as written", "against before"]
        assert [row["throttled"] for row in rows.values()] == ["2", "+1", "+2"]
        explorer.reset()
        assert list(rows_of(explorer)) == ["now", "against before"]

    def test_of_which_settings(self) -> None:
        """Above it."""
        explorer = explorer_of({QUOTA: (1, 5), "functions.f.init": ["100ms"]})
        assert f"<p>Now: {QUOTA} = 2</p>" in explorer.table.value
        explorer.controls["functions.f.init"].value = "100ms"
        assert f"<p>Now: {QUOTA} = 2, functions.f.init = 100ms</p>" in explorer.table.value

    def test_reasons_where_there_is_more_than_one(self) -> None:
        """Five at once: a scaling rate of 3 refuses two of them on a quota of 5, with a quota of 2 it has no part."""
        scaling = {"burst": 3, "rate": 1, "per": "100s"}
        explorer = explorer_of(rows=[0] * 5, region={"concurrency_quota": 2, "scaling": scaling})
        assert not any("refused" in column for column in rows_of(explorer)["now"])
        explorer.controls[QUOTA].value = 5
        now, change = rows_of(explorer).values()
        assert (now["refused: account concurrency"], now["refused: scaling rate"]) == ("0", "2")
        assert (change["refused: account concurrency"], change["refused: scaling rate"]) == ("−3", "+2")

    def test_while_others_are_simulated_it_is_pale(self) -> None:
        """And says so; it is not while it tells of the settings."""
        explorer = explorer_of()
        shown = changes_of(explorer.table)
        explorer.controls[QUOTA].value = 3
        pale, new = shown
        assert "Of the settings before" in pale
        assert f"{QUOTA} = 2" in pale
        assert f"{QUOTA} = 3" in new
        assert "Of the settings before" not in new
        for html, how in ((pale, ("true", "0.45")), (new, ("false", "1"))):
            assert re.findall(r'aria-busy="(\w+)" style="[^"]*opacity:([\d.]+)"', html) == [how]

    def test_prices_are_no_formula(self) -> None:
        """Between two dollar signs."""
        assert 'class="mathjax_ignore' in explorer_of().table.value


class TestWhatIsSaid:
    """The sentence above the picture."""

    def test_what_aws_refuses_is_said_and_the_last_picture_stays(self) -> None:
        """2 units cannot be reserved of a quota of 1; the next move runs again."""
        explorer = explorer_of(**RESERVED)
        last, picture, table = explorer.result, explorer.image.value, explorer.table.value
        explorer.controls[QUOTA].value = 1
        assert said(explorer).startswith("Refused: functions.f.reserved_concurrency: Specified")
        assert "at most 1 can be reserved" in said(explorer)
        assert (explorer.result, explorer.image.value, explorer.table.value) == (last, picture, table)
        assert explorer.settings == {QUOTA: 5}
        explorer.controls[QUOTA].value = 4
        assert explorer.settings == {QUOTA: 4}

    def test_what_does_not_fit_in_memory_is_refused_before_anything_is_drawn(self) -> None:
        """A billion requests a second."""
        traffic = {"t": {"function": "f", "rate": "5/s"}}
        explorer = explorer_of({"traffic.t.rate": ["5/s", "900000000/s"]}, traffic=traffic, rows=None)
        shown = changes_of(explorer.image)
        explorer.controls["traffic.t.rate"].value = "900000000/s"
        assert "must fit in memory" in said(explorer)
        assert set(shown) <= {explorer.image.value}
        assert explorer.settings == {"traffic.t.rate": "5/s"}

    def test_a_first_run_that_is_refused_raises(self) -> None:
        """There is no picture that could stay."""
        with pytest.raises(ScenarioError, match="must fit in memory"):
            explorer_of(traffic={"t": {"function": "f", "rate": "900000000/s"}}, rows=None)

    def test_an_error_of_ours_is_said_and_raised(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The page stays that of the last run."""
        explorer = explorer_of()
        picture, table = explorer.image.value, explorer.table.value

        def broken(*_: Any, **__: Any) -> None:
            raise ZeroDivisionError("of ours")

        monkeypatch.setattr(module, "simulate_scenario", broken)
        with pytest.raises(ZeroDivisionError):
            explorer.controls[QUOTA].value = 3
        assert said(explorer) == "Failed: ZeroDivisionError: of ours"
        assert (explorer.image.value, explorer.table.value) == (picture, table)

    def test_warnings(self) -> None:
        """Stages that a shorter duration cuts off."""
        stages = [{"duration": "10s", "target": "2/s"}, {"duration": "10s", "target": "0/s"}]
        traffic = {"t": {"function": "f", "stages": stages}}
        explorer = explorer_of({"duration": ["20s", "10s"]}, traffic=traffic, rows=None)
        assert "Warning" not in said(explorer)
        explorer.controls["duration"].value = "10s"
        assert "Warning: traffic.t" in said(explorer)

    def test_a_long_run_is_announced(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """From 20 a second to 40,000: 800,000 requests in 20 s take some 8 s."""
        traffic = {"t": {"function": "f", "rate": "20/s"}}
        explorer = explorer_of({"traffic.t.rate": ["20/s", "40000/s"]}, traffic=traffic, rows=None)
        monkeypatch.setattr(module, "simulate_scenario", lambda *_, **__: explorer.result)
        shown = changes_of(explorer.status)
        explorer.controls["traffic.t.rate"].value = "40000/s"
        assert "Simulating about 800,000 attempts, which takes some 8 s." in shown[0]
        shown.clear()
        explorer.reset()
        assert "Simulating …" in shown[0]

    def test_progress(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of a run that takes longer than one's patience, which is none here."""
        monkeypatch.setattr(module, "_PATIENCE_S", 0.0)
        monkeypatch.setattr(module, "_EVERY_S", 0.0)
        traffic = {"t": {"function": "f", "rate": "2000/s"}}
        explorer = explorer_of({QUOTA: (1, 5)}, traffic=traffic, rows=None)
        shown = changes_of(explorer.status)
        explorer.controls[QUOTA].value = 3
        told = [
            re.findall(r"Simulating: (\d:\d\d) of 0:20, ([\d,]+) requests\. Interrupt", text) for text in shown[1:-1]
        ]
        times = [time for ((time, _),) in told]
        assert len(times) > 2
        assert times == sorted(times)

    def test_it_has_the_colour_of_the_theme(self) -> None:
        """Light or dark: what is wrong is marked, and the words say it."""
        explorer = explorer_of(**RESERVED)
        assert "color:" not in explorer.status.value
        assert 'role="status"' in explorer.status.value
        explorer.controls[QUOTA].value = 1
        assert 'role="alert"' in explorer.status.value

    def test_the_picture_in_words(self) -> None:
        """For who does not see it; and it has its room before it is there."""
        explorer = explorer_of()
        explorer.controls[QUOTA].value = 3
        assert (
            'alt="Requests in flight and refused attempts over time: simulated at most 3, 0 attempts refused; simulated'
            " before the last change at most 2, 1 attempt refused; by formula at most 3; account quota 3.&quot;"
        ).replace("&quot;", '"') in explorer.image.value
        assert 'width="900" height="400"' in explorer.image.value


class TestInterrupted:
    """Somebody interrupts a run."""

    def test_everything_goes_back_to_the_last_whole_run(self, interrupted: Interrupted) -> None:
        """The slider as well; a program is interrupted with it."""
        explorer = explorer_of({QUOTA: (1, 5), "functions.f.init": ["500ms", "1s"]})
        last, picture, table = explorer.result, explorer.image.value, explorer.table.value
        sentence = interrupted(lambda: explorer.controls[QUOTA].set_trait("value", 3))
        assert said(explorer) == sentence
        assert sentence == "Interrupted. The sliders are back at what the picture and the table show."
        assert (explorer.controls[QUOTA].value, explorer.settings[QUOTA]) == (2, 2)
        assert (explorer.result, explorer.image.value, explorer.table.value) == (last, picture, table)
        explorer.controls[QUOTA].value = 3
        assert explorer.settings[QUOTA] == 3

    def test_interrupt_works_as_before_afterwards(self, interrupted: Interrupted) -> None:
        """Whoever handles it otherwise does so again."""
        handler = signal.getsignal(signal.SIGINT)
        explorer = explorer_of()
        interrupted(explorer.reset)
        assert signal.getsignal(signal.SIGINT) is handler

    def test_a_first_run_that_is_interrupted_is_none(self, interrupted: Interrupted) -> None:
        """There is nothing to go back to."""
        assert interrupted(explorer_of) == "Interrupted before there was anything to show."

    def test_a_refusal_is_forgotten(self, interrupted: Interrupted, tmp_path: Path) -> None:
        """The sliders are back at what was not refused, which can be saved."""
        explorer = explorer_of(**RESERVED, **AT_A_RATE)
        explorer.controls[QUOTA].value = 1
        interrupted(lambda: explorer.controls[QUOTA].set_trait("value", 4))
        explorer.save(tmp_path / "mine.yaml")
        assert ls.load(tmp_path / "mine.yaml").region.concurrency_quota == 5


class TestSaving:
    """What the sliders hold becomes a scenario file."""

    def test_it_loads_and_runs_as_it_does_here(self, tmp_path: Path) -> None:
        """The same scenario, and so the same log."""
        explorer = explorer_of({QUOTA: (1, 5), "functions.f.init": ("100ms", "1s")}, **AT_A_RATE)
        explorer.controls[QUOTA].value = 4
        explorer.controls["functions.f.init"].value = "150ms"
        explorer.save(tmp_path / "mine.yaml")
        loaded = ls.load(tmp_path / "mine.yaml")
        assert fingerprint(loaded) == fingerprint(explorer.scenario)
        assert (loaded.region.concurrency_quota, loaded.seed) == (4, 3)
        assert explorer.result is not None
        assert ls.simulate(loaded).log.invocations.end_ns.tolist() == explorer.result.log.invocations.end_ns.tolist()
        assert f"#   {QUOTA} = 4\n" in (tmp_path / "mine.yaml").read_text("utf-8")

    @pytest.mark.parametrize("file", sorted(SPIKE.parent.glob("*.yaml")), ids=lambda file: file.stem)
    @pytest.mark.filterwarnings("ignore::lambdasim.ScenarioWarning")
    def test_every_scenario_can_be_saved(self, file: Path, tmp_path: Path) -> None:
        """And is the same when it is loaded again, from another folder."""
        from lambdasim.notebook.scenario_file import write_scenario

        made = ls.load(file)
        write_scenario(made, tmp_path / "mine.yaml", base=file.parent, settings={})
        assert fingerprint(ls.load(tmp_path / "mine.yaml")) == fingerprint(made)

    def test_values_with_line_breaks_stay_in_the_comment(self, tmp_path: Path) -> None:
        """They would be keys of the file."""
        text = "line\nregion: {concurrency_quota: 7}"
        explorer = explorer_of({"description": ["", text]}, **AT_A_RATE)
        explorer.controls["description"].value = text
        explorer.save(tmp_path / "mine.yaml")
        loaded = ls.load(tmp_path / "mine.yaml")
        assert (loaded.description, loaded.region.concurrency_quota) == (text, 2)

    def test_what_the_profile_gives_is_left_out(self, tmp_path: Path) -> None:
        """No empty sections."""
        plain = {"duration": "10s", "functions": {"f": {"duration": "1s", "init": "1s"}}, "seed": 1}
        explorer = ls.explore({**plain, "traffic": {"t": {"function": "f", "rate": "1/s"}}}, {"seed": (1, 5)})
        explorer.save(tmp_path / "mine.yaml")
        assert "region" not in (tmp_path / "mine.yaml").read_text("utf-8")

    def test_the_button(self, tmp_path: Path) -> None:
        """It says how to run the file, or in one sentence why there is none."""
        explorer = explorer_of(**AT_A_RATE)
        explorer.file_name.value = str(tmp_path / "mine.yaml")
        explorer.save_button.click()
        assert f"In a terminal: python -m lambdasim {tmp_path / 'mine.yaml'}" in said(explorer)
        explorer.file_name.value = str(tmp_path / "nowhere" / "mine.yaml")
        explorer.save_button.click()
        assert "the scenario cannot be written here" in said(explorer)
        assert [file.name for file in tmp_path.iterdir()] == ["mine.yaml"]

    @pytest.mark.parametrize("name", ["", ".", "/", "a\0b", "x" * 300], ids=["empty", "dot", "root", "nul", "long"])
    def test_names_that_are_none(self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """One sentence, also after the button had said that it saved something."""
        monkeypatch.chdir(tmp_path)
        explorer = explorer_of(**AT_A_RATE)
        explorer.save_button.click()
        explorer.file_name.value = name
        explorer.save_button.click()
        assert "the scenario cannot be written here" in said(explorer)
        assert [file.name for file in tmp_path.iterdir()] == ["my-house.yaml"]

    def test_the_proposed_name(self) -> None:
        """Of a scenario, and of one that is somebody's already."""
        assert explorer_of().file_name.value == "my-house.yaml"
        assert explorer_of(name="my-service").file_name.value == "my-service.yaml"

    def test_what_was_refused_is_not_saved(self, tmp_path: Path) -> None:
        """It would be other settings than the sliders show."""
        explorer = explorer_of(**RESERVED)
        explorer.controls[QUOTA].value = 1
        with pytest.raises(UsageError, match="not saved, as what the sliders hold is refused: functions"):
            explorer.save(tmp_path / "mine.yaml")
        assert list(tmp_path.iterdir()) == []

    def test_a_file_of_somebody_else_is_kept(self, tmp_path: Path) -> None:
        """Also the one that was edited since it was saved; whoever says so overwrites it."""
        file = tmp_path / "mine.yaml"
        file.write_text("# precious\n", "utf-8")
        explorer = explorer_of(**AT_A_RATE)
        with pytest.raises(OutputError, match="is there already, and not from here; choose another name"):
            explorer.save(file)
        assert file.read_text("utf-8") == "# precious\n"
        explorer.save(file, overwrite=True)
        explorer.controls[QUOTA].value = 3
        explorer.save(file)  # its own
        explorer_of(**AT_A_RATE).save(file)  # of the same session
        file.write_text(file.read_text("utf-8") + "# mine\n", "utf-8")
        with pytest.raises(OutputError, match="is there already"):
            explorer.save(file)

    def test_links_and_permissions_stay(self, tmp_path: Path) -> None:
        """The file behind the link is the one that is written."""
        file, link = tmp_path / "file.yaml", tmp_path / "link.yaml"
        file.write_text("")
        file.chmod(0o600)
        link.symlink_to(file)
        explorer_of(**AT_A_RATE).save(link, overwrite=True)
        assert link.is_symlink()
        assert ls.load(file).name == "house"
        assert file.stat().st_mode & 0o777 == 0o600

    def two_folders(self, tmp_path: Path) -> Path:
        """A scenario with a trace in one folder, and another folder."""
        (tmp_path / "old").mkdir()
        (tmp_path / "new").mkdir()
        (tmp_path / "old" / "requests.csv").write_text("time_s\n1\n2\n", "utf-8")
        (tmp_path / "old" / "it.yaml").write_text(
            "duration: 10s\nfunctions: {f: {duration: 1s, init: 1s}}\n"
            "traffic: {t: {function: f, trace: requests.csv}}\n",
            "utf-8",
        )
        return tmp_path / "new" / "mine.yaml"

    def test_data_files_are_found_from_the_new_place(self, tmp_path: Path) -> None:
        """The trace stays where it is."""
        target = self.two_folders(tmp_path)
        explorer = ls.explore(tmp_path / "old" / "it.yaml", {QUOTA: (500, 1_500, 100)}, seed=1)
        explorer.save(target)
        assert "trace: ../old/requests.csv" in target.read_text("utf-8")
        assert len(ls.simulate(target).log.requests) == 2

    @pytest.mark.parametrize("other", ["", "time_s\n3\n"])
    def test_data_files_that_are_not_found_from_here(
        self, other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A scenario that was loaded has forgotten its folder, and this one has no such file, or another one."""
        target = self.two_folders(tmp_path)
        monkeypatch.chdir(tmp_path)
        if other:
            (tmp_path / "requests.csv").write_text(other, "utf-8")
        explorer = ls.explore(ls.load(tmp_path / "old" / "it.yaml", seed=1), {QUOTA: (500, 1_500, 100)})
        with pytest.raises(UsageError, match=r"traffic\.t\.trace: requests\.csv is not found from here"):
            explorer.save(target)
        assert not target.exists()

    def test_what_a_file_cannot_hold(self, tmp_path: Path) -> None:
        """A Python function, or a folder that is not there."""
        explorer = explorer_of(traffic={"t": {"function": "f", "rate": lambda t_s: 2.0}}, rows=None)
        with pytest.raises(UsageError, match=r"traffic\.t\.rate: a file cannot hold the Python function"):
            explorer.save(tmp_path / "mine.yaml")
        plain = explorer_of(**AT_A_RATE)
        with pytest.raises(OutputError, match="the scenario cannot be written here"):
            plain.save(tmp_path / "nowhere" / "mine.yaml")


class TestWithoutWidgets:
    """lambdasim without its extra for notebooks."""

    def test_one_sentence_says_what_is_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Only when it is needed."""
        for name in ("explorer", "control_widgets"):
            monkeypatch.delitem(sys.modules, f"lambdasim.notebook.{name}")
        monkeypatch.setitem(sys.modules, "ipywidgets", None)
        with pytest.raises(UsageError, match="explore needs ipywidgets: pip install"):
            ls.explore(house())

    def test_importing_lambdasim_imports_no_widgets(self) -> None:
        """In a fresh interpreter."""
        code = "import sys, lambdasim; assert 'ipywidgets' not in sys.modules"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")

    @pytest.mark.parametrize("picture", ["pie", ["concurrency"], None])
    def test_an_unknown_picture(self, picture: Any) -> None:
        """The message lists those that there are."""
        with pytest.raises(UsageError, match="picture: must be one of lifelines, concurrency"):
            ls.explore(house(), picture=picture)
