"""Services that lead nowhere."""

from bot.reasoning.analyzers import entrances
from bot.reasoning.analyzers.routing import look
from tests.fakes.cluster import (
    answer,
    container,
    deployment,
    endpoints,
    item,
    pod,
    probe,
    question,
    service,
    snapshot,
)

WEB = [container(ports=[{"containerPort": 8080, "name": "http", "protocol": "TCP"}])]


def test_a_selector_that_fits_no_pod_of_its_workload_is_found() -> None:
    workload = deployment("cart", containers=WEB)
    facts = snapshot(
        workload, pod(workload), service("cart", selector={"app": "cart-v2"}), endpoints("cart")
    )
    assert answer(look(facts, question())) == ("service_selector_mismatch", "deployment/cart")


def test_a_selector_with_a_typo_is_tied_to_the_workload_of_nearly_that_label() -> None:
    workload = deployment("catalogue", containers=WEB)
    entry = service("products", selector={"app": "catalog"})
    facts = snapshot(workload, pod(workload), entry, endpoints("products"))
    assert answer(look(facts, question())) == ("service_selector_mismatch", "deployment/catalogue")


def test_a_service_whose_pods_are_scaled_to_zero_selects_well() -> None:
    workload = deployment("cart", containers=WEB, replicas=0)
    facts = snapshot(workload, service("cart"), endpoints("cart"))
    assert answer(look(facts, question())) is None


def test_a_second_service_for_the_same_pods_is_no_trouble() -> None:
    workload = deployment("cart", containers=WEB)
    entry = service("cart-external", selector={"app": "cart"})
    facts = snapshot(workload, pod(workload), service("cart"), entry, endpoints("cart", ready=1))
    assert look(facts, question()).hypotheses == ()


def test_a_target_port_that_nobody_declares_is_found() -> None:
    workload = deployment("cart", containers=WEB)
    entry = service("cart", ports=[{"port": 80, "targetPort": 9090}])
    facts = snapshot(workload, pod(workload), entry, probes=(probe("cart", ok=False),))
    assert answer(look(facts, question())) is None  # the number alone could be right
    named = service("cart", ports=[{"port": 80, "targetPort": "web"}])
    facts = snapshot(workload, pod(workload), named, endpoints("cart"))
    assert answer(look(facts, question())) == ("service_port_mapping_mismatch", "deployment/cart")


def test_a_target_port_beside_the_port_that_is_probed_is_found() -> None:
    checked = [{**WEB[0], "readinessProbe": {"httpGet": {"port": 8080, "path": "/"}}}]
    workload = deployment("cart", containers=checked)
    entry = service("cart", ports=[{"port": 80, "targetPort": 9090}])
    facts = snapshot(workload, pod(workload), entry, probes=(probe("cart", ok=False),))
    assert answer(look(facts, question())) == ("service_port_mapping_mismatch", "deployment/cart")


def test_an_undeclared_target_port_that_answers_is_no_trouble() -> None:
    workload = deployment("cart", containers=WEB)
    entry = service("cart", ports=[{"port": 80, "targetPort": 9090}])
    facts = snapshot(workload, pod(workload), entry, probes=(probe("cart", ok=True),))
    assert answer(look(facts, question())) is None


def test_a_protocol_that_the_container_does_not_speak_is_found() -> None:
    workload = deployment("dns", containers=WEB)
    entry = service("dns", ports=[{"port": 80, "targetPort": 8080, "protocol": "UDP"}])
    facts = snapshot(workload, pod(workload), entry)
    assert answer(look(facts, question())) == ("service_protocol_mismatch", "deployment/dns")


def test_a_policy_that_isolates_is_blamed_only_if_the_service_cannot_be_reached() -> None:
    workload = deployment("cart", containers=WEB)
    policy = item(
        "NetworkPolicy",
        "isolate-cart",
        spec={"podSelector": {"matchLabels": {"app": "cart"}}, "ingress": []},
    )
    base = (workload, pod(workload), service("cart"), policy)
    reached = snapshot(*base, probes=(probe("cart", ok=True),))
    assert answer(look(reached, question())) is None


def test_an_ingress_to_a_service_that_does_not_exist_is_found() -> None:
    path = {"path": "/", "backend": {"service": {"name": "shop", "port": {"number": 80}}}}
    gate = item("Ingress", "front", spec={"rules": [{"http": {"paths": [path]}}]})
    facts = snapshot(gate, service("cart"))
    assert answer(entrances.look(facts, question())) == ("ingress_backend_missing", "ingress/front")
