"""The rules of billing on single values; numbers of AWS's where it gives any."""

from __future__ import annotations

import numpy as np
import pytest

from lambdasim.platform.billing import (
    billed_capacity_ns,
    billed_init_ms,
    billed_ms,
    billed_restore_ns,
    empty_receives,
    is_init_billed,
    paid_ephemeral_mb,
    sqs_units,
)

US, MS, S = 10**3, 10**6, 10**9
MINUTE = 60 * S


@pytest.mark.parametrize(
    ("time_ns", "expected"),
    [(0, 0), (1, 1), (MS, 1), (MS + 1, 2), (900 * S, 900_000), (3_022_910 * US, 3_023)],
)
def test_a_duration_is_rounded_up_to_a_millisecond(time_ns: int, expected: int) -> None:
    """The last one: an init that was redone inside a duration of 3,022.91 ms has no init of its own to bill."""
    assert billed_ms(time_ns) == expected


@pytest.mark.parametrize(
    ("duration_us", "init_us", "billed"),
    [
        (250_060, 100_770, 351),  # AWS's blog on the billing of inits: 350.83
        (133_610, 80_000, 214),  # the page on the runtime environment, an error: 213.61
        (3_016_780, 84_000, 3_101),  # a timeout: 3,100.78
        (3_004_920, 111_230, 3_117),  # 3,116.15
        (1_513_370, 303_630, 1_817),  # a log line: 1,817.00 exactly
    ],
)
def test_a_cold_start_is_billed_with_its_init(duration_us: int, init_us: int, billed: int) -> None:
    """Init and duration are added before they are rounded, and the init is what that adds."""
    work, init = duration_us * US, init_us * US
    assert billed_ms(init + work) == billed
    assert billed_ms(work) + billed_init_ms(init, work) == billed


def test_the_init_of_an_array_of_cold_starts() -> None:
    """Arrays give what their values give: 0.4 + 0.5 ms is one millisecond and adds none, 0.6 + 0.5 adds one."""
    inits, works = np.array([400_000, 600_000]), np.array([500_000, 500_000])
    assert billed_init_ms(inits, works).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("rule", "package", "runtime", "expected"),
    [
        ("billed", "zip", "python3.13", True),
        ("billed", "zip", None, True),
        ("free-for-managed-zip", "zip", "python3.13", False),
        ("free-for-managed-zip", "zip", None, False),
        ("free-for-managed-zip", "image", "python3.13", True),
        ("free-for-managed-zip", "zip", "provided.al2023", True),
        # Words of lambdasim's for what runs on provided.al2023; go1.x was a managed runtime.
        ("free-for-managed-zip", "zip", "go", True),
        ("free-for-managed-zip", "zip", "rust", True),
        ("free-for-managed-zip", "zip", "dotnet10-aot", True),
        ("free-for-managed-zip", "zip", "go1.x", False),
    ],
)
def test_whose_init_is_billed(rule: str, package: str, runtime: str | None, expected: bool) -> None:
    """All since August 2025; before, only container images and custom runtimes."""
    assert is_init_billed(rule, package, runtime) is expected


@pytest.mark.parametrize(
    ("restore_us", "share", "billed_ms_of_restore"),
    # 398.97 ms x 45.6 % = 181.93 -> 182, as a log line has it; x 45.7 % = 182.33 -> 183
    [(398_970, 0.456, 182), (398_970, 0.457, 183), (400_000, 0.45, 180), (400_000, 0.0, 0), (400_000, 1.0, 400)],
)
def test_a_share_of_a_restore_is_billed(restore_us: int, share: float, billed_ms_of_restore: int) -> None:
    """In whole milliseconds, rounded up."""
    assert billed_restore_ns(restore_us * US, share) == billed_ms_of_restore * MS


def test_a_restored_invocation_as_its_log_line_has_it() -> None:
    """Duration 2,338.66 ms, billed restore 182 ms: billed 2,521 ms."""
    restore = billed_restore_ns(398_970 * US, 0.456)
    assert billed_ms(restore + 2_338_660 * US) == 2_521


@pytest.mark.parametrize(
    ("enabled", "billed"),
    [(0, 0), (1, 5 * MINUTE), (5 * MINUTE, 5 * MINUTE), (5 * MINUTE + 1, 10 * MINUTE), (8 * 60 * MINUTE, 480 * MINUTE)],
)
def test_capacity_is_billed_in_periods_of_five_minutes(enabled: int, billed: int) -> None:
    """From enabling to disabling."""
    assert billed_capacity_ns(enabled) == billed


def test_half_a_gigabyte_of_tmp_is_free() -> None:
    """512 MB come with every function."""
    assert [paid_ephemeral_mb(size) for size in (512, 513, 10_240)] == [0, 1, 9_728]


@pytest.mark.parametrize(("size", "units"), [(1, 1), (65_536, 1), (65_537, 2), (262_144, 4)])
def test_sqs_bills_each_64_kb(size: int, units: int) -> None:
    """A message of 256 KB is four requests."""
    assert sqs_units(size) == units


def test_an_idle_queue_is_asked_15_times_a_minute() -> None:
    """Five pollers, 20 s each: 15 a minute, 657,000 in 730 hours."""
    assert empty_receives(MINUTE) == 15
    assert empty_receives(730 * 60 * MINUTE) == 657_000
    assert empty_receives(4 * S - 1) == 0
