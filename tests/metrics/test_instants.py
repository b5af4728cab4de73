"""How things stand at given instants."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lambdasim import load
from lambdasim.eventlog.log import EventLog
from lambdasim.metrics.instants import State, Waiting, counts_at, so_far, states_at, waiting_at
from lambdasim.metrics.outcomes import request_outcomes
from tests.builders import log_of, run, trace

SCENARIOS = Path(__file__).parents[2] / "scenarios"

# Three requests at 0 on a quota of 2: two work from 0.5 s, when their inits are over, to 1.5 s, the third is refused.
THREE: dict[str, Any] = {
    "rows": [0, 0, 0],
    "functions": {"f": {"init": "500ms", "idle_timeout": "2s"}},
    "region": {"concurrency_quota": 2},
    "duration": "20s",
}


def ns(*times_s: float) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Times in ns."""
    return np.array([round(time_s * 1e9) for time_s in times_s], dtype=np.int64)


def waiting(log: EventLog, *times_s: float) -> Waiting:
    """Who waits at these times."""
    return waiting_at(log, request_outcomes(log), ns(*times_s))


def test_an_environment_goes_through_its_states() -> None:
    """Both initialise from 0, work from 0.5 s, are idle from 1.5 s, and gone 2 s later; there never was a third."""
    log = run(**THREE)
    states = states_at(log, np.array([0, 2]), 3, ns(0, 0.499, 0.5, 1.499, 1.5, 3.499, 3.5, 9))
    course = [State.INITIALISING] * 2 + [State.BUSY] * 2 + [State.IDLE] * 2 + [State.GONE] * 2
    assert states[:, 0].tolist() == states[:, 2].tolist() == course
    assert states[:, 1].tolist() == [State.NONE] * 8


def test_a_place_is_used_again() -> None:
    """The second environment, at 10 s, is where the first was until 3.5 s."""
    log = run(**{**THREE, "rows": [0, 10]})
    states = states_at(log, np.array([0, 0]), 1, ns(1, 2, 5, 10.2, 11))
    assert states[:, 0].tolist() == [State.BUSY, State.IDLE, State.GONE, State.INITIALISING, State.BUSY]


def test_what_is_at_work_when_the_run_ends_stays_so() -> None:
    """A request of a minute in a run that is cut off: its environment is busy at the last instant too."""
    log = run(**{**THREE, "rows": [(0, 60)], "drain": "0s", "duration": "5s"})
    assert states_at(log, np.array([0]), 1, ns(log.end_ns / 1e9))[:, 0].tolist() == [State.BUSY]


def test_what_is_idle_when_the_run_ends_is_not_gone() -> None:
    """An environment that is kept for ever has nothing to do from 1 s to the end at 5 s."""
    log = run(rows=[0], duration="5s")
    assert states_at(log, np.array([0]), 1, ns(0.5, 4, log.end_ns / 1e9))[:, 0].tolist() == [
        State.BUSY,
        State.IDLE,
        State.IDLE,
    ]


def test_who_still_waits_for_an_init_when_the_run_ends_does_so_to_the_end() -> None:
    """The init takes 9 s, the run 5 s."""
    log = run(rows=[1], functions={"f": {"init": "9s"}}, duration="5s", drain="0s")
    assert waiting(log, 0.5, 1, 5).environment.tolist() == [0, 1, 1]


def test_counts_by_hand() -> None:
    """Two initialise from 0, work from 0.5 s, are idle from 1.5 s and gone at 3.5 s."""
    counts = counts_at(run(**THREE), ns(0, 0.5, 1.5, 3.5))
    assert counts[State.INITIALISING].tolist() == [2, 0, 0, 0]
    assert counts[State.BUSY].tolist() == [0, 2, 0, 0]
    assert counts[State.IDLE].tolist() == [0, 0, 2, 0]
    assert counts[State.GONE].tolist() == [0, 0, 0, 2]


@pytest.mark.parametrize("name", ["idle-timeout", "deployment", "incident", "scheduled-scaling", "async-throttled"])
def test_counts_are_those_of_the_states(name: str) -> None:
    """Each environment in a place of its own: as many of each state as counted, at a thousand instants of the run."""
    log = log_of(load(SCENARIOS / f"{name}.yaml"))
    times_ns = np.linspace(0, log.end_ns, 1_000).astype(np.int64)
    environments = len(log.environments.created_ns)
    states = states_at(log, np.arange(environments), environments, times_ns)
    counts = counts_at(log, times_ns)
    assert set(counts) == set(State) - {State.NONE}
    for state, count in counts.items():
        assert count.tolist() == (states == state).sum(axis=1).tolist()
        assert count.any() or state == State.GONE


def test_accepted_requests_wait_for_their_environment() -> None:
    """Two until 0.5 s; who is refused does not wait."""
    assert waiting(run(**THREE), 0, 0.499, 0.5).environment.tolist() == [2, 2, 0]


def test_callers_wait_between_two_attempts() -> None:
    """Refused at 0 and, a second later, at 1 s, when both still work; two seconds later it is accepted."""
    retrying = {"retry": {"max_attempts": 3, "base": "1s", "jitter": "none"}}
    log = run(**THREE, client=retrying)
    assert waiting(log, 0, 0.5, 2.9, 3, 3.9).retry.tolist() == [1, 1, 1, 0, 0]


def test_a_caller_who_gave_up_waits_for_the_next_attempt_while_the_invocation_goes_on() -> None:
    """The work takes 5 s, the patience 1 s, the next attempt comes at 2 s: between 1 and 2 s the caller waits."""
    client = {"timeout": "1s", "retry": {"max_attempts": 2, "base": "1s", "jitter": "none"}}
    log = run(rows=[(0, 5)], client=client, duration="20s")
    assert waiting(log, 0.5, 1, 1.9, 2, 2.5, 4).retry.tolist() == [0, 1, 1, 0, 0, 0]


def test_events_wait_in_their_queue() -> None:
    """One place for two events at 0: one works for a second, the other waits and is tried again after a second."""
    log = run(
        functions={"f": {"reserved_concurrency": 1}},
        traffic={"t": {"function": "f", "invoke": "async", "trace": trace([0, 0])}},
        duration="100s",
    )
    found = waiting(log, 0.5, 90)
    assert (found.event_queue.tolist(), found.retry.tolist()) == ([1, 0], [0, 0])


def test_messages_stay_in_their_queue_until_they_are_done() -> None:
    """A message is there while its invocation runs, and is no caller that waits for a retry."""
    log = run(
        functions={"f": {"duration": "10s"}},
        queues={"q": {"event_source_mapping": {"function": "f", "batch_size": 1}}},
        traffic={"t": {"invoke": "sqs", "queue": "q", "function": "f", "trace": trace([0, 0, 0])}},
        duration="100s",
    )
    found = waiting(log, 0, 5, 90)
    assert (found.messages.tolist(), found.retry.tolist()) == ([3, 3, 0], [0, 0, 0])


def test_so_far_counts_the_instant_itself() -> None:
    """Moments need no order."""
    assert so_far(ns(3, 1, 1), ns(0, 1, 2, 3)).tolist() == [0, 2, 2, 3]
