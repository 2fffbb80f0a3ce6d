"""Records as the JSON objects that Slack's API shows."""

from typing import Any

from bot.sandbox.workspace import seed
from bot.sandbox.workspace.records import Channel, File, Json, Message, User, UserGroup, View
from bot.sandbox.workspace.state import Workspace


def user_json(user: User) -> Json:
    """Return a user object."""
    return {
        "id": user.id,
        "team_id": seed.TEAM,
        "name": user.name,
        "real_name": user.real_name,
        "deleted": False,
        "tz": user.tz,
        "tz_label": user.tz,
        "tz_offset": user.tz_offset_s,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "is_admin": user.is_admin,
        "is_owner": False,
        "is_restricted": user.is_guest,
        "is_ultra_restricted": user.is_guest,
        "updated": 0,
        "profile": {
            "real_name": user.real_name,
            "display_name": user.name,
            "title": user.role,
            "email": user.email,
            "team": seed.TEAM,
        },
    }


def channel_json(workspace: Workspace, channel: Channel) -> Json:
    """Return a conversation object as the bot sees it."""
    created = int(channel.created.timestamp())
    shared: Json = {"id": channel.id, "created": created, "is_archived": False}
    if channel.is_im:
        return {**shared, "is_im": True, "user": channel.user, "is_open": True}
    return {
        **shared,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": True,
        "is_group": False,
        "is_im": False,
        "is_mpim": False,
        "is_private": False,
        "is_general": channel.id == "C0GENERAL",
        "is_member": workspace.app.bot_user in channel.members,
        "creator": "U0ADMIN",
        "num_members": len(channel.members),
        "topic": {"value": channel.topic, "creator": "U0ADMIN", "last_set": created},
        "purpose": {"value": "", "creator": "", "last_set": 0},
    }


def group_json(group: UserGroup) -> Json:
    """Return a user group object."""
    return {
        "id": group.id,
        "team_id": seed.TEAM,
        "is_usergroup": True,
        "name": group.name,
        "handle": group.handle,
        "description": "",
        "date_delete": 0,
        "user_count": len(group.users),
        "users": list(group.users),
    }


def file_json(workspace: Workspace, file: File) -> Json:
    """Return a file object."""
    url = f"{workspace.url}/slack/files/{file.id}/{file.name}"
    return {
        "id": file.id,
        "created": int(file.created.timestamp()),
        "name": file.name,
        "title": file.title or file.name,
        "mimetype": file.mimetype,
        "filetype": file.name.rpartition(".")[2].lower(),
        "user": file.user,
        "size": file.length,
        "alt_txt": file.alt_text,
        "mode": "hosted",
        "is_external": False,
        "url_private": url,
        "url_private_download": url,
        "permalink": url,
        "channels": sorted({c for c, _ in file.shared}),
        "shares": {"public": {c: [{"ts": ts}] for c, ts in file.shared}},
    }


def message_json(workspace: Workspace, message: Message, *, metadata: bool = False) -> Json:
    """Return a message object, with reply counts on a thread's root."""
    app = workspace.app
    body: Json = {"type": "message", "user": message.user, "ts": message.ts, "text": message.text}
    optional: dict[str, Any] = {
        "team": seed.TEAM,
        "subtype": message.subtype,
        "client_msg_id": message.client_msg_id,
        "thread_ts": message.thread_ts,
        "blocks": list(message.blocks),
        "attachments": list(message.attachments),
        "edited": message.edited_ts and {"user": message.user, "ts": message.edited_ts},
        "reactions": [
            {"name": r.name, "users": list(r.users), "count": len(r.users)}
            for r in message.reactions
        ],
        "files": [file_json(workspace, workspace.files[f]) for f in message.files],
        "metadata": message.metadata if metadata else None,
        "is_ephemeral": bool(message.only_for),
    }
    if message.bot_id:
        optional |= {
            "bot_id": message.bot_id,
            "app_id": app.id,
            "bot_profile": {
                "id": message.bot_id,
                "app_id": app.id,
                "name": app.name,
                "deleted": False,
                "team_id": seed.TEAM,
            },
        }
    body |= {name: value for name, value in optional.items() if value}
    if message.is_reply:
        root = workspace.message(message.channel, message.thread_ts)
        body |= {"parent_user_id": root.user} if root else {}
    elif not message.only_for:
        body |= _replies(workspace, message)
    return body


def _replies(workspace: Workspace, root: Message) -> Json:
    if not root.thread_ts:
        return {}
    replies = [m for m in workspace.thread(root.channel, root.ts) if m.ts != root.ts]
    if not replies:
        return {}
    people = list(dict.fromkeys(m.user for m in replies))
    return {
        "thread_ts": root.ts,
        "reply_count": len(replies),
        "reply_users": people[:5],
        "reply_users_count": len(people),
        "latest_reply": replies[-1].ts,
    }


def view_json(workspace: Workspace, view: View) -> Json:
    """Return a view object with its present state."""
    body = view.body
    return {
        "id": view.id,
        "team_id": seed.TEAM,
        "type": body["type"],
        "blocks": body["blocks"],
        "private_metadata": body.get("private_metadata", ""),
        "callback_id": body.get("callback_id", ""),
        "external_id": body.get("external_id", ""),
        "state": {"values": workspace.inputs.get((view.id, view.user), {})},
        "hash": view.hash,
        "title": body.get("title"),
        "submit": body.get("submit"),
        "close": body.get("close"),
        "clear_on_close": body.get("clear_on_close", False),
        "notify_on_close": body.get("notify_on_close", False),
        "previous_view_id": view.previous_id or None,
        "root_view_id": view.root_id,
        "app_id": workspace.app.id,
        "app_installed_team_id": seed.TEAM,
        "bot_id": workspace.app.bot_id,
    }
