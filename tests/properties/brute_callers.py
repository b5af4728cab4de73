"""Who sends requests, and what a caller sees: the half of the second simulator that is not about Lambda.

Written from MODEL.md and the pages it names, not from the engine: answers of the front ends, what an SDK's retry quota
takes and gives back, and when a virtual user is there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil

from tests.properties.plans import Plan, Sdk, SourcePlan, UsersPlan

NEVER = 10**30

# What a caller sees of an attempt that failed.
THROTTLED, SERVER_ERROR, NO_ANSWER = range(3)

STATUS_OF_THROTTLE = {"function-url": 429, "api-gateway-rest": 500, "api-gateway-http": 500, "alb": 502}

# What a retry costs after a status of 429, a status of 5xx, and no answer.
COSTS = {
    "boto3-standard": (5, 5, 10),
    "js-v3": (5, 10, 10),
    "boto3-standard-2026": (5, 14, 14),
    "js-v3-2026": (5, 14, 14),
}


def patience(source: SourcePlan) -> tuple[int | None, int]:
    """Ticks after which the caller has an answer or goes, and what it sees then; of equals the gateway is first."""
    waits = None if source.via is None else source.via.timeout
    if waits is not None and (source.timeout is None or waits <= source.timeout):
        return waits, SERVER_ERROR
    return source.timeout, NO_ANSWER


def seen_of_throttle(source: SourcePlan) -> int:
    """What the caller sees where Lambda refused the attempt."""
    if source.via is None:
        return THROTTLED
    status = source.via.throttle_status or STATUS_OF_THROTTLE[source.via.name]
    return THROTTLED if status == 429 else SERVER_ERROR


@dataclass
class Quotas:
    """Retry tokens of every SDK client of every source."""

    plan: Plan
    left: dict[tuple[int, int], int] = field(default_factory=dict)  # by source and number of the client

    def _costs(self, source: int) -> tuple[int, int, int] | None:
        retry = self.plan.sources[source].retry
        return COSTS.get(retry.preset) if isinstance(retry, Sdk) else None

    def _client(self, source: int, turn: int) -> tuple[int, int]:
        retry = self.plan.sources[source].retry
        assert isinstance(retry, Sdk)
        return source, turn % retry.clients

    def pay(self, source: int, turn: int, failure: int) -> int | None:
        """What a retry takes, which is nothing without a quota; None where there is not enough left."""
        costs = self._costs(source)
        if costs is None:
            return 0
        client = self._client(source, turn)
        left = self.left.get(client, self.plan.sdk_tokens)
        if left < costs[failure]:
            return None
        self.left[client] = left - costs[failure]
        return costs[failure]

    def give_back(self, source: int, turn: int, paid: int) -> None:
        """A success gives back what the last retry of its request cost, or 1 where it had none."""
        if self._costs(source) is None:
            return
        client = self._client(source, turn)
        left = self.left.get(client, self.plan.sdk_tokens)
        self.left[client] = min(self.plan.sdk_tokens, left + (paid if paid > 0 else 1))


@dataclass(frozen=True)
class Line:
    """From ``start`` to before ``end`` the number of users goes in a straight line."""

    start: int
    end: int
    users: int
    later: int  # users at the end

    def at(self, time: int) -> Fraction:
        """Users at one time in it, not rounded."""
        return self.users + Fraction((self.later - self.users) * (time - self.start), self.end - self.start)


@dataclass
class Presence:
    """When each virtual user of one source is there."""

    plan: Plan
    source: int
    tick: int
    lines: list[Line] = field(default_factory=list)

    def __post_init__(self) -> None:
        users = self.plan.sources[self.source].users
        assert isinstance(users, UsersPlan)
        now, count = 0, users.start
        for ticks, target in users.stages:
            if ticks:
                self.lines.append(Line(now, now + ticks * self.tick, count, target))
            now, count = now + ticks * self.tick, target
        self.lines.append(Line(now, NEVER, count, count))

    def is_there(self, user: int, time: int) -> bool:
        """User u is there while there are at least u + 1, and while its source is on."""
        line = next(one for one in self.lines if one.start <= time < one.end)
        return line.at(time) >= user + 1 and is_on(self.plan, self.source, time, self.tick)

    def next_visit(self, user: int, time: int) -> int | None:
        """The first instant from ``time`` on at which the user is there, before arrivals end; else None.

        It comes at once, or where a line starts, where a rising line gets to it, or where its source is switched on.
        """
        rising = [line for line in self.lines if line.later > line.users]
        crossings = [
            line.start + ceil(Fraction((user + 1 - line.users) * (line.end - line.start), line.later - line.users))
            for line in rising
        ]
        switched = [change.at * self.tick for change in self.plan.changes if change.traffic]
        candidates = [time, *(line.start for line in self.lines), *crossings, *switched]
        within = (one for one in candidates if time <= one < self.plan.duration * self.tick)
        return min((one for one in within if self.is_there(user, one)), default=None)


def is_on(plan: Plan, source: int, time: int, tick: int) -> bool:
    """Whether a source sends at one time."""
    state = True
    for _, change in plan.changes_in_time:
        if change.at * tick <= time:
            state = dict(change.traffic).get(source, state)
    return state
