"""Rehearse AWS Lambda traffic on a laptop: cold starts, throttles and retries, without touching AWS.

>>> import lambdasim as ls
>>> result = ls.simulate("scenarios/spike.yaml", seed=7)  # doctest: +SKIP
"""

from lambdasim import _needs as _needs  # before all else: says in one line what this Python lacks
from lambdasim.api import Result, load, simulate
from lambdasim.errors import LambdasimError, OutputError, RunInterrupted, ScenarioError, ScenarioWarning, UsageError
from lambdasim.eventlog.log import EventLog
from lambdasim.level_runs import Frontier, frontier
from lambdasim.notebook.compare import Comparison, compare
from lambdasim.notebook.explore import explore
from lambdasim.notebook.interrupted import last_interrupted
from lambdasim.notebook.prediction import Prediction, predict
from lambdasim.scenario.schema import Scenario
from lambdasim.version import __version__

__all__ = [
    "Comparison",
    "EventLog",
    "Frontier",
    "LambdasimError",
    "OutputError",
    "Prediction",
    "Result",
    "RunInterrupted",
    "Scenario",
    "ScenarioError",
    "ScenarioWarning",
    "UsageError",
    "__version__",
    "compare",
    "explore",
    "frontier",
    "last_interrupted",
    "load",
    "predict",
    "simulate",
]
