"""Pods that the API server refuses."""

import pytest

from bot.domain.snapshot import KubernetesObject
from bot.reasoning.analyzers.admission import look
from bot.reasoning.analyzers.quotas import look as without_words
from bot.reasoning.quotas import resource_kind
from tests.fakes.cluster import (
    answer,
    deployment,
    edge,
    event,
    item,
    pod,
    question,
    replica_set,
    service,
    snapshot,
)

REFUSED = 'Error creating: pods "cart-5d4f-" is forbidden: '


def refused(message: str, *more: KubernetesObject) -> tuple[str, str] | None:
    workload = deployment("cart")
    maker = replica_set(workload)
    said = event(maker, "FailedCreate", REFUSED + message)
    return answer(look(snapshot(workload, maker, said, *more), question()))


def quota(name: str, resource: str, used: str, hard: str) -> KubernetesObject:
    status = {"hard": {resource: hard}, "used": {resource: used}}
    return item("ResourceQuota", name, spec={"hard": {resource: hard}}, status=status)


@pytest.mark.parametrize(
    ("resource", "cause"),
    [
        ("requests.cpu", "namespace_cpu_quota_exceeded"),
        ("limits.memory", "namespace_memory_quota_exceeded"),
        ("pods", "namespace_pod_quota_exceeded"),
        ("requests.nvidia.com/gpu", "namespace_object_quota_exceeded"),
    ],
)
def test_a_used_up_quota_is_the_namespace_s_trouble(resource: str, cause: str) -> None:
    message = (
        f"exceeded quota: q, requested: {resource}=1, used: {resource}=4, limited: {resource}=4"
    )
    found = refused(message, quota("q", resource, "4", "4"))
    assert found == (cause, "namespace/shop")


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ('error looking up service account shop/cart: serviceaccount "cart" not found',
         "missing_service_account"),
        ("failed quota: q: must specify limits.cpu,limits.memory", "quota_requires_resources"),
        ("maximum memory usage per Container is 1Gi, but limit is 2Gi", "limit_range_violated"),
        ('violates PodSecurity "restricted:latest": no', "pod_security_violation"),
        ('admission webhook "p.example.com" denied the request', "admission_webhook_denied"),
    ],
)  # fmt: skip
def test_the_api_server_names_the_cause(message: str, cause: str) -> None:
    assert refused(message) == (cause, "deployment/cart")


def test_a_service_account_that_exists_by_now_is_no_cause() -> None:
    account = item("ServiceAccount", "cart")
    message = 'serviceaccount "cart" not found'
    assert refused(message, account) is None


def test_a_refusal_that_was_overcome_is_no_trouble() -> None:
    workload = deployment("cart")
    message = REFUSED + 'serviceaccount "cart" not found'
    said = event(replica_set(workload), "FailedCreate", message)
    facts = snapshot(workload, replica_set(workload), said, pod(workload))
    assert look(facts, question()).hypotheses == ()


def test_a_service_that_a_full_quota_kept_out_is_found_without_an_event() -> None:
    facts = (deployment("cart"), service("web"), quota("q", "services", "4", "4"))
    called = snapshot(*facts, edges=(edge("web", "cart"),))
    assert answer(without_words(called, question())) == (
        "namespace_service_quota_exceeded",
        "namespace/shop",
    )
    assert answer(without_words(snapshot(*facts), question())) is None


def test_a_missing_service_with_room_in_the_quota_is_not_the_quota_s_fault() -> None:
    facts = (deployment("cart"), service("web"), quota("q", "services", "1", "4"))
    called = snapshot(*facts, edges=(edge("web", "cart"),))
    assert answer(without_words(called, question())) is None


def test_a_claim_that_a_nearly_full_storage_quota_kept_out_is_found() -> None:
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "cart-data"}}]
    workload = deployment("cart", volumes=volumes)
    full = quota("q", "requests.storage", "9Gi", "10Gi")
    wanted = ("namespace_storage_quota_exceeded", "namespace/shop")
    assert answer(without_words(snapshot(workload, full), question())) == wanted
    claim = item("PersistentVolumeClaim", "cart-data")
    assert answer(without_words(snapshot(workload, full, claim), question())) is None


def test_resources_are_grouped_as_people_speak_of_them() -> None:
    kinds = {r: resource_kind(r) for r in ("count/services", "services.nodeports", "count/pods")}
    assert set(kinds.values()) == {"service", "pod"}
    assert resource_kind("persistentvolumeclaims") == "storage"
    assert resource_kind("count/secrets") == "secret"
    assert resource_kind("count/deployments.apps") == "object"
    assert resource_kind("requests.ephemeral-storage") == "ephemeral_storage"
