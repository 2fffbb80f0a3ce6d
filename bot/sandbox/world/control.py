"""The hand behind the scenes: start incidents, look at the truth and at what was done, reset."""

from dataclasses import asdict
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot.sandbox.world import catalog, composing
from bot.sandbox.world.running import ENVIRONMENTS, World
from bot.sandbox.world.serving import Asked, BadRequest, plain_failure
from bot.sandbox.world.warming import warm

MAX_SEED = 2**31


def routes(world: World) -> list[BaseRoute]:
    """Return the routes under `/control`."""
    return [
        Route("/control/incidents", _run(world, _incidents), methods=["GET", "POST"]),
        Route("/control/truth", _run(world, _truth)),
        Route("/control/actions", _run(world, _actions)),
        Route("/control/clock", _run(world, _clock)),
        Route("/control/reset", _run(world, _reset), methods=["POST"]),
    ]


def _run(world: World, handler: Any) -> Any:
    async def endpoint(request: Request) -> Response:
        asked = Asked(request, await request.body())
        try:
            return JSONResponse(await run_in_threadpool(handler, world, asked))
        except BadRequest as bad:
            return plain_failure(bad)

    return endpoint


def _incidents(world: World, asked: Asked) -> Any:
    if asked.method == "GET":
        names = catalog.incidents()
        return {"incidents": [{"name": n, "summary": catalog.summary(n)} for n in names],
                "composed": composing.NAME}  # fmt: skip
    body = asked.json() if asked.raw else None
    if not isinstance(body, dict):
        raise BadRequest('the body must be {"incident": name, "seed": n, "environment": name}')
    name, seed = body.get("incident"), body.get("seed", world.seed)
    environment = body.get("environment", "prod")
    if not isinstance(name, str) or environment not in ENVIRONMENTS:
        raise BadRequest("incident and environment must be names that exist")
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < MAX_SEED:
        raise BadRequest("seed must be a whole number")
    try:
        begun = catalog.start(world, name, seed, environment)
    except catalog.UnknownIncident as unknown:
        raise BadRequest(str(unknown), 404) from unknown
    if (running := world.running(environment)) is not None:
        warm(running)
    return asdict(begun)


def _truth(world: World, asked: Asked) -> Any:
    wanted = asked.query.get("environment", "")
    found = {env: asdict(t) for env, t in list(world.truths.items()) if wanted in ("", env)}
    return {"truth": found}


def _actions(world: World, asked: Asked) -> Any:
    wanted = asked.query.get("environment", "")
    out: list[dict[str, Any]] = []
    for env in ENVIRONMENTS:
        running = world.running(env)
        if running is not None and wanted in ("", env):
            out.extend({"environment": env, **a} for a in running.site.actions)
    return {"actions": sorted(out, key=lambda a: a["at"])}


def _clock(world: World, _asked: Asked) -> Any:
    now = world.clock.now()
    rate = 1.0 / max(world.clock.wall_seconds(1.0), 1e-9)
    return {"now": now.isoformat(), "epoch": now.timestamp(), "rate": rate}


def _reset(world: World, asked: Asked) -> Any:
    body = asked.json() if asked.raw else {}
    environment = body.get("environment", "") if isinstance(body, dict) else None
    if environment not in ("", *ENVIRONMENTS):
        raise BadRequest("environment must be a name that exists")
    world.reset(environment)
    return {"ok": True}
