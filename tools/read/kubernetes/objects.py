"""Kubernetes objects of the environment's namespaces, redacted, as the API's own JSON.

`need.names` are kinds; without names the default set. Never Secrets. With `need.services`, objects
that belong to a service (by label or name) are kept, and everything of kinds that belong to none.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from bot.domain.environment import Environment
from bot.domain.errors import SreBotError
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import BlindSpot, KubernetesObject, Snapshot, Source
from tools.asking import Answered, Ask, ask_all
from tools.clients.kubernetes import Kubernetes, Listing
from tools.clients.kubernetes_kinds import RESOURCES, resource_of
from tools.clients.names import service_of_object
from tools.clients.redaction import redact_object
from tools.contract import ReadTool

DEFAULT_KINDS = (
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "Pod",
    "Service",
    "Endpoints",
    "ConfigMap",
    "PersistentVolumeClaim",
    "ResourceQuota",
    "Event",
    "Node",
    "HorizontalPodAutoscaler",
    "PodDisruptionBudget",
    "NetworkPolicy",
    "Ingress",
    "ServiceAccount",
    "Certificate",
)
SHARED_KINDS = (
    "Node",
    "Namespace",
    "ResourceQuota",
    "LimitRange",
    "NetworkPolicy",
    "Event",
    "PersistentVolume",
    "StorageClass",
    "Ingress",
)
MAX_OBJECTS = 2000  # of one kind in one namespace


class KubernetesObjects(ReadTool):
    """Objects of one cluster."""

    name: ClassVar[str] = "kubernetes.objects"
    system: ClassVar[str] = "Kubernetes"
    answers: ClassVar[Fact] = Fact.OBJECTS
    timeout_s: ClassVar[float] = 10.0  # the first call imports the client: 2 s of CPU

    def __init__(self, environment: Environment, client: Kubernetes) -> None:
        self._environment, self._client = environment, client

    @classmethod
    def for_environment(cls, environment: Environment) -> "KubernetesObjects | None":
        """Return the tool, None when the environment has no cluster. Raises: NotConfigured."""
        client = Kubernetes.of(environment)
        return cls(environment, client) if client else None

    async def check(self) -> str:
        """Return the server's version and how many pods it shows. Raises: Unavailable, Refused."""
        version = await self._client.version()
        pods = [await self._client.list("Pod", n) for n in self._environment.namespaces]
        return f"Kubernetes {version}, {sum(len(p.items) for p in pods)} pods"

    async def read(self, need: Need) -> Snapshot:
        """Return the objects of the kinds asked for; kinds that cannot be read are blind spots.

        Raises: Unavailable, Refused, UnknownName, Malformed: when no kind at all could be read.
        """
        kinds = need.names or DEFAULT_KINDS
        known = [k for k in dict.fromkeys(kinds) if k in RESOURCES]
        served = [k for k in known if await self._client.serves(k)]
        places = [
            (kind, namespace)
            for kind in served
            for namespace in (
                self._environment.namespaces if resource_of(kind).namespaced else ("",)
            )
        ]
        answered = await ask_all([self._ask(kind, namespace, need) for kind, namespace in places])
        objects = _objects(answered, frozenset(need.services))
        spots = (*answered.blind_spots, *_left_out(answered), *_unserved(need.names, served))
        return Snapshot(
            environment=self._environment.name,
            window=need.window,
            now=need.window.end,
            objects=objects,
            blind_spots=spots,
        )

    def _ask(self, kind: str, namespace: str, need: Need) -> Ask[Listing]:
        plural = resource_of(kind).plural
        query = f"kubectl get {plural} -n {namespace}" if namespace else f"kubectl get {plural}"
        return Ask(
            source=Source(system="kubernetes", query=query, window=need.window),
            call=lambda: self._client.list(kind, namespace, limit=MAX_OBJECTS),
            found=lambda listing: f"{len(listing.items)} objects",
            wanted=f"objects of kind {kind}",
        )


def _objects(answered: Answered[Listing], services: frozenset[str]) -> tuple[KubernetesObject, ...]:
    return tuple(
        _object(body, source)
        for source, listing in answered.results
        for body in listing.items
        if not services or _concerns(body, services)
    )


def _object(body: Mapping[str, Any], source: Source) -> KubernetesObject:
    clean = redact_object(body)
    metadata = clean.get("metadata") or {}
    return KubernetesObject(
        kind=str(clean.get("kind") or ""),
        namespace=str(metadata.get("namespace") or ""),
        name=str(metadata.get("name") or ""),
        body=clean,
        source=source,
    )


def _concerns(body: Mapping[str, Any], services: frozenset[str]) -> bool:
    if body.get("kind") in SHARED_KINDS:
        return True
    name = str((body.get("metadata") or {}).get("name") or "")
    of = service_of_object(body)
    return of in services or any(name == s or name.startswith(f"{s}-") for s in services)


def _left_out(answered: Answered[Listing]) -> tuple[BlindSpot, ...]:
    return tuple(
        BlindSpot(
            system="Kubernetes",
            reason=f"looked at the first {len(listing.items)}, {listing.more} or more are left out",
            wanted=source.query,
        )
        for source, listing in answered.results
        if listing.more
    )


def _unserved(names: Sequence[str], served: Sequence[str]) -> tuple[BlindSpot, ...]:
    """Name kinds that were asked for by name and cannot be read; the default set is silent."""
    return tuple(
        BlindSpot(system="Kubernetes", reason=_why_not(kind), wanted=f"objects of kind {kind}")
        for kind in names
        if kind not in served
    )


def _why_not(kind: str) -> str:
    try:
        resource_of(kind)
    except SreBotError as error:
        return str(error)
    return "the API does not have this kind"
