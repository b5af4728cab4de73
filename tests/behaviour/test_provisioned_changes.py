"""Provisioned concurrency that changes during the run, together with limits and code, and what it leaves as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lambdasim.eventlog.log import EventLog
from tests.behaviour.capacity_timeline import (
    CHANGED,
    IN_PROGRESS,
    ON_DEMAND,
    ONE_A_SECOND,
    PROVISIONED,
    READY,
    capacity,
    levels,
    lives,
    on_provisioned,
    ran_on,
    spilled,
    to,
    with_capacity,
)
from tests.behaviour.timeline import accepted, cold, environments, invocations, refusals, spans, throttles
from tests.builders import log_of, scenario, workload_of

AT_ONCE = {"provisioned_allocation": "unlimited"}
SLOWLY = {"provisioned_allocation": ONE_A_SECOND}
ONE_TOKEN_A_UNIT = {"requests_per_concurrency": 1}
NS = 1e-9


def changing(
    units: int, rows: Any, *changes: dict[str, Any], function: dict[str, Any] | None = None, **parts: Any
) -> EventLog:
    """A run of function f, whose units come at once unless told otherwise, under changes."""
    return with_capacity(units, rows, {**AT_ONCE, **(function or {})}, changes=list(changes), **parts)


class TestUpAndDown:
    """What is admitted at the instant of a change, and around it."""

    def test_up(self) -> None:
        """1 until 5, 3 from then on: of three at 4 two spill over, of three at 5 none."""
        log = changing(1, [(4, 0.5)] * 3 + [5] * 3, to(5, 3))
        assert spilled(log) == [(1, "concurrency"), (2, "concurrency")]

    def test_down(self) -> None:
        """3 until 5, 1 from then on: of three at 4 none spills over, of three at 5 two."""
        log = changing(3, [(4, 0.5)] * 3 + [5] * 3, to(5, 1))
        assert spilled(log) == [(4, "concurrency"), (5, "concurrency")]

    @pytest.mark.parametrize("none", ["none", 0])
    def test_none(self, none: str | int) -> None:
        """From 5 on nothing is provisioned, so nothing spills over; the next is cold, with an init of 2 s."""
        log = changing(1, [4, 5], to(5, none), function={"init": "2s"})
        assert (ran_on(log), cold(log), spilled(log)) == ([PROVISIONED, ON_DEMAND], [False, True], [])
        assert levels(log)[-1] == (5, 0, 0, READY)

    def test_none_and_again(self) -> None:
        """Other environments, and none of the old ones."""
        log = changing(1, [4, 8], to(5, "none"), to(7, 1))
        assert lives(log) == [(0, 0, 5), (7, 7, None)]
        assert ran_on(log) == [PROVISIONED, PROVISIONED]

    def test_those_of_one_instant_in_the_order_of_the_file(self) -> None:
        """3 and then 1 leaves 1, 1 and then 3 leaves 3."""
        assert levels(changing(2, [], to(5, 3), to(5, 1)))[-1] == (5, 1, 1, READY)
        assert levels(changing(2, [], to(5, 1), to(5, 3)))[-1] == (5, 3, 3, READY)

    def test_down_and_up_at_one_instant_makes_new_environments(self) -> None:
        """2 from the start, none and again 2 at 5: the old ones are gone, two new ones come after a preparation."""
        log = changing(2, [5], to(5, 0), to(5, 2), function=SLOWLY)
        assert lives(log) == [(0, 0, 5), (0, 0, 5), (11, 11, None), (12, 12, None)]
        assert spilled(log) == [(0, "not_ready")]

    def test_a_decrease_at_the_instant_at_which_units_are_ready(self) -> None:
        """Asked for at 10, ready at 16, given up at 16: ready first, then gone; the arrival at 16 is on demand."""
        log = changing(0, [16], to(10, 1), to(16, 0), function=SLOWLY)
        assert [row[:4] for row in capacity(log)] == [
            (10, 1, 0, IN_PROGRESS),
            (16, 1, 1, READY),
            (16, 0, 0, READY),
        ]
        assert lives(log) == [(16, 16, 16)]
        assert (ran_on(log), spilled(log)) == ([ON_DEMAND], [])

    def test_an_increase_at_the_instant_at_which_units_are_ready(self) -> None:
        """Asked for at 10, ready at 16, one more at 16: ready at 22."""
        log = changing(0, [16, 16], to(10, 1), to(16, 2), function=SLOWLY)
        assert levels(log) == [(10, 1, 0, IN_PROGRESS), (16, 2, 1, IN_PROGRESS), (22, 2, 2, READY)]
        assert spilled(log) == [(1, "concurrency")]

    def test_a_change_of_something_else_changes_no_capacity(self) -> None:
        """Other durations from 5 on."""
        log = changing(2, [5], {"at": "5s", "functions": {"f": {"duration": "3s"}}})
        assert len(capacity(log)) == 1
        assert invocations(log)[0].end == 8

    def test_another_function_is_not_concerned(self) -> None:
        """f goes up; g keeps what it has, and its environments."""
        log = changing(1, [], to(5, 2), others={"g": {"provisioned_concurrency": 1}})
        assert len(capacity(log, "g")) == 1
        assert lives(log, "g") == [(0, 0, None)]

    def test_two_functions_at_one_instant(self) -> None:
        """One change for both: f up, g down; the pool of 10 - 3 - 1 = 6 is what h has."""
        change = {"at": "5s", "functions": {name: {"provisioned_concurrency": n} for name, n in (("f", 3), ("g", 1))}}
        rows = [(5, 1, None, "h")] * 7
        log = changing(1, rows, change, others={"g": {"provisioned_concurrency": 2}, "h": {}},
                       region={"concurrency_quota": 10})  # fmt: skip
        assert len(accepted(log)) == 6
        assert levels(log, "g")[-1] == (5, 1, 1, READY)


class TestBuckets:
    """The request rate of the units: 1 a second for each here."""

    def test_new_units_leave_the_tokens_as_they_are(self) -> None:
        """One token, used at 9.75: 0.25 at 10, when 1 unit becomes 3. With 3/s there is a whole one at 10.25."""
        rows = [(9.75, NS), (10, NS), (10.25, NS), (10.25 + NS, NS)]
        assert spilled(changing(1, rows, to(10, 3), region=ONE_TOKEN_A_UNIT)) == [
            (1, "request_rate"),
            (3, "request_rate"),
        ]

    def test_they_refill_at_the_new_rate_from_then_on(self) -> None:
        """0.25 at 10 and 3/s: 0.97 at 10.24, not a whole one."""
        for at, expected in ((10.25, []), (10.24, [(1, "request_rate")])):
            assert spilled(changing(1, [(9.75, NS), (at, NS)], to(10, 3), region=ONE_TOKEN_A_UNIT)) == expected

    def test_the_first_units_are_ready_with_a_full_bucket(self) -> None:
        """Two units from 10 on: two tokens."""
        log = changing(0, [(10 + number * NS, NS) for number in range(3)], to(10, 2), region=ONE_TOKEN_A_UNIT)
        assert spilled(log) == [(2, "request_rate")]

    def test_units_that_are_not_ready_bring_no_tokens(self) -> None:
        """1 unit; 3 asked for at 10, ready at 17. One a second until then, never more than one saved up; 3/s after."""
        rows = [(10, NS), (10.5, NS), (17, NS), (17 + NS, NS), (17.3, NS), (17.4, NS)]
        log = changing(1, rows, to(10, 3), function=SLOWLY, region=ONE_TOKEN_A_UNIT)
        assert spilled(log) == [(1, "request_rate"), (3, "request_rate"), (4, "request_rate")]

    def test_a_full_bucket_stays_full_when_units_go(self) -> None:
        """3 tokens, 1 unit from 10 on: 1 token, not 3."""
        log = changing(3, [(10 + number * NS, NS) for number in range(2)], to(10, 1), region=ONE_TOKEN_A_UNIT)
        assert spilled(log) == [(1, "request_rate")]

    def test_an_empty_bucket_stays_empty_when_units_go(self) -> None:
        """3 taken just before 10, when 1 unit is left: a token at 11."""
        rows = [*((10 - (3 - number) * NS, NS) for number in range(3)), (10, NS), (10.999, NS), (11, NS)]
        log = changing(3, rows, to(10, 1), region=ONE_TOKEN_A_UNIT)
        assert spilled(log) == [(3, "request_rate"), (4, "request_rate")]


class TestWithReservations:
    """Reserved and provisioned units change together, or one after the other."""

    def test_both_at_once(self) -> None:
        """Quota 10. From 5 on f has R = 4 and P = 2: six for g; of f two provisioned, two on demand, one refused."""
        rows = [5] * 5 + [(5, 1, None, "g")] * 7
        log = changing(0, rows, to(5, 2, reserved_concurrency=4), others={"g": {}}, region={"concurrency_quota": 10})
        assert ran_on(log)[:4] == [PROVISIONED, PROVISIONED, ON_DEMAND, ON_DEMAND]
        assert throttles(log) == [(4, 1, 5, "reserved_concurrency"), (11, 1, 5, "account_concurrency")]

    def test_a_reservation_that_takes_the_units_in(self) -> None:
        """Quota 10, P = 2: the pool is 8. R = 2 at 5: 8 as before, for f's units are reserved ones now."""
        rows = [(4, 0.5, None, "g")] * 9 + [(5, 1, None, "g")] * 9
        change = {"at": "5s", "functions": {"f": {"reserved_concurrency": 2}}}
        log = changing(2, rows, change, others={"g": {}}, region={"concurrency_quota": 10})
        assert refusals(log) == [(4, "account_concurrency"), (5, "account_concurrency")]

    def test_a_reservation_that_is_given_back_leaves_the_units_out_of_the_pool(self) -> None:
        """Quota 10, R = 5 with P = 2 until 5: the pool is 5, then 8, which f's spillovers use as well."""
        rows = [(4, 0.5, None, "g")] * 6 + [5] * 3 + [(5, 1, None, "g")] * 8
        change = {"at": "5s", "functions": {"f": {"reserved_concurrency": "none"}}}
        log = changing(2, rows, change, function={"reserved_concurrency": 5}, others={"g": {}},
                       region={"concurrency_quota": 10})  # fmt: skip
        assert refusals(log) == [(4, "account_concurrency"), (5, "account_concurrency")]
        assert spilled(log) == [(8, "concurrency")]

    def test_busy_units_stay_out_of_the_pool_until_they_are_free(self) -> None:
        """Quota 4, P = 2, both busy from 0 to 5 and not wanted from 1 on: g finds 2 at 2, and 2 more at 5."""
        rows = [(0, 5), (0, 5), *[(2, 9, None, "g")] * 3, *[(5, 9, None, "g")] * 3]
        log = changing(2, rows, to(1, "none"), others={"g": {}}, region={"concurrency_quota": 4})
        assert refusals(log) == [(2, "account_concurrency"), (5, "account_concurrency")]

    def test_units_count_for_a_reservation_that_comes_later(self) -> None:
        """P = 1 busy from 0 to 10, R = 1 from 2 on: full at 3, free at 10."""
        change = {"at": "2s", "functions": {"f": {"reserved_concurrency": 1}}}
        log = changing(1, [(0, 10), 3, 10], change)
        assert refusals(log) == [(3, "reserved_concurrency")]
        assert on_provisioned(log) == [0, 2]

    def test_units_that_are_ready_do_not_help_beyond_the_reservation(self) -> None:
        """R = 2, both used on demand until 10 and 12. P = 1 at 5: idle, but at 6 two of two are in flight.

        At 10 one of them ends, and the unit is used until 11; of two at 11 one has it, and the other is one too many.
        """
        log = changing(0, [(0, 10), (0, 12), 6, 10, 11, 11], to(5, 1), function={"reserved_concurrency": 2})
        assert refusals(log) == [(6, "reserved_concurrency"), (11, "reserved_concurrency")]
        assert on_provisioned(log) == [3, 4]

    def test_a_reservation_of_0_switches_off_what_has_no_units_any_more(self) -> None:
        """Both to 0 at 5: refused, and the unit is gone."""
        log = changing(1, [4, 5], to(5, 0, reserved_concurrency=0))
        assert refusals(log) == [(5, "reserved_concurrency")]
        assert lives(log) == [(0, 0, 5)]

    def test_a_larger_quota_is_for_the_others(self) -> None:
        """Quota 3 with P = 2, 5 from 5 on: g has 1, then 3."""
        rows = [(4, 0.5, None, "g")] * 2 + [(5, 1, None, "g")] * 4
        change = {"at": "5s", "region": {"concurrency_quota": 5}}
        log = changing(2, rows, change, others={"g": {}}, region={"concurrency_quota": 3})
        assert refusals(log) == [(4, "account_concurrency"), (5, "account_concurrency")]

    def test_a_cut_of_the_quota_leaves_the_units(self) -> None:
        """Quota 5 with P = 2, 2 from 5 on: f's units serve, and nobody else does."""
        change = {"at": "5s", "region": {"concurrency_quota": 2}}
        log = changing(2, [5, 5, 5, (5, 1, None, "g")], change, others={"g": {}}, region={"concurrency_quota": 5})
        assert ran_on(log) == [PROVISIONED, PROVISIONED]
        assert refusals(log) == [(5, "account_concurrency")] * 2


class TestDeploy:
    """New code: its environments were prepared before the alias moved, so that the capacity has no gap."""

    DEPLOY = ({"at": "10s", "deploy": "f"},)

    def test_idle_ones_are_replaced_at_once(self) -> None:
        """Two, init 2 s: gone at 10, when two that were created at 8 are there."""
        log = changing(2, [9, 10, 12], *self.DEPLOY, function={**SLOWLY, "init": "2s"})
        assert lives(log) == [(0, 0, 10), (0, 0, 10), (8, 10, None), (8, 10, None)]
        created = [
            environments(log)[row.environment].created for row in invocations(log) if row.environment is not None
        ]
        assert created == [0, 8, 8]
        assert (ran_on(log), cold(log)) == ([PROVISIONED] * 3, [False] * 3)

    def test_what_is_asked_for_and_ready_stays_as_it_is(self) -> None:
        """Nothing is asked for."""
        assert levels(changing(2, [], *self.DEPLOY, function=SLOWLY)) == [(0, 2, 2, READY)]

    def test_busy_ones_are_replaced_when_they_end(self) -> None:
        """The last born is busy from 8 to 13: reaped then, when one that was created at 11 is there."""
        log = changing(2, [(8, 5)], *self.DEPLOY, function={**SLOWLY, "init": "2s"})
        assert lives(log) == [(0, 0, 10), (0, 0, 13), (8, 10, None), (11, 13, None)]

    def test_on_demand_environments_are_obsolete_at_once(self) -> None:
        """One unit and one on demand, both idle since 9: gone at 10, and only the unit has another in its place."""
        log = changing(1, [(8, 1), (8, 1)], *self.DEPLOY, function=SLOWLY)
        assert [row.reaped for row in environments(log)] == [10, 10, None]

    def test_the_arrival_of_that_instant_has_the_new_one(self) -> None:
        """Gone at 10 is gone for the arrival at 10."""
        log = changing(1, [10], *self.DEPLOY)
        assert lives(log) == [(0, 0, 10), (10, 10, None)]
        assert [environments(log)[row.environment or 0].created for row in invocations(log)] == [10]

    def test_nothing_provisioned_nothing_prepared(self) -> None:
        """A deployment of a function without capacity is what it was."""
        log = changing(0, [9, 12], *self.DEPLOY)
        assert (capacity(log), lives(log)) == ([], [])

    def test_what_is_under_preparation_has_the_new_code(self) -> None:
        """3 asked for at 9: the third at 9 + 5 + 1 = 15. It is used at 16 and stays; the other two were replaced."""
        log = changing(2, [16], to(9, 3), *self.DEPLOY, function=SLOWLY)
        assert lives(log) == [(0, 0, 10), (0, 0, 10), (10, 10, None), (10, 10, None), (15, 15, None)]

    def test_busy_ones_that_are_not_wanted_any_more_are_not_replaced(self) -> None:
        """Both busy from 8 to 13, deployed at 10, 1 wanted from 11 on: both gone at 13, one in their place."""
        log = changing(2, [(8, 5), (8, 5)], *self.DEPLOY, to(11, 1), function=SLOWLY)
        assert lives(log) == [(0, 0, 13), (0, 0, 13), (13, 13, None)]


# Random requests, with inits and ages that are drawn.
RANDOM = {
    "duration": {"exponential": {"mean": "300ms"}},
    "init": {"uniform": ["100ms", "2s"]},
    "idle_timeout": {"uniform": ["1s", "9s"]},
    "max_age": {"uniform": ["20s", "60s"]},
    "errors": {"rate": "5%", "crash": "3%"},
    "timeout": "1s",
}


class TestNothingElseMoves:
    """Capacity switched on or off, or raised, leaves the requests as they were."""

    def made(self, function: dict[str, Any] | None = None, **parts: Any) -> Any:
        """A minute of random requests for f."""
        return scenario(
            functions={"f": {**RANDOM, **(function or {})}},
            traffic={"web": {"function": "f", "rate": "20/s"}},
            **{"duration": "60s", **parts},
        )

    CAPACITIES = (
        {"provisioned_concurrency": 1},
        {"provisioned_concurrency": 5},
        {"provisioned_concurrency": 5, "reuse": "lru"},
        {"autoscaling": {"min_capacity": 2, "max_capacity": 50, "target": "70%"}},
    )

    @pytest.mark.parametrize("function", CAPACITIES)
    def test_requests(self, function: dict[str, Any]) -> None:
        """Arrivals, durations, fates, idle timeouts, and what the first environments on demand have as their init."""
        without, with_it = (next(workload_of(made).chunks()) for made in (self.made(), self.made(function)))
        assert len(without.arrival_ns) > 1_000
        for column in (
            "arrival_ns",
            "source",
            "ordinal",
            "function",
            "duration_ns",
            "fate",
            "idle_timeout_ns",
            "init_ns",
        ):
            np.testing.assert_array_equal(getattr(without, column), getattr(with_it, column), err_msg=column)

    @pytest.mark.parametrize("function", CAPACITIES)
    def test_inits_on_demand(self, function: dict[str, Any]) -> None:
        """The n-th environment on demand has the same init, however many provisioned ones there are."""

        def inits(log: EventLog) -> list[int]:
            return log.environments.init_ns[~log.environments.is_provisioned].tolist()

        without, with_it = inits(log_of(self.made())), inits(log_of(self.made(function)))
        common = min(len(without), len(with_it))
        assert common > 5
        assert len(set(without[:common])) > 5
        assert without[:common] == with_it[:common]

    def test_inits_of_provisioned_environments(self) -> None:
        """The n-th provisioned environment has the same init however many are asked for, and its own."""

        def inits(units: int) -> list[int]:
            soon = {"provisioned_allocation": {"prepare": "20s", "rate": 6_000, "per": "1m"}}
            log = log_of(self.made(soon, changes=[to(10, units)]))
            provisioned = log.environments.is_provisioned
            rows = np.flatnonzero(provisioned)
            ready = log.ready_ns[rows]
            return log.environments.init_ns[rows][np.argsort(ready, kind="stable")].tolist()

        # Ready in the order of their numbers, one in 10 ms; what is recycled comes later.
        few, many = inits(4), inits(9)
        assert len(few) >= 4
        assert few[:4] == many[:4]
        on_demand = log_of(self.made()).environments.init_ns.tolist()
        assert not set(few[:4]) & set(on_demand)

    def test_preparation(self) -> None:
        """The time of preparation is that of the first request, whatever it asks for: 9 units are there 50 ms later.

        6,000 a minute are one in 10 ms, and there is no init: 4 are there after 40 ms, 9 after 90.
        """

        def ready(units: int) -> int:
            made = self.made({"init": "0s"}, changes=[to(10, units)], duration="300s")
            return int(log_of(made).capacity.time_ns[1])

        assert ready(9) - ready(4) == 50_000_000

    def test_another_function_that_shares_no_limit(self) -> None:
        """g runs as it does beside an f without capacity: the same invocations, to the nanosecond."""

        def of_g(units: int) -> list[tuple[Any, ...]]:
            made = scenario(
                functions={"f": {**RANDOM, "provisioned_concurrency": units}, "g": {**RANDOM}},
                traffic={"a": {"function": "f", "rate": "20/s"}, "b": {"function": "g", "rate": "20/s"}},
                duration="60s",
            )
            log = log_of(made)
            rows = log.invocations
            mine = rows.function == 1
            columns = (rows.request, rows.admitted_ns, rows.handler_ns, rows.end_ns, rows.result, rows.is_cold)
            return list(zip(*(column[mine].tolist() for column in columns), strict=True))

        assert of_g(0) == of_g(3)
        assert len(of_g(0)) > 1_000

    def test_a_run_with_capacity_is_the_same_run_twice(self) -> None:
        """One seed, one log."""
        made = self.made({"provisioned_concurrency": 3})
        first, second = log_of(made), log_of(made)
        np.testing.assert_array_equal(first.invocations.end_ns, second.invocations.end_ns)
        np.testing.assert_array_equal(first.environments.created_ns, second.environments.created_ns)


EVENTFUL = (
    to(5, 4),
    {"at": "12500ms", "deploy": "f"},
    to(20, 1),
    to(23, 6),
    {"at": "30s", "region": {"concurrency_quota": 9}},
    to(40, "none"),
    to(45, 3),
)


@pytest.fixture(scope="module", params=[1, 2, 3])
def log(request: pytest.FixtureRequest) -> EventLog:
    """A minute of random requests under changes of everything."""
    made = scenario(
        functions={"f": {**RANDOM, **SLOWLY, "provisioned_concurrency": 2, "max_age": {"uniform": ["1s", "9s"]}}},
        traffic={"web": {"function": "f", "rate": "20/s"}},
        changes=list(EVENTFUL),
        region={"concurrency_quota": 12, "requests_per_concurrency": 10},
        duration="60s",
    )
    return log_of(made, request.param)


class TestAlways:
    """What holds whatever happens, in runs of random requests under changes of capacity, quota and code."""

    def test_no_provisioned_invocation_is_cold(self, log: EventLog) -> None:
        """And none waits."""
        rows = log.invocations
        there = np.array(ran_on(log))
        assert there.sum() > 100
        assert not rows.is_cold[there].any()
        np.testing.assert_array_equal(rows.admitted_ns[there], rows.handler_ns[there])

    def test_no_more_busy_than_allocated_at_each_admission(self, log: EventLog) -> None:
        """Counted with the invocation itself; where fewer were asked for meanwhile, nothing new was admitted."""
        rows, there = log.invocations, np.array(ran_on(log))
        starts, ends = rows.admitted_ns[there], log.clipped_end_ns[there]
        for start in starts.tolist():
            allocated = [int(units) for at, units in zip(log.capacity.time_ns, log.capacity.allocated, strict=True)
                         if at <= start][-1]  # fmt: skip
            busy = int(((starts <= start) & (ends > start)).sum())
            assert busy <= allocated

    def test_one_environment_one_invocation_at_a_time(self, log: EventLog) -> None:
        """And all of them between its being ready and its end."""
        rows = log.invocations
        for number in np.flatnonzero(log.environments.is_provisioned):
            mine = np.flatnonzero(rows.environment == number)
            mine = mine[np.argsort(rows.handler_ns[mine])]
            assert (rows.end_ns[mine][:-1] <= rows.handler_ns[mine][1:]).all()
            if len(mine):
                assert rows.handler_ns[mine[0]] >= log.ready_ns[number]
                reaped = log.environments.reaped_ns[number]
                assert reaped == -1 or rows.end_ns[mine[-1]] <= reaped

    def test_spillovers_are_invocations_on_demand(self, log: EventLog) -> None:
        """Every invocation on demand while some capacity was asked for, once, and no other."""
        rows, there = log.invocations, np.array(ran_on(log))
        told = set(zip(log.spillovers.request.tolist(), log.spillovers.attempt.tolist(),
                       log.spillovers.time_ns.tolist(), strict=True))  # fmt: skip
        at, units = log.capacity.time_ns, log.capacity.requested
        expected = set()
        for request, attempt, admitted in zip(rows.request[~there].tolist(), rows.attempt[~there].tolist(),
                                              rows.admitted_ns[~there].tolist(), strict=True):  # fmt: skip
            if units[at <= admitted][-1] > 0:
                expected.add((request, attempt, admitted))
        assert told == expected
        assert len(told) == len(log.spillovers) > 10

    def test_in_the_end_there_are_as_many_as_were_asked_for(self, log: EventLog) -> None:
        """Three, alive and allocated, beside any that still initialise for a deployment (there is none by then)."""
        last = capacity(log)[-1]
        assert (last.requested, last.allocated, last.status) == (3, 3, READY)
        assert sum(reaped is None for _, _, reaped in lives(log)) == 3

    def test_every_change_is_in_the_log(self, log: EventLog) -> None:
        """With its cause."""
        changes = [(row.time, row.requested) for row in capacity(log) if row.cause == CHANGED]
        assert changes == [(5, 4), (20, 1), (23, 6), (40, 0), (45, 3)]


def test_spans_of_units_and_of_spillovers_side_by_side() -> None:
    """1 unit, 2 from 4 on, none from 8 on; a request of 3 s each second from 0 to 9.

    0 has the unit until 3; 1 and 2 spill over; 3 has it until 6; 4 has the second unit until 7; 5 spills over; 6 has
    the first until 9; 7 has the second until 10; 8 and 9 are on demand, without spilling over.
    """
    log = changing(1, [(time, 3) for time in range(10)], to(4, 2), to(8, "none"))
    assert on_provisioned(log) == [0, 3, 4, 6, 7]
    assert spilled(log) == [(1, "concurrency"), (2, "concurrency"), (5, "concurrency")]
    assert [end for _, _, end in spans(log)] == [time + 3 for time in range(10)]
    assert [reaped for _, _, reaped in lives(log)] == [9, 10]
