"""A small strict stand-in for the sandbox's /client and /control, with the page in front."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from bot.sandbox.page.routes import routes as page_routes

Json = dict[str, Any]
NOON = 1795262400.0  # 2026-11-21 12:00:00 UTC

USERS: list[Json] = [
    {"id": "U0SREBOT", "name": "sre-bot", "real_name": "sre-bot", "role": "", "is_guest": False},
    {"id": "U0RESPONDER", "name": "rosa", "real_name": "Rosa Responder", "role": "responder"},
    {"id": "U0APPROVER", "name": "anil", "real_name": "Anil Approver", "role": "approver"},
    {"id": "U0ADMIN", "name": "ada", "real_name": "Ada Administrator", "role": "administrator"},
    {"id": "U0OBSERVER", "name": "otto", "real_name": "Otto Observer", "role": "observer"},
    {"id": "U0GUEST", "name": "gast", "real_name": "Gail Guest", "role": "", "is_guest": True},
]
ZONES = {"U0RESPONDER": "Europe/Berlin", "U0APPROVER": "Asia/Kolkata"}
CHANNELS: list[Json] = [
    {"id": "C0INCIDENTS", "name": "incidents", "topic": "What burns", "bot_is_member": True},
    {"id": "C0SHOP", "name": "team-shop", "topic": "", "bot_is_member": True},
    {"id": "C0GENERAL", "name": "general", "topic": "", "bot_is_member": False},
]

_ACTION_STATE = {
    "value", "selected_option", "selected_options", "selected_user", "selected_users",
    "selected_date", "selected_time", "selected_channel", "selected_conversation",
}  # fmt: skip
_SHAPES: Mapping[str, tuple[set[str], set[str]]] = {
    "messages": ({"user", "channel", "text"}, {"thread_ts"}),
    "reactions": ({"user", "channel", "ts", "name"}, {"remove"}),
    "actions": (
        {"user", "block_id", "action_id", "type"},
        {"channel", "message_ts", "view_id"} | _ACTION_STATE,
    ),
    "views/submit": ({"user", "view_id", "state"}, set()),
    "views/close": ({"user", "view_id"}, set()),
    "commands": ({"user", "channel", "command", "text"}, {"thread_ts"}),
    "control/incidents": ({"incident", "seed", "environment"}, set()),
}


def _set() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


@dataclass
class FakeClientApi:
    """Canned state; records calls; refuses what the contract does not know."""

    image: Path | None = None
    rooms: dict[str, dict[str, Json]] = field(default_factory=dict)
    calls: list[tuple[str, Json]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    action_answer: Json = field(default_factory=lambda: {"ok": True, "acked": True})
    answering: threading.Event = field(default_factory=_set)  # cleared: clicks get no answer yet
    on_action: Callable[[Json], None] | None = None
    submit_answer: Json = field(default_factory=lambda: {"ok": True})
    command_answer: Json = field(default_factory=lambda: {"ok": True})
    send_answer: Json | None = None
    home: Json | None = None
    streams_refused: bool = False
    truth: Json = field(
        default_factory=lambda: {"prod": {"cause": "slow_query", "object": "deployment/x"}}
    )
    _queues: list[tuple[str, asyncio.Queue[Json | None]]] = field(default_factory=list)
    _loop: asyncio.AbstractEventLoop | None = None
    _serial: int = 0

    # --- what a test does

    def next_ts(self) -> str:
        self._serial += 1
        return f"{NOON + 600 * self._serial:.0f}.{self._serial:06d}"

    def add(self, channel: str = "C0INCIDENTS", *, ts: str | None = None, **message: Any) -> str:
        """Put a message there without an event (as if it had been there before)."""
        ts = ts or self.next_ts()
        body = {"type": "message", "ts": ts, "user": "U0SREBOT", "text": "", **message}
        self.rooms.setdefault(channel, {})[ts] = body
        return ts

    def say(self, channel: str = "C0INCIDENTS", **message: Any) -> str:
        """Add a message and tell every client."""
        ts = self.add(channel, **message)
        self.emit({"type": "message", "channel": channel, "message": self.rooms[channel][ts]})
        return ts

    def edit(self, ts: str, channel: str = "C0INCIDENTS", **changes: Any) -> None:
        message = self.rooms[channel][ts]
        message.update(changes, edited={"user": "U0SREBOT", "ts": ts})
        shown = _counted(message, list(self.rooms[channel].values()))
        self.emit({"type": "message_changed", "channel": channel, "message": shown})

    def delete(self, ts: str, channel: str = "C0INCIDENTS") -> None:
        del self.rooms[channel][ts]
        self.emit({"type": "message_deleted", "channel": channel, "ts": ts})

    def emit(self, event: Json, user: str | None = None) -> None:
        """Send an event to the streams of everyone, or of one user. Safe from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._put, json.loads(json.dumps(event)), user)

    def drop_streams(self, *, refuse: bool) -> None:
        """Break every event stream; with `refuse`, new ones get 503 until it is unset."""
        self.streams_refused = refuse
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._put, None, None)

    def close(self) -> None:
        """End every event stream for good."""
        if self._loop is not None:
            self.drop_streams(refuse=True)

    def called(self, name: str) -> list[Json]:
        return [body for call, body in self.calls if call == name]

    def _put(self, event: Json | None, user: str | None) -> None:
        for listener, queue in self._queues:
            if user in (None, listener):
                queue.put_nowait(event)

    # --- endpoints

    def app(self) -> Starlette:
        posts = [self._post_route(name) for name in _SHAPES]
        return Starlette(
            routes=[
                Route("/client/state", self._state),
                Route("/client/channels/{channel}/messages", self._messages),
                Route("/client/channels/{channel}/threads/{ts}", self._thread),
                Route("/client/home", self._home),
                Route("/client/events", self._events),
                Route("/control/incidents", self._incidents, methods=["GET"]),
                Route("/control/clock", self._clock),
                Route("/control/truth", self._truth),
                Route("/slack/files/{id}/{name}", self._file),
                *posts,
                *page_routes(),
            ]
        )

    def _post_route(self, name: str) -> Route:
        async def handle(request: Request) -> Response:
            body = await request.json()
            problem = self._violation(name, body)
            self.calls.append((name, body))
            if problem:
                self.violations.append(f"{name}: {problem}")
                return JSONResponse({"ok": False, "error": "invalid_arguments"}, 400)
            return JSONResponse(await self._answer(name, body))

        path = f"/{name}" if name.startswith("control/") else f"/client/{name}"
        return Route(path, handle, methods=["POST"])

    @staticmethod
    def _violation(name: str, body: Json) -> str:
        required, optional = _SHAPES[name]
        missing, extra = required - body.keys(), body.keys() - required - optional
        if missing or extra:
            return f"missing {sorted(missing)}, unknown {sorted(extra)}"
        if name == "actions" and ("view_id" in body) == ("message_ts" in body):
            return "exactly one of view_id and message_ts"
        if name == "actions" and not body["block_id"]:
            return "block_id is empty"
        return ""

    async def _answer(self, name: str, body: Json) -> Json:
        if name == "messages":
            return self._sent(body)
        if name == "reactions":
            return self._reacted(body)
        if name == "actions":
            while not self.answering.is_set():  # noqa: ASYNC110 - the test's own thread sets it
                await asyncio.sleep(0.01)
            if self.on_action:
                self.on_action(body)
            return self.action_answer
        return {
            "views/submit": self.submit_answer,
            "commands": self.command_answer,
            "control/incidents": {"cause": "the secret", "question": "why is cart slow in prod?"},
        }.get(name, {"ok": True})

    def _sent(self, body: Json) -> Json:
        if self.send_answer is not None:
            return self.send_answer
        text = body["text"].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        extra = {"thread_ts": body["thread_ts"]} if "thread_ts" in body else {}
        text = text.replace("@sre-bot", "<@U0SREBOT>")
        return {"ok": True, "ts": self.say(body["channel"], user=body["user"], text=text, **extra)}

    def _reacted(self, body: Json) -> Json:
        message = self.rooms[body["channel"]][body["ts"]]
        reactions = message.setdefault("reactions", [])
        if body.get("remove"):
            reactions.clear()
        else:
            reactions.append({"name": body["name"], "users": [body["user"]], "count": 1})
        where = {"channel": body["channel"], "ts": body["ts"]}
        self.emit({"type": "reaction", **where, "reactions": reactions})
        return {"ok": True}

    async def _state(self, request: Request) -> Response:
        users = [{"tz": ZONES.get(user["id"], "UTC"), "is_guest": False, **user} for user in USERS]
        groups = [{"id": "S0APPROVERS", "handle": "sre-approvers", "name": "SRE approvers"}]
        team = {"id": "T0SANDBOX", "name": "Sandbox"}
        body = {"team": team, "bot_user": "U0SREBOT", "users": users, "channels": CHANNELS}
        return JSONResponse({"ok": True, **body, "groups": groups})

    def _visible(self, channel: str, user: str) -> list[Json]:
        room = self.rooms.get(channel, {})
        mine = [m for m in room.values() if m.get("ephemeral_to") in (None, user)]
        return sorted(mine, key=lambda message: str(message["ts"]))

    async def _messages(self, request: Request) -> Response:
        channel = request.path_params["channel"]
        everything = self._visible(channel, request.query_params["user"])
        roots = [m for m in everything if m.get("thread_ts") in (None, m["ts"])]
        return JSONResponse({"ok": True, "messages": [_counted(m, everything) for m in roots]})

    async def _thread(self, request: Request) -> Response:
        channel, ts = request.path_params["channel"], request.path_params["ts"]
        everything = self._visible(channel, request.query_params["user"])
        found = [m for m in everything if ts in (m["ts"], m.get("thread_ts"))]
        if not found:
            return JSONResponse({"ok": False, "error": "thread_not_found"})
        return JSONResponse({"ok": True, "messages": [_counted(m, everything) for m in found]})

    async def _home(self, request: Request) -> Response:
        return JSONResponse({"ok": True, "view": self.home})

    async def _events(self, request: Request) -> Response:
        if self.streams_refused:
            return JSONResponse({"ok": False, "error": "service_unavailable"}, 503)
        self._loop = asyncio.get_running_loop()
        return StreamingResponse(
            self._stream(request.query_params["user"]), media_type="text/event-stream"
        )

    async def _stream(self, user: str) -> AsyncIterator[str]:
        entry: tuple[str, asyncio.Queue[Json | None]] = (user, asyncio.Queue())
        self._queues.append(entry)
        try:
            yield ": hello\n\n"
            while (event := await entry[1].get()) is not None:
                yield f"data: {json.dumps(event)}\n\n"
        finally:
            self._queues.remove(entry)

    async def _incidents(self, request: Request) -> Response:
        rows = [
            {"name": "slow-query", "summary": "A deploy made a query slow."},
            {"name": "bad-image", "summary": "An image that does not exist."},
        ]
        return JSONResponse({"incidents": rows, "composed": "composed"})

    async def _clock(self, request: Request) -> Response:
        return JSONResponse({"now": "2026-11-21T13:30:00+00:00", "rate": 10.000000001})

    async def _truth(self, request: Request) -> Response:
        return JSONResponse({"truth": self.truth})

    async def _file(self, request: Request) -> Response:
        if self.image is None:
            return Response(status_code=404)
        return FileResponse(self.image, media_type="image/png")


def _counted(message: Json, everything: list[Json]) -> Json:
    replies = [m for m in everything if m.get("thread_ts") == message["ts"] != m["ts"]]
    ephemeral = {"is_ephemeral": True} if "ephemeral_to" in message else {}
    if not replies:
        return {**message, **ephemeral}
    return {
        **message,
        **ephemeral,
        "reply_count": len(replies),
        "latest_reply": replies[-1]["ts"],
    }


class ServerThread:
    """Runs an ASGI application with uvicorn on a free loopback port, in a thread."""

    def __init__(self, app: ASGIApp) -> None:
        config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off")
        config.timeout_graceful_shutdown = 1
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def start(self) -> str:
        """Start, wait until it listens, return its URL."""
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._server.started:
            if time.monotonic() > deadline:
                raise TimeoutError("the fake client API did not start within 10 s")
            time.sleep(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    def stop(self) -> None:
        """Stop and wait."""
        self._server.should_exit = True
        self._thread.join(timeout=10)
