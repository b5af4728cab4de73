"""The queues and streams of a run: who sends to them, who polls them, and where their messages go next."""

from __future__ import annotations

from collections.abc import Callable

from lambdasim.engine.ordering import QueuedStep, queued_rank
from lambdasim.engine.reference.function import FunctionState
from lambdasim.engine.reference.messages import NOWHERE, Messages
from lambdasim.engine.reference.queue_poller import QueuePoller
from lambdasim.engine.reference.recurring import Callbacks, Clock, Recurring
from lambdasim.engine.reference.sqs_queue import SqsQueue
from lambdasim.engine.reference.stream_reader import StreamReader
from lambdasim.eventlog.recorder import Recorder
from lambdasim.platform.region import Platform
from lambdasim.workload.workload import Request, Workload


class Sender:
    """A traffic source whose requests are messages or records: each goes to its queue or stream."""

    def __init__(self, queue: SqsQueue | StreamReader, messages: Messages) -> None:
        self._queue = queue
        self._messages = messages

    def send(self, now_ns: int, request: Request) -> None:
        """A new message or record."""
        self._queue.arrive(now_ns, self._messages.add(self._queue.index, now_ns, request))


class Redrive(Recurring):
    """Messages that move one by one from a dead-letter queue back to where they came from."""

    def __init__(
        self,
        clock: Clock,
        *,
        queue: SqsQueue,
        messages: Messages,
        rows: list[int],
        gap_ns: int,
        on_over: Callable[[], None],
    ) -> None:
        super().__init__(clock)
        self._on_over = on_over
        self._clock = clock
        self._queue = queue
        self._messages = messages
        self._rows = rows[::-1]
        self._gap_ns = gap_ns
        self._due: Callbacks = [lambda _: self._move()]

    @property
    def is_over(self) -> bool:
        """Whether all have been moved."""
        return not self._rows

    def start(self) -> None:
        """Move the first one now."""
        self._schedule(0)

    def _schedule(self, delay_ns: int) -> None:
        if self._rows:
            self.callbacks = self._due
            rank = queued_rank(self._messages.request[self._rows[-1]], QueuedStep.REDRIVE)
            self._clock.schedule_in(self, rank, delay_ns)

    def _move(self) -> None:
        has_moved = self._queue.redrive(self._clock.now_ns, self._rows.pop())
        self._schedule(self._gap_ns if has_moved else 0)
        if not self._rows:
            self._on_over()


class EventSources:
    """All queues and streams of a run."""

    def __init__(
        self,
        clock: Clock,
        *,
        workload: Workload,
        platform: Platform,
        functions: list[FunctionState],
        recorder: Recorder,
        on_settled: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._on_settled = on_settled
        self.names = (*(spec.name for spec in platform.queues), *(spec.name for spec in platform.streams))
        self._messages = Messages(
            recorder=recorder,
            draws=workload.draws,
            source_names=workload.source_names,
            function_names=workload.function_names,
        )
        self._queues = [
            SqsQueue(
                clock,
                index=index,
                spec=spec,
                messages=self._messages,
                run_end_ns=platform.duration_ns + platform.drain_ns,
                on_settled=on_settled,
            )
            for index, spec in enumerate(platform.queues)
        ]
        for queue in self._queues:
            queue.peers = self._queues
            if queue.spec.mapping is not None:
                mapping = queue.spec.mapping
                QueuePoller(
                    clock,
                    queue=queue,
                    spec=mapping,
                    function=functions[mapping.function],
                    messages=self._messages,
                    recorder=recorder,
                    may_fail=workload.draws.may_fail(workload.function_names[mapping.function]),
                )
        self._streams = [
            StreamReader(
                clock,
                index=len(self._queues) + number,
                spec=spec,
                function=functions[spec.function],
                messages=self._messages,
                recorder=recorder,
                may_fail=workload.draws.may_fail(workload.function_names[spec.function]),
                send_on=self._take_record,
                on_settled=on_settled,
            )
            for number, spec in enumerate(platform.streams)
        ]
        self._redrives: list[Redrive] = []

    def sender(self, queue: int) -> Sender:
        """A traffic source that sends to this queue, or to the stream with this number after the queues."""
        targets: list[SqsQueue | StreamReader] = [*self._queues, *self._streams]
        return Sender(targets[queue], self._messages)

    def take_event(self, queue: int, now_ns: int, request: Request, attempts: int, accepted: int) -> bool:
        """A record of an asynchronous event comes into its destination or dead-letter queue; False: into none."""
        target = self._queues[queue]
        if target.spec.message_groups is not None:
            return False
        row = self._messages.add_event(
            queue, now_ns, request, function=target.function, attempts=attempts, accepted=accepted, hops=1
        )
        target.put(now_ns, row)
        return True

    def _take_record(self, queue: int, now_ns: int, row: int) -> None:
        """A note on records that were given up comes into its destination; the first of them stands for it."""
        target = self._queues[queue]
        target.put(now_ns, self._messages.note(row, queue, now_ns, function=target.function))

    def redrive(self, now_ns: int, queue: int, gap_ns: int) -> None:
        """Move the messages that are in a dead-letter queue now back to where they came from, one in every gap."""
        messages = self._messages
        rows = [
            row
            for row in range(len(messages.request))
            if messages.queue[row] == queue and messages.has_origin(row) and messages.settled_ns[row] < 0
        ]
        redrive = Redrive(
            self._clock,
            queue=self._queues[queue],
            messages=messages,
            rows=rows,
            gap_ns=gap_ns,
            on_over=self._on_settled,
        )
        self._redrives.append(redrive)
        redrive.start()

    @property
    def is_waiting(self) -> bool:
        """Whether a message is left that somebody will receive or move."""
        return (
            any(queue.unsettled for queue in self._queues if queue.function != NOWHERE)
            or any(stream.unsettled for stream in self._streams)
            or not all(redrive.is_over for redrive in self._redrives)
        )

    def finish(self, end_ns: int) -> None:
        """Write down what the end of the run leaves."""
        for stream in self._streams:
            stream.finish(end_ns)
        self._messages.release()
