"""``--set path.to.key=value`` and ``set={path: value}``: changes to a scenario's raw data before it is validated.

The path is written with dots, list items by their index (``traffic.web.stages.0.target``). What a value must be is not
decided here; ``problems`` names the setting where a value turns out wrong.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lambdasim.errors import Problem, RuleViolation, ScenarioError, UsageError
from lambdasim.scenario import profiles
from lambdasim.scenario.kept import Kept
from lambdasim.scenario.yaml_reader import YamlPath, path_text, read_text

_SHOWN = 48  # letters of a value


@dataclass(frozen=True, slots=True, kw_only=True)
class Overridden:
    """Data after its settings. ``origins`` holds what each setting wrote or made on its way, as the user named it."""

    data: dict[str, Any]
    origins: dict[YamlPath, str]
    problems: tuple[Problem, ...]


def parse_setting(text: str) -> tuple[str, Any]:
    """Path and value of ``a.b=1s``; the value is YAML. Raises UsageError without ``=``, path or readable value."""
    path, equals, value = text.partition("=")
    path = path.strip()
    if not equals or not path:
        raise UsageError(f"--set must be PATH=VALUE, got {text} (for example --set region.concurrency_quota=500)")
    try:
        document = read_text(value, f"--set {path}")
    except ScenarioError as error:
        raise UsageError(f"--set {path}: {error.problems[0].message}, got {value}") from None
    if document.problems:
        raise UsageError(f"--set {path}: {document.problems[0][1].message}, got {value}")
    return path, document.data


def apply(data: Mapping[str, Any], settings: Iterable[tuple[str, object]], *, set_by: str = "set") -> Overridden:
    """A copy of ``data`` with every setting in order. A setting that leads nowhere is a problem.

    ``set_by`` is what users write before a setting: ``set``, or ``--set`` on the command line.
    """
    copied = _copy(data)
    origins: dict[YamlPath, str] = {}
    problems = []
    for text, value in settings:
        try:
            _set(copied, text, _copy(value), origins)
        except RuleViolation as violation:
            problems.append(Problem(place=f"{set_by} {text}", path="", message=violation.rule))
    return Overridden(data=copied, origins=origins, problems=tuple(problems))


def value_at(data: Mapping[str, Any], text: str) -> Any:
    """What stands at a path. Raises RuleViolation if the path leads nowhere."""
    found: Any = data
    words = text.split(".")
    path: YamlPath = ()
    while words:
        if not isinstance(found, dict | list):
            raise RuleViolation(f"must lead to a key of a mapping, but {path_text(path)} is a single value")
        key, words = _next_key(found, words, path)
        path = (*path, key)
        if isinstance(found, dict) and key not in found:
            raise RuleViolation(f"must lead to a key that there is; {path_text(path)} is none")
        found = found[key] if isinstance(found, dict) else found[int(key)]
    return found


def value_text(value: Any) -> str:
    """A value as YAML would have it on one line, with its middle left out where it is long."""
    text = _flow(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN // 2]}…{text[1 - _SHOWN // 2 :]}"


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_flow(item)}' for key, item in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flow, value))}]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Kept):
        return value.text()
    return getattr(value, "__name__", "a function") if callable(value) else str(value)


def origin_of(path: YamlPath, origins: Mapping[YamlPath, str]) -> str | None:
    """The setting that brought in what stands at ``path``, if one did."""
    for length in range(len(path), 0, -1):
        if path[:length] in origins:
            return origins[path[:length]]
    return None


def _copy(value: Any) -> Any:
    """A deep copy of containers; kept values are large and frozen, and stay the same objects, and so do functions."""
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_copy(item) for item in value]
    return value if isinstance(value, Kept) or callable(value) else copy.copy(value)


def _set(data: dict[str, Any], text: str, value: Any, origins: dict[YamlPath, str]) -> None:
    """Writes one value in place. Raises RuleViolation if the path leads nowhere."""
    words = text.split(".")
    if not all(words):
        raise RuleViolation("must be a path such as region.concurrency_quota")
    container: Any = data  # a mapping or a list, which has the key as its index
    path: YamlPath = ()
    made: list[YamlPath] = []
    while True:
        key, words = _next_key(container, words, path)
        path = (*path, key)
        if not words:
            break
        inner = container.get(key) if isinstance(container, dict) else container[key]
        # A mapping that is left out, or left empty, begins with what the profile would give.
        if inner is None:
            inner = container[key] = _default(data, path)
            made.append(path)
        if not isinstance(inner, dict | list):
            raise RuleViolation(f"must lead to a key of a mapping, but {path_text(path)} is a single value")
        container = inner
    container[key] = value
    for stale in [known for known in origins if known[: len(path)] == path]:
        del origins[stale]
    origins.update(dict.fromkeys([*made, path], text))


def _next_key(container: Any, words: list[str], path: YamlPath) -> tuple[str | int, list[str]]:
    """The next key or index of a path, and the words after it. Names with dots: the longest key that exists."""
    if isinstance(container, dict):
        for length in range(len(words), 0, -1):
            if (key := ".".join(words[:length])) in container:
                return key, words[length:]
        return words[0], words[1:]
    index = words[0]
    if not (index.isascii() and index.isdigit()) or len(index) > 9 or int(index) >= len(container):
        holds = f"an index from 0 to {len(container) - 1}" if container else "no index: the list is empty"
        raise RuleViolation(f"must have {holds} after {path_text(path)}, got {index}")
    return int(index), words[1:]


def _default(data: Mapping[str, Any], path: YamlPath) -> dict[str, Any]:
    """A new mapping at ``path``: the profile's, so that ``region.scaling.burst`` can be set alone, or an empty one."""
    profile = data.get("profile", profiles.DEFAULT_PROFILE)
    if profile not in profiles.PROFILE_NAMES:
        profile = profiles.DEFAULT_PROFILE
    section = {"functions": "functions.*", "queues": "queues.*.event_source_mapping"}.get(str(path[0]), "region")
    place = ".".join("*" if position == 1 and path[0] != "region" else str(name) for position, name in enumerate(path))
    if place.rpartition(".")[0] != section:
        return {}
    default = profiles.defaults(profile, section).get(str(path[-1]))
    return _copy(default) if isinstance(default, dict) else {}
