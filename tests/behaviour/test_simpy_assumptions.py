"""What the engine takes for granted of SimPy, some of it undocumented; a new SimPy must pass these."""

from __future__ import annotations

from lambdasim.engine.ordering import EventKind, priority
from lambdasim.engine.reference.recurring import Clock, Recurring


def test_a_processed_event_can_be_scheduled_again() -> None:
    """Once its callbacks are set again, it runs again, as often as one likes."""
    clock = Clock()
    seen: list[int] = []
    event = Recurring(clock)

    def due(same: Recurring) -> None:
        assert same is event
        seen.append(clock.now_ns)
        if len(seen) < 4:
            schedule()

    callbacks = [due]

    def schedule() -> None:
        event.callbacks = callbacks
        clock.schedule_in(event, priority(EventKind.RETRY, 0), 3)

    schedule()
    clock.run()
    assert seen == [3, 6, 9, 12]


def test_the_list_of_callbacks_is_left_as_it_was() -> None:
    """The engine hands over the same list again and again."""
    clock = Clock()
    event = Recurring(clock)
    callbacks = [lambda _: None]
    event.callbacks = callbacks
    clock.schedule_in(event, 1, 0)
    clock.run()
    assert len(callbacks) == 1
    assert event.callbacks is None


def test_events_of_one_instant_run_by_rank_and_not_by_the_order_of_scheduling() -> None:
    """Nine kinds, scheduled from the last to the first, with two indices each."""
    clock = Clock()
    seen: list[tuple[EventKind, int]] = []
    for kind in reversed(EventKind):
        for index in (1, 0):
            event = Recurring(clock)
            event.callbacks = [lambda _, kind=kind, index=index: seen.append((kind, index))]
            clock.schedule_in(event, priority(kind, index), 5)
    clock.run()
    assert seen == [(kind, index) for kind in EventKind for index in (0, 1)]


def test_an_event_scheduled_for_now_joins_the_order_of_now() -> None:
    """At 5 the retry schedules an end of init for 5, which runs before the arrival that was there first."""
    clock = Clock()
    seen: list[str] = []
    retry, arrival, init_end = Recurring(clock), Recurring(clock), Recurring(clock)

    def on_retry(_: Recurring) -> None:
        seen.append("retry")
        clock.schedule_in(init_end, priority(EventKind.INIT_END, 7), 0)

    retry.callbacks = [on_retry]
    arrival.callbacks = [lambda _: seen.append("arrival")]
    init_end.callbacks = [lambda _: seen.append("end of init")]
    clock.schedule_in(arrival, priority(EventKind.ARRIVAL, 0), 5)
    clock.schedule_in(retry, priority(EventKind.RETRY, 0), 5)
    clock.run()
    assert seen == ["retry", "end of init", "arrival"]


def test_recurring_events_are_ranked_each_time_anew() -> None:
    """Two events meet at 2, 4 and 6; they swap ranks each time."""
    clock = Clock()
    seen: list[str] = []
    events = {"a": Recurring(clock), "b": Recurring(clock)}

    def schedule(name: str, round_number: int) -> None:
        first = name == "a" if round_number % 2 == 0 else name == "b"
        events[name].callbacks = [lambda _: due(name, round_number)]
        clock.schedule_in(events[name], priority(EventKind.ARRIVAL, 0 if first else 1), 2)

    def due(name: str, round_number: int) -> None:
        seen.append(f"{name}{clock.now_ns}")
        if round_number < 2:
            schedule(name, round_number + 1)

    schedule("b", 0)
    schedule("a", 0)
    clock.run()
    assert seen == ["a2", "b2", "b4", "a4", "a6", "b6"]


def test_the_clock_stays_an_integer() -> None:
    """Delays of 2**60 ns and of 1 ns add up exactly, where a float would lose the nanosecond."""
    clock = Clock()
    seen: list[int] = []
    event = Recurring(clock)

    def once(_: Recurring) -> None:
        event.callbacks = [lambda _: seen.append(clock.now_ns)]
        clock.schedule_in(event, 1, 1)

    event.callbacks = [once]
    clock.schedule_in(event, 1, 2**60)
    clock.run()
    assert seen == [2**60 + 1]
    assert type(clock.now_ns) is int


def test_a_run_until_an_event_ends_with_that_event() -> None:
    """What is scheduled for later, or for the same instant at a later rank, does not run."""
    clock = Clock()
    seen: list[str] = []
    end, before, after = Recurring(clock), Recurring(clock), Recurring(clock)
    before.callbacks = [lambda _: seen.append("before")]
    after.callbacks = [lambda _: seen.append("after")]
    clock.schedule_in(after, 3, 5)
    clock.schedule_in(end, 2, 5)
    clock.schedule_in(before, 1, 5)
    clock.run(until=end)
    assert seen == ["before"]
    assert clock.now_ns == 5
