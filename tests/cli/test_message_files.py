"""messages.csv and the column ``queue`` of metrics.csv to the letter, for a scenario that can be simulated by hand."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Call
from tests.cli.test_csv_files import BY_HAND

# Message 0 runs from 0 to 4 s; message 1 is throttled at 1.5 and 2.5 s and, received once as it may be, goes to x when
# it is visible again at 6.5 s, though it runs from 4.5 to 8.5 s.
QUEUES = """\
name: queues
seed: 1
duration: 10s
drain: 0s
functions: {f: {duration: 4s, init: 0s, timeout: 5s, reserved_concurrency: 1}}
queues:
  o:
    visibility_timeout: 5s
    max_receive_count: 1
    dead_letter: x
    event_source_mapping:
      {function: f, batch_size: 1, throttle_retry: {base: 1s, cap: 20s, jitter: none}, back_off: none}
  x: {}
traffic: {t: {invoke: sqs, queue: o, trace: rows.csv}}
"""

MESSAGES = """\
message,queue,sent_s,receives,first_receive_s,outcome,settled_s,without_execution
0,o,0.000000000,1,0.000000000,deleted,4.000000000,false
1,o,1.500000000,1,1.500000000,dead_lettered,6.500000000,false
1,x,6.500000000,0,,visible,,false
"""

METRICS = """\
period_start_s,function,metric,unit,sample_count,sum,average,minimum,maximum,p50,p99,queue
0.000000000,,Invocations,Count,2,2,1,1,1,1,1,
0.000000000,,NumberOfMessagesSent,Count,2,2,1,1,1,1,1,o
0.000000000,f,PolledEventCount,Count,2,2,1,1,1,1,1,o
0.000000000,,ApproximateNumberOfMessagesVisible,Count,1,1,1,1,1,1,1,x
0.000000000,,ApproximateAgeOfOldestMessage,Seconds,1,3.5,3.5,3.5,3.5,3.5,3.5,x
"""


def test_messages_and_metrics(call: Call, folder: Path) -> None:
    """The whole of messages.csv; of metrics.csv the header and some rows, in their order."""
    (folder / "queues.yaml").write_text(QUEUES)
    (folder / "rows.csv").write_text("time_s\n0\n1.5\n")
    assert call("queues.yaml", "--quiet").status == 0
    assert (folder / "out" / "queues" / "messages.csv").read_bytes() == MESSAGES.encode()
    lines = (folder / "out" / "queues" / "metrics.csv").read_text().splitlines()
    wanted = METRICS.splitlines()
    assert lines[0] == wanted[0]
    assert [line for line in lines if line in wanted] == wanted


def test_without_messages_there_is_a_header(call: Call, folder: Path) -> None:
    """A trace without rows."""
    (folder / "queues.yaml").write_text(QUEUES)
    (folder / "rows.csv").write_text("time_s\n")
    assert call("queues.yaml", "--quiet").status == 0
    assert (folder / "out" / "queues" / "messages.csv").read_text() == MESSAGES.splitlines()[0] + "\n"


def test_without_queues_there_is_no_such_file(call: Call, folder: Path) -> None:
    """Nor any column for them."""
    (folder / "by-hand.yaml").write_text(BY_HAND)
    (folder / "rows.csv").write_text("time_s\n0\n")
    assert call("by-hand.yaml", "--quiet").status == 0
    assert not (folder / "out" / "by-hand" / "messages.csv").exists()
    assert "queue" not in (folder / "out" / "by-hand" / "metrics.csv").read_text()
