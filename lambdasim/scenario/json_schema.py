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

from lambdasim.scenario import fields, profiles
from lambdasim.scenario.clients import NoRetry
from lambdasim.scenario.data_files import SampleFile, Trace
from lambdasim.scenario.distributions import Distribution, DistributionOrUnlimited, MixturePart
from lambdasim.scenario.fields import Model
from lambdasim.scenario.json_schema_ranges import OUTSIDE_CODE_SIZE, OUTSIDE_MEMORY, OUTSIDE_TIMEOUT
from lambdasim.scenario.schema import Function, Region, Scenario
from lambdasim.scenario.slo import Slo

Schema = dict[str, Any]

_NUMBER = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
_TIME = rf"(?:{_NUMBER}\s*(?:d|h|min|ms|m|s|us|\u00b5s|ns) *)+"
_PER = r"\s*/\s*(?:s|sec|m|min|h|hour|d|day)"
_RATE = _NUMBER + _PER
# Whole requests per second; with an exponent or another unit a pattern cannot tell.
_WHOLE_RATE = rf"(?:[0-9]+(?:\.0*)?\s*/\s*(?:s|sec)|{_NUMBER}\s*/\s*(?:m|min|h|hour|d|day)|[0-9.]+[eE]\+?[0-9]+{_PER})"
_PERCENT = r"(?:0*(?:100(?:\.0*)?|[0-9]{1,2}(?:\.[0-9]*)?|\.[0-9]+)|[0-9.]+[eE][+-]?[0-9]{1,3})\s*%"
_NOT_ZERO = "(?=.*[1-9])"
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

# The types that are written as text with a unit, each with the name of its definition.
_TEXT_TYPES: tuple[tuple[Any, str, Schema], ...] = (
    (fields.Duration, "Time", _text_or_0(_TIME, "250ms", "90s", "1m30s")),
    (fields.PositiveDuration, "PositiveTime", _text(_NOT_ZERO + _TIME, "250ms", "90s", "1m30s")),
    (fields.DurationLimit, "PositiveTimeOrUnlimited", _any_of(_ref("PositiveTime"), _UNLIMITED)),
    (fields.Rate, "Rate", _text_or_0(_RATE, "20/s", "600/min")),
    (fields.PositiveRate, "PositiveRate", _text(_NOT_ZERO + _RATE, "20/s", "600/min")),
    (fields.WholeRate, "WholeRate", _text(_NOT_ZERO + _WHOLE_RATE, "1000/s")),
    (fields.SizeMb, "Size", _text(rf"{_NOT_ZERO}{_NUMBER}\s*(?:MB|MiB|GB|GiB|TB|TiB)", "512MB", "2GB")),
    (fields.SizeLimit, "SizeOrUnlimited", _any_of(_ref("Size"), _UNLIMITED)),
    (fields.Ratio, "Ratio", _text_or_0(_PERCENT, "0.1%", "5%")),
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


_TRACE_RULE = _only("trace", "rate", "stages", "shape", "start_rate")
_TRACE_RULE["properties"]["arrivals"] = False

# What the models check beyond the type of a key, by definition or by definition and key.
_RULES: dict[str, Schema] = {
    "Scenario.name": {"not": {"pattern": r"^\.+$"}},
    "Scenario.functions": {"propertyNames": {"pattern": _NAME}},
    "Scenario.traffic": {"propertyNames": {"pattern": _NAME}},
    "Function.duration": {"not": _ref("NoTime")},
    "Function.idle_timeout": {"not": _ref("NoTime")},
    "Function.memory": {"not": OUTSIDE_MEMORY},
    "Function.timeout": {"not": {"anyOf": [_ref("NoTime"), OUTSIDE_TIMEOUT]}},
    "Function.code_size": {"not": OUTSIDE_CODE_SIZE},
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
    "Backoff": _when_unlimited("base", _ref("PositiveTime")),
    "RandomDelays": _when_unlimited("delay", {"not": _ref("NoTime")}),
    "TrafficSource": {
        "oneOf": [
            _only("rate", "stages", "shape", "trace", "start_rate"),
            _only("stages", "rate", "shape", "trace"),
            _only("shape", "rate", "stages", "trace", "start_rate"),
            _TRACE_RULE,
        ]
    },
}

# Words that stand for a number.
_WORDS: dict[str, Schema] = {"Region.concurrency_quota": {"const": "new-account"}}

# What the loader fills in, though the models demand it: the name of the file, and an empty mapping.
_FILLED_IN = ("Scenario.name", "Scenario.region")

_SLO_MEANINGS = {
    **{
        key: f"The {name} of the latency of completed requests must be at most this. A time."
        for key, name in (
            ("p50", "median"),
            *(
                (key, f"{digits}th percentile")
                for key, digits in (("p90", 90), ("p95", 95), ("p99", 99), ("p999", 99.9))
            ),
            ("max", "maximum"),
            ("mean", "mean"),
        )
    },
    "throttled": "At most this share of the requests may be refused for good. In percent.",
    "failed": "At most this share of the requests may end in a function error or timeout. In percent.",
    "timed_out_client": "At most this share of the requests may be left by callers who wait no longer. In percent.",
    "cold": "At most this share of the invocations may be cold starts. In percent.",
}

# What each key means, and its unit. The forms of distributions speak for themselves, through their models.
_MEANINGS: dict[str, str] = {
    "Scenario.name": "Name of the scenario and of its folder of results. Without it, the name of the file.",
    "Scenario.description": "What the reader of the results should watch for.",
    "Scenario.seed": "Seed of all random draws; the same seed gives the same results. Without it, one is made.",
    "Scenario.duration": "How long requests are sent: arrivals are offered in [0, duration). A time, such as 15m.",
    "Scenario.drain": "How long to simulate on after the duration, until nothing accepted or retried is left. A time.",
    "Scenario.profile": "What AWS's limits and defaults were at this date. It fills in the keys that are left out.",
    "Scenario.region": "The account's limits in one region.",
    "Scenario.functions": "The Lambda functions, by name.",
    "Scenario.changes": "What-ifs during the run: limits, deployments, incidents, traffic switched on and off.",
    "Change.at": "When: after what ends at this instant, before what begins at it. A time.",
    "Change.region": "Other limits of the account from then on; nothing that was accepted is stopped.",
    "Change.deploy": "A function whose environments all become obsolete: idle ones are gone, the others retire.",
    "Change.functions": "Other settings of functions from then on, by name.",
    "Change.traffic": "Traffic sources switched on or off, by name.",
    "RegionChange.concurrency_quota": "The new quota, or new-account (10).",
    "FunctionChange.reserved_concurrency": "The new reservation; 0 stops the function, none gives the units back.",
    "FunctionChange.duration": "Duration of the requests that arrive from then on. A time or a distribution.",
    "FunctionChange.errors": "Failures of the requests that arrive from then on.",
    "Scenario.traffic": "Who sends requests: each name is one source of traffic.",
    "Region.name": "AWS region, such as us-east-1. It matters only for scaling: legacy, whose burst differs by region.",
    "Region.concurrency_quota": "Requests that may be in flight at once over all functions of the account: the account"
    " concurrency limit. A whole number, or new-account (10).",
    "Region.min_unreserved": "Units of concurrency that reserving must leave over. AWS demands 100; a smaller number,"
    " even 0, helps to teach on small quotas. Without it: 100, or the whole quota where that is less.",
    "Region.scaling": "How fast functions may get new execution environments: a bucket, legacy (as before November"
    " 2023) or unlimited.",
    "Region.request_rate_ramp": "How fast the accepted request rate of one function may grow, or unlimited.",
    "Region.requests_per_concurrency": "Requests per second that each unit of concurrency lets in, or unlimited.",
    "FunctionScaling.burst": "New execution environments that can start at once: the depth of the bucket.",
    "FunctionScaling.rate": "Execution environments that can start in every per once the burst is used up.",
    "FunctionScaling.per": "The time in which rate more execution environments can start, such as 10s.",
    "Region.code_storage": "What the code of all functions and versions may take together, such as 300GB, or"
    " unlimited.",
    "RegionScaling.scope": "Whether each function has a bucket of its own, or all share the region's.",
    "RequestRateRamp.start": "Requests per second that a function may have at once, such as 10000/s; a whole number.",
    "RequestRateRamp.step": "Requests per second that are added after each second near the limit; a whole number.",
    "Errors.rate": "Share of the invocations that end in a handled function error; the environment stays. In percent.",
    "Errors.poison": "Share of the requests that fail in every invocation. In percent.",
    "Errors.crash": "Share of the invocations that crash; the environment is reset. In percent.",
    "Function.memory": "Memory size, 128MB to 10240MB. It does not change how long anything takes.",
    "Function.runtime": "Runtime such as python3.13, for the reader; it does not give an init yet.",
    "Function.architecture": "Instruction set, for the reader; it does not change how long anything takes.",
    "Function.duration": "How long the handler works on one request, without the init. A time, or a distribution.",
    "Function.init": "How long a new execution environment initialises. A time, or a distribution; 0 is allowed.",
    "Function.idle_timeout": "How long an idle execution environment is kept until it is reaped. A time, a"
    " distribution, or unlimited.",
    "Function.max_age": "Age at which an execution environment is retired when it falls idle. A time, a distribution,"
    " or unlimited.",
    "Function.timeout": "How long an invocation may last, 1s to 15m; the runtime is stopped then. A time.",
    "Function.errors": "How often invocations fail, and how.",
    "Function.reserved_concurrency": "Units of concurrency that only this function can use, and its maximum. A whole"
    " number; 0 stops the function.",
    "Function.code_size": "Size of each version of the deployment package, 1MB to 250MB. Without it none is stored.",
    "Function.versions": "How many versions of the code are stored, the newest one included. A whole number.",
    "Function.assignment": "Who serves a request that found no idle environment: eager, whichever is free first; bound,"
    " the new environment that it started.",
    "Function.reuse": "Which idle environment serves next: the one that fell idle last (mru) or first (lru).",
    "Function.scaling": "How fast this function may get new execution environments, instead of the region's rule.",
    "Scenario.slo": "Targets that a run must meet; if one is missed, the exit status of the command line is 1.",
    **{f"Slo.{key}": meaning for key, meaning in _SLO_MEANINGS.items()},
    "TrafficSource.function": "The function that this source invokes.",
    "TrafficSource.invoke": "How the function is invoked: sync, the caller waits for the answer.",
    "TrafficSource.rate": "A constant rate, such as 20/s. Instead of stages, shape and trace.",
    "TrafficSource.start_rate": "The rate at the start of the first stage, such as 20/s. Without it, 0/s.",
    "TrafficSource.stages": "Linear changes of the rate, one after the other; after the last one the rate stays.",
    "TrafficSource.shape": "A named course of the rate, instead of stages.",
    "TrafficSource.trace": "CSV file of recorded requests with the columns time_s [, function] [, duration_s]"
    " [, init_s], relative to this file.",
    "TrafficSource.arrivals": "Whether requests come at random (poisson) or evenly spaced (uniform).",
    "TrafficSource.client": "What the callers do when they wait or are refused.",
    "Stage.duration": "How long the rate takes to get from its last value to the target; 0s is a jump.",
    "Stage.target": "The rate at the end of this stage, such as 400/s.",
    "Stage.name": "A name for the reader.",
    "Shape.spike": "A baseline with one peak.",
    "Spike.baseline": "The rate before and after the peak, such as 5/s.",
    "Spike.peak": "The highest rate, such as 300/s.",
    "Spike.at": "When the rate begins to rise, as a time from the start.",
    "Spike.ramp": "How long the rate takes to rise, and to fall again; 0s is a jump.",
    "Spike.hold": "How long the rate stays at its peak.",
    "Client.timeout": "How long a caller waits for one attempt, or unlimited. The invocation goes on without it.",
    "Client.retry": "What a caller does after a throttle or its own timeout: none, back-off, fixed or random delays.",
    "Backoff.max_attempts": "Attempts in all, the first one included, or unlimited.",
    "Backoff.base": "The delay before retry k comes from min(cap, base x 2^(k-1)). A time.",
    "Backoff.cap": "The longest delay, or unlimited.",
    "Backoff.jitter": "What is waited: full, 0 to all of the delay; equal, half to all of it; none, all of it.",
    "FixedDelays.delays": "One delay before each retry; then the caller gives up.",
    "RandomDelays.max_attempts": "Attempts in all, the first one included, or unlimited.",
    "RandomDelays.delay": "The delay before each retry. A time, or a distribution.",
    "ExponentialParameters.mean": "Mean. A time.",
    "LognormalParameters.p50": "Median. A time.",
    "LognormalParameters.p99": "99th percentile. A time.",
    "LognormalParameters.mean": "Mean. A time.",
    "LognormalParameters.sigma": "Standard deviation of the logarithm. A plain number, 0 to 10.",
    "GammaParameters.mean": "Mean. A time.",
    "GammaParameters.cv": "Standard deviation divided by the mean. A plain number; 1 is exponential.",
    "MixturePart.weight": "How often this part is drawn, relative to the other weights. A plain number above 0.",
}


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
        schema = {"description": _meaning(model, key)}
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
        for alias, make in ((Distribution, self._distribution), (DistributionOrUnlimited, self._limit)):
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
        if hint in (Trace, SampleFile):
            return dict(_FILE)
        return self._plain(hint)

    def _plain(self, kind: type) -> Schema:
        names = {int: "integer", float: "number", str: "string", type(None): "null"}
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


def _meaning(model: type[Model], key: str) -> str:
    """What a key means: as the table says, or, for the one key of a form, what its model says."""
    owners = [kind for kind in reversed(model.__mro__) if issubclass(kind, Model) and key in kind.model_fields]
    return _MEANINGS.get(f"{owners[0].__name__}.{key}", _summary(model))


def _summary(model: type[Model]) -> str:
    return cleandoc(model.__doc__ or "").partition("\n\n")[0].replace("\n", " ").replace("``", "")


def _profile_defaults(model: type[Model]) -> Schema:
    """What the newest profile gives to keys of ``model`` that are left out."""
    section = {Region: "region", Function: "functions.*"}.get(model)
    return {} if section is None else profiles.defaults(profiles.DEFAULT_PROFILE, section)


def _written_default(model: type[Model], key: str, hint: Any) -> Any:
    """The default of the model itself as a scenario would have it; None where there is none to show."""
    default = model.model_fields[key].default
    if default is PydanticUndefined or default is None or default == "":
        return None
    if isinstance(default, Model):
        return "none" if isinstance(default, NoRetry) else None
    return TypeAdapter(hint).dump_python(default, mode="json")
