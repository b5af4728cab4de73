"""Runs one simulation on SimPy: feeds the arrivals, and finds the end.

Callbacks instead of processes, and events that are scheduled again: measured, this is twice as fast as a process per
request, and the order of simultaneous events is ours to say (``engine.ordering``).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from lambdasim.engine.base import Interrupt, OnProgress
from lambdasim.engine.ordering import EventKind, arrival_rank, priority
from lambdasim.engine.reference.async_queue import AsyncQueue, EventSource
from lambdasim.engine.reference.autoscaling import Autoscaler
from lambdasim.engine.reference.clients import Call, Clients
from lambdasim.engine.reference.event_sources import EventSources, Sender
from lambdasim.engine.reference.function import ACCEPTED, FunctionState
from lambdasim.engine.reference.limits import Bucket, Pool, RequestRateRamp
from lambdasim.engine.reference.provisioned_capacity import ProvisionedCapacity
from lambdasim.engine.reference.provisioned_function import ProvisionedFunction
from lambdasim.engine.reference.recurring import Callbacks, Clock, Recurring
from lambdasim.engine.reference.utilisation import UtilisationMeter
from lambdasim.engine.reference.virtual_users import VirtualUsers
from lambdasim.eventlog.log import EventLog
from lambdasim.eventlog.recorder import Recorder
from lambdasim.platform.provisioned import CapacityCause
from lambdasim.platform.region import LimitChange, Platform, PoolSpec
from lambdasim.workload.workload import Request, Workload

# Virtual users come one by one; their progress is told now and then.
_REQUESTS_PER_REPORT = 4_096

_RUN_END = priority(EventKind.RUN_END, 0)


class SimpyEngine:
    """The reference engine: deterministic, one event for each arrival, end of init, end of invocation and retry."""

    name = "simpy"

    def run(
        self,
        workload: Workload,
        platform: Platform,
        *,
        on_progress: OnProgress | None = None,
        interrupt: Interrupt | None = None,
    ) -> EventLog:
        """The event log of one run."""
        return _Simulation(workload, platform, on_progress).run(interrupt)


class _Simulation:
    """State of one run."""

    def __init__(self, workload: Workload, platform: Platform, on_progress: OnProgress | None) -> None:
        self._clock = Clock()
        self._workload = workload
        self._platform = platform
        self._on_progress = on_progress
        self._recorder = Recorder()
        self._log_throttle = self._recorder.throttles.add
        self._pools = [Pool(spec) for spec in platform.pools]
        scaling = [Bucket(limits) for limits in platform.scaling]
        self._provisioned: dict[int, ProvisionedFunction] = {}  # by index of the function
        self._autoscalers: list[Autoscaler] = []
        self._functions = [
            self._function(index, scaling[spec.scaling]) for index, spec in enumerate(platform.functions)
        ]
        self._api_gateway = Bucket(platform.api_gateway)
        self._arrival_ranks = [arrival_rank(index) for index in range(len(platform.clients))]
        self._users = {index: self._users_of(index) for index in workload.user_activity}
        self._event_sources = EventSources(
            self._clock,
            workload=workload,
            platform=platform,
            functions=self._functions,
            recorder=self._recorder,
            on_settled=self._end_if_done,
        )
        self._queues = self._event_queues() if "async" in workload.source_invokes else []
        self._clients = [self._callers(index) for index in range(len(platform.clients))]
        self._own_pools: dict[int, Pool] = {
            index: self._pools[spec.pool] for index, spec in enumerate(platform.functions) if spec.pool
        }
        self._chunks = workload.chunks()
        self._requests: Iterator[Request] = iter(())
        self._next: Request | None = None  # the request whose arrival is due next
        self._drawn = 0  # requests in the windows so far
        self._schedule = self._clock.schedule_in
        self._admit = [function.admit for function in self._functions]
        self._arrival = Recurring(self._clock)
        self._arrival_due: Callbacks = [self._on_arrival]
        self._end = Recurring(self._clock)
        self._end_check = Recurring(self._clock)
        self._is_check_due = False
        self._is_ending = False

    def _function(self, index: int, scaling: Bucket) -> FunctionState:
        platform, spec = self._platform, self._platform.functions[index]
        kind = FunctionState if spec.provisioned is None else ProvisionedFunction
        function = kind(
            self._clock,
            index=index,
            spec=spec,
            pool=self._pools[spec.pool],
            scaling=scaling,
            ramp=None if platform.ramp is None else RequestRateRamp(*platform.ramp),
            draws=self._workload.draws,
            recorder=self._recorder,
            on_idle_pool=self._end_if_done,
        )
        if isinstance(function, ProvisionedFunction):
            self._provide(index, function)
        return function

    def _provide(self, index: int, function: ProvisionedFunction) -> None:
        """The provisioned concurrency of a function, and what scales it."""
        platform, spec = self._platform, self._platform.functions[index]
        assert spec.provisioned is not None, "else it were no provisioned function"
        scaled = spec.provisioned.autoscaling
        tracking = None if scaled is None else scaled.tracking
        meter = None if tracking is None else UtilisationMeter(tracking)
        capacity = ProvisionedCapacity(
            self._clock,
            index=index,
            name=spec.name,
            spec=spec.provisioned,
            reuses_latest=spec.reuses_latest,
            draws=self._workload.draws,
            recorder=self._recorder,
            meter=meter,
            on_requested=self._claim,
        )
        self._pools.append(capacity.pool)
        function.provide(capacity)
        self._provisioned[index] = function
        if scaled is not None:
            after_changes = len(platform.functions) + len(platform.changes) + 2 * index
            ranks = priority(EventKind.CHANGE, after_changes), priority(EventKind.CHANGE, after_changes + 1)
            self._autoscalers.append(Autoscaler(self._clock, spec=scaled, meter=meter, capacity=capacity, ranks=ranks))

    def _claim(self) -> None:
        """Provisioned concurrency takes its units from the reservation of its function, else from the shared pool."""
        for pool in self._pools:
            pool.limit = pool.size
        for function in self._provisioned.values():
            function.pool.limit -= function.capacity.claimed

    def _event_queues(self) -> list[AsyncQueue]:
        """The queue of asynchronous events of each function."""
        return [
            AsyncQueue(
                self._clock,
                function=function,
                function_name=spec.name,
                spec=spec.events,
                source_names=self._workload.source_names,
                draws=self._workload.draws,
                recorder=self._recorder,
                event_sources=self._event_sources,
                on_settled=self._end_if_done,
            )
            for function, spec in zip(self._functions, self._platform.functions, strict=True)
        ]

    def _callers(self, source: int) -> Clients | EventSource | Sender | None:
        """Callers that need state of their own; None for those who send once and wait."""
        if self._workload.source_invokes[source] == "async":
            return EventSource(self._queues)
        if self._platform.source_queues[source] >= 0:
            return self._event_sources.sender(self._platform.source_queues[source])
        spec, users = self._platform.clients[source], self._users.get(source)
        if spec.is_patient and users is None:
            return None
        return Clients(
            self._clock,
            name=self._workload.source_names[source],
            spec=spec,
            functions=self._functions,
            function_names=self._workload.function_names,
            draws=self._workload.draws,
            recorder=self._recorder,
            api_gateway=self._api_gateway,
            on_settled=self._on_settled if users is None else users.settled,
        )

    def _on_settled(self, _: Call) -> None:
        """A caller is done with a request, maybe the last of the run."""
        self._end_if_done()

    def _users_of(self, source: int) -> VirtualUsers:
        name = self._workload.source_names[source]
        function = self._workload.target_of(source)
        return VirtualUsers(
            self._clock,
            source=source,
            source_name=name,
            function=function,
            function_name=self._workload.function_names[function],
            activity=self._workload.user_activity[source],
            draws=self._workload.draws,
            number=self._number,
            on_gone=self._end_if_done,
        )

    def _number(self, now_ns: int, source: int, function: int) -> int:
        """The index of a request that arrives now, in a run with virtual users."""
        index = self._recorder.add_request(now_ns, source, function)
        self._drawn = index + 1
        if self._on_progress is not None and index % _REQUESTS_PER_REPORT == 0:
            self._on_progress(now_ns, index)
        return index

    def run(self, interrupt: Interrupt | None) -> EventLog:
        """Run to the end and return the log."""
        platform = self._platform
        deadline = Recurring(self._clock)
        deadline.callbacks = [lambda _: self._end_now()]
        self._schedule(deadline, _RUN_END, platform.duration_ns + platform.drain_ns)
        for order, change in enumerate(platform.changes):
            due = Recurring(self._clock)
            due.callbacks = [partial(self._on_change, change)]
            # Environments that come at that instant are born before.
            self._schedule(due, priority(EventKind.CHANGE, len(platform.functions) + order), change.at_ns)
        for provisioned in self._provisioned.values():
            provisioned.capacity.begin()
        for autoscaler in self._autoscalers:
            autoscaler.start()
        self._next = self._next_request()
        for source, users in self._users.items():
            clients = self._clients[source]
            assert isinstance(clients, Clients), "users go by answers"
            users.start(clients)
        if self._next is None:
            self._end_if_done()
        else:
            self._arrival.callbacks = self._arrival_due
            self._schedule(self._arrival, self._arrival_ranks[self._next[2]], self._next[1])
        if interrupt is not None:
            interrupt.on_request(self._end_now)
        self._clock.run(until=self._end)
        end_ns = self._clock.now_ns
        for function in self._functions:
            function.finish(end_ns)
        self._event_sources.finish(end_ns)
        return self._recorder.finish(
            end_ns=end_ns,
            arrived=self._drawn if self._next is None or self._users else self._next[0],
            pending=sorted(index for waiting in self._all_pending() for index in waiting),
            is_partial=interrupt is not None and interrupt.requested,
            source_names=self._workload.source_names,
            source_invokes=self._workload.source_invokes,
            source_queues=self._platform.source_queues,
            queue_names=self._event_sources.names,
            function_names=self._workload.function_names,
        )

    def _on_change(self, change: LimitChange, _: Recurring) -> None:
        """Other limits or other code from now on; nothing that was accepted is stopped."""
        if change.shared is not None:
            self._pools[0].become(change.shared, change.at_ns)
        for index, spec in change.reserved:
            function = self._functions[index]
            own = self._own_pools.get(index)
            if spec is None:
                function.pool = self._pools[0]
            elif own is not None and function.pool is own:
                own.become(spec, change.at_ns)
            else:
                self._reserve(index, spec, change.at_ns)
        for index, units in change.provisioned:
            self._provisioned[index].capacity.request(change.at_ns, units, CapacityCause.CHANGED)
        if self._provisioned:
            self._claim()  # reservations may have come or gone
        for index in change.deployed:
            self._functions[index].deploy(change.at_ns)
        if change.redriven is not None:
            self._event_sources.redrive(change.at_ns, *change.redriven)

    def _reserve(self, index: int, spec: PoolSpec, now_ns: int) -> None:
        """A reservation where there was none: a new bucket, full; what an earlier one admitted still counts in it."""
        pool = Pool(spec)
        pool.rate.last_ns = now_ns
        earlier = self._own_pools.get(index)
        if earlier is not None:
            earlier.size, earlier.limit, earlier.rate = pool.size, pool.limit, pool.rate
            pool = earlier
        else:
            self._own_pools[index] = pool
            self._pools.append(pool)
        self._functions[index].pool = pool

    def _on_arrival(self, event: Recurring) -> None:
        """Offer the request that is due, and schedule the next one."""
        request = self._next
        assert request is not None, "an arrival is only scheduled with its request"
        now_ns = request[1]
        self._next = following = next(self._requests, None) or self._next_request()
        if following is not None:
            event.callbacks = self._arrival_due
            self._schedule(event, self._arrival_ranks[following[2]], following[1] - now_ns)
        if self._users:
            request = (self._number(now_ns, request[2], request[4]), *request[1:])
        clients = self._clients[request[2]]
        if clients is not None:
            clients.send(now_ns, request)
        else:
            reason = self._admit[request[4]](now_ns, 1, request, None)
            if reason != ACCEPTED:
                self._log_throttle(request[0], request[4], 1, now_ns, reason)
        if following is None:
            self._end_if_done()

    def _next_request(self) -> Request | None:
        """The first request of the next window, or None after the last."""
        chunk = next(self._chunks, None)
        if chunk is None:
            return None
        if self._users:
            self._requests = chunk.requests(0)  # numbered as they arrive, among those of the users
            return next(self._requests)
        first, self._drawn = self._drawn, self._drawn + len(chunk)
        self._recorder.add_requests(chunk.arrival_ns, chunk.source, chunk.function)
        self._requests = chunk.requests(first)
        if self._on_progress is not None:
            self._on_progress(int(chunk.arrival_ns[0]), first)
        return next(self._requests)

    def _end_if_done(self) -> None:
        """End the run once nothing is left that could still happen to a request, but not before ``duration``."""
        if self._next is not None or any(pool.in_flight for pool in self._pools):
            return
        if any(self._all_pending()) or self._event_sources.is_waiting:
            return
        if any(users.present for users in self._users.values()):
            return
        wait_ns = self._platform.duration_ns - self._clock.now_ns
        if wait_ns <= 0:
            self._end_now()
        elif not self._is_check_due:
            # Looked at again then: a change before the end can bring work back.
            self._is_check_due = True
            self._end_check.callbacks = [lambda _: self._end_if_done()]
            self._schedule(self._end_check, _RUN_END, wait_ns)

    def _all_pending(self) -> Iterator[set[int]]:
        """Requests whose next attempt is still to come, by who will send it."""
        for clients in self._clients:
            if isinstance(clients, Clients):
                yield clients.pending
        for queue in self._queues:
            yield queue.pending

    def _end_now(self) -> None:
        if not self._is_ending:
            self._is_ending = True
            self._schedule(self._end, _RUN_END, 0)
