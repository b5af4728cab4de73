"""Rules between keys, and warnings about what has no effect."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

from lambdasim.errors import ScenarioError, ScenarioWarning
from lambdasim.scenario.load import load

FUNCTION = {"duration": "1s", "init": 0}


def scenario(**changes: Any) -> dict[str, Any]:
    """A scenario that is right, with other top-level keys."""
    traffic = {"web": {"function": "api", "rate": "1/s"}}
    return {"duration": "1m", "functions": {"api": FUNCTION}, "traffic": traffic, **changes}


def problems(data: Any, **options: Any) -> list[str]:
    """Every problem of a scenario that is wrong."""
    with pytest.raises(ScenarioError) as caught:
        load(data, **options)
    return [str(problem) for problem in caught.value.problems]


def warned(data: Any) -> list[str]:
    """Every warning of a scenario that runs."""
    heard: list[str] = []
    load(data, on_warning=heard.append)
    return heard


class TestReservedConcurrency:
    """Reserving must leave enough for the functions without a reservation."""

    def reserving(self, quota: int | str, *reserved: int, **region: Any) -> dict[str, Any]:
        """A scenario whose functions f0, f1, ... reserve these units."""
        functions = {f"f{i}": {**FUNCTION, "reserved_concurrency": units} for i, units in enumerate(reserved)}
        traffic = {f"t{i}": {"function": f"f{i}", "rate": "1/s"} for i in range(len(reserved))}
        return scenario(functions=functions, traffic=traffic, region={"concurrency_quota": quota, **region})

    @pytest.mark.parametrize(
        ("quota", "reserved", "region"),
        [
            (1000, (900,), {}),
            (1000, (500, 400), {}),
            (2000, (1900,), {}),
            (10, (0,), {}),
            ("new-account", (0, 0), {}),
            (10, (10,), {"min_unreserved": 0}),
            (1000, (0,), {"min_unreserved": 1000}),
        ],
    )
    def test_allowed(self, quota: int | str, reserved: tuple[int, ...], region: dict[str, Any]) -> None:
        """Up to the quota less what must stay unreserved; reserving 0 is always allowed."""
        loaded = load(self.reserving(quota, *reserved, **region))
        assert [function.reserved_concurrency for function in loaded.functions.values()] == list(reserved)

    @pytest.mark.parametrize(
        ("quota", "reserved", "region", "least", "numbers", "function"),
        [
            (1000, (950,), {}, 100, "reserve 950 of the quota of 1000; at most 900", "f0"),
            (1000, (901,), {}, 100, "reserve 901 of the quota of 1000; at most 900", "f0"),
            (2000, (1000, 950, 0), {}, 100, "reserve 1950 of the quota of 2000; at most 1900", "f1"),
            ("new-account", (1,), {}, 10, "reserve 1 of the quota of 10; at most 0", "f0"),
            (100, (60,), {"min_unreserved": 50}, 50, "reserve 60 of the quota of 100; at most 50", "f0"),
        ],
    )
    def test_refused(
        self,
        quota: int | str,
        reserved: tuple[int, ...],
        region: dict[str, Any],
        least: int,
        numbers: str,
        function: str,
    ) -> None:
        """AWS's own sentence, the numbers, and the function at which the sum first goes over."""
        assert problems(self.reserving(quota, *reserved, **region)) == [
            f"functions.{function}.reserved_concurrency: Specified ReservedConcurrentExecutions for function decreases "
            f"account's UnreservedConcurrentExecution below its minimum value of [{least}]. The functions {numbers} "
            "can be reserved"
        ]

    def test_min_unreserved_above_the_quota(self) -> None:
        """More than the quota cannot stay unreserved."""
        assert problems(self.reserving(10, 5, min_unreserved=11)) == [
            "region.min_unreserved: must be at most the concurrency quota of 10, got 11"
        ]


class TestCodeStorage:
    """All versions of all functions must fit in the region's code storage."""

    def storing(self, quota: str | None, *stored: tuple[str | None, int], **top: Any) -> dict[str, Any]:
        """A scenario whose functions f0, f1, ... have code of this size in so many versions."""
        functions = {f"f{i}": {**FUNCTION, "code_size": size, "versions": n} for i, (size, n) in enumerate(stored)}
        traffic = {f"t{i}": {"function": f"f{i}", "rate": "1/s"} for i in range(len(stored))}
        return scenario(functions=functions, traffic=traffic, region={"code_storage": quota} if quota else {}, **top)

    @pytest.mark.parametrize(
        ("quota", "stored", "top"),
        [
            ("1GB", [("100MB", 10), ("24MB", 1)], {}),  # 1,024 MB, all of it
            ("1GB", [(None, 10_000_000)], {}),  # a container image
            ("unlimited", [("250MB", 10_000_000)], {}),
            (None, [("250MB", 1228)], {}),  # 307,000 of 300 x 1,024 MB
            (None, [("250MB", 307)], {"profile": "2025-08"}),  # 76,750 of 75 x 1,024 MB
        ],
    )
    def test_allowed(self, quota: str | None, stored: list[tuple[str | None, int]], top: dict[str, Any]) -> None:
        """Up to the quota, which is a power of 1,024 as all sizes; what has no size takes nothing."""
        assert load(self.storing(quota, *stored, **top)).functions["f0"].versions == stored[0][1]

    @pytest.mark.parametrize(
        ("quota", "stored", "top", "function", "numbers"),
        [
            (
                "1GB", [("100MB", 10), ("25MB", 1)], {}, "f0",
                "1,025MB, the quota is 1GB: f0 1,000MB (10 x 100MB), f1 25MB (1 x 25MB). Delete at least 1MB, for"
                " example 1 of the 10 versions of f0",
            ),
            (
                None, [("250MB", 1229)], {}, "f0",
                "300.0GB, the quota is 300GB: f0 300.0GB (1,229 x 250MB). Delete at least 50MB, for example 1 of"
                " the 1,229 versions of f0",
            ),
            (
                None, [("250MB", 308)], {"profile": "2024"}, "f0",
                "75.2GB, the quota is 75GB: f0 75.2GB (308 x 250MB). Delete at least 200MB, for example 1 of the 308"
                " versions of f0",
            ),
            (
                "10MB", [("11MB", 1)], {}, "f0",
                "11MB, the quota is 10MB: f0 11MB (1 x 11MB). Delete at least 1MB",
            ),
            (
                "1MB", [("1MB", 1), ("2MB", 2), ("3MB", 1), (None, 9), ("1MB", 5)], {}, "f4",
                "13MB, the quota is 1MB: f4 5MB (5 x 1MB), f1 4MB (2 x 2MB), f2 3MB (1 x 3MB) and 1 more. Delete at"
                " least 12MB",
            ),
        ],
    )  # fmt: skip
    def test_refused(
        self, quota: str | None, stored: list[tuple[str | None, int]], top: dict[str, Any], function: str, numbers: str
    ) -> None:
        """AWS's name, the sum and the quota, what takes the most, and how much to delete."""
        assert problems(self.storing(quota, *stored, **top)) == [
            f"functions.{function}.code_size: CodeStorageExceededException: Code storage limit exceeded. The functions"
            f" store {numbers}"
        ]


class TestNames:
    """Names of functions and sources, and references between them."""

    @pytest.mark.parametrize("name", ["a b", "x/y", "", "é", "a\n", "a" * 65])
    def test_refused(self, name: str) -> None:
        """Letters, digits, dots, hyphens and underscores, at most 64 of them."""
        traffic = {"web": {"function": name, "rate": "1/s"}}
        rule = "must have a name of at most 64 letters, digits, dots, hyphens and underscores"
        assert problems(scenario(functions={name: FUNCTION}, traffic=traffic)) == [f"functions.{name}: {rule}"]

    def test_allowed(self) -> None:
        """The longest name, with every kind of character."""
        name = "A1._-" + "z" * 59
        assert (
            name
            in load(scenario(functions={name: FUNCTION}, traffic={"w": {"function": name, "rate": "1/s"}})).functions
        )

    def test_unknown_function(self) -> None:
        """A source that names no function is told the nearest one, or all of them."""
        traffic = {"a": {"function": "apo", "rate": "1/s"}, "b": {"function": "zzz", "rate": "1/s"}}
        assert problems(scenario(traffic=traffic)) == [
            "traffic.a.function: must be the name of a function, got apo (did you mean api?)",
            "traffic.b.function: must be the name of a function, got zzz (the functions are api)",
        ]

    def test_unknown_function_in_a_trace(self, tmp_path: Path) -> None:
        """The first row that names it is named by file and line."""
        (tmp_path / "t.csv").write_text("time_s,function\n0,api\n1,apo\n2,apo\n3,\n")
        (tmp_path / "s.yaml").write_text(
            "duration: 1m\nfunctions: {api: {duration: 1s, init: 0}}\ntraffic: {web: {function: api, trace: t.csv}}\n"
        )
        assert problems(tmp_path / "s.yaml") == [
            f"{tmp_path / 't.csv'}:3 traffic.web.trace: "
            "function must be the name of a function, got apo (did you mean api?)"
        ]


@pytest.mark.parametrize("key", ["duration", "idle_timeout"])
@pytest.mark.parametrize("value", ["0s", {"uniform": ["0s", "0s"]}, {"empirical": ["0s"]}, "0.4ns"])
def test_times_that_are_always_zero(key: str, value: Any) -> None:
    """Invocations and idle periods last at least 1 ns."""
    assert problems(scenario(functions={"api": {**FUNCTION, key: value}})) == [
        f"functions.api.{key}: must be at least 1ns, got 0s"
    ]


@pytest.mark.parametrize("value", ["1ns", {"uniform": ["0s", "1s"]}, {"empirical": ["0s", "1s"]}])
def test_times_that_may_be_zero(value: Any) -> None:
    """A distribution that begins at 0 is fine, and so is an init of 0."""
    assert load(scenario(functions={"api": {**FUNCTION, "duration": value}})).functions["api"].duration is not None


def test_all_problems_come_at_once() -> None:
    """Rules between keys are checked although single keys are wrong, in the order of the file where there is one."""
    functions = {"api": {"duration": "x", "init": 0, "reserved_concurrency": 950}, "b": {**FUNCTION, "duration": 0}}
    told = problems(scenario(functions=functions, traffic={"web": {"function": "c", "rat": "1/s"}}))
    assert [line.split(":")[0] for line in told] == [
        "functions.api.duration", "traffic.web.rat", "traffic.web.function", "functions.api.reserved_concurrency",
        "functions.b.duration",
    ]  # fmt: skip


class TestWarnings:
    """What runs but has no effect."""

    def test_cut_stages(self) -> None:
        """Stages, or a shape, that go on after the duration."""
        stages = {"function": "api", "stages": [{"duration": "2m", "target": "1/s"}]}
        spike = {"function": "api", "shape": {"spike": {"peak": "1/s", "at": "50s", "ramp": "5s", "hold": "1s"}}}
        assert warned(scenario(traffic={"a": stages, "b": spike})) == [
            "traffic.a.stages: lasts 2m, longer than the duration of 1m; the rest is cut",
            "traffic.b.shape: lasts 61s, longer than the duration of 1m; the rest is cut",
        ]

    def test_stages_that_end_with_the_duration(self) -> None:
        """Nothing is cut where both end together."""
        stages = {"function": "api", "stages": [{"duration": "1m", "target": "1/s"}]}
        assert warned(scenario(traffic={"a": stages})) == []

    @pytest.mark.parametrize(("last", "count"), [("60", "2 rows"), ("59.999999999", "1 row")])
    def test_late_rows(self, last: str, count: str, tmp_path: Path) -> None:
        """One warning with the number of rows at or after the duration."""
        (tmp_path / "t.csv").write_text(f"time_s\n0\n{last}\n60.5\n")
        assert warned(scenario(traffic={"a": {"function": "api", "trace": tmp_path / "t.csv"}})) == [
            f"traffic.a.trace: has {count} at or after the duration of 1m; they are not offered"
        ]

    def test_silence(self) -> None:
        """A source whose rate is 0 all the time."""
        silent = {"function": "api", "stages": [{"duration": "1s", "target": "0/s"}]}
        later = {"function": "api", "stages": [{"duration": 0, "target": 0}, {"duration": 0, "target": "1/s"}]}
        assert warned(scenario(traffic={"a": silent, "b": later})) == [
            "traffic.a: sends nothing; its rate is 0/s all the time"
        ]

    def test_function_without_traffic(self, tmp_path: Path) -> None:
        """A function that no source and no row of a trace names."""
        (tmp_path / "t.csv").write_text("time_s,function\n0,b\n")
        functions = {"api": FUNCTION, "b": FUNCTION, "c": FUNCTION}
        traffic = {"web": {"function": "api", "trace": tmp_path / "t.csv"}}
        assert warned(scenario(functions=functions, traffic=traffic)) == ["functions.c: has no traffic"]

    def test_default_is_a_python_warning_at_the_caller(self, tmp_path: Path) -> None:
        """Without a callback a warning has its class, its place in the file, and points at the call of load."""
        path = tmp_path / "s.yaml"
        path.write_text(
            "duration: 1m\nfunctions: {a: {duration: 1s, init: 0}, b: {duration: 1s, init: 0}}\n"
            "traffic: {web: {function: a, rate: 1/s}}\n"
        )
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            load(path)
        assert [(w.category, str(w.message)) for w in heard] == [
            (ScenarioWarning, f"{path}:2:41 functions.b: has no traffic")
        ]
        assert heard[0].filename == __file__


class TestChanges:
    """What a change must do, and when it may come to nothing."""

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"functions": {"api": {}}}, "must change something: reserved_concurrency, provisioned_con"),
            ({"functions": {"api": {"reserved_concurrency": None}}}, "write none to give the units back"),
            ({"functions": {"api": {"provisioned_concurrency": None}}}, "write none to give the units back"),
            ({}, "must change something: region, deploy, redrive, functions or traffic"),
        ],
    )
    def test_a_change_changes_something(self, change: dict[str, Any], words: str) -> None:
        """An empty one is a slip, and null is not the word that gives a reservation back."""
        with pytest.raises(ScenarioError, match=words):
            load(scenario(changes=[{"at": "10s", **change}]))

    @pytest.mark.parametrize(("at", "warns"), [("59s", False), ("60s", True), ("90s", True)])
    def test_a_change_after_the_last_arrival_is_pointed_out(self, at: str, warns: bool) -> None:
        """The run may be over by then."""
        said: list[str] = []
        made = scenario(changes=[{"at": at, "region": {"concurrency_quota": 500}}], duration="60s")
        load(made, on_warning=said.append)
        assert any("nothing arrives any more" in text for text in said) is warns
