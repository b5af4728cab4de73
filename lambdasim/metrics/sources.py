"""The figures of each traffic source by itself: the block ``sources`` of ``summary.json``, and what pings add to it.

So that users can be told from a warmer, and what a change does for one of them from what it does for all. An attempt
belongs to the source of its request, one with a batch to that of the message that leads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import NOT_YET, EventLog
from lambdasim.metrics.levels import peak
from lambdasim.metrics.outcomes import Outcome, RequestOutcomes
from lambdasim.metrics.summary import Block, grouped, latency_block, outcome_counts
from lambdasim.scenario.traffic import TrafficSource


def tells_more(traffic: Mapping[str, TrafficSource]) -> bool:
    """Whether the figures of each source say more than those of all together: there are several, or one pings."""
    return len(traffic) > 1 or any(source.warmer is not None for source in traffic.values())


def source_blocks(log: EventLog, outcomes: RequestOutcomes) -> dict[str, Block]:
    """The block of each source, in file order."""
    count = len(log.source_names)
    of_requests = grouped(log.requests.source, count)
    of_invocations = grouped(log.requests.source[log.invocations.request], count)
    throttles = np.bincount(log.requests.source[log.throttles.request], minlength=count)
    return {
        name: _block(log, outcomes, of_requests[number], of_invocations[number], int(throttles[number]))
        for number, name in enumerate(log.source_names)
    }


def _block(
    log: EventLog,
    outcomes: RequestOutcomes,
    requests: npt.NDArray[np.intp],
    invoked: npt.NDArray[np.intp],
    throttles: int,
) -> Block:
    cold = int(np.count_nonzero(log.invocations.is_cold[invoked]))
    outcome = outcomes.outcome[requests]
    completed = requests[outcome == Outcome.COMPLETED]
    return {
        "requests": outcome_counts(outcome),
        "throttles": throttles,
        "invocations": len(invoked),
        "cold_starts": cold,
        "cold_start_ratio": cold / len(invoked) if len(invoked) else None,
        "latency_s": latency_block(outcomes.settled_ns[completed] - log.requests.arrival_ns[completed]),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class PingCounts:
    """How much of a run was pings, and how cold it was for all others, who are the users."""

    warmers: tuple[str, ...]  # sources that ping, in file order
    pings: int
    user_requests: int
    user_invocations: int
    user_cold_starts: int


def ping_counts(traffic: Mapping[str, TrafficSource], sources: Mapping[str, Mapping[str, Any]]) -> PingCounts | None:
    """The counts from the blocks of the sources; None where nothing pings."""
    warmers = tuple(name for name, source in traffic.items() if source.warmer is not None)
    if not warmers:
        return None
    users = [block for name, block in sources.items() if name not in warmers]
    return PingCounts(
        warmers=warmers,
        pings=sum(sources[name]["requests"]["total"] for name in warmers),
        user_requests=sum(block["requests"]["total"] for block in users),
        user_invocations=sum(block["invocations"] for block in users),
        user_cold_starts=sum(block["cold_starts"] for block in users),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmedFunction:
    """A function that is pinged and has users as well: how many environments pings hold, and how many users want."""

    name: str
    pings_at_work: int  # most handlers of pings that were at work at once: as many environments come out warm
    users_in_flight: int  # most requests of all other sources that were in flight at once


def warmed_functions(log: EventLog, traffic: Mapping[str, TrafficSource]) -> list[WarmedFunction]:
    """Each such function, in file order. Of pings only the handler counts: inits of the first round overlap anyway."""
    pings = np.array([source.warmer is not None for source in traffic.values()])
    invocations = log.invocations
    is_ping = pings[log.requests.source[invocations.request]]
    at_work = is_ping & (invocations.handler_ns != NOT_YET)
    found = []
    for number, name in enumerate(log.function_names):
        of_function = invocations.function == number
        held, wanted = of_function & at_work, of_function & ~is_ping
        if held.any() and wanted.any():
            found.append(
                WarmedFunction(
                    name=name,
                    pings_at_work=peak(invocations.handler_ns[held], invocations.end_ns[held]),
                    users_in_flight=peak(invocations.admitted_ns[wanted], invocations.end_ns[wanted]),
                )
            )
    return found
