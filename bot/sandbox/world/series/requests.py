"""HTTP and database histograms, as OpenTelemetry's instrumentation counts them."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from bot.sandbox.world.noise import Floats, Ints
from bot.sandbox.world.propagation import STATUSES, EdgeFlow, Flow, Shape
from bot.sandbox.world.series.family import Family, Keep, Labels, Rows, Scope, times_of
from bot.sandbox.world.site import NAMESPACE, SCRAPE
from bot.sandbox.world.solving import Frame
from bot.sandbox.world.topology import STATEFUL, Role, Service

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
NAMES = (*(f"{b:g}" for b in BOUNDS), "+Inf")
SUM, COUNT = len(NAMES), len(NAMES) + 1
EDGES = np.array(BOUNDS)[:, None]
SERVER = "http_server_request_duration_seconds"
CLIENT = "http_client_request_duration_seconds"
DATABASE = "db_client_operation_duration_seconds"


def families() -> Iterator[Family]:
    """Yield the histogram families, each as bucket, count and sum."""
    for base, text in (
        (SERVER, "Duration of HTTP server requests."),
        (CLIENT, "Duration of HTTP client requests."),
        (DATABASE, "Duration of database client operations."),
    ):
        for suffix in ("bucket", "count", "sum"):
            yield Family(name=f"{base}_{suffix}", kind="histogram", help=text,
                         read=_Reader(base, suffix))  # fmt: skip


class _Reader:
    """Reads one suffix of one histogram."""

    def __init__(self, base: str, suffix: str) -> None:
        self.base, self.suffix = base, suffix
        self.increments = {SERVER: server_increments, CLIENT: client_increments,
                           DATABASE: database_increments}[base]  # fmt: skip

    def __call__(self, scope: Scope, keep: Keep, indices: Ints) -> Rows:
        labels: list[Labels] = []
        values: list[Floats] = []
        for service in scope.site.inside():
            if not service.serves_http:
                continue
            wanted = [k for k in self._keys(scope, service) if keep(k[1])]
            if wanted:
                self._service(scope, service, (wanted, indices), (labels, values))
        found = np.concatenate(values) if values else np.zeros((0, len(indices)))
        return Rows(labels=labels, values=found)

    def _service(
        self, scope: Scope, service: Service, ask: Any, into: tuple[list[Labels], list[Floats]]
    ) -> None:
        wanted, indices = ask
        rows = scope.blocks.counter(self.base, service.name, self.increments, indices)
        times = times_of(indices)
        alive = {p.name: p.serving(times).cumsum() > 0 for p in _pods(scope, service)}
        present = {p.name: p.present(times) for p in _pods(scope, service)}
        for key, label, kind in wanted:
            row = rows.get(key)
            if row is None:
                continue
            value = row[kind] / 1000.0 if kind == SUM else row[kind]
            shown = (present[key[0]] > 0) & (alive[key[0]] | (value > 0))
            if key[-1] != "200":
                shown &= row[COUNT] > 0  # a series begins with the first request of its status
            if shown.any():
                into[0].append(label)
                into[1].append(np.where(shown, value, np.nan)[None, :])

    def _keys(self, scope: Scope, service: Service) -> "list[tuple[Any, Labels, int]]":
        out: list[tuple[Any, Labels, int]] = []
        for pod in _pods(scope, service):
            base = {"service_name": service.name, "namespace": NAMESPACE, "pod": pod.name}
            for key, extra in self._variants(scope, service, pod.name, pod.version):
                out.extend(_suffixed(key, base | extra, self.suffix))
        return out

    def _variants(
        self, scope: Scope, service: Service, pod: str, version: str
    ) -> Iterator[tuple[Any, Labels]]:
        if self.base == SERVER:
            for status in STATUSES:
                extra = {"service_version": version, "http_response_status_code": status}
                extra |= {"http_request_method": "GET", "http_route": "/"}
                yield (pod, status), extra
            return
        for call in service.calls:
            stored = scope.site.service(call.callee).role in STATEFUL
            if stored != (self.base == DATABASE):
                continue
            if stored:
                extra = {"server_address": call.callee, "db_operation_name": call.operation,
                         "service_version": version}  # fmt: skip
                yield (pod, call.callee, "200"), extra | {"db_system": _system(scope, call.callee)}
                continue
            for status in STATUSES:
                extra = {"server_address": call.callee, "http_response_status_code": status,
                         "service_version": version}  # fmt: skip
                yield (pod, call.callee, status), extra


def _system(scope: Scope, name: str) -> str:
    systems = {Role.DATABASE: "postgresql", Role.CACHE: "redis", Role.QUEUE: "rabbitmq"}
    return systems[scope.site.service(name).role]


def _suffixed(key: Any, labels: Labels, suffix: str) -> Iterator[tuple[Any, Labels, int]]:
    if suffix == "bucket":
        for kind, le in enumerate(NAMES):
            yield key, labels | {"le": le}, kind
    else:
        yield key, labels, COUNT if suffix == "count" else SUM


def _pods(scope: Scope, service: Service) -> Any:
    workload = scope.site.workloads.get(service.name)
    return workload.pods if workload else []


def server_increments(frame: Frame, name: str) -> dict[Any, Floats]:
    """Return requests served per sample, by (pod, status)."""
    flow = frame[name]
    assert flow.shapes is not None  # noqa: S101 - solved frames only
    tables = [_statuses(s) for s in flow.shapes]
    out: dict[Any, Floats] = {}
    for i, pod in enumerate(flow.pods):
        requests = flow.rate * flow.share[i] * SCRAPE
        for s, status in enumerate(STATUSES):
            out[(pod.name, status)] = requests * _pick(flow, i, tables[0][s], tables[1][s])
    return out


def _pick(flow: Flow, pod: int, untouched: Floats, touched: Floats) -> Floats:
    if not flow.touched[pod].any():
        return untouched
    return np.where(flow.touched[pod], touched, untouched)


def _statuses(shape: Shape) -> list[Floats]:
    """Return [kinds, steps] per request for each status: buckets, milliseconds, one."""
    failed = shape.failed
    good = _table(shape.fast, shape.slow, shape.weight, shape.shape)
    refused = _narrow(np.minimum(shape.fast, 2.6))
    hung = _narrow(shape.hang_s)
    return [good * (1.0 - failed), good * shape.errors[0], refused * shape.errors[1],
            hung * shape.errors[2]]  # fmt: skip


def _table(fast: Floats, slow: Floats, weight: Floats, k: float) -> Floats:
    below = 1.0 / (1.0 + np.exp(k * (np.log(fast) - np.log(EDGES))))
    if weight.max() > 1e-5:
        late = 1.0 / (1.0 + np.exp(2.0 * k * (np.log(slow) - np.log(EDGES))))
        below = (1.0 - weight) * below + weight * late
    mean = 1.12 * ((1.0 - weight) * fast + weight * slow)
    one = np.ones_like(fast)[None, :]
    out: Floats = np.concatenate([below, one, 1000.0 * mean[None, :], one])
    return out


def _narrow(seconds: Floats) -> Floats:
    below = (seconds[None, :] <= EDGES * 1.02).astype(float)
    one = np.ones_like(seconds)[None, :]
    out: Floats = np.concatenate([below, one, 1000.0 * seconds[None, :], one])
    return out


def client_increments(frame: Frame, name: str) -> dict[Any, Floats]:
    """Return HTTP calls made per sample, by (pod, callee, status)."""
    flow = frame[name]
    out: dict[Any, Floats] = {}
    for callee, edge in flow.edges.items():
        if frame[callee].service.role in STATEFUL:
            continue
        tables = [_called(frame[callee], edge, v) for v in (0, 1)]
        for i, pod in enumerate(flow.pods):
            made = _made(flow, edge, i)
            for s, status in enumerate(STATUSES):
                out[(pod.name, callee, status)] = made * _pick(flow, i, tables[0][s], tables[1][s])
    return out


def _made(flow: Flow, edge: EdgeFlow, pod: int) -> Floats:
    out: Floats = flow.share[pod] * _pick(flow, pod, edge.rate[0], edge.rate[1]) * SCRAPE
    return out


def _called(callee: Flow, edge: EdgeFlow, v: int) -> list[Floats]:
    seen = callee.seen()
    limit, late = edge.call.timeout_s, edge.late[v]
    other = np.maximum(0.0, edge.failed[v] - late)
    fast = np.minimum(seen.fast + edge.add_s[v], limit)
    slow = np.minimum(seen.slow + edge.add_s[v], limit)
    good = _table(fast, slow, seen.weight, seen.shape)
    refused = seen.errors[1] + callee.unreachable
    refusals = np.minimum(1.0, refused / np.maximum(other, 1e-12))
    hung = _narrow(fast * 0.0 + limit)
    return [good * (1.0 - edge.failed[v]), good * other * (1.0 - refusals),
            good * other * refusals, hung * late]  # fmt: skip


def database_increments(frame: Frame, name: str) -> dict[Any, Floats]:
    """Return operations on databases, caches and queues per sample, by (pod, store)."""
    flow = frame[name]
    out: dict[Any, Floats] = {}
    for store, edge in flow.edges.items():
        if frame[store].service.role not in STATEFUL:
            continue
        seen = frame[store].seen()
        limit = edge.call.timeout_s
        tables = [
            _table(np.minimum(seen.fast + edge.add_s[v], limit), seen.slow, seen.weight, seen.shape)
            for v in (0, 1)
        ]
        for i, pod in enumerate(flow.pods):
            made = _made(flow, edge, i)
            out[(pod.name, store, "200")] = made * _pick(flow, i, tables[0], tables[1])
    return out
