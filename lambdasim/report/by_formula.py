"""What formulas say of a scenario before it is simulated: concurrency over time, and the share that is refused.

What is wanted, ``workload.wanted``, is exact as long as nothing is refused and every environment is warm. What the
limits leave of it is Erlang B of the load of each instant, the modified-offered-load approximation (Massey and Whitt
1994, Annals of Applied Probability 4): exact where the load is steady, and for about a duration too little is refused
after it has jumped far above a limit. Not in it: inits, the scaling rate, and retries.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lambdasim.scenario.arrival_laws import GammaArrivals
from lambdasim.scenario.changes import LimitsInForce
from lambdasim.scenario.fields import UNLIMITED
from lambdasim.scenario.schema import Scenario
from lambdasim.scenario.traffic import TrafficSource
from lambdasim.theory import erlang_b_by_load
from lambdasim.units import NS_PER_S
from lambdasim.workload.wanted import Flow, flows_of, telling_times

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_UNSUITED = {
    "virtual_users": "virtual users send by the answers that they get",
    "sqs": "messages wait in a queue, and its pollers decide how many are tried at once",
    "stream": "records wait in a stream, and its shards decide how many are tried at once",
    "async": "asynchronous events wait in a queue when they are refused",
}
# A share of refused requests below this is none.
_NONE_REFUSED = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class ByFormula:
    """The curves of a scenario. Shape (n_times,) each."""

    times_s: FloatArray
    wanted: FloatArray  # in flight if nothing were refused
    carried: FloatArray | None  # what the limits of each time leave of it; None where there is no formula for that
    refused_share: float | None  # of all requests
    unknown: str = ""  # why there is no formula for what is refused

    @property
    def most_wanted(self) -> float:
        """The highest point of ``wanted``."""
        return float(self.wanted.max())


def by_formula(scenario: Scenario, seed: int) -> ByFormula | str:
    """The curves, or a sentence on why there is no formula."""
    for source in scenario.traffic.values():
        kind = "virtual_users" if source.users is not None else source.invoke
        if kind in _UNSUITED:
            return f"No formula here: {_UNSUITED[kind]}."
    flows = flows_of(scenario, seed)
    offered = _offered(scenario, flows, telling_times(flows, scenario))
    wanted, times_s = offered.load.sum(axis=0), offered.times_ns / NS_PER_S
    refused = _refused_shares(scenario, offered)
    by_concurrency = _refused_shares(scenario, replace(offered, rate=np.zeros(offered.rate.shape)))
    unknown = next(_beyond_erlang(scenario, offered), "")
    if not unknown and offered.share(by_concurrency) > _NONE_REFUSED:
        unknown = next(_unlike_erlang(scenario), "")
    if unknown:
        return ByFormula(times_s=times_s, wanted=wanted, carried=None, refused_share=None, unknown=unknown)
    # At a change of the limits: what they are after it.
    kept = 1 - np.concatenate((refused[:, 0], refused[:, 1, -1:]), axis=1)
    carried = (offered.load * kept).sum(axis=0)
    return ByFormula(times_s=times_s, wanted=wanted, carried=carried, refused_share=offered.share(refused))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Offered:
    """What comes to each function."""

    times_ns: IntArray  # (n_times,)
    load: FloatArray  # wanted concurrency, (n_functions, n_times)
    came: FloatArray  # requests until each time, (n_functions, n_times)
    rate: FloatArray  # requests of the last second, (n_functions, n_times)
    came_by_gateway: FloatArray  # requests until each time that go through an API Gateway, (n_times,)

    @property
    def requests(self) -> FloatArray:
        """Requests between two times, (n_functions, n_times - 1); those at the very start count in the first one."""
        between = np.diff(self.came, axis=1)
        between[:, 0] += self.came[:, 0]
        return between

    def share(self, refused: FloatArray) -> float:
        """Of all requests, where this share is refused at the start and the end of each stretch between two times."""
        requests = self.requests
        return float((requests * refused.mean(axis=1)).sum() / requests.sum()) if requests.any() else 0.0


def _offered(scenario: Scenario, flows: Sequence[Flow], times_ns: IntArray) -> _Offered:
    names = list(scenario.functions)
    load, came, rate = (np.zeros((len(names), len(times_ns))) for _ in range(3))
    by_gateway = np.zeros(len(times_ns))
    for flow in flows:
        number, until = names.index(flow.function), flow.came(times_ns)
        came[number] += until
        rate[number] += until - flow.came(times_ns - NS_PER_S)
        load[number] += np.maximum(until - flow.gone(times_ns), 0)  # not below 0 by a rounding
        if _is_through_gateway(scenario.traffic[flow.source]):
            by_gateway += until
    return _Offered(times_ns=times_ns, load=load, came=came, rate=rate, came_by_gateway=by_gateway)


def _is_through_gateway(source: TrafficSource) -> bool:
    return source.via is not None and source.via.usual.is_api_gateway


def _refused_shares(scenario: Scenario, offered: _Offered) -> FloatArray:
    """Share refused of what comes to each function at the start and the end of each stretch between two times.

    Shape (n_functions, 2, n_times - 1): within a stretch limits stay as they are.
    """
    load, rate = (np.stack((each[:, :-1], each[:, 1:]), axis=1) for each in (offered.load, offered.rate))
    refused = np.zeros(load.shape)
    for state in scenario.limits_in_force():
        since = np.flatnonzero(offered.times_ns[:-1] >= state.at_ns)  # until a later state overwrites it
        for pool in _pools(scenario, state):
            of_pool = np.ix_(np.array(pool.members), np.arange(2), since)
            refused[of_pool] = pool.refused_shares(load[of_pool], rate[of_pool])
    return refused


@dataclass(frozen=True, slots=True, kw_only=True)
class _Units:
    """Units of concurrency, and the requests per second that they take."""

    count: int
    per_s: float

    def refused(self, load: FloatArray, rate: FloatArray) -> FloatArray:
        """Share refused: by Erlang B, or because a unit takes so many requests a second, whichever is more."""
        loads, where = np.unique(load, return_inverse=True)
        blocked = erlang_b_by_load(self.count, loads)[where].reshape(load.shape)
        if np.isfinite(self.per_s):
            blocked = np.maximum(blocked, 1 - self.per_s / np.maximum(rate, max(self.per_s, 1e-9)))
        return blocked


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pool:
    """Concurrency that one function has reserved or several share, and what each of them has provisioned."""

    members: list[int]  # functions by their number
    provisioned: list[_Units]  # of each member
    on_demand: _Units

    def refused_shares(self, load: FloatArray, rate: FloatArray) -> FloatArray:
        """Share refused of each member's requests; arrays begin with the members.

        What spills over from provisioned units is taken to come at random, although it comes in clusters; of several
        functions a little too little is refused. Of one alone nothing: its units are one group, tried in order.
        """
        parts = zip(self.provisioned, load, rate, strict=True)
        spilled = np.array([units.refused(*offered) for units, *offered in parts])
        refused = self.on_demand.refused((load * spilled).sum(axis=0), (rate * spilled).sum(axis=0)) * spilled
        loaded = np.flatnonzero(load.any(axis=(1, 2)))
        if len(loaded) == 1:
            (alone,) = loaded
            every = _Units(count=self.provisioned[alone].count + self.on_demand.count, per_s=np.inf)
            refused[alone] = np.maximum(refused[alone], every.refused(load[alone], rate[alone]))
        return np.asarray(refused)


def _pools(scenario: Scenario, state: LimitsInForce) -> Iterator[_Pool]:
    """The pool of each reservation, and the shared one, which gets what reservations and provisioned units leave."""
    region, names = scenario.region, list(scenario.functions)
    per_unit = np.inf if region.requests_per_concurrency == UNLIMITED else float(region.requests_per_concurrency)

    def units(count: int, of_rate: int) -> _Units:
        return _Units(count=max(count, 0), per_s=of_rate * per_unit if of_rate else 0.0)

    def provisioned(name: str) -> _Units:
        # Of units that are scaled nobody knows when they are there, except that the pool does without them.
        is_scaled = scenario.functions[name].autoscaling is not None
        count = 0 if is_scaled else state.provisioned.get(name, 0)
        return units(count, count)

    for name, reserved in state.reserved.items():
        left = reserved - state.provisioned.get(name, 0)
        yield _Pool(members=[names.index(name)], provisioned=[provisioned(name)], on_demand=units(left, reserved))
    shared = [name for name in names if name not in state.reserved]
    if shared:
        left = state.quota - sum(state.reserved.values()) - sum(state.provisioned.get(name, 0) for name in shared)
        yield _Pool(
            members=[names.index(name) for name in shared],
            provisioned=[provisioned(name) for name in shared],
            on_demand=units(left, state.quota),  # the account's rate goes by the whole quota
        )


def _beyond_erlang(scenario: Scenario, offered: _Offered) -> Iterator[str]:
    """Why requests are refused that Erlang B knows nothing of."""
    region = scenario.region
    for name, source in scenario.traffic.items():
        if isinstance(source.arrival_law, GammaArrivals) and source.arrival_law.gamma.cv > 1:
            yield f"the requests of {name} come in clusters, not at random"
    gateway = region.api_gateway
    if not isinstance(gateway, str) and _overflows(
        offered.times_ns, offered.came_by_gateway, gateway.rate, gateway.burst
    ):
        yield f"API Gateway lets {gateway.rate:,} requests a second through, and refuses some"
    ramp = region.request_rate_ramp
    if not isinstance(ramp, str) and any(
        _overflows(offered.times_ns, came, ramp.start, ramp.start) for came in offered.came
    ):
        yield f"from {ramp.start:,} requests a second on, the request-rate ramp refuses some"


def _overflows(times_ns: IntArray, came: FloatArray, rate: float, tokens: float) -> bool:
    """Whether a bucket of tokens that is refilled at a rate is ever emptied, were the requests a fluid."""
    behind = came - rate * (times_ns / NS_PER_S)
    return bool((behind - np.minimum.accumulate(np.minimum(behind, 0))).max() > tokens)


def _unlike_erlang(scenario: Scenario) -> Iterator[str]:
    """Why fewer are refused than Erlang B says."""
    for name, source in scenario.traffic.items():
        law = source.arrival_law
        how = ""
        if source.trace is not None:
            how = "come as they were recorded"
        elif source.warmer is not None:
            how = "come as pings at fixed times"
        elif law == "uniform":
            how = "come evenly spaced"
        elif isinstance(law, GammaArrivals) and law.gamma.cv < 1:
            how = "come more evenly"
        if how:
            yield f"the requests of {name} {how}, not at random"
    scaled = [name for name, function in scenario.functions.items() if function.autoscaling is not None]
    if scaled:
        yield f"the provisioned concurrency of {scaled[0]} is scaled on the way"
