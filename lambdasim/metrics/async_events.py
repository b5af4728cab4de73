"""What became of asynchronous events: how many were dropped and why, how old they got, when the queue was empty.

The age of an event is counted from its arrival in the queue, retries included, as CloudWatch's AsyncEventAge has it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import NOT_YET, EventLog
from lambdasim.metrics.outcomes import Outcome, RequestOutcomes
from lambdasim.metrics.percentile import percentiles
from lambdasim.platform.async_retry import DropReason
from lambdasim.units import NS_PER_S

IntArray = npt.NDArray[np.int64]
Block = dict[str, Any]


def is_event(log: EventLog) -> npt.NDArray[np.bool_]:
    """Whether each request is an asynchronous event."""
    asynchronous = np.array([invoke == "async" for invoke in log.source_invokes])
    return asynchronous[log.requests.source]


def event_ages_ns(log: EventLog, included: npt.NDArray[np.bool_]) -> tuple[IntArray, IntArray]:
    """(time of admission, age of the event then) of each invocation of the requests that are included."""
    rows = included[log.invocations.request]
    admitted = log.invocations.admitted_ns[rows]
    return admitted, admitted - log.requests.arrival_ns[log.invocations.request[rows]]


def async_block(
    log: EventLog, outcomes: RequestOutcomes, function: int | None, most_concurrency: Callable[[str, int], int]
) -> Block:
    """The ``async`` block of summary.json, of one function or of all.

    ``most_concurrency`` says how much concurrency a function may have from a time in ns on.

    ``drain_s`` is from the last arrival until nothing is left; ``drain_floor_s`` what that takes at least: the work on
    events that was still to do then / concurrency, the worst of the functions. None without data.
    """
    events = is_event(log)
    if function is not None:
        events = events & (log.requests.function == function)
    numbers = [function] if function is not None else range(len(log.function_names))
    outcome = outcomes.outcome[events]
    arrival = log.requests.arrival_ns[events]
    settled = outcomes.settled_ns[events]
    until = np.where(settled == NOT_YET, log.end_ns, settled)
    reasons = np.bincount(log.drops.reason[events[log.drops.request]], minlength=len(DropReason))
    is_open = outcome == Outcome.IN_FLIGHT
    floors = [_floor_s(log, events & (log.requests.function == one), one, most_concurrency) for one in numbers]
    return {
        "received": len(outcome),
        "completed": int((outcome == Outcome.COMPLETED).sum()),
        "dropped": int((outcome == Outcome.DROPPED).sum()),
        "in_flight": int(is_open.sum()),
        "dropped_by_reason": {reason.key: int(reasons[reason]) for reason in DropReason},
        "delivery_failures": int(np.count_nonzero(events[log.delivery_failures.request])),
        "age_s": _ages(event_ages_ns(log, events)[1]),
        "oldest_age_s": int((until - arrival).max()) / NS_PER_S if len(arrival) else None,
        "drain_s": None if is_open.any() or not len(arrival) else int(until.max() - arrival.max()) / NS_PER_S,
        "drain_floor_s": max((floor for floor in floors if floor is not None), default=None),
    }


def _ages(ages_ns: IntArray) -> Block:
    names = ("p50", "p90", "p99", "max")
    if not len(ages_ns):
        return dict.fromkeys(names)
    return {name: age / NS_PER_S for name, age in zip(names, percentiles(ages_ns, (500, 900, 990, 1_000)), strict=True)}


def _floor_s(
    log: EventLog, events: npt.NDArray[np.bool_], function: int, most_concurrency: Callable[[str, int], int]
) -> float | None:
    if not events.any():
        return None
    last_ns = int(log.requests.arrival_ns[events].max())
    limit = most_concurrency(log.function_names[function], last_ns)
    if not limit:
        return None
    rows = events[log.invocations.request] & (log.invocations.function == function)
    admitted, end = log.invocations.admitted_ns[rows], log.clipped_end_ns[rows]
    return int(np.maximum(end - np.maximum(admitted, last_ns), 0).sum()) / NS_PER_S / limit
