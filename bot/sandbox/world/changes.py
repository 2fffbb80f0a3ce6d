"""The change feed: what was deployed, committed, configured and switched, and when."""

from datetime import UTC, datetime

from starlette.routing import BaseRoute, Route

from bot.sandbox.world.records import Json
from bot.sandbox.world.running import Running, World
from bot.sandbox.world.serving import Asked, BadRequest, endpoint


def routes(world: World) -> list[BaseRoute]:
    """Return the route `/world/{env}/changes`."""
    return [Route("/world/{env}/changes", endpoint(world, listed))]


def listed(running: Running, asked: Asked) -> Json:
    """Return the changes between `since` and `until`, oldest first."""
    now = running.now()
    since = _moment(asked, "since", 0.0)
    until = min(now, _moment(asked, "until", now))
    found = [c for c in running.site.changes if since <= c["at"] <= until]
    found.sort(key=lambda c: (c["at"], c["id"]))
    return {"changes": [c | {"at": _iso(c["at"])} for c in found]}


def _moment(asked: Asked, name: str, default: float) -> float:
    text = asked.query.get(name, "")
    if not text:
        return default
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as error:
        raise BadRequest(f"{name}: expected an ISO 8601 time") from error
    if moment.tzinfo is None:
        raise BadRequest(f"{name}: the time has no zone")
    return moment.timestamp()


def _iso(at: float) -> str:
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
