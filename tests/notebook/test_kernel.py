"""In a real kernel, as JupyterLab has it: Interrupt, errors and warnings, each of them one line."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ipykernel", reason="the notebook extra is not installed")
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel

ROOT = Path(__file__).parents[2]

# Half a minute of simulation, little of it in the first two seconds.
SETUP = """
import time
import warnings
import lambdasim as ls
scenario = {
    "duration": "30h", "seed": 1,
    "functions": {"api": {"duration": "50ms", "init": "200ms"}},
    "traffic": {"web": {"function": "api", "rate": "50/s"}},
}
short = {"duration": "1s"}
"""
PATIENCE_S = 60

Message = dict[str, Any]


class Notebook:
    """A kernel and what it publishes."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self._manager, self._client = manager, client

    def send(self, code: str) -> str:
        """Queues a cell, and returns the id of its request."""
        return str(self._client.execute(code))

    def interrupt(self) -> None:
        """What the button with the square does."""
        self._manager.interrupt_kernel()

    def wait_for_bar(self) -> Message:
        """The first bar of a run."""
        data: Message = self.wait(lambda message: message["msg_type"] == "display_data")["content"]["data"]
        return data

    def outputs(self, cell: str) -> list[Message]:
        """All that a cell still publishes, until it is done: types and contents."""
        found: list[Message] = []

        def is_done(message: Message) -> bool:
            if message["parent_header"].get("msg_id") != cell:
                return False
            found.append({"type": message["msg_type"], **message["content"]})
            return message["msg_type"] == "status" and message["content"]["execution_state"] == "idle"

        self.wait(is_done)
        return [output for output in found if output["type"] not in ("status", "execute_input")]

    def run(self, code: str) -> list[Message]:
        """What a cell shows, from its beginning to its end."""
        return self.outputs(self.send(code))

    def status(self, cell: str) -> str:
        """``ok``, ``error`` or ``aborted``."""
        while True:
            reply = self._client.get_shell_msg(timeout=PATIENCE_S)
            if reply["parent_header"].get("msg_id") == cell:
                return str(reply["content"]["status"])

    def wait(self, is_it: Callable[[Message], bool]) -> Message:
        """The next message for which something holds."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            message: Message = self._client.get_iopub_msg(timeout=PATIENCE_S)
            if is_it(message):
                return message
        raise AssertionError("it never came")


@pytest.fixture(scope="module")
def notebook() -> Iterator[Notebook]:
    """With lambdasim imported, in the root of the project."""
    manager: KernelManager
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(ROOT))
    try:
        opened = Notebook(manager, client)
        assert opened.run(SETUP) == []
        yield opened
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def error_of(outputs: list[Message]) -> Message:
    """The one error among outputs."""
    (error,) = [output for output in outputs if output["type"] == "error"]
    return error


def stderr_of(outputs: list[Message]) -> str:
    """What went to stderr."""
    return "".join(output["text"] for output in outputs if output["type"] == "stream" and output["name"] == "stderr")


KEPT = "What there is until then: ls.last_interrupted()"


def test_interrupt_ends_the_cell_and_those_behind_it(notebook: Notebook) -> None:
    """The bar goes, one line says where it was, and Run All stops; the part of the run is there for the next cell."""
    cell = notebook.send("for _ in range(3):\n    result = ls.simulate(scenario)")
    behind = notebook.send("print('went on')")
    bar = notebook.wait_for_bar()
    assert "<progress" in bar["text/html"]
    assert "of 30:00:00 simulated" in bar["text/html"]
    assert bar["text/plain"] == ""
    notebook.interrupt()
    outputs = notebook.outputs(cell)
    updates = [output["data"] for output in outputs if output["type"] == "update_display_data"]
    assert updates[-1] == {"text/html": "", "text/plain": ""}, "the bar is gone"
    (line,) = error_of(outputs)["traceback"]
    assert line.startswith("Interrupted at ")
    assert line.endswith(f" of 30:00:00 simulated. {KEPT}")
    assert error_of(outputs)["ename"] == "RunInterrupted"
    assert notebook.status(cell) == "error"
    assert notebook.status(behind) == "aborted"
    assert notebook.run("part = ls.last_interrupted()\nassert part.log.is_partial and len(part.requests)") == []
    assert notebook.run("assert not ls.simulate(scenario, set=short).log.is_partial") == []


def test_interrupt_keeps_what_a_comparison_has(notebook: Notebook) -> None:
    """The variant that had come to its end."""
    cell = notebook.send("ls.compare({'short': short, 'long': {}}, scenario=scenario)")
    notebook.wait_for_bar()
    notebook.interrupt()
    assert error_of(notebook.outputs(cell))["traceback"] == [f"Interrupted after 1 of 2 variants. {KEPT}"]
    (shown,) = notebook.run("ls.last_interrupted()")
    assert "interrupted, the rest is missing" in shown["data"]["text/html"]


def test_after_a_run_interrupts_go_where_they_went(notebook: Notebook) -> None:
    """Whatever is under way, Python ends it."""
    notebook.run("ls.simulate(scenario, set=short)")
    cell = notebook.send("print('asleep', flush=True)\ntime.sleep(60)")
    notebook.wait(lambda message: message["content"].get("text") == "asleep\n")
    notebook.interrupt()
    assert error_of(notebook.outputs(cell))["ename"] == "KeyboardInterrupt"


def test_a_second_interrupt_works_at_once(notebook: Notebook) -> None:
    """Here the run does not heed the first one at all."""
    notebook.run("from lambdasim.engine.base import Interrupt\nheed, Interrupt.request = Interrupt.request, print")
    cell = notebook.send("ls.simulate(scenario)")
    notebook.wait_for_bar()
    notebook.interrupt()
    notebook.wait(lambda message: message["msg_type"] == "stream")
    notebook.interrupt()
    assert error_of(notebook.outputs(cell))["ename"] == "KeyboardInterrupt"
    assert notebook.run("Interrupt.request = heed") == []


@pytest.mark.parametrize(
    ("code", "line"),
    [
        (
            "ls.simulate(scenario, set={'functions.api.idle_timeout': 3})",
            "ScenarioError: set functions.api.idle_timeout: must be a time with its unit, got 3 (write 3s or 3ms)",
        ),
        (
            "ls.predict(cold_starts='B')",
            "UsageError: cold_starts: must be a whole number of at least 0, got B"
            " (write the number of the answer, not its letter)",
        ),
        ("ls.load('nowhere.yaml')", "ScenarioError: nowhere.yaml: must be a file that exists"),
    ],
)
def test_an_error_of_the_users_is_one_line(notebook: Notebook, code: str, line: str) -> None:
    """Not forty, of which the last one says what is wrong."""
    assert error_of(notebook.run(code))["traceback"] == [line]


def test_a_warning_is_one_line_at_every_run(notebook: Notebook) -> None:
    """Without a path of Python's; and whoever wants none, has none."""
    code = "_ = ls.load({**scenario, 'functions': {**scenario['functions'], 'b': {'duration': '1s', 'init': '1s'}}})"
    for _ in range(2):
        assert stderr_of(notebook.run(code)) == "warning: functions.b: has no traffic\n"
    ignored = f"with warnings.catch_warnings():\n    warnings.simplefilter('ignore')\n    {code}"
    assert notebook.run(ignored) == []
    kept = f"with warnings.catch_warnings(record=True) as caught:\n    {code}\nassert len(caught) == 1"
    assert notebook.run(kept) == []
