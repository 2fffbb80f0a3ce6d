"""What is misdeclared is repaired with what the cluster says, or left alone with a reason."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.snapshot import KubernetesObject
from bot.remediation.planner import Plan
from tests.unit.remediation.cases import (
    ONSET,
    deployment,
    hypothesis,
    item,
    plan,
    revision,
    series,
    snapshot,
)

DAY = timedelta(days=1)
KEPT = (revision(40, "v2.40", ONSET - DAY), revision(41, "v2.41", ONSET - timedelta(minutes=2)))


def workload(*containers: dict[str, Any], kind: str = "Deployment") -> KubernetesObject:
    plain = deployment()
    template = {
        "metadata": {"labels": {"app": "checkout", "version": "v2"}},
        "spec": {"containers": list(containers)},
    }
    body = {
        "metadata": plain.body["metadata"],
        "spec": {
            "replicas": 4,
            "selector": {"matchLabels": {"app": "checkout"}},
            "template": template,
        },
        "status": {"replicas": 1},
    }
    return item(kind, "checkout", body)


def service(selector: Any, target: Any = 8080, name: str = "front") -> KubernetesObject:
    ports = [{"port": 80, "targetPort": target, "protocol": "TCP"}]
    return item("Service", name, {"spec": {"selector": selector, "ports": ports}})


WEB = {"name": "app", "ports": [{"name": "http", "containerPort": 8080}]}
MISMATCH = hypothesis("service_selector_mismatch", explains=("front",))
PORT = hypothesis("service_port_mapping_mismatch", explains=("front",))


def call(found: Plan) -> tuple[str, dict[str, Any]]:
    assert len(found.proposals) == 1, found.reasons
    return found.proposals[0].call.action, dict(found.proposals[0].call.arguments)


def test_a_service_that_selects_nothing_gets_the_selector_of_its_workload() -> None:
    found = plan(snapshot(workload(WEB), service({"app": "chekout"})), MISMATCH)
    assert call(found) == (
        "fix_service",
        {
            "namespace": "shop",
            "name": "front",
            "kind": "Deployment",
            "workload": "checkout",
            "part": "selector",
        },
    )
    assert found.proposals[0].title == "Let service front select the pods of checkout"


def test_a_service_that_maps_to_no_port_gets_that_of_the_container() -> None:
    found = plan(snapshot(workload(WEB), service({"app": "checkout"}, 9999)), PORT)
    assert call(found)[1]["part"] == "target_port"
    assert found.proposals[0].title == "Let service front reach port 8080 of checkout"


@pytest.mark.parametrize(
    ("facts", "cause", "said"),
    [
        ((workload(WEB), service({"app": "checkout"})), MISMATCH, "no service with another"),
        ((workload(WEB), service({"app": "checkout"})), PORT, "no service with another target"),
        ((workload(WEB),), MISMATCH, "no service with another selector"),
        ((service({"app": "x"}),), MISMATCH, "was not seen"),
        ((workload({"name": "app"}), service({"app": "checkout"}, 9)), PORT, "declare no TCP port"),
        (
            (
                workload({**WEB, "ports": [{"containerPort": 1}, {"containerPort": 2}]}),
                service({"app": "checkout"}, 9),
            ),
            PORT,
            "several ports (1, 2)",
        ),
    ],
)
def test_a_service_is_left_alone_with_a_reason(facts: Any, cause: Any, said: str) -> None:
    found = plan(snapshot(*facts), cause)
    assert not found.proposals
    assert said in found.reasons[0]


def quota(hard: dict[str, str], used: dict[str, str], namespace: str = "shop") -> KubernetesObject:
    body = {"spec": {"hard": hard}, "status": {"hard": hard, "used": used}}
    return item("ResourceQuota", "bound", body, namespace=namespace)


def refusal(
    requested: str, used: str, limited: str, name: str = "bound", reason: str = "FailedCreate"
) -> KubernetesObject:
    said = (
        f'pods "x" is forbidden: exceeded quota: {name}, requested: {requested}, '
        f"used: {used}, limited: {limited}"
    )
    about = {"kind": "Deployment", "name": "checkout"}
    return item("Event", "e1", {"message": said, "reason": reason, "involvedObject": about})


FULL = hypothesis("namespace_cpu_quota_exceeded", "namespace/shop")


def test_a_quota_is_raised_to_what_the_missing_pods_ask_for() -> None:
    facts = snapshot(
        workload(WEB),
        quota({"requests.cpu": "2", "pods": "50"}, {"requests.cpu": "2"}),
        refusal("requests.cpu=1", "requests.cpu=2", "requests.cpu=2"),
    )
    found = plan(facts, FULL)
    assert call(found) == (
        "raise_quota",
        {"namespace": "shop", "name": "bound", "hard": {"requests.cpu": "5"}},
    )
    assert found.proposals[0].short_term
    assert found.proposals[0].lasting_fix


def test_what_a_pod_says_in_a_probes_event_is_no_refusal() -> None:
    """The event of a failing probe quotes the container, which may say what it likes."""
    full = (workload(WEB), quota({"requests.cpu": "2", "pods": "50"}, {"requests.cpu": "2"}))
    facts = snapshot(
        *full,
        refusal("requests.cpu=5", "requests.cpu=2", "requests.cpu=2", reason="Unhealthy"),
        refusal("pods=90", "pods=50", "pods=50", reason="BackOff"),
    )
    assert call(plan(facts, FULL)) == call(plan(snapshot(*full), FULL))
    assert call(plan(facts, FULL))[1]["hard"] == {"requests.cpu": "3"}


def test_a_full_quota_without_words_gets_a_quarter_more() -> None:
    facts = snapshot(
        quota({"requests.cpu": "800m", "pods": "5"}, {"requests.cpu": "800m", "pods": "5"})
    )
    assert call(plan(facts, FULL))[1]["hard"] == {"requests.cpu": "1000m"}


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ((), "no quota of shop was seen"),
        ((quota({"pods": "5"}, {"pods": "2"}),), "was not seen"),
        (
            (
                quota({"cpu": "1"}, {"cpu": "1"}),
                refusal("cpu=50", "cpu=1", "cpu=1"),
            ),
            "more than 4 times its 1",
        ),
        ((quota({"cpu": "1"}, {"cpu": "1"}, namespace="kube-system"),), "no quota of shop"),
    ],
)
def test_a_quota_is_left_alone_with_a_reason(facts: Any, said: str) -> None:
    found = plan(snapshot(*facts), FULL)
    assert not found.proposals
    assert said in found.reasons[0]


def test_the_quota_of_another_namespace_is_never_touched() -> None:
    outside = quota({"cpu": "1"}, {"cpu": "1"}, namespace="kube-system")
    cause = hypothesis("namespace_cpu_quota_exceeded", "namespace/kube-system")
    assert not plan(snapshot(outside), cause).proposals


def image(text: str) -> KubernetesObject:
    return workload({"name": "app", "image": text})


def test_an_image_that_is_not_there_goes_back_to_the_one_before() -> None:
    found = plan(snapshot(image("shop/checkout:v2.41"), *KEPT), BAD_IMAGE)
    assert call(found) == (
        "set_image",
        {
            "namespace": "shop",
            "name": "checkout",
            "kind": "Deployment",
            "container": "app",
            "image": "shop/checkout:v2.40",
        },
    )


BAD_IMAGE = hypothesis("incorrect_image_reference")


def test_without_an_earlier_image_there_is_a_reason() -> None:
    found = plan(snapshot(image("shop/checkout:v2.41"), KEPT[1]), BAD_IMAGE)
    assert not found.proposals
    assert "no earlier revision" in found.reasons[0]


def limited(memory: str, name: str = "app") -> dict[str, Any]:
    return {"name": name, "resources": {"limits": {"memory": memory}}}


def killed(container: str = "app") -> KubernetesObject:
    state = {"terminated": {"reason": "OOMKilled"}}
    statuses = [{"name": container, "lastState": state}]
    return item("Pod", "checkout-a", {"status": {"containerStatuses": statuses}})


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_a_container_that_is_killed_for_memory_gets_twice_as_much_for_a_while(kind: str) -> None:
    cause = hypothesis("oom_killed", f"{kind.lower()}/checkout")
    facts = snapshot(workload(limited("64Mi"), limited("1Gi", "side"), kind=kind), killed())
    found = plan(facts, cause)
    assert call(found) == (
        "set_resources",
        {
            "namespace": "shop",
            "name": "checkout",
            "kind": kind,
            "container": "app",
            "requests": {},
            "limits": {"memory": "128Mi"},
        },
    )
    assert found.proposals[0].short_term
    assert "at its peak" in found.proposals[0].lasting_fix


@pytest.mark.parametrize(
    ("containers", "said"),
    [
        ([{"name": "app"}], "has no limit"),
        ([limited("1Gi", "a"), limited("2Gi", "b")], "is unclear"),
        ([limited("lots")], "cannot be read"),
    ],
)
def test_a_limit_is_left_alone_with_a_reason(containers: Any, said: str) -> None:
    found = plan(snapshot(workload(*containers)), hypothesis("oom_killed"))
    assert not found.proposals
    assert said in found.reasons[0]


def scaler(most: Any, target: str = "checkout") -> KubernetesObject:
    aim = {"kind": "Deployment", "name": target}
    spec = {"scaleTargetRef": aim, "minReplicas": 2, "maxReplicas": most}
    return item("HorizontalPodAutoscaler", "hpa", {"spec": spec})


LOAD = series("cpu_of_limit", [0.9] * 10)
SURGE = hypothesis("traffic_surge")


def test_an_autoscaler_at_its_most_gets_a_higher_one_and_the_replicas_are_left_to_it() -> None:
    found = plan(snapshot(deployment(replicas=4), scaler(4), LOAD), SURGE)
    assert call(found) == (
        "scale_autoscaler",
        {"namespace": "shop", "name": "hpa", "min_replicas": 2, "max_replicas": 6},
    )


@pytest.mark.parametrize(("most", "said"), [(9, "room up to 9"), (None, "bounds"), ("4", "bounds")])
def test_an_autoscaler_with_room_is_left_to_its_work(most: Any, said: str) -> None:
    found = plan(snapshot(deployment(replicas=4), scaler(most), LOAD), SURGE)
    assert not found.proposals
    assert found.reasons[0] == "the autoscaler hpa owns the replicas of checkout"
    assert said in found.reasons[1]


def test_the_autoscaler_of_another_workload_does_not_matter() -> None:
    facts = snapshot(deployment(replicas=4), scaler(4, "cart"), LOAD)
    assert call(plan(facts, SURGE))[0] == "scale_deployment"


def test_a_stateful_set_is_scaled_back_to_as_many_members_as_there_were() -> None:
    none = item("StatefulSet", "checkout", {"spec": {"replicas": 0}})
    before = series("desired_pods", [3.0, 3.0, 0.0])
    cause = hypothesis("statefulset_zero_replicas", "statefulset/checkout")
    found = plan(snapshot(none, before), cause)
    assert call(found) == (
        "scale_statefulset", {"namespace": "shop", "name": "checkout", "replicas": 3}
    )  # fmt: skip
    assert "was not seen" in plan(snapshot(none), cause).reasons[0]
    assert "was not seen" in plan(snapshot(before), cause).reasons[0]


def test_a_stateful_set_that_leaks_is_restarted_for_a_while() -> None:
    cause = hypothesis("memory_leak", "statefulset/checkout")
    leaks = item("StatefulSet", "checkout", {"spec": {"replicas": 1}})
    found = plan(snapshot(leaks), cause)
    assert call(found)[0] == "restart_statefulset"
    assert found.proposals[0].short_term
    assert any("keeps state" in w for w in found.proposals[0].warnings)


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.floats(),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["spec", "template", "containers", "ports", "port", "targetPort", "containerPort",
             "selector", "matchLabels", "labels", "metadata", "hard", "used", "resources",
             "limits", "memory", "name", "message"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=14,
)  # fmt: skip
KINDS = ("Deployment", "Service", "ResourceQuota", "HorizontalPodAutoscaler", "Pod", "Event")


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.sampled_from(["metadata", "spec", "status"]), junk))
def test_damaged_objects_never_make_it_raise(body: Any) -> None:
    damaged = [item(kind, "checkout", body) for kind in KINDS]
    for cause in (MISMATCH, PORT, FULL, BAD_IMAGE, SURGE, hypothesis("oom_killed")):
        plan(snapshot(*damaged), cause)
