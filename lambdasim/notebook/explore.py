"""``explore``: sliders on a scenario. Importing this needs no widgets; calling it does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambdasim.api import ScenarioSource, load
from lambdasim.extras import load_extra
from lambdasim.notebook.controls import controls_of
from lambdasim.notebook.sensible_controls import sensible_controls
from lambdasim.rng import fresh_seed

if TYPE_CHECKING:
    from lambdasim.notebook.explorer import Explorer


def explore(
    scenario: ScenarioSource,
    controls: Mapping[str, Any] | None = None,
    picture: str = "concurrency",
    *,
    seed: int | None = None,
    set: Mapping[str, object] | None = None,
) -> Explorer:
    """Sliders that simulate a scenario again at every move, with the same requests: the last line of a notebook cell.

    ``controls`` says what they move: ``{"region.concurrency_quota": (100, 3000)}``, low and high, with a step if you
    like; texts with a unit for times and rates, ``("100ms", "2s", "100ms")``; or a list of choices, ``["mru", "lru"]``.
    What the scenario has is always one of them, and where it begins. Paths with commas between them move together.
    Without ``controls`` there are up to four sensible ones. ``picture`` is ``concurrency``, which has the curve by
    formula too, or another method of ``result.plot``.

    Raises ScenarioError where scenario or path is wrong or the run would not fit in memory, UsageError where another
    argument is wrong, or where ipywidgets is missing.
    """
    load_extra("ipywidgets", "explore")
    from lambdasim.notebook.explorer import Explorer, check_picture

    check_picture(picture)
    loaded = load(scenario, seed=seed, set=set)
    if loaded.seed is None:
        loaded = load(loaded, seed=fresh_seed())  # every move has the same requests
    base = Path(scenario).parent if isinstance(scenario, str | os.PathLike) else Path()
    chosen = sensible_controls(loaded) if controls is None else controls_of(loaded, controls)
    return Explorer(loaded, chosen, picture, base.resolve())
