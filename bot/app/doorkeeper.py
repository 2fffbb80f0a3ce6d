"""Keeps the HTTP door, a process of its own: what the bot computes holds up no sender.

The door commits webhooks and answers them by itself, and hands everything else to the bot on
loopback. The two share a link: the bot says when to open, the door tells what it answered, and the
link's end tells each that the other is gone. Neither stays without the other.
"""

import asyncio
import errno
import json
import logging
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from multiprocessing import get_context
from multiprocessing.process import BaseProcess

from starlette.applications import Starlette
from starlette.routing import BaseRoute

from bot.app.door import LEAVE_WITHIN_S, Measured, served
from bot.app.door_process import OPEN, Place, run
from bot.domain.errors import NotConfigured, Unavailable
from bot.domain.telemetry import telemetry
from bot.settings import Settings

LOG = logging.getLogger(__name__)
LOOPBACK = "127.0.0.1"
PORT_FREE_WITHIN_S = 5.0  # the bot before this one may still be on its way out
OPEN_WITHIN_S = 30.0
GONE_WITHIN_S = LEAVE_WITHIN_S + 2.0
ENDED_WITHIN_S = 2.0  # its work is over by then
LISTEN_S, SILENCES = 15.0, 4  # the door tells every second; who was stopped listens once more
A_LINE = 1024 * 1024  # bytes


class Doorkeeper:
    """The door as the bot sees it."""

    def __init__(
        self, process: BaseProcess, link: socket.socket, inside: socket.socket, port: int
    ) -> None:
        self.port, self.pid = port, process.pid
        self._process, self._link, self._inside = process, link, inside

    @asynccontextmanager
    async def open(
        self, routes: Sequence[BaseRoute], lost: Callable[[], None]
    ) -> AsyncIterator[None]:
        """Keep the door open while the block runs; `routes` are what the bot answers itself.

        `lost` is called when the door ends, or hangs, before the block does. Raises: Unavailable:
        it did not open, or it was lost.
        """
        app = Measured(Starlette(routes=list(routes)), routes, telemetry())
        async with served(app, self._inside):
            reader, link = await asyncio.open_connection(sock=self._link, limit=A_LINE)
            await self._opened(reader, link)
            hearing = asyncio.create_task(_hear(reader, lost))
            try:
                yield
            finally:
                gone = hearing.done()
                link.write_eof()
                await asyncio.wait({hearing}, timeout=GONE_WITHIN_S)  # what it answered last
                hearing.cancel()
                link.close()
        if gone:
            raise Unavailable("the HTTP door", "I lost it, so I stopped. Start me again")

    async def _opened(self, reader: asyncio.StreamReader, link: asyncio.StreamWriter) -> None:
        link.write(OPEN)
        try:
            async with asyncio.timeout(OPEN_WITHIN_S):
                said = await reader.readline()
        except (TimeoutError, ConnectionError):
            said = b""
        if not said:
            link.close()
            self._process.join(ENDED_WITHIN_S)
            code = self._process.exitcode
            why = "it hangs" if code is None else f"it ended with code {code}, its log says why"
            raise Unavailable("the HTTP door", f"it did not open: {why}")


async def _hear(reader: asyncio.StreamReader, lost: Callable[[], None]) -> None:
    """Count what the door answered, until its end, or until it hangs."""
    silences = 0
    try:
        while silences < SILENCES:
            try:
                line = await asyncio.wait_for(reader.readline(), LISTEN_S)
            except TimeoutError:
                silences += 1
                continue
            if not line:
                return
            silences = 0
            for path, status, seconds in json.loads(line):
                telemetry().answered(path, status, seconds)
        LOG.error("the HTTP door hangs: nothing heard of it for %.0f s", SILENCES * LISTEN_S)
    except ConnectionError:
        return  # an end like another
    finally:
        lost()


@contextmanager
def doorkeeper(settings: Settings, *, start: str = "fork") -> Iterator[Doorkeeper]:
    """Start the door's process, which waits to be opened; at the end of the block it is gone.

    It is forked, so it must come before all that starts threads or opens connections; `start` is
    for who has done so, at the price of a second. Raises: NotConfigured: the port cannot be had.
    """
    outside = _bound(settings.http_host, settings.http_port)
    inside = _bound(LOOPBACK, 0)
    ours, theirs = socket.socketpair()
    port, bot_port = (int(bound.getsockname()[1]) for bound in (outside, inside))
    place = Place(settings=settings, outside=outside, link=theirs, bot_port=bot_port)
    process: BaseProcess = get_context(start).Process(target=_be, args=(place, ours, inside))  # type: ignore[attr-defined] # of every context
    process.start()
    outside.close()
    theirs.close()
    try:
        yield Doorkeeper(process, ours, inside, port)
    finally:
        ours.close()
        inside.close()
        process.join(ENDED_WITHIN_S)
        if process.is_alive():
            process.kill()
            process.join()


def _be(place: Place, *of_the_bot: socket.socket) -> None:
    """Be the door, in its own process."""
    for end in of_the_bot:
        end.close()  # else the bot's death would not be seen
    run(place)


def _bound(host: str, port: int) -> socket.socket:
    """Return a socket that is bound, but does not listen yet. Raises: NotConfigured."""
    deadline = time.monotonic() + PORT_FREE_WITHIN_S
    while True:
        bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((host, port))
        except OSError as error:
            bound.close()
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                where = f"SRE_BOT_HTTP_HOST and SRE_BOT_HTTP_PORT: {host} port {port}"
                raise NotConfigured(f"{where} cannot be had: {error.strerror}") from None
            time.sleep(0.1)  # noqa: TID251 - nothing runs yet that it could hold up
        else:
            return bound
