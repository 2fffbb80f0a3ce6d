"""What people do in the workspace: speak, click, submit, close, command, look at App Home."""

import asyncio
import uuid
from typing import Any

from bot.sandbox.workspace import answers, events, modals, posting, seed, speech
from bot.sandbox.workspace.content import MOST_TEXT
from bot.sandbox.workspace.elements import find, take
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.objects import message_json, view_json
from bot.sandbox.workspace.records import Channel, Json, Message, ResponseUrl, User, View
from bot.sandbox.workspace.state import Workspace, forget_oldest
from bot.sandbox.workspace.submission import apply_ack, required_but_empty


def person(workspace: Workspace, user_id: str) -> User:
    """Return a human user. Raises: SlackError user_not_found."""
    user = workspace.users.get(user_id)
    if user is None or user.is_bot:
        raise SlackError("user_not_found")
    return user


def place(workspace: Workspace, user: User, channel_id: str) -> Channel:
    """Return a channel the person is in. Raises: SlackError channel_not_found, not_in_channel."""
    channel = workspace.channels.get(channel_id)
    if channel is None:
        raise SlackError("channel_not_found")
    if user.id not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def say(workspace: Workspace, user: User, channel: Channel, text: str, thread_ts: str = "") -> str:
    """Post as a person and return the ts. Raises: SlackError no_text or msg_too_long."""
    if not text.strip():
        raise SlackError("no_text")
    if len(text) > MOST_TEXT:
        raise SlackError("msg_too_long")
    kept = speech.stored(workspace, text)
    draft = posting.Draft(
        text=kept,
        blocks=speech.rich_text(kept),
        thread_ts=thread_ts,
        client_msg_id=str(uuid.uuid4()),
    )
    return posting.post(workspace, channel, user.id, draft).ts


async def click(workspace: Workspace, user: User, where: Message | View, said: Json) -> None:
    """Use an interactive element. Raises: SlackError: action_not_found, not_acknowledged."""
    view = where if isinstance(where, View) else None
    blocks = where.body["blocks"] if isinstance(where, View) else where.blocks
    element = find(blocks, said.get("block_id"), said.get("action_id"))
    action, state = take(element, said)
    key = (where.id if isinstance(where, View) else where.ts, user.id)
    if state is not None:
        forget_oldest(workspace.inputs)
        values = workspace.inputs.setdefault(key, {})
        values.setdefault(action["block_id"], {})[action["action_id"]] = state
    action["action_ts"] = workspace.next_ts()
    payload = _about(workspace, user, "block_actions") | {
        "trigger_id": workspace.new_trigger(user.id, view.id if view else ""),
        "state": {"values": workspace.inputs.get(key, {})},
        "actions": [action],
    }
    if isinstance(where, View):
        payload |= _view_source(workspace, where)
    else:
        payload |= _message_source(workspace, user, where)
    if await workspace.delivery.ask("interactive", payload) is None:
        raise SlackError("not_acknowledged")


def _about(workspace: Workspace, user: User, kind: str) -> Json:
    return {
        "type": kind,
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": seed.TEAM},
        "api_app_id": workspace.app.id,
        "token": "",
        "team": {"id": seed.TEAM, "domain": seed.TEAM_DOMAIN},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _message_source(workspace: Workspace, user: User, message: Message) -> Json:
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel,
        "is_ephemeral": bool(message.only_for),
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    channel = workspace.channels[message.channel]
    source = {
        "container": container,
        "channel": {"id": channel.id, "name": channel.name or "directmessage"},
        "response_url": workspace.new_response_url(user.id, channel.id, message),
    }
    return source | ({} if message.only_for else {"message": message_json(workspace, message)})


def _view_source(workspace: Workspace, view: View) -> Json:
    return {"container": {"type": "view", "view_id": view.id}, "view": view_json(workspace, view)}


async def submit(workspace: Workspace, user: User, view: View, values: Json) -> Json:
    """Submit a modal and return the app's response_action. Raises: SlackError."""
    workspace.inputs[(view.id, user.id)] = values
    empty = required_but_empty(view, values)
    if empty:
        return {"response_action": "errors", "errors": empty}
    payload = _about(workspace, user, "view_submission") | {
        "trigger_id": workspace.new_trigger(user.id, view.id),
        "view": view_json(workspace, view),
        "response_urls": [],
    }
    ack = await workspace.delivery.ask("interactive", payload)
    if ack is None:
        raise SlackError("not_acknowledged")
    return apply_ack(workspace, workspace.views.get(view.id, view), ack.payload)


async def dismiss(workspace: Workspace, user: User, view: View) -> None:
    """Close a modal; the app hears it if it asked for that."""
    everything = bool(view.body.get("clear_on_close"))
    asked = []
    for closed in modals.close(workspace, view, everything=everything):
        if closed.body.get("notify_on_close"):
            about = _about(workspace, user, "view_closed")
            payload = about | {"view": view_json(workspace, closed), "is_cleared": everything}
            asked.append(workspace.delivery.ask("interactive", payload))
    await asyncio.gather(*asked)


async def command(workspace: Workspace, user: User, channel: Channel, name: str, text: str) -> None:
    """Run a slash command; its acknowledgement may be a message. Raises: SlackError."""
    known = workspace.app.commands
    if known is not None and name not in known:
        raise SlackError("unknown_command")
    url = workspace.new_response_url(user.id, channel.id)
    payload = {
        "token": "",
        "team_id": seed.TEAM,
        "team_domain": seed.TEAM_DOMAIN,
        "channel_id": channel.id,
        "channel_name": channel.name or "directmessage",
        "user_id": user.id,
        "user_name": user.name,
        "command": name,
        "text": text,
        "api_app_id": workspace.app.id,
        "is_enterprise_install": "false",
        "response_url": url,
        "trigger_id": workspace.new_trigger(user.id),
    }
    ack = await workspace.delivery.ask("slash_commands", payload)
    if ack is None:
        raise SlackError("not_acknowledged")
    _show_ack(workspace, workspace.response_urls[url.rpartition("/")[2]], ack.payload)


def _show_ack(workspace: Workspace, right: ResponseUrl, payload: dict[str, Any] | None) -> None:
    if payload and (payload.get("text") or payload.get("blocks")):
        answers.answer(workspace, right, payload)


def open_home(workspace: Workspace, user: User) -> View | None:
    """Look at App Home: tells the app, and returns what it published so far."""
    view = workspace.homes.get(user.id)
    channel = workspace.direct_message(user.id)
    shown = view_json(workspace, view) if view else None
    events.home_opened(workspace, user.id, channel.id, shown)
    return view
