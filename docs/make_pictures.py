"""Makes the pictures of the documentation, each with the program itself: ``python docs/make_pictures.py``.

Run it from anywhere after a change that moves numbers or looks; then look at them. Each file holds the words of its
picture, figures included, as its description: a test compares them with what a run says today.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter, StrMethodFormatter

import lambdasim as ls
from lambdasim.report.pictures.style import Colour, Header, legend, open_axes, style
from lambdasim.theory import erlang_b

DOCS = Path(__file__).parent
SCENARIOS = DOCS.parent / "scenarios"

# File in docs/images -> (scenario, settings, method of ``result.plot``).
PICTURES: dict[str, tuple[str, dict[str, object], str]] = {
    "spike-concurrency.png": ("spike", {}, "concurrency"),
    "retry-storm-outcomes.png": ("retry-storm", {}, "outcomes"),
    "gateway-timeout-outcomes.png": ("gateway-timeout", {}, "outcomes"),
    "shared-quota-concurrency.png": ("shared-quota", {}, "concurrency"),
    "reserved-concurrency.png": ("reserved", {}, "concurrency"),
    "async-throttled-backlog.png": ("async-throttled", {}, "backlog"),
    "async-errors-retry-ladder.png": ("async-errors", {}, "retry_ladder"),
    "sqs-backlog-queues.png": ("sqs-backlog", {}, "queues"),
    "sqs-poison-by-throttle-receives.png": ("sqs-poison-by-throttle", {}, "receives"),
    "provisioned-28-percent.png": ("provisioned-28-percent", {}, "provisioned"),
}

ANIMATION = "animation-spike.png"

# The page, and the name of the scenario on it, that the frontier is of.
FRONTIER_PAGE, FRONTIER_SCENARIO = DOCS / "how-much-provisioned-concurrency.md", "orders.yaml"


def main() -> None:
    for file, picture in pictures():
        save(picture, DOCS / "images" / file)
        print(file)
    # One frame of the animation: the second in which the quota is full.
    film = ls.simulate(SCENARIOS / "spike.yaml").animate(start="29s", end="36s", seconds=7, fps=6)
    (DOCS / "images" / ANIMATION).write_bytes(film.frames[film.poster])
    print(ANIMATION)


def pictures() -> Iterator[tuple[str, Axes]]:
    """Each picture by the name of its file."""
    orders = scenario_on_page(FRONTIER_PAGE.read_text(encoding="utf-8"), FRONTIER_SCENARIO)
    if orders is None:
        sys.exit(f"{FRONTIER_PAGE.name}: has no block that begins with ```yaml {FRONTIER_SCENARIO}; name it so again")
    for file, (scenario, settings, picture) in PICTURES.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ls.ScenarioWarning)  # one scenario does what AWS advises against
            result = ls.simulate(SCENARIOS / f"{scenario}.yaml", set=settings)
        yield file, getattr(result.plot, picture)()
    yield "frontier.png", ls.frontier(orders).plot()
    yield "erlang-b.png", throttle_ratios()
    yield "cold-wave.png", cold_wave()


def save(picture: Axes, path: Path) -> None:
    """Writes a picture, with its words."""
    picture.figure.savefig(path, metadata={"Description": words_of(picture), "Software": None})


def words_of(picture: Axes) -> str:
    """All that a picture says, its panels included: titles, headers, names of axes, labels, legends; one a line."""
    words = []
    for axes in _with_panels(picture.figure.axes):
        legend = axes.get_legend()
        entries = [] if legend is None else legend.get_texts()
        words += [axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel()]
        words += [text.get_text() for text in (*axes.texts, *entries)]
    return "\n".join(filter(None, words))


def _with_panels(several: Iterable[Axes]) -> Iterator[Axes]:
    for axes in several:
        yield axes
        yield from _with_panels(axes.child_axes)


def scenario_on_page(page: str, name: str) -> dict[str, Any] | None:
    """The scenario in the block of a page that has this name; None where there is none."""
    block = re.search(rf"^```yaml {re.escape(name)}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    scenario: dict[str, Any] | None = None if block is None else yaml.safe_load(block[1])
    return scenario


def throttle_ratios() -> Axes:
    """Share of refused requests against the limit: Erlang's curves, and a run for each point."""
    top = Header(
        title="How many requests a limit refuses",
        description="Lines: Erlang B. Points: one run each of about 20,000 requests, durations exponential, no init.",
        facts="load = rate × mean duration · seed 1",
    )
    colours = (Colour.BUSY, Colour.WARM, Colour.THROTTLED)
    with style():
        axes = open_axes(None, top)
        entries = []
        for load, colour in zip((10, 50, 200), colours, strict=True):
            limits = range(round(load * 0.5), round(load * 1.5) + 1)
            shares = [limit / load for limit in limits]
            (line,) = axes.plot(shares, [erlang_b(limit, load) for limit in limits], color=colour)
            tried = [round(load * share) for share in (0.6, 0.8, 1.0, 1.1, 1.2)]
            points = [refused_share(load, limit) for limit in tried]
            axes.plot([limit / load for limit in tried], points, "o", color=colour, markersize=6)
            entries.append((line, f"load {load}"))
        legend(axes, entries)
        axes.set_xlabel("limit / load")
        axes.set_ylabel("share of requests refused")
        axes.set_xlim(0.5, 1.5)
        axes.set_ylim(0, None)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.grid(axis="y")
    return axes


def refused_share(load: int, limit: int) -> float:
    """Of one run: requests of 1 s on average, as many a second as the load says, on a limit of its own."""
    requests = ls.simulate(
        {
            "duration": f"{20_000 // load}s",
            "region": {"concurrency_quota": 10_000},
            "functions": {
                "f": {
                    "duration": {"exponential": {"mean": "1s"}},
                    "init": "0s",
                    "reserved_concurrency": limit,
                }
            },
            "traffic": {"t": {"function": "f", "rate": f"{load}/s"}},
        },
        seed=1,
    ).summary["requests"]
    return float(requests["throttled"] / requests["total"])


def cold_wave() -> Axes:
    """The first seconds of the spike. The handout prints it 9 cm wide: few words, and none too small to read there."""
    attempts = ls.simulate(SCENARIOS / "spike.yaml").attempts
    refused = attempts["result"] == "throttled"
    accepted, refused_s = attempts[~refused], attempts["time_s"][refused]
    times_s = np.linspace(28, 40, 601)
    came, started, ended = (
        np.searchsorted(np.sort(accepted[name]), times_s, side="right") for name in ("time_s", "handler_s", "end_s")
    )
    with style():
        axes = Figure(figsize=(4, 2.1), dpi=300).add_axes((0.165, 0.2, 0.815, 0.76))
        axes.stackplot(times_s, started - ended, came - started, colors=(Colour.BUSY.value, Colour.COLD.value))
        axes.axhline(1_000, color=Colour.CEILING, linestyle="--", linewidth=1)
        axes.vlines(refused_s, 1_060, 1_120, color=Colour.THROTTLED, linewidth=0.5)
        axes.text(28.1, 1_020, "quota: 1,000")
        axes.text(34.3, 1_090, f"{len(refused_s):,} refused", va="center", color=Colour.THROTTLED)
        axes.text(31.1, 560, "waiting\nfor an init", ha="right", va="center")
        axes.text(37, 400, "in the handler", ha="center", va="center", color="white")
        axes.set(xlim=(28, 40), ylim=(0, 1_200), xlabel="time since the start (s)", ylabel="requests in flight")
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.tick_params(labelsize=8)
        for words in (axes.xaxis.label, axes.yaxis.label, *axes.texts):
            words.set_fontsize(8.5)
    return axes


if __name__ == "__main__":
    main()
