"""reactions.*: emoji on messages."""

import re
from collections.abc import Mapping

from bot.sandbox.workspace import posting
from bot.sandbox.workspace.call import Call, Method
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.objects import message_json
from bot.sandbox.workspace.records import Json, Message

_EMOJI = re.compile(r"[a-z0-9_+'-]{1,100}(::skin-tone-[2-6])?")


def emoji(name: str) -> str:
    """Return an emoji's name without colons. Raises: SlackError invalid_name."""
    plain = name.strip(":")
    if not _EMOJI.fullmatch(plain):
        raise SlackError("invalid_name")
    return plain


def _message(call: Call) -> Message:
    channel = call.joined(call.channel())
    return call.message(channel, "timestamp")


def _add(call: Call) -> Json:
    name, me = emoji(call.text("name")), call.workspace.app.bot_user
    posting.react(call.workspace, _message(call), me, name, add=True)
    return {}


def _remove(call: Call) -> Json:
    name, me = emoji(call.text("name")), call.workspace.app.bot_user
    posting.react(call.workspace, _message(call), me, name, add=False)
    return {}


def _get(call: Call) -> Json:
    message = _message(call)
    shown = message_json(call.workspace, message)
    return {"type": "message", "channel": message.channel, "message": shown}


METHODS: Mapping[str, Method] = {
    "reactions.add": Method(run=_add, tier=3, scopes=("reactions:write",)),
    "reactions.remove": Method(run=_remove, tier=2, scopes=("reactions:write",)),
    "reactions.get": Method(run=_get, tier=3, scopes=("reactions:read",)),
}
