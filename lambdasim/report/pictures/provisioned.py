"""Picture: provisioned concurrency. What is asked for, ready and busy; and which invocations spilled over, and why."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lambdasim.eventlog.log import NOT_YET, EventLog
from lambdasim.metrics.levels import peak, step_function
from lambdasim.metrics.provisioned import Capacity, capacity_of, provisioned_functions
from lambdasim.metrics.run import Run
from lambdasim.platform.provisioned import CapacityCause, SpilloverReason
from lambdasim.platform.region import build_platform
from lambdasim.report.pictures.ages import even_times
from lambdasim.report.pictures.areas import draw_area
from lambdasim.report.pictures.capacity_course import (
    InvocationBins,
    busy_spans,
    capacity_marks,
    invocation_bins,
    mean_units,
)
from lambdasim.report.pictures.change_marks import mark_changes
from lambdasim.report.pictures.outcomes import RateUnit, rate_unit
from lambdasim.report.pictures.panel_groups import (
    FARTHEST,
    PAPER,
    Entries,
    Group,
    finish_groups,
    open_groups,
    set_count_axis,
)
from lambdasim.report.pictures.stack import changes_of, highest_between, level_of
from lambdasim.report.pictures.style import (
    SPILLOVER_COLOURS,
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
from lambdasim.report.wording import share_text
from lambdasim.units import NS_PER_S

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

MOST_FUNCTIONS = 3
_UNITS_PX, _RATE_PX = 215, 175
_MOST_MARKS = 60
_ROOM, _ROOM_FOR_WORDS = 1.12, 1.25
_SECONDS: dict[RateUnit, int] = {"second": 1, "minute": 60, "hour": 3_600}

# Why, as part of a sentence, in the order of telling.
_WHY = {
    SpilloverReason.REQUEST_RATE: "requests came faster than {per_unit} a second for each unit",
    SpilloverReason.CONCURRENCY: "all units were busy",
    SpilloverReason.NOT_READY: "no unit was ready yet",
}
_BECAUSE_OF = {
    SpilloverReason.REQUEST_RATE: "of the request rate",
    SpilloverReason.CONCURRENCY: "all units were busy",
    SpilloverReason.NOT_READY: "no unit was ready yet",
}
_LESSONS = {
    SpilloverReason.REQUEST_RATE: "A unit (one provisioned environment) takes at most {per_unit} requests a second,"
    " however short: idle ones do not help",
    SpilloverReason.CONCURRENCY: "A unit (one provisioned environment) serves one invocation at a time: what finds"
    " none idle runs on demand",
    SpilloverReason.NOT_READY: "Units (provisioned environments) serve nothing before all that were asked for together"
    " are ready",
}
_LABELS = {
    SpilloverReason.REQUEST_RATE: "spilled over: too fast for the units",
    SpilloverReason.CONCURRENCY: "spilled over: all units busy",
    SpilloverReason.NOT_READY: "spilled over: no unit ready",
}
_LOOKS: dict[SpilloverReason, dict[str, Any]] = {
    SpilloverReason.REQUEST_RATE: {"facecolor": SPILLOVER_COLOURS[SpilloverReason.REQUEST_RATE], "linewidth": 0},
    SpilloverReason.CONCURRENCY: {
        "facecolor": SPILLOVER_COLOURS[SpilloverReason.CONCURRENCY],
        "edgecolor": "white",
        "hatch": "//////",
        "linewidth": 0,
    },
    SpilloverReason.NOT_READY: {
        "facecolor": "white",
        "edgecolor": SPILLOVER_COLOURS[SpilloverReason.NOT_READY],
        "hatch": "xxxxxx",
        "linewidth": 0,
    },
}
_BUSY: dict[str, Any] = {"facecolor": Colour.BUSY.value, "linewidth": 0}
_IDLE: dict[str, Any] = {"facecolor": Colour.IDLE.value, "linewidth": 0}
_ON_DEMAND: dict[str, Any] = {"facecolor": Colour.ON_DEMAND.value, "linewidth": 0}
_REQUESTED: dict[str, Any] = {"color": Colour.EVERYTHING.value, "linewidth": 1.3}
_HIGHEST: dict[str, Any] = {"color": Colour.CEILING.value, "linewidth": 0.7}
_CEILING: dict[str, Any] = {"color": Colour.CEILING.value, "linewidth": 1.5, "linestyle": "--"}
_MARKS: dict[CapacityCause, tuple[str, dict[str, Any]]] = {
    CapacityCause.SCHEDULED: ("scheduled action", {"marker": "D", "color": "black", "markersize": 5}),
    CapacityCause.TARGET_TRACKING: ("target tracking", {"marker": "o", "color": "black", "markersize": 4}),
    CapacityCause.INIT_FAILED: (
        "FAILED: an init took too long",
        {"marker": "X", "color": Colour.FAILED.value, "markersize": 9, "markeredgecolor": "black"},
    ),
}


def provisioned(run: Run, ax: Axes | None = None) -> Axes:
    """For each function with provisioned concurrency: units over time; invocations by where they ran: panels inside."""
    log, candidates = run.log, provisioned_functions(run.log)
    shown = _shown(log, candidates)
    with style():
        if not shown:
            top = header(run, "provisioned concurrency", "")
            return say(open_axes(ax, top, plot_px=180), "No function asked for provisioned concurrency.")
        top = header(run, _title(run, candidates), _facts(run, candidates, len(shown)))
        is_alone = len(candidates) == 1
        groups = [
            Group(heading=_heading(run, function, is_alone=is_alone), heights_px=[_UNITS_PX, _RATE_PX])
            for function in shown
        ]
        axes, panels = open_groups(ax, top, groups)
        for (upper, lower), function in zip(panels, shown, strict=True):
            _draw_units(upper, log, function)
            _draw_invocations(lower, log, function, _per_unit(run, function))
        finish_groups(panels, log.end_ns, is_exact=True)
        for upper, _ in panels:
            mark_changes(upper, run)
    return axes


def _shown(log: EventLog, candidates: list[int]) -> list[int]:
    """The functions with the most spillovers, then with the most invocations; in file order."""
    count = len(log.function_names)
    spilled = np.bincount(log.spillovers.function, minlength=count)
    invoked = np.bincount(log.invocations.function, minlength=count)
    order = sorted(candidates, key=lambda function: (-spilled[function], -invoked[function], function))
    return sorted(order[:MOST_FUNCTIONS])


def _per_unit(run: Run, function: int) -> int | None:
    """Requests a second that a unit takes; None without limit."""
    spec = build_platform(run.scenario).functions[function].provisioned
    assert spec is not None, "the function has provisioned concurrency"
    return spec.requests_per_unit


def _reasons(log: EventLog, functions: list[int]) -> dict[SpilloverReason, int]:
    """How often invocations of these functions spilled over, by reason, the most frequent one first."""
    reasons = log.spillovers.reason[np.isin(log.spillovers.function, functions)]
    counts = {reason: int((reasons == reason).sum()) for reason in _WHY}
    return {reason: counts[reason] for reason in sorted(_WHY, key=lambda reason: -counts[reason]) if counts[reason]}


def _title(run: Run, functions: list[int]) -> str:
    reasons = _reasons(run.log, functions)
    if not np.isin(run.log.invocations.function, functions).any():
        return "provisioned concurrency, and nobody invoked it"
    if not reasons:
        return "nothing spilled over from provisioned concurrency"
    first = next(iter(reasons))
    share = share_text(run.summary["provisioned"]["spillover_ratio"], 1)
    mostly = "" if len(reasons) == 1 else "mostly "
    return f"{share} spilled over from provisioned concurrency, {mostly}because {_BECAUSE_OF[first]}"


def _facts(run: Run, functions: list[int], shown: int) -> str:
    first = list(_reasons(run.log, functions))[:1]
    parts = [_LESSONS[reason].format(per_unit=_per_unit(run, functions[0])) for reason in first]
    if shown < len(functions):
        parts.append(f"{shown} of {len(functions)} functions are shown, those with the most spillovers")
    return " · ".join(parts)


def _heading(run: Run, function: int, *, is_alone: bool) -> str:
    """Name, how busy the units were, and how much spilled over; and why, where the title cannot say it of each."""
    log = run.log
    block = run.summary["functions"][log.function_names[function]]["provisioned"]
    # What ran before any unit was asked for did not spill over, and counts in no share of it.
    share, spilled, invoked = block["utilization"], block["spillovers"], block["invocations"] + block["spillovers"]
    busy = "units never ready" if share is None else f"units busy {share_text(share, 1)} of the time"
    name = f"{shortened(log.function_names[function])} · {busy}"
    reasons = _reasons(log, [function])
    if not reasons:
        none = f"none of {counted(invoked, 'invocation')} spilled over" if invoked else "no invocation"
        return f"{name}, {none}"
    per_unit = _per_unit(run, function)
    why = [(_WHY[reason].format(per_unit=per_unit), count) for reason, count in reasons.items()]
    words = "" if is_alone else f", since {why[0][0]}"
    if len(why) > 1:
        words = ": " + ", ".join(f"{count:,} since {text}" for text, count in why)
    return f"{name}, {spilled:,} of {counted(invoked, 'invocation')} spilled over{words}"


def _draw_units(ax: Axes, log: EventLog, function: int) -> None:
    """Busy and idle units, what runs on demand above them, and the line of what was asked for."""
    capacity = capacity_of(log, function)
    busy, on_demand = busy_spans(log, function)
    changes = changes_of([busy, on_demand, (capacity.at_ns, np.full(len(capacity.at_ns), NOT_YET))], log.end_ns)
    is_exact = changes is not None
    times_ns = even_times(log.end_ns) if changes is None else changes
    times_s = times_ns / 1e9
    used = level_of(*busy, times_ns, is_exact=is_exact)
    allocated = capacity.allocated_at(times_ns).astype(np.float64)
    if not is_exact:
        allocated = mean_units(capacity.at_ns, capacity.allocated, times_ns)
    ready = np.maximum(used, allocated)
    top = ready + level_of(*on_demand, times_ns, is_exact=is_exact)
    highest = np.zeros(1)
    entries: Entries = []
    # Busy units last: where a burst is thinner than a pixel, what else there is would cover it.
    for below, above, look, label in (
        (ready, top, _ON_DEMAND, "on demand"),
        (used, ready, _IDLE, "idle"),
        (np.zeros(len(used)), used, _BUSY, "busy"),
    ):
        draw_area(ax, times_s, below, above, label=label, **look)
    if len(on_demand[0]):
        words = f"on demand\nat most {peak(*on_demand):,}"
        entries.append((Patch(**_ON_DEMAND), words))
    if capacity.allocated.any():
        entries.append((Patch(**_IDLE), f"idle, of {_range_text(_over_run(capacity, capacity.allocated))} ready"))
        entries.append((Patch(**_BUSY), f"busy units\nat most {peak(*busy):,}"))
    if not is_exact:
        highest = highest_between(*step_function(*busy), times_ns)
        # Where all are busy it would only thicken the line of what is requested, and hang strokes on it.
        below_all = np.where(highest < capacity.allocated_at(times_ns), highest, np.nan)
        ax.plot(times_s, below_all, drawstyle="steps-post", label="highest", **_HIGHEST)
        width = time_text(int(times_ns[1]))
        entries.append((Line2D([], [], **_HIGHEST), f"most busy in each {width}; areas: mean over it"))
    set_count_axis(ax, max(top.max(), highest.max(), capacity.requested.max()), room=_ROOM, ticks=5)
    _mark_causes(ax, log, function, capacity)
    entries = [*_draw_requested(ax, capacity, log.end_ns), *entries]
    ax.set_ylabel("units, and what\nruns on demand")
    legend(ax, entries)


def _range_text(units: npt.NDArray[Any]) -> str:
    low, high = int(units.min()), int(units.max())
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _over_run(capacity: Capacity, units: IntArray) -> IntArray:
    """Units as steps from the start of the run on: none before the first change."""
    return units if capacity.at_ns[0] == 0 else np.append(0, units)


def _steps(capacity: Capacity, units: npt.NDArray[Any], end_ns: int) -> tuple[FloatArray, FloatArray]:
    """Times in s and units of a line of steps over the whole run."""
    at_ns, units = _over_run(capacity, capacity.at_ns), _over_run(capacity, units)
    return np.append(at_ns, end_ns) / 1e9, np.append(units, units[-1]).astype(np.float64)


def _draw_requested(ax: Axes, capacity: Capacity, end_ns: int) -> Entries:
    """The units that were asked for, as steps."""
    ax.plot(*_steps(capacity, capacity.requested, end_ns), drawstyle="steps-post", label="requested", **_REQUESTED)
    words = f"requested, and paid for\n{_range_text(_over_run(capacity, capacity.requested))}"
    return [(Line2D([], [], **_REQUESTED), words)]


def _mark_causes(ax: Axes, log: EventLog, function: int, capacity: Capacity) -> None:
    """Marks where autoscaling asked for other units, or where an allocation failed; words at the first of each."""
    marks = capacity_marks(log, function)
    for cause, (label, look) in _MARKS.items():
        at = [(mark.at_ns / 1e9, mark.units) for mark in marks if mark.cause == cause]
        if not at or len(at) > _MOST_MARKS:
            continue
        ax.plot(*zip(*at, strict=True), linestyle="none", label=cause.key, clip_on=False, zorder=4, **look)
        # Before a step up there is room above the line, and after a step down.
        is_up = at[0][1] > capacity.requested_at(np.array([round(at[0][0] * 1e9) - 1]))[0]
        share = at[0][0] * 1e9 / max(log.end_ns, 1)
        is_left = share > 0.75 or (is_up and share > 0.25)
        ax.annotate(
            label,
            at[0],
            (-7 if is_left else 7, 5),
            "data",
            "offset points",
            ha="right" if is_left else "left",
            fontsize=8.5,
            bbox=PAPER,
            zorder=4,
        )


def _draw_invocations(ax: Axes, log: EventLog, function: int, per_unit: int | None) -> None:
    """Invocations by where they ran, and the request rate that the units take."""
    bins = invocation_bins(log, function)
    seconds = bins.width_ns / 1e9
    unit = rate_unit(float(bins.total.max()) / seconds)
    entries = _draw_bins(ax, bins, _SECONDS[unit] / seconds)
    top = float(bins.total.max()) / seconds * _SECONDS[unit]
    if unit == "second" and bins.width_ns > NS_PER_S:
        ax.stairs(bins.highest, bins.edges_s, baseline=None, label="highest", **_HIGHEST)
        entries.append((Line2D([], [], **_HIGHEST), f"highest second in each {time_text(bins.width_ns)}"))
        top = max(top, float(bins.highest.max()))
    set_count_axis(ax, top, room=_ROOM, ticks=4)
    if per_unit is not None:
        _draw_ceiling(ax, capacity_of(log, function), per_unit, unit, log.end_ns)
    ax.set_ylabel(f"invocations\nper {unit}")
    legend(ax, entries)


def _draw_bins(ax: Axes, bins: InvocationBins, scale: float) -> Entries:
    """The stack; legend entries from the top."""
    layers: list[tuple[str, IntArray, dict[str, Any]]] = [
        ("on provisioned environments", bins.provisioned, _BUSY),
        *((_LABELS[reason], bins.spilled[reason], _LOOKS[reason]) for reason in _WHY if reason in bins.spilled),
        ("on demand: no units then", bins.on_demand, _ON_DEMAND),
    ]
    below = np.zeros(len(bins.provisioned))
    entries: Entries = []
    for label, counts, look in layers:
        if not counts.any():
            continue
        above = below + counts * scale
        ax.stairs(above, bins.edges_s, baseline=below, fill=True, label=label, **look)
        entries.append((Patch(**look), f"{label}\n{int(counts.sum()):,}"))
        below = above
    return entries[::-1]


def _draw_ceiling(ax: Axes, capacity: Capacity, per_unit: int, unit: RateUnit, end_ns: int) -> None:
    """The request rate that the units take, or a note where it is far above what came."""
    times_s, units = _steps(capacity, capacity.allocated, end_ns)
    rates = units * per_unit * _SECONDS[unit]
    if not rates.any():
        return
    data_top = ax.get_ylim()[1] / _ROOM
    per = "s" if unit == "second" else unit
    words = f"most that the units take: {per_unit} a second each, {_range_text(rates[rates > 0])}/{per}"
    look: dict[str, Any] = {"fontsize": 8.5, "bbox": PAPER, "zorder": 4}
    is_near = (rates > 0) & (rates <= FARTHEST * data_top)
    at_the_top: dict[str, Any] = {"xy": (0, 1), "xytext": (4, -2), "xycoords": "axes fraction", "va": "top", **look}
    at_the_top["textcoords"] = "offset points"
    if not is_near.any():
        ax.annotate(f"↑ {words}, far above", **at_the_top)
        return
    top = max(data_top, float(rates[is_near].max()))
    is_steady = len(np.unique(rates[rates > 0])) == 1
    set_count_axis(ax, top, room=_ROOM if is_steady else _ROOM_FOR_WORDS, ticks=4)
    ax.plot(times_s, np.where(is_near, rates, np.nan), drawstyle="steps-post", label="ceiling", **_CEILING)
    if not is_steady:  # a line of steps has no place of its own for words
        ax.annotate(words if is_near[rates > 0].all() else f"{words}; no line where far above", **at_the_top)
        return
    first = int(np.argmax(is_near))
    is_late, is_low = times_s[first] > 0.5 * end_ns / 1e9, rates[first] < 0.4 * top
    ax.annotate(
        words,
        (1 if is_late else times_s[first] / max(end_ns / 1e9, 1e-9), rates[first]),
        (-4 if is_late else 4, 4 if is_low else -4),
        ax.get_yaxis_transform(),
        "offset points",
        ha="right" if is_late else "left",
        va="bottom" if is_low else "top",
        **look,
    )
