"""Whether a run met the targets of its scenario. Derived from the figures of ``summary.json``, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambdasim.scenario.slo import LATENCY_TARGETS, Slo

Block = dict[str, Any]


def slo_block(slo: Slo | None, summary: Mapping[str, Any]) -> Block:
    """``{"p99": {"target": 1.0, "actual": 0.8, "met": true}}`` in the order of the file; without targets, empty.

    Met is: actual <= target, or no data (``actual`` is None then). Seconds and ratios as in ``summary.json``.
    """
    block: Block = {}
    for name, target in (slo.targets if slo is not None else {}).items():
        actual = _actual(name, summary)
        block[name] = {"target": target, "actual": actual, "met": actual is None or actual <= target}
    return block


def missed(summary: Mapping[str, Any]) -> list[str]:
    """Names of the targets that a run missed."""
    return [name for name, target in summary["slo"].items() if not target["met"]]


def _actual(name: str, summary: Mapping[str, Any]) -> float | None:
    actual: float | None
    if name in LATENCY_TARGETS:
        actual = summary["latency_s"][name]
    elif name == "cold":
        actual = summary["invocations"]["cold_start_ratio"]
    else:
        requests = summary["requests"]
        actual = requests[name] / requests["total"] if requests["total"] else None
    return actual
