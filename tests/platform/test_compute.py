"""Memory buys processor: 1,769 MB are one vCPU (gettingstarted-limits page)."""

from __future__ import annotations

import numpy as np
import pytest

from lambdasim.platform.compute import work_ns
from lambdasim.units import MAX_TIME_NS


def duration_ms(memory_mb: int, threads: int, cpu_ms: float, io_ms: float = 0.0) -> float:
    """The duration of one handler."""
    cpu, io = (np.array([round(time * 1e6)]) for time in (cpu_ms, io_ms))
    return int(work_ns(cpu, io, memory_mb, threads)[0]) / 1e6


@pytest.mark.parametrize(
    ("memory_mb", "threads", "expected_ms"),
    [
        (128, 1, 1_382.03125),  # 100 x 1,769 / 128
        (512, 1, 345.507812),  # 100 x 1,769 / 512 = 345.5078125, the half to the even nanosecond below
        (1_024, 1, 172.753906),  # 172.75390625
        (1_769, 1, 100),
        (3_538, 1, 100),  # one thread cannot use the second vCPU
        (3_538, 2, 50),
        (128, 6, 1_382.03125),  # more threads make no processor
        (10_240, 6, 17.275391),  # 5.79 vCPUs: 100 x 1,769 / 10,240 = 17.275390625
        (10_240, 5, 20),
    ],
)
def test_processor_time_scales_with_memory(memory_mb: int, threads: int, expected_ms: float) -> None:
    """100 ms on one full vCPU. Nanoseconds are whole: the last digits are rounded."""
    assert duration_ms(memory_mb, threads, 100) == pytest.approx(expected_ms, abs=1e-6)


def test_waiting_does_not() -> None:
    """It is added as it is: 138.203125 + 250 ms."""
    assert duration_ms(128, 1, 10, 250) == 388.203125
    assert duration_ms(1_769, 1, 0, 250) == 250


def test_ten_years_are_the_most() -> None:
    """So that sums of times fit int64."""
    longest = np.array([MAX_TIME_NS])
    assert work_ns(longest, longest, 128, 1).tolist() == [MAX_TIME_NS]
