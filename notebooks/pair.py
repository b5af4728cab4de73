"""Makes the .ipynb of every lesson from its .py, which is the one to edit: ``python notebooks/pair.py``.

``--check`` only compares, and names what differs; tests do the same. A notebook has no outputs. The id of a cell
follows from its text, so that a change of one cell shows as a change of one cell.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

import jupytext
import nbformat

FOLDER = Path(__file__).parent


def lessons() -> list[Path]:
    """The .py of every lesson, in order."""
    return sorted(FOLDER.glob("[0-9][0-9]-*.py"))


def notebook_text(source: str) -> str:
    """The .ipynb, as text, of a lesson in the percent format."""
    notebook = jupytext.reads(source, fmt="py:percent")
    # Which jupytext wrote the notebook is nobody's business, and would differ from machine to machine.
    notebook.metadata["jupytext"] = {"formats": "ipynb,py:percent"}
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        name = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        seen[name] = seen.get(name, 0) + 1
        cell["id"] = name if seen[name] == 1 else f"{name}-{seen[name]}"
    notebook.nbformat, notebook.nbformat_minor = 4, 5  # the first format in which cells have ids
    nbformat.validate(notebook)
    return str(nbformat.writes(notebook)) + "\n"


def differing() -> list[Path]:
    """Notebooks that are missing or are not what their .py says."""
    return [
        target
        for source in lessons()
        if not (target := source.with_suffix(".ipynb")).exists()
        or target.read_text(encoding="utf-8") != notebook_text(source.read_text(encoding="utf-8"))
    ]


def main() -> int:
    """Writes or compares; 1 where ``--check`` finds a difference."""
    parser = argparse.ArgumentParser(description="Make the notebooks from their .py files.")
    parser.add_argument("--check", action="store_true", help="only compare")
    only_compare = parser.parse_args().check
    changed = differing()
    for target in changed:
        if not only_compare:
            source = target.with_suffix(".py").read_text(encoding="utf-8")
            target.write_text(notebook_text(source), encoding="utf-8")
        print(f"{target.name}: {'differs from its .py' if only_compare else 'written'}")
    return 1 if only_compare and changed else 0


if __name__ == "__main__":
    sys.exit(main())
