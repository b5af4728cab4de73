"""What the figures of a run mean: Little's law, the limit that bound first, and what to look at next.

Each sentence follows from figures of the summary by a rule that can be read here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise

import numpy as np

from lambdasim.metrics.highlights import (
    first_throttle,
    in_flight_at,
    mean_handler_ns,
    mean_wait_ns,
    waited_without_cold_start,
    went_on_ns,
)
from lambdasim.metrics.outcomes import Outcome
from lambdasim.metrics.provisioned import first_spillover
from lambdasim.metrics.provisioned_demand import Demand
from lambdasim.metrics.run import Run
from lambdasim.metrics.shared_pool import peak_claimed, quota_at_peak
from lambdasim.platform.callers import client_spec, gives_up_first
from lambdasim.platform.concurrency import ThrottleReason
from lambdasim.platform.lifecycle import INIT_LIMIT_NS
from lambdasim.report.advice_provisioned import provisioned_steps, without_it
from lambdasim.report.advice_queues import queue_steps
from lambdasim.report.wording import (
    clock_text,
    count_text,
    meaning_of,
    only_reservation,
    seconds_value,
    share_text,
    time_text,
)
from lambdasim.scenario.changes import LimitsInForce
from lambdasim.scenario.traffic import TrafficSource
from lambdasim.units import NS_PER_S, format_duration

# A share of waiting or work in vain below these is no reason to change anything, or not worth a sentence.
_WORTH_A_STEP, _WORTH_A_SENTENCE = 0.03, 0.001

_NEXT_STEP = {
    ThrottleReason.ACCOUNT_CONCURRENCY: (
        "The quota is reached: try --set {quota_key}={double_quota}, shorter handlers, or callers that"
        " retry with back-off (client.retry)."
    ),
    ThrottleReason.ACCOUNT_RATE: (
        "The request rate is the limit, not the concurrency: it is 10 x the quota per second. Try --set"
        " {quota_key}={double_quota}, or batch several items into one request."
    ),
    ThrottleReason.RESERVED_CONCURRENCY: (
        "{function} is held back by its own reservation while the rest of the quota may be free: try --set"
        " {reserved_key}={double_reserved}."
    ),
    ThrottleReason.RESERVED_RATE: (
        "{function} sends more than 10 requests per second and reserved unit: reserve more than Little's law says,"
        " for example --set {reserved_key}={double_reserved}."
    ),
    ThrottleReason.SCALING_REQUEST_RATE: (
        "No quota helps here: let the traffic rise more slowly, or spread it over several functions; each has its own"
        " scaling rate."
    ),
    ThrottleReason.SCALING_RATE: (
        "A larger quota would not help: environments start at a fixed rate. Let the traffic rise more slowly, spread it"
        " over several functions, or let callers retry."
    ),
    ThrottleReason.API_GATEWAY_RATE: (
        "API Gateway refuses before Lambda is asked; no setting of Lambda helps. Compare with a function URL (--set"
        " traffic.{source}.via=function-url) or a higher rate from AWS (--set region.api_gateway.rate={gateway_rate})."
    ),
}


_ALL_PROVISIONED = (
    "{function} has all of its reserved units provisioned, so that nothing may run on demand: reserve more than is"
    " provisioned, for example --set {reserved_key}={double_reserved}."
)

_STOPPED = (
    "{function} was stopped by a reservation of 0: everything is refused until it gets units back. What polls a queue"
    " goes on receiving meanwhile, and each receive counts; in AWS, disable the event source mapping instead."
)


def littles_law_sentences(run: Run) -> list[str]:
    """Little's law as one computes it by hand, beside the simulated figure, and why the two differ."""
    handler_ns, wait_ns = mean_handler_ns(run.log), mean_wait_ns(run.log)
    summary = run.summary
    concurrency, total = summary["concurrency"], summary["requests"]["total"]
    thing = "requests"
    if len(run.log.batches):  # a batch is one invocation for many requests
        total, thing = summary["invocations"]["total"], "invocations"
    interval_s = min(summary["scenario"]["duration_s"], summary["scenario"]["simulated_s"])
    if handler_ns is None or wait_ns is None or not interval_s or not total:
        return []
    rate = total / interval_s
    by_hand = rate * handler_ns / NS_PER_S
    sentences = [
        f"By hand: {count_text(rate)} {thing}/s x {time_text(handler_ns)} in the handler = {count_text(by_hand)}."
        f" Simulated mean: {count_text(concurrency['mean'])}."
    ]
    reasons = []
    accepted_share = summary["invocations"]["total"] / total
    if accepted_share < 0.99:
        reasons.append(f"only {share_text(summary['invocations']['total'], total)} of that rate was accepted")
    elif accepted_share > 1.01:
        reasons.append(f"some requests were executed more than once ({count_text(accepted_share)} times on average)")
    if wait_ns > 0.01 * handler_ns:
        reasons.append(f"waiting for an init adds {time_text(wait_ns)} to the average {thing[:-1]}, and counts")
    late = int(np.count_nonzero(run.log.invocations.admitted_ns >= _until_ns(run)))
    if late > 0.01 * summary["invocations"]["total"]:
        share = share_text(late, summary["invocations"]["total"])
        reasons.append(f"{share} of the invocations began after {seconds_value(interval_s)}, where the average ends")
    elif (concurrency["littles_law"] or 0) > 1.02 * (concurrency["mean"] or 0):
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


def for_nobody_sentences(run: Run) -> list[str]:
    """How much of the mean concurrency nobody waited for any longer; nothing to say where it is next to nothing."""
    mean, for_nobody = run.summary["concurrency"]["mean"], _mean_for_nobody(run)
    if not mean or for_nobody < _WORTH_A_SENTENCE * mean:
        return []
    return [
        f"On average {count_text(for_nobody)} of {count_text(mean)} in flight ({share_text(for_nobody, mean)}) worked"
        " for callers that had stopped waiting."
    ]


def _mean_for_nobody(run: Run) -> float:
    """Mean number in flight whose callers had stopped waiting, over the interval of the mean concurrency."""
    until_ns = _until_ns(run)
    return int(went_on_ns(run.log, until_ns).sum()) / until_ns if until_ns else 0.0


def _until_ns(run: Run) -> int:
    return min(run.scenario.duration, run.log.end_ns)


def first_limit_sentence(run: Run) -> str:
    """Which limit refused an attempt first, or how far the nearest one was; and what spilled over first."""
    first = first_throttle(run.log)
    concurrency = run.summary["concurrency"]
    spilled = first_spillover(run.log)
    over = ""
    if spilled is not None:
        over = f" Provisioned concurrency spilled over first at {clock_text(spilled[0])}, for {spilled[1]} (see below)."
    if first is None:
        peak, limits = concurrency["peak"], run.scenario.limits_in_force()
        limit, name = quota_at_peak(run.log, limits), "quota"
        if len(reserved := only_reservation(run.scenario, run.log.end_ns)) == 1:
            limit, name = reserved[0], "reserved concurrency"
        text = f"The peak of {count_text(peak)} is {share_text(peak, limit)} of the {name} of {count_text(limit)}."
        if "provisioned" in run.summary:
            claimed, quota = peak_claimed(run.log, limits)
            text = (
                f"At most {count_text(claimed)} of the quota of {count_text(quota)} were claimed"
                f" ({share_text(claimed, quota)}), idle provisioned concurrency included; {count_text(peak)} were in"
                " flight."
            )
        return f"{'No limit was reached.' if spilled is None else 'Nothing was refused.'} {text}{over}"
    time_ns, reason, function = first
    return f"{reason.key}, at {clock_text(time_ns)}, for {function}: {meaning_of(reason, run.scenario)}.{over}"


def first_pictures(run: Run) -> tuple[str, str]:
    """Names of the two pictures to start with: those of capacity and of waiting work where there is any."""
    names = ["concurrency", "outcomes"]
    names += [kind for kind in ("provisioned", "queues", "streams") if run.summary.get(kind)]
    return names[-2], names[-1]


def next_steps(run: Run, wanted: Mapping[str, Demand]) -> list[str]:
    """What to try or to look at next, most telling first. ``wanted``: the demand for provisioned concurrency."""
    summary = run.summary
    steps = list(queue_steps(run))
    by_reason = summary["attempts"]["throttles_by_reason"]
    if summary["attempts"]["throttles"]:
        worst = max(ThrottleReason, key=lambda reason: by_reason[reason.key])
        steps.append(_throttle_step(run, worst))
        steps += _other_limits(run, worst)
        steps += _cold_wave(run)
    steps += provisioned_steps(run, wanted)
    in_vain = max(_shares_in_vain(run))
    if in_vain >= _WORTH_A_STEP:
        is_first = in_vain > summary["attempts"]["throttles"] / summary["attempts"]["total"]
        steps.insert(0 if is_first else len(steps), _in_vain_step(run))
    if summary["requests"]["throttled"] and not summary["attempts"]["retries"]:
        source = _most_throttled_source(run)
        steps.append(
            "Callers gave up after their first refusal. See what retries change: --set"
            f" 'traffic.{source}.client.retry={{max_attempts: 4, base: 200ms, cap: 5s, jitter: full}}'."
        )
    steps += _used_up_quotas(run)
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
    elif not steps and (settings := without_it(run)) is not None:
        steps.append(f"Nothing was refused. Compare with the same load without provisioned concurrency: {settings}.")
    elif not steps and not len(run.log.batches):
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
    half = format_duration(round(float(f"{init_s / 2:.2g}") * NS_PER_S))
    what, setting = "an init", f"--set functions.{first[2]}.init={half}"
    if run.scenario.functions[first[2]].snapstart is not None:
        what, setting = "a restore", f"--set 'functions.{first[2]}.snapstart={{restore: {half}}}'"
    return [
        f"At the first refusal {count_text(waiting)} of {count_text(in_flight)} in flight waited for {what}. A shorter"
        f" one lowers the peak: try {setting}."
    ]


def _shares_in_vain(run: Run) -> tuple[float, float]:
    """Share of the requests whose callers stopped waiting, and of the work in flight that went on after that."""
    requests, mean = run.summary["requests"], run.summary["concurrency"]["mean"]
    of_requests = requests["timed_out_client"] / requests["total"] if requests["total"] else 0.0
    return of_requests, _mean_for_nobody(run) / mean if mean else 0.0


def _in_vain_step(run: Run) -> str:
    """What was in vain, and the two ways out: work that ends with the waiting, or waiting that outlasts the work."""
    of_requests, of_work = _shares_in_vain(run)
    found = []
    if of_requests:
        found.append(f"{share_text(of_requests, 1)} of the requests got no answer in time")
    if of_work:
        found.append(f"{share_text(of_work, 1)} of what was in flight worked on for callers that had stopped waiting")
    name, function = _most_in_vain(run)
    source, timeout_ns = run.scenario.traffic[name], run.scenario.functions[function].timeout
    wait_ns = client_spec(source).timeout_ns
    ways = []
    if NS_PER_S <= wait_ns < timeout_ns:
        end = f"--set functions.{function}.timeout={format_duration(wait_ns)}"
        ways.append(f"end the work when the waiting ends ({end})")
    ways.append(_longer_wait(name, source, timeout_ns + INIT_LIMIT_NS))
    return f"{', and '.join(found)}. Try to {', or to '.join(ways)}."


def _longer_wait(name: str, source: TrafficSource, needed_ns: int) -> str:
    """How to wait until a function must have answered: as long as it may run, after the longest init."""
    via = source.via
    if via is None or not gives_up_first(via, source.client):
        wait = f"--set traffic.{name}.client.timeout={format_duration(needed_ns)}"
        return f"wait until the function must have ended ({wait})"
    longest_ns = via.usual.longest_timeout_ns
    if longest_ns is not None and via.timeout_ns == longest_ns:
        return f"answer at once and let callers ask for the result later: {via.front_end} waits no longer"
    wait_ns = needed_ns if longest_ns is None else min(needed_ns, longest_ns)
    keys = f"front_end: {via.front_end}, timeout: {format_duration(wait_ns)}"
    if via.throttle_status is not None:
        keys += f", throttle_status: {via.throttle_status}"
    return f"let the gateway wait longer (--set 'traffic.{name}.via={{{keys}}}')"


def _most_in_vain(run: Run) -> tuple[str, str]:
    """Source and function of most of the work that went on for nobody; where none did, of most given-up attempts."""
    log = run.log
    request = log.abandonments.request
    went_on = went_on_ns(log, _until_ns(run))
    pair = log.requests.source[request].astype(np.int64) * len(log.function_names) + log.requests.function[request]
    weights = went_on if went_on.any() else np.ones(len(pair))
    source, function = divmod(int(np.bincount(pair, weights=weights).argmax()), len(log.function_names))
    return log.source_names[source], log.function_names[function]


def _used_up_quotas(run: Run) -> list[str]:
    """Sources whose SDK gave up requests before their last attempt, as its retry quota did not hold another one."""
    gave_up = np.isin(run.outcomes.outcome, (Outcome.THROTTLED, Outcome.FAILED, Outcome.TIMED_OUT_CLIENT))
    steps = []
    for number, (name, source) in enumerate(run.scenario.traffic.items()):
        spec = client_spec(source)
        if spec.quota is None:
            continue
        # A function error is the end for a direct caller, whatever the quota.
        of_source = gave_up & (run.log.requests.source == number)
        if not spec.is_error_seen:
            of_source &= run.outcomes.outcome != Outcome.FAILED
        early = int((run.outcomes.attempts[of_source] < spec.max_attempts).sum())
        if early:
            steps.append(
                f"{count_text(early)} requests of {name} were given up before their last attempt: the retry quota of"
                f" their SDK client ({spec.quota.tokens} tokens) was used up. It keeps an overload from growing; with a"
                f" client for each caller it hardly binds: try --set traffic.{name}.client.count=1000."
            )
    return steps


def _most_throttled_source(run: Run) -> str:
    throttled = run.log.requests.source[run.outcomes.outcome == Outcome.THROTTLED]
    return run.log.source_names[int(np.bincount(throttled).argmax())]


def _first_function(run: Run) -> str:
    return next(iter(run.scenario.functions))


def _throttle_step(run: Run, reason: ThrottleReason) -> str:
    of_reason = run.log.throttles.reason == reason
    rows = run.log.throttles.request[of_reason]
    function = run.log.function_names[run.log.throttles.function[of_reason][0]]
    state = _limits_at(run, int(run.log.throttles.time_ns[run.log.throttles.reason == reason].max()))
    if state.reserved.get(function) == 0 and reason == ThrottleReason.RESERVED_CONCURRENCY:
        return _STOPPED.format(function=function)
    text = _NEXT_STEP[reason]
    if reason == ThrottleReason.RESERVED_CONCURRENCY and _is_all_provisioned(run, function, state):
        text = _ALL_PROVISIONED
    return text.format(
        double_quota=2 * state.quota,
        quota_key=f"{_set_by(run, state, lambda one: one.quota)}region.concurrency_quota",
        double_reserved=max(1, 2 * state.reserved.get(function, 0)),
        reserved_key=f"{_set_by(run, state, lambda one: one.reserved.get(function))}functions.{function}"
        ".reserved_concurrency",
        function=function,
        source=run.log.source_names[run.log.requests.source[rows[0]]],
        gateway_rate=_doubled_gateway_rate(run),
    )


def _set_by(run: Run, state: LimitsInForce, limit: Callable[[LimitsInForce], int | None]) -> str:
    """Where a limit of a state is set: ``changes.N.`` of the last change that moved it, or nothing for the start."""
    states = run.scenario.limits_in_force()
    moves = [after for before, after in pairwise(states[: states.index(state) + 1]) if limit(before) != limit(after)]
    return f"changes.{moves[-1].change}." if moves else ""


def _is_all_provisioned(run: Run, function: str, state: LimitsInForce) -> bool:
    """Whether provisioned concurrency ever took the whole reservation that a function has in a state."""
    units = [one.provisioned.get(function, 0) for one in run.limits if one.reserved.get(function)]
    return bool(units) and max(units) >= state.reserved.get(function, max(units) + 1)


def _limits_at(run: Run, time_ns: int) -> LimitsInForce:
    """Quota and reservations in force at a time."""
    return [state for state in run.scenario.limits_in_force() if state.at_ns <= time_ns][-1]


def _doubled_gateway_rate(run: Run) -> str:
    limit = run.scenario.region.api_gateway
    return "unlimited" if isinstance(limit, str) else f"{2 * limit.rate}/s"
