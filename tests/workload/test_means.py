"""Means of distributions in closed form."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

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


def test_memory_decides_how_long_work_takes() -> None:
    """1,769 MB are a vCPU: with 884 MB a second of cpu takes 1,769 / 884 s; waiting for 3 s takes 3 s."""
    function = {"memory": "884MB", "duration": {"cpu": "1s", "io": "3s"}}
    made = scenario(functions={"f": function}).functions["f"]
    assert mean_duration_ns(made) == pytest.approx((1769 / 884 + 3) * 1e9)


def test_no_handler_works_longer_than_its_timeout() -> None:
    """A mean of a minute with a timeout of 3 s."""
    made = scenario(functions={"f": {"duration": "60s", "timeout": "3s"}}).functions["f"]
    assert mean_duration_ns(made) == 3e9
