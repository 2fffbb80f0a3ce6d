"""What the HTTP door answered is counted by route, whatever path was asked for."""

import asyncio
import socket
from dataclasses import dataclass, field

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from bot.app.door import Measured, served
from bot.domain.telemetry import Unwatched


@dataclass
class Heard(Unwatched):
    """Remembers answers."""

    answers: list[tuple[str, int]] = field(default_factory=list)

    def answered(self, path: str, status: int, seconds: float) -> None:
        self.answers.append((path, status))


async def fine(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("fine")


async def broken(_request: Request) -> PlainTextResponse:
    raise KeyError("a bug")


ROUTES = [Route("/hooks/{name}", fine, methods=["POST"]), Route("/broken", broken)]


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("POST", "/hooks/a-name-from-data", ("/hooks/{name}", 200)),
        ("GET", "/hooks/x", ("/hooks/{name}", 405)),
        ("GET", "/broken", ("/broken", 500)),
        ("GET", "/wp-login.php", ("other", 404)),
        ("GET", "/%ff%00", ("other", 404)),
    ],
)
def test_by_route_and_status(method: str, path: str, answer: tuple[str, int]) -> None:
    heard = Heard()
    app = Measured(Starlette(routes=ROUTES), ROUTES, heard)
    TestClient(app, raise_server_exceptions=False).request(method, path)
    assert heard.answers == [answer]


async def test_a_connection_that_was_idle_for_a_while_is_still_open() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    async with served(Starlette(routes=ROUTES), listener):
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        for idle_s in (0.0, 5.5):  # uvicorn's own limit is 5 s
            await asyncio.sleep(idle_s)
            writer.write(b"GET /nowhere HTTP/1.1\r\nHost: door\r\n\r\n")
            assert (await reader.readline()).startswith(b"HTTP/1.1 404")
            await reader.readuntil(b"Not Found")
        writer.close()
