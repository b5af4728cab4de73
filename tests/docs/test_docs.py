"""The documentation says what is true: examples run and print what is shown, links resolve, nothing is missing."""

from __future__ import annotations

import contextlib
import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import lambdasim as ls
from lambdasim.cli import main
from lambdasim.metrics.cloudwatch import cloudwatch_metrics
from lambdasim.metrics.metric_rows import MetricRow
from lambdasim.metrics.outcomes import Outcome
from lambdasim.platform.concurrency import AWS_REASON, ThrottleReason
from lambdasim.report.pictures import PICTURES
from lambdasim.scenario.front_end import ANSWERS
from lambdasim.scenario.profiles import PROFILE_TABLE
from lambdasim.scenario.sdk_retries import SDK_RETRIES, Failure
from tests.docs.pages import (
    DOCS,
    PAGES,
    ROOT,
    Block,
    anchors_of,
    blocks_of,
    code_words,
    commands_in,
    is_full_scenario,
    links_of,
    prose_of,
    squeezed,
    text_of,
)

PAGES_ASKED_FOR = {
    "README.md",
    "assumptions.md",
    "command-line.md",
    "files.md",
    "glossary.md",
    "how-a-message-travels.md",
    "how-an-event-travels.md",
    "how-much-provisioned-concurrency.md",
    "how-to.md",
    "lessons.md",
    "model.md",
    "queueing.md",
    "raise-or-reserve.md",
    "retry-policy.md",
    "scenario-reference.md",
    "validation.md",
    "what-callers-see.md",
    "why-simpy.md",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder that holds the scenarios of the repository."""
    shutil.copytree(ROOT / "scenarios", tmp_path / "scenarios")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def status_of(arguments: tuple[str, ...]) -> int:
    """The exit status of a command; --help ends it in argparse's own way."""
    try:
        return main(arguments)
    except SystemExit as ending:
        return int(ending.code or 0)


def run_blocks(page: str) -> Iterator[tuple[Block, str]]:
    """Runs a page from top to bottom in the current folder; each runnable block with what it printed."""
    names: dict[str, Any] = {}
    for block in blocks_of(page):
        if block.file:
            Path(block.file).write_text(block.text, encoding="utf-8")
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            for command in commands_in(block):
                status = status_of(command.arguments)
                assert status == command.status, f"{page}:{block.line} {command.arguments}"
            if block.language == "python":
                exec(compile(block.text, f"{page}:{block.line}", "exec"), names)
        yield block, printed.getvalue()


def test_every_page_is_there() -> None:
    """Each page that was asked for, and no other that the tests would not know."""
    assert set(PAGES) == PAGES_ASKED_FOR


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_run_and_print_what_it_shows(page: str, folder: Path) -> None:
    """Commands and Python in order; every line of a text block is in the output of the block before it."""
    before = ""
    for block, printed in run_blocks(page):
        if block.language == "text":
            for line in block.text.splitlines():
                assert squeezed(line) in squeezed(before), f"{page}:{block.line} shows what was not printed: {line}"
        before = printed


@pytest.mark.parametrize("page", PAGES)
def test_every_full_scenario_of_a_page_loads(page: str, folder: Path) -> None:
    """Without an error or a warning."""
    for number, block in enumerate(blocks_of(page)):
        if block.file:
            Path(block.file).write_text(block.text, encoding="utf-8")
        if is_full_scenario(block):
            file = folder / f"block-{number}.yaml"
            file.write_text(block.text, encoding="utf-8")
            assert ls.load(file).functions


def test_there_is_something_to_run() -> None:
    """An empty harvest would let everything above pass."""
    blocks = [block for page in PAGES for block in blocks_of(page)]
    assert sum(len(commands_in(block)) for block in blocks) >= 20
    assert sum(block.language == "python" for block in blocks) >= 8
    assert sum(block.language == "text" for block in blocks) >= 10
    assert sum(is_full_scenario(block) for block in blocks) >= 6


@pytest.mark.parametrize("page", PAGES)
def test_every_fenced_block_is_understood(page: str) -> None:
    """Opening and closing fences pair up, and each block has a language that the tests know."""
    assert len(re.findall(r"^```", text_of(page), re.MULTILINE)) == 2 * len(blocks_of(page))
    assert {block.language for block in blocks_of(page)} <= {"yaml", "csv", "sh", "text", "python"}


@pytest.mark.parametrize("page", PAGES)
def test_links_and_anchors_resolve(page: str) -> None:
    """Relative links lead to a file of the repository, and their anchors to a heading."""
    for target in links_of(page):
        file, _, anchor = target.partition("#")
        path = DOCS / (file or page)
        assert path.is_file(), target
        assert not anchor or anchor in anchors_of(path.name), target


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_in_the_index(page: str) -> None:
    """README.md links to all others."""
    assert page == "README.md" or page in links_of("README.md")


@pytest.mark.parametrize("page", PAGES)
def test_files_that_a_page_names_exist(page: str) -> None:
    """Paths into the repository, written as code."""
    for word in code_words(page):
        if re.match(r"(tests|lambdasim|scenarios|docs)/", word):
            assert (ROOT / word).exists(), word


def test_assumptions_hold_every_value_that_aws_does_not_publish() -> None:
    """By the key of the profile table."""
    words = code_words("assumptions.md")
    assert {row.path for row in PROFILE_TABLE if not row.published} <= words


def test_assumptions_list_every_marked_place_in_the_code() -> None:
    """Each file of the package with a MODEL: mark stands in the table."""
    table = text_of("assumptions.md").partition("## Where in the code")[2]
    listed = set(re.findall(r"^\| `(lambdasim/[^`]+)` \|", table, re.MULTILINE))
    marked = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "lambdasim").rglob("*.py")
        if re.search(r"\bMODEL: ", path.read_text(encoding="utf-8"))
    }
    assert marked <= listed


def test_every_assumption_says_what_and_how_to_change_it() -> None:
    """What lambdasim does, the key that changes it, and what another choice would change."""
    sections = re.split(r"^### ", text_of("assumptions.md"), flags=re.MULTILINE)[1:]
    assert len(sections) >= 25
    for section in sections:
        title, body = section.split("\n", 1)
        assert "- **lambdasim**" in body, title
        assert "- **Key**" in body, title
        assert "- **Another choice**" in body, title


def test_reasons_and_outcomes_are_explained() -> None:
    """In files.md and in the glossary, with AWS's names."""
    for page in ("files.md", "glossary.md"):
        words = code_words(page)
        assert {reason.key for reason in ThrottleReason} <= words
        assert set(AWS_REASON.values()) <= words
        assert {outcome.key for outcome in Outcome} <= words


@pytest.fixture(scope="module")
def result() -> ls.Result:
    """A run with a cold start, throttles and an error."""
    return ls.simulate(
        {
            "duration": "3s",
            "region": {"concurrency_quota": 1, "min_unreserved": 0},
            "functions": {"f": {"duration": "300ms", "init": "100ms", "errors": {"rate": "50%"}}},
            "traffic": {"t": {"function": "f", "rate": "9/s"}},
        },
        seed=1,
    )


@pytest.mark.parametrize("table", ["requests", "attempts", "environments"])
def test_every_column_of_a_table_is_explained(result: ls.Result, table: str) -> None:
    """In the section of files.md on that file."""
    section = text_of("files.md").partition(f"## {table}.csv\n")[2].partition("\n## ")[0]
    assert set(getattr(result, table).dtype.names) <= set(re.findall(r"`([a-z_]+)`", section))


def test_every_metric_and_its_columns_are_explained(result: ls.Result) -> None:
    """CloudWatch's names and the columns of metrics.csv."""
    section = text_of("files.md").partition("## metrics.csv\n")[2].partition("\n## ")[0]
    words = set(re.findall(r"`(\w+)`", section))
    columns = {name.replace("_ns", "_s") for name in MetricRow.__dataclass_fields__}
    assert columns <= words
    assert {row.metric for row in cloudwatch_metrics(result.log, 10**9, result.scenario.limits_in_force())} <= words


def test_every_key_of_the_summary_is_explained(result: ls.Result) -> None:
    """Block by block; those of a function are those of the whole."""
    words = code_words("files.md")
    for block, content in result.summary.items():
        if block in ("functions", "slo"):
            assert block in words
        elif block == "responses":
            assert {"responses.200", "responses.none"} <= words
        else:
            assert {f"{block}.{key}" for key in content} <= words


def test_every_picture_is_listed() -> None:
    """As a file and as a method."""
    words = code_words("files.md")
    assert {f"{name}.png" for name in PICTURES} <= words
    assert {f"{name}()" for name in PICTURES} <= words


@pytest.mark.parametrize("page", PAGES)
def test_no_page_depends_on_where_it_was_written(page: str) -> None:
    """No absolute paths; lines end plainly."""
    assert not re.search(r"(?<![\w.:/])/(work|home|tmp|Users)/", text_of(page))
    assert not re.search(r"[ \t]+$", text_of(page), re.MULTILINE)


def rows_of(page: str, first_cell: str) -> list[list[str]]:
    """Cells of the rows of a page whose first cell names ``first_cell``."""
    lines = [line for line in prose_of(page).splitlines() if line.startswith("|") and first_cell in line.split("|")[1]]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize("preset", sorted(SDK_RETRIES))
def test_the_model_page_says_what_each_sdk_does(preset: str) -> None:
    """Attempts, the greatest delays after each kind of failure, and what retries cost."""
    ((_, attempts, throttled, other, costs),) = rows_of("model.md", f"`{preset}`")
    sdk = SDK_RETRIES[preset]
    assert int(attempts) == sdk.max_attempts

    def greatest(failure: Failure) -> str:
        longest = sdk.cap_ns or 10**18
        delays = [min(longest, sdk.base_ns(failure) << retry) for retry in range(sdk.max_attempts - 1)]
        if all(delay % 10**9 == 0 for delay in delays):
            return f"{', '.join(str(delay // 10**9) for delay in delays)} s"
        return f"{', '.join(f'{delay // 10**6:,}' for delay in delays)} ms"

    assert throttled == greatest(Failure.THROTTLED)
    if other == "the same":
        assert sdk.throttle_base_ns == sdk.other_base_ns
    else:
        assert other == greatest(Failure.NO_ANSWER)
    assert costs == ("nothing" if sdk.quota is None else ", ".join(map(str, sdk.quota.costs)))


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_the_model_page_says_what_each_front_end_answers(name: str) -> None:
    """Statuses, and how long it waits."""
    ((_, throttle, error, waits),) = rows_of("model.md", f"`{name}`")
    answers = ANSWERS[name]
    assert (int(throttle), int(error)) == (answers.throttle, answers.error)
    expected = "never" if answers.timeout_ns is None else f"{answers.timeout} after {answers.timeout_ns // 10**9} s"
    assert waits == expected
