"""Messages in front of a function against Erlang C: M/M/c, the waiting system.

Idealised: Poisson arrivals, exponential durations, no delay, batches of one, as many at once as the mapping may have.
"""

from __future__ import annotations

import numpy as np
import pytest

from lambdasim import theory
from lambdasim.eventlog.log import EventLog
from lambdasim.scenario.schema import Scenario
from tests.builders import scenario
from tests.statistical.z_score import AGREES, DIFFERS, replications, z_score

SERVERS, RATE = 8, 6
WARM_UP_NS = 60 * 10**9
REPLICATIONS = 20


def queue_in_front(*, servers: int = SERVERS, duration: str = "1s") -> Scenario:
    """6 messages a second for ``servers`` batches of one message at once, which take 1 s on average."""
    mapping = {"function": "f", "batch_size": 1, "scaling": "unlimited", "maximum_concurrency": servers}
    return scenario(
        functions={"f": {"duration": {"exponential": {"mean": duration}}}},
        queues={"q": {"visibility_timeout": "12h", "event_source_mapping": mapping}},
        traffic={"t": {"invoke": "sqs", "queue": "q", "function": "f", "rate": f"{RATE}/s"}},
        duration="1500s",
        drain="0s",
    )


def waits_ns(log: EventLog) -> np.ndarray:
    """Time from the sending of each message to its admission; of those that came after the warm-up and had time."""
    rows = log.invocations.request[np.argsort(log.invocations.request)]
    sent = log.requests.arrival_ns[rows]
    counts = (sent >= WARM_UP_NS) & (sent < log.end_ns - WARM_UP_NS)
    admitted = log.invocations.admitted_ns[np.argsort(log.invocations.request)]
    return np.asarray((admitted - sent)[counts])


def share_that_waits(log: EventLog) -> float:
    """Share of the messages that were not received at once."""
    return float((waits_ns(log) > 0).mean())


def mean_wait(log: EventLog) -> float:
    """In seconds, over all messages."""
    return float(waits_ns(log).mean() / 1e9)


def test_the_share_that_waits_is_erlang_c() -> None:
    """Load 6 on 8: 35.7 % wait. Mutants: a ninth place, and durations 5 % longer."""
    expected = theory.erlang_c(SERVERS, RATE)
    assert expected == pytest.approx(0.357, abs=0.001)
    what = "share of the messages that wait"
    ideal = replications(queue_in_front(), share_that_waits, REPLICATIONS)
    assert abs(z_score(ideal, expected, what, unit="%")) < AGREES
    more = replications(queue_in_front(servers=9), share_that_waits, REPLICATIONS)
    assert z_score(more, expected, what, unit="%", mutant="nine places") < -DIFFERS
    longer = replications(queue_in_front(duration="1050ms"), share_that_waits, REPLICATIONS)
    assert z_score(longer, expected, what, unit="%", mutant="durations 5 % longer") > DIFFERS


def test_the_mean_wait_is_that_of_the_waiting_system() -> None:
    """Load 6 on 8 places of 1 s: C / (8 - 6) = 178 ms. Mutant: seven places."""
    expected = theory.mean_wait_s(SERVERS, RATE, 1.0)
    assert expected == pytest.approx(0.178, abs=0.001)
    what = "wait of a message, mean"
    assert abs(z_score(replications(queue_in_front(), mean_wait, REPLICATIONS), expected, what, unit="s")) < AGREES
    fewer = replications(queue_in_front(servers=7), mean_wait, REPLICATIONS)
    assert z_score(fewer, expected, what, unit="s", mutant="seven places") > DIFFERS
