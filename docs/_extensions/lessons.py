"""The lessons of ``notebooks/`` as pages of the site.

Sphinx takes sources from below its own folder alone, and follows a symbolic link to where it leads. So the build copies
the notebooks into ``docs/notebooks``, which git ignores. They run in ``notebooks/`` all the same, as in JupyterLab, and
on the lambdasim of this checkout, whatever is installed.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]
LESSONS = ROOT / "notebooks"
COPIES = ROOT / "docs" / "notebooks"
IPYTHON = ROOT / "docs" / "_build" / "ipython"

# Links from notebooks/ to files elsewhere in the repository lead there from docs/notebooks/ as well, and pages of docs/
# to lessons stay below docs/.
_TO_DOCS = re.compile(r"\]\(\.\./docs/")
_TO_ELSEWHERE = re.compile(r"\]\(\.\./(?!docs/)")
_TO_LESSONS = re.compile(r"\]\(\.\./((?:\.\./)*notebooks/)")


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    _copy()
    _run_in_their_folder()
    app.connect("source-read", _relative_links)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _copy() -> None:
    COPIES.mkdir(exist_ok=True)
    lessons = {path.name: path.read_bytes() for path in LESSONS.glob("*.ipynb")}
    for copy in COPIES.glob("*.ipynb"):
        if copy.name not in lessons:
            copy.unlink()
    for name, content in lessons.items():
        copy = COPIES / name
        if not copy.exists() or copy.read_bytes() != content:  # Sphinx goes by the time of the last change
            copy.write_bytes(content)


def _run_in_their_folder() -> None:
    """A folder of IPython's own, whose start-up file changes to ``notebooks/``; nobody's own settings play a part."""
    source = Path(__file__).with_name("kernel_startup.py").read_text(encoding="utf-8")
    startup = IPYTHON / "profile_default" / "startup"
    startup.mkdir(parents=True, exist_ok=True)
    (startup / "00-lessons.py").write_text(source, encoding="utf-8")
    os.environ |= {
        "IPYTHONDIR": str(IPYTHON),
        "LAMBDASIM_LESSONS": str(LESSONS),
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
    }


def _relative_links(app: Sphinx, docname: str, source: list[str]) -> None:
    if docname.startswith("notebooks/"):
        source[0] = _TO_DOCS.sub("](../", _TO_ELSEWHERE.sub("](../../", source[0]))
    else:
        source[0] = _TO_LESSONS.sub(r"](\1", source[0])
