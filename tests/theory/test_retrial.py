"""The retrial queue M/M/1 against a numerical solution of its Markov chain, and against its limits."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdasim.theory import (
    attempt_blocking,
    first_attempt_blocking,
    mean_attempts,
    mean_in_orbit,
    mean_time_in_orbit_s,
)

# (arrival rate, mean service, mean retry delay): light and heavy load, quick and slow retries, another unit of time.
CASES = [(0.5, 1.0, 1.0), (0.5, 1.0, 20.0), (0.5, 1.0, 0.05), (0.8, 1.0, 2.0), (0.1, 1.0, 1.0), (20.0, 0.03, 0.1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainAnswers:
    """What the stationary distribution of the chain says, each by its own definition (no Little, no PASTA)."""

    busy: float
    mean_in_orbit: float
    attempts_per_request: float
    attempt_blocking: float
    truncated_mass: float


def solve_chain(arrival_rate: float, mean_service_s: float, mean_retry_delay_s: float, orbit_size: int) -> ChainAnswers:
    """Solve the chain (server busy or not, number in orbit), cut off at ``orbit_size``, from its balance equations."""
    idle, busy = 0, 1
    service_rate, retry_rate = 1 / mean_service_s, 1 / mean_retry_delay_s
    generator = np.zeros((2 * (orbit_size + 1), 2 * (orbit_size + 1)))

    def state(server: int, orbit: int) -> int:
        return 2 * orbit + server

    for n in range(orbit_size + 1):
        generator[state(idle, n), state(busy, n)] += arrival_rate
        generator[state(busy, n), state(idle, n)] += service_rate
        if n > 0:
            generator[state(idle, n), state(busy, n - 1)] += n * retry_rate
        if n < orbit_size:
            generator[state(busy, n), state(busy, n + 1)] += arrival_rate
    generator -= np.diag(generator.sum(axis=1))
    equations = generator.T.copy()
    equations[-1] = 1.0  # one balance equation is redundant: total probability takes its place
    right = np.zeros(len(equations))
    right[-1] = 1.0
    share = np.linalg.solve(equations, right).reshape(orbit_size + 1, 2)
    orbit = np.arange(orbit_size + 1)
    attempt_rate = arrival_rate + orbit * retry_rate
    return ChainAnswers(
        busy=float(share[:, busy].sum()),
        mean_in_orbit=float((share.sum(axis=1) * orbit).sum()),
        attempts_per_request=float((share.sum(axis=1) * attempt_rate).sum() / arrival_rate),
        attempt_blocking=float((share[:, busy] * attempt_rate).sum() / (share.sum(axis=1) * attempt_rate).sum()),
        truncated_mass=float(share[-1].sum()),
    )


@pytest.fixture(scope="module", params=CASES, ids=str)
def case(request: pytest.FixtureRequest) -> tuple[tuple[float, float, float], ChainAnswers]:
    """One set of parameters and the numerical solution for it."""
    answers = solve_chain(*request.param, orbit_size=300)
    assert answers.truncated_mass < 1e-14  # the cut does not matter
    return request.param, answers


Case = tuple[tuple[float, float, float], ChainAnswers]


class TestAgainstMarkovChain:
    def test_mean_in_orbit(self, case: Case) -> None:
        """The closed form of the mean is the mean of the stationary distribution."""
        parameters, chain = case
        assert mean_in_orbit(*parameters) == pytest.approx(chain.mean_in_orbit, rel=1e-9)

    def test_first_attempt_blocking(self, case: Case) -> None:
        """A Poisson arrival sees the server busy as often as it is."""
        (arrival_rate, mean_service_s, _), chain = case
        assert first_attempt_blocking(arrival_rate, mean_service_s) == pytest.approx(chain.busy, rel=1e-9)

    def test_attempt_blocking(self, case: Case) -> None:
        """Blocked attempts per second over attempts per second."""
        parameters, chain = case
        assert attempt_blocking(*parameters) == pytest.approx(chain.attempt_blocking, rel=1e-9)

    def test_mean_attempts(self, case: Case) -> None:
        """Attempts per second over requests per second."""
        parameters, chain = case
        assert mean_attempts(*parameters) == pytest.approx(chain.attempts_per_request, rel=1e-9)

    def test_mean_time_in_orbit(self, case: Case) -> None:
        """Little's law on the orbit of the chain."""
        parameters, chain = case
        assert mean_time_in_orbit_s(*parameters) == pytest.approx(chain.mean_in_orbit / parameters[0], rel=1e-9)

    def test_chain_tells_a_slightly_slower_service_apart(self) -> None:
        """The comparison has power: 0.1 % more service time is seen."""
        chain = solve_chain(0.5, 1.0, 1.0, orbit_size=300)
        assert mean_in_orbit(0.5, 1.001, 1.0) != pytest.approx(chain.mean_in_orbit, rel=1e-4)


class TestHandValues:
    def test_half_load_and_equal_means(self) -> None:
        """lambda = 1/2, s = d = 1: orbit 1/2 (0.5 + 0.5) / (0.5) = 1, time 1 / 0.5 = 2, attempts 1 + 2 = 3."""
        assert mean_in_orbit(0.5, 1.0, 1.0) == 1.0
        assert mean_time_in_orbit_s(0.5, 1.0, 1.0) == 2.0
        assert mean_attempts(0.5, 1.0, 1.0) == 3.0
        assert attempt_blocking(0.5, 1.0, 1.0) == pytest.approx(2 / 3)

    def test_eager_retries_make_a_queue(self) -> None:
        """With immediate retries nobody waits while the server is free: M/M/1 with rho^2 / (1 - rho) waiting."""
        assert mean_in_orbit(0.8, 1.0, 1e-9) == pytest.approx(0.8**2 / 0.2, rel=1e-8)

    def test_patient_retries_are_independent_attempts(self) -> None:
        """With very long delays each attempt is blocked with probability rho afresh: geometric, mean 1 / (1 - rho)."""
        assert mean_attempts(0.8, 1.0, 1e9) == pytest.approx(5.0, rel=1e-8)
        assert attempt_blocking(0.8, 1.0, 1e9) == pytest.approx(0.8, rel=1e-8)

    def test_no_arrivals(self) -> None:
        """A request that comes once in an eternity is served at its first attempt."""
        assert mean_in_orbit(0.0, 1.0, 1.0) == 0.0
        assert mean_attempts(0.0, 1.0, 1.0) == 1.0
        assert attempt_blocking(0.0, 1.0, 1.0) == 0.0


class TestProperties:
    @given(rho=st.floats(0.01, 0.99), service_s=st.floats(0.001, 100), delay_s=st.floats(0.001, 100))
    def test_identities(self, rho: float, service_s: float, delay_s: float) -> None:
        """One attempt of each request is not blocked, and retries are blocked more often than first attempts."""
        parameters = (rho / service_s, service_s, delay_s)
        blocking = attempt_blocking(*parameters)
        assert blocking == pytest.approx(1 - 1 / mean_attempts(*parameters), rel=1e-9)
        assert first_attempt_blocking(*parameters[:2]) < blocking < 1

    @given(rho=st.floats(0.01, 0.99), delay_s=st.floats(0.001, 100), unit=st.floats(0.001, 1000))
    def test_unit_of_time_does_not_matter(self, rho: float, delay_s: float, unit: float) -> None:
        """Counts stay, times scale."""
        assert mean_in_orbit(rho / unit, unit, delay_s * unit) == pytest.approx(
            mean_in_orbit(rho, 1, delay_s), rel=1e-9
        )
        assert mean_time_in_orbit_s(rho / unit, unit, delay_s * unit) == pytest.approx(
            unit * mean_time_in_orbit_s(rho, 1, delay_s), rel=1e-9
        )


class TestErrors:
    @pytest.mark.parametrize("formula", [mean_in_orbit, mean_time_in_orbit_s, mean_attempts, attempt_blocking])
    @pytest.mark.parametrize(
        ("parameters", "sentence"),
        [
            ((1.0, 1.0, 1.0), "arrival_rate \\* mean_service_s must be under 1"),
            ((3.0, 1.0, 1.0), "arrival_rate \\* mean_service_s must be under 1"),
            ((-0.1, 1.0, 1.0), "arrival_rate must be a finite number >= 0"),
            ((math.nan, 1.0, 1.0), "arrival_rate must be a finite number >= 0"),
            ((0.5, 0.0, 1.0), "mean_service_s must be a finite number > 0"),
            ((0.5, 1.0, 0.0), "mean_retry_delay_s must be a finite number > 0"),
            ((0.5, 1.0, math.inf), "mean_retry_delay_s must be a finite number > 0"),
        ],
    )
    def test_each_rule_has_a_sentence(self, formula, parameters, sentence: str) -> None:  # type: ignore[no-untyped-def]
        """Every function checks the same rules."""
        with pytest.raises(ValueError, match=sentence):
            formula(*parameters)
