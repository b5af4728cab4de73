"""Changes during the run, as thin upright lines with a few words on each."""

from __future__ import annotations

from bisect import bisect_left
from itertools import groupby

from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties

from lambdasim.metrics.run import Run
from lambdasim.report.pictures.style import Colour, height_pt, shortened, wrapped
from lambdasim.report.wording import change_text
from lambdasim.scenario.changes import in_time_order
from lambdasim.units import to_seconds

# More than this many would be a fence; the summary lists them all.
_MOST = 12

_FONT = FontProperties(family="DejaVu Sans", size=8)
_MOST_LINES, _MOST_LETTERS = 2, 200
_ROOM = 0.94  # of the height of the axes


def mark_changes(ax: Axes, run: Run) -> None:
    """A line at each change of the scenario that came before the end of the run."""
    changes = [change for _, change in in_time_order(run.scenario.changes) if change.at <= run.log.end_ns]
    if len(changes) > _MOST:
        return
    for at_ns, together in groupby(changes, key=lambda change: change.at):
        at_s = to_seconds(at_ns)
        text = "; ".join(map(change_text, together))  # of one instant, or one label would hide the others
        ax.axvline(at_s, color=Colour.CEILING, linewidth=0.9, linestyle=(0, (5, 3)), label="change")
        ax.annotate(
            label_of(text, _ROOM * height_pt(ax)),
            (at_s, 0.02),
            (-2, 0),
            ax.get_xaxis_transform(),
            "offset points",
            rotation=90,
            ha="right",
            va="bottom",
            fontproperties=_FONT,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 1.0},
        )


def label_of(text: str, length_pt: float) -> str:
    """The words of a change on at most two lines of this length in points; what is longer loses its middle."""

    def lines_of(letters: int) -> list[str]:
        return wrapped(shortened(text, letters), length_pt, _FONT)

    letters = len(text)
    if letters > _MOST_LETTERS or len(lines_of(letters)) > _MOST_LINES:
        candidates = range(1, min(letters, _MOST_LETTERS) + 1)
        letters = bisect_left(candidates, _MOST_LINES + 1, key=lambda number: len(lines_of(number)))
    return "\n".join(lines_of(letters))
