"""Picture: concurrency by simulation and by formula, quick to draw, for sliders that redraw it at every move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, StepPatch
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from lambdasim.metrics.levels import step_function
from lambdasim.metrics.run import Run
from lambdasim.report.by_formula import ByFormula
from lambdasim.report.pictures.style import Colour, PictureFigure, counted, legend, style
from lambdasim.report.pictures.time_axis import set_time_axis

FloatArray = npt.NDArray[np.float64]

_BINS = 300
# A quota further above the data than this would squash it.
_FARTHEST_QUOTA = 1.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A run in bins of equal length: the highest concurrency of each, and how many attempts were refused in it."""

    edges_s: FloatArray  # (n_bins + 1,)
    highest: npt.NDArray[np.int64]
    refused: npt.NDArray[np.int64]


def course_of(run: Run, length_ns: int) -> Course:
    """The first part of a run, of a given length."""
    edges_ns = np.linspace(0, max(length_ns, _BINS), _BINS + 1).astype(np.int64)
    instants, level = step_function(run.log.invocations.admitted_ns, run.log.invocations.end_ns)
    instants, level = np.append(-1, instants), np.append(0, level)
    # What a bin begins with counts in it too.
    at_start = level[np.searchsorted(instants, edges_ns[:-1], side="right") - 1]
    highest = at_start.astype(np.int64)
    inside = (instants >= 0) & (instants < edges_ns[-1])
    np.maximum.at(highest, np.searchsorted(edges_ns, instants[inside], side="right") - 1, level[inside])
    refused = np.histogram(run.log.throttles.time_ns, edges_ns)[0]
    return Course(edges_s=edges_ns / 1e9, highest=highest, refused=refused.astype(np.int64))


def beside_formula(
    *,
    length_s: float,
    quotas: list[tuple[float, int]],
    formula: ByFormula | None,
    now: Course | None,
    before: Course | None,
    figure: Figure | None = None,
) -> Figure:
    """Concurrency above, refused attempts below; ``before`` in grey. ``quotas``: (from when in seconds, quota).

    With ``figure``, one that was made here before, that one is drawn anew, which takes two thirds of the time.
    """
    with style():
        figure, upper, lower = _empty(figure)
        entries: list[tuple[Artist, str]] = []
        height = 1.0
        if now is not None:
            _steps(upper, now.highest, now.edges_s, fill=True, color="#9FC3DD", label="simulated")
            _steps(upper, now.highest, now.edges_s, color=Colour.BUSY.value, linewidth=1.2)
            entries.append((Patch(facecolor="#9FC3DD", edgecolor=Colour.BUSY.value), "simulated"))
            height = max(height, float(now.highest.max()))
        if before is not None:
            line: dict[str, Any] = {"color": Colour.IN_FLIGHT.value, "linewidth": 1.2}
            _steps(upper, before.highest, before.edges_s, label="before", **line)
            entries.append((Line2D([], [], **line), "simulated before"))
            height = max(height, float(before.highest.max()))
        if formula is not None:
            line = {"color": "black", "linewidth": 1.3, "linestyle": (0, (4, 2))}
            upper.plot(formula.times_s, formula.wanted, label="wanted", **line)
            entries.append((Line2D([], [], **line), "by formula: rate × duration"))
            height = max(height, float(formula.wanted.max()))
            if formula.carried is not None and (formula.wanted - formula.carried).max() > 0.01 * formula.wanted.max():
                line = {"color": "black", "linewidth": 1.3}
                upper.plot(formula.times_s, formula.carried, label="carried", **line)
                entries.append((Line2D([], [], **line), "by formula: what the limits leave of it (Erlang B)"))
        entries += _draw_quota(upper, quotas, length_s, height)
        lower_entries = _draw_refused(lower, now, before)
        for axes in (upper, lower):
            set_time_axis(axes, length_s)
            axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
            axes.grid(True, axis="y")
        upper.set_xlabel("")
        upper.tick_params(labelbottom=False)
        upper.yaxis.set_major_locator(MaxNLocator(6, integer=True))
        lower.yaxis.set_major_locator(MaxNLocator(2, integer=True))
        upper.set_ylabel("in flight")
        lower.set_ylabel("refused")
        legend(upper, entries)
        legend(lower, lower_entries)
    return figure


def _empty(figure: Figure | None) -> tuple[Figure, Axes, Axes]:
    """A figure with its two axes, and nothing in them but their ticks."""
    if figure is None:
        figure = PictureFigure(figsize=(9.0, 4.0), dpi=100)
        FigureCanvasAgg(figure)
        return figure, figure.add_axes((0.1, 0.38, 0.665, 0.57)), figure.add_axes((0.1, 0.13, 0.665, 0.17))
    upper, lower = figure.axes
    for axes in (upper, lower):
        for artist in [*axes.lines, *axes.artists, *axes.patches]:
            artist.remove()
        if (entries := axes.get_legend()) is not None:
            entries.remove()
    return figure, upper, lower


def in_words(
    *, quotas: list[tuple[float, int]], formula: ByFormula | None, now: Course | None, before: Course | None
) -> str:
    """What the picture shows, for who does not see it."""
    said = []
    for name, course in (("simulated", now), ("simulated before the last change", before)):
        if course is not None:
            most, refused = int(course.highest.max()), int(course.refused.sum())
            said.append(f"{name} at most {most:,}, {counted(refused, 'attempt')} refused")
    if formula is not None:
        said.append(f"by formula at most {formula.most_wanted:,.0f}")
    said.append(_quota_text(quotas))
    return f"Requests in flight and refused attempts over time: {'; '.join(said)}."


def _quota_text(quotas: list[tuple[float, int]]) -> str:
    return "account quota " + ", then ".join(f"{quota:,}" for _, quota in quotas)


def _steps(ax: Axes, values: npt.NDArray[np.int64], edges_s: FloatArray, *, fill: bool = False, **how: Any) -> None:
    """As ``Axes.stairs`` without its search for the limits of the data, which takes most of its time."""
    ax.add_artist(StepPatch(values, edges_s, baseline=0 if fill else None, fill=fill, **how))  # type: ignore[arg-type]


def _draw_quota(ax: Axes, quotas: list[tuple[float, int]], length_s: float, height: float) -> list[tuple[Artist, str]]:
    near = [quota for _, quota in quotas if quota <= _FARTHEST_QUOTA * height]
    ax.set_ylim(0, max([height, *near]) * 1.06)
    text = _quota_text(quotas)
    if not near:
        return [(Line2D([], [], linestyle="none"), f"{text}: far above")]
    line: dict[str, Any] = {"color": Colour.CEILING.value, "linestyle": ":", "linewidth": 1.8}
    steps = [*quotas, (length_s, quotas[-1][1])]
    ax.plot(*zip(*steps, strict=True), drawstyle="steps-post", label="quota", scalex=False, scaley=False, **line)
    return [(Line2D([], [], **line), text)]


def _draw_refused(ax: Axes, now: Course | None, before: Course | None) -> list[tuple[Artist, str]]:
    """Refused attempts, bin by bin; an axis of at least 1, so that none looks like none."""
    entries: list[tuple[Artist, str]] = []
    most = 1.0
    if now is not None:
        _steps(ax, now.refused, now.edges_s, fill=True, color=Colour.THROTTLED.value, label="refused")
        total = int(now.refused.sum())
        entries.append((Patch(color=Colour.THROTTLED.value), f"{counted(total, 'attempt')} refused"))
        most = max(most, float(now.refused.max()))
    if before is not None:
        line: dict[str, Any] = {"color": Colour.IN_FLIGHT.value, "linewidth": 1.0}
        _steps(ax, before.refused, before.edges_s, label="refused before", **line)
        entries.append((Line2D([], [], **line), f"{int(before.refused.sum()):,} before"))
        most = max(most, float(before.refused.max()))
    ax.set_ylim(0, most * 1.1)
    return entries
