"""What kernels run first that execute lessons for the site; ``lessons`` puts it where IPython looks.

Two builds of the same lessons give the same pages: nothing on them depends on how fast the machine was, on the place of
the project, or on chance.
"""

from __future__ import annotations

import html
import itertools
import os
import re
import warnings
from typing import Any

import comm
from IPython.core.getipython import get_ipython

from lambdasim.notebook.progress import Bar

os.chdir(os.environ["LAMBDASIM_LESSONS"])

# How long a run of the explorer took.
_TOOK = re.compile(r"Simulated in [\d.]+ s\. ")

_films = itertools.count(1)


def _plainly(message: Warning | str, category: type[Warning], *_: object) -> str:
    """A warning without the place in the code, which is a path of the machine that built the site."""
    return f"{category.__name__}: {message}\n"


def _as_it_stands(explorer: Any, **_: object) -> dict[str, str]:
    """Sliders need a kernel behind them: on a page they are a list of values, with the picture and table they gave."""
    sliders = explorer.controls.items()
    values = ", ".join(f"<b>{html.escape(name)}</b> {html.escape(str(slider.value))}" for name, slider in sliders)
    return {
        "text/html": (
            f"<p><i>In a notebook that runs, here are sliders:</i> {values}</p>"
            f"{explorer.image.value}{_TOOK.sub('', explorer.status.value)}{explorer.table.value}"
        ),
        "text/plain": "",  # else the widgets in words, with all that they hold
    }


def _film(film: Any) -> str:
    """The player, with a name that says which one of the page it is."""
    text: str = film.text(f"film-{next(_films)}")
    return text


warnings.formatwarning = _plainly  # type: ignore[assignment]
Bar.on_progress = lambda *_: None  # type: ignore[method-assign]  # a bar that came leaves an empty output when it goes
# Without a page that listens widgets need no models; these would stay in the page, with names by chance.
comm.create_comm = comm.DummyComm
_shell = get_ipython()
if _shell is not None:
    _formats = _shell.display_formatter
    _formats.mimebundle_formatter.for_type_by_name("lambdasim.notebook.explorer", "Explorer", _as_it_stands)
    _formats.formatters["text/html"].for_type_by_name("lambdasim.notebook.animation", "AnimationHtml", _film)
