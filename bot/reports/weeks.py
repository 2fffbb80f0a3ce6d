"""Weeks as people of one time zone live them: seven days from midnight to midnight."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.domain.errors import Malformed
from bot.domain.time import Window

WEEK = timedelta(days=7)


def zone_of(name: str) -> ZoneInfo:
    """Return the time zone of an IANA name. Raises: Malformed: there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Malformed(f"there is no time zone {name[:60]!r}, e.g. Europe/Paris") from error


def weeks_until(last: date, zone: ZoneInfo, count: int) -> Sequence[Window]:
    """Return the weeks that end with the midnight in which `last` begins, the oldest first.

    They tile time without a gap, also where clocks change: such a week has 167 or 169 hours.
    """
    starts = [last - WEEK * number for number in range(count, -1, -1)]
    return tuple(
        Window(start=midnight(a, zone), end=midnight(b, zone)) for a, b in pairwise(starts)
    )


def last_day(due: datetime, zone: ZoneInfo) -> date:
    """Return the day before whose midnight the week ends that is told at `due`."""
    return due.astimezone(zone).date()


def monday(moment: datetime, zone: ZoneInfo) -> date:
    """Return the Monday on or before this moment: what a preview of the last week ends with."""
    day = moment.astimezone(zone).date()
    return day - timedelta(days=day.weekday())


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the moment at which a day begins, in UTC.

    Where midnight itself is skipped, it is the first moment after; where it comes twice, the first.
    """
    return datetime.combine(day, time(), zone).astimezone(UTC)
