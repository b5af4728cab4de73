"""Writes the figures of validation.md: ``python docs/make_validation.py`` runs the statistical tests, about 2 minutes.

The tests keep what they compared (``tests/statistical/figures.csv``); tables and picture are made of that, so that no
figure comes from anywhere else. What stands between ``<!-- figures -->`` and ``<!-- end -->`` is replaced; all around
is written by hand. ``--stored`` makes page and picture anew without running the tests, ``--check`` only compares.
"""

from __future__ import annotations

import argparse
import ast
import datetime
import hashlib
import math
import re
import sys
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent))  # the tests are not installed

from lambdasim.report.pictures.style import Colour, Header, legend, open_axes, style  # noqa: E402
from lambdasim.version import __version__  # noqa: E402
from tests.statistical import comparison  # noqa: E402
from tests.statistical.comparison import ByTest, Comparison, Figures  # noqa: E402
from tests.statistical.conftest import GATHERED  # noqa: E402
from tests.statistical.z_score import AGREES, DIFFERS  # noqa: E402

PAGE = DOCS / "validation.md"
PICTURE = DOCS / "images" / "validation.png"
TESTS = DOCS.parent / "tests" / "statistical"
COMMAND = "python docs/make_validation.py"

# File of tests -> what it is about, in the order of the page. A test holds that no file with comparisons is missing.
TOPICS = {
    "test_throttle_ratio.py": "Erlang B: refused at a limit",
    "test_provisioned_spillover.py": "Erlang B: spilled over",
    "test_waiting.py": "Erlang C: messages that wait",
    "test_virtual_users.py": "Engset: virtual users",
    "test_concurrency.py": "M/G/∞: requests in flight",
    "test_cold_starts.py": "Cold starts at limit 1",
    "test_retries.py": "Retrial queue, jitter",
    "test_sdk_retries.py": "Delays of the SDK presets",
    "test_arrivals.py": "Poisson arrivals",
    "test_uneven_arrivals.py": "Gamma and MMPP arrivals",
    "test_distributions.py": "Distributions",
    "test_runtime_inits.py": "Inits of runtimes",
}

_BLOCK = re.compile(r"^<!-- figures -->\n.*?^<!-- end -->$", re.MULTILINE | re.DOTALL)
_SCALES = {"%": 100.0, "%²": 10_000.0}
_UNITS = {"": "", "/s": "/s"}  # the others stand after a blank
_BLANK = "\N{NO-BREAK SPACE}"  # within figures
_HEAD = "| What | Simulated (n) | By formula | Distance | Mutants |\n|---|--:|--:|--:|---|\n"

_FARTHEST = 1000.0  # the picture's edge, where also stands what is beyond
_DOT: dict[str, Any] = {
    "marker": "o",
    "markersize": 4,
    "color": Colour.BUSY.value,
    "alpha": 0.75,
    "linestyle": "none",
    "mew": 0,
}
_CROSS: dict[str, Any] = {
    "marker": "x",
    "markersize": 5,
    "color": Colour.THROTTLED.value,
    "linestyle": "none",
    "mew": 1.1,
}
_LIMIT: dict[str, Any] = {"color": Colour.CEILING.value, "linewidth": 1.1, "linestyle": ":"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """All comparisons of one thing: the simulator's own, and those of its mutants."""

    what: str
    ideals: tuple[Comparison, ...]
    mutants: tuple[Comparison, ...]

    @property
    def farthest(self) -> Comparison:
        """The one that agrees least."""
        return max(self.ideals, key=_distance)

    @property
    def nearest_mutants(self) -> list[Comparison]:
        """Of each kind of mutant the one that is told apart least."""
        kinds = dict.fromkeys(mutant.mutant for mutant in self.mutants)
        return [min((one for one in self.mutants if one.mutant == kind), key=_distance) for kind in kinds]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """The rows of one file of tests."""

    name: str
    setting: str
    rows: tuple[Row, ...]

    @property
    def ideals(self) -> list[Comparison]:
        """Whatever must agree."""
        return [one for row in self.rows for one in row.ideals]

    @property
    def mutants(self) -> list[Comparison]:
        """Whatever must be told apart."""
        return [one for row in self.rows for one in row.mutants]


def _distance(one: Comparison) -> float:
    return abs(one.z)


def run_tests() -> dict[str, list[Comparison]]:
    """The comparisons of every test of tests/statistical. Raises SystemExit if one fails."""
    by_test: dict[str, list[Comparison]] = {}

    class Gatherer:
        def pytest_configure(self, config: pytest.Config) -> None:
            config.stash[GATHERED] = by_test

    status = pytest.main(["-q", "-p", "no:cacheprovider", str(TESTS)], plugins=[Gatherer()])
    if status:
        raise SystemExit("the statistical tests fail: nothing is written")
    return {test: comparisons for test, comparisons in by_test.items() if comparisons}


def topics_of(by_test: ByTest) -> list[Topic]:
    """Topic by topic, what is in a row of the page."""
    found = []
    for file, name in TOPICS.items():
        of_file = [one for test, some in by_test.items() if test.startswith(f"{file}::") for one in some]
        rows = []
        for what in dict.fromkeys(one.what for one in of_file):
            some = [one for one in of_file if one.what == what]
            rows.append(
                Row(
                    what=what,
                    ideals=tuple(one for one in some if not one.mutant),
                    mutants=tuple(one for one in some if one.mutant),
                )
            )
        found.append(Topic(name=name, setting=_setting(file), rows=tuple(rows)))
    return found


def _setting(file: str) -> str:
    """What the file of tests says of itself, as one paragraph."""
    said = ast.get_docstring(ast.parse((TESTS / file).read_text(encoding="utf-8"))) or ""
    return " ".join(said.split()).replace("``", "`")


def block(figures: Figures) -> str:
    """What stands between the markers, and they."""
    topics = topics_of(figures.by_test)
    reading = (
        "Topic by topic; click to unfold. *Simulated* is the mean ± its standard error, *n* the number of replications "
        "or of other independent values. Distances are in standard errors, infinite where a mutant's figure is the "
        "same in each replication. Where several comparisons share a row, it shows the one that is farthest from "
        "theory, and of each kind of mutant the one that is nearest to it."
    )
    parts = [
        _wrapped(_overview(topics)),
        f"![{_alternative_text(topics)}](images/{PICTURE.name})",
        _wrapped(f"Made by `{COMMAND}` on {figures.date} with lambdasim {figures.version}."),
        _wrapped(reading),
        *(_details(topic, is_open=topic is topics[0]) for topic in topics),
    ]
    return "<!-- figures -->\n" + re.sub(r"(?<=\d) (?=%)", _BLANK, "\n\n".join(parts)) + "\n<!-- end -->"


def _wrapped(paragraph: str) -> str:
    return textwrap.fill(paragraph, 120, break_long_words=False, break_on_hyphens=False)


def _overview(topics: Sequence[Topic]) -> str:
    ideals, mutants = _all(topics)
    within = [sum(_distance(one) <= limit for one in ideals) / len(ideals) for limit in (1, 2)]
    farthest, nearest = max(ideals, key=_distance), min(mutants, key=_distance)
    return (
        f"Of {len(ideals)} comparisons {100 * within[0]:.0f} % lie within one standard error of theory and "
        f"{100 * within[1]:.0f} % within two, where a right model has about 68 % and 95 %. (Many share their random "
        "draws, and then their distance: they are not so many independent proofs.) The farthest is "
        f"{_far(_distance(farthest))} away: {_named(farthest)}. Of {len(mutants)} mutants the nearest is "
        f"{_far(_distance(nearest))} away: {_named(nearest)}, with {nearest.mutant}."
    )


def _alternative_text(topics: Sequence[Topic]) -> str:
    ideals, mutants = _all(topics)
    return (
        f"Distances from theory in standard errors, one line for each of {len(topics)} topics: {len(ideals)} dots of "
        f"the simulator between −{AGREES:g} and {AGREES:g}, {len(mutants)} crosses of mutants, all outside of that band"
    )


def _all(topics: Iterable[Topic]) -> tuple[list[Comparison], list[Comparison]]:
    return [one for topic in topics for one in topic.ideals], [one for topic in topics for one in topic.mutants]


def _named(one: Comparison) -> str:
    return f"{one.what}, {one.part}" if one.part else one.what


def _details(topic: Topic, is_open: bool) -> str:
    """A table that folds."""
    count = len(topic.ideals)
    farthest = max(map(_distance, topic.ideals))
    nearest = min(map(_distance, topic.mutants))
    return (
        f"<details{' open' if is_open else ''}>\n"
        f"<summary><b>{topic.name}</b> · {count} comparisons, the farthest {_far(farthest)} away, "
        f"the nearest mutant {_far(nearest)}</summary>\n\n"
        f"{_wrapped(topic.setting)}\n\n"
        f"{_HEAD}{''.join(map(line_of, topic.rows))}\n"
        "</details>"
    )


def line_of(row: Row) -> str:
    """A row as Markdown."""
    one = row.farthest
    what = row.what
    if len(row.ideals) > 1:
        part = f"{one.part}, the" if one.part else "the"
        what += f" ({part} farthest of {len(row.ideals)})"
    simulated = f"{_value(one, one.mean, one.standard_error)}{_BLANK}({one.count:,})"
    mutants = "; ".join(f"{mutant.mutant}:{_BLANK}{_signed(mutant.z)}" for mutant in row.nearest_mutants)
    return f"| {what} | {simulated} | {_value(one, one.expected)} | {_signed(one.z)} | {mutants} |\n"


def _value(one: Comparison, value: float, standard_error: float | None = None) -> str:
    """A value with as many decimals as the standard error has with two digits, in the unit of the comparison."""
    scale = _SCALES.get(one.unit, 1.0)
    error = one.standard_error * scale
    decimals = max(1 - math.floor(math.log10(error)), 0) if error else 2
    text = f"{value * scale:z,.{decimals}f}"
    if standard_error is not None:
        text += f"{_BLANK}±{_BLANK}{error:,.{decimals}f}"
    return text.replace("-", "−") + _UNITS.get(one.unit, _BLANK + one.unit)


def _signed(z: float) -> str:
    text = _far(abs(z))
    return text if text == "0.0" else f"{'+' if z > 0 else '−'}{text}"


def _far(distance: float) -> str:
    if math.isinf(distance):
        return "∞"
    return f"{distance:,.0f}" if distance >= 100 else f"{distance:.1f}"


def picture(figures: Figures) -> Axes:
    """Every comparison as a dot and every mutant as a cross, one line for each topic."""
    topics = topics_of(figures.by_test)
    ideals, mutants = _all(topics)
    top = Header(
        title="How far from theory: the simulator, and mutants of it",
        description=f"Dots: the simulator, {len(ideals)} comparisons. Crosses: {len(mutants)} of mutants, which are "
        "wrong on purpose.",
        facts=f"lambdasim {figures.version} · {figures.date} · seeds fixed",
    )
    with style():
        axes = open_axes(None, top, plot_px=30 * len(topics), left_px=235)
        axes.set_xscale("symlog", linthresh=10, linscale=2)
        band = axes.axvspan(-AGREES, AGREES, color=Colour.IDLE.value, alpha=0.55, linewidth=0)
        for limit in (-DIFFERS, DIFFERS):
            axes.axvline(limit, **_LIMIT)
        for place, topic in enumerate(topics):
            for some, look in ((topic.mutants, _CROSS), (topic.ideals, _DOT)):
                across = [min(max(one.z, -_FARTHEST), _FARTHEST) for one in some]
                axes.plot(across, _spread(place, len(some)), **look)
        _set_axes(axes, [topic.name for topic in topics])
        entries = [
            (Line2D([], [], **_DOT), "the simulator"),
            (Line2D([], [], **_CROSS), "a mutant"),
            (band, f"where the simulator must be, ±{AGREES:g}"),
            (Line2D([], [], **_LIMIT), f"±{DIFFERS:g}: nearly all mutants must be beyond"),
        ]
        legend(axes, entries)
    return axes


def _set_axes(axes: Axes, names: Sequence[str]) -> None:
    axes.set_xlim(-1.3 * _FARTHEST, 1.3 * _FARTHEST)
    axes.xaxis.set_major_locator(FixedLocator([-_FARTHEST, -100, -10, -6, -4, 0, 4, 6, 10, 100, _FARTHEST]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda z, _: _tick(z)))
    axes.set_xlabel("distance from theory in standard errors (beyond ±10: log scale)")
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.yaxis.set_major_locator(FixedLocator(range(len(names))))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda place, _: names[round(place)]))
    axes.tick_params(axis="y", length=0)
    for place in range(1, len(names)):
        axes.axhline(place - 0.5, color="#E6E6E6", linewidth=0.8)


def _tick(z: float) -> str:
    text = ("−" if z < 0 else "") + f"{abs(z):,.0f}"
    return {-_FARTHEST: f"≤ {text}", _FARTHEST: f"≥ {text}"}.get(z, text)


def _spread(place: int, count: int) -> list[float]:
    """Heights of ``count`` points within one line, so that they cover each other less: in turns over five levels."""
    return [place + 0.13 * ((number * 2) % 5 - 2) for number in range(count)]


def digest() -> str:
    """Of the comparisons that the picture was made of."""
    return hashlib.sha256(comparison.FILE.read_bytes()).hexdigest()


def page_with(figures: Figures, text: str) -> str:
    """The page with the figures. Raises SystemExit where the markers are not there once."""
    if len(_BLOCK.findall(text)) != 1:
        raise SystemExit(f"{PAGE.name}: the lines <!-- figures --> and <!-- end --> must stand there once")
    return _BLOCK.sub(lambda _: block(figures), text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes file, picture and page, or with ``--check`` says whether the page is current. 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Makes the figures of docs/validation.md.")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--stored", action="store_true", help="of the stored comparisons, without running the tests")
    way.add_argument("--check", action="store_true", help="compare the page with the stored comparisons, write nothing")
    chosen = parser.parse_args(arguments)
    figures = comparison.read() if comparison.FILE.exists() else Figures(version="", date="", by_test={})
    if not chosen.stored and not chosen.check:
        made = run_tests()
        if figures.are_as(made):
            print("all comparisons are as before")
        else:
            today = datetime.datetime.now(datetime.UTC).date().isoformat()
            figures = Figures(version=__version__, date=today, by_test=made)
            comparison.write(figures)
            figures = comparison.read()
    text = PAGE.read_text(encoding="utf-8")
    page = page_with(figures, text)
    if chosen.check:
        if page != text:
            print(f"{PAGE.name}: not current; run {COMMAND}", file=sys.stderr)
        return int(page != text)
    PAGE.write_text(page, encoding="utf-8")
    drawn = picture(figures).get_figure(root=True)
    assert isinstance(drawn, Figure)
    drawn.savefig(PICTURE, metadata={"Software": None, "Comment": digest()})
    print(f"{PAGE.name}, {PICTURE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
