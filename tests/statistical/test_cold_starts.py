"""The cold-start ratio of one environment against its closed form."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from lambdasim.eventlog.log import EventLog
from tests.builders import scenario
from tests.statistical.z_score import AGREES, DIFFERS, replications, z_score

RATE = 0.8


def cold_start_ratio(log: EventLog) -> float:
    """Cold share of the invocations after the first, which is cold for certain."""
    return float(log.invocations.is_cold[1:].mean())


# How a setting reads, by init and assignment.
SETTINGS = {
    ("0s", "bound"): "cold-start ratio, idle timeout 1 s",
    ("0s", "eager"): "cold-start ratio, idle timeout 1 s, eager assignment",
    ("700ms", "bound"): "cold-start ratio, idle timeout 1 s, init 700 ms",
}


def ratios(idle_timeout: Any, init: str = "0s", assignment: str = "bound") -> np.ndarray:
    """Cold-start ratios of a function with one unit of concurrency that works for 100 ms."""
    made = scenario(
        functions={
            "f": {
                "duration": "100ms",
                "init": init,
                "idle_timeout": idle_timeout,
                "reserved_concurrency": 1,
                "assignment": assignment,
            }
        },
        traffic={"t": {"function": "f", "rate": f"{RATE}/s"}},
        region={"concurrency_quota": 10},
        duration="4000s",
    )
    return replications(made, cold_start_ratio, 20)


@pytest.mark.parametrize(("init", "assignment"), list(SETTINGS))
def test_cold_start_ratio_at_limit_1(init: str, assignment: str) -> None:
    """P(cold) = exp(-rate x idle timeout).

    The limit is 1 and refused requests are lost, so a request is accepted only while the environment is idle or gone.
    Poisson arrivals have no memory: from the end of an invocation to the next request an exponential time passes,
    whatever the invocation took. It is cold when that time is at least the idle timeout.
    Mutant: idle timeout 5 % longer.
    """
    expected = math.exp(-RATE * 1.0)
    what = SETTINGS[init, assignment]
    assert abs(z_score(ratios("1s", init, assignment), expected, what, unit="%")) < AGREES
    longer = ratios("1050ms", init, assignment)
    assert z_score(longer, expected, what, unit="%", mutant="idle timeout 5 % longer") < -DIFFERS


def test_cold_start_ratio_with_a_random_idle_timeout() -> None:
    """E[exp(-rate x T)] for T uniform on [0.5 s, 1.5 s]. Mutant: 50 ms longer."""
    expected = (math.exp(-RATE * 0.5) - math.exp(-RATE * 1.5)) / RATE
    what = "cold-start ratio, idle timeout 0.5 to 1.5 s at random"
    assert abs(z_score(ratios({"uniform": ["500ms", "1500ms"]}), expected, what, unit="%")) < AGREES
    longer = ratios({"uniform": ["550ms", "1550ms"]})
    assert z_score(longer, expected, what, unit="%", mutant="idle timeouts 50 ms longer") < -DIFFERS
