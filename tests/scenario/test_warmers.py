"""What may be written under ``warmer``, when its pings come, and that it survives being written down."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdasim.scenario.load import as_written, fingerprint, load
from lambdasim.scenario.traffic import TrafficSource
from lambdasim.scenario.warmer import MOST_PINGS, Warmer
from tests.scenario.test_rules import problems, scenario, warned


def warming(**keys: Any) -> dict[str, Any]:
    """A scenario of a minute with users and a warmer."""
    web = {"function": "api", "rate": "1/s"}
    return scenario(traffic={"web": web, "warm": {"function": "api", "warmer": {"every": "10s", **keys}}})


def warmer(**keys: str | int) -> Warmer:
    """A warmer by itself."""
    return Warmer.model_validate(keys)


class TestTimes:
    """When the pings come, in nanoseconds."""

    @pytest.mark.parametrize(
        ("keys", "duration_ns", "expected"),
        [
            ({"every": "5ns"}, 11, [0, 5, 10]),
            ({"every": "5ns"}, 10, [0, 5]),
            ({"every": "5ns", "concurrency": 2, "starts": "3ns"}, 9, [3, 3, 8, 8]),
            ({"every": "5ns", "concurrency": 3, "stagger": "2ns"}, 8, [0, 2, 4, 5, 7]),
            ({"every": "5ns", "starts": "7ns"}, 7, []),
            ({"every": "5ns", "starts": "9ns"}, 7, []),
        ],
    )
    def test_by_hand(self, keys: dict[str, Any], duration_ns: int, expected: list[int]) -> None:
        """The end of the run and what comes after it is not offered."""
        assert warmer(**keys).pings_ns(duration_ns).tolist() == expected

    @given(st.integers(1, 9), st.integers(1, 4), st.integers(0, 12), st.integers(0, 3), st.integers(1, 40))
    def test_one_by_one(self, every: int, concurrency: int, starts: int, stagger: int, duration: int) -> None:
        """Round by round and ping by ping, as one would count them. There are no more than the bound says."""
        if (concurrency - 1) * stagger >= every:
            return
        made = warmer(
            every=f"{every}ns", concurrency=concurrency, starts=f"{starts}ns", stagger=f"{stagger}ns", duration="1ns"
        )
        expected = [
            start + number * stagger
            for start in range(starts, duration, every)
            for number in range(concurrency)
            if start + number * stagger < duration
        ]
        assert made.pings_ns(duration).tolist() == expected
        assert len(expected) <= made.count_pings(duration) < len(expected) + concurrency

    def test_it_has_no_rate(self) -> None:
        """Its times are known before the run."""
        source = TrafficSource.model_validate({"function": "f", "warmer": {"every": "10s"}})
        assert not source.has_rate
        assert source.known_times_ns(25 * 10**9) is not None
        assert source.rate_course(10**9).is_silent


class TestRules:
    """What is refused, and what only has no effect."""

    def test_a_round_must_not_reach_into_the_next(self) -> None:
        """Five pings with 2.5 s between them take 10 s; with a nanosecond less they fit."""
        (problem,) = problems(warming(concurrency=5, stagger="2500ms"))
        assert problem == (
            "traffic.warm.warmer: must have (concurrency - 1) x stagger below every: a round of pings ends before the"
            " next one begins"
        )
        assert load(warming(concurrency=5, stagger="2499999999ns"))

    def test_a_ping_takes_some_time(self) -> None:
        """As every invocation does."""
        assert problems(warming(duration="0s")) == ["traffic.warm.warmer.duration: must be at least 1ns, got 0s"]

    def test_not_too_many_pings(self) -> None:
        """A slip of units: within a minute 6 rounds of two million."""
        (problem,) = problems(warming(concurrency=2_000_000))
        assert problem == (
            f"traffic.warm.warmer: must ping at most {MOST_PINGS:,} times within the duration of 1m; it would"
            " 12,000,000 times"
        )
        assert load(warming(concurrency=MOST_PINGS // 6))

    def test_a_warmer_that_never_pings(self) -> None:
        """It begins when nothing arrives any more."""
        (warning,) = warned(warming(starts="1m"))
        assert warning.endswith(
            "traffic.warm.warmer.starts: is 1m, at or after the duration of 1m; the warmer never pings"
        )
        assert warned(warming(starts="59999ms")) == []

    def test_a_function_that_is_only_pinged_has_traffic(self) -> None:
        """No warning, neither of silence nor of a function without traffic."""
        assert warned(scenario(traffic={"warm": {"function": "api", "warmer": {"every": "10s"}}})) == []


class TestWrittenDown:
    """A scenario with a warmer is data that load takes again."""

    @pytest.mark.parametrize(
        "keys", [{}, {"concurrency": 3, "starts": "1s", "stagger": "10ms", "duration": {"uniform": ["1ms", "9ms"]}}]
    )
    def test_equal_after_loading_it_again(self, keys: dict[str, Any]) -> None:
        """With defaults and without; the fingerprint is the same."""
        made = load(warming(**keys))
        for again in (load(as_written(made)), made.replace({"traffic.web.rate": "1/s"})):
            assert again == made
            assert fingerprint(again) == fingerprint(made)

    def test_one_key_is_replaced(self) -> None:
        """As any other."""
        changed = load(warming()).replace({"traffic.warm.warmer.concurrency": 5})
        assert changed.traffic["warm"].warmer == warmer(every="10s", concurrency=5)

    def test_another_warmer_is_another_scenario(self) -> None:
        """Every key counts in the fingerprint."""
        others = ({"concurrency": 2}, {"starts": "1s"}, {"stagger": "1ns"}, {"duration": "49ms"})
        assert len({fingerprint(load(warming(**keys))) for keys in ({}, *others)}) == 5
        assert fingerprint(load(warming(duration="50ms"))) == fingerprint(load(warming()))
