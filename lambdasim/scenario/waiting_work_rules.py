"""Rules for queues, streams and destinations: what they name exists and fits, as AWS demands; and what it advises.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html (read 2026). Where AWS's own sentence
is known, the message ends with it.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambdasim.scenario.queues import Queue, QueueMapping
from lambdasim.scenario.rules import VALID_NAME, Finding, nearest
from lambdasim.scenario.schema import Scenario
from lambdasim.scenario.streams import Stream
from lambdasim.scenario.yaml_reader import YamlPath
from lambdasim.units import NS_PER_S, format_duration

_ADVISED_TIMEOUTS = 6  # visibility timeouts, in timeouts of the function
_ADVISED_RECEIVES = 5
_ADVISED_RESERVED = 5


def check_waiting_work(scenario: Scenario) -> Iterator[Finding]:
    """Everything that is wrong with queues, streams and destinations of a scenario that is right otherwise."""
    for section, names in (("queues", scenario.queues), ("streams", scenario.streams)):
        for name in names:
            if not VALID_NAME.fullmatch(name):
                rule = "must have a name of at most 64 letters, digits, dots, hyphens and underscores"
                yield Finding(path=(section, name), message=rule, at_key=True)
    for name in scenario.streams:
        if name in scenario.queues:
            yield Finding(path=("streams", name), message="must not have the name of a queue", at_key=True)
    for name, queue in scenario.queues.items():
        yield from _check_queue(scenario, name, queue)
    for name, stream in scenario.streams.items():
        path: YamlPath = ("streams", name, "event_source_mapping")
        yield from _check_function(scenario, path, stream.event_source_mapping.function)
        yield from _check_destination(scenario, (*path, "on_failure"), stream.event_source_mapping.on_failure)
    for name, function in scenario.functions.items():
        events = function.async_invocation
        for key, target in (("on_success", events.on_success), ("on_failure", events.on_failure)):
            if target is not None:  # a FIFO queue is accepted, but does not work: see the risks below
                yield from _check_exists(scenario, ("functions", name, "async", key), target)
        yield from _check_destination(scenario, ("functions", name, "async", "dead_letter"), events.dead_letter)
    yield from _check_sources(scenario)


def _check_queue(scenario: Scenario, name: str, queue: Queue) -> Iterator[Finding]:
    path: YamlPath = ("queues", name)
    if queue.dead_letter is not None:
        here: YamlPath = (*path, "dead_letter")
        yield from _check_exists(scenario, here, queue.dead_letter)
        target = scenario.queues.get(queue.dead_letter)
        if queue.dead_letter == name:
            yield Finding(path=here, message="must be another queue")
        elif target is not None and (target.fifo is None) != (queue.fifo is None):
            kind = "a standard" if queue.fifo is None else "a FIFO"
            yield Finding(path=here, message=f"must be {kind} queue as {name} is, as AWS demands")
    mapping = queue.event_source_mapping
    if mapping is None:
        return
    path = (*path, "event_source_mapping")
    yield from _check_function(scenario, path, mapping.function)
    function = scenario.functions.get(mapping.function)
    if function is not None and function.timeout > queue.visibility_timeout:
        visibility, timeout = (_seconds(time) for time in (queue.visibility_timeout, function.timeout))
        message = (
            f"must be at least the timeout of {mapping.function}: Queue visibility timeout: {visibility} seconds is"
            f" less than Function timeout: {timeout} seconds (set functions.{mapping.function}.timeout;"
            " Lambda's own default is 3s, lambdasim's 15m)"
        )
        yield Finding(path=("queues", name, "visibility_timeout"), message=message)
    if mapping.batch_window and mapping.batch_window >= queue.visibility_timeout:
        window, visibility = (format_duration(time) for time in (mapping.batch_window, queue.visibility_timeout))
        message = (
            f"must be below the visibility timeout of {name}, {visibility}, got {window}: messages would be back in the"
            " queue before their batch is sent"
        )
        yield Finding(path=(*path, "batch_window"), message=message)
    if mapping.provisioned_pollers is not None and scenario.profile != "2026":
        message = f"must not be there in profile {scenario.profile}: AWS has provisioned pollers since 2025-11-14"
        yield Finding(path=(*path, "provisioned_pollers"), message=message, at_key=True)


def _seconds(time_ns: int) -> str:
    return f"{time_ns / NS_PER_S:g}"


def _check_exists(scenario: Scenario, path: YamlPath, name: str) -> Iterator[Finding]:
    if name not in scenario.queues:
        hint = nearest(name, tuple(scenario.queues), "queues")
        yield Finding(path=path, message=f"must be the name of a queue, got {name} ({hint})")


def _check_function(scenario: Scenario, path: YamlPath, name: str) -> Iterator[Finding]:
    if name not in scenario.functions:
        hint = nearest(name, tuple(scenario.functions), "functions")
        yield Finding(path=(*path, "function"), message=f"must be the name of a function, got {name} ({hint})")


def _check_destination(scenario: Scenario, path: YamlPath, name: str | None) -> Iterator[Finding]:
    if name is None:
        return
    yield from _check_exists(scenario, path, name)
    if name in scenario.queues and scenario.queues[name].fifo is not None:
        yield Finding(path=path, message=f"must be a standard queue, as AWS demands; {name} is a FIFO queue")


def _check_sources(scenario: Scenario) -> Iterator[Finding]:
    for name, source in scenario.traffic.items():
        if source.target is None:
            continue
        key, parts = ("queue", scenario.queues) if source.invoke == "sqs" else ("stream", scenario.streams)
        path: YamlPath = ("traffic", name, key)
        target: Queue | Stream | None = parts.get(source.target)
        if target is None:
            hint = nearest(source.target, tuple(parts), f"{key}s")
            yield Finding(path=path, message=f"must be the name of a {key}, got {source.target} ({hint})")
        elif target.event_source_mapping is None:
            message = f"must be a queue that invokes a function; {source.target} has no event_source_mapping"
            yield Finding(path=path, message=message)
        elif source.function in scenario.functions and target.event_source_mapping.function != source.function:
            message = f"must be {target.event_source_mapping.function}, which {source.target} invokes; or leave it out"
            yield Finding(path=("traffic", name, "function"), message=message)
        elif source.trace is not None and source.trace.functions:
            message = f"must have no column function: {source.target} says which function is invoked"
            yield Finding(path=("traffic", name, "trace"), message=message)


def find_risks_of_waiting_work(scenario: Scenario) -> Iterator[Finding]:
    """What AWS allows and advises against; and queues that nothing comes into."""
    sent_to = {source.target for source in scenario.traffic.values()}
    sent_to |= {queue.dead_letter for queue in scenario.queues.values()}
    sent_to |= {stream.event_source_mapping.on_failure for stream in scenario.streams.values()}
    for function in scenario.functions.values():
        events = function.async_invocation
        sent_to |= {events.on_success, events.on_failure, events.dead_letter}
    for name, function in scenario.functions.items():
        for key in ("on_success", "on_failure"):
            target = getattr(function.async_invocation, key)
            if target is not None and scenario.queues[target].fifo is not None:
                # Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html (read 2026)
                message = f"is a FIFO queue, {target}, which Lambda does not deliver to: every record is lost"
                yield Finding(path=("functions", name, "async", key), message=message)
    for section, names in (("queues", scenario.queues), ("streams", scenario.streams)):
        for name in names:
            if name not in sent_to:
                yield Finding(
                    path=(section, name), message="gets nothing: no source and no queue names it", at_key=True
                )
    for name, queue in scenario.queues.items():
        mapping = queue.event_source_mapping
        if mapping is not None:
            yield from _find_risks(scenario, name, queue, mapping)


def _find_risks(scenario: Scenario, name: str, queue: Queue, mapping: QueueMapping) -> Iterator[Finding]:
    function = scenario.functions[mapping.function]
    advised_ns = _ADVISED_TIMEOUTS * function.timeout + mapping.batch_window
    if queue.visibility_timeout < advised_ns:
        window = f" + {format_duration(mapping.batch_window)}" if mapping.batch_window else ""
        message = (
            f"is {format_duration(queue.visibility_timeout)}; AWS advises at least {format_duration(advised_ns)}"
            f" ({_ADVISED_TIMEOUTS} x the timeout of {mapping.function}{window}), or a batch that is throttled for long"
            " comes back while it runs"
        )
        yield Finding(path=("queues", name, "visibility_timeout"), message=message)
    if queue.max_receive_count is not None and queue.max_receive_count < _ADVISED_RECEIVES:
        message = (
            f"is {queue.max_receive_count}; AWS advises at least {_ADVISED_RECEIVES}, or throttles alone can send a"
            " message to the dead-letter queue"
        )
        yield Finding(path=("queues", name, "max_receive_count"), message=message)
    reserved = function.reserved_concurrency
    if reserved is None:
        return
    path: YamlPath = ("functions", mapping.function, "reserved_concurrency")
    if reserved < _ADVISED_RESERVED:
        message = f"is {reserved}; AWS advises at least {_ADVISED_RESERVED} for a function that a queue invokes"
        yield Finding(path=path, message=message)
    if mapping.maximum_concurrency is not None and mapping.maximum_concurrency > reserved:
        message = (
            f"is {mapping.maximum_concurrency}, more than the {reserved} units reserved for {mapping.function}; AWS"
            " advises at most these, or messages are received only to be throttled"
        )
        yield Finding(path=("queues", name, "event_source_mapping", "maximum_concurrency"), message=message)
