"""Provisioned concurrency that is ready: what runs on it, what spills over and why, and which tokens are taken.

Worked examples T6, T20, T21, T24 and T27 of the AWS pages are named where they stand.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.behaviour.capacity_timeline import (
    CONFIGURED,
    ON_DEMAND,
    PROVISIONED,
    READY,
    Spillover,
    capacity,
    lives,
    on_provisioned,
    provisioned,
    ran_on,
    spilled,
    spillovers,
    to,
    with_capacity,
)
from tests.behaviour.timeline import (
    COLD,
    CRASH,
    OK,
    TIMEOUT,
    WARM,
    accepted,
    attempt_times,
    cold,
    environments,
    invocations,
    refusals,
    spans,
    throttles,
    used,
)
from tests.builders import run, trace

SHORT = {"duration": "1ns"}
ONE_TOKEN_A_UNIT = {"requests_per_concurrency": 1}
AGES = {"max_age": "5s", "init": "2s"}


def of(function: str, *times: float) -> list[tuple[float, None, None, str]]:
    """Rows of a trace for one function."""
    return [(time, None, None, function) for time in times]


class TestReadyFromTheStart:
    """What a scenario configures is there at 0, and its init was before."""

    def test_a_request_at_0_starts_at_once_and_is_not_cold(self) -> None:
        """Init 5 s, but the two units are initialised: handlers at 0."""
        log = with_capacity(2, [0, 0], {"init": "5s"})
        assert [(row.handler, row.end, row.cold) for row in invocations(log)] == [(0, 1, WARM), (0, 1, WARM)]
        assert ran_on(log) == [PROVISIONED, PROVISIONED]

    def test_the_environments_are_created_and_ready_at_0(self) -> None:
        """Without an init in the run; nobody uses them, and nobody takes them away."""
        log = with_capacity(2, function={"init": "5s", "idle_timeout": "1s"})
        assert environments(log) == [("f", 0, 0, None), ("f", 0, 0, None)]
        assert log.environments.is_provisioned.tolist() == [True, True]
        assert log.environments.init_ns.tolist() == [0, 0]

    def test_the_log_says_what_was_configured(self) -> None:
        """One row at 0, and none for a function without."""
        log = with_capacity(2, others={"g": {}})
        assert capacity(log) == [(0, 2, 2, READY, CONFIGURED)]
        assert capacity(log, "g") == []

    def test_0_units_are_none(self) -> None:
        """No row, no environment, and what runs on demand is no spillover."""
        log = with_capacity(0, [0, 0])
        assert (capacity(log), spillovers(log), ran_on(log)) == ([], [], [ON_DEMAND, ON_DEMAND])

    def test_there_is_no_idle_timeout(self) -> None:
        """Idle for 500 s with an idle timeout of 1 s: still there; the environment on demand is gone at 2."""
        log = with_capacity(1, [0, 0, 500], {"idle_timeout": "1s"})
        assert ran_on(log) == [PROVISIONED, ON_DEMAND, PROVISIONED]
        assert [row.reaped for row in environments(log)] == [None, 2]

    def test_an_invocation_is_never_cold_again_and_again(self) -> None:
        """Ten in a row on one unit, each at the end of the one before: one environment, no cold start."""
        log = with_capacity(1, range(10), {"init": "5s"})
        assert used(log) == [0] * 10
        assert cold(log) == [WARM] * 10


class TestSpilloverByConcurrency:
    """More at once than there are units."""

    def test_what_finds_every_unit_busy_runs_on_demand(self) -> None:
        """The third of three waits for an init of 5 s, and is the only spillover."""
        log = with_capacity(2, [0, 0, 0], {"init": "5s"})
        assert invocations(log)[2] == (2, 1, 0, 5, 6, 2, OK, COLD)
        assert spillovers(log) == [Spillover(2, 1, 0, "concurrency")]

    def test_a_unit_is_free_at_the_instant_of_its_end(self) -> None:
        """Busy until 1: the request at 0.5 spills over, the one at 1 does not."""
        log = with_capacity(1, [0, 0.5, 1])
        assert ran_on(log) == [PROVISIONED, ON_DEMAND, PROVISIONED]
        assert spillovers(log) == [Spillover(1, 1, 0.5, "concurrency")]

    def test_provisioned_comes_first_although_one_on_demand_fell_idle_later(self) -> None:
        """Idle at 5: the provisioned one since 1, the one on demand since 3."""
        log = with_capacity(1, [(0, 1), (0, 3), 5])
        assert ran_on(log) == [PROVISIONED, ON_DEMAND, PROVISIONED]

    def test_a_spillover_that_finds_an_idle_environment_is_not_cold(self) -> None:
        """At 2 the provisioned unit is busy and the environment on demand idle since 1: a spillover all the same."""
        log = with_capacity(1, [(0, 9), (0, 1, 0), 2])
        assert spans(log)[2] == (1, 2, 3)
        assert cold(log) == [WARM, COLD, WARM]
        assert spilled(log) == [(1, "concurrency"), (2, "concurrency")]

    def test_a_refused_attempt_is_no_spillover(self) -> None:
        """Quota 3, 2 of them provisioned: the pool has one unit, and the fourth request is refused."""
        log = with_capacity(2, [0, 0, 0, 0], region={"concurrency_quota": 3})
        assert spilled(log) == [(2, "concurrency")]
        assert throttles(log) == [(3, 1, 0, "account_concurrency")]

    def test_a_retry_may_be_the_spillover(self) -> None:
        """Quota 2, one provisioned. Request 2 is refused at 0 and spills over at 2, on its second attempt."""
        log = with_capacity(
            1, [(0, 9), (0, 2), 0], region={"concurrency_quota": 2}, client={"retry": {"delays": ["2s"]}}
        )
        assert spillovers(log) == [Spillover(1, 1, 0, "concurrency"), Spillover(2, 2, 2, "concurrency")]

    def test_a_retry_may_find_a_unit(self) -> None:
        """The same, but the unit is free at 2: no spillover of request 2."""
        log = with_capacity(
            1, [(0, 2), (0, 9), 0], region={"concurrency_quota": 2}, client={"retry": {"delays": ["2s"]}}
        )
        assert on_provisioned(log) == [0, 2]
        assert spilled(log) == [(1, "concurrency")]

    def test_each_function_has_its_own_units(self) -> None:
        """f spills over while the two units of g are idle."""
        log = with_capacity(1, [0, 0], others={"g": {"provisioned_concurrency": 2}})
        assert ran_on(log) == [PROVISIONED, ON_DEMAND]
        assert [row.function for row in environments(log)].count("g") == 2

    def test_ten_units_take_ten_at_once(self) -> None:
        """T6, the first half: with 10 units the eleventh at once spills over, because all are busy."""
        log = with_capacity(10, [0] * 11, region={"requests_per_concurrency": 10})
        assert spilled(log) == [(10, "concurrency")]

    def test_at_most_60_of_100_are_busy(self) -> None:
        """T27: 60 at once, and 60 more when they are done: never more than 60 busy of 100, which is 0.6."""
        log = with_capacity(100, [0] * 60 + [1] * 60)
        assert ran_on(log) == [PROVISIONED] * 120
        starts_and_ends = [(row.admitted, 1) for row in invocations(log)] + [(row.end, -1) for row in invocations(log)]
        busy, most = 0, 0
        for _, step in sorted(starts_and_ends):  # ends first: -1 before 1
            busy += step
            most = max(most, busy)
        assert most / capacity(log)[0].allocated == 0.6


class TestWhoWaits:
    """A request that waits for its own environment is never served by a provisioned one."""

    def test_a_unit_that_is_freed_takes_nobody_from_the_queue(self) -> None:
        """Request 1 waits from 1 to 11 for its init of 10 s, although the unit is idle from 3 on."""
        log = with_capacity(1, [(0, 3), 1], {"init": "10s"})
        assert invocations(log)[1] == (1, 1, 1, 11, 12, 1, OK, COLD)

    def test_who_comes_later_is_served_earlier(self) -> None:
        """Request 2, at 4, has the unit at once."""
        log = with_capacity(1, [(0, 3), 1, 4], {"init": "10s"})
        assert spans(log) == [(0, 0, 3), (1, 11, 12), (0, 4, 5)]

    def test_environments_on_demand_serve_the_queue_as_ever(self) -> None:
        """Environment 1 is free at 2 and takes request 2, which has waited since 1 for an init of 9 s."""
        log = with_capacity(1, [(0, 30), (0, 2, 0), (1, 1, 9)])
        assert spans(log) == [(0, 0, 30), (1, 0, 2), (1, 2, 3)]
        assert cold(log) == [WARM, COLD, WARM]

    def test_bound_assignment_is_not_concerned(self) -> None:
        """The same as with eager: on its own environment, at 11."""
        log = with_capacity(1, [(0, 3), 1, 4], {"init": "10s", "assignment": "bound"})
        assert spans(log) == [(0, 0, 3), (1, 11, 12), (0, 4, 5)]


class TestReuse:
    """Which unit: the one that fell idle last, or first."""

    @pytest.mark.parametrize(("reuse", "expected"), [("mru", [2, 1, 0]), ("lru", [0, 1, 2])])
    def test_fresh_units_fell_idle_in_the_order_of_their_birth(self, reuse: str, expected: list[int]) -> None:
        """Three at once."""
        assert used(with_capacity(3, [0, 0, 0], {"reuse": reuse})) == expected

    @pytest.mark.parametrize(("reuse", "expected"), [("mru", [2, 2, 2]), ("lru", [0, 1, 2])])
    def test_one_after_the_other(self, reuse: str, expected: list[int]) -> None:
        """A second apart: always the same, or all in turn."""
        assert used(with_capacity(3, [0, 2, 4], {"reuse": reuse})) == expected

    @pytest.mark.parametrize(("reuse", "expected"), [("mru", 1), ("lru", 2)])
    def test_the_order_of_ends_counts(self, reuse: str, expected: int) -> None:
        """Three at once for 3, 2 and 1 s with mru on 2, 1, 0: idle again 0 at 1, 1 at 2, 2 at 3. With lru 2, 1, 0.

        The request at 2.5 finds the units of the two shorter ones idle.
        """
        log = with_capacity(3, [(0, 3), (0, 2), (0, 1), 2.5], {"reuse": reuse})
        assert used(log)[3] == expected

    @pytest.mark.parametrize(("reuse", "expected"), [("mru", 1), ("lru", 0)])
    def test_units_that_fall_idle_together_do_so_by_birth(self, reuse: str, expected: int) -> None:
        """Both busy until 2: unit 1 falls idle last."""
        log = with_capacity(2, [(0, 2), (1, 1), 2], {"reuse": reuse})
        assert used(log)[2] == expected


class TestRequestRate:
    """Ten requests a second for each unit, one second deep."""

    def test_the_eleventh_within_a_moment_spills_over(self) -> None:
        """One unit, 10 tokens; a millisecond apart 0.01 comes back, so at 10 ms there is 0.1 of one, at 100 ms one."""
        rows = [*(number / 1_000 for number in range(11)), 0.099, 0.1]
        log = with_capacity(1, rows, {"duration": "1ms"}, region={"requests_per_concurrency": 10})
        assert spillovers(log) == [
            Spillover(10, 1, 0.01, "request_rate"),
            Spillover(11, 1, 0.099, "request_rate"),
        ]

    def test_a_whole_token_is_enough_and_a_nanosecond_earlier_is_not(self) -> None:
        """One token a second, used at 0."""
        for time, expected in ((1, []), (0.999999999, [(1, "request_rate")])):
            assert spilled(with_capacity(1, [(0, 0.1), time], region=ONE_TOKEN_A_UNIT)) == expected

    def test_ten_units_take_a_hundred_a_second(self) -> None:
        """T6, the second half: 10 at once, ten times within 10 ns, then one more: 101 of 100 tokens."""
        rows = [number * 1e-9 for number in range(10) for _ in range(10)] + [10e-9]
        log = with_capacity(10, rows, SHORT, region={"requests_per_concurrency": 10})
        assert spilled(log) == [(100, "request_rate")]

    def test_ten_units_take_a_hundred_a_second_for_ever(self) -> None:
        """T6: 100/s of 50 ms each are 5 at once and use up what is refilled: no spillover."""
        log = with_capacity(10, [number / 100 for number in range(1_000)], {"duration": "50ms"},
                            region={"requests_per_concurrency": 10})  # fmt: skip
        assert spillovers(log) == []

    def test_a_fifth_of_125_a_second_spills_over_at_100_a_second(self) -> None:
        """One at a time every 8 ms, which brings 0.8 of a token: 100 - 0.2 k are left before request k.

        1 before request 495, 0.8 before 496: it spills over. Then 1.6, 1.4, 1.2, 1.0 (the last that is enough), 0.8.
        """
        log = with_capacity(10, [number * 0.008 for number in range(512)], {"duration": "1ms"},
                            region={"requests_per_concurrency": 10})  # fmt: skip
        assert spilled(log) == [(number, "request_rate") for number in (496, 501, 506, 511)]

    def test_the_bucket_holds_no_more_than_a_second(self) -> None:
        """After 100 quiet seconds there are 2 tokens for 2 units."""
        log = with_capacity(2, [100, 100.1, 100.2], {"duration": "1ms"}, region=ONE_TOKEN_A_UNIT)
        assert spilled(log) == [(2, "request_rate")]

    def test_unlimited_switches_it_off(self) -> None:
        """A hundred of 1 ns, one after the other on one unit."""
        assert spillovers(with_capacity(1, [number * 1e-9 for number in range(100)], SHORT)) == []

    def test_all_busy_comes_before_the_request_rate(self) -> None:
        """At 0.125 the unit is busy, its bucket holds 1/8; at 0.5 it is free with half a token; at 1 there is one."""
        log = with_capacity(1, [(0, 0.25), 0.125, 0.5, 1], {"duration": "250ms"}, region=ONE_TOKEN_A_UNIT)
        assert spilled(log) == [(1, "concurrency"), (2, "request_rate")]
        assert on_provisioned(log) == [0, 3]

    def test_what_spills_over_takes_no_token_of_the_units(self) -> None:
        """Two units, 2 tokens a second. At 0 both are taken and one spills over; at 0.5 one token is back: taken."""
        log = with_capacity(2, [(0, 0.25), (0, 0.25), (0, 0.25), 0.5], region=ONE_TOKEN_A_UNIT)
        assert spilled(log) == [(2, "concurrency")]

    def test_each_function_has_a_bucket_of_its_own(self) -> None:
        """f uses its token; g has its own."""
        log = with_capacity(1, [0, *of("g", 0.5), 2.5], {"duration": "100ms"}, region=ONE_TOKEN_A_UNIT,
                            others={"g": {"provisioned_concurrency": 1}})  # fmt: skip
        assert spillovers(log) == []


class TestTokens:
    """An invocation on a provisioned environment takes one token of its own bucket, and nothing else."""

    def test_it_takes_no_token_of_the_account(self) -> None:
        """Three tokens of the account, for the whole quota of 3: f, on its unit, leaves all three to g.

        The pool of g is 2 units, so that it sends two at once, then one, and is refused for its rate.
        """
        log = with_capacity(
            1, [0, *of("g", 0, 0, 1e-9, 2e-9)], others={"g": SHORT}, region={"concurrency_quota": 3, **ONE_TOKEN_A_UNIT}
        )
        assert accepted(log) == [0, 1, 2, 3]
        assert refusals(log) == [(2e-9, "account_rate")]

    def test_what_spills_over_takes_a_token_of_the_account(self) -> None:
        """Two tokens of the account: one for what f spills over, one for g, none for h."""
        log = with_capacity(
            1, [(0, 9), (0, 0.25), *of("g", 0.25), *of("h", 0.25 + 1e-9)], others={"g": SHORT, "h": SHORT},
            region={"concurrency_quota": 2, **ONE_TOKEN_A_UNIT},
        )  # fmt: skip
        # Request 1 at 0 leaves 1 token, 1.5 at 0.25; g leaves 0.5.
        assert accepted(log) == [0, 1, 2]
        assert [reason for _, reason in refusals(log)] == ["account_rate"]

    def test_an_empty_bucket_of_the_account_does_not_hinder_it(self) -> None:
        """g has used the account's 2 tokens and is refused; f has its unit."""
        log = with_capacity(1, [*of("g", 0, 1e-9, 2e-9), 0.125], others={"g": SHORT},
                            region={"concurrency_quota": 2, **ONE_TOKEN_A_UNIT})  # fmt: skip
        assert accepted(log) == [0, 1, 3]
        assert refusals(log) == [(2e-9, "account_rate")]

    def test_it_takes_no_reserved_token(self) -> None:
        """R = 3, P = 1, so 3 tokens and 1: at 0 on the unit; 1, 2 and 3 ns later on demand; then no more."""
        log = with_capacity(1, [number * 1e-9 for number in range(5)], {**SHORT, "reserved_concurrency": 3},
                            region=ONE_TOKEN_A_UNIT)  # fmt: skip
        assert ran_on(log) == [PROVISIONED, ON_DEMAND, ON_DEMAND, ON_DEMAND]
        assert spilled(log) == [(1, "request_rate"), (2, "request_rate"), (3, "request_rate")]
        assert refusals(log) == [(4e-9, "reserved_rate")]

    def test_an_empty_reserved_bucket_refuses_although_a_unit_is_free(self) -> None:
        """R = 3, P = 1: the unit is busy until 10; just before, three spill over and empty the reserved bucket.

        At 10 the unit is free and has its token, but the reserved bucket has 0.3: the function as a whole is refused.
        """
        rows = [(0, 10), (9.9, 1e-9), (9.9 + 1e-9, 1e-9), (9.9 + 2e-9, 1e-9), 10]
        log = with_capacity(1, rows, {"reserved_concurrency": 3}, region=ONE_TOKEN_A_UNIT)
        assert accepted(log) == [0, 1, 2, 3]
        assert refusals(log) == [(10, "reserved_rate")]

    def test_it_takes_no_token_of_the_request_rate_ramp(self) -> None:
        """A ramp of one: the first at 0 has the unit, the second the token, the third is refused."""
        ramp = {"request_rate_ramp": {"start": "1/s", "step": "1/s"}}
        log = with_capacity(1, [0, 0, 0], region=ramp)
        assert ran_on(log) == [PROVISIONED, ON_DEMAND]
        assert refusals(log) == [(0, "scaling_request_rate")]

    def test_an_empty_ramp_does_not_hinder_it(self) -> None:
        """The token is used at 0.25; at 0.5 the unit is free."""
        ramp = {"request_rate_ramp": {"start": "1/s", "step": "1/s"}}
        log = with_capacity(1, [(0, 0.5), 0.25, 0.5], region=ramp)
        assert ran_on(log) == [PROVISIONED, ON_DEMAND, PROVISIONED]

    def test_it_does_not_make_the_ramp_rise(self) -> None:
        """10 at 0, on 10 units for 9 s, are more than 0.9 x 10, but do not count: A stays 10, so 10 of 20 go at 1.5."""
        ramp = {"request_rate_ramp": {"start": "10/s", "step": "5/s"}}
        log = with_capacity(10, [(0, 9)] * 10 + [(1.5, 1e-9)] * 20, region=ramp)
        assert accepted(log) == list(range(20))
        assert [reason for _, reason in refusals(log)] == ["scaling_request_rate"] * 10

    def test_it_takes_no_token_for_a_new_environment(self) -> None:
        """One environment may start: two have units, the third starts it, the fourth is refused."""
        log = with_capacity(2, [0, 0, 0, 0], region={"scaling": {"burst": 1, "rate": 1, "per": "1000s"}})
        assert ran_on(log) == [PROVISIONED, PROVISIONED, ON_DEMAND]
        assert refusals(log) == [(0, "scaling_rate")]

    def test_units_need_no_tokens_for_new_environments(self) -> None:
        """A hundred units from the start leave the burst of 1 to what spills over."""
        log = with_capacity(100, [0] * 101, region={"scaling": {"burst": 1, "rate": 1, "per": "1000s"}})
        assert len(accepted(log)) == 101


class TestReserved:
    """Provisioned units within reserved ones."""

    def test_all_reserved_units_are_provisioned(self) -> None:
        """T24: R = P = 2: the third at once is refused, not spilled over."""
        log = with_capacity(2, [0, 0, 0, 1], {"reserved_concurrency": 2})
        assert ran_on(log) == [PROVISIONED] * 3
        assert throttles(log) == [(2, 1, 0, "reserved_concurrency")]
        assert spillovers(log) == []

    def test_where_all_are_provisioned_the_rate_refuses_as_well(self) -> None:
        """R = P = 1, one token a second: at 0.5 the unit is free without a token, and on demand there are R - P = 0."""
        log = with_capacity(1, [(0, 0.1), 0.5, 1], {"reserved_concurrency": 1}, region=ONE_TOKEN_A_UNIT)
        assert ran_on(log) == [PROVISIONED, PROVISIONED]
        assert refusals(log) == [(0.5, "reserved_concurrency")]

    def test_the_rest_of_the_reserved_units_takes_what_spills_over(self) -> None:
        """R = 3, P = 2: two provisioned, one on demand, the fourth refused."""
        log = with_capacity(2, [0] * 4, {"reserved_concurrency": 3})
        assert ran_on(log) == [PROVISIONED, PROVISIONED, ON_DEMAND]
        assert spilled(log) == [(2, "concurrency")]
        assert throttles(log) == [(3, 1, 0, "reserved_concurrency")]

    def test_the_rest_is_no_more_than_r_less_p_while_units_are_idle(self) -> None:
        """R = 3, P = 2, one token a unit and second: both tokens at 0, and short; at 0.1 the buckets hold 0.2 and 3.

        Of two at once at 0.1 one runs on demand (R - P = 1), the other is refused although both units are idle.
        """
        rows = [(0, 1e-9), (0, 1e-9), (0.1, 1), (0.1, 1)]
        log = with_capacity(2, rows, {"reserved_concurrency": 3}, region=ONE_TOKEN_A_UNIT)
        assert ran_on(log) == [PROVISIONED, PROVISIONED, ON_DEMAND]
        assert refusals(log) == [(0.1, "reserved_concurrency")]

    def test_what_spills_over_within_a_reservation_leaves_the_pool_alone(self) -> None:
        """Quota 5, R = 3 with P = 2 of f: g has 2, whether f is busy or not."""
        for rows in ([0, 0, 0], []):
            log = with_capacity(
                2, [*rows, *of("g", 0, 0, 0)], {"reserved_concurrency": 3}, others={"g": {}},
                region={"concurrency_quota": 5},
            )  # fmt: skip
            assert len(accepted(log)) == len(rows) + 2
            assert refusals(log) == [(0, "account_concurrency")]


class TestPool:
    """What provisioned units leave to the others: quota - R - P."""

    def test_units_leave_the_pool_even_while_nobody_uses_them(self) -> None:
        """Quota 10, 3 reserved for f, 4 provisioned for g: h has 3, though neither f nor g ever runs."""
        log = with_capacity(
            0, of("h", 0, 0, 0, 0), {"reserved_concurrency": 3},
            others={"g": {"provisioned_concurrency": 4}, "h": {}}, region={"concurrency_quota": 10},
        )  # fmt: skip
        assert accepted(log) == [0, 1, 2]
        assert refusals(log) == [(0, "account_concurrency")]

    def test_what_runs_on_them_is_not_in_the_pool(self) -> None:
        """Quota 5, 3 provisioned and busy: the pool is 2, and both are there for g."""
        log = with_capacity(3, [0, 0, 0, *of("g", 0, 0, 0)], others={"g": {}}, region={"concurrency_quota": 5})
        assert accepted(log) == [0, 1, 2, 3, 4]
        assert refusals(log) == [(0, "account_concurrency")]

    def test_what_spills_over_is_in_the_pool(self) -> None:
        """Quota 5, 3 provisioned: a fourth of f takes one of 2, and the second of g is refused."""
        log = with_capacity(3, [0, 0, 0, 0, *of("g", 0, 0)], others={"g": {}}, region={"concurrency_quota": 5})
        assert accepted(log) == [0, 1, 2, 3, 4]
        assert refusals(log) == [(0, "account_concurrency")]

    def test_a_full_pool_does_not_hinder_them(self) -> None:
        """g has filled its 2; f still has its unit."""
        log = with_capacity(1, [*of("g", 0, 0, 0), 0], others={"g": {}}, region={"concurrency_quota": 3})
        assert accepted(log) == [0, 1, 3]
        assert ran_on(log)[2] is PROVISIONED

    def test_a_pool_of_nothing_still_leaves_the_units(self) -> None:
        """The whole quota is provisioned: f runs, and what would spill over is refused."""
        log = with_capacity(2, [0, 0, 0], region={"concurrency_quota": 2})
        assert ran_on(log) == [PROVISIONED, PROVISIONED]
        assert refusals(log) == [(0, "account_concurrency")]

    def test_400_of_500_are_warm(self) -> None:
        """T20: quota 1,000, orange has 400 and needs 500: 400 warm, 100 cold from the 600, none refused."""
        log = run(
            functions={"orange": {"provisioned_concurrency": 400, "init": "2s"}},
            traffic={"t": {"function": "orange", "trace": trace([0] * 500)}},
        )
        assert [row.handler for row in invocations(log)] == [0] * 400 + [2] * 100
        assert cold(log) == [WARM] * 400 + [COLD] * 100
        assert spilled(log) == [(number, "concurrency") for number in range(400, 500)]
        assert throttles(log) == []

    @pytest.mark.parametrize(("orange", "blue"), [(500, 500), (400, 600), (0, 600)])
    def test_throttling_begins_at_a_total_of_1000(self, orange: int, blue: int) -> None:
        """T21: claimed by orange 400, and 100 more where it needs them; blue has the rest, and not one more."""
        log = run(
            functions={"orange": {"provisioned_concurrency": 400}, "blue": {}},
            traffic={
                "a": {"function": "orange", "trace": trace([0] * orange)},
                "b": {"function": "blue", "trace": trace([0] * (blue + 1))},
            },
        )
        assert throttles(log) == [(orange + blue, 1, 0, "account_concurrency")]


class TestReset:
    """A crash or a timeout resets a provisioned environment as any other."""

    def test_a_crash_makes_the_next_invocation_pay_the_init(self) -> None:
        """Init 2 s: [0, 1] crashes, then [10, 13] instead of [10, 11], on the same unit, and not cold."""
        log = with_capacity(1, [0, 10], {"init": "2s", "errors": {"crash": "100%"}})
        assert invocations(log) == [(0, 1, 0, 0, 1, 0, CRASH, WARM), (1, 1, 10, 10, 13, 0, CRASH, WARM)]
        assert environments(log) == [("f", 0, 0, None)]

    def test_a_timeout_makes_the_next_invocation_pay_the_init(self) -> None:
        """Init 2 s, timeout 5 s: stopped at 5; the next takes 2 + 1 s; the one after that its own second."""
        log = with_capacity(1, [(0, 60), 10, 20], {"init": "2s", "timeout": "5s"})
        assert spans(log) == [(0, 0, 5), (0, 10, 13), (0, 20, 21)]
        assert [row.result for row in invocations(log)] == [TIMEOUT, OK, OK]

    def test_it_pays_its_own_init(self) -> None:
        """2 s, and not the 7 s that the request would have brought for an environment on demand."""
        log = with_capacity(1, [(0, 60), (10, 1, 7)], {"init": "2s", "timeout": "5s"})
        assert spans(log) == [(0, 0, 5), (0, 10, 13)]

    def test_a_redone_init_keeps_the_unit_busy(self) -> None:
        """The request at 12 spills over while the one before redoes its init in [10, 12]; the one at 13 does not."""
        log = with_capacity(1, [(0, 60), 10, (12, 1, 0), 13], {"init": "2s", "timeout": "5s"})
        assert spilled(log) == [(2, "concurrency")]

    def test_the_number_of_units_is_kept(self) -> None:
        """Nothing about it in the log of capacity."""
        log = with_capacity(1, [0, 10], {"init": "2s", "errors": {"crash": "100%"}})
        assert capacity(log) == [(0, 1, 1, READY, CONFIGURED)]


class TestRecycling:
    """Past its max age a provisioned environment is replaced when it falls idle, prepared in the background."""

    def test_another_one_takes_its_place_at_that_instant(self) -> None:
        """Idle at 6 with a max age of 5 s: reaped; the next, created at 4, is ready at 6 for the request of then."""
        log = with_capacity(1, [0, (4, 2), 6], AGES)
        assert used(log) == [0, 0, 1]
        assert lives(log) == [(0, 0, 6), (4, 6, None)]
        assert (cold(log), spillovers(log)) == ([WARM] * 3, [])

    def test_its_init_is_in_the_log(self) -> None:
        """It is billed: none of the first, 2 s of the second."""
        log = with_capacity(1, [0, (4, 2), 6], AGES)
        assert log.environments.init_ns.tolist() == [0, 2 * 10**9]

    def test_an_environment_of_exactly_the_max_age_stays(self) -> None:
        """Falls idle at 5; a nanosecond later it would go."""
        for length, expected in (
            (1, [(0, 0, None)]),
            (1.000000001, [(0, 0, 5.000000001), (3.000000001, 5.000000001, None)]),
        ):
            assert lives(with_capacity(1, [(4, length)], AGES)) == expected

    def test_age_is_no_reason_to_go_while_idle(self) -> None:
        """Idle from 1, it serves the request at 7 and is replaced at 8."""
        log = with_capacity(1, [0, 7], AGES)
        assert lives(log) == [(0, 0, 8), (6, 8, None)]

    def test_the_next_one_ages_from_its_creation(self) -> None:
        """Created at 4: 5 s old when it falls idle at 9, which is not older; 6 s old at 10, which is."""
        log = with_capacity(1, [0, (4, 2), (8, 1), (9, 1)], AGES)
        assert lives(log) == [(0, 0, 6), (4, 6, 10), (8, 10, None)]

    def test_nothing_is_created_before_the_run(self) -> None:
        """Init 9 s, replaced at 6: created at 0 at the earliest, ready at 6."""
        log = with_capacity(1, [(0, 6)], {"max_age": "5s", "init": "9s"})
        assert lives(log) == [(0, 0, 6), (0, 6, None)]

    def test_one_that_is_too_old_when_it_comes_serves_once(self) -> None:
        """Init 6 s and max age 5 s: created at 0, it serves at 6, and is 7 s old at 7; the next is created at 1."""
        log = with_capacity(1, [(0, 6), 6], {"max_age": "5s", "init": "6s"})
        assert lives(log) == [(0, 0, 6), (0, 6, 7), (1, 7, None)]
        assert [row.handler for row in invocations(log)] == [0, 6]

    def test_a_reset_environment_that_is_too_old_owes_nothing_after_it(self) -> None:
        """Crashed at 6 at the age of 6 s: the next unit is new, and its invocation takes its own second."""
        log = with_capacity(1, [(0, 6), 10], {**AGES, "errors": {"crash": "100%"}})
        assert spans(log) == [(0, 0, 6), (1, 10, 11)]

    def test_the_others_stay(self) -> None:
        """Of two units the one that worked is replaced, once."""
        log = with_capacity(2, [(0, 6)], AGES)
        assert lives(log) == [(0, 0, 6), (0, 0, None), (4, 6, None)]
        assert capacity(log) == [(0, 2, 2, READY, CONFIGURED)]


class TestEvents:
    """Asynchronous events use the units, without any check of a request rate and without a token."""

    def events(self, units: int, rows: list[Any], function: dict[str, Any] | None = None, **parts: Any) -> Any:
        """Events of f that are tried at once."""
        own = {"provisioned_concurrency": units, "init": "0s", **(function or {})}
        own["async"] = {"jitter": "none", "slow_down": "none", "dispatch_delay": "0s"}
        traffic = {"t": {"function": "f", "invoke": "async", "trace": trace(rows)}, **parts.pop("traffic", {})}
        return run(functions={"f": own}, traffic=traffic, **parts)

    def test_an_event_has_a_unit(self) -> None:
        """And starts at once."""
        log = self.events(1, [0], {"init": "5s"})
        assert (ran_on(log), spans(log)) == ([PROVISIONED], [(0, 0, 1)])

    def test_an_event_that_finds_all_busy_spills_over(self) -> None:
        """The second of two."""
        assert spillovers(self.events(1, [0, 0])) == [Spillover(1, 1, 0, "concurrency")]

    def test_no_request_rate_applies_and_no_token_is_taken(self) -> None:
        """One token a second: five events within half a second have the unit; the request at 0.5 finds the token."""
        log = self.events(
            1,
            [(number / 10, 0.01) for number in range(5)],
            region=ONE_TOKEN_A_UNIT,
            traffic={"web": {"function": "f", "trace": trace([(0.5, 0.01), (0.6, 0.01)])}},
        )
        assert spilled(log) == [(6, "request_rate")]

    def test_where_all_reserved_units_are_provisioned_events_wait(self) -> None:
        """R = P = 1: refused at 0, tried again after a second, when the unit is free."""
        log = self.events(1, [0, 0], {"reserved_concurrency": 1})
        assert refusals(log) == [(0, "reserved_concurrency")]
        assert attempt_times(log, 1) == [0, 1]
        assert ran_on(log) == [PROVISIONED, PROVISIONED]


class TestPollers:
    """Batches of messages come as synchronous requests do."""

    def messages(self, units: int, rows: list[Any], **parts: Any) -> Any:
        """Messages of a queue, one a batch."""
        mapping = {"function": "f", "batch_size": 1}
        return run(
            functions={"f": {"provisioned_concurrency": units, "timeout": "30s"}},
            queues={"q": {"event_source_mapping": mapping}},
            traffic={"t": {"invoke": "sqs", "queue": "q", "function": "f", "trace": trace(rows)}},
            **parts,
        )

    def test_a_batch_has_a_unit_and_the_next_spills_over(self) -> None:
        """Two messages at 0."""
        log = self.messages(1, [0, 0])
        assert ran_on(log) == [PROVISIONED, ON_DEMAND]
        assert spillovers(log) == [Spillover(1, 1, 0, "concurrency")]

    def test_a_batch_takes_a_token(self) -> None:
        """One token a second: at 0.5 the unit is free, its bucket half full."""
        log = self.messages(1, [(0, 0.1), (0.5, 0.1), (1, 0.1)], region=ONE_TOKEN_A_UNIT)
        assert spilled(log) == [(1, "request_rate")]

    def test_records_of_a_stream(self) -> None:
        """One shard polled each second; its record of 0 is read at 1, on the unit, with its init long over."""
        log = run(
            functions={"f": {"provisioned_concurrency": 1, "init": "5s", "timeout": "30s"}},
            streams={"s": {"event_source_mapping": {"function": "f"}}},
            traffic={"t": {"invoke": "stream", "stream": "s", "function": "f", "trace": trace([0])}},
        )
        assert ran_on(log) == [PROVISIONED]
        assert cold(log) == [WARM]


class TestClients:
    """Callers that stop waiting."""

    def test_an_abandoned_invocation_keeps_its_unit(self) -> None:
        """Given up after 2 s, it works until 5: the request at 3 spills over, the one at 5 does not."""
        log = with_capacity(1, [(0, 5), (3, 1), (5, 1)], client={"timeout": "2s"})
        assert spilled(log) == [(1, "concurrency")]
        assert on_provisioned(log) == [0, 2]


def test_capacity_switched_off_before_the_first_request() -> None:
    """A change at 0 that asks for none: nothing has run on the units, and nothing spills over."""
    log = with_capacity(2, [0, 0], changes=[to(0, "none")])
    assert (ran_on(log), spillovers(log)) == ([ON_DEMAND, ON_DEMAND], [])
    assert [row.reaped for row in provisioned(log)] == [0, 0]
