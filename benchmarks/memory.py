"""Peak memory a request with the full log: whole processes, the peak of a run less that of a tiny one."""

from __future__ import annotations

import subprocess
import sys

_CHILD = """
import resource, sys
sys.path.insert(0, "benchmarks")
import lambdasim as ls
from load import poisson_scenario
result = ls.simulate(poisson_scenario(float(sys.argv[1]), 0.5, int(sys.argv[2])))
summary = result.summary
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, summary["requests"]["total"])
"""


def peak(rate_per_s: float, count: int) -> tuple[int, int]:
    """(peak resident bytes, requests) of one process that simulates and summarises."""
    command = [sys.executable, "-c", _CHILD, str(rate_per_s), str(count)]
    used, total = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return int(used), int(total)


def main() -> None:
    floor, _ = peak(100, 100)
    print(f"a run of 100 requests: {floor / 2**20:.0f} MiB")
    for rate_per_s in (100, 2_000):
        for count in (100_000, 300_000, 1_000_000):
            used, total = peak(rate_per_s, count)
            each = (used - floor) / total
            print(f"{total:>9,} requests at {rate_per_s:,}/s: {used / 2**20:.0f} MiB, {each:.0f} bytes a request more")


if __name__ == "__main__":
    main()
