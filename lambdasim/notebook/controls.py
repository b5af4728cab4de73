"""What the sliders of ``explore`` move: paths of a scenario and the values they may have, as users ask for them.

Plain data, no widgets: how a control looks is in ``control_widgets``. Those that are chosen for whoever asks for none
are in ``sensible_controls``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from lambdasim.errors import Problem, RuleViolation, ScenarioError, UsageError
from lambdasim.notebook.stops import Stop, number_stops, plain_number, readable, readable_list, size_of, text_stops
from lambdasim.scenario.load import load
from lambdasim.scenario.overrides import value_at, value_text
from lambdasim.scenario.schema import Scenario


class Unsaid(Enum):
    """Values of a control that no scenario could hold."""

    AS_WRITTEN = "as written"  # leaves the key as the scenario has it
    NONE = "none"  # sets the key to null; widgets take None for nothing chosen

    def __str__(self) -> str:
        return self.value


AS_WRITTEN, NONE = Unsaid.AS_WRITTEN, Unsaid.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One slider, or one choice, and where it begins: with what the scenario has."""

    name: str  # as the user wrote it
    paths: tuple[str, ...]  # several move together
    stops: tuple[Stop, ...]
    begin: int  # number of the stop
    is_choice: bool = False  # buttons or a menu, no slider

    @property
    def value(self) -> Any:
        """The value at first."""
        return self.stops[self.begin].value

    def settings(self, value: Any) -> dict[str, Any]:
        """What a value sets, by path; nothing where it leaves the scenario as written."""
        return {} if value is AS_WRITTEN else dict.fromkeys(self.paths, None if value is NONE else value)


def controls_of(scenario: Scenario, asked: Mapping[str, Any]) -> tuple[Control, ...]:
    """The controls that were asked for. Raises UsageError or ScenarioError for what cannot be."""
    if not isinstance(asked, Mapping):
        raise UsageError(
            f"controls: must be a mapping of paths to values, such as {{'region.concurrency_quota': (100, 3000)}}, got"
            f" {asked!r:.60}"
        )
    if not asked:
        raise UsageError("controls: must hold at least one path, got none; leave it out for sensible ones")
    data = scenario.model_dump(mode="json")
    controls = tuple(control_of(data, name, values) for name, values in asked.items())
    _check_paths(controls)
    for control in controls:
        _check_values(scenario, control)
    return controls


def control_of(data: Mapping[str, Any], name: str, values: Any) -> Control:
    """One control of a scenario's data. Raises UsageError."""
    if not isinstance(name, str) or not all(part.strip() for part in name.split(",")):
        raise UsageError(f"controls: must have paths such as region.concurrency_quota, got {name!r:.60}")
    paths = tuple(dict.fromkeys(part.strip() for part in name.split(",")))
    present = [_present(data, path) for path in paths]
    one = present[0] if all(is_same(present[0], other) for other in present[1:]) else AS_WRITTEN
    if isinstance(values, list):
        if not values:
            raise UsageError(f"controls {name}: must have at least one choice, got none")
        return _begun(name, paths, present, one, [_choice(value) for value in values], is_choice=True)
    if not isinstance(values, tuple) or len(values) not in (2, 3):
        raise UsageError(
            f"controls {name}: must be (low, high), (low, high, step) or a list of choices, got {values!r:.60};"
            " for example (100, 3000)"
        )
    if all(isinstance(value, str) for value in values):
        stops = text_stops(name, values, one)
    else:
        stops = [Stop(value=number, label=_number_text(number)) for number in number_stops(name, values, one)]
    return _begun(name, paths, present, one, stops)


def listed(data: Mapping[str, Any], name: str, texts: Sequence[str]) -> Control:
    """A slider over texts with a unit, what the scenario has among them."""
    paths = tuple(part.strip() for part in name.split(","))
    present = [_present(data, path) for path in paths]
    stops = [Stop(value=text, label=label) for text, label in zip(texts, readable_list(texts), strict=True)]
    return _begun(name, paths, present, present[0], stops)


def _begun(
    name: str,
    paths: tuple[str, ...],
    present: Sequence[Any],
    one: Any,
    stops: Sequence[Stop],
    *,
    is_choice: bool = False,
) -> Control:
    """The control, which begins with what the scenario has: one of its stops, else another one before them."""
    different: list[Stop] = []
    for stop in stops:
        if not any(is_same(stop.value, other.value) for other in different):
            different.append(stop)
    number = next((number for number, stop in enumerate(different) if is_same(stop.value, one)), None)
    if number is None:
        texts = dict.fromkeys(text for each in present if (text := _short(each)))
        label = f"as written ({', '.join(texts)})" if texts else "as written"
        different, number = [Stop(value=AS_WRITTEN, label=label), *different], 0
    return Control(name=name, paths=paths, stops=tuple(different), begin=number, is_choice=is_choice)


def is_same(value: Any, other: Any) -> bool:
    """Whether two values mean the same in a scenario: ``1s`` is ``1000ms``, and 5 is 5.0, but not True."""
    if isinstance(value, str) and isinstance(other, str):
        size, of_other = size_of(value), size_of(other)
        if value == other or size is None or of_other is None:
            return value == other
        return size == of_other or size[1] == of_other[1] == 0  # 0 needs no unit
    if isinstance(value, Mapping) and isinstance(other, Mapping):
        return value.keys() == other.keys() and all(is_same(part, other[key]) for key, part in value.items())
    if isinstance(value, bool) or isinstance(other, bool):
        return value is other
    return bool(value == other)


def _present(data: Mapping[str, Any], path: str) -> Any:
    """What the scenario has at a path, as people write it; NONE where it has nothing there."""
    try:
        return _as_people_write(value_at(data, path))
    except RuleViolation:
        return NONE


def _as_people_write(value: Any) -> Any:
    """``2s`` for a constant, 3 for a number of users that stays, and mappings without the keys that hold nothing."""
    if value is None:
        return NONE
    if not isinstance(value, Mapping):
        return value
    said = {key: _as_people_write(part) for key, part in value.items() if part is not None and part != []}
    return said.popitem()[1] if list(said) in (["constant"], ["start"], ["front_end"]) else said


def _short(value: Any) -> str:
    """A few words for what the scenario has: ``p50 2s`` for a lognormal law. Empty where there is nothing."""
    if isinstance(value, Unsaid):
        return ""
    if not isinstance(value, Mapping):
        return readable(value) if isinstance(value, str) else value_text(value)
    form, part = next(iter(value.items()), ("", ""))
    if isinstance(part, Mapping):
        middle = next((key for key in ("p50", "mean") if key in part), None)
        return str(form) if middle is None else f"{middle} {readable(str(part[middle]))}"
    return f"{form} {readable(part)}" if isinstance(part, str) else str(form)


def _choice(value: Any) -> Stop:
    if value is None:
        return Stop(value=NONE, label="none")
    number = plain_number(value)
    if number is not None:
        return Stop(value=number, label=_number_text(number))
    return Stop(value=value, label=value if isinstance(value, str) else value_text(value))


def _number_text(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:.10g}"


def _check_paths(controls: Sequence[Control]) -> None:
    """Raises UsageError where two controls would set the same."""
    seen: dict[str, str] = {}
    for control in controls:
        for path in control.paths:
            for other, name in seen.items():
                if f"{path}.".startswith(f"{other}.") or f"{other}.".startswith(f"{path}."):
                    raise UsageError(
                        f"controls {control.name}: must not set what {name} sets; let one control move {path}"
                    )
        seen |= dict.fromkeys(control.paths, control.name)


def _check_values(scenario: Scenario, control: Control) -> None:
    """Raises what the loader says of a choice that it does not take, or where it takes neither end of a slider.

    Where it takes one end of a slider the path and the kind of value are right: AWS may refuse a part of the range, and
    that is for people to find out.
    """
    values = [stop.value for stop in control.stops if not isinstance(stop.value, Unsaid) or stop.value is NONE]
    tried = values if control.is_choice else [values[0], values[-1]]
    problems = [problem for value in tried if (problem := refusal(scenario, control, value)) is not None]
    if problems and (control.is_choice or len(problems) == len(tried)):
        raise problems[0]


def refusal(scenario: Scenario, control: Control, value: Any) -> ScenarioError | None:
    """Why a value of a control is not taken, in the words of whoever wrote the control; None where it is."""
    try:
        load(scenario, overrides=control.settings(value), on_warning=lambda _: None)
    except ScenarioError as error:
        return ScenarioError([_of_control(problem, control) for problem in error.problems])
    return None


def _of_control(problem: Problem, control: Control) -> Problem:
    """A problem that names the control instead of the setting that it makes."""
    is_named = any(f"{path}.".startswith(f"{problem.path}.") for path in control.paths)
    path = "" if is_named else problem.path
    return Problem(place=f"controls {control.name}", path=path, message=problem.message)
