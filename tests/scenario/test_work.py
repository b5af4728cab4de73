"""A duration as the processor time and the waiting that it needs."""

from __future__ import annotations

from typing import Any

import pytest

import lambdasim as ls
from lambdasim.errors import ScenarioError
from lambdasim.scenario.load import as_written
from lambdasim.scenario.schema import Scenario


def loaded(duration: Any, **top: Any) -> Scenario:
    """A scenario with one function of this duration."""
    return ls.load(
        {
            "duration": "10s",
            "functions": {"api": {"duration": duration, "init": "0s"}},
            "traffic": {"web": {"function": "api", "rate": "1/s"}},
            **top,
        }
    )


@pytest.mark.parametrize(
    "duration",
    [
        {"cpu": "80ms"},
        {"cpu": {"lognormal": {"p50": "80ms", "p99": "400ms"}}, "io": {"exponential": {"mean": "30ms"}}, "threads": 2},
        {"cpu": {"empirical": ["80ms", "95ms"]}, "io": "0s"},
        {"cpu": "0s", "io": "1ns", "threads": 6},
    ],
)
def test_a_written_scenario_loads_as_the_same(duration: Any) -> None:
    """Each part is a time or a distribution."""
    made = loaded(duration)
    assert ls.load(as_written(made)) == made


@pytest.mark.parametrize(
    ("slip", "path", "meant"),
    [({"CPU": "80ms"}, "CPU", "cpu"), ({"cpus": "80ms"}, "cpus", "cpu"), ({"cpu": "1s", "IO": "1s"}, "IO", "io")],
)
def test_slips_are_told_in_its_words(slip: Any, path: str, meant: str) -> None:
    """Not as distributions that there are not."""
    with pytest.raises(ScenarioError) as caught:
        loaded(slip)
    assert f"functions.api.duration.{path}: is not a known key (did you mean {meant}?)" in str(caught.value)


def test_what_is_left_out() -> None:
    """No waiting, one thread."""
    work = loaded({"cpu": "80ms"}).functions["api"].duration
    assert (work.io.constant, work.threads) == (0, 1)


def test_a_part_can_be_set() -> None:
    """By its path."""
    work = loaded({"cpu": "80ms"}).replace({"functions.api.duration.io": "1s"}).functions["api"].duration
    assert (work.cpu.constant, work.io.constant) == (80_000_000, 10**9)


def test_a_change_may_have_it() -> None:
    """What works from then on."""
    made = loaded("1s", changes=[{"at": "5s", "functions": {"api": {"duration": {"cpu": "80ms"}}}}])
    (change,) = made.changes
    assert change.functions is not None
    assert change.functions["api"].duration.cpu.constant == 80_000_000


@pytest.mark.parametrize(
    ("duration", "message"),
    [
        ({"io": "1s"}, "functions.api.duration.cpu: is required (for example cpu: 80ms)"),
        ({"cpu": 80}, "functions.api.duration.cpu: must be a time with its unit, got 80 (write 80s or 80ms)"),
        ({"cpu": "1s", "iops": "1s"}, "functions.api.duration.iops: is not a known key (did you mean io?)"),
        ({"cpu": "1s", "constant": "1s"}, "functions.api.duration.constant: must not stand beside cpu"),
        ({"cpu": "1s", "threads": 7}, "functions.api.duration.threads: must be at most 6, got 7"),
        ({"cpu": "1s", "threads": 0}, "functions.api.duration.threads: must be at least 1, got 0"),
        ({"cpu": "1s", "threads": 1.5}, "functions.api.duration.threads: must be a whole number, got 1.5"),
        ({"cpu": "0s"}, "functions.api.duration: must be at least 1ns, got 0s"),
        ({"cpu": 0, "io": {"uniform": [0, 0]}}, "functions.api.duration: must be at least 1ns, got 0s"),
        ({"cpu": {"gaussian": {}}}, "functions.api.duration.cpu: must name a known distribution; gaussian is none"),
    ],
)
def test_what_is_refused(duration: Any, message: str) -> None:
    """One sentence each."""
    with pytest.raises(ScenarioError) as caught:
        loaded(duration)
    (problem,) = caught.value.problems
    assert str(problem).startswith(message)
