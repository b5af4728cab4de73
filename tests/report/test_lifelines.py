"""Rows, bars and shares of the picture of execution environments."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_hex

from lambdasim.metrics.run import Run
from lambdasim.report.pictures import Pictures
from lambdasim.report.pictures.lifelines import rows_of, shared_rows, shares
from lambdasim.report.pictures.occupancy import covered
from lambdasim.report.pictures.style import (
    Colour,
)
from tests.behaviour.capacity_timeline import to
from tests.builders import trace
from tests.report.runs import labelled, run_of, texts_of, two_functions


def numbers_of(ax: Axes) -> dict[float, str]:
    """The labels of rows, by where they are."""
    return dict(zip(ax.get_yticks(), (label.get_text() for label in ax.get_yticklabels()), strict=True))


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
        assert "a handler starts" in texts_of(ax)

    def test_a_mark_is_after_the_init(self) -> None:
        """It came at 1 s and its handler starts at 3 s."""
        ax = Pictures(run_of(rows=[1], functions={"f": {"init": "2s"}}, duration="20s")).lifelines()
        (marks,) = [found for found in ax.collections if isinstance(found, LineCollection)]
        assert [segment[0][0] for segment in marks.get_segments()] == [3]

    def test_environments_have_their_numbers_of_the_tables(self) -> None:
        """From 0, which is the oldest: each of two; of sixty every tenth."""
        run = run_of(rows=[0, 0], duration="20s")
        assert numbers_of(Pictures(run).lifelines()) == {0.5: "0", 1.5: "1"}
        many = Pictures(run_of(rows=[0] * 60, duration="20s")).lifelines()
        assert list(numbers_of(many).items())[:2] == [(0.5, "0"), (10.5, "10")]

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

    def test_shared_rows_are_the_lowest_free_ones(self) -> None:
        """Reaped at 3 s, the first leaves its row to the third; the fourth finds both taken, the fifth none."""
        lives = {"f": {"idle_timeout": "1s"}}
        log = run_of(
            rows=[(0, 2), (1, 4), (3, 2), (5.2, 2), (5.3, 2), (5.5, 2), 9], functions=lives, duration="10s"
        ).log
        assert (log.environments.created_ns / 1e9).tolist() == [0, 1, 3, 5.5, 9]
        assert (log.environments.reaped_ns[:4] / 1e9).tolist() == [3, 8.3, 8.2, 8.5]
        assert shared_rows(log).row.tolist() == [0, 1, 0, 2, 0]

    def test_each_function_has_shared_rows_of_its_own(self) -> None:
        """One row for b at the bottom, two for a above it."""
        made = shared_rows(two_functions().log)
        assert (made.row.tolist(), made.groups, made.total) == ([1, 0, 2], ((1, 0, 1), (0, 1, 2)), 3)

    def test_rows_are_used_again_where_few_live_at_once(self) -> None:
        """61 environments one after the other share a row, 60 do not; nor do 61 at once."""
        parts: dict[str, Any] = {"functions": {"f": {"idle_timeout": "1s"}}, "duration": "300s"}
        one_by_one = [run_of(rows=[4 * number for number in range(count)], **parts) for count in (61, 60)]
        assert [rows_of(run.log).total for run in one_by_one] == [1, 60]
        assert rows_of(run_of(rows=[0] * 61, **parts).log).total == 61
        ax = Pictures(one_by_one[0]).lifelines()
        assert ax.get_ylim() == (0, 1)
        assert ax.get_ylabel() == "row, used again"
        assert any("61 environments in 1 row, each used again when its environment is gone" in t for t in texts_of(ax))
        assert Pictures(one_by_one[1]).lifelines().get_ylabel() == "environment (0: oldest)"

    def test_provisioned_environments_have_the_lowest_rows(self) -> None:
        """Born after the one of 5 s, as they are asked for at 10 s; a line stands beside them."""
        function = {"provisioned_concurrency": 0, "provisioned_allocation": "unlimited"}
        run = run_of(functions={"f": function}, rows=[5, 12], duration="20s", changes=[to(10, 2)])
        assert run.log.environments.is_provisioned.tolist() == [False, True, True]
        made = rows_of(run.log)
        assert (made.row.tolist(), made.provisioned) == ([2, 0, 1], ((0, 2),))
        ax = Pictures(run).lifelines()
        bracket = labelled(ax, "provisioned")
        assert tuple(bracket.get_ydata()) == (0.1, 1.9)
        assert ax.get_ylabel() == "environment (provisioned first, then by age)"
        assert numbers_of(ax) == {0.5: "1", 1.5: "2", 2.5: "0"}
        assert "provisioned" in texts_of(ax)
        assert any("3 environments, 2 provisioned, 1 cold start, 2 invocations" in text for text in texts_of(ax))

    def test_shared_rows_of_provisioned_environments(self) -> None:
        """A row each for one on demand after another, above one provisioned environment after another; by function."""
        lives = {"provisioned_concurrency": 1, "idle_timeout": "1s", "max_age": "8s"}
        run = run_of(
            functions={"f": lives, "g": {}},
            traffic={
                "f": {"function": "f", "trace": trace([0, 0, 10, 10, 20, 20])},
                "g": {"function": "g", "trace": trace([3])},
            },
            duration="30s",
        )
        born = run.log.environments
        made = shared_rows(run.log)
        assert made.groups == ((1, 0, 1), (0, 1, 2))
        assert made.provisioned == ((1, 1),)
        assert born.is_provisioned.sum() == 3  # the first, and two in its place when it is 10 s old, and again
        expected = np.where(born.function == 1, 0, np.where(born.is_provisioned, 1, 2))
        assert made.row.tolist() == expected.tolist()

    def test_shared_rows_where_births_are_out_of_order(self) -> None:
        """The fourth was created at 9 s, by its init before its birth: both rows were taken then, until 10 and 11 s."""
        log = run_of(functions={"f": {"provisioned_concurrency": 4}}, rows=[0], duration="60s").log
        times = {"created_ns": [0, 0, 12, 9], "reaped_ns": [10, 11, 50, 50]}
        born = replace(log.environments, **{name: np.array(values) * 10**9 for name, values in times.items()})
        assert shared_rows(replace(log, environments=born)).row.tolist() == [0, 1, 0, 2]

    def test_no_line_without_provisioned_environments(self, spike: Run) -> None:
        """Nor a word of them."""
        assert rows_of(spike.log).provisioned == ()
        assert "provisioned" not in texts_of(Pictures(spike).lifelines())

    def test_the_heat_strip_of_shared_rows_holds_all_the_time(self) -> None:
        """Two seconds of each of 61 environments."""
        rows = [4 * number for number in range(61)]
        log = run_of(rows=rows, functions={"f": {"idle_timeout": "1s"}}, duration="300s").log
        cells = shares(log, rows_of(log), n_rows=1, bins=10)
        assert cells.alive.sum() * log.end_ns / 10 / 1e9 == pytest.approx(2 * 61)

    def test_covered_time_is_exact_within_and_across_cells(self) -> None:
        """Hand-computed: [0.5, 2.5) and [1, 1.5) on row 1 of a grid with cells of one second."""
        grid = covered(np.array([1, 1]), np.array([0.5, 1.0]), np.array([2.5, 1.5]), shape=(2, 4), span=4.0)
        assert grid.tolist() == [[0, 0, 0, 0], [0.5, 1.5, 0.5, 0]]
