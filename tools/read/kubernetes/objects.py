"""Kubernetes objects of the environment's namespaces, redacted, as the API's own JSON.

`need.names` are kinds; without names the default set. Never Secrets. With `need.services`, objects
that belong to a service (by label or name) are kept, and everything of kinds that belong to none.
Of cluster-wide kinds only what concerns the namespaces is kept.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ClassVar

from bot.domain.environment import Environment
from bot.domain.errors import Refused, SreBotError, UnknownName
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import BlindSpot, KubernetesObject, Snapshot, Source
from tools.asking import Answered, Ask, T, ask, ask_all, counted
from tools.clients.kubernetes import Kubernetes, Listing
from tools.clients.kubernetes_kinds import RESOURCES, resource_of
from tools.clients.names import service_of_object, workload_of_claim
from tools.clients.redaction import redact_object
from tools.contract import ReadTool
from tools.read.kubernetes.scope import bound_roles, concerns

DEFAULT_KINDS = (
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "ControllerRevision",
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
    "Job",
    "CronJob",
    "LimitRange",
    "Namespace",
    "PersistentVolume",
    "StorageClass",
    "IngressClass",
    "Gateway",
    "HTTPRoute",
    "GRPCRoute",
    "Role",
    "RoleBinding",
    "ClusterRole",
    "ClusterRoleBinding",
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
    "IngressClass",
    "Gateway",
    "HTTPRoute",
    "GRPCRoute",
    "Role",
    "RoleBinding",
    "ClusterRole",
    "ClusterRoleBinding",
)
MAX_OBJECTS = 2000  # of one kind in one namespace
UNLISTED = ("Namespace", "ClusterRole")  # read by name
MAX_ROLES = 40
SEVERAL = 3  # kinds that may not be listed are told as one
NOT_ALLOWED = "the bot may not list"
OF_KIND = "objects of kind "


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
        """Return the server's version, how many pods it shows, and what the role lacks.

        Raises: Unavailable; Refused: not even pods.
        """
        version = await self._client.version()
        pods = [await self._client.list("Pod", n) for n in self._environment.namespaces]
        said = f"Kubernetes {version}, {sum(len(p.items) for p in pods)} pods"
        kinds = [k for k in DEFAULT_KINDS if k not in UNLISTED and await self._client.serves(k)]
        lacking = await asyncio.gather(*(self._lacking(kind) for kind in kinds))
        missing = [words for words in lacking if words]
        return f"{said}; cannot see {'; '.join(missing)}" if missing else said

    async def _lacking(self, kind: str) -> str:
        """Return which kind may not be listed and by which rule it could, "" if it may."""
        try:
            for place in self._places(kind):
                await self._client.list(kind, place, limit=1)
        except Refused as error:
            return f"{kind} ({error.reason})"
        except UnknownName:
            return ""
        return ""

    async def read(self, need: Need) -> Snapshot:
        """Return the objects of the kinds asked for; kinds that cannot be read are blind spots.

        Raises: Unavailable, Refused, UnknownName, Malformed: when no kind at all could be read.
        """
        kinds = need.names or DEFAULT_KINDS
        known = [k for k in dict.fromkeys(kinds) if k in RESOURCES]
        served = await self._served(known, need)
        places = [(kind, namespace) for kind in served for namespace in self._places(kind)]
        answered = await ask_all([self._ask(kind, namespace, need) for kind, namespace in places])
        services, namespaces = frozenset(need.services), self._environment.namespaces
        objects = await asyncio.to_thread(_objects, answered, services, namespaces)
        unread = answered.blind_spots if need.names else _refused_together(answered.blind_spots)
        spots = (*unread, *_left_out(answered), *_unserved(need.names, served))
        return Snapshot(
            environment=self._environment.name,
            window=need.window,
            now=need.window.end,
            objects=objects,
            blind_spots=spots,
        )

    async def _served(self, kinds: Sequence[str], need: Need) -> list[str]:
        """Return the kinds that the API has. Raises: Unavailable."""

        async def call() -> list[str]:
            return [kind for kind in kinds if await self._client.serves(kind)]

        query = "kubectl api-versions"
        return await ask(
            Ask(
                source=Source(system="kubernetes", query=query, window=need.window),
                call=call,
                found=counted("kinds"),
                wanted="the kinds that the API has",
            )
        )

    def _places(self, kind: str) -> Sequence[str]:
        """Return where to look: each namespace, or once for a cluster-wide kind."""
        by_name = kind == "Namespace"  # others' are not listed
        return self._environment.namespaces if by_name or resource_of(kind).namespaced else ("",)

    def _ask(self, kind: str, namespace: str, need: Need) -> Ask[Listing]:
        query, read = self._reading(kind, namespace)

        async def call() -> Listing:
            try:
                return await read()
            except UnknownName:
                if need.names:
                    raise
                return Listing(items=())  # of the default set: the API does not have the kind

        return Ask(
            source=Source(system="kubernetes", query=query, window=need.window),
            call=call,
            found=lambda listing: f"{len(listing.items)} objects",
            wanted=f"{OF_KIND}{kind}",
        )

    def _reading(self, kind: str, namespace: str) -> tuple[str, Callable[[], Awaitable[Listing]]]:
        """Return the command that reads a kind, and the call that does."""
        if kind == "Namespace":
            return f"kubectl get namespace {namespace}", lambda: self._one(kind, namespace)
        if kind == "ClusterRole":
            return "kubectl get clusterroles (those bound here)", self._bound_roles
        plural = resource_of(kind).plural
        query = f"kubectl get {plural} -n {namespace}" if namespace else f"kubectl get {plural}"
        return query, lambda: self._client.list(kind, namespace, limit=MAX_OBJECTS)

    async def _one(self, kind: str, name: str) -> Listing:
        found = await self._client.get(kind, "", name)
        return Listing(items=({**found, "kind": kind},))

    async def _bound_roles(self) -> Listing:
        """Return the ClusterRoles that are bound to accounts of the namespaces, by name."""
        spaces = self._environment.namespaces
        bindings = [("RoleBinding", n) for n in spaces] + [("ClusterRoleBinding", "")]
        listings = await _all_but(Refused, [self._client.list(k, n) for k, n in bindings])
        here = (b for listing in listings for b in listing.items if concerns(b, spaces))
        names = bound_roles(here)
        roles = [self._client.get("ClusterRole", "", n) for n in names[:MAX_ROLES]]
        found = await _all_but(UnknownName, roles)  # bound, but never made
        items = tuple({**role, "kind": "ClusterRole"} for role in found)
        return Listing(items=items, more=max(0, len(names) - MAX_ROLES))


async def _all_but(known: type[SreBotError], calls: Sequence[Awaitable[T]]) -> list[T]:
    """Return the results without those that fail as `known`. Raises: any other failure."""

    async def one(call: Awaitable[T]) -> tuple[T] | None:
        try:
            return (await call,)
        except known:
            return None

    return [found[0] for found in await asyncio.gather(*map(one, calls)) if found is not None]


def _refused_together(spots: Sequence[BlindSpot]) -> tuple[BlindSpot, ...]:
    """Return the blind spots, those of a role that lacks several kinds as one."""
    refused = [s for s in spots if s.reason.startswith(NOT_ALLOWED)]
    if len(refused) < SEVERAL:
        return tuple(spots)
    kinds = dict.fromkeys(s.wanted.removeprefix(OF_KIND) for s in refused)
    words = f"the bot's role may not list {len(kinds)} kinds (sre-bot doctor says which rules)"
    together = BlindSpot(system="Kubernetes", reason=words, wanted=", ".join(kinds))
    return (*(s for s in spots if s not in refused), together)


def _objects(
    answered: Answered[Listing], services: frozenset[str], namespaces: Sequence[str]
) -> tuple[KubernetesObject, ...]:
    return tuple(
        _object(body, source)
        for source, listing in answered.results
        for body in listing.items
        if concerns(body, namespaces) and (not services or _concerns(body, services))
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
    if body.get("kind") == "PersistentVolumeClaim" and workload_of_claim(name) in services:
        return True
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
