"""The init that a runtime gives to a function that states none, from a dated table of measurements.

The table is ``runtime_inits.yaml`` beside this module, with its source and dates. It holds a hello-world function: what
your own code does outside the handler comes on top, so that a measured ``init`` is better.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from lambdasim.units import NS_PER_MS, format_duration

# What AWS calls runtimes that run any program, so that no init follows from them.
OS_ONLY_RUNTIMES = ("provided.al2023", "provided.al2", "provided")
# Words of ours for programs that run on them.
OS_ONLY_LANGUAGES = ("go", "rust", "dotnet10-aot")

# The forms of the names that AWS has given to runtimes so far: python3.13, nodejs22.x, java8.al2, dotnetcore3.1, go1.x.
_AS_AWS_WRITES = re.compile(
    r"python[23]\.[0-9]+|nodejs[0-9]+\.(x|[0-9]+)|java[0-9]+(\.al2)?|dotnet[0-9]+|dotnetcore[0-9]\.[0-9]|"
    r"ruby[0-9]\.[0-9]+|go1\.x|provided(\.al[0-9]+)?"
)

# MODEL: the measurements say nothing below p10. On the scale of a normal distribution p1 is as far below p10 as the
# least of some 3,000 values is below p1; measured inits have a short left tail.
_STEP_DOWN = 0.93

# MODEL: nothing logs what a cold start takes before its init. Budgets of third parties are 50 to 200 ms.
DEFAULT_SANDBOX: Mapping[str, Any] = {"lognormal": {"p50": "100ms", "p99": "400ms"}}

_DEFAULT_PACKAGE, _DEFAULT_ARCHITECTURE = "zip", "x86_64"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeKey:
    """What an init goes by: runtime, kind of package, instruction set."""

    runtime: str
    package: str
    architecture: str


@cache
def runtime_inits() -> Mapping[RuntimeKey, Mapping[str, int]]:
    """Quantiles of the init (``p0`` to ``p100``) in ns, by runtime, package and architecture."""
    table = yaml.safe_load(files(__package__).joinpath("runtime_inits.yaml").read_text(encoding="utf-8"))
    names = table["columns"][3:]
    inits = {}
    for runtime, package, architecture, *times_ms in table["rows"]:
        measured = {name: time_ms * NS_PER_MS for name, time_ms in zip(names, times_ms, strict=True)}
        key = RuntimeKey(runtime=runtime, package=package, architecture=architecture)
        inits[key] = _left_tail(measured["p10"]) | measured
    return inits


def _left_tail(p10_ns: int) -> dict[str, int]:
    """p0 and p1, in ns, in whole microseconds."""
    p1_us, p0_us = (round(p10_ns * _STEP_DOWN**steps / 1_000) for steps in (1, 2))
    return {"p0": p0_us * 1_000, "p1": p1_us * 1_000}


def measured_runtimes() -> Mapping[tuple[str, str], list[str]]:
    """The runtimes in the table, by package and architecture."""
    names: dict[tuple[str, str], list[str]] = {}
    for key in runtime_inits():
        names.setdefault((key.package, key.architecture), []).append(key.runtime)
    return names


def with_runtime(function: Mapping[str, Any]) -> Mapping[str, Any]:
    """A raw function with what its runtime gives, as far as it does not state it: its init, and the sandbox before it.

    A stated init, alone or beside a runtime, is taken as it is, without anything before it.
    """
    if function.get("init") is not None:
        return function
    given = _given(function)
    return {**given, **{key: value for key, value in function.items() if key != "init"}} if given else function


def without_runtime(written: Mapping[str, Any]) -> dict[str, Any]:
    """A function as it was written, without what its runtime gives, so that another runtime can be set."""
    given = _given(written)
    if "init" not in given or written.get("init") != given["init"]:
        return dict(written)
    return {key: value for key, value in written.items() if key not in given or value != given[key]}


def _given(function: Mapping[str, Any]) -> dict[str, Any]:
    """Init and sandbox that follow from the runtime of a raw function; empty where none follow."""
    quantiles = runtime_inits().get(_key_of(function))
    if quantiles is not None:
        init: dict[str, Any] = {"quantiles": {name: format_duration(time) for name, time in quantiles.items()}}
    elif function.get("snapstart") not in (None, False):
        init = {"constant": "0s"}  # never drawn: its environments restore, they do not initialise
    else:
        return {}
    return {"init": init, "sandbox": dict(DEFAULT_SANDBOX)}


def _key_of(function: Mapping[str, Any]) -> RuntimeKey:
    texts = [
        function.get(key) or default
        for key, default in (("runtime", ""), ("package", _DEFAULT_PACKAGE), ("architecture", _DEFAULT_ARCHITECTURE))
    ]
    runtime, package, architecture = (text if isinstance(text, str) else "" for text in texts)
    return RuntimeKey(runtime=runtime, package=package, architecture=architecture)


def why_no_init(function: Mapping[str, Any]) -> str:
    """Why the runtime of a raw function gives no init, and what can be written instead; empty without a runtime."""
    key = _key_of(function)
    if not key.runtime:
        return ""
    known = [other for other in runtime_inits() if other.runtime == key.runtime]
    if known:
        places = " and ".join(f"{other.package} on {other.architecture}" for other in known)
        return (
            f"no init of {key.runtime} as {key.package} on {key.architecture} is known (known are {places};"
            " or write init: 400ms)"
        )
    if key.runtime in OS_ONLY_RUNTIMES:
        *others, last = (f"runtime: {word}" for word in OS_ONLY_LANGUAGES)
        words = f"{', '.join(others)} or {last}"
        return f"{key.runtime} runs any program (write {words} for a measured one, or init: 400ms)"
    near = _nearest(key.runtime)
    either = f"{near} Or" if near.endswith("?") else f"{near}; or"
    return f"no init of {key.runtime} is known ({either} write init: 400ms)"


def is_odd(runtime: str) -> bool:
    """Whether AWS does not write the names of runtimes like this: a slip, which a stated init would hide."""
    return runtime not in OS_ONLY_LANGUAGES and _AS_AWS_WRITES.fullmatch(runtime) is None


def hint_for(runtime: str) -> str:
    """What may be meant by an odd name."""
    return _nearest(runtime)


def _nearest(runtime: str) -> str:
    """A hint for the name of a runtime that is not in the table."""
    names = list(dict.fromkeys(key.runtime for key in runtime_inits()))
    family = _family(runtime)
    near = [name for name in names if _family(name) == family] or get_close_matches(runtime, names, n=1)
    if near:
        return f"did you mean {near[0]}?" if len(near) == 1 else f"known are {', '.join(near)}"
    families = list(dict.fromkeys(map(_family, names)))
    return f"known are versions of {', '.join(families)}"


def _family(runtime: str) -> str:
    """The language of a runtime: what stands before its version."""
    letters = re.match(r"[a-z]*", runtime)
    return letters.group() if letters else ""
