"""Scenarios that are meant to be refused: what AWS refuses cannot be simulated, and the reason is the lesson."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Call

REFUSED = Path(__file__).parents[2] / "scenarios" / "refused"
SCENARIOS = sorted(REFUSED.glob("*.yaml"))


def test_code_storage(call: Call) -> None:
    """AWS's name, the sum, the quota, what takes the most and how much to delete, as the file says."""
    path = REFUSED / "code-storage.yaml"
    text = " ".join(line.removeprefix("#").strip() for line in path.read_text(encoding="utf-8").splitlines())
    told = call(str(path)).err
    for words in ("CodeStorageExceededException", "312.3GB, the quota is 300GB", "thumbnails 164.1GB (1,400 x 120MB)"):
        assert words in told
    assert "Delete at least 12,600MB, for example 105 of the 1,400 versions of thumbnails" in told
    for words in ("CodeStorageExceededException", "are 312GB", "stores 300GB", "Deleting 105 of the versions of thumb"):
        assert words in text
    assert 1400 * 120 + 900 * 150 + 2100 * 8 == 312.3046875 * 1024

    assert "Delete at least 243,000MB" in call(str(path), "--set", "profile='2025-08'").err
    assert "243,000MB have to go" in text
    assert call("validate", str(path), "--set", "functions.thumbnails.versions=1295").status == 0
    assert call("validate", str(path), "--set", "functions.thumbnails.versions=1296").status == 2


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
class TestScenario:
    """What holds for each of them."""

    def test_is_refused(self, call: Call, folder: Path, path: Path) -> None:
        """Status 2, one problem on stderr, nothing written; ``validate`` says the same."""
        done = call(str(path))
        assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
        assert call("validate", str(path)) == done
        assert not (folder / "out").exists()

    def test_can_be_read(self, path: Path) -> None:
        """Short, with a question, a lesson and the remark that it is meant to be so."""
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        assert len(lines) < 40
        assert max(map(len, lines)) <= 120
        assert [
            word for word in ("# Predict: ", "# Lesson: ", "meant to be refused", "seed: ") if word not in text
        ] == []
        assert f"name: {path.stem}\n" in text
