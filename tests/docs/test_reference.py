"""The scenario reference is what the generator makes of the models today, and it leaves out no key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import pytest

from lambdasim.scenario import profiles
from lambdasim.scenario.clients import NoRetry
from lambdasim.scenario.distributions import FORMS
from lambdasim.scenario.fields import Model
from lambdasim.scenario.json_schema import meaning
from lambdasim.scenario.profiles import PROFILE_NAMES, PROFILE_TABLE
from lambdasim.scenario.schema import Scenario
from tests.docs.pages import DOCS, code_words, module_of, text_of

PAGE = "scenario-reference.md"

# A key that nobody writes: the parts of a mixture have the distribution beside the weight.
NOT_WRITTEN = {"MixturePart.distribution", "NoRetry.retry"}


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """The script docs/generate_reference.py as a module."""
    return module_of(DOCS / "generate_reference.py")


def models_of(model: type[Model], seen: dict[type[Model], None]) -> dict[type[Model], None]:
    """A model and all those inside it."""
    if model not in seen:
        seen[model] = None
        for field in model.model_fields.values():
            for inner in models_in(field.annotation):
                models_of(inner, seen)
    return seen


def models_in(annotation: Any) -> Iterator[type[Model]]:
    """The models in a type."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)


MODELS = list(models_of(Scenario, {}))
KEYS = [(model, key) for model in MODELS for key in model.model_fields if f"{model.__name__}.{key}" not in NOT_WRITTEN]


def rows_of(page: str, key: str) -> list[str]:
    """The rows of tables that explain a key."""
    return [line for line in page.splitlines() if re.match(rf"\| `(?:\w+\.)?{re.escape(key)}` \|", line)]


def tables_of(text: str) -> str:
    """Everything that is generated."""
    return "\n".join(re.findall(r"^<!-- keys: .*? -->\n(.*?)^<!-- end -->$", text, re.MULTILINE | re.DOTALL))


def test_the_page_is_current(generator: ModuleType) -> None:
    """Made anew it is the same text, and nothing is missing. If not: python docs/generate_reference.py."""
    reference = generator.Reference(text_of(PAGE))
    assert reference.page() == text_of(PAGE)
    assert reference.problems == []


def test_every_key_has_a_meaning() -> None:
    """The same in the JSON Schema and on the page; without one the editor would show nothing."""
    assert [f"{model.__name__}.{key}" for model, key in KEYS if not meaning(model, key)] == []


def test_the_reference_has_a_row_for_every_key() -> None:
    """Found by walking the models here, not as the generator does."""
    tables = tables_of(text_of(PAGE))
    assert len(KEYS) > 80
    assert {key for model, key in KEYS if model is not NoRetry and not rows_of(tables, key)} == set()
    assert {*FORMS, *PROFILE_NAMES} <= {word.strip('"') for word in code_words(PAGE)}


@pytest.mark.parametrize("row", PROFILE_TABLE, ids=lambda row: row.path)
def test_the_reference_states_each_row_of_the_profile_table(row: profiles.ProfileValue) -> None:
    """Its values, the page that says so and the date; where AWS publishes nothing, a link to the assumption."""
    page = text_of(PAGE).partition(f"\n## {row.path.partition('.')[0]}\n")[2]
    line = rows_of(page, row.path.rpartition(".")[2])[0]
    for value in row.values.values():
        assert f"`{written(value)}`" in line
    for word in row.source.split():
        assert word.rstrip(";,").removesuffix("a").strip() in line
    assert row.read in line
    assert ("](assumptions.md#" in line) is not row.published


def written(value: Any) -> str:
    """A value as the reference writes it in YAML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return str(value)


def test_keys_that_mean_the_same_share_a_row(generator: ModuleType) -> None:
    """In a table of several models; the rest is told apart by the key above."""
    text = re.sub(r"<!-- keys: .* -->\n(?:\|.*\n)*<!-- end -->\n", "", text_of(PAGE))
    for models in ("RegionScaling, FunctionScaling", "GammaParameters, ExponentialParameters"):
        text += f"<!-- keys: {models} -->\n<!-- end -->\n"
    tables = tables_of(generator.Reference(text).page())
    keys = re.findall(r"^\| `(.*?)` \|", tables, re.MULTILINE)
    assert keys == ["burst", "rate", "per", "scope", "gamma.mean", "gamma.cv", "exponential.mean"]


def test_limits_belong_to_keys(generator: ModuleType) -> None:
    """A renamed key would lose its source without a word."""
    assert set(generator._LIMITS) <= {f"{model.__name__}.{key}" for model, key in KEYS}


def test_the_tables_use_the_words_of_users() -> None:
    """No words of Python, pydantic or JSON Schema."""
    for word in ("Annotated", "None", "Literal", "anyOf", "$ref", "tuple", "Undefined"):
        assert word not in tables_of(text_of(PAGE))


class TestWhatIsWrongIsSaid:
    def problems(self, generator: ModuleType, text: str) -> list[str]:
        reference = generator.Reference(text)
        reference.page()
        return list(reference.problems)

    def test_a_model_without_a_table(self, generator: ModuleType) -> None:
        """With the lines to add."""
        text = text_of(PAGE).replace("<!-- keys: Slo -->", "")
        problems = self.problems(generator, text)
        assert any("Slo has no table: add the lines <!-- keys: Slo --> and <!-- end -->" in line for line in problems)
        assert any("do not pair up" in line for line in problems)

    def test_a_table_for_no_model(self, generator: ModuleType) -> None:
        """A renamed model, a slip of the pen, or a form that is no mapping."""
        text = text_of(PAGE) + "\n<!-- keys: Nothing -->\n<!-- end -->\n\n<!-- keys: NoRetry -->\n<!-- end -->\n"
        problems = self.problems(generator, text)
        assert "<!-- keys: Nothing --> names no model with keys of its own" in problems
        assert "<!-- keys: NoRetry --> names no model with keys of its own" in problems

    def test_two_tables_for_one_model(self, generator: ModuleType) -> None:
        """One of them would be the one that nobody reads."""
        text = text_of(PAGE) + "\n<!-- keys: Slo -->\n<!-- end -->\n"
        assert "Slo has 2 tables" in self.problems(generator, text)

    def test_one_table_for_keys_that_it_cannot_tell_apart(self, generator: ModuleType) -> None:
        """Durations of functions and of changes both stand under functions."""
        text = text_of(PAGE).replace("<!-- keys: Function -->", "<!-- keys: Function, FunctionChange -->")
        text = re.sub(r"<!-- keys: FunctionChange -->\n(?:\|.*\n)*<!-- end -->\n", "", text)
        problem = "Function, FunctionChange: keys of one name mean different things: use several tables"
        assert problem in self.problems(generator, text)

    def test_a_key_without_meaning(self, generator: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        """With the place to add it."""
        monkeypatch.setattr(generator, "meaning", lambda model, key: "" if key == "drain" else "It matters.")
        problems = self.problems(generator, text_of(PAGE))
        assert problems == ["Scenario.drain has no meaning: add it to MEANINGS in lambdasim/scenario/meanings.py"]


class TestCommandLine:
    @pytest.fixture
    def page(self, generator: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A copy of the page whose tables are empty."""
        empty = re.sub(r"(?m)^(<!-- keys: .* -->\n)(?:\|.*\n)*", r"\1", text_of(PAGE))
        page = tmp_path / PAGE
        page.write_text(empty, encoding="utf-8")
        monkeypatch.setattr(generator, "PAGE", page)
        return page

    def test_it_fills_the_tables(self, generator: ModuleType, page: Path) -> None:
        """Whatever stood there before."""
        assert generator.main([]) == 0
        assert page.read_text(encoding="utf-8") == text_of(PAGE)
        assert generator.main(["--check"]) == 0

    def test_check_writes_nothing(self, generator: ModuleType, page: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """It says what to run, with exit status 1."""
        before = page.read_text(encoding="utf-8")
        assert generator.main(["--check"]) == 1
        assert page.read_text(encoding="utf-8") == before
        assert capsys.readouterr().err == f"{PAGE}: not current; run python docs/generate_reference.py\n"
