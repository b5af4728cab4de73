"""The figures that people compare and guess: what each is called, its unit, and where the summary has it.

One list for comparisons, guesses and the table of a result. Every value comes from the summary of a run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from lambdasim.metrics.run import Run
from lambdasim.metrics.shared_pool import quota_at_peak
from lambdasim.platform.async_retry import DropReason
from lambdasim.platform.concurrency import ThrottleReason
from lambdasim.report.text_cost import money_text
from lambdasim.report.wording import DROP_MEANING, count_text, seconds_value

Summary = Mapping[str, Any]

# With fewer answers than this, 99 of 100 are all of them: the p99 is the longest latency.
TOO_FEW_FOR_P99 = 100


class Unit(Enum):
    """What a figure is measured in."""

    COUNT = "count"
    SECONDS = "s"
    DOLLARS = "US dollars"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of a run. ``of`` reads it from a summary, None where there is no data.

    ``whole`` is what a share of it refers to in a run, None where a share has no meaning.
    """

    key: str  # as an argument of ``predict``
    column: str  # in data frames, with its unit
    label: str  # for people
    unit: Unit
    of: Callable[[Summary], float | None]
    whole: Callable[[Run], float] | None = None

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
            return sign + _percent_text(abs(difference) / first)
        return sign + self.text(abs(difference))


def _percent_text(change: float) -> str:
    """How much more or less, which may be more than the whole: ``0.049%``, ``28.9%``, ``662%``."""
    percent = 100 * change
    if percent < 1:
        return f"{percent:.2g}%"
    return f"{percent:.1f}%" if percent < 99.95 else f"{percent:,.0f}%"


def _total(summary: Summary) -> int:
    total: int = summary["requests"]["total"]
    return total


def _requests(run: Run) -> int:
    return _total(run.summary)


def _attempts(run: Run) -> int:
    total: int = run.summary["attempts"]["total"]
    return total


def _invocations(run: Run) -> int:
    total: int = run.summary["invocations"]["total"]
    return total


def _quota(run: Run) -> int:
    return quota_at_peak(run.log, run.scenario.limits_in_force())


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
        whole=_requests,
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
            whole=_requests,
        ),
        Figure(
            key="throttles",
            column="throttles",
            label="refused attempts",
            unit=Unit.COUNT,
            of=lambda summary: summary["attempts"]["throttles"],
            whole=_attempts,
        ),
        Figure(
            key="retries",
            column="retries",
            label="retries",
            unit=Unit.COUNT,
            of=lambda summary: summary["attempts"]["retries"],
            whole=_attempts,
        ),
        Figure(
            key="cold_starts",
            column="cold_starts",
            label="cold starts",
            unit=Unit.COUNT,
            of=lambda summary: summary["invocations"]["cold_starts"],
            whole=_invocations,
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
            whole=_quota,
        ),
        Figure(
            key="environments",
            column="environments",
            label="environments started",
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


def _refused(reason: ThrottleReason) -> Figure:
    """Refused attempts of one reason."""
    name = f"throttles_{reason.key}"
    return Figure(
        key=name,
        column=name,
        label=f"refused: {reason.key.replace('_', ' ')}",
        unit=Unit.COUNT,
        of=lambda summary: summary["attempts"]["throttles_by_reason"][reason.key],
    )


# Parts of the refused attempts, for tables that have more than one of them.
REASONS = tuple(map(_refused, ThrottleReason))


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Requests that a queue or a stream gave up for one reason: ``meaning`` says which they were."""

    reason: str
    place: str  # name of the queue or the stream; empty for asynchronous events
    count: int
    meaning: str


_DROPPED_BY_QUEUE = {
    "dead_lettered": "messages that were moved to a dead-letter queue",
    "expired": "messages that the queue no longer kept",
    "stopped": "messages that Lambda took for an endless loop",
}
_DROPPED_BY_STREAM = {
    "discarded": "records that the mapping gave up, too old or out of retries",
    "expired": "records that the stream no longer kept",
}
_DROPPED_EVENTS = {reason.key: f"events that {DROP_MEANING[reason]}" for reason in DropReason}


def drops(summary: Summary) -> list[Drop]:
    """Why requests were dropped, where any were: events first, then queues and streams in their order."""
    blocks = [("", _DROPPED_EVENTS, summary["async"])] if "async" in summary else []
    blocks += [(name, _DROPPED_BY_QUEUE, block) for name, block in summary.get("queues", {}).items()]
    blocks += [(name, _DROPPED_BY_STREAM, block) for name, block in summary.get("streams", {}).items()]
    return [
        Drop(reason=reason, place=place, count=count, meaning=meaning)
        for place, meanings, block in blocks
        for reason, meaning in meanings.items()
        if (count := block["dropped_by_reason"][reason])
    ]
