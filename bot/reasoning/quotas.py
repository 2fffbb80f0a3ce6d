"""Resource quotas: which kind of resource is used up, by how much, and what was asked for."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.domain.diagnosis import Evidence
from bot.domain.snapshot import KubernetesObject
from bot.reasoning.kubernetes import Cluster, get, quantity
from bot.reasoning.statements import GOOD, PROOF, STRONG, saw

# Source: kubernetes/pkg/quota/v1 and plugin/pkg/admission/resourcequota/controller.go.
EXCEEDED = re.compile(r"exceeded quota: ([\w.-]+), requested: (.+?), used: (.+?), limited: (\S*)")
PAIR = re.compile(r"([^,=\s]+)=([^,\s;]+)")
KIND_OF_RESOURCE = (
    (re.compile(r"ephemeral-storage$"), "ephemeral_storage"),
    (re.compile(r"^(?:requests\.|limits\.)?cpu$"), "cpu"),
    (re.compile(r"^(?:requests\.|limits\.)?memory$"), "memory"),
    (re.compile(r"storage|^(?:count/)?persistentvolumeclaims"), "storage"),
    (re.compile(r"^(?:count/)?services(?:\.|$)"), "service"),
    (re.compile(r"^(?:count/)?pods$"), "pod"),
    (re.compile(r"^(?:count/)?configmaps$"), "config_map"),
    (re.compile(r"^(?:count/)?secrets$"), "secret"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """One resource of a refused request against its quota, as the API server wrote it."""

    resource: str
    requested: str
    used: str
    limited: str

    @property
    def text(self) -> str:
        """The arithmetic in words."""
        return f"{self.resource}: {self.requested} requested, {self.used} used of {self.limited}"


def resource_kind(resource: str) -> str:
    """Return the field's word for a quota's resource: "requests.cpu" is cpu, the rest "object"."""
    found = (kind for pattern, kind in KIND_OF_RESOURCE if pattern.search(resource))
    return next(found, "object")


def asked(match: re.Match[str]) -> list[Amount]:
    """Return the resources of a refusal that `EXCEEDED` matched, in the order written."""
    requested, used, limited = (dict(PAIR.findall(match[i])) for i in (2, 3, 4))
    return [
        Amount(resource=r, requested=v, used=used.get(r, "?"), limited=limited.get(r, "?"))
        for r, v in requested.items()
    ]


def over(amount: Amount) -> float:
    """Return by how much of the limit a request goes beyond it."""
    parts = [quantity(v) for v in (amount.requested, amount.used, amount.limited)]
    asks, used, limit = (0.0 if p is None else p for p in parts)
    return (asks + used - limit) / limit if limit else asks + used


def standing(
    cluster: Cluster, name: str, workload: KubernetesObject, amount: Amount
) -> list[Evidence]:
    """Return what the quota itself says now: still too small, or raised by now."""
    item = cluster.find("ResourceQuota", name, workload.namespace)
    if item is None:
        return []
    used, hard = used_of(item, amount.resource), hard_of(item, amount.resource)
    have, limit, more = quantity(used), quantity(hard), quantity(amount.requested)
    text = f"quota {name}: {amount.resource} {used} used of {hard}"
    if have is None or limit is None:
        return [saw(f"quota {name} exists", GOOD, item)]
    fits = have + (more or 0.0) <= limit
    return [saw(text + (", room again" if fits else ""), -STRONG if fits else PROOF, item)]


def used_of(quota: KubernetesObject, resource: str) -> str | None:
    """Return how much of a resource is used, as the quota says."""
    found = get(quota.body, "status", "used", resource)
    return None if found is None else str(found)


def hard_of(quota: KubernetesObject, resource: str) -> str | None:
    """Return a quota's limit of a resource."""
    found = get(quota.body, "status", "hard", resource)
    found = get(quota.body, "spec", "hard", resource) if found is None else found
    return None if found is None else str(found)


def left_of(quota: KubernetesObject, resource: str) -> float | None:
    """Return how much of a resource a quota leaves, None if it does not say."""
    limit, used = quantity(hard_of(quota, resource)), quantity(used_of(quota, resource))
    return None if limit is None or used is None else limit - used


def namespace_of(cluster: Cluster, item: KubernetesObject) -> KubernetesObject:
    """Return an object's namespace, made up from its name where it was not seen."""
    return cluster.find("Namespace", item.namespace) or KubernetesObject(
        kind="Namespace", namespace="", name=item.namespace, body={}, source=item.source
    )


def limits(cluster: Cluster) -> Iterator[tuple[KubernetesObject, str]]:
    """Yield each quota with each resource that it limits."""
    for quota in cluster.all("ResourceQuota"):
        hard = get(quota.body, "status", "hard") or get(quota.body, "spec", "hard") or {}
        for resource in hard:
            yield quota, str(resource)
