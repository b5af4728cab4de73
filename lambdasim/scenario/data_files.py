"""Data files that a scenario names: request traces and measured durations. Read once, at load, into integers.

Here: the CSV rules and their messages, each with FILE:LINE. Not here: whether a trace fits the rest of the scenario
(``rules``), and what is done with the rows (``workload``).
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import ValidationInfo

from lambdasim.errors import RuleViolation
from lambdasim.scenario.kept import Kept
from lambdasim.units import MAX_TIME_NS, NS_PER_S

SHOWN_ROWS = 10  # a file with more bad rows than this is wrong in one way, many times
_EPOCH_S = 100_000_000  # three years: a longer trace is more likely to hold Unix times
_DECIMAL = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,9}))?")
_MAX_FUNCTIONS = np.iinfo(np.int16).max
_FIRST_ROW = 2  # the line of the first row, below the header


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFile(Kept):
    """A file that was read, validated and hashed."""

    path: str  # as written in the scenario
    sha256: str

    def text(self) -> str:
        """The path, as written in the scenario."""
        return self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleFile(DataFile):
    """Measured times in nanoseconds, in file order."""

    samples_ns: tuple[int, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trace(DataFile):
    """Recorded requests, one row each, in file order; every array has shape (n_rows,).

    ``function`` holds an index into ``functions``, or -1 where the row takes the source's own function;
    ``duration_ns`` and ``init_ns`` are -1 where the row takes the function's own. Traces are equal when they are the
    same bytes under the same path.
    """

    time_ns: npt.NDArray[np.int64] = field(repr=False)
    functions: tuple[str, ...]
    function: npt.NDArray[np.int16] = field(repr=False)
    duration_ns: npt.NDArray[np.int64] = field(repr=False)
    init_ns: npt.NDArray[np.int64] = field(repr=False)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Trace) and (self.path, self.sha256) == (other.path, other.sha256)

    def __hash__(self) -> int:
        return hash((self.path, self.sha256))

    def line_of(self, row: int) -> int:
        """Line of a row in the file, counted from 1; a cell cannot hold a line break."""
        return row + _FIRST_ROW


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One thing that is wrong with a data file: ``place`` is FILE:LINE."""

    place: str
    message: str


class BadDataFile(RuleViolation):
    """A data file breaks rules; ``rows`` holds up to ten of its problems, and how many more there are."""

    def __init__(self, rows: tuple[RowProblem, ...]) -> None:
        super().__init__("\n".join(f"{row.place}: {row.message}" for row in rows))
        self.rows = rows


def read_regular_file(path: Path, max_bytes: int | None = None) -> bytes:
    """The bytes of a file. Raises RuleViolation for anything that is not a readable file of at most ``max_bytes``."""
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise RuleViolation("must be a file, not a folder")
        # A pipe or a device may never end.
        if not stat.S_ISREG(status.st_mode):
            raise RuleViolation("must be an ordinary file, not a pipe or a device")
        if max_bytes is not None and status.st_size > max_bytes:
            size, most = status.st_size / 1e6, max_bytes / 1e6
            raise RuleViolation(f"must be a file of at most {most:g} MB; it has {size:.1f} MB")
        return path.read_bytes()
    except FileNotFoundError:
        raise RuleViolation("must be a file that exists") from None
    except PermissionError:
        raise RuleViolation("must be a file that you may read") from None
    except ValueError as error:
        if isinstance(error, RuleViolation):
            raise
        raise RuleViolation("must be the name of a file") from None
    except OSError as error:
        raise RuleViolation(f"must be a file that can be read; {error.strerror or error}") from None


def read_trace(value: Any, info: ValidationInfo) -> Any:
    """The trace in a CSV file with the columns time_s [, function] [, duration_s] [, init_s]; a Trace is kept."""
    return value if isinstance(value, Trace) else _read(value, info, _parse_trace)


def read_sample_file(value: Any, info: ValidationInfo) -> Any:
    """The measured times in a CSV file with the one column duration_s; a SampleFile is kept."""
    return value if isinstance(value, SampleFile) else _read(value, info, _parse_samples)


def _read(value: Any, info: ValidationInfo, parse: Callable[[str, str, bytes], DataFile]) -> DataFile:
    """Reads a file relative to ``info.context["base"]``; ``info.context["files"]`` remembers what was read before."""
    if not isinstance(value, str | os.PathLike):
        raise RuleViolation("must be the name of a CSV file", "for example requests.csv")
    name = os.fspath(value)
    if not isinstance(name, str) or not name.strip():
        raise RuleViolation("must be the name of a CSV file", "for example requests.csv")
    context = info.context or {}
    path = context.get("base", Path()) / name
    seen: dict[tuple[str, Path], DataFile] = context.get("files", {})
    key = (parse.__name__, path)
    if key not in seen:
        seen[key] = parse(name, str(path), read_regular_file(path))
    return seen[key]


class _Table:
    """The rows of one CSV file while it is read: hands out cells, collects what is wrong with them."""

    def __init__(self, place: str, content: bytes, required: str, optional: tuple[str, ...] = ()) -> None:
        self.place = place
        self.problems: list[RowProblem] = []
        self.more = 0
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise BadDataFile((RowProblem(f"{place}:{line}", "must be text in UTF-8"),)) from None
        self.reader = csv.reader(io.StringIO(text.rstrip("\r\n"), newline=""), strict=True)
        self.columns: list[str] = []
        self._read_header(required, (required, *optional))

    def report(self, line: int, message: str) -> None:
        """Notes a problem; beyond ten only how many."""
        if len(self.problems) < SHOWN_ROWS:
            self.problems.append(RowProblem(f"{self.place}:{line}", message))
        else:
            self.more += 1

    def raise_problems(self) -> None:
        """Raises BadDataFile if anything was reported."""
        if self.more:
            self.problems.append(RowProblem(self.place, f"and {self.more:,} more"))
        if self.problems:
            raise BadDataFile(tuple(self.problems))

    def _read_header(self, required: str, allowed: tuple[str, ...]) -> None:
        try:
            header = next(self.reader, [])
        except csv.Error as error:
            raise BadDataFile((RowProblem(f"{self.place}:1", f"must be CSV: {error}"),)) from None
        self.columns = [name.strip() for name in header]
        if not any(self.columns):
            raise BadDataFile((RowProblem(f"{self.place}:1", f"must have a header line, such as {','.join(allowed)}"),))
        for name in dict.fromkeys(self.columns):
            if name not in allowed:
                near = get_close_matches(name, allowed, n=1)
                hint = f"did you mean {near[0]}?" if near else f"the columns are {', '.join(allowed)}"
                self.report(1, f"must have known columns only, got {shown(name)} ({hint})")
            elif self.columns.count(name) > 1:
                self.report(1, f"must name each column once, got {name} twice")
        if required not in self.columns:
            self.report(1, f"must have a column {required}")
        self.raise_problems()

    def rows(self) -> Iterable[tuple[int, list[str]]]:
        """(line, cells) of each row that has the right number of cells; the others are reported."""
        reader, width, line = self.reader, len(self.columns), 1
        try:
            for line, cells in enumerate(reader, _FIRST_ROW):
                if reader.line_num != line:
                    self.report(line, "must not have a line break inside a cell")
                    return
                # csv gives no cell at all for an empty line, which is one empty cell in a file of one column.
                if len(cells) != width and (cells or width != 1):
                    self.report(line, f"must have {width} {'cell' if width == 1 else 'cells'}, got {len(cells)}")
                    continue
                yield line, cells or [""]
        except csv.Error as error:
            self.report(line + 1, f"must be CSV: {error}")


def shown(text: str) -> str:
    """A cell as an error message quotes it: short, and in quotes where it is empty or holds odd characters."""
    short = text if len(text) <= 60 else text[:57] + "..."
    return short if short.strip() == short and short.isprintable() and short else repr(short)


def _time_ns(table: _Table, line: int, column: str, cell: str) -> int | None:
    """Exact nanoseconds of a plain decimal number of seconds; None after reporting what is wrong with it."""
    match = _DECIMAL.fullmatch(cell)
    if match is None:
        match = _DECIMAL.fullmatch(cell.strip())
    if match is not None:
        whole, decimals = match.groups()
        time_ns = int(whole) * NS_PER_S + (int(decimals.ljust(9, "0")) if decimals else 0)
        if column == "time_s" and time_ns >= _EPOCH_S * NS_PER_S:
            hint = "are these Unix times? Subtract the time of the first row"
            table.report(line, f"time_s must be below {_EPOCH_S:,} seconds, got {cell} ({hint})")
            return None
        if time_ns > MAX_TIME_NS:
            table.report(line, f"{column} must be at most 3650 days, got {shown(cell)}")
            return None
        return time_ns
    text = cell.strip()
    if re.fullmatch(r"[0-9]+\.[0-9]{10,}", text):
        rule = f"{column} must have at most 9 decimal places"
    elif re.fullmatch(r"[0-9]{13,}(\.[0-9]+)?", text):
        rule = f"{column} must be at most 3650 days in seconds"
    elif re.fullmatch(r"-[0-9.]+([eE][+-]?[0-9]+)?", text):
        rule = f"{column} must not be negative"
    else:
        rule = f"{column} must be a plain number of seconds such as 12.5"
    table.report(line, f"{rule}, got {shown(cell)}")
    return None


def _optional_ns(table: _Table, line: int, column: str, cell: str, least_ns: int) -> int:
    """As ``_time_ns``, but -1 for an empty cell and after a problem, and at least ``least_ns``."""
    if not cell or cell.isspace():
        return -1
    time_ns = _time_ns(table, line, column, cell)
    if time_ns is not None and time_ns < least_ns:
        table.report(line, f"{column} must be at least 0.000000001 (1ns), got {cell}")
        return -1
    return -1 if time_ns is None else time_ns


def _parse_trace(name: str, place: str, content: bytes) -> Trace:
    table = _Table(place, content, "time_s", ("function", "duration_s", "init_s"))
    at = {column: position for position, column in enumerate(table.columns)}
    time_at, function_at = at["time_s"], at.get("function")
    duration_at, init_at = at.get("duration_s"), at.get("init_s")
    times: list[int] = []
    functions: list[int] = []
    durations: list[int] = []
    inits: list[int] = []
    index_of = {"": -1}
    latest, latest_text = -1, ""
    for line, cells in table.rows():
        time_ns = _time_ns(table, line, "time_s", cells[time_at])
        if time_ns is not None:
            if time_ns < latest:
                table.report(line, f"time_s must not go back, got {cells[time_at]} after {latest_text}")
            else:
                latest, latest_text = time_ns, cells[time_at]
            times.append(time_ns)
        if function_at is not None:
            functions.append(index_of.setdefault(cells[function_at].strip(), len(index_of) - 1))
        if duration_at is not None:
            durations.append(_optional_ns(table, line, "duration_s", cells[duration_at], 1))
        if init_at is not None:
            inits.append(_optional_ns(table, line, "init_s", cells[init_at], 0))
    if len(index_of) - 1 > _MAX_FUNCTIONS:
        table.report(1, f"must name at most {_MAX_FUNCTIONS:,} functions, got {len(index_of) - 1:,}")
    table.raise_problems()
    absent = [-1] * len(times)
    return Trace(
        path=name,
        sha256=hashlib.sha256(content).hexdigest(),
        time_ns=np.array(times, dtype=np.int64),
        functions=tuple(index_of)[1:],
        function=np.array(absent if function_at is None else functions, dtype=np.int16),
        duration_ns=np.array(absent if duration_at is None else durations, dtype=np.int64),
        init_ns=np.array(absent if init_at is None else inits, dtype=np.int64),
    )


def _parse_samples(name: str, place: str, content: bytes) -> SampleFile:
    table = _Table(place, content, "duration_s")
    samples = [_time_ns(table, line, "duration_s", cells[0]) for line, cells in table.rows()]
    if not samples and not table.problems:
        table.report(1, "must have at least one row below its header")
    table.raise_problems()
    return SampleFile(
        path=name,
        sha256=hashlib.sha256(content).hexdigest(),
        samples_ns=tuple(sample for sample in samples if sample is not None),
    )
