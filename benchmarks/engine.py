"""Requests per second of the engine as a ratio to a bare SimPy loop, timed in turns."""

from __future__ import annotations

import platform
import statistics
import sys

from bare_loop import bare_requests_per_s
from load import poisson_scenario

import lambdasim as ls

TURNS = 5


def main() -> None:
    print(f"Python {platform.python_version()}, {platform.machine()}, {TURNS} turns each, medians")
    print(f"{'':44}{'bare/s':>10}{'ours/s':>10}{'ratio':>8}{'throttled':>11}")
    scale = 0.1 if "--quick" in sys.argv else 1.0
    base = int(200_000 * scale)
    compare("100/s x 0.5 s", 100, 0.5, base)
    compare("2,000/s x 0.5 s (1,000 in flight)", 2_000, 0.5, base)
    for count in (100_000, 300_000, 1_000_000):
        compare(f"{int(count * scale):,} requests at 100/s", 100, 0.5, int(count * scale))
    for in_flight in (10, 100, 1_000):
        compare(f"{in_flight:,} in flight", in_flight * 2, 0.5, base, quota=2_000)
    for idle_timeout in ("1s", "1m", "1h"):
        compare(f"idle timeout {idle_timeout}", 100, 0.5, base, idle_timeout=idle_timeout)
    for functions in (1, 10, 100):
        compare(f"{functions} function(s) at 1,000/s", 1_000, 0.1, base, functions=functions)


def compare(label: str, rate_per_s: float, mean_duration_s: float, count: int, **options: object) -> None:
    """One line: the median rate of each over the turns."""
    scenario = poisson_scenario(rate_per_s, mean_duration_s, count, **options)
    bare, ours, throttled = [], [], 0.0
    for _ in range(TURNS):
        bare.append(bare_requests_per_s(rate_per_s, mean_duration_s, count))
        summary = ls.simulate(scenario).summary
        ours.append(summary["performance"]["requests_per_s"])
        throttled = summary["requests"]["throttled"] / summary["requests"]["total"]
    ratio = statistics.median(ours) / statistics.median(bare)
    print(
        f"{label:44}{statistics.median(bare):10,.0f}{statistics.median(ours):10,.0f}{ratio:8.2f}{throttled:11.2%}",
        flush=True,
    )


if __name__ == "__main__":
    main()
