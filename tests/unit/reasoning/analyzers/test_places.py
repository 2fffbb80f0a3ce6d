"""Addresses, node components, and the network of pods and nodes."""

from typing import Any

from bot.domain.snapshot import KubernetesObject, Series, Signal, Source
from bot.reasoning.analyzers import addresses, components, network
from tests.fakes.cluster import (
    NOW,
    answer,
    component,
    container,
    deployment,
    edge,
    log,
    node,
    pending,
    pod,
    question,
    service,
    snapshot,
)


def calls(variable: str, value: str) -> KubernetesObject:
    return deployment("web", containers=[container(env=[{"name": variable, "value": value}])])


def asked(workload: KubernetesObject, *more: Any, **facts: Any) -> tuple[str, str] | None:
    known = (service("cart", ports=[{"port": 7070}]), service("pay"))
    return answer(addresses.look(snapshot(workload, *known, *more, **facts), question()))


WRONG = ("service_env_var_address_mismatch", "deployment/web")


def test_an_address_with_a_typo_that_the_log_names_is_found() -> None:
    said = log("web", "dial tcp: lookup carts on 10.0.0.10:53: no such host")
    assert asked(calls("CART_ADDR", "carts:7070"), logs=(said,)) == WRONG


def test_an_unknown_host_that_nobody_complains_of_is_no_answer() -> None:
    said = log("web", "order not found")
    assert asked(calls("ASSISTANT_ADDR", "assistant:80"), logs=(said,)) is None


def test_a_port_that_the_service_does_not_offer_is_found() -> None:
    said = log("web", "dial tcp cart:7071: connection refused")
    assert asked(calls("CART_ADDR", "cart:7071"), logs=(said,)) == WRONG
    assert asked(calls("CART_ADDR", "cart:7070")) is None


def test_a_variable_that_points_to_another_service_is_suspected() -> None:
    workload = calls("CART_SERVICE_ADDR", "http://pay:80")
    found = addresses.look(
        snapshot(workload, service("cart"), service("pay")), question()
    ).hypotheses
    assert [h.cause for h in found] == ["service_env_var_address_mismatch"]


def test_hosts_outside_and_plain_values_are_left_alone() -> None:
    for value in (
        "api.example.com:443",
        "https://example.com/x",
        "10.0.0.1:80",
        "info",
        "",
        "8080",
    ):
        assert asked(calls("TARGET_URL", value)) is None
    assert asked(calls("CART_ADDR", "cart.shop.svc.cluster.local:7070")) is None


def test_a_component_that_is_down_is_the_node_s_trouble() -> None:
    for name, cause in (
        ("kubelet", "kubelet_unavailable"),
        ("containerd", "containerd_unavailable"),
        ("kube-proxy", "kube_proxy_unavailable"),
        ("kube-scheduler", "kube_scheduler_unavailable"),
    ):
        facts = snapshot(node("w1"), components=(component("w1", name, running=False),))
        assert answer(components.look(facts, question())) == (cause, "node/w1")


def test_components_that_run_are_fine() -> None:
    facts = snapshot(node("w1"), components=(component("w1", "kubelet", running=True),))
    assert components.look(facts, question()).hypotheses == ()


def test_a_node_that_stopped_posting_its_status_has_no_kubelet() -> None:
    condition = {
        "type": "Ready",
        "status": "Unknown",
        "message": "Kubelet stopped posting node status.",
    }
    facts = snapshot(node("w1", conditions=[condition]))
    assert components.look(facts, question()).hypotheses[0].cause == "kubelet_unavailable"
    assert components.look(facts, question()).needs


def test_pressure_is_named() -> None:
    condition = {"type": "DiskPressure", "status": "True", "message": "disk is full"}
    found = components.look(snapshot(node("w1", conditions=[condition])), question())
    assert answer(found) == ("node_disk_pressure", "node/w1")


def test_pods_that_nobody_schedules_ask_for_the_components() -> None:
    workload = deployment("cart")
    found = components.look(snapshot(workload, pending(workload), node("w1")), question())
    assert found.needs
    assert answer(found) is None


def series(service_name: str, usual: float, now: float, signal: str = Signal.LATENCY_P99) -> Series:
    end = NOW.timestamp()
    times = tuple(end - 5 * (60 - i) for i in range(60))
    values = tuple(usual if i < 40 else now for i in range(60))
    source = Source(system="prometheus", query=f"{signal} of {service_name}")
    return Series(
        signal=signal, service=service_name, times=times, values=values, unit="s", source=source
    )


def chain() -> tuple[KubernetesObject, ...]:
    workloads = [deployment(n) for n in ("web", "cart", "pay")]
    return (*workloads, *(pod(w) for w in workloads), node("worker-1"))


EDGES = (edge("web", "cart"), edge("cart", "pay"))


def test_the_service_that_waits_by_itself_is_delayed() -> None:
    measured = (
        series("web", 0.05, 4.6), series("cart", 0.02, 4.5), series("pay", 0.01, 0.011),
        series("cart", 0.1, 0.1, Signal.CPU_CORES),
        series("cart", 9.0, 9.0, "network_receive_packets"),
    )  # fmt: skip
    facts = snapshot(*chain(), series=measured, edges=EDGES)
    assert answer(network.look(facts, question())) == ("pod_network_delay", "deployment/cart")


def test_a_slow_service_that_works_more_is_not_delayed() -> None:
    measured = (series("cart", 0.02, 4.5), series("cart", 0.0, 0.9, Signal.CPU_THROTTLED))
    facts = snapshot(*chain(), series=measured, edges=EDGES)
    assert answer(network.look(facts, question())) is None


def test_usual_latencies_are_no_delay() -> None:
    measured = (series("cart", 0.02, 0.021), series("web", 0.05, 0.05))
    facts = snapshot(*chain(), series=measured, edges=EDGES)
    assert network.look(facts, question()).hypotheses == ()


def test_many_slow_services_on_one_node_are_the_node_s_trouble() -> None:
    here = [deployment(n) for n in ("a", "b", "c")]
    there = deployment("d")
    pods = [pod(w, node="w1") for w in here] + [pod(there, node="w2")]
    measured = (*(series(n, 0.01, 3.0) for n in "abc"), series("d", 0.01, 0.01))
    objects = (*here, there, *pods, node("w1"), node("w2"))
    facts = snapshot(*objects, series=measured)
    assert answer(network.look(facts, question())) == ("node_network_delay", "node/w1")


def test_an_unknown_host_that_a_caller_quotes_is_found() -> None:
    said = log("edge", "failed to charge: lookup carts on 10.0.0.10:53: no such host")
    assert asked(calls("CART_ADDR", "carts:7070"), logs=(said, log("web", "x"))) == WRONG
