"""SelfSubjectAccessReview: may the asker do this?"""

from typing import Any

from bot.sandbox.world.kubernetes import resources
from bot.sandbox.world.kubernetes.errors import bad_request
from bot.sandbox.world.records import Json


def review(call: Any) -> Json:
    """Return the review with its status. Raises: ApiError 400."""
    spec = call.body.get("spec") if isinstance(call.body, dict) else None
    wanted = spec.get("resourceAttributes") if isinstance(spec, dict) else None
    if not isinstance(wanted, dict):
        raise bad_request("spec.resourceAttributes is required")
    allowed = not call.may_nothing and _allowed(call.read_only, wanted)
    status: Json = {"allowed": allowed}
    if not allowed:
        status["reason"] = "no rule of this identity's roles allows it"
    return {"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1",
            "metadata": {}, "spec": spec, "status": status}  # fmt: skip


def _allowed(read_only: bool, wanted: Json) -> bool:
    plural, verb = str(wanted.get("resource", "")), str(wanted.get("verb", ""))
    known = {r.plural: r for r in resources.RESOURCES}
    if plural == "secrets" or plural not in known:
        return False
    if wanted.get("namespace", "shop") not in ("shop", ""):
        return False
    if verb in ("get", "list") or read_only:
        return not read_only or verb in ("get", "list")
    sub = str(wanted.get("subresource", ""))
    if sub:
        return sub in known[plural].subresources
    return verb in known[plural].verbs
