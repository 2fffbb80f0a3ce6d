"""What the page shows: the team, a channel, a thread; a person's ephemerals among them."""

from bot.sandbox.workspace import seed
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.objects import message_json
from bot.sandbox.workspace.records import Channel, Json, Message, User
from bot.sandbox.workspace.state import Workspace


def state(workspace: Workspace) -> Json:
    """Return who and what there is."""
    app = workspace.app
    return {
        "team": {"id": seed.TEAM, "name": seed.TEAM_NAME, "domain": seed.TEAM_DOMAIN},
        "bot_user": {"id": app.bot_user, "name": app.name},
        "users": [_user(u) for u in workspace.users.values()],
        "channels": [_channel(workspace, c) for c in workspace.channels.values() if not c.is_im],
        "ims": [{"id": c.id, "user": c.user} for c in workspace.channels.values() if c.is_im],
        "groups": [
            {"id": g.id, "handle": g.handle, "name": g.name, "users": list(g.users)}
            for g in workspace.groups.values()
        ],
        "connected": bool(workspace.delivery.sockets) or bool(app.request_url),
        "now": workspace.now().timestamp(),
    }


def _user(user: User) -> Json:
    return {
        "id": user.id,
        "name": user.name,
        "real_name": user.real_name,
        "role": user.role,
        "is_guest": user.is_guest,
        "is_bot": user.is_bot,
        "tz": user.tz,
    }


def _channel(workspace: Workspace, channel: Channel) -> Json:
    return {
        "id": channel.id,
        "name": channel.name,
        "topic": channel.topic,
        "bot_is_member": workspace.app.bot_user in channel.members,
    }


def channel_messages(workspace: Workspace, channel: Channel, user: str) -> list[Json]:
    """Return the messages of a channel, oldest first, without replies that stay in their thread."""
    shown = [m for m in workspace.messages[channel.id].values() if not m.is_reply or m.broadcast]
    mine = [e for e in _mine(workspace, channel, user) if not e.thread_ts]
    return _sorted(workspace, [*shown, *mine])


def thread_messages(workspace: Workspace, channel: Channel, ts: str, user: str) -> list[Json]:
    """Return a thread, root first. Raises: SlackError thread_not_found."""
    root = workspace.message(channel.id, ts)
    if root is None or root.is_reply:
        raise SlackError("thread_not_found")
    mine = [e for e in _mine(workspace, channel, user) if e.thread_ts == ts]
    return _sorted(workspace, [*workspace.thread(channel.id, ts), *mine])


def _mine(workspace: Workspace, channel: Channel, user: str) -> list[Message]:
    found = workspace.ephemerals.values()
    return [e for e in found if e.channel == channel.id and user and e.only_for == user]


def _sorted(workspace: Workspace, messages: list[Message]) -> list[Json]:
    return [message_json(workspace, m) for m in sorted(messages, key=lambda m: float(m.ts))]
