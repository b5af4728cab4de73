"""Rehearse AWS Lambda traffic on a laptop: cold starts, throttles and retries, without touching AWS.

>>> import lambdasim as ls
>>> result = ls.simulate("scenarios/spike.yaml", seed=7)  # doctest: +SKIP
"""

from lambdasim.api import Result, load, simulate
from lambdasim.errors import LambdasimError, OutputError, ScenarioError, ScenarioWarning, UsageError
from lambdasim.eventlog.log import EventLog
from lambdasim.level_runs import Frontier, frontier
from lambdasim.scenario.schema import Scenario
from lambdasim.version import __version__

__all__ = [
    "EventLog",
    "Frontier",
    "LambdasimError",
    "OutputError",
    "Result",
    "Scenario",
    "ScenarioError",
    "ScenarioWarning",
    "UsageError",
    "__version__",
    "frontier",
    "load",
    "simulate",
]
