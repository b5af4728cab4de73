"""Picture: one instant of a run, as a frame of an animation. Requests fly to a door; environments are boxes behind it.

The canvas has fixed coordinates, 900 x 520, whatever axes it is drawn on. ``Scene`` draws what stays once; ``show``
moves the rest to a frame. How frames become an animation is in ``notebook.animation``.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from lambdasim.eventlog.log import NOT_YET
from lambdasim.metrics.instants import State, counts_at, so_far
from lambdasim.metrics.run import Run
from lambdasim.platform.concurrency import ThrottleReason
from lambdasim.report.pictures.boxes import Boxes, Stage, boxes_of
from lambdasim.report.pictures.film import Film, FilmedRun
from lambdasim.report.pictures.style import (
    Colour,
    PictureAxes,
    PictureFigure,
    shortened,
    style,
    time_text,
    width_of,
)
from lambdasim.report.pictures.time_axis import decimal_step, step_s, tick_text, time_unit

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

WIDTH, HEIGHT = 900, 520

# Where things are on the canvas.
_DOOR_X, _DOOR_WIDTH = 244.0, 12.0
_STAGE_BOTTOM, _STAGE_TOP = 138.0, 428.0
_BOXES_LEFT, _BOXES_RIGHT = 300.0, 882.0
_STAGE = Stage(left=_BOXES_LEFT, right=_BOXES_RIGHT, bottom=_STAGE_BOTTOM, top=_STAGE_TOP)
_LANES = (318.0, 408.0)
_REFUSED_Y, _WAITING_Y = 236.0, 200.0
_WAITING_FOOT = 116.0  # the strip begins below
_ADMITTED_Y, _ADMITTED_DOTS_X = 118.0, 560.0
_STRIP_LEFT, _STRIP_BOTTOM, _STRIP_TOP = 62.0, 34.0, 104.0

_BOX_WITH_DOT = 13.0  # boxes of at least this size show the request that they work on
_BOX_WITH_EDGE = 9.0
_MOST_DOTS = 110  # on their way to the door at once; above it a dot stands for several requests
_MOST_WAITING_DOTS = 24

# Times of flight, in seconds of film: to the door, back from it, and from the door to a box.
_APPROACH_S, _BOUNCE_S, _ENTER_S = 0.8, 0.9, 0.3
_GOLDEN = 0.6180339887498949

_FACES = {
    State.NONE: (1.0, 1.0, 1.0, 0.0),
    State.GONE: (1.0, 1.0, 1.0, 1.0),
    State.IDLE: to_rgba(Colour.IDLE),
    State.INITIALISING: to_rgba(Colour.COLD),
    State.BUSY: to_rgba(Colour.BUSY),
}
_FACE_TABLE = np.array([_FACES[state] for state in State])
_EDGE_TABLE = np.array([(1, 1, 1, 0), to_rgba("#D5D5D5"), *[to_rgba("#9A9A9A")] * 3])
_LEGEND = (
    (State.INITIALISING, "initialising"),
    (State.BUSY, "busy"),
    (State.IDLE, "idle, kept warm"),
    (State.GONE, "gone"),
)
_REQUEST = to_rgba(Colour.EVERYTHING)
_REFUSED = to_rgba(Colour.THROTTLED)

# As dark as text must be; the colour of failures itself is for areas.
_FAILED_INK = "#8E3B6B"

# Every colour that a frame has, to be mixed with white at the edges of what is drawn.
INKS = (
    _FAILED_INK,
    Colour.BUSY,
    Colour.COLD,
    Colour.IDLE,
    Colour.THROTTLED,
    Colour.RETRIED,
    Colour.QUEUED,
    Colour.EVERYTHING,
)

# By whether there are requests on their own, and whether there are batches.
_NOUNS = {
    (True, False): ("request", "requests"),
    (False, True): ("batch of messages", "batches of messages"),
    (True, True): ("request or batch", "requests or batches"),
}

_REASON_WORDS = {
    ThrottleReason.ACCOUNT_CONCURRENCY: "the account's quota",
    ThrottleReason.ACCOUNT_RATE: "the account's request rate",
    ThrottleReason.RESERVED_CONCURRENCY: "reserved concurrency",
    ThrottleReason.RESERVED_RATE: "request rate of a reservation",
    ThrottleReason.SCALING_REQUEST_RATE: "request-rate ramp",
    ThrottleReason.SCALING_RATE: "scaling rate",
    ThrottleReason.API_GATEWAY_RATE: "API Gateway's rate",
}


class Scene:
    """The artists of one run, moved from frame to frame by ``show``."""

    def __init__(self, run: Run, film: Film, ax: Axes | None = None) -> None:
        self.run, self.film = run, film
        self.filmed = FilmedRun(run, film)
        with style():
            self.ax = _canvas() if ax is None else ax
            self._scale = self._text_scale()
            self._draw_what_stays()
            self._moving = self._make_what_moves()

    @property
    def moving(self) -> list[Artist]:
        """What changes from frame to frame, from the lowest to the topmost."""
        return self._moving

    @cached_property
    def boxes(self) -> Boxes:
        """Where the boxes are: as large as fits."""
        return boxes_of(self.filmed.rows, _STAGE, named=len(self.run.log.function_names) > 1)

    @cached_property
    def requests_a_dot(self) -> int:
        """How many requests a dot stands for."""
        moments = np.concatenate((self.run.log.invocations.admitted_ns, self.run.log.throttles.time_ns))
        times_ns, ahead_ns = self.film.times_ns, round(_APPROACH_S * self.film.ns_per_film_s)
        under_way = so_far(moments, times_ns + ahead_ns) - so_far(moments, times_ns)
        return _each(int(under_way.max(initial=0)), _MOST_DOTS)

    def show(self, frame: int) -> list[Artist]:
        """Moves everything to a frame."""
        now_ns = int(self.film.times_ns[frame])
        states, counts = self.filmed.states[frame], np.bincount(self.filmed.states[frame], minlength=len(State))
        boxed = states[self.boxes.shown]
        self._squares.set_facecolor(_FACE_TABLE[boxed])
        edges = _EDGE_TABLE[boxed]
        if self._is_provisioned.any():
            edges[self._is_provisioned & (boxed > State.GONE)] = _REQUEST
        self._squares.set_edgecolor(edges)
        for state, text in self._counts.items():
            # Of those that are gone, all: their places may have been used again.
            count = self._gone[frame] if state == State.GONE else counts[state]
            text.set_text(f"{count:,}")
        self._show_dots(now_ns)
        self._show_workers(boxed)
        self._show_waiting(frame)
        refused, level, quota = (
            int(self.filmed.refused[frame]),
            int(self.filmed.in_flight[:, frame].sum()),
            self.filmed.limits[frame].quota,
        )
        self._name_functions(frame)
        self._gauge.set_height((_STAGE_TOP - _STAGE_BOTTOM) * min(level / quota, 1.0))
        self._level.set_text(f"{level:,} of {quota:,} in flight")
        recent_ns = now_ns - _BOUNCE_S / 2 * self.film.ns_per_film_s
        is_refusing = refused > int(so_far(self.run.log.throttles.time_ns, np.array([recent_ns]))[0])
        self._door.set_edgecolor(_REFUSED if is_refusing else "#666666")
        self._door.set_linewidth(2.4 if is_refusing else 1.0)
        self._tally.set_text(f"{refused:,} refused" if refused else "")
        self._reasons.set_text(self._reasons_until(now_ns) if refused else "")
        self._fates.set_text(self._fates_at(frame))
        self._clock.set_text(self.clock_text(frame))
        x = self._strip_x(np.array([now_ns]))[0]
        self._cursor.set_data([x, x], [_STRIP_BOTTOM, _STRIP_TOP + 4])
        return self._moving

    def _text_scale(self) -> float:
        """Sizes of text go with the size of the axes, so that a small picture holds the same words."""
        figure = self.ax.get_figure(root=True)
        assert figure is not None
        return float(min(self.ax.bbox.width / WIDTH, self.ax.bbox.height / HEIGHT) * 100 / figure.dpi)

    def _text(self, x: float, y: float, text: str, size: float, **how: Any) -> Text:
        how = {"color": "#222222", "va": "baseline", **how}
        return self.ax.text(x, y, text, fontsize=size * self._scale, clip_on=False, **how)

    def _draw_what_stays(self) -> None:
        ax = self.ax
        ax.set_xlim(0, WIDTH)
        ax.set_ylim(0, HEIGHT)
        ax.set_aspect("equal")
        ax.set_axis_off()
        title = f"{shortened(self.run.scenario.name, 40)}: execution environments at work"
        self._text(18, 492, title, 13, weight="bold")
        each = "Each box is an execution environment, which works"
        if self.boxes.each > 1:
            each = f"Each box stands for {self.boxes.each:,} execution environments, each of which works"
        noun, nouns = _NOUNS[self._kinds_of_work()]
        dots = f"each dot is a {noun}" if self.requests_a_dot == 1 else f"each dot is {self.requests_a_dot:,} {nouns}"
        if self.filmed.rows.provisioned:
            dots += "; a black edge means provisioned"
        self._text(18, 474, f"{each} on one {noun} at a time; {dots}.", 9, color="#555555")
        length = time_text(round(self.film.ns_per_film_s))
        self._text(882, 5, f"1 s of film is {length} of the run", 8, color="#555555", ha="right")
        self._text(18, _STAGE_TOP + 8, "work comes" if " or " in nouns else f"{nouns.split()[0]} come", 9.5)
        ax.annotate(
            "",
            (_DOOR_X - 16, _STAGE_TOP + 11),
            (118, _STAGE_TOP + 11),
            arrowprops={"arrowstyle": "->", "color": "#888888"},
        )
        self._text(_DOOR_X + _DOOR_WIDTH / 2, _STAGE_BOTTOM - 14, "quota", 9, ha="center", color="#555555")
        self._draw_legend()
        self._draw_strip()

    def _kinds_of_work(self) -> tuple[bool, bool]:
        """Whether requests come one by one, and whether messages or records come in batches."""
        is_batched = {invoke in ("sqs", "stream") for invoke in self.run.log.source_invokes}
        return False in is_batched or not is_batched, True in is_batched

    def _draw_legend(self) -> None:
        x = _BOXES_LEFT
        self._count_x: dict[State, float] = {}
        most = max(len(f"{self.filmed.rows.total:,}"), 3)
        for state, words in _LEGEND:
            edge = "#BBBBBB" if state == State.GONE else "#9A9A9A"
            self.ax.add_patch(Rectangle((x, _STAGE_TOP + 8), 11, 11, facecolor=_FACES[state], edgecolor=edge, lw=0.8))
            self._text(x + 16, _STAGE_TOP + 9, words, 9.5)
            x += 16 + width_of(words, FontProperties(family="DejaVu Sans", size=9.5)) * 100 / 72 + 6
            self._count_x[state] = x
            x += most * 8.5 + 16

    def _strip_x(self, times_ns: IntArray) -> FloatArray:
        share = (times_ns - self.film.start_ns) / max(self.film.end_ns - self.film.start_ns, 1)
        return np.asarray(_STRIP_LEFT + share * (_BOXES_RIGHT - _STRIP_LEFT))

    def _draw_strip(self) -> None:
        """The whole film at a glance: environments by state over time, refused attempts on top, times below."""
        ax, film = self.ax, self.film
        # A column for each pixel: a frame is a larger step, and what is between two of them would be missing.
        times_ns = np.linspace(film.start_ns, film.end_ns, round(_BOXES_RIGHT - _STRIP_LEFT) + 1).astype(np.int64)
        x, levels = self._strip_x(times_ns), counts_at(self.run.log, times_ns)
        order = (State.BUSY, State.INITIALISING, State.IDLE)
        highest = max(int(np.sum([levels[state] for state in order], axis=0).max(initial=0)), 1)
        base = np.zeros(len(times_ns))
        for state in order:
            top = base + levels[state] * (_STRIP_TOP - _STRIP_BOTTOM) / highest
            ax.fill_between(x, _STRIP_BOTTOM + base, _STRIP_BOTTOM + top, step="post", color=_FACES[state], lw=0)
            base = top
        ax.plot((_STRIP_LEFT, _BOXES_RIGHT), (_STRIP_BOTTOM, _STRIP_BOTTOM), color="#888888", lw=0.8)
        self._text(_STRIP_LEFT - 5, _STRIP_TOP - 9, f"{highest:,}", 8, ha="right", color="#555555")
        self._text(_STRIP_LEFT - 5, _STRIP_BOTTOM, "0", 8, ha="right", color="#555555")
        inside = self.run.log.throttles.time_ns
        inside = inside[(inside >= film.start_ns) & (inside <= film.end_ns)]
        marks = np.unique(np.round(self._strip_x(inside)))
        if len(marks):
            segments = [[(mark, _STRIP_TOP + 1), (mark, _STRIP_TOP + 7)] for mark in marks.tolist()]
            ax.add_collection(LineCollection(segments, colors=[_REFUSED], linewidths=1.2), autolim=False)
        start_s, end_s = film.start_ns / 1e9, film.end_ns / 1e9
        step, unit = step_s(end_s - start_s, 9), time_unit(end_s)
        for tick in np.arange(math.ceil(start_s / step - 1e-9), math.floor(end_s / step + 1e-9) + 1) * step:
            at = self._strip_x(np.array([tick * 1e9]))[0]
            ax.plot((at, at), (_STRIP_BOTTOM - 4, _STRIP_BOTTOM), color="#888888", lw=0.8)
            words = f"{tick_text(tick, unit)} {unit}" if unit != "m:ss" else tick_text(tick, unit)
            self._text(at, _STRIP_BOTTOM - 16, words, 8, ha="center", color="#555555")
        words = "environments over time" + ("; marks on top: refused" if len(marks) else "")
        self._text(_STRIP_LEFT, 5, words, 8, color="#555555")

    def _make_what_moves(self) -> list[Artist]:
        ax, boxes = self.ax, self.boxes
        left, low, size = boxes.left, boxes.bottom, boxes.size
        gap = min(size * 0.14, 4.0)
        right, high = left + size - gap, low + size - gap
        corners = np.stack((left, low, right, low, right, high, left, high), axis=1).reshape(-1, 4, 2)
        self._squares = PolyCollection(list(corners))
        self._centres = np.column_stack(((left + right) / 2, (low + high) / 2))
        provisioned = np.zeros(self.filmed.rows.total, dtype=bool)
        for first, count in self.filmed.rows.provisioned:
            provisioned[first : first + count] = True
        self._is_provisioned = provisioned[boxes.shown]
        # Edges of tiny boxes would be all that is seen of them.
        widths = np.where(self._is_provisioned, 1.8, 0.8) if size >= _BOX_WITH_EDGE else np.zeros(len(boxes.shown))
        self._squares.set_linewidth(widths.tolist())
        ax.add_collection(self._squares, autolim=False)
        points = self._scale**2
        self._workers = self._dots(min(0.045 * (size - gap) ** 2, 60) * points, "white")
        self._waiting_dots = self._dots(20 * points, "black")
        self._flying = self._dots(22 * points, "black")
        shape: dict[str, Any] = {"width": _DOOR_WIDTH, "facecolor": Colour.BUSY.value, "linewidth": 0}
        self._gauge = Rectangle((_DOOR_X, _STAGE_BOTTOM), height=0, **shape)
        ax.add_patch(self._gauge)
        shape |= {"facecolor": "none", "linewidth": 1.0, "edgecolor": "#666666"}
        self._door = ax.add_patch(Rectangle((_DOOR_X, _STAGE_BOTTOM), height=_STAGE_TOP - _STAGE_BOTTOM, **shape))
        self._names = {function: self._text(_BOXES_LEFT, y, "", 9, color="#555555") for function, y in boxes.names}
        y = _STAGE_TOP + 9
        self._counts = {state: self._text(x, y, "", 9.5, weight="bold") for state, x in self._count_x.items()}
        self._level = self._text(_DOOR_X + _DOOR_WIDTH, _STAGE_TOP + 26, "", 9, ha="right", color=Colour.BUSY.value)
        self._tally = self._text(18, _REFUSED_Y + 38, "", 13, weight="bold", color=Colour.THROTTLED.value)
        self._reasons = self._text(18, _REFUSED_Y + 32, "", 8.5, color=Colour.THROTTLED.value, va="top")
        self._fates = self._text(18, _REFUSED_Y - 20, "", 8.5, color=_FAILED_INK)
        self._clock = self._text(882, 490, "", 15, ha="right", weight="bold", family="DejaVu Sans Mono")
        (self._cursor,) = ax.plot([], [], color="black", lw=1.4, scalex=False, scaley=False)
        self._waiting_rows = self._kinds_of_waiting()
        self._waiting_pitch = min(30.0, (_WAITING_Y - _WAITING_FOOT) / max(len(self._waiting_rows), 1))
        self._waiting_texts = [
            self._text(18, _WAITING_Y - self._waiting_pitch * number - 10, "", 8.5)
            for number in range(len(self._waiting_rows))
        ]
        self._admitted = self._text(_BOXES_LEFT, _ADMITTED_Y, "", 8.5)
        reaped = self.run.log.environments.reaped_ns
        self._gone = so_far(reaped[reaped != NOT_YET], self.film.times_ns)
        self._prepare_dots()
        artists: list[Artist] = [self._squares, self._workers, self._gauge, self._door, self._cursor, self._clock]
        artists += [*self._counts.values(), self._level, self._tally, self._reasons, self._fates, self._admitted]
        artists += self._waiting_texts
        artists += self._names.values()
        return [*artists, self._waiting_dots, self._flying]

    def _dots(self, area: float, colour: str) -> PathCollection:
        dots = self.ax.scatter([], [], s=area, c=colour, linewidths=0, zorder=4)
        dots.set_clip_on(False)
        return dots

    def _prepare_dots(self) -> None:
        """Every so many-th request in the order of time, each with a lane of its own."""
        log, every = self.run.log, self.requests_a_dot
        invocations, refused = log.invocations, np.sort(log.throttles.time_ns)
        order = np.argsort(invocations.admitted_ns, kind="stable")[::every]
        self._accepted_ns = invocations.admitted_ns[order]
        self._refused_ns = refused[::every]
        # When, from which lane and into which box they go on.
        lane, has_begun = _lanes(len(order)), invocations.handler_ns[order] != NOT_YET
        worked = order[has_begun]
        by_start = np.argsort(invocations.handler_ns[worked], kind="stable")
        place = self.filmed.rows.row[invocations.environment[worked]]
        self._entering_ns = invocations.handler_ns[worked][by_start]
        self._entering_box = self.boxes.of_place[place][by_start]
        self._entering_lane = lane[has_begun][by_start]
        self._accepted_lane, self._refused_lane = lane, _lanes(len(self._refused_ns))

    def _name_functions(self, frame: int) -> None:
        """Beside the name of a function what is reserved for it, and how much of that is in use."""
        for function, text in self._names.items():
            name = self.run.log.function_names[function]
            reserved = self.filmed.limits[frame].reserved.get(name)
            level = self.filmed.in_flight[function, frame]
            use = "" if reserved is None else f": {level:,} of {reserved:,} reserved in flight"
            text.set_text(shortened(name, 40) + use)

    def _show_dots(self, now_ns: int) -> None:
        """Dots on their way to the door, back from it, and from the door into a box."""
        second = self.film.ns_per_film_s
        points: list[FloatArray] = []
        colours: list[tuple[float, ...]] = []
        for times_ns, lanes in ((self._accepted_ns, self._accepted_lane), (self._refused_ns, self._refused_lane)):
            near = _between(times_ns, now_ns, now_ns + _APPROACH_S * second)
            ahead = (times_ns[near] - now_ns) / (_APPROACH_S * second)
            points.append(np.column_stack((_DOOR_X - 5 - ahead * (_DOOR_X - 23), lanes[near])))
            colours += [_REQUEST] * len(ahead)
        gone = _between(self._refused_ns, now_ns - _BOUNCE_S * second, now_ns)
        back = (now_ns - self._refused_ns[gone]) / (_BOUNCE_S * second)
        lanes = self._refused_lane[gone]
        fall = (lanes - _REFUSED_Y - 62) * back**2
        points.append(np.column_stack((_DOOR_X - 5 - back * 150, lanes - fall)))
        colours += [_REFUSED] * len(back)
        inside = _between(self._entering_ns, now_ns - _ENTER_S * second, now_ns)
        share = ((now_ns - self._entering_ns[inside]) / (_ENTER_S * second))[:, None]
        goal = self._centres[self._entering_box[inside]]
        door = np.column_stack((np.full(len(goal), _DOOR_X + _DOOR_WIDTH + 4), self._entering_lane[inside]))
        points.append(door + share * (goal - door))
        colours += [_REQUEST] * len(goal)
        self._flying.set_offsets(np.concatenate(points))
        self._flying.set_facecolor(colours or "none")  # type: ignore[arg-type]

    def _show_workers(self, boxed: npt.NDArray[np.uint8]) -> None:
        """The request within each busy box, where boxes are large enough."""
        is_busy = (boxed == State.BUSY) if self.boxes.size >= _BOX_WITH_DOT else np.zeros(len(boxed), dtype=bool)
        self._workers.set_offsets(self._centres[is_busy])

    def _kinds_of_waiting(self) -> list[tuple[IntArray, str, str]]:
        """(how many at each frame, for what, colour) of those kinds that there are in this film."""
        waiting = self.filmed.waiting
        kinds = [
            (waiting.retry, "waiting to try again", Colour.RETRIED.value),
            (waiting.event_queue, "in Lambda's queue", Colour.QUEUED.value),
            (waiting.messages, self._where_messages_wait(), Colour.QUEUED.value),
        ]
        return [kind for kind in kinds if kind[0].max(initial=0)]

    def _where_messages_wait(self) -> str:
        queues, streams = self.run.scenario.queues, self.run.scenario.streams
        return "in queues and streams" if queues and streams else "in the queue" if queues else "in the stream"

    def _show_waiting(self, frame: int) -> None:
        points: list[tuple[float, float]] = []
        colours: list[tuple[float, ...]] = []

        def line_up(counts: IntArray, x: float, y: float, colour: str) -> int:
            count = int(counts[frame])
            dots = math.ceil(count / _each(int(counts.max()), _MOST_WAITING_DOTS))
            points.extend((x + 8.5 * dot, y) for dot in range(dots))
            colours.extend([to_rgba(colour)] * dots)
            return count

        for number, (counts, words, colour) in enumerate(self._waiting_rows):
            count = line_up(counts, 20, _WAITING_Y - self._waiting_pitch * number - 17, colour)
            self._waiting_texts[number].set_text(f"{count:,} {words}" if count else "")
        count = line_up(self.filmed.waiting.environment, _ADMITTED_DOTS_X, _ADMITTED_Y + 3, Colour.COLD.value)
        self._admitted.set_text(f"{count:,} in flight, waiting for an environment" if count else "")
        self._waiting_dots.set_offsets(points or np.empty((0, 2)))
        self._waiting_dots.set_facecolor(colours or "none")  # type: ignore[arg-type]

    def _reasons_until(self, now_ns: int) -> str:
        throttles = self.run.log.throttles
        happened = throttles.reason[throttles.time_ns <= now_ns]
        counts = {reason: int((happened == reason).sum()) for reason in ThrottleReason}
        largest = sorted((reason for reason in ThrottleReason if counts[reason]), key=lambda reason: -counts[reason])
        return "\n".join(f"{counts[reason]:,} by {_REASON_WORDS[reason]}" for reason in largest[:2])

    def _fates_at(self, frame: int) -> str:
        """What went wrong with attempts that were accepted, in words; nothing as long as nothing has."""
        fates = ((self.filmed.failed, "failed"), (self.filmed.gave_up, "gave up waiting"))
        return ", ".join(f"{int(counts[frame]):,} {words}" for counts, words in fates if counts[frame])

    def clock_text(self, frame: int) -> str:
        """The time of the run at a frame, as the clock shows it."""
        now_ns, unit = int(self.film.times_ns[frame]), time_unit(self.film.end_ns / 1e9)
        if unit == "m:ss":
            minutes, seconds = divmod(now_ns // 10**9, 60)
            return f"{minutes}:{seconds:02d}"
        if unit == "h":
            hours, minutes = divmod(now_ns // (60 * 10**9), 60)
            return f"{hours} h {minutes:02d} min"
        digits = 1 if self.film.end_ns - self.film.start_ns > 5 * 10**9 else 2
        return f"{now_ns / 1e9:.{digits}f} s"


def _canvas() -> Axes:
    """Axes that fill a figure of their own."""
    figure = PictureFigure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100)
    axes = PictureAxes(figure, (0, 0, 1, 1))
    figure.add_axes(axes)
    return axes


def _lanes(count: int) -> FloatArray:
    """Heights that are well spread, whichever of them are seen together."""
    low, high = _LANES
    return np.asarray(low + (high - low) * (np.arange(count) * _GOLDEN % 1.0))


def _between(times_ns: IntArray, low_ns: float, high_ns: float) -> slice:
    """Which of some sorted times are after ``low_ns`` and until ``high_ns``."""
    return slice(*np.searchsorted(times_ns, (low_ns, high_ns), side="right").tolist())


def _each(most: int, room: int) -> int:
    """How many a dot stands for where there is room for so many dots."""
    return int(decimal_step(most / room)) if most > room else 1
