"""Serves the page and its files, under a Content-Security-Policy that allows nothing else."""

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

_HERE = Path(__file__).parent

SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}


class _PageFiles(StaticFiles):
    """The page's own scripts, styles and icon; nothing else of this folder."""

    def file_response(
        self,
        full_path: Any,
        stat_result: Any,
        scope: MutableMapping[str, Any],
        status_code: int = 200,
    ) -> Response:
        """Answer a known kind of file with the security headers, others with 404."""
        if Path(full_path).suffix not in {".js", ".css", ".svg"}:
            return Response("Not Found", status_code=404)
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(SECURITY_HEADERS)
        return response


async def _index(_: Request) -> Response:
    return FileResponse(_HERE / "index.html", headers=SECURITY_HEADERS)


def routes() -> list[BaseRoute]:
    """Return the page at `/` and its files at `/static/...`."""
    return [
        Route("/", _index, methods=["GET"], name="page"),
        Mount("/static", _PageFiles(directory=_HERE), name="page-files"),
    ]
