"""Every random value of a run, by key and in blocks. Neither engine draws anything itself.

A value's key (purpose, owner, number) says which block it stands in and where; a block is a function of the
seed and its key alone. So an added function, a changed limit, a longer duration or another window moves no draw.
"""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from lambdasim.platform.compute import work_ns
from lambdasim.platform.retry import backoff_ns
from lambdasim.rng import Purpose, stream
from lambdasim.scenario.clients import Backoff, FixedDelays, RandomDelays, SdkPreset
from lambdasim.scenario.distributions import Constant, Distribution
from lambdasim.scenario.failure import Errors
from lambdasim.scenario.fields import UNLIMITED
from lambdasim.scenario.schema import Function, Scenario
from lambdasim.scenario.warmer import Warmer
from lambdasim.scenario.work import Work
from lambdasim.units import MAX_TIME_NS, NS_PER_MS
from lambdasim.workload.laws import laws_of
from lambdasim.workload.sampling import sample

IntArray = npt.NDArray[np.int64]

# Values that nearly every request needs stand in large blocks, the others (retries, environments) in small ones.
REQUEST_BLOCK = 4_096
RARE_BLOCK = 256

# The least share of a delay that each kind of jitter leaves.
LEAST_SHARE = {"full": 0.0, "equal": 0.5, "none": 1.0}

# The part of a function's streams that belongs to its provisioned environments; those on demand have part 0.
_PROVISIONED = 1

# A time that never comes. Added to any time of a run it still fits int64.
NEVER_NS = 2**62


class Fate(IntEnum):
    """How the code of an invocation ends when nothing stops it earlier."""

    OK = 0
    ERROR = 1  # a handled error: full duration, the environment stays
    CRASH = 2  # full duration, then the environment is reset


class Draws:
    """The random values of one scenario and seed. Values come as int64 blocks or as memoryviews of them."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self._seed = seed
        self._functions = scenario.functions
        self.laws = laws_of(scenario)
        self._traffic = scenario.traffic
        # Bounded: a long run keeps the blocks in use, not every block it ever read.
        self._later_fates = lru_cache(maxsize=8_192)(self.fates)
        self._later_idle_timeouts = lru_cache(maxsize=8_192)(self.idle_timeouts)
        self._later_durations = lru_cache(maxsize=8_192)(self._duration_block)
        self._think_times = lru_cache(maxsize=8_192)(self._think_time_block)
        self._dispatch_delays = lru_cache(maxsize=1_024)(self._dispatch_delay_block)
        self._poller_shares = lru_cache(maxsize=8_192)(self._poller_share_block)
        self._message_groups = lru_cache(maxsize=1_024)(self._message_group_block)
        self._partitions = lru_cache(maxsize=1_024)(self._partition_block)
        self._durations_after_hops = lru_cache(maxsize=1_024)(self._duration_after_hops_block)
        self._queues = tuple(scenario.queues.values())
        self._event_shares = lru_cache(maxsize=8_192)(self._event_share_block)
        self._provisioned_environments = lru_cache(maxsize=1_024)(self._provisioned_block)
        self._retry_delays = lru_cache(maxsize=2_048)(self._retry_delay_block)

    def durations(self, source: str, function: str, version: int, block: int) -> IntArray:
        """Durations of the requests of a source by ordinal, at least 1 ns, by one version of the function's laws."""
        return self._handler_durations(source, function, version, 0, block, REQUEST_BLOCK)

    def fates(
        self,
        source: str,
        function: str,
        version: int,
        invocation: int,
        block: int,
        size: int = RARE_BLOCK,
        poison_version: int | None = None,
    ) -> IntArray:
        """``Fate`` of the e-th accepted invocation (e = 1, 2, ...) of each request by ordinal.

        Poison belongs to the request, the same over all its invocations; the rest is drawn for each. The poison may be
        that of another version of the function's laws.
        """
        errors = self._errors(source, function, version)
        if poison_version is not None:
            poison = self._errors(source, function, poison_version).poison
            errors = errors.model_copy(update={"poison": poison})
        fates = np.zeros(size, dtype=np.int64)
        if errors.rate or errors.crash:
            uniform = stream(self._seed, Purpose.ERROR, source, invocation, block).random(size)
            fates[uniform < errors.crash + errors.rate] = Fate.ERROR
            fates[uniform < errors.crash] = Fate.CRASH
        if errors.poison:
            fates[self._poison(source, errors.poison, block, size)] = Fate.ERROR
        return fates

    def idle_timeouts(
        self, source: str, function: str, invocation: int, block: int, size: int = RARE_BLOCK
    ) -> IntArray:
        """Idle timeout of an environment after the e-th accepted invocation of each request, by ordinal."""
        distribution = self._functions[function].idle_timeout
        return self._idle(distribution, Purpose.IDLE_TIMEOUT, source, invocation, block, size)

    def duration(self, source: str, function: str, arrival_ns: int, ordinal: int) -> int:
        """Duration of one request of a virtual user, that arrives at ``arrival_ns``, in ns, at least 1."""
        version = self.laws[function].version_of(arrival_ns)
        return self._later_durations(source, function, version, ordinal // RARE_BLOCK)[ordinal % RARE_BLOCK]

    def think_time(self, source: str, ordinal: int) -> int:
        """How long a virtual user thinks after one request was settled, in ns, at least 1."""
        return self._think_times(source, ordinal // RARE_BLOCK)[ordinal % RARE_BLOCK]

    def fate(self, source: str, function: str, arrival_ns: int, invocation: int, ordinal: int) -> int:
        """``Fate`` of one accepted invocation, of a request that arrived at ``arrival_ns``."""
        version = self.laws[function].version_of(arrival_ns)
        block, position = divmod(ordinal, RARE_BLOCK)
        return int(self._later_fates(source, function, version, invocation, block)[position])

    def fate_after_waiting(
        self, source: str, function: str, arrival_ns: int, now_ns: int, invocation: int, ordinal: int
    ) -> int:
        """``Fate`` of one accepted invocation with work that waited: errors and crashes are those in force now.

        Whether it is poison goes by its arrival, at ``arrival_ns``.
        """
        arrived, now = (self.laws[function].version_of(time_ns) for time_ns in (arrival_ns, now_ns))
        block, position = divmod(ordinal, RARE_BLOCK)
        return int(self._later_fates(source, function, now, invocation, block, poison_version=arrived)[position])

    def idle_timeout(self, source: str, function: str, invocation: int, ordinal: int) -> int:
        """Idle timeout after one accepted invocation, in ns."""
        block, position = divmod(ordinal, RARE_BLOCK)
        return int(self._later_idle_timeouts(source, function, invocation, block)[position])

    def retry_delay(self, source: str, retry: int, ordinal: int, failure: int) -> int:
        """Delay in ns before retry k = 1, 2, ... of one request, which an SDK chooses by the ``Failure`` before it."""
        return self._retry_delays(source, retry, ordinal // RARE_BLOCK, failure)[ordinal % RARE_BLOCK]

    def dispatch_delay(self, source: str, function: str, ordinal: int) -> int:
        """How long an asynchronous event is in the queue until its first try, in ns."""
        return self._dispatch_delays(source, function, ordinal // RARE_BLOCK)[ordinal % RARE_BLOCK]

    def event_share(self, source: str, function: str, attempt: int, ordinal: int) -> float:
        """Share of the longest delay that an event waits after a throttle of this attempt, by the function's jitter."""
        return self._event_shares(source, function, attempt, ordinal // RARE_BLOCK)[ordinal % RARE_BLOCK]

    def poller_share(self, source: str, queue: int, attempt: int, ordinal: int) -> float:
        """Share of the longest delay that a throttled batch waits, by the attempt and the message that leads it."""
        return self._poller_shares(source, queue, attempt, ordinal // RARE_BLOCK)[ordinal % RARE_BLOCK]

    def message_group(self, source: str, ordinal: int, groups: int) -> int:
        """The message group of a message, one of so many, each as likely."""
        return self._message_groups(source, groups, ordinal // RARE_BLOCK)[ordinal % RARE_BLOCK]

    def partition(self, source: str, ordinal: int) -> float:
        """Where the partition key of a record lies among all of them, in [0, 1)."""
        return self._partitions(source, ordinal // RARE_BLOCK)[ordinal % RARE_BLOCK]

    def duration_after_hops(self, source: str, function: str, arrival_ns: int, hops: int, ordinal: int) -> int:
        """Duration of a message in a function that it reaches through so many other queues, in ns, at least 1."""
        version = self.laws[function].version_of(arrival_ns)
        block, position = divmod(ordinal, RARE_BLOCK)
        return self._durations_after_hops(source, function, version, hops, block)[position]

    def inits(self, function: str, block: int) -> memoryview:
        """Init (restore with SnapStart) of each environment by birth index within the function, in ns."""
        return self._sample(self._functions[function].start, Purpose.INIT, function, 0, block, RARE_BLOCK).data

    def sandboxes(self, function: str, block: int) -> memoryview:
        """Time from the creation of each environment to its init, by birth index within the function, in ns."""
        return self._sample(self._functions[function].sandbox, Purpose.SANDBOX, function, 0, block, RARE_BLOCK).data

    def max_ages(self, function: str, block: int) -> memoryview:
        """Maximum age of each environment by birth index within the function, in ns."""
        distribution = self._functions[function].max_age
        return self._idle(distribution, Purpose.MAX_AGE, function, 0, block, RARE_BLOCK).data

    def unused_idle_timeouts(self, function: str, block: int) -> memoryview:
        """Idle timeout after an init that nobody used, by birth index within the function, in ns."""
        distribution = self._functions[function].idle_timeout
        return self._idle(distribution, Purpose.UNUSED_IDLE_TIMEOUT, function, 0, block, RARE_BLOCK).data

    def provisioned_environment(self, function: str, block: int, number: int) -> tuple[int, int, int]:
        """Sandbox time, init and maximum age of one of a function's provisioned environments, by its number there."""
        sandboxes, inits, max_ages = self._provisioned_environments(function, block)
        return sandboxes[number], inits[number], max_ages[number]

    def preparation(self, function: str, batch: int) -> int:
        """How long Lambda prepares the n-th request of a function for more provisioned concurrency, in ns."""
        allocation = self._functions[function].provisioned_allocation
        if isinstance(allocation, str):
            return 0
        block, number = divmod(batch, RARE_BLOCK)
        return int(self._sample(allocation.prepare, Purpose.PREPARATION, function, 0, block, RARE_BLOCK)[number])

    def may_fail(self, function: str) -> bool:
        """Whether the code of a function ever fails of itself."""
        return any(version.errors != Errors() for version in self.laws[function].versions)

    def errors_change(self, function: str) -> bool:
        """Whether the errors of a function change during the run."""
        return len({version.errors for version in self.laws[function].versions}) > 1

    def function(self, name: str) -> Function:
        """The function whose draws these are."""
        return self._functions[name]

    def _duration_law(self, source: str, function: str, version: int) -> Distribution | Work:
        """What the handler takes: by the law in force, but a ping returns early, whatever the law is."""
        warmer = self._warmer(source, function)
        return self.laws[function].versions[version].duration if warmer is None else warmer.duration

    def _handler_durations(
        self, source: str, function: str, version: int, part: int, block: int, size: int
    ) -> IntArray:
        """Durations by ordinal, at least 1 ns. Keys do not know the memory, which only scales what they draw."""
        law = self._duration_law(source, function, version)
        if not isinstance(law, Work):
            return np.maximum(self._sample(law, Purpose.DURATION, source, part, block, size), 1)
        cpu_ns = self._sample(law.cpu, Purpose.DURATION, source, part, block, size)
        io_ns = self._sample(law.io, Purpose.IO_DURATION, source, part, block, size)
        return np.maximum(work_ns(cpu_ns, io_ns, self._functions[function].memory, law.threads), 1)

    def _errors(self, source: str, function: str, version: int) -> Errors:
        """How the handler fails: by the law in force, but pings never do."""
        return self.laws[function].versions[version].errors if self._warmer(source, function) is None else Errors()

    def _warmer(self, source: str, function: str) -> Warmer | None:
        """The warmer of a source in the function that it pings; to another one, a record of a ping is as any other."""
        sender = self._traffic[source]
        return sender.warmer if sender.function == function else None

    def _duration_block(self, source: str, function: str, version: int, block: int) -> memoryview:
        return self._handler_durations(source, function, version, 0, block, RARE_BLOCK).data

    def _provisioned_block(self, function: str, block: int) -> tuple[memoryview, memoryview, memoryview]:
        """Draws of their own, so that capacity bought in advance moves none of the environments on demand."""
        spec = self._functions[function]
        inits = self._sample(spec.init, Purpose.INIT, function, _PROVISIONED, block, RARE_BLOCK)
        max_ages = self._idle(spec.max_age, Purpose.MAX_AGE, function, _PROVISIONED, block, RARE_BLOCK)
        sandboxes = self._sample(spec.sandbox, Purpose.SANDBOX, function, _PROVISIONED, block, RARE_BLOCK)
        return sandboxes.data, inits.data, max_ages.data

    def _think_time_block(self, source: str, block: int) -> memoryview:
        distribution = self._traffic[source].think_time
        assert distribution is not None, "virtual users have a think time"
        return np.maximum(self._sample(distribution, Purpose.THINK_TIME, source, 0, block, RARE_BLOCK), 1).data

    def _dispatch_delay_block(self, source: str, function: str, block: int) -> memoryview:
        distribution = self._functions[function].async_invocation.dispatch_delay
        return self._sample(distribution, Purpose.DISPATCH_DELAY, source, 0, block, RARE_BLOCK).data

    def _event_share_block(self, source: str, function: str, attempt: int, block: int) -> memoryview:
        least = LEAST_SHARE[self._functions[function].async_invocation.jitter]
        drawn = stream(self._seed, Purpose.EVENT_RETRY_DELAY, source, attempt, block).random(RARE_BLOCK)
        return (least + (1 - least) * drawn).data

    def _poller_share_block(self, source: str, queue: int, attempt: int, block: int) -> memoryview:
        mapping = self._queues[queue].event_source_mapping
        assert mapping is not None, "nobody polls this queue"
        least = LEAST_SHARE[mapping.throttle_retry.jitter]
        drawn = stream(self._seed, Purpose.POLLER_RETRY_DELAY, source, attempt, block).random(RARE_BLOCK)
        return (least + (1 - least) * drawn).data

    def _message_group_block(self, source: str, groups: int, block: int) -> memoryview:
        drawn = stream(self._seed, Purpose.MESSAGE_GROUP, source, 0, block).random(RARE_BLOCK)
        return (drawn * groups).astype(np.int64).data

    def _partition_block(self, source: str, block: int) -> memoryview:
        return stream(self._seed, Purpose.PARTITION_KEY, source, 0, block).random(RARE_BLOCK).data

    def _duration_after_hops_block(self, source: str, function: str, version: int, hops: int, block: int) -> memoryview:
        return self._handler_durations(source, function, version, hops, block, RARE_BLOCK).data

    def _poison(self, source: str, ratio: float, block: int, size: int) -> npt.NDArray[np.bool_]:
        """Whether each request of the block is poison; the same draw whatever the size of the block asked for."""
        first = block * size
        large = stream(self._seed, Purpose.POISON, source, 0, first // REQUEST_BLOCK).random(REQUEST_BLOCK)
        return large[first % REQUEST_BLOCK : first % REQUEST_BLOCK + size] < ratio

    def _retry_delay_block(self, source: str, retry: int, block: int, failure: int) -> memoryview:
        policy = self._traffic[source].client.retry
        match policy:
            case FixedDelays(delays=delays):
                delay = np.full(RARE_BLOCK, delays[retry - 1], dtype=np.int64)
            case RandomDelays(delay=distribution):
                delay = self._sample(distribution, Purpose.RETRY_DELAY, source, retry, block, RARE_BLOCK)
            case Backoff():
                cap = MAX_TIME_NS if policy.cap == UNLIMITED else int(policy.cap)
                least = LEAST_SHARE[policy.jitter]
                share = least + (1 - least) * self._retry_shares(source, retry, block)
                delay = np.rint(backoff_ns(policy.base, cap, retry) * share).astype(np.int64)
            case SdkPreset(sdk=sdk):
                ceiling = backoff_ns(sdk.base_ns(failure), sdk.cap_ns or MAX_TIME_NS, retry)
                delay = np.rint(ceiling * self._retry_shares(source, retry, block)).astype(np.int64)
                if sdk.in_whole_ms:
                    delay -= delay % NS_PER_MS
            case _:
                raise AssertionError(f"{source} does not retry")
        return delay.data

    def _retry_shares(self, source: str, retry: int, block: int) -> npt.NDArray[np.float64]:
        """Share of the longest delay that each request would wait before its k-th retry, in [0, 1)."""
        return stream(self._seed, Purpose.RETRY_DELAY, source, retry, block).random(RARE_BLOCK)

    def _idle(
        self, distribution: Distribution | str, purpose: Purpose, owner: str, part: int, block: int, size: int
    ) -> IntArray:
        if isinstance(distribution, str):
            return np.full(size, NEVER_NS, dtype=np.int64)
        return np.maximum(self._sample(distribution, purpose, owner, part, block, size), 1)

    def _sample(
        self, distribution: Distribution, purpose: Purpose, owner: str, part: int, block: int, size: int
    ) -> IntArray:
        if isinstance(distribution, Constant):  # nothing to draw, so no generator either
            return np.full(size, distribution.constant, dtype=np.int64)
        return sample(distribution, stream(self._seed, purpose, owner, part, block), size)
