"""``check-setup`` says in one line what the lessons still need."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import re
import shutil
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
    monkeypatch.setattr(check_setup, "try_a_kernel", lambda lessons: [])
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
        assert ", JupyterLab 4.3.2, a kernel starts, 20,000 requests in 0.1 s. Next: " in done.out
        assert done.out.endswith(" -m jupyter lab (then open notebooks/01-one.ipynb)\n")
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
        monkeypatch.setattr(check_setup, "try_a_kernel", lambda lessons: pytest.fail("tried"))
        assert call("check-setup") == (1, "missing: pandas (install it); a run fails\n", "")

    @pytest.mark.usefixtures("all_well", "lessons")
    def test_a_kernel_that_does_not_start(self, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
        """As behind a firewall that does not let a machine talk to itself."""
        monkeypatch.setattr(check_setup, "try_a_kernel", lambda lessons: ["a Jupyter kernel does not start"])
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
        assert names == {"ipywidgets", "pandas", "ipykernel", "jupyterlab", "jupyterlab_widgets"}

    def test_nothing_missing(self) -> None:
        """numpy is always there; 2.10 is more than 2.9, and 2 as much as 2.0."""
        assert missing_packages([Requirement(name="numpy", least="2.1")]) == []

    def test_absent_and_old(self) -> None:
        """One phrase with one command for both."""
        version = importlib.metadata.version("numpy")
        wanted = [Requirement(name="no-such-package", least="1"), Requirement(name="numpy", least="99.1")]
        assert missing_packages(wanted) == [
            f'no-such-package, numpy 99.1 or newer, not {version} (pip install ".[notebook]")'
        ]

    def test_broken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Installed, but not to be loaded, as where a policy blocks compiled code."""
        monkeypatch.setitem(sys.modules, "pandas", None)  # Python's own way to make an import fail
        ((phrase),) = missing_packages([Requirement(name="pandas", least="2.2")])
        assert phrase.startswith("pandas cannot be loaded (ModuleNotFoundError: ")

    def test_one_that_others_need(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Named once, with the command for it; those that need it are not at fault."""
        monkeypatch.setattr(importlib.metadata, "version", lambda name: "9")

        def fail(name: str) -> None:
            raise ModuleNotFoundError("No module named 'jupyter_client.manager'", name="jupyter_client.manager")

        monkeypatch.setattr(importlib, "import_module", fail)
        wanted = [Requirement(name=name, least="1") for name in ("ipykernel", "jupyterlab")]
        assert missing_packages(wanted) == ['jupyter_client (pip install ".[notebook]")']

    def test_not_installed_at_all(self) -> None:
        """Only a copy of the folder: it has no metadata."""
        assert missing_packages([]) == ['lambdasim itself is not installed (in its folder: pip install ".[notebook]")']

    def test_without_metadata_nothing_is_asked_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """So that it is said; what shows sliders is not asked for alone."""
        monkeypatch.setattr(importlib.metadata, "requires", lambda name: [])
        assert notebook_requirements() == []

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


class TestNextStep:
    """The command that opens the lessons, as it has to be typed."""

    @pytest.fixture
    def project(self, tmp_path: Path) -> Path:
        root = tmp_path / "project"
        (root / "notebooks").mkdir(parents=True)
        for name in ("02-two.ipynb", "01-one.ipynb", "README.md"):
            (root / "notebooks" / name).touch()
        return root

    def test_in_the_folder_of_the_project(self, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """With the Python that was asked, as short as it can be."""
        monkeypatch.setattr(sys, "executable", str(project / "notebooks" / ".." / ".venv" / "bin" / "python"))
        step = check_setup.next_step(project / "notebooks", project)
        assert step == "Next: .venv/bin/python -m jupyter lab (then open notebooks/01-one.ipynb)"

    def test_below_it(self, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """JupyterLab shows nothing above the folder in which it starts, and lessons have links to there."""
        monkeypatch.setattr(sys, "executable", "/some where/python")
        step = check_setup.next_step(project / "notebooks", project / "notebooks")
        assert step == f'Next in {project}: "/some where/python" -m jupyter lab (then open notebooks/01-one.ipynb)'


# A kernel that writes its process id, and that cannot import what is named after it.
_KERNEL = """
import os, pathlib, sys
pathlib.Path(__file__).with_suffix(".pid").write_text(str(os.getpid()))

class Without:
    def find_spec(self, name, *_):
        if name in {absent!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Without())
sys.path.insert(0, {first!r})
from ipykernel import kernelapp
kernelapp.launch_new_instance()
"""


class TestKernel:
    """A kernel that really starts."""

    @pytest.fixture
    def kernels(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """The folder of the kernel ``python3``, before those of this machine."""
        folder = tmp_path / "kernels" / "python3"
        folder.mkdir(parents=True)
        monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
        return folder

    def install(self, kernels: Path, *argv: str) -> None:
        spec = {"argv": argv, "display_name": "Python", "language": "python"}
        (kernels / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")

    def install_python(self, kernels: Path, *, absent: tuple[str, ...] = (), first: str = "") -> None:
        script = kernels / "kernel.py"
        script.write_text(_KERNEL.format(absent=absent, first=first), encoding="utf-8")
        self.install(kernels, sys.executable, str(script), "-f", "{connection_file}")

    def was_stopped(self, kernels: Path) -> bool:
        try:
            os.kill(int((kernels / "kernel.pid").read_text()), 0)
        except ProcessLookupError:
            return True
        return False

    def test_fine(self, kernels: Path) -> None:
        """It finds this lambdasim, and is stopped again."""
        self.install_python(kernels)
        assert check_setup.try_a_kernel(None) == []
        assert self.was_stopped(kernels)

    @pytest.mark.parametrize("absent", ["lambdasim", "pandas", "ipywidgets"])
    def test_of_another_python(self, kernels: Path, absent: str, capfd: pytest.CaptureFixture[str]) -> None:
        """One phrase with the place to look at; the traceback of the kernel is not printed."""
        self.install_python(kernels, absent=(absent,))
        assert check_setup.try_a_kernel(None) == [
            f"a Jupyter kernel does not find {absent} ({kernels / 'kernel.json'} starts {sys.executable})"
        ]
        assert capfd.readouterr() == ("", "")
        assert self.was_stopped(kernels)

    def test_with_an_older_lambdasim(self, kernels: Path, tmp_path: Path) -> None:
        """As where a newer one was unpacked, and not installed: one file differs."""
        shutil.copytree(processes.ROOT / "lambdasim", tmp_path / "old" / "lambdasim")
        self.install_python(kernels, first=str(tmp_path / "old"))
        assert check_setup.try_a_kernel(None) == []
        with (tmp_path / "old" / "lambdasim" / "cli.py").open("a", encoding="utf-8") as file:
            file.write("# older")
        (phrase,) = check_setup.try_a_kernel(None)
        place = tmp_path / "old" / "lambdasim"
        assert phrase == (
            f'a Jupyter kernel has an older lambdasim, or another one, in {place} (pip install ".[notebook]")'
        )

    def test_where_lessons_run(self, kernels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Not in the current folder, where it would find the folder of the project; it is that one which counts."""
        project = tmp_path / "project"
        (project / "notebooks").mkdir(parents=True)
        shutil.copytree(processes.ROOT / "lambdasim", project / "lambdasim")
        (project / "lambdasim" / "new.py").touch()
        monkeypatch.chdir(project)
        self.install_python(kernels)
        (phrase,) = check_setup.try_a_kernel(project / "notebooks")
        assert phrase.startswith(f"a Jupyter kernel has an older lambdasim, or another one, in {processes.ROOT}")
        (project / "lambdasim" / "new.py").unlink()
        assert check_setup.try_a_kernel(project / "notebooks") == []

    def test_that_does_not_start(self, kernels: Path, capfd: pytest.CaptureFixture[str]) -> None:
        """One phrase."""
        self.install(kernels, sys.executable, "-c", "raise SystemExit(1)")
        (phrase,) = check_setup.try_a_kernel(None)
        assert phrase.startswith("a Jupyter kernel does not start (RuntimeError: Kernel died")
        assert capfd.readouterr() == ("", "")


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

    def test_the_python_of_the_folder_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """If there is one, and it is another one than this; else the place where it is said how to make it."""
        monkeypatch.chdir(tmp_path)
        assert _needs._remedy() == "see Two commands in README.md"
        python = Path(".venv", "bin", "python")
        python.parent.mkdir(parents=True)
        python.touch()
        assert _needs._remedy() == f"write {python} in place of python, or activate .venv"
        monkeypatch.setattr("sys.executable", str(python.absolute()))
        assert _needs._remedy() == "see Two commands in README.md"

    def test_the_packages_are_all_that_it_depends_on(self) -> None:
        """As pyproject.toml has them; PyYAML is imported as yaml."""
        lines = [line for line in importlib.metadata.requires("lambdasim") or [] if "extra" not in line]
        names = {re.split(r"[<>=]", line)[0].lower() for line in lines}
        assert names == {"pyyaml" if name == "yaml" else name for name in _needs.PACKAGES}

    def test_what_it_refers_to_is_there(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A heading of README.md."""
        monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
        with pytest.raises(SystemExit):
            _needs._leave()
        heading = re.search(r"see (.+) in README\.md", capsys.readouterr().err)
        assert heading is not None
        assert f"\n## {heading[1]}\n" in (processes.ROOT / "README.md").read_text(encoding="utf-8")


def test_for_real(tmp_path: Path) -> None:
    """In a process of its own, with a kernel that really starts where the packages are installed."""
    done = processes.run("check-setup", folder=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.count("\n") == 1
    assert done.stdout.endswith("the lessons (run this in the folder that holds notebooks)\n")
    assert "kernel" not in done.stdout
