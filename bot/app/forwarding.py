"""Hands requests that are not for the door on to the bot, and its answers back."""

import asyncio
import logging
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

import aiohttp
from starlette.requests import Request
from starlette.types import Receive, Scope, Send
from yarl import URL

from bot.domain.errors import Transient, Unavailable
from bot.domain.redaction import redact
from bot.domain.telemetry import Telemetry
from bot.intake.answers import TurnedAway, later, turned_away
from bot.intake.reading import Reader

LOG = logging.getLogger(__name__)
LONGEST_S = 10.0  # wall, for an answer; Slack waits three seconds
PATH = "forwarded"  # as what the answers are counted that are not the bot's
CHUNK = 65_536  # bytes
# Of one connection, not of the message: RFC 9110, 7.6.1.
_OWN = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer "
    b"transfer-encoding upgrade".split()
)
_ANEW = frozenset((b"content-length", b"expect"))  # made for the next connection
_OURS = frozenset((b"date",))  # the door says it itself
Headers = list[tuple[bytes, bytes]]


class Forwarding:
    """An ASGI application: the bot at a port of loopback. Use it as a block.

    The body is read whole, under `reader`'s limits, before the bot hears of the request. What the
    bot does not answer is counted by `by`; it counts its own.
    """

    def __init__(
        self, port: int, reader: Reader, by: Telemetry, longest_s: float = LONGEST_S
    ) -> None:
        self._port, self._reader, self._by, self._longest_s = port, reader, by, longest_s

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(
            # A connection of its own for each: one that the bot is just closing would lose a click.
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
            auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        )  # fmt: skip
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request as the bot does, or say that it does not."""
        request, begun, began = Request(scope, receive), _Begun(send), time.monotonic()
        try:
            target = _target(request, self._port)
            async with self._reader.body(request) as body, asyncio.timeout(self._longest_s):
                await self._pass(request, target, body, begun)
                return
        except TurnedAway as error:
            refusal = turned_away(error)
        except (aiohttp.ClientError, TimeoutError, Transient) as error:
            LOG.warning("the bot did not answer: %s", redact(repr(error)))
            if begun.began:
                raise  # half an answer must not look whole
            problem = error if isinstance(error, Transient) else Unavailable("bot", "silent")
            refusal = later(problem, "I don't answer at the moment. Try again.")
        self._by.answered(PATH, refusal.status_code, time.monotonic() - began)
        await refusal(scope, receive, send)

    async def _pass(self, request: Request, target: URL, body: bytes, send: "_Begun") -> None:
        wanted = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in _passed(request.headers.raw)
            if name not in _ANEW
        ]
        asked = self._http.request(
            request.method, target, headers=wanted, data=body or None, allow_redirects=False
        )
        async with asked as answer:
            headers = _passed(answer.raw_headers)
            await send.head(answer.status, [h for h in headers if h[0] not in _OURS])
            async for chunk in answer.content.iter_chunked(CHUNK):
                await send.part(chunk)
        await send.end()


class _Begun:
    """What is sent to who asked; knows whether there is no going back."""

    def __init__(self, send: Send) -> None:
        self._send, self.began = send, False

    async def head(self, status: int, headers: Headers) -> None:
        self.began = True
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def part(self, chunk: bytes) -> None:
        await self._send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def end(self) -> None:
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})


def _target(request: Request, port: int) -> URL:
    """Return the address at the bot. Raises: TurnedAway: not a path, which may name a host."""
    path = request.scope.get("raw_path") or request.scope["path"].encode()
    if not path.startswith(b"/"):
        raise TurnedAway(404, "unknown", "There is no such path.")
    return URL.build(
        scheme="http", host="127.0.0.1", port=port, path=path.decode("latin-1"),
        query_string=request.scope["query_string"].decode("latin-1"), encoded=True,
    )  # fmt: skip


def _passed(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Return the headers of the message itself; what `Connection` names is not."""
    found = [(name.lower(), value) for name, value in headers]
    named = b",".join(value for name, value in found if name == b"connection").lower()
    dropped = _OWN | {name.strip() for name in named.split(b",")}
    return [(name, value) for name, value in found if name not in dropped]
