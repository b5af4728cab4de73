"""The CSV files to the letter, for a scenario that can be simulated by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Call

# One unit of concurrency. Request 0 holds it until 2.5 s; request 1 is refused at 1 s and again, after its one retry,
# at 2 s; request 2 is refused at 2 s and accepted at 3 s; its environment is reaped at 8 s, 3 s after its last work.
# Request 3 starts another one at 9 s and is still running at 11 s, when duration and drain are over.
BY_HAND = """\
name: by-hand
seed: 1
duration: 10s
drain: 1s
region: {concurrency_quota: 1, min_unreserved: 0}
functions: {f: {duration: 2s, init: 500ms, idle_timeout: 3s, max_age: unlimited}}
traffic: {t: {function: f, trace: rows.csv, client: {retry: {delays: [1s]}}}}
"""

REQUESTS = """\
request,source,function,invoke,arrival_s,outcome,attempts,throttles,first_throttle_reason,cold,init_s,wait_s,start_s,end_s,latency_s,environment
0,t,f,sync,0.000000000,completed,1,0,,true,0.500000000,0.500000000,0.000000000,2.500000000,2.500000000,0
1,t,f,sync,1.000000000,throttled,2,2,account_concurrency,,,,,2.000000000,1.000000000,
2,t,f,sync,2.000000000,completed,2,1,account_concurrency,false,,0.000000000,3.000000000,5.000000000,3.000000000,0
3,t,f,sync,9.000000000,in_flight,1,0,,true,0.500000000,0.500000000,9.000000000,,,1
"""

ATTEMPTS = """\
request,attempt,time_s,function,result,reason,environment,cold,init_s,handler_s,end_s
0,1,0.000000000,f,ok,,0,true,0.500000000,0.500000000,2.500000000
1,1,1.000000000,f,throttled,account_concurrency,,,,,
1,2,2.000000000,f,throttled,account_concurrency,,,,,
2,1,2.000000000,f,throttled,account_concurrency,,,,,
2,2,3.000000000,f,ok,,0,false,,3.000000000,5.000000000
3,1,9.000000000,f,running,,1,true,0.500000000,9.500000000,
"""

ENVIRONMENTS = """\
environment,function,kind,created_s,ready_s,reaped_s,invocations,busy_s
0,f,on-demand,0.000000000,0.500000000,8.000000000,2,4.500000000
1,f,on-demand,9.000000000,9.500000000,,1,2.000000000
"""

METRICS = """\
period_start_s,function,metric,unit,sample_count,sum,average,minimum,maximum,p50,p99
0.000000000,,Invocations,Count,3,3,1,1,1,1,1
0.000000000,,Throttles,Count,3,3,1,1,1,1,1
0.000000000,,Duration,Milliseconds,2,4000,2000,2000,2000,2000,2000
0.000000000,,ConcurrentExecutions,Count,3,3,1,1,1,1,1
0.000000000,,UnreservedConcurrentExecutions,Count,3,3,1,1,1,1,1
0.000000000,,ClaimedAccountConcurrency,Count,3,3,1,1,1,1,1
0.000000000,f,Invocations,Count,3,3,1,1,1,1,1
0.000000000,f,Throttles,Count,3,3,1,1,1,1,1
0.000000000,f,Duration,Milliseconds,2,4000,2000,2000,2000,2000,2000
0.000000000,f,ConcurrentExecutions,Count,3,3,1,1,1,1,1
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [("requests", REQUESTS), ("attempts", ATTEMPTS), ("environments", ENVIRONMENTS), ("metrics", METRICS)],
)
def test_whole_text(call: Call, folder: Path, name: str, text: str) -> None:
    """Header, order of rows, nine decimals, empty cells, true and false, LF: the whole file as bytes."""
    (folder / "by-hand.yaml").write_text(BY_HAND)
    (folder / "rows.csv").write_text("time_s\n0\n1\n2\n9\n")
    assert call("by-hand.yaml", "--quiet") == (0, "", "")
    assert (folder / "out" / "by-hand" / f"{name}.csv").read_bytes() == text.encode()


def test_tables_without_rows_have_their_header(call: Call, folder: Path) -> None:
    """A trace without rows is valid, and gives four headers."""
    (folder / "by-hand.yaml").write_text(BY_HAND)
    (folder / "rows.csv").write_text("time_s\n")
    assert call("by-hand.yaml", "--quiet").status == 0
    for name, text in (
        ("requests", REQUESTS),
        ("attempts", ATTEMPTS),
        ("environments", ENVIRONMENTS),
        ("metrics", METRICS),
    ):
        assert (folder / "out" / "by-hand" / f"{name}.csv").read_text() == text.splitlines()[0] + "\n"


def test_rows_are_sorted_over_all_chunks(call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long tables are written in parts; the parts together are the whole, in order."""
    call("small.yaml", "--seed", "1", "--out", "whole", "--quiet")
    monkeypatch.setattr("lambdasim.report.files._REQUESTS_AT_A_TIME", 7)
    call("small.yaml", "--seed", "1", "--out", "parts", "--quiet")
    for name in ("requests.csv", "attempts.csv"):
        assert (folder / "parts" / name).read_bytes() == (folder / "whole" / name).read_bytes()
    rows = [row.split(",") for row in (folder / "parts" / "attempts.csv").read_text().splitlines()[1:]]
    keys = [(int(row[0]), int(row[1])) for row in rows]
    assert len(keys) > 300
    assert keys == sorted(set(keys))
    requests = (folder / "parts" / "requests.csv").read_text().splitlines()[1:]
    assert [int(row.split(",")[0]) for row in requests] == list(range(len(requests)))
