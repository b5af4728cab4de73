"""``notebooks/pair.py``: what was edited, in either of a pair, is not lost."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.docs.pages import ROOT, module_of

LESSON = """# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # One

# %%
import lambdasim as ls

# %%
1 + 1
"""


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module, at work on a folder with one lesson, whose notebook is current."""
    module: Any = module_of(ROOT / "notebooks" / "pair.py")
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    (tmp_path / "01-one.py").write_text(LESSON, encoding="utf-8")
    assert module.main([]) == 0
    set_times(tmp_path, newer="py")
    return module


def set_times(folder: Path, *, newer: str) -> None:
    """Which of the two was written last."""
    for suffix, seconds in (("py", 1_000), ("ipynb", 1_000)):
        os.utime(folder / f"01-one.{suffix}", (seconds, seconds + (suffix == newer)))


def edit_notebook(folder: Path, *, runs: bool = False, source: str = "1 + 2", drop: int = 0) -> None:
    """As Jupyter does: the ids stay, outputs come along, and metadata of its own."""
    path = folder / "01-one.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[-1].source = source
    if runs:
        notebook.cells[-1].outputs = [nbformat.v4.new_output("stream", text="2")]
        notebook.cells[-1].execution_count = 7
    notebook.cells = notebook.cells[drop:]
    notebook.metadata["language_info"] = {"name": "python", "version": "3.99"}
    nbformat.write(notebook, path)


def texts(folder: Path) -> tuple[str, list[str]]:
    """The .py, and the cells of the notebook."""
    notebook = nbformat.read(folder / "01-one.ipynb", as_version=4)
    return (folder / "01-one.py").read_text(encoding="utf-8"), [cell.source for cell in notebook.cells]


def test_a_changed_lesson_makes_its_notebook(pair: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The usual way; then nothing differs."""
    changed = LESSON.replace("1 + 1", "1 + 3")
    (tmp_path / "01-one.py").write_text(changed, encoding="utf-8")
    capsys.readouterr()
    assert pair.main(["--check"]) == 1
    assert capsys.readouterr().out == "01-one.ipynb: differs from its .py\n"
    assert pair.main([]) == 0
    assert texts(tmp_path) == (changed, ["# One", "import lambdasim as ls", "1 + 3"])
    assert pair.differing() == []
    assert pair.main(["--check"]) == 0


def test_a_notebook_that_only_ran_is_made_anew(pair: Any, tmp_path: Path) -> None:
    """Outputs are not kept, and nothing is lost."""
    edit_notebook(tmp_path, runs=True, source="1 + 1")
    set_times(tmp_path, newer="ipynb")
    assert pair.main(["--check"]) == 1
    assert pair.main([]) == 0
    assert pair.differing() == []


@pytest.mark.parametrize("newer", ["py", "ipynb"])
def test_an_edited_notebook_is_left_alone(
    pair: Any, tmp_path: Path, newer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where the .py was touched after it: the id of the cell tells."""
    edit_notebook(tmp_path)
    set_times(tmp_path, newer=newer)
    before = texts(tmp_path)
    assert pair.main([]) == 1
    assert texts(tmp_path) == before
    assert capsys.readouterr().err == (
        "01-one.ipynb: was edited, and is not overwritten; --from ipynb takes its cells into 01-one.py, --from py gives"
        " them up\n"
    )


def test_a_newer_notebook_that_lost_a_cell_is_left_alone(pair: Any, tmp_path: Path) -> None:
    """Every id follows from its text, so that only the time tells; an older one has not lost what the .py gained."""
    edit_notebook(tmp_path, source="1 + 1", drop=1)
    set_times(tmp_path, newer="ipynb")
    assert pair.main([]) == 1
    set_times(tmp_path, newer="py")
    assert pair.main([]) == 0
    assert texts(tmp_path) == (LESSON, ["# One", "import lambdasim as ls", "1 + 1"])


def test_from_the_lesson(pair: Any, tmp_path: Path) -> None:
    """What was edited in the notebook is given up."""
    edit_notebook(tmp_path)
    assert pair.main(["--from", "py"]) == 0
    assert texts(tmp_path) == (LESSON, ["# One", "import lambdasim as ls", "1 + 1"])


def test_from_the_notebook(pair: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its cells go into the .py, whose head stays as it is; then the notebook is made of that, without outputs."""
    capsys.readouterr()
    edit_notebook(tmp_path, runs=True)
    assert pair.main(["--from", "ipynb"]) == 0
    assert capsys.readouterr().out == "01-one.py: written\n01-one.ipynb: written\n"
    assert texts(tmp_path) == (LESSON.replace("1 + 1", "1 + 2"), ["# One", "import lambdasim as ls", "1 + 2"])
    assert pair.differing() == []
    assert "outputs" in (tmp_path / "01-one.ipynb").read_text(encoding="utf-8")
    assert 'execution_count": 7' not in (tmp_path / "01-one.ipynb").read_text(encoding="utf-8")


def test_a_lesson_that_was_edited_is_no_less_safe(pair: Any, tmp_path: Path) -> None:
    """With --from ipynb too, where the notebook is as pair.py made it: nothing was edited in it."""
    changed = LESSON.replace("1 + 1", "1 + 3")
    (tmp_path / "01-one.py").write_text(changed, encoding="utf-8")
    os.utime(tmp_path / "01-one.py", (2_000, 2_000))
    assert pair.main(["--from", "ipynb"]) == 0
    assert texts(tmp_path) == (changed, ["# One", "import lambdasim as ls", "1 + 3"])


def test_every_lesson_survives_the_way_there_and_back(pair: Any) -> None:
    """The .py of each lesson, through a notebook, is the same .py."""
    for lesson in sorted((ROOT / "notebooks").glob("[0-9][0-9]-*.py")):
        text = lesson.read_text(encoding="utf-8")
        notebook = nbformat.reads(pair.notebook_text(text), as_version=4)
        assert pair.lesson_text(text, notebook) == text
