"""A hand in the sandbox that tests alone have: it makes a running trouble much worse."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.sandbox.world.incidents import parts
from bot.sandbox.world.records import Modifiers
from bot.sandbox.world.running import World

MUCH_WORSE = Modifiers(latency_add_s=6.0, errors=0.5)


def mischief(world: World) -> Route:
    """Return the route by which production's trouble gets worse from now on."""

    async def worsen(_: Request) -> Response:
        running = world.running("prod")
        assert running is not None
        with running.lock:
            name = world.truths["prod"].service
            parts.add(running.site, name, MUCH_WORSE, parts.since(running.now()), "mischief")
        return JSONResponse({"ok": True})

    return Route("/control/worsen", worsen, methods=["POST"])
