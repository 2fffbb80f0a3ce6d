"""files.*: Slack's upload in three steps, and what is known of a file."""

import mimetypes
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.sandbox.workspace import content, posting
from bot.sandbox.workspace.call import Call, Method
from bot.sandbox.workspace.errors import SlackError, missing
from bot.sandbox.workspace.objects import file_json
from bot.sandbox.workspace.posting import Draft
from bot.sandbox.workspace.records import Channel, File, Json

_UNSAFE = re.compile(r"[^\w.+-]+", re.ASCII)


def _upload_url(call: Call) -> Json:
    workspace = call.workspace
    name, length = call.text("filename"), call.integer("length")
    if length < 1:
        raise SlackError("invalid_arguments", messages=["[ERROR] length must be positive"])
    if length > workspace.limits.file_bytes:
        raise SlackError("file_upload_size_restricted")
    safe = _UNSAFE.sub("_", name)[-200:].strip(".") or "file"
    file = File(
        id=workspace.new_id("F"),
        name=safe,
        length=length,
        user=workspace.app.bot_user,
        created=workspace.now(),
        alt_text=call.text("alt_txt", "")[:1000],
        mimetype=mimetypes.guess_type(safe)[0] or "application/octet-stream",
    )
    workspace.files[file.id] = file
    return {"file_id": file.id, "upload_url": f"{workspace.url}/slack/upload/{file.id}"}


def _complete(call: Call) -> Json:
    workspace = call.workspace
    files = [_uploaded(call, item) for item in _listed(call)]
    channels = _channels(call)
    said = content.read(workspace, {**call.args, "text": call.args.get("initial_comment")})
    thread_ts = call.text("thread_ts", "")
    if thread_ts and not channels:
        raise SlackError("invalid_arguments", messages=["[ERROR] thread_ts needs channel_id"])
    for channel in channels:
        root = workspace.message(channel.id, thread_ts)
        if thread_ts and (root is None or root.is_reply):
            raise SlackError("thread_not_found")
    for file in files:
        workspace.files[file.id] = file
    draft = Draft(
        text=said.text or "",
        blocks=said.blocks or (),
        thread_ts=thread_ts,
        files=tuple(f.id for f in files),
        subtype="file_share",
    )
    for channel in channels:
        message = posting.post(workspace, channel, workspace.app.bot_user, draft)
        posting.tell_files(workspace, message)
    return {"files": [file_json(workspace, workspace.files[f.id]) for f in files]}


def _listed(call: Call) -> list[Any]:
    listed = call.json("files")
    if listed is None:
        raise missing("files")
    if not isinstance(listed, list) or not 1 <= len(listed) <= 50:
        raise SlackError("invalid_arguments", messages=["[ERROR] files must be an array of files"])
    return listed


def _uploaded(call: Call, item: Any) -> File:
    file_id = item.get("id") if isinstance(item, dict) else None
    file = call.workspace.files.get(file_id) if isinstance(file_id, str) else None
    if file is None or file.content is None or file.complete:
        raise SlackError("file_not_found")
    title = item.get("title")
    return replace(file, complete=True, title=title[:500] if isinstance(title, str) else "")


def _channels(call: Call) -> list[Channel]:
    named = call.text("channels", "") or call.text("channel_id", "")
    found = []
    for channel_id in filter(None, named.split(",")):
        channel = call.workspace.channels.get(channel_id)
        if channel is None:
            raise SlackError("channel_not_found")
        found.append(call.joined(channel))
    return found


def _info(call: Call) -> Json:
    file = call.workspace.files.get(call.text("file"))
    if file is None or not file.complete:
        raise SlackError("file_not_found")
    return {"file": file_json(call.workspace, file), "comments": []}


METHODS: Mapping[str, Method] = {
    "files.getUploadURLExternal": Method(run=_upload_url, tier=4, scopes=("files:write",)),
    "files.completeUploadExternal": Method(run=_complete, tier=4, scopes=("files:write",)),
    "files.info": Method(run=_info, tier=4, scopes=("files:read",)),
}
