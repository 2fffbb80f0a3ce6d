"""Nodes, claims, stuck pods and failed Jobs: bound from what was seen, or a reason why not."""

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.snapshot import KubernetesObject
from bot.remediation.planner import Plan
from tests.unit.remediation.cases import NOW, deployment, hypothesis, item, plan, snapshot


def node(name: str, *, cordoned: bool = False, ready: str = "True") -> KubernetesObject:
    spec = {"unschedulable": True} if cordoned else {}
    status = {"conditions": [{"type": "Ready", "status": ready}]}
    return item("Node", name, {"spec": spec, "status": status}, namespace="")


def arguments(found: Plan) -> dict[str, Any]:
    assert len(found.proposals) == 1, found.reasons
    return dict(found.proposals[0].call.arguments)


def why_not(found: Plan) -> str:
    assert found.proposals == ()
    return " · ".join(found.reasons)


SICK = hypothesis("node_not_ready", "node/worker-1", service="worker-1")


def test_a_sick_node_is_cordoned_and_that_helps_for_a_while_only() -> None:
    found = plan(snapshot(node("worker-1", ready="False"), node("worker-2")), SICK)
    assert arguments(found) == {"node": "worker-1"}
    assert found.proposals[0].call.action == "cordon_node"
    assert found.proposals[0].short_term
    assert "Drain the node" in found.proposals[0].lasting_fix or found.proposals[0].lasting_fix


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ((), "was not seen"),
        ((node("worker-1", cordoned=True), node("worker-2")), "is cordoned already"),
        ((node("worker-1"),), "no other node than worker-1"),
        ((node("worker-1"), node("worker-2", cordoned=True)), "no other node"),
        ((node("worker-1"), node("worker-2", ready="Unknown")), "no other node"),
    ],
)
def test_a_node_is_not_cordoned_blindly(nodes: Any, said: str) -> None:
    assert said in why_not(plan(snapshot(*nodes), SICK))


def test_the_one_cordoned_node_is_opened_again_with_a_warning() -> None:
    cause = hypothesis("node_cordon_mismatch")
    found = plan(snapshot(node("worker-1", cordoned=True), node("worker-2")), cause)
    assert arguments(found) == {"node": "worker-1"}
    assert "may not be finished" in found.proposals[0].trade_off
    several = snapshot(node("worker-1", cordoned=True), node("worker-2", cordoned=True))
    assert "worker-1, worker-2" in why_not(plan(several, cause))


def claim(size: Any = "10Gi", name: str = "data", kind: str = "fast") -> KubernetesObject:
    spec = {"storageClassName": kind, "resources": {"requests": {"storage": size}}}
    return item("PersistentVolumeClaim", name, {"spec": spec})


def pod(name: str, claim_name: str, app: str = "db", **metadata: Any) -> KubernetesObject:
    volumes = [{"persistentVolumeClaim": {"claimName": claim_name}}]
    body = {"metadata": {"labels": {"app": app}, **metadata}, "spec": {"volumes": volumes}}
    return item("Pod", name, body)


FAST = item("StorageClass", "fast", {"allowVolumeExpansion": True}, namespace="")
FULL = hypothesis("disk_full", "statefulset/db", service="db")


@pytest.mark.parametrize(("now", "then"), [("10Gi", "15Gi"), ("1Gi", "2Gi"), ("500Mi", "1Gi")])
def test_a_full_claim_grows_by_half(now: str, then: str) -> None:
    found = plan(snapshot(claim(now), FAST, pod("db-0", "data")), FULL)
    assert arguments(found) == {"namespace": "shop", "name": "data", "size": then}
    assert "cannot be made smaller" in found.proposals[0].trade_off


@pytest.mark.parametrize(
    ("objects", "said"),
    [
        ((claim(), pod("db-0", "data")), "storage class fast of claim data was not seen"),
        (
            (claim(), item("StorageClass", "fast", {}, namespace=""), pod("db-0", "data")),
            "cannot expand",
        ),
        ((FAST, pod("db-0", "data")), "none was seen"),
        ((claim(), claim(name="logs"), FAST, pod("db-0", "data"), pod("db-1", "logs")),
         "data, logs"),
        ((claim("lots"), FAST, pod("db-0", "data")), "how large claim data is"),
    ],
)  # fmt: skip
def test_what_cannot_grow_says_why_and_what_a_person_can_do(objects: Any, said: str) -> None:
    words = why_not(plan(snapshot(*objects), FULL))
    assert said in words
    assert "Free space now" in words


HELD = hypothesis("volume_multi_attach", "pod/db-1", service="db")
OLD = (NOW - timedelta(minutes=5)).isoformat()


def test_the_pod_that_hangs_on_the_volume_is_deleted_by_force_at_a_price() -> None:
    found = plan(snapshot(pod("db-0", "data", deletionTimestamp=OLD), pod("db-1", "data")), HELD)
    assert arguments(found) == {"namespace": "shop", "name": "db-0", "force": True}
    assert "two write the same data" in found.proposals[0].trade_off


@pytest.mark.parametrize("due", [NOW.isoformat(), "soon", None, "2026-03-01T14:00:00"])
def test_a_pod_within_its_grace_is_left_to_end(due: Any) -> None:
    facts = snapshot(pod("db-0", "data", deletionTimestamp=due), pod("db-1", "data"))
    assert "none was seen" in why_not(plan(facts, HELD))


def test_a_pod_that_holds_another_volume_is_left_alone() -> None:
    other = pod("x-0", "other", app="x", deletionTimestamp=OLD)
    assert "none was seen" in why_not(plan(snapshot(other, pod("db-1", "data")), HELD))


def test_only_a_job_that_has_failed_is_deleted() -> None:
    cause = hypothesis("job_failed", "job/report", service="report")
    failed = {"status": {"conditions": [{"type": "Failed", "status": "True"}]}}
    found = plan(snapshot(item("Job", "report", failed)), cause)
    assert arguments(found) == {"namespace": "shop", "name": "report"}
    assert "has not failed" in why_not(plan(snapshot(item("Job", "report", {})), cause))
    assert "was not seen" in why_not(plan(snapshot(deployment()), cause))
