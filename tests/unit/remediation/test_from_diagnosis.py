"""What the analyzers find in a cluster, the planner repairs: no word is lost between them."""

from collections.abc import Callable, Mapping
from typing import Any

from bot.domain.diagnosis import Concluded, Diagnosis, Finding, Question, Ranked, Status
from bot.domain.snapshot import Snapshot
from bot.reasoning.analyzers import admission, crashes, images, replicas, routing
from bot.remediation.planner import Plan, propose
from tests.fakes.cluster import (
    best,
    container,
    deployment,
    endpoints,
    event,
    item,
    pod,
    question,
    replica_set,
    service,
    snapshot,
)
from tests.unit.remediation.cases import PROD, RUNBOOKS

WEB = [container(ports=[{"containerPort": 8080, "name": "http", "protocol": "TCP"}])]
Look = Callable[[Snapshot, Question], Finding]


def planned(look: Look, facts: Snapshot) -> Plan:
    found = best(look(facts, question()))
    assert found is not None
    ranked = (Ranked(hypothesis=found, confidence=0.9),)
    diagnosis = Diagnosis(
        status=Status.ROOT_CAUSE, confidence=0.9, summary="", causes=ranked, ranked=ranked,
        ruled_out=(), blind_spots=(), onset=None, signal=None,
    )  # fmt: skip
    return propose(
        Concluded(diagnosis=diagnosis, snapshot=facts, rounds=1, chart=None),
        environment=PROD,
        runbooks=RUNBOOKS,
        investigation_id="inv-1",
    )


def call(found: Plan) -> tuple[str, Mapping[str, Any]]:
    assert found.proposals, found.reasons
    return found.proposals[0].call.action, found.proposals[0].call.arguments


def test_a_selector_with_a_typo() -> None:
    workload = deployment("catalogue", containers=WEB)
    entry = service("products", selector={"app": "catalog"})
    facts = snapshot(workload, pod(workload), entry, endpoints("products"))
    action, arguments = call(planned(routing.look, facts))
    assert action == "fix_service"
    assert (arguments["name"], arguments["workload"]) == ("products", "catalogue")
    assert arguments["part"] == "selector"


def test_a_target_port_by_a_name_that_nobody_declares() -> None:
    workload = deployment("cart", containers=WEB)
    entry = service("cart", ports=[{"port": 80, "targetPort": "web"}])
    action, arguments = call(
        planned(routing.look, snapshot(workload, pod(workload), entry, endpoints("cart")))
    )
    assert (action, arguments["part"]) == ("fix_service", "target_port")


def test_a_quota_that_refuses_pods() -> None:
    workload = deployment("cart", replicas=3)
    maker = replica_set(workload, replicas=3)
    hard = {"pods": "4"}
    quota = item("ResourceQuota", "q", spec={"hard": hard}, status={"hard": hard, "used": hard})
    said = (
        'pods "x" is forbidden: exceeded quota: q, requested: pods=1, used: pods=4, limited: pods=4'
    )
    facts = snapshot(workload, maker, quota, event(maker, "FailedCreate", said))
    action, arguments = call(planned(admission.look, facts))
    assert (action, arguments["name"]) == ("raise_quota", "q")
    assert arguments["hard"] == {"pods": "7"}


def test_a_container_that_is_killed_for_memory() -> None:
    limits = {"limits": {"memory": "64Mi"}}
    workload = deployment("cart", containers=[container(resources=limits)])
    ended = {"reason": "OOMKilled", "exitCode": 137, "finishedAt": "2026-01-02T03:03:30Z"}
    status = {
        "name": "app", "restartCount": 5, "ready": False, "lastState": {"terminated": ended},
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
    }  # fmt: skip
    facts = snapshot(workload, pod(workload, ready=False, statuses=[status]))
    action, arguments = call(planned(crashes.look, facts))
    assert action == "set_resources"
    assert (arguments["container"], arguments["limits"]) == ("app", {"memory": "128Mi"})


def test_an_image_that_the_registry_does_not_have() -> None:
    workload = deployment("cart", containers=[container(image="registry.example.com/app:v9")])
    waits = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}
    status = {"name": "app", "restartCount": 0, "ready": False, "state": waits}
    stuck = pod(workload, phase="Pending", ready=False, statuses=[status])
    said = 'Failed to pull image "registry.example.com/app:v9": manifest unknown: not found'
    kept = [_revision(1, "v8", "2026-01-01T00:00:00Z"), _revision(2, "v9", "2026-01-02T03:00:00Z")]
    facts = snapshot(workload, stuck, event(stuck, "Failed", said), *kept)
    action, arguments = call(planned(images.look, facts))
    assert (action, arguments["image"]) == ("set_image", "registry.example.com/app:v8")


def _revision(number: int, version: str, created: str) -> Any:
    spec = {"containers": [container(image=f"registry.example.com/app:{version}")]}
    metadata = {
        "creationTimestamp": created,
        "annotations": {"deployment.kubernetes.io/revision": str(number)},
        "ownerReferences": [{"kind": "Deployment", "name": "cart"}],
    }
    return item(
        "ReplicaSet", f"cart-{number}", metadata=metadata, spec={"template": {"spec": spec}}
    )


def test_what_is_scaled_to_zero_has_a_reason_when_nobody_knows_how_many_there_were() -> None:
    workload = deployment("cart", replicas=0)
    facts = snapshot(workload, service("cart"), endpoints("cart"))
    found = planned(replicas.look, facts)
    assert not found.proposals
    assert "how many pods cart had before" in found.reasons[0]
