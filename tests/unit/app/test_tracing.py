"""One trace an investigation, over crashes and replicas, with rounds and read tools in it."""

import asyncio
import contextlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bot.app.metrics import Metrics
from bot.app.tracing import Traces, trace_id
from bot.domain.errors import Unavailable
from bot.domain.telemetry import watched
from bot.workflows.engine import Engine, do
from bot.workflows.patience import PATIENCE, Patience

SECRET = "-".join(("xoxb", "123456789012", "abcdefghijklmnop"))


class Kept:
    """Traces, and what they kept."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.traces = Traces.to(
            "http://x", version="1", processor=SimpleSpanProcessor(self.exporter)
        )

    @property
    def spans(self) -> dict[str, ReadableSpan]:
        return {span.name: span for span in self.exporter.get_finished_spans()}


@pytest.fixture
def kept() -> Kept:
    return Kept()


def ids(span: ReadableSpan) -> tuple[int, int]:
    assert span.context is not None
    return span.context.trace_id, span.context.span_id


def test_the_same_investigation_is_the_same_trace_after_a_crash(kept: Kept) -> None:
    other = Kept()  # another replica
    with kept.traces.span("investigate", trace="inv-1"):
        pass
    with other.traces.span("remediate", trace="inv-1"):
        pass
    assert ids(kept.spans["investigate"])[0] == ids(other.spans["remediate"])[0]
    assert ids(kept.spans["investigate"])[0] == trace_id("inv-1") != trace_id("inv-2")


async def test_rounds_and_read_tools_are_spans_of_their_investigation(kept: Kept) -> None:
    async def tool(name: str) -> None:
        with kept.traces.span(name, system="metrics"):
            await asyncio.sleep(0)

    with kept.traces.span("investigate", trace="inv-1"), kept.traces.span("look 1"):
        await asyncio.gather(tool("metrics.series"), tool("metrics.alerts"))
    look = kept.spans["look 1"]
    for name in ("metrics.series", "metrics.alerts"):
        parent = kept.spans[name].parent
        assert parent is not None
        assert parent.span_id == ids(look)[1]
    assert {ids(s)[0] for s in kept.spans.values()} == {trace_id("inv-1")}


def test_what_belongs_to_no_investigation_is_not_kept(kept: Kept) -> None:
    with kept.traces.span("look 1"):
        pass
    with kept.traces.span("drain", trace=""):
        pass
    assert kept.spans == {}


def test_an_error_is_its_type_and_no_secret_leaves(kept: Kept) -> None:
    span_of = kept.traces.span
    with (
        contextlib.suppress(Unavailable),
        span_of("investigate", trace="inv-1", channel=f"token={SECRET}", rounds=3),
    ):
        raise Unavailable("Slack", f"refused {SECRET}")
    span = kept.spans["investigate"]
    assert span.status.description == "Unavailable"
    assert SECRET not in str(span.to_json())
    assert span.attributes is not None
    assert span.attributes["rounds"] == 3


async def test_a_workflow_is_traced_with_its_steps_and_their_tries(
    kept: Kept, tmp_path: Path
) -> None:
    PATIENCE.set(Patience(first_s=0.001))
    with watched(Metrics(version="1", traces=kept.traces)):
        engine = Engine(f"sqlite:///{tmp_path}/j.sqlite", executor_id="a")
    tries: list[int] = []

    async def report() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise Unavailable("Slack", "no")

    async def body(order: object) -> str:
        await do("report", report)
        return "told"

    engine.register("investigate", body)
    engine.launch()
    try:
        await engine.start("investigate", "inv-1", {"investigation_id": "inv-1"})
        await engine.result("inv-1")
    finally:
        engine.close()
    found = kept.exporter.get_finished_spans()
    assert [s.name for s in found] == ["report", "report", "investigate"]
    assert {ids(s)[0] for s in found} == {trace_id("inv-1")}
    assert [(s.attributes or {}).get("attempt") for s in found[:2]] == [1, 2]


class Collector(http.server.BaseHTTPRequestHandler):
    """Takes OTLP over HTTP."""

    bodies: ClassVar[list[tuple[str, bytes]]] = []

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.bodies.append((self.path, self.rfile.read(length)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[str]:
    server = http.server.HTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_spans_reach_a_collector_over_http(collector: str) -> None:
    traces = Traces.to(f"{collector}/", version="1")
    with traces.span("investigate", trace="inv-1"):
        pass
    traces.close()
    ((path, body),) = Collector.bodies
    assert path == "/v1/traces"
    assert b"investigate" in body
    assert trace_id("inv-1").to_bytes(16) in body
