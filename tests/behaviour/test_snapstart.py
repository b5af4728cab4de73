"""SnapStart: new environments are restored, in the place of an init, and a restore over 10 s fails."""

from __future__ import annotations

import pytest

from lambdasim.platform.lifecycle import INIT_LIMIT_NS, RESTORE_LIMIT_NS, init_phase_ns
from tests.behaviour.timeline import (
    COLD,
    CRASH,
    OK,
    RUNNING,
    TIMEOUT,
    WARM,
    attempt_times,
    cold,
    end_s,
    environments,
    invocations,
    refusals,
    spans,
)
from tests.builders import run, trace

# Restores as long as it takes; a trace that has an init for a request means the restore.
SNAPSTART = {"runtime": "java21", "snapstart": {"restore": "2s"}}
TOO_SLOW = {"runtime": "java21", "snapstart": {"restore": "11s"}}


class TestRestore:
    """It takes the place of the init."""

    @pytest.mark.parametrize("assignment", ["eager", "bound"])
    def test_a_new_environment_restores(self, assignment: str) -> None:
        """Init 7 s was before the run: restored in 2 s, handler [2, 3]. A cold start, whose init_s is the restore."""
        log = run(functions={"f": {**SNAPSTART, "init": "7s", "assignment": assignment}}, rows=[0])
        assert invocations(log) == [(0, 1, 0, 2, 3, 0, OK, COLD)]
        assert environments(log) == [("f", 0, 2, None)]
        assert log.environments.init_ns.tolist() == [2 * 10**9]

    def test_the_sandbox_comes_before_it(self) -> None:
        """Sandbox 1 s, restore 2 s."""
        assert spans(run(functions={"f": {**SNAPSTART, "sandbox": "1s"}}, rows=[0])) == [(0, 3, 4)]

    def test_the_init_of_a_trace_is_the_restore(self) -> None:
        """4 s for this request."""
        assert spans(run(functions={"f": SNAPSTART}, rows=[(0, 1, 4)])) == [(0, 4, 5)]

    def test_a_reset_environment_restores_again(self) -> None:
        """Crashed at 3; the next invocation takes 2 + 1 s, within its duration, and is not cold."""
        log = run(functions={"f": {**SNAPSTART, "errors": {"crash": "100%"}}}, rows=[0, 10])
        assert invocations(log) == [(0, 1, 0, 2, 3, 0, CRASH, COLD), (1, 1, 10, 10, 13, 0, CRASH, WARM)]

    def test_the_same_draws_as_an_init(self) -> None:
        """A restore of the same distribution takes the same times: only the word differs."""
        times = {"uniform": ["1s", "5s"]}
        restored = run(functions={"f": {"runtime": "java21", "snapstart": {"restore": times}}}, rows=[0, 1, 20])
        assert invocations(restored) == invocations(run(functions={"f": {"init": times}}, rows=[0, 1, 20]))


class TestLimit:
    """AWS: restore and hooks have 10 s; then SnapStartTimeoutException (runtime-environment page)."""

    @pytest.mark.parametrize("assignment", ["eager", "bound"])
    def test_who_waits_for_the_environment_ends_with_it(self, assignment: str) -> None:
        """At 10 the environment is gone, and the invocation ends without a moment of work."""
        log = run(functions={"f": {**TOO_SLOW, "assignment": assignment}}, rows=[0])
        assert invocations(log) == [(0, 1, 0, 10, 10, 0, TIMEOUT, WARM)]
        assert environments(log) == [("f", 0, 10, 10)]
        assert log.environments.init_ns.tolist() == [10 * 10**9]

    def test_a_restore_of_exactly_10_s_is_not_over_it(self) -> None:
        """The handler starts at 10."""
        log = run(functions={"f": {**TOO_SLOW, "snapstart": {"restore": "10s"}}}, rows=[0])
        assert invocations(log) == [(0, 1, 0, 10, 11, 0, OK, COLD)]

    def test_a_restore_a_nanosecond_over_it_fails(self) -> None:
        """Unlike an init, it is not done again in the invocation."""
        log = run(functions={"f": {**TOO_SLOW, "snapstart": {"restore": "10.000000001s"}}}, rows=[0])
        assert invocations(log) == [(0, 1, 0, 10, 10, 0, TIMEOUT, WARM)]

    def test_it_is_that_of_an_init(self) -> None:
        """The phase ends at the same limit, whichever it is; what follows differs."""
        assert RESTORE_LIMIT_NS == INIT_LIMIT_NS == init_phase_ns(RESTORE_LIMIT_NS + 1)

    def test_the_sandbox_is_no_part_of_it(self) -> None:
        """Sandbox 3 s, restore 10 s: the handler starts at 13. Restore 11 s: given up at 13."""
        assert spans(run(functions={"f": {**SNAPSTART, "sandbox": "3s"}}, rows=[(0, 1, 10)])) == [(0, 13, 14)]
        assert spans(run(functions={"f": {**SNAPSTART, "sandbox": "3s"}}, rows=[(0, 1, 11)])) == [(0, 13, 13)]

    def test_its_concurrency_is_free_at_that_instant(self) -> None:
        """Quota 1: refused at 9, accepted at 10, when environment 0 has gone; its own is restored in 2 s."""
        log = run(
            functions={"f": SNAPSTART}, region={"concurrency_quota": 1}, rows=[(0, 1, 11), (9, 1, 11), (10, 1, 2)]
        )
        assert refusals(log) == [(9, "account_concurrency")]
        assert spans(log) == [(0, 10, 10), (1, 12, 13)]

    def test_eager_the_head_of_the_line_ends(self) -> None:
        """Environments of 11, 5 and 12 s from 0, 1 and 2. At 6 environment 1 takes request 0, for 30 s.

        At 10 environment 0 fails: request 1 has waited for longest, and ends. At 12 environment 2 fails with request 2.
        """
        log = run(functions={"f": SNAPSTART}, rows=[(0, 30, 11), (1, 1, 5), (2, 1, 12)])
        assert invocations(log) == [
            (0, 1, 0, 6, 36, 1, OK, COLD),
            (1, 1, 1, 10, 10, 0, TIMEOUT, WARM),
            (2, 1, 2, 12, 12, 2, TIMEOUT, WARM),
        ]
        assert [row.reaped for row in environments(log)] == [10, None, 12]

    def test_eager_nobody_waits_any_more(self) -> None:
        """Environment 1 takes request 0 at 3 and request 1 at 4; environment 0 fails at 10, for nobody."""
        log = run(functions={"f": SNAPSTART}, rows=[(0, 1, 11), (1, 1, 2)])
        assert spans(log) == [(1, 3, 4), (1, 4, 5)]
        assert environments(log) == [("f", 0, 10, 10), ("f", 1, 3, None)]

    def test_bound_each_ends_with_its_own(self) -> None:
        """Environment 0 fails at 10 with request 0; request 1 has been served by its own at 6."""
        log = run(functions={"f": {**SNAPSTART, "assignment": "bound"}}, rows=[(0, 30, 11), (1, 1, 5)])
        assert spans(log) == [(0, 10, 10), (1, 6, 7)]
        assert cold(log) == [WARM, COLD]

    def test_an_answer_at_the_instant_of_a_client_timeout_wins(self) -> None:
        """The caller waits for 10 s, and is answered: the request has failed, it was not abandoned."""
        log = run(functions={"f": TOO_SLOW}, rows=[0], client={"timeout": "10s"})
        assert len(log.abandonments) == 0
        assert [row.result for row in invocations(log)] == [TIMEOUT]

    def test_a_caller_of_lambda_does_not_retry_it(self) -> None:
        """As after any failed invocation; behind a front end, which answers 502, callers do."""
        direct = {"function": "f", "trace": trace([0]), "client": {"retry": {"delays": ["1s"]}}}
        assert attempt_times(run(functions={"f": TOO_SLOW}, traffic={"t": direct})) == [0]
        behind = {**direct, "via": "api-gateway-http"}
        assert attempt_times(run(functions={"f": TOO_SLOW}, traffic={"t": behind})) == [0, 11]

    def test_an_event_is_tried_again(self) -> None:
        """60 s after the failure at 10, then 120 s after that at 80."""
        log = run(
            functions={"f": {**TOO_SLOW, "async": {"dispatch_delay": "0s"}}},
            traffic={"t": {"function": "f", "rate": "1/s", "arrivals": "uniform", "invoke": "async"}},
            duration="1s",
        )
        times = [round(time - 0.5, 6) for time in attempt_times(log)]
        assert times == [0, 70, 200]

    def test_the_run_ends_with_it(self) -> None:
        """Nothing is left at 10, so a run of 5 s ends there."""
        assert end_s(run(functions={"f": TOO_SLOW}, rows=[0], duration="5s")) == 10

    def test_it_may_come_after_the_end(self) -> None:
        """A drain of 3 s: the request waits still."""
        log = run(functions={"f": TOO_SLOW}, rows=[0], duration="5s", drain="3s")
        assert [row.result for row in invocations(log)] == [RUNNING]
