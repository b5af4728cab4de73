"""Delays of the SDK presets as distributions: U(0, 1) x the ceiling, so that totals are those of the worked examples.

boto3 legacy waits 7.5 s in all on average, boto3 standard 1.5 s; JavaScript 0.75 s less half a millisecond for each
retry, as it cuts to whole milliseconds.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.builders import log_of, scenario
from tests.statistical.z_score import AGREES, DIFFERS, z_score

CEILINGS_S = {
    "boto3-legacy": (1, 2, 4, 8),
    "boto3-standard": (1, 2),
    "boto3-standard-2026": (1, 2),
    "js-v3": (0.5, 1),
    "js-v3-2026": (1, 2),
}
REQUESTS = 500
LONGER = "base 5 % longer"


def delays(preset: str, mutant: bool = False) -> np.ndarray:
    """Delay (s) before each retry of requests that are always throttled. Shape (replications, requests, retries).

    The mutant is a back-off of the same form whose base is 5 % longer.
    """
    ceilings = CEILINGS_S[preset]
    retry: object = preset
    if mutant:
        base = f"{ceilings[0] * 1050:.0f}ms"
        retry = {"max_attempts": len(ceilings) + 1, "base": base, "jitter": "full"}
    count = {} if mutant or preset == "boto3-legacy" else {"count": REQUESTS}
    source = {"function": "f", "rate": "50/s", "arrivals": "uniform", "client": {"retry": retry, **count}}
    made = scenario(functions={"f": {"reserved_concurrency": 0}}, traffic={"t": source}, duration=f"{REQUESTS // 50}s")
    times = [log_of(made, seed).throttles.time_ns.reshape(-1, len(ceilings) + 1) for seed in range(1, 21)]
    return np.diff(np.array(times), axis=2) / 1e9


@pytest.fixture(scope="module", params=sorted(CEILINGS_S))
def drawn(request: pytest.FixtureRequest) -> tuple[str, np.ndarray, np.ndarray]:
    """Preset, its delays and the mutant's."""
    return request.param, delays(request.param), delays(request.param, mutant=True)


def cut_s(preset: str) -> float:
    """What cutting to whole milliseconds takes from the mean."""
    return 0.0005 if preset.startswith("js") else 0.0


def check_delays(preset: str, after: str, ceilings_s: tuple[float, ...], ideal: np.ndarray, mutant: np.ndarray) -> None:
    """Mean and variance of the delay before each retry: half the ceiling, and its square over 12."""
    for retry, ceiling in enumerate(ceilings_s):
        mean, variance = ceiling / 2 - cut_s(preset), ceiling**2 / 12
        words = {"part": f"{preset}, retry {retry + 1}", "unit": "s", "what": f"delay after a {after}, mean"}
        assert abs(z_score(ideal[:, :, retry].mean(axis=1), mean, **words)) < AGREES
        assert z_score(mutant[:, :, retry].mean(axis=1), mean, **words, mutant=LONGER) > DIFFERS
        words |= {"unit": "s²", "what": f"delay after a {after}, variance"}
        assert abs(z_score(ideal[:, :, retry].var(axis=1, ddof=1), variance, **words)) < AGREES
        assert z_score(mutant[:, :, retry].var(axis=1, ddof=1), variance, **words, mutant=LONGER) > DIFFERS


def test_mean_and_variance_of_each_delay(drawn: tuple[str, np.ndarray, np.ndarray]) -> None:
    """Half the ceiling, and its square over 12. Mutant: 5 % longer."""
    preset, ideal, mutant = drawn
    check_delays(preset, "throttle", CEILINGS_S[preset], ideal, mutant)


def test_total_wait(drawn: tuple[str, np.ndarray, np.ndarray]) -> None:
    """7.5 s, 1.5 s and 0.75 s. Mutant: 5 % longer."""
    preset, ideal, mutant = drawn
    expected = sum(ceiling / 2 - cut_s(preset) for ceiling in CEILINGS_S[preset])
    what = f"all delays of a request, mean, {preset}"
    assert abs(z_score(ideal.sum(axis=2).mean(axis=1), expected, what, unit="s")) < AGREES
    assert z_score(mutant.sum(axis=2).mean(axis=1), expected, what, unit="s", mutant=LONGER) > DIFFERS


# After a caller's own timeout: the base for everything that is no throttle.
OTHER_CEILINGS_S = {
    "boto3-legacy": (1, 2, 4, 8),
    "boto3-standard": (1, 2),
    "boto3-standard-2026": (0.05, 0.1),
    "js-v3": (0.1, 0.2),
    "js-v3-2026": (0.05, 0.1),
}


def delays_after_timeouts(preset: str, mutant: bool = False) -> np.ndarray:
    """Delay (s) before each retry of requests whose callers wait for 1 s of 100 s of work, as in ``delays``."""
    ceilings = OTHER_CEILINGS_S[preset]
    retry: object = preset
    if mutant:
        base = f"{ceilings[0] * 1050:.2f}ms"
        retry = {"max_attempts": len(ceilings) + 1, "base": base, "jitter": "full"}
    count = {} if mutant or preset == "boto3-legacy" else {"count": REQUESTS}
    client = {"retry": retry, "timeout": "1s", **count}
    source = {"function": "f", "rate": "50/s", "arrivals": "uniform", "client": client}
    made = scenario(
        functions={"f": {"duration": "100s"}},
        traffic={"t": source},
        region={"concurrency_quota": 10_000},
        duration=f"{REQUESTS // 50}s",
    )
    times = [log_of(made, seed).invocations.admitted_ns.reshape(-1, len(ceilings) + 1) for seed in range(1, 21)]
    return np.diff(np.array(times), axis=2) / 1e9 - 1


@pytest.mark.parametrize("preset", sorted(OTHER_CEILINGS_S))
def test_delays_after_other_failures(preset: str) -> None:
    """The same law with the other base. Mutant: 5 % longer."""
    ideal, mutant = delays_after_timeouts(preset), delays_after_timeouts(preset, mutant=True)
    check_delays(preset, "timeout", OTHER_CEILINGS_S[preset], ideal, mutant)
