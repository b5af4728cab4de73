"""Who serves a request that found no idle environment, and which invocations are cold (MODEL.md section 4)."""

from __future__ import annotations

from typing import Any

import pytest

from lambdasim.eventlog.log import EventLog
from tests.behaviour.timeline import COLD, OK, RUNNING, WARM, cold, environments, invocations, spans, throttles, used
from tests.builders import run, scenario, workload_of

# Environment 0 is busy in [0, 3]. Request 1 starts environment 1 at 1, ready at 6, and works for 1 s.
WAITS_THEN_FREED = [(0, 3, 0), (1, 1, 5)]


def of(assignment: str, rows: list[Any], **function: Any) -> EventLog:
    """A run of one function under an assignment."""
    return run(functions={"f": {"assignment": assignment, **function}}, rows=rows)


class TestEager:
    """A waiting request takes whichever environment is free first."""

    def test_a_waiting_request_is_taken_by_a_freed_environment(self) -> None:
        """At 3 environment 0 is free and takes request 1, which has waited for 2 s: no cold start."""
        log = of("eager", WAITS_THEN_FREED)
        assert invocations(log)[1] == (1, 1, 1, 3, 4, 0, OK, WARM)

    def test_an_init_that_nobody_needs_any_more_goes_on_and_the_environment_falls_idle(self) -> None:
        """Environment 1 is ready at 6 and serves the request at 7, no cold start: it stood idle for a second."""
        log = of("eager", [*WAITS_THEN_FREED, (3, 9), 7])
        assert environments(log)[1].ready == 6
        assert invocations(log)[3] == (3, 1, 7, 7, 8, 1, OK, WARM)

    def test_requests_wait_in_order_of_admission(self) -> None:
        """Requests 1, 2 and 3 wait; environment 0 takes them one after the other, in this order."""
        log = of("eager", [(0, 2, 0), (1, 1, 50), (1, 1, 50), (1.5, 1, 50)])
        assert spans(log) == [(0, 0, 2), (0, 2, 3), (0, 3, 4), (0, 4, 5)]

    def test_a_request_that_waits_longest_goes_first_even_to_an_environment_that_another_started(self) -> None:
        """Environment 2, started by request 2, is ready at 3, that of request 1 at 9: it takes request 1, cold."""
        log = of("eager", [(0, 20, 0), (1, 1, 8), (2, 1, 1)])
        assert invocations(log)[1] == (1, 1, 1, 3, 4, 2, OK, COLD)
        assert invocations(log)[2] == (2, 1, 2, 4, 5, 2, OK, WARM)

    def test_every_request_that_finds_no_idle_environment_starts_one(self) -> None:
        """Although two environments are initialising already, the third request starts a third."""
        log = of("eager", [(0, 1), (1, 1), (2, 1)], init="10s")
        assert [row.created for row in environments(log)] == [0, 1, 2]

    def test_a_request_that_finds_an_idle_environment_starts_none(self) -> None:
        """One environment, used again and again."""
        log = of("eager", [0, 1, 2, 3])
        assert len(environments(log)) == 1

    def test_a_new_arrival_does_not_overtake_a_waiting_request(self) -> None:
        """At 3 environment 0 is free: request 1 waits and takes it, request 2 arrives at 3 and has to wait as well."""
        log = of("eager", [(0, 3, 0), (1, 2, 9), (3, 1, 9)])
        assert spans(log) == [(0, 0, 3), (0, 3, 5), (0, 5, 6)]

    def test_an_environment_that_ends_its_init_unused_falls_idle_for_its_own_idle_timeout(self) -> None:
        """Ready at 6 with nobody waiting, idle for 4 s: reaped at 10, where a request has to start another."""
        log = of("eager", [*WAITS_THEN_FREED, (10, 1, 0)], idle_timeout="4s")
        assert environments(log)[1] == ("f", 1, 6, 10)
        assert used(log) == [0, 0, 2]

    def test_the_idle_timeout_of_an_unused_environment_is_drawn_by_its_birth_index(self) -> None:
        """Not by the invocation that would have come: with drawn idle timeouts, environment 1 has that of birth 1."""
        made = scenario(functions={"f": {"idle_timeout": {"uniform": ["100s", "200s"]}}}, rows=WAITS_THEN_FREED)
        draws = workload_of(made).draws
        log = run(functions={"f": {"idle_timeout": {"uniform": ["100s", "200s"]}}}, rows=WAITS_THEN_FREED)
        after_request_1 = int(draws.idle_timeouts("t", "f", 1, 0)[1])
        after_unused_init_1 = draws.unused_idle_timeouts("f", 0)[1]
        assert log.environments.reaped_ns.tolist() == [4 * 10**9 + after_request_1, 6 * 10**9 + after_unused_init_1]
        assert after_request_1 != after_unused_init_1

    def test_a_waiting_request_counts_as_in_flight(self) -> None:
        """Quota 2: one works, one waits for an init of 9 s, so the third is refused."""
        log = run(region={"concurrency_quota": 2}, rows=[(0, 5, 0), (1, 1, 9), 2])
        assert throttles(log) == [(2, 1, 2, "account_concurrency")]
        assert spans(log) == [(0, 0, 5), (0, 5, 6)]

    def test_requests_that_still_wait_when_the_run_ends_have_no_environment(self) -> None:
        """Nobody knows yet who will serve them."""
        log = run(functions={"f": {"init": "5s"}}, rows=[0], duration="2s", drain="1s")
        assert invocations(log) == [(0, 1, 0, None, None, None, RUNNING, WARM)]

    def test_an_environment_reset_by_a_timeout_takes_a_waiting_request_and_pays_for_its_init_again(self) -> None:
        """Environment 0 (init 2 s) times out at 5 and takes request 1 at once: 2 + 1 s, not cold."""
        log = of("eager", [(0, 10, 2), (4, 1, 9)], timeout="3s")
        assert invocations(log)[1] == (1, 1, 4, 5, 8, 0, OK, WARM)


class TestBound:
    """A request stays with the environment that it started."""

    def test_a_request_waits_for_its_own_environment(self) -> None:
        """Environment 0 is free at 3 and stays idle; request 1 starts at 6 in environment 1, cold."""
        log = of("bound", WAITS_THEN_FREED)
        assert invocations(log)[1] == (1, 1, 1, 6, 7, 1, OK, COLD)

    def test_a_freed_environment_falls_idle_although_a_request_waits(self) -> None:
        """It serves the next arrival instead."""
        log = of("bound", [*WAITS_THEN_FREED, 4])
        assert spans(log) == [(0, 0, 3), (1, 6, 7), (0, 4, 5)]

    def test_inits_may_end_out_of_the_order_of_their_requests(self) -> None:
        """Request 2 starts before request 1, for its init is shorter."""
        log = of("bound", [(0, 20, 0), (1, 1, 8), (2, 1, 1)])
        assert spans(log) == [(0, 0, 20), (1, 9, 10), (2, 3, 4)]
        assert cold(log) == [COLD, COLD, COLD]

    def test_inits_that_end_together_each_serve_their_own_request(self) -> None:
        """Two inits end at 5."""
        log = of("bound", [(0, 1, 5), (1, 2, 4)])
        assert spans(log) == [(0, 5, 6), (1, 5, 7)]

    def test_a_request_that_still_waits_when_the_run_ends_names_its_environment(self) -> None:
        """It is bound to it from the start."""
        log = run(functions={"f": {"init": "5s", "assignment": "bound"}}, rows=[0], duration="2s", drain="1s")
        assert invocations(log) == [(0, 1, 0, None, None, 0, RUNNING, WARM)]

    def test_an_idle_environment_is_reused(self) -> None:
        """Binding is about requests that found none."""
        log = of("bound", [0, 1, 2])
        assert used(log) == [0, 0, 0]


class TestColdStart:
    """The first invocation of an environment, when it is dispatched at the instant that its init ends."""

    @pytest.mark.parametrize("assignment", ["eager", "bound"])
    def test_the_first_invocation_waits_for_the_init_and_is_cold(self, assignment: str) -> None:
        """Init 2 s from 1: the handler starts at 3."""
        log = of(assignment, [(1, 1, 2)])
        assert invocations(log) == [(0, 1, 1, 3, 4, 0, OK, COLD)]

    @pytest.mark.parametrize("assignment", ["eager", "bound"])
    def test_an_init_of_0_makes_a_cold_start_too(self, assignment: str) -> None:
        """It takes no time, but it is the first invocation, at the end of the init."""
        log = of(assignment, [(1, 1, 0)])
        assert invocations(log) == [(0, 1, 1, 1, 2, 0, OK, COLD)]

    @pytest.mark.parametrize("assignment", ["eager", "bound"])
    def test_later_invocations_are_not_cold(self, assignment: str) -> None:
        """Only the first is."""
        log = of(assignment, [0, 5, 5.5])
        assert cold(log) == [COLD, WARM, COLD]
        assert used(log) == [0, 0, 1]

    def test_an_arrival_at_the_instant_at_which_an_unused_init_ends_is_cold(self) -> None:
        """Environment 1 is ready at 6 with nobody waiting, and its first invocation is dispatched at 6 as well."""
        log = of("eager", [*WAITS_THEN_FREED, (3.5, 9), 6])
        assert invocations(log)[3] == (3, 1, 6, 6, 7, 1, OK, COLD)

    def test_an_environment_that_stood_idle_after_its_init_gives_no_cold_start(self) -> None:
        """Its first invocation comes a second after the end of its init."""
        log = of("eager", [*WAITS_THEN_FREED, (3, 9), 7])
        assert used(log)[3] == 1
        assert cold(log)[3] == WARM

    def test_the_init_does_not_count_for_the_timeout(self) -> None:
        """Init 5 s, work 2 s, timeout 2 s: all is well."""
        log = of("eager", [(0, 2, 5)], timeout="2s")
        assert invocations(log) == [(0, 1, 0, 5, 7, 0, OK, COLD)]

    def test_a_waiting_request_pays_no_init_in_an_environment_that_was_ready(self) -> None:
        """It waits from 1 to 3 and then works for its own second only."""
        log = of("eager", WAITS_THEN_FREED)
        assert spans(log)[1] == (0, 3, 4)
