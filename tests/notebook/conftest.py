"""No guess and no interrupted run of one test is seen in another: there is one of each for a process."""

from __future__ import annotations

import pytest

from lambdasim.notebook import interrupted, prediction


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a notebook that was just opened."""
    monkeypatch.setattr(prediction, "_kept", None)
    monkeypatch.setattr(interrupted, "_last", None)
