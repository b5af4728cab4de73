"""What the sliders of ``explore`` move: paths of a scenario and the values they may have; sensible ones to begin with.

Plain data, no widgets: how a control looks is in ``explorer``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from lambdasim.errors import RuleViolation, ScenarioError, UsageError
from lambdasim.scenario.distributions import Constant, Distribution, Exponential, Gamma, Lognormal
from lambdasim.scenario.load import load
from lambdasim.scenario.overrides import value_at
from lambdasim.scenario.schema import Scenario
from lambdasim.scenario.work import Work
from lambdasim.units import format_duration, format_rate, parse_duration, parse_rate, parse_ratio, parse_size_mb
from lambdasim.workload.means import mean_duration_ns
from lambdasim.workload.offered import offered_sources

# The value that leaves a key as the scenario has it.
AS_WRITTEN = "as written"

_STEPS = 40  # of a slider without a step of its own, about
_MOST_STEPS = 1_000
_DEFAULT_CONTROLS = 4
# What a slider multiplies a time or a rate by, where it is chosen by itself.
_FACTORS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
# Rates are not chosen beyond so many requests: a move should take half a second.
_MOST_REQUESTS = 60_000

_WITH_UNIT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([%/A-Za-zµ]+)\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One slider, or one choice. With ``step`` it is a slider of numbers, else ``options`` holds all its values."""

    name: str  # as the user wrote it
    paths: tuple[str, ...]  # several move together
    value: Any  # at first
    low: float = 0
    high: float = 0
    step: float | None = None
    options: tuple[Any, ...] = ()
    is_choice: bool = False  # buttons or a menu, no slider

    def settings(self, value: Any) -> dict[str, Any]:
        """What a value sets, by path; nothing where it leaves the scenario as written."""
        return {} if value == AS_WRITTEN else dict.fromkeys(self.paths, value)


def controls_of(scenario: Scenario, asked: Mapping[str, Any] | None) -> tuple[Control, ...]:
    """The controls that were asked for, or sensible ones. Raises UsageError or ScenarioError for what cannot be."""
    if asked is None:
        return tuple(_sensible(scenario))
    if not asked:
        raise UsageError("controls: must hold at least one path, got none; leave it out for sensible ones")
    data = scenario.model_dump(mode="json")
    controls = tuple(_control(data, name, values) for name, values in asked.items())
    for control in controls:
        _check(scenario, control)
    return controls


def _control(data: Mapping[str, Any], name: str, values: Any) -> Control:
    paths = tuple(path.strip() for path in name.split(","))
    present = _present(data, paths)
    if isinstance(values, list):
        if not values:
            raise UsageError(f"controls {name}: must have at least one choice, got none")
        begins = present if present in values else AS_WRITTEN
        options = tuple(values) if begins != AS_WRITTEN else (AS_WRITTEN, *values)
        return Control(name=name, paths=paths, value=begins, options=options, is_choice=True)
    if not isinstance(values, tuple) or len(values) not in (2, 3):
        raise UsageError(
            f"controls {name}: must be (low, high), (low, high, step) or a list of choices, got {values!r:.60};"
            " for example (100, 3000)"
        )
    if all(isinstance(value, str) for value in values):
        return _with_options(name, paths, present, _texts_between(name, values))
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        raise UsageError(f"controls {name}: must have numbers, or texts with a unit, got {values!r:.60}")
    low, high = values[:2]
    step = values[2] if len(values) == 3 else _nice_step(low, high) if math.isfinite(high - low) else 0
    if not (low < high and step > 0 and (high - low) / step <= _MOST_STEPS):
        raise UsageError(
            f"controls {name}: must go from low to high in at most {_MOST_STEPS:,} steps, got {values!r:.60}"
        )
    if isinstance(present, int | float) and not isinstance(present, bool):
        # Wide enough for what the scenario has, so that the first picture is that of the scenario.
        low, high = min(low, present), max(high, present)
        if len(values) == 2 and all(isinstance(value, int) for value in (low, step, present)):
            step = math.gcd(int(step), int(present - low))  # the slider stops at what the scenario has
        return Control(name=name, paths=paths, value=present, low=low, high=high, step=step)
    count = math.floor((high - low) / step + 1e-9) + 1
    return _with_options(name, paths, present, [low + number * step for number in range(count)])


def _present(data: Mapping[str, Any], paths: Sequence[str]) -> Any:
    """What the scenario has at the first of the paths; None where it has nothing of its own there."""
    try:
        value = value_at(data, paths[0])
    except RuleViolation:
        return None
    return value["constant"] if isinstance(value, dict) and value.keys() == {"constant"} else value


def _with_options(name: str, paths: tuple[str, ...], present: Any, options: Sequence[Any]) -> Control:
    """A slider over listed values. What the scenario has is among them: in its place, or first as ``as written``."""
    if isinstance(present, str) and present not in options:
        size, sizes = _size_of(present), [_size_of(option) for option in options]
        if size in sizes and size is not None:
            present = options[sizes.index(size)]  # 1s is written 1000ms
        elif size is not None and None not in sizes:
            before = sum(other < size for other in sizes if other is not None)
            options = [*options[:before], present, *options[before:]]
    if isinstance(present, str) and present in options:
        return Control(name=name, paths=paths, value=present, options=tuple(options))
    return Control(name=name, paths=paths, value=AS_WRITTEN, options=(AS_WRITTEN, *options))


def _texts_between(name: str, values: Sequence[str]) -> list[str]:
    """Texts from low to high in the unit of the step, or of low: ``("100ms", "2s")``."""
    sizes = [_size_of(value) for value in values]
    unit_match = _WITH_UNIT.fullmatch(values[-1] if len(values) == 3 else values[0])
    if None in sizes or unit_match is None:
        raise UsageError(f"controls {name}: must have a number with a unit at both ends, got {tuple(values)!r:.60}")
    low, high, *steps = (size for size in sizes if size is not None)
    unit = _size_of(f"1{unit_match.group(2)}") or 1.0
    step = steps[0] if steps else _nice_step(low / unit, high / unit) * unit
    if not (low < high and step > 0 and (high - low) / step <= _MOST_STEPS):
        raise UsageError(
            f"controls {name}: must go from low to high in at most {_MOST_STEPS:,} steps, got {tuple(values)!r:.60}"
        )
    count = math.floor((high - low) / step + 1e-9) + 1
    return [f"{round((low + number * step) / unit, 6):.10g}{unit_match.group(2)}" for number in range(count)]


def _size_of(text: object) -> float | None:
    """The size of a text with a unit, comparable with those of its kind; None where it has none."""
    for parse in (parse_duration, parse_rate, parse_size_mb, parse_ratio):
        try:
            return float(parse(text))
        except RuleViolation:
            continue
    return None


def _nice_step(low: float, high: float) -> float:
    """1, 2 or 5 times a power of ten, for about forty steps; whole where both ends are."""
    needed = max((high - low) / _STEPS, 1e-12)
    power = 10.0 ** math.floor(math.log10(needed))
    step = next(power * digit for digit in (1, 2, 5, 10) if power * digit >= needed * (1 - 1e-9))
    if isinstance(low, int) and isinstance(high, int):
        return max(round(step), 1)
    return step


def _ends(control: Control) -> tuple[Any, Any]:
    if control.step is not None:
        return control.low, control.high
    values = [option for option in control.options if option != AS_WRITTEN]
    return values[0], values[-1]


def _check(scenario: Scenario, control: Control) -> None:
    """Raises what the loader says where it takes neither end: then the path or the kind of value is wrong."""
    problems = [problem for end in _ends(control) if (problem := _refusal(scenario, control, end)) is not None]
    if len(problems) == 2:
        raise problems[0]


def _refusal(scenario: Scenario, control: Control, value: Any) -> ScenarioError | None:
    try:
        load(scenario, overrides=control.settings(value), on_warning=lambda _: None)
    except ScenarioError as error:
        return error
    return None


def _sensible(scenario: Scenario) -> list[Control]:
    """Up to four: the quota, the traffic and the duration of the busiest function, its init, what is provisioned."""
    candidates = _candidates(scenario, scenario.model_dump(mode="json"))
    accepted = (
        control for control in candidates if all(_refusal(scenario, control, end) is None for end in _ends(control))
    )
    return list(islice(accepted, _DEFAULT_CONTROLS))


def _listed(data: Mapping[str, Any], name: str, values: Sequence[str]) -> Control:
    paths = tuple(path.strip() for path in name.split(","))
    return _with_options(name, paths, _present(data, paths), values)


def _candidates(scenario: Scenario, data: Mapping[str, Any]) -> Iterator[Control]:
    """In the order of how much people learn from them; AWS may refuse some."""
    work = {name: mean_duration_ns(function) for name, function in scenario.functions.items()}
    offered = offered_sources(scenario, scenario.seed or 0)
    expected = {source.name: source.profile.expected_requests for source in offered if not source.has_users}
    busiest = max(offered, key=lambda source: expected.get(source.name, 0) * work[source.source.function])
    name = busiest.source.function
    function, quota = scenario.functions[name], scenario.region.concurrency_quota
    taken = sum(each.reserved_concurrency or 0 for each in scenario.functions.values())
    free = scenario.region.least_unreserved
    # AWS refuses more provisioned than reserved units.
    provisioned, reserved = function.provisioned_concurrency or 0, function.reserved_concurrency
    if provisioned:
        most_units = max(2 * provisioned, 10)
        high = most_units if reserved is None else max(min(most_units, reserved), 1)
        yield _control(data, f"functions.{name}.provisioned_concurrency", (0, high))
    if reserved is not None:
        high = max(quota - (taken - reserved) - free, provisioned + 1)
        yield _control(data, f"functions.{name}.reserved_concurrency", (provisioned, high))
    step = round(_nice_step(quota // 10, 3 * quota))
    low = max(-(-max(quota // 10, taken + free if free < quota else taken + 1) // step) * step, 1)
    yield _control(data, "region.concurrency_quota", (low, 3 * quota))
    most = _MOST_REQUESTS / max(sum(expected.values()), 1)
    yield from (_listed(data, path, rates) for path, rates in _rate_candidates(busiest.name, scenario, most))
    duration = function.duration.cpu if isinstance(function.duration, Work) else function.duration
    where = f"functions.{name}.duration" + (".cpu" if isinstance(function.duration, Work) else "")
    yield from (_listed(data, path, times) for path, times in _time_candidates(where, duration))
    if function.snapstart is None and function.runtime is None:
        path = f"functions.{name}.init"
        yield from (_listed(data, path, times) for path, times in _time_candidates(path, function.init))


def _rate_candidates(name: str, scenario: Scenario, most: float) -> Iterator[tuple[str, list[str]]]:
    """The rate of a source, or the highest of its stages, which move together."""
    source = scenario.traffic[name]
    factors = [factor for factor in _FACTORS if factor <= max(most, 1.0)]
    if isinstance(source.rate, float):
        yield f"traffic.{name}.rate", [format_rate(source.rate * factor) for factor in factors]
    elif source.stages is not None:
        top = max(stage.target for stage in source.stages)
        paths = [f"traffic.{name}.stages.{n}.target" for n, stage in enumerate(source.stages) if stage.target == top]
        if top > 0:
            yield ", ".join(paths), [format_rate(top * factor) for factor in factors]


def _time_candidates(path: str, distribution: Distribution) -> Iterator[tuple[str, list[str]]]:
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
        yield path, [format_duration(time) for time in times if most_ns is None or time <= most_ns]
