"""The command line in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

# As ``python -m lambdasim``, but Ctrl-C works even where the tests themselves were started with it ignored.
_INTERRUPTIBLE = (
    "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "runpy.run_module('lambdasim', run_name='__main__', alter_sys=True)"
)


def environment(**extra: str) -> dict[str, str]:
    """Variables under which the process finds the package under test."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **extra}


def run(*words: str, folder: Path, **extra: str) -> subprocess.CompletedProcess[str]:
    """``python -m lambdasim WORDS`` in a folder, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "lambdasim", *words],
        cwd=folder,
        env=environment(**extra),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def start(*words: str, folder: Path) -> subprocess.Popen[str]:
    """The same, but it goes on while the test does."""
    return subprocess.Popen(
        [sys.executable, "-c", _INTERRUPTIBLE, *words],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
