"""Pull requests: for a commit to blame, and for what GitOps or Helm owns."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.environment import Environment
from bot.domain.snapshot import ChangeKind, KubernetesObject, Snapshot
from bot.remediation.planner import Plan, propose
from policies.catalog import Criteria, Preparation, Remedy, Runbook, Runbooks
from tests.unit.remediation.cases import (
    ONSET,
    PROD,
    RUNBOOKS,
    change,
    concluded,
    config_change,
    deploy,
    deployment,
    hypothesis,
    item,
    revision,
    snapshot,
)

SHA = "a" * 40
GITHUB = {
    "repositories": {"checkout": "shop/checkout"},
    "manifests": {"checkout": {"repository": "shop/deploy", "path": "checkout"}},
}
DAY = timedelta(days=1)
KEPT = (
    revision(40, "v2.40", ONSET - DAY),
    revision(41, "v2.41", ONSET - timedelta(minutes=2)),
)


def place(github: Any = GITHUB) -> Environment:
    return replace(PROD, connections={"github": github} if github else {})


def plan(facts: Snapshot, cause: Any, environment: Environment | None = None) -> Plan:
    return propose(
        concluded(facts, cause),
        environment=environment or place(),
        runbooks=RUNBOOKS,
        investigation_id="inv-1",
    )


def commit(after: str | None = SHA, **more: Any) -> Any:
    return replace(change(ChangeKind.COMMIT, "commit/aaaaaaa", None, after), **more)


def owned(body: KubernetesObject, key: str = "argocd.argoproj.io/tracking-id") -> KubernetesObject:
    metadata = {**body.body["metadata"], "annotations": {key: "x"}}
    return replace(body, body={**body.body, "metadata": metadata})


def only(found: Plan) -> Any:
    assert len(found.proposals) == 1, found.reasons
    return found.proposals[0]


def test_a_commit_without_a_revision_to_go_back_to_is_reverted() -> None:
    found = only(plan(snapshot(deployment()), hypothesis("slow_query", change=commit())))
    assert found.call.action == "revert_commit"
    assert found.call.arguments == {"service": "checkout", "commit": SHA, "withdraw": False}
    assert "a person merges" in found.reason.lower()


def test_where_a_rollback_can_be_bound_it_comes_first() -> None:
    found = only(plan(snapshot(deployment(), *KEPT), hypothesis("slow_query", change=deploy())))
    assert found.call.action == "rollback_deployment"


def test_the_only_commit_of_a_deploy_is_the_one_to_revert() -> None:
    one = replace(deploy(), commits=(SHA,))
    found = only(plan(snapshot(deployment()), hypothesis("slow_query", change=one)))
    assert found.call.arguments["commit"] == SHA


@pytest.mark.parametrize(
    ("blamed", "github", "said"),
    [
        (commit(), {}, "in which repository checkout is, no setting says"),
        (commit(), {"repositories": []}, "no setting says"),
        (commit(), {"repositories": {"cart": "shop/cart"}}, "no setting says"),
        (commit("v2.41"), GITHUB, "which one commit to revert is not known"),
        (commit(None), GITHUB, "which one commit to revert is not known"),
        (commit(revertible=False), GITHUB, "cannot be taken back"),
        (replace(deploy(), commits=(SHA, "b" * 40)), GITHUB, "which one commit"),
    ],
)
def test_without_one_known_commit_there_is_a_reason(blamed: Any, github: Any, said: str) -> None:
    found = plan(snapshot(deployment()), hypothesis("slow_query", change=blamed), place(github))
    assert found.proposals == ()
    assert any(said in reason for reason in found.reasons)


# What GitOps or Helm owns


@pytest.mark.parametrize(
    ("key", "owner"),
    [
        ("argocd.argoproj.io/tracking-id", "Argo CD"),
        ("kustomize.toolkit.fluxcd.io/name", "Flux"),
        ("meta.helm.sh/release-name", "Helm"),
    ],
)
def test_a_rollback_of_what_is_owned_becomes_a_pull_request(key: str, owner: str) -> None:
    facts = snapshot(owned(deployment(), key), *KEPT)
    found = only(plan(facts, hypothesis("slow_query", change=deploy())))
    assert found.call.action == "edit_manifest"
    assert found.call.arguments == {
        "service": "checkout",
        "kind": "Deployment",
        "name": "checkout",
        "values": {"spec.template.spec.containers[app].image": "shop/checkout:v2.40"},
        "withdraw": False,
    }
    assert f"by a pull request ({owner} owns deployment/checkout)" in found.title
    assert not any("will put it back" in warning for warning in found.warnings)


def test_it_is_verified_from_the_rollout_that_follows_and_waits_for_people() -> None:
    found = only(plan(snapshot(owned(deployment()), *KEPT),
                      hypothesis("slow_query", change=deploy())))  # fmt: skip
    assert found.verification.rollout_of == "checkout"
    assert found.verification.window_s >= 3600
    plain = only(plan(snapshot(deployment(), *KEPT), hypothesis("slow_query", change=deploy())))
    assert plain.verification.rollout_of == ""


def test_without_a_place_for_its_manifest_the_command_is_shown_with_a_warning() -> None:
    cause = hypothesis("slow_query", change=deploy())
    found = only(plan(snapshot(owned(deployment()), *KEPT), cause, place(None)))
    assert found.call.action == "rollback_deployment"
    assert any("Argo CD owns the manifest" in warning for warning in found.warnings)


def test_more_than_images_is_reverted_where_the_commit_is_known() -> None:
    body = KEPT[0].body
    template = body["spec"]["template"]
    other = {**template, "spec": {**template["spec"], "hostNetwork": True}}
    changed = replace(KEPT[0], body={**body, "spec": {"template": other}})
    facts = snapshot(owned(deployment()), changed, KEPT[1])
    blamed = replace(deploy(), commits=(SHA,))
    found = only(plan(facts, hypothesis("slow_query", change=blamed)))
    assert found.call.action == "revert_commit"
    none = plan(facts, hypothesis("slow_query", change=deploy()))
    assert any("more than images of checkout changed" in reason for reason in none.reasons)


def test_settings_that_are_owned_are_set_back_by_a_pull_request() -> None:
    config = item("ConfigMap", "checkout-config", {"metadata": {}, "data": {"POOL": "2"}})
    facts = snapshot(deployment(config="checkout-config"), owned(config))
    blamed = config_change({"POOL": "20"})
    cause = hypothesis("bad_config_change", "configmap/checkout-config", change=blamed)
    found = only(plan(facts, cause))
    assert found.call.action == "edit_manifest"
    assert found.call.arguments["values"] == {"data[POOL]": "20"}
    assert found.call.arguments["kind"] == "ConfigMap"


def test_a_restart_is_no_change_of_the_manifest() -> None:
    found = only(plan(snapshot(owned(deployment())), hypothesis("memory_leak")))
    assert found.call.action == "restart_deployment"


def test_settings_that_are_wrong_turn_nothing_into_a_pull_request() -> None:
    cause = hypothesis("slow_query", change=deploy())
    broken = place({"manifests": {"checkout": {"repository": "nonsense"}}})
    found = only(plan(snapshot(owned(deployment()), *KEPT), cause, broken))
    assert found.call.action == "rollback_deployment"


def test_what_prepares_a_change_in_place_is_not_for_a_pull_request() -> None:
    first = Preparation(action="restart_deployment", reason="first")
    remedy = Remedy(action="rollback_deployment", reason="then", first=(first,))
    book = Runbook(
        name="x", symptom="x", causes=("slow_query",), verification=Criteria(window_s=60),
        lasting_fix="x", brittle="x", actions=(remedy,),
    )  # fmt: skip
    books = Runbooks(by_cause={"slow_query": book})
    cause = hypothesis("slow_query", change=deploy())

    def planned(item: KubernetesObject) -> Any:
        facts = concluded(snapshot(item, *KEPT), cause)
        return only(propose(facts, environment=place(), runbooks=books, investigation_id="i"))

    assert planned(owned(deployment())).preparations == ()
    assert len(planned(deployment()).preparations) == 1
