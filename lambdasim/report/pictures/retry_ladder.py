"""Picture: the retries of asynchronous events. Some events attempt by attempt, and how long all of them waited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator, StrMethodFormatter

from lambdasim.eventlog.log import NOT_YET
from lambdasim.metrics.async_events import is_event
from lambdasim.metrics.outcomes import Outcome
from lambdasim.metrics.run import Run
from lambdasim.platform.async_retry import error_delay_ns, throttle_delay_ns
from lambdasim.report.pictures.event_waits import Attempts, Ended, WaitFor, Waits, event_attempts, event_waits
from lambdasim.report.pictures.style import Colour, counted, header, legend, open_axes, say, style, time_text
from lambdasim.report.wording import clock_text

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

MOST_EVENTS = 30
_ROW_PX, _LEAST_ROWS = 11, 6
_WAITS_PX, _GAP_PX = 110, 62

# The axis is even up to a second, so that it holds 0, and logarithmic from there: each doubling is as wide as the next.
_EVEN_S = 1.0
_LINEAR_SHARE = 0.55  # width of that first second, in widths of a factor of ten
_BINS = 140
# The rungs and a few round times beyond; those that come first are sure of their place.
_TICKS_S = (0, 1, 60, 300, 3_600, 21_600, 120, 2, 4, 8, 15, 30, 900, 7_200, 600)
_TICK_ROOM = 0.064  # of the width of the axis


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladders:
    """Some events that were not done at their first try, by arrival; times in s since the first try."""

    requests: IntArray  # shape (n_rows,)
    waits: dict[WaitFor, FloatArray]  # (row, from, to) of each wait, shape (n, 3)
    work: FloatArray  # (row, from, to) of each invocation
    ended: dict[Ended, FloatArray]  # (row, time) of the end of each attempt, shape (n, 2)
    dropped: FloatArray  # (row, time)
    still_open: FloatArray  # (row, time of the end of the run) of events that were not settled then


def needed_retry(attempts: Attempts) -> IntArray:
    """Events whose first try was throttled or failed, by arrival."""
    is_first = np.diff(attempts.request, prepend=-1) != 0
    needed: IntArray = attempts.request[is_first & np.isin(attempts.ended, (Ended.FAILED, Ended.THROTTLED))]
    return needed


def evenly_picked(events: IntArray, most: int) -> IntArray:
    """At most so many of the events, at even distances, the first and the last among them."""
    if len(events) <= most:
        return events
    picked: IntArray = events[np.linspace(0, len(events) - 1, most).round().astype(np.int64)]
    return picked


def ladders(run: Run, attempts: Attempts, waits: Waits, events: IntArray) -> Ladders:
    """The ladders of these events."""
    end_ns = run.log.end_ns
    tries = np.isin(attempts.request, events)
    row = np.searchsorted(events, attempts.request[tries])
    time_ns, result = attempts.time_ns[tries], attempts.ended[tries]
    finish_ns = np.where(attempts.end_ns[tries] == NOT_YET, end_ns, attempts.end_ns[tries])
    first_ns = time_ns[np.flatnonzero(np.diff(row, prepend=-1))]

    def at(rows: IntArray, *times_ns: IntArray) -> FloatArray:
        return np.column_stack((rows, *((times - first_ns[rows]) / 1e9 for times in times_ns)))

    mine = np.isin(waits.request, events) & (waits.kind != WaitFor.FIRST_TRY)
    wait_row, kind = np.searchsorted(events, waits.request[mine]), waits.kind[mine]
    wait_end_ns = np.where(waits.end_ns[mine] == NOT_YET, end_ns, waits.end_ns[mine])
    span = at(wait_row, waits.start_ns[mine], wait_end_ns)
    outcome, settled_ns = run.outcomes.outcome[events], run.outcomes.settled_ns[events]
    given_up = np.flatnonzero(outcome == Outcome.DROPPED)
    unsettled = np.flatnonzero(settled_ns == NOT_YET)
    is_work = result != Ended.THROTTLED
    return Ladders(
        requests=events,
        waits={one: span[kind == one] for one in (WaitFor.RETRY_AFTER_THROTTLE, WaitFor.RETRY_AFTER_ERROR)},
        work=at(row[is_work], time_ns[is_work], finish_ns[is_work]),
        ended={one: at(row[result == one], finish_ns[result == one]) for one in Ended},
        dropped=at(given_up, settled_ns[given_up]),
        still_open=at(unsettled, np.full(len(unsettled), end_ns)),
    )


def retry_ladder(run: Run, ax: Axes | None = None) -> Axes:
    """Events that were tried again, attempt by attempt, above; below, how long all waits took: panels inside."""
    total = int(is_event(run.log).sum())
    attempts = event_attempts(run)
    retried = needed_retry(attempts)
    with style():
        title = "the retries of asynchronous events"
        if not len(retried):
            sentence = (
                "There were no asynchronous events."
                if not total
                else "No event failed or was throttled, so there is no retry to show."
            )
            facts = counted(total, "event") if total else ""
            return say(open_axes(ax, header(run, title, facts), plot_px=180), sentence)
        waits = event_waits(run, attempts)
        made = ladders(run, attempts, waits, evenly_picked(retried, MOST_EVENTS))
        top = header(run, title, _facts(run, total, len(retried), len(made.requests)))
        rows_px = max(len(made.requests), _LEAST_ROWS) * _ROW_PX
        whole = rows_px + _GAP_PX + _WAITS_PX
        axes = open_axes(ax, top, plot_px=whole)
        axes.set_axis_off()
        upper = axes.inset_axes((0, 1 - rows_px / whole, 1, rows_px / whole))
        lower = axes.inset_axes((0, 0, 1, _WAITS_PX / whole))
        longest_s = max(_longest(made), float(_lengths_s(waits, None).max(initial=0)))
        _set_axis(upper, longest_s, is_since_first_try=True)
        _set_axis(lower, longest_s, is_since_first_try=False)
        legend(upper, _draw_ladders(upper, run, made))
        legend(lower, _draw_waits(lower, waits, longest_s))
        upper.set_xlabel("time since the first try of each event (log scale)")
        late = "; longer where the queue was read slowly" if was_read_slowly(waits) else ""
        lower.set_xlabel(f"wait before each retry of all events (log scale){late}")
    return axes


def _facts(run: Run, total: int, retried: int, shown: int) -> str:
    was = "was" if retried == 1 else "were"
    text = f"{retried:,} of {counted(total, 'event')} {was} not done at the first try"
    if shown < retried:
        text += f" ({shown}, evenly picked, are shown)"
    untried = int(((run.outcomes.attempts == 0) & (run.outcomes.outcome == Outcome.DROPPED)).sum())
    if untried:
        text += f", {untried:,} given up untried"
    return text


def was_read_slowly(waits: Waits) -> bool:
    """Whether any event waited for its second try for longer than the delay is: then its reader had slowed down."""
    after = waits.where(waits.kind != WaitFor.FIRST_TRY)
    first = after.where((np.diff(after.request, prepend=-1) != 0) & after.is_before_attempt)
    limit_ns = np.where(first.kind == WaitFor.RETRY_AFTER_ERROR, error_delay_ns(1), throttle_delay_ns(1))
    return bool((first.end_ns - first.start_ns > limit_ns).any())


def _longest(made: Ladders) -> float:
    parts = [*made.waits.values(), made.work, made.dropped, made.still_open]
    return float(max(part[:, -1].max(initial=0) for part in parts))


def _lengths_s(waits: Waits, kind: WaitFor | None) -> FloatArray:
    """How long the waits that ended with a retry took."""
    rows = waits.is_before_attempt & (waits.kind != WaitFor.FIRST_TRY if kind is None else waits.kind == kind)
    return np.asarray((waits.end_ns[rows] - waits.start_ns[rows]) / 1e9)


def right_of(longest_s: float) -> float:
    """The right end of the axes, for what took this long at most."""
    return max(longest_s, 2.0) * 1.15


def _ticks(ax: Axes) -> list[float]:
    """As many of the ticks as have room for their labels."""
    on_paper = ax.xaxis.get_transform().transform
    left, right = on_paper(np.array(ax.get_xlim()))
    placed: dict[float, float] = {}
    for tick in _TICKS_S:
        place = float((on_paper(np.array([float(tick)]))[0] - left) / (right - left))
        if place <= 1 and all(abs(place - other) >= _TICK_ROOM for other in placed.values()):
            placed[float(tick)] = place
    return sorted(placed)


def _set_axis(ax: Axes, longest_s: float, *, is_since_first_try: bool) -> None:
    ax.set_xscale("symlog", linthresh=_EVEN_S, linscale=_LINEAR_SHARE)
    ax.set_xlim(-0.12, right_of(longest_s))
    ax.xaxis.set_major_locator(FixedLocator(_ticks(ax)))
    ax.xaxis.set_minor_locator(NullLocator())
    zero = "first try" if is_since_first_try else "0 s"
    ax.xaxis.set_major_formatter(FuncFormatter(lambda time_s, _: time_text(round(time_s * 1e9)) if time_s else zero))
    ax.grid(True, axis="x")


def segments(spans: FloatArray, colour: str, **look: Any) -> LineCollection:
    """A horizontal line for each (row, from, to)."""
    row, begin, finish = spans.T
    ends = np.stack((np.column_stack((begin, row)), np.column_stack((finish, row))), axis=1)
    return LineCollection(list(ends), colors=colour, **look)


_RESULTS: tuple[tuple[Ended, dict[str, Any], str], ...] = (
    (Ended.THROTTLED, {"color": Colour.THROTTLED.value, "marker": "|", "markersize": 8, "markeredgewidth": 1.8},
     "throttled: tried again after up to 1, 2, 4 s … 5 min"),
    (Ended.FAILED, {"color": Colour.FAILED.value, "marker": "X", "markersize": 7, "markeredgewidth": 0},
     "failed: tried again after 1 min, then 2 min"),
    (Ended.OK, {"color": Colour.WARM.value, "marker": "o", "markersize": 6.5, "markeredgewidth": 0}, "completed"),
)  # fmt: skip


def _draw_ladders(ax: Axes, run: Run, made: Ladders) -> list[tuple[Artist, str]]:
    entries: list[tuple[Artist, str]] = []
    for kind, colour in (
        (WaitFor.RETRY_AFTER_THROTTLE, Colour.THROTTLED),
        (WaitFor.RETRY_AFTER_ERROR, Colour.FAILED),
    ):
        ax.add_collection(segments(made.waits[kind], colour, linewidths=1.2, alpha=0.7, label=kind.name))
    ax.add_collection(segments(made.work, Colour.BUSY, linewidths=3, label="work"))
    for ended, look, label in _RESULTS:
        marks = made.ended[ended]
        if len(marks):
            ax.plot(marks[:, 1], marks[:, 0], linestyle="none", label=ended.name, clip_on=False, zorder=3, **look)
            entries.append((Line2D([], [], linestyle="-" if ended != Ended.OK else "none", **look), label))
    entries.append((Line2D([], [], color=Colour.BUSY, linewidth=3), "the function works"))
    # A frame, so that the failure that led to it can be seen within.
    frame: dict[str, Any] = {"color": Colour.DROPPED.value, "markerfacecolor": "none", "markeredgewidth": 1.8}
    for marks, look, label in (
        (made.dropped, frame | {"marker": "s", "markersize": 8}, "given up"),
        (
            made.still_open,
            {"color": Colour.IN_FLIGHT.value, "marker": ">", "markersize": 6.5},
            "not settled at the end",
        ),
    ):
        if len(marks):
            ax.plot(marks[:, 1], marks[:, 0], linestyle="none", label=label, clip_on=False, zorder=4, **look)
            entries.append((Line2D([], [], linestyle="none", **look), label))
    count = len(made.requests)
    ax.set_ylim(max(count, _LEAST_ROWS) - 0.5, -0.5)
    arrival_ns = run.log.requests.arrival_ns[made.requests]
    rows = np.unique(np.linspace(0, count - 1, min(count, 8)).round().astype(int))
    ax.set_yticks(rows, [clock_text(int(time_ns)) for time_ns in arrival_ns[rows]])
    ax.set_ylabel("events, by time of arrival")
    return entries


def _draw_waits(ax: Axes, waits: Waits, longest_s: float) -> list[tuple[Artist, str]]:
    """A histogram over bins of equal width on paper."""
    to_paper = ax.xaxis.get_transform()
    last = to_paper.transform(np.array([right_of(longest_s)]))[0]
    edges = to_paper.inverted().transform(np.linspace(0, last, _BINS + 1))
    edges[0] = 0
    entries: list[tuple[Artist, str]] = []
    below = np.zeros(_BINS)
    for kind, colour, label in (
        (WaitFor.RETRY_AFTER_ERROR, Colour.FAILED, "retried after an error"),
        (WaitFor.RETRY_AFTER_THROTTLE, Colour.THROTTLED, "retried after a throttle"),
    ):
        lengths = _lengths_s(waits, kind)
        if len(lengths):
            above = below + np.histogram(lengths, edges)[0]
            ax.stairs(above, edges, baseline=below, fill=True, color=colour, linewidth=0, label=label)
            entries.append((Patch(color=colour), f"{label}\n{len(lengths):,}"))
            below = above
    if not entries:
        ax.text(0.5, 0.5, "Nothing was tried again.", transform=ax.transAxes, ha="center", va="center")
    ax.set_ylim(0, max(float(below.max()), 1) * 1.08)
    ax.yaxis.set_major_locator(MaxNLocator(4, integer=True, steps=[1, 2, 5, 10]))
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.set_ylabel("retries")
    return entries[::-1]
