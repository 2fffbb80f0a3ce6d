"""The sandbox's workspace on a free loopback port, inside the test's own event loop."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient
from starlette.routing import BaseRoute

from bot.domain.time import Clock, ScaledClock
from bot.sandbox.app import create_app
from bot.sandbox.server import running
from bot.sandbox.workspace.limits import Limits
from bot.sandbox.workspace.records import App
from bot.sandbox.workspace.state import Faults, Workspace

QUICK = Limits(enabled=False, retry_scale=0.001)


@dataclass(frozen=True, kw_only=True)
class Running:
    """A workspace that listens, and a person's hands in it."""

    workspace: Workspace
    url: str
    http: aiohttp.ClientSession

    def web_client(self, token: str = App().bot_token) -> AsyncWebClient:
        """Return an unmodified client of the Web API."""
        return AsyncWebClient(token=token, base_url=f"{self.url}/slack/api/")

    async def get(self, path: str, **query: str) -> Any:
        """GET /client/{path}."""
        async with self.http.get(f"{self.url}/client/{path}", params=query) as reply:
            assert reply.status < 500, await reply.text()
            return await reply.json()

    async def post(self, path: str, **body: Any) -> Any:
        """POST /client/{path}."""
        async with self.http.post(f"{self.url}/client/{path}", json=body) as reply:
            assert reply.status < 500, await reply.text()
            return await reply.json()

    async def say(
        self,
        text: str,
        *,
        user: str = "U0RESPONDER",
        channel: str = "C0INCIDENTS",
        thread_ts: str | None = None,
    ) -> str:
        """Post as a person; returns the ts."""
        body = {"user": user, "channel": channel, "text": text}
        answer = await self.post(
            "messages", **body, **({"thread_ts": thread_ts} if thread_ts else {})
        )
        assert answer["ok"], answer
        return str(answer["ts"])

    async def messages(self, channel: str = "C0INCIDENTS", user: str = "") -> list[dict[str, Any]]:
        """Return what a person sees in a channel."""
        return list((await self.get(f"channels/{channel}/messages", user=user))["messages"])

    async def thread(
        self, ts: str, channel: str = "C0INCIDENTS", user: str = ""
    ) -> list[dict[str, Any]]:
        """Return what a person sees in a thread."""
        return list((await self.get(f"channels/{channel}/threads/{ts}", user=user))["messages"])

    async def click(
        self, message: dict[str, Any], action_id: str, *, user: str = "U0RESPONDER",
        channel: str = "C0INCIDENTS", **chosen: Any,
    ) -> dict[str, Any]:  # fmt: skip
        """Use the element of that action_id in a message; returns the page's answer."""
        for block in message["blocks"]:
            places = [*block.get("elements", ()), block.get("accessory"), block.get("element")]
            if any(isinstance(e, dict) and e.get("action_id") == action_id for e in places):
                return dict(
                    await self.post(
                        "actions", user=user, channel=channel, message_ts=message["ts"],
                        block_id=block["block_id"], action_id=action_id, **chosen,
                    )
                )  # fmt: skip
        raise AssertionError(f"no {action_id} in {message}")


@asynccontextmanager
async def running_workspace(
    *,
    limits: Limits = QUICK,
    app: App | None = None,
    faults: Faults | None = None,
    clock: Clock | None = None,
    extra: Sequence[BaseRoute] = (),
) -> AsyncIterator[Running]:
    """Start the workspace; everything is closed at the end of the block."""
    clock = clock or ScaledClock(origin=datetime.now(UTC))
    workspace = Workspace(clock, app=app, limits=limits, faults=faults)
    application = create_app(workspace, extra=extra)
    async with running(application, workspace=workspace) as url, aiohttp.ClientSession() as http:
        yield Running(workspace=workspace, url=url, http=http)
