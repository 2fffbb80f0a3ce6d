"""What the scheduler said of a pod that no node takes, in the words of Kubernetes 1.18 to 1.34."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.domain.snapshot import KubernetesObject
from bot.reasoning.kubernetes import Cluster, condition, get, is_scheduled, latest
from bot.reasoning.nodes import CONTROL_PLANE_KEYS
from bot.reasoning.statements import event_text

# Source: the ErrReason constants of kubernetes/pkg/scheduler/framework/plugins.
SAID = (
    (r"node\(s\) were unschedulable", "cordon"),
    (r"node\(s\) didn't match (?:the requested (?:node ?name|hostname))", "place"),
    (r"node\(s\) didn't match (?:Pod's )?node (?:affinity|selector)", "place"),
    (r"node\(s\) didn't match pod anti-affinity", "anti_affinity"),
    (r"node\(s\) didn't satisfy existing pods anti-affinity", "anti_affinity"),
    (r"node\(s\) didn't match pod affinity(?!/)", "affinity"),
    (r"node\(s\) had (?:untolerated taint|taint|taints that)", "taint"),
    (r"Insufficient cpu", "cpu"),
    (r"Insufficient memory", "memory"),
    (r"Insufficient (?!cpu|memory)[\w./-]+", "extended"),
    (r"cannot allocate all claims", "extended"),
    (r"Too many pods", "pods"),
    (r"node\(s\) didn't match pod topology spread", "spread"),
    (r"node\(s\) didn't have free ports", "ports"),
    (r"node\(s\) (?:exceed max volume count|has reached its volume limit)", "volume_limit"),
    (r"node\(s\) (?:had volume node affinity|had no available volume zone)", "volume"),
    (r"node\(s\) didn't match PersistentVolume's node affinity", "volume"),
)
PATTERNS = tuple((re.compile(r"(\d+) " + text), reason) for text, reason in SAID)
TAINT = re.compile(r"(\d+) node\(s\) had (?:untolerated )?taint \{([^:}]*)")
NODE_TROUBLE = re.compile(
    r"node\.(?:kubernetes\.io|cloudprovider\.kubernetes\.io)/"
    r"(?:not-ready|unreachable|\w+-pressure|network-unavailable|uninitialized|shutdown)"
)
REFUSED = ("nodes are available", "no nodes available", "nodes available")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a pod is not placed: the scheduler's words, and how many nodes each reason excludes.

    Without words (`said` empty: events and conditions were not seen) the counts are empty too.
    """

    pod: KubernetesObject
    event: KubernetesObject | None
    said: str
    nodes_by_reason: Mapping[str, int]

    @property
    def text(self) -> str:
        """The scheduler's words with where they stand."""
        if self.event is not None:
            return event_text(self.event)
        return f"pod/{self.pod.name}: condition PodScheduled is False: {self.said[:300]}"


def refusals(cluster: Cluster) -> Iterator[Refusal]:
    """Yield the pods without a node, with the scheduler's newest words on each."""
    for pod in cluster.pods:
        if is_scheduled(pod) or get(pod.body, "status", "phase") != "Pending":
            continue
        if get(pod.body, "metadata", "deletionTimestamp"):
            continue
        events = cluster.events(pod, "FailedScheduling")
        telling = [e for e in events if any(r in _message(e) for r in REFUSED)]
        event = latest(telling)
        said = _message(event) if event else _condition(pod)
        yield Refusal(pod=pod, event=event, said=said, nodes_by_reason=reasons(said))


def reasons(message: str) -> dict[str, int]:
    """Return how many nodes each reason excludes, taints of the control plane left out.

    What preemption could not do ("preemption: 0/4 …") is no reason.
    """
    said = re.split(r"[.,]? preemption: ", message)[0]
    found: dict[str, int] = {}
    for pattern, reason in PATTERNS:
        for match in pattern.finditer(said):
            found[reason] = found.get(reason, 0) + int(match[1])
    for match in TAINT.finditer(said):
        if match[2].strip() in CONTROL_PLANE_KEYS:
            found["taint"] -= int(match[1])
        elif NODE_TROUBLE.search(match[2]):
            found["taint"] -= int(match[1])
            found["trouble"] = found.get("trouble", 0) + int(match[1])
    return {reason: count for reason, count in found.items() if count > 0}


def _message(event: KubernetesObject | None) -> str:
    return str((event.body.get("message") if event else "") or "")


def _condition(pod: KubernetesObject) -> str:
    found = condition(pod, "PodScheduled")
    return str(found.get("message") or "") if found.get("status") == "False" else ""
