"""Requests that Amazon SQS and API Gateway bill, counted from the event log."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import NOT_YET, EventLog, MessageOutcome
from lambdasim.platform.billing import MOST_MESSAGES_A_REQUEST, empty_receives, sqs_units
from lambdasim.platform.concurrency import ThrottleReason
from lambdasim.scenario.schema import Scenario

IntArray = npt.NDArray[np.int64]

_MOVED_BY_SQS = (MessageOutcome.DEAD_LETTERED, MessageOutcome.REDRIVEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqsRequests:
    """Requests of one queue, in units of 64 KB."""

    sends: int
    receives: int
    deletes: int
    empty_receives: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.sends + self.receives + self.deletes + self.empty_receives


def sqs_requests(log: EventLog, queue: int, message_bytes: int, polled_until_ns: int) -> SqsRequests:
    """Requests of one queue; empty receives in [0, polled until), so that 0 means that nobody polls.

    MODEL: each message is sent by a request of its own. What SQS itself moves, into a dead-letter queue or back, is
    free; what Lambda sends to a destination or a dead-letter queue is not.
    """
    return SqsRequests(
        sends=_sends(log, queue) * sqs_units(message_bytes),
        receives=_receives(log, queue, message_bytes),
        deletes=_deletes(log, queue),
        empty_receives=empty_receives(_idle_ns(log, queue, polled_until_ns)),
    )


def _sends(log: EventLog, queue: int) -> int:
    """Messages that came into the queue other than by a move of SQS's from another one."""
    request, outcome = log.messages.request, log.messages.outcome
    order = np.argsort(request, kind="stable")
    follows = np.zeros(len(order), dtype=np.bool_)
    follows[1:] = request[order[1:]] == request[order[:-1]]
    is_moved = np.zeros(len(order), dtype=np.bool_)
    is_moved[order[follows]] = np.isin(outcome[order[np.flatnonzero(follows) - 1]], _MOVED_BY_SQS)
    return int(np.count_nonzero((log.messages.queue == queue) & ~is_moved))


def _receives(log: EventLog, queue: int, message_bytes: int) -> int:
    """A batch takes as many receives as it has tens of messages; while it waits for more, each time some come."""
    deliveries = log.deliveries
    rows = log.messages.queue[deliveries.message] == queue
    batch, received = deliveries.batch[rows], deliveries.received_ns[rows]
    order = np.lexsort((received, batch))
    is_new = np.ones(len(order), dtype=np.bool_)
    is_new[1:] = (np.diff(batch[order]) != 0) | (np.diff(received[order]) != 0)
    sizes = np.diff(np.append(np.flatnonzero(is_new), len(order)))
    tens, rest = np.divmod(sizes, MOST_MESSAGES_A_REQUEST)
    full = int(tens.sum()) * sqs_units(MOST_MESSAGES_A_REQUEST * message_bytes)
    return full + int(sqs_units(rest * message_bytes).sum())


def _deletes(log: EventLog, queue: int) -> int:
    """A successful batch takes as many deletes as it has tens of messages that are deleted."""
    messages, deliveries = log.messages, log.deliveries
    last_batch = np.full(len(messages), NOT_YET, dtype=np.int64)
    last_batch[deliveries.message] = deliveries.batch  # in the order of receiving: the last one stays
    deleted = (messages.queue == queue) & (messages.outcome == MessageOutcome.DELETED)
    sizes = np.unique(last_batch[deleted], return_counts=True)[1]
    return int((-(-sizes // MOST_MESSAGES_A_REQUEST)).sum())


def _idle_ns(log: EventLog, queue: int, until_ns: int) -> int:
    """Time in [0, until) without any message in the queue."""
    rows = log.messages.queue == queue
    start = np.minimum(log.messages.sent_ns[rows], until_ns)
    settled = log.messages.settled_ns[rows]
    end = np.where(settled == NOT_YET, until_ns, np.minimum(settled, until_ns))
    order = np.argsort(start, kind="stable")
    covered_before = np.maximum.accumulate(np.append(0, end[order]))
    gaps = np.maximum(np.append(start[order], until_ns) - covered_before, 0)
    return int(gaps.sum())


def api_gateway_requests(log: EventLog, scenario: Scenario, front_end: str) -> list[int]:
    """Requests through one kind of API Gateway, by function. Each attempt is one.

    MODEL: those that API Gateway itself refuses are free, as AWS's staff say (https://repost.aws, "Does AWS charge for
    throttled requests", read 2026-11); those that Lambda refuses are not.
    """
    through = [source.via is not None and source.via.front_end == front_end for source in scenario.traffic.values()]
    is_through = np.array(through, dtype=np.bool_)[log.requests.source]
    reached = log.throttles.request[log.throttles.reason != ThrottleReason.API_GATEWAY_RATE]
    request = np.concatenate((log.invocations.request, reached))
    function = log.requests.function[request[is_through[request]]]
    counts: list[int] = np.bincount(function, minlength=len(log.function_names)).tolist()
    return counts
