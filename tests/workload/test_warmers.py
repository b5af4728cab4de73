"""Pings among the requests: their draws, and that they move nobody else's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lambdasim.scenario.schema import Scenario
from lambdasim.workload.draws import Fate
from tests.builders import workload_of
from tests.properties.test_draws import TRAFFIC, assert_equal, columns_of, random_scenario

WARMER = {"every": "3s", "concurrency": 4, "starts": "1s", "duration": {"exponential": {"mean": "80ms"}}}
WARM = {"function": "api", "warmer": WARMER}
S = 10**9


def warmed(**parts: Any) -> Scenario:
    """Random users and a warmer, which stands between them."""
    web, jobs = TRAFFIC.items()
    return random_scenario(traffic=dict((web, ("warm", WARM), jobs)), **parts)


def test_a_warmer_moves_no_draw_of_others() -> None:
    """Times, durations, failures and idle timeouts of the users are those of a run without it."""
    expected = columns_of(workload_of(random_scenario()), ["web", "jobs"])
    assert_equal(columns_of(workload_of(warmed()), ["web", "jobs"]), expected)


def test_others_move_no_draw_of_a_warmer() -> None:
    """80 pings within a minute: at 1, 4, ... 58 s four at a time, with durations of their own and without failures."""
    alone = columns_of(workload_of(random_scenario(traffic={"warm": WARM})), ["warm"])
    among = columns_of(workload_of(warmed()), ["warm"])
    for name, column in alone.items():
        np.testing.assert_array_equal(among[name], column, err_msg=name)
    assert alone["arrival_ns"].tolist() == [second * S for second in range(1, 60, 3) for _ in range(4)]
    assert alone["ordinal"].tolist() == list(range(80))
    assert set(alone["fate"].tolist()) == {Fate.OK}
    # Exponential of mean 80 ms: the mean of 80 of them has a standard deviation of 80 / sqrt(80) = 9 ms.
    assert alone["duration_ns"].mean() == pytest.approx(80e6, abs=4 * 9e6)


def test_more_pings_at_once_or_another_rhythm_move_no_duration() -> None:
    """The n-th ping of a source lasts as long whenever it comes."""
    lasting = []
    for keys in ({}, {"concurrency": 5}, {"every": "5s"}, {"stagger": "10ms"}, {"starts": "0s"}):
        made = random_scenario(traffic={"warm": {"function": "api", "warmer": {**WARMER, **keys}}})
        lasting.append(columns_of(workload_of(made))["duration_ns"][:40].tolist())
    assert all(durations == lasting[0] for durations in lasting)


@pytest.mark.parametrize("requests_per_window", [1, 3, 7, 100_000])
def test_the_size_of_a_window_moves_no_draw(requests_per_window: int) -> None:
    """Rounds are never parted, however small a window is."""
    workload = workload_of(warmed())
    cut_otherwise = replace(workload, requests_per_window=requests_per_window)
    assert_equal(columns_of(cut_otherwise), columns_of(workload))
    for chunk in cut_otherwise.chunks():
        pings = chunk.source == 1
        assert np.count_nonzero(pings) % 4 == 0


def test_how_many_to_expect() -> None:
    """20 rounds of 4, beside the integrals of the other rates."""
    users = workload_of(random_scenario()).expected_requests()
    assert workload_of(warmed()).expected_requests() == users + 80
