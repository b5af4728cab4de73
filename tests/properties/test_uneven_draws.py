"""What moves no arrival of gamma and modulated sources (MODEL.md section 5): as ``test_draws``, for every law."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.builders import scenario, workload_of
from tests.properties.test_draws import RANDOM_FUNCTION, assert_equal, columns_of

LAWS: list[Any] = [
    "poisson",
    {"gamma": {"cv": 3.0}},
    {"gamma": {"cv": 0.3}},
    {"mmpp": {"ratio": 8, "quiet": "3s", "busy": "900ms"}},
]
STAGES = {
    "start_rate": "20/s",
    "stages": [{"duration": "30s", "target": "200/s"}, {"duration": "0s", "target": "90/s"}],
}


def made(law: Any, duration: str = "60s", **more: Any) -> Any:
    """A workload with a source of this law, and others."""
    traffic = {"web": {"function": "f", "arrivals": law, **STAGES}, **more}
    return workload_of(scenario(functions={"f": RANDOM_FUNCTION}, traffic=traffic, duration=duration))


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("requests_per_window", [1, 13, 100_000])
def test_the_size_of_a_window_moves_no_draw(law: Any, requests_per_window: int) -> None:
    """Windows are only a way to walk through the requests."""
    workload = made(law)
    cut_otherwise = replace(workload, requests_per_window=requests_per_window)
    assert_equal(columns_of(cut_otherwise), columns_of(workload))


@pytest.mark.parametrize("law", LAWS)
def test_an_added_source_moves_no_draw(law: Any) -> None:
    """Even one of the same law."""
    added = made(law, other={"function": "f", "rate": "9/s", "arrivals": law})
    assert_equal(columns_of(added, ["web"]), columns_of(made(law), ["web"]))


@pytest.mark.parametrize("law", LAWS)
def test_a_longer_duration_moves_no_draw(law: Any) -> None:
    """The requests of the shorter run come first."""
    short, long = columns_of(made(law)), columns_of(made(law, "90s"))
    assert len(long["arrival_ns"]) > len(short["arrival_ns"])
    assert_equal({name: column[: len(short[name])] for name, column in long.items()}, short)


@pytest.mark.parametrize("law", LAWS)
def test_windows_stay_small(law: Any) -> None:
    """No window has much more than it should, busy times of a modulated rate included."""
    workload = replace(made(law), requests_per_window=50)
    assert max(map(len, workload.chunks())) < 200


def test_laws_differ() -> None:
    """No two of them give the same arrivals."""
    firsts = {tuple(columns_of(made(law))["arrival_ns"][:20].tolist()) for law in LAWS}
    assert len(firsts) == len(LAWS)
