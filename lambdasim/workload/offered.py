"""What the traffic sources of a scenario offer over time, before anything is simulated.

For looking at a scenario (``report.offered``, ``report.pictures.offered``). Requests are generated in ``workload``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lambdasim.scenario.arrival_laws import MmppArrivals
from lambdasim.scenario.rate_course import through_stages
from lambdasim.scenario.schema import Scenario
from lambdasim.scenario.traffic import TrafficSource
from lambdasim.scenario.virtual_users import VirtualUsers
from lambdasim.workload.laws import ALWAYS_ON, Switch, switches_of
from lambdasim.workload.modulation import realised_profile
from lambdasim.workload.rate import IntArray, RateProfile, distinct, profile_of, rate_profile

# The bars of a trace or a warmer.
TRACE_BINS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedSource:
    """One source. While it is switched off it offers nothing.

    ``profile`` is its rate, of a trace or a warmer the bars of a histogram, and of virtual users their number.
    """

    name: str
    source: TrafficSource
    profile: RateProfile
    realised: RateProfile | None  # the rate after its modulation in a run with this seed, where it has one

    @property
    def has_users(self) -> bool:
        """Whether ``profile`` counts virtual users: the requests then depend on the answers."""
        return self.source.users is not None

    @property
    def has_bars(self) -> bool:
        """Whether ``profile`` is a histogram of requests whose times are known."""
        return not self.source.has_rate and not self.has_users


def offered_sources(scenario: Scenario, seed: int) -> list[OfferedSource]:
    """What each source offers, in file order; ``seed`` matters only where a rate is modulated at random."""
    switches = switches_of(scenario)
    return [
        _offered(name, source, scenario.duration, switches.get(name, ALWAYS_ON), seed)
        for name, source in scenario.traffic.items()
    ]


def _offered(name: str, source: TrafficSource, duration_ns: int, switch: Switch, seed: int) -> OfferedSource:
    realised = None
    times_ns = source.known_times_ns(duration_ns)
    if times_ns is not None:
        profile = _histogram(times_ns[switch.on_at(times_ns)], duration_ns)
    elif source.users is not None:
        profile = _switched(_users(source.users, duration_ns), switch)
    else:
        stated = rate_profile(source, duration_ns)
        profile = _switched(stated, switch)
        if isinstance(source.arrival_law, MmppArrivals):
            realised = _switched(realised_profile(source.arrival_law, seed, name, stated), switch)
    return OfferedSource(name=name, source=source, profile=profile, realised=realised)


def _switched(profile: RateProfile, switch: Switch) -> RateProfile:
    return profile if switch is ALWAYS_ON else profile.scaled(switch.at_ns, switch.is_on.astype(np.float64))


def _histogram(times_ns: IntArray, duration_ns: int) -> RateProfile:
    """Arrivals per second in bars of one width."""
    bars = min(TRACE_BINS, duration_ns)
    edges_ns = np.arange(bars + 1, dtype=np.int64) * (duration_ns // bars)
    edges_ns[-1] = duration_ns
    rate = np.histogram(times_ns, edges_ns)[0] / (np.diff(edges_ns) / 1e9)
    return RateProfile(start_ns=edges_ns[:-1], end_ns=edges_ns[1:], start_rate=rate, end_rate=rate)


def _users(users: VirtualUsers, duration_ns: int) -> RateProfile:
    """The number of virtual users as a line over time."""
    moves = [(stage.duration, float(stage.target)) for stage in users.stages]
    return profile_of(through_stages(float(users.start), moves), duration_ns)


def total_profile(profiles: Sequence[RateProfile]) -> RateProfile:
    """The sum of several rates of one run."""
    times_ns = distinct(np.concatenate([profile.start_ns for profile in profiles]))
    parted = [profile.split(times_ns) for profile in profiles]
    return RateProfile(
        start_ns=parted[0].start_ns,
        end_ns=parted[0].end_ns,
        start_rate=np.sum([profile.start_rate for profile in parted], axis=0),
        end_rate=np.sum([profile.end_rate for profile in parted], axis=0),
    )
