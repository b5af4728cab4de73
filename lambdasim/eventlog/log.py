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
class DeliveryFailureColumns:
    """One row for each record of an event that its destination did not take, by request. Shape (n_failures,)."""

    request: IntArray
    attempt: npt.NDArray[np.int32]  # the last one; 0 where there was none
    time_ns: IntArray

    def __len__(self) -> int:
        return len(self.request)


class MessageOutcome(IntEnum):
    """Where a message is when the run ends. Stored as int8: never renumber, only append."""

    DELETED = 0  # an invocation with it succeeded
    DEAD_LETTERED = 1  # received too often; it goes on in the dead-letter queue
    EXPIRED = 2  # kept as long as its queue or stream keeps anything
    VISIBLE = 3  # could be received
    IN_FLIGHT = 4  # received, and hidden from other receivers
    DELAYED = 5  # not visible yet for the first time
    REDRIVEN = 6  # moved back to the queue that it came from
    STOPPED = 7  # went around a loop of queues until Lambda stopped it
    PROCESSED = 8  # a record of a stream: an invocation with it succeeded
    DISCARDED = 9  # a record of a stream: too old, or no retry left

    @property
    def key(self) -> str:
        """The name in files: ``dead_lettered``."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageColumns:
    """One row for each stay of a message in a queue, or of a record in a stream, in the order in which they came.

    A message that goes to another queue has a row there as well. Shape (n_messages,).
    """

    request: IntArray
    queue: npt.NDArray[np.int16]  # index into ``EventLog.queue_names``
    sent_ns: IntArray  # when it came into this queue
    receives: npt.NDArray[np.int32]
    first_receive_ns: IntArray  # or NOT_YET
    outcome: npt.NDArray[np.int8]  # ``MessageOutcome``
    settled_ns: IntArray  # or NOT_YET
    is_executed: npt.NDArray[np.bool_]  # an invocation with it was accepted while it was in this queue

    def __len__(self) -> int:
        return len(self.request)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchColumns:
    """One row for each batch of messages that pollers made. Its attempts are those of its first message.

    Shape (n_batches,).
    """

    queue: npt.NDArray[np.int16]
    request: IntArray  # of its first message
    first_attempt: npt.NDArray[np.int32]  # number of its first attempt among those of that message; 0: none yet
    attempts: npt.NDArray[np.int32]  # how many; 0 where it was not tried before the run ended
    is_accepted: npt.NDArray[np.bool_]  # the last one was accepted

    def __len__(self) -> int:
        return len(self.request)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryColumns:
    """One row for each message in each batch, in the order of receiving. Shape (n_deliveries,)."""

    message: npt.NDArray[np.int32]  # row in ``MessageColumns``
    batch: npt.NDArray[np.int32]  # row in ``BatchColumns``
    received_ns: IntArray

    def __len__(self) -> int:
        return len(self.message)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentColumns:
    """One row for each execution environment, by birth. Shape (n_environments,)."""

    function: npt.NDArray[np.int16]
    created_ns: IntArray
    sandbox_ns: IntArray  # from its creation to the start of its init: placing it, loading the code
    init_ns: IntArray  # length of its init (restore with SnapStart), cut at the limit, or when it was given up
    reaped_ns: IntArray  # or NOT_YET
    is_provisioned: npt.NDArray[np.bool_]  # else on demand

    def __len__(self) -> int:
        return len(self.created_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpilloverColumns:
    """One row for each invocation that ran on demand although its function has provisioned concurrency.

    By (request, attempt). Shape (n_spillovers,).
    """

    request: IntArray
    function: npt.NDArray[np.int16]
    attempt: npt.NDArray[np.int32]
    time_ns: IntArray  # of its admission
    reason: npt.NDArray[np.int8]  # ``platform.provisioned.SpilloverReason``

    def __len__(self) -> int:
        return len(self.request)


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityColumns:
    """One row whenever the provisioned concurrency of a function changes: asked for, ready, or failed.

    In the order of time; a function that begins with some has a row at 0. Shape (n_capacity_changes,).
    """

    time_ns: IntArray
    function: npt.NDArray[np.int16]
    requested: npt.NDArray[np.int32]  # units asked for, from then on: what is paid for, and taken from the pool
    allocated: npt.NDArray[np.int32]  # units that are ready, from then on
    status: npt.NDArray[np.int8]  # ``platform.provisioned.CapacityStatus``
    cause: npt.NDArray[np.int8]  # ``platform.provisioned.CapacityCause``

    def __len__(self) -> int:
        return len(self.time_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLog:
    """A whole run. Every figure that lambdasim shows is derived from it."""

    source_names: tuple[str, ...]
    source_invokes: tuple[str, ...]  # how each source invokes: sync, async, sqs or stream
    source_queues: tuple[int, ...]  # the queue or stream that each source sends to, or NOT_YET
    queue_names: tuple[str, ...]  # queues, then streams
    function_names: tuple[str, ...]
    end_ns: int  # the instant at which the run ended
    is_partial: bool  # the run was interrupted
    requests: RequestColumns
    invocations: InvocationColumns
    throttles: ThrottleColumns
    abandonments: AbandonmentColumns
    drops: DropColumns
    delivery_failures: DeliveryFailureColumns
    messages: MessageColumns
    batches: BatchColumns
    deliveries: DeliveryColumns
    environments: EnvironmentColumns
    spillovers: SpilloverColumns
    capacity: CapacityColumns

    @property
    def ready_ns(self) -> IntArray:
        """When the init phase of each environment ended, or NOT_YET. Shape (n_environments,)."""
        environments = self.environments
        ready = environments.created_ns + environments.sandbox_ns + environments.init_ns
        return np.where(ready <= self.end_ns, ready, NOT_YET)

    @property
    def is_on_provisioned(self) -> npt.NDArray[np.bool_]:
        """Whether each invocation has a provisioned environment; one without an environment has not.

        Shape (n_invocations,).
        """
        # NOT_YET, of one that still waits for an environment, finds the last place.
        flags = np.append(self.environments.is_provisioned, False)
        return np.asarray(flags[self.invocations.environment], dtype=np.bool_)

    @property
    def clipped_end_ns(self) -> IntArray:
        """End of each invocation, or the end of the run where it was not over. Shape (n_invocations,)."""
        end = self.invocations.end_ns
        return np.where(end == NOT_YET, self.end_ns, end)
