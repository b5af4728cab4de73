"""Time per request with provisioned concurrency as a ratio to the plain load, in turns."""

from __future__ import annotations

import statistics
import sys
from typing import Any

import lambdasim as ls

TURNS = 3
REQUESTS = 200_000

_TRACKED = {"min_capacity": 60, "max_capacity": 120, "target": "70%"}

# 100/s of half a second: 50 are busy on average.
FUNCTIONS: dict[str, dict[str, Any]] = {
    "plain again": {},
    "all on provisioned, 100 units": {"provisioned_concurrency": 100},
    "all on provisioned, 900 units": {"provisioned_concurrency": 900},
    "a third spills over, 35 units": {"provisioned_concurrency": 35},
    "within a reservation": {"provisioned_concurrency": 35, "reserved_concurrency": 200},
    "with target tracking": {"autoscaling": _TRACKED},
}


def main() -> None:
    count = REQUESTS // 20 if "--quick" in sys.argv else REQUESTS
    plain = _scenario({}, count)
    print(f"{'':40}{'us each':>10}{'ratio to plain':>16}")
    for name, keys in FUNCTIONS.items():
        with_capacity = _scenario(keys, count)
        times, ratios = [], []
        for _ in range(TURNS):
            base_us = _us_each(plain)
            times.append(_us_each(with_capacity))
            ratios.append(times[-1] / base_us)
        print(f"{name:40}{statistics.median(times):10.2f}{statistics.median(ratios):16.2f}", flush=True)


def _scenario(keys: dict[str, Any], count: int) -> ls.Scenario:
    return ls.load(
        {
            "name": "bought",
            "seed": 1,
            "duration": f"{count / 100:.0f}s",
            "functions": {"f": {"duration": {"exponential": {"mean": "0.5s"}}, "init": "300ms", **keys}},
            "traffic": {"callers": {"function": "f", "rate": "100/s"}},
        }
    )


def _us_each(scenario: ls.Scenario) -> float:
    summary = ls.simulate(scenario).summary
    return float(summary["performance"]["wall_s"]) / summary["requests"]["total"] * 1e6


if __name__ == "__main__":
    main()
