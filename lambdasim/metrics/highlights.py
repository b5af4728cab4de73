"""The figures that people ask for first: offered rate, worst minute, latency by fate, the limit that bound first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import NOT_YET, EventLog
from lambdasim.metrics.outcomes import NONE, Outcome, RequestOutcomes
from lambdasim.metrics.percentile import percentiles
from lambdasim.platform.concurrency import ThrottleReason
from lambdasim.units import NS_PER_S

IntArray = npt.NDArray[np.int64]

MINUTE_NS = 60 * NS_PER_S


class Path(IntEnum):
    """The way of a completed request to its answer."""

    WARM = 0  # its only attempt met an idle or freed environment
    COLD = 1  # its only attempt paid for an init
    RETRIED = 2  # it took more than one attempt

    @property
    def label(self) -> str:
        """The word in reports and pictures."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyRow:
    """Latency of the completed requests of one kind, in ns; percentiles are None without data."""

    label: str
    count: int
    p50_ns: int | None = None
    p95_ns: int | None = None
    p99_ns: int | None = None
    max_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """One minute of the run and what was counted in it."""

    start_ns: int
    attempts: int
    throttles: int
    cold_starts: int


def paths(log: EventLog, outcomes: RequestOutcomes) -> tuple[IntArray, IntArray]:
    """(Path, latency in ns) of each completed request, by request index."""
    completed = outcomes.outcome == Outcome.COMPLETED
    row = outcomes.last_invocation[completed]
    path = np.where(log.invocations.is_cold[row], Path.COLD, Path.WARM)
    path = np.where(outcomes.attempts[completed] > 1, Path.RETRIED, path)
    return path, outcomes.settled_ns[completed] - log.requests.arrival_ns[completed]


def latency_rows(log: EventLog, outcomes: RequestOutcomes) -> list[LatencyRow]:
    """Latency of warm, cold and retried requests and of all completed ones."""
    path, latency_ns = paths(log, outcomes)
    parts = [(kind.label, latency_ns[path == kind]) for kind in Path]
    return [_latency_row(label, values) for label, values in [*parts, ("all completed", latency_ns)]]


def _latency_row(label: str, latency_ns: IntArray) -> LatencyRow:
    if not len(latency_ns):
        return LatencyRow(label=label, count=0)
    p50, p95, p99, most = percentiles(latency_ns, (500, 950, 990, 1_000))
    return LatencyRow(label=label, count=len(latency_ns), p50_ns=p50, p95_ns=p95, p99_ns=p99, max_ns=most)


def busiest_second(log: EventLog) -> tuple[int, int] | None:
    """(second, requests that arrived in it) of the second with the most arrivals, the first of several."""
    if not len(log.requests):
        return None
    counts = np.bincount(log.requests.arrival_ns // NS_PER_S)
    second = int(counts.argmax())
    return second, int(counts[second])


def minutes(log: EventLog) -> list[Minute]:
    """Attempts, throttles and cold starts of each minute, by the time at which the attempt was sent."""
    count = log.end_ns // MINUTE_NS + 1
    admitted = _per_minute(log.invocations.admitted_ns, count)
    cold = _per_minute(log.invocations.admitted_ns[log.invocations.is_cold], count)
    throttles = _per_minute(log.throttles.time_ns, count)
    return [
        Minute(start_ns=number * MINUTE_NS, attempts=a + t, throttles=t, cold_starts=c)
        for number, (a, t, c) in enumerate(zip(admitted.tolist(), throttles.tolist(), cold.tolist(), strict=True))
    ]


def _per_minute(times_ns: IntArray, count: int) -> IntArray:
    return np.bincount(times_ns // MINUTE_NS, minlength=count)


def worst_minute(log: EventLog) -> Minute | None:
    """The minute with the most throttles; without any, the one with the most cold starts; None without either."""
    worst = max(minutes(log), key=lambda minute: (minute.throttles, minute.cold_starts))
    return worst if worst.throttles or worst.cold_starts else None


def first_throttle(log: EventLog) -> tuple[int, ThrottleReason, str] | None:
    """(time in ns, reason, function) of the first refusal of the run."""
    if not len(log.throttles):
        return None
    row = int(np.lexsort((log.throttles.request, log.throttles.time_ns))[0])
    function = log.function_names[log.requests.function[log.throttles.request[row]]]
    return int(log.throttles.time_ns[row]), ThrottleReason(int(log.throttles.reason[row])), function


def in_flight_at(log: EventLog, time_ns: int) -> tuple[int, int]:
    """(in flight, of these still waiting for a handler) just after everything that ended at ``time_ns``."""
    invocations = log.invocations
    inside = (invocations.admitted_ns < time_ns) & (log.clipped_end_ns > time_ns)
    started = (invocations.handler_ns != NOT_YET) & (invocations.handler_ns <= time_ns)
    return int(inside.sum()), int((inside & ~started).sum())


def last_throttle_ns(log: EventLog) -> int | None:
    """Time of the last refusal."""
    return int(log.throttles.time_ns.max()) if len(log.throttles) else None


def mean_handler_ns(log: EventLog) -> float | None:
    """Mean time from the start of the handler to the end of the invocation, over those that ended."""
    ended = log.invocations.end_ns != NOT_YET
    if not ended.any():
        return None
    return float(np.mean(log.invocations.end_ns[ended] - log.invocations.handler_ns[ended]))


def mean_wait_ns(log: EventLog) -> float | None:
    """Mean time from admission to the start of the handler, over those that started."""
    started = log.invocations.handler_ns != NOT_YET
    if not started.any():
        return None
    return float(np.mean(log.invocations.handler_ns[started] - log.invocations.admitted_ns[started]))


def waited_without_cold_start(log: EventLog) -> int:
    """Invocations that waited for a new environment and were served by a freed one instead."""
    started = log.invocations.handler_ns != NOT_YET
    waited = log.invocations.handler_ns > log.invocations.admitted_ns
    return int((started & waited & ~log.invocations.is_cold).sum())


def has_accepted(outcomes: RequestOutcomes) -> bool:
    """Whether any attempt was accepted at all."""
    return bool((outcomes.last_invocation != NONE).any())
