"""What a Service should select and reach, told by the labels and ports of a workload."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tools.clients.targets import pod_labels, pod_spec

BEFORE_ANNOTATION = "sre-bot/before-fix"
Ports = dict[tuple[int, str], Any]  # (port, protocol) → target port


class NotTold(Exception):
    """The workload does not say it; the text says what is missing."""


def selector_of(workload: Mapping[str, Any]) -> dict[str, str]:
    """Return the labels by which the workload itself selects its pods. Raises: NotTold."""
    selector = (workload.get("spec") or {}).get("selector") or {}
    found = dict(selector.get("matchLabels") or {}) or dict(pod_labels(workload))
    if not found:
        raise NotTold("its pods carry no labels")
    return found


def target_ports(service: Mapping[str, Any], workload: Mapping[str, Any]) -> Ports:
    """Return a port that the workload's containers have for each port of a Service.

    Those that reach one stay; another becomes the container's port of its name or number, else the
    only one. Raises: NotTold: there is none, or several would do.
    """
    declared = _declared(workload)
    return {
        place: target if _reaches(declared, target, place[1]) else _best(declared, place, name)
        for place, (name, target) in _ports(service).items()
    }


def ports_of(service: Mapping[str, Any]) -> Ports:
    """Return the target port of each port of a Service."""
    return {place: target for place, (_, target) in _ports(service).items()}


def losing(
    service: Mapping[str, Any],
    after: tuple[Mapping[str, str], Ports],
    pods: Iterable[Mapping[str, Any]],
) -> int:
    """Return how many pods that the Service reaches now it would not reach any more."""
    selector, ports = after
    now, before = (service.get("spec") or {}).get("selector") or {}, ports_of(service)
    lost = 0
    for pod in pods:
        declared = _declared(pod)
        served = _matches(now, pod) and any(
            _reaches(declared, target, place[1]) for place, target in before.items()
        )
        kept = _matches(selector, pod) and all(
            _reaches(declared, ports.get(place), place[1])
            for place, target in before.items()
            if _reaches(declared, target, place[1])
        )
        lost += served and not kept
    return lost


def selected(service: Mapping[str, Any], pods: Iterable[Mapping[str, Any]]) -> int:
    """Return how many pods the Service selects now."""
    now = (service.get("spec") or {}).get("selector") or {}
    return sum(_matches(now, pod) for pod in pods)


def patch_of(
    service: Mapping[str, Any], selector: Mapping[str, str] | None, ports: Ports
) -> dict[str, Any]:
    """Return the merge patch that gives the Service a selector (None: none) and target ports."""
    spec = service.get("spec") or {}
    patch: dict[str, Any] = {}
    now = dict(spec.get("selector") or {})
    wanted = dict(selector or {})
    if wanted != now:
        patch["selector"] = {**dict.fromkeys(now), **wanted}
    if ports != ports_of(service):
        patch["ports"] = [
            {**port, "targetPort": ports.get(_place(port), port.get("targetPort"))}
            for port in spec.get("ports") or ()
        ]
    return {"spec": patch}


def remembered(service: Mapping[str, Any]) -> str:
    """Return the selector and target ports of now, as an annotation keeps them."""
    ports = [[*place, target] for place, target in sorted(ports_of(service).items())]
    selector = (service.get("spec") or {}).get("selector") or {}
    return json.dumps({"selector": selector, "ports": ports}, sort_keys=True)


def before_fix(service: Mapping[str, Any]) -> tuple[dict[str, str], Ports]:
    """Return what the last fix replaced. Raises: NotTold: it is not recorded, or unreadable."""
    notes = (service.get("metadata") or {}).get("annotations") or {}
    try:
        found = json.loads(str(notes.get(BEFORE_ANNOTATION) or ""))
        selector = {str(k): str(v) for k, v in found["selector"].items()}
        ports = {(int(port), str(protocol)): to for port, protocol, to in found["ports"]}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise NotTold("what it was before is not recorded") from None
    if any(isinstance(to, bool) or not isinstance(to, int | str) for to in ports.values()):
        raise NotTold("what it was before is not recorded")
    return selector, ports


def _declared(workload: Mapping[str, Any]) -> list[tuple[str, int, str]]:
    return [
        (str(p.get("name") or ""), int(p["containerPort"]), str(p.get("protocol") or "TCP"))
        for c in pod_spec(workload).get("containers") or ()
        for p in c.get("ports") or ()
        if isinstance(p.get("containerPort"), int)
    ]


def _ports(service: Mapping[str, Any]) -> dict[tuple[int, str], tuple[str, Any]]:
    return {
        _place(p): (str(p.get("name") or ""), p.get("targetPort", p.get("port")))
        for p in (service.get("spec") or {}).get("ports") or ()
    }


def _place(port: Mapping[str, Any]) -> tuple[int, str]:
    return int(port.get("port") or 0), str(port.get("protocol") or "TCP")


def _reaches(declared: Iterable[tuple[str, int, str]], target: Any, protocol: str) -> bool:
    return any(target in (number, name) and spoken == protocol for name, number, spoken in declared)


def _best(declared: list[tuple[str, int, str]], place: tuple[int, str], name: str) -> int:
    spoken = [(n, number) for n, number, protocol in declared if protocol == place[1]]
    named = [number for n, number in spoken if name and n == name]
    same = [number for _, number in spoken if number == place[0]]
    numbers = named or same or list(dict.fromkeys(number for _, number in spoken))
    if not numbers:
        raise NotTold(f"its containers declare no {place[1]} port")
    if len(numbers) > 1:
        there = ", ".join(str(n) for n in numbers)
        raise NotTold(f"its containers have several ports ({there}) and none fits port {place[0]}")
    return numbers[0]


def _matches(selector: Mapping[str, str], pod: Mapping[str, Any]) -> bool:
    labels = pod_labels(pod)
    return bool(selector) and all(labels.get(k) == v for k, v in selector.items())
