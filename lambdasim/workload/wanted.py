"""How many requests of a scenario would be in flight at any time if none were refused and none waited for an init.

At time t those are in flight that came within the last duration: with N(t) the expected requests until t and D a
duration, E[N(t) - N(t - D)]. Exact for any way in which requests come and any distribution, and rate x mean duration
(Little's law) as soon as the rate has been steady for the longest duration.
Source: Eick, Massey and Whitt, The physics of the Mt/G/infinity queue (1993), Operations Research 41, theorem 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lambdasim.scenario.schema import Scenario
from lambdasim.scenario.traffic import TrafficSource
from lambdasim.workload.draws import Draws
from lambdasim.workload.laws import ALWAYS_ON, switches_of
from lambdasim.workload.means import mean_duration_ns
from lambdasim.workload.offered import OfferedSource, offered_sources
from lambdasim.workload.rate import FloatArray, IntArray, RateProfile, distinct

# So many durations stand for a distribution, each as likely as the others.
_DURATIONS = 32
# Times at which one looks: so many evenly spaced ones, and others near the instants at which a rate changes. Bends of a
# rate are among these where there are few.
_EVENLY_SPACED, _IN_THE_TAIL = 301, 41
_MOST_BENDS, _MOST_JUMPS = 300, 3_000
# After a jump the concurrency follows within some mean durations; where there are many jumps, one look has to do.
_AFTER_A_JUMP, _AFTER_ONE_OF_MANY = (0.25, 0.5, 1.0, 2.0, 4.0), (1.0,)

# Requests until each time, of any shape.
Count = Callable[[IntArray], FloatArray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Requests of one source to one function that have one distribution of durations."""

    source: str
    function: str
    came: Count  # requests that came at or before each time
    gone: Count  # those of them that were done by then
    instants_ns: IntArray  # at which the rate jumps or bends
    mean_ns: float  # duration
    longest_ns: float


def flows_of(scenario: Scenario, seed: int) -> list[Flow]:
    """All that comes to the functions of a scenario without virtual users, whose requests depend on the answers.

    ``seed`` matters where a rate is modulated at random, and for which durations stand for their distribution.
    """
    draws = Draws(scenario, seed)
    switches = switches_of(scenario)
    found: list[Flow] = []
    for offered in offered_sources(scenario, seed):
        times_ns = offered.source.known_times_ns(scenario.duration)
        if times_ns is None:
            found += _at_a_rate(offered, draws)
        else:
            is_sent = switches.get(offered.name, ALWAYS_ON).on_at(times_ns)
            found += _at_known_times(offered.name, offered.source, times_ns, is_sent, draws)
    return found


def telling_times(flows: Sequence[Flow], scenario: Scenario) -> IntArray:
    """Times in ns, rising from 0, between which the concurrency hardly bends; until the last request is done."""
    instants = distinct(np.concatenate([[0], *(flow.instants_ns for flow in flows)]).astype(np.int64))
    parts = _AFTER_A_JUMP if len(instants) <= _MOST_BENDS else _AFTER_ONE_OF_MANY
    after = [instants + round(part * flow.mean_ns) for part in parts for flow in flows]
    changes = np.array([change.at for change in scenario.changes], dtype=np.int64)
    longest_ns = max((flow.longest_ns for flow in flows), default=0)
    end_ns = scenario.duration + round(min(longest_ns, scenario.drain))
    evenly = np.linspace(0, scenario.duration, _EVENLY_SPACED).astype(np.int64)
    in_the_tail = np.linspace(scenario.duration, end_ns, _IN_THE_TAIL).astype(np.int64)
    # Just before a change the limits are still the old ones.
    times = distinct(np.concatenate([evenly, in_the_tail, instants, *after, changes - 1, changes]))
    return times[(times >= 0) & (times <= end_ns)]


def _at_a_rate(offered: OfferedSource, draws: Draws) -> Iterator[Flow]:
    """One flow for each version of the function's duration, of the requests that come while it is in force."""
    profile = offered.realised or offered.profile
    laws = draws.laws[offered.source.function]
    from_ns = laws.from_ns.tolist()
    for version, (start_ns, end_ns) in enumerate(zip(from_ns, [*from_ns[1:], int(profile.end_ns[-1])], strict=True)):
        if start_ns < end_ns:
            came = _integral(profile, start_ns, end_ns)
            instants_ns = np.append(_jumps(profile), [start_ns, end_ns])
            yield _by_law(offered.name, offered.source, offered.source.function, version, draws, came, instants_ns)


def _integral(profile: RateProfile, start_ns: int, end_ns: int) -> Count:
    """Requests of a rate from a start on, of those that come before an end."""
    before = profile.integral(np.array([start_ns]))[0]
    return lambda at_ns: profile.integral(np.clip(at_ns, start_ns, end_ns).ravel()).reshape(at_ns.shape) - before


def _jumps(profile: RateProfile) -> IntArray:
    """Where the rate jumps or bends; of many only the jumps, and of very many of these the largest."""
    at_ns, height = profile.start_ns, np.diff(profile.start_rate, prepend=0.0)
    height[1:] = profile.start_rate[1:] - profile.end_rate[:-1]
    if len(at_ns) > _MOST_BENDS:
        at_ns, height = at_ns[height != 0], height[height != 0]
    return at_ns[np.argsort(-np.abs(height), kind="stable")[:_MOST_JUMPS]]


def _at_known_times(
    name: str, source: TrafficSource, times_ns: IntArray, is_sent: npt.NDArray[np.bool_], draws: Draws
) -> Iterator[Flow]:
    """Requests of a trace, or pings: those that bring their duration, and the others by the law in force."""
    recorded_ns = np.full(len(times_ns), -1) if source.trace is None else source.trace.duration_ns[: len(times_ns)]
    for function, is_to_it in _targets(source, len(times_ns)):
        laws = draws.laws[function]
        version_at = laws.version_at(times_ns)
        for version, law in enumerate(laws.versions):
            rows = is_sent & is_to_it & (version_at == version)
            if (drawn := rows & (recorded_ns < 0)).any():
                came = _counting(times_ns[drawn])
                yield _by_law(name, source, function, version, draws, came, _some(times_ns[drawn]))
            if (known := rows & (recorded_ns >= 0)).any():
                length_ns = np.minimum(recorded_ns[known], law.timeout)
                yield Flow(
                    source=name,
                    function=function,
                    came=_counting(times_ns[known]),
                    gone=_counting(times_ns[known] + length_ns),
                    instants_ns=_some(times_ns[known]),
                    mean_ns=float(length_ns.mean()),
                    longest_ns=float(length_ns.max()),
                )


def _targets(source: TrafficSource, count: int) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    """Each function that the first requests of a source go to, and which of them these are."""
    if source.trace is None:
        yield source.function, np.ones(count, dtype=np.bool_)
        return
    names = [*source.trace.functions, source.function]  # a row without a function has -1, which is the last one
    target = np.array([names.index(name) for name in names])[source.trace.function[:count]]
    for number in np.unique(target).tolist():
        yield names[number], target == number


def _counting(times_ns: IntArray) -> Count:
    ordered = np.sort(times_ns)
    return lambda at_ns: np.searchsorted(ordered, at_ns, side="right").astype(np.float64)


def _some(times_ns: IntArray) -> IntArray:
    """Of many times some, more where they are dense."""
    return np.sort(times_ns)[:: -(-len(times_ns) // _MOST_BENDS)]


def _by_law(
    name: str,
    source: TrafficSource,
    function: str,
    version: int,
    draws: Draws,
    came: Count,
    instants_ns: IntArray,
) -> Flow:
    """Requests whose durations have one of the function's distributions."""
    law = draws.laws[function].versions[version]
    if source.warmer is not None:  # a ping returns early
        law = law.model_copy(update={"duration": source.warmer.duration})
    durations_ns, share = _standing_for(
        np.minimum(draws.durations(name, function, version, 0), law.timeout), mean_duration_ns(law)
    )
    return Flow(
        source=name,
        function=function,
        came=came,
        gone=lambda at_ns: np.asarray(came(at_ns[:, None] - durations_ns) @ share),
        instants_ns=instants_ns,
        mean_ns=float(durations_ns @ share),
        longest_ns=float(durations_ns[-1]),
    )


def _standing_for(drawn_ns: IntArray, mean_ns: float) -> tuple[IntArray, FloatArray]:
    """A few durations that stand for many that were drawn, rising, and the share of each; with exactly this mean."""
    groups_ns = np.sort(drawn_ns).reshape(_DURATIONS, -1).mean(axis=1)
    groups_ns = np.rint(groups_ns * (mean_ns / groups_ns.mean())).astype(np.int64)
    durations_ns, counts = np.unique(groups_ns, return_counts=True)
    return durations_ns, counts / _DURATIONS
