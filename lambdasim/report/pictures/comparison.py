"""Pictures of several runs in one: latency, concurrency and refused attempts, one line for each variant."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import cycle
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    MaxNLocator,
    NullLocator,
    PercentFormatter,
    StrMethodFormatter,
)

from lambdasim.metrics.levels import step_function
from lambdasim.metrics.outcomes import Outcome
from lambdasim.metrics.percentile import percentiles
from lambdasim.metrics.run import Run
from lambdasim.report.pictures.latency import ecdf, limits_of, ticks_of
from lambdasim.report.pictures.stack import PIXELS, changes_of, highest_between, level_of
from lambdasim.report.pictures.style import (
    Colour,
    Header,
    legend,
    open_axes,
    say,
    shortened,
    style,
    time_text,
)
from lambdasim.report.pictures.time_axis import set_time_axis, step_s

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
Entries = list[tuple[Artist, str]]

_MAX_BINS = 120
_FARTHEST_QUOTA = 1.6  # times the highest concurrency; one further above would squash the lines

# Paul Tol's muted scheme, from dark to pale, without hues that mean an outcome. Dashes tell lines apart without colour.
_COLOURS = ("#332288", "#CC6677", "#999933", "#882255", "#88CCEE", "#AA4499", "#DDCC77")
_DASHES: tuple[Any, ...] = ("solid", (0, (5, 1.5)), (0, (1.5, 1)), (0, (6, 1.5, 1.5, 1.5)))


def latency(runs: Mapping[str, Run], facts: str, ax: Axes | None = None) -> Axes:
    """Share of the completed requests of each run that took at most a given time."""
    values = {name: _latencies(run) for name, run in runs.items()}
    with style():
        top = _header(runs, "how long requests took", facts)
        shown = [one for one in values.values() if len(one)]
        if not shown:
            return say(open_axes(ax, top, plot_px=180), "No request completed, so there is no latency to show.")
        axes = open_axes(ax, top)
        axes.set_xscale("log")
        entries: Entries = []
        for (name, one), look in zip(values.items(), _looks(), strict=False):
            label = f"{shortened(name)}\n{len(one):,} completed"
            if len(one):
                curve = ecdf(one)
                # The step up to the first point, and onwards at 1 to the edge, belong to a distribution function.
                x = np.concatenate((curve.latency_ns[:1], curve.latency_ns, [curve.latency_ns[-1] * 1_000]))
                y = np.concatenate(([0.0], curve.share, [1.0]))
                axes.plot(x, y, drawstyle="steps-post", label=name, **look)
                label += "\np50 {}, p99 {}".format(*map(time_text, percentiles(one, (500, 990))))
            entries.append((Line2D([], [], **look), label))
        left, right = limits_of(min(int(one.min()) for one in shown), max(int(one.max()) for one in shown))
        axes.set_xlim(left, right)
        axes.set_ylim(0, 1.03)
        axes.xaxis.set_major_locator(FixedLocator(ticks_of(left, right)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: time_text(round(value))))
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.set_xlabel("latency of completed requests, retries included (log scale)")
        axes.set_ylabel("share of requests that took at most this")
        axes.grid(True)
        legend(axes, entries)
    return axes


def concurrency(runs: Mapping[str, Run], facts: str, ax: Axes | None = None) -> Axes:
    """Requests in flight over time in each run, and the quotas where they are near."""
    with style():
        top = _header(runs, "requests in flight", facts)
        if not any(len(run.log.invocations) for run in runs.values()):
            return say(open_axes(ax, top, plot_px=180), "No request was accepted.")
        axes = open_axes(ax, top)
        entries: Entries = []
        highest = 1
        for (name, run), look in zip(runs.items(), _looks(), strict=False):
            times_ns, level = _levels(run)
            axes.plot(times_ns / 1e9, level, drawstyle="steps-post", label=name, **look)
            peak = run.summary["concurrency"]["peak"]
            entries.append((Line2D([], [], **look), f"{shortened(name)}\npeak {peak:,}"))
            highest = max(highest, peak)
        entries += _draw_quotas(axes, runs, highest)
        axes.set_ylim(0, None)
        _finish(axes, runs, entries, "concurrency (requests in flight)")
    return axes


def throttles(runs: Mapping[str, Run], facts: str, ax: Axes | None = None) -> Axes:
    """Refused attempts per second in each run, in equal bins of time."""
    with style():
        top = _header(runs, "refused attempts", facts)
        if not any(len(run.log.throttles) for run in runs.values()):
            return say(open_axes(ax, top, plot_px=180), "No attempt was refused.")
        axes = open_axes(ax, top)
        end_ns = max(run.log.end_ns for run in runs.values())
        width_ns = max(round(step_s(max(end_ns, 1) / 1e9, _MAX_BINS) * 1e9), 1)
        entries: Entries = []
        for (name, run), look in zip(runs.items(), _looks(), strict=False):
            edges_s, rate = refused_per_second(run, width_ns)
            axes.stairs(rate, edges_s, baseline=None, label=name, **look)
            entries.append((Line2D([], [], **look), f"{shortened(name)}\n{len(run.log.throttles):,} refused"))
        axes.set_ylim(0, None)
        _finish(axes, runs, entries, f"refused attempts per second, mean over {time_text(width_ns)}")
    return axes


# By the name that ``Comparison.plot`` takes.
COMPARISONS: dict[str, Callable[[Mapping[str, Run], str, Axes | None], Axes]] = {
    "latency": latency,
    "concurrency": concurrency,
    "throttles": throttles,
}


def refused_per_second(run: Run, width_ns: int) -> tuple[FloatArray, FloatArray]:
    """Edges of bins in seconds, shape (n + 1,), and the refused attempts per second of each, shape (n,)."""
    bins = max(-(-run.log.end_ns // width_ns), 1)
    # What happened at the very end belongs to the last bin.
    counts = np.bincount(np.minimum(run.log.throttles.time_ns // width_ns, bins - 1), minlength=bins)
    width_s = width_ns / 1e9
    return np.arange(bins + 1, dtype=np.float64) * width_s, np.asarray(counts / width_s, dtype=np.float64)


def _header(runs: Mapping[str, Run], title: str, facts: str) -> Header:
    names = {run.scenario.name for run in runs.values()}
    prefix = f"{names.pop()}: " if len(names) == 1 else ""
    return Header(title=f"{prefix}{title}, variant by variant", description="", facts=facts)


def _looks() -> Iterator[dict[str, Any]]:
    """Colours and dashes, of periods without a common divisor: 28 variants differ."""
    return cycle(
        {
            "color": _COLOURS[number % len(_COLOURS)],
            "linestyle": _DASHES[number % len(_DASHES)],
            "linewidth": 1.8,
        }
        for number in range(len(_COLOURS) * len(_DASHES))
    )


def _latencies(run: Run) -> IntArray:
    completed = run.outcomes.outcome == Outcome.COMPLETED
    latencies: IntArray = run.outcomes.settled_ns[completed] - run.log.requests.arrival_ns[completed]
    return latencies


def _levels(run: Run) -> tuple[IntArray, FloatArray]:
    """Times, and the concurrency from each on: exact, or the highest in each pixel where there are more changes."""
    invocations, end_ns = run.log.invocations, run.log.end_ns
    start, end = invocations.admitted_ns, invocations.end_ns
    times_ns = changes_of([(start, end)], end_ns)
    if times_ns is not None:
        return times_ns, level_of(start, end, times_ns, is_exact=True)
    times_ns = np.linspace(0, end_ns, PIXELS + 1).astype(np.int64)
    return times_ns, highest_between(*step_function(start, end), times_ns)


def _draw_quotas(ax: Axes, runs: Mapping[str, Run], highest: float) -> Entries:
    """A dotted line for each quota that is near, in the colour of its variant; where all have the same, one in grey."""
    courses = {name: tuple((s.at_ns, s.quota) for s in run.scenario.limits_in_force()) for name, run in runs.items()}
    is_common = len(set(courses.values())) == 1
    drawn = 0
    for (name, course), look in zip(courses.items(), _looks(), strict=False):
        near = [(at_ns, quota) for at_ns, quota in course if quota <= _FARTHEST_QUOTA * highest]
        if len(near) < len(course) or (is_common and drawn):
            continue
        times_s = [*(at_ns / 1e9 for at_ns, _ in near), runs[name].log.end_ns / 1e9]
        quotas = [*(quota for _, quota in near), near[-1][1]]
        colour = Colour.CEILING.value if is_common else look["color"]
        ax.plot(times_s, quotas, drawstyle="steps-post", color=colour, linewidth=1.1, linestyle=":", label="quota")
        drawn += 1
    if not drawn:
        return []
    colour = Colour.CEILING.value if is_common else "black"
    return [(Line2D([], [], color=colour, linewidth=1.1, linestyle=":"), "account quota" + ("" if is_common else "s"))]


def _finish(ax: Axes, runs: Mapping[str, Run], entries: Entries, label: str) -> None:
    set_time_axis(ax, max(run.log.end_ns for run in runs.values()) / 1e9)
    ax.yaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10], integer=True))
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.set_ylabel(label)
    ax.grid(True, axis="y")
    legend(ax, entries)
