"""The slash command /sre."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.response import BoltResponse

from bot.domain.conversation import Mark, Notice, Thread
from bot.domain.errors import Malformed, SreBotError
from bot.slack.desk import Desk
from bot.slack.parse import Command, command_of
from bot.slack.views.notice import (
    NOT_INVITED,
    UNREADABLE,
    error,
    help_text,
    notice,
    plain_notice,
)
from bot.slack.views.text import data
from bot.slack.web import SlackRefusal

Json = Mapping[str, Any]
_STARTED = "I look into it in the thread above."
_OUTSIDE = frozenset(("not_in_channel", "channel_not_found", "is_archived"))


def register(app: AsyncApp, desk: Desk) -> None:
    """Listen to /sre; the answer comes with the acknowledgement, for the asker only."""

    @app.command("/sre")
    async def command(ack: AsyncAck, body: Json) -> BoltResponse:
        try:
            said = await desk.take(_carry_out(desk, command_of(body)))
        except Malformed:
            said = plain_notice(UNREADABLE)
        except SreBotError as problem:
            said = error(problem)
        shown = notice(said)
        return await ack(text=shown.text, blocks=list(shown.blocks), response_type="ephemeral")


async def _carry_out(desk: Desk, command: Command) -> Notice:
    word, _, rest = command.text.partition(" ")
    if word.lower() in ("", "help"):
        return help_text()
    thread = command.thread
    if word.lower() == "ask" and rest.strip() and not thread.ts:
        try:
            thread = await _root(desk, command, rest.strip())
        except SlackRefusal as refusal:
            if refusal.code in _OUTSIDE:
                return plain_notice(NOT_INVITED)
            raise
    said = await desk.teammate.command(command.event_id, thread, command.user, command.text)
    return said or plain_notice(_STARTED)


async def _root(desk: Desk, command: Command, question: str) -> Thread:
    """Post the question, so that the investigation has a thread to live in."""
    text = f"<@{command.user}> asks: {data(question, 500)}"
    shown = notice(Notice(mark=Mark.INVESTIGATING, text=text))
    post = partial(
        desk.client.chat_postMessage,
        channel=command.thread.channel,
        text=shown.text,
        blocks=list(shown.blocks),
        unfurl_links=False,
        unfurl_media=False,
    )
    answer = await desk.opening.call("chat.postMessage", post, channel=command.thread.channel)
    return Thread(team=command.thread.team, channel=command.thread.channel, ts=str(answer["ts"]))
