"""Remembers by an Event which object an execution took away: what is gone can carry no key."""

import hashlib
from collections.abc import Mapping
from typing import Any

from bot.domain.action import Applied
from bot.domain.errors import Conflict, Malformed, Refused, UnknownName
from tools.clients.diffs import KEY_ANNOTATION
from tools.clients.writing import Body, GuardedObjects, identity, words


def uid_of(body: Mapping[str, Any]) -> str:
    """Return the uid of an object, "" if it has none."""
    return str((body.get("metadata") or {}).get("uid") or "")


def controller_of(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the owner reference of what would make the object again, empty if nothing would."""
    owners = (body.get("metadata") or {}).get("ownerReferences") or ()
    return next((o for o in owners if o.get("controller")), {})


def controller_words(body: Mapping[str, Any]) -> str:
    """Return "replicaset/web-5d9" of an object that it owns, "" if nothing does."""
    owner = controller_of(body)
    return f"{str(owner['kind']).lower()}/{owner.get('name')}" if owner.get("kind") else ""


async def siblings(objects: GuardedObjects, pod: Body) -> int:
    """Return how many pods the pod's controller has, itself counted; 1 of a pod without one."""
    owner = controller_of(pod).get("uid")
    listing = await objects.client.list("Pod", str(pod["metadata"]["namespace"]))
    own = [p for p in listing.items if owner and controller_of(p).get("uid") == owner]
    return max(1, len(own))


async def gone(
    objects: GuardedObjects, place: tuple[str, str, str], key: str
) -> tuple[Applied | None, Body | None]:
    """Return what became of the object at (kind, namespace, name) under a key, and who is there.

    It is gone when nothing of its name is there, or an object of another uid than was recorded.
    """
    kind, namespace, name = place
    recorded = await recorded_uid(objects, namespace, key)
    body = await objects.maybe(kind, namespace, name)
    if body is None:
        return Applied(changed=bool(recorded), detail=f"{kind.lower()}/{name} is gone"), None
    if recorded in ("", uid_of(body)):
        return None, body  # never meant to go, or still there
    return Applied(changed=True, detail=f"{kind.lower()}/{name} (uid {recorded}) is gone"), body


async def recorded_uid(objects: GuardedObjects, namespace: str, key: str) -> str:
    """Return the uid of the object that was to go under this key, "" if there is no record."""
    try:
        event = await objects.client.get("Event", namespace, _event_name(key))
    except (UnknownName, Refused):
        return ""
    return str((event.get("involvedObject") or {}).get("uid") or "")


async def record(objects: GuardedObjects, body: Body, key: str, message: str) -> None:
    """Record the intent as an Event; where events may not be written, do without."""
    kind, namespace, name = identity(body)
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": _event_name(key),
            "namespace": namespace,
            "annotations": {KEY_ANNOTATION: key},
        },
        "involvedObject": {
            "apiVersion": str(body.get("apiVersion") or "v1"),
            "kind": kind,
            "name": name,
            "namespace": namespace,
            "uid": uid_of(body),
        },
        "type": "Normal",
        "reason": "RemovedBySreBot",
        "message": f"{words(body)}: {message} by sre-bot",
        "source": {"component": "sre-bot"},
    }
    try:
        await objects.client.create("Event", namespace, event)
    except (Conflict, Refused, UnknownName, Malformed):
        return  # there already, or not to be had: the object's uid still guards the deletion


def _event_name(key: str) -> str:
    return f"sre-bot.{hashlib.sha256(key.encode()).hexdigest()[:16]}"
