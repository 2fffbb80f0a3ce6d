"""Clicks on the buttons that other parts bring along: each is handed to whoever brought it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.response import BoltResponse

from bot.slack.desk import Control, Desk


def register(app: AsyncApp, desk: Desk) -> None:
    """Listen to every control of the options; before the buttons, which answer all that is left."""
    for action_id, act in desk.options.controls.items():
        app.action(action_id)(_listener(desk, act))


def _listener(desk: Desk, act: Control) -> Callable[..., Awaitable[BoltResponse]]:
    async def clicked(ack: AsyncAck, body: Mapping[str, Any]) -> BoltResponse:
        return await desk.click(ack, body, act)

    return clicked
