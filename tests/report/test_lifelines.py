"""Rows, bars and shares of the picture of execution environments."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_hex

from lambdasim.metrics.run import Run
from lambdasim.report.pictures import Pictures
from lambdasim.report.pictures.lifelines import rows_of, shares
from lambdasim.report.pictures.occupancy import covered
from lambdasim.report.pictures.style import (
    Colour,
)
from tests.report.runs import run_of, two_functions


class TestLifelines:
    """Rows, bars and shares of execution environments."""

    def test_bars_span_init_busy_and_idle_times(self) -> None:
        """One environment: init 0-1 s, work 1-2 s and 5-6 s, idle until it is reaped at 16 s."""
        run = run_of(rows=[0, 5], functions={"f": {"init": "1s", "idle_timeout": "10s"}}, duration="20s")
        spans = {}
        for bars in Pictures(run).lifelines().collections:
            if isinstance(bars, PolyCollection):
                vertices = [path.vertices for path in bars.get_paths()]
                spans[to_hex(bars.get_facecolor()[0]).upper()] = [(v[:, 0].min(), v[:, 0].max()) for v in vertices]
        assert spans == {Colour.IDLE: [(1, 16)], Colour.COLD: [(0, 1)], Colour.BUSY: [(1, 2), (5, 6)]}

    def test_ticks_mark_the_starts_of_requests(self) -> None:
        """Each request that reached a handler has its mark."""
        ax = Pictures(run_of(rows=[1, 4, 7], duration="20s")).lifelines()
        (marks,) = [found for found in ax.collections if isinstance(found, LineCollection)]
        assert [segment[0][0] for segment in marks.get_segments()] == [1, 4, 7]

    def test_environments_never_reaped_last_until_the_end(self) -> None:
        """An environment without an end is drawn up to the end of the run."""
        ax = Pictures(run_of(rows=[3], duration="20s")).lifelines()
        assert ax.collections[0].get_paths()[0].vertices[:, 0].max() == 20

    def test_functions_have_groups_of_rows_in_file_order_from_the_top(self) -> None:
        """Within a group the oldest environment is the lowest."""
        run = two_functions()
        assert rows_of(run.log).row.tolist() == [1, 0, 2]
        ax = Pictures(run).lifelines()
        assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]

    def test_the_heat_strip_holds_all_the_time_of_the_run(self, spike: Run) -> None:
        """Shares over the grid add up to the environment-seconds and busy seconds of the log."""
        cells = shares(spike.log, rows_of(spike.log), n_rows=7, bins=13)
        width_s = spike.log.end_ns / 13 / 1e9
        environments, invocations = spike.log.environments, spike.log.invocations
        gone = np.where(environments.reaped_ns < 0, spike.log.end_ns, environments.reaped_ns)
        assert cells.alive.sum() * width_s == pytest.approx((gone - environments.created_ns).sum() / 1e9)
        worked = spike.log.clipped_end_ns - invocations.handler_ns
        assert cells.busy.sum() * width_s == pytest.approx(worked.sum() / 1e9)

    def test_many_environments_become_a_heat_strip(self) -> None:
        """Above 200 environments an image stands in for the bars."""
        ax = Pictures(run_of(rows=[0.0] * 201, duration="5s")).lifelines()
        assert len(ax.images) == 1
        assert ax.get_ylim() == (0, 201)
        assert not ax.collections

    def test_covered_time_is_exact_within_and_across_cells(self) -> None:
        """Hand-computed: [0.5, 2.5) and [1, 1.5) on row 1 of a grid with cells of one second."""
        grid = covered(np.array([1, 1]), np.array([0.5, 1.0]), np.array([2.5, 1.5]), shape=(2, 4), span=4.0)
        assert grid.tolist() == [[0, 0, 0, 0], [0.5, 1.5, 0.5, 0]]
