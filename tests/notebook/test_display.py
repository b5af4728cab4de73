"""What a result shows of itself in a notebook: figures, two pictures, the guess."""

from __future__ import annotations

import base64
import io
import re
from html import unescape
from typing import Any

import numpy as np
import pytest
from PIL import Image

import lambdasim as ls
from lambdasim.engine.base import Interrupt
from lambdasim.notebook.display import result_rows
from lambdasim.notebook.prediction import take_prediction
from tests.notebook.house import house

CAPACITY = {"f": {"duration": "1s", "init": "500ms", "provisioned_concurrency": 1}}
QUEUE: dict[str, Any] = {
    "functions": {"f": {"timeout": "3s"}},
    "queues": {"jobs": {"event_source_mapping": {"function": "f", "batch_size": 1}}},
    "traffic": {"t": {"queue": "jobs", "invoke": "sqs", "rate": "1/s", "arrivals": "uniform"}},
    "region": {"concurrency_quota": 100},
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
        "latency p50",
        "latency p99",
        "peak concurrency",
        "cost",
    ]
    assert rows["requests"] == ("4", "offered in 20s, 0.2/s on average")
    assert rows["completed"] == ("3", "75.0%")
    assert rows["throttled"] == ("1", "25.0%")
    assert rows["refused: account_concurrency"] == (
        "1",
        "25.0% of the attempts: as many requests in flight as the unreserved part of the quota allows",
    )
    assert rows["cold starts"] == ("2", "66.7% of the invocations")
    assert rows["latency p50"] == ("1.5s", "of the completed requests")
    assert rows["latency p99"] == ("1.5s", "the longest 1.5s")
    assert rows["peak concurrency"] == ("2", "of a quota of 2; 0.2 on average")
    assert rows["cost"][0] == "$0.0000673"


def test_more_where_there_is_more() -> None:
    """A promise, a quota that changes, provisioned concurrency, dead letters."""
    changed = house(changes=[{"at": "5s", "region": {"concurrency_quota": 9}}], slo={"p99": "1s"})
    rows = rows_of(ls.simulate(changed))
    assert rows["peak concurrency"][1] == "of a quota of 2, then 9; 0.2 on average"
    assert rows["promised p99"] == ("1.5s", "missed: at most 1s")
    # The one unit takes a request at 0 and that at 10 s, 2 of 20 s; the other at 0 runs on demand, the third is refused
    kept = rows_of(ls.simulate(house(functions=CAPACITY)))
    assert kept["provisioned"] == ("1", "busy 10.0% of the time")
    assert kept["spilled over"] == ("1", "invocations that ran on demand all the same")


def test_nothing_to_tell_is_told() -> None:
    """A scenario without a request has a table and two pictures."""
    result = ls.simulate(house(rows=[]))
    assert rows_of(result)["requests"][0] == "0"
    assert "latency p99" not in rows_of(result)
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


def test_the_guess_comes_last() -> None:
    """After the pictures, as a table of its own; without a guess there is none."""
    take_prediction()
    ls.predict(throttled=0)
    html = ls.simulate(house())._repr_html_()
    assert html.index("Your guess, and what came out") > html.rindex("<img")
    assert "<td>0</td><td>1</td>" in html
    assert "Your guess" not in ls.simulate(house())._repr_html_()


def test_the_text_is_still_one_line() -> None:
    """Terminals show what they did."""
    assert repr(ls.simulate(house())) == "<Result house: 4 requests, 3 completed, 1 throttled>"
