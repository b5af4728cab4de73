"""Collects the columns of an event log while an engine runs. Appending is all that an engine does with it."""

from __future__ import annotations

import struct
from array import array
from typing import Any

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import (
    NOT_YET,
    AbandonmentColumns,
    BatchColumns,
    CapacityColumns,
    DeliveryColumns,
    DeliveryFailureColumns,
    DropColumns,
    EnvironmentColumns,
    EventLog,
    InvocationColumns,
    MessageColumns,
    MessageOutcome,
    RequestColumns,
    Result,
    SpilloverColumns,
    ThrottleColumns,
)

IntArray = npt.NDArray[np.int64]

# Columns that are set later grow by so many rows, with their first values.
ROWS_AT_ONCE = 4_096
_NOUGHTS = array("i", [0]) * ROWS_AT_ONCE
_NOT_YETS = array("q", [NOT_YET]) * ROWS_AT_ONCE
_VISIBLES = array("b", [MessageOutcome.VISIBLE]) * ROWS_AT_ONCE
_FLAGS = array("b", [0]) * ROWS_AT_ONCE


# One invocation as it is recorded: request, admitted_ns, handler_ns, end_ns, attempt, environment, function, result,
# is_cold.
# Packed records take one call where columns take eight, and numpy reads them without a copy.
_INVOCATION = struct.Struct("<qqqqiihbb")
_INVOCATION_DTYPE = np.dtype(
    [
        ("request", "<i8"),
        ("admitted_ns", "<i8"),
        ("handler_ns", "<i8"),
        ("end_ns", "<i8"),
        ("attempt", "<i4"),
        ("environment", "<i4"),
        ("function", "<i2"),
        ("result", "i1"),
        ("is_cold", "i1"),
    ]
)


class Invocations:
    """Growing records of invocations: ``write(pack(...))`` once for each, at its dispatch, when its end is known.

    ``pack`` takes request, admitted_ns, handler_ns, end_ns, attempt, environment, function, result, is_cold.
    """

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.write = self.buffer.extend
        self.pack = _INVOCATION.pack


class Marks:
    """Growing columns of (request, attempt, time, code): throttles and drops with their reason, abandonments with 0."""

    __slots__ = ("attempt", "code", "request", "time_ns")

    def __init__(self) -> None:
        self.request = array("q")
        self.attempt = array("i")
        self.time_ns = array("q")
        self.code = array("b")

    def append(self, request: int, attempt: int, time_ns: int, code: int = 0) -> None:
        """One mark."""
        self.request.append(request)
        self.attempt.append(attempt)
        self.time_ns.append(time_ns)
        self.code.append(code)


class FunctionMarks(Marks):
    """Marks of attempts, each with the function that it was meant for: throttles and spillovers."""

    __slots__ = ("function",)

    def __init__(self) -> None:
        super().__init__()
        self.function = array("h")

    def add(self, request: int, function: int, attempt: int, time_ns: int, reason: int) -> None:
        """One attempt that was refused, or that spilled over."""
        self.append(request, attempt, time_ns, reason)
        self.function.append(function)


class Messages:
    """Growing columns of messages in queues and records in streams; all but the first three are set later, by row."""

    __slots__ = (
        *("executed", "first_receive_ns", "outcome", "queue", "receives", "request", "sent_ns", "settled_ns"),
        "_room",
    )

    def __init__(self) -> None:
        self.request = array("q")
        self.queue = array("h")
        self.sent_ns = array("q")
        self.receives = array("i")
        self.first_receive_ns = array("q")
        self.outcome = array("b")
        self.settled_ns = array("q")
        self.executed = array("b")
        self._room = 0

    def append(self, request: int, queue: int, sent_ns: int) -> int:
        """A message that came into a queue; returns its row."""
        row = len(self.request)
        if row == self._room:
            self._make_room()
        self.request.append(request)
        self.queue.append(queue)
        self.sent_ns.append(sent_ns)
        return row

    def _make_room(self) -> None:
        """What is set later has its first value in many rows at once: cheaper than one by one."""
        self._room += ROWS_AT_ONCE
        self.receives.extend(_NOUGHTS)
        self.first_receive_ns.extend(_NOT_YETS)
        self.outcome.extend(_VISIBLES)
        self.settled_ns.extend(_NOT_YETS)
        self.executed.extend(_FLAGS)


# One message in one batch as it is recorded, packed as invocations are.
_DELIVERY = struct.Struct("<qii")
_DELIVERY_DTYPE = np.dtype([("received_ns", "<i8"), ("message", "<i4"), ("batch", "<i4")])


class Batches:
    """Growing columns of batches, all but the first two set later, and records of the messages in each."""

    __slots__ = ("_room", "accepted", "attempts", "deliveries", "first_attempt", "queue", "request")

    def __init__(self) -> None:
        self.queue = array("h")
        self.request = array("q")
        self.first_attempt = array("i")
        self.attempts = array("i")
        self.accepted = array("b")
        self.deliveries = bytearray()
        self._room = 0

    def append(self, queue: int, request: int) -> int:
        """A new batch, which was not tried yet; returns its row."""
        row = len(self.request)
        if row == self._room:
            self._room += ROWS_AT_ONCE
            self.first_attempt.extend(_NOUGHTS)
            self.attempts.extend(_NOUGHTS)
            self.accepted.extend(_FLAGS)
        self.queue.append(queue)
        self.request.append(request)
        return row

    def deliver(self, messages: list[int], batch: int, received_ns: int) -> None:
        """Messages that were received for a batch."""
        for message in messages:
            self.deliveries.extend(_DELIVERY.pack(received_ns, message, batch))


class Environments:
    """Growing columns of execution environments; ``reaped_ns`` is set later by birth index."""

    __slots__ = ("created_ns", "function", "init_ns", "is_provisioned", "reaped_ns", "sandbox_ns")

    def __init__(self) -> None:
        self.function = array("h")
        self.created_ns = array("q")
        self.sandbox_ns = array("q")
        self.init_ns = array("q")
        self.reaped_ns = array("q")
        self.is_provisioned = array("b")

    def append(
        self, function: int, created_ns: int, init_ns: int, sandbox_ns: int = 0, *, is_provisioned: bool = False
    ) -> int:
        """A new environment; returns its birth index."""
        birth = len(self.created_ns)
        self.function.append(function)
        self.created_ns.append(created_ns)
        self.sandbox_ns.append(sandbox_ns)
        self.init_ns.append(init_ns)
        self.reaped_ns.append(NOT_YET)
        self.is_provisioned.append(is_provisioned)
        return birth

    def stop_init(self, birth: int, now_ns: int) -> None:
        """An environment that is reaped now, maybe before its init is over, which ends now then."""
        alive_ns = now_ns - self.created_ns[birth]
        self.sandbox_ns[birth] = min(self.sandbox_ns[birth], alive_ns)
        self.init_ns[birth] = min(self.init_ns[birth], alive_ns - self.sandbox_ns[birth])
        self.reaped_ns[birth] = now_ns


class Capacity:
    """Growing columns of what becomes of provisioned concurrency."""

    __slots__ = ("allocated", "cause", "function", "requested", "status", "time_ns")

    def __init__(self) -> None:
        self.time_ns = array("q")
        self.function = array("h")
        self.requested = array("i")
        self.allocated = array("i")
        self.status = array("b")
        self.cause = array("b")

    def append(self, time_ns: int, function: int, requested: int, allocated: int, status: int, cause: int) -> None:
        """What is asked for and what is ready from then on."""
        self.time_ns.append(time_ns)
        self.function.append(function)
        self.requested.append(requested)
        self.allocated.append(allocated)
        self.status.append(status)
        self.cause.append(cause)


class Recorder:
    """All columns of one run, from its start to its end."""

    def __init__(self) -> None:
        self._arrival_ns: list[IntArray] = []
        self._source: list[npt.NDArray[np.int16]] = []
        self._function: list[npt.NDArray[np.int16]] = []
        self._single_arrival_ns = array("q")
        self._single_source = array("h")
        self._single_function = array("h")
        self.invocations = Invocations()
        self.throttles = FunctionMarks()
        self.abandonments = Marks()
        self.drops = Marks()
        self.delivery_failures = Marks()
        self.messages = Messages()
        self.batches = Batches()
        self.environments = Environments()
        self.spillovers = FunctionMarks()
        self.capacity = Capacity()

    def add_requests(
        self, arrival_ns: IntArray, source: npt.NDArray[np.int16], function: npt.NDArray[np.int16]
    ) -> None:
        """The requests of one window, in order. A run uses this, or ``add_request`` for each of them."""
        self._arrival_ns.append(arrival_ns)
        self._source.append(source)
        self._function.append(function)

    def add_request(self, arrival_ns: int, source: int, function: int) -> int:
        """The next request of a run whose requests are not known beforehand; returns its index."""
        index = len(self._single_arrival_ns)
        self._single_arrival_ns.append(arrival_ns)
        self._single_source.append(source)
        self._single_function.append(function)
        return index

    def finish(
        self,
        *,
        end_ns: int,
        arrived: int,
        pending: list[int],
        is_partial: bool,
        source_names: tuple[str, ...],
        source_invokes: tuple[str, ...],
        source_queues: tuple[int, ...],
        queue_names: tuple[str, ...],
        function_names: tuple[str, ...],
    ) -> EventLog:
        """The finished log: sorted by (request, attempt), what lies after ``end_ns`` marked as not yet happened."""
        if self._single_arrival_ns:
            singles = self._single_arrival_ns, self._single_source, self._single_function
            self.add_requests(*(np.frombuffer(column, dtype=column.typecode) for column in singles))
        is_pending = np.zeros(arrived, dtype=np.bool_)
        is_pending[pending] = True
        invocations, deliveries = _invocations(self.invocations, end_ns), _deliveries(self.batches)
        for buffer in (self.invocations.buffer, self.batches.deliveries):
            buffer.clear()  # their columns are copies
        return EventLog(
            source_names=source_names,
            source_invokes=source_invokes,
            source_queues=source_queues,
            queue_names=queue_names,
            function_names=function_names,
            end_ns=end_ns,
            is_partial=is_partial,
            requests=RequestColumns(
                arrival_ns=_joined(self._arrival_ns, arrived, np.int64),
                source=_joined(self._source, arrived, np.int16),
                function=_joined(self._function, arrived, np.int16),
                is_pending=is_pending,
            ),
            invocations=invocations,
            throttles=_throttles(self.throttles),
            abandonments=_abandonments(self.abandonments),
            drops=_drops(self.drops),
            delivery_failures=_delivery_failures(self.delivery_failures),
            messages=_messages(self.messages),
            batches=_batches(self.batches),
            deliveries=deliveries,
            environments=_environments(self.environments),
            spillovers=_spillovers(self.spillovers),
            capacity=_capacity(self.capacity),
        )


def _joined(parts: list[npt.NDArray[Any]], arrived: int, dtype: type[np.generic]) -> npt.NDArray[Any]:
    """One array of the parts, which are let go one by one, cut to what arrived before the run ended."""
    joined = np.empty(arrived, dtype=dtype)
    position = 0
    parts.reverse()
    while parts and position < arrived:
        part = parts.pop()[: arrived - position]
        joined[position : position + len(part)] = part
        position += len(part)
    return joined


def _order(request: IntArray, attempt: npt.NDArray[np.int32]) -> npt.NDArray[np.intp] | None:
    """Order of the rows by (request, attempt), or None where they stand in it already."""
    step = np.diff(request)
    if np.all((step > 0) | ((step == 0) & (np.diff(attempt) > 0))):
        return None
    return np.lexsort((attempt, request))


def _column(values: array[int], order: npt.NDArray[np.intp] | None) -> npt.NDArray[Any]:
    column = np.frombuffer(values, dtype=values.typecode) if len(values) else np.empty(0, dtype=values.typecode)
    return column if order is None else column[order]


def _invocations(recorded: Invocations, run_end_ns: int) -> InvocationColumns:
    records = _records(recorded.buffer, _INVOCATION_DTYPE)
    order = _order(records["request"], records["attempt"])

    def column(name: str) -> npt.NDArray[Any]:
        return records[name].copy() if order is None else records[name][order]

    end_ns, result = column("end_ns"), column("result")
    is_running = (end_ns > run_end_ns) | (end_ns == NOT_YET)
    end_ns[is_running] = NOT_YET
    result[is_running] = Result.RUNNING
    return InvocationColumns(
        request=column("request"),
        function=column("function"),
        attempt=column("attempt"),
        admitted_ns=column("admitted_ns"),
        handler_ns=column("handler_ns"),
        end_ns=end_ns,
        environment=column("environment"),
        result=result,
        is_cold=column("is_cold").astype(np.bool_),
    )


def _throttles(columns: FunctionMarks) -> ThrottleColumns:
    return ThrottleColumns(**_function_marks(columns))


def _spillovers(columns: FunctionMarks) -> SpilloverColumns:
    return SpilloverColumns(**_function_marks(columns))


def _function_marks(columns: FunctionMarks) -> dict[str, npt.NDArray[Any]]:
    order = _order_of(columns)
    reason, function = _column(columns.code, order), _column(columns.function, order)
    return {**_marks(columns, order), "function": function, "reason": reason}


def _drops(columns: Marks) -> DropColumns:
    order = _order_of(columns)
    return DropColumns(**_marks(columns, order), reason=_column(columns.code, order))


def _abandonments(columns: Marks) -> AbandonmentColumns:
    return AbandonmentColumns(**_marks(columns, _order_of(columns)))


def _delivery_failures(columns: Marks) -> DeliveryFailureColumns:
    return DeliveryFailureColumns(**_marks(columns, _order_of(columns)))


def _order_of(columns: Marks) -> npt.NDArray[np.intp] | None:
    return _order(np.asarray(columns.request), np.asarray(columns.attempt))


def _marks(columns: Marks, order: npt.NDArray[np.intp] | None) -> dict[str, npt.NDArray[Any]]:
    """What all marks have."""
    return {
        "request": _column(columns.request, order),
        "attempt": _column(columns.attempt, order),
        "time_ns": _column(columns.time_ns, order),
    }


def _messages(columns: Messages) -> MessageColumns:
    count = len(columns.request)
    return MessageColumns(
        request=_column(columns.request, None),
        queue=_column(columns.queue, None),
        sent_ns=_column(columns.sent_ns, None),
        receives=_column(columns.receives, None)[:count],
        first_receive_ns=_column(columns.first_receive_ns, None)[:count],
        outcome=_column(columns.outcome, None)[:count],
        settled_ns=_column(columns.settled_ns, None)[:count],
        is_executed=_column(columns.executed, None)[:count].astype(np.bool_),
    )


def _batches(columns: Batches) -> BatchColumns:
    count = len(columns.request)
    return BatchColumns(
        queue=_column(columns.queue, None),
        request=_column(columns.request, None),
        first_attempt=_column(columns.first_attempt, None)[:count],
        attempts=_column(columns.attempts, None)[:count],
        is_accepted=_column(columns.accepted, None)[:count].astype(np.bool_),
    )


def _deliveries(columns: Batches) -> DeliveryColumns:
    records = _records(columns.deliveries, _DELIVERY_DTYPE)
    return DeliveryColumns(
        message=records["message"].copy(), batch=records["batch"].copy(), received_ns=records["received_ns"].copy()
    )


def _records(buffer: bytearray, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    # numpy makes no array of an empty buffer
    return np.frombuffer(buffer or bytearray(dtype.itemsize), dtype=dtype)[: len(buffer) // dtype.itemsize]


def _environments(columns: Environments) -> EnvironmentColumns:
    return EnvironmentColumns(
        function=_column(columns.function, None),
        created_ns=_column(columns.created_ns, None),
        sandbox_ns=_column(columns.sandbox_ns, None),
        init_ns=_column(columns.init_ns, None),
        reaped_ns=_column(columns.reaped_ns, None),
        is_provisioned=_column(columns.is_provisioned, None).astype(np.bool_),
    )


def _capacity(columns: Capacity) -> CapacityColumns:
    return CapacityColumns(**{name: _column(getattr(columns, name), None) for name in Capacity.__slots__})
