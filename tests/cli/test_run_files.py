"""What a run writes and prints: files, summary for people, summary for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli import processes
from tests.cli.conftest import Call

TABLES = {"summary.json", "metrics.csv", "requests.csv", "attempts.csv", "environments.csv"}
PICTURES = {"lifelines.png", "concurrency.png", "latency.png", "outcomes.png", "cloudwatch.png"}


def names(folder: Path) -> set[str]:
    """Everything in a folder, hidden files too."""
    return {path.name for path in folder.iterdir()}


class TestFiles:
    """Which files appear, and where."""

    def test_default_folder_is_out_and_the_name(self, draw: Call, folder: Path) -> None:
        """Five tables and five pictures, and nothing else, in out/NAME."""
        assert draw("small.yaml", "--seed", "1").status == 0
        assert names(folder) == {"small.yaml", "out"}
        assert names(folder / "out") == {"small"}
        assert names(folder / "out" / "small") == TABLES | PICTURES
        assert all((folder / "out" / "small" / name).read_bytes().startswith(b"\x89PNG") for name in PICTURES)

    def test_out_names_the_folder_itself(self, call: Call, folder: Path) -> None:
        """With one scenario --out is where the files go; missing parents are made."""
        assert call("small.yaml", "--seed", "1", "--out", "a/b").status == 0
        assert names(folder / "a" / "b") == TABLES
        assert not (folder / "out").exists()

    def test_several_scenarios_get_folders_by_name(self, call: Call, folder: Path) -> None:
        """With several, --out holds one folder for each."""
        (folder / "other.yaml").write_text("name: second\n" + (folder / "small.yaml").read_text())
        assert call("small.yaml", "other.yaml", "--out", "both", "--quiet").status == 0
        assert names(folder / "both") == {"small", "second"}
        assert names(folder / "both" / "second") == TABLES

    def test_equal_names_are_refused_before_anything_runs(self, call: Call, folder: Path) -> None:
        """Two scenarios of one name would overwrite each other."""
        done = call("small.yaml", "small.yaml")
        assert done == (2, "", "name: must differ between scenarios of one command, got small 2 times\n")
        assert names(folder) == {"small.yaml"}

    def test_no_files(self, call: Call, folder: Path) -> None:
        """--no-files writes nothing at all and still prints the summary."""
        done = call("small.yaml", "--no-files", "--seed", "1")
        assert done.status == 0
        assert "What became of them" in done.out
        assert names(folder) == {"small.yaml"}

    def test_a_second_run_replaces_the_files_and_keeps_what_is_not_its_own(self, call: Call, folder: Path) -> None:
        """Notes that a user keeps beside the results stay."""
        call("small.yaml", "--seed", "1", "--out", "r")
        first = (folder / "r" / "requests.csv").read_bytes()
        (folder / "r" / "notes.txt").write_text("mine")
        assert call("small.yaml", "--seed", "2", "--out", "r").status == 0
        assert (folder / "r" / "requests.csv").read_bytes() != first
        assert names(folder / "r") == TABLES | {"notes.txt"}


class TestPrinting:
    """The result goes to stdout, everything else to stderr."""

    def test_summary_for_people(self, call: Call) -> None:
        """The human summary names the scenario, its seed and where the files are."""
        done = call("small.yaml", "--seed", "7")
        assert (done.status, done.err) == (0, "")
        assert done.out.startswith("small   seed 7, profile 2026\n")
        assert "out/small" in done.out

    def test_quiet(self, call: Call, folder: Path) -> None:
        """--quiet prints nothing and still writes the files."""
        assert call("small.yaml", "--seed", "1", "--quiet") == (0, "", "")
        assert names(folder / "out" / "small") == TABLES

    def test_json_is_the_content_of_the_summary_file(self, call: Call, folder: Path) -> None:
        """--json prints summary.json byte for byte, and still writes the files."""
        done = call("small.yaml", "--seed", "1", "--json")
        assert (done.status, done.err) == (0, "")
        assert done.out == (folder / "out" / "small" / "summary.json").read_text(encoding="utf-8")

    def test_json_without_files(self, call: Call, folder: Path) -> None:
        """--json --no-files is for pipes."""
        done = call("small.yaml", "--seed", "1", "--json", "--no-files", "--quiet")
        assert json.loads(done.out)["scenario"]["seed"] == 1
        assert names(folder) == {"small.yaml"}

    def test_json_of_several_scenarios_is_one_array(self, call: Call, folder: Path) -> None:
        """The array holds the summaries in the order of the command line."""
        (folder / "other.yaml").write_text("name: second\n" + (folder / "small.yaml").read_text())
        done = call("other.yaml", "small.yaml", "--json", "--out", "r")
        read = [json.loads((folder / "r" / name / "summary.json").read_text()) for name in ("second", "small")]
        assert json.loads(done.out) == read

    def test_warnings_go_to_stderr(self, call: Call, folder: Path) -> None:
        """A warning says where, and leaves stdout to the result."""
        (folder / "w.yaml").write_text(
            "duration: 1s\nseed: 1\nfunctions: {f: {duration: 1s, init: 0}, idle: {duration: 1s, init: 0}}\n"
            "traffic: {t: {function: f, rate: 5/s}}\n"
        )
        done = call("w.yaml", "--json", "--no-files")
        assert (done.status, done.err) == (0, "warning: w.yaml:3:41 functions.idle: has no traffic\n")
        assert json.loads(done.out)["scenario"]["name"] == "w"

    def test_stdout_is_pure_in_a_process(self, folder: Path) -> None:
        """A program that reads the output of python -m lambdasim gets JSON and nothing else."""
        done = processes.run("small.yaml", "--json", "--no-files", folder=folder)
        assert (done.returncode, done.stderr) == (0, "")
        assert json.loads(done.stdout)["requests"]["total"] > 0

    def test_a_reader_that_goes_away_is_no_error(self, folder: Path) -> None:
        """As with ``| head``: no traceback, status 0."""
        process = processes.start("small.yaml", "--json", "--no-files", folder=folder)
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        error = process.stderr.read()
        process.stderr.close()
        assert (process.wait(60), error) == (0, "")


class TestOptions:
    """Options that change what is simulated."""

    def test_seed_wins_over_the_file_and_over_set(self, call: Call, folder: Path) -> None:
        """--seed is the last word."""
        (folder / "s.yaml").write_text("seed: 5\n" + (folder / "small.yaml").read_text())
        seeds = [
            json.loads(call("s.yaml", "--no-files", "--json", *words).out)["scenario"]["seed"]
            for words in ((), ("--set", "seed=6"), ("--set", "seed=6", "--seed", "7"))
        ]
        assert seeds == [5, 6, 7]

    def test_settings_apply_in_order_and_to_every_scenario(self, call: Call, folder: Path) -> None:
        """--set can be repeated; a later one wins; list items go by their index."""
        (folder / "other.yaml").write_text((folder / "small.yaml").read_text())
        words = ["region.concurrency_quota=5", "region.concurrency_quota=7", "traffic.web.stages.0.target=5/s"]
        options = [part for word in words for part in ("--set", word)]
        done = call("small.yaml", "other.yaml", *options, "--seed", "1", "--json", "--no-files")
        first, second = json.loads(done.out)
        assert first["concurrency"]["quota"] == second["concurrency"]["quota"] == 7
        assert first["functions"]["api"]["requests"] == second["functions"]["api"]["requests"]
        assert 60 < first["functions"]["api"]["requests"]["total"] < 140  # 100 expected, not 400

    @pytest.mark.parametrize(
        ("period", "starts"),
        [("5s", ["0.000000000", "5.000000000", "10.000000000", "15.000000000"]), ("1m", ["0.000000000"])],
    )
    def test_period_of_the_metrics(self, call: Call, folder: Path, period: str, starts: list[str]) -> None:
        """--period is the length of the periods of metrics.csv."""
        call("small.yaml", "--seed", "1", "--period", period, "--set", "drain=0s", "--quiet")
        rows = (folder / "out" / "small" / "metrics.csv").read_text().splitlines()[1:]
        found = list(dict.fromkeys(row.split(",")[0] for row in rows))
        assert found[: len(starts)] == starts
        assert set(found) - set(starts) <= {"20.000000000"}

    def test_a_name_with_spaces_in_the_file_name(self, call: Call, folder: Path) -> None:
        """The name that a file gives is made fit for a folder."""
        (folder / "my scenario.yaml").write_text((folder / "small.yaml").read_text())
        assert call("my scenario.yaml", "--quiet").status == 0
        assert names(folder / "out") == {"my-scenario"}
