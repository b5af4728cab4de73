"""Inits over 10 s, and environments that a crash or a timeout resets (MODEL.md section 4)."""

from __future__ import annotations

import pytest

from tests.behaviour.timeline import COLD, CRASH, ERROR, OK, TIMEOUT, WARM, cold, environments, invocations, spans
from tests.builders import run

CRASHES = {"errors": {"crash": "100%"}}


class TestInitLimit:
    """An init over 10 s ends at 10 s as a failed init."""

    @pytest.mark.parametrize("assignment", ["eager", "bound"])
    def test_the_first_invocation_pays_the_whole_init_again(self, assignment: str) -> None:
        """Init 12 s: the phase ends at 10, the handler starts there and takes 12 + 1 s. It is a cold start."""
        log = run(functions={"f": {"init": "12s", "assignment": assignment}}, rows=[0])
        assert invocations(log) == [(0, 1, 0, 10, 23, 0, OK, COLD)]
        assert environments(log) == [("f", 0, 10, None)]

    def test_the_init_of_a_failed_init_is_the_limit(self) -> None:
        """What the log has as init_ns is the 10 s that passed."""
        log = run(functions={"f": {"init": "12s"}}, rows=[0])
        assert log.environments.init_ns.tolist() == [10 * 10**9]

    def test_an_init_of_exactly_10_s_is_not_over_the_limit(self) -> None:
        """The handler starts at 10 and takes its own second."""
        log = run(functions={"f": {"init": "10s"}}, rows=[0])
        assert invocations(log) == [(0, 1, 0, 10, 11, 0, OK, COLD)]

    def test_an_init_a_nanosecond_over_the_limit_is_done_twice(self) -> None:
        """10 s and 1 ns, then the same again and the second of work."""
        log = run(functions={"f": {"init": "10.000000001s"}}, rows=[0])
        assert spans(log) == [(0, 10, 21.000000001)]

    def test_only_the_first_invocation_pays(self) -> None:
        """The redone init succeeds, so the request at 30 takes its own second."""
        log = run(functions={"f": {"init": "12s"}}, rows=[0, 30])
        assert spans(log) == [(0, 10, 23), (0, 30, 31)]
        assert cold(log) == [COLD, WARM]

    def test_a_redone_init_counts_for_the_timeout(self) -> None:
        """12 + 1 s with a timeout of 12 s: stopped at 22."""
        log = run(functions={"f": {"init": "12s", "timeout": "12s"}}, rows=[0])
        assert invocations(log) == [(0, 1, 0, 10, 22, 0, TIMEOUT, COLD)]

    def test_a_redone_init_that_ends_with_the_timeout_is_no_timeout(self) -> None:
        """12 + 1 s with a timeout of 13 s."""
        log = run(functions={"f": {"init": "12s", "timeout": "13s"}}, rows=[0])
        assert invocations(log) == [(0, 1, 0, 10, 23, 0, OK, COLD)]

    def test_an_environment_with_a_failed_init_that_nobody_used_still_owes_it(self) -> None:
        """Environment 1 (init 12 s from 1) falls idle at 11; its first invocation, at 20, takes 12 + 1 s, not cold."""
        log = run(rows=[(0, 3, 0), (1, 30, 12), 20])
        assert spans(log) == [(0, 0, 3), (0, 3, 33), (1, 20, 33)]
        assert cold(log) == [COLD, WARM, WARM]

    def test_who_takes_the_environment_pays_for_its_failed_init(self) -> None:
        """At 6 environment 1 takes request 0; at 10 environment 0 fails (init 12 s), and request 1 pays."""
        log = run(rows=[(0, 30, 12), (1, 1, 5)])
        assert spans(log) == [(1, 6, 36), (0, 10, 23)]
        assert cold(log) == [COLD, COLD]


class TestReset:
    """A crash or a timeout resets the environment; a handled error does not."""

    def test_a_crash_makes_the_next_invocation_pay_the_init_again(self) -> None:
        """Init 2 s: handler [2, 3], then [10, 13] instead of [10, 11], in the same environment, and not cold."""
        log = run(functions={"f": {"init": "2s", **CRASHES}}, rows=[0, 10])
        assert invocations(log) == [(0, 1, 0, 2, 3, 0, CRASH, COLD), (1, 1, 10, 10, 13, 0, CRASH, WARM)]
        assert len(environments(log)) == 1

    def test_a_timeout_makes_the_next_invocation_pay_the_init_again(self) -> None:
        """Init 2 s, timeout 5 s: stopped at 7; the next takes 2 + 1 s."""
        log = run(functions={"f": {"init": "2s", "timeout": "5s"}}, rows=[(0, 60), 10])
        assert invocations(log) == [(0, 1, 0, 2, 7, 0, TIMEOUT, COLD), (1, 1, 10, 10, 13, 0, OK, WARM)]

    def test_a_redone_init_is_paid_once(self) -> None:
        """After the invocation that redid it, the environment is as good as new."""
        log = run(functions={"f": {"init": "2s", "timeout": "5s"}}, rows=[(0, 60), 10, 20])
        assert spans(log) == [(0, 2, 7), (0, 10, 13), (0, 20, 21)]

    def test_a_reset_environment_pays_the_same_init_as_before(self) -> None:
        """Its own, 2 s, whatever the request would have brought for a new environment."""
        log = run(functions={"f": {"timeout": "5s"}}, rows=[(0, 60, 2), (10, 1, 7)])
        assert spans(log) == [(0, 2, 7), (0, 10, 13)]

    def test_a_reset_keeps_the_init_phase_of_the_log(self) -> None:
        """The redone init is part of a duration; the environment's init phase stays 2 s from 0."""
        log = run(functions={"f": {"init": "2s", **CRASHES}}, rows=[0, 10])
        assert environments(log) == [("f", 0, 2, None)]

    def test_a_redone_init_may_cause_a_timeout(self) -> None:
        """Init 3 s, work 2 s, timeout 4 s: [3, 5] crashes, then 3 + 2 > 4: stopped at 14."""
        log = run(functions={"f": {"init": "3s", "duration": "2s", "timeout": "4s", **CRASHES}}, rows=[0, 10])
        assert invocations(log) == [(0, 1, 0, 3, 5, 0, CRASH, COLD), (1, 1, 10, 10, 14, 0, TIMEOUT, WARM)]

    def test_an_environment_that_cannot_redo_its_init_in_time_never_recovers(self) -> None:
        """Init 5 s, timeout 4 s: after the first timeout each invocation spends its 4 s on the init."""
        log = run(functions={"f": {"init": "5s", "timeout": "4s"}}, rows=[(0, 60), 20, 30])
        assert spans(log) == [(0, 5, 9), (0, 20, 24), (0, 30, 34)]
        assert [row.result for row in invocations(log)] == [TIMEOUT, TIMEOUT, TIMEOUT]

    def test_a_redone_init_that_ends_with_the_timeout_is_no_timeout(self) -> None:
        """Init 2 s and work 2 s are exactly the 4 s of the timeout."""
        log = run(functions={"f": {"init": "2s", "duration": "2s", "timeout": "4s", **CRASHES}}, rows=[0, 10])
        assert invocations(log)[1] == (1, 1, 10, 10, 14, 0, CRASH, WARM)

    def test_a_redone_init_keeps_the_concurrency(self) -> None:
        """Quota 1: the request at 12 is refused while the one before redoes the init in [10, 12]."""
        log = run(functions={"f": {"init": "2s", **CRASHES}}, region={"concurrency_quota": 1}, rows=[0, 10, 12, 13])
        assert [row.request for row in invocations(log)] == [0, 1, 3]

    def test_a_handled_error_keeps_the_environment_as_it_is(self) -> None:
        """The next invocation takes its own second."""
        log = run(functions={"f": {"init": "2s", "errors": {"rate": "100%"}}}, rows=[0, 10])
        assert invocations(log) == [(0, 1, 0, 2, 3, 0, ERROR, COLD), (1, 1, 10, 10, 11, 0, ERROR, WARM)]

    def test_a_reset_environment_expires_like_any_other(self) -> None:
        """Crashed at 3, idle for 4 s: gone at 7."""
        log = run(functions={"f": {"init": "2s", "idle_timeout": "4s", **CRASHES}}, rows=[0, 7])
        assert environments(log)[0].reaped == 7
        assert invocations(log)[1] == (1, 1, 7, 9, 10, 1, CRASH, COLD)

    def test_a_reset_environment_past_its_max_age_is_retired(self) -> None:
        """Crashed at 3 at the age of 3 s with a max age of 2 s."""
        log = run(functions={"f": {"init": "2s", "max_age": "2s", **CRASHES}}, rows=[0])
        assert environments(log) == [("f", 0, 2, 3)]

    def test_an_init_of_0_is_redone_in_no_time(self) -> None:
        """Nothing to pay."""
        log = run(functions={"f": CRASHES}, rows=[0, 10])
        assert spans(log) == [(0, 0, 1), (0, 10, 11)]
