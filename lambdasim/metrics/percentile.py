"""Percentiles as this project defines them: the ceil(p n)-th smallest value, a value that did occur."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def percentiles(values: npt.NDArray[np.int64], permille: Sequence[int]) -> list[int]:
    """The given percentiles (500 is the median, 999 is p99.9) of at least one value."""
    ranks = [max(-(-len(values) * share // 1_000), 1) - 1 for share in permille]
    partitioned = np.partition(values, sorted(set(ranks)))
    return [int(partitioned[rank]) for rank in ranks]
