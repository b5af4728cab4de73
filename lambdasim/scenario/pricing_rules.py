"""What of a scenario's own prices has no effect."""

from __future__ import annotations

from collections.abc import Iterator

from lambdasim.scenario.rules import Finding
from lambdasim.scenario.schema import Scenario

# Whose prices are taken for what a region lacks, so that a table with some always matters.
_TAKEN_ELSEWHERE = "us-east-1"


def find_risks_of_pricing(scenario: Scenario) -> Iterator[Finding]:
    """A table whose prices are those of other regions."""
    file, region = scenario.pricing.table, scenario.region.name
    if file is None or not file.table.regions or {region, _TAKEN_ELSEWHERE} & file.table.regions.keys():
        return
    others = ", ".join(file.table.regions)
    message = f"has prices of {others}, but none of {region}, which is region.name; they have no effect"
    yield Finding(path=("pricing", "table"), message=message)
