"""The figures of provisioned concurrency fit together in any run, and the summary for people can say them."""

from __future__ import annotations

import io

import numpy as np
from hypothesis import given

from lambdasim.metrics.cloudwatch import cloudwatch_metrics
from lambdasim.metrics.provisioned import (
    capacity_of,
    has_provisioned,
    increases,
    provisioned_functions,
    spilled_rows,
)
from lambdasim.metrics.run import Run
from lambdasim.metrics.shared_pool import peak_claimed
from lambdasim.platform.provisioned import CapacityStatus
from lambdasim.report.text import print_summary
from tests.builders import log_of
from tests.properties.plans import Plan, build
from tests.strategies import autoscaling_plans, capacity_plans, slow_init_plans

PLANS = capacity_plans() | autoscaling_plans() | slow_init_plans()


def run_of(plan: Plan) -> Run:
    """The plan on the engine."""
    made = build(plan)
    return Run(scenario=made, seed=1, engine="simpy", log=log_of(made), wall_s=1.0)


@given(PLANS)
def test_figures_fit_together(plan: Plan) -> None:
    """Provisioned and spilled are all invocations of a function while it has some; the whole is the sum."""
    run = run_of(plan)
    log, summary = run.log, run.summary
    assert ("provisioned" in summary) == has_provisioned(log)
    if not has_provisioned(log):
        return
    served, admitted = log.is_on_provisioned, log.invocations.admitted_ns
    assert not served[spilled_rows(log)].any()
    assert np.array_equal(log.invocations.admitted_ns[spilled_rows(log)], log.spillovers.time_ns)
    blocks = []
    for number in provisioned_functions(log):
        block = summary["functions"][log.function_names[number]]["provisioned"]
        mine = log.invocations.function == number
        capacity = capacity_of(log, number)
        has_some = capacity.requested_at(admitted[mine]) > 0
        assert block["invocations"] + block["spillovers"] == np.count_nonzero(has_some)
        assert block["invocations"] == np.count_nonzero(served & mine)
        assert np.all(capacity.allocated <= capacity.requested)
        assert block["peak_busy"] <= block["peak_allocated"] + block["peak_requested"]
        blocks.append(block)
        for one in increases(log, number):
            assert one.units > one.before
            assert one.ready_ns is None or (one.ready_ns >= one.asked_ns and not one.has_failed)
    whole = summary["provisioned"]
    for key in ("initial", "invocations", "spillovers", "spillover_cold_starts"):
        assert whole[key] == sum(block[key] for block in blocks)
    assert whole["spillovers"] == sum(whole["spillovers_by_reason"].values())


@given(PLANS)
def test_nothing_is_awaited_where_the_status_is_ready(plan: Plan) -> None:
    """A request for more is still open when the run ends if and only if the status is IN_PROGRESS."""
    log = run_of(plan).log
    for number in provisioned_functions(log):
        last = np.flatnonzero(log.capacity.function == number)[-1]
        is_open = any(one.ready_ns is None and not one.has_failed for one in increases(log, number))
        assert is_open == (log.capacity.status[last] == CapacityStatus.IN_PROGRESS)


@given(PLANS)
def test_cloudwatch_says_the_same(plan: Plan) -> None:
    """Sums of the counts; claimed is what is unreserved, reserved and provisioned, and never less than any of them."""
    run = run_of(plan)
    log, limits = run.log, run.scenario.limits_in_force()
    rows = cloudwatch_metrics(log, 10**9, limits)
    whole = run.summary.get("provisioned", {"invocations": 0, "spillovers": 0})
    for metric, expected in (
        ("ProvisionedConcurrencyInvocations", whole["invocations"]),
        ("ProvisionedConcurrencySpilloverInvocations", whole["spillovers"]),
    ):
        assert sum(row.sum for row in rows if row.metric == metric) == expected
    claimed = [row.maximum for row in rows if row.metric == "ClaimedAccountConcurrency"]
    assert max(claimed, default=0) == peak_claimed(log, limits)[0]
    kept = max(sum(state.reserved.values()) for state in run.limits)
    assert max(claimed, default=0) >= kept
    for row in rows:
        if row.metric == "ProvisionedConcurrencyUtilization":
            assert row.unit == "None"
            assert row.average >= 0
            assert row.maximum >= 0


@given(PLANS)
def test_the_summary_can_be_printed(plan: Plan) -> None:
    """Whatever happened; what was provisioned has a section where there was any."""
    run, out = run_of(plan), io.StringIO()
    print_summary(run, out, None)
    headings = [line for line in out.getvalue().splitlines() if line and not line.startswith(" ")]
    assert ("Provisioned concurrency" in headings) == has_provisioned(run.log)
    assert "What it costs" in headings
