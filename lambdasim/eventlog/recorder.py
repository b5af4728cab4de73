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
    DropColumns,
    EnvironmentColumns,
    EventLog,
    InvocationColumns,
    RequestColumns,
    Result,
    ThrottleColumns,
)

IntArray = npt.NDArray[np.int64]


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


class Throttles(Marks):
    """Marks of refused attempts, each with the function that they were meant for."""

    __slots__ = ("function",)

    def __init__(self) -> None:
        super().__init__()
        self.function = array("h")

    def add(self, request: int, function: int, attempt: int, time_ns: int, reason: int) -> None:
        """One refused attempt."""
        self.append(request, attempt, time_ns, reason)
        self.function.append(function)


class Environments:
    """Growing columns of execution environments; ``reaped_ns`` is set later by birth index."""

    __slots__ = ("created_ns", "function", "init_ns", "reaped_ns")

    def __init__(self) -> None:
        self.function = array("h")
        self.created_ns = array("q")
        self.init_ns = array("q")
        self.reaped_ns = array("q")

    def append(self, function: int, created_ns: int, init_ns: int) -> int:
        """A new environment; returns its birth index."""
        birth = len(self.created_ns)
        self.function.append(function)
        self.created_ns.append(created_ns)
        self.init_ns.append(init_ns)
        self.reaped_ns.append(NOT_YET)
        return birth


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
        self.throttles = Throttles()
        self.abandonments = Marks()
        self.drops = Marks()
        self.environments = Environments()

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
        function_names: tuple[str, ...],
    ) -> EventLog:
        """The finished log: sorted by (request, attempt), what lies after ``end_ns`` marked as not yet happened."""
        if self._single_arrival_ns:
            singles = self._single_arrival_ns, self._single_source, self._single_function
            self.add_requests(*(np.frombuffer(column, dtype=column.typecode) for column in singles))
        is_pending = np.zeros(arrived, dtype=np.bool_)
        is_pending[pending] = True
        return EventLog(
            source_names=source_names,
            source_invokes=source_invokes,
            function_names=function_names,
            end_ns=end_ns,
            is_partial=is_partial,
            requests=RequestColumns(
                arrival_ns=_joined(self._arrival_ns, arrived, np.int64),
                source=_joined(self._source, arrived, np.int16),
                function=_joined(self._function, arrived, np.int16),
                is_pending=is_pending,
            ),
            invocations=_invocations(self.invocations, end_ns),
            throttles=_throttles(self.throttles),
            abandonments=_abandonments(self.abandonments),
            drops=_drops(self.drops),
            environments=_environments(self.environments),
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
    # numpy makes no array of an empty buffer
    records = np.frombuffer(recorded.buffer or bytearray(_INVOCATION_DTYPE.itemsize), dtype=_INVOCATION_DTYPE)
    records = records[: len(recorded.buffer) // _INVOCATION_DTYPE.itemsize]
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


def _throttles(columns: Throttles) -> ThrottleColumns:
    order = _order(np.asarray(columns.request), np.asarray(columns.attempt))
    return ThrottleColumns(
        request=_column(columns.request, order),
        function=_column(columns.function, order),
        attempt=_column(columns.attempt, order),
        time_ns=_column(columns.time_ns, order),
        reason=_column(columns.code, order),
    )


def _drops(columns: Marks) -> DropColumns:
    order = _order(np.asarray(columns.request), np.asarray(columns.attempt))
    return DropColumns(
        request=_column(columns.request, order),
        attempt=_column(columns.attempt, order),
        time_ns=_column(columns.time_ns, order),
        reason=_column(columns.code, order),
    )


def _abandonments(columns: Marks) -> AbandonmentColumns:
    order = _order(np.asarray(columns.request), np.asarray(columns.attempt))
    return AbandonmentColumns(
        request=_column(columns.request, order),
        attempt=_column(columns.attempt, order),
        time_ns=_column(columns.time_ns, order),
    )


def _environments(columns: Environments) -> EnvironmentColumns:
    return EnvironmentColumns(
        function=_column(columns.function, None),
        created_ns=_column(columns.created_ns, None),
        init_ns=_column(columns.init_ns, None),
        reaped_ns=_column(columns.reaped_ns, None),
    )
