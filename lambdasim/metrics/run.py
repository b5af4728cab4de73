"""One run: the scenario, its event log, and what is derived from the two. Everything that reports a run reads this."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from lambdasim.cost.run_cost import RunCost
from lambdasim.eventlog.log import EventLog
from lambdasim.metrics.async_events import async_block
from lambdasim.metrics.messages import queue_blocks, stream_blocks
from lambdasim.metrics.outcomes import RequestOutcomes, request_outcomes
from lambdasim.metrics.provisioned import has_provisioned, provisioned_block, provisioned_functions
from lambdasim.metrics.responses import Responses, responses, source_answers
from lambdasim.metrics.shared_pool import limits_over_run, most_concurrency
from lambdasim.metrics.slo import slo_block
from lambdasim.metrics.sources import source_blocks, tells_more
from lambdasim.metrics.summary import Summary, summary_blocks
from lambdasim.metrics.thrown_away import thrown_away
from lambdasim.scenario.changes import LimitsInForce
from lambdasim.scenario.load import fingerprint
from lambdasim.scenario.schema import Scenario
from lambdasim.units import to_seconds
from lambdasim.version import __version__


@dataclass(frozen=True, kw_only=True)
class Run:
    """A scenario that was simulated. ``wall_s`` is the real time that drawing and simulating took."""

    scenario: Scenario
    seed: int
    engine: str
    log: EventLog
    wall_s: float

    @cached_property
    def outcomes(self) -> RequestOutcomes:
        """What became of each request."""
        return request_outcomes(self.log)

    @cached_property
    def responses(self) -> Responses:
        """What the callers saw of each attempt and request."""
        return responses(self.log, self.outcomes, source_answers(self.scenario.traffic.values()))

    @property
    def shown_responses(self) -> Responses | None:
        """The same where it says more than the outcomes do: with a front end between callers and functions."""
        return self.responses if any(source.via is not None for source in self.scenario.traffic.values()) else None

    @cached_property
    def limits(self) -> list[LimitsInForce]:
        """Quota, reservations and provisioned concurrency in force, with what was provisioned in fact."""
        return limits_over_run(self.log, self.scenario.limits_in_force())

    @cached_property
    def summary(self) -> Summary:
        """The content of ``summary.json``: times in seconds, ratios in [0, 1], None where there is no data."""
        log = self.log
        quotas: dict[str, Any] = {"": self.scenario.region.concurrency_quota}
        quotas |= {name: function.reserved_concurrency for name, function in self.scenario.functions.items()}
        total = len(log.requests)
        blocks = summary_blocks(log, self.outcomes, self.responses, self.scenario.duration, quotas)
        if "async" in log.source_invokes:
            self._add_async(blocks)
        self._add_waiting_work(blocks)
        self._add_provisioned(blocks)
        self._add_sources(blocks)
        self._add_cost(blocks)
        content = {
            "scenario": {
                "name": self.scenario.name,
                "sha256": fingerprint(self.scenario.model_copy(update={"seed": self.seed})),
                "seed": self.seed,
                "profile": self.scenario.profile,
                "engine": self.engine,
                "version": __version__,
                "duration_s": to_seconds(self.scenario.duration),
                "simulated_s": to_seconds(log.end_ns),
                "partial": log.is_partial,
            },
            **blocks,
            "slo": slo_block(self.scenario.slo, blocks),
            "performance": {
                "wall_s": self.wall_s,
                "requests_per_s": total / self.wall_s if self.wall_s > 0 else None,
            },
        }
        return Summary(content)

    def _add_async(self, blocks: dict[str, Any]) -> None:
        """The ``async`` block of the whole and of each function, after the others."""
        most = partial(most_concurrency, self.limits)
        functions = blocks.pop("functions")
        blocks["async"] = async_block(self.log, self.outcomes, None, most)
        for number, name in enumerate(self.log.function_names):
            functions[name]["async"] = async_block(self.log, self.outcomes, number, most)
        blocks["functions"] = functions

    def _add_waiting_work(self, blocks: dict[str, Any]) -> None:
        """The blocks ``queues`` and ``streams``, where the scenario has them, before those of the functions."""
        functions = blocks.pop("functions")
        if self.scenario.queues:
            blocks["queues"] = queue_blocks(self.log, self.scenario)
        if self.scenario.streams:
            blocks["streams"] = stream_blocks(self.log, self.scenario)
        blocks["functions"] = functions

    def _add_provisioned(self, blocks: dict[str, Any]) -> None:
        """The block ``provisioned`` of the whole and of each function that has some, before those of the functions."""
        if not has_provisioned(self.log):
            return
        until_ns = min(self.scenario.duration, self.log.end_ns)
        functions = blocks.pop("functions")
        blocks["provisioned"] = provisioned_block(self.log, None, until_ns)
        for number in provisioned_functions(self.log):
            functions[self.log.function_names[number]]["provisioned"] = provisioned_block(self.log, number, until_ns)
        blocks["functions"] = functions

    def _add_sources(self, blocks: dict[str, Any]) -> None:
        """The block ``sources``, where it says more than the whole, before those of the functions."""
        if tells_more(self.scenario.traffic):
            functions = blocks.pop("functions")
            blocks["sources"] = source_blocks(self.log, self.outcomes)
            blocks["functions"] = functions

    def _add_cost(self, blocks: dict[str, Any]) -> None:
        """What the run cost, before the blocks of the functions, and what each of them cost."""
        functions = blocks.pop("functions")
        cost = RunCost(self.log, self.scenario, thrown_away(self.log))
        blocks |= cost.blocks()
        for name, block in functions.items():
            block |= cost.blocks(name)
        blocks["functions"] = functions
