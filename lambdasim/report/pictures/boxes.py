"""Where the boxes of a film stand: squares for the places of environments, in blocks by function, as large as fits."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lambdasim.report.pictures.lifelines import Rows

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

_MOST_BOXES = 2_500
_LARGEST_BOX, _NAME_ROOM = 74.0, 17.0
_MOST_NAMES = 8  # of more functions there is no room for names; all boxes are one block then


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The part of the canvas that boxes may cover."""

    left: float
    right: float
    bottom: float
    top: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Boxes:
    """Squares of one size on the canvas. Shape (n_boxes,) but for ``of_place``."""

    left: FloatArray
    bottom: FloatArray
    size: float
    shown: IntArray  # the place that each box shows: the first of those that it stands for
    of_place: IntArray  # the box that stands for each place, shape (n_places,)
    names: tuple[tuple[int, float], ...]  # number of a function, and the height of its name (the baseline)
    each: int  # how many environments a box stands for


def boxes_of(rows: Rows, stage: Stage, *, named: bool) -> Boxes:
    """Squares in rows from the top, a block for each function where they are named, as large as the stage allows.

    Every function has a box of its own, also where a box stands for several environments.
    """
    each = max(1, math.ceil(rows.total / _MOST_BOXES))
    named = named and len(rows.groups) <= _MOST_NAMES
    blocks = rows.groups[::-1] if named else ((0, 0, rows.total),)
    counts = [math.ceil(places / each) for _, _, places in blocks]
    size, across = _fitting(
        counts, stage.right - stage.left, stage.top - stage.bottom - named * _NAME_ROOM * len(counts)
    )
    left, bottom = np.empty(sum(counts)), np.empty(sum(counts))
    shown = np.empty(sum(counts), dtype=np.int64)
    of_place = np.empty(rows.total, dtype=np.int64)
    names = []
    top, base = stage.top, 0
    for (function, first, places), count in zip(blocks, counts, strict=True):
        if named:
            names.append((function, top - 12))
            top -= _NAME_ROOM
        number, block = np.arange(count), slice(base, base + count)
        left[block] = stage.left + number % across * size
        bottom[block] = top - (number // across + 1) * size
        shown[block] = first + number * each
        of_place[first : first + places] = base + np.arange(places) // each
        top -= math.ceil(count / across) * size
        base += count
    return Boxes(left=left, bottom=bottom, size=size, shown=shown, of_place=of_place, names=tuple(names), each=each)


def _fitting(counts: list[int], width: float, height: float) -> tuple[float, int]:
    """The side of the boxes, and how many stand beside each other."""
    size = _LARGEST_BOX
    while size > 1 and sum(math.ceil(count / (width // size)) for count in counts) * size > height:
        size *= 0.98
    size = float(math.floor(size)) if size >= 4 else size  # whole pixels, or some edges would be thicker than others
    return size, max(int(width // size), 1)
