"""The same scenario, seed and version give the same bytes in every file, the performance block apart."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli import processes
from tests.cli.conftest import Call


def contents(folder: Path) -> dict[str, object]:
    """Every file of a run by name; the summary without what depends on the machine."""
    files: dict[str, object] = {path.name: path.read_bytes() for path in folder.iterdir()}
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    del summary["performance"]
    return {**files, "summary.json": json.dumps(summary)}


def test_same_seed_same_bytes_in_different_processes(folder: Path) -> None:
    """Pictures included, whatever the hash seed of Python."""
    for number in ("1", "2"):
        done = processes.run(
            "small.yaml", "--seed", "3", "--out", number, "--quiet", folder=folder, PYTHONHASHSEED=number
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    first, second = contents(folder / "1"), contents(folder / "2")
    assert len(first) == 10
    assert [name for name in first if first[name] != second[name]] == []


def test_only_the_performance_of_a_summary_differs(call: Call, folder: Path) -> None:
    """``performance`` holds two keys, and nothing else depends on the machine."""
    summaries = [json.loads(call("small.yaml", "--seed", "3", "--json", "--no-files").out) for _ in range(2)]
    assert [list(summary.pop("performance")) for summary in summaries] == [["wall_s", "requests_per_s"]] * 2
    assert summaries[0] == summaries[1]


def test_another_seed_gives_other_files(call: Call, folder: Path) -> None:
    """The seed reaches every table."""
    for seed in ("1", "2"):
        call("small.yaml", "--seed", seed, "--out", seed, "--quiet")
    first, second = contents(folder / "1"), contents(folder / "2")
    assert all(first[name] != second[name] for name in first)


def test_a_missing_seed_is_made_and_reported(call: Call, folder: Path) -> None:
    """Running again with the seed of the summary gives the same files."""
    done = call("small.yaml", "--out", "first", "--json")
    seed = json.loads(done.out)["scenario"]["seed"]
    assert isinstance(seed, int)
    call("small.yaml", "--out", "again", "--seed", str(seed), "--quiet")
    assert contents(folder / "first") == contents(folder / "again")
    call("small.yaml", "--out", "other", "--quiet")
    assert json.loads((folder / "other" / "summary.json").read_text())["scenario"]["seed"] != seed
