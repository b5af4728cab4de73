"""The life of an execution environment: init, reset, timeout, idle timeout, maximum age."""

from __future__ import annotations

from lambdasim.scenario.profiles import INIT_LIMIT_S, RESTORE_LIMIT_S
from lambdasim.units import NS_PER_S

# An init that takes longer ends as failed. Source and date stand with the number.
INIT_LIMIT_NS = INIT_LIMIT_S.value * NS_PER_S

RESTORE_LIMIT_NS = RESTORE_LIMIT_S.value * NS_PER_S


def init_phase_ns(init_ns: int) -> int:
    """How long the init phase lasts, or the restore phase: the init or restore, or the limit of 10 s of both.

    AWS: an init that is not done after 10 s is run again at the first invocation (runtime-environment page, read 2026).
    """
    return min(init_ns, INIT_LIMIT_NS)


def init_failed(init_ns: int) -> bool:
    """Whether an init is over the limit, so that the next invocation pays for it again."""
    return init_ns > INIT_LIMIT_NS


def restore_failed(restore_ns: int) -> bool:
    """Whether a restore is over the limit, so that the environment is given up.

    AWS: a SnapStartTimeoutException, HTTP 408 (runtime-environment page and botocore's service model of Lambda, read
    2026). MODEL: the invocation that waits for the environment ends with it, as one that timed out.
    """
    return restore_ns > RESTORE_LIMIT_NS


def is_timeout(work_ns: int, timeout_ns: int) -> bool:
    """Whether an invocation is ended by the function's timeout; work that takes exactly the timeout is not."""
    return work_ns > timeout_ns


def is_expired(expires_ns: int, now_ns: int) -> bool:
    """Whether an idle environment is gone: exactly at the end of its idle timeout it is.

    MODEL: AWS keeps idle environments "for some time"; see the assumptions page on the idle timeout.
    """
    return expires_ns <= now_ns


def is_past_max_age(created_ns: int, now_ns: int, max_age_ns: int) -> bool:
    """Whether an environment that falls idle is retired: only an older one is, one of exactly the maximum age stays.

    AWS ends environments "every few hours", even when used all the time (runtime-environment page, read 2026).
    """
    return now_ns - created_ns > max_age_ns
