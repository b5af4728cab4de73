"""Picture: the retries of messages. Some messages receive by receive, and all attempts with batches over time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
    legend_height_px,
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

MOST_MESSAGES, MOST_QUEUES = 10, 3
_ROW_PX, _LEAST_ROWS_PX, _NO_ROWS_PX = 28, 150, 52
_TRIES_PX, _GAP_PX = 120, 62
_LEFT_PX, _NAME_LETTERS = 152, 12
_MOST_BINS = 120

_TITLE = "the retries of SQS messages"

_LINE = {"linewidth": 2.6}
_BARS: dict[Phase, tuple[dict[str, Any], str]] = {
    Phase.VISIBLE: ({"color": Colour.QUEUED.value, **_LINE}, "visible again, waiting"),
    Phase.GATHERED: ({"color": Colour.GATHERED.value, **_LINE}, "gathered in the batch window"),
    Phase.THROTTLED: ({"color": Colour.THROTTLED.value, **_LINE}, "held by a poller, throttled"),
    Phase.HIDDEN: ({"color": Colour.FAILED.value, **_LINE}, "hidden until the visibility timeout"),
}
_WORK = {"color": Colour.BUSY.value, "linewidth": 6.0, "solid_capstyle": "butt"}
_AGAIN = {"color": Colour.BUSY.value, "linewidth": 2.6, "linestyle": (0, (1, 1))}
_TRY = {"color": Colour.EVERYTHING.value, "marker": "|", "markersize": 7, "markeredgewidth": 0.9}
_FILLED, _HOLLOW = {"markeredgewidth": 0}, {"markerfacecolor": "white", "markeredgewidth": 1.5}
_FRAME = {"marker": "s", "markersize": 11, "markerfacecolor": "none", "markeredgewidth": 2.2}
_ENDS: dict[DeliveryEnd, tuple[dict[str, Any], str]] = {
    DeliveryEnd.DONE: ({"color": Colour.WARM.value, "marker": "o", "markersize": 7, **_FILLED}, "done: deleted"),
    DeliveryEnd.FAILED: ({"color": Colour.FAILED.value, "marker": "X", "markersize": 7.5, **_FILLED}, "failed"),
    DeliveryEnd.IN_VAIN: (
        {"color": Colour.WARM.value, "marker": "o", "markersize": 7, **_HOLLOW},
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
_OPEN = {"color": Colour.IN_FLIGHT.value, "marker": ">", "markersize": 6.5}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """All of one kind that the ladders hold: bars (row, from, to), or marks (row, time)."""

    label: str
    words: str
    at: FloatArray
    look: dict[str, Any]  # of a Line2D
    drawn: dict[str, Any]  # what is otherwise than in the legend

    def draw(self, ax: Axes) -> None:
        """Bars below, marks above, later kinds over earlier ones."""
        look = self.look | self.drawn
        if self.at.shape[1] == 3:
            dashes = [look.get("linestyle", "solid")]
            bars = segments(self.at, look["color"], linewidths=look["linewidth"], linestyles=dashes, label=self.label)
            ax.add_collection(bars)
        else:
            ax.plot(self.at[:, 1], self.at[:, 0], label=self.label, linestyle="none", clip_on=False, zorder=3, **look)

    @property
    def entry(self) -> tuple[Artist, str]:
        """Its line in the legend."""
        line = {} if self.at.shape[1] == 3 else {"linestyle": "none"}
        return Line2D([], [], **(line | self.look)), self.words


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
        kinds = _kinds(made)
        count = sum(len(one.messages) for _, one in made)
        needed_px = max(count * _ROW_PX, legend_height_px([kind.words for kind in kinds]), _LEAST_ROWS_PX)
        rows_px = needed_px if made else _NO_ROWS_PX
        whole = rows_px + _GAP_PX + _TRIES_PX
        axes = open_axes(ax, top, plot_px=whole, left_px=_LEFT_PX)
        axes.set_axis_off()
        upper = axes.inset_axes((0, 1 - rows_px / whole, 1, rows_px / whole))
        lower = axes.inset_axes((0, 0, 1, _TRIES_PX / whole))
        if made:
            _draw_ladders(upper, log, made, kinds)
            legend(upper, [kind.entry for kind in kinds])
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


def _kinds(made: Sequence[tuple[str, ReceiveLadders]]) -> list[_Kind]:
    """What the ladders hold, in the order in which it is drawn and explained; what there is none of is left out."""
    offsets = np.cumsum([0, *(len(one.messages) for _, one in made)])
    ladders = [one for _, one in made]
    kinds: list[_Kind] = []

    def add(
        parts: Iterable[FloatArray], label: str, look: dict[str, Any], words: str, drawn: dict[str, Any] | None = None
    ) -> None:
        shifted = [part + np.eye(1, part.shape[1]) * off for part, off in zip(parts, offsets, strict=False)]
        if any(map(len, shifted)):
            kinds.append(_Kind(label=label, words=words, at=np.concatenate(shifted), look=look, drawn=drawn or {}))

    for kind, (look, words) in _BARS.items():
        label = f"{kind.name}_SPAN" if kind == Phase.THROTTLED else kind.name
        add((one.phases[kind] for one in ladders), label, look, words)
    add((one.work for one in ladders), "work", _WORK, "the function works on it")
    again = (one.phases[Phase.RECEIVED_AGAIN] for one in ladders)
    add(again, "received again", _AGAIN, "received again while it works", {"color": "white"})
    add((one.throttled for one in ladders), "THROTTLED", _TRY, "throttled try")
    for end, (look, words) in _ENDS.items():
        add((one.ended[end] for one in ladders), end.name, look, words)
    for executed, (look, words) in _DEAD_LETTERED.items():
        add((one.dead_lettered[executed] for one in ladders), words, look, words)
    add((one.still_open for one in ladders), "still open", _OPEN, "left at the end")
    return kinds


def _draw_ladders(ax: Axes, log: EventLog, made: Sequence[tuple[str, ReceiveLadders]], kinds: Sequence[_Kind]) -> None:
    for kind in kinds:
        kind.draw(ax)
    longest = max([1e-9, *(float(kind.at[:, -1].max()) for kind in kinds)])
    ax.set_xlim(-0.012 * longest, longest * 1.03)
    ax.xaxis.set_major_locator(TimeLocator(7))
    ax.xaxis.set_major_formatter(FuncFormatter(_since_first))
    ax.set_xlabel("time since the first receive of each message")
    ax.grid(True, axis="x")
    _name_rows(ax, log, made)


def _since_first(time_s: float, _: object) -> str:
    return time_text(round(time_s * 1e9)) if time_s else "first receive"


def _name_rows(ax: Axes, log: EventLog, made: Sequence[tuple[str, ReceiveLadders]]) -> None:
    """Each row has the number that its message has in ``messages.csv``; the axis says when they were sent."""
    words: list[str] = []
    for name, ladders in made:
        if words:
            ax.axhline(len(words) - 0.5, color=Colour.CEILING, linewidth=0.8)
        of = "message" if len(made) == 1 else shortened(name, _NAME_LETTERS)
        words += [f"{of} {number:,}" for number in log.messages.request[ladders.messages]]
    ax.set_ylim(len(words) - 0.5, -0.5)
    ax.set_yticks(range(len(words)), words)
    sent_ns = np.concatenate([log.messages.sent_ns[one.messages] for _, one in made])
    first, last = clock_text(int(sent_ns.min())), clock_text(int(sent_ns.max()))
    ax.set_ylabel(f"sent at {first}" if first == last else f"sent from {first} to {last}")


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
