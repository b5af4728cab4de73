"""The small rules: back-off, the life of an environment, the request-rate ramp, pools and their reasons."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdasim.platform.callers import WITHOUT_LIMIT
from lambdasim.platform.concurrency import AWS_REASON, ThrottleReason, rate_per_s, shared_pool_limit
from lambdasim.platform.lifecycle import init_failed, init_phase_ns, is_expired, is_past_max_age, is_timeout
from lambdasim.platform.region import build_platform
from lambdasim.platform.request_rate_ramp import allowed_after_quiet, next_allowed_per_s
from lambdasim.platform.retry import backoff_ns
from lambdasim.platform.token_bucket import UNLIMITED_BUCKET, bucket_limits, per_second_bucket
from tests.builders import scenario

SECOND = 10**9


class TestBackoff:
    """min(cap, base x 2^(k-1)) before retry k."""

    def test_delays_double_up_to_the_cap(self) -> None:
        """Base 1 s, cap 20 s."""
        delays = [backoff_ns(SECOND, 20 * SECOND, retry) for retry in range(1, 8)]
        assert delays == [1 * SECOND, 2 * SECOND, 4 * SECOND, 8 * SECOND, 16 * SECOND, 20 * SECOND, 20 * SECOND]

    @given(st.integers(0, 2**60), st.integers(1, 2**61), st.integers(1, 10_000))
    def test_it_is_the_formula_for_every_retry(self, base_ns: int, cap_ns: int, retry: int) -> None:
        """Also where 2^(k-1) is beyond 64 bits."""
        assert backoff_ns(base_ns, cap_ns, retry) == min(cap_ns, base_ns * 2 ** (retry - 1))

    def test_a_base_of_0_never_waits(self) -> None:
        """0 doubled is 0."""
        assert {backoff_ns(0, SECOND, retry) for retry in (1, 2, 62, 63, 64, 1000)} == {0}


class TestLifecycle:
    """Boundaries of the life of an environment."""

    @pytest.mark.parametrize(
        ("init_ns", "phase_ns", "failed"),
        [
            (0, 0, False),
            (10 * SECOND - 1, 10 * SECOND - 1, False),
            (10 * SECOND, 10 * SECOND, False),
            (10 * SECOND + 1, 10 * SECOND, True),
            (60 * SECOND, 10 * SECOND, True),
        ],
    )
    def test_an_init_over_ten_seconds_fails_at_ten(self, init_ns: int, phase_ns: int, failed: bool) -> None:
        """Exactly ten seconds succeed."""
        assert (init_phase_ns(init_ns), init_failed(init_ns)) == (phase_ns, failed)

    def test_work_of_exactly_the_timeout_is_no_timeout(self) -> None:
        """Above is a timeout, equal is not."""
        assert [is_timeout(work, 3 * SECOND) for work in (3 * SECOND - 1, 3 * SECOND, 3 * SECOND + 1)] == [
            False,
            False,
            True,
        ]

    def test_an_environment_is_gone_exactly_at_the_end_of_its_idle_timeout(self) -> None:
        """Not a nanosecond before."""
        assert [is_expired(100, now) for now in (99, 100, 101)] == [False, True, True]

    def test_only_an_older_environment_is_past_its_max_age(self) -> None:
        """One of exactly the maximum age stays."""
        assert [is_past_max_age(50, now, 100) for now in (149, 150, 151)] == [False, False, True]


class TestRequestRateRamp:
    """The allowed rate rises by a step after a second that used more than 0.9 of it, else it falls."""

    @pytest.mark.parametrize(
        ("allowed", "accepted", "expected"),
        [
            (10_000, 9_001, 11_000),
            (10_000, 9_000, 10_000),  # exactly 0.9 is not more
            (11_000, 9_901, 12_000),
            (11_000, 9_900, 10_000),
            (12_000, 0, 11_000),
            (10_000, 0, 10_000),  # never below the start
            (10_500, 0, 10_000),
        ],
    )
    def test_next_allowed_rate(self, allowed: int, accepted: int, expected: int) -> None:
        """Start 10,000/s, step 1,000/s."""
        assert next_allowed_per_s(allowed, accepted, 10_000, 1_000) == expected

    @given(st.integers(1, 20), st.integers(1, 10), st.integers(0, 100), st.integers(0, 40))
    def test_quiet_seconds_are_as_many_single_ones(self, start: int, step: int, above: int, quiet: int) -> None:
        """Skipping over seconds without requests changes nothing."""
        one_by_one = start + above
        for _ in range(quiet):
            one_by_one = next_allowed_per_s(one_by_one, 0, start, step)
        assert allowed_after_quiet(start + above, quiet, start, step) == one_by_one

    @given(st.integers(1, 100), st.integers(1, 50), st.lists(st.integers(0, 1_000), max_size=20))
    def test_the_allowed_rate_moves_by_at_most_a_step_and_never_below_the_start(
        self, start: int, step: int, accepted: list[int]
    ) -> None:
        """Whatever is accepted."""
        allowed = [start]
        for count in accepted:
            allowed.append(next_allowed_per_s(allowed[-1], count, start, step))
        assert min(allowed) >= start
        assert all(abs(later - earlier) <= step for earlier, later in pairwise(allowed))

    @pytest.mark.parametrize("allowed", [10, 10_000, 12_000])
    def test_its_bucket_holds_one_second(self, allowed: int) -> None:
        """A tokens, refilled at A per second; all buckets of a ramp count in the same unit."""
        limits = per_second_bucket(allowed)
        plain = bucket_limits(tokens=allowed, rate=allowed, per_ns=SECOND)
        assert limits.cost == per_second_bucket(1).cost
        assert (limits.depth // limits.cost, limits.fill_ns) == (allowed, plain.fill_ns)
        assert limits.speed * plain.cost == plain.speed * limits.cost


class TestPools:
    """Who shares what."""

    def test_reserved_units_leave_the_shared_pool(self) -> None:
        """Quota less everything reserved."""
        assert shared_pool_limit(1_000, [100, 0, 250]) == 650

    def test_ten_requests_per_second_for_each_unit(self) -> None:
        """In total, not for each environment."""
        assert rate_per_s(1_000, 10) == 10_000

    def test_every_reason_has_a_name_in_files_and_at_aws(self) -> None:
        """Lower case in files, AWS's own in answers."""
        assert {reason.key for reason in ThrottleReason} == {
            "account_concurrency",
            "account_rate",
            "reserved_concurrency",
            "reserved_rate",
            "scaling_request_rate",
            "scaling_rate",
            "api_gateway_rate",
        }
        assert set(AWS_REASON) == set(ThrottleReason)

    def test_a_reserved_function_owns_its_pool_and_the_others_share_one(self) -> None:
        """Pool 0 is the shared one; the account's request rate goes by the whole quota."""
        platform = build_platform(
            scenario(
                functions={"a": {}, "b": {"reserved_concurrency": 30}, "c": {}},
                traffic={"t": {"function": "a", "rate": "1/s"}},
                region={"concurrency_quota": 100, "requests_per_concurrency": 10},
            )
        )
        assert [function.pool for function in platform.functions] == [0, 1, 0]
        assert [pool.limit for pool in platform.pools] == [70, 30]
        assert [pool.rate for pool in platform.pools] == [
            per_second_bucket(1_000),
            per_second_bucket(300),
        ]

    def test_a_scaling_rate_of_its_own_replaces_the_regions(self) -> None:
        """Under a bucket for the region, a function with its own leaves that bucket to the others."""
        own = {"burst": 7, "rate": 1, "per": "1s"}
        platform = build_platform(
            scenario(
                functions={"a": {}, "b": {"scaling": own}, "c": {}, "d": {"scaling": "unlimited"}},
                traffic={"t": {"function": "a", "rate": "1/s"}},
                region={"scaling": {"burst": 9, "rate": 1, "per": "1s", "scope": "region"}},
            )
        )
        first, second, third, fourth = (platform.scaling[function.scaling] for function in platform.functions)
        assert first == bucket_limits(tokens=9, rate=1, per_ns=SECOND) == third
        assert platform.functions[0].scaling == platform.functions[2].scaling
        assert second == bucket_limits(tokens=7, rate=1, per_ns=SECOND)
        assert fourth == UNLIMITED_BUCKET

    def test_limits_that_are_switched_off(self) -> None:
        """Unlimited in the scenario is a bucket without cost, no ramp, a patient caller."""
        platform = build_platform(scenario(rows=[0]))
        assert platform.pools[0].rate == UNLIMITED_BUCKET
        assert platform.scaling == (UNLIMITED_BUCKET,)
        assert platform.ramp is None
        assert platform.clients[0].is_patient
        assert platform.clients[0].timeout_ns == WITHOUT_LIMIT
