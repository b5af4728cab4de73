"""Rules between keys, and warnings about what has no effect. Each rule is a pure function of validated parts.

A part that is wrong in itself is left out, so that these findings come together with the problems of single keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import numpy as np

from lambdasim.scenario.arrival_laws import MOST_SWITCHES, MmppArrivals
from lambdasim.scenario.artillery import phases_of
from lambdasim.scenario.code_storage import StoredCode, storage_violation
from lambdasim.scenario.data_files import Trace
from lambdasim.scenario.distributions import DistributionOrUnlimited
from lambdasim.scenario.fields import UNLIMITED
from lambdasim.scenario.k6 import keys_without_effect
from lambdasim.scenario.runtimes import hint_for, is_odd
from lambdasim.scenario.schema import Function, Region, mapped_function
from lambdasim.scenario.shapes import MOST_PARTS
from lambdasim.scenario.traffic import WAYS, TrafficSource
from lambdasim.scenario.warmer import MOST_PINGS
from lambdasim.scenario.work import Work, is_no_time
from lambdasim.scenario.yaml_reader import YamlPath
from lambdasim.units import format_duration

VALID_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What of a scenario is right in itself. Names and numbers may come from parts with other mistakes."""

    region: Region | None
    functions: Mapping[str, Function]
    traffic: Mapping[str, TrafficSource]
    function_names: tuple[str, ...]  # every key under functions, in file order
    source_names: tuple[str, ...]  # every key under traffic, in file order
    target_of: Mapping[str, str]  # traffic source -> the function that it names
    reserved: Mapping[str, int]  # function -> its reserved concurrency, in file order
    duration_ns: int | None
    provisioned: Mapping[str, int] = field(default_factory=dict)  # the most that each function may have at the start
    scaled: frozenset[str] = frozenset()  # functions with autoscaling
    fed: frozenset[str] = frozenset()  # functions that a queue or a stream invokes
    changes_ns: tuple[int, ...] = ()  # when each change applies, of a scenario that is right


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A broken rule, or a part without effect, at a path. ``data_row`` is FILE:LINE where a data file is to blame."""

    path: YamlPath
    message: str
    at_key: bool = False
    data_row: str = ""


def check(parts: Parts) -> tuple[list[Finding], list[Finding]]:
    """(problems, warnings) of the parts."""
    problems = [
        *check_names(parts),
        *check_targets(parts),
        *check_reserved(parts),
        *check_code_storage(parts),
        *check_positive_times(parts),
        *check_rate_sizes(parts),
    ]
    warnings = [
        *find_cut_stages(parts),
        *find_late_changes(parts),
        *find_keys_without_effect(parts.traffic),
        *find_late_rows(parts),
        *find_late_warmers(parts),
        *find_stored_images(parts),
        *find_odd_runtimes(parts),
        *find_silent_sources(parts),
        *find_functions_without_traffic(parts),
    ]
    return problems, warnings


def check_names(parts: Parts) -> Iterator[Finding]:
    """Names of functions and sources: they become cells of CSV files and labels of pictures."""
    for section, names in (("functions", parts.function_names), ("traffic", parts.source_names)):
        for name in names:
            if not VALID_NAME.fullmatch(name):
                rule = "must have a name of at most 64 letters, digits, dots, hyphens and underscores"
                yield Finding(path=(section, name), message=rule, at_key=True)


def nearest(name: str, known: tuple[str, ...], kind: str) -> str:
    """A hint for the name of something that does not exist; ``kind`` is what it should be one of, in the plural."""
    near = get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else f"the {kind} are {', '.join(known) or 'missing'}"


def check_targets(parts: Parts) -> Iterator[Finding]:
    """Every function that a source or a row of its trace names must exist."""
    known = parts.function_names
    for source, target in parts.target_of.items():
        if target not in known:
            message = f"must be the name of a function, got {target} ({nearest(target, known, 'functions')})"
            yield Finding(path=("traffic", source, "function"), message=message)
    for source, traffic in parts.traffic.items():
        if traffic.trace is not None:
            yield from _check_trace_targets(("traffic", source, "trace"), traffic.trace, known)


def _check_trace_targets(path: YamlPath, trace: Trace, known: tuple[str, ...]) -> Iterator[Finding]:
    for index, name in enumerate(trace.functions):
        if name not in known:
            row = int(np.argmax(trace.function == index))
            message = f"function must be the name of a function, got {name} ({nearest(name, known, 'functions')})"
            yield Finding(path=path, message=message, data_row=f"{trace.path}:{trace.line_of(row)}")


def check_reserved(parts: Parts) -> Iterator[Finding]:
    """Reserved concurrency must leave enough unreserved. Reserving 0 takes nothing.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html; the sentence is AWS's own.
    """
    if parts.region is None:
        return
    quota, least = parts.region.concurrency_quota, parts.region.least_unreserved
    if least > quota:
        message = f"must be at most the concurrency quota of {quota}, got {least}"
        yield Finding(path=("region", "min_unreserved"), message=message)
        return
    total = 0
    over = None
    for function, reserved in parts.reserved.items():
        total += reserved
        if over is None and total > quota - least:
            over = function
    violation = reserved_violation(quota, least, total)
    if over is not None and violation is not None:
        yield Finding(path=("functions", over, "reserved_concurrency"), message=violation)


def reserved_violation(quota: int, least: int, total: int) -> str | None:
    """What AWS says where ``total`` reserved units leave fewer than ``least`` of a quota unreserved, else None."""
    if total <= max(quota - least, 0):
        return None
    return (
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
        f"below its minimum value of [{least}]. The functions reserve {total} of the quota of {quota}; "
        f"at most {quota - least} can be reserved"
    )


def check_code_storage(parts: Parts) -> Iterator[Finding]:
    """All versions of all functions must fit in the region's code storage; a function without a size takes none."""
    if parts.region is None or parts.region.code_storage == UNLIMITED:
        return
    stored = [
        StoredCode(function=name, size_mb=function.code_size, versions=function.versions)
        for name, function in parts.functions.items()
        if function.code_size is not None and function.package == "zip"
    ]
    violation = storage_violation(stored, int(parts.region.code_storage))
    if violation is not None:
        function, message = violation
        yield Finding(path=("functions", function, "code_size"), message=message)


def check_positive_times(parts: Parts) -> Iterator[Finding]:
    """Invocations, pings, idle periods and thinking last at least 1 ns; only an init may take no time."""
    times: list[tuple[YamlPath, DistributionOrUnlimited | Work | None]] = [
        (("functions", name, key), value)
        for name, function in parts.functions.items()
        for key, value in (("duration", function.duration), ("idle_timeout", function.idle_timeout))
    ]
    times += [(("traffic", name, "think_time"), source.think_time) for name, source in parts.traffic.items()]
    times += [
        (("traffic", name, "warmer", "duration"), source.warmer.duration)
        for name, source in parts.traffic.items()
        if source.warmer is not None
    ]
    for path, value in times:
        if value is not None and value != UNLIMITED and is_no_time(value):
            hint = " (users who send again at once: write 1ms)" if path[-1] == "think_time" else ""
            yield Finding(path=path, message=f"must be at least 1ns, got 0s{hint}")


def check_rate_sizes(parts: Parts) -> Iterator[Finding]:
    """Shapes, modulations and pings must not come again too often within the duration: a slip of units, mostly."""
    if parts.duration_ns is None:
        return
    end = format_duration(parts.duration_ns)
    for source, traffic in parts.traffic.items():
        if traffic.shape is not None and _has_too_many_parts(traffic, parts.duration_ns):
            message = f"must have at most {MOST_PARTS:,} {traffic.shape.form.parts} within the duration of {end}"
            yield Finding(path=("traffic", source, "shape", traffic.shape.name), message=message)
        if traffic.warmer is not None and (pings := traffic.warmer.count_pings(parts.duration_ns)) > MOST_PINGS:
            message = f"must ping at most {MOST_PINGS:,} times within the duration of {end}; it would {pings:,} times"
            yield Finding(path=("traffic", source, "warmer"), message=message)
        if isinstance(traffic.arrivals, MmppArrivals):
            count = traffic.arrivals.mmpp.expected_switches(parts.duration_ns)
            if count > MOST_SWITCHES:
                message = (
                    f"must change between quiet and busy at most {MOST_SWITCHES:,} times within the duration of {end};"
                    f" it would about {count:,.0f} times"
                )
                yield Finding(path=("traffic", source, "arrivals", "mmpp"), message=message)


def _has_too_many_parts(traffic: TrafficSource, duration_ns: int) -> bool:
    return traffic.shape is not None and traffic.shape.form.count_parts(duration_ns) > MOST_PARTS


def find_cut_stages(parts: Parts) -> Iterator[Finding]:
    """Stages that go on after the last arrival."""
    if parts.duration_ns is None:
        return
    for source, traffic in parts.traffic.items():
        total = traffic.length_ns
        if total is not None and total > parts.duration_ns:
            key = next(way for way in WAYS if getattr(traffic, way) is not None)
            length, end = format_duration(total), format_duration(parts.duration_ns)
            message = f"lasts {length}, longer than the duration of {end}; the rest is cut"
            yield Finding(path=("traffic", source, key), message=message)


def find_late_changes(parts: Parts) -> Iterator[Finding]:
    """Changes after the last arrival: they apply only if something is still under way."""
    for number, at_ns in enumerate(parts.changes_ns):
        if parts.duration_ns is not None and parts.duration_ns <= at_ns:
            at, end = format_duration(at_ns), format_duration(parts.duration_ns)
            message = f"comes at {at}, when nothing arrives any more (duration {end}); it may have no effect"
            yield Finding(path=("changes", number, "at"), message=message)


def find_keys_without_effect(traffic: Mapping[str, TrafficSource]) -> Iterator[Finding]:
    """What of a pasted load test matters only to the load generator."""
    for source, spec in traffic.items():
        keys = keys_without_effect(spec.k6) if spec.k6 is not None else []
        phases = phases_of(spec.artillery) if spec.artillery is not None else ()
        keys += dict.fromkeys(key for phase in phases for key in keys_without_effect(phase))
        if keys:
            tool = "k6" if spec.k6 is not None else "artillery"
            verb, them = ("has", "it") if len(keys) == 1 else ("have", "them")
            message = f"{' and '.join(keys)} {verb} no effect: only the load generator needs {them}"
            yield Finding(path=("traffic", source, tool), message=message)


def find_late_rows(parts: Parts) -> Iterator[Finding]:
    """Rows of a trace at or after the duration, which are not offered."""
    for source, traffic in parts.traffic.items():
        if traffic.trace is None or parts.duration_ns is None:
            continue
        late = int(np.count_nonzero(traffic.trace.time_ns >= parts.duration_ns))
        if late:
            rows = "1 row" if late == 1 else f"{late:,} rows"
            end = format_duration(parts.duration_ns)
            message = f"has {rows} at or after the duration of {end}; they are not offered"
            yield Finding(path=("traffic", source, "trace"), message=message)


def find_late_warmers(parts: Parts) -> Iterator[Finding]:
    """Warmers that would begin when the run is over."""
    for source, traffic in parts.traffic.items():
        warmer = traffic.warmer
        if warmer is not None and parts.duration_ns is not None and warmer.starts >= parts.duration_ns:
            starts, end = format_duration(warmer.starts), format_duration(parts.duration_ns)
            message = f"is {starts}, at or after the duration of {end}; the warmer never pings"
            yield Finding(path=("traffic", source, "warmer", "starts"), message=message)


def find_stored_images(parts: Parts) -> Iterator[Finding]:
    """Sizes of container images, which are in a registry (AWS: code storage counts .zip packages and layers only)."""
    for name, function in parts.functions.items():
        if function.code_size is not None and function.package == "image":
            message = "has no effect: a container image is in Amazon ECR and takes no code storage of Lambda's"
            yield Finding(path=("functions", name, "code_size"), message=message)


def find_odd_runtimes(parts: Parts) -> Iterator[Finding]:
    """Names of runtimes beside a stated init that AWS does not write like this."""
    for name, function in parts.functions.items():
        if function.runtime is not None and is_odd(function.runtime):
            message = f"is no runtime as AWS writes it, got {function.runtime} ({hint_for(function.runtime)})"
            yield Finding(path=("functions", name, "runtime"), message=message)


def find_silent_sources(parts: Parts) -> Iterator[Finding]:
    """Sources whose rate is 0 all the time."""
    for source, spec in parts.traffic.items():
        if parts.duration_ns is None or not spec.has_rate:
            continue
        if not _has_too_many_parts(spec, parts.duration_ns) and spec.rate_course(parts.duration_ns).is_silent:
            yield Finding(path=("traffic", source), message="sends nothing; its rate is 0/s all the time", at_key=True)


def find_functions_without_traffic(parts: Parts) -> Iterator[Finding]:
    """Functions that no source and no row of a trace invokes."""
    invoked = {*parts.target_of.values(), *parts.fed}
    for traffic in parts.traffic.values():
        if traffic.trace is not None:
            invoked.update(traffic.trace.functions)
    for name in parts.functions:
        if name not in invoked:
            yield Finding(path=("functions", name), message="has no traffic", at_key=True)


def parts_of(
    data: Mapping[str, Any],
    region: Region | None,
    functions: Mapping[str, Function],
    traffic: Mapping[str, TrafficSource],
    duration_ns: int | None,
    changes_ns: tuple[int, ...] = (),
) -> Parts:
    """Parts of raw data: names, targets and reserved concurrency are read even where another key is wrong."""
    raw_functions, raw_traffic = _mappings(data.get("functions")), _mappings(data.get("traffic"))
    reserved = {name: raw.get("reserved_concurrency") for name, raw in raw_functions.items()}
    return Parts(
        region=region,
        functions=functions,
        traffic=traffic,
        function_names=tuple(raw_functions),
        source_names=tuple(raw_traffic),
        target_of={name: raw["function"] for name, raw in raw_traffic.items() if isinstance(raw.get("function"), str)},
        reserved={name: value for name, value in reserved.items() if type(value) is int and value >= 0},
        duration_ns=duration_ns,
        provisioned={name: units for name, raw in raw_functions.items() if (units := _most_provisioned(raw))},
        scaled=frozenset(name for name, raw in raw_functions.items() if raw.get("autoscaling") is not None),
        fed=frozenset(_fed(data)),
        changes_ns=changes_ns,
    )


def _most_provisioned(function: Mapping[str, Any]) -> int:
    """The provisioned concurrency of a raw function, or the most that autoscaling may give it."""
    scaled = function.get("autoscaling")
    units = scaled.get("max_capacity") if isinstance(scaled, dict) else function.get("provisioned_concurrency")
    return units if type(units) is int else 0


def _fed(data: Mapping[str, Any]) -> Iterator[str]:
    for section in ("queues", "streams"):
        for part in _mappings(data.get(section)).values():
            function = mapped_function(part)
            if function is not None:
                yield function


def _mappings(section: Any) -> dict[str, dict[str, Any]]:
    """The named parts of a section; a part that is no mapping counts as an empty one."""
    if not isinstance(section, dict):
        return {}
    return {name: part if isinstance(part, dict) else {} for name, part in section.items()}
