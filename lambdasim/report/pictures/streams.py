"""Picture: the streams. What their records are at any time, how old the oldest is, what blocks their shards."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from lambdasim.eventlog.log import EventLog, MessageOutcome
from lambdasim.metrics.batches import BatchRows, batch_rows
from lambdasim.metrics.levels import peak
from lambdasim.metrics.message_history import iterator_ages_ns
from lambdasim.metrics.run import Run
from lambdasim.platform.event_sources import StreamSpec, stream_specs
from lambdasim.report.pictures.ages import age_of_oldest
from lambdasim.report.pictures.batch_times import NO_TIMEOUT_NS, BatchTimes, batch_times
from lambdasim.report.pictures.blocked import Spans, blocked_spans
from lambdasim.report.pictures.change_marks import mark_changes
from lambdasim.report.pictures.event_waits import WaitFor
from lambdasim.report.pictures.message_phases import Phase, message_phases
from lambdasim.report.pictures.panel_groups import (
    FARTHEST,
    Entries,
    Group,
    Layer,
    draw_age,
    draw_layers,
    draw_running_totals,
    finish_groups,
    mark_times,
    note_most,
    open_groups,
    set_count_axis,
)
from lambdasim.report.pictures.queues import PHASE_LOOKS
from lambdasim.report.pictures.stack import PIXELS
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

IntArray = npt.NDArray[np.int64]

MOST_STREAMS = 4
_COUNTS_PX, _LOWER_COUNTS_PX, _AGE_PX, _BLOCKED_PX, _GIVEN_UP_PX = 170, 140, 120, 70, 60

_TITLE = "records in the streams"
_LABELS = {
    Phase.WORKED_ON: "being worked on",
    Phase.THROTTLED: "throttled, to be tried again",
    Phase.HIDDEN: "failed, to be tried again",
    Phase.VISIBLE: "not read yet, or behind others",
}
_BLOCKED_LOOKS: dict[WaitFor, dict[str, Any]] = {
    WaitFor.RETRY_AFTER_ERROR: PHASE_LOOKS[Phase.HIDDEN],
    WaitFor.RETRY_AFTER_THROTTLE: PHASE_LOOKS[Phase.THROTTLED],
}


def streams(run: Run, ax: Axes | None = None) -> Axes:
    """For each of the busiest streams: records, age of the oldest, blocked shards, given up: panels inside."""
    log, specs = run.log, list(stream_specs(run.scenario))
    first = len(run.scenario.queues)
    shown = busiest(log, range(first, first + len(specs)), MOST_STREAMS)
    with style():
        if not shown:
            sentence = "No record came to a stream." if specs else "There are no streams."
            return say(open_axes(ax, header(run, _TITLE, ""), plot_px=180), sentence)
        rows = batch_rows(log)
        times = {queue: batch_times(log, rows, queue, NO_TIMEOUT_NS) for queue in shown}
        blocked = {queue: blocked_spans(log, times[queue], queue) for queue in shown}
        groups = [
            Group(
                heading=_heading(log, queue, specs[queue - first]),
                heights_px=_heights(log, queue, blocked[queue], len(shown)),
            )
            for queue in shown
        ]
        axes, panels = open_groups(ax, header(run, _TITLE, _facts(log, first, len(shown))), groups)
        exact = [
            _draw_stream(of_stream, run, rows, queue, specs[queue - first], times[queue], blocked[queue])
            for of_stream, queue in zip(panels, shown, strict=True)
        ]
        finish_groups(panels, log.end_ns, is_exact=all(exact))
        for of_stream in panels:
            mark_changes(of_stream[0], run)
    return axes


def _facts(log: EventLog, first: int, shown: int) -> str:
    mine = log.messages.queue >= first
    facts = counted(int(mine.sum()), "record")
    if shown < (with_records := len(np.unique(log.messages.queue[mine]))):
        facts += f", the {shown} busiest of {with_records} streams are shown"
    return facts


def _heading(log: EventLog, queue: int, spec: StreamSpec) -> str:
    shards = counted(spec.shards, "shard") + (f" of {spec.lanes} batches at once" if spec.lanes > 1 else "")
    where = f"{shards}, invokes {shortened(log.function_names[spec.function])}"
    return f"{shortened(spec.name)} ({where}) · {outcome_text(log, log.messages.queue == queue, 'record')}"


def _heights(log: EventLog, queue: int, blocked: dict[WaitFor, Spans], shown: int) -> list[int]:
    heights = [_COUNTS_PX if shown <= 2 else _LOWER_COUNTS_PX, _AGE_PX]
    if any(len(start) for start, _ in blocked.values()):
        heights.append(_BLOCKED_PX)
    if _given_up(log, queue):
        heights.append(_GIVEN_UP_PX)
    return heights


def _given_up(log: EventLog, queue: int) -> list[tuple[str, str, IntArray]]:
    """(label, colour, times) of the records that the mapping gave up."""
    outcome, settled = log.messages.outcome, log.messages.settled_ns
    mine, executed = log.messages.queue == queue, log.messages.is_executed
    discarded = mine & (outcome == MessageOutcome.DISCARDED)
    found = [
        ("discarded without any execution", UNEXECUTED_COLOUR, settled[discarded & ~executed]),
        ("discarded after executions", EXECUTED_COLOUR, settled[discarded & executed]),
        ("expired", EXPIRED_COLOUR, settled[mine & (outcome == MessageOutcome.EXPIRED)]),
    ]
    return [one for one in found if len(one[2])]


def _draw_stream(
    panels: list[Axes],
    run: Run,
    rows: BatchRows,
    queue: int,
    spec: StreamSpec,
    times: BatchTimes,
    blocked: dict[WaitFor, Spans],
) -> bool:
    """One group; whether its numbers are exact."""
    log = run.log
    stays = log.messages.queue == queue
    phases = message_phases(log, times, queue, visibility_ns=NO_TIMEOUT_NS)
    layers = []
    for kind, label in _LABELS.items():
        start, end = phases.span_of(kind)
        layers.append(Layer(label=label, look=PHASE_LOOKS[kind], start_ns=start, end_ns=end))
    entries, is_exact = draw_layers(panels[0], layers, log.end_ns)
    panels[0].set_ylabel("records")
    entries += _draw_ages(panels[1], log, rows, queue, spec)
    rest = panels[2:]
    if any(len(start) for start, _ in blocked.values()):
        _draw_blocked(rest[0], blocked, spec, log.end_ns)
        rest = rest[1:]
    if rest:
        entries += draw_running_totals(rest[0], _given_up(log, queue), log.end_ns)
        rest[0].set_ylabel("given up\nso far")
    mark_times(panels, drain_marks(log, stays, run.summary["streams"][spec.name], "record"), log.end_ns)
    legend(panels[0], entries)
    return is_exact


def _draw_ages(ax: Axes, log: EventLog, rows: BatchRows, queue: int, spec: StreamSpec) -> Entries:
    stays = log.messages.queue == queue
    sent = log.messages.sent_ns[stays]
    line = age_of_oldest(sent, sent, log.messages.settled_ns[stays], log.end_ns)
    highest = max(int(line[1].max()), 1)
    limits = [] if spec.most_age_ns is None else [("maximum record age", spec.most_age_ns)]
    if spec.retention_ns <= FARTHEST * highest:
        limits.append(("retention", spec.retention_ns))
    entries = draw_age(ax, line, "oldest record of all shards, not done yet", limits)
    at_ns, age_ns = highest_in_pixels(*iterator_ages_ns(log, rows, queue), log.end_ns)
    look: dict[str, Any] = {"color": Colour.BUSY.value, "marker": ".", "markersize": 3.5, "linestyle": "none"}
    ax.plot(at_ns / 1e9, age_ns / 1e9, label="IteratorAge", **look)
    most = f"\nat most {time_text(int(age_ns.max()))}" if len(age_ns) else ""
    return [
        *entries,
        (Line2D([], [], **look | {"markersize": 7}), f"IteratorAge of each batch: of its last record{most}"),
    ]


def highest_in_pixels(times_ns: IntArray, values: IntArray, end_ns: int) -> tuple[IntArray, IntArray]:
    """Points to draw: all of them if they are few, else the highest one of each pixel."""
    if len(times_ns) <= PIXELS:
        return times_ns, values
    pixel = np.minimum(times_ns * PIXELS // max(end_ns, 1), PIXELS - 1)
    order = np.lexsort((values, pixel))
    last = order[np.flatnonzero(np.diff(pixel[order], append=PIXELS))]
    return times_ns[last], values[last]


def _draw_blocked(ax: Axes, blocked: dict[WaitFor, Spans], spec: StreamSpec, end_ns: int) -> None:
    layers = [
        Layer(label=kind.name, look=_BLOCKED_LOOKS[kind], start_ns=start, end_ns=end)
        for kind, (start, end) in blocked.items()
    ]
    draw_layers(ax, layers, end_ns)
    start, end = (np.concatenate(parts) for parts in zip(*blocked.values(), strict=True))
    places = spec.shards * spec.lanes
    set_count_axis(ax, min(places, 2 * max(peak(start, end), 1)), room=1.35, ticks=3)
    ax.set_ylabel("blocked\nshards" if spec.lanes == 1 else "blocked\nplaces")
    noun = "shard" if spec.lanes == 1 else "batch at once"
    of_all = counted(places, noun) if spec.lanes == 1 else f"{places:,} batches at once"
    note_most(ax, f"waiting for a retry: at most {peak(start, end):,} of {of_all}")
