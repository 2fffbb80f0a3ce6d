"""Who uses which database, by host, port and password of the clients' settings."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.domain.snapshot import KubernetesObject, LogTemplate
from bot.reasoning.database_texts import ENGINE, RECONNECTED, URL
from bot.reasoning.kubernetes import (
    Cluster,
    containers,
    environment,
    get,
    items,
    listening_ports,
    pod_spec,
)

HOST_KEY = re.compile(r"(?:^|[_.-])(?:HOST(?:NAME)?|ADDR(?:ESS)?|SERVER|URL|URI|DSN)$", re.I)
PORT_KEY = re.compile(r"(?:^|[_.-])PORT$", re.I)
SECRET_KEY = re.compile(r"(?:^|_)PASS(?:WORD|WD)?$", re.IGNORECASE)
DATABASE_KEY = re.compile(
    r"(?:^|[_.-])(?:DB|DATABASE|SQL|DATASOURCE|BROKER|AMQP|CACHE|STORE)(?:[_.-]|$)", re.I
)
SIBLINGS = ("HOST", "HOSTNAME", "ADDR", "ADDRESS", "SERVER", "SERVICE_HOST")
CHATTY = frozenset({"info", "debug", "trace", "notice"})
RISEN = 2.0  # times the count of the window before: more than the usual noise


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialled:
    """An address that a client's settings hold: where, and which setting says so."""

    host: str
    port: int
    setting: str
    is_url: bool


def is_database(workload: KubernetesObject) -> bool:
    """Say whether a workload runs a database or a broker, by its image or its port's name."""
    there = containers(pod_spec(workload))
    images = [str(container.get("image")).rpartition("/")[2] for container in there]
    ports = [str(port.get("name")) for container in there for port in items(container, "ports")]
    return any(ENGINE.search(name) for name in (*images, *ports))


def saying(cluster: Cluster, pattern: re.Pattern[str]) -> dict[str, LogTemplate]:
    """Return, per service, the most frequent present complaint that fits a pattern."""
    found: dict[str, LogTemplate] = {}
    for log in cluster.snapshot.logs:
        if pattern.search(log.example) and is_trouble(log):
            known = found.get(log.service)
            if known is None or known.count < log.count:
                found[log.service] = log
    return found


def is_trouble(log: LogTemplate) -> bool:
    """Say whether a line complains, now, of something that it did not complain of all along."""
    usual = log.baseline_count or 0
    chronic = usual > 0 and log.count < RISEN * usual
    return not chronic and log.level.lower() not in CHATTY and not RECONNECTED.search(log.example)


def settings(cluster: Cluster, workload: KubernetesObject) -> dict[str, str]:
    """Return a workload's variables: plain ones, and those of config maps and readable secrets."""
    found: dict[str, str] = {}
    for container in containers(pod_spec(workload)):
        for source in items(container, "envFrom"):
            for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                found |= _data(cluster, kind, get(source, field, "name"), workload)
        for variable in items(container, "env"):
            for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                named = get(variable, "valueFrom", field)
                values = _data(cluster, kind, get(named, "name"), workload) if named else {}
                if (value := values.get(str(get(named, "key")))) is not None:
                    found[str(variable.get("name"))] = value
        found |= environment(container)
    return found


def _data(cluster: Cluster, kind: str, name: object, workload: KubernetesObject) -> dict[str, str]:
    item = cluster.find(kind, str(name), workload.namespace)
    data = get(item.body, "data") if item else None
    return {str(k): str(v) for k, v in data.items()} if isinstance(data, Mapping) else {}


def hosts(mine: Mapping[str, str]) -> set[str]:
    """Return the hosts that some settings name, without scheme, credentials and port."""
    found = {host_of(v) for k, v in mine.items() if HOST_KEY.search(k) or URL.match(v.strip())}
    return found - {""}


def host_of(value: str) -> str:
    """Return the host of "host", "host:port" or a URL."""
    if match := URL.match(value.strip()):
        return match["host"]
    return value.strip().rpartition("//")[2].rpartition("@")[2].partition("/")[0].partition(":")[0]


def uses(cluster: Cluster, client: str, database: KubernetesObject) -> bool:
    """Say whether a workload of that name is set up to use a database."""
    workload = next((w for w in cluster.workloads if w.name == client), None)
    named = hosts(settings(cluster, workload)) if workload else set()
    return any(leads_to(cluster, host, database) for host in named)


def leads_to(cluster: Cluster, host: str, database: KubernetesObject) -> bool:
    """Say whether a host is a service (or a pod of a stateful set) in front of a database."""
    labels = host.split(".")
    services = (cluster.find("Service", name, database.namespace) for name in labels[:2])
    return any(
        cluster.owner(pod) == database
        for service in services
        if service is not None
        for pod in cluster.selected_by(service)
    )


def dialled(mine: Mapping[str, str]) -> Iterator[Dialled]:
    """Yield the addresses that settings hold: URLs of drivers, and ports beside hosts."""
    for key, value in sorted(mine.items()):
        if match := URL.match(value.strip()):
            port = int(match["port"])
            yield Dialled(host=match["host"], port=port, setting=f"{key}=…:{port}", is_url=True)
        elif PORT_KEY.search(key) and value.strip().isdigit():
            host = _beside(key, mine)
            if host:
                port = int(value)
                yield Dialled(host=host, port=port, setting=f"{key}={port}", is_url=False)


def _beside(key: str, mine: Mapping[str, str]) -> str:
    stem = PORT_KEY.sub("", key)
    joint = key[len(stem)] if len(key) > len(stem) and key[len(stem)] in "_.-" else ""
    names = {(stem + joint + s).upper() for s in SIBLINGS}
    found = (v for k, v in sorted(mine.items()) if k.upper() in names)
    return next((host_of(v) for v in found), "")


def not_offered(cluster: Cluster, address: Dialled) -> tuple[KubernetesObject, list[int]] | None:
    """Return the service and its ports if it does not offer the port that is dialled."""
    service = cluster.find("Service", address.host.partition(".")[0])
    ports = items(service.body, "spec", "ports") if service else []
    offered = [int(p["port"]) for p in ports if isinstance(p.get("port"), int)]
    if service is None or not offered or address.port in offered:
        return None
    headless = get(service.body, "spec", "clusterIP") == "None"
    behind = [o for pod in cluster.selected_by(service) if (o := cluster.owner(pod))]
    if headless and any(address.port in listening_ports(pod_spec(o)) for o in behind):
        return None  # its name leads to the pods themselves, on any port
    return service, offered


def is_database_address(cluster: Cluster, address: Dialled) -> bool:
    """Say whether an address is a database's: by the driver, the names, or what runs there."""
    key = address.setting.partition("=")[0]
    if address.is_url or ENGINE.search(address.host) or ENGINE.search(key):
        return True
    service = cluster.find("Service", address.host.partition(".")[0])
    behind = [cluster.owner(pod) for pod in cluster.selected_by(service)] if service else []
    return any(o is not None and is_database(o) for o in behind) or (
        not behind and bool(DATABASE_KEY.search(key))
    )
