"""``shape``: what is offered, without simulating."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import SMALL, Call


def test_table_and_picture(draw: Call, folder: Path) -> None:
    """One row for each source, the file named below; nothing is simulated."""
    done = draw("shape", "small.yaml")
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "small: offered in 20s"
    # 5/s to 40/s in 10 s, then 40/s: 225 + 400
    assert lines[3].split() == ["web", "poisson", "31.2/s", "40/s", "0:10", "625"]
    assert lines[4].split() == ["cron", "poisson", "2/s", "2/s", "0:00", "40"]
    assert lines[-1] == str(Path("out/small/shape.png"))
    assert [path.name for path in (folder / "out/small").iterdir()] == ["shape.png"]


def test_folder_and_settings(draw: Call, folder: Path) -> None:
    """--out, --set and --seed as in a run."""
    done = draw("shape", "small.yaml", "--out", "there", "--set", "traffic.cron.rate=4/s", "--seed", "3")
    assert done.status == 0
    assert "80" in done.out
    assert (folder / "there/shape.png").exists()


def test_several(draw: Call, folder: Path) -> None:
    """Each in a folder of its name."""
    (folder / "other.yaml").write_text(SMALL)
    done = draw("shape", "small.yaml", "other.yaml", "--out", "d")
    assert done.status == 0
    assert sorted(path.parent.name for path in folder.glob("d/*/shape.png")) == ["other", "small"]
    assert "small: offered in 20s" in done.out
    assert "other: offered in 20s" in done.out


def test_the_seed_shows_in_a_modulated_rate(draw: Call, folder: Path) -> None:
    """The same seed gives the same bytes, another one another picture."""
    law = "traffic.cron.arrivals={mmpp: {ratio: 5, quiet: 2s, busy: 1s}}"
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert draw("shape", "small.yaml", "--set", law, "--seed", seed, "--out", name).status == 0
    a, b, c = ((folder / name / "shape.png").read_bytes() for name in "abc")
    assert a == b != c


def test_beside_the_files_of_a_run(draw: Call, folder: Path) -> None:
    """What stands in the folder stays."""
    (folder / "out/small").mkdir(parents=True)
    (folder / "out/small/summary.json").write_text(json.dumps({}))
    assert draw("shape", "small.yaml").status == 0
    assert sorted(path.name for path in (folder / "out/small").iterdir()) == ["shape.png", "summary.json"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "SCENARIO.yaml"),
        (("missing.yaml",), "missing.yaml: must be a file that exists"),
        (("small.yaml", "small.yaml"), "name: must differ between scenarios of one command"),
        (("small.yaml", "--out", ""), "--out: must name a folder, got an empty text"),
        (("small.yaml", "--out", "small.yaml"), "results cannot be written here: it is a file"),
        (("small.yaml", "--set", "traffic.web.shape={}"), "traffic.web"),
        (("small.yaml", "--json"), "unrecognized arguments: --json"),
    ],
)
def test_bad_input(draw: Call, folder: Path, words: tuple[str, ...], message: str) -> None:
    """A sentence, exit status 2, and no file."""
    done = draw("shape", *words)
    assert (done.status, done.out) == (2, "")
    assert message in done.err
    assert "Traceback" not in done.err
    assert [path.name for path in folder.iterdir()] == ["small.yaml"]


def test_warnings_are_said(draw: Call) -> None:
    """As in a run, on stderr."""
    done = draw("shape", "small.yaml", "--set", "duration=5s")
    assert done.err.startswith("warning: small.yaml:")
    assert "lasts 10s, longer than the duration of 5s; the rest is cut" in done.err
