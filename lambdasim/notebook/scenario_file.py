"""Writes a scenario as a YAML file that loads as the same scenario again."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from lambdasim.errors import OutputError, RuleViolation, UsageError
from lambdasim.report.whole_file import write_whole
from lambdasim.scenario.data_files import DataFile, read_regular_file
from lambdasim.scenario.kept import Kept
from lambdasim.scenario.load import as_written
from lambdasim.scenario.schema import Scenario

# Files that were written in this session, with the hash of their bytes: these may be written again.
_ours: dict[Path, str] = {}


def write_scenario(
    scenario: Scenario, path: Path, *, base: Path, settings: Mapping[str, Any], overwrite: bool = False
) -> None:
    """Write ``path``, whole or not at all. Paths of data files are relative to ``base`` now, to the new file then.

    A file that is there already is kept, unless it was written here in this session and is still as it was, or
    ``overwrite`` says so. A link stays a link, and a file keeps its permissions.

    Raises UsageError where the scenario holds a Python function or a data file that cannot be found again, OutputError
    where the file cannot be written.
    """
    text = scenario_text(scenario, path, base=base, settings=settings)
    before = _bytes_of(path)
    target = path if before is None else path.resolve()
    if before is not None and not overwrite and _ours.get(path.absolute()) != _hash(before):
        raise OutputError(
            f"{path}: is there already, and not from here; choose another name, or write"
            f" explorer.save({str(path)!r}, overwrite=True)"
        )
    mode = None if before is None else stat.S_IMODE(target.stat().st_mode)
    write_whole(target, text, "the scenario")
    if mode is not None:
        target.chmod(mode)
    _ours[path.absolute()] = _hash(text.encode())


def scenario_text(scenario: Scenario, path: Path, *, base: Path, settings: Mapping[str, Any]) -> str:
    """What stands in the file. Raises UsageError where a file cannot hold it."""
    data = _plain(as_written(scenario), base, path.absolute().parent, "")
    data = {key: part for key, part in data.items() if part != {}}  # all of it as the profile has it
    # In JSON a value has one line, whatever it holds.
    lines = [f"#   {name} = {json.dumps(value, ensure_ascii=False)}" for name, value in settings.items()]
    comment = "\n".join(["# Saved from the sliders of lambdasim's explore, which stood at:", *lines, "", ""])
    return comment + yaml.safe_dump(data, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110)


def _bytes_of(path: Path) -> bytes | None:
    """What a file holds; None where there is no file that could be lost."""
    try:
        return path.read_bytes() if path.is_file() else None
    except (OSError, ValueError):  # whatever it is, writing will say it
        return None


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _plain(value: Any, base: Path, folder: Path, place: str) -> Any:
    """The value as YAML has it."""
    if isinstance(value, Mapping):
        return {key: _plain(item, base, folder, f"{place}.{key}".lstrip(".")) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, base, folder, f"{place}.{number}") for number, item in enumerate(value)]
    if isinstance(value, DataFile):
        return _relative(_found(value, base, place), folder)
    if isinstance(value, Kept):
        raise UsageError(f"{place}: a file cannot hold {value.text()}; write the rate as stages or as a trace")
    return value


def _found(file: DataFile, base: Path, place: str) -> Path:
    """Where a data file is. Raises UsageError where it is another one, as of a scenario from another folder."""
    path = base / file.path
    try:
        is_there = _hash(read_regular_file(path)) == file.sha256
    except RuleViolation:
        is_there = False
    if not is_there:
        raise UsageError(
            f"{place}: {file.path} is not found from here as it was read; explore the scenario by the name of its file,"
            " ls.explore('folder/file.yaml')"
        )
    return path


def _relative(file: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(file, folder)).as_posix()
    except ValueError:  # on another drive
        return file.as_posix()
