"""Somebody opens App Home."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.domain.errors import SreBotError
from bot.slack.desk import Desk
from bot.slack.parse import USER, field
from bot.slack.views.blocks import View
from bot.slack.views.home import home, home_error
from bot.slack.views.notice import error


def register(app: AsyncApp, desk: Desk) -> None:
    """Listen to app_home_opened and publish the list of investigations."""

    @app.event("app_home_opened")
    async def opened(body: Mapping[str, Any]) -> None:
        desk.later(_publish(desk, field(body.get("event"), "user", USER)))


async def _publish(desk: Desk, user: str) -> None:
    publish = partial(desk.client.views_publish, user_id=user, view=await _view(desk))
    await desk.web.call("views.publish", publish)


async def _view(desk: Desk) -> View:
    try:
        return home(await desk.take(desk.teammate.recent()))
    except SreBotError as problem:
        return home_error(error(problem))
