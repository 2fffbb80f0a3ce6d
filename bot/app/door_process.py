"""The HTTP door: a process that commits webhooks, answers them, and hands the bot all else."""

import asyncio
import json
import logging
import signal
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from socket import socket

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.app.attention import attend, settle
from bot.app.door import Measured, served
from bot.app.forwarding import Forwarding
from bot.app.intake import webhooks_of
from bot.app.logs import configure
from bot.domain.telemetry import Unwatched
from bot.domain.time import wall_clock
from bot.intake.reading import Limits, Reader
from bot.settings import Settings, load_environments
from bot.storage.database import Database
from bot.supervision import supervised

LOG = logging.getLogger(__name__)
OPEN = b"open\n"  # what the bot says, and what the door answers when it is
TELL_EVERY_S = 1.0  # wall
A_LINE = 500  # answers
KEPT = 50_000  # answers, while the bot does not listen; the oldest go first
UNREAD = 1024 * 1024  # bytes
Answered = tuple[str, int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the door is: a bound socket for all the world, one to the bot, the bot's own port."""

    settings: Settings
    outside: socket
    link: socket
    bot_port: int


class Answers(Unwatched):
    """Keeps what was answered until the bot is told, which keeps the count of it."""

    def __init__(self) -> None:
        self._kept: deque[Answered] = deque(maxlen=KEPT)

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Keep one answer."""
        self._kept.append((path, status, seconds))

    async def tell_on(self, link: asyncio.StreamWriter) -> None:
        """Tell every second, also that there was nothing: it is how the bot knows of the door."""
        while True:
            if link.transport.get_write_buffer_size() < UNREAD:
                self.tell(link)
            await asyncio.sleep(TELL_EVERY_S)

    def tell(self, link: asyncio.StreamWriter) -> None:
        """Tell what was answered since the last time."""
        link.writelines(self._lines())

    def _lines(self) -> Iterator[bytes]:
        while True:
            some = [self._kept.popleft() for _ in range(min(A_LINE, len(self._kept)))]
            yield json.dumps(some).encode() + b"\n"
            if not self._kept:
                return


class Doorway:
    """Webhooks go to the door's own application, everything else to the bot."""

    def __init__(self, webhooks: ASGIApp, bot: ASGIApp) -> None:
        self._webhooks, self._bot = webhooks, bot

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        inside = self._webhooks if scope["path"].startswith("/webhooks/") else self._bot
        await inside(scope, receive, send)


def run(place: Place) -> None:
    """Be the door until the bot's end of the link is closed, by itself or by its death.

    The signals that end the bot are not for the door: it finishes what it answers, and leaves when
    the bot does.
    """
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, signal.SIG_IGN)
    configure(place.settings.log_level)
    attend()
    end = asyncio.run(_end(place))
    if end is not None:
        LOG.error("the HTTP door broke", exc_info=end)
        sys.exit(1)


async def _end(place: Place) -> BaseException | None:
    """Return what went wrong: raised, it would be told past the log and its redaction."""
    return (await asyncio.gather(_kept(place), return_exceptions=True))[0]


async def _kept(place: Place) -> None:
    reader, link = await asyncio.open_connection(sock=place.link)
    if await reader.readline() != OPEN:
        return  # the bot did not come up
    database = Database(place.settings.database)
    try:
        await _open(place, database, reader, link)
    finally:
        database.close()
        link.close()


async def _open(
    place: Place, database: Database, reader: asyncio.StreamReader, link: asyncio.StreamWriter
) -> None:
    wall = wall_clock()
    environments = load_environments(place.settings.environments)
    webhooks = webhooks_of(place.settings, database, environments, wall)
    answers = Answers()
    inside = Measured(Starlette(routes=webhooks.routes), webhooks.routes, answers)
    settle()
    async with Forwarding(place.bot_port, Reader(Limits()), answers) as bot:
        async with served(Doorway(inside, bot), place.outside):
            link.write(OPEN)
            telling = asyncio.create_task(
                supervised("telling what was answered", lambda: answers.tell_on(link))
            )
            await _closed(reader)
            telling.cancel()
        await webhooks.commits.close()
    answers.tell(link)


async def _closed(reader: asyncio.StreamReader) -> None:
    """Return when the bot has closed its end, or is dead."""
    try:
        await reader.read()
    except ConnectionError:
        return
