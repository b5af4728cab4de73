"""A runtime gives an init, and a sandbox before it, to a function that states none."""

from __future__ import annotations

import itertools
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

import lambdasim as ls
from lambdasim.errors import ScenarioError, ScenarioWarning
from lambdasim.scenario.load import as_written, fingerprint
from lambdasim.scenario.runtimes import RuntimeKey, runtime_inits
from lambdasim.scenario.schema import Function, Scenario

MS = 1_000_000
SANDBOX = {"lognormal": {"p50": "100ms", "p99": "400ms"}}


def loaded(**function: Any) -> Scenario:
    """A scenario with one function of these keys, and a handler of 10 ms."""
    return ls.load(
        {
            "duration": "10s",
            "functions": {"api": {"duration": "10ms", **function}},
            "traffic": {"web": {"function": "api", "rate": "1/s"}},
        }
    )


def function_of(made: Scenario) -> dict[str, Any]:
    """The one function of a scenario, with all of its keys, as it would be written."""
    return made.functions["api"].model_dump(mode="json")


def init_of(made: Scenario) -> dict[str, str]:
    """The quantiles of its init."""
    return function_of(made)["init"]["quantiles"]


class TestTable:
    """The measurements."""

    def test_it_is_in_the_package(self) -> None:
        """A file beside the module, which the wheel takes along: hatchling ships all files of the package."""
        assert files("lambdasim.scenario").joinpath("runtime_inits.yaml").is_file()
        ignored = (Path(ls.__file__).parents[1] / ".gitignore").read_text(encoding="utf-8")
        assert "yaml" not in ignored

    def test_a_row_by_hand(self) -> None:
        """java21 as zip on x86_64; p1 = 0.93 x 224 ms = 208.32 ms, p0 = 0.93 x 0.93 x 224 ms = 193.7376 ms."""
        row = runtime_inits()[RuntimeKey(runtime="java21", package="zip", architecture="x86_64")]
        assert {name: time / MS for name, time in row.items()} == {
            "p0": 193.738,  # in whole microseconds
            "p1": 208.32,
            "p10": 224,
            "p50": 243,
            "p90": 285,
            "p99": 603,
            "p99.9": 710,
            "p100": 746,
        }

    @pytest.mark.parametrize("key", list(runtime_inits()), ids=lambda key: f"{key.runtime} {key.package}")
    def test_every_row_is_a_distribution(self, key: RuntimeKey) -> None:
        """It loads as the init of a function, quantiles rise from one to the next, and nothing is above 1.1 s."""
        made = loaded(runtime=key.runtime, package=key.package, architecture=key.architecture)
        times = list(made.functions["api"].init.quantiles.values())
        assert all(low <= high for low, high in itertools.pairwise(times))
        assert 10 * MS < times[0] < times[-1] < 1_100 * MS

    def test_a_row_is_there_once(self) -> None:
        """28 measured combinations."""
        assert len(runtime_inits()) == 28


class TestWhatARuntimeGives:
    """Init and sandbox, by runtime, package and architecture."""

    @pytest.mark.parametrize(
        ("function", "p50", "p99"),
        [
            ({"runtime": "python3.13"}, "92ms", "181ms"),
            ({"runtime": "python3.13", "architecture": "arm64"}, "81ms", "121ms"),
            ({"runtime": "python3.13", "package": "image"}, "163ms", "387ms"),
            ({"runtime": "nodejs22.x", "memory": "10240MB"}, "145ms", "220ms"),
            ({"runtime": "go"}, "51ms", "73ms"),
            ({"runtime": "rust", "architecture": "arm64"}, "14ms", "44ms"),
            ({"runtime": "dotnet10-aot"}, "74ms", "114ms"),
            ({"runtime": "java21", "init": None}, "243ms", "603ms"),
        ],
    )
    def test_init(self, function: dict[str, Any], p50: str, p99: str) -> None:
        """Whatever the memory; an init that is left empty is not stated."""
        init = init_of(loaded(**function))
        assert (init["p50"], init["p99"]) == (p50, p99)

    def test_a_sandbox_comes_before_an_init_that_a_runtime_gives(self) -> None:
        """A median of 100 ms; what is stated instead stands."""
        assert function_of(loaded(runtime="python3.13"))["sandbox"]["lognormal"]["p50"] == "100ms"
        assert function_of(loaded(runtime="python3.13", sandbox="5ms"))["sandbox"] == {"constant": "5ms"}

    def test_a_stated_init_stands_alone(self) -> None:
        """Beside a runtime too, even one that is not in the table; a sandbox is there if it is stated."""
        for runtime in ("python3.13", "python3.9", "provided.al2023", None):
            made = function_of(loaded(runtime=runtime, init="1s"))
            assert (made["init"], made["sandbox"]) == ({"constant": "1s"}, {"constant": "0s"})
        assert function_of(loaded(init="1s", sandbox=SANDBOX))["sandbox"]["lognormal"]["p99"] == "400ms"

    @pytest.mark.parametrize(
        ("runtime", "hint"),
        [
            ("python313", "known are python3.12, python3.13, python3.14"),
            ("Python3.13", "did you mean python3.13?"),
            ("node22", "did you mean nodejs22.x?"),
            ("golang", "known are versions of python, nodejs, ruby, java, dotnet, go, rust"),
        ],
    )
    def test_a_slip_beside_a_stated_init_is_pointed_out(self, runtime: str, hint: str) -> None:
        """It decides nothing but who may have SnapStart and whose init is billed, and would not be noticed."""
        message = f"is no runtime as AWS writes it, got {runtime} ({hint})"
        with pytest.warns(ScenarioWarning, match=re.escape(message)):
            loaded(runtime=runtime, init="1s")

    @pytest.mark.parametrize("runtime", ["python2.7", "nodejs12.x", "java8.al2", "dotnetcore3.1", "go1.x", "provided"])
    def test_old_runtimes_are_none(self, runtime: str) -> None:
        """As AWS wrote them."""
        assert function_of(loaded(runtime=runtime, init="1s"))["init"] == {"constant": "1s"}

    @pytest.mark.parametrize(
        ("function", "message"),
        [
            ({}, "is required (for example init: 400ms, or runtime: python3.13)"),
            (
                {"runtime": "python3.9"},
                "is required: no init of python3.9 is known (known are python3.12, python3.13, python3.14; or write"
                " init: 400ms)",
            ),
            ({"runtime": "pyton3.13"}, "(did you mean python3.13? Or write init: 400ms)"),
            ({"runtime": "cobol"}, "(known are versions of python, nodejs, ruby, java, dotnet, go, rust; or write"),
            (
                {"runtime": "ruby3.4", "architecture": "arm64"},
                "is required: no init of ruby3.4 as zip on arm64 is known (known are zip on x86_64; or write init:"
                " 400ms)",
            ),
            (
                {"runtime": "java21", "package": "image", "architecture": "arm64"},
                "(known are zip on x86_64 and zip on arm64 and image on x86_64; or write init: 400ms)",
            ),
            (
                {"runtime": "provided.al2023"},
                "is required: provided.al2023 runs any program (write runtime: go, runtime: rust or runtime:"
                " dotnet10-aot for a measured one, or init: 400ms)",
            ),
        ],
    )
    def test_what_gives_no_init_is_said(self, function: dict[str, Any], message: str) -> None:
        """One sentence, with the nearest that is known."""
        with pytest.raises(ScenarioError) as caught:
            loaded(**function)
        (problem,) = caught.value.problems
        assert problem.path == "functions.api.init"
        assert message in problem.message


class TestOtherValues:
    """What follows from a runtime goes with it."""

    def test_another_runtime_brings_its_own_init(self) -> None:
        """And another architecture, and another package."""
        made = loaded(runtime="java21")
        assert init_of(made.replace({"functions.api.runtime": "python3.13"}))["p50"] == "92ms"
        assert init_of(made.replace({"functions.api.architecture": "arm64"}))["p50"] == "247ms"
        assert init_of(made.replace({"functions.api.package": "image"}))["p50"] == "343ms"

    def test_an_init_can_be_stated_and_taken_back(self) -> None:
        """With it goes the sandbox."""
        stated = loaded(runtime="java21").replace({"functions.api.init": "2s"})
        assert function_of(stated)["sandbox"] == {"constant": "0s"}
        assert stated.replace({"functions.api.init": None}) == loaded(runtime="java21")

    def test_a_stated_sandbox_stays(self) -> None:
        """Only what the runtime gave goes."""
        made = loaded(runtime="java21", sandbox="5ms").replace({"functions.api.init": "2s"})
        assert function_of(made)["sandbox"] == {"constant": "5ms"}

    @pytest.mark.parametrize(
        "function",
        [
            {"runtime": "java21"},
            {"runtime": "java21", "init": "1s"},
            {"runtime": "java21", "sandbox": "0s"},
            {"init": "1s", "sandbox": SANDBOX},
            {"runtime": "python3.13", "package": "image", "memory": "2GB"},
        ],
    )
    def test_a_written_scenario_loads_as_the_same(self, function: dict[str, Any]) -> None:
        """With the same fingerprint."""
        made = loaded(**function)
        again = ls.load(as_written(made))
        assert again == made
        assert fingerprint(again) == fingerprint(made)

    def test_what_a_runtime_gives_is_not_written(self) -> None:
        """So that it can be another one."""
        assert as_written(loaded(runtime="java21"))["functions"]["api"].keys() == {"runtime", "duration"}

    def test_a_function_alone_knows_its_runtime(self) -> None:
        """Not only within a scenario."""
        defaults = {"assignment": "eager", "reuse": "mru", "timeout": "3s", "idle_timeout": "5m", "max_age": "2h"}
        made = Function.model_validate(
            {**defaults, "provisioned_allocation": "unlimited", "duration": "1s", "runtime": "go"}
        )
        assert made.init.quantiles["p50"] == 51 * MS


class TestImages:
    """Container images."""

    def test_they_take_no_code_storage(self) -> None:
        """2,000 versions of 200 MB are 390 GB, more than the 300 GB of .zip packages; the size has no effect."""
        size = {"code_size": "200MB", "versions": 2000}
        with pytest.raises(ScenarioError, match="CodeStorageExceededException"):
            loaded(runtime="go", **size)
        with pytest.warns(ScenarioWarning, match="a container image is in Amazon ECR"):
            loaded(runtime="go", package="image", **size)

    def test_another_kind_of_package_is_refused(self) -> None:
        """In one sentence."""
        with pytest.raises(ScenarioError, match=r"package: must be zip or image, got jar"):
            loaded(runtime="go", package="jar")
