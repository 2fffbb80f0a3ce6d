"""Socket Mode: one WebSocket per connection, hello, envelopes, acknowledgements, disconnect."""

import asyncio
import json
import secrets
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from bot.sandbox.workspace import strict_json
from bot.sandbox.workspace.records import Json
from bot.sandbox.workspace.state import Workspace

_TICKET_S = 60.0
_WARNING_S = 10.0


class Socket:
    """One open connection; a `Carrier` of the delivery."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._sending = asyncio.Lock()

    async def send(self, body: Json) -> None:
        """Send one JSON message. Raises: ConnectionError."""
        try:
            async with self._sending:
                await self._websocket.send_text(json.dumps(body))
        except (WebSocketDisconnect, RuntimeError, OSError) as problem:
            raise ConnectionError("the socket is closed") from problem

    async def close(self) -> None:
        """Close the connection."""
        if self._websocket.application_state is WebSocketState.CONNECTED:
            try:
                await self._websocket.close(1001)
            except (WebSocketDisconnect, RuntimeError, OSError) as problem:
                raise ConnectionError("the socket is closed") from problem


class SocketMode:
    """Answers `/slack/socket`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    async def __call__(self, websocket: WebSocket) -> None:
        """Serve one connection until either side closes it."""
        born = self._workspace.tickets.pop(websocket.query_params.get("ticket", ""), None)
        if born is None or self._workspace.wall() - born > _TICKET_S:
            await websocket.close(1008)
            return
        await websocket.accept()
        socket = Socket(websocket)
        delivery = self._workspace.delivery
        refresh = asyncio.create_task(self._refresh(socket))
        try:
            await socket.send(self._hello())
            delivery.joined(socket)
            while True:
                self._hear(await websocket.receive_text())
        except (WebSocketDisconnect, ConnectionError, RuntimeError, KeyError):
            pass  # gone, or sent bytes instead of text: Slack hangs up as well
        finally:
            refresh.cancel()
            delivery.left(socket)

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._workspace.delivery.sockets) + 1,
            "debug_info": {
                "host": "sandbox",
                "build_number": 1,
                "approximate_connection_time": int(self._workspace.limits.socket_ttl_s),
            },
            "connection_info": {"app_id": self._workspace.app.id},
        }

    def _hear(self, text: str) -> None:
        """Take an acknowledgement; anything else is ignored, as Slack does."""
        try:
            said: Any = strict_json.loads(text)
        except ValueError:
            return
        if not isinstance(said, dict) or not isinstance(said.get("envelope_id"), str):
            return
        payload = said.get("payload")
        self._workspace.delivery.acknowledge(
            said["envelope_id"], payload if isinstance(payload, dict) and payload else None
        )

    async def _refresh(self, socket: Socket) -> None:
        """Near the end of its life warn the client, then ask it to reconnect."""
        ttl = self._workspace.limits.socket_ttl_s
        await asyncio.sleep(max(0.0, ttl - _WARNING_S))
        try:
            await socket.send(disconnect("warning"))
            await asyncio.sleep(min(ttl, _WARNING_S))
            await refresh(self._workspace, socket)
        except ConnectionError:
            return


def disconnect(reason: str) -> Json:
    """Return a disconnect message: warning, refresh_requested or link_disabled."""
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": secrets.token_hex(4)}}


async def refresh(workspace: Workspace, socket: Any, grace_s: float = 1.0) -> None:
    """Ask the client to reconnect, send it nothing new, and hang up a moment later."""
    workspace.delivery.retire(socket)
    await socket.send(disconnect("refresh_requested"))
    await asyncio.sleep(grace_s)
    await socket.close()


async def drop_all(workspace: Workspace) -> None:
    """Hang up on every connection, as a broken network does."""
    for socket in workspace.delivery.sockets:
        workspace.delivery.left(socket)
        with suppress(ConnectionError):
            await socket.close()
