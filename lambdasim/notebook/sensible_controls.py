"""The controls of ``explore`` for whoever asks for none: what matters most of a scenario, in ranges that are quick."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from lambdasim.errors import ScenarioError
from lambdasim.notebook.controls import AS_WRITTEN, Control, control_of, listed, refusal
from lambdasim.notebook.forecast import forecast, may_retry
from lambdasim.notebook.stops import nice_step
from lambdasim.report.by_formula import by_formula
from lambdasim.scenario.distributions import Constant, Distribution, Exponential, Gamma, Lognormal
from lambdasim.scenario.load import load
from lambdasim.scenario.schema import Scenario
from lambdasim.scenario.work import Work
from lambdasim.units import format_duration, format_rate
from lambdasim.workload.means import mean_duration_ns
from lambdasim.workload.offered import offered_sources

_MOST_CONTROLS = 4
# What a slider multiplies a time or a rate by.
_FACTORS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
# Rates are not chosen beyond so many requests: a move should take half a second.
_MOST_REQUESTS = 60_000
# Nor is anything else that makes callers try so often: that takes some seconds.
_MOST_ATTEMPTS = 200_000


def sensible_controls(scenario: Scenario) -> tuple[Control, ...]:
    """Up to four: what is bought, the quota, the traffic and the duration of the busiest function, and its init."""
    candidates = _candidates(scenario, scenario.model_dump(mode="json"))
    quick = (_without_slow_ends(scenario, control) for control in candidates)
    accepted = (control for control in quick if len(control.stops) > 1 and _is_accepted(scenario, control))
    return tuple(islice(accepted, _MOST_CONTROLS))


def _without_slow_ends(scenario: Scenario, control: Control) -> Control:
    """The stops around the first one at which callers do not try again and again."""
    if not may_retry(scenario):
        return control

    def is_quick(number: int) -> bool:
        try:
            changed = load(scenario, overrides=control.settings(control.stops[number].value), on_warning=lambda _: None)
        except ScenarioError:
            return True  # whether AWS takes it is seen later
        return forecast(changed, by_formula(changed, changed.seed or 0)).attempts <= _MOST_ATTEMPTS

    low = high = control.begin
    last = len(control.stops) - 1
    # Mostly all of it is quick, as its ends show.
    low = 0 if is_quick(0) else next((n for n in range(1, low) if is_quick(n)), low)
    high = last if is_quick(last) else next((n for n in range(last - 1, high, -1) if is_quick(n)), high)
    return replace(control, stops=control.stops[low : high + 1], begin=control.begin - low)


def _is_accepted(scenario: Scenario, control: Control) -> bool:
    values = [stop.value for stop in control.stops if stop.value is not AS_WRITTEN]
    return all(refusal(scenario, control, end) is None for end in (values[0], values[-1]))


def _candidates(scenario: Scenario, data: Mapping[str, Any]) -> Iterator[Control]:
    """In the order of how much people learn from them; AWS may refuse some."""
    source, expected = _busiest_source(scenario)
    name = scenario.traffic[source].function
    function = scenario.functions[name]
    yield from _of_what_is_bought(scenario, data, name)
    yield control_of(data, "region.concurrency_quota", (_lowest_quota(scenario), 3 * scenario.region.concurrency_quota))
    yield from _of_rate(scenario, data, source, _MOST_REQUESTS / max(expected, 1))
    if isinstance(function.duration, Work):
        yield from _of_time(data, f"functions.{name}.duration.cpu", function.duration.cpu)
    else:
        yield from _of_time(data, f"functions.{name}.duration", function.duration)
    if function.snapstart is None and function.runtime is None:
        yield from _of_time(data, f"functions.{name}.init", function.init)


def _busiest_source(scenario: Scenario) -> tuple[str, float]:
    """The source that keeps most environments busy, and how many requests are expected of all of them."""
    work = {name: mean_duration_ns(function) for name, function in scenario.functions.items()}
    offered = offered_sources(scenario, scenario.seed or 0)
    expected = {each.name: 0.0 if each.has_users else each.profile.expected_requests for each in offered}
    busiest = max(offered, key=lambda each: expected[each.name] * work[each.source.function])
    return busiest.name, sum(expected.values())


def _of_what_is_bought(scenario: Scenario, data: Mapping[str, Any], name: str) -> Iterator[Control]:
    """Provisioned and reserved concurrency of a function that has any."""
    function, quota = scenario.functions[name], scenario.region.concurrency_quota
    provisioned, reserved = function.provisioned_concurrency or 0, function.reserved_concurrency
    if provisioned:
        # AWS refuses more provisioned than reserved units.
        high = max(2 * provisioned, 10) if reserved is None else max(min(2 * provisioned, reserved), 1)
        yield control_of(data, f"functions.{name}.provisioned_concurrency", (0, high))
    if reserved is not None:
        left = quota - (_reserved(scenario) - reserved) - scenario.region.least_unreserved
        yield control_of(data, f"functions.{name}.reserved_concurrency", (provisioned, max(left, provisioned + 1)))


def _reserved(scenario: Scenario) -> int:
    """Units that all functions have reserved."""
    return sum(function.reserved_concurrency or 0 for function in scenario.functions.values())


def _lowest_quota(scenario: Scenario) -> int:
    """A tenth of the quota, or what AWS demands beside the reservations if that is more; a round number."""
    quota, unreserved = scenario.region.concurrency_quota, scenario.region.least_unreserved
    # Where nothing need stay unreserved but the quota itself, that falls with it.
    demanded = _reserved(scenario) + (unreserved if unreserved < quota else 1)
    step = round(nice_step(quota // 10, 3 * quota))
    return max(-(-max(quota // 10, demanded) // step) * step, 1)


def _of_rate(scenario: Scenario, data: Mapping[str, Any], name: str, most: float) -> Iterator[Control]:
    """The rate of a source, or the highest of its stages, which move together; at most so many times as high."""
    source = scenario.traffic[name]
    factors = [factor for factor in _FACTORS if factor <= max(most, 1.0)]
    if isinstance(source.rate, float):
        yield listed(data, f"traffic.{name}.rate", [format_rate(source.rate * factor) for factor in factors])
    elif source.stages is not None:
        top = max(stage.target for stage in source.stages)
        paths = [f"traffic.{name}.stages.{n}.target" for n, stage in enumerate(source.stages) if stage.target == top]
        if top > 0:
            yield listed(data, ", ".join(paths), [format_rate(top * factor) for factor in factors])


def _of_time(data: Mapping[str, Any], path: str, distribution: Distribution) -> Iterator[Control]:
    """The time that a distribution is written with."""
    time_ns, most_ns = 0, None
    match distribution:
        case Constant(constant=value):
            time_ns = value
        case Exponential(exponential=parameters):
            path, time_ns = f"{path}.exponential.mean", parameters.mean
        case Gamma(gamma=parameters):
            path, time_ns = f"{path}.gamma.mean", parameters.mean
        case Lognormal(lognormal=parameters) if parameters.p50 is not None:
            path, time_ns, most_ns = f"{path}.lognormal.p50", parameters.p50, parameters.p99
        case Lognormal(lognormal=parameters) if parameters.mean is not None:
            path, time_ns = f"{path}.lognormal.mean", parameters.mean
    times = [round(time_ns * factor) for factor in _FACTORS]
    if time_ns:
        yield listed(data, path, [format_duration(time) for time in times if most_ns is None or time <= most_ns])
