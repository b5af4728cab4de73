"""What Lambda bills of what happened: milliseconds, rounded periods, request units. Integers, or arrays of them.

Sources: https://aws.amazon.com/lambda/pricing/ (read 2026), on the init the AWS Compute Blog, "AWS Lambda standardizes
billing for INIT Phase", https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase (2025).
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from lambdasim.scenario.runtimes import OS_ONLY_LANGUAGES
from lambdasim.units import NS_PER_MS, NS_PER_S

Integers = TypeVar("Integers", int, npt.NDArray[np.int64])

# Of the time for which provisioned concurrency is enabled.
CAPACITY_PERIOD_NS = 300 * NS_PER_S

# Ephemeral storage that every function has at no charge.
FREE_EPHEMERAL_MB = 512

# Amazon SQS bills each 64 KB of a request as one (https://aws.amazon.com/sqs/pricing/, read 2026).
SQS_UNIT_BYTES = 65_536
# Messages that one receive or one delete can hold (SQS API reference, ReceiveMessage, read 2026).
MOST_MESSAGES_A_REQUEST = 10

# MODEL: AWS does not publish how often a mapping asks an empty queue. Five pollers at first (services-sqs-scaling page,
# read 2026), each with a long poll of 20 s, the longest that there is: 15 requests a minute.
IDLE_POLLERS = 5
LONG_POLL_NS = 20 * NS_PER_S


def billed_ms(work_ns: Integers) -> Integers:
    """Billed duration: rounded up to 1 ms, as since December 2020. Of a cold start init and handler go in together."""
    return -(-work_ns // NS_PER_MS)


def billed_init_ms(init_ns: Integers, work_ns: Integers) -> Integers:
    """What the init adds to the billed duration of the invocation with which it is billed."""
    return billed_ms(init_ns + work_ns) - billed_ms(work_ns)


def is_init_billed(rule: str, package: str, runtime: str | None) -> bool:
    """Whether the init of an environment on demand is billed.

    Until 2025-08-01 (``free-for-managed-zip``) only that of container images and of custom runtimes was (custom is
    what runs on AWS's provided.al2023 and its like); that of provisioned concurrency always.
    """
    is_custom = runtime is not None and (runtime.startswith("provided") or runtime in OS_ONLY_LANGUAGES)
    return rule == "billed" or package == "image" or is_custom


def billed_restore_ns(restore_ns: Integers, share: float) -> Integers:
    """What is billed of a restore: a share of it, rounded up to 1 ms, as the log line says it.

    AWS bills loading the runtime and running its hooks (snapstart-monitoring page, read 2026); what share that is
    stands in ``scenario.snapstart``.
    """
    return billed_ms(restore_ns * round(share * 1_000_000) // 1_000_000) * NS_PER_MS


def billed_capacity_ns(enabled_ns: int) -> int:
    """The time for which provisioned concurrency is billed, from enabling to disabling: rounded up to 5 minutes."""
    return -(-enabled_ns // CAPACITY_PERIOD_NS) * CAPACITY_PERIOD_NS


def paid_ephemeral_mb(size_mb: int) -> int:
    """Ephemeral storage that costs something."""
    return max(0, size_mb - FREE_EPHEMERAL_MB)


def sqs_units(size_bytes: Integers) -> Integers:
    """Requests that SQS bills for one with so much payload, which must not be 0."""
    return -(-size_bytes // SQS_UNIT_BYTES)


def empty_receives(idle_ns: int) -> int:
    """Receives that find nothing while a polled queue has no message for so long."""
    return idle_ns * IDLE_POLLERS // LONG_POLL_NS
