"""Concurrency without any limit against M/G/infinity: Poisson with mean = variance = offered load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from lambdasim import theory
from lambdasim.eventlog.log import EventLog
from tests.builders import log_of, scenario
from tests.statistical.z_score import AGREES, DIFFERS, z_score

LOAD = 10.0
REPLICATIONS = 20
# Sampled after the warm-up, and far enough apart for what is in flight to be nearly all new.
SAMPLE_TIMES_NS = np.arange(30, 500, 3) * 10**9

LAWS = {
    "exponential": lambda mean_ms: {"exponential": {"mean": f"{mean_ms}ms"}},
    "uniform": lambda mean_ms: {"uniform": ["0s", f"{2 * mean_ms}ms"]},
}


def in_flight_at(log: EventLog, times_ns: np.ndarray) -> np.ndarray:
    """Concurrency at each time: what was admitted until then less what has ended."""
    admitted, ended = np.sort(log.invocations.admitted_ns), np.sort(log.clipped_end_ns)
    return np.searchsorted(admitted, times_ns, side="right") - np.searchsorted(ended, times_ns, side="right")


def samples(name: str, mean_ms: int = 1000, **source: Any) -> np.ndarray:
    """Concurrency at the sample times, one row for each replication."""
    made = scenario(
        functions={"f": {"duration": LAWS[name](mean_ms)}},
        traffic={"t": {"function": "f", "rate": f"{LOAD:g}/s", **source}},
        region={"concurrency_quota": 1_000_000},
        duration="500s",
    )
    return np.array([in_flight_at(log_of(made, seed), SAMPLE_TIMES_NS) for seed in range(1, REPLICATIONS + 1)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Samples of the ideal scenario, of durations 5 % longer, and of even arrivals, for one law of the duration."""

    law: str
    ideal: np.ndarray
    longer: np.ndarray
    even: np.ndarray


@pytest.fixture(scope="module", params=list(LAWS))
def drawn(request: pytest.FixtureRequest) -> Drawn:
    """Drawn once for all tests."""
    law = request.param
    return Drawn(law=law, ideal=samples(law), longer=samples(law, 1050), even=samples(law, arrivals="uniform"))


def test_mean_concurrency_is_the_offered_load(drawn: Drawn) -> None:
    """Mutant: durations 5 % longer."""
    expected = theory.mean_concurrency(LOAD, 1.0)
    what = f"requests in flight at load 10, mean, {drawn.law} durations"
    assert abs(z_score(drawn.ideal.mean(axis=1), expected, what)) < AGREES
    assert z_score(drawn.longer.mean(axis=1), expected, what, mutant="durations 5 % longer") > DIFFERS


def test_the_variance_of_concurrency_is_its_mean(drawn: Drawn) -> None:
    """Mutant: evenly spaced arrivals, which vary less."""
    what = f"requests in flight at load 10, variance, {drawn.law} durations"
    assert abs(z_score(((drawn.ideal - LOAD) ** 2).mean(axis=1), LOAD, what)) < AGREES
    even = ((drawn.even - LOAD) ** 2).mean(axis=1)
    assert z_score(even, LOAD, what, mutant="evenly spaced arrivals") < -DIFFERS


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
def test_percentiles_of_concurrency_are_those_of_poisson(drawn: Drawn, q: float) -> None:
    """The share of time with at most the q-th percentile in flight. Mutant: durations 5 % longer."""
    percentile = theory.concurrency_percentile(LOAD, q)
    expected = sum(theory.concurrency_pmf(LOAD, level) for level in range(percentile + 1))
    assert expected >= q > expected - theory.concurrency_pmf(LOAD, percentile)
    what = f"share of time with at most {percentile} in flight (p{100 * q:.0f} of Poisson), {drawn.law} durations"
    assert abs(z_score((drawn.ideal <= percentile).mean(axis=1), expected, what, unit="%")) < AGREES
    longer = z_score((drawn.longer <= percentile).mean(axis=1), expected, what, unit="%", mutant="durations 5 % longer")
    assert longer < -AGREES  # one percentile says less than the mean
