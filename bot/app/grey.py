"""Runs the grey-failure watch beside the bot."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from bot.domain.time import wall_clock
from bot.settings import Settings
from bot.storage.database import Database
from bot.storage.grey import GreyMemory
from bot.storage.inbox import SignalInbox
from bot.workflows.grey_watch import Parts, watch_all
from bot.workflows.inquiry import Inquiry


@asynccontextmanager
async def grey_watch(
    settings: Settings, inquiry: Inquiry, database: Database
) -> AsyncIterator[None]:
    """Watch all environments while the block runs, unless the settings say no."""
    if not settings.grey_watch:
        yield
        return
    wall = wall_clock()
    parts = Parts(
        collectors=inquiry.collectors,
        inbox=SignalInbox(database, wall),
        memory=GreyMemory(database, f"{settings.executor_id}:{uuid.uuid4().hex[:8]}"),
        world=inquiry.clock,
        wall=wall,
    )
    task = asyncio.create_task(watch_all(parts))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
