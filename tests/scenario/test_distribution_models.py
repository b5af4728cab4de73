"""The distributions of a scenario: forms, bounds, and the text that they are written back as."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from lambdasim.scenario.distributions import Distribution, DistributionOrUnlimited, greatest_ns, least_ns

DISTRIBUTION: TypeAdapter[Any] = TypeAdapter(Distribution)
S = 10**9


@pytest.mark.parametrize(
    ("written", "least", "greatest"),
    [
        ("80ms", 80_000_000, 80_000_000),
        (0, 0, 0),
        ({"constant": "1s"}, S, S),
        ({"exponential": {"mean": "1s"}}, 0, None),
        ({"lognormal": {"p50": "1s", "p99": "2s"}}, 0, None),
        ({"lognormal": {"p50": "1s", "p99": "1s"}}, S, S),
        ({"lognormal": {"p50": "2s", "sigma": 0}}, 2 * S, 2 * S),
        ({"lognormal": {"mean": "3s", "sigma": 0}}, 3 * S, 3 * S),
        ({"lognormal": {"mean": "3s", "sigma": 0.5}}, 0, None),
        ({"gamma": {"mean": "1s", "cv": 0.5}}, 0, None),
        ({"uniform": ["1s", "2s"]}, S, 2 * S),
        ({"empirical": ["3s", "1s", "2s"]}, S, 3 * S),
        ({"quantiles": {"p100": "9s", "p0": "1s", "p99.9": "4s"}}, S, 9 * S),
        ({"mixture": [{"weight": 1, "uniform": ["1s", "2s"]}, {"weight": 3, "constant": "5s"}]}, S, 5 * S),
        ({"mixture": [{"weight": 1, "constant": "1s"}, {"weight": 3, "exponential": {"mean": "5s"}}]}, 0, None),
    ],
)
def test_bounds(written: Any, least: int, greatest: int | None) -> None:
    """The least and the greatest time of each form, None where there is no bound."""
    distribution = DISTRIBUTION.validate_python(written)
    assert (least_ns(distribution), greatest_ns(distribution)) == (least, greatest)


@pytest.mark.parametrize(
    "written",
    [
        {"constant": "80ms"},
        {"exponential": {"mean": "1s"}},
        {"lognormal": {"p50": "80ms", "p99": "400ms"}},
        {"lognormal": {"mean": "80ms", "sigma": 0.5}},
        {"gamma": {"mean": "1s", "cv": 2.0}},
        {"uniform": ["5m", "7m"]},
        {"empirical": ["80ms", "95ms"]},
        {"quantiles": {"p0": "1s", "p50": "2s", "p100": "3s"}},
        {"mixture": [{"weight": 0.5, "exponential": {"mean": "1s"}}, {"weight": 1.0, "uniform": ["1s", "2s"]}]},
        {"mixture": [{"weight": 0.5, "mixture": [{"weight": 1.0, "constant": "1s"}]}]},
    ],
)
def test_written_back_as_it_was_read(written: dict[str, Any]) -> None:
    """The dump of a distribution is what a user would write, and reads back as the same distribution."""
    distribution = DISTRIBUTION.validate_python(written)
    assert DISTRIBUTION.dump_python(distribution, mode="json", exclude_unset=True) == written
    assert distribution.model_dump(mode="json", exclude_unset=True) == written
    assert DISTRIBUTION.validate_python(distribution) == distribution


def test_quantile_points_are_in_order() -> None:
    """Percentiles are sorted by number, not by text."""
    quantiles = DISTRIBUTION.validate_python({"quantiles": {"p100": "3s", "p9": "1s", "p50": "2s", "p0": "1s"}})
    assert quantiles.points == ((0.0, S), (0.09, S), (0.5, 2 * S), (1.0, 3 * S))


def test_unlimited() -> None:
    """Where a limit may be off, the text unlimited stays text."""
    adapter: TypeAdapter[Any] = TypeAdapter(DistributionOrUnlimited)
    assert adapter.validate_python("unlimited") == "unlimited"
    assert adapter.validate_python("5m").constant == 300 * S
