"""The picture of what CloudWatch saw: exact concurrency, statistics of periods, counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties

from lambdasim.metrics.cloudwatch import cloudwatch_metrics, region_metrics
from lambdasim.metrics.run import Run
from lambdasim.report.pictures import Pictures
from lambdasim.report.pictures.change_marks import label_of
from lambdasim.report.pictures.cloudwatch import exact_concurrency, period_of, periods_of
from lambdasim.report.pictures.style import width_of
from tests.builders import trace
from tests.report.runs import MOST_POINTS, labelled, one_request, points_drawn, refused_run, run_of, texts_of

S = 10**9

_CHANGE_FONT = FontProperties(family="DejaVu Sans", size=8)

# Requests of 4 s each.
ROWS: dict[str, Any] = {"rows": [1, 2, 11, 12], "functions": {"f": {"duration": "4s"}}, "duration": "20s"}


def panels(ax: Axes) -> tuple[Axes, Axes]:
    """The upper and the lower panel."""
    upper, lower = ax.child_axes
    return upper, lower


class TestPeriod:
    """How long a period is."""

    @pytest.mark.parametrize(
        ("end_s", "period_s"),
        [
            (1e-9, 60), (10, 60), (90, 60), (900, 60), (3_600, 60), (6 * 3_600, 60),
            (24_000, 60), (24_001, 120), (86_400, 300), (7 * 86_400, 1_800),
        ],
    )  # fmt: skip
    def test_a_minute_or_more_for_days(self, end_s: float, period_s: float) -> None:
        """CloudWatch has no shorter one; at most 400 of them."""
        assert period_of(round(end_s * S)) == round(period_s * S)

    def test_the_axis_says_so(self) -> None:
        """The length of a period, also where a run is shorter than one."""
        _, lower = panels(Pictures(run_of(**ROWS)).cloudwatch())
        assert "periods of 1 min" in lower.get_xlabel()
        assert lower.get_ylabel() == "sum of each minute"
        _, lower = panels(Pictures(run_of(rows=[1], duration="30m")).cloudwatch())
        assert lower.get_xlabel().endswith("; periods of 1 min")
        assert lower.get_ylabel() == "sum of each minute"


class TestFigures:
    """What is drawn."""

    def test_statistics_by_hand(self) -> None:
        """In periods of 5 s: 1 and 2 at the two admissions; at 5 s one of them has just ended; the same again."""
        log = run_of(**ROWS).log
        made = periods_of(log, 5 * S)
        assert made.maximum.tolist() == [2, 1, 2, 1]
        assert made.average.tolist() == [1.5, 1, 1.5, 1]
        assert made.invocations.tolist() == [2, 0, 2, 0]
        assert made.throttles.tolist() == [0, 0, 0, 0]
        assert made.edges_s.tolist() == [0, 5, 10, 15, 20]

    def test_they_are_those_of_the_metrics_file(self, spike: Run) -> None:
        """The same rows, metric by metric."""
        rows = cloudwatch_metrics(spike.log, 5 * S, spike.scenario.limits_in_force())
        for metric, found in region_metrics(spike.log, 5 * S).items():
            assert found == [row for row in rows if row.metric == metric and not row.function]

    def test_sums_are_those_of_the_summary(self, spike: Run) -> None:
        """No invocation and no throttle is lost, also none at the end."""
        made = periods_of(spike.log, period_of(spike.log.end_ns))
        assert made.invocations.sum() == spike.summary["invocations"]["total"]
        assert made.throttles.sum() == spike.summary["attempts"]["throttles"]
        assert np.nanmax(made.maximum) == spike.summary["concurrency"]["peak"]

    def test_periods_without_data_have_no_concurrency(self) -> None:
        """CloudWatch has no point there, which is not a zero; counts are zero."""
        made = periods_of(run_of(rows=[0, 9], duration="10s").log, S)
        assert np.isnan(made.maximum[2:9]).all()
        assert made.invocations.tolist() == [1, *[0] * 8, 1]

    def test_exact_concurrency(self) -> None:
        """Event by event where there are few: up at 1 and 2, down at 5 and 6."""
        band = exact_concurrency(run_of(rows=[1, 2], functions={"f": {"duration": "4s"}}, duration="9s").log)
        assert band.times_ns.tolist() == [0, S, 2 * S, 5 * S, 6 * S, 9 * S]
        assert band.lowest.tolist() == band.highest.tolist() == [0, 1, 2, 1, 0, 0]

    def test_lowest_and_highest_of_many_events(self, spike: Run) -> None:
        """Between them lies what there was, and the highest of all is the peak."""
        band = exact_concurrency(spike.log)
        assert len(band.times_ns) < 700
        assert (band.lowest <= band.highest).all()
        assert (band.lowest < band.highest).any()
        assert band.lowest.min() == 0
        assert band.highest.max() == spike.summary["concurrency"]["peak"]

    def test_drawn_steps_are_the_statistics(self, spike: Run) -> None:
        """Maximum and average above, both counts below."""
        upper, lower = panels(Pictures(spike).cloudwatch())
        made = periods_of(spike.log, period_of(spike.log.end_ns))
        for ax, label, values in (
            (upper, "maximum", made.maximum), (upper, "average", made.average),
            (lower, "Invocations", made.invocations), (lower, "Throttles", made.throttles),
        ):  # fmt: skip
            np.testing.assert_array_equal(labelled(ax, label).get_data().values, values)
        assert upper.get_xlim() == lower.get_xlim()

    def test_legends_name_the_statistics(self, spike: Run) -> None:
        """With the sums, so that the picture can be compared with the tables."""
        upper, lower = panels(Pictures(spike).cloudwatch())
        assert {"Maximum of each minute", "in flight, event by event"} <= set(texts_of(upper))
        assert f"Throttles\n{spike.summary['attempts']['throttles']:,}" in texts_of(lower)


class TestEdges:
    """Runs with little in them, and long ones."""

    def test_nothing_was_accepted(self) -> None:
        """Throttles below, a sentence above."""
        upper, lower = panels(Pictures(refused_run([1, 2, 3])).cloudwatch())
        assert "Nothing was accepted." in texts_of(upper)
        assert labelled(lower, "Throttles").get_data().values.sum() == 3

    def test_no_requests(self) -> None:
        """A sentence in place of the picture."""
        ax = Pictures(refused_run([])).cloudwatch()
        assert "There were no requests." in texts_of(ax)
        assert ax.child_axes == []

    def test_ten_years_are_not_more_to_draw(self) -> None:
        """Days have longer periods."""
        assert points_drawn(Pictures(one_request(duration="87600h")).cloudwatch().figure) < MOST_POINTS

    def test_changes_are_marked(self) -> None:
        """As in the picture of concurrency."""
        ax = Pictures(run_of(rows=[1], duration="5s", changes=[{"at": "2s", "deploy": "f"}])).cloudwatch()
        assert "deploy f" in texts_of(panels(ax)[0])

    @pytest.mark.parametrize("count", [1, 2, 4, 20])
    def test_labels_of_changes_stay_within_the_panel(self, count: int) -> None:
        """On two lines where one is too long, shortened where two are."""
        names = [f"a-rather-long-name-{number}" for number in range(count)]
        run = run_of(
            traffic={"t": {"function": names[0], "trace": trace([1])}},
            functions={name: {} for name in names},
            duration="5s",
            changes=[{"at": "2s", "functions": {name: {"duration": "3s"} for name in names}}],
        )
        for ax in (panels(Pictures(run).cloudwatch())[0], Pictures(run).concurrency()):
            ax.figure.canvas.draw()
            (label,) = [text for text in ax.texts if text.get_rotation() == 90]
            extent = label.get_window_extent()
            assert ax.bbox.y0 <= extent.y0
            assert extent.y1 <= ax.bbox.y1
            assert label.get_text().count("\n") < 2
            assert count == 4 or ("…" in label.get_text()) == (count == 20)

    def test_changes_of_one_instant_share_a_label(self) -> None:
        """Two labels at one place would hide each other."""
        changes = [{"at": "2s", "deploy": "f"}, {"at": "2s", "region": {"concurrency_quota": 500}}]
        upper, _ = panels(Pictures(run_of(rows=[1], duration="5s", changes=changes)).cloudwatch())
        assert [text for text in texts_of(upper) if "deploy" in text or "500" in text] == ["deploy f; quota 500"]

    def test_label_of_a_change_by_hand(self) -> None:
        """One line for what fits, two for twice as much, then the middle goes."""
        width = width_of("other duration", _CHANGE_FONT) + 1
        assert label_of("other duration", width) == "other duration"
        assert label_of("other duration other errors", width) == "other duration\nother errors"
        cut = label_of("other duration and then other errors and much more", width)
        assert cut.count("\n") == 1
        assert cut.startswith("other")
        assert cut.endswith("more")
        assert "…" in cut
