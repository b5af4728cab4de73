"""The least that SimPy can do for a request: one Timeout for its arrival, one for its completion, a callback each."""

from __future__ import annotations

import time

import numpy as np
import simpy


def bare_requests_per_s(rate_per_s: float, mean_duration_s: float, count: int, seed: int = 1) -> float:
    """Requests per second of the bare loop; the random numbers are drawn before the clock starts."""
    generator = np.random.default_rng(seed)
    gaps = (generator.standard_exponential(count) * 1e9 / rate_per_s).astype(np.int64).tolist()
    durations = (generator.standard_exponential(count) * 1e9 * mean_duration_s).astype(np.int64).tolist()
    env = simpy.Environment()
    arrived = completed = 0

    def complete(_: simpy.Event) -> None:
        nonlocal completed
        completed += 1

    def arrive(_: simpy.Event) -> None:
        nonlocal arrived
        env.timeout(durations[arrived]).callbacks.append(complete)
        arrived += 1
        if arrived < count:
            env.timeout(gaps[arrived]).callbacks.append(arrive)

    started = time.perf_counter()
    env.timeout(gaps[0]).callbacks.append(arrive)
    env.run()
    elapsed = time.perf_counter() - started
    if completed != count:
        raise AssertionError("the bare loop lost a request")
    return count / elapsed
