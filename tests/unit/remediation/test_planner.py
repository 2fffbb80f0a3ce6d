"""From a diagnosis to a concrete action: bound from evidence, or a reason why not."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.diagnosis import HEALTHY, Hypothesis, Status
from bot.domain.snapshot import ChangeKind, KubernetesObject, Objective, PastIncident, Snapshot
from bot.remediation.binding import BINDERS
from bot.remediation.planner import Plan, Tried, propose
from policies.catalog import Preparation, Runbook, Runbooks
from tests.unit.remediation.cases import (
    NOW,
    ONSET,
    PROD,
    RUNBOOKS,
    SOURCE,
    change,
    concluded,
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

DAY = timedelta(days=1)


def planned(books: Runbooks, facts: Snapshot, cause: Hypothesis) -> Plan:
    return propose(
        concluded(facts, cause), environment=PROD, runbooks=books, investigation_id="inv-1"
    )


OLD, NEW = ONSET - DAY, ONSET - timedelta(minutes=2)
KEPT = (revision(39, "v2.39", OLD - DAY), revision(40, "v2.40", OLD), revision(41, "v2.41", NEW))
SLOW = hypothesis("slow_query", change=deploy())


def arguments(found: Plan) -> dict[str, Any]:
    assert len(found.proposals) == 1, found.reasons
    return dict(found.proposals[0].call.arguments)


def test_a_bad_rollout_is_rolled_back_to_the_revision_before() -> None:
    found = plan(snapshot(deployment(), *KEPT), SLOW)
    assert arguments(found) == {"namespace": "shop", "name": "checkout", "to_revision": 40}
    proposal = found.proposals[0]
    assert (proposal.id, proposal.title) == ("inv-1-p1", "Roll back checkout to v2.40")
    assert proposal.call.action == "rollback_deployment"
    assert proposal.confidence == 0.91
    assert proposal.requester == "sre-bot"


def test_an_innocent_rollout_after_the_culprit_does_not_mislead_it() -> None:
    later = revision(42, "v2.42", ONSET + timedelta(seconds=30))
    found = plan(snapshot(deployment(), *KEPT, later), SLOW)
    assert arguments(found)["to_revision"] == 40


def test_the_change_names_the_version_to_go_back_to() -> None:
    found = plan(snapshot(deployment(), *KEPT), hypothesis("slow_query", change=deploy("2.39")))
    assert arguments(found)["to_revision"] == 39


def test_a_revision_that_never_stood_is_skipped() -> None:
    broken = revision(40, "v2.40", NEW - timedelta(minutes=1))
    objects = (deployment(), KEPT[0], broken, KEPT[2])
    found = plan(snapshot(*objects), hypothesis("slow_query", change=deploy(None)))
    assert arguments(found)["to_revision"] == 39


def test_a_deploy_right_before_the_onset_is_the_change_when_the_cause_names_none() -> None:
    found = plan(snapshot(deployment(), *KEPT, deploy()), hypothesis("crash_loop"))
    assert arguments(found)["to_revision"] == 40


@pytest.mark.parametrize(
    ("objects", "said"),
    [
        ((deployment(), KEPT[2]), "no earlier revision of checkout is kept"),
        ((deployment(),), "no revision of checkout was seen"),
        (KEPT, "the deployment of checkout was not seen"),
        ((deployment(), revision("x", "v1", OLD), KEPT[2]), "no earlier revision"),
        ((deployment(), revision(40, "v2.41", OLD, image="shop/checkout:v2.41"), KEPT[2]),
         "no earlier revision"),
        ((deployment(), *KEPT, revision(42, "v2.40", OLD)), "again already"),
    ],
)  # fmt: skip
def test_without_a_revision_to_go_back_to_there_is_a_reason(objects: Any, said: str) -> None:
    found = plan(snapshot(*objects), SLOW)
    assert found.proposals == ()
    assert said in found.reasons[0]


def test_a_release_that_broke_something_in_a_new_way_is_rolled_back_all_the_same() -> None:
    cause = hypothesis("never_heard_of", change=deploy())
    assert arguments(plan(snapshot(deployment(), *KEPT), cause))["to_revision"] == 40


def test_without_a_change_nothing_is_rolled_back() -> None:
    found = plan(snapshot(deployment(), *KEPT), hypothesis("bad_release"))
    assert found.proposals == ()
    assert found.reasons


def test_a_leak_without_a_deploy_is_restarted_with_the_trade_off_said() -> None:
    found = plan(snapshot(deployment()), hypothesis("memory_leak"))
    assert found.proposals[0].call.action == "restart_deployment"
    assert "for a while" in found.proposals[0].trade_off


def test_a_config_change_is_reverted_and_its_reader_restarted() -> None:
    facts = snapshot(deployment("other"), deployment(config="checkout-config"))
    cause = hypothesis(
        "connection_pool_exhausted",
        "configmap/checkout-config",
        change=config_change({"POOL": "20", "TTL": 5}),
    )
    assert arguments(plan(facts, cause)) == {
        "namespace": "shop",
        "name": "checkout-config",
        "data": {"POOL": "20", "TTL": "5"},
        "restart": "checkout",
    }


@pytest.mark.parametrize("before", [None, {}])
def test_a_config_change_without_its_values_before_is_not_reverted(before: Any) -> None:
    facts = snapshot(deployment(config="checkout-config"))
    found = plan(facts, hypothesis("bad_config_change", change=config_change(before)))
    assert "before are not known" in found.reasons[0]


def test_a_flag_goes_back_to_what_it_was() -> None:
    flag = change(ChangeKind.FLAG, "flag/new-ranking", "off", "on")
    found = plan(snapshot(), hypothesis("bad_feature_flag", "flag/new-ranking", change=flag))
    assert arguments(found) == {"flag": "new-ranking", "variant": "off"}


def test_a_flag_whose_past_is_unknown_is_left_alone() -> None:
    flag = change(ChangeKind.FLAG, "flag/new-ranking", None, "on")
    found = plan(snapshot(), hypothesis("bad_feature_flag", "flag/new-ranking", change=flag))
    assert "is not known" in found.reasons[0]


def test_a_provider_is_routed_around_where_a_fallback_is_configured() -> None:
    cause = "external_provider_failure"
    found = plan(snapshot(), hypothesis(cause, "external/payment-provider"))
    assert arguments(found) == {"flag": "queue-charges", "variant": "on"}
    none = plan(snapshot(), hypothesis(cause, "external/mail"))
    assert none.reasons == ("no fallback flag is configured for mail",)


@pytest.mark.parametrize(
    ("replicas", "full", "rate", "wanted"),
    [
        (4, 0.9, [100.0] * 10, 6),
        (4, 0.3, [100.0] * 5 + [300.0] * 5, 14),
        (4, 1.0, [100.0] * 5 + [9000.0] * 5, 16),  # capped at four times
        (12, 1.0, [100.0] * 5 + [900.0] * 5, 20),  # and at twenty
    ],
)
def test_a_surge_is_met_by_saturation_and_growth_with_a_cap(
    replicas: int, full: float, rate: list[float], wanted: int
) -> None:
    facts = snapshot(
        deployment(replicas=replicas),
        series("cpu_of_limit", [full] * 10),
        series("request_rate", rate),
    )
    assert arguments(plan(facts, hypothesis("traffic_surge")))["replicas"] == wanted


def test_without_signs_of_saturation_nothing_is_scaled() -> None:
    found = plan(snapshot(deployment()), hypothesis("traffic_surge"))
    assert "neither saturation nor growing traffic" in found.reasons[0]


@pytest.mark.parametrize(
    ("now", "rate", "then"), [(6, 50.0, 3), (3, 50.0, 1), (1, 0.3, 0), (4, 0.0, 0)]
)
def test_a_noisy_neighbour_is_halved_or_stopped_if_nobody_waits_for_it(
    now: int, rate: float, then: int
) -> None:
    load = series("request_rate", [rate] * 4, service="batch")
    busiest = series("request_rate", [100.0] * 4)
    facts = snapshot(deployment("batch", replicas=now), load, busiest)
    cause = hypothesis("noisy_neighbour", "deployment/batch", service="batch")
    assert arguments(plan(facts, cause))["replicas"] == then


def test_the_only_pod_of_a_service_that_people_wait_for_stays() -> None:
    load = series("request_rate", [50.0] * 4, service="batch")
    cause = hypothesis("noisy_neighbour", "deployment/batch", service="batch")
    found = plan(snapshot(deployment("batch", replicas=1), load), cause)
    assert "its only pod" in found.reasons[0]


def test_what_was_scaled_to_none_is_scaled_back() -> None:
    before = series("desired_pods", [3.0, 3.0, 0.0, 0.0])
    found = plan(snapshot(deployment(replicas=0), before), hypothesis("deployment_zero_replicas"))
    assert arguments(found)["replicas"] == 3


def test_one_bad_pod_is_replaced() -> None:
    pod = item("Pod", "checkout-a", {"metadata": {}})
    found = plan(snapshot(pod), hypothesis("grey_failure", "pod/checkout-a"))
    assert arguments(found) == {"namespace": "shop", "name": "checkout-a"}
    assert "was not seen" in plan(snapshot(), hypothesis("grey_failure", "pod/x")).reasons[0]


def test_a_renewed_certificate_is_read_by_a_restart() -> None:
    found = plan(snapshot(deployment()), hypothesis("certificate_expired", "certificate/checkout"))
    assert found.proposals[0].call.action == "restart_deployment"


def test_objects_outside_the_watched_namespaces_are_never_touched() -> None:
    other = replace(deployment(), namespace="kube-system")
    assert plan(snapshot(other), hypothesis("memory_leak")).proposals == ()


@pytest.mark.parametrize("status", [Status.HEALTHY, Status.UNKNOWN])
def test_only_root_causes_get_actions(status: Status) -> None:
    assert plan(snapshot(deployment(), *KEPT), SLOW, status=status) == Plan()


def test_what_no_runbook_knows_gets_a_reason() -> None:
    assert plan(snapshot(), hypothesis("gremlins")).reasons == ("no runbook knows gremlins",)
    assert plan(snapshot(), hypothesis(HEALTHY)).proposals == ()
    node = plan(snapshot(), hypothesis("node_not_ready"))
    assert "nothing to run" in node.reasons[0]


def test_nothing_is_proposed_without_evidence() -> None:
    found = plan(snapshot(deployment(), *KEPT), replace(SLOW, evidence=()))
    assert found.reasons == ("there is no evidence for slow_query",)


def test_two_causes_get_two_proposals_and_the_same_call_is_made_once() -> None:
    flag = change(ChangeKind.FLAG, "flag/new-ranking", "off", "on")
    second = hypothesis("bad_feature_flag", "flag/new-ranking", change=flag)
    found = plan(snapshot(deployment(), *KEPT), SLOW, second, SLOW)
    assert [p.id for p in found.proposals] == ["inv-1-p1", "inv-1-p2"]


def test_what_was_declined_is_not_proposed_again_but_the_next_remedy_is() -> None:
    leak = hypothesis("memory_leak", change=deploy())
    facts = snapshot(deployment(), *KEPT)
    first = plan(facts, leak).proposals[0]
    tried = Tried(digests=frozenset({first.call.digest}), proposals=1)
    second = plan(facts, leak, tried=tried)
    assert second.proposals[0].call.action == "restart_deployment"
    assert second.proposals[0].id == "inv-1-p2"
    assert "tried or declined" in second.reasons[0]


@pytest.mark.parametrize(
    ("confirmed", "cause", "service", "novel"),
    [
        (True, "slow_query", "checkout", False),
        (False, "slow_query", "checkout", True),
        (True, "memory_leak", "checkout", True),
        (True, "slow_query", "cart", True),
    ],
)
def test_novel_is_what_was_never_confirmed_here(
    confirmed: bool, cause: str, service: str, novel: bool
) -> None:
    past = PastIncident(
        id="i",
        cause=cause,
        object="o",
        service=service,
        at=NOW,
        confirmed=confirmed,
        summary="",
    )
    found = plan(snapshot(deployment(), *KEPT, past=(past,)), SLOW)
    assert found.proposals[0].novel is novel


def test_the_verification_uses_the_signal_and_the_objective_between_good_and_bad() -> None:
    facts = snapshot(deployment(), *KEPT)
    bare = plan(facts, SLOW).proposals[0].verification
    assert bare.signal is not None
    assert bare.threshold == pytest.approx(0.59)
    objective = Objective(
        service="checkout",
        signal="latency_p99",
        threshold=0.5,
        target_ratio=0.999,
        burn_rate=None,
        source=SOURCE,
    )
    aimed = plan(replace(facts, objectives=(objective,)), SLOW).proposals[0].verification
    assert aimed.threshold == 0.5
    loose = replace(facts, objectives=(replace(objective, threshold=9.0),))
    assert plan(loose, SLOW).proposals[0].verification.threshold == pytest.approx(0.59)


def test_every_action_of_the_runbooks_can_be_bound() -> None:
    assert RUNBOOKS.actions <= set(BINDERS)


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["metadata", "spec", "template", "labels", "annotations", "ownerReferences",
             "replicas", "containers", "deployment.kubernetes.io/revision", "creationTimestamp"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["metadata", "spec"]), junk), junk, junk)
def test_damaged_objects_never_make_it_raise(body: Any, before: Any, replicas: Any) -> None:
    broken = item("Deployment", "checkout", body)
    damaged = (broken, item("ReplicaSet", "r", body), deployment(replicas=replicas))
    text = before if isinstance(before, str) else None
    one_of_each = {book.name: cause for cause, book in RUNBOOKS.by_cause.items()}
    for cause in one_of_each.values():
        for kind in (ChangeKind.DEPLOY, ChangeKind.CONFIG, ChangeKind.FLAG, ChangeKind.SCALE):
            blamed = change(kind, f"{kind}/x", text, "b")
            plan(snapshot(*damaged), hypothesis(cause, change=blamed))


def test_an_empty_snapshot_gives_reasons_for_every_cause() -> None:
    empty: Snapshot = snapshot()
    for cause in RUNBOOKS.by_cause:
        found = plan(empty, hypothesis(cause))
        assert not found.proposals
        assert found.reasons


def _with_first(book: Runbook) -> Runbooks:
    """Slow queries: first the pod is replaced, then the release goes back."""
    first = Preparation(action="restart_pod", reason="It holds the locks.")
    remedy = replace(book.actions[0], first=(first,))
    return Runbooks(by_cause={"slow_query": replace(book, actions=(remedy,))})


def test_what_must_be_done_first_is_bound_and_verified_by_itself() -> None:
    books = _with_first(RUNBOOKS.by_cause["slow_query"])
    pod = item("Pod", "checkout-1", {"metadata": {"name": "checkout-1"}})
    cause = replace(SLOW, object="pod/checkout-1")
    found = planned(books, snapshot(deployment(), *KEPT, pod), cause)
    (whole,) = found.proposals
    (first,) = whole.preparations
    assert (whole.id, first.id) == ("inv-1-p1", "inv-1-p1-s1")
    assert (whole.call.action, first.call.action) == ("rollback_deployment", "restart_pod")
    assert first.reason == "It holds the locks."
    assert first.verification.signal is None


def test_a_plan_whose_first_step_cannot_be_bound_is_not_offered() -> None:
    books = _with_first(RUNBOOKS.by_cause["slow_query"])
    found = planned(books, snapshot(deployment(), *KEPT), SLOW)
    assert found.proposals == ()
    assert any("pod" in reason for reason in found.reasons)


def quota(**hard_used: tuple[str, str]) -> KubernetesObject:
    hard = {name.replace("_", "."): pair[0] for name, pair in hard_used.items()}
    used = {name.replace("_", "."): pair[1] for name, pair in hard_used.items()}
    return item("ResourceQuota", "team", {"spec": {"hard": hard}, "status": {"used": used}})


def surge(*quotas: KubernetesObject) -> Plan:
    load = series("cpu_of_limit", [1.0] * 10)
    rate = series("request_rate", [100.0] * 5 + [180.0] * 5)
    return plan(snapshot(deployment(), load, rate, *quotas), hypothesis("traffic_surge"))


def test_where_a_quota_stands_in_the_way_it_is_raised_first() -> None:
    (proposal,) = surge(quota(pods=("10", "9"))).proposals
    assert (proposal.call.action, proposal.call.arguments["replicas"]) == ("scale_deployment", 9)
    (first,) = proposal.preparations
    assert first.call.action == "raise_quota"
    assert first.call.arguments == {"namespace": "shop", "name": "team", "hard": {"pods": "14"}}
    assert first.id == f"{proposal.id}-s1"
    assert "no room" in first.reason


@pytest.mark.parametrize(
    "quotas",
    [(), (quota(pods=("40", "9")),), (quota(services=("4", "4")),), (quota(pods=("x", "y")),),
     (quota(pods=("3", "9")),)],
)  # fmt: skip
def test_where_none_does_or_it_cannot_be_read_it_is_scaled_alone(
    quotas: tuple[KubernetesObject, ...],
) -> None:
    (proposal,) = surge(*quotas).proposals
    assert proposal.call.action == "scale_deployment"
    assert proposal.preparations == ()


def test_a_rollout_under_way_that_cannot_go_back_is_paused() -> None:
    rolling = deployment()
    rolling.body["status"] = {"replicas": 5, "updatedReplicas": 2}  # type: ignore[index]
    cause = hypothesis("bad_release", change=deploy())
    (proposal,) = plan(snapshot(rolling), cause).proposals
    assert (proposal.call.action, proposal.short_term) == ("pause_rollout", True)
    over = deployment()
    over.body["status"] = {"replicas": 4, "updatedReplicas": 4}  # type: ignore[index]
    found = plan(snapshot(over), cause)
    assert found.proposals == ()
    assert "no rollout of checkout is under way" in found.reasons


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_what_is_no_deployment_goes_back_by_its_controller_revisions(kind: str) -> None:
    where = f"{kind.lower()}/orders-db"
    body = {"metadata": {"name": "orders-db", "uid": "u1"}, "spec": {"replicas": 3}}
    kept = [
        item("ControllerRevision", f"orders-db-{n}", {
            "revision": n,
            "metadata": {
                "creationTimestamp": (ONSET - timedelta(hours=4 - n)).isoformat(),
                "ownerReferences": [{"kind": kind, "name": "orders-db", "uid": "u1"}],
            },
            "data": {"spec": {"template": {"spec": {"containers": [
                {"name": "db", "image": f"shop/db:v{n}"}]}}}},
        })
        for n in (1, 2, 3)
    ]  # fmt: skip
    brought = change(ChangeKind.DEPLOY, where, "v2", "v3", service="orders-db")
    cause = hypothesis("bad_release", where, service="orders-db", change=brought)
    (proposal,) = plan(snapshot(item(kind, "orders-db", body), *kept), cause).proposals
    assert proposal.call.action == f"rollback_{kind.lower()}"
    assert proposal.call.arguments["to_revision"] == 2


def test_a_deleted_job_is_verified_by_reading_it_back() -> None:
    body = {"status": {"conditions": [{"type": "Failed", "status": "True"}]}}
    cause = hypothesis("job_failed", "job/nightly", service="nightly", signal=None)
    (proposal,) = plan(snapshot(item("Job", "nightly", body)), cause).proposals
    assert proposal.call.action == "delete_failed_job"
    assert proposal.verification.in_place
