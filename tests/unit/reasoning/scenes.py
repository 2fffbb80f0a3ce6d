"""Hand-made snapshots: series that move at a moment, objects, changes, and the question."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from bot.domain.diagnosis import Diagnosis, Hypothesis, Question, Symptom
from bot.domain.snapshot import (
    Alert,
    Change,
    ChangeKind,
    Edge,
    KubernetesObject,
    LogTemplate,
    Series,
    Signal,
    Snapshot,
    Source,
)
from bot.domain.time import Window
from bot.reasoning.analyzers import discover
from bot.reasoning.investigate import diagnose, look

START = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
NOW = START + timedelta(hours=2)
STEP = 30.0
SOURCE = Source(system="prometheus", query="test")


def minute(m: float) -> datetime:
    """Return the moment m minutes after START; NOW is minute 120."""
    return START + timedelta(minutes=m)


def values(
    usual: float,
    bad: float | None = None,
    at: float = 100.0,
    until: float | None = None,
    noise: float = 0.04,
    seed: int = 7,
) -> tuple[float, ...]:
    """Return two hours of a level that moves to `bad` from minute `at` to minute `until`."""
    n = int(7200 / STEP)
    minutes = np.arange(n) * STEP / 60.0
    v = np.full(n, float(usual))
    if bad is not None:
        v[(minutes >= at) & (minutes < (1e9 if until is None else until))] = bad
    scale = noise * np.random.default_rng(seed).standard_normal(n)
    return tuple((v * (1 + scale)).tolist())


@dataclass
class Scene:
    """A snapshot in the making."""

    series: list[Series] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    objects: list[KubernetesObject] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    logs: list[LogTemplate] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)

    def add(
        self, signal: Signal, service: str, v: tuple[float, ...], unit: str = "", **labels: str
    ) -> "Scene":
        times = tuple(START.timestamp() + i * STEP for i in range(len(v)))
        self.series.append(
            Series(
                signal=signal, service=service, times=times, values=v, unit=unit, source=SOURCE,
                labels=labels,
            )
        )  # fmt: skip
        return self

    def long(self, signal: Signal, service: str, v: Any, unit: str = "", **labels: str) -> "Scene":
        """Add a series over the last 26 hours."""
        n = len(v)
        start = NOW.timestamp() - 26 * 3600
        times = tuple(start + i * 26 * 3600 / (n - 1) for i in range(n))
        self.series.append(
            Series(
                signal=signal, service=service, times=times, values=tuple(map(float, v)), unit=unit,
                source=SOURCE, labels=labels,
            )
        )  # fmt: skip
        return self

    def service(
        self,
        name: str,
        *,
        p99: tuple[float, ...] | None = None,
        errors: tuple[float, ...] | None = None,
        rate: tuple[float, ...] | None = None,
        kind: str = "Deployment",
        pods: int = 3,
    ) -> "Scene":
        """Add a healthy workload, but for what is given."""
        seed = sum(map(ord, name))
        self.add(Signal.LATENCY_P99, name, p99 or values(0.2, seed=seed), "s")
        self.add(Signal.ERROR_RATIO, name, errors or values(0.001, seed=seed + 1), "ratio")
        self.add(Signal.REQUEST_RATE, name, rate or values(50, seed=seed + 2), "1/s")
        self.add(Signal.CPU_OF_LIMIT, name, values(0.3, seed=seed + 3), "ratio")
        self.workload(name, kind)
        for i in range(pods):
            self.pod(f"{name}-{i}", name, node=f"node-{i}")
        return self

    def workload(self, name: str, kind: str = "Deployment") -> "Scene":
        self.objects.append(thing(kind, name, {"metadata": {"name": name}}))
        return self

    def pod(self, name: str, service: str, *, node: str = "node-0", ready: bool = True,
            hash_: str = "h1", statuses: tuple[Any, ...] = ()) -> "Scene":  # fmt: skip
        labels = {"app.kubernetes.io/name": service, "pod-template-hash": hash_}
        body = {
            "metadata": {
                "name": name,
                "labels": labels,
                "ownerReferences": [{"kind": "Deployment", "name": service}],
            },
            "spec": {"nodeName": node},
            "status": {
                "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
                "containerStatuses": list(statuses),
            },
        }
        self.objects.append(thing("Pod", name, body))
        return self

    def calls(self, caller: str, callee: str, rate: tuple[float, ...] | None = None) -> "Scene":
        self.edges.append(Edge(caller=caller, callee=callee, calls=None, source=SOURCE))
        return self.add(Signal.EDGE_RATE, caller, rate or values(50, seed=3), "1/s", peer=callee)

    def change(
        self, kind: ChangeKind, service: str, at: float, *, before: str = "v1", after: str = "v2",
        object_: str = "", diff: str = "", name: str = "",
    ) -> "Scene":  # fmt: skip
        self.changes.append(
            Change(
                id=f"{kind}-{service}-{name}{at}", kind=kind, service=service,
                object=object_ or f"deployment/{service}", at=minute(at), summary="test",
                before=before, after=after, diff=diff or None, link=None, source=SOURCE,
            )
        )  # fmt: skip
        return self

    def snapshot(self) -> Snapshot:
        return Snapshot(
            environment="prod", window=Window(start=START, end=NOW), now=NOW,
            series=tuple(self.series), changes=tuple(self.changes), objects=tuple(self.objects),
            edges=tuple(self.edges), logs=tuple(self.logs), alerts=tuple(self.alerts),
            looked_at=("metrics", "changes", "Kubernetes"),
        )  # fmt: skip


def thing(kind: str, name: str, body: dict[str, Any]) -> KubernetesObject:
    return KubernetesObject(kind=kind, namespace="shop", name=name, body=body, source=SOURCE)


def ask(*services: str) -> Question:
    return Question(
        text="?", environment="prod", services=services, symptom=Symptom.ANY, asked_at=NOW,
        window=Window.last(3600, before=NOW),
    )  # fmt: skip


def answer(scene: Scene, *services: str) -> Diagnosis:
    """Return the diagnosis of the scene, by all analyzers; no analyzer may have failed."""
    snapshot, question = scene.snapshot(), ask(*services)
    analyzers = discover()
    assert look(snapshot, question, analyzers).failed == ()
    return diagnose(snapshot, question, analyzers)


def cause_of(diagnosis: Diagnosis) -> tuple[str, str]:
    """Return cause and object of the first root cause, empty without one."""
    cause: Hypothesis | None = diagnosis.cause
    return (cause.cause, cause.object) if cause else (diagnosis.status.value, "")
