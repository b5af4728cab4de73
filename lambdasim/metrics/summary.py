"""The content of ``summary.json``, derived from the event log. Ratios and means without data are None."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import NOT_YET, EventLog, Result
from lambdasim.metrics.levels import peak, time_integral
from lambdasim.metrics.outcomes import Outcome, RequestOutcomes, is_error
from lambdasim.metrics.percentile import percentiles
from lambdasim.metrics.responses import Responses, counted
from lambdasim.platform.concurrency import ThrottleReason
from lambdasim.units import NS_PER_S

IntArray = npt.NDArray[np.int64]
Block = dict[str, Any]


class Summary(dict[str, Any]):
    """The content of ``summary.json``: a plain dict that a notebook shows as a table."""

    def _repr_html_(self) -> str:
        rows = "".join(_html_rows(self, ()))
        return f"<table><thead><tr><th>figure</th><th>value</th></tr></thead><tbody>{rows}</tbody></table>"


def _html_rows(block: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    """One row for each figure, named by its path; blocks without anything in them are left out."""
    for key, value in block.items():
        here = (*path, key)
        if isinstance(value, Mapping):
            yield from _html_rows(value, here)
        else:
            text = "" if value is None else f"{value:,.6g}" if isinstance(value, float) else str(value)
            yield f"<tr><td>{escape('.'.join(here))}</td><td>{escape(text)}</td></tr>"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """The columns of the whole region, or of one function in it."""

    outcome: npt.NDArray[np.int8]
    status: npt.NDArray[np.int16]  # that the caller saw last
    latency_ns: IntArray  # of the completed requests
    attempt: npt.NDArray[np.int32]  # number, from 1, of each accepted attempt and then of each refused one
    throttle_reason: npt.NDArray[np.int8]
    admitted_ns: IntArray
    handler_ns: IntArray
    end_ns: IntArray
    result: npt.NDArray[np.int8]
    cold_init_ns: IntArray  # of the cold invocations
    created_ns: IntArray
    starting_ns: IntArray  # sandbox and init of each environment
    reaped_ns: IntArray


def summary_blocks(
    log: EventLog, outcomes: RequestOutcomes, statuses: Responses, duration_ns: int, quotas: Block
) -> Block:
    """Every block from ``requests`` to ``functions``, in the order of the file.

    ``quotas`` maps "" to the region's quota and each function's name to its reserved concurrency or None. Means of
    concurrency and environments are time averages over [0, min(duration, simulated)).
    """
    until_ns = min(duration_ns, log.end_ns)
    whole = _blocks(_part(log, outcomes, statuses, None), until_ns, log.end_ns, quotas[""])
    functions = {}
    if len(log.function_names) == 1:
        (name,) = log.function_names
        functions[name] = {**whole, "concurrency": {**whole["concurrency"], "quota": quotas[name]}}
    else:
        rows = _Rows(log)
        for number, name in enumerate(log.function_names):
            functions[name] = _blocks(
                _part(log, outcomes, statuses, rows.of(number)), until_ns, log.end_ns, quotas[name]
            )
    return {**whole, "functions": functions}


class _Rows:
    """Row numbers of each function, found with one sort a table however many functions there are."""

    def __init__(self, log: EventLog) -> None:
        count = len(log.function_names)
        self._groups = [
            grouped(log.requests.function, count),
            grouped(log.invocations.function, count),
            grouped(log.throttles.function, count),
            grouped(log.environments.function, count),
        ]

    def of(self, number: int) -> tuple[npt.NDArray[np.intp], ...]:
        """Rows of requests, invocations, throttles and environments."""
        return tuple(group[number] for group in self._groups)


def grouped(number: npt.NDArray[np.int16], count: int) -> list[npt.NDArray[np.intp]]:
    """Positions of each number from 0 to ``count`` - 1 in a column, in order."""
    order = np.argsort(number, kind="stable")
    return np.split(order, np.searchsorted(number[order], np.arange(1, count)))


def _part(
    log: EventLog, outcomes: RequestOutcomes, statuses: Responses, rows: tuple[npt.NDArray[np.intp], ...] | None
) -> _Part:
    everything = slice(None)
    requests, invoked, refused, born = rows or (everything,) * 4
    outcome = outcomes.outcome[requests]
    completed = outcome == Outcome.COMPLETED
    cold = log.invocations.is_cold[invoked]
    environment = log.invocations.environment[invoked]
    return _Part(
        outcome=outcome,
        status=statuses.of_requests[requests],
        latency_ns=outcomes.settled_ns[requests][completed] - log.requests.arrival_ns[requests][completed],
        attempt=np.concatenate((log.invocations.attempt[invoked], log.throttles.attempt[refused])),
        throttle_reason=log.throttles.reason[refused],
        admitted_ns=log.invocations.admitted_ns[invoked],
        handler_ns=log.invocations.handler_ns[invoked],
        end_ns=log.invocations.end_ns[invoked],
        result=log.invocations.result[invoked],
        cold_init_ns=log.environments.init_ns[environment[cold]],
        created_ns=log.environments.created_ns[born],
        starting_ns=log.environments.sandbox_ns[born] + log.environments.init_ns[born],
        reaped_ns=log.environments.reaped_ns[born],
    )


def _blocks(part: _Part, until_ns: int, run_end_ns: int, quota: int | None) -> Block:
    return {
        "requests": outcome_counts(part.outcome),
        "attempts": _attempts(part),
        "invocations": _invocations(part),
        "concurrency": _concurrency(part, until_ns, run_end_ns, quota),
        "environments": _environments(part, until_ns),
        "latency_s": latency_block(part.latency_ns),
        "init_s": _init(part.cold_init_ns),
        "responses": counted(part.status),
    }


def outcome_counts(outcome: npt.NDArray[np.int8]) -> Block:
    """How many requests there were, and how many with each outcome."""
    counts = np.bincount(outcome, minlength=len(Outcome))
    return {"total": len(outcome)} | {one.key: int(counts[one]) for one in Outcome}


def _attempts(part: _Part) -> Block:
    reasons = np.bincount(part.throttle_reason, minlength=len(ThrottleReason))
    return {
        "total": len(part.attempt),
        "throttles": len(part.throttle_reason),
        "retries": int(np.count_nonzero(part.attempt > 1)),
        "throttles_by_reason": {reason.key: int(reasons[reason]) for reason in ThrottleReason},
    }


def _invocations(part: _Part) -> Block:
    total, cold = len(part.result), len(part.cold_init_ns)
    return {
        "total": total,
        "cold_starts": cold,
        "cold_start_ratio": cold / total if total else None,
        "errors": int(is_error(part.result).sum()),
        "timeouts": int((part.result == Result.TIMEOUT).sum()),
    }


def _concurrency(part: _Part, until_ns: int, run_end_ns: int, quota: int | None) -> Block:
    admitted = part.admitted_ns < until_ns
    end_ns = np.where(part.end_ns == NOT_YET, run_end_ns, part.end_ns)
    # Accepted rate x mean (wait + duration) of what was admitted in the interval: its number cancels out.
    time_inside = int((end_ns[admitted] - part.admitted_ns[admitted]).sum())
    return {
        "quota": quota,
        "peak": peak(part.admitted_ns, part.end_ns),
        "mean": _mean_over(time_integral(part.admitted_ns, part.end_ns, until_ns), until_ns),
        "littles_law": _mean_over(time_inside, until_ns),
    }


def _environments(part: _Part, until_ns: int) -> Block:
    alive = time_integral(part.created_ns, part.reaped_ns, until_ns)
    starting = time_integral(part.created_ns, part.created_ns + part.starting_ns, until_ns)
    started = part.handler_ns != NOT_YET
    working = time_integral(part.handler_ns[started], part.end_ns[started], until_ns)
    return {
        "created": len(part.created_ns),
        "reaped": int((part.reaped_ns != NOT_YET).sum()),
        "peak": peak(part.created_ns, part.reaped_ns),
        "mean": _mean_over(alive, until_ns),
        "mean_idle": _mean_over(alive - starting - working, until_ns),
    }


def _mean_over(integral_ns: int, until_ns: int) -> float | None:
    return integral_ns / until_ns if until_ns else None


def latency_block(latency_ns: IntArray) -> Block:
    """Number, mean, percentiles and maximum of the latencies of completed requests, in seconds."""
    names = ("p50", "p90", "p95", "p99", "p999", "max")
    if not len(latency_ns):
        return {"count": 0, "mean": None} | dict.fromkeys(names)
    values = percentiles(latency_ns, (500, 900, 950, 990, 999, 1_000))
    return {"count": len(latency_ns), "mean": _mean_s(latency_ns)} | _in_seconds(names, values)


def _init(init_ns: IntArray) -> Block:
    names = ("p50", "p99", "max")
    if not len(init_ns):
        return {"mean": None} | dict.fromkeys(names)
    return {"mean": _mean_s(init_ns)} | _in_seconds(names, percentiles(init_ns, (500, 990, 1_000)))


def _mean_s(values_ns: IntArray) -> float:
    return int(values_ns.sum()) / len(values_ns) / NS_PER_S


def _in_seconds(names: tuple[str, ...], values_ns: list[int]) -> Block:
    return {name: value / NS_PER_S for name, value in zip(names, values_ns, strict=True)}
