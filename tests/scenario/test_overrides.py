"""``--set path=value``: what it changes, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lambdasim.errors import Problem, RuleViolation, ScenarioError, UsageError
from lambdasim.scenario.load import load
from lambdasim.scenario.overrides import apply, parse_setting, value_at


def raw() -> dict[str, Any]:
    """A small scenario; one of its functions has a dot in its name."""
    return {
        "duration": "1m",
        "functions": {"api": {"duration": "1s", "init": 0}, "my.api": {"duration": "1s", "init": 0}},
        "traffic": {
            "web": {"function": "api", "stages": [{"duration": "1s", "target": "1/s"}]},
            "other": {"function": "my.api", "rate": "1/s"},
        },
    }


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("a.b=1s", "a.b", "1s"),
        ("a=5", "a", 5),
        ("a=", "a", None),
        ("a = {uniform: [1s, 2s]}", "a", {"uniform": ["1s", "2s"]}),
        ("a=b=c", "a", "b=c"),
        ("a=1:30", "a", "1:30"),
        ("a='5'", "a", "5"),
    ],
)
def test_parse_setting(text: str, path: str, value: object) -> None:
    """The value is YAML, read as in a scenario file."""
    assert parse_setting(text) == (path, value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed", "--set must be PATH=VALUE, got seed (for example --set region.concurrency_quota=500)"),
        ("=5", "--set must be PATH=VALUE, got =5 (for example --set region.concurrency_quota=500)"),
        ("a={", "--set a: must be valid YAML: a value is missing here, got {"),
        ("a={b: 1, b: 2}", "--set a: must stand only once, is also on line 1, got {b: 1, b: 2}"),
        ("a=!x 1", "--set a: must not have a tag, got !x, got !x 1"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_read(text: str, message: str) -> None:
    """A setting without = or with broken YAML is an error of usage."""
    with pytest.raises(UsageError) as caught:
        parse_setting(text)
    assert str(caught.value) == message


def test_values_are_set_in_a_copy() -> None:
    """Keys, list items and names with dots are set; the data given stay as they are."""
    data = raw()
    settings = [("functions.my.api.init", "2s"), ("traffic.web.stages.0.target", "5/s"), ("seed", 1), ("seed", 2)]
    changed = apply(data, settings)
    assert changed.data["functions"]["my.api"] == {"duration": "1s", "init": "2s"}
    assert changed.data["traffic"]["web"]["stages"] == [{"duration": "1s", "target": "5/s"}]
    assert changed.data["seed"] == 2
    assert (data, changed.problems) == (raw(), ())


def test_missing_mappings_are_made() -> None:
    """A path may lead through mappings that are not there; where a profile has one, it is the beginning."""
    changed = apply(raw(), [("traffic.web.client.timeout", "3s"), ("region.scaling.burst", 5)])
    assert changed.data["traffic"]["web"]["client"] == {"timeout": "3s"}
    assert changed.data["region"] == {"scaling": {"burst": 5, "rate": 1000, "per": "10s", "scope": "function"}}


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("traffic.web.stages.1.target", "must have an index from 0 to 0 after traffic.web.stages, got 1"),
        ("traffic.web.stages.-1", "must have an index from 0 to 0 after traffic.web.stages, got -1"),
        ("traffic.web.stages.x", "must have an index from 0 to 0 after traffic.web.stages, got x"),
        ("duration.x", "must lead to a key of a mapping, but duration is a single value"),
        ("functions..init", "must be a path such as region.concurrency_quota"),
    ],
)
def test_paths_that_lead_nowhere(path: str, message: str) -> None:
    """An index out of range, a key below a value or an empty part is a problem of the setting."""
    with pytest.raises(ScenarioError) as caught:
        load(raw(), overrides={path: 1})
    assert str(caught.value) == f"set {path}: {message}"


@pytest.mark.parametrize("set_by", ["set", "--set"])
def test_problems_name_the_setting(tmp_path: Path, set_by: str) -> None:
    """What a setting brought in has the setting for its place, as users write it; the rest keeps its line."""
    path = tmp_path / "s.yaml"
    path.write_text(
        "duration: 1\nregion: {concurrency_quota: 5}\nfunctions: {api: {duration: 1s, init: 0}}\n"
        "traffic: {web: {function: api, rate: 1/s}}\n"
    )
    with pytest.raises(ScenarioError) as caught:
        load(path, overrides={"region.concurrency_quota": 0, "functions.b.duration": "2s"}, seed=-1, set_by=set_by)
    assert [str(problem) for problem in caught.value.problems] == [
        f"{path}:1:11 duration: must be a time with its unit, got 1 (write 1s or 1ms)",
        f"{set_by} seed: must be at least 0, got -1",
        f"{set_by} region.concurrency_quota: must be at least 1, got 0",
        f"{set_by} functions.b.duration functions.b.init: is required (for example init: 400ms, or runtime:"
        " python3.13); there was no b under functions before",
    ]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"functions.api.idle_timeout": 3}, "set functions.api.idle_timeout: must be a time with its unit, got 3"),
        (
            {"traffic.warmer": {"function": "api", "warmer": {"every": 5}}},
            "set traffic.warmer.warmer.every: must be a time with its unit, got 5",
        ),
        ({"region.conc": 5}, "set region.conc: is not a known key"),
    ],
)
def test_a_path_is_named_once(overrides: dict[str, Any], message: str) -> None:
    """A setting is its path, and so is what it holds."""
    with pytest.raises(ScenarioError) as caught:
        load(raw(), overrides=overrides)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("place", "path", "text"),
    [
        ("variant b: set region.quota", "region.quota", "variant b: set region.quota: no"),
        ("variant region", "region.quota", "variant region region.quota: no"),
        ("set a.b", "a.bc", "set a.b a.bc: no"),
        ("s.yaml:1:2", "a.b", "s.yaml:1:2 a.b: no"),
        ("", "a.b", "a.b: no"),
        ("s.yaml", "", "s.yaml: no"),
        ("", "", "no"),
    ],
)
def test_place_and_path_of_a_problem(place: str, path: str, text: str) -> None:
    """Both, but for what a setting says already."""
    assert str(Problem(place=place, path=path, message="no")) == text


def test_python_values() -> None:
    """Sweeps hand in numpy numbers and whole floats; both are plain numbers."""
    loaded = load(raw(), overrides={"region.concurrency_quota": np.int64(500), "seed": 7.0}, seed=8)
    assert (loaded.region.concurrency_quota, loaded.seed) == (500, 8)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("region.concurrency_quota", float("nan"), "must be a whole number or new-account, got nan"),
        ("region.concurrency_quota", True, "must be a whole number or new-account, got true"),
        ("region.concurrency_quota", None, "must be a whole number or new-account, got nothing"),
        ("functions.api.init", float("inf"), "must be a time, got inf (for example 90s, 250ms or 5m)"),
        ("functions.api.init", -1.5, "must be a time and not negative, got -1.5 (for example 90s, 250ms or 5m)"),
        ("functions.api.init", {"gamma": {"mean": "1s", "cv": float("inf")}}, "must be a finite number, got inf"),
        ("functions.api.init", {"gamma": {"mean": "1s", "cv": True}}, "must be a number, got true"),
        ("functions.api.init", {1, 2}, "must be text, a number, a list or a mapping, got set"),
        ("functions.api.init", {1: 2}, "must have text as its keys, got 1"),
    ],
)
def test_odd_python_values(path: str, value: object, message: str) -> None:
    """Values that YAML cannot hold, or that only look like numbers, get a clear message."""
    with pytest.raises(ScenarioError) as caught:
        load(raw(), overrides={path: value})
    assert str(caught.value).endswith(message)


def test_endless_python_data() -> None:
    """A mapping that holds itself is refused, not followed."""
    data = raw()
    data["region"] = {"name": data}
    with pytest.raises(ScenarioError, match="must not be nested 50 deep"):
        load(data)


def test_a_setting_can_take_a_key_away() -> None:
    """null leaves out an optional key, so that one way of traffic can replace another."""
    loaded = load(
        raw(), overrides=dict([parse_setting("traffic.web.stages=null"), parse_setting("traffic.web.rate=9/s")])
    )
    assert loaded.traffic["web"].rate == 9.0


def test_a_slip_in_a_name_is_pointed_out() -> None:
    """A setting for one key of a function that there is not makes a new one, which lacks all else."""
    data = {
        "duration": "10s",
        "functions": {"api": {"duration": "1s", "init": "0s"}},
        "traffic": {"web": {"function": "api", "rate": "1/s"}},
    }
    with pytest.raises(ScenarioError, match=r"there was no apo under functions before \(did you mean api\?\)"):
        load(data, overrides={"functions.apo.provisioned_concurrency": 10})
    with pytest.raises(ScenarioError) as caught:
        load(data, overrides={"functions.apo": {"duration": "1s"}})
    assert "before" not in str(caught.value)  # a whole function is meant to be new


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("duration", "1m"),
        ("functions.my.api.duration", "1s"),
        ("traffic.web.stages.0.target", "1/s"),
        ("traffic.other", {"function": "my.api", "rate": "1/s"}),
    ],
)
def test_what_stands_at_a_path(path: str, value: object) -> None:
    """By the same paths as settings."""
    assert value_at(raw(), path) == value


@pytest.mark.parametrize("path", ["region.name", "duration.x", "traffic.web.stages.1.target", "traffic.web.rate"])
def test_a_path_to_nothing(path: str) -> None:
    """A key that there is not, below a single value, beyond a list."""
    with pytest.raises(RuleViolation):
        value_at(raw(), path)
