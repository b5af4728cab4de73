"""What must always hold of a log (MODEL.md section 9), whatever the scenario."""

from __future__ import annotations

import numpy as np
from hypothesis import given

from lambdasim.eventlog.log import NOT_YET, EventLog, Result
from tests.builders import log_of
from tests.properties.plans import Plan, build
from tests.properties.timelines import Steps, in_flight
from tests.strategies import plans


def attempts_of(log: EventLog) -> list[list[tuple[int, str, int]]]:
    """(attempt, fate, row) of every attempt of each request, in order; the fate is accepted or throttled."""
    attempts: list[list[tuple[int, str, int]]] = [[] for _ in range(len(log.requests))]
    for fate, table in (("accepted", log.invocations), ("throttled", log.throttles)):
        for row, (request, attempt) in enumerate(zip(table.request.tolist(), table.attempt.tolist(), strict=True)):
            attempts[request].append((attempt, fate, row))
    return [sorted(of_one) for of_one in attempts]


def outcomes_of(log: EventLog) -> list[set[str]]:
    """Every outcome that the columns of the log give each request; the model says that it is exactly one."""
    abandoned = set(zip(log.abandonments.request.tolist(), log.abandonments.attempt.tolist(), strict=True))
    outcomes = []
    for request, attempts in enumerate(attempts_of(log)):
        last, fate, row = attempts[-1]
        is_abandoned = (request, last) in abandoned
        result = Result(log.invocations.result[row]) if fate == "accepted" else None
        is_pending = bool(log.requests.is_pending[request])
        holds = {
            "in_flight": is_pending or (result is Result.RUNNING and not is_abandoned),
            "throttled": result is None and not is_pending,
            "timed_out_client": is_abandoned and not is_pending,
            "completed": result is Result.OK and not is_abandoned,
            "failed": result in (Result.ERROR, Result.CRASH, Result.TIMEOUT) and not is_abandoned,
        }
        outcomes.append({name for name, is_so in holds.items() if is_so})
    return outcomes


@given(plans())
def test_every_request_has_exactly_one_outcome(plan: Plan) -> None:
    """requests = the sum of their outcomes."""
    assert all(len(of_one) == 1 for of_one in outcomes_of(log_of(build(plan))))


@given(plans())
def test_every_attempt_is_either_an_invocation_or_a_throttle(plan: Plan) -> None:
    """throttles = attempts - invocations, and the attempts of a request count from 1 without a gap."""
    log = log_of(build(plan))
    for attempts in attempts_of(log):
        assert [number for number, _, _ in attempts] == list(range(1, len(attempts) + 1))
    assert sum(map(len, attempts_of(log))) == len(log.invocations) + len(log.throttles)


@given(plans())
def test_concurrency_never_exceeds_its_limits(plan: Plan) -> None:
    """Peak concurrency <= quota, of a function <= its reserved concurrency, of the others <= what is unreserved."""
    log = log_of(build(plan))
    assert Steps(in_flight(log)).peak <= plan.quota
    for index, function in enumerate(plan.functions):
        if function.reserved is not None:
            assert Steps(in_flight(log, [index])).peak <= function.reserved
    sharing = [index for index, function in enumerate(plan.functions) if function.reserved is None]
    assert Steps(in_flight(log, sharing)).peak <= plan.shared


@given(plans())
def test_an_environment_serves_one_invocation_at_a_time(plan: Plan) -> None:
    """The handlers of one environment do not overlap, and all lie between the end of its init and its end."""
    log = log_of(build(plan))
    ready = log.environments.created_ns + log.environments.init_ns
    for environment in range(len(log.environments)):
        mine = (log.invocations.environment == environment) & (log.invocations.handler_ns != NOT_YET)
        starts, ends = log.invocations.handler_ns[mine], log.clipped_end_ns[mine]
        order = np.argsort(starts)
        assert (starts[order][1:] >= ends[order][:-1]).all()
        assert (starts >= ready[environment]).all()
        if log.environments.reaped_ns[environment] != NOT_YET:
            assert (ends <= log.environments.reaped_ns[environment]).all()
        assert log.invocations.is_cold[mine].sum() <= 1


@given(plans())
def test_the_life_of_an_invocation_is_in_order(plan: Plan) -> None:
    """arrival <= admitted <= start of handler < end <= end of the run, where these have happened."""
    log = log_of(build(plan))
    arrival = log.requests.arrival_ns[log.invocations.request]
    assert (arrival <= log.invocations.admitted_ns).all()
    started, ended = log.invocations.handler_ns != NOT_YET, log.invocations.end_ns != NOT_YET
    assert (log.invocations.admitted_ns[started] <= log.invocations.handler_ns[started]).all()
    assert not (ended & ~started).any()
    assert (log.invocations.handler_ns[ended] < log.invocations.end_ns[ended]).all()
    assert (log.invocations.end_ns <= log.end_ns).all()
    assert (ended == (log.invocations.result != Result.RUNNING)).all()


@given(plans())
def test_the_integral_of_concurrency_is_the_time_spent(plan: Plan) -> None:
    """The time integral of concurrency = the sum over invocations of (end - admitted), exactly, over the whole run."""
    log = log_of(build(plan))
    spent = (log.clipped_end_ns - log.invocations.admitted_ns).sum()
    assert Steps(in_flight(log)).integral == spent


@given(plans())
def test_the_run_ends_when_nothing_is_left_or_the_drain_is_over(plan: Plan) -> None:
    """Before duration + drain the run ends only with nothing running and no retry to come."""
    made = build(plan)
    log = log_of(made)
    assert made.duration <= log.end_ns <= made.duration + made.drain
    if log.end_ns < made.duration + made.drain:
        assert not log.requests.is_pending.any()
        assert (log.invocations.end_ns != NOT_YET).all()
