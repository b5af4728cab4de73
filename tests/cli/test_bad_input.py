"""A user's mistake: one clear sentence on stderr, exit status 2, no traceback, and nothing written or lost."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.cli import processes
from tests.cli.conftest import Call
from tests.cli.processes import environment, run


def refuses(number: int) -> Callable[..., NoReturn]:
    """A function that fails as the operating system does."""

    def fail(*_: Any, **__: Any) -> NoReturn:
        raise OSError(number, errno.errorcode[number])

    return fail


class TestScenarioFile:
    """What can be wrong with a file before its content is looked at."""

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (None, "bad.yaml: must be a file that exists"),
            ("", "bad.yaml: must hold a scenario; this file is empty"),
            ("- 1\n", "bad.yaml:1:1: must be a mapping, got a list"),
            ("a: [1\n", "must be valid YAML"),
            ("duration: 1m\nzzz: 1\nfunctions: {}\ntraffic: {}\n", "bad.yaml:2:1 zzz: is not a known key"),
        ],
    )
    @pytest.mark.parametrize("command", [(), ("validate",)])
    def test_is_refused(self, call: Call, folder: Path, command: tuple[str], content: str | None, message: str) -> None:
        """Missing, empty, no mapping, no YAML, unknown key: both commands say so with file and place."""
        if content is not None:
            (folder / "bad.yaml").write_text(content)
        done = call(*command, "bad.yaml")
        assert (done.status, done.out) == (2, "")
        assert message in done.err
        assert not (folder / "out").exists()

    def test_folder(self, call: Call, folder: Path) -> None:
        """A folder is named as such."""
        (folder / "d").mkdir()
        assert call("d") == (2, "", "d: must be a file, not a folder\n")

    def test_no_text(self, call: Call, folder: Path) -> None:
        """A picture or a zip file is no scenario."""
        (folder / "b.yaml").write_bytes(b"\x89PNG\r\n\x1a\n\xff\xff")
        assert call("b.yaml") == (2, "", "b.yaml:1: must be text in UTF-8\n")

    def test_unreadable(self, call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A file without permission to read it."""
        monkeypatch.setattr(Path, "read_bytes", refuses(errno.EACCES))
        assert call("small.yaml") == (2, "", "small.yaml: must be a file that you may read\n")

    def test_one_bad_scenario_of_two_stops_both(self, call: Call, folder: Path) -> None:
        """All scenarios are read before the first one runs."""
        assert call("small.yaml", "missing.yaml") == (2, "", "missing.yaml: must be a file that exists\n")
        assert not (folder / "out").exists()

    def test_all_problems_come_at_once(self, call: Call, folder: Path) -> None:
        """One line for each problem."""
        (folder / "bad.yaml").write_text(
            "duration: 5\nfunctions: {f: {duration: x, init: 0}}\ntraffic: {t: {function: g}}\n"
        )
        lines = call("bad.yaml").err.splitlines()
        assert [line.split()[1].rstrip(":") for line in lines] == [
            "duration",
            "functions.f.duration",
            "traffic.t",
            "traffic.t.function",
        ]

    def test_errors_of_a_trace_come_through(self, call: Call, folder: Path) -> None:
        """With the line of the CSV file."""
        (folder / "t.csv").write_text("time_s\n1\n0.5\n")
        done = call("small.yaml", "--set", "traffic.web={function: api, trace: t.csv}")
        assert done == (2, "", "t.csv:3 traffic.web.trace: time_s must not go back, got 0.5 after 1\n")

    def test_no_traceback_in_a_process(self, folder: Path) -> None:
        """The same through python -m lambdasim, to the exit status that a shell sees."""
        done = processes.run("missing.yaml", folder=folder)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", "missing.yaml: must be a file that exists\n")


class TestOptions:
    """Options with a bad value name themselves, the rule and what they got."""

    @pytest.mark.parametrize(
        ("words", "messages"),
        [
            ((), ["usage:", "SCENARIO.yaml"]),
            (("small.yaml", "--bogus"), ["usage:", "--bogus"]),
            (("small.yaml", "--see", "1"), ["usage:", "--see"]),
            (("small.yaml", "--seed", "x"), ["--seed", "got x"]),
            (("small.yaml", "--seed=-1"), ["--seed", "must be a whole number of at least 0, got -1"]),
            (("small.yaml", "--seed", "9007199254740992"), ["must be at most 9007199254740991"]),
            (("small.yaml", "--set", "seed"), ["--set must be PATH=VALUE, got seed"]),
            (("small.yaml", "--set", "=1"), ["--set must be PATH=VALUE, got =1"]),
            (("small.yaml", "--set", "seed=["), ["--set seed: must be valid YAML", "got ["]),
            (("small.yaml", "--set", "sed=1"), ["--set sed", "did you mean seed?"]),
            (("small.yaml", "--set", "traffic.web.stages.5.target=1/s"), ["an index from 0 to 0", "got 5"]),
            (("small.yaml", "--set", "functions.api.duration=5"), ["functions.api.duration", "write 5s or 5ms"]),
            (("small.yaml", "--period", "60"), ["--period: must be a time with its unit, got 60", "write 60s"]),
            (("small.yaml", "--period", "0.5s"), ["--period: must be at least 1s, got 0.5s"]),
            (("small.yaml", "--period", "soon"), ["--period: must be a time", "got soon"]),
        ],
    )
    def test_is_refused(self, call: Call, folder: Path, words: tuple[str, ...], messages: list[str]) -> None:
        """Exit status 2, on stderr only, before anything is written."""
        done = call(*words)
        assert (done.status, done.out) == (2, "")
        assert [message for message in messages if message not in done.err] == []
        assert "Traceback" not in done.err
        assert not (folder / "out").exists()


class TestOutput:
    """Results that cannot be written."""

    def test_out_is_a_file(self, call: Call, folder: Path) -> None:
        """--out names something that is no folder: said before the run, and the file stays."""
        (folder / "file").write_text("mine")
        done = call("small.yaml", "--out", "file")
        assert (done.status, done.out) == (2, "")
        assert done.err.startswith("file: results cannot be written here: ")
        assert (folder / "file").read_text() == "mine"

    def test_out_is_below_a_file(self, call: Call, folder: Path) -> None:
        """A parent that is no folder."""
        (folder / "file").write_text("mine")
        done = call("small.yaml", "--out", "file/results")
        assert (done.status, done.out) == (2, "")
        assert done.err.startswith("file/results: results cannot be written here: ")

    @pytest.mark.parametrize("failing", ["pathlib.Path.mkdir", "tempfile.mkdtemp"])
    def test_not_allowed_to_write(
        self, call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch, failing: str
    ) -> None:
        """Found out before the simulation, not after it."""
        monkeypatch.setattr(failing, refuses(errno.EACCES))
        monkeypatch.setattr("lambdasim.cli.simulate_scenario", refuses(errno.EIO))
        done = call("small.yaml", "--out", "results")
        assert (done.status, done.out) == (2, "")
        assert done.err == "results: results cannot be written here: EACCES; choose another folder with --out\n"
        assert not (folder / "results").exists()

    @pytest.mark.parametrize("failing", ["_lines", "_write_metrics", "summary_text"])
    def test_full_disk_leaves_nothing_behind(
        self, call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch, failing: str
    ) -> None:
        """No folder, no half of a file, no draft, whichever file it was."""
        monkeypatch.setattr(f"lambdasim.report.files.{failing}", refuses(errno.ENOSPC))
        done = call("small.yaml", "--out", "a/b", "--quiet")
        assert done == (2, "", "a/b: results cannot be written here: ENOSPC; choose another folder with --out\n")
        assert [path.name for path in folder.iterdir()] == ["small.yaml"]

    def test_full_disk_in_the_middle_of_a_file_keeps_the_last_good_run(
        self, call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The files of an earlier run stay as they were, all of them."""
        from lambdasim.report import files

        call("small.yaml", "--seed", "1", "--out", "r", "--quiet")
        good = {path.name: path.read_bytes() for path in (folder / "r").iterdir()}
        whole = files._lines

        def some_lines(table: files.Table) -> Iterator[str]:
            lines = whole(table)
            yield next(lines)
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(files, "_lines", some_lines)
        done = call("small.yaml", "--seed", "2", "--out", "r", "--quiet")
        assert (done.status, done.err) == (
            2,
            "r: results cannot be written here: No space left on device; choose another folder with --out\n",
        )
        assert {path.name: path.read_bytes() for path in (folder / "r").iterdir()} == good

    def test_full_disk_while_pictures_are_drawn(
        self, call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Pictures are part of the whole."""
        monkeypatch.setattr("lambdasim.report.pictures.save_all", refuses(errno.ENOSPC))
        assert call("small.yaml", "--out", "r", "--quiet").status == 2
        assert not (folder / "r").exists()

    def test_nothing_is_printed_when_files_cannot_be_written(
        self, call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A summary of a run whose files are missing would mislead a program."""
        monkeypatch.setattr("lambdasim.report.files._write_metrics", refuses(errno.ENOSPC))
        done = call("small.yaml", "--json")
        assert (done.status, done.out) == (2, "")


class TestTooMuch:
    """Scenarios that cannot be simulated on this machine."""

    def test_more_requests_than_memory_is_said_at_once(self, call: Call, folder: Path) -> None:
        """Before the run, with the number of requests, what they need and what to do."""
        done = call("small.yaml", "--set", "traffic.web={function: api, rate: 1e9/s}", "--set", "duration=10d")
        assert (done.status, done.out) == (2, "")
        assert done.err.startswith("traffic: must fit in memory; about 864,000,0")
        assert "lower a rate or shorten the duration" in done.err
        assert not (folder / "out").exists()

    def test_the_limit_is_the_memory_of_the_machine(
        self, call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A small machine refuses what a larger one simulates."""
        words = ("small.yaml", "--no-files", "--quiet", "--seed", "1")
        assert call(*words).status == 0
        monkeypatch.setattr("lambdasim.workload.memory.available_bytes", lambda: 1_000)
        assert call(*words).status == 2

    def test_every_scenario_is_measured_before_the_first_runs(self, call: Call, folder: Path) -> None:
        """A second scenario that is too large is refused before the first has cost anything."""
        huge = "duration: 30d\nfunctions: {f: {duration: 1s, init: 0}}\ntraffic: {t: {function: f, rate: 1e6/s}}\n"
        (folder / "huge.yaml").write_text(huge)
        assert call("small.yaml", "huge.yaml", "--quiet").status == 2
        assert not (folder / "out").exists()


class TestStandardOutput:
    """Standard output that cannot take what is said."""

    def test_a_full_disk_behind_stdout(self, folder: Path) -> None:
        """One sentence and status 2, no traceback."""
        command = [sys.executable, "-m", "lambdasim", "estimate", "--rate", "1/s", "--duration", "1s"]
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                command, stdout=full, stderr=subprocess.PIPE, text=True, env=environment(), timeout=60, check=False
            )
        assert (done.returncode, done.stderr) == (2, "the output cannot be written: No space left on device\n")

    def test_a_terminal_that_knows_ascii_only(self, folder: Path) -> None:
        """What it cannot show becomes a question mark."""
        done = run("estimate", "--rate", "1/s", "--duration", "1s", folder=folder, PYTHONIOENCODING="ascii")
        assert (done.returncode, done.stderr) == (0, "")
        assert "  ? the init of a cold start" in done.stdout

    def test_an_empty_folder_name(self, call: Call, folder: Path) -> None:
        """It would mean the current folder."""
        done = call("small.yaml", "--out", "")
        assert (done.status, done.err) == (2, "--out: must name a folder, got an empty text\n")

    @pytest.mark.parametrize("word", ["run", "help"])
    def test_a_command_of_other_tools(self, call: Call, folder: Path, word: str) -> None:
        """Says how a scenario is run here."""
        done = call(word, "small.yaml")
        assert (done.status, done.out) == (2, "")
        assert "to simulate, give the scenario alone" in done.err
