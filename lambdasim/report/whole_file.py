"""A file that is written whole or not at all: nobody finds half of one, and what was there before stays till then."""

from __future__ import annotations

import os
from pathlib import Path

from lambdasim.errors import OutputError


def write_whole(path: Path, text: str, what: str) -> None:
    """Write a text as UTF-8. Raises OutputError, which says ``what`` could not be written, and why."""
    try:
        # In the same folder, as a file moves within one disk only in one step; short, as names have a longest length.
        unfinished = path.with_name(f".lambdasim-{os.getpid()}")
        try:
            unfinished.write_text(text, encoding="utf-8")
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except (OSError, ValueError) as error:  # ValueError: no name at all, or one that no disk has
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        raise OutputError(f"{os.fspath(path)!r}: {what} cannot be written here: {reason}") from error
