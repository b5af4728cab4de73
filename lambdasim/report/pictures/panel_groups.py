"""Pictures of several panels over the same time: for each queue or stream a heading and its panels, group by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator, StrMethodFormatter

from lambdasim.metrics.levels import peak
from lambdasim.report.pictures.ages import even_times
from lambdasim.report.pictures.areas import draw_area
from lambdasim.report.pictures.stack import PIXELS, changes_of, level_of
from lambdasim.report.pictures.style import Colour, Header, open_axes, time_text, wrapped
from lambdasim.report.pictures.time_axis import TimeLocator, set_time_axis

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
Entries = list[tuple[Artist, str]]

_GAP_PX, _GROUP_GAP_PX, _LEFT_PX = 16, 40, 110
_LABEL_AT = -0.108  # the words beside the y axes, one below the other
_HEADING_FONT = FontProperties(family="DejaVu Sans", size=10, weight="bold")
_HEADING_WIDTH_PT, _HEADING_LINE_PX, _HEADING_PAD_PX = 620.0, 18, 8
_ROUND = [1, 2, 5, 10]
_ROOM_FOR_MARKS = 1.27

# A limit further above the data than this is not drawn as a line: it would squash the data.
FARTHEST = 2.0
PAPER: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A heading and the heights of its panels in pixels, from the top."""

    heading: str
    heights_px: Sequence[int]


def open_groups(ax: Axes | None, top: Header, groups: Sequence[Group]) -> tuple[Axes, list[list[Axes]]]:
    """The axes of the picture, and the panels of each group inside them."""
    headings = [wrapped(group.heading, _HEADING_WIDTH_PT, _HEADING_FONT) for group in groups]
    offsets: list[list[tuple[int, int]]] = []
    high = 0
    for group, lines in zip(groups, headings, strict=True):
        high += _HEADING_LINE_PX * len(lines) + _HEADING_PAD_PX
        offsets.append([])
        for height in group.heights_px:
            high += height
            offsets[-1].append((high, height))
            high += _GAP_PX
        high += _GROUP_GAP_PX - _GAP_PX
    whole = high - _GROUP_GAP_PX
    axes = open_axes(ax, top, plot_px=whole, left_px=_LEFT_PX)
    axes.set_axis_off()
    panels = [
        [axes.inset_axes((0, 1 - low / whole, 1, height / whole)) for low, height in of_group] for of_group in offsets
    ]
    for of_group, lines in zip(panels, headings, strict=True):
        of_group[0].annotate(
            "\n".join(lines),
            (0, 1),
            (0, 6),
            "axes fraction",
            "offset points",
            fontproperties=_HEADING_FONT,
            va="bottom",
            annotation_clip=False,
        )
    return axes, panels


def finish_groups(panels: Sequence[Sequence[Axes]], end_ns: int, *, is_exact: bool) -> None:
    """Time axes and grids; the numbers are below each group, the words below the last one."""
    note = "" if is_exact else f"; numbers: mean over {time_text(end_ns // PIXELS)}, ages: highest in it"
    for of_group in panels:
        for panel in of_group:
            set_time_axis(panel, end_ns / 1e9)
            panel.set_axisbelow(True)
            panel.grid(True, axis="y")
            panel.yaxis.set_label_coords(_LABEL_AT, 0.5)
            if panel is not of_group[-1]:
                panel.tick_params(axis="x", labelbottom=False)
            label = panel.get_xlabel() + note
            panel.set_xlabel(label if panel is panels[-1][-1] else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One layer of a stack: what it counts from start to end, and its look."""

    label: str
    look: Mapping[str, Any]
    start_ns: IntArray
    end_ns: IntArray


def draw_layers(ax: Axes, layers: Sequence[Layer], end_ns: int) -> tuple[Entries, bool]:
    """Layers from the bottom; legend entries from the top, and whether the levels are exact.

    With few changes they are, with more changes than pixels they are means over equal intervals.
    """
    layers = [layer for layer in layers if len(layer.start_ns)]
    spans = [(layer.start_ns, layer.end_ns) for layer in layers]
    exact = changes_of(spans, end_ns) if spans else np.array([0, end_ns])
    times_ns = even_times(end_ns) if exact is None else exact
    below = np.zeros(len(times_ns))
    entries: Entries = []
    for layer, span in zip(layers, spans, strict=True):
        above = below + level_of(*span, times_ns, is_exact=exact is not None)
        draw_area(ax, times_ns / 1e9, below, above, label=layer.label, **layer.look)
        entries.append((Patch(**layer.look), f"{layer.label}\nat most {peak(*span):,}"))
        below = above
    set_count_axis(ax, float(below.max()), room=_ROOM_FOR_MARKS)
    return entries[::-1], exact is not None


def set_count_axis(ax: Axes, highest: float, *, room: float = 1.15, ticks: int = 4) -> None:
    """A y axis of whole numbers from 0."""
    ax.set_ylim(0, max(highest, 1) * room)
    ax.yaxis.set_major_locator(MaxNLocator(ticks, integer=True, steps=_ROUND))
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


def draw_running_totals(ax: Axes, totals: Sequence[tuple[str, str, IntArray]], end_ns: int) -> Entries:
    """What has come so far, one upon the other: (label, colour, times) of each; those without any are left out."""
    totals = [(label, colour, np.sort(times)) for label, colour, times in totals if len(times)]
    exact = changes_of([(times, np.full(len(times), -1)) for _, _, times in totals], end_ns)
    times_ns = even_times(end_ns) if exact is None else exact
    below = np.zeros(len(times_ns))
    entries: Entries = []
    for label, colour, came_ns in totals:
        above = below + np.searchsorted(came_ns, times_ns, side="right")
        draw_area(ax, times_ns / 1e9, below, above, label=label, color=colour)
        entries.append((Patch(color=colour), f"{label}\n{len(came_ns):,}"))
        below = above
    set_count_axis(ax, float(below.max()), ticks=3)
    return entries[::-1]


def draw_age(ax: Axes, line: tuple[IntArray, IntArray], label: str, limits: Sequence[tuple[str, int]]) -> Entries:
    """The age of the oldest over time, with those limits (name, ns) that are near it."""
    times_ns, ages_ns = line
    look: dict[str, Any] = {"color": Colour.EVERYTHING.value, "linewidth": 1.3}
    ax.fill_between(times_ns / 1e9, 0, ages_ns / 1e9, color="#777777", alpha=0.15, linewidth=0)
    ax.plot(times_ns / 1e9, ages_ns / 1e9, label=label, **look)
    highest = max(int(ages_ns.max(initial=0)), 1)
    near = [(name, limit) for name, limit in limits if limit <= FARTHEST * highest]
    top = max([highest, *(limit for _, limit in near)]) / 1e9 * 1.18
    ax.set_ylim(0, top)
    for name, limit in near:
        draw_limit(ax, limit / 1e9, f"{name}, {time_text(limit)}", name, is_right=_is_freer_right(line, limit))
    far = [(name, limit) for name, limit in limits if limit > FARTHEST * highest]
    if far:
        text = "; ".join(f"{name}, {time_text(limit)}" for name, limit in far)
        ax.annotate(
            f"↑ {text}: above the scale",
            (0, 1),
            (4, -2),
            "axes fraction",
            "offset points",
            va="top",
            fontsize=8,
            bbox=PAPER,
        )
    ax.yaxis.set_major_locator(TimeLocator(4))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda age_s, _: time_text(round(age_s * 1e9))))
    ax.set_ylabel("age of the\noldest")
    return [(Line2D([], [], **look), f"{label}\nat most {time_text(highest if ages_ns.any() else 0)}")]


def _is_freer_right(line: tuple[IntArray, IntArray], limit_ns: int) -> bool:
    """Whether words at that height are farther from the line at the right end of the axes than at the left."""
    times_ns, distance = line[0], np.abs(line[1] - limit_ns)
    quarter = times_ns[-1] / 4
    return bool(distance[times_ns >= 3 * quarter].min() > distance[times_ns <= quarter].min())


def draw_limit(ax: Axes, at: float, text: str, label: str, *, is_right: bool = False) -> None:
    """A dashed line across the axes, with a few words on it; below it where there is no room above."""
    low = at > 0.8 * ax.get_ylim()[1]
    ax.axhline(at, color=Colour.CEILING, linewidth=1.2, linestyle="--", label=label)
    ax.annotate(
        text,
        (1 if is_right else 0, at),
        (-4 if is_right else 4, -2 if low else 2),
        ax.get_yaxis_transform(),
        "offset points",
        ha="right" if is_right else "left",
        va="top" if low else "bottom",
        fontsize=8,
        bbox=PAPER,
    )


def note_most(ax: Axes, text: str) -> None:
    """A few words in the upper right corner."""
    ax.annotate(text, (1, 1), (-4, -1), "axes fraction", "offset points", ha="right", va="top", fontsize=8, bbox=PAPER)


# Of the width of the axes, at the size of such words.
_SHARE_OF_A_LETTER = 0.0075


def mark_times(panels: Sequence[Axes], marks: Sequence[tuple[int, str]], end_ns: int) -> None:
    """Dotted lines through the panels of a group, with words on the first one, one below the other."""
    for row, (at_ns, label) in enumerate(reversed(marks)):
        at_s = at_ns / 1e9
        for panel in panels:
            panel.axvline(at_s, color=Colour.EVERYTHING, linewidth=0.9, linestyle=":", label=label)
        share, width = at_ns / max(end_ns, 1), _SHARE_OF_A_LETTER * len(label)
        is_right = share > 0.4 and (share > width or share > 1 - width)
        panels[0].annotate(
            label,
            (at_s, 1),
            (-4 if is_right else 4, -2 - 12 * row),
            panels[0].get_xaxis_transform(),
            "offset points",
            ha="right" if is_right else "left",
            va="top",
            fontsize=8.5,
            bbox=PAPER,
        )
