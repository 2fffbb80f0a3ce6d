"""The loop between PagerDuty and the incidents: level-triggered, so a crash loses nothing."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from bot.domain.codec import encode
from bot.domain.errors import Permanent, Refused, SreBotError, Transient
from bot.domain.paging import NoteDue, Page, Pager, PageStore, Quiet
from bot.domain.redaction import redact
from bot.supervision import supervised
from bot.workflows.engine import Engine
from bot.workflows.page_calls import Calling
from bot.workflows.page_looks import Looking
from bot.workflows.page_notes import Noting, key_of

NOTING, CALLING = "page-note", "page-call"
BATCH, MOST_BATCHES, FEW = 200, 20, 20
KEPT, TIDY_S = timedelta(days=90), 3600.0  # wall
LOOK_S = 20.0  # wall
STARTED = 1_000  # workflows that are remembered as started
LOG = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Paging:
    """Takes in what PagerDuty tells, and starts what is to be told back.

    Every replica runs it: what is taken in is taken in once, and a workflow starts once per id.
    """

    engine: Engine
    pages: PageStore
    pagers: Mapping[str, Pager]
    noting: Noting
    calling: Calling
    looking: Looking
    every_s: float = 1.0  # wall
    _started: dict[str, None] = field(default_factory=dict)
    _not_before: dict[str, float] = field(default_factory=dict)  # monotonic, by policy

    def register(self) -> None:
        """Make the workflows known; before the engine's launch."""
        self.engine.register(NOTING, self.noting.body)
        self.engine.register(CALLING, self.calling.body)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Work while the block runs."""
        work = asyncio.get_running_loop().create_task(self.run())
        try:
            yield
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def run(self) -> None:
        """Work until cancelled. One slow system holds up no other part."""
        await asyncio.gather(
            self._forever("following pages", self.tick, self.every_s),
            self._forever("naming who is on call", self.name_on_call, self.every_s),
            self._forever("looking at silent pages", self.looking.round, LOOK_S),
            self._forever("forgetting old pages", lambda: self.pages.forget(KEPT), TIDY_S),
        )

    async def tick(self) -> None:
        """Take in what is new, and start the workflows that are due. Raises: Unavailable.

        What is due is read first: then the pages are at least as new as the reports.
        """
        notes, quiet = await self.pages.notes_due(FEW), await self.pages.quiet(FEW)
        behind = not await self._caught_up()
        for due in notes:
            await self._start(NOTING, key_of(due).replace("/", ":"), due)
        for one in () if behind else quiet:
            await self._start(CALLING, f"call:{one.incident_id}:{one.investigation_id}", one)

    async def _caught_up(self) -> bool:
        for _ in range(MOST_BATCHES):
            if await self.pages.take(BATCH) < BATCH:
                return True
        return False

    async def name_on_call(self) -> None:
        """Ask for each page once who is on call. Raises: Unavailable: the database is down."""
        for page in await self.pages.unnamed(FEW):
            pager = self.pagers.get(page.environment)
            if pager is None or self._too_early(page):
                continue
            try:
                names = await pager.on_call(page.policy) if page.policy else ()
            except Transient as error:
                loop = asyncio.get_running_loop()
                self._not_before[page.policy] = loop.time() + max(5.0, error.retry_after_s)
                LOG.info("who is on call is not known yet: %s", redact(str(error)))
                continue
            except (Permanent, Refused) as error:
                LOG.warning("who is on call cannot be read: %s", redact(str(error)))
                names = ()
            await self.pages.name(page.id, names)

    def _too_early(self, page: Page) -> bool:
        return asyncio.get_running_loop().time() < self._not_before.get(page.policy, 0.0)

    async def _start(self, kind: str, name: str, order: NoteDue | Quiet) -> None:
        if name in self._started:
            return
        await self.engine.start(kind, name, encode(order))
        self._started[name] = None
        while len(self._started) > STARTED:
            del self._started[next(iter(self._started))]

    async def _forever(
        self, name: str, work: Callable[[], Awaitable[None]], every_s: float
    ) -> None:
        async def rounds() -> None:
            while True:
                try:
                    await work()
                except SreBotError as error:
                    LOG.warning("pages: %s", redact(str(error)))
                    await asyncio.sleep(self.every_s)
                await asyncio.sleep(every_s)

        await supervised(name, rounds, every_s=every_s)
