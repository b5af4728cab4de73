"""The bar of a notebook, and Interrupt: the run ends with what there is, and the kernel goes on."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import lambdasim as ls
from lambdasim.engine.base import Interrupt
from lambdasim.notebook import progress
from lambdasim.notebook.progress import Bar, bar_html, in_notebook, watched
from lambdasim.units import NS_PER_S
from tests.notebook.house import house

pytest.importorskip("ipykernel", reason="the notebook extra is not installed")
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel

ROOT = Path(__file__).parents[2]


class Clock:
    """Real time that a test sets."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_bar_appears_after_a_second_and_goes_away() -> None:
    """Not before; then at most four times a second; in the end nothing is left."""
    shown: list[str] = []
    clock = Clock()
    bar = Bar("spike", 60 * NS_PER_S, shown.append, clock)
    for now_s, calls in ((100.9, 0), (101.0, 1), (101.2, 1), (101.25, 2), (101.3, 2), (105, 3)):
        clock.now_s = now_s
        bar.on_progress(30 * NS_PER_S, 1_000)
        assert len(shown) == calls, now_s
    bar.close()
    assert shown[-1] == ""


def test_a_short_run_shows_nothing() -> None:
    """Not even an empty place."""
    shown: list[str] = []
    bar = Bar("spike", 60 * NS_PER_S, shown.append, Clock())
    bar.on_progress(30 * NS_PER_S, 1_000)
    bar.close()
    assert shown == []


def test_what_the_bar_says() -> None:
    """A quarter in 2 s leaves 6 s; past the end of the traffic the bar is full; names are escaped."""
    html = bar_html("a<b", 15 * NS_PER_S, 60 * NS_PER_S, 1_000, 2.0)
    assert 'value="0.2500"' in html
    assert "a&lt;b: 0:15 of 1:00 simulated, 1,000 requests, about 6s left" in html
    assert 'value="1.0000"' in bar_html("a", 90 * NS_PER_S, 60 * NS_PER_S, 1, 2.0)
    assert "left" not in bar_html("a", 0, 60 * NS_PER_S, 1, 2.0)


def test_outside_of_notebooks_nothing_is_watched() -> None:
    """A script keeps its own Ctrl-C."""
    assert not in_notebook()
    with watched("a", NS_PER_S) as (on_progress, interrupt):
        assert (on_progress, interrupt) == (None, None)


def test_every_kind_of_run_shows_a_bar_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs, variants and levels, each with its name; and each bar goes away."""
    shown: list[str] = []
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    monkeypatch.setattr(progress, "html_display", lambda: shown.append)
    monkeypatch.setattr(progress, "_PATIENCE_S", 0.0)
    ls.simulate(house())
    ls.compare({"a": {}}, scenario=house())
    ls.frontier(house(), levels=[0, 1])
    names = [html.split("</progress> ")[1].split(":")[0] for html in shown if html]
    assert list(dict.fromkeys(names)) == ["house", "house, a", "house, 0 provisioned", "house, 1 provisioned"]
    assert shown.count("") == 4


def test_what_the_caller_has_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in a notebook: whoever brings an interrupt has plans for it."""
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    own = Interrupt()
    with watched("a", NS_PER_S, None, own) as (on_progress, interrupt):
        assert on_progress is None
        assert interrupt is own


def test_other_threads_get_no_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python lets only the main thread have handlers; a run in another one goes on unwatched."""
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    seen: list[Any] = []

    def run() -> None:
        with watched("a", NS_PER_S) as pair:
            seen.append(pair)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [(None, None)]


def test_importing_lambdasim_loads_nothing_of_notebooks() -> None:
    """In a fresh interpreter."""
    code = "import sys, lambdasim; print([name for name in ('pandas', 'ipywidgets', 'IPython') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# Half a minute of simulation, little of it in the first two seconds.
SETUP = """
import lambdasim as ls
scenario = {
    "duration": "30h", "seed": 1,
    "functions": {"api": {"duration": "50ms", "init": "200ms"}},
    "traffic": {"web": {"function": "api", "rate": "50/s"}},
}
"""


def wait_for(client: BlockingKernelClient, kind: str) -> dict[str, Any]:
    """The content of the next message of a kind that the kernel publishes; an error of a cell fails the test."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        message = client.get_iopub_msg(timeout=60)
        assert message["msg_type"] != "error" or kind == "error", message["content"]
        if message["msg_type"] == kind:
            content: dict[str, Any] = message["content"]
            return content
    raise AssertionError(f"no {kind}")


def run_cell(client: BlockingKernelClient, code: str) -> None:
    """Runs a cell to its end."""
    reply = client.execute_interactive(code, timeout=60, output_hook=lambda _: None)
    assert reply["content"]["status"] == "ok", reply["content"]


def test_interrupt_in_a_real_kernel() -> None:
    """The bar appears; Interrupt ends the run; the result is partial; the next cell runs."""
    manager: KernelManager
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(ROOT))
    try:
        run_cell(client, SETUP)
        client.execute(
            "result = ls.simulate(scenario)\nprint('partial', result.log.is_partial, len(result.requests) > 0)"
        )
        bar = wait_for(client, "display_data")
        assert "<progress" in bar["data"]["text/html"]
        assert "of 30:00:00 simulated" in bar["data"]["text/html"]
        manager.interrupt_kernel()
        html = ""
        while True:
            message = client.get_iopub_msg(timeout=60)
            assert message["msg_type"] != "error", message["content"]
            if message["msg_type"] == "update_display_data":
                html = message["content"]["data"]["text/html"]
            if message["msg_type"] == "stream":
                assert message["content"]["text"] == "partial True True\n"
                break
        assert html == "", "the bar is gone"
        run_cell(client, "assert ls.simulate(scenario, set={'duration': '1s'}).log.is_partial is False")
        # A comparison that is interrupted keeps what it has, and again the kernel goes on.
        client.execute("ls.compare({'short': {'duration': '1s'}, 'long': {}}, scenario=scenario)")
        wait_for(client, "display_data")
        manager.interrupt_kernel()
        shown = wait_for(client, "execute_result")["data"]["text/html"]
        assert "1 variant" in shown
        assert "interrupted, the rest is missing" in shown
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
