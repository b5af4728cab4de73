"""What the callers saw: the HTTP status of each answer, by the front end of their traffic source.

A direct call of Lambda's API is answered with 200 even where the function failed (the body has ``FunctionError``), and
with 429 where Lambda refused it. Behind a front end both look as that makes them look: see ``scenario.front_end``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import EventLog, Result
from lambdasim.metrics.outcomes import NONE, Outcome, RequestOutcomes, abandoned_rows
from lambdasim.platform.callers import gives_up_first
from lambdasim.platform.concurrency import ThrottleReason
from lambdasim.scenario.front_end import ACCEPTED_STATUS, OK_STATUS, TOO_MANY_REQUESTS
from lambdasim.scenario.traffic import TrafficSource

Statuses = npt.NDArray[np.int16]

# There is no answer yet; and there never will be, as the caller has gone.
NOT_ANSWERED, NEVER_ANSWERED = -1, 0


# What who does not wait for the function gets at once: from Lambda, from SQS, from the stream.
_AT_ONCE = {"async": ACCEPTED_STATUS, "sqs": OK_STATUS, "stream": OK_STATUS}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceAnswers:
    """What the callers of each traffic source see, by number of the source. Arrays have shape (n_sources,)."""

    throttle: Statuses
    error: Statuses
    abandoned: Statuses  # NEVER_ANSWERED where the caller itself stops waiting first
    at_once: Statuses  # what the caller of an event gets; NOT_ANSWERED where it waits for the function


def source_answers(sources: Iterable[TrafficSource]) -> SourceAnswers:
    """The answers of each source's front end, or those of Lambda's API."""
    rows = []
    for source in sources:
        front_end, at_once = source.via, _AT_ONCE.get(source.invoke, NOT_ANSWERED)
        if front_end is None:
            rows.append((TOO_MANY_REQUESTS, OK_STATUS, NEVER_ANSWERED, at_once))
        else:
            is_first = gives_up_first(front_end, source.client)
            abandoned = front_end.usual.timeout if is_first else NEVER_ANSWERED
            rows.append((front_end.status_of_throttle, front_end.usual.error, abandoned, at_once))
    throttle, error, abandoned_, at_once_ = np.array(rows, dtype=np.int16).T
    return SourceAnswers(throttle=throttle, error=error, abandoned=abandoned_, at_once=at_once_)


@dataclass(frozen=True, slots=True, kw_only=True)
class Responses:
    """Status that the caller saw of each attempt, by row of the log, and last of each request, by request index."""

    of_invocations: Statuses
    of_throttles: Statuses
    of_requests: Statuses


def responses(log: EventLog, outcomes: RequestOutcomes, answers: SourceAnswers) -> Responses:
    """What the callers saw; NOT_ANSWERED while an attempt or a request is under way."""
    invocations, throttles, abandonments = log.invocations, log.throttles, log.abandonments
    source = log.requests.source[invocations.request]
    seen = np.where(invocations.result == Result.OK, OK_STATUS, answers.error[source]).astype(np.int16)
    seen[invocations.result == Result.RUNNING] = NOT_ANSWERED
    seen[abandoned_rows(log)] = answers.abandoned[log.requests.source[abandonments.request]]
    refused = answers.throttle[log.requests.source[throttles.request]]
    refused = np.where(throttles.reason == ThrottleReason.API_GATEWAY_RATE, TOO_MANY_REQUESTS, refused)

    last = np.full(len(log.requests), NOT_ANSWERED, dtype=np.int16)
    accepted = outcomes.last_invocation != NONE
    last[accepted] = seen[outcomes.last_invocation[accepted]]
    # Rows are sorted by (request, attempt), so that the last refusal of each request stays.
    is_refused = outcomes.outcome[throttles.request] == Outcome.THROTTLED
    last[throttles.request[is_refused]] = refused[is_refused]
    last[outcomes.outcome == Outcome.IN_FLIGHT] = NOT_ANSWERED
    at_once = answers.at_once[log.requests.source]
    last = np.where(at_once == NOT_ANSWERED, last, at_once)
    return Responses(of_invocations=seen, of_throttles=refused.astype(np.int16), of_requests=last)


def counted(statuses: Statuses) -> dict[str, int]:
    """How many of each status, in rising order; ``none`` counts those whose caller went without an answer."""
    values, counts = np.unique(statuses[statuses > NEVER_ANSWERED], return_counts=True)
    table = {str(value): count for value, count in zip(values.tolist(), counts.tolist(), strict=True)}
    return table | {"none": int(np.count_nonzero(statuses == NEVER_ANSWERED))}
