"""Picture: concurrency against its ceilings. Who uses how much of the quota, and when callers were refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Annotation
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from lambdasim.metrics.levels import peak
from lambdasim.metrics.run import Run
from lambdasim.platform.concurrency import ThrottleReason
from lambdasim.report.pictures.areas import draw_area
from lambdasim.report.pictures.ceilings import environments_alive, functions_held_back, scaling_ceiling
from lambdasim.report.pictures.change_marks import mark_changes
from lambdasim.report.pictures.stack import PIXELS, Stack, concurrency_stack, steady_reservations
from lambdasim.report.pictures.style import (
    REASON_COLOURS,
    Colour,
    counted,
    header,
    legend,
    open_axes,
    say,
    style,
    time_text,
)
from lambdasim.report.pictures.time_axis import set_time_axis
from lambdasim.report.wording import limit_text

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

# A ceiling further above the data than this would squash it; it is then named at the top edge instead.
_FARTHEST_CEILING = 2.5

# Shares of the height of the axes: one row of throttle marks, and the room for a label above the highest line.
_RUG_ROW = 0.035
_LABEL_ROOM = 0.075

_SCALING: dict[str, Any] = {"color": Colour.CEILING.value, "linewidth": 1.6}
_ALIVE: dict[str, Any] = {"color": Colour.EVERYTHING.value, "linewidth": 1.4, "linestyle": (0, (1, 1))}

# What is kept and not in use; behind the bands, as it fills the pixels that it shares with them.
_FREE: dict[str, Any] = {"facecolor": "white", "edgecolor": "#BBBBBB", "linewidth": 0.0}
_BEHIND = {"zorder": 0.9}

_PAPER: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5}


def concurrency(run: Run, ax: Axes | None = None) -> Axes:
    """Requests in flight by function, the ceilings above them, and a mark at the top for every throttled attempt."""
    log, quotas = run.log, _quotas(run)
    with style():
        most = peak(log.invocations.admitted_ns, log.invocations.end_ns)
        limit = limit_text(run.scenario, log.end_ns)
        facts = f"peak {most:,} of {limit}, {counted(len(log.throttles), 'attempt')} throttled"
        if "provisioned" in run.summary:
            facts += f", up to {counted(run.summary['provisioned']['peak_requested'], 'unit')} provisioned"
        top = header(run, "concurrency against its limits", facts)
        if not len(log.invocations) and not len(log.throttles):
            return say(open_axes(ax, top, plot_px=180), "There were no requests.")
        axes = open_axes(ax, top)
        set_time_axis(axes, log.end_ns / 1e9)
        stack = concurrency_stack(run)
        entries, height = _draw_stack(axes, stack)
        lines, reach = _draw_scaling_ceiling(axes, run, stack)
        entries, height = [*entries, *lines], max(height, reach)
        rug = _draw_rug(axes, run)
        _draw_quota(axes, quotas, log.end_ns / 1e9, height, rows=len(rug), below=bool(lines))
        mark_changes(axes, run)
        axes.yaxis.set_major_locator(MaxNLocator(7, integer=True))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.set_ylabel("concurrency (requests in flight)")
        axes.grid(True, axis="y")
        legend(axes, [*entries, *rug])
    return axes


def _draw_stack(ax: Axes, stack: Stack) -> tuple[list[tuple[Artist, str]], float]:
    """Legend entries from the top of the stack, and the height of the stack with its reservations."""
    times_s = stack.times_ns / 1e9
    base, height = np.zeros(len(times_s)), 1.0
    bands: list[tuple[Artist, str]] = []
    notes: list[tuple[Artist, str]] = []
    line: dict[str, Any] = {"color": Colour.IN_FLIGHT.value, "linewidth": 0.8}
    for slot in stack.slots:
        floor = float(base[0])  # flat: the first slot's is 0, and only reserved slots have another on top
        highest = floor + slot.peak
        for band in slot.bands:
            draw_area(ax, times_s, base, base + band.level, label=band.label, color=band.colour)
            bands.append((Patch(color=band.colour), band.label))
            base = base + band.level
        if slot.reserved is not None:
            cap = floor + slot.reserved
            hatched = _FREE | {"hatch": "///"}
            draw_area(ax, times_s, base, np.full(len(times_s), cap), label="reserved, not in use", **_BEHIND, **hatched)
            notes = [(Patch(**hatched), "reserved, not in use:\nno other gets it")]
            _draw_cap(ax, cap, slot.reserved, label=slot.reserved > 0.07 * _height_of(stack))
            base, height = np.full(len(times_s), cap), cap
        if not stack.is_exact:
            ax.plot(times_s, highest, drawstyle="steps-post", label="highest", zorder=2.5, **line)
        height = max(height, float(highest.max()))
    if 0 < stack.idle_provisioned.max() <= _FARTHEST_CEILING * height:
        top = base + stack.idle_provisioned
        idle = _FREE | {"hatch": "..."}
        draw_area(ax, times_s, base, top, label="provisioned, idle", **_BEHIND, **idle)
        notes.append((Patch(**idle), "provisioned, idle:\nno other gets it"))
        height = max(height, float(top.max()))
    if not stack.is_exact:
        width = time_text(int(stack.times_ns[1]))
        notes.append((Line2D([], [], **line), f"highest in each {width};\nareas: mean over it"))
    return [*bands[::-1], *notes], height


def _height_of(stack: Stack) -> float:
    """Reserved units and the highest concurrency without them: about the height of the picture."""
    return float(sum(slot.reserved or slot.peak.max() for slot in stack.slots))


def _draw_cap(ax: Axes, cap: float, reserved: int, *, label: bool) -> None:
    ax.axhline(cap, color=Colour.CEILING, linewidth=1.2, linestyle=":", label="reserved concurrency")
    if label:
        ax.annotate(
            f"reserved: {reserved:,}",
            (1, cap),
            (-4, -3),
            ax.get_yaxis_transform(),
            "offset points",
            ha="right",
            va="top",
            fontsize=9,
            bbox=_PAPER,
        )


def _draw_scaling_ceiling(ax: Axes, run: Run, stack: Stack) -> tuple[list[tuple[Artist, str]], float]:
    """The environments alive, the scaling rate's ceiling above them, and how high it is where it refused attempts.

    It is a limit of what starts and not of what is in flight, so that only both lines together show what it does. Not
    drawn where it refused nothing, or where the functions that it held back have no flat base.
    """
    functions = functions_held_back(run)
    caps = [reserved or 0 for reserved in steady_reservations(run)]
    if not functions or (any(caps) and len(caps) > 1 and stack.slots[0].reserved is None):
        return [], 0.0
    if len(functions) > 1 and (any(caps) or len(functions) != len(caps)):
        return [], 0.0
    base = 0 if caps[functions[0]] else sum(caps)
    if caps[functions[0]] and sum(cap > 0 for cap in caps[: functions[0]]):
        return [], 0.0  # another reservation lies below
    log = run.log
    refused = np.unique(log.throttles.time_ns[log.throttles.reason == ThrottleReason.SCALING_RATE])
    even = np.linspace(0, log.end_ns, PIXELS, dtype=np.int64)
    times_ns = np.unique(np.concatenate((even, refused[[0, -1]])))
    entries: list[tuple[Artist, str]] = []
    for level, look, label, words in (
        (scaling_ceiling, _SCALING, "scaling rate", "scaling-rate ceiling: environments alive and those it allows"),
        (environments_alive, _ALIVE, "environments alive", "environments alive: initialising, busy or idle"),
    ):
        (line,) = ax.plot(times_ns / 1e9, base + level(run, functions, times_ns), label=label, **look)
        entries.append((line, words))
    return entries, base + float(scaling_ceiling(run, functions, refused).max())


def _draw_rug(ax: Axes, run: Run) -> list[tuple[Artist, str]]:
    """One row of marks at the top edge for each reason; legend entries from the top row down."""
    throttles, end_ns = run.log.throttles, run.log.end_ns
    entries: list[tuple[Artist, str]] = []
    for reason in ThrottleReason:
        times_ns = np.sort(throttles.time_ns[throttles.reason == reason])
        if not len(times_ns):
            continue
        # The first of each half pixel: the others would be drawn upon it.
        half_pixel = times_ns * (2 * PIXELS) // (end_ns + 1)
        x = times_ns[np.flatnonzero(np.diff(half_pixel, prepend=-1))] / 1e9
        high = 1 - len(entries) * _RUG_ROW
        marks = np.empty((len(x), 2, 2))
        marks[:, :, 0], marks[:, 0, 1], marks[:, 1, 1] = x[:, None], high - 0.8 * _RUG_ROW, high
        ax.add_collection(
            LineCollection(
                list(marks),
                colors=REASON_COLOURS[reason],
                linewidths=1.2,
                transform=ax.get_xaxis_transform(),
                label=reason.key,
            ),
            autolim=False,
        )
        name = reason.name.lower().replace("_", " ")
        handle = Line2D([], [], color=REASON_COLOURS[reason], marker="|", linestyle="none", markersize=9, mew=2)
        entries.append((handle, f"throttled {len(times_ns):,}:\n{name}"))
    return entries


def _quotas(run: Run) -> list[tuple[float, int]]:
    """(from when in seconds, quota) over the run."""
    quotas: list[tuple[float, int]] = []
    for state in run.scenario.limits_in_force():
        if state.at_ns <= run.log.end_ns and (not quotas or quotas[-1][1] != state.quota):
            quotas.append((state.at_ns / 1e9, state.quota))
    return quotas


def _draw_quota(
    ax: Axes, quotas: list[tuple[float, int]], end_s: float, height: float, *, rows: int, below: bool
) -> None:
    """The quota as a line, or as a note at the top edge where a line would squash the data. Sets the y limits.

    Its words stand above the line, or ``below`` where other lines would run through them.
    """
    beside: dict[str, Any] = {"xytext": (4, 3), "va": "bottom"}
    if below:
        beside = {"xytext": (4, -3), "va": "top", "bbox": _PAPER, "zorder": 4}
    look: dict[str, Any] = {"textcoords": "offset points", "fontsize": 9}
    near = [quota for _, quota in quotas if quota <= _FARTHEST_CEILING * height]
    top = max([height, *near])
    room = rows * _RUG_ROW + _LABEL_ROOM
    ax.set_ylim(0, top / (1 - room))
    if near:
        steps = [*quotas, (end_s, quotas[-1][1])]
        line: dict[str, Any] = {"color": Colour.CEILING, "linestyle": "--", "linewidth": 1.4, "label": "account quota"}
        ax.plot(*zip(*steps, strict=True), drawstyle="steps-post", scalex=False, scaley=False, **line)
    ends_s = [from_s for from_s, _ in quotas[1:]] + [np.inf]
    for number, ((from_s, quota), until_s) in enumerate(zip(quotas, ends_s, strict=True)):
        name = "account quota: " if number == 0 else ""
        if quota in near:
            words = ax.annotate(f"{name}{quota:,}", (from_s, quota), xycoords="data", **beside, **look)
        else:
            label, at = f"↑ {name}{quota:,}, far above", (from_s, 1 - rows * _RUG_ROW)
            words = ax.annotate(label, at, xycoords=ax.get_xaxis_transform(), xytext=(4, -3), va="top", **look)
        _keep_in_view(words, from_s, until_s)


def _keep_in_view(words: Annotation, from_s: float, until_s: float) -> None:
    """Words that are true of a part of the time axis stay at its left end, whatever part of it is shown."""

    def place(ax: Axes) -> None:
        left, right = sorted(ax.get_xlim())
        words.set_visible(from_s <= right and left < until_s)
        words.xy = (max(from_s, left), words.xy[1])

    assert words.axes is not None
    words.axes.callbacks.connect("xlim_changed", place)
