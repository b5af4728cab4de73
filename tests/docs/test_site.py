"""What the site is built with: lessons that give the same page every time, on this checkout; links that Sphinx misses.

The build itself is part of ``.ci/run``, with every warning an error. Nothing here needs Sphinx.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient

from tests.docs.pages import DOCS, ROOT, module_of

CELLS = (
    "import os, warnings\nimport lambdasim as ls\n[os.getcwd(), os.path.dirname(ls.__file__)]",
    "warnings.warn('of no use', ls.ScenarioWarning)",
    'source = {"duration": "5s", "functions": {"f": {"duration": "1s", "init": "0s"}},'
    ' "traffic": {"t": {"function": "f", "rate": "5/s"}},'
    ' "region": {"concurrency_quota": 10, "min_unreserved": 0}}\n'
    'explorer = ls.explore(source, {"region.concurrency_quota": (2, 10)}, seed=1)\nexplorer',
    "film = ls.simulate(source, seed=1).animate(seconds=1, fps=2)\nfilm",
    "film",
    # A run that takes longer than a second.
    "from lambdasim.notebook import progress\nprogress._PATIENCE_S = -1\n"
    "bar = progress.Bar('slow', 10, progress.html_display())\nbar.on_progress(5, 1)\nbar.close()",
)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another checkout than the one that is installed here: the package, what builds the site, and one lesson."""
    root = tmp_path_factory.mktemp("checkout")
    shutil.copytree(ROOT / "lambdasim", root / "lambdasim", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(DOCS / "_extensions", root / "docs" / "_extensions")
    shutil.copy(DOCS / "conf.py", root / "docs")
    (root / "notebooks").mkdir()
    (root / "notebooks" / "01-one.ipynb").write_text("{}", encoding="utf-8")
    (root / "notebooks" / "README.md").touch()
    return root


@pytest.fixture(scope="module")
def executed(checkout: Path) -> list[Any]:
    """A lesson as two builds run it."""
    before = dict(os.environ)
    try:
        module_of(checkout / "docs" / "_extensions" / "lessons.py")._run_in_their_folder()
        return [_executed() for _ in range(2)]
    finally:
        os.environ.clear()
        os.environ.update(before)


def _executed() -> Any:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    return notebook


def outputs(executed: list[Any], cell: int) -> list[Any]:
    """What a cell showed, in the first of the builds."""
    shown: list[Any] = executed[0].cells[cell].outputs
    return shown


class TestLessons:
    """What a lesson shows on the site."""

    def test_runs_in_its_folder_on_the_checkout(self, executed: list[Any], checkout: Path) -> None:
        """Whatever lambdasim is installed for this Python."""
        (shown,) = outputs(executed, 0)
        folders = ast.literal_eval(shown.data["text/plain"])
        assert folders == [str(checkout / "notebooks"), str(checkout / "lambdasim")]

    def test_a_warning_has_no_place(self, executed: list[Any]) -> None:
        """A path of the machine that built the site, and a line of code."""
        (shown,) = outputs(executed, 1)
        assert (shown.name, shown.text) == ("stderr", "ScenarioWarning: of no use\n")

    def test_sliders_are_a_list_with_what_they_gave(self, executed: list[Any]) -> None:
        """Names, values, the picture and the table; not how long it took."""
        (shown,) = outputs(executed, 2)
        html = shown.data["text/html"]
        assert "here are sliders:</i> <b>region.concurrency_quota</b> 10<" in html
        assert 'src="data:image/png;base64,iVBOR' in html
        assert "<table" in html
        assert "By formula" in html
        assert "Simulated" not in html
        assert shown.data["text/plain"] == ""  # it would hold the time as well

    def test_no_state_of_widgets_comes_along(self, executed: list[Any]) -> None:
        """Nobody on the page could use it."""
        assert "widgets" not in executed[0].metadata

    def test_films_of_a_page_have_names_of_their_own(self, executed: list[Any]) -> None:
        """Numbered, so that every build has the same."""
        first, second = (outputs(executed, cell)[0].data["text/html"] for cell in (3, 4))
        assert "film-1" in first
        assert first.replace("film-1", "film-2") == second

    def test_no_bar(self, executed: list[Any]) -> None:
        """It would leave an empty output where the machine was slow."""
        assert outputs(executed, 5) == []

    def test_two_builds_show_the_same(self, executed: list[Any]) -> None:
        """Byte for byte."""
        first, second = ([cell.outputs for cell in notebook.cells] for notebook in executed)
        assert first == second


def test_the_interface_is_that_of_the_checkout(checkout: Path) -> None:
    """Sphinx imports what it documents after it has read conf.py."""
    code = "import runpy; runpy.run_path('docs/conf.py'); import lambdasim; print(lambdasim.__file__)"
    # -I leaves out the current folder, so that without conf.py it would be the installed one.
    done = subprocess.run(
        [sys.executable, "-I", "-c", code.replace("docs/conf.py", str(checkout / "docs" / "conf.py"))],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == str(checkout / "lambdasim" / "__init__.py")


class TestCopies:
    """Of the notebooks, where Sphinx finds them."""

    def test_are_those_of_the_lessons(self, checkout: Path) -> None:
        """One that is gone goes; one that did not change keeps its time, by which Sphinx goes."""
        lessons, copies = module_of(checkout / "docs" / "_extensions" / "lessons.py"), checkout / "docs" / "notebooks"
        lessons._copy()
        assert [path.name for path in copies.iterdir()] == ["01-one.ipynb"]
        (copies / "09-gone.ipynb").touch()
        os.utime(copies / "01-one.ipynb", (1_000, 1_000))
        lessons._copy()
        assert [path.name for path in copies.iterdir()] == ["01-one.ipynb"]
        assert (copies / "01-one.ipynb").stat().st_mtime == 1_000
        (checkout / "notebooks" / "01-one.ipynb").write_text('{"cells": []}', encoding="utf-8")
        lessons._copy()
        assert (copies / "01-one.ipynb").read_text(encoding="utf-8") == '{"cells": []}'

    @pytest.mark.parametrize(
        ("page", "written", "link"),
        [
            ("notebooks/01-one", "../docs/model.md", "../model.md"),
            ("notebooks/01-one", "../scenarios/spike.yaml", "../../scenarios/spike.yaml"),
            ("notebooks/01-one", "02-two.ipynb", "02-two.ipynb"),
            ("lessons", "../notebooks/01-one.ipynb", "notebooks/01-one.ipynb"),
            ("workshop/README", "../../notebooks/01-one.ipynb", "../notebooks/01-one.ipynb"),
            ("lessons", "../scenarios/spike.yaml", "../scenarios/spike.yaml"),
        ],
    )
    def test_links_lead_where_they_did(self, page: str, written: str, link: str) -> None:
        """From the folder in which Sphinx sees the page."""
        source = [f"see [this]({written})."]
        module_of(DOCS / "_extensions" / "lessons.py")._relative_links(None, page, source)
        assert source == [f"see [this]({link})."]


def prose() -> dict[str, str]:
    """All Markdown that becomes the site, without code."""
    pages = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md")}
    pages["README.md"] = (ROOT / "README.md").read_text(encoding="utf-8")
    for path in (ROOT / "notebooks").glob("[0-9][0-9]-*.py"):
        cells = (cell.source for cell in jupytext.read(path).cells if cell.cell_type == "markdown")
        pages[path.name] = "\n\n".join(cells)
    return {name: re.sub(r"^```.*?^```$|`[^`\n]+`", "", text, flags=re.M | re.S) for name, text in pages.items()}


def test_links_are_of_the_kind_that_is_checked() -> None:
    """Sphinx looks into neither ``<a href>`` nor ``<img src>``, and takes ``[text][name]`` without a name for text."""
    pages = prose()
    assert len(pages) > 30
    for name, text in pages.items():
        assert not re.search(r"<(a|img)\b", text), name
        assert not re.search(r"\]\[", text), name
