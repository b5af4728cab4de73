"""Rules for provisioned concurrency between keys, over every state that the changes of a scenario lead to.

Sources: Lambda's provisioned-concurrency and configuration-concurrency pages (read 2026). The sentences are AWS's own,
as its API gives them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from lambdasim.scenario.changes import LimitsInForce
from lambdasim.scenario.cron import period_ns
from lambdasim.scenario.provisioned import MOST_ACTIONS, ScheduledAction
from lambdasim.scenario.rules import Finding, Parts
from lambdasim.scenario.schema import Scenario, least_unreserved
from lambdasim.scenario.week import format_week_time
from lambdasim.scenario.yaml_reader import YamlPath


def check_provisioned(scenario: Scenario) -> Iterator[Finding]:
    """Everything that is wrong with the provisioned concurrency of a scenario that is right otherwise."""
    yield from _check_autoscaling(scenario)
    scaled = frozenset(name for name, function in scenario.functions.items() if function.autoscaling is not None)
    for state in scenario.limits_in_force():
        yield from _check_state(state, least_unreserved(scenario.region, state.quota), scaled)


def check_provisioned_at_start(parts: Parts) -> Iterator[Finding]:
    """The same for the start of a scenario with other mistakes, as far as its numbers are known."""
    if parts.region is not None:
        quota = parts.region.concurrency_quota
        start = LimitsInForce(at_ns=0, change=None, quota=quota, reserved=parts.reserved, provisioned=parts.provisioned)
        yield from _check_state(start, least_unreserved(parts.region, quota), parts.scaled)


def find_risks_of_provisioned(scenario: Scenario, written: Mapping[str, Any]) -> Iterator[Finding]:
    """What has no effect: an allocation of nothing, actions that come too late, units that autoscaling does not allow.

    ``written`` are the raw data of the scenario, without what the profile gives.
    """
    for name, function in written["functions"].items():
        if "provisioned_allocation" in function and (why := _why_nothing_is_allocated(scenario, name)):
            yield Finding(path=("functions", name, "provisioned_allocation"), message=f"has no effect: {why}")
    end_ns = scenario.duration
    for name, function in scenario.functions.items():
        scaled, stated = function.autoscaling, function.provisioned_concurrency
        if scaled is None:
            continue
        if stated is not None and scaled.initial(stated) != stated:
            message = (
                f"is {stated}, but autoscaling keeps it between {scaled.min_capacity} and {scaled.max_capacity}: the"
                f" function begins with {scaled.initial(stated)}"
            )
            yield Finding(path=("functions", name, "provisioned_concurrency"), message=message)
        for number, action in enumerate(scaled.scheduled_actions):
            if all(at_ns >= end_ns for at_ns in action.instants_ns(end_ns)):
                path: YamlPath = ("functions", name, "autoscaling", "scheduled_actions", number)
                yield Finding(path=path, message=_why_without_effect(action))


def _why_nothing_is_allocated(scenario: Scenario, name: str) -> str:
    """Why no provisioned concurrency of a function comes during the run; empty where some may be asked for."""
    if scenario.functions[name].autoscaling is not None:
        return ""
    units = [state.provisioned.get(name, 0) for state in scenario.limits_in_force()]
    if any(after > before for before, after in pairwise(units)):
        return ""
    if not any(units):
        return f"{name} has no provisioned concurrency"
    return f"the provisioned concurrency of {name} is ready when the run starts, and nothing asks for more during it"


def _why_without_effect(action: ScheduledAction) -> str:
    if action.schedule is None:
        return "comes when nothing arrives any more; it may have no effect"
    if period_ns(action.schedule) is not None:
        return "does not fire within the duration; it has no effect"
    return f"does not fire within the duration, which begins on {format_week_time(action.starts)} (starts says when)"


def _check_autoscaling(scenario: Scenario) -> Iterator[Finding]:
    for name, function in scenario.functions.items():
        scaled = function.autoscaling
        if scaled is None:
            continue
        path: YamlPath = ("functions", name, "autoscaling", "scheduled_actions")
        for number, action in enumerate(scaled.scheduled_actions):
            if len(action.instants_ns(scenario.duration)) > MOST_ACTIONS:
                rule = f"must fire at most {MOST_ACTIONS:,} times within the duration"
                yield Finding(path=(*path, number, "schedule"), message=rule)
        crossed = [(low, high) for _, low, high in scaled.bounds_over_time(scenario.duration) if low > high]
        if crossed:
            low, high = crossed[0]
            rule = f"must keep min_capacity at most max_capacity; together they lead to {low} and {high}"
            yield Finding(path=path, message=rule)
        for number, change in enumerate(scenario.changes):
            changed = (change.functions or {}).get(name)
            if changed is not None and changed.provisioned_concurrency is not None:
                rule = "must not change what autoscaling sets (write a scheduled action, or drop autoscaling)"
                here: YamlPath = ("changes", number, "functions", name, "provisioned_concurrency")
                yield Finding(path=here, message=rule)


def _check_state(state: LimitsInForce, least: int, scaled: frozenset[str]) -> Iterator[Finding]:
    """One state of the limits: its provisioned concurrency fits into reservations and into the quota."""
    for name, provisioned in state.provisioned.items():
        reserved = state.reserved.get(name)
        if reserved is not None and provisioned > reserved:
            up_to = "up to " if name in scaled else ""
            message = (
                "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for"
                f" function. {name} has {up_to}{provisioned} provisioned and reserves {reserved}"
            )
            yield Finding(path=_place(state, scaled, name), message=message)
    claimed = {name: units for name, units in state.provisioned.items() if name not in state.reserved}
    reserved_units = sum(state.reserved.values())
    most = state.quota - least
    # Where reservations alone are too much, that is said already.
    if reserved_units <= most < reserved_units + sum(claimed.values()):
        beside = f" and {reserved_units} reserved units" if reserved_units else ""
        message = (
            "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its"
            f" minimum value of [{least}]. The functions have {sum(claimed.values())} provisioned{beside} of the quota"
            f" of {state.quota}; at most {most} can be reserved and provisioned"
        )
        yield Finding(path=_place(state, scaled, _first_beyond(claimed, most - reserved_units)), message=message)


def _first_beyond(claimed: Mapping[str, int], most: int) -> str:
    """The function, in file order, with which the units are more than ``most``."""
    total = 0
    for name, units in claimed.items():
        total += units
        if total > most:
            return name
    raise AssertionError("all of them fit")


def _place(state: LimitsInForce, scaled: frozenset[str], name: str) -> YamlPath:
    """The key that leads to a state: the change, or that of the function."""
    if state.change is not None:
        return ("changes", state.change)
    if name in scaled:
        return ("functions", name, "autoscaling", "max_capacity")
    return ("functions", name, "provisioned_concurrency")
