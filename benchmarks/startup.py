"""Whole processes: import time, the smallest scenario with and without files and pictures."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time

TURNS = 7


def seconds(*arguments: str) -> float:
    """Median wall time of a Python process."""
    times = []
    for _ in range(TURNS):
        started = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def main() -> None:
    nothing = seconds("-c", "pass")
    scenario = "scenarios/first-invocations.yaml"
    with tempfile.TemporaryDirectory() as folder:
        print(f"import lambdasim (less an empty Python)     {seconds('-c', 'import lambdasim') - nothing:.2f} s")
        print(f"first-invocations, no files                 {seconds('-m', 'lambdasim', scenario, '--no-files'):.2f} s")
        print(
            f"first-invocations, with files and pictures  {seconds('-m', 'lambdasim', scenario, '--out', folder):.2f} s"
        )


if __name__ == "__main__":
    main()
