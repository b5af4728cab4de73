"""Changes during the run: after everything that ends at their instant, before everything that begins there."""

from __future__ import annotations

from typing import Any

import numpy as np

from lambdasim.eventlog.log import EventLog
from tests.behaviour.timeline import ERROR, OK, cold, environments, invocations, throttles
from tests.builders import run, scenario, trace, workload_of


def changed(rows: list[Any], *changes: dict[str, Any], quota: int = 10, **parts: Any) -> EventLog:
    """A run of one function under changes."""
    return run(rows=rows, region={"concurrency_quota": quota}, changes=list(changes), **parts)


def refused(log: EventLog) -> list[int]:
    """Requests that were throttled."""
    return [throttle.request for throttle in throttles(log)]


class TestQuota:
    """The account's quota is raised or lowered."""

    def test_a_raise_counts_for_what_arrives_at_its_instant(self) -> None:
        """Quota 1 until 5: the second of two at 4 is refused; at 5 two fit beside the one that runs until 6."""
        log = changed([(4, 2), 4, 5, 5, 5], {"at": "5s", "region": {"concurrency_quota": 3}}, quota=1)
        assert refused(log) == [1, 4]

    def test_a_raise_counts_for_a_retry_at_its_instant(self) -> None:
        """Request 1 is refused at 4 and tries again at 5, which is when the quota becomes 2."""
        client = {"retry": {"delays": ["1s"]}}
        log = changed([(4, 5), 4], {"at": "5s", "region": {"concurrency_quota": 2}}, quota=1, client=client)
        assert [(one.request, one.attempt, one.admitted) for one in invocations(log)] == [(0, 1, 4), (1, 2, 5)]

    def test_a_cut_stops_nothing_and_refuses_until_enough_has_ended(self) -> None:
        """Three run until 10; quota 1 from 2 on. At 9 one is refused, at 10 the first of two is taken."""
        rows = [(0, 10), (0, 10), (0, 10), 9, 10, 10]
        log = changed(rows, {"at": "2s", "region": {"concurrency_quota": 1}}, quota=3)
        assert refused(log) == [3, 5]
        assert [one.end for one in invocations(log)[:3]] == [10, 10, 10]

    def test_the_request_rate_goes_with_the_quota_and_keeps_its_level(self) -> None:
        """Quota 1 gives 10 tokens; 8 are taken at 1. Then quota 2 refills 20/s: 2 + 2.2 tokens at 1.11."""
        region = {"concurrency_quota": 1, "requests_per_concurrency": 10}
        rows = [(1 + number * 1e-8, 1e-9) for number in range(8)] + [
            (1.11 + number * 1e-8, 1e-9) for number in range(5)
        ]
        change = {"at": "1000000100ns", "region": {"concurrency_quota": 2}}
        log = run(rows=rows, region=region, changes=[change])
        assert refused(log) == [12]

    def test_changes_of_one_instant_apply_in_file_order(self) -> None:
        """The last one stays: quota 1, so that the second of two at 5 is refused."""
        up, down = ({"at": "5s", "region": {"concurrency_quota": quota}} for quota in (5, 1))
        assert refused(changed([5, 5], up, down, quota=2)) == [1]
        assert refused(changed([5, 5], down, up, quota=2)) == []

    def test_changes_may_stand_in_any_order_in_the_file(self) -> None:
        """What comes first in time applies first: quota 1 from 8 on, although it stands first."""
        late, early = {"at": "8s", "region": {"concurrency_quota": 1}}, {"at": "3s", "region": {"concurrency_quota": 3}}
        assert refused(changed([5, 5, 5, 9, 9], late, early, quota=1)) == [4]


class TestReserved:
    """A function's reservation is changed."""

    def test_0_stops_a_function(self) -> None:
        """From 5 on it refuses everything, for its own reason; what runs goes on."""
        change = {"at": "5s", "functions": {"f": {"reserved_concurrency": 0}}}
        log = changed([(4, 3), 5, 6], change)
        assert [(one.request, one.reason) for one in throttles(log)] == [
            (1, "reserved_concurrency"),
            (2, "reserved_concurrency"),
        ]
        assert invocations(log)[0].end == 7

    def test_none_gives_it_back(self) -> None:
        """Reserved 1 until 5, then the quota of 10 counts."""
        change = {"at": "5s", "functions": {"f": {"reserved_concurrency": "none"}}}
        assert refused(changed([1, 1, 5, 5], change, functions={"f": {"reserved_concurrency": 1}})) == [1]

    def test_what_was_admitted_counts_in_the_pool_that_admitted_it(self) -> None:
        """Two of f run in the shared pool of 3 when f reserves 1: the pool is 2 and full, f's own unit is free."""
        change = {"at": "5s", "functions": {"f": {"reserved_concurrency": 1}}}
        traffic = {
            "a": {"function": "f", "trace": trace([(4, 5), (4, 5), (6, 5)])},
            "b": {"function": "g", "trace": trace([6, 9])},
        }
        log = run(functions={"f": {}, "g": {}}, traffic=traffic, region={"concurrency_quota": 3}, changes=[change])
        assert [(one.request, one.reason) for one in throttles(log)] == [(3, "account_concurrency")]

    def test_a_second_reservation_still_counts_what_the_first_one_admitted(self) -> None:
        """Reserved 1 admits one until 9; given back at 2; reserved 1 again at 4: full until 9."""
        give, take = (
            {"at": at, "functions": {"f": {"reserved_concurrency": size}}} for at, size in (("2s", "none"), ("4s", 1))
        )
        log = changed([(1, 8), 5, 9], give, take, functions={"f": {"reserved_concurrency": 1}})
        assert refused(log) == [1]


class TestDeploy:
    """New code makes all environments obsolete."""

    def test_idle_environments_are_gone_at_once(self) -> None:
        """Idle since 2, reaped at 5; the request at 5 starts a new one."""
        log = changed([1, 5], {"at": "5s", "deploy": "f"})
        assert [one.reaped for one in environments(log)] == [5, None]
        assert cold(log) == [True, True]

    def test_an_environment_that_had_expired_is_gone_since_then(self) -> None:
        """Idle since 2 with an idle timeout of 1 s: reaped at 3, not at the deployment."""
        log = changed([1], {"at": "5s", "deploy": "f"}, functions={"f": {"idle_timeout": "1s"}})
        assert environments(log)[0].reaped == 3

    def test_a_busy_environment_finishes_and_is_retired(self) -> None:
        """Busy from 1 to 8 over the deployment at 5: reaped at 8, and the request at 8 starts a new one."""
        log = changed([(1, 7), 8], {"at": "5s", "deploy": "f"})
        assert [(one.created, one.reaped) for one in environments(log)] == [(1, 8), (8, None)]

    def test_an_obsolete_environment_does_not_take_who_waits(self) -> None:
        """Request 1 waits for the new environment (init 10 s from 6 on), although the old one is free at 8."""
        log = changed([(0, 8, 0), (6, 1, 10)], {"at": "5s", "deploy": "f"})
        assert invocations(log)[1] == (1, 1, 6, 16, 17, 1, OK, True)

    def test_an_obsolete_environment_whose_init_ends_serves_who_waits_and_is_retired(self) -> None:
        """Started at 4 with 3 s of init, deployed over at 5: it serves from 7 to 8 and is reaped at 8."""
        log = changed([(4, 1, 3)], {"at": "5s", "deploy": "f"})
        assert (invocations(log)[0].handler, environments(log)[0].reaped) == (7, 8)

    def test_an_obsolete_environment_that_nobody_waits_for_is_retired_when_its_init_ends(self) -> None:
        """Environment 0 takes request 1 at 4; environment 1, started at 3, is ready at 9 and reaped there."""
        log = changed([(0, 4, 0), (3, 1, 6)], {"at": "6s", "deploy": "f"})
        assert environments(log)[1].reaped == 9

    def test_an_environment_started_at_the_instant_of_the_deployment_has_the_new_code(self) -> None:
        """The deployment comes first: the environment of the request at 5 stays."""
        assert environments(changed([5, 7], {"at": "5s", "deploy": "f"}))[0].reaped is None


class TestIncident:
    """Durations and errors change for the requests that arrive from then on."""

    def test_durations_of_what_arrives_from_then_on(self) -> None:
        """2 s instead of 1 s from 5 on; the request at 4 keeps its second."""
        change = {"at": "5s", "functions": {"f": {"duration": "2s"}}}
        assert [one.end for one in invocations(changed([4, 5, 8], change))] == [5, 7, 10]

    def test_errors_of_what_arrives_from_then_on(self) -> None:
        """All invocations fail from 5 on, and none any more from 9 on."""
        on = {"at": "5s", "functions": {"f": {"errors": {"rate": "100%"}}}}
        off = {"at": "9s", "functions": {"f": {"errors": {}}}}
        assert [one.result for one in invocations(changed([4, 5, 9], on, off))] == [OK, ERROR, OK]

    def test_a_fix_helps_what_waits(self) -> None:
        """Everything fails until 40. Sent at 0: an event, tried at 0 and 61; a message, at 0 and 30 and 60; a record.

        The record is tried at 1 s, and after 1, 2, 4, 8 and 16 s more, each after the second that it failed in: at 37
        for the last time in vain, at 70.
        """
        function = {"duration": "1s", "timeout": "3s", "errors": {"rate": "100%"}}
        function["async"] = {"jitter": "none", "dispatch_delay": "0s"}
        log = run(
            functions={"e": function, "m": function, "r": function},
            queues={"q": {"event_source_mapping": {"function": "m"}}},
            streams={"s": {"event_source_mapping": {"function": "r"}}},
            traffic={
                "events": {"function": "e", "invoke": "async", "trace": trace([0])},
                "messages": {"function": "m", "invoke": "sqs", "queue": "q", "trace": trace([0])},
                "records": {"function": "r", "invoke": "stream", "stream": "s", "trace": trace([0])},
            },
            changes=[{"at": "40s", "functions": {name: {"errors": {}} for name in ("e", "m", "r")}}],
            duration="10s",
        )
        tried = [(one.request, one.admitted, one.result) for one in invocations(log)]
        assert tried == [
            *((0, 0, ERROR), (0, 61, OK)),
            *((1, 0, ERROR), (1, 30, ERROR), (1, 60, OK)),
            *((2, at, ERROR) for at in (1, 3, 6, 11, 20, 37)),
            (2, 70, OK),
        ]

    def test_the_same_draws_under_another_law(self) -> None:
        """Doubling the mean of an exponential duration doubles each request's own duration, and moves no other."""
        made = {"functions": {"f": {"duration": {"exponential": {"mean": "1s"}}}}, "duration": "20s"}
        traffic = {"t": {"function": "f", "rate": "50/s"}}
        change = {"at": "10s", "functions": {"f": {"duration": {"exponential": {"mean": "2s"}}}}}
        before, after = (
            next(workload_of(scenario(**made, traffic=traffic, changes=changes)).chunks()) for changes in ([], [change])
        )
        late = before.arrival_ns >= 10 * 10**9
        np.testing.assert_array_equal(before.arrival_ns, after.arrival_ns)
        np.testing.assert_array_equal(before.duration_ns[~late], after.duration_ns[~late])
        np.testing.assert_allclose(2 * before.duration_ns[late], after.duration_ns[late], atol=1)


class TestTraffic:
    """Sources are switched on and off."""

    def test_a_source_that_is_off_sends_nothing(self) -> None:
        """Off from 2 on, on again from 4 on, each for what would be sent at that instant."""
        off, on = {"at": "2s", "traffic": {"t": "off"}}, {"at": "4s", "traffic": {"t": "on"}}
        assert [one.admitted for one in invocations(changed([1, 2, 3, 4, 5], off, on))] == [1, 4, 5]

    def test_what_comes_after_does_not_move(self) -> None:
        """The requests outside the pause are those of the run without it, with the same draws."""
        made = {"duration": "20s", "traffic": {"t": {"function": "f", "rate": "50/s"}}}
        made["functions"] = {"f": {"duration": {"exponential": {"mean": "1s"}}}}
        pause = [{"at": "5s", "traffic": {"t": "off"}}, {"at": "15s", "traffic": {"t": "on"}}]
        whole, paused = (next(workload_of(scenario(**made, changes=changes)).chunks()) for changes in ([], pause))
        kept = (whole.arrival_ns < 5 * 10**9) | (whole.arrival_ns >= 15 * 10**9)
        assert 0 < kept.sum() < len(kept)
        for column in ("arrival_ns", "ordinal", "duration_ns", "idle_timeout_ns"):
            np.testing.assert_array_equal(getattr(whole, column)[kept], getattr(paused, column))
