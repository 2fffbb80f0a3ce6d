"""A small shop of four workloads that call each other, as the faults find it: all is well."""

from typing import Any

from tests.fakes.manifests import (
    PORT,
    SHELL,
    WEB,
    config_map,
    container,
    deployment,
    http_probe,
    service,
)
from tests.fakes.real_cluster import Json, RealCluster, secret

WORKLOADS = ("frontend", "cart", "orders", "orders-mysql")
CALLS = {"frontend": "cart", "cart": "orders", "orders": "cart"}
# No DNS and no service addresses on that cluster: the names of the shop lead to the caller itself,
# and what a resolver would say of other names is said by the caller.
# (That busybox is linked statically: whatever looks a name or an address up in it crashes.)
ASK = (
    "ask() { host=${CALLS_ADDR%:*}; "
    "ip=$(awk -v h=$host '{for (i = 2; i <= NF; i++) if ($i == h) print $1}' /etc/hosts); "
    'if [ -n "$ip" ]; then true; '
    'elif grep -q 10.96.0.10 /etc/resolv.conf; then echo "lookup $host: no such host"; false; '
    'else echo "lookup $host: Temporary failure in name resolution"; false; fi; }; '
)
SERVE = (
    "mkdir -p /www; echo ok > /www/index.html; httpd -p 8080 -h /www; trap 'exit 0' TERM; "
    + ASK
    + "while :; do "
    'if ask; then echo "INFO GET http://$CALLS_ADDR/ 200"; '
    'else echo "ERROR GET http://$CALLS_ADDR/ failed"; fi; sleep 5 & wait $!; done'
)
# A stand-in for a driver: it refuses, in MySQL's words, any password that is not the database's.
CONNECT = (
    'case "$DB_PASSWORD" in right-*) ;; *) echo "ERROR java.sql.SQLException: Access denied for '
    "user 'shop'@'10.244.1.7' (using password: YES)\"; sleep 1; exit 1;; esac; "
)
DATABASE = (
    "trap 'exit 0' TERM; nc -ll -p 3306 -e echo ready & "
    "while :; do echo 'Note: ready for connections'; sleep 5 & wait $!; done"
)


def shop() -> list[Json]:
    """Return the shop's objects."""
    clients = [_client(name) for name in CALLS]
    ready = {"tcpSocket": {"port": 3306}, "periodSeconds": 3}
    ports = [{"name": "mysql", "containerPort": 3306}]
    database = container(SHELL, script=DATABASE, ports=ports, readinessProbe=ready)
    return [
        secret("orders-db", password="right-4711"),
        config_map("shop-config", LOG_LEVEL="info", POOL_SIZE="20"),
        *clients,
        *(service(name, ports=[_port(PORT)]) for name in CALLS),
        deployment("orders-mysql", database),
        service("orders-mysql", ports=[_port(3306)]),
    ]


def open_shop(cluster: RealCluster, namespace: str, *, within_s: float = 300.0) -> None:
    """Apply the shop."""
    cluster.apply(namespace, *shop())


def opened(cluster: RealCluster, namespace: str, *, within_s: float = 300.0) -> None:
    """Wait until all of the shop serves."""
    cluster.rolled_out(namespace, *WORKLOADS, within_s=within_s)


def _client(name: str) -> Json:
    environment: list[Json] = [{"name": "CALLS_ADDR", "value": f"{CALLS[name]}:{PORT}"}]
    if name == "orders":
        reference = {"secretKeyRef": {"name": "orders-db", "key": "password"}}
        environment += [
            {"name": "DB_HOST", "value": "orders-mysql"}, {"name": "DB_PORT", "value": "3306"},
            {"name": "DB_PASSWORD", "valueFrom": reference},
        ]  # fmt: skip
    script = CONNECT + SERVE if name == "orders" else SERVE
    app = container(
        WEB, script=script, env=environment, ports=[{"name": "http", "containerPort": PORT}],
        readinessProbe=http_probe(periodSeconds=3), livenessProbe=http_probe(periodSeconds=10),
    )  # fmt: skip
    names = {"ip": "127.0.0.1", "hostnames": list(WORKLOADS)}
    return deployment(name, app, hostAliases=[names])


def _port(port: int) -> dict[str, Any]:
    return {"port": port, "targetPort": port, "protocol": "TCP"}
