"""Runs for the tests of what is derived from a log."""

from __future__ import annotations

from typing import Any

from lambdasim.metrics.run import Run
from tests.builders import log_of, scenario

# One unit of concurrency, 2 s of work after 0.5 s of init, one retry after 1 s, an idle timeout of 3 s; 10 s and 1 s of
# drain. Request 0 works from 0.5 to 2.5. Request 1 is refused at 1 and 2, request 2 at 2; at 3 it is accepted and works
# to 5. Environment 0 is reaped at 8. Request 3 starts environment 1 at 9, works from 9.5 and is not done at 11.
BY_HAND: dict[str, Any] = {
    "rows": [0, 1, 2, 9],
    "duration": "10s",
    "drain": "1s",
    "region": {"concurrency_quota": 1},
    "functions": {"f": {"duration": "2s", "init": "500ms", "idle_timeout": "3s"}},
    "client": {"retry": {"delays": ["1s"]}},
}


def run_of(**parts: Any) -> Run:
    """A run of ``builders.scenario(**parts)``; it took two seconds."""
    made = scenario(**parts)
    return Run(scenario=made, seed=1, engine="simpy", log=log_of(made), wall_s=2.0)


def by_hand(**changes: Any) -> Run:
    """The run of BY_HAND, with other parts."""
    return run_of(**{**BY_HAND, **changes})
