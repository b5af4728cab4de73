"""Who sends requests, and how often. Words are those of k6 where it has one; what callers do is in ``clients``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from lambdasim.errors import RuleViolation
from lambdasim.scenario.clients import Client
from lambdasim.scenario.data_files import Trace, read_trace
from lambdasim.scenario.fields import Model, PositiveRate, Rate
from lambdasim.scenario.shapes import Shape, Stage


class TrafficSource(Model):
    """One stream of requests to one function: a constant rate, stages, a shape, or a recorded trace."""

    function: str
    invoke: Literal["sync"] = "sync"
    rate: PositiveRate | None = None
    start_rate: Rate | None = None
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)] | None = None
    shape: Shape | None = None
    trace: Annotated[Trace, BeforeValidator(read_trace)] | None = None
    arrivals: Literal["poisson", "uniform"] = "poisson"
    client: Client = Client()

    @model_validator(mode="after")
    def _one_way_to_say_when(self) -> TrafficSource:
        ways = [key for key in ("rate", "stages", "shape", "trace") if getattr(self, key) is not None]
        if len(ways) != 1:
            got = f"has {' and '.join(ways)}" if ways else "has none of them"
            raise RuleViolation(f"must have exactly one of rate, stages, shape or trace; it {got}", "")
        if self.start_rate is not None and ways != ["stages"]:
            raise RuleViolation("must not have start_rate without stages", "write stages, or drop start_rate")
        if ways == ["trace"] and "arrivals" in self.model_fields_set:
            raise RuleViolation("must not have arrivals beside a trace", "the trace says when each request comes")
        return self

    def rate_stages(self) -> tuple[float, tuple[Stage, ...]]:
        """Rate at time 0 (requests per second) and the stages after it; a trace has none and starts at 0."""
        if self.rate is not None:
            return self.rate, ()
        if self.shape is not None:
            return self.shape.spike.baseline, self.shape.spike.stages()
        return self.start_rate or 0.0, self.stages or ()
