"""What may undo, block or outlive a fix is said with it; what is not there is not said."""

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.action import Proposal
from bot.domain.snapshot import KubernetesObject, Snapshot
from bot.remediation.planner import Plan
from tests.unit.remediation.cases import (
    config_change,
    deploy,
    deployment,
    hypothesis,
    item,
    plan,
    revision,
    series,
    snapshot,
)
from tests.unit.remediation.test_planner import KEPT


def labelled(
    name: str = "checkout", count: int = 4, metadata: Any = (), spec: Any = ()
) -> KubernetesObject:
    """A deployment with labels on its pods, and what is given on top."""
    plain = deployment(name, replicas=count)
    pods = {"metadata": {"labels": {"app": name}}, "spec": dict(spec)}
    body = {
        "metadata": {**plain.body["metadata"], **dict(metadata)},
        "spec": {"replicas": count, "template": pods},
    }
    return item("Deployment", name, body)


def scaler(target: str = "checkout") -> KubernetesObject:
    reference = {"kind": "Deployment", "name": target}
    return item(
        "HorizontalPodAutoscaler", "hpa", {"spec": {"scaleTargetRef": reference, "maxReplicas": 8}}
    )


def budget(allowed: int) -> KubernetesObject:
    body = {
        "spec": {"selector": {"matchLabels": {"app": "checkout"}}},
        "status": {"disruptionsAllowed": allowed},
    }
    return item("PodDisruptionBudget", "checkout-pdb", body)


def only(found: Plan) -> Proposal:
    assert len(found.proposals) == 1, found.reasons
    return found.proposals[0]


def surge(*facts: Any) -> Proposal:
    load = series("cpu_of_limit", [0.95] * 10)
    return only(plan(snapshot(load, *facts), hypothesis("traffic_surge")))


def rollback(*facts: Any) -> Proposal:
    return only(plan(snapshot(*facts, *KEPT), hypothesis("slow_query", change=deploy())))


def test_a_calm_rollback_has_no_warnings() -> None:
    assert rollback(labelled(), budget(2), scaler("other")).warnings == ()


def test_an_autoscaler_sets_the_replicas_again() -> None:
    before = series("desired_pods", [3.0, 3.0, 0.0, 0.0])
    facts = snapshot(labelled(count=0), scaler(), before)
    back = only(plan(facts, hypothesis("deployment_zero_replicas")))
    assert "the autoscaler hpa owns the replicas of checkout" in back.warnings[0]


def test_the_autoscaler_of_another_workload_does_not_matter() -> None:
    assert surge(labelled(), scaler("cart")).warnings == ()


def test_an_autoscaler_does_not_matter_to_a_rollback() -> None:
    assert rollback(labelled(), scaler()).warnings == ()


@pytest.mark.parametrize(
    ("metadata", "owner"),
    [
        ({"annotations": {"argocd.argoproj.io/tracking-id": "x"}}, "Argo CD"),
        ({"labels": {"kustomize.toolkit.fluxcd.io/name": "x"}}, "Flux"),
        ({"labels": {"app.kubernetes.io/managed-by": "Helm"}}, "Helm"),
    ],
)
def test_a_manifest_that_is_kept_elsewhere_comes_back(metadata: Any, owner: str) -> None:
    assert rollback(labelled(metadata=metadata)).warnings[0].startswith(f"{owner} owns")


def test_a_config_map_that_is_kept_elsewhere_comes_back() -> None:
    config = item(
        "ConfigMap", "checkout-config",
        {"metadata": {"annotations": {"argocd.argoproj.io/instance": "shop"}}},
    )  # fmt: skip
    facts = snapshot(deployment(config="checkout-config"), config)
    cause = hypothesis(
        "bad_config_change", "configmap/checkout-config", change=config_change({"POOL": "20"})
    )
    assert any("configmap/checkout-config" in w for w in only(plan(facts, cause)).warnings)


def test_a_disruption_budget_that_allows_nothing_blocks() -> None:
    assert "allows no pod of checkout to go" in rollback(labelled(), budget(0)).warnings[0]


def test_a_single_pod_serves_nobody_while_it_is_replaced() -> None:
    assert rollback(labelled(count=1)).warnings == (
        "checkout has one pod: nobody serves while it is replaced",
    )


def test_state_on_a_volume_does_not_go_back() -> None:
    spec = {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}
    assert "keeps state on a volume" in rollback(labelled(spec=spec)).warnings[0]


def volume(expands: bool | None) -> Snapshot:
    claim = item("PersistentVolumeClaim", "data", {"spec": {"storageClassName": "plain"}})
    kind = {} if expands is None else {"allowVolumeExpansion": expands}
    pods = {"volumes": [{"persistentVolumeClaim": {"claimName": "data"}}]}
    pod = item("Pod", "db-0", {"metadata": {"labels": {"app": "db"}}, "spec": pods})
    return snapshot(claim, item("StorageClass", "plain", kind, namespace=""), pod)


@pytest.mark.parametrize(("expands", "said"), [(False, True), (None, True), (True, False)])
def test_a_disk_whose_class_cannot_expand_is_said_so(expands: bool | None, said: bool) -> None:
    found = plan(volume(expands), hypothesis("disk_full", "statefulset/db", service="db"))
    told = "nothing to run for disk_full: Free space now"
    assert any(reason.startswith(told) for reason in found.reasons)
    assert (
        any("storage class plain of claim data cannot expand" in r for r in found.reasons) is said
    )


def test_what_helps_for_a_while_names_what_lasts() -> None:
    found = only(plan(snapshot(labelled()), hypothesis("memory_leak")))
    assert found.short_term
    assert "heap profile" in found.lasting_fix
    assert "larger limit would hide it" in found.trade_off


def test_a_rollback_is_no_stopgap() -> None:
    assert not rollback(labelled()).short_term


def test_malformed_objects_warn_of_nothing() -> None:
    odd = item("HorizontalPodAutoscaler", "x", {"spec": {"scaleTargetRef": "checkout"}})
    none = item("PodDisruptionBudget", "y", {"spec": {"selector": None}, "status": []})
    bad = replace(labelled(spec={"volumes": ["x", {"persistentVolumeClaim": None}]}))
    assert (
        rollback(bad, odd, none, revision("x", "v1", KEPT[0].source and deploy().at)).warnings == ()
    )
