"""Whether this machine can hold the workshop: what is installed, whether a run and a Jupyter kernel work, the lessons.

``python -m lambdasim check-setup`` says it in one line. What is tried here is what fails on laptops that somebody else
looks after: packages that are missing or blocked, kernels that may not talk to the machine itself, a wrong folder.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import platform
import re
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import lambdasim

_KERNEL_TIMEOUT_S = 60
_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)\s*>=\s*(?P<least>[0-9.]+)")
_OF_NOTEBOOK = re.compile(r"extra\s*==\s*['\"]notebook['\"]")


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
    if not missing:  # without the packages it cannot work, and would only say the same again
        missing += try_a_kernel()
    lessons = lessons_folder(folder)
    if lessons is None:
        missing.append("the lessons (run this in the folder that holds notebooks)")
    if missing:
        return False, f"missing: {'; '.join(missing)}"
    version = importlib.metadata.version("jupyterlab")
    return True, (
        f"fine: Python {platform.python_version()}, lambdasim {lambdasim.__version__}, JupyterLab {version},"
        f" a kernel starts, {speed}, lessons in {lessons}"
    )


def notebook_requirements() -> list[Requirement]:
    """What the extra ``notebook`` asks for, from the metadata of the installed lambdasim; empty where there is none."""
    try:
        lines = importlib.metadata.requires("lambdasim") or []
    except importlib.metadata.PackageNotFoundError:
        return []
    found = (_REQUIREMENT.match(line) for line in lines if _OF_NOTEBOOK.search(line))
    return [Requirement(name=match["name"], least=match["least"]) for match in found if match]


def missing_packages(requirements: Iterable[Requirement]) -> list[str]:
    """What has to be installed, in one phrase with the command for it; then what is there and cannot be loaded."""
    wanted = list(requirements)
    if not wanted:
        return ["lambdasim itself is not installed (in its folder: pip install '.[notebook]')"]
    absent, broken = [], []
    for requirement in wanted:
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            absent.append(requirement.name)
            continue
        if _numbers(version) < _numbers(requirement.least):
            absent.append(f"{requirement.name} {requirement.least} or newer, not {version}")
            continue
        try:
            importlib.import_module(requirement.name)
        except Exception as error:  # whatever its compiled parts raise where they are blocked
            broken.append(f"{requirement.name} cannot be loaded ({_in_short(error)})")
    if absent:
        broken.insert(0, f"{', '.join(absent)} (pip install '.[notebook]')")
    return broken


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


def try_a_kernel() -> list[str]:
    """Starts a kernel as JupyterLab does, has it import lambdasim, and stops it: what is wrong with that."""
    from jupyter_client.manager import KernelManager

    try:
        manager = KernelManager()
        manager.start_kernel(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            client = manager.client()
            client.start_channels()
            try:
                client.wait_for_ready(timeout=_KERNEL_TIMEOUT_S)
                reply = client.execute_interactive("import lambdasim", timeout=_KERNEL_TIMEOUT_S)
            finally:
                client.stop_channels()
        finally:
            manager.shutdown_kernel(now=True)
    except Exception as error:
        return [f"a Jupyter kernel does not start ({_in_short(error)})"]
    content = reply["content"]
    if content["status"] != "ok":
        return [f"a Jupyter kernel does not find lambdasim ({content.get('ename', 'it stopped')})"]
    return []


def lessons_folder(folder: Path) -> Path | None:
    """Where the lessons are: ``notebooks`` in a folder, or the folder itself; None where they are not."""
    for candidate in (folder / "notebooks", folder):
        if any(candidate.glob("01-*.ipynb")):
            return candidate
    return None


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
