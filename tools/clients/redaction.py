"""Takes credentials out of texts and Kubernetes objects before they become facts or diffs."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

MASK = "[redacted]"

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

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)",
            re.DOTALL,
        ),
        MASK,
    ),
    (re.compile(r"\b([a-z][a-z0-9+.\-]{1,20}://)[^\s/@:]{0,200}:[^\s/@]{1,200}@"), rf"\1{MASK}@"),
    (re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/\-]{8,}=*", re.IGNORECASE), rf"\1 {MASK}"),
    (re.compile(r"\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]*)?"), MASK),
    (re.compile(r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b"), MASK),
    (re.compile(r"\bgh[pousr]_[A-Za-z0-9]{20,}\b|\bgithub_pat_[A-Za-z0-9_]{20,}\b"), MASK),
    (re.compile(r"\bxox[abeoprs]-[A-Za-z0-9\-]{10,}"), MASK),
    (re.compile(r"\bxapp-[A-Za-z0-9\-]{10,}"), MASK),
    (re.compile(r"\b(?:sk|pk|rk)[-_](?:live[-_]|test[-_]|proj[-_])?[A-Za-z0-9\-_]{16,}"), MASK),
    (
        re.compile(r"\bglpat-[A-Za-z0-9_\-]{16,}|\bAIza[A-Za-z0-9_\-]{30,}|\bnpm_[A-Za-z0-9]{30,}"),
        MASK,
    ),
    (re.compile(r"https://hooks\.slack\.com/[A-Za-z0-9/_\-]+"), MASK),
    (
        re.compile(
            rf"(?<![A-Za-z0-9])((?:[A-Za-z0-9]{{1,40}}[_.\-]){{0,4}}(?:{_WORDS})"
            r"\"?'?\s{0,3}[=:]\s{0,3})(\"[^\"\n]{1,500}\"|'[^'\n]{1,500}'|[^\s,;&\"']{1,500})",
            re.IGNORECASE,
        ),
        rf"\1{MASK}",
    ),
    (
        re.compile(
            r"\b[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63}){1,5}\b"
        ),
        "[e-mail]",
    ),
)


_SETTINGS = ("data", "stringData", "binaryData", "annotations")
_PLAIN = frozenset(
    ("labels", "selector", "matchLabels", "ownerReferences", "resources", "uid", "apiVersion")
)  # names and numbers, never credentials
_MAYBE = re.compile(r"[=@]|//|: |eyJ|A[KSBC]I?A|gh[pousr]_|_pat_|xox|xapp-|[spr]k[-_]|glpat|npm_")


def redact_text(text: str) -> str:
    """Return the text with tokens, keys, passwords, connection strings and e-mails masked."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


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
    return redact_text(value)


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
    if isinstance(value, str) and _MAYBE.search(value):
        return redact_text(value)
    return value
