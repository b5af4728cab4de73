"""The JSON Schema of scenario files, for editors: keys, choices and bounds of the models, with a word on each key.

Made by walking the models of ``schema``, so that a new key cannot be forgotten; what a text must look like and what
the models check between keys is restated here. Draft-07 features only: editors know no more. Rules between distant
keys, the order of two times and the content of data files stay with ``load``.
"""

from __future__ import annotations

import types
from inspect import cleandoc
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter
from pydantic_core import PydanticUndefined

from lambdasim.scenario import fields, k6, profiles, week
from lambdasim.scenario.artillery import ArtilleryDuration
from lambdasim.scenario.clients import NoRetry
from lambdasim.scenario.data_files import SampleFile, Trace
from lambdasim.scenario.distributions import Distribution, DistributionOrUnlimited, MixturePart
from lambdasim.scenario.fields import Model
from lambdasim.scenario.front_end import ANSWERS
from lambdasim.scenario.json_schema_ranges import (
    OUTSIDE_CODE_SIZE,
    OUTSIDE_MEMORY,
    OUTSIDE_TARGET,
    OUTSIDE_TIMEOUT,
)
from lambdasim.scenario.meanings import MEANINGS
from lambdasim.scenario.price_table import PriceFile
from lambdasim.scenario.pricing import Pricing
from lambdasim.scenario.provisioned import Autoscaling, ProvisionedAllocation
from lambdasim.scenario.queues import QueueMapping
from lambdasim.scenario.rate_function import RateOrFunction
from lambdasim.scenario.runtimes import measured_runtimes
from lambdasim.scenario.schema import Function, Region, Scenario
from lambdasim.scenario.sdk_retries import SDK_RETRIES
from lambdasim.scenario.shapes import SHAPES
from lambdasim.scenario.slo import Slo
from lambdasim.scenario.traffic import WAYS
from lambdasim.scenario.virtual_users import MOST_USERS
from lambdasim.scenario.work import HandlerDuration, Work

Schema = dict[str, Any]

_NUMBER = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
_TIME = rf"(?:{_NUMBER}\s*(?:d|h|min|ms|m|s|us|\u00b5s|ns) *)+"
_PER = r"\s*/\s*(?:s|sec|m|min|h|hour|d|day)"
_RATE = _NUMBER + _PER
# Whole requests per second; with an exponent or another unit a pattern cannot tell.
_WHOLE_RATE = rf"(?:[0-9]+(?:\.0*)?\s*/\s*(?:s|sec)|{_NUMBER}\s*/\s*(?:m|min|h|hour|d|day)|[0-9.]+[eE]\+?[0-9]+{_PER})"
_PERCENT = r"(?:0*(?:100(?:\.0*)?|[0-9]{1,2}(?:\.[0-9]*)?|\.[0-9]+)|[0-9.]+[eE][+-]?[0-9]{1,3})\s*%"
_NOT_ZERO = "(?=.*[1-9])"


def _in_any_case(text: str) -> str:
    return "".join(f"[{letter}{letter.upper()}]" for letter in text)


_WEEKDAY = "(?:" + "|".join(f"{_in_any_case(day[:3])}(?:{_in_any_case(day[3:])})?" for day in week.WEEKDAYS) + ")"
_NAME = "^[A-Za-z0-9._-]{1,64}$"  # as in ``rules.check_names``


def _text(pattern: str, *examples: str) -> Schema:
    return {"type": "string", "pattern": rf"^\s*{pattern}\s*$", "examples": list(examples)}


def _text_or_0(pattern: str, *examples: str) -> Schema:
    return {"anyOf": [_text(f"(?:{pattern}|0)", *examples), {"const": 0}]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


def _any_of(*schemas: Schema) -> Schema:
    flat = [part for schema in schemas for part in (schema["anyOf"] if list(schema) == ["anyOf"] else [schema])]
    return flat[0] if len(flat) == 1 else {"anyOf": flat}


_NULL: Schema = {"type": "null"}
_UNLIMITED: Schema = {"const": fields.UNLIMITED}
# Bare numbers, where another program's words are taken over.
_NUMBER_OF_UNITS: Schema = {"type": "number", "minimum": 0}
_UNITS_ABOVE_0: Schema = {"type": "number", "exclusiveMinimum": 0}

# The types that are written as text with a unit, each with the name of its definition.
_TEXT_TYPES: tuple[tuple[Any, str, Schema], ...] = (
    (fields.Duration, "Time", _text_or_0(_TIME, "250ms", "90s", "1m30s")),
    (fields.PositiveDuration, "PositiveTime", _text(_NOT_ZERO + _TIME, "250ms", "90s", "1m30s")),
    (fields.DurationLimit, "PositiveTimeOrUnlimited", _any_of(_ref("PositiveTime"), _UNLIMITED)),
    (fields.Rate, "Rate", _text_or_0(_RATE, "20/s", "600/min")),
    (fields.PositiveRate, "PositiveRate", _text(_NOT_ZERO + _RATE, "20/s", "600/min")),
    (RateOrFunction, "PositiveRate", _text(_NOT_ZERO + _RATE, "20/s", "600/min")),  # a function is only for Python
    (fields.WholeRate, "WholeRate", _text(_NOT_ZERO + _WHOLE_RATE, "1000/s")),
    (fields.SizeMb, "Size", _text(rf"{_NOT_ZERO}{_NUMBER}\s*(?:MB|MiB|GB|GiB|TB|TiB)", "512MB", "2GB")),
    (fields.SizeBytes, "Bytes", _text(rf"{_NOT_ZERO}{_NUMBER}\s*(?:B|KB|KiB|MB|MiB)", "2KB", "300B")),
    (fields.SizeLimit, "SizeOrUnlimited", _any_of(_ref("Size"), _UNLIMITED)),
    (fields.Ratio, "Ratio", _text_or_0(_PERCENT, "0.1%", "5%")),
    (week.WeekTime, "WeekTime", _text(_WEEKDAY + r"(?: +[0-9]{1,2}:[0-5][0-9])?", "monday 08:30")),
    (week.TimeOfDay, "TimeOfDay", _text_or_0(_TIME, "15h", "9h30m")),
    (week.LengthOfDay, "LengthOfDay", _text(_NOT_ZERO + _TIME, "10m")),
    (k6.K6Duration, "K6Time", _any_of(_NUMBER_OF_UNITS, _text(f"(?:{_TIME}|{_NUMBER})", "1m30s"))),
    (
        k6.K6PositiveDuration,
        "PositiveK6Time",
        _any_of(_UNITS_ABOVE_0, _text(_NOT_ZERO + f"(?:{_TIME}|{_NUMBER})", "1m")),
    ),
    (ArtilleryDuration, "ArtilleryTime", _any_of(_UNITS_ABOVE_0, _text(_NOT_ZERO + f"(?:{_TIME}|{_NUMBER})", "5m"))),
)

_FILE: Schema = {"type": "string", "pattern": r"\S"}

# No time at all: what a duration must not be. A text without any digit is something else, such as "unlimited".
_ZERO_TIME: Schema = {"anyOf": [{"const": 0}, {"type": "string", "pattern": r"^\s*[0.][^1-9]*$"}]}
_ZERO_FORM: Schema = {"type": "object", "required": ["constant"], "properties": {"constant": _ZERO_TIME}}
_NO_TIME: Schema = {"anyOf": [*_ZERO_TIME["anyOf"], _ZERO_FORM]}


def _only(given: str, *absent: str) -> Schema:
    """One of several ways to say something: this key, and none of the others but left empty."""
    return {"required": [given], "properties": {given: {"not": _NULL}} | dict.fromkeys(absent, _NULL)}


def _when_unlimited(key: str, schema: Schema) -> Schema:
    condition = {"required": ["max_attempts"], "properties": {"max_attempts": _UNLIMITED}}
    return {"if": condition, "then": {"properties": {key: schema}}}


def _way(given: str, more: Schema | None = None, *, users: bool = False) -> Schema:
    """One way to say when requests come; virtual users need a think time. A law of arrivals goes with rates only."""
    schema = _only(given, *(way for way in WAYS if way != given), *(() if given == "stages" else ("start_rate",)))
    properties = schema["properties"]
    properties["think_time"] = {"not": _NULL} if users else _NULL
    if users or given in ("trace", "warmer"):
        properties["arrivals"] = False
    if given == "warmer":
        properties["invoke"] = {"enum": ["sync", "async"]}
    if users:
        schema["required"].append("think_time")
    if more is not None:
        properties[given] = {"allOf": [properties[given], more]}
    return schema


def _lasting(phase: Schema) -> Schema:
    """A phase that needs a duration."""
    properties = {**phase["properties"], "duration": {"not": _NULL}}
    return {"required": [*phase["required"], "duration"], "properties": properties}


def _init_or_runtime() -> Schema:
    """A function states its init, or a runtime gives one, or it needs none because it restores."""
    ways: list[Schema] = [{"required": ["init"], "properties": {"init": {"not": _NULL}}}]
    for (package, architecture), names in measured_runtimes().items():
        stated = {"package": package, "architecture": architecture}
        defaults = {key: Function.model_fields[key].default for key in stated}
        ways.append(
            {
                "required": ["runtime", *(key for key, value in stated.items() if value != defaults[key])],
                "properties": {"runtime": {"enum": names}, **{key: {"const": value} for key, value in stated.items()}},
            }
        )
    ways.append({"required": ["snapstart"], "properties": {"snapstart": {"not": {"enum": [False, None]}}}})
    return {"anyOf": ways}


# Retries that no quota limits, so that a number of SDK clients would mean nothing.
_UNLIMITED_SDKS: Schema = {"enum": [name for name, sdk in SDK_RETRIES.items() if sdk.quota is None]}
_WITHOUT_QUOTA: list[Schema] = [
    {"const": "none"},
    _UNLIMITED_SDKS,
    {"type": "object", "required": ["preset"], "properties": {"preset": _UNLIMITED_SDKS}},
    {"type": "object", "not": {"required": ["preset"]}},
]

_K6_RATE: Schema = {"required": ["executor"], "properties": {"executor": {"enum": list(k6.ARRIVAL_EXECUTORS)}}}

# What the models check beyond the type of a key, by definition or by definition and key.
_RULES: dict[str, Schema] = {
    "Scenario.name": {"not": {"pattern": r"^\.+$"}},
    "Scenario.functions": {"propertyNames": {"pattern": _NAME}},
    "Scenario.traffic": {"propertyNames": {"pattern": _NAME}},
    "Function": _init_or_runtime(),
    "Function.duration": {"not": _ref("NoTime")},
    "Function.idle_timeout": {"not": _ref("NoTime")},
    "Function.memory": {"not": OUTSIDE_MEMORY},
    "Function.timeout": {"not": {"anyOf": [_ref("NoTime"), OUTSIDE_TIMEOUT]}},
    "Function.code_size": {"not": OUTSIDE_CODE_SIZE},
    "Autoscaling": {
        "anyOf": [
            {"required": ["target"], "properties": {"target": {"not": _NULL}}},
            {"required": ["scheduled_actions"], "properties": {"scheduled_actions": {"minItems": 1}}},
        ]
    },
    "Autoscaling.target": {"not": OUTSIDE_TARGET},
    "ScheduledAction": {
        "oneOf": [_only("at", "schedule"), _only("schedule", "at")],
        "anyOf": [{"required": [key], "properties": {key: {"not": _NULL}}} for key in ("min_capacity", "max_capacity")],
    },
    "Slo": {"anyOf": [{"required": [key], "properties": {key: {"not": _NULL}}} for key in Slo.model_fields]},
    "LognormalParameters": {
        "oneOf": [
            {"required": ["p50", "p99"], "properties": {"mean": _NULL, "sigma": _NULL}},
            {"required": ["p50", "sigma"], "properties": {"mean": _NULL, "p99": _NULL}},
            {"required": ["mean", "sigma"], "properties": {"p50": _NULL, "p99": _NULL}},
        ]
    },
    "Quantiles.quantiles": {
        "required": ["p0", "p100"],
        "propertyNames": {"pattern": r"^p(?:[0-9]{1,2}(?:\.[0-9]+)?|0[0-9]{2}(?:\.[0-9]+)?|100(?:\.0+)?)$"},
    },
    "Client": {
        "if": {"required": ["count"]},
        "then": {"required": ["retry"], "properties": {"retry": {"not": {"anyOf": _WITHOUT_QUOTA}}}},
    },
    "Backoff": _when_unlimited("base", _ref("PositiveTime")),
    "RandomDelays": _when_unlimited("delay", {"not": _ref("NoTime")}),
    "TrafficSource": {
        "oneOf": [
            *(_way(way) for way in ("rate", "stages", "shape", "trace", "artillery", "warmer")),
            _way("k6", _K6_RATE),
            _way("k6", {"not": _K6_RATE}, users=True),
            _way("virtual_users", users=True),
        ],
        "if": {"required": ["invoke"], "properties": {"invoke": {"enum": ["async", "sqs", "stream"]}}},
        "then": {
            "properties": {
                "via": _NULL,
                "virtual_users": _NULL,
                "client": {"properties": {"timeout": _UNLIMITED, "retry": {"const": "none"}}},
            }
        },
        "anyOf": [
            {"required": ["function"]},
            *(
                {"required": ["invoke", section], "properties": {"invoke": {"const": invoke}}}
                for invoke, section in (("sqs", "queue"), ("stream", "stream"))
            ),
        ],
    },
    "Warmer.duration": {"not": _ref("NoTime")},
    "Shape": {"oneOf": [_only(shape, *(other for other in SHAPES if other != shape)) for shape in SHAPES]},
    "Phase": {
        "oneOf": [
            _lasting(_only("arrivalRate", "arrivalCount", "pause")),
            _lasting(_only("arrivalCount", "arrivalRate", "rampTo", "pause")),
            _only("pause", "duration", "arrivalRate", "rampTo", "arrivalCount"),
        ]
    },
}

# Short forms: a word that stands for a number or the other way round, a name or a number that stands for a mapping.
_WORDS: dict[str, Schema] = {
    "Region.concurrency_quota": {"const": "new-account"},
    "Client.retry": {"enum": list(SDK_RETRIES)},
    "Change.redrive": {"type": "string"},
    "Function.init": _NULL,
    "Function.snapstart": {"type": "boolean"},
    # As AWS writes unlimited.
    "StreamMapping.maximum_retry_attempts": {"const": -1},
    "StreamMapping.maximum_record_age": {"const": -1},
    "TrafficSource.via": {"enum": list(ANSWERS)},
    "TrafficSource.virtual_users": {"type": "integer", "minimum": 1, "maximum": MOST_USERS},
}

# What the loader fills in, though the models demand it: the name of the file, an empty mapping, what a runtime gives,
# what a queue invokes.
_FILLED_IN = ("Scenario.name", "Scenario.region", "Scenario.pricing", "Function.init", "TrafficSource.function")


def scenario_schema() -> Schema:
    """A draft-07 JSON Schema of scenario files; defaults are those of the newest profile."""
    builder = _Builder()
    root = builder.object_of(Scenario)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "lambdasim scenario",
        **root,
        "definitions": dict(sorted(builder.definitions.items())),
    }


def meaning(model: type[Model], key: str) -> str:
    """What a key means: as the table says, or, for the one key of a form, what its model says; else empty.

    The reference of the documentation says the same. "Without it, ..." at the end tells the default in words.
    """
    owners = [kind for kind in reversed(model.__mro__) if issubclass(kind, Model) and key in kind.model_fields]
    return MEANINGS.get(f"{owners[0].__name__}.{key}", _summary(model) if len(model.model_fields) == 1 else "")


class _Builder:
    """Schemas of types; each model and each kind of text becomes one definition."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {name: schema for _, name, schema in _TEXT_TYPES}
        self.definitions["NoTime"] = _NO_TIME

    def object_of(self, model: type[Model]) -> Schema:
        """The mapping that a model is written as."""
        hints = get_type_hints(model, include_extras=True)
        given = _profile_defaults(model)
        return {
            "description": _summary(model),
            "type": "object",
            "properties": {key: self._property(model, key, hints[key], given) for key in model.model_fields},
            "required": [
                key
                for key, field in model.model_fields.items()
                if field.is_required() and key not in given and f"{model.__name__}.{key}" not in _FILLED_IN
            ],
            "additionalProperties": False,
            **_RULES.get(model.__name__, {}),
        }

    def _property(self, model: type[Model], key: str, hint: Any, given: Schema) -> Schema:
        schema = {"description": meaning(model, key)}
        if key in given:
            schema["default"] = given[key]
        elif (default := _written_default(model, key, hint)) is not None:
            schema["default"] = default
        place = f"{model.__name__}.{key}"
        value = _any_of(self.of(hint), _WORDS[place]) if place in _WORDS else self.of(hint)
        value = {**value, **_RULES.get(place, {})}
        if "$ref" in value:  # draft-07 ignores everything beside a reference
            reference = {"$ref": value.pop("$ref")}
            value = {"allOf": [reference], **value}
        return schema | value

    def of(self, hint: Any) -> Schema:
        """The schema of an annotated type of a model."""
        for alias, make in (
            (Distribution, self._distribution),
            (DistributionOrUnlimited, self._limit),
            (HandlerDuration, self._handler_duration),
        ):
            if hint == alias:
                return make()
        origin, arguments = get_origin(hint), get_args(hint)
        if origin is Annotated:
            return self._annotated(arguments[0], arguments[1:])
        if origin is Literal:
            return {"enum": list(arguments)}
        if origin in (Union, types.UnionType):
            return _any_of(*(self.of(argument) for argument in arguments))
        if origin is dict:
            return {"type": "object", "additionalProperties": self.of(arguments[1])}
        if origin is tuple:
            exactly = {} if arguments[1] is ... else {"minItems": len(arguments), "maxItems": len(arguments)}
            return {"type": "array", "items": self.of(arguments[0]), **exactly}
        if hint is Any:
            return {}
        if hint in (Trace, SampleFile, PriceFile):
            return dict(_FILE)
        return self._plain(hint)

    def _plain(self, kind: type) -> Schema:
        names = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
        if kind in names:
            return {"type": names[kind]}
        if kind is NoRetry:
            return {"const": "none"}
        if kind is MixturePart:
            return self._defined("MixturePart", self._mixture_part)
        return self._defined(kind.__name__, lambda: self.object_of(kind))

    def _annotated(self, kind: Any, metadata: tuple[Any, ...]) -> Schema:
        for known, name, _ in _TEXT_TYPES:
            _, *own = get_args(known)
            if metadata[: len(own)] == tuple(own):
                return _ref(name)
        schema = dict(self.of(kind))
        names = {"array": "Items", "object": "Properties", "string": "Length"}
        for item in metadata:
            for bound in getattr(item, "metadata", ()):
                for attribute, keyword in (("ge", "minimum"), ("gt", "exclusiveMinimum"), ("le", "maximum")):
                    if hasattr(bound, attribute):
                        schema[keyword] = getattr(bound, attribute)
                for attribute, prefix in (("min_length", "min"), ("max_length", "max")):
                    if hasattr(bound, attribute):
                        schema[prefix + names[schema["type"]]] = getattr(bound, attribute)
                if hasattr(bound, "pattern"):
                    schema["pattern"] = bound.pattern
        return schema

    def _defined(self, name: str, make: Any) -> Schema:
        if name not in self.definitions:
            self.definitions[name] = {}  # a distribution can hold another one
            self.definitions[name] = make()
        return _ref(name)

    def _distribution(self) -> Schema:
        def make() -> Schema:
            return {"anyOf": [_ref("Time"), *(self.of(form) for form in _forms())]}

        return self._defined("Distribution", make)

    def _limit(self) -> Schema:
        return self._defined("DistributionOrUnlimited", lambda: _any_of(self._distribution(), _UNLIMITED))

    def _handler_duration(self) -> Schema:
        return _any_of(self._distribution(), self.of(Work))

    def _mixture_part(self) -> Schema:
        """The keys of any distribution beside the weight."""
        weight = self._property(MixturePart, "weight", get_type_hints(MixturePart, include_extras=True)["weight"], {})
        parts = []
        for form in _forms():
            schema = self.object_of(form)
            schema["properties"] = {"weight": weight, **schema["properties"]}
            schema["required"] = ["weight", *schema["required"]]
            parts.append(schema)
        return {"description": _summary(MixturePart), "anyOf": parts}


def _forms() -> list[type[Model]]:
    """The models of the distributions, in the order in which messages name them."""
    union, *_ = get_args(Distribution)
    return [get_args(form)[0] for form in get_args(union)]


def _summary(model: type[Model]) -> str:
    return cleandoc(model.__doc__ or "").partition("\n\n")[0].replace("\n", " ").replace("``", "")


def _profile_defaults(model: type[Model]) -> Schema:
    """What the newest profile gives to keys of ``model`` that are left out."""
    sections: dict[type[Model], str] = {
        Region: "region",
        Function: "functions.*",
        Autoscaling: "functions.*.autoscaling",
        ProvisionedAllocation: "functions.*.provisioned_allocation",
        QueueMapping: "queues.*.event_source_mapping",
        Pricing: "pricing",
    }
    section = sections.get(model)
    return {} if section is None else profiles.defaults(profiles.DEFAULT_PROFILE, section)


def _written_default(model: type[Model], key: str, hint: Any) -> Any:
    """The default of the model itself as a scenario would have it; None where there is none to show."""
    default = model.model_fields[key].default
    if default is PydanticUndefined or default is None or default == "":
        return None
    if isinstance(default, Model):
        return "none" if isinstance(default, NoRetry) else None
    return TypeAdapter(hint).dump_python(default, mode="json")
