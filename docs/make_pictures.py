"""Makes the pictures of the documentation, each with the program itself: ``python docs/make_pictures.py``.

Run it from anywhere after a change that moves numbers or looks; then look at them.
"""

from __future__ import annotations

from pathlib import Path

import yaml
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

import lambdasim as ls
from lambdasim.report.pictures.style import Colour, Header, legend, open_axes, style
from lambdasim.theory import erlang_b

DOCS = Path(__file__).parent
SCENARIOS = DOCS.parent / "scenarios"

# File in docs/images -> (scenario, settings, method of ``result.plot``).
PICTURES: dict[str, tuple[str, dict[str, object], str]] = {
    "spike-concurrency.png": ("spike", {}, "concurrency"),
    "retry-storm-outcomes.png": ("retry-storm", {}, "outcomes"),
    "gateway-timeout-latency.png": ("gateway-timeout", {}, "latency"),
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

# The page whose first scenario the frontier is of.
FRONTIER_PAGE = DOCS / "how-much-provisioned-concurrency.md"


def main() -> None:
    for file, (scenario, settings, picture) in PICTURES.items():
        result = ls.simulate(SCENARIOS / f"{scenario}.yaml", set=settings)
        axes = getattr(result.plot, picture)()
        axes.figure.savefig(DOCS / "images" / file)
        print(file)
    page = FRONTIER_PAGE.read_text(encoding="utf-8")
    scenario = yaml.safe_load(page.partition("```yaml orders.yaml\n")[2].partition("```")[0])
    ls.frontier(scenario).plot().figure.savefig(DOCS / "images" / "frontier.png")
    print("frontier.png")
    # One frame of the animation: the second in which the quota is full.
    film = ls.simulate(SCENARIOS / "spike.yaml").animate(start="29s", end="36s", seconds=7, fps=6)
    (DOCS / "images" / ANIMATION).write_bytes(film.frames[film.poster])
    print(ANIMATION)
    throttle_ratios().figure.savefig(DOCS / "images" / "erlang-b.png")
    print("erlang-b.png")


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


if __name__ == "__main__":
    main()
