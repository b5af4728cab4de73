"""What formulas say of a scenario before it is simulated: concurrency over time, and the share that is refused.

Little's law and Erlang B at each instant, as if the traffic had always been what it is then, with every environment
warm. What the simulation adds is what these leave out: inits, the scaling rate, retries, and the memory of the past.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lambdasim.scenario.fields import UNLIMITED
from lambdasim.scenario.schema import Scenario
from lambdasim.theory import erlang_b, mean_in_system
from lambdasim.units import NS_PER_S
from lambdasim.workload.means import mean_duration_ns
from lambdasim.workload.offered import offered_sources

FloatArray = npt.NDArray[np.float64]

_POINTS = 300
# Erlang's recursion takes a step for each unit of the limit: between so many loads the blocking is a straight line.
_LOADS = 40
# So many standard deviations below a limit nothing is refused that a figure would show.
_FAR_BELOW = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ByFormula:
    """The curves of a scenario. Shape (n_times,) each."""

    times_s: FloatArray
    wanted: FloatArray  # Little's law: rate x mean duration, if nothing were refused
    carried: FloatArray  # what is left of it by Erlang B, with the limits of that time
    refused_share: float  # of all requests

    @property
    def most_wanted(self) -> float:
        """The highest point of ``wanted``."""
        return float(self.wanted.max())


def by_formula(scenario: Scenario, seed: int) -> ByFormula | str:
    """The curves, or a sentence on why there is no formula."""
    unsuited = {
        "virtual_users": "virtual users send by the answers that they get",
        "sqs": "messages wait in a queue, and its pollers decide how many are tried at once",
        "stream": "records wait in a stream, and its shards decide how many are tried at once",
        "async": "asynchronous events wait in a queue when they are refused",
    }
    for source in scenario.traffic.values():
        kind = "virtual_users" if source.users is not None else source.invoke
        if kind in unsuited:
            return f"No formula here: {unsuited[kind]}."
    times_ns = np.linspace(0, scenario.duration, _POINTS, endpoint=False).astype(np.int64)
    names = list(scenario.functions)
    rates = np.zeros((len(names), _POINTS))
    for offered in offered_sources(scenario, seed):
        rates[names.index(offered.source.function)] += (offered.realised or offered.profile).rate_at(times_ns)
    mean_s = np.array([mean_duration_ns(function) / NS_PER_S for function in scenario.functions.values()])
    carried, accepted = np.zeros(_POINTS), np.zeros(_POINTS)
    states = scenario.limits_in_force()
    ends_ns = [*(state.at_ns for state in states[1:]), scenario.duration + 1]
    for state, end_ns in zip(states, ends_ns, strict=True):
        now = (times_ns >= state.at_ns) & (times_ns < end_ns)
        if not now.any():
            continue
        shared = [number for number, name in enumerate(names) if name not in state.reserved]
        pools = [([names.index(name)], limit) for name, limit in state.reserved.items()]
        pools.append((shared, max(state.quota - sum(state.reserved.values()), 0)))
        for members, limit in pools:
            rate = rates[members][:, now].sum(axis=0)
            load = (rates[members][:, now] * mean_s[members, None]).sum(axis=0)
            kept = 1 - _refused(limit, load, rate, scenario.region.requests_per_concurrency)
            carried[now] += load * kept
            accepted[now] += rate * kept
    total = rates.sum(axis=0)
    wanted = np.array([sum(map(mean_in_system, at.tolist(), mean_s.tolist())) for at in rates.T])
    share = 1 - float(accepted.sum() / total.sum()) if total.sum() else 0.0
    return ByFormula(times_s=times_ns / NS_PER_S, wanted=wanted, carried=carried, refused_share=max(share, 0.0))


def _refused(limit: int, load: FloatArray, rate: FloatArray, per_unit: int | str) -> FloatArray:
    """Share refused at each load: by Erlang B, or because a unit takes so many requests a second, whichever is more."""
    matters = load > limit - _FAR_BELOW * np.sqrt(limit)
    blocked = np.zeros(len(load))
    loads = np.unique(np.round(load[matters], 3))
    if len(loads) > _LOADS:
        loads = np.linspace(loads[0], loads[-1], _LOADS)
    if len(loads):
        blocked[matters] = np.interp(load[matters], loads, [erlang_b(limit, float(at)) for at in loads])
    if per_unit != UNLIMITED:
        ceiling = limit * float(per_unit)
        blocked = np.maximum(blocked, 1 - ceiling / np.maximum(rate, max(ceiling, 1e-9)))
    return blocked
