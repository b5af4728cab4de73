"""Saves a whole run in a folder: summary, tables and pictures."""

from __future__ import annotations

from pathlib import Path

from lambdasim.metrics.run import Run
from lambdasim.report.files import OutputDirectory, write_summary, write_tables


def save_run(run: Run, directory: Path, period_ns: int) -> None:
    """Write every file of the run into ``directory``. Raises OutputError, and then leaves the folder as it was."""
    with OutputDirectory(directory) as output:
        write_run(run, output.draft, period_ns)


def write_run(run: Run, directory: Path, period_ns: int) -> None:
    """Write every file of the run into an existing folder."""
    from lambdasim.report.pictures import save_all  # imports matplotlib, which costs more than most runs

    write_summary(run, directory)
    write_tables(run, directory, period_ns)
    save_all(run, directory)
