"""Everything that the workspace serves, as Starlette routes."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from bot.sandbox.workspace.answers import ResponseUrls
from bot.sandbox.workspace.api import WebApi
from bot.sandbox.workspace.client import Client
from bot.sandbox.workspace.socket import SocketMode
from bot.sandbox.workspace.state import Workspace
from bot.sandbox.workspace.transfer import Download, Upload


def routes(workspace: Workspace) -> list[BaseRoute]:
    """Return the Web API, Socket Mode, uploads, response URLs, permalinks and the page's API."""
    api, upload = WebApi(workspace), Upload(workspace)
    download, answer = Download(workspace), ResponseUrls(workspace)

    return [
        Route("/slack/api/{method}", api.__call__, methods=["GET", "POST"]),
        WebSocketRoute("/slack/socket", SocketMode(workspace).__call__),
        Route("/slack/upload/{id}", upload.__call__, methods=["POST", "PUT"]),
        Route("/slack/files/{id}/{name}", download.__call__, methods=["GET"]),
        Route("/slack/response/{id}", answer.__call__, methods=["POST"]),
        Route("/archives/{channel}/{ts}", _permalink, methods=["GET"]),
        *Client(workspace).routes(),
    ]


async def _permalink(request: Request) -> Response:
    """Lead a permalink to the page: `/#/channel/ts`, or `/#/channel/thread/ts`."""
    digits = request.path_params["ts"].removeprefix("p")
    place = [request.path_params["channel"], f"{digits[:-6]}.{digits[-6:]}"]
    if thread_ts := request.query_params.get("thread_ts"):
        place.insert(1, thread_ts)
    return RedirectResponse("/#/" + "/".join(quote(part, safe="") for part in place))
