"""Databases as their clients see them: credentials, port, read-only, connections used up."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import KubernetesObject, LogTemplate, Snapshot
from bot.reasoning import needs
from bot.reasoning.kubernetes import (
    Cluster,
    cluster_of,
    containers,
    environment,
    get,
    is_ready,
    items,
    pod_spec,
)
from bot.reasoning.statements import GOOD, HINT, PROOF, STRONG, blame, event_text, saw

NAME = "databases"
# Source: error texts of MySQL 5.7 and 8, PostgreSQL 9 to 17, MongoDB, Redis and their drivers.
DENIED = re.compile(
    r"Access denied for user|password authentication failed|Authentication failed|WRONGPASS|"
    r"NOAUTH|role \"[^\"]+\" does not exist|28P01|invalid username-password",
    re.I,
)
FULL = re.compile(
    r"Too many connections|remaining connection slots are reserved|sorry, too many clients|"
    r"max number of clients reached|53300|rejected establishment of connection",
    re.I,
)
READ_ONLY = re.compile(
    r"running with the --(?:super-)?read-only|read-only transaction|READONLY You can't write|"
    r"super_read_only|Connection is read-only|database is read[- ]only|25006",
    re.I,
)
NO_LINK = re.compile(
    r"Communications link failure|ECONNREFUSED|Connection refused|could not connect to server",
    re.I,
)
ENGINE = re.compile(
    r"mysql|maria|postgres|pgbouncer|mongo|redis|percona|oracle|mssql|cassandra", re.I
)
PORT_KEY = re.compile(r"(?:^|_)PORT$")
SECRET_KEY = re.compile(r"(?:^|_)PASS(?:WORD|WD)?$", re.IGNORECASE)
PEERS = 3  # clients that agree: enough to call another odd
HOST_KEY = re.compile(r"(?:^|_)(?:HOST|ADDR|ADDRESS)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What the clients' and the server's lines say of one kind of trouble."""

    cause: str
    pattern: re.Pattern[str]
    summary: str


SERVER_TROUBLE = (
    Trouble(cause="db_connection_exhaustion", pattern=FULL, summary="has no connection left"),
    Trouble(cause="db_readonly_mode", pattern=READ_ONLY, summary="refuses writes: it is read-only"),
)


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return databases that refuse everybody, and clients that are refused alone."""
    cluster = cluster_of(snapshot)
    hypotheses: list[Hypothesis] = []
    for trouble in SERVER_TROUBLE:
        hypotheses += _of_server(cluster, trouble)
    hypotheses += _denied(cluster)
    known = {h.service for h in hypotheses}
    hypotheses += (h for h in _odd_credentials(cluster) if h.service not in known)
    hypotheses += _wrong_port(cluster)
    return Finding(hypotheses=tuple(hypotheses), needs=_needs(cluster, question))


def _needs(cluster: Cluster, question: Question) -> tuple[Need, ...]:
    """The last words of whoever is not ready; and the databases', since they may refuse them."""
    unready = {w.name for w in cluster.workloads if cluster.unready(w)}
    alarmed = {alert.service for alert in cluster.snapshot.alerts if alert.service}
    if not unready and not alarmed:
        return ()
    databases = {w.name for w in cluster.workloads if is_database(w)}
    services = unready | alarmed | databases
    return (needs.of_services(Fact.LOGS, question, services, reason="what they complain of"),)


def is_database(workload: KubernetesObject) -> bool:
    """Say whether a workload runs a database, by its image."""
    images = (str(container.get("image")) for container in containers(pod_spec(workload)))
    return any(ENGINE.search(image.rpartition("/")[2]) for image in images)


def _saying(cluster: Cluster, pattern: re.Pattern[str]) -> dict[str, LogTemplate]:
    found: dict[str, LogTemplate] = {}
    for log in cluster.snapshot.logs:
        if pattern.search(log.example):
            known = found.get(log.service)
            if known is None or known.count < log.count:
                found[log.service] = log
    return found


def _of_server(cluster: Cluster, trouble: Trouble) -> Iterator[Hypothesis]:
    saying = _saying(cluster, trouble.pattern)
    events = [e for e in cluster.all("Event") if trouble.pattern.search(str(e.body.get("message")))]
    for database in (w for w in cluster.workloads if is_database(w)):
        pods = {pod.name for pod in cluster.pods_of(database)}
        own = [e for e in events if get(e.body, "involvedObject", "name") in pods]
        clients = {n: log for n, log in saying.items() if n != database.name}
        named = [n for n in clients if _uses(cluster, n, database)]
        if database.name not in saying and not own and not named:
            continue
        evidence = _server_evidence(database, saying, own, named or list(clients))
        if named:
            text = f"{len(named)} of them are set up to use {database.name}"
            evidence.append(saw(text, GOOD, database))
        yield blame(
            trouble.cause,
            database,
            f"{database.name} {trouble.summary}",
            evidence,
            analyzer=NAME,
            explains=sorted(clients),
            hint="raise_limit",
        )


def _server_evidence(
    database: KubernetesObject,
    saying: dict[str, LogTemplate],
    own: Sequence[KubernetesObject],
    clients: Sequence[str],
) -> list[Evidence]:
    evidence = []
    if database.name in saying:
        log = saying[database.name]
        evidence.append(
            saw(f"{log.count}x in its own log: {log.example[:160]}", STRONG, log.source)
        )
    if own:
        evidence.append(saw(event_text(own[-1]), STRONG, own[-1]))
    if clients:
        log = saying[clients[0]]
        names = ", ".join(sorted(clients)[:4])
        text = f"{len(clients)} clients ({names}) log: {log.example[:160]}"
        evidence.append(saw(text, STRONG if len(clients) > 1 else GOOD, log.source))
        evidence.append(
            saw("the database's own words, as the clients quote them", GOOD, log.source)
        )
    return evidence


def _uses(cluster: Cluster, client: str, database: KubernetesObject) -> bool:
    workload = next((w for w in cluster.workloads if w.name == client), None)
    hosts = (
        [v for k, v in settings(cluster, workload).items() if HOST_KEY.search(k)]
        if workload
        else []
    )
    return any(_leads_to(cluster, host, database) for host in hosts)


def _leads_to(cluster: Cluster, host: str, database: KubernetesObject) -> bool:
    name = host.partition(":")[0].partition(".")[0]
    service = cluster.find("Service", name)
    if service is None:
        return False
    return any(cluster.owner(pod) == database for pod in cluster.selected_by(service))


def settings(cluster: Cluster, workload: KubernetesObject) -> dict[str, str]:
    """Return a workload's variables: plain ones, and those of config maps and readable secrets."""
    found: dict[str, str] = {}
    for container in containers(pod_spec(workload)):
        for source in items(container, "envFrom"):
            for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                item = cluster.find(kind, str(get(source, field, "name")), workload.namespace)
                data = get(item.body, "data") if item else None
                found |= {str(k): str(v) for k, v in (data or {}).items()}
        found |= environment(container)
    return found


def _denied(cluster: Cluster) -> Iterator[Hypothesis]:
    saying = _saying(cluster, DENIED)
    clients = [w for w in cluster.workloads if w.name in saying and not is_database(w)]
    for workload in clients:
        log = saying[workload.name]
        unready = cluster.unready(workload)
        evidence = [
            saw(f"its log, {log.count}x: {log.example[:200]}", PROOF, log.source),
            saw("the server is there and answers: only who asks is refused", GOOD, log.source),
        ]
        if unready:
            evidence.append(
                saw(f"{len(unready)} pods of {workload.name} are not ready", GOOD, unready[0])
            )
        else:
            evidence.append(saw(f"{workload.name}'s pods are ready all the same", -GOOD, workload))
        evidence += _peers(cluster, workload, len(clients))
        engine = (
            "mysql"
            if re.search(r"mysql|maria|Access denied for user", log.example, re.I)
            else "database"
        )
        yield blame(
            f"{engine}_invalid_credentials",
            workload,
            f"{workload.name}'s user or password is refused by its database",
            evidence,
            analyzer=NAME,
            hint="revert_config",
        )


def _odd_credentials(cluster: Cluster) -> Iterator[Hypothesis]:
    """Unready clients whose password (as far as it can be compared) is not that of their peers."""
    by_host: dict[str, dict[str, tuple[KubernetesObject, str]]] = {}
    for workload in cluster.workloads:
        mine = settings(cluster, workload)
        host = next((v for k, v in sorted(mine.items()) if HOST_KEY.search(k)), "")
        secret = next((v for k, v in sorted(mine.items()) if SECRET_KEY.search(k)), "")
        if host and secret:
            by_host.setdefault(host, {})[workload.name] = (workload, secret)
    for host, clients in sorted(by_host.items()):
        counts = Counter(secret for _, secret in clients.values())
        usual, number = counts.most_common(1)[0]
        for workload, secret in clients.values():
            if number >= PEERS and secret != usual and cluster.unready(workload):
                yield _odd(cluster, workload, host, number)


def _odd(cluster: Cluster, workload: KubernetesObject, host: str, number: int) -> Hypothesis:
    unready = cluster.unready(workload)
    text = f"its password for {host} differs from that of {number} other clients"
    evidence = [
        saw(text, STRONG, workload),
        saw(f"{len(unready)} pods of {workload.name} are not ready", GOOD, unready[0]),
        saw(f"the {number} others use the same database well", GOOD, workload),
    ]
    engine = "mysql" if "mysql" in host or "maria" in host else "database"
    return blame(
        f"{engine}_invalid_credentials",
        workload,
        f"{workload.name} uses another password for {host} than everybody else",
        evidence,
        analyzer=NAME,
        hint="revert_config",
    )


def _peers(cluster: Cluster, workload: KubernetesObject, refused: int) -> list[Evidence]:
    """Others log in well at the same database, so its side is in order."""
    hosts = {v for k, v in settings(cluster, workload).items() if HOST_KEY.search(k)}
    same = [
        other
        for other in cluster.workloads
        if other is not workload
        and hosts & {v for k, v in settings(cluster, other).items() if HOST_KEY.search(k)}
        and cluster.pods_of(other)
        and all(is_ready(pod) for pod in cluster.pods_of(other))
    ]
    if same and refused == 1:
        return [saw(f"{len(same)} other clients of the same database are fine", HINT, same[0])]
    return []


def _wrong_port(cluster: Cluster) -> Iterator[Hypothesis]:
    saying = _saying(cluster, NO_LINK)
    for workload in cluster.workloads:
        log = saying.get(workload.name)
        if log is None:
            continue
        mine = settings(cluster, workload)
        for key, port in mine.items():
            if not PORT_KEY.search(key) or not port.isdigit():
                continue
            host = next((v for k, v in mine.items() if k == PORT_KEY.sub("_HOST", key)), "")
            service = cluster.find("Service", host.partition(".")[0])
            offered = (
                [p.get("port") for p in items(service.body, "spec", "ports")] if service else []
            )
            if service and offered and int(port) not in offered:
                yield _port_blame(workload, log, service, f"{key}={port}", offered)


def _port_blame(
    workload: KubernetesObject,
    log: LogTemplate,
    service: KubernetesObject,
    setting: str,
    offered: Sequence[object],
) -> Hypothesis:
    listed = ", ".join(str(port) for port in offered)
    evidence = [
        saw(f"{setting}; service {service.name} offers {listed}", PROOF, service),
        saw(f"its log, {log.count}x: {log.example[:200]}", STRONG, log.source),
    ]
    engine = (
        "mysql" if re.search("mysql", log.example + service.name + setting, re.I) else "database"
    )
    return blame(
        f"{engine}_invalid_port",
        workload,
        f"{workload.name} asks for its database on a port that {service.name} does not offer",
        evidence,
        analyzer=NAME,
        hint="revert_config",
    )
