"""From OTLP JSON, in the notations of Tempo's versions, to spans; what is damaged is left out.

Source: opentelemetry-proto trace.proto and its JSON mapping. Tempo writes ids in base64.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from bot.domain.redaction import redact
from bot.domain.snapshot import Source, Span
from bot.logs.masking import mask
from tools.clients.redaction import redact_entry
from tools.read.traces.graph import KIND

MAX_ATTRIBUTES = 60
MAX_EVENTS = 20
FAILED = ("STATUS_CODE_ERROR", 2, "2")
_HEX = re.compile(r"(?:[0-9a-fA-F]{16}|[0-9a-fA-F]{32})")

Json = Mapping[str, Any]


def spans_of(document: Json, source: Source) -> Iterator[Span]:
    """Yield the spans of one trace; those without id, times or service are skipped."""
    inner = document.get("trace")
    whole = inner if isinstance(inner, Mapping) else document
    for batch in _list(whole, "resourceSpans") or _list(whole, "batches"):
        resource = batch.get("resource")
        about = _attributes(resource if isinstance(resource, Mapping) else {})
        service = about.get("service.name", "")
        scopes = _list(batch, "scopeSpans") or _list(batch, "instrumentationLibrarySpans")
        for scope in scopes:
            for raw in _list(scope, "spans"):
                span = _span(raw, service, about, source)
                if span is not None:
                    yield span


def _span(raw: Json, service: str, about: Mapping[str, str], source: Source) -> Span | None:
    try:
        start, end = int(raw["startTimeUnixNano"]), int(raw["endTimeUnixNano"])
        own = {**_attributes(raw), KIND: _kind(raw)}
        span = Span(
            trace_id=_id(raw["traceId"]),
            span_id=_id(raw["spanId"]),
            parent_id=_id(raw.get("parentSpanId")) or None,
            service=service,
            operation=str(raw.get("name") or ""),
            start=datetime.fromtimestamp(start / 1e9, tz=UTC),
            duration_s=max(0, end - start) / 1e9,
            error=_failed(raw.get("status")),
            attributes=_shown({**own, **_said(raw.get("status"))}),
            source=source,
            events=tuple(_events(raw)),
            pod=about.get("k8s.pod.name", ""),
        )
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
    return span if span.service and span.trace_id and span.span_id else None


def _id(value: Any) -> str:
    """Return an id in hexadecimal, from hexadecimal or base64; "" if it is neither."""
    text = str(value or "")
    if not text or _HEX.fullmatch(text):
        return text.lower()
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return ""
    return raw.hex() if len(raw) in (8, 16) and any(raw) else ""


def _kind(raw: Json) -> str:
    """Return "server", "client" and so on, from the name or number of the kind."""
    numbers = ("", "internal", "server", "client", "producer", "consumer")
    kind = raw.get("kind")
    if isinstance(kind, int):
        return numbers[kind] if 0 < kind < len(numbers) else ""
    return str(kind or "").removeprefix("SPAN_KIND_").lower()


def _failed(status: Any) -> bool:
    return isinstance(status, Mapping) and status.get("code") in FAILED


def _said(status: Any) -> dict[str, str]:
    message = status.get("message") if isinstance(status, Mapping) else ""
    return {"otel.status_description": str(message)} if message else {}


def _events(raw: Json) -> Iterator[str]:
    """Yield what was written within the span: "error: connection refused", as templates."""
    for event in _list(raw, "events")[:MAX_EVENTS]:
        about = _attributes(event)
        kind, text = about.get("exception.type", ""), about.get("exception.message", "")
        if kind or text:
            said = ": ".join(filter(None, (kind, text)))
            yield f"error: {redact(mask(said))}"[:300]
        else:
            yield redact(mask(str(event.get("name") or "")))[:300]


def _attributes(raw: Json) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in _list(raw, "attributes"):
        value = one.get("value")
        if isinstance(one.get("key"), str) and isinstance(value, Mapping):
            found[one["key"]] = str(next(iter(value.values()), ""))
    return found


def _shown(attributes: Mapping[str, str]) -> dict[str, str]:
    kept = [(k, v) for k, v in attributes.items() if v][:MAX_ATTRIBUTES]
    return {k: redact_entry(k, v)[:500] for k, v in kept}


def _list(raw: Json, field: str) -> list[Json]:
    found = raw.get(field)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
