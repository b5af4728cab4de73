"""Throttle ratios without retries against Erlang B: M/G/c/c, whatever the law of the duration.

Idealised: Poisson arrivals, no init, no retries, no limit but concurrency.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lambdasim import theory
from lambdasim.eventlog.log import EventLog
from tests.builders import scenario
from tests.statistical.z_score import AGREES, DIFFERS, replications, z_score

WARM_UP_NS = 30 * 10**9
REPLICATIONS = 20


def law(name: str, mean_ms: int) -> Any:
    """A duration with a given mean."""
    return {
        "exponential": {"exponential": {"mean": f"{mean_ms}ms"}},
        "constant": f"{mean_ms}ms",
        "lognormal": {"lognormal": {"mean": f"{mean_ms}ms", "sigma": 1.0}},
        "gamma": {"gamma": {"mean": f"{mean_ms}ms", "cv": 2.0}},
        "mixture": {
            "mixture": [
                {"weight": 0.9, "exponential": {"mean": f"{mean_ms / 2}ms"}},
                {"weight": 0.1, "constant": f"{mean_ms * 5.5}ms"},
            ]
        },
    }[name]


def throttle_ratio(function: int = 0) -> Callable[[EventLog], float]:
    """Throttled share of the requests to a function that arrive after the warm-up."""

    def measure(log: EventLog) -> float:
        counts = (log.requests.arrival_ns >= WARM_UP_NS) & (log.requests.function == function)
        return float(counts[log.throttles.request].sum() / counts.sum())

    return measure


def one_function(duration: Any, region: dict[str, Any], **function: Any) -> np.ndarray:
    """Throttle ratios of one function with 8 requests per second."""
    made = scenario(
        functions={"f": {"duration": duration, **function}},
        traffic={"t": {"function": "f", "rate": "8/s"}},
        region=region,
        duration="1500s",
    )
    return replications(made, throttle_ratio(), REPLICATIONS)


@pytest.mark.parametrize("name", ["exponential", "constant", "lognormal", "gamma", "mixture"])
def test_throttle_ratio_at_reserved_concurrency_is_erlang_b(name: str) -> None:
    """Limit 10, load 8 erlangs: insensitive to the law of the duration. Mutant: durations 5 % longer."""
    expected = theory.erlang_b(10, 8.0)
    region = {"concurrency_quota": 100}
    what = f"refused share, reservation of 10 at load 8, {name} durations"
    ideal = one_function(law(name, 1000), region, reserved_concurrency=10)
    assert abs(z_score(ideal, expected, what, unit="%")) < AGREES
    longer = one_function(law(name, 1050), region, reserved_concurrency=10)
    assert z_score(longer, expected, what, unit="%", mutant="durations 5 % longer") > DIFFERS


def test_throttle_ratio_at_the_quota_is_erlang_b() -> None:
    """Quota 10, load 8 erlangs. Mutant: a quota of 11."""
    expected = theory.erlang_b(10, 8.0)
    what = "refused share, quota of 10 at load 8"
    ideal = one_function(law("exponential", 1000), {"concurrency_quota": 10})
    assert abs(z_score(ideal, expected, what, unit="%")) < AGREES
    larger = one_function(law("exponential", 1000), {"concurrency_quota": 11})
    assert z_score(larger, expected, what, unit="%", mutant="a quota of 11") < -DIFFERS


def test_the_init_counts_as_service_time() -> None:
    """An environment a request (idle timeout 1 ns), init 400 ms and duration 600 ms: load 8. Mutant: init 450 ms."""
    expected = theory.erlang_b(10, 8.0)

    def with_init(init: str) -> np.ndarray:
        return one_function(
            law("constant", 600), {"concurrency_quota": 10}, init=init, idle_timeout="1ns", assignment="bound"
        )

    what = "refused share, quota of 10 at load 8, of which inits are 3.2"
    assert abs(z_score(with_init("400ms"), expected, what, unit="%")) < AGREES
    assert z_score(with_init("450ms"), expected, what, unit="%", mutant="inits of 450 ms, not 400") > DIFFERS


def three_pools(reserved: tuple[int | None, int | None], quota: int) -> list[np.ndarray]:
    """Throttle ratios of three functions with loads of 4, 1.5 and 2.5 erlangs; the last one has nothing reserved."""
    own = [{} if units is None else {"reserved_concurrency": units} for units in (*reserved, None)]
    made = scenario(
        functions={
            "a": {"duration": law("exponential", 1000), **own[0]},
            "b": {"duration": law("lognormal", 500), **own[1]},
            "c": {"duration": law("constant", 250), **own[2]},
        },
        traffic={
            "a": {"function": "a", "rate": "4/s"},
            "b": {"function": "b", "rate": "3/s"},
            "c": {"function": "c", "rate": "10/s"},
        },
        region={"concurrency_quota": quota},
        duration="400s",
    )

    def measure(log: EventLog) -> list[float]:
        return [throttle_ratio(function)(log) for function in range(3)]

    return list(replications(made, measure, 3 * REPLICATIONS).T)


@pytest.fixture(scope="module")
def partitioned() -> list[np.ndarray]:
    """Reserved pools of 5 and 3 beside a shared one of 4."""
    return three_pools((5, 3), 12)


PARTITION = [(5, 4.0), (3, 1.5), (4, 2.5)]


def said(servers: int, load: float) -> str:
    """What is compared of one of the pools."""
    return f"refused share of three pools: {servers} units at load {load:g}"


def test_reserved_pools_are_loss_systems_of_their_own(partitioned: list[np.ndarray]) -> None:
    """Each function sees the Erlang B of its own units and its own load."""
    for (servers, load), ratios in zip(PARTITION, partitioned, strict=True):
        assert abs(z_score(ratios, theory.erlang_b(servers, load), said(servers, load), unit="%")) < AGREES


@pytest.mark.parametrize(("reserved", "quota"), [((None, None), 12), ((6, 4), 15)])
def test_other_partitions_are_told_apart(reserved: tuple[int | None, int | None], quota: int) -> None:
    """Mutants: nothing reserved, and one unit more in each pool."""
    mutant = "one unit more in each" if any(reserved) else "nothing reserved"
    for (servers, load), ratios in zip(PARTITION, three_pools(reserved, quota), strict=True):
        expected, what = theory.erlang_b(servers, load), said(servers, load)
        assert z_score(ratios, expected, what, unit="%", mutant=mutant) < -DIFFERS


def test_the_ratios_of_reserved_pools_do_not_move_together(partitioned: list[np.ndarray]) -> None:
    """Independent pools: the products of deviations from theory have mean 0. Mutant: of a pool with itself."""
    deviations = [
        ratios - theory.erlang_b(servers, load) for (servers, load), ratios in zip(PARTITION, partitioned, strict=True)
    ]
    for first, second in ((0, 1), (0, 2), (1, 2)):
        words = {
            "what": "refused shares of two pools, product of the deviations",
            "part": f"{PARTITION[first][0]} and {PARTITION[second][0]} units",
            "unit": "%²",
        }
        products = deviations[first] * deviations[second]
        assert abs(z_score(products, 0.0, **words)) < AGREES
        # A perfect dependence shows less clearly than a shift does: sixty squares of normals give about 5.
        assert z_score(deviations[first] ** 2, 0.0, **words, mutant="a pool and itself") > AGREES
