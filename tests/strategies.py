"""Hypothesis strategies: small plans whose times are small integers, so that ties are common."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tests.properties.plans import (
    AllocationPlan,
    Always,
    AutoscalingPlan,
    BucketPlan,
    ChangePlan,
    Delays,
    Doubling,
    EventsPlan,
    FrontEndPlan,
    FunctionPlan,
    MappingPlan,
    Plan,
    PollingPlan,
    QueuePlan,
    RetryPlan,
    Row,
    ScheduledPlan,
    Sdk,
    SourcePlan,
    UsersPlan,
)

# In ticks of a quarter of a second. AWS allows function timeouts from one second on.
DURATIONS = st.integers(1, 8)
INITS = st.integers(0, 4)
FUNCTION_TIMEOUTS = st.integers(4, 9)
LAST_ARRIVAL = 30
MUCH = 99


def _maybe(strategy: SearchStrategy[int]) -> SearchStrategy[int | None]:
    return st.none() | strategy


def buckets() -> SearchStrategy[BucketPlan]:
    """A small token bucket of new environments."""
    return st.builds(BucketPlan, burst=st.integers(1, 4), rate=st.integers(1, 3), per=st.integers(1, 7))


def retries() -> SearchStrategy[RetryPlan]:
    """Every way to retry that draws nothing."""
    return st.one_of(
        st.builds(Delays, st.lists(st.integers(0, 4), max_size=4).map(tuple)),
        st.builds(Doubling, st.integers(1, 5), st.integers(0, 3), _maybe(st.integers(1, 6))),
        # Callers who never give up knock all through the drain: not too often, or the examples grow large.
        st.builds(Doubling, st.none(), st.integers(1, 3), _maybe(st.integers(3, 6))),
        st.builds(Always, st.none(), st.integers(3, 5)),
        st.builds(Always, st.integers(1, 5), st.integers(1, 4)),
    )


@st.composite
def functions(
    draw: DrawFn, *, has_inits: bool = True, has_long_inits: bool = True, has_resets: bool = True
) -> FunctionPlan:
    """One function. Long inits are over AWS's limit of ten seconds, which does not scale with the tick."""
    inits = INITS if has_inits else st.just(0)
    if has_inits and has_long_inits:
        inits = st.one_of(inits, inits, inits, st.integers(40, 42))
    idle_pair = st.tuples(st.integers(1, 4), st.integers(0, 5)).map(lambda pair: (pair[0], pair[0] + pair[1]))
    return FunctionPlan(
        duration=draw(DURATIONS),
        init=draw(inits),
        idle_timeout=draw(st.one_of(st.none(), st.integers(1, 9), st.integers(1, 9), idle_pair)),
        max_age=draw(_maybe(st.integers(1, 20))),
        timeout=draw(_maybe(FUNCTION_TIMEOUTS)) if has_resets else None,
        reserved=draw(_maybe(st.integers(0, 3))),
        is_eager=draw(st.booleans()),
        is_mru=draw(st.booleans()),
        error_percent=draw(st.sampled_from([0, 0, 30])),
        crash_percent=draw(st.sampled_from([0, 0, 40])) if has_resets else 0,
        scaling=draw(st.one_of(st.none(), st.none(), buckets())),
    )


@st.composite
def rows(draw: DrawFn, n_functions: int, *, has_inits: bool = True) -> tuple[Row, ...]:
    """The rows of a trace, in order of time."""
    times = sorted(draw(st.lists(st.integers(0, LAST_ARRIVAL), max_size=14)))
    return tuple(
        Row(
            time=time,
            duration=draw(_maybe(DURATIONS)),
            init=draw(_maybe(INITS)) if has_inits else None,
            function=draw(_maybe(st.integers(0, n_functions - 1))),
        )
        for time in times
    )


@st.composite
def plans(
    draw: DrawFn,
    *,
    has_inits: bool = True,
    has_long_inits: bool = True,
    has_resets: bool = True,
    has_retries: bool = True,
    has_scaling: bool = True,
    has_request_rates: bool = True,
) -> Plan:
    """A region with up to three functions and up to three traces."""
    n_functions = draw(st.integers(1, 3))
    made = tuple(
        draw(functions(has_inits=has_inits, has_long_inits=has_long_inits, has_resets=has_resets))
        for _ in range(n_functions)
    )
    sources = tuple(
        SourcePlan(
            function=draw(st.integers(0, n_functions - 1)),
            rows=draw(rows(n_functions, has_inits=has_inits)),
            timeout=draw(_maybe(st.integers(1, 8))),
            retry=draw(st.none() | retries()) if has_retries else None,
        )
        for _ in range(draw(st.integers(1, 3)))
    )
    reserved = sum(function.reserved or 0 for function in made)
    return Plan(
        functions=made if has_scaling else tuple(_without_scaling(function) for function in made),
        sources=sources,
        shared=draw(st.integers(0 if reserved else 1, 4)),
        scaling=draw(st.one_of(st.none(), buckets())) if has_scaling else None,
        is_scaling_region_wide=draw(st.booleans()),
        requests_per_concurrency=draw(_maybe(st.integers(1, 3))) if has_request_rates else None,
        ramp=draw(st.none() | st.tuples(st.integers(1, 6), st.integers(1, 3))) if has_request_rates else None,
        duration=draw(st.integers(1, LAST_ARRIVAL + 10)),
        drain=draw(st.integers(0, 60) | st.just(90)),
    )


@st.composite
def crowded_plans(draw: DrawFn) -> Plan:
    """One function, many requests in little time, inits that differ: environments overtake each other."""
    times = sorted(draw(st.lists(st.integers(0, 12), min_size=4, max_size=20)))
    made = tuple(
        Row(time=time, duration=draw(st.integers(1, 5)), init=draw(_maybe(st.integers(0, 5)))) for time in times
    )
    ages = st.tuples(st.integers(1, 3), st.integers(4, 12))
    function = FunctionPlan(
        init=draw(INITS),
        idle_timeout=draw(st.one_of(st.integers(1, 5), ages)),
        max_age=draw(_maybe(st.integers(2, 12))),
        timeout=draw(_maybe(st.just(4))),
        is_eager=draw(st.sampled_from([True, True, False])),
        is_mru=draw(st.booleans()),
        crash_percent=draw(st.sampled_from([0, 0, 30])),
    )
    return Plan(
        functions=(function,),
        sources=(
            SourcePlan(
                function=0, rows=made, timeout=draw(_maybe(st.integers(2, 6))), retry=draw(st.none() | retries())
            ),
        ),
        shared=draw(st.integers(2, 12)),
        ramp=draw(st.none() | st.tuples(st.just(10), st.integers(1, 5))),
        duration=30,
        drain=60,
    )


@st.composite
def front_ends(draw: DrawFn) -> FrontEndPlan:
    """Every front end, API Gateway more often than others; that of an HTTP API never waits without limit."""
    rest, http = "api-gateway-rest", "api-gateway-http"
    name = draw(st.sampled_from([rest, rest, rest, http, http, "function-url", "alb"]))
    times = st.integers(1, 8)
    timeout = draw(times if name == "api-gateway-http" else _maybe(times))
    return FrontEndPlan(name, timeout, draw(st.sampled_from([None, None, 429, 503])))


def sdks() -> SearchStrategy[Sdk]:
    """The SDKs without a rate limiter, which has a test worked out by hand."""
    presets = ["boto3-standard", "js-v3", "boto3-standard-2026", "js-v3-2026", "boto3-legacy"]
    return st.builds(Sdk, st.sampled_from(presets), st.integers(2, 4), st.sampled_from([1, 1, 2, 3]))


@st.composite
def users(draw: DrawFn) -> UsersPlan:
    """A few users, often in stages; they think for a tick at least, or there would be no end of requests."""
    stages = tuple(draw(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 4)), max_size=3)))
    is_empty = all(target == 0 for _, target in stages)
    return UsersPlan(
        start=draw(st.integers(1 if is_empty else 0, 3)),
        stages=stages,
        think=tuple(draw(st.lists(st.integers(1, 5), min_size=1, max_size=3))),
    )


@st.composite
def changes(draw: DrawFn, plan: Plan) -> tuple[ChangePlan, ...]:
    """Changes of one to three kinds, each to a state that AWS would accept.

    The quota holds all that is reserved and all that is provisioned beside it.
    """
    names = ["quota", "reserved", "reserved", "deploy", "durations", "errors", "traffic"]
    free = [number for number, one in enumerate(plan.functions) if one.can_be_provisioned and one.autoscaling is None]
    kinds = st.sampled_from(["provisioned"] * 5 * bool(free) + names)
    of_plan = st.sampled_from(draw(st.lists(kinds, min_size=1, max_size=3, unique=True)))
    end = min(plan.duration + plan.drain, LAST_ARRIVAL + 10)
    function = st.sampled_from([0, 0, *range(len(plan.functions))])
    source = st.integers(0, len(plan.sources) - 1)
    reserved, quota = [one.reserved for one in plan.functions], plan.quota
    provisioned = [one.provisioned_at_most for one in plan.functions]
    made = []
    gaps = draw(st.lists(st.integers(0, 6), min_size=2, max_size=6))
    for at in (at for at in accumulate(gaps) if at <= end):
        picked = draw(st.lists(of_plan, min_size=1, max_size=2))
        change = ChangePlan(at=at)
        if "reserved" in picked:
            number = draw(function)
            units = draw(st.sampled_from([1, 1, 2, 3, 0]) if reserved[number] is None else _maybe(st.integers(0, 2)))
            if units is not None and plan.functions[number].autoscaling is not None:
                units = max(units, provisioned[number])
            reserved[number] = units
            change = replace(change, reserved=((number, units),))
            if units is not None and units < provisioned[number]:
                provisioned[number] = units
                change = replace(change, provisioned=((number, units),))
        if "provisioned" in picked and not change.provisioned:
            number = draw(st.sampled_from([free[0], *free]))
            units = draw(st.integers(0, min(4, MUCH if reserved[number] is None else reserved[number] or 0)))
            provisioned[number] = units
            change = replace(change, provisioned=((number, units),))
        in_no_reservation = sum(units for units, own in zip(provisioned, reserved, strict=True) if own is None)
        least = max(1, sum(units or 0 for units in reserved) + in_no_reservation)
        if "quota" in picked or quota < least:
            quota = least + draw(st.integers(0, 4))
            change = replace(change, quota=quota)
        if "deploy" in picked:
            change = replace(change, deploy=draw(function))
        if "durations" in picked:
            change = replace(change, durations=((draw(function), draw(DURATIONS)),))
        if "errors" in picked:
            change = replace(change, error_percents=((draw(function), draw(st.sampled_from([0, 50]))),))
        if "traffic" in picked:
            change = replace(change, traffic=((draw(source), draw(st.booleans())),))
        made.append(change)
    if draw(st.booleans()):  # they may stand in any order in the file; those of one instant apply in that order
        made.sort(key=lambda change: -change.at)
    return tuple(made)


@st.composite
def busy_plans(draw: DrawFn) -> Plan:
    """One or two functions with few limits and two traces that keep them busy for a while."""
    n_functions = draw(st.integers(1, 2))
    made = tuple(
        FunctionPlan(
            duration=draw(st.sampled_from([1, 1, 2, 4, 8])),
            init=draw(st.sampled_from([0, 0, 1, 3])),
            idle_timeout=draw(_maybe(st.integers(1, 9))),
            reserved=draw(_maybe(st.integers(0, 2))),
            is_eager=draw(st.booleans()),
            error_percent=draw(st.sampled_from([0, 30])),
        )
        for _ in range(n_functions)
    )
    times = st.lists(st.integers(0, 20), min_size=5, max_size=12).map(sorted)
    sources = tuple(
        SourcePlan(
            function=draw(st.integers(0, n_functions - 1)),
            rows=tuple(Row(time) for time in draw(times)),
            timeout=draw(_maybe(st.integers(1, 4))),
            retry=draw(st.none() | retries()),
        )
        for _ in range(2)
    )
    return Plan(
        functions=made,
        sources=sources,
        shared=draw(st.integers(1, 3)),
        requests_per_concurrency=draw(st.sampled_from([None, 1, 1, 2])),
        duration=25,
        drain=40,
    )


@st.composite
def returned_reservations(draw: DrawFn) -> Plan:
    """A function gives its reservation back and takes another one, while what the first one admitted still works."""
    plan = draw(busy_plans())
    units, at = draw(st.integers(1, 2)), draw(st.integers(0, 9))
    first = replace(plan.functions[0], reserved=units, duration=8)
    back = ChangePlan(at=at, reserved=((0, None),))
    again = ChangePlan(at=at + draw(st.integers(0, 4)), reserved=((0, draw(st.integers(0, units + 1))),))
    return replace(plan, functions=(first, *plan.functions[1:]), changes=(back, again))


@st.composite
def modern_plans(
    draw: DrawFn,
    *,
    has_front_ends: bool = True,
    has_sdks: bool = True,
    has_changes: bool = True,
    has_users: bool = True,
) -> Plan:
    """Plans with front ends, SDKs with small retry quotas, virtual users and changes during the run, or some of it."""
    plan = draw(plans() | busy_plans())
    sources = list(plan.sources)
    for index in range(len(sources)):
        if has_front_ends and draw(st.integers(0, 3)):
            sources[index] = replace(sources[index], via=draw(front_ends()))
        if has_sdks and draw(st.integers(0, 3)):
            sources[index] = replace(sources[index], retry=draw(sdks()))
        if has_users and draw(st.booleans()):
            sources[index] = replace(sources[index], rows=(), users=draw(users()))
    plan = replace(plan, sources=tuple(sources))
    if has_front_ends:
        plan = replace(plan, gateway=draw(st.none() | st.tuples(st.integers(1, 3), st.integers(1, 2))))
    if has_sdks:
        plan = replace(plan, sdk_tokens=draw(st.integers(0, 40)))
    if has_users:
        several = st.lists(DURATIONS, min_size=2, max_size=3).map(tuple)
        varied = tuple(replace(one, duration=draw(st.just(one.duration) | several)) for one in plan.functions)
        plan = replace(plan, functions=varied)
    return replace(plan, changes=draw(changes(plan))) if has_changes else plan


@st.composite
def event_blocks(draw: DrawFn, *, ticks_per_second: int, has_slow_downs: bool) -> EventsPlan:
    """What becomes of events; many ages are such that a try comes just in time or just too late.

    Throttles alone lead to tries 1, 3, 7 ... 63, 127 s after the first one, errors to more than 60 and 180 s.
    """
    ages = [60, 61, 62, 63, 64, 65, 66, 70, 90, 127, 129, 182, 184, 186, 190, 300, 300]
    # A recovery by which powers are no whole numbers: whether a float is a hair below one must not matter.
    slow_downs = st.tuples(st.sampled_from([50, 50, 25, 80]), st.sampled_from([3, 30, 70, 90]))
    dispatches = [0, 0, 0, 1, 2, (0, 1, 3), (1, 2), (0, 60, 61), 60, 61]
    return EventsPlan(
        max_age=ticks_per_second * draw(st.sampled_from(ages)),
        retries=draw(st.sampled_from([0, 1, 2, 2])),
        jitter=draw(st.sampled_from(["none", "none", "equal", "full"])),
        dispatch=draw(st.sampled_from(dispatches)),
        slow_down=draw(slow_downs) if has_slow_downs else None,
    )


@st.composite
def event_plans(draw: DrawFn, *, has_slow_downs: bool = False) -> Plan:
    """One or two functions with few units, events, and callers who wait beside them.

    A tick is a second or half of one, so that AWS's delays are whole ticks. Rate limits bind where it is half of one.
    """
    ticks_per_second = draw(st.sampled_from([1, 1, 2]))
    are_poison = draw(st.sampled_from([False, False, True]))
    made = tuple(
        FunctionPlan(
            duration=draw(st.sampled_from([1, 1, 1, 2, 4, 9])),
            init=draw(st.sampled_from([0, 0, 1, 3, 10, 11])),
            idle_timeout=draw(_maybe(st.integers(1, 9))),
            max_age=draw(_maybe(st.integers(1, 99))),
            timeout=draw(st.sampled_from([None, None, 2, 4])),
            reserved=draw(st.sampled_from([None, None, None, 1, 2, 0])),
            is_eager=draw(st.booleans()),
            is_mru=draw(st.booleans()),
            error_percent=draw(st.sampled_from([0, 30, 60])),
            poison_percent=100 if are_poison else draw(st.sampled_from([0, 0, 40])),
            crash_percent=draw(st.sampled_from([0, 0, 40])),
            scaling=draw(st.none() | buckets()),
            events=draw(event_blocks(ticks_per_second=ticks_per_second, has_slow_downs=has_slow_downs)),
        )
        for _ in range(draw(st.sampled_from([1, 1, 2])))
    )
    number = st.integers(0, len(made) - 1)
    row = st.tuples(st.integers(0, 20), st.sampled_from([None, None, 1, 2, 5, 70]), _maybe(number))
    sources = []
    for kind in ("async", *draw(st.lists(st.sampled_from(["async", "sync", "sync", "users"]), max_size=2))):
        rows_ = sorted(draw(st.lists(row, min_size=1, max_size=10)), key=lambda one: one[0])
        source = SourcePlan(
            function=draw(number),
            rows=tuple(Row(time, duration=duration, function=function) for time, duration, function in rows_),
            is_async=kind == "async",
        )
        if kind == "sync":
            often = st.builds(Always, st.integers(3, 8), st.integers(1, 2))
            retry = st.none() | often | often | retries().filter(lambda policy: policy.max_attempts is not None)
            source = replace(source, timeout=draw(st.none() | _maybe(st.integers(1, 8))), retry=draw(retry))
        if kind == "users":
            source = replace(source, rows=(), users=draw(users()))
        sources.append(source)
    if draw(st.booleans()):
        sources.reverse()
    plan = Plan(
        functions=made,
        sources=tuple(sources),
        shared=draw(st.sampled_from([1, 1, 2, 3])),
        scaling=draw(st.none() | buckets()),
        is_scaling_region_wide=draw(st.booleans()),
        requests_per_concurrency=draw(st.sampled_from([None, 1, 1])),
        ramp=draw(st.none() | st.tuples(st.integers(1, 3), st.just(1))),
        duration=25,
        drain=ticks_per_second * draw(st.sampled_from([0, 40, 130, 300, 300])),
        tick_ms=1_000 // ticks_per_second,
    )
    if draw(st.booleans()):
        stretch = draw(st.sampled_from([1, 1, 4]))
        late = (replace(change, at=stretch * change.at) for change in draw(changes(plan)))
        plan = replace(plan, changes=tuple(change for change in late if change.at <= plan.duration + plan.drain))
    return plan


@st.composite
def crowded_queues(draw: DrawFn) -> Plan:
    """Two queues whose readers were slowed down, and that come for the same few units at the same instants."""
    made = tuple(
        FunctionPlan(
            duration=draw(st.integers(1, 2)),
            events=EventsPlan(
                max_age=draw(st.sampled_from([60, 62, 64])),
                dispatch=draw(st.sampled_from([0, 1, 2, (0, 1, 2), (0, 1, 2)])),
                slow_down=draw(st.tuples(st.sampled_from([50, 80, 95]), st.sampled_from([3, 60, 90]))),
            ),
        )
        for _ in range(2)
    )
    row = st.tuples(st.sampled_from([0, 0, 0, 0, 1, 2, 19]), st.sampled_from([None, None, 1, 2]), st.integers(0, 1))
    rows_ = sorted(draw(st.lists(row, min_size=8, max_size=16)), key=lambda one: one[0])
    return Plan(
        functions=made,
        sources=(SourcePlan(function=0, rows=tuple(Row(*one[:2], function=one[2]) for one in rows_), is_async=True),),
        shared=draw(st.integers(1, 4)),
        duration=20,
        drain=100,
        tick_ms=1_000,
    )


@st.composite
def mappings(draw: DrawFn, n_functions: int, *, is_fifo: bool) -> MappingPlan:
    """How a queue is polled: few places, small batches, and delays in whole ticks."""
    start = draw(st.integers(1, 3))
    scaling = PollingPlan(
        start=start,
        rate=draw(st.integers(1, 3)),
        per=draw(st.sampled_from([1, 2, 3, 3, 7, 60])),
        most=start + draw(st.integers(0, 4)),
    )
    return MappingPlan(
        function=draw(st.integers(0, n_functions - 1)),
        batch_size=draw(st.sampled_from([1, 1, 2, 2, 3, 5, 10])),
        window=0 if is_fifo else draw(st.sampled_from([0, 0, 0, 1, 2, 3, 5])),
        most_at_once=draw(_maybe(st.integers(2, 3))),
        is_partial=draw(st.booleans()),
        adds_up=draw(st.booleans()),
        scaling=draw(st.sampled_from([scaling, scaling, scaling, None])),
        scale_in=draw(st.sampled_from([10, 50, 100])),
        back_off=draw(st.sampled_from([(70, 10), (50, 1), (70, 3), None])),
        retry=(draw(st.integers(1, 2)), draw(st.sampled_from([1, 4, 20]))),
        jitter=draw(st.sampled_from(["none", "none", "full", "equal"])),
    )


@st.composite
def sqs_queues(draw: DrawFn, n_functions: int, *, kinds: tuple[bool, ...]) -> tuple[QueuePlan, ...]:
    """Queues, FIFO ones where ``kinds`` says so, often with dead-letter queues, which may lead around a loop."""
    made = []
    for number, is_fifo in enumerate(kinds):
        others = [other for other, kind in enumerate(kinds) if kind == is_fifo and other != number]
        dead_letter = draw(st.sampled_from([None, *others, *others]))
        is_polled = number == 0 or draw(st.sampled_from([True, True, False]))
        mapping = draw(mappings(n_functions, is_fifo=is_fifo)) if is_polled else None
        # A message that is visible again while its batch is still gathered would be in it twice.
        least = 1 if mapping is None else mapping.window + 1
        made.append(
            QueuePlan(
                visibility=max(least, draw(st.sampled_from([1, 2, 3, 4, 5, 8, 20, 60, 61]))),
                retention=draw(st.sampled_from([60, 60, 61, 63, 66, 90, 120, 1_000])),
                delay=draw(st.sampled_from([0, 0, 0, 0, 1, 2, 5, 60])),
                most_receives=None if dead_letter is None else draw(st.sampled_from([1, 1, 2, 3])),
                dead_letter=dead_letter,
                groups=draw(st.sampled_from([1, 1, 2, 3])) if is_fifo else None,
                message_kb=draw(st.sampled_from([1, 1, 1, 1_024])),
                mapping=mapping,
            )
        )
    return tuple(made)


@st.composite
def queue_plans(draw: DrawFn, *, has_fifo: bool = True, has_changes: bool = True, has_events: bool = True) -> Plan:
    """Queues whose functions have few units, beside events that lead to queues, and callers. A tick is a second."""
    kinds = (
        draw(st.booleans()) if has_fifo else False,
        *draw(st.lists(st.booleans() if has_fifo else st.just(False), min_size=0, max_size=2)),
    )
    n_functions = draw(st.sampled_from([1, 1, 2]))
    queues = draw(sqs_queues(n_functions, kinds=kinds))
    standard = st.sampled_from([None, *(number for number, is_fifo in enumerate(kinds) if not is_fifo)])
    durations = st.sampled_from([1, 1, 2, 4, 9]) | st.lists(DURATIONS, min_size=2, max_size=3).map(tuple)
    made = tuple(
        FunctionPlan(
            duration=draw(durations),
            init=draw(st.sampled_from([0, 0, 1, 3, 11])),
            idle_timeout=draw(st.one_of(st.none(), st.integers(1, 9), st.just((1, 6)))),
            max_age=draw(_maybe(st.integers(1, 99))),
            timeout=draw(st.sampled_from([None, None, 2, 4])),
            reserved=draw(st.sampled_from([None, None, None, 1, 2, 0])),
            is_eager=draw(st.booleans()),
            is_mru=draw(st.booleans()),
            error_percent=draw(st.sampled_from([0, 0, 30, 60])),
            poison_percent=draw(st.sampled_from([0, 0, 40, 100])),
            crash_percent=draw(st.sampled_from([0, 0, 40])),
            scaling=draw(st.none() | st.none() | buckets()),
            events=EventsPlan(
                max_age=draw(st.sampled_from([60, 61, 63, 90, 300])),
                retries=draw(st.sampled_from([0, 0, 1])),
                on_success=draw(standard),
                on_failure=draw(standard),
                is_dead_letter=draw(st.booleans()),
            ),
        )
        for _ in range(n_functions)
    )
    polled = st.sampled_from([number for number, queue in enumerate(queues) if queue.mapping is not None])
    row = st.tuples(
        st.integers(0, 20), st.sampled_from([None, None, 1, 2, 5]), st.sampled_from([None, None, None, 0, 2])
    )
    # Levels change at whole minutes, and after 15 quiet ones.
    later = draw(st.sampled_from([0, 0, 0, 0, 60, 105, 920, 1_000]))
    shift = st.sampled_from([0, 0, later])
    sources = []
    others = ["sqs", "sync", "async"] if has_events else ["sqs", "sync"]
    for kind in ("sqs", *draw(st.lists(st.sampled_from(others), max_size=2))):
        drawn = draw(st.lists(st.tuples(row, shift), min_size=1, max_size=8))
        rows_ = sorted(((one[0] + more, *one[1:]) for one, more in drawn), key=lambda one: one[0])
        source = SourcePlan(function=draw(st.integers(0, n_functions - 1)), rows=tuple(Row(*one) for one in rows_))
        if kind == "sqs":
            queue = draw(polled)
            mapping = queues[queue].mapping
            assert mapping is not None
            source = replace(source, queue=queue, function=mapping.function)
        if kind == "sync":
            source = replace(source, retry=draw(st.none() | st.builds(Always, st.integers(2, 5), st.integers(1, 2))))
        sources.append(replace(source, is_async=kind == "async"))
    if draw(st.booleans()):
        sources.reverse()
    plan = Plan(
        functions=made,
        sources=tuple(sources),
        queues=queues,
        shared=draw(st.sampled_from([1, 1, 2, 3])),
        scaling=draw(st.none() | st.none() | buckets()),
        is_scaling_region_wide=draw(st.booleans()),
        requests_per_concurrency=draw(st.sampled_from([None, None, 1])),
        ramp=draw(st.none() | st.none() | st.tuples(st.integers(1, 3), st.just(1))),
        duration=25 + later,
        drain=draw(st.sampled_from([0, 40, 130, 300])),
        tick_ms=1_000,
    )
    return replace(plan, changes=draw(queue_changes(plan))) if has_changes and draw(st.booleans()) else plan


@st.composite
def queue_changes(draw: DrawFn, plan: Plan) -> tuple[ChangePlan, ...]:
    """Changes of limits and code, and redrives of dead-letter queues."""
    stretch = draw(st.sampled_from([1, 1, 4]))
    late = (replace(change, at=stretch * change.at) for change in draw(changes(plan)))
    made = [change for change in late if change.at <= plan.duration + plan.drain]
    targets = sorted({queue.dead_letter for queue in plan.queues if queue.dead_letter is not None})
    if targets:
        redrive = st.tuples(st.integers(1, 90), st.sampled_from(targets), st.sampled_from([1, 1, 2, 500]))
        for at, queue, rate in draw(st.lists(redrive, min_size=1, max_size=3)):
            if at <= plan.duration + plan.drain:
                made.append(ChangePlan(at=at, redrive=(queue, rate)))
    return tuple(made)


@st.composite
def healing_queue_plans(draw: DrawFn) -> Plan:
    """Queues that give nothing up, functions that fail often and not always, and time enough for every message."""
    plan = draw(queue_plans(has_changes=False, has_events=False))
    init, duration, timeout = draw(st.sampled_from([(0, 1, None), (1, 1, 2), (3, 1, 3), (11, 2, None)]))
    functions_ = tuple(
        replace(
            one,
            duration=duration,
            init=init,
            timeout=timeout,  # sometimes less than a second init and the duration together
            idle_timeout=draw(st.sampled_from([1, 5])),
            reserved=draw(st.sampled_from([None, 1, 2])),
            error_percent=draw(st.sampled_from([0, 20])),
            poison_percent=0,
            crash_percent=draw(st.sampled_from([0, 0, 20])),
        )
        for one in plan.functions
    )
    long = 14 * 86_400
    queues = tuple(
        replace(one, visibility=draw(st.sampled_from([60, 90])), retention=long, most_receives=None, dead_letter=None)
        for one in plan.queues
    )
    queues = tuple(
        one if one.mapping is None else replace(one, mapping=replace(one.mapping, adds_up=False, batch_size=size))
        for one, size in zip(queues, draw(st.tuples(*[st.integers(1, 4)] * len(queues))), strict=True)
    )
    sources = tuple(
        replace(one, rows=tuple(replace(row, duration=None, init=None) for row in one.rows))
        for one in plan.sources
        if one.queue is not None
    )
    plan = replace(plan, functions=functions_, queues=queues, sources=sources, drain=50_000)
    faults: list[ChangePlan] = []
    for at in draw(st.lists(st.integers(0, 200), max_size=3)):
        number = draw(st.integers(0, len(functions_) - 1))
        faults.append(ChangePlan(at=at, deploy=number))
        if functions_[number].reserved is not None and draw(st.booleans()):  # stopped for a while
            faults.append(ChangePlan(at=at, reserved=((number, 0),)))
            faults.append(ChangePlan(at=at + 200, reserved=((number, functions_[number].reserved),)))
    return replace(plan, changes=tuple(sorted(faults, key=lambda change: change.at)))


@st.composite
def patient_queue_plans(draw: DrawFn) -> Plan:
    """FIFO queues whose messages stay hidden for longer than most invocations take, tries included."""
    plan = draw(queue_plans())
    queues = tuple(
        replace(one, visibility=draw(st.sampled_from([30, 60, 100])), groups=draw(st.integers(1, 3)))
        if one.groups is not None
        else one
        for one in plan.queues
    )
    return replace(plan, queues=queues)


def allocations() -> SearchStrategy[AllocationPlan | None]:
    """Some ticks of preparation, then some units in some ticks; or at once."""
    prepare = st.integers(0, 5) | st.integers(0, 5) | st.tuples(st.integers(0, 3), st.integers(0, 9))
    slow = st.builds(AllocationPlan, prepare=prepare, rate=st.integers(1, 3), per=st.integers(1, 7))
    return st.one_of(st.none(), slow, slow, slow)


@st.composite
def capacities(draw: DrawFn, function: FunctionPlan) -> FunctionPlan:
    """A function with provisioned concurrency, or one that gets some by a change; no more than it has reserved."""
    reserved = draw(st.sampled_from([None, None, function.reserved, 1, 2, 4]))
    most = 3 if reserved is None else reserved
    return replace(
        function,
        init=draw(st.sampled_from([function.init, function.init, (0, 2, 4)])),
        sandbox=draw(st.sampled_from([0, 0, 0, 1, 2])),
        reserved=reserved,
        provisioned=draw(st.sampled_from(range(most + 1)) | st.just(most)),
        allocation=draw(allocations()),
    )


@st.composite
def _within_quota(draw: DrawFn, plan: Plan) -> Plan:
    """The same with enough for all that is provisioned, and sometimes a little more."""
    taken = sum(one.provisioned_at_most for one in plan.functions if one.reserved is None)
    reserved = sum(one.reserved or 0 for one in plan.functions)
    return replace(plan, shared=taken + draw(st.integers(0 if taken + reserved else 1, 3)))


@st.composite
def provisioned(draw: DrawFn, base: SearchStrategy[Plan], *, has_changes: bool = True) -> Plan:
    """Plans of ``base`` with provisioned concurrency for its first function, and perhaps for others."""
    plan = draw(base)
    others = [draw(capacities(one)) if draw(st.booleans()) else one for one in plan.functions[1:]]
    rpc = draw(st.sampled_from([None, None, 1, 1, 2]))
    made = (draw(capacities(plan.functions[0])), *others)
    plan = draw(_within_quota(replace(plan, functions=made, requests_per_concurrency=rpc, changes=())))
    return replace(plan, changes=draw(changes(plan))) if has_changes else plan


@st.composite
def capacity_plans(draw: DrawFn) -> Plan:
    """Many requests in little time, while units come and go and code is replaced. One function, or two."""
    made = tuple(
        FunctionPlan(
            duration=draw(st.sampled_from([1, 1, 2, 4, 8])),
            init=draw(st.sampled_from([0, 1, 3, (0, 2, 4)])),
            sandbox=draw(st.sampled_from([0, 0, 1, 2])),
            idle_timeout=draw(_maybe(st.integers(1, 9))),
            max_age=draw(st.none() | st.none() | st.integers(2, 12)),
            timeout=draw(st.sampled_from([None, None, 4])),
            reserved=draw(st.sampled_from([None, None, 2, 4])),
            is_eager=draw(st.booleans()),
            is_mru=draw(st.booleans()),
            crash_percent=draw(st.sampled_from([0, 0, 30])),
            provisioned=draw(st.sampled_from([0, 1, 1, 2, 2])),
            allocation=draw(allocations()),
        )
        for _ in range(draw(st.sampled_from([1, 1, 1, 2])))
    )
    row = st.tuples(st.integers(0, 20), st.sampled_from([None, None, 1, 3, 9]), st.integers(0, len(made) - 1))
    drawn = sorted(draw(st.lists(row, min_size=8, max_size=24)), key=lambda one: one[0])
    rows_ = tuple(Row(time, duration=duration, function=number) for time, duration, number in drawn)
    plan = Plan(
        functions=made,
        sources=(SourcePlan(function=0, rows=rows_, retry=draw(st.none() | retries())),),
        requests_per_concurrency=draw(st.sampled_from([None, None, 1, 1, 2])),
        ramp=draw(st.sampled_from([None, None, None, (2, 1)])),
        duration=25,
        drain=40,
    )
    plan = draw(_within_quota(plan))
    units, now = [one.provisioned or 0 for one in made], 0
    changed = []
    for _ in range(draw(st.integers(0, 8))):
        now += draw(st.sampled_from([0, 1, 1, 2, 2, 3, 6]))
        number = draw(st.integers(0, len(made) - 1))
        if draw(st.sampled_from([False, False, True])):
            changed.append(ChangePlan(at=now, deploy=number))
            continue
        step = draw(st.sampled_from([1, 1, 2, 3, -1, -1, -2, -9]))
        units[number] = min(max(units[number] + step, 0), made[number].reserved or 5)
        taken = sum(own for own, one in zip(units, made, strict=True) if one.reserved is None)
        reserved = sum(one.reserved or 0 for one in made)
        quota = max(1, reserved + taken) + draw(st.integers(0, 2))
        changed.append(ChangePlan(at=now, quota=quota, provisioned=((number, units[number]),)))
    return replace(plan, changes=tuple(changed))


@st.composite
def slow_init_plans(draw: DrawFn) -> Plan:
    """Inits of about the 130 s that they may take when they are provisioned, often too long. A tick is 10 s."""
    inits = st.sampled_from([13, 14, 14, 15, (2, 14), (13, 2, 14), 2, 0])
    function = FunctionPlan(
        duration=draw(st.integers(1, 8)),
        init=draw(inits),
        sandbox=draw(st.sampled_from([0, 0, 1])),
        idle_timeout=draw(_maybe(st.integers(1, 9))),
        timeout=draw(st.sampled_from([4, 9, 14, 14])),
        is_eager=draw(st.booleans()),
        is_mru=draw(st.booleans()),
        crash_percent=draw(st.sampled_from([0, 0, 40])),
        provisioned=draw(st.sampled_from([0, 0, 1, 2])),
        allocation=draw(
            st.builds(AllocationPlan, prepare=st.integers(0, 20), rate=st.integers(1, 2), per=st.integers(1, 9))
        ),
    )
    times = sorted(draw(st.lists(st.integers(0, 60), max_size=12)))
    plan = Plan(
        functions=(function,),
        sources=(SourcePlan(function=0, rows=tuple(Row(time) for time in times)),),
        shared=6,
        duration=61,
        drain=40,
        tick_ms=10_000,
    )
    gaps = draw(st.lists(st.sampled_from([0, 1, 2, 5, 13, 14, 20]), min_size=1, max_size=5))
    made = []
    for at in (at for at in accumulate(gaps) if at <= 100):
        change = ChangePlan(at=at, provisioned=((0, draw(st.integers(0, 4))),))
        made.append(change if draw(st.integers(0, 3)) else ChangePlan(at=at, deploy=0))
    return replace(plan, changes=tuple(made))


@st.composite
def autoscalings(draw: DrawFn) -> AutoscalingPlan:
    """Few points in a row, targets of which few units are a multiple, and perhaps other bounds later."""
    least = draw(st.sampled_from([0, 1, 1, 2, 2, 5]))
    most = least + draw(st.integers(1, 8))
    bounds, actions = (least, most), []
    times = st.integers(0, 9) | st.integers(0, 80) | st.integers(1, 9).map(lambda minute: 6 * minute)
    for at in sorted(draw(st.lists(times, max_size=3))):
        low = draw(st.sampled_from([0, 0, 1, 2, 3, 6]))
        high = low + draw(st.integers(0, 6))
        both = [(low, high)]
        both += [(low, None)] if low <= bounds[1] else []
        both += [(None, high)] if high >= bounds[0] else []
        low_, high_ = draw(st.sampled_from(both))
        actions.append(ScheduledPlan(at, low_, high_))
        bounds = (bounds[0] if low_ is None else low_, bounds[1] if high_ is None else high_)
    return AutoscalingPlan(
        least=least,
        most=most,
        target=draw(st.sampled_from([50, 50, 25, 40, 70, 90] + [None] * bool(actions))),
        is_maximum=draw(st.booleans()),
        actions=tuple(actions),
        delay=draw(st.sampled_from([0, 0, 1, 6, 7])),
        out_points=draw(st.sampled_from([1, 1, 2, 3])),
        in_points=draw(st.sampled_from([1, 1, 2, 3])),
        in_percent=draw(st.sampled_from([90, 90, 100, 50])),
        step_percent=draw(st.sampled_from([10, 10, 40, 99])),
        out_cooldown=draw(st.sampled_from([0, 0, 6, 12, 13, 30])),
        in_cooldown=draw(st.sampled_from([0, 0, 6, 12, 13, 30])),
    )


@st.composite
def autoscaling_plans(draw: DrawFn) -> Plan:
    """Busy and quiet minutes. A tick is 10 s, so that there are few requests in many minutes."""
    made = []
    for _ in range(draw(st.sampled_from([1, 1, 2]))):
        allocation = st.builds(
            AllocationPlan, prepare=st.sampled_from([0, 0, 2, 6, 7, 12]), rate=st.integers(1, 3), per=st.integers(1, 3)
        )
        scaled = draw(autoscalings())
        stated = draw(st.sampled_from([None, None, 0, 2, 4]))
        made.append(
            FunctionPlan(
                duration=draw(st.sampled_from([1, 2, 3, 6, 6])),
                init=draw(st.sampled_from([0, 0, 1])),
                idle_timeout=draw(_maybe(st.integers(1, 9))),
                reserved=draw(st.sampled_from([None, None, scaled.most_ever, scaled.most_ever + 2])),
                is_mru=draw(st.booleans()),
                is_eager=draw(st.booleans()),
                provisioned=stated,
                allocation=draw(st.one_of(st.none(), allocation, allocation)),
                autoscaling=scaled,
            )
        )
    phase = st.tuples(st.integers(1, 4), st.sampled_from([0, 1, 1, 2, 4, 6]))
    loads = [load for minutes, load in draw(st.lists(phase, min_size=2, max_size=6)) for _ in range(minutes)]
    times = [6 * minute + draw(st.integers(0, 5)) for minute, load in enumerate(loads) for _ in range(load)]
    number, longer = st.integers(0, len(made) - 1), st.sampled_from([None, None, None, 1, 9])
    rows_ = tuple(Row(time, function=draw(number), duration=draw(longer)) for time in sorted(times))
    plan = Plan(
        functions=tuple(made),
        sources=(SourcePlan(function=0, rows=rows_),),
        duration=6 * len(loads),
        drain=draw(st.sampled_from([0, 12, 30])),
        tick_ms=10_000,
    )
    plan = draw(_within_quota(plan))
    return replace(plan, changes=draw(changes(plan))) if draw(st.booleans()) else plan


def _without_scaling(function: FunctionPlan) -> FunctionPlan:
    return FunctionPlan(**{**vars(function), "scaling": None})


def use_repeatable_examples() -> None:
    """The same examples in every run, and no limit on the time of one: the machine may be busy."""
    settings.register_profile("repeatable", derandomize=True, deadline=None)
    settings.load_profile("repeatable")
