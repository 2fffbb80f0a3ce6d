"""Looks at pages that went silent: a webhook that never came must not leave an incident open."""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain.errors import Permanent, Refused, Transient
from bot.domain.paging import RESOLVED, Look, Page, Pager, PageStore
from bot.domain.redaction import redact
from bot.domain.signal import Origin, Phase, Severity, Signal
from bot.domain.time import Clock

SILENT = timedelta(minutes=10)  # wall; after that a page is looked at, and as often again
FEW, MANY = 10, 500
KEPT = 5_000
Tell = Callable[[Sequence[Signal], datetime], Awaitable[object]]
LOG = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Looking:
    """Reads what PagerDuty did not tell, and puts it into the inbox like what it tells.

    `tell` commits signals; `clock` is the wall.
    """

    pages: PageStore
    pagers: Mapping[str, Pager]
    tell: Tell
    clock: Clock
    silent: timedelta = SILENT
    _looked: dict[str, float] = field(default_factory=dict)  # monotonic, by page

    async def round(self) -> None:
        """Look at a few pages. Raises: Unavailable: the database is down."""
        loop, now = asyncio.get_running_loop(), self.clock.now()
        found = await self.pages.unheard(now - self.silent, MANY)
        due = [p for p in found if loop.time() - self._looked.get(p.id, -1e9) >= self._again_s]
        for page in due[:FEW]:
            self._looked[page.id] = loop.time()
            await self._look(page)
        while len(self._looked) > KEPT:
            del self._looked[next(iter(self._looked))]

    @property
    def _again_s(self) -> float:
        return self.silent.total_seconds()

    async def _look(self, page: Page) -> None:
        pager = self.pagers.get(page.environment)
        if pager is None:
            return
        try:
            look = await pager.look(page.id)
        except (Transient, Permanent, Refused) as error:
            LOG.info("page %s could not be looked at: %s", page.id, redact(str(error)))
            return
        await self.saw(page, look)

    async def saw(self, page: Page, look: Look) -> None:
        """Tell what a look showed, if it is news. Raises: Transient."""
        if _differs(page, look):
            now = self.clock.now()
            await self.tell((_signal(page, look, now),), now)


def _differs(page: Page, look: Look) -> bool:
    before = (page.status, page.urgency, page.priority, sorted(page.assignees))
    return before != (look.status, look.urgency, look.priority, sorted(look.assignees))


def _signal(page: Page, look: Look, now: datetime) -> Signal:
    """Return what was seen, as if it had been told; of all replicas that see it one is kept."""
    state = [page.id, look.status, look.urgency, look.priority, *sorted(look.assignees)]
    seen = hashlib.sha256(chr(0).join(state).encode()).hexdigest()[:12]
    return Signal(
        key=f"pagerduty:look:{page.id}:{seen}:{now:%Y%m%d%H}",
        origin=Origin.PAGERDUTY,
        subject=f"pagerduty:{page.id}",
        phase=Phase.RESOLVED if look.status == RESOLVED else Phase.UPDATED,
        title=page.title,
        at=now,
        severity=Severity.HIGH,
        environment=page.environment,
        services=(page.service,) if page.service else (),
        link=page.link,
        event="incident.seen",
        details={
            "status": look.status, "urgency": look.urgency, "priority": look.priority,
            "assignees": ", ".join(look.assignees),
        },
    )  # fmt: skip
