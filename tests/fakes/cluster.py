"""Small Kubernetes objects for snapshots made by hand."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.domain.diagnosis import Finding, Hypothesis, Question, Symptom
from bot.domain.snapshot import (
    Edge,
    KubernetesObject,
    LogTemplate,
    NodeComponent,
    Probe,
    Snapshot,
    Source,
)
from bot.domain.time import Window

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
WINDOW = Window.last(1800, before=NOW)
SOURCE = Source(system="kubernetes", query="kubectl get all")
NAMESPACE = "shop"
RUNNING: Mapping[str, Any] = {"running": {"startedAt": "2026-01-02T03:00:00Z"}}


def snapshot(*objects: KubernetesObject, **facts: Any) -> Snapshot:
    return Snapshot(environment="prod", window=WINDOW, now=NOW, objects=objects, **facts)


def question() -> Question:
    return Question(
        text="why",
        environment="prod",
        services=(),
        symptom=Symptom.ANY,
        asked_at=NOW,
        window=WINDOW,
    )


def item(kind: str, name: str, *, namespace: str = NAMESPACE, **body: Any) -> KubernetesObject:
    metadata = {"name": name, "namespace": namespace, **body.pop("metadata", {})}
    return KubernetesObject(
        kind=kind,
        namespace=namespace,
        name=name,
        body={"kind": kind, "metadata": metadata, **body},
        source=SOURCE,
    )


def container(name: str = "app", **fields: Any) -> dict[str, Any]:
    return {"name": name, "image": "registry.example.com/app:v1", **fields}


def deployment(
    name: str,
    *,
    replicas: int = 1,
    labels: Mapping[str, str] | None = None,
    containers: Sequence[Mapping[str, Any]] = (),
    **spec: Any,
) -> KubernetesObject:
    found = dict(labels or {"app": name})
    template = {
        "metadata": {"labels": found},
        "spec": {"containers": list(containers) or [container()], **spec},
    }
    selector = {"matchLabels": found}
    return item(
        "Deployment",
        name,
        spec={"replicas": replicas, "selector": selector, "template": template},
    )


def replica_set(owner: KubernetesObject, *, replicas: int = 1) -> KubernetesObject:
    reference = {"kind": "Deployment", "name": owner.name}
    return item(
        "ReplicaSet",
        f"{owner.name}-5d4f",
        metadata={"ownerReferences": [reference]},
        spec={"replicas": replicas},
    )


def pod(
    owner: KubernetesObject,
    *,
    suffix: str = "x1",
    node: str = "worker-1",
    phase: str = "Running",
    ready: bool = True,
    statuses: Sequence[Mapping[str, Any]] | None = None,
    labels: Mapping[str, str] | None = None,
) -> KubernetesObject:
    template = owner.body["spec"]["template"]
    found = labels if labels is not None else template["metadata"]["labels"]
    plain = [{"name": c["name"], "ready": ready, "restartCount": 0, "state": RUNNING}
             for c in template["spec"]["containers"]]  # fmt: skip
    return item(
        "Pod",
        f"{owner.name}-5d4f-{suffix}",
        metadata={
            "labels": dict(found),
            "ownerReferences": [{"kind": owner.kind, "name": owner.name}],
        },
        spec={**template["spec"], **({"nodeName": node} if node else {})},
        status={
            "phase": phase,
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            "containerStatuses": list(statuses) if statuses is not None else plain,
        },
    )


def pending(owner: KubernetesObject) -> KubernetesObject:
    return pod(owner, node="", phase="Pending", ready=False, statuses=[])


def node(
    name: str,
    *,
    labels: Mapping[str, str] | None = None,
    cordoned: bool = False,
    taints: Sequence[Mapping[str, Any]] = (),
    cpu: str = "8",
    memory: str = "16Gi",
    conditions: Sequence[Mapping[str, Any]] = ({"type": "Ready", "status": "True"},),
) -> KubernetesObject:
    spec: dict[str, Any] = {"taints": list(taints)}
    if cordoned:
        spec["unschedulable"] = True
    return item(
        "Node",
        name,
        namespace="",
        metadata={"labels": dict(labels or {})},
        spec=spec,
        status={"allocatable": {"cpu": cpu, "memory": memory}, "conditions": list(conditions)},
    )


def event(
    about: KubernetesObject, reason: str, message: str, *, count: int = 1, kind: str = "Warning"
) -> KubernetesObject:
    return item(
        "Event",
        f"{about.name}.{reason}.{abs(hash(message))}",
        type=kind,
        reason=reason,
        message=message,
        count=count,
        involvedObject={"kind": about.kind, "name": about.name, "namespace": about.namespace},
        firstTimestamp="2026-01-02T03:00:00Z",
        lastTimestamp="2026-01-02T03:03:00Z",
    )


def service(
    name: str, *, selector: Mapping[str, str] | None = None, ports: Sequence[Mapping[str, Any]] = ()
) -> KubernetesObject:
    found = selector if selector is not None else {"app": name}
    offered = list(ports) or [{"port": 80, "targetPort": 8080, "protocol": "TCP"}]
    return item("Service", name, spec={"selector": dict(found), "ports": offered})


def endpoints(name: str, *, ready: int = 0, not_ready: int = 0) -> KubernetesObject:
    subset = {
        "addresses": [{"ip": f"10.0.0.{i}"} for i in range(ready)],
        "notReadyAddresses": [{"ip": f"10.0.1.{i}"} for i in range(not_ready)],
    }
    return item("Endpoints", name, subsets=[subset] if ready or not_ready else [])


def log(service: str, line: str, *, count: int = 5, **fields: Any) -> LogTemplate:
    known: dict[str, Any] = {
        "pod": None, "container": None, "previous": False, "level": "error", "baseline_count": 0,
        "first_at": None, "last_at": None, **fields,
    }  # fmt: skip
    source = Source(system="logs", query=f"logs of {service}")
    return LogTemplate(
        service=service, template=line, example=line, count=count, source=source, **known
    )


def probe(target: str, *, ok: bool, port: int = 80) -> Probe:
    source = Source(system="checks", query=f"connect to {target}:{port}")
    return Probe(target=target, port=port, ok=ok, detail="", source=source)


def edge(caller: str, callee: str) -> Edge:
    source = Source(system="traces", query="service graph")
    return Edge(caller=caller, callee=callee, calls=10, source=source)


def component(node: str, name: str, *, running: bool) -> NodeComponent:
    source = Source(system="nodes", query=f"systemctl status {name}")
    detail = "active (running)" if running else "inactive (dead)"
    return NodeComponent(node=node, component=name, running=running, detail=detail, source=source)


def best(finding: Finding) -> Hypothesis | None:
    """Return the hypothesis with the highest log-odds."""
    return max(finding.hypotheses, key=lambda h: h.log_odds, default=None)


def answer(finding: Finding) -> tuple[str, str] | None:
    """Return cause and object of the best hypothesis if it is more likely than not."""
    found = best(finding)
    return (found.cause, found.object) if found and found.log_odds > 0 else None
