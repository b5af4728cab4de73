"""What a result shows of itself in a notebook: figures, two pictures, the guess."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from html import unescape
from typing import Any

import numpy as np
import pytest
from PIL import Image

import lambdasim as ls
from lambdasim.engine.base import Interrupt
from lambdasim.notebook.display import result_rows
from lambdasim.units import NS_PER_S
from tests.notebook.house import house

CAPACITY = {"f": {"duration": "1s", "init": "500ms", "provisioned_concurrency": 1}}
QUEUE: dict[str, Any] = {
    "functions": {"f": {"timeout": "3s"}},
    "queues": {"jobs": {"event_source_mapping": {"function": "f", "batch_size": 1}}},
    "traffic": {"t": {"queue": "jobs", "invoke": "sqs", "rate": "1/s", "arrivals": "uniform"}},
    "region": {"concurrency_quota": 100},
    "duration": "3s",
}
DEAD_LETTERS: dict[str, Any] = {
    "functions": {"f": {"duration": "10s", "timeout": "10s", "errors": {"poison": "100%"}}},
    "queues": {
        "jobs": {
            "visibility_timeout": "10s",
            "dead_letter": "dead",
            "max_receive_count": 1,
            "event_source_mapping": {"function": "f", "batch_size": 1},
        },
        "dead": {},
    },
    "traffic": {"t": {"queue": "jobs", "invoke": "sqs", "rate": "1/s", "arrivals": "uniform"}},
    "region": {"concurrency_quota": 1},
    "duration": "3s",
}


def pictures_in(html: str) -> dict[str, bytes]:
    """PNG files by the name of their picture."""
    found = re.findall(r'<img alt="(\w+) of house" src="data:image/png;base64,([^"]+)"', html)
    return {name: base64.b64decode(data) for name, data in found}


def rows_of(result: ls.Result) -> dict[str, tuple[str, str]]:
    """The table: value and remark by name."""
    return {name: (value, remark) for name, value, remark in result_rows(result)}


def test_the_table_has_the_figures_that_matter() -> None:
    """By hand: see house.py. In flight for 2 x 1.5 s + 1 s of 20 s."""
    rows = rows_of(ls.simulate(house()))
    assert list(rows) == [
        "requests",
        "completed",
        "throttled",
        "refused: account_concurrency",
        "cold starts",
        "environments started",
        "p50 latency",
        "longest latency",
        "peak concurrency",
        "cost",
    ]
    assert rows["requests"] == ("4", "offered in 20s, 0.2/s on average")
    assert rows["completed"] == ("3", "75.0%")
    assert rows["throttled"] == ("1", "25.0%: refused, and no attempt left")
    assert rows["refused: account_concurrency"] == (
        "1",
        "25.0% of the attempts: as many requests in flight as the quota allows",
    )
    assert rows["cold starts"] == ("2", "66.7% of the invocations")
    assert rows["environments started"] == ("2", "at most 2 at once")
    assert rows["p50 latency"] == ("1.5s", "of the completed requests")
    assert rows["longest latency"] == ("1.5s", "")
    assert rows["peak concurrency"] == ("2", "of a quota of 2; 0.2 on average")
    assert rows["cost"] == ("$0.0000673", "$8.84 for a month of this load")


def test_more_where_there_is_more() -> None:
    """A promise, a quota that changes, provisioned concurrency."""
    changed = house(changes=[{"at": "5s", "region": {"concurrency_quota": 9}}], slo={"p99": "1s"})
    rows = rows_of(ls.simulate(changed))
    assert rows["peak concurrency"][1] == "of a quota of 2, then 9; 0.2 on average"
    assert rows["promised p99"] == ("1.5s", "missed: at most 1s")
    # The one unit takes a request at 0 and that at 10 s, 2 of 20 s; the other at 0 runs on demand, the third is refused
    kept = rows_of(ls.simulate(house(functions=CAPACITY)))
    assert kept["provisioned"] == ("1", "busy 10.0% of the time")
    assert kept["environments started"] == ("2", "at most 2 at once")
    assert kept["spilled over"] == ("1", "invocations that ran on demand all the same")


def test_nothing_to_tell_is_told() -> None:
    """A scenario without a request has a table and two pictures."""
    result = ls.simulate(house(rows=[]))
    assert rows_of(result)["requests"][0] == "0"
    assert not {"p50 latency", "p99 latency", "longest latency"} & rows_of(result).keys()
    assert set(pictures_in(result._repr_html_())) == {"concurrency", "outcomes"}


@pytest.mark.parametrize(
    ("parts", "pictures"),
    [
        ({}, ["concurrency", "outcomes"]),
        ({"functions": CAPACITY}, ["outcomes", "provisioned"]),
        (QUEUE, ["outcomes", "queues"]),
    ],
)
def test_the_pictures_are_those_to_start_with(parts: dict[str, Any], pictures: list[str]) -> None:
    """Those that the summary in the terminal names, inside the HTML, with their text, 1000 px wide and small."""
    html = ls.simulate(house(**parts))._repr_html_()
    found = pictures_in(html)
    assert list(found) == pictures
    for data in found.values():
        with Image.open(io.BytesIO(data)) as image:
            assert image.size[0] == 1000
        assert len(data) < 80_000
    assert not re.search(r'(src|href)="(?!data:)', html), "nothing is fetched"


def test_few_colours_are_the_right_ones() -> None:
    """No pixel is another than that of ``plot``, but for shades that no eye tells apart; rare ones too."""
    result = ls.simulate(house())
    shown = pictures_in(result._repr_html_())["concurrency"]
    full_size = result.plot.concurrency()._repr_png_()
    with Image.open(io.BytesIO(shown)) as small, Image.open(io.BytesIO(full_size)) as full:
        difference = np.abs(np.asarray(small.convert("RGB"), dtype=int) - np.asarray(full.convert("RGB"), dtype=int))
    assert difference.max() < 12


def test_what_users_wrote_is_escaped() -> None:
    """A description may hold what HTML reads as its own."""
    html = ls.simulate(house(description="a <b>bold</b> claim & more"))._repr_html_()
    assert "<i>a &lt;b&gt;bold&lt;/b&gt; claim &amp; more</i>" in html
    assert "a <b>bold</b> claim & more" in unescape(html)


def test_an_interrupted_run_says_so_first() -> None:
    """Before any figure."""
    interrupt = Interrupt()
    interrupt.request()
    html = ls.simulate(house(), interrupt=interrupt)._repr_html_()
    assert html.index("Interrupted at 0:00 of simulated time") < html.index("<table>")


def test_a_run_that_was_interrupted_is_measured_to_its_end() -> None:
    """Not by the 20 s that it should have had; a change that was never reached is not told."""
    whole = ls.simulate(house(rows=[0, 2], changes=[{"at": "9s", "region": {"concurrency_quota": 9}}]))
    result = replace(whole, log=replace(whole.log, end_ns=5 * NS_PER_S, is_partial=True))
    assert rows_of(result)["requests"] == ("2", "offered in 5s, 0.4/s on average")
    assert rows_of(result)["peak concurrency"][1].startswith("of a quota of 2; ")


def test_the_guess_comes_before_the_figures() -> None:
    """Right below the heading, as a table of its own; without a guess there is none."""
    assert "Your guess" not in ls.simulate(house())._repr_html_()
    ls.predict(throttled=0)
    html = ls.simulate(house())._repr_html_()
    places = [html.index(part) for part in ("<b>house", "Your guess, and what came out", ">requests</th>", "<img")]
    assert places == sorted(places)
    assert re.search(r">throttled</th><td [^>]*>0</td><td [^>]*>1</td>", html)


def test_dollar_signs_are_no_formula() -> None:
    """The whole of it is out of bounds for MathJax, which else makes a formula between two prices."""
    html = ls.simulate(house())._repr_html_()
    assert html.count("$") > 1
    assert html.startswith('<div class="mathjax_ignore ')
    assert html.endswith("</div>")


def test_as_text_it_is_the_same() -> None:
    """Heading, guess and figures, which are aligned; what stands for it in a list is still one line."""
    ls.predict(throttled=1)
    result = ls.simulate(house(rows=[0, 0, 0]))
    heading, guess, table = str(result).split("\n\n")
    assert heading == "house (seed 3, profile 2026)"
    assert guess == "Your guess, and what came out\nThrottled: you said 1, it was 1. Exactly."
    assert table.splitlines()[:4] == [
        "requests                               3  offered in 20s, 0.15/s on average",
        "completed                              2  66.7%",
        "throttled                              1  33.3%: refused, and no attempt left",
        "refused: account_concurrency           1  33.3% of the attempts: as many requests in flight as the quota"
        " allows",
    ]
    assert repr(result) == "<Result house: 3 requests, 2 completed, 1 throttled>"


def test_environments_that_started_for_somebody_else() -> None:
    """A second request waits for the first one's environment, 0.5 s before its own is there: two starts, one cold."""
    functions = {"f": {"duration": "1s", "init": {"quantiles": {"p0": "500ms", "p100": "500ms"}}}}
    slow = {"f": {"duration": "100ms", "init": "2s"}}
    assert rows_of(ls.simulate(house(functions=functions)))["environments started"][1] == "at most 2 at once"
    # At 0 and at 1.95 s: the environment of the first is there at 2 s, free at 2.1 s, long before that of the second.
    rows = rows_of(ls.simulate(house(functions=slow, rows=[0, 1.95])))
    assert rows["cold starts"][0] == "1"
    remark = "at most 2 at once; who waits takes the first that is free, new or not"
    assert rows["environments started"] == ("2", remark)


def test_p99_where_there_are_a_hundred() -> None:
    """Of fewer it is the longest latency, which is what it is called then."""
    many = rows_of(ls.simulate(house(rows=range(0, 200, 2), duration="4m")))
    assert many["p99 latency"] == ("1s", "the longest 1.5s")
    assert "longest latency" not in many
    assert "p99 latency" not in rows_of(ls.simulate(house(rows=range(0, 198, 2), duration="4m")))


def test_outcomes_have_the_names_of_comparisons_and_a_meaning() -> None:
    """One caller stops waiting, and one request is under way when the run ends."""
    rows = rows_of(ls.simulate(house(rows=[0, 10], client={"timeout": "1200ms"})))
    assert rows["caller gave up waiting"] == ("1", "50.0%: no answer came in time")
    slow = {"f": {"duration": "1m", "init": "500ms", "timeout": "2m"}}
    rows = rows_of(ls.simulate(house(rows=[0], functions=slow, duration="10s", drain="1s")))
    assert rows["in flight at the end"] == ("1", "100%: a longer drain shows what becomes of them")
    broken = {"f": {"duration": "1s", "init": "500ms", "errors": {"rate": "100%"}}}
    assert rows_of(ls.simulate(house(rows=[0], functions=broken)))["failed"] == (
        "1",
        "100%: an error or a timeout of the function",
    )


def test_a_reservation_is_the_limit_of_the_only_function() -> None:
    """Not the quota, which nobody else uses."""
    reserved = house(functions={"f": {"duration": "1s", "reserved_concurrency": 2}}, region={"concurrency_quota": 200})
    rows = rows_of(ls.simulate(reserved))
    assert rows["peak concurrency"][1].startswith("of 2 reserved; ")


def test_dropped_events_say_why() -> None:
    """One event that fails whenever it is tried, with no retry left."""
    broken = {"f": {"duration": "1s", "errors": {"rate": "100%"}, "async": {"maximum_retry_attempts": 0}}}
    traffic = {"t": {"function": "f", "invoke": "async", "rate": "1/s", "arrivals": "uniform"}}
    rows = rows_of(ls.simulate(house(functions=broken, traffic=traffic, duration="1s")))
    assert rows["dropped"] == ("1", "100%")
    meaning = "events that failed in their last try (RetriesExhausted)"
    assert rows["dropped: retries_exhausted"] == ("1", meaning)


@pytest.mark.filterwarnings(r"ignore:queues\.jobs:lambdasim.ScenarioWarning")
def test_dead_letters_say_how_many_met_no_code() -> None:
    """Of three messages one is tried for 10 s, and fails; the others are received, and throttled for 10 s each."""
    rows = rows_of(ls.simulate(house(**DEAD_LETTERS)))
    assert rows["dead-lettered, jobs"] == ("3", "2 of them without any execution")
    assert "dropped: dead_lettered" not in " ".join(rows)
