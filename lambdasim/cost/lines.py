"""From integers of usage to the units that prices are for: GB-seconds, requests, GB. Each line with its part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from lambdasim.cost.bill import Line
from lambdasim.cost.capacity import CapacityUse
from lambdasim.cost.prices import exact
from lambdasim.cost.request_counts import api_gateway_requests, sqs_requests
from lambdasim.cost.usage import FunctionUse, InvocationUse
from lambdasim.eventlog.log import EventLog
from lambdasim.platform.billing import paid_ephemeral_mb
from lambdasim.scenario.schema import Function, Scenario
from lambdasim.units import NS_PER_S

_MB_IN_GB = 1_024
_MB_MS_IN_GB_S = _MB_IN_GB * 1_000
_MB_NS_IN_GB_S = _MB_IN_GB * NS_PER_S

_GATEWAYS = {"api_gateway_rest": "api-gateway-rest", "api_gateway_http": "api-gateway-http"}


def _line(part: str, price: str, units: int, units_at_a_time: int = 1) -> Line:
    with exact():
        return Line(part=part, price=price, units=Decimal(units) / units_at_a_time)


def use_lines(function: Function, use: FunctionUse) -> Iterator[Line]:
    """Requests, time of handlers and inits, and the ephemeral storage meanwhile.

    MODEL: AWS does not publish at which price inits of provisioned environments are charged. Here as their duration is.
    """
    yield _line("request", "requests", use.invocations)
    yield from _duration_lines("compute", function, use.on_demand_ms, use.provisioned_ms)
    yield from _duration_lines("init", function, use.on_demand_init_ms, use.provisioned_init_ms)


def invocation_lines(function: Function, use: InvocationUse) -> Iterator[Line]:
    """The same of some invocations, without telling handlers from inits."""
    yield _line("request", "requests", use.invocations)
    yield from _duration_lines("compute", function, use.on_demand_ms, use.provisioned_ms)


def _duration_lines(part: str, function: Function, on_demand_ms: int, provisioned_ms: int) -> Iterator[Line]:
    for price, time_ms in (("duration", on_demand_ms), ("provisioned_duration", provisioned_ms)):
        yield _line(part, f"{price}.{function.architecture}", time_ms * function.memory, _MB_MS_IN_GB_S)
    paid_mb = paid_ephemeral_mb(function.ephemeral_storage)
    yield _line("ephemeral_storage", "ephemeral_storage", (on_demand_ms + provisioned_ms) * paid_mb, _MB_MS_IN_GB_S)


def capacity_lines(function: Function, use: CapacityUse) -> Iterator[Line]:
    """Provisioned concurrency for being there: as much of it as was busy, and the rest."""
    price = f"provisioned_capacity.{function.architecture}"
    idle = use.requested + use.rounded_up - use.busy_of_requested
    yield _line("provisioned_busy", price, use.busy_of_requested * function.memory, _MB_NS_IN_GB_S)
    yield _line("provisioned_idle", price, idle * function.memory, _MB_NS_IN_GB_S)


def snapstart_lines(function: Function, use: FunctionUse, until_ns: int) -> Iterator[Line]:
    """The snapshot in its cache over [0, until), and each restore of it.

    For the managed Java runtimes both are free (pricing page, read 2026).

    MODEL: one version has a snapshot, and of the least time of 3 hours for which AWS charges the cache only the run.
    """
    is_free = function.package == "zip" and (function.runtime or "").startswith("java")
    if function.snapstart is not None and not is_free:
        yield _line("snapstart", "snapstart_cache", until_ns * function.memory, _MB_NS_IN_GB_S)
        yield _line("snapstart", "snapstart_restore", use.restores * function.memory, _MB_IN_GB)


def queue_lines(log: EventLog, scenario: Scenario, function: str | None, until_ns: int) -> Iterator[Line]:
    """Requests of the queues that invoke a function, or of those that nobody reads (None)."""
    for number, queue in enumerate(scenario.queues.values()):
        mapping = queue.event_source_mapping
        if (None if mapping is None else mapping.function) == function:
            polled_until_ns = 0 if mapping is None else until_ns
            requests = sqs_requests(log, number, queue.message_size, polled_until_ns)
            yield _line("queues", "sqs_standard" if queue.fifo is None else "sqs_fifo", requests.total)


def api_gateway_lines(log: EventLog, scenario: Scenario) -> list[list[Line]]:
    """Requests through API Gateway, by function."""
    lines: list[list[Line]] = [[] for _ in log.function_names]
    for price, front_end in _GATEWAYS.items():
        for number, requests in enumerate(api_gateway_requests(log, scenario, front_end)):
            lines[number].append(_line("api_gateway", price, requests))
    return lines


def of_something(lines: Iterable[Line]) -> tuple[Line, ...]:
    """The lines that are for any units at all."""
    return tuple(line for line in lines if line.units)
