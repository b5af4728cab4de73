"""Traces and measured durations: what a CSV file may hold, and FILE:LINE for what it may not."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from lambdasim.errors import ScenarioError
from lambdasim.scenario.data_files import SampleFile, Trace
from lambdasim.scenario.load import load

YAML = "duration: 1000h\nfunctions: {api: {duration: 1s, init: 0}}\ntraffic: {web: {function: api, trace: t.csv}}\n"


def read(content: bytes | str, folder: Path) -> Trace:
    """The trace t.csv with this content, through a scenario file beside it."""
    (folder / "t.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    (folder / "s.yaml").write_text(YAML)
    trace = load(folder / "s.yaml").traffic["web"].trace
    assert trace is not None
    return trace


def refused(content: bytes | str, folder: Path) -> list[str]:
    """The problems of a trace, without the folder and the path in the scenario."""
    with pytest.raises(ScenarioError) as caught:
        read(content, folder)
    return [
        str(problem).replace(f"{folder}/", "").replace(" traffic.web.trace", "") for problem in caught.value.problems
    ]


def test_all_columns(tmp_path: Path) -> None:
    """Times are exact integers; an empty cell takes the function's own value."""
    content = "time_s,function,duration_s,init_s\n0,api,0.1,\n0.000000001,,,0\n123456.123456789,api,1,2.5\n"
    trace = read(content, tmp_path)
    assert trace.time_ns.tolist() == [0, 1, 123_456_123_456_789]
    assert (trace.functions, trace.function.tolist()) == (("api",), [0, -1, 0])
    assert trace.duration_ns.tolist() == [100_000_000, -1, 1_000_000_000]
    assert trace.init_ns.tolist() == [-1, 0, 2_500_000_000]
    assert [str(a.dtype) for a in (trace.time_ns, trace.function, trace.duration_ns)] == ["int64", "int16", "int64"]
    assert (trace.path, trace.sha256) == ("t.csv", hashlib.sha256(content.encode()).hexdigest())


@pytest.mark.parametrize(
    "content",
    [
        "time_s\n1\n1\n2\n",
        "time_s\r\n1\r\n1\r\n2\r\n",
        b"\xef\xbb\xbftime_s\n1\n1\n2",
        "time_s\n1\n1\n2\n\n\n",
        '"time_s"\n"1"\n 1 \n2.0\n',
        "function,time_s\n,1\n,1\n,2\n",
    ],
)
def test_ways_to_write_the_same(content: bytes | str, tmp_path: Path) -> None:
    """Byte order mark, CRLF, quotes, blanks, empty lines at the end, and columns in any order."""
    trace = read(content, tmp_path)
    assert trace.time_ns.tolist() == [1_000_000_000, 1_000_000_000, 2_000_000_000]
    assert trace.function.tolist() == trace.duration_ns.tolist() == trace.init_ns.tolist() == [-1, -1, -1]


def test_header_without_rows(tmp_path: Path) -> None:
    """A trace may be empty."""
    assert len(read("time_s\n", tmp_path).time_ns) == 0


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", ["t.csv:1: must have a header line, such as time_s,function,duration_s,init_s"]),
        ("\n\n", ["t.csv:1: must have a header line, such as time_s,function,duration_s,init_s"]),
        ("0\n1\n", [
            "t.csv:1: must have known columns only, got 0 (the columns are time_s, function, duration_s, init_s)",
            "t.csv:1: must have a column time_s",
        ]),
        ("time,init_s\n", [
            "t.csv:1: must have known columns only, got time (did you mean time_s?)",
            "t.csv:1: must have a column time_s",
        ]),
        ("time_s,time_s\n", ["t.csv:1: must name each column once, got time_s twice"]),
        ("time_s\n2\n1\n", ["t.csv:3: time_s must not go back, got 1 after 2"]),
        ("time_s\n-1\n", ["t.csv:2: time_s must not be negative, got -1"]),
        ("time_s\nx\n", ["t.csv:2: time_s must be a plain number of seconds such as 12.5, got x"]),
        ("time_s\n1e3\n", ["t.csv:2: time_s must be a plain number of seconds such as 12.5, got 1e3"]),
        ("time_s\nnan\n", ["t.csv:2: time_s must be a plain number of seconds such as 12.5, got nan"]),
        ("time_s\n1\n\n2\n", ["t.csv:3: time_s must be a plain number of seconds such as 12.5, got ''"]),
        ("time_s\n0.0000000001\n", ["t.csv:2: time_s must have at most 9 decimal places, got 0.0000000001"]),
        ("time_s\n1764000000\n", [
            "t.csv:2: time_s must be below 100,000,000 seconds, got 1764000000 "
            "(are these Unix times? Subtract the time of the first row)"
        ]),
        ("time_s\n99999999999999\n", ["t.csv:2: time_s must be at most 3650 days in seconds, got 99999999999999"]),
        ("time_s,duration_s\n1,0\n2,0.0\n3,x\n", [
            "t.csv:2: duration_s must be at least 0.000000001 (1ns), got 0",
            "t.csv:3: duration_s must be at least 0.000000001 (1ns), got 0.0",
            "t.csv:4: duration_s must be a plain number of seconds such as 12.5, got x",
        ]),
        ("time_s,init_s\n1,-2\n", ["t.csv:2: init_s must not be negative, got -2"]),
        ("time_s,init_s\n1,400000000\n", ["t.csv:2: init_s must be at most 3650 days, got 400000000"]),
        ("time_s,init_s\n1\n1,2,3\n", ["t.csv:2: must have 2 cells, got 1", "t.csv:3: must have 2 cells, got 3"]),
        ('time_s,function\n1,"a\nb"\n', ["t.csv:2: must not have a line break inside a cell"]),
        ('time_s,function\n1,"a\n', ["t.csv:2: must be CSV: unexpected end of data"]),
        (b"time_s,function\n1,caf\xe9\n", ["t.csv:2: must be text in UTF-8"]),
    ],
)  # fmt: skip
def test_what_is_refused(content: bytes | str, expected: list[str], tmp_path: Path) -> None:
    """Every bad row is named by FILE:LINE."""
    assert refused(content, tmp_path) == expected


def test_only_ten_bad_rows_are_listed(tmp_path: Path) -> None:
    """A column that is wrong throughout does not fill the screen."""
    told = refused("time_s\n" + "x\n" * 1234, tmp_path)
    assert told[9] == "t.csv:11: time_s must be a plain number of seconds such as 12.5, got x"
    assert told[10:] == ["t.csv: and 1,224 more"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("none.csv", "must be a file that exists, got none.csv"),
        (".", "must be a file, not a folder, got ."),
        ("/dev/zero", "must be an ordinary file, not a pipe or a device, got /dev/zero"),
        ("''", 'must be the name of a CSV file, got "" (for example requests.csv)'),
        ("[1]", "must be the name of a CSV file, got a list (for example requests.csv)"),
    ],
)
def test_no_file(value: str, message: str, tmp_path: Path) -> None:
    """What cannot be read is a problem of the key that names it."""
    (tmp_path / "s.yaml").write_text(YAML.replace("t.csv", value))
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path / "s.yaml")
    assert str(caught.value) == f"{tmp_path / 's.yaml'}:3:39 traffic.web.trace: {message}"


def test_a_million_rows(tmp_path: Path) -> None:
    """A long trace is read whole."""
    content = "time_s,function,duration_s,init_s\n" + "".join(f"{i}.25,api,0.5,\n" for i in range(1_000_000))
    trace = read(content, tmp_path)
    assert (int(trace.time_ns[-1]), len(trace.time_ns)) == (999_999_250_000_000, 1_000_000)


class TestSampleFile:
    """Measured durations, one a row."""

    def read(self, content: str, folder: Path) -> Any:
        """What a function's duration holds after it was read from this file."""
        path = folder / "d.csv"
        path.write_text(content)
        functions = {"api": {"duration": {"empirical": path}, "init": 0}}
        traffic = {"web": {"function": "api", "rate": "1/s"}}
        return load({"duration": "1m", "functions": functions, "traffic": traffic}).functions["api"].duration

    def test_rows(self, tmp_path: Path) -> None:
        """Rows keep their order."""
        duration = self.read("duration_s\n0.25\n0.1\n0\n", tmp_path)
        assert isinstance(duration.empirical, SampleFile)
        assert duration.samples_ns == (250_000_000, 100_000_000, 0)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("duration_s\n", "d.csv:1 functions.api.duration.empirical: must have at least one row below its header"),
            ("duration_s\n1\n\n2\n", "got ''"),
            ("duration\n1\n", "got duration (did you mean duration_s?)"),
            ("duration_s,x\n1,2\n", "got x (the columns are duration_s)"),
        ],
    )
    def test_refused(self, content: str, message: str, tmp_path: Path) -> None:
        """At least one row, every row a time, and no other column."""
        with pytest.raises(ScenarioError) as caught:
            self.read(content, tmp_path)
        assert message in str(caught.value)
