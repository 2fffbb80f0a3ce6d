"""Loki's HTTP API: lines and counts of lines, labels, series."""

import re
from typing import Any

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.sandbox.world.loglines import Line, labels
from bot.sandbox.world.loki.logql import LogQuery, parse
from bot.sandbox.world.prometheus.formatting import number
from bot.sandbox.world.promql.values import BadQuery
from bot.sandbox.world.running import Running, World
from bot.sandbox.world.serving import Asked, BadRequest, endpoint

MOST = 5000
SPAN_S = 3600.0
LONGEST_S = 30 * 86400.0
SCANNED = 400_000
NAMES = ("namespace", "service_name", "app", "pod", "container", "node", "level")


def routes(world: World) -> list[BaseRoute]:
    """Return the routes under `/world/{env}/loki`."""
    base = "/world/{env}/loki"
    handlers = {
        "query_range": query_range,
        "query": query,
        "labels": label_names,
        "label": label_names,
        "label/{name}/values": label_values,
        "series": series,
    }
    out: list[BaseRoute] = [
        Route(f"{base}/loki/api/v1/{path}", endpoint(world, _guard(handler), _failed))
        for path, handler in handlers.items()
    ]
    out.append(Route(f"{base}/ready", endpoint(world, _ready)))
    return out


def _ready(_running: Running, _asked: Asked) -> Response:
    return PlainTextResponse("ready\n")


def _failed(bad: BadRequest) -> Response:
    return PlainTextResponse(str(bad), status_code=bad.code)


def _guard(handler: Any) -> Any:
    def run(running: Running, asked: Asked) -> Response:
        try:
            return JSONResponse({"status": "success", "data": handler(running, asked)})
        except BadQuery as bad:
            raise BadRequest(str(bad)) from bad

    return run


def _time(asked: Asked, name: str, default: float) -> float:
    text = asked.query.get(name, "")
    if not text:
        return default
    if re.fullmatch(r"\d{1,10}(\.\d+)?", text):
        return float(text)
    if re.fullmatch(r"\d{11,20}", text):
        return int(text) / 1e9
    from bot.sandbox.world.prometheus.formatting import moment

    return moment(text, name)


def _span(running: Running, asked: Asked) -> tuple[float, float]:
    now = running.now()
    end = _time(asked, "end", now)
    start = _time(asked, "start", end - SPAN_S)
    if end < start:
        raise BadQuery("end timestamp must not be before or equal to start time")
    if end - start > LONGEST_S:
        raise BadQuery("the query time range exceeds the limit (30d)")
    return start, min(end, now)


def _limit(asked: Asked) -> int:
    text = asked.query.get("limit", "100")
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) == 0:
        raise BadQuery("limit must be a positive value")
    if int(text) > MOST:
        raise BadQuery(
            f"max entries limit per query exceeded, limit > max_entries_limit ({text} > {MOST})"
        )
    return int(text)


def found_lines(
    running: Running, query: LogQuery, span: tuple[float, float]
) -> list[tuple[Line, dict[str, str]]]:
    """Return the lines of a span that match, oldest first. Raises: BadQuery: too many."""
    start, end = span
    out: list[tuple[Line, dict[str, str]]] = []
    scanned = 0
    without_level = LogQuery(
        matchers=tuple(m for m in query.matchers if m.name != "level"), filters=()
    )
    for pod in running.site.pods():
        if pod.created > end or pod.gone < start or not _may(without_level, pod):
            continue
        for line in running.logs.lines(pod, start, end):
            scanned += 1
            if query.keeps(line.text):
                found = labels(line)
                if query.matches(found):
                    out.append((line, found))
        if scanned > SCANNED:
            raise BadQuery("the query would read too many bytes (query: 1GB, limit: 1GB)")
    out.sort(key=lambda pair: pair[0].at)
    return out


def _may(query: LogQuery, pod: Any) -> bool:
    return query.matches(labels(Line(at=0.0, pod=pod, level="", text="")))


def query_range(running: Running, asked: Asked) -> Any:
    """Return lines (streams) or counts (matrix)."""
    wanted = parse(asked.query.get("query", ""))
    span = _span(running, asked)
    if wanted.function:
        return _matrix(running, wanted, span, asked)
    limit = _limit(asked)
    pairs = found_lines(running, wanted, span)
    forward = asked.query.get("direction", "backward").lower() == "forward"
    pairs = pairs[:limit] if forward else pairs[::-1][:limit]
    return {"resultType": "streams", "result": _streams(pairs), "stats": {}}


def _streams(pairs: list[tuple[Line, dict[str, str]]]) -> list[dict[str, Any]]:
    groups: dict[tuple[str, ...], dict[str, Any]] = {}
    for line, found in pairs:
        key = tuple(found.values())
        group = groups.setdefault(key, {"stream": found, "values": []})
        group["values"].append([str(round(line.at * 1_000_000) * 1000), line.text])
    return list(groups.values())


def query(running: Running, asked: Asked) -> Any:
    """Return counts at one moment."""
    wanted = parse(asked.query.get("query", ""))
    at = _time(asked, "time", running.now())
    if not wanted.function:
        raise BadQuery("log queries are not supported as an instant query type")
    rows = _counts(running, wanted, [at])
    return {"resultType": "vector", "stats": {}, "result": [
        {"metric": dict(key), "value": [at, number(values[0])]}
        for key, values in rows.items() if values[0]
    ]}  # fmt: skip


def _matrix(running: Running, wanted: LogQuery, span: tuple[float, float], asked: Asked) -> Any:
    start, end = span
    text = asked.query.get("step", "")
    from bot.sandbox.world.prometheus.formatting import duration

    step = duration(text, "step") if text else max(1.0, (end - start) / 250.0)
    if step <= 0 or (end - start) / step > 11_000:
        raise BadQuery("exceeded maximum resolution of 11,000 points per timeseries")
    times = [start + i * step for i in range(int((end - start) / step) + 1)]
    rows = _counts(running, wanted, times)
    return {"resultType": "matrix", "stats": {}, "result": [
        {"metric": dict(key),
         "values": [[t, number(v)] for t, v in zip(times, values, strict=True) if v]}
        for key, values in rows.items() if any(values)
    ]}  # fmt: skip


def _counts(
    running: Running, wanted: LogQuery, times: list[float]
) -> dict[tuple[tuple[str, str], ...], list[float]]:
    import bisect

    pairs = found_lines(running, wanted, (times[0] - wanted.range_s, times[-1]))
    groups: dict[tuple[tuple[str, str], ...], list[float]] = {}
    for line, found in pairs:
        groups.setdefault(_key(wanted, found), []).append(line.at)
    scale = 1.0 / wanted.range_s if wanted.function == "rate" else 1.0
    out = {}
    for key, stamps in groups.items():
        counts = [
            bisect.bisect_right(stamps, t) - bisect.bisect_right(stamps, t - wanted.range_s)
            for t in times
        ]
        out[key] = [c * scale for c in counts]
    return out


def _key(wanted: LogQuery, found: dict[str, str]) -> tuple[tuple[str, str], ...]:
    if not wanted.aggregation:
        return tuple(sorted(found.items()))
    if wanted.without:
        return tuple(sorted((k, v) for k, v in found.items() if k not in wanted.by))
    return tuple(sorted((k, found[k]) for k in wanted.by if k in found))


def label_names(_running: Running, _asked: Asked) -> Any:
    """Return the names of the stream labels."""
    return sorted(NAMES)


def _all_labels(running: Running, asked: Asked) -> list[dict[str, str]]:
    start, end = _span(running, asked)
    return [
        labels(Line(at=0.0, pod=pod, level=level, text=""))
        for pod in running.site.pods()
        if pod.created <= end and pod.gone >= start
        for level in ("info", "warn", "error")
    ]


def label_values(running: Running, asked: Asked) -> Any:
    """Return the values of one label."""
    name = str(asked.path["name"])
    return sorted({row[name] for row in _all_labels(running, asked) if name in row})


def series(running: Running, asked: Asked) -> Any:
    """Return the streams that match."""
    wanted = [
        parse(text) for text in asked.query.getlist("match[]") or asked.query.getlist("match")
    ]
    if not wanted:
        raise BadQuery("0 matcher groups supplied")
    rows = _all_labels(running, asked)
    return [row for row in rows if any(w.matches(row) for w in wanted)]
