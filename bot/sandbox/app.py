"""The sandbox as one ASGI application: the workspace, the page, and whatever else is passed in."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import BaseRoute

from bot.sandbox.page.routes import routes as page_routes
from bot.sandbox.workspace.routes import routes as workspace_routes
from bot.sandbox.workspace.state import Workspace

Lifespan = AbstractAsyncContextManager[None]


def create_app(
    workspace: Workspace,
    *,
    extra: Sequence[BaseRoute] = (),
    running: Sequence[Lifespan] = (),
) -> Starlette:
    """Return the application.

    Args:
        workspace: Its routes are mounted, and it is closed at the end.
        extra: More routes: the world's, the control's.
        running: Entered at start and left at the end, in this order and back.
    """

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with _all(running):
            yield
        await workspace.close()

    return Starlette(
        routes=[*workspace_routes(workspace), *extra, *page_routes()],
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
