"""simfaas 0.2.2 beside lambdasim on the same two loads, in turns.

simfaas simulates one function with exponential times, a fixed expiration threshold and a concurrency limit; it has no
retries, scaling rate, request rate or several functions, and keeps no log of requests. It is not a dependency:
install it into the environment that runs this (pip install simfaas==0.2.2).
"""

from __future__ import annotations

import statistics
import time

from load import poisson_scenario
from simfaas.ServerlessSimulator import ServerlessSimulator

import lambdasim as ls

TURNS = 3


def simfaas_requests_per_s(rate_per_s: float, mean_duration_s: float, count: int) -> float:
    """Requests per second of simfaas."""
    simulator = ServerlessSimulator(
        arrival_rate=rate_per_s,
        warm_service_rate=1 / mean_duration_s,
        cold_service_rate=1 / (mean_duration_s + 0.3),
        expiration_threshold=360,
        max_time=count / rate_per_s,
        maximum_concurrency=1_000,
    )
    started = time.perf_counter()
    simulator.generate_trace(debug_print=False, progress=False)
    return simulator.total_req_count / (time.perf_counter() - started)


def main() -> None:
    for rate_per_s, count in ((100.0, 20_000), (2_000.0, 10_000)):
        scenario = poisson_scenario(rate_per_s, 0.5, count)
        theirs, ours = [], []
        for _ in range(TURNS):
            theirs.append(simfaas_requests_per_s(rate_per_s, 0.5, count))
            ours.append(ls.simulate(scenario).summary["performance"]["requests_per_s"])
        simfaas, lambdasim = statistics.median(theirs), statistics.median(ours)
        print(
            f"{rate_per_s:,.0f}/s x 0.5 s: simfaas {simfaas:,.0f}/s, lambdasim {lambdasim:,.0f}/s,"
            f" {lambdasim / simfaas:.0f} times"
        )


if __name__ == "__main__":
    main()
