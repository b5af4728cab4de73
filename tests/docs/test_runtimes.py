"""The table of the inits of runtimes on the reference page is that of the data file."""

from __future__ import annotations

import re

from lambdasim.scenario.runtimes import runtime_inits
from tests.docs.pages import text_of


def test_the_reference_shows_every_init_of_the_table() -> None:
    """Median, 99th percentile and maximum in milliseconds, row by row."""
    section = text_of("scenario-reference.md").partition("### Inits of runtimes")[2].partition("\n### ")[0]
    shown = re.findall(r"^\| `(\S+)` \| `(\w+)` \| `(\w+)` \| (\d+) \| (\d+) \| ([\d,]+) \|$", section, re.MULTILINE)
    expected = [
        (key.runtime, key.package, key.architecture, *(f"{times[name] // 10**6:,}" for name in ("p50", "p99", "p100")))
        for key, times in runtime_inits().items()
    ]
    assert shown == expected
