"""Areas between steps, each in exactly the colour that the legend has."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

FloatArray = npt.NDArray[np.float64]


def draw_area(ax: Axes, times_s: FloatArray, below: FloatArray, above: FloatArray, *, label: str, **look: Any) -> None:
    """The area between two levels, each of which holds from its time until the next one; the last ones end it.

    A column that is narrower than a pixel fills the pixel, as high as it is. With antialiasing it would be blended
    with what is beside it, and dark blue on white is the very light blue that stands for something else. It is a patch,
    as matplotlib draws the collection of ``fill_between`` antialiased, whatever it is told.
    """
    if len(times_s) > 1:
        how: dict[str, Any] = {"fill": True, "antialiased": False, "snap": False, "linewidth": 0}
        ax.stairs(above[:-1], times_s, baseline=below[:-1], label=label, **(how | look))
