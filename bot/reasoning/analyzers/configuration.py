"""Containers that are not created: a secret, config map or key that is missing, a bad command."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.snapshot import KubernetesObject, LogTemplate, Snapshot
from bot.reasoning.kubernetes import (
    Cluster,
    cluster_of,
    containers,
    get,
    is_ready,
    items,
    latest,
    pod_spec,
    statuses,
    terminated,
    waiting,
)
from bot.reasoning.relevance import doubts
from bot.reasoning.statements import GOOD, PROOF, STRONG, blame, event_text, saw

NAME = "configuration"
# What the kubelet and the runtime say; the first that fits wins.
# Source: kubernetes/pkg/kubelet (kubelet_pods.go, kuberuntime, security context), runc, crun.
SIGNS = (
    (r'secrets? "([^"]+)" not found', "Secret", "missing_secret_binding"),
    (r'configmaps? "([^"]+)" not found', "ConfigMap", "missing_config_map"),
    (r'serviceaccounts? "([^"]+)" not found', "ServiceAccount", "missing_service_account"),
    (r"couldn't find key (\S+) in Secret|references non-existent secret key: (\S+)", "",
     "missing_secret_key"),
    (r"couldn't find key (\S+) in ConfigMap|references non-existent config key: (\S+)", "",
     "missing_config_map_key"),
    (r"exec format error", "", "image_platform_mismatch"),
    (r"runAsNonRoot|will run as root|verify user is non-root|seccomp|apparmor|SysctlForbidden|"
     r"unable to find user (\S+): no matching entries", "", "security_context_conflict"),
    (r"not a directory: unknown|mount a directory onto a file|failed to prepare subPath|"
     r"mountpoint for \S+ not found|error mounting .*: (?:not a directory|"
     r"no such file)", "", "volume_mount_path_invalid"),
    (r"exec: \"([^\"]+)\": (?:permission denied|is a directory)|"
     r"exec:? .*permission denied: unknown", "", "command_not_executable"),
    (r"executable file not found|exec: \"([^\"]+)\"|no command specified|"
     r"no such file or directory: unknown", "", "command_not_found"),
    (r"error mounting .*(?:permission denied|read-only file system)", "",
     "volume_mount_permission_denied"),
    (r"permission denied|operation not permitted", "", "permission_denied"),
)  # fmt: skip
PATTERNS = tuple((re.compile(text, re.I), kind, cause) for text, kind, cause in SIGNS)
STATES = (
    "CreateContainerConfigError", "CreateContainerError", "RunContainerError", "StartError",
    "ContainerCreating", "PodInitializing", "ContainerCannotRun", "CrashLoopBackOff",
)  # fmt: skip
REASONS = ("Failed", "FailedMount", "FailedCreatePodSandBox", "FailedPostStartHook", "BackOff")
# What a process says that its security context forbids what it does. Source: capabilities(7).
FORBIDDEN = (
    (re.compile(r"bind\S*: permission denied|bind\(\) to \S+ failed \(13|permission denied.*:(?:80"
                r"|443)\b", re.I), "NET_BIND_SERVICE", "binds a port below 1024"),
    (re.compile(r"(?:chown|setgid|setuid|setgroups|initgroups)\S* .*not permitted|"
                r"(?:chown|setgid|setuid|setgroups)\(.*(?:not permitted|denied)", re.I),
     "CHOWN or SETUID", "changes users or owners"),
    (re.compile(r"(?:socket|ping|iptables|sysctl|mount|ptrace)\S*:? .*(?:not permitted|"
                r"permission denied)", re.I), "NET_RAW, NET_ADMIN or SYS_ADMIN",
     "does what needs a capability"),
)  # fmt: skip
SEALED = re.compile(r"read-only file ?system|EROFS", re.I)
ARCHITECTURE = re.compile(r"exec format error", re.I)


def look(snapshot: Snapshot, _question: Question) -> Finding:
    """Return what a waiting container misses, by what the kubelet says and what it says itself."""
    cluster = cluster_of(snapshot)
    found: dict[tuple[str, str], Hypothesis] = {}
    for pod in cluster.pods:
        for hypothesis in (*_of_pod(cluster, pod), *_by_its_log(cluster, pod)):
            found.setdefault((hypothesis.cause, hypothesis.object), hypothesis)
    return Finding(hypotheses=tuple(found.values()))


def _of_pod(cluster: Cluster, pod: KubernetesObject) -> Iterator[Hypothesis]:
    states = [waiting(status) for status in statuses(pod)]
    failed = get(pod.body, "status", "phase") == "Failed"
    if not failed and not any(reason in STATES for reason, _ in states):
        return
    said = [message for _, message in states if message]
    said += [str(terminated(status).get("message") or "") for status in statuses(pod)]
    said += [f"{get(pod.body, 'status', 'reason')} {get(pod.body, 'status', 'message')}"] * failed
    events = cluster.events(pod, *REASONS)
    for pattern, kind, sign in PATTERNS:
        cause = sign
        fitting = [e for e in events if pattern.search(_message(e)) and (kind or not _mounting(e))]
        telling = latest(fitting)
        text = str(telling.body["message"]) if telling else "\n".join(said)
        match = pattern.search(text)
        if match:
            named = cause == "permission_denied" and _mounted(pod_spec(pod), text)
            cause = "volume_mount_permission_denied" if named else cause
            yield _explain(cluster, pod, cause, (kind, match), telling)
            return


def _message(event: KubernetesObject) -> str:
    return str(event.body.get("message") or "")


def _mounting(event: KubernetesObject) -> bool:
    """Whether it is about mounting a volume, which is another analyzer's matter."""
    said = _message(event)
    absent = re.search(r"references non-existent|couldn't find key", said)
    return event.body.get("reason") == "FailedMount" and not absent


def _mounted(spec: Mapping[str, Any], text: str) -> bool:
    """Whether a text names a mount path; "." is the volume that the image works in."""
    paths = {
        str(mount.get("mountPath"))
        for container in containers(spec)
        for mount in items(container, "volumeMounts")
        if not str(mount.get("mountPath")).startswith("/var/run/secrets/")
    }
    here = bool(paths) and "'.'" in text
    return here or any(path != "/" and path in text for path in paths)


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
        evidence += _there(cluster, pod, kind, name)
    evidence.append(saw("the kubelet names this reason itself", GOOD, event or pod))
    evidence += doubts(cluster, pod)
    return blame(
        cause,
        owner,
        f"{owner.name} cannot start: {match.group()}",
        evidence,
        analyzer=NAME,
        event=event,
        hint="revert_config",
    )


def _there(cluster: Cluster, pod: KubernetesObject, kind: str, name: str) -> list[Evidence]:
    there = cluster.find(kind, name, pod.namespace)
    if there is not None:
        return [saw(f"{kind} {name} exists now", -STRONG, there)]
    if any(item.namespace == pod.namespace for item in cluster.all(kind)):
        return [saw(f"no {kind} {name} in {pod.namespace}", STRONG, pod)]
    return []


def _by_its_log(cluster: Cluster, pod: KubernetesObject) -> Iterator[Hypothesis]:
    """What the process itself says before it ends: wrong architecture, or forbidden to do it."""
    owner = cluster.owner(pod) or pod
    if is_ready(pod) or not any(terminated(status) for status in statuses(pod)):
        return
    for log in cluster.snapshot.logs:
        if log.service != owner.name:
            continue
        if ARCHITECTURE.search(log.example):
            summary = f"{owner.name}'s image is not built for its node's architecture"
            evidence = [_quoted(log, PROOF), saw(f"{pod.name} keeps ending", GOOD, pod)]
            yield blame("image_platform_mismatch", owner, summary, evidence, analyzer=NAME,
                        hint="rollback")  # fmt: skip
            return
        forbidden = _forbidden(owner, log)
        if forbidden:
            summary = f"{owner.name}'s security context forbids what it does at its start"
            evidence = [*forbidden, saw(f"{pod.name} keeps ending", GOOD, pod)]
            yield blame("security_context_conflict", owner, summary, evidence, analyzer=NAME,
                        hint="fix_manifest")  # fmt: skip
            return


def _forbidden(owner: KubernetesObject, log: LogTemplate) -> list[Evidence]:
    spec = pod_spec(owner)
    contexts = [spec.get("securityContext"), *(c.get("securityContext") for c in containers(spec))]
    if _mounted(spec, log.example):
        return []  # its volume's owner or mode is the matter
    if SEALED.search(log.example) and any(get(c, "readOnlyRootFilesystem") for c in contexts):
        text = "its root file system is read-only, and the path is on none of its volumes"
        return [_quoted(log, STRONG), saw(text, STRONG, owner)]
    for pattern, capability, does in FORBIDDEN:
        if pattern.search(log.example) and _restricted(contexts):
            text = f"it {does}, which needs {capability}, and its security context takes that away"
            return [_quoted(log, STRONG), saw(text, STRONG, owner)]
    return []


def _restricted(contexts: Sequence[object]) -> bool:
    """Whether the manifest takes rights away: another user, or dropped capabilities."""
    return any(
        get(c, "capabilities", "drop") or get(c, "runAsNonRoot") or get(c, "runAsUser")
        for c in contexts
    )


def _quoted(log: LogTemplate, weight: float) -> Evidence:
    return saw(f"its log, {log.count}x: {log.example[:200]}", weight, log.source)
