"""The figures that people compare and guess: what each is called, its unit, and where the summary has it.

One list for comparisons, guesses and the table of a result. Every value comes from ``result.summary``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from lambdasim.report.text_cost import money_text
from lambdasim.report.wording import count_text, seconds_value, share_text

Summary = Mapping[str, Any]


class Unit(Enum):
    """What a figure is measured in."""

    COUNT = "count"
    SECONDS = "s"
    DOLLARS = "US dollars"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of a run. ``of`` reads it from a summary, None where there is no data.

    ``whole`` is what a share of it refers to, None where a share has no meaning; ``whole_name`` says what that is.
    """

    key: str  # as an argument of ``predict``
    column: str  # in data frames, with its unit
    label: str  # for people
    unit: Unit
    of: Callable[[Summary], float | None]
    whole: Callable[[Summary], float | None] | None = None
    whole_name: str = ""

    def text(self, value: float | None) -> str:
        """The value for people: ``1,103``, ``1.2s``, ``$0.0124``; a dash where there is none."""
        match self.unit:
            case Unit.SECONDS:
                return seconds_value(value)
            case Unit.DOLLARS:
                return money_text(value)
            case Unit.COUNT:
                return count_text(value)

    def difference_text(self, value: float | None, first: float | None) -> str:
        """How a value differs from another one: ``same``, ``+1,103``, ``−1.2s``; of money the share of the first."""
        if value is None or first is None:
            return "same" if value is first else "–"
        difference = value - first
        if not difference:
            return "same"
        sign = "+" if difference > 0 else "−"
        if self.unit == Unit.DOLLARS and first:
            return sign + share_text(abs(difference), first)
        return sign + self.text(abs(difference))


def _total(summary: Summary) -> int:
    total: int = summary["requests"]["total"]
    return total


def _dead_lettered(summary: Summary) -> float | None:
    """Messages that a redrive policy moved away, of all queues; None where there is no queue."""
    queues = summary.get("queues")
    return sum(block["messages"]["dead_lettered"] for block in queues.values()) if queues else None


def _outcome(key: str, label: str) -> Figure:
    return Figure(
        key=key,
        column=key,
        label=label,
        unit=Unit.COUNT,
        of=lambda summary: summary["requests"][key],
        whole=_total,
        whole_name="requests",
    )


def _latency(key: str) -> Figure:
    return Figure(
        key=key,
        column=f"latency_{key}_s",
        label=f"{key} latency",
        unit=Unit.SECONDS,
        of=lambda summary: summary["latency_s"][key],
    )


# In the order in which tables show them.
FIGURES: dict[str, Figure] = {
    figure.key: figure
    for figure in (
        Figure(key="requests", column="requests", label="requests", unit=Unit.COUNT, of=_total),
        _outcome("completed", "completed"),
        _outcome("failed", "failed"),
        _outcome("throttled", "throttled"),
        _outcome("timed_out_client", "caller gave up waiting"),
        _outcome("dropped", "dropped"),
        _outcome("in_flight", "in flight at the end"),
        Figure(
            key="dead_lettered",
            column="dead_lettered",
            label="dead-lettered",
            unit=Unit.COUNT,
            of=_dead_lettered,
            whole=_total,
            whole_name="requests",
        ),
        Figure(
            key="throttles",
            column="throttles",
            label="refused attempts",
            unit=Unit.COUNT,
            of=lambda summary: summary["attempts"]["throttles"],
            whole=lambda summary: summary["attempts"]["total"],
            whole_name="attempts",
        ),
        Figure(
            key="retries",
            column="retries",
            label="retries",
            unit=Unit.COUNT,
            of=lambda summary: summary["attempts"]["retries"],
            whole=lambda summary: summary["attempts"]["total"],
            whole_name="attempts",
        ),
        Figure(
            key="cold_starts",
            column="cold_starts",
            label="cold starts",
            unit=Unit.COUNT,
            of=lambda summary: summary["invocations"]["cold_starts"],
            whole=lambda summary: summary["invocations"]["total"],
            whole_name="invocations",
        ),
        _latency("p50"),
        _latency("p90"),
        _latency("p95"),
        _latency("p99"),
        _latency("p999"),
        Figure(
            key="max",
            column="latency_max_s",
            label="longest latency",
            unit=Unit.SECONDS,
            of=lambda summary: summary["latency_s"]["max"],
        ),
        Figure(
            key="peak_concurrency",
            column="peak_concurrency",
            label="peak concurrency",
            unit=Unit.COUNT,
            of=lambda summary: summary["concurrency"]["peak"],
            whole=lambda summary: summary["concurrency"]["quota"],
            whole_name="the quota",
        ),
        Figure(
            key="environments",
            column="environments",
            label="environments",
            unit=Unit.COUNT,
            of=lambda summary: summary["environments"]["created"],
        ),
        Figure(
            key="cost",
            column="cost_usd",
            label="cost",
            unit=Unit.DOLLARS,
            of=lambda summary: summary["cost_usd"]["total"],
        ),
    )
}
