"""Storage that a pod waits for: claims that bind to nothing, that are gone, or in another zone."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import KubernetesObject, Snapshot
from bot.reasoning import needs
from bot.reasoning.analyzers.scheduling import volumes_of
from bot.reasoning.claims_to_volumes import misfits
from bot.reasoning.kubernetes import (
    Cluster,
    cluster_of,
    get,
    is_scheduled,
    items,
    latest,
    pod_spec,
    quantity,
)
from bot.reasoning.nodes import Nodes
from bot.reasoning.relevance import doubts
from bot.reasoning.scheduler import Refusal, refusals
from bot.reasoning.statements import GOOD, HINT, PROOF, STRONG, blame, event_text, saw

NAME = "volumes"
KINDS = ("PersistentVolume", "StorageClass")
CAUSE = {
    "occupied": "pv_binding_occupied",
    "class": "pvc_storage_class_mismatch",
    "selector": "pvc_selector_mismatch",
    "capacity": "pvc_capacity_mismatch",
    "mode": "pvc_access_mode_mismatch",
    "volume_mode": "pvc_volume_mode_mismatch",
    "name": "pvc_volume_name_mismatch",
    "lost": "pvc_volume_lost",
    "provisioner": "volume_provisioner_unavailable",
    "provisioning": "volume_provisioning_failed",
}
# What the binder and the provisioners say outright. Source: pv_controller.go (syncUnboundClaim,
# checkVolumeSatisfyClaim), external-provisioner, in-tree and common CSI drivers.
SAID = (
    (r"already bound to a different claim", "occupied"),
    (r"requested PV is too small", "capacity"),
    (r"storageClassName does not match|storageclass\S* \"[^\"]*\" not found", "class"),
    (r"incompatible volumeMode", "volume_mode"),
    (r"incompatible accessMode|invalid AccessModes|only supports? ReadWrite|"
     r"access ?modes? .*not supported|unsupported access ?mode", "mode"),
    (r"[Ss]elector is not supported|claim\.Spec\.Selector", "selector"),
    (r"[Ff]ailed to provision volume|failed to get target node|ProvisioningFailed", "provisioning"),
    (r"[Ww]aiting for a volume to be created", "provisioner"),
)  # fmt: skip
PATTERNS = tuple((re.compile(text), reason) for text, reason in SAID)
BY_HAND = ("kubernetes.io/no-provisioner", "", None)
PATIENCE = ("WaitForFirstConsumer", "WaitForPodScheduled")  # the claim waits for the pod
ZONE = re.compile(
    r"volume node affinity conflict|no available volume zone|PersistentVolume's node affinity"
)
GONE = re.compile(r'persistentvolumeclaim "([^"]+)" not found')
NONE_TO_BIND = re.compile(r"didn't find available persistent volumes|unbound immediate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """What keeps a claim unbound, in words, and how much it weighs."""

    reason: str
    words: str
    weight: float


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return why claims of waiting pods are not bound, not there, or cannot be reached."""
    cluster = cluster_of(snapshot)
    found: dict[tuple[str, str], Hypothesis] = {}
    for hypothesis in (*_unbound(cluster), *_gone(cluster), *_wrong_zone(cluster)):
        found.setdefault((hypothesis.cause, hypothesis.object), hypothesis)
    return Finding(hypotheses=tuple(found.values()), needs=_needs(cluster, question))


def _needs(cluster: Cluster, question: Question) -> tuple[Need, ...]:
    """The volumes and classes of the whole cluster, only while a claim waits for one."""
    waiting = any(
        get(claim.body, "status", "phase") in ("Pending", "Lost")
        for claim in cluster.all("PersistentVolumeClaim")
    )
    if not waiting:
        return ()
    reason = "which volume a waiting claim could have"
    window = needs.with_baseline(question)
    return (Need(fact=Fact.OBJECTS, window=window, names=KINDS, reason=reason),)


def claims_of(pod: KubernetesObject) -> list[str]:
    """Return the names of the claims that a pod mounts, generic ephemeral ones among them."""
    found = []
    for volume in items(pod_spec(pod), "volumes"):
        name = get(volume, "persistentVolumeClaim", "claimName")
        if volume.get("ephemeral"):
            name = f"{pod.name}-{volume.get('name')}"
        found += [str(name)] if name else []
    return found


def _unbound(cluster: Cluster) -> Iterator[Hypothesis]:
    for claim in cluster.all("PersistentVolumeClaim"):
        if get(claim.body, "status", "phase") not in ("Pending", "Lost"):
            continue
        pods = [
            pod
            for pod in cluster.pods
            if pod.namespace == claim.namespace
            and claim.name in claims_of(pod)
            and not is_scheduled(pod)
        ]
        if pods and not _waits_for_pod(cluster, claim, pods[0]):
            yield _explain(cluster, claim, pods[0], cluster.owner(pods[0]) or pods[0])


def _waits_for_pod(cluster: Cluster, claim: KubernetesObject, pod: KubernetesObject) -> bool:
    """Whether the claim waits for the pod's node: then the scheduler knows what is wrong."""
    name = get(claim.body, "spec", "storageClassName")
    storage_class = cluster.find("StorageClass", str(name)) if name else None
    last = latest(cluster.events(claim))
    patient = last is not None and last.body.get("reason") in PATIENCE
    if storage_class is not None:
        patient = get(storage_class.body, "volumeBindingMode") == "WaitForFirstConsumer"
    said = latest(cluster.events(pod, "FailedScheduling"))
    blamed = said is not None and NONE_TO_BIND.search(str(said.body.get("message") or ""))
    failed = last is not None and last.body.get("reason") in ("ProvisioningFailed", "FailedBinding")
    return patient and not blamed and not failed


def _explain(
    cluster: Cluster, claim: KubernetesObject, pod: KubernetesObject, owner: KubernetesObject
) -> Hypothesis:
    evidence = [saw(f"claim {claim.name} is {get(claim.body, 'status', 'phase')}", GOOD, claim)]
    event = latest(cluster.events(claim))
    if event is not None:
        evidence.append(saw(event_text(event), GOOD, event))
    waits = latest(cluster.events(pod, "FailedScheduling"))
    if waits is not None:
        evidence.append(saw(event_text(waits), HINT, waits))
    elif not is_scheduled(pod):
        evidence.append(saw(f"{pod.name} has no node yet", HINT, pod))
    why = _told(cluster, claim) or _missing_class(cluster, claim) or _nearest(cluster, claim)
    evidence.append(saw(why.words, why.weight, claim))
    evidence += doubts(cluster, pod)
    return blame(
        CAUSE[why.reason],
        owner,
        f"{owner.name} waits for its claim {claim.name}: {why.words}",
        evidence,
        analyzer=NAME,
        event=waits or event,
        hint="fix_manifest",
    )


def _told(cluster: Cluster, claim: KubernetesObject) -> Why | None:
    """What the binder or the provisioner says itself, the newest first."""
    if get(claim.body, "status", "phase") == "Lost":
        volume = get(claim.body, "spec", "volumeName")
        return Why(reason="lost", words=f"its volume {volume} was deleted", weight=PROOF)
    for event in reversed(cluster.events(claim)):
        message = str(event.body.get("message") or "")
        reason = next((r for pattern, r in PATTERNS if pattern.search(message)), None)
        if reason == "provisioner":
            reason = None if _static(cluster, claim) else reason
        if reason is not None:
            weight = STRONG if reason == "provisioner" else PROOF
            return Why(reason=reason, words=" ".join(message.split())[:200], weight=weight)
    return None


def _static(cluster: Cluster, claim: KubernetesObject) -> bool:
    """Whether nobody makes volumes of the claim's class: a person does, beforehand."""
    name = get(claim.body, "spec", "storageClassName")
    found = cluster.find("StorageClass", str(name)) if name else None
    return found is None or get(found.body, "provisioner") in BY_HAND


def _missing_class(cluster: Cluster, claim: KubernetesObject) -> Why | None:
    """A class that does not exist and that no volume has: there is nothing to wait for."""
    name = get(claim.body, "spec", "storageClassName")
    if not name or not cluster.knows("StorageClass") or cluster.find("StorageClass", name):
        return None
    same = [
        volume
        for volume in cluster.all("PersistentVolume")
        if get(volume.body, "spec", "storageClassName") == name
    ]
    if same:
        return None  # volumes made by hand may share a class name that is only a label
    return Why(reason="class", words=f"storage class {name} does not exist", weight=PROOF)


def _nearest(cluster: Cluster, claim: KubernetesObject) -> Why:
    """The misfits of the volume that is nearest to what the claim asks for."""
    name = get(claim.body, "spec", "volumeName")
    volumes = cluster.all("PersistentVolume")
    if name:
        named = [volume for volume in volumes if volume.name == name]
        if not named and volumes:
            return Why(reason="name", words=f"there is no volume {name}", weight=PROOF)
        volumes = named
    fits = [(misfits(claim, volume), volume) for volume in volumes]
    if not fits:
        words = "there is no volume, and no class that would make one"
        return Why(reason="class", words=words, weight=HINT)
    closest, volume = min(fits, key=lambda fit: _distance(claim, fit[0], fit[1]))
    if not closest:
        words = f"volume {volume.name} fits, and still is not bound"
        return Why(reason="occupied", words=words, weight=HINT)
    reason = next(iter(closest))
    words = f"volume {volume.name} would do, but {closest[reason]}"
    return Why(reason=reason, words=words, weight=PROOF / len(closest))


def _distance(
    claim: KubernetesObject, found: dict[str, str], volume: KubernetesObject
) -> tuple[int, int, int, float, str]:
    """Fewest misfits first; then one made for this claim by its name; then one that is free."""
    unlike = 0 if claim.name.split("-")[0] == volume.name.split("-")[0] else 1
    taken = int("occupied" in found)
    wanted = quantity(get(claim.body, "spec", "resources", "requests", "storage")) or 0.0
    size = quantity(get(volume.body, "spec", "capacity", "storage")) or 0.0
    return len(found), unlike, taken, abs(size - wanted), volume.name


def _gone(cluster: Cluster) -> Iterator[Hypothesis]:
    """A claim that the pod names and that nobody made; quotas may have kept it out."""
    for refusal in refusals(cluster):
        pod, owner = refusal.pod, cluster.owner(refusal.pod) or refusal.pod
        said = GONE.search(refusal.said)
        names = [n for n in claims_of(pod) if not _there(cluster, n, pod.namespace)]
        name = said[1] if said else (names[0] if names and not refusal.said else "")
        if not name:
            continue
        evidence = [
            saw(refusal.text if said else f"{pod.name} waits", STRONG if said else GOOD, pod)
        ]
        if _there(cluster, name, pod.namespace):
            evidence.append(saw(f"claim {name} exists now", -STRONG, pod))
        elif cluster.knows("PersistentVolumeClaim") or said:
            evidence.append(saw(f"there is no claim {name} in {pod.namespace}", STRONG, pod))
        yield blame(
            "missing_volume_claim",
            owner,
            f"{owner.name} names a claim {name} that does not exist",
            evidence,
            analyzer=NAME,
            event=refusal.event,
            hint="fix_manifest",
        )


def _there(cluster: Cluster, name: str, namespace: str) -> bool:
    return cluster.find("PersistentVolumeClaim", name, namespace) is not None


def _wrong_zone(cluster: Cluster) -> Iterator[Hypothesis]:
    """The volume's own nodes (a zone) and the nodes that the pod may use have none in common."""
    nodes = Nodes(cluster)
    for refusal in refusals(cluster):
        owner = cluster.owner(refusal.pod) or refusal.pod
        volumes = volumes_of(cluster, refusal.pod)
        apart = _apart(owner, volumes, nodes)
        if not ZONE.search(refusal.said) and not (apart and not refusal.said):
            continue
        where = refusal.event or refusal.pod
        yield blame(
            "volume_node_affinity_conflict",
            owner,
            f"{owner.name}'s volume is tied to nodes (a zone) that it may not run on",
            [saw(refusal.text, STRONG, where), *_reach(refusal, owner, volumes, nodes, apart)],
            analyzer=NAME,
            event=refusal.event,
            hint="fix_manifest",
        )


def _apart(
    owner: KubernetesObject, volumes: Sequence[KubernetesObject], nodes: Nodes
) -> bool | None:
    """Whether no node is allowed and in reach of the volumes, None if that cannot be told."""
    tied = [v for v in volumes if get(v.body, "spec", "nodeAffinity", "required")]
    if not tied or not nodes.known:
        return None
    reachable = nodes.reaching(tied)
    return not any(node in reachable for node in nodes.placed(pod_spec(owner)))


def _reach(
    refusal: Refusal,
    owner: KubernetesObject,
    volumes: Sequence[KubernetesObject],
    nodes: Nodes,
    apart: bool | None,
) -> list[Evidence]:
    names = ", ".join(v.name for v in volumes) or "its volume"
    if apart is None:
        alone = len(refusal.nodes_by_reason) <= 1 or "cordon" in refusal.nodes_by_reason
        return [saw(f"{names} is on other nodes", GOOD if alone else 0.0, refusal.pod)]
    fitting = len(nodes.placed(pod_spec(owner)))
    if apart:
        text = f"{names} cannot be reached from any of the {fitting} nodes that it may use"
        return [saw(text, PROOF, refusal.pod)]
    text = f"{names} can be reached from a node that it may use: something else closes that one"
    return [saw(text, -STRONG, refusal.pod)]
