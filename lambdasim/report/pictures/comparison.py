"""Pictures of several runs in one: latency, concurrency and refused attempts, one line for each variant."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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

from lambdasim.metrics.highlights import paths
from lambdasim.metrics.levels import step_function
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
# Times the peak; a quota further above would squash the lines. Where variants have quotas of their own, one that its
# run did not come near says nothing, and there may be many.
_NEAR_COMMON_QUOTA, _NEAR_OWN_QUOTA = 1.6, 1.1

# Latencies that differ by less than this factor lie upon each other in the picture.
ALIKE = 1.05
_MARKS = (*range(100, 1000, 100), 950, 990, 999)  # permille: where distributions are compared
_BOTTOMS = (900, 500)  # where the axis of shares may begin, if not at 0

# Without the hues that mean an outcome elsewhere, and so that everybody can tell the first five apart: only one of them
# is reddish. Dashes tell lines apart without colour, and where one lies upon another.
_COLOURS = ("#88CCEE", "#332288", "#999933", "#AA4499", "#222222", "#CC6677", "#DDCC77")
_DASHES: tuple[Any, ...] = ("solid", (0, (5, 1.5)), (0, (1.5, 1)), (0, (6, 1.5, 1.5, 1.5)))
# The first variant, which the others are compared with, is pale and wide: it shows on both sides of what lies upon it.
_WIDE, _NARROW = 4.5, 1.8


def latency(runs: Mapping[str, Run], facts: str, ax: Axes | None = None) -> Axes:
    """Share of the completed requests of each run that took at most a given time.

    Where the faster half, or all but the slowest tenth, is alike in all runs, the picture begins there.
    """
    values = {name: _latencies(run) for name, run in runs.items()}
    shown = [one for one in values.values() if len(one)]
    bottom = bottom_permille(shown)
    if bottom:
        facts += f" · the fastest {bottom // 10} % differ by less than {100 * (ALIKE - 1):.0f} %"
    with style():
        top = _header(runs, "how long requests took", facts)
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
        lowest = [percentiles(one, (bottom,))[0] if bottom else one.min() for one in shown]
        left, right = limits_of(int(min(lowest)), max(int(one.max()) for one in shown))
        axes.set_xlim(left, right)
        axes.set_ylim(bottom / 1000, 1 + 0.03 * (1 - bottom / 1000))
        axes.xaxis.set_major_locator(FixedLocator(ticks_of(left, right)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: time_text(round(value))))
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.set_xlabel("latency of completed requests, retries included (log scale)")
        axes.set_ylabel("share of requests that took at most this")
        axes.grid(True)
        _write_legend(axes, entries, may_grow=ax is None)
    return axes


def concurrency(runs: Mapping[str, Run], facts: str, ax: Axes | None = None) -> Axes:
    """Requests in flight over time in each run, and the quotas where they are near."""
    with style():
        top = _header(runs, "requests in flight", facts)
        if not any(len(run.log.invocations) for run in runs.values()):
            return say(open_axes(ax, top, plot_px=180), "No request was accepted.")
        axes = open_axes(ax, top)
        entries: Entries = []
        for (name, run), look in zip(runs.items(), _looks(), strict=False):
            times_ns, level = _levels(run)
            axes.plot(times_ns / 1e9, level, drawstyle="steps-post", label=name, **look)
            entries.append((Line2D([], [], **look), f"{shortened(name)}\npeak {_peak(run):,}"))
        entries += _draw_quotas(axes, runs)
        axes.set_ylim(0, None)
        _finish(axes, runs, "concurrency (requests in flight)")
        _write_legend(axes, entries, may_grow=ax is None)
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
        _finish(axes, runs, f"refused attempts per second, mean over {time_text(width_ns)}")
        _write_legend(axes, entries, may_grow=ax is None)
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


def bottom_permille(latencies_ns: Sequence[IntArray]) -> int:
    """Up to which share distributions are alike, in permille: 900, 500, or 0 where they differ early or not at all."""
    if len(latencies_ns) < 2:
        return 0
    table = np.array([percentiles(one, _MARKS) for one in latencies_ns])
    differs = table.max(axis=0) > ALIKE * table.min(axis=0)
    if not differs.any():
        return 0
    first = _MARKS[int(differs.argmax())]
    return next((bottom for bottom in _BOTTOMS if bottom < first), 0)


def _looks() -> Iterator[dict[str, Any]]:
    """Colours and dashes, of periods without a common divisor: 28 variants differ. The first one is wider."""
    return cycle(
        {
            "color": _COLOURS[number % len(_COLOURS)],
            "linestyle": _DASHES[number % len(_DASHES)],
            "linewidth": _NARROW if number else _WIDE,
        }
        for number in range(len(_COLOURS) * len(_DASHES))
    )


def _latencies(run: Run) -> IntArray:
    return paths(run.log, run.outcomes)[1]


def _levels(run: Run) -> tuple[IntArray, FloatArray]:
    """Times, and the concurrency from each on: exact, or the highest in each pixel where there are more changes."""
    invocations, end_ns = run.log.invocations, run.log.end_ns
    start, end = invocations.admitted_ns, invocations.end_ns
    times_ns = changes_of([(start, end)], end_ns)
    if times_ns is not None:
        return times_ns, level_of(start, end, times_ns, is_exact=True)
    times_ns = np.linspace(0, end_ns, PIXELS + 1).astype(np.int64)
    return times_ns, highest_between(*step_function(start, end), times_ns)


def _draw_quotas(ax: Axes, runs: Mapping[str, Run]) -> Entries:
    """A dotted line for each quota while it is near, in the colour of the first variant that has it.

    One line in grey where all variants have the same.
    """
    courses = {name: _quotas(run) for name, run in runs.items()}
    is_common = len(set(courses.values())) == 1
    highest = max(map(_peak, runs.values()))
    drawn = set()
    for (name, course), look in zip(courses.items(), _looks(), strict=False):
        farthest = _NEAR_COMMON_QUOTA * highest if is_common else _NEAR_OWN_QUOTA * _peak(runs[name])
        levels = [quota if quota <= farthest else np.nan for _, quota in course]
        if course in drawn or np.isnan(levels).all():
            continue
        times_s = [*(at_ns / 1e9 for at_ns, _ in course), runs[name].log.end_ns / 1e9]
        colour = Colour.CEILING.value if is_common else look["color"]
        ax.plot(
            times_s,
            [*levels, levels[-1]],
            drawstyle="steps-post",
            color=colour,
            linewidth=1.1,
            linestyle=":",
            label="quota",
        )
        drawn.add(course)
    if not drawn:
        return []
    colour = Colour.CEILING.value if is_common else "black"
    return [(Line2D([], [], color=colour, linewidth=1.1, linestyle=":"), "account quota" + ("" if is_common else "s"))]


def _quotas(run: Run) -> tuple[tuple[int, int], ...]:
    """(time in ns, quota from then on) of a run, up to its end."""
    return tuple(
        (state.at_ns, state.quota) for state in run.scenario.limits_in_force() if state.at_ns <= run.log.end_ns
    )


def _peak(run: Run) -> int:
    peak: int = run.summary["concurrency"]["peak"]
    return peak


def _finish(ax: Axes, runs: Mapping[str, Run], label: str) -> None:
    set_time_axis(ax, max(run.log.end_ns for run in runs.values()) / 1e9)
    ax.yaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10], integer=True))
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.set_ylabel(label)
    ax.grid(True, axis="y")


def _write_legend(ax: Axes, entries: Entries, *, may_grow: bool) -> None:
    """The legend, and below a short picture as much room as a long one needs.

    ``may_grow``: the figure is ours. What a caller brought keeps its size.
    """
    legend(ax, entries)
    figure, written = ax.get_figure(root=True), ax.get_legend()
    if not may_grow or figure is None or written is None:
        return
    excess_px = written.get_window_extent().height - ax.bbox.height
    if excess_px <= 0:
        return
    left, bottom, width, height = ax.get_position().bounds
    old_px = figure.bbox.height
    new_px = float(np.ceil(old_px + excess_px))
    figure.set_figheight(new_px / figure.dpi)
    ax.set_position((left, bottom * old_px / new_px, width, (height * old_px + new_px - old_px) / new_px))
