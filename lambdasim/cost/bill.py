"""From usage to money: lines of units at a price, summed over a month's tiers and free units. Decimal throughout.

Tiers and the free tier belong to all usage of a region together. Each line has its share of what its price came to, by
its units, so that functions can be looked at one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from lambdasim.cost.prices import FreeUnits, Prices, exact

# The parts of a cost that add up to its total, in the order of summary.json.
PARTS = (
    "request",
    "compute",
    "init",
    "provisioned_busy",
    "provisioned_idle",
    "snapstart",
    "ephemeral_storage",
    "queues",
    "api_gateway",
)

# Amounts are written with ten decimals: prices have as many.
_LAST_DIGIT = Decimal("1e-10")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """So many units at one price, and which part of a cost they belong to."""

    part: str
    price: str  # its name in ``Prices``
    units: Decimal


class Bill:
    """What the units of each price come to in one month, for all lines together."""

    def __init__(self, prices: Prices, lines: Iterable[Line], *, free_tier: bool, months: Decimal = Decimal(1)) -> None:
        """``months`` says how often the lines come in a month."""
        with exact():
            self._units: dict[str, Decimal] = {}
            for line in lines:
                self._units[line.price] = self._units.get(line.price, Decimal(0)) + line.units
            monthly = {price: units * months for price, units in self._units.items()}
            paid = _after_free(monthly, prices.free) if free_tier else monthly
            self._cost = {price: prices.cost(price, units) for price, units in paid.items()}

    def amount(self, lines: Iterable[Line]) -> Decimal:
        """What some of the lines come to, in US dollars, not rounded."""
        with exact():
            return sum((self._amount(line) for line in lines), Decimal(0))

    def _amount(self, line: Line) -> Decimal:
        return self._cost[line.price] * line.units / self._units[line.price] if line.units else Decimal(0)

    def used_prices(self) -> list[str]:
        """Names of the prices of which there are units, in order."""
        return sorted(price for price, units in self._units.items() if units)


def _after_free(units: Mapping[str, Decimal], free: FreeUnits) -> dict[str, Decimal]:
    """What is left to pay. Several prices that share free units use them up in proportion.

    MODEL: AWS gives the free tier to both architectures, and both kinds of queues, together, and does not say which is
    served first.
    """
    paid = dict(units)
    for prices, given in (
        (("requests",), free.requests),
        (("duration.x86_64", "duration.arm64"), free.gb_seconds),
        (("sqs_standard", "sqs_fifo"), free.sqs_requests),
    ):
        used = sum((units.get(price, Decimal(0)) for price in prices), Decimal(0))
        for price in prices:
            if units.get(price):
                paid[price] = units[price] - min(units[price], units[price] * given / used)
    return paid


def rounded(amount: Decimal) -> Decimal:
    """An amount as it is written: half-even to ten decimals."""
    return amount.quantize(_LAST_DIGIT, rounding=ROUND_HALF_EVEN)


def parts_of(bill: Bill, lines: Sequence[Line]) -> dict[str, Decimal]:
    """Each part of what the lines come to, rounded, and their exact sum as ``total``, which comes first."""
    parts = {part: rounded(bill.amount(line for line in lines if line.part == part)) for part in PARTS}
    return {"total": sum(parts.values(), Decimal(0)), **parts}
