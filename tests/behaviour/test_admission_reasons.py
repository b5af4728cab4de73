"""When several limits would refuse an attempt, the first of the list is the reason (MODEL.md section 4)."""

from __future__ import annotations

from tests.behaviour.timeline import accepted, environments, refusals, throttles
from tests.builders import run

ONE_ENVIRONMENT = {"burst": 1, "rate": 1, "per": "1000s"}
TWO_ENVIRONMENTS = {"burst": 2, "rate": 1, "per": "1000s"}
ONE_A_SECOND = {"start": "1/s", "step": "1/s"}
TWO_A_SECOND = {"start": "2/s", "step": "1/s"}


class TestFunctionInTheSharedPool:
    """account_concurrency, account_rate, scaling_request_rate, scaling_rate, in this order."""

    def test_account_concurrency_comes_before_account_rate(self) -> None:
        """Quota 1 at one request per unit: at 0 the second request finds neither a slot nor a token."""
        log = run(region={"concurrency_quota": 1, "requests_per_concurrency": 1}, rows=[0, 0])
        assert refusals(log) == [(0, "account_concurrency")]

    def test_account_rate_comes_before_the_request_rate_ramp(self) -> None:
        """At 0.5 s the slot is free again, but both one-token buckets hold half a token."""
        log = run(
            region={"concurrency_quota": 1, "requests_per_concurrency": 1, "request_rate_ramp": ONE_A_SECOND},
            rows=[(0, 0.25), 0.5],
        )
        assert refusals(log) == [(0.5, "account_rate")]

    def test_the_request_rate_ramp_comes_before_the_scaling_rate(self) -> None:
        """At 0 the second request finds neither a token of the ramp nor one for a new environment."""
        log = run(region={"request_rate_ramp": ONE_A_SECOND, "scaling": ONE_ENVIRONMENT}, rows=[0, 0])
        assert refusals(log) == [(0, "scaling_request_rate")]

    def test_the_scaling_rate_is_the_last(self) -> None:
        """With a slot and tokens of both request rates left, what is missing is a new environment."""
        log = run(
            region={
                "concurrency_quota": 2,
                "requests_per_concurrency": 1,
                "request_rate_ramp": TWO_A_SECOND,
                "scaling": ONE_ENVIRONMENT,
            },
            rows=[0, 0],
        )
        assert refusals(log) == [(0, "scaling_rate")]

    def test_account_concurrency_is_the_reason_when_every_limit_refuses(self) -> None:
        """All four limits of one are used up at 0."""
        log = run(
            region={
                "concurrency_quota": 1,
                "requests_per_concurrency": 1,
                "request_rate_ramp": ONE_A_SECOND,
                "scaling": ONE_ENVIRONMENT,
            },
            rows=[0, 0],
        )
        assert refusals(log) == [(0, "account_concurrency")]


class TestFunctionWithReservedConcurrency:
    """reserved_concurrency, reserved_rate, scaling_request_rate, scaling_rate, in this order."""

    def test_reserved_concurrency_comes_before_reserved_rate(self) -> None:
        """One reserved unit at one request per second: at 0 neither a slot nor a token is left."""
        log = run(functions={"f": {"reserved_concurrency": 1}}, region={"requests_per_concurrency": 1}, rows=[0, 0])
        assert refusals(log) == [(0, "reserved_concurrency")]

    def test_reserved_rate_comes_before_the_request_rate_ramp(self) -> None:
        """At 0.5 s the slot is free again, but both one-token buckets hold half a token."""
        log = run(
            functions={"f": {"reserved_concurrency": 1}},
            region={"requests_per_concurrency": 1, "request_rate_ramp": ONE_A_SECOND},
            rows=[(0, 0.25), 0.5],
        )
        assert refusals(log) == [(0.5, "reserved_rate")]

    def test_the_request_rate_ramp_comes_before_the_scaling_rate(self) -> None:
        """The ramp and the scaling rate hold for a function with reserved concurrency too, in the same order."""
        log = run(
            functions={"f": {"reserved_concurrency": 5}},
            region={"request_rate_ramp": ONE_A_SECOND, "scaling": ONE_ENVIRONMENT},
            rows=[0, 0],
        )
        assert refusals(log) == [(0, "scaling_request_rate")]

    def test_the_scaling_rate_holds_within_reserved_concurrency(self) -> None:
        """Reserved units are a right to concurrency, not to environments at once."""
        log = run(functions={"f": {"reserved_concurrency": 5}}, region={"scaling": ONE_ENVIRONMENT}, rows=[0, 0])
        assert refusals(log) == [(0, "scaling_rate")]

    def test_the_limits_of_the_account_are_not_asked(self) -> None:
        """The whole quota is reserved and used, and the account's tokens are gone: the reason is still the own one."""
        log = run(
            functions={"f": {"reserved_concurrency": 1}},
            region={"concurrency_quota": 1, "requests_per_concurrency": 1},
            rows=[0, 0],
        )
        assert refusals(log) == [(0, "reserved_concurrency")]


class TestRefusedAttemptTakesNoToken:
    """Of no bucket, neither of one that was asked before the refusal nor of one that was not asked."""

    def test_refused_by_concurrency_takes_no_token_of_the_account(self) -> None:
        """Two tokens at 2/s: one is used at 0, so at 0.25 s there are 1.5, whatever was refused meanwhile."""
        log = run(region={"concurrency_quota": 1, "requests_per_concurrency": 2}, rows=[(0, 0.25), 0, 0, (0.25, 1)])
        assert accepted(log) == [0, 3]
        assert refusals(log) == [(0, "account_concurrency"), (0, "account_concurrency")]

    def test_refused_by_reserved_concurrency_takes_no_reserved_token(self) -> None:
        """The same with a reserved unit."""
        log = run(
            functions={"f": {"reserved_concurrency": 1}},
            region={"requests_per_concurrency": 2},
            rows=[(0, 0.25), 0, 0, (0.25, 1)],
        )
        assert accepted(log) == [0, 3]

    def test_refused_by_concurrency_takes_no_token_of_the_ramp(self) -> None:
        """Two tokens of the ramp: one is used at 0, so at 0.25 s there are 1.5."""
        log = run(region={"concurrency_quota": 1, "request_rate_ramp": TWO_A_SECOND}, rows=[(0, 0.25), 0, 0, (0.25, 1)])
        assert accepted(log) == [0, 3]

    def test_refused_by_the_account_rate_takes_no_token_of_the_ramp(self) -> None:
        """Account 1/s, ramp 2 tokens: after the refusals at 0.5 s one token of the ramp is left for 1 s."""
        log = run(
            region={"concurrency_quota": 1, "requests_per_concurrency": 1, "request_rate_ramp": TWO_A_SECOND},
            rows=[(0, 0.25), 0.5, 0.5, 0.5, 1],
        )
        assert accepted(log) == [0, 4]

    def test_refused_by_the_account_rate_takes_no_token_for_an_environment(self) -> None:
        """Environments die at once, two may start: the refusal at 0.5 s leaves the second for the request at 1."""
        log = run(
            functions={"f": {"duration": "250ms", "idle_timeout": "1ns"}},
            region={"concurrency_quota": 1, "requests_per_concurrency": 1, "scaling": TWO_ENVIRONMENTS},
            rows=[0, 0.5, 1, 2],
        )
        assert accepted(log) == [0, 2]
        assert refusals(log) == [(0.5, "account_rate"), (2, "scaling_rate")]

    def test_refused_by_the_ramp_takes_no_token_of_the_account(self) -> None:
        """Three tokens of the account: f takes one and is refused twice by its ramp, g and h take the others."""
        log = run(
            functions={"f": {}, "g": {}, "h": {}},
            region={"concurrency_quota": 3, "requests_per_concurrency": 1, "request_rate_ramp": ONE_A_SECOND},
            rows=[0, 0, 0, (0, None, None, "g"), (0, None, None, "h")],
        )
        assert accepted(log) == [0, 3, 4]
        assert refusals(log) == [(0, "scaling_request_rate"), (0, "scaling_request_rate")]

    def test_refused_by_the_ramp_takes_no_token_for_an_environment(self) -> None:
        """Two environments may start: the refusal at 0 leaves the second for the request at 1."""
        log = run(
            functions={"f": {"duration": "100s"}},
            region={"request_rate_ramp": ONE_A_SECOND, "scaling": TWO_ENVIRONMENTS},
            rows=[0, 0, 1, 2],
        )
        assert accepted(log) == [0, 2]
        assert refusals(log) == [(0, "scaling_request_rate"), (2, "scaling_rate")]

    def test_refused_by_the_scaling_rate_takes_no_token_of_the_account(self) -> None:
        """Three tokens of the account: f takes one and lacks an environment twice, g and h take the others."""
        log = run(
            functions={"f": {"scaling": ONE_ENVIRONMENT}, "g": {}, "h": {}},
            region={"concurrency_quota": 3, "requests_per_concurrency": 1},
            rows=[0, 0, 0, (0, None, None, "g"), (0, None, None, "h")],
        )
        assert accepted(log) == [0, 3, 4]
        assert refusals(log) == [(0, "scaling_rate"), (0, "scaling_rate")]

    def test_refused_by_the_scaling_rate_takes_no_reserved_token(self) -> None:
        """Two reserved tokens at 2/s: one is used at 0, 1.25 are left at 0.125 s although two were refused."""
        log = run(
            functions={"f": {"reserved_concurrency": 2, "scaling": ONE_ENVIRONMENT}},
            region={"requests_per_concurrency": 1},
            rows=[(0, 0.125), 0, 0, 0.125],
        )
        assert accepted(log) == [0, 3]

    def test_refused_by_the_scaling_rate_takes_no_token_of_the_ramp(self) -> None:
        """Two tokens of the ramp: one is used at 0, 1.25 are left at 0.125 s although two were refused."""
        log = run(
            region={"request_rate_ramp": TWO_A_SECOND, "scaling": ONE_ENVIRONMENT},
            rows=[(0, 0.125), 0, 0, 0.125],
        )
        assert accepted(log) == [0, 3]

    def test_refused_by_the_scaling_rate_does_not_count_as_in_flight(self) -> None:
        """Quota 2: f holds one unit and is refused, so g still gets the other."""
        log = run(
            functions={"f": {"scaling": ONE_ENVIRONMENT}, "g": {}},
            region={"concurrency_quota": 2},
            rows=[0, 0, (0, None, None, "g")],
        )
        assert accepted(log) == [0, 2]


def test_a_refused_attempt_starts_no_environment() -> None:
    """A throttle is not an invocation: nothing is initialised for it."""
    log = run(region={"concurrency_quota": 1}, rows=[0, 0, 0])
    assert len(environments(log)) == 1
    assert [row[:2] for row in throttles(log)] == [(1, 1), (2, 1)]


def test_an_accepted_attempt_on_an_idle_environment_is_not_asked_for_the_scaling_rate() -> None:
    """The scaling rate limits starts of environments only; reuse goes on without a token."""
    log = run(region={"scaling": ONE_ENVIRONMENT}, rows=[0, 1, 2, 3])
    assert accepted(log) == [0, 1, 2, 3]
    assert refusals(log) == []


def test_with_every_limit_switched_off_only_the_quota_refuses() -> None:
    """Scaling, ramp and request rate are unlimited in the tests' region: 1,000 at once, and the next is too many."""
    log = run(rows=[0] * 1_001)
    assert refusals(log) == [(0, "account_concurrency")]
