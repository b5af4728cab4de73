"""The figures that people ask for first: offered rate, worst period, latency by fate, the limit that bound first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import NOT_YET, EventLog
from lambdasim.metrics.outcomes import Outcome, RequestOutcomes, abandoned_rows
from lambdasim.metrics.percentile import percentiles
from lambdasim.platform.concurrency import ThrottleReason
from lambdasim.units import NS_PER_S

IntArray = npt.NDArray[np.int64]

MINUTE_NS = 60 * NS_PER_S
HOUR_NS = 60 * MINUTE_NS


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
    """Latency of the requests of one kind, from arrival to settlement in ns; percentiles are None without data."""

    label: str
    count: int
    p50_ns: int | None = None
    p95_ns: int | None = None
    p99_ns: int | None = None
    max_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """One minute or hour of the run and what was counted in it."""

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
    """Latency of warm, cold and retried requests, of all completed ones, and how long others waited in vain."""
    path, latency_ns = paths(log, outcomes)
    parts = [(kind.label, latency_ns[path == kind]) for kind in Path]
    parts += [("all completed", latency_ns), ("gave up waiting", waited_in_vain_ns(log, outcomes))]
    return [_latency_row(label, values) for label, values in parts]


def waited_in_vain_ns(log: EventLog, outcomes: RequestOutcomes) -> IntArray:
    """From the arrival of each request that got no answer in time until its caller gave up, by request index."""
    in_vain = outcomes.outcome == Outcome.TIMED_OUT_CLIENT
    return np.asarray(outcomes.settled_ns[in_vain] - log.requests.arrival_ns[in_vain], dtype=np.int64)


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


def telling_period_ns(length_ns: int) -> int:
    """The length of period that suits a run: a minute in runs of up to an hour, then an hour."""
    return MINUTE_NS if length_ns <= HOUR_NS else HOUR_NS


def periods(log: EventLog, length_ns: int) -> list[Period]:
    """Attempts, throttles and cold starts of each period, by the time at which the attempt was sent."""
    count = log.end_ns // length_ns + 1
    admitted, cold, throttles = (
        np.bincount(times_ns // length_ns, minlength=count).tolist()
        for times_ns in (
            log.invocations.admitted_ns,
            log.invocations.admitted_ns[log.invocations.is_cold],
            log.throttles.time_ns,
        )
    )
    return [
        Period(start_ns=number * length_ns, attempts=a + t, throttles=t, cold_starts=c)
        for number, (a, t, c) in enumerate(zip(admitted, throttles, cold, strict=True))
    ]


def most_throttled(log: EventLog, length_ns: int) -> Period:
    """The period with the most throttles, the first of several."""
    return max(periods(log, length_ns), key=lambda period: period.throttles)


def coldest(log: EventLog, length_ns: int) -> Period:
    """The period with the most cold starts, the first of several."""
    return max(periods(log, length_ns), key=lambda period: period.cold_starts)


def first_throttle(log: EventLog) -> tuple[int, ThrottleReason, str] | None:
    """(time in ns, reason, function) of the first refusal of the run."""
    if not len(log.throttles):
        return None
    row = int(np.lexsort((log.throttles.request, log.throttles.time_ns))[0])
    function = log.function_names[log.throttles.function[row]]
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
    return int((started & waited & ~log.invocations.is_cold).sum()) - failed_restores(log)


def failed_restores(log: EventLog) -> int:
    """Invocations that ended with the restore of their environment, without a moment of work (SnapStart)."""
    ended = log.invocations.end_ns != NOT_YET
    return int((ended & (log.invocations.handler_ns == log.invocations.end_ns)).sum())


def went_on_ns(log: EventLog, until_ns: int) -> IntArray:
    """How long each abandoned invocation went on within [0, until) when nobody waited for it. Shape (n_abandonments,).

    An invocation that had not ended counts up to ``until``.
    """
    end_ns = log.invocations.end_ns[abandoned_rows(log)]
    end_ns = np.where(end_ns == NOT_YET, until_ns, np.minimum(end_ns, until_ns))
    return end_ns - np.minimum(log.abandonments.time_ns, until_ns)


def held_back_ns(log: EventLog, paced: Sequence[bool]) -> IntArray:
    """From arrival to first attempt of each request that its client sent later than it came, in no particular order.

    ``paced`` says of each traffic source whether its clients limit their own rate.
    """
    is_paced = np.array(paced)
    wait_ns = []
    for rows, sent_ns in ((log.invocations, log.invocations.admitted_ns), (log.throttles, log.throttles.time_ns)):
        first = (rows.attempt == 1) & is_paced[log.requests.source[rows.request]]
        wait_ns.append(sent_ns[first] - log.requests.arrival_ns[rows.request[first]])
    every = np.concatenate(wait_ns)
    return every[every > 0]
