"""Fixtures for the tests of reports."""

from __future__ import annotations

import pytest

from lambdasim.metrics.run import Run
from tests.report.runs import RETRYING, run_of


@pytest.fixture(scope="session")
def spike() -> Run:
    """A spike on a small quota with callers that retry: every fate but a drop."""
    return run_of(
        name="spike",
        description="Twice what the quota carries.",
        functions={"f": {"duration": "400ms", "init": "1s", "errors": {"rate": "2%"}, "idle_timeout": "20s"}},
        region={"concurrency_quota": 20},
        duration="90s",
        traffic={
            "web": {
                "function": "f",
                "start_rate": "20/s",
                "stages": [
                    {"duration": "20s", "target": "20/s"},
                    {"duration": "10s", "target": "150/s"},
                    {"duration": "5s", "target": "10/s"},
                ],
                "client": RETRYING,
            }
        },
    )
