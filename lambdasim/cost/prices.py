"""The prices that hold in a region: from the package's dated table, with what a scenario's own table says instead."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from functools import cache
from importlib.resources import files

import yaml

from lambdasim.scenario.price_table import FreeTier, PriceTable, Tier

# Whose prices are taken where a region has none.
FALLBACK_REGION = "us-east-1"

_Loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # every scalar stays text


def exact() -> AbstractContextManager[Context]:
    """A context in which products of usage and prices keep every digit."""
    return localcontext(prec=80)


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeUnits:
    """What costs nothing each month."""

    requests: int = 0
    gb_seconds: int = 0  # of duration on demand
    sqs_requests: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """The prices of one region, by name: ``requests``, ``duration.x86_64``."""

    region: str  # whose prices these are
    date: str  # of the newest price in the tables
    tiers: Mapping[str, tuple[Tier, ...]]
    borrowed: frozenset[str]  # names of the prices that are FALLBACK_REGION's, as the region has none
    free: FreeUnits

    def first_tier(self, name: str) -> Decimal:
        """The price of the first unit of a month, in US dollars."""
        return self.tiers[name][0].usd

    def cost(self, name: str, units: Decimal) -> Decimal:
        """US dollars for so many units in one month, tier by tier."""
        total, below = Decimal(0), Decimal(0)
        with exact():
            for tier in self.tiers[name]:
                end = units if tier.up_to is None else min(units, Decimal(tier.up_to))
                total += (end - below) * tier.usd
                below = end
        return total


@cache
def shipped_table() -> PriceTable:
    """The package's table, ``prices.yaml``. Raises pydantic's ValidationError where it is wrong."""
    text = files(__package__).joinpath("prices.yaml").read_text(encoding="utf-8")
    return PriceTable.model_validate(yaml.load(text, _Loader))


def prices_of(region: str, own: PriceTable | None = None) -> Prices:
    """The prices of a region; those that ``own`` states go first. Without any: FALLBACK_REGION's."""
    tables = [shipped_table()] if own is None else [own, shipped_table()]
    fallback = _stated(tables, FALLBACK_REGION)
    stated = _stated(tables, region)
    free = [table.free_tier for table in tables]
    return Prices(
        region=region if stated else FALLBACK_REGION,
        date=next(table.date for table in tables if table.date is not None),
        tiers={**fallback, **stated},
        borrowed=frozenset(fallback.keys() - stated.keys()) if stated else frozenset(),
        free=FreeUnits(
            requests=_first(free, "requests"),
            gb_seconds=_first(free, "gb_seconds"),
            sqs_requests=_first(free, "sqs_requests"),
        ),
    )


def _stated(tables: list[PriceTable], region: str) -> dict[str, tuple[Tier, ...]]:
    """What the tables state for a region; the first table goes first."""
    prices: dict[str, tuple[Tier, ...]] = {}
    for table in reversed(tables):
        if region in table.regions:
            prices |= table.regions[region].stated()
    return prices


def _first(free: list[FreeTier], name: str) -> int:
    return next((units for tier in free if (units := getattr(tier, name)) is not None), 0)
