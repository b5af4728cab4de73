"""Where to look when a guess was far off: one sentence with the reason, as the run has it, and the picture of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambdasim.cost.bill import PARTS
from lambdasim.notebook.figures import Figure, Unit
from lambdasim.platform.concurrency import ThrottleReason
from lambdasim.report.text_cost import money_text
from lambdasim.report.wording import MEANING, count_text, counted, seconds_value, share_text, were

Summary = Mapping[str, Any]


def where_to_look(figure: Figure, *, was_low: bool, summary: Summary) -> str:
    """Why the figure is what it is; ``was_low`` says that the guess was below it."""
    return "Worth a look: " + _reason(figure, was_low, summary)


def _reason(figure: Figure, was_low: bool, summary: Summary) -> str:
    if figure.unit == Unit.SECONDS:
        return _of_latency(summary)
    match figure.key:
        case "throttled" | "throttles" | "retries":
            return _of_throttles(figure.key, summary)
        case "cold_starts" | "environments":
            return _of_starts(was_low, summary)
        case "peak_concurrency":
            return _of_concurrency(summary)
        case "cost":
            return _of_cost(summary)
        case "dead_lettered":
            return _of_dead_letters(summary)
        case _:
            return "result.plot.outcomes() shows what became of the requests, and when."


def _of_throttles(key: str, summary: Summary) -> str:
    attempts, requests = summary["attempts"], summary["requests"]
    refused = attempts["throttles_by_reason"]
    if not attempts["throttles"]:
        concurrency = summary["concurrency"]
        peak, quota = count_text(concurrency["peak"]), count_text(concurrency["quota"])
        return f"nothing was refused, as at most {peak} were in flight at once, of {quota} that the quota allows."
    worst = max(ThrottleReason, key=lambda reason: refused[reason.key])
    text = f"{share_text(refused[worst.key], attempts['throttles'])} of the refusals are {worst.key}: {MEANING[worst]}."
    if key == "throttled" and attempts["throttles"] != requests["throttled"]:
        text = (
            f"{were(attempts['throttles'], 'attempt')} refused, and tried again or not;"
            f" {count_text(requests['throttled'])} is how many requests had no attempt left. {text}"
        )
    return f"{text} result.plot.concurrency() marks each."


def _of_starts(was_low: bool, summary: Summary) -> str:
    environments, total = summary["environments"]["created"], summary["invocations"]["total"]
    if was_low:
        reason = "a request starts an environment wherever none is free, so that requests at once cost one start each"
    else:
        reason = f"an environment serves one request after another, so that {count_text(environments)} did for"
        reason += f" {counted(total, 'invocation')}"
    return f"{reason}. result.plot.lifelines() shows each."


def _of_latency(summary: Summary) -> str:
    latency = summary["latency_s"]
    median, tail, longest = (seconds_value(latency[name]) for name in ("p50", "p99", "max"))
    return (
        f"half of the requests took at most {median}, 99 of 100 at most {tail}, the slowest {longest}."
        " result.plot.latency() shows who the slow ones are."
    )


def _of_concurrency(summary: Summary) -> str:
    mean, peak = summary["concurrency"]["mean"], summary["concurrency"]["peak"]
    return (
        f"{count_text(mean)} were in flight on average, {count_text(peak)} at the peak, and limits see the peak."
        " result.plot.concurrency() shows when."
    )


def _of_cost(summary: Summary) -> str:
    cost = summary["cost_usd"]
    if not cost["total"]:
        return "this run costs nothing."
    largest = max(PARTS, key=lambda part: cost[part])
    share = share_text(cost[largest], cost["total"])
    return f"the largest part is {largest}, {money_text(cost[largest])} ({share})."


def _of_dead_letters(summary: Summary) -> str:
    blocks = summary.get("queues", {}).values()
    without = sum(block["dead_lettered_without_execution"] for block in blocks)
    return (
        f"{count_text(without)} of them met no execution at all, as each receive counts, throttled or not."
        " result.plot.receives() shows some of them."
    )
