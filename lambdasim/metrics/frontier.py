"""What several levels of provisioned concurrency cost, and what latency they buy, from a run at each of them.

Every figure of a row is that of the function, as in its block of ``summary.json``; only the targets of ``slo`` are
those of the whole scenario.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from functools import cached_property
from typing import Any

from lambdasim.metrics.run import Run
from lambdasim.metrics.slo import missed
from lambdasim.scenario.schema import Scenario

# Levels whose p99 differs by less than this share are as fast as each other: a knee among them would be noise.
_WORTH_A_KNEE = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontierRow:
    """One level: US dollars, seconds, and ratios in [0, 1]; None where there is no data."""

    level: int  # units of provisioned concurrency
    requests: int
    cost_usd: float  # of the run
    cost_per_million_usd: float | None  # of such requests
    cost_per_month_usd: float | None  # of this load, over and over
    cold_start_ratio: float | None
    spillover_ratio: float | None  # None without provisioned concurrency
    utilization: float | None  # None without provisioned concurrency
    throttled_ratio: float | None
    latency_p50_s: float | None
    latency_p99_s: float | None
    slo_missed: tuple[str, ...]  # targets of the scenario

    @property
    def price(self) -> float:
        """What levels are compared by: the cost of a month, or of the run where it has no length."""
        return self.cost_usd if self.cost_per_month_usd is None else self.cost_per_month_usd

    @property
    def slowness_s(self) -> float:
        """The p99; infinite where no request completed."""
        return math.inf if self.latency_p99_s is None else self.latency_p99_s


def frontier_row(run: Run, level: int, function: str) -> FrontierRow:
    """The row of a run at a level."""
    block = run.summary["functions"][function]
    requests, cost = block["requests"], block["cost_usd"]
    provisioned = block.get("provisioned", {"spillover_ratio": None, "utilization": None})
    return FrontierRow(
        level=level,
        requests=requests["total"],
        cost_usd=cost["total"],
        cost_per_million_usd=cost["per_million_requests"],
        cost_per_month_usd=cost["per_month"],
        cold_start_ratio=block["invocations"]["cold_start_ratio"],
        spillover_ratio=provisioned["spillover_ratio"],
        utilization=provisioned["utilization"],
        throttled_ratio=requests["throttled"] / requests["total"] if requests["total"] else None,
        latency_p50_s=block["latency_s"]["p50"],
        latency_p99_s=block["latency_s"]["p99"],
        slo_missed=tuple(missed(run.summary)),
    )


def is_dominated(row: FrontierRow, rows: Sequence[FrontierRow]) -> bool:
    """Whether another level is at least as cheap and at least as fast, and one of the two strictly."""
    return any(
        other.price <= row.price
        and other.slowness_s <= row.slowness_s
        and (other.price < row.price or other.slowness_s < row.slowness_s)
        for other in rows
    )


def undominated(rows: Sequence[FrontierRow]) -> list[FrontierRow]:
    """The levels of which no other is better, the cheapest first."""
    return sorted((row for row in rows if not is_dominated(row, rows)), key=lambda row: (row.price, row.level))


def knee(rows: Sequence[FrontierRow]) -> FrontierRow | None:
    """The level after which money buys little: farthest below the line from the cheapest to the fastest level.

    Among undominated levels, both scales from 0 to 1. None where there is no such level, or the p99 hardly differs.
    """
    front = [row for row in undominated(rows) if row.latency_p99_s is not None]
    if len(front) < 3:
        return None
    cheap, fast = front[0], front[-1]
    gain_s = cheap.slowness_s - fast.slowness_s
    if gain_s < _WORTH_A_KNEE * cheap.slowness_s:
        return None

    def depth(row: FrontierRow) -> float:
        dearer = (row.price - cheap.price) / (fast.price - cheap.price)
        return 1 - dearer - (row.slowness_s - fast.slowness_s) / gain_s

    deepest = max(front[1:-1], key=depth)
    return deepest if depth(deepest) > 0 else None


@unique
class Best(StrEnum):
    """Why a level is the one to look at."""

    KEEPS_SLO = "keeps_slo"  # the cheapest that meets every target
    CLOSEST_TO_SLO = "closest_to_slo"  # none does: it misses the fewest, and is the cheapest of these
    KNEE = "knee"
    CHEAPEST = "cheapest"  # and no other is faster, or hardly


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The level to look at, and why. None where two levels are left, the cheaper one and the faster one."""

    row: FrontierRow
    why: Best


def choose(rows: Sequence[FrontierRow], *, has_slo: bool) -> Choice | None:
    """The level to look at: by the targets of the scenario, or without any by cost and p99."""
    if not rows:
        return None
    if has_slo:
        closest = min(rows, key=lambda row: (len(row.slo_missed), row.price, row.level))
        return Choice(row=closest, why=Best.CLOSEST_TO_SLO if closest.slo_missed else Best.KEEPS_SLO)
    front = undominated(rows)
    if front[0].slowness_s - front[-1].slowness_s <= _WORTH_A_KNEE * front[-1].slowness_s or len(front) == 1:
        return Choice(row=front[0], why=Best.CHEAPEST)
    found = knee(rows)
    return None if found is None else Choice(row=found, why=Best.KNEE)


@dataclass(frozen=True, kw_only=True)
class FrontierTable:
    """Several levels of provisioned concurrency of one function, each with a run of its own and the same seed."""

    scenario: Scenario  # without any level
    function: str
    seed: int
    rows: tuple[FrontierRow, ...]  # by level
    notes: tuple[str, ...]  # what the levels replace, and what AWS refuses
    is_partial: bool  # interrupted: the other levels are missing

    @cached_property
    def choice(self) -> Choice | None:
        """The level to look at, and why."""
        return choose(self.rows, has_slo=self.scenario.slo is not None)

    def records(self) -> list[dict[str, Any]]:
        """The rows as plain data, one mapping each: the columns of ``frontier.csv``."""
        return [
            {
                "level": row.level,
                "requests": row.requests,
                "cost_usd": row.cost_usd,
                "cost_per_million_usd": row.cost_per_million_usd,
                "cost_per_month_usd": row.cost_per_month_usd,
                "cold_start_ratio": row.cold_start_ratio,
                "spillover_ratio": row.spillover_ratio,
                "utilization": row.utilization,
                "throttled_ratio": row.throttled_ratio,
                "latency_p50_s": row.latency_p50_s,
                "latency_p99_s": row.latency_p99_s,
                "slo_met": None if self.scenario.slo is None else not row.slo_missed,
                "is_dominated": is_dominated(row, self.rows),
            }
            for row in self.rows
        ]
