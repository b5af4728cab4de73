"""Ctrl-C: the run ends at once, what was simulated is written and marked, and the exit status is 130."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lambdasim.api import Result, simulate_scenario
from lambdasim.engine.base import Interrupt
from lambdasim.scenario.schema import Scenario
from lambdasim.units import NS_PER_S
from tests.cli import processes
from tests.cli.conftest import Call

# More than half a minute of simulation, little of it in the first second.
LONG = """\
seed: 1
duration: 30h
functions: {api: {duration: 50ms, init: 200ms}}
traffic: {web: {function: api, rate: 50/s}}
"""


@pytest.fixture
def long_run(tmp_path: Path) -> Path:
    """A folder with a scenario that takes too long."""
    (tmp_path / "long.yaml").write_text(LONG)
    return tmp_path


def wait_until_running(process: subprocess.Popen[str], out: Path) -> None:
    """Until the draft of the results exists, which is made just before the run, and a moment longer."""
    deadline = time.monotonic() + 30
    while not list(out.glob(".lambdasim-*")):
        assert process.poll() is None, "the run has ended"
        assert time.monotonic() < deadline, "the run has not begun"
        time.sleep(0.02)
    time.sleep(0.2)


def test_one_interrupt_writes_what_there_is(long_run: Path) -> None:
    """All files are there, they agree with each other, and the summary says that it is partial."""
    process = processes.start("long.yaml", "--out", "r", "--json", folder=long_run)
    wait_until_running(process, long_run / "r")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "")
    summary = json.loads((long_run / "r" / "summary.json").read_text(encoding="utf-8"))
    assert json.loads(out) == summary
    assert summary["scenario"]["partial"] is True
    assert 0 < summary["scenario"]["simulated_s"] < 30 * 3_600
    total = summary["requests"].pop("total")
    assert total == sum(summary["requests"].values()) > 0
    assert len((long_run / "r" / "requests.csv").read_text().splitlines()) == total + 1
    attempts = (long_run / "r" / "attempts.csv").read_text().splitlines()
    assert len(attempts) == summary["attempts"]["total"] + 1
    assert len(list((long_run / "r").iterdir())) == 10


@pytest.mark.parametrize("pause_s", [0.0, 0.05, 0.3])
def test_second_interrupt_ends_cleanly(long_run: Path, pause_s: float) -> None:
    """Whenever it comes: status 130 in a shell, no traceback, and all files or none."""
    process = processes.start("long.yaml", "--out", "r", "--quiet", folder=long_run)
    wait_until_running(process, long_run / "r")
    process.send_signal(signal.SIGINT)
    time.sleep(pause_s)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    # A shell says 130 of both: the second is a signal that found a program with nothing left to do but to exit.
    assert process.returncode in (130, -signal.SIGINT)
    assert out == ""
    assert "Traceback" not in err
    left = sorted(path.name for path in (long_run / "r").iterdir()) if (long_run / "r").exists() else []
    assert len(left) in (0, 10)
    assert not [name for name in left if name.startswith(".")]


class TestInsideOneProcess:
    """What the command line makes of a run that was interrupted at a known instant."""

    @pytest.fixture(autouse=True)
    def interrupted_after_5_s(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Ctrl-C as soon as 5 s are simulated."""

        def simulate(scenario: Scenario, *, on_progress: object, interrupt: Interrupt) -> Result:
            def watch(now_ns: int, requests: int) -> None:
                if now_ns >= 5 * NS_PER_S:
                    signal.raise_signal(signal.SIGINT)

            return simulate_scenario(scenario, on_progress=watch, interrupt=interrupt)

        monkeypatch.setattr("lambdasim.cli.simulate_scenario", simulate)

    def test_people_are_told(self, call: Call, folder: Path) -> None:
        """The human summary says when it was, and that it is partial."""
        (folder / "long.yaml").write_text(LONG)
        done = call("long.yaml")
        assert (done.status, done.err) == (130, "")
        assert "Interrupted at " in done.out
        assert "partial" in done.out

    def test_scenarios_after_it_do_not_run(self, call: Call, folder: Path) -> None:
        """Ctrl-C is meant for the whole command; the array of summaries holds what there is."""
        for name in ("first", "second"):
            (folder / f"{name}.yaml").write_text(LONG)
        done = call("first.yaml", "second.yaml", "--json")
        assert (done.status, done.err) == (130, "")
        assert [summary["scenario"]["partial"] for summary in json.loads(done.out)] == [True]
        assert [path.name for path in (folder / "out").iterdir()] == ["first"]

    def test_an_import_that_is_cut_short(self, call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What an import makes of the second Ctrl-C is Ctrl-C; any other error of an import is none."""

        def cut_short(cause: BaseException) -> Callable[..., None]:
            def write(*_: object) -> None:
                raise ImportError("half a module") from cause

            return write

        (folder / "long.yaml").write_text(LONG)
        monkeypatch.setattr("lambdasim.report.save.write_run", cut_short(KeyboardInterrupt()))
        done = call("long.yaml")
        assert (done.status, done.err) == (130, "interrupted\n")
        assert not (folder / "out").exists()
        monkeypatch.setattr("lambdasim.report.save.write_run", cut_short(OSError()))
        with pytest.raises(ImportError):
            call("long.yaml")

    def test_the_handler_of_before_is_back(self, call: Call, folder: Path) -> None:
        """A program that calls the command line keeps its own Ctrl-C."""
        (folder / "long.yaml").write_text(LONG)
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            done = call("long.yaml", "--no-files", "--quiet")
            after = signal.getsignal(signal.SIGINT)
        finally:
            signal.signal(signal.SIGINT, before)
        assert done.status == 130
        assert after == signal.SIG_IGN
