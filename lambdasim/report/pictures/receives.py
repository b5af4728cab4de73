"""Picture: the retries of messages. Some messages receive by receive, and all attempts with batches over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from lambdasim.eventlog.log import EventLog
from lambdasim.metrics.batches import BatchRows, batch_rows
from lambdasim.metrics.message_history import is_without_execution
from lambdasim.metrics.run import Run
from lambdasim.platform.event_sources import QueueSpec, queue_specs
from lambdasim.report.pictures.batch_times import NEVER_NS, batch_times, batch_tries
from lambdasim.report.pictures.deliveries import DeliveryEnd
from lambdasim.report.pictures.event_waits import Ended
from lambdasim.report.pictures.message_phases import Phase
from lambdasim.report.pictures.panel_groups import set_count_axis
from lambdasim.report.pictures.receive_ladders import ReceiveLadders, receive_ladders
from lambdasim.report.pictures.retry_ladder import segments
from lambdasim.report.pictures.style import (
    EXECUTED_COLOUR,
    UNEXECUTED_COLOUR,
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
from lambdasim.report.pictures.time_axis import TimeLocator, set_time_axis, step_s
from lambdasim.report.wording import clock_text

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

MOST_MESSAGES, MOST_QUEUES = 30, 3
_ROW_PX, _LEAST_ROWS = 13, 22  # so that the legend has room
_TRIES_PX, _GAP_PX = 120, 62
_LEFT_PX, _LEFT_WITH_NAMES_PX, _NAME_LETTERS = 95, 172, 12
_MOST_BINS = 120

_TITLE = "the retries of SQS messages"

_THIN: dict[Phase, tuple[str, str]] = {
    Phase.VISIBLE: (Colour.QUEUED, "visible again, waiting"),
    Phase.GATHERED: (Colour.GATHERED, "gathered in the batch window"),
    Phase.THROTTLED: (Colour.THROTTLED, "held by a poller, throttled"),
    Phase.HIDDEN: (Colour.FAILED, "hidden until the visibility timeout"),
}
_POINTS: dict[str, Any] = {"linestyle": "none", "clip_on": False}
_FILLED, _HOLLOW = {"markeredgewidth": 0}, {"markerfacecolor": "white", "markeredgewidth": 1.5}
_FRAME = {"marker": "s", "markersize": 8.5, "markerfacecolor": "none", "markeredgewidth": 2.2}
_ENDS: dict[DeliveryEnd, tuple[dict[str, Any], str]] = {
    DeliveryEnd.DONE: ({"color": Colour.WARM.value, "marker": "o", "markersize": 6.5, **_FILLED}, "done: deleted"),
    DeliveryEnd.FAILED: ({"color": Colour.FAILED.value, "marker": "X", "markersize": 7, **_FILLED}, "failed"),
    DeliveryEnd.IN_VAIN: (
        {"color": Colour.WARM.value, "marker": "o", "markersize": 6.5, **_HOLLOW},
        "succeeded too late: received again or gone",
    ),
    DeliveryEnd.WITHOUT_EXECUTION: (
        {"color": Colour.THROTTLED.value, "marker": "D", "markersize": 5.5, **_HOLLOW},
        "given up at the visibility timeout, not executed",
    ),
}
_DEAD_LETTERED: dict[bool, tuple[dict[str, Any], str]] = {
    True: ({"color": EXECUTED_COLOUR, **_FRAME}, "dead-lettered after executions"),
    False: ({"color": UNEXECUTED_COLOUR, **_FRAME}, "dead-lettered without any execution"),
}


def receives(run: Run, ax: Axes | None = None) -> Axes:
    """Messages that were not done at once, receive by receive, above; all attempts over time below: panels inside."""
    log, specs = run.log, list(queue_specs(run.scenario))
    with style():
        polled = [queue for queue in range(len(specs)) if (log.batches.queue == queue).any()]
        if not polled:
            sentence = "No message was received." if specs else "There are no queues."
            return say(open_axes(ax, header(run, _TITLE, ""), plot_px=180), sentence)
        rows = batch_rows(log)
        made, total = _made(log, rows, specs, polled)
        top = header(run, _TITLE, _facts(log, polled, total, sum(len(one.messages) for _, one in made)))
        count = max(sum(len(one.messages) for _, one in made), _LEAST_ROWS if made else 4)
        rows_px = count * _ROW_PX
        whole = rows_px + _GAP_PX + _TRIES_PX
        axes = open_axes(ax, top, plot_px=whole, left_px=_LEFT_PX if len(made) < 2 else _LEFT_WITH_NAMES_PX)
        axes.set_axis_off()
        upper = axes.inset_axes((0, 1 - rows_px / whole, 1, rows_px / whole))
        lower = axes.inset_axes((0, 0, 1, _TRIES_PX / whole))
        if made:
            legend(upper, _draw_ladders(upper, log, made))
        else:
            say(upper, "No message failed or was throttled, so there is no retry to show.")
        legend(lower, _draw_tries(lower, log, rows, specs, polled))
    return axes


def _made(
    log: EventLog, rows: BatchRows, specs: Sequence[QueueSpec], polled: Sequence[int]
) -> tuple[list[tuple[str, ReceiveLadders]], int]:
    """(name, ladders) of the queues with the most retries, in file order, and of how many messages they were picked."""
    found = {queue: receive_ladders(log, rows, queue, specs[queue], MOST_MESSAGES) for queue in polled}
    total = sum(number for _, number in found.values())
    busiest = sorted((queue for queue in polled if found[queue][1]), key=lambda q: (-found[q][1], q))[:MOST_QUEUES]
    if len(busiest) > 1:
        share = MOST_MESSAGES // len(busiest)
        found = {queue: receive_ladders(log, rows, queue, specs[queue], share) for queue in busiest}
    return [(specs[queue].name, found[queue][0]) for queue in sorted(busiest)], total


def _facts(log: EventLog, polled: Sequence[int], total: int, shown: int) -> str:
    mine = np.isin(log.messages.queue, polled)
    was = "was" if total == 1 else "were"
    all_in = int(mine.sum())
    noted = " (counted in each queue)" if len(np.unique(log.messages.request[mine])) < all_in else ""
    text = f"{total:,} of {counted(all_in, 'message')}{noted} {was} throttled, failed or received more than once"
    if shown < total:
        text += f" ({shown}, evenly picked, are shown)"
    if unexecuted := int((is_without_execution(log) & mine).sum()):
        text += f", {unexecuted:,} given up without any execution"
    return text


def _draw_ladders(ax: Axes, log: EventLog, made: Sequence[tuple[str, ReceiveLadders]]) -> list[tuple[Artist, str]]:
    offsets = np.cumsum([0, *(len(one.messages) for _, one in made)])

    def joined(parts: Sequence[FloatArray]) -> FloatArray:
        return np.concatenate(
            [part + np.eye(1, part.shape[1]) * off for part, off in zip(parts, offsets, strict=False)]
        )

    ladders = [one for _, one in made]
    entries: list[tuple[Artist, str]] = []
    throttled = joined([one.throttled for one in ladders])
    marks: list[tuple[FloatArray, dict[str, Any], str, str]] = [
        (joined([one.ended[end] for one in ladders]), look, end.name, label) for end, (look, label) in _ENDS.items()
    ]
    marks += [
        (joined([one.dead_lettered[executed] for one in ladders]), look, label, label)
        for executed, (look, label) in _DEAD_LETTERED.items()
    ]
    open_look: dict[str, Any] = {"color": Colour.IN_FLIGHT.value, "marker": ">", "markersize": 6.5}
    marks.append((joined([one.still_open for one in ladders]), open_look, "still open", "left at the end"))
    longest = 1e-9
    work = joined([one.work for one in ladders])
    again = joined([one.phases[Phase.RECEIVED_AGAIN] for one in ladders])
    for kind, (colour, label) in _THIN.items():
        spans = joined([one.phases[kind] for one in ladders])
        if len(spans):
            ax.add_collection(
                segments(
                    spans, colour, linewidths=2.2, label=f"{kind.name}_SPAN" if kind == Phase.THROTTLED else kind.name
                )
            )
            entries.append((Line2D([], [], color=colour, linewidth=2.2), label))
            longest = max(longest, float(spans[:, 2].max()))
    if len(work):
        ax.add_collection(segments(work, Colour.BUSY, linewidths=4.5, label="work"))
        entries.append((Line2D([], [], color=Colour.BUSY, linewidth=4.5), "the function works on it"))
        longest = max(longest, float(work[:, 2].max()))
    if len(again):
        look: dict[str, Any] = {"linewidth": 2.2, "linestyle": (0, (1, 1))}
        ax.add_collection(segments(again, "white", linewidths=2.2, linestyles=[(0, (1, 1))], label="received again"))
        entries.append((Line2D([], [], color=Colour.BUSY, **look), "received again while it works"))
    if len(throttled):
        tick: dict[str, Any] = {
            "color": Colour.EVERYTHING.value,
            "marker": "|",
            "markersize": 5,
            "markeredgewidth": 0.9,
        }
        ax.plot(throttled[:, 1], throttled[:, 0], label="THROTTLED", zorder=3, **tick, **_POINTS)
        entries.append((Line2D([], [], linestyle="none", **tick), "throttled try"))
    for points, look, label, words in marks:
        if len(points):
            ax.plot(points[:, 1], points[:, 0], label=label, zorder=4, **look, **_POINTS)
            entries.append((Line2D([], [], linestyle="none", **look), words))
            longest = max(longest, float(points[:, 1].max()))
    ax.set_xlim(-0.012 * longest, longest * 1.03)
    ax.xaxis.set_major_locator(TimeLocator(7))
    ax.xaxis.set_major_formatter(FuncFormatter(_since_first))
    ax.set_xlabel("time since the first receive of each message")
    ax.grid(True, axis="x")
    _name_rows(ax, log, made)
    return entries


def _since_first(time_s: float, _: object) -> str:
    return time_text(round(time_s * 1e9)) if time_s else "first receive"


def _name_rows(ax: Axes, log: EventLog, made: Sequence[tuple[str, ReceiveLadders]]) -> None:
    ax.set_ylim(sum(len(one.messages) for _, one in made) - 0.5, -0.5)
    ticks: list[int] = []
    words: list[str] = []
    first = 0
    for name, ladders in made:
        rows = len(ladders.messages)
        chosen = np.unique(np.linspace(0, rows - 1, min(rows, max(2, 8 // len(made)))).round().astype(int))
        texts = [clock_text(int(sent_ns)) for sent_ns in log.messages.sent_ns[ladders.messages[chosen]]]
        prefix = f"{shortened(name, _NAME_LETTERS)} " if len(made) > 1 else ""
        ticks += [first + int(row) for row in chosen]
        words += [prefix + text for text in texts]
        if first:
            ax.axhline(first - 0.5, color=Colour.CEILING, linewidth=0.8)
        first += rows
    ax.set_yticks(ticks, words)
    ax.set_ylabel("by time of sending")


_TRIES = (
    (Ended.OK, Colour.WARM, "accepted, succeeded"),
    (Ended.FAILED, Colour.FAILED, "accepted, failed"),
    (Ended.RUNNING, Colour.IN_FLIGHT, "accepted, running at the end"),
    (Ended.THROTTLED, Colour.THROTTLED, "throttled"),
)


def tries_over_time(
    log: EventLog, rows: BatchRows, specs: Sequence[QueueSpec], polled: Sequence[int]
) -> tuple[int, dict[Ended, IntArray], IntArray]:
    """Width of the bins in ns; attempts by how they ended, and batches given up without execution, in each bin."""
    width_ns = max(round(step_s(max(log.end_ns, 1) / 1e9, _MOST_BINS) * 1e9), 1)
    bins = max(-(-log.end_ns // width_ns), 1)
    counts = {ended: np.zeros(bins, dtype=np.int64) for ended in Ended}
    given_up = np.zeros(bins, dtype=np.int64)

    def binned(times_ns: IntArray) -> IntArray:
        return np.bincount(np.minimum(times_ns // width_ns, bins - 1), minlength=bins)

    for queue in polled:
        tries = batch_tries(log, rows, queue)
        for ended in Ended:
            counts[ended] += binned(tries.time_ns[tries.ended == ended])
        times = batch_times(log, rows, queue, specs[queue].visibility_ns)
        given_up += binned(times.over_ns[(times.accepted_ns == NEVER_NS) & (times.over_ns != NEVER_NS)])
    return width_ns, counts, given_up


def _draw_tries(
    ax: Axes, log: EventLog, rows: BatchRows, specs: Sequence[QueueSpec], polled: Sequence[int]
) -> list[tuple[Artist, str]]:
    width_ns, counts, given_up = tries_over_time(log, rows, specs, polled)
    edges = np.arange(len(given_up) + 1) * (width_ns / 1e9)
    below = np.zeros(len(given_up))
    entries: list[tuple[Artist, str]] = []
    for ended, colour, label in _TRIES:
        if counts[ended].any():
            above = below + counts[ended]
            ax.stairs(above, edges, baseline=below, fill=True, color=colour, linewidth=0, label=ended.name)
            entries.append((Patch(color=colour), f"{label}\n{int(counts[ended].sum()):,}"))
            below = above
    entries.reverse()
    if given_up.any():
        look: dict[str, Any] = {"color": UNEXECUTED_COLOUR, "linewidth": 1.3}
        ax.stairs(given_up, edges, baseline=None, label="given up", **look)
        words = f"batches given up at the visibility timeout\n{int(given_up.sum()):,}"
        entries.append((Line2D([], [], **look), words))
    set_count_axis(ax, max(float(below.max()), float(given_up.max())), room=1.08)
    set_time_axis(ax, float(edges[-1]))
    ax.set_ylabel(f"attempts with\nbatches per {time_text(width_ns)}")
    ax.grid(True, axis="y")
    return entries
