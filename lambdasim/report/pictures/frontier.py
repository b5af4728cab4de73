"""Picture: what several levels of provisioned concurrency cost, and what latency and cold starts they buy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator
from matplotlib.transforms import Bbox

from lambdasim.metrics.frontier import HARDLY_SLOWER, Best, FrontierRow, FrontierTable, undominated
from lambdasim.report.frontier import best_sentence
from lambdasim.report.pictures.panel_groups import FARTHEST, PAPER, Entries, Group, draw_limit, open_groups
from lambdasim.report.pictures.style import Colour, Header, legend, open_axes, png, say, shortened, style, time_text
from lambdasim.report.pictures.time_axis import TimeLocator
from lambdasim.report.wording import subtitle
from lambdasim.units import to_seconds

_LATENCY_PX, _COLD_PX = 300, 130
_LABEL_PX, _PT = 15, 0.72  # height of a label; points in a pixel
# Where a label may be: alignment, and pixels above the point (below it where negative); the first that is free.
_SIDES = [(side, rise) for rise in (0, -17, 17, -34, 34, -51) for side in ("center", "left", "right")]
_MARGIN = 0.06  # of the width, on either side of the points

_FILLED_MEANS = f"over {100 * HARDLY_SLOWER:g} % faster than any cheaper filled one"
_HOLLOW_MEANS = f"no cheaper than a filled one, and at most {100 * HARDLY_SLOWER:g} % faster"
_BEST: dict[str, Any] = {"marker": "o", "markersize": 15, "markerfacecolor": "none", "color": "black", "mew": 1.5}
_GOOD: dict[str, Any] = {"marker": "o", "markersize": 7, "color": Colour.BUSY.value}
_DOMINATED: dict[str, Any] = {"marker": "o", "markersize": 7, "color": Colour.BUSY.value, "markerfacecolor": "white"}
_LINE: dict[str, Any] = {"color": Colour.BUSY.value, "linewidth": 1.6}
_PATH: dict[str, Any] = {"color": Colour.IN_FLIGHT.value, "linewidth": 0.9, "linestyle": ":"}
_COLD: dict[str, Any] = {"marker": "o", "markersize": 6, "color": Colour.COLD.value, "linewidth": 1.1}
_THROTTLED: dict[str, Any] = {"marker": "s", "markersize": 5, "color": Colour.THROTTLED.value, "linewidth": 1.1}

_BEST_LABELS = {
    Best.KEEPS_SLO: "the cheapest that keeps what was promised",
    Best.CLOSEST_TO_SLO: "misses the fewest promises",
    Best.KNEE: "the knee: beyond it money buys less",
    Best.CHEAPEST: "the cheapest, and as fast as any",
}


def frontier(table: FrontierTable, ax: Axes | None = None) -> Axes:
    """Cost and p99 of each level, and below its share of cold starts; panels inside.

    A level is hollow where a cheaper one is as fast, or at most 2 % slower: see ``metrics.frontier.undominated``.
    """
    name = shortened(table.function)
    with style():
        rows = [row for row in table.rows if row.latency_p99_s is not None]
        parts = [best_sentence(table).removesuffix("."), f"seed {table.seed}"]
        if table.is_partial:
            parts.append("interrupted: other levels are missing")
        top = Header(
            title=f"{table.scenario.name}: what provisioned concurrency of {name} costs and buys",
            description=subtitle(table.scenario),
            facts=" · ".join(parts),
        )
        if not rows:
            return say(open_axes(ax, top, plot_px=180), "No request completed, so there is no latency to show.")
        group = Group(heading=_heading(table), heights_px=[_LATENCY_PX, _COLD_PX])
        axes, [[upper, lower]] = open_groups(ax, top, [group])
        _set_cost_axis([upper, lower], rows)
        legend(upper, _draw_latency(upper, table, rows))
        legend(lower, _draw_shares(lower, rows))
        upper.tick_params(axis="x", labelbottom=False)
        for panel in (upper, lower):
            panel.set_axisbelow(True)
            panel.grid(True)
            panel.yaxis.set_label_coords(-0.108, 0.5)
        period = "this run" if rows[0].cost_per_month_usd is None else "a month of this load"
        lower.set_xlabel(f"cost of {name} for {period} (US dollars)")
    return axes


def write_picture(table: FrontierTable, path: Path) -> None:
    """Draw the picture into a PNG file; the same rows give the same bytes."""
    figure = frontier(table).get_figure(root=True)
    assert isinstance(figure, Figure)
    path.write_bytes(png(figure))


def _heading(table: FrontierTable) -> str:
    same = "the same requests for each"
    if any(source.users is not None for source in table.scenario.traffic.values()):
        same = "the same users for each"
    return f"each point is a level of provisioned concurrency, in units; {same}"


def _set_cost_axis(panels: Sequence[Axes], rows: Sequence[FrontierRow]) -> None:
    low, high = min(row.price for row in rows), max(row.price for row in rows)
    margin = _MARGIN * (high - low) or max(high, 1e-9) * 0.1
    for panel in panels:
        panel.set_xlim(low - margin, high + margin)
        panel.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 2.5, 5, 10]))
        panel.xaxis.set_major_formatter(FuncFormatter(lambda usd, _: _tick_text(usd)))


def _tick_text(usd: float) -> str:
    """A round amount without the zeros at its end."""
    number = f"{usd:,.8f}".rstrip("0").rstrip(".")
    return f"${number}" if usd >= 0 else ""


def _draw_latency(ax: Axes, table: FrontierTable, rows: Sequence[FrontierRow]) -> Entries:
    """The points with their levels, a line through those that are worth their price, and the promised p99."""
    front = undominated(rows)
    ax.plot([row.price for row in rows], [row.slowness_s for row in rows], label="path", zorder=1.9, **_PATH)
    ax.plot([row.price for row in front], [row.slowness_s for row in front], label="front", zorder=2, **_LINE)
    worse = [row for row in rows if row not in front]
    entries: Entries = [(Line2D([], [], **_GOOD, linestyle="none"), _FILLED_MEANS)]
    for label, some, look in (("dominated", worse, _DOMINATED), ("levels", front, _GOOD)):
        prices, slowness = [row.price for row in some], [row.slowness_s for row in some]
        ax.plot(prices, slowness, label=label, linestyle="none", zorder=3, **look)
    if worse:
        entries.append((Line2D([], [], **_DOMINATED, linestyle="none"), _HOLLOW_MEANS))
    if table.choice is not None and table.choice.row in rows:
        best = table.choice.row
        ax.plot([best.price], [best.slowness_s], label="best", linestyle="none", zorder=4, **_BEST)
        entries.append((Line2D([], [], linestyle="none", **_BEST), _BEST_LABELS[table.choice.why]))
    if len(rows) > 1:
        entries.append((Line2D([], [], **_PATH), "from level to level"))
    _draw_promise(ax, table, max(row.slowness_s for row in rows))
    ax.yaxis.set_major_locator(TimeLocator(6))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda latency_s, _: time_text(round(latency_s * 1e9))))
    ax.set_ylabel("p99 of latency")
    _label_levels(ax, rows, table.choice.row if table.choice is not None else None)
    return entries


def _draw_promise(ax: Axes, table: FrontierTable, highest: float) -> None:
    """The y axis from 0, and the p99 that was promised as a line, where it is near."""
    slo = table.scenario.slo
    promised = None if slo is None or slo.p99 is None else to_seconds(slo.p99)
    is_near = promised is not None and promised <= FARTHEST * highest
    ax.set_ylim(0, max(highest, promised if promised is not None and is_near else 0, 1e-9) * 1.15)
    if promised is None or slo is None or slo.p99 is None:
        return
    words = f"promised: p99 at most {time_text(slo.p99)}"
    if is_near:
        draw_limit(ax, promised, words, "promised p99", is_right=True)
    else:
        place = ((0, 1), (4, -2), "axes fraction", "offset points")
        ax.annotate(f"↑ {words}, far above", *place, va="top", fontsize=8, bbox=PAPER)


def _label_levels(ax: Axes, rows: Sequence[FrontierRow], best: FrontierRow | None) -> None:
    """The level beside each point, where it covers no other label and no point."""
    places = [ax.transData.transform((row.price, row.slowness_s)) for row in rows]
    reaches = [13 if row is best else 7 for row in rows]
    taken = [Bbox.from_bounds(x - r, y - r, 2 * r, 2 * r) for (x, y), r in zip(places, reaches, strict=True)]
    inside = Bbox.from_extents(ax.bbox.x0, ax.bbox.y0, ax.bbox.x1 + 10, ax.bbox.y1)
    for row, (x, y), reach in zip(rows, places, reaches, strict=True):
        text = f"{row.level:,}" if row.level else "0: all on demand"
        width = 7.5 * len(text) + 4
        for side, rise in _SIDES:
            left = x - {"center": width / 2, "left": 2, "right": width - 2}[side]
            low = y + reach + 2 + rise if rise >= 0 else y - reach + rise
            box = Bbox.from_bounds(left, low, width, _LABEL_PX)
            fits = inside.x0 <= box.x0 and box.x1 <= inside.x1 and inside.y0 <= box.y0 and box.y1 <= inside.y1
            if fits and not any(box.overlaps(other) for other in taken):
                break
        taken.append(box)
        ax.annotate(
            text,
            (row.price, row.slowness_s),
            ({"center": 0, "left": -2, "right": 2}[side] * _PT, (low - y) * _PT),
            "data",
            "offset points",
            ha=side,
            va="bottom",
            fontsize=9,
            zorder=5,
            bbox=PAPER,
        )


def _draw_shares(ax: Axes, rows: Sequence[FrontierRow]) -> Entries:
    """The share of cold starts of each level, and of throttled requests where there are any."""
    cold = [(row.price, 100 * row.cold_start_ratio) for row in rows if row.cold_start_ratio is not None]
    ax.plot(*zip(*cold, strict=True), label="cold", clip_on=False, **_COLD)
    entries: Entries = [(Line2D([], [], **_COLD), "cold starts, of the invocations")]
    highest = max(share for _, share in cold)
    if any(row.throttled_ratio for row in rows):
        throttled = [(row.price, 100 * (row.throttled_ratio or 0)) for row in rows]
        ax.plot(*zip(*throttled, strict=True), label="throttled", clip_on=False, **_THROTTLED)
        entries.append((Line2D([], [], **_THROTTLED), "throttled, of the requests"))
        highest = max(highest, *(share for _, share in throttled))
    ax.set_ylim(0, highest * 1.2 or 1)
    ax.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share:.3g} %"))
    ax.set_ylabel("cold starts" if len(entries) == 1 else "share")
    return entries
