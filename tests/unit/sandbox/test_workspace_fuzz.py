"""Whatever comes in, the workspace answers; it never fails by itself."""

import asyncio
import json
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from bot.domain.time import ScaledClock
from bot.sandbox.app import create_app
from bot.sandbox.workspace.api import all_methods
from bot.sandbox.workspace.limits import Limits
from bot.sandbox.workspace.state import Workspace

Json = Any
NAMES = [
    "channel", "text", "ts", "thread_ts", "message_ts", "timestamp", "user", "users", "user_id",
    "blocks", "attachments", "metadata", "view", "view_id", "trigger_id", "hash", "files", "file",
    "filename", "length", "channel_id", "channels", "cursor", "limit", "types", "name", "oldest",
    "latest", "email", "usergroup", "reply_broadcast", "external_id", "status", "block_id",
    "action_id", "type", "value", "selected_option", "state", "command", "error", "bot", "team",
    "initial_comment", "response_type", "replace_original", "delete_original",
]  # fmt: skip
PLAUSIBLE = [
    "C0INCIDENTS", "U0RESPONDER", "U0SREBOT", "S0APPROVERS", "ROOT", "CARD", "VIEW", "eyes", "1",
    "-1", "1e999", "nan", "[]", "{}", "[{}]", '[{"type":"divider"}]', "/sre", "x" * 41_000, "\x00",
    "\ud7ff", "\ud800", "b", "go", '["\\udc00"]', '{"a": Infinity}', "[" * 5000,
]  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats()
    | st.text(max_size=10) | st.sampled_from(PLAUSIBLE),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from([*NAMES, "elements", "id", "values"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
ARGS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=7)
CARD = {
    "type": "actions",
    "block_id": "b",
    "elements": [
        {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
    ],
}
MODAL = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "Why"},
    "submit": {"type": "plain_text", "text": "Send"},
    "blocks": [
        {
            "type": "input",
            "block_id": "b",
            "label": {"type": "plain_text", "text": "Why"},
            "element": {"type": "plain_text_input", "action_id": "go"},
        }
    ],
}


class Asgi:
    """Calls the application without a socket."""

    def __init__(self, app: Starlette) -> None:
        self._app = app

    async def post(self, path: str, body: Any) -> tuple[int, Any]:
        """POST JSON and return status and answer."""
        sent: list[MutableMapping[str, Any]] = []
        content = json.dumps(body).encode()
        messages = [{"type": "http.request", "body": content, "more_body": False}]

        async def receive() -> MutableMapping[str, Any]:
            return messages.pop(0) if messages else await asyncio.Future()

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        scope = {
            "type": "http", "method": "POST", "path": path, "raw_path": path.encode(),
            "query_string": b"", "root_path": "", "scheme": "http", "http_version": "1.1",
            "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1),
            "headers": [
                (b"host", b"127.0.0.1"), (b"content-type", b"application/json"),
                (b"authorization", b"Bearer xoxb-sandbox-bot"),
            ],
        }  # fmt: skip
        await self._app(scope, receive, send)
        text = b"".join(m.get("body", b"") for m in sent[1:])
        return int(sent[0]["status"]), json.loads(text)


async def stage(call: Asgi, workspace: Workspace) -> dict[str, str]:
    """Put a message, a card and a modal there, and return what names them."""
    say = {"user": "U0RESPONDER", "channel": "C0INCIDENTS", "text": "@sre-bot hi"}
    root = (await call.post("/client/messages", say))[1]["ts"]
    card = {"channel": "C0INCIDENTS", "text": "card", "blocks": [CARD], "thread_ts": root}
    posted = (await call.post("/slack/api/chat.postMessage", card))[1]["ts"]
    opened = {"trigger_id": workspace.new_trigger("U0RESPONDER"), "view": MODAL}
    view = (await call.post("/slack/api/views.open", opened))[1]["view"]["id"]
    return {"ROOT": root, "CARD": posted, "VIEW": view}


def filled(value: Any, names: dict[str, str]) -> Any:
    """Return a value with the staged names put in."""
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, list):
        return [filled(item, names) for item in value]
    if isinstance(value, dict):
        return {key: filled(item, names) for key, item in value.items()}
    return value


async def play(calls: list[tuple[str, dict[str, Any]]]) -> None:
    limits = Limits(enabled=False, ack_s=0.0, offline_s=0.0, retry_scale=0.0)
    workspace = Workspace(ScaledClock(origin=datetime.now(UTC)), limits=limits)
    call = Asgi(create_app(workspace))
    names = await stage(call, workspace)
    for path, args in calls:
        status, answer = await call.post(path, filled(args, names))
        assert status < 500, (path, args, answer)
        assert answer["ok"] is True or isinstance(answer["error"], str)
    await workspace.close()


API = st.sampled_from([f"/slack/api/{name}" for name in all_methods()])
PAGE = st.sampled_from(
    [
        f"/client/{name}"
        for name in (
            "messages", "reactions", "actions", "views/submit", "views/close", "commands",
        )
    ]
)  # fmt: skip
DEFAULTS = st.sampled_from(
    [
        {},
        {"user": "U0RESPONDER", "channel": "C0INCIDENTS"},
        {"user": "U0RESPONDER", "channel": "C0INCIDENTS", "message_ts": "CARD"},
        {"user": "U0RESPONDER", "view_id": "VIEW", "block_id": "b", "action_id": "go"},
        {"channel": "C0INCIDENTS", "ts": "CARD", "timestamp": "CARD", "text": "x"},
        {"channel_id": "C0INCIDENTS", "thread_ts": "ROOT", "filename": "a", "length": 1},
    ]
)


def call_of(paths: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    return st.tuples(paths, st.builds(lambda base, more: {**base, **more}, DEFAULTS, ARGS))


@given(st.lists(call_of(API), min_size=1, max_size=6))
@settings(max_examples=150, deadline=None)
def test_the_web_api_never_fails_by_itself(calls: list[tuple[str, dict[str, Any]]]) -> None:
    asyncio.run(play(calls))


@given(st.lists(call_of(PAGE), min_size=1, max_size=6))
@settings(max_examples=120, deadline=None)
def test_the_page_api_never_fails_by_itself(calls: list[tuple[str, dict[str, Any]]]) -> None:
    asyncio.run(play(calls))
