"""Containers that are not created: a secret, config map or key that is missing, a bad command."""

import re
from collections.abc import Iterator

from bot.domain.diagnosis import Finding, Hypothesis, Question
from bot.domain.snapshot import KubernetesObject, Snapshot
from bot.reasoning.kubernetes import Cluster, cluster_of, latest, statuses, terminated, waiting
from bot.reasoning.statements import GOOD, PROOF, STRONG, blame, event_text, saw

NAME = "configuration"
# Source: kubernetes/pkg/kubelet (kubelet_pods.go, kuberuntime), runc.
SIGNS = (
    (re.compile(r'secrets? "([^"]+)" not found'), "Secret", "missing_secret_binding"),
    (re.compile(r'configmaps? "([^"]+)" not found'), "ConfigMap", "missing_config_map"),
    (
        re.compile(r"couldn't find key (\S+) in Secret|references non-existent secret key: (\S+)"),
        "",
        "missing_secret_key",
    ),
    (
        re.compile(
            r"couldn't find key (\S+) in ConfigMap|references non-existent config key: (\S+)"
        ),
        "",
        "missing_config_map_key",
    ),
    (
        re.compile(
            r"executable file not found|no such file or directory: unknown|exec: \"([^\"]+)\""
        ),
        "",
        "command_not_found",
    ),
    (re.compile(r"exec format error"), "", "image_platform_mismatch"),
    (re.compile(r"runAsNonRoot|run as root|non-root"), "", "security_context_conflict"),
    (re.compile(r"(?:permission denied|operation not permitted)"), "", "permission_denied"),
)
STATES = (
    "CreateContainerConfigError", "CreateContainerError", "RunContainerError", "StartError",
    "ContainerCreating", "PodInitializing", "ContainerCannotRun", "CrashLoopBackOff",
)  # fmt: skip
REASONS = ("Failed", "FailedMount", "FailedCreatePodSandBox", "FailedPostStartHook")


def look(snapshot: Snapshot, _question: Question) -> Finding:
    """Return what a waiting container misses, by what the kubelet says."""
    cluster = cluster_of(snapshot)
    found: dict[tuple[str, str], Hypothesis] = {}
    for pod in cluster.pods:
        for hypothesis in _of_pod(cluster, pod):
            found.setdefault((hypothesis.cause, hypothesis.object), hypothesis)
    return Finding(hypotheses=tuple(found.values()))


def _of_pod(cluster: Cluster, pod: KubernetesObject) -> Iterator[Hypothesis]:
    states = [waiting(status) for status in statuses(pod)]
    if not any(reason in STATES for reason, _ in states):
        return
    said = [message for _, message in states if message]
    said += [str(terminated(status).get("message") or "") for status in statuses(pod)]
    events = cluster.events(pod, *REASONS)
    for pattern, kind, cause in SIGNS:
        telling = latest([e for e in events if pattern.search(str(e.body["message"]))])
        text = str(telling.body["message"]) if telling else "\n".join(said)
        match = pattern.search(text)
        if match:
            yield _explain(cluster, pod, cause, (kind, match), telling)
            return


def _explain(
    cluster: Cluster,
    pod: KubernetesObject,
    cause: str,
    sign: tuple[str, re.Match[str]],
    event: KubernetesObject | None,
) -> Hypothesis:
    owner = cluster.owner(pod) or pod
    kind, match = sign
    name = next((group for group in match.groups() if group), match.group())
    reasons = ", ".join(sorted({reason for s in statuses(pod) if (reason := waiting(s)[0])}))
    evidence = [
        saw(f"{pod.name} waits: {reasons}", GOOD, pod),
        saw(event_text(event) if event else match.group(), PROOF, event or pod),
    ]
    if kind:
        there = cluster.find(kind, name, pod.namespace)
        if there is not None:
            evidence.append(saw(f"{kind} {name} exists now", -STRONG, there))
        elif cluster.knows(kind):
            evidence.append(saw(f"no {kind} {name} in {pod.namespace}", STRONG, pod))
    evidence.append(saw("the kubelet names this reason itself", GOOD, event or pod))
    return blame(
        cause,
        owner,
        f"{owner.name} cannot start: {match.group()}",
        evidence,
        analyzer=NAME,
        event=event,
        hint="revert_config",
    )
