"""What kernels run first that execute lessons for the site; ``lessons`` puts it where IPython looks."""

from __future__ import annotations

import base64
import html
import os
import warnings
from typing import Any

from IPython.core.getipython import get_ipython

os.chdir(os.environ["LAMBDASIM_LESSONS"])


def _plainly(message: Warning | str, category: type[Warning], *_: object) -> str:
    """A warning without the place in the code, which is a path of the machine that built the site."""
    return f"{category.__name__}: {message}\n"


def _as_it_stands(explorer: Any, **_: object) -> dict[str, str]:
    """Sliders need a kernel behind them: on a page they are a list of values, with the picture and table they gave."""
    sliders = explorer.controls.items()
    values = ", ".join(f"<b>{html.escape(name)}</b> {html.escape(str(slider.value))}" for name, slider in sliders)
    picture = base64.b64encode(explorer.image.value).decode("ascii")
    return {
        "text/html": (
            f"<p><i>In a notebook that runs, here are sliders:</i> {values}</p>"
            f'<img src="data:image/png;base64,{picture}" alt="what the sliders gave">'
            f"<p>{explorer.status.value}</p>{explorer.table.value}"
        )
    }


warnings.formatwarning = _plainly  # type: ignore[assignment]
_shell = get_ipython()
if _shell is not None:
    _shell.display_formatter.mimebundle_formatter.for_type_by_name(
        "lambdasim.notebook.explorer", "Explorer", _as_it_stands
    )
