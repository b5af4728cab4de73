"""The adaptive mode's client-side rate limiter against a sequence computed by hand from botocore's formulas."""

from __future__ import annotations

import pytest

from lambdasim.engine.reference.sdk_client import RateLimiter
from lambdasim.metrics.run import Run
from lambdasim.platform.client_rate import flat_after, measured_rate, rate_after_success, rate_after_throttle
from tests.behaviour.timeline import attempt_times, invocations, throttles
from tests.builders import log_of, run, scenario

S = 10**9

ADAPTIVE = {"retry": {"preset": "boto3-adaptive", "max_attempts": 1}}


class TestFormulas:
    """The cubic curve and the smoothed rate."""

    def test_the_curve_starts_at_the_rate_after_a_throttle(self) -> None:
        """0.4 (0 - K)^3 + 8 = 8 - 0.4 x 6 = 5.6 = 0.7 x 8, with K = (8 x 0.3 / 0.4)^(1/3) = 6^(1/3)."""
        assert flat_after(8) ** 3 == pytest.approx(6)
        assert rate_after_success(8, flat_after(8), 0) == pytest.approx(5.6) == rate_after_throttle(8)

    def test_the_curve_is_back_after_k_and_grows_beyond(self) -> None:
        """8 at K; 0.4 more one second later; 3.2 more two seconds later."""
        at = flat_after(8)
        assert [rate_after_success(8, at, at + later) for later in (0, 1, 2)] == pytest.approx([8, 8.4, 11.2])

    def test_four_fifths_of_the_new_measurement(self) -> None:
        """5 answers in half a second are 10 a second: 0.8 x 10 + 0.2 x 5 = 9."""
        assert measured_rate(5, 5, 0.5) == pytest.approx(9)


class TestLimiter:
    """Answers and what the next call waits."""

    def test_off_until_the_first_throttle(self) -> None:
        """Successes never make anyone wait."""
        limiter = RateLimiter()
        for tenth in range(1, 30):
            limiter.answered(tenth * S // 10, is_throttle=False)
            assert limiter.wait_ns(tenth * S // 10) == 0

    def test_a_hand_computed_sequence(self) -> None:
        """Five successes in the first half second, a throttle at 0.75 s, a success at 1 s, a throttle at 1.2 s.

        Tokens: 0.1 at 0.1 s (at the 1/s of a new client), then 0.5/s: 0.3 at 0.5 s, 0.425 at 0.75 s.
        At 0.5 s: 5 / 0.5 s = 10/s, measured 8. At 0.75 s: throttled at 8, so 0.7 x 8 = 5.6/s.
        At 1 s: 2 / 0.5 s = 4/s, measured 0.8 x 4 + 0.2 x 8 = 4.8; rate 0.4 (0.25 - 6^(1/3))^3 + 8 = 6.4605;
        tokens 0.425 + 0.25 x 5.6 = 1.825, of which one is taken.
        At 1.2 s: throttled at min(4.8, 6.4605) = 4.8, so 3.36/s; tokens 0.825 + 0.2 x 6.4605 = 2.1171.
        """
        limiter = RateLimiter()
        for tenth in range(1, 6):
            limiter.answered(tenth * S // 10, is_throttle=False)
        limiter.answered(3 * S // 4, is_throttle=True)
        assert limiter.wait_ns(3 * S // 4) == pytest.approx((1 - 0.425) / 5.6 * S, abs=2)
        limiter.answered(S, is_throttle=False)
        assert limiter.wait_ns(S) == 0
        limiter.take()
        rate = 0.4 * (0.25 - 6 ** (1 / 3)) ** 3 + 8
        assert rate == pytest.approx(6.4605, abs=1e-4)
        assert limiter.wait_ns(S) == pytest.approx((1 - 0.825) / rate * S, abs=2)
        limiter.answered(12 * S // 10, is_throttle=True)
        for _ in range(2):
            assert limiter.wait_ns(12 * S // 10) == 0
            limiter.take()
        assert limiter.wait_ns(12 * S // 10) == pytest.approx((1 - (0.825 + 0.2 * rate - 2)) / 3.36 * S, abs=2)

    def test_the_rate_is_at_most_twice_what_was_measured(self) -> None:
        """One answer every 10 s measures 0.08/s; the curve alone would be far above 0.16/s, which the floor lifts.

        After the throttle at 100 s the bucket holds 1 token and refills with 0.5/s: the second call waits 2 s.
        """
        limiter = RateLimiter()
        for tens in range(1, 10):
            limiter.answered(10 * tens * S, is_throttle=False)
        limiter.answered(100 * S, is_throttle=True)
        assert limiter.wait_ns(100 * S) == 0
        limiter.take()
        assert limiter.wait_ns(100 * S) == 2 * S


class TestCalls:
    """The limiter between callers and Lambda, without retries."""

    def test_waiting_calls_are_sent_one_by_one(self) -> None:
        """A throttle at 0.6 s measures 1 / 0.5 s x 0.8 = 1.6/s and leaves 0.7 x 1.6 = 1.12/s and 0.6 tokens.

        Request 2 waits 0.4 / 1.12 = 0.357143 s and is throttled: min(1.6, 1.12) x 0.7 = 0.784/s, no token left.
        Request 3 is sent 1 / 0.784 = 1.275510 s after it.
        """
        log = run(region={"concurrency_quota": 1}, rows=[(0, 900), 0.6, 0.6, 0.96], client=ADAPTIVE)
        second = 0.6 + 0.4 / 1.12
        assert attempt_times(log, 1) == [0.6]
        assert attempt_times(log, 2) == [pytest.approx(second, abs=5e-9)]
        assert attempt_times(log, 3) == [pytest.approx(second + 1 / 0.784, abs=5e-9)]

    def test_calls_are_sent_in_the_order_in_which_they_came(self) -> None:
        """Twenty calls at once; the first is throttled, and the others follow one by one."""
        log = run(region={"concurrency_quota": 1}, rows=[(0, 900), *[0.5] * 20], client=ADAPTIVE)
        times = [attempt_times(log, request)[0] for request in range(1, 21)]
        assert times == sorted(times)
        assert len(set(times)) == 20

    def test_each_client_object_has_its_own(self) -> None:
        """Of two clients the second (odd requests) is throttled first: its next call waits, that of the other not."""
        log = run(region={"concurrency_quota": 1}, rows=[(0, 900), 0.6, 0.6, 0.6], client={**ADAPTIVE, "count": 2})
        assert attempt_times(log, 2) == [0.6]
        assert attempt_times(log, 3) == [pytest.approx(0.6 + 0.4 / 1.12, abs=5e-9)]

    def test_a_call_that_waits_at_the_end_is_in_flight(self) -> None:
        """Duration and drain are over before the limiter lets it go."""
        log = run(
            region={"concurrency_quota": 1},
            rows=[(0, 900), *[0.1] * 5],
            client=ADAPTIVE,
            duration="1s",
            drain="1s",
        )
        assert log.requests.is_pending.tolist().count(True) >= 2
        assert len(invocations(log)) + len(throttles(log)) + log.requests.is_pending.sum() == 6

    def test_calls_that_were_never_sent_are_no_negative_retries(self) -> None:
        """Six requests, of which at least two were never sent when the run ends: no retries, and fewer attempts."""
        made = scenario(
            region={"concurrency_quota": 1}, rows=[(0, 900), *[0.1] * 5], client=ADAPTIVE, duration="1s", drain="1s"
        )
        summary = Run(scenario=made, seed=1, engine="simpy", log=log_of(made), wall_s=1.0).summary
        assert (summary["requests"]["total"], summary["attempts"]["retries"]) == (6, 0)
        assert summary["attempts"]["total"] <= 4
