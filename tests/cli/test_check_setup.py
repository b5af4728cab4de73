"""``check-setup`` says in one line what the lessons still need."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lambdasim import _needs, check_setup
from lambdasim.check_setup import Requirement, lessons_folder, missing_packages, notebook_requirements
from tests.cli import processes
from tests.cli.conftest import Call


@pytest.fixture
def all_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every part of a machine that could fail, does not."""
    monkeypatch.setattr(check_setup, "missing_packages", lambda requirements: [])
    monkeypatch.setattr(check_setup, "try_a_run", lambda: ([], "20,000 requests in 0.1 s"))
    monkeypatch.setattr(check_setup, "try_a_kernel", list)
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "4.3.2")


@pytest.fixture
def lessons(folder: Path) -> None:
    """The current folder holds a lesson."""
    (folder / "notebooks").mkdir()
    (folder / "notebooks" / "01-one.ipynb").write_text("{}", encoding="utf-8")


class TestLine:
    """One line and an exit status."""

    @pytest.mark.usefixtures("all_well", "lessons")
    def test_fine(self, call: Call) -> None:
        """All is there: what was found, exit status 0."""
        done = call("check-setup")
        assert (done.status, done.err) == (0, "")
        assert done.out.startswith("fine: Python 3.")
        assert done.out.endswith("JupyterLab 4.3.2, a kernel starts, 20,000 requests in 0.1 s, lessons in notebooks\n")
        assert done.out.count("\n") == 1

    @pytest.mark.usefixtures("all_well")
    def test_elsewhere(self, call: Call) -> None:
        """Without the lessons there is nothing to open."""
        done = call("check-setup")
        assert (done.status, done.err) == (1, "")
        assert done.out == "missing: the lessons (run this in the folder that holds notebooks)\n"

    @pytest.mark.usefixtures("all_well", "lessons")
    def test_several_parts(self, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
        """All that is missing stands in the one line; without the packages no kernel is tried."""
        monkeypatch.setattr(check_setup, "missing_packages", lambda requirements: ["pandas (install it)"])
        monkeypatch.setattr(check_setup, "try_a_run", lambda: (["a run fails"], ""))
        monkeypatch.setattr(check_setup, "try_a_kernel", lambda: pytest.fail("tried"))
        assert call("check-setup") == (1, "missing: pandas (install it); a run fails\n", "")

    @pytest.mark.usefixtures("all_well", "lessons")
    def test_a_kernel_that_does_not_start(self, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
        """As behind a firewall that does not let a machine talk to itself."""
        monkeypatch.setattr(check_setup, "try_a_kernel", lambda: ["a Jupyter kernel does not start"])
        assert call("check-setup") == (1, "missing: a Jupyter kernel does not start\n", "")

    def test_takes_no_arguments(self, call: Call) -> None:
        """As any command it says how it is used."""
        done = call("check-setup", "now")
        assert (done.status, done.out) == (2, "")
        assert "usage: python -m lambdasim check-setup" in done.err


class TestPackages:
    """What of the extra ``notebook`` is there."""

    def test_what_is_asked_for(self) -> None:
        """The list is that of pyproject.toml, as it was installed."""
        names = {requirement.name for requirement in notebook_requirements()}
        assert names == {"ipywidgets", "pandas", "ipykernel", "jupyterlab"}

    def test_nothing_missing(self) -> None:
        """numpy is always there; 2.10 is more than 2.9, and 2 as much as 2.0."""
        assert missing_packages([Requirement(name="numpy", least="2.1")]) == []

    def test_absent_and_old(self) -> None:
        """One phrase with one command for both."""
        version = importlib.metadata.version("numpy")
        wanted = [Requirement(name="no-such-package", least="1"), Requirement(name="numpy", least="99.1")]
        assert missing_packages(wanted) == [
            f"no-such-package, numpy 99.1 or newer, not {version} (pip install '.[notebook]')"
        ]

    def test_broken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Installed, but not to be loaded, as where a policy blocks compiled code."""
        monkeypatch.setitem(sys.modules, "pandas", None)  # Python's own way to make an import fail
        ((phrase),) = missing_packages([Requirement(name="pandas", least="2.2")])
        assert phrase.startswith("pandas cannot be loaded (ModuleNotFoundError: ")

    def test_not_installed_at_all(self) -> None:
        """Only a copy of the folder: it has no metadata."""
        assert missing_packages([]) == ["lambdasim itself is not installed (in its folder: pip install '.[notebook]')"]

    @pytest.mark.parametrize(
        ("installed", "least", "is_enough"),
        [("2.10.0", "2.9", True), ("2.0", "2", True), ("2", "2.0", True), ("8.0.9", "8.1", False), ("7rc1", "7", True)],
    )
    def test_versions(self, monkeypatch: pytest.MonkeyPatch, installed: str, least: str, is_enough: bool) -> None:
        """Compared number by number."""
        monkeypatch.setattr(importlib.metadata, "version", lambda name: installed)
        assert (missing_packages([Requirement(name="json", least=least)]) == []) is is_enough


def test_lessons_are_found_from_both_folders(tmp_path: Path) -> None:
    """In the folder of the project, and in that of the notebooks."""
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    assert lessons_folder(tmp_path) is None
    (notebooks / "01-one.ipynb").touch()
    assert lessons_folder(tmp_path) == notebooks
    assert lessons_folder(notebooks) == notebooks


def test_a_run_and_its_picture() -> None:
    """200/s for 100 s are about 20,000 requests: within 5 standard deviations of √20,000 = 141."""
    missing, speed = check_setup.try_a_run()
    assert missing == []
    assert abs(int(speed.split()[0].replace(",", "")) - 20_000) < 5 * 141


class TestWrongPython:
    """In the folder of the project any Python finds lambdasim, also one that it was not installed for."""

    @pytest.mark.parametrize(("words", "status"), [(["check-setup"], 1), (["scenarios/spike.yaml"], 2)])
    def test_without_the_packages(self, words: list[str], status: int) -> None:
        """-S leaves out everything that was installed: one line with the Python that was used, and no traceback."""
        done = subprocess.run(
            [sys.executable, "-S", "-m", "lambdasim", *words],
            cwd=processes.ROOT,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        line = done.stdout if status == 1 else done.stderr
        assert done.returncode == status
        assert line.startswith("missing: simpy, numpy, matplotlib, yaml, pydantic, cronsim, rich (")
        assert (done.stdout + done.stderr).count("\n") == 1

    def test_an_old_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Said before anything else."""
        monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
        assert _needs._missing() == "Python 3.11 or newer; this is 3.9"

    def test_the_packages_are_all_that_it_depends_on(self) -> None:
        """As pyproject.toml has them; PyYAML is imported as yaml."""
        lines = [line for line in importlib.metadata.requires("lambdasim") or [] if "extra" not in line]
        names = {re.split(r"[<>=]", line)[0].lower() for line in lines}
        assert names == {"pyyaml" if name == "yaml" else name for name in _needs.PACKAGES}


def test_for_real(tmp_path: Path) -> None:
    """In a process of its own, with a kernel that really starts where the packages are installed."""
    done = processes.run("check-setup", folder=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.count("\n") == 1
    assert done.stdout.endswith("the lessons (run this in the folder that holds notebooks)\n")
    assert "kernel" not in done.stdout
