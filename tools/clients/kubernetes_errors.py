"""What a refused call of the Kubernetes API means for the caller, in words a person can act on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.errors import Conflict, Malformed, Refused, SreBotError, Unavailable, UnknownName
from bot.domain.redaction import redact

SYSTEM = "Kubernetes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call, with what RBAC calls it: `verb` on `resource` ("deployments.apps", "pods/log")."""

    verb: str
    resource: str
    method: str
    path: str
    namespace: str = ""
    kind: str = ""
    name: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    content_type: str = "application/json"

    @property
    def missing_rule(self) -> str:
        """The rule that a role would need for this call, as RBAC writes it."""
        plural, _, sub = self.resource.partition("/")
        name, _, group = plural.partition(".")
        resource = f"{name}/{sub}" if sub else name
        return f'apiGroups: ["{group}"], resources: ["{resource}"], verbs: ["{self.verb}"]'


def api_error(request: Request, status: int, raw: bytes, headers: Mapping[str, str]) -> SreBotError:
    """Return the error for an answer outside 2xx.

    401 and 403 → Refused with the missing rule; 404 → UnknownName; 409 → Conflict; 429 and 5xx →
    Unavailable; every other → Malformed with the API's own words.
    """
    said = _message(raw)
    where = f" in namespace {request.namespace}" if request.namespace else ""
    what = f"{request.resource} {request.name}".strip()
    if status in (401, 403):
        return _forbidden(request, status, said, where)
    if status == 404:
        return UnknownName(
            request.kind or "path", request.name or request.path, place=request.namespace or SYSTEM
        )
    if status == 409:
        return Conflict(f"{what}{where} changed since it was read: {said}")
    if status == 429 or status >= 500:
        return Unavailable(SYSTEM, f"HTTP {status}: {said}", retry_after_s=_retry_after(headers))
    return Malformed(f"{SYSTEM} does not accept this change of {what}{where}: {said}")


def _forbidden(request: Request, status: int, said: str, where: str) -> Refused:
    if status == 401:
        return Refused(f"{SYSTEM} does not know the bot's credentials", rule="authentication")
    if "forbidden: User" not in said and "cannot " not in said:  # an admission plug-in, not RBAC
        return Refused(f"{SYSTEM} does not allow it: {said}", rule="admission")
    return Refused(
        f"the bot may not {request.verb} {request.resource}{where}; its role lacks "
        f"{request.missing_rule}",
        rule="rbac",
    )


def _message(raw: bytes) -> str:
    text = raw[:4000].decode("utf-8", "replace")
    try:
        found = json.loads(raw) if len(raw) < 1_000_000 else None
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict) and isinstance(found.get("message"), str):
        text = found["message"]
    return redact(" ".join(text.split()))[:300]


def _retry_after(headers: Mapping[str, str]) -> float:
    value = str(headers.get("Retry-After") or "")
    return min(60.0, float(value)) if value.isdigit() else 0.5
