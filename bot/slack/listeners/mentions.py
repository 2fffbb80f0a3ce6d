"""Somebody mentions the bot."""

from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.slack.desk import Desk
from bot.slack.listeners.hearing import hear
from bot.slack.views.notice import help_text


def register(app: AsyncApp, desk: Desk) -> None:
    """Listen to app_mention; an empty mention gets help."""

    @app.event("app_mention")
    async def mentioned(body: Mapping[str, Any]) -> None:
        if not await hear(desk, body):
            desk.answer(body, help_text())
