"""A run as an animation: which part of it, how long the film is, and the film as HTML that needs no network.

What a frame shows is drawn by ``report.pictures.scene``. The player below is HTML with the frames inside it: buttons of
matplotlib's own come from the internet, and its frames are several times larger.
"""

from __future__ import annotations

import html
import io
import json
import os
import uuid
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lambdasim.errors import RuleViolation, UsageError
from lambdasim.metrics.run import Run
from lambdasim.report.whole_file import write_whole
from lambdasim.units import NS_PER_S, format_duration, parse_duration

if TYPE_CHECKING:
    from matplotlib.animation import FuncAnimation
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lambdasim.report.pictures.film import Film
    from lambdasim.report.pictures.scene import Scene

# More frames than this would make a file of tens of megabytes, and minutes to wait for it.
MOST_FRAMES = 1_800

# Shades of each ink of a frame, from itself to white: enough for the edges of letters, and a third of the bytes.
_SHADES = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class AnimationHtml:
    """A film with its player. Shows itself as the last line of a notebook cell; ``save`` writes a page of its own."""

    frames: tuple[bytes, ...]  # PNG
    times: tuple[str, ...]  # the time of the run at each frame, in words
    poster: int  # the frame to show before anybody presses play
    fps: float
    width: int
    alt: str

    def __len__(self) -> int:
        return len(self.frames)

    def text(self, name: str) -> str:
        """The player as HTML; ``name`` tells it from others on the same page."""
        urls = [f"data:image/png;base64,{b64encode(frame).decode()}" for frame in self.frames]
        return _PLAYER.format(
            name=name,
            width=self.width,
            alt=html.escape(self.alt, quote=True),
            poster=self.poster,
            first=urls[self.poster],
            last=len(urls) - 1,
            wait_ms=1_000 / self.fps,
            urls=json.dumps(urls),
            times=json.dumps(self.times),
            first_time=html.escape(self.times[self.poster], quote=True),
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a page that any browser shows, without a network. Raises OutputError where it cannot be written."""
        page = _PAGE.format(title=html.escape(self.alt), player=self.text("film"))
        write_whole(Path(path), page, "the animation")

    def _repr_html_(self) -> str:
        return self.text(f"lambdasim-{uuid.uuid4().hex}")

    def __repr__(self) -> str:
        return f"<AnimationHtml: {len(self.frames)} frames, {sum(map(len, self.frames)) * 4 / 3e6:.1f} MB>"


def film_of(run: Run, start: object, end: object | None, seconds: float, fps: float) -> Film:
    """The part of a run from ``start`` to ``end``, or to the end of the run. Raises UsageError with the argument."""
    from lambdasim.report.pictures.film import Film

    run_ns = run.log.end_ns
    start_ns = _time("start", start)
    end_ns = run_ns if end is None else min(_time("end", end), run_ns)
    if start_ns >= run_ns:
        raise UsageError(f"start: must be before the end of the run at {format_duration(run_ns)}, got {start}")
    if start_ns >= end_ns:
        raise UsageError(f"end: must be after the start at {format_duration(start_ns)}, got {end}")
    for name, value in (("seconds", seconds), ("fps", fps)):
        if isinstance(value, bool) or not isinstance(value, Real) or not 0 < value <= MOST_FRAMES:
            raise UsageError(f"{name}: must be a number above 0 and at most {MOST_FRAMES:,}, got {value}")
    frames = round(seconds * fps)
    if frames < 2:
        raise UsageError(f"seconds times fps: must be at least 2 frames, got {seconds:g} x {fps:g}")
    if frames > MOST_FRAMES:
        raise UsageError(f"seconds times fps: must be at most {MOST_FRAMES:,} frames, got {frames:,}")
    return Film(start_ns=start_ns, end_ns=end_ns, frames=frames, seconds=float(seconds))


def _time(name: str, value: object) -> int:
    try:
        return parse_duration(value)
    except RuleViolation as violation:
        hint = f"; {violation.hint}" if violation.hint else ""
        raise UsageError(f"{name}: {violation.rule}, got {value}{hint}") from None


def animation_of(run: Run, film: Film, ax: Axes | None = None) -> FuncAnimation:
    """The film as matplotlib has it: ``animation.save("run.mp4")`` where ffmpeg is installed."""
    from matplotlib.animation import FuncAnimation
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from lambdasim.report.pictures.scene import Scene

    scene = Scene(run, film, ax)
    figure = _figure_of(scene)
    if ax is None:
        FigureCanvasAgg(figure)
    return FuncAnimation(
        figure,
        scene.show,
        init_func=lambda: scene.show(0),
        frames=film.frames,
        interval=film.seconds * 1_000 / film.frames,
        cache_frame_data=False,
    )


def html_of(run: Run, film: Film) -> AnimationHtml:
    """The film with a player."""
    from lambdasim.report.pictures.scene import WIDTH, Scene

    scene = Scene(run, film)
    return AnimationHtml(
        frames=tuple(_frames(scene)),
        times=tuple(map(scene.clock_text, range(film.frames))),
        poster=scene.filmed.poster,
        fps=film.frames / film.seconds,
        width=WIDTH,
        alt=f"{run.scenario.name}: execution environments at work, from {film.start_ns / NS_PER_S:g} s"
        f" to {film.end_ns / NS_PER_S:g} s",
    )


def _frames(scene: Scene) -> list[bytes]:
    """Every frame as PNG. What stays is drawn once, which takes a third of the time of drawing all of it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    from lambdasim.report.pictures.scene import INKS
    from lambdasim.report.pictures.style import style

    canvas = FigureCanvasAgg(_figure_of(scene))
    for artist in scene.moving:
        artist.set_animated(True)
    made = []
    with style():
        canvas.draw()  # type: ignore[no-untyped-call]
        background = canvas.copy_from_bbox(scene.ax.figure.bbox)  # type: ignore[no-untyped-call]
        palette = Image.new("P", (1, 1))
        palette.putpalette(_palette(INKS))
        for frame in range(scene.film.frames):
            canvas.restore_region(background)  # type: ignore[no-untyped-call]
            for artist in scene.show(frame):
                scene.ax.draw_artist(artist)
            pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
            picture = Image.fromarray(pixels).convert("RGB")
            buffer = io.BytesIO()
            picture.quantize(palette=palette, dither=Image.Dither.NONE).save(buffer, format="png", compress_level=6)
            made.append(buffer.getvalue())
    return made


def _palette(inks: Sequence[str]) -> list[int]:
    """Red, green and blue of every shade: the same in all frames, so that no colour flickers."""
    from matplotlib.colors import to_rgb

    shades = [np.array(to_rgb(ink)) * (1 - white) + white for ink in inks for white in np.linspace(0, 1, _SHADES)]
    # Pillow takes the nearest but for a few steps: what is almost white would stand for white.
    clear = [shade for shade in shades if shade.min() == 1 or shade.min() < 0.95]
    return [int(part) for shade in clear for part in np.rint(shade * 255)]


def _figure_of(scene: Scene) -> Figure:
    figure = scene.ax.get_figure(root=True)
    assert figure is not None
    return figure


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body style="margin: 1em; background: white">{player}</body></html>
"""

_PLAYER = """<div id="{name}" style="max-width: {width}px; font: 14px sans-serif; color: #222; background: white">
<img alt="{alt}" src="{first}" style="width: 100%; display: block">
<div style="display: flex; gap: 8px; align-items: center; padding: 4px 2%">
<button type="button" title="Play or pause" style="min-width: 6em; padding: 4px">&#9654; Play</button>
<button type="button" title="One frame back" aria-label="One frame back" style="padding: 4px 8px">&lsaquo;</button>
<button type="button" title="One frame on" aria-label="One frame on" style="padding: 4px 8px">&rsaquo;</button>
<input type="range" min="0" max="{last}" value="{poster}" aria-label="Time" aria-valuetext="{first_time}"
 style="flex: 1">
<select aria-label="Speed" style="padding: 3px"><option value="4">&frac14; speed</option>
<option value="2">&frac12; speed</option><option value="1" selected>full speed</option></select>
</div></div>
<script>
(function () {{
  const root = document.getElementById("{name}"), frames = {urls}, times = {times};
  if (!root) return;
  const image = root.querySelector("img"), slider = root.querySelector("input"), speed = root.querySelector("select");
  const [play, back, on] = root.querySelectorAll("button");
  let now = {poster}, timer = null, begun = false;
  const show = n => {{
    now = Math.max(0, Math.min(n, {last}));
    image.src = frames[now];
    slider.value = now;
    slider.setAttribute("aria-valuetext", times[now]);
  }};
  const stop = () => {{ clearTimeout(timer); timer = null; play.textContent = "\\u25B6 Play"; }};
  const step = () => {{
    if (!root.isConnected || now >= {last}) return stop();
    show(now + 1);
    timer = setTimeout(step, {wait_ms:.1f} * speed.value);
  }};
  const start = () => {{
    if (!begun || now >= {last}) show(0);
    begun = true;
    play.textContent = "\\u275A\\u275A Pause";
    timer = setTimeout(step, {wait_ms:.1f} * speed.value);
  }};
  play.onclick = () => timer === null ? start() : stop();
  back.onclick = () => {{ stop(); begun = true; show(now - 1); }};
  on.onclick = () => {{ stop(); begun = true; show(now + 1); }};
  slider.oninput = () => {{ stop(); begun = true; show(Number(slider.value)); }};
}})();
</script>"""
