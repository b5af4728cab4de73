"""An event log as plain tuples, in seconds, that a test can write down by hand. None: it had not happened."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from lambdasim.eventlog.log import NOT_YET, EventLog, Result
from lambdasim.platform.concurrency import ThrottleReason

OK, ERROR, CRASH, TIMEOUT, RUNNING = Result.OK, Result.ERROR, Result.CRASH, Result.TIMEOUT, Result.RUNNING

COLD, WARM = True, False


class Invocation(NamedTuple):
    """One accepted attempt."""

    request: int
    attempt: int
    admitted: float
    handler: float | None
    end: float | None
    environment: int | None
    result: Result
    cold: bool


class Throttle(NamedTuple):
    """One refused attempt."""

    request: int
    attempt: int
    time: float
    reason: str


class Abandonment(NamedTuple):
    """One attempt whose caller stopped waiting."""

    request: int
    attempt: int
    time: float


class Environment(NamedTuple):
    """One execution environment."""

    function: str
    created: float
    ready: float | None
    reaped: float | None


def _seconds(times_ns: Iterable[int]) -> list[float | None]:
    return [None if time_ns == NOT_YET else time_ns / 1_000_000_000 for time_ns in map(int, times_ns)]


def invocations(log: EventLog) -> list[Invocation]:
    """Accepted attempts by (request, attempt)."""
    columns = log.invocations
    return [
        Invocation(*row)
        for row in zip(
            columns.request.tolist(),
            columns.attempt.tolist(),
            _seconds(columns.admitted_ns),
            _seconds(columns.handler_ns),
            _seconds(columns.end_ns),
            [None if number == NOT_YET else number for number in columns.environment.tolist()],
            map(Result, columns.result.tolist()),
            columns.is_cold.tolist(),
            strict=True,
        )
    ]


def throttles(log: EventLog) -> list[Throttle]:
    """Refused attempts by (request, attempt)."""
    columns = log.throttles
    return [
        Throttle(*row)
        for row in zip(
            columns.request.tolist(),
            columns.attempt.tolist(),
            _seconds(columns.time_ns),
            [ThrottleReason(code).key for code in columns.reason.tolist()],
            strict=True,
        )
    ]


def abandonments(log: EventLog) -> list[Abandonment]:
    """Attempts that their callers gave up, by (request, attempt)."""
    columns = log.abandonments
    return [
        Abandonment(*row)
        for row in zip(columns.request.tolist(), columns.attempt.tolist(), _seconds(columns.time_ns), strict=True)
    ]


def environments(log: EventLog) -> list[Environment]:
    """Execution environments by birth."""
    columns = log.environments
    return [
        Environment(*row)
        for row in zip(
            [log.function_names[number] for number in columns.function.tolist()],
            _seconds(columns.created_ns),
            _seconds(log.ready_ns),
            _seconds(columns.reaped_ns),
            strict=True,
        )
    ]


def spans(log: EventLog) -> list[tuple[int, float | None, float | None]]:
    """(environment, start of the handler, end) of each invocation, by (request, attempt)."""
    return [(row.environment, row.handler, row.end) for row in invocations(log)]


def used(log: EventLog) -> list[int | None]:
    """Environment of each invocation, by (request, attempt)."""
    return [row.environment for row in invocations(log)]


def cold(log: EventLog) -> list[bool]:
    """Whether each invocation was a cold start, by (request, attempt)."""
    return [row.cold for row in invocations(log)]


def accepted(log: EventLog) -> list[int]:
    """Request of each accepted attempt."""
    return [row.request for row in invocations(log)]


def attempt_times(log: EventLog, request: int = 0) -> list[float]:
    """When each attempt of a request was sent, accepted or not."""
    sent = [(row.attempt, row.admitted) for row in invocations(log) if row.request == request]
    sent += [(row.attempt, row.time) for row in throttles(log) if row.request == request]
    return [time for _, time in sorted(sent)]


def refusals(log: EventLog) -> list[tuple[float, str]]:
    """(time, reason) of each refused attempt, by (request, attempt)."""
    return [(row.time, row.reason) for row in throttles(log)]


def end_s(log: EventLog) -> float:
    """When the run ended."""
    return log.end_ns / 1_000_000_000
