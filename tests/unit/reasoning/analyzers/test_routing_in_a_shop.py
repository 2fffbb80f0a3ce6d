"""Services that lead nowhere, in a whole shop: which of the competing causes is named."""

from typing import Any

import pytest

from bot.domain.snapshot import BlindSpot, KubernetesObject
from tests.fakes.cluster import (
    container,
    deployment,
    edge,
    endpoints,
    event,
    item,
    log,
    pod,
    probe,
    service,
)
from tests.unit.reasoning.analyzers.shop import cause, diagnosed

HERE = "deployment/cart"
CALLED = (edge("web", "cart"), edge("orders", "cart"))
FAILS = (probe("cart", ok=False),)
TIMED_OUT = log("web", "dial tcp 10.96.0.12:80: i/o timeout calling cart")
REFUSED = log("web", "dial tcp 10.96.0.12:80: connect: connection refused")


def cart(ready: bool = True, **fields: Any) -> list[KubernetesObject]:
    ports = fields.pop("ports", [{"containerPort": 8080}])
    owner = deployment("cart", containers=[container(ports=ports, **fields)])
    return [owner, pod(owner, ready=ready)]


def named(diagnosis: Any) -> set[str]:
    return {r.hypothesis.cause for r in diagnosis.ranked if r.confidence >= 0.5}


@pytest.mark.parametrize("seen", ["endpoints", "slices", "probes", "logs"])
def test_a_selector_that_no_pod_has_is_found_in_every_form(seen: str) -> None:
    lost = service("cart", selector={"app": "cart", "tier": "v2"})
    facts: dict[str, Any] = {"edges": CALLED}
    objects: list[KubernetesObject] = [*cart(), lost]
    if seen == "endpoints":
        objects.append(endpoints("cart"))
    if seen == "slices":
        labels = {"kubernetes.io/service-name": "cart"}
        objects.append(item("EndpointSlice", "cart-x", metadata={"labels": labels}, endpoints=[]))
    if seen == "probes":
        facts["probes"] = FAILS
    if seen == "logs":
        facts["logs"] = (REFUSED,)
    assert cause(*objects, **facts) == ("service_selector_mismatch", HERE)


def test_a_service_without_ready_pods_has_no_wrong_selector() -> None:
    facts = {"edges": CALLED, "probes": FAILS, "logs": (REFUSED,)}
    found = diagnosed(*cart(ready=False), service("cart"), endpoints("cart", not_ready=1), **facts)
    assert not named(found) & {"service_selector_mismatch", "service_port_mapping_mismatch"}


@pytest.mark.parametrize("target", [8081, "web"])
def test_a_target_port_where_nothing_listens_is_found(target: Any) -> None:
    lost = service("cart", ports=[{"port": 80, "targetPort": target}])
    known = endpoints("cart", ready=0 if isinstance(target, str) else 1)
    found = cart(ports=[{"containerPort": 8080, "name": "http"}])
    facts = {"edges": CALLED, "probes": FAILS, "logs": (REFUSED,)}
    assert cause(*found, lost, known, **facts) == ("service_port_mapping_mismatch", HERE)


def test_a_target_port_beside_the_probed_one_is_found_without_declared_ports() -> None:
    probe_ = {"httpGet": {"port": 8080, "path": "/"}}
    found = cart(ports=[], readinessProbe=probe_)
    lost = service("cart", ports=[{"port": 80, "targetPort": 9999}])
    facts = {"edges": CALLED, "probes": FAILS, "logs": (REFUSED,)}
    assert cause(*found, lost, endpoints("cart", ready=1), **facts) == (
        "service_port_mapping_mismatch", HERE,
    )  # fmt: skip


def test_a_target_port_that_is_not_declared_but_works_is_left_alone() -> None:
    lost = service("cart", ports=[{"port": 80, "targetPort": 9000}])
    facts = {"edges": CALLED, "probes": (probe("cart", ok=True),)}
    assert diagnosed(*cart(), lost, endpoints("cart", ready=1), **facts).causes == ()


def test_udp_for_a_port_that_listens_on_tcp_is_another_protocol() -> None:
    lost = service("cart", ports=[{"port": 80, "targetPort": 8080, "protocol": "UDP"}])
    facts = {"edges": CALLED, "probes": FAILS, "logs": (TIMED_OUT,)}
    assert cause(*cart(), lost, endpoints("cart", ready=1), **facts) == (
        "service_protocol_mismatch", HERE,
    )  # fmt: skip


def test_udp_is_found_where_the_container_declares_no_port() -> None:
    probe_ = {"httpGet": {"port": 8080, "path": "/"}}
    lost = service("cart", ports=[{"port": 80, "targetPort": 8080, "protocol": "UDP"}])
    facts = {"edges": CALLED, "probes": FAILS}
    found = cart(ports=[], readinessProbe=probe_)
    assert cause(*found, lost, endpoints("cart", ready=1), **facts) == (
        "service_protocol_mismatch", HERE,
    )  # fmt: skip


def test_a_dns_service_on_udp_is_fine() -> None:
    both = [{"containerPort": 53, "protocol": "UDP"}, {"containerPort": 53, "protocol": "TCP"}]
    dns = service("cart", ports=[{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}])
    assert diagnosed(*cart(ports=both), dns, endpoints("cart", ready=1)).causes == ()


def test_an_app_protocol_that_the_port_does_not_speak_is_found() -> None:
    lost = service("cart", ports=[{"port": 80, "targetPort": 8080, "name": "http",
                                   "appProtocol": "http"}])  # fmt: skip
    found = cart(ports=[{"containerPort": 8080, "name": "grpc"}])
    said = log("web", "upstream connect error or disconnect/reset before headers: protocol error")
    facts = {"edges": CALLED, "logs": (said,)}
    assert cause(*found, lost, endpoints("cart", ready=1), **facts) == (
        "service_protocol_mismatch", HERE,
    )  # fmt: skip


def test_one_caller_with_a_wrong_address_is_to_blame_not_the_service() -> None:
    def caller(name: str, value: str) -> list[KubernetesObject]:
        box = container(env=[{"name": "CART_ADDR", "value": value}])
        owner = deployment(name, containers=[box])
        return [owner, pod(owner), service(name), endpoints(name, ready=1)]

    callers = [*caller("news", "cart:8081"), *caller("deals", "cart:80"), *caller("api", "cart:80")]
    said = log("news", "dial tcp cart:8081: i/o timeout")
    facts = {"edges": (edge("news", "cart"), edge("deals", "cart")), "logs": (said,)}
    objects = (*cart(), service("cart"), endpoints("cart", ready=1), *callers)
    assert cause(*objects, **facts) == ("service_env_var_address_mismatch", "deployment/news")


def test_a_wrong_host_and_port_in_two_variables_is_found() -> None:
    box = container(env=[{"name": "CART_HOST", "value": "cart"},
                         {"name": "CART_PORT", "value": "8089"}])  # fmt: skip
    owner = deployment("news", containers=[box])
    objects = (*cart(), service("cart"), endpoints("cart", ready=1), owner, pod(owner))
    facts = {"edges": (edge("news", "cart"),), "logs": (log("news", "connect ECONNREFUSED"),)}
    assert cause(*objects, **facts) == ("service_env_var_address_mismatch", "deployment/news")


def test_an_address_from_a_config_map_that_leads_nowhere_is_found() -> None:
    settings = item("ConfigMap", "news", data={"CART_ADDR": "carrt:80"})
    box = container(envFrom=[{"configMapRef": {"name": "news"}}])
    owner = deployment("news", containers=[box])
    said = log("news", "lookup carrt on 10.96.0.10:53: no such host")
    objects = (*cart(), service("cart"), endpoints("cart", ready=1), owner, pod(owner), settings)
    assert cause(*objects, logs=(said,)) == ("service_env_var_address_mismatch", "deployment/news")


@pytest.mark.parametrize(("heard", "started"), [(True, True), (False, True), (True, False)])
def test_silence_speaks_for_an_address_only_if_every_pod_was_heard(
    *, heard: bool, started: bool
) -> None:
    box = container(env=[{"name": "STOCK_ADDR", "value": "stokc:8080"}])
    owner = deployment("news", containers=[box])
    lost = BlindSpot(system="logs", reason="its node lost it", wanted=f"logs of {pod(owner).name}")
    new = pod(owner, suffix="x2", phase="Running" if started else "Pending")
    found = diagnosed(
        owner, pod(owner), new, logs=(log("news", "INFO ready"),),
        blind_spots=() if heard else (lost,),
    )  # fmt: skip
    [hypothesis] = [
        r.hypothesis
        for r in found.ranked
        if r.hypothesis.cause == "service_env_var_address_mismatch"
    ]
    against = [e for e in hypothesis.evidence if e.weight < 0]
    assert bool(against) is (heard and started)


@pytest.mark.parametrize(
    ("line", "blamed"),
    [
        ("call to mail-provider failed: HTTP 500", False),
        ("mail-provider: unexpected status code: 429", False),
        ("mail-provider answered HTTP 503", True),  # a proxy says so when nobody is there
        ("lookup mail-provider on 10.96.0.10:53: no such host", True),
    ],
)
def test_an_outside_host_that_answers_with_an_error_is_there(line: str, *, blamed: bool) -> None:
    box = container(env=[{"name": "MAIL_ADDR", "value": "mail-provider:443"}])
    owner = deployment("news", containers=[box])
    objects = (*cart(), service("cart"), endpoints("cart", ready=1), owner, pod(owner))
    answers = diagnosed(*objects, logs=(log("news", line),)).causes
    causes = {found.hypothesis.cause for found in answers}
    assert ("service_env_var_address_mismatch" in causes) is blamed


def test_a_policy_that_denies_all_is_blamed_where_checks_fail() -> None:
    policy = item("NetworkPolicy", "deny", spec={"podSelector": {}, "policyTypes": ["Ingress"]})
    facts = {"edges": CALLED, "probes": FAILS, "logs": (TIMED_OUT,)}
    objects = (*cart(), service("cart"), endpoints("cart", ready=1), policy)
    assert cause(*objects, **facts) == ("network_policy_blocks_traffic", "networkpolicy/deny")


def test_a_policy_that_lets_only_others_in_is_blamed_where_the_caller_times_out() -> None:
    spec = {"podSelector": {"matchLabels": {"app": "cart"}}, "policyTypes": ["Ingress"],
            "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "wob"}}}]}]}  # fmt: skip
    policy = item("NetworkPolicy", "only-web", spec=spec)
    facts = {"edges": CALLED, "probes": FAILS, "logs": (TIMED_OUT,)}
    objects = (*cart(), service("cart"), endpoints("cart", ready=1), policy)
    assert cause(*objects, **facts) == ("network_policy_blocks_traffic", "networkpolicy/only-web")


def test_a_policy_that_lets_the_callers_in_is_fine() -> None:
    callers = [{"podSelector": {"matchLabels": {"app": n}}} for n in ("web", "orders")]
    spec = {"podSelector": {"matchLabels": {"app": "cart"}}, "ingress": [{"from": callers}]}
    policy = item("NetworkPolicy", "only-web", spec=spec)
    facts = {"edges": CALLED, "logs": (TIMED_OUT,)}
    objects = (*cart(), service("cart"), endpoints("cart", ready=1), policy)
    assert "network_policy_blocks_traffic" not in named(diagnosed(*objects, **facts))


def test_egress_that_leaves_out_dns_is_blamed_where_lookups_fail() -> None:
    to = [{"podSelector": {"matchLabels": {"app": "pay"}}}]
    spec = {"podSelector": {"matchLabels": {"app": "cart"}}, "policyTypes": ["Egress"],
            "egress": [{"to": to}]}  # fmt: skip
    policy = item("NetworkPolicy", "out", spec=spec)
    said = log("cart", "lookup pay on 10.96.0.10:53: i/o timeout")
    objects = (*cart(), service("cart"), endpoints("cart", ready=1), policy)
    assert cause(*objects, logs=(said,)) == ("network_policy_blocks_traffic", "networkpolicy/out")


def route(path: str, backend: str, port: int = 80, kind: str = "HTTPRoute") -> KubernetesObject:
    rule = {"matches": [{"path": {"type": "PathPrefix", "value": path}}],
            "backendRefs": [{"name": backend, "port": port}]}  # fmt: skip
    return item(kind, "front", spec={"rules": [rule]})


def test_a_route_to_a_service_that_does_not_exist_is_found() -> None:
    objects = (*cart(), service("cart"), endpoints("cart", ready=1), route("/cart", "carts"))
    assert cause(*objects) == ("ingress_backend_missing", "httproute/front")


def test_a_route_to_a_port_that_the_service_does_not_offer_is_found() -> None:
    objects = (*cart(), service("cart"), endpoints("cart", ready=1), route("/cart", "cart", 8080))
    assert cause(*objects) == ("ingress_backend_missing", "httproute/front")


def test_a_route_for_one_service_that_leads_to_another_is_misrouted() -> None:
    said = log("web", "GET /cart 404 page not found")
    objects = (*cart(), service("cart"), endpoints("cart", ready=1), route("/cart", "mail"))
    found = diagnosed(*objects, logs=(said,))
    assert found.ranked[0].hypothesis.cause == "gateway_misrouted"


def test_a_right_route_is_fine() -> None:
    objects = (*cart(), service("cart"), endpoints("cart", ready=1), route("/cart", "cart"))
    assert diagnosed(*objects).causes == ()


def test_an_ingress_class_that_does_not_exist_is_found() -> None:
    rule = {"http": {"paths": [{"path": "/", "backend": {"service": {"name": "web",
            "port": {"number": 80}}}}]}}  # fmt: skip
    gate = item("Ingress", "gate", spec={"ingressClassName": "ngnix", "rules": [rule]})
    known = item("IngressClass", "nginx", namespace="")
    assert cause(gate, known) == ("ingress_class_missing", "ingress/gate")
    right = item("Ingress", "gate", spec={"ingressClassName": "nginx", "rules": [rule]})
    assert diagnosed(right, known).causes == ()


def test_an_external_name_that_does_not_resolve_is_found() -> None:
    gone = item("Service", "rates", spec={"type": "ExternalName", "externalName": "rates.exmple"})
    said = log("web", "lookup rates on 10.96.0.10:53: no such host")
    assert cause(gone, logs=(said,)) == ("service_dns_record_missing", "service/rates")
    assert diagnosed(gone).causes == ()


def test_a_headless_service_needs_no_port_of_its_own() -> None:
    found = cart(ports=[{"containerPort": 8080}])
    head = item("Service", "cart", spec={"clusterIP": "None", "selector": {"app": "cart"},
                                         "ports": [{"port": 80, "targetPort": 8080}]})  # fmt: skip
    box = container(env=[{"name": "CART_ADDR", "value": "cart:8080"}])
    news = deployment("news", containers=[box])
    assert diagnosed(*found, head, endpoints("cart", ready=1), news, pod(news)).causes == ()


def test_events_of_a_past_rollout_are_no_routing_fault() -> None:
    found = cart()
    old = event(found[1], "Unhealthy", "Readiness probe failed: connection refused")
    assert diagnosed(*found, service("cart"), endpoints("cart", ready=1), old).causes == ()
