"""The picture of a run beside what formulas say, and the course of a run in it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from lambdasim.report.pictures.beside_formula import Course, beside_formula, course_of, in_words
from lambdasim.report.pictures.style import png
from tests.report.runs import run_of
from tests.report.test_by_formula import formula, steady


class TestCourse:
    """A run in 300 bins."""

    def test_highest_concurrency_and_refusals_of_each_bin(self) -> None:
        """Bins of a second: two at work until 1 s, one from 10 s to 11 s; the third request is refused at 0."""
        run = run_of(rows=[0, 0, 0, 10], region={"concurrency_quota": 2}, duration="300s")
        made = course_of(run, 300 * 10**9)
        assert np.flatnonzero(made.highest).tolist() == [0, 10]
        assert made.highest[[0, 10]].tolist() == [2, 1]
        assert (made.refused[0], made.refused.sum()) == (1, 1)

    def test_what_lasts_is_in_every_bin(self) -> None:
        """A request of 5 s from 2 s on: the bins that nothing begins in have it too."""
        made = course_of(run_of(rows=[(2, 5)], duration="300s"), 300 * 10**9)
        assert np.flatnonzero(made.highest).tolist() == [2, 3, 4, 5, 6]


class TestPicture:
    """The picture: by formula, simulated, and before."""

    def drawn(self, **parts: Any) -> Figure:
        """The picture of these parts."""
        nothing: dict[str, Any] = {"length_s": 300.0, "quotas": [(0.0, 25)], "formula": None}
        return beside_formula(**(nothing | {"now": None, "before": None} | parts))

    def course(self) -> Course:
        """The run above."""
        run = run_of(rows=[0, 0, 0, 10], region={"concurrency_quota": 2}, duration="300s")
        return course_of(run, 300 * 10**9)

    def labels(self, figure: Figure, panel: int) -> set[str]:
        """What is drawn on a panel."""
        return {str(artist.get_label()) for artist in figure.axes[panel].get_children()}

    def test_the_formula_stands_alone_at_first(self) -> None:
        """A dashed line at 20; nothing is simulated, nothing refused."""
        figure = self.drawn(formula=formula(traffic=steady("10/s"), functions={"f": {"duration": "2s"}}))
        (line,) = [line for line in figure.axes[0].lines if line.get_label() == "wanted"]
        assert max(line.get_ydata()) == pytest.approx(20)  # type: ignore[type-var]
        assert "simulated" not in self.labels(figure, 0)
        assert "carried" not in self.labels(figure, 0)

    def test_what_the_limits_leave_has_a_line_where_it_differs(self) -> None:
        """A load of 10 on a quota of 10."""
        made = formula(traffic=steady("10/s"), region={"concurrency_quota": 10, "min_unreserved": 0})
        assert {"wanted", "carried", "quota"} <= self.labels(self.drawn(formula=made, quotas=[(0.0, 10)]), 0)

    def test_where_nothing_is_known_of_refusals_there_is_no_such_line(self) -> None:
        """Evenly spaced requests: what is wanted is drawn, and no more."""
        traffic = steady("10/s", arrivals="uniform")
        made = formula(traffic=traffic, region={"concurrency_quota": 10, "min_unreserved": 0})
        labels = self.labels(self.drawn(formula=made, quotas=[(0.0, 10)]), 0)
        assert "wanted" in labels
        assert "carried" not in labels

    def test_now_and_before(self) -> None:
        """Each in its panel; the legend counts refusals."""
        figure = self.drawn(now=self.course(), before=self.course())
        assert {"simulated", "before"} <= self.labels(figure, 0)
        assert {"refused", "refused before"} <= self.labels(figure, 1)
        legend = figure.axes[1].get_legend()
        assert legend is not None
        assert [text.get_text() for text in legend.get_texts()] == ["1 attempt refused", "1 before"]

    def test_a_figure_can_be_drawn_again(self) -> None:
        """It is the same, to the byte, whatever was on it before: other axes, more lines, both legends."""
        made = formula(traffic=steady("10/s"), region={"concurrency_quota": 10, "min_unreserved": 0})
        parts: dict[str, Any] = {"formula": made, "now": self.course(), "quotas": [(0.0, 10)], "length_s": 70.0}
        used = self.drawn(now=self.course(), before=self.course(), length_s=4_000.0, quotas=[(0.0, 2), (9.0, 3)])
        png(used)
        assert png(self.drawn(**parts, figure=used)) == png(self.drawn(**parts))
        assert png(self.drawn(figure=used)) == png(self.drawn())

    def test_a_quota_far_above_is_named_not_drawn(self) -> None:
        """Two in flight of 4; a quota of 3 would leave them enough of the height."""
        assert "quota" in self.labels(self.drawn(now=self.course(), quotas=[(0.0, 3)]), 0)
        figure = self.drawn(now=self.course(), quotas=[(0.0, 4)])
        assert "quota" not in self.labels(figure, 0)
        assert figure.axes[0].get_ylim()[1] < 3
        legend = figure.axes[0].get_legend()
        assert legend is not None
        assert any("far above" in text.get_text().replace("\n", " ") for text in legend.get_texts())


class TestInWords:
    """For who does not see the picture."""

    def test_all_of_it(self) -> None:
        """The peaks, what is refused, and the quota, now and later."""
        now = course_of(run_of(rows=[0, 0, 0, 10], region={"concurrency_quota": 2}, duration="300s"), 300 * 10**9)
        before = course_of(run_of(rows=[0, 0, 0], region={"concurrency_quota": 3}, duration="300s"), 300 * 10**9)
        made = formula(traffic=steady("10/s"), functions={"f": {"duration": "2s"}})
        assert in_words(quotas=[(0.0, 1_000), (9.0, 3_000)], formula=made, now=now, before=before) == (
            "Requests in flight and refused attempts over time: simulated at most 2, 1 attempt refused; simulated"
            " before the last change at most 3, 0 attempts refused; by formula at most 20; account quota 1,000, then"
            " 3,000."
        )

    def test_at_first_there_is_the_formula_alone(self) -> None:
        """And without a formula only the quota."""
        words = in_words(quotas=[(0.0, 25)], formula=None, now=None, before=None)
        assert words == "Requests in flight and refused attempts over time: account quota 25."
