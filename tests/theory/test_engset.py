"""Engset against hand values, exact fractions, balance equations solved as matrices, and Erlang B in the limit."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdasim.theory import (
    engset_attempt_rate,
    engset_call_congestion,
    engset_concurrency,
    engset_time_congestion,
    erlang_b,
)

FUNCTIONS = (engset_time_congestion, engset_call_congestion, engset_concurrency, engset_attempt_rate)
times_s = st.floats(0.01, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What the stationary probabilities of a system say, counted state by state."""

    time_congestion: float
    call_congestion: float
    concurrency: float
    attempt_rate: float


def stationary(rates: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Stationary probabilities of a Markov chain with these rates from row to column, shape (states, states)."""
    flows = rates.T - np.diag(rates.sum(axis=1))
    equations = np.vstack((flows, np.ones(len(rates))))
    shares: npt.NDArray[np.float64] = np.linalg.lstsq(equations, np.eye(len(rates) + 1)[-1], rcond=None)[0]
    return shares


def balance(callers: int, servers: int, think_s: float, service_s: float, phases: int = 1) -> Balance:
    """Solves the balance equations; the service has that many exponential phases, one after the other.

    A state is the number of callers in each phase. Nothing of Engset's formula is used.
    """
    most = min(callers, servers)
    states = [state for state in itertools.product(range(most + 1), repeat=phases) if sum(state) <= most]
    number = {state: i for i, state in enumerate(states)}
    rates = np.zeros((len(states), len(states)))
    for state, i in number.items():
        if sum(state) < servers and sum(state) < callers:
            rates[i, number[(state[0] + 1, *state[1:])]] += (callers - sum(state)) / think_s
        for phase, busy in enumerate(state):
            if busy:
                after = list(state)
                after[phase] -= 1
                if phase + 1 < phases:
                    after[phase + 1] += 1
                rates[i, number[tuple(after)]] += busy * phases / service_s
    shares = stationary(rates)
    in_service = np.array([sum(state) for state in states])
    attempts = shares * (callers - in_service) / think_s
    full = in_service == servers
    return Balance(
        time_congestion=float(shares[full].sum()),
        call_congestion=float(attempts[full].sum() / attempts.sum()) if attempts.sum() else 0.0,
        concurrency=float(shares @ in_service),
        attempt_rate=float(attempts.sum()),
    )


def by_definition(callers: int, servers: int, load: Fraction) -> Fraction:
    """The time congestion as Engset wrote it, in exact arithmetic: no recursion, no rounding."""
    terms = [math.comb(callers, n) * load**n for n in range(servers + 1)]
    return terms[-1] / sum(terms)


class TestSmallCasesByHand:
    def test_two_callers_one_server(self) -> None:
        """Thinking 1 s, served 1 s: states 0, 1 have weights 1 and 2, so 2/3 of the time it is busy.

        The attempt sees the other caller alone, who is served half of the time: 1/2 is blocked. On average 2 - 2/3
        callers think, with 4/3 attempts per second.
        """
        times = {"mean_think_s": 1.0, "mean_service_s": 1.0}
        assert engset_time_congestion(2, 1, **times) == pytest.approx(2 / 3, rel=1e-14)
        assert engset_call_congestion(2, 1, **times) == pytest.approx(1 / 2, rel=1e-14)
        assert engset_concurrency(2, 1, **times) == pytest.approx(2 / 3, rel=1e-14)
        assert engset_attempt_rate(2, 1, **times) == pytest.approx(4 / 3, rel=1e-14)

    def test_three_callers_two_servers(self) -> None:
        """Thinking 2 s, served 1 s: weights 1, 3/2, 3/4 give 3/13; the other two alone 1, 1, 1/4 give 1/9."""
        times = {"mean_think_s": 2.0, "mean_service_s": 1.0}
        assert engset_time_congestion(3, 2, **times) == pytest.approx(3 / 13, rel=1e-14)
        assert engset_call_congestion(3, 2, **times) == pytest.approx(1 / 9, rel=1e-14)
        assert engset_concurrency(3, 2, **times) == pytest.approx(12 / 13, rel=1e-14)  # (3/2 + 2 x 3/4) / (13/4)
        assert engset_attempt_rate(3, 2, **times) == pytest.approx(27 / 26, rel=1e-14)  # (3 - 12/13) / 2

    @given(callers=st.integers(1, 30), spare=st.integers(0, 30), think_s=times_s, service_s=times_s)
    def test_a_server_for_everybody_blocks_nobody(
        self, callers: int, spare: int, think_s: float, service_s: float
    ) -> None:
        """With K <= c callers are independent: each goes round in think + service."""
        times = {"mean_think_s": think_s, "mean_service_s": service_s}
        assert engset_call_congestion(callers, callers + spare, **times) == 0.0
        assert engset_attempt_rate(callers, callers + spare, **times) == pytest.approx(callers / (think_s + service_s))
        busy = engset_time_congestion(callers, callers + spare, **times)
        assert busy == pytest.approx(0.0 if spare else (service_s / (think_s + service_s)) ** callers, rel=1e-9)

    def test_no_server_blocks_everybody(self) -> None:
        """Callers think and are refused, over and over."""
        times = {"mean_think_s": 2.0, "mean_service_s": 1.0}
        assert engset_time_congestion(6, 0, **times) == engset_call_congestion(6, 0, **times) == 1.0
        assert engset_concurrency(6, 0, **times) == 0.0
        assert engset_attempt_rate(6, 0, **times) == 3.0

    def test_no_service_time_blocks_nobody(self) -> None:
        """At load 0 nobody is ever in service."""
        assert engset_call_congestion(6, 1, mean_think_s=2.0, mean_service_s=0.0) == 0.0
        assert engset_attempt_rate(6, 1, mean_think_s=2.0, mean_service_s=0.0) == 3.0


class TestAgainstOtherWays:
    @given(callers=st.integers(0, 60), servers=st.integers(0, 60), tenths=st.integers(0, 300))
    def test_equals_definition_in_exact_arithmetic(self, callers: int, servers: int, tenths: int) -> None:
        """The recursion loses no digits to speak of; one caller less gives the call congestion."""
        times = {"mean_think_s": 10.0, "mean_service_s": float(tenths)}
        exact = by_definition(callers, servers, Fraction(tenths, 10))
        assert engset_time_congestion(callers, servers, **times) == pytest.approx(float(exact), rel=1e-12)
        assert engset_call_congestion(callers + 1, servers, **times) == pytest.approx(float(exact), rel=1e-12)

    @pytest.mark.parametrize("phases", [1, 2, 3])
    @pytest.mark.parametrize(
        ("callers", "servers", "think_s", "service_s"),
        [(2, 1, 1.0, 1.0), (5, 2, 1.0, 0.5), (8, 5, 0.3, 1.0), (12, 4, 5.0, 1.0), (3, 6, 1.0, 2.0)],
    )
    def test_solves_the_balance_equations(
        self, callers: int, servers: int, think_s: float, service_s: float, phases: int
    ) -> None:
        """All four figures, for exponential service and for less variable laws of the same mean."""
        times = {"mean_think_s": think_s, "mean_service_s": service_s}
        expected = balance(callers, servers, think_s, service_s, phases)
        assert engset_time_congestion(callers, servers, **times) == pytest.approx(expected.time_congestion, abs=1e-12)
        assert engset_call_congestion(callers, servers, **times) == pytest.approx(expected.call_congestion, abs=1e-12)
        assert engset_concurrency(callers, servers, **times) == pytest.approx(expected.concurrency, rel=1e-10)
        assert engset_attempt_rate(callers, servers, **times) == pytest.approx(expected.attempt_rate, rel=1e-10)

    @pytest.mark.parametrize(("servers", "offered_load"), [(1, 1.0), (10, 8.0), (100, 84.06), (50, 80.0)])
    def test_many_callers_are_erlang_b(self, servers: int, offered_load: float) -> None:
        """K callers who each offer a / K: both congestions near Erlang B from the two sides, at distance O(1 / K)."""
        for callers in (10_000, 1_000_000, 100_000_000):
            times = {"mean_think_s": callers / offered_load, "mean_service_s": 1.0}
            expected = pytest.approx(erlang_b(servers, offered_load), rel=300 / callers * servers)
            assert engset_time_congestion(callers, servers, **times) == expected
            assert engset_call_congestion(callers, servers, **times) == expected
            assert engset_attempt_rate(callers, servers, **times) == pytest.approx(
                offered_load, rel=2 * servers / callers
            )

    @given(callers=st.integers(1, 200), servers=st.integers(0, 200), think_s=times_s, service_s=times_s)
    def test_attempts_that_pass_fill_the_servers(
        self, callers: int, servers: int, think_s: float, service_s: float
    ) -> None:
        """Little's law: concurrency = accepted attempts per second x service time; it is at most the servers."""
        times = {"mean_think_s": think_s, "mean_service_s": service_s}
        accepted = engset_attempt_rate(callers, servers, **times) * (
            1 - engset_call_congestion(callers, servers, **times)
        )
        concurrency = engset_concurrency(callers, servers, **times)
        assert concurrency == pytest.approx(accepted * service_s, rel=1e-9)
        assert concurrency <= min(callers, servers) * (1 + 1e-9)

    @given(callers=st.integers(2, 200), servers=st.integers(1, 200), think_s=times_s, service_s=times_s)
    def test_attempts_see_less_than_the_clock(
        self, callers: int, servers: int, think_s: float, service_s: float
    ) -> None:
        """Who attempts is not in service; and one more caller blocks more."""
        times = {"mean_think_s": think_s, "mean_service_s": service_s}
        assert engset_call_congestion(callers, servers, **times) <= engset_time_congestion(callers, servers, **times)
        assert engset_call_congestion(callers, servers, **times) <= engset_call_congestion(
            callers + 1, servers, **times
        )


@pytest.mark.parametrize("function", FUNCTIONS)
class TestBadInput:
    @pytest.mark.parametrize("count", [-1, 2.5, math.nan, math.inf])
    def test_counts_must_be_whole_numbers(self, function: Callable[..., float], count: float) -> None:
        """The sentence names the argument and the value."""
        with pytest.raises(ValueError, match=r"callers must be a whole number >= [01], got "):
            function(count, 3, mean_think_s=1.0, mean_service_s=1.0)
        with pytest.raises(ValueError, match=r"servers must be a whole number >= 0, got "):
            function(3, count, mean_think_s=1.0, mean_service_s=1.0)

    @pytest.mark.parametrize("think_s", [0.0, -1.0, math.nan, math.inf])
    def test_thinking_takes_time(self, function: Callable[..., float], think_s: float) -> None:
        """Without a pause a blocked caller would attempt without end at one instant."""
        with pytest.raises(ValueError, match=r"mean_think_s must be a finite number > 0, got "):
            function(3, 2, mean_think_s=think_s, mean_service_s=1.0)

    @pytest.mark.parametrize("service_s", [-1.0, math.nan, math.inf])
    def test_service_time_must_not_be_negative(self, function: Callable[..., float], service_s: float) -> None:
        """nan would otherwise travel into reports."""
        with pytest.raises(ValueError, match=r"mean_service_s must be a finite number >= 0, got "):
            function(3, 2, mean_think_s=1.0, mean_service_s=service_s)


@pytest.mark.parametrize("function", FUNCTIONS[1:])
def test_without_callers_there_is_no_attempt(function: Callable[..., float]) -> None:
    """A share of nothing is none."""
    with pytest.raises(ValueError, match=r"callers must be a whole number >= 1, got 0"):
        function(0, 2, mean_think_s=1.0, mean_service_s=1.0)
