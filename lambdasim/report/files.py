"""The files of a run. Each is written whole or not at all: first into a hidden folder beside, then moved in place."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

import numpy as np

from lambdasim.errors import OutputError
from lambdasim.metrics.cloudwatch_queues import all_metrics
from lambdasim.metrics.metric_rows import MetricRow
from lambdasim.metrics.provisioned import has_provisioned
from lambdasim.metrics.run import Run
from lambdasim.metrics.tables import (
    MISSING,
    Column,
    Table,
    attempts_table,
    environments_table,
    messages_table,
    provisioned_table,
    requests_table,
)
from lambdasim.units import NS_PER_S, seconds_text

# Requests or messages formatted at a time: the files of a long run are never in memory as a whole.
_REQUESTS_AT_A_TIME = 50_000

_METRIC_COLUMNS = "period_start_s,function,metric,unit,sample_count,sum,average,minimum,maximum,p50,p99"


class OutputDirectory:
    """A folder that will get files. Entering it shows at once, before any simulation, whether it can be written.

    Files go into ``draft`` and reach the folder together when the block ends without an exception. Raises OutputError.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.draft = directory
        self._created: list[Path] = []

    def __enter__(self) -> OutputDirectory:
        try:
            missing = [path for path in (self._directory, *self._directory.parents) if not path.exists()]
            self._directory.mkdir(parents=True, exist_ok=True)
            self._created = missing
            self.draft = Path(tempfile.mkdtemp(prefix=".lambdasim-", dir=self._directory))
        except OSError as error:
            self._remove_created()
            raise _cannot_write(self._directory, error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if error is None:
                with _uninterrupted():
                    for file in sorted(self.draft.iterdir()):
                        os.replace(file, self._directory / file.name)
        except OSError as failure:
            raise _cannot_write(self._directory, failure) from failure
        finally:
            shutil.rmtree(self.draft, ignore_errors=True)
            if error is not None:
                self._remove_created()
        if isinstance(error, OSError) and not isinstance(error, OutputError):
            raise _cannot_write(self._directory, error) from error

    def _remove_created(self) -> None:
        for path in self._created:
            with suppress(OSError):
                path.rmdir()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C back: a folder never has some files of one run and some of another."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread gets signals
        return
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


def _cannot_write(directory: Path, error: OSError) -> OutputError:
    reason = "it is a file" if isinstance(error, FileExistsError) else error.strerror or str(error)
    return OutputError(f"{directory}: results cannot be written here: {reason}; choose another folder with --out")


def write_summary(run: Run, directory: Path) -> None:
    """``summary.json``."""
    (directory / "summary.json").write_text(summary_text(run.summary), encoding="utf-8")


def summary_text(summary: object) -> str:
    """A summary as the JSON text of its file."""
    return json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_tables(run: Run, directory: Path, period_ns: int) -> None:
    """``requests.csv``, ``attempts.csv``, ``environments.csv``, ``metrics.csv``.

    With queues also ``messages.csv``, with provisioned concurrency ``provisioned.csv``.
    """
    ranges, seen = _ranges(len(run.log.requests)), run.shown_responses
    _write_csv(
        directory / "requests.csv",
        (requests_table(run.log, run.outcomes, *part, seen) for part in ranges),
    )
    _write_csv(directory / "attempts.csv", (attempts_table(run.log, *part, seen) for part in ranges))
    _write_csv(directory / "environments.csv", [environments_table(run.log)])
    has_queues = bool(run.log.queue_names)
    if has_queues:
        parts = _ranges(len(run.log.messages))
        _write_csv(directory / "messages.csv", (messages_table(run.log, *part) for part in parts))
    if has_provisioned(run.log):
        _write_csv(directory / "provisioned.csv", [provisioned_table(run.log)])
    _write_metrics(directory / "metrics.csv", all_metrics(run.log, period_ns, run.scenario), has_queues)


def _ranges(count: int) -> list[tuple[int, int]]:
    """First and last (exclusive) of the rows that are formatted at a time; one empty range where there are none."""
    return [(first, min(first + _REQUESTS_AT_A_TIME, count)) for first in range(0, count or 1, _REQUESTS_AT_A_TIME)]


def _write_csv(path: Path, tables: Iterable[Table]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        for number, table in enumerate(tables):
            if number == 0:
                file.write(",".join(column.name for column in table) + "\n")
            file.writelines(_lines(table))


def _lines(table: Table) -> Iterator[str]:
    for row in zip(*(_cells(column) for column in table), strict=True):
        yield ",".join(row) + "\n"


def _cells(column: Column) -> list[str]:
    """The cells of a column; names cannot hold a comma or a quote, so nothing needs quoting."""
    match column.kind:
        case "number":
            return ["" if value == MISSING else str(value) for value in column.values.tolist()]
        case "time":
            whole, rest = np.divmod(column.values, NS_PER_S)
            pairs = zip(whole.tolist(), rest.tolist(), strict=True)
            return ["" if seconds < 0 else f"{seconds}.{nanoseconds:09d}" for seconds, nanoseconds in pairs]
        case "flag" | "label":
            words = ("false", "true", "") if column.kind == "flag" else (*column.labels, "")
            return [words[value] for value in column.values.tolist()]


def _write_metrics(path: Path, rows: Iterable[MetricRow], has_queues: bool) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(_METRIC_COLUMNS + (",queue\n" if has_queues else "\n"))
        for row in rows:
            numbers = (row.sum, row.average, row.minimum, row.maximum, row.p50, row.p99)
            cells = (seconds_text(row.period_start_ns), row.function, row.metric, row.unit, str(row.sample_count))
            last = (row.queue,) if has_queues else ()
            file.write(",".join((*cells, *map(_number_text, numbers), *last)) + "\n")


def _number_text(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
