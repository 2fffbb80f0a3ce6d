"""Feature flags as flagd shapes them: list, and change with a version, a key and a dry run."""

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot.sandbox.world.background import flag_change
from bot.sandbox.world.records import Flag, Json
from bot.sandbox.world.running import Running, World
from bot.sandbox.world.serving import Asked, BadRequest, endpoint

MAX_KEYS = 10_000


def routes(world: World) -> list[BaseRoute]:
    """Return the routes under `/world/{env}/flags`."""
    return [
        Route("/world/{env}/flags", endpoint(world, listed)),
        Route("/world/{env}/flags/{name}", endpoint(world, one), methods=["GET", "PUT"]),
    ]


def listed(running: Running, _asked: Asked) -> Json:
    """Return all flags."""
    now = running.now()
    return {"flags": {name: body(flag, now) for name, flag in sorted(running.site.flags.items())}}


def body(flag: Flag, now: float) -> Json:
    """Return one flag as it is now."""
    return {"state": "ENABLED", "variants": dict(flag.variants), "service": flag.service,
            "defaultVariant": flag.served.at(now), "version": str(flag.version),
            "metadata": {"description": flag.description}}  # fmt: skip


def one(running: Running, asked: Asked) -> Response:
    """Return or change one flag. Raises: BadRequest 400, 404, 409, 412, 422, 428."""
    flag = running.site.flags.get(str(asked.path["name"]))
    if flag is None:
        raise BadRequest("there is no such flag", 404)
    if asked.method == "GET":
        return _shown(flag, running.now())
    key = asked.headers.get("idempotency-key", "")
    variant = _wanted(flag, asked)
    done = running.site.keys.get(key) if key else None
    if done is not None:
        return _again(done, flag, (variant, running.now()))
    _match(flag, asked.headers.get("if-match", ""))
    if asked.query.get("dryRun"):
        return _preview(flag, variant, asked, running.now())
    return _put(running, flag, variant, key)


def _shown(flag: Flag, now: float) -> Response:
    return JSONResponse(body(flag, now), headers={"ETag": f'"{flag.version}"'})


def _wanted(flag: Flag, asked: Asked) -> str:
    found = asked.json()
    if not isinstance(found, dict) or set(found) - {"defaultVariant", "state"}:
        raise BadRequest('the body must be {"defaultVariant": "…"}')
    variant = found.get("defaultVariant")
    if variant not in flag.variants or not isinstance(variant, str):
        raise BadRequest(f"{flag.name} has no variant {str(variant)[:60]!r}", 422)
    return variant


def _again(done: Json, flag: Flag, now: tuple[str, float]) -> Response:
    variant, at = now
    if done != {"flag": flag.name, "variant": variant}:
        raise BadRequest("this idempotency key was used for another change", 409)
    return _shown(flag, at)


def _match(flag: Flag, wanted: str) -> None:
    if not wanted:
        raise BadRequest("If-Match is required", 428)
    if wanted not in ("*", f'"{flag.version}"'):
        raise BadRequest(f"the flag is at version {flag.version}", 412)


def _preview(flag: Flag, variant: str, asked: Asked, now: float) -> Response:
    if asked.query.get("dryRun") != "All":
        raise BadRequest("dryRun: the only value is All", 422)
    return JSONResponse(body(flag, now) | {"defaultVariant": variant})


def _put(running: Running, flag: Flag, variant: str, key: str) -> Response:
    now, site = running.now(), running.site
    before = flag.served.at(now)
    if key and len(site.keys) < MAX_KEYS:
        site.keys[key] = {"flag": flag.name, "variant": variant}
    if variant != before:
        flag.served.put(now, variant)
        flag.version += 1
        flag_change(site, flag, before, variant, now)
        site.changed(now)
        site.actions.append({"at": now, "by": "flags", "object": f"flag/{flag.name}",
                             "what": f"{before} → {variant}", "key": key or None})  # fmt: skip
    return _shown(flag, now)
