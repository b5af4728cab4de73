"""``explore``: sliders on a scenario. Importing this needs no widgets; calling it does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambdasim.api import ScenarioSource, load
from lambdasim.errors import UsageError
from lambdasim.notebook.controls import controls_of
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
    Paths with commas between them move together. Without ``controls`` there are up to four sensible ones. ``picture``
    is ``concurrency``, which has the curve by formula too, or another method of ``result.plot``.

    Raises ScenarioError where scenario or path is wrong, UsageError where another argument is, or where ipywidgets is
    missing.
    """
    try:
        from lambdasim.notebook.explorer import Explorer, check_picture
    except ModuleNotFoundError as error:
        if error.name != "ipywidgets":
            raise
        raise UsageError("explore needs ipywidgets: pip install 'lambdasim[notebook]'") from None
    check_picture(picture)
    loaded = load(scenario, seed=seed, set=set)
    if loaded.seed is None:
        loaded = load(loaded, seed=fresh_seed())  # every move has the same requests
    base = Path(scenario).parent if isinstance(scenario, str | os.PathLike) else Path()
    return Explorer(loaded, controls_of(loaded, controls), picture, base.resolve())
