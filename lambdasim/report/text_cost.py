"""What the summary says of money: the total, its parts, what was thrown away, and whether capacity paid off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from lambdasim.cost.bill import PARTS
from lambdasim.cost.prices import shipped_table
from lambdasim.metrics.run import Run
from lambdasim.report.wording import share_text

COST_HEADINGS = ("", "US dollars", "", "")
FUNCTION_COST_HEADINGS = ("", "this run", "a million requests", "a month")

# Each part in words for somebody who never saw a bill of AWS's.
_MEANING = {
    "request": "for each invocation, however short",
    "compute": "memory x time of the handlers",
    "init": "memory x time of the inits",
    "provisioned_busy": "provisioned concurrency for being there, while it worked",
    "provisioned_idle": "the same, while it waited for work",
    "snapstart": "keeping the snapshot and restoring it",
    "ephemeral_storage": "/tmp above 512 MB while the code ran",
    "queues": "requests of SQS, those that find nothing included",
    "api_gateway": "requests of API Gateway",
}
_MOST_DECIMALS = 8
# Names of regions differ by a digit: only what is nearer than that is a slip.
_SLIP = 0.93


def _decimals(usd: float) -> int:
    """Decimals with which an amount has three digits that count; cents from a dollar on."""
    decimals = 2
    while usd * 10**decimals < 99.5 and decimals < _MOST_DECIMALS:
        decimals += 1
    return decimals


def _share(part: float, total: float) -> str:
    return share_text(part / total, 1)


def money_text(usd: float | None) -> str:
    """An amount in US dollars: ``$12,350``, ``$12.35``, ``$0.0124``."""
    if usd is None:
        return "–"
    if usd == 0:
        return "$0"
    return f"${usd:,.0f}" if usd >= 9_999.5 else f"${usd:,.{_decimals(usd)}f}"


def cost_rows(run: Run) -> Iterator[tuple[str, str, str, str]]:
    """(part, amount, share, meaning) of each part of the cost that is not 0; amounts with the decimals of the total."""
    cost = run.summary["cost_usd"]
    decimals = _decimals(cost["total"])
    for part in PARTS:
        if cost[part]:
            least = 10.0**-decimals
            amount = f"{cost[part]:,.{decimals}f}" if cost[part] >= least / 2 else f"<{least:.{decimals}f}"
            yield part, amount, _share(cost[part], cost["total"]), _MEANING[part]


def function_cost_rows(run: Run, names: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """(function, what it cost, what a million such requests do, and a month of this load)."""
    for name in names:
        cost = run.summary["functions"][name]["cost_usd"]
        yield name, *(money_text(cost[key]) for key in ("total", "per_million_requests", "per_month"))


def total_sentence(run: Run) -> str:
    """What the run cost, what a million requests did, and what a month of this load would."""
    cost, pricing = run.summary["cost_usd"], run.summary["pricing"]
    text = f"{money_text(cost['total'])} for this run"
    if cost["per_million_requests"] is not None:
        text += f", {money_text(cost['per_million_requests'])} for a million such requests"
    if cost["per_month"] is not None:
        text += f", {money_text(cost['per_month'])} for a month of this load"
    free = "with" if pricing["free_tier"] else "without"
    return f"{text}: {pricing['region']}, {free} the free tier, prices of {pricing['date'][:7]}."


def cost_sentences(run: Run) -> Iterator[str]:
    """What was thrown away, whether provisioned concurrency paid off, what was free, and whose prices were taken."""
    yield from _thrown_away(run)
    yield from _break_even(run)
    yield from _free_tier(run)
    pricing, region = run.summary["pricing"], run.scenario.region.name
    if pricing["region"] != region:
        near = get_close_matches(region, shipped_table().regions, n=1, cutoff=_SLIP)
        meant = f" (did you mean {near[0]}?)" if near else ""
        yield f"lambdasim has no prices of {region}{meant}: these are those of {pricing['region']}."
    elif pricing["borrowed"]:
        names = ", ".join(pricing["borrowed"])
        yield (
            f"lambdasim has no prices of {region} for {names}: those of us-east-1 were taken. pricing.table takes your"
            " own."
        )


def _paid_before_ready(run: Run, paid: str) -> str:
    """Why this share is not that of the section on provisioned concurrency, where it is not."""
    blocks = [block["provisioned"] for block in run.summary["functions"].values() if "provisioned" in block]
    if len(blocks) != 1 or blocks[0]["utilization"] is None or share_text(blocks[0]["utilization"], 1) == paid:
        return ""
    return ", which begins before it is ready"


def _thrown_away(run: Run) -> Iterator[str]:
    cost = run.summary["cost_usd"]
    parts = [
        f"{money_text(cost[key])} ({_share(cost[key], cost['total'])}) on {meaning}"
        for key, meaning in (
            ("retries", "retries"),
            ("timeouts", "invocations that timed out or that nobody waited for any more"),
        )
        if cost[key]
    ]
    if parts:
        both = "; a retry that did so is in both" if len(parts) > 1 else ""
        yield f"Thrown away: {', and '.join(parts)}{both}."


def _free_tier(run: Run) -> Iterator[str]:
    """The run and the month have a free tier each, so that one is no multiple of the other."""
    if run.summary["pricing"]["free_tier"]:
        yield (
            "The free tier is taken off the run as if nothing else came in its month, and off the month once: the month"
            " is no multiple of the run."
        )


def _break_even(run: Run) -> Iterator[str]:
    figures = run.summary.get("provisioned_break_even")
    if figures is None:
        return
    paid = share_text(figures["utilization"], 1)
    busy = f"Provisioned concurrency was busy {paid} of the time that is paid for{_paid_before_ready(run, paid)}"
    least = "" if figures["break_even"] is None else share_text(figures["break_even"], 1)
    if any(name.startswith("provisioned_") for name in run.summary["pricing"]["borrowed"]):
        least += " (by prices of us-east-1 for it)"
    if figures["break_even"] is None:
        yield f"{busy}; at these prices it never costs less than running on demand."
    elif figures["utilization"] < figures["break_even"]:
        blocks = (block.get("provisioned") for block in run.summary["functions"].values())
        few = "fewer" if any(block and block["spillover_cold_starts"] for block in blocks) else "no"
        yield (
            f"{busy}. Below {least} it costs more than the same work on demand: that is the price of having {few} cold"
            " starts."
        )
    else:
        yield f"{busy}. From {least} on it costs less than the same work on demand."
