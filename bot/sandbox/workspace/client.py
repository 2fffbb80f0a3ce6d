"""The page's API under /client: what a person sees and does, with Slack's error names."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from bot.sandbox.workspace import acting, arguments, content, modals, posting, submission
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.methods.reactions import emoji
from bot.sandbox.workspace.objects import view_json
from bot.sandbox.workspace.records import Channel, Json, Message, User, View
from bot.sandbox.workspace.showing import channel_messages, state, thread_messages
from bot.sandbox.workspace.state import Workspace

_STATUS = {"request_too_large": 413}


class Client:
    """Answers `/client/…`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        posts: dict[str, Callable[[Json], Awaitable[Json]]] = {
            "messages": self._say,
            "reactions": self._react,
            "actions": self._act,
            "views/submit": self._submit,
            "views/close": self._close,
            "commands": self._command,
        }
        gets: dict[str, Callable[[Request], Json]] = {
            "state": lambda _: state(self._workspace),
            "channels/{channel}/messages": self._messages,
            "channels/{channel}/threads/{ts}": self._thread,
            "home": self._home,
        }
        return [
            *(
                Route(f"/client/{path}", self._post(run), methods=["POST"])
                for path, run in posts.items()
            ),
            *(Route(f"/client/{path}", _get(run), methods=["GET"]) for path, run in gets.items()),
            Route("/client/events", self._events, methods=["GET"]),
        ]

    def _post(
        self, answer: Callable[[Json], Awaitable[Json]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                body = await _json_body(request, self._workspace.limits.body_bytes)
                return JSONResponse({"ok": True, **await answer(body)})
            except SlackError as error:
                return _refusal(error)

        return endpoint

    def _messages(self, request: Request) -> Json:
        channel = self._channel(request.path_params["channel"])
        user = request.query_params.get("user", "")
        return {"messages": channel_messages(self._workspace, channel, user)}

    def _thread(self, request: Request) -> Json:
        channel = self._channel(request.path_params["channel"])
        user = request.query_params.get("user", "")
        return {
            "messages": thread_messages(self._workspace, channel, request.path_params["ts"], user)
        }

    def _home(self, request: Request) -> Json:
        user = acting.person(self._workspace, request.query_params.get("user", ""))
        view = acting.open_home(self._workspace, user)
        return {"view": view_json(self._workspace, view) if view else None}

    async def _events(self, request: Request) -> Response:
        user = request.query_params.get("user", "")
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        stream = _sse(self._workspace, user)
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)

    async def _say(self, body: Json) -> Json:
        user, channel = self._who_and_where(body)
        text, thread_ts = _text(body, "text"), _text(body, "thread_ts", "")
        return {"ts": acting.say(self._workspace, user, channel, text, thread_ts)}

    async def _react(self, body: Json) -> Json:
        user, channel = self._who_and_where(body)
        message = self._workspace.message(channel.id, _text(body, "ts"))
        if message is None:
            raise SlackError("message_not_found")
        name = emoji(_text(body, "name"))
        posting.react(self._workspace, message, user.id, name, add=body.get("remove") is not True)
        return {}

    async def _act(self, body: Json) -> Json:
        user = acting.person(self._workspace, _text(body, "user"))
        where: Message | View
        if body.get("view_id"):
            where = self._view(user, _text(body, "view_id"))
        else:
            where = self._visible(user, _text(body, "channel"), _text(body, "message_ts"))
        await acting.click(self._workspace, user, where, body)
        return {"acked": True}

    async def _submit(self, body: Json) -> Json:
        user = acting.person(self._workspace, _text(body, "user"))
        view = self._view(user, _text(body, "view_id"))
        given = body.get("state", {})
        given = given.get("values", {}) if isinstance(given, dict) else None
        before = self._workspace.inputs.get((view.id, user.id), {})
        values = submission.complete_values(view, given, before)
        return await acting.submit(self._workspace, user, view, values)

    async def _close(self, body: Json) -> Json:
        user = acting.person(self._workspace, _text(body, "user"))
        await acting.dismiss(self._workspace, user, self._view(user, _text(body, "view_id")))
        return {}

    async def _command(self, body: Json) -> Json:
        user, channel = self._who_and_where(body)
        name, text = _text(body, "command"), _text(body, "text", "")
        if len(text) > content.MOST_TEXT:
            raise SlackError("msg_too_long")
        await acting.command(self._workspace, user, channel, name, text)
        return {}

    def _channel(self, channel_id: str) -> Channel:
        channel = self._workspace.channels.get(channel_id)
        if channel is None:
            raise SlackError("channel_not_found")
        return channel

    def _who_and_where(self, body: Json) -> tuple[User, Channel]:
        user = acting.person(self._workspace, _text(body, "user"))
        return user, acting.place(self._workspace, user, _text(body, "channel"))

    def _visible(self, user: User, channel_id: str, ts: str) -> Message:
        channel = acting.place(self._workspace, user, channel_id)
        found = self._workspace.message(channel.id, ts) or self._workspace.ephemerals.get(ts)
        if found is None or found.only_for not in ("", user.id) or found.channel != channel.id:
            raise SlackError("message_not_found")
        return found

    def _view(self, user: User, view_id: str) -> View:
        view = self._workspace.views.get(view_id)
        if view is None or view.user != user.id or not modals.is_open(self._workspace, view):
            raise SlackError("not_found")
        return view


def _text(body: Json, name: str, default: str | None = None) -> str:
    value = body.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise SlackError("invalid_arguments", messages=[f"[ERROR] {name} must be a string"])
    return value


def _get(answer: Callable[[Request], Json]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return JSONResponse({"ok": True, **answer(request)})
        except SlackError as error:
            return _refusal(error)

    return endpoint


async def _json_body(request: Request, most: int) -> Json:
    """Return the body. A form is refused: any web page could send one here."""
    if "json" not in request.headers.get("content-type", ""):
        raise SlackError("invalid_post_type")
    return arguments.json_object(await arguments.read_body(request, most))


def _refusal(error: SlackError) -> Response:
    return JSONResponse(error.body(), status_code=_STATUS.get(error.error, 200))


async def _sse(workspace: Workspace, user: str) -> AsyncIterator[str]:
    async for event in workspace.stream.listen(user):
        yield _line(event)


def _line(event: dict[str, Any]) -> str:
    return f"data: {json.dumps(event)}\n\n"
