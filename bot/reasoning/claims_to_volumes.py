"""Would this volume bind to that claim: class, selector, size, access and volume mode, holder."""

from collections.abc import Mapping
from typing import Any

from bot.domain.snapshot import KubernetesObject
from bot.reasoning.kubernetes import get, mapping, matches, quantity


def misfits(claim: KubernetesObject, volume: KubernetesObject) -> dict[str, str]:
    """Return why a volume cannot be bound to a claim, by reason; empty if it can.

    Source: kubernetes/pkg/controller/volume/persistentvolume, FindMatchingVolume.
    """
    wanted, offered = mapping(claim.body, "spec"), mapping(volume.body, "spec")
    found: dict[str, str] = {}
    phase = get(volume.body, "status", "phase")
    reference = mapping(offered, "claimRef")
    mine = reference.get("name") == claim.name and reference.get("namespace") == claim.namespace
    if wanted.get("volumeName") not in (None, "", volume.name):
        found["name"] = f"the claim names volume {wanted['volumeName']}"
    if (wanted.get("storageClassName") or "") != (offered.get("storageClassName") or ""):
        found["class"] = _classes(wanted, offered)
    selector = mapping(wanted, "selector")
    if selector and not matches(selector, volume.labels):
        found["selector"] = f"its labels {dict(volume.labels)} do not match the claim's selector"
    found |= _size_and_modes(wanted, offered)
    if reference and not (mine and phase == "Available"):
        holder = f"{reference.get('namespace')}/{reference.get('name')}"
        found["occupied"] = f"it is {phase} and held by {holder}"
    elif phase in ("Released", "Failed"):
        found["occupied"] = f"it is {phase}"
    return found


def _classes(wanted: Mapping[str, Any], offered: Mapping[str, Any]) -> str:
    asked = wanted.get("storageClassName") or "no class"
    return f"the claim asks for {asked}, it has {offered.get('storageClassName') or 'no class'}"


def _size_and_modes(wanted: Mapping[str, Any], offered: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    size = quantity(get(wanted, "resources", "requests", "storage"))
    room = quantity(get(offered, "capacity", "storage"))
    if size is not None and room is not None and size > room:
        asked = get(wanted, "resources", "requests", "storage")
        found["capacity"] = f"the claim asks for {asked}, it has {offered['capacity']['storage']}"
    lacking = set(wanted.get("accessModes") or ()) - set(offered.get("accessModes") or ())
    if lacking:
        have = ", ".join(offered.get("accessModes") or ()) or "none"
        found["mode"] = f"the claim asks for {', '.join(sorted(lacking))}, it offers {have}"
    modes = wanted.get("volumeMode"), offered.get("volumeMode")
    if all(modes) and modes[0] != modes[1]:
        found["volume_mode"] = f"the claim is {modes[0]}, it is {modes[1]}"
    return found
