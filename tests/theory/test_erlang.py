"""Erlang B and its inverses against printed tables, hand recursion, scipy and their own definitions."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lambdasim.theory import erlang_b, erlang_b_by_load, offered_load_for_blocking, servers_for_blocking

loads = st.floats(0.001, 300)
targets = st.floats(1e-6, 0.95)


def erlang_b_by_definition(servers: int, offered_load: Fraction) -> Fraction:
    """The loss formula as Erlang wrote it, in exact arithmetic: no recursion, no rounding."""
    terms = [offered_load**k / math.factorial(k) for k in range(servers + 1)]
    return terms[-1] / sum(terms)


class TestErlangB:
    @pytest.mark.parametrize(
        ("servers", "offered_load", "expected"),
        [
            (0, 3.0, 1.0),
            (1, 1.0, 1 / 2),  # a / (1 + a)
            (2, 1.0, 1 / 5),  # (1/2) / (1 + 1 + 1/2)
            (3, 1.0, 1 / 16),  # (1/6) / (1 + 1 + 1/2 + 1/6)
            (2, 2.0, 2 / 5),  # 2 / (1 + 2 + 2)
            (5, 0.0, 0.0),
        ],
    )
    def test_small_cases_by_hand(self, servers: int, offered_load: float, expected: float) -> None:
        """Up to three servers the formula fits on one line."""
        assert erlang_b(servers, offered_load) == pytest.approx(expected, rel=1e-14)

    @pytest.mark.parametrize(
        ("servers", "offered_load", "printed", "half_unit"),
        [
            (10, 8.0, 0.12166, 5e-6),  # the example of shared/STYLE.md, recursion by hand
            (10, 4.461, 0.010, 5e-6),  # the rest: usual table "offered load for 1 %, 2 %, 5 % blocking"
            (20, 12.03, 0.010, 5e-5),
            (10, 5.084, 0.020, 5e-6),
            (30, 24.80, 0.050, 5e-5),
            (100, 84.06, 0.010, 5e-5),
        ],
    )
    def test_printed_tables(self, servers: int, offered_load: float, printed: float, half_unit: float) -> None:
        """Tables print loads to four digits, so blocking agrees to about as many."""
        assert erlang_b(servers, offered_load) == pytest.approx(printed, abs=half_unit)

    @given(servers=st.integers(0, 60), tenths=st.integers(0, 1000))
    def test_equals_definition_in_exact_arithmetic(self, servers: int, tenths: int) -> None:
        """The recursion loses no digits to speak of."""
        exact = erlang_b_by_definition(servers, Fraction(tenths, 10))
        assert erlang_b(servers, tenths / 10) == pytest.approx(float(exact), rel=1e-12)

    @pytest.mark.parametrize(
        ("servers", "offered_load"), [(50, 40.0), (1_000, 1_000.0), (1_000, 900.0), (5_000, 5_200.0)]
    )
    def test_equals_truncated_poisson_of_scipy(self, servers: int, offered_load: float) -> None:
        """Blocking is P(X = c) / P(X <= c) for a Poisson X: an independent way, also where factorials overflow."""
        poisson = stats.poisson(offered_load)
        expected = math.exp(poisson.logpmf(servers) - poisson.logcdf(servers))
        assert erlang_b(servers, offered_load) == pytest.approx(expected, rel=1e-9)

    @given(servers=st.integers(0, 80), load=st.floats(0.1, 300))  # smaller loads would underflow to 0 blocking
    def test_more_servers_block_less_and_more_load_blocks_more(self, servers: int, load: float) -> None:
        """Monotone in both arguments."""
        assert erlang_b(servers + 1, load) < erlang_b(servers, load)
        if servers:
            assert erlang_b(servers, load * 1.01) > erlang_b(servers, load)

    @given(first=st.integers(1, 40), second=st.integers(1, 40), load=loads, share=st.floats(0.01, 0.99))
    def test_splitting_servers_into_pools_never_helps(self, first: int, second: int, load: float, share: float) -> None:
        """Reserved pools lose at least what the undivided pool loses (equal mean service times)."""
        apart = share * erlang_b(first, share * load) + (1 - share) * erlang_b(second, (1 - share) * load)
        assert apart >= erlang_b(first + second, load) * (1 - 1e-12)

    @pytest.mark.parametrize("servers", [-1, 2.5, math.nan, math.inf])
    def test_servers_must_be_a_whole_number(self, servers: float) -> None:
        """The sentence names the argument and the value."""
        with pytest.raises(ValueError, match=r"servers must be a whole number >= 0, got "):
            erlang_b(servers, 1.0)  # type: ignore[arg-type]

    @pytest.mark.parametrize("offered_load", [-0.1, math.nan, math.inf])
    def test_offered_load_must_be_finite_and_not_negative(self, offered_load: float) -> None:
        """nan would otherwise travel into reports."""
        with pytest.raises(ValueError, match=r"offered_load must be a finite number >= 0, got "):
            erlang_b(10, offered_load)
        with pytest.raises(ValueError, match=r"offered_load must be a finite number >= 0, got "):
            servers_for_blocking(offered_load, 0.01)


class TestManyLoads:
    """``erlang_b_by_load``, which sums another series than the recursion."""

    @pytest.mark.parametrize("servers", [0, 1, 2, 10, 63, 65, 1_000, 4_000])
    def test_as_one_by_one(self, servers: int) -> None:
        """Below, at and above the limit; what is under 1e-15 may be 0."""
        loads = np.concatenate(([0.0, 1e-9, 0.5, 7.5], np.linspace(0.5, 3, 60) * max(servers, 1), [1e7]))
        one_by_one = [erlang_b(servers, load) for load in loads.tolist()]
        assert erlang_b_by_load(servers, loads).tolist() == pytest.approx(one_by_one, rel=1e-12, abs=1e-15)

    def test_shape_is_kept(self) -> None:
        """a / (1 + a) of one server."""
        assert erlang_b_by_load(1, np.array([[1.0, 3.0], [0.0, 1.0]])).tolist() == [[0.5, 0.75], [0, 0.5]]

    def test_a_large_limit(self) -> None:
        """Where load and limit are one large number c, about sqrt(2 / (pi c)) is blocked: 1 in 1,253 of a million."""
        blocking = erlang_b_by_load(10**6, np.array([1e6]))
        assert blocking[0] == pytest.approx(math.sqrt(2 / (math.pi * 1e6)), rel=2e-3)

    @pytest.mark.parametrize("load", [-0.1, math.nan, math.inf])
    def test_loads_must_be_finite_and_not_negative(self, load: float) -> None:
        """As of one load."""
        with pytest.raises(ValueError, match=r"offered_load must be a finite number >= 0, got "):
            erlang_b_by_load(10, np.array([1.0, load]))


class TestServersForBlocking:
    @pytest.mark.parametrize(
        ("offered_load", "target", "expected"),
        [
            (1.0, 0.5, 1),
            (1.0, 0.2, 2),
            (1.0, 0.1999, 3),
            (4.46, 0.01, 10),
            (4.47, 0.01, 11),
            (84.1, 0.01, 101),
            (0.0, 0.01, 1),
        ],
    )
    def test_hand_and_table_values(self, offered_load: float, target: float, expected: int) -> None:
        """A target that is met exactly needs no further server; a little over the load of the table needs one."""
        assert servers_for_blocking(offered_load, target) == expected

    @given(load=loads, target=targets)
    def test_is_the_least_number_that_meets_the_target(self, load: float, target: float) -> None:
        """Meets the target, and one server less does not."""
        servers = servers_for_blocking(load, target)
        assert erlang_b(servers, load) <= target < erlang_b(servers - 1, load)

    @pytest.mark.parametrize("target", [0.0, 1.0, -0.1, 2.0, math.nan])
    def test_target_must_lie_between_0_and_1(self, target: float) -> None:
        """0 needs infinitely many servers, 1 none at all."""
        with pytest.raises(ValueError, match=r"target_blocking must lie strictly between 0 and 1, got "):
            servers_for_blocking(5.0, target)
        with pytest.raises(ValueError, match=r"target_blocking must lie strictly between 0 and 1, got "):
            offered_load_for_blocking(5, target)

    def test_a_target_in_percent_gets_a_hint(self) -> None:
        """Blocking of 5 is a common slip for 5 %."""
        with pytest.raises(ValueError, match=r"percent"):
            servers_for_blocking(5.0, 5)


class TestOfferedLoadForBlocking:
    @pytest.mark.parametrize(
        ("servers", "target", "printed", "half_unit"),
        [
            (1, 0.5, 1.0, 1e-11),  # a / (1 + a) = 1/2
            (2, 0.2, 1.0, 1e-11),
            (1, 0.01, 0.0101, 5e-5),
            (2, 0.01, 0.1526, 5e-5),
            (5, 0.01, 1.3608, 5e-5),
            (10, 0.01, 4.4612, 5e-5),
            (20, 0.01, 12.031, 5e-4),
            (100, 0.01, 84.064, 5e-4),
            (100, 0.02, 87.972, 5e-4),
        ],
    )
    def test_hand_and_table_values(self, servers: int, target: float, printed: float, half_unit: float) -> None:
        """The usual printed table: offered load by number of servers and blocking."""
        assert offered_load_for_blocking(servers, target) == pytest.approx(printed, abs=half_unit)

    @given(servers=st.integers(1, 150), target=st.floats(1e-9, 0.999))
    def test_load_meets_the_target_and_a_little_more_does_not(self, servers: int, target: float) -> None:
        """The greatest load, to a relative 1e-10."""
        load = offered_load_for_blocking(servers, target)
        assert erlang_b(servers, load) <= target < erlang_b(servers, load * (1 + 1e-10))

    @given(servers=st.integers(1, 150), load=st.floats(0.5, 150))
    def test_undoes_erlang_b(self, servers: int, load: float) -> None:
        """From load to blocking and back."""
        blocking = erlang_b(servers, load)
        if 1e-200 < blocking < 0.999:
            assert offered_load_for_blocking(servers, blocking) == pytest.approx(load, rel=1e-9)

    @given(servers=st.integers(1, 100), target=targets)
    def test_agrees_with_the_inverse_in_servers(self, servers: int, target: float) -> None:
        """At the greatest load for c servers, c servers are needed; just over it, c + 1."""
        load = offered_load_for_blocking(servers, target)
        assert servers_for_blocking(load, target) == servers
        assert servers_for_blocking(load * (1 + 1e-10), target) == servers + 1

    @pytest.mark.parametrize("servers", [0, -3, 1.5])
    def test_needs_a_server(self, servers: float) -> None:
        """With none, blocking is 1 at every load, so no load meets a target."""
        with pytest.raises(ValueError, match=r"servers must be a whole number >= 1, got "):
            offered_load_for_blocking(servers, 0.1)  # type: ignore[arg-type]

    def test_tiny_target_ends(self) -> None:
        """For one server and a tiny target, load = blocking / (1 - blocking)."""
        assert offered_load_for_blocking(1, 1e-300) == pytest.approx(1e-300, rel=1e-9)
