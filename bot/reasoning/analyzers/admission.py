"""Pods that the API server refuses: quotas, limit ranges, service accounts, forbidden specs."""

import re
from collections.abc import Iterator

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.snapshot import KubernetesObject, Snapshot
from bot.reasoning.kubernetes import Cluster, cluster_of, pod_spec
from bot.reasoning.quotas import EXCEEDED, asked, namespace_of, over, resource_kind, standing
from bot.reasoning.refused import Refused, refused
from bot.reasoning.statements import GOOD, HINT, PROOF, STRONG, blame, saw

NAME = "admission"
ACCOUNT = re.compile(r'service ?account "?([^"\s]+)"? (?:was )?not found')
# What the API server says, the cause, and the words for it; the first that fits wins.
# Source: kubernetes/plugin/pkg/admission (resourcequota, limitranger, serviceaccount, priority,
# runtimeclass, podsecurity, namespace lifecycle), apiserver admission/plugin/webhook, policy.
SAID = (
    (
        r"failed quota: ([\w.-]+): must specify ([\w.,: /-]+)",
        "quota_requires_resources",
        "its containers set no {1}, which quota {0} demands",
    ),
    (
        r"(?:maximum|minimum) ([\w./-]+) usage per (\w+)|(\w+) max limit to request ratio",
        "limit_range_violated",
        "its resources break the namespace's limit range",
    ),
    (
        r"violates PodSecurity|unable to validate against any (?:pod )?security",
        "pod_security_violation",
        "its pods break the namespace's pod security level",
    ),
    (
        r'failed calling webhook "([^"]+)"|failed to call webhook',
        "admission_webhook_unavailable",
        "admission webhook {0} does not answer, and its failure policy refuses what it cannot ask",
    ),
    (
        r'admission webhook "([^"]+)" denied',
        "admission_webhook_denied",
        "admission webhook {0} denies its pods",
    ),
    (
        r"ValidatingAdmissionPolicy '([^']+)'.* denied request",
        "admission_policy_denied",
        "admission policy {0} denies its pods",
    ),
    (
        r"no PriorityClass with name (\S+) was found",
        "missing_priority_class",
        "its priority class {0} does not exist",
    ),
    (
        r'RuntimeClass "([^"]+)" not found',
        "missing_runtime_class",
        "its runtime class {0} does not exist",
    ),
    (
        r"because it is being terminated",
        "namespace_terminating",
        "its namespace is being deleted",
    ),
    (
        r'cannot (\w+) resource "([^"]+)"',
        "rbac_forbidden",
        "the controller's user may not {0} {1}",
    ),
    (r"is forbidden", "creation_forbidden", "it may not create its pods"),
    (r"is invalid: ", "invalid_pod_spec", "its pod template is invalid"),
)
PATTERNS = tuple((re.compile(text), cause, words) for text, cause, words in SAID)


def look(snapshot: Snapshot, _question: Question) -> Finding:
    """Return why replica sets and workloads may not create pods."""
    cluster = cluster_of(snapshot)
    found: dict[tuple[str, str], Hypothesis] = {}
    for one in refused(cluster):
        for hypothesis in _reasons(cluster, one):
            found.setdefault((hypothesis.cause, hypothesis.object), hypothesis)
    return Finding(hypotheses=tuple(found.values()))


def _reasons(cluster: Cluster, one: Refused) -> Iterator[Hypothesis]:
    evidence = [
        saw(one.text, STRONG, one.where),
        saw(f"{one.workload.name}: {one.seen} pods of {one.wanted} wanted", GOOD, one.where),
    ]
    if match := EXCEEDED.search(one.said):
        yield from _quota(cluster, one, match, evidence)
        return
    if match := ACCOUNT.search(one.said):
        yield _missing_account(cluster, one, match[1], evidence)
        return
    for pattern, cause, words in PATTERNS:
        if match := pattern.search(one.said):
            named = [group for group in match.groups() if group]
            why = words.format(*named, "", "")
            yield _blame(cause, one, f"{one.workload.name} gets no pods: {why}", evidence)
            return


def _quota(
    cluster: Cluster, one: Refused, match: re.Match[str], evidence: list[Evidence]
) -> Iterator[Hypothesis]:
    """Several resources may be exceeded at once: the one furthest over is named first."""
    name, workload = match[1], one.workload
    amounts = sorted(asked(match), key=lambda a: -over(a))
    kinds = list(dict.fromkeys(resource_kind(a.resource) for a in amounts))
    for i, kind in enumerate(kinds):
        amount = next(a for a in amounts if resource_kind(a.resource) == kind)
        weighed = [*evidence, saw(amount.text, GOOD if i == 0 else -HINT, one.where)]
        weighed += standing(cluster, name, workload, amount)
        yield blame(
            f"namespace_{kind}_quota_exceeded",
            namespace_of(cluster, workload),
            f"quota {name} of {workload.namespace} has no {amount.resource} left for "
            f"{workload.name}",
            weighed,
            analyzer=NAME,
            event=one.event,
            explains=(workload.name,),
            hint="raise_quota",
        )


def _missing_account(
    cluster: Cluster, one: Refused, account: str, evidence: list[Evidence]
) -> Hypothesis:
    workload = one.workload
    there = cluster.find("ServiceAccount", account, workload.namespace)
    if there is not None:
        evidence.append(saw(f"service account {account} exists now", -PROOF, there))
    elif any(a.namespace == workload.namespace for a in cluster.all("ServiceAccount")):
        text = f"no service account {account} in {workload.namespace}"
        evidence.append(saw(text, PROOF, workload))
    if pod_spec(workload).get("serviceAccountName") == account:
        evidence.append(saw(f"{workload.name} runs as {account}", HINT, workload))
    text = f"{workload.name} runs as service account {account}, which does not exist"
    return _blame("missing_service_account", one, text, evidence)


def _blame(cause: str, one: Refused, summary: str, evidence: list[Evidence]) -> Hypothesis:
    weighed = [*evidence, saw("the API server names this reason itself", STRONG, one.where)]
    target: KubernetesObject = one.workload
    return blame(
        cause, target, summary, weighed, analyzer=NAME, event=one.event, hint="fix_manifest"
    )
