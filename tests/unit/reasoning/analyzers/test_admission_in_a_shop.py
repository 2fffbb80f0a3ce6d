"""Pods that the API server refuses, in a whole shop: by events, conditions, or what is missing."""

from typing import Any

import pytest

from bot.domain.snapshot import KubernetesObject
from tests.fakes.cluster import container, event, item, service
from tests.unit.reasoning.analyzers.shop import (
    cause,
    diagnosed,
    made_by,
    running,
    set_of,
    unscheduled,
    waiting,
    workload,
)

HERE, NAMESPACE = "deployment/cart", "namespace/shop"
REFUSED = 'pods "cart-new-x7" is forbidden: '
STATEFUL = 'create Pod cart-0 in StatefulSet cart failed error: pods "cart-0" is forbidden: '


def exceeded(requested: str, used: str, limited: str) -> str:
    return f"exceeded quota: q, requested: {requested}, used: {used}, limited: {limited}"


def quota(**amounts: tuple[str, str]) -> KubernetesObject:
    named = {k.replace("__", "/").replace("_", "."): v for k, v in amounts.items()}
    status = {"hard": {k: v[1] for k, v in named.items()},
              "used": {k: v[0] for k, v in named.items()}}  # fmt: skip
    return item("ResourceQuota", "q", spec={"hard": status["hard"]}, status=status)


def refused(message: str, *, by_event: bool, old: bool = False, **spec: Any) -> list[Any]:
    """A replica set that may not create its pod, with or without the pods of the old one."""
    cart = workload(**spec)
    maker = set_of(cart)
    found = [cart, maker, *([running(cart)] if old else [])]
    if by_event:
        return [*found, event(maker, "FailedCreate", f"Error creating: {message}", count=14)]
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
               "message": message}  # fmt: skip
    maker.body["status"] = {"conditions": [failure]}  # type: ignore[index]
    return found


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("by_event", [True, False])
@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (exceeded("requests.cpu=250m", "requests.cpu=2", "requests.cpu=2"),
         ("namespace_cpu_quota_exceeded", NAMESPACE)),
        (exceeded("limits.cpu=1,limits.memory=8Gi", "limits.cpu=4,limits.memory=4Gi",
                  "limits.cpu=4,limits.memory=5Gi"),
         ("namespace_memory_quota_exceeded", NAMESPACE)),
        (exceeded("memory=256Mi", "memory=1900Mi", "memory=2Gi"),
         ("namespace_memory_quota_exceeded", NAMESPACE)),
        (exceeded("pods=1", "pods=6", "pods=6"), ("namespace_pod_quota_exceeded", NAMESPACE)),
        (exceeded("count/pods=1", "count/pods=6", "count/pods=6"),
         ("namespace_pod_quota_exceeded", NAMESPACE)),
        (exceeded("requests.ephemeral-storage=5Gi", "requests.ephemeral-storage=9Gi",
                  "requests.ephemeral-storage=10Gi"),
         ("namespace_ephemeral_storage_quota_exceeded", NAMESPACE)),
        ("failed quota: q: must specify limits.cpu for: app; limits.memory for: app",
         ("quota_requires_resources", HERE)),
        ("maximum cpu usage per Container is 500m, but limit is 1", ("limit_range_violated", HERE)),
        ("cpu max limit to request ratio per Container is 2, but provided ratio is 4.000000",
         ("limit_range_violated", HERE)),
        ('error looking up service account shop/cart: serviceaccount "cart" not found',
         ("missing_service_account", HERE)),
        ('violates PodSecurity "restricted:v1.30": allowPrivilegeEscalation != false',
         ("pod_security_violation", HERE)),
        ("unable to validate against any security context constraint: []",
         ("pod_security_violation", HERE)),
        ("no PriorityClass with name urgent was found", ("missing_priority_class", HERE)),
        ('pod rejected: RuntimeClass "gvisor" not found', ("missing_runtime_class", HERE)),
        ("unable to create new content in namespace shop because it is being terminated",
         ("namespace_terminating", HERE)),
    ],
)  # fmt: skip
def test_the_refusal_is_named_with_and_without_old_pods(
    message: str, expected: tuple[str, str], by_event: bool, old: bool
) -> None:
    assert cause(*refused(REFUSED + message, by_event=by_event, old=old)) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ('admission webhook "policy.example.com" denied the request: no latest tag',
         "admission_webhook_denied"),
        ('Internal error occurred: failed calling webhook "policy.example.com": failed to call '
         "webhook: Post: dial tcp 10.0.0.7:443: connect: connection refused",
         "admission_webhook_unavailable"),
        ('Internal error occurred: failed calling webhook "inject.example.com": context deadline '
         "exceeded", "admission_webhook_unavailable"),
        ("ValidatingAdmissionPolicy 'no-root' with binding 'all' denied request: root",
         "admission_policy_denied"),
        ('pods is forbidden: User "system:x" cannot create resource "pods" in API group ""',
         "rbac_forbidden"),
        ('Pod "cart-new-x7" is invalid: spec.containers[0].resources.requests: Invalid value: "2": '
         "must be less than or equal to cpu limit", "invalid_pod_spec"),
    ],
)  # fmt: skip
def test_webhooks_policies_and_rights_are_told_apart(message: str, expected: str) -> None:
    assert cause(*refused(message, by_event=True)) == (expected, HERE)


def test_a_stateful_set_and_its_claims_are_refused_by_their_own_events() -> None:
    cart = item("StatefulSet", "cart", spec={"replicas": 2, "template": {"spec": {}}})
    pods = exceeded("pods=1", "pods=6", "pods=6")
    said = event(cart, "FailedCreate", STATEFUL + pods)
    assert cause(cart, said) == ("namespace_pod_quota_exceeded", NAMESPACE)
    storage = exceeded("requests.storage=5Gi", "requests.storage=9Gi", "requests.storage=10Gi")
    claim = 'create Claim d-cart-0 failed error: persistentvolumeclaims "d-cart-0" is forbidden: '
    said = event(cart, "FailedCreate", claim + storage)
    assert cause(cart, said) == ("namespace_storage_quota_exceeded", NAMESPACE)


def test_jobs_are_refused_too() -> None:
    job = item("Job", "report", spec={"parallelism": 1, "template": {"spec": {}}})
    said = event(job, "FailedCreate", "Error creating: " + REFUSED
                 + exceeded("pods=1", "pods=6", "pods=6"))  # fmt: skip
    assert cause(job, said) == ("namespace_pod_quota_exceeded", NAMESPACE)


def test_a_quota_that_was_raised_since_is_no_cause() -> None:
    said = REFUSED + exceeded("requests.cpu=250m", "requests.cpu=2", "requests.cpu=2")
    raised = quota(requests_cpu=("2", "20"))
    assert cause(*refused(said, by_event=True), raised)[0] != "namespace_cpu_quota_exceeded"


def test_an_old_refusal_of_a_replica_set_that_has_its_pods_is_no_trouble() -> None:
    cart = workload()
    maker = set_of(cart, "old")
    old = event(maker, "FailedCreate", REFUSED + 'serviceaccount "cart" not found')
    assert diagnosed(cart, maker, running(cart), old).causes == ()


def test_an_old_refusal_is_not_blamed_above_a_pod_that_waits_for_a_node() -> None:
    cart = workload(resources={"requests": {"cpu": "64"}})
    maker = set_of(cart)
    old = event(maker, "FailedCreate", REFUSED + 'serviceaccount "cart" not found')
    held = unscheduled(cart, "0/4 nodes are available: 4 Insufficient cpu.")
    assert cause(cart, maker, old, *held) == ("cpu_capacity_mismatch", HERE)


def test_without_words_a_quota_with_no_room_for_one_more_pod_is_suspected() -> None:
    cart = workload()
    full = quota(requests_cpu=("1900m", "2"))
    found = diagnosed(cart, set_of(cart), full)
    assert found.ranked[0].hypothesis.cause == "namespace_cpu_quota_exceeded"
    assert found.confidence < 0.9


def test_a_full_quota_that_nothing_waits_for_is_no_trouble() -> None:
    cart = workload()
    full = quota(pods=("6", "6"), services=("6", "6"), requests_storage=("10Gi", "10Gi"),
                 count__secrets=("5", "5"))  # fmt: skip
    assert diagnosed(cart, set_of(cart, "old"), running(cart), service("cart"), full).causes == ()


@pytest.mark.parametrize(
    ("resource", "kind", "expected"),
    [
        ("count__configmaps", "configmap", "namespace_config_map_quota_exceeded"),
        ("secrets", "secret", "namespace_secret_quota_exceeded"),
    ],
)
def test_configuration_that_a_full_quota_kept_out_is_the_namespace_s_trouble(
    resource: str, kind: str, expected: str
) -> None:
    cart = workload()
    held = waiting(cart, "CreateContainerConfigError", f'{kind} "settings" not found')
    said = event(held, "Failed", f'Error: {kind} "settings" not found')
    full = quota(**{resource: ("9", "9")})
    assert cause(cart, set_of(cart), held, said, full) == (expected, NAMESPACE)
    room = quota(**{resource: ("3", "9")})
    assert cause(cart, set_of(cart), held, said, room)[1] == HERE


def test_a_service_that_a_full_quota_kept_out_is_found_by_who_points_to_it() -> None:
    cart = workload()
    boxes = [container(env=[{"name": "CART", "value": "http://cart:80"}])]
    caller = workload("front")
    caller.body["spec"]["template"]["spec"]["containers"] = boxes
    well = [cart, set_of(cart, "old"), running(cart), caller, set_of(caller, "old"),
            made_by(running(caller), "front-old"), service("front")]  # fmt: skip
    assert cause(*well, quota(services=("6", "6"))) == (
        "namespace_service_quota_exceeded",
        NAMESPACE,
    )


VOLUME = [{"name": "d", "persistentVolumeClaim": {"claimName": "cart-data"}}]
NO_CLAIM = '0/4 nodes are available: persistentvolumeclaim "cart-data" not found.'


def test_a_claim_that_is_not_there_is_the_quota_s_fault_only_if_the_quota_is_tight() -> None:
    cart = workload(volumes=VOLUME)
    held = unscheduled(cart, NO_CLAIM)
    tight = quota(requests_storage=("9Gi", "10Gi"))
    roomy = quota(requests_storage=("1Gi", "100Gi"))
    expected = ("namespace_storage_quota_exceeded", NAMESPACE)
    assert cause(cart, set_of(cart), *held, tight) == expected
    assert cause(cart, set_of(cart), *held, roomy) == ("missing_volume_claim", HERE)
    assert cause(cart, set_of(cart), *held) == ("missing_volume_claim", HERE)


def claim_of(size: str) -> KubernetesObject:
    spec = {"resources": {"requests": {"storage": size}}}
    return item("PersistentVolumeClaim", "old", spec=spec)


def test_a_claim_larger_than_what_a_small_quota_leaves_is_the_quota_s_fault() -> None:
    cart = workload(volumes=VOLUME)
    held = unscheduled(cart, NO_CLAIM)
    small = quota(requests_storage=("0", "1Gi"))
    other = item(
        "PersistentVolumeClaim", "old", spec={"resources": {"requests": {"storage": "5Gi"}}}
    )
    tiny = item(
        "PersistentVolumeClaim", "old", spec={"resources": {"requests": {"storage": "1Mi"}}}
    )
    expected = ("namespace_storage_quota_exceeded", NAMESPACE)
    assert cause(cart, set_of(cart), *held, small, other) == expected
    assert cause(cart, set_of(cart), *held, small, tiny) == ("missing_volume_claim", HERE)


def test_who_calls_a_service_that_a_full_quota_kept_out_is_a_victim() -> None:
    cart, caller = workload(), workload("front")
    boxes = [container(env=[{"name": "CART_ADDR", "value": "cart:80"}])]
    caller.body["spec"]["template"]["spec"]["containers"] = boxes  # type: ignore[index]
    well = [cart, set_of(cart, "old"), running(cart), caller, set_of(caller, "old"),
            made_by(running(caller), "front-old"), service("front")]  # fmt: skip
    found = diagnosed(*well, quota(services=("6", "6")))
    assert found.causes[0].hypothesis.cause == "namespace_service_quota_exceeded"
    assert "front" in found.causes[0].hypothesis.explains
    assert len(found.causes) == 1


def test_a_deployment_that_says_its_replicas_fail_is_believed_without_replica_sets() -> None:
    cart = workload()
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
               "message": REFUSED + exceeded("pods=1", "pods=6", "pods=6")}  # fmt: skip
    cart.body["status"] = {"conditions": [failure]}  # type: ignore[index]
    assert cause(cart, running(cart)) == ("namespace_pod_quota_exceeded", NAMESPACE)
