"""The digest's picture: incidents, time until over, and how right the bot was, week by week."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from PIL import Image, ImageDraw

from bot.reports.digest import Digest
from bot.reports.digest_words import lasting
from bot.reports.drawing import (
    BLUE,
    FAINT,
    GREY,
    INK,
    PAPER,
    RED,
    SCALE,
    Colour,
    font,
    ticks,
)
from bot.reports.kpis import Kpis

WIDTH, HEIGHT = 720, 900  # of the finished picture, in pixels: legible on a phone
_LEFT, _RIGHT = 84, 84
_PANEL, _HEAD, _PLOT = 280, 56, 186  # of each panel: in all, its title, its plot
_LARGE, _SMALL = 25, 20  # letters
_BEFORE, _QUIET, _GREEN = (150, 184, 212), (205, 205, 205), (34, 139, 84)
_LABELS = 5  # weeks named on the axis at most
_ROUND = (60.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0, 86400.0, 259200.0)

Value = Callable[[Kpis], float | None]
Pen = ImageDraw.ImageDraw


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """One line of a panel; weeks without a value leave a gap."""

    name: str
    colour: Colour
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class _Panel:
    """Where one panel is, and what its values map to."""

    top: float
    high: float
    count: int

    def x(self, number: int) -> float:
        """Return the middle column of a week."""
        return SCALE * (_LEFT + (number + 0.5) * (WIDTH - _LEFT - _RIGHT) / self.count)

    def y(self, value: float) -> float:
        """Return the row of a value."""
        share = min(1.0, max(0.0, value / self.high))
        return SCALE * (self.top + _HEAD + (1 - share) * _PLOT)

    @property
    def half(self) -> float:
        """Return half of a bar's width."""
        return SCALE * min(24.0, 0.36 * (WIDTH - _LEFT - _RIGHT) / self.count)


def trend(digest: Digest) -> bytes:
    """Return a PNG of `WIDTH` x `HEIGHT` pixels: three panels over the weeks of the trend."""
    image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), PAPER)
    pen = ImageDraw.Draw(image)
    weeks = digest.trend
    _incidents(pen, weeks)
    _durations(pen, weeks)
    _shares(pen, weeks)
    _weeks(pen, digest)
    out = io.BytesIO()
    image.resize((WIDTH, HEIGHT), Image.Resampling.BOX).save(out, "PNG")
    return out.getvalue()


def alt(digest: Digest) -> str:
    """Return the picture's content in words, for who does not see it."""
    counts = ", ".join(str(week.incidents) for week in digest.trend)
    return f"Incidents a week, oldest first: {counts}. Below: MTTR, and shares of right diagnoses."


def _incidents(pen: Pen, weeks: Sequence[Kpis]) -> None:
    most = max((w.incidents + w.quiet for w in weeks), default=0)
    panel = _Panel(top=10, high=max(5, most) * 1.12, count=len(weeks))
    _title(pen, panel, "Incidents a week", (("told", BLUE), ("kept quiet", _QUIET)))
    marks = [t for t in ticks(0, panel.high) if t == int(t)]
    _grid(pen, panel, marks, lambda v: f"{v:.0f}")
    for number, week in enumerate(weeks):
        x, told = panel.x(number), panel.y(week.incidents)
        colour = BLUE if number == len(weeks) - 1 else _BEFORE
        base, quiet = panel.y(0), panel.y(week.incidents + week.quiet)
        if week.quiet:
            pen.rectangle((x - panel.half, quiet, x + panel.half, told), fill=_QUIET)
        if week.incidents:
            pen.rectangle((x - panel.half, told, x + panel.half, base), fill=colour)
    last = weeks[-1]
    _value(pen, panel, last.incidents, f"{last.incidents}", BLUE)


def _durations(pen: Pen, weeks: Sequence[Kpis]) -> None:
    known = [w.resolution.mean_s for w in weeks if w.resolution.mean_s is not None]
    panel = _Panel(top=10 + _PANEL, high=max(600.0, *known, 0.0) * 1.12, count=len(weeks))
    _title(pen, panel, "MTTR: until it was over", (("mean", BLUE), ("median", _GREEN)))
    _grid(pen, panel, _moments(panel.high), lasting)
    _draw(pen, panel, weeks, _Line(name="", colour=_GREEN, value=lambda w: w.resolution.median_s))
    _draw(pen, panel, weeks, _Line(name="", colour=BLUE, value=lambda w: w.resolution.mean_s))
    last = weeks[-1].resolution.mean_s
    if last is not None:
        _value(pen, panel, last, lasting(last), BLUE)


def _shares(pen: Pen, weeks: Sequence[Kpis]) -> None:
    panel = _Panel(top=10 + 2 * _PANEL, high=1.04, count=len(weeks))
    lines = (
        _Line(name="right", colour=_GREEN, value=lambda w: _ratio(w.right, w.right + w.wrong)),
        _Line(
            name="recovered after my action", colour=BLUE,
            value=lambda w: _ratio(w.resolved_by_itself + w.resolved_approved, w.resolved),
        ),
        _Line(name="false actions", colour=RED, value=lambda w: _ratio(w.false_actions, w.actions)),
    )  # fmt: skip
    _title(pen, panel, "Shares", tuple((line.name, line.colour) for line in lines))
    _grid(pen, panel, (0, 0.25, 0.5, 0.75, 1), lambda v: f"{v * 100:.0f} %")
    for line in lines:
        _draw(pen, panel, weeks, line)
    _last_shares(pen, panel, weeks[-1], lines)


def _last_shares(pen: Pen, panel: _Panel, last: Kpis, lines: Sequence[_Line]) -> None:
    """Write the last values beside their ends, apart from each other."""
    known = [(value, line) for line in lines if (value := line.value(last)) is not None]
    above = float("inf")
    for value, line in sorted(known, key=lambda pair: pair[0]):
        y = min(panel.y(value) - 13 * SCALE, above)
        x = panel.x(panel.count - 1) + 14 * SCALE
        pen.text((x, y), f"{value * 100:.0f} %", fill=line.colour, font=font(_SMALL))
        above = y - 24 * SCALE


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _moments(high: float) -> list[float]:
    """Return two to five round durations up to `high` seconds."""
    step = next((r for r in _ROUND if high / r <= 5), 0.0)
    step = step or 86400.0 * -(-high // (5 * 86400.0))
    return [n * step for n in range(int(high // step) + 1)]


def _title(pen: Pen, panel: _Panel, text: str, names: Sequence[tuple[str, Colour]]) -> None:
    top = SCALE * (panel.top + 4)
    pen.text((SCALE * 12, top), text, fill=INK, font=font(_LARGE))
    x = float(SCALE * (WIDTH - 12))
    for name, colour in reversed(names):
        width = pen.textlength(name, font=font(_SMALL))
        x -= width
        ink = GREY if colour == _QUIET else colour
        pen.text((x, top + 3 * SCALE), name, fill=ink, font=font(_SMALL))
        x -= 20 * SCALE
        y = top + 9 * SCALE
        pen.rectangle((x, y, x + 14 * SCALE, y + 14 * SCALE), fill=colour)
        x -= 14 * SCALE


def _grid(pen: Pen, panel: _Panel, values: Sequence[float], words: Callable[[float], str]) -> None:
    left, right = SCALE * _LEFT, SCALE * (WIDTH - _RIGHT)
    for value in values:
        y = panel.y(value)
        pen.line((left, y, right, y), fill=FAINT, width=SCALE)
        text = words(value) if value else "0"
        width = pen.textlength(text, font=font(_SMALL))
        pen.text((left - width - 8 * SCALE, y - 13 * SCALE), text, fill=GREY, font=font(_SMALL))


def _draw(pen: Pen, panel: _Panel, weeks: Sequence[Kpis], line: _Line) -> None:
    """Draw dots, joined where a week follows the other."""
    before: tuple[float, float] | None = None
    for number, week in enumerate(weeks):
        value = line.value(week)
        if value is None:
            before = None
            continue
        here, size = (panel.x(number), panel.y(value)), 4 * SCALE
        if before is not None:
            pen.line((before, here), fill=line.colour, width=3 * SCALE)
        box = (here[0] - size, here[1] - size, here[0] + size, here[1] + size)
        pen.ellipse(box, fill=line.colour)
        before = here


def _value(pen: Pen, panel: _Panel, value: float, text: str, colour: Colour) -> None:
    x = panel.x(panel.count - 1) + max(panel.half, 6 * SCALE) + 6 * SCALE
    width = pen.textlength(text, font=font(_SMALL))
    place = min(x, SCALE * WIDTH - width - 4 * SCALE)
    pen.text((place, panel.y(value) - 13 * SCALE), text, fill=colour, font=font(_SMALL))


def _weeks(pen: Pen, digest: Digest) -> None:
    """Name the weeks below the last panel by the day on which they begin."""
    zone, count = ZoneInfo(digest.zone), len(digest.trend)
    panel = _Panel(top=10 + 2 * _PANEL, high=1, count=count)
    every = -(-count // _LABELS)
    y = panel.y(0) + 9 * SCALE
    for number, week in enumerate(digest.trend):
        if (count - 1 - number) % every == 0:
            day = week.start.astimezone(zone)
            text = f"{day.day} {day:%b}"
            width = pen.textlength(text, font=font(_SMALL))
            pen.text((panel.x(number) - width / 2, y), text, fill=GREY, font=font(_SMALL))
    text = "weeks by their first day"
    pen.text((SCALE * _LEFT, y + 26 * SCALE), text, fill=GREY, font=font(_SMALL))
