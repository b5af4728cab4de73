"""What to try next with provisioned concurrency: more, earlier, or less of it.

Source of the size: AWS advises the usual peak and 10 % more (provisioned-concurrency page, read 2026). Where more units
need a larger reservation or quota, these are proposed with them, so that the scenario can be loaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from lambdasim.eventlog.log import NOT_YET
from lambdasim.metrics.provisioned import Increase, increases
from lambdasim.metrics.provisioned_demand import Demand, above_target_since_ns
from lambdasim.metrics.run import Run
from lambdasim.metrics.shared_pool import provisioned_of_pool
from lambdasim.platform.concurrency import ThrottleReason
from lambdasim.platform.provisioned import CapacityCause, SpilloverReason
from lambdasim.report.wording import clock_difference, clock_text, count_text, counted, share_text, time_text
from lambdasim.scenario.changes import LimitsInForce
from lambdasim.scenario.provisioned import Autoscaling
from lambdasim.scenario.schema import least_unreserved
from lambdasim.units import NS_PER_S, format_duration

Block = dict[str, Any]

# Less spillover than this share is no reason to buy more; a saving smaller than that is none to buy less.
_WORTH_MORE, _WORTH_LESS = 0.001, 0.2
_MOST_FUNCTIONS = 3
_MINUTE_NS = 60 * NS_PER_S


def provisioned_steps(run: Run, demands: Mapping[str, Demand]) -> Iterator[str]:
    """A step for each function whose provisioned concurrency is too small, too late or too large; most spilled first.

    Then the command that compares levels, and one where idle units are what others lack.
    """
    blocks = {name: block["provisioned"] for name, block in run.summary["functions"].items() if "provisioned" in block}
    by_spillover = sorted(blocks, key=lambda name: -blocks[name]["spillovers"])
    steps = (step for name in by_spillover for step in _steps_for(run, name, blocks[name], demands[name]))
    yield from (step for step, _ in zip(steps, range(_MOST_FUNCTIONS), strict=False))
    if by_spillover and (blocks[by_spillover[0]]["spillover_ratio"] or 0) >= _WORTH_MORE:
        whose = f" --function {by_spillover[0]}" if len(run.scenario.functions) > 1 else ""
        command = f"python -m lambdasim frontier SCENARIO.yaml{whose}"
        yield f"What each level would cost and buy, with these requests: {command}."
    yield from _idle_while_others_lack(run)


def without_it(run: Run) -> str | None:
    """The settings without any provisioned concurrency, to compare with; None where there is none as it is."""
    names = [name for name, block in run.summary["functions"].items() if "provisioned" in block]
    if not names:
        return None
    settings = []
    for name in names:
        if run.scenario.functions[name].autoscaling is not None:
            settings.append(f"--set functions.{name}.autoscaling=null")
        if run.scenario.functions[name].provisioned_concurrency:
            settings.append(f"--set functions.{name}.provisioned_concurrency=0")
        settings += [f"--set {key}=0" for key in _changes_of(run, name)]
    return " ".join(settings)


def _steps_for(run: Run, name: str, block: Block, demand: Demand) -> Iterator[str]:
    if (block["spillover_ratio"] or 0) >= _WORTH_MORE:
        yield _step_for_spillover(run, name, block, demand)
    elif block["utilization"] is not None:
        yield from _less(run, name, block, demand)


def _step_for_spillover(run: Run, name: str, block: Block, demand: Demand) -> str:
    function = run.log.function_names.index(name)
    by_reason = block["spillovers_by_reason"]
    too_fast = by_reason[SpilloverReason.REQUEST_RATE.key]
    others = block["spillovers"] - too_fast
    scaled = run.scenario.functions[name].autoscaling
    if too_fast > others:
        step = _more_for_the_rate(run, name, block, demand)
    elif scaled is not None and (first := _first_by_tracking(run, function)) is not None:
        return _ask_before_the_load(run, name, block, demand, scaled, first)
    elif 2 * demand.late_spillovers > others:
        return _ask_earlier(run, name, function, demand)
    else:
        step = _more_for_the_peak(run, name, block, demand)
    return step + _how_few_were_cold(block)


def _how_few_were_cold(block: Block) -> str:
    """Spillover costs latency only where it meets no warm environment."""
    cold, spilled = block["spillover_cold_starts"], block["spillovers"]
    if cold > 0.01 * spilled:
        return ""
    few = "none" if not cold else f"only {count_text(cold)}"
    return (
        f" But {few} of the {count_text(spilled)} that spilled over had a cold start: environments on demand were warm"
        " as well."
    )


def _more_for_the_rate(run: Run, name: str, block: Block, demand: Demand) -> str:
    """The request rate goes with the units, whatever they work."""
    each = int(run.scenario.region.requests_per_concurrency)
    units = max(demand.units_for_rate(each), _more_than(block))
    if block["spillovers_by_reason"][SpilloverReason.CONCURRENCY.key]:
        units = max(units, _for_peak(demand.most_at_work))
    scaled = run.scenario.functions[name].autoscaling
    if scaled is not None and scaled.target is not None:
        tracked = (
            f" Target tracking does not see it: it counts busy environments, {share_text(block['utilization'] or 0, 1)}"
            " of those that were ready."
        )
    else:
        tracked = ""
    return (
        f"{name} spills over by its request rate, not for want of free environments: {count_text(units)} let in"
        f" {count_text(units * each)}/s, and {counted(demand.most_in_a_second, 'invocation')} began in the busiest"
        f" second. Try {_setting(run, name, units)}, or put several items into one request.{tracked}"
    )


def _more_for_the_peak(run: Run, name: str, block: Block, demand: Demand) -> str:
    each = run.scenario.region.requests_per_concurrency
    units = max(_for_peak(demand.most_at_work), demand.units_for_rate(each), _more_than(block))
    return (
        f"{name} had up to {count_text(demand.most_in_flight)} in flight{_without_waits(demand)}. AWS advises the usual"
        f" peak and 10 % more, so that none spills over: {_setting(run, name, units)}."
    )


def _without_waits(demand: Demand) -> str:
    """How many of them would be in flight if all were initialised: those that wait for an init make it look worse."""
    if demand.most_at_work == demand.most_in_flight:
        return ""
    return f", {count_text(demand.most_at_work)} if none had waited for an init"


def _first_by_tracking(run: Run, function: int) -> Increase | None:
    for one in increases(run.log, function):
        if one.cause == CapacityCause.TARGET_TRACKING:
            return one
    return None


def _ask_before_the_load(
    run: Run, name: str, block: Block, demand: Demand, scaled: Autoscaling, first: Increase
) -> str:
    """Target tracking follows the load; a schedule is there before it."""
    assert scaled.target is not None, "something tracked it"
    since_ns = above_target_since_ns(demand, first, scaled)
    since_ns = first.asked_ns if since_ns is None else since_ns
    asked_after = clock_difference(since_ns, first.asked_ns)
    found = f"Target tracking comes after the load: {name} asked {asked_after} after the rise"
    if first.ready_ns is not None:
        found += f", and had its first step ready {clock_difference(since_ns, first.ready_ns)} after it"
    found += f". A step adds at most {100 / scaled.target - 100:.0f}%: no more than what is ready can be busy."
    units = max(_for_peak(demand.most_at_work), block["peak_requested"])
    wait_s = block["longest_wait_for_ready_s"] or 0
    at_ns = (since_ns - round(wait_s * NS_PER_S)) // _MINUTE_NS * _MINUTE_NS
    if at_ns <= 0:
        return f"{found} Have enough of it from the start: {_setting(run, name, units)}."
    if scaled.scheduled_actions:
        return f"{found} Where the time is known, a scheduled action can ask for {count_text(units)} before."
    action = f"{{at: {format_duration(at_ns)}, min_capacity: {units}, max_capacity: {max(units, scaled.max_capacity)}}}"
    key = f"functions.{name}.autoscaling.scheduled_actions=[{action}]"
    return f"{found} Where the time is known, ask before: --set '{key}'{_companions(run, name, units)}."


def _ask_earlier(run: Run, name: str, function: int, demand: Demand) -> str:
    """What was asked for came too late for most of what spilled over."""
    first_ns = demand.first_late_spillover_ns
    assert first_ns is not None, "most of what spilled over came too early"
    spilled = f"{counted(demand.late_spillovers, 'invocation')} of {name} spilled over while what was asked for"
    awaited = [
        one
        for one in increases(run.log, function)
        if one.asked_ns <= first_ns and one.ready_ns is not None and one.ready_ns > first_ns
    ]
    if not awaited:
        return f"{spilled} was not ready, nor ever was. Have it from the start, or ask earlier."
    one = awaited[-1]
    found = f"{spilled} at {clock_text(one.asked_ns)} was not ready"
    before_ns = (one.asked_ns - one.wait_ns) // NS_PER_S * NS_PER_S
    if before_ns <= 0:
        return (
            f"{found}, {time_text(one.wait_ns)} later. Have it from the start: {_from_the_start(run, name, one.units)}."
        )
    key = _key_of_time(run, name, one)
    setting = f" (--set {key}={format_duration(before_ns)})" if key else f", at {clock_text(before_ns)}"
    return f"{found}, {time_text(one.wait_ns)} later: ask for it so much earlier{setting}."


def _key_of_time(run: Run, name: str, one: Increase) -> str | None:
    """The key that says when an increase was asked for, if nothing else hangs on it."""
    if one.cause == CapacityCause.CHANGED:
        for number, change in enumerate(run.scenario.changes):
            functions = change.functions or {}
            others = change.region or change.deploy or change.redrive or change.traffic or set(functions) - {name}
            if change.at == one.asked_ns and name in functions and not others:
                return f"changes.{number}.at"
    scaled = run.scenario.functions[name].autoscaling
    for number, action in enumerate(scaled.scheduled_actions if scaled is not None else ()):
        if action.schedule is None and action.at == one.asked_ns:
            return f"functions.{name}.autoscaling.scheduled_actions.{number}.at"
    return None


def _less(run: Run, name: str, block: Block, demand: Demand) -> Iterator[str]:
    """How little would do, where what is kept ready is far more than was ever busy."""
    each, kept = run.scenario.region.requests_per_concurrency, block["peak_requested"]
    units = max(1, _for_peak(block["peak_busy"]), demand.units_for_rate(each))
    scaled = run.scenario.functions[name].autoscaling
    if units > (1 - _WORTH_LESS) * kept or (scaled is not None and kept > scaled.min_capacity):
        return
    yield (
        f"At most {count_text(block['peak_busy'])} of {count_text(kept)} provisioned environments of {name} were ever"
        f" busy at once, and {counted(demand.most_in_a_second, 'invocation')} began in the busiest second:"
        f" {count_text(units)} would do ({_setting(run, name, units)})."
    )


def _idle_while_others_lack(run: Run) -> Iterator[str]:
    """Where the shared pool was full while provisioned units were idle."""
    throttles, invocations = run.log.throttles, run.log.invocations
    refused_ns = throttles.time_ns[throttles.reason == ThrottleReason.ACCOUNT_CONCURRENCY]
    if not len(refused_ns):
        return
    at_ns = int(refused_ns.min())
    state = _at(run.limits, at_ns)
    kept = provisioned_of_pool(state)
    numbers = [run.log.function_names.index(name) for name in kept]
    busy = run.log.is_on_provisioned & np.isin(invocations.function, numbers)
    busy &= (invocations.admitted_ns <= at_ns) & ((invocations.end_ns == NOT_YET) | (invocations.end_ns > at_ns))
    units = sum(kept.values())
    idle = units - int(np.count_nonzero(busy))
    if idle < 0.1 * state.quota:
        return
    yield (
        f"At the first refusal {count_text(idle)} of {counted(units, 'provisioned unit')} were idle"
        f" ({', '.join(kept)}): they belong to their function, and nobody else may have them."
    )


def _for_peak(most: int) -> int:
    """AWS: the usual peak and 10 % more, 220 for 200 (provisioned-concurrency page, read 2026)."""
    return -(-11 * most // 10)


def _more_than(block: Block) -> int:
    """More than there was: what spilled over had its reason, even where the busiest second does not show it."""
    units: int = block["peak_requested"]
    return max(units + 1, _for_peak(units))


def _at(states: list[LimitsInForce], time_ns: int) -> LimitsInForce:
    return [state for state in states if state.at_ns <= time_ns][-1]


def _changes_of(run: Run, name: str) -> list[str]:
    """Keys of the changes that set the provisioned concurrency of a function."""
    return [
        f"changes.{number}.functions.{name}.provisioned_concurrency"
        for number, change in enumerate(run.scenario.changes)
        if name in (change.functions or {}) and (change.functions or {})[name].provisioned_concurrency is not None
    ]


def _setting(run: Run, name: str, units: int) -> str:
    """How to give a function so many units, where it has them from; with all that these need."""
    scaled = run.scenario.functions[name].autoscaling
    if scaled is not None:
        setting = f"--set functions.{name}.autoscaling.min_capacity={units}"
        if units > scaled.max_capacity:
            setting += f" --set functions.{name}.autoscaling.max_capacity={units}"
    else:
        changes = _changes_of(run, name)
        setting = f"--set {changes[-1] if changes else f'functions.{name}.provisioned_concurrency'}={units}"
    return setting + _companions(run, name, units)


def _from_the_start(run: Run, name: str, units: int) -> str:
    """How to give a function so many units before the run."""
    if run.scenario.functions[name].autoscaling is not None:
        return _setting(run, name, units)
    return f"--set functions.{name}.provisioned_concurrency={units}{_companions(run, name, units)}"


def _companions(run: Run, name: str, units: int) -> str:
    """Reservations and quotas that have room for so many units, for those that have not."""
    scenario = run.scenario
    most = 0
    for state in scenario.limits_in_force():
        claims = {**provisioned_of_pool(state), **state.reserved}
        claims[name] = max(units, claims.get(name, 0))
        most = max(most, sum(claims.values()))
    # Under a quota large enough the usual minimum stays unreserved; it is less only in small accounts.
    quota = most + least_unreserved(scenario.region, most + scenario.region.concurrency_quota)
    too_small = [key for key, reserved in _reservations(run, name) if reserved < units]
    settings = [f" --set {key}={units}" for key in too_small]
    settings += [
        f" --set {key}={quota}" for key, now in _quotas(run) if most > now - least_unreserved(scenario.region, now)
    ]
    return "".join(settings)


def _reservations(run: Run, name: str) -> Iterator[tuple[str, int]]:
    """(key, units) of everything that sets the reservation of a function."""
    reserved = run.scenario.functions[name].reserved_concurrency
    if reserved is not None:
        yield f"functions.{name}.reserved_concurrency", reserved
    for number, change in enumerate(run.scenario.changes):
        function = (change.functions or {}).get(name)
        if function is not None and isinstance(function.reserved_concurrency, int):
            yield f"changes.{number}.functions.{name}.reserved_concurrency", function.reserved_concurrency


def _quotas(run: Run) -> Iterator[tuple[str, int]]:
    """(key, units) of everything that sets the quota."""
    yield "region.concurrency_quota", run.scenario.region.concurrency_quota
    for number, change in enumerate(run.scenario.changes):
        if change.region is not None:
            yield f"changes.{number}.region.concurrency_quota", change.region.concurrency_quota
