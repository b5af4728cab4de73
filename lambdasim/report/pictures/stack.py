"""Concurrency over time in layers: what the picture of concurrency draws, as numbers. Knows nothing of matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import NOT_YET
from lambdasim.metrics.levels import integral_at, peak, step_function
from lambdasim.metrics.run import Run
from lambdasim.metrics.shared_pool import provisioned_of_pool
from lambdasim.report.pictures.ceilings import functions_held_back
from lambdasim.report.pictures.occupancy import covered
from lambdasim.report.pictures.style import FUNCTION_COLOURS, OTHERS_COLOUR, Colour, shortened

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

PIXELS = 680  # about the width of the axes

# With more changes than this, a few in each pixel, single steps cannot be seen.
_MAX_CHANGES = 3 * PIXELS

# What lasts for less than this share of a pixel may not be drawn at all.
_LEAST_SEEN = 1 / 100

# Reservations further above the concurrency than this are not drawn as space: they would squash the data.
_FARTHEST_RESERVATION = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """One layer of the stack, from each time until the next. ``level`` has shape (n_times,)."""

    label: str
    colour: str
    level: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """Bands that share a base. With ``reserved`` they have that much space to themselves, used or not."""

    bands: tuple[Band, ...]
    reserved: int | None
    peak: FloatArray  # the highest sum of the bands from each time until the next, shape (n_times,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Concurrency over time, slots from the bottom; those with a reservation come first.

    With few changes the levels are exact. With more changes than pixels they are means over equal intervals: of several
    levels within a pixel only the highest could be seen. So they are where something is too short to be seen at all.
    """

    times_ns: IntArray
    slots: tuple[Slot, ...]
    is_exact: bool
    idle_provisioned: FloatArray  # units that the shared pool lacks though nothing runs on them, shape (n_times,)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """What makes one band: starts and ends of what is in flight."""

    label: str
    colour: str
    start_ns: IntArray
    end_ns: IntArray
    reserved: int | None


def steady_reservations(run: Run) -> list[int | None]:
    """Reserved concurrency of each function, None where it has none or where it changes: then it is no flat space."""
    states = run.scenario.limits_in_force()
    return [
        states[0].reserved.get(name) if len({state.reserved.get(name) for state in states}) == 1 else None
        for name in run.scenario.functions
    ]


def concurrency_stack(run: Run) -> Stack:
    """Concurrency by function (the seven largest, and the others together), or by phase if there is one function."""
    log, invocations = run.log, run.log.invocations
    groups = _phases(run) if len(log.function_names) == 1 else _functions(run)
    caps = [reserved or 0 for reserved in steady_reservations(run)]
    is_near = sum(caps) <= _FARTHEST_RESERVATION * max(peak(invocations.admitted_ns, invocations.end_ns), 1)
    is_apart = is_near and 0 < sum(caps) == sum(group.reserved or 0 for group in groups)
    spans = [(group.start_ns, group.end_ns) for group in groups]
    times_ns = changes_of([*spans, (log.capacity.time_ns, log.capacity.time_ns[:0])], log.end_ns)
    is_exact = times_ns is not None and not _is_too_short(spans, log.end_ns)
    if times_ns is None or not is_exact:
        times_ns = np.linspace(0, log.end_ns, PIXELS + 1).astype(np.int64)
    if len(log.function_names) == 1 or not is_apart:
        parts = [(groups, caps[0] if is_apart else None)]
    else:
        parts = [([group], group.reserved) for group in groups if group.reserved]
        parts.append(([group for group in groups if not group.reserved], None))
    slots = [_slot(members, cap, times_ns, is_exact=is_exact) for members, cap in parts if members]
    idle = _idle_provisioned(run, times_ns, is_exact=is_exact)
    return Stack(times_ns=times_ns, slots=tuple(slots), is_exact=is_exact, idle_provisioned=idle)


def _is_too_short(spans: Sequence[tuple[IntArray, IntArray]], end_ns: int) -> bool:
    """Whether anything lasts for a time too short to be seen."""
    lasted_ns = np.concatenate([end - start for start, end in spans])
    return bool((lasted_ns[lasted_ns > 0].min(initial=end_ns) < _LEAST_SEEN * end_ns / PIXELS) and end_ns >= PIXELS)


def _idle_provisioned(run: Run, times_ns: IntArray, *, is_exact: bool) -> FloatArray:
    """Provisioned units of functions without a reservation that are idle, from each time on or on average."""
    log, states = run.log, run.limits
    at_ns = np.array([state.at_ns for state in states])
    units = np.array([sum(provisioned_of_pool(state).values()) for state in states])
    if not units.any():
        return np.zeros(len(times_ns))
    if is_exact:
        kept = units[np.searchsorted(at_ns, times_ns, side="right") - 1].astype(np.float64)
    else:
        mean = np.diff(integral_at(times_ns, at_ns, units)) / np.diff(times_ns)
        kept = np.append(mean, mean[-1])
    reserved = np.array([[name in state.reserved for name in log.function_names] for state in states])
    state = np.searchsorted(at_ns, log.invocations.admitted_ns, side="right") - 1
    rows = log.is_on_provisioned & ~reserved[state, log.invocations.function]
    busy = level_of(log.invocations.admitted_ns[rows], log.invocations.end_ns[rows], times_ns, is_exact=is_exact)
    return np.maximum(kept - busy, 0.0)


def changes_of(spans: Sequence[tuple[IntArray, IntArray]], end_ns: int) -> IntArray | None:
    """Every instant at which any level changes, and both ends of the run; None where these are too many to see.

    A level is a pair of the starts and ends of what it counts; an end may be NOT_YET.
    """
    if end_ns >= PIXELS and sum(len(start_ns) for start_ns, _ in spans) > _MAX_CHANGES:
        return None
    times_ns = np.concatenate([times for span in spans for times in span])
    times_ns = times_ns[(times_ns != NOT_YET) & (times_ns <= end_ns)]
    times_ns = np.unique(np.concatenate(([0], times_ns, [end_ns])))
    return times_ns if len(times_ns) <= _MAX_CHANGES or end_ns < PIXELS else None


def _slot(members: list[_Group], reserved: int | None, times_ns: IntArray, *, is_exact: bool) -> Slot:
    levels = [level_of(group.start_ns, group.end_ns, times_ns, is_exact=is_exact) for group in members]
    if is_exact:
        highest = np.sum(levels, axis=0)
    else:
        starts = np.concatenate([group.start_ns for group in members])
        ends = np.concatenate([group.end_ns for group in members])
        highest = highest_between(*step_function(starts, ends), times_ns)
    bands = (
        Band(label=group.label, colour=group.colour, level=level) for group, level in zip(members, levels, strict=True)
    )
    return Slot(bands=tuple(bands), reserved=reserved, peak=highest)


def level_of(start_ns: IntArray, end_ns: IntArray, times_ns: IntArray, *, is_exact: bool) -> FloatArray:
    """How many are under way from each time on, or on average until the next. Shape of ``times_ns``."""
    if is_exact:
        begun = np.searchsorted(np.sort(start_ns), times_ns, side="right")
        ended = np.searchsorted(np.sort(end_ns[end_ns != NOT_YET]), times_ns, side="right")
        return np.asarray(begun - ended, dtype=np.float64)
    end = np.where(end_ns == NOT_YET, times_ns[-1], end_ns)
    one_row = np.zeros(len(end), dtype=np.int64)
    (mean,) = covered(one_row, start_ns, end, shape=(1, len(times_ns) - 1), span=float(times_ns[-1]))
    return np.append(mean, mean[-1])


def highest_between(instants_ns: IntArray, level: IntArray, times_ns: IntArray) -> FloatArray:
    """The highest level from each time until the next, what was carried into the interval included."""
    interval = np.clip(np.searchsorted(times_ns, instants_ns, side="right") - 1, 0, len(times_ns) - 2)
    highest = np.append(0, level)[np.searchsorted(instants_ns, times_ns, side="right")]
    np.maximum.at(highest, interval, level)
    return highest.astype(np.float64)


def _phases(run: Run) -> list[_Group]:
    invocations = run.log.invocations
    started = invocations.handler_ns != NOT_YET
    waited_until = np.where(started, invocations.handler_ns, NOT_YET)
    waited = invocations.admitted_ns != waited_until
    busy = {"start_ns": invocations.handler_ns[started], "end_ns": invocations.end_ns[started]}
    waiting = {"start_ns": invocations.admitted_ns[waited], "end_ns": waited_until[waited]}
    groups = [_Group(label="busy", colour=Colour.BUSY, reserved=steady_reservations(run)[0], **busy)]
    if waited.any():
        groups.append(_Group(label="waiting for an init", colour=Colour.COLD, reserved=None, **waiting))
    return groups


def function_colours(run: Run) -> dict[int, str]:
    """The colours of the functions that were busiest, as many as there are colours; in file order."""
    log, invocations = run.log, run.log.invocations
    function = invocations.function.astype(np.int64)
    busy_ns = log.clipped_end_ns - invocations.admitted_ns
    usage = np.bincount(function, weights=busy_ns, minlength=len(log.function_names))
    shown = sorted(np.argsort(-usage, kind="stable")[: len(FUNCTION_COLOURS)].tolist())
    return dict(zip(shown, FUNCTION_COLOURS, strict=False))


def _functions(run: Run) -> list[_Group]:
    log, invocations = run.log, run.log.invocations
    names, reserved = log.function_names, steady_reservations(run)
    function = invocations.function.astype(np.int64)
    colours = function_colours(run)
    shown = list(colours)
    # Reservations lie at the bottom, where their caps are flat; then the function that the scaling rate held back.
    held_back = functions_held_back(run)
    groups = []
    for number in sorted(shown, key=lambda f: (not reserved[f], (f,) != held_back, f)):
        cap, mine = reserved[number], function == number
        groups.append(
            _Group(
                label=shortened(names[number]) + ("" if cap is None else f"\nreserved: {cap:,}"),
                colour=colours[number],
                start_ns=invocations.admitted_ns[mine],
                end_ns=invocations.end_ns[mine],
                reserved=cap,
            )
        )
    if len(names) > len(shown):
        rest = ~np.isin(function, shown)
        label = f"{len(names) - len(shown)} other functions"
        times = {"start_ns": invocations.admitted_ns[rest], "end_ns": invocations.end_ns[rest]}
        groups.append(_Group(label=label, colour=OTHERS_COLOUR, reserved=None, **times))
    return groups
