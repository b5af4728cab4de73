"""Picture: the life of every execution environment. One row each, or a heat strip where rows would be too thin.

Where far more environments were created than were ever alive at once, a row is used again.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lambdasim.eventlog.log import NOT_YET, EventLog
from lambdasim.metrics.run import Run
from lambdasim.report.pictures.occupancy import covered
from lambdasim.report.pictures.style import Colour, counted, header, legend, open_axes, say, shortened, style, width_of
from lambdasim.report.pictures.time_axis import decimal_step, set_time_axis

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

# Above either, bars would be thinner than pixels: a heat strip shows shares instead.
MAX_ROWS = 200
MAX_BARS = 6_000

# Rows are used again above so many environments, if that makes them so many times fewer: else they are a diagonal.
_MANY_ROWS, _FAR_MORE = 60, 4
_NEVER_NS = 2**63 - 1

_HEAT_BINS = 700
_HEAT_ROWS = 400
_MAX_TICKS = 400
_MAX_TICKS_A_ROW = 100

# Beside the rows of provisioned environments.
_BRACKET: dict[str, Any] = {"color": Colour.EVERYTHING.value, "linewidth": 2.5, "solid_capstyle": "butt"}
_BRACKET_AT = 1.005

# From idle to busy in five equal steps of CIELAB, so that equal differences of share look equal.
_BUSY_SHARE = LinearSegmentedColormap.from_list("busy share", ["#DDDDDD", "#B4C1D3", "#8AA6C8", "#5B8BBD", "#0072B2"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Which row each environment has, from 0 at the bottom: functions in file order from the top, oldest lowest.

    Or, ``is_shared``, each environment has the lowest row of its function that is free when it is created. Provisioned
    environments of a function have rows of their own, below the others.
    """

    row: IntArray  # by environment
    groups: tuple[tuple[int, int, int], ...]  # function, first row, number of rows; from the bottom
    provisioned: tuple[tuple[int, int], ...] = ()  # first row and number of rows of each function that has some
    is_shared: bool = False

    @property
    def total(self) -> int:
        """Number of rows."""
        return sum(count for _, _, count in self.groups)


def rows_of(log: EventLog) -> Rows:
    """The rows of a run: one for each environment, unless far fewer are enough."""
    created = len(log.environments)
    if created > _MANY_ROWS:
        shared = shared_rows(log)
        if created > _FAR_MORE * shared.total:
            return shared
    return _own_rows(log)


def shared_rows(log: EventLog) -> Rows:
    """The lowest free row of its function for each environment; a row that is free at t is taken at t."""
    environments, groups, provisioned, first = log.environments, [], [], 0
    row = np.empty(len(environments), dtype=np.int64)
    for function in np.unique(environments.function)[::-1].tolist():
        below = first
        for is_provisioned in (True, False):
            mine = np.flatnonzero((environments.function == function) & (environments.is_provisioned == is_provisioned))
            if not len(mine):
                continue
            # A provisioned one that replaces another was created before its birth, by its init.
            mine = mine[np.argsort(environments.created_ns[mine], kind="stable")]
            row[mine] = first + _lowest_free(environments.created_ns[mine], environments.reaped_ns[mine])
            count = int(row[mine].max()) + 1 - first
            if is_provisioned:
                provisioned.append((first, count))
            first += count
        groups.append((function, below, first - below))
    return Rows(row=row, groups=tuple(groups), provisioned=tuple(provisioned), is_shared=True)


def _lowest_free(created_ns: IntArray, reaped_ns: IntArray) -> IntArray:
    """The row of each environment, from 0, in order of creation."""
    free: list[int] = []
    ends: list[tuple[int, int]] = []  # of the rows in use
    rows = []
    for born_ns, gone_ns in zip(created_ns.tolist(), reaped_ns.tolist(), strict=True):
        while ends and ends[0][0] <= born_ns:
            heappush(free, heappop(ends)[1])
        row = heappop(free) if free else len(ends)
        heappush(ends, (gone_ns if gone_ns != NOT_YET else _NEVER_NS, row))
        rows.append(row)
    return np.array(rows, dtype=np.int64)


def _own_rows(log: EventLog) -> Rows:
    function = log.environments.function.astype(np.int64)
    is_provisioned = log.environments.is_provisioned
    order = np.lexsort((np.arange(len(function)), ~is_provisioned, -function))
    row = np.empty(len(function), dtype=np.int64)
    row[order] = np.arange(len(function))
    negated, first, count = np.unique(-function[order], return_index=True, return_counts=True)
    groups = zip((-negated).tolist(), first.tolist(), count.tolist(), strict=True)
    lowest = zip(first.tolist(), np.add.reduceat(is_provisioned[order].astype(np.int64), first).tolist(), strict=True)
    return Rows(row=row, groups=tuple(groups), provisioned=tuple((low, count) for low, count in lowest if count))


def lifelines(run: Run, ax: Axes | None = None) -> Axes:
    """Init, busy and idle time of every execution environment; nothing where it is not alive."""
    log = run.log
    count, inits = len(log.environments), int(log.invocations.is_cold.sum())
    rows = rows_of(log)
    facts = counted(count, "environment")
    if rows.is_shared:
        facts += f" in {counted(rows.total, 'row')}, each used again when its environment is gone"
    if provisioned := int(log.environments.is_provisioned.sum()):
        facts += f", {provisioned:,} provisioned"
    facts += f", {counted(inits, 'cold start')}, {counted(len(log.invocations), 'invocation')}"
    with style():
        top = header(run, "the life of each execution environment", facts)
        if not count:
            return say(open_axes(ax, top, plot_px=180), "No execution environment was started.")
        names = [shortened(log.function_names[function]) for function, _, _ in rows.groups]
        several = len(log.function_names) > 1
        left_px = max(95.0, 34 + max(map(width_of, names)) * 1.39) if several else 95.0
        axes = open_axes(ax, top, plot_px=float(np.clip(rows.total * 16, 170, 420)), left_px=left_px)
        worked = int((log.invocations.handler_ns != NOT_YET).sum())
        if rows.total > MAX_ROWS or worked > MAX_BARS:
            _draw_heat_strip(axes, log, rows)
        else:
            _draw_bars(axes, log, rows)
        set_time_axis(axes, log.end_ns / 1e9)
        axes.set_ylim(0, rows.total)
        _bracket_provisioned(axes, rows)
        if several:
            _name_groups(axes, rows, names)
        else:
            _number_rows(axes, rows)
    return axes


def _number_rows(ax: Axes, rows: Rows) -> None:
    """Numbers of environments as in the tables, from 0; a row that is used again has none, and these count from 1."""
    step = max(int(decimal_step(rows.total / 8)), 1)
    if rows.is_shared:
        ax.set_ylabel("row, used again")
        ranks = np.unique(np.append(np.arange(step, rows.total + 1, step), 1))
        ax.set_yticks(ranks - 0.5, [f"{rank:,}" for rank in ranks])
        return
    order = "provisioned first, then by age" if rows.provisioned else "0: oldest"
    ax.set_ylabel(f"environment ({order})")
    shown = np.arange(0, rows.total, step)
    ax.set_yticks(shown + 0.5, [f"{number:,}" for number in np.argsort(rows.row)[shown]])


def _draw_bars(ax: Axes, log: EventLog, rows: Rows) -> None:
    environments, invocations = log.environments, log.invocations
    gone = np.where(environments.reaped_ns == NOT_YET, log.end_ns, environments.reaped_ns)
    ready = np.where(log.ready_ns == NOT_YET, log.end_ns, log.ready_ns)
    started = invocations.handler_ns != NOT_YET
    handler, end = invocations.handler_ns[started], log.clipped_end_ns[started]
    worker = rows.row[invocations.environment[started]]
    for row, begin, finish, colour in (
        (rows.row, ready, gone, Colour.IDLE),
        (rows.row, environments.created_ns, ready, Colour.COLD),
        (worker, handler, end, Colour.BUSY),
    ):
        ax.add_collection(_bars(row, begin, finish, colour), autolim=False)
    entries = [
        (Patch(color=Colour.COLD), "initialising"),
        (Patch(color=Colour.BUSY), "busy with an invocation"),
        (Patch(color=Colour.IDLE), "idle, kept warm"),
        (Patch(facecolor="white", edgecolor="#AAAAAA"), "not alive"),
    ]
    busiest = int(np.bincount(worker).max(initial=0))
    if 0 < len(handler) <= _MAX_TICKS and busiest <= _MAX_TICKS_A_ROW:
        x = handler / 1e9
        ticks = np.stack((np.column_stack((x, worker + 0.02)), np.column_stack((x, worker + 0.98))), axis=1)
        ax.add_collection(LineCollection(list(ticks), colors=Colour.EVERYTHING, linewidths=0.9), autolim=False)
        tick = Line2D([], [], color=Colour.EVERYTHING, marker="|", linestyle="none", markersize=9)
        entries.append((tick, "a handler starts"))  # type: ignore[arg-type]
    legend(ax, [*entries, *_bracket_entries(rows)])


def _bars(row: IntArray, begin_ns: IntArray, finish_ns: IntArray, colour: str) -> PolyCollection:
    left, right = begin_ns / 1e9, finish_ns / 1e9
    low, high = row + 0.1, row + 0.9
    corners = np.stack((left, low, right, low, right, high, left, high), axis=1).reshape(-1, 4, 2)
    return PolyCollection(corners, facecolors=colour, edgecolors="none", linewidths=0)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Environments alive in each cell on average, and how many of these were initialising or busy. (rows, bins)."""

    alive: FloatArray
    initialising: FloatArray
    busy: FloatArray


def shares(log: EventLog, rows: Rows, *, n_rows: int, bins: int) -> Shares:
    """The run on a grid of rows and time bins; ``n_rows`` may be less than the number of rows of ``rows``."""
    environments, invocations = log.environments, log.invocations
    strip = rows.row * n_rows // rows.total
    gone = np.where(environments.reaped_ns == NOT_YET, log.end_ns, environments.reaped_ns)
    ready = np.where(log.ready_ns == NOT_YET, log.end_ns, log.ready_ns)
    started = invocations.handler_ns != NOT_YET
    shape, span = (n_rows, bins), float(log.end_ns)
    return Shares(
        alive=covered(strip, environments.created_ns, gone, shape=shape, span=span),
        initialising=covered(strip, environments.created_ns, ready, shape=shape, span=span),
        busy=covered(
            strip[invocations.environment[started]],
            invocations.handler_ns[started],
            log.clipped_end_ns[started],
            shape=shape,
            span=span,
        ),
    )


def _draw_heat_strip(ax: Axes, log: EventLog, rows: Rows) -> None:
    cells = shares(log, rows, n_rows=min(rows.total, _HEAT_ROWS), bins=_HEAT_BINS)
    is_alive = cells.alive > 1e-9
    alive = np.where(is_alive, cells.alive, 1.0)
    init_share = np.clip(cells.initialising / alive, 0, 1)
    initialised = np.maximum(alive - cells.initialising, 1e-12)
    picture = _BUSY_SHARE(np.clip(cells.busy / initialised, 0, 1))
    picture[..., :3] += init_share[..., None] * (np.array(to_rgb(Colour.COLD)) - picture[..., :3])
    picture[..., 3] = is_alive
    ax.imshow(
        picture,
        extent=(0, log.end_ns / 1e9, 0, rows.total),
        origin="lower",
        aspect="auto",
        interpolation="nearest",
    )
    legend(
        ax,
        [(Patch(color=Colour.COLD), "initialising")]
        + [
            (Patch(color=_BUSY_SHARE(share)), text)
            for share, text in ((1.0, "busy all the time"), (0.5, "busy half of the time"), (0.0, "idle, kept warm"))
        ]
        + [(Patch(facecolor="white", edgecolor="#AAAAAA"), "not alive")]
        + _bracket_entries(rows),
    )


def _bracket_provisioned(ax: Axes, rows: Rows) -> None:
    """A line beside the rows of provisioned environments."""
    for first, count in rows.provisioned:
        ax.plot(
            (_BRACKET_AT, _BRACKET_AT),
            (first + 0.1, first + count - 0.1),
            transform=ax.get_yaxis_transform(),
            clip_on=False,
            label="provisioned",
            **_BRACKET,
        )


def _bracket_entries(rows: Rows) -> list[tuple[Artist, str]]:
    entry = Line2D(
        [], [], marker="|", linestyle="none", markersize=12, mew=_BRACKET["linewidth"], color=_BRACKET["color"]
    )
    return [(entry, "provisioned")] if rows.provisioned else []


def _name_groups(ax: Axes, rows: Rows, names: list[str]) -> None:
    """Names of functions beside their rows; where they would overlap, those of the largest."""
    total = rows.total
    least = total * 14 / max(ax.bbox.height, 1)
    placed: list[tuple[float, str]] = []
    for position in sorted(range(len(names)), key=lambda i: -rows.groups[i][2]):
        _, first, count = rows.groups[position]
        centre = first + count / 2
        if all(abs(centre - other) >= least for other, _ in placed):
            placed.append((centre, names[position]))
    ax.set_yticks([y for y, _ in placed], [name for _, name in placed], fontsize=9)
    ax.tick_params(axis="y", length=0)
    boundaries = [first for _, first, _ in rows.groups[1:]]
    if boundaries and total / len(boundaries) > least / 2:
        ax.hlines(boundaries, 0, 1, transform=ax.get_yaxis_transform(), colors="#888888", linewidths=0.6)
