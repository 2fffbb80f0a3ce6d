"""Log lines as a function of pod and minute: everyday talk, failures, and what incidents add."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bot.sandbox.world import logtexts, noise
from bot.sandbox.world.propagation import Flow
from bot.sandbox.world.records import NEVER, Pod
from bot.sandbox.world.series.family import Scope
from bot.sandbox.world.site import BLOCK, NAMESPACE, SCRAPE
from bot.sandbox.world.topology import STATEFUL, Role, Service

MINUTE = 60.0
KEPT_S = 26 * 3600.0
MOST = 1.5  # failure lines per second and pod
LEVELS = {"log": "info", "warning": "warn"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of one pod."""

    at: float
    pod: Pod
    level: str
    text: str


class LogStore:
    """The lines of one site, remembered per pod and minute until something changes."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._minutes: dict[tuple[str, int], list[Line]] = {}
        scope.site.watchers.append(self._forget)

    def _forget(self, at: float) -> None:
        edge = int(at // MINUTE)
        self._minutes = {k: v for k, v in self._minutes.items() if k[1] < edge}

    def lines(self, pod: Pod, start: float, end: float) -> Iterator[Line]:
        """Yield a pod's lines in [start, end), oldest first."""
        start = max(start, pod.created, self.scope.site.begun - KEPT_S)
        end = min(end, pod.gone)
        for minute in range(int(start // MINUTE), int(end // MINUTE) + 1):
            for line in self._minute(pod, minute):
                if start <= line.at < end:
                    yield line

    def _minute(self, pod: Pod, minute: int) -> list[Line]:
        key = (pod.uid, minute)
        found = self._minutes.get(key)
        if found is None:
            found = self._minutes[key] = sorted(self._made(pod, minute), key=lambda line: line.at)
            if len(self._minutes) > 40_000:
                self._minutes.pop(next(iter(self._minutes)))
        return found

    def _made(self, pod: Pod, minute: int) -> Iterator[Line]:
        site = self.scope.site
        if pod.waiting:
            return
        service = site.service(pod.service)
        generator = noise.generator(pod.uid, minute, "log")
        start = minute * MINUTE
        middle = np.array([start + MINUTE / 2.0])
        yield from self._life(pod, service, minute)
        if not pod.serving(middle)[0]:
            return
        for level, text, rate in logtexts.everyday(service):
            yield from _drawn(pod, service, (level, (text,)), (rate, start), generator)
        for level, text, rate in self._failures(pod, service, float(middle[0])):
            yield from _drawn(pod, service, (level, (text,)), (rate, start), generator)
        for rule in site.logs:
            if rule.service == pod.service:
                own = noise.generator(pod.uid, minute, rule.texts[0])
                rate = float(rule.rate(pod, middle)[0])
                yield from _drawn(pod, service, (rule.level, rule.texts), (rate, start), own)

    def _life(self, pod: Pod, service: Service, minute: int) -> Iterator[Line]:
        """Yield what a process says when it starts and ends."""
        starts = [pod.created + 2.5, *(r.back - 3.0 for r in pod.restarts)]
        for at in starts:
            if minute * MINUTE <= at < (minute + 1) * MINUTE:
                for after, text in ((0.0, f"starting {service.name} {pod.version}"),
                                    (1.0, f"listening on :{service.port}")):  # fmt: skip
                    yield _line(pod, service, at + after, ("info", text))
        end = pod.gone - 1.5
        if pod.gone < NEVER and minute * MINUTE <= end < (minute + 1) * MINUTE:
            yield _line(pod, service, end, ("info", "received SIGTERM, shutting down"))

    def _failures(self, pod: Pod, service: Service, at: float) -> Iterator[tuple[str, str, float]]:
        index = int(at // SCRAPE)
        if service.role in STATEFUL or index < self.scope.blocks.first * BLOCK:
            return
        flow = self.scope.blocks.frame(index // BLOCK)[service.name]
        place = index % BLOCK
        mine = next((i for i, p in enumerate(flow.pods) if p.uid == pod.uid), None)
        if mine is None or flow.shapes is None:
            return
        v = int(flow.touched[mine][place])
        per_pod = float((flow.rate * flow.share[mine])[place])
        yield from _upstream(flow, (v, place, mine))
        own = float(flow.shapes[v].errors[0][place] + flow.shapes[v].errors[2][place])
        refused = float(flow.shapes[v].errors[1][place])
        yield "error", logtexts.OWN, min(MOST, 0.4 * per_pod * own)
        if service.role is Role.HTTP and refused > 0.001:
            yield "warn", logtexts.SHED, min(MOST, 0.4 * per_pod * refused)


def _upstream(flow: Flow, where: tuple[int, int, int]) -> Iterator[tuple[str, str, float]]:
    v, place, mine = where
    for callee, edge in flow.edges.items():
        made = float(edge.rate[v][place] * flow.share[mine][place])
        late = float(edge.late[v][place])
        other = max(0.0, float(edge.failed[v][place]) - late)
        limit = str(round(edge.call.timeout_s * 1000))
        for status, share in (("504", late), ("500", other)):
            text = logtexts.UPSTREAM[status].replace("{callee}", callee).replace("{limit}", limit)
            level = "warn" if edge.call.soft else "error"
            yield level, text, min(MOST, 0.5 * made * share)


def _drawn(
    pod: Pod, service: Service, say: tuple[str, tuple[str, ...]], when: tuple[float, float],
    generator: np.random.Generator,
) -> Iterator[Line]:  # fmt: skip
    level, texts = say
    rate, start = when
    count = int(generator.poisson(max(0.0, rate) * MINUTE))
    for offset in generator.random(count):
        text = texts[int(generator.integers(0, len(texts)))]
        at = start + float(offset) * MINUTE
        if pod.serving(np.array([at]))[0]:
            yield _line(pod, service, at, (level, logtexts.filled(text, generator)))


def _line(pod: Pod, service: Service, at: float, say: tuple[str, str]) -> Line:
    level, text = say
    at = round(at, 6)
    return Line(at=at, pod=pod, level=LEVELS.get(level, level),
                text=logtexts.written(service, at, level, text))  # fmt: skip


def labels(line: Line) -> dict[str, str]:
    """Return the stream labels of a line, as a log agent sets them."""
    pod = line.pod
    return {"namespace": NAMESPACE, "service_name": pod.service, "app": pod.service,
            "pod": pod.name, "container": pod.service, "node": pod.node,
            "level": line.level}  # fmt: skip
