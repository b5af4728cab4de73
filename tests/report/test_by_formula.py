"""What formulas say before a run, and the picture that has both."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from lambdasim.report.by_formula import ByFormula, by_formula
from lambdasim.report.pictures.explored import Course, course_of, explored
from tests.builders import scenario
from tests.report.runs import run_of

# Erlang B of ten servers and a load of ten, as in any table of it.
B_10_10 = 0.2146


def formula(**parts: Any) -> ByFormula:
    """The curves of a scenario that has them."""
    made = by_formula(scenario(**{"duration": "100s"} | parts), 1)
    assert isinstance(made, ByFormula)
    return made


def steady(rate: str, **more: Any) -> dict[str, Any]:
    """One source at a rate."""
    return {"t": {"function": "f", "rate": rate, **more}}


class TestByFormula:
    """Little's law and Erlang B over time."""

    def test_littles_law(self) -> None:
        """10 a second for 2 s each are 20 in flight, and a quota of 1,000 refuses none."""
        made = formula(traffic=steady("10/s"), functions={"f": {"duration": "2s"}})
        assert set(made.wanted.tolist()) == set(made.carried.tolist()) == {20.0}
        assert (made.most_wanted, made.refused_share) == (20, 0)

    def test_erlang_b(self) -> None:
        """A load of 10 on a quota of 10."""
        made = formula(traffic=steady("10/s"), region={"concurrency_quota": 10, "min_unreserved": 0})
        assert made.refused_share == pytest.approx(B_10_10, abs=5e-5)
        assert made.carried[0] == pytest.approx(10 * (1 - B_10_10), abs=1e-3)

    def test_stages_are_followed(self) -> None:
        """From 0 to 100 a second in 100 s, a second each: half way there are 50 in flight."""
        source = {"function": "f", "stages": [{"duration": "100s", "target": "100/s"}]}
        made = formula(traffic={"t": source})
        assert made.wanted[150] == pytest.approx(50)

    def test_reservations_are_pools_of_their_own(self) -> None:
        """A load of 1 on one reserved unit: half is refused. The other function has 9 of 10 left, and no load."""
        made = formula(
            functions={"f": {"reserved_concurrency": 1}, "g": {}},
            traffic=steady("1/s"),
            region={"concurrency_quota": 10, "min_unreserved": 0},
        )
        assert made.refused_share == pytest.approx(0.5)

    def test_requests_per_unit_and_second(self) -> None:
        """100 units take 1,000 requests a second; of 2,000 half is refused, although 20 are in flight on average."""
        made = formula(
            functions={"f": {"duration": "10ms"}},
            traffic=steady("2000/s"),
            region={"concurrency_quota": 100, "requests_per_concurrency": 10},
        )
        assert (made.most_wanted, made.refused_share) == (pytest.approx(20), pytest.approx(0.5))

    def test_a_change_of_the_quota_changes_what_is_carried(self) -> None:
        """1 a second for 1 s: of a quota of 1 half is refused, until at 50 s there are 100."""
        made = formula(
            traffic=steady("1/s"),
            region={"concurrency_quota": 1, "min_unreserved": 0},
            changes=[{"at": "50s", "region": {"concurrency_quota": 100}}],
        )
        assert made.carried[:150].tolist() == pytest.approx([0.5] * 150)
        assert made.carried[150:].tolist() == pytest.approx([1] * 150)

    @pytest.mark.parametrize(
        ("source", "reason"),
        [
            ({"virtual_users": 5, "think_time": "1s"}, "virtual users send by the answers"),
            ({"rate": "1/s", "invoke": "async"}, "events wait in a queue"),
        ],
    )
    def test_where_no_formula_holds_it_says_why(self, source: dict[str, Any], reason: str) -> None:
        """One sentence."""
        said = by_formula(scenario(traffic={"t": {"function": "f", **source}}), 1)
        assert isinstance(said, str)
        assert reason in said


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


class TestExplored:
    """The picture: by formula, simulated, and before."""

    def drawn(self, **parts: Any) -> Figure:
        """The picture of these parts."""
        nothing: dict[str, Any] = {"length_s": 300.0, "quotas": [(0.0, 25)], "formula": None}
        return explored(**(nothing | {"now": None, "before": None} | parts))

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
        assert set(line.get_ydata()) == {20}  # type: ignore[arg-type]
        assert "simulated" not in self.labels(figure, 0)
        assert "carried" not in self.labels(figure, 0)

    def test_what_the_limits_leave_has_a_line_where_it_differs(self) -> None:
        """A load of 10 on a quota of 10."""
        made = formula(traffic=steady("10/s"), region={"concurrency_quota": 10, "min_unreserved": 0})
        assert {"wanted", "carried", "quota"} <= self.labels(self.drawn(formula=made, quotas=[(0.0, 10)]), 0)

    def test_now_and_before(self) -> None:
        """Each in its panel; the legend counts refusals."""
        figure = self.drawn(now=self.course(), before=self.course())
        assert {"simulated", "before"} <= self.labels(figure, 0)
        assert {"refused", "refused before"} <= self.labels(figure, 1)
        legend = figure.axes[1].get_legend()
        assert legend is not None
        assert [text.get_text() for text in legend.get_texts()] == ["1 attempt refused", "1 before"]

    def test_a_quota_far_above_is_named_not_drawn(self) -> None:
        """Two in flight of 1,000."""
        figure = self.drawn(now=self.course(), quotas=[(0.0, 1000)])
        assert "quota" not in self.labels(figure, 0)
        assert figure.axes[0].get_ylim()[1] < 3
        legend = figure.axes[0].get_legend()
        assert legend is not None
        assert any("far above" in text.get_text().replace("\n", " ") for text in legend.get_texts())
