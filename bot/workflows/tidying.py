"""Forgets workflows that ended long ago: the journal of an investigation holds all that it saw."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

from dbos import DBOS

from bot.storage.errors import DRIVER_ERRORS
from bot.workflows.timing import Timekeeper

KEPT = timedelta(days=120)  # wall; longer than what would begin one again under its id is kept
SOON_S, EVERY_S = 600.0, 3600.0  # wall
BATCH, MOST_BATCHES = 200, 50  # a round
LOG = logging.getLogger(__name__)


class Tidying:
    """Removes ended workflows of these kinds, with their steps. Every replica does it."""

    def __init__(self, time: Timekeeper, kinds: Callable[[], Sequence[str]]) -> None:
        self._time, self._kinds = time, kinds

    async def watch(self) -> None:
        """Do a round now and then, for ever."""
        await asyncio.sleep(SOON_S)
        while True:
            try:
                await self.round()
            except DRIVER_ERRORS as error:
                LOG.warning("the journal cannot be tidied yet: %s", type(error).__name__)
            await asyncio.sleep(EVERY_S)

    async def round(self) -> int:
        """Remove what ended long ago, in batches; return how many. What goes on is never old."""
        before, removed = (self._time.now() - KEPT).isoformat(), 0
        for _ in range(MOST_BATCHES):
            found = await DBOS.list_workflows_async(
                name=list(self._kinds()), completed_before=before, limit=BATCH,
                load_input=False, load_output=False,
            )  # fmt: skip
            if found:
                await DBOS.delete_workflows_async([one.workflow_id for one in found])
            removed += len(found)
            if len(found) < BATCH:
                break
        return removed
