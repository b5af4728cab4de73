"""The cost of a run: of the whole and of each function, derived from the event log and the scenario alone."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from typing import Any

import numpy as np

from lambdasim.cost.bill import Bill, Line, parts_of, rounded
from lambdasim.cost.capacity import CapacityUse, capacity_use
from lambdasim.cost.lines import (
    api_gateway_lines,
    capacity_lines,
    invocation_lines,
    of_something,
    queue_lines,
    snapstart_lines,
    use_lines,
)
from lambdasim.cost.prices import exact, prices_of
from lambdasim.cost.usage import ThrownAway, function_uses
from lambdasim.eventlog.log import EventLog
from lambdasim.scenario.schema import Scenario
from lambdasim.units import NS_PER_S

Block = dict[str, Any]

# A month as AWS's calculator counts it: 730 hours.
MONTH_NS = 730 * 3_600 * NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class _Account:
    """What is charged to one function, or to all of them."""

    requests: int = 0
    lines: tuple[Line, ...] = ()
    retried: tuple[Line, ...] = ()  # the share of ``lines`` for invocations that were retries
    timed_out: tuple[Line, ...] = ()


class RunCost:
    """What one run cost, and what a month of the same load would.

    MODEL: a month is the run over and over for 730 hours, cold starts included, and nothing else in the account.
    """

    def __init__(self, log: EventLog, scenario: Scenario, thrown_away: ThrownAway) -> None:
        pricing, until_ns = scenario.pricing, min(scenario.duration, log.end_ns)
        self._scenario = scenario
        self._prices = prices_of(scenario.region.name, None if pricing.table is None else pricing.table.table)
        self._capacity = {name: capacity_use(log, number, until_ns) for number, name in enumerate(log.function_names)}
        self._accounts = self._of_functions(log, until_ns, thrown_away)
        self._whole = _Account(
            requests=len(log.requests),
            lines=(
                *chain.from_iterable(account.lines for account in self._accounts.values()),
                *of_something(queue_lines(log, scenario, None, until_ns)),
            ),
            retried=tuple(chain.from_iterable(account.retried for account in self._accounts.values())),
            timed_out=tuple(chain.from_iterable(account.timed_out for account in self._accounts.values())),
        )
        self._bill = Bill(self._prices, self._whole.lines, free_tier=pricing.free_tier)
        self._month = None
        if until_ns:
            with exact():
                months = Decimal(MONTH_NS) / until_ns
            self._month = Bill(self._prices, self._whole.lines, free_tier=pricing.free_tier, months=months)

    def _of_functions(self, log: EventLog, until_ns: int, thrown_away: ThrownAway) -> dict[str, _Account]:
        scenario = self._scenario
        requests = np.bincount(log.requests.function, minlength=len(log.function_names)).tolist()
        uses, gateways = function_uses(log, scenario, thrown_away), api_gateway_lines(log, scenario)
        accounts = {}
        for number, name in enumerate(log.function_names):
            function, use = scenario.functions[name], uses[number]
            accounts[name] = _Account(
                requests=requests[number],
                lines=of_something(
                    (
                        *use_lines(function, use),
                        *capacity_lines(function, self._capacity[name]),
                        *snapstart_lines(function, use, until_ns),
                        *queue_lines(log, scenario, name, until_ns),
                        *gateways[number],
                    )
                ),
                retried=of_something(invocation_lines(function, use.retried)),
                timed_out=of_something(invocation_lines(function, use.timed_out)),
            )
        return accounts

    def blocks(self, function: str | None = None) -> Block:
        """What the summary says of the cost of the whole, or of one function.

        ``cost_usd``, of the whole also ``pricing``, and ``provisioned_break_even`` where there is anything provisioned.
        """
        blocks = {"cost_usd": self._cost(function)}
        if function is None:
            blocks["pricing"] = self._pricing()
        break_even = self._break_even(function)
        return blocks if break_even is None else {**blocks, "provisioned_break_even": break_even}

    def _cost(self, function: str | None) -> Block:
        """US dollars; None where there is no data.

        The parts from ``request`` to ``api_gateway`` add up to ``total``; ``retries`` and ``timeouts`` are of it.
        """
        account = self._whole if function is None else self._accounts[function]
        parts = parts_of(self._bill, account.lines)
        total = parts.pop("total")
        return {
            "total": float(total),
            "per_million_requests": _per_million(total, account.requests),
            "per_month": None if self._month is None else float(rounded(self._month.amount(account.lines))),
            **{part: float(amount) for part, amount in parts.items()},
            "retries": float(rounded(self._bill.amount(account.retried))),
            "timeouts": float(rounded(self._bill.amount(account.timed_out))),
        }

    def _pricing(self) -> Block:
        """Whose prices these are, and of when."""
        pricing, prices = self._scenario.pricing, self._prices
        return {
            "region": prices.region,
            "date": prices.date,
            "free_tier": pricing.free_tier,
            "init": pricing.init,
            "table": None if pricing.table is None else pricing.table.path,
            "borrowed": [name for name in self._bill.used_prices() if name in prices.borrowed],
        }

    def _break_even(self, function: str | None) -> Block | None:
        """How busy provisioned concurrency was, and how busy it must be to be no dearer than running on demand.

        Configured for an hour and busy for a share u of it, a unit costs capacity + u x its duration price; on demand
        the same work costs u x the price on demand. None without provisioned concurrency, and a break-even of None
        where a unit that is busy all the time would still be dearer.
        """
        names = [function] if function is not None else list(self._capacity)
        weighed = [(name, self._capacity[name]) for name in names if self._capacity[name].requested]
        if not weighed:
            return None
        with exact():
            capacity = sum(self._weighed(name, use, "provisioned_capacity") for name, use in weighed)
            saved = sum(
                self._weighed(name, use, "duration") - self._weighed(name, use, "provisioned_duration")
                for name, use in weighed
            )
            busy = sum(use.busy_of_requested * self._scenario.functions[name].memory for name, use in weighed)
            requested = sum(use.requested * self._scenario.functions[name].memory for name, use in weighed)
            return {
                "utilization": busy / requested,
                "break_even": float(capacity / saved) if saved > 0 and capacity <= saved else None,
            }

    def _weighed(self, name: str, use: CapacityUse, price: str) -> Decimal:
        """The price of the first unit, times the memory that was configured."""
        function = self._scenario.functions[name]
        return self._prices.first_tier(f"{price}.{function.architecture}") * (use.requested * function.memory)


def _per_million(total: Decimal, requests: int) -> float | None:
    if not requests:
        return None
    with exact():
        return float(rounded(total * 1_000_000 / requests))
