"""Posting, editing, deleting and reacting: changes of what everybody sees, told to page and app."""

from dataclasses import dataclass, replace
from typing import Any

from bot.sandbox.workspace import events
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.objects import file_json, message_json
from bot.sandbox.workspace.records import Channel, Json, Message, Reaction
from bot.sandbox.workspace.state import Workspace

_MOST_EPHEMERALS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message to be posted."""

    text: str = ""
    blocks: tuple[Json, ...] = ()
    attachments: tuple[Json, ...] = ()
    thread_ts: str = ""
    broadcast: bool = False
    metadata: Json | None = None
    files: tuple[str, ...] = ()
    client_msg_id: str = ""
    subtype: str = ""


def post(workspace: Workspace, channel: Channel, user: str, draft: Draft) -> Message:
    """Post into a channel or a thread. Raises: SlackError thread_not_found."""
    root = _root(workspace, channel, draft.thread_ts)
    message = _message(workspace, channel, user, draft)
    workspace.messages[channel.id][message.ts] = message
    if root is not None:
        workspace.replies.setdefault((channel.id, root.ts), []).append(message.ts)
    _share_files(workspace, message)
    if root is not None and not root.thread_ts:
        workspace.messages[channel.id][root.ts] = replace(root, thread_ts=root.ts)
    workspace.stream.publish(_told("message", workspace, message))
    if root is not None:
        after = workspace.messages[channel.id][root.ts]
        workspace.stream.publish(_told("message_changed", workspace, after))
    workspace.statuses.pop((channel.id, draft.thread_ts), None)
    events.posted(workspace, channel, message)
    return message


def _root(workspace: Workspace, channel: Channel, thread_ts: str) -> Message | None:
    if not thread_ts:
        return None
    root = workspace.message(channel.id, thread_ts)
    if root is None or root.is_reply:
        raise SlackError("thread_not_found")
    return root


def _message(workspace: Workspace, channel: Channel, user: str, draft: Draft) -> Message:
    return Message(
        channel=channel.id,
        ts=workspace.next_ts(),
        user=user,
        text=draft.text,
        blocks=draft.blocks,
        attachments=draft.attachments,
        thread_ts=draft.thread_ts,
        bot_id=workspace.app.bot_id if user == workspace.app.bot_user else "",
        client_msg_id=draft.client_msg_id,
        subtype="thread_broadcast" if draft.broadcast and draft.thread_ts else draft.subtype,
        broadcast=draft.broadcast,
        metadata=draft.metadata or None,
        files=draft.files,
    )


def _share_files(workspace: Workspace, message: Message) -> None:
    for file_id in message.files:
        file = workspace.files[file_id]
        shared = (*file.shared, (message.channel, message.ts))
        workspace.files[file_id] = replace(file, shared=shared)


def tell_files(workspace: Workspace, message: Message) -> None:
    """Tell the page of the files that came with a message."""
    told = _told("file", workspace, message)
    for file_id in message.files:
        file = file_json(workspace, workspace.files[file_id])
        workspace.stream.publish({**told, "file": file})


def whisper(workspace: Workspace, channel: Channel, reader: str, draft: Draft) -> Message:
    """Show a message to one person only. Raises: SlackError thread_not_found."""
    _root(workspace, channel, draft.thread_ts)
    message = _message(workspace, channel, workspace.app.bot_user, draft)
    message = replace(message, only_for=reader, metadata=None)
    workspace.ephemerals[message.ts] = message
    while len(workspace.ephemerals) > _MOST_EPHEMERALS:
        workspace.ephemerals.pop(next(iter(workspace.ephemerals)))
    workspace.stream.publish(_told("ephemeral", workspace, message), only_for=reader)
    return message


def edit(workspace: Workspace, old: Message, **changes: Any) -> Message:
    """Change a message that everybody or one person sees."""
    new = replace(old, edited_ts=workspace.next_ts(), **changes)
    if old.only_for:
        workspace.ephemerals[old.ts] = new
        event = {**_told("message_changed", workspace, new), "ephemeral": True}
        workspace.stream.publish(event, only_for=old.only_for)
        return new
    workspace.messages[old.channel][old.ts] = new
    workspace.stream.publish(_told("message_changed", workspace, new))
    events.changed(workspace, workspace.channels[old.channel], new, old)
    return new


def delete(workspace: Workspace, old: Message) -> None:
    """Take a message away; a root with replies stays as a tombstone, as at Slack."""
    event = {
        "type": "message_deleted",
        "channel": old.channel,
        "ts": old.ts,
        "thread_ts": old.thread_ts,
    }
    if old.only_for:
        workspace.ephemerals.pop(old.ts, None)
        workspace.stream.publish(event, only_for=old.only_for)
        return
    if old.thread_ts == old.ts and len(workspace.thread(old.channel, old.ts)) > 1:
        gone = Message(
            channel=old.channel, ts=old.ts, user="USLACKBOT", text="This message was deleted.",
            thread_ts=old.ts, subtype="tombstone",
        )  # fmt: skip
        workspace.messages[old.channel][old.ts] = gone
        workspace.stream.publish(_told("message_changed", workspace, gone))
    else:
        del workspace.messages[old.channel][old.ts]
        if old.is_reply:
            workspace.replies[(old.channel, old.thread_ts)].remove(old.ts)
        workspace.stream.publish(event)
    events.deleted(workspace, workspace.channels[old.channel], old)


def react(workspace: Workspace, message: Message, user: str, name: str, *, add: bool) -> None:
    """Add or remove a person's reaction. Raises: SlackError already_reacted, no_reaction."""
    users = next((r.users for r in message.reactions if r.name == name), ())
    if add == (user in users):
        raise SlackError("already_reacted" if add else "no_reaction")
    after = (*users, user) if add else tuple(u for u in users if u != user)
    kept = [Reaction(name=name, users=after) if r.name == name else r for r in message.reactions]
    if not users:
        kept.append(Reaction(name=name, users=after))
    new = replace(message, reactions=tuple(r for r in kept if r.users))
    workspace.messages[message.channel][message.ts] = new
    workspace.stream.publish(
        {
            "type": "reaction",
            "channel": message.channel,
            "ts": message.ts,
            "thread_ts": message.thread_ts,
            "user": user,
            "name": name,
            "added": add,
            "reactions": message_json(workspace, new).get("reactions", []),
        }
    )
    events.reacted(workspace, new, user, name, added=add)


def _told(kind: str, workspace: Workspace, message: Message) -> Json:
    return {
        "type": kind,
        "channel": message.channel,
        "message": message_json(workspace, message),
    }
