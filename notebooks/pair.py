"""Makes the .ipynb of every lesson from its .py, which is the one to edit: ``python notebooks/pair.py``.

A notebook whose cells were edited in Jupyter is not overwritten: ``--from ipynb`` takes such cells into the .py,
``--from py`` gives them up. ``--check`` only compares, and names what differs; tests do the same. A notebook has no
outputs. The id of a cell follows from its text, so that a change of one cell shows as a change of one cell, and a cell
that was edited is known by an id that does not.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jupytext
import nbformat

FOLDER = Path(__file__).parent

# What jupytext writes above the first cell, its own version included.
_HEAD = re.compile(r"\A# ---\n(?:#.*\n)*?# ---\n")


def lessons() -> list[Path]:
    """The .py of every lesson, in order."""
    return sorted(FOLDER.glob("[0-9][0-9]-*.py"))


def notebook_text(source: str) -> str:
    """The .ipynb, as text, of a lesson in the percent format."""
    notebook = jupytext.reads(source, fmt="py:percent")
    # Which jupytext wrote the notebook is nobody's business, and would differ from machine to machine.
    notebook.metadata["jupytext"] = {"formats": "ipynb,py:percent"}
    for cell, name in zip(notebook.cells, ids_of(notebook.cells), strict=True):
        cell["id"] = name
    notebook.nbformat, notebook.nbformat_minor = 4, 5  # the first format in which cells have ids
    nbformat.validate(notebook)
    return str(nbformat.writes(notebook)) + "\n"


def ids_of(cells: Sequence[Any]) -> list[str]:
    """The ids that follow from the texts of cells; the second of two alike gets a number."""
    seen: dict[str, int] = {}
    ids = []
    for cell in cells:
        name = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        seen[name] = seen.get(name, 0) + 1
        ids.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return ids


def lesson_text(source: str, notebook: Any) -> str:
    """The .py of a lesson with the cells of a notebook; the head, and cells that are the same, stay as they are."""
    lesson = jupytext.reads(source, fmt="py:percent")
    known = {(cell.cell_type, cell.source): cell for cell in lesson.cells}
    lesson.cells = [
        known.get((cell.cell_type, cell.source))
        or nbformat.from_dict({"cell_type": cell.cell_type, "source": cell.source, "metadata": {}, "outputs": []})
        for cell in notebook.cells
    ]
    head = _HEAD.match(source)
    return (head[0] if head else "") + _HEAD.sub("", jupytext.writes(lesson, fmt="py:percent"))


def is_edited(source: Path) -> bool:
    """Whether the cells of a notebook are others than those of its .py, and were edited later than that or by hand."""
    target = source.with_suffix(".ipynb")
    if not target.exists():
        return False
    cells = nbformat.read(target, as_version=4).cells
    lesson = jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent").cells
    if [(one.cell_type, one.source) for one in cells] == [(one.cell_type, one.source) for one in lesson]:
        return False
    is_newer = target.stat().st_mtime > source.stat().st_mtime
    return is_newer or [cell.get("id") for cell in cells] != ids_of(cells)


def differing() -> list[Path]:
    """Notebooks that are missing or are not what their .py says."""
    return [
        target
        for source in lessons()
        if not (target := source.with_suffix(".ipynb")).exists()
        or target.read_text(encoding="utf-8") != notebook_text(source.read_text(encoding="utf-8"))
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes or compares; 1 where ``--check`` finds a difference, or where a notebook that was edited is left alone."""
    parser = argparse.ArgumentParser(description="Make the notebooks from their .py files.")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="only compare")
    what.add_argument(
        "--from",
        dest="origin",
        choices=("py", "ipynb"),
        help="where a notebook was edited as well: which of the two to keep",
    )
    options = parser.parse_args(arguments)
    changed = differing()
    if options.check:
        for target in changed:
            print(f"{target.name}: differs from its .py")
        return 1 if changed else 0
    results = [_make(target, options.origin) for target in changed]
    return 0 if all(results) else 1


def _make(target: Path, origin: str | None) -> bool:
    """Writes a notebook that differs, where that is the origin first its .py; False where it has to be left alone."""
    source = target.with_suffix(".py")
    if origin is None and is_edited(source):
        print(
            f"{target.name}: was edited, and is not overwritten; --from ipynb takes its cells into {source.name},"
            " --from py gives them up",
            file=sys.stderr,
        )
        return False
    if origin == "ipynb" and is_edited(source):
        notebook = nbformat.read(target, as_version=4)
        source.write_text(lesson_text(source.read_text(encoding="utf-8"), notebook), encoding="utf-8")
        print(f"{source.name}: written")
    target.write_text(notebook_text(source.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"{target.name}: written")
    return True


if __name__ == "__main__":
    sys.exit(main())
