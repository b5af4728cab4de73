"""One run: the scenario, its event log, and what is derived from the two. Everything that reports a run reads this."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from lambdasim.eventlog.log import EventLog
from lambdasim.metrics.async_events import async_block
from lambdasim.metrics.messages import most_concurrency, queue_blocks, stream_blocks
from lambdasim.metrics.outcomes import RequestOutcomes, request_outcomes
from lambdasim.metrics.responses import Responses, responses, source_answers
from lambdasim.metrics.slo import slo_block
from lambdasim.metrics.summary import Summary, summary_blocks
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
        most = partial(most_concurrency, self.scenario)
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
