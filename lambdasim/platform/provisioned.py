"""Provisioned concurrency: environments that are kept initialised, how they are allocated, and what spills over."""

from __future__ import annotations

from enum import IntEnum

from lambdasim.scenario.profiles import PROVISIONED_INIT_LIMIT_S
from lambdasim.units import NS_PER_S


class SpilloverReason(IntEnum):
    """Why an invocation ran on demand. The numbers are stored in the log: never renumber, only append."""

    CONCURRENCY = 0  # every provisioned environment was busy
    REQUEST_RATE = 1  # the 10 requests a second for each unit were used up
    NOT_READY = 2  # none was allocated yet

    @property
    def key(self) -> str:
        """The name in files: ``request_rate``."""
        return self.name.lower()


class CapacityStatus(IntEnum):
    """AWS's status of a provisioned concurrency configuration. Stored in the log: never renumber, only append."""

    READY = 0
    IN_PROGRESS = 1
    FAILED = 2


class CapacityCause(IntEnum):
    """What led to a change of provisioned concurrency. Stored in the log: never renumber, only append."""

    CONFIGURED = 0  # by the scenario, before the run
    CHANGED = 1  # by a change during the run
    SCHEDULED = 2  # by a scheduled action
    TARGET_TRACKING = 3
    ALLOCATED = 4  # what was asked for is ready
    INIT_FAILED = 5  # an init took longer than it may

    @property
    def key(self) -> str:
        """The name in files: ``target_tracking``."""
        return self.name.lower()


def init_limit_ns(timeout_ns: int) -> int:
    """How long the init of a provisioned environment may take.

    AWS: 130 s or the function's timeout, whichever is longer (lambda-runtime-environment page, read 2026).
    """
    return max(PROVISIONED_INIT_LIMIT_S.value * NS_PER_S, timeout_ns)


def ready_after_ns(number: int, prepare_ns: int, environments: int, per_ns: int) -> int:
    """When the ``number``-th environment (from 1) of a request is there, counted from the request.

    AWS: 1 to 2 minutes of preparation, then up to 6,000 environments a minute (lambda-concurrency page, read 2026).
    MODEL: evenly spaced within that minute; the init of each is done by then, unless it takes longer than from the
    request until then.
    """
    return prepare_ns + number * per_ns // environments
