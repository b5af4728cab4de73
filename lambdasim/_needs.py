"""First of all: one line, not a traceback, where ``python -m lambdasim`` runs in a Python that it cannot run in.

The folder of the project is enough for Python to find lambdasim, so this is what a wrong Python says: one that is too
old, or without the packages. Imported for this effect before all else. Standard library only, and nothing that is newer
than Python 3.8.
"""

import importlib.util
import os
import sys

# The names to import of the dependencies in pyproject.toml.
PACKAGES = ("simpy", "numpy", "matplotlib", "yaml", "pydantic", "cronsim", "rich")


def _missing() -> str:
    """What this Python lacks; empty where it lacks nothing."""
    if sys.version_info[:2] < (3, 11):  # noqa: UP036 - pip would have refused it, but nobody asked pip
        return "Python 3.11 or newer; this is {}.{}".format(*sys.version_info)
    absent = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    return ", ".join(absent)


def _remedy() -> str:
    """Where the right Python is, if it was set up here as README.md says."""
    for python in (os.path.join(".venv", "bin", "python"), os.path.join(".venv", "Scripts", "python.exe")):
        if os.path.exists(python) and os.path.abspath(python) != sys.executable:
            return f"write {python} in place of python, or activate .venv"
    return "see Two commands in README.md"


def _leave() -> None:
    missing = _missing()
    if missing:
        is_asked = sys.argv[1:2] == ["check-setup"]
        print(
            f"missing: {missing} ({sys.executable} is not the Python that lambdasim was installed for: {_remedy()})",
            file=sys.stdout if is_asked else sys.stderr,
        )
        raise SystemExit(1 if is_asked else 2)


if sys.argv[:1] == ["-m"]:  # what Python puts there while it looks for the module of -m
    _leave()
