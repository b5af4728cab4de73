"""The progress bar: simulated time and requests per second, on a terminal only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from lambdasim.engine.base import OnProgress
from lambdasim.report.wording import clock_text


@contextmanager
def progress_bar(name: str, duration_ns: int, stream: IO[str]) -> Iterator[OnProgress | None]:
    """What to call with simulated time and number of requests; None where ``stream`` is no terminal."""
    if not stream.isatty():
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[seen]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=stream), transient=True) as progress:
        task = progress.add_task(name, total=duration_ns, seen="")

        def on_progress(now_ns: int, requests: int) -> None:
            elapsed_s = progress.tasks[0].elapsed or 0
            rate = f", {requests / elapsed_s:,.0f} requests/s" if elapsed_s > 0.2 else ""
            seen = f"{clock_text(now_ns)} of {clock_text(duration_ns)} simulated{rate}"
            progress.update(task, completed=now_ns, seen=seen)

        yield on_progress
