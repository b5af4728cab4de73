"""What several levels of provisioned concurrency cost, and what latency they buy, from a run at each of them.

Every figure of a row is that of the function, as in its block of ``summary.json``; only the targets of ``slo`` are
those of the whole scenario.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from functools import cached_property
from typing import Any

from lambdasim.metrics.run import Run
from lambdasim.metrics.slo import missed
from lambdasim.scenario.schema import Scenario

# A p99 at most this share above another counts as just as fast. A choice: nobody pays for less, nor can one run tell it
# from chance, since its p99 is the latency of one request.
HARDLY_SLOWER = 0.02


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

    def is_as_fast_as(self, other: FrontierRow) -> bool:
        """Whether its p99 is at most that of another level, or hardly above it: by 2 % of that (``HARDLY_SLOWER``)."""
        return self.slowness_s <= (1 + HARDLY_SLOWER) * other.slowness_s


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


def undominated(rows: Iterable[FrontierRow]) -> list[FrontierRow]:
    """The levels that are worth their price, the cheapest first: each is over 2 % faster than the one before.

    A level is dominated, and left out, where one that stays is cheaper and has a p99 that is lower, equal, or at most
    2 % higher (``HARDLY_SLOWER``). Of levels at one price the fastest stays; equals in both stay together. A level is
    compared with those that stay, not with all: else many small steps, each of them within 2 %, would hide that they
    buy much together. So each that is left out is at most 2 % faster than one that stays and costs no more.

    Source of the idea: epsilon-dominance (Laumanns, Thiele, Deb and Zitzler, Evolutionary Computation 10(3), 2002).
    """
    front: list[FrontierRow] = []
    for row in sorted(rows, key=lambda row: (row.price, row.slowness_s, row.level)):
        if not front or not front[-1].is_as_fast_as(row) or _is_equal(front[-1], row):
            front.append(row)
    return front


def is_dominated(row: FrontierRow, rows: Iterable[FrontierRow]) -> bool:
    """Whether another level among ``rows`` is cheaper, and as fast or at most 2 % slower: see ``undominated``."""
    return row not in undominated(rows)


def _is_equal(one: FrontierRow, other: FrontierRow) -> bool:
    return (one.price, one.slowness_s) == (other.price, other.slowness_s)


def knee(rows: Sequence[FrontierRow]) -> FrontierRow | None:
    """The level after which money buys little: farthest below the line from the cheapest to the fastest level.

    Among undominated levels, both scales from 0 to 1. None where there is no such level.
    """
    front = [row for row in undominated(rows) if row.latency_p99_s is not None]
    if len(front) < 3 or _is_equal(front[0], front[-1]):
        return None
    cheap, fast = front[0], front[-1]
    gain_s = cheap.slowness_s - fast.slowness_s

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
    if _is_equal(front[0], front[-1]):
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
