"""The stored pictures of the documentation say what runs say today."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

import pytest
from matplotlib.axes import Axes
from PIL import Image

from tests.docs.pages import DOCS, PAGES, module_of, text_of

IMAGES = DOCS / "images"


def make_pictures() -> ModuleType:
    """``docs/make_pictures.py`` as a module."""
    return module_of(DOCS / "make_pictures.py")


@pytest.fixture(scope="module")
def maker() -> Any:
    """The module."""
    return make_pictures()


@pytest.fixture(scope="module")
def drawn(maker: Any) -> dict[str, Axes]:
    """Every picture, drawn anew."""
    return dict(maker.pictures())


def test_each_says_what_a_run_says(maker: Any, drawn: dict[str, Axes]) -> None:
    """Figures, names and sentences. ``python docs/make_pictures.py`` draws them again; then look at them."""
    for file, picture in drawn.items():
        with Image.open(IMAGES / file) as stored:
            assert stored.info.get("Description") == maker.words_of(picture), file


def test_words_hold_the_figures(maker: Any, drawn: dict[str, Axes]) -> None:
    """The header with its peak, the legend with what was refused, and the names of panels."""
    words = maker.words_of(drawn["spike-concurrency.png"])
    assert "peak 1,000 of" in words
    assert re.search(r"throttled 336:\nscaling rate", words)
    queues = drawn["sqs-backlog-queues.png"]
    names = [panel.get_ylabel() for panel in queues.child_axes]
    assert len(names) > 1
    assert all(name in maker.words_of(queues) for name in names)


def test_every_stored_picture_is_made_and_shown(maker: Any, drawn: dict[str, Axes]) -> None:
    """None is left over from before; each is on a page."""
    stored = {path.name for path in IMAGES.iterdir()}
    assert {*drawn, maker.ANIMATION} <= stored
    shown = set(re.findall(r"images/([\w-]+\.\w+)", "".join(text_of(page) for page in [*PAGES, "workshop/handout.md"])))
    shown |= set(re.findall(r"images/([\w-]+\.\w+)", (DOCS.parent / "README.md").read_text(encoding="utf-8")))
    assert stored == shown


def test_a_page_that_lost_its_scenario_is_named(maker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is drawn."""
    monkeypatch.setattr(maker, "FRONTIER_SCENARIO", "orders.yml")
    with pytest.raises(SystemExit, match=r"^how-much-provisioned-concurrency\.md: has no block .*```yaml orders\.yml"):
        next(maker.pictures())
