"""What CloudWatch would show of the provisioned concurrency of a function: AWS's metric names, units and statistics.

Source: Lambda's monitoring-concurrency and monitoring-metrics-types pages (read 2026). Invocations that ran on
provisioned concurrency and those that spilled over are together all invocations of a function while it has some; busy
environments and their share are emitted only while it is invoked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lambdasim.eventlog.log import EventLog
from lambdasim.metrics.metric_rows import MetricRow, concurrency_samples, count_rows, statistics
from lambdasim.metrics.utilisation import utilisation_points
from lambdasim.scenario.provisioned import POINT_NS


def provisioned_rows(log: EventLog, period_ns: int, name: str, function: int) -> Iterator[MetricRow]:
    """The metrics of one function that has provisioned concurrency, in periods with data."""
    served = log.is_on_provisioned & (log.invocations.function == function)
    samples = concurrency_samples(log, period_ns, served)
    yield from statistics("ProvisionedConcurrentExecutions", "Count", name, period_ns, *samples)
    yield from count_rows("ProvisionedConcurrencyInvocations", name, period_ns, log.invocations.admitted_ns[served])
    spilled_ns = log.spillovers.time_ns[log.spillovers.function == function]
    yield from count_rows("ProvisionedConcurrencySpilloverInvocations", name, period_ns, spilled_ns)
    yield from _utilisation_rows(log, period_ns, name, function)


def _utilisation_rows(log: EventLog, period_ns: int, name: str, function: int) -> Iterator[MetricRow]:
    """One point a minute, as AWS has it, or a period where that is shorter: its average, and its highest value.

    Of several points in a period the maximum is the highest of all, and everything else is over their averages.
    """
    points = utilisation_points(log, function, min(period_ns, POINT_NS))
    metric, periods = "ProvisionedConcurrencyUtilization", points.start_ns // period_ns
    averages = statistics(metric, "None", name, period_ns, periods, points.average)
    highest = statistics(metric, "None", name, period_ns, periods, points.maximum)
    for row, peak in zip(averages, highest, strict=True):
        yield replace(row, maximum=peak.maximum)
