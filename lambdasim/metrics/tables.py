"""Requests, attempts, messages, environments and provisioned concurrency as tables, with the columns of the CSV files.

A table is made for a range of rows, so that a long run can be written without holding it twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import NOT_YET, EventLog, MessageOutcome, Result
from lambdasim.metrics.message_history import is_without_execution
from lambdasim.metrics.outcomes import NONE, Outcome, RequestOutcomes
from lambdasim.metrics.provisioned import has_provisioned, spilled_rows
from lambdasim.metrics.responses import Responses
from lambdasim.platform.concurrency import ThrottleReason
from lambdasim.platform.provisioned import CapacityCause, CapacityStatus, SpilloverReason
from lambdasim.units import NS_PER_S

MISSING = -1

_REASONS = tuple(reason.key for reason in ThrottleReason)
_OUTCOMES = tuple(outcome.key for outcome in Outcome)
_MESSAGE_OUTCOMES = tuple(outcome.key for outcome in MessageOutcome)
_RESULTS = ("ok", "error", "crash", "timeout", "running", "throttled")
_THROTTLED = len(Result)
_SPILLOVERS = tuple(reason.key for reason in SpilloverReason)
_STATUSES = tuple(status.name.lower() for status in CapacityStatus)
_CAUSES = tuple(cause.key for cause in CapacityCause)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of integers; MISSING (-1) means not applicable.

    ``kind`` says how they read: a number, a time in ns, true or false, or an index into ``labels``.
    """

    name: str
    kind: Literal["number", "time", "flag", "label"]
    values: npt.NDArray[np.int64]
    labels: tuple[str, ...] = ()

    def natural(self) -> npt.NDArray[Any]:
        """Numbers as int64, times as seconds (nan where missing), flags as bool, labels as text ("" where missing)."""
        match self.kind:
            case "number":
                return self.values.astype(np.int64)
            case "time":
                return np.where(self.values == MISSING, np.nan, self.values / NS_PER_S)
            case "flag":
                return np.equal(self.values, 1)
            case "label":
                return np.array([*self.labels, ""])[self.values]


Table = tuple[Column, ...]


def structured(table: Table) -> npt.NDArray[np.void]:
    """A structured array with one field a column."""
    columns = {column.name: column.natural() for column in table}
    rows = np.empty(len(table[0].values), dtype=[(name, values.dtype) for name, values in columns.items()])
    for name, values in columns.items():
        rows[name] = values
    return rows


def requests_table(
    log: EventLog, outcomes: RequestOutcomes, first: int, last: int, statuses: Responses | None = None
) -> Table:
    """Requests ``first`` to ``last`` (exclusive), by request index; with ``statuses``, what the caller saw last."""
    rows = slice(first, last)
    invocations, requests = log.invocations, log.requests
    invoked = outcomes.last_invocation[rows]
    accepted = invoked != NONE
    handler = _taken(invocations.handler_ns, invoked, accepted)
    start = _taken(invocations.admitted_ns, invoked, accepted)
    environment = _taken(invocations.environment, invoked, accepted)
    cold = np.where(handler == MISSING, MISSING, _taken(invocations.is_cold, invoked, accepted))
    arrival, settled = requests.arrival_ns[rows], outcomes.settled_ns[rows]
    return (
        Column(name="request", kind="number", values=np.arange(first, first + len(arrival))),
        Column(name="source", kind="label", values=requests.source[rows].astype(np.int64), labels=log.source_names),
        Column(
            name="function", kind="label", values=requests.function[rows].astype(np.int64), labels=log.function_names
        ),
        Column(name="invoke", kind="label", values=requests.source[rows].astype(np.int64), labels=log.source_invokes),
        Column(name="arrival_s", kind="time", values=arrival),
        Column(name="outcome", kind="label", values=outcomes.outcome[rows].astype(np.int64), labels=_OUTCOMES),
        Column(name="attempts", kind="number", values=outcomes.attempts[rows].astype(np.int64)),
        Column(name="throttles", kind="number", values=outcomes.throttles[rows].astype(np.int64)),
        Column(
            name="first_throttle_reason",
            kind="label",
            values=outcomes.first_throttle_reason[rows].astype(np.int64),
            labels=_REASONS,
        ),
        Column(name="cold", kind="flag", values=cold),
        Column(name="init_s", kind="time", values=_taken(log.environments.init_ns, environment, cold == 1)),
        Column(name="wait_s", kind="time", values=np.where(handler == MISSING, MISSING, handler - start)),
        Column(name="start_s", kind="time", values=start),
        Column(name="end_s", kind="time", values=settled),
        Column(name="latency_s", kind="time", values=np.where(settled == NOT_YET, MISSING, settled - arrival)),
        Column(name="environment", kind="number", values=environment),
        *(() if statuses is None else (_status_column(statuses.of_requests[rows]),)),
    )


def _status_column(statuses: npt.NDArray[np.integer]) -> Column:
    return Column(name="status", kind="number", values=np.where(statuses > 0, statuses, MISSING).astype(np.int64))


def attempts_table(log: EventLog, first: int, last: int, statuses: Responses | None = None) -> Table:
    """All attempts of the requests ``first`` to ``last`` (exclusive), by request and attempt."""
    invocations, throttles = log.invocations, log.throttles
    taken = slice(*np.searchsorted(invocations.request, (first, last)))
    refused = slice(*np.searchsorted(throttles.request, (first, last)))
    request = np.concatenate((invocations.request[taken], throttles.request[refused]))
    attempt = np.concatenate((invocations.attempt[taken], throttles.attempt[refused]))
    order = np.lexsort((attempt, request))
    nothing = np.full(refused.stop - refused.start, MISSING, dtype=np.int64)

    def column(accepted: npt.NDArray[np.generic], thrown_back: npt.NDArray[np.generic]) -> npt.NDArray[np.int64]:
        return np.concatenate((accepted, thrown_back)).astype(np.int64)[order]

    handler = invocations.handler_ns[taken]
    environment = invocations.environment[taken]
    cold = np.where(handler == NOT_YET, MISSING, invocations.is_cold[taken])
    init = _taken(log.environments.init_ns, environment, cold == 1)
    return (
        Column(name="request", kind="number", values=request[order]),
        Column(name="attempt", kind="number", values=attempt[order].astype(np.int64)),
        Column(name="time_s", kind="time", values=column(invocations.admitted_ns[taken], throttles.time_ns[refused])),
        Column(
            name="function",
            kind="label",
            values=column(invocations.function[taken], throttles.function[refused]),
            labels=log.function_names,
        ),
        Column(
            name="result",
            kind="label",
            values=column(invocations.result[taken], np.full_like(nothing, _THROTTLED)),
            labels=_RESULTS,
        ),
        Column(
            name="reason",
            kind="label",
            values=column(np.full(len(handler), MISSING), throttles.reason[refused]),
            labels=_REASONS,
        ),
        Column(name="environment", kind="number", values=column(environment, nothing)),
        Column(name="cold", kind="flag", values=column(cold, nothing)),
        Column(name="init_s", kind="time", values=column(init, nothing)),
        Column(name="handler_s", kind="time", values=column(handler, nothing)),
        Column(name="end_s", kind="time", values=column(invocations.end_ns[taken], nothing)),
        *(
            ()
            if statuses is None
            else (_status_column(column(statuses.of_invocations[taken], statuses.of_throttles[refused])),)
        ),
        *((_spillover_column(column(_spillovers(log, taken), nothing)),) if has_provisioned(log) else ()),
    )


def _spillovers(log: EventLog, invoked: slice) -> npt.NDArray[np.int64]:
    """Why each of these invocations spilled over; MISSING where it did not. All attempts of a request are in them."""
    reason = np.full(invoked.stop - invoked.start, MISSING, dtype=np.int64)
    if len(reason):
        requests = log.invocations.request[[invoked.start, invoked.stop - 1]]
        first, last = np.searchsorted(log.spillovers.request, (requests[0], requests[1] + 1))
        spilled = slice(int(first), int(last))
        reason[spilled_rows(log, invoked, spilled)] = log.spillovers.reason[spilled]
    return reason


def _spillover_column(reasons: npt.NDArray[np.int64]) -> Column:
    return Column(name="spillover", kind="label", values=reasons, labels=_SPILLOVERS)


def messages_table(log: EventLog, first: int, last: int) -> Table:
    """Stays ``first`` to ``last`` (exclusive) of messages in queues and of records in streams, as they came."""
    rows = slice(first, last)
    messages = log.messages
    return (
        Column(name="message", kind="number", values=messages.request[rows]),
        Column(name="queue", kind="label", values=messages.queue[rows].astype(np.int64), labels=log.queue_names),
        Column(name="sent_s", kind="time", values=messages.sent_ns[rows]),
        Column(name="receives", kind="number", values=messages.receives[rows].astype(np.int64)),
        Column(name="first_receive_s", kind="time", values=messages.first_receive_ns[rows]),
        Column(name="outcome", kind="label", values=messages.outcome[rows].astype(np.int64), labels=_MESSAGE_OUTCOMES),
        Column(name="settled_s", kind="time", values=messages.settled_ns[rows]),
        Column(name="without_execution", kind="flag", values=is_without_execution(log)[rows].astype(np.int64)),
    )


def environments_table(log: EventLog) -> Table:
    """All execution environments, by birth."""
    environments, invocations = log.environments, log.invocations
    count = len(environments)
    ready = log.ready_ns
    started = invocations.handler_ns != NOT_YET
    worker = invocations.environment[started]
    worked = log.clipped_end_ns[started] - invocations.handler_ns[started]
    busy = np.where(ready == NOT_YET, log.end_ns, ready) - environments.created_ns
    np.add.at(busy, worker, worked)
    return (
        Column(name="environment", kind="number", values=np.arange(count)),
        Column(name="function", kind="label", values=environments.function.astype(np.int64), labels=log.function_names),
        Column(
            name="kind",
            kind="label",
            values=environments.is_provisioned.astype(np.int64),
            labels=("on-demand", "provisioned"),
        ),
        Column(name="created_s", kind="time", values=environments.created_ns),
        Column(name="ready_s", kind="time", values=ready),
        Column(name="reaped_s", kind="time", values=environments.reaped_ns),
        Column(name="invocations", kind="number", values=np.bincount(worker, minlength=count)),
        Column(name="busy_s", kind="time", values=busy),
    )


def provisioned_table(log: EventLog) -> Table:
    """Every change of provisioned concurrency: what is asked for and what is ready from then on."""
    capacity = log.capacity
    return (
        Column(name="time_s", kind="time", values=capacity.time_ns),
        Column(name="function", kind="label", values=capacity.function.astype(np.int64), labels=log.function_names),
        Column(name="requested", kind="number", values=capacity.requested.astype(np.int64)),
        Column(name="allocated", kind="number", values=capacity.allocated.astype(np.int64)),
        Column(name="status", kind="label", values=capacity.status.astype(np.int64), labels=_STATUSES),
        Column(name="cause", kind="label", values=capacity.cause.astype(np.int64), labels=_CAUSES),
    )


def _taken(
    values: npt.NDArray[np.generic], rows: npt.NDArray[np.integer], applies: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    """``values[rows]`` where it applies, else MISSING."""
    taken = np.full(len(rows), MISSING, dtype=np.int64)
    taken[applies] = values[rows[applies]]
    return taken
