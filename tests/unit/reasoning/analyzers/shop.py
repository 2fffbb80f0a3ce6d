"""A healthy shop to break: nodes, workloads with replica sets and pods, services, events."""

from collections.abc import Iterable, Mapping
from typing import Any

from bot.domain.diagnosis import Diagnosis
from bot.domain.snapshot import KubernetesObject
from bot.reasoning.analyzers import discover
from bot.reasoning.investigate import diagnose, look
from tests.fakes.cluster import (
    container,
    deployment,
    edge,
    endpoints,
    event,
    item,
    node,
    pod,
    question,
    service,
    snapshot,
)

OTHERS = ("web", "orders", "pay", "mail", "stock")
SMALL = {"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}}
PLANE = {"node-role.kubernetes.io/control-plane": ""}


def nodes(**changes: Any) -> list[KubernetesObject]:
    """Three workers and a control plane; `worker_2={...}` changes one worker."""
    taint = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
    workers = [
        node(f"worker-{i}", **{"labels": {"kubernetes.io/hostname": f"worker-{i}", "disk": "ssd"},
                               **changes.get(f"worker_{i}", {})})
        for i in (1, 2, 3)
    ]  # fmt: skip
    return [node("plane", labels=PLANE, taints=[taint]), *workers]


def workload(name: str = "cart", *, image: str = "", **spec: Any) -> KubernetesObject:
    box = container(resources=spec.pop("resources", SMALL), ports=[{"containerPort": 8080}],
                    volumeMounts=spec.pop("mounts", []))  # fmt: skip
    box["image"] = image or f"registry.example.com/{name}:v1"
    return deployment(name, containers=[box], **spec)


def set_of(owner: KubernetesObject, suffix: str = "new", replicas: int = 1) -> KubernetesObject:
    spec = {"replicas": replicas, "template": owner.body["spec"]["template"]}
    reference = {"kind": "Deployment", "name": owner.name}
    metadata = {"ownerReferences": [reference]}
    return item("ReplicaSet", f"{owner.name}-{suffix}", metadata=metadata, spec=spec)


def running(
    owner: KubernetesObject, maker: str = "old", where: str = "worker-1"
) -> KubernetesObject:
    box = owner.body["spec"]["template"]["spec"]["containers"][0]
    status = {"name": "app", "image": box["image"], "ready": True, "restartCount": 0,
              "state": {"running": {"startedAt": "2026-01-02T02:00:00Z"}}}  # fmt: skip
    return made_by(pod(owner, suffix=maker, node=where, statuses=[status]), f"{owner.name}-{maker}")


def waiting(
    owner: KubernetesObject, reason: str = "", message: str = "", *, where: str = "",
    status: Mapping[str, Any] | None = None, phase: str = "Pending",
) -> KubernetesObject:  # fmt: skip
    """A pod of the new replica set that does not run."""
    box = owner.body["spec"]["template"]["spec"]["containers"][0]
    state = {"waiting": {"reason": reason, "message": message}}
    statuses = [{"name": "app", "image": box["image"], "ready": False, "restartCount": 0,
                 "state": state}] if reason else []  # fmt: skip
    found = pod(owner, suffix="new", node=where or ("worker-1" if reason else ""), phase=phase,
                ready=False, statuses=statuses)  # fmt: skip
    if status:
        found.body["status"].update(status)  # type: ignore[attr-defined]
    return made_by(found, f"{owner.name}-new")


def made_by(found: KubernetesObject, maker: str) -> KubernetesObject:
    reference = {"kind": "ReplicaSet", "name": maker}
    found.body["metadata"]["ownerReferences"] = [reference]
    return found


def unscheduled(owner: KubernetesObject, message: str, *, by_event: bool = True) -> list[Any]:
    """A pod that the scheduler refused, told by its event or only by its condition."""
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                 "message": message}  # fmt: skip
    held = waiting(owner, status={"conditions": [condition]})
    return [held, *([event(held, "FailedScheduling", message)] if by_event else [])]


def rest() -> list[KubernetesObject]:
    """The other workloads, which are well."""
    found: list[KubernetesObject] = []
    for i, name in enumerate(OTHERS):
        owner = workload(name)
        found += [owner, set_of(owner, "old"), running(owner, where=f"worker-{i % 3 + 1}"),
                  service(name), endpoints(name, ready=1)]  # fmt: skip
    return found


def diagnosed(*broken: KubernetesObject, at: Iterable[KubernetesObject] | None = None,
              **facts: Any) -> Diagnosis:  # fmt: skip
    """The answer of all analyzers about the shop with a broken workload in it."""
    objects = [*(nodes() if at is None else at), *rest(), *broken]
    calls = tuple(edge("web", name) for name in ("cart", *OTHERS[1:]))
    found = snapshot(*objects, **{"edges": calls, **facts})
    analyzers = discover()
    assert look(found, question(), analyzers).failed == ()
    return diagnose(found, question(), analyzers)


def cause(*broken: KubernetesObject, **facts: Any) -> tuple[str, str]:
    """Cause and object of the first root cause; the status without one."""
    diagnosis = diagnosed(*broken, **facts)
    found = diagnosis.cause
    return (found.cause, found.object) if found else (diagnosis.status.value, "")
