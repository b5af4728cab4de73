"""When a run ends, and what the log says about the things that were still going on (MODEL.md section 7).

At the first instant at or after ``duration`` with no arrival, accepted invocation or pending retry left, or at
duration + drain; everything at that instant included.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from lambdasim.engine.base import Interrupt
from lambdasim.engine.reference import SimpyEngine
from lambdasim.eventlog.log import EventLog
from lambdasim.platform.region import build_platform
from tests.behaviour.timeline import (
    COLD,
    OK,
    RUNNING,
    WARM,
    abandonments,
    accepted,
    attempt_times,
    end_s,
    environments,
    invocations,
    spans,
    throttles,
)
from tests.builders import run, scenario, workload_of


def ten_seconds(rows: list[Any], **parts: Any) -> EventLog:
    """A run of 10 s of traffic."""
    return run(rows=rows, duration="10s", **parts)


class TestNothingLeft:
    """The run ends once nothing can happen to a request any more, but not before ``duration``."""

    def test_a_run_without_requests_ends_at_its_duration(self) -> None:
        """Nothing to wait for."""
        log = ten_seconds([])
        assert end_s(log) == 10
        assert len(log.requests) == len(log.invocations) == 0

    def test_a_run_whose_requests_are_all_answered_ends_at_its_duration(self) -> None:
        """The last answer comes at 4."""
        assert end_s(ten_seconds([0, 3])) == 10

    def test_an_accepted_invocation_is_waited_for(self) -> None:
        """It ends at 13, and so does the run."""
        log = ten_seconds([(8, 5)])
        assert end_s(log) == 13
        assert invocations(log) == [(0, 1, 8, 8, 13, 0, OK, COLD)]

    def test_a_request_that_waits_for_an_init_is_waited_for(self) -> None:
        """Init 5 s from 9, then 1 s of work."""
        assert end_s(ten_seconds([(9, 1, 5)])) == 15

    def test_the_last_of_several_invocations_is_waited_for(self) -> None:
        """They end at 12, 17 and 11."""
        assert end_s(ten_seconds([(7, 5), (8, 9), (9, 2)])) == 17

    def test_invocations_of_all_pools_are_waited_for(self) -> None:
        """f has reserved concurrency; g, in the shared pool, ends first, and the other way round."""
        functions: dict[str, Any] = {"f": {"reserved_concurrency": 5}, "g": {}}
        assert end_s(ten_seconds([(9, 8), (9, 3, None, "g")], functions=functions)) == 17
        assert end_s(ten_seconds([(9, 3), (9, 8, None, "g")], functions=functions)) == 17

    def test_an_abandoned_invocation_is_waited_for(self) -> None:
        """Given up at 10, it ends at 14."""
        assert end_s(ten_seconds([(9, 5)], client={"timeout": "1s"})) == 14

    def test_a_pending_retry_is_waited_for(self) -> None:
        """Quota 1: refused at 9, accepted at 15, answered at 16."""
        log = ten_seconds([(5, 5), 9], region={"concurrency_quota": 1}, client={"retry": {"delays": ["6s"]}})
        assert attempt_times(log, 1) == [9, 15]
        assert end_s(log) == 16

    def test_a_retry_that_is_refused_for_good_ends_the_run(self) -> None:
        """Reserved 0: refused at 9 and at 15, and nothing is left at 15."""
        log = ten_seconds(
            [(8, 1, None, "g"), 9],
            functions={"f": {"reserved_concurrency": 0}, "g": {}},
            client={"retry": {"delays": ["6s"]}},
        )
        assert end_s(log) == 15
        assert not log.requests.is_pending.any()

    def test_a_last_request_that_is_refused_at_once_leaves_the_end_at_the_duration(self) -> None:
        """Quota 1 in use in [0, 5]; the last request is refused at 3."""
        assert end_s(ten_seconds([(0, 5), 3], region={"concurrency_quota": 1})) == 10

    def test_a_run_in_which_every_request_is_refused_ends_at_its_duration(self) -> None:
        """Reserved 0: nothing is ever accepted."""
        log = ten_seconds([0, 3], functions={"f": {"reserved_concurrency": 0}})
        assert end_s(log) == 10
        assert [row.time for row in throttles(log)] == [0, 3]

    def test_an_idle_environment_is_not_waited_for(self) -> None:
        """Idle from 9 to 39."""
        log = ten_seconds([8], functions={"f": {"idle_timeout": "30s"}})
        assert end_s(log) == 10
        assert environments(log) == [("f", 8, 8, None)]

    def test_an_initialising_environment_is_not_waited_for(self) -> None:
        """Environment 1 (init 9 s from 8) is not ready when the run ends at 12, with request 1 answered by 0."""
        log = ten_seconds([(7, 4, 0), (8, 1, 9)])
        assert spans(log) == [(0, 7, 11), (0, 11, 12)]
        assert end_s(log) == 12
        assert environments(log)[1] == ("f", 8, None, None)

    def test_an_init_that_ends_with_the_run_is_over(self) -> None:
        """Everything at the last instant is included: init 4 s from 8, and the run ends at 12."""
        log = ten_seconds([(7, 4, 0), (8, 1, 4)])
        assert end_s(log) == 12
        assert environments(log)[1] == ("f", 8, 12, None)

    def test_an_invocation_that_ends_at_the_duration_is_over(self) -> None:
        """It ends at 10, and the run too."""
        log = ten_seconds([(8, 2)])
        assert end_s(log) == 10
        assert invocations(log) == [(0, 1, 8, 8, 10, 0, OK, COLD)]

    def test_a_client_who_waits_for_nothing_but_an_answer_that_came_is_not_waited_for(self) -> None:
        """The client timeout would be at 39, but the answer came at 10."""
        assert end_s(ten_seconds([9], client={"timeout": "30s"})) == 10

    def test_a_gap_without_anything_in_flight_does_not_end_the_run(self) -> None:
        """Nothing happens between 1 and 9; the request at 9 is served."""
        log = ten_seconds([0, 9.5])
        assert accepted(log) == [0, 1]
        assert end_s(log) == 10.5


class TestArrivals:
    """Arrivals are offered in [0, duration)."""

    def test_an_arrival_at_the_duration_is_not_offered(self) -> None:
        """Of requests at 0, 9.999999999 and 10, the last does not exist."""
        log = ten_seconds([0, 9.999999999, 10])
        assert len(log.requests) == 2
        assert accepted(log) == [0, 1]

    def test_an_arrival_at_0_is_offered(self) -> None:
        """The interval is closed on the left."""
        assert accepted(ten_seconds([0])) == [0]


class TestDrain:
    """At duration + drain the run ends whatever is left."""

    def test_a_running_invocation_has_no_end(self) -> None:
        """Duration 10, drain 5: at 15 an invocation of [9, 19] is still running."""
        log = ten_seconds([(9, 10)], drain="5s")
        assert end_s(log) == 15
        assert invocations(log) == [(0, 1, 9, 9, None, 0, RUNNING, COLD)]
        assert log.invocations.end_ns.tolist() == [-1]

    def test_an_invocation_that_ends_with_the_drain_is_over(self) -> None:
        """[9, 15] of a run that ends at 15 at the latest."""
        log = ten_seconds([(9, 6)], drain="5s")
        assert end_s(log) == 15
        assert invocations(log) == [(0, 1, 9, 9, 15, 0, OK, COLD)]

    def test_a_drain_of_0_ends_the_run_at_its_duration(self) -> None:
        """What runs at 10 stays running."""
        log = ten_seconds([(8, 2), (9, 2)], drain="0s")
        assert end_s(log) == 10
        assert [row.result for row in invocations(log)] == [OK, RUNNING]

    def test_a_request_that_waits_for_an_init_is_running_without_a_handler(self) -> None:
        """Init 9 s from 9, but the run ends at 15."""
        log = ten_seconds([(9, 1, 9)], drain="5s")
        assert invocations(log) == [(0, 1, 9, None, None, None, RUNNING, WARM)]
        assert environments(log) == [("f", 9, None, None)]

    def test_a_pending_retry_is_marked(self) -> None:
        """Refused at 9, to be tried again at 20; the run ends at 15."""
        log = ten_seconds(
            [(8, 30), 9], region={"concurrency_quota": 1}, client={"retry": {"delays": ["11s"]}}, drain="5s"
        )
        assert log.requests.is_pending.tolist() == [False, True]
        assert attempt_times(log, 1) == [9]

    def test_a_retry_that_is_due_with_the_drain_is_made(self) -> None:
        """Everything at the last instant is included: refused at 9, tried at 15, and no longer pending."""
        log = ten_seconds(
            [(8, 30), 9], region={"concurrency_quota": 1}, client={"retry": {"delays": ["6s"]}}, drain="5s"
        )
        assert attempt_times(log, 1) == [9, 15]
        assert not log.requests.is_pending.any()

    def test_a_retry_pending_after_a_client_timeout_is_marked(self) -> None:
        """Given up at 11, to be tried again at 20; the abandoned invocation has ended at 14, the run ends at 15."""
        log = ten_seconds([(9, 5)], client={"timeout": "2s", "retry": {"delays": ["9s"]}}, drain="5s")
        assert abandonments(log) == [(0, 1, 11)]
        assert log.requests.is_pending.tolist() == [True]
        assert end_s(log) == 15
        assert [row.result for row in invocations(log)] == [OK]

    def test_unlimited_retries_end_with_the_drain(self) -> None:
        """Reserved 0 and a retry each 2 s: the last attempt is at 14, and another is pending at 15."""
        log = ten_seconds(
            [(0, 1, None, "g"), 8],
            functions={"f": {"reserved_concurrency": 0}, "g": {}},
            client={"retry": {"max_attempts": "unlimited", "delay": "2s"}},
            drain="5s",
        )
        assert attempt_times(log, 1) == [8, 10, 12, 14]
        assert log.requests.is_pending.tolist() == [False, True]

    def test_the_drain_is_not_used_up_when_nothing_is_left(self) -> None:
        """An hour of drain, and the run ends at 12."""
        assert end_s(ten_seconds([(9, 3)], drain="1h")) == 12

    def test_the_default_drain_is_six_hours(self) -> None:
        """A caller who tries again each minute for ever keeps the run going until 10 s + 6 h."""
        log = ten_seconds(
            [(0, 1, None, "g"), 8],
            functions={"f": {"reserved_concurrency": 0}, "g": {}},
            client={"retry": {"max_attempts": "unlimited", "delay": "1m"}},
        )
        assert end_s(log) == 10 + 6 * 3_600


class TestInterrupt:
    """An interrupted run ends with the current instant, and its log is that of a shorter run."""

    ROWS = ((0, 1), (1, 5), (2, 1), (3, 1), (3, 2), (4, 1))

    def interrupted(self, arrivals_before: int) -> EventLog:
        """A run of windows of one request, interrupted once the window after ``arrivals_before`` requests is drawn."""
        made = scenario(rows=list(self.ROWS))
        workload = dataclasses.replace(workload_of(made), requests_per_window=1)
        interrupt = Interrupt()

        def on_progress(_: int, arrived: int) -> None:
            if arrived >= arrivals_before:
                interrupt.request()

        return SimpyEngine().run(workload, build_platform(made), on_progress=on_progress, interrupt=interrupt)

    def test_it_ends_at_the_instant_of_the_interrupt(self) -> None:
        """The window of the request at 3 is drawn as that at 2 arrives: the run ends at 2."""
        log = self.interrupted(3)
        assert end_s(log) == 2
        assert log.is_partial

    def test_what_has_not_arrived_is_not_in_the_log(self) -> None:
        """Three requests, and no trace of the others."""
        log = self.interrupted(3)
        assert log.requests.arrival_ns.tolist() == [0, 1_000_000_000, 2_000_000_000]
        assert accepted(log) == [0, 1, 2]

    def test_what_was_under_way_is_running(self) -> None:
        """Request 0 ended at 1; request 1 works until 6 and request 2 until 3."""
        assert [(row.end, row.result) for row in invocations(self.interrupted(3))] == [
            (1, OK),
            (None, RUNNING),
            (None, RUNNING),
        ]

    def test_everything_at_the_last_instant_is_included(self) -> None:
        """Interrupted as the first request of 3 arrives: the second one of 3 is served too, and the end at 3."""
        log = self.interrupted(5)
        assert end_s(log) == 3
        assert accepted(log) == [0, 1, 2, 3, 4]
        assert invocations(log)[2].end == 3

    def test_an_interrupt_before_the_start_leaves_the_instant_0(self) -> None:
        """Requested at the first window: what happens at 0 is all."""
        log = self.interrupted(0)
        assert end_s(log) == 0
        assert accepted(log) == [0]
        assert log.is_partial

    def test_an_interrupted_run_equals_the_whole_one_up_to_its_end(self) -> None:
        """Admissions and starts before the interrupt are those of the run that goes on."""
        whole, part = run(rows=list(self.ROWS)), self.interrupted(3)
        assert [row[:4] for row in invocations(part)] == [row[:4] for row in invocations(whole)][:3]
        assert [row.created for row in environments(part)] == [row.created for row in environments(whole)][:2]

    def test_a_run_that_is_not_interrupted_is_whole(self) -> None:
        """With an interrupt at hand that nobody requests."""
        made = scenario(rows=list(self.ROWS))
        log = SimpyEngine().run(workload_of(made), build_platform(made), interrupt=Interrupt())
        assert not log.is_partial
        assert len(log.requests) == len(self.ROWS)


@pytest.mark.parametrize("requests_per_window", [1, 2, 3])
def test_windows_do_not_change_a_run(requests_per_window: int) -> None:
    """A workload in small windows gives the log of a large one."""
    made = scenario(rows=list(TestInterrupt.ROWS), region={"concurrency_quota": 2})
    small = dataclasses.replace(workload_of(made), requests_per_window=requests_per_window)
    log = SimpyEngine().run(small, build_platform(made))
    whole = SimpyEngine().run(workload_of(made), build_platform(made))
    assert invocations(log) == invocations(whole)
    assert throttles(log) == throttles(whole)
