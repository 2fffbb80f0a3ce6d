"""Takes up again what ended in this process although the journal says that it goes on.

When the journal cannot be written (its disk is full, its server refuses), a workflow can neither go
on nor say how it ended. It is left as it stood, and goes on from its journal a little later.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from dbos import DBOS

from bot.storage.errors import DRIVER_ERRORS

LOG = logging.getLogger(__name__)
AFTER_S = 5.0  # wall; by then an end is in the journal, if it could be written

Body = Callable[..., Awaitable[Any]]


class Strays:
    """The workflows that ended in this process, until the journal says so too."""

    def __init__(self) -> None:
        self._running: Counter[str] = Counter()
        self._ended: dict[str, float] = {}  # when, by the loop's clock

    async def run(self, body: Body, *arguments: Any) -> Any:
        """Run a workflow's body; a journal that fails ends the run and not the workflow."""
        name = str(DBOS.workflow_id)
        self._running[name] += 1
        try:
            return await body(*arguments)
        except DRIVER_ERRORS as error:
            LOG.error("the journal of %s cannot be used: %s", name, type(error).__name__)  # noqa: TRY400 - its text may hold data
            raise asyncio.CancelledError from error  # the engine leaves such a one as it stands
        finally:
            self._running[name] -= 1
            self._ended[name] = asyncio.get_running_loop().time()

    async def watch(self) -> None:
        """Look after what ended, for ever."""
        while True:
            await asyncio.sleep(AFTER_S)
            try:
                await self._take_up()
            except DRIVER_ERRORS as error:
                LOG.warning("the journal cannot be used yet: %s", type(error).__name__)

    async def _take_up(self) -> None:
        """Queue what ended a while ago, and is still under way in the journal."""
        before = asyncio.get_running_loop().time() - AFTER_S
        for name in [name for name, at in self._ended.items() if at <= before]:
            if not self._running[name]:
                status = await DBOS.get_workflow_status_async(name)
                if status is not None and status.status == "PENDING" and not self._running[name]:
                    LOG.warning("%s goes on from its journal", name)
                    await DBOS.resume_workflow_async(name)
                del self._running[name]
            del self._ended[name]
