"""Hypothesis strategies: small plans whose times are small integers, so that ties are common."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tests.properties.plans import (
    Always,
    BucketPlan,
    Delays,
    Doubling,
    FunctionPlan,
    Plan,
    RetryPlan,
    Row,
    SourcePlan,
)

# In ticks of a quarter of a second. AWS allows function timeouts from one second on.
DURATIONS = st.integers(1, 8)
INITS = st.integers(0, 4)
FUNCTION_TIMEOUTS = st.integers(4, 9)
LAST_ARRIVAL = 30


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


def _without_scaling(function: FunctionPlan) -> FunctionPlan:
    return FunctionPlan(**{**vars(function), "scaling": None})


def use_repeatable_examples() -> None:
    """The same examples in every run, and no limit on the time of one: the machine may be busy."""
    settings.register_profile("repeatable", derandomize=True, deadline=None)
    settings.load_profile("repeatable")
