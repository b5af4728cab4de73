"""What must always hold of a log (MODEL.md section 9), whatever the scenario.

One test, so that each plan is run once; its parts are functions of their own.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from unittest.mock import patch

import numpy as np
from hypothesis import given, settings

from lambdasim.engine.reference.virtual_users import User, VirtualUsers
from lambdasim.eventlog.log import NOT_YET, EventLog, Result
from lambdasim.platform.async_retry import DropReason
from lambdasim.workload.virtual_users import ordinal
from lambdasim.workload.workload import Request
from tests.properties.engine_runs import EngineRun, run_on_engine
from tests.properties.plans import Plan, source_name
from tests.properties.timelines import Steps, in_flight
from tests.strategies import event_plans, modern_plans


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
    dropped, events = log.drops.request.tolist(), set(events_of(log))
    outcomes = []
    for request, attempts in enumerate(attempts_of(log)):
        last, fate, row = attempts[-1] if attempts else (0, "none yet", -1)
        is_event = request in events
        is_abandoned = (request, last) in abandoned
        result = Result(log.invocations.result[row]) if fate == "accepted" else None
        is_pending = bool(log.requests.is_pending[request])
        is_failure = result in (Result.ERROR, Result.CRASH, Result.TIMEOUT)
        holds = {
            "in_flight": is_pending or (result is Result.RUNNING and not is_abandoned),
            "throttled": not is_event and result is None and not is_pending,
            "timed_out_client": is_abandoned and not is_pending,
            "completed": result is Result.OK and not is_abandoned,
            "failed": not is_event and is_failure and not is_abandoned and not is_pending,
            "dropped": request in dropped,
        }
        outcomes.append({name for name, is_so in holds.items() if is_so})
    return outcomes


def events_of(log: EventLog) -> list[int]:
    """The requests that are asynchronous events."""
    return [request for request, source in enumerate(log.requests.source) if log.source_invokes[source] == "async"]


@settings(max_examples=120)
@given(modern_plans())
def test_what_always_holds(plan: Plan) -> None:
    """Of every log, and of what is derived from it."""
    made, turns = run_with_turns(plan)
    assert_what_always_holds(plan, made)
    a_virtual_user_waits_and_thinks(made, turns)


@given(event_plans() | event_plans(has_slow_downs=True))
def test_what_always_holds_of_events(plan: Plan) -> None:
    """All of it, and what Lambda promises of its queue."""
    made = run_on_engine(plan)
    assert_what_always_holds(plan, made)
    no_event_is_lost(made)
    an_event_is_tried_until_its_maximum_age_and_no_longer(plan, made.log)
    an_event_has_one_invocation_at_a_time(made.log)
    an_event_is_dropped_for_a_reason(plan, made.log)


def assert_what_always_holds(plan: Plan, made: EngineRun) -> None:
    """Whoever sends the requests."""
    every_request_has_exactly_one_outcome(made)
    every_attempt_is_either_an_invocation_or_a_throttle(made)
    every_settled_request_has_one_response(made)
    concurrency_was_never_above_the_limit_in_force(plan, made.log)
    an_environment_serves_one_invocation_at_a_time(made.log)
    the_life_of_an_invocation_is_in_order(made.log)
    the_integral_of_concurrency_is_the_time_spent(made.log)
    the_run_ends_when_nothing_is_left_or_the_drain_is_over(made)


def run_with_turns(plan: Plan) -> tuple[EngineRun, list[tuple[int, int, int, int]]]:
    """A run, and (source, user, round, request) of every request of a virtual user, which no log tells."""
    turns = []
    make = VirtualUsers._request

    def noted(users: VirtualUsers, now_ns: int, user: User) -> Request:
        request = make(users, now_ns, user)
        turns.append((request[2], user.number, user.round, request[0]))
        return request

    with patch.object(VirtualUsers, "_request", noted):
        return run_on_engine(plan), sorted(turns)


def every_request_has_exactly_one_outcome(made: EngineRun) -> None:
    """requests = the sum of their outcomes, and the summary counts the same ones."""
    outcomes = outcomes_of(made.log)
    assert all(len(of_one) == 1 for of_one in outcomes)
    counts = dict(made.run.summary["requests"])
    assert counts.pop("total") == len(made.log.requests) == sum(counts.values())
    assert Counter(counts) == Counter(name for of_one in outcomes for name in of_one)


def every_attempt_is_either_an_invocation_or_a_throttle(made: EngineRun) -> None:
    """throttles = attempts - invocations, and the attempts of a request count from 1 without a gap."""
    log, summary = made.log, made.run.summary
    for attempts in attempts_of(log):
        assert [number for number, _, _ in attempts] == list(range(1, len(attempts) + 1))
    total = sum(map(len, attempts_of(log)))
    assert total == len(log.invocations) + len(log.throttles) == summary["attempts"]["total"]
    assert len(log.throttles) == summary["attempts"]["total"] - summary["invocations"]["total"]
    assert len(log.throttles) == sum(summary["attempts"]["throttles_by_reason"].values())


def every_settled_request_has_one_response(made: EngineRun) -> None:
    """A status, or the certainty that there will be none; who sent an event has its status at once."""
    summary = made.run.summary
    waiting = summary["requests"]["in_flight"] - (summary["async"]["in_flight"] if "async" in summary else 0)
    assert sum(summary["responses"].values()) == summary["requests"]["total"] - waiting


def concurrency_was_never_above_the_limit_in_force(plan: Plan, log: EventLog) -> None:
    """At each admission: in the whole account, in each reservation, and in what the others share.

    What was admitted counts in the pool that admitted it, which a log tells by the reservations of that instant. A cut
    stops nothing, so that only those pools are looked at that admit something.
    """
    pools = []
    function = log.requests.function[log.invocations.request].tolist()
    spans = list(zip(log.invocations.admitted_ns.tolist(), log.clipped_end_ns.tolist(), strict=True))
    for number, (admitted, _) in zip(function, spans, strict=True):
        pools.append(None if limits_at(plan, admitted)[1][number] is None else number)
    for pool, admitted in {(pool, admitted) for pool, (admitted, _) in zip(pools, spans, strict=True)}:
        quota, reserved = limits_at(plan, admitted)
        limit = quota - sum(units or 0 for units in reserved) if pool is None else reserved[pool]
        inside = [start <= admitted < end for start, end in spans]
        assert limit is not None
        assert sum(inside[row] and pools[row] == pool for row in range(len(spans))) <= limit
    if not any(change.quota is not None or change.reserved for change in plan.changes):
        assert Steps(in_flight(log)).peak <= plan.quota


def limits_at(plan: Plan, time_ns: int) -> tuple[int, list[int | None]]:
    """Quota and reservations in force for what is admitted at one time."""
    quota, reserved = plan.quota, [function.reserved for function in plan.functions]
    for _, change in plan.changes_in_time:
        if change.at * plan.tick_ns <= time_ns:
            quota = quota if change.quota is None else change.quota
            for function, units in change.reserved:
                reserved[function] = units
    return quota, reserved


def an_environment_serves_one_invocation_at_a_time(log: EventLog) -> None:
    """The handlers of one environment do not overlap, and all lie between the end of its init and its end."""
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


def the_life_of_an_invocation_is_in_order(log: EventLog) -> None:
    """arrival <= admitted <= start of handler < end <= end of the run, where these have happened."""
    arrival = log.requests.arrival_ns[log.invocations.request]
    assert (arrival <= log.invocations.admitted_ns).all()
    started, ended = log.invocations.handler_ns != NOT_YET, log.invocations.end_ns != NOT_YET
    assert (log.invocations.admitted_ns[started] <= log.invocations.handler_ns[started]).all()
    assert not (ended & ~started).any()
    assert (log.invocations.handler_ns[ended] < log.invocations.end_ns[ended]).all()
    assert (log.invocations.end_ns <= log.end_ns).all()
    assert (ended == (log.invocations.result != Result.RUNNING)).all()


def the_integral_of_concurrency_is_the_time_spent(log: EventLog) -> None:
    """The time integral of concurrency = the sum over invocations of (end - admitted), exactly, over the whole run."""
    spent = (log.clipped_end_ns - log.invocations.admitted_ns).sum()
    assert Steps(in_flight(log)).integral == spent


def the_run_ends_when_nothing_is_left_or_the_drain_is_over(made: EngineRun) -> None:
    """Before duration + drain the run ends only with nothing running and no retry to come."""
    scenario, log = made.scenario, made.log
    assert scenario.duration <= log.end_ns <= scenario.duration + scenario.drain
    assert (log.requests.arrival_ns < scenario.duration).all()
    if log.end_ns < scenario.duration + scenario.drain:
        assert not log.requests.is_pending.any()
        assert (log.invocations.end_ns != NOT_YET).all()


def no_event_is_lost(made: EngineRun) -> None:
    """received = completed + dropped + in flight; an event of which nothing is known would have no outcome at all."""
    log, counts = made.log, made.run.summary["async"]
    outcomes, events = outcomes_of(log), events_of(log)
    of_events = Counter(name for request in events for name in outcomes[request])
    assert all(len(outcomes[request]) == 1 for request in events)
    assert set(of_events) <= {"completed", "dropped", "in_flight"}
    assert counts["received"] == len(events) == counts["completed"] + counts["dropped"] + counts["in_flight"]
    assert Counter({name: counts[name] for name in ("completed", "dropped", "in_flight")}) == of_events
    dropped = log.drops.request.tolist()
    assert dropped == sorted(set(dropped)) == [request for request in events if outcomes[request] == {"dropped"}]
    assert counts["dropped"] == sum(counts["dropped_by_reason"].values())
    assert not set(log.abandonments.request.tolist()) & set(events)


def an_event_is_tried_until_its_maximum_age_and_no_longer(plan: Plan, log: EventLog) -> None:
    """Every attempt counts from the arrival in the queue; whatever is older is dropped by the end of the run."""
    events = set(events_of(log))
    for table, times in ((log.invocations, log.invocations.admitted_ns), (log.throttles, log.throttles.time_ns)):
        for request, time in zip(table.request.tolist(), times.tolist(), strict=True):
            assert request not in events or time <= last_try_ns(plan, log, request)


def last_try_ns(plan: Plan, log: EventLog, request: int) -> int:
    """The last instant at which an event may be tried."""
    made = plan.functions[log.requests.function[request]].events
    assert made is not None
    return int(log.requests.arrival_ns[request]) + made.max_age * plan.tick_ns


def an_event_has_one_invocation_at_a_time(log: EventLog) -> None:
    """The queue tries an event again only when it has its answer."""
    events = events_of(log)
    for request in events:
        mine = log.invocations.request == request
        answered = [0, *log.clipped_end_ns[mine].tolist()]
        assert (log.invocations.admitted_ns[mine] >= answered[:-1]).all()
        for time, attempt in zip(*refusals_of(log, request), strict=True):
            before = log.invocations.attempt[mine] < attempt
            assert (log.clipped_end_ns[mine][before] <= time).all()


def refusals_of(log: EventLog, request: int) -> tuple[list[int], list[int]]:
    """(times, attempts) of the throttles of one request."""
    mine = log.throttles.request == request
    return log.throttles.time_ns[mine].tolist(), log.throttles.attempt[mine].tolist()


def an_event_is_dropped_for_a_reason(plan: Plan, log: EventLog) -> None:
    """The drop comes with the last attempt, after one failure more than retries, or while the function is stopped."""
    attempts = attempts_of(log)
    columns = (log.drops.request, log.drops.attempt, log.drops.time_ns, log.drops.reason)
    for request, attempt, time, code in zip(*(column.tolist() for column in columns), strict=True):
        reason, function = DropReason(code), int(log.requests.function[request])
        made = plan.functions[function].events
        assert made is not None
        failed = [row for _, fate, row in attempts[request] if fate == "accepted"]
        assert attempt == len(attempts[request])
        assert (log.invocations.result[failed] != Result.OK).all()
        assert (reason is DropReason.RETRIES_EXHAUSTED) == (len(failed) > made.retries)
        if reason is DropReason.RETRIES_EXHAUSTED:
            assert time == log.invocations.end_ns[failed[-1]]
        elif reason is DropReason.ZERO_RESERVED_CONCURRENCY:
            assert limits_at(plan, time)[1][function] == 0
        else:
            # The next try would be too late: after an error by two minutes, after a throttle by five at most.
            assert time + 300 * 10**9 > last_try_ns(plan, log, request)


def a_virtual_user_waits_and_thinks(made: EngineRun, turns: list[tuple[int, int, int, int]]) -> None:
    """Its next request comes once the last one is settled and it has thought; all of a source are of its users."""
    arrival_ns, settled_ns = made.log.requests.arrival_ns, made.run.outcomes.settled_ns
    for (source, user, round_, request), (*next_user, next_round, following) in pairwise(turns):
        if (source, user) == tuple(next_user):
            assert next_round == round_ + 1
            assert settled_ns[request] != NOT_YET
            think_ns = made.workload.draws.think_time(source_name(source), ordinal(user, round_))
            assert arrival_ns[following] >= settled_ns[request] + think_ns
    of_users = np.isin(made.log.requests.source, list(made.workload.user_activity))
    assert np.flatnonzero(of_users).tolist() == sorted(request for *_, request in turns)
