"""Data files that a scenario names: request traces and measured durations. Read once, at load, into integers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import GetCoreSchemaHandler
from pydantic_core import core_schema


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFile:
    """A file that was read, validated and hashed."""

    path: str  # as written in the scenario
    sha256: str

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """An instance validates as itself and is written back as its path."""
        return core_schema.is_instance_schema(
            cls, serialization=core_schema.plain_serializer_function_ser_schema(lambda file: file.path)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleFile(DataFile):
    """Measured times in nanoseconds, in file order."""

    samples_ns: tuple[int, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace(DataFile):
    """Recorded requests, one row each, in file order; every array has shape (n_rows,).

    ``function`` holds an index into ``functions``, or -1 where the row takes the source's own function;
    ``duration_ns`` and ``init_ns`` are -1 where the row takes the function's own.
    """

    time_ns: npt.NDArray[np.int64] = field(repr=False)
    functions: tuple[str, ...]
    function: npt.NDArray[np.int16] = field(repr=False)
    duration_ns: npt.NDArray[np.int64] = field(repr=False)
    init_ns: npt.NDArray[np.int64] = field(repr=False)


def read_sample_file(value: Any) -> Any:
    raise AssertionError("to be written")


def read_trace(value: Any) -> Any:
    raise AssertionError("to be written")
