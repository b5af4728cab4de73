"""What a scenario remembers of the settings that changed it."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from lambdasim.scenario.load import as_written, fingerprint, load
from lambdasim.scenario.overrides import value_text
from lambdasim.scenario.schema import Scenario

DATA: dict[str, Any] = {
    "description": "Two of them",
    "duration": "1m",
    "functions": {"api": {"duration": "1s", "init": "500ms"}},
    "traffic": {"web": {"function": "api", "rate": "2/s"}},
}
FILE = """
description: Two of them
duration: 1m
functions: {api: {duration: 1s, init: 500ms}}
traffic: {web: {function: api, rate: 2/s}}
"""


@pytest.fixture(params=["file", "mapping", "scenario"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """The same scenario in the three ways that ``load`` takes."""
    if request.param == "file":
        path = tmp_path / "s.yaml"
        path.write_text(FILE)
        return path
    return DATA if request.param == "mapping" else load(DATA)


class TestRemembered:
    """Path and value of each setting that changed something."""

    def test_nothing_without_settings(self, source: Any) -> None:
        """The description speaks of the scenario as it is."""
        assert load(source).settings == ()

    def test_in_their_order(self, source: Any) -> None:
        """As they were set."""
        made = load(source, overrides={"functions.api.duration": "9s", "region.concurrency_quota": 500})
        assert made.settings == (("functions.api.duration", "9s"), ("region.concurrency_quota", "500"))

    @pytest.mark.parametrize(
        "settings",
        [
            {"seed": 7},
            {"name": "other"},
            {"functions.api.duration": "1000ms"},
            {"functions.api.duration": {"constant": "1s"}},
            {"region.concurrency_quota": 1000},
        ],
    )
    def test_what_changes_nothing_is_forgotten(self, source: Any, settings: dict[str, Any]) -> None:
        """Seeds and names; other spellings of the same value; what the profile says anyway."""
        assert load(source, overrides=settings).settings == ()
        assert load(source, seed=7).settings == ()

    def test_a_key_that_was_not_there(self, source: Any) -> None:
        """And one that is gone."""
        made = load(source, overrides={"functions.api.reserved_concurrency": 5})
        assert made.settings == (("functions.api.reserved_concurrency", "5"),)
        assert made.replace({"functions.api.reserved_concurrency": None}).settings == (
            ("functions.api.reserved_concurrency", "null"),
        )

    def test_without_settings_it_would_be_none(self) -> None:
        """What makes a scenario of it changes it."""
        broken = {key: value for key, value in DATA.items() if key != "duration"}
        assert load(broken, overrides={"duration": "5s"}).settings == (("duration", "5s"),)

    def test_another_description_speaks_of_the_changes(self, source: Any) -> None:
        """Whoever writes one knows what else was set; what comes later is remembered again."""
        made = load(source, overrides={"functions.api.duration": "9s", "description": "Slow"})
        assert (made.description, made.settings) == ("Slow", ())
        assert made.replace({"functions.api.init": "2s"}).settings == (("functions.api.init", "2s"),)


class TestPassedOn:
    """From one scenario to the next."""

    def test_replace(self) -> None:
        """The later value of a path counts, and what was set below it is gone."""
        made = load(DATA).replace({"functions.api.duration": "9s", "duration": "2m"})
        made = made.replace({"functions.api.duration": "8s", "seed": 3})
        assert made.settings == (("functions.api.duration", "8s"), ("duration", "2m"))
        made = made.replace({"functions.api": {"duration": "1s", "init": "1s"}})
        assert made.settings == (("duration", "2m"), ("functions.api", "{duration: 1s, init: 1s}"))

    def test_copies(self) -> None:
        """With another seed, pickled, loaded again."""
        made = load(DATA, overrides={"duration": "5s"})
        for copy in (made.model_copy(update={"seed": 3}), pickle.loads(pickle.dumps(made)), load(made)):
            assert copy.settings == (("duration", "5s"),)

    def test_no_part_of_what_it_means(self) -> None:
        """Neither of its fingerprint nor of what is written, and equal to the same without a history."""
        made, same = load(DATA, overrides={"duration": "5s"}), load({**DATA, "duration": "5s"})
        assert made == same
        assert made != load(DATA)
        assert (made == "text") is False
        assert fingerprint(made) == fingerprint(same)
        assert as_written(made) == as_written(same)
        assert made.model_dump() == same.model_dump()
        assert Scenario.model_validate(as_written(made)).settings == ()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("9s", "9s"),
        (0.5, "0.5"),
        (True, "true"),
        (None, "null"),
        ([1, "2s"], "[1, 2s]"),
        ({"retry": {"max_attempts": 3}}, "{retry: {max_attempts: 3}}"),
        (load, "load"),
        (list(range(100)), "[0, 1, 2, 3, 4, 5, 6, 7,…94, 95, 96, 97, 98, 99]"),
    ],
)
def test_value_text(value: Any, text: str) -> None:
    """As YAML has it on one line; long ones lose their middle."""
    assert value_text(value) == text
