"""How long a slider move of ``ls.explore`` takes, part by part: loading, formula, simulation, picture, figures."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import lambdasim as ls

TURNS = 9
PATH = "region.concurrency_quota"


def main() -> None:
    turns = 3 if "--quick" in sys.argv else TURNS
    print(f"{'requests':>10}{'formula shown after':>22}{'all shown after':>18}{'of it simulating':>19}")
    for count in (5_000, 20_000, 50_000):
        shown, done, simulating = zip(*(_move(count, turn) for turn in range(turns + 1)), strict=True)
        # The first move imports matplotlib.
        texts = [f"{statistics.median(times[1:]):.2f} s" for times in (shown, done, simulating)]
        print(f"{count:10,}{texts[0]:>22}{texts[1]:>18}{texts[2]:>19}", flush=True)


def _move(count: int, turn: int) -> tuple[float, float, float]:
    """Seconds from a move to the curve by formula, and to the end; and those of the simulation alone."""
    explorer = ls.explore(_scenario(count), {PATH: (50, 3_000)})
    pictures: list[float] = []
    seen: Callable[[Any], None] = lambda _: pictures.append(time.perf_counter())  # noqa: E731
    explorer.image.observe(seen, names="value")
    started = time.perf_counter()
    explorer.controls[PATH].value = 150 + turn
    ended = time.perf_counter()
    assert explorer.result is not None
    return pictures[0] - started, ended - started, explorer.result.wall_s


def _scenario(count: int) -> ls.Scenario:
    """200 in flight on average, of which the quotas of the moves refuse a part."""
    return ls.load(
        {
            "name": "moved",
            "seed": 1,
            "duration": f"{count / 200:.0f}s",
            "functions": {"f": {"duration": {"exponential": {"mean": "1s"}}, "init": "500ms"}},
            "traffic": {"callers": {"function": "f", "rate": "200/s"}},
        }
    )


if __name__ == "__main__":
    main()
