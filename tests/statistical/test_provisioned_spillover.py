"""The share of Poisson traffic that spills over provisioned concurrency against Erlang B, whatever the law of duration.

Idealised: units from the start, no limit on the request rate, no crash, no timeout. What becomes of the spillovers does
not matter; they wait for an init of 2 s here, in a queue that provisioned environments must not serve.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lambdasim import theory
from lambdasim.eventlog.log import EventLog
from tests.builders import scenario
from tests.statistical.z_score import AGREES, DIFFERS, replications, z_score

UNITS, RATE = 10, 8
WARM_UP_NS = 30 * 10**9
REPLICATIONS = 20


def law(name: str, mean_ms: float) -> Any:
    """A duration with a given mean. Coefficients of variation: 0, 1, 1.3 and 2."""
    return {
        "constant": f"{mean_ms:g}ms",
        "exponential": {"exponential": {"mean": f"{mean_ms:g}ms"}},
        "lognormal": {"lognormal": {"mean": f"{mean_ms:g}ms", "sigma": 1.0}},
        # Nine in ten take half of the mean, one in ten 5.5 times the mean: 0.9 x 0.5 + 0.1 x 5.5 = 1.
        "hyper-exponential": {
            "mixture": [
                {"weight": 0.9, "exponential": {"mean": f"{0.5 * mean_ms:g}ms"}},
                {"weight": 0.1, "exponential": {"mean": f"{5.5 * mean_ms:g}ms"}},
            ]
        },
    }[name]


def spilled_share(log: EventLog) -> float:
    """Spillovers over invocations, of the requests that arrive after the warm-up."""
    counts = log.requests.arrival_ns >= WARM_UP_NS
    return float(counts[log.spillovers.request].sum() / counts.sum())


def shares(name: str, *, units: int = UNITS, mean_ms: float = 1000, seconds: int = 380) -> np.ndarray:
    """Spilled shares of 8 requests a second on so many units."""
    made = scenario(
        functions={"f": {"duration": law(name, mean_ms), "init": "2s", "provisioned_concurrency": units}},
        traffic={"t": {"function": "f", "rate": f"{RATE}/s"}},
        region={"concurrency_quota": 10_000},
        duration=f"{seconds}s",
    )
    return replications(made, spilled_share, REPLICATIONS)


def said(name: str, units: int = UNITS) -> str:
    """What is compared."""
    return f"share that spills over {units} units at load {RATE}, {name} durations"


@pytest.mark.parametrize("name", ["constant", "exponential", "lognormal", "hyper-exponential"])
def test_the_spilled_share_is_erlang_b(name: str) -> None:
    """10 units, load 8 erlangs: 12.2 %, for four laws of the same mean. Mutant: a tenth longer, which is 15.9 %."""
    expected = theory.erlang_b(UNITS, RATE)
    assert expected == pytest.approx(0.1217, abs=0.0001)
    assert theory.erlang_b(UNITS, 1.1 * RATE) == pytest.approx(0.159, abs=0.001)
    assert abs(z_score(shares(name), expected, said(name), unit="%")) < AGREES
    longer = shares(name, mean_ms=1100)
    assert z_score(longer, expected, said(name), unit="%", mutant="durations a tenth longer") > DIFFERS


@pytest.mark.parametrize("units", [UNITS - 1, UNITS + 1])
def test_another_number_of_units_is_told_apart(units: int) -> None:
    """Mutants: 9 units spill 17.3 %, 11 units 8.1 %; each is far from that of 10, and at home in its own."""
    found = shares("exponential", units=units)
    what = said("exponential", units)
    assert abs(z_score(found, theory.erlang_b(units, RATE), what, unit="%")) < AGREES
    wrong = theory.erlang_b(UNITS, RATE)
    assert abs(z_score(found, wrong, what, unit="%", mutant=f"the formula for {UNITS} units")) > DIFFERS
