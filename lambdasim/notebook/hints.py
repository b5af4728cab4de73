"""Where to look when a guess was off: one sentence with the reason, as the run has it, and the picture of it."""

from __future__ import annotations

from lambdasim.cost.bill import PARTS
from lambdasim.metrics.outcomes import Outcome
from lambdasim.metrics.run import Run
from lambdasim.metrics.shared_pool import quota_at_peak
from lambdasim.notebook.figures import FIGURES, TOO_FEW_FOR_P99, Figure, Unit, drops
from lambdasim.platform.concurrency import ThrottleReason
from lambdasim.report.text_cost import money_text
from lambdasim.report.wording import count_text, counted, meaning_of, seconds_value, share_text, were

_OUTCOMES = " result.plot.outcomes() shows when."


def where_to_look(figure: Figure, *, was_low: bool, run: Run) -> str:
    """Why the figure of a run is what it is; ``was_low`` says that the guess was below it."""
    return "Worth a look: " + _reason(figure, was_low, run)


def _reason(figure: Figure, was_low: bool, run: Run) -> str:
    if figure.unit == Unit.SECONDS:
        return _of_latency(run)
    match figure.key:
        case "throttled" | "throttles":
            return _of_throttles(figure.key, run)
        case "retries":
            return _of_retries(run)
        case "cold_starts" | "environments":
            return _of_starts(was_low, run)
        case "peak_concurrency":
            return _of_concurrency(run)
        case "cost":
            return _of_cost(run)
        case "dead_lettered":
            return _of_dead_letters(run)
        case "dropped":
            return _of_drops(run)
        case "failed":
            return _of_failures(run)
        case "timed_out_client":
            return _of_patience(run)
        case "in_flight":
            return _of_the_end(run)
        case "requests":
            return _of_requests(run)
        case _:
            return _of_the_rest(run)


def _of_throttles(key: str, run: Run) -> str:
    attempts, requests = run.summary["attempts"], run.summary["requests"]
    refused = attempts["throttles_by_reason"]
    if not attempts["throttles"]:
        peak = count_text(run.summary["concurrency"]["peak"])
        quota = count_text(quota_at_peak(run.log, run.scenario.limits_in_force()))
        return f"nothing was refused, as at most {peak} were in flight at once, of {quota} that the quota allows."
    worst = max(ThrottleReason, key=lambda reason: refused[reason.key])
    share = share_text(refused[worst.key], attempts["throttles"])
    text = f"{share} of the refusals are {worst.key}: {meaning_of(worst, run.scenario)}."
    if key == "throttled" and attempts["throttles"] != requests["throttled"]:
        text = (
            f"{were(attempts['throttles'], 'attempt')} refused, and tried again or not;"
            f" {count_text(requests['throttled'])} is how many requests had no attempt left. {text}"
        )
    return f"{text} result.plot.concurrency() marks each."


def _of_retries(run: Run) -> str:
    attempts, total = run.summary["attempts"], run.summary["requests"]["total"]
    if attempts["retries"]:
        each = count_text(attempts["total"] / total)
        return f"{counted(total, 'request')} made {counted(attempts['total'], 'attempt')}, {each} each on average."
    if attempts["throttles"]:
        return f"{were(attempts['throttles'], 'attempt')} refused, and these callers do not try again."
    return "nothing was refused, so that there was little reason to try again."


def _of_starts(was_low: bool, run: Run) -> str:
    environments, total = run.summary["environments"]["created"], run.summary["invocations"]["total"]
    if was_low:
        reason = "a request starts an environment wherever none is free, so that requests at once cost one start each"
    else:
        reason = f"an environment serves one request after another, so that {count_text(environments)} did for"
        reason += f" {counted(total, 'invocation')}"
    return f"{reason}. result.plot.lifelines() shows each."


def _of_latency(run: Run) -> str:
    latency = run.summary["latency_s"]
    median, tail, longest = (seconds_value(latency[name]) for name in ("p50", "p99", "max"))
    most = "" if latency["count"] < TOO_FEW_FOR_P99 else f" 99 of 100 at most {tail},"
    return (
        f"half of the requests took at most {median},{most} the slowest {longest}."
        " result.plot.latency() shows who the slow ones are."
    )


def _of_concurrency(run: Run) -> str:
    mean, peak = run.summary["concurrency"]["mean"], run.summary["concurrency"]["peak"]
    return (
        f"{count_text(mean)} were in flight on average, {count_text(peak)} at the peak, and limits see the peak."
        " result.plot.concurrency() shows when."
    )


def _of_cost(run: Run) -> str:
    cost = run.summary["cost_usd"]
    if not cost["total"]:
        return "this run costs nothing."
    largest = max(PARTS, key=lambda part: cost[part])
    share = share_text(cost[largest], cost["total"])
    return f"the largest part is {largest}, {money_text(cost[largest])} ({share})."


def _of_dead_letters(run: Run) -> str:
    blocks = run.summary.get("queues", {}).values()
    if not any(block["messages"]["dead_lettered"] for block in blocks):
        return "every message was deleted in time, or its queue has no dead-letter queue."
    without = sum(block["dead_lettered_without_execution"] for block in blocks)
    return (
        f"{count_text(without)} of them met no execution at all, as each receive counts, throttled or not."
        " result.plot.receives() shows some of them."
    )


def _of_drops(run: Run) -> str:
    found = drops(run.summary)
    if not found:
        return "no queue and no stream gave anything up."
    most = max(found, key=lambda drop: drop.count)
    how_many = "all" if len(found) == 1 else f"most of them, {count_text(most.count)},"
    return f"{how_many} were {most.meaning}.{_OUTCOMES}"


def _of_failures(run: Run) -> str:
    invocations = run.summary["invocations"]
    failed, in_time = invocations["errors"], invocations["errors"] - invocations["timeouts"]
    if not failed:
        return "no invocation failed."
    return (
        f"{were(failed, 'invocation')} in vain, {count_text(in_time)} by an error and"
        f" {count_text(invocations['timeouts'])} by the function's timeout; a caller that tries again may have its"
        f" answer all the same.{_OUTCOMES}"
    )


def _of_patience(run: Run) -> str:
    if not run.summary["requests"]["timed_out_client"]:
        return f"nobody gave up: {_slowest(run)}."
    return f"these callers stopped waiting before they had an answer; of the others {_slowest(run)}.{_OUTCOMES}"


def _slowest(run: Run) -> str:
    longest = run.summary["latency_s"]["max"]
    return "none had one" if longest is None else f"the slowest was answered after {seconds_value(longest)}"


def _of_the_end(run: Run) -> str:
    if not run.summary["requests"]["in_flight"]:
        return "all requests were settled when the run ended."
    end = seconds_value(run.summary["scenario"]["simulated_s"])
    return f"the run ended at {end}, whatever was under way then; a longer drain shows what becomes of it."


def _of_requests(run: Run) -> str:
    total, seconds = run.summary["requests"]["total"], run.summary["scenario"]["duration_s"]
    return f"they came in {seconds_value(seconds)}, {count_text(total / seconds)}/s on average."


def _of_the_rest(run: Run) -> str:
    requests = run.summary["requests"]
    others = [
        f"{count_text(requests[outcome.key])} {FIGURES[outcome.key].label}"
        for outcome in Outcome
        if requests[outcome.key] and outcome != Outcome.COMPLETED
    ]
    if not others:
        return "all requests were completed."
    return f"{count_text(requests['completed'])} completed, {', '.join(others)}.{_OUTCOMES}"
