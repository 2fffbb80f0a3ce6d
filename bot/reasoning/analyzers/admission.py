"""Pods that the API server refuses: quotas, limit ranges, service accounts, forbidden specs."""

import re
from collections.abc import Iterator

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.snapshot import KubernetesObject, Snapshot
from bot.reasoning.kubernetes import (
    WORKLOADS,
    Cluster,
    cluster_of,
    desired,
    get,
    latest,
    listening_ports,
    mapping,
    pod_spec,
    quantity,
    services_of,
)
from bot.reasoning.statements import GOOD, HINT, PROOF, STRONG, blame, event_text, saw

NAME = "admission"
# Source: kubernetes/plugin/pkg/admission (resourcequota, limitranger, serviceaccount, podsecurity).
QUOTA = re.compile(r"exceeded quota: ([\w.-]+), requested: (\S+?)=([^,\s]+).*?used: .*?limited: ")
MUST_SPECIFY = re.compile(r"failed quota: ([\w.-]+): must specify ([\w.,-]+)")
ACCOUNT = re.compile(r'serviceaccount "([^"]+)" not found')
LIMIT = re.compile(
    r"(?:maximum|minimum) (cpu|memory|[\w.-]+) usage per (\w+)|limit to request ratio"
)
SECURITY = re.compile(r"violates PodSecurity|unable to validate against any (?:pod )?security")
WEBHOOK = re.compile(r'admission webhook "([^"]+)" denied')
FORBIDDEN = re.compile(r"is forbidden|cannot \w+ resource")
KIND_OF_RESOURCE = (
    (re.compile(r"(?:^|\.)(?:requests\.|limits\.)?cpu$"), "cpu"),
    (re.compile(r"(?:^|\.)(?:requests\.|limits\.)?memory$"), "memory"),
    (re.compile(r"storage|persistentvolumeclaims"), "storage"),
    (re.compile(r"^(?:count/)?services"), "service"),
    (re.compile(r"^(?:count/)?pods$"), "pod"),
)
REFUSED = ("FailedCreate",)


def look(snapshot: Snapshot, _question: Question) -> Finding:
    """Return why replica sets and workloads may not create pods, and which quotas are used up."""
    cluster = cluster_of(snapshot)
    found: dict[tuple[str, str], Hypothesis] = {}
    for hypothesis in (*_refused(cluster), *_full_quotas(cluster)):
        found.setdefault((hypothesis.cause, hypothesis.object), hypothesis)
    return Finding(hypotheses=tuple(found.values()))


def resource_kind(resource: str) -> str:
    """Return the field's word for a quota's resource: "requests.cpu" is cpu, the rest "object"."""
    found = (kind for pattern, kind in KIND_OF_RESOURCE if pattern.search(resource))
    return next(found, "object")


def _refused(cluster: Cluster) -> Iterator[Hypothesis]:
    for workload in cluster.workloads:
        makers = [*cluster.replica_sets(workload), workload]
        if not _short(cluster, workload):
            continue
        event = latest([e for maker in makers for e in cluster.events(maker, *REFUSED)])
        if event is not None:
            yield from _reasons(cluster, workload, event)


def _short(cluster: Cluster, workload: KubernetesObject) -> bool:
    """Whether fewer pods exist than were asked for: a refusal that was overcome is no cause."""
    wanted = desired(workload)
    return wanted is not None and len(cluster.pods_of(workload)) < wanted


def _reasons(
    cluster: Cluster, workload: KubernetesObject, event: KubernetesObject
) -> Iterator[Hypothesis]:
    message = str(event.body.get("message") or "")
    wanted, seen = desired(workload), len(cluster.pods_of(workload))
    evidence = [
        saw(event_text(event), STRONG, event),
        saw(f"{workload.name}: {seen} pods of {wanted} wanted", GOOD, workload),
    ]
    if match := QUOTA.search(message):
        yield _quota(cluster, workload, event, match, evidence)
    elif match := MUST_SPECIFY.search(message):
        text = f"{workload.name} sets no {match[2]}, which quota {match[1]} demands"
        yield _blame("quota_requires_resources", workload, text, evidence, event)
    elif match := ACCOUNT.search(message):
        yield _missing_account(cluster, workload, event, match[1], evidence)
    elif LIMIT.search(message):
        text = f"{workload.name}'s resources break the namespace's limit range"
        yield _blame("limit_range_violated", workload, text, evidence, event)
    elif SECURITY.search(message):
        text = f"{workload.name}'s pods break the namespace's pod security level"
        yield _blame("pod_security_violation", workload, text, evidence, event)
    elif match := WEBHOOK.search(message):
        text = f"admission webhook {match[1]} denies {workload.name}'s pods"
        yield _blame("admission_webhook_denied", workload, text, evidence, event)
    elif FORBIDDEN.search(message):
        text = f"{workload.name} may not create its pods"
        yield _blame("creation_forbidden", workload, text, evidence, event)


def _quota(
    cluster: Cluster,
    workload: KubernetesObject,
    event: KubernetesObject,
    match: re.Match[str],
    evidence: list[Evidence],
) -> Hypothesis:
    quota, resource = match[1], match[2]
    kind = resource_kind(resource)
    target = _namespace(cluster, workload)
    item = cluster.find("ResourceQuota", quota, workload.namespace)
    if item is not None:
        used, hard = get(item.body, "status", "used", resource), _hard(item, resource)
        evidence.append(saw(f"quota {quota}: {resource} {used} used of {hard}", PROOF, item))
    return blame(
        f"namespace_{kind}_quota_exceeded",
        target,
        f"quota {quota} of {workload.namespace} has no {resource} left for {workload.name}",
        evidence,
        analyzer=NAME,
        event=event,
        explains=(workload.name,),
        hint="raise_quota",
    )


def _missing_account(
    cluster: Cluster,
    workload: KubernetesObject,
    event: KubernetesObject,
    account: str,
    evidence: list[Evidence],
) -> Hypothesis:
    there = cluster.find("ServiceAccount", account, workload.namespace)
    wanted = pod_spec(workload).get("serviceAccountName") == account
    if there is not None:
        evidence.append(saw(f"service account {account} exists now", -PROOF, there))
    elif cluster.knows("ServiceAccount"):
        evidence.append(
            saw(f"no service account {account} in {workload.namespace}", PROOF, workload)
        )
    if wanted:
        evidence.append(saw(f"{workload.name} runs as {account}", HINT, workload))
    text = f"{workload.name} runs as service account {account}, which does not exist"
    return _blame("missing_service_account", workload, text, evidence, event)


def _blame(
    cause: str,
    workload: KubernetesObject,
    summary: str,
    evidence: list[Evidence],
    event: KubernetesObject,
) -> Hypothesis:
    weighed = [*evidence, saw("the API server names this reason itself", STRONG, event)]
    return blame(cause, workload, summary, weighed, analyzer=NAME, event=event, hint="fix_manifest")


def _namespace(cluster: Cluster, workload: KubernetesObject) -> KubernetesObject:
    found = cluster.find("Namespace", workload.namespace)
    return found or KubernetesObject(
        kind="Namespace", namespace="", name=workload.namespace, body={}, source=workload.source
    )


def _hard(quota: KubernetesObject, resource: str) -> str | None:
    found = get(quota.body, "status", "hard", resource)
    return str(found or get(quota.body, "spec", "hard", resource) or "") or None


def _full_quotas(cluster: Cluster) -> Iterator[Hypothesis]:
    """Quotas whose refusals leave no event: services and claims are just not there."""
    for quota in cluster.all("ResourceQuota"):
        for resource, hard in mapping(quota.body, "status", "hard").items():
            kind = resource_kind(resource)
            if kind not in ("service", "storage"):
                continue
            used = get(quota.body, "status", "used", resource)
            missing = _missing(cluster, quota.namespace, kind)
            if missing and (kind == "storage" or _fullness(used, hard) == PROOF):
                yield _full(cluster, quota, resource, (str(used), str(hard)), missing)


def _fullness(used: object, hard: object) -> float:
    """Weight of how full a quota is; the missing claim may ask for more than what is left."""
    have, limit = quantity(used), quantity(hard)
    if have is None or limit is None:
        return 0.0
    if have >= limit:
        return PROOF
    return STRONG if have >= 0.75 * limit else -HINT


def _missing(cluster: Cluster, namespace: str, kind: str) -> list[str]:
    if kind == "storage":
        return sorted(_missing_claims(cluster, namespace))
    return sorted(_missing_services(cluster, namespace))


def _missing_claims(cluster: Cluster, namespace: str) -> Iterator[str]:
    for workload in cluster.workloads:
        if workload.namespace != namespace:
            continue
        for volume in pod_spec(workload).get("volumes") or ():
            name = get(volume, "persistentVolumeClaim", "claimName")
            if name and not cluster.find("PersistentVolumeClaim", name, namespace):
                yield str(name)


def _missing_services(cluster: Cluster, namespace: str) -> Iterator[str]:
    """Workloads that others call by name although no service of that name exists."""
    known = {service.name for service in cluster.all("Service") if service.namespace == namespace}
    called = {edge.callee for edge in cluster.snapshot.edges}
    there = [w for w in cluster.all(*WORKLOADS) if w.namespace == namespace]
    listening = [w for w in there if listening_ports(pod_spec(w))]
    alone = {w.name for w in listening if not services_of(cluster, w)}
    odd = alone if len(alone) * 4 <= len(listening) else set()
    for workload in there:
        if known and workload.name not in known and workload.name in called | odd:
            yield workload.name


def _full(
    cluster: Cluster,
    quota: KubernetesObject,
    resource: str,
    amount: tuple[str, str],
    missing: list[str],
) -> Hypothesis:
    kind = resource_kind(resource)
    used, hard = amount
    names = ", ".join(missing)
    thing = "service" if kind == "service" else "claim"
    target = _namespace(cluster, quota)
    evidence = [
        saw(f"quota {quota.name}: {resource} {used} used of {hard}", _fullness(used, hard), quota),
        saw(f"{thing} {names} does not exist, though it is needed", STRONG, quota),
        saw("what a quota refuses leaves no event, it is just not there", HINT, quota),
    ]
    return blame(
        f"namespace_{kind}_quota_exceeded",
        target,
        f"quota {quota.name} of {quota.namespace} leaves no {resource} for {names}",
        evidence,
        analyzer=NAME,
        explains=missing,
        hint="raise_quota",
    )
