"""Routes to the wrong backend."""

from bot.domain.diagnosis import Finding
from bot.reasoning.analyzers.gateways import look
from tests.fakes.cluster import answer, container, deployment, item, question, service, snapshot

SERVICES = (service("shop-cart-service"), service("shop-order-service"))


def ingress(path: str, backend: str) -> Finding:
    route = {"path": path, "backend": {"service": {"name": backend, "port": {"number": 80}}}}
    gate = item("Ingress", "front", spec={"rules": [{"http": {"paths": [route]}}]})
    return look(snapshot(gate, *SERVICES), question())


def test_a_path_that_another_service_is_called_by_is_suspected() -> None:
    found = ingress("/api/v1/cartservice", "shop-order-service").hypotheses
    assert [(h.cause, h.object) for h in found] == [("gateway_misrouted", "ingress/front")]


def test_a_path_to_its_own_service_and_a_path_of_nobody_are_fine() -> None:
    assert ingress("/api/v1/cartservice", "shop-cart-service").hypotheses == ()
    assert ingress("/", "shop-order-service").hypotheses == ()
    assert ingress("/checkout", "shop-order-service").hypotheses == ()


def test_routes_in_a_config_map_and_in_variables_are_read() -> None:
    text = (
        "routes:\n  - id: cart\n    uri: lb://shop-order-service\n    predicates:\n"
        "    - Path=/api/v1/cartservice/**\n"
    )
    settings = item("ConfigMap", "routes", data={"application.yaml": text})
    reader = container(envFrom=[{"configMapRef": {"name": "routes"}}])
    gateway = deployment("gateway", containers=[reader])
    found = look(snapshot(gateway, settings, *SERVICES), question())
    assert [h.object for h in found.hypotheses] == ["deployment/gateway"]
    env = [
        {"name": "SPRING_CLOUD_GATEWAY_ROUTES_0_URI", "value": "http://shop-order-service:80"},
        {
            "name": "SPRING_CLOUD_GATEWAY_ROUTES_0_PREDICATES_0",
            "value": "Path=/api/v1/cartservice/**",
        },
    ]
    gateway = deployment("gateway", containers=[container(env=env)])
    assert look(snapshot(gateway, *SERVICES), question()).hypotheses
    assert answer(look(snapshot(deployment("web"), *SERVICES), question())) is None
