"""Writes the key tables of scenario-reference.md: ``python docs/generate_reference.py``, or ``--check`` to compare.

What stands between ``<!-- keys: Region -->`` and ``<!-- end -->`` is replaced by a table of that model's keys. Several
models, separated by commas, share one table. Types, defaults and meanings are those of the JSON Schema, which is made
from the models; profiles and sources are those of ``profiles``. All around the tables is written by hand.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import yaml

from lambdasim.scenario import profiles
from lambdasim.scenario.fields import Model
from lambdasim.scenario.json_schema import meaning, scenario_schema
from lambdasim.scenario.schema import Scenario

DOCS = Path(__file__).resolve().parent
PAGE = DOCS / "scenario-reference.md"
COMMAND = "python docs/generate_reference.py"

_BLOCK = re.compile(r"^<!-- keys: (?P<models>[^>\n]*) -->\n(?P<table>(?:(?!<!-- ).*\n)*)<!-- end -->$", re.MULTILINE)
_MARKER = re.compile(r"^<!-- (?:keys: .*|end) -->$", re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)

# The kinds of text that the section on units explains, by their names in the JSON Schema.
_KINDS = {
    "Time": "time",
    "PositiveTime": "time above 0",
    "Rate": "rate",
    "PositiveRate": "rate above 0",
    "WholeRate": "rate, a whole number per second",
    "Size": "size",
    "Bytes": "size",
    "Ratio": "share",
    "Distribution": "[distribution](#distributions)",
}
_PATTERNS = {
    r"^[A-Za-z0-9._-]+$": "letters, digits, `.` `_` `-`",
    r"^[a-z0-9-]+$": "lower-case letters, digits, `-`",
    r"\S": "path of a file",
}
# Sentences of a meaning that only name the unit, which here has a column of its own.
_UNIT_SENTENCE = re.compile(
    r" (?:A time|A whole number|A plain number(?: above 0|, \d+ to \d+)?|In percent"
    r"|A time,? or a distribution|A time, a distribution,? or unlimited)\.$"
)
_WITHOUT_IT = re.compile(r" Without it[,:]? (?P<default>[^.]+)\.")

# The limits of AWS that bound a key, beside the defaults of the profiles.
_LIMITS = {
    "Region.min_unreserved": profiles.MIN_UNRESERVED,
    "Function.memory": profiles.MEMORY_MB_MAX,
    "Function.ephemeral_storage": profiles.EPHEMERAL_MB_MAX,
    "Function.code_size": profiles.CODE_SIZE_MB_MAX,
}

_NONE = "none"
_HEADERS = ("Key", "Meaning", "Unit or values", "Default", "Other profiles", "Source")


def models_in(annotation: Any) -> Iterator[type[Model]]:
    """The models in a type."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)


def anchor_of(heading: str) -> str:
    """The anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def written(value: Any) -> str:
    """A value as a scenario has it, in YAML's flow style."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, str) and isinstance(yaml.safe_load(value), int) and value not in ("on", "off"):
        return f'"{value}"'
    return str(value)


def _names(models: str) -> list[str]:
    return [name.strip() for name in models.split(",")]


def _code(value: Any) -> str:
    return f"`{written(value)}`"


def _listed(parts: Sequence[str], last: str = " or ") -> str:
    """``a``, ``a or b``, ``a, b or c``."""
    return last.join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def _number(value: float) -> str:
    return "2^53 − 1" if value == 2**53 - 1 else f"{int(value) if value == int(value) else value:,}"


def _linked(source: str) -> str:
    """A source with short links: pages of AWS by their names, others by their hosts."""

    def link(match: re.Match[str]) -> str:
        url = match.group()
        host, _, path = url.partition("://")[2].partition("/")
        page = path.rstrip("/").rpartition("/")[2].removesuffix(".html")
        return f"[{page if host.endswith('aws.amazon.com') else host}]({url})"

    return re.sub(r"https?://[^\s;,()]+", link, source)


def _dated(source: str, date: str) -> str:
    return f"{_linked(source)}, read {date}" if date[0].isdigit() else f"{_linked(source)}, {date}"


@dataclass(slots=True)
class _Values:
    """What a key can be, sorted by how one speaks of it."""

    words: list[str] = field(default_factory=list)
    mappings: list[str] = field(default_factory=list)
    literals: list[str] = field(default_factory=list)
    is_zero_excluded: bool = False

    def text(self) -> str:
        words = [f"{word}, but not 0" if self.is_zero_excluded else word for word in self.words]
        if self.mappings:
            words.append(f"mapping: {_listed(self.mappings)}")
        if not words:
            return _listed(self.literals)
        if len(words) == 1 and len(self.literals) > 1:
            return f"{words[0]}, {_listed(self.literals)}"
        parts = [*words, _listed(self.literals)] if self.literals else words
        return (", or " if any("," in word for word in words) else " or ").join(parts)


class Reference:
    """The page, and everything that its tables are made from. ``problems`` are those of the page and of the models."""

    def __init__(self, text: str) -> None:
        self.problems: list[str] = []
        self._text = text
        self._schema = scenario_schema()
        self._models: dict[str, type[Model]] = {}
        self._parent_key: dict[str, str] = {}
        self._walk(Scenario)
        self._rows = {self._place_of(row.path): row for row in profiles.PROFILE_TABLE}
        self._assumptions = (DOCS / "assumptions.md").read_text(encoding="utf-8")
        self._links = self._find_links()

    def page(self) -> str:
        """The page with every table made anew."""
        blocks = list(_BLOCK.finditer(self._text))
        names = [name for block in blocks for name in _names(block["models"])]
        if 2 * len(blocks) != len(_MARKER.findall(self._text)):
            self.problems.append("the markers <!-- keys: ... --> and <!-- end --> do not pair up")
        self.problems += [f"{name} has {count} tables" for name, count in Counter(names).items() if count > 1]
        self.problems += [
            f"{name} has no table: add the lines <!-- keys: {name} --> and <!-- end --> under a heading for it"
            for name in self._models
            if name not in names and self._properties(name)
        ]
        return _BLOCK.sub(self._block, self._text)

    def _walk(self, model: type[Model]) -> None:
        self._models[model.__name__] = model
        for key, info in model.model_fields.items():
            for inner in models_in(info.annotation):
                self._parent_key.setdefault(inner.__name__, key)
                if inner.__name__ not in self._models:
                    self._walk(inner)

    def _place_of(self, path: str) -> str:
        """``Model.key`` of a path such as ``functions.*.init``."""
        *way, key = [part for part in path.split(".") if part != "*"]
        model: type[Model] = Scenario
        for part in way:
            model = next(models_in(model.model_fields[part].annotation))
        if key not in model.model_fields:
            self.problems.append(f"profiles: there is no key {path}")
        return f"{model.__name__}.{key}"

    def _find_links(self) -> dict[str, str]:
        """A link to the heading above the table of each model."""
        found = {}
        link, seen = "", Counter[str]()
        for line in _FENCED.sub("", self._text).splitlines():
            if match := re.match(r"#+ (.+)", line):
                heading = match.group(1).replace("`", "").strip()
                anchor = anchor_of(heading)
                link = f"[{heading}](#{anchor}-{seen[anchor]})" if seen[anchor] else f"[{heading}](#{anchor})"
                seen[anchor] += 1
            elif match := re.match(r"<!-- keys: (.*) -->", line):
                found.update(dict.fromkeys(_names(match.group(1)), link))
        return found

    def _definition(self, name: str) -> dict[str, Any]:
        root = {key: value for key, value in self._schema.items() if key != "definitions"}
        definition: dict[str, Any] = root if name == "Scenario" else self._schema["definitions"].get(name, {})
        return definition

    def _objects(self, name: str) -> list[dict[str, Any]]:
        """The mappings that a model can be written as: one, but for the parts of a mixture."""
        definition = self._definition(name)
        forms = [definition] if "properties" in definition else definition.get("anyOf", ())
        return [form for form in forms if "properties" in form]

    def _properties(self, name: str) -> dict[str, dict[str, Any]]:
        """The keys of a model that can be written, each with its schema; none where it is no mapping."""
        found = {key: schema for part in self._objects(name) for key, schema in part["properties"].items()}
        return {key: found[key] for key in self._models[name].model_fields if key in found}

    def _block(self, block: re.Match[str]) -> str:
        names = _names(block["models"])
        unknown = [name for name in names if name not in self._models or not self._properties(name)]
        if unknown:
            self.problems += [f"<!-- keys: {name} --> names no model with keys of its own" for name in unknown]
            return block.group()
        # Models under one key share the rows of keys that mean the same; under several keys, these are told apart.
        placed = dict.fromkeys(
            (self._parent_key.get(name, ""), f"`{key}`", *self._cells(name, key))
            for name in names
            for key in self._properties(name)
        )
        rows = [row for _, *row in placed]
        if len({key for key, *_ in rows}) < len(rows):
            rows = [[f"`{parent}.{key[1:]}", *cells] for parent, key, *cells in placed]
        if len({key for key, *_ in rows}) < len(rows):
            self.problems.append(f"{block['models']}: keys of one name mean different things: use several tables")
        if len(names) == len(rows) > 1:  # alternatives: of each the one key is required
            rows = [[*row[:3], "", *row[4:]] for row in rows]
        return f"<!-- keys: {block['models']} -->\n{_table(rows)}<!-- end -->"

    def _cells(self, name: str, key: str) -> tuple[str, ...]:
        place = f"{name}.{key}"
        schema = self._properties(name)[key]
        said = meaning(self._models[name], key)
        if not said:
            self.problems.append(f"{place} has no meaning: add it to MEANINGS in lambdasim/scenario/meanings.py")
        without_it = _WITHOUT_IT.search(said)
        said = _UNIT_SENTENCE.sub("", _WITHOUT_IT.sub("", said))
        default = without_it["default"] if without_it else self._default(name, key)
        return (
            re.sub(r"([|*<])", r"\\\1", said),
            self._values(schema, place).text(),
            default,
            self._other_profiles(place),
            self._source(place),
        )

    def _values(self, schema: dict[str, Any], place: str) -> _Values:
        values = _Values()
        self._collect(schema, values, place)
        return values

    def _collect(self, schema: dict[str, Any], values: _Values, place: str) -> None:
        """Adds all that a schema allows to ``values``."""
        values.is_zero_excluded |= schema.get("not") == {"$ref": "#/definitions/NoTime"}
        if "$ref" in schema:
            self._collect_definition(schema["$ref"].rpartition("/")[2], values, place)
            return
        if choices := [*schema.get("enum", ()), *([schema["const"]] if "const" in schema else ())]:
            values.literals += [code for code in map(_code, choices) if code not in values.literals]
            return
        parts = [*schema.get("allOf", ()), *schema.get("anyOf", ())]
        for part in parts:
            self._collect(part, values, place)
        kind = schema.get("type")
        if kind == "array":
            values.words.append(self._list(schema, place))
        elif kind == "object":
            inner = schema.get("additionalProperties")
            of = self._values(inner, place).text().removeprefix("mapping: ") if isinstance(inner, dict) else ""
            name = "percentile" if place == "Quantiles.quantiles" else "name"
            values.words.append(f"mapping by {name}: {of}" if of else "mapping")
        elif kind in ("integer", "number"):
            values.words.append(_range("whole number" if kind == "integer" else "number", schema))
        elif kind == "string":
            values.words.append(_text(schema))
        elif kind == "boolean":
            values.literals += ["`true`", "`false`"]
        elif schema.keys() <= {"description", "default"}:
            values.words.append("anything")
        elif kind != "null" and not parts:
            self.problems.append(f"{place}: cannot say in words what {schema} allows")

    def _collect_definition(self, name: str, values: _Values, place: str) -> None:
        definition = self._definition(name)
        if name in _KINDS:
            values.words.append(_KINDS[name])
        elif name in self._models and self._properties(name):
            link = self._links.get(name, name)
            if link not in values.mappings:
                values.mappings.append(link)
            if "properties" not in definition:  # what it can be written as beside a mapping
                for form in definition["anyOf"]:
                    if "properties" not in form:
                        self._collect(form, values, place)
        else:
            self._collect(definition, values, place)

    def _list(self, schema: dict[str, Any], place: str) -> str:
        item = self._values(schema["items"], place).text()
        count = (
            f"{schema['minItems']} " if "minItems" in schema and schema["minItems"] == schema.get("maxItems") else ""
        )
        plural = re.sub(r"^(time|rate|size|mapping|whole number|number)\b", r"\1s", item)
        return f"list of {count}{plural}" if plural != item else f"list, each {item}"

    def _default(self, name: str, key: str) -> str:
        schema = self._properties(name)[key]
        if all(key in part.get("required", ()) for part in self._objects(name)):
            return "required"
        if schema.get("default") not in (None, [], {}):
            return _code(schema["default"])
        info = self._models[name].model_fields[key]
        if info.is_required() or isinstance(info.default, Model):
            return "the defaults of its keys"
        return _NONE

    def _other_profiles(self, place: str) -> str:
        if place not in self._rows:
            return ""
        row = self._rows[place]
        by_value: dict[str, list[str]] = {}
        for profile in profiles.PROFILE_NAMES:
            if row.values[profile] != row.values[profiles.DEFAULT_PROFILE]:
                by_value.setdefault(_code(row.values[profile]), []).append(_code(profile))
        return "; ".join(f"{value} in {_listed(names, ' and ')}" for value, names in by_value.items())

    def _source(self, place: str) -> str:
        if place in self._rows:
            row = self._rows[place]
            if row.published:
                return _dated(row.source, row.read)
            link = f"assumptions.md#{self._assumption(row.path)}"
            if choice := re.match(r"a (?:modelling choice|choice of this project)", row.source):
                return f"[{choice.group()}]({link}){_linked(row.source[choice.end() :])} ({row.read})"
            return f"[a modelling choice]({link}), after {_dated(row.source, row.read)}"
        if place in _LIMITS:
            return _dated(_LIMITS[place].source, _LIMITS[place].read)
        return ""

    def _assumption(self, path: str) -> str:
        """The anchor of the section of assumptions.md on a key; best is the one that names it first."""
        sections = re.split(r"^### ", self._assumptions, flags=re.MULTILINE)[1:]
        ranked = []
        for section in sections:
            keys = re.findall(r"`([^`]+)`", section.partition("- **Key**")[2].partition("\n- **")[0])
            if path in keys:
                ranked.append((keys.index(path), anchor_of(section.partition("\n")[0])))
        if not ranked:
            self.problems.append(f"assumptions.md has no section with the key {path}")
        return min(ranked, default=(0, ""), key=lambda found: found[0])[1]


def _range(kind: str, schema: dict[str, Any]) -> str:
    least, above, most = (schema.get(bound) for bound in ("minimum", "exclusiveMinimum", "maximum"))
    if above is not None:
        return f"{kind} above {_number(above)}" + (f", to {_number(most)}" if most is not None else "")
    if least is not None and most is not None:
        return f"{kind}, {_number(least)} to {_number(most)}"
    if least is not None:
        return f"{kind}, at least {_number(least)}"
    return kind if most is None else f"{kind}, at most {_number(most)}"


def _text(schema: dict[str, Any]) -> str:
    kind = _PATTERNS.get(schema.get("pattern", ""), "text")
    if "maxLength" in schema:
        kind = f"at most {schema['maxLength']} {'characters' if kind == 'text' else kind}"
    if "examples" in schema:
        kind += f" such as {_listed([_code(example) for example in schema['examples']])}"
    return kind


def _table(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, without the columns in which nothing stands."""
    columns = [i for i in range(len(_HEADERS)) if {row[i] for row in rows} - {"", _NONE}]
    lines = [[_HEADERS[i] for i in columns], *([row[i] for i in columns] for row in rows)]
    head, *body = [f"| {' | '.join(line)} |\n".replace("|  |", "| |") for line in lines]
    return "".join((head, "|" + "---|" * len(columns) + "\n", *body))


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the page, or with ``--check`` says whether it is current. The exit status is 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Makes the key tables of docs/scenario-reference.md.")
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    is_check = parser.parse_args(arguments).check
    text = PAGE.read_text(encoding="utf-8")
    reference = Reference(text)
    page = reference.page()
    problems = reference.problems
    if is_check and page != text:
        problems = [*problems, f"not current; run {COMMAND}"]
    elif page != text:
        PAGE.write_text(page, encoding="utf-8")
    for problem in problems:
        print(f"{PAGE.name}: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
