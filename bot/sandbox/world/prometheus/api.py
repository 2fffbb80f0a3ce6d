"""Prometheus' HTTP API: queries and metadata, errors in Prometheus' own shape."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
from starlette.datastructures import FormData, QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot.sandbox.world.noise import Floats
from bot.sandbox.world.prometheus import alerts, formatting
from bot.sandbox.world.promql.evaluator import Evaluator, Matcher, _matchers, parse
from bot.sandbox.world.promql.values import NAME, BadQuery, FailedQuery
from bot.sandbox.world.running import Running, World
from bot.sandbox.world.series.registry import SiteStorage
from bot.sandbox.world.serving import Asked, endpoint
from bot.sandbox.world.site import SCRAPE

MAX_POINTS = 11_000
Params = QueryParams | FormData
Handler = Callable[["Running", Params, dict[str, str]], Any]


def routes(world: World) -> list[BaseRoute]:
    """Return the routes under `/world/{env}/prometheus`."""
    handlers: dict[str, Handler] = {
        "query": query,
        "query_range": query_range,
        "series": series,
        "labels": labels,
        "label/{name}/values": label_values,
        "metadata": metadata,
        "targets": targets,
        "status/buildinfo": buildinfo,
        "alerts": lambda running, _p, _q: {"alerts": alerts.alerts(running)},
        "rules": lambda running, _p, _q: {"groups": alerts.rules(running)},
    }
    base = "/world/{env}/prometheus/api/v1"
    out: list[BaseRoute] = [
        Route(f"{base}/{path}", _endpoint(world, handler), methods=["GET", "POST"])
        for path, handler in handlers.items()
    ]
    out.append(Route("/world/{env}/prometheus/-/healthy", _healthy))
    out.append(Route("/world/{env}/prometheus/-/ready", _healthy))
    return out


async def _healthy(_request: Request) -> Response:
    return Response("Prometheus Server is Healthy.\n", media_type="text/plain")


def _endpoint(world: World, handler: Handler) -> Callable[[Request], Any]:
    def handle(running: Running, asked: Asked) -> Response:
        params: Params = asked.query
        if asked.method == "POST":
            form = parse_qsl(asked.raw.decode("utf-8", "replace"), keep_blank_values=True)
            params = FormData([*asked.query.multi_items(), *form])
        try:
            data = handler(running, params, asked.path)
        except BadQuery as bad:
            return error(400, "bad_data", str(bad))
        except (FailedQuery, RecursionError, MemoryError) as failed:
            return error(422, "execution", str(failed) or "query is too complex")
        return JSONResponse({"status": "success", "data": data})

    return endpoint(world, handle, lambda bad: error(bad.code, "bad_data", str(bad)))


def error(status: int, kind: str, text: str) -> JSONResponse:
    """Return an error as Prometheus writes it."""
    return JSONResponse({"status": "error", "errorType": kind, "error": text}, status_code=status)


def _get(params: Params, name: str) -> str:
    value = params.get(name)
    return value if isinstance(value, str) else ""


def evaluate(running: Running, text: str, times: Floats) -> Any:
    """Return the value of an expression at the times. Raises: BadQuery, FailedQuery."""
    storage = SiteStorage(running.scope, running.table, running.now())
    return Evaluator(storage, times).evaluate(parse(text))


def query(running: Running, params: Params, _path: dict[str, str]) -> Any:
    """Answer an instant query."""
    text = _get(params, "time")
    at = formatting.moment(text, "time") if text else round(running.now(), 3)
    return formatting.instant(evaluate(running, _get(params, "query"), np.array([at])), at)


def query_range(running: Running, params: Params, _path: dict[str, str]) -> Any:
    """Answer a range query."""
    start = formatting.moment(_get(params, "start"), "start")
    end = formatting.moment(_get(params, "end"), "end")
    step = formatting.duration(_get(params, "step"), "step")
    if end < start:
        raise BadQuery('invalid parameter "end": end timestamp must not be before start time')
    if step <= 0:
        raise BadQuery(
            'invalid parameter "step": zero or negative query resolution step widths are not '
            "accepted. Try a positive integer"
        )
    if (end - start) / step > MAX_POINTS:
        raise BadQuery(
            "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query "
            "resolution (?step=XX)"
        )
    count = int((end - start) / step + 1e-9) + 1
    times = np.round(start + step * np.arange(count), 3)
    return formatting.ranged(evaluate(running, _get(params, "query"), times), times)


def _selected(running: Running, params: Params, needed: bool) -> list[dict[str, str]]:
    texts = [v for v in params.getlist("match[]") if isinstance(v, str)]
    if not texts and needed:
        raise BadQuery("no match[] parameter provided")
    matchers = [_selector(text) for text in texts] or [(Matcher(name=NAME, op="!=", value=""),)]
    now = running.now()
    storage = SiteStorage(running.scope, running.table, now)
    end = formatting.moment(_get(params, "end"), "end") if _get(params, "end") else now
    start = (
        formatting.moment(_get(params, "start"), "start") if _get(params, "start") else end - 600
    )
    points = np.unique((np.linspace(min(start, end), end, 8) // SCRAPE).astype(np.int64))
    found: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}
    for wanted in matchers:
        rows, values = storage.select(wanted, points)
        for row, value in zip(rows, values, strict=True):
            if not np.isnan(value).all():
                found[tuple(sorted(row.items()))] = row
    return list(found.values())


def _selector(text: str) -> tuple[Matcher, ...]:
    node = parse(text)
    if type(node).__name__ != "VectorSelector":
        raise BadQuery('invalid parameter "match[]": expected a series selector')
    return _matchers(node)


def series(running: Running, params: Params, _path: dict[str, str]) -> Any:
    """List series that match."""
    return _selected(running, params, needed=True)


def labels(running: Running, params: Params, _path: dict[str, str]) -> Any:
    """List label names."""
    return sorted({name for row in _selected(running, params, needed=False) for name in row})


def label_values(running: Running, params: Params, path: dict[str, str]) -> Any:
    """List the values of one label."""
    name = path["name"]
    if name == NAME and not params.getlist("match[]"):
        return sorted(running.table)
    return sorted({row[name] for row in _selected(running, params, needed=False) if name in row})


def metadata(running: Running, _params: Params, _path: dict[str, str]) -> Any:
    """List type and help of every metric."""
    return {f.name: [{"type": f.kind, "help": f.help, "unit": ""}] for f in running.table.values()}


def targets(running: Running, _params: Params, _path: dict[str, str]) -> Any:
    """List what is scraped."""
    now = running.now()
    active = [
        {
            "labels": {"job": pod.service, "pod": pod.name, "namespace": "shop"},
            "discoveredLabels": {},
            "scrapePool": pod.service,
            "health": "up" if pod.is_ready(now) else "down",
            "lastError": "",
        }
        for pod in running.site.pods()
        if pod.alive(now)
    ]
    return {"activeTargets": active, "droppedTargets": []}


def buildinfo(_running: Running, _params: Params, _path: dict[str, str]) -> Any:
    """Say which version this pretends to be."""
    return {"version": "2.42.0", "revision": "sandbox", "branch": "HEAD", "buildUser": "",
            "buildDate": "", "goVersion": "none"}  # fmt: skip
