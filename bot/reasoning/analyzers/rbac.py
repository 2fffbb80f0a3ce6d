"""Workloads that the API server tells what they may not do: rights their account does not have."""

import re
from collections.abc import Iterator

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.snapshot import KubernetesObject, LogTemplate, Snapshot
from bot.reasoning.kubernetes import Cluster, cluster_of, items, pod_spec
from bot.reasoning.statements import GOOD, HINT, STRONG, blame, saw

NAME = "rbac"
# Source: kubernetes/staging/src/k8s.io/apiserver, responsewriters.ForbiddenMessage.
FORBIDDEN = re.compile(
    r'forbidden: User "system:serviceaccount:([^:"]+):([^"]+)" cannot (\w+) resources? "([^"]+)"',
    re.I,
)
BINDINGS = ("RoleBinding", "ClusterRoleBinding")


def look(snapshot: Snapshot, _question: Question) -> Finding:
    """Return the workloads whose service account lacks a right that they use."""
    cluster = cluster_of(snapshot)
    found: dict[tuple[str, str], Hypothesis] = {}
    for log in snapshot.logs:
        for hypothesis in _of(cluster, log):
            found.setdefault((hypothesis.cause, hypothesis.object), hypothesis)
    return Finding(hypotheses=tuple(found.values()))


def _of(cluster: Cluster, log: LogTemplate) -> Iterator[Hypothesis]:
    match = FORBIDDEN.search(log.example)
    workload = next((w for w in cluster.workloads if w.name == log.service), None)
    if match is None or workload is None:
        return
    namespace, account, verb, resource = match.groups()
    unready = cluster.unready(workload)
    text = f"{len(unready)} of its pods are not ready"
    evidence = [
        saw(f"its log, {log.count}x: {log.example[:200]}", STRONG, log.source),
        saw(text, GOOD if unready else -HINT, workload),
        *_new(log),
        *_bound(cluster, workload, namespace, account),
    ]
    yield blame(
        "rbac_forbidden",
        workload,
        f"{workload.name} may not {verb} {resource}: service account {account} has no such right",
        evidence,
        analyzer=NAME,
        hint="fix_manifest",
    )


def _new(log: LogTemplate) -> list[Evidence]:
    if log.baseline_count is None:
        return []
    if log.baseline_count == 0:
        return [saw("nothing of the kind was logged before", GOOD, log.source)]
    return [saw("it was logged before the trouble too", -STRONG, log.source)]


def _bound(
    cluster: Cluster, workload: KubernetesObject, namespace: str, account: str
) -> list[Evidence]:
    bindings = cluster.all(*BINDINGS)
    if not bindings:
        return []
    mine = [
        binding
        for binding in bindings
        for subject in items(binding.body, "subjects")
        if (subject.get("name"), subject.get("namespace")) == (account, namespace)
    ]
    if not mine:
        return [saw(f"no role is bound to {namespace}/{account}", STRONG, workload)]
    wrong = pod_spec(workload).get("serviceAccountName") not in (None, "", account)
    if wrong:
        return [saw(f"its manifest names another account than {account}", HINT, workload)]
    names = ", ".join(sorted({b.name for b in mine})[:3])
    return [saw(f"roles are bound to it ({names}), without that right", HINT, mine[0])]
