"""The scaling-rate ceiling: how many execution environments there could be, from the log of those that were made."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import EventLog
from lambdasim.metrics.provisioned import capacity_of
from lambdasim.metrics.run import Run
from lambdasim.platform.concurrency import ThrottleReason
from lambdasim.platform.region import build_platform
from lambdasim.platform.token_bucket import BucketLimits

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


def functions_held_back(run: Run) -> tuple[int, ...]:
    """Functions that share the one scaling bucket that ever refused; empty if none did, or several."""
    log, platform = run.log, build_platform(run.scenario)
    refused = log.throttles.function[log.throttles.reason == ThrottleReason.SCALING_RATE]
    buckets = {platform.functions[function].scaling for function in np.unique(refused)}
    if len(buckets) != 1:
        return ()
    return tuple(number for number, spec in enumerate(platform.functions) if spec.scaling in buckets)


def scaling_ceiling(run: Run, functions: tuple[int, ...], times_ns: IntArray) -> FloatArray:
    """Environments alive at each time plus those that the bucket of these functions would still have allowed."""
    environments = run.log.environments
    created = np.sort(environments.created_ns[_on_demand(run.log, functions)])
    limits = build_platform(run.scenario)
    bucket = limits.scaling[limits.functions[functions[0]].scaling]
    return environments_alive(run, functions, times_ns) + tokens_left(created, bucket, times_ns)


def environments_alive(run: Run, functions: tuple[int, ...], times_ns: IntArray) -> FloatArray:
    """Environments of these functions that initialise, are busy or idle at each time.

    Provisioned ones count while they are ready; they take nothing from the bucket.
    """
    ready = sum(capacity_of(run.log, function).allocated_at(times_ns) for function in functions)
    return np.asarray(_alive(run.log, _on_demand(run.log, functions), times_ns) + ready, dtype=np.float64)


def _on_demand(log: EventLog, functions: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    return np.isin(log.environments.function, functions) & ~log.environments.is_provisioned


def _alive(log: EventLog, members: npt.NDArray[np.bool_], times_ns: IntArray) -> IntArray:
    reaped = log.environments.reaped_ns[members]
    born = np.searchsorted(np.sort(log.environments.created_ns[members]), times_ns, side="right")
    return np.asarray(born - np.searchsorted(np.sort(reaped[reaped >= 0]), times_ns, side="right"), dtype=np.int64)


def tokens_left(taken_ns: IntArray, bucket: BucketLimits, times_ns: IntArray) -> FloatArray:
    """Tokens in a bucket, full at the start, after tokens were taken at sorted times. Shape of ``times_ns``.

    The debt after each token is max(0, debt - refill) + 1, which unrolls to a running minimum (Lindley's recursion).
    """
    depth, per_ns = bucket.depth / bucket.cost, bucket.speed / bucket.cost
    ahead = np.arange(len(taken_ns)) - per_ns * taken_ns
    debts = np.concatenate(([0.0], ahead + 1 - np.minimum.accumulate(ahead)))
    last = np.searchsorted(taken_ns, times_ns, side="right")
    since_ns = times_ns - np.concatenate(([0], taken_ns))[last]
    return np.asarray(depth - np.maximum(debts[last] - per_ns * since_ns, 0.0))
