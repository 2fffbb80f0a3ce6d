"""Traces of investigations for an OpenTelemetry collector, where one is configured.

All spans of an investigation are one trace, whose id follows from the investigation's: also those
after a crash, on another replica, and of the remediation that it led to.
"""

import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from bot.domain.redaction import redact
from bot.domain.telemetry import Unwatched

EXPORT_WITHIN_S = 5.0
MOST_WAITING = 2_048  # spans; when the collector is away, later ones are dropped
LONGEST = 200  # characters of an attribute

_TRACE: ContextVar[int] = ContextVar("trace", default=0)


def trace_id(name: str) -> int:
    """Return the 128-bit id of the trace of this name, never 0."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:16]) or 1


class Traces(Unwatched):
    """Keeps spans and nothing else."""

    def __init__(self, provider: Any) -> None:
        """`provider`: OpenTelemetry's TracerProvider."""
        self._provider = provider
        self._tracer = provider.get_tracer("sre-bot")

    @classmethod
    def to(cls, endpoint: str, *, version: str, processor: Any = None) -> "Traces":
        """Return traces that go to an OTLP/HTTP endpoint ("http://collector:4318")."""
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider

        resource = Resource({"service.name": "sre-bot", "service.version": version})
        provider = TracerProvider(resource=resource, id_generator=_ids())
        provider.add_span_processor(processor or _exporting(endpoint))
        return cls(provider)

    @contextmanager
    def span(
        self, name: str, *, trace: str = "", **attributes: str | int | float
    ) -> Iterator[None]:
        """Keep the block as a span; its error as the type's name, since texts may hold secrets."""
        from opentelemetry import trace as api
        from opentelemetry.context import Context

        if not trace and not api.get_current_span().is_recording():
            yield
            return
        token = _TRACE.set(trace_id(trace)) if trace else None
        try:
            span = self._tracer.start_span(
                redact(name)[:LONGEST],
                context=Context() if trace else None,
                attributes={key: _plain(value) for key, value in attributes.items()},
            )
        finally:
            if token is not None:
                _TRACE.reset(token)
        if trace:
            span.set_attribute("investigation", _plain(trace))
        with api.use_span(
            span, end_on_exit=True, record_exception=False, set_status_on_exception=False
        ):
            failed = True
            try:
                yield
                failed = False
            finally:
                kind = sys.exc_info()[0]
                if failed and kind is not None:
                    span.set_status(api.StatusCode.ERROR, kind.__name__)

    def close(self) -> None:
        """Send what waits, for a few seconds at most."""
        self._provider.shutdown()


def _plain(value: str | float) -> str | int | float:
    return redact(value)[:LONGEST] if isinstance(value, str) else value


def _exporting(endpoint: str) -> Any:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    url = f"{endpoint.rstrip('/')}/v1/traces"
    return BatchSpanProcessor(
        OTLPSpanExporter(endpoint=url, timeout=int(EXPORT_WITHIN_S)),
        max_queue_size=MOST_WAITING,
        export_timeout_millis=EXPORT_WITHIN_S * 1000,
    )


def _ids() -> Any:
    """Return a generator whose trace ids are those that `span` was asked for."""
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

    class Ids(RandomIdGenerator):
        """Random ids of spans, chosen ids of traces."""

        def generate_trace_id(self) -> int:
            """Return the id of the trace that is being begun."""
            return _TRACE.get() or super().generate_trace_id()

    return Ids()
