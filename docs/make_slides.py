"""Makes the slides of the workshop: ``python docs/make_slides.py [FOLDER]``, by default into ``out/slides``.

A question with room for guesses, then the picture that answers it, and so on through the lessons: PNG files 2,000 px
wide to use anywhere, and ``slides.html`` to show full screen (space and page keys go on; printing gives one slide a
page). Every number of an answer is from the run.
"""

from __future__ import annotations

import html
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lambdasim as ls

SCENARIOS = Path(__file__).parent.parent / "scenarios"
DPI = 200  # the pictures are 1000 px wide at 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Slide:
    """A question, the run and the picture that answer it, and the answer, made from the summary of the run."""

    file: str
    lesson: int
    question: str
    scenario: str
    picture: str
    answer: Callable[[Any], str]
    settings: tuple[tuple[str, object], ...] = ()


SLIDES = (
    Slide(
        file="1-environments",
        lesson=1,
        question="Seven requests, some of them at once. How many start cold?",
        scenario="first-invocations",
        picture="lifelines",
        answer=lambda s: (
            f"{s['invocations']['cold_starts']} of {s['requests']['total']}: as many as were in flight at"
            " once. One environment serves one request at a time."
        ),
    ),
    Slide(
        file="2-concurrency",
        lesson=2,
        question="100 requests per second of 500 ms: how many are in flight?",
        scenario="littles-law",
        picture="concurrency",
        answer=lambda s: (
            f"{s['concurrency']['mean']:.1f} on average, {s['concurrency']['peak']} at the peak. Limits see the peak."
        ),
    ),
    Slide(
        file="3-spike",
        lesson=3,
        question="20/s become 800/s of 1 s each. The quota is 1,000. How many are refused?",
        scenario="spike",
        picture="concurrency",
        answer=lambda s: (
            f"{s['requests']['throttled']:,} of {s['requests']['total']:,}, all in the cold wave: at first"
            " everybody waits for an init as well."
        ),
    ),
    Slide(
        file="3-short-init",
        lesson=3,
        question="The same, but the init takes 200 ms. And now?",
        scenario="spike",
        picture="concurrency",
        settings=(("functions.api.init", "200ms"),),
        answer=lambda s: f"{s['requests']['throttled']:,} refused. The init decides how high the wave is.",
    ),
    Slide(
        file="4-shared-quota",
        lesson=4,
        question="api needs 10 of 1,000. An import takes the rest. What becomes of api?",
        scenario="shared-quota",
        picture="concurrency",
        answer=lambda s: (
            f"{s['functions']['api']['requests']['throttled']:,} of its requests are refused. All functions"
            " of an account share one quota in a region."
        ),
    ),
    Slide(
        file="4-reserved",
        lesson=4,
        question="100 of the 1,000 are reserved for api. Who pays?",
        scenario="reserved",
        picture="concurrency",
        answer=lambda s: (
            f"api loses {s['functions']['api']['requests']['throttled']:,}, the import"
            f" {s['functions']['import']['requests']['throttled']:,}. What is reserved is taken from the others."
        ),
    ),
    Slide(
        file="5-retries",
        lesson=5,
        question="A rush beyond the quota, and callers that never give up. How many are lost?",
        scenario="throttle-and-retry",
        picture="outcomes",
        answer=lambda s: (
            f"{s['requests']['throttled']:,} lost, at the price of {s['attempts']['throttles']:,} refused"
            " attempts. Late, not lost."
        ),
    ),
    Slide(
        file="5-events",
        lesson=5,
        question="The same as asynchronous events. Who notices?",
        scenario="async-throttled",
        picture="backlog",
        answer=lambda s: (
            f"{s['requests']['dropped']:,} events are lost. The callers had their 202 at once; the work is late."
        ),
    ),
    Slide(
        file="5-dead-letters",
        lesson=5,
        question="1,200 messages, 2 units, a handler that never fails. How many end as dead letters?",
        scenario="sqs-poison-by-throttle",
        picture="receives",
        answer=lambda s: f"{s['requests']['dropped']:,}. A receive counts even if the function was throttled.",
    ),
    Slide(
        file="6-28-percent",
        lesson=6,
        question="10 provisioned environments, 4.2 in flight on average. Which share spills over?",
        scenario="provisioned-28-percent",
        picture="provisioned",
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
img {{ min-height: 0; max-width: 100%; object-fit: contain; }}
@page {{ size: 297mm 167mm; margin: 0; }}
</style></head><body>
{slides}
</body></html>
"""


def make(folder: Path) -> list[Path]:
    """Runs, draws and writes; the files in the order of the slides, the page last."""
    folder.mkdir(parents=True, exist_ok=True)
    paths, pages = [], []
    for slide in SLIDES:
        result = ls.simulate(SCENARIOS / f"{slide.scenario}.yaml", set=dict(slide.settings))
        path = folder / f"{slide.file}.png"
        getattr(result.plot, slide.picture)().figure.savefig(path, dpi=DPI)
        paths.append(path)
        question, answer = html.escape(slide.question), html.escape(slide.answer(result.summary))
        pages += [
            f"<section><small>Lesson {slide.lesson}</small><h1>{question}</h1>"
            "<p>Write down a number. Compare with your neighbour.</p></section>",
            f'<section><p>{question}</p><img src="{path.name}" alt="{answer}"><p><b>{answer}</b></p></section>',
        ]
    page = folder / "slides.html"
    page.write_text(_PAGE.format(slides="\n".join(pages)), encoding="utf-8")
    return [*paths, page]


if __name__ == "__main__":
    for written in make(Path(sys.argv[1] if len(sys.argv) > 1 else "out/slides")):
        print(written)
