"""The workload: every request of a run, in windows of time, ready for an engine.

A workload can be walked through as often as one likes and gives the same chunks each time; it never exists at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lambdasim.scenario.schema import Scenario
from lambdasim.scenario.traffic import TrafficSource
from lambdasim.workload.arrivals import arrivals
from lambdasim.workload.draws import REQUEST_BLOCK, Draws
from lambdasim.workload.laws import ALWAYS_ON, switches_of
from lambdasim.workload.modulation import realised_profile
from lambdasim.workload.rate import IntArray, RateProfile, rate_profile
from lambdasim.workload.virtual_users import UserActivity, user_activity
from lambdasim.workload.windows import window_ends

# Large enough that the cost of a window does not show, small enough that it stays in the cache. Every source costs
# something in every window, so that many sources take larger ones.
REQUESTS_PER_WINDOW = 8_192
_REQUESTS_PER_SOURCE_AND_WINDOW = 512

# Of a virtual user's thinking and working, to say how many requests to expect.
_ROUNDS_TO_AVERAGE = 256

# One request as an engine takes it:
# request index, arrival_ns, source, ordinal, function, duration_ns, fate, idle_timeout_ns, init_ns.
Request = tuple[int, int, int, int, int, int, int, int, int]

# In ``Chunk.init_ns``: the environment that this request starts, should it start one, draws its own init.
OWN_INIT = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """The requests of one window, in the order of their request index. Arrays have shape (n_requests,)."""

    arrival_ns: IntArray  # non-decreasing
    source: npt.NDArray[np.int16]  # index of the traffic source in file order
    ordinal: IntArray  # number of the request within its source, from 0
    function: npt.NDArray[np.int16]  # index of the function in file order
    duration_ns: IntArray  # handler duration, the same over all attempts
    fate: npt.NDArray[np.int8]  # ``Fate`` of the first accepted invocation
    idle_timeout_ns: IntArray  # after the first accepted invocation
    init_ns: IntArray  # init of the environment that this request would start, or OWN_INIT

    def __len__(self) -> int:
        return len(self.arrival_ns)

    def where(self, kept: npt.NDArray[np.bool_]) -> Chunk:
        """The requests that are kept."""
        return self if kept.all() else Chunk(**{name: getattr(self, name)[kept] for name in self.__slots__})

    def requests(self, first_index: int) -> Iterator[Request]:
        """The requests one by one, as plain integers, numbered from ``first_index``."""
        return zip(
            range(first_index, first_index + len(self)),
            self.arrival_ns.tolist(),
            self.source.tolist(),
            self.ordinal.tolist(),
            self.function.tolist(),
            self.duration_ns.tolist(),
            self.fate.tolist(),
            self.idle_timeout_ns.tolist(),
            self.init_ns.tolist(),
            strict=True,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """All requests of a scenario and seed."""

    scenario: Scenario
    seed: int
    draws: Draws
    user_activity: Mapping[int, UserActivity]  # by number of the source, for those that have virtual users
    requests_per_window: int = REQUESTS_PER_WINDOW

    @property
    def source_names(self) -> tuple[str, ...]:
        """Names of the traffic sources, in file order."""
        return tuple(self.scenario.traffic)

    @property
    def source_invokes(self) -> tuple[str, ...]:
        """How each traffic source invokes its function: sync or async."""
        return tuple(source.invoke for source in self.scenario.traffic.values())

    @property
    def function_names(self) -> tuple[str, ...]:
        """Names of the functions, in file order."""
        return tuple(self.scenario.functions)

    def target_of(self, source: int) -> int:
        """Number of the function that a source invokes."""
        function = self.scenario.traffic[self.source_names[source]].function
        return self.function_names.index(function)

    def expected_requests(self) -> float:
        """How many requests to expect in all: the integrals of the rates, the rows of the traces, the pings, and so on.

        Of virtual users about as many as if each were answered without waiting.
        """
        return sum(source.expected for source in self._sources()) + sum(
            map(self._expected_of_users, self.user_activity)
        )

    def _expected_of_users(self, source: int) -> float:
        name, activity = self.source_names[source], self.user_activity[source]
        function = self.scenario.traffic[name].function
        first = range(_ROUNDS_TO_AVERAGE)
        round_ns = [self.draws.think_time(name, n) + self.draws.duration(name, function, 0, n) for n in first]
        return activity.user_ns / (sum(round_ns) / len(round_ns))

    def chunks(self) -> Iterator[Chunk]:
        """The requests, window by window; windows without requests are left out."""
        sources = self._sources()
        profiles = [source.profile for source in sources if source.profile is not None]
        known = [source.known_times for source in sources if source.known_times is not None]
        for end_ns in window_ends(profiles, known, self.scenario.duration, self.requests_per_window):
            parts = [part for source in sources if len(part := source.until(end_ns))]
            if parts:
                yield _merged(parts)

    def _sources(self) -> list[_Source]:
        numbers = {name: number for number, name in enumerate(self.scenario.functions)}
        return [
            _Source(self, index, name, source, numbers)
            for index, (name, source) in enumerate(self.scenario.traffic.items())
            if index not in self.user_activity
        ]


def build_workload(scenario: Scenario, seed: int) -> Workload:
    """The workload of a scenario; nothing is drawn yet."""
    requests = max(REQUESTS_PER_WINDOW, _REQUESTS_PER_SOURCE_AND_WINDOW * len(scenario.traffic))
    return Workload(
        scenario=scenario,
        seed=seed,
        draws=Draws(scenario, seed),
        user_activity=_user_activity(scenario),
        requests_per_window=requests,
    )


def _user_activity(scenario: Scenario) -> dict[int, UserActivity]:
    switches = switches_of(scenario)
    return {
        index: user_activity(source.users, scenario.duration, switches.get(name, ALWAYS_ON))
        for index, (name, source) in enumerate(scenario.traffic.items())
        if source.users is not None
    }


class _Source:
    """One pass over the requests of one traffic source."""

    def __init__(
        self, workload: Workload, index: int, name: str, source: TrafficSource, numbers: dict[str, int]
    ) -> None:
        duration_ns = workload.scenario.duration
        self._draws = workload.draws
        self._index = index
        self._name = name
        self._function = source.function
        self._numbers = numbers
        self._trace = source.trace
        self._switch = switches_of(workload.scenario).get(name)
        self._offered = 0
        self._waiting = np.empty(0, dtype=np.int64)
        self._columns: dict[tuple[str, int, int], tuple[IntArray, IntArray, IntArray]] = {}
        self.profile: RateProfile | None = None
        self.known_times = source.known_times_ns(duration_ns)
        if self.known_times is None:
            stated = rate_profile(source, duration_ns)
            self.expected = stated.expected_requests
            self.profile = realised_profile(source.arrival_law, workload.seed, name, stated)
            self._blocks = arrivals(source.arrival_law, workload.seed, name, self.profile)
        else:
            self.expected = float(len(self.known_times))
            self._blocks = iter([self.known_times])

    def until(self, end_ns: int) -> Chunk:
        """The requests that arrive before ``end_ns`` and were not handed out yet."""
        while not len(self._waiting) or self._waiting[-1] < end_ns:
            block = next(self._blocks, None)
            if block is None:
                break
            self._waiting = np.concatenate((self._waiting, block))
        count = int(np.searchsorted(self._waiting, end_ns, side="left"))
        arrival_ns, self._waiting = self._waiting[:count], self._waiting[count:]
        first, self._offered = self._offered, self._offered + count
        chunk = self._chunk(arrival_ns, first)
        # A source that is off draws on, so that what comes after does not move; its requests are just not sent.
        return chunk if self._switch is None else chunk.where(self._switch.on_at(arrival_ns))

    def _chunk(self, arrival_ns: IntArray, first: int) -> Chunk:
        count = len(arrival_ns)
        rows = slice(first, first + count)
        function = np.full(count, self._numbers[self._function], dtype=np.int16)
        init_ns = np.full(count, OWN_INIT, dtype=np.int64)
        if self._trace is not None:
            init_ns = self._trace.init_ns[rows]
            local = self._trace.function[rows]
            targets = np.array([self._numbers[name] for name in self._trace.functions], dtype=np.int16)
            function = np.where(local >= 0, targets[local] if len(targets) else function, function).astype(np.int16)
        columns = self._drawn(function, arrival_ns, first)
        duration_ns = columns[0]
        if self._trace is not None:
            recorded = self._trace.duration_ns[rows]
            duration_ns = np.where(recorded >= 0, recorded, duration_ns)
        return Chunk(
            arrival_ns=arrival_ns,
            source=np.full(count, self._index, dtype=np.int16),
            ordinal=np.arange(first, first + count),
            function=function,
            duration_ns=duration_ns,
            fate=columns[1].astype(np.int8),
            idle_timeout_ns=columns[2],
            init_ns=init_ns,
        )

    def _drawn(
        self, function: npt.NDArray[np.int16], arrival_ns: IntArray, first: int
    ) -> tuple[IntArray, IntArray, IntArray]:
        """Duration, fate and idle timeout of the requests from ordinal ``first``, by the law in force at arrival."""
        names = list(self._numbers)
        drawn = tuple(np.empty(len(function), dtype=np.int64) for _ in range(3))
        position = 0
        while position < len(function):
            block, offset = divmod(first + position, REQUEST_BLOCK)
            size = min(REQUEST_BLOCK - offset, len(function) - position)
            here = slice(position, position + size)
            for number in np.unique(function[here]):
                of_function = function[here] == number
                version_at = self._draws.laws[names[number]].version_at(arrival_ns[here])
                for version in np.unique(version_at[of_function]):
                    mask = of_function & (version_at == version)
                    values = self._block(names[number], int(version), block)
                    for target, value in zip(drawn, values, strict=True):
                        target[here][mask] = value[offset : offset + size][mask]
            position += size
        return drawn[0], drawn[1], drawn[2]

    def _block(self, function: str, version: int, block: int) -> tuple[IntArray, IntArray, IntArray]:
        """The drawn columns of one block; the blocks before it are not needed again."""
        key = (function, version, block)
        if key not in self._columns:
            self._columns = {old: value for old, value in self._columns.items() if old[2] >= block}
            self._columns[key] = (
                self._draws.durations(self._name, function, version, block),
                self._draws.fates(self._name, function, version, 1, block, REQUEST_BLOCK),
                self._draws.idle_timeouts(self._name, function, 1, block, REQUEST_BLOCK),
            )
        return self._columns[key]


def _merged(parts: list[Chunk]) -> Chunk:
    """One chunk of several sources, by arrival time, then order of the sources, then ordinal."""
    if len(parts) == 1:
        return parts[0]
    order = np.argsort(np.concatenate([part.arrival_ns for part in parts]), kind="stable")
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])[order]
        for name in ("arrival_ns", "source", "ordinal", "function", "duration_ns", "fate", "idle_timeout_ns", "init_ns")
    }
    return Chunk(**columns)
