"""When something that recurs is due: five cron fields, read in a time zone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import croniter

from bot.domain.errors import NotConfigured

FIELDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """A recurring local time. It happens once a day that has it, also when clocks are changed.

    A local time that a change to summer time leaves out counts as the moment just after; of one
    that comes twice, the first counts.
    """

    fields: str  # "0 9 * * 1": minute, hour, day of month, month, day of week
    zone: str  # "Europe/Paris"

    def __post_init__(self) -> None:
        """Raise NotConfigured for what is no cron expression, or no known time zone."""
        if len(self.fields.split()) != FIELDS or not croniter.is_valid(self.fields):
            raise NotConfigured(f"not a cron expression of five fields: {self.fields[:80]!r}")
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise NotConfigured(f"not a known time zone: {self.zone[:80]!r}") from None

    def next(self, after: datetime) -> datetime:
        """Return the first due moment later than `after`, in UTC."""
        return next(self._from(after))

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Yield the due moments in (after, until], in UTC."""
        for moment in self._from(after):
            if moment > until:
                return
            yield moment

    def _from(self, after: datetime) -> Iterator[datetime]:
        zone = ZoneInfo(self.zone)
        local = after.astimezone(zone).replace(tzinfo=None) - timedelta(days=1)
        times, last = croniter(self.fields, local), after
        while True:
            naive: datetime = times.get_next(datetime)
            moment = naive.replace(tzinfo=zone).astimezone(UTC)
            if moment > last:
                yield (last := moment)
