"""What is not for the door reaches the bot as it was sent, and the bot's answer comes back so."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.app.door import served
from bot.app.forwarding import Forwarding
from bot.domain.telemetry import Unwatched
from bot.intake.reading import Limits, Reader

HASTY = Limits(body_bytes=10_000, seconds=0.3)
SLOW_S = 0.5


async def told(request: Request) -> JSONResponse:
    """Say what came in."""
    answer = {
        "method": request.method,
        "path": request.scope["raw_path"].decode("latin-1"),
        "query": request.url.query,
        "from": request.client,
        "headers": request.headers.items(),
        "body": (await request.body()).decode("latin-1"),
    }
    return JSONResponse(answer)


async def elsewhere(_request: Request) -> Response:
    return RedirectResponse("http://elsewhere.example/", 307)


async def special(_request: Request) -> Response:
    answer = Response(b"\x1f\x8bnot really", 418, {"Content-Encoding": "gzip", "X-Own": "1"})
    answer.headers.append("Set-Cookie", "a=1")
    answer.headers.append("Set-Cookie", "b=2")
    answer.headers.append("Connection", "X-Own")
    return answer


async def slow(_request: Request) -> Response:
    await asyncio.sleep(SLOW_S * 4)
    return Response("too late")


async def breaks(_request: Request) -> Response:
    async def half() -> AsyncIterator[bytes]:
        yield b"half of "
        await asyncio.sleep(SLOW_S * 4)

    return StreamingResponse(half())


BOT = Starlette(
    routes=[
        Route("/elsewhere", elsewhere, methods=["GET", "POST"]),
        Route("/special", special),
        Route("/slow", slow),
        Route("/half", breaks),
        Route("/{rest:path}", told, methods=["GET", "POST", "PUT", "DELETE", "OPTIONS"]),
    ]
)


def bound() -> socket.socket:
    found = socket.socket()
    found.bind(("127.0.0.1", 0))
    return found


@dataclass
class Counted(Unwatched):
    """Remembers what the door answered itself."""

    answers: list[tuple[str, int]] = field(default_factory=list)

    def answered(self, path: str, status: int, seconds: float) -> None:
        self.answers.append((path, status))


@asynccontextmanager
async def door(
    *,
    bot: bool = True,
    hasty: bool = False,
    by: Counted | None = None,
) -> AsyncIterator[int]:
    """Yield the port of a door; `bot`: whether somebody is behind it."""
    inside, outside = bound(), bound()
    reader, longest_s = (Reader(HASTY), SLOW_S) if hasty else (Reader(Limits()), 10.0)
    async with AsyncExitStack() as stack:
        if bot:
            await stack.enter_async_context(served(BOT, inside))
        port = inside.getsockname()[1]
        made = Forwarding(port, reader, by or Counted(), longest_s=longest_s)
        app = await stack.enter_async_context(made)
        await stack.enter_async_context(served(app, outside))
        yield int(outside.getsockname()[1])
    inside.close()


async def ask(port: int, request: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
    """Send raw bytes and return what comes until the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = [line.split(": ", 1) for line in lines]
    return int(first.split(" ")[1]), [(k.lower(), v) for k, v in pairs], body


def request_of(target: str, *headers: str, method: str = "GET", body: bytes = b"") -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: door.example", "Connection: close", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


async def test_method_path_query_headers_and_body_arrive_as_they_were_sent() -> None:
    target = "/slack/events/%2e%2e/a%20b//c?x=1&x=%26&y=a+b"
    sent = request_of(
        target, "X-Slack-Signature: v0=abc", "X-Twice: 1", "X-Twice: 2", "User-Agent: Slackbot",
        "X-Mine: 1", "Connection: X-Mine", "Keep-Alive: timeout=5", method="POST",
        body=b"payload=%7B%22a%22%3A1%7D\xff",
    )  # fmt: skip
    async with door() as port:
        status, _, body = await ask(port, sent)
    found = json.loads(body)
    headers = [tuple(pair) for pair in found["headers"]]
    assert status == 200
    assert (found["method"], found["path"]) == ("POST", target.split("?", maxsplit=1)[0])
    assert found["query"] == "x=1&x=%26&y=a+b"
    assert found["body"].encode("latin-1") == b"payload=%7B%22a%22%3A1%7D\xff"
    assert [v for k, v in headers if k == "x-twice"] == ["1", "2"]
    assert ("x-slack-signature", "v0=abc") in headers
    assert ("user-agent", "Slackbot") in headers
    assert ("host", "door.example") in headers, "the bot's own redirects name it"
    assert not {"x-mine", "keep-alive", "accept", "accept-encoding"} & {k for k, _ in headers}


async def test_nobody_says_where_a_request_comes_from_and_each_has_its_own_connection() -> None:
    sent = request_of("/x", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https")
    async with door() as port:
        came = [json.loads((await ask(port, sent))[2])["from"] for _ in range(3)]
    assert {host for host, _ in came} == {"127.0.0.1"}
    assert len({port for _, port in came}) == 3, "one that is just being closed would lose a click"


async def test_an_answer_comes_back_as_it_is() -> None:
    async with door() as port:
        status, headers, body = await ask(port, request_of("/special"))
        assert status == 418
        assert b"\x1f\x8bnot really" in body, "not unpacked on the way"
        assert ("content-encoding", "gzip") in headers
        assert [v for k, v in headers if k == "set-cookie"] == ["a=1", "b=2"]
        assert "x-own" not in dict(headers), "it was of the other connection"
        assert [k for k, _ in headers].count("date") == 1
        assert "server" not in dict(headers)
        status, headers, _ = await ask(port, request_of("/elsewhere"))
        assert (status, dict(headers)["location"]) == (307, "http://elsewhere.example/")


@pytest.mark.parametrize(
    "target",
    ["http://elsewhere.example/x", "@elsewhere.example/x", "elsewhere.example:443", "*", "8080/x"],
)
async def test_no_request_names_where_it_goes(target: str) -> None:
    method = "OPTIONS" if target == "*" else "GET"
    async with door() as port:
        status, _, body = await ask(port, request_of(target, method=method))
    assert status in {400, 404}
    assert b"elsewhere" not in body


async def test_a_path_with_two_slashes_is_a_path() -> None:
    async with door() as port:
        status, _, body = await ask(port, request_of("//elsewhere.example/x"))
    assert status == 200
    assert b'"path":"//elsewhere.example/x"' in body


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (request_of("/x", method="POST", body=b"x" * 10_001), 413, "large"),
        (request_of("/x", "Content-Length: 9", method="POST"), 408, "slow"),
        (request_of("/x", "Content-Encoding: gzip", method="POST", body=b"x"), 415, "encoded"),
        (request_of("/slow"), 503, "unavailable"),
    ],
)
async def test_what_cannot_be_passed_on_is_said(sent: bytes, status: int, code: str) -> None:
    counted = Counted()
    async with door(hasty=True, by=counted) as port:
        found, _, body = await ask(port, sent)
    assert (found, json.loads(body)["error"]["code"]) == (status, code)
    assert counted.answers == [("forwarded", status)]


async def test_without_a_bot_the_answer_is_to_try_again() -> None:
    async with door(bot=False) as port:
        status, headers, body = await ask(port, request_of("/readyz"))
    error = json.loads(body)["error"]
    assert (status, error["code"]) == (503, "unavailable")
    assert error["message"] == "I don't answer at the moment. Try again."
    assert int(dict(headers)["retry-after"]) >= 1


async def test_half_an_answer_does_not_look_whole() -> None:
    async with door(hasty=True) as port:
        status, headers, body = await ask(port, request_of("/half"))
    assert status == 200
    assert dict(headers)["transfer-encoding"] == "chunked"
    assert b"half of " in body
    assert not body.endswith(b"0\r\n\r\n")


async def test_senders_of_strange_bytes_get_an_answer_and_others_go_on() -> None:
    async with door() as port:
        for line in ("GET /\xff\xfe HTTP/1.1", "GET /%00%ff HTTP/1.1", "BREW /pot HTTP/1.1"):
            raw = f"{line}\r\nHost: x\r\nX: \xe4\r\nConnection: close\r\n\r\n".encode("latin-1")
            status, _, _ = await ask(port, raw)
            assert status < 500
        status, _, _ = await ask(port, request_of("/x"))
        assert status == 200
