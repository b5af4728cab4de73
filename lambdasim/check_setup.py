"""Whether this machine can hold the workshop: what is installed, whether a run and a Jupyter kernel work, the lessons.

``python -m lambdasim check-setup`` says it in one line, with the next step. What is tried here is what fails on laptops
that somebody else looks after: packages that are missing or blocked, kernels that may not talk to the machine itself or
are those of another Python, an older lambdasim, a wrong folder.
"""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lambdasim

_KERNEL_TIMEOUT_S = 60
_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)\s*>=\s*(?P<least>[0-9.]+)")
_OF_NOTEBOOK = re.compile(r"extra\s*==\s*['\"]notebook['\"]")

_INSTALL = 'pip install ".[notebook]"'  # with quotes that every shell knows, Windows' own included

_FIRST_LESSON = "01-*.ipynb"

# Of the package itself: code and data.
_WRITTEN = (".py", ".yaml", ".json")

# What every lesson imports, one way or another.
_IN_A_KERNEL = ("lambdasim", "pandas", "ipywidgets")


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A package of the extra ``notebook``, and the oldest version that will do."""

    name: str
    least: str


def setup_line(folder: Path) -> tuple[bool, str]:
    """Whether all is well in a folder, and the line that says so, or else what is missing and how to get it."""
    missing = [*missing_packages(notebook_requirements())]
    run, speed = try_a_run()
    missing += run
    lessons = lessons_folder(folder)
    if not missing:  # without the packages it cannot work, and would only say the same again
        missing += try_a_kernel(lessons)
    if lessons is None:
        missing.append("the lessons (run this in the folder that holds notebooks)")
    if missing or lessons is None:
        return False, f"missing: {'; '.join(missing)}"
    version = importlib.metadata.version("jupyterlab")
    return True, (
        f"fine: Python {platform.python_version()}, lambdasim {lambdasim.__version__}, JupyterLab {version},"
        f" a kernel starts, {speed}. {next_step(lessons, folder)}"
    )


def next_step(lessons: Path, folder: Path) -> str:
    """The command that opens JupyterLab in the folder above the lessons, where their links lead somewhere."""
    first, root = first_lesson(lessons), lessons.resolve().parent
    python = Path(os.path.normpath(sys.executable))  # not resolved: that of a venv is a link to another one
    if python.is_relative_to(root):
        python = python.relative_to(root)
    command = f'"{python}"' if " " in str(python) else f"{python}"
    where = "" if root == folder.resolve() else f" in {root}"
    return f"Next{where}: {command} -m jupyter lab (then open {lessons.resolve().name}/{first.name})"


def notebook_requirements() -> list[Requirement]:
    """What the extra ``notebook`` asks for, from the metadata of the installed lambdasim; empty where there is none.

    Also what JupyterLab needs to show ipywidgets: it comes with them, and without it sliders are lines of text.
    """
    try:
        lines = importlib.metadata.requires("lambdasim") or []
    except importlib.metadata.PackageNotFoundError:
        return []
    found = (_REQUIREMENT.match(line) for line in lines if _OF_NOTEBOOK.search(line))
    asked = [Requirement(name=match["name"], least=match["least"]) for match in found if match]
    return [*asked, Requirement(name="jupyterlab_widgets", least="3")] if asked else []


def missing_packages(requirements: Iterable[Requirement]) -> list[str]:
    """What has to be installed, in one phrase with the command for it; then what is there and cannot be loaded.

    A package that fails for want of another one is not at fault: that other one is named, once.
    """
    wanted = list(requirements)
    if not wanted:
        return [f"lambdasim itself is not installed (in its folder: {_INSTALL})"]
    absent: dict[str, None] = {}
    broken = []
    for requirement in wanted:
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            absent[requirement.name] = None
            continue
        if _numbers(version) < _numbers(requirement.least):
            absent[f"{requirement.name} {requirement.least} or newer, not {version}"] = None
            continue
        try:
            importlib.import_module(requirement.name)
        except Exception as error:  # whatever its compiled parts raise where they are blocked
            if other := _missing_module(error, requirement.name):
                absent[other] = None
            else:
                broken.append(f"{requirement.name} cannot be loaded ({_in_short(error)})")
    if absent:
        broken.insert(0, f"{', '.join(absent)} ({_INSTALL})")
    return broken


def _missing_module(error: Exception, package: str) -> str:
    """Another module whose absence is all that is wrong with a package; empty where something else is."""
    name = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    return name if name != package else ""


def try_a_run() -> tuple[list[str], str]:
    """A run of 20,000 requests and a picture: what is wrong with them, and how long the run took."""
    scenario = {
        "duration": "100s",
        "functions": {"f": {"duration": "500ms", "init": "500ms"}},
        "traffic": {"t": {"function": "f", "rate": "200/s"}},
    }
    try:
        started = time.perf_counter()
        result = lambdasim.simulate(scenario, seed=1)
        took = time.perf_counter() - started
        _draw(result)
    except Exception as error:
        return [f"a run with its picture fails ({_in_short(error)})"], ""
    return [], f"{len(result.log.requests):,} requests in {took:.1f} s"


def _draw(result: lambdasim.Result) -> None:
    from lambdasim.report.pictures.style import png

    figure = result.plot.concurrency().get_figure(root=True)
    assert figure is not None
    png(figure)


def try_a_kernel(lessons: Path | None) -> list[str]:
    """Starts a kernel as JupyterLab does, has it import what lessons import, and stops it: what is wrong with that.

    It starts in the folder of the lessons, or in one where there is nothing to import. In the folder of the project any
    Python would find the folder ``lambdasim``, whatever is installed.
    """
    from jupyter_client.manager import KernelManager

    try:
        manager = KernelManager()
        manager.start_kernel(
            cwd=str(lessons or tempfile.gettempdir()), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            client = manager.client()
            client.start_channels()
            try:
                client.wait_for_ready(timeout=_KERNEL_TIMEOUT_S)
                reply = client.execute_interactive(
                    f"import {', '.join(_IN_A_KERNEL)}",
                    user_expressions={"file": "str(getattr(lambdasim, '__file__', lambdasim))"},
                    store_history=False,
                    allow_stdin=False,
                    output_hook=lambda _: None,  # else it prints the traceback of the kernel
                    timeout=_KERNEL_TIMEOUT_S,
                )
            finally:
                client.stop_channels()
        finally:
            manager.shutdown_kernel(now=True)
    except Exception as error:
        return [f"a Jupyter kernel does not start ({_in_short(error)})"]
    spec = manager.kernel_spec
    assert spec is not None  # it started
    return _wrong_with(reply["content"], lessons, f"{Path(spec.resource_dir) / 'kernel.json'} starts {spec.argv[0]}")


def _wrong_with(content: Mapping[str, Any], lessons: Path | None, kernel: str) -> list[str]:
    """What a kernel's answer says of the packages that it finds; ``kernel`` is what to look at where one is missing."""
    if content["status"] != "ok":
        named = re.search(r"No module named '(\w+)", content.get("evalue", ""))
        found = named[1] if named else f"{', '.join(_IN_A_KERNEL)} ({content.get('ename', 'it stopped')})"
        return [f"a Jupyter kernel does not find {found} ({kernel})"]
    file = Path(ast.literal_eval(content["user_expressions"]["file"]["data"]["text/plain"]))
    if _sources(file.parent) != _sources(_expected_package(lessons)):
        return [f"a Jupyter kernel has an older lambdasim, or another one, in {file.parent} ({_INSTALL})"]
    return []


def _expected_package(lessons: Path | None) -> Path:
    """The lambdasim that the lessons came with, else the one that asks."""
    beside = None if lessons is None else lessons.resolve().parent / "lambdasim"
    return beside if beside is not None and beside.is_dir() else Path(lambdasim.__file__).parent


def _sources(package: Path) -> dict[str, bytes]:
    """Every file of a package that is written by hand, by its path."""
    return {
        path.relative_to(package).as_posix(): path.read_bytes()
        for path in package.rglob("*")
        if path.is_file() and path.suffix in _WRITTEN
    }


def lessons_folder(folder: Path) -> Path | None:
    """Where the lessons are: ``notebooks`` in a folder, or the folder itself; None where they are not."""
    for candidate in (folder / "notebooks", folder):
        if any(candidate.glob(_FIRST_LESSON)):
            return candidate
    return None


def first_lesson(lessons: Path) -> Path:
    """The notebook to begin with."""
    return min(lessons.glob(_FIRST_LESSON))


def _numbers(version: str) -> tuple[int, ...]:
    """``(4, 3)`` of 4.3, 4.3.0 or 4.3rc1: enough to compare with a least version."""
    numbers = [int(part) for part in re.findall(r"^\d+|(?<=\.)\d+", version)]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _in_short(error: Exception) -> str:
    """The kind of an error and the first line of what it says."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
