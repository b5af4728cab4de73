"""Picture: the SQS queues. What their messages are at any time, how old the oldest is, what pollers have under way."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from lambdasim.eventlog.log import NOT_YET, EventLog, MessageOutcome
from lambdasim.metrics.batches import BatchRows, batch_rows
from lambdasim.metrics.levels import peak
from lambdasim.metrics.message_history import is_back_while_running, is_without_execution
from lambdasim.metrics.run import Run
from lambdasim.platform.event_sources import QueueMappingSpec, QueueSpec, queue_specs
from lambdasim.report.pictures.ages import age_of_oldest
from lambdasim.report.pictures.batch_times import NEVER_NS, BatchTimes, batch_times
from lambdasim.report.pictures.change_marks import mark_changes
from lambdasim.report.pictures.message_phases import Phase, message_phases
from lambdasim.report.pictures.panel_groups import (
    FARTHEST,
    Entries,
    Group,
    Layer,
    draw_age,
    draw_layers,
    draw_limit,
    draw_running_totals,
    finish_groups,
    mark_times,
    note_most,
    open_groups,
    set_count_axis,
)
from lambdasim.report.pictures.style import (
    EXECUTED_COLOUR,
    EXPIRED_COLOUR,
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
from lambdasim.report.pictures.waiting_work import busiest, drain_marks, outcome_text
from lambdasim.units import NS_PER_S

IntArray = npt.NDArray[np.int64]

MOST_QUEUES = 4
_COUNTS_PX, _LOWER_COUNTS_PX, _AGE_PX, _BATCHES_PX, _GIVEN_UP_PX = 170, 140, 90, 90, 60

_PLAIN: dict[str, Any] = {"linewidth": 0}
PHASE_LOOKS: dict[Phase, dict[str, Any]] = {
    Phase.WORKED_ON: {"facecolor": Colour.BUSY.value, **_PLAIN},
    Phase.RECEIVED_AGAIN: {"facecolor": "white", "edgecolor": Colour.BUSY.value, "hatch": "//////", **_PLAIN},
    Phase.THROTTLED: {"facecolor": Colour.THROTTLED.value, **_PLAIN},
    Phase.HIDDEN: {"facecolor": Colour.FAILED.value, **_PLAIN},
    Phase.GATHERED: {"facecolor": Colour.GATHERED.value, **_PLAIN},
    Phase.VISIBLE: {"facecolor": Colour.QUEUED.value, **_PLAIN},
    Phase.DELAYED: {"facecolor": Colour.DELAYED.value, **_PLAIN},
}
_LABELS = {
    Phase.WORKED_ON: "being worked on",
    Phase.RECEIVED_AGAIN: "worked on, and received again meanwhile",
    Phase.THROTTLED: "held by a poller, throttled",
    Phase.HIDDEN: "failed: hidden until the visibility timeout",
    Phase.GATHERED: "gathered in the batch window",
    Phase.VISIBLE: "visible: waiting to be received",
    Phase.DELAYED: "delayed: not visible yet",
}


def queues(run: Run, ax: Axes | None = None) -> Axes:
    """For each of the busiest queues: messages, age of the oldest, batches under way, given up: panels inside."""
    log = run.log
    specs = list(queue_specs(run.scenario))
    shown = busiest(log, range(len(specs)), MOST_QUEUES)
    with style():
        if not shown:
            sentence = "No message came to a queue." if specs else "There are no queues."
            return say(open_axes(ax, header(run, _TITLE, ""), plot_px=180), sentence)
        rows = batch_rows(log)
        top = header(run, _TITLE, _facts(log, rows, len(specs), len(shown)))
        groups = [
            Group(heading=_heading(log, queue, specs[queue]), heights_px=_heights(log, queue, len(shown)))
            for queue in shown
        ]
        axes, panels = open_groups(ax, top, groups)
        exact = [_draw_queue(of_queue, run, rows, q, specs[q]) for of_queue, q in zip(panels, shown, strict=True)]
        finish_groups(panels, log.end_ns, is_exact=all(exact))
        for of_queue in panels:
            mark_changes(of_queue[0], run)
    return axes


_TITLE = "messages in the SQS queues"


def _facts(log: EventLog, rows: BatchRows, total: int, shown: int) -> str:
    mine = log.messages.queue < total
    parts = [counted(len(np.unique(log.messages.request[mine])), "message")]
    if unexecuted := int((is_without_execution(log) & mine).sum()):
        parts.append(f"{unexecuted:,} given up without any execution")
    if again := int((is_back_while_running(log, rows) & mine).sum()):
        parts.append(f"{again:,} received again or dead-lettered while worked on")
    if shown < (with_messages := len(np.unique(log.messages.queue[mine]))):
        parts.append(f"the {shown} busiest of {with_messages} queues are shown")
    return ", ".join(parts)


def _heading(log: EventLog, queue: int, spec: QueueSpec) -> str:
    where = "nobody polls it"
    if spec.mapping is not None:
        where = f"invokes {shortened(log.function_names[spec.mapping.function])}"
    kind = "" if spec.message_groups is None else f", FIFO with {counted(spec.message_groups, 'group')}"
    return f"{shortened(spec.name)} ({where}{kind}) · {outcome_text(log, log.messages.queue == queue, 'message')}"


def _heights(log: EventLog, queue: int, shown: int) -> list[int]:
    heights = [_COUNTS_PX if shown <= 2 else _LOWER_COUNTS_PX, _AGE_PX]
    if (log.batches.queue == queue).any():
        heights.append(_BATCHES_PX)
    if _given_up(log, queue):
        heights.append(_GIVEN_UP_PX)
    return heights


def _given_up(log: EventLog, queue: int) -> list[tuple[str, str, IntArray]]:
    """(label, colour, times) of the messages that the queue gave up."""
    outcome, settled = log.messages.outcome, log.messages.settled_ns
    mine, executed = log.messages.queue == queue, log.messages.is_executed
    dead, expired = outcome == MessageOutcome.DEAD_LETTERED, outcome == MessageOutcome.EXPIRED
    found = [
        ("dead-lettered without any execution", UNEXECUTED_COLOUR, settled[mine & dead & ~executed]),
        ("dead-lettered after executions", EXECUTED_COLOUR, settled[mine & dead & executed]),
        ("expired", EXPIRED_COLOUR, settled[mine & expired]),
        ("stopped in a loop of queues", Colour.IN_FLIGHT.value, settled[mine & (outcome == MessageOutcome.STOPPED)]),
    ]
    return [one for one in found if len(one[2])]


def _draw_queue(panels: list[Axes], run: Run, rows: BatchRows, queue: int, spec: QueueSpec) -> bool:
    """One group; whether its numbers are exact."""
    log = run.log
    stays = log.messages.queue == queue
    times = batch_times(log, rows, queue, spec.visibility_ns)
    phases = message_phases(log, times, queue, visibility_ns=spec.visibility_ns, delay_ns=spec.delay_ns)
    layers = []
    for kind in Phase:
        start, end = phases.span_of(kind)
        label = _LABELS[kind]
        if kind == Phase.VISIBLE and spec.mapping is None:
            label = "visible: nobody polls"
        elif kind == Phase.HIDDEN:  # a limit of each receive, and none of the age that another panel shows
            label += f" ({time_text(spec.visibility_ns)})"
        layers.append(Layer(label=label, look=PHASE_LOOKS[kind], start_ns=start, end_ns=end))
    entries, is_exact = draw_layers(panels[0], layers, log.end_ns)
    panels[0].set_ylabel("messages")
    sent, settled = log.messages.sent_ns[stays], log.messages.settled_ns[stays]
    line = age_of_oldest(sent, sent, settled, log.end_ns)
    is_near = spec.retention_ns <= FARTHEST * max(int(line[1].max()), 1)
    limits = [("retention", spec.retention_ns)] if is_near else []
    entries += draw_age(panels[1], line, "age of the oldest message", limits)
    rest = panels[2:]
    if len(times.rows):
        entries += _draw_batches(rest[0], log, times, spec)
        rest = rest[1:]
    if rest:
        entries += draw_running_totals(rest[0], _given_up(log, queue), log.end_ns)
        rest[0].set_ylabel("given up\nso far")
    block = run.summary["queues"][spec.name]
    mark_times(panels, drain_marks(log, stays, block, "message"), log.end_ns)
    legend(panels[0], entries)
    return is_exact


def _draw_batches(ax: Axes, log: EventLog, times: BatchTimes, spec: QueueSpec) -> Entries:
    """Batches under way, by what they do, and the steepest ramp that the mapping allows where it is reached."""
    mine = times.rows
    start, tried, accepted, over = (
        column[mine] for column in (times.start_ns, times.tried_ns, times.accepted_ns, times.over_ns)
    )
    layers = [
        Layer(
            label=Phase(kind).name, look=PHASE_LOOKS[kind], start_ns=begin[end > begin], end_ns=_cut(end)[end > begin]
        )
        for kind, begin, end in (
            (Phase.WORKED_ON, accepted, over),
            (Phase.THROTTLED, tried, np.minimum(accepted, over)),
            (Phase.GATHERED, start, np.minimum(tried, over)),
        )
    ]
    draw_layers(ax, layers, log.end_ns)
    most = peak(start, _cut(over))
    set_count_axis(ax, most, room=1.3, ticks=3)
    ax.set_ylabel("batches\nunder way")
    note_most(ax, f"at most {most:,} at once")
    return _draw_ramp(ax, spec.mapping, most, int(start.min()), log.end_ns)


def _cut(end_ns: IntArray) -> IntArray:
    return np.where(end_ns == NEVER_NS, NOT_YET, end_ns)


def ramp(mapping: QueueMappingSpec, first_ns: int, end_ns: int) -> tuple[IntArray, IntArray]:
    """Times and numbers of batches: the most that may be under way if the mapping grows all the time."""
    limits = mapping.pollers
    full_ns = first_ns + -(-(limits.most - limits.start) * limits.per_ns // limits.rate)
    times = np.array([first_ns, min(full_ns, end_ns), end_ns])
    grown = limits.start + (times - first_ns) * (limits.rate / limits.per_ns)
    return times, np.minimum(grown, limits.most)


def _draw_ramp(ax: Axes, mapping: QueueMappingSpec | None, most: int, first_ns: int, end_ns: int) -> Entries:
    assert mapping is not None, "a queue without mapping has no batches"
    limits = mapping.pollers
    if limits.most <= FARTHEST * most:
        set_count_axis(ax, max(most, limits.most), room=1.3, ticks=3)
        draw_limit(ax, limits.most, f"limit of the mapping, {limits.most:,}", "most batches")
    if most <= limits.start or limits.start == limits.most:
        return []
    times_ns, level = ramp(mapping, first_ns, end_ns)
    look: dict[str, Any] = {"color": Colour.CEILING.value, "linewidth": 1.2, "linestyle": "--"}
    ax.plot(times_ns / 1e9, level, label="ramp", **look)
    per_minute = limits.rate * 60 * NS_PER_S / limits.per_ns
    words = f"batches allowed at most: {limits.start:,}, then {per_minute:,.0f} more a minute, up to {limits.most:,}"
    return [(Line2D([], [], **look), words)]
