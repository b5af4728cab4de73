"""Inits that a runtime gives, sandboxes and restores: shares of the draws up to times that the tables name."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lambdasim.workload.draws import RARE_BLOCK, Draws
from tests.builders import scenario
from tests.statistical.z_score import AGREES, DIFFERS, distance, z_score

REPLICATIONS, BLOCKS = 40, 20
Z99 = 2.3263478740408408


def drawn_ms(function: dict[str, Any], draw: Callable[[Draws, int], memoryview]) -> np.ndarray:
    """What the environments of the seeds 1 to 40 draw, in ms. Shape (replications, environments)."""
    made = scenario(functions={"f": {"init": None, **function}}, rows=[0])
    drawn = [
        np.concatenate([draw(Draws(made, seed), block) for block in range(BLOCKS)])
        for seed in range(1, REPLICATIONS + 1)
    ]
    assert drawn[0].shape == (BLOCKS * RARE_BLOCK,)
    return np.array(drawn) / 1e6


def check_shares(drawn: np.ndarray, shares: dict[float, float], what: str) -> None:
    """The share of the draws up to each time is the one that was said."""
    for time_ms, share in shares.items():
        found = (drawn <= time_ms).mean(axis=1)
        assert abs(z_score(found, share, what, part=f"up to {time_ms:.4g} ms", unit="%")) < AGREES


def check_mutant(drawn: np.ndarray, shares: dict[float, float], what: str, mutant: str) -> None:
    """At least one share is far from the one that was said."""
    found = {time_ms: (drawn <= time_ms).mean(axis=1) for time_ms in shares}
    time_ms = max(shares, key=lambda time_ms: abs(distance(found[time_ms], shares[time_ms])))
    score = z_score(found[time_ms], shares[time_ms], what, part=f"up to {time_ms:.4g} ms", unit="%", mutant=mutant)
    assert abs(score) > DIFFERS


# Times of the table by their share; between two of them the time grows by the same factor for each step of the share.
INITS = {
    "java21": (
        {"runtime": "java21"},
        {208.32: 0.01, 224: 0.1, 243: 0.5, math.sqrt(243 * 285): 0.7, 285: 0.9, 603: 0.99, 710: 0.999, 746: 1.0},
    ),
    "python3.13 on arm64": (
        {"runtime": "python3.13", "architecture": "arm64"},
        {60.45: 0.01, 65: 0.1, 81: 0.5, 81 * (98 / 81) ** 0.25: 0.6, 98: 0.9, 121: 0.99, 198: 0.999, 201: 1.0},
    ),
    "nodejs22.x as an image": (
        {"runtime": "nodejs22.x", "package": "image"},
        {219.48: 0.01, 236: 0.1, 300: 0.5, 600: 0.9, 826: 0.99, 1_000: 0.999, 1_046: 1.0},
    ),
}


@pytest.mark.parametrize("name", list(INITS))
def test_inits_are_those_of_the_table(name: str) -> None:
    """Mutants: every init 2 % longer; the lognormal distribution with the same middle, which has a shorter tail."""
    function, shares = INITS[name]
    drawn = drawn_ms(function, lambda draws, block: draws.inits("f", block))
    what = f"share of the inits up to a time, {name}"
    check_shares(drawn, shares, what)
    check_mutant(drawn * 1.02, shares, what, "2 % longer")
    (_, p10), (_, p50) = [(share, time) for time, share in shares.items() if share in (0.1, 0.5)]
    sigma = math.log(p50 / p10) / 1.2815515655446004
    lognormal = {"init": {"lognormal": {"p50": f"{p50}ms", "sigma": sigma}}}
    mutant = drawn_ms(lognormal, lambda draws, block: draws.inits("f", block))
    check_mutant(mutant, shares, what, "lognormal with the same middle")


def test_sandboxes_of_a_runtime() -> None:
    """A median of 100 ms, a 99th percentile of 400 ms. Mutant: 5 % longer."""
    drawn = drawn_ms({"runtime": "go"}, lambda draws, block: draws.sandboxes("f", block))
    shares = {100.0: 0.5, 400.0: 0.99}
    what = "share of the sandboxes up to a time"
    check_shares(drawn, shares, what)
    check_mutant(drawn * 1.05, shares, what, "5 % longer")


def test_restores() -> None:
    """A median of 620 ms and a sigma of 0.12, so a 99th percentile of 620 x exp(0.12 x 2.326) ms. Mutant: an init."""
    shares = {620.0: 0.5, 620 * math.exp(0.12 * Z99): 0.99}
    function = {"runtime": "java21", "snapstart": True}
    what = "share of the restores up to a time"
    check_shares(drawn_ms(function, lambda draws, block: draws.inits("f", block)), shares, what)
    function["snapstart"] = False
    mutant = drawn_ms(function, lambda draws, block: draws.inits("f", block))
    check_mutant(mutant, shares, what, "inits in place of restores")


def test_sandbox_and_init_are_drawn_apart() -> None:
    """An environment that is placed slowly does not initialise slowly: a correlation of 0. Mutant: added up."""
    inits = drawn_ms({"runtime": "java21"}, lambda draws, block: draws.inits("f", block))
    sandboxes = drawn_ms({"runtime": "java21"}, lambda draws, block: draws.sandboxes("f", block))

    def correlations(first: np.ndarray, second: np.ndarray) -> list[float]:
        return [float(np.corrcoef(one, other)[0, 1]) for one, other in zip(first, second, strict=True)]

    what = "correlation of init and sandbox"
    assert abs(z_score(correlations(inits, sandboxes), 0.0, what)) < AGREES
    added = correlations(inits + sandboxes, sandboxes)
    assert z_score(added, 0.0, what, mutant="init and sandbox added up") > DIFFERS
