"""The keys ``pricing`` and ``ephemeral_storage``, and a table of prices of somebody's own."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import lambdasim as ls
from lambdasim.scenario.load import fingerprint

SMALL: dict[str, Any] = {
    "duration": "10s",
    "functions": {"f": {"duration": "1s", "init": "0s", "memory": "1GB"}},
    "traffic": {"t": {"function": "f", "rate": "1/s", "arrivals": "uniform"}},
}
OWN = 'date: "2027-01-01"\nregions:\n  us-east-1:\n    requests: "0.01"\n'


def write(folder: Path, table: str, scenario: str = "") -> Path:
    """A scenario file that names a table beside it."""
    (folder / "prices.yaml").write_text(table, encoding="utf-8")
    path = folder / "own.yaml"
    path.write_text(
        scenario
        or (
            "duration: 10s\npricing: {table: prices.yaml}\nfunctions: {f: {duration: 1s, init: 0s}}\n"
            "traffic: {t: {function: f, rate: 1/s, arrivals: uniform}}\n"
        ),
        encoding="utf-8",
    )
    return path


@pytest.mark.parametrize(
    ("profile", "init"),
    [
        ("2026", "billed"),
        ("2025-08", "billed"),
        ("2024", "free-for-managed-zip"),
        ("legacy-2023", "free-for-managed-zip"),
    ],
)
def test_what_the_profile_says_of_inits(profile: str, init: str) -> None:
    """AWS bills them all from 2025-08-01 on; without the section, or with another key of it."""
    for more in ({}, {"pricing": {"free_tier": True}}):
        assert ls.load({**SMALL, "profile": profile, **more}).pricing.init == init


def test_another_profile_can_be_set() -> None:
    """What the profile gave is not taken for stated."""
    scenario = ls.load(SMALL)
    assert scenario.replace({"profile": "2024"}).pricing.init == "free-for-managed-zip"
    stated = ls.load({**SMALL, "profile": "2024", "pricing": {"init": "billed"}})
    assert stated.pricing.init == "billed"
    assert stated.replace({"seed": 3}).pricing.init == "billed"


@pytest.mark.parametrize(
    ("pricing", "message"),
    [
        ({"init": "free"}, "pricing.init: must be billed or free-for-managed-zip, got free"),
        ({"unused_init": "no"}, "pricing.unused_init: must be billed or free, got no"),
        ({"free_tier": "yes"}, "pricing.free_tier: must be true or false, got yes"),
        ({"table": "nowhere.yaml"}, "pricing.table: must be a file that exists, got nowhere.yaml"),
        ({"table": 3}, "pricing.table: must be the name of a YAML file, got 3 (for example prices.yaml)"),
        ({"free_teir": True}, "pricing.free_teir: is not a known key (did you mean free_tier?)"),
        ("billed", "pricing: must be a mapping, got billed (for example {free_tier: true})"),
    ],
)
def test_wrong_values(pricing: Any, message: str) -> None:
    """One sentence each."""
    with pytest.raises(ls.ScenarioError) as caught:
        ls.load({**SMALL, "pricing": pricing})
    assert str(caught.value) == message


@pytest.mark.parametrize("size", ["511MB", "10241MB"])
def test_ephemeral_storage_has_aws_range(size: str) -> None:
    """512 MB to 10,240 MB."""
    with pytest.raises(ls.ScenarioError, match="must be between 512MB and 10240MB, as AWS demands"):
        ls.load({**SMALL, "functions": {"f": {"duration": "1s", "init": "0s", "ephemeral_storage": size}}})


def test_snapstart_has_no_more_than_512_mb() -> None:
    """AWS's own words."""
    function = {"duration": "1s", "init": "0s", "runtime": "java21", "snapstart": True, "ephemeral_storage": "1GB"}
    with pytest.raises(ls.ScenarioError, match="or ephemeral storage greater than 512 MB"):
        ls.load({**SMALL, "functions": {"f": function}})


def test_a_table_of_ones_own(tmp_path: Path) -> None:
    """10 requests at a cent each; the rest of the bill stays: 10 s x 128 MB = 1.25 GB-s."""
    result = ls.simulate(ls.load(write(tmp_path, OWN)), seed=1)
    cost = result.summary["cost_usd"]
    assert cost["request"] == 0.1
    assert cost["compute"] == 0.0000208334  # 1.25 x 0.0000166667, half-even
    assert result.summary["pricing"]["table"] == "prices.yaml"
    assert result.summary["pricing"]["date"] == "2027-01-01"


def test_the_fingerprint_holds_what_is_in_the_table(tmp_path: Path) -> None:
    """Another price is another scenario; another folder is not."""
    first = fingerprint(ls.load(write(tmp_path, OWN)))
    (tmp_path / "again").mkdir()
    assert fingerprint(ls.load(write(tmp_path / "again", OWN))) == first
    assert fingerprint(ls.load(write(tmp_path, OWN.replace("0.01", "0.02")))) != first


def test_a_scenario_with_a_table_can_be_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table was read; the file is not needed again."""
    scenario = ls.load(write(tmp_path, OWN))
    monkeypatch.chdir("/")
    (tmp_path / "prices.yaml").unlink()
    assert scenario.replace({"duration": "20s"}).pricing.table == scenario.pricing.table


@pytest.mark.parametrize(
    ("text", "usd"),
    [
        ('"0.0000166667"', "0.0000166667"),
        ("0.0000166667", "0.0000166667"),
        ("1e-7", "0.0000001"),
        ("1.5e-13", "0.00000000000015"),
        ("3", "3"),
    ],
)
def test_a_price_with_or_without_quotes(tmp_path: Path, text: str, usd: str) -> None:
    """YAML's numbers keep the digits that stand there."""
    scenario = ls.load(write(tmp_path, f"regions: {{us-east-1: {{requests: {text}}}}}\n"))
    assert scenario.pricing.table is not None
    assert scenario.pricing.table.table.regions["us-east-1"].stated()["requests"][0].usd == Decimal(usd)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("", "prices.yaml pricing.table: must hold prices, for example regions: {us-east-1: ...}"),
        ("- 1\n", "prices.yaml pricing.table: must hold prices"),
        ("a: [1\n", "must be valid YAML"),
        ("region: {}\n", "prices.yaml:1:1 pricing.table: region: is not a known key (did you mean regions?)"),
        (
            "regions:\n  us-east-1:\n    request: '1'\n",
            "prices.yaml:3:5 pricing.table: regions.us-east-1.request: is not a known key (did you mean requests?)",
        ),
        (
            "regions: {us-east-1: {duration: {x86: '1'}}}\n",
            "prices.yaml:1:34 pricing.table: regions.us-east-1.duration.x86: is not a known key (did you mean x86_64?)",
        ),
        (
            "regions:\n  us-east-1:\n    requests: 20 cents\n",
            "prices.yaml:3:15 pricing.table: regions.us-east-1.requests: must be a price in US dollars, got 20 cents"
            ' (a plain decimal, for example "0.0000166667")',
        ),
        (
            "regions:\n  us-east-1:\n    requests: -1\n",
            "prices.yaml:3:15 pricing.table: regions.us-east-1.requests: must be a price in US dollars, got -1",
        ),
        (
            "regions: {us-east-1: {requests: [{up_to: 5, usd: '1'}]}}\n",
            "prices.yaml:1:33 pricing.table: regions.us-east-1.requests: must have an up_to in each of its tiers but"
            " the last",
        ),
        (
            "regions: {us-east-1: {requests: [{up_to: 5, usd: '2'}, {up_to: 5, usd: '1'}, {usd: '1'}]}}\n",
            "regions.us-east-1.requests: must have tiers whose up_to rises",
        ),
        (
            "regions: {us-east-1: {requests: [{up_to: 5}, {usd: '1'}]}}\n",
            "prices.yaml:1:34 pricing.table: regions.us-east-1.requests.0.usd: is required",
        ),
        (
            "regions: {us-east-1: {requests: [{up_to: many, usd: '1'}, {usd: '1'}]}}\n",
            "prices.yaml:1:42 pricing.table: regions.us-east-1.requests.0.up_to: must be a whole number, 0 or more, got"
            " many",
        ),
        (
            "regions: {us-east-1: {requests: {usd: '1'}}}\n",
            "regions.us-east-1.requests: must be a price or a list of tiers",
        ),
        ("regions: {us-east-1: 3}\n", "prices.yaml:1:22 pricing.table: regions.us-east-1: must be a mapping"),
        ("free_tier: {requests: -3}\n", "free_tier.requests: must be a whole number, 0 or more, got -3"),
        ("date: 3\n", "prices.yaml:1:7 pricing.table: date: must be text"),
        ("regions: {}\nregions: {}\n", "prices.yaml:2:1 pricing.table: must stand only once, is also on line 1"),
    ],
)
def test_what_can_be_wrong_with_a_table(tmp_path: Path, table: str, message: str) -> None:
    """Each with its line and column in that file."""
    with pytest.raises(ls.ScenarioError) as caught:
        ls.load(write(tmp_path, table))
    assert message in str(caught.value)
    assert str(caught.value).count("\n") == 0


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("regions: {us-east-1: {duration: 0.1}}", "regions.us-east-1.duration: must be a mapping, got 0.1"),
        ("date: yesterday", "date: must be a date, got yesterday (for example 2026-11-01)"),
    ],
)
def test_what_was_got_is_told(tmp_path: Path, table: str, message: str) -> None:
    """With the value."""
    with pytest.raises(ls.ScenarioError, match=re.escape(message)):
        ls.load(write(tmp_path, table))


def test_a_table_of_another_region(tmp_path: Path) -> None:
    """The run is in us-east-1. Prices of us-east-1 may matter everywhere, and so does the free tier."""
    path = write(tmp_path, "regions: {eu-west-1: {requests: 1}}\n")
    with pytest.warns(ls.ScenarioWarning, match="has prices of eu-west-1, but none of us-east-1, which is region.name"):
        ls.load(path)
    ls.load(path, set={"region.name": "eu-west-1"})
    for table in ("regions: {us-east-1: {requests: 1}}\n", "free_tier: {requests: 0}\n"):
        ls.load(write(tmp_path, table), set={"region.name": "eu-west-1"})


def test_all_that_is_wrong_is_said(tmp_path: Path) -> None:
    """And that the table is meant."""
    with pytest.raises(ls.ScenarioError) as caught:
        ls.load(write(tmp_path, "free_tier: {requests: x}\nregions: {a: {requests: y}}\n"))
    lines = str(caught.value).splitlines()
    assert len(lines) == 2
    assert all("pricing.table: " in line for line in lines)


def test_a_table_that_is_no_text(tmp_path: Path) -> None:
    """Bytes that are not UTF-8."""
    path = write(tmp_path, OWN)
    (tmp_path / "prices.yaml").write_bytes(b"date: x\nregions: \xff\n")
    with pytest.raises(ls.ScenarioError, match=r"prices\.yaml:2 pricing\.table: must be text in UTF-8"):
        ls.load(path)
