"""What an interrupted call had until then. It is kept for the next cell, since the one that made it has failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambdasim.errors import RunInterrupted, UsageError

if TYPE_CHECKING:
    from lambdasim.api import Result
    from lambdasim.level_runs import Frontier
    from lambdasim.notebook.compare import Comparison

_last: Result | Comparison | Frontier | None = None


def interrupted(what: Result | Comparison | Frontier, when: str) -> RunInterrupted:
    """Keeps what there is, and returns the exception that ends the cell."""
    global _last
    _last = what
    return RunInterrupted(f"Interrupted {when}. What there is until then: ls.last_interrupted()")


def last_interrupted() -> Result | Comparison | Frontier:
    """What there was when *Interrupt* last ended a run in this notebook.

    Of ``simulate`` that is a Result of a part of the run; of ``compare`` and ``frontier`` what had come to its end.
    Raises UsageError where nothing was interrupted.
    """
    if _last is None:
        raise UsageError("last_interrupted: no run was interrupted here")
    return _last
