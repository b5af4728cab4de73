"""Changing a scenario, loading it again, and its fingerprint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lambdasim.errors import ScenarioError
from lambdasim.scenario.load import as_written, fingerprint, load
from lambdasim.scenario.schema import Scenario


@pytest.fixture
def rich(tmp_path: Path) -> Scenario:
    """A scenario with data files, a nested mixture, a retry policy and values of its own."""
    (tmp_path / "d.csv").write_text("duration_s\n0.1\n0.2\n")
    (tmp_path / "t.csv").write_text("time_s\n0\n1\n")
    (tmp_path / "rich.yaml").write_text(
        """
duration: 1m
region: {concurrency_quota: 500}
functions:
  api:
    duration: {mixture: [{weight: 1, empirical: d.csv}, {weight: 2, mixture: [{weight: 1, constant: 1s}]}]}
    init: {lognormal: {p50: 1s, p99: 2s}}
traffic:
  replay: {function: api, trace: t.csv}
  web: {function: api, rate: 1/3s, client: {retry: {max_attempts: 3, delay: {uniform: [1s, 2s]}}}}
""".replace("1/3s", "20/min")
    )
    return load(tmp_path / "rich.yaml")


class TestReload:
    """A scenario is data that load takes again."""

    def test_equal(self, rich: Scenario, tmp_path: Path) -> None:
        """Loading a scenario gives an equal one, without reading its data files again."""
        for name in ("d.csv", "t.csv", "rich.yaml"):
            (tmp_path / name).unlink()
        again = load(rich)
        assert again == rich
        assert again.traffic["replay"].trace is rich.traffic["replay"].trace

    def test_written_without_the_profile(self, rich: Scenario) -> None:
        """What only the profile says is left out."""
        written = as_written(rich)
        assert written["region"] == {"concurrency_quota": 500}
        assert set(written["functions"]["api"]) == {"duration", "init"}

    def test_name(self, rich: Scenario) -> None:
        """The name comes from the file, else it is scenario."""
        assert rich.name == "rich"
        data = {key: value for key, value in as_written(rich).items() if key != "name"}
        assert load(data).name == "scenario"

    def test_name_of_an_odd_file(self, rich: Scenario, tmp_path: Path) -> None:
        """What a name cannot hold becomes a hyphen."""
        (tmp_path / "rich.yaml").rename(tmp_path / "my scenario (2).yaml")
        assert load(str(tmp_path / "my scenario (2).yaml")).name == "my-scenario-2-"

    @pytest.mark.parametrize("source", [None, 5, b"s.yaml"])
    def test_what_is_no_source(self, source: Any) -> None:
        """Only a file name, a mapping or a scenario can be loaded."""
        with pytest.raises(ScenarioError, match="a scenario must be the name of a file, a mapping or a Scenario"):
            load(source)


class TestReplace:
    """A scenario with other values."""

    def test_value(self, rich: Scenario) -> None:
        """Only what is named changes, and the first scenario stays as it is."""
        changed = rich.replace({"functions.api.init": "2s", "functions.api.duration.mixture.1.weight": 5})
        assert changed.functions["api"].init.model_dump() == {"constant": "2s"}
        assert changed.functions["api"].duration.mixture[1].weight == 5  # type: ignore[union-attr]
        assert rich.functions["api"].duration.mixture[1].weight == 2  # type: ignore[union-attr]
        assert changed.traffic == rich.traffic

    def test_profile(self, rich: Scenario) -> None:
        """Another profile brings its own defaults, but not over what the scenario says."""
        changed = rich.replace({"profile": "legacy-2023"})
        assert (changed.region.scaling, changed.region.concurrency_quota) == ("legacy", 500)

    def test_below_a_default(self, rich: Scenario) -> None:
        """One number of a profile's mapping can be changed alone."""
        scaling = rich.replace({"region.scaling.burst": 7}).region.scaling
        assert scaling.model_dump() == {"burst": 7, "rate": 1000, "per": "10s", "scope": "function"}  # type: ignore[union-attr]

    def test_checked(self, rich: Scenario) -> None:
        """The result is checked as a whole."""
        with pytest.raises(ScenarioError) as caught:
            rich.replace({"functions.api.reserved_concurrency": 450})
        assert str(caught.value).startswith("set functions.api.reserved_concurrency: Specified Reserved")


class TestFingerprint:
    """The hash of what a scenario means."""

    def test_form(self, rich: Scenario) -> None:
        """Sixty-four hexadecimal digits, the same each time."""
        assert len(bytes.fromhex(fingerprint(rich))) == 32
        assert fingerprint(load(rich)) == fingerprint(rich)

    def test_spelling_does_not_matter(self) -> None:
        """The same times written in other units are the same scenario."""
        traffic = {"web": {"function": "api", "rate": "1/s"}}
        data = {"duration": "60s", "functions": {"api": {"duration": "1s", "init": 0}}, "traffic": traffic}
        other = {**data, "duration": "1m", "functions": {"api": {"init": "0s", "duration": {"constant": "1000ms"}}}}
        assert fingerprint(load(data)) == fingerprint(load(other))

    @pytest.mark.parametrize(
        "changes", [{"seed": 1}, {"region.concurrency_quota": 501}, {"functions.api.init": "2s"}, {"name": "other"}]
    )
    def test_values_matter(self, rich: Scenario, changes: dict[str, object]) -> None:
        """Another value is another scenario."""
        assert fingerprint(rich.replace(changes)) != fingerprint(rich)

    def test_content_of_data_files_matters_not_their_name(self, rich: Scenario, tmp_path: Path) -> None:
        """A renamed file is the same scenario, a changed one is not."""
        (tmp_path / "t2.csv").write_text("time_s\n0\n1\n")
        (tmp_path / "t3.csv").write_text("time_s\n0\n2\n")
        same, other = (rich.replace({"traffic.replay.trace": tmp_path / name}) for name in ("t2.csv", "t3.csv"))
        assert fingerprint(same) == fingerprint(rich)
        assert fingerprint(other) != fingerprint(rich)
