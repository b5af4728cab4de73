"""Packages that lambdasim does without, but for some calls: those load them, or say in one line how to get them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from lambdasim.errors import UsageError


def load_extra(package: str, needed_by: str) -> Any:
    """The package as a module. Raises UsageError where it is not installed."""
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise UsageError(f"{needed_by} needs {package}: pip install {package}") from None
