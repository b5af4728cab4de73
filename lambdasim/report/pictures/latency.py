"""Picture: the distribution of latency, for warm, cold and retried requests, and for those who waited in vain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator, PercentFormatter

from lambdasim.metrics.percentile import percentiles
from lambdasim.metrics.run import Run
from lambdasim.report.pictures.fates import Fate, request_fates
from lambdasim.report.pictures.style import Colour, counted, header, legend, open_axes, say, style, time_text
from lambdasim.report.pictures.time_axis import step_s
from lambdasim.report.wording import UNAWAITED
from lambdasim.units import NS_PER_S

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

MAX_POINTS = 2_000

# A target further from the data than this would squash them on the log scale; the summary has it.
_FARTHEST_TARGET = 20

# Data that spread by less than this factor get an axis of their own making.
_WIDE = 4
_FEWEST_TICKS, _MOST_TICKS = 3, 10

_SHARES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}

_ROUND_NS = (
    *(digit * 10**power for power in range(10) for digit in (1, 2, 5)),
    *(10**9 * seconds for seconds in (10, 20, 60, 120, 300, 600, 1_200, 3_600, 7_200, 18_000, 36_000, 86_400, 864_000)),
)
# Where a tick at each round time would be too many.
_ROUNDEST_NS = (
    *(10**power for power in range(11)),
    *(10**9 * seconds for seconds in (60, 600, 3_600, 36_000, 864_000)),
)


# Of fewer values p99 is the slowest one, and that says it more plainly.
_FEWEST_FOR_P99 = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Ecdf:
    """A distribution function: the share of values that are at most ``latency_ns``. Shape (at most 2000,) each."""

    latency_ns: IntArray
    share: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A promised percentile: ``share`` of the completed requests take at most ``latency_ns``."""

    name: str
    share: float
    latency_ns: int
    met: bool


def _shown_targets(run: Run, values: IntArray) -> list[Target]:
    """The percentiles of ``slo`` that are near the data."""
    low, high = int(values.min()) // _FARTHEST_TARGET, int(values.max()) * _FARTHEST_TARGET
    targets = [
        Target(name=name, share=_SHARES[name], latency_ns=round(target["target"] * NS_PER_S), met=target["met"])
        for name, target in run.summary["slo"].items()
        if name in _SHARES
    ]
    return [target for target in targets if low <= target.latency_ns <= high]


def ecdf(latency_ns: IntArray) -> Ecdf:
    """The exact distribution function, thinned to evenly spaced ranks when it has more than 2000 points."""
    values = np.sort(latency_ns)
    ranks = np.arange(len(values))
    if len(values) > MAX_POINTS:
        ranks = np.unique(np.linspace(0, len(values) - 1, MAX_POINTS).astype(np.int64))
    return Ecdf(latency_ns=values[ranks], share=(ranks + 1) / len(values))


def latency(run: Run, ax: Axes | None = None) -> Axes:
    """Share of requests with at most a given latency, by fate, with the median and p99 of all that completed."""
    fates = request_fates(run)
    settled = run.outcomes.settled_ns - run.log.requests.arrival_ns
    groups = {fate: settled[fates == fate] for fate in (Fate.WARM, Fate.COLD, Fate.RETRIED)}
    everything = np.concatenate(list(groups.values()))
    in_vain = settled[fates == Fate.TIMED_OUT_CLIENT]
    with style():
        top = header(run, "how long requests took", _facts(len(everything), len(in_vain), len(fates)))
        if not len(everything):
            sentence = "No request completed, so there is no latency to show."
            sentence = sentence if len(fates) else "There were no requests."
            return say(open_axes(ax, top, plot_px=180), sentence)
        axes = open_axes(ax, top)
        axes.set_xscale("log")
        entries = []
        curves = [(everything, Colour.EVERYTHING, "all completed")]
        curves += [(values, fate.colour, fate.label) for fate, values in groups.items() if len(values)]  # type: ignore[misc]
        for number, (values, colour, label) in enumerate(curves):
            line = _draw(axes, values, colour, is_all=number == 0)
            entries.append((line, f"{label}\n{len(values):,} ({100 * len(values) / len(everything):.3g} %)"))
        if len(in_vain):
            line = _draw(axes, in_vain, Fate.TIMED_OUT_CLIENT.colour, is_all=False)
            entries.append((line, f"{Fate.TIMED_OUT_CLIENT.label}\n{len(in_vain):,}, not completed"))
        shown = _shown_targets(run, everything)
        _set_axes(axes, np.concatenate((everything, in_vain, [target.latency_ns for target in shown])))
        end = "answer, or to giving up" if len(in_vain) else "answer"
        unawaited = [f"{name}s" for invoke, name in UNAWAITED.items() if invoke in run.log.source_invokes]
        if unawaited:  # who sent them had an answer at once
            is_all = "sync" not in run.log.source_invokes
            end = "completion" if is_all else f"{end} (of {' and '.join(unawaited)}: their completion)"
        axes.set_xlabel(f"latency from the request to its {end}, retries included (log scale)")
        _mark_percentiles(axes, everything)
        entries += _draw_targets(axes, shown)
        legend(axes, entries)
    return axes


def _facts(completed: int, in_vain: int, total: int) -> str:
    """Who is in the picture, and who is not."""
    if not total:
        return "no requests"
    gave_up = f", {in_vain:,} gave up waiting" if in_vain else ""
    rest = "; the others have no latency" if completed + in_vain < total else ""
    return f"{completed:,} of {counted(total, 'request')} completed{gave_up}{rest}"


def _draw(ax: Axes, values: IntArray, colour: str, *, is_all: bool) -> Line2D:
    curve = ecdf(values)
    # The step up to the first point, and onwards at 1 to the edge, belong to a distribution function.
    x = np.concatenate((curve.latency_ns[:1], curve.latency_ns, [curve.latency_ns[-1] * 1_000]))
    y = np.concatenate(([0.0], curve.share, [1.0]))
    (line,) = ax.plot(
        x,
        y,
        color=colour,
        drawstyle="steps-post",
        linewidth=1.2 if is_all else 2.4,
        zorder=4 if is_all else 3,
        linestyle=(0, (4, 1.5)) if is_all else "solid",
    )
    return line


def _mark_percentiles(ax: Axes, values: IntArray) -> None:
    low, high = ax.get_xlim()
    right_from = low * (high / low) ** 0.72  # further right a label would leave the axes
    median, p99 = percentiles(values, (500, 990))
    slow = (0.99, "p99", p99) if len(values) >= _FEWEST_FOR_P99 else (1.0, "slowest", p99)
    for share, name, value in ((0.5, "p50", median), slow):
        is_right = value > right_from
        ax.plot([value, value], [0, share], color=Colour.EVERYTHING, linewidth=0.8, linestyle=":", zorder=2)
        ax.plot([value], [share], color=Colour.EVERYTHING, marker="o", markersize=5, zorder=5)
        ax.annotate(
            f"{name} of completed: {time_text(value)}",
            (value, share),
            (-8 if is_right else 8, -4),
            textcoords="offset points",
            ha="right" if is_right else "left",
            va="top",
            fontsize=9,
            zorder=6,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5},
        )


def _draw_targets(ax: Axes, targets: list[Target]) -> list[tuple[Line2D, str]]:
    """A vertical line for each target, with a corner at the share that has to lie to its left."""
    look: dict[str, Any] = {"color": Colour.CEILING.value, "linewidth": 1.4, "linestyle": "-."}
    lines = []
    for number, target in enumerate(targets):
        ax.axvline(target.latency_ns, label=f"target {target.name}", zorder=2.5, **look)
        ax.plot([target.latency_ns], [target.share], color=Colour.CEILING, marker="_", markersize=11, mew=2, zorder=5)
        ax.annotate(
            f"{target.name} target",
            (target.latency_ns, 0.17 * (number % 4)),  # one above the other, as targets may lie close together
            (-4, 5),
            ax.get_xaxis_transform(),
            "offset points",
            rotation=90,
            ha="right",
            va="bottom",
            fontsize=9,
            color=Colour.CEILING,
        )
        verdict = "met" if target.met else "missed"
        lines.append(
            (Line2D([], [], **look), f"target: {target.name} at most\n{time_text(target.latency_ns)}: {verdict}")
        )
    return lines


def limits_of(low_ns: float, high_ns: float) -> tuple[float, float]:
    """The x axis for data in this range: a narrow one gets a little room on either side, so that it fills the axis."""
    if high_ns >= _WIDE * low_ns:
        return max(low_ns * 0.9, 1), high_ns * 1.25
    room = max((high_ns / low_ns) ** 0.25, 1.1)
    return low_ns / room, high_ns * room


def ticks_of(left_ns: float, right_ns: float) -> list[float]:
    """Round times within the axis: by 1, 2, 5, or evenly spaced where these are too few."""
    within: list[float] = [tick for tick in _ROUND_NS if left_ns <= tick <= right_ns]
    if len(within) > _MOST_TICKS:
        return [tick for tick in _ROUNDEST_NS if left_ns <= tick <= right_ns]
    if len(within) < _FEWEST_TICKS:
        step = step_s((right_ns - left_ns) / NS_PER_S, 6) * NS_PER_S
        return [float(tick) for tick in np.arange(np.ceil(left_ns / step), right_ns // step + 1) * step]
    return within


def _set_axes(ax: Axes, values: IntArray) -> None:
    left, right = limits_of(int(values.min()), int(values.max()))
    ax.set_xlim(left, right)
    ax.set_ylim(0, 1.03)
    ax.xaxis.set_major_locator(FixedLocator(ticks_of(left, right)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: time_text(round(value))))
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    ax.set_ylabel("share of requests that took at most this")
    ax.grid(True)
