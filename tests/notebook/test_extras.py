"""Packages that only some calls need: one sentence where they are missing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lambdasim as ls
from lambdasim.extras import load_extra
from tests.notebook.house import house


@pytest.mark.parametrize(
    "make",
    [
        lambda: ls.simulate(house()),
        lambda: ls.compare({"a": {}}, scenario=house()),
        lambda: ls.frontier(house(), levels=[0]),
    ],
)
def test_data_frames_need_pandas(make: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """And everything else does without."""
    monkeypatch.setitem(sys.modules, "pandas", None)  # Python's own way to make an import fail
    found = make()
    with pytest.raises(ls.UsageError) as raised:
        found.to_frame()
    assert str(raised.value) == "to_frame needs pandas: pip install pandas"


def test_a_package_that_is_broken_is_not_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To install it once more would not help."""
    (tmp_path / "half_there.py").write_text("import the_other_half\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="the_other_half"):
        load_extra("half_there", "this")
