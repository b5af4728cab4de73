"""The command line inside this process, in a folder of its own; pictures are drawn only where a test asks for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from lambdasim.cli import main

# Small and random: two functions, retries, throttles, cold starts, errors.
SMALL = """\
duration: 20s
region: {concurrency_quota: 12, min_unreserved: 0}
functions:
  api: {duration: {lognormal: {p50: 200ms, p99: 1s}}, init: {uniform: [100ms, 900ms]}, errors: {rate: 5%}}
  job: {duration: {exponential: {mean: 2s}}, init: 300ms, reserved_concurrency: 2, idle_timeout: {uniform: [1s, 3s]}}
traffic:
  web:
    function: api
    start_rate: 5/s
    stages: [{duration: 10s, target: 40/s}]
    client: {timeout: 3s, retry: {max_attempts: 3, base: 200ms, cap: 2s, jitter: full}}
  cron: {function: job, rate: 2/s}
"""


class Finished(NamedTuple):
    """What a command left behind."""

    status: int
    out: str
    err: str


Call = Callable[..., Finished]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder with the scenario small.yaml."""
    (tmp_path / "small.yaml").write_text(SMALL, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def draw(folder: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs the command line with these words, pictures included."""

    def call(*words: str) -> Finished:
        try:
            status = main(words)
        except SystemExit as ending:  # argparse
            status = int(ending.code or 0)
        return Finished(status, *capsys.readouterr())

    return call


@pytest.fixture
def call(draw: Call, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Runs the command line with these words; pictures, which cost more than the rest, are left out."""
    monkeypatch.setattr("lambdasim.report.pictures.save_all", lambda run, directory: [])
    return draw
