"""Code storage: what all versions of all functions take, against the region's quota.

AWS: every published version takes storage; beyond the quota publishing fails with CodeStorageExceededException, HTTP
400 (gettingstarted-limits page and botocore's service model of Lambda, read 2026). Container images do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_MB_PER_GB = 1_024
_LISTED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCode:
    """The code of one function: so many versions of the same size."""

    function: str
    size_mb: int
    versions: int

    @property
    def total_mb(self) -> int:
        """What all its versions take."""
        return self.size_mb * self.versions


def storage_violation(stored: Sequence[StoredCode], quota_mb: int) -> tuple[str, str] | None:
    """(function that takes the most, what AWS says of the sum and what to do), or None if all fits."""
    total = sum(code.total_mb for code in stored)
    if total <= quota_mb:
        return None
    largest = sorted(stored, key=lambda code: -code.total_mb)
    listed = ", ".join(
        f"{code.function} {size_text(code.total_mb)} ({code.versions:,} x {size_text(code.size_mb)})"
        for code in largest[:_LISTED]
    )
    if len(largest) > _LISTED:
        listed += f" and {len(largest) - _LISTED} more"
    message = (
        f"CodeStorageExceededException: Code storage limit exceeded. The functions store {size_text(total)}, the quota"
        f" is {size_text(quota_mb)}: {listed}. Delete at least {_deletion(largest[0], total - quota_mb)}"
    )
    return largest[0].function, message


def _deletion(largest: StoredCode, excess_mb: int) -> str:
    """How much to delete, and of what: versions of the largest function, as long as one is left of it."""
    versions = -(-excess_mb // largest.size_mb)
    if versions < largest.versions:
        example = f"{versions:,} of the {largest.versions:,} versions of {largest.function}"
        return f"{excess_mb:,}MB, for example {example}"
    return f"{excess_mb:,}MB"


def size_text(size_mb: int) -> str:
    """A size for people, exact up to 10 GB and always where it is a whole number of GB: ``40MB``, ``300GB``."""
    if size_mb % _MB_PER_GB == 0 and size_mb:
        return f"{size_mb // _MB_PER_GB:,}GB"
    if size_mb < 10 * _MB_PER_GB:
        return f"{size_mb:,}MB"
    return f"{size_mb / _MB_PER_GB:,.1f}GB"
