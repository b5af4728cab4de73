"""YAML text to plain data: what unquoted text means, where things stand, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdasim.errors import Problem, ScenarioError
from lambdasim.scenario import yaml_reader
from lambdasim.scenario.yaml_reader import Place, read_file, read_text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12), ("-3", -3), ("1e3", 1000), ("1.5", 1.5), ("2.0", 2), (".5", 0.5), ("true", True), ("FALSE", False),
        ("null", None), ("~", None), ("''", ""), ("'12'", "12"), ('"true"', "true"), ("!!str 12", "12"),
        ("1:30", "1:30"), ("on", "on"), ("off", "off"), ("yes", "yes"), ("no", "no"), ("012", "012"), (".inf", ".inf"),
        (".nan", ".nan"), ("2025-08", "2025-08"), ("2025-08-01", "2025-08-01"), ("0x10", "0x10"), ("1_000", "1_000"),
        ("1e999", "1e999"), ("<<", "<<"), ("=", "="),
    ],
)  # fmt: skip
def test_unquoted_text(text: str, value: object) -> None:
    """Only nothing, true, false and plain numbers are more than text; YAML 1.1's surprises are not."""
    read = read_text(f"a: {text}", "s.yaml").data["a"]
    assert (read, type(read)) == (value, type(value))


def test_keys_are_text() -> None:
    """A key that looks like a number or a truth value is the text that was written."""
    assert read_text("{1: a, on: b, 012: c, null: d}", "s.yaml").data == {"1": "a", "on": "b", "012": "c", "null": "d"}


def test_places() -> None:
    """Every key and value has its line and column, counted from 1."""
    document = read_text("a:\n  b: [1, {c: 2}]\n", "s.yaml")
    assert document.values == {
        (): Place(1, 1), ("a",): Place(2, 3), ("a", "b"): Place(2, 6), ("a", "b", 0): Place(2, 7),
        ("a", "b", 1): Place(2, 10), ("a", "b", 1, "c"): Place(2, 14),
    }  # fmt: skip
    assert document.keys == {("a",): Place(1, 1), ("a", "b"): Place(2, 3), ("a", "b", 1, "c"): Place(2, 11)}


def test_aliases_and_merges() -> None:
    """An alias repeats a value; a merge brings in keys, and what stands beside it wins."""
    document = read_text("a: &x {p: 1, q: 2}\nb: *x\nc: {<<: *x, q: 3}\nd: {<<: [{p: 5}, *x]}\n", "s.yaml")
    assert document.data == {
        "a": {"p": 1, "q": 2}, "b": {"p": 1, "q": 2}, "c": {"p": 1, "q": 3}, "d": {"p": 5, "q": 2}
    }  # fmt: skip
    assert document.values[("c", "q")] == Place(3, 16)
    assert document.problems == ()


def refusal(text: str) -> str:
    """The message for a text that cannot be read."""
    with pytest.raises(ScenarioError) as caught:
        read_text(text, "s.yaml")
    (problem,) = caught.value.problems
    return str(problem)


def test_a_bomb_of_aliases_is_refused() -> None:
    """Nine aliases of nine aliases of ... are not expanded: 9^11 values would fill any memory."""
    bomb = "a0: &a0 [x]\n" + "".join(
        f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 12)
    )
    assert "must not grow by more than 100,000 values through its aliases" in refusal(bomb)


def test_many_plain_values_are_no_bomb() -> None:
    """A long list that is written out is read, whatever its length."""
    count = yaml_reader.MAX_ALIAS_VALUES // 20
    assert len(read_text(f"a: [{', '.join(['1'] * count)}]", "s.yaml").data["a"]) == count


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &a {b: *a}", "s.yaml:1:4: must not hold itself through an alias"),
        ("a: &a {<<: *a}", "s.yaml:1:4: must not hold itself through an alias"),
        ("[" * 5000, "s.yaml:1:51: must not be nested more than 50 deep"),
        ("{a: " * 5000, "s.yaml:1:198: must not be nested more than 50 deep"),
        ("- " * 5000 + "x", "s.yaml:1:101: must not be nested more than 50 deep"),
    ],
)
def test_depth(text: str, message: str) -> None:
    """Nesting without end is refused with a place, never with a RecursionError."""
    assert refusal(text) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "s.yaml:3:1 a: must stand only once, is also on line 1"),
        ("a: {b: 1, b: 1}\n", "s.yaml:1:11 a.b: must stand only once, is also on line 1"),
        ("a: !foo 1\n", "s.yaml:1:4 a: must not have a tag, got !foo"),
        ("a: !!set {x, y}\n", "s.yaml:1:4 a: must not have a tag, got !!set"),
        ("a: !!int x\n", "s.yaml:1:4 a: must not have a tag, got !!int"),
        ("!!python/name:os.system x: 1\n", "s.yaml:1:1 x: must not have a tag, got !!python/name:os.system"),
        ("[1]: 2\n", "s.yaml:1:1: must have text as its keys, got a list or a mapping"),
        ("a: {<<: 5}\n", "s.yaml:1:9 a.<<: must be an alias of a mapping, or a list of them"),
    ],
)
def test_problems_that_do_not_stop_the_reading(text: str, message: str) -> None:
    """Duplicate keys, tags and odd keys are noted, and the rest is read, so that more can be said about it."""
    document = read_text(text, "s.yaml")
    assert [str(problem) for _, problem in document.problems] == [message]
    assert isinstance(document.data, dict)


@given(st.text(alphabet="ab:-[]{},&*!|>'\"%@`#? \n\t<.0", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text makes the reader fail with anything but a ScenarioError that has a place."""
    problems: tuple[Problem, ...] = ()
    try:
        read_text(text, "s.yaml")
    except ScenarioError as error:
        problems = error.problems
    assert all(problem.place.startswith("s.yaml:") and problem.message for problem in problems)


def file_refusal(path: Path) -> str:
    """The message for a file that cannot be read."""
    with pytest.raises(ScenarioError) as caught:
        read_file(path, "s.yaml")
    (problem,) = caught.value.problems
    return str(problem)


class TestFiles:
    """What is no scenario file at all."""

    def test_missing(self, tmp_path: Path) -> None:
        """A file that does not exist is named."""
        assert file_refusal(tmp_path / "none.yaml") == "s.yaml: must be a file that exists"

    def test_below_a_file(self, tmp_path: Path) -> None:
        """A path that goes through a file is none."""
        (tmp_path / "a").write_text("x")
        assert file_refusal(tmp_path / "a" / "b") == "s.yaml: must be a file that can be read; Not a directory"

    def test_folder(self, tmp_path: Path) -> None:
        """A folder is no scenario."""
        assert file_refusal(tmp_path) == "s.yaml: must be a file, not a folder"

    def test_denied(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A file that may not be read is one clear problem."""
        path = tmp_path / "s.yaml"
        path.write_text("a: 1")

        def deny(self: Path) -> bytes:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "read_bytes", deny)
        assert file_refusal(path) == "s.yaml: must be a file that you may read"

    def test_null_in_name(self) -> None:
        """A name that no file can have is refused."""
        assert file_refusal(Path("a\0b")) == "s.yaml: must be the name of a file"

    @pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
    def test_device(self, device: str) -> None:
        """A device may never end, so it is not read."""
        assert file_refusal(Path(device)) == "s.yaml: must be an ordinary file, not a pipe or a device"

    def test_pipe(self, tmp_path: Path) -> None:
        """A pipe would wait for a writer."""
        os.mkfifo(tmp_path / "pipe")
        assert file_refusal(tmp_path / "pipe") == "s.yaml: must be an ordinary file, not a pipe or a device"

    def test_huge(self, tmp_path: Path) -> None:
        """A file of 100 MB is refused by its size."""
        with (tmp_path / "big").open("wb") as file:
            file.truncate(100_000_000)
        assert file_refusal(tmp_path / "big") == "s.yaml: must be a file of at most 5 MB; it has 100.0 MB"

    def test_not_utf8(self, tmp_path: Path) -> None:
        """Text in another encoding is refused with its line."""
        (tmp_path / "s").write_bytes("a: 1\nb: caf\u00e9\n".encode("latin-1"))
        assert file_refusal(tmp_path / "s") == "s.yaml:2: must be text in UTF-8"

    def test_byte_order_mark(self, tmp_path: Path) -> None:
        """A byte order mark and CRLF are fine."""
        (tmp_path / "s").write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
        assert read_file(tmp_path / "s", "s.yaml").data == {"a": 1, "b": 2}
