"""Erlang C against printed values, its definition and M/M/1; and the drain of a backlog."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdasim.theory import drain_time_s, erlang_b, erlang_c, mean_wait_s


def erlang_c_by_definition(servers: int, load: Fraction) -> Fraction:
    """The delay formula as it stands in the books, in exact arithmetic."""
    below = sum((load**k / math.factorial(k) for k in range(servers)), Fraction(0))
    waiting = load**servers / math.factorial(servers) * Fraction(servers) / (servers - load)
    return waiting / (below + waiting)


class TestErlangC:
    @pytest.mark.parametrize(
        ("servers", "load", "expected"),
        [
            (1, 0.5, 0.5),  # M/M/1: a request waits with probability rho
            (2, 1.0, 1 / 3),  # (1/2 x 2) / (1 + 1 + 1)
            (3, 2.0, 4 / 9),  # (8/6 x 3) / (1 + 2 + 2 + 4)
            (4, 0.0, 0.0),
            (2, 2.0, 1.0),
            (2, 5.0, 1.0),
        ],
    )
    def test_small_cases_by_hand(self, servers: int, load: float, expected: float) -> None:
        """Up to three servers the formula fits on one line; with too few servers everybody waits."""
        assert erlang_c(servers, load) == pytest.approx(expected, rel=1e-14)

    @given(servers=st.integers(1, 60), percent=st.integers(1, 99))
    def test_equals_definition_in_exact_arithmetic(self, servers: int, percent: int) -> None:
        """By way of Erlang B no digits are lost to speak of."""
        load = Fraction(servers * percent, 100)
        assert erlang_c(servers, float(load)) == pytest.approx(float(erlang_c_by_definition(servers, load)), rel=1e-11)

    @given(servers=st.integers(1, 80), load=st.floats(0.1, 100))
    def test_more_wait_than_are_lost(self, servers: int, load: float) -> None:
        """In a system that loses requests fewer find the servers busy."""
        assert erlang_c(servers, load) >= erlang_b(servers, load)

    @pytest.mark.parametrize("servers", [0, -1, 2.5])
    def test_needs_a_server(self, servers: float) -> None:
        """With none, nobody is ever served."""
        with pytest.raises(ValueError, match=r"servers must be a whole number >= 1, got "):
            erlang_c(servers, 0.1)  # type: ignore[arg-type]


class TestWait:
    def test_of_one_server(self) -> None:
        """M/M/1 at rho 0.8 and 1 s: rho / (1 - rho) x 1 s = 4 s."""
        assert mean_wait_s(1, 0.8, 1.0) == pytest.approx(4.0)

    def test_by_littles_law(self) -> None:
        """Three servers, load 2: 4/9 wait, 8/9 are in the queue on average, at 2/s for 4/9 s."""
        assert mean_wait_s(3, 2.0, 1.0) == pytest.approx(4 / 9)

    def test_grows_without_bound_when_the_servers_do_not_suffice(self) -> None:
        """At a load of all servers there is no stationary wait."""
        assert mean_wait_s(2, 2.0, 1.0) == math.inf


class TestDrain:
    def test_backlog_over_spare_capacity(self) -> None:
        """2,400 left, 20 units of 1 s, 5/s still come: 15/s to spare, 160 s."""
        assert drain_time_s(2_400, 20, 5.0, 1.0) == pytest.approx(160.0)

    def test_never_without_spare_capacity(self) -> None:
        """20/s come, and 20/s go."""
        assert drain_time_s(1, 20, 20.0, 1.0) == math.inf

    def test_no_time_is_a_mistake(self) -> None:
        """Work that takes no time leaves no backlog."""
        with pytest.raises(ValueError, match="mean_service_s must be above 0"):
            drain_time_s(1, 20, 20.0, 0.0)
