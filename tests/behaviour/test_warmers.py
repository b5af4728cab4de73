"""Warmers: what so many pings at once keep warm, and what they do not. Timelines in seconds."""

from __future__ import annotations

from typing import Any

import pytest

from lambdasim.eventlog.log import EventLog
from tests.behaviour.queue_timeline import EXACT
from tests.behaviour.timeline import ERROR, OK, TIMEOUT, Invocation, environments, invocations, refusals, throttles
from tests.builders import run, trace, workload_of
from tests.builders import scenario as scenario_of

# Environments that live for six minutes when idle, with an init of half a second; requests take a second.
MINUTES = {"idle_timeout": "6m", "init": "500ms"}
FAILS = {"errors": {"rate": "100%"}}


def warmed(rows: list[Any], warmer: dict[str, Any], function: dict[str, Any] | None = None, **parts: Any) -> EventLog:
    """A run with requests of ``web`` at ``rows`` and a warmer ``warm``, which stands behind it in the file."""
    sent = {"web": {"function": "f", "trace": trace(rows)}, "warm": {"function": "f", "warmer": warmer}}
    source = parts.pop("source", {})
    sent["warm"] = {**sent["warm"], **source}
    return run(functions={"f": function or {}, **parts.pop("others", {})}, traffic=sent, **parts)


def of(log: EventLog, source: str) -> list[Invocation]:
    """The invocations of one source."""
    number = log.source_names.index(source)
    return [row for row in invocations(log) if log.requests.source[row.request] == number]


def colds(log: EventLog, source: str) -> list[bool]:
    """Whether each invocation of one source was a cold start."""
    return [row.cold for row in of(log, source)]


class TestWhen:
    """Rounds of pings."""

    def test_every_so_often_before_the_end(self) -> None:
        """At 2, 12 and 22 s, two at once; 32 s is the duration, in which nothing is offered any more."""
        log = warmed([], {"every": "10s", "concurrency": 2, "starts": "2s"}, duration="32s")
        assert [row.admitted for row in of(log, "warm")] == [2, 2, 12, 12, 22, 22]

    def test_a_stagger_parts_the_pings_of_a_round(self) -> None:
        """One second between them. The round that begins at 10 s loses what comes at 12 s, the duration."""
        log = warmed([], {"every": "10s", "concurrency": 3, "stagger": "1s"}, duration="12s")
        assert [row.admitted for row in of(log, "warm")] == [0, 1, 2, 10, 11]

    def test_at_one_instant_the_order_of_the_file_decides(self) -> None:
        """Quota 1: web stands before warm, so that its request at 10 s is taken and the ping refused."""
        log = warmed([10], {"every": "10s"}, region={"concurrency_quota": 1}, duration="20s")
        assert [row.admitted for row in of(log, "web")] == [10]
        assert [(row.request, row.time) for row in throttles(log)] == [(2, 10)]

    def test_switched_off_and_on(self) -> None:
        """Off from 4 to 9 minutes: the round at 5 minutes is left out, the others stay where they were."""
        changes = [{"at": "4m", "traffic": {"warm": "off"}}, {"at": "9m", "traffic": {"warm": "on"}}]
        log = warmed([], {"every": "5m"}, changes=changes, duration="16m")
        assert [row.admitted for row in of(log, "warm")] == [0, 600, 900]


class TestWhatStaysWarm:
    """As many environments as pings hold at once, as long as they come back before the idle timeout."""

    def test_three_pings_keep_three_environments_warm(self) -> None:
        """Every 5 minutes, gone after 6 minutes of idling: at 12 minutes three requests at once are warm."""
        log = warmed([720, 720, 720], {"every": "5m", "concurrency": 3}, MINUTES)
        assert colds(log, "web") == [False, False, False]
        assert colds(log, "warm") == [True] * 3 + [False] * 9  # at 0, 5, 10 and 15 minutes
        assert len(environments(log)) == 3

    def test_and_no_more(self) -> None:
        """The fourth request at 12 minutes waits for an init. It is over after 0.5 s, the others work for 1 s."""
        log = warmed([720, 720, 720, 720], {"every": "5m", "concurrency": 3}, MINUTES)
        assert colds(log, "web") == [False, False, False, True]
        assert [row.handler for row in of(log, "web")] == [720, 720, 720, 720.5]

    def test_one_ping_keeps_one(self) -> None:
        """The usual warmer: of two requests at once one is cold."""
        assert colds(warmed([720, 720], {"every": "5m"}, MINUTES), "web") == [False, True]

    def test_too_rarely_keeps_nothing(self) -> None:
        """Every 7 minutes: each environment is gone after 6, so that every ping is cold, and a request at 6:30 is."""
        warmer = {"every": "7m", "concurrency": 2}
        log = warmed([], warmer, MINUTES)
        assert colds(log, "warm") == [True] * 6  # at 0, 7 and 14 minutes
        # Init, ping, and six minutes of idling.
        assert [one.reaped for one in environments(log)[:2]] == [0.5 + 0.05 + 360] * 2
        assert colds(warmed([390], warmer, MINUTES), "web") == [True]

    def test_until_then_it_is_warm(self) -> None:
        """At 5 minutes the environments of the first round still live, whatever comes after."""
        assert colds(warmed([300], {"every": "7m"}, MINUTES), "web") == [False]

    @pytest.mark.parametrize(("idle_timeout", "is_cold"), [("8s", True), ("9s", False)])
    def test_an_environment_is_gone_at_the_end_of_its_idle_timeout(self, idle_timeout: str, is_cold: bool) -> None:
        """A ping works from 0 to 2 s, the next comes at 10 s. After 8 s of idling it finds nothing."""
        log = warmed([], {"every": "10s", "duration": "2s"}, {"idle_timeout": idle_timeout}, duration="20s")
        assert colds(log, "warm") == [True, is_cold]

    def test_the_shortest_pings_at_one_instant_hold_an_environment_each(self) -> None:
        """1 ns is not over when the next ping of the same instant comes."""
        log = warmed([], {"every": "10s", "concurrency": 3, "duration": "1ns"}, duration="20s")
        assert sorted(row.environment for row in of(log, "warm") if row.environment is not None) == [0, 0, 1, 1, 2, 2]

    @pytest.mark.parametrize(("duration", "used"), [("1s", [0, 0, 0]), ("2s", [0, 1, 0]), ("3s", [0, 1, 2])])
    def test_pings_that_do_not_meet_share_an_environment(self, duration: str, used: list[int]) -> None:
        """Pings at 0, 1 and 2 s. A ping that ends at the instant of the next one leaves it its environment."""
        warmer = {"every": "60s", "concurrency": 3, "stagger": "1s", "duration": duration}
        assert [row.environment for row in of(warmed([], warmer, duration="60s"), "warm")] == used

    def test_inits_of_the_first_round_start_more_than_later_rounds_keep(self) -> None:
        """Pings of 50 ms at 0, 1, 2 s meet inits of 3 s and start three environments. At 60, 61, 62 s one serves all.

        The first is ready at 3 s and serves all three, one after the other, until 3.15 s; the others come up for
        nobody, at 4 and 5 s, and are gone after 90 s of idling. In the third round there is one left.
        """
        warmer = {"every": "60s", "concurrency": 3, "stagger": "1s"}
        log = warmed([], warmer, {"init": "3s", "idle_timeout": "90s"}, duration="180s")
        assert [row.environment for row in of(log, "warm")[:3]] == [0, 0, 0]
        assert len({row.environment for row in of(log, "warm")[3:6]}) == 1
        assert len({row.environment for row in of(log, "warm")[6:]}) == 1
        assert [one.reaped is None for one in environments(log)].count(True) == 1

    def test_two_shifted_warmers_keep_no_more_than_one_of_them(self) -> None:
        """Two pings every 10 minutes and two more in between find the environments of each other: two, not four."""
        traffic = {
            "a": {"function": "f", "warmer": {"every": "10m", "concurrency": 2}},
            "b": {"function": "f", "warmer": {"every": "10m", "concurrency": 2, "starts": "5m"}},
            "web": {"function": "f", "trace": trace([720, 720, 720])},
        }
        log = run(functions={"f": MINUTES}, traffic=traffic)
        assert colds(log, "b") == [False] * 4
        assert colds(log, "web") == [False, False, True]

    @pytest.mark.parametrize(("assignment", "handler", "is_cold"), [("eager", 300.05, False), ("bound", 300.5, True)])
    def test_a_ping_stands_in_the_way(self, assignment: str, handler: float, is_cold: bool) -> None:
        """A request at the instant of a ping that comes first: it waits for the ping, or for an init of its own."""
        traffic = {
            "warm": {"function": "f", "warmer": {"every": "5m"}},
            "web": {"function": "f", "trace": trace([300])},
        }
        log = run(functions={"f": {**MINUTES, "assignment": assignment}}, traffic=traffic, duration="400s")
        assert [(row.handler, row.cold) for row in of(log, "web")] == [(handler, is_cold)]

    def test_a_ping_that_comes_second_starts_an_environment(self) -> None:
        """The request at 300 s holds the only one for a second, so that the ping brings up another in 0.5 s."""
        log = warmed([300], {"every": "5m"}, MINUTES, duration="400s")
        assert colds(log, "web") == [False]
        assert colds(log, "warm") == [True, True]


class TestHandler:
    """The handler recognises a ping and returns early; everything else is as for any request."""

    def test_a_ping_takes_its_own_time(self) -> None:
        """50 ms unless stated, beside a request of 1 s."""
        log = warmed([3], {"every": "10s"}, duration="10s")
        assert [(row.handler, row.end) for row in invocations(log)] == [(0, 0.05), (3, 4)]

    def test_a_ping_does_not_fail(self) -> None:
        """Errors, poison and crashes are the function's work; pings do none of it."""
        for errors in ({"rate": "100%"}, {"poison": "100%"}, {"crash": "100%"}):
            log = warmed([5], {"every": "10s"}, {"errors": errors}, duration="20s")
            assert [row.result for row in of(log, "warm")] == [OK, OK]
            assert [row.result for row in of(log, "web")] != [OK]

    def test_nor_in_its_second_attempt(self) -> None:
        """The caller leaves after 1 s and calls again at once: both invocations go well, at 2 and at 3 s."""
        client = {"timeout": "1s", "retry": {"delays": ["0s"]}}
        log = warmed([], {"every": "10s", "duration": "2s"}, FAILS, source={"client": client}, duration="10s")
        assert [(row.attempt, row.end, row.result) for row in of(log, "warm")] == [(1, 2, OK), (2, 3, OK)]

    def test_changes_of_the_function_do_not_reach_it(self) -> None:
        """From 5 s on requests take 4 s and fail; pings stay as they were."""
        changes = [{"at": "5s", "functions": {"f": {"duration": "4s", **FAILS}}}]
        log = warmed([15], {"every": "10s"}, changes=changes, duration="20s")
        assert [(row.end, row.result) for row in of(log, "warm")] == [(0.05, OK), (10.05, OK)]
        assert [(row.end, row.result) for row in of(log, "web")] == [(19, ERROR)]

    def test_the_timeout_of_the_function_holds(self) -> None:
        """A ping of 2 s in a function that may run for 1 s."""
        log = warmed([], {"every": "10s", "duration": "2s"}, {"timeout": "1s"}, duration="10s")
        assert [(row.end, row.result) for row in of(log, "warm")] == [(1, TIMEOUT)]

    def test_limits_hold(self) -> None:
        """Quota 1, taken from 0 to 3 s: the ping is refused, and tried again after 4 s as its client says."""
        client = {"retry": {"delays": ["4s"]}}
        log = warmed(
            [(0, 3)], {"every": "10s"}, source={"client": client}, region={"concurrency_quota": 1}, duration="10s"
        )
        assert refusals(log) == [(0, "account_concurrency")]
        assert [row.admitted for row in of(log, "warm")] == [4]


class TestEvents:
    """Pings as a schedule sends them: Lambda puts them in its queue of events first."""

    def test_pings_that_wait_each_for_a_moment_of_its_own_may_miss_each_other(self) -> None:
        """Delays of 0 or 1 s, pings of 1 s: how many environments the first round starts is how many had one delay."""
        function = {"async": {"dispatch_delay": {"empirical": ["0s", "1s"]}, "jitter": "none"}}
        warmer = {"every": "60s", "concurrency": 8, "duration": "1s"}
        log = warmed([], warmer, function, source={"invoke": "async"}, duration="60s")
        delayed = [row.admitted for row in of(log, "warm")].count(1)
        assert 0 < delayed < 8
        assert len(environments(log)) == max(delayed, 8 - delayed)

    def test_an_event_does_not_fail_either(self) -> None:
        """No error retries after a minute: one invocation each."""
        function = {**FAILS, "async": {"dispatch_delay": "0s"}}
        log = warmed([], {"every": "10s"}, function, source={"invoke": "async"}, duration="20s")
        assert [(row.admitted, row.end, row.result) for row in of(log, "warm")] == [(0, 0.05, OK), (10, 10.05, OK)]

    def test_what_gets_a_record_of_it_does_its_usual_work(self) -> None:
        """The destination's function knows nothing of pings: it takes 3 s and fails."""
        function = {"async": {"dispatch_delay": "0s", "on_success": "d"}}
        log = warmed(
            [],
            {"every": "1000s"},
            function,
            source={"invoke": "async"},
            others={"g": {"duration": "3s", "timeout": "30s", **FAILS}},
            queues={"d": {"event_source_mapping": {"function": "g", "batch_size": 1, **EXACT}}},
            drain="10s",
        )
        first, second = invocations(log)[:2]
        assert (first.end, first.result) == (0.05, OK)
        assert (second.admitted, second.end, second.result) == (0.05, 3.05, ERROR)


def test_ordinals_key_the_draws_whatever_is_switched_off() -> None:
    """A round that is left out takes its draws along: the pings after it last as long as they would have."""
    warmer = {"every": "5m", "concurrency": 2, "duration": {"exponential": {"mean": "1s"}}}
    durations = []
    for changes in ([], [{"at": "4m", "traffic": {"warm": "off"}}, {"at": "9m", "traffic": {"warm": "on"}}]):
        traffic = {"warm": {"function": "f", "warmer": warmer}}
        made = scenario_of(traffic=traffic, changes=changes, duration="16m")
        (chunk,) = workload_of(made).chunks()
        durations.append(chunk.duration_ns.tolist())
    assert len(set(durations[0])) == 8
    assert durations[1] == durations[0][:2] + durations[0][4:]
