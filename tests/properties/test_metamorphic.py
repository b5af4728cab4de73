"""How a change of the scenario may change the log (MODEL.md sections 5 and 9)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lambdasim.eventlog.log import NOT_YET, EventLog
from tests.builders import log_of
from tests.properties.plans import TICK_MS, FunctionPlan, Plan, SourcePlan, build
from tests.properties.test_conservation import outcomes_of
from tests.properties.timelines import Steps, alive, in_flight
from tests.strategies import functions, plans, rows


def counts_of(log: EventLog) -> dict[str, object]:
    """Every count of a log: no time in it."""
    return {
        "outcomes": [sorted(of_one) for of_one in outcomes_of(log)],
        "throttles": np.column_stack((log.throttles.request, log.throttles.attempt, log.throttles.reason)).tolist(),
        "abandonments": len(log.abandonments),
        "cold": log.invocations.is_cold.tolist(),
        "environments": log.invocations.environment.tolist(),
        "results": log.invocations.result.tolist(),
        "reaped": (log.environments.reaped_ns != NOT_YET).tolist(),
    }


@given(
    plans(has_inits=False, has_resets=False, has_retries=False, has_scaling=False, has_request_rates=False),
    st.integers(1, 3),
)
def test_raising_the_quota_adds_no_throttles(plan: Plan, more: int) -> None:
    """With scaling and request-rate limits off, no retries and no init."""
    before = len(log_of(build(plan)).throttles)
    assert len(log_of(build(replace(plan, shared=plan.shared + more))).throttles) <= before


@given(plans(has_long_inits=False, has_request_rates=False))
def test_slow_motion_leaves_all_counts_as_they_are(plan: Plan) -> None:
    """Every time multiplied by ten, every rate divided by ten; request-rate limits off, inits under the limit."""
    quick, slow = log_of(build(plan)), log_of(build(plan, tick_ms=10 * TICK_MS))
    assert counts_of(slow) == counts_of(quick)


@given(
    plans(has_request_rates=False),
    functions(),
    st.integers(0, 3),
    rows(1),
)
def test_a_function_that_shares_no_limit_does_not_influence_the_others(
    plan: Plan, function: FunctionPlan, reserved: int, its_rows: tuple[object, ...]
) -> None:
    """A function with reserved concurrency and a scaling rate of its own, added behind the others."""
    alone = replace(plan, is_scaling_region_wide=False)
    newcomer = replace(function, reserved=reserved)
    source = SourcePlan(
        function=len(plan.functions), rows=tuple(replace(row, function=None) for row in its_rows), timeout=3
    )
    together = replace(alone, functions=(*alone.functions, newcomer), sources=(*alone.sources, source))
    before, after = log_of(build(alone)), log_of(build(together))
    until = min(before.end_ns, after.end_ns)
    assert history_of(after, len(plan.functions), until) == history_of(before, len(plan.functions), until)


def history_of(log: EventLog, n_functions: int, until: int) -> list[list[tuple[int, ...]]]:
    """What happened to the requests and environments of the first functions, numbered among themselves."""
    mine = log.requests.function < n_functions
    number = np.cumsum(mine) - 1
    home = log.environments.function < n_functions
    birth = np.append(np.cumsum(home) - 1, NOT_YET)  # the last one is for NOT_YET itself

    def happened(times: np.ndarray) -> np.ndarray:
        return np.where(times > until, NOT_YET, times)

    def rows_of(keep: np.ndarray, *columns: np.ndarray) -> list[tuple[int, ...]]:
        return list(zip(*(column[keep].tolist() for column in columns), strict=True))

    invocations, throttles, environments = log.invocations, log.throttles, log.environments
    given_up = log.abandonments
    return [
        rows_of(mine, log.requests.arrival_ns, log.requests.source),
        rows_of(
            mine[invocations.request] & (invocations.admitted_ns <= until),
            number[invocations.request],
            invocations.attempt,
            invocations.admitted_ns,
            happened(invocations.handler_ns),
            happened(invocations.end_ns),
            np.where(happened(invocations.handler_ns) == NOT_YET, NOT_YET, birth[invocations.environment]),
            invocations.is_cold & (happened(invocations.handler_ns) != NOT_YET),
        ),
        rows_of(
            mine[throttles.request] & (throttles.time_ns <= until),
            number[throttles.request],
            throttles.attempt,
            throttles.time_ns,
            throttles.reason,
        ),
        rows_of(mine[given_up.request] & (given_up.time_ns <= until), number[given_up.request], given_up.time_ns),
        rows_of(
            home & (environments.created_ns <= until),
            environments.function,
            environments.created_ns,
            environments.init_ns,
            happened(environments.reaped_ns),
        ),
    ]


@given(plans(has_resets=False), st.integers(1, 9))
def test_environments_alive_are_the_peak_concurrency_of_the_last_idle_timeout(plan: Plan, timeout: int) -> None:
    """bound, mru, a fixed idle timeout T, no max age, no resets: alive at t = max concurrency over (t - T, t]."""
    made = replace(
        plan,
        functions=tuple(
            replace(one, is_eager=False, is_mru=True, idle_timeout=timeout, max_age=None, init=one.init % 5)
            for one in plan.functions
        ),
    )
    log = log_of(build(made))
    timeout_ns = timeout * TICK_MS * 10**6
    for function in range(len(made.functions)):
        concurrency, living = Steps(in_flight(log, [function])), Steps(alive(log, function))
        # Nothing of the log reaches beyond its end, so concurrency there is that of what still runs.
        instants = {time + shift for time in (*concurrency.times, *living.times) for shift in (-1, 0, 1)}
        for time in sorted(instant for instant in instants if 0 <= instant < log.end_ns):
            assert living.at(time) == concurrency.peak_within(time - timeout_ns, time)
