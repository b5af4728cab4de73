"""Writes a scenario as a YAML file that loads as the same scenario again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from lambdasim.errors import OutputError, UsageError
from lambdasim.scenario.data_files import DataFile
from lambdasim.scenario.kept import Kept
from lambdasim.scenario.load import as_written
from lambdasim.scenario.schema import Scenario


def write_scenario(scenario: Scenario, path: Path, *, base: Path, settings: Mapping[str, Any]) -> None:
    """Write ``path``, whole or not at all. Paths of data files are relative to ``base`` now, to the new file then.

    Raises UsageError where the scenario holds a Python function, OutputError where the file cannot be written.
    """
    data = _plain(as_written(scenario), base, path.absolute().parent, "")
    data = {key: part for key, part in data.items() if part != {}}  # all of it as the profile has it
    lines = [f"#   {name} = {value}" for name, value in settings.items()]
    comment = "\n".join(["# Saved from the sliders of lambdasim's explore, which stood at:", *lines, "", ""])
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_text(comment + text, encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise OutputError(f"{path}: the scenario cannot be written here: {error.strerror or error}") from error


def _plain(value: Any, base: Path, folder: Path, place: str) -> Any:
    """The value as YAML has it."""
    if isinstance(value, Mapping):
        return {key: _plain(item, base, folder, f"{place}.{key}".lstrip(".")) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, base, folder, f"{place}.{number}") for number, item in enumerate(value)]
    if isinstance(value, DataFile):
        return _relative(base / value.path, folder)
    if isinstance(value, Kept):
        raise UsageError(f"{place}: a file cannot hold {value.text()}; write the rate as stages or as a trace")
    return value


def _relative(file: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(file, folder)).as_posix()
    except ValueError:  # on another drive
        return file.as_posix()
