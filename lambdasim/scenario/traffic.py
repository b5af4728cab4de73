"""Who sends requests, and how often. Words are those of k6 where it has one; what callers do is in ``clients``."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BeforeValidator, Field, model_validator

from lambdasim.errors import RuleViolation
from lambdasim.scenario.arrival_laws import ArrivalLaw
from lambdasim.scenario.artillery import ArtilleryPhases, course_of, phases_of
from lambdasim.scenario.clients import Client
from lambdasim.scenario.data_files import Trace, read_trace
from lambdasim.scenario.distributions import Distribution
from lambdasim.scenario.fields import Model, Rate
from lambdasim.scenario.front_end import FrontEndOrName
from lambdasim.scenario.k6 import K6
from lambdasim.scenario.rate_course import RateCourse, constant, through_stages
from lambdasim.scenario.rate_function import RateFunction, RateOrFunction
from lambdasim.scenario.shapes import Shape, Stage
from lambdasim.scenario.virtual_users import VirtualUsers, VirtualUsersOrCount
from lambdasim.scenario.warmer import Warmer

# The ways to say when requests come; a source has one of them.
WAYS = ("rate", "stages", "shape", "trace", "virtual_users", "k6", "artillery", "warmer")


# What comes of a call that does not wait for the function.
_WHO_ANSWERS = {
    "async": "the caller of an event gets 202 at once; the function's async says more",
    "sqs": "the sender of a message is done once the queue has it; the queue says more",
    "stream": "the sender of a record is done once the stream has it; the stream says more",
}


class TrafficSource(Model):
    """One stream of requests to one function: at a rate, as recorded, from virtual users, or from a warmer."""

    function: str
    invoke: Literal["sync", "async", "sqs", "stream"] = "sync"
    queue: str | None = None
    stream: str | None = None
    rate: RateOrFunction | None = None
    start_rate: Rate | None = None
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)] | None = None
    shape: Shape | None = None
    trace: Annotated[Trace, BeforeValidator(read_trace)] | None = None
    k6: K6 | None = None
    artillery: ArtilleryPhases | None = None
    warmer: Warmer | None = None
    arrivals: ArrivalLaw = "poisson"
    virtual_users: VirtualUsersOrCount | None = None
    think_time: Distribution | None = None
    via: FrontEndOrName | None = None
    client: Client = Client()

    @model_validator(mode="after")
    def _one_way_to_say_when(self) -> TrafficSource:
        ways = [key for key in WAYS if getattr(self, key) is not None]
        if len(ways) != 1:
            got = f"has {' and '.join(ways)}" if ways else "has none of them"
            raise RuleViolation(f"must have exactly one of {', '.join(WAYS[:-1])} or {WAYS[-1]}; it {got}", "")
        if self.start_rate is not None and ways != ["stages"]:
            raise RuleViolation("must not have start_rate without stages", "write stages, or drop start_rate")
        if ways == ["trace"] and "arrivals" in self.model_fields_set:
            raise RuleViolation("must not have arrivals beside a trace", "the trace says when each request comes")
        if ways == ["warmer"] and "arrivals" in self.model_fields_set:
            raise RuleViolation("must not have arrivals beside a warmer", "the warmer says when each ping comes")
        return self

    @model_validator(mode="after")
    def _users_think(self) -> TrafficSource:
        if self.users is None:
            if self.think_time is not None:
                raise RuleViolation("must not have think_time without virtual_users", "")
            return self
        if self.think_time is None:
            rule = f"must have a think_time beside {'virtual_users' if self.k6 is None else 'the virtual users of k6'}"
            raise RuleViolation(rule, "how long a user waits after an answer, for example think_time: 5s")
        if "arrivals" in self.model_fields_set:
            rule = f"must not have arrivals beside {'virtual_users' if self.k6 is None else 'the virtual users of k6'}"
            raise RuleViolation(rule, "answers say when each request comes")
        return self

    @model_validator(mode="after")
    def _nobody_waits_for_queued_work(self) -> TrafficSource:
        if self.invoke != "sync":
            for key, value in (("client", self.client != Client()), ("via", self.via), ("virtual_users", self.users)):
                if value:
                    raise RuleViolation(f"must not have {key} beside invoke: {self.invoke}", _WHO_ANSWERS[self.invoke])
        return self

    @model_validator(mode="after")
    def _sends_to_what_it_invokes_through(self) -> TrafficSource:
        for key, value, invoke in (("queue", self.queue, "sqs"), ("stream", self.stream, "stream")):
            if value is not None and self.invoke != invoke:
                raise RuleViolation(f"must not have {key} beside invoke: {self.invoke}", f"write invoke: {invoke}")
            if value is None and self.invoke == invoke:
                raise RuleViolation(f"must have a {key} beside invoke: {invoke}", f"the name of one under {key}s")
        return self

    @model_validator(mode="after")
    def _pings_call_the_function(self) -> TrafficSource:
        if self.warmer is not None and self.invoke not in ("sync", "async"):
            rule = f"must not have a warmer beside invoke: {self.invoke}"
            raise RuleViolation(rule, "a ping calls the function itself; write invoke: sync or async")
        return self

    @property
    def target(self) -> str | None:
        """The queue or stream to which it sends; None where it invokes the function itself."""
        return self.queue if self.invoke == "sqs" else self.stream

    @property
    def users(self) -> VirtualUsers | None:
        """The virtual users of this source; None where requests come whatever became of the ones before."""
        return self.virtual_users if self.k6 is None else self.k6.users

    @property
    def arrival_law(self) -> ArrivalLaw:
        """How requests come at the rate: as stated, else at random, but evenly spaced as load testers send them.

        Sources: https://grafana.com/docs/k6/latest/using-k6/scenarios/executors/ramping-arrival-rate/ (iteration starts
        are spaced fractionally); Artillery's packages/core/lib/phases.js (mode uniform); both read 2026-11.
        """
        is_load_test = self.k6 is not None or self.artillery is not None
        return "uniform" if is_load_test and "arrivals" not in self.model_fields_set else self.arrivals

    @property
    def has_rate(self) -> bool:
        """Whether requests come at a rate; else as recorded, when a warmer pings, or when virtual users send."""
        return self.trace is None and self.warmer is None and self.users is None

    def known_times_ns(self, duration_ns: int) -> npt.NDArray[np.int64] | None:
        """Arrivals in [0, duration) of a trace or a warmer, which are known before the run; None of other sources."""
        if self.trace is not None:
            return self.trace.time_ns[: np.searchsorted(self.trace.time_ns, duration_ns, side="left")]
        return None if self.warmer is None else self.warmer.pings_ns(duration_ns)

    def rate_course(self, duration_ns: int) -> RateCourse:
        """The rate over [0, duration); a source that has none stays at 0."""
        if isinstance(self.rate, RateFunction):
            return self.rate.course()
        if self.shape is not None:
            return self.shape.form.course(duration_ns)
        if self.k6 is not None:
            return self.k6.course()
        if self.artillery is not None:
            return course_of(phases_of(self.artillery))
        if self.stages is not None:
            moves = ((stage.duration, stage.target) for stage in self.stages)
            return through_stages(self.start_rate or 0.0, moves)
        return constant(self.rate or 0.0)

    @property
    def length_ns(self) -> int | None:
        """When the last stage, phase or step is over; None where nothing of the kind is stated."""
        if self.shape is not None:
            return self.shape.form.length_ns
        if self.k6 is not None:
            return self.k6.length_ns
        if self.artillery is not None:
            return sum(phase.length_ns for phase in phases_of(self.artillery))
        stages = self.stages or (self.virtual_users.stages if self.virtual_users is not None else ())
        return sum(stage.duration for stage in stages) if stages else None
