"""The progress bar: on a terminal only, and never where a program reads."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli import processes
from tests.cli.conftest import Call


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the surroundings decides how a terminal is written to."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


def test_bar_on_a_terminal(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """It shows the name and the simulated time."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert call("small.yaml", "--no-files", "--quiet").status == 0
    assert "small" in terminal.getvalue()
    assert "of 0:20 simulated" in terminal.getvalue()


def test_no_bar_elsewhere(call: Call) -> None:
    """A pipe or a file gets no bar."""
    assert call("small.yaml", "--no-files", "--quiet") == (0, "", "")


def test_bar_and_json_on_a_real_terminal(folder: Path) -> None:
    """With stderr on a terminal and stdout in a pipe, the pipe gets JSON only."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "lambdasim", "small.yaml", "--json", "--no-files"],
        cwd=folder,
        env=processes.environment(),
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    out, _ = process.communicate(timeout=60)
    shown = os.read(ours, 65_536)
    os.close(ours)
    assert process.returncode == 0
    assert json.loads(out)["scenario"]["name"] == "small"
    assert b"small" in shown
    assert b"small.yaml" not in shown
    assert b"\x1b" not in out
