"""Every exception and warning of lambdasim.

::

    LambdasimError
    ├── ScenarioError     a scenario, or a file that it names, is wrong; lists every problem found
    ├── UsageError        an argument of a call or of the command line is wrong
    └── OutputError       a result cannot be written

    RuleViolation (ValueError)   one value breaks one rule; the loader turns it into a Problem with its place
    RunInterrupted (KeyboardInterrupt)  somebody interrupted a run in a notebook; what there is was kept
    ScenarioWarning (UserWarning)  the scenario runs, but part of it has no effect

A throttle, a timeout or a dropped event is data in the log, never an exception. IPython, and so every notebook, shows
these errors in their own words, without a traceback: ``_render_traceback_`` is what it asks an exception for.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with a scenario, in the form ``FILE:LINE:COLUMN PATH: rule, got value (hint)``."""

    place: str  # "spike.yaml:4:11", "set region.concurrency_quota", or "" for a scenario made in Python
    path: str  # "traffic.web.rate"; "" for the whole file
    message: str  # the rule, the value got and the hint, in one sentence

    def __str__(self) -> str:
        # A setting is named by its path, which need not be said twice: "set traffic.web", "traffic.web.rate".
        before, _, setting = self.place.rpartition(" ")
        is_named = before.endswith("set") and f"{self.path}.".startswith(f"{setting}.")
        where = " ".join(part for part in (before if is_named else self.place, self.path) if part)
        return f"{where}: {self.message}" if where else self.message


class LambdasimError(Exception):
    """Base of every error that a user of lambdasim can cause."""

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


class ScenarioError(LambdasimError, ValueError):
    """A scenario is wrong. ``problems`` holds every problem found, in the order of the file."""

    def __init__(self, problems: Sequence[Problem] | str) -> None:
        if isinstance(problems, str):
            problems = (Problem(place="", path="", message=problems),)
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class UsageError(LambdasimError, ValueError):
    """An argument of a call or of the command line is wrong."""


class OutputError(LambdasimError, OSError):
    """A result cannot be written where it was asked for."""


class RuleViolation(ValueError):
    """One value breaks one rule. ``rule`` completes the sentence "PATH: ..."; ``hint`` says what to write instead."""

    def __init__(self, rule: str, hint: str = "") -> None:
        super().__init__(rule, hint)
        self.rule = rule
        self.hint = hint


class RunInterrupted(KeyboardInterrupt):
    """A run in a notebook was interrupted, and its cell fails. ``last_interrupted()`` returns what there is."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class ScenarioWarning(UserWarning):
    """A scenario runs, but part of it has no effect. Shown at every run, unless a filter of yours says otherwise."""


# Behind all filters that there are. Without it Python shows a warning once for each line of code, and so not again
# when a cell is run again.
warnings.simplefilter("always", ScenarioWarning, append=True)


def warn(text: str) -> None:
    """Warn of a scenario, at the first line of code outside of lambdasim.

    In a notebook or at a prompt there is no file to name, and the warning is one line.
    """
    level, frame = 2, sys._getframe(1)
    while _is_inside(frame.f_globals.get("__name__", "")) and frame.f_back is not None:
        level, frame = level + 1, frame.f_back
    usual = warnings.formatwarning
    if "__file__" not in frame.f_globals:
        warnings.formatwarning = _in_one_line
    try:
        warnings.warn(text, ScenarioWarning, stacklevel=level)
    finally:
        warnings.formatwarning = usual


def _is_inside(module: str) -> bool:
    return f"{module}.".startswith("lambdasim.")


def _in_one_line(message: Warning | str, *_: object, **__: object) -> str:
    return f"warning: {message}\n"
