"""Time expressions of a question: "since 14:00", "in the last 2 h", "yesterday at 9:30"."""

import re
from datetime import UTC, datetime, timedelta

from bot.domain.time import Window

USUAL_S = 3600.0  # "now" means the last hour
LONGEST_S = 14 * 86400.0

_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_UNIT = r"(?P<unit>s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:(?:ou)?rs?)?|d(?:ays?)?|w(?:eeks?)?)\b"
_COUNT = r"(?P<count>\d{1,5}(?:\.\d{1,2})?|an?|few|couple of|two|three|half an)"
_SPAN = rf"(?:{_COUNT}\s?)?{_UNIT}"
_CLOCK = r"(?P<hour>[01]?\d|2[0-3])(?:[:.h](?P<minute>[0-5]\d))?\s?(?P<half>am|pm)?\b"
_ISO = r"(?P<date>\d{4}-\d{2}-\d{2})(?:[ T](?P<hour>\d{2}):(?P<minute>\d{2})(?::\d{2})?)?"
_DAY = r"(?P<day>yesterday|today|this morning|tonight)"

_LAST = re.compile(rf"\b(?:last|past|previous)\s+{_SPAN}", re.I)
_AGO = re.compile(rf"\b(?P<since>since\s+)?(?:about\s+)?{_SPAN}\s+ago\b", re.I)
_DAY_AT = re.compile(
    rf"\b(?P<since>since\s+)?{_DAY}(?:\s+(?:at|around|from))?(?:\s+{_CLOCK})?", re.I
)
_DATE = re.compile(rf"\b(?P<since>since\s+)?(?:on\s+|at\s+)?{_ISO}", re.I)
_AT = re.compile(rf"\b(?P<since>since|from|after)\s+(?:about\s+|around\s+)?{_CLOCK}", re.I)
_AROUND = re.compile(
    r"\b(?:at|around|about)\s+(?P<hour>[01]?\d|2[0-3])"
    r"(?:[:.h](?P<minute>[0-5]\d)\s?(?P<half>am|pm)?|\s?(?P<half2>am|pm))\b",
    re.I,
)
_WORDS = {
    "a": 1.0,
    "an": 1.0,
    "few": 3.0,
    "couple of": 2.0,
    "two": 2.0,
    "three": 3.0,
    "half an": 0.5,
}
_DEFAULT_HOUR = {"yesterday": 0, "today": 0, "this morning": 6, "tonight": 18}


def window_of(text: str, now: datetime) -> Window | None:
    """Return the window that the text names, None if it names none.

    Clock times are read in `now`'s zone; the window is in UTC and never ends after `now`.
    """
    for read in (_last, _ago, _dated, _day, _clock):
        window = read(text, now)
        if window is not None:
            return _bounded(window[0], window[1], now)
    return None


def usual(now: datetime) -> Window:
    """Return the window of a question that names no time."""
    return Window.last(USUAL_S, before=now.astimezone(UTC))


Span = tuple[datetime, datetime] | None


def _last(text: str, now: datetime) -> Span:
    found = _LAST.search(text)
    return (now - _length(found), now) if found else None


def _ago(text: str, now: datetime) -> Span:
    found = _AGO.search(text)
    if found is None:
        return None
    start = now - _length(found)
    return (start, now)


def _dated(text: str, now: datetime) -> Span:
    found = _DATE.search(text)
    if found is None:
        return None
    try:
        day = datetime.fromisoformat(found["date"]).replace(tzinfo=now.tzinfo)
        start = day.replace(hour=int(found["hour"] or 0), minute=int(found["minute"] or 0))
    except ValueError:
        return None
    return _until(start, now, open_end=bool(found["since"]), whole_day=found["hour"] is None)


def _day(text: str, now: datetime) -> Span:
    found = _DAY_AT.search(text)
    if found is None:
        return None
    name = found["day"].lower()
    day = now - timedelta(days=1 if name == "yesterday" else 0)
    start = _at(day, found["hour"] or str(_DEFAULT_HOUR[name]), found["minute"], found["half"])
    open_end = bool(found["since"]) or (name != "yesterday" and found["hour"] is None)
    return _until(start, now, open_end=open_end, whole_day=found["hour"] is None)


def _clock(text: str, now: datetime) -> Span:
    found = _AT.search(text)
    if found is not None:
        return (_past(_at(now, found["hour"], found["minute"], found["half"]), now), now)
    found = _AROUND.search(text)
    if found is None:
        return None
    half = found["half"] or found["half2"]
    return _until(_past(_at(now, found["hour"], found["minute"], half), now), now)


def _until(
    start: datetime, now: datetime, *, open_end: bool = False, whole_day: bool = False
) -> Span:
    """A moment means half an hour around it, unless it opens a span or names a whole day."""
    if open_end:
        return (start, now)
    if whole_day:
        return (start, start + timedelta(days=1))
    return (start - timedelta(minutes=30), start + timedelta(minutes=30))


def _length(found: re.Match[str]) -> timedelta:
    count = (found["count"] or "1").lower()
    number = _WORDS[count] if count in _WORDS else float(count)
    seconds = number * _UNIT_S[found["unit"][0].lower()]
    return timedelta(seconds=min(max(seconds, 60.0), LONGEST_S))


def _at(day: datetime, hour: str, minute: str | None, half: str | None) -> datetime:
    hours = int(hour) % 24
    if half:
        hours = hours % 12 + (12 if half.lower() == "pm" else 0)
    return day.replace(hour=hours, minute=int(minute or 0), second=0, microsecond=0)


def _past(moment: datetime, now: datetime) -> datetime:
    return moment if moment <= now else moment - timedelta(days=1)


def _bounded(start: datetime, end: datetime, now: datetime) -> Window:
    """Keep the window in the past, at least a minute and at most two weeks long."""
    now = now.astimezone(UTC)
    end = min(end.astimezone(UTC), now)
    start = min(start.astimezone(UTC), end - timedelta(seconds=60))
    return Window(start=max(start, end - timedelta(seconds=LONGEST_S)), end=end)
