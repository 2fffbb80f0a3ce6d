"""Events API payloads, and which of them the app hears: subscribed, in scope, a member there."""

from typing import Any

from bot.sandbox.workspace import seed
from bot.sandbox.workspace.objects import message_json
from bot.sandbox.workspace.records import Channel, Json, Message
from bot.sandbox.workspace.state import Workspace

_SCOPES = {
    "app_mention": "app_mentions:read",
    "message.channels": "channels:history",
    "message.im": "im:history",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
}
_MENTION = (
    *("user", "ts", "client_msg_id", "text", "team", "thread_ts", "parent_user_id"),
    *("blocks", "files", "channel", "event_ts"),
)


def emit(workspace: Workspace, subscription: str, event: Json) -> None:
    """Send an event to the app if its manifest asks for it and its scopes allow it."""
    app = workspace.app
    if app.events is not None and subscription not in app.events:
        return
    needed = _SCOPES.get(subscription)
    if needed and app.scopes is not None and needed not in app.scopes:
        return
    event_id = workspace.new_id("Ev")
    workspace.delivery.emit(
        {
            "token": "",
            "team_id": seed.TEAM,
            "api_app_id": app.id,
            "event": event,
            "type": "event_callback",
            "event_id": event_id,
            "event_time": int(workspace.now().timestamp()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": seed.TEAM,
                    "user_id": app.bot_user,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": False,
            "event_context": f"4-{event_id}",
        }
    )


def _place(channel: Channel) -> tuple[str, str]:
    """Return the subscription and the `channel_type` of messages there."""
    return ("message.im", "im") if channel.is_im else ("message.channels", "channel")


def posted(workspace: Workspace, channel: Channel, message: Message) -> None:
    """Tell the app of a new message."""
    if workspace.app.bot_user not in channel.members:
        return
    body = message_json(workspace, message)
    body |= {"channel": channel.id, "event_ts": message.ts}
    subscription, kind = _place(channel)
    mentioned = f"<@{workspace.app.bot_user}>" in message.text
    if mentioned and not channel.is_im and message.user != workspace.app.bot_user:
        mention = {name: body[name] for name in _MENTION if name in body}
        emit(workspace, "app_mention", {"type": "app_mention", **mention})
    emit(workspace, subscription, {**body, "channel_type": kind})


def changed(workspace: Workspace, channel: Channel, new: Message, old: Message) -> None:
    """Tell the app of an edit."""
    _hidden(
        workspace,
        channel,
        "message_changed",
        message=message_json(workspace, new),
        previous_message=message_json(workspace, old),
    )


def deleted(workspace: Workspace, channel: Channel, old: Message) -> None:
    """Tell the app of a deletion."""
    _hidden(
        workspace,
        channel,
        "message_deleted",
        deleted_ts=old.ts,
        previous_message=message_json(workspace, old),
    )


def _hidden(workspace: Workspace, channel: Channel, subtype: str, **more: Any) -> None:
    if workspace.app.bot_user not in channel.members:
        return
    subscription, kind = _place(channel)
    ts = workspace.next_ts()
    body = {"type": "message", "subtype": subtype, "hidden": True, "channel": channel.id}
    emit(workspace, subscription, {**body, "ts": ts, "event_ts": ts, "channel_type": kind, **more})


def reacted(workspace: Workspace, message: Message, user: str, name: str, *, added: bool) -> None:
    """Tell the app of a reaction."""
    if workspace.app.bot_user not in workspace.channels[message.channel].members:
        return
    kind = "reaction_added" if added else "reaction_removed"
    item = {"type": "message", "channel": message.channel, "ts": message.ts}
    event = {"type": kind, "user": user, "reaction": name, "item": item}
    emit(
        workspace,
        kind,
        {**event, "item_user": message.user, "event_ts": workspace.next_ts()},
    )


def home_opened(workspace: Workspace, user: str, channel: str, view: Json | None) -> None:
    """Tell the app that a person looks at its App Home."""
    event: Json = {"type": "app_home_opened", "user": user, "channel": channel, "tab": "home"}
    event |= {"event_ts": workspace.next_ts()} | ({"view": view} if view else {})
    emit(workspace, "app_home_opened", event)
