"""SnapStart: what can be written, and what AWS refuses."""

from __future__ import annotations

from typing import Any

import pytest

import lambdasim as ls
from lambdasim.errors import ScenarioError
from lambdasim.scenario.load import as_written
from lambdasim.scenario.schema import Scenario

NOT_WITH = (
    "SnapStart does not support provisioned concurrency, Amazon Elastic File System (Amazon EFS), or ephemeral storage"
    " greater than 512 MB"
)


def loaded(profile: str = "2026", **function: Any) -> Scenario:
    """A scenario with one function of these keys, and a handler of 10 ms."""
    return ls.load(
        {
            "duration": "10s",
            "profile": profile,
            "functions": {"api": {"duration": "10ms", **function}},
            "traffic": {"web": {"function": "api", "rate": "1/s"}},
        }
    )


def refusal(profile: str = "2026", **function: Any) -> str:
    """The one problem of a scenario."""
    with pytest.raises(ScenarioError) as caught:
        loaded(profile, **function)
    (problem,) = caught.value.problems
    return str(problem)


class TestForms:
    """true, false or a mapping."""

    def test_defaults(self) -> None:
        """A median of 620 ms with a sigma of 0.12; 45 % are billed."""
        made = loaded(runtime="java21", snapstart=True)
        assert made == loaded(runtime="java21", snapstart={})
        written = made.functions["api"].model_dump(mode="json")
        assert written["snapstart"]["restore"]["lognormal"]["p50"] == "620ms"
        assert written["snapstart"]["restore"]["lognormal"]["sigma"] == 0.12
        assert written["snapstart"]["billed"] == "45%"

    def test_a_mapping(self) -> None:
        """What it leaves out has its default."""
        snapstart = loaded(runtime="java21", snapstart={"restore": "1s"}).functions["api"].snapstart
        assert snapstart is not None
        assert (snapstart.restore.constant, snapstart.billed) == (10**9, 0.45)

    @pytest.mark.parametrize("value", [False, None])
    def test_off(self, value: bool | None) -> None:
        """As without the key; its environments initialise."""
        made = loaded(init="1s", snapstart=value)
        assert made.functions["api"].snapstart is None
        assert made.functions["api"].start.constant == 10**9

    def test_what_it_is_not(self) -> None:
        """In one sentence."""
        assert refusal(init="1s", runtime="java21", snapstart="off").endswith(
            "functions.api.snapstart: must be true, false or a mapping, got off (for example true)"
        )

    def test_no_init_is_needed(self) -> None:
        """It is over before the run. java11 is in no table; java21 is, and a stated init stays for later."""
        for function in ({"runtime": "java11"}, {"runtime": "java21"}, {"runtime": "java21", "init": "3s"}):
            made = loaded(snapstart=True, **function)
            assert made.functions["api"].start.lognormal.p50 == 620_000_000
            assert ls.load(as_written(made)) == made

    def test_with_and_without(self) -> None:
        """One setting apart."""
        made = loaded(runtime="java21", init="3s")
        assert made.replace({"functions.api.snapstart": True}).functions["api"].start.lognormal.p50 == 620_000_000
        assert made.replace({"functions.api.snapstart": False}).functions["api"].start.constant == 3 * 10**9

    def test_the_sandbox_goes_by_the_stated_init(self) -> None:
        """As without SnapStart."""
        assert loaded(runtime="java11", snapstart=True).functions["api"].sandbox.lognormal.p50 == 100_000_000
        assert loaded(runtime="java11", snapstart=True, init="1s").functions["api"].sandbox.constant == 0


class TestRefusals:
    """With AWS's own sentences."""

    @pytest.mark.parametrize(
        "runtime", ["java11", "java17", "java25", "python3.12", "python3.14", "dotnet8", "dotnet10"]
    )
    def test_runtimes_that_aws_supports(self, runtime: str) -> None:
        """Java from 11, Python from 3.12, .NET from 8."""
        assert loaded(runtime=runtime, snapstart=True).functions["api"].snapstart is not None

    @pytest.mark.parametrize(
        "runtime", ["nodejs22.x", "ruby3.4", "go", "rust", "provided.al2023", "java8.al2", "python3.11", "python3.9"]
    )
    def test_runtimes_that_it_does_not(self, runtime: str) -> None:
        """3.9 is older than 3.12: versions are numbers, not text."""
        assert refusal(runtime=runtime, snapstart=True, init="1s") == (
            f"functions.api.snapstart: must not be there: {runtime} is not supported for SnapStart enabled functions"
            " (AWS has it for java11, python3.12, dotnet8 and later versions)"
        )

    def test_no_runtime(self) -> None:
        """Nothing says whether AWS would take it."""
        assert "snapstart: must have a runtime beside it" in refusal(init="1s", snapstart=True)

    @pytest.mark.parametrize("runtime", ["python3.13", "nodejs22.x", None])
    def test_container_images(self, runtime: str | None) -> None:
        """AWS has SnapStart for any of them since September 2026."""
        function = {"runtime": runtime, "package": "image", "init": "1s", "snapstart": True}
        assert loaded(**function).functions["api"].snapstart is not None
        assert refusal("2025-08", **function).endswith(
            "must not be there in profile 2025-08: ContainerImage is not supported for SnapStart enabled functions (AWS"
            " has it for container images since 2026-09-02)"
        )

    def test_before_2024_it_was_for_java_on_x86_64(self) -> None:
        """In the profile legacy-2023."""
        assert loaded("legacy-2023", runtime="java17", snapstart=True).functions["api"].snapstart is not None
        assert loaded("2024", runtime="python3.12", snapstart=True).functions["api"].snapstart is not None
        assert "python3.12 is not supported" in refusal("legacy-2023", runtime="python3.12", snapstart=True)
        arm = {"runtime": "java17", "architecture": "arm64", "snapstart": True}
        assert "arm64 is not supported" in refusal("legacy-2023", **arm)

    def test_not_with_provisioned_concurrency(self) -> None:
        """Neither stated nor scaled; a provisioned concurrency of 0 is none."""
        function = {"runtime": "java21", "snapstart": True}
        assert refusal(**function, provisioned_concurrency=1).endswith(
            f"must not stand beside provisioned_concurrency: {NOT_WITH}"
        )
        scaled = {"min_capacity": 1, "max_capacity": 5, "target": "70%"}
        assert NOT_WITH in refusal(**function, autoscaling=scaled)
        assert loaded(**function, provisioned_concurrency=0).functions["api"].snapstart is not None

    def test_nor_with_provisioned_concurrency_that_comes_later(self) -> None:
        """At the change."""
        made = loaded(runtime="java21", snapstart=True)
        change = {"at": "5s", "functions": {"api": {"provisioned_concurrency": 1}}}
        with pytest.raises(ScenarioError) as caught:
            made.replace({"changes": [change]})
        (problem,) = caught.value.problems
        assert problem.path == "changes.0.functions.api.provisioned_concurrency"
        assert problem.message == f"must not be there for api, which has snapstart: {NOT_WITH}"

    def test_not_with_more_ephemeral_storage(self) -> None:
        """512 MB, which everybody has, are the most."""
        function = {"runtime": "java21", "snapstart": True}
        assert loaded(**function, ephemeral_storage="512MB").functions["api"].snapstart is not None
        assert refusal(**function, ephemeral_storage="513MB").endswith(
            f"must not stand beside an ephemeral_storage above 512MB: {NOT_WITH}"
        )
