"""How the app answers an interaction: by response_url, or in a command's acknowledgement."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from bot.sandbox.workspace import arguments, content, posting
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.posting import Draft
from bot.sandbox.workspace.records import Message, ResponseUrl
from bot.sandbox.workspace.state import Workspace

_STATUS = {"expired_url": 404, "used_url": 404, "request_too_large": 413}


class ResponseUrls:
    """Answers `/slack/response/{id}`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    async def __call__(self, request: Request) -> Response:
        """Take one answer: `ok`, or 4xx with Slack's error name."""
        try:
            right = self._spend(request.path_params["id"])
            body = await arguments.read_body(request, self._workspace.limits.body_bytes)
            answer(self._workspace, right, arguments.json_object(body))
        except SlackError as error:
            return JSONResponse(error.body(), status_code=_STATUS.get(error.error, 400))
        return PlainTextResponse("ok")

    def _spend(self, name: str) -> ResponseUrl:
        limits = self._workspace.limits
        right = self._workspace.response_urls.get(name)
        if right is None or self._workspace.wall() - right.born > limits.response_url_s:
            raise SlackError("expired_url")
        if right.uses >= limits.response_url_uses:
            raise SlackError("used_url")
        self._workspace.response_urls[name] = replace(right, uses=right.uses + 1)
        return right


def answer(workspace: Workspace, right: ResponseUrl, args: Mapping[str, Any]) -> None:
    """Post, replace or delete as the app asked. Raises: SlackError."""
    source = _source(workspace, right)
    if args.get("delete_original") is True:
        if source is None:
            raise SlackError("message_not_found")
        posting.delete(workspace, source)
        return
    said = content.read(workspace, args)
    if said.empty:
        raise SlackError("no_text")
    if args.get("replace_original") is True and source is not None:
        changes = {"text": said.text or "", "blocks": said.blocks or ()}
        posting.edit(workspace, source, **changes, attachments=said.attachments or ())
        return
    _post(workspace, right, said, args)


def _post(
    workspace: Workspace, right: ResponseUrl, said: content.Content, args: Mapping[str, Any]
) -> None:
    channel = workspace.channels[right.channel]
    thread_ts = args.get("thread_ts", "")
    draft = Draft(
        text=said.text or "",
        blocks=said.blocks or (),
        attachments=said.attachments or (),
        metadata=said.metadata,
        thread_ts=thread_ts if isinstance(thread_ts, str) else "",
    )
    if args.get("response_type", "ephemeral") == "in_channel":
        posting.post(workspace, channel, workspace.app.bot_user, draft)
    else:
        posting.whisper(workspace, channel, right.user, draft)


def _source(workspace: Workspace, right: ResponseUrl) -> Message | None:
    found = workspace.message(right.channel, right.message_ts)
    return found or workspace.ephemerals.get(right.message_ts)
