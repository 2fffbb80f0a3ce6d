"""What the cluster shows after acting: a rollout that followed, pods that are ready, a size."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.action import Target
from bot.domain.snapshot import KubernetesObject, Snapshot, Source
from bot.domain.time import Window
from bot.remediation.verification import Readiness
from bot.workflows.readiness import (
    kinds_for,
    readiness_after_rollout,
    readiness_of,
    rolled_out_at,
)

ACTED = datetime(2026, 3, 1, 14, 0, tzinfo=UTC)
SOURCE = Source(system="kubernetes", query="kubectl get all")


def item(kind: str, name: str, body: dict[str, Any]) -> KubernetesObject:
    return KubernetesObject(kind=kind, namespace="shop", name=name, body=body, source=SOURCE)


def found(*objects: KubernetesObject) -> Snapshot:
    window = Window.last(60, before=ACTED)
    return Snapshot(environment="prod", window=window, now=ACTED, objects=objects)


def target(kind: str, name: str = "checkout") -> Target:
    return Target(
        environment="prod", kind=kind, namespace="shop", name=name, uid="u", spec_hash="h",
        service="checkout", replicas=0,
    )  # fmt: skip


def workload(kind: str, name: str, ready: int, wanted: int, **status: Any) -> KubernetesObject:
    body = {"spec": {"replicas": wanted}, "status": {"readyReplicas": ready, **status}}
    return item(kind, name, body)


def revision(minutes: float, owner: str = "checkout") -> KubernetesObject:
    made = (ACTED + timedelta(minutes=minutes)).isoformat()
    owners = [{"kind": "Deployment", "name": owner}]
    return item(
        "ReplicaSet", f"{owner}-{minutes}",
        {"metadata": {"creationTimestamp": made, "ownerReferences": owners}},
    )  # fmt: skip


def progressing(reason: str, minutes: float) -> KubernetesObject:
    at = (ACTED + timedelta(minutes=minutes)).isoformat()
    condition = {"type": "Progressing", "reason": reason, "lastUpdateTime": at}
    return workload("Deployment", "checkout", 2, 2, conditions=[condition])


def test_a_rollout_counts_only_if_it_followed() -> None:
    assert rolled_out_at("checkout", found(revision(-5)), ACTED) is None
    assert rolled_out_at("checkout", found(revision(3, owner="cart")), ACTED) is None
    both = found(revision(-5), revision(9), revision(3))
    assert rolled_out_at("checkout", both, ACTED) == ACTED + timedelta(minutes=3)


def test_a_revision_that_is_taken_up_again_is_a_rollout_too() -> None:
    back = found(progressing("NewReplicaSetAvailable", 4))
    assert rolled_out_at("checkout", back, ACTED) == ACTED + timedelta(minutes=4)
    assert rolled_out_at("checkout", found(progressing("ReplicaSetUpdated", 4)), ACTED) is None
    assert rolled_out_at("checkout", found(progressing("FoundNewReplicaSet", -4)), ACTED) is None


def test_odd_times_are_no_rollout() -> None:
    owners = [{"kind": "Deployment", "name": "checkout"}]
    for when in (None, "soon", "2026-03-01T15:00:00", 7):
        odd = {"metadata": {"creationTimestamp": when, "ownerReferences": owners}}
        assert rolled_out_at("checkout", found(item("ReplicaSet", "x", odd)), ACTED) is None


def test_a_node_is_as_well_as_the_pods_of_all_workloads() -> None:
    facts = found(workload("Deployment", "a", 1, 2), workload("StatefulSet", "b", 3, 3))
    assert readiness_of(target("Node", "worker-1"), facts) == Readiness(ready=4, wanted=5)
    assert readiness_of(target("Node", "worker-1"), found()) is None


@pytest.mark.parametrize(("has", "ready"), [("10Gi", 0), ("20Gi", 1), ("30Gi", 1), (None, 0)])
def test_a_claim_is_ready_once_it_has_the_size(has: str | None, ready: int) -> None:
    body = {
        "spec": {"resources": {"requests": {"storage": "20Gi"}}},
        "status": {"capacity": {"storage": has}},
    }
    facts = found(item("PersistentVolumeClaim", "data", body))
    wanted = Readiness(ready=ready, wanted=1)
    assert readiness_of(target("PersistentVolumeClaim", "data"), facts) == wanted


def test_what_has_no_pods_tells_nothing() -> None:
    assert readiness_of(None, found()) is None
    assert readiness_of(target("Flag"), found()) is None
    assert readiness_of(target("Deployment"), found()) is None
    assert readiness_after_rollout("checkout", found()) is None
    assert kinds_for(target("Flag"), "") == ()
    assert kinds_for(target("Manifest"), "checkout") == ("Deployment", "ReplicaSet")


def test_pods_of_the_version_before_do_not_count_as_ready() -> None:
    old = workload("Deployment", "checkout", 3, 3, observedGeneration=4, updatedReplicas=1)
    assert readiness_of(target("Deployment"), found(old)) == Readiness(ready=1, wanted=3)
    unseen = item(
        "Deployment", "checkout",
        {
            "metadata": {"generation": 5},
            "spec": {"replicas": 3},
            "status": {"readyReplicas": 3, "updatedReplicas": 3, "observedGeneration": 4},
        },
    )  # fmt: skip
    assert readiness_of(target("Deployment"), found(unseen)) == Readiness(ready=0, wanted=3)


def test_a_paused_rollout_is_as_ready_as_its_pods() -> None:
    status = {"readyReplicas": 3, "updatedReplicas": 1, "observedGeneration": 4}
    held = item(
        "Deployment", "checkout", {"spec": {"replicas": 3, "paused": True}, "status": status}
    )
    assert readiness_of(target("Deployment"), found(held)) == Readiness(ready=3, wanted=3)


def test_a_daemon_set_counts_by_its_nodes() -> None:
    status = {"desiredNumberScheduled": 5, "numberReady": 4, "updatedNumberScheduled": 5,
              "observedGeneration": 1}  # fmt: skip
    agents = item("DaemonSet", "checkout", {"spec": {}, "status": status})
    assert readiness_of(target("DaemonSet"), found(agents)) == Readiness(ready=4, wanted=5)


@pytest.mark.parametrize(
    ("subsets", "ready", "wanted"),
    [
        ([{"addresses": [{"ip": "a"}, {"ip": "b"}], "notReadyAddresses": [{"ip": "c"}]}], 2, 2),
        ([{"notReadyAddresses": [{"ip": "c"}]}], 0, 1),
        (None, 0, 1),
    ],
)
def test_a_service_is_ready_when_it_reaches_somebody(subsets: Any, ready: int, wanted: int) -> None:
    reached = found(item("Endpoints", "checkout", {"subsets": subsets}))
    assert kinds_for(target("Service"), "") == ("Endpoints", "Pod")
    assert readiness_of(target("Service"), reached) == Readiness(ready=ready, wanted=wanted)


@pytest.mark.parametrize(("opened", "ready"), [(8080, 1), (9999, 0)])
def test_a_port_that_no_container_opens_reaches_nobody(opened: int, ready: int) -> None:
    subsets = [{"addresses": [{"ip": "a"}], "ports": [{"port": 8080}]}]
    ports = [{"containerPort": opened}]
    pod = item("Pod", "checkout-1", {"spec": {"containers": [{"ports": ports}]}})
    reached = found(item("Endpoints", "checkout", {"subsets": subsets}), pod)
    assert readiness_of(target("Service"), reached) == Readiness(ready=ready, wanted=1)


def test_a_quota_is_wide_enough_when_all_pods_are_made() -> None:
    made = workload("Deployment", "checkout", 0, 4, replicas=3)
    there = workload("StatefulSet", "db", 1, 1, replicas=1)
    elsewhere = KubernetesObject(
        kind="Deployment", namespace="other", name="x", source=SOURCE,
        body={"spec": {"replicas": 9}, "status": {}},
    )  # fmt: skip
    seen = found(made, there, elsewhere)
    assert readiness_of(target("ResourceQuota"), seen) == Readiness(ready=4, wanted=5)


@pytest.mark.parametrize("kind", ["Pod", "ConfigMap", "HorizontalPodAutoscaler"])
def test_what_stands_behind_a_service_is_told_by_its_workload(kind: str) -> None:
    own = item(
        "Deployment", "checkout-v2",
        {
            "metadata": {"name": "checkout-v2", "labels": {"app.kubernetes.io/name": "checkout"}},
            "spec": {"replicas": 2},
            "status": {"readyReplicas": 1},
        },
    )  # fmt: skip
    other = workload("Deployment", "cart", 0, 7)
    assert "Deployment" in kinds_for(target(kind), "")
    seen = readiness_of(target(kind, "checkout-x"), found(own, other))
    assert seen == Readiness(ready=1, wanted=2)
    assert readiness_of(target(kind, "checkout-x"), found(other)) is None
