"""A backlog of work that waits: time and memory for each message, beside the plain synchronous load.

Time is the ratio to the plain benchmark, in turns within one process; memory is the peak of a process that simulates
and summarises, less that of one with a tiny backlog.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from typing import Any

from load import poisson_scenario

import lambdasim as ls

TURNS = 3
MESSAGES = 1_000_000


def backlog(kind: str, count: int) -> ls.Scenario:
    """``count`` messages that come within 100 s and are worked off from then on, at about 5,000 a second."""
    batch = 1 if kind.endswith("by one") else 10
    function: dict[str, Any] = {
        "duration": {"exponential": {"mean": f"{200 * batch}ms"}},
        "init": "300ms",
        "timeout": "60s",
        "reserved_concurrency": 1_000,
    }
    source: dict[str, Any] = {"function": "f", "rate": f"{count / 100:g}/s"}
    parts: dict[str, Any] = {}
    mapping: dict[str, Any] = {"function": "f", "batch_size": batch}
    if kind.startswith("SQS"):
        limits = {"maximum_concurrency": 1_000, "scaling": "unlimited"}
        parts["queues"] = {"q": {"visibility_timeout": "6m", "event_source_mapping": {**mapping, **limits}}}
        source |= {"invoke": "sqs", "queue": "q"}
    elif kind.startswith("stream"):
        parts["streams"] = {"s": {"shards": 1_000, "event_source_mapping": mapping}}
        source |= {"invoke": "stream", "stream": "s"}
    else:
        function["duration"] = {"exponential": {"mean": "200ms"}}
        source["invoke"] = "async"
    region = {"concurrency_quota": 2_000, "requests_per_concurrency": "unlimited", "request_rate_ramp": "unlimited"}
    return ls.load(
        {
            "name": "backlog",
            "seed": 1,
            "duration": "100s",
            "region": region,
            "functions": {"f": function},
            "traffic": {"t": source},
            **parts,
        },
    )


KINDS = ("SQS, by one", "SQS, by ten", "stream, by ten", "asynchronous events")


def main() -> None:
    count = MESSAGES // 20 if "--quick" in sys.argv else MESSAGES
    # Memory first: a child's peak begins at the size of its parent.
    grown = {kind: peak_bytes(kind, count) - peak_bytes(kind, 1_000) for kind in KINDS}
    plain = poisson_scenario(100, 0.5, count // 5)
    print(f"{'':24}{'messages':>12}{'us each':>10}{'ratio to plain':>16}{'bytes each':>12}")
    for kind in KINDS:
        scenario = backlog(kind, count)
        ratios, times, total = [], [], 0
        for _ in range(TURNS):
            base_us, _ = us_each(plain)
            us, total = us_each(scenario)
            times.append(us)
            ratios.append(us / base_us)
        each = grown[kind] / total
        print(
            f"{kind:24}{total:12,}{statistics.median(times):10.2f}{statistics.median(ratios):16.2f}{each:12.0f}",
            flush=True,
        )


def us_each(scenario: ls.Scenario) -> tuple[float, int]:
    """(microseconds a request, requests) of one run."""
    summary = ls.simulate(scenario).summary
    total = summary["requests"]["total"]
    return summary["performance"]["wall_s"] / total * 1e6, total


def peak_bytes(kind: str, count: int) -> int:
    """Peak resident bytes of one process that simulates and summarises."""
    child = (
        "import resource, sys; sys.path.insert(0, 'benchmarks'); import lambdasim as ls; from backlog import backlog\n"
        "ls.simulate(backlog(sys.argv[1], int(sys.argv[2]))).summary\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)"
    )
    command = [sys.executable, "-W", "ignore", "-c", child, kind, str(count)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


if __name__ == "__main__":
    main()
