"""Every exception and warning of lambdasim.

::

    LambdasimError
    ├── ScenarioError     a scenario, or a file that it names, is wrong; lists every problem found
    ├── UsageError        an argument of a call or of the command line is wrong
    └── OutputError       a result cannot be written

    RuleViolation (ValueError)   one value breaks one rule; the loader turns it into a Problem with its place
    ScenarioWarning (UserWarning)  the scenario runs, but part of it has no effect

A throttle, a timeout or a dropped event is data in the log, never an exception.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with a scenario, in the form ``FILE:LINE:COLUMN PATH: rule, got value (hint)``."""

    place: str  # "spike.yaml:4:11", "--set region.concurrency_quota", or "" for a scenario made in Python
    path: str  # "traffic.web.rate"; "" for the whole file
    message: str  # the rule, the value got and the hint, in one sentence

    def __str__(self) -> str:
        # A setting is named by its path already: "--set region.concurrency_quota".
        path = "" if self.place.endswith(f" {self.path}") else self.path
        where = " ".join(part for part in (self.place, path) if part)
        return f"{where}: {self.message}" if where else self.message


class LambdasimError(Exception):
    """Base of every error that a user of lambdasim can cause."""


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


class ScenarioWarning(UserWarning):
    """A scenario runs, but part of it has no effect."""
