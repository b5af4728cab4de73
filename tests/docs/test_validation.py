"""The figures of validation.md: current, complete, equal to theory, and far from every mutant.

Each statistical test holds what it finds against the stored figures (``tests/statistical/conftest.py``), so nothing is
simulated here.
"""

from __future__ import annotations

import ast
import math
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lambdasim import theory
from tests.docs.pages import DOCS, ROOT, module_of, text_of
from tests.statistical import comparison, conftest
from tests.statistical.comparison import Comparison, Figures
from tests.statistical.z_score import AGREES, DIFFERS, distance, kept, z_score

PAGE = "validation.md"
FOLDER = ROOT / "tests" / "statistical"

# Mutants that show less: what is compared starts with this.
SHOW_LESS = ("share of time with at most", "refused shares of two pools, product")


@pytest.fixture(scope="module")
def maker() -> Any:
    """The script docs/make_validation.py as a module."""
    return module_of(DOCS / "make_validation.py")


@pytest.fixture(scope="module")
def figures() -> Figures:
    """The stored comparisons."""
    return comparison.read()


def one(z: float = 1.0, **words: Any) -> Comparison:
    """A comparison whose mean lies so many standard errors from 10."""
    plain: dict[str, Any] = {"what": "wait", "part": "", "unit": "s", "mutant": ""}
    return Comparison(**{**plain, **words}, expected=10.0, mean=10.0 + z * 0.05, standard_error=0.05, count=20)


def plain(text: str) -> str:
    """With blanks at which a line may break."""
    return text.replace("\N{NO-BREAK SPACE}", " ")


def test_the_page_is_made_of_the_stored_figures(maker: Any) -> None:
    """Tables and sentences; else python docs/make_validation.py."""
    assert maker.main(["--check"]) == 0


def test_the_picture_is_made_of_the_stored_figures(maker: Any) -> None:
    """It says of which ones it was made."""
    assert f"Comment\0{maker.digest()}".encode("latin-1") in maker.PICTURE.read_bytes()
    assert f"(images/{maker.PICTURE.name})" in text_of(PAGE)


def functions_that_compare(file: Path) -> set[str]:
    """The names of the tests of a file that call ``z_score``, by themselves or by a function of the file."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    called = {
        name: {
            node.func.id for node in ast.walk(body) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        for name, body in functions.items()
    }
    comparing = {"z_score"}
    while more := {name for name, calls in called.items() if calls & comparing} - comparing:
        comparing |= more
    return {name for name in comparing if name.startswith("test_")}


def test_every_test_that_compares_is_shown_and_no_other(maker: Any, figures: Figures) -> None:
    """Each case of a parametrized test by itself, and each file with a topic."""
    listing = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--collect-only", "-p", "no:cacheprovider", str(FOLDER)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    tests = {line.removeprefix("tests/statistical/") for line in listing.splitlines() if "::" in line}
    comparing = {file.name: functions_that_compare(file) for file in FOLDER.glob("test_*.py")}
    assert sum(map(len, comparing.values())) >= 30
    expected = {
        test for test in tests if test.rpartition("::")[2].partition("[")[0] in comparing[test.partition("::")[0]]
    }
    assert set(figures.by_test) == expected
    assert set(maker.TOPICS) == {file for file, names in comparing.items() if names}


def test_every_row_agrees_and_has_mutants_that_do_not(maker: Any, figures: Figures) -> None:
    """Nothing is shown that could not have failed."""
    rows = [row for topic in maker.topics_of(figures.by_test) for row in topic.rows]
    assert len(rows) >= 100
    for row in rows:
        assert row.ideals, row.what
        assert row.mutants, row.what
        assert abs(row.farthest.z) < AGREES
        least = AGREES if row.what.startswith(SHOW_LESS) else DIFFERS
        assert all(abs(mutant.z) > least for mutant in row.nearest_mutants), row.what


USERS = {"mean_think_s": 2.0, "mean_service_s": 1.5}
BY_FORMULA = {
    "refused share, reservation of 10 at load 8, lognormal durations": ("%", theory.erlang_b(10, 8)),
    "refused share, quota of 10 at load 8": ("%", theory.erlang_b(10, 8)),
    "refused share of three pools: 3 units at load 1.5": ("%", theory.erlang_b(3, 1.5)),
    "share that spills over 9 units at load 8, exponential durations": ("%", theory.erlang_b(9, 8)),
    "share of the messages that wait": ("%", theory.erlang_c(8, 6)),
    "wait of a message, mean": (" s", theory.mean_wait_s(8, 6, 1.0)),
    "refused share, 20 users on 8 units, constant work": ("%", theory.engset_call_congestion(20, 8, **USERS)),
    "attempts per second, constant work": ("/s", theory.engset_attempt_rate(20, 8, **USERS)),
    "requests in flight at load 10, variance, uniform durations": ("", 10.0),
    "cold-start ratio, idle timeout 1 s": ("%", math.exp(-0.8)),
    "requests between two attempts, mean": ("", theory.mean_in_orbit(0.5, 1.0, 2.0)),
    "attempts that are refused": ("%", theory.attempt_blocking(0.5, 1.0, 2.0)),
    "all delays of a request, mean, boto3-legacy": (" s", 7.5),
    "gamma with cv 0.71, requests in 10 s, variance": ("", theory.erlang_2_count_variance(10)),
    "MMPP, requests in 20 s, variance": ("", theory.mmpp_count_variance((2.0, 20.0), (50.0, 10.0), 20)),
}


@pytest.mark.parametrize("what", list(BY_FORMULA))
def test_the_page_shows_what_theory_says(what: str) -> None:
    """To the last digit that it shows."""
    (cell,) = re.findall(rf"^\| {re.escape(what)} \| [^|]+ \| ([^|]+) \|", plain(text_of(PAGE)), re.MULTILINE)
    unit, expected = BY_FORMULA[what]
    number = cell.removesuffix(" %" if unit == "%" else unit)
    decimals = len(number.partition(".")[2])
    assert number == f"{100 * expected if unit == '%' else expected:,.{decimals}f}"
    assert sum(digit.isdigit() for digit in number) >= 3


def test_files_in_the_tables_stand_in_the_folder_of_their_column() -> None:
    """Where the heading of the last column names a folder, its cells name files in it."""
    tables = re.findall(r"^\|.*\| In `(tests/\w+/)` \|\n\|[-|]+\|\n((?:\|.*\n)+)", text_of(PAGE), re.MULTILINE)
    assert [folder for folder, _ in tables] == ["tests/properties/", "tests/statistical/"]
    for folder, rows in tables:
        for row in rows.splitlines():
            (file,) = re.findall(r"`(\w+\.py)` \|$", row)
            assert (ROOT / folder / file).is_file(), file


class TestRows:
    """How comparisons become a row."""

    def test_several_comparisons_show_the_farthest_and_the_nearest_mutant(self, maker: Any) -> None:
        """Of each kind of mutant, whatever its sign."""
        made = [
            one(0.5, part="first"),
            one(-2.0, part="second"),
            *(one(z, part="second", mutant="longer") for z in (30.0, 7.04)),
            one(-123.4, mutant="shorter"),
        ]
        topic = next(t for t in maker.topics_of({"test_waiting.py::test_a": made}) if t.rows)
        assert topic.name == "Erlang C: messages that wait"
        what = "wait (second, the farthest of 2)"
        assert plain(maker.line_of(topic.rows[0])) == (
            f"| {what} | 9.900 ± 0.050 s (20) | 10.000 s | −2.0 | longer: +7.0; shorter: −123 |\n"
        )

    def test_comparisons_of_several_tests_share_a_row(self, maker: Any) -> None:
        """By what is compared, within one file."""
        by_test = {
            "test_waiting.py::a": [one()],
            "test_waiting.py::b": [one(9, mutant="m")],
            "test_retries.py::a": [one()],
        }
        rows = {topic.name: topic.rows for topic in maker.topics_of(by_test) if topic.rows}
        assert {name: len(some) for name, some in rows.items()} == {
            "Erlang C: messages that wait": 1,
            "Retrial queue, jitter": 1,
        }

    @pytest.mark.parametrize(
        ("changed", "cells"),
        [
            (
                {"unit": "%", "expected": 0.12166, "mean": 0.123, "standard_error": 0.00134},
                "12.30 ± 0.13 % (20) | 12.17 %",
            ),
            ({"unit": "/s", "expected": 8.0, "mean": 8.25, "standard_error": 0.25}, "8.25 ± 0.25/s (20) | 8.00/s"),
            ({"unit": "", "expected": 0.0, "mean": -0.004, "standard_error": 0.9}, "0.00 ± 0.90 (20) | 0.00"),
            (
                {"unit": "", "expected": 70_000.0, "mean": 69_000.0, "standard_error": 1234.0},
                "69,000 ± 1,234 (20) | 70,000",
            ),
            ({"unit": "", "expected": -1.0, "mean": -1.5, "standard_error": 0.0}, "−1.50 ± 0.00 (20) | −1.00"),
        ],
    )
    def test_figures_have_the_digits_that_their_error_leaves(
        self, maker: Any, changed: dict[str, Any], cells: str
    ) -> None:
        """Two of the standard error, and no more of the value."""
        made = replace(one(), **changed)
        assert f"| {cells} |" in plain(maker.line_of(maker.Row(what="x", ideals=(made,), mutants=())))

    def test_a_mutant_that_never_varies_is_infinitely_far(self, maker: Any) -> None:
        """On its side."""
        never = replace(one(mutant="m"), mean=9.0, standard_error=0.0)
        assert "| m: −∞ |" in plain(maker.line_of(maker.Row(what="x", ideals=(one(),), mutants=(never,))))


class TestFile:
    """The stored figures."""

    def test_writing_what_was_read_changes_nothing(
        self, figures: Figures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Byte by byte."""
        before = comparison.FILE.read_bytes()
        monkeypatch.setattr(comparison, "FILE", tmp_path / "figures.csv")
        comparison.write(figures)
        assert comparison.FILE.read_bytes() == before
        assert comparison.read() == figures

    def test_the_last_bits_do_not_matter_but_what_is_shown_does(self) -> None:
        """A twentieth of a standard error is let through, and not a tenth; words and numbers of values are exact."""
        shown = {"t": [one(1.0)]}
        assert comparison.difference(shown, "t", [one(1.04)]) == ""
        for other in (one(1.1), one(1.0, what="waits"), replace(one(), expected=10.001), replace(one(), count=21)):
            assert "docs/validation.md was made with" in comparison.difference(shown, "t", [other])
        assert comparison.difference(shown, "t", [one(2.0, part="first", mutant="longer")]) == (
            "docs/validation.md was made with [wait: 10.05 ± 0.05 of 20 values, 10 by formula], "
            "and now it is [wait, first, mutant longer: 10.1 ± 0.05 of 20 values, 10 by formula]"
        )
        assert "compares 2 times" in comparison.difference(shown, "t", [one(), one()])
        assert "docs/validation.md was made with 0" in comparison.difference(shown, "new", [one()])

    def test_figures_are_the_same_only_test_by_test(self, figures: Figures) -> None:
        """A test that is gone is a difference, and so is a new one."""
        assert figures.are_as(figures.by_test)
        first, *others = figures.by_test
        assert not figures.are_as({test: figures.by_test[test] for test in others})
        assert not figures.are_as({**figures.by_test, "new": [one()]})
        assert not figures.are_as({**figures.by_test, first: [one()]})


class TestKeeping:
    """What happens around each statistical test."""

    def finish(self, test: str, *made: Comparison, stash: dict[Any, Any] | None = None) -> None:
        """A test of this name that compares so, with what stands around it."""
        file, _, name = test.partition("::")
        item: Any = SimpleNamespace(
            path=FOLDER / file, nodeid=f"tests/statistical/{file}::{name}", config=SimpleNamespace(stash=stash or {})
        )
        around = conftest.pytest_runtest_call(item)
        next(around)
        kept.extend(made)
        with pytest.raises(StopIteration):
            next(around)

    def test_a_test_with_other_figures_fails(self, figures: Figures) -> None:
        """Even though it agrees with theory; the same figures pass."""
        test, made = next(iter(figures.by_test.items()))
        self.finish(test, *made)
        moved = replace(made[0], mean=made[0].mean + made[0].standard_error / 2)
        with pytest.raises(pytest.fail.Exception, match=r"python docs/make_validation\.py"):
            self.finish(test, moved, *made[1:])

    def test_the_command_gathers_instead(self) -> None:
        """Whatever is stored."""
        gathered: dict[str, list[Comparison]] = {}
        self.finish("test_new.py::test_a[1]", one(), stash={conftest.GATHERED: gathered})
        assert gathered == {"test_new.py::test_a[1]": [one()]}

    def test_only_the_z_score_is_kept(self) -> None:
        """With its words; a distance only looks."""
        kept.clear()
        assert distance([1.0, 3.0], 0.0) == pytest.approx(2.0)
        assert z_score([1.0, 3.0], 3.0, "wait", part="first", unit="s", mutant="m") == pytest.approx(-1.0)
        assert z_score([2.0, 2.0], 2.0, "wait") == 0.0
        assert z_score([2.0, 2.0], 3.0, "wait") == -math.inf
        assert [(made.what, made.part, made.mean, made.count) for made in kept] == [
            ("wait", "first", 2.0, 2),
            ("wait", "", 2.0, 2),
            ("wait", "", 2.0, 2),
        ]


def test_a_page_without_markers_is_refused(maker: Any, figures: Figures) -> None:
    """Nothing is appended anywhere."""
    with pytest.raises(SystemExit, match="must stand there once"):
        maker.page_with(figures, "# Validation\n")
