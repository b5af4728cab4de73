"""Means of distributions in closed form, and of what a timeout leaves of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import special

from lambdasim.workload.means import mean_duration_ns, mean_ns
from lambdasim.workload.sampling import sample
from tests.builders import scenario

# A distribution and its mean in seconds, by hand.
BY_HAND: list[tuple[Any, float]] = [
    ("2s", 2),
    ({"exponential": {"mean": "3s"}}, 3),
    ({"lognormal": {"mean": "2s", "sigma": 1.5}}, 2),
    ({"lognormal": {"p50": "1s", "sigma": 1.0}}, math.exp(0.5)),
    ({"gamma": {"mean": "4s", "cv": 2.0}}, 4),
    ({"uniform": ["1s", "4s"]}, 2.5),
    ({"empirical": ["1s", "2s", "6s"]}, 3),
    # Half of the time from 0 to 2 s, evenly, which is 1 s on average; half of the time 2 s.
    ({"quantiles": {"p0": 0, "p50": "2s", "p100": "2s"}}, 0.5 * 1 + 0.5 * 2),
    # From 1 s to 4 s evenly in the logarithm: (4 - 1) / ln 4.
    ({"quantiles": {"p0": "1s", "p100": "4s"}}, 3 / math.log(4)),
    ({"mixture": [{"weight": 3.0, "constant": "1s"}, {"weight": 1.0, "constant": "5s"}]}, 2),
]


@pytest.mark.parametrize(("written", "mean_s"), BY_HAND, ids=str)
def test_means_by_hand(written: Any, mean_s: float) -> None:
    """And what is drawn has this mean: 200,000 draws are within 2 % of it."""
    distribution = scenario(functions={"f": {"init": written}}).functions["f"].init
    assert mean_ns(distribution) == pytest.approx(mean_s * 1e9)
    drawn = sample(distribution, np.random.default_rng(5), 200_000)
    assert drawn.mean() == pytest.approx(mean_s * 1e9, rel=0.02)


# A distribution, a limit, and the mean of the time or the limit, whichever is less, in seconds, by hand.
LIMITED: list[tuple[Any, float, float]] = [
    ("2s", 3, 2),
    ("2s", 1, 1),
    # m (1 - e^-1) of m = 1 s and a limit of 1 s.
    ({"exponential": {"mean": "1s"}}, 1, 1 - math.exp(-1)),
    # With a cv of 1 that is the same; of two stages of 1/2 s each: 1 - e^-x (1 + x / 2) with x = 2.
    ({"gamma": {"mean": "1s", "cv": 1.0}}, 1, 1 - math.exp(-1)),
    ({"gamma": {"mean": "1s", "cv": math.sqrt(0.5)}}, 1, 1 - math.exp(-2) * 2),
    # Half are longer than the median; e^(1/2) times the share of the normal distribution below -1.
    ({"lognormal": {"p50": "1s", "sigma": 1.0}}, 1, 0.5 + math.exp(0.5) * 0.158655),
    ({"lognormal": {"p50": "1s", "p99": "1s"}}, 0.5, 0.5),
    # A third from 1 to 2 s, which is 1.5 s on average, the others 2 s.
    ({"uniform": ["1s", "4s"]}, 2, 1.5 / 3 + 2 * 2 / 3),
    ({"uniform": ["1s", "4s"]}, 0.5, 0.5),
    ({"uniform": ["1s", "1s"]}, 3, 1),
    ({"empirical": ["1s", "2s", "6s"]}, 3, 2),
    # A quarter of the time from 0 to 1 s, evenly, then the limit.
    ({"quantiles": {"p0": 0, "p50": "2s", "p100": "2s"}}, 1, 0.25 * 0.5 + 0.75 * 1),
    # From 1 s to 4 s in the logarithm: half of the way to 2 s, (2 - 1) / ln 2 on average, then the limit.
    ({"quantiles": {"p0": "1s", "p100": "4s"}}, 2, 0.5 / math.log(2) + 0.5 * 2),
    ({"mixture": [{"weight": 3.0, "constant": "1s"}, {"weight": 1.0, "constant": "5s"}]}, 2, 1.25),
]


@pytest.mark.parametrize(("written", "limit_s", "mean_s"), LIMITED, ids=str)
def test_means_up_to_a_limit_by_hand(written: Any, limit_s: float, mean_s: float) -> None:
    """And what is drawn has this mean once it is cut off at the limit."""
    distribution = scenario(functions={"f": {"init": written}}).functions["f"].init
    assert mean_ns(distribution, limit_s * 1e9) == pytest.approx(mean_s * 1e9, rel=1e-6)
    drawn = sample(distribution, np.random.default_rng(5), 200_000)
    assert np.minimum(drawn, limit_s * 1e9).mean() == pytest.approx(mean_s * 1e9, rel=0.01)


@pytest.mark.parametrize("cv", [0.05, 0.3, 2.0, 10.0])
@pytest.mark.parametrize("limit_s", [0.01, 0.9, 1.1, 4.0, 100.0])
def test_the_gamma_distribution_up_to_a_limit(cv: float, limit_s: float) -> None:
    """As scipy has its distribution function: mean x P(k + 1, x) + limit x (1 - P(k, x))."""
    distribution = scenario(functions={"f": {"init": {"gamma": {"mean": "1s", "cv": cv}}}}).functions["f"].init
    shape = cv**-2
    below, one_more = (special.gammainc(stages, limit_s * shape) for stages in (shape, shape + 1))
    assert mean_ns(distribution, limit_s * 1e9) == pytest.approx((one_more + limit_s * (1 - below)) * 1e9, rel=1e-9)


@pytest.mark.parametrize("written", [law for law, _ in BY_HAND], ids=str)
def test_a_limit_far_away_changes_nothing(written: Any) -> None:
    """A week."""
    distribution = scenario(functions={"f": {"init": written}}).functions["f"].init
    assert mean_ns(distribution, 7 * 86_400e9) == pytest.approx(mean_ns(distribution), rel=1e-9)
    assert mean_ns(distribution, 0) == 0


def test_memory_decides_how_long_work_takes() -> None:
    """1,769 MB are a vCPU: with 884 MB a second of cpu takes 1,769 / 884 s; waiting for 3 s takes 3 s."""
    function = {"memory": "884MB", "duration": {"cpu": "1s", "io": "3s"}, "timeout": "1m"}
    made = scenario(functions={"f": function}).functions["f"]
    assert mean_duration_ns(made) == pytest.approx((1769 / 884 + 3) * 1e9)


def test_no_handler_works_longer_than_its_timeout() -> None:
    """A mean of a minute with a timeout of 3 s; of random times only what is longer is cut off."""
    made = scenario(functions={"f": {"duration": "60s", "timeout": "3s"}}).functions["f"]
    assert mean_duration_ns(made) == 3e9
    law = {"duration": {"exponential": {"mean": "3s"}}, "timeout": "3s"}
    made = scenario(functions={"f": law}).functions["f"]
    assert mean_duration_ns(made) == pytest.approx(3e9 * (1 - math.exp(-1)))


@pytest.mark.parametrize(
    "work",
    [
        {"cpu": {"exponential": {"mean": "1s"}}, "io": "1s"},
        {"cpu": "1s", "io": {"exponential": {"mean": "1s"}}},
    ],
    ids=["cpu", "io"],
)
def test_a_timeout_cuts_off_work(work: Any) -> None:
    """With one vCPU, a second that is certain and up to 2 s that are not: 1 + (1 - e^-2)."""
    made = scenario(functions={"f": {"memory": "1769MB", "duration": work, "timeout": "3s"}}).functions["f"]
    assert mean_duration_ns(made) == pytest.approx((2 - math.exp(-2)) * 1e9, rel=1e-9)


def test_a_timeout_cuts_off_work_of_two_random_times() -> None:
    """Two exponential seconds are a gamma distribution of two stages: 2 - e^-3 (2 + 3) with a limit of 3 s."""
    law = {"exponential": {"mean": "1s"}}
    function = {"memory": "1769MB", "duration": {"cpu": law, "io": law}, "timeout": "3s"}
    made = scenario(functions={"f": function}).functions["f"]
    assert mean_duration_ns(made) == pytest.approx((2 - math.exp(-3) * 5) * 1e9, rel=0.01)


@pytest.mark.parametrize(
    "work",
    [
        {"cpu": "10s", "io": {"exponential": {"mean": "1s"}}},  # of which half a vCPU makes 20 s
        {"cpu": {"exponential": {"mean": "1s"}}, "io": "9s"},
    ],
    ids=["cpu", "io"],
)
def test_work_that_is_longer_than_the_timeout_is_the_timeout(work: Any) -> None:
    """One part alone is longer than 5 s."""
    function = {"memory": "884MB", "duration": work, "timeout": "5s"}
    assert mean_duration_ns(scenario(functions={"f": function}).functions["f"]) == pytest.approx(5e9)
