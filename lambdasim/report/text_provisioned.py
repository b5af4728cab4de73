"""What the printed summary says of provisioned concurrency: how much, how busy, what spilled over, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lambdasim.eventlog.log import EventLog
from lambdasim.metrics.provisioned import Increase, capacity_of, increases
from lambdasim.metrics.provisioned_demand import Demand, above_target_since_ns, spilled_between
from lambdasim.metrics.run import Run
from lambdasim.metrics.shared_pool import provisioned_of_pool, shared_pool
from lambdasim.platform.concurrency import ThrottleReason
from lambdasim.platform.provisioned import CapacityCause, SpilloverReason
from lambdasim.report.wording import clock_difference, clock_text, count_text, counted, share_text, were
from lambdasim.scenario.changes import LimitsInForce
from lambdasim.units import format_ratio

Block = dict[str, Any]

# Longer lists are in summary.json and provisioned.csv.
_MOST_FUNCTIONS = 5
_MOST_CHANGES = 6

_WHO_ASKS = {
    CapacityCause.CHANGED: "a change",
    CapacityCause.SCHEDULED: "a scheduled action",
    CapacityCause.TARGET_TRACKING: "target tracking",
}


def provisioned_lines(run: Run, demands: Mapping[str, Demand]) -> list[str]:
    """The section, function by function, each with its demand; empty without provisioned concurrency."""
    blocks = {name: block["provisioned"] for name, block in run.summary["functions"].items() if "provisioned" in block}
    if not blocks:
        return []
    shown = list(blocks)
    if len(shown) > _MOST_FUNCTIONS:
        shown = sorted(shown, key=lambda name: -blocks[name]["spillovers"])[:_MOST_FUNCTIONS]
    lines = [line for name in shown for line in _function_lines(run, name, blocks[name], demands[name])]
    if len(blocks) > len(shown):
        lines.append(f"and {counted(len(blocks) - len(shown), 'function')} more in summary.json")
    return [*lines, *_pool_sentence(run)]


def _function_lines(run: Run, name: str, block: Block, demand: Demand) -> Iterator[str]:
    function = run.log.function_names.index(name)
    yield f"{name}: {_how_much(run.log, function, block)}{_how_busy(block)}"
    yield from _served(block)
    yield from _spillover_sentences(run, function, block, demand)
    yield from _within_a_reservation(run, name)
    yield from _change_lines(run, name, function, demand)


def units_text(block: Block) -> str:
    """How many units a function asked for, in a cell of a table: ``10``, ``0 to 40``."""
    initial, most = block["initial"], block["peak_requested"]
    return count_text(most) if initial == most else f"{count_text(initial)} to {count_text(most)}"


def _how_much(log: EventLog, function: int, block: Block) -> str:
    initial, most = block["initial"], block["peak_allocated"]
    if np.count_nonzero(log.capacity.function == function) == 1 and initial:
        return f"{counted(initial, 'provisioned environment')}, ready from the start."
    begin = f"{counted(initial, 'provisioned environment')} at the start" if initial else "none at the start"
    if not most:
        return f"{begin}, {count_text(block['peak_requested'])} asked for, none ever ready."
    return f"{begin}, at most {count_text(most)} ready at once, {count_text(block['mean_allocated'])} on average."


def _how_busy(block: Block) -> str:
    if block["utilization"] is None:
        return ""
    busy = share_text(block["utilization"], 1)
    return f" On average {busy} of them were busy, at most {count_text(block['peak_busy'])} at once."


def _served(block: Block) -> Iterator[str]:
    served, spilled, cold = block["invocations"], block["spillovers"], block["spillover_cold_starts"]
    total = served + spilled
    if not total:
        yield "Nothing was invoked while it had some."
    elif not spilled:
        yield f"{'The only invocation' if total == 1 else f'All {count_text(total)} invocations'} ran on them."
    else:
        ran = f"{counted(served, 'invocation')} ran on them ({share_text(served, total)})"
        over = f"{count_text(spilled)} spilled over to environments on demand ({share_text(spilled, total)})"
        yield f"{ran}; {over}, {count_text(cold) if cold else 'none'} of these with a cold start."


def _spillover_sentences(run: Run, function: int, block: Block, demand: Demand) -> Iterator[str]:
    """Why, the most frequent reason first."""
    by_reason = block["spillovers_by_reason"]
    seen = [reason for reason in SpilloverReason if by_reason[reason.key]]
    for reason in sorted(seen, key=lambda one: -by_reason[one.key]):
        who = "They" if len(seen) == 1 else count_text(by_reason[reason.key])
        yield f"{who} {_why(run, function, reason, block, demand)}"


def _why(run: Run, function: int, reason: SpilloverReason, block: Block, demand: Demand) -> str:
    match reason:
        case SpilloverReason.REQUEST_RATE:
            return _too_fast(run, function, block, demand)
        case SpilloverReason.CONCURRENCY:
            late = demand.late_spillovers - block["spillovers_by_reason"][SpilloverReason.NOT_READY.key]
            while_waiting = f"; {count_text(late)} of these while more were asked for, but not ready" if late else ""
            most = f"up to {were(demand.most_in_flight, 'invocation')} in flight at once"
            if demand.most_at_work < demand.most_in_flight:
                most += f" ({count_text(demand.most_at_work)} if none had waited for an init)"
            return f"found every ready one busy: {most}{while_waiting}."
        case SpilloverReason.NOT_READY:
            return "came before any was ready."


def _too_fast(run: Run, function: int, block: Block, demand: Demand) -> str:
    """The request rate, which binds however idle the environments are."""
    each = run.scenario.region.requests_per_concurrency
    assert not isinstance(each, str), "without a limit nothing is too fast"
    capacity, spillovers = capacity_of(run.log, function), run.log.spillovers
    first_ns = spillovers.time_ns[
        (spillovers.function == function) & (spillovers.reason == SpilloverReason.REQUEST_RATE)
    ].min(keepdims=True)
    units = int(capacity.allocated_at(first_ns)[0])
    when = "" if block["peak_allocated"] == units else f" at {clock_text(int(first_ns[0]))}"
    return (
        "came too fast, although some were idle: each lets in"
        f" {counted(int(each), 'request')} a second, however short they are, so {count_text(units)}{when} let in"
        f" {count_text(units * int(each))}/s. In the busiest second"
        f" {counted(demand.most_in_a_second, 'invocation')} began."
    )


def _within_a_reservation(run: Run, name: str) -> Iterator[str]:
    """What a reservation leaves for spillover; with as much provisioned as reserved that is nothing."""
    both = [state for state in run.limits if state.at_ns <= run.log.end_ns and state.provisioned.get(name)]
    both = [state for state in both if name in state.reserved]
    if not both:
        return
    full = [state for state in both if state.provisioned[name] >= state.reserved[name]]
    if not full:
        tightest = min(both, key=lambda state: state.reserved[name] - state.provisioned[name])
        reserved, units = tightest.reserved[name], tightest.provisioned[name]
        yield (
            f"{name} has {count_text(reserved)} reserved and {count_text(units)} of these provisioned, which leaves"
            f" {count_text(reserved - units)} for what spills over."
        )
        return
    since = f" (from {clock_text(full[0].at_ns)} on)" if full[0].at_ns else ""
    throttles = run.log.throttles
    refused = (throttles.function == run.log.function_names.index(name)) & np.equal(
        throttles.reason, ThrottleReason.RESERVED_CONCURRENCY
    )
    count = sum(
        int(np.count_nonzero(refused & (throttles.time_ns >= begin) & (throttles.time_ns < end)))
        for begin, end in _times_of(run, full)
    )
    yield (
        f"With all {count_text(full[0].reserved[name])} reserved units of {name} provisioned{since}, nothing may run on"
        f" demand: what finds none free, or none ready, is refused instead of spilling over"
        f" ({were(count, 'attempt')} refused as reserved_concurrency)."
    )


def _times_of(run: Run, states: list[LimitsInForce]) -> Iterator[tuple[int, int]]:
    """From when to when each of some states of the limits was in force."""
    ends = [state.at_ns for state in run.limits[1:]] + [run.log.end_ns + 1]
    for state, end_ns in zip(run.limits, ends, strict=True):
        if any(state is one for one in states):
            yield state.at_ns, end_ns


@dataclass(slots=True, kw_only=True)
class _GivenBack:
    """Steps down in a row, by the same cause."""

    asked_ns: int
    last_ns: int
    before: int
    units: int
    steps: int
    cause: CapacityCause


def _change_lines(run: Run, name: str, function: int, demand: Demand) -> Iterator[str]:
    """The first changes of what was asked for, by time, and how many more there were."""
    changes: list[Increase | _GivenBack] = [*increases(run.log, function), *_given_back(run.log, function)]
    changes.sort(key=lambda change: change.asked_ns)
    scaled = run.scenario.functions[name].autoscaling
    last_since_ns = None
    for one in changes[:_MOST_CHANGES]:
        if isinstance(one, _GivenBack):
            yield _given_back_line(one)
            continue
        since_ns, why = None, ""
        if scaled is not None and scaled.target is not None:
            since_ns = above_target_since_ns(demand, one, scaled)
            if since_ns is not None:
                still = "was still" if since_ns == last_since_ns else "had been"
                since = f" since {clock_text(since_ns)}" if since_ns != last_since_ns else ""
                why = f", as utilisation {still} above {format_ratio(scaled.target)}{since}"
            last_since_ns = since_ns
        yield _increase_line(run.log, function, one, since_ns, why)
    if len(changes) > _MOST_CHANGES:
        yield f"and {len(changes) - _MOST_CHANGES} more changes in provisioned.csv"


def _given_back(log: EventLog, function: int) -> list[_GivenBack]:
    found: list[_GivenBack] = []
    rows, before, is_in_a_row = np.flatnonzero(log.capacity.function == function), 0, False
    for row in rows.tolist():
        at_ns, units = int(log.capacity.time_ns[row]), int(log.capacity.requested[row])
        cause = CapacityCause(int(log.capacity.cause[row]))
        if units < before and cause != CapacityCause.INIT_FAILED:
            if is_in_a_row and found[-1].cause == cause:
                found[-1].last_ns, found[-1].units, found[-1].steps = at_ns, units, found[-1].steps + 1
            else:
                found.append(
                    _GivenBack(asked_ns=at_ns, last_ns=at_ns, before=before, units=units, steps=1, cause=cause)
                )
            is_in_a_row = True
        elif units > before:
            is_in_a_row = False
        before = units
    return found


def _given_back_line(one: _GivenBack) -> str:
    how_far = f"from {count_text(one.before)} to {count_text(one.units)}"
    if one.steps == 1:
        return f"{clock_text(one.asked_ns)}  {_WHO_ASKS[one.cause]} went down {how_far}."
    during = f"{clock_text(one.asked_ns)} to {clock_text(one.last_ns)}"
    return f"{during}  {_WHO_ASKS[one.cause]} went down {how_far}, in {one.steps} steps."


def _increase_line(log: EventLog, function: int, one: Increase, since_ns: int | None, why: str) -> str:
    """Who asked for more, and when it was ready; how long that was after the load had risen, if that is known."""
    asked = (
        f"{clock_text(one.asked_ns)}  {_WHO_ASKS[one.cause]} asked for {count_text(one.units)} instead of"
        f" {count_text(one.before)}{why}"
    )
    if one.has_failed:
        return f"{asked}; an init took longer than it may, so none of them came."
    if one.ready_ns is None:
        return f"{asked}; not ready when the run ended."
    begin_ns = one.asked_ns if since_ns is None else since_ns
    after = "later" if since_ns is None else f"after {clock_text(since_ns)}"
    spilled = spilled_between(log, function, begin_ns, one.ready_ns)
    meanwhile = f"; {counted(spilled, 'invocation')} spilled over meanwhile" if spilled else ""
    wait = clock_difference(begin_ns, one.ready_ns)
    return f"{asked}; ready at {clock_text(one.ready_ns)}, {wait} {after}{meanwhile}."


def _pool_sentence(run: Run) -> Iterator[str]:
    """What it takes from the quota, used or not."""
    states = [state for state in run.limits if state.at_ns <= run.log.end_ns]
    most = max(states, key=lambda state: sum(provisioned_of_pool(state).values()))
    units = sum(provisioned_of_pool(most).values())
    if not units:
        return
    is_steady = len({sum(provisioned_of_pool(state).values()) for state in states}) == 1
    taken = f"{'' if is_steady else 'up to '}{counted(units, 'unit')} of the quota of {count_text(most.quota)}"
    kept = f", and reservations take {count_text(sum(most.reserved.values()))}" if most.reserved else ""
    yield (
        f"Busy or idle, provisioned concurrency takes {taken}{kept}: that leaves {count_text(shared_pool(most))} for"
        " everything that runs on demand."
    )
