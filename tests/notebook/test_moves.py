"""Moves of a hand, in a real kernel: as messages from a browser, in the kernel's main shell and in a subshell.

JupyterLab sends those of widgets to a subshell, which is another thread, as soon as a kernel has any.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import pytest

pytest.importorskip("ipykernel", reason="the notebook extra is not installed")
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel

from lambdasim.notebook.moves import Moves

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60

# A run takes about half a second; those with a quota of 900 take 50 times as long. ``runs`` has the quota of each.
SETUP = """
import threading, time
import lambdasim as ls
from lambdasim.notebook import explorer as module
QUOTA = "region.concurrency_quota"
explorer = ls.explore(
    {"name": "moved", "duration": "20s", "seed": 3, "functions": {"f": {"duration": "1s", "init": "500ms"}},
     "traffic": {"t": {"function": "f", "rate": "200/s"}}, "region": {"concurrency_quota": 300}},
    {QUOTA: (200, 1000, 10)},
)
runs, threads, usual = [], [], module.simulate_scenario
def noted(scenario, **how):
    quota = scenario.region.concurrency_quota
    runs.append(quota)
    threads.append(threading.current_thread() is threading.main_thread())
    time.sleep(0.4)
    return usual(scenario.replace({"traffic.t.rate": "100000/s"}) if quota == 900 else scenario, **how)
module.simulate_scenario = noted
slider = explorer.controls[QUOTA]
print(slider.model_id)
"""


class Kernel:
    """A kernel, a cell at a time, and a browser's messages to one slider."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager, self._client = manager, client
        self._slider = self.run(SETUP).strip()
        self.subshell: str | None = None

    def run(self, code: str) -> str:
        """What a cell prints, or the name of its error."""
        cell = self._client.execute(code)
        printed = ""
        while True:
            message = self._client.get_iopub_msg(timeout=PATIENCE_S)
            if message["parent_header"].get("msg_id") != cell:
                continue
            content = message["content"]
            printed += content.get("text", "") + content.get("ename", "")
            if content.get("execution_state") == "idle":
                return printed

    def value(self, code: str) -> Any:
        """Something of the kernel that JSON can hold."""
        return json.loads(self.run(f"import json; print(json.dumps({code}))"))

    def wait(self, code: str) -> None:
        """Until something is true, which it must be some time."""
        end = time.monotonic() + PATIENCE_S
        while not self.value(code):
            assert time.monotonic() < end, f"{code} never became true"
            time.sleep(0.1)

    def move(self, quota: int) -> None:
        """As the browser says that the slider was moved."""
        data = {"method": "update", "state": {"value": quota}, "buffer_paths": []}
        message = self._client.session.msg("comm_msg", {"comm_id": self._slider, "data": data})
        message["header"]["subshell_id"] = self.subshell
        self._client.shell_channel.send(message)

    def open_subshell(self) -> None:
        """From now on moves go there."""
        request = self._client.session.msg("create_subshell_request")
        self._client.control_channel.send(request)
        while True:
            reply = self._client.get_control_msg(timeout=PATIENCE_S)
            if reply["parent_header"].get("msg_id") == request["header"]["msg_id"]:
                self.subshell = reply["content"]["subshell_id"]
                return

    def said(self, what: str) -> None:
        """Until the browser was told so, as a part of the state of a widget."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                message = self._client.get_iopub_msg(timeout=1)
            except Empty:
                continue
            if what in str(message["content"].get("data", {}).get("state", {}).get("value", "")):
                return
        raise AssertionError(f"nobody said {what}")


@pytest.fixture(scope="module", params=["main shell", "subshell"])
def kernel(request: pytest.FixtureRequest) -> Iterator[Kernel]:
    """With an explorer."""
    manager: KernelManager
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(ROOT))
    try:
        made = Kernel(manager, client)
        if request.param == "subshell":
            if "kernel subshells" not in made._client.kernel_info(reply=True)["content"].get("supported_features", []):
                pytest.skip("this kernel has no subshells")
            made.open_subshell()
        yield made
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_of_many_moves_the_last_counts(kernel: Kernel) -> None:
    """Those that come while a run goes on become one run after it, in the thread that can be interrupted."""
    kernel.run("runs.clear(); threads.clear()")
    for quota in (310, 320, 330, 340, 350):
        kernel.move(quota)
        time.sleep(0.09)  # longer than the moment in which a move waits for the next one
    kernel.wait("explorer.settings[QUOTA] == 350")
    assert kernel.value("[runs[0] in (310, 320), runs[-1], len(runs) <= 3, all(threads)]") == [True, 350, True, True]


def test_a_program_waits_for_its_run(kernel: Kernel) -> None:
    """It is done in the next line."""
    assert kernel.value("[setattr(slider, 'value', 500), explorer.settings[QUOTA]]") == [None, 500]


def test_interrupt_goes_back(kernel: Kernel) -> None:
    """The kernel survives, the page is that of the last run, and so is the slider."""
    kernel.run("slider.value = 400; picture, table = explorer.image.value, explorer.table.value")
    kernel.move(900)
    kernel.said("Simulating: 0:")
    kernel.manager.interrupt_kernel()
    kernel.said("Interrupted. The sliders are back at what the picture and the table show.")
    assert kernel.value("[slider.value, explorer.settings[QUOTA]]") == [400, 400]
    assert kernel.value("[explorer.image.value == picture, explorer.table.value == table]") == [True, True]
    kernel.move(410)
    kernel.wait("explorer.settings[QUOTA] == 410")


def test_interrupt_ends_a_cell_that_moves_sliders(kernel: Kernel) -> None:
    """The lines behind it are not run."""
    kernel.run("slider.value = 400; ended = False")
    cell = kernel._client.execute("slider.value = 900; ended = True")
    kernel.said("Simulating: 0:")
    kernel.manager.interrupt_kernel()
    reply = kernel._client.get_shell_msg(timeout=PATIENCE_S)
    while reply["parent_header"].get("msg_id") != cell:
        reply = kernel._client.get_shell_msg(timeout=PATIENCE_S)
    assert reply["content"]["ename"] == "RunInterrupted"
    assert kernel.value("[ended, slider.value]") == [False, 400]


def test_reset_by_hand_is_a_move(kernel: Kernel) -> None:
    """Back at 300, in the same way."""
    kernel.run("slider.value = 700; threads.clear()")
    model = kernel.run("print(explorer.reset_button.model_id)").strip()
    message = kernel._client.session.msg(
        "comm_msg", {"comm_id": model, "data": {"method": "custom", "content": {"event": "click"}}}
    )
    message["header"]["subshell_id"] = kernel.subshell
    kernel._client.shell_channel.send(message)
    kernel.wait("explorer.settings[QUOTA] == 300")
    assert kernel.value("threads") == [True]


def test_without_a_kernel_every_move_is_run_at_once() -> None:
    """In a script, and in tests."""
    runs: list[bool] = []
    moves = Moves(runs.append)
    moves.request()
    moves.request()
    assert runs == [False, False]
