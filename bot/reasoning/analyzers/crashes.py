"""Containers that end: out of memory, crash loops by exit code, a port that is taken."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.needs import Fact, Need
from bot.domain.redaction import redact
from bot.domain.snapshot import KubernetesObject, Snapshot, Source
from bot.reasoning.database_clients import is_trouble
from bot.reasoning.database_texts import NO_SPACE
from bot.reasoning.generations import only_the_newest
from bot.reasoning.kubernetes import (
    Cluster,
    cluster_of,
    containers,
    get,
    is_ready,
    items,
    latest,
    moment,
    pod_spec,
    statuses,
    terminated,
    waiting,
)
from bot.reasoning.statements import GOOD, HINT, PROOF, blame, event_text, saw

NAME = "crashes"
OOM = re.compile(r"OOM[- ]?killed|out of memory|memory limit too low", re.I)
IN_USE = re.compile(
    r"address already in use|port \d+ was already in use|EADDRINUSE|bind: .*in use", re.I
)
PORT = re.compile(r"[Pp]ort (\d{2,5})|:(\d{2,5})\b")
EXPIRED = re.compile(
    r"certificate (?:has |is )?expired|CERT_HAS_EXPIRED|CertificateExpired|NotAfter:", re.I
)
SKEWED = re.compile(
    r"clock (?:skew|is (?:ahead|behind)|drift|moved backwards)|used before issued|"
    r"(?:token|request) (?:time )?(?:is )?(?:not yet valid|too skewed)|RequestTimeTooSkewed|"
    r"iat.{0,20}in the future",
    re.I,
)
LAST_WORDS = (
    ("certificate_expired", EXPIRED, "a certificate that it needs has expired"),
    ("clock_skew", SKEWED, "its clock and another's differ"),
    ("disk_full", NO_SPACE, "its disk is full"),
)
KERNEL = ("OOMKilling", "SystemOOM")
RECENT_S = 3600.0
SHORT = timedelta(seconds=15)  # nobody is well again so soon
EXIT = {
    1: "an error of the application",
    2: "an error of the application or wrong arguments",
    126: "a command that may not be executed",
    127: "a command that does not exist",
    134: "abort (SIGABRT)",
    137: "killed (SIGKILL)",
    135: "a bus error (SIGBUS)",
    136: "an arithmetic error (SIGFPE)",
    139: "a segmentation fault (SIGSEGV)",
    143: "terminated (SIGTERM)",
    255: "an error of the application, or a start that failed",
}


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return why containers end, and the logs that would tell more."""
    cluster = cluster_of(snapshot)
    found: dict[tuple[str, str], Hypothesis] = {}
    crashing: set[str] = set()
    for pod in cluster.pods:
        owner = cluster.owner(pod) or pod
        for hypothesis in (*_sandbox(cluster, pod, owner), *_ended(cluster, pod, owner)):
            found.setdefault((hypothesis.cause, hypothesis.object), hypothesis)
            crashing.add(owner.name)
    return Finding(hypotheses=tuple(found.values()), needs=_needs(crashing, question))


def _needs(services: set[str], question: Question) -> tuple[Need, ...]:
    if not services:
        return ()
    names = tuple(sorted(services))
    reason = "last words of crashing containers"
    return (Need(fact=Fact.LOGS, window=question.window, services=names, reason=reason),)


def crash_looping(snapshot: Snapshot, status: Mapping[str, Any]) -> bool:
    """Say whether a container keeps ending: it waits to be restarted, or has just been."""
    if waiting(status)[0] == "CrashLoopBackOff":
        return True
    restarts = status.get("restartCount") or 0
    ended = moment(terminated(status).get("finishedAt"))
    if restarts < 1 or ended is None:
        return restarts >= 1 and waiting(status)[0] != ""
    return (snapshot.now - ended).total_seconds() <= RECENT_S


def _sandbox(
    cluster: Cluster, pod: KubernetesObject, owner: KubernetesObject
) -> Iterator[Hypothesis]:
    """Memory limits so low that not even the container's start fits."""
    event = latest(cluster.events(pod, "FailedCreatePodSandBox", "Failed"))
    if event is None or not OOM.search(str(event.body["message"])):
        return
    limits = _limits(owner)
    evidence = [saw(event_text(event, 600), PROOF, event), saw(f"limits: {limits}", GOOD, owner)]
    yield _blame(
        "oom_killed", owner, f"{owner.name} has too little memory to start", evidence, event
    )


def _ended(
    cluster: Cluster, pod: KubernetesObject, owner: KubernetesObject
) -> Iterator[Hypothesis]:
    for status in statuses(pod):
        if not crash_looping(cluster.snapshot, status):
            continue
        ended = terminated(status)
        count = status.get("restartCount") or 0
        reason, code = ended.get("reason"), ended.get("exitCode")
        text = f"{pod.name} ({status.get('name')}): {count} restarts, last {reason}, exit {code}"
        evidence = [saw(text, GOOD, pod)]
        if is_ready(pod) and not _as_short_as_before(cluster.snapshot, status):
            evidence.append(saw(f"{pod.name} is ready by now", -GOOD, pod))
        if reason == "OOMKilled":
            evidence.append(saw(f"OOMKilled at limits {_limits(owner)}", PROOF, pod))
            evidence.append(saw("the kernel says so itself", GOOD, pod))
            summary = f"{owner.name} needs more memory than its limit and is killed"
            yield _blame("oom_killed", owner, summary, evidence, None)
        else:
            yield from _by_log(cluster, pod, owner, status, evidence)


def _as_short_as_before(snapshot: Snapshot, status: Mapping[str, Any]) -> bool:
    """Whether the run that is ready now has not yet lasted longer than the one that ended."""
    ended = terminated(status)
    since = moment(get(status, "state", "running", "startedAt"))
    began, over = moment(ended.get("startedAt")), moment(ended.get("finishedAt"))
    if since is None or began is None or over is None:
        return False
    return snapshot.now - since <= max(over - began, SHORT)


def _by_log(
    cluster: Cluster,
    pod: KubernetesObject,
    owner: KubernetesObject,
    status: Mapping[str, Any],
    evidence: list[Evidence],
) -> Iterator[Hypothesis]:
    words = _last_words(cluster, pod, owner, status)
    taken = next((w for w in words if IN_USE.search(w.text)), None)
    code = terminated(status).get("exitCode")
    shared = _shared_port(pod, owner, status)
    killed = _killed_by_kernel(cluster, pod) if code == 137 else None
    if taken is not None or shared:
        weighed = [*evidence, *_taken(pod, owner, taken), *shared]
        summary = f"{owner.name} cannot listen: another container of its pod has the port"
        yield _blame("service_sidecar_port_conflict", owner, summary, weighed, None)
    elif killed is not None:
        weighed = [*evidence, saw(event_text(killed), PROOF, killed)]
        summary = f"{owner.name} is killed by the kernel for memory"
        yield _blame("oom_killed", owner, summary, weighed, None)
    elif code in (126, 127):
        weighed = [*evidence, saw(f"exit code {code}: {EXIT[code]}", PROOF, pod)]
        cause = "command_not_found" if code == 127 else "command_not_executable"
        yield _blame(cause, owner, f"{owner.name}: {EXIT[code]}", weighed, None)
    yield from _by_words(owner, words, evidence)
    meaning = EXIT.get(code, "") if isinstance(code, int) else ""
    weighed = [*evidence, saw(f"exit code {code}: {meaning or 'unknown'}", GOOD, pod)]
    weighed += only_the_newest(cluster, pod, owner)
    yield _blame("crash_loop", owner, f"{owner.name} crashes: {meaning}", weighed, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """Something a container said before it ended."""

    text: str
    source: Source


def _last_words(
    cluster: Cluster, pod: KubernetesObject, owner: KubernetesObject, status: Mapping[str, Any]
) -> list[Word]:
    message = str(terminated(status).get("message") or "")
    told = [Word(text=message, source=pod.source)] if message else []
    own = (log for log in cluster.snapshot.logs if log.service == owner.name and is_trouble(log))
    return [*told, *(Word(text=log.example, source=log.source) for log in own)]


def _by_words(
    owner: KubernetesObject, words: Sequence[Word], evidence: list[Evidence]
) -> Iterator[Hypothesis]:
    """What a container that ends says of it, where that names a cause by itself."""
    for cause, pattern, meaning in LAST_WORDS:
        said = next((w for w in words if pattern.search(w.text)), None)
        if said is not None:
            weighed = [
                *evidence,
                saw(f"its last words: {redact(said.text)[:200]}", PROOF, said.source),
            ]
            yield _blame(cause, owner, f"{owner.name} ends: {meaning}", weighed, None)
            return


def _killed_by_kernel(cluster: Cluster, pod: KubernetesObject) -> KubernetesObject | None:
    """Return the node's word that the kernel killed a process of this pod, if there is one."""
    node = get(pod.body, "spec", "nodeName")
    uid = str(get(pod.body, "metadata", "uid") or pod.name)
    return latest(
        event
        for event in cluster.all("Event")
        if event.body.get("reason") in KERNEL
        and get(event.body, "involvedObject", "name") in (node, pod.name)
        and any(name in str(event.body.get("message")) for name in (pod.name, uid))
    )


def _shared_port(
    pod: KubernetesObject, owner: KubernetesObject, status: Mapping[str, Any]
) -> list[Evidence]:
    """A container that ends, and another one of its pod that declares the same port."""
    ports: dict[tuple[Any, str], list[str]] = {}
    for container in containers(pod_spec(pod) or pod_spec(owner)):
        for port in items(container, "ports"):
            key = (port.get("containerPort"), str(port.get("protocol") or "TCP"))
            ports.setdefault(key, []).append(str(container.get("name")))
    for (number, _), users in sorted(ports.items(), key=str):
        if len(set(users)) > 1 and status.get("name") in users:
            text = f"port {number} is declared by {', '.join(users)}"
            return [saw(text, PROOF, pod)]
    return []


def _taken(pod: KubernetesObject, owner: KubernetesObject, taken: Word | None) -> list[Evidence]:
    if taken is None:
        return []
    said = saw(f"its log: {redact(taken.text)[:200]}", PROOF, taken.source)
    return [said, *_who_else(pod, owner, taken)]


def _who_else(pod: KubernetesObject, owner: KubernetesObject, said: Word) -> list[Evidence]:
    match = PORT.search(said.text)
    number = int(match[1] or match[2]) if match else None
    users = [
        str(container.get("name"))
        for container in containers(pod_spec(pod) or pod_spec(owner))
        for port in items(container, "ports")
        if port.get("containerPort") == number
    ]
    if len(users) > 1:
        return []  # said by `_shared_port`
    several = len(containers(pod_spec(pod))) > 1
    return [saw("the containers of a pod share its ports", GOOD if several else HINT, pod)]


def _limits(owner: KubernetesObject) -> str:
    found = [
        f"{container.get('name')} {get(container, 'resources', 'limits', 'memory') or 'none'}"
        for container in containers(pod_spec(owner))
    ]
    return ", ".join(found)


def _blame(
    cause: str,
    owner: KubernetesObject,
    summary: str,
    evidence: list[Evidence],
    event: KubernetesObject | None,
) -> Hypothesis:
    return blame(cause, owner, summary, evidence, analyzer=NAME, event=event, hint="rollback")
