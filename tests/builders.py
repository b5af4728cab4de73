"""Small scenarios for tests, and their event logs. Times are seconds unless a name says otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from lambdasim.engine.reference import SimpyEngine
from lambdasim.eventlog.log import EventLog
from lambdasim.platform.region import build_platform
from lambdasim.scenario.data_files import Trace
from lambdasim.scenario.schema import Scenario
from lambdasim.units import parse_duration
from lambdasim.workload.workload import Workload, build_workload

# A region without any limit but its quota, so that a test sees one rule at a time.
ONLY_THE_QUOTA = {
    "min_unreserved": 0,
    "scaling": "unlimited",
    "request_rate_ramp": "unlimited",
    "requests_per_concurrency": "unlimited",
}

# A function whose environments live for ever, start at once and work for a second.
PLAIN_FUNCTION = {"duration": "1s", "init": "0s", "idle_timeout": "unlimited", "max_age": "unlimited"}


def trace(rows: Iterable[tuple[Any, ...] | float]) -> Trace:
    """Requests at given times: each row is a time, or (time[, duration[, init[, function]]]) in seconds; None: own."""
    full = [tuple(row) if isinstance(row, tuple) else (row,) for row in rows]
    full = [row + (None,) * (4 - len(row)) for row in full]
    names = tuple(dict.fromkeys(row[3] for row in full if row[3] is not None))

    def column(position: int) -> Any:
        return np.array([-1 if row[position] is None else round(row[position] * 1e9) for row in full], dtype=np.int64)

    return Trace(
        path="rows of a test",
        sha256="",
        time_ns=column(0),
        functions=names,
        function=np.array([-1 if row[3] is None else names.index(row[3]) for row in full], dtype=np.int16),
        duration_ns=column(1),
        init_ns=column(2),
    )


def scenario(
    *,
    functions: Mapping[str, Mapping[str, Any]] | None = None,
    traffic: Mapping[str, Mapping[str, Any]] | None = None,
    region: Mapping[str, Any] | None = None,
    rows: Iterable[tuple[Any, ...] | float] | None = None,
    client: Mapping[str, Any] | None = None,
    duration: str = "1000s",
    **top: Any,
) -> Scenario:
    """A scenario with one function ``f`` and requests at ``rows``, unless told otherwise.

    Functions start from PLAIN_FUNCTION, the region from ONLY_THE_QUOTA.
    """
    if traffic is None:
        source: dict[str, Any] = {"function": "f", "trace": trace(rows or [])}
        if client is not None:
            source["client"] = client
        traffic = {"t": source}
    return Scenario.model_validate(
        {
            "name": "test",
            "duration": duration,
            "region": {**ONLY_THE_QUOTA, **(region or {})},
            "functions": {name: {**PLAIN_FUNCTION, **function} for name, function in (functions or {"f": {}}).items()},
            "traffic": {name: dict(source) for name, source in traffic.items()},
            **top,
        }
    )


def workload_of(made: Scenario, seed: int = 1) -> Workload:
    """The workload of a scenario."""
    return build_workload(made, seed)


def log_of(made: Scenario, seed: int = 1) -> EventLog:
    """The event log of a scenario on the reference engine."""
    return SimpyEngine().run(workload_of(made, seed), build_platform(made))


def run(seed: int = 1, **parts: Any) -> EventLog:
    """The event log of ``scenario(**parts)``."""
    return log_of(scenario(**parts), seed)


def seconds(text: str) -> float:
    """Seconds of a time such as 250ms."""
    return parse_duration(text) / 1e9
