"""Callers that wait for an answer, think, and send again: each virtual user of a source is an event that comes back."""

from __future__ import annotations

from collections.abc import Callable

from lambdasim.engine.ordering import arrival_rank
from lambdasim.engine.reference.clients import Call, Clients
from lambdasim.engine.reference.recurring import Callbacks, Clock, Recurring
from lambdasim.workload.draws import Draws
from lambdasim.workload.virtual_users import UserActivity, ordinal
from lambdasim.workload.workload import OWN_INIT, Request


class User(Recurring):
    """One virtual user; also the event of its next request."""

    def __init__(self, clock: Clock, number: int) -> None:
        super().__init__(clock)
        self.number = number
        self.round = 0  # requests sent so far


class VirtualUsers:
    """The users of one traffic source. ``number`` gives a request its index when it arrives."""

    def __init__(
        self,
        clock: Clock,
        *,
        source: int,
        source_name: str,
        function: int,
        function_name: str,
        activity: UserActivity,
        draws: Draws,
        number: Callable[[int, int, int], int],
        on_gone: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._source = source
        self._source_name = source_name
        self._function = function
        self._function_name = function_name
        self._activity = activity
        self._draws = draws
        self._number = number
        self._on_gone = on_gone
        self._turn: Callbacks = [self._on_turn]
        self._waiting: dict[int, User] = {}  # by the request that each waits for
        self._clients: Clients | None = None
        self.present = activity.users  # that will still send, or wait for an answer and then may

    def start(self, clients: Clients) -> None:
        """All users come: each sends its first request when it is there for the first time."""
        self._clients = clients
        for number in range(self._activity.users):
            self._come_back(User(self._clock, number), 0)

    def settled(self, call: Call) -> None:
        """A user has its answer, or has given up: it thinks, then it sends the next request."""
        user = self._waiting.pop(call.index)
        think_ns = self._draws.think_time(self._source_name, call.request[3])
        self._come_back(user, self._clock.now_ns + think_ns)

    def _come_back(self, user: User, from_ns: int) -> None:
        due_ns = self._activity.next_ns(user.number, from_ns)
        if due_ns is None:
            self.present -= 1
            if not self.present:
                self._on_gone()
            return
        user.callbacks = self._turn
        self._clock.schedule_in(user, arrival_rank(self._source, user.number), due_ns - self._clock.now_ns)

    def _on_turn(self, user: User) -> None:
        now_ns = self._clock.now_ns
        assert self._clients is not None, "users come with start"
        request = self._request(now_ns, user)
        self._waiting[request[0]] = user
        user.round += 1
        self._clients.begin(now_ns, request, user.number)

    def _request(self, now_ns: int, user: User) -> Request:
        index = self._number(now_ns, self._source, self._function)
        key, draws, source, function = (
            ordinal(user.number, user.round),
            self._draws,
            self._source_name,
            self._function_name,
        )
        return (
            index,
            now_ns,
            self._source,
            key,
            self._function,
            draws.duration(source, function, now_ns, key),
            draws.fate(source, function, now_ns, 1, key),
            draws.idle_timeout(source, function, 1, key),
            OWN_INIT,
        )
