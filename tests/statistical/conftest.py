"""After each test here: what it compared must be what docs/validation.md shows, for the same seeds give the same."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest

from tests.statistical import comparison
from tests.statistical.z_score import kept

# Where docs/make_validation.py gathers the comparisons of each test, to make the file anew.
GATHERED = pytest.StashKey[dict[str, list[comparison.Comparison]]]()


@cache
def shown() -> comparison.Figures:
    """The file is read once in each process."""
    return comparison.read()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """A test that fails by itself says why; one that passes may still have other figures than those shown."""
    kept.clear()
    yield
    test = f"{item.path.name}::{item.nodeid.partition('::')[2]}"
    gathered = item.config.stash.get(GATHERED, None)
    if gathered is not None:
        gathered[test] = list(kept)
    elif problem := comparison.difference(shown().by_test, test, kept):
        pytest.fail(f"{problem}. If the change is meant: python docs/make_validation.py", pytrace=False)
