"""What files.md says of queues and streams: nothing is missing."""

from __future__ import annotations

import re

import pytest

from lambdasim.eventlog.log import MessageOutcome
from lambdasim.metrics.cloudwatch_queues import all_metrics
from lambdasim.metrics.run import Run
from lambdasim.metrics.tables import messages_table
from tests.docs.pages import code_words, text_of
from tests.metrics.queues import queue_run, stream_run, three_messages


def runs() -> list[Run]:
    """Runs in which every metric has data."""
    failing = {"mapping": {"maximum_retry_attempts": 0}, "function": {"errors": {"rate": "100%"}}}
    noted = {**failing, "mapping": {**failing["mapping"], "on_failure": "n"}, "queues": {"n": {}}}
    delayed = queue_run([0], queue={"delay": "1s"}, duration="500ms", drain="0s")
    return [three_messages(), delayed, stream_run([0.2], **failing), stream_run([0.2], **noted)]


def section_of(heading: str) -> set[str]:
    """The words in code in one section."""
    section = text_of("files.md").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return set(re.findall(r"`(\w+)`", section))


def test_every_column_of_messages_is_explained() -> None:
    """And every outcome."""
    words = section_of("messages.csv")
    assert {column.name for column in messages_table(three_messages().log, 0, 1)} <= words
    assert {outcome.key for outcome in MessageOutcome} <= words


def test_every_metric_is_explained() -> None:
    """Of queues, mappings and streams: 7 of SQS, 6 of mappings, IteratorAge."""
    found = {row.metric for run in runs() for row in all_metrics(run.log, 10**9, run.scenario) if row.queue}
    assert len(found) == 7 + 6
    assert found | {"IteratorAge"} <= section_of("metrics.csv")


@pytest.mark.parametrize(("block", "index"), [("queues", 0), ("streams", 2)])
def test_every_key_of_the_blocks_is_explained(block: str, index: int) -> None:
    """``queues.*.received`` and so on."""
    (content, *_) = runs()[index].summary[block].values()
    assert {f"{block}.*.{key}" for key in content} <= code_words("files.md")
