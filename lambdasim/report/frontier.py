"""The frontier of cost and latency in words: a table of levels, a sentence on the best one, a CSV file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lambdasim.metrics.frontier import Best, FrontierRow, FrontierTable, is_dominated, undominated
from lambdasim.report.html_table import html_block, html_paragraph, html_table
from lambdasim.report.text_cost import money_text
from lambdasim.report.wording import count_text, counted, seconds_value, share_text
from lambdasim.scenario.slo import LATENCY_TARGETS

_HEADINGS = (
    "units",
    "per month",
    "per million",
    "this run",
    "cold",
    "spilled over",
    "units busy",
    "throttled",
    "p50",
    "p99",
    "",
)


def frontier_lines(table: FrontierTable) -> list[str]:
    """What is compared, one line for each level, what to make of it, and what was left out."""
    rows = [_HEADINGS, *(_cells(table, row) for row in table.rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    aligned = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [heading(table), "", *aligned, "", best_sentence(table), *table.notes]


def heading(table: FrontierTable) -> str:
    """What is compared."""
    text = f"{table.scenario.name}: provisioned concurrency of {table.function}, {counted(len(table.rows), 'level')}"
    requests = {row.requests for row in table.rows}
    if any(source.users is not None for source in table.scenario.traffic.values()):
        text += "; virtual users send by the answers, so that the requests differ"
    elif len(requests) == 1:
        text += f", the same {counted(requests.pop(), 'request')} for each"
    return f"{text} (seed {table.seed})" + ("; interrupted, the rest is missing" if table.is_partial else "")


def _cells(table: FrontierTable, row: FrontierRow) -> tuple[str, ...]:
    return (
        count_text(row.level),
        money_text(row.cost_per_month_usd),
        money_text(row.cost_per_million_usd),
        money_text(row.cost_usd),
        _share(row.cold_start_ratio),
        _share(row.spillover_ratio),
        _share(row.utilization),
        _share(row.throttled_ratio),
        seconds_value(row.latency_p50_s),
        seconds_value(row.latency_p99_s),
        _remark(table, row),
    )


def _share(ratio: float | None) -> str:
    return "–" if ratio is None else share_text(ratio, 1)


def _remark(table: FrontierTable, row: FrontierRow) -> str:
    if row.slo_missed:
        return f"misses {', '.join(row.slo_missed)}"
    if table.scenario.slo is not None:
        return "keeps slo"
    if not is_dominated(row, table.rows):
        return ""
    fastest_s = min(other.slowness_s for other in table.rows if other is not row and other.price <= row.price)
    return "dearer, not faster" if fastest_s <= row.slowness_s else "dearer, hardly faster"


def best_sentence(table: FrontierTable) -> str:
    """The cheapest level that keeps the targets of the scenario; without targets, the knee, or what there is."""
    if not table.rows:
        return "No level was run to its end."
    if not any(row.requests for row in table.rows):
        return f"Nobody sent a request to {table.function}: there is nothing to compare."
    choice = table.choice
    if choice is None:
        cheap, *_, fast = undominated(table.rows)
        nearly = ", or nearly" if any(row.slowness_s < fast.slowness_s for row in table.rows) else ""
        return (
            f"{_units(cheap)} {'costs' if cheap.level == 1 else 'cost'} the least, {_price(cheap)} with a p99 of"
            f" {seconds_value(cheap.latency_p99_s)}; {_units(fast)} {'is' if fast.level == 1 else 'are'} the"
            f" fastest{nearly}, {_price(fast)} with {seconds_value(fast.latency_p99_s)}."
        )
    row = choice.row
    what = f"{_units(row)}, {_price(row)}"
    if choice.why == Best.KEEPS_SLO:
        return (
            f"The cheapest level that keeps what was promised ({_promises(table)}): {what}.{_next_cheaper(table, row)}"
        )
    if choice.why == Best.CLOSEST_TO_SLO:
        missed = ", ".join(row.slo_missed)
        return f"No level keeps all that was promised ({_promises(table)}); {what}, misses the fewest: {missed}."
    if choice.why == Best.KNEE:
        return (
            f"The knee: {what} with a p99 of {seconds_value(row.latency_p99_s)}; beyond it money buys less latency than"
            " before."
        )
    if len(table.rows) == 1:
        return f"There is one level only, {what} with a p99 of {seconds_value(row.latency_p99_s)}: nothing to compare."
    return f"The cheapest is also the fastest, or nearly: {what} with a p99 of {seconds_value(row.latency_p99_s)}." + (
        _cold_range(table.rows)
    )


def _units(row: FrontierRow) -> str:
    return counted(row.level, "unit")


def _price(row: FrontierRow) -> str:
    if row.cost_per_month_usd is None:
        return f"{money_text(row.cost_usd)} for this run"
    return f"{money_text(row.cost_per_month_usd)} a month"


def _promises(table: FrontierTable) -> str:
    assert table.scenario.slo is not None, "the choice went by its targets"
    return ", ".join(
        f"{name} {seconds_value(target) if name in LATENCY_TARGETS else share_text(target, 1)}"
        for name, target in table.scenario.slo.targets.items()
    )


def _next_cheaper(table: FrontierTable, row: FrontierRow) -> str:
    cheaper = [other for other in table.rows if other.price < row.price]
    if not cheaper:
        return " No other is cheaper."
    nearest = max(cheaper, key=lambda other: other.price)
    missed = ", ".join(nearest.slo_missed)
    return f" The next cheaper one, {_units(nearest)} at {_price(nearest)}, misses {missed}."


def _cold_range(rows: Sequence[FrontierRow]) -> str:
    """How many cold starts the others save, where the p99 does not show it."""
    known = [row for row in rows if row.cold_start_ratio is not None]
    if len(known) < 2:
        return ""
    most = max(known, key=lambda row: (row.cold_start_ratio or 0, -row.level))
    least = min(known, key=lambda row: (row.cold_start_ratio or 0, row.level))
    if most.cold_start_ratio == least.cold_start_ratio:
        return ""
    return (
        f" Cold starts are {_share(most.cold_start_ratio)} of the invocations with {_units(most)},"
        f" {_share(least.cold_start_ratio)} with {_units(least)}."
    )


def write_frontier(table: FrontierTable, path: Path) -> None:
    """``frontier.csv``: one row for each level; an empty cell where there is no data."""
    records = table.records()
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(COLUMNS) + "\n")
        file.writelines(",".join(_cell(record[name]) for name in COLUMNS) + "\n" for record in records)


# Of frontier.csv, in order.
COLUMNS = (
    "level",
    "requests",
    "cost_usd",
    "cost_per_million_usd",
    "cost_per_month_usd",
    "cold_start_ratio",
    "spillover_ratio",
    "utilization",
    "throttled_ratio",
    "latency_p50_s",
    "latency_p99_s",
    "slo_met",
    "is_dominated",
)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else repr(value)


def frontier_json(table: FrontierTable) -> dict[str, Any]:
    """What ``--json`` prints: the rows, and the best level with its reason."""
    choice = table.choice
    return {
        "scenario": {"name": table.scenario.name, "seed": table.seed, "partial": table.is_partial},
        "function": table.function,
        "levels": table.records(),
        "best": None if choice is None else {"level": choice.row.level, "why": choice.why.value},
        "sentence": best_sentence(table),
        "notes": list(table.notes),
    }


def frontier_html(table: FrontierTable) -> str:
    """The table and the sentence for a notebook."""
    rows = [_cells(table, row) for row in table.rows]
    texts = map(html_paragraph, (best_sentence(table), *table.notes))
    return html_block(html_paragraph(heading(table)), html_table(rows, align="r" * 10 + "l", head=_HEADINGS), *texts)
