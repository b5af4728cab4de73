"""A rate that jumps between two levels at random, as bursty traffic does: the modulation of a Poisson process.

Here: when the states change, and the rate that follows. Not here: the arrivals at that rate (``arrivals``).
"""

from __future__ import annotations

import numpy as np

from lambdasim.rng import Purpose, stream
from lambdasim.scenario.arrival_laws import ArrivalLaw, MmppArrivals, Modulation
from lambdasim.workload.draws import REQUEST_BLOCK
from lambdasim.workload.rate import IntArray, RateProfile


def realised_profile(law: ArrivalLaw, seed: int, source: str, profile: RateProfile) -> RateProfile:
    """The rate at which requests of a source come in this run: as stated, or as its modulation makes it."""
    return modulated(profile, law.mmpp, seed, source) if isinstance(law, MmppArrivals) else profile


def modulated(profile: RateProfile, modulation: Modulation, seed: int, source: str) -> RateProfile:
    """The rate times the factor of the state in force, split where the state changes.

    MODEL: states change in real time, whatever the rate, and are in equilibrium from the start, so that the mean of the
    rate is the stated one at every instant.
    """
    is_busy, switches_ns = switches(modulation, seed, source, int(profile.end_ns[-1]))
    state = (np.arange(len(switches_ns) + 1) + is_busy) % 2
    return profile.scaled(np.append(0, switches_ns), np.take(modulation.factors, state))


def switches(modulation: Modulation, seed: int, source: str, duration_ns: int) -> tuple[bool, IntArray]:
    """Whether the chain is busy at 0, and when its state changes within the duration, in ns, non-decreasing."""
    is_busy = bool(stream(seed, Purpose.MODULATION, source, 1, 0).random() < modulation.busy_share)
    means = (modulation.busy, modulation.quiet) if is_busy else (modulation.quiet, modulation.busy)
    # A block has as many sojourns of the one state as of the other.
    mean_ns = np.tile(np.array(means, dtype=np.float64), REQUEST_BLOCK // 2)
    found: list[IntArray] = []
    reached = 0.0
    while reached < duration_ns:
        sojourns = mean_ns * stream(seed, Purpose.MODULATION, source, 0, len(found)).standard_exponential(REQUEST_BLOCK)
        times = reached + np.cumsum(sojourns)
        reached = float(times[-1])
        found.append(np.rint(times[times < duration_ns]).astype(np.int64))
    switches_ns = np.concatenate(found)
    return is_busy, switches_ns[switches_ns < duration_ns]
