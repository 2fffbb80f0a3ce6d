"""Faults on the way to pods that are well: selectors, ports, addresses, nobody there."""

from tests.fakes.faults.fault import Fault, Place
from tests.fakes.manifests import PORT


def _selector(place: Place) -> None:
    place.patch("Service", place.victim, {"spec": {"selector": {"app": f"{place.victim}-v2"}}})


def _target_port(place: Place) -> None:
    ports = [{"port": PORT, "targetPort": PORT + 1, "protocol": "TCP"}]
    place.patch("Service", place.victim, {"spec": {"ports": ports}})


def _address(place: Place) -> None:
    place.roll_container(env=[{"name": "CALLS_ADDR", "value": f"stock-service:{PORT}"}])


def _zero(place: Place) -> None:
    place.patch("Deployment", place.victim, {"spec": {"replicas": 0}})


def _no_endpoints(place: Place) -> bool:
    found = place.cluster.find("Endpoints", place.namespace, place.victim)
    return not any(s.get("addresses") for s in (found or {}).get("subsets") or ())


ROUTING = (
    Fault(
        name="selector mismatch", cause=("service_selector_mismatch",),
        label="service_selector_mismatch", inject=_selector, shows=_no_endpoints,
    ),
    Fault(
        name="wrong target port", cause=("service_port_mapping_mismatch",),
        label="service_port_mapping_mismatch", inject=_target_port, shows=lambda _: True,
    ),
    Fault(
        name="variable that points nowhere", cause=("service_env_var_address_mismatch",),
        label="service_env_var_address_mismatch",
        inject=_address, shows=lambda p: p.logged("no such host"),
    ),
    Fault(
        name="zero replicas", cause=("deployment_zero_replicas",),
        label="deployment_zero_replicas", inject=_zero, shows=_no_endpoints,
    ),
)  # fmt: skip
