"""Which virtual users are there when, and the keys of their draws. What they do is up to the engine.

A user's n-th request has a key of its own, whatever became of the requests before: draws do not depend on the run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lambdasim.scenario.virtual_users import VirtualUsers
from lambdasim.workload.draws import RARE_BLOCK
from lambdasim.workload.laws import ALWAYS_ON, Switch

# Requests of 16 users by 16 rounds share a block of draws, so that neither few users nor few rounds waste many.
_SIDE = 16
assert _SIDE * _SIDE == RARE_BLOCK
_USER_TILE_BITS = 20


def ordinal(user: int, round_: int) -> int:
    """Number that keys the draws of a user's request, unlike that of any other user and round (both from 0)."""
    tile = (round_ // _SIDE) << _USER_TILE_BITS | user // _SIDE
    return tile * RARE_BLOCK + user % _SIDE * _SIDE + round_ % _SIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """From ``start_ns`` to before ``end_ns`` the number of users moves in a straight line."""

    start_ns: int
    end_ns: int
    start_users: int
    end_users: int

    def first_ns(self, users: int, from_ns: int) -> int | None:
        """First instant in it, from ``from_ns`` on, at which there are at least so many users, or None."""
        time_ns = max(self.start_ns, from_ns)
        length, rise = self.end_ns - self.start_ns, self.end_users - self.start_users
        missing = (users - self.start_users) * length - rise * (time_ns - self.start_ns)
        if missing > 0:
            if rise <= 0:
                return None
            time_ns = self.start_ns - (-(users - self.start_users) * length // rise)
        return time_ns if time_ns < self.end_ns else None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserActivity:
    """When each virtual user of one source is there: user u (from 0) while the stages give at least u + 1 users.

    MODEL: the last to come is the first to go, after the request that it has under way. Users are away while their
    source is switched off.
    """

    users: int  # the most at any time
    segments: tuple[Segment, ...]
    end_ns: int  # users send in [0, end_ns)
    switch: Switch = ALWAYS_ON

    @property
    def user_ns(self) -> float:
        """The integral of the number of users over [0, end_ns), as if the source were always on."""
        total = 0.0
        for one in self.segments:
            length_ns = min(one.end_ns, self.end_ns) - one.start_ns
            rise = (one.end_users - one.start_users) / (one.end_ns - one.start_ns)
            total += length_ns * (one.start_users + rise * length_ns / 2)
        return total

    def next_ns(self, user: int, from_ns: int) -> int | None:
        """The first instant from ``from_ns`` on at which the user is there, before the end of arrivals; else None."""
        time_ns: int | None = from_ns
        for segment in self.segments:
            while time_ns is not None and time_ns < segment.end_ns:
                found_ns = segment.first_ns(user + 1, time_ns)
                if found_ns is None:
                    break
                time_ns = self.switch.next_on_ns(found_ns)
                if time_ns == found_ns:
                    return found_ns if found_ns < self.end_ns else None
        return None


def user_activity(users: VirtualUsers, duration_ns: int, switch: Switch = ALWAYS_ON) -> UserActivity:
    """The activity of a source's users over [0, duration)."""
    segments = tuple(_segments(users, duration_ns))
    most = max(max(one.start_users, one.end_users) for one in segments)
    return UserActivity(users=most, segments=segments, end_ns=duration_ns, switch=switch)


def _segments(users: VirtualUsers, duration_ns: int) -> Iterator[Segment]:
    now, count = 0, users.start
    for stage in users.stages:
        if now >= duration_ns:
            return
        if stage.duration:
            # A stage that lasts too long keeps its slope: the segment is cut, its line is not.
            yield Segment(start_ns=now, end_ns=now + stage.duration, start_users=count, end_users=stage.target)
        now, count = now + stage.duration, stage.target
    if now < duration_ns:
        yield Segment(start_ns=now, end_ns=duration_ns, start_users=count, end_users=count)
