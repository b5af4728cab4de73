"""What all pictures share: colours, headers, axes, files and edges. Data are checked, not pixels."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from lambdasim.metrics.run import Run
from lambdasim.platform.concurrency import ThrottleReason
from lambdasim.report.pictures import PICTURES, Pictures, pictures_of, save_all
from lambdasim.report.pictures.fates import Fate
from lambdasim.report.pictures.offered import offered
from lambdasim.report.pictures.style import (
    FUNCTION_COLOURS,
    OTHERS_COLOUR,
    REASON_COLOURS,
    Colour,
    Header,
    open_axes,
    shortened,
    time_text,
    width_of,
    wrapped,
)
from lambdasim.report.pictures.time_axis import TimeLocator, tick_text, time_unit
from tests.builders import log_of, scenario
from tests.report.runs import functions, labelled, one_request, refused_run, run_of, texts_of


class TestStyle:
    """What all pictures share."""

    def test_every_colour_has_one_meaning(self) -> None:
        """No two meanings share a colour, functions included; a fate has the same colour in both its pictures."""
        colours = [*Colour, *FUNCTION_COLOURS, OTHERS_COLOUR]
        assert len({colour.upper() for colour in colours}) == len(colours)
        assert len(set(REASON_COLOURS.values())) == len(ThrottleReason)
        assert [Fate.WARM.colour, Fate.RETRIED.colour] == [Colour.WARM, Colour.RETRIED]

    def test_fates_have_their_colours(self, spike: Run) -> None:
        """In the stack of outcomes and on the curves of latency."""
        outcomes, latency = Pictures(spike).outcomes(), Pictures(spike).latency()
        for fate in (Fate.WARM, Fate.COLD, Fate.RETRIED):
            assert to_hex(labelled(outcomes, fate.label).get_facecolor()).upper() == fate.colour
            assert fate.colour in [line.get_color() for line in latency.lines]

    @pytest.mark.parametrize("name", PICTURES)
    def test_headers_name_scenario_description_and_seed(self, spike: Run, name: str) -> None:
        """Every picture says what it shows and of which run."""
        texts = texts_of(PICTURES[name](spike))
        assert texts[0].startswith("spike: ")
        assert "Twice what the quota carries." in texts
        assert any("seed 1" in text for text in texts)

    def test_interrupted_runs_say_so(self) -> None:
        """The header tells where a partial run ends."""
        ax = Pictures(refused_run([1], end_s=7, is_partial=True)).outcomes()
        assert any("interrupted at 7 s" in text for text in texts_of(ax))

    def test_a_changed_scenario_has_its_changes_in_place_of_the_description(self) -> None:
        """Which may be false by then: two of the changes, and how many more; the seed is none."""
        parts = {"rows": [1], "duration": "5s", "description": "One second of work."}
        settings = {"functions.f.duration": "9s", "duration": "20s", "drain": "5s", "functions.f.timeout": "30s"}
        told = "changed: functions.f.duration = 9s"
        for changes, shown, hidden in (
            ({}, "One second of work.", "changed"),
            ({"seed": 7}, "One second of work.", "changed"),
            (dict(list(settings.items())[:1]), told, "One second"),
            (dict(list(settings.items())[:2]), f"{told}, duration = 20s", "more"),
            (settings, f"{told}, duration = 20s and 2 more", "drain"),
        ):
            made = scenario(**parts).replace(changes)
            run = Run(scenario=made, seed=1, engine="simpy", log=log_of(made, 1), wall_s=1.0)
            for name in pictures_of(run):
                texts = texts_of(PICTURES[name](run))
                assert shown in texts
                assert not any(hidden in text for text in texts)
            offered_texts = texts_of(offered(made, 1))
            assert shown in offered_texts

    def test_long_descriptions_are_wrapped_and_whole(self) -> None:
        """No line is wider than the figure, however long the words, and no letter is lost."""
        text = "$5 of " + "x" * 300 + " and more words " * 20
        lines = wrapped(text, 400, _font())
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
        assert all(width_of(line, _font()) <= 400 for line in lines)
        ax = Pictures(run_of(rows=[1], duration="5s", description=text)).outcomes()
        figure = ax.figure
        assert isinstance(figure, Figure)
        figure.canvas.draw()
        box = figure.bbox
        for shown in [*ax.texts, ax.title, ax._left_title]:  # type: ignore[attr-defined]
            extent = shown.get_window_extent()
            assert extent.x0 >= box.x0
            assert extent.x1 <= box.x1
            assert extent.y1 <= box.y1

    def test_lines_are_drawn_wider_than_their_outlines(self) -> None:
        """At whole pixels: a line of facts that just fits by its outlines is broken, and none leaves the figure."""
        facts = (
            "1,602 environments in 181 rows, each used again when its environment is gone, 19 provisioned,"
            " 398 cold starts, 83,736 invocations · seed 3"
        )
        ax = open_axes(None, Header(title="flash", description="", facts=facts))
        figure = ax.figure
        assert isinstance(figure, Figure)
        figure.canvas.draw()
        assert len(ax.texts) == 2
        assert all(text.get_window_extent().x1 <= figure.bbox.x1 for text in ax.texts)

    def test_a_time_stays_on_one_line(self) -> None:
        """A number and its unit are not parted, nor are minutes and seconds; other words are."""
        text = "highest in each 14 min 49 s; areas"
        for width_pt in range(70, 200, 5):
            lines = wrapped(text, width_pt, _font())
            assert " ".join(lines) == text
            assert any("14 min 49 s" in line for line in lines)
        assert wrapped("each of 5 minutes", width_of("each of 5", _font()) + 1, _font()) == ["each of 5", "minutes"]

    @pytest.mark.parametrize(
        ("length_s", "unit", "time_s", "text"),
        [
            (180, "s", 90.0, "90"),
            (181, "m:ss", 90.0, "1:30"),
            (10_800, "m:ss", 3_600.0, "60:00"),
            (14_400, "h", 5_400.0, "1.5"),
        ],
    )
    def test_time_axis_speaks_in_fitting_units(self, length_s: float, unit: str, time_s: float, text: str) -> None:
        """Seconds up to three minutes, minutes up to three hours, then hours."""
        assert time_unit(length_s) == unit
        assert tick_text(time_s, time_unit(length_s)) == text

    @pytest.mark.parametrize("end_s", [1e-6, 0.3, 7, 120, 3_601, 86_400, 1e8])
    def test_time_axes_have_a_few_ticks_from_zero(self, end_s: float) -> None:
        """At any length."""
        ticks = TimeLocator().tick_values(0.0, end_s)
        assert 3 <= len(ticks) <= 10
        assert str(ticks[0]) == "0.0"

    def test_times_read_well(self) -> None:
        """Three digits and the unit that people use."""
        times = [0, 999_999_999, 59_960_000_000, 210_000_000, 125_000_000_000, 12_000_000_000_000]
        assert [time_text(time) for time in times] == ["0 s", "1 s", "1 min", "210 ms", "2 min 5 s", "3 h 20 min"]

    def test_long_names_lose_their_middle(self) -> None:
        """Both ends tell functions apart."""
        assert shortened("a" * 30 + "z") == "a" * 11 + "…" + "a" * 9 + "z"


def _font() -> Any:
    return matplotlib.font_manager.FontProperties(family="DejaVu Sans", size=10)


class TestFiles:
    """Files, edges, and what must not happen on the side."""

    def test_files_are_png_1000_px_wide_and_the_same_every_time(self, spike: Run, tmp_path: Path) -> None:
        """The same run gives the same bytes, whatever the user's settings are."""
        first = save_all(spike, tmp_path / "a")
        with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "black", "savefig.bbox": "tight"}):
            second = save_all(spike, tmp_path / "b")
        assert [path.name for path in first] == [f"{name}.png" for name in pictures_of(spike)]
        assert sorted(path.name for path in (tmp_path / "a").iterdir()) == sorted(path.name for path in first)
        for one, other in zip(first, second, strict=True):
            content = one.read_bytes()
            assert content == other.read_bytes()
            assert struct.unpack(">I", content[16:20]) == (1000,)
            assert b"Software" not in content

    @pytest.mark.parametrize(
        "run",
        [
            pytest.param(lambda: refused_run([]), id="nothing"),
            pytest.param(lambda: refused_run([], end_s=0, is_partial=True), id="stopped at once"),
            pytest.param(lambda: refused_run([1, 2, 3]), id="only throttles"),
            pytest.param(lambda: one_request(), id="one request"),
            pytest.param(
                lambda: run_of(rows=[0], functions={"f": {"duration": "1ns"}}, duration="1ns"), id="a nanosecond"
            ),
            pytest.param(
                lambda: run_of(rows=[1], duration="2s", drain="0s", functions={"f": {"init": "5s"}}), id="cut off"
            ),
            pytest.param(lambda: one_request(duration="87600h"), id="ten years"),
            pytest.param(lambda: functions(10), id="ten functions"),
            pytest.param(lambda: functions(100), id="a hundred functions"),
            pytest.param(
                lambda: run_of(rows=[1], description="$x_1 \U0001f600 \n漢字", duration="2s"), id="odd letters"
            ),
        ],
    )
    def test_every_run_has_its_pictures(self, run: Any, tmp_path: Path) -> None:
        """Edges: no data, no environment, no completion, much of everything."""
        assert all(path.stat().st_size > 1_000 for path in save_all(run(), tmp_path))

    def test_without_data_a_sentence_stands_in(self) -> None:
        """Not an empty frame."""
        assert "No request completed, so there is no latency to show." in texts_of(Pictures(refused_run([1])).latency())
        assert "No execution environment was started." in texts_of(Pictures(refused_run([1])).lifelines())
        assert "There were no requests." in texts_of(Pictures(refused_run([])).concurrency())

    @pytest.mark.parametrize("name", PICTURES)
    def test_pictures_draw_on_the_axes_they_are_given(self, spike: Run, name: str) -> None:
        """As one of several in a figure of the caller's, whose settings stay as they are."""
        before = dict(matplotlib.rcParams)
        figure = Figure(figsize=(14, 8), layout="constrained")
        given = figure.subplots(2, 2)[0, 1]
        assert getattr(Pictures(spike), name)(given) is given
        figure.canvas.draw()
        assert dict(matplotlib.rcParams) == before

    def test_axes_show_themselves_in_a_notebook(self, spike: Run) -> None:
        """By the method that IPython asks for, on the axes and on their figure."""
        ax: Any = Pictures(spike).latency()
        assert ax._repr_png_().startswith(b"\x89PNG")
        assert ax._repr_png_() == ax.figure._repr_png_()

    def test_importing_lambdasim_does_not_import_matplotlib(self) -> None:
        """Nor does anything that a simulation needs; and pictures leave pyplot alone."""
        code = (
            "import sys, lambdasim, lambdasim.metrics.run, lambdasim.report; assert 'matplotlib' not in sys.modules\n"
            "import lambdasim.report.pictures; assert 'matplotlib.pyplot' not in sys.modules"
        )
        subprocess.run([sys.executable, "-c", code], check=True)
