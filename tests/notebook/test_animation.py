"""The animation of execution environments: what each frame shows, and the page that plays it."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import FillBetweenPolyCollection, LineCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from PIL import Image

import lambdasim as ls
from lambdasim.errors import OutputError, UsageError
from lambdasim.metrics.instants import State
from lambdasim.notebook.animation import MOST_FRAMES, film_of
from lambdasim.report.pictures.boxes import Stage, boxes_of
from lambdasim.report.pictures.film import Film, FilmedRun
from lambdasim.report.pictures.lifelines import Rows
from lambdasim.report.pictures.scene import Scene
from lambdasim.report.pictures.style import Colour
from tests.builders import trace
from tests.notebook.house import house

# Frames half a second apart: 0, 0.5, ..., 20 s. A second of film is two of the run.
HALF_SECONDS = Film(start_ns=0, end_ns=20 * 10**9, frames=41, seconds=10.0)


@pytest.fixture(scope="module")
def result() -> ls.Result:
    """Two initialise from 0, work from 0.5 to 1.5 s; the third is refused at 0; one works from 10 to 11 s."""
    return ls.simulate(house())


@pytest.fixture(scope="module")
def scene(result: ls.Result) -> Scene:
    """All of the run, with a frame each half second."""
    return Scene(result, HALF_SECONDS)


def texts(scene: Scene, frame: int) -> list[str]:
    """Every text of a frame."""
    scene.show(frame)
    return [text.get_text() for text in scene.ax.texts]


def flying(scene: Scene, frame: int) -> list[tuple[float, str]]:
    """How far from the left each dot is, and whether it is a request on its way or one that was refused."""
    scene.show(frame)
    dots = scene._flying
    kinds = {to_rgba(Colour.EVERYTHING): "request", to_rgba(Colour.THROTTLED): "refused"}
    colours = dots.get_facecolor()
    return [(x, kinds[tuple(map(float, colour))]) for (x, _), colour in zip(dots.get_offsets(), colours, strict=True)]


class TestFrames:
    """What a frame shows of the run by hand."""

    @pytest.mark.parametrize(
        ("time_s", "initialising", "busy", "idle"),
        [(0, 2, 0, 0), (0.5, 0, 2, 0), (1.5, 0, 0, 2), (9.5, 0, 0, 2), (10, 0, 1, 1), (11, 0, 0, 2)],
    )
    def test_counts_and_boxes(self, scene: Scene, time_s: float, initialising: int, busy: int, idle: int) -> None:
        """The counts above the boxes, and as many boxes in each colour."""
        scene.show(round(time_s * 2))
        counts = {state: int(text.get_text()) for state, text in scene._counts.items()}
        expected = {State.INITIALISING: initialising, State.BUSY: busy, State.IDLE: idle, State.GONE: 0}
        assert counts == expected
        faces = [tuple(map(float, face)) for face in scene._squares.get_facecolor()]
        for colour, count in ((Colour.COLD, initialising), (Colour.BUSY, busy), (Colour.IDLE, idle)):
            assert faces.count(to_rgba(colour)) == count

    def test_busy_boxes_hold_their_request(self, scene: Scene) -> None:
        """Two white dots at 0.5 s, none at 1.5 s."""
        scene.show(1)
        assert len(scene._workers.get_offsets()) == 2
        scene.show(3)
        assert len(scene._workers.get_offsets()) == 0

    def test_what_is_gone(self) -> None:
        """Idle for 2 s after 1.5 s: at 3.5 s both are gone, and stay counted."""
        kept_short = {"duration": "1s", "init": "500ms", "idle_timeout": "2s"}
        made = Scene(ls.simulate(house(functions={"f": kept_short})), HALF_SECONDS)
        for frame, gone in ((6, "0"), (7, "2"), (30, "3")):
            made.show(frame)
            assert made._counts[State.GONE].get_text() == gone

    def test_the_quota_and_what_is_refused(self, scene: Scene) -> None:
        """Full from 0 to 1.5 s, half full from 10 to 11 s; the one refusal is counted on, with its reason."""
        assert {"2 of 2 in flight", "1 refused", "1 by the account's quota"} <= set(texts(scene, 0))
        full = scene._gauge.get_height()
        assert full == scene._door.get_height() > 0
        later = texts(scene, 5)
        assert {"0 of 2 in flight", "1 refused"} <= set(later)
        assert scene._gauge.get_height() == 0
        scene.show(20)
        assert scene._gauge.get_height() == full / 2

    def test_a_quota_that_changes(self) -> None:
        """2 until 5 s, 4 from then on: frame 10."""
        raised = [{"at": "5s", "region": {"concurrency_quota": 4}}]
        made = Scene(ls.simulate(house(changes=raised)), HALF_SECONDS)
        assert "0 of 2 in flight" in texts(made, 9)
        assert "0 of 4 in flight" in texts(made, 10)

    def test_what_has_not_ended_is_in_flight(self) -> None:
        """Work of 60 s from 10 s on, in a run that is cut off at 20 s."""
        long = {"f": {"duration": "60s", "init": "0s", "timeout": "15m"}}
        made = Scene(ls.simulate(house(functions=long, rows=[10], drain="0s")), HALF_SECONDS)
        assert "1 of 2 in flight" in texts(made, 40)

    def test_reasons_are_those_until_then_the_most_frequent_first(self) -> None:
        """At 0 one is refused by a reservation of 0; at 5 s two by the quota of 2, which four want."""
        traffic = {
            "a": {"function": "a", "trace": trace([0])},
            "b": {"function": "b", "trace": trace([5, 5, 5, 5])},
        }
        functions = {"a": {"reserved_concurrency": 0}, "b": {"duration": "1s", "init": "500ms"}}
        made = Scene(ls.simulate(house(functions=functions, traffic=traffic, rows=None)), HALF_SECONDS)
        assert "1 by reserved concurrency" in texts(made, 0)
        assert "2 by the account's quota\n1 by reserved concurrency" in texts(made, 10)

    def test_who_waits_for_an_environment(self, scene: Scene) -> None:
        """Two at 0. They are in: their dots stand right of the door."""
        assert "2 in flight, waiting for an environment" in texts(scene, 0)
        assert (waiting_dots(scene)[:, 0] > 256).tolist() == [True, True]
        assert not any("waiting" in text for text in texts(scene, 1))
        assert len(waiting_dots(scene)) == 0

    def test_who_waits_to_try_again(self) -> None:
        """Refused at 0 and at 1 s, a second after each other: between them it waits, left of the door."""
        client = {"retry": {"max_attempts": 2, "base": "1s", "jitter": "none"}}
        run = ls.simulate(house(rows=[0], functions={"f": {"reserved_concurrency": 0}}, client=client))
        made = Scene(run, HALF_SECONDS)
        assert "1 waiting to try again" in texts(made, 1)
        ((x, _),) = waiting_dots(made)
        assert x < 244
        assert not any("waiting" in text for text in texts(made, 2))

    def test_a_dot_stands_for_several_who_wait(self) -> None:
        """100 wait for an environment: 24 dots have room, so that one stands for 5."""
        made = Scene(ls.simulate(house(rows=[5] * 100, region={"concurrency_quota": 200})), HALF_SECONDS)
        assert "100 in flight, waiting for an environment" in texts(made, 10)
        assert len(waiting_dots(made)) == 20

    def test_rows_of_those_who_wait_end_above_the_strip(self) -> None:
        """Callers, events and messages at once, all refused by a reservation of 0 or held up by it."""
        retry = {"max_attempts": 3, "base": "5s", "jitter": "none"}
        made = Scene(
            ls.simulate(
                house(
                    functions={"f": {"reserved_concurrency": 0}, "g": {"duration": "4s", "timeout": "5s"}},
                    queues={"q": {"event_source_mapping": {"function": "g"}}},
                    traffic={
                        "a": {"function": "f", "trace": trace([0]), "client": {"retry": retry}},
                        "b": {"function": "g", "trace": trace([0, 0, 0]), "invoke": "async"},
                        "c": {"queue": "q", "trace": trace([0, 0, 0]), "invoke": "sqs"},
                    },
                    rows=None,
                )
            ),
            HALF_SECONDS,
        )
        shown = texts(made, 4)
        assert {"1 waiting to try again", "3 in the queue"} <= set(shown)
        assert any("in Lambda's queue" in text for text in shown)
        assert any("each dot is a request or batch" in text for text in shown)
        assert waiting_dots(made)[:, 1].min() > 111

    def test_what_went_wrong_after_admission(self) -> None:
        """An error at 1.5 s, and a caller who stops waiting at 6 s for work that goes on until 6.5 s."""
        failing = {"f": {"duration": "1s", "init": "500ms", "errors": {"rate": "100%"}}}
        made = Scene(ls.simulate(house(functions=failing, rows=[0])), HALF_SECONDS)
        assert not any("failed" in text for text in texts(made, 2))
        assert "1 failed" in texts(made, 3)
        run = ls.simulate(house(rows=[5], client={"timeout": "1s"}))
        made = Scene(run, HALF_SECONDS)
        assert not any("gave up" in text for text in texts(made, 11))
        assert "1 gave up waiting" in texts(made, 12)

    @pytest.mark.parametrize(("end_s", "frame", "words"), [(20, 3, "1.5 s"), (2, 1, "0.05 s"), (400, 20, "3:20")])
    def test_the_clock(self, result: ls.Result, end_s: int, frame: int, words: str) -> None:
        """Tenths of seconds, hundredths in films of a few seconds, minutes from three on."""
        film = Film(start_ns=0, end_ns=end_s * 10**9, frames=41, seconds=10.0)
        made = Scene(result, film)
        assert words in texts(made, frame)
        assert made.clock_text(frame) == words

    def test_the_clock_of_hours(self, result: ls.Result) -> None:
        """A film of four hours: after an hour and a half."""
        made = Scene(result, Film(start_ns=0, end_ns=4 * 3_600 * 10**9, frames=9, seconds=10.0))
        assert made.clock_text(3) == "1 h 30 min"

    def test_the_strip(self, scene: Scene) -> None:
        """The cursor goes with the time, a mark stands where one was refused, areas lie on each other up to two."""
        scene.show(20)
        assert scene._cursor.get_xdata()[0] == (62 + 882) / 2
        (marks,) = (item for item in scene.ax.collections if isinstance(item, LineCollection))
        assert [segment[0][0] for segment in marks.get_segments()] == [62]
        areas = [item for item in scene.ax.collections if isinstance(item, FillBetweenPolyCollection)]
        tops = [area.get_paths()[0].vertices[:, 1].max() for area in areas]
        # Busy: two of two at most. Initialising: two. Idle, on top of one that is busy at 10 s, and two before.
        assert tops == pytest.approx([104, 104, 104])
        assert "2" in texts(scene, 0)

    def test_dots_come_to_the_door_and_bounce(self) -> None:
        """Refused at 10 s: on its way at 9.5 s, at the door at 10 s, left of it at 10.5 and 11 s, then gone."""
        run = ls.simulate(house(rows=[10], functions={"f": {"reserved_concurrency": 0}}))
        made = Scene(run, HALF_SECONDS)
        ((before, kind),) = flying(made, 19)
        assert kind == "request"
        # At the instant itself it has arrived and been refused.
        ((door, kind),) = flying(made, 20)
        assert kind == "refused"
        ((soon, _),) = flying(made, 21)
        ((later, _),) = flying(made, 22)
        assert before < door
        assert later < soon < door
        assert flying(made, 18)  # 2 s before are a second of film: not on its way yet
        assert flying(made, 16) == flying(made, 26) == []

    def test_accepted_ones_fly_into_their_box(self) -> None:
        """Accepted at 10 s, on a warm environment: half a second later it is beyond the door."""
        made = Scene(ls.simulate(house(rows=[0, 10])), HALF_SECONDS)
        ((before, _),) = flying(made, 19)
        ((after, _),) = flying(made, 21)
        assert before < 244 < after

    def test_those_of_one_instant_go_in_on_lanes_of_their_own(self) -> None:
        """20 at 5 s: they reach the door on 20 lanes, and leave it on the same ones."""
        made = Scene(ls.simulate(house(rows=[5] * 20, region={"concurrency_quota": 50})), HALF_SECONDS)
        assert len(set(made._accepted_lane.tolist())) == 20
        assert sorted(made._entering_lane.tolist()) == sorted(made._accepted_lane.tolist())

    def test_dots_go_into_a_box_of_their_function(self) -> None:
        """b begins at half a second; a tenth of a second of film later its dot is nearest to the box of b."""
        made = Scene(ls.simulate(two_functions()), Film(start_ns=0, end_ns=10**9, frames=11, seconds=1.0))
        made.show(7)
        first = made.filmed.rows.groups[0]  # the last function stands lowest
        assert first[0] == 1
        goals = made._centres[made._entering_box]
        assert sorted(goals[:, 1].tolist())[0] == made._centres[made.boxes.of_place[first[1]]][1]
        assert len({tuple(goal) for goal in goals.tolist()}) == 3

    def test_a_dot_stands_for_several_where_there_are_many(self) -> None:
        """1,000 requests at one instant: ten in a dot are 100 dots, five would be 200, more than fit."""
        made = Scene(ls.simulate(house(rows=[5] * 1_000)), HALF_SECONDS)
        assert made.requests_a_dot == 10
        assert any("each dot is 10 requests" in text for text in texts(made, 10))

    def test_reservations_stand_beside_the_names_of_functions(self) -> None:
        """Several functions have blocks of boxes with names."""
        run = ls.simulate(two_functions())
        made = Scene(run, HALF_SECONDS)
        assert {"a: 2 of 3 reserved in flight", "b"} <= set(texts(made, 1))
        assert len(made.boxes.shown) == 3

    def test_provisioned_environments_have_a_black_edge(self) -> None:
        """One of the two boxes."""
        provisioned = {"provisioned_concurrency": 1, "init": "0s"}
        made = Scene(ls.simulate(house(functions={"f": provisioned}, rows=[5, 5])), HALF_SECONDS)
        made.show(12)
        edges = [tuple(map(float, edge)) for edge in made._squares.get_edgecolor()]
        assert edges.count(to_rgba(Colour.EVERYTHING)) == 1
        assert any("black edge" in text for text in texts(made, 12))

    def test_many_environments_share_boxes(self) -> None:
        """6,000 at once on 2,500 boxes at most: each stands for 3, and all lie on the stage."""
        run = ls.simulate(house(rows=[1] * 6_000, region={"concurrency_quota": 10_000}))
        made = Scene(run, HALF_SECONDS)
        assert (made.boxes.each, len(made.boxes.shown)) == (3, 2_000)
        assert made.boxes.bottom.min() >= 138
        assert made.boxes.left.max() + made.boxes.size <= 882.01
        made.show(3)
        assert made._counts[State.BUSY].get_text() == "6,000"

    def test_many_functions_have_one_block_without_names(self) -> None:
        """A box each for 30 functions, on the stage."""
        names = [f"f{number}" for number in range(30)]
        traffic = {name: {"function": name, "trace": trace([0.5])} for name in names}
        parts: dict[str, Any] = {"traffic": traffic, "rows": None, "region": {"concurrency_quota": 100}}
        made = Scene(ls.simulate(house(functions={name: {} for name in names}, **parts)), HALF_SECONDS)
        assert (len(made.boxes.shown), made.boxes.names) == (30, ())
        assert made.boxes.bottom.min() >= 138
        assert made.boxes.size > 40

    def test_an_empty_run_has_frames(self) -> None:
        """No request, no environment."""
        made = Scene(ls.simulate(house(rows=[])), Film(start_ns=0, end_ns=10**9, frames=3, seconds=1.0))
        assert "0 of 2 in flight" in texts(made, 2)

    def test_the_poster_shows_the_most(self) -> None:
        """The frame of 10 s, in which one is refused and two initialise."""
        assert FilmedRun(ls.simulate(house(rows=[1, 10, 10, 10])), HALF_SECONDS).poster == 20


def waiting_dots(scene: Scene) -> np.ndarray:
    """Where the dots of those who wait are. Shape (n, 2)."""
    return np.asarray(scene._waiting_dots.get_offsets())


class TestBoxes:
    """Where the boxes stand."""

    def test_every_function_has_a_box_where_one_stands_for_several(self) -> None:
        """6,003 environments on 2,500 boxes: 3 each; those of 6,000, of 2 and of 1 are 2,000, 1 and 1 boxes."""
        rows = Rows(row=np.arange(6_003), groups=((2, 0, 1), (1, 1, 2), (0, 3, 6_000)))
        boxes = boxes_of(rows, Stage(left=0, right=600, bottom=0, top=300), named=True)
        assert boxes.each == 3
        assert [function for function, _ in boxes.names] == [0, 1, 2]
        assert boxes.of_place[[3, 5, 6, 6_002, 1, 2, 0]].tolist() == [0, 0, 1, 1_999, 2_000, 2_000, 2_001]
        assert boxes.shown[[0, 1, 1_999, 2_000, 2_001]].tolist() == [3, 6, 6_000, 1, 0]
        assert (boxes.bottom >= 0).all()
        assert (boxes.left + boxes.size <= 600).all()


def two_functions() -> ls.Scenario:
    """Two requests of a, for which 3 units are reserved, and one of b, a second each, at half a second."""
    return house(
        functions={"a": {"reserved_concurrency": 3}, "b": {}},
        traffic={
            "a": {"function": "a", "trace": trace([0.5, 0.5])},
            "b": {"function": "b", "trace": trace([0.5])},
        },
        rows=None,
        region={"concurrency_quota": 10, "min_unreserved": 0},
    )


class TestFilm:
    """Which part of a run, and how many frames."""

    def test_all_of_the_run_unless_told_otherwise(self, result: ls.Result) -> None:
        """Twelve seconds at fifteen frames."""
        film = film_of(result, "0s", None, 12, 15)
        assert (film.start_ns, film.end_ns, film.frames) == (0, result.log.end_ns, 180)
        assert film.times_ns[[0, -1]].tolist() == [0, result.log.end_ns]

    def test_numbers_of_numpy(self, result: ls.Result) -> None:
        """A notebook is full of them."""
        assert film_of(result, "0s", None, np.int64(2), np.float64(5)).frames == 10

    def test_a_part_of_it(self, result: ls.Result) -> None:
        """An end beyond the run is the end of the run."""
        film = film_of(result, "1s", "3s", 4, 10)
        assert (film.start_ns, film.end_ns, film.ns_per_film_s) == (10**9, 3 * 10**9, 5e8)
        assert film_of(result, "1s", "1h", 4, 10).end_ns == result.log.end_ns

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("1 fortnight", None, 12, 15), "start: must be a time such as 90s"),
            (("0s", "5", 12, 15), "end: must be a time with its unit, got 5; write 5s"),
            (("1h", None, 12, 15), "start: must be before the end of the run at"),
            (("3s", "2s", 12, 15), "end: must be after the start at 3s, got 2s"),
            (("0s", None, 0, 15), "seconds: must be a number above 0"),
            (("0s", None, 12, -1), "fps: must be a number above 0"),
            (("0s", None, 0.01, 1), "seconds times fps: must be at least 2 frames, got 0.01 x 1"),
            (("0s", None, float("nan"), 15), "seconds: must be a number above 0"),
            (("0s", None, 200, 15), f"seconds times fps: must be at most {MOST_FRAMES:,} frames, got 3,000"),
        ],
    )
    def test_wrong_arguments_get_a_sentence(self, result: ls.Result, arguments: Any, message: str) -> None:
        """Which argument, what it must be, what was got."""
        with pytest.raises(UsageError) as error:
            film_of(result, *arguments)
        assert message in str(error.value)


class TestPage:
    """Frames as HTML with a player."""

    def test_it_needs_no_network(self, result: ls.Result, tmp_path: Path) -> None:
        """Not an address in it but those of the frames themselves."""
        result.save_animation(tmp_path / "film.html", seconds=1, fps=4)
        page = (tmp_path / "film.html").read_text("utf-8")
        assert "http" not in page
        assert "@import" not in page
        assert len(re.findall(r"data:image/png;base64,", page)) == 4 + 1  # the poster stands in the page as well
        assert list(tmp_path.iterdir()) == [tmp_path / "film.html"]

    def test_frames_are_pictures_of_the_run(self, result: ls.Result) -> None:
        """At 0.5 s two boxes are busy: more of the blue of busy boxes than at 15 s, when nothing happens."""
        frames = result.animate(start="500ms", end="15s", seconds=1, fps=2).frames
        blue = []
        for frame in frames:
            pixels = np.asarray(Image.open(io.BytesIO(frame)).convert("RGB"))
            assert pixels.shape == (520, 900, 3)
            assert pixels[2, 2].tolist() == [255, 255, 255]
            blue.append(int((pixels == [0, 0x72, 0xB2]).all(axis=2).sum()))
        assert blue[0] > blue[1] + 5_000

    def test_twelve_seconds_are_below_five_megabytes(self) -> None:
        """The busiest frames of a run with 1,400 environments: a 180th of 5 MB each, as base64."""
        run = ls.simulate(Path(__file__).parents[2] / "scenarios" / "spike.yaml")
        frames = run.animate(start="32s", end="60s", seconds=1, fps=6).frames
        assert max(map(len, frames)) * 4 / 3 < 5e6 / 180

    def test_the_player_shows_time_and_speed(self, result: ls.Result) -> None:
        """Four frames a second, the picture and the time of the busiest frame first; a time for each frame."""
        film = replace(result.animate(start="0s", end="3s", seconds=1, fps=4), poster=2)
        text = film.text("a")
        assert "setTimeout(step, 250.0 * speed.value)" in text
        assert text.count(b64encode(film.frames[2]).decode()) == 2
        assert film.times == ("0.00 s", "1.00 s", "2.00 s", "3.00 s")
        assert 'value="2" aria-label="Time" aria-valuetext="2.00 s"' in text
        assert 'times = ["0.00 s", "1.00 s", "2.00 s", "3.00 s"]' in text

    def test_two_films_on_a_page_do_not_share_a_name(self, result: ls.Result) -> None:
        """Shown twice, it has another one each time; saved, the same bytes."""
        film = result.animate(seconds=1, fps=2)
        assert film._repr_html_() != film._repr_html_()
        assert film.text("a") == film.text("a")
        assert repr(film).startswith("<AnimationHtml: 2 frames")

    def test_names_of_scenarios_are_text(self, result: ls.Result) -> None:
        """The title of the page is escaped, whatever it holds."""
        film = replace(result.animate(seconds=1, fps=2), alt='<b> "x"')
        assert '<b> "x"' not in film.text("a")

    def test_where_it_cannot_be_written(self, result: ls.Result, tmp_path: Path) -> None:
        """One sentence, and nothing half-written."""
        film = result.animate(seconds=1, fps=2)
        for wrong in (tmp_path / "nowhere" / "film.html", tmp_path, "", "\0", tmp_path / ("x" * 300)):
            with pytest.raises(OutputError, match="the animation cannot be written here: "):
                film.save(wrong)
        assert list(tmp_path.iterdir()) == []


class TestMatplotlib:
    """The same as a matplotlib animation."""

    def test_on_a_figure_of_its_own(self, result: ls.Result) -> None:
        """As many frames as asked for, drawn without pyplot."""
        animation = result.animation(seconds=1, fps=5)
        figure = animation._fig  # type: ignore[attr-defined]
        figure.canvas.draw()
        assert len(list(animation.new_frame_seq())) == 5
        assert figure.axes[0].texts

    def test_on_axes_of_the_caller(self, result: ls.Result) -> None:
        """Half as large: texts are too."""
        figure = Figure(figsize=(4.5, 2.6))
        FigureCanvasAgg(figure)
        ax = figure.add_axes((0, 0, 1, 1))
        animation = result.animation(ax=ax, seconds=1, fps=2)
        figure.canvas.draw()
        assert len(list(animation.new_frame_seq())) == 2
        title = next(text for text in ax.texts if text.get_text() == "house: execution environments at work")
        assert title.get_fontsize() == pytest.approx(6.5)

    def test_nothing_is_imported_before_it_is_asked_for(self) -> None:
        """No matplotlib with lambdasim, no pyplot with an animation."""
        code = (
            "import sys, lambdasim as ls; assert 'matplotlib' not in sys.modules;"
            "r = ls.simulate({'duration': '2s', 'functions': {'f': {'duration': '1s', 'init': '1s'}},"
            " 'traffic': {'t': {'function': 'f', 'rate': '2/s'}}}, seed=1);"
            "r.animate(seconds=1, fps=2); assert 'matplotlib.pyplot' not in sys.modules"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
