"""The sandbox's API server, seen through the official client."""

from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from tests.fakes.driven import DrivenWorld
from tests.fakes.world import RunningWorld, running_world

JSON_PATCH = "application/json-patch+json"


@pytest.fixture(scope="module")
def served() -> Iterator[RunningWorld]:
    with running_world(seed=3, rate=60.0) as world:
        yield world


@pytest.fixture
def fresh(served: RunningWorld) -> RunningWorld:
    served.world.reset("staging")
    return served


def api(world: RunningWorld, token: str = "", environment: str = "staging") -> client.ApiClient:
    configuration = client.Configuration(host=world.system(environment, "kubernetes"))
    if token:
        configuration.api_key = {"authorization": f"Bearer {token}"}
    found = client.ApiClient(configuration)
    if token:
        found.set_default_header("authorization", f"Bearer {token}")
    return found


@pytest.fixture
def core(fresh: RunningWorld) -> client.CoreV1Api:
    return client.CoreV1Api(api(fresh))


@pytest.fixture
def apps(fresh: RunningWorld) -> client.AppsV1Api:
    return client.AppsV1Api(api(fresh))


def test_every_list_parses_in_the_strict_client(fresh: RunningWorld) -> None:
    found = api(fresh)
    core, apps = client.CoreV1Api(found), client.AppsV1Api(found)
    net, policy = client.NetworkingV1Api(found), client.PolicyV1Api(found)
    lists = (
        core.list_namespaced_pod, core.list_namespaced_service, core.list_namespaced_endpoints,
        core.list_namespaced_config_map, core.list_namespaced_event,
        core.list_namespaced_persistent_volume_claim, core.list_namespaced_service_account,
        core.list_namespaced_resource_quota, apps.list_namespaced_deployment,
        apps.list_namespaced_replica_set, apps.list_namespaced_stateful_set,
        apps.list_namespaced_daemon_set, net.list_namespaced_ingress,
        net.list_namespaced_network_policy, policy.list_namespaced_pod_disruption_budget,
        client.AutoscalingV2Api(found).list_namespaced_horizontal_pod_autoscaler,
        client.BatchV1Api(found).list_namespaced_job,
    )  # fmt: skip
    empty = {"list_namespaced_event", "list_namespaced_daemon_set", "list_namespaced_job",
             "list_namespaced_horizontal_pod_autoscaler"}  # fmt: skip
    for listing in lists:
        items = listing("shop").items
        assert items or listing.__name__ in empty, listing.__name__
        assert listing("elsewhere").items == []
    assert len(core.list_node().items) == 3
    assert "shop" in {n.metadata.name for n in core.list_namespace().items}
    assert client.VersionApi(found).get_code().git_version.startswith("v1.")
    assert client.ApisApi(found).get_api_versions().groups
    certificates = client.CustomObjectsApi(found).list_namespaced_custom_object(
        "cert-manager.io", "v1", "shop", "certificates"
    )
    assert certificates["items"]


def test_selectors_and_pages(core: client.CoreV1Api) -> None:
    everything = core.list_namespaced_pod("shop").items
    one = core.list_namespaced_pod("shop", label_selector="app.kubernetes.io/name=cart").items
    assert {p.metadata.labels["app.kubernetes.io/name"] for p in one} == {"cart"}
    some = core.list_namespaced_pod(
        "shop", label_selector="app.kubernetes.io/name in (cart,checkout),!nothing"
    ).items
    assert len(some) > len(one)
    node = everything[0].spec.node_name
    there = core.list_namespaced_pod("shop", field_selector=f"spec.nodeName={node}").items
    assert {p.spec.node_name for p in there} == {node}
    named = core.list_namespaced_pod("shop", field_selector=f"metadata.name={one[0].metadata.name}")
    assert len(named.items) == 1
    seen: list[str] = []
    token = None
    while True:
        page = core.list_namespaced_pod("shop", limit=7, _continue=token)
        seen += [p.metadata.name for p in page.items]
        token = page.metadata._continue
        if not token:
            break
    assert seen == [p.metadata.name for p in everything]


def test_events_can_be_asked_for_by_their_object(served: RunningWorld) -> None:
    world = DrivenWorld("bad-image", 1)
    _, found = world.kubernetes("GET", "api/v1/namespaces/shop/events")
    failed = [e for e in found["items"] if e["reason"] == "Failed"]
    assert any("not found" in e["message"] for e in failed)
    name = failed[0]["involvedObject"]["name"]
    selector = f"involvedObject.name={name},involvedObject.kind=Pod,type=Warning"
    _, own = world.kubernetes("GET", "api/v1/namespaces/shop/events", fieldSelector=selector)
    assert own["items"]
    assert {e["involvedObject"]["name"] for e in own["items"]} == {name}


def test_a_dry_run_changes_nothing(apps: client.AppsV1Api) -> None:
    before = apps.read_namespaced_deployment("cart", "shop")
    after = apps.patch_namespaced_deployment(
        "cart", "shop", {"spec": {"replicas": 7}}, dry_run="All"
    )
    assert after.spec.replicas == 7
    now = apps.read_namespaced_deployment("cart", "shop")
    assert now.spec.replicas == before.spec.replicas
    assert now.metadata.resource_version == before.metadata.resource_version
    scale = apps.patch_namespaced_deployment_scale(
        "cart", "shop", {"spec": {"replicas": 5}}, dry_run="All"
    )
    assert scale.spec.replicas == 5
    assert apps.read_namespaced_deployment_scale("cart", "shop").spec.replicas == now.spec.replicas


def test_a_stale_resource_version_is_a_conflict(apps: client.AppsV1Api) -> None:
    old = apps.read_namespaced_deployment("cart", "shop").metadata.resource_version
    note = {"metadata": {"annotations": {"sre-bot/execution-key": "k1"}, "resourceVersion": old}}
    assert apps.patch_namespaced_deployment("cart", "shop", note).metadata.resource_version != old
    with pytest.raises(ApiException) as caught:
        apps.patch_namespaced_deployment("cart", "shop", note)
    assert caught.value.status == 409
    assert '"reason":"Conflict"' in caught.value.body.replace(" ", "")


@pytest.mark.parametrize("patch", [
    {"spec": {"replicas": -1}},
    {"spec": {"replicas": 10**6}},
    {"spec": {"selector": {"matchLabels": {"app.kubernetes.io/name": "other"}}}},
    {"spec": {"template": {"spec": {"containers": []}}}},
    {"spec": {"template": {"metadata": {"labels": {"app.kubernetes.io/name": "other"}}}}},
    {"metadata": {"annotations": {"not a key!": "x"}}},
])  # fmt: skip
def test_nonsense_is_unprocessable_and_changes_nothing(patch: dict[str, Any]) -> None:
    world = DrivenWorld(seed=1)
    path = "apis/apps/v1/namespaces/shop/deployments/cart"
    _, before = world.kubernetes("GET", path)
    for query in ({}, {"dryRun": "All"}):
        status, body = world.kubernetes("PATCH", path, patch, **query)
        assert status == 422
        assert body["kind"] == "Status"
        assert body["details"]["causes"]
    assert world.kubernetes("GET", path)[1] == before


def test_the_client_sees_a_refusal_with_its_field(apps: client.AppsV1Api) -> None:
    with pytest.raises(ApiException) as caught:
        apps.patch_namespaced_deployment("cart", "shop", {"spec": {"replicas": -1}})
    assert caught.value.status == 422
    assert "spec.replicas" in caught.value.body


def test_a_rolled_back_template_reuses_its_replica_set_under_a_new_number() -> None:
    world = DrivenWorld("slow-query", 1)
    assert world.truth is not None
    name = world.truth.service
    _, before = world.kubernetes("GET", f"apis/apps/v1/namespaces/shop/deployments/{name}")
    world.do(world.truth.repairs[0])
    _, after = world.kubernetes("GET", f"apis/apps/v1/namespaces/shop/deployments/{name}")
    revision = "deployment.kubernetes.io/revision"
    old, new = (b["metadata"]["annotations"][revision] for b in (before, after))
    assert int(new) == int(old) + 1
    assert after["metadata"]["generation"] == before["metadata"]["generation"] + 1
    world.advance(90.0)
    _, pods = world.kubernetes(
        "GET", "api/v1/namespaces/shop/pods", labelSelector=f"app.kubernetes.io/name={name}"
    )
    images = {p["spec"]["containers"][0]["image"] for p in pods["items"]}
    assert images == {after["spec"]["template"]["spec"]["containers"][0]["image"]}
    assert all(p["status"]["containerStatuses"][0]["ready"] for p in pods["items"])


def test_a_rollout_takes_its_time_and_keeps_serving() -> None:
    world = DrivenWorld(seed=1)
    world.do({"action": "restart_deployment", "arguments": {"name": "checkout"}})
    ready = 'kube_deployment_status_replicas_available{deployment="checkout"}'
    seen = []
    for _ in range(12):
        world.advance(6.0)
        seen.append(world.value(ready))
    assert min(seen) >= 3
    _, found = world.kubernetes("GET", "api/v1/namespaces/shop/events")
    reasons = {e["reason"] for e in found["items"]}
    assert {"ScalingReplicaSet", "Scheduled", "Pulled", "Started", "Killing"} <= reasons


def test_an_image_that_does_not_exist_never_starts(fresh: RunningWorld) -> None:
    world = DrivenWorld(seed=1)
    path = "apis/apps/v1/namespaces/shop/deployments/cart"
    container = {"name": "cart", "image": "registry.shop.example/cart:nope"}
    patch = {"spec": {"template": {"spec": {"containers": [container]}}}}
    kind = "application/strategic-merge-patch+json"
    status, body = world.kubernetes("PATCH", path, patch, content_type=kind)
    assert status == 200
    assert body["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
    world.advance(120.0)
    _, pods = world.kubernetes(
        "GET", "api/v1/namespaces/shop/pods", labelSelector="app.kubernetes.io/name=cart"
    )
    waiting = [p["status"]["containerStatuses"][0]["state"].get("waiting") for p in pods["items"]]
    assert any(w and w["reason"] in ("ErrImagePull", "ImagePullBackOff") for w in waiting)
    assert sum(w is None for w in waiting) == 3  # the old ones still serve


def test_a_deleted_pod_comes_back_under_another_name(core: client.CoreV1Api) -> None:
    pods = core.list_namespaced_pod("shop", label_selector="app.kubernetes.io/name=cart").items
    gone = pods[0]
    with pytest.raises(ApiException) as caught:
        core.delete_namespaced_pod(
            gone.metadata.name, "shop",
            body=client.V1DeleteOptions(preconditions=client.V1Preconditions(uid="other")),
        )  # fmt: skip
    assert caught.value.status == 409
    core.delete_namespaced_pod(gone.metadata.name, "shop", dry_run="All")
    assert core.read_namespaced_pod(gone.metadata.name, "shop").metadata.deletion_timestamp is None
    core.delete_namespaced_pod(gone.metadata.name, "shop")
    import time

    for _ in range(100):
        now = core.list_namespaced_pod("shop", label_selector="app.kubernetes.io/name=cart").items
        names = {p.metadata.name for p in now}
        if gone.metadata.name not in names and len(names) == len(pods):
            break
        time.sleep(0.02)
    else:
        raise AssertionError("the pod was not replaced")


def test_an_eviction_obeys_the_disruption_budget() -> None:
    world = DrivenWorld(seed=1)
    _, pods = world.kubernetes(
        "GET", "api/v1/namespaces/shop/pods", labelSelector="app.kubernetes.io/name=shipping"
    )
    names = [p["metadata"]["name"] for p in pods["items"]]
    codes = []
    for name in names:
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
        status, _ = world.kubernetes("POST", f"api/v1/namespaces/shop/pods/{name}/eviction", body)
        codes.append(status)
        world.advance(3.0)
    assert codes == [201, 429]


def test_a_reader_may_only_read(fresh: RunningWorld) -> None:
    reader = api(fresh, token="read-only")
    apps = client.AppsV1Api(reader)
    assert apps.list_namespaced_deployment("shop").items
    with pytest.raises(ApiException) as caught:
        apps.patch_namespaced_deployment("cart", "shop", {"spec": {"replicas": 2}})
    assert caught.value.status == 403
    assert 'cannot patch resource \\"deployments\\"' in caught.value.body
    for verb, allowed in (("get", True), ("patch", False)):
        attributes = client.V1ResourceAttributes(
            verb=verb, resource="deployments", group="apps", namespace="shop"
        )
        review = client.V1SelfSubjectAccessReview(
            spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes)
        )
        answer = client.AuthorizationV1Api(reader).create_self_subject_access_review(review)
        assert answer.status.allowed is allowed


def test_secrets_are_forbidden_to_everybody(core: client.CoreV1Api) -> None:
    with pytest.raises(ApiException) as caught:
        core.list_namespaced_secret("shop")
    assert caught.value.status == 403


def test_logs_of_a_container_and_of_its_life_before() -> None:
    world = DrivenWorld("memory-leak", 2)
    assert world.truth is not None
    workload = world.running.site.workloads[world.truth.service]
    pod = next(p for p in workload.alive(world.running.now())
               if any(r.at < world.running.now() for r in p.restarts))  # fmt: skip
    path = f"api/v1/namespaces/shop/pods/{pod.name}/log"
    status, text = world.kubernetes("GET", path, tailLines="5", timestamps="true")
    assert status == 200
    assert len(text.splitlines()) == 5
    assert text.startswith("2026-")
    status, before = world.kubernetes("GET", path, previous="true")
    assert status == 200
    assert before
    assert before != text
    assert world.kubernetes("GET", path, container="nope")[0] == 400
    _, body = world.kubernetes("GET", f"api/v1/namespaces/shop/pods/{pod.name}")
    last = body["status"]["containerStatuses"][0]["lastState"]["terminated"]
    assert (last["reason"], last["exitCode"]) == ("OOMKilled", 137)


def test_a_config_map_is_changed_and_remembered(core: client.CoreV1Api) -> None:
    core.patch_namespaced_config_map("checkout-config", "shop", {"data": {"DB_POOL_SIZE": "3"}})
    data = core.read_namespaced_config_map("checkout-config", "shop").data
    assert data["DB_POOL_SIZE"] == "3"
    assert "LOG_LEVEL" in data


def test_what_is_not_there_is_not_found(apps: client.AppsV1Api, core: client.CoreV1Api) -> None:
    for look in (lambda: apps.read_namespaced_deployment("chekout", "shop"),
                 lambda: core.read_namespaced_pod("nobody", "shop"),
                 lambda: apps.read_namespaced_deployment("cart", "elsewhere")):  # fmt: skip
        with pytest.raises(ApiException) as caught:
            look()
        assert caught.value.status == 404
