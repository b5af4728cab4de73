"""Areas between steps: drawn in the very colours of the legend, however thin."""

from __future__ import annotations

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from lambdasim.metrics.run import Run
from lambdasim.report.pictures import Pictures
from lambdasim.report.pictures.areas import draw_area
from lambdasim.report.pictures.concurrency import concurrency
from lambdasim.report.pictures.stack import PIXELS, concurrency_stack
from lambdasim.report.pictures.style import Colour
from tests.report.runs import area_of, run_of, texts_of

WHITE = (255, 255, 255)


def pixels_of(figure: Figure) -> np.ndarray:
    """The picture as integers, shape (height, width, 3), from the top."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].astype(int)


def colours_of(pixels: np.ndarray) -> set[tuple[int, ...]]:
    """Every colour there is."""
    return {tuple(colour) for colour in np.unique(pixels.reshape(-1, 3), axis=0).tolist()}


def rgb(colour: str) -> tuple[int, ...]:
    """From 0 to 255."""
    return tuple(round(255 * part) for part in to_rgb(colour))


def bursts(**parts: object) -> Run:
    """Twenty requests one after the other of 20 ms each, in bursts 10 s apart: a pixel is 147 ms of 100 s."""
    rows = [10 * burst + 0.05 * number for burst in range(10) for number in range(20)]
    return run_of(rows=rows, functions={"f": {"duration": "20ms"}}, duration="100s", **parts)


class TestAreas:
    """One area alone."""

    def test_thin_columns_have_the_colour_itself(self) -> None:
        """Columns of a tenth, a half and more than a pixel on an axes of 100 pixels: a whole pixel each, unblended."""
        figure = Figure(figsize=(1, 1), dpi=100)
        ax = figure.add_axes((0, 0, 1, 1))
        ax.set_axis_off()
        edges = np.array([10.3, 10.4, 20.2, 20.7, 30.6, 31.3, 99])
        above = np.array([50.0, 0, 50, 0, 50, 0, 0])
        draw_area(ax, edges, np.zeros(7), above, label="busy", color=Colour.BUSY)
        ax.set_xlim(0, 100)
        ax.set_ylim(0, 100)
        pixels = pixels_of(figure)
        assert colours_of(pixels) == {WHITE, rgb(Colour.BUSY)}
        assert np.flatnonzero((pixels[70] != 255).any(axis=1)).tolist() == [10, 20, 30, 31]

    def test_a_run_of_no_time_has_no_area(self) -> None:
        """One instant alone is no interval."""
        ax = Figure().subplots()
        draw_area(ax, np.zeros(1), np.zeros(1), np.ones(1), label="busy")
        assert not ax.patches


class TestConcurrency:
    """The picture of concurrency, where requests are shorter than its pixels."""

    def test_no_colour_of_something_else(self) -> None:
        """Init is 0 s: within the axes, no pixel has a shade between dark blue and white."""
        run = bursts()
        assert concurrency_stack(run).is_exact
        ax = Pictures(run).concurrency()
        figure = ax.get_figure(root=True)
        assert isinstance(figure, Figure)
        pixels = pixels_of(figure)
        left, right = (round(float(x)) for x in (ax.bbox.x0, ax.bbox.x1))
        # Below a half: no label and no grid line are there, only what was in flight.
        low = round(len(pixels) - ax.bbox.y0 - 0.4 * ax.bbox.height)
        inside = pixels[low : low + 40, left + 4 : right - 4]
        assert colours_of(inside) == {WHITE, rgb(Colour.BUSY)}

    def test_what_is_free_lies_behind_what_is_in_use(self) -> None:
        """A dip of a reservation that is thinner than a pixel does not cover a column."""
        run = run_of(rows=[0, 1], functions={"f": {"reserved_concurrency": 2}}, duration="5s")
        orders = {patch.get_label(): patch.get_zorder() for patch in concurrency(run).patches}
        assert orders["reserved, not in use"] < orders["busy"]

    def test_nobody_waits_for_an_init_of_nothing(self) -> None:
        """Neither in the picture nor in its legend; a single wait brings it back."""
        assert "waiting for an init" not in texts_of(Pictures(bursts()).concurrency())
        once = run_of(rows=[0, 5], functions={"f": {"init": "1s"}}, duration="9s")
        ax = Pictures(once).concurrency()
        assert "waiting for an init" in texts_of(ax)
        assert area_of(ax, "waiting for an init")[2].max() == 1

    def test_a_reservation_is_space_without_any_wait_as_well(self) -> None:
        """3 reserved, two in use."""
        stack = concurrency_stack(run_of(rows=[0, 0], functions={"f": {"reserved_concurrency": 3}}, duration="5s"))
        assert [(slot.reserved, len(slot.bands)) for slot in stack.slots] == [(3, 1)]

    def test_what_is_too_short_to_be_seen_is_under_a_line(self) -> None:
        """100 ms of a day, in pixels of two minutes: an area of a thousandth, and the highest level as a line."""
        run = run_of(rows=[3_600, 40_000], functions={"f": {"duration": "100ms"}}, duration="24h")
        stack = concurrency_stack(run)
        assert not stack.is_exact
        assert len(stack.times_ns) == PIXELS + 1
        assert stack.slots[0].peak.max() == 1
        (line,) = [line for line in Pictures(run).concurrency().lines if line.get_label() == "highest"]
        assert line.get_ydata().max() == 1
        assert concurrency_stack(run_of(rows=[3_600], functions={"f": {"duration": "1m"}}, duration="24h")).is_exact
