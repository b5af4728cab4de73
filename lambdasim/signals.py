"""Ctrl-C, and Interrupt in a notebook, end a run with what there is; a second one ends whatever is going on."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from lambdasim.engine.base import Interrupt


@contextmanager
def interruptible() -> Iterator[Interrupt]:
    """While it lasts, the first interrupt ends the run at the current instant; a second one raises KeyboardInterrupt.

    Only the main thread gets signals: call it there.
    """
    interrupt = Interrupt()

    def on_signal(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        interrupt.request()

    previous = signal.signal(signal.SIGINT, on_signal)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, previous)
