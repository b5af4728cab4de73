"""Makes the pictures of the documentation, each with the program itself: ``python docs/make_pictures.py``.

Run it from anywhere after a change that moves numbers or looks; then look at them.
"""

from __future__ import annotations

from pathlib import Path

import yaml

import lambdasim as ls

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


if __name__ == "__main__":
    main()
