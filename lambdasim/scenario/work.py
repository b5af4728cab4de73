"""Work of a handler by what it needs: time on a processor, which memory buys, and waiting, which it does not.

How memory turns it into a duration is a rule of the platform (``platform.compute``).
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from lambdasim.scenario.distributions import FORMS, Constant, Distribution, greatest_ns
from lambdasim.scenario.fields import Model

MOST_THREADS = 6  # 10,240 MB have about 6 vCPUs


class Work(Model):
    """Work of a handler: time on one full vCPU, and time that passes without one."""

    cpu: Distribution
    io: Distribution = Constant(constant=0)
    threads: Annotated[int, Field(ge=1, le=MOST_THREADS, strict=True)] = 1


def _kind_of(value: Any) -> str:
    if isinstance(value, Work):
        return "work"
    return "work" if isinstance(value, dict) and any(map(_is_of_work, value)) else "time"


def _is_of_work(key: Any) -> bool:
    """Whether a key is meant as one of Work's: slips such as CPU and cpus are told in its words."""
    name = str(key).lower()
    return name not in FORMS and bool(get_close_matches(name, Work.model_fields, n=1))


# How long a handler works on one request: a distribution of times, or what it needs.
HandlerDuration = Annotated[
    Annotated[Work, Tag("work")] | Annotated[Distribution, Tag("time")],
    Discriminator(_kind_of),
]


def is_no_time(duration: Distribution | Work) -> bool:
    """Whether a duration can only be 0."""
    parts = (duration.cpu, duration.io) if isinstance(duration, Work) else (duration,)
    return all(greatest_ns(part) == 0 for part in parts)
