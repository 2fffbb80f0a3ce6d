"""The door that `sre-bot bench intake` measures: the real routes and the real inbox, alone."""

import asyncio
import resource
import time
from multiprocessing.connection import Connection
from typing import Any

PER_MB = 1024.0  # ru_maxrss is in kB on Linux


def run(url: str, secret: str, pipe: "Connection[Any, Any]") -> None:
    """Serve until told to stop, then tell what it took; runs in a process of its own."""
    from bot.storage.database import Database
    from bot.storage.migrate import upgrade

    database = Database(url)
    upgrade(database.engine)
    try:
        asyncio.run(_serve(database, secret, pipe))
    finally:
        database.close()


async def _serve(database: Any, secret: str, pipe: "Connection[Any, Any]") -> None:
    from socket import create_server

    from pydantic import SecretStr
    from starlette.applications import Starlette

    from bot.app.door import served
    from bot.app.intake import intake_of, webhooks_of
    from bot.domain.time import ScaledClock
    from bot.settings import Settings

    known = (SecretStr(secret),)
    settings = Settings(pagerduty_webhook_secrets=known, alertmanager_secrets=known)
    clock = ScaledClock(origin=settings.origin)
    inbox = intake_of(settings, database, clock).inbox
    webhooks = webhooks_of(settings, database, (), clock)
    before = await inbox.waiting()
    listener = create_server(("127.0.0.1", 0))
    async with served(Starlette(routes=webhooks.routes), listener):
        cpu = time.process_time()
        pipe.send(int(listener.getsockname()[1]))
        await asyncio.to_thread(pipe.recv)
        cpu = time.process_time() - cpu
    await webhooks.commits.close()
    pipe.send(
        {
            "database": database.engine.dialect.name,
            "stored": await inbox.waiting() - before,
            "cpu_s": cpu,
            "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / PER_MB,
        }
    )
