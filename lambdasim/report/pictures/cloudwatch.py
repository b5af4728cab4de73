"""Picture: what CloudWatch saw. Concurrency as it was, and what is left of it in statistics of whole periods."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from lambdasim.eventlog.log import EventLog
from lambdasim.metrics.cloudwatch import region_metrics
from lambdasim.metrics.levels import peak, step_function
from lambdasim.metrics.metric_rows import MetricRow
from lambdasim.metrics.run import Run
from lambdasim.report.pictures.change_marks import mark_changes
from lambdasim.report.pictures.stack import PIXELS, highest_between
from lambdasim.report.pictures.style import Colour, counted, header, legend, open_axes, say, style, time_text
from lambdasim.report.pictures.time_axis import set_time_axis, step_s

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_MINUTE_S = 60.0
# With more periods than the first, lines are thin; with more than the second, a longer period is taken.
_MANY_PERIODS, _MOST_PERIODS = 60, 400

# Heights of the panels as shares of the whole; the rest is the gap between them.
_UPPER, _LOWER = 0.58, 0.35

_ALWAYS, _NOW_AND_THEN = 0.75, 0.4
_ROUND = [1, 2, 5, 10]


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """Statistics of each period, shape (n_periods,); nan where a period has no data."""

    length_ns: int
    maximum: FloatArray
    average: FloatArray
    invocations: FloatArray
    throttles: FloatArray

    @property
    def edges_s(self) -> FloatArray:
        """Edges of the periods, shape (n_periods + 1,)."""
        return np.asarray(np.arange(len(self.maximum) + 1) * (self.length_ns / 1e9))


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Concurrency between each time and the next: at least ``lowest``, at most ``highest``. Shape (n_times,) each."""

    times_ns: IntArray
    lowest: FloatArray
    highest: FloatArray


def period_of(end_ns: int) -> int:
    """Length of a period in ns: a minute, which is CloudWatch's shortest, or longer for days."""
    return round(max(_MINUTE_S, step_s(max(end_ns, 1) / 1e9, _MOST_PERIODS)) * 1e9)


def periods_of(log: EventLog, length_ns: int) -> Periods:
    """What CloudWatch has of a run, in periods of this length."""
    count = max(-(-log.end_ns // length_ns), 1)
    metrics = region_metrics(log, length_ns)

    def column(metric: str, value: Callable[[MetricRow], float], missing: float) -> FloatArray:
        values = np.full(count, missing)
        for row in metrics[metric]:
            if (period := row.period_start_ns // length_ns) < count:  # the last instant may begin one more
                values[period] = value(row)
        return values

    return Periods(
        length_ns=length_ns,
        maximum=column("ConcurrentExecutions", lambda row: row.maximum, np.nan),
        average=column("ConcurrentExecutions", lambda row: row.average, np.nan),
        invocations=column("Invocations", lambda row: row.sum, 0),
        throttles=column("Throttles", lambda row: row.sum, 0),
    )


def exact_concurrency(log: EventLog) -> Band:
    """Concurrency event by event; lowest and highest in each pixel where there are more events than pixels."""
    instants_ns, level = step_function(log.invocations.admitted_ns, log.invocations.end_ns)
    if len(instants_ns) <= 3 * PIXELS or log.end_ns < PIXELS:
        times_ns = np.concatenate(([0], instants_ns, [log.end_ns]))
        exact = np.concatenate(([0], level, level[-1:])).astype(np.float64)
        return Band(times_ns=times_ns, lowest=exact, highest=exact)
    times_ns = np.linspace(0, log.end_ns, PIXELS + 1).astype(np.int64)
    highest = highest_between(instants_ns, level, times_ns)
    return Band(times_ns=times_ns, lowest=-highest_between(instants_ns, -level, times_ns), highest=highest)


def cloudwatch(run: Run, ax: Axes | None = None) -> Axes:
    """Concurrency and CloudWatch's statistics of it above, Invocations and Throttles below: panels inside the axes."""
    log = run.log
    with style():
        periods = periods_of(log, period_of(log.end_ns))
        length = _period_text(periods.length_ns)
        most = peak(log.invocations.admitted_ns, log.invocations.end_ns)
        facts = f"peak {most:,} in flight"
        if len(log.invocations):
            facts += f", {_number(np.nanmax(periods.average))} as the highest average of a period"
        facts += f", {counted(len(log.throttles), 'attempt')} throttled"
        top = header(run, "what CloudWatch saw", facts)
        if not len(log.invocations) and not len(log.throttles):
            return say(open_axes(ax, top, plot_px=180), "There were no requests.")
        axes = open_axes(ax, top, plot_px=430)
        axes.set_axis_off()
        upper = axes.inset_axes((0, 1 - _UPPER, 1, _UPPER))
        lower = axes.inset_axes((0, 0, 1, _LOWER))
        legend(upper, _draw_concurrency(upper, log, periods))
        legend(lower, _draw_counts(lower, periods))
        mark_changes(upper, run)
        for panel in (upper, lower):
            set_time_axis(panel, log.end_ns / 1e9)
            panel.set_axisbelow(True)
            panel.grid(True, axis="y")
            panel.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        upper.yaxis.set_major_locator(MaxNLocator(6, integer=True, steps=_ROUND))
        lower.yaxis.set_major_locator(MaxNLocator(4, integer=True, steps=_ROUND))
        upper.set_xlabel("")
        upper.tick_params(axis="x", labelbottom=False)
        upper.set_ylabel("ConcurrentExecutions")
        lower.set_ylabel(f"sum of each {length}")
        lower.set_xlabel(f"{lower.get_xlabel()}; periods of {time_text(periods.length_ns)}")
    return axes


def _period_text(length_ns: int) -> str:
    return "minute" if length_ns == _MINUTE_S * 1e9 else time_text(length_ns)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _draw_concurrency(ax: Axes, log: EventLog, periods: Periods) -> list[tuple[Artist, str]]:
    if not len(log.invocations):
        ax.set_ylim(0, 1)
        ax.text(0.5, 0.5, "Nothing was accepted.", transform=ax.transAxes, ha="center", va="center")
        return []
    band = exact_concurrency(log)
    times_s = band.times_ns / 1e9
    grey: dict[str, Any] = {"step": "post", "color": Colour.IN_FLIGHT.value, "linewidth": 0, "snap": False}
    ax.fill_between(times_s, 0, band.lowest, alpha=_ALWAYS, label="in flight", **grey)
    ax.fill_between(times_s, band.lowest, band.highest, alpha=_NOW_AND_THEN, label="in flight, now and then", **grey)
    thin = 0.6 if len(periods.maximum) > _MANY_PERIODS else 1.0
    maximum: dict[str, Any] = {"color": Colour.EVERYTHING.value, "linewidth": 2.2 * thin}
    average: dict[str, Any] = {"color": Colour.BUSY.value, "linewidth": 1.5 * thin}
    ax.stairs(periods.maximum, periods.edges_s, baseline=None, label="maximum", **maximum)
    ax.stairs(periods.average, periods.edges_s, baseline=None, label="average", **average)
    ax.set_ylim(0, float(band.highest.max()) * 1.08)
    length = _period_text(periods.length_ns)
    entries: list[tuple[Artist, str]] = [
        (Line2D([], [], **maximum), f"Maximum of each {length}"),
        (Line2D([], [], **average), f"Average of each {length}, sampled at admissions"),
        (Patch(color=Colour.IN_FLIGHT, alpha=_ALWAYS), "in flight, event by event"),
    ]
    if band.lowest is not band.highest:
        width = time_text(int(band.times_ns[1]))
        entries.append(
            (Patch(color=Colour.IN_FLIGHT, alpha=_NOW_AND_THEN), f"from the lowest to the highest in each {width}")
        )
    return entries


def _draw_counts(ax: Axes, periods: Periods) -> list[tuple[Artist, str]]:
    entries: list[tuple[Artist, str]] = []
    for label, values, colour in (
        ("Invocations", periods.invocations, Colour.BUSY),
        ("Throttles", periods.throttles, Colour.THROTTLED),
    ):
        if values.any():
            ax.stairs(values, periods.edges_s, fill=True, color=colour, alpha=0.25, linewidth=0)
            ax.stairs(values, periods.edges_s, color=colour, linewidth=1.6, label=label)
        entries.append((Line2D([], [], color=colour, linewidth=1.6), f"{label}\n{int(values.sum()):,}"))
    ax.set_ylim(0, max(float(periods.invocations.max()), float(periods.throttles.max()), 1) * 1.08)
    return entries
