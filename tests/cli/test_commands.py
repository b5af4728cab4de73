"""The other commands: validate, estimate, schema, and the help."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from lambdasim.version import __version__
from tests.cli import processes
from tests.cli.conftest import Call


class TestValidate:
    """``validate`` says what is wrong with a scenario, without running it."""

    def test_valid(self, call: Call, folder: Path) -> None:
        """One line for each scenario, and nothing is written."""
        done = call("validate", "small.yaml")
        assert done == (0, "small.yaml: valid, 2 function(s), 2 traffic source(s)\n", "")
        assert [path.name for path in folder.iterdir()] == ["small.yaml"]

    def test_every_file_is_looked_at(self, call: Call) -> None:
        """A bad one does not hide the others; the status is the worst."""
        done = call("validate", "missing.yaml", "small.yaml")
        assert done == (
            2,
            "small.yaml: valid, 2 function(s), 2 traffic source(s)\n",
            "missing.yaml: must be a file that exists\n",
        )

    def test_with_settings(self, call: Call) -> None:
        """--set and --seed apply as in a run."""
        assert call("validate", "small.yaml", "--set", "region.concurrency_quota=2", "--seed", "3").status == 0
        done = call("validate", "small.yaml", "--set", "region.concurrency_quota=1")
        assert (done.status, done.out) == (2, "")
        assert "at most 1 can be reserved" in done.err

    def test_needs_a_file(self, call: Call) -> None:
        """Without one it shows its usage."""
        done = call("validate")
        assert (done.status, done.out) == (2, "")
        assert "usage: python -m lambdasim validate" in done.err


class TestEstimate:
    """``estimate`` is Little's law, and what it leaves out."""

    def test_littles_law(self, call: Call) -> None:
        """100/s x 500 ms = 50 in flight."""
        done = call("estimate", "--rate", "100/s", "--duration", "500ms")
        assert (done.status, done.err) == (0, "")
        assert "100/s x 500ms = 50 requests in flight on average" in done.out
        assert "at most 2,000 requests/s of 500ms: the concurrency binds first" in done.out
        assert "leaves out" in done.out

    def test_request_rate_limit_binds_below_100_ms(self, call: Call) -> None:
        """10 requests per second and unit: short functions meet the rate, not the concurrency."""
        done = call("estimate", "--rate", "6000/min", "--duration", "20ms", "--quota", "5")
        assert done.status == 0
        assert "A quota of 5 takes at most 50 requests/s of 20ms: the request-rate limit binds first" in done.out

    def test_init_and_target(self, call: Call) -> None:
        """1,200/s for 1.5 s want 1,800 environments; Erlang B for 5 %."""
        words = ("estimate", "--rate", "1200/s", "--duration", "500ms", "--init", "1s", "--target", "5%")
        done = call(*words, "--quota", "2000")
        assert (done.status, done.err) == (0, "")
        assert "1,200/s x 1.5s = 1,800." in done.out
        assert "1,800 can exist after 8s." in done.out
        assert "To keep that at 5.0% it takes a concurrency of " in done.out

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            ((), "--rate, --duration"),
            (("--rate", "5", "--duration", "1s"), "--rate: must be a rate with its unit, got 5; write 5/s"),
            (("--rate", "0/s", "--duration", "1s"), "--rate: must be above 0, got 0/s"),
            (
                ("--rate", "5/s", "--duration", "1:30"),
                "--duration: must be a time with its unit, got 1:30; write 1m30s",
            ),
            (("--rate", "5/s", "--duration", "0"), "--duration: must be above 0, got 0"),
            (("--rate", "5/s", "--duration", "1s", "--quota", "0"), "--quota: must be at least 1, got 0"),
            (("--rate", "5/s", "--duration", "1s", "--quota", "x"), "--quota"),
            (("--rate", "5/s", "--duration", "1s", "--init", "1"), "--init: must be a time with its unit, got 1"),
            (("--rate", "5/s", "--duration", "1s", "--target", "1"), "--target: must be a percentage with its sign"),
            (("--rate", "1e9/s", "--duration", "1d"), "must give a concurrency of at most 10,000,000"),
        ],
    )
    def test_bad_values(self, call: Call, words: tuple[str, ...], message: str) -> None:
        """The option, the rule and what was got."""
        done = call("estimate", *words)
        assert (done.status, done.out) == (2, "")
        assert message in done.err


class TestSchema:
    """``schema`` prints the JSON Schema of scenario files."""

    def test_is_a_schema_in_ascii(self, folder: Path) -> None:
        """It can be redirected into a file whatever the encoding of the terminal."""
        done = processes.run("schema", folder=folder, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
        assert (done.returncode, done.stderr) == (0, "")
        Draft7Validator.check_schema(json.loads(done.stdout))

    def test_takes_no_argument(self, call: Call) -> None:
        """A file name here is a mistake."""
        done = call("schema", "small.yaml")
        assert (done.status, done.out) == (2, "")
        assert "small.yaml" in done.err


class TestHelp:
    """What a user can find out from the command line itself."""

    def test_mentions_every_command_and_option(self, call: Call) -> None:
        """Commands, options and one example."""
        done = call("--help")
        words = ["validate", "estimate", "schema", "--out", "--no-files", "--json", "--seed", "--set", "--period"]
        assert (done.status, done.err) == (0, "")
        assert [word for word in [*words, "--quiet", "--version", "example"] if word not in done.out] == []

    @pytest.mark.parametrize("command", ["validate", "estimate", "schema"])
    def test_each_command_has_its_own(self, call: Call, command: str) -> None:
        """COMMAND --help."""
        done = call(command, "--help")
        assert (done.status, done.err) == (0, "")
        assert f"usage: python -m lambdasim {command}" in done.out

    def test_version(self, call: Call) -> None:
        """--version prints name and version."""
        assert call("--version") == (0, f"lambdasim {__version__}\n", "")
