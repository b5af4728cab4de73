"""Time per attempt of a retry storm as a ratio to the time per attempt of the plain benchmark, in turns."""

from __future__ import annotations

import statistics
import sys
from typing import Any

from load import poisson_scenario

import lambdasim as ls

TURNS = 3
ATTEMPTS = 1_000_000

POLICIES: dict[str, Any] = {
    "back-off with jitter, 5 attempts": {"retry": {"max_attempts": 5, "base": "1s", "cap": "20s", "jitter": "full"}},
    "boto3-legacy": {"retry": "boto3-legacy"},
    "boto3-standard, 100,000 clients": {"retry": "boto3-standard", "count": 100_000},
    "js-v3 behind API Gateway": {"retry": "js-v3", "count": 100_000},
    "boto3-adaptive": {"retry": "boto3-adaptive"},
}


def main() -> None:
    scale = 0.05 if "--quick" in sys.argv else 1.0
    plain = poisson_scenario(100, 0.5, int(200_000 * scale))
    print(f"{'':40}{'attempts':>12}{'us each':>10}{'ratio to plain':>16}")
    for name, client in POLICIES.items():
        storm = _storm(client, int(ATTEMPTS * scale), behind_gateway="API Gateway" in name)
        ratios, times, attempts = [], [], 0
        for _ in range(TURNS):
            base_us, _ = _us_per_attempt(plain)
            us, attempts = _us_per_attempt(storm)
            times.append(us)
            ratios.append(us / base_us)
        print(f"{name:40}{attempts:12,}{statistics.median(times):10.2f}{statistics.median(ratios):16.2f}", flush=True)


def _storm(client: dict[str, Any], attempts: int, *, behind_gateway: bool) -> ls.Scenario:
    """1,000 requests/s of half a second on 100 units: four in five attempts are refused, and tried again."""
    # So many requests that about as many attempts come of them as are asked for.
    sent = attempts * {"boto3-adaptive": 1.0, "boto3-standard": 0.42, "js-v3": 0.42}.get(str(client["retry"]), 0.22)
    rate = 300 if client["retry"] == "boto3-adaptive" else 1_000
    source = {"function": "f", "rate": f"{rate}/s", "client": client}
    if behind_gateway:
        source["via"] = "api-gateway-rest"
    return ls.load(
        {
            "name": "storm",
            "seed": 1,
            "duration": f"{sent / rate:.3f}s",
            "region": {"concurrency_quota": 100},
            "functions": {"f": {"duration": {"exponential": {"mean": "0.5s"}}, "init": "300ms"}},
            "traffic": {"callers": source},
        }
    )


def _us_per_attempt(scenario: ls.Scenario) -> tuple[float, int]:
    summary = ls.simulate(scenario).summary
    attempts = summary["attempts"]["total"]
    return summary["performance"]["wall_s"] / attempts * 1e6, attempts


if __name__ == "__main__":
    main()
