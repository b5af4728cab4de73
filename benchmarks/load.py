"""The scenarios that the benchmarks run."""

from __future__ import annotations

import lambdasim as ls


def poisson_scenario(
    rate_per_s: float,
    mean_duration_s: float,
    count: int,
    *,
    functions: int = 1,
    quota: int = 1_000,
    idle_timeout: str | None = None,
) -> ls.Scenario:
    """About ``count`` Poisson requests with exponential durations, spread over functions; every default limit on."""
    function = {"duration": {"exponential": {"mean": f"{mean_duration_s}s"}}, "init": "300ms"}
    if idle_timeout is not None:
        function["idle_timeout"] = idle_timeout
    names = [f"f{number}" for number in range(functions)]
    return ls.load(
        {
            "name": "benchmark",
            "seed": 1,
            "duration": f"{count / rate_per_s:.3f}s",
            "region": {"concurrency_quota": quota},
            "functions": dict.fromkeys(names, function),
            "traffic": {name: {"function": name, "rate": f"{rate_per_s / functions}/s"} for name in names},
        }
    )
