"""Health checks that fail because of themselves: port, path, protocol, timing."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.snapshot import KubernetesObject, Snapshot
from bot.reasoning.kubernetes import (
    Cluster,
    cluster_of,
    containers,
    environment,
    get,
    is_ready,
    items,
    latest,
    mapping,
    pod_spec,
    services_of,
    statuses,
    terminated,
)
from bot.reasoning.statements import GOOD, HINT, PROOF, STRONG, blame, event_text, saw

NAME = "probes"
KINDS = ("liveness", "readiness", "startup")
# What the kubelet's prober (pkg/probe) says when it speaks another protocol than the container.
PROTOCOL = re.compile(
    r"malformed HTTP|HTTP/1\.x transport connection broken|gave HTTP response to HTTPS client|"
    r"does not look like a TLS handshake|server preface|http2: frame too large|"
    r"does not implement the grpc health|unknown service grpc\.health|unimplemented",
    re.I,
)
PATH = re.compile(r"statuscode: (404|405|401|403)")
ANSWERED = re.compile(r"statuscode: 5\d\d|service unhealthy|NOT_SERVING")
TIMED_OUT = re.compile(r"deadline exceeded|Client\.Timeout|timed? ?out|i/o timeout", re.I)
REFUSED = re.compile(r"connection refused|couldn't find port|no such port", re.I)
ANY_ANSWER = re.compile(r"statuscode: \d{3}")  # then something does listen there
QUICK_S = 1  # an answer may well take longer than this under load
IMPATIENT_S = 10
KILLED = (137, 143, 2, 0)  # SIGKILL and SIGTERM of the kubelet; 2 and 0: handled by the process
SHORT_S = 15  # a process that gets less time than this until it is killed may be a slow starter


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A failing probe of one container."""

    kind: str
    container: Mapping[str, Any]
    probe: Mapping[str, Any]
    pod: KubernetesObject
    owner: KubernetesObject
    event: KubernetesObject | None  # None where it is gone, but the harm is there
    services: tuple[KubernetesObject, ...] = ()

    @property
    def message(self) -> str:
        """What the kubelet said last, "" where its events are gone."""
        return str(self.event.body.get("message") or "") if self.event else ""


def look(snapshot: Snapshot, _question: Question) -> Finding:
    """Return probes that keep failing, by what is wrong with them."""
    cluster = cluster_of(snapshot)
    found: dict[tuple[str, str], Hypothesis] = {}
    for check in failing(cluster):
        check = replace(check, services=tuple(services_of(cluster, check.owner)))
        hypothesis = _explain(check)
        if hypothesis is not None:
            found.setdefault((hypothesis.cause, hypothesis.object), hypothesis)
    return Finding(hypotheses=tuple(found.values()))


def failing(cluster: Cluster) -> Iterator[Check]:
    """Yield the probes that do harm now: that restart a container, or keep a pod out of service."""
    for pod in cluster.pods:
        owner = cluster.owner(pod)
        if owner is None:
            continue
        for kind in KINDS:
            event = latest(_unhealthy(cluster, pod, kind))
            harmful = _harmful(kind, pod) if event else _harmed_in_silence(cluster, kind, pod)
            if harmful:
                yield from _checks(kind, pod, owner, event)


def _unhealthy(cluster: Cluster, pod: KubernetesObject, kind: str) -> list[KubernetesObject]:
    said = f"{kind.capitalize()} probe"
    events = cluster.events(pod, "Unhealthy")
    return [e for e in events if str(e.body.get("message")).startswith(said)]


def _harmful(kind: str, pod: KubernetesObject) -> bool:
    if kind == "readiness":
        return not is_ready(pod)
    return any((status.get("restartCount") or 0) > 0 for status in statuses(pod))


def _harmed_in_silence(cluster: Cluster, kind: str, pod: KubernetesObject) -> bool:
    """Whether a pod looks as if a probe harmed it, though no event is left of it."""
    listed = items(pod.body, "status", "containerStatuses")
    if not listed or cluster.events(pod, "Unhealthy"):
        return False
    if kind == "readiness":
        runs = all(mapping(status, "state", "running") for status in listed)
        return runs and not is_ready(pod)
    return not is_ready(pod) and any(
        terminated(status).get("exitCode") in (137, 143)
        and terminated(status).get("reason") != "OOMKilled"
        and (status.get("restartCount") or 0) > 1
        for status in listed
    )


def _checks(
    kind: str, pod: KubernetesObject, owner: KubernetesObject, event: KubernetesObject | None
) -> Iterator[Check]:
    probed = [c for c in containers(pod_spec(owner)) if mapping(c, f"{kind}Probe")]
    for container in probed:
        if kind == "readiness" or len(probed) == 1 or _restarted(pod, container):
            probe = mapping(container, f"{kind}Probe")
            yield Check(
                kind=kind, container=container, probe=probe, pod=pod, owner=owner, event=event
            )


def _restarted(pod: KubernetesObject, container: Mapping[str, Any]) -> bool:
    return any(s.get("name") == container.get("name") and s.get("restartCount")
               for s in statuses(pod))  # fmt: skip


def _explain(check: Check) -> Hypothesis | None:
    """Try the causes in the order in which a person would: protocol, port, path, timing."""
    told = (_path, _timing) if check.event else ()
    for judge in (_protocol, _port, *told):
        judged = judge(check)
        if judged is not None:
            what, why, evidence = judged
            return _blame(check, what, why, [*_seen(check), *evidence])
    return None


def _seen(check: Check) -> list[Evidence]:
    evidence = [saw(event_text(check.event), GOOD, check.event)] if check.event else []
    if check.kind == "readiness":
        evidence.append(saw(f"{check.pod.name} is not ready", GOOD, check.pod))
        if check.event is None:
            evidence.append(saw("its containers run, and run on", HINT, check.pod))
        return evidence
    count = max((s.get("restartCount") or 0 for s in statuses(check.pod)), default=0)
    codes = {
        code for s in statuses(check.pod) if (code := terminated(s).get("exitCode")) is not None
    }
    evidence.append(saw(f"{check.pod.name} was restarted {count} times", GOOD, check.pod))
    if check.event is None:
        evidence.append(saw("it is killed from outside, not for memory", GOOD, check.pod))
    if codes and not codes & set(KILLED):
        listed = ", ".join(str(code) for code in sorted(codes))
        evidence.append(saw(f"it ended by itself, exit code {listed}", -STRONG, check.pod))
    return evidence


Judged = tuple[str, str, list[Evidence]] | None


def _protocol(check: Check) -> Judged:
    message = check.message
    how, port = _target(check.probe)
    other = next(
        (
            theirs
            for kind in KINDS
            if kind != check.kind
            for theirs, at in [_target(mapping(check.container, f"{kind}Probe"))]
            if at == port and how in ("httpGet", "grpc") and theirs not in (how, "exec", "")
        ),
        None,
    )
    named = _port_name(check, port)
    if not PROTOCOL.search(message) and other is None and not _contradicts(named, how):
        return None
    evidence = []
    if _contradicts(named, how):
        evidence.append(saw(f"port {port} is named {named}", STRONG, check.owner))
    if check.event and PROTOCOL.search(message):
        evidence.append(saw("the answer is of another protocol", PROOF, check.event))
    if other is not None:
        text = f"its other probe asks port {port} by {other}, this one by {how}"
        evidence.append(saw(text, STRONG, check.owner))
    return "protocol", f"it speaks {how} to port {port}", evidence


def _port_name(check: Check, port: Any) -> str:
    """What the workload or a service in front of it calls the port: by convention its protocol."""
    own = (str(p.get("name") or "") for p in items(check.container, "ports")
           if port in (p.get("containerPort"), p.get("name")))  # fmt: skip
    outside = (
        str(p.get("appProtocol") or p.get("name") or "")
        for service in check.services
        for p in items(service.body, "spec", "ports")
        if (p.get("targetPort") or p.get("port")) == port
    )
    return next((name for name in (*own, *outside) if name), "")


def _contradicts(named: str, how: str) -> bool:
    word = named.lower().partition("-")[0]
    return (word == "grpc" and how == "httpGet") or (
        word in ("http", "https", "web") and how == "grpc"
    )


def _port(check: Check) -> Judged:
    how, port = _target(check.probe)
    if port is None or how == "exec":
        return None
    declared = _declared(check.container)
    said = {
        int(v)
        for k, v in environment(check.container).items()
        if k.endswith("PORT") and v.isdigit()
    }
    others = {
        at
        for kind in KINDS
        if kind != check.kind
        and (at := _target(mapping(check.container, f"{kind}Probe"))[1]) is not None
    }
    known = declared | said or others
    if not known or port in known or ANY_ANSWER.search(check.message):
        return None
    listed = ", ".join(str(p) for p in sorted(map(str, declared))) or "none"
    evidence = [saw(f"it asks port {port}; the container declares {listed}", STRONG, check.owner)]
    if others and port not in others:
        evidence.append(saw(f"its other probe asks port {_text(others)}", GOOD, check.owner))
    if said:
        text = f"the container is told to listen on {_text(said)}"
        evidence.append(saw(text, GOOD, check.owner))
    if check.event and REFUSED.search(check.message):
        evidence.append(saw("the connection is refused", HINT, check.event))
    return "port", f"it asks port {port}, where nothing listens", evidence


def _path(check: Check) -> Judged:
    match = PATH.search(check.message)
    path = get(check.probe, "httpGet", "path")
    if not match or path is None or check.event is None:
        return None
    evidence = [saw(f"{path} answers {match[1]}: the server runs", PROOF, check.event)]
    return "path", f"{path} answers {match[1]}", evidence


def _timing(check: Check) -> Judged:
    """Right port, right protocol, and too little patience: at the start, or with each answer."""
    if check.kind == "readiness":
        return _slow_answer(check)
    patience = _patience_s(check.probe)
    evidence = [saw(f"the process gets {patience:.0f} s until it is killed", HINT, check.owner)]
    impatient = _impatient(check)
    if patience <= SHORT_S:
        evidence.append(saw("that is less than many processes need to start", STRONG, check.owner))
    elif impatient:
        evidence.append(saw(impatient, STRONG, check.owner))
    else:
        evidence.append(saw("that is time enough for most processes", -GOOD, check.owner))
    if check.event and ANSWERED.search(check.message):
        evidence.append(saw("the process runs, and says that it is ill", -GOOD, check.event))
    readiness = mapping(check.container, "readinessProbe")
    if readiness and _target(readiness) == _target(check.probe):
        text = "its readiness probe asks the same and is more patient"
        weight = STRONG if _patience_s(readiness) > patience else HINT
        evidence.append(saw(text, weight, check.owner))
    if is_ready(check.pod):
        evidence.append(saw("in between the pod becomes ready", GOOD, check.pod))
    return "timing", f"it kills the process {patience:.0f} s after its start", evidence


def _impatient(check: Check) -> str:
    """Say so if single slow answers are enough to fail, "" if not. Defaults: API, Probe."""
    wait, often = (check.probe.get("timeoutSeconds") or 1), check.probe.get("failureThreshold") or 3
    period = check.probe.get("periodSeconds") or 10
    if not TIMED_OUT.search(check.message) or wait > QUICK_S or period * often > IMPATIENT_S:
        return ""
    return f"answers slower than {wait} s fail, and {period * often} s of them are enough"


def _slow_answer(check: Check) -> Judged:
    """A readiness probe that waits less for the same answer than the container's other probe."""
    wait = check.probe.get("timeoutSeconds") or 1
    others = [
        other.get("timeoutSeconds") or 1
        for kind in KINDS
        if kind != "readiness"
        and (other := mapping(check.container, f"{kind}Probe"))
        and _target(other) == _target(check.probe)
    ]
    if check.event is None or not TIMED_OUT.search(check.message) or not others:
        return None
    if max(others) <= wait:
        return None
    text = f"it waits {wait} s for an answer, its other probe {max(others)} s, and that one passes"
    return "timing", f"it waits only {wait} s", [saw(text, STRONG, check.owner)]


def _patience_s(probe: Mapping[str, Any]) -> float:
    """Seconds from start to kill. Source: API reference, Probe (defaults 0, 10, 3)."""
    delay = probe.get("initialDelaySeconds") or 0
    period = probe.get("periodSeconds") or 10
    failures = probe.get("failureThreshold") or 3
    return float(delay + period * (failures - 1))


def _target(probe: Mapping[str, Any]) -> tuple[str, Any]:
    for how in ("httpGet", "grpc", "tcpSocket"):
        if how in probe:
            return how, get(probe, how, "port")
    return "exec" if "exec" in probe else "", None


def _declared(container: Mapping[str, Any]) -> set[Any]:
    ports = items(container, "ports")
    return {p[key] for p in ports for key in ("containerPort", "name") if p.get(key)}


def _text(ports: set[Any]) -> str:
    return ", ".join(sorted(str(port) for port in ports))


def _blame(check: Check, what: str, why: str, evidence: list[Evidence]) -> Hypothesis:
    return blame(
        f"{check.kind}_probe_incorrect_{what}",
        check.owner,
        f"the {check.kind} probe of {check.owner.name} fails by itself: {why}",
        evidence,
        analyzer=NAME,
        event=check.event,
        hint="fix_manifest",
    )
