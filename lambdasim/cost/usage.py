"""What each function used, in integers: invocations and billed milliseconds by what they are billed as."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import NOT_YET, EventLog
from lambdasim.platform.billing import billed_init_ms, billed_ms, billed_restore_ns, is_init_billed
from lambdasim.scenario.schema import Scenario

IntArray = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationUse:
    """Some invocations of one function, inits included."""

    invocations: int
    on_demand_ms: int
    provisioned_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionUse:
    """All that one function used of Lambda, but for provisioned capacity."""

    invocations: int
    on_demand_ms: int  # of handlers, inits that were redone in them included
    on_demand_init_ms: int  # what inits add, those that no invocation used included
    provisioned_ms: int
    provisioned_init_ms: int
    restores: int  # environments that were restored from a snapshot
    retried: InvocationUse  # of a request that the same function had accepted before
    timed_out: InvocationUse  # ended by the timeout, or left by their caller


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrownAway:
    """Invocations whose work was for nothing, by row of the log."""

    retried: Flags
    timed_out: Flags


def function_uses(log: EventLog, scenario: Scenario, thrown_away: ThrownAway) -> list[FunctionUse]:
    """The use of each function, by number. What still runs when the run ends is billed up to then."""
    invocations, environments = log.invocations, log.environments
    count = len(log.function_names)
    is_provisioned = log.is_on_provisioned
    started = invocations.handler_ns != NOT_YET
    work_ns = np.where(started, log.clipped_end_ns - invocations.handler_ns, 0)
    work_ms = billed_ms(work_ns)

    init_ns = _billed_init_ns(log, scenario)
    cold = np.flatnonzero(invocations.is_cold)
    init_ms = np.zeros(len(invocations), dtype=np.int64)
    init_ms[cold] = billed_init_ms(init_ns[invocations.environment[cold]], work_ns[cold])
    alone_ms = _inits_alone_ms(log, scenario, init_ns)

    def sums(of: Flags, values: IntArray) -> list[int]:
        return _sums(invocations.function[of], values[of], count)

    def use(of: Flags) -> list[InvocationUse]:
        counts = _sums(invocations.function[of], np.ones(int(of.sum()), dtype=np.int64), count)
        billed = work_ms + init_ms
        columns = zip(counts, sums(of & ~is_provisioned, billed), sums(of & is_provisioned, billed), strict=True)
        return [InvocationUse(invocations=n, on_demand_ms=o, provisioned_ms=p) for n, o, p in columns]

    on_demand_ms, provisioned_ms = sums(~is_provisioned, work_ms), sums(is_provisioned, work_ms)
    with_cold_ms = sums(~is_provisioned, init_ms)
    on_demand = ~environments.is_provisioned
    on_demand_alone_ms = _sums(environments.function[on_demand], alone_ms[on_demand], count)
    provisioned_alone_ms = _sums(environments.function[~on_demand], alone_ms[~on_demand], count)
    everything, retried, timed_out = (
        use(of) for of in (np.ones(len(invocations), dtype=np.bool_), thrown_away.retried, thrown_away.timed_out)
    )
    born = np.bincount(environments.function, minlength=count).tolist()
    return [
        FunctionUse(
            invocations=everything[number].invocations,
            on_demand_ms=on_demand_ms[number],
            on_demand_init_ms=with_cold_ms[number] + on_demand_alone_ms[number],
            provisioned_ms=provisioned_ms[number],
            provisioned_init_ms=provisioned_alone_ms[number],
            restores=0 if scenario.functions[name].snapstart is None else born[number],
            retried=retried[number],
            timed_out=timed_out[number],
        )
        for number, name in enumerate(log.function_names)
    ]


def _sums(function: npt.NDArray[np.int16], values: IntArray, count: int) -> list[int]:
    """Sum of the values of each function. Exact: the sums are whole and far below 2**53."""
    sums: list[int] = np.bincount(function, weights=values, minlength=count).astype(np.int64).tolist()
    return sums


def _billed_init_ns(log: EventLog, scenario: Scenario) -> IntArray:
    """What is billed of the init, or restore, of each environment until the end of the run. Sandbox time never is."""
    environments = log.environments
    until_end = log.end_ns - environments.created_ns - environments.sandbox_ns
    init_ns = np.clip(until_end, 0, environments.init_ns)
    functions = list(scenario.functions.values())
    by_rule = [is_init_billed(scenario.pricing.init, function.package, function.runtime) for function in functions]
    is_billed = environments.is_provisioned | np.array(by_rule, dtype=np.bool_)[environments.function]
    billed = np.where(is_billed, init_ns, 0)
    for number, function in enumerate(functions):
        if function.snapstart is not None:
            rows = environments.function == number
            billed[rows] = billed_restore_ns(init_ns[rows], function.snapstart.billed)
    return billed


def _inits_alone_ms(log: EventLog, scenario: Scenario, init_ns: IntArray) -> IntArray:
    """Billed time of inits with which no invocation began: those of provisioned environments, and unused ones."""
    environments = log.environments
    is_alone = np.ones(len(environments), dtype=np.bool_)
    is_alone[log.invocations.environment[log.invocations.is_cold]] = False
    if scenario.pricing.unused_init == "free":
        is_alone &= environments.is_provisioned
    return np.where(is_alone, billed_ms(init_ns), 0)
