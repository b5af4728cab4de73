"""Scenarios with SQS queues, and what became of their messages and batches as plain tuples. Times in seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from lambdasim.eventlog.log import NOT_YET, EventLog, MessageOutcome, Result
from lambdasim.metrics.outcomes import Outcome, request_outcomes
from lambdasim.scenario.schema import Scenario
from lambdasim.workload.workload import Workload
from tests.builders import log_of, scenario, trace, workload_of

S = 10**9

# Exact delays between the tries of a throttled batch, and no back-off: one rule at a time.
EXACT = {"throttle_retry": {"base": "1s", "cap": "20s", "jitter": "none"}, "back_off": "none"}
# The least mapping that there is: one batch at a time, for ever.
ONE_PLACE = {"scaling": {"start": 1, "rate": 1, "per": "1d", "max": 1}}


def always(places: int) -> dict[str, Any]:
    """The scaling of a mapping that begins with so many places and keeps them: one more in a day is none."""
    return {"scaling": {"start": places, "rate": 1, "per": "1d", "max": places}}


_OPEN = (MessageOutcome.VISIBLE, MessageOutcome.IN_FLIGHT, MessageOutcome.DELAYED)
_MOVED = (MessageOutcome.DEAD_LETTERED, MessageOutcome.REDRIVEN)


class Message(NamedTuple):
    """One stay of a message in a queue."""

    request: int
    queue: str
    sent: float
    receives: int
    outcome: str
    settled: float | None


class Batch(NamedTuple):
    """Messages that were received together, the times at which the function was tried with them, and the last end."""

    queue: str
    requests: list[int]
    received: list[float]
    tried: list[float]
    end: float | None
    result: Result | None  # None: never accepted


def with_queues(
    rows: Iterable[Any] = (),
    *,
    queue: dict[str, Any] | None = None,
    mapping: dict[str, Any] | None = None,
    function: dict[str, Any] | None = None,
    queues: dict[str, Any] | None = None,
    functions: dict[str, Any] | None = None,
    traffic: dict[str, Any] | None = None,
    **parts: Any,
) -> Scenario:
    """Messages at ``rows`` go from source ``t`` to queue ``q``, which invokes ``f`` one by one unless told otherwise.

    A dead-letter queue that is named and not described is a plain one that nobody polls.
    """
    mapped = {"function": "f", "batch_size": 1, **EXACT, **(mapping or {})}
    own = {"visibility_timeout": "30s", **(queue or {}), "event_source_mapping": mapped}
    named = {"q": own, **(queues or {})}
    for described in list(named.values()):
        if "dead_letter" in described:
            named.setdefault(described["dead_letter"], {})
    return scenario(
        functions={"f": {"timeout": own["visibility_timeout"], **(function or {})}, **(functions or {})},
        queues=named,
        traffic={"t": {"invoke": "sqs", "queue": "q", "trace": trace(rows)}, **(traffic or {})},
        **parts,
    )


def queued(rows: Iterable[Any] = (), *, seed: int = 1, **parts: Any) -> EventLog:
    """The event log of ``with_queues(rows, **parts)``, in which no message was lost or doubled."""
    log = log_of(with_queues(rows, **parts), seed)
    check_conservation(log)
    return log


def seed_where(made: Scenario, holds: Callable[[Workload], bool]) -> int:
    """The least seed whose draws are as a test needs them."""
    return next(seed for seed in count(1) if holds(workload_of(made, seed)))


def groups_of(made: Scenario, messages: int, groups: int, seed: int = 1) -> list[int]:
    """Message group of each message of source ``t``."""
    draws = workload_of(made, seed).draws
    return [draws.message_group("t", ordinal, groups) for ordinal in range(messages)]


def failing(workload: Workload, messages: int, invocation: int = 1) -> list[bool]:
    """Whether the code of ``f`` fails for each message of source ``t``, sent at 0, in an invocation of it."""
    return [workload.draws.fate("t", "f", 0, invocation, ordinal) != 0 for ordinal in range(messages)]


def check_conservation(log: EventLog) -> None:
    """Every message is in one place; what was moved is somewhere else; what was received stands in a batch."""
    messages, deliveries = log.messages, log.deliveries
    outcome = messages.outcome
    assert set(outcome.tolist()) <= set(map(int, MessageOutcome))
    is_open = np.isin(outcome, _OPEN)
    assert (messages.settled_ns[is_open] == NOT_YET).all()
    assert (messages.settled_ns[~is_open] >= messages.sent_ns[~is_open]).all()
    assert (messages.settled_ns <= log.end_ns).all()
    sources = log.requests.source
    sent = [i for i in range(len(log.requests)) if log.source_invokes[sources[i]] == "sqs"]
    assert set(sent) <= set(messages.request.tolist())
    moved = int(np.isin(outcome, _MOVED).sum())
    from_events = len(set(messages.request.tolist()) - set(sent))
    assert len(messages) == len(sent) + moved + from_events
    assert messages.receives.tolist() == np.bincount(deliveries.message, minlength=len(messages)).tolist()
    deleted = outcome == MessageOutcome.DELETED
    assert messages.is_executed[deleted].all()
    assert (messages.receives[deleted] >= 1).all()
    # Nothing is left of a request that is not in flight.
    unfinished = np.flatnonzero(request_outcomes(log).outcome == Outcome.IN_FLIGHT)
    assert set(unfinished.tolist()) & set(sent) <= set(messages.request[is_open].tolist())


def messages(log: EventLog, queue: str | None = None) -> list[Message]:
    """Stays of messages, in the order in which they came; those in one queue only if it is named."""
    columns = log.messages
    rows = [
        Message(
            request,
            log.queue_names[number],
            sent_ns / S,
            receives,
            MessageOutcome(outcome).key,
            None if settled_ns == NOT_YET else settled_ns / S,
        )
        for request, number, sent_ns, receives, outcome, settled_ns in zip(
            columns.request.tolist(),
            columns.queue.tolist(),
            columns.sent_ns.tolist(),
            columns.receives.tolist(),
            columns.outcome.tolist(),
            columns.settled_ns.tolist(),
            strict=True,
        )
    ]
    return [row for row in rows if queue is None or row.queue == queue]


def fates(log: EventLog, queue: str = "q") -> list[tuple[int, str, float | None]]:
    """(request, outcome, when) of each stay in a queue."""
    return [(row.request, row.outcome, row.settled) for row in messages(log, queue)]


def batches(log: EventLog, queue: str | None = None) -> list[Batch]:
    """Batches in the order in which they were begun; those of one queue only if it is named."""
    columns, deliveries = log.batches, log.deliveries
    accepted = {
        (request, attempt): (admitted, end, result)
        for request, attempt, admitted, end, result in zip(
            log.invocations.request.tolist(),
            log.invocations.attempt.tolist(),
            log.invocations.admitted_ns.tolist(),
            log.invocations.end_ns.tolist(),
            log.invocations.result.tolist(),
            strict=True,
        )
    }
    refused = {
        (request, attempt): time
        for request, attempt, time in zip(
            log.throttles.request.tolist(), log.throttles.attempt.tolist(), log.throttles.time_ns.tolist(), strict=True
        )
    }
    found = []
    for number in range(len(columns)):
        taken = np.flatnonzero(deliveries.batch == number)
        head, first, tries = (
            int(column[number]) for column in (columns.request, columns.first_attempt, columns.attempts)
        )
        keys = [(head, attempt) for attempt in range(first, first + tries)]
        tried = [(accepted[key][0] if key in accepted else refused[key]) / S for key in keys]
        end, result = None, None
        if columns.is_accepted[number]:
            _, end_ns, code = accepted[keys[-1]]
            end, result = (None if end_ns == NOT_YET else end_ns / S), Result(code)
        found.append(
            Batch(
                log.queue_names[columns.queue[number]],
                log.messages.request[deliveries.message[taken]].tolist(),
                (deliveries.received_ns[taken] / S).tolist(),
                tried,
                end,
                result,
            )
        )
    return [batch for batch in found if queue is None or batch.queue == queue]


def worked_on(log: EventLog, queue: str = "q") -> list[tuple[list[int], list[float]]]:
    """(messages, times of the tries) of each batch."""
    return [(batch.requests, batch.tried) for batch in batches(log, queue)]


def starts(log: EventLog) -> list[float]:
    """When invocations were accepted, in order."""
    return sorted((log.invocations.admitted_ns / S).tolist())


def in_flight(log: EventLog, time: float) -> int:
    """Invocations at work just after an instant."""
    time_ns = round(time * S)
    end_ns = log.clipped_end_ns
    still = (log.invocations.end_ns == NOT_YET) | (end_ns > time_ns)
    return int(((log.invocations.admitted_ns <= time_ns) & still).sum())


def most_in_flight(log: EventLog) -> int:
    """The most invocations at work at once."""
    steps = [(time, 1) for time in log.invocations.admitted_ns.tolist()]
    steps += [(time, -1) for time in log.invocations.end_ns.tolist() if time != NOT_YET]
    level, most = 0, 0
    for _, step in sorted(steps):
        level += step
        most = max(most, level)
    return most


def outcomes(log: EventLog) -> list[tuple[str, float | None, int]]:
    """(outcome, when, attempts) of each request."""
    columns = request_outcomes(log)
    return [
        (Outcome(outcome).key, None if settled_ns == NOT_YET else settled_ns / S, attempts)
        for outcome, settled_ns, attempts in zip(
            columns.outcome.tolist(), columns.settled_ns.tolist(), columns.attempts.tolist(), strict=True
        )
    ]
