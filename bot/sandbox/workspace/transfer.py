"""Files over HTTP: taking an upload, handing a file out."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.sandbox.workspace import arguments
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.state import Workspace

_SHOWN = ("image/png", "image/jpeg", "image/gif", "image/webp")


class Upload:
    """Answers `/slack/upload/{id}`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    async def __call__(self, request: Request) -> Response:
        """Take a file's bytes once, raw or as a multipart form, of the announced length."""
        file = self._workspace.files.get(request.path_params["id"])
        if file is None or file.content is not None:
            return PlainTextResponse("not found", status_code=404)
        try:
            body = await arguments.read_body(request, self._workspace.limits.file_bytes + 10_000)
            body = arguments.uploaded(request.headers.get("content-type", ""), body)
        except SlackError as error:
            return PlainTextResponse(error.error, status_code=max(400, error.status))
        if len(body) != file.length:
            return PlainTextResponse("the length is not what was announced", status_code=400)
        self._workspace.files[file.id] = replace(file, content=body)
        return PlainTextResponse(f"OK - {len(body)}")


class Download:
    """Answers `/slack/files/{id}/{name}`; images are shown, everything else is only saved."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    async def __call__(self, request: Request) -> Response:
        """Hand out a completed file."""
        file = self._workspace.files.get(request.path_params["id"])
        if file is None or file.content is None or not file.complete:
            return PlainTextResponse("not found", status_code=404)
        image = file.mimetype in _SHOWN
        headers = {
            "Content-Disposition": "inline" if image else "attachment",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        kind = file.mimetype if image else "application/octet-stream"
        return Response(file.content, media_type=kind, headers=headers)
