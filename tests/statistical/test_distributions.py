"""Every form of distribution against its closed form: the mean, and the share of samples up to chosen percentiles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter
from scipy import stats

from lambdasim.rng import Purpose, stream
from lambdasim.scenario.distributions import Distribution
from lambdasim.workload.sampling import sample
from tests.statistical.z_score import AGREES, DIFFERS, distance, z_score

REPLICATIONS, SIZE = 40, 5_000
Z90, Z99 = 1.2815515655446004, 2.3263478740408408


@dataclass(frozen=True)
class Case:
    """What a user writes, and what follows: the mean (s), and times (s) with the share of samples up to them."""

    written: Any
    mean_s: float
    percentiles: tuple[tuple[float, float], ...]


def exponential_cdf(time: float, mean: float) -> float:
    """P(T <= time)."""
    return 1 - math.exp(-time / mean)


SIGMA = math.log(5) / Z99  # of a lognormal whose p99 is five times its p50
GAMMA = stats.gamma(a=1 / 0.6**2, scale=0.2 * 0.6**2)  # mean 0.2 s, cv 0.6

CASES = {
    "exponential": Case(
        {"exponential": {"mean": "1s"}}, 1.0, ((math.log(2), 0.5), (math.log(10), 0.9), (math.log(100), 0.99))
    ),
    "lognormal by p50 and p99": Case(
        {"lognormal": {"p50": "80ms", "p99": "400ms"}},
        0.08 * math.exp(SIGMA**2 / 2),
        ((0.08, 0.5), (0.08 * math.exp(SIGMA * Z90), 0.9), (0.4, 0.99)),
    ),
    "lognormal by p50 and sigma": Case(
        {"lognormal": {"p50": "2s", "sigma": 0.5}},
        2 * math.exp(0.125),
        ((2.0, 0.5), (2 * math.exp(0.5 * Z90), 0.9), (2 * math.exp(0.5 * Z99), 0.99)),
    ),
    "lognormal by mean and sigma": Case(
        {"lognormal": {"mean": "1s", "sigma": 0.8}},
        1.0,
        ((math.exp(-0.32), 0.5), (math.exp(-0.32 + 0.8 * Z90), 0.9), (math.exp(-0.32 + 0.8 * Z99), 0.99)),
    ),
    "gamma": Case(
        {"gamma": {"mean": "200ms", "cv": 0.6}}, 0.2, tuple((float(GAMMA.ppf(q)), q) for q in (0.1, 0.5, 0.9, 0.99))
    ),
    "gamma over 1": Case(
        {"gamma": {"mean": "1s", "cv": 2.0}}, 1.0, ((float(stats.gamma(a=0.25, scale=4).ppf(0.9)), 0.9),)
    ),
    "uniform": Case({"uniform": ["1s", "2s"]}, 1.5, ((1.1, 0.1), (1.5, 0.5), (1.99, 0.99))),
    "empirical": Case(
        {"empirical": ["80ms", "95ms", "95ms", "200ms"]}, 0.1175, ((0.08, 0.25), (0.095, 0.75), (0.1, 0.75))
    ),
    # Linear in log time within a segment, so its mean is that of a log-uniform: (b - a) / log(b / a).
    "quantiles": Case(
        {"quantiles": {"p0": "100ms", "p50": "200ms", "p90": "400ms", "p100": "3200ms"}},
        0.5 * 0.1 / math.log(2) + 0.4 * 0.2 / math.log(2) + 0.1 * 2.8 / math.log(8),
        ((math.sqrt(0.02), 0.25), (0.2, 0.5), (0.2 * 2**0.75, 0.8), (0.4, 0.9), (0.8, 0.9 + 0.1 / 3)),
    ),
    "quantiles from 0": Case(
        {"quantiles": {"p0": "0s", "p50": "1s", "p100": "2s"}},
        0.5 * 0.5 + 0.5 / math.log(2),
        ((0.5, 0.25), (1.0, 0.5), (math.sqrt(2), 0.75)),
    ),
    # Weights are relative: 3 to 1.
    "mixture": Case(
        {"mixture": [{"weight": 3.0, "exponential": {"mean": "1s"}}, {"weight": 1.0, "uniform": ["2s", "4s"]}]},
        0.75 * 1 + 0.25 * 3,
        (
            (1.0, 0.75 * exponential_cdf(1, 1)),
            (3.0, 0.75 * exponential_cdf(3, 1) + 0.25 * 0.5),
            (4.0, 0.75 * exponential_cdf(4, 1) + 0.25),
        ),
    ),
}


def samples_s(written: Any) -> np.ndarray:
    """Samples in seconds. Shape (replications, size)."""
    distribution = TypeAdapter(Distribution).validate_python(written)
    generators = (stream(seed, Purpose.DURATION, "web", 0, 0) for seed in range(1, REPLICATIONS + 1))
    return np.array([sample(distribution, generator, SIZE) for generator in generators]) / 1e9


@pytest.mark.parametrize("name", list(CASES))
def test_mean_of_a_distribution(name: str) -> None:
    """Mutant: every sample 5 % longer."""
    case = CASES[name]
    means = samples_s(case.written).mean(axis=1)
    what = f"mean, {name}"
    assert abs(z_score(means, case.mean_s, what, unit="s")) < AGREES
    assert z_score(means * 1.05, case.mean_s, what, unit="s", mutant="5 % longer") > DIFFERS


@pytest.mark.parametrize("name", list(CASES))
def test_percentiles_of_a_distribution(name: str) -> None:
    """Mutant: every sample 5 % longer moves at least one of the shares."""
    case = CASES[name]
    drawn = samples_s(case.written)
    tolerance = 1 + 1e-12  # seconds are floats here
    what = f"share up to a time, {name}"
    longer = {}
    for time_s, share in case.percentiles:
        part = f"up to {time_s:.3g} s"
        assert abs(z_score((drawn <= time_s * tolerance).mean(axis=1), share, what, part=part, unit="%")) < AGREES
        longer[part] = (drawn * 1.05 <= time_s * tolerance).mean(axis=1), share
    part = min(longer, key=lambda part: distance(*longer[part]))
    assert z_score(*longer[part], what, part=part, unit="%", mutant="5 % longer") < -DIFFERS


@pytest.mark.parametrize("written", ["200ms", {"constant": "200ms"}, {"lognormal": {"p50": "200ms", "p99": "200ms"}}])
def test_a_constant_is_always_the_same(written: Any) -> None:
    """Exactly, in integer nanoseconds, however it is written."""
    distribution = TypeAdapter(Distribution).validate_python(written)
    assert set(sample(distribution, stream(1, Purpose.INIT, "f", 0, 0), 100).tolist()) == {200_000_000}


def test_samples_never_leave_their_bounds() -> None:
    """Uniform, quantiles and empirical have ends, which all samples keep."""
    for name, least, greatest in (("uniform", 1, 2), ("quantiles", 0.1, 3.2), ("empirical", 0.08, 0.2)):
        drawn = samples_s(CASES[name].written)
        assert drawn.min() >= least
        assert drawn.max() <= greatest
