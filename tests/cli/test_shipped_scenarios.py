"""Every scenario of the project runs through the command line and keeps the identities of the model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lambdasim.api import load
from tests.cli.conftest import Call

SCENARIOS = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))


def test_there_are_some() -> None:
    """An empty folder would pass every test below."""
    assert SCENARIOS


# A lesson may do what AWS advises against.
@pytest.mark.filterwarnings("ignore:.*; AWS advises:lambdasim.errors.ScenarioWarning")
@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
class TestScenario:
    """What holds for each of them."""

    def test_runs_and_conserves(self, call: Call, path: Path) -> None:
        """Exit status 0; requests, attempts and throttles add up, in the region and by function.

        Without a warning, but that a lesson about what AWS advises against may be told so.
        """
        done = call(str(path), "--json", "--no-files")
        assert done.status == 0
        assert all("; AWS advises " in line for line in done.err.splitlines())
        summary = json.loads(done.out)
        for block in (summary, *summary["functions"].values()):
            requests, attempts = dict(block["requests"]), block["attempts"]
            assert requests.pop("total") == sum(requests.values())
            assert attempts["throttles"] == attempts["total"] - block["invocations"]["total"]
            assert attempts["throttles"] == sum(attempts["throttles_by_reason"].values())
            if "queues" not in summary and "streams" not in summary:  # an attempt with a batch is that of many requests
                assert attempts["retries"] == attempts["total"] - block["requests"]["total"]
        assert summary["requests"]["total"] > 0
        assert summary["concurrency"]["peak"] <= max(state.quota for state in load(path).limits_in_force())
        assert summary["scenario"]["partial"] is False

    def test_can_be_read(self, path: Path) -> None:
        """Short, with a seed, and a comment at the top that says what it shows."""
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) < 40
        assert lines[0].startswith("# ")
        assert any(line.startswith("seed: ") for line in lines)
