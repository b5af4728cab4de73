"""What the figures of a run mean: Little's law, the limit that bound first, and what to look at next.

Each sentence follows from figures of the summary by a rule that can be read here.
"""

from __future__ import annotations

import numpy as np

from lambdasim.metrics.highlights import (
    first_throttle,
    in_flight_at,
    mean_handler_ns,
    mean_wait_ns,
    waited_without_cold_start,
)
from lambdasim.metrics.outcomes import Outcome
from lambdasim.metrics.run import Run
from lambdasim.platform.concurrency import ThrottleReason
from lambdasim.report.wording import MEANING, clock_text, count_text, seconds_value, share_text, time_text
from lambdasim.units import NS_PER_S

_NEXT_STEP = {
    ThrottleReason.ACCOUNT_CONCURRENCY: (
        "The quota is reached: try --set region.concurrency_quota={double_quota}, shorter handlers, or callers that"
        " retry with back-off (client.retry)."
    ),
    ThrottleReason.ACCOUNT_RATE: (
        "The request rate is the limit, not the concurrency: it is 10 x the quota per second. Try --set"
        " region.concurrency_quota={double_quota}, or batch several items into one request."
    ),
    ThrottleReason.RESERVED_CONCURRENCY: (
        "{function} is held back by its own reservation while the rest of the quota may be free: try --set"
        " functions.{function}.reserved_concurrency={double_reserved}."
    ),
    ThrottleReason.RESERVED_RATE: (
        "{function} sends more than 10 requests per second and reserved unit: reserve more than Little's law says,"
        " for example --set functions.{function}.reserved_concurrency={double_reserved}."
    ),
    ThrottleReason.SCALING_REQUEST_RATE: (
        "No quota helps here: let the traffic rise more slowly, or spread it over several functions; each has its own"
        " scaling rate."
    ),
    ThrottleReason.SCALING_RATE: (
        "A larger quota would not help: environments start at a fixed rate. Let the traffic rise more slowly, spread it"
        " over several functions, or let callers retry."
    ),
}


def littles_law_sentences(run: Run) -> list[str]:
    """Little's law as one computes it by hand, beside the simulated figure, and why the two differ."""
    handler_ns, wait_ns = mean_handler_ns(run.log), mean_wait_ns(run.log)
    summary = run.summary
    concurrency, total = summary["concurrency"], summary["requests"]["total"]
    interval_s = min(summary["scenario"]["duration_s"], summary["scenario"]["simulated_s"])
    if handler_ns is None or wait_ns is None or not interval_s or not total:
        return []
    rate = total / interval_s
    by_hand = rate * handler_ns / NS_PER_S
    sentences = [
        f"By hand: {count_text(rate)} requests/s x {time_text(handler_ns)} in the handler = {count_text(by_hand)}."
        f" Simulated mean: {count_text(concurrency['mean'])}."
    ]
    reasons = []
    accepted_share = summary["invocations"]["total"] / total
    if accepted_share < 0.99:
        reasons.append(f"only {share_text(summary['invocations']['total'], total)} of that rate was accepted")
    elif accepted_share > 1.01:
        reasons.append(f"some requests were executed more than once ({count_text(accepted_share)} times on average)")
    if wait_ns > 0.01 * handler_ns:
        reasons.append(f"waiting for an init adds {time_text(wait_ns)} to the average request, and counts")
    if (concurrency["littles_law"] or 0) > 1.02 * (concurrency["mean"] or 0):
        reasons.append(f"part of the work was done after {seconds_value(interval_s)}, where the average ends")
    if reasons:
        sentences.append("They differ because " + ", and ".join(reasons) + ".")
    elif abs(by_hand - (concurrency["mean"] or 0)) > 0.02 * by_hand:
        sentences.append("They differ because the run is short: a few requests more or less at its ends count.")
    else:
        sentences.append("They agree: little was refused and little time was spent on waiting for an init.")
    mean, peak = concurrency["mean"] or 0, concurrency["peak"]
    if peak > 1.5 * mean and peak > mean + 5:
        sentences.append(
            f"But it is an average: the peak was {count_text(peak)}, {count_text(peak / mean) if mean else 'far'} times"
            " as much, and limits see the peak."
        )
    return sentences


def first_limit_sentence(run: Run) -> str:
    """Which limit refused an attempt first, or how far the nearest one was."""
    first = first_throttle(run.log)
    concurrency = run.summary["concurrency"]
    if first is None:
        peak, quota = concurrency["peak"], concurrency["quota"]
        return (
            f"No limit was reached. The peak of {count_text(peak)} is {share_text(peak, quota)} of the quota of"
            f" {count_text(quota)}."
        )
    time_ns, reason, function = first
    return f"{reason.key}, at {clock_text(time_ns)}, for {function}: {MEANING[reason]}."


def next_steps(run: Run) -> list[str]:
    """What to try or to look at next, most telling first."""
    summary = run.summary
    steps = []
    by_reason = summary["attempts"]["throttles_by_reason"]
    if summary["attempts"]["throttles"]:
        worst = max(ThrottleReason, key=lambda reason: by_reason[reason.key])
        steps.append(_throttle_step(run, worst))
        steps += _other_limits(run, worst)
        steps += _cold_wave(run)
    if summary["requests"]["throttled"] and not summary["attempts"]["retries"]:
        source = _most_throttled_source(run)
        steps.append(
            "Callers gave up after their first refusal. See what retries change: --set"
            f" 'traffic.{source}.client.retry={{max_attempts: 4, base: 200ms, cap: 5s, jitter: full}}'."
        )
    if summary["requests"]["in_flight"]:
        steps.append("Some requests were not settled when the run ended: a longer drain shows what becomes of them.")
    unused = waited_without_cold_start(run.log)
    if unused > summary["invocations"]["cold_starts"]:
        steps.append(
            f"{count_text(unused)} requests waited for a new environment but were served by one that became free first;"
            f" the new ones came up for nobody. Compare with --set functions.{_first_function(run)}.assignment=bound."
        )
    if not summary["requests"]["total"]:
        steps.append("Nothing was offered: give a traffic source a higher rate, or the scenario a longer duration.")
    elif not steps:
        steps.append(
            "Nothing was refused. Lower the quota until something is, and see which limit it is: --set"
            f" region.concurrency_quota={max(1, summary['concurrency']['peak'] // 2)} --set region.min_unreserved=0."
        )
    return steps


def _other_limits(run: Run, worst: ThrottleReason) -> list[str]:
    """A warning that curing the worst limit leaves another one, where the scaling rate refused attempts as well."""
    scaling = run.summary["attempts"]["throttles_by_reason"][ThrottleReason.SCALING_RATE.key]
    if worst == ThrottleReason.SCALING_RATE or scaling < 0.05 * run.summary["attempts"]["throttles"]:
        return []
    return [
        f"But the scaling rate refused {count_text(scaling)} attempts too, and no quota changes that: what one limit"
        " lets through, the other may refuse. Run it and see."
    ]


def _cold_wave(run: Run) -> list[str]:
    """Whether a shorter init would help: much of what was in flight at the first refusal waited for one.

    Not where the handler takes ten times as long: there the same requests would be in flight all the same.
    """
    first, handler_ns = first_throttle(run.log), mean_handler_ns(run.log)
    if first is None or handler_ns is None:
        return []
    in_flight, waiting = in_flight_at(run.log, first[0])
    init_s = run.summary["init_s"]["mean"] or 0
    if waiting < max(2, 0.3 * in_flight) or init_s * NS_PER_S < 0.1 * handler_ns:
        return []
    return [
        f"At the first refusal {count_text(waiting)} of {count_text(in_flight)} in flight waited for an init. A shorter"
        f" one lowers the peak: try --set functions.{first[2]}.init=200ms."
    ]


def _most_throttled_source(run: Run) -> str:
    throttled = run.log.requests.source[run.outcomes.outcome == Outcome.THROTTLED]
    return run.log.source_names[int(np.bincount(throttled).argmax())]


def _first_function(run: Run) -> str:
    return next(iter(run.scenario.functions))


def _throttle_step(run: Run, reason: ThrottleReason) -> str:
    rows = run.log.throttles.request[run.log.throttles.reason == reason]
    function = run.log.function_names[run.log.requests.function[rows[0]]]
    reserved = run.scenario.functions[function].reserved_concurrency or 0
    return _NEXT_STEP[reason].format(
        double_quota=2 * run.scenario.region.concurrency_quota,
        double_reserved=max(1, 2 * reserved),
        function=function,
    )
