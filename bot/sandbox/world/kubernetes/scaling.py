"""The scale subresource."""

from typing import Any

from bot.sandbox.world.kubernetes.errors import bad_request, conflict, invalid
from bot.sandbox.world.kubernetes.patching import patched
from bot.sandbox.world.kubernetes.validating import MAX_REPLICAS, dictionary
from bot.sandbox.world.records import Json


def scale_body(body: Json) -> Json:
    """Return a workload as its Scale."""
    metadata = body["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    labels = body["spec"]["selector"]["matchLabels"]
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {k: metadata[k] for k in kept if k in metadata},
        "spec": {"replicas": body["spec"]["replicas"]},
        "status": {
            "replicas": body["status"].get("replicas", 0),
            "selector": ",".join(f"{k}={v}" for k, v in sorted(labels.items())),
        },
    }


def wanted_replicas(call: Any, body: Json) -> int:
    """Return the replicas that a write to the subresource asks for. Raises: ApiError."""
    old = scale_body(body)
    if call.request.method == "PATCH":
        new = patched(old, call.body, call.request.headers.get("content-type", ""))
    else:
        new = dictionary(call.body)
    metadata = new.get("metadata")
    version = metadata.get("resourceVersion") if isinstance(metadata, dict) else None
    if version is not None and str(version) != str(old["metadata"].get("resourceVersion")):
        raise conflict("deployments.apps", call.name)
    spec = new.get("spec")
    replicas = spec.get("replicas", 0) if isinstance(spec, dict) else None
    if isinstance(replicas, bool) or not isinstance(replicas, int):
        raise bad_request("json: cannot unmarshal spec.replicas into Go value of type int32")
    if not 0 <= replicas <= MAX_REPLICAS:
        text = f"Invalid value: {replicas}: must be greater than or equal to 0"
        raise invalid("Scale.autoscaling", call.name, [("spec.replicas", text)])
    return replicas
