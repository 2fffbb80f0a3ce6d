"""The sandbox as one ASGI application: the workspace, the page, and whatever else is passed in."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from bot.sandbox.workspace.routes import routes as workspace_routes
from bot.sandbox.workspace.state import Workspace

PAGE = Path(__file__).parent / "page"
Lifespan = AbstractAsyncContextManager[None]


def create_app(
    workspace: Workspace,
    *,
    extra: Sequence[BaseRoute] = (),
    running: Sequence[Lifespan] = (),
    page: Path = PAGE,
) -> Starlette:
    """Return the application.

    Args:
        workspace: Its routes are mounted, and it is closed at the end.
        extra: More routes: the world's, the control's.
        running: Entered at start and left at the end, in this order and back.
        page: Folder of the web page's files; served when it exists.
    """

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with _all(running):
            yield
        await workspace.close()

    return Starlette(
        routes=[*workspace_routes(workspace), *extra, *_page_routes(page)],
        lifespan=lifespan,
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
    )


@asynccontextmanager
async def _all(running: Sequence[Lifespan]) -> AsyncIterator[None]:
    if not running:
        yield
        return
    async with running[0], _all(running[1:]):
        yield


def _page_routes(page: Path) -> list[BaseRoute]:
    index = page / "index.html"

    async def home(_: Request) -> Response:
        if index.is_file():
            return FileResponse(index, headers={"Cache-Control": "no-store"})
        return PlainTextResponse("The sandbox is running; its page is not installed.")

    found: list[BaseRoute] = [Route("/", home, methods=["GET"])]
    if page.is_dir():
        found.append(Mount("/static", StaticFiles(directory=page)))
    return found
