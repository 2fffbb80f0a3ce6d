"""What a person asks for becomes a proposal from the live objects, or says what is lacking."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.action import Proposal
from bot.domain.errors import Ambiguous, UnknownName
from bot.domain.snapshot import KubernetesObject, Snapshot
from bot.domain.time import Window
from bot.domain.wish import Verb, Wanted, Wish
from bot.remediation.evidence import Unbound
from bot.remediation.wishes import Asker, proposal_of
from tests.unit.remediation.cases import NOW, ONSET, PROD, SIGNAL, deployment, item, revision

ASKER = Asker(user="U1", proposal_id="req-1-p1", investigation_id="req-1")
OLD = ONSET - timedelta(hours=5)


def stateful(name: str = "orders-db", kind: str = "StatefulSet") -> KubernetesObject:
    labels = {"app.kubernetes.io/name": "orders"}
    body = {"metadata": {"name": name, "uid": f"uid-{name}", "labels": labels},
            "spec": {"replicas": 2}}  # fmt: skip
    return item(kind, name, body)


def controller_revision(number: int, image: str, hours: int, kind: str) -> KubernetesObject:
    template = {"$patch": "replace", "spec": {"containers": [{"name": "db", "image": image}]}}
    owners = [{"kind": kind, "name": "orders-db", "uid": "uid-orders-db", "controller": True}]
    created = (OLD + timedelta(hours=hours)).isoformat()
    body: dict[str, Any] = {
        "metadata": {"name": f"orders-db-{number}", "creationTimestamp": created,
                     "ownerReferences": owners},
        "revision": number, "data": {"spec": {"template": template}},
    }  # fmt: skip
    return item("ControllerRevision", f"orders-db-{number}", body)


def facts(*objects: KubernetesObject) -> Snapshot:
    window = Window.last(900, before=NOW)
    return Snapshot(environment="prod", window=window, now=NOW, objects=objects)


REVISIONS = (
    revision(1, "v1", OLD), revision(2, "v2", OLD + timedelta(hours=1)),
    revision(3, "v3", OLD + timedelta(hours=4)),
)  # fmt: skip
SHOP = facts(deployment(), *REVISIONS, stateful())


def asked(verb: Verb, name: str = "checkout", seen: Snapshot = SHOP, **more: str) -> Proposal:
    wanted = Wanted(wish=Wish(verb=verb, name=name, **more), environment="prod", name=name)
    return proposal_of(wanted, ASKER, environment=PROD, snapshot=seen)


def test_the_asker_is_the_requester_and_nothing_is_sure_about_it() -> None:
    found = asked(Verb.RESTART, reason="it leaks")
    assert (found.requester, found.reason, found.title) == ("U1", "it leaks", "Restart checkout")
    assert (found.confidence, found.novel) == (0.0, True)  # so that it never runs by itself
    assert found.call.action == "restart_deployment"
    assert found.call.arguments == {"namespace": "shop", "name": "checkout"}


def test_the_kind_of_the_live_object_chooses_the_action() -> None:
    assert asked(Verb.RESTART, "orders-db").call.action == "restart_statefulset"
    assert asked(Verb.RESTART, "orders").call.arguments["name"] == "orders-db"  # by its service
    daemon = facts(stateful("agent", "DaemonSet"))
    assert asked(Verb.RESTART, "agent", daemon).call.action == "restart_daemonset"
    with pytest.raises(Unbound, match="is a DaemonSet: I can't scale that"):
        asked(Verb.SCALE, "agent", daemon, goal="3")


def test_scaling_takes_a_number_within_reason() -> None:
    found = asked(Verb.SCALE, goal="6")
    assert (found.call.action, found.call.arguments["replicas"]) == ("scale_deployment", 6)
    assert found.title == "Scale checkout from 4 to 6 pods"
    with pytest.raises(Unbound, match=r"To how many pods\? checkout has 4 now"):
        asked(Verb.SCALE)
    with pytest.raises(Unbound, match="has 4 pods already"):
        asked(Verb.SCALE, goal="4")
    for goal in ("0", "21", "99999", "-1", "four", "1e3"):
        with pytest.raises(Unbound):
            asked(Verb.SCALE, goal=goal)


def test_rolling_back_takes_the_revision_before_or_the_named_one() -> None:
    assert asked(Verb.ROLL_BACK).call.arguments["to_revision"] == 2
    assert asked(Verb.ROLL_BACK, goal="v1").call.arguments["to_revision"] == 1
    assert asked(Verb.ROLL_BACK, goal="revision 2").title == "Roll back checkout to v2"
    with pytest.raises(Unbound, match=r"keeps no v9; there are: v1 \(revision 1\)"):
        asked(Verb.ROLL_BACK, goal="v9")
    with pytest.raises(Unbound, match="is at v3 already"):
        asked(Verb.ROLL_BACK, goal="v3")


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_stateful_and_daemon_sets_roll_back_by_their_controller_revisions(kind: str) -> None:
    kept = [controller_revision(n, f"db:v{n}", n, kind) for n in (1, 2, 3)]
    found = asked(Verb.ROLL_BACK, "orders-db", facts(stateful(kind=kind), *kept))
    assert found.call.action == f"rollback_{kind.lower()}"
    assert (found.call.arguments["to_revision"], found.title) == (2, "Roll back orders-db to v2")


def test_a_pod_a_node_and_a_failed_job_are_named_exactly() -> None:
    failed = {"status": {"conditions": [{"type": "Failed", "status": "True"}]}}
    seen = facts(item("Pod", "checkout-1", {}), item("Node", "node-3", {}, ""),
                 item("Job", "nightly", failed), item("Job", "hourly", {}))  # fmt: skip
    found = asked(Verb.RESTART, "checkout-1", seen, kind="pod")
    assert (found.call.action, found.call.arguments["name"]) == ("restart_pod", "checkout-1")
    assert asked(Verb.CORDON, "node-3", seen, kind="node").call.arguments == {"node": "node-3"}
    drained = asked(Verb.DRAIN, "node-3", seen, kind="node")
    assert drained.call.arguments["evict_unmanaged"] is False
    assert asked(Verb.DELETE_JOB, "nightly", seen, kind="job").call.action == "delete_failed_job"
    with pytest.raises(Unbound, match="has not failed"):
        asked(Verb.DELETE_JOB, "hourly", seen, kind="job")
    with pytest.raises(UnknownName, match="Did you mean checkout-1"):
        asked(Verb.RESTART, "checkout-2", seen, kind="pod")


def test_what_is_elsewhere_or_there_twice_is_asked_back() -> None:
    other = item("Deployment", "checkout", deployment().body, "other")
    assert (
        asked(Verb.RESTART, seen=facts(deployment(), other)).call.arguments["namespace"] == "shop"
    )
    twice = facts(deployment("orders-a"), stateful("orders-a"))
    with pytest.raises(Ambiguous, match="`deployment orders-a` in shop or `statefulset orders-a`"):
        asked(Verb.RESTART, "orders-a", twice)
    assert asked(Verb.RESTART, "orders-a", twice, kind="statefulset")
    with pytest.raises(UnknownName, match="Did you mean checkout"):
        asked(Verb.RESTART, "chekout")


def test_an_autoscaler_that_owns_the_replicas_is_told() -> None:
    aim = {"kind": "Deployment", "name": "checkout"}
    scaler = item("HorizontalPodAutoscaler", "hpa",
                  {"spec": {"scaleTargetRef": aim, "maxReplicas": 9}})  # fmt: skip
    found = asked(Verb.SCALE, seen=facts(deployment(), scaler), goal="6")
    assert any("hpa owns the replicas" in words for words in found.warnings)


def test_the_incidents_signal_tells_whether_it_helped() -> None:
    wanted = Wanted(wish=Wish(verb=Verb.ROLL_BACK, name="checkout"), environment="prod",
                    name="checkout")  # fmt: skip
    with_signal = replace(ASKER, signal=SIGNAL, window_s=60.0)
    found = proposal_of(wanted, with_signal, environment=PROD, snapshot=SHOP)
    assert found.verification.signal == SIGNAL
    assert found.verification.window_s == 60.0
    assert asked(Verb.RESTART).verification.signal is None  # then its pods tell


def test_what_gitops_owns_is_asked_for_as_a_pull_request() -> None:
    manifests = {"checkout": {"repository": "shop/deploy", "path": "checkout"}}
    github = {"repositories": {"checkout": "shop/checkout"}, "manifests": manifests}
    place = replace(PROD, connections={"github": github})
    live = deployment()
    metadata = {**live.body["metadata"], "annotations": {"argocd.argoproj.io/tracking-id": "x"}}
    owned = replace(live, body={**live.body, "metadata": metadata})
    wanted = Wanted(wish=Wish(verb=Verb.SCALE, name="checkout", goal="6"), environment="prod",
                    name="checkout")  # fmt: skip
    found = proposal_of(wanted, ASKER, environment=place, snapshot=facts(owned))
    assert found.call.action == "edit_manifest"
    assert found.call.arguments["values"] == {"spec.replicas": 6}
    assert found.verification.rollout_of == "checkout"
    assert "by a pull request" in found.title


def test_what_no_pod_tells_is_read_back() -> None:
    found = asked(Verb.PAUSE)
    assert found.call.action == "pause_rollout"
    assert found.verification.in_place
    assert not asked(Verb.RESUME).verification.in_place


def test_a_deployment_is_run_again_by_its_attempt_and_watched_from_the_rollout_on() -> None:
    found = asked(Verb.RERUN, goal="123456/2", kind="failed jobs")
    assert found.call.action == "rerun_deployment"
    assert found.call.arguments == {
        "service": "checkout", "run": 123456, "attempt": 2, "failed_only": True,
    }  # fmt: skip
    assert (found.verification.rollout_of, found.verification.window_s) == ("checkout", 3600.0)
