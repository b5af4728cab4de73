"""YAML text to plain data, with the line and column of everything, and without YAML 1.1's surprises.

``1:30``, ``on``, ``012``, ``.inf`` and dates stay text, so that each field can say what it wants instead. Nothing here
knows what a scenario is; what the data must look like stands in ``schema``.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml
from yaml.composer import Composer
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

from lambdasim.errors import Problem, RuleViolation, ScenarioError
from lambdasim.scenario.data_files import read_regular_file, shown

MAX_FILE_BYTES = 5_000_000
MAX_DEPTH = 50
MAX_ALIAS_VALUES = 100_000  # what aliases may add to the values that are written out

YamlPath = tuple[str | int, ...]

_NULL = ("", "~", "null", "Null", "NULL")
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,30})")
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]{1,4})?")
_STANDARD = "tag:yaml.org,2002:"
_SCALAR_TYPES: dict[str, type | tuple[type, ...]] = {
    "str": str,
    "null": type(None),
    "bool": bool,
    "int": int,
    "float": (int, float),
}

# PyYAML's words, and what a reader who does not know YAML's grammar can do about them.
_PLAIN_WORDS = (
    ("cannot start any token", "a value must not start with this character (put the text in quotes)"),
    (
        "mapping values are not allowed",
        "a colon is not allowed here (check the indentation, or put the text in quotes)",
    ),
    ("could not find expected ':'", "a key must be followed by a colon and a space"),
    ("expected <block end>", "the indentation must match the lines above"),
    ("expected ',' or ']'", "a list in [ ] must have commas between its items and a ] at its end"),
    ("expected ',' or '}'", "a mapping in { } must have commas between its keys and a } at its end"),
    ("undefined alias", "an alias must name an anchor that stands above it"),
    ("end of stream", "a quoted text must have a quote at its end"),
    ("document separator", "a quoted text must have a quote at its end"),
    ("unknown escape character", "text in double quotes must not hold an unknown escape (use single quotes)"),
    ("expected the node content", "a value is missing here"),
    ("expected <document start>", "only one value may stand here (check the indentation)"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column in a file, counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The data of a YAML file, where each value and each key stands, and problems that do not stop the reading."""

    name: str
    data: Any
    values: dict[YamlPath, Place] = field(default_factory=dict)
    keys: dict[YamlPath, Place] = field(default_factory=dict)
    problems: tuple[tuple[Place, Problem], ...] = ()


class _Loader(Reader, Scanner, Parser, Composer, BaseResolver):
    """PyYAML down to its nodes. An empty tag marks a node that has none of its own."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        BaseResolver.__init__(self)
        self.depth = 0
        self.nodes = 0

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        return ""

    def compose_node(self, parent: Any, index: Any) -> Any:
        self.depth += 1
        self.nodes += 1
        if self.depth > MAX_DEPTH:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise _Stop(_place(mark), f"must not be nested more than {MAX_DEPTH} deep")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _Stop(Exception):
    """The text cannot be read beyond this place."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(place, message)
        self.place = place
        self.message = message


def read_file(path: Path, name: str) -> Document:
    """The document in a scenario file. ``name`` stands for the file in messages; its top must be a mapping.

    Raises ScenarioError, with the one problem that stops the reading.
    """
    try:
        content = read_regular_file(path, MAX_FILE_BYTES)
    except RuleViolation as violation:
        _refuse(name, violation.rule)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        _refuse(f"{name}:{line}", "must be text in UTF-8")
    document = read_text(text, name)
    if document.data is None:
        _refuse(name, "must hold a scenario; this file is empty")
    if not isinstance(document.data, dict):
        got = "a list" if isinstance(document.data, list) else shown(str(document.data))
        _refuse(f"{name}:{document.values[()].line}:{document.values[()].column}", f"must be a mapping, got {got}")
    return document


def read_text(text: str, name: str) -> Document:
    """The document in a YAML text; its data is None if there is none. Raises ScenarioError as ``read_file`` does."""
    try:
        loader = _Loader(text)
        loader.get_event()  # type: ignore[no-untyped-call]
        if loader.check_event(yaml.StreamEndEvent):
            return Document(name=name, data=None)
        root: Any = loader.compose_document()
        if not loader.check_event(yaml.StreamEndEvent):
            mark = loader.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise _Stop(_place(mark), "must hold one YAML document only, got a second one")
        conversion = _Conversion(name, loader.nodes + MAX_ALIAS_VALUES)
        data = conversion.convert(root, ())
    except _Stop as stop:
        _refuse(f"{name}:{stop.place.line}:{stop.place.column}", stop.message)
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - (text.rfind("\n", 0, error.position) + 1) + 1
        _refuse(f"{name}:{line}:{column}", f"must not hold the control character U+{ord(text[error.position]):04X}")
    except yaml.MarkedYAMLError as error:
        place, message = _syntax_error(error, text)
        _refuse(f"{name}:{place.line}:{place.column}", message)
    return Document(
        name=name,
        data=data,
        values=conversion.values,
        keys=conversion.keys,
        problems=tuple(conversion.problems),
    )


def _refuse(place: str, message: str) -> NoReturn:
    raise ScenarioError([Problem(place=place, path="", message=message)]) from None


def _place(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1)


def _syntax_error(error: yaml.MarkedYAMLError, text: str) -> tuple[Place, str]:
    mark = error.problem_mark or error.context_mark
    place = _place(mark) if mark is not None else Place(1, 1)
    lines = text.splitlines()
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    problem = error.problem or error.context or ""
    if "\t" in line[: len(line) - len(line.lstrip())] or "'\\t'" in problem:
        return place, "must be indented with spaces, not with tabs"
    for words, plain in _PLAIN_WORDS:
        if words in problem:
            return place, f"must be valid YAML: {plain}"
    return place, f"must be valid YAML: {problem}"


class _Conversion:
    """Turns the nodes of one document into data and remembers where each part stands."""

    def __init__(self, name: str, budget: int) -> None:
        self.name = name
        self.budget = budget
        self.values: dict[YamlPath, Place] = {}
        self.keys: dict[YamlPath, Place] = {}
        self.problems: list[tuple[Place, Problem]] = []
        self._open: set[int] = set()

    def convert(self, node: yaml.Node, path: YamlPath) -> Any:
        """The data of a node. Raises _Stop where aliases make it endless or huge."""
        place = _place(node.start_mark)
        self.budget -= 1
        if self.budget < 0:
            raise _Stop(place, f"must not grow by more than {MAX_ALIAS_VALUES:,} values through its aliases")
        if id(node) in self._open:
            raise _Stop(place, "must not hold itself through an alias")
        if len(path) > MAX_DEPTH:
            raise _Stop(place, f"must not be nested more than {MAX_DEPTH} deep")
        self.values[path] = place
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        self._open.add(id(node))
        data: Any
        if isinstance(node, yaml.SequenceNode):
            self._check_tag(node, "seq", path)
            data = [self.convert(item, (*path, index)) for index, item in enumerate(node.value)]
        else:
            self._check_tag(node, "map", path)
            data = self._mapping(node, path)
        self._open.discard(id(node))
        return data

    def _report(self, place: Place, path: YamlPath, message: str) -> None:
        where = f"{self.name}:{place.line}:{place.column}"
        self.problems.append((place, Problem(place=where, path=path_text(path), message=message)))

    def _check_tag(self, node: yaml.Node, expected: str, path: YamlPath) -> None:
        if node.tag not in ("", _STANDARD + expected):
            tag = node.tag.replace(_STANDARD, "!!")
            self._report(_place(node.start_mark), path, f"must not have a tag, got {shown(tag)}")

    def _scalar(self, node: yaml.ScalarNode, path: YamlPath) -> Any:
        plain = node.style is None
        if node.tag == "":
            return resolve_plain(node.value) if plain else node.value
        kind = node.tag.removeprefix(_STANDARD)
        if kind == "str":
            return node.value
        value = resolve_plain(node.value)
        if kind not in _SCALAR_TYPES or node.tag == kind or not isinstance(value, _SCALAR_TYPES[kind]):
            self._check_tag(node, "str", path)
        return value

    def _mapping(self, node: yaml.Node, path: YamlPath) -> dict[str, Any]:
        data: dict[str, Any] = {}
        first: dict[str, Place] = {}
        for key_node, value_node in node.value:
            if isinstance(key_node, yaml.ScalarNode) and key_node.value == "<<" and key_node.style is None:
                data = {**self._merged(value_node, path), **data}
        for key_node, value_node in node.value:
            place = _place(key_node.start_mark)
            if not isinstance(key_node, yaml.ScalarNode):
                self._report(place, path, "must have text as its keys, got a list or a mapping")
                continue
            key = key_node.value
            if key == "<<" and key_node.style is None:
                continue
            if key_node.tag not in ("", _STANDARD + "str"):
                self._check_tag(key_node, "str", (*path, key))
            if key in first:
                self._report(place, (*path, key), f"must stand only once, is also on line {first[key].line}")
                continue
            first[key] = place
            self.keys[(*path, key)] = place
            data[key] = self.convert(value_node, (*path, key))
        self.values[path] = _place(node.start_mark)  # a merge has left its own place here
        return data

    def _merged(self, node: yaml.Node, path: YamlPath) -> dict[str, Any]:
        """The keys that ``<<: *anchor`` or ``<<: [*first, *second]`` brings in; the first of several wins."""
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        data: dict[str, Any] = {}
        for part in reversed(parts):
            if not isinstance(part, yaml.MappingNode):
                self._report(_place(node.start_mark), (*path, "<<"), "must be an alias of a mapping, or a list of them")
                return {}
            data.update(self.convert(part, path))
        return data


def resolve_plain(text: str) -> Any:
    """What unquoted text means: nothing, true or false, a number, or the text itself."""
    if text in _NULL:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if math.isfinite(number):
            return int(number) if number.is_integer() else number
    return text


def path_text(path: YamlPath) -> str:
    """A path as users write it: ``traffic.web.stages.0.target``."""
    return ".".join(str(part) for part in path)
