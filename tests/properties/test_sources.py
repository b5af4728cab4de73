"""The figures of the traffic sources make up those of the whole run."""

from __future__ import annotations

from hypothesis import given

from lambdasim.metrics.outcomes import Outcome, request_outcomes
from lambdasim.metrics.sources import source_blocks
from tests.builders import log_of
from tests.properties.plans import Plan, build
from tests.strategies import event_plans, plans, queue_plans


@given(plans() | event_plans() | queue_plans())
def test_the_sources_make_up_the_whole(plan: Plan) -> None:
    """Requests by outcome, attempts and cold starts: the sum over the sources is that of the log."""
    log = log_of(build(plan))
    outcomes = request_outcomes(log)
    blocks = source_blocks(log, outcomes).values()
    for outcome in Outcome:
        assert sum(block["requests"][outcome.key] for block in blocks) == (outcomes.outcome == outcome).sum()
    assert sum(block["requests"]["total"] for block in blocks) == len(log.requests)
    assert sum(block["throttles"] for block in blocks) == len(log.throttles)
    assert sum(block["invocations"] for block in blocks) == len(log.invocations)
    assert sum(block["cold_starts"] for block in blocks) == log.invocations.is_cold.sum()
    assert sum(block["latency_s"]["count"] for block in blocks) == (outcomes.outcome == Outcome.COMPLETED).sum()
