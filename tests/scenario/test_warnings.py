"""Where and how often a warning is shown: at every run, at the line of the user's own that asked for it."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lambdasim as ls

ROOT = Path(ls.__file__).parents[1]
IDLE = {
    "duration": "1s",
    "seed": 1,
    "functions": {"a": {"duration": "1s", "init": "1s"}, "b": {"duration": "1s", "init": "1s"}},
    "traffic": {"t": {"function": "a", "rate": "1/s"}},
}
TEXT = "functions.b: has no traffic"


@pytest.mark.parametrize(
    "call",
    [
        lambda: ls.load(IDLE),
        lambda: ls.simulate(IDLE),
        lambda: ls.load({**IDLE, "traffic": {"t": {"function": "a", "rate": lambda t: 1}}}),
        lambda: ls.frontier(IDLE, function="a", levels=[0]),
    ],
)
def test_it_points_at_the_code_outside(call: Callable[[], Any]) -> None:
    """Not at a line of lambdasim, however deep in it the warning arises."""
    with pytest.warns(ls.ScenarioWarning) as caught:
        call()
    assert [(str(one.message), one.filename) for one in caught] == [(TEXT, __file__)]


SCRIPT = f"""\
import lambdasim as ls
for _ in range(2):
    ls.load({IDLE!r})
"""


def stderr_of(*options: str) -> str:
    """What a script that loads the scenario twice writes to stderr."""
    command = [sys.executable, *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stderr


def test_it_comes_at_every_run(tmp_path: Path) -> None:
    """Not once for each line of code, as Python has it; a filter of the user's goes first."""
    script = tmp_path / "script.py"
    script.write_text(f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{SCRIPT}", "utf-8")
    lines = stderr_of(str(script)).splitlines()
    assert [line for line in lines if "Warning" in line] == [f"{script}:5: ScenarioWarning: {TEXT}"] * 2
    assert stderr_of("-W", "ignore", str(script)) == ""
    assert stderr_of("-W", "once", str(script)).count(TEXT) == 1


def test_at_a_prompt_it_is_one_line() -> None:
    """There is no file to name."""
    assert stderr_of("-c", SCRIPT) == f"warning: {TEXT}\n" * 2


def test_the_format_of_other_warnings_stays() -> None:
    """Ours is used for ours alone."""
    usual = warnings.formatwarning
    with pytest.warns(ls.ScenarioWarning):
        exec(SCRIPT, {})  # as at a prompt
    assert warnings.formatwarning is usual
