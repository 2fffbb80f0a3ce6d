"""Jaeger's HTTP API: services, operations, traces, dependencies."""

import json
import re
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot.sandbox.world.jaeger.tracing import Walker, tags_match
from bot.sandbox.world.running import Running, World
from bot.sandbox.world.serving import Asked, BadRequest, endpoint
from bot.sandbox.world.site import SCRAPE
from bot.sandbox.world.topology import STATEFUL

MOST_TRACES = 1500
CANDIDATES = 280
KEPT = 4000
LAST_HOURS = 25


def routes(world: World) -> list[BaseRoute]:
    """Return the routes under `/world/{env}/jaeger`."""
    base = "/world/{env}/jaeger/api"
    handlers = {
        "services": services,
        "services/{name}/operations": operations,
        "traces": traces,
        "traces/{id}": one,
        "dependencies": dependencies,
    }
    return [
        Route(f"{base}/{path}", endpoint(world, _wrapped(handler), _failed))
        for path, handler in handlers.items()
    ]


def _wrapped(handler: Any) -> Any:
    def run(running: Running, asked: Asked) -> Response:
        found = handler(running, asked)
        return JSONResponse({"data": found, "total": len(found), "limit": 0, "offset": 0,
                             "errors": None})  # fmt: skip

    return run


def _failed(bad: BadRequest) -> Response:
    errors = [{"code": bad.code, "msg": str(bad)}]
    body = {"data": None, "total": 0, "limit": 0, "offset": 0, "errors": errors}
    return JSONResponse(body, status_code=bad.code)


def _sending(running: Running) -> list[str]:
    return sorted(
        s.name for s in running.site.topology.services if s.inside and s.role not in STATEFUL
    )


def services(running: Running, _asked: Asked) -> list[str]:
    """Return the services that send spans."""
    return _sending(running)


def operations(running: Running, asked: Asked) -> list[str]:
    """Return the operations of one service."""
    name = str(asked.path["name"])
    if name not in _sending(running):
        return []
    service = running.site.service(name)
    return [f"{name} handle", *(c.operation for c in service.calls)]


def _number(asked: Asked, name: str, default: int) -> int:
    text = asked.query.get(name, "")
    if not text:
        return default
    if not re.fullmatch(r"-?\d{1,19}", text):
        raise BadRequest(f"unable to parse param '{name}': expected a whole number")
    return int(text)


def traces(running: Running, asked: Asked) -> list[dict[str, Any]]:
    """Return traces that touch a service, newest first."""
    service = asked.query.get("service", "")
    if not service:
        raise BadRequest("parameter 'service' is required")
    if service not in _sending(running):
        return []
    now = running.now()
    end = min(now - SCRAPE, _number(asked, "end", round(now * 1e6)) / 1e6)
    start = _number(asked, "start", round((end - 3600.0) * 1e6)) / 1e6
    start = max(start, now - LAST_HOURS * 3600.0, end - 12 * 3600.0)
    limit = max(0, min(MOST_TRACES, _number(asked, "limit", 20)))
    keep = _filters(asked, service)
    out: list[dict[str, Any]] = []
    for slot in _slots(start, end):
        if len(out) >= limit:
            break
        trace = _trace(running, service, slot)
        if trace is not None and keep(trace):
            out.append(trace)
    return out


def _slots(start: float, end: float) -> list[int]:
    """Return at most CANDIDATES slots of the span, spread evenly, newest first."""
    first, last = int(start // SCRAPE), int(end // SCRAPE)
    step = max(1, (last - first + 1) // CANDIDATES)
    return list(range(last, first - 1, -step))[:CANDIDATES]


def _trace(running: Running, service: str, slot: int) -> dict[str, Any] | None:
    site = running.site
    key = (service, slot, site.version)
    found = running.traces.get(key)
    if found is None:
        walker = Walker(running.scope, service, slot)
        if float(walker.frame[service].rate[walker.place]) <= 0:
            return None
        found = running.traces[key] = walker.walk().body()
        if len(running.traces) > KEPT:
            running.traces.pop(next(iter(running.traces)))
    return found


def _filters(asked: Asked, service: str) -> Any:
    wanted = _tags(asked.query.get("tags", ""))
    shortest = _duration(asked.query.get("minDuration", ""))
    longest = _duration(asked.query.get("maxDuration", "")) or float("inf")
    operation = asked.query.get("operation", "")

    def keep(trace: dict[str, Any]) -> bool:
        if all(p["serviceName"] != service for p in trace["processes"].values()):
            return False  # it failed before it got there
        took = max(s["duration"] for s in trace["spans"]) / 1e6
        if not shortest <= took <= longest:
            return False
        if operation and all(s["operationName"] != operation for s in trace["spans"]):
            return False
        return not wanted or tags_match(trace, service, wanted)

    return keep


def _tags(text: str) -> dict[str, str]:
    if not text:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRequest("malformed 'tags' parameter, expecting a JSON string map") from error
    if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
        raise BadRequest("malformed 'tags' parameter, expecting a JSON string map")
    return found


def _duration(text: str) -> float:
    if not text:
        return 0.0
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)(us|µs|ms|s|m|h)", text)
    if found is None:
        raise BadRequest(f"cannot parse a duration from {text[:40]!r}")
    units = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
    return float(found[1]) * units[found[2]]


def one(running: Running, asked: Asked) -> list[dict[str, Any]]:
    """Return one trace that was listed before. Raises: BadRequest 404."""
    for trace in running.traces.values():
        if trace["traceID"] == asked.path["id"]:
            return [trace]
    raise BadRequest("trace not found", 404)


def dependencies(running: Running, asked: Asked) -> list[dict[str, Any]]:
    """Return who called whom how often."""
    now = running.now()
    end = min(now, _number(asked, "endTs", round(now * 1000)) / 1000.0)
    lookback = max(0.0, _number(asked, "lookback", 3_600_000) / 1000.0)
    slot = int(max(end - lookback / 2.0, now - 24 * 3600.0) // SCRAPE)
    from bot.sandbox.world.site import BLOCK

    frame = running.scope.blocks.frame(slot // BLOCK)
    out = []
    for flow in frame.values():
        if flow.service.role in STATEFUL or not flow.service.inside:
            continue
        for callee, edge in flow.edges.items():
            rate = float(edge.rate[0][slot % BLOCK])
            out.append({"parent": flow.service.name, "child": callee,
                        "callCount": round(rate * min(lookback, 86400.0 * 7))})  # fmt: skip
    return [d for d in out if d["callCount"]]
