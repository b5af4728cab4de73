"""Targets on the command line: exit status 1 when one is missed, so that a pipeline stops."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from lambdasim.api import Result, simulate_scenario
from lambdasim.engine.base import Interrupt
from lambdasim.scenario.schema import Scenario
from lambdasim.units import NS_PER_S
from tests.cli import processes
from tests.cli.conftest import Call

QUIET = ("--seed", "1", "--quiet", "--no-files")
MET = ("--set", "slo.max=1h")
MISSED = ("--set", "slo={max: 1h, p50: 1ms}")


class TestExitStatus:
    """0 fine, 1 missed, 2 bad input, 130 interrupted."""

    def test_met(self, call: Call) -> None:
        """Nothing changes where the targets are met."""
        assert call("small.yaml", *QUIET, *MET) == (0, "", "")

    @pytest.mark.parametrize("words", [(), ("--json",), ("--quiet",)])
    def test_missed(self, call: Call, folder: Path, words: tuple[str, ...]) -> None:
        """Status 1, in each way to print; the files are written, and nothing stands on stderr."""
        done = call("small.yaml", "--seed", "1", *MISSED, *words)
        assert (done.status, done.err) == (1, "")
        slo = json.loads((folder / "out" / "small" / "summary.json").read_text(encoding="utf-8"))["slo"]
        assert [(name, target["met"]) for name, target in slo.items()] == [("max", True), ("p50", False)]

    def test_largest_of_several(self, call: Call, folder: Path) -> None:
        """One that misses is enough, and the others still run."""
        text = (folder / "small.yaml").read_text()
        (folder / "bad.yaml").write_text(text + "slo: {p50: 1ms}\n")
        for order in (("small.yaml", "bad.yaml"), ("bad.yaml", "small.yaml")):
            assert call(*order, "--seed", "1", "--quiet", "--out", "r").status == 1
            assert {path.name for path in (folder / "r").iterdir()} == {"small", "bad"}

    def test_bad_input_wins(self, call: Call) -> None:
        """A target that cannot be read is no missed one."""
        assert call("small.yaml", *QUIET, "--set", "slo.p50=1").status == 2

    def test_interrupted_wins(self, call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """130 after Ctrl-C, with the targets in the summary, even where an earlier scenario missed one."""

        def simulate(scenario: Scenario, *, on_progress: object, interrupt: Interrupt) -> Result:
            def watch(now_ns: int, requests: int) -> None:
                if scenario.name == "second" and now_ns >= 5 * NS_PER_S:
                    signal.raise_signal(signal.SIGINT)

            return simulate_scenario(scenario, on_progress=watch, interrupt=interrupt)

        monkeypatch.setattr("lambdasim.cli.simulate_scenario", simulate)
        long = (folder / "small.yaml").read_text().replace("duration: 20s", "duration: 10h") + "slo: {p50: 1ms}\n"
        (folder / "second.yaml").write_text(long)
        done = call("small.yaml", "second.yaml", "--seed", "1", "--json", "--no-files", "--set", "slo.p50=1ms")
        assert done.status == 130
        assert [summary["slo"]["p50"]["met"] for summary in json.loads(done.out)] == [False, False]

    @pytest.mark.parametrize("words", [(), ("--json",)])
    @pytest.mark.parametrize(("setting", "status"), [("slo.max=1h", 0), ("slo.p50=1ms", 1)])
    def test_a_reader_that_goes_away_does_not_change_it(
        self, folder: Path, words: tuple[str, ...], setting: str, status: int
    ) -> None:
        """``| head`` is no missed target, and it hides none."""
        process = processes.start("small.yaml", "--no-files", "--set", setting, *words, folder=folder)
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        error = process.stderr.read()
        process.stderr.close()
        assert (process.wait(60), error) == (status, "")


def test_summary_for_people(call: Call) -> None:
    """The section with the verdicts."""
    done = call("small.yaml", "--seed", "1", "--no-files", *MISSED)
    assert "What was promised" in done.out
    assert "missed" in done.out
