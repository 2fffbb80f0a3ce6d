"""Messages without a mention: in incident channels, and in threads the bot takes part in."""

from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.domain.conversation import Mention
from bot.slack.alerts import alert_of, is_of_an_app
from bot.slack.desk import Desk
from bot.slack.listeners.hearing import hear
from bot.slack.parse import mention_of

# subtypes that say something new
_SPOKEN = frozenset(("bot_message", "file_share", "thread_broadcast"))


def register(app: AsyncApp, desk: Desk) -> None:
    """Listen to message events; mentions, edits and the bot's own words are not its business."""

    @app.event("message")
    async def message(body: Mapping[str, Any], context: Mapping[str, Any]) -> None:
        event = body.get("event")
        if not isinstance(event, Mapping) or not _spoken(event, str(context.get("bot_user_id"))):
            return
        mention, _ = mention_of(body)
        if await _concerns(desk, mention) and not await _taken_in(desk, event, mention):
            await hear(desk, body, addressed=mention.in_thread)


def _spoken(event: Mapping[str, Any], bot_user: str) -> bool:
    subtype = event.get("subtype")
    known = subtype is None or (isinstance(subtype, str) and subtype in _SPOKEN)
    if not known or event.get("user") == bot_user:
        return False
    return f"<@{bot_user}>" not in str(event.get("text") or "")  # comes as app_mention as well


async def _concerns(desk: Desk, mention: Mention) -> bool:
    if mention.in_thread:
        return await desk.take(desk.teammate.takes_part_in(mention.thread))
    return mention.thread.channel in desk.options.incident_channels


async def _taken_in(desk: Desk, event: Mapping[str, Any], mention: Mention) -> bool:
    """Put another app's alert into the inbox; False: it is none, or there is no inbox.

    Raises: Unavailable: not kept. The event stays unacknowledged, so Slack delivers it again.
    """
    if desk.inbox is None or not is_of_an_app(event):
        return False
    environment = desk.options.environments.get(mention.thread.channel, "")
    signal = alert_of(event, mention, environment)
    if signal is None:
        return False
    await desk.take(desk.inbox.put([signal], desk.clock.now()))
    return True
