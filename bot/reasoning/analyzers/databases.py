"""Databases as their clients see them: credentials, port, read-only, connections, disk."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import KubernetesObject, LogTemplate, Snapshot
from bot.reasoning import needs
from bot.reasoning.database_clients import (
    HOST_KEY,
    SECRET_KEY,
    Dialled,
    dialled,
    host_of,
    hosts,
    is_database,
    is_database_address,
    not_offered,
    saying,
    settings,
    uses,
)
from bot.reasoning.database_texts import DENIED, FULL, NO_LINK, NO_SPACE, OF_A_DATABASE, READ_ONLY
from bot.reasoning.kubernetes import Cluster, cluster_of, get, is_ready
from bot.reasoning.statements import GOOD, HINT, PROOF, STRONG, blame, event_text, saw

NAME = "databases"
PEERS = 3  # clients that agree: enough to call another odd


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What the clients' and the server's lines say of one kind of trouble."""

    cause: str
    pattern: re.Pattern[str]
    summary: str
    by_clients: bool = True  # whether what a client says is about the database, not about itself


SERVER_TROUBLE = (
    Trouble(cause="db_connection_exhaustion", pattern=FULL, summary="has no connection left"),
    Trouble(cause="db_readonly_mode", pattern=READ_ONLY, summary="refuses writes: it is read-only"),
    Trouble(
        cause="disk_full", pattern=NO_SPACE, summary="has no space left on its disk",
        by_clients=False,
    ),
)  # fmt: skip


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


def _of_server(cluster: Cluster, trouble: Trouble) -> Iterator[Hypothesis]:
    said = saying(cluster, trouble.pattern)
    events = [e for e in cluster.all("Event") if trouble.pattern.search(str(e.body.get("message")))]
    databases = [w for w in cluster.workloads if is_database(w)]
    for database in databases:
        pods = {pod.name for pod in cluster.pods_of(database)}
        own = [e for e in events if get(e.body, "involvedObject", "name") in pods]
        apart = {w.name for w in databases}
        clients = {n: log for n, log in said.items() if n not in apart and trouble.by_clients}
        named = [n for n in clients if uses(cluster, n, database)]
        if database.name not in said and not own and not named:
            continue
        evidence = _server_evidence(database, said, own, named or list(clients))
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
    said: Mapping[str, LogTemplate],
    own: Sequence[KubernetesObject],
    clients: Sequence[str],
) -> list[Evidence]:
    evidence = []
    if database.name in said:
        log = said[database.name]
        evidence.append(
            saw(f"{log.count}x in its own log: {log.example[:160]}", STRONG, log.source)
        )
        evidence.append(saw("it says so itself", STRONG, log.source))
    if own:
        evidence.append(saw(event_text(own[-1]), STRONG, own[-1]))
    if clients:
        log = said[clients[0]]
        names = ", ".join(sorted(clients)[:4])
        text = f"{len(clients)} clients ({names}) log: {log.example[:160]}"
        evidence.append(saw(text, STRONG if len(clients) > 1 else GOOD, log.source))
        text = "the database's own words, as the clients quote them"
        evidence.append(saw(text, STRONG, log.source))
    return evidence


def _denied(cluster: Cluster) -> Iterator[Hypothesis]:
    said = saying(cluster, DENIED)
    clients = [w for w in cluster.workloads if w.name in said and not is_database(w)]
    for workload in clients:
        log = said[workload.name]
        unready = cluster.unready(workload)
        sure = unready or OF_A_DATABASE.search(log.example)  # else a visitor's login may be meant
        evidence = [
            saw(f"its log, {log.count}x: {log.example[:200]}", PROOF if sure else GOOD, log.source),
            saw("the server is there and answers: only who asks is refused", GOOD, log.source),
        ]
        if unready:
            evidence.append(
                saw(f"{len(unready)} pods of {workload.name} are not ready", GOOD, unready[0])
            )
        else:
            evidence.append(saw(f"{workload.name}'s pods are ready all the same", -GOOD, workload))
        evidence += _peers(cluster, workload, len(clients))
        yield _credentials(
            workload, f"{workload.name}'s user or password is refused by its database", evidence
        )


def _credentials(
    workload: KubernetesObject, summary: str, evidence: Sequence[Evidence]
) -> Hypothesis:
    return blame(
        "database_invalid_credentials",
        workload,
        summary,
        evidence,
        analyzer=NAME,
        hint="revert_config",
    )


def _odd_credentials(cluster: Cluster) -> Iterator[Hypothesis]:
    """Unready clients whose password (as far as it can be compared) is not that of their peers."""
    by_host: dict[str, dict[str, tuple[KubernetesObject, str]]] = {}
    for workload in cluster.workloads:
        mine = settings(cluster, workload)
        host = next((host_of(v) for k, v in sorted(mine.items()) if HOST_KEY.search(k)), "")
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
    text = f"{workload.name} uses another password for {host} than everybody else"
    return _credentials(workload, text, evidence)


def _peers(cluster: Cluster, workload: KubernetesObject, refused: int) -> list[Evidence]:
    """Others log in well at the same database, so its side is in order."""
    mine = hosts(settings(cluster, workload))
    same = [
        other
        for other in cluster.workloads
        if other is not workload
        and mine & hosts(settings(cluster, other))
        and cluster.pods_of(other)
        and all(is_ready(pod) for pod in cluster.pods_of(other))
    ]
    if same and refused == 1:
        return [saw(f"{len(same)} other clients of the same database are fine", HINT, same[0])]
    return []


def _wrong_port(cluster: Cluster) -> Iterator[Hypothesis]:
    said = saying(cluster, NO_LINK)
    talks = {log.service for log in cluster.snapshot.logs}
    for workload in cluster.workloads:
        for address in dialled(settings(cluster, workload)):
            found = not_offered(cluster, address)
            if found is None or not is_database_address(cluster, address):
                continue
            evidence = [*_asks(address, *found), *_fails(cluster, workload)]
            log = said.get(workload.name)
            if log is not None:
                text = f"its log, {log.count}x: {log.example[:200]}"
                evidence.append(saw(text, STRONG, log.source))
            elif workload.name in talks:
                evidence.append(saw("its log speaks of no failed connection", -GOOD, workload))
            yield _port_blame(workload, found[0], evidence)


def _asks(address: Dialled, service: KubernetesObject, offered: Sequence[int]) -> list[Evidence]:
    listed = ", ".join(str(port) for port in offered)
    text = f"{address.setting}; service {service.name} offers {listed}"
    return [saw(text, PROOF, service)]


def _fails(cluster: Cluster, workload: KubernetesObject) -> list[Evidence]:
    unready = cluster.unready(workload)
    if unready:
        text = f"{len(unready)} pods of {workload.name} are not ready"
        return [saw(text, GOOD, unready[0])]
    return [saw(f"{workload.name}'s pods are ready all the same", -HINT, workload)]


def _port_blame(
    workload: KubernetesObject, service: KubernetesObject, evidence: Sequence[Evidence]
) -> Hypothesis:
    return blame(
        "database_invalid_port",
        workload,
        f"{workload.name} asks for its database on a port that {service.name} does not offer",
        evidence,
        analyzer=NAME,
        hint="revert_config",
    )
