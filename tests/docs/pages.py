"""The pages of the documentation, taken apart: fenced blocks, links, anchors, tables."""

from __future__ import annotations

import importlib.util
import re
import shlex
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import yaml

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
# Made for Sphinx: they have directives, which GitHub shows as they are written.
SITE_ONLY = {"api.md", "index.md"}
PAGES = sorted(page.name for page in DOCS.glob("*.md") if page.name not in SITE_ONLY)

_FENCE = re.compile(r"^```([a-z]*)[ ]?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_STATUS = re.compile(r"#\s*exit status (\d+)\s*$")
_COMMAND = "python -m lambdasim"
_WITHOUT_FILES = ("validate", "schema", "estimate", "shape", "check-setup", "--version")  # these do not know --no-files


def module_of(path: Path) -> ModuleType:
    """A script as a module, anew: what it would do as a program is not done."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block: its language, the file that it stands for if it names one, its text and its line."""

    language: str
    file: str
    text: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """The arguments of one command line, without writing files, and the exit status that the page promises."""

    arguments: tuple[str, ...]
    status: int


def text_of(page: str) -> str:
    """The text of a page."""
    return (DOCS / page).read_text(encoding="utf-8")


def blocks_of(page: str) -> list[Block]:
    """Every fenced block of a page, in order."""
    text = text_of(page)
    return [
        Block(
            language=match.group(1),
            file=match.group(2),
            text=match.group(3),
            line=text.count("\n", 0, match.start()) + 1,
        )
        for match in _FENCE.finditer(text)
    ]


def prose_of(page: str) -> str:
    """The text of a page without its fenced blocks."""
    return _FENCE.sub("", text_of(page))


def is_full_scenario(block: Block) -> bool:
    """Whether a block holds a whole scenario, not a piece of one."""
    if block.language != "yaml":
        return False
    data = yaml.safe_load(block.text)
    return isinstance(data, dict) and {"functions", "traffic"} <= data.keys()


def commands_in(block: Block) -> list[Command]:
    """Every command line of a block. A run writes no files, and what the shell would redirect is left out."""
    commands: list[Command] = []
    if block.language == "text":  # output, which may show commands
        return commands
    for line in block.text.splitlines():
        if line.strip().startswith(_COMMAND):
            status = _STATUS.search(line)
            words = shlex.split(line.strip().removeprefix(_COMMAND), comments=True)
            if ">" in words:
                words = words[: words.index(">")]
            if words[0] not in _WITHOUT_FILES and "--no-files" not in words:
                words.append("--no-files")
            commands.append(Command(arguments=tuple(words), status=int(status.group(1)) if status else 0))
    return commands


def links_of(page: str) -> list[str]:
    """The targets of all links that stay inside the documentation."""
    return [target for target in _LINK.findall(prose_of(page)) if "://" not in target]


def anchors_of(page: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them: a second one of a name gets -1."""
    seen: Counter[str] = Counter()
    anchors = set()
    for heading in _HEADING.findall(prose_of(page)):
        plain = heading.replace("`", "").strip().lower()
        anchor = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        anchors.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return anchors


def code_words(page: str) -> set[str]:
    """Everything that stands between backticks outside of blocks."""
    return set(re.findall(r"`([^`\n]+)`", prose_of(page)))


def squeezed(text: str) -> str:
    """The text with every stretch of white space as one blank, so that tables and wrapped lines can be compared."""
    return " ".join(text.split())
