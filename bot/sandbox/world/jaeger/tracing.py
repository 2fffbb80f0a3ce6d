"""Makes traces: one request walking the service graph, as the solved block says it went."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bot.sandbox.world import noise
from bot.sandbox.world.propagation import EdgeFlow, Flow, Shape
from bot.sandbox.world.series.family import Scope
from bot.sandbox.world.site import BLOCK, SCRAPE
from bot.sandbox.world.solving import Frame
from bot.sandbox.world.topology import STATEFUL, Role, Service

MOST_SPANS = 160
MOST_REPEATS = 60
CODES = {0: 500, 1: 503, 2: 504}


@dataclass(slots=True, kw_only=True)
class Trace:
    """A trace in the making, in Jaeger's shape."""

    trace_id: str
    spans: list[dict[str, Any]] = field(default_factory=list)
    processes: dict[str, dict[str, Any]] = field(default_factory=dict)

    def process(self, service: str, pod: str, version: str) -> str:
        """Return the id of a process."""
        for key, found in self.processes.items():
            if found["tags"][0]["value"] == pod and found["serviceName"] == service:
                return key
        key = f"p{len(self.processes) + 1}"
        tags = [_tag("k8s.pod.name", pod), _tag("service.version", version),
                _tag("k8s.namespace.name", "shop")]  # fmt: skip
        self.processes[key] = {"serviceName": service, "tags": tags}
        return key

    def body(self) -> dict[str, Any]:
        """Return it as Jaeger does."""
        return {"traceID": self.trace_id, "spans": self.spans, "processes": self.processes,
                "warnings": None}  # fmt: skip


def _tag(key: str, value: Any) -> dict[str, Any]:
    kinds = {bool: "bool", int: "int64", float: "float64"}
    return {"key": key, "type": kinds.get(type(value), "string"), "value": value}


class Walker:
    """Walks one request through one step of a frame."""

    def __init__(self, scope: Scope, service: str, slot: int) -> None:
        self.scope, self.place = scope, slot % BLOCK
        self.frame: Frame = scope.blocks.frame(slot // BLOCK)
        self.draw = noise.generator(*scope.site.key, "trace", service, slot)
        self.trace = Trace(trace_id=f"{noise.number(*scope.site.key, service, slot):016x}")
        self.path = self._path(service)
        self.start = (slot + float(self.draw.random())) * SCRAPE

    def walk(self) -> Trace:
        """Return the trace of one request that reaches the service."""
        self._serve(self.path[0], self.start, None, 0)
        return self.trace

    def _path(self, service: str) -> list[str]:
        """Return a way from where requests enter down to the service."""
        path = [service]
        topology = self.scope.site.topology
        while True:
            callers = [s.name for s, _ in topology.callers(path[0])]
            weights = [float(self.frame[c].edges[path[0]].rate[0][self.place]) for c in callers]
            if not callers or sum(weights) <= 0:
                return path
            path.insert(0, callers[int(self.draw.choice(len(callers), p=_shares(weights)))])

    def _serve(self, name: str, at: float, parent: str | None, depth: int) -> tuple[float, int]:
        """Record a server span and what it calls; return its seconds and status."""
        flow = self.frame[name]
        pod, v = self._pod(flow)
        shapes = flow.shapes
        assert shapes is not None  # noqa: S101 - solved frames only
        shape = shapes[v]
        process = self.trace.process(name, pod[0], pod[1])
        span = self._span(f"{_operation(flow.service)}", at, process, parent)
        status = self._fate(shape)
        if status == 504 and not flow.service.calls:
            return self._end(span, float(shape.hang_s[self.place]), status)
        own = self._own(flow, v)
        took, failed = own * 0.5, status
        for callee, edge in flow.edges.items():
            seconds, worst = self._calls(
                flow, (callee, edge), v, (at + took, span["spanID"], depth)
            )
            took += seconds
            if worst >= 500 and not edge.call.soft:
                failed = 504 if worst == 504 else 500
                break
        if status < 500 and failed < 500:
            took += own * 0.5
        return self._end(span, took, failed)

    def _fate(self, shape: Shape) -> int:
        """Return the status that this service itself makes of the request."""
        draw = float(self.draw.random())
        for i in (1, 2, 0):
            draw -= float(shape.errors[i][self.place]) * (1.0 if i == 1 else 0.5)
            if draw < 0:
                return CODES[i]
        return 200

    def _own(self, flow: Flow, v: int) -> float:
        shapes = flow.shapes
        assert shapes is not None  # noqa: S101 - solved frames only
        shape, place = shapes[v], self.place
        below = sum(
            float(e.rate[v][place] / max(flow.rate[place], 1e-9))
            * float(self.frame[c].seen().fast[place] + e.add_s[v][place])
            for c, e in flow.edges.items()
            if flow.service.role is not Role.QUEUE
        )
        own = max(0.3 * flow.service.median_s, float(shape.fast[place]) - below)
        if self.draw.random() < float(shape.weight[place]) - self._below_weight(flow):
            own = max(own, float(shape.slow[place]))
        return own * self._spread(shape.shape)

    def _below_weight(self, flow: Flow) -> float:
        return sum(float(self.frame[c].seen().weight[self.place]) for c in flow.edges)

    def _spread(self, k: float) -> float:
        draw = float(np.clip(self.draw.random(), 0.001, 0.999))
        return float((draw / (1.0 - draw)) ** (1.0 / k))

    def _pod(self, flow: Flow) -> tuple[tuple[str, str], int]:
        shares = flow.share[:, self.place] if len(flow.pods) else np.zeros(0)
        if not len(shares) or shares.sum() <= 0:
            return ("", flow.service.version), 0
        i = int(self.draw.choice(len(shares), p=shares / shares.sum()))
        return (flow.pods[i].name, flow.pods[i].version), int(flow.touched[i][self.place])

    def _calls(
        self, flow: Flow, edge: tuple[str, EdgeFlow], v: int, where: tuple[float, str, int]
    ) -> tuple[float, int]:
        callee, flowing = edge
        at, parent, depth = where
        per = float(flowing.rate[v][self.place] / max(flow.rate[self.place], 1e-9))
        count = int(per) + int(self.draw.random() < per - int(per))
        if depth + 1 < len(self.path) and self.path[depth + 1] == callee:
            count = max(1, count)
        took, worst = 0.0, 0
        for _ in range(min(count, MOST_REPEATS)):
            if len(self.trace.spans) >= MOST_SPANS or flow.service.role is Role.QUEUE:
                break
            seconds, status = self._call(edge, v, (at + took, parent, depth))
            took, worst = took + seconds, max(worst, status)
        return took, worst

    def _call(
        self, edge: tuple[str, EdgeFlow], v: int, where: tuple[float, str, int]
    ) -> tuple[float, int]:
        callee, flowing = edge
        at, parent, depth = where
        target = self.frame[callee]
        caller = next(s for s in self.trace.spans if s["spanID"] == parent)["processID"]
        span = self._span(flowing.call.operation, at, caller, parent)
        limit = flowing.call.timeout_s
        if self.draw.random() < float(target.unreachable[self.place]):
            return self._end(span, 0.004, 503, peer=target.service)
        if target.service.role in STATEFUL or not target.service.inside:
            took, status = self._asked(target, float(flowing.add_s[v][self.place]))
        else:
            took, status = self._serve(callee, at + 0.0004, span["spanID"], depth + 1)
            took += 0.0008
        if took > limit:
            took, status = limit, 504
        return self._end(span, took, status, peer=target.service)

    def _asked(self, target: Flow, add: float) -> tuple[float, int]:
        shape = target.seen()
        status = self._fate(shape)
        if status == 504:
            return float(shape.hang_s[self.place]), 504
        fast = float(shape.fast[self.place]) + add
        return fast * self._spread(shape.shape), status

    def _span(self, operation: str, at: float, process: str, parent: str | None) -> dict[str, Any]:
        span_id = f"{int(self.draw.integers(1, 2**62)):016x}"
        reference = {"refType": "CHILD_OF", "traceID": self.trace.trace_id, "spanID": parent}
        span: dict[str, Any] = {
            "traceID": self.trace.trace_id, "spanID": span_id, "operationName": operation,
            "references": [reference] if parent else [], "startTime": round(at * 1e6),
            "duration": 0, "tags": [], "logs": [], "processID": process, "warnings": None,
        }  # fmt: skip
        self.trace.spans.append(span)
        return span

    def _end(
        self, span: dict[str, Any], took: float, status: int, *, peer: Service | None = None
    ) -> tuple[float, int]:
        span["duration"] = max(1, round(took * 1e6))
        tags = [_tag("span.kind", "server" if peer is None else "client")]
        if peer is not None:
            tags.append(_tag("server.address", peer.name))
            tags.append(_tag("peer.service", peer.name))
        if peer is not None and peer.role in STATEFUL:
            tags.append(_tag("db.system", peer.language))
            tags.append(_tag("db.operation.name", span["operationName"]))
        else:
            tags.append(_tag("http.response.status_code", status))
        if status >= 500:
            tags += [_tag("error", True), _tag("otel.status_code", "ERROR")]
            if status == 504:
                tags.append(_tag("error.type", "timeout"))
        span["tags"] = tags
        return took, status


def _operation(service: Service) -> str:
    if service.role is Role.BATCH:
        return "run report"
    return "consume orders" if service.role is Role.WORKER else f"{service.name} handle"


def _shares(weights: list[float]) -> list[float]:
    total = sum(weights)
    return [w / total for w in weights]


def tags_match(trace: Mapping[str, Any], service: str, wanted: Mapping[str, str]) -> bool:
    """Return whether a span of the service carries all wanted tags."""
    names = {k: p["serviceName"] for k, p in trace["processes"].items()}
    for span in trace["spans"]:
        if names[span["processID"]] != service:
            continue
        tags = {t["key"]: str(t["value"]).lower() for t in span["tags"]}
        tags |= {t["key"]: str(t["value"]).lower() for t in
                 trace["processes"][span["processID"]]["tags"]}  # fmt: skip
        if all(tags.get(k) == v.lower() for k, v in wanted.items()):
            return True
    return False
