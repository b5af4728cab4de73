"""In real JupyterLab, in headless Chromium: open lesson 3, run all, move a slider, play the film; look for formulas.

Chromium is driven by its DevTools protocol over a web socket, for which what comes with Jupyter is enough. Without a
browser, or without JupyterLab, the test is skipped. Screenshots are written to the folder in LAMBDASIM_SCREENSHOTS, if
that is set.
"""

from __future__ import annotations

import base64
import contextlib
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
MISSING = [
    *([] if BROWSER else ["a Chromium browser"]),
    *(name for name in ("jupyterlab", "ipywidgets", "websocket") if importlib.util.find_spec(name) is None),
]
PATIENCE_S = 120

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"needs {' and '.join(MISSING)}, not installed here")

ROOT = Path(__file__).parents[2]
LESSON = "03-a-spike.ipynb"

# Each shows two prices, the first one as no object of lambdasim's does; the last one fails.
MONEY = "prices.ipynb"
CELLS_WITH_PRICES = (
    "from IPython.display import HTML\nHTML('<p>$1 a month instead of $2</p>')",
    """import lambdasim as ls
scenario = {
    "duration": "10s", "seed": 1, "description": "$1 instead of $2",
    "functions": {"api": {"duration": "50ms", "init": "200ms"}}, "slo": {"cold": "1%"},
    "traffic": {"web": {"function": "api", "rate": "5/s"}},
}
ls.predict(cost="$5", throttled=0)""",
    "ls.simulate(scenario)",
    "ls.compare({'$1': {}, '$2': {'functions.api.memory': '4096MB'}}, scenario=scenario)",
    "ls.frontier(scenario, levels=[0, 5])",
    "ls.simulate(scenario, set={'x': 1})",
)

# All cells are on the page, also those out of sight; nobody asks about news.
SETTINGS = {
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}


def notebook_of(sources: Sequence[str]) -> str:
    """A notebook with these cells, none of which was run."""
    cells = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "metadata": {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for number, source in enumerate(sources)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5})


class Page:
    """A page of a browser: runs JavaScript in it, and takes its picture."""

    def __init__(self, address: str) -> None:
        from websocket import create_connection

        self._socket = create_connection(address, timeout=PATIENCE_S, suppress_origin=True)
        self._number = 0

    def call(self, method: str, **parameters: Any) -> Any:
        """The answer to a command of the DevTools protocol."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == self._number:
                return answer.get("result", answer)

    def value(self, script: str) -> Any:
        """What a script comes to."""
        return self.call("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def wait(self, script: str, what: str) -> Any:
        """The first value of a script that is true."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            value = self.value(script)
            if value:
                return value
            time.sleep(0.2)
        self.keep("failed")
        raise AssertionError(f"there was no {what} after {PATIENCE_S} s")

    def click(self, element: str) -> None:
        """The mouse, in the middle of an element."""
        spot = self.value(
            f"(r => ({{x: r.x + r.width / 2, y: r.y + r.height / 2}}))({element}.getBoundingClientRect())"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **spot)

    def press(self, key: str, code: int) -> None:
        """A key, on whatever has the focus."""
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def keep(self, name: str) -> None:
        """A screenshot, where somebody asked for them."""
        if folder := os.environ.get("LAMBDASIM_SCREENSHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            shot = self.call("Page.captureScreenshot", format="png")["data"]
            (Path(folder) / f"{name}.png").write_bytes(base64.b64decode(shot))

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def answers(address: str) -> Any:
    """The JSON at an address, as soon as somebody answers there."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return json.load(answer)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.3)


@contextlib.contextmanager
def running(command: list[str], log: Path, **how: Any) -> Iterator[None]:
    """A program, until the block ends."""
    with log.open("wb") as output:
        program = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, **how)
        try:
            yield
        finally:
            program.terminate()
            try:
                program.wait(20)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()


@pytest.fixture
def page(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Page]:
    """JupyterLab with a copy of the lessons, one of them open in a browser; both are ended afterwards."""
    for folder in ("notebooks", "scenarios"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "notebooks" / MONEY).write_text(notebook_of(CELLS_WITH_PRICES), "utf-8")
    opened_file = getattr(request, "param", LESSON)
    for name, settings in SETTINGS.items():
        file = tmp_path / "settings" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings), "utf-8")
    jupyter, devtools = free_port(), free_port()
    home = {name: str(tmp_path / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")}
    lab = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"]
    lab += [f"--ServerApp.port={jupyter}", "--IdentityProvider.token=", f"--ServerApp.root_dir={tmp_path}"]
    assert BROWSER
    chromium = [BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    chromium += [f"--remote-debugging-port={devtools}", f"--user-data-dir={tmp_path / 'profile'}"]
    chromium += ["--window-size=1400,1500", "--no-first-run", "about:blank"]
    home |= {"JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "settings"), "PYTHONPATH": str(ROOT)}
    with (
        running(lab, tmp_path / "lab.log", env=os.environ | home, cwd=tmp_path),
        running(chromium, tmp_path / "chromium.log"),
    ):
        answers(f"http://127.0.0.1:{jupyter}/api")
        answers(f"http://127.0.0.1:{devtools}/json/version")
        (found, *_) = [tab for tab in answers(f"http://127.0.0.1:{devtools}/json") if tab["type"] == "page"]
        opened = Page(found["webSocketDebuggerUrl"])
        opened.call("Page.enable")
        opened.call("Page.navigate", url=f"http://127.0.0.1:{jupyter}/lab/tree/notebooks/{opened_file}?reset")
        yield opened
        opened.close()


# What is on the page: the picture of the explorer, its slider, and the player of the animation.
PICTURE = "(document.querySelector('.jupyter-widgets img') || {}).src"
HANDLE = "document.querySelector('.widget-slider .noUi-handle')"
FILM = "document.querySelector('div[id^=\"lambdasim-\"]')"
IDLE = "!!document.querySelector('.jp-Notebook-ExecutionIndicator[data-status=idle]')"


def run_all(page: Page) -> None:
    """The button with the two arrows."""
    page.wait("document.querySelectorAll('.jp-CodeCell').length > 3", "notebook")
    page.wait(IDLE, "kernel that is idle")
    button = "document.querySelector('[data-jp-item-name=restart-and-run] jp-button')"
    page.wait(f"!!{button}", "button that runs everything")
    page.click(button)
    accept = "document.querySelector('.jp-Dialog .jp-mod-warn, .jp-Dialog .jp-mod-accept')"
    page.wait(f"!!{accept}", "question whether to restart")
    page.click(accept)


def test_lesson_3_in_jupyterlab(page: Page) -> None:
    """The picture changes when the slider moves, and the film plays."""
    run_all(page)
    # The film is the last cell with an output.
    page.wait(f"!!{FILM} && {IDLE}", "film")
    assert page.value("document.querySelectorAll('.jp-RenderedText[data-mime-type*=stderr]').length") == 0

    page.value(f"{HANDLE}.scrollIntoView({{block: 'center'}})")
    page.wait("document.body.innerText.includes('Simulated in')", "sentence after the simulation")
    first = page.wait(PICTURE, "picture of the explorer")
    page.keep("explorer")
    page.value(f"{HANDLE}.focus()")
    for _ in range(4):  # from 1,000 to 600, in steps of 100
        page.press("ArrowLeft", 37)
    assert page.value(f"{HANDLE}.getAttribute('aria-valuenow')") == "600.0"
    page.wait(f"{PICTURE} !== {json.dumps(first)} && {IDLE}", "other picture after the slider moved")
    # Peak concurrency is the quota now, in the row of what is and in the legend of the picture.
    page.wait("[...document.querySelectorAll('td')].some(cell => cell.innerText === '600')", "figures of that quota")
    page.keep("explorer-moved")

    shown = f"{FILM}.querySelector('img').src"
    page.value(f"{FILM}.scrollIntoView()")
    page.click(f"{FILM}.querySelector('button')")
    last = page.value(f"{FILM}.querySelector('input').max")
    page.wait(f"{FILM}.querySelector('input').value === '{last}'", "last frame")
    page.wait(f"{FILM}.querySelector('button').innerText.includes('Play')", "end of the film")
    picture = page.value(shown)
    page.keep("film")
    page.click(f"{FILM}.querySelectorAll('button')[1]")
    assert page.value(shown) != picture
    assert page.value(f"{FILM}.querySelector('input').value") == str(int(last) - 1)


FORMULAS = "[...document.querySelectorAll('.jp-CodeCell')].map(cell => cell.querySelectorAll('mjx-container').length)"


@pytest.mark.parametrize("page", [MONEY], indirect=True)
def test_prices_are_no_formulas(page: Page) -> None:
    """What stands between two dollar signs becomes one, in the cell that is not ours, and in none of ours."""
    run_all(page)
    page.wait("document.body.innerText.includes('is not a known key')", "error of the last cell")
    page.wait("document.querySelectorAll('mjx-container').length > 0", "formula")
    page.keep("prices")
    assert page.value(FORMULAS) == [1, *[0] * (len(CELLS_WITH_PRICES) - 1)]
    # The error is one line, without the frames that led to it.
    lines = page.value(
        "document.querySelector('.jp-RenderedText[data-mime-type*=stderr],[data-mime-type*=error]').innerText"
    )
    assert lines.strip().count("\n") == 0
