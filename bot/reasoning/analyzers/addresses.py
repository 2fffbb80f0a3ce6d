"""Variables that point nowhere: no such service, no such port, another service."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import KubernetesObject, LogTemplate, Signal, Snapshot
from bot.reasoning import needs
from bot.reasoning.database_clients import (
    Dialled,
    dialled,
    is_database_address,
    is_trouble,
    not_offered,
    settings,
)
from bot.reasoning.database_texts import NO_LINK, URL
from bot.reasoning.kubernetes import (
    Cluster,
    cluster_of,
    get,
)
from bot.reasoning.series import between
from bot.reasoning.statements import GOOD, HINT, PROOF, STRONG, blame, saw

NAME = "addresses"
ADDRESS = re.compile(
    r"^(?:[a-z][a-z0-9+.-]*://)?(?:[^@/\s]+@)?([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::(\d{2,5}))?(?:/\S*)?$"
)
NAMES_AN_ADDRESS = re.compile(r"ADDR|HOST|URL|URI|ENDPOINT|SERVER|BROKER", re.IGNORECASE)
LOCAL = frozenset({"localhost", "true", "false", "none", "info", "debug", "production"})
NEAR = 0.75
ANSWER = re.compile(
    r"\bHTTP(?:/[\d.]+)?[ :=]+(?!50[234])[1-5]\d\d\b|"
    r"\bstatus(?:[ _]?code)?[ :=]+(?!50[234])[1-5]\d\d\b",
    re.I,
)  # 502 to 504 are what a proxy says when nobody is there
MOST_FAIL = 0.5  # of the calls: to an address that does not exist all of them
FILLER = re.compile(r"(SERVICE|SVC|ADDRESS|ADDR|HOSTNAME|HOST|URL|URI|ENDPOINT|SERVER|PORT|_|-)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A variable of a workload that holds a host of this cluster, and maybe a port."""

    workload: KubernetesObject
    variable: str
    value: str
    host: str
    port: int | None


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return workloads with a variable whose address no service answers."""
    cluster = cluster_of(snapshot)
    if not cluster.knows("Service"):
        return Finding()
    found: dict[tuple[str, str], Hypothesis] = {}
    for address in addresses(cluster):
        for hypothesis in _judge(cluster, address):
            key = (hypothesis.cause, hypothesis.object)
            known = found.get(key)
            if known is None or known.log_odds < hypothesis.log_odds:
                found[key] = hypothesis
    suspects = {hypothesis.service for hypothesis in found.values()}
    return Finding(hypotheses=tuple(found.values()), needs=_needs(question, suspects))


def _needs(question: Question, services: set[str]) -> tuple[Need, ...]:
    if not services:
        return ()
    reason = "whether it complains of the address"
    return (needs.of_services(Fact.LOGS, question, services, reason=reason),)


def addresses(cluster: Cluster) -> Iterator[Address]:
    """Yield the variables of all workloads that look like an address inside the cluster."""
    for workload in cluster.workloads:
        mine = settings(cluster, workload)
        for variable, value in mine.items():
            match = ADDRESS.match(value.strip())
            if not match or match[1] in LOCAL or match[1].replace(".", "").isdigit():
                continue
            if match[2] or NAMES_AN_ADDRESS.search(variable):
                port = int(match[2]) if match[2] else None
                yield Address(
                    workload=workload, variable=variable, value=value, host=match[1], port=port
                )
        for pair in dialled(mine):
            if not is_database_address(cluster, pair):
                variable = pair.setting.partition("=")[0]
                yield Address(
                    workload=workload, variable=variable, value=f"{pair.host}:{pair.port}",
                    host=pair.host, port=pair.port,
                )  # fmt: skip


def _judge(cluster: Cluster, address: Address) -> Iterator[Hypothesis]:
    name, _, rest = address.host.partition(".")
    namespace = rest.partition(".")[0] if rest else address.workload.namespace
    outside = bool(rest) and not _namespaces(cluster) & {namespace}
    if outside and not rest.endswith((".svc", "cluster.local", "svc")):
        return
    service = cluster.find("Service", name, namespace)
    if service is None:
        yield _blame(address, f"no service {name} exists", _unknown(cluster, address, name))
        return
    asked = Dialled(host=name, port=address.port or 0, setting=address.variable, is_url=False)
    refused = not_offered(cluster, asked) if address.port and not URL.match(address.value) else None
    if refused is not None:
        offered = ", ".join(str(port) for port in sorted(refused[1]))
        text = f"service {name} offers port {offered}, not {address.port}"
        evidence = [saw(text, PROOF, service), *_said(cluster, address)]
        yield _blame(address, text, evidence)
    yield from _another(cluster, address, service)


def _namespaces(cluster: Cluster) -> set[str]:
    return {o.namespace for o in cluster.all("Service")} | {
        o.name for o in cluster.all("Namespace")
    }


def _unknown(cluster: Cluster, address: Address, name: str) -> list[Evidence]:
    known = [s.name for s in cluster.all("Service")]
    text = f"{address.variable}={address.value}: no service {name} among {len(known)}"
    evidence = [saw(text, GOOD, address.workload)]
    close = difflib.get_close_matches(name, known, n=1, cutoff=NEAR)
    if close:
        evidence.append(saw(f"service {close[0]} is nearly called so", STRONG, address.workload))
    return evidence + _said(cluster, address)


def _said(cluster: Cluster, address: Address) -> list[Evidence]:
    """What the workload's own errors say of the address; silence speaks against."""
    logs = [log for log in cluster.snapshot.logs if log.service == address.workload.name]
    naming = [log for log in logs if _names(cluster, log, address)]
    return _answered(cluster, address, naming) or _complained(cluster, address, logs, naming)


def _complained(
    cluster: Cluster, address: Address, logs: list[LogTemplate], naming: list[LogTemplate]
) -> list[Evidence]:
    if naming:
        best = max(naming, key=lambda log: log.count)
        return [saw(f"{best.count}x in its log: {best.example[:200]}", PROOF, best.source)]
    quoted = [log for log in cluster.snapshot.logs if _names(cluster, log, address)]
    if quoted:
        text = f"{quoted[0].service} quotes it: {quoted[0].example[:200]}"
        return [saw(text, STRONG, quoted[0].source)]
    failing = [log for log in logs if NO_LINK.search(log.example) and is_trouble(log)]
    if failing:
        text = f"its log speaks of a failed connection: {failing[0].example[:160]}"
        return [saw(text, GOOD if address.port else HINT, failing[0].source)]
    if logs and not _unheard(cluster, address):
        return [saw(f"its errors do not mention {address.host}", -GOOD, logs[0].source)]
    return []


def _unheard(cluster: Cluster, address: Address) -> bool:
    """Whether a pod of the workload has no log yet, or none that can be read: it may complain."""
    wanted = " ".join(spot.wanted for spot in cluster.snapshot.blind_spots)
    pods = cluster.pods_of(address.workload)
    return any(p.name in wanted or get(p.body, "status", "phase") == "Pending" for p in pods)


def _answered(cluster: Cluster, address: Address, naming: list[LogTemplate]) -> list[Evidence]:
    """Whoever answers, be it with an error, is at that address."""
    for log in naming:
        if ANSWER.search(log.example):
            return [saw(f"it answers: {log.example[:160]}", -PROOF, log.source)]
    for series in cluster.snapshot.series:
        here = (series.service, series.labels.get("peer")) == (address.workload.name, address.host)
        if here and series.signal == Signal.EDGE_ERROR_RATIO:
            recent = between(series.times, series.values, series.times[0], series.times[-1] + 1)
            if recent.size and float(np.median(recent[-5:])) < MOST_FAIL:
                text = f"most calls of {address.workload.name} to {address.host} succeed"
                return [saw(text, -PROOF, series.source)]
    return []


def _names(cluster: Cluster, log: LogTemplate, address: Address) -> bool:
    """Whether a line names the host, or with a known port the service's own address."""
    if address.host not in log.example:
        service = cluster.find("Service", address.host.partition(".")[0])
        ip = get(service.body, "spec", "clusterIP") if service else None
        return bool(ip and address.port and f"{ip}:{address.port}" in log.example)
    pattern = rf"(?<![\w-]){re.escape(address.host)}(?![\w-])"
    port = rf":{address.port}\b" if cluster.find("Service", address.host) and address.port else ""
    return bool(re.search(pattern + port, log.example))


def _another(cluster: Cluster, address: Address, service: KubernetesObject) -> Iterator[Hypothesis]:
    """The variable's name means one service, its value another."""
    meant = _core(address.variable)
    if len(meant) < 3 or meant == _core(service.name):
        return
    others = [s for s in cluster.all("Service") if _core(s.name) == meant]
    named = [s for s in others if s.namespace == address.workload.namespace and s is not service]
    if named and _core(service.name) != meant:
        text = f"{address.variable} points to {service.name}, service {named[0].name} exists"
        evidence = [saw(text, STRONG, address.workload), saw(text, HINT, service)]
        yield _blame(address, text, evidence)


def _core(name: str) -> str:
    return FILLER.sub("", name.upper())


def _blame(address: Address, why: str, evidence: list[Evidence]) -> Hypothesis:
    return blame(
        "service_env_var_address_mismatch",
        address.workload,
        f"{address.workload.name} calls {address.value} ({address.variable}), but {why}",
        evidence,
        analyzer=NAME,
        hint="revert_config",
    )
