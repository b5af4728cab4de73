"""The event log: integer columns, one row per request, invocation, throttle, abandonment and environment.

All times are integer nanoseconds since the start of the run. NOT_YET (-1) stands where something had not happened
when the run ended. The numbers of ``Result`` are part of the file format.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]

NOT_YET = -1


class Result(IntEnum):
    """How an invocation ended. Stored as int8: never renumber, only append. The first three are the workload's Fate."""

    OK = 0
    ERROR = 1  # handled function error
    CRASH = 2  # the environment was reset
    TIMEOUT = 3  # the environment was reset
    RUNNING = 4  # waiting or working when the run ended


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestColumns:
    """One row for each request, by request index. Shape (n_requests,)."""

    arrival_ns: IntArray
    source: npt.NDArray[np.int16]
    function: npt.NDArray[np.int16]
    is_pending: npt.NDArray[np.bool_]  # a retry was still to come when the run ended

    def __len__(self) -> int:
        return len(self.arrival_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationColumns:
    """One row for each accepted attempt, by (request, attempt). Shape (n_invocations,)."""

    request: IntArray
    function: npt.NDArray[np.int16]  # invoked; another one than the request's where a dead-letter queue feeds it
    attempt: npt.NDArray[np.int32]  # from 1
    admitted_ns: IntArray
    handler_ns: IntArray  # start of the handler, or NOT_YET
    end_ns: IntArray  # or NOT_YET
    environment: npt.NDArray[np.int32]  # or NOT_YET
    result: npt.NDArray[np.int8]
    is_cold: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.request)


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottleColumns:
    """One row for each refused attempt, by (request, attempt). Shape (n_throttles,)."""

    request: IntArray
    function: npt.NDArray[np.int16]
    attempt: npt.NDArray[np.int32]
    time_ns: IntArray
    reason: npt.NDArray[np.int8]  # ``platform.concurrency.ThrottleReason``

    def __len__(self) -> int:
        return len(self.request)


@dataclass(frozen=True, slots=True, kw_only=True)
class AbandonmentColumns:
    """One row for each attempt whose caller stopped waiting, by (request, attempt). Shape (n_abandonments,)."""

    request: IntArray
    attempt: npt.NDArray[np.int32]
    time_ns: IntArray

    def __len__(self) -> int:
        return len(self.request)


@dataclass(frozen=True, slots=True, kw_only=True)
class DropColumns:
    """One row for each asynchronous event that was given up, by request. Shape (n_drops,)."""

    request: IntArray
    attempt: npt.NDArray[np.int32]  # the last one; 0 where there was none
    time_ns: IntArray
    reason: npt.NDArray[np.int8]  # ``platform.async_retry.DropReason``

    def __len__(self) -> int:
        return len(self.request)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentColumns:
    """One row for each execution environment, by birth. Shape (n_environments,)."""

    function: npt.NDArray[np.int16]
    created_ns: IntArray
    init_ns: IntArray  # length of its init phase, failed inits cut at the limit
    reaped_ns: IntArray  # or NOT_YET

    def __len__(self) -> int:
        return len(self.created_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLog:
    """A whole run. Every figure that lambdasim shows is derived from it."""

    source_names: tuple[str, ...]
    source_invokes: tuple[str, ...]  # how each source invokes: sync or async
    function_names: tuple[str, ...]
    end_ns: int  # the instant at which the run ended
    is_partial: bool  # the run was interrupted
    requests: RequestColumns
    invocations: InvocationColumns
    throttles: ThrottleColumns
    abandonments: AbandonmentColumns
    drops: DropColumns
    environments: EnvironmentColumns

    @property
    def ready_ns(self) -> IntArray:
        """When the init phase of each environment ended, or NOT_YET. Shape (n_environments,)."""
        ready = self.environments.created_ns + self.environments.init_ns
        return np.where(ready <= self.end_ns, ready, NOT_YET)

    @property
    def clipped_end_ns(self) -> IntArray:
        """End of each invocation, or the end of the run where it was not over. Shape (n_invocations,)."""
        end = self.invocations.end_ns
        return np.where(end == NOT_YET, self.end_ns, end)
