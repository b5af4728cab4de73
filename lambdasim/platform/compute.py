"""How much processor a function has: memory buys it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lambdasim.scenario.profiles import MEMORY_MB_PER_VCPU
from lambdasim.units import MAX_TIME_NS

IntArray = npt.NDArray[np.int64]


def work_ns(cpu_ns: IntArray, io_ns: IntArray, memory_mb: int, threads: int) -> IntArray:
    """Durations of handlers that need ``cpu_ns`` on one full vCPU and wait for ``io_ns``, in ns.

    AWS: CPU power is in proportion to memory, and at 1,769 MB a function has one vCPU (gettingstarted-limits page, read
    2026). MODEL: that is a share of time, however short the work; a thread uses at most one vCPU; work and waiting come
    one after the other, so that they add up.
    """
    usable_mb = min(memory_mb, threads * MEMORY_MB_PER_VCPU.value)
    busy_ns = np.rint(cpu_ns * float(MEMORY_MB_PER_VCPU.value) / usable_mb).astype(np.int64)
    times_ns: IntArray = np.minimum(busy_ns + io_ns, MAX_TIME_NS)
    return times_ns
