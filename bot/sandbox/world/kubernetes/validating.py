"""Refuses objects that the real API server would refuse, field by field."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from bot.sandbox.world.kubernetes.errors import ApiError, bad_request, conflict, invalid
from bot.sandbox.world.kubernetes.resources import Resource
from bot.sandbox.world.records import Json

QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?([mkMGTP]|[KMGTP]i)?")
IMAGE = re.compile(r"[a-z0-9][A-Za-z0-9._/:@-]{0,254}")
ANNOTATION = re.compile(
    r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"
)
NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
MAX_REPLICAS = 500
Causes = list[tuple[str, str]]


def check(resource: Resource, old: Json, new: Json) -> None:
    """Check a changed object against its old self. Raises: ApiError 400, 409, 422."""
    name = str(old["metadata"]["name"])
    metadata = new.get("metadata")
    if not isinstance(metadata, dict):
        raise bad_request("metadata is not an object")
    _same(resource, old, new)
    wanted, found = metadata.get("resourceVersion"), old["metadata"].get("resourceVersion")
    if wanted is not None and str(wanted) != str(found):
        raise conflict(_plural(resource), name)
    causes = _metadata(metadata)
    if resource.plural in ("deployments", "statefulsets"):
        causes += _workload(old, new)
    if resource.plural == "configmaps":
        causes += _config(new)
    if resource.plural in BY_PLURAL:
        causes += BY_PLURAL[resource.plural](new)
    if causes:
        raise invalid(
            resource.kind + (f".{resource.group}" if resource.group else ""), name, causes
        )


def _plural(resource: Resource) -> str:
    return f"{resource.plural}.{resource.group}" if resource.group else resource.plural


def _same(resource: Resource, old: Json, new: Json) -> None:
    for field in ("name", "namespace", "uid"):
        have, want = old["metadata"].get(field), new["metadata"].get(field)
        if want != have:
            if field == "uid" and want is not None:
                raise conflict(_plural(resource), str(old["metadata"]["name"]))
            raise bad_request(
                f"the {field} of the object ({want}) does not match the {field} on the URL"
            )
    if (new.get("kind"), new.get("apiVersion")) != (old.get("kind"), old.get("apiVersion")):
        raise bad_request("kind and apiVersion cannot be changed")


def _metadata(metadata: Json) -> Causes:
    causes: Causes = []
    for field in ("annotations", "labels"):
        found = metadata.get(field)
        if found is None:
            continue
        if not isinstance(found, dict):
            causes.append((f"metadata.{field}", "Invalid value: expected an object of strings"))
            continue
        for key, value in found.items():
            if not ANNOTATION.fullmatch(str(key)) or len(str(key)) > 317:
                text = f'Invalid value: "{str(key)[:80]}": name part must consist of alphanumeric'
                causes.append((f"metadata.{field}", text + " characters, '-', '_' or '.'"))
            if not isinstance(value, str):
                raise bad_request(
                    f"json: cannot unmarshal metadata.{field} into Go value of type string"
                )
    return causes


def _workload(old: Json, new: Json) -> Causes:
    spec = new.get("spec")
    if not isinstance(spec, dict):
        return [("spec", "Required value")]
    causes = _replicas(spec)
    if spec.get("selector") != old["spec"]["selector"]:
        causes.append(("spec.selector", "Invalid value: field is immutable"))
    template = spec.get("template")
    if not isinstance(template, dict) or not isinstance(template.get("metadata"), dict):
        return [*causes, ("spec.template", "Required value")]
    causes += [(f"spec.template.{f}", m) for f, m in _metadata(template["metadata"])]
    labels = template["metadata"].get("labels")
    wanted = old["spec"]["selector"]["matchLabels"]
    if not isinstance(labels, dict) or any(labels.get(k) != v for k, v in wanted.items()):
        causes.append(("spec.template.metadata.labels",
                       "Invalid value: `selector` does not match template `labels`"))  # fmt: skip
    return causes + _containers(template)


def _replicas(spec: Json) -> Causes:
    value = spec.get("replicas", 1)
    if isinstance(value, bool) or not isinstance(value, int):
        raise bad_request("json: cannot unmarshal spec.replicas into Go value of type int32")
    if value < 0:
        return [("spec.replicas", f"Invalid value: {value}: must be greater than or equal to 0")]
    if value > MAX_REPLICAS:
        return [
            ("spec.replicas", f"Invalid value: {value}: the sandbox runs at most {MAX_REPLICAS}")
        ]
    return []


def _containers(template: Json) -> Causes:
    spec = template.get("spec")
    containers = spec.get("containers") if isinstance(spec, dict) else None
    if not isinstance(containers, list) or not containers:
        return [("spec.template.spec.containers", "Required value")]
    causes: Causes = []
    for i, container in enumerate(containers):
        at = f"spec.template.spec.containers[{i}]"
        if not isinstance(container, dict):
            raise bad_request(f"json: cannot unmarshal {at}")
        causes += _container(container, at)
    return causes


def _container(container: Json, at: str) -> Causes:
    causes: Causes = []
    image = container.get("image")
    if not isinstance(container.get("name"), str) or not container["name"]:
        causes.append((f"{at}.name", "Required value"))
    if not isinstance(image, str):
        raise bad_request(f"json: cannot unmarshal {at}.image into Go value of type string")
    if not IMAGE.fullmatch(image):
        causes.append((f"{at}.image", f'Invalid value: "{image[:100]}": invalid reference format'))
    resources = container.get("resources")
    resources = resources if isinstance(resources, dict) else {}
    for what in ("limits", "requests"):
        causes += _quantities(resources.get(what), f"{at}.resources.{what}")
    return causes


def _quantities(found: Any, at: str) -> Causes:
    if found is None:
        return []
    if not isinstance(found, dict):
        raise bad_request(f"json: cannot unmarshal {at}")
    return [
        (f"{at}.{name}", f'Invalid value: "{str(value)[:40]}": quantities must match the regular '
         "expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
        for name, value in found.items()
        if not QUANTITY.fullmatch(str(value))
    ]  # fmt: skip


def _config(new: Json) -> Causes:
    data = new.get("data")
    if data is None:
        return []
    if not isinstance(data, dict):
        raise bad_request("json: cannot unmarshal data into Go value of type map[string]string")
    for value in data.values():
        if not isinstance(value, str):
            raise bad_request("json: cannot unmarshal data into Go value of type string")
    if sum(len(k) + len(v) for k, v in data.items()) > 1_048_576:
        return [("data", "Too long: must have at most 1048576 bytes")]
    return []


def _autoscaler(new: Json) -> Causes:
    spec = dictionary(new.get("spec"))
    bounds = {f: spec.get(f, 1) for f in ("minReplicas", "maxReplicas")}
    for name, value in bounds.items():
        if isinstance(value, bool) or not isinstance(value, int):
            raise bad_request(f"json: cannot unmarshal spec.{name} into Go value of type int32")
    text = "must be greater than or equal to 1"
    causes = [(f"spec.{n}", f"Invalid value: {v}: {text}") for n, v in bounds.items() if v < 1]
    if bounds["maxReplicas"] < bounds["minReplicas"]:
        causes.append(("spec.maxReplicas", "Invalid value: must be greater than minReplicas"))
    return causes


def _service(new: Json) -> Causes:
    spec = dictionary(new.get("spec"))
    selector = spec.get("selector") or {}
    if not isinstance(selector, dict) or any(not isinstance(v, str) for v in selector.values()):
        raise bad_request("json: cannot unmarshal spec.selector into Go value of type string")
    causes: Causes = []
    for i, port in enumerate(spec.get("ports") or ()):
        for name in ("port", "targetPort"):
            value = dictionary(port).get(name, port.get("port"))
            if isinstance(value, int) and not 0 < value < 65536:
                text = f"Invalid value: {value}: must be between 1 and 65535, inclusive"
                causes.append((f"spec.ports[{i}].{name}", text))
    return causes


def _quota(new: Json) -> Causes:
    return _quantities(dictionary(new.get("spec")).get("hard"), "spec.hard")


BY_PLURAL: Mapping[str, Callable[[Json], Causes]] = {
    "horizontalpodautoscalers": _autoscaler,
    "services": _service,
    "resourcequotas": _quota,
}


def dictionary(body: Any) -> Json:
    """Return the body as an object. Raises: ApiError 400."""
    if not isinstance(body, dict):
        raise bad_request("the body is not an object")
    return body


def unsupported(verb: str) -> ApiError:
    """Return a 405."""
    return ApiError(405, "MethodNotAllowed", f"{verb} is not supported on resources of this kind")
