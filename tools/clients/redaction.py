"""Takes credentials out of settings and Kubernetes objects before they become facts or diffs."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from bot.domain.redaction import redact

_WORDS = (
    r"pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|apikey|access[_-]?key|private[_-]?key"
    r"|credentials?|client[_-]?secret|auth[_-]?key|signing[_-]?key|dsn|connection[_-]?string"
)
_SECRET_NAME = re.compile(rf"(?:^|[_.\-])(?:{_WORDS})(?:$|[_.\-])", re.IGNORECASE)
_NOT_SECRET_NAME = re.compile(
    r"(?:_|-|\.)(?:ttl|timeout|expiry|expires|max|min|limit|size|count|enabled|path|file|name|ref"
    r"|url_path|length|rotation|policy)$",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

_SETTINGS = ("data", "stringData", "binaryData", "annotations")
_PLAIN = frozenset(
    ("labels", "selector", "matchLabels", "ownerReferences", "resources", "uid", "apiVersion")
)  # names and numbers, never credentials
LEAST = 8  # characters of a text that can hold a credential


def is_secret_name(name: str) -> bool:
    """Whether a key of this name usually holds a credential."""
    snake = _CAMEL.sub("_", name)
    return bool(_SECRET_NAME.search(snake)) and not _NOT_SECRET_NAME.search(snake)


def mask_value(value: str) -> str:
    """Return a mask that differs for different values (16 bits of a hash), and tells no more."""
    return f"[redacted:{hashlib.sha256(value.encode()).hexdigest()[:4]}]"


def redact_entry(name: str, value: str) -> str:
    """Return a setting's value, masked if its name or its text says that it is a credential."""
    if is_secret_name(name) and value:
        return mask_value(value)
    return redact(value)


def redact_object(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a Kubernetes object without managedFields, the last applied copy, and credentials.

    Environment values, ConfigMap data and annotations are looked at by name and by text; everything
    else that is text by its text alone. `secretKeyRef` names stay: they are names, not values.
    """
    redacted = _redact(body, "")
    metadata = redacted.get("metadata")
    if isinstance(metadata, dict):
        metadata.pop("managedFields", None)
        annotations = metadata.get("annotations")
        if isinstance(annotations, dict):
            annotations.pop("kubectl.kubernetes.io/last-applied-configuration", None)
    result: dict[str, Any] = redacted
    return result


def _redact_mapping(value: Mapping[str, Any], name: str) -> dict[str, Any]:
    if isinstance(value.get("name"), str) and isinstance(value.get("value"), str):
        return {**value, "value": redact_entry(value["name"], value["value"])}
    if name in _SETTINGS:
        return {
            k: redact_entry(k, v) if isinstance(v, str) else _redact(v, k) for k, v in value.items()
        }
    return {k: v if k in _PLAIN else _redact(v, k) for k, v in value.items()}


def _redact(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return _redact_mapping(value, name)
    if isinstance(value, list):
        return [_redact(item, name) for item in value]
    if isinstance(value, str) and len(value) >= LEAST:
        return redact(value)
    return value
