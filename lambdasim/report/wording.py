"""How numbers and names read in the terminal summary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lambdasim.platform.async_retry import DropReason
from lambdasim.platform.concurrency import ThrottleReason
from lambdasim.scenario.changes import Change, FunctionChange
from lambdasim.scenario.front_end import ACCEPTED_STATUS, OK_STATUS, TOO_MANY_REQUESTS
from lambdasim.scenario.schema import Scenario
from lambdasim.scenario.slo import LATENCY_TARGETS
from lambdasim.scenario.traffic import TrafficSource
from lambdasim.units import NS_PER_S, format_rate

# A least time to empty a queue below this share of the time that it took says nothing: there was no backlog.
FLOOR_WORTH_A_WORD = 0.01

# What each kind of request that nobody waits for is called.
UNAWAITED = {"async": "event", "sqs": "message", "stream": "record"}

# What each refusal means, in one line for someone who never read AWS's documentation.
MEANING = {
    ThrottleReason.ACCOUNT_CONCURRENCY: "as many requests in flight as the unreserved part of the quota allows",
    ThrottleReason.ACCOUNT_RATE: "more requests per second than 10 x the quota, however short they are",
    ThrottleReason.RESERVED_CONCURRENCY: "as many requests in flight as the function's reserved concurrency",
    ThrottleReason.RESERVED_RATE: "more requests per second than 10 x the reserved concurrency",
    ThrottleReason.SCALING_REQUEST_RATE: "the accepted request rate grew faster than Lambda lets it",
    ThrottleReason.SCALING_RATE: "new environments were needed faster than Lambda starts them",
    ThrottleReason.API_GATEWAY_RATE: "more requests than API Gateway lets through; they never reached Lambda",
}


# The same of the quota where it is all there for everybody.
_ALL_OF_THE_QUOTA = "as many requests in flight as the quota allows"

_SETTINGS_SHOWN = 2


def meaning_of(reason: ThrottleReason, scenario: Scenario) -> str:
    """``MEANING`` of a refusal in a scenario: without talk of reservations where there never are any."""
    if reason == ThrottleReason.ACCOUNT_CONCURRENCY:
        states = scenario.limits_in_force()
        if not any(any((*state.reserved.values(), *state.provisioned.values())) for state in states):
            return _ALL_OF_THE_QUOTA
    return MEANING[reason]


def subtitle(scenario: Scenario) -> str:
    """What stands below the name of a scenario: its description, or what was set, which may contradict it."""
    settings = [f"{path} = {value}" for path, value in scenario.settings]
    if not settings:
        return scenario.description
    left_out = len(settings) - _SETTINGS_SHOWN
    more = f" and {left_out} more" if left_out > 0 else ""
    return f"changed: {', '.join(settings[:_SETTINGS_SHOWN])}{more}"


def limit_text(scenario: Scenario, until_ns: int) -> str:
    """The limit that concurrency is measured by: ``a quota of 1,000, then 3,000``, or ``10 reserved``.

    The latter where the one function there is has reserved concurrency from the start until ``until_ns``.
    """
    states = [state for state in scenario.limits_in_force() if state.at_ns <= until_ns]
    reserved = only_reservation(scenario, until_ns)
    if reserved:
        return f"{', then '.join(map(count_text, reserved))} reserved"
    return f"a quota of {', then '.join(map(count_text, dict.fromkeys(state.quota for state in states)))}"


def only_reservation(scenario: Scenario, until_ns: int) -> list[int]:
    """Reserved concurrency of the only function, and what it becomes until then; empty where it lacks one at times."""
    names = list(scenario.functions)
    values = [state.reserved.get(names[0]) for state in scenario.limits_in_force() if state.at_ns <= until_ns]
    if len(names) > 1 or None in values:
        return []
    return list(dict.fromkeys(value for value in values if value is not None))


def status_meanings(sources: Iterable[TrafficSource]) -> dict[str, str]:
    """What each status says to the callers of these sources: everything that can be behind it, in one line."""
    meanings: dict[str, list[str]] = {"none": ["no answer: the caller stopped waiting"]}
    for source in sources:
        for status, meaning in _meanings_for(source):
            known = meanings.setdefault(str(status), [])
            if meaning not in known:
                known.append(meaning)
    return {status: ", or ".join(known) for status, known in meanings.items()}


def _meanings_for(source: TrafficSource) -> Iterator[tuple[int, str]]:
    front_end = source.via
    if source.invoke == "async":
        yield ACCEPTED_STATUS, "queued, whatever came after"
        return
    yield OK_STATUS, "answered"
    if front_end is None:
        yield OK_STATUS, "of a direct call, the function failed"
        yield TOO_MANY_REQUESTS, "refused by Lambda"
        return
    answers = front_end.usual
    yield front_end.status_of_throttle, "refused by Lambda"
    yield answers.error, "the function failed or timed out"
    if answers.is_api_gateway:
        yield TOO_MANY_REQUESTS, "refused by API Gateway, before Lambda"
    if front_end.timeout_ns is not None:
        yield answers.timeout, "the function took too long for the front end"


# Why an asynchronous event was given up, with AWS's word for the condition of a failed event.
DROP_MEANING = {
    DropReason.EVENT_AGE_EXCEEDED: "were too old, or would have been at their next try (EventAgeExceeded)",
    DropReason.RETRIES_EXHAUSTED: "failed in their last try (RetriesExhausted)",
    DropReason.ZERO_RESERVED_CONCURRENCY: "met a function that is stopped (ZeroReservedConcurrency)",
}


def change_text(change: Change) -> str:
    """What a change does, in a few words: ``quota 3,000``, ``deploy api``, ``a, b: reserved 0``, ``web, batch off``."""
    words = []
    if change.region is not None:
        words.append(f"quota {change.region.concurrency_quota:,}")
    if change.deploy is not None:
        words.append(f"deploy {change.deploy}")
    if change.redrive is not None:
        words.append(f"redrive {change.redrive.queue}, {format_rate(change.redrive.rate)}")
    functions = {name: _function_change_text(function) for name, function in (change.functions or {}).items()}
    words += [f"{', '.join(names)}: {text}" for text, names in _by_value(functions).items() if text]
    words += [f"{', '.join(names)} {switch}" for switch, names in _by_value(change.traffic or {}).items()]
    return "; ".join(words)


def _function_change_text(function: FunctionChange) -> str:
    words = []
    if function.reserved_concurrency is not None:
        words.append(f"reserved {function.reserved_concurrency}")
    if function.provisioned_concurrency is not None:
        words.append(f"provisioned {function.provisioned_concurrency}")
    if function.duration is not None:
        words.append("other duration")
    if function.errors is not None:
        words.append("other errors")
    return " and ".join(words)


def _by_value(named: Mapping[str, str]) -> dict[str, list[str]]:
    """Names by what they have in common, each value where it comes first."""
    names: dict[str, list[str]] = {}
    for name, value in named.items():
        names.setdefault(value, []).append(name)
    return names


def start_word(scenario: Scenario, *, plural: bool = False) -> str:
    """What makes a new environment ready: its ``init``, or its ``restore`` where functions have SnapStart."""
    words = {"init" if function.snapstart is None else "restore" for function in scenario.functions.values()}
    return " or ".join(f"{word}s" if plural else word for word in sorted(words))


def time_text(time_ns: float | None) -> str:
    """A length of time in the unit that reads best: ``3.2ms``, ``180ms``, ``1.25s``, ``2m05s``, ``1h30m``."""
    if time_ns is None:
        return "–"
    seconds = time_ns / NS_PER_S
    if seconds == 0:
        return "0s"
    if seconds < 0.95e-6:
        return f"{time_ns:.3g}ns"
    if seconds < 0.95e-3:
        return f"{seconds * 1e6:.3g}us"
    if seconds < 0.0095:
        return f"{seconds * 1e3:.2g}ms"
    if seconds < 0.9995:
        return f"{seconds * 1e3:.0f}ms"
    if seconds < 9.995:
        return f"{_trimmed(f'{seconds:.2f}')}s"
    if seconds < 99.95:
        return f"{_trimmed(f'{seconds:.1f}')}s"
    if seconds < 5_999.5:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes}m{rest:02d}s" if rest else f"{minutes}m"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours}h{minutes:02d}m" if minutes else f"{hours}h"


def _trimmed(number: str) -> str:
    """A decimal number without the zeros at its end."""
    return number.rstrip("0").rstrip(".")


def seconds_value(seconds: float | None) -> str:
    """``time_text`` of a time in seconds."""
    return time_text(None if seconds is None else seconds * NS_PER_S)


def clock_text(time_ns: int) -> str:
    """A point in simulated time: ``2:05`` (minutes and seconds), ``1:02:05`` after an hour."""
    total = time_ns // NS_PER_S
    hours, rest = divmod(total, 3_600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def clock_difference(begin_ns: int, end_ns: int) -> str:
    """How long after one point in time another one is: from ten seconds on as their clock texts have it."""
    if end_ns - begin_ns < 10 * NS_PER_S:
        return time_text(end_ns - begin_ns)
    return time_text((end_ns // NS_PER_S - begin_ns // NS_PER_S) * NS_PER_S)


def share_text(part: float, whole: float) -> str:
    """A share in percent that never reads 0 % or 100 % when it is not; a part that is larger than the whole, too."""
    if not whole:
        return "–"
    percent = 100 * part / whole
    if 0 < percent < 0.01:
        return "<0.01%"
    if 99.9 < percent < 100:
        return ">99.9%"
    if percent < 1:
        return f"{percent:.2g}%"
    return f"{percent:.1f}%" if percent < 99.95 else f"{percent:,.0f}%"


def target_texts(name: str, target: Mapping[str, Any]) -> tuple[str, str]:
    """(target, actual) of a promise in ``summary.json``; with all digits where a miss is smaller than rounding."""
    promised, actual = target["target"], target["actual"]
    if name in LATENCY_TARGETS:
        texts = seconds_value(promised), seconds_value(actual)
        exact = f"{promised:.9f}".rstrip("0") + "s", f"{actual or 0:.9f}".rstrip("0") + "s"
    else:
        texts = share_text(promised, 1), "–" if actual is None else share_text(actual, 1)
        exact = f"{100 * promised:.6g}%", f"{100 * (actual or 0):.6g}%"
    return exact if texts[0] == texts[1] and not target["met"] else texts


def counted(count: int, thing: str, things: str | None = None) -> str:
    """``1 cold start``, ``2 cold starts``, ``3 batches``."""
    return f"{count_text(count)} {thing if count == 1 else things or thing + 's'}"


def were(count: int, thing: str) -> str:
    """``1 environment was``, ``2 environments were``."""
    return f"{counted(count, thing)} {'was' if count == 1 else 'were'}"


def count_text(value: float | None) -> str:
    """A number with thousands separators and no more digits than it needs."""
    if value is None:
        return "–"
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.1f}" if value >= 10 else f"{value:.3g}"
