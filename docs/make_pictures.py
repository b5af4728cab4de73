"""Makes the pictures of the documentation, each with the program itself: ``python docs/make_pictures.py``.

Run it from anywhere after a change that moves numbers or looks; then look at them.
"""

from __future__ import annotations

from pathlib import Path

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
}


def main() -> None:
    for file, (scenario, settings, picture) in PICTURES.items():
        result = ls.simulate(SCENARIOS / f"{scenario}.yaml", set=settings)
        axes = getattr(result.plot, picture)()
        axes.figure.savefig(DOCS / "images" / file)
        print(file)


if __name__ == "__main__":
    main()
