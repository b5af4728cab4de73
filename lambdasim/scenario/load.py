"""Loads a scenario: reads, applies settings, validates, checks the rules between keys; all problems come at once.

The one door into the package for scenarios from a file, from Python, or changed from another one. What a scenario may
hold stands in ``schema``; messages are made in ``problems``.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel, TypeAdapter, ValidationError

from lambdasim.errors import Problem, RuleViolation, ScenarioError, warn
from lambdasim.scenario import profiles, rules
from lambdasim.scenario.change_rules import check_changes
from lambdasim.scenario.fields import PositiveDuration
from lambdasim.scenario.kept import HASHES, Kept
from lambdasim.scenario.overrides import Overridden, apply, value_at, value_text
from lambdasim.scenario.pricing import Pricing
from lambdasim.scenario.pricing_rules import find_risks_of_pricing
from lambdasim.scenario.problems import Placed, Source, from_errors
from lambdasim.scenario.provisioned import Autoscaling, ProvisionedAllocation
from lambdasim.scenario.provisioned_rules import (
    check_provisioned,
    check_provisioned_at_start,
    find_risks_of_provisioned,
)
from lambdasim.scenario.queues import QueueMapping
from lambdasim.scenario.runtimes import without_runtime
from lambdasim.scenario.schema import Function, Region, Scenario, with_profile_defaults
from lambdasim.scenario.snapstart_rules import check_snapstart
from lambdasim.scenario.traffic import TrafficSource
from lambdasim.scenario.waiting_work_rules import check_waiting_work, find_risks_of_waiting_work
from lambdasim.scenario.yaml_reader import MAX_DEPTH, Document, YamlPath, path_text, read_file

_Part = TypeVar("_Part")

# Keys that change nothing of what a description may speak of.
_WITHOUT_CONSEQUENCE = ("seed", "name")


def load(
    source: str | os.PathLike[str] | Mapping[str, Any] | Scenario,
    *,
    seed: int | None = None,
    overrides: Mapping[str, object] | Sequence[tuple[str, object]] | None = None,
    on_warning: Callable[[str], None] | None = None,
    set_by: str = "set",
) -> Scenario:
    """The scenario in a YAML file, in a mapping or in a scenario, after ``overrides`` (``{"region.name": "x"}``).

    Paths of data files are relative to the scenario file, else to the current folder. ``seed`` wins over every other.
    Warnings go to ``on_warning``, else to ``warnings`` as ScenarioWarning. Raises ScenarioError with every problem;
    that of a value in ``overrides`` has ``set_by`` and its path for a place: ``set region.name``.
    """
    document, data, base = _raw(source)
    overridden = _overridden(data, overrides, seed, set_by)
    origin = Source(data=overridden.data, document=document, origins=overridden.origins, set_by=set_by)
    context = {"base": base, "files": {}}
    found: list[Placed] = []
    scenario = None
    try:
        scenario = Scenario.model_validate(overridden.data, context=context)
    except ValidationError as error:
        found += from_errors(error.errors(include_url=False), origin)
    parts = _parts(overridden.data, scenario, context)
    broken, without_effect = rules.check(parts)
    if scenario is None:
        broken += check_provisioned_at_start(parts)
    else:
        checks = (check_changes, check_provisioned, check_snapstart, check_waiting_work)
        broken += [finding for check in checks for finding in check(scenario)]
        if not broken:
            without_effect += [*find_risks_of_waiting_work(scenario), *find_risks_of_pricing(scenario)]
            without_effect += find_risks_of_provisioned(scenario, overridden.data)
    found += [_placed(finding, origin, base) for finding in broken]
    if document is not None:
        found += [Placed(order=place, problem=problem) for place, problem in document.problems]
    found.sort(key=_by_place)
    problems = [*(placed.problem for placed in found), *overridden.problems]
    if problems or scenario is None:
        raise ScenarioError(problems)
    for placed in sorted((_placed(finding, origin, base) for finding in without_effect), key=_by_place):
        if on_warning is not None:
            on_warning(str(placed.problem))
        else:
            warn(str(placed.problem))
    before = source if isinstance(source, Scenario) else _validated(Scenario, data, context) if overrides else None
    return scenario.remembering(_settings(before, scenario, _pairs(overrides)))


def replace(scenario: Scenario, changes: Mapping[str, object]) -> Scenario:
    """A scenario with other values, checked as a whole: ``replace(scenario, {"functions.api.init": "2s"})``."""
    return load(scenario, overrides=changes)


def fingerprint(scenario: Scenario) -> str:
    """SHA-256 (hex) of the resolved scenario as canonical JSON, each data file and function replaced by its hash."""
    resolved = scenario.model_dump(mode="json", context={HASHES: True})
    text = json.dumps(resolved, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def as_written(scenario: Scenario) -> dict[str, Any]:
    """The data that ``load`` turns into this scenario again, with data files as they were read, and functions.

    Left out is what the profile gives, so that another profile can be set.
    """
    data = _written(scenario)
    given = profiles.defaults(scenario.profile, "region")
    data["region"] = _without(data["region"], _written(Region.model_validate(given)))
    given = profiles.defaults(scenario.profile, "functions.*")
    function = _written(Function.model_validate({**given, "duration": "1s", "init": "1s"}))
    defaults = {key: function[key] for key in given}
    data["functions"] = {
        name: without_runtime(_without(written, defaults)) for name, written in data["functions"].items()
    }
    allocated = _written(ProvisionedAllocation.model_validate(_profile_part(scenario, "provisioned_allocation")))
    given = _profile_part(scenario, "autoscaling")
    scaled = _written(Autoscaling.model_validate({"min_capacity": 1, "max_capacity": 1, "target": "50%", **given}))
    parts = {"provisioned_allocation": allocated, "autoscaling": {key: scaled[key] for key in given}}
    for written in data["functions"].values():
        for key, defaults in parts.items():
            if isinstance(written.get(key), dict):
                written[key] = _without(written[key], defaults)
    given = profiles.defaults(scenario.profile, "pricing")
    data["pricing"] = _without(data["pricing"], _written(Pricing.model_validate(given)))
    given = profiles.defaults(scenario.profile, "queues.*.event_source_mapping")
    defaults = _written(QueueMapping.model_validate({"function": "any", **given}))
    for queue in data.get("queues", {}).values():
        if queue.get("event_source_mapping") is not None:
            queue["event_source_mapping"] = _without(queue["event_source_mapping"], defaults)
    return data


def _profile_part(scenario: Scenario, key: str) -> dict[str, Any]:
    return profiles.defaults(scenario.profile, f"functions.*.{key}")


def _without(data: dict[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key not in defaults or value != defaults[key]}


def _written(model: BaseModel) -> dict[str, Any]:
    data: dict[str, Any] = model.model_dump(mode="json", exclude_unset=True)
    _put_kept_back(model, data)
    return data


def _put_kept_back(value: Any, written: Any) -> None:
    """Replaces the texts of kept values in ``written`` by the objects that ``value`` holds."""
    if isinstance(value, BaseModel):
        for name in value.model_fields_set:
            item = getattr(value, name)
            if isinstance(item, Kept):
                written[name] = item
            else:
                # A component of a mixture is written without the key that its model has.
                _put_kept_back(item, written.get(name, written))
    elif isinstance(value, dict):
        for name, item in value.items():
            _put_kept_back(item, written[name])
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            _put_kept_back(item, written[index])


def _raw(source: str | os.PathLike[str] | Mapping[str, Any] | Scenario) -> tuple[Document | None, dict[str, Any], Path]:
    """The document that data come from (None in Python), the data, and the folder that their paths are relative to."""
    if isinstance(source, Scenario):
        return None, as_written(source), Path()
    if isinstance(source, Mapping):
        return None, {"name": "scenario", **_plain_or_raise(source)}, Path()
    name = os.fspath(source) if isinstance(source, str | os.PathLike) else None
    if not isinstance(name, str):
        raise ScenarioError("a scenario must be the name of a file, a mapping or a Scenario")
    path = Path(name)
    document = read_file(path, name)
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem)[:100]
    return document, {"name": stem, **document.data}, path.parent


def _overridden(
    data: dict[str, Any],
    overrides: Mapping[str, object] | Sequence[tuple[str, object]] | None,
    seed: int | None,
    set_by: str,
) -> Overridden:
    pairs = _pairs(overrides)
    if seed is not None:
        pairs.append(("seed", seed))
    problems: list[Problem] = []
    settings = [(text, _plain(value, tuple(text.split(".")), problems)) for text, value in pairs]
    if problems:
        raise ScenarioError(problems)
    return apply(data, settings, set_by=set_by)


def _pairs(overrides: Mapping[str, object] | Sequence[tuple[str, object]] | None) -> list[tuple[str, object]]:
    return list(overrides.items() if isinstance(overrides, Mapping) else overrides or ())


def _settings(
    before: Scenario | None, after: Scenario, pairs: Sequence[tuple[str, object]]
) -> tuple[tuple[str, str], ...]:
    """What a scenario remembers of its settings: those that changed something, beside what ``before`` remembers.

    ``before`` is None where there is no scenario without them. Whoever sets a description says there what is changed.
    """
    if any(path == "description" for path, _ in pairs):
        return ()
    kept = dict(before.settings) if before is not None else {}
    pairs = [(path, value) for path, value in pairs if path not in _WITHOUT_CONSEQUENCE]
    old, new = (one.model_dump(mode="json") if pairs and one is not None else {} for one in (before, after))
    for path, value in pairs:
        if not _is_equal_at(path, old, new):
            kept = {known: text for known, text in kept.items() if not known.startswith(f"{path}.")}
            kept[path] = value_text(_plain(value, tuple(path.split(".")), []))
    return tuple(kept.items())


def _is_equal_at(path: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    try:
        return bool(value_at(old, path) == value_at(new, path))
    except RuleViolation:
        return False


def _plain_or_raise(value: Mapping[str, Any]) -> dict[str, Any]:
    problems: list[Problem] = []
    data: dict[str, Any] = _plain(value, (), problems)
    if problems:
        raise ScenarioError(problems)
    return data


def _plain(value: Any, path: YamlPath, problems: list[Problem]) -> Any:
    """A Python value as YAML would have given it; what YAML cannot hold is noted in ``problems``."""
    if len(path) > MAX_DEPTH:
        problems.append(Problem(place="", path=path_text(path[:3]), message=f"must not be nested {MAX_DEPTH} deep"))
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, BaseModel):
        return _written(value)
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                message = f"must have text as its keys, got {key!r:.60}"
                problems.append(Problem(place="", path=path_text(path), message=message))
        return {str(key): _plain(item, (*path, str(key)), problems) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, (*path, index), problems) for index, item in enumerate(value)]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if callable(value) and path[:1] == ("traffic",) and path[2:] and path[-1] == "rate":
        return value  # the one place for a function
    if value is not None and not isinstance(value, bool | int | float | str | Kept):
        message = f"must be text, a number, a list or a mapping, got {type(value).__name__}"
        problems.append(Problem(place="", path=path_text(path), message=message))
    return value


def _parts(data: dict[str, Any], scenario: Scenario | None, context: dict[str, Any]) -> rules.Parts:
    """What is right in itself: all of a scenario, or those sections of raw data that validate alone."""
    if scenario is not None:
        return rules.parts_of(
            data,
            scenario.region,
            scenario.functions,
            scenario.traffic,
            scenario.duration,
            tuple(change.at for change in scenario.changes),
        )
    filled = with_profile_defaults(data)
    return rules.parts_of(
        data,
        _validated(Region, filled["region"], context),
        _validated_each(Function, filled.get("functions"), context),
        _validated_each(TrafficSource, filled.get("traffic"), context),
        _validated(PositiveDuration, filled.get("duration"), context),
    )


def _validated(kind: Any, value: Any, context: dict[str, Any]) -> Any:
    """The value as ``kind``, or None where it is wrong."""
    try:
        return TypeAdapter(kind).validate_python(value, context=context)
    except ValidationError:
        return None


def _validated_each(kind: type[_Part], section: Any, context: dict[str, Any]) -> dict[str, _Part]:
    if not isinstance(section, dict):
        return {}
    adapter = TypeAdapter(kind)
    parts = {}
    for name, value in section.items():
        try:
            parts[name] = adapter.validate_python(value, context=context)
        except ValidationError:
            continue
    return parts


def _placed(finding: rules.Finding, source: Source, base: Path) -> Placed:
    place = str(base / finding.data_row) if finding.data_row else ""
    return source.placed(finding.path, finding.message, at_key=finding.at_key, place=place)


def _by_place(placed: Placed) -> tuple[int, int]:
    return placed.order.line, placed.order.column
