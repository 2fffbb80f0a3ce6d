"""A small strict Slack on loopback, a teammate that remembers, and an outbox in memory."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.domain.conversation import (
    Click,
    InvestigationRow,
    Judgement,
    Mark,
    Mention,
    Notice,
    Thread,
)
from bot.domain.diagnosis import Report
from bot.domain.people import Role
from bot.domain.ports import Posted
from bot.domain.trust import Promotion
from bot.sandbox.workspace.blockkit import check, check_view

TOKEN = "xoxb-test-token"
APP_TOKEN = "xapp-test"
BOT_USER = "U0SREBOT"
TEAM = "T0TEST"
CHANNEL = "C0INCIDENTS"
USER = "U0ROSA"
ROOT = "1700000000.000100"


@dataclass
class FakeSlack:
    """What the bot did to the workspace; strict on tokens, channels, threads and blocks."""

    url: str = ""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    at: list[tuple[str, float]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    ephemeral: list[dict[str, Any]] = field(default_factory=list)
    views: dict[str, dict[str, Any]] = field(default_factory=dict)
    homes: dict[str, dict[str, Any]] = field(default_factory=dict)
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    uploads: list[bytes] = field(default_factory=list)
    fail: dict[str, list[Any]] = field(default_factory=dict)  # method → answers to give first
    swallow: set[str] = field(default_factory=set)  # do it, then answer 500 once
    slow: dict[str, float] = field(default_factory=dict)
    runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(client_max_size=50_000_000)
        app.router.add_route("*", "/api/{method}", self.handle)
        app.router.add_post("/upload/{id}", self.upload)
        self.runner = web.AppRunner(app)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        self.url = f"http://127.0.0.1:{port}/"

    async def stop(self) -> None:
        assert self.runner is not None
        await self.runner.cleanup()

    async def upload(self, request: web.Request) -> web.Response:
        self.uploads.append(await request.read())
        return web.Response(text="OK")

    async def handle(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        args = await _arguments(request)
        self.calls.append((method, args))
        self.at.append((method, asyncio.get_running_loop().time()))
        await asyncio.sleep(self.slow.get(method, 0.0))
        planned = self.fail.get(method)
        if planned:
            status, body, headers = planned.pop(0)
            return web.json_response(body, status=status, headers=headers)
        if request.headers.get("Authorization") not in (f"Bearer {TOKEN}", f"Bearer {APP_TOKEN}"):
            return web.json_response({"ok": False, "error": "invalid_auth"})
        act = getattr(self, "on_" + method.replace(".", "_"), None)
        body = act(args) if act else {"ok": False, "error": "unknown_method"}
        if method in self.swallow:
            self.swallow.discard(method)
            return web.json_response({"ok": False, "error": "internal_error"}, status=500)
        return web.json_response(body)

    def on_auth_test(self, args: dict[str, Any]) -> dict[str, Any]:
        return {"ok": True, "user_id": BOT_USER, "bot_id": "B0SREBOT", "team_id": TEAM, "url": "x"}

    def on_chat_postMessage(self, args: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        error = self._bad(args)
        if error:
            return {"ok": False, "error": error}
        ts = f"1700000001.{len(self.messages) + 1:06d}"
        message = {**args, "ts": ts, "user": BOT_USER, "bot_id": "B0SREBOT"}
        self.messages.append(message)
        return {"ok": True, "ts": ts, "channel": args["channel"], "message": message}

    def on_chat_update(self, args: dict[str, Any]) -> dict[str, Any]:
        error = self._bad(args)
        if error:
            return {"ok": False, "error": error}
        for message in self.messages:
            if message["ts"] == args["ts"]:
                message.update(args)
                return {"ok": True, "ts": args["ts"]}
        return {"ok": False, "error": "message_not_found"}

    def on_chat_postEphemeral(self, args: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        error = self._bad(args)
        if error:
            return {"ok": False, "error": error}
        self.ephemeral.append(args)
        return {"ok": True, "message_ts": "1700000009.000001"}

    def on_conversations_replies(self, args: dict[str, Any]) -> dict[str, Any]:
        return self._page([m for m in self.messages if m.get("thread_ts") == args["ts"]], args)

    def on_conversations_history(self, args: dict[str, Any]) -> dict[str, Any]:
        if args["channel"] != CHANNEL:
            return {"ok": False, "error": "channel_not_found"}
        after = float(args.get("oldest") or 0)
        found = [m for m in self.messages if not m.get("thread_ts") and float(m["ts"]) > after]
        return self._page(found[::-1], args)

    def _page(self, found: list[dict[str, Any]], args: dict[str, Any]) -> dict[str, Any]:
        if str(args.get("include_all_metadata")).lower() not in ("true", "1"):
            found = [{k: v for k, v in m.items() if k != "metadata"} for m in found]
        start = int(args.get("cursor") or 0)
        page = found[start : start + 2]  # small pages: the reader must follow the cursor
        cursor = str(start + 2) if start + 2 < len(found) else ""
        return {"ok": True, "messages": page, "response_metadata": {"next_cursor": cursor}}

    def on_views_open(self, args: dict[str, Any]) -> dict[str, Any]:
        if args.get("trigger_id") != "1.2.live":
            return {"ok": False, "error": "expired_trigger_id"}
        view_id = f"V{len(self.views) + 1}"
        return self._view(view_id, args)

    def on_views_update(self, args: dict[str, Any]) -> dict[str, Any]:
        return self._view(args["view_id"], args)

    def on_views_publish(self, args: dict[str, Any]) -> dict[str, Any]:
        view = _loaded(args["view"])
        assert check_view(view) == []
        self.homes[args["user_id"]] = view
        return {"ok": True, "view": view}

    def _view(self, view_id: str, args: dict[str, Any]) -> dict[str, Any]:
        view = _loaded(args["view"])
        wrong = check_view(view)
        if wrong:
            return {"ok": False, "error": "invalid_arguments", "wrong": wrong}
        self.views[view_id] = view
        return {"ok": True, "view": {**view, "id": view_id}}

    def on_users_info(self, args: dict[str, Any]) -> dict[str, Any]:
        user = self.users.get(args["user"])
        return {"ok": True, "user": user} if user else {"ok": False, "error": "user_not_found"}

    def on_files_getUploadURLExternal(self, args: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"ok": True, "file_id": "F1", "upload_url": f"{self.url}upload/F1"}

    def on_files_completeUploadExternal(self, args: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        name = next(a["filename"] for m, a in reversed(self.calls) if "getUploadURL" in m)
        thread_ts, channel = args.get("thread_ts"), args.get("channel_id") or args.get("channels")
        self.messages.append(
            {
                "channel": channel,
                "thread_ts": thread_ts,
                "ts": f"1700000002.{len(self.messages):06d}",
                "files": [{"id": "F1", "name": name}],
            }
        )
        return {"ok": True, "files": [{"id": "F1", "name": name}]}

    def _bad(self, args: dict[str, Any]) -> str:
        if args.get("channel") != CHANNEL:
            return "channel_not_found"
        if not args.get("text"):
            return "no_text"
        if len(args["text"]) > 4000:
            return "msg_too_long"
        args["blocks"] = _loaded(args["blocks"])
        if isinstance(args.get("metadata"), str):
            args["metadata"] = json.loads(args["metadata"])
        return "invalid_blocks" if check(args["blocks"], surface="message") else ""

    def named(self, method: str) -> list[dict[str, Any]]:
        return [args for name, args in self.calls if name == method]


def _loaded(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


async def _arguments(request: web.Request) -> dict[str, Any]:
    args: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        args.update(await request.json())
    elif request.can_read_body:
        args.update(await request.post())
    return args


@dataclass
class MemoryOutbox:
    """The outbox port in memory. `crash_before_finish` loses what finish would have recorded."""

    rows: dict[str, Posted] = field(default_factory=dict)
    crash_before_finish: int = 0

    async def begin(self, key: str, channel: str) -> Posted | None:
        known = self.rows.get(key)
        if known is None:
            self.rows[key] = Posted(key=key, channel=channel, ts="", digest="")
        return known

    async def finish(self, posted: Posted) -> None:
        if self.crash_before_finish:
            self.crash_before_finish -= 1
            raise ProcessDied
        self.rows[posted.key] = posted

    async def by_key(self, key: str) -> Posted | None:
        return self.rows.get(key)


class ProcessDied(BaseException):
    """Stands for kill -9 at this point."""


@dataclass
class FakeTeammate:
    """Idempotent by event and click id, as the port demands; `down` raises, `slow_s` dawdles."""

    mentions: dict[str, Mention] = field(default_factory=dict)
    approvals: dict[str, Click] = field(default_factory=dict)
    rejections: dict[str, Click] = field(default_factory=dict)
    undos: dict[str, Click] = field(default_factory=dict)
    verdicts: dict[str, tuple[Click, Judgement]] = field(default_factory=dict)
    commands: dict[str, tuple[Thread, str]] = field(default_factory=dict)
    reports: dict[str, Report] = field(default_factory=dict)
    promotions: dict[str, Promotion] = field(default_factory=dict)
    grants: dict[str, tuple[Click, int]] = field(default_factory=dict)
    broken: dict[str, Click] = field(default_factory=dict)
    strays: list[tuple[str, str]] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)
    rows: tuple[InvestigationRow, ...] = ()
    down: Exception | None = None
    slow_s: float = 0.0
    heard: int = 0

    async def _taken(self) -> None:
        self.heard += 1
        await asyncio.sleep(self.slow_s)
        if self.down is not None:
            raise self.down

    async def mentioned(self, mention: Mention) -> None:
        await self._taken()
        self.mentions[mention.event_id] = mention

    async def approve(self, click: Click) -> Notice:
        await self._taken()
        self.approvals[click.click_id] = click
        return Notice(mark=Mark.DONE, text="Approved.")

    async def reject(self, click: Click) -> Notice:
        await self._taken()
        self.rejections[click.click_id] = click
        return Notice(mark=Mark.NONE, text="Noted.")

    async def undo(self, click: Click) -> Notice:
        await self._taken()
        self.undos[click.click_id] = click
        return Notice(mark=Mark.UNDONE, text="Undoing.")

    async def judge(self, click: Click, judgement: Judgement) -> Notice:
        await self._taken()
        self.verdicts[click.click_id] = (click, judgement)
        return Notice(mark=Mark.NONE, text="Noted.")

    async def offered(self, promotion_id: str) -> Promotion | None:
        await self._taken()
        return self.promotions.get(promotion_id)

    async def grant(self, click: Click, days: int) -> Notice:
        await self._taken()
        self.grants[click.click_id] = (click, days)
        return Notice(mark=Mark.DONE, text="Granted.")

    async def decline(self, click: Click) -> Notice:
        await self._taken()
        self.promotions.pop(click.subject, None)
        return Notice(mark=Mark.NONE, text="Noted.")

    async def break_glass(self, click: Click) -> Notice:
        await self._taken()
        self.broken[click.click_id] = click
        return Notice(mark=Mark.DONE, text="Approved.")

    async def unreadable(self, user: str, what: str) -> None:
        self.strays.append((user, what))

    async def report_of(self, investigation_id: str) -> Report | None:
        await self._taken()
        return self.reports.get(investigation_id)

    async def command(self, event_id: str, thread: Thread, user: str, text: str) -> Notice | None:
        await self._taken()
        self.commands[event_id] = (thread, text)
        return None if text.startswith("ask") else Notice(mark=Mark.NONE, text="Nothing runs.")

    async def takes_part_in(self, thread: Thread) -> bool:
        await self._taken()
        return thread.ts in self.threads

    async def recent(self, limit: int = 20) -> Sequence[InvestigationRow]:
        await self._taken()
        return self.rows[:limit]


@dataclass
class FakePeople:
    """Roles of people, as SQL would hold them."""

    roles: dict[tuple[str, str], frozenset[Role]] = field(default_factory=dict)

    async def roles_of(self, team: str, user: str, environment: str) -> frozenset[Role]:
        return self.roles.get((team, user), frozenset())
