"""What a synchronous caller waits before it tries again."""

from __future__ import annotations

# 2**62 ns is more than a century: a back-off that reaches it never comes in any run.
_CEILING_NS = 2**62


def backoff_ns(base_ns: int, cap_ns: int, retry: int) -> int:
    """Greatest delay before retry k = 1, 2, ...: min(cap, base x 2^(k-1)), in ns.

    Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015-03-04. Jitter takes a share of it.
    """
    doublings = retry - 1
    if doublings >= 62 or base_ns > _CEILING_NS >> doublings:
        return cap_ns if base_ns else 0
    return min(cap_ns, base_ns << doublings)
