"""conversations.*: what channels there are, who is in them, and what was said."""

from collections.abc import Mapping
from dataclasses import replace

from bot.sandbox.workspace.call import Call, Method
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.objects import channel_json, message_json
from bot.sandbox.workspace.records import Channel, Json, Message

_READ = ("channels:read", "groups:read", "im:read", "mpim:read")
_HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")
_KINDS = {"public_channel", "private_channel", "im", "mpim"}


def _of_types(call: Call) -> list[Channel]:
    kinds = {k.strip() for k in call.text("types", "public_channel").split(",")}
    if not kinds <= _KINDS:
        raise SlackError("invalid_types")
    found = call.workspace.channels.values()
    return [c for c in found if ("im" if c.is_im else "public_channel") in kinds]


def _list(call: Call) -> Json:
    page, more = call.page(_of_types(call), default=100, most=1000)
    return {"channels": [channel_json(call.workspace, c) for c in page], **more}


def joined_by_user(call: Call) -> Json:
    """users.conversations: the channels of one person, or of the bot."""
    user = call.text("user", call.workspace.app.bot_user)
    if user not in call.workspace.users:
        raise SlackError("user_not_found")
    found = [c for c in _of_types(call) if user in c.members]
    page, more = call.page(found, default=100, most=999)
    return {"channels": [channel_json(call.workspace, c) for c in page], **more}


def _info(call: Call) -> Json:
    return {"channel": channel_json(call.workspace, call.channel())}


def _history(call: Call) -> Json:
    channel = call.joined(call.channel())
    roots = [m for m in _stored(call, channel) if not m.is_reply or m.broadcast]
    found = [m for m in reversed(roots) if _between(call, m)]
    return _messages(call, found, most=999)


def _replies(call: Call) -> Json:
    channel = call.joined(call.channel())
    asked = call.workspace.message(channel.id, call.text("ts"))
    if asked is None:
        raise SlackError("thread_not_found")
    found = call.workspace.thread(channel.id, asked.ts) if not asked.is_reply else [asked]
    return _messages(call, [m for m in found if m.ts == asked.ts or _between(call, m)], most=1000)


def _stored(call: Call, channel: Channel) -> list[Message]:
    return list(call.workspace.messages[channel.id].values())


def _between(call: Call, message: Message) -> bool:
    oldest, latest = _moment(call, "oldest", 0.0), _moment(call, "latest", 1e12)
    moment = float(message.ts)
    inclusive = call.flag("inclusive")
    return oldest < moment < latest or (inclusive and moment in (oldest, latest))


def _moment(call: Call, name: str, default: float) -> float:
    given = call.text(name, "")
    if given in ("", "now"):
        return default
    try:
        return float(given)
    except ValueError as problem:
        raise SlackError(f"invalid_ts_{name}") from problem


def _messages(call: Call, found: list[Message], *, most: int) -> Json:
    page, more = call.page(found, default=100, most=most)
    metadata = call.flag("include_all_metadata")
    shown = [message_json(call.workspace, m, metadata=metadata) for m in page]
    has_more = bool(more["response_metadata"]["next_cursor"])
    return {"messages": shown, "has_more": has_more, **(more if has_more else {})}


def _members(call: Call) -> Json:
    page, more = call.page(sorted(call.channel().members), default=100, most=1000)
    return {"members": page, **more}


def _join(call: Call) -> Json:
    workspace, channel = call.workspace, call.channel()
    if channel.is_im:
        raise SlackError("method_not_supported_for_channel_type")
    already = workspace.app.bot_user in channel.members
    joined = replace(channel, members=channel.members | {workspace.app.bot_user})
    workspace.channels[channel.id] = joined
    answer: Json = {"channel": channel_json(workspace, joined)}
    return answer | ({"warning": "already_in_channel"} if already else {})


def _open(call: Call) -> Json:
    workspace = call.workspace
    if call.text("channel", ""):
        channel = call.channel()
    else:
        users = call.text("users").split(",")
        if len(users) != 1 or users[0] not in workspace.users:
            raise SlackError("user_not_found" if len(users) == 1 else "too_many_users")
        if users[0] == workspace.app.bot_user:
            raise SlackError("cannot_dm_bot")
        channel = workspace.direct_message(users[0])
    shown = channel_json(workspace, channel) if call.flag("return_im") else {"id": channel.id}
    return {"channel": shown}


METHODS: Mapping[str, Method] = {
    "conversations.list": Method(run=_list, tier=2, scopes=_READ),
    "conversations.info": Method(run=_info, tier=3, scopes=_READ),
    "conversations.history": Method(run=_history, tier=3, scopes=_HISTORY),
    "conversations.replies": Method(run=_replies, tier=3, scopes=_HISTORY),
    "conversations.members": Method(run=_members, tier=4, scopes=_READ),
    "conversations.join": Method(run=_join, tier=3, scopes=("channels:join",)),
    "conversations.open": Method(run=_open, tier=3, scopes=("im:write", "mpim:write")),
    "users.conversations": Method(run=joined_by_user, tier=3, scopes=_READ),
}
