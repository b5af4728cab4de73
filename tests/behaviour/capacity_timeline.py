"""Provisioned concurrency in an event log, as plain tuples in seconds that a test can write down by hand."""

from __future__ import annotations

from typing import Any, NamedTuple

from lambdasim.eventlog.log import EventLog
from lambdasim.platform.provisioned import CapacityCause, CapacityStatus, SpilloverReason
from tests.behaviour.timeline import Environment, environments, invocations
from tests.builders import run

S = 10**9

# Five seconds of preparation, then an environment a second: the k-th of a request at t is there at t + 5 + k.
ONE_A_SECOND = {"prepare": "5s", "rate": 1, "per": "1s"}

READY, IN_PROGRESS, FAILED = "ready", "in_progress", "failed"
CONFIGURED, CHANGED, ALLOCATED = "configured", "changed", "allocated"
SCHEDULED, TRACKED, INIT_FAILED = "scheduled", "target_tracking", "init_failed"

PROVISIONED, ON_DEMAND = True, False


class Spillover(NamedTuple):
    """One invocation that ran on demand although its function has provisioned concurrency."""

    request: int
    attempt: int
    time: float
    reason: str


class Capacity(NamedTuple):
    """What is asked for and what is ready, from a time on."""

    time: float
    requested: int
    allocated: int
    status: str
    cause: str


def with_capacity(units: int, rows: Any = (), function: dict[str, Any] | None = None, **parts: Any) -> EventLog:
    """A run of function ``f`` that has so many units from the start; further functions by ``others``."""
    functions = {"f": {"provisioned_concurrency": units, **(function or {})}, **parts.pop("others", {})}
    return run(functions=functions, rows=rows, **parts)


def spillovers(log: EventLog) -> list[Spillover]:
    """By (request, attempt)."""
    columns = log.spillovers
    return [
        Spillover(*row)
        for row in zip(
            columns.request.tolist(),
            columns.attempt.tolist(),
            (columns.time_ns / S).tolist(),
            [SpilloverReason(code).key for code in columns.reason.tolist()],
            strict=True,
        )
    ]


def spilled(log: EventLog) -> list[tuple[int, str]]:
    """(request, reason) of each spillover."""
    return [(row.request, row.reason) for row in spillovers(log)]


def capacity(log: EventLog, function: str = "f") -> list[Capacity]:
    """Every change of a function's provisioned concurrency, in order."""
    columns = log.capacity
    return [
        Capacity(*row)
        for row, number in zip(
            zip(
                (columns.time_ns / S).tolist(),
                columns.requested.tolist(),
                columns.allocated.tolist(),
                [CapacityStatus(code).name.lower() for code in columns.status.tolist()],
                [CapacityCause(code).key for code in columns.cause.tolist()],
                strict=True,
            ),
            columns.function.tolist(),
            strict=True,
        )
        if log.function_names[number] == function
    ]


def levels(log: EventLog, function: str = "f") -> list[tuple[float, int, int, str]]:
    """(time, requested, allocated, status) as they stand when each instant is over."""
    return list(
        {row.time: (row.time, row.requested, row.allocated, row.status) for row in capacity(log, function)}.values()
    )


def requested(log: EventLog, function: str = "f") -> list[tuple[float, int]]:
    """(time, units) whenever another number of units is asked for."""
    found: list[tuple[float, int]] = []
    for row in capacity(log, function):
        if not found or found[-1][1] != row.requested:
            found.append((row.time, row.requested))
    return found


def provisioned(log: EventLog, function: str = "f") -> list[Environment]:
    """The provisioned environments of a function, by creation."""
    rows = [
        row
        for row, is_provisioned in zip(environments(log), log.environments.is_provisioned.tolist(), strict=True)
        if is_provisioned and row.function == function
    ]
    return sorted(
        rows, key=lambda row: (row.created, row.ready is None, row.ready or 0, row.reaped is None, row.reaped or 0)
    )


def lives(log: EventLog, function: str = "f") -> list[tuple[float, float | None, float | None]]:
    """(created, ready, reaped) of each provisioned environment, by creation."""
    return [(row.created, row.ready, row.reaped) for row in provisioned(log, function)]


def ran_on(log: EventLog) -> list[bool]:
    """Whether each invocation had a provisioned environment, by (request, attempt)."""
    is_provisioned = log.environments.is_provisioned.tolist()
    return [row.environment is not None and is_provisioned[row.environment] for row in invocations(log)]


def on_provisioned(log: EventLog) -> list[int]:
    """Requests whose invocation had a provisioned environment."""
    return [row.request for row, there in zip(invocations(log), ran_on(log), strict=True) if there]


def to(at: float, units: int | str, function: str = "f", **more: Any) -> dict[str, Any]:
    """A change of a function's provisioned concurrency; ``more`` changes of the function with it."""
    return {"at": f"{at}s", "functions": {function: {"provisioned_concurrency": units, **more}}}
