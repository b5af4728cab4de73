"""A rate that jumps at random: when its states change, and the rate that follows. The law is in ``statistical``."""

from __future__ import annotations

import numpy as np

from lambdasim.scenario.arrival_laws import Modulation
from lambdasim.scenario.traffic import TrafficSource
from lambdasim.workload.modulation import modulated, realised_profile, switches
from lambdasim.workload.rate import rate_profile

SECOND = 10**9
# Rates of 1/4 and 2 times the stated one: 1/4 x 4/7 + 2 x 3/7 = 1.
MODULATION = Modulation.model_validate({"ratio": 8, "quiet": "4s", "busy": "3s"})


def test_the_rate_is_the_stated_one_times_that_of_the_state() -> None:
    """On a ramp too: at each switch it jumps from one to the other, and it is straight between."""
    ramp = {"function": "f", "start_rate": "0/s", "stages": [{"duration": "60s", "target": "60/s"}]}
    stated = rate_profile(TrafficSource.model_validate(ramp), 60 * SECOND)
    made = modulated(stated, MODULATION, 5, "t")
    is_busy, at_ns = switches(MODULATION, 5, "t", 60 * SECOND)
    assert len(at_ns) > 5
    np.testing.assert_array_equal(made.start_ns, np.append(0, at_ns))
    state = (np.arange(len(at_ns) + 1) + is_busy) % 2
    factor = np.array([0.25, 2.0])[state]
    np.testing.assert_allclose(made.start_rate, factor * made.start_ns / SECOND, rtol=1e-12)
    np.testing.assert_allclose(made.end_rate, factor * made.end_ns / SECOND, rtol=1e-12)


def test_sources_and_seeds_have_states_of_their_own() -> None:
    """No two of them change at the same times."""
    firsts = [
        tuple(switches(MODULATION, seed, name, 600 * SECOND)[1][:5].tolist()) for seed in (1, 2) for name in ("a", "b")
    ]
    assert len(set(firsts)) == 4


def test_a_longer_run_goes_on_where_a_shorter_one_ends() -> None:
    """Over several blocks of draws, which are not alike."""
    short, long = (switches(MODULATION, 1, "t", hours * 3_600 * SECOND) for hours in (1, 20))
    assert short[0] == long[0]
    np.testing.assert_array_equal(long[1][: len(short[1])], short[1])
    sojourns = np.diff(long[1])
    assert len(sojourns) > 3 * 4_096
    assert len(np.unique(sojourns)) == len(sojourns)


def test_only_a_modulated_law_changes_the_rate() -> None:
    """The others keep the very profile."""
    source = TrafficSource.model_validate({"function": "f", "rate": "1/s"})
    stated = rate_profile(source, 60 * SECOND)
    assert realised_profile("poisson", 1, "t", stated) is stated
