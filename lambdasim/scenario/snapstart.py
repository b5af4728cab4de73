"""SnapStart of a function: each new environment is restored from a snapshot of an initialised one.

The init takes place when a version is published, before the run. AWS's pages: lambda/latest/dg/snapstart.html and
snapstart-monitoring.html (read 2026).
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator

from lambdasim.errors import RuleViolation
from lambdasim.scenario.distributions import Distribution, Lognormal
from lambdasim.scenario.fields import Model, Ratio

# The oldest managed runtimes that AWS offers SnapStart for (snapstart page, read 2026): version by language.
OLDEST_RUNTIMES = {"java": (11,), "python": (3, 12), "dotnet": (8,)}


class SnapStart(Model):
    """How long a new environment takes to be restored, and how much of that is billed."""

    # MODEL: hello-world functions in Java, 256 to 1,024 MB, x86_64: medians of 580 to 665 ms, sigma about 0.12.
    # Source: https://github.com/maxday/lambda-perf (November 2024 to March 2025). For other code it is a guess.
    restore: Distribution = Lognormal.model_validate({"lognormal": {"p50": "620ms", "sigma": 0.12}})
    # MODEL: weak; AWS bills loading the runtime and running hooks, and two published log lines say 46 % and 16 %.
    billed: Ratio = 0.45


def _switched(value: Any) -> Any:
    """``true`` is a mapping without a key, ``false`` is nothing."""
    if isinstance(value, bool):
        return {} if value else None
    if value is None or isinstance(value, dict | SnapStart):
        return value
    raise RuleViolation("must be true, false or a mapping", "for example true")


# SnapStart of a function, or None where it is off.
SnapStartSwitch = Annotated[SnapStart | None, BeforeValidator(_switched)]


def is_supported_runtime(runtime: str) -> bool:
    """Whether AWS offers SnapStart for a managed runtime, by its name."""
    match = re.fullmatch(r"([a-z]+)(\d+(?:\.\d+)*)", runtime)
    if match is None or match.group(1) not in OLDEST_RUNTIMES:
        return False
    version = tuple(int(part) for part in match.group(2).split("."))
    return version >= OLDEST_RUNTIMES[match.group(1)]
