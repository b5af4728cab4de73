"""The one style of all pictures: colours with a fixed meaning, sizes, header, legend and time axis.

Nothing here touches global settings of matplotlib, nor pyplot: each picture is drawn inside ``style()``, on a figure of
its own or on axes that the caller brings. Neighbours: ``fates`` (what a request counts as), the pictures.
"""

from __future__ import annotations

import io
import re
import warnings
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Any

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

from lambdasim.metrics.run import Run
from lambdasim.platform.async_retry import DropReason
from lambdasim.platform.concurrency import ThrottleReason
from lambdasim.platform.provisioned import SpilloverReason
from lambdasim.report.wording import subtitle

WIDTH_PX = 1000
DPI = 100


@unique
class Colour(StrEnum):
    """What a colour means, in every picture. The bright ones are Okabe and Ito's: safe for colour-blind readers."""

    WARM = "#009E73"
    COLD = "#56B4E9"  # init, and whatever waits for one
    BUSY = "#0072B2"
    IDLE = "#DDDDDD"
    THROTTLED = "#D55E00"
    RETRIED = "#E69F00"
    FAILED = "#CC79A7"
    TIMED_OUT_CLIENT = "#F0E442"
    DROPPED = "#661100"
    QUEUED = "#C9BFA0"  # not tried yet
    DELAYED = "#EAE4D3"  # a message that is not visible yet
    GATHERED = "#8E8055"  # received, in a batch that is not tried yet
    IN_FLIGHT = "#999999"
    ON_DEMAND = "#C9A0C9"  # beside provisioned environments
    EVERYTHING = "#000000"  # all requests together: the offered rate, the latency of all
    CEILING = "#444444"  # account quota and scaling rate


# Shades of the colour of throttles. Each reason also has a row of its own, so that no shade has to speak alone.
REASON_COLOURS = {
    ThrottleReason.ACCOUNT_CONCURRENCY: "#D55E00",
    ThrottleReason.ACCOUNT_RATE: "#8C2D04",
    ThrottleReason.RESERVED_CONCURRENCY: "#F28E4B",
    ThrottleReason.RESERVED_RATE: "#B04A2F",
    ThrottleReason.SCALING_REQUEST_RATE: "#F5B08A",
    ThrottleReason.SCALING_RATE: "#5C1A00",
    ThrottleReason.API_GATEWAY_RATE: "#FFD0B5",
}

# Shades of the colour of drops.
DROP_COLOURS = {
    DropReason.EVENT_AGE_EXCEEDED: "#661100",
    DropReason.RETRIES_EXHAUSTED: "#A35A4A",
    DropReason.ZERO_RESERVED_CONCURRENCY: "#D3A79C",
}

# And of messages and records that are given up.
UNEXECUTED_COLOUR, EXECUTED_COLOUR, EXPIRED_COLOUR = "#661100", "#D3A79C", "#A35A4A"

# Shades of the colour of what runs on demand beside provisioned concurrency. Each has a hatching of its own.
SPILLOVER_COLOURS = {
    SpilloverReason.REQUEST_RATE: "#9B3F96",
    SpilloverReason.CONCURRENCY: "#5E2A6B",
    SpilloverReason.NOT_READY: "#B777B3",
}

# Functions: after Paul Tol's muted scheme, without its hues that have a meaning above.
FUNCTION_COLOURS = ("#332288", "#DDCC77", "#AA4499", "#88CCEE", "#882255", "#999933", "#CC6677")
OTHERS_COLOUR = "#BBBBBB"

_TEXT = "#222222"
_SUBTITLE = "#555555"
_TITLE_FONT = FontProperties(family="DejaVu Sans", size=13, weight="bold")
_DESCRIPTION_FONT = FontProperties(family="DejaVu Sans", size=10)
_FACTS_FONT = FontProperties(family="DejaVu Sans", size=9)
_LEGEND_FONT = FontProperties(family="DejaVu Sans", size=9)
# A number stays with its unit: "14 min 49 s" is never broken.
_TIME = re.compile(r"\d[\d.,]* (?:ns|µs|ms|s|min|h)(?: \d+ (?:s|min))?\b")
_LEGEND_PT = 118.0  # width of its texts, which leaves a little of the right margin
_LEGEND_LINE_PX, _LEGEND_GAP_PX = 16, 7
_MEASURE = TextToPath()
_DRAWN_WIDER = 1.03  # letters are drawn at whole pixels, which makes a line up to so much wider than its outlines
_GLUE = "\0"  # stands for a blank at which no line is broken

# Matplotlib's defaults for whatever shows, so that nobody's own matplotlibrc changes a picture.
_VISIBLE = re.compile(
    r"(agg|axes|font|grid|hatch|image|legend|lines|markers|patch|path|text|[xy]tick)\.|figure\.(dpi|face)"
)
_DEFAULTS: Any = {key: value for key, value in matplotlib.rcParamsDefault.items() if _VISIBLE.match(key)}
_STYLE: Any = _DEFAULTS | {
    "axes.axisbelow": True,
    "axes.edgecolor": "#888888",
    "axes.labelcolor": _TEXT,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.dpi": DPI,
    "figure.facecolor": "white",
    "font.family": ["DejaVu Sans"],
    "grid.color": "#E6E6E6",
    "hatch.linewidth": 0.6,
    "legend.frameon": False,
    "savefig.bbox": None,
    "savefig.dpi": "figure",
    "savefig.facecolor": "auto",
    "savefig.transparent": False,
    "text.color": _TEXT,
    "text.parse_math": False,  # a dollar sign in a description is a dollar sign
    "xtick.color": "#555555",
    "ytick.color": "#555555",
}


@contextmanager
def style() -> Iterator[None]:
    """The style, for as long as the context lasts."""
    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        # Names and descriptions may hold letters that the font lacks: they show as boxes, which is enough of a notice.
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from font")
        yield


class PictureFigure(Figure):
    """A figure that keeps the style when it is drawn, and shows itself in a notebook without pyplot."""

    def draw(self, renderer: RendererBase) -> None:
        """Draw in the style: matplotlib makes ticks as late as this."""
        with style():
            super().draw(renderer)

    def _repr_png_(self) -> bytes:
        return png(self)


class PictureAxes(Axes):
    """The axes of a picture. As the last line of a notebook cell they show their figure."""

    def _repr_png_(self) -> bytes:
        figure = self.get_figure(root=True)
        assert figure is not None
        return png(figure)


def png(figure: Figure) -> bytes:
    """The figure as PNG; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    with style():
        # Level 1 takes a fifth of the time of matplotlib's level 6; the files stay well below 200 kB.
        figure.savefig(buffer, format="png", metadata={"Software": None}, pil_kwargs={"compress_level": 1})
    return buffer.getvalue()


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What stands above a picture: the question, what is said of the scenario, and the key facts."""

    title: str
    description: str
    facts: str


def header(run: Run, title: str, facts: str) -> Header:
    """The header of a picture of a run."""
    scenario, log = run.scenario, run.log
    parts = [facts, f"seed {run.seed}"]
    if log.is_partial:
        parts.append(f"interrupted at {time_text(log.end_ns)}: the rest is missing")
    return Header(
        title=f"{scenario.name}: {title}", description=subtitle(scenario), facts=" · ".join(filter(None, parts))
    )


def open_axes(
    ax: Axes | None, top: Header, *, plot_px: float = 360, left_px: float = 95, right_px: float = 220
) -> Axes:
    """Axes with the header above: those that the caller brought, or new ones on a figure 1000 px wide.

    Margins are fixed and the height follows from the number of lines, which is exact and a hundred times faster than a
    layout engine.
    """
    if ax is not None:
        ax.set_axisbelow(True)
        _write_header(ax, *_header_lines(top, max(ax.bbox.width, 200) * 72 / _dpi_of(ax)))
        return ax
    bottom_px = 58
    title, description, facts = _header_lines(top, (WIDTH_PX - left_px - 20) * 72 / DPI)
    header_px = (len(title) * 17.5 + len(description) * 14 + len(facts) * 12.5 + 18) * DPI / 72
    height_px = round(header_px + plot_px + bottom_px)
    figure = PictureFigure(figsize=(WIDTH_PX / DPI, height_px / DPI), dpi=DPI)
    FigureCanvasAgg(figure)
    rectangle = (
        left_px / WIDTH_PX,
        bottom_px / height_px,
        (WIDTH_PX - left_px - right_px) / WIDTH_PX,
        plot_px / height_px,
    )
    axes = PictureAxes(figure, rectangle)
    figure.add_axes(axes)
    _write_header(axes, title, description, facts)
    return axes


def height_pt(ax: Axes) -> float:
    """Height of axes in points, as long as no layout engine has changed it."""
    return float(ax.bbox.height) * 72 / _dpi_of(ax)


def _dpi_of(ax: Axes) -> float:
    figure = ax.get_figure(root=True)
    return figure.dpi if figure is not None else DPI


def _header_lines(top: Header, width_pt: float) -> tuple[list[str], list[str], list[str]]:
    width_pt /= _DRAWN_WIDER
    return (
        wrapped(top.title, width_pt, _TITLE_FONT),
        wrapped(top.description, width_pt, _DESCRIPTION_FONT),
        wrapped(top.facts, width_pt, _FACTS_FONT),
    )


def _write_header(ax: Axes, title: list[str], description: list[str], facts: list[str]) -> None:
    offset = 8.0
    for lines, font, colour, pitch in (
        (facts, _FACTS_FONT, _SUBTITLE, 12.5),
        (description, _DESCRIPTION_FONT, _TEXT, 14.0),
    ):
        for line in reversed(lines):
            ax.annotate(
                line,
                (0, 1),
                (0, offset),
                "axes fraction",
                "offset points",
                fontproperties=font,
                color=colour,
                va="bottom",
            )
            offset += pitch
    ax.set_title("\n".join(title), loc="left", pad=offset + 3, fontproperties=_TITLE_FONT)


def wrapped(text: str, width_pt: float, font: FontProperties) -> list[str]:
    """Lines of at most this width in points, broken at blanks, but not within a time. Too wide words are broken."""
    lines: list[str] = []
    whole = _TIME.sub(lambda time: time.group().replace(" ", _GLUE), text)
    for word in (part.replace(_GLUE, " ") for part in whole.split()):
        if lines and width_of(f"{lines[-1]} {word}", font) <= width_pt:
            lines[-1] += f" {word}"
            continue
        while width_of(word, font) > width_pt and len(word) > 1:
            letters = range(2, len(word))
            taken = 1 + bisect_right(letters, width_pt, key=lambda n: width_of(word[:n], font))
            lines.append(word[:taken])
            word = word[taken:]
        lines.append(word)
    return lines


def width_of(text: str, font: FontProperties = _LEGEND_FONT) -> float:
    """Width of a line of text in points."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from font")
        return float(_MEASURE.get_text_width_height_descent(text, font, ismath=False)[0])


def shortened(name: str, length: int = 22) -> str:
    """A long name with its middle left out."""
    return name if len(name) <= length else f"{name[: length // 2]}…{name[len(name) - (length - length // 2 - 1) :]}"


def legend(ax: Axes, entries: Sequence[tuple[Artist, str]], title: str = "") -> None:
    """The legend, always to the right of the axes: ``loc="best"`` would search through the data."""
    if not entries:
        return
    made = ax.legend(
        [handle for handle, _ in entries],
        [str(number) for number in range(len(entries))],
        loc="upper left",
        bbox_to_anchor=(1.012, 1.0),
        borderaxespad=0,
        prop=_LEGEND_FONT,
        title=title or None,
        title_fontproperties=_LEGEND_FONT,
        alignment="left",
        labelspacing=0.55,
        handlelength=1.6,
    )
    # Set afterwards: matplotlib refuses labels that start with an underscore, as names of functions may.
    for text, (_, label) in zip(made.get_texts(), entries, strict=True):
        text.set_text("\n".join(_legend_lines(label)))


def _legend_lines(label: str) -> list[str]:
    return [line for part in label.split("\n") for line in wrapped(part, _LEGEND_PT, _LEGEND_FONT)]


def legend_height_px(labels: Sequence[str]) -> float:
    """About the height of a legend with these labels, on a figure of a picture's own."""
    return sum(_LEGEND_LINE_PX * len(_legend_lines(label)) + _LEGEND_GAP_PX for label in labels)


def say(ax: Axes, sentence: str) -> Axes:
    """Axes without data: a sentence in place of the picture."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, sentence, transform=ax.transAxes, ha="center", va="center", fontsize=12, color=_SUBTITLE)
    return ax


def counted(count: int, noun: str) -> str:
    """A number with its noun: ``1 request``, ``1,200 requests``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def time_text(time_ns: int) -> str:
    """A length of time for people, three digits: ``210 ms``, ``1.3 s``, ``2 min 5 s``, ``3 h 20 min``."""
    if time_ns == 0:
        return "0 s"
    time_s = time_ns / 1e9
    for unit, size_s in (("ns", 1e-9), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0)):
        if float(f"{time_s / size_s:.3g}") < (1000 if size_s < 1 else 60):
            return f"{time_s / size_s:.3g} {unit}"
    big, small, size, part = ("min", "s", 60, 1) if time_s < 3_570 else ("h", "min", 3_600, 60)
    whole, rest = divmod(round(time_s / part), size // part)
    return f"{whole:,} {big} {rest} {small}" if rest else f"{whole:,} {big}"
