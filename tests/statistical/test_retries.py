"""Retry delays against their laws, and endless retries at limit 1 against the M/M/1 retrial queue."""

from __future__ import annotations

import numpy as np
import pytest

from lambdasim import theory
from lambdasim.eventlog.log import EventLog
from tests.builders import log_of, scenario
from tests.statistical.z_score import AGREES, DIFFERS, replications, z_score

CEILINGS_S = (1.0, 2.0, 4.0, 8.0, 10.0)  # min(cap, base x 2^(k-1)) with base 1 s and cap 10 s
LEAST_SHARE = {"full": 0.0, "equal": 0.5}
LONGER = "base and cap 5 % longer"


def delays(jitter: str, base: str = "1s", cap: str = "10s") -> np.ndarray:
    """Delay (s) before each of five retries of requests that are always throttled.

    Shape (replications, requests, 5).
    """
    made = scenario(
        functions={"f": {"reserved_concurrency": 0}},
        traffic={
            "t": {
                "function": "f",
                "rate": "20/s",
                "arrivals": "uniform",
                "client": {"retry": {"max_attempts": 6, "base": base, "cap": cap, "jitter": jitter}},
            }
        },
        duration="50s",
    )
    times = [log_of(made, seed).throttles.time_ns.reshape(-1, 6) for seed in range(1, 11)]
    return np.diff(np.array(times), axis=2) / 1e9


@pytest.fixture(scope="module", params=["full", "equal"])
def jittered(request: pytest.FixtureRequest) -> tuple[str, np.ndarray, np.ndarray]:
    """Delays under a jitter, and the mutant's: base and cap 5 % longer."""
    return request.param, delays(request.param), delays(request.param, "1050ms", "10500ms")


@pytest.mark.parametrize("retry", [1, 2, 3, 4, 5])
def test_mean_delay_is_the_middle_of_the_jitter(jittered: tuple[str, np.ndarray, np.ndarray], retry: int) -> None:
    """U(0, c) for full jitter, c / 2 + U(0, c / 2) for equal. Mutant: base and cap 5 % longer."""
    jitter, ideal, longer = jittered
    ceiling = CEILINGS_S[retry - 1]
    expected = ceiling * (LEAST_SHARE[jitter] + 1) / 2
    words = {"what": f"delay before a retry, mean, {jitter} jitter", "part": f"retry {retry}", "unit": "s"}
    assert abs(z_score(ideal[:, :, retry - 1].mean(axis=1), expected, **words)) < AGREES
    assert z_score(longer[:, :, retry - 1].mean(axis=1), expected, **words, mutant=LONGER) > DIFFERS


@pytest.mark.parametrize("retry", [1, 2, 3, 4, 5])
def test_variance_of_the_delay_is_that_of_a_uniform(jittered: tuple[str, np.ndarray, np.ndarray], retry: int) -> None:
    """Width squared over 12. Mutant: base and cap 5 % longer, so 10 % more variance."""
    jitter, ideal, longer = jittered
    expected = (CEILINGS_S[retry - 1] * (1 - LEAST_SHARE[jitter])) ** 2 / 12
    words = {"what": f"delay before a retry, variance, {jitter} jitter", "part": f"retry {retry}", "unit": "s²"}
    assert abs(z_score(ideal[:, :, retry - 1].var(axis=1, ddof=1), expected, **words)) < AGREES
    assert z_score(longer[:, :, retry - 1].var(axis=1, ddof=1), expected, **words, mutant=LONGER) > DIFFERS


def test_no_delay_is_beyond_its_bounds(jittered: tuple[str, np.ndarray, np.ndarray]) -> None:
    """All delays lie between the least share of the ceiling and the ceiling, and fill nearly all of that."""
    jitter, ideal, _ = jittered
    least, greatest = ideal.min(axis=(0, 1)), ideal.max(axis=(0, 1))
    ceilings = np.array(CEILINGS_S)
    assert (least >= LEAST_SHARE[jitter] * ceilings - 1e-9).all()
    assert (least <= (LEAST_SHARE[jitter] + 0.01) * ceilings).all()
    assert (greatest <= ceilings + 1e-9).all()
    assert (greatest >= 0.99 * ceilings).all()


def test_the_delays_of_a_request_are_independent(jittered: tuple[str, np.ndarray, np.ndarray]) -> None:
    """Products of the deviations of two delays of one request have mean 0. Mutant: of one delay with itself."""
    jitter, ideal, _ = jittered
    deviations = ideal - np.array(CEILINGS_S) * (LEAST_SHARE[jitter] + 1) / 2
    what = f"two delays of a request, product of the deviations, {jitter} jitter"
    for first, second in ((0, 1), (1, 2), (3, 4), (0, 4)):
        words = {"what": what, "part": f"retries {first + 1} and {second + 1}", "unit": "s²"}
        products = (deviations[:, :, first] * deviations[:, :, second]).mean(axis=1)
        assert abs(z_score(products, 0.0, **words)) < AGREES
        squares = (deviations[:, :, first] ** 2).mean(axis=1)
        assert z_score(squares, 0.0, **words, mutant="a delay and itself") > DIFFERS


def test_without_jitter_every_delay_is_its_ceiling() -> None:
    """The mutant of all of the above: no jitter."""
    fixed = delays("none")
    assert (fixed == np.array(CEILINGS_S)).all()


# The retrial queue: one request every two seconds, service of a second, two seconds between attempts.
RATE, DELAY_S, WARM_UP_NS, END_NS = 0.5, 2.0, 100 * 10**9, 4_000 * 10**9


def orbits(duration_ms: int, delay_ms: int) -> np.ndarray:
    """(mean in orbit, mean attempts, blocked share of first attempts, blocked share of all attempts) by replication."""
    made = scenario(
        functions={"f": {"duration": {"exponential": {"mean": f"{duration_ms}ms"}}}},
        traffic={
            "t": {
                "function": "f",
                "rate": f"{RATE}/s",
                "client": {"retry": {"max_attempts": "unlimited", "delay": {"exponential": {"mean": f"{delay_ms}ms"}}}},
            }
        },
        region={"concurrency_quota": 1},
        duration="4000s",
    )

    def measure(log: EventLog) -> list[float]:
        arrival, admitted = log.requests.arrival_ns, log.invocations.admitted_ns
        inside = np.clip(admitted, WARM_UP_NS, END_NS) - np.clip(arrival, WARM_UP_NS, END_NS)
        counts = arrival >= WARM_UP_NS
        attempts = log.invocations.attempt[counts]
        # Ratios of sums: the few attempts of requests that arrived before the warm-up or are served after the end
        # do not matter beside 1,900 requests.
        return [
            inside.sum() / (END_NS - WARM_UP_NS),
            attempts.mean(),
            (attempts > 1).mean(),
            1 - len(attempts) / attempts.sum(),
        ]

    return replications(made, measure, 40)


def test_endless_retries_at_limit_1_are_a_retrial_queue() -> None:
    """M/M/1 with exponential retries. Mutants: service 10 % longer, and retries 30 % later where that matters."""
    expected = [
        theory.mean_in_orbit(RATE, 1.0, DELAY_S),
        theory.mean_attempts(RATE, 1.0, DELAY_S),
        theory.first_attempt_blocking(RATE, 1.0),
        theory.attempt_blocking(RATE, 1.0, DELAY_S),
    ]
    words = [
        {"what": "requests between two attempts, mean"},
        {"what": "attempts of a request, mean"},
        {"what": "first attempts that are refused", "unit": "%"},
        {"what": "attempts that are refused", "unit": "%"},
    ]
    ideal, longer, later = orbits(1000, 2000), orbits(1100, 2000), orbits(1000, 2600)
    for column, value in enumerate(expected):
        assert abs(z_score(ideal[:, column], value, **words[column])) < AGREES
        assert z_score(longer[:, column], value, **words[column], mutant="service 10 % longer") > DIFFERS
    assert z_score(later[:, 0], expected[0], **words[0], mutant="retries 30 % later") > DIFFERS
    assert z_score(later[:, 3], expected[3], **words[3], mutant="retries 30 % later") < -DIFFERS
    # The utilisation does not depend on the delay, so the first attempt does not either.
    assert abs(z_score(later[:, 2], expected[2], **words[2], part="with retries 30 % later")) < AGREES
