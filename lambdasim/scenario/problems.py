"""From pydantic's errors to problems in plain words, each with its place: ``PLACE PATH: rule, got value (hint)``.

No class name, URL or wording of pydantic's comes through. The rules themselves stand in the models.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, get_args, get_origin

from pydantic_core import ErrorDetails

from lambdasim.errors import Problem, RuleViolation
from lambdasim.scenario.clients import NoRetry  # users write it as the text "none"
from lambdasim.scenario.data_files import BadDataFile
from lambdasim.scenario.fields import Model
from lambdasim.scenario.overrides import origin_of
from lambdasim.scenario.runtimes import why_no_init
from lambdasim.scenario.schema import Scenario
from lambdasim.scenario.yaml_reader import Document, Place, YamlPath, path_text, resolve_plain

_SHOWN = 60
_COUNT_KEYS = (
    "requests_per_concurrency",
    "max_attempts",
    "reserved_concurrency",
    "provisioned_concurrency",
    "maximum_retry_attempts",
)
_FAR = Place(10**9, 0)  # sorts what has no line behind what has one
_EXAMPLES: dict[YamlPath, str] = {
    ("duration",): "duration: 5m",
    ("functions",): "functions: {api: {duration: 200ms, init: 400ms}}",
    ("traffic",): "traffic: {web: {function: api, rate: 20/s}}",
    ("functions", "*", "duration"): "duration: 200ms",
    ("functions", "*", "duration", "cpu"): "cpu: 80ms",
    ("functions", "*", "init"): "init: 400ms, or runtime: python3.13",
    ("functions", "*", "autoscaling", "min_capacity"): "min_capacity: 1",
    ("functions", "*", "autoscaling", "max_capacity"): "max_capacity: 100",
    ("traffic", "*", "warmer", "every"): "every: 5m",
}
# What may stand where a mapping is missing.
_MAPPINGS: dict[YamlPath, str] = {
    ("region",): "{name: eu-west-1}",
    ("pricing",): "{free_tier: true}",
    ("functions", "*", "autoscaling"): "{min_capacity: 1, max_capacity: 100, target: 70%}",
    ("functions", "*", "provisioned_allocation"): "{prepare: {uniform: [1m, 2m]}, rate: 6000, per: 1m}",
    ("traffic", "*", "warmer"): "{every: 5m}",
}
# Sections whose keys are names that the user chose.
_NAMED = ("functions", "queues", "streams", "traffic")
# Keys that hold a time or a size or the text "unlimited".
_UNLIMITED_KEYS = (("idle_timeout",), ("max_age",), ("client", "timeout"), ("retry", "cap"), ("code_storage",))

# Keys that hold a mapping or the text "none".
_NONE_KEYS = (("back_off",), ("slow_down",))

# Types of pydantic errors that need no more than a sentence; {name} comes from the error's context.
_SENTENCES = {
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "mapping_type": "must be a mapping",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "is_instance_of": "must be the name of a CSV file",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number",
    "int_from_float": "must be a whole number",
    "greater_than": "must be above {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be below {lt:g}",
    "less_than_equal": "must be at most {le:.16g}",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must have at least {min_length} characters",
    "too_short": "must have at least {min_length} item",
    "too_long": "must have at most {max_length} items",
}
_PATTERNS: dict[YamlPath, str] = {
    ("name",): "must consist of letters, digits, dots, hyphens and underscores",
    ("region", "name"): "must consist of lower-case letters, digits and hyphens",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A problem and what it is sorted by: where it stands in the scenario file."""

    order: Place
    problem: Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The raw data of a scenario and where its parts come from: a file, settings, or neither."""

    data: dict[str, Any]
    document: Document | None = None
    origins: Mapping[YamlPath, str] = field(default_factory=dict)
    set_by: str = "set"  # what users write before a setting

    def placed(self, path: YamlPath, message: str, *, at_key: bool = False, place: str = "") -> Placed:
        """A problem at ``path``: at its value, at its key, or at what encloses it where it is missing."""
        origin = origin_of(path, self.origins)
        order = _FAR
        where = ""
        if origin is not None:
            where = f"{self.set_by} {origin}"
        elif self.document is not None:
            found = self.document.keys.get(path) if at_key else None
            ancestors = (self.document.values.get(path[:length]) for length in range(len(path), -1, -1))
            order = found or next((spot for spot in ancestors if spot is not None), Place(1, 1))
            where = f"{self.document.name}:{order.line}:{order.column}"
        return Placed(order=order, problem=Problem(place=place or where, path=path_text(path), message=message))

    def resolve(self, loc: Sequence[str | int]) -> YamlPath:
        """The path in the data of a location in the models, which holds tags of unions that the data does not have."""
        value: Any = self.data
        path: YamlPath = ()
        for element in loc:
            if (isinstance(value, dict) and element in value) or (
                isinstance(value, list) and isinstance(element, int) and element < len(value)
            ):
                value = value[element]  # type: ignore[index]
                path = (*path, element)
        return path

    def value_at(self, path: YamlPath) -> Any:
        """The raw value at a path."""
        value: Any = self.data
        for element in path:
            value = value[element]
        return value


def from_errors(errors: Sequence[ErrorDetails], source: Source) -> list[Placed]:
    """One problem for each of pydantic's errors, without those that only follow from another one."""
    placed: list[Placed] = []
    for error in errors:
        if not _follows_from_another(error, errors):
            placed.extend(_placed(error, source))
    return placed


def _follows_from_another(error: ErrorDetails, errors: Sequence[ErrorDetails]) -> bool:
    loc = error["loc"]
    # A tuple counts the items that are right; the wrong ones have their own errors.
    return error["type"] == "too_short" and any(
        len(other["loc"]) > len(loc) and other["loc"][: len(loc)] == loc for other in errors
    )


def _placed(error: ErrorDetails, source: Source) -> Iterator[Placed]:
    loc, kind = error["loc"], error["type"]
    if kind == "missing":
        enclosing = source.resolve(loc[:-1])
        missing = _missing((*enclosing, loc[-1]), source.value_at(enclosing))
        yield source.placed((*enclosing, loc[-1]), missing + _new_by_a_setting(enclosing, source))
        return
    path = source.resolve(loc)
    if kind == "extra_forbidden":
        yield source.placed(path, _unknown_key(path, source.value_at(path[:-1])), at_key=True)
        return
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, BadDataFile):
        for row in cause.rows:
            yield source.placed(path, row.message, place=row.place)
        return
    value = source.value_at(path)
    if isinstance(cause, RuleViolation):
        yield source.placed(path, violation_text(cause, path, value))
    else:
        yield source.placed(path, _sentence(error, path, value))


def violation_text(violation: RuleViolation, path: YamlPath, value: Any) -> str:
    """The message of a broken rule; a rule that does not begin with "must be" says itself what it got."""
    shows_value = violation.rule.startswith("must be ") and ";" not in violation.rule
    hint = violation.hint
    may_be_unlimited = path[-1:] in _UNLIMITED_KEYS or path[-2:] in _UNLIMITED_KEYS
    if may_be_unlimited and isinstance(value, str) and get_close_matches(value, ["unlimited"]):
        hint = "did you mean unlimited?"
    return _message(violation.rule, value, hint, with_value=shows_value)


def _message(rule: str, value: Any, hint: str = "", *, with_value: bool = True) -> str:
    got = f", got {got_text(value)}" if with_value else ""
    return f"{rule}{got} ({hint})" if hint else f"{rule}{got}"


def got_text(value: Any) -> str:
    """A value as a message quotes it: short, and in quotes where text could be taken for something else."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    text = str(value)
    short = text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
    odd = text != text.strip() or not text.isprintable() or resolve_plain(text) != text
    return json.dumps(short, ensure_ascii=False) if isinstance(value, str) and odd else short


def _new_by_a_setting(path: YamlPath, source: Source) -> str:
    """That a setting for one key has made a new function, source of traffic ...: mostly its name is a slip."""
    setting = source.origins.get(path)
    if len(path) != 2 or path[0] not in _NAMED or setting is None or setting == path_text(path):
        return ""
    others = [name for name in source.value_at(path[:1]) if name != path[1]]
    near = get_close_matches(str(path[1]), others, n=1)
    return f"; there was no {path[1]} under {path[0]} before" + (f" (did you mean {near[0]}?)" if near else "")


def _missing(path: YamlPath, enclosing: Any) -> str:
    if path[-1] == "init" and isinstance(enclosing, dict) and (reason := why_no_init(enclosing)):
        return f"is required: {reason}"
    pattern = _pattern(path)
    return f"is required (for example {_EXAMPLES[pattern]})" if pattern in _EXAMPLES else "is required"


def _unknown_key(path: YamlPath, enclosing: Mapping[str, Any]) -> str:
    key = str(path[-1])
    known = known_keys(path[:-1])
    if key in known:  # a key of another form of the same thing
        return f"must not stand beside {' and '.join(other for other in enclosing if other != key)}"
    before, colon, after = key.partition(":")
    if enclosing[key] is None and colon and before in known:
        return f"is not a known key (write a space after the colon, {before}: {after})"
    inside = [name for name in known if key in known_keys((*path[:-1], name))]
    if len(inside) == 1:  # one level too high
        return f"is not a known key here (it belongs under {inside[0]})"
    near = get_close_matches(key, known, n=1) or get_close_matches(key.lower(), known, n=1)
    if not near and len(longer := [name for name in known if name.startswith(f"{key.lower()}_")]) == 1:
        near = longer
    return f"is not a known key (did you mean {near[0]}?)" if near else f"is not a known key ({_known_text(known)})"


def _known_text(known: Sequence[str]) -> str:
    return f"the key here is {known[0]}" if len(known) == 1 else f"the keys here are {', '.join(known)}"


def known_keys(path: YamlPath) -> list[str]:
    """The keys that the models know in the mapping at ``path`` of the raw data."""
    models: list[type[Model]] = [Scenario]
    is_name = False  # the next element is a name that the user chose
    for element in path:
        if is_name or isinstance(element, int):
            is_name = False
            continue
        annotations = [model.model_fields[element].annotation for model in models if element in model.model_fields]
        if annotations:
            is_name = any(_is_named(annotation) for annotation in annotations)
            models = [model for annotation in annotations for model in _models_in(annotation)]
        elif not any("distribution" in model.model_fields for model in models):
            return []
        else:
            # A component of a mixture has the keys of its distribution beside its weight.
            inner = [model for part in models for model in _models_in(part.model_fields["distribution"].annotation)]
            annotations = [model.model_fields[element].annotation for model in inner if element in model.model_fields]
            models = [model for annotation in annotations for model in _models_in(annotation)]
    return list(dict.fromkeys(key for model in models for key in model.model_fields))


def _is_named(annotation: Any) -> bool:
    """Whether the keys below are names that the user chose."""
    return get_origin(annotation) is dict or any(_is_named(argument) for argument in get_args(annotation))


def _models_in(annotation: Any) -> Iterator[type[Model]]:
    if isinstance(annotation, type) and issubclass(annotation, Model) and annotation is not NoRetry:
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _sentence(error: ErrorDetails, path: YamlPath, value: Any) -> str:
    kind, loc, context = error["type"], error["loc"], error.get("ctx", {})
    if kind == "literal_error":
        return _not_a_choice(re.findall(r"'([^']*)'", context["expected"]), loc, path, value)
    if kind == "string_pattern_mismatch":
        return _message(_PATTERNS.get(path, "must consist of letters, digits, dots, hyphens and underscores"), value)
    rule = _SENTENCES.get(kind, "must be a value that fits here").format(**context)
    if kind == "too_short" and path in (("functions",), ("traffic",)):
        rule = f"must name at least one {'function' if path == ('functions',) else 'traffic source'}"
    # A union of "unlimited" and something else tags its other branch "value".
    if loc[-1] == "value" and path[-1:] != ("value",):
        word = "none" if path[-1:] in _NONE_KEYS else "unlimited"
        rule += f" or {word}" if kind in ("int_type", "model_type") else ""
    if path == ("region", "concurrency_quota") and kind == "int_type":
        rule += " or new-account"
    return _message(rule, value, _example(kind, path, value) or _type_hint(kind, value))


def _example(kind: str, path: YamlPath, value: Any) -> str:
    """What to write where a mapping is missing, or around one that should be in a list."""
    if kind in ("tuple_type", "list_type"):
        return "put it in [ ]" if isinstance(value, dict) and value else ""
    example = _MAPPINGS.get(_pattern(path)) if _SENTENCES.get(kind) == "must be a mapping" else None
    return f"for example {example}" if example else ""


def _pattern(path: YamlPath) -> YamlPath:
    """A path with a star in place of a name that the user chose."""
    return tuple("*" if position == 1 else part for position, part in enumerate(path))


def _type_hint(kind: str, value: Any) -> str:
    """What to write instead, for the usual slips between text and numbers."""
    if kind == "string_type" and isinstance(value, int | float):
        return f"write it in quotes, {json.dumps(got_text(value))}"
    if kind not in ("int_type", "float_type") or not isinstance(value, str):
        return ""
    if re.fullmatch(r"0+[0-9]+", value):
        return f"write {int(value)} without the leading zero"
    if re.fullmatch(r"[0-9]+(_[0-9]+)+", value):
        return f"write {value.replace('_', '')}"
    if resolve_plain(value) != value:
        return f"write {value} without quotes"
    return ""


def _not_a_choice(choices: Sequence[str], loc: Sequence[str | int], path: YamlPath, value: Any) -> str:
    others = list(choices)
    if "sdk-preset" in loc and path[-1] == "retry":
        others = ["none", *others, "a mapping"]
    if loc[-1] == "text" and path[-1:] != ("text",):
        others.append("a whole number" if path[-1] in _COUNT_KEYS else "a mapping")
        if path[-1] in _COUNT_KEYS and (hint := _type_hint("int_type", value)):
            return _message(f"must be {' or '.join(others)}", value, hint)
    listed = f"{', '.join(others[:-1])} or {others[-1]}" if len(others) > 1 else others[0]
    if str(value) in choices:
        hint = f'write it in quotes, "{value}"'
    else:
        near = get_close_matches(str(value).lower(), choices, n=1)
        hint = f"did you mean {near[0]}?" if near else ""
    return _message(f"must be {listed}", value, hint)
