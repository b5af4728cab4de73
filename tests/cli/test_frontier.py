"""``frontier``: several levels of provisioned concurrency, the same requests for each."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from lambdasim.api import Result, simulate_scenario
from lambdasim.scenario.schema import Scenario
from tests.cli import processes
from tests.cli.conftest import Call
from tests.cli.test_interrupt import LONG

# Ten requests, one every four seconds, of one second after an init of two; the environment is gone before the next.
HOUSE = """\
duration: 40s
seed: 1
functions: {f: {duration: 1s, init: 2s, idle_timeout: 500ms, memory: 1024MB}}
traffic: {web: {function: f, rate: 15/min, arrivals: uniform}}
slo: {p99: 2s}
"""


@pytest.fixture
def house(folder: Path) -> Path:
    """The current folder, with the scenario house.yaml."""
    (folder / "house.yaml").write_text(HOUSE)
    return folder


def test_table_and_files(draw: Call, house: Path) -> None:
    """A line for each level, the cheapest that keeps the p99, and two files."""
    done = draw("frontier", "house.yaml", "--levels", "0,1,2")
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "house: provisioned concurrency of f, 3 levels, the same 10 requests for each (seed 1)"
    assert [line.split()[0] for line in lines[3:6]] == ["0", "1", "2"]
    assert lines[3].endswith(" 3s   3s  misses p99")
    assert lines[4].endswith(" 1s   1s   keeps slo")
    # 40 x 0.0000041667 + 10 x 0.0000097222 + 10 x 0.0000002 dollars, 65,700 times a month
    assert lines[7].startswith("The cheapest level that keeps what was promised (p99 2s): 1 unit, $17.47 a month.")
    assert lines[-2:] == [str(Path("out/house/frontier.csv")), str(Path("out/house/frontier.png"))]
    assert sorted(path.name for path in (house / "out/house").iterdir()) == ["frontier.csv", "frontier.png"]
    assert len((house / "out/house/frontier.csv").read_text().splitlines()) == 4


def test_options(draw: Call, house: Path) -> None:
    """--out, --seed, --set, --function, --quiet, --no-files, and levels of the program's own."""
    done = draw("frontier", "house.yaml", "--out", "there", "--quiet", "--seed", "3", "--function", "f")
    assert done == (0, "", "")
    assert len((house / "there/frontier.csv").read_text().splitlines()) == 4  # one at a time: levels 0, 1 and 2
    done = draw("frontier", "house.yaml", "--no-files", "--levels", "1", "--set", "traffic.web.rate=30/min")
    assert "the same 20 requests" in done.out
    assert "frontier.csv" not in done.out
    assert not (house / "out").exists()


def test_json(draw: Call, house: Path) -> None:
    """Exactly the rows, and the best level."""
    done = draw("frontier", "house.yaml", "--levels", "0,1", "--json", "--no-files")
    made = json.loads(done.out)
    assert [one["latency_p99_s"] for one in made["levels"]] == [3, 1]
    assert made["best"] == {"level": 1, "why": "keeps_slo"}
    assert (made["function"], made["scenario"]["seed"], made["notes"]) == ("f", 1, [])


def test_the_same_command_gives_the_same_bytes(draw: Call, house: Path) -> None:
    """Table and picture."""
    for name in ("a", "b"):
        assert draw("frontier", "house.yaml", "--levels", "0,1,2", "--out", name, "--quiet").status == 0
    for file in ("frontier.csv", "frontier.png"):
        assert (house / "a" / file).read_bytes() == (house / "b" / file).read_bytes()


def test_status_is_1_where_no_level_keeps_the_targets(draw: Call, house: Path) -> None:
    """As for a run that misses one."""
    done = draw("frontier", "house.yaml", "--levels", "0,1", "--no-files", "--set", "slo.p99=500ms")
    assert done.status == 1
    assert "No level keeps all that was promised (p99 500ms)" in done.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "SCENARIO.yaml"),
        (("missing.yaml",), "missing.yaml: must be a file that exists"),
        (("house.yaml", "house.yaml"), "unrecognized arguments: house.yaml"),
        (("house.yaml", "--out", ""), "--out: must name a folder, got an empty text"),
        (("house.yaml", "--levels", "0,x"), "--levels: must be whole numbers with commas between, such as 0,10,20"),
        (("house.yaml", "--levels", "0,-1"), "--levels: must be whole numbers with commas between, such as 0,10,20"),
        (("house.yaml", "--levels", ""), "--levels: must be whole numbers with commas between, such as 0,10,20"),
        (("house.yaml", "--levels", "99999999"), "--levels: must be whole numbers from 0 to 10,000,000, got 99999999"),
        (("house.yaml", "--function", "g"), "--function: must be a function of the scenario (f), got g"),
        (("small.yaml",), "--function: must be named where there are several (api, job)"),
        (
            ("house.yaml", "--levels", "1,950"),
            "f with 950 provisioned: Specified ConcurrentExecutions for function decreases account's",
        ),
        (
            ("house.yaml", "--levels", "3", "--set", "functions.f.reserved_concurrency=2"),
            "f with 3 provisioned: Requested Provisioned Concurrency should not be greater than the reserved",
        ),
    ],
)
def test_bad_input(draw: Call, house: Path, words: tuple[str, ...], message: str) -> None:
    """A sentence, exit status 2, and no file."""
    done = draw("frontier", *words)
    assert (done.status, done.out) == (2, "")
    assert message in done.err
    assert "Traceback" not in done.err
    assert sorted(path.name for path in house.iterdir()) == ["house.yaml", "small.yaml"]


def test_each_reason_of_a_refusal_is_told_once(draw: Call, house: Path) -> None:
    """Not once for each state of the limits: the pool is too small in three of them, the reservation in the last."""
    changes = """\
changes:
  - {at: 5s, region: {concurrency_quota: 400}}
  - {at: 10s, region: {concurrency_quota: 500}}
  - {at: 15s, functions: {f: {reserved_concurrency: 100}}}
"""
    (house / "changing.yaml").write_text(HOUSE + changes)
    done = draw("frontier", "changing.yaml", "--levels", "950")
    (house / "changing.yaml").unlink()
    assert (done.status, done.out) == (2, "")
    pool, reservation = done.err.splitlines()
    assert pool.startswith("f with 950 provisioned: Specified ConcurrentExecutions for function decreases account's")
    assert pool.endswith(
        "The functions have 950 provisioned of the quota of 1000; at most 900 can be reserved and provisioned"
    )
    assert reservation.startswith("f with 950 provisioned: Requested Provisioned Concurrency should not be greater")


def test_interrupted_between_levels(draw: Call, house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was run to its end is printed and written."""

    def simulate(scenario: Scenario, **options: Any) -> Result:
        if scenario.functions["f"].provisioned_concurrency == 2:
            options["interrupt"].request()
        return simulate_scenario(scenario, **options)

    monkeypatch.setattr("lambdasim.cli.simulate_scenario", simulate)
    done = draw("frontier", "house.yaml", "--levels", "0,1,2,3")
    assert done.status == 130
    assert "2 levels, the same 10 requests for each (seed 1); interrupted, the rest is missing" in done.out
    assert len((house / "out/house/frontier.csv").read_text().splitlines()) == 3


def test_interrupted_in_the_first_run(folder: Path) -> None:
    """Nothing is left behind."""
    (folder / "long.yaml").write_text(LONG)
    process = processes.start("frontier", "long.yaml", "--out", "r", folder=folder)
    deadline = time.monotonic() + 30
    while not list((folder / "r").glob(".lambdasim-*")):
        assert process.poll() is None, "the run has ended"
        assert time.monotonic() < deadline, "the run has not begun"
        time.sleep(0.02)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", "interrupted\n")
    assert not (folder / "r").exists()
