"""Makes the slides of the workshop: ``python docs/make_slides.py [FOLDER]``, by default into ``out/slides``.

A question with the facts that it takes and letters to vote on, then the picture that answers it, and so on through the
lessons: PNG files 2,000 px wide to use anywhere, and ``slides.html`` to show full screen (space, page keys and arrows
go on; printing gives one slide a page). Every number of an answer is from the run, and so is the right letter; tests
hold the words, and the numbers of the questions.
"""

from __future__ import annotations

import argparse
import html
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import lambdasim as ls

SCENARIOS = Path(__file__).parent.parent / "scenarios"
DPI = 200  # the pictures are 1000 px wide at 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Slide:
    """A question, the run and the picture that answer it, and the answer, made from the summary of the run.

    The choices are lettered from A on, each with its number; ``figure`` is what the run has in place of that.
    """

    file: str
    lesson: int
    question: str
    facts: tuple[str, ...] = ()
    choices: tuple[tuple[str, float], ...]
    scenario: str
    picture: str
    figure: Callable[[Any], float]
    answer: Callable[[Any], str]
    settings: tuple[tuple[str, object], ...] = ()

    def letter(self, summary: Any) -> str:
        """The letter of the choice that is nearest to what the run says."""
        figure = self.figure(summary)
        distances = [abs(number - figure) for _, number in self.choices]
        return ascii_uppercase[distances.index(min(distances))]


SLIDES = (
    Slide(
        file="1-environments",
        lesson=1,
        question="Seven requests, some of them at once. How many start cold?",
        facts=(
            "One comes at 0 s, two at 10 s, one at 20 s, one at 25 s, two at 30 s.",
            "An init takes 1 s, the handler 2 s.",
        ),
        choices=(("1: only the very first", 1), ("2", 2), ("4: whenever two come at once, both", 4), ("all 7", 7)),
        scenario="first-invocations",
        picture="lifelines",
        figure=lambda s: s["invocations"]["cold_starts"],
        answer=lambda s: (
            f"{s['invocations']['cold_starts']} of {s['requests']['total']}: as many as were in flight at"
            " once. One environment serves one request at a time."
        ),
    ),
    Slide(
        file="2-concurrency",
        lesson=2,
        question="100 requests per second of 500 ms: how many are in flight on average?",
        facts=("They come at random moments. And at the busiest moment of five minutes?",),
        choices=(("20", 20), ("50", 50), ("100", 100), ("200", 200)),
        scenario="littles-law",
        picture="concurrency",
        figure=lambda s: s["concurrency"]["mean"],
        answer=lambda s: (
            f"{s['concurrency']['mean']:.1f} on average, {s['concurrency']['peak']} at the peak. Limits see the peak."
        ),
    ),
    Slide(
        file="3-spike",
        lesson=3,
        question="20/s become 800/s of 1 s each, on average. The quota is 1,000. How many are refused?",
        facts=("The rise takes 2 s. Half of the inits take more than 2 s.", "About 32,000 requests come in all."),
        choices=(
            ("none: it fits", 0),
            ("about 10, by chance", 10),
            ("about 1,000, in the first seconds", 1_000),
            ("about 10,000, all the time", 10_000),
        ),
        scenario="spike",
        picture="concurrency",
        figure=lambda s: s["requests"]["throttled"],
        answer=lambda s: (
            f"{s['requests']['throttled']:,} of {s['requests']['total']:,}, all in the cold wave: at first"
            " everybody waits for an init as well."
        ),
    ),
    Slide(
        file="3-short-init",
        lesson=3,
        question="The same, but the init takes 200 ms. And now?",
        choices=(("none", 0), ("half as many", 550), ("as many as before: 800/s are 800/s", 1_100)),
        scenario="spike",
        picture="concurrency",
        settings=(("functions.api.init", "200ms"),),
        figure=lambda s: s["requests"]["throttled"],
        answer=lambda s: f"{s['requests']['throttled']:,} refused. The init decides how high the wave is.",
    ),
    Slide(
        file="4-shared-quota",
        lesson=4,
        question="api needs 10 of 1,000. An import wants more than the rest. How many requests of api are refused?",
        facts=(
            "api gets 100/s for 150 s, 15,000 in all. The import runs for 90 s of them.",
            "It would like to have 150/s × 10 s = 1,500 in flight, and about 30 % of its requests are refused.",
        ),
        choices=(
            ("none: it needs only 10", 0),
            ("about 100", 100),
            ("about 2,600: 30 % of those that come meanwhile", 2_600),
            ("about 9,000: all that come meanwhile", 9_000),
        ),
        scenario="shared-quota",
        picture="concurrency",
        figure=lambda s: s["functions"]["api"]["requests"]["throttled"],
        answer=lambda s: (
            f"{s['functions']['api']['requests']['throttled']:,} of {s['functions']['api']['requests']['total']:,}."
            " All functions of an account share one quota in a region."
        ),
    ),
    Slide(
        file="4-reserved",
        lesson=4,
        question="100 of the 1,000 are reserved for api. How many requests does the import lose now?",
        facts=("Without that, the import lost 4,089, and api 2,629.",),
        choices=(
            ("4,089, as before", 4_089),
            ("about 4,900", 4_900),
            ("about 6,700: those of api come on top", 6_700),
        ),
        scenario="reserved",
        picture="concurrency",
        figure=lambda s: s["functions"]["import"]["requests"]["throttled"],
        answer=lambda s: (
            f"api loses {s['functions']['api']['requests']['throttled']:,}, the import"
            f" {s['functions']['import']['requests']['throttled']:,}. What is reserved is taken from the others."
        ),
    ),
    Slide(
        file="5-retries",
        lesson=5,
        question="3,000 orders come as calls, 3,000 as events, 3,000 through a queue. How many of the 9,000 are lost?",
        facts=(
            "To each of three functions come 100 a second for 30 s. Each can do 20 a second.",
            "The callers use boto3, which tries up to 3 times. Lambda itself tries events and messages again.",
        ),
        choices=(
            ("none: all three try again", 0),
            ("about 2,400, all of them calls", 2_400),
            ("about 7,200, as many of each kind", 7_200),
        ),
        scenario="async-versus-sync",
        picture="outcomes",
        figure=lambda s: s["requests"]["throttled"] + s["requests"]["dropped"],
        answer=lambda s: (
            f"{s['requests']['throttled']:,}, all of them calls, after"
            f" {s['functions']['by-call']['attempts']['throttles']:,} refused attempts."
            " Retries move load; they create no capacity."
        ),
    ),
    Slide(
        file="5-events",
        lesson=5,
        question="The same 3,000 orders as events. How long does the slowest take?",
        facts=("Its sender has an answer at once: 202, accepted.",),
        choices=(
            ("about 4 s, like a call", 4),
            ("about 45 s", 45),
            ("about 3 min", 180),
            ("for ever: some are lost", float("inf")),
        ),
        scenario="async-versus-sync",
        picture="backlog",
        figure=lambda s: s["functions"]["by-event"]["latency_s"]["max"],
        answer=lambda s: (
            f"{s['functions']['by-event']['latency_s']['max']:.0f} s, and"
            f" {s['functions']['by-event']['requests']['dropped']:,} events are lost. Late, and nobody sees an error."
        ),
    ),
    Slide(
        file="5-dead-letters",
        lesson=5,
        question="1,200 messages, 2 units, a handler that never fails. How many end as dead letters?",
        facts=(
            "A batch of 10 takes 30 s. A message that was received is hidden for 6 min.",
            "After 3 receives without success it is a dead letter. Nobody is in a hurry.",
        ),
        choices=(("none: the code never fails", 0), ("about 10: a batch, by bad luck", 10), ("nearly half", 600)),
        scenario="sqs-poison-by-throttle",
        picture="receives",
        figure=lambda s: s["requests"]["dropped"],
        answer=lambda s: f"{s['requests']['dropped']:,}. A receive counts even if the function was throttled.",
    ),
    Slide(
        file="6-28-percent",
        lesson=6,
        question="10 provisioned environments, 4.2 in flight on average. Which share spills over?",
        facts=("150 requests a second come, of 28 ms each.",),
        choices=(("none: 10 are twice what it needs", 0), ("about 1 %, by chance", 0.01), ("a third", 1 / 3)),
        scenario="provisioned-28-percent",
        picture="provisioned",
        figure=lambda s: s["provisioned"]["spillover_ratio"],
        answer=lambda s: (
            f"{s['provisioned']['spillover_ratio']:.0%}, though they are busy for"
            f" {s['provisioned']['utilization']:.0%} of the time: each lets in 10 requests a second."
        ),
    ),
)

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>lambdasim workshop: slides</title><style>
html {{ scroll-snap-type: y mandatory; }}
body {{ margin: 0; font: 3.2vh/1.35 "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; color: #111; }}
section {{ height: 100vh; box-sizing: border-box; padding: 5vh 5vw; scroll-snap-align: start; break-after: page;
  display: flex; flex-direction: column; justify-content: center; text-align: center; }}
section p {{ margin: 1.2vh 0; }} small {{ color: #666; }} h1 {{ font-size: 5.6vh; line-height: 1.2; }}
ol {{ list-style: upper-alpha; text-align: left; align-self: center; font-size: 1.3em; margin: 2vh 0; }}
img {{ min-height: 0; max-width: 100%; object-fit: contain; }}
@page {{ size: 297mm 167mm; margin: 0; }}
</style></head><body>
{slides}
<script>
addEventListener("keydown", event => {{
  const by = {{ArrowRight: 1, ArrowLeft: -1}}[event.key];
  if (by) {{ event.preventDefault(); scrollBy(0, by * innerHeight); }}
}});
</script>
</body></html>
"""


def make(folder: Path) -> list[Path]:
    """Runs, draws and writes; the files in the order of the slides, the page last.

    Raises OutputError where the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _write(folder)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ls.OutputError(f"{folder}: slides cannot be written here: {reason}; name another folder") from error


def _write(folder: Path) -> list[Path]:
    paths, pages = [], []
    for slide in SLIDES:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ls.ScenarioWarning)  # one scenario does on purpose what AWS advises against
            result = ls.simulate(SCENARIOS / f"{slide.scenario}.yaml", set=dict(slide.settings))
        path = folder / f"{slide.file}.png"
        getattr(result.plot, slide.picture)().figure.savefig(path, dpi=DPI)
        paths.append(path)
        answer = html.escape(f"{slide.letter(result.summary)}. {slide.answer(result.summary)}")
        pages += [
            f"<section><small>Lesson {slide.lesson}</small>{_asked(slide)}"
            "<p><small>Write down a letter and a number. Compare with your neighbour.</small></p></section>",
            f'<section><p>{html.escape(slide.question)}</p><img src="{path.name}" alt="{answer}"><p><b>{answer}</b></p>'
            "</section>",
        ]
    page = folder / "slides.html"
    page.write_text(_PAGE.format(slides="\n".join(pages)), encoding="utf-8")
    return [*paths, page]


def _asked(slide: Slide) -> str:
    """The question, its facts and what there is to vote on."""
    facts = "".join(f"<p>{html.escape(fact)}</p>" for fact in slide.facts)
    choices = "".join(f"<li>{html.escape(words)}</li>" for words, _ in slide.choices)
    return f"<h1>{html.escape(slide.question)}</h1>{facts}<ol>{choices}</ol>"


def main(arguments: Sequence[str] | None = None) -> int:
    """Makes the slides and names the files. The exit status is 2 where they cannot be written."""
    parser = argparse.ArgumentParser(
        prog="python docs/make_slides.py", description="Makes the slides of the workshop: ten pictures and slides.html."
    )
    parser.add_argument(
        "folder", metavar="FOLDER", nargs="?", type=Path, default=Path("out/slides"), help="default: out/slides"
    )
    try:
        written = make(parser.parse_args(arguments).folder)
    except ls.OutputError as error:
        print(error, file=sys.stderr)
        return 2
    print(*written, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
