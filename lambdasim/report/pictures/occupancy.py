"""How much of each cell of a grid (row x time) is covered by intervals, without a loop over intervals."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


def covered(
    rows: IntArray, start: npt.NDArray[np.generic], end: npt.NDArray[np.generic], *, shape: tuple[int, int], span: float
) -> FloatArray:
    """Total time covered in each cell, in units of a cell's width. Shape ``shape`` = (rows, bins over [0, span)).

    ``rows``, ``start`` and ``end`` have shape (n_intervals,); intervals of one row may overlap and then add up. An
    interval that starts at s adds (edge after s) - s to its cell and a whole width to every later one; its end takes
    the same away again. So two histograms and a running sum do it.
    """
    n_rows, bins = shape
    partly = np.zeros(n_rows * (bins + 1))
    fully = np.zeros(n_rows * (bins + 1))
    for times, sign in ((start, 1.0), (end, -1.0)):
        position = np.clip(np.asarray(times, dtype=np.float64) / span * bins, 0, bins)
        cell = np.minimum(position.astype(np.int64), bins)
        flat = rows * (bins + 1) + cell
        partly += sign * np.bincount(flat, weights=cell + 1 - position, minlength=len(partly))
        fully += sign * np.bincount(flat, minlength=len(fully))
    whole = np.cumsum(fully.reshape(n_rows, bins + 1), axis=1)
    grid = partly.reshape(n_rows, bins + 1)
    grid[:, 1:] += whole[:, :-1]
    return np.maximum(grid[:, :bins], 0.0)
