"""Carries out writes: patch, update, scale, delete and evict, each with its dry run."""

import copy
from typing import Any

from bot.sandbox.world import rollout
from bot.sandbox.world.kubernetes import validating, views
from bot.sandbox.world.kubernetes.errors import ApiError, bad_request, conflict, not_found
from bot.sandbox.world.kubernetes.patching import patched
from bot.sandbox.world.kubernetes.pods import pod_body
from bot.sandbox.world.kubernetes.resources import Resource
from bot.sandbox.world.kubernetes.scaling import scale_body, wanted_replicas
from bot.sandbox.world.kubernetes.workloads import workload_body
from bot.sandbox.world.manifests import iso
from bot.sandbox.world.records import Json, Workload
from bot.sandbox.world.site import Site

WORKLOADS = ("deployments", "statefulsets")


def write(call: Any) -> Any:
    """Carry out a write and return the object (or Status) it leads to. Raises: ApiError."""
    resource: Resource = call.resource
    if call.verb == "create" and resource.plural == "events" and not call.name:
        return _tell(call)
    if not call.name:
        raise validating.unsupported(call.verb)
    if resource.plural == "pods" and call.subresource == "eviction":
        return _evict(call)
    if call.verb == "delete" and "delete" in resource.verbs:
        return _delete_pod(call) if resource.plural == "pods" else _delete_object(call, resource)
    if call.subresource == "scale" and call.verb in ("patch", "update"):
        return _scale(call, resource)
    if call.subresource or call.verb not in resource.verbs or call.verb not in ("patch", "update"):
        raise validating.unsupported(call.verb)
    return _change(call, resource)


def _current(call: Any, resource: Resource) -> Json:
    for body in views.objects(call.site, resource.plural, call.now):
        if body["metadata"]["name"] == call.name:
            return body
    raise not_found(resource.plural, call.name, resource.group)


def _change(call: Any, resource: Resource) -> Json:
    old = _current(call, resource)
    if call.verb == "patch":
        new = patched(old, call.body, call.request.headers.get("content-type", ""))
    else:
        new = copy.deepcopy(validating.dictionary(call.body))
    validating.check(resource, old, new)
    if resource.plural == "persistentvolumeclaims" and new.get("spec") != old.get("spec"):
        _check_growth(call, old, new)
    new["status"] = old.get("status", {})
    for kept in ("uid", "creationTimestamp", "resourceVersion", "generation"):
        if kept in old["metadata"]:
            new["metadata"][kept] = old["metadata"][kept]
    if call.dry_run or new == old:
        if new.get("spec") != old.get("spec") and "generation" in new["metadata"]:
            new["metadata"]["generation"] += 1
        return new
    if resource.plural in WORKLOADS:
        return _write_workload(call, old, new)
    return _write_object(call, resource, old, new)


def _check_growth(call: Any, old: Json, new: Json) -> None:
    """Let a claim's request change, and nothing else of it; its class must be able to expand."""
    before, after = copy.deepcopy(old["spec"]), copy.deepcopy(new["spec"])
    for spec in (before, after):
        (spec.get("resources") or {}).pop("requests", None)
    classes = views.objects(call.site, "storageclasses", call.now)
    name = old["spec"].get("storageClassName")
    expands = any(c["metadata"]["name"] == name and c.get("allowVolumeExpansion") is True
                  for c in classes)  # fmt: skip
    if before != after:
        raise ApiError(422, "Invalid", "spec is immutable after creation except resources.requests")
    if not expands:
        said = "only dynamically provisioned pvc can be resized"
        raise ApiError(
            403, "Forbidden", f'persistentvolumeclaims "{call.name}" is forbidden: {said}'
        )


def _write_workload(call: Any, old: Json, new: Json) -> Json:
    site: Site = call.site
    workload = site.workloads[call.name]
    at = call.now
    spec, before = new["spec"], old["spec"]
    workload.body["metadata"] = _stored(new["metadata"])
    if spec != before:
        workload.body["metadata"]["generation"] = old["metadata"]["generation"] + 1
    wanted, template = spec.get("replicas", 1), spec["template"]
    kept = {k: copy.deepcopy(v) for k, v in spec.items() if k not in ("template", "replicas")}
    workload.body["spec"] = kept | {
        "replicas": workload.replicas, "template": workload.body["spec"]["template"],
    }  # fmt: skip
    done = []
    if wanted != workload.replicas:
        rollout.scale(site, workload, wanted, at)
        done.append(f"scale {before['replicas']} → {wanted}")
    if spec.get("paused"):
        rollout.hold(workload, at)
        workload.body["spec"]["template"] = copy.deepcopy(template)
    elif template != workload.current.template or before.get("paused"):
        ran = workload.current.template
        revision = rollout.roll(site, workload, template, at)
        done.append(f"roll out revision {revision.number}")
        _tell_deploy(site, workload, (ran, template), at)
    version = site.changed(at)
    workload.body["metadata"]["resourceVersion"] = str(version)
    _note(call, f"{workload.kind.lower()}/{workload.name}", ", ".join(done) or "metadata")
    return workload_body(site, workload, at)


def _stored(metadata: Json) -> Json:
    out = copy.deepcopy(metadata)
    out.pop("managedFields", None)
    (out.get("annotations") or {}).pop("deployment.kubernetes.io/revision", None)
    return out


def _tell_deploy(site: Site, workload: Workload, templates: tuple[Json, Json], at: float) -> None:
    before, after = (rollout.image_of(t) for t in templates)
    if before == after:
        return
    pair = rollout.version_of(before), rollout.version_of(after)
    site.changes.append({
        "id": f"deploy-{workload.name}-{pair[1]}-{int(at)}", "kind": "deploy",
        "service": workload.service, "object": f"deployment/{workload.name}", "at": at,
        "summary": f"Deploy {workload.name} {pair[1]} (was {pair[0]})", "before": pair[0],
        "after": pair[1], "diff": f"-image: {before}\n+image: {after}\n", "link": None,
    })  # fmt: skip


def _note(call: Any, target: str, what: str) -> None:
    metadata = call.body.get("metadata") if isinstance(call.body, dict) else None
    annotations = (metadata or {}).get("annotations") if isinstance(metadata, dict) else None
    key = (
        (annotations or {}).get("sre-bot/execution-key") if isinstance(annotations, dict) else None
    )
    call.site.actions.append({"at": call.now, "by": call.user, "object": target, "what": what,
                              "key": key})  # fmt: skip


def _write_object(call: Any, resource: Resource, old: Json, new: Json) -> Json:
    site: Site = call.site
    if resource.plural == "pods":
        raise ApiError(422, "Invalid", "pods are changed through their workloads in the sandbox")
    stored = copy.deepcopy(new)
    if resource.plural == "configmaps" and call.name in site.configs:
        site.configs[call.name].put(call.now, dict(new.get("data") or {}))
        stored["data"] = {}
    if new.get("spec") != old.get("spec") and "generation" in new["metadata"]:
        stored["metadata"]["generation"] += 1
    site.objects[(resource.plural, call.name)] = stored
    version = str(site.changed(call.now))
    stored["metadata"]["resourceVersion"] = version
    _note(call, f"{resource.kind.lower()}/{call.name}", "changed")
    return _current(call, resource)


def _tell(call: Any) -> Json:
    """Keep an Event that a client writes."""
    body = copy.deepcopy(validating.dictionary(call.body))
    metadata = validating.dictionary(body.get("metadata"))
    name = str(metadata.get("name", ""))
    if not validating.NAME.fullmatch(name) or not isinstance(body.get("involvedObject"), dict):
        raise bad_request("an Event needs a name and an involvedObject")
    if ("events", name) in call.site.objects:
        raise ApiError(409, "AlreadyExists", f'events "{name}" already exists')
    metadata["uid"] = rollout.uid(*call.site.key, "events", name)
    metadata["creationTimestamp"] = iso(call.now)
    if not call.dry_run:
        call.site.objects[("events", name)] = body
        metadata["resourceVersion"] = str(call.site.changed(call.now))
    return body


def _scale(call: Any, resource: Resource) -> Json:
    body = _current(call, resource)
    replicas = wanted_replicas(call, body)
    if not call.dry_run and replicas != body["spec"]["replicas"]:
        workload = call.site.workloads[call.name]
        rollout.scale(call.site, workload, replicas, call.now)
        workload.body["metadata"]["generation"] += 1
        workload.body["metadata"]["resourceVersion"] = str(call.site.changed(call.now))
        _note(call, f"{workload.kind.lower()}/{call.name}", f"scale to {replicas}")
        return scale_body(workload_body(call.site, workload, call.now))
    body["spec"]["replicas"] = replicas
    return scale_body(body)


def _found(call: Any) -> tuple[Workload, Any]:
    for workload in call.site.workloads.values():
        for pod in workload.alive(call.now):
            if pod.name == call.name:
                return workload, pod
    raise not_found("pods", call.name)


def _preconditions(call: Any, pod: Any, body: Json) -> None:
    options = call.body if isinstance(call.body, dict) else {}
    options = options.get("deleteOptions") or options
    wanted = options.get("preconditions") if isinstance(options, dict) else None
    if not isinstance(wanted, dict):
        return
    if wanted.get("uid") not in (None, pod.uid):
        raise conflict("pods", pod.name)
    if wanted.get("resourceVersion") not in (None, body["metadata"]["resourceVersion"]):
        raise conflict("pods", pod.name)


def _asked_dry(call: Any) -> bool:
    options = call.body if isinstance(call.body, dict) else {}
    inner = options.get("deleteOptions")
    listed = [options.get("dryRun"), inner.get("dryRun") if isinstance(inner, dict) else None]
    return call.dry_run or any(d == ["All"] for d in listed)


def _delete_pod(call: Any) -> Json:
    workload, pod = _found(call)
    body = pod_body(call.site, workload, pod, call.now)
    _preconditions(call, pod, body)
    if not _asked_dry(call):
        rollout.remove_pod(call.site, workload, pod, call.now)
        call.site.changed(call.now)
        _note(call, f"pod/{pod.name}", "deleted")
    return pod_body(call.site, workload, pod, call.now) if not _asked_dry(call) else body


def _delete_object(call: Any, resource: Resource) -> Json:
    body = _current(call, resource)
    options = call.body if isinstance(call.body, dict) else {}
    wanted = options.get("preconditions")
    uid = wanted.get("uid") if isinstance(wanted, dict) else None
    if uid not in (None, body["metadata"]["uid"]):
        raise conflict(resource.plural, call.name)
    if not _asked_dry(call):
        del call.site.objects[(resource.plural, call.name)]
        call.site.changed(call.now)
        _note(call, f"{resource.kind.lower()}/{call.name}", "deleted")
    return body


def _evict(call: Any) -> Json:
    if call.verb != "create" or not isinstance(call.body, dict):
        raise bad_request("an eviction is created with a body")
    workload, pod = _found(call)
    _preconditions(call, pod, pod_body(call.site, workload, pod, call.now))
    for budget in views.objects(call.site, "poddisruptionbudgets", call.now):
        selector = (budget["spec"].get("selector") or {}).get("matchLabels") or {}
        if selector.get("app.kubernetes.io/name") != workload.service:
            continue
        if budget["status"]["disruptionsAllowed"] < 1 and pod.is_ready(call.now):
            name = budget["metadata"]["name"]
            raise ApiError(
                429, "TooManyRequests",
                "Cannot evict pod as it would violate the pod's disruption budget.",
                {"causes": [{"reason": "DisruptionBudget",
                             "message": f"The disruption budget {name} allows no more now"}]},
            )  # fmt: skip
    if not _asked_dry(call):
        rollout.remove_pod(call.site, workload, pod, call.now)
        call.site.changed(call.now)
        _note(call, f"pod/{pod.name}", "evicted")
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
