"""The report's picture: the signal with its usual band, the onset, and the changes near it."""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from PIL import Image, ImageDraw

from bot.domain.diagnosis import ChartData
from bot.domain.redaction import printable, redact
from bot.domain.snapshot import Change
from bot.reports.drawing import BLUE, FAINT, GREY, INK, PAPER, RED, SCALE, font, ticks

WIDTH, HEIGHT = 900, 500  # of the finished picture, in pixels
_POINTS = 1_000  # more than the picture can show are thinned, extremes kept
_CHANGES = 4  # markers that stay legible
# seconds between two times on the axis
_STEPS = (10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_LEFT, _RIGHT, _TOP, _BOTTOM = 84, 24, 132, 52
_ROW = 18  # height of one change's words; the rows end above the plot

_BAND, _OTHER = (214, 236, 220), (130, 130, 130)

_NAMES = {
    "latency_p99": "p99",
    "latency_p50": "p50",
    "error_ratio": "errors",
    "request_rate": "requests",
    "cpu_of_limit": "CPU of limit",
    "memory_of_limit": "memory of limit",
    "pool_of_limit": "pool in use",
    "queue_depth": "queue",
    "edge_latency_p99": "p99 of the call",
    "edge_error_ratio": "errors of the call",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axes:
    """Maps epoch seconds and values to pixels of the large picture."""

    t0: float
    t1: float
    low: float
    high: float

    def x(self, t: float) -> float:
        """Return the column of a moment."""
        share = (t - self.t0) / (self.t1 - self.t0)
        return SCALE * (_LEFT + share * (WIDTH - _LEFT - _RIGHT))

    def y(self, value: float) -> float:
        """Return the row of a value, within the frame."""
        share = min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))
        return SCALE * (HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM))


def chart(chart: ChartData, suspect: str = "") -> bytes:
    """Return a PNG of `WIDTH` x `HEIGHT` pixels; `suspect` is the id of the change to highlight.

    Times on the picture are UTC. Without points it says "no data".
    """
    points = _thinned(_points(chart))
    axes = _axes(chart, points)
    image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), PAPER)
    pen = ImageDraw.Draw(image)
    _draw_band(pen, axes, chart)
    _draw_axes(pen, axes, _unit(chart))
    _draw_title(pen, chart)
    _draw_line(pen, axes, points)
    _draw_changes(pen, axes, chart, suspect)
    _draw_onset(pen, axes, chart.onset)
    out = io.BytesIO()
    image.resize((WIDTH, HEIGHT), Image.Resampling.BOX).save(out, "PNG")
    return out.getvalue()


def _points(chart: ChartData) -> list[tuple[float, float]]:
    pairs = zip(chart.series.times, chart.series.values, strict=False)
    finite = [(t, v) for t, v in pairs if abs(t) < 1e11 and abs(v) < 1e300]
    return sorted(finite)


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Keep the lowest and the highest point of each bucket: a spike is never lost."""
    if len(points) <= _POINTS:
        return points
    size = -(-len(points) * 2 // _POINTS)
    kept: list[tuple[float, float]] = []
    for start in range(0, len(points), size):
        bucket = points[start : start + size]
        extremes = {min(bucket, key=lambda p: p[1]), max(bucket, key=lambda p: p[1])}
        kept += sorted(extremes)
    return kept


def _axes(chart: ChartData, points: Sequence[tuple[float, float]]) -> _Axes:
    times = [t for t, _ in points] or [chart.onset.timestamp() if chart.onset else 0.0]
    band = [v for v in (chart.usual_low, chart.usual_high) if abs(v) < 1e300]
    values = [v for _, v in points] + band + [0.0]
    low, high = min(values), max(values)
    if high == low:
        high = low + 1.0
    t0, t1 = times[0], times[-1]
    return _Axes(t0=t0, t1=t1 if t1 > t0 else t0 + 60.0, low=low, high=high + 0.08 * (high - low))


def _unit(chart: ChartData) -> str:
    return "%" if chart.series.unit in ("ratio", "0..1") else chart.series.unit


def _draw_title(pen: ImageDraw.ImageDraw, chart: ChartData) -> None:
    series = chart.series
    name = _NAMES.get(series.signal, series.signal.replace("_", " "))
    unit = f" ({_unit(chart)})" if series.unit else ""
    text = _label(f"{name} of {series.service}{unit}" if series.service else f"{name}{unit}", 60)
    pen.text((SCALE * 16, SCALE * 10), text, fill=INK, font=font(22))
    legend = "shaded: usual range"
    width = pen.textlength(legend, font=font(14))
    place = (SCALE * (WIDTH - _RIGHT) - width, SCALE * 16)
    pen.text(place, legend, fill=GREY, font=font(14))


def _draw_band(pen: ImageDraw.ImageDraw, axes: _Axes, chart: ChartData) -> None:
    low, high = sorted((chart.usual_low, chart.usual_high))
    if not abs(low) < 1e300 or not abs(high) < 1e300:
        return
    top, bottom = axes.y(high), axes.y(low)
    box = (axes.x(axes.t0), min(top, bottom - 2 * SCALE), axes.x(axes.t1), bottom)
    pen.rectangle(box, fill=_BAND)


def _draw_axes(pen: ImageDraw.ImageDraw, axes: _Axes, unit: str) -> None:
    left, right = axes.x(axes.t0), axes.x(axes.t1)
    for value in ticks(axes.low, axes.high):
        y = axes.y(value)
        pen.line((left, y, right, y), fill=FAINT, width=SCALE)
        text = _value(value * 100 if unit == "%" else value, unit)
        width = pen.textlength(text, font=font(15))
        pen.text((left - width - 8 * SCALE, y - 10 * SCALE), text, fill=GREY, font=font(15))
    _draw_times(pen, axes)


def _moments(t0: float, t1: float) -> list[float]:
    """Return up to seven round moments between t0 and t1."""
    day = _STEPS[-1]
    many_days = day * max(1, math.ceil((t1 - t0) / day / 6))
    step = next((s for s in _STEPS if (t1 - t0) / s <= 6), many_days)
    return [float(n * step) for n in range(math.ceil(t0 / step), math.floor(t1 / step) + 1)]


def _draw_times(pen: ImageDraw.ImageDraw, axes: _Axes) -> None:
    base = SCALE * (HEIGHT - _BOTTOM)
    days = axes.t1 - axes.t0 > 36 * 3600
    moments = _moments(axes.t0, axes.t1)
    for t in moments:
        moment = datetime.fromtimestamp(t, UTC)
        text = moment.strftime("%d %b %H:%M" if days else "%H:%M")
        text += " UTC" if t == moments[-1] else ""
        width = pen.textlength(text, font=font(15))
        x = min(max(axes.x(t) - width / 2, 0), SCALE * WIDTH - width - 4 * SCALE)
        pen.line((axes.x(t), base, axes.x(t), base + 5 * SCALE), fill=GREY, width=SCALE)
        pen.text((x, base + 9 * SCALE), text, fill=GREY, font=font(15))


def _draw_line(
    pen: ImageDraw.ImageDraw, axes: _Axes, points: Sequence[tuple[float, float]]
) -> None:
    if not points:
        middle = (SCALE * WIDTH / 2 - 40 * SCALE, SCALE * HEIGHT / 2)
        pen.text(middle, "no data", fill=GREY, font=font(18))
        return
    path = [(axes.x(t), axes.y(v)) for t, v in points]
    if len(path) == 1:
        x, y = path[0]
        pen.ellipse((x - 6, y - 6, x + 6, y + 6), fill=BLUE)
        return
    pen.line(path, fill=BLUE, width=3 * SCALE, joint="curve")


def _draw_onset(pen: ImageDraw.ImageDraw, axes: _Axes, onset: datetime | None) -> None:
    if onset is None or not axes.t0 <= onset.timestamp() <= axes.t1:
        return
    x = axes.x(onset.timestamp())
    top, bottom = SCALE * (_TOP - 6), SCALE * (HEIGHT - _BOTTOM)
    pen.line((x, top, x, bottom), fill=RED, width=2 * SCALE)
    text = f"onset {onset.astimezone(UTC):%H:%M}"
    width = pen.textlength(text, font=font(16))
    room = axes.x(axes.t1) - x > width + 10 * SCALE
    place = x + 6 * SCALE if room else x - width - 6 * SCALE
    box = (place - 3 * SCALE, top, place + width + 3 * SCALE, top + 22 * SCALE)
    pen.rectangle(box, fill=PAPER)
    pen.text((place, top), text, fill=RED, font=font(16))


def _shown(chart: ChartData, axes: _Axes, suspect: str) -> list[Change]:
    """The suspect, then the changes nearest to the onset, in order of time."""
    middle = chart.onset.timestamp() if chart.onset else axes.t1
    inside = [c for c in chart.changes if axes.t0 <= c.at.timestamp() <= axes.t1]
    inside.sort(key=lambda c: (c.id != suspect, abs(c.at.timestamp() - middle)))
    return sorted(inside[:_CHANGES], key=lambda c: c.at)


def _draw_changes(pen: ImageDraw.ImageDraw, axes: _Axes, chart: ChartData, suspect: str) -> None:
    for row, change in enumerate(_shown(chart, axes, suspect)):
        suspected = change.id == suspect
        colour = RED if suspected else _OTHER
        x = axes.x(change.at.timestamp())
        y = SCALE * (_TOP - 10 - _ROW * (_CHANGES - row))
        bottom = SCALE * (HEIGHT - _BOTTOM)
        _dashed(pen, x, y + 8 * SCALE, bottom, colour)
        side = 6 * SCALE
        pen.polygon(
            [(x - side, bottom + side), (x + side, bottom + side), (x, bottom - side)], colour
        )
        text = _label(_change_words(change), 44) + (" (suspected)" if suspected else "")
        width = pen.textlength(text, font=font(14))
        place = min(max(x - width - 6 * SCALE, 8 * SCALE), SCALE * WIDTH - width - 8 * SCALE)
        pen.rectangle((place, y, place + width, y + 16 * SCALE), fill=PAPER)
        pen.text((place, y), text, fill=colour, font=font(14))


def _dashed(
    pen: ImageDraw.ImageDraw, x: float, top: float, bottom: float, colour: tuple[int, int, int]
) -> None:
    y = top
    while y < bottom:
        pen.line((x, y, x, min(y + 7 * SCALE, bottom)), fill=colour, width=SCALE)
        y += 12 * SCALE


def _change_words(change: Change) -> str:
    after = f" {change.after}" if change.after and len(change.after) <= 16 else ""
    return f"{change.at.astimezone(UTC):%H:%M} {change.kind.value} {change.service}{after}"


def _label(text: str, limit: int) -> str:
    safe = " ".join(printable(redact(text)).split())
    return safe if len(safe) <= limit else safe[: limit - 1] + "…"


def _value(value: float, unit: str) -> str:
    if unit in ("B", "bytes"):
        for name, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
            if abs(value) >= size:
                return f"{value / size:.3g} {name}"
    if abs(value) >= 10_000:
        return f"{value:,.0f}" if abs(value) < 1e9 else f"{value:.2g}"
    return f"{value:.3g}"
