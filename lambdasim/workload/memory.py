"""Whether the event log of a workload fits in this machine's memory: said before the run, not after an hour of it."""

from __future__ import annotations

import os

from lambdasim.errors import ScenarioError

# Measured peak with the full log, rounded up; retries add to it. The figure stands in benchmarks/.
BYTES_PER_REQUEST = 250

# Where the system does not say how much memory it has.
_ASSUMED_BYTES = 8 * 2**30


def check_memory(expected_requests: float) -> None:
    """Raises ScenarioError when the log of so many requests would not fit."""
    needed, available = expected_requests * BYTES_PER_REQUEST, available_bytes()
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
