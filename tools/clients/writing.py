"""Guarded changes of Kubernetes objects: previewed, bound to what was read, once per key."""

import difflib
import json
import shlex
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from bot.domain.action import Applied, DryRun, Target
from bot.domain.environment import Environment
from bot.domain.errors import Conflict, Malformed, Refused, UnknownName
from tools.clients.blast import desired_replicas, radius
from tools.clients.diffs import KEY_ANNOTATION, object_diff, spec_hash
from tools.clients.kubernetes import Kubernetes, Patch
from tools.clients.kubernetes_kinds import resource_of
from tools.clients.names import service_of_object
from tools.clients.targets import pod_labels, selects, target_of

RESTART_ANNOTATION = "sre-bot/restarted-by"
KEY_IN_DRY_RUN = "execution-key"  # a dry-run has no key yet, and its diff must stay the same
ATTEMPTS = 3

Body = dict[str, Any]
Build = Callable[[Body], Any]  # live object → patch, without key and resourceVersion


class GuardedObjects:
    """Objects of one environment, as actions read and change them."""

    def __init__(self, client: Kubernetes, environment: Environment) -> None:
        self.client, self.environment = client, environment

    @classmethod
    def of(cls, environment: Environment) -> "GuardedObjects | None":
        """Return the objects of an environment, None when it has no cluster."""
        client = Kubernetes.of(environment)
        if client is None:
            return None
        client.strict = True
        return cls(client, environment)

    async def live(self, kind: str, namespace: str, name: str) -> Body:
        """Return the object as it is now.

        Raises: Refused: the namespace is not the environment's, or RBAC forbids; UnknownName: with
        the nearest names; Unavailable.
        """
        found = await self.maybe(kind, namespace, name)
        if found is not None:
            return found
        near = await self._near(kind, namespace, name)
        raise UnknownName(kind.lower(), name, near=near, place=namespace)

    async def maybe(self, kind: str, namespace: str, name: str) -> Body | None:
        """Return the object as it is now, None if there is none. Raises: Refused, Unavailable."""
        place = self.environment.namespaces if resource_of(kind).namespaced else ("",)
        if namespace not in place:
            raise Refused(
                f"namespace {namespace} is not part of {self.environment.name}", rule="namespaces"
            )
        try:
            return await self.client.get(kind, namespace, name)
        except UnknownName:
            return None

    async def target(self, body: Mapping[str, Any], *, replicas: int | None = None) -> Target:
        """Return the object as a target, with what its disruption budgets allow now."""
        count = desired_replicas(body) if replicas is None else replicas
        allows = await self.pdb_allows(body) if pod_labels(body) else None
        return target_of(self.environment.name, body, replicas=count, pdb_allows=allows)

    async def pdb_allows(self, body: Mapping[str, Any]) -> int | None:
        """Return how many pods the disruption budgets allow to go now, None if there is none."""
        namespace = str((body.get("metadata") or {}).get("namespace"))
        try:
            budgets = await self.client.list("PodDisruptionBudget", namespace)
        except (UnknownName, Refused):
            return None
        labels = pod_labels(body)
        allowed = [
            int((b.get("status") or {}).get("disruptionsAllowed") or 0)
            for b in budgets.items
            if selects((b.get("spec") or {}).get("selector"), labels)
        ]
        return min(allowed, default=None)

    async def fleet(self) -> int:
        """Return how many pods the environment runs."""
        listings = [await self.client.list("Pod", n) for n in self.environment.namespaces]
        over = ("Succeeded", "Failed")
        return sum(
            (pod.get("status") or {}).get("phase") not in over
            for listing in listings
            for pod in listing.items
        )

    async def preview(
        self, body: Body, build: Build, how: Patch, *, command: str, unavailable: int
    ) -> DryRun:
        """Ask the API server what the change would make of the object, changing nothing."""
        kind, namespace, name = identity(body)
        total = desired_replicas(body) if pod_labels(body) else 0
        blast = radius(
            pods=unavailable,
            total=total,
            fleet=await self.fleet(),
            service=service_of_object(body),
        )
        try:
            after = await self.client.patch(
                kind, namespace, name, build(body), how=how, dry_run=True
            )
        except (Refused, Malformed, Conflict) as error:
            return DryRun(ok=False, command=command, diff="", blast_radius=blast, detail=str(error))
        diff = object_diff(body, after)
        detail = "" if diff else "nothing would change"
        return DryRun(ok=bool(diff), command=command, diff=diff, blast_radius=blast, detail=detail)

    async def change(self, target: Target, build: Build, how: Patch, *, key: str) -> Applied:
        """Make the change once under `key`, if the live object still is the target.

        Raises: Conflict: it is not; Refused; Malformed; Unavailable: not known whether it was made.
        """
        for _ in range(ATTEMPTS):
            body = await self.live(target.kind, target.namespace, target.name)
            if key_of(body) == key:
                return Applied(changed=False, detail=f"{words(body)}: done before under this key")
            check_same(target, body)
            patch = stamped(build(body), body, key, how)
            try:
                after = await self.client.patch(
                    target.kind, target.namespace, target.name, patch, how=how
                )
            except Conflict:
                continue  # something else wrote in between: look whether it still is the target
            return Applied(changed=spec_hash(after) != spec_hash(body), detail=state(after))
        raise Conflict(
            f"{target.kind.lower()}/{target.name} changes too often to be written safely"
        )

    async def done(self, kind: str, namespace: str, name: str, key: str) -> Applied | None:
        """Return what the object says of this key, None if it does not carry it."""
        body = await self.live(kind, namespace, name)
        if key_of(body) != key:
            return None
        return Applied(changed=True, detail=state(body))

    async def _near(self, kind: str, namespace: str, name: str) -> list[str]:
        listing = await self.client.list(kind, namespace)
        names = [str((item.get("metadata") or {}).get("name")) for item in listing.items]
        return difflib.get_close_matches(name, names, n=2, cutoff=0.5)


def identity(body: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return kind, namespace and name."""
    metadata = body.get("metadata") or {}
    return str(body.get("kind")), str(metadata.get("namespace") or ""), str(metadata.get("name"))


def words(body: Mapping[str, Any]) -> str:
    """Return "deployment/checkout"."""
    kind, _, name = identity(body)
    return f"{kind.lower()}/{name}"


def state(body: Mapping[str, Any]) -> str:
    """Return in a few words how the object is now, as the API answered."""
    generation = (body.get("metadata") or {}).get("generation")
    spec = body.get("spec") or {}
    parts = [f"generation {generation}"] if generation else []
    if "replicas" in spec:
        parts.append(f"{spec['replicas']} replicas")
    return f"{words(body)}: {', '.join(parts) or 'written'}"


def key_of(body: Mapping[str, Any]) -> str | None:
    """Return the key of the last execution that changed the object, None if there was none."""
    annotations: Mapping[str, str] = (body.get("metadata") or {}).get("annotations") or {}
    return annotations.get(KEY_ANNOTATION)


def check_same(target: Target, body: Mapping[str, Any]) -> None:
    """Raise Conflict if the live object is another one than the target, or wants another thing."""
    if str((body.get("metadata") or {}).get("uid") or "") != target.uid:
        raise Conflict(f"{words(body)} was deleted and made again since it was read")
    if spec_hash(body) != target.spec_hash:
        raise Conflict(f"{words(body)} was changed since it was read")


def stamped(patch: Any, body: Mapping[str, Any], key: str, how: Patch) -> Any:
    """Return the patch with the execution's key, valid for this resourceVersion only."""
    version = str((body.get("metadata") or {}).get("resourceVersion") or "")
    if how is Patch.JSON:
        return [*_annotate(body, key), *patch, _op("/metadata/resourceVersion", version)]
    metadata = {
        **(patch.get("metadata") or {}),
        "resourceVersion": version,
        "annotations": {
            **((patch.get("metadata") or {}).get("annotations") or {}),
            KEY_ANNOTATION: key,
        },
    }
    return {**patch, "metadata": metadata}


def _annotate(body: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    metadata = body.get("metadata") or {}
    empty = () if metadata.get("annotations") else (_op("/metadata/annotations", {}, verb="add"),)
    escaped = KEY_ANNOTATION.replace("~", "~0").replace("/", "~1")
    return (*empty, _op(f"/metadata/annotations/{escaped}", key, verb="add"))


def _op(path: str, value: Any, *, verb: str = "replace") -> Mapping[str, Any]:
    return {"op": verb, "path": path, "value": value}


def restart_patch(key: str) -> Body:
    """Return the merge patch that makes a workload replace its pods. The same key restarts once."""
    return {"spec": {"template": {"metadata": {"annotations": {RESTART_ANNOTATION: key}}}}}


def patch_command(kind: str, namespace: str, name: str, patch: Mapping[str, Any]) -> str:
    """Return the kubectl command that makes the same merge patch."""
    text = shlex.quote(json.dumps(patch, sort_keys=True, ensure_ascii=False))
    return f"kubectl patch {kind.lower()} {name} -n {namespace} --type merge -p {text}"


async def found_or_none(look: Callable[[], Awaitable[Applied | None]]) -> Applied | None:
    """Return what `look` finds; None when the object itself is gone."""
    try:
        return await look()
    except UnknownName:
        return None
