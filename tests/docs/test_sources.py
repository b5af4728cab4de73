"""What files.md says of the figures source by source: nothing is missing."""

from __future__ import annotations

from tests.docs.pages import code_words
from tests.metrics.test_sources import pinged


def test_every_key_of_a_source_is_explained() -> None:
    """``sources.*.requests`` and so on."""
    (content, *_) = pinged().summary["sources"].values()
    assert {f"sources.*.{key}" for key in content} <= code_words("files.md")
