"""Faults of containers that start: probes, memory, ports, credentials, names."""

from typing import Any

from tests.fakes.faults.fault import Fault, Place
from tests.fakes.faults.shop import SERVE
from tests.fakes.manifests import PORT, SHELL, http_probe

SLOW_START = "echo 'loading the catalogue'; sleep 25; " + SERVE
HOG = "httpd -p 8080 -h /www; echo 'INFO warming the cache'; sleep 4; exec tail /dev/zero"
FULL = (
    "trap 'exit 0' TERM; nc -ll -p 3306 -e echo ready & while :; do "
    "echo '[ERROR] Too many connections'; sleep 1 & wait $!; done"
)
FULL_CLIENT = (
    "echo 'ERROR com.mysql.jdbc.exceptions.MySQLNonTransientConnectionException: Data source "
    'rejected establishment of connection,  message from server: "Too many connections"\'; '
    "sleep 1; exit 1"
)


def _probe(kind: str, **fields: Any) -> dict[str, Any]:
    return {kind: {**http_probe(), "failureThreshold": 2, **fields}}


def _liveness_port(place: Place) -> None:
    place.roll_container(**_probe("livenessProbe", **http_probe(PORT + 1)))


def _liveness_protocol(place: Place) -> None:
    target = {"path": "/", "port": PORT, "scheme": "HTTPS"}
    place.roll_container(**_probe("livenessProbe", httpGet=target))


def _liveness_timing(place: Place) -> None:
    place.roll_container(
        command=["sh", "-c", SLOW_START],
        **_probe("livenessProbe", initialDelaySeconds=1, failureThreshold=1, timeoutSeconds=1),
    )


def _readiness_port(place: Place) -> None:
    place.roll_container(**_probe("readinessProbe", **http_probe(PORT + 1)))


def _readiness_protocol(place: Place) -> None:
    target = {"path": "/", "port": PORT, "scheme": "HTTPS"}
    place.roll_container(**_probe("readinessProbe", httpGet=target))


def _memory_hog(place: Place) -> None:
    place.roll_container(command=["sh", "-c", HOG])


def _sidecar_port(place: Place) -> None:
    script = "echo 'starting the proxy'; httpd -f -p 8080 2>&1 || { echo 'exit'; exit 1; }"
    ports = [{"name": "proxy", "containerPort": PORT}]
    sidecar = {
        "name": "proxy", "image": SHELL, "command": ["sh", "-c", f"sleep 1; {script}"],
        "ports": ports, "resources": {"limits": {"memory": "32Mi"}},
    }  # fmt: skip
    place.roll(containers=[sidecar])


def _credentials(place: Place) -> None:
    place.victim = "orders"
    replaced = {"name": "DB_PASSWORD", "value": "wrong-1147", "valueFrom": None}
    place.roll_container(env=[replaced])


def _connections(place: Place) -> None:
    place.victim = "orders"
    place.roll_container(command=["sh", "-c", FULL_CLIENT])
    place.victim = "orders-mysql"
    place.roll_container(command=["sh", "-c", FULL])


def _clients_fail(place: Place) -> bool:
    """Whether the database says so, and its client has ended of it more than once."""
    clients = place.cluster.items("Pod", place.namespace, "app=orders")
    states = [s for pod in clients for s in pod["status"].get("containerStatuses", ())]
    ended = any(s["restartCount"] >= 2 for s in states)
    return ended and place.logged("Too many connections")


def _names(place: Place) -> None:
    place.roll(
        hostAliases=[{"ip": "127.0.0.1", "$patch": "delete"}],
        dnsPolicy="None",
        dnsConfig={"nameservers": ["127.0.0.1"]},
    )


RUNTIME = (
    Fault(
        name="wrong liveness port", cause=("liveness_probe_incorrect_port",),
        label="liveness_probe_incorrect_port",
        inject=_liveness_port, shows=lambda p: p.restarts() >= 2,
    ),
    Fault(
        name="wrong liveness protocol", cause=("liveness_probe_incorrect_protocol",),
        label="liveness_probe_incorrect_protocol",
        inject=_liveness_protocol, shows=lambda p: p.restarts() >= 2,
    ),
    Fault(
        name="wrong probe timing", cause=("liveness_probe_incorrect_timing",),
        label="liveness_probe_incorrect_timing",
        inject=_liveness_timing, shows=lambda p: p.restarts() >= 2,
    ),
    Fault(
        name="wrong readiness port", cause=("readiness_probe_incorrect_port",),
        label="readiness_probe_incorrect_port",
        inject=_readiness_port, shows=lambda p: p.told("Unhealthy", "connection refused"),
    ),
    Fault(
        name="wrong readiness protocol", cause=("readiness_probe_incorrect_protocol",),
        label="readiness_probe_incorrect_protocol",
        inject=_readiness_protocol, shows=lambda p: p.told("Unhealthy", "HTTP"),
    ),
    Fault(
        name="memory hog", cause=("oom_killed", "memory_leak"), label="oom_killed",
        inject=_memory_hog, shows=lambda p: p.restarts() >= 2,
    ),
    Fault(
        name="sidecar on the same port",
        cause=("service_sidecar_port_conflict", "container_port_conflict"),
        label="service_sidecar_port_conflict",
        inject=_sidecar_port, shows=lambda p: p.restarts() >= 2,
    ),
    Fault(
        name="wrong database password", cause=("database_invalid_credentials",
                                               "mysql_invalid_credentials"),
        label="mysql_invalid_credentials",
        inject=_credentials, shows=lambda p: p.restarts() >= 2,
    ),
    Fault(
        name="database connections used up",
        cause=("db_connection_exhaustion", "database_connections_exhausted"),
        label="db_connection_exhaustion",
        inject=_connections, shows=_clients_fail,
    ),
    Fault(
        name="names do not resolve",
        cause=("service_dns_resolution_failure", "dns_resolution_failure"),
        label="service_dns_resolution_failure",
        inject=_names, shows=lambda p: p.logged("Temporary failure"),
    ),
)  # fmt: skip
