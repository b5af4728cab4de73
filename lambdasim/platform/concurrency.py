"""Who may start an environment's worth of work: quota, reserved pools, and the reason for each refusal."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum


class ThrottleReason(IntEnum):
    """Why an attempt was refused. The numbers are stored in the log: never renumber, only append."""

    ACCOUNT_CONCURRENCY = 0
    ACCOUNT_RATE = 1
    RESERVED_CONCURRENCY = 2
    RESERVED_RATE = 3
    SCALING_REQUEST_RATE = 4
    SCALING_RATE = 5
    API_GATEWAY_RATE = 6  # refused before it reached Lambda

    @property
    def key(self) -> str:
        """The name in files: ``account_concurrency``."""
        return self.name.lower()


# AWS's ``Reason`` of TooManyRequestsException (botocore's service model of Lambda, read 2026-08). The first and third
# are documented; the rates go by their names. MODEL: what AWS answers when the scaling rate is the cause is not
# published; it is taken to be the answer for concurrency.
AWS_REASON = {
    ThrottleReason.ACCOUNT_CONCURRENCY: "ConcurrentInvocationLimitExceeded",
    ThrottleReason.ACCOUNT_RATE: "FunctionInvocationRateLimitExceeded",
    ThrottleReason.RESERVED_CONCURRENCY: "ReservedFunctionConcurrentInvocationLimitExceeded",
    ThrottleReason.RESERVED_RATE: "ReservedFunctionInvocationRateLimitExceeded",
    ThrottleReason.SCALING_REQUEST_RATE: "FunctionInvocationRateLimitExceeded",
    ThrottleReason.SCALING_RATE: "ConcurrentInvocationLimitExceeded",
    ThrottleReason.API_GATEWAY_RATE: "Too Many Requests",  # API Gateway's own 429, without a Reason
}


def shared_pool_limit(quota: int, reserved: Iterable[int], provisioned: Iterable[int] = ()) -> int:
    """Concurrency left for what runs on demand in all functions without reserved concurrency.

    ``provisioned``: of functions without a reservation; with one it is part of that. Both leave the pool whether they
    are used or not (lambda-concurrency and monitoring-concurrency pages, read 2026).
    """
    return quota - sum(reserved) - sum(provisioned)


def rate_per_s(concurrency: int, requests_per_concurrency: int) -> int:
    """Synchronous requests per second that a pool accepts: 10 for each unit of its concurrency.

    AWS: 10 times the quota, in total and not for each environment (lambda-concurrency page, read 2026).
    """
    return concurrency * requests_per_concurrency
