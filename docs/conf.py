"""The site of the documentation: ``sphinx-build -W --keep-going docs DIRECTORY``, with the extra ``lambdasim[docs]``.

The pages are the Markdown that GitHub shows, the lessons are those of ``notebooks/``, run while the site is built. Both
the interface that is documented and the lessons are of this checkout, whatever lambdasim is installed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS.parent), str(DOCS / "_extensions")]

from pygments.lexers.special import TextLexer  # noqa: E402

from lambdasim.version import __version__  # noqa: E402

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "lambdasim"
author = "the lambdasim authors"
copyright = "the lambdasim authors, MIT License"
release = version = __version__

extensions = [
    "sphinx.ext.autodoc",
    "myst_nb",  # brings myst_parser along
    "lessons",
]
templates_path = ["_templates"]
root_doc = "index"
# index.md includes README.md, which is the first page on GitHub.
exclude_patterns = ["README.md", "_build", "_extensions", "_templates", "**/.ipynb_checkpoints", "notebooks/*.md"]

# GitHub's anchors of headings, so that one link works on both.
myst_heading_anchors = 4
# A bare address is a link, as on GitHub; a file name such as spike.yaml is none.
myst_enable_extensions = ["linkify"]
myst_linkify_fuzzy_links = False

nb_execution_mode = "force"
nb_execution_show_tb = True  # a cell that fails is a warning, so that -W --keep-going names every lesson that does
nb_execution_timeout = 60  # seconds for one cell
nb_merge_streams = True
# Sliders need a kernel behind them, and their scripts would come from elsewhere: the site works without a network.
nb_ipywidgets_js: dict[str, dict[str, str]] = {}

# A reference to a name that is not there is a warning. Annotations name classes of numpy, matplotlib and of our own
# insides, which have no entry here: of classes only those of the interface have to be there.
nitpicky = True
nitpick_ignore_regex = [("py:class", r"(?!lambdasim\.[A-Z]\w*$).*")]

# sphinx-build -b linkcheck (see CONTRIBUTING.md). A slow server is no broken link, and GitHub's pages get their anchors
# in the browser.
linkcheck_timeout = 20  # seconds
linkcheck_retries = 2
linkcheck_anchors_ignore_for_url = [r"https://github\.com/.*"]

autodoc_member_order = "bysource"
# Nobody makes a Result or a Frontier by hand.
autodoc_default_options = {"exclude-members": "__init__, __new__"}
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_class_signature = "separated"
python_use_unqualified_type_names = True

html_theme = "furo"
html_title = f"lambdasim {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("html-page-context", _printable)
    app.add_lexer("csv", TextLexer)  # Pygments has none


def _printable(app: Sphinx, page: str, template: str, context: dict[str, object], doctree: object) -> str | None:
    """The handout is a sheet of paper: no navigation, two columns, a template of its own."""
    return "handout.html" if page == "workshop/handout" else None
