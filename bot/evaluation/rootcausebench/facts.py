"""The facts of a scenario in the product's own terms: series, templates, spans, changes, alert."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.domain.snapshot import (
    Alert,
    Change,
    ChangeKind,
    Edge,
    LogTemplate,
    Series,
    Source,
    Span,
)
from bot.evaluation.rootcausebench.metrics import Meter, meter_of

Row = Mapping[str, Any]
MASKS = (
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f-]{27}\b|\b0x[0-9a-f]+\b|\b[0-9a-f]{12,}\b", re.I), "<*>"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z?"), "<*>"),
    (re.compile(r"(?<![A-Za-z_])\d+(?:\.\d+)*"), "<*>"),
    (re.compile(r"<[A-Z]+>"), "<*>"),
)
SENTIMENT = {"negative": "error"}
FIXED = frozenset({"timestamp", "service", "severity_text", "msg", "trace_id", "http.route"})
SPAN_FIXED = frozenset({
    "trace_id", "span_id", "parent_id", "service", "name", "start", "duration_ms", "status",
    "attributes",
})  # fmt: skip


def moment(text: Any) -> datetime | None:
    """Return an aware moment, None if the text says none."""
    try:
        found = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def number(value: Any) -> float | None:
    """Return a number, None if it is none."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def series(rows: Iterable[Row]) -> tuple[Series, ...]:
    """Return the metrics; what a name clearly means becomes a signal, the rest keeps its name."""
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for row in rows:
        at, value = moment(row.get("timestamp")), number(row.get("value"))
        if at is not None and value is not None:
            key = (str(row.get("service") or ""), str(row.get("metric") or ""))
            found.setdefault(key, []).append((at.timestamp(), value))
    taken: set[tuple[str, str]] = set()
    result = []
    for (service, name), points in found.items():
        meter = meter_of(name, [v for _, v in points])
        if (service, meter.signal) in taken:
            meter = Meter(signal=name, scale=1.0, unit="")
        taken.add((service, meter.signal))
        result.append(_series(service, name, meter, sorted(points)))
    return tuple(result)


def _series(service: str, name: str, meter: Meter, points: Sequence[tuple[float, float]]) -> Series:
    return Series(
        signal=meter.signal,
        service=service,
        times=tuple(t for t, _ in points),
        values=tuple(v * meter.scale for _, v in points),
        unit=meter.unit,
        source=Source(system="metrics", query=f'{name}{{service="{service}"}}'),
    )


def masked(text: str) -> str:
    """Return a line with its variable parts as <*>."""
    for pattern, mask in MASKS:
        text = pattern.sub(mask, text)
    return " ".join(text.split())


def logs(
    rows: Iterable[Row], patterns: Iterable[Row], *, since: datetime
) -> tuple[LogTemplate, ...]:
    """Return the templates of the lines, with the counts of the recorded patterns where known."""
    lines: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        key = (str(row.get("service") or ""), masked(str(row.get("msg") or "")))
        lines.setdefault(key, []).append(row)
    counted = {
        (str(p.get("service") or ""), masked(str(p.get("signature") or ""))): p for p in patterns
    }
    keys = dict.fromkeys([*lines, *counted])
    return tuple(_template(key, lines.get(key, []), counted.get(key), since) for key in keys)


def _template(
    key: tuple[str, str], rows: Sequence[Row], pattern: Row | None, since: datetime
) -> LogTemplate:
    service, template = key
    times = sorted(m for r in rows if (m := moment(r.get("timestamp"))) is not None)
    recent = sum(t >= since for t in times)
    count, before = recent, len(times) - recent
    if pattern is not None:
        count = int(number(pattern.get("count")) or 0)
        before = max(0, count - int(number(pattern.get("delta_vs_baseline")) or 0))
    return LogTemplate(
        service=service,
        pod=None,
        container=None,
        previous=False,
        level=_level(rows, pattern),
        template=template,
        example=_example(rows, pattern) or template,
        count=count,
        baseline_count=before,
        first_at=times[0] if times else None,
        last_at=times[-1] if times else None,
        source=Source(system="logs", query=f'service="{service}" "{template[:60]}"'),
    )


def _level(rows: Sequence[Row], pattern: Row | None) -> str:
    if rows:
        level = str(rows[-1].get("severity_text") or "").lower()
        return "warning" if level == "warn" else level
    return SENTIMENT.get(str((pattern or {}).get("sentiment")), "")


def _example(rows: Sequence[Row], pattern: Row | None) -> str:
    """Return the longest of the lines with its attributes: stack, host, error, statement."""
    if not rows:
        return str((pattern or {}).get("signature") or "")
    row = max(rows, key=lambda r: sum(len(str(v)) for v in r.values()))
    extra = (f"{k}={v}" for k, v in row.items() if k not in FIXED)
    return " | ".join([str(row.get("msg") or ""), *extra])


def spans(rows: Iterable[Row]) -> tuple[Span, ...]:
    """Return the spans that have a start and a duration."""
    return tuple(span for span in map(_span, rows) if span is not None)


def _span(row: Row) -> Span | None:
    start, took = moment(row.get("start")), number(row.get("duration_ms"))
    if start is None or took is None or took < 0:
        return None
    inner = row.get("attributes")
    attributes = {k: v for k, v in row.items() if k not in SPAN_FIXED}
    attributes |= inner if isinstance(inner, Mapping) else {}
    trace = str(row.get("trace_id") or "")
    return Span(
        trace_id=trace,
        span_id=str(row.get("span_id") or ""),
        parent_id=str(row["parent_id"]) if row.get("parent_id") else None,
        service=str(row.get("service") or ""),
        operation=str(row.get("name") or ""),
        start=start,
        duration_s=took / 1000.0,
        error=str(row.get("status") or "").upper().endswith("ERROR"),
        attributes={str(k): str(v) for k, v in attributes.items()},
        source=Source(system="traces", query=f"trace {trace[:16]}"),
    )


def edges(every: Sequence[Span]) -> tuple[Edge, ...]:
    """Return who calls whom, from the parents of the spans."""
    by_id = {(s.trace_id, s.span_id): s for s in every}
    found: dict[tuple[str, str], Edge] = {}
    for span in every:
        parent = by_id.get((span.trace_id, span.parent_id or ""))
        if parent is not None and parent.service != span.service:
            pair = (parent.service, span.service)
            edge = Edge(caller=pair[0], callee=pair[1], calls=None, source=span.source)
            found.setdefault(pair, edge)
    return tuple(found.values())


def alerts(alert: Row) -> tuple[Alert, ...]:
    """Return the alert that fired, if there is one."""
    if not alert:
        return ()
    texts = [str(alert[k]) for k in ("summary", "detail") if alert.get(k)]
    return (
        Alert(
            name=str(alert.get("monitor") or alert.get("metric") or "alert"),
            service=str(alert.get("service") or "") or None,
            severity=str(alert.get("severity") or ""),
            summary=" ".join(texts),
            started_at=moment(alert.get("fired_at")),
            labels={"metric": str(alert.get("metric") or "")},
            source=Source(system="alerts", query=str(alert.get("monitor") or "alert")),
        ),
    )


def commits(rows: Iterable[Row]) -> Iterator[Change]:
    """Yield the commits; where they run is for the deploys to say."""
    for row in rows:
        at, sha = moment(row.get("timestamp")), str(row.get("sha") or "")
        if at is None or not sha:
            continue
        files = row.get("files_changed")
        yield _change(
            ChangeKind.COMMIT,
            sha,
            at,
            object=f"commit/{sha[:12]}",
            summary=str(row.get("message") or ""),
            after=sha,
            diff=str(row["diff"]) if row.get("diff") else None,
            files=tuple(map(str, files)) if isinstance(files, list) else (),
        )


def deploys(rows: Iterable[Row]) -> Iterator[Change]:
    """Yield the deploys with the commit that each brought."""
    for row in rows:
        at, sha = moment(row.get("timestamp")), str(row.get("commit_sha") or "")
        service = str(row.get("service") or "")
        if at is None or not service:
            continue
        version = str(row.get("version") or sha[:12])
        yield _change(
            ChangeKind.DEPLOY,
            f"deploy-{service}-{at.isoformat()}",
            at,
            service=service,
            object=f"deployment/{service}",
            summary=f"{service} {version}",
            after=version,
            commits=(sha,) if sha else (),
        )


def _change(kind: ChangeKind, name: str, at: datetime, **known: Any) -> Change:
    defaults: dict[str, Any] = {"service": "", "before": None, "diff": None, "link": None}
    source = Source(system="changes", query=kind.value)
    return Change(id=name, kind=kind, at=at, source=source, **(defaults | known))
