"""From "prod for 4h because we release" to a freeze window. Times are UTC; nothing is guessed."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.domain.errors import Malformed
from bot.domain.time import Window

LONGEST = timedelta(days=90)
HOW = (
    "`/sre freeze prod for 4h because we release`, `/sre freeze all until 2026-11-30 06:00 because "
    "it is a holiday`, `/sre freeze prod from 18:00 until 22:00 because …` (times in UTC)"
)
_UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_MOMENT = r"(?:\d{4}-\d{2}-\d{2}[ T])?\d{1,2}:\d{2}"
_FREEZE = re.compile(
    rf"(?P<place>[\w.\-]{{1,60}})(?:\s+from\s+(?P<start>{_MOMENT})(?:\s*UTC)?)?"
    r"(?:\s+for\s+(?P<number>\d{1,4})\s*(?P<unit>m|h|d|w)(?:in(?:ute)?s?|ours?|ays?|eeks?)?"
    rf"|\s+until\s+(?P<end>{_MOMENT})(?:\s*UTC)?)[,:;]?\s+(?:because\s+)?(?P<reason>\S.*)",
    re.I | re.S,
)
EVERYWHERE = frozenset({"all", "everywhere", "everything"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeWish:
    """A freeze as it was asked for; `place` "" means everywhere, else it is not looked up yet."""

    place: str
    window: Window
    reason: str


def freeze_of(text: str, now: datetime) -> FreezeWish:
    """Return the freeze that the words ask for. Raises: Malformed: how to say it."""
    found = _FREEZE.fullmatch(text.strip())
    if found is None:
        raise Malformed(f"I need where, until when, and why: {HOW}.")
    start = _moment(found["start"], now) if found["start"] else now
    if found["end"]:
        end = _moment(found["end"], max(start, now))
    else:
        end = start + timedelta(seconds=int(found["number"]) * _UNITS[found["unit"].lower()])
    place = "" if found["place"].lower() in EVERYWHERE else found["place"]
    return FreezeWish(place=place, window=checked(start, end, now), reason=found["reason"].strip())


def checked(start: datetime, end: datetime, now: datetime) -> Window:
    """Return the window if it is ahead and not without end. Raises: Malformed."""
    if end <= max(start, now):
        raise Malformed("That window is over already: say an end that is still ahead.")
    if end - now > LONGEST:
        raise Malformed(f"A freeze ends within {LONGEST.days} days from now; set it again then.")
    return Window(start=start, end=end)


def _moment(text: str, after: datetime) -> datetime:
    """Return a moment in UTC; a bare time of day is the next one. Raises: Malformed."""
    dated = "-" in text
    try:
        day, _, clock = text.upper().replace("T", " ").rpartition(" ")
        base = datetime.fromisoformat(day) if dated else after.astimezone(UTC)
        hour, minute = (int(part) for part in clock.split(":"))
        moment = base.replace(hour=hour, minute=minute, second=0, microsecond=0, tzinfo=UTC)
    except ValueError as error:
        raise Malformed(f"`{text}` is no time. {HOW}.") from error
    return moment if dated or moment > after else moment + timedelta(days=1)
