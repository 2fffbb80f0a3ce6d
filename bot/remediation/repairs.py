"""Binds the actions that repair what is misdeclared: services, quotas, images, resources."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bot.domain.snapshot import KubernetesObject
from bot.remediation.evidence import Bound, Case, Unbound, parts, place, replicas, section
from bot.remediation.revisions import before_change
from tools.clients.quantities import quantity, written
from tools.clients.services import NotTold, ports_of, selector_of, target_ports

# Source: kubernetes/plugin/pkg/admission/resourcequota/controller.go.
EXCEEDED = re.compile(
    r"exceeded quota: ([\w.-]{1,253}), requested: (.{1,2000}?), used: (.{1,2000}?), limited: (\S*)"
)
REFUSED_PODS = "FailedCreate"  # of a controller whose pods the API server did not take
PAIR = re.compile(r"([^,=\s]+)=([^,\s;]+)")
MOST_TIMES = 4  # the same as the action's own bound
ROOM = Decimal("1.25")  # a rollout needs room for its surge as well
DOUBLE = 2


def fix_service(case: Case, options: Mapping[str, str]) -> Bound:
    """Bind the Service whose selector or target port is not what the workload says."""
    workload = case.workload()
    part = options.get("part", "selector")
    wrong = _WRONG[part]
    for service in _services(case, workload):
        if why := _told(wrong, service, workload):
            return Bound(
                arguments={
                    **place(service),
                    "kind": workload.kind,
                    "workload": workload.name,
                    "part": part,
                },
                title=f"Let service {service.name} {why} {workload.name}",
            )
    raise Unbound(
        f"no service with another {part.replace('_', ' ')} than {workload.name}'s was seen"
    )


def _services(case: Case, workload: KubernetesObject) -> Iterator[KubernetesObject]:
    for name in dict.fromkeys((*case.hypothesis.explains, workload.name)):
        found = case.find("Service", name)
        if found is not None and found.namespace == workload.namespace:
            yield found


def _told(wrong: Any, service: KubernetesObject, workload: KubernetesObject) -> str:
    try:
        return str(wrong({"kind": "Service", **service.body}, {"kind": "", **workload.body}))
    except NotTold as error:
        raise Unbound(f"{workload.kind.lower()}/{workload.name}: {error}") from None
    except (TypeError, ValueError, AttributeError) as error:
        raise Unbound(f"service {service.name} cannot be read") from error


def _wrong_selector(service: Mapping[str, Any], workload: Mapping[str, Any]) -> str:
    now = section(service, "spec", "selector")
    return "select the pods of" if now and dict(now) != selector_of(workload) else ""


def _wrong_ports(service: Mapping[str, Any], workload: Mapping[str, Any]) -> str:
    wanted, now = target_ports(service, workload), ports_of(service)
    changed = sorted({str(to) for at, to in wanted.items() if to != now.get(at)})
    return f"reach port {', '.join(changed)} of" if changed else ""


_WRONG = {"selector": _wrong_selector, "target_port": _wrong_ports}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Short:
    """A resource of which a quota leaves too little. `wanted`: what it must allow at least."""

    quota: KubernetesObject
    resource: str
    wanted: Decimal


def raise_quota(case: Case, _: Mapping[str, str]) -> Bound:
    """Bind how much more of which resource, from the refusals themselves, else from what is full.

    A quarter more than now, or what all the missing pods ask for if that is more.
    """
    namespace = case.name if case.kind == "namespace" else case.workload().namespace
    quotas = {q.name: q for q in case.snapshot.kind("ResourceQuota") if q.namespace == namespace}
    if namespace not in case.environment.namespaces or not quotas:
        raise Unbound(f"no quota of {namespace} was seen")
    short = list(_refused(case, quotas)) or list(_full(case, quotas))
    if not short:
        raise Unbound(f"which quota of {namespace} is used up was not seen")
    quota = short[0].quota
    now = section(quota.body, "spec", "hard")
    hard: dict[str, str] = {}
    for one in (s for s in short if s.quota.name == quota.name):
        hard[one.resource] = _raised(quota, one.resource, str(now.get(one.resource)), one.wanted)
    words = ", ".join(f"{name} to {text}" for name, text in sorted(hard.items()))
    return Bound(
        arguments={**place(quota), "hard": hard}, title=f"Raise quota {quota.name}: {words}"
    )


def room_for(case: Case, deployment: KubernetesObject, more: int) -> Bound:
    """Bind as much more of a quota as further pods of a deployment need.

    Raises: Unbound: they fit as it is, or no quota was seen.
    """
    asks = _asks(deployment)
    for quota in case.snapshot.kind("ResourceQuota"):
        if quota.namespace != deployment.namespace:
            continue
        hard, used = section(quota.body, "spec", "hard"), section(quota.body, "status", "used")
        raised: dict[str, str] = {}
        for resource, text in hard.items():
            each, most = asks.get(resource), quantity(text)
            there = quantity(used.get(resource))
            if each and most is not None and there is not None and there + each * more > most:
                raised[resource] = _raised(quota, resource, str(text), there + each * more)
        if raised:
            words = ", ".join(f"{name} to {text}" for name, text in sorted(raised.items()))
            arguments = {**place(quota), "hard": raised}
            return Bound(arguments=arguments, title=f"Raise quota {quota.name}: {words}")
    raise Unbound(f"no quota stands in the way of {more} more pods of {deployment.name}")


def _asks(deployment: KubernetesObject) -> dict[str, Decimal]:
    """Return what one pod takes of each resource that a quota may limit."""
    found = {"pods": Decimal(1), "count/pods": Decimal(1)}
    for container in _containers(section(deployment.body, "spec", "template")).values():
        for side in ("requests", "limits"):
            for name, text in section(container, "resources", side).items():
                amount = quantity(text) or Decimal(0)
                names = (f"{side}.{name}", name) if side == "requests" else (f"{side}.{name}",)
                for known in names:
                    found[known] = found.get(known, Decimal(0)) + amount
    return found


def _refused(case: Case, quotas: Mapping[str, KubernetesObject]) -> Iterator[_Short]:
    """What the API server's refusals say: the newest of each resource counts."""
    found: dict[tuple[str, str], _Short] = {}
    for event in case.snapshot.kind("Event"):
        if event.body.get("reason") != REFUSED_PODS:
            continue  # a failing probe's event quotes what the pod said: that is no refusal
        match = EXCEEDED.search(str(event.body.get("message") or "")[:5000])
        quota = quotas.get(match[1]) if match else None
        if match is None or quota is None or event.namespace != quota.namespace:
            continue
        asked, used = dict(PAIR.findall(match[2])), dict(PAIR.findall(match[3]))
        missing = _missing(case, event)
        for resource, text in asked.items():
            more, there = quantity(text), quantity(used.get(resource))
            if more is not None and there is not None:
                wanted = there + more * missing
                found[quota.name, resource] = _Short(quota=quota, resource=resource, wanted=wanted)
    yield from found.values()


def _missing(case: Case, event: KubernetesObject) -> int:
    """Return how many pods the refused workload still lacks, at least one."""
    about = section(event.body, "involvedObject")
    maker = case.find(str(about.get("kind")), str(about.get("name")))
    if maker is None:
        return 1
    there = section(maker.body, "status").get("replicas")
    return max(1, replicas(maker) - (there if isinstance(there, int) else 0))


def _full(case: Case, quotas: Mapping[str, KubernetesObject]) -> Iterator[_Short]:
    """What is used up to its limit; of what the cause's name says, if it says that."""
    kind = case.hypothesis.cause.removeprefix("namespace_").removesuffix("_quota_exceeded")
    for quota in quotas.values():
        used = section(quota.body, "status", "used")
        for resource, text in section(quota.body, "spec", "hard").items():
            most, there = quantity(text), quantity(used.get(resource))
            is_full = most is not None and there is not None and there >= most > 0
            if is_full and there is not None and kind.replace("_", "") in _flat(resource):
                yield _Short(quota=quota, resource=str(resource), wanted=there)


def _flat(resource: str) -> str:
    return re.sub(r"[-_./]", "", resource)


def _raised(quota: KubernetesObject, resource: str, now: str, wanted: Decimal) -> str:
    there = quantity(now)
    if there is None or there <= 0:
        raise Unbound(f"quota {quota.name} does not limit {resource}")
    more = max(wanted, there * ROOM)
    if more > there * MOST_TIMES:
        raise Unbound(f"quota {quota.name} would need more than {MOST_TIMES} times its {now}")
    return written(more, now)


def set_image(case: Case, _: Mapping[str, str]) -> Bound:
    """Bind the image that the failing container had in the newest healthy revision before."""
    deployment = case.deployment()
    before = before_change(case.snapshot, deployment, case.change())
    now = _containers(section(deployment.body, "spec", "template"))
    earlier = _containers(before.template)
    failing = _waiting(case, deployment) or set(now)
    for name, container in now.items():
        image = earlier.get(name, {}).get("image")
        if name in failing and isinstance(image, str) and image != container.get("image"):
            return Bound(
                arguments={
                    **place(deployment),
                    "kind": deployment.kind,
                    "container": name,
                    "image": image,
                },
                title=f"Set the image of {deployment.name} back to {image}",
            )
    raise Unbound(f"no earlier image of {deployment.name} is known")


def set_resources(case: Case, options: Mapping[str, str]) -> Bound:
    """Bind a higher limit of the container that runs into it: that of before, else the double."""
    workload, resource = case.workload(), options.get("resource", "memory")
    killed = _killed(case, workload) if resource == "memory" else set()
    found = _containers(section(workload.body, "spec", "template"))
    limited = {n: _limit(c, resource) for n, c in found.items() if _limit(c, resource)}
    names = [n for n in limited if n in killed] or list(limited)
    if len(names) != 1:
        lacking = "has no limit" if not names else "which of the containers runs into it is unclear"
        raise Unbound(f"{workload.name}: {lacking}")
    now = limited[names[0]]
    there = quantity(now)
    if there is None or there <= 0:
        raise Unbound(f"{workload.name}: the limit {now[:40]} cannot be read")
    wanted = _before(case, names[0], resource, there) or written(there * DOUBLE, now)
    return Bound(
        arguments={
            **place(workload),
            "kind": workload.kind,
            "container": names[0],
            "requests": {},
            "limits": {resource: wanted},
        },
        title=f"Raise the {resource} limit of {workload.name} from {now} to {wanted}",
    )


def _before(case: Case, container: str, resource: str, now: Decimal) -> str:
    """Return the higher limit of the newest healthy revision before, "" if there was none."""
    try:
        earlier = before_change(case.snapshot, case.deployment(), case.change())
    except Unbound:
        return ""
    text = _limit(_containers(earlier.template).get(container, {}), resource)
    most = quantity(text)
    return text if most is not None and now < most <= now * MOST_TIMES else ""


def _limit(container: Mapping[str, Any], resource: str) -> str:
    return str(section(container, "resources", "limits").get(resource) or "")


def _containers(template: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {str(c.get("name")): c for c in parts(template, "spec", "containers")}


def _statuses(case: Case, workload: KubernetesObject) -> Iterator[Mapping[str, Any]]:
    names = set(_containers(section(workload.body, "spec", "template")))
    for pod in case.snapshot.kind("Pod"):
        if pod.namespace == workload.namespace and pod.name.startswith(f"{workload.name}-"):
            found = parts(pod.body, "status", "containerStatuses")
            yield from (s for s in found if s.get("name") in names)


def _waiting(case: Case, workload: KubernetesObject) -> set[str]:
    """Return the containers whose image does not arrive."""
    reasons = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
    return {
        str(s["name"])
        for s in _statuses(case, workload)
        if section(s, "state", "waiting").get("reason") in reasons
    }


def _killed(case: Case, workload: KubernetesObject) -> set[str]:
    """Return the containers that the kernel ended for memory."""
    return {
        str(s["name"])
        for s in _statuses(case, workload)
        for state in ("state", "lastState")
        if section(s, state, "terminated").get("reason") == "OOMKilled"
    }
