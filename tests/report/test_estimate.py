"""``estimate`` against numbers done by hand, and against the simulation where both must agree."""

from __future__ import annotations

import math

import pytest

from lambdasim.api import simulate
from lambdasim.errors import UsageError
from lambdasim.report.estimate import ColdStart, estimate_lines, needed_for_target, parse_estimate, time_until_s


def answer(rate: str, duration: str, **options: object) -> str:
    """All lines as one."""
    return " ".join(estimate_lines(parse_estimate(rate=rate, duration=duration, **{"quota": 1_000, **options})))  # type: ignore[arg-type]


class TestTarget:
    """The quota for a target throttle ratio."""

    @pytest.mark.parametrize(
        ("rate", "duration", "target", "by_erlang", "by_rate"),
        [
            # Erlang B at 1 erlang: 1/2, 1/5, 1/16, 1/65, 1/326 for 1 to 5 servers.
            ("1/s", "1s", "20%", 2, 1),
            ("1/s", "1s", "19.9%", 3, 1),
            ("1/s", "1s", "1%", 5, 1),
            # 1,500/s of 10 ms: 15 in flight; 10 requests per second and unit, of which 90 % must pass: 135.
            ("1500/s", "10ms", "10%", 18, 135),
            ("1500/s", "10ms", "50%", 9, 75),
        ],
    )
    def test_by_hand(self, rate: str, duration: str, target: str, by_erlang: int, by_rate: int) -> None:
        """Erlang B inverted, and the share of the rate that the request-rate limit lets through."""
        question = parse_estimate(rate=rate, duration=duration, quota=1, target=target)
        assert needed_for_target(question) == (by_erlang, by_rate)
        needed = max(by_erlang, by_rate)
        assert f"To keep that at {float(target[:-1]):.1f}% it takes a concurrency of {needed}." in answer(
            rate, duration, target=target
        )

    @pytest.mark.parametrize(
        ("target", "message"),
        [
            ("0%", "--target: must be above 0, got 0%"),
            ("100%", "--target: must be below 100%, got 100%"),
            ("0.01", "--target: must be a percentage with its sign, got 0.01; write 1% if you mean the ratio 0.01"),
        ],
    )
    def test_bad_values(self, target: str, message: str) -> None:
        """The option, the rule and what was got."""
        with pytest.raises(UsageError) as caught:
            parse_estimate(rate="1/s", duration="1s", quota=1, target=target)
        assert str(caught.value) == message


class TestColdStart:
    """Traffic that is there at once: 1,000 environments, then 100 per second."""

    @pytest.mark.parametrize(
        ("environments", "seconds"), [(1, 0), (1_000, 0), (1_001, 0.01), (1_100, 1), (2_000, 10), (6_000, 50)]
    )
    def test_time_until(self, environments: int, seconds: float) -> None:
        """(n - 1,000) / 100."""
        assert time_until_s(environments) == pytest.approx(seconds)

    def test_by_hand(self) -> None:
        """3,000/s for 2 s want 6,000; 1,000 + 200 start; the bucket is empty when 3,000 t = 1,000 + 100 t."""
        cold = ColdStart(rate_per_s=3_000, first_answer_s=2, quota=10_000)
        assert (cold.wanted, cold.by_scaling_rate, cold.by_quota) == (6_000, 1_200, 6_000)
        assert cold.empty_after_s == pytest.approx(1_000 / 2_900)
        assert ColdStart(rate_per_s=100, first_answer_s=1_000, quota=1).empty_after_s == math.inf

    def test_scaling_rate(self) -> None:
        """In plain sentences."""
        text = answer("3000/s", "1s", init="1s", quota=10_000)
        for words in (
            "the first answer comes after 1s + 1s = 2s",
            "3,000/s x 2s = 6,000.",
            "6,000 can exist after 50s.",
            "The scaling rate begins to refuse after 345ms: about 4,800 of the first 6,000 requests.",
            "As soon as environments are warm, 3,000 are enough: 3,000 can exist after 20s.",
        ):
            assert words in text

    def test_quota_before_scaling_rate(self) -> None:
        """800/s reach 1,000 after 1.25 s, before the bucket is empty after 1,000 / 700 s."""
        text = answer("800/s", "1s", init="2s")
        assert "The quota of 1,000 is reached after 1.25s and refuses about 1,400 of the first 2,400 requests." in text
        assert "With a larger quota the scaling rate would refuse about 1,100 of them." in text

    def test_quota_after_scaling_rate(self) -> None:
        """Both refuse: 6,000 - 1,100."""
        text = answer("3000/s", "1s", init="1s", quota=1_100)
        assert "about 4,900 of the first 6,000 requests, from 1,100 on together with the quota." in text

    def test_nothing_is_refused(self) -> None:
        """20/s for 0.6 s want 12; an init of 0 is one, too."""
        text = answer("20/s", "300ms", init="300ms")
        assert "12 can start at once." in text
        assert "Neither the scaling rate nor the quota refuses any of them" in text
        assert "6 can start at once" in answer("20/s", "300ms", init="0")

    def test_only_when_asked(self) -> None:
        """Without an init it is among what is left out."""
        text = answer("20/s", "300ms")
        assert "begins at once" not in text
        assert "add --init TIME" in text
        assert "add --init TIME" not in answer("20/s", "300ms", init="1s")

    @pytest.mark.parametrize(
        ("init", "message"),
        [
            ("1", "--init: must be a time with its unit, got 1; write 1s or 1ms"),
            ("10000d", "--init: must be at most 3650d, got 10000d"),
            ("3650d", "--rate, --duration and --init: must give a concurrency of at most 10,000,000, got 315,360,001"),
        ],
    )
    def test_bad_values(self, init: str, message: str) -> None:
        """The option, the rule and what was got."""
        with pytest.raises(UsageError) as caught:
            parse_estimate(rate="1/s", duration="1s", quota=1, init=init)
        assert str(caught.value) == message

    @pytest.mark.parametrize(
        ("rate", "init_s", "quota", "by_quota", "by_scaling"),
        [(800, 2, 1_000, 1_400, 0), (800, 2, 5_000, 0, 1_100), (3_000, 1, 10_000, 0, 4_800)],
    )
    def test_the_simulation_agrees(self, rate: int, init_s: int, quota: int, by_quota: int, by_scaling: int) -> None:
        """Even arrivals and constant times: the refusals until the first answer, to a request or two."""
        summary = simulate(
            {
                "duration": f"{init_s + 1}s",
                "region": {"concurrency_quota": quota},
                "functions": {"f": {"duration": "1s", "init": f"{init_s}s"}},
                "traffic": {"t": {"function": "f", "rate": f"{rate}/s", "arrivals": "uniform"}},
            },
            seed=1,
        ).summary
        reasons = summary["attempts"]["throttles_by_reason"]
        assert reasons["account_concurrency"] == pytest.approx(by_quota, abs=2)
        assert reasons["scaling_rate"] == pytest.approx(by_scaling, abs=2)
        cold = ColdStart(rate_per_s=rate, first_answer_s=init_s + 1, quota=quota)
        assert cold.wanted - min(cold.by_quota, cold.by_scaling_rate) == by_quota + by_scaling


def test_largest_quota() -> None:
    """Erlang's recursion walks through every unit of the quota, so it has a bound."""
    with pytest.raises(UsageError, match="--quota: must be at most 10,000,000, got 10000001"):
        parse_estimate(rate="1/s", duration="1s", quota=10_000_001)
