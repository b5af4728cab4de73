"""One small run that every test of this folder can do by hand.

Three requests at 0 and one at 10 s on a quota of 2: the third is refused, the fourth finds a warm environment. An init
takes 0.5 s and the work 1 s, so that the latencies are 1.5, 1.5 and 1 s.
"""

from __future__ import annotations

from typing import Any

from lambdasim.scenario.schema import Scenario
from tests.builders import scenario

# 1 GB x (3 x 1 s of work + 2 x 0.5 s of init) = 4 GB-s at 0.0000166667, and 3 requests at 0.0000002 US dollars.
COST = 4 * 0.0000166667 + 3 * 0.0000002
# With a third environment: 4 x 1 s + 3 x 0.5 s = 5.5 GB-s, and 4 requests.
COST_OF_THREE = 5.5 * 0.0000166667 + 4 * 0.0000002


def house(**parts: Any) -> Scenario:
    """The scenario, with other parts where they are given."""
    usual: dict[str, Any] = {
        "name": "house",
        "functions": {"f": {"duration": "1s", "init": "500ms", "memory": "1024MB"}},
        "rows": [0, 0, 0, 10],
        "region": {"concurrency_quota": 2},
        "duration": "20s",
        "seed": 3,
    }
    return scenario(**(usual | parts))
