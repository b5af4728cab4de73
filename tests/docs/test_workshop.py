"""The workshop kit says what is true: answers, handout, slides, links; and the site leaves out no page."""

from __future__ import annotations

import importlib.util
import re
import sys
import warnings
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import lambdasim as ls
from lambdasim.theory import erlang_b, servers_for_blocking
from tests.docs.pages import DOCS, PAGES, ROOT, Block, anchors_of, blocks_of, commands_in, links_of, squeezed, text_of
from tests.docs.test_docs import folder, run_blocks, status_of

__all__ = ["folder"]  # the fixture

KIT = sorted(page.relative_to(DOCS).as_posix() for page in (DOCS / "workshop").glob("*.md"))
ANSWERS = "workshop/answers.md"


def section(number: int) -> str:
    """The answer to one exercise, without the marks of bold text."""
    body = re.split(r"^## ", text_of(ANSWERS), flags=re.MULTILINE)[number]
    assert body.startswith(f"{number}. ")
    return squeezed(body.replace("**", ""))


@cache
def run(scenario: str, *settings: tuple[str, object]) -> ls.Result:
    """A run of a shipped scenario."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ls.ScenarioWarning)
        return ls.simulate(ROOT / "scenarios" / f"{scenario}.yaml", set=dict(settings))


class TestAnswers:
    """Each number of the answers, against a run and against arithmetic."""

    @pytest.mark.filterwarnings("ignore::lambdasim.ScenarioWarning")
    def test_commands_print_what_is_shown(self, folder: Path) -> None:
        """Each word of a line of a text block stands in the output of the command before it, in that order."""
        before, shown = "", 0
        for block, printed in run_blocks(ANSWERS):
            if block.language == "text":
                for line in block.text.splitlines():
                    assert squeezed(line) in squeezed(before), f"{block.line}: {line}"
                    shown += 1
            before = printed
        assert shown >= 10

    def test_exercises_and_answers_have_the_same_headings(self) -> None:
        """One answer for each exercise."""
        asked, answered = (
            re.findall(r"^## .*$", text_of(page), re.MULTILINE) for page in ("workshop/exercises.md", ANSWERS)
        )
        assert asked == answered
        assert len(asked) == 8

    def test_the_quota_for_the_average(self) -> None:
        """A load of 50 on 50 units, and on as many as Erlang asks for."""
        at_50, at_71 = (
            run("littles-law", ("region.concurrency_quota", quota), ("region.min_unreserved", 0)).summary["requests"]
            for quota in (50, servers_for_blocking(50, 0.001))
        )
        text = section(3)
        assert f"{at_50['throttled']:,} of {at_50['total']:,}" in text
        assert f"refuses {100 * erlang_b(50, 50):.1f} %" in text
        assert abs(at_50["throttled"] / at_50["total"] - erlang_b(50, 50)) < 0.005
        assert f"it takes {servers_for_blocking(50, 0.001)} units" in text
        assert f"{at_71['throttled']} are refused" in text

    def test_five_thousand_jobs(self) -> None:
        """1,000 at once and 100 a second: (5,000 − 1,000) / 100 = 40 s, and a try is never more than 9 s away."""
        attempts = run("burst-today").attempts
        started = attempts["time_s"][attempts["result"] != "throttled"]
        assert len(started) == 5_000
        assert 40 <= started.max() <= 49
        assert f"starts after {started.max():.0f} s" in section(4)
        assert abs((started <= 10).sum() - 2_000) < 10

    @pytest.mark.parametrize("units", [10, 20])
    def test_how_much_to_reserve(self, units: int) -> None:
        """A load of 100/s × 100 ms = 10."""
        api = run("reserved", ("functions.api.reserved_concurrency", units)).summary["functions"]["api"]["requests"]
        text = section(5)
        digits = ".1f" if units == 10 else ".2f"
        assert f"{100 * api['throttled'] / api['total']:{digits}} %" in text
        assert f"{100 * erlang_b(units, 10):{digits}} %" in text
        if units == 10:
            assert f"{api['throttled']:,} of {api['total']:,}" in text

    def test_good_messages(self) -> None:
        """122 batches on 2 units are 61 rounds of 30 s, after 10 s and an init of 1 s: 1,841 s = 30:41."""
        setting = ("queues.labels.event_source_mapping.maximum_concurrency", 2)
        result = run("sqs-poison-by-throttle", setting)
        assert result.summary["requests"]["dropped"] == 0
        assert result.summary["invocations"]["total"] == 122
        assert round(result.requests["end_s"].max()) == 10 + 1 + 61 * 30 == 30 * 60 + 41

    def test_buy_or_not(self) -> None:
        """Cost, cold starts and utilisation of each level; what is busy for more than 60 % is cheaper."""
        text = section(7)
        costs = {}
        for units, name in ((10, "10"), (0, "none"), (26, "26")):
            summary = run("provisioned-spillover", ("functions.checkout.provisioned_concurrency", units)).summary
            costs[units] = round(summary["cost_usd"]["total"], 2)
            cold = summary["invocations"]["cold_starts"]
            busy = f"{100 * summary['provisioned']['utilization']:.0f} % " if units else ""
            assert f"| {name} | ${costs[units]:.2f} | {cold} | {busy}|" in text
        assert costs[10] < costs[0] < costs[26]
        assert f"16 cold starts an hour for ${costs[26] - costs[0]:.2f}" in text

    def test_true_or_false(self) -> None:
        """Each statement is refuted by a run."""
        text = section(8)
        api = run("reserved").summary["functions"]["api"]
        assert f"`api` has {api['invocations']['cold_starts']} cold starts" in text
        spilled = run("provisioned-28-percent").summary["provisioned"]["spillover_cold_starts"]
        assert f"{spilled} requests start cold" in text
        spike = run("spike").summary
        assert f"{spike['attempts']['throttles']:,} attempts are throttled" in text
        assert spike["invocations"]["errors"] == 0
        assert f"a peak of {spike['concurrency']['peak']:,} and {spike['requests']['throttled']:,} requests" in text
        assert f"On average {spike['concurrency']['mean']:.0f} of the 1,000" in text_of("workshop/exercises.md")
        never_run = run("sqs-poison-by-throttle").summary["queues"]["labels"]["dead_lettered_without_execution"]
        assert f"{never_run} messages become dead letters" in text
        requests = run("idle-timeout").requests
        cold = {name: int(requests["cold"][requests["source"] == name].sum()) for name in ("second", "third")}
        assert f"after 4 minutes {cold['second']} of 20 are cold, after 8 minutes {cold['third']}" in text
        assert f"{cold['third']} of 20 at once are cold" in text


class TestHandout:
    """The sheet that people take home."""

    def test_the_table_of_head_room_is_erlangs(self) -> None:
        """Units for one refusal in a thousand, at each load of the table."""
        lines = text_of("workshop/handout.md").splitlines()
        loads = next(line for line in lines if line.startswith("| Average"))
        units = next(line for line in lines if line.startswith("| for 1 refused in 1,000"))
        expected = [servers_for_blocking(int(load), 0.001) for load in re.findall(r"\d+", loads)]
        assert [int(number) for number in re.findall(r"\| (\d+)", units)] == expected

    def test_its_commands_run(self, folder: Path) -> None:
        """As they stand there."""
        lines = re.findall(r"^    (python -m lambdasim .*)$", text_of("workshop/handout.md"), re.MULTILINE)
        block = Block(language="sh", file="", text="\n".join(lines), line=0)
        commands = commands_in(block)
        assert len(commands) == 3
        for command in commands:
            assert status_of(command.arguments) == 0


def make_slides() -> ModuleType:
    """``docs/make_slides.py`` as a module."""
    spec = importlib.util.spec_from_file_location("make_slides", DOCS / "make_slides.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


class TestSlides:
    """``python docs/make_slides.py``."""

    def test_pictures_and_a_page(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A picture of each, and a page that shows the question before its answer."""
        module: Any = make_slides()
        monkeypatch.setattr(module, "SLIDES", module.SLIDES[:1])
        paths = module.make(tmp_path / "slides")
        assert [path.name for path in paths] == ["1-environments.png", "slides.html"]
        assert paths[0].read_bytes().startswith(b"\x89PNG")
        page = paths[1].read_text(encoding="utf-8")
        assert page.index("How many start cold?") < page.index('src="1-environments.png"') < page.index("2 of 7")

    @pytest.mark.filterwarnings("ignore::lambdasim.ScenarioWarning")
    def test_every_answer_can_be_made(self) -> None:
        """From the summary of its run; every lesson has a slide, and no two share a file."""
        module: Any = make_slides()
        assert {slide.lesson for slide in module.SLIDES} == set(range(1, 7))
        assert len({slide.file for slide in module.SLIDES}) == len(module.SLIDES)
        for slide in module.SLIDES:
            result = run(slide.scenario, *slide.settings)
            assert re.search(r"\d", slide.answer(result.summary))
            assert callable(getattr(result.plot, slide.picture))


@pytest.mark.parametrize("page", KIT)
def test_links_of_the_kit_resolve(page: str) -> None:
    """To files of the repository, and to headings."""
    for target in links_of(page):
        file, _, anchor = target.partition("#")
        path = ((DOCS / page).parent / file).resolve() if file else DOCS / page
        assert path.is_file(), target
        assert not anchor or anchor in anchors_of(path.relative_to(DOCS).as_posix()), target


@pytest.mark.parametrize("page", KIT)
def test_fences_of_the_kit_pair_up(page: str) -> None:
    """An open one would swallow the rest of the page."""
    assert len(re.findall(r"^```", text_of(page), re.MULTILINE)) == 2 * len(blocks_of(page))


def test_the_site_has_every_page() -> None:
    """The contents of the site name each page of docs/, but README.md, which is its first page."""
    named = set(re.findall(r"^[\w/*-]+$", text_of("index.md"), re.MULTILINE))
    assert {page.removesuffix(".md") for page in [*PAGES, *KIT]} - {"README"} <= named
    assert {"api", "notebooks/*"} <= named


def test_the_site_documents_every_public_name() -> None:
    """Whatever ``lambdasim`` exports has an entry on the page of the interface."""
    entries = set(re.findall(r"^\.\. auto\w+:: ([\w.]+)", text_of("api.md"), re.MULTILINE))
    assert set(ls.__all__) - {"__version__"} <= entries
