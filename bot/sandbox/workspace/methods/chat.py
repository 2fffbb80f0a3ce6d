"""chat.*: post, edit, delete, whisper, link."""

from collections.abc import Mapping
from dataclasses import replace

from bot.sandbox.workspace import content, posting
from bot.sandbox.workspace.call import Call, Method
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.objects import message_json
from bot.sandbox.workspace.posting import Draft
from bot.sandbox.workspace.records import Channel, Json, Message


def _where(call: Call) -> Channel:
    """Return where to post: a channel by id or name, or the direct message with a person."""
    workspace, wanted = call.workspace, call.text("channel")
    if wanted in workspace.users:
        return workspace.direct_message(wanted)
    channel = call.channel(by_name=True)
    scopes = workspace.app.scopes
    if scopes is not None and "chat:write.public" in scopes:
        return channel
    return call.joined(channel)


def _draft(call: Call) -> Draft:
    said = content.read(call.workspace, call.args)
    if said.empty:
        raise SlackError("no_text")
    return Draft(
        text=said.text or "",
        blocks=said.blocks or (),
        attachments=said.attachments or (),
        metadata=said.metadata,
        thread_ts=call.text("thread_ts", ""),
        broadcast=call.flag("reply_broadcast"),
    )


def _post(call: Call) -> Json:
    workspace = call.workspace
    channel = _where(call)
    workspace.limiter.spend_post(channel.id)
    message = posting.post(workspace, channel, workspace.app.bot_user, _draft(call))
    shown = message_json(workspace, message, metadata=True)
    return {"channel": channel.id, "ts": message.ts, "message": shown}


def _own(call: Call, error: str) -> Message:
    message = call.message(call.joined(call.channel()))
    if message.user != call.workspace.app.bot_user:
        raise SlackError(error)
    return message


def _update(call: Call) -> Json:
    workspace = call.workspace
    old = _own(call, "cant_update_message")
    said = content.read(workspace, call.args)
    if said.text is None and said.blocks is None and said.attachments is None:
        raise SlackError("no_text")
    if len(said.text or "") > content.MOST_EDITED_TEXT:
        raise SlackError("msg_too_long")
    new = replace(
        old,
        text=old.text if said.text is None else said.text,
        blocks=old.blocks if said.blocks is None else said.blocks,
        attachments=old.attachments if said.attachments is None else said.attachments,
        metadata=old.metadata if said.metadata is None else said.metadata or None,
    )
    if not (new.text or new.blocks or new.attachments):
        raise SlackError("no_text")
    kept = {n: getattr(new, n) for n in ("text", "blocks", "attachments", "metadata")}
    edited = posting.edit(workspace, old, **kept)
    shown = message_json(workspace, edited, metadata=True)
    return {"channel": old.channel, "ts": old.ts, "text": edited.text, "message": shown}


def _delete(call: Call) -> Json:
    old = _own(call, "cant_delete_message")
    posting.delete(call.workspace, old)
    return {"channel": old.channel, "ts": old.ts}


def _whisper(call: Call) -> Json:
    workspace = call.workspace
    channel = call.joined(call.channel())
    reader = call.text("user")
    if reader not in channel.members:
        raise SlackError("user_not_in_channel")
    message = posting.whisper(workspace, channel, reader, _draft(call))
    return {"message_ts": message.ts}


def permalink(call: Call) -> Json:
    """Return where a message can be seen: at Slack under /archives, here too."""
    channel = call.channel()
    message = call.message(channel, "message_ts")
    link = f"{call.workspace.url}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.is_reply:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


METHODS: Mapping[str, Method] = {
    "chat.postMessage": Method(run=_post, tier=0, scopes=("chat:write",)),
    "chat.update": Method(run=_update, tier=3, scopes=("chat:write",)),
    "chat.delete": Method(run=_delete, tier=3, scopes=("chat:write",)),
    "chat.postEphemeral": Method(run=_whisper, tier=4, scopes=("chat:write",)),
    "chat.getPermalink": Method(run=permalink, tier=0),
}
