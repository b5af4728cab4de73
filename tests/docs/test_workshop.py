"""The workshop kit says what is true: answers, handout, slides, links; and the site leaves out no page."""

from __future__ import annotations

import fnmatch
import math
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import lambdasim as ls
from lambdasim import check_setup
from lambdasim.theory import erlang_b, servers_for_blocking
from lambdasim.workload.means import mean_duration_ns
from tests.docs.pages import (
    DOCS,
    PAGES,
    ROOT,
    Block,
    anchors_of,
    blocks_of,
    commands_in,
    links_of,
    module_of,
    squeezed,
    text_of,
)
from tests.docs.test_docs import folder, run_blocks, status_of

__all__ = ["folder"]  # the fixture

KIT = sorted(page.relative_to(DOCS).as_posix() for page in (DOCS / "workshop").glob("*.md"))
ANSWERS, EXERCISES = "workshop/answers.md", "workshop/exercises.md"
HANDOUT = "workshop/handout.md"


def section(number: int) -> str:
    """The answer to one exercise, without the marks of bold text."""
    body = re.split(r"^## ", text_of(ANSWERS), flags=re.MULTILINE)[number]
    assert body.startswith(f"{number}. ")
    return squeezed(body.replace("**", ""))


def statements(page: str) -> dict[int, str]:
    """The numbered items of the last exercise, each on one line."""
    found = re.findall(r"^(\d+)\. (.*(?:\n   .*)*)", page.partition("## 8. ")[2], re.MULTILINE)
    return {int(number): squeezed(text) for number, text in found}


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
        asked, answered = (re.findall(r"^## .*$", text_of(page), re.MULTILINE) for page in (EXERCISES, ANSWERS))
        assert asked == answered
        assert len(asked) == 8

    def test_a_limit_at_the_average(self) -> None:
        """A load of 50 on 50 units, and on as many as Erlang asks for."""
        at_50, at_71 = (
            run("littles-law", ("functions.api.reserved_concurrency", units)).summary["requests"]
            for units in (50, servers_for_blocking(50, 0.001))
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
        assert f"after 10 seconds (in the run {(started <= 10).sum():,})" in section(4)

    def test_the_check_of_the_jobs_shows_both_numbers(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The cell of the exercise sheet, in a notebook's folder."""
        (block,) = (block for block in blocks_of(EXERCISES) if block.language == "python")
        (folder / "notebooks").mkdir()
        monkeypatch.chdir(folder / "notebooks")
        exec(compile(block.text, EXERCISES, "exec"), {})
        assert capsys.readouterr().out.startswith("1999 43.88")

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
        else:
            attempts = run("reserved", ("functions.api.reserved_concurrency", units)).attempts
            refused_s = attempts["time_s"][(attempts["function"] == "api") & (attempts["result"] == "throttled")]
            assert f"{(refused_s < 1).sum()} of the {api['throttled']} refusals fall into the first second" in text

    def test_good_messages(self) -> None:
        """122 batches on 2 units are 61 rounds of 30 s, after 10 s and an init of 1 s: 1,841 s = 30:41."""
        setting = ("queues.labels.event_source_mapping.maximum_concurrency", 2)
        result = run("sqs-poison-by-throttle", setting)
        assert result.summary["requests"]["dropped"] == 0
        assert result.summary["invocations"]["total"] == 122
        assert round(result.requests["end_s"].max()) == 10 + 1 + 61 * 30 == 30 * 60 + 41

    @pytest.mark.parametrize(
        ("key", "value"), [("visibility_timeout", "12m"), ("max_receive_count", 6), ("max_receive_count", 5)]
    )
    def test_other_cures_of_good_messages(self, key: str, value: object) -> None:
        """They hold as long as receives × visibility timeout are longer than the work."""
        text = section(6)
        result = run("sqs-poison-by-throttle", (f"queues.labels.{key}", value))
        lost, end_s = result.summary["requests"]["dropped"], int(result.requests["end_s"].max())
        if value == 5:
            assert f"With 5 receives {lost} messages are still lost" in text
        else:
            assert lost == 0
            said = text.partition(f"`{key}: {value}`")[2]
            assert f"{result.summary['attempts']['throttles']:,} throttles" in said
            assert f"{end_s // 60}:{end_s % 60:02}" in said

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
        """Each statement has its answer, with what a run says; of those that two hours teach a third is true."""
        asked = statements(text_of(EXERCISES))
        answered = statements(text_of(ANSWERS))
        assert list(asked) == list(answered) == [*range(1, 13)]
        verdicts = {number: text.partition("** ")[0].removeprefix("**") for number, text in answered.items()}
        assert set(verdicts.values()) == {"True.", "False."}
        assert [number for number, verdict in verdicts.items() if verdict == "True."] == [2, 3, 7, 11]

        spike, labels = run("spike").summary, run("sqs-poison-by-throttle").summary["queues"]["labels"]
        half, whole = (
            run("littles-law", *changed).summary["concurrency"]["mean"]
            for changed in ((), (("functions.api.duration", "1s"),))
        )
        idle = run("idle-timeout").requests
        cold = {name: int(idle["cold"][idle["source"] == name].sum()) for name in ("second", "third")}
        events = run("async-versus-sync").summary["functions"]["by-event"]
        with_it, without = (run(name).summary["functions"] for name in ("reserved", "shared-quota"))
        assert f"On average {spike['concurrency']['mean']:.0f} of the 1,000" in asked[1]
        for number, said in {
            1: f"a peak of {spike['concurrency']['peak']:,} and {spike['requests']['throttled']:,} requests refused",
            2: f"500 ms have {half:.1f} in flight on average, and 1 s has {whole:.1f}",
            3: f"{run('spike', ('functions.api.init', '200ms')).summary['requests']['throttled']} requests are refused",
            4: f"after 4 minutes {cold['second']} of 20 are cold, after 8 minutes {cold['third']}",
            5: "until November 2023",
            6: f"{cold['third']} of 20 at once are cold",
            7: f"{events['requests']['dropped']} of {events['requests']['total']:,} events are lost,"
            f" and the slowest takes {events['latency_s']['max']:.0f} s",
            8: f"{spike['attempts']['throttles']:,} attempts are throttled"
            f" and {spike['invocations']['errors']} invocations have an error",
            9: f"{labels['dead_lettered_without_execution']} messages become dead letters",
            10: f"`api` has {with_it['api']['invocations']['cold_starts']} cold starts",
            11: f"the import loses {with_it['import']['requests']['throttled']:,} requests;"
            f" without the reservation (`scenarios/shared-quota.yaml`) it loses"
            f" {without['import']['requests']['throttled']:,}",
            12: f"{run('provisioned-28-percent').summary['provisioned']['spillover_cold_starts']} requests start cold",
        }.items():
            assert said in answered[number]

    @pytest.mark.filterwarnings("ignore::lambdasim.ScenarioWarning")
    def test_the_commands_of_the_exercises_run(self, folder: Path) -> None:
        """As they stand on the sheet."""
        commands = [command for block in blocks_of(EXERCISES) for command in commands_in(block)]
        assert len(commands) >= 10
        for command in commands:
            assert status_of(command.arguments) == 0


class TestHandout:
    """The sheet that people take home."""

    def test_the_table_of_head_room_is_erlangs(self) -> None:
        """Units for one refusal in a thousand, at each load of the table."""
        lines = text_of(HANDOUT).splitlines()
        loads = next(line for line in lines if line.startswith("| Average"))
        units = next(line for line in lines if line.startswith("| units for 1 refused in 1,000 (Erlang B)"))
        expected = [servers_for_blocking(int(load), 0.001) for load in re.findall(r"\d+", loads)]
        assert [int(number) for number in re.findall(r"\| (\d+)", units)] == expected

    @pytest.mark.parametrize("load", [10, 50, 200, 800])
    def test_the_rule_of_thumb_is_exceeded_as_often_as_it_says(self, load: int) -> None:
        """More than average + 3 × √average in flight, of Poisson's distribution: 2 or 3 of 1,000 moments."""
        assert "average + 3 × √average is exceeded in 2 or 3 of 1,000 moments" in squeezed(text_of(HANDOUT))
        limit = math.floor(load + 3 * math.sqrt(load))
        within = sum(math.exp(k * math.log(load) - load - math.lgamma(k + 1)) for k in range(limit + 1))
        assert round(1000 * (1 - within)) in (2, 3)

    def test_its_picture_says_what_its_text_says(self) -> None:
        """The spike, and the prices that the break-even is of."""
        spike = run("spike").summary
        text = squeezed(text_of(HANDOUT))
        assert f"{spike['requests']['throttled']:,} are refused" in text
        bought = run("provisioned-spillover").summary
        assert f"more than {100 * bought['provisioned_break_even']['break_even']:.0f} % of the time" in text
        assert f"(Prices of {bought['pricing']['region']}, {bought['pricing']['date'][:7]}.)" in text

    def test_its_commands_run(self, folder: Path) -> None:
        """As they stand there."""
        lines = re.findall(r"^    (python -m lambdasim .*)$", text_of(HANDOUT), re.MULTILINE)
        block = Block(language="sh", file="", text="\n".join(lines), line=0)
        commands = commands_in(block)
        assert len(commands) == 3
        for command in commands:
            assert status_of(command.arguments) == 0


def make_slides() -> ModuleType:
    """``docs/make_slides.py`` as a module."""
    return module_of(DOCS / "make_slides.py")


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What a slide says: its answer, the numbers of its question and facts by the run, and what it claims besides."""

    letter: str
    answer: str
    numbers: Callable[[ls.Result], list[float]]
    holds: Callable[[ls.Result], bool]


def mean_s(result: ls.Result, function: str) -> float:
    """Mean duration of a function as the scenario has it, to a tenth of a second; below a second to a millisecond."""
    seconds = mean_duration_ns(result.scenario.functions[function]) / 1e9
    return round(seconds, 1 if seconds >= 1 else 3)


def rate(result: ls.Result, source: str) -> float:
    """Requests per second of a source at a constant rate."""
    return float(result.scenario.traffic[source].rate or 0)


def peak_rate(result: ls.Result, source: str) -> float:
    """Of a spike."""
    shape = result.scenario.traffic[source].shape
    assert shape is not None
    assert shape.spike is not None
    return float(shape.spike.peak)


def targets(result: ls.Result) -> list[float]:
    """Requests per second at the ends of the stages."""
    return [float(stage.target) for stage in result.scenario.traffic["web"].stages or ()]


def quota(result: ls.Result) -> int:
    """Of the account."""
    return int(result.scenario.region.concurrency_quota)


def reserved(result: ls.Result, function: str) -> int:
    """Units of a function."""
    return int(result.scenario.functions[function].reserved_concurrency or 0)


def rise_s(result: ls.Result) -> float:
    """How long the rate takes to reach the target of the second stage."""
    return float((result.scenario.traffic["web"].stages or ())[1].duration / 1e9)


def median_init_s(result: ls.Result) -> float:
    """As the scenario has it."""
    init: Any = result.scenario.functions["api"].init
    return float(init.lognormal.p50 / 1e9)


def labels_queue(result: ls.Result) -> Any:
    """As the scenario has it."""
    return result.scenario.queues["labels"]


def lost(result: ls.Result, function: str) -> int:
    """Requests of a function that were refused and given up."""
    return int(result.summary["functions"][function]["requests"]["throttled"])


def last_refusal_s(result: ls.Result) -> float:
    """When it was."""
    return float(result.attempts["time_s"][result.attempts["result"] == "throttled"].max())


# By the name of the file.
SLIDES = {
    "1-environments": Expected(
        letter="B",
        answer="2 of 7: as many as were in flight at once. One environment serves one request at a time.",
        # Words are no numbers, so 2 requests at once are not among them; nor is "seven".
        numbers=lambda result: [0, 10, 20, 25, 30, 1, 2],
        holds=lambda result: (
            result.requests["arrival_s"].tolist() == [0, 10, 10, 20, 25, 30, 30]
            and result.requests["latency_s"].max() == 1 + 2
            and result.summary["requests"]["total"] == 7
            and result.summary["concurrency"]["peak"] == result.summary["invocations"]["cold_starts"] == 2
        ),
    ),
    "2-concurrency": Expected(
        letter="B",
        answer="49.9 on average, 78 at the peak. Limits see the peak.",
        numbers=lambda result: [rate(result, "web"), 1000 * mean_s(result, "api")],
        holds=lambda result: result.summary["concurrency"]["peak"] == 78,
    ),
    "3-spike": Expected(
        letter="C",
        answer="1,103 of 32,459, all in the cold wave: at first everybody waits for an init as well.",
        numbers=lambda result: [
            *targets(result)[:2],
            mean_s(result, "api"),
            quota(result),
            rise_s(result),
            median_init_s(result),
            round(result.summary["requests"]["total"], -3),
        ],
        # The rise begins at 30 s, and an init takes 5 s at most for 99 of 100.
        holds=lambda result: last_refusal_s(result) < 30 + 5 < 80,
    ),
    "3-short-init": Expected(
        letter="A",
        answer="0 refused. The init decides how high the wave is.",
        numbers=lambda result: [200],
        holds=lambda result: result.summary["concurrency"]["peak"] < run("spike").summary["concurrency"]["peak"],
    ),
    "4-shared-quota": Expected(
        letter="C",
        answer="2,629 of 14,931. All functions of an account share one quota in a region.",
        numbers=lambda result: [
            rate(result, "web") * mean_s(result, "api"),
            quota(result),
            rate(result, "web"),
            150,
            15_000,
            90,
            peak_rate(result, "files"),
            mean_s(result, "import"),
            peak_rate(result, "files") * mean_s(result, "import"),
            round(100 * lost(result, "import") / result.summary["functions"]["import"]["requests"]["total"]),
        ],
        holds=lambda result: (
            result.scenario.duration == 150e9
            and peak_rate(result, "files") * mean_s(result, "import") > quota(result) - 10
            # What is said of the choice: the share of those that come while the import runs.
            and abs(lost(result, "api") / (90 * rate(result, "web")) - 0.30) < 0.01
        ),
    ),
    "4-reserved": Expected(
        letter="B",
        answer="api loses 0, the import 4,927. What is reserved is taken from the others.",
        numbers=lambda result: [
            reserved(result, "api"),
            quota(result),
            lost(run("shared-quota"), "import"),
            lost(run("shared-quota"), "api"),
        ],
        # The choice "as before", and the one that adds what api lost before.
        holds=lambda result: lost(run("shared-quota"), "import") + lost(run("shared-quota"), "api") == 6_718,
    ),
    "5-retries": Expected(
        letter="B",
        answer="2,355, all of them calls, after 7,149 refused attempts. Retries move load; they create no capacity.",
        # "boto3" has no number of its own.
        numbers=lambda result: [
            *(result.summary["functions"][name]["requests"]["total"] for name in ("by-call", "by-event", "by-queue")),
            result.summary["requests"]["total"],
            rate(result, "calls"),
            30,
            reserved(result, "by-call") / mean_s(result, "by-call"),
            3,
        ],
        holds=lambda result: (
            lost(result, "by-call") == result.summary["requests"]["throttled"]
            and result.summary["requests"]["dropped"] == 0
            and result.scenario.duration == 30e9
            and result.attempts["attempt"][result.attempts["function"] == "by-call"].max() == 3
        ),
    ),
    "5-events": Expected(
        letter="C",
        answer="177 s, and 0 events are lost. Late, and nobody sees an error.",
        numbers=lambda result: [result.summary["functions"]["by-event"]["requests"]["total"], 202],
        holds=lambda result: (
            result.summary["functions"]["by-event"]["invocations"]["errors"] == 0
            # What is said of two choices: the slowest call, and nothing else between that and the answer.
            and round(result.summary["functions"]["by-call"]["latency_s"]["max"]) == 4
        ),
    ),
    "5-dead-letters": Expected(
        letter="C",
        answer="550. A receive counts even if the function was throttled.",
        numbers=lambda result: [
            result.summary["requests"]["total"],
            reserved(result, "print"),
            labels_queue(result).event_source_mapping.batch_size,
            mean_s(result, "print"),
            labels_queue(result).visibility_timeout / 60e9,
            labels_queue(result).max_receive_count,
        ],
        holds=lambda result: (
            result.summary["invocations"]["errors"] == 0
            and result.summary["queues"]["labels"]["messages"]["dead_lettered"] == 550
        ),
    ),
    "6-28-percent": Expected(
        letter="C",
        answer="33%, though they are busy for 28% of the time: each lets in 10 requests a second.",
        numbers=lambda result: [
            result.scenario.functions["lookup"].provisioned_concurrency or 0,
            rate(result, "web") * mean_s(result, "lookup"),
            rate(result, "web"),
            1000 * mean_s(result, "lookup"),
        ],
        holds=lambda result: result.summary["provisioned"]["spillovers_by_reason"]["request_rate"] > 0,
    ),
}


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

    def test_what_html_reads_as_its_own_is_escaped(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """In questions and answers, and in the quotes of an attribute."""
        module: Any = make_slides()
        slide = replace(
            module.SLIDES[0],
            question="a < b & c?",
            facts=("1 < 2",),
            choices=(("x > y", 2),),
            answer=lambda summary: 'the "quota" > 1',
        )
        monkeypatch.setattr(module, "SLIDES", (slide,))
        page = module.make(tmp_path)[-1].read_text(encoding="utf-8")
        assert page.count("a &lt; b &amp; c?") == 2
        assert "<p>1 &lt; 2</p><ol><li>x &gt; y</li></ol>" in page
        assert 'alt="A. the &quot;quota&quot; &gt; 1"><p><b>A. the &quot;quota&quot; &gt; 1</b>' in page

    def test_command(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        """Names the files; help makes no folder; a folder that is a file is one sentence."""
        module: Any = make_slides()
        monkeypatch.setattr(module, "SLIDES", module.SLIDES[:1])
        monkeypatch.chdir(tmp_path)
        assert module.main([]) == 0
        made = [tmp_path / "out/slides" / name for name in ("1-environments.png", "slides.html")]
        assert capsys.readouterr().out.splitlines() == [str(path.relative_to(tmp_path)) for path in made]
        assert sorted((tmp_path / "out/slides").iterdir()) == made
        with pytest.raises(SystemExit) as done:
            module.main(["--help"])
        assert done.value.code == 0
        assert [path.name for path in tmp_path.iterdir()] == ["out"]
        capsys.readouterr()
        (tmp_path / "file").touch()
        assert module.main(["file"]) == 2
        assert capsys.readouterr() == ("", "file: slides cannot be written here: File exists; name another folder\n")

    def test_every_lesson_has_slides(self) -> None:
        """And no two share a file."""
        module: Any = make_slides()
        assert {slide.lesson for slide in module.SLIDES} == set(range(1, 7))
        assert len({slide.file for slide in module.SLIDES}) == len(module.SLIDES)
        assert {slide.file for slide in module.SLIDES} == set(SLIDES)
        for slide in module.SLIDES:
            assert callable(getattr(run(slide.scenario, *slide.settings).plot, slide.picture))

    @pytest.mark.parametrize("file", SLIDES)
    def test_the_right_choice_is_near_and_the_others_are_not(self, file: str) -> None:
        """Nobody who votes for a wrong one can say that it was as good."""
        module: Any = make_slides()
        (slide,) = (slide for slide in module.SLIDES if slide.file == file)
        figure = slide.figure(run(slide.scenario, *slide.settings).summary)
        off = sorted(abs(number - figure) for _, number in slide.choices)
        assert len(off) in (3, 4)
        assert off[0] < 0.15 * off[1]

    @pytest.mark.parametrize("file", SLIDES)
    def test_says_what_the_run_says(self, file: str) -> None:
        """The letter, the answer word by word, and what question, facts and those words take for granted."""
        module: Any = make_slides()
        (slide,) = (slide for slide in module.SLIDES if slide.file == file)
        result = run(slide.scenario, *slide.settings)
        expected = SLIDES[file]
        assert slide.answer(result.summary) == expected.answer
        assert slide.letter(result.summary) == expected.letter
        asked = " ".join([slide.question, *slide.facts])
        numbers = [float(number.replace(",", "")) for number in re.findall(r"\b(?:\d[\d,.]*\d|\d)", asked)]
        assert numbers == pytest.approx(expected.numbers(result))
        assert expected.holds(result)


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
    named = set(re.findall(r"^[\w/-]+$", text_of("index.md"), re.MULTILINE))
    assert {page.removesuffix(".md") for page in [*PAGES, *KIT]} - {"README"} <= named
    assert "api" in named


def test_the_site_has_every_lesson_in_order() -> None:
    """Each notebook once, the bench last: with ``:glob:`` a pattern stands for all that match, by name."""
    patterns = re.findall(r"^notebooks/(\S+)$", text_of("index.md"), re.MULTILINE)
    notebooks = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
    listed = [name for pattern in patterns for name in fnmatch.filter(notebooks, pattern)]
    assert len(listed) == 7
    assert listed == [*notebooks[1:], notebooks[0]]


CHOICES = r"(?:^- \*\*[A-D]\*\* .*\n(?:  .*\n)*){2,}"
SOLUTION = r"(?s:<details><summary>Solution</summary>\n\n.*?\n\n</details>)"
IN_A_LESSON = re.compile(
    rf"^## (?P<part>.*)|^(?P<solution>{SOLUTION})|^\*\*(?P<question>\d)\.\*\*|^(?P<choices>{CHOICES})", re.MULTILINE
)
RIGHT = re.compile(r"\n\n\*\*(?:(\d)\. )?([A-D])(?:\.\*\*|\*\*,)|^- \*\*()([A-D])\*\* is the cure", re.MULTILINE)


def votes_of(lesson: int) -> dict[str, tuple[str, str]]:
    """Of each vote of a lesson, by its name in the notes: the letters that are offered, and the right one.

    A solution is that of the choices of its own question, or else of the oldest ones that have none yet.
    """
    (file,) = (ROOT / "notebooks").glob(f"{lesson:02}-*.py")
    text = re.sub(r"^# ?", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    open_votes: dict[str, str] = {}
    votes: dict[str, tuple[str, str]] = {}
    before, current = iter(["before the run", "before the second run"]), ""
    for found in IN_A_LESSON.finditer(text):
        if found["part"]:
            current = ""
        elif found["question"]:
            current = f"question {found['question']}"
        elif found["choices"]:
            name = current or next(before)
            open_votes[name] = "".join(re.findall(r"^- \*\*([A-D])", found["choices"], re.MULTILINE))
        elif right := RIGHT.search(found["solution"]):
            number, letter = [group for group in right.groups() if group] if right[1] else ("", right[2] or right[4])
            name = f"question {number}" if number else current
            name = name if name in open_votes else next(iter(open_votes))
            votes[name] = open_votes.pop(name), letter
    assert not open_votes
    return votes


@pytest.mark.parametrize("lesson", range(1, 7))
def test_the_notes_have_a_word_on_every_letter(lesson: int) -> None:
    """The right one as the lesson's solution has it, and each of the others."""
    section = text_of("workshop/instructor-notes.md").partition(f"## Lesson {lesson}: ")[2].partition("\n## ")[0]
    said = {}
    for vote, right, others in re.findall(r"^\| ([bq][^|]*) \| \*\*([A-D])\*\* \| (.*) \|$", section, re.MULTILINE):
        said[vote] = "".join(sorted([right, *re.findall(r"\*\*([A-D])\*\*", others)])), right
    assert said == votes_of(lesson)
    assert len(said) >= 3


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Prints a page of the kit, of a site that has the kit alone, as whoever teaches prints it."""
    for module in ("sphinx", "myst_nb", "furo"):
        pytest.importorskip(module, reason=f"{module} is not installed (pip install -e '.[docs]')")
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("no Chromium is installed to print with")
    where = tmp_path_factory.mktemp("printed")
    others = "exclude_patterns=*.md,_build,_templates,_extensions,notebooks/*"
    build = ["-m", "sphinx", "-Q", "-D", "root_doc=workshop/README", "-D", others, str(DOCS), str(where)]
    subprocess.run([sys.executable, *build], check=True)

    def print_page(name: str) -> Path:
        pdf, page = where / f"{name}.pdf", where / "workshop" / f"{name}.html"
        options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={where / 'profile'}"]
        command = [browser, *options, f"--print-to-pdf={pdf}", page.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        return pdf

    return print_page


class TestPrinted:
    """What leaves the printer."""

    def test_the_handout_is_one_page(self, printed: Callable[[str], Path]) -> None:
        """Of A4, 210 × 297 mm."""
        pages = re.findall(rb"/Type\s*/Page\b.*?/MediaBox\s*\[([^\]]*)\]", printed("handout").read_bytes(), re.DOTALL)
        (box,) = pages
        width, height = (float(number) * 25.4 / 72 for number in box.split()[2:])
        assert (round(width), round(height)) == (210, 297)

    def test_nothing_lies_over_the_exercises(self, printed: Callable[[str], Path]) -> None:
        """The theme's link to the content stands above the window, and would be on each page."""
        if shutil.which("pdftotext") is None:
            pytest.skip("no pdftotext is installed to read what was printed")
        pdf = printed("exercises")
        text = subprocess.run(["pdftotext", pdf, "-"], check=True, capture_output=True, text=True).stdout
        assert "Which line cures it" in text
        assert "Skip to content" not in text


class TestSchedule:
    """Two tables that a teacher reads with a clock."""

    @pytest.mark.parametrize(("heading", "minutes"), [("Two hours", 120), ("Half a day", 230)])
    def test_each_part_begins_when_the_one_before_ends(self, heading: str, minutes: int) -> None:
        """And all together last as long as they should."""
        table = text_of("workshop/schedule.md").partition(f"## {heading}")[2].partition("## ")[0]
        rows = re.findall(r"^\| (\d):(\d\d), (\d+) min \|", table, re.MULTILINE)
        assert len(rows) >= 8
        clock = 0
        for hours, past, length in rows:
            assert 60 * int(hours) + int(past) == clock
            clock += int(length)
        assert clock == minutes


def test_the_line_of_the_set_up_is_that_of_check_setup(monkeypatch: pytest.MonkeyPatch) -> None:
    """Word by word; only versions, counts and times are other ones."""
    monkeypatch.setattr(check_setup, "missing_packages", lambda requirements: [])
    monkeypatch.setattr(check_setup, "try_a_kernel", lambda lessons: [])
    monkeypatch.setattr("importlib.metadata.version", lambda package: "4.4.1")
    monkeypatch.setattr(sys, "executable", str(ROOT / ".venv/bin/python"))
    shown = next(line.strip() for line in text_of("workshop/set-up.md").splitlines() if line.startswith("    fine: "))
    fine, said = check_setup.setup_line(ROOT)
    assert fine
    numbers = re.compile(r"\d[\d.,]*\b")
    assert numbers.sub("#", shown) == numbers.sub("#", said)


def test_the_site_documents_every_public_name() -> None:
    """Whatever ``lambdasim`` exports has an entry on the page of the interface."""
    entries = set(re.findall(r"^\.\. auto\w+:: ([\w.]+)", text_of("api.md"), re.MULTILINE))
    assert set(ls.__all__) - {"__version__"} <= entries
