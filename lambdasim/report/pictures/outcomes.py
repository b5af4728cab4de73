"""Picture: what came out, second by second, against what was offered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from lambdasim.eventlog.log import NOT_YET
from lambdasim.metrics.run import Run
from lambdasim.report.pictures.fates import Fate, request_fates
from lambdasim.report.pictures.style import Colour, counted, header, legend, open_axes, say, style, time_text
from lambdasim.report.pictures.time_axis import set_time_axis, step_s
from lambdasim.workload.laws import ALWAYS_ON, switches_of
from lambdasim.workload.rate import rate_profile

RateUnit = Literal["second", "minute", "hour"]
IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

_MAX_BINS = 120

_UNIT_S: dict[RateUnit, int] = {"second": 1, "minute": 60, "hour": 3_600}

# So few requests are counted one by one: a rate of 4.0 per second is hard to read where two came at once.
_FEW = 100

# Throttled attempts may outnumber requests by far; beyond this multiple of them their line leaves the picture.
_MOST_ATTEMPTS = 1.6


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeBins:
    """Counts in equal bins of time. A request is counted in the bin in which it was settled.

    ``counts`` has shape (n_fates, n_bins), the others (n_bins,).
    """

    width_ns: int
    counts: IntArray
    throttled_attempts: IntArray
    offered: FloatArray  # expected arrivals by the rates of the scenario; those that came of traces and virtual users

    @property
    def edges_s(self) -> FloatArray:
        """Edges of the bins, shape (n_bins + 1,)."""
        return np.asarray(np.arange(self.counts.shape[1] + 1) * (self.width_ns / 1e9))


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What the picture says per what: counts of the bins times ``factor``."""

    per: str  # a unit of time, or the width of a bin
    factor: float
    label: str  # of the axis

    def of(self, counts: npt.NDArray[np.generic]) -> FloatArray:
        """Counts of the bins in this measure."""
        return np.asarray(counts, dtype=np.float64) * self.factor


def measure_of(made: OutcomeBins, total: int) -> Measure:
    """Rates, or the counts themselves where there are few requests in all."""
    width = time_text(made.width_ns)
    if 0 < total < _FEW:
        return Measure(per=width, factor=1.0, label=f"requests per {width}")
    per_s = 1e9 / made.width_ns
    unit = rate_unit(max(made.counts.sum(axis=0).max(), made.offered.max()) * per_s)
    return Measure(per=unit, factor=per_s * _UNIT_S[unit], label=f"requests per {unit}, mean over {width}")


def outcome_bins(run: Run) -> OutcomeBins:
    """The bins of a run: at most 120, of a width that people count in."""
    log = run.log
    width_ns = max(round(step_s(max(log.end_ns, 1) / 1e9, _MAX_BINS) * 1e9), 1)
    bins = max(-(-log.end_ns // width_ns), 1)
    # What happened at the very end belongs to the last bin.
    settled_ns = run.outcomes.settled_ns
    is_settled = settled_ns != NOT_YET
    bin_of = np.minimum(settled_ns[is_settled] // width_ns, bins - 1)
    fates = request_fates(run)[is_settled]
    counts = np.bincount(fates * bins + bin_of, minlength=len(Fate) * bins).reshape(len(Fate), bins)
    refused = np.minimum(log.throttles.time_ns // width_ns, bins - 1)
    return OutcomeBins(
        width_ns=width_ns,
        counts=counts,
        throttled_attempts=np.bincount(refused, minlength=bins),
        offered=_offered(run, width_ns, bins),
    )


def _offered(run: Run, width_ns: int, bins: int) -> FloatArray:
    log, edges_ns = run.log, np.arange(bins + 1) * width_ns
    offered = np.zeros(bins)
    switches = switches_of(run.scenario)
    for number, (name, source) in enumerate(run.scenario.traffic.items()):
        if source.has_rate:
            switch = switches.get(name, ALWAYS_ON)
            parts_ns = np.union1d(edges_ns, switch.at_ns[switch.at_ns < edges_ns[-1]])
            expected = np.diff(rate_profile(source, run.scenario.duration).integral(parts_ns))
            expected *= switch.on_at(parts_ns[:-1])
            offered += np.bincount(parts_ns[:-1] // width_ns, weights=expected, minlength=bins)
        else:
            arrivals = log.requests.arrival_ns[log.requests.source == number]
            offered += np.bincount(np.minimum(arrivals // width_ns, bins - 1), minlength=bins)
    return offered


def outcomes(run: Run, ax: Axes | None = None) -> Axes:
    """Requests settled by fate, what was offered, the throttled attempts where callers retry; few of them as counts."""
    total = len(run.log.requests)
    unsettled = int((run.outcomes.settled_ns == NOT_YET).sum())
    facts = counted(total, "request") + (f", {unsettled:,} still in flight at the end" if unsettled else "")
    with style():
        top = header(run, "what became of the requests", facts)
        made = outcome_bins(run)
        if not total and not made.offered.any():
            return say(open_axes(ax, top, plot_px=180), "There were no requests.")
        axes = open_axes(ax, top)
        measure = measure_of(made, total)
        limit = float(measure.of(max(made.counts.sum(axis=0).max(), made.offered.max())))
        entries = [*_draw_stack(axes, made, measure), _draw_offered(axes, made, measure)]
        retries = run.outcomes.throttles.sum() > made.counts[Fate.THROTTLED].sum()
        if retries:
            entries.append(_draw_attempts(axes, made, limit, measure))
            limit = min(max(limit, measure.of(made.throttled_attempts).max()), _MOST_ATTEMPTS * limit)
        axes.set_ylim(0, limit * 1.06)
        set_time_axis(axes, float(made.edges_s[-1]))
        axes.set_xlabel(axes.get_xlabel() + ": each request is counted when it is settled")
        axes.set_ylabel(measure.label)
        if measure.per not in _UNIT_S:
            axes.yaxis.set_major_locator(MaxNLocator(7, integer=True))
        axes.grid(True, axis="y")
        legend(axes, entries)
    return axes


def rate_unit(highest_per_s: float) -> RateUnit:
    """The shortest unit in which the highest rate is at least 1; without any rate, a second."""
    if highest_per_s == 0 or highest_per_s >= 1:
        return "second"
    return "minute" if highest_per_s * _UNIT_S["minute"] >= 1 else "hour"


def _draw_stack(ax: Axes, made: OutcomeBins, measure: Measure) -> list[tuple[Artist, str]]:
    entries: list[tuple[Artist, str]] = []
    below = np.zeros(made.counts.shape[1])
    for fate in Fate:
        if not made.counts[fate].any():
            continue
        above = below + measure.of(made.counts[fate])
        ax.stairs(above, made.edges_s, baseline=below, fill=True, color=fate.colour, linewidth=0, label=fate.label)
        entries.append((Patch(color=fate.colour), f"{fate.label}\n{int(made.counts[fate].sum()):,}"))
        below = above
    return entries[::-1]


def _draw_offered(ax: Axes, made: OutcomeBins, measure: Measure) -> tuple[Line2D, str]:
    look: dict[str, Any] = {"color": Colour.EVERYTHING.value, "linewidth": 1.4}
    ax.stairs(measure.of(made.offered), made.edges_s, baseline=None, label="offered", **look)
    return Line2D([], [], **look), "offered: new requests"


def _draw_attempts(ax: Axes, made: OutcomeBins, limit: float, measure: Measure) -> tuple[Line2D, str]:
    rate = measure.of(made.throttled_attempts)
    look: dict[str, Any] = {"color": Colour.THROTTLED.value, "linewidth": 1.2, "linestyle": (0, (2, 1))}
    ax.stairs(rate, made.edges_s, baseline=None, label="throttled attempts", **look)
    label = f"throttled attempts,\nlater retried or not\n{int(made.throttled_attempts.sum()):,}"
    if rate.max() > _MOST_ATTEMPTS * limit:
        label += f"\n(beyond the scale:\nup to {rate.max():,.0f} per {measure.per})"
    return Line2D([], [], **look), label
