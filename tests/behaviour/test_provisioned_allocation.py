"""How provisioned concurrency is allocated: preparation, rate, all or nothing, decreases, inits that take too long.

Where nothing else is said, five seconds of preparation and an environment a second: of a request at t the k-th
environment is there at t + 5 + k.
"""

from __future__ import annotations

from typing import Any

import pytest

from lambdasim.api import simulate
from lambdasim.eventlog.log import EventLog
from tests.behaviour.capacity_timeline import (
    ALLOCATED,
    CHANGED,
    FAILED,
    IN_PROGRESS,
    INIT_FAILED,
    ON_DEMAND,
    ONE_A_SECOND,
    PROVISIONED,
    READY,
    S,
    capacity,
    levels,
    lives,
    on_provisioned,
    ran_on,
    requested,
    spilled,
    to,
    with_capacity,
)
from tests.behaviour.timeline import accepted, cold, end_s, environments, invocations, refusals, used
from tests.builders import run, scenario, trace

SHORT_TIMEOUT = {"timeout": "60s"}  # so that the init of a provisioned environment may take 130 s


def allocating(
    rows: Any = (), *changes: dict[str, Any], units: int = 0, function: dict[str, Any] | None = None, **parts: Any
) -> EventLog:
    """A run of function f, whose units come one a second, under changes."""
    own = {"provisioned_allocation": ONE_A_SECOND, **(function or {})}
    return with_capacity(units, rows, own, changes=list(changes), **parts)


def births_and_deaths(log: EventLog) -> list[tuple[float, float | None]]:
    """(created, reaped) of each provisioned environment, those that stay last."""
    both = [(created, reaped) for created, _, reaped in lives(log)]
    return sorted(both, key=lambda life: (life[0], life[1] or float("inf")))


class TestPreparation:
    """From the request until everything that it asks for is there."""

    def test_all_or_nothing(self) -> None:
        """Three asked for at 10: there at 16, 17 and 18, and used from 18 on, when the last one is."""
        log = allocating([9, 10, 16, 17, 18, 18, 18, 18], to(10, 3))
        assert capacity(log) == [(10, 3, 0, IN_PROGRESS, CHANGED), (18, 3, 3, READY, ALLOCATED)]
        assert spilled(log) == [(1, "not_ready"), (2, "not_ready"), (3, "not_ready"), (7, "concurrency")]
        assert on_provisioned(log) == [4, 5, 6]

    def test_before_the_request_nothing_spills_over(self) -> None:
        """At 9 the function has no provisioned concurrency; at 10 the request comes before the arrival."""
        assert spilled(allocating([9, 10], to(10, 1))) == [(1, "not_ready")]

    def test_an_arrival_at_the_instant_at_which_the_units_are_ready(self) -> None:
        """They are there at 16; a nanosecond earlier they are not."""
        assert spilled(allocating([15.999999999], to(10, 1))) == [(0, "not_ready")]
        assert ran_on(allocating([16], to(10, 1))) == [PROVISIONED]

    def test_a_retry_at_the_instant_at_which_the_units_are_ready(self) -> None:
        """Quota 1, all of it provisioned from 10 on: refused at 14, has the unit at 16."""
        client = {"retry": {"delays": ["2s"]}}
        log = allocating([14], to(10, 1), region={"concurrency_quota": 1}, client=client)
        assert refusals(log) == [(14, "account_concurrency")]
        assert ran_on(log) == [PROVISIONED]

    def test_the_init_is_over_when_the_environment_is_there(self) -> None:
        """Init 2 s: created 2 s earlier. The request at 18 is served at once, not cold."""
        log = allocating([18], to(10, 3), function={"init": "2s"})
        assert lives(log) == [(14, 16, None), (15, 17, None), (16, 18, None)]
        assert (cold(log), invocations(log)[0].handler) == ([False], 18)

    def test_an_init_longer_than_the_preparation(self) -> None:
        """Init 7 s. The first would be there at 16, 6 s after the request: created at once, ready at 17.

        The second, at 17, begins at once as well, with nothing to spare; the third at 11.
        """
        log = allocating([], to(10, 3), function={"init": "7s"})
        assert lives(log) == [(10, 17, None), (10, 17, None), (11, 18, None)]
        assert levels(log)[-1] == (18, 3, 3, READY)

    def test_an_init_so_long_that_all_begin_at_once(self) -> None:
        """Init 20 s: all at 10, ready at 30."""
        log = allocating([29.999999999, 30], to(10, 3), function={"init": "20s"})
        assert lives(log) == [(10, 30, None)] * 3
        assert spilled(log) == [(0, "not_ready")]

    def test_the_fourth_is_there_after_four_thirds_of_a_second(self) -> None:
        """No preparation, 3 a second: k thirds of a second, cut to whole nanoseconds."""
        log = allocating([], to(10, 4), function={"provisioned_allocation": {"prepare": "0s", "rate": 3, "per": "1s"}})
        ready = [10 * S + part for part in (333_333_333, 666_666_666, S, 1_333_333_333)]
        assert sorted(log.ready_ns.tolist()) == ready
        assert log.capacity.time_ns.tolist() == [10 * S, ready[-1]]

    @pytest.mark.parametrize(("prepare", "expected"), [("60s", 110), ("120s", 170)])
    def test_5000_units(self, prepare: str, expected: int) -> None:
        """T25: 6,000 a minute are 50 s for 5,000, after 1 to 2 minutes of preparation; until then none is usable."""
        log = with_capacity(
            0,
            [expected - 1e-9, expected],
            {"provisioned_allocation": {"prepare": prepare, "rate": 6_000, "per": "1m"}},
            changes=[to(0, 5_000)],
            region={"concurrency_quota": 6_000},
        )
        assert levels(log) == [(0, 5_000, 0, IN_PROGRESS), (expected, 5_000, 5_000, READY)]
        assert spilled(log) == [(0, "not_ready")]
        assert lives(log)[0][1] == float(prepare[:-1]) + 0.01

    def test_the_preparation_takes_one_to_two_minutes(self) -> None:
        """AWS's, when nothing is said: one unit asked for at 10 comes at 70 to 130 s, which the seed draws."""
        times = {levels(with_capacity(0, [], changes=[to(10, 1)], seed=seed))[-1][0] for seed in range(1, 21)}
        assert len(times) == 20
        assert 70 < min(times) < 90
        assert 110 < max(times) < 130.01

    def test_unlimited_is_at_once(self) -> None:
        """Asked for at 10, used by the arrival at 10."""
        log = allocating([10, 10, 10], to(10, 2), function={"provisioned_allocation": "unlimited"})
        assert levels(log) == [(10, 2, 2, READY)]
        assert ran_on(log) == [PROVISIONED, PROVISIONED, ON_DEMAND]

    def test_unlimited_takes_as_long_as_the_init(self) -> None:
        """Init 2 s: begun at 10, ready at 12."""
        function = {"provisioned_allocation": "unlimited", "init": "2s"}
        log = allocating([11, 12], to(10, 1), function=function)
        assert lives(log) == [(10, 12, None)]
        assert spilled(log) == [(0, "not_ready")]

    @pytest.mark.parametrize(("reuse", "expected"), [("mru", [2, 1, 0]), ("lru", [0, 1, 2])])
    def test_new_units_fell_idle_by_birth_when_they_became_ready(self, reuse: str, expected: list[int]) -> None:
        """Unit 0 works until 16.5, after the first new one is initialised (16), before both are ready (17)."""
        log = allocating([(0, 16.5), 18, 18, 18], to(10, 3), units=1, function={"reuse": reuse})
        assert ran_on(log) == [PROVISIONED] * 4
        created = [row.created for row in environments(log)]
        order = sorted(range(3), key=lambda number: created[number])  # 0, 16 and 17
        assert [order.index(number) for number in used(log)[1:] if number is not None] == expected

    def test_the_pool_shrinks_with_the_request(self) -> None:
        """Quota 3: g has 1 from 10 on, although nothing is ready; what f runs until then takes it as well."""
        rows = [(9, 1, None, "g"), (9, 1, None, "g"), (9, 1, None, "g"), (10, 1, None, "g"), (10, 1, None, "g")]
        log = allocating(rows, to(10, 2), others={"g": {}}, region={"concurrency_quota": 3})
        assert accepted(log) == [0, 1, 2, 3]
        assert refusals(log) == [(10, "account_concurrency")]
        assert refusals(allocating([10, 10], to(10, 2), region={"concurrency_quota": 3})) == [
            (10, "account_concurrency")
        ]

    def test_a_reservation_without_units_left_refuses_until_they_are_ready(self) -> None:
        """R = 2 and P = 2 from 10 on: on demand R - P = 0, so that nothing runs before 17."""
        log = allocating([9, 10, 16, 17], to(10, 2), function={"reserved_concurrency": 2})
        assert accepted(log) == [0, 3]
        assert refusals(log) == [(10, "reserved_concurrency"), (16, "reserved_concurrency")]

    def test_asking_for_what_is_there_is_nothing(self) -> None:
        """No row, no environment."""
        log = allocating([], to(10, 2), units=2)
        assert len(capacity(log)) == 1
        assert len(environments(log)) == 2


class TestSeveralRequests:
    """Another request while one is under way."""

    def test_each_is_ready_by_itself(self) -> None:
        """2 at 10: at 16, 17. 3 more at 12: at 18, 19, 20."""
        log = allocating([17, 17, 17, (20, 1), (20, 1), (20, 1), (20, 1), (20, 1)], to(10, 2), to(12, 5))
        assert levels(log) == [
            (10, 2, 0, IN_PROGRESS),
            (12, 5, 0, IN_PROGRESS),
            (17, 5, 2, IN_PROGRESS),
            (20, 5, 5, READY),
        ]
        assert spilled(log) == [(2, "concurrency")]
        assert on_provisioned(log) == [0, 1, 3, 4, 5, 6, 7]

    def test_a_later_one_may_be_ready_first(self) -> None:
        """10 at 10: until 25. 1 more at 11: at 17."""
        log = allocating([], to(10, 10), to(11, 11))
        assert levels(log)[1:] == [(11, 11, 0, IN_PROGRESS), (17, 11, 1, IN_PROGRESS), (25, 11, 11, READY)]

    def test_two_at_one_instant(self) -> None:
        """2 and then 3 at 10: two requests, of 2 (at 16, 17) and of 1 (at 16)."""
        log = allocating([], to(10, 2), to(10, 3))
        assert levels(log) == [(10, 3, 0, IN_PROGRESS), (16, 3, 1, IN_PROGRESS), (17, 3, 3, READY)]

    def test_beside_what_is_ready(self) -> None:
        """1 from the start goes on serving while 2 more are prepared."""
        log = allocating([10, (15, 3), 16, (17, 5), (17, 5), (17, 5)], to(10, 3), units=1)
        assert levels(log) == [(0, 1, 1, READY), (10, 3, 1, IN_PROGRESS), (17, 3, 3, READY)]
        # At 16 the one unit is busy until 18; at 17 two more are there.
        assert spilled(log) == [(2, "concurrency"), (5, "concurrency")]


class TestDecreaseDuringPreparation:
    """What is still being prepared is given up first, the latest request first, from its last environment."""

    def test_part_of_a_request(self) -> None:
        """3 at 10, 1 at 12: the first keeps its time, 16, and is ready then."""
        log = allocating([16], to(10, 3), to(12, 1))
        assert levels(log) == [(10, 3, 0, IN_PROGRESS), (12, 1, 0, IN_PROGRESS), (16, 1, 1, READY)]
        assert lives(log) == [(16, 16, None)]
        assert ran_on(log) == [PROVISIONED]

    def test_all_of_a_request(self) -> None:
        """None at 12: nothing is prepared, nothing comes, nothing spills over."""
        log = allocating([12, 18], to(10, 3), to(12, "none"))
        assert levels(log) == [(10, 3, 0, IN_PROGRESS), (12, 0, 0, READY)]
        assert (lives(log), spilled(log)) == ([], [])

    def test_the_latest_request_first(self) -> None:
        """2 at 10 (16, 17), 3 more at 12 (18, 19, 20), 3 in all at 14: of the second request the first is left."""
        log = allocating([], to(10, 2), to(12, 5), to(14, 3))
        assert levels(log)[2:] == [(14, 3, 0, IN_PROGRESS), (17, 3, 2, IN_PROGRESS), (18, 3, 3, READY)]

    def test_more_than_the_latest_request(self) -> None:
        """The same, 1 in all at 14: the second request goes, and one of the first."""
        log = allocating([], to(10, 2), to(12, 5), to(14, 1))
        assert levels(log)[2:] == [(14, 1, 0, IN_PROGRESS), (16, 1, 1, READY)]

    def test_what_is_ready_stays(self) -> None:
        """2 from the start, 4 asked for at 10, 3 at 12: one of two is given up; 2 at 13: the other as well."""
        log = allocating([], to(10, 4), to(12, 3), to(13, 2), units=2)
        assert levels(log) == [
            (0, 2, 2, READY),
            (10, 4, 2, IN_PROGRESS),
            (12, 3, 2, IN_PROGRESS),
            (13, 2, 2, READY),
        ]
        assert lives(log) == [(0, 0, None), (0, 0, None)]

    def test_into_what_is_ready(self) -> None:
        """2 from the start, 4 asked for at 10, 1 at 12: both of the request, and one of the ready ones, at once."""
        log = allocating([], to(10, 4), to(12, 1), units=2)
        assert levels(log)[1:] == [(10, 4, 2, IN_PROGRESS), (12, 1, 1, READY)]
        assert lives(log) == [(0, 0, 12), (0, 0, None)]

    def test_environments_that_are_initialising_are_reaped(self) -> None:
        """Init 7 s, begun at 10, 10 and 11. Reduced to 1 at 12: the first goes on to 17, the others are gone at 12."""
        log = allocating([16, 17], to(10, 3), to(12, 1), function={"init": "7s"})
        assert levels(log)[-1] == (17, 1, 1, READY)
        assert births_and_deaths(log) == [(10, 12), (10, None), (11, 12)]
        assert spilled(log) == [(0, "not_ready")]

    def test_an_environment_that_was_reaped_during_its_init_was_never_ready_later(self) -> None:
        """As before: whatever stands as the end of their inits, it is not after 12."""
        log = allocating([], to(10, 3), to(12, 1), function={"init": "7s"})
        reaped = [(ready, reaped) for _, ready, reaped in lives(log) if reaped is not None]
        assert len(reaped) == 2
        assert all(ready is None or ready <= gone for ready, gone in reaped)

    def test_what_is_left_may_be_ready_at_once(self) -> None:
        """Three at 10 (16, 17, 18) reduced to one at 17: the first has been initialised since 16, so it is ready."""
        log = allocating([17], to(10, 3), to(17, 1))
        assert levels(log)[-1] == (17, 1, 1, READY)
        assert ran_on(log) == [PROVISIONED]


class TestDecrease:
    """Fewer units than are ready: at once, for the pool, for what is admitted, and for the bill."""

    @pytest.mark.parametrize(("reuse", "worker"), [("mru", 2), ("lru", 0)])
    def test_those_idle_longest_go_first(self, reuse: str, worker: int) -> None:
        """Of three one has worked until 1: it stays, the others are reaped at 10."""
        log = allocating([0, 11, 11], to(10, 1), units=3, function={"reuse": reuse})
        assert [row.reaped for row in environments(log)][:3] == [None if k == worker else 10 for k in range(3)]
        assert levels(log)[1:] == [(10, 1, 1, READY)]
        assert used(log) == [worker, worker, 3]

    def test_busy_ones_finish(self) -> None:
        """Two busy until 5 and 20, one unit from 2 on: the one that ends first is reaped then, the other stays."""
        log = allocating([(0, 20), (0, 5), 4, 6, 20], to(2, 1), units=2)
        assert lives(log) == [(0, 0, 5), (0, 0, None)]
        assert [row.end for row in invocations(log)[:2]] == [20, 5]
        assert spilled(log) == [(2, "concurrency"), (3, "concurrency")]
        assert ran_on(log)[4] is PROVISIONED
        assert levels(log)[1:] == [(2, 1, 1, READY)]

    def test_idle_ones_before_busy_ones(self) -> None:
        """Three, two of them busy until 5 and 7, one unit from 2 on: the idle one goes at 2, the next at 5."""
        log = allocating([(0, 5), (0, 7)], to(2, 1), units=3)
        assert [row.reaped for row in environments(log)] == [2, None, 5]  # mru: 2 until 5, 1 until 7

    def test_to_none_while_all_are_busy(self) -> None:
        """Nothing is stopped; each goes when it ends; what comes runs on demand and is no spillover."""
        log = allocating([(0, 20), (0, 5), 3], to(2, "none"), units=2)
        assert lives(log) == [(0, 0, 5), (0, 0, 20)]
        assert levels(log)[1:] == [(2, 0, 0, READY)]
        assert (ran_on(log)[2], spilled(log)) == (ON_DEMAND, [])

    def test_an_increase_while_the_old_ones_still_work(self) -> None:
        """Two busy until 20, none from 2 on, one from 3 on, at once: it is new, and stays when the others end."""
        log = allocating([(0, 20), (0, 20), (21, 1)], to(2, 0), to(3, 1), units=2,
                         function={"provisioned_allocation": "unlimited"})  # fmt: skip
        assert lives(log) == [(0, 0, 20), (0, 0, 20), (3, 3, None)]
        assert ran_on(log)[2] is PROVISIONED

    def test_what_still_works_counts_as_busy(self) -> None:
        """Busy until 20, given up at 2; one asked for at 3, ready at 9. At 5 none is ready; at 10 one of one is busy.

        The new one serves from 20 on, when the old one has ended and is reaped.
        """
        log = allocating([(0, 20), 5, 10, 20], to(2, 0), to(3, 1), units=1)
        assert spilled(log) == [(1, "not_ready"), (2, "concurrency")]
        assert lives(log) == [(0, 0, 20), (9, 9, None)]
        assert ran_on(log)[3] is PROVISIONED

    def test_at_the_instant_of_an_end_the_end_comes_first(self) -> None:
        """Busy until 5, 1 of 2 from 5 on: it is idle since 5, the other since 0, so the other goes."""
        log = allocating([(0, 5), 5], to(5, 1), units=2)
        assert [row.reaped for row in environments(log)] == [5, None]  # mru: unit 1 worked
        assert used(log) == [1, 1]

    def test_the_pool_grows_at_once(self) -> None:
        """Quota 3, two of them provisioned and idle until 10: g has 1 before and 3 from then on."""
        rows = [(9, 1, None, "g"), (9, 1, None, "g"), *[(10, 1, None, "g")] * 4]
        log = allocating(rows, to(10, 0), units=2, others={"g": {}}, region={"concurrency_quota": 3})
        assert refusals(log) == [(9, "account_concurrency"), (10, "account_concurrency")]

    def test_a_crash_does_not_bring_a_surplus_unit_back(self) -> None:
        """Busy until 5 when its unit is given up at 2, and crashes: reaped all the same."""
        log = allocating([(0, 5), 10], to(2, 0), units=1, function={"errors": {"crash": "100%"}})
        assert lives(log) == [(0, 0, 5)]
        assert ran_on(log) == [PROVISIONED, ON_DEMAND]

    def test_a_surplus_unit_past_its_max_age_has_no_successor(self) -> None:
        """Busy until 9, older than 5 s, given up at 2: reaped and not replaced."""
        log = allocating([(0, 9)], to(2, 0), units=1, function={"max_age": "5s"})
        assert lives(log) == [(0, 0, 9)]


class TestFailedInit:
    """An init may take 130 s, or as long as the timeout where that is longer."""

    def test_a_request_with_such_an_init_fails(self) -> None:
        """Init 131 s, begun at 10: failed at 140, both environments are gone, and nothing is asked for any more."""
        log = allocating([139, 140], to(10, 2), function={**SHORT_TIMEOUT, "init": "131s"})
        assert capacity(log) == [(10, 2, 0, IN_PROGRESS, CHANGED), (140, 0, 0, FAILED, INIT_FAILED)]
        assert births_and_deaths(log) == [(10, 140), (10, 140)]
        assert spilled(log) == [(0, "not_ready")]

    @pytest.mark.parametrize(("timeout", "init", "ready"), [("60s", 130, 140), ("200s", 200, 210), ("200s", 150, 160)])
    def test_an_init_of_exactly_the_limit_is_allowed(self, timeout: str, init: int, ready: int) -> None:
        """130 s, or the timeout."""
        log = allocating([], to(10, 2), function={"timeout": timeout, "init": f"{init}s"})
        assert levels(log)[-1] == (ready, 2, 2, READY)

    def test_an_init_over_a_long_timeout_fails_at_the_timeout(self) -> None:
        """Timeout 200 s, init 201 s: failed at 210."""
        log = allocating([], to(10, 1), function={"timeout": "200s", "init": "201s"})
        assert levels(log)[-1] == (210, 0, 0, FAILED)

    def test_what_had_not_begun_never_does(self) -> None:
        """Preparation 200 s, one in 100 s: due at 310, 410, 510, begun 131 s earlier: 179, 279 and (never) 379.

        The first fails at 179 + 130 = 309.
        """
        slow = {"prepare": "200s", "rate": 1, "per": "100s"}
        function = {**SHORT_TIMEOUT, "init": "131s", "provisioned_allocation": slow}
        log = allocating([], to(10, 3), function=function)
        assert levels(log)[-1] == (309, 0, 0, FAILED)
        assert births_and_deaths(log) == [(179, 309), (279, 309)]

    def test_what_was_ready_stays_and_the_rest_is_given_back(self) -> None:
        """1 from the start, 3 asked for at 10: after 140 there is 1 as before, and the pool has 2 again.

        Quota 4: g finds 1 at 139 and 3 at 140.
        """
        rows = [(139, 1, None, "g"), (139, 1, None, "g"), *[(140, 1, None, "g")] * 4, 141]
        log = allocating(rows, to(10, 3), units=1, function={**SHORT_TIMEOUT, "init": "131s"}, others={"g": {}},
                         region={"concurrency_quota": 4})  # fmt: skip
        assert levels(log)[1:] == [(10, 3, 1, IN_PROGRESS), (140, 1, 1, FAILED)]
        assert refusals(log) == [(139, "account_concurrency"), (140, "account_concurrency")]
        assert on_provisioned(log) == [6]

    def test_the_one_that_would_have_failed_may_be_given_up_before(self) -> None:
        """Due at 211, 212 and 213, with inits of 1, 1 and 150 s (with this seed): begun at 210, 211 and 63.

        The third would fail at 63 + 130 = 193, before the others begin. Given up at 100, it fails nothing.
        """
        slow = {"prepare": "200s", "rate": 1, "per": "1s"}
        function = {**SHORT_TIMEOUT, "init": {"empirical": ["1s", "150s"]}, "provisioned_allocation": slow}
        failed = allocating([], to(10, 3), function=function, seed=5)
        assert levels(failed)[-1] == (193, 0, 0, FAILED)
        assert births_and_deaths(failed) == [(63, 193)]
        log = allocating([(193, 1), (212, 1)], to(10, 3), to(100, 2), function=function, seed=5)
        assert levels(log)[1:] == [(100, 2, 0, IN_PROGRESS), (212, 2, 2, READY)]
        assert births_and_deaths(log) == [(63, 100), (210, None), (211, None)]
        assert on_provisioned(log) == [1]

    def test_another_request_goes_on(self) -> None:
        """2 at 10 fail at 140; 1 more at 20 would fail at 150 and is asked for until then."""
        log = allocating([], to(10, 2), to(20, 3), function={**SHORT_TIMEOUT, "init": "131s"})
        assert requested(log) == [(10, 2), (20, 3), (140, 1), (150, 0)]
        assert levels(log)[-1] == (150, 0, 0, FAILED)

    def test_the_status_stays_until_the_next_request(self) -> None:
        """Failed at 140, asked again at 300, failed at 430."""
        log = allocating([], to(10, 1), to(300, 1), function={**SHORT_TIMEOUT, "init": "131s"})
        assert levels(log)[1:] == [(140, 0, 0, FAILED), (300, 1, 0, IN_PROGRESS), (430, 0, 0, FAILED)]

    def test_inits_over_10_s_are_no_failure_here(self) -> None:
        """The 10 s are a limit on demand: with 12 s the unit is ready at 22 and starts at once."""
        log = allocating([22], to(10, 1), function={"init": "12s"})
        assert [(row.handler, row.end) for row in invocations(log)] == [(22, 23)]
        assert lives(log) == [(10, 22, None)]


class TestSandbox:
    """What comes before an init: placing the environment, loading the code."""

    def test_the_environment_is_created_before_both(self) -> None:
        """Sandbox 3 s and init 2 s, over at 16 and 17: created at 11 and 12."""
        log = allocating([], to(10, 2), function={"sandbox": "3s", "init": "2s"})
        assert lives(log) == [(11, 16, None), (12, 17, None)]
        assert log.environments.sandbox_ns.tolist() == [3 * S] * 2
        assert log.environments.init_ns.tolist() == [2 * S] * 2

    def test_both_together_may_take_longer_than_the_preparation(self) -> None:
        """5 + 2 s: as an init of 7 s."""
        log = allocating([], to(10, 3), function={"sandbox": "5s", "init": "2s"})
        assert lives(log) == [(10, 17, None), (10, 17, None), (11, 18, None)]

    def test_the_limit_of_the_init_begins_with_the_init(self) -> None:
        """Sandbox 5 s: an init of 130 s is allowed, ready at 145; one of 131 s fails at 145."""
        for init, expected in (("130s", (145, 1, 1, READY)), ("131s", (145, 0, 0, FAILED))):
            log = allocating([], to(10, 1), function={**SHORT_TIMEOUT, "sandbox": "5s", "init": init})
            assert levels(log)[-1] == expected

    def test_a_reset_and_a_recycled_environment(self) -> None:
        """Sandbox 3 s, init 2 s. Crashed at 1, the next invocation takes 2 + 1 s from 2 on, and is too old at 5.

        Max age 4 s: recycled at 5 by one that was created at 0.
        """
        function = {"sandbox": "3s", "init": "2s", "errors": {"crash": "100%"}, "max_age": "4s"}
        log = allocating([0, 2], units=1, function=function)
        assert [(row.handler, row.end) for row in invocations(log)] == [(0, 1), (2, 5)]
        assert lives(log) == [(0, 0, 5), (0, 5, None)]

    def test_from_the_start_both_are_over(self) -> None:
        """Created and ready at 0."""
        assert lives(allocating([], units=1, function={"sandbox": "3s", "init": "2s"})) == [(0, 0, None)]


class TestEndOfTheRun:
    """What is being prepared keeps no run going."""

    def test_a_request_under_way(self) -> None:
        """Duration 10 s, units at 16: the run ends at 10, and nothing was created."""
        log = allocating(
            [0],
            to(5, 10),
            function={"provisioned_allocation": {"prepare": "1000s", "rate": 1, "per": "1s"}},
            duration="10s",
        )
        assert end_s(log) == 10
        assert levels(log) == [(5, 10, 0, IN_PROGRESS)]
        assert lives(log) == []

    def test_environments_that_are_initialising_are_not_ready(self) -> None:
        """Init 3 s, due at 11, 12, ...: begun at 8, 9, ...; the run ends at 9.5."""
        log = allocating([0], to(5, 10), function={"init": "3s"}, duration="9500ms")
        assert end_s(log) == 9.5
        assert lives(log) == [(8, None, None), (9, None, None)]


class TestTables:
    """What a user sees of it in environments.csv."""

    def test_environments(self) -> None:
        """One from the start, which works for a second; one asked for at 10, there at 16 with an init of 2 s, unused.

        busy_s is the init and the work: 1 s, and 2 s. The request at 0.5 starts one on demand: 2 + 1 s.
        """
        made = scenario(
            functions={"f": {"provisioned_concurrency": 1, "init": "2s", "provisioned_allocation": ONE_A_SECOND}},
            traffic={"t": {"function": "f", "trace": trace([0, 0.5])}},
            changes=[to(10, 2)],
        )
        table = simulate(made).environments
        rows = sorted(tuple(row[["kind", "created_s", "ready_s", "invocations", "busy_s"]].tolist()) for row in table)
        assert rows == [
            ("on-demand", 0.5, 2.5, 1, 3),
            ("provisioned", 0, 0, 1, 1),
            ("provisioned", 14, 16, 0, 2),
        ]

    def test_a_function_without_capacity_has_none(self) -> None:
        """All on demand."""
        log = run(rows=[0])
        assert log.environments.is_provisioned.tolist() == [False]
        assert len(log.capacity) == len(log.spillovers) == 0
