"""Rules for the changes of a scenario: what they name exists, and every state that they lead to is allowed."""

from __future__ import annotations

from collections.abc import Iterator

from lambdasim.scenario.rules import Finding, nearest, reserved_violation
from lambdasim.scenario.schema import Scenario, least_unreserved
from lambdasim.scenario.yaml_reader import YamlPath
from lambdasim.units import format_duration


def check_changes(scenario: Scenario) -> Iterator[Finding]:
    """Everything that is wrong with the changes of a scenario that is right otherwise."""
    end_ns = scenario.duration + scenario.drain
    for number, change in enumerate(scenario.changes):
        path: YamlPath = ("changes", number)
        if change.at > end_ns:
            message = (
                f"must be within duration and drain, {format_duration(end_ns)} in all, got {format_duration(change.at)}"
            )
            yield Finding(path=(*path, "at"), message=message)
        functions, sources = tuple(scenario.functions), tuple(scenario.traffic)
        if change.deploy is not None and change.deploy not in functions:
            hint = nearest(change.deploy, functions, "functions")
            message = f"must be the name of a function, got {change.deploy} ({hint})"
            yield Finding(path=(*path, "deploy"), message=message)
        if change.redrive is not None:
            yield from _check_redrive(scenario, path, change.redrive.queue)
        for section, named, known in (("functions", change.functions, functions), ("traffic", change.traffic, sources)):
            for name in named or ():
                if name not in known:
                    kind = "function" if section == "functions" else "traffic source"
                    message = f"must be the name of a {kind} ({nearest(name, known, f'{kind}s')})"
                    yield Finding(path=(*path, section, name), message=message, at_key=True)
    yield from _check_limits(scenario)


def _check_redrive(scenario: Scenario, path: YamlPath, name: str) -> Iterator[Finding]:
    """AWS moves messages back from dead-letter queues only."""
    feeders = {queue.dead_letter for queue in scenario.queues.values()}
    if name not in scenario.queues:
        hint = nearest(name, tuple(scenario.queues), "queues")
        yield Finding(path=(*path, "redrive"), message=f"must be the name of a queue, got {name} ({hint})")
    elif name not in feeders:
        message = f"must be the dead_letter of a queue: {name} is that of none, so its messages came from no queue"
        yield Finding(path=(*path, "redrive"), message=message)


def _check_limits(scenario: Scenario) -> Iterator[Finding]:
    """The state after each change must be one that AWS would accept; that at the start is checked by ``rules``."""
    for state in scenario.limits_in_force()[1:]:
        least = least_unreserved(scenario.region, state.quota)
        violation = reserved_violation(state.quota, least, sum(state.reserved.values()))
        if violation is not None and state.change is not None:
            yield Finding(path=("changes", state.change), message=violation)
