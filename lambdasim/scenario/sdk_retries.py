"""What AWS's SDKs do about a failed attempt, as their source says. One table; every row has its source and date.

An SDK tells three kinds of failure apart. The delay before retry k = 1, 2, ... is U(0, 1) x min(cap, base x 2^(k-1)),
"full jitter". A retry is paid for from the quota of its client object; where that is empty there is none. A success
gives back what its last retry cost, or 1 without any.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from lambdasim.units import NS_PER_MS, NS_PER_S


class Failure(IntEnum):
    """What a caller sees of an attempt that failed."""

    THROTTLED = 0  # status 429
    SERVER_ERROR = 1  # a status of 5xx
    NO_ANSWER = 2  # the caller stopped waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryQuota:
    """Tokens of one client object, and what a retry after each kind of failure takes."""

    tokens: int
    costs: tuple[int, int, int]  # by Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class SdkRetry:
    """The retry behaviour of one SDK in one mode."""

    max_attempts: int  # the first one included
    throttle_base_ns: int
    other_base_ns: int  # after a server error or no answer
    cap_ns: int | None
    in_whole_ms: bool  # delays are cut to milliseconds
    quota: RetryQuota | None
    limits_its_rate: bool  # the adaptive mode's client-side rate limiter
    source: str
    read: str

    def base_ns(self, failure: int) -> int:
        """The base of the back-off after one kind of ``Failure``."""
        return self.throttle_base_ns if failure == Failure.THROTTLED else self.other_base_ns


_BOTO = "github.com/boto/botocore, botocore/retries/standard.py and quota.py"
_ADAPTIVE = _BOTO + "; adaptive.py, throttling.py, bucket.py"
_SMITHY = "github.com/smithy-lang/smithy-typescript, packages/core/src/submodules/retry/util-retry"

_BOTO_QUOTA = RetryQuota(tokens=500, costs=(5, 5, 10))
_NEW_QUOTA = RetryQuota(tokens=500, costs=(5, 14, 14))


def _boto(*, limits_its_rate: bool = False, is_new: bool = False) -> SdkRetry:
    return SdkRetry(
        max_attempts=3,
        throttle_base_ns=NS_PER_S,
        other_base_ns=50 * NS_PER_MS if is_new else NS_PER_S,
        cap_ns=20 * NS_PER_S,
        in_whole_ms=False,
        quota=_NEW_QUOTA if is_new else _BOTO_QUOTA,
        limits_its_rate=limits_its_rate,
        source=_ADAPTIVE if limits_its_rate else _BOTO,
        read="2026-08-07",
    )


def _javascript(*, throttle_ms: int, other_ms: int, quota: RetryQuota) -> SdkRetry:
    return SdkRetry(
        max_attempts=3,
        throttle_base_ns=throttle_ms * NS_PER_MS,
        other_base_ns=other_ms * NS_PER_MS,
        cap_ns=20 * NS_PER_S,
        in_whole_ms=True,
        quota=quota,
        limits_its_rate=False,
        source=_SMITHY,
        read="2026-08-20",
    )


# Those that end in -2026 are opt-in: AWS_NEW_RETRIES_2026=true (boto3 from 1.43.3), SMITHY_NEW_RETRIES_2026=true.
SDK_RETRIES: dict[str, SdkRetry] = {
    "boto3-legacy": SdkRetry(
        max_attempts=5,
        throttle_base_ns=NS_PER_S,
        other_base_ns=NS_PER_S,
        cap_ns=None,
        in_whole_ms=False,
        quota=None,
        limits_its_rate=False,
        source="github.com/boto/botocore, botocore/retryhandler.py and data/_retry.json",
        read="2026-08-07",
    ),
    "boto3-standard": _boto(),
    "boto3-adaptive": _boto(limits_its_rate=True),
    "js-v3": _javascript(throttle_ms=500, other_ms=100, quota=RetryQuota(tokens=500, costs=(5, 10, 10))),
    "boto3-standard-2026": _boto(is_new=True),
    "boto3-adaptive-2026": _boto(limits_its_rate=True, is_new=True),
    "js-v3-2026": _javascript(throttle_ms=1_000, other_ms=50, quota=_NEW_QUOTA),
}
