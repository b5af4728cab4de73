"""Picture: the queue of asynchronous events. How many wait and for what, how old the oldest is, what is given up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator, StrMethodFormatter

from lambdasim.eventlog.log import NOT_YET, EventLog
from lambdasim.metrics.async_events import is_event
from lambdasim.metrics.levels import peak
from lambdasim.metrics.run import Run
from lambdasim.platform.async_retry import DropReason
from lambdasim.report.pictures.ages import age_of_oldest, even_times
from lambdasim.report.pictures.areas import draw_area
from lambdasim.report.pictures.change_marks import mark_changes
from lambdasim.report.pictures.event_waits import WaitFor, Waits, event_attempts, event_waits
from lambdasim.report.pictures.panel_groups import draw_running_totals, mark_times
from lambdasim.report.pictures.stack import changes_of, function_colours, level_of
from lambdasim.report.pictures.style import (
    DROP_COLOURS,
    OTHERS_COLOUR,
    Colour,
    counted,
    header,
    legend,
    open_axes,
    say,
    shortened,
    style,
    time_text,
)
from lambdasim.report.pictures.time_axis import TimeLocator, set_time_axis

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

# Heights of the panels in pixels, and the gap between them.
_COUNTS_PX, _AGE_PX, _DROPS_PX, _GAP_PX = 220, 150, 80, 26

# A maximum event age further above the ages than this is not drawn as a line: it would squash the data.
_FARTHEST_MAXIMUM = 2.0

# Of the height of the upper panel: room for the labels of the last event and of the drained queue.
_LABEL_ROOM = 0.17
# Two marks closer than this share of the run have one label.
_CLOSE = 0.02

_ROUND = [1, 2, 5, 10]
_PAPER = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0}

_LABELS = {
    WaitFor.FIRST_TRY: "not tried yet",
    WaitFor.RETRY_AFTER_THROTTLE: "throttled, to be retried",
    WaitFor.RETRY_AFTER_ERROR: "failed, to be retried",
}
_COLOURS = {
    WaitFor.FIRST_TRY: Colour.QUEUED,
    WaitFor.RETRY_AFTER_THROTTLE: Colour.THROTTLED,
    WaitFor.RETRY_AFTER_ERROR: Colour.FAILED,
}

_DROP_LABELS = {
    DropReason.EVENT_AGE_EXCEEDED: "too old",
    DropReason.RETRIES_EXHAUSTED: "failed in the last try",
    DropReason.ZERO_RESERVED_CONCURRENCY: "the function is stopped",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """How many events wait, by what for, and how many are under way, from each time until the next. (n_times,) each.

    With few changes the levels are exact, with more changes than pixels means over equal intervals.
    """

    times_ns: IntArray
    waiting: dict[WaitFor, FloatArray]
    under_way: FloatArray
    most: dict[WaitFor, int]
    most_waiting: int
    most_under_way: int
    is_exact: bool


def queue_levels(run: Run, waits: Waits) -> Queue:
    """The queues of all functions together."""
    log = run.log
    mine = is_event(log)[log.invocations.request]
    spans = [(waits.start_ns[waits.kind == kind], waits.end_ns[waits.kind == kind]) for kind in WaitFor]
    spans.append((log.invocations.admitted_ns[mine], log.invocations.end_ns[mine]))
    times_ns = changes_of(spans, log.end_ns)
    is_exact = times_ns is not None
    if times_ns is None:
        times_ns = even_times(log.end_ns)
    *waiting, under_way = (level_of(*span, times_ns, is_exact=is_exact) for span in spans)
    return Queue(
        times_ns=times_ns,
        waiting=dict(zip(WaitFor, waiting, strict=True)),
        under_way=under_way,
        most={kind: peak(*span) for kind, span in zip(WaitFor, spans, strict=False)},
        most_waiting=peak(waits.start_ns, waits.end_ns),
        most_under_way=peak(*spans[-1]),
        is_exact=is_exact,
    )


def oldest_age(log: EventLog, waits: Waits) -> tuple[IntArray, IntArray]:
    """Times and ages in ns, a line to draw: the age of the oldest event that waits, counted from its arrival."""
    return age_of_oldest(log.requests.arrival_ns[waits.request], waits.start_ns, waits.end_ns, log.end_ns)


def backlog(run: Run, ax: Axes | None = None) -> Axes:
    """Events in the queue above, the age of the oldest below, and the events given up: panels inside the axes."""
    log = run.log
    total = int(is_event(log).sum())
    with style():
        if not total:
            top = header(run, "the queue of asynchronous events", "")
            return say(open_axes(ax, top, plot_px=180), "There were no asynchronous events.")
        waits = event_waits(run, event_attempts(run))
        queue = queue_levels(run, waits)
        top = header(run, "the queue of asynchronous events", _facts(log, total, queue))
        heights = [_COUNTS_PX, _AGE_PX, *([_DROPS_PX] if len(log.drops) else [])]
        whole = sum(heights) + _GAP_PX * (len(heights) - 1)
        axes = open_axes(ax, top, plot_px=whole)
        axes.set_axis_off()
        tops = [whole - sum(heights[:number]) - _GAP_PX * number for number in range(len(heights))]
        panels = [
            axes.inset_axes((0, (high - height) / whole, 1, height / whole))
            for high, height in zip(tops, heights, strict=True)
        ]
        legend(panels[0], _draw_counts(panels[0], queue))
        mark_changes(panels[0], run)
        legend(panels[1], _draw_ages(panels[1], run, waits))
        if len(log.drops):
            legend(panels[2], _draw_drops(panels[2], log))
        for panel in panels:
            set_time_axis(panel, log.end_ns / 1e9)
            panel.set_axisbelow(True)
            panel.grid(True, axis="y")
        for panel in panels[:-1]:
            panel.set_xlabel("")
            panel.tick_params(axis="x", labelbottom=False)
        if not queue.is_exact:
            width = time_text(int(queue.times_ns[1]))
            panels[-1].set_xlabel(f"{panels[-1].get_xlabel()}; numbers: mean over {width}, ages: highest in it")
        _mark_last_and_drained(panels, run)
    return axes


def _facts(log: EventLog, total: int, queue: Queue) -> str:
    dropped = f", {len(log.drops):,} given up" if len(log.drops) else ""
    return f"{counted(total, 'event')}{dropped}, at most {queue.most_waiting:,} waited at once"


def _draw_counts(ax: Axes, queue: Queue) -> list[tuple[Artist, str]]:
    times_s = queue.times_ns / 1e9
    entries: list[tuple[Artist, str]] = []
    below = np.zeros(len(times_s))
    for kind, level in queue.waiting.items():
        if not level.any():
            continue
        above = below + level
        draw_area(ax, times_s, below, above, label=_LABELS[kind], color=_COLOURS[kind])
        entries.append((Patch(color=_COLOURS[kind]), f"{_LABELS[kind]}\nat most {queue.most[kind]:,}"))
        below = above
    line: dict[str, Any] = {"color": Colour.BUSY.value, "linewidth": 1.4}
    ax.plot(times_s, queue.under_way, drawstyle="steps-post", label="under way", **line)
    entries.insert(0, (Line2D([], [], **line), f"under way\nat most {queue.most_under_way:,}"))
    ax.set_ylim(0, max(float(below.max()), float(queue.under_way.max()), 1) / (1 - _LABEL_ROOM))
    ax.yaxis.set_major_locator(MaxNLocator(5, integer=True, steps=_ROUND))
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.set_ylabel("events in the queue")
    return [entries[0], *entries[:0:-1]]


def _draw_ages(ax: Axes, run: Run, waits: Waits) -> list[tuple[Artist, str]]:
    log = run.log
    entries: list[tuple[Artist, str]] = []
    function = log.requests.function[waits.request]
    maxima: list[tuple[int, str, str]] = []
    highest = 1
    for name, colour, members in _groups(run, function):
        times_ns, ages_ns = oldest_age(log, waits.where(np.isin(function, members)))
        ax.fill_between(times_ns / 1e9, 0, ages_ns / 1e9, color=colour, alpha=0.15, linewidth=0)
        look: dict[str, Any] = {"color": colour, "linewidth": 1.6}
        ax.plot(times_ns / 1e9, ages_ns / 1e9, label=f"oldest: {name}", **look)
        most = int(ages_ns.max())
        entries.append((Line2D([], [], **look), f"{name}\nat most {time_text(most)}"))
        highest = max(highest, most)
        maxima += [(_maximum_ns(run, number), log.function_names[number], colour) for number in members]
    near = sorted({limit for limit, _, _ in maxima if limit <= _FARTHEST_MAXIMUM * highest})
    ax.set_ylim(0, max([highest, *near]) / 1e9 * 1.15)
    for limit in near:
        names = [shortened(name) for other, name, _ in maxima if other == limit]
        _draw_maximum(ax, limit, f"{names[0]}: " if len(names) == 1 < len(maxima) else "")
    far = min((limit for limit, _, _ in maxima if limit not in near), default=None)
    if far is not None and not near:
        text = f"↑ maximum event age, {time_text(far)}: far above"
        ax.annotate(text, (0, 1), (4, -3), "axes fraction", "offset points", va="top", fontsize=9, bbox=_PAPER)
    ax.yaxis.set_major_locator(TimeLocator(5))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda age_s, _: time_text(round(age_s * 1e9))))
    ax.set_ylabel("age of the oldest")
    return entries


def _draw_maximum(ax: Axes, limit_ns: int, whose: str) -> None:
    ax.axhline(limit_ns / 1e9, color=Colour.CEILING, linewidth=1.4, linestyle="--", label="maximum event age")
    ax.annotate(
        f"{whose}maximum event age, {time_text(limit_ns)}",
        (0, limit_ns / 1e9),
        (4, 2),
        ax.get_yaxis_transform(),
        "offset points",
        va="bottom",
        fontsize=9,
        bbox=_PAPER,
    )


def _groups(run: Run, function: npt.NDArray[np.int16]) -> Iterator[tuple[str, str, list[int]]]:
    """(name, colour, functions) of each line of ages; functions without a colour of their own share one line."""
    present, colours = np.unique(function).tolist(), function_colours(run)
    for number in present:
        if number in colours:
            yield shortened(run.log.function_names[number]), colours[number], [number]
    rest = [number for number in present if number not in colours]
    if rest:
        yield counted(len(rest), "other function"), OTHERS_COLOUR, rest


def _maximum_ns(run: Run, function: int) -> int:
    return run.scenario.functions[run.log.function_names[function]].async_invocation.maximum_event_age


def _draw_drops(ax: Axes, log: EventLog) -> list[tuple[Artist, str]]:
    """Events given up so far, by reason, one upon the other."""
    totals = [
        (label, DROP_COLOURS[reason], log.drops.time_ns[log.drops.reason == reason])
        for reason, label in _DROP_LABELS.items()
    ]
    entries = draw_running_totals(ax, totals, log.end_ns)
    ax.set_ylabel("given up so far")
    return entries


def _mark_last_and_drained(panels: list[Axes], run: Run) -> None:
    log, events = run.log, is_event(run.log)
    last_ns = int(log.requests.arrival_ns[events].max())
    settled_ns = run.outcomes.settled_ns[events]
    still = int((settled_ns == NOT_YET).sum())
    end_ns = max(log.end_ns, 1)
    if still:
        marks = [(last_ns, "last event"), (end_ns, f"{counted(still, 'event')} not settled at the end of the run")]
    else:
        drained_ns = int(settled_ns.max())
        later = f"{time_text(drained_ns - last_ns)} "
        marks = [(last_ns, "last event"), (drained_ns, f"drained, {later}after the last event")]
        if drained_ns - last_ns < _CLOSE * end_ns:
            marks = [(drained_ns, f"last event; drained {later}later")]
    mark_times(panels, marks, end_ns)
