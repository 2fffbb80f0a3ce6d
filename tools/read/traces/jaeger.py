"""From Jaeger's JSON to spans; what is damaged is left out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.domain.redaction import redact
from bot.domain.snapshot import Source, Span
from bot.logs.masking import mask
from tools.clients.redaction import redact_entry

MAX_EVENTS = 20
BROKEN = (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError)

Trace = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Process:
    """Who wrote spans."""

    service: str
    pod: str


def spans_of(trace: Trace, source: Source) -> Iterator[Span]:
    """Yield the spans of one trace; those that lack what a span must have are skipped."""
    processes = trace.get("processes")
    named = {
        key: _process(raw)
        for key, raw in (processes.items() if isinstance(processes, Mapping) else ())
    }
    for raw in trace.get("spans") or ():
        span = _span(raw, named, source)
        if span is not None:
            yield span


def _process(raw: Any) -> _Process:
    found = raw if isinstance(raw, Mapping) else {}
    try:
        tags = _tags(found.get("tags"))
    except BROKEN:
        tags = {}
    pod = tags.get("k8s.pod.name") or tags.get("pod") or ""
    return _Process(service=str(found.get("serviceName", "")), pod=str(pod))


def _span(raw: Any, named: Mapping[str, _Process], source: Source) -> Span | None:
    try:
        tags = _tags(raw.get("tags"))
        process = named[raw["processID"]]
        return Span(
            trace_id=str(raw["traceID"]),
            span_id=str(raw["spanID"]),
            parent_id=_parent(raw),
            service=process.service,
            operation=str(raw.get("operationName") or ""),
            start=datetime.fromtimestamp(float(raw["startTime"]) / 1e6, tz=UTC),
            duration_s=float(raw["duration"]) / 1e6,
            error=_failed(tags),
            attributes={k: redact_entry(k, str(v))[:500] for k, v in tags.items()},
            source=source,
            events=tuple(_events(raw.get("logs"))),
            pod=process.pod,
        )
    except BROKEN:
        return None


def _tags(raw: Any) -> dict[str, Any]:
    return {str(t["key"]): t.get("value") for t in raw or ()}


def _parent(raw: Mapping[str, Any]) -> str | None:
    references = raw.get("references") or ()
    parents = (str(r["spanID"]) for r in references if r.get("refType") == "CHILD_OF")
    return next(parents, None)


def _failed(tags: Mapping[str, Any]) -> bool:
    return str(tags.get("error", "")).lower() == "true" or tags.get("otel.status_code") == "ERROR"


def _events(logs: Any) -> Iterator[str]:
    """Yield what was written within the span, as templates: "error: order <*> not found"."""
    for log in (logs if isinstance(logs, list) else [])[:MAX_EVENTS]:
        fields = {k: str(v) for k, v in _tags(log.get("fields")).items()}
        wrong = fields.get("exception.message") or fields.get("error.object")
        kind = fields.get("exception.type") or fields.get("error.kind")
        if wrong or kind:
            yield f"error: {redact(mask(': '.join(filter(None, (kind, wrong)))))}"[:300]
        elif said := fields.get("message") or fields.get("event"):
            yield redact(mask(said))[:300]
