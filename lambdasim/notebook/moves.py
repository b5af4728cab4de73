"""When the move of a slider is run: at once for a program, a moment later for a hand.

Who holds an arrow key, or moves on while a run goes on, sends many moves. Each waits for a moment, and a newer one
takes its place. They are run by the kernel's main thread, in which cells run and which Interrupt ends: JupyterLab hands
messages of widgets to another thread (its setting "Kernel Comms over subshells", read 2026-11), and two runs at a time
would draw into each other's picture.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

_MOMENT_S = 0.05


class Moves:
    """Runs moves. ``run`` is told whether a hand in a browser made it."""

    def __init__(self, run: Callable[[bool], None]) -> None:
        self._run = run
        self._waiting: Any = None

    def request(self) -> None:
        """Run at once where a program asks for it, else when no other move has come for a moment."""
        loop = _loop_of_hand()
        if loop is None:
            self._run(False)
        else:
            loop.add_callback(self._wait, loop)

    def _wait(self, loop: Any) -> None:
        if self._waiting is not None:
            loop.remove_timeout(self._waiting)
        self._waiting = loop.call_later(_MOMENT_S, self._go)

    def _go(self) -> None:
        self._waiting = None
        self._run(True)


def _loop_of_hand() -> Any:
    """The loop of the kernel's main thread if a message from a browser is being handled; None for a program."""
    ipython = sys.modules.get("IPython")
    shell: Any = None if ipython is None else ipython.get_ipython()
    kernel = getattr(shell, "kernel", None)
    loop = getattr(kernel, "io_loop", None)
    if kernel is None or loop is None:
        return None
    is_message = kernel.get_parent().get("header", {}).get("msg_type") == "comm_msg"
    return loop if is_message or threading.current_thread() is not threading.main_thread() else None
