"""Whether the event log of a workload fits in this machine's memory: said before the run, not after an hour of it."""

from __future__ import annotations

import os
from collections.abc import Iterable

from lambdasim.errors import ScenarioError

# Measured peak with the full log, by how the function is invoked, rounded up; retries add to it. The figures are those
# of benchmarks/memory.py and benchmarks/backlog.py.
BYTES_PER_REQUEST = {"sync": 250, "async": 500, "sqs": 320, "stream": 320}

# Where the system does not say how much memory it has.
_ASSUMED_BYTES = 8 * 2**30


def check_memory(expected_requests: float, invokes: Iterable[str]) -> None:
    """Raises ScenarioError when the log of so many requests would not fit; all count as the largest of their kinds."""
    needed, available = expected_requests * max(BYTES_PER_REQUEST[invoke] for invoke in invokes), available_bytes()
    if needed > available:
        raise ScenarioError(
            f"traffic: must fit in memory; about {expected_requests:,.0f} requests need about {needed / 2**30:,.0f} GiB"
            f" and this machine has {available / 2**30:,.0f} GiB free; lower a rate or shorten the duration"
        )


def available_bytes() -> int:
    """Memory that could be used now."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1_024
    except OSError:
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return _ASSUMED_BYTES
