"""Changes during the run, as thin upright lines with a word on each."""

from __future__ import annotations

from matplotlib.axes import Axes

from lambdasim.metrics.run import Run
from lambdasim.report.pictures.style import Colour
from lambdasim.report.wording import change_text
from lambdasim.scenario.changes import in_time_order
from lambdasim.units import to_seconds

# More than this many would be a fence; the summary lists them all.
_MOST = 12


def mark_changes(ax: Axes, run: Run) -> None:
    """A line at each change of the scenario that came before the end of the run."""
    changes = [change for _, change in in_time_order(run.scenario.changes) if change.at <= run.log.end_ns]
    if len(changes) > _MOST:
        return
    for change in changes:
        at_s = to_seconds(change.at)
        ax.axvline(at_s, color=Colour.CEILING, linewidth=0.9, linestyle=(0, (5, 3)), label="change")
        ax.annotate(
            change_text(change),
            (at_s, 0.02),
            (-2, 0),
            ax.get_xaxis_transform(),
            "offset points",
            rotation=90,
            ha="right",
            va="bottom",
            fontsize=8,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 1.0},
        )
